/* Jobs that run, against a store and devices that do as they are told here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/registry/trigger.h"
#include "lib/base/clock.h"
#include "tests/unit/unit.h"

#define JOBS 63 /* as many as there may be */
#define KEPT_MAX 512

struct kept {
	char name[24];
	int64_t number;
	char *text;
};

struct answer {
	store_done_fn *fn;
	void *arg;
	enum err_code rc;
};

struct world {
	struct loop *loop;
	struct trigger *t;
	struct kept kept[KEPT_MAX]; /* in the order of the store: it is written so here */
	size_t n_kept, n_puts;
	struct answer answers[KEPT_MAX];
	size_t n_answers;
	enum err_code disk; /* what the disk says */
	int64_t registered_ms;
	struct bs_record record; /* of the newest session; endpoint NULL: none */
	enum trigger_reach reach;
	unsigned asked;
	trigger_answer_fn *fn;
	void *fn_arg;
	uint64_t tag;
	unsigned done[ERR__COUNT];
};

/* ---- the store ---- */

static void
put_one(struct world *w, const struct store_note *n)
{
	size_t i = 0;

	while (i < w->n_kept && (strcmp(w->kept[i].name, n->name) != 0 || w->kept[i].number != n->number))
		i++;
	ck_assert_uint_lt(i, KEPT_MAX);
	ck_assert_ptr_nonnull(n->text);
	if (i == w->n_kept)
		w->n_kept++;
	free(w->kept[i].text);
	w->kept[i].number = n->number;
	w->kept[i].text = strdup(n->text);
	(void)snprintf(w->kept[i].name, sizeof w->kept[i].name, "%s", n->name);
}

static void
note_put(struct store *s, const struct store_note *v, size_t n, store_done_fn *done, void *arg)
{
	struct world *w = (struct world *)s;

	w->n_puts++;
	for (size_t i = 0; i < n && w->disk == ERR_OK; i++)
		put_one(w, &v[i]);
	ck_assert_uint_lt(w->n_answers, KEPT_MAX);
	w->answers[w->n_answers++] = (struct answer){ done, arg, w->disk };
}

/* The store answers for what was put. */
static void
settle(struct world *w)
{
	for (size_t i = 0; i < w->n_answers; i++) {
		struct err e = { 0 };

		if (w->answers[i].rc != ERR_OK)
			(void)err_set(&e, w->answers[i].rc, "the disk is full");
		w->answers[i].fn(w->answers[i].arg, w->answers[i].rc, &e);
	}
	w->n_answers = 0;
}

static void
note_list(struct store *s, enum store_note_kind kind, store_notes_fn *done, void *arg)
{
	const struct world *w = (const struct world *)s;
	struct store_note v[KEPT_MAX];

	for (size_t i = 0; i < w->n_kept; i++)
		v[i] = (struct store_note){ kind, w->kept[i].name, w->kept[i].number, w->kept[i].text };
	done(arg, ERR_OK, NULL, v, w->n_kept);
}

static void
session_get(struct store *s, uint64_t id, const char *endpoint, store_sessions_fn *done, void *arg)
{
	struct world *w = (struct world *)s;
	struct store_session_row row = { .rec = w->record };
	bool found = w->record.endpoint != NULL && strcmp(w->record.endpoint, endpoint) == 0;

	ck_assert_uint_eq(id, 0);
	done(arg, found ? ERR_OK : ERR_NOT_FOUND, NULL, &row, found, false);
}

static const struct store_ops ops = { .note_put = note_put, .note_list = note_list, .session_get = session_get };

/* ---- devices ---- */

static enum trigger_reach
reach(void *arg, const char *endpoint)
{
	(void)endpoint;
	return ((const struct world *)arg)->reach;
}

static int64_t
registered_ms(void *arg, const char *endpoint)
{
	return strcmp(endpoint, "a") == 0 ? ((const struct world *)arg)->registered_ms : 0;
}

static void
execute(void *arg, const char *endpoint, uint64_t tag, trigger_answer_fn *fn, void *fn_arg)
{
	struct world *w = arg;

	(void)endpoint;
	w->asked++;
	w->fn = fn;
	w->fn_arg = fn_arg;
	w->tag = tag;
}

/* ---- the frame ---- */

static void
world_start(struct world *w)
{
	const struct trigger_conf c = { .loop = w->loop, .ops = &ops, .store = (struct store *)w,
		.way = { w, reach, registered_ms, execute, NULL } };
	struct err e = { 0 };

	ck_assert_msg(trigger_open(&c, &w->t, &e) == ERR_OK, "%s", e.msg);
}

static void
world_stop(struct world *w)
{
	trigger_close(w->t);
	settle(w);
	trigger_free(w->t);
	w->t = NULL;
}

static struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof *w);

	ck_assert_ptr_nonnull(w);
	ck_assert_int_eq(loop_new(&w->loop, NULL), ERR_OK);
	w->reach = TRIGGER_AWAKE;
	world_start(w);
	return w;
}

static void
world_free(struct world *w)
{
	world_stop(w);
	loop_free(w->loop);
	for (size_t i = 0; i < w->n_kept; i++)
		free(w->kept[i].text);
	free(w);
}

/* Turns of the loop until *n has come to at_least; false: it did not for as long as patience lasts. */
static bool
turn_until(struct world *w, const unsigned *n, unsigned at_least, uint64_t patience_ms)
{
	uint64_t end = clock_mono_ms() + patience_ms;

	while (*n < at_least && clock_mono_ms() < end) {
		loop_turn(w->loop, 10);
		settle(w);
	}
	return *n >= at_least;
}

static void
on_done(void *arg, uint64_t id, enum err_code rc, const struct err *e)
{
	struct world *w = arg;

	ck_assert_int_eq(id == 0, rc != ERR_OK);
	ck_assert(rc == ERR_OK || e->code == rc);
	w->done[rc]++;
}

static void
create(struct world *w, uint32_t canary)
{
	static const char *const endpoints[] = { "a", "b" };
	struct job_spec s = { .rate = JOB_RATE_MAX, .from_minute = -1, .to_minute = -1, .canary = canary };

	trigger_create(w->t, endpoints, N_ELEMS(endpoints), &s, on_done, w);
}

/* Of two devices the first one was asked and said yes; the other waits for what comes of that. */
static struct world *
world_of_first(void)
{
	struct world *w = world_new();

	create(w, 1);
	settle(w);
	ck_assert(turn_until(w, &w->asked, 1, 10000));
	w->fn(w->fn_arg, w->tag, &(struct trigger_answer){ .result = TRIGGER_ANSWERED, .code = 0x44 });
	return w;
}

/* ---- tests ---- */

START_TEST(jobs_that_are_being_kept_count_too)
{
	struct world *w = world_new();

	w->reach = TRIGGER_ASLEEP;
	for (int i = 0; i < JOBS + 7; i++)
		create(w, 0);
	ck_assert_uint_eq(w->done[ERR_BUSY], 7);
	settle(w);
	ck_assert_uint_eq(w->done[ERR_OK], JOBS);
	ck_assert_ptr_nonnull(trigger_job_at(w->t, JOBS - 1));
	ck_assert_ptr_null(trigger_job_at(w->t, JOBS));
	create(w, 0);
	ck_assert_uint_eq(w->done[ERR_BUSY], 8);
	world_free(w);
}
END_TEST

START_TEST(what_did_not_get_to_the_disk_is_no_job)
{
	struct world *w = world_new();

	w->disk = ERR_IO;
	create(w, 0);
	settle(w);
	ck_assert_uint_eq(w->done[ERR_IO], 1);
	ck_assert_ptr_null(trigger_job_at(w->t, 0));
	w->disk = ERR_OK;
	create(w, 0);
	settle(w);
	ck_assert_uint_eq(w->done[ERR_OK], 1);
	world_free(w);
}
END_TEST

START_TEST(a_state_that_did_not_get_to_the_disk_is_written_again)
{
	struct world *w = world_new();
	unsigned puts = 0;

	w->reach = TRIGGER_ASLEEP;
	create(w, 0);
	settle(w);
	uint64_t id = trigger_job_at(w->t, 0)->id;
	w->disk = ERR_IO;
	trigger_set_state(w->t, id, JOB_PAUSED, on_done, w);
	settle(w);
	ck_assert_uint_eq(w->done[ERR_IO], 1);
	w->disk = ERR_OK;
	size_t before = w->n_puts;
	for (unsigned i = 0; i < 1000 && puts == 0; i++) {
		(void)turn_until(w, &puts, 1, 10);
		puts = (unsigned)(w->n_puts - before);
	}
	ck_assert_uint_ge(puts, 1);
	/* killed: what is written on the way out does not count */
	w->disk = ERR_IO;
	world_stop(w);
	w->disk = ERR_OK;
	world_start(w);
	ck_assert_int_eq(trigger_job(w->t, id)->state, JOB_PAUSED);
	world_free(w);
}
END_TEST

/* When the device registered, after the beginning of its session; and whether that counts. */
static const struct {
	int64_t after_ms;
	bool registered;
} times[] = { { -1, false }, { 0, true }, { 5, true } };

START_TEST(a_device_that_registers_before_its_session_is_recorded_has_registered)
{
	struct world *w = world_of_first();
	int64_t started_ms = clock_wall_ms();

	w->registered_ms = started_ms + times[_i].after_ms;
	trigger_spoke(w->t, "a", true);
	ck_assert(trigger_session(w->t, "a", 9, started_ms, true));
	ck_assert_int_eq(trigger_job_at(w->t, 0)->rows[0].registered, times[_i].registered);
	ck_assert_int_eq(turn_until(w, &w->asked, 2, times[_i].registered ? 10000 : 100), times[_i].registered);
	if (!times[_i].registered) {
		trigger_spoke(w->t, "a", true);
		ck_assert(turn_until(w, &w->asked, 2, 10000));
	}
	world_free(w);
}
END_TEST

/* When the daemon is restarted, and what the registry knows by then. */
static const struct {
	bool heard_of_session, registered;
} restarts[] = { { false, false }, { false, true }, { true, false }, { true, true } };

START_TEST(the_first_few_that_registered_while_the_daemon_was_away_let_the_others_on)
{
	struct world *w = world_of_first();
	int64_t started_ms = clock_wall_ms();

	if (restarts[_i].heard_of_session)
		ck_assert(trigger_session(w->t, "a", 9, started_ms, true));
	world_stop(w);
	w->registered_ms = restarts[_i].registered ? clock_wall_ms() : 0;
	w->record = (struct bs_record){ .id = 9, .endpoint = (char[]){ "a" }, .started_ms = started_ms,
		.verdict = BS_VERDICT_PROVISIONED };
	world_start(w);
	const struct job_row *a = &trigger_job_at(w->t, 0)->rows[0];
	ck_assert_int_eq(a->outcome, JOB_BOOTSTRAPPED);
	ck_assert_uint_eq(a->session, 9);
	ck_assert_int_eq(a->registered, restarts[_i].registered);
	ck_assert_int_eq(turn_until(w, &w->asked, 2, restarts[_i].registered ? 10000 : 100), restarts[_i].registered);
	world_free(w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(jobs_that_are_being_kept_count_too, 0),
	UNIT_CASE(what_did_not_get_to_the_disk_is_no_job, 0),
	UNIT_CASE(a_state_that_did_not_get_to_the_disk_is_written_again, 0),
	UNIT_CASE(a_device_that_registers_before_its_session_is_recorded_has_registered, N_ELEMS(times)),
	UNIT_CASE(the_first_few_that_registered_while_the_daemon_was_away_let_the_others_on, N_ELEMS(restarts)),
};

UNIT_SUITE_MAIN("trigger", cases)
