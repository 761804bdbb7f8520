/* Devices that bootstrap and do not register: what is said of them, and how long they are to stay away. */
#include <stdio.h>
#include <string.h>

#include "bsserver/registry/returns.h"
#include "tests/unit/unit.h"

#define MINUTE INT64_C(60000)

static struct returns *
new_table(size_t max)
{
	struct returns *t = NULL;

	ck_assert_int_eq(returns_new(max, unit_seed(), &t, NULL), ERR_OK);
	return t;
}

static struct returns_news
get(const struct returns *t, const char *endpoint, int64_t now)
{
	struct returns_news n;

	returns_get(t, endpoint, now, &n);
	return n;
}

START_TEST(a_device_that_does_not_register_has_a_name_until_it_does)
{
	struct returns *t = new_table(10);

	ck_assert_int_eq(get(t, "d", 0).state, RETURNS_FINE);
	returns_session(t, "d", 77, false, 10 * MINUTE);
	ck_assert_int_eq(get(t, "d", 10 * MINUTE).state, RETURNS_AWAITED);
	ck_assert_uint_eq(get(t, "d", 10 * MINUTE).session, 77);
	ck_assert_int_eq(get(t, "d", 10 * MINUTE + RETURNS_PATIENCE_MS - 1).state, RETURNS_AWAITED);
	ck_assert_int_eq(get(t, "d", 10 * MINUTE + RETURNS_PATIENCE_MS).state, RETURNS_NEVER_REGISTERED);
	ck_assert_uint_eq(get(t, "d", 10 * MINUTE + RETURNS_PATIENCE_MS).pause_s, 0);
	returns_registered(t, "d");
	ck_assert_int_eq(get(t, "d", 20 * MINUTE).state, RETURNS_FINE);
	returns_registered(t, "d");
	returns_free(t);
	returns_free(NULL);
}
END_TEST

/* The pause begins with the fourth session of an hour, and doubles for each more up to an hour. */
START_TEST(who_comes_back_is_held_back_longer_each_time)
{
	static const uint32_t pauses[] = { 0, 0, 0, 60, 120, 240, 480, 960 };
	struct returns *t = new_table(10);
	int64_t now = 100 * MINUTE;

	for (size_t i = 0; i < N_ELEMS(pauses); i++) {
		returns_session(t, "d", i + 1, false, now);
		struct returns_news n = get(t, "d", now);
		ck_assert_uint_eq(n.pause_s, pauses[i]);
		ck_assert_uint_eq(n.sessions, i + 1);
		ck_assert_int_eq(n.state, pauses[i] > 0 ? RETURNS_COMES_BACK : RETURNS_AWAITED);
		if (pauses[i] > 0) {
			ck_assert_uint_eq(get(t, "d", now + 59000).pause_s, pauses[i] - 59);
			ck_assert_uint_eq(get(t, "d", now + pauses[i] * INT64_C(1000)).pause_s, 0);
			ck_assert_uint_eq(get(t, "d", now - 5).pause_s, 0); /* a clock that went back holds nobody */
		}
		now += MINUTE + pauses[i] * INT64_C(1000);
	}
	returns_registered(t, "d");
	returns_session(t, "d", 99, false, now);
	ck_assert_uint_eq(get(t, "d", now).pause_s, 0);
	returns_free(t);
}
END_TEST

START_TEST(four_sessions_in_more_than_an_hour_or_on_our_call_are_no_sign)
{
	struct returns *t = new_table(10);

	for (int i = 0; i < 6; i++)
		returns_session(t, "slow", 1, false, i * 20 * MINUTE);
	ck_assert_int_eq(get(t, "slow", 101 * MINUTE).state, RETURNS_AWAITED);
	for (int i = 0; i < 6; i++)
		returns_session(t, "called", 1, true, i * MINUTE);
	ck_assert_int_eq(get(t, "called", 5 * MINUTE).state, RETURNS_AWAITED);
	returns_free(t);
}
END_TEST

START_TEST(they_are_counted_and_bounded)
{
	struct returns *t = new_table(3);
	size_t counts[RETURNS__STATES];
	char name[8];

	for (int i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof name, "d%d", i);
		returns_session(t, name, 1, false, i * MINUTE);
	}
	ck_assert_int_eq(get(t, "d1", 0).state, RETURNS_FINE);
	for (int i = 0; i < 4; i++)
		returns_session(t, "d2", 2, false, 8 * MINUTE);
	returns_session(t, "d4", 2, false, 9 * MINUTE);
	returns_count(t, 9 * MINUTE, counts);
	ck_assert_uint_eq(counts[RETURNS_COMES_BACK], 1);
	ck_assert_uint_eq(counts[RETURNS_NEVER_REGISTERED], 1);
	ck_assert_uint_eq(counts[RETURNS_AWAITED], 1);
	returns_session(t, "new", 1, false, 9 * MINUTE); /* d3 was quiet the longest */
	ck_assert_int_eq(get(t, "d3", 9 * MINUTE).state, RETURNS_FINE);
	ck_assert_int_eq(get(t, "d2", 9 * MINUTE).state, RETURNS_COMES_BACK);
	returns_free(t);
}
END_TEST

START_TEST(every_state_has_a_name_and_says_what_to_do)
{
	for (int s = 0; s < RETURNS__STATES; s++) {
		ck_assert_str_ne(returns_state_name((enum returns_state)s), "unknown");
		ck_assert_int_eq(returns_state_help((enum returns_state)s)[0] == 0, s == RETURNS_FINE);
	}
	ck_assert_str_eq(returns_state_name(RETURNS__STATES), "unknown");
}
END_TEST

/* Some devices' lives, and then the same from what the store has kept of them. */
START_TEST(a_restart_changes_nothing)
{
	enum { DEVICES = 5, SESSIONS = 200 };
	static struct {
		char endpoint[2];
		uint64_t session;
		bool invited;
		int64_t ended;
	} past[SESSIONS];
	struct returns *t = new_table(10), *again = new_table(10);
	uint64_t rnd = unit_seed() + (uint64_t)_i;
	int64_t now = 0, registered[DEVICES] = { 0 };
	size_t counts[RETURNS__STATES], counts_again[RETURNS__STATES], live = unit_random(&rnd) % 5;

	for (size_t i = 0; i < SESSIONS; i++) {
		size_t d = unit_random(&rnd) % DEVICES;

		now += (int64_t)(unit_random(&rnd) % (4 * (uint64_t)MINUTE)) + 1;
		past[i].endpoint[0] = (char)('a' + d);
		past[i].session = i + 1;
		past[i].ended = now;
		past[i].invited = unit_random(&rnd) % 6 == 0;
		returns_session(t, past[i].endpoint, past[i].session, past[i].invited, now);
		if (unit_random(&rnd) % 8 == 0) {
			returns_registered(t, past[i].endpoint);
			registered[d] = ++now;
		}
	}
	for (size_t i = SESSIONS - live; i < SESSIONS; i++) /* these end while the older ones are read, and are read too */
		if (past[i].ended > registered[past[i].endpoint[0] - 'a'])
			returns_session(again, past[i].endpoint, past[i].session, past[i].invited, past[i].ended);
	for (size_t i = SESSIONS; i-- > 0;)
		if (past[i].ended > registered[past[i].endpoint[0] - 'a'])
			returns_restore(again, past[i].endpoint, past[i].session, past[i].invited, past[i].ended);
	for (char ep[2] = "a"; ep[0] < 'a' + DEVICES; ep[0]++) {
		struct returns_news n = get(t, ep, now), m = get(again, ep, now);

		ck_assert_int_eq(n.state, m.state);
		ck_assert_uint_eq(n.session, m.session);
		ck_assert_uint_eq(n.sessions, m.sessions);
		ck_assert_int_eq(n.since_ms, m.since_ms);
		ck_assert_uint_eq(n.pause_s, m.pause_s);
	}
	returns_count(t, now, counts);
	returns_count(again, now, counts_again);
	ck_assert_mem_eq(counts, counts_again, sizeof counts);
	returns_free(t);
	returns_free(again);
}
END_TEST

START_TEST(nobody_gives_way_to_an_older_one)
{
	struct returns *t = new_table(2);

	returns_restore(t, "newer", 9, false, 9 * MINUTE);
	returns_restore(t, "older", 8, false, 8 * MINUTE);
	returns_restore(t, "oldest", 7, false, 7 * MINUTE);
	ck_assert_int_eq(get(t, "oldest", 10 * MINUTE).state, RETURNS_FINE);
	ck_assert_int_eq(get(t, "older", 10 * MINUTE).state, RETURNS_AWAITED);
	returns_session(t, "new", 10, false, 10 * MINUTE); /* but it to a newer */
	ck_assert_int_eq(get(t, "older", 10 * MINUTE).state, RETURNS_FINE);
	ck_assert_int_eq(get(t, "newer", 10 * MINUTE).state, RETURNS_AWAITED);
	returns_free(t);
}
END_TEST

static Suite *
suite(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(a_device_that_does_not_register_has_a_name_until_it_does, 0),
		UNIT_CASE(a_restart_changes_nothing, 20),
		UNIT_CASE(nobody_gives_way_to_an_older_one, 0),
		UNIT_CASE(who_comes_back_is_held_back_longer_each_time, 0),
		UNIT_CASE(four_sessions_in_more_than_an_hour_or_on_our_call_are_no_sign, 0),
		UNIT_CASE(they_are_counted_and_bounded, 0),
		UNIT_CASE(every_state_has_a_name_and_says_what_to_do, 0),
	};

	return unit_suite("returns", cases, N_ELEMS(cases));
}

UNIT_MAIN(suite)
