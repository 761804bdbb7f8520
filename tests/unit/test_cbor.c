#include "tests/unit/codec_rows.h"

/* clang-format off */
static const struct good_row good[] = {
	{ "/1/0/0", "1865", "/1/0/0 integer 101", true },
	{ "/1/0/1", "1a 00015180", "/1/0/1 integer 86400", true },
	{ "/32769/0/2", "39 02ed", "/32769/0/2 integer -750", true },
	{ "/1/0/6", "f5", "/1/0/6 boolean true", true },
	{ "/32769/0/4", "fa 41ac0000", "/32769/0/4 float 21.5", true },
	{ "/32769/0/4", "fb7e37e43c8800759c", "/32769/0/4 float 1e+300", true },
	{ "/1/0/7", "61 55", "/1/0/7 string \"U\"", true },
	{ "/0/0/3", "43 010203", "/0/0/3 opaque 010203", true },
	{ "/0/0/17", "64 32313a30", "/0/0/17 objlnk 21:0", true },
	{ "/3/0/13", "1a5182428f", "/3/0/13 time 1367491215", true },
	{ "/3/0/13", "c11a5182428f", "/3/0/13 time 1367491215", false },
	{ "/9999/0/0", "c11a5182428f", "/9999/0/0 time 1367491215", false },
	{ "/3/0/13", "c1fb41d46090a3c00000", "/3/0/13 time 1367491215", false },
	{ "/32769/0/4", "c4822018d7", "/32769/0/4 float 21.5", false },
	{ "/1/0/7", "7f61556151ff", "/1/0/7 string \"UQ\"", false },
	{ "/1/0/7", "7fff", "/1/0/7 string \"\"", false },
	{ "/0/0/3", "5f4201024103ff", "/0/0/3 opaque 010203", false },
	{ "/1/0/0", "1b0000000000000065", "/1/0/0 integer 101", false },
	{ "/9999/0/1", "6432313a30", "/9999/0/1 string \"21:0\"", true },
	{ "/32769/0/3", "1bffffffffffffffff",
	    "/32769/0/3 unsigned integer 18446744073709551615", true },
	{ "/32769/0/2", "3b7fffffffffffffff", "/32769/0/2 integer -9223372036854775808", true },
};

static const struct bad_row bad[] = {
	{ "/1/0", "1865", ERR_UNSUPPORTED, "/1/0: this format is of one single Resource" },
	{ "/2/0/2", "1865", ERR_UNSUPPORTED,
	    "/2/0/2: a Multiple Resource, this format is of a single one" },
	{ "/2/0/2/1", "1865", ERR_UNSUPPORTED, "/2/0/2/1: this format is of one single Resource" },
	{ "/1/0/0", "", ERR_PARSE, "/1/0/0: byte 0: the payload ends too early" },
	{ "/1/0/0", "18", ERR_PARSE, "/1/0/0: byte 0: the payload ends too early" },
	{ "/1/0/0", "186500", ERR_PARSE, "/1/0/0: byte 2: something follows the end" },
	{ "/1/0/0", "1f", ERR_PARSE, "/1/0/0: byte 0: not CBOR" },
	{ "/1/0/0", "ff", ERR_PARSE, "/1/0/0: byte 0: a break out of place" },
	{ "/1/0/0", "80", ERR_PARSE, "/1/0/0: byte 0: an array is no value" },
	{ "/1/0/0", "a0", ERR_PARSE, "/1/0/0: byte 0: a map is no value" },
	{ "/1/0/0", "f6", ERR_INVALID, "/1/0/0: must be integer, is null" },
	{ "/9999/0/0", "f6", ERR_INVALID, "/9999/0/0: must have a value, is null" },
	{ "/1/0/8", "f6", ERR_INVALID, "/1/0/8: is executable and has no value" },
	{ "/1/0/0", "f7", ERR_PARSE, "/1/0/0: byte 0: undefined is no value" },
	{ "/1/0/0", "63313031", ERR_INVALID, "/1/0/0: must be integer, is string" },
	{ "/1/0/0", "fa3fc00000", ERR_INVALID, "/1/0/0: must be a whole number" },
	{ "/1/0/7", "4155", ERR_INVALID, "/1/0/7: must be string, is opaque" },
	{ "/1/0/7", "62c328", ERR_PARSE, "/1/0/7: must be UTF-8 without NUL" },
	{ "/0/0/3", "6441514944", ERR_INVALID, "/0/0/3: must be opaque, is string" },
	{ "/0/0/3", "5bffffffffffffffff00", ERR_PARSE,
	    "/0/0/3: byte 0: the payload ends too early" },
	{ "/0/0/3", "5f420102", ERR_PARSE, "/0/0/3: byte 4: the payload ends too early" },
	{ "/0/0/3", "5f6100ff", ERR_PARSE,
	    "/0/0/3: byte 1: a text string among the pieces of a byte string" },
	{ "/0/0/17", "623231", ERR_PARSE, "/0/0/17: must be an object link, OBJECT:INSTANCE" },
	{ "/0/0/17", "6736353533353a31", ERR_RANGE, "/0/0/17: links to the reserved id 65535" },
	{ "/1/0/1", "c11a5182428f", ERR_INVALID, "/1/0/1: must be integer, is time" },
	{ "/3/0/13", "c16130", ERR_PARSE, "/3/0/13: byte 1: a time must be a number" },
	{ "/3/0/13", "c1c101", ERR_PARSE, "/3/0/13: byte 1: a time must be a number" },
	{ "/3/0/13", "c074323031332d30352d30325431303a34303a31355a", ERR_UNSUPPORTED,
	    "/3/0/13: byte 0: tag 0 is not read" },
	{ "/3/0/13", "c1", ERR_PARSE, "/3/0/13: byte 1: the payload ends too early" },
};
/* clang-format on */

static const struct lwm2m_format *
format(void)
{
	return lwm2m_format(LWM2M_CF_CBOR);
}

START_TEST(a_right_payload_is_the_tree_and_back)
{
	check_good(format(), AS_HEX, &good[_i]);
}
END_TEST

START_TEST(a_wrong_payload_is_refused_with_its_place_and_reason)
{
	check_bad(format(), AS_HEX, &bad[_i]);
}
END_TEST

START_TEST(chance_finds_nothing_that_breaks)
{
	check_mutations(format(), AS_HEX, &good[_i]);
}
END_TEST

static const struct unsayable unsayable[] = {
	{ "/1/0", "/1/0/0", { .type = LWM2M_INTEGER },
	    "/1/0: this format is of one single Resource" },
	{ "/2/0/2", "/2/0/2/1", { .type = LWM2M_INTEGER },
	    "/2/0/2: this format is of one single Resource" },
	{ "/1/0/8", "/1/0/8", { .type = LWM2M_NONE },
	    "/1/0/8: this format cannot say what has no value" },
	{ "/32769/0/4", "/32769/0/4", { .type = LWM2M_FLOAT, .f = -1.0 / 0.0 },
	    "/32769/0/4: must be a finite number" },
};

START_TEST(what_one_item_cannot_say_is_unsupported)
{
	check_unsayable(format(), &unsayable[_i]);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_right_payload_is_the_tree_and_back, N_ELEMS(good)),
	UNIT_CASE(a_wrong_payload_is_refused_with_its_place_and_reason, N_ELEMS(bad)),
	UNIT_CASE(chance_finds_nothing_that_breaks, N_ELEMS(good)),
	UNIT_CASE(what_one_item_cannot_say_is_unsupported, N_ELEMS(unsayable)),
};
UNIT_SUITE_MAIN("cbor", cases)
