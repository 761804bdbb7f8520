#include "bsserver/registry/trigger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define JOBS_MAX 63	    /* older ones that are over are forgotten */
#define IN_FLIGHT_MAX 2048  /* devices asked at once */
#define PER_PASS 128	    /* asked before the loop does something else */
#define BUSY_MS 5
#define IDLE_MS 1000
#define KEEP_MS 300	    /* changes are gathered for so long */
#define ROW_BITS 18	    /* of a tag: JOB_ROWS_MAX fits */
#define CODE_CHANGED 0x44
_Static_assert(JOB_ROWS_MAX < 1 << ROW_BITS, "a row fits");

struct trigger {
	struct trigger_conf c;
	struct loop_timer *timer;
	struct job *jobs[JOBS_MAX]; /* the newest first */
	size_t n_jobs;
	size_t n_creating; /* not in the list before they are kept */
	uint64_t last_id, seed, kept_ms, looked_ms;
	struct trigger_stats stats;
	bool loaded, closed;
};

static int
minute_of_day(int64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm = { 0 };

	(void)localtime_r(&s, &tm);
	return tm.tm_hour * 60 + tm.tm_min;
}

static struct job *
find(const struct trigger *t, uint64_t id)
{
	for (size_t i = 0; i < t->n_jobs; i++)
		if (t->jobs[i]->id == id)
			return t->jobs[i];
	return NULL;
}

const struct job *
trigger_job(const struct trigger *t, uint64_t id)
{
	return find(t, id);
}

const struct job *
trigger_job_at(const struct trigger *t, size_t i)
{
	return i < t->n_jobs ? t->jobs[i] : NULL;
}

void
trigger_find(const struct trigger *t, const char *endpoint, trigger_found_fn *fn, void *arg)
{
	t->c.way.find(t->c.way.arg, endpoint, fn, arg);
}

static bool
full(const struct trigger *t)
{
	return t->n_jobs + t->n_creating >= JOBS_MAX;
}

static int64_t
registered_ms(const struct trigger *t, const char *endpoint)
{
	return t->c.way.registered_ms(t->c.way.arg, endpoint);
}

static void
soon(struct trigger *t, uint64_t ms)
{
	if (t->timer != NULL)
		loop_timer_start(t->timer, ms, 0);
}

/* ---- keeping ---- */

struct notes {
	struct store_note *v;
	size_t n, cap;
	char name[24];
	bool failed;
};

static void
job_name(uint64_t id, char out[24])
{
	(void)snprintf(out, 24, "%020" PRIu64, id);
}

static void
add_note(struct notes *n, int64_t number, struct gbuf *text)
{
	struct store_note *v = grow(n->v, n->n, &n->cap, sizeof *v);
	char *copy = text->failed ? NULL : str_dup_n(gbuf_cstr(text), text->len);

	gbuf_reset(text);
	if (v != NULL)
		n->v = v;
	if (v == NULL || copy == NULL) {
		free(copy);
		n->failed = true;
		return;
	}
	v[n->n++] = (struct store_note){ STORE_NOTE_JOB, n->name, number, copy };
}

static void
clear_notes(struct notes *n)
{
	for (size_t i = 0; i < n->n; i++)
		free((void *)(uintptr_t)n->v[i].text);
	free(n->v);
}

/* What changed of it, in one piece. Short of memory nothing is put, and done is told at once. */
static void
keep(struct trigger *t, struct job *j, store_done_fn *done, void *arg)
{
	struct gbuf text = { .max = 4096 };
	struct notes n = { .failed = false };
	struct err e;

	job_name(j->id, n.name);
	job_write_head(j, &text);
	add_note(&n, 0, &text);
	for (uint32_t i = 0; i < j->n_rows && !n.failed; i++) {
		if (!j->rows[i].dirty)
			continue;
		job_write_row(&j->rows[i], &text);
		add_note(&n, (int64_t)i + 1, &text);
	}
	for (uint32_t i = 0; i < j->n_rows && !n.failed; i++)
		j->rows[i].dirty = false;
	j->dirty = n.failed;
	if (!n.failed)
		t->c.ops->note_put(t->c.store, n.v, n.n, done, arg);
	clear_notes(&n);
	gbuf_clear(&text);
	if (n.failed)
		done(arg, err_no_memory(&e), &e);
}

/* What did not get to the disk is tried again, all of it. */
static void
on_kept(void *arg, enum err_code rc, const struct err *e)
{
	struct trigger *t = arg;

	if (rc == ERR_OK)
		return;
	log_msg(LVL_ERROR, LOG_REGISTRY, NULL, "what came of a job is not kept (%s)", e->msg);
	for (size_t i = 0; i < t->n_jobs; i++) {
		t->jobs[i]->dirty = true;
		for (uint32_t k = 0; k < t->jobs[i]->n_rows; k++)
			t->jobs[i]->rows[k].dirty = true;
	}
}

static void
keep_all(struct trigger *t)
{
	t->kept_ms = loop_now_ms(t->c.loop);
	for (size_t i = 0; i < t->n_jobs; i++)
		if (t->jobs[i]->dirty)
			keep(t, t->jobs[i], on_kept, t);
}

static void
forget_oldest(struct trigger *t)
{
	for (size_t i = t->n_jobs; i > 0; i--) {
		struct job *j = t->jobs[i - 1];
		struct store_note gone = { STORE_NOTE_JOB, NULL, STORE_NOTE_ALL, NULL };
		char name[24];

		if (!job_over(j))
			continue;
		job_name(j->id, name);
		gone.name = name;
		t->c.ops->note_put(t->c.store, &gone, 1, NULL, NULL);
		job_free(j);
		memmove(&t->jobs[i - 1], &t->jobs[i], (t->n_jobs - i) * sizeof *t->jobs);
		t->n_jobs--;
		return;
	}
}

static void
insert(struct trigger *t, struct job *j)
{
	size_t at = 0;

	while (at < t->n_jobs && t->jobs[at]->id > j->id)
		at++;
	memmove(&t->jobs[at + 1], &t->jobs[at], (t->n_jobs - at) * sizeof *t->jobs);
	t->jobs[at] = j;
	t->n_jobs++;
}

/* ---- running ---- */

static const struct {
	enum job_outcome outcome;
	bool again;
} results[TRIGGER__RESULTS] = {
	[TRIGGER_ANSWERED] = { JOB_TRIGGERED, false },
	[TRIGGER_NO_ANSWER] = { JOB_TIMED_OUT, false },
	[TRIGGER_GONE] = { JOB_ASLEEP, false },
	[TRIGGER_ACCEPTED] = { JOB_TRIGGERED, false },
	[TRIGGER_IN_LINE] = { JOB_ASLEEP, true },
	[TRIGGER_AGAIN] = { JOB_ASLEEP, true },
	[TRIGGER_FORBIDDEN] = { JOB_REFUSED, false },
	[TRIGGER_NOBODY] = { JOB_PENDING, true },
	[TRIGGER_UNKNOWN] = { JOB_UNKNOWN, false },
};

static void
on_answer(void *arg, uint64_t tag, const struct trigger_answer *a)
{
	struct trigger *t = arg;
	struct job *j = find(t, tag >> ROW_BITS);
	uint32_t row = (uint32_t)(tag & ((1U << ROW_BITS) - 1));
	int64_t now = clock_wall_ms();

	t->stats.in_flight--;
	if (j == NULL)
		return;
	if (a->result == TRIGGER_NO_ANSWER && a->via == NULL) {
		job_no_answer(j, row, a->sleeps, now);
	} else {
		struct job_news news = { results[a->result].outcome, a->code, results[a->result].again,
			a->result == TRIGGER_IN_LINE, a->via, a->said };

		if (a->result == TRIGGER_ANSWERED && a->code != CODE_CHANGED)
			news.outcome = JOB_REFUSED;
		job_tell(j, row, &news, now);
	}
	soon(t, BUSY_MS);
}

static void
ask(struct trigger *t, struct job *j, uint32_t row, int64_t wall_ms)
{
	const char *endpoint = j->rows[row].endpoint;

	switch (t->c.way.reach(t->c.way.arg, endpoint)) {
	case TRIGGER_STRANGER:
		job_set(j, row, JOB_UNKNOWN, 0, wall_ms);
		return;
	case TRIGGER_AWAY:
	case TRIGGER_ASLEEP:
		job_set(j, row, JOB_ASLEEP, 0, wall_ms);
		return;
	case TRIGGER_AWAKE:
	case TRIGGER_PERHAPS:
	case TRIGGER__REACHES:
		break;
	}
	job_set(j, row, JOB_ASKED, 0, wall_ms);
	t->stats.asked++;
	t->stats.in_flight++;
	t->c.way.execute(t->c.way.arg, endpoint, j->id << ROW_BITS | row, on_answer, t);
}

/* true: there may be more to do at once. */
static bool
run_job(struct trigger *t, struct job *j)
{
	struct job_time now = { .mono_us = clock_mono_us(), .wall_ms = clock_wall_ms() };

	now.minute = minute_of_day(now.wall_ms);
	for (unsigned n = 0; n < PER_PASS && t->stats.in_flight < IN_FLIGHT_MAX; n++) {
		uint32_t row = job_next(j, &now);

		if (row == JOB_NONE)
			break;
		ask(t, j, row, now.wall_ms);
	}
	return j->state == JOB_RUNNING && (j->ready_head != 0 || j->counts[JOB_PENDING] > j->n_later) && j->why[0] == 0;
}

static void
run(void *arg)
{
	struct trigger *t = arg;
	uint64_t now = loop_now_ms(t->c.loop);
	bool busy = false, unkept = false;

	for (size_t i = 0; i < t->n_jobs; i++)
		busy |= run_job(t, t->jobs[i]);
	if (now - t->looked_ms >= IDLE_MS) {
		t->looked_ms = now;
		for (size_t i = 0; i < t->n_jobs; i++)
			job_look(t->jobs[i], clock_wall_ms());
	}
	for (size_t i = 0; i < t->n_jobs; i++)
		unkept |= t->jobs[i]->dirty;
	if (unkept && now - t->kept_ms >= KEEP_MS)
		keep_all(t);
	soon(t, busy ? BUSY_MS : unkept ? KEEP_MS : IDLE_MS);
}

/* ---- what is told ---- */

void
trigger_spoke(struct trigger *t, const char *endpoint, bool registered)
{
	bool wanted = false;

	for (size_t i = 0; i < t->n_jobs; i++) {
		if (registered)
			job_registered(t->jobs[i], endpoint, clock_wall_ms());
		wanted |= job_awake(t->jobs[i], endpoint);
	}
	if (wanted)
		soon(t, 0);
}

bool
trigger_session(struct trigger *t, const char *endpoint, uint64_t session, int64_t started_ms, bool good)
{
	bool called = false;

	/* a device may be faster at the registry than its session's record is here */
	bool registered = good && registered_ms(t, endpoint) >= started_ms;

	for (size_t i = 0; i < t->n_jobs; i++) {
		called |= job_session(t->jobs[i], endpoint, session, started_ms, good, clock_wall_ms());
		if (registered)
			job_registered(t->jobs[i], endpoint, clock_wall_ms());
	}
	return called;
}

bool
trigger_called(const struct trigger *t, const char *endpoint, uint64_t session)
{
	for (size_t i = 0; i < t->n_jobs; i++) {
		uint32_t row = job_find(t->jobs[i], endpoint);

		if (row != JOB_NONE && t->jobs[i]->rows[row].session == session)
			return true;
	}
	return false;
}

/* ---- by operators ---- */

struct request {
	struct trigger *t;
	struct job *j; /* CREATE: not in the list yet */
	uint64_t id;
	trigger_done_fn *done;
	void *arg;
};

static void
on_created(void *arg, enum err_code rc, const struct err *e)
{
	struct request *r = arg;

	r->t->n_creating--;
	if (rc == ERR_OK) {
		log_msg(LVL_NOTICE, LOG_REGISTRY, NULL, "job %" PRIu64 ": %" PRIu32 " devices are to be called back", r->j->id,
		    r->j->n_rows);
		insert(r->t, r->j);
		soon(r->t, 0);
	} else {
		job_free(r->j);
	}
	r->done(r->arg, rc == ERR_OK ? r->id : 0, rc, e);
	free(r);
}

static void
refuse(trigger_done_fn *done, void *arg, const struct err *e)
{
	done(arg, 0, e->code, e);
}

void
trigger_create(struct trigger *t, const char *const *endpoints, size_t n, struct job_spec *spec,
    trigger_done_fn *done, void *arg)
{
	struct request *r = calloc(1, sizeof *r);
	struct err e = { 0 };
	struct job *j = NULL;
	enum err_code rc = r == NULL ? err_no_memory(&e) : ERR_OK;

	if (rc == ERR_OK && (!t->loaded || t->closed))
		rc = err_set(&e, ERR_BUSY, "the jobs that are kept are not loaded yet");
	if (rc == ERR_OK && full(t))
		forget_oldest(t);
	if (rc == ERR_OK && full(t))
		rc = err_set(&e, ERR_BUSY, "%d jobs are running: wait for one, or cancel it", JOBS_MAX);
	if (rc == ERR_OK)
		rc = job_new(t->last_id + 1, endpoints, n, spec, clock_wall_ms(), t->seed, &j, &e);
	if (rc != ERR_OK) {
		free(r);
		refuse(done, arg, &e);
		return;
	}
	t->last_id++;
	t->n_creating++;
	*r = (struct request){ .t = t, .j = j, .id = j->id, .done = done, .arg = arg };
	keep(t, j, on_created, r);
}

static void
on_state_kept(void *arg, enum err_code rc, const struct err *e)
{
	struct request *r = arg;

	on_kept(r->t, rc, e);
	r->done(r->arg, rc == ERR_OK ? r->id : 0, rc, e);
	free(r);
}

void
trigger_set_state(struct trigger *t, uint64_t id, enum job_state s, trigger_done_fn *done, void *arg)
{
	struct request *r = calloc(1, sizeof *r);
	struct job *j = find(t, id);
	struct err e = { 0 };
	enum err_code rc = r == NULL ? err_no_memory(&e) : ERR_OK;

	if (rc == ERR_OK && j == NULL)
		rc = err_set(&e, ERR_NOT_FOUND, "no job %" PRIu64, id);
	if (rc == ERR_OK)
		rc = job_set_state(j, s, clock_wall_ms(), &e);
	if (rc != ERR_OK) {
		free(r);
		refuse(done, arg, &e);
		return;
	}
	*r = (struct request){ .t = t, .id = id, .done = done, .arg = arg };
	keep(t, j, on_state_kept, r);
	soon(t, 0);
}

void
trigger_stats(const struct trigger *t, struct trigger_stats *out)
{
	*out = t->stats;
	for (size_t i = 0; i < t->n_jobs; i++)
		out->jobs_running += t->jobs[i]->state == JOB_RUNNING;
}

/* ---- open and close ---- */

/* What the record of its newest session says. */
static void
on_newest(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n, bool more)
{
	struct trigger *t = arg;

	(void)e;
	(void)more;
	if (rc != ERR_OK || n == 0 || v[0].rec.endpoint == NULL)
		return;
	const struct bs_record *rec = &v[0].rec;
	if (rec->verdict == BS_VERDICT_PROVISIONED || rec->verdict == BS_VERDICT_WRITTEN)
		(void)trigger_session(t, rec->endpoint, rec->id, rec->started_ms, true);
}

/* What happened that the job did not hear of before the restart. */
static void
catch_up(struct trigger *t, struct job *j)
{
	for (uint32_t i = 0; i < j->n_rows && !job_over(j); i++) {
		const struct job_row *r = &j->rows[i];

		if (job_unsure(j, i))
			t->c.ops->session_get(t->c.store, 0, r->endpoint, on_newest, t);
		else if (r->outcome == JOB_BOOTSTRAPPED && registered_ms(t, r->endpoint) >= r->at_ms)
			job_registered(j, r->endpoint, clock_wall_ms());
	}
}

static void
finish_loading(struct trigger *t, struct job *j)
{
	struct err e = { 0 };

	if (j == NULL)
		return;
	enum err_code rc = job_restored(j, &e);
	if (rc == ERR_OK && full(t))
		rc = err_set(&e, ERR_LIMIT, "%d others are", JOBS_MAX);
	if (rc == ERR_OK) {
		insert(t, j);
		catch_up(t, j);
		return;
	}
	log_msg(LVL_ERROR, LOG_REGISTRY, NULL, "job %" PRIu64 " is not taken up again (%s)", j->id, e.msg);
	job_free(j);
}

static void
on_loaded(void *arg, enum err_code rc, const struct err *e, const struct store_note *v, size_t n)
{
	struct trigger *t = arg;
	struct job *j = NULL;
	struct err why = { 0 };
	uint64_t id = 0;

	if (rc != ERR_OK) {
		log_msg(LVL_ERROR, LOG_REGISTRY, NULL, "jobs cannot be loaded (%s)", e->msg);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i].number == 0) {
			finish_loading(t, j);
			j = NULL;
			rc = str_to_u64(v[i].name, strlen(v[i].name), 1, UINT64_MAX >> ROW_BITS, &id) ?
			    job_read_head(id, v[i].text, t->seed, &j, &why) :
			    err_set(&why, ERR_PARSE, "a job of no number");
			t->last_id = MAX(t->last_id, id);
		} else if (j != NULL && v[i].number <= JOB_ROWS_MAX) {
			rc = job_read_row(j, (uint32_t)(v[i].number - 1), v[i].text, &why);
		}
		if (rc != ERR_OK)
			log_msg(LVL_ERROR, LOG_REGISTRY, NULL, "%s", why.msg);
		rc = ERR_OK;
	}
	finish_loading(t, j);
	t->loaded = true;
	soon(t, 0);
}

enum err_code
trigger_open(const struct trigger_conf *c, struct trigger **out, struct err *e)
{
	struct trigger *t = calloc(1, sizeof *t);
	enum err_code rc;

	if (t == NULL)
		return err_no_memory(e);
	t->c = *c;
	rc = crypt_random(&t->seed, sizeof t->seed, e);
	if (rc == ERR_OK)
		rc = loop_timer_new(c->loop, run, t, &t->timer, e);
	if (rc != ERR_OK) {
		trigger_free(t);
		return rc;
	}
	c->ops->note_list(c->store, STORE_NOTE_JOB, on_loaded, t);
	*out = t;
	return ERR_OK;
}

void
trigger_close(struct trigger *t)
{
	if (t == NULL || t->closed)
		return;
	t->closed = true;
	loop_timer_free(t->timer);
	t->timer = NULL;
	keep_all(t);
}

void
trigger_free(struct trigger *t)
{
	if (t == NULL)
		return;
	loop_timer_free(t->timer);
	for (size_t i = 0; i < t->n_jobs; i++)
		job_free(t->jobs[i]);
	free(t);
}
