#include "tests/fuzz/codec.h"
#include "tests/unit/codec_rows.h"

#include <string.h>

/* clang-format off */
static const struct good_row good[] = {
	{ "/1/0",
	    "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":86400},"
	    "{\"n\":\"6\",\"vb\":true},{\"n\""
	    ":\"7\",\"vs\":\"U\"}]",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string "
	    "\"U\"", true },
	{ "/0/1",
	    "[{\"bn\":\"/0/1/\",\"n\":\"0\",\"vs\":\"coaps://srv.example:5684\"},"
	    "{\"n\":\"1\",\"vb\":false}"
	    ",{\"n\":\"2\",\"v\":0},{\"n\":\"3\",\"vd\":\"ZGV2LTE\"},"
	    "{\"n\":\"4\",\"vd\":\"\"},{\"n\":\"5\",\"vd\":\"A"
	    "QIDBAUGBwgJCgsMDQ4PEA\"},{\"n\":\"10\",\"v\":101}]",
	    "/0/1/0 string \"coaps://srv.example:5684\"; /0/1/1 boolean false; /0/1/2 "
	    "integer 0; /0/1/3 opaque 6465762d31; /0/1/4 opaque ; /0/1/5 opaque "
	    "0102030405060708090a0b0c0d0e0f10; /0/1/10 integer 101", true },
	{ "/0/1/17", "[{\"bn\":\"/0/1/17\",\"vlo\":\"21:0\"}]", "/0/1/17 objlnk 21:0", true },
	{ "/0/1/16",
	    "[{\"bn\":\"/0/1/16/\",\"n\":\"0\",\"v\":49320},{\"n\":\"1\",\"v\":174}]",
	    "/0/1/16/0 unsigned integer 49320; /0/1/16/1 unsigned integer 174", true },
	{ "/2/0",
	    "[{\"bn\":\"/2/0/\",\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"v\":0},"
	    "{\"n\":\"2/101\",\"v\":31},{\"n\":\"2/1"
	    "02\",\"v\":1},{\"n\":\"3\",\"v\":101}]",
	    "/2/0/0 integer 3; /2/0/1 integer 0; /2/0/2/101 integer 31; /2/0/2/102 integer "
	    "1; /2/0/3 integer 101", true },
	{ "/1", "[{\"bn\":\"/1/\",\"n\":\"0/0\",\"v\":101},{\"n\":\"1/0\",\"v\":102}]",
	    "/1/0/0 integer 101; /1/1/0 integer 102", true },
	{ "/",
	    "[{\"bn\":\"/\",\"n\":\"0/1/0\",\"vs\":\"coap://a\"},{\"n\":\"1/0/0\",\"v\":1}]",
	    "/0/1/0 string \"coap://a\"; /1/0/0 integer 1", true },
	{ "/1", "[]", "", true },
	{ "/32769/0",
	    "[{\"bn\":\"/32769/0/\",\"n\":\"1\",\"vs\":\"ä\\\"\\\\/\\u0007\"},"
	    "{\"n\":\"2\",\"v\":-92233720368547"
	    "75808},{\"n\":\"3\",\"v\":9223372036854775807},{\"n\":\"4\",\"v\":21.5},"
	    "{\"n\":\"5\",\"vb\":tr"
	    "ue},{\"n\":\"6\",\"vd\":\"-_8\"},{\"n\":\"7\",\"v\":-1},"
	    "{\"n\":\"8\",\"vlo\":\"65535:65535\"},{\"n\""
	    ":\"9\",\"vs\":\"</1>\"}]",
	    "/32769/0/1 string \"ä\\\"\\\\/\\x07\"; /32769/0/2 integer -9223372036854775808; "
	    "/32769/0/3 unsigned integer 9223372036854775807; /32769/0/4 float 21.5; "
	    "/32769/0/5 boolean true; /32769/0/6 opaque fbff; /32769/0/7 time -1; /32769/0/8 "
	    "objlnk 65535:65535; /32769/0/9 corelnk \"</1>\"", true },
	{ "/32769/0/4", "[{\"bn\":\"/32769/0/4\",\"v\":0.1}]", "/32769/0/4 float 0.1", true },
	{ "/32769/0/4", "[{\"bn\":\"/32769/0/4\",\"v\":3.0}]", "/32769/0/4 float 3", true },
	{ "/32769/0/4", "[{\"bn\":\"/32769/0/4\",\"v\":1e+300}]", "/32769/0/4 float 1e+300", true },
	{ "/32769/0/4", "[{\"bn\":\"/32769/0/4\",\"v\":0.30000000000000004}]",
	    "/32769/0/4 float 0.30000000000000004", true },
	{ "/9999/0",
	    "[{\"bn\":\"/9999/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"2\",\"v\":1.5},"
	    "{\"n\":\"3\",\"vs\":\"1:2\"},{\"n\""
	    ":\"4\",\"vlo\":\"1:2\"},{\"n\":\"5\",\"vd\":\"MQ\"},{\"n\":\"6/3\",\"vb\":false}]",
	    "/9999/0/0 integer 1; /9999/0/2 float 1.5; /9999/0/3 string \"1:2\"; /9999/0/4 "
	    "objlnk 1:2; /9999/0/5 opaque 31; /9999/0/6/3 boolean false", true },
	{ "/1/0", " [ {\"v\":101, \"n\":\"/1/0/0\"},\n{\"n\":\"/1/0/1\",\"v\":86400} ] ",
	    "/1/0/0 integer 101; /1/0/1 integer 86400", false },
	{ "/1/0",
	    "[{\"bn\":\"/1/0\",\"n\":\"/0\",\"v\":101},{\"bn\":\"/1/0/1\",\"v\":86400},"
	    "{\"bn\":\"/1/0/\",\"n\":"
	    "\"7\",\"vs\":\"\\u0055\"}]",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/7 string \"U\"", false },
	{ "/1/0/1", "[{\"bn\":\"/1/0/1\",\"v\":86400.0}]", "/1/0/1 integer 86400", false },
	{ "/1/0/1", "[{\"bn\":\"/1/0/1\",\"v\":864e2}]", "/1/0/1 integer 86400", false },
	{ "/1/0",
	    "[{\"bn\":\"/1/0/\",\"bv\":100,\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86300},"
	    "{\"n\":\"2\",\"bv\":-5,"
	    "\"v\":6},{\"n\":\"7\",\"vs\":\"U\"}]",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/2 integer 1; "
	    "/1/0/7 string \"U\"", false },
	{ "/3/0/13",
	    "[{\"bn\":\"/3/0/13\",\"bt\":1.5e9,\"t\":-1,\"bu\":\"s\",\"u\":\"s\",\"ut\":3,\"bv"
	    "er\":10,\"v\":1}]",
	    "/3/0/13 time 1", false },
	{ "/32769/0/8", "[{\"bn\":\"/32769/0/8\",\"vlo\":\"FFFF:FFFF\"}]",
	    "/32769/0/8 objlnk 65535:65535", false },
	{ "/32769/0/8", "[{\"bn\":\"/32769/0/8\",\"vlo\":\"ffff:ffff\"}]",
	    "/32769/0/8 objlnk 65535:65535", false },
	{ "/1/0/0",
	    "[{\"bn\":\"/1/0/0\",\"v\":101,\"x\":[1,{\"y\":\"]]\"}],\"bct\":\"text\",\"z\":null}]",
	    "/1/0/0 integer 101", false },
	{ "/32769/0/1", "[{\"bn\":\"/32769/0/1\",\"vs\":\"[[[[[[[[[\\\"[[[[[[[[\"}]",
	    "/32769/0/1 string \"[[[[[[[[[\\\"[[[[[[[[\"", true },
};

static const struct bad_row bad[] = {
	{ "/1/0", "", ERR_PARSE, "byte 0: the payload ends too early" },
	{ "/1/0", "{}", ERR_PARSE, "byte 0: must be an array of records" },
	{ "/1/0", "[1]", ERR_PARSE, "record 1: must be an object" },
	{ "/1/0", "[", ERR_PARSE, "byte 1: the payload ends too early" },
	{ "/1/0", "[{\"n\":\"/1/0/0\"", ERR_PARSE, "byte 14: the payload ends too early" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1}] x", ERR_PARSE,
	    "byte 24: something follows the end" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1},]", ERR_PARSE, "byte 23: not JSON" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":01}]", ERR_PARSE, "byte 20: not JSON" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":NaN}]", ERR_PARSE, "byte 22: not JSON" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"vs\":\"\\u0000\"}]", ERR_PARSE,
	    "byte 28: a NUL in a string" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":9223372036854775808}]", ERR_PARSE,
	    "byte 38: a number that does not fit 64 bits" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1e999}]", ERR_PARSE,
	    "byte 24: a number that does not fit 64 bits" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1,\"v\":2}]", ERR_PARSE,
	    "byte 24: a field is there twice" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1,\"x\":{\"y\":1,\"y\":1}}]", ERR_PARSE,
	    "byte 35: a field is there twice" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1,\"x\":[[[[[[[1]]]]]]]}]", ERR_LIMIT,
	    "byte 31: nested more than 8 deep" },
	{ "/1/0", "[[[[[[[[[", ERR_LIMIT, "byte 8: nested more than 8 deep" },
	{ "/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{}]", ERR_PARSE,
	    "record 2: path: an id is missing behind the '/' at 5" },
	{ "/1/0", "[{\"v\":1}]", ERR_PARSE, "record 1: has no name" },
	{ "/1/0", "[{\"n\":\"1/0/0\",\"v\":1}]", ERR_PARSE, "record 1: path: must begin with '/'" },
	{ "/1/0", "[{\"n\":\"/1/0/65535\",\"v\":1}]", ERR_RANGE,
	    "record 1: path: an id is above 65534" },
	{ "/1/0", "[{\"n\":\"/1/0/000000000000000000000\",\"v\":1}]", ERR_PARSE,
	    "record 1: the name is longer than a path can be" },
	{ "/1/0", "[{\"n\":\"/1/1/0\",\"v\":1}]", ERR_INVALID, "/1/1/0: is not at or under /1/0" },
	{ "/1", "[{\"n\":\"/1/0\",\"v\":1}]", ERR_INVALID,
	    "/1/0: is no Resource and has no value" },
	{ "/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"0\",\"v\":1}]", ERR_INVALID,
	    "/1/0/0: is there twice" },
	{ "/2/0", "[{\"n\":\"/2/0/2\",\"v\":1}]", ERR_INVALID,
	    "/2/0/2: is a Multiple Resource: the instance is missing" },
	{ "/1/0", "[{\"n\":\"/1/0/0/0\",\"v\":1}]", ERR_INVALID,
	    "/1/0/0/0: is an instance of a single Resource" },
	{ "/1/0", "[{\"n\":\"/1/0/0\"}]", ERR_PARSE, "/1/0/0: has no value" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1,\"vd\":\"\"}]", ERR_PARSE,
	    "/1/0/0: has two values, v and vd" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"s\":1}]", ERR_UNSUPPORTED,
	    "/1/0/0: a sum is no value of a Resource" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1,\"lock_\":true}]", ERR_UNSUPPORTED,
	    "record 1: a field whose name ends in '_' must be understood, and is not" },
	{ "/1/0", "[{\"n\":0,\"v\":1}]", ERR_PARSE, "record 1: n must be string, is integer" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":\"1\"}]", ERR_PARSE,
	    "record 1: v must be number, is string" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":null}]", ERR_PARSE,
	    "record 1: v must be number, is null" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":[1]}]", ERR_PARSE,
	    "record 1: v: an array is no value" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":{}}]", ERR_PARSE,
	    "record 1: v: an object is no value" },
	{ "/1/0", "[{\"n\":\"/1/0/6\",\"vb\":1}]", ERR_PARSE,
	    "record 1: vb must be boolean, is integer" },
	{ "/1/0", "[{\"n\":\"/1/0/0\",\"v\":1,\"bver\":11}]", ERR_UNSUPPORTED,
	    "record 1: bver must be 0..10" },
	{ "/0/1", "[{\"n\":\"/0/1/0\",\"vd\":\"Y29hcDovL2E\"}]", ERR_INVALID,
	    "/0/1/0: must be string, is opaque" },
	{ "/0/1", "[{\"n\":\"/0/1/5\",\"vs\":\"MDEyMzQ1Njc4OWFiY2RlZg\"}]", ERR_INVALID,
	    "/0/1/5: must be opaque, is string" },
	{ "/0/1", "[{\"n\":\"/0/1/17\",\"vs\":\"21:0\"}]", ERR_INVALID,
	    "/0/1/17: must be objlnk, is string" },
	{ "/0/1", "[{\"n\":\"/0/1/17\",\"vlo\":\"21:x\"}]", ERR_PARSE,
	    "/0/1/17: must be an object link, OBJECT:INSTANCE" },
	{ "/0/1", "[{\"n\":\"/0/1/17\",\"vlo\":\"65535:0\"}]", ERR_RANGE,
	    "/0/1/17: links to the reserved id 65535" },
	{ "/1/0", "[{\"n\":\"/1/0/8\",\"v\":1}]", ERR_INVALID,
	    "/1/0/8: is executable and has no value" },
	{ "/1/0", "[{\"n\":\"/1/0/1\",\"v\":1.5}]", ERR_INVALID, "/1/0/1: must be a whole number" },
	{ "/1/0", "[{\"n\":\"/1/0/1\",\"v\":1e19}]", ERR_RANGE, "/1/0/1: does not fit 64 bits" },
	{ "/0/1", "[{\"n\":\"/0/1/15\",\"v\":-1}]", ERR_RANGE, "/0/1/15: must not be negative" },
	{ "/1/0", "[{\"n\":\"/1/0/1\",\"bv\":9223372036854775807,\"v\":1}]", ERR_RANGE,
	    "/1/0/1: the sum with the base value does not fit 64 bits" },
	{ "/0/1", "[{\"n\":\"/0/1/5\",\"vd\":\"AQID+A\"}]", ERR_PARSE,
	    "/0/1/5: vd: base64url: character 5 is not of its alphabet" },
	{ "/0/1", "[{\"n\":\"/0/1/5\",\"vd\":\"AQIDBA==\"}]", ERR_PARSE,
	    "/0/1/5: vd: base64url: character 7 is not of its alphabet" },
	{ "/0/1", "[{\"n\":\"/0/1/5\",\"vd\":\"AQIDB\"}]", ERR_PARSE,
	    "/0/1/5: vd: base64url: 5 characters cannot be whole bytes" },
};
/* clang-format on */

static const struct lwm2m_format *
format(void)
{
	return lwm2m_format(LWM2M_CF_SENML_JSON);
}

START_TEST(a_right_payload_is_the_tree_and_back)
{
	check_good(format(), AS_TEXT, &good[_i]);
}
END_TEST

START_TEST(a_wrong_payload_is_refused_with_its_place_and_reason)
{
	check_bad(format(), AS_TEXT, &bad[_i]);
}
END_TEST

START_TEST(chance_finds_nothing_that_breaks)
{
	check_mutations(format(), AS_TEXT, &good[_i]);
}
END_TEST

static const struct unsayable unsayable[] = {
	{ "/3303/0", "/3303/0", { .type = LWM2M_NONE },
	    "/3303/0: this format cannot say what has no value" },
	{ "/1/0", "/1/0/8", { .type = LWM2M_NONE },
	    "/1/0/8: this format cannot say what has no value" },
	{ "/32769/0", "/32769/0/3", { .type = LWM2M_UNSIGNED, .u = (uint64_t)INT64_MAX + 1 },
	    "/32769/0/3: is above 9223372036854775807, more than readers of JSON hold" },
	{ "/32769/0", "/32769/0/4", { .type = LWM2M_FLOAT, .f = 1.0 / 0.0 },
	    "/32769/0/4: must be a finite number" },
};

START_TEST(what_senml_cannot_say_is_unsupported)
{
	check_unsayable(format(), &unsayable[_i]);
}
END_TEST

START_TEST(a_bounded_buffer_is_respected)
{
	check_bounded(format(), AS_TEXT, &good[0], "more than 90 bytes");
}
END_TEST

START_TEST(text_that_is_no_utf8_is_refused)
{
	static const char text[] = "[{\"n\":\"/0/1/0\",\"vs\":\"\xc3\x28\"}]";
	struct lwm2m_tree t = { 0 };
	struct err e;

	ck_assert_int_eq(format()->decode(codec_model(), path_of("/0/1"), (const uint8_t *)text,
	                     strlen(text), &t, &e),
	    ERR_PARSE);
	ck_assert_str_eq(e.msg, "byte 21: not UTF-8");
}
END_TEST

START_TEST(a_huge_payload_is_refused_unread)
{
	static uint8_t blanks[(1U << 20) + 1];
	struct lwm2m_tree t = { 0 };
	struct err e;

	ck_assert_int_eq(
	    format()->decode(codec_model(), path_of("/0/1"), blanks, sizeof blanks, &t, &e),
	    ERR_LIMIT);
	ck_assert_str_eq(e.msg, "more than 1048576 bytes");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_right_payload_is_the_tree_and_back, N_ELEMS(good)),
	UNIT_CASE(a_wrong_payload_is_refused_with_its_place_and_reason, N_ELEMS(bad)),
	UNIT_CASE(chance_finds_nothing_that_breaks, N_ELEMS(good)),
	UNIT_CASE(what_senml_cannot_say_is_unsupported, N_ELEMS(unsayable)),
	UNIT_CASE(text_that_is_no_utf8_is_refused, 0),
	UNIT_CASE(a_huge_payload_is_refused_unread, 0),
	UNIT_CASE(a_bounded_buffer_is_respected, 0),
};
UNIT_SUITE_MAIN("senml_json", cases)
