/* One row: each event is a step of the state machine, stored, and only then acted upon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

static const struct handoff_rules no_rules = { .one_secret = true, .grace_ms = 86400000, .retry_ms = 60000,
	.retry_max_ms = 3600000, .orphan_ms = 600000 };

static const struct handoff_rules *
rules(const struct handing *j)
{
	return j->server == NULL ? &no_rules : &j->server->s->rules;
}

static uint64_t
hash_of(const struct handoff *h, const char *endpoint, const char *target)
{
	return table_hash(&h->jobs, endpoint, strlen(endpoint)) ^ table_hash(&h->jobs, target, strlen(target));
}

struct handing *
handing_find(const struct handoff *h, const char *endpoint, const char *target)
{
	struct table_node *n = table_first(&h->jobs, hash_of(h, endpoint, target));

	for (; n != NULL; n = table_next(n)) {
		struct handing *j = CONTAINER_OF(n, struct handing, node);

		if (strcmp(j->row.endpoint, endpoint) == 0 && strcmp(j->row.target, target) == 0)
			return j;
	}
	return NULL;
}

static bool
has_server(const struct handing *j)
{
	return j->server != NULL && !j->server->gone;
}

struct handing *
handing_new(struct handoff *h, struct store_handoff *row)
{
	struct handing *j = calloc(1, sizeof *j);

	if (j == NULL || table_add(&h->jobs, &j->node, hash_of(h, row->endpoint, row->target)) != ERR_OK) {
		free(j);
		return NULL;
	}
	j->h = h;
	j->row = *row;
	*row = (struct store_handoff){ 0 };
	j->server = server_named(h, j->row.target);
	h->stats.under_way++;
	return j;
}

void
handing_free(struct handing *j)
{
	struct handoff *h = j->h;

	table_remove(&h->jobs, &j->node);
	h->stats.under_way--;
	loop_timer_free(j->timer);
	store_handoff_clear(&j->row);
	free(j);
	sweep_look(h); /* it may have waited for there to be fewer */
}

/* Nothing more is to be done now; what is due later the sweep finds. */
static void
let_go(struct handing *j)
{
	if (j->row.due_ms > 0)
		sweep_at(j->h, j->row.due_ms);
	handing_free(j);
}

static void
want_becomes(struct handing *j, enum want_state state, const char *text)
{
	struct want *w = j->want;

	w->state = state;
	if (text != NULL)
		(void)snprintf(w->text, sizeof w->text, "%s", text);
	if (state == WANT_FAILED || j->row.state == STORE_HANDOFF_SETTLED || j->row.state == STORE_HANDOFF_RETIRING)
		j->begin = j->finish = j->telling = false;
	ask_look(w->ask);
}

static void
tell_want(struct handing *j, int told)
{
	char text[HANDOFF_TEXT_MAX];

	if (told > 0 && j->row.state == STORE_HANDOFF_TOLD)
		(void)snprintf(text, sizeof text, "%s was told of the credential of %s", j->row.target, j->row.server);
	else if (told > 0 && j->row.late)
		(void)snprintf(text, sizeof text, "%s will be told of the credential of %s after Finish", j->row.target,
		    j->row.server);
	else
		(void)snprintf(text, sizeof text, "%s knows the credential of %s already", j->row.target, j->row.server);
	if (told < 0)
		(void)snprintf(text, sizeof text, "%s: %s", j->row.target, j->row.error == NULL ? "refused" : j->row.error);
	want_becomes(j, told > 0 ? WANT_TOLD : WANT_FAILED, text);
}

/* ---- storing ---- */

static void
not_stored(struct handing *j, const struct err *e)
{
	char text[HANDOFF_TEXT_MAX];

	log_msg(e->code == ERR_CONFLICT ? LVL_NOTICE : LVL_ERROR, LOG_HANDOFF,
	    &(struct log_about){ .endpoint = j->row.endpoint, .session = j->row.session },
	    "hand-off to %s was not recorded (%s)", j->row.target, e->msg);
	(void)snprintf(text, sizeof text, "%s: it could not be recorded: %s", j->row.target, e->msg);
	if (j->want != NULL) {
		struct want *w = j->want;

		j->want = NULL;
		w->job = NULL;
		w->state = WANT_FAILED;
		(void)snprintf(w->text, sizeof w->text, "%s", text);
		ask_look(w->ask);
	}
	sweep_at(j->h, clock_wall_ms() + 10000);
	handing_free(j); /* the store has it as it was */
}

/* The device came back meanwhile: it begins with nothing. */
static void
removed(struct handing *j)
{
	if (j->want == NULL) {
		handing_free(j);
		return;
	}
	secret_clear(&j->row.known);
	secret_clear(&j->row.other);
	j->row.state = STORE_HANDOFF_HELD;
	j->row.version = 0;
	j->row.due_ms = 0;
	j->removing = false;
	handing_go(j);
}

static void
stored_for_want(struct handing *j, int told)
{
	struct want *w = j->want;

	if (told != 0 && j->told_to == w)
		tell_want(j, told);
	else if (j->row.state == STORE_HANDOFF_INTENT && w->state == WANT_WAITS)
		want_becomes(j, WANT_RECORDED, NULL);
	if (j->row.state == STORE_HANDOFF_FINISHING && !w->finishing) {
		w->finishing = true;
		ask_look(w->ask);
	}
}

static void
on_stored(void *arg, enum err_code rc, const struct err *e)
{
	struct handing *j = arg;
	int told = j->told;

	j->busy = JOB_IDLE;
	j->told = 0;
	if (rc != ERR_OK) {
		not_stored(j, e);
		return;
	}
	if (j->removing) {
		removed(j);
		return;
	}
	j->row.version++;
	if (j->want != NULL && !j->begin)
		stored_for_want(j, told);
	handing_go(j);
}

static void
store(struct handing *j, const struct handoff_outcome *out)
{
	struct handoff *h = j->h;

	j->busy = JOB_STORING;
	j->told = out->told;
	j->told_to = j->want;
	j->removing = out->gone;
	if (out->gone)
		h->c.ops->handoff_rm(h->c.store, j->row.endpoint, j->row.target, j->row.version, on_stored, j);
	else
		h->c.ops->handoff_put(h->c.store, &j->row, on_stored, j);
}

static void
step(struct handing *j, enum handoff_event ev, const char *text)
{
	struct handoff_step s = { .event = ev, .now_ms = clock_wall_ms(), .text = text,
		.give_up_ms = j->want == NULL ? 0 : j->want->give_up_ms };
	struct handoff_outcome out;

	handoff_step(&j->row, rules(j), &s, &out);
	if (out.changed)
		store(j, &out);
	else
		handing_go(j);
}

/* ---- calling ---- */

static void
count(struct handing *j, enum handoff_word word)
{
	struct handoff_stats *st = &j->h->stats;

	if (word == HANDOFF_NO)
		st->refused++;
	else if (word == HANDOFF_LATER)
		st->unanswered++;
	else if (j->calling == HANDOFF_CALL_TELL)
		st->told++;
	else
		st->given_back++;
}

static void
say(const struct handing *j, enum handoff_word word, const struct err *why)
{
	struct log_about about = { .endpoint = j->row.endpoint, .session = j->row.session };

	if (word == HANDOFF_DONE)
		log_msg(LVL_INFO, LOG_HANDOFF, &about, "%s did what it was asked for (%s)", j->row.target,
		    handoff_call_name(j->calling));
	else
		log_msg(LVL_WARNING, LOG_HANDOFF, &about, "%s %s (%s: %s)", j->row.target,
		    word == HANDOFF_NO ? "refuses" : "did not do what it was asked for", handoff_call_name(j->calling),
		    why->msg);
}

void
handing_next_in_line(struct server *s)
{
	struct handing *j;

	/* one that has nothing to ask any more, or nobody whom to ask, leaves its place to the next */
	while ((j = s->line) != NULL && (s->gone || s->in_flight < IN_FLIGHT_MAX)) {
		s->line = j->next;
		if (s->line == NULL)
			s->line_end = &s->line;
		j->busy = JOB_IDLE;
		handing_go(j);
	}
}

/* What could not be dropped, or told, stands in the new one's way: the session fails with the reason. */
static void
clearing_ends(struct handing *j, enum handoff_word word, const struct err *why)
{
	char text[HANDOFF_TEXT_MAX];

	j->clearing = false;
	if (word == HANDOFF_DONE || j->want == NULL)
		return;
	(void)snprintf(text, sizeof text, "%s: what was begun with it before could not be ended: %s", j->row.target, why->msg);
	want_becomes(j, WANT_FAILED, text);
}

static void
on_run(void *arg, enum handoff_word word, const struct err *why)
{
	static const enum handoff_event events[] = { [HANDOFF_DONE] = HANDOFF_EV_TAKEN, [HANDOFF_NO] = HANDOFF_EV_REFUSED,
		[HANDOFF_LATER] = HANDOFF_EV_NOBODY, [HANDOFF_ASK] = HANDOFF_EV_NOBODY };
	struct handing *j = arg;
	struct server *s = j->server;
	/* an old one that could not be dropped for a newer one stays for the time of grace that it has */
	bool stays = word != HANDOFF_DONE && j->row.state == STORE_HANDOFF_RETIRING && j->row.due_ms > clock_wall_ms();
	bool wanted = j->calling == handoff_wants(&j->row, rules(j)) && !stays;

	j->busy = JOB_IDLE;
	s->in_flight--;
	count(j, word);
	say(j, word, why);
	if (j->clearing)
		clearing_ends(j, word, why);
	if (wanted)
		step(j, events[word], why == NULL ? NULL : why->msg);
	else
		handing_go(j);
	handing_next_in_line(s);
}

/* Whoever waits is not made to wait beyond its deadline. */
static uint32_t
time_left(const struct handing *j)
{
	int64_t left = j->want == NULL || j->want->give_up_ms == 0 ? 0 : j->want->give_up_ms - clock_wall_ms();

	return j->want == NULL || j->want->give_up_ms == 0 ? 0 : (uint32_t)MIN(MAX(left, INT64_C(1)), (int64_t)UINT32_MAX);
}

static void
call(struct handing *j)
{
	struct server *s = j->server;
	bool known = j->calling == HANDOFF_CALL_TELL_BACK;
	struct handoff_order o = {
		.server = s->s,
		.call = j->calling,
		.endpoint = j->row.endpoint,
		.account = j->row.server,
		.short_server_id = j->row.short_server_id,
		.timeout_ms = time_left(j),
		.cred = j->calling == HANDOFF_CALL_FORGET ? NULL : known ? &j->row.known : &j->row.other,
	};

	if (s->in_flight >= IN_FLIGHT_MAX) {
		j->busy = JOB_IN_LINE;
		j->next = NULL;
		*s->line_end = j;
		s->line_end = &j->next;
		return;
	}
	s->in_flight++;
	j->busy = JOB_CALLING;
	handoff_run(&j->h->runner, &o, on_run, j);
}

/* ---- what is next ---- */

static void
on_timer(void *arg)
{
	handing_go(arg);
}

static void
wait_until(struct handing *j, int64_t due_ms)
{
	int64_t now = clock_wall_ms();

	if (j->timer == NULL && loop_timer_new(j->h->c.loop, on_timer, j, &j->timer, NULL) != ERR_OK)
		return; /* the session's deadline comes first */
	loop_timer_start(j->timer, due_ms > now ? (uint64_t)(due_ms - now) : 1, 0);
}

static void
begin(struct handing *j)
{
	struct want *w = j->want;
	struct secret cred = SECRET_NONE;
	struct handoff_outcome out;

	if (secret_copy(&cred, &w->w.cred, NULL) != ERR_OK) {
		want_becomes(j, WANT_FAILED, "memory is short");
		handing_go(j);
		return;
	}
	if (!handoff_begin(&j->row, rules(j), &cred, w->w.late, w->ask->session, clock_wall_ms(), &out)) {
		secret_clear(&cred);
		if (out.changed) {
			store(j, &out);
			return;
		}
		if (!has_server(j)) {
			want_becomes(j, WANT_FAILED, "the configuration has that LwM2M Server no more");
			handing_go(j);
			return;
		}
		j->clearing = true;
		j->calling = handoff_wants(&j->row, rules(j));
		call(j);
		return;
	}
	j->begin = false;
	if (out.changed) {
		store(j, &out);
	} else {
		tell_want(j, out.told);
		handing_go(j);
	}
}

/* The configuration has no such server any more: the row stays, and says so. */
static void
no_server(struct handing *j)
{
	char text[160];

	(void)snprintf(text, sizeof text, "no LwM2M Server of the configuration is called %s", j->row.target);
	step(j, HANDOFF_EV_NOBODY, text);
}

/* Whether the server is asked for something now. */
static bool
call_is_due(const struct handing *j)
{
	enum handoff_call c = handoff_wants(&j->row, rules(j));

	if (c == HANDOFF_CALL_NONE || (j->row.state == STORE_HANDOFF_INTENT && !j->telling))
		return false;
	bool first = j->row.state == STORE_HANDOFF_INTENT && j->row.attempts == 0;
	return first || j->row.due_ms <= clock_wall_ms();
}

static bool
has_event(struct handing *j)
{
	if (j->ends) {
		j->ends = false;
		step(j, j->how, NULL);
	} else if (j->finish) {
		j->finish = false;
		step(j, HANDOFF_EV_FINISH, NULL);
	} else if (j->seen && j->want == NULL) {
		j->seen = false;
		step(j, HANDOFF_EV_SEEN, NULL);
	} else if (j->due) {
		j->due = false;
		step(j, HANDOFF_EV_DUE, NULL);
	} else
		return false;
	return true;
}

void
handing_go(struct handing *j)
{
	if (j->h->stopped || j->busy != JOB_IDLE || has_event(j))
		return;
	if (j->begin && !j->clearing) {
		begin(j);
		return;
	}
	if (call_is_due(j)) {
		if (!has_server(j)) {
			no_server(j);
			return;
		}
		j->calling = handoff_wants(&j->row, rules(j));
		call(j);
		return;
	}
	if (j->want == NULL)
		let_go(j);
	else if (j->telling && j->row.state == STORE_HANDOFF_INTENT && j->row.attempts > 0)
		wait_until(j, j->row.due_ms);
}
