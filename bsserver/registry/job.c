#include "bsserver/registry/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/util.h"

#define CATCH_UP_US 100000.0 /* a late timer may make up for so much */

static const char *const outcome_names[] = {
	[JOB_PENDING] = "pending",
	[JOB_ASLEEP] = "asleep",
	[JOB_ASKED] = "asked",
	[JOB_TRIGGERED] = "triggered",
	[JOB_BOOTSTRAPPED] = "bootstrapped",
	[JOB_REFUSED] = "refused",
	[JOB_EXPIRED] = "expired",
	[JOB_UNKNOWN] = "unknown",
	[JOB_TIMED_OUT] = "timed_out",
	[JOB_CANCELLED] = "cancelled",
};
_Static_assert(N_ELEMS(outcome_names) == JOB__OUTCOMES, "one name per outcome");

static const char *const state_names[] = {
	[JOB_RUNNING] = "running",
	[JOB_PAUSED] = "paused",
	[JOB_DONE] = "done",
	[JOB_STOPPED] = "cancelled",
};
_Static_assert(N_ELEMS(state_names) == JOB__STATES, "one name per state");

const char *
job_outcome_name(enum job_outcome o)
{
	return (size_t)o < N_ELEMS(outcome_names) ? outcome_names[o] : "unknown";
}

bool
job_outcome_from_name(const char *name, enum job_outcome *out)
{
	for (size_t i = 0; i < N_ELEMS(outcome_names); i++)
		if (strcmp(name, outcome_names[i]) == 0) {
			*out = (enum job_outcome)i;
			return true;
		}
	return false;
}

const char *
job_state_name(enum job_state s)
{
	return (size_t)s < N_ELEMS(state_names) ? state_names[s] : "unknown";
}

bool
job_state_from_name(const char *name, enum job_state *out)
{
	for (size_t i = 0; i < N_ELEMS(state_names); i++)
		if (strcmp(name, state_names[i]) == 0) {
			*out = (enum job_state)i;
			return true;
		}
	return false;
}

/* ---- rows ---- */

uint32_t
job_find(const struct job *j, const char *endpoint)
{
	struct table_node *n = table_first(&j->by_endpoint, table_hash(&j->by_endpoint, endpoint, strlen(endpoint)));

	for (; n != NULL; n = table_next(n)) {
		const struct job_row *r = CONTAINER_OF(n, struct job_row, node);

		if (strcmp(r->endpoint, endpoint) == 0)
			return (uint32_t)(r - j->rows);
	}
	return JOB_NONE;
}

enum err_code
job_index(struct job *j, uint32_t row, struct err *e)
{
	struct job_row *r = &j->rows[row];
	uint64_t hash = table_hash(&j->by_endpoint, r->endpoint, strlen(r->endpoint));

	return table_add(&j->by_endpoint, &r->node, hash) == ERR_OK ? ERR_OK : err_no_memory(e);
}

struct job *
job_make(uint64_t id, size_t n, uint64_t seed)
{
	struct job *j = calloc(1, sizeof *j);

	if (j == NULL)
		return NULL;
	j->id = id;
	table_init(&j->by_endpoint, seed);
	j->rows = calloc(n, sizeof *j->rows);
	if (j->rows == NULL) {
		free(j);
		return NULL;
	}
	return j;
}

enum err_code
job_new(uint64_t id, const char *const *endpoints, size_t n, struct job_spec *spec, int64_t wall_ms, uint64_t seed,
    struct job **out, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (n == 0)
		return err_set(e, ERR_USAGE, "a job needs a device");
	if (n > JOB_ROWS_MAX)
		return err_set(e, ERR_LIMIT, "%zu devices, and a job takes %d", n, JOB_ROWS_MAX);
	struct job *j = job_make(id, n, seed);
	if (j == NULL)
		return err_no_memory(e);
	j->created_ms = wall_ms;
	for (size_t i = 0; rc == ERR_OK && i < n; i++) {
		struct job_row *r = &j->rows[j->n_rows];

		if (job_find(j, endpoints[i]) != JOB_NONE)
			continue;
		*r = (struct job_row){ .at_ms = wall_ms, .dirty = true, .endpoint = strdup(endpoints[i]) };
		j->n_rows++;
		rc = r->endpoint == NULL ? err_no_memory(e) : job_index(j, j->n_rows - 1, e);
	}
	if (rc != ERR_OK) {
		job_free(j);
		return rc;
	}
	j->spec = *spec;
	*spec = (struct job_spec){ .rate = 1 };
	j->counts[JOB_PENDING] = j->n_rows;
	j->dirty = true;
	*out = j;
	return ERR_OK;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	for (uint32_t i = 0; i < j->n_rows; i++) {
		free(j->rows[i].endpoint);
		free(j->rows[i].via);
		free(j->rows[i].said);
	}
	free(j->rows);
	table_clear(&j->by_endpoint);
	free(j->spec.actor);
	free(j->spec.reason);
	free(j->spec.selector);
	free(j);
}

bool
job_over(const struct job *j)
{
	return j->state == JOB_DONE || j->state == JOB_STOPPED;
}

static void
say(struct job *j, const char *why)
{
	if (strcmp(j->why, why) == 0)
		return;
	(void)snprintf(j->why, sizeof j->why, "%s", why);
	j->dirty = true;
}

/* ---- failures, and the first few ---- */

static void
pause_at(struct job *j, const char *why)
{
	if (j->state != JOB_RUNNING)
		return;
	j->state = JOB_PAUSED;
	say(j, why);
	j->dirty = true;
}

static bool
anything_left(const struct job *j)
{
	return j->counts[JOB_PENDING] + j->counts[JOB_ASLEEP] > 0;
}

static void
count_failure(struct job *j)
{
	char why[96];
	uint32_t bound = (j->n_rows * JOB_FAILURES_PERCENT + 99) / 100;

	j->failed++;
	if (j->failed - j->forgiven < bound || !anything_left(j))
		return;
	(void)snprintf(why, sizeof why, "%u of %u devices failed: %d %% is the bound", j->failed - j->forgiven, j->n_rows,
	    JOB_FAILURES_PERCENT);
	pause_at(j, why);
}

static bool
row_failed(const struct job_row *r)
{
	return r->outcome == JOB_REFUSED || r->outcome == JOB_TIMED_OUT || r->bad;
}

/* The first few must all be bootstrapped, and registered since. */
static bool
canary_lets_on(struct job *j)
{
	bool unseen = false;

	if (j->canary_good || j->spec.canary == 0 || j->cursor < j->spec.canary)
		return true;
	for (uint32_t i = 0; i < j->spec.canary && i < j->n_rows; i++) {
		const struct job_row *r = &j->rows[i];

		if (r->outcome != JOB_BOOTSTRAPPED || (!r->registered && r->via == NULL)) {
			say(j, "the first devices must be bootstrapped and registered before the others are asked");
			return false;
		}
		unseen |= !r->registered;
	}
	if (unseen) { /* that is an operator's to see */
		say(j, "the first devices are bootstrapped; an LwM2M Server does not say whether they registered: pause and resume");
		return false;
	}
	j->canary_good = true;
	j->dirty = true;
	return true;
}

/* One of the first failed, or is over without being good. */
static void
check_canary(struct job *j, uint32_t row)
{
	const struct job_row *r = &j->rows[row];
	char why[sizeof j->why];

	if (j->canary_good || row >= j->spec.canary || !anything_left(j) || (!row_failed(r) && r->outcome != JOB_UNKNOWN))
		return;
	(void)snprintf(why, sizeof why, "one of the first devices failed: %s is %s", r->endpoint,
	    job_outcome_name((enum job_outcome)r->outcome));
	pause_at(j, why);
}

/* ---- whose turn it is ---- */

static bool
window_open(const struct job_spec *s, int minute)
{
	if (s->from_minute < 0)
		return true;
	if (s->from_minute <= s->to_minute)
		return minute >= s->from_minute && minute < s->to_minute;
	return minute >= s->from_minute || minute < s->to_minute;
}

static uint32_t
take_ready(struct job *j)
{
	while (j->ready_head != 0) {
		uint32_t i = j->ready_head - 1;
		struct job_row *r = &j->rows[i];

		j->ready_head = r->next_ready;
		if (j->ready_head == 0)
			j->ready_tail = 0;
		r->next_ready = 0;
		r->ready = false;
		if (r->outcome == JOB_ASLEEP || (r->outcome == JOB_PENDING && r->again))
			return i;
	}
	return JOB_NONE;
}

static uint32_t
take_pending(struct job *j)
{
	while (j->cursor < j->n_rows && (j->rows[j->cursor].outcome != JOB_PENDING || j->rows[j->cursor].again))
		j->cursor++;
	if (j->cursor == j->n_rows || !canary_lets_on(j))
		return JOB_NONE;
	return j->cursor;
}

uint32_t
job_next(struct job *j, const struct job_time *t)
{
	double now = (double)t->mono_us;

	if (j->state != JOB_RUNNING)
		return JOB_NONE;
	if (!window_open(&j->spec, t->minute)) {
		say(j, "the window of the day is closed");
		return JOB_NONE;
	}
	if (j->next_us > now)
		return JOB_NONE;
	uint32_t row = take_ready(j);
	if (row == JOB_NONE)
		row = take_pending(j);
	if (row == JOB_NONE)
		return JOB_NONE;
	say(j, "");
	j->next_us = MAX(j->next_us, now - CATCH_UP_US) + 1e6 / j->spec.rate;
	return row;
}

static void
make_ready(struct job *j, uint32_t i)
{
	struct job_row *r = &j->rows[i];

	r->ready = true;
	if (j->ready_tail != 0)
		j->rows[j->ready_tail - 1].next_ready = i + 1;
	else
		j->ready_head = i + 1;
	j->ready_tail = i + 1;
}

bool
job_awake(struct job *j, const char *endpoint)
{
	uint32_t i = job_over(j) ? JOB_NONE : job_find(j, endpoint);

	if (i == JOB_NONE || j->rows[i].outcome != JOB_ASLEEP || j->rows[i].ready)
		return false;
	make_ready(j, i);
	return true;
}

/* ---- what came of it ---- */

/* It said yes, and its session is awaited. */
static bool
awaited(const struct job_row *r)
{
	return r->outcome == JOB_TRIGGERED && r->session == 0 && !r->bad;
}

/* Adds (1) or takes away (-1) what is counted of a row. */
static void
count_row(struct job *j, const struct job_row *r, int sign)
{
	uint32_t one = (uint32_t)sign;

	j->counts[r->outcome] += one;
	j->unsettled += awaited(r) ? one : 0;
	j->n_again += r->again ? one : 0;
	j->n_later += r->again && r->outcome == JOB_PENDING ? one : 0;
}

static void
change(struct job *j, struct job_row *r, const struct job_row *to, int64_t wall_ms)
{
	count_row(j, r, -1);
	r->outcome = to->outcome;
	r->code = to->code;
	r->session = to->session;
	r->bad = to->bad;
	r->registered = to->registered;
	r->again = to->again && (to->outcome == JOB_PENDING || to->outcome == JOB_ASLEEP);
	r->told = to->told && to->outcome == JOB_ASLEEP;
	r->at_ms = wall_ms;
	r->dirty = j->dirty = true;
	count_row(j, r, 1);
}

static void
end_when_done(struct job *j)
{
	if (job_over(j) || anything_left(j) || j->counts[JOB_ASKED] > 0 || j->unsettled > 0)
		return;
	j->state = JOB_DONE;
	say(j, "");
	j->dirty = true;
}

void
job_set(struct job *j, uint32_t row, enum job_outcome o, uint8_t code, int64_t wall_ms)
{
	struct job_row *r = &j->rows[row], to = *r;
	bool answer = o == JOB_TRIGGERED || o == JOB_REFUSED || o == JOB_TIMED_OUT;

	/* its session was faster than its answer; or the job was cancelled, and only who was asked is still told of */
	if ((answer || job_over(j)) && r->outcome != JOB_ASKED)
		return;
	r->resumed = r->resumed && o == JOB_ASLEEP;
	to.outcome = (uint8_t)(job_over(j) && (o == JOB_ASLEEP || o == JOB_PENDING) ? JOB_CANCELLED : o);
	to.code = code;
	to.again = to.told = false;
	change(j, r, &to, wall_ms);
	if (row_failed(r))
		count_failure(j);
	check_canary(j, row);
	end_when_done(j);
}

static void
set_text(char **to, const char *from)
{
	char *copy;

	if (from != NULL && *to != NULL && strcmp(from, *to) == 0)
		return;
	copy = from == NULL || from[0] == 0 ? NULL : strdup(from);
	free(*to);
	*to = copy; /* short of memory it goes without */
}

void
job_tell(struct job *j, uint32_t row, const struct job_news *news, int64_t wall_ms)
{
	struct job_row *r = &j->rows[row], to;
	bool nobody = news->outcome == JOB_PENDING;

	if (news->via != NULL && !job_over(j))
		set_text(&r->via, news->via); /* also of one whose session was faster */
	if (r->outcome != JOB_ASKED)
		return;
	set_text(&r->via, news->via);
	set_text(&r->said, news->said);
	job_set(j, row, news->outcome, news->code, wall_ms);
	if (!news->again || job_over(j))
		return;
	to = *r;
	to.again = true;
	to.told = news->told;
	if (r->pauses < UINT8_MAX)
		r->pauses++;
	r->resumed = nobody; /* it may have been asked all the same */
	change(j, r, &to, wall_ms);
}

int64_t
job_pause_ms(const struct job_row *r)
{
	static const struct {
		int64_t first, longest;
	} rows[] = { { 2000, 300000 }, { 5000, 3600000 }, { 600000, 3600000 } };
	size_t i = r->outcome == JOB_PENDING ? 0 : r->told ? 2 : 1;
	unsigned doubled = r->pauses > 1 ? MIN(r->pauses - 1U, 20U) : 0;

	return MIN(rows[i].first << doubled, rows[i].longest);
}

void
job_no_answer(struct job *j, uint32_t row, bool sleeps, int64_t wall_ms)
{
	bool again = sleeps && ++j->rows[row].tries < JOB_TRIES;

	job_set(j, row, again ? JOB_ASLEEP : JOB_TIMED_OUT, 0, wall_ms);
}

bool
job_session(struct job *j, const char *endpoint, uint64_t session, int64_t started_ms, bool good, int64_t wall_ms)
{
	uint32_t i = job_over(j) ? JOB_NONE : job_find(j, endpoint);
	struct job_row *r = i == JOB_NONE ? NULL : &j->rows[i];

	if (r == NULL || (r->outcome != JOB_TRIGGERED && r->outcome != JOB_ASKED && !r->resumed && !r->told) ||
	    started_ms < j->created_ms)
		return false;
	struct job_row to = *r;
	bool was_bad = r->bad;

	r->resumed = false;
	to.outcome = good ? JOB_BOOTSTRAPPED : JOB_TRIGGERED;
	to.session = session;
	to.bad = !good;
	to.registered = false;
	change(j, r, &to, wall_ms);
	if (good && was_bad)
		j->forgiven++; /* it came again, and well */
	else if (!good && !was_bad)
		count_failure(j);
	check_canary(j, i);
	end_when_done(j);
	return true;
}

void
job_registered(struct job *j, const char *endpoint, int64_t wall_ms)
{
	uint32_t i = job_find(j, endpoint);
	struct job_row *r = i == JOB_NONE ? NULL : &j->rows[i];

	if (r == NULL || r->registered || r->outcome != JOB_BOOTSTRAPPED)
		return;
	r->registered = true;
	r->at_ms = wall_ms;
	r->dirty = j->dirty = true;
}

static void
end_rows(struct job *j, enum job_outcome how, int64_t wall_ms)
{
	for (uint32_t i = 0; i < j->n_rows; i++) {
		struct job_row *r = &j->rows[i], to = *r;

		to.outcome = (uint8_t)how;
		if (r->outcome == JOB_PENDING || r->outcome == JOB_ASLEEP)
			change(j, r, &to, wall_ms);
	}
}

void
job_look(struct job *j, int64_t wall_ms)
{
	if (job_over(j))
		return;
	if (j->spec.expires_ms != 0 && wall_ms >= j->spec.expires_ms)
		end_rows(j, JOB_EXPIRED, wall_ms);
	for (uint32_t i = 0; i < j->n_rows && j->unsettled > 0; i++) {
		struct job_row *r = &j->rows[i], to = *r;

		if (!awaited(r) || wall_ms - r->at_ms < JOB_SETTLE_MS)
			continue;
		to.bad = true; /* it said yes, and never came */
		change(j, r, &to, wall_ms);
		count_failure(j);
		check_canary(j, i);
	}
	for (uint32_t i = 0; i < j->n_rows && j->n_again > 0 && j->state == JOB_RUNNING; i++) {
		const struct job_row *r = &j->rows[i];

		if (r->again && !r->ready && wall_ms - r->at_ms >= job_pause_ms(r))
			make_ready(j, i);
	}
	end_when_done(j);
}

enum err_code
job_set_state(struct job *j, enum job_state s, int64_t wall_ms, struct err *e)
{
	if (job_over(j) || j->state == s || s == JOB_DONE)
		return err_set(e, ERR_CONFLICT, "job %llu is %s", (unsigned long long)j->id, job_state_name(j->state));
	if (s == JOB_STOPPED)
		end_rows(j, JOB_CANCELLED, wall_ms);
	if (s == JOB_RUNNING) { /* the operator has seen what failed */
		j->forgiven = j->failed;
		j->canary_good = j->canary_good || j->cursor >= j->spec.canary;
	}
	j->state = s;
	say(j, s == JOB_PAUSED ? "by an operator" : "");
	j->dirty = true;
	if (s == JOB_RUNNING)
		end_when_done(j);
	return ERR_OK;
}

/* ---- after a restart ---- */

bool
job_unsure(const struct job *j, uint32_t row)
{
	const struct job_row *r = &j->rows[row];

	return !job_over(j) && (awaited(r) || r->resumed || r->told);
}

enum err_code
job_restored(struct job *j, struct err *e)
{
	for (uint32_t i = 0; i < j->n_rows; i++) {
		struct job_row *r = &j->rows[i];

		if (r->endpoint == NULL)
			return err_set(e, ERR_PARSE, "job %llu: device %u of %u was not kept", (unsigned long long)j->id, i,
			    j->n_rows);
		if (r->outcome == JOB_ASKED && !job_over(j)) {
			r->outcome = JOB_PENDING;
			r->resumed = r->again = true;
		}
		r->again |= r->via != NULL && !job_over(j) && (r->outcome == JOB_PENDING || r->outcome == JOB_ASLEEP);
		r->resumed |= r->again && r->outcome == JOB_PENDING;
		if ((r->outcome != JOB_PENDING || r->again) && j->cursor == i)
			j->cursor++;
		count_row(j, r, 1);
		j->failed += row_failed(r);
	}
	end_when_done(j);
	return ERR_OK;
}
