#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lwm2m/format.h"
#include "tests/fuzz/codec.h"

#define T CODEC_OBJECT
#define TEXT LWM2M_CF_TEXT
#define OPAQUE LWM2M_CF_OPAQUE

/* own: what we write for it is exactly that. */
static const struct {
	uint16_t format, object, resource;
	const char *payload;
	size_t n;
	const char *tree;
	bool own;
} good[] = {
	{ TEXT, 1, 7, "U", 1, "/1/0/7 string \"U\"", true },
	{ TEXT, 1, 7, "", 0, "/1/0/7 string \"\"", true },
	{ TEXT, 1, 7, "a\nb", 3, "/1/0/7 string \"a\\nb\"", true },
	{ TEXT, 1, 1, "86400", 5, "/1/0/1 integer 86400", true },
	{ TEXT, 1, 1, "-129", 4, "/1/0/1 integer -129", true },
	{ TEXT, 1, 1, "007", 3, "/1/0/1 integer 7", false },
	{ TEXT, 1, 1, "-9223372036854775808", 20, "/1/0/1 integer -9223372036854775808", true },
	{ TEXT, T, 3, "18446744073709551615", 20,
	    "/32769/0/3 unsigned integer 18446744073709551615", true },
	{ TEXT, T, 4, "21.5", 4, "/32769/0/4 float 21.5", true },
	{ TEXT, T, 4, "-750", 4, "/32769/0/4 float -750", true },
	{ TEXT, T, 4, "0.1", 3, "/32769/0/4 float 0.1", true },
	{ TEXT, T, 4, "1.25e-3", 7, "/32769/0/4 float 0.00125", false },
	{ TEXT, T, 4, "0", 1, "/32769/0/4 float 0", true },
	{ TEXT, 1, 6, "1", 1, "/1/0/6 boolean true", true },
	{ TEXT, 1, 6, "0", 1, "/1/0/6 boolean false", true },
	{ TEXT, 0, 5, "AQIDBAU=", 8, "/0/0/5 opaque 0102030405", true },
	{ TEXT, 0, 5, "", 0, "/0/0/5 opaque ", true },
	{ TEXT, 3, 13, "1367491215", 10, "/3/0/13 time 1367491215", true },
	{ TEXT, 0, 17, "21:0", 4, "/0/0/17 objlnk 21:0", true },
	{ TEXT, 1, 10, "65535:65535", 11, "/1/0/10 objlnk 65535:65535", true },
	{ TEXT, 1, 10, "FFFF:FFFF", 9, "/1/0/10 objlnk 65535:65535", false },
	{ TEXT, T, 9, "</3/0>", 6, "/32769/0/9 corelnk \"</3/0>\"", true },
	{ TEXT, 9999, 1, "what", 4, "/9999/0/1 string \"what\"", true },
	{ OPAQUE, 0, 5, "\x00\x01\xff", 3, "/0/0/5 opaque 0001ff", true },
	{ OPAQUE, 0, 5, "", 0, "/0/0/5 opaque ", true },
	{ OPAQUE, 9999, 1, "\x00", 1, "/9999/0/1 opaque 00", true },
};

START_TEST(one_value_is_read_and_written)
{
	const struct lwm2m_format *f = lwm2m_format(good[_i].format);
	struct lwm2m_path base = lwm2m_path3(good[_i].object, 0, good[_i].resource);
	const uint8_t *p = (const uint8_t *)good[_i].payload;
	struct lwm2m_tree t = { 0 };
	struct gbuf text = { 0 }, out = { 0 };
	struct err e = { .code = ERR_OK };

	enum err_code rc = f->decode(codec_model(), base, p, good[_i].n, &t, &e);
	ck_assert_msg(rc == ERR_OK, "%s", e.msg);
	codec_print(&t, &text);
	ck_assert_str_eq(gbuf_cstr(&text), good[_i].tree);
	if (good[_i].own) {
		struct lwm2m_span all = { t.nodes, t.n };

		ck_assert_int_eq(f->encode(base, all, &out, &e), ERR_OK);
		ck_assert_uint_eq(out.len, good[_i].n);
		ck_assert(out.len == 0 || memcmp(out.data, p, out.len) == 0);
	}
	ck_assert(codec_check(f, base, p, good[_i].n));
	lwm2m_tree_clear(&t);
	gbuf_clear(&text);
	gbuf_clear(&out);
}
END_TEST

#define NO(type) "is no " type " in text, or out of range"

static const struct {
	uint16_t format;
	struct lwm2m_path base;
	const char *payload;
	enum err_code code;
	const char *msg;
} bad[] = {
	{ TEXT, { { 1, 0 }, 2 }, "1", ERR_UNSUPPORTED,
	    "/1/0: this format is of one single Resource" },
	{ TEXT, { { 2, 0, 2, 1 }, 4 }, "1", ERR_UNSUPPORTED,
	    "/2/0/2/1: this format is of one single Resource" },
	{ TEXT, { { 2, 0, 2 }, 3 }, "1", ERR_UNSUPPORTED,
	    "/2/0/2: a Multiple Resource, this format is of a single one" },
	{ TEXT, { { 1, 0, 9 }, 3 }, "", ERR_INVALID,
	    "/1/0/9: an executable Resource has no value" },
	{ TEXT, { { 1, 0, 7 }, 3 }, "\xff", ERR_PARSE, "/1/0/7: string is not UTF-8 without NUL" },
	{ TEXT, { { T, 0, 9 }, 3 }, "\xc3", ERR_PARSE,
	    "/32769/0/9: corelnk is not UTF-8 without NUL" },
	{ TEXT, { { 1, 0, 1 }, 3 }, "", ERR_PARSE, "/1/0/1: " NO("integer") },
	{ TEXT, { { 1, 0, 1 }, 3 }, "-", ERR_PARSE, "/1/0/1: " NO("integer") },
	{ TEXT, { { 1, 0, 1 }, 3 }, "+1", ERR_PARSE, "/1/0/1: " NO("integer") },
	{ TEXT, { { 1, 0, 1 }, 3 }, " 1", ERR_PARSE, "/1/0/1: " NO("integer") },
	{ TEXT, { { 1, 0, 1 }, 3 }, "1\n", ERR_PARSE, "/1/0/1: " NO("integer") },
	{ TEXT, { { 1, 0, 1 }, 3 }, "1.0", ERR_PARSE, "/1/0/1: " NO("integer") },
	{ TEXT, { { 1, 0, 1 }, 3 }, "0x10", ERR_PARSE, "/1/0/1: " NO("integer") },
	{ TEXT, { { 1, 0, 1 }, 3 }, "9223372036854775808", ERR_PARSE, "/1/0/1: " NO("integer") },
	{ TEXT, { { T, 0, 3 }, 3 }, "-1", ERR_PARSE, "/32769/0/3: " NO("unsigned integer") },
	{ TEXT, { { T, 0, 3 }, 3 }, "18446744073709551616", ERR_PARSE,
	    "/32769/0/3: " NO("unsigned integer") },
	{ TEXT, { { T, 0, 4 }, 3 }, "", ERR_PARSE, "/32769/0/4: " NO("float") },
	{ TEXT, { { T, 0, 4 }, 3 }, ".5", ERR_PARSE, "/32769/0/4: " NO("float") },
	{ TEXT, { { T, 0, 4 }, 3 }, "5.", ERR_PARSE, "/32769/0/4: " NO("float") },
	{ TEXT, { { T, 0, 4 }, 3 }, "1e", ERR_PARSE, "/32769/0/4: " NO("float") },
	{ TEXT, { { T, 0, 4 }, 3 }, "1e400", ERR_PARSE, "/32769/0/4: " NO("float") },
	{ TEXT, { { T, 0, 4 }, 3 }, "nan", ERR_PARSE, "/32769/0/4: " NO("float") },
	{ TEXT, { { T, 0, 4 }, 3 }, "0x1p3", ERR_PARSE, "/32769/0/4: " NO("float") },
	{ TEXT, { { T, 0, 4 }, 3 }, "1 ", ERR_PARSE, "/32769/0/4: " NO("float") },
	{ TEXT, { { 1, 0, 6 }, 3 }, "true", ERR_PARSE, "/1/0/6: " NO("boolean") },
	{ TEXT, { { 1, 0, 6 }, 3 }, "2", ERR_PARSE, "/1/0/6: " NO("boolean") },
	{ TEXT, { { 1, 0, 6 }, 3 }, "", ERR_PARSE, "/1/0/6: " NO("boolean") },
	{ TEXT, { { 3, 0, 13 }, 3 }, "2013-05-02", ERR_PARSE, "/3/0/13: " NO("time") },
	{ TEXT, { { 0, 1, 17 }, 3 }, "21", ERR_PARSE, "/0/1/17: " NO("objlnk") },
	{ TEXT, { { 0, 1, 17 }, 3 }, "21:", ERR_PARSE, "/0/1/17: " NO("objlnk") },
	{ TEXT, { { 0, 1, 17 }, 3 }, "21:0:0", ERR_PARSE, "/0/1/17: " NO("objlnk") },
	{ TEXT, { { 0, 1, 17 }, 3 }, "0:65536", ERR_PARSE, "/0/1/17: " NO("objlnk") },
	{ TEXT, { { 0, 1, 17 }, 3 }, "65536:0", ERR_PARSE, "/0/1/17: " NO("objlnk") },
	{ TEXT, { { 0, 1, 5 }, 3 }, "AQI", ERR_PARSE,
	    "/0/1/5: base64: 3 characters, not a multiple of four" },
	{ OPAQUE, { { 1, 0, 7 }, 3 }, "U", ERR_INVALID,
	    "/1/0/7: is string, this format is of opaque Resources" },
	{ OPAQUE, { { 0, 1 }, 2 }, "U", ERR_UNSUPPORTED,
	    "/0/1: this format is of one single Resource" },
};

START_TEST(what_is_wrong_is_refused_with_its_place)
{
	const struct lwm2m_format *f = lwm2m_format(bad[_i].format);
	const uint8_t *p = (const uint8_t *)bad[_i].payload;
	size_t n = strlen(bad[_i].payload);
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };

	ck_assert_int_eq(f->decode(codec_model(), bad[_i].base, p, n, &t, &e), bad[_i].code);
	ck_assert_str_eq(e.msg, bad[_i].msg);
	ck_assert_ptr_null(t.nodes);
	ck_assert_int_eq(f->decode(codec_model(), bad[_i].base, p, n, &t, NULL), bad[_i].code);
	ck_assert(!codec_check(f, bad[_i].base, p, n));
}
END_TEST

START_TEST(a_nul_inside_is_no_text)
{
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };
	struct lwm2m_path base = lwm2m_path3(1, 0, 7);

	ck_assert_int_eq(lwm2m_text_decode(codec_model(), base, (const uint8_t *)"a\0b", 3, &t, &e),
	    ERR_PARSE);
	ck_assert_str_eq(e.msg, "/1/0/7: string is not UTF-8 without NUL");
	ck_assert_ptr_null(t.nodes);
}
END_TEST

static const struct {
	double f;
	const char *text; /* NULL: too long to stand here */
} floats[] = {
	{ 21.5, "21.5" },
	{ -0.0, "-0" },
	{ 100, "100" },
	{ 1e15, "1000000000000000" },
	{ 1.0 / 3, "0.3333333333333333" },
	{ 1e-7, "0.0000001" },
	{ 0.1 + 0.2, "0.30000000000000004" },
	{ 123456789012345680.0, "123456789012345680" },
	{ 1.7976931348623157e308, NULL },
	{ -5e-324, NULL },
	{ 2.2250738585072014e-308, NULL },
};

START_TEST(floats_have_no_exponent_and_keep_every_bit)
{
	struct lwm2m_node node = { .path = lwm2m_path3(T, 0, LWM2M_FLOAT) };
	struct lwm2m_span one = { &node, 1 };
	struct lwm2m_tree t = { 0 };
	struct gbuf out = { 0 };

	node.value = lwm2m_float(floats[_i].f);
	ck_assert_int_eq(lwm2m_text_encode(node.path, one, &out, NULL), ERR_OK);
	if (floats[_i].text != NULL)
		ck_assert_str_eq(gbuf_cstr(&out), floats[_i].text);
	ck_assert_ptr_null(strchr(gbuf_cstr(&out), 'e'));
	ck_assert_int_eq(lwm2m_text_decode(codec_model(), node.path, out.data, out.len, &t, NULL),
	    ERR_OK);
	ck_assert_mem_eq(&lwm2m_tree_get(&t, node.path)->f, &floats[_i].f, sizeof floats[_i].f);
	lwm2m_tree_clear(&t);
	gbuf_clear(&out);
}
END_TEST

START_TEST(what_the_format_cannot_say_is_refused)
{
	struct lwm2m_node two[] = {
		{ .path = lwm2m_path3(1, 0, 0), .value = lwm2m_int(1) },
		{ .path = lwm2m_path3(1, 0, 1), .value = lwm2m_int(86400) },
	};
	struct lwm2m_node multiple = { .path = lwm2m_path4(2, 0, 2, 1), .value = lwm2m_int(1) };
	struct lwm2m_node none = { .path = lwm2m_path3(1, 0, 8) };
	struct lwm2m_node nan = { .path = lwm2m_path3(T, 0, 4), .value = lwm2m_float(NAN) };
	const struct {
		lwm2m_encode_fn *encode;
		struct lwm2m_path base;
		struct lwm2m_span span;
		const char *msg;
	} rows[] = {
		{ lwm2m_text_encode, { { 1, 0 }, 2 }, { two, 2 },
		    "/1/0: this format is of one single Resource" },
		{ lwm2m_text_encode, { { 1, 0 }, 2 }, { two, 1 },
		    "/1/0: this format is of one single Resource" },
		{ lwm2m_text_encode, { { 1, 0, 0 }, 3 }, { NULL, 0 },
		    "/1/0/0: this format is of one single Resource" },
		{ lwm2m_text_encode, { { 2, 0, 2 }, 3 }, { &multiple, 1 },
		    "/2/0/2: this format is of one single Resource" },
		{ lwm2m_text_encode, { { 1, 0, 8 }, 3 }, { &none, 1 },
		    "/1/0/8: no value to write" },
		{ lwm2m_text_encode, { { T, 0, 4 }, 3 }, { &nan, 1 },
		    "/32769/0/4: not a number that text can say" },
		{ lwm2m_opaque_encode, { { 1, 0, 0 }, 3 }, { two, 1 },
		    "/1/0/0: is integer, this format is of opaque Resources" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct gbuf out = { 0 };
		struct err e = { .code = ERR_OK };

		ck_assert_int_eq(rows[i].encode(rows[i].base, rows[i].span, &out, &e),
		    ERR_UNSUPPORTED);
		ck_assert_str_eq(e.msg, rows[i].msg);
		ck_assert_uint_eq(out.len, 0);
	}
}
END_TEST

START_TEST(the_table_finds_by_number_and_name)
{
	const struct lwm2m_format *f;
	size_t n = 0;

	while ((f = lwm2m_format_at(n)) != NULL) {
		ck_assert_ptr_eq(lwm2m_format(f->number), f);
		ck_assert_ptr_eq(lwm2m_format_by_name(f->name), f);
		ck_assert(f->decode != NULL && f->encode != NULL && f->media_type != NULL);
		n++;
	}
	ck_assert_uint_ge(n, 3);
	ck_assert_str_eq(lwm2m_format_by_name("tlv")->media_type, "application/vnd.oma.lwm2m+tlv");
	ck_assert_uint_eq(lwm2m_format_by_name("text")->number, 0);
	ck_assert_ptr_null(lwm2m_format(LWM2M_CF_LINK));
	ck_assert_ptr_null(lwm2m_format(1));
	ck_assert_ptr_null(lwm2m_format_by_name("TLV"));
	ck_assert_ptr_null(lwm2m_format_by_name(""));
}
END_TEST

START_TEST(damaged_payloads_do_no_harm)
{
	uint8_t bytes[64];
	uint64_t state = unit_seed();
	unsigned kept = 0, all = 20000;

	for (unsigned i = 0; i < all; i++) {
		size_t row = (size_t)(unit_random(&state) % N_ELEMS(good));
		struct lwm2m_path base = lwm2m_path3(good[row].object, 0, good[row].resource);

		memcpy(bytes, good[row].payload, good[row].n);
		size_t n = codec_mutate(bytes, good[row].n, sizeof bytes, &state);
		kept += codec_check(lwm2m_format(good[row].format), base, bytes, n) ? 1 : 0;
	}
	ck_assert_uint_gt(kept, all / 100); /* some must get through, or the check above is idle */
	ck_assert_uint_lt(kept, all);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(one_value_is_read_and_written, N_ELEMS(good)),
	UNIT_CASE(what_is_wrong_is_refused_with_its_place, N_ELEMS(bad)),
	UNIT_CASE(a_nul_inside_is_no_text, 0),
	UNIT_CASE(floats_have_no_exponent_and_keep_every_bit, N_ELEMS(floats)),
	UNIT_CASE(what_the_format_cannot_say_is_refused, 0),
	UNIT_CASE(the_table_finds_by_number_and_name, 0),
	UNIT_CASE(damaged_payloads_do_no_harm, 0),
};

UNIT_SUITE_MAIN("text", cases)
