#include "lib/lwm2m/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "tests/unit/unit.h"

static struct lwm2m_value
bytes(enum lwm2m_type type, const char *text)
{
	struct lwm2m_value v;

	ck_assert_int_eq(lwm2m_value_bytes(&v, type, text, strlen(text), NULL), ERR_OK);
	return v;
}

/* One of each that differs from all others, and where it prints as what. */
static const struct {
	enum lwm2m_type type;
	const char *text; /* bytes */
	int64_t i;
	double f;
	const char *printed;
	int same; /* rows of one number are equal, all others differ */
} samples[] = {
	{ LWM2M_NONE, NULL, 0, 0, "none", 1 },
	{ LWM2M_STRING, "", 0, 0, "\"\"", 2 },
	{ LWM2M_OPAQUE, "", 0, 0, "0 bytes", 2 },
	{ LWM2M_STRING, "ab", 0, 0, "\"ab\"", 3 },
	{ LWM2M_CORELNK, "ab", 0, 0, "\"ab\"", 3 },
	{ LWM2M_OPAQUE, "ab", 0, 0, "2 bytes", 3 },
	{ LWM2M_STRING, "a\"\n", 0, 0, "\"a\\\"\\n\"", 4 },
	{ LWM2M_STRING, "abc", 0, 0, "\"abc\"", 5 },
	{ LWM2M_INTEGER, NULL, 0, 0, "0", 6 },
	{ LWM2M_UNSIGNED, NULL, 0, 0, "0", 6 },
	{ LWM2M_TIME, NULL, 0, 0, "0", 6 },
	{ LWM2M_INTEGER, NULL, 1, 0, "1", 7 },
	{ LWM2M_UNSIGNED, NULL, 1, 0, "1", 7 },
	{ LWM2M_TIME, NULL, 1, 0, "1", 7 },
	{ LWM2M_INTEGER, NULL, -1, 0, "-1", 8 },
	{ LWM2M_UNSIGNED, NULL, -1, 0, "18446744073709551615", 9 },
	{ LWM2M_INTEGER, NULL, INT64_MIN, 0, "-9223372036854775808", 10 },
	{ LWM2M_INTEGER, NULL, INT64_MAX, 0, "9223372036854775807", 11 },
	{ LWM2M_UNSIGNED, NULL, INT64_MAX, 0, "9223372036854775807", 11 },
	{ LWM2M_UNSIGNED, NULL, INT64_MIN, 0, "9223372036854775808", 12 },
	{ LWM2M_BOOLEAN, NULL, 0, 0, "false", 13 },
	{ LWM2M_BOOLEAN, NULL, 1, 0, "true", 14 },
	{ LWM2M_FLOAT, NULL, 0, 0.0, "0", 15 },
	{ LWM2M_FLOAT, NULL, 0, -0.0, "-0", 15 },
	{ LWM2M_FLOAT, NULL, 0, 1.0, "1", 16 },
	{ LWM2M_FLOAT, NULL, 0, 0.1, "0.1", 17 },
	{ LWM2M_FLOAT, NULL, 0, 0.1 + 0.2, "0.30000000000000004", 18 },
	{ LWM2M_FLOAT, NULL, 0, (double)INFINITY, "inf", 19 },
	{ LWM2M_FLOAT, NULL, 0, (double)NAN, "nan", 20 },
	{ LWM2M_FLOAT, NULL, 0, -(double)NAN, "nan", 20 },
	{ LWM2M_OBJLNK, NULL, 0, 0, "0:0", 21 },
	{ LWM2M_OBJLNK, NULL, 0x00150000, 0, "21:0", 22 },
	{ LWM2M_OBJLNK, NULL, 0x00000015, 0, "0:21", 23 },
	{ LWM2M_OBJLNK, NULL, 0xffffffff, 0, "65535:65535", 24 },
};

static struct lwm2m_value
sample(size_t i)
{
	int64_t n = samples[i].i;

	switch (samples[i].type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		return bytes(samples[i].type, samples[i].text);
	case LWM2M_INTEGER:
		return lwm2m_int(n);
	case LWM2M_UNSIGNED:
		return lwm2m_uint((uint64_t)n);
	case LWM2M_TIME:
		return lwm2m_time(n);
	case LWM2M_BOOLEAN:
		return lwm2m_bool(n != 0);
	case LWM2M_FLOAT:
		return lwm2m_float(samples[i].f);
	case LWM2M_OBJLNK:
		return lwm2m_link((uint16_t)(n >> 16), (uint16_t)n);
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	return (struct lwm2m_value){ .type = LWM2M_NONE };
}

START_TEST(equal_is_what_formats_cannot_keep_apart)
{
	for (size_t i = 0; i < N_ELEMS(samples); i++) {
		for (size_t k = 0; k < N_ELEMS(samples); k++) {
			struct lwm2m_value a = sample(i), b = sample(k);

			ck_assert_msg(
			    lwm2m_value_eq(&a, &b) == (samples[i].same == samples[k].same),
			    "%s %s and %s %s", lwm2m_type_name(a.type), samples[i].printed,
			    lwm2m_type_name(b.type), samples[k].printed);
			lwm2m_value_clear(&a);
			lwm2m_value_clear(&b);
		}
	}
}
END_TEST

START_TEST(values_are_printed_for_people)
{
	for (size_t i = 0; i < N_ELEMS(samples); i++) {
		struct lwm2m_value v = sample(i);
		struct gbuf out = { 0 };

		gbuf_str(&out, "is ");
		lwm2m_value_print(&out, &v);
		ck_assert_str_eq(gbuf_cstr(&out) + 3, samples[i].printed);
		gbuf_clear(&out);
		lwm2m_value_clear(&v);
	}
}
END_TEST

START_TEST(a_copy_stands_alone)
{
	for (size_t i = 0; i < N_ELEMS(samples); i++) {
		struct lwm2m_value a = sample(i), b;

		ck_assert_int_eq(lwm2m_value_copy(&b, &a, NULL), ERR_OK);
		ck_assert_int_eq(a.type, b.type);
		ck_assert(lwm2m_value_eq(&a, &b));
		if (lwm2m_type_has_bytes(a.type) && a.bytes.len > 0)
			ck_assert_ptr_ne(a.bytes.data, b.bytes.data);
		lwm2m_value_clear(&a);
		ck_assert_int_eq(a.type, LWM2M_NONE);
		lwm2m_value_clear(&a);
		ck_assert_int_eq(b.type, samples[i].type);
		lwm2m_value_clear(&b);
	}
}
END_TEST

START_TEST(bytes_may_hold_anything)
{
	struct lwm2m_value v;

	ck_assert_int_eq(lwm2m_value_bytes(&v, LWM2M_OPAQUE, "a\0b", 3, NULL), ERR_OK);
	ck_assert_uint_eq(v.bytes.len, 3);
	ck_assert_mem_eq(v.bytes.data, "a\0b", 4); /* and a NUL behind */
	lwm2m_value_clear(&v);
	ck_assert_int_eq(lwm2m_value_bytes(&v, LWM2M_OPAQUE, NULL, 0, NULL), ERR_OK);
	ck_assert_int_eq(v.type, LWM2M_OPAQUE);
	ck_assert_ptr_null(v.bytes.data);
	lwm2m_value_clear(&v);
	ck_assert_int_eq(lwm2m_value_str(&v, "U", NULL), ERR_OK);
	ck_assert_int_eq(v.type, LWM2M_STRING);
	ck_assert_uint_eq(v.bytes.len, 1);
	lwm2m_value_clear(&v);
}
END_TEST

START_TEST(numbers_come_out_where_they_fit)
{
	static const struct {
		struct lwm2m_value v;
		bool ok;
		int64_t n;
	} rows[] = {
		{ { .type = LWM2M_INTEGER, .i = INT64_MIN }, true, INT64_MIN },
		{ { .type = LWM2M_TIME, .i = -5 }, true, -5 },
		{ { .type = LWM2M_UNSIGNED, .u = INT64_MAX }, true, INT64_MAX },
		{ { .type = LWM2M_UNSIGNED, .u = (uint64_t)INT64_MAX + 1 }, false, 0 },
		{ { .type = LWM2M_BOOLEAN, .b = true }, true, 1 },
		{ { .type = LWM2M_BOOLEAN, .b = false }, true, 0 },
		{ { .type = LWM2M_FLOAT, .f = 1 }, false, 0 },
		{ { .type = LWM2M_OBJLNK, .link = { 1, 2 } }, false, 0 },
		{ { .type = LWM2M_NONE }, false, 0 },
		{ { .type = LWM2M_STRING, .bytes = { NULL, 0 } }, false, 0 },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		int64_t n = 4711;

		ck_assert_int_eq(lwm2m_value_number(&rows[i].v, &n), rows[i].ok);
		ck_assert_int_eq(n, rows[i].ok ? rows[i].n : 4711);
	}
}
END_TEST

START_TEST(types_have_names)
{
	static const char *const names[] = { "none", "string", "integer", "unsigned integer",
		"float", "boolean", "opaque", "time", "objlnk", "corelnk", "unknown" };

	for (int t = 0; t <= LWM2M__TYPES; t++) {
		bool has = t == LWM2M_STRING || t == LWM2M_OPAQUE || t == LWM2M_CORELNK;

		ck_assert_str_eq(lwm2m_type_name((enum lwm2m_type)t), names[t]);
		ck_assert_int_eq(lwm2m_type_has_bytes((enum lwm2m_type)t), has);
	}
	ck_assert_str_eq(lwm2m_type_name((enum lwm2m_type) - 1), "unknown");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(equal_is_what_formats_cannot_keep_apart, 0),
	UNIT_CASE(values_are_printed_for_people, 0),
	UNIT_CASE(a_copy_stands_alone, 0),
	UNIT_CASE(bytes_may_hold_anything, 0),
	UNIT_CASE(numbers_come_out_where_they_fit, 0),
	UNIT_CASE(types_have_names, 0),
};

UNIT_SUITE_MAIN("value", cases)
