/* Jobs by a clock of our own: whose turn it is, what came of it, when it stops by itself. */
#include <stdio.h>
#include <string.h>

#include "bsserver/registry/job.h"
#include "tests/unit/unit.h"

#define START_MS 1000000
#define NAMES 200

static char names[NAMES][8];
static struct job_time now;

static struct job *
make(size_t n, struct job_spec spec)
{
	const char *v[NAMES];
	struct job *j = NULL;
	struct err e = { 0 };

	if (spec.rate <= 0)
		spec.rate = JOB_RATE_MAX;
	now = (struct job_time){ .mono_us = 5000000, .wall_ms = START_MS, .minute = 600 };
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(names[i], sizeof names[i], "d%zu", i);
		v[i] = names[i];
	}
	ck_assert_msg(job_new(7, v, n, &spec, START_MS, unit_seed(), &j, &e) == ERR_OK, "%s", e.msg);
	return j;
}

static struct job_spec
anytime(void)
{
	return (struct job_spec){ .from_minute = -1, .to_minute = -1 };
}

/* The next one is asked, and says this. */
static uint32_t
ask(struct job *j, enum job_outcome o, uint8_t code)
{
	uint32_t i = job_next(j, &now);

	ck_assert_uint_ne(i, JOB_NONE);
	job_set(j, i, JOB_ASKED, 0, now.wall_ms);
	if (o != JOB_ASKED)
		job_set(j, i, o, code, now.wall_ms);
	return i;
}

static uint32_t
counted(const struct job *j)
{
	uint32_t n = 0;

	for (int o = 0; o < JOB__OUTCOMES; o++)
		n += j->counts[o];
	return n;
}

START_TEST(devices_come_in_order_each_once_and_the_job_ends)
{
	const char *twice[] = { "a", "b", "a" };
	struct job_spec s = anytime();
	struct job *j = NULL;
	struct err e;

	s.rate = 1000;
	ck_assert_int_eq(job_new(1, twice, 3, &s, START_MS, 1, &j, &e), ERR_OK);
	ck_assert_uint_eq(j->n_rows, 2);
	now = (struct job_time){ .mono_us = 1000000, .wall_ms = START_MS };
	ck_assert_uint_eq(ask(j, JOB_TRIGGERED, 0x44), 0);
	now.mono_us += 1000;
	ck_assert_uint_eq(ask(j, JOB_TRIGGERED, 0x44), 1);
	ck_assert_uint_eq(job_next(j, &now), JOB_NONE);
	ck_assert_int_eq(j->state, JOB_RUNNING);
	job_session(j, "b", 12, START_MS + 1, true, START_MS + 5);
	ck_assert_int_eq(j->state, JOB_RUNNING);
	job_session(j, "a", 11, START_MS + 1, true, START_MS + 5);
	ck_assert_int_eq(j->state, JOB_DONE);
	ck_assert_uint_eq(j->counts[JOB_BOOTSTRAPPED], 2);
	ck_assert_uint_eq(j->rows[0].session, 11);
	ck_assert_uint_eq(counted(j), 2);
	job_free(j);
	job_free(NULL);
	ck_assert_int_eq(job_new(1, twice, 0, &s, START_MS, 1, &j, &e), ERR_USAGE);
	ck_assert_int_eq(job_new(1, twice, JOB_ROWS_MAX + 1, &s, START_MS, 1, &j, &e), ERR_LIMIT);
}
END_TEST

START_TEST(no_more_than_the_rate_and_a_late_timer_makes_up_for_little)
{
	struct job_spec s = anytime();
	uint32_t n = 0;

	s.rate = 100;
	struct job *j = make(200, s);
	for (int ms = 0; ms < 1000; ms += 5, now.mono_us += 5000)
		while (job_next(j, &now) != JOB_NONE) {
			job_set(j, j->cursor, JOB_UNKNOWN, 0, now.wall_ms);
			n++;
		}
	ck_assert_uint_ge(n, 99);
	ck_assert_uint_le(n, 111); /* a tenth of a second is made up for at the start */
	now.mono_us += 60000000;
	for (n = 0; job_next(j, &now) != JOB_NONE; n++)
		job_set(j, j->cursor, JOB_UNKNOWN, 0, now.wall_ms);
	ck_assert_uint_le(n, 11);
	job_free(j);
}
END_TEST

static const struct {
	int from, to, minute;
	bool open;
} windows[] = {
	{ -1, -1, 0, true }, { 120, 240, 119, false }, { 120, 240, 120, true }, { 120, 240, 239, true },
	{ 120, 240, 240, false }, { 1380, 60, 1379, false }, { 1380, 60, 1380, true }, { 1380, 60, 0, true },
	{ 1380, 60, 59, true }, { 1380, 60, 60, false }, { 0, 1440, 1439, true },
};

START_TEST(outside_its_window_nobody_is_asked)
{
	struct job *j = make(2, (struct job_spec){ .from_minute = windows[_i].from, .to_minute = windows[_i].to });

	now.minute = windows[_i].minute;
	ck_assert_int_eq(job_next(j, &now) != JOB_NONE, windows[_i].open);
	ck_assert_int_eq(j->why[0] == 0, windows[_i].open);
	job_free(j);
}
END_TEST

START_TEST(who_sleeps_is_asked_when_it_speaks_and_before_the_others)
{
	struct job *j = make(10, anytime());

	for (int i = 0; i < 4; i++) {
		uint32_t row = job_next(j, &now);

		job_set(j, row, JOB_ASLEEP, 0, now.wall_ms);
	}
	ck_assert_uint_eq(j->counts[JOB_ASLEEP], 4);
	ck_assert(!job_awake(j, "nobody") && !job_awake(j, "d7"));
	ck_assert(job_awake(j, "d2") && job_awake(j, "d0"));
	ck_assert(!job_awake(j, "d2"));
	ck_assert_uint_eq(ask(j, JOB_TRIGGERED, 0x44), 2);
	ck_assert_uint_eq(ask(j, JOB_TRIGGERED, 0x44), 0);
	ck_assert_uint_eq(ask(j, JOB_TRIGGERED, 0x44), 4);
	/* asleep again in the meantime, awake again */
	ck_assert(job_awake(j, "d1"));
	job_set(j, job_next(j, &now), JOB_ASLEEP, 0, now.wall_ms);
	ck_assert_uint_eq(ask(j, JOB_TRIGGERED, 0x44), 5);
	ck_assert(job_awake(j, "d1"));
	ck_assert_uint_eq(ask(j, JOB_TRIGGERED, 0x44), 1);
	ck_assert_uint_eq(counted(j), 10);
	job_free(j);
}
END_TEST

START_TEST(a_device_that_sleeps_and_does_not_answer_has_three_tries)
{
	struct job *j = make(100, anytime());
	uint32_t row = ask(j, JOB_ASKED, 0);

	for (int i = 1; i < JOB_TRIES; i++) {
		job_no_answer(j, row, true, now.wall_ms);
		ck_assert_int_eq(j->rows[row].outcome, JOB_ASLEEP);
		ck_assert(job_awake(j, "d0"));
		ck_assert_uint_eq(ask(j, JOB_ASKED, 0), row);
	}
	job_no_answer(j, row, true, now.wall_ms);
	ck_assert_int_eq(j->rows[row].outcome, JOB_TIMED_OUT);
	row = ask(j, JOB_ASKED, 0);
	job_no_answer(j, row, false, now.wall_ms);
	ck_assert_int_eq(j->rows[row].outcome, JOB_TIMED_OUT);
	job_free(j);
}
END_TEST

/* Two in a hundred, whatever way it is to fail; and on from there when an operator says so. */
static const enum job_outcome ways[] = { JOB_REFUSED, JOB_TIMED_OUT, JOB_TRIGGERED };

START_TEST(it_pauses_itself_at_two_percent_failures)
{
	struct job *j = make(100, anytime());
	struct err e;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20; i++)
			(void)ask(j, JOB_TRIGGERED, 0x44);
		for (int i = 0; i < 2; i++) {
			ck_assert_int_eq(j->state, JOB_RUNNING);
			uint32_t row = ask(j, ways[_i], ways[_i] == JOB_REFUSED ? 0x81 : 0);
			if (ways[_i] == JOB_TRIGGERED)
				job_session(j, names[row], 9, START_MS + 1, false, now.wall_ms);
		}
		ck_assert_int_eq(j->state, JOB_PAUSED);
		ck_assert_ptr_nonnull(strstr(j->why, "2 of 100"));
		ck_assert_uint_eq(job_next(j, &now), JOB_NONE);
		ck_assert_int_eq(job_set_state(j, JOB_PAUSED, now.wall_ms, &e), ERR_CONFLICT);
		ck_assert_int_eq(job_set_state(j, JOB_RUNNING, now.wall_ms, &e), ERR_OK);
	}
	ck_assert_uint_eq(j->failed, 4);
	job_free(j);
}
END_TEST

START_TEST(the_last_device_may_fail_without_a_pause)
{
	struct job *j = make(1, anytime());

	(void)ask(j, JOB_REFUSED, 0x81);
	ck_assert_int_eq(j->state, JOB_DONE);
	ck_assert_uint_eq(j->rows[0].code, 0x81);
	job_free(j);
}
END_TEST

START_TEST(the_first_few_must_be_bootstrapped_and_registered_before_the_rest)
{
	struct job_spec s = anytime();

	s.canary = 2;
	struct job *j = make(100, s);
	(void)ask(j, JOB_TRIGGERED, 0x44);
	(void)ask(j, JOB_TRIGGERED, 0x44);
	ck_assert_uint_eq(job_next(j, &now), JOB_NONE);
	ck_assert_ptr_nonnull(strstr(j->why, "first"));
	job_session(j, "d0", 1, START_MS + 1, true, now.wall_ms);
	job_session(j, "d1", 2, START_MS + 1, true, now.wall_ms);
	job_registered(j, "d0", now.wall_ms);
	ck_assert_uint_eq(job_next(j, &now), JOB_NONE);
	job_registered(j, "d1", now.wall_ms);
	ck_assert_uint_eq(ask(j, JOB_TRIGGERED, 0x44), 2);
	ck_assert_str_eq(j->why, "");
	job_free(j);
}
END_TEST

static const enum job_outcome canary_ends[] = { JOB_REFUSED, JOB_UNKNOWN, JOB_TRIGGERED };

START_TEST(it_pauses_when_one_of_the_first_fails)
{
	struct job_spec s = anytime();
	struct err e;

	s.canary = 2;
	struct job *j = make(200, s);
	(void)ask(j, JOB_ASKED, 0);
	if (canary_ends[_i] == JOB_TRIGGERED) {
		job_set(j, 0, JOB_TRIGGERED, 0x44, now.wall_ms);
		job_look(j, START_MS + JOB_SETTLE_MS - 1);
		ck_assert_int_eq(j->state, JOB_RUNNING);
		job_look(j, START_MS + JOB_SETTLE_MS);
	} else {
		job_set(j, 0, canary_ends[_i], 0x80, now.wall_ms);
	}
	ck_assert_int_eq(j->state, JOB_PAUSED);
	ck_assert_ptr_nonnull(strstr(j->why, "d0"));
	ck_assert_int_eq(job_set_state(j, JOB_RUNNING, now.wall_ms, &e), ERR_OK);
	(void)ask(j, JOB_TRIGGERED, 0x44);
	job_free(j);
}
END_TEST

START_TEST(what_is_left_when_it_expires_or_is_cancelled_is_told)
{
	struct job_spec s = anytime();
	struct err e;

	s.expires_ms = START_MS + 1000;
	struct job *j = make(4, s);
	(void)ask(j, JOB_TRIGGERED, 0x44);
	job_set(j, job_next(j, &now), JOB_ASLEEP, 0, now.wall_ms);
	if (_i == 0) {
		job_look(j, START_MS + 999);
		ck_assert_uint_eq(j->counts[JOB_EXPIRED], 0);
		job_look(j, START_MS + 1000);
		ck_assert_uint_eq(j->counts[JOB_EXPIRED], 3);
		ck_assert_int_eq(j->state, JOB_RUNNING); /* a session is awaited */
		job_look(j, START_MS + 1000 + JOB_SETTLE_MS);
		ck_assert_int_eq(j->state, JOB_DONE);
		ck_assert(j->rows[0].bad);
	} else {
		ck_assert_int_eq(job_set_state(j, JOB_STOPPED, now.wall_ms, &e), ERR_OK);
		ck_assert_uint_eq(j->counts[JOB_CANCELLED], 3);
		ck_assert(job_over(j));
		ck_assert_int_eq(job_set_state(j, JOB_RUNNING, now.wall_ms, &e), ERR_CONFLICT);
	}
	ck_assert_uint_eq(counted(j), 4);
	ck_assert_uint_eq(job_next(j, &now), JOB_NONE);
	job_free(j);
}
END_TEST

START_TEST(a_session_may_be_faster_than_the_answer_and_an_old_one_does_not_count)
{
	struct job *j = make(100, anytime());

	(void)ask(j, JOB_ASKED, 0);
	job_session(j, "d0", 3, START_MS - 1, true, now.wall_ms);
	ck_assert_int_eq(j->rows[0].outcome, JOB_ASKED);
	job_session(j, "d0", 4, START_MS + 1, true, now.wall_ms);
	ck_assert_int_eq(j->rows[0].outcome, JOB_BOOTSTRAPPED);
	job_set(j, 0, JOB_TRIGGERED, 0x44, now.wall_ms);
	job_no_answer(j, 0, false, now.wall_ms);
	ck_assert_int_eq(j->rows[0].outcome, JOB_BOOTSTRAPPED);
	/* badly first, then well */
	(void)ask(j, JOB_TRIGGERED, 0x44);
	job_session(j, "d1", 5, START_MS + 1, false, now.wall_ms);
	ck_assert(j->rows[1].bad && j->rows[1].outcome == JOB_TRIGGERED);
	job_session(j, "d1", 6, START_MS + 1, true, now.wall_ms);
	ck_assert(!j->rows[1].bad && j->rows[1].outcome == JOB_BOOTSTRAPPED);
	ck_assert_uint_eq(j->failed - j->forgiven, 0);
	job_free(j);
}
END_TEST

static const struct {
	enum job_outcome answer, told;
} late[] = { { JOB_TRIGGERED, JOB_TRIGGERED }, { JOB_REFUSED, JOB_REFUSED }, { JOB_TIMED_OUT, JOB_TIMED_OUT },
	{ JOB_ASLEEP, JOB_CANCELLED } };

START_TEST(who_was_asked_when_the_job_was_cancelled_is_still_told_of)
{
	struct job *j = make(3, anytime());
	struct err e;
	uint32_t row = ask(j, JOB_ASKED, 0), done = ask(j, JOB_TRIGGERED, 0x44);

	ck_assert_int_eq(job_set_state(j, JOB_STOPPED, now.wall_ms, &e), ERR_OK);
	ck_assert_int_eq(j->rows[row].outcome, JOB_ASKED);
	job_set(j, row, late[_i].answer, 0, now.wall_ms);
	ck_assert_int_eq(j->rows[row].outcome, late[_i].told);
	for (uint32_t i = 0; i < 3; i++) /* and of nobody twice */
		job_set(j, i, JOB_ASLEEP, 0, now.wall_ms);
	ck_assert_int_eq(j->rows[row].outcome, late[_i].told);
	ck_assert_int_eq(j->rows[done].outcome, JOB_TRIGGERED);
	ck_assert_int_eq(j->state, JOB_STOPPED);
	ck_assert_uint_eq(job_next(j, &now), JOB_NONE);
	ck_assert_uint_eq(counted(j), 3);
	job_free(j);
}
END_TEST

static struct job *
copy_of(const struct job *j, bool leave_one_out)
{
	struct gbuf text = { 0 };
	struct job *k = NULL;
	struct err e = { 0 };

	job_write_head(j, &text);
	ck_assert_msg(job_read_head(j->id, gbuf_cstr(&text), 3, &k, &e) == ERR_OK, "%s", e.msg);
	for (uint32_t i = j->n_rows; i-- > (leave_one_out ? 1U : 0U);) {
		gbuf_reset(&text);
		job_write_row(&j->rows[i], &text);
		ck_assert_msg(job_read_row(k, i, gbuf_cstr(&text), &e) == ERR_OK, "%s", e.msg);
		ck_assert_int_eq(job_read_row(k, i, gbuf_cstr(&text), &e), ERR_PARSE);
	}
	gbuf_clear(&text);
	ck_assert_int_eq(job_restored(k, &e), leave_one_out ? ERR_PARSE : ERR_OK);
	return k;
}

START_TEST(what_was_kept_goes_on_where_it_was)
{
	struct job_spec s = anytime();
	struct err e;

	s.actor = strdup("uid 0 (root)");
	s.selector = strdup("--match\n*");
	s.canary = 3;
	s.expires_ms = 77777777;
	struct job *j = make(50, s);
	(void)ask(j, JOB_TRIGGERED, 0x44);
	(void)ask(j, JOB_ASKED, 0);
	job_set(j, job_next(j, &now), JOB_ASLEEP, 0, now.wall_ms);
	job_session(j, "d0", 9, START_MS + 1, true, now.wall_ms);
	job_registered(j, "d0", now.wall_ms);
	struct job *k = copy_of(j, false);
	ck_assert_uint_eq(k->n_rows, 50);
	ck_assert_str_eq(k->spec.actor, "uid 0 (root)");
	ck_assert_str_eq(k->spec.selector, "--match *");
	ck_assert_ptr_null(k->spec.reason);
	ck_assert_int_eq(k->spec.expires_ms, 77777777);
	ck_assert_uint_eq(k->cursor, 3);
	ck_assert_uint_eq(k->rows[0].session, 9);
	ck_assert(k->rows[0].registered);
	/* what was asked is asked again, in a moment: there may be nobody to say when it speaks */
	ck_assert_int_eq(k->rows[1].outcome, JOB_PENDING);
	ck_assert_uint_eq(counted(k), 50);
	job_look(k, now.wall_ms + job_pause_ms(&k->rows[1]));
	ck_assert_uint_eq(ask(k, JOB_REFUSED, 0x85), 1);
	ck_assert_int_eq(k->state, JOB_PAUSED);
	job_free(j);
	j = copy_of(k, false);
	ck_assert_int_eq(j->state, JOB_PAUSED);
	ck_assert_str_eq(j->why, k->why);
	ck_assert_uint_eq(j->failed, 1);
	ck_assert_int_eq(job_set_state(j, JOB_STOPPED, now.wall_ms, &e), ERR_OK);
	job_free(k);
	k = copy_of(j, false);
	ck_assert(job_over(k));
	job_free(k);
	job_free(copy_of(j, true));
	job_free(j);
}
END_TEST

/* Of a name that no cut may split, and a reason that came as it is. */
START_TEST(whatever_people_wrote_the_job_goes_on)
{
	char name[202];
	const char *v[] = { name, "other" };
	struct job_spec s = anytime();
	struct job *j = NULL;
	struct err e = { 0 };
	size_t n = (size_t)_i; /* wherever a cut would come, it would split a letter in one of the rows */

	memset(name, 'x', n);
	for (; n + 2 < sizeof name; n += 2)
		memcpy(name + n, "\xc3\xa9", 3);
	s.rate = 1;
	s.canary = 1;
	s.reason = strdup("a\tb\xff\x7f");
	ck_assert_int_eq(job_new(7, v, 2, &s, START_MS, unit_seed(), &j, &e), ERR_OK);
	job_set(j, 0, JOB_UNKNOWN, 0, START_MS);
	ck_assert_ptr_nonnull(strstr(j->why, name));
	struct job *k = copy_of(j, false);
	ck_assert_str_eq(k->why, j->why);
	ck_assert_str_eq(k->spec.reason, "a b? ");
	ck_assert_str_eq(k->rows[0].endpoint, name);
	job_free(k);
	job_free(j);
}
END_TEST

static const char *const broken[] = { "", "1", "1 0 0 0 1000 -1 -1 0 0 0 0\n\n\n\n", "2 1 0 0 1000 -1 -1 0 0 0 0\n\n\n\n",
	"1 200001 0 0 1000 -1 -1 0 0 0 0\n\n\n\n", "1 1 0 4 1000 -1 -1 0 0 0 0\n\n\n\n", "1 1 0 0 0 -1 -1 0 0 0 0\n\n\n\n",
	"1 1 0 0 1000 -1 -1 0 0 0\n\n\n\n", "1 1 0 0 1000 -1 -1 0 0 0 0 0\n\n\n\n", "1 1 0 0 1000 -1 -1 0 0 0 0\n\n\n",
	"1 1 0 0 1000 -1 -1 0 0 0 0\n\n\n\n\n", "1 1 0 0 1000 -1 -1 0 0 0 0\n\x01\n\n\n" };

START_TEST(what_cannot_be_read_is_refused)
{
	struct job *j = NULL;
	struct err e;

	ck_assert_int_eq(job_read_head(1, broken[_i], 1, &j, &e), ERR_PARSE);
	ck_assert_ptr_null(j);
}
END_TEST

/* ---- through an LwM2M Server ---- */

/* What came of asking it the first time; whether a session that comes then is the job's, and the pause before the next try. */
static const struct {
	struct job_news news;
	bool counts, failed;
	int64_t pause_ms; /* 0: it is not asked again */
} servers[] = {
	{ { JOB_TRIGGERED, 0x44, false, false, "eu", NULL }, true, false, 0 },
	{ { JOB_TRIGGERED, 0, false, false, "eu", NULL }, true, false, 0 },
	{ { JOB_REFUSED, 0x84, false, false, "eu", NULL }, false, true, 0 },
	{ { JOB_REFUSED, 0, false, false, "eu", "HTTP 401: no" }, false, true, 0 },
	{ { JOB_TIMED_OUT, 0, false, false, "eu", "no answer" }, false, true, 0 },
	{ { JOB_UNKNOWN, 0, false, false, NULL, NULL }, false, false, 0 },
	{ { JOB_ASLEEP, 0, true, false, "eu", "not registered" }, false, false, 5000 },
	{ { JOB_ASLEEP, 0, true, true, "eu", "in line" }, true, false, 600000 },
	{ { JOB_PENDING, 0, true, false, "eu", "nobody" }, true, false, 2000 },
};

START_TEST(what_an_lwm2m_server_says_is_kept_and_the_device_is_asked_again_by_the_clock)
{
	const struct job_news *n = &servers[_i].news;
	struct job *j = make(60, anytime()), *k;

	(void)ask(j, JOB_ASKED, 0);
	job_tell(j, 0, n, now.wall_ms);
	const struct job_row *r = &j->rows[0];
	ck_assert_int_eq(r->outcome, n->outcome);
	ck_assert_uint_eq(r->code, n->code);
	ck_assert_int_eq(r->told, n->told);
	ck_assert_uint_eq(j->failed, servers[_i].failed);
	ck_assert_uint_eq(counted(j), 60);
	/* the others are not held up by it */
	ck_assert_uint_eq(ask(j, JOB_ASKED, 0), 1);
	if (servers[_i].pause_ms > 0) {
		ck_assert_int_eq(job_pause_ms(r), servers[_i].pause_ms);
		job_look(j, now.wall_ms + servers[_i].pause_ms - 1);
		ck_assert_uint_eq(ask(j, JOB_ASKED, 0), 2);
		job_look(j, now.wall_ms + servers[_i].pause_ms);
		ck_assert_uint_eq(ask(j, JOB_ASKED, 0), 0);
		job_tell(j, 0, n, now.wall_ms);
		ck_assert_int_eq(job_pause_ms(r), 2 * servers[_i].pause_ms);
	}
	k = copy_of(j, false);
	ck_assert_str_eq(k->rows[0].via == NULL ? "" : k->rows[0].via, n->via == NULL ? "" : n->via);
	ck_assert_str_eq(k->rows[0].said == NULL ? "" : k->rows[0].said, n->said == NULL ? "" : n->said);
	ck_assert_int_eq(k->rows[0].told, n->told);
	ck_assert_int_eq(k->rows[0].again, n->again);
	ck_assert_int_eq(job_session(k, "d0", 9, now.wall_ms, true, now.wall_ms), servers[_i].counts);
	ck_assert_int_eq(job_session(j, "d0", 9, now.wall_ms, true, now.wall_ms), servers[_i].counts);
	ck_assert(!servers[_i].counts || (j->rows[0].outcome == JOB_BOOTSTRAPPED && j->n_again == 0 && j->n_later == 0));
	job_free(k);
	job_free(j);
}
END_TEST

START_TEST(pauses_grow_and_come_to_an_end)
{
	struct job *j = make(1, anytime());

	for (int i = 0; i < 300; i++) {
		job_look(j, now.wall_ms);
		(void)ask(j, JOB_ASKED, 0);
		job_tell(j, 0, &(struct job_news){ .outcome = JOB_PENDING, .again = true, .via = "eu" }, now.wall_ms);
		int64_t pause = job_pause_ms(&j->rows[0]);
		ck_assert_int_le(pause, 300000);
		now.wall_ms += pause;
		now.mono_us += (uint64_t)pause * 1000;
	}
	ck_assert_int_eq(job_pause_ms(&j->rows[0]), 300000);
	job_free(j);
}
END_TEST

START_TEST(the_first_few_of_an_lwm2m_server_are_an_operators_to_judge)
{
	const struct job_news yes = { .outcome = JOB_TRIGGERED, .code = 0x44, .via = "eu" };
	struct job_spec s = anytime();
	struct err e;

	s.canary = 1;
	struct job *j = make(3, s);
	(void)ask(j, JOB_ASKED, 0);
	job_tell(j, 0, &yes, now.wall_ms);
	ck_assert_uint_eq(job_next(j, &now), JOB_NONE);
	ck_assert_ptr_nonnull(strstr(j->why, "must be bootstrapped"));
	ck_assert(job_session(j, "d0", 9, now.wall_ms, true, now.wall_ms));
	ck_assert_uint_eq(job_next(j, &now), JOB_NONE);
	ck_assert_ptr_nonnull(strstr(j->why, "pause and resume"));
	ck_assert_int_eq(job_set_state(j, JOB_PAUSED, now.wall_ms, &e), ERR_OK);
	ck_assert_int_eq(job_set_state(j, JOB_RUNNING, now.wall_ms, &e), ERR_OK);
	ck_assert_uint_eq(job_next(j, &now), 1);
	job_free(j);
}
END_TEST

/* Its session, or an operator, was faster than the server's answer. */
START_TEST(an_answer_of_a_server_that_is_late_changes_nothing_but_who_was_asked)
{
	const struct job_news late_news = { JOB_ASLEEP, 0, true, true, "eu", "in line" };
	struct job *j = make(60, anytime());
	struct err e;

	(void)ask(j, JOB_ASKED, 0);
	(void)ask(j, JOB_ASKED, 0);
	ck_assert(job_session(j, "d0", 9, now.wall_ms, true, now.wall_ms));
	job_tell(j, 0, &late_news, now.wall_ms);
	ck_assert_int_eq(j->rows[0].outcome, JOB_BOOTSTRAPPED);
	ck_assert_str_eq(j->rows[0].via, "eu");
	ck_assert_int_eq(job_set_state(j, JOB_STOPPED, now.wall_ms, &e), ERR_OK);
	job_tell(j, 1, &late_news, now.wall_ms);
	ck_assert_int_eq(j->rows[1].outcome, JOB_CANCELLED);
	ck_assert_uint_eq(j->n_again, 0);
	job_free(j);
}
END_TEST

static const char *const broken_rows[] = { "0 0 0 0 0 0 0\n", "1 0 0 0 0 0 0\nd\n", "1 0 0 0 0 0 0\nd\neu",
	"1 0 0 0 0 0 0\nd\neu\n", "1 0 0 0 0 0 0\nd\neu\n\nyes", "1 0 0 0 0 0 0\nd\n\n\ntold",
	"1 0 0 0 0 0 0\nd\neu\n\ntold\n", "10 0 0 0 0 0 0\nd", "1 0 4 0 0 0 0\nd" };

START_TEST(a_device_that_cannot_be_read_is_refused)
{
	struct job *j = NULL;
	struct err e;

	ck_assert_int_eq(job_read_head(1, "1 1 0 0 1000 -1 -1 0 0 0 0\n\n\n\n", 1, &j, &e), ERR_OK);
	ck_assert_int_eq(job_read_row(j, 0, broken_rows[_i], &e), ERR_PARSE);
	ck_assert_int_eq(job_read_row(j, 0, "1 0 0 0 0 0 0\nd\neu\nsaid so\ntold", &e), ERR_OK);
	ck_assert(j->rows[0].told);
	job_free(j);
}
END_TEST

/* Whatever is done to it, the numbers add up, and it ends. */
START_TEST(random_lives_end_with_every_device_told)
{
	uint64_t seed = unit_seed() + (uint64_t)_i;
	struct job_spec s = anytime();
	struct err e;

	s.canary = (uint32_t)(unit_random(&seed) % 3);
	s.expires_ms = START_MS + 3000000;
	struct job *j = make(40, s);
	for (int step = 0; step < 3000; step++) {
		const char *ep = names[unit_random(&seed) % 40];
		uint32_t row;

		now.mono_us += 2000;
		now.wall_ms += 2000;
		switch (unit_random(&seed) % 7) {
		case 6:
			row = job_find(j, ep);
			job_tell(j, row, &servers[unit_random(&seed) % N_ELEMS(servers)].news, now.wall_ms);
			break;
		case 0:
			row = job_next(j, &now);
			if (row != JOB_NONE)
				job_set(j, row, unit_random(&seed) % 3 > 0 ? JOB_ASKED : JOB_ASLEEP, 0, now.wall_ms);
			break;
		case 1:
			row = job_find(j, ep);
			if (j->rows[row].outcome == JOB_ASKED)
				job_set(j, row, unit_random(&seed) % 8 > 0 ? JOB_TRIGGERED : JOB_REFUSED, 0x44, now.wall_ms);
			break;
		case 2:
			(void)job_awake(j, ep);
			break;
		case 3:
			job_session(j, ep, 5, now.wall_ms, unit_random(&seed) % 8 > 0, now.wall_ms);
			break;
		case 4:
			job_registered(j, ep, now.wall_ms);
			job_look(j, now.wall_ms);
			break;
		case 5:
			if (j->state == JOB_PAUSED)
				(void)job_set_state(j, JOB_RUNNING, now.wall_ms, &e);
			row = job_find(j, ep);
			if (j->rows[row].outcome == JOB_ASKED)
				job_no_answer(j, row, true, now.wall_ms);
			break;
		}
		ck_assert_uint_eq(counted(j), 40);
		ck_assert_uint_le(j->unsettled, j->counts[JOB_TRIGGERED]);
		ck_assert_uint_le(j->n_later, j->counts[JOB_PENDING]);
		ck_assert_uint_le(j->n_again, j->counts[JOB_PENDING] + j->counts[JOB_ASLEEP]);
	}
	for (uint32_t i = 0; i < 40; i++)
		if (j->rows[i].outcome == JOB_ASKED)
			job_no_answer(j, i, false, now.wall_ms);
	job_look(j, now.wall_ms + JOB_SETTLE_MS);
	if (j->state == JOB_PAUSED)
		(void)job_set_state(j, JOB_RUNNING, now.wall_ms, &e);
	ck_assert_msg(j->state == JOB_DONE, "%s, %s", job_state_name(j->state), j->why);
	job_free(j);
}
END_TEST

static Suite *
suite(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(devices_come_in_order_each_once_and_the_job_ends, 0),
		UNIT_CASE(no_more_than_the_rate_and_a_late_timer_makes_up_for_little, 0),
		UNIT_CASE(outside_its_window_nobody_is_asked, N_ELEMS(windows)),
		UNIT_CASE(who_sleeps_is_asked_when_it_speaks_and_before_the_others, 0),
		UNIT_CASE(a_device_that_sleeps_and_does_not_answer_has_three_tries, 0),
		UNIT_CASE(it_pauses_itself_at_two_percent_failures, N_ELEMS(ways)),
		UNIT_CASE(the_last_device_may_fail_without_a_pause, 0),
		UNIT_CASE(the_first_few_must_be_bootstrapped_and_registered_before_the_rest, 0),
		UNIT_CASE(it_pauses_when_one_of_the_first_fails, N_ELEMS(canary_ends)),
		UNIT_CASE(what_is_left_when_it_expires_or_is_cancelled_is_told, 2),
		UNIT_CASE(a_session_may_be_faster_than_the_answer_and_an_old_one_does_not_count, 0),
		UNIT_CASE(who_was_asked_when_the_job_was_cancelled_is_still_told_of, N_ELEMS(late)),
		UNIT_CASE(what_was_kept_goes_on_where_it_was, 0),
		UNIT_CASE(whatever_people_wrote_the_job_goes_on, 2),
		UNIT_CASE(what_cannot_be_read_is_refused, N_ELEMS(broken)),
		UNIT_CASE(a_device_that_cannot_be_read_is_refused, N_ELEMS(broken_rows)),
		UNIT_CASE(what_an_lwm2m_server_says_is_kept_and_the_device_is_asked_again_by_the_clock, N_ELEMS(servers)),
		UNIT_CASE(the_first_few_of_an_lwm2m_server_are_an_operators_to_judge, 0),
		UNIT_CASE(pauses_grow_and_come_to_an_end, 0),
		UNIT_CASE(an_answer_of_a_server_that_is_late_changes_nothing_but_who_was_asked, 0),
		UNIT_CASE(random_lives_end_with_every_device_told, 30),
	};

	return unit_suite("job", cases, N_ELEMS(cases));
}

UNIT_MAIN(suite)
