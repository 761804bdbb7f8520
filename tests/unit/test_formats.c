#include <stdio.h>
#include <string.h>

#include "tests/fuzz/codec.h"
#include "tests/unit/codec_rows.h"

#define ROUNDS 200 /* trees by chance */

static uint64_t
below(uint64_t *state, uint64_t n)
{
	return unit_random(state) % n;
}

/* A number of any size: most are small, some are at an edge. */
static uint64_t
any_number(uint64_t *state)
{
	uint64_t bits = below(state, 65);
	uint64_t n = bits == 0 ? 0 : unit_random(state) >> (64 - bits);

	return below(state, 4) == 0 && bits < 64 ? ((uint64_t)1 << bits) - below(state, 2) : n;
}

static double
any_float(uint64_t *state)
{
	static const double edges[] = { 0.0, -0.0, 1.0, 21.5, 0.1, 1e300, -5e-324,
		3.4028234663852886e38, 1e16, 9007199254740993.0 };
	double f;
	uint64_t bits = unit_random(state);

	memcpy(&f, &bits, sizeof f);
	if (below(state, 2) == 0 || f != f || f - f != 0.0)
		return edges[below(state, N_ELEMS(edges))];
	return f;
}

static void
any_bytes(uint64_t *state, enum lwm2m_type type, struct lwm2m_value *v)
{
	static const char *const texts[] = { "", "U", "coaps://srv.example:5684",
		"\xc3\xa4\xe2\x82\xac", "\"\\\n\t/\x7f", "21:0", "</1/0>;ssid=1" };
	uint8_t bytes[300];
	size_t n = below(state, 4) == 0 ? below(state, sizeof bytes) : below(state, 20);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)unit_random(state);
	const char *text = texts[below(state, N_ELEMS(texts))];
	if (type != LWM2M_OPAQUE)
		ck_assert_int_eq(lwm2m_value_bytes(v, type, text, strlen(text), NULL), ERR_OK);
	else
		ck_assert_int_eq(lwm2m_value_bytes(v, type, bytes, n, NULL), ERR_OK);
}

static struct lwm2m_value
any_value(uint64_t *state, enum lwm2m_type type)
{
	struct lwm2m_value v = { .type = LWM2M_NONE };
	uint64_t n = any_number(state);
	int64_t i = below(state, 2) == 0 ? (int64_t)(n >> 1) : -1 - (int64_t)(n >> 1);

	switch (type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		any_bytes(state, type, &v);
		return v;
	case LWM2M_INTEGER:
		return lwm2m_int(i);
	case LWM2M_TIME:
		return lwm2m_time(i);
	case LWM2M_UNSIGNED:
		return lwm2m_uint(n >> 1); /* all of JSON's readers hold it */
	case LWM2M_FLOAT:
		return lwm2m_float(any_float(state));
	case LWM2M_BOOLEAN:
		return lwm2m_bool(below(state, 2) == 0);
	case LWM2M_OBJLNK:
		return below(state, 5) == 0 ? lwm2m_link(65535, 65535)
		                            : lwm2m_link((uint16_t)below(state, 65535),
		                                  (uint16_t)below(state, 65535));
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	ck_abort_msg("no value has that type");
	return v;
}

static uint16_t
any_id(uint64_t *state)
{
	return (uint16_t)(below(state, 3) == 0 ? below(state, 65535) : below(state, 4));
}

static void
put_any(struct lwm2m_tree *t, uint64_t *state, uint16_t iid)
{
	enum lwm2m_type type =
	    (enum lwm2m_type)(LWM2M_STRING + below(state, LWM2M__TYPES - LWM2M_STRING));
	struct lwm2m_path p = lwm2m_path3(CODEC_OBJECT, iid, (uint16_t)type);
	struct lwm2m_value v = any_value(state, type);

	if (below(state, 2) == 0) {
		p.id[2] += CODEC_MULTIPLE;
		p = lwm2m_path_child(p, any_id(state));
	}
	ck_assert_int_eq(lwm2m_tree_put(t, p, &v, NULL), ERR_OK);
}

static struct lwm2m_tree
any_tree(uint64_t *state)
{
	struct lwm2m_tree t = { 0 };

	for (uint64_t n = 1 + below(state, 3); n > 0; n--) {
		uint16_t iid = any_id(state);
		for (uint64_t k = 1 + below(state, 20); k > 0; k--)
			put_any(&t, state, iid);
	}
	return t;
}

/* The part of t at or under base in this format and back: equal. */
static void
check_there_and_back(
    const struct lwm2m_format *f, const struct lwm2m_tree *t, struct lwm2m_path base)
{
	struct lwm2m_span span = lwm2m_tree_under(t, base);
	struct lwm2m_tree part = { .nodes = (struct lwm2m_node *)(uintptr_t)span.nodes,
		.n = span.n };
	struct lwm2m_tree back = { 0 };
	struct gbuf out = { 0 };
	struct err e = { .code = ERR_OK };

	enum err_code rc = f->encode(base, span, &out, &e);
	ck_assert_msg(rc == ERR_OK, "%s: does not encode: %s", f->name, e.msg);
	rc = f->decode(codec_model(), base, out.data, out.len, &back, &e);
	ck_assert_msg(rc == ERR_OK, "%s: does not decode: %s", f->name, e.msg);
	if (!lwm2m_tree_eq(&part, &back)) {
		struct gbuf was = { 0 }, is = { 0 };
		codec_print(&part, &was);
		codec_print(&back, &is);
		ck_abort_msg("%s: %s became %s", f->name, gbuf_cstr(&was), gbuf_cstr(&is));
	}
	lwm2m_tree_clear(&back);
	gbuf_clear(&out);
}

static bool
says(const struct lwm2m_format *f, const struct lwm2m_node *node)
{
	if (f->number == LWM2M_CF_OPAQUE)
		return node->path.depth == LWM2M_RESOURCE && node->value.type == LWM2M_OPAQUE;
	return !f->single || node->path.depth == LWM2M_RESOURCE;
}

static void
check_format(const struct lwm2m_format *f, const struct lwm2m_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (says(f, &t->nodes[i]))
			check_there_and_back(f, t, lwm2m_path_up(t->nodes[i].path, LWM2M_RESOURCE));
	if (f->single)
		return;
	check_there_and_back(f, t, lwm2m_path1(CODEC_OBJECT));
	for (size_t i = 0; i < t->n; i++)
		check_there_and_back(f, t, lwm2m_path_up(t->nodes[i].path, LWM2M_INSTANCE));
}

START_TEST(every_format_says_the_same)
{
	uint64_t state = unit_seed();

	for (int round = 0; round < ROUNDS; round++) {
		struct lwm2m_tree t = any_tree(&state);
		for (size_t i = 0; lwm2m_format_at(i) != NULL; i++)
			check_format(lwm2m_format_at(i), &t);
		lwm2m_tree_clear(&t);
	}
}
END_TEST

/* A full tree, and the payload that a device makes of it in each format. */
START_TEST(a_tree_has_a_bound)
{
	struct lwm2m_node nodes[LWM2M_TREE_MAX + 1];
	struct lwm2m_path base = lwm2m_path1(9999);

	for (size_t i = 0; i < N_ELEMS(nodes); i++)
		nodes[i] = (struct lwm2m_node){
			.path = lwm2m_path3(9999, (uint16_t)(i / 100), (uint16_t)(i % 100)),
			.value = lwm2m_bool(true),
		};
	for (size_t i = 0; lwm2m_format_at(i) != NULL; i++) {
		const struct lwm2m_format *f = lwm2m_format_at(i);
		struct lwm2m_tree t = { 0 };
		struct gbuf full = { 0 }, over = { 0 };
		struct lwm2m_span span = { .nodes = nodes, .n = LWM2M_TREE_MAX };
		struct err e;

		if (f->single)
			continue;
		ck_assert_int_eq(f->encode(base, span, &full, NULL), ERR_OK);
		span.n++;
		ck_assert_int_eq(f->encode(base, span, &over, NULL), ERR_OK);
		enum err_code rc = f->decode(codec_model(), base, full.data, full.len, &t, NULL);
		ck_assert_int_eq(rc, ERR_OK);
		ck_assert_uint_eq(t.n, LWM2M_TREE_MAX);
		lwm2m_tree_clear(&t);
		rc = f->decode(codec_model(), base, over.data, over.len, &t, &e);
		ck_assert_int_eq(rc, ERR_LIMIT);
		ck_assert_str_eq(e.msg, "/9999/40/96: more than 4096 values");
		ck_assert_uint_eq(t.n, 0);
		gbuf_clear(&full);
		gbuf_clear(&over);
	}
}
END_TEST

START_TEST(a_format_is_found_by_number_and_by_name)
{
	static const struct {
		uint16_t number;
		const char *name;
		bool single;
	} rows[] = {
		{ 0, "text", true },
		{ 42, "opaque", true },
		{ 60, "cbor", true },
		{ 110, "senml-json", false },
		{ 112, "senml-cbor", false },
		{ 11542, "tlv", false },
		{ 11544, "lwm2m-cbor", false },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct lwm2m_format *f = lwm2m_format(rows[i].number);
		ck_assert_ptr_nonnull(f);
		ck_assert_uint_eq(f->number, rows[i].number);
		ck_assert_str_eq(f->name, rows[i].name);
		ck_assert(f->single == rows[i].single);
		ck_assert_ptr_eq(lwm2m_format_by_name(rows[i].name), f);
	}
	ck_assert_ptr_null(lwm2m_format_at(N_ELEMS(rows)));
	ck_assert_ptr_null(lwm2m_format(LWM2M_CF_LINK));
	ck_assert_ptr_null(lwm2m_format(1));
	ck_assert_ptr_null(lwm2m_format_by_name("senml"));
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_format_is_found_by_number_and_by_name, 0),
	UNIT_CASE(a_tree_has_a_bound, 0),
	UNIT_CASE(every_format_says_the_same, 0),
};
UNIT_SUITE_MAIN("formats", cases)
