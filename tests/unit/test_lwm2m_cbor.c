#include "tests/fuzz/codec.h"
#include "tests/unit/codec_rows.h"

#include <string.h>

/* clang-format off */
static const struct good_row good[] = {
	{ "/1/0", "a1 01 a1 00 a4 00 1865 01 1a00015180 06 f5 07 6155",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string "
	    "\"U\"", true },
	{ "/1", "a1 01 a1 00 a4 00 1865 01 1a00015180 06 f5 07 6155",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string "
	    "\"U\"", true },
	{ "/1/0", "a1 820100 a4 00 1865 01 1a00015180 06 f5 07 6155",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string "
	    "\"U\"", false },
	{ "/1/0/1", "a1 83010001 1a00015180", "/1/0/1 integer 86400", false },
	{ "/1/0/1", "a101a100a1011a00015180", "/1/0/1 integer 86400", true },
	{ "/2/0", "a1 02 a1 00 a4 00 03 01 00 02 a2 1865 181f 1866 01 03 1865",
	    "/2/0/0 integer 3; /2/0/1 integer 0; /2/0/2/101 integer 31; /2/0/2/102 integer "
	    "1; /2/0/3 integer 101", true },
	{ "/0/1", "a1 00 a1 01 a2 05 50 0102030405060708090a0b0c0d0e0f10 11 64 32313a30",
	    "/0/1/5 opaque 0102030405060708090a0b0c0d0e0f10; /0/1/17 objlnk 21:0", true },
	{ "/0/1", "a1 00 a1 01 a2 11 64 32313a30 05 50 0102030405060708090a0b0c0d0e0f10",
	    "/0/1/5 opaque 0102030405060708090a0b0c0d0e0f10; /0/1/17 objlnk 21:0", false },
	{ "/", "a201a100a4001865011a0001518006f5076155190ce7a107a0",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string "
	    "\"U\"; /3303/7 none", true },
	{ "/9999", "a119270fa200a001a10001", "/9999/0 none; /9999/1/0 integer 1", true },
	{ "/1", "a0", "", true },
	{ "/1", "a101a0", "", false },
	{ "/1/0", "a0", "/1/0 none", false },
	{ "/1/0", "a101a100a0", "/1/0 none", true },
	{ "/9999/0", "a119270fa100a103a0", "/9999/0 none", false },
	{ "/2/0/2", "a102a100a102a0", "", false },
	{ "/2/0/2", "a0", "", true },
	{ "/1/0", "a4001865011a0001518006f5076155",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string "
	    "\"U\"", false },
	{ "/1", "a200a4001865011a0001518006f507615501a10001",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string "
	    "\"U\"; /1/1/0 integer 1", false },
	{ "/1", "a282000018658200011a00015180", "/1/0/0 integer 101; /1/0/1 integer 86400", false },
	{ "/2/0/2", "a21865181f186601", "/2/0/2/101 integer 31; /2/0/2/102 integer 1", false },
	{ "/2/0", "a3000382021865181f8202186601",
	    "/2/0/0 integer 3; /2/0/2/101 integer 31; /2/0/2/102 integer 1", false },
	{ "/1", "a101a100a1001865", "/1/0/0 integer 101", true },
	{ "/1/0", "bf01bf00bf001865077f6155ffffffff",
	    "/1/0/0 integer 101; /1/0/7 string \"U\"", false },
	{ "/1/0", "bf9f0100ffa1001865ff", "/1/0/0 integer 101", false },
	{ "/32769/0",
	    "a1198001a100a90162c3a4023b7fffffffffffffff031bffffffffffffffff04fa41ac000005f506"
	    "400720086b36353533353a363535333509643c2f313e",
	    "/32769/0/1 string \"ä\"; /32769/0/2 integer -9223372036854775808; /32769/0/3 "
	    "unsigned integer 18446744073709551615; /32769/0/4 float 21.5; /32769/0/5 "
	    "boolean true; /32769/0/6 opaque ; /32769/0/7 time -1; /32769/0/8 objlnk "
	    "65535:65535; /32769/0/9 corelnk \"</1>\"", true },
	{ "/9999/0",
	    "a119270fa100a60001011b800000000000000002fa3fc000000363313a3205413106a103f4",
	    "/9999/0/0 integer 1; /9999/0/1 unsigned integer 9223372036854775808; /9999/0/2 "
	    "float 1.5; /9999/0/3 string \"1:2\"; /9999/0/5 opaque 31; /9999/0/6/3 boolean "
	    "false", true },
	{ "/3/0/13", "a103a100a10dc11a5182428f", "/3/0/13 time 1367491215", false },
	{ "/65534/65534/65534/65534", "a119fffea119fffea119fffea119fffe01",
	    "/65534/65534/65534/65534 integer 1", true },
};

static const struct bad_row bad[] = {
	{ "/1/0", "", ERR_PARSE, "byte 0: the payload ends too early" },
	{ "/1/0", "1865", ERR_PARSE, "byte 0: must be a map" },
	{ "/1/0", "8101", ERR_PARSE, "byte 0: must be a map" },
	{ "/1/0", "a101a100a100186500", ERR_PARSE, "byte 8: something follows the end" },
	{ "/1/0", "a101a100a2001865", ERR_PARSE, "/1/0: byte 8: the payload ends too early" },
	{ "/1/0", "a101a100a100", ERR_PARSE, "/1/0/0: byte 6: the payload ends too early" },
	{ "/1/0", "bf01a100a1001865", ERR_PARSE, "/: byte 8: the payload ends too early" },
	{ "/1/0", "bb7fffffffffffffff", ERR_PARSE, "/: byte 9: the payload ends too early" },
	{ "/1/0", "bf01ff", ERR_PARSE, "/1: byte 2: a break out of place" },
	{ "/1/0", "a101a100a12001", ERR_PARSE, "/1/0: byte 5: an id must be an unsigned integer" },
	{ "/1/0", "a101a100a1613001", ERR_PARSE,
	    "/1/0: byte 5: an id must be an unsigned integer" },
	{ "/1/0", "a101a100a119ffff01", ERR_RANGE, "/1/0: byte 5: an id is above 65534" },
	{ "/1/0", "a101a100a11b800000000000000001", ERR_RANGE,
	    "/1/0: byte 5: an id is above 65534" },
	{ "/1/0", "a101a119ffffa10001", ERR_RANGE, "/1: byte 3: an id is above 65534" },
	{ "/1/0", "a1830100613001", ERR_PARSE, "/1/0: byte 4: an id must be an unsigned integer" },
	{ "/1/0", "a18001", ERR_PARSE, "/: byte 1: a key without an id" },
	{ "/1/0", "a185010000000001", ERR_PARSE, "/1/0/0/0: byte 6: more than four ids" },
	{ "/2/0", "a102a100a102a101a10101", ERR_PARSE, "/2/0/2/1: byte 8: a map is no value" },
	{ "/1/0", "a101a100a1008101", ERR_PARSE, "/1/0/0: byte 6: an array is no value" },
	{ "/1/0", "a101a100a100f6", ERR_INVALID, "/1/0/0: must be integer, is null" },
	{ "/1/0", "a101a100a10801", ERR_INVALID, "/1/0/8: is executable and has no value" },
	{ "/1/0", "a101a100a100c06130", ERR_UNSUPPORTED, "/1/0/0: byte 6: tag 0 is not read" },
	{ "/1/0", "a101a101a1001865", ERR_INVALID, "/1/1/0: is not at or under /1/0" },
	{ "/1/0", "a102a100a1001865", ERR_INVALID, "/2/0/0: is not at or under /1/0" },
	{ "/1/0", "a101a101a0", ERR_INVALID, "/1/1: is not at or under /1/0" },
	{ "/1/0", "a101a100a100a0", ERR_INVALID, "/1/0/0: must have a value, is a map" },
	{ "/1/0", "a101a0", ERR_INVALID, "/1: is not at or under /1/0" },
	{ "/1/0", "a20063313031011a00015180", ERR_INVALID, "/1/0/0: must be integer, is string" },
	{ "/1", "a100a20018650701", ERR_INVALID, "/1/0/7: must be string, is integer" },
	{ "/", "a1011865", ERR_INVALID, "/1: is no Resource and has no value" },
	{ "/1/0", "a101a100a200010002", ERR_INVALID, "/1/0/0: is there twice" },
	{ "/1/0", "a101a200a1000100a10101", ERR_INVALID, "/1/0: is there twice" },
	{ "/9999", "a119270fa200a000a0", ERR_INVALID, "/9999/0: is there twice" },
	{ "/9999/0", "a119270fa100a200a101010001", ERR_INVALID,
	    "/9999/0/0: the resource is there as a multiple one" },
	{ "/2/0", "a102a100a102181f", ERR_INVALID,
	    "/2/0/2: is a Multiple Resource: the instance is missing" },
	{ "/1/0", "a101a100a100a1001865", ERR_INVALID,
	    "/1/0/0/0: is an instance of a single Resource" },
	{ "/0/1", "a100a101a10044636f6170", ERR_INVALID, "/0/1/0: must be string, is opaque" },
	{ "/0/1", "a100a101a105636b6579", ERR_INVALID, "/0/1/5: must be opaque, is string" },
	{ "/0/1", "a100a101a1116178", ERR_PARSE,
	    "/0/1/17: must be an object link, OBJECT:INSTANCE" },
	{ "/0/1", "a100a101a10f20", ERR_RANGE, "/0/1/15: must not be negative" },
	{ "/32769/0", "a1198001a100a104fb7ff8000000000000", ERR_RANGE,
	    "/32769/0/4: must be a finite number" },
};
/* clang-format on */

static const struct lwm2m_format *
format(void)
{
	return lwm2m_format(LWM2M_CF_LWM2M_CBOR);
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
	{ "/1/0", "/1/0/8", { .type = LWM2M_NONE },
	    "/1/0/8: this format cannot say what has no value" },
	{ "/32769/0", "/32769/0/4", { .type = LWM2M_FLOAT, .f = 1.0 / 0.0 },
	    "/32769/0/4: must be a finite number" },
};

START_TEST(what_it_cannot_say_is_unsupported)
{
	check_unsayable(format(), &unsayable[_i]);
}
END_TEST

START_TEST(a_bounded_buffer_is_respected)
{
	check_bounded(format(), AS_HEX, &good[0], "more than 18 bytes");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_right_payload_is_the_tree_and_back, N_ELEMS(good)),
	UNIT_CASE(a_wrong_payload_is_refused_with_its_place_and_reason, N_ELEMS(bad)),
	UNIT_CASE(chance_finds_nothing_that_breaks, N_ELEMS(good)),
	UNIT_CASE(what_it_cannot_say_is_unsupported, N_ELEMS(unsayable)),
	UNIT_CASE(a_bounded_buffer_is_respected, 0),
};
UNIT_SUITE_MAIN("lwm2m_cbor", cases)
