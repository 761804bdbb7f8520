#include "lib/lwm2m/path.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct lwm2m_path
path(const char *text)
{
	struct lwm2m_path p;
	struct err e = { .code = ERR_OK };

	ck_assert_msg(
	    lwm2m_path_parse(text, strlen(text), &p, &e) == ERR_OK, "%s: %s", text, e.msg);
	return p;
}

START_TEST(right_paths_are_read)
{
	static const struct {
		const char *text;
		uint8_t depth;
		uint16_t id[4];
	} rows[] = {
		{ "/", 0, { 0 } },
		{ "/0", 1, { 0 } },
		{ "/1/0", 2, { 1, 0 } },
		{ "/3/0/13", 3, { 3, 0, 13 } },
		{ "/65534/65534/65534/65534", 4, { 65534, 65534, 65534, 65534 } },
		{ "/10/20/30/40", 4, { 10, 20, 30, 40 } },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct lwm2m_path p = path(rows[i].text);

		ck_assert_uint_eq(p.depth, rows[i].depth);
		for (size_t k = 0; k < 4; k++)
			ck_assert_uint_eq(p.id[k], rows[i].id[k]);
		ck_assert_str_eq(lwm2m_path_str(p).s, rows[i].text);
	}
}
END_TEST

START_TEST(wrong_paths_are_refused)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *msg;
	} rows[] = {
		{ "", ERR_PARSE, "path: must begin with '/'" },
		{ "0", ERR_PARSE, "path: must begin with '/'" },
		{ " /0", ERR_PARSE, "path: must begin with '/'" },
		{ "//", ERR_PARSE, "path: an id is missing behind the '/' at 1" },
		{ "/0/", ERR_PARSE, "path: an id is missing behind the '/' at 3" },
		{ "/0//1", ERR_PARSE, "path: an id is missing behind the '/' at 3" },
		{ "/-1", ERR_PARSE, "path: an id is missing behind the '/' at 1" },
		{ "/+1", ERR_PARSE, "path: an id is missing behind the '/' at 1" },
		{ "/x", ERR_PARSE, "path: an id is missing behind the '/' at 1" },
		{ "/1x", ERR_PARSE, "path: a sign that is no digit, at 3" },
		{ "/1 ", ERR_PARSE, "path: a sign that is no digit, at 3" },
		{ "/1/2/3/4x", ERR_PARSE, "path: a sign that is no digit, at 9" },
		{ "/1/2/3/4/", ERR_PARSE, "path: more than four ids" },
		{ "/1/2/3/4/5", ERR_PARSE, "path: more than four ids" },
		{ "/00", ERR_PARSE, "path: an id has a leading zero" },
		{ "/1/01", ERR_PARSE, "path: an id has a leading zero" },
		{ "/65535", ERR_RANGE, "path: an id is above 65534" },
		{ "/1/65536", ERR_RANGE, "path: an id is above 65534" },
		{ "/99999999999999999999999999", ERR_RANGE, "path: an id is above 65534" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct lwm2m_path p = { .id = { 7 }, .depth = 1 };
		struct err e = { .code = ERR_OK };
		size_t n = strlen(rows[i].text);

		ck_assert_int_eq(lwm2m_path_parse(rows[i].text, n, &p, &e), rows[i].code);
		ck_assert_str_eq(e.msg, rows[i].msg);
		ck_assert_int_eq(lwm2m_path_parse(rows[i].text, n, &p, NULL), rows[i].code);
		ck_assert_uint_eq(p.id[0], 7); /* untouched */
	}
}
END_TEST

/* Text is not NUL-terminated: what lies behind it is not read. */
START_TEST(only_n_bytes_are_read)
{
	char *text = malloc(4);
	struct lwm2m_path p;

	memcpy(text, "/1/2", 4);
	ck_assert_int_eq(lwm2m_path_parse(text, 4, &p, NULL), ERR_OK);
	ck_assert_uint_eq(p.id[1], 2);
	ck_assert_int_eq(lwm2m_path_parse(text, 3, &p, NULL), ERR_PARSE);
	ck_assert_int_eq(lwm2m_path_parse(text, 2, &p, NULL), ERR_OK);
	ck_assert_uint_eq(p.depth, 1);
	ck_assert_int_eq(lwm2m_path_parse(text, 0, &p, NULL), ERR_PARSE);
	ck_assert_int_eq(lwm2m_path_parse("/1\0/2", 5, &p, NULL), ERR_PARSE);
	free(text);
}
END_TEST

static struct lwm2m_path
any_path(uint64_t *state)
{
	struct lwm2m_path p = { .depth = (uint8_t)(unit_random(state) % 5) };

	for (uint8_t i = 0; i < p.depth; i++)
		p.id[i] = (uint16_t)(unit_random(state) % 65535);
	return p;
}

START_TEST(what_is_printed_is_read_back)
{
	uint64_t state = unit_seed();

	for (int i = 0; i < 2000; i++) {
		struct lwm2m_path p = any_path(&state), q = path(lwm2m_path_str(p).s);

		ck_assert(lwm2m_path_eq(&p, &q));
		ck_assert_mem_eq(p.id, q.id, sizeof p.id);
		ck_assert_uint_eq(p.depth, q.depth);
	}
}
END_TEST

START_TEST(order_is_by_ids_parents_first)
{
	static const char *const order[] = { "/", "/0", "/0/0", "/0/0/0", "/0/0/0/0",
		"/0/0/0/65534", "/0/0/1", "/0/1", "/0/2/9", "/0/10", "/1", "/1/0/10", "/2", "/10",
		"/65534" };

	for (size_t i = 0; i < N_ELEMS(order); i++) {
		for (size_t k = 0; k < N_ELEMS(order); k++) {
			struct lwm2m_path a = path(order[i]), b = path(order[k]);
			int d = lwm2m_path_cmp(&a, &b);

			ck_assert_msg((i < k) == (d < 0) && (i > k) == (d > 0), "%s and %s: %d",
			    order[i], order[k], d);
			ck_assert_int_eq(lwm2m_path_eq(&a, &b), i == k);
		}
	}
}
END_TEST

/* Level by level, as the header says it. */
static int
order_by_levels(const struct lwm2m_path *a, const struct lwm2m_path *b)
{
	for (int i = 0; i < a->depth && i < b->depth; i++)
		if (a->id[i] != b->id[i])
			return a->id[i] < b->id[i] ? -1 : 1;
	return (int)a->depth - (int)b->depth;
}

START_TEST(order_and_prefix_agree_with_the_levels)
{
	uint64_t state = unit_seed();

	for (int i = 0; i < 20000; i++) {
		struct lwm2m_path p[2] = { any_path(&state), any_path(&state) };

		for (int k = 0; k < 2; k++)
			for (uint8_t l = 0; l < p[k].depth; l++)
				p[k].id[l] = (uint16_t)(p[k].id[l] % 2 * 65534); /* near each other, at the ends */
		int want = order_by_levels(&p[0], &p[1]), got = lwm2m_path_cmp(&p[0], &p[1]);
		ck_assert_int_eq((want > 0) - (want < 0), (got > 0) - (got < 0));
		struct lwm2m_path top = lwm2m_path_up(p[0], p[1].depth);
		ck_assert_int_eq(lwm2m_path_under(&p[0], &p[1]), lwm2m_path_eq(&top, &p[1]));
	}
}
END_TEST

START_TEST(under_is_itself_or_below)
{
	static const struct {
		const char *path, *prefix;
		bool under;
	} rows[] = {
		{ "/", "/", true },
		{ "/5/0", "/", true },
		{ "/", "/0", false },
		{ "/0", "/0", true },
		{ "/0/1/2", "/0", true },
		{ "/0/1/2", "/0/1", true },
		{ "/0/1/2", "/0/1/2", true },
		{ "/0/1/2/3", "/0/1/2", true },
		{ "/0/1", "/0/1/0", false },
		{ "/0/1/2", "/0/2", false },
		{ "/1/1/2", "/0/1", false },
		{ "/10", "/1", false },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct lwm2m_path p = path(rows[i].path), q = path(rows[i].prefix);

		ck_assert_msg(lwm2m_path_under(&p, &q) == rows[i].under, "%s under %s",
		    rows[i].path, rows[i].prefix);
	}
}
END_TEST

START_TEST(paths_are_built_up_and_down)
{
	struct lwm2m_path p = { .depth = 0 };

	for (uint16_t i = 1; i <= 4; i++)
		p = lwm2m_path_child(p, (uint16_t)(i * 11));
	ck_assert_str_eq(lwm2m_path_str(p).s, "/11/22/33/44");
	ck_assert_str_eq(lwm2m_path_str(lwm2m_path_child(p, 5)).s, "/11/22/33/44");
	struct lwm2m_path up = lwm2m_path_up(p, LWM2M_INSTANCE);
	ck_assert_str_eq(lwm2m_path_str(up).s, "/11/22");
	ck_assert_uint_eq(up.id[2], 0);
	ck_assert_uint_eq(up.id[3], 0);
	ck_assert_str_eq(lwm2m_path_str(lwm2m_path_up(p, 0)).s, "/");
	ck_assert_str_eq(lwm2m_path_str(lwm2m_path_up(up, 3)).s, "/11/22");
	ck_assert_str_eq(lwm2m_path_str(lwm2m_path1(1)).s, "/1");
	ck_assert_str_eq(lwm2m_path_str(lwm2m_path2(1, 2)).s, "/1/2");
	ck_assert_str_eq(lwm2m_path_str(lwm2m_path3(1, 2, 3)).s, "/1/2/3");
	ck_assert_str_eq(lwm2m_path_str(lwm2m_path4(1, 2, 3, 4)).s, "/1/2/3/4");
	ck_assert_str_eq(
	    lwm2m_path_str(lwm2m_path4(65535, 65535, 65535, 65535)).s, "/65535/65535/65535/65535");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(right_paths_are_read, 0),
	UNIT_CASE(wrong_paths_are_refused, 0),
	UNIT_CASE(only_n_bytes_are_read, 0),
	UNIT_CASE(what_is_printed_is_read_back, 0),
	UNIT_CASE(order_is_by_ids_parents_first, 0),
	UNIT_CASE(under_is_itself_or_below, 0),
	UNIT_CASE(order_and_prefix_agree_with_the_levels, 0),
	UNIT_CASE(paths_are_built_up_and_down, 0),
};

UNIT_SUITE_MAIN("path", cases)
