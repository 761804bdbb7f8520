#include "lib/lwm2m/tree.h"

#include <stdio.h>
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

static void
put(struct lwm2m_tree *t, const char *at, int64_t n)
{
	struct lwm2m_value v = lwm2m_int(n);
	struct err e = { .code = ERR_OK };

	ck_assert_msg(lwm2m_tree_put(t, path(at), &v, &e) == ERR_OK, "%s", e.msg);
	ck_assert_int_eq(v.type, LWM2M_NONE);
}

static void
note(struct lwm2m_tree *t, const char *at)
{
	struct err e = { .code = ERR_OK };

	ck_assert_msg(lwm2m_tree_put_instance(t, path(at), &e) == ERR_OK, "%s", e.msg);
}

/* "/0/0/0=1 /0/1 ": all nodes in their order. */
static const char *
text_of(const struct lwm2m_node *nodes, size_t n, char out[512])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		int64_t number;
		int w = snprintf(out + len, 512 - len, "%s%s", i > 0 ? " " : "",
		    lwm2m_path_str(nodes[i].path).s);

		ck_assert_int_lt(w, 400);
		len += (size_t)w;
		if (lwm2m_value_number(&nodes[i].value, &number))
			len += (size_t)snprintf(out + len, 512 - len, "=%d", (int)number);
	}
	return out;
}

static void
is(const struct lwm2m_tree *t, const char *want)
{
	char text[512];

	ck_assert_str_eq(text_of(t->nodes, t->n, text), want);
}

START_TEST(nodes_stand_in_path_order)
{
	struct lwm2m_tree t = { 0 };

	is(&t, "");
	put(&t, "/1/0/1", 1);
	put(&t, "/0/10/0", 2);
	put(&t, "/0/2/0/7", 3);
	put(&t, "/0/2/0/0", 4);
	note(&t, "/3/0");
	put(&t, "/0/2/1", 5);
	is(&t, "/0/2/0/0=4 /0/2/0/7=3 /0/2/1=5 /0/10/0=2 /1/0/1=1 /3/0");
	put(&t, "/0/2/1", 6);
	is(&t, "/0/2/0/0=4 /0/2/0/7=3 /0/2/1=6 /0/10/0=2 /1/0/1=1 /3/0");
	ck_assert_int_eq(lwm2m_tree_get(&t, path("/0/2/0/7"))->i, 3);
	ck_assert_ptr_null(lwm2m_tree_get(&t, path("/0/2/0")));
	ck_assert_ptr_null(lwm2m_tree_get(&t, path("/0/2/0/1")));
	ck_assert_ptr_null(lwm2m_tree_get(&t, path("/9")));
	ck_assert_int_eq(lwm2m_tree_get(&t, path("/3/0"))->type, LWM2M_NONE);
	lwm2m_tree_clear(&t);
	is(&t, "");
	lwm2m_tree_clear(&t);
}
END_TEST

START_TEST(an_instance_is_noted_only_while_it_is_empty)
{
	struct lwm2m_tree t = { 0 };
	struct lwm2m_value none = { .type = LWM2M_NONE };

	note(&t, "/1/0");
	note(&t, "/1/0");
	note(&t, "/1/1");
	is(&t, "/1/0 /1/1");
	put(&t, "/1/0/7", 1);
	is(&t, "/1/0/7=1 /1/1");
	note(&t, "/1/0");
	ck_assert_int_eq(lwm2m_tree_put(&t, path("/1/0"), &none, NULL), ERR_OK);
	ck_assert_int_eq(lwm2m_tree_add(&t, path("/1/0"), &none, NULL), ERR_OK);
	is(&t, "/1/0/7=1 /1/1");
	put(&t, "/1/1/3/0", 2);
	is(&t, "/1/0/7=1 /1/1/3/0=2");
	lwm2m_tree_clear(&t);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	static const struct {
		const char *at;
		bool add;
		enum err_code code;
		const char *msg;
	} rows[] = {
		{ "/0/0/0", true, ERR_EXISTS, "/0/0/0: is there twice" },
		{ "/0/0/1/5", true, ERR_EXISTS, "/0/0/1/5: is there twice" },
		{ "/0/0/0/1", true, ERR_INVALID,
		    "/0/0/0/1: the resource is there as a single one" },
		{ "/0/0/0/1", false, ERR_INVALID,
		    "/0/0/0/1: the resource is there as a single one" },
		{ "/0/0/1", true, ERR_INVALID, "/0/0/1: the resource is there as a multiple one" },
		{ "/0/0/1", false, ERR_INVALID, "/0/0/1: the resource is there as a multiple one" },
		{ "/", false, ERR_INVALID, "/: no place for a value" },
		{ "/0", true, ERR_INVALID, "/0: no place for a value" },
		{ "/0/0", false, ERR_INVALID, "/0/0: no place for a value" },
		{ "/7/0", true, ERR_INVALID, "/7/0: no place for a value" },
	};
	struct lwm2m_tree t = { 0 };

	put(&t, "/0/0/0", 1);
	put(&t, "/0/0/1/5", 2);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct err e = { .code = ERR_OK };
		struct lwm2m_value v;

		ck_assert_int_eq(lwm2m_value_str(&v, "freed and wiped", NULL), ERR_OK);
		enum err_code rc = rows[i].add ? lwm2m_tree_add(&t, path(rows[i].at), &v, &e)
		                               : lwm2m_tree_put(&t, path(rows[i].at), &v, &e);
		ck_assert_int_eq(rc, rows[i].code);
		ck_assert_str_eq(e.msg, rows[i].msg);
		ck_assert_int_eq(v.type, LWM2M_NONE);
		is(&t, "/0/0/0=1 /0/0/1/5=2");
	}
	ck_assert_int_eq(lwm2m_tree_put_instance(&t, path("/7"), NULL), ERR_INVALID);
	lwm2m_tree_clear(&t);
}
END_TEST

START_TEST(the_number_of_nodes_is_bounded)
{
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };
	struct lwm2m_value v = lwm2m_int(1);

	note(&t, "/0/0");
	for (uint16_t i = 1; i < LWM2M_TREE_MAX; i++) {
		v = lwm2m_int(i);
		ck_assert_int_eq(lwm2m_tree_add(&t, lwm2m_path3(1, 0, i), &v, NULL), ERR_OK);
	}
	v = lwm2m_int(1);
	ck_assert_int_eq(lwm2m_tree_add(&t, path("/2/0/0"), &v, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, "/2/0/0: more than 4096 values");
	ck_assert_uint_eq(t.n, LWM2M_TREE_MAX);
	put(&t, "/0/0/0", 1); /* takes the place of the note */
	ck_assert_uint_eq(t.n, LWM2M_TREE_MAX);
	put(&t, "/1/0/5", 1); /* replaces */
	ck_assert_uint_eq(lwm2m_tree_remove(&t, path("/1/0/6")), 1);
	put(&t, "/2/0/0", 1);
	ck_assert_uint_eq(t.n, LWM2M_TREE_MAX);
	lwm2m_tree_clear(&t);
}
END_TEST

START_TEST(spans_hold_what_is_under_a_path)
{
	static const struct {
		const char *at, *want;
	} rows[] = {
		{ "/", "/0/0/0=1 /0/0/1/5=2 /0/0/1/6=3 /0/10/0=4 /1/0" },
		{ "/0", "/0/0/0=1 /0/0/1/5=2 /0/0/1/6=3 /0/10/0=4" },
		{ "/0/0", "/0/0/0=1 /0/0/1/5=2 /0/0/1/6=3" },
		{ "/0/0/1", "/0/0/1/5=2 /0/0/1/6=3" },
		{ "/0/0/1/6", "/0/0/1/6=3" },
		{ "/0/1", "" },
		{ "/1", "/1/0" },
		{ "/1/0", "/1/0" },
		{ "/1/0/0", "" },
		{ "/2", "" },
	};
	struct lwm2m_tree t = { 0 };
	char text[512];

	ck_assert(!lwm2m_tree_has(&t, path("/")));
	put(&t, "/0/0/0", 1);
	put(&t, "/0/0/1/5", 2);
	put(&t, "/0/0/1/6", 3);
	put(&t, "/0/10/0", 4);
	note(&t, "/1/0");
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct lwm2m_span s = lwm2m_tree_under(&t, path(rows[i].at));
		struct lwm2m_tree c = { 0 };

		ck_assert_str_eq(text_of(s.nodes, s.n, text), rows[i].want);
		ck_assert_int_eq(lwm2m_tree_has(&t, path(rows[i].at)), s.n > 0);
		ck_assert_int_eq(lwm2m_tree_copy(&c, &t, NULL), ERR_OK);
		ck_assert_uint_eq(lwm2m_tree_remove(&c, path(rows[i].at)), s.n);
		ck_assert_uint_eq(c.n, t.n - s.n);
		ck_assert(!lwm2m_tree_has(&c, path(rows[i].at)));
		ck_assert_int_eq(lwm2m_tree_eq(&c, &t), s.n == 0);
		lwm2m_tree_clear(&c);
	}
	lwm2m_tree_clear(&t);
}
END_TEST

START_TEST(prefixes_of_a_span_are_walked)
{
	static const struct {
		uint8_t depth;
		const char *prefix[6];
		size_t n[6];
	} rows[] = {
		{ 0, { "/" }, { 6 } },
		{ 1, { "/0", "/1", "/3" }, { 4, 1, 1 } },
		{ 2, { "/0/0", "/0/10", "/1/0", "/3/0" }, { 3, 1, 1, 1 } },
		{ 3, { "/0/0/0", "/0/0/1", "/0/10/0", "/3/0/2" }, { 1, 2, 1, 1 } },
		{ 4, { "/0/0/1/5", "/0/0/1/6" }, { 1, 1 } },
	};
	struct lwm2m_tree t = { 0 };

	put(&t, "/0/0/0", 1);
	put(&t, "/0/0/1/5", 2);
	put(&t, "/0/0/1/6", 3);
	put(&t, "/0/10/0", 4);
	note(&t, "/1/0");
	put(&t, "/3/0/2", 5);
	struct lwm2m_span all = lwm2m_tree_under(&t, path("/"));
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct lwm2m_path prefix;
		struct lwm2m_span sub;
		size_t at = 0, k = 0;

		while (lwm2m_span_next(&all, rows[i].depth, &at, &prefix, &sub)) {
			ck_assert_ptr_nonnull(rows[i].prefix[k]);
			ck_assert_str_eq(lwm2m_path_str(prefix).s, rows[i].prefix[k]);
			ck_assert_uint_eq(sub.n, rows[i].n[k]);
			ck_assert(lwm2m_path_under(&sub.nodes[0].path, &prefix));
			k++;
		}
		ck_assert_ptr_null(rows[i].prefix[k]);
	}
	lwm2m_tree_clear(&t);
}
END_TEST

START_TEST(copies_are_equal_and_stand_alone)
{
	struct lwm2m_tree a = { 0 }, b = { 0 };
	struct lwm2m_value v;

	ck_assert(lwm2m_tree_eq(&a, &b));
	put(&a, "/0/0/0", 1);
	note(&a, "/1/0");
	ck_assert_int_eq(lwm2m_value_str(&v, "key", NULL), ERR_OK);
	ck_assert_int_eq(lwm2m_tree_put(&a, path("/0/0/5"), &v, NULL), ERR_OK);
	ck_assert(!lwm2m_tree_eq(&a, &b));
	ck_assert_int_eq(lwm2m_tree_copy(&b, &a, NULL), ERR_OK);
	ck_assert(lwm2m_tree_eq(&a, &b));
	put(&b, "/0/0/0", 2);
	ck_assert(!lwm2m_tree_eq(&a, &b));
	put(&b, "/0/0/0", 1);
	ck_assert(lwm2m_tree_eq(&a, &b));
	lwm2m_tree_remove(&b, path("/1"));
	note(&b, "/1/1");
	ck_assert(!lwm2m_tree_eq(&a, &b));
	lwm2m_tree_clear(&a);
	ck_assert_mem_eq(lwm2m_tree_get(&b, path("/0/0/5"))->bytes.data, "key", 4);
	lwm2m_tree_clear(&b);
}
END_TEST

START_TEST(a_tree_is_taken_whole)
{
	struct lwm2m_tree a = { 0 }, b = { 0 };
	struct err e = { .code = ERR_OK };

	put(&b, "/1/0/0", 1);
	put(&b, "/1/0/1", 2);
	ck_assert_int_eq(lwm2m_tree_take(&a, &b, &e), ERR_OK);
	is(&a, "/1/0/0=1 /1/0/1=2");
	is(&b, "");
	put(&b, "/0/0/0", 3);
	put(&b, "/1/0/1", 4);
	note(&b, "/2/0");
	ck_assert_int_eq(lwm2m_tree_take(&a, &b, &e), ERR_OK);
	is(&a, "/0/0/0=3 /1/0/0=1 /1/0/1=4 /2/0");
	is(&b, "");
	put(&b, "/1/0/1/7", 5);
	ck_assert_int_eq(lwm2m_tree_take(&a, &b, &e), ERR_INVALID);
	is(&a, "/0/0/0=3 /1/0/0=1 /1/0/1=4 /2/0");
	is(&b, "");
	lwm2m_tree_clear(&a);
}
END_TEST

/* Every invariant of the tree, from the outside. */
static void
holds_together(const struct lwm2m_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct lwm2m_path *p = &t->nodes[i].path;

		ck_assert_uint_ge(p->depth, LWM2M_INSTANCE);
		ck_assert_ptr_eq(lwm2m_tree_get(t, *p), &t->nodes[i].value);
		ck_assert((p->depth == LWM2M_INSTANCE) == (t->nodes[i].value.type == LWM2M_NONE));
		if (i == 0)
			continue;
		const struct lwm2m_path *q = &t->nodes[i - 1].path;
		ck_assert_int_lt(lwm2m_path_cmp(q, p), 0);
		ck_assert(!lwm2m_path_under(p, q)); /* no node under another */
	}
}

/* A small world, so that paths meet; a table as large as the world says what must be there. */
#define WORLD 3
START_TEST(any_sequence_of_changes_keeps_it_whole)
{
	uint64_t state = unit_seed();
	struct lwm2m_tree t = { 0 };
	int64_t want[WORLD][WORLD] = { { 0 } }; /* single Resources of object 0, 0: absent */

	for (int step = 1; step < 1500; step++) {
		uint64_t r = unit_random(&state);
		uint16_t inst = (uint16_t)(r % WORLD), res = (uint16_t)(r / 8 % WORLD);
		struct lwm2m_path p = lwm2m_path3(0, inst, res);
		struct lwm2m_value v = lwm2m_int(step);

		switch (r / 64 % 5) {
		case 0:
			ck_assert_int_eq(lwm2m_tree_put(&t, p, &v, NULL), ERR_OK);
			want[inst][res] = step;
			break;
		case 1:
			ck_assert_int_eq(lwm2m_tree_add(&t, p, &v, NULL),
			    want[inst][res] != 0 ? ERR_EXISTS : ERR_OK);
			want[inst][res] = want[inst][res] != 0 ? want[inst][res] : step;
			break;
		case 2:
			ck_assert_int_eq(
			    lwm2m_tree_put_instance(&t, lwm2m_path2(0, inst), NULL), ERR_OK);
			break;
		case 3:
			ck_assert_uint_eq(lwm2m_tree_remove(&t, p), want[inst][res] != 0);
			want[inst][res] = 0;
			break;
		case 4:
			(void)lwm2m_tree_put(&t, lwm2m_path4(1, inst, res, res), &v, NULL);
			break;
		}
		holds_together(&t);
		for (uint16_t i = 0; i < WORLD * WORLD; i++) {
			const struct lwm2m_value *got =
			    lwm2m_tree_get(&t, lwm2m_path3(0, i / WORLD, i % WORLD));
			ck_assert_int_eq(got == NULL ? 0 : got->i, want[i / WORLD][i % WORLD]);
		}
	}
	lwm2m_tree_clear(&t);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(nodes_stand_in_path_order, 0),
	UNIT_CASE(an_instance_is_noted_only_while_it_is_empty, 0),
	UNIT_CASE(what_does_not_fit_is_refused, 0),
	UNIT_CASE(the_number_of_nodes_is_bounded, 0),
	UNIT_CASE(spans_hold_what_is_under_a_path, 0),
	UNIT_CASE(prefixes_of_a_span_are_walked, 0),
	UNIT_CASE(copies_are_equal_and_stand_alone, 0),
	UNIT_CASE(a_tree_is_taken_whole, 0),
	UNIT_CASE(any_sequence_of_changes_keeps_it_whole, 0),
};

UNIT_SUITE_MAIN("tree", cases)
