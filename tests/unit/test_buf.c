#include "lib/base/buf.h"

#include "tests/unit/unit.h"

START_TEST(a_read_past_the_end_gives_zeros_and_sticks)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
	struct rbuf r = rbuf_make(bytes, sizeof bytes);

	ck_assert_uint_eq(rbuf_be(&r, 2), 0x0102);
	ck_assert_uint_eq(rbuf_left(&r), 3);
	ck_assert_uint_eq(rbuf_be(&r, 4), 0);
	ck_assert(r.overrun);
	ck_assert_uint_eq(r.pos, 2);
	ck_assert_uint_eq(rbuf_u8(&r), 0); /* there is a byte, but nobody may act on it now */
	ck_assert_ptr_null(rbuf_take(&r, 0));
}
END_TEST

START_TEST(a_length_near_size_max_does_not_wrap)
{
	static volatile size_t huge = SIZE_MAX - 1; /* not known to the compiler, which would refuse */
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct rbuf r = rbuf_make(bytes, sizeof bytes);

	(void)rbuf_u8(&r);
	ck_assert_ptr_null(rbuf_take(&r, SIZE_MAX));
	ck_assert(r.overrun);

	struct gbuf g = { 0 };
	gbuf_put(&g, "ab", 2);
	gbuf_put(&g, "", huge);
	ck_assert(g.failed);
	ck_assert_str_eq(gbuf_cstr(&g), "ab");
	gbuf_clear(&g);
}
END_TEST

START_TEST(numbers_go_and_come_back_in_each_width)
{
	static const uint64_t values[] = { 0, 1, 0x7f, 0x80, 0xff, 0x0102030405060708, UINT64_MAX };

	for (size_t i = 0; i < N_ELEMS(values); i++) {
		for (size_t n = 1; n <= 8; n++) {
			uint64_t expect = n == 8 ? values[i] : values[i] & ((1ULL << 8 * n) - 1);
			uint8_t bytes[8];
			struct wbuf w = wbuf_make(bytes, sizeof bytes);
			wbuf_be(&w, values[i], n);
			ck_assert_uint_eq(w.len, n);
			struct rbuf r = rbuf_make(bytes, w.len);
			ck_assert_uint_eq(rbuf_be(&r, n), expect);
			ck_assert_uint_eq(rbuf_left(&r), 0);
		}
	}
}
END_TEST

START_TEST(put_that_does_not_fit_writes_nothing)
{
	uint8_t bytes[4] = { 0xee, 0xee, 0xee, 0xee };
	struct wbuf w = wbuf_make(bytes, 3);

	wbuf_str(&w, "ab");
	ck_assert(!w.overflow);
	wbuf_str(&w, "cd");
	ck_assert(w.overflow);
	wbuf_str(&w, "e"); /* would fit, but comes after a hole */
	ck_assert_uint_eq(w.len, 2);
	ck_assert_mem_eq(bytes, "ab\xee\xee", 4);
}
END_TEST

START_TEST(a_growing_buffer_stops_at_its_bound)
{
	struct gbuf g = { .max = 1000 };
	struct err e;

	for (int i = 0; i < 1000; i++)
		gbuf_u8(&g, 'x');
	ck_assert_int_eq(gbuf_check(&g, &e), ERR_OK);
	gbuf_u8(&g, 'y');
	ck_assert_uint_eq(g.len, 1000);
	ck_assert_int_eq(gbuf_check(&g, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, "more than 1000 bytes");
	gbuf_reset(&g);
	ck_assert_int_eq(gbuf_check(&g, &e), ERR_OK);
	ck_assert_str_eq(gbuf_cstr(&g), "");
	gbuf_clear(&g);
	gbuf_clear(&g);
}
END_TEST

START_TEST(printf_beyond_the_bound_leaves_nothing_behind)
{
	struct gbuf g = { .max = 300 };

	gbuf_printf(&g, "%0250d", 7);
	ck_assert_uint_eq(g.len, 250);
	gbuf_printf(&g, "%0100d", 7);
	ck_assert(g.failed);
	ck_assert_uint_eq(g.len, 250);
	for (size_t i = g.len; i < g.cap; i++)
		ck_assert_uint_eq(g.data[i], 0);
	gbuf_u8(&g, 'x'); /* sticky, though there is room */
	gbuf_put(&g, "x", 1);
	ck_assert_uint_eq(g.len, 250);
	gbuf_clear(&g);
}
END_TEST

START_TEST(printf_appends_across_a_move)
{
	struct gbuf g = { 0 };
	struct gbuf expect = { 0 };

	ck_assert_str_eq(gbuf_cstr(&g), "");
	for (int i = 0; i < 500; i++) {
		gbuf_printf(&g, "%d,", i % 10);
		gbuf_u8(&expect, (uint8_t)('0' + i % 10));
		gbuf_str(&expect, ",");
	}
	ck_assert_str_eq(gbuf_cstr(&g), gbuf_cstr(&expect));
	ck_assert_uint_eq(g.len, 1000);
	gbuf_clear(&g);
	gbuf_clear(&expect);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_read_past_the_end_gives_zeros_and_sticks, 0),
	UNIT_CASE(a_length_near_size_max_does_not_wrap, 0),
	UNIT_CASE(numbers_go_and_come_back_in_each_width, 0),
	UNIT_CASE(put_that_does_not_fit_writes_nothing, 0),
	UNIT_CASE(a_growing_buffer_stops_at_its_bound, 0),
	UNIT_CASE(printf_appends_across_a_move, 0),
	UNIT_CASE(printf_beyond_the_bound_leaves_nothing_behind, 0),
};

UNIT_SUITE_MAIN("buf", cases)
