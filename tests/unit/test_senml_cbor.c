#include "tests/fuzz/codec.h"
#include "tests/unit/codec_rows.h"

#include <string.h>

/* clang-format off */
static const struct good_row good[] = {
	{ "/1/0",
	    "84 a3 21 65 2f312f302f 00 6130 02 1865 a2 00 6131 02 1a00015180 a2 00 6136 04 f5"
	    " a2 00 6137 03 6155",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string "
	    "\"U\"", true },
	{ "/0/1",
	    "87 a3 21 65 2f302f312f 00 6130 03 7818 636f6170733a2f2f7372762e6578616d706c653a"
	    "35363834 a2 00 6131 04 f4 a2 00 6132 02 00 a2 00 6133 08 45 6465762d31 a2 00 61"
	    "34 08 40 a2 00 6135 08 50 0102030405060708090a0b0c0d0e0f10 a2 00 623130 02 1865",
	    "/0/1/0 string \"coaps://srv.example:5684\"; /0/1/1 boolean false; /0/1/2 "
	    "integer 0; /0/1/3 opaque 6465762d31; /0/1/4 opaque ; /0/1/5 opaque "
	    "0102030405060708090a0b0c0d0e0f10; /0/1/10 integer 101", true },
	{ "/0/1/17", "81 a2 21 67 2f302f312f3137 63766c6f 64 32313a30",
	    "/0/1/17 objlnk 21:0", true },
	{ "/0/1/16", "82 a3 21 68 2f302f312f31362f 00 6130 02 19c0a8 a2 00 6131 02 18ae",
	    "/0/1/16/0 unsigned integer 49320; /0/1/16/1 unsigned integer 174", true },
	{ "/3/0/13", "81 a2 21 67 2f332f302f3133 02 1a5182428f", "/3/0/13 time 1367491215", true },
	{ "/2/0",
	    "85 a3 21 65 2f322f302f 00 6130 02 03 a2 00 6131 02 00 a2 00 65 322f313031 02 18"
	    "1f a2 00 65 322f313032 02 01 a2 00 6133 02 1865",
	    "/2/0/0 integer 3; /2/0/1 integer 0; /2/0/2/101 integer 31; /2/0/2/102 integer "
	    "1; /2/0/3 integer 101", true },
	{ "/0/0/3", "81 a2 21 66 2f302f302f33 08 43 abcdef", "/0/0/3 opaque abcdef", true },
	{ "/13/26/1", "81 a2 21 68 2f31332f32362f31 02 182a", "/13/26/1 integer 42", true },
	{ "/1", "82a321632f312f0063302f30021865a20063312f30021866",
	    "/1/0/0 integer 101; /1/1/0 integer 102", true },
	{ "/", "82a321612f0065302f312f300368636f61703a2f2f61a20065312f302f300201",
	    "/0/1/0 string \"coap://a\"; /1/0/0 integer 1", true },
	{ "/2/0/2/101", "81a2216a2f322f302f322f31303102181f", "/2/0/2/101 integer 31", true },
	{ "/1", "80", "", true },
	{ "/32769/0",
	    "89a321692f33323736392f302f0061310362c3a4a2006132023b7fffffffffffffffa2006133021b"
	    "ffffffffffffffffa200613402fa41ac0000a200613504f5a20061360840a20061370220a2006138"
	    "63766c6f6b36353533353a3635353335a200613903643c2f313e",
	    "/32769/0/1 string \"ä\"; /32769/0/2 integer -9223372036854775808; /32769/0/3 "
	    "unsigned integer 18446744073709551615; /32769/0/4 float 21.5; /32769/0/5 "
	    "boolean true; /32769/0/6 opaque ; /32769/0/7 time -1; /32769/0/8 objlnk "
	    "65535:65535; /32769/0/9 corelnk \"</1>\"", true },
	{ "/32769/0/4", "81a2216a2f33323736392f302f3402fb3fb999999999999a",
	    "/32769/0/4 float 0.1", true },
	{ "/1/0", "82a200662f312f302f30021865a200662f312f302f31021a00015180",
	    "/1/0/0 integer 101; /1/0/1 integer 86400", false },
	{ "/1/0",
	    "83a321642f312f3000622f30021865a221662f312f302f31021a00015180a321652f312f302f0061"
	    "37036155",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/7 string \"U\"", false },
	{ "/1/0", "81a3216000662f312f302f30021865", "/1/0/0 integer 101", false },
	{ "/1/0",
	    "9fbf021865007f613060ff217f632f312f62302fffffbf006137037f61556151ffffff",
	    "/1/0/0 integer 101; /1/0/7 string \"UQ\"", false },
	{ "/0/0/3", "81a221662f302f302f33085f42abcd4041efff", "/0/0/3 opaque abcdef", false },
	{ "/1/0/1", "81a221662f312f302f3102fa47a8c000", "/1/0/1 integer 86400", false },
	{ "/1/0/1", "81a221662f312f302f3102c48202190360", "/1/0/1 integer 86400", false },
	{ "/32769/0/4", "81a2216a2f33323736392f302f3402c4822018d7",
	    "/32769/0/4 float 21.5", false },
	{ "/32769/0/4", "81a2216a2f33323736392f302f3402f94d60", "/32769/0/4 float 21.5", false },
	{ "/32769/0/4", "81a2216a2f33323736392f302f340203", "/32769/0/4 float 3", false },
	{ "/32769/0/8", "81a2216a2f33323736392f302f3863766c6f69464646463a46464646",
	    "/32769/0/8 objlnk 65535:65535", false },
	{ "/1/0",
	    "84a421652f312f302f2418640061300201a2006131021a0001511ca300613224240206a200613703"
	    "6155",
	    "/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/2 integer 1; "
	    "/1/0/7 string \"U\"", false },
	{ "/1/0", "81a421652f312f302f24fa3f00000000613002fa42c90000", "/1/0/0 integer 101", false },
	{ "/3/0/13", "81a821672f332f302f313322fa4eb2d05e06202361730161730703200a0201",
	    "/3/0/13 time 1", false },
	{ "/1/0/0",
	    "81a621662f312f302f3002186561788201a10282bf6178f6ff5f4100ff1863f63827d9d9f7f76362"
	    "63746474657874",
	    "/1/0/0 integer 101", false },
	{ "/9999/0",
	    "87a321682f393939392f302f0061300201a2006131021b8000000000000000a200613202fa3fc000"
	    "00a20061330363313a32a200613463766c6f63313a32a2006135084131a20063362f3304f4",
	    "/9999/0/0 integer 1; /9999/0/1 unsigned integer 9223372036854775808; /9999/0/2 "
	    "float 1.5; /9999/0/3 string \"1:2\"; /9999/0/4 objlnk 1:2; /9999/0/5 opaque 31; "
	    "/9999/0/6/3 boolean false", true },
};

static const struct bad_row bad[] = {
	{ "/1/0", "", ERR_PARSE, "byte 0: the payload ends too early" },
	{ "/1/0", "a0", ERR_PARSE, "byte 0: must be an array of records" },
	{ "/1/0", "8101", ERR_PARSE, "record 1: byte 1: must be a map" },
	{ "/1/0", "81", ERR_PARSE, "record 1: byte 1: the payload ends too early" },
	{ "/1/0", "9f", ERR_PARSE, "record 1: byte 1: the payload ends too early" },
	{ "/1/0", "81a2", ERR_PARSE, "record 1: byte 2: the payload ends too early" },
	{ "/1/0", "81a1217b7fffffffffffffff2f", ERR_PARSE,
	    "record 1: byte 3: the payload ends too early" },
	{ "/1/0", "9bffffffffffffffff", ERR_PARSE, "record 1: byte 9: the payload ends too early" },
	{ "/1/0", "1c", ERR_PARSE, "byte 0: not CBOR" },
	{ "/1/0", "ff", ERR_PARSE, "byte 0: a break out of place" },
	{ "/1/0", "81ff", ERR_PARSE, "record 1: byte 1: a break out of place" },
	{ "/1/0", "81bf21ffff", ERR_PARSE, "record 1: byte 3: a break out of place" },
	{ "/1/0", "8000", ERR_PARSE, "byte 1: something follows the end" },
	{ "/1/0", "82a321652f312f302f0061300201a0", ERR_PARSE,
	    "record 2: path: an id is missing behind the '/' at 5" },
	{ "/1/0", "81a10201", ERR_PARSE, "record 1: has no name" },
	{ "/1/0", "81a20065312f302f300201", ERR_PARSE, "record 1: path: must begin with '/'" },
	{ "/1/0", "81a200672f312f302f30300201", ERR_PARSE,
	    "record 1: path: an id has a leading zero" },
	{ "/1/0", "81a200672f312f302f302f0201", ERR_PARSE,
	    "record 1: path: an id is missing behind the '/' at 7" },
	{ "/1/0", "81a2006a2f312f302f302f302f300201", ERR_PARSE,
	    "record 1: path: more than four ids" },
	{ "/1/0", "81a200672f312f302f30000201", ERR_PARSE,
	    "record 1: path: a sign that is no digit, at 7" },
	{ "/1/0", "81a221672f312f302f30000201", ERR_PARSE,
	    "record 1: path: a sign that is no digit, at 7" },
	{ "/1/0", "81a2006a2f312f302f36353533350201", ERR_RANGE,
	    "record 1: path: an id is above 65534" },
	{ "/1/0",
	    "81a321652f312f302f00781a30303030303030303030303030303030303030303030303030300201",
	    ERR_PARSE, "record 1: the name is longer than a path can be" },
	{ "/1/0",
	    "81a221781e2f312f302f302f312f302f302f312f302f302f312f302f302f312f302f300201",
	    ERR_PARSE, "record 1: the name is longer than a path can be" },
	{ "/1/0", "81a200662f312f312f300201", ERR_INVALID, "/1/1/0: is not at or under /1/0" },
	{ "/1/0/0", "82a321652f312f302f0061300201a20061310201", ERR_INVALID,
	    "/1/0/1: is not at or under /1/0/0" },
	{ "/1", "81a200642f312f300201", ERR_INVALID, "/1/0: is no Resource and has no value" },
	{ "/1/0", "82a321652f312f302f0061300201a20061300201", ERR_INVALID,
	    "/1/0/0: is there twice" },
	{ "/1/0", "82a321662f312f302f3006010201a206020201", ERR_INVALID, "/1/0/0: is there twice" },
	{ "/9999/0", "82a321682f393939392f302f0061300201a20063302f300201", ERR_INVALID,
	    "/9999/0/0/0: the resource is there as a single one" },
	{ "/2/0", "81a321652f322f302f0061320201", ERR_INVALID,
	    "/2/0/2: is a Multiple Resource: the instance is missing" },
	{ "/1/0", "81a321652f312f302f0063302f300201", ERR_INVALID,
	    "/1/0/0/0: is an instance of a single Resource" },
	{ "/1/0", "81a221652f312f302f006130", ERR_PARSE, "/1/0/0: has no value" },
	{ "/1/0", "81a321652f312f302f2405006130", ERR_PARSE, "/1/0/0: has no value" },
	{ "/1/0", "81a421652f312f302f0061300201036131", ERR_PARSE,
	    "/1/0/0: has two values, v and vs" },
	{ "/1/0", "81a421652f312f302f00613002010501", ERR_UNSUPPORTED,
	    "/1/0/0: a sum is no value of a Resource" },
	{ "/1/0", "81a421652f312f302f25010061300201", ERR_UNSUPPORTED,
	    "/1/0/0: a sum is no value of a Resource" },
	{ "/1/0", "81a321662f312f302f3002010201", ERR_PARSE, "record 1: v is there twice" },
	{ "/1/0", "81a321662f312f302f307f62766c616fff63313a3063766c6f63313a30", ERR_PARSE,
	    "record 1: vlo is there twice" },
	{ "/1/0", "81a262626e662f312f302f300201", ERR_PARSE,
	    "record 1: byte 2: bn must be written as its number" },
	{ "/1/0", "81a2416e662f312f302f300201", ERR_PARSE,
	    "record 1: byte 2: a label must be a number or text" },
	{ "/1/0", "81a300662f312f302f300201656c6f636b5f01", ERR_UNSUPPORTED,
	    "record 1: a field whose name ends in '_' must be understood, and is not" },
	{ "/1/0", "81a300662f312f302f3002016178818181818181818181f6", ERR_LIMIT,
	    "record 1: byte 22: nested more than 8 deep" },
	{ "/1/0", "81a300662f312f302f3002016178bf00ff", ERR_PARSE,
	    "record 1: byte 16: a break out of place" },
	{ "/1/0", "81a300662f312f302f30020161785f6100ff", ERR_PARSE,
	    "record 1: byte 15: a text string among the pieces of a byte string" },
	{ "/1/0", "81a300662f312f302f30020161787f7f6100ffff", ERR_PARSE,
	    "record 1: byte 15: a text string among the pieces of a text string" },
	{ "/1/0", "81a200010201", ERR_PARSE, "record 1: n must be string, is integer" },
	{ "/1/0", "81a200462f312f302f300201", ERR_PARSE, "record 1: n must be string, is opaque" },
	{ "/1/0", "81a200662f312f302f30026131", ERR_PARSE,
	    "record 1: v must be number, is string" },
	{ "/1/0", "81a200662f312f302f3002f6", ERR_PARSE, "record 1: v must be number, is null" },
	{ "/1/0", "81a200662f312f302f30028101", ERR_PARSE,
	    "record 1: byte 11: an array is no value" },
	{ "/1/0", "81a200662f312f302f3002a0", ERR_PARSE, "record 1: byte 11: a map is no value" },
	{ "/1/0", "81a200662f312f302f3002f7", ERR_PARSE,
	    "record 1: byte 11: undefined is no value" },
	{ "/1/0", "81a200662f312f302f3002f0", ERR_PARSE, "record 1: byte 11: not CBOR" },
	{ "/3/0", "81a200672f332f302f313302c11a5182428f", ERR_PARSE,
	    "record 1: v must be number, is time" },
	{ "/3/0", "81a200672f332f302f313302c06130", ERR_UNSUPPORTED,
	    "record 1: byte 12: tag 0 is not read" },
	{ "/3/0", "81a200672f332f302f313302c48101", ERR_PARSE,
	    "record 1: byte 13: a decimal fraction must be two integers" },
	{ "/3/0", "81a200672f332f302f313302c4820161aa", ERR_PARSE,
	    "record 1: byte 15: a decimal fraction must be two integers" },
	{ "/3/0", "81a200672f332f302f313302c4821b7fffffffffffffff01", ERR_RANGE,
	    "/3/0/13: must be a finite number" },
	{ "/1/0", "81a200662f312f302f360401", ERR_PARSE,
	    "record 1: vb must be boolean, is integer" },
	{ "/0/0", "81a200662f302f302f3308624141", ERR_PARSE,
	    "record 1: vd must be opaque, is string" },
	{ "/0/0", "81a200672f302f302f313763766c6f424141", ERR_PARSE,
	    "record 1: vlo must be string, is opaque" },
	{ "/1/0", "81a300662f312f302f30020106636e6f77", ERR_PARSE,
	    "record 1: t must be number, is string" },
	{ "/1/0", "81a300662f312f302f300201200b", ERR_UNSUPPORTED, "record 1: bver must be 0..10" },
	{ "/1/0", "81a300662f312f302f3002012020", ERR_UNSUPPORTED, "record 1: bver must be 0..10" },
	{ "/1/0", "81a300662f312f302f30020120fa41200000", ERR_PARSE,
	    "record 1: bver must be integer, is float" },
	{ "/0/1", "81a200662f302f312f300848636f61703a2f2f61", ERR_INVALID,
	    "/0/1/0: must be string, is opaque" },
	{ "/0/1", "81a200662f302f312f35037030313233343536373839616263646566", ERR_INVALID,
	    "/0/1/5: must be opaque, is string" },
	{ "/0/1", "81a200662f302f312f310201", ERR_INVALID, "/0/1/1: must be boolean, is integer" },
	{ "/0/1", "81a200662f302f312f3204f5", ERR_INVALID, "/0/1/2: must be integer, is boolean" },
	{ "/0/1", "81a200672f302f312f3137036432313a30", ERR_INVALID,
	    "/0/1/17: must be objlnk, is string" },
	{ "/0/1", "81a200662f302f312f3063766c6f6432313a30", ERR_INVALID,
	    "/0/1/0: must be string, is objlnk" },
	{ "/1/0", "81a200662f312f302f380201", ERR_INVALID,
	    "/1/0/8: is executable and has no value" },
	{ "/0/1", "81a200672f302f312f313763766c6f623231", ERR_PARSE,
	    "/0/1/17: must be an object link, OBJECT:INSTANCE" },
	{ "/0/1", "81a200672f302f312f313763766c6f60", ERR_PARSE,
	    "/0/1/17: must be an object link, OBJECT:INSTANCE" },
	{ "/0/1", "81a200672f302f312f313763766c6f6332313a", ERR_PARSE,
	    "/0/1/17: must be an object link, OBJECT:INSTANCE" },
	{ "/0/1", "81a200672f302f312f313763766c6f6832313a3635353336", ERR_PARSE,
	    "/0/1/17: must be an object link, OBJECT:INSTANCE" },
	{ "/0/1", "81a200672f302f312f313763766c6f6632313a303a30", ERR_PARSE,
	    "/0/1/17: must be an object link, OBJECT:INSTANCE" },
	{ "/0/1", "81a200672f302f312f313763766c6f6736353533353a30", ERR_RANGE,
	    "/0/1/17: links to the reserved id 65535" },
	{ "/0/1", "81a200672f302f312f313763766c6f6832313a3635353335", ERR_RANGE,
	    "/0/1/17: links to the reserved id 65535" },
	{ "/0/1", "81a200662f302f312f300361ff", ERR_PARSE, "/0/1/0: must be UTF-8 without NUL" },
	{ "/0/1", "81a200662f302f312f300363610062", ERR_PARSE,
	    "/0/1/0: must be UTF-8 without NUL" },
	{ "/1/0", "81a200662f312f302f3102fa3fc00000", ERR_INVALID,
	    "/1/0/1: must be a whole number" },
	{ "/1/0", "81a200662f312f302f3102fa5f000000", ERR_RANGE, "/1/0/1: does not fit 64 bits" },
	{ "/1/0", "81a200662f312f302f3102fb7e37e43c8800759c", ERR_RANGE,
	    "/1/0/1: does not fit 64 bits" },
	{ "/1/0", "81a200662f312f302f31021b8000000000000000", ERR_RANGE,
	    "/1/0/1: does not fit 64 bits" },
	{ "/1/0", "81a200662f312f302f31023b8000000000000000", ERR_RANGE,
	    "/1/0/1: does not fit 64 bits" },
	{ "/0/1", "81a200672f302f312f31350220", ERR_RANGE, "/0/1/15: must not be negative" },
	{ "/0/1", "81a200672f302f312f313502fabf800000", ERR_RANGE,
	    "/0/1/15: must not be negative" },
	{ "/32769/0", "81a2006a2f33323736392f302f3302fa5f800000", ERR_RANGE,
	    "/32769/0/3: does not fit 64 bits" },
	{ "/32769/0", "81a2006a2f33323736392f302f3402f97e00", ERR_RANGE,
	    "/32769/0/4: must be a finite number" },
	{ "/32769/0", "81a2006a2f33323736392f302f3402fa7f800000", ERR_RANGE,
	    "/32769/0/4: must be a finite number" },
	{ "/9999/0", "81a200692f393939392f302f30023b8000000000000000", ERR_RANGE,
	    "/9999/0/0: does not fit 64 bits" },
	{ "/1/0", "81a300662f312f302f31241b7fffffffffffffff0201", ERR_RANGE,
	    "/1/0/1: the sum with the base value does not fit 64 bits" },
};
/* clang-format on */

static const struct lwm2m_format *
format(void)
{
	return lwm2m_format(LWM2M_CF_SENML_CBOR);
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
	{ "/3303/0", "/3303/0", { .type = LWM2M_NONE },
	    "/3303/0: this format cannot say what has no value" },
	{ "/1/0", "/1/0/8", { .type = LWM2M_NONE },
	    "/1/0/8: this format cannot say what has no value" },
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
	check_bounded(format(), AS_HEX, &good[0], "more than 37 bytes");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_right_payload_is_the_tree_and_back, N_ELEMS(good)),
	UNIT_CASE(a_wrong_payload_is_refused_with_its_place_and_reason, N_ELEMS(bad)),
	UNIT_CASE(chance_finds_nothing_that_breaks, N_ELEMS(good)),
	UNIT_CASE(what_senml_cannot_say_is_unsupported, N_ELEMS(unsayable)),
	UNIT_CASE(a_bounded_buffer_is_respected, 0),
};
UNIT_SUITE_MAIN("senml_cbor", cases)
