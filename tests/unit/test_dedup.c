#include "bsserver/transport/dedup.h"

#include <stdio.h>
#include <string.h>

#include "bsserver/transport/slots.h"
#include "bsserver/transport/wheel.h"
#include "tests/unit/unit.h"

static struct dedup *
new_dedup(unsigned max)
{
	struct dedup *d = NULL;
	struct err e = { 0 };

	ck_assert_msg(dedup_new(max, unit_seed(), &d, &e) == ERR_OK, "%s", e.msg);
	return d;
}

static const struct dedup_key key = { .session = 3, .addr = { 127, 0, 0, 1 }, .port = 5683,
	.listener = 1, .mid = 7, .token_len = 2, .token = { 1, 2 } };

START_TEST(the_same_request_is_running_and_then_answered)
{
	struct dedup *d = new_dedup(8);
	const struct dedup_answer said = { 0x44, 60, "text" };
	struct dedup_answer a;
	uint64_t id = 0, again = 0;

	ck_assert_int_eq(dedup_see(d, &key, 1000, &id, &a), DEDUP_NEW);
	ck_assert_uint_ne(id, 0);
	dedup_set_owner(d, id, 99);
	/* however long it takes */
	ck_assert_int_eq(dedup_see(d, &key, 1000 + 2 * DEDUP_LIFETIME_MS, &again, &a), DEDUP_RUNNING);
	ck_assert_uint_eq(id, again);
	ck_assert_uint_eq(dedup_owner(d, again), 99);
	dedup_answered(d, id, &said, 5000);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(
		    dedup_see(d, &key, 5000 + DEDUP_LIFETIME_MS - 1, &again, &a), DEDUP_ANSWERED);
		ck_assert_int_eq(a.code, 0x44);
		ck_assert_uint_eq(a.max_age_s, 60);
		ck_assert_str_eq(a.text, "text");
	}
	ck_assert_int_eq(dedup_see(d, &key, 5000 + DEDUP_LIFETIME_MS, &again, &a), DEDUP_NEW);
	ck_assert_uint_ne(id, again);
	ck_assert_uint_eq(dedup_count(d), 1);
	dedup_free(d);
	dedup_free(NULL);
}
END_TEST

START_TEST(a_request_that_differs_in_anything_is_another)
{
	struct dedup_key others[] = { key, key, key, key, key, key, key, key };
	struct dedup *d = new_dedup(16);
	struct dedup_answer a;
	uint64_t id;

	others[0].session++;
	others[1].addr[15]++;
	others[2].port++;
	others[3].listener++;
	others[4].mid++;
	others[5].token[1]++;
	others[6].token_len = 1;
	others[6].token[1] = 0;
	others[7].token_len = 3; /* a zero more */
	ck_assert_int_eq(dedup_see(d, &key, 1, &id, &a), DEDUP_NEW);
	for (size_t i = 0; i < N_ELEMS(others); i++)
		ck_assert_msg(dedup_see(d, &others[i], 1, &id, &a) == DEDUP_NEW, "row %zu", i);
	ck_assert_uint_eq(dedup_count(d), 1 + N_ELEMS(others));
	dedup_free(d);
}
END_TEST

START_TEST(when_it_is_full_the_oldest_goes)
{
	struct dedup *d = new_dedup(100);
	struct dedup_key k = key;
	const struct dedup_answer said = { 0x80, 0, NULL };
	struct dedup_answer a;
	uint64_t first, id;

	ck_assert_int_eq(dedup_see(d, &k, 1, &first, &a), DEDUP_NEW);
	for (uint16_t i = 1; i <= 1000; i++) {
		k.mid = (uint16_t)(key.mid + i);
		ck_assert_int_eq(dedup_see(d, &k, 1, &id, &a), DEDUP_NEW);
		ck_assert_uint_le(dedup_count(d), 100);
	}
	dedup_answered(d, first, &said, 1); /* long gone: nothing */
	ck_assert_uint_eq(dedup_owner(d, first), 0);
	for (uint16_t i = 901; i <= 1000; i++) {
		k.mid = (uint16_t)(key.mid + i);
		ck_assert_int_eq(dedup_see(d, &k, 1, &id, &a), DEDUP_RUNNING);
	}
	ck_assert_int_eq(dedup_see(d, &key, 1, &id, &a), DEDUP_NEW);
	dedup_free(d);
}
END_TEST

START_TEST(a_long_text_is_cut)
{
	struct dedup *d = new_dedup(1);
	char text[400];
	const struct dedup_answer said = { 0x80, 0, text };
	struct dedup_answer a;
	uint64_t id;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	(void)dedup_see(d, &key, 1, &id, &a);
	dedup_answered(d, id, &said, 1);
	dedup_answered(d, id, &said, 1); /* twice: the first text is freed */
	ck_assert_int_eq(dedup_see(d, &key, 1, &id, &a), DEDUP_ANSWERED);
	ck_assert_uint_eq(strlen(a.text), DEDUP_TEXT_MAX);
	dedup_free(d);
}
END_TEST

START_TEST(a_size_out_of_range_is_refused)
{
	static const unsigned rows[] = { 0, (1U << 20) + 1 };
	struct dedup *d = NULL;
	struct err e = { 0 };
	char msg[128];

	ck_assert_int_eq(dedup_new(rows[_i], 1, &d, &e), ERR_RANGE);
	(void)snprintf(msg, sizeof msg, "remembered requests: %u is not 1..1048576", rows[_i]);
	ck_assert_str_eq(e.msg, msg);
}
END_TEST

/* Against a list that is searched from end to end. */
START_TEST(it_agrees_with_a_plain_list)
{
	enum { MAX = 50, STEPS = 20000 };
	struct dedup *d = new_dedup(MAX);
	uint64_t state = unit_seed(), seen[MAX] = { 0 }, n = 0;

	for (int i = 0; i < STEPS; i++) {
		struct dedup_key k = key;
		struct dedup_answer a;
		uint64_t id;
		bool known = false;

		k.mid = (uint16_t)(unit_random(&state) % 100);
		for (int j = 0; j < MAX; j++)
			known |= seen[j] == k.mid + 1U;
		ck_assert_int_eq(dedup_see(d, &k, 1, &id, &a), known ? DEDUP_RUNNING : DEDUP_NEW);
		if (!known)
			seen[n++ % MAX] = k.mid + 1U;
	}
	dedup_free(d);
}
END_TEST

START_TEST(a_handle_goes_stale)
{
	struct slots s = { 0 };
	int a, b;
	uint64_t first = slots_add(&s, &a);

	ck_assert_uint_ne(first, 0);
	ck_assert_ptr_eq(slots_get(&s, first), &a);
	slots_remove(&s, first);
	ck_assert_ptr_null(slots_get(&s, first));
	slots_remove(&s, first);
	uint64_t second = slots_add(&s, &b); /* in the same place */
	ck_assert_uint_eq((uint32_t)second, (uint32_t)first);
	ck_assert_ptr_null(slots_get(&s, first));
	ck_assert_ptr_eq(slots_get(&s, second), &b);
	ck_assert_ptr_null(slots_get(&s, 0));
	ck_assert_ptr_null(slots_get(&s, UINT64_MAX));
	for (int i = 0; i < 100; i++)
		ck_assert_uint_ne(slots_add(&s, &a), 0);
	ck_assert_uint_eq(s.count, 101);
	slots_clear(&s);
}
END_TEST

START_TEST(a_deadline_comes_once_not_early_and_hardly_late)
{
	enum { N = 400 };
	static const unsigned spans[] = { 100, 5000, 40000 }; /* the last: more than a round */
	struct wheel w;
	struct wheel_item items[N] = { { .next = NULL } };
	uint64_t state = unit_seed(), now = 123456;
	unsigned came = 0;

	wheel_init(&w, now);
	for (size_t i = 0; i < N; i++)
		wheel_set(&w, &items[i], now + unit_random(&state) % spans[_i]);
	for (size_t i = 0; i < N; i += 4)
		wheel_unset(&w, &items[i]);
	wheel_unset(&w, &items[0]);
	ck_assert_uint_eq(w.count, N * 3 / 4);
	while (came < N * 3 / 4) {
		struct wheel_item *i;

		now += unit_random(&state) % 50;
		while ((i = wheel_turn(&w, now)) != NULL) {
			ck_assert_uint_le(i->due_ms, now);
			ck_assert_uint_le(now - i->due_ms, 2 * WHEEL_TICK_MS + 50);
			came++;
		}
		ck_assert_uint_le(now, 123456 + spans[_i] + 200);
	}
	ck_assert_uint_eq(w.count, 0);
	now += 1000000; /* idle for long, then used again */
	ck_assert_ptr_null(wheel_turn(&w, now));
	wheel_set(&w, &items[0], now + 40);
	ck_assert_ptr_null(wheel_turn(&w, now + 39));
	ck_assert_ptr_eq(wheel_turn(&w, now + 40 + WHEEL_TICK_MS), &items[0]);
	wheel_set(&w, &items[1], now); /* past already: with the next tick */
	ck_assert_ptr_eq(wheel_turn(&w, now + 40 + 3 * WHEEL_TICK_MS), &items[1]);
	wheel_set(&w, &items[2], now + 100); /* a turn that comes very late misses nothing */
	ck_assert_ptr_eq(wheel_turn(&w, now + 10000000), &items[2]);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(the_same_request_is_running_and_then_answered, 0),
	UNIT_CASE(a_request_that_differs_in_anything_is_another, 0),
	UNIT_CASE(when_it_is_full_the_oldest_goes, 0),
	UNIT_CASE(a_long_text_is_cut, 0),
	UNIT_CASE(a_size_out_of_range_is_refused, 2),
	UNIT_CASE(it_agrees_with_a_plain_list, 0),
	UNIT_CASE(a_handle_goes_stale, 0),
	UNIT_CASE(a_deadline_comes_once_not_early_and_hardly_late, 3),
};

UNIT_SUITE_MAIN("dedup", cases)
