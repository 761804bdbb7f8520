#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/lwm2m/format.h"
#include "tests/fuzz/codec.h"

#define T CODEC_OBJECT
#define PAYLOAD_MAX 512

#define SERVER "C1 00 65 C4 01 00 01 51 80 C1 06 01 C1 07 55"
#define SERVER_IS                                                                                  \
	"/1/0/0 integer 101; /1/0/1 integer 86400; /1/0/6 boolean true; /1/0/7 string \"U\""
#define SECURITY                                                                                   \
	"C8 00 18 63 6F 61 70 73 3A 2F 2F 73 72 76 2E 65 78 61 6D 70 6C 65 3A 35 36 38 34"         \
	"C1 01 00 C1 02 00 C5 03 64 65 76 2D 31 C0 04"                                             \
	"C8 05 10 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 C1 0A 65"
#define SECURITY_IS                                                                                \
	"/0/1/0 string \"coaps://srv.example:5684\"; /0/1/1 boolean false; /0/1/2 integer 0; "     \
	"/0/1/3 opaque 6465762d31; /0/1/4 opaque ; "                                               \
	"/0/1/5 opaque 0102030405060708090a0b0c0d0e0f10; /0/1/10 integer 101"
#define DEVICE                                                                                     \
	"C8 00 14 4F70656E204D6F62696C6520416C6C69616E6365"                                        \
	"C8 01 16 4C69676874776569676874204D324D20436C69656E74 C8 02 09 333435303030313233"        \
	"C3 03 312E30 86 06 4100014101 05 88 07 08 42000ED842011388 87 08 41007D42010384"          \
	"C1 09 64 C1 0A 0F 83 0B 410000 C4 0D 5182428F C6 0E 2B30323A3030 C1 10 55"
#define DEVICE_IS                                                                                  \
	"/3/0/0 string \"Open Mobile Alliance\"; /3/0/1 string \"Lightweight M2M Client\"; "       \
	"/3/0/2 string \"345000123\"; /3/0/3 string \"1.0\"; /3/0/6/0 integer 1; "                 \
	"/3/0/6/1 integer 5; /3/0/7/0 integer 3800; /3/0/7/1 integer 5000; "                       \
	"/3/0/8/0 integer 125; /3/0/8/1 integer 900; /3/0/9 integer 100; /3/0/10 integer 15; "     \
	"/3/0/11/0 integer 0; /3/0/13 time 1367491215; /3/0/14 string \"+02:00\"; "                \
	"/3/0/16 string \"U\""

/* own: what we write for that tree is exactly that. */
static const struct {
	struct lwm2m_path base;
	const char *hex, *tree;
	bool own;
} good[] = {
	{ { { 1, 0, 1 }, 3 }, "C1 01 00", "/1/0/1 integer 0", true },
	{ { { 1, 0, 1 }, 3 }, "C1 01 7F", "/1/0/1 integer 127", true },
	{ { { 1, 0, 1 }, 3 }, "C2 01 00 80", "/1/0/1 integer 128", true },
	{ { { 1, 0, 1 }, 3 }, "C1 01 FF", "/1/0/1 integer -1", true },
	{ { { 1, 0, 1 }, 3 }, "C1 01 80", "/1/0/1 integer -128", true },
	{ { { 1, 0, 1 }, 3 }, "C2 01 FF 7F", "/1/0/1 integer -129", true },
	{ { { 1, 0, 1 }, 3 }, "C2 01 01 2C", "/1/0/1 integer 300", true },
	{ { { 1, 0, 1 }, 3 }, "C4 01 00 00 80 00", "/1/0/1 integer 32768", true },
	{ { { 1, 0, 1 }, 3 }, "C4 01 00 01 51 80", "/1/0/1 integer 86400", true },
	{ { { 1, 0, 1 }, 3 }, "C4 01 80 00 00 00", "/1/0/1 integer -2147483648", true },
	{ { { 1, 0, 1 }, 3 }, "C8 01 08 00 00 00 00 80 00 00 00", "/1/0/1 integer 2147483648",
	    true },
	{ { { 1, 0, 1 }, 3 }, "C8 01 08 80 00 00 00 00 00 00 00",
	    "/1/0/1 integer -9223372036854775808", true },
	{ { { 1, 0, 1 }, 3 }, "C8 01 08 00 00 00 00 00 00 00 05", "/1/0/1 integer 5", false },
	{ { { 1, 0, 6 }, 3 }, "C1 06 01", "/1/0/6 boolean true", true },
	{ { { 0, 1, 1 }, 3 }, "C1 01 00", "/0/1/1 boolean false", true },
	{ { { 1, 0, 7 }, 3 }, "C1 07 55", "/1/0/7 string \"U\"", true },
	{ { { T, 0, 1 }, 3 }, "C7 01 31 32 33 34 35 36 37", "/32769/0/1 string \"1234567\"", true },
	{ { { T, 0, 1 }, 3 }, "C8 01 08 31 32 33 34 35 36 37 38", "/32769/0/1 string \"12345678\"",
	    true },
	{ { { T, 0, 1 }, 3 }, "C0 01", "/32769/0/1 string \"\"", true },
	{ { { 0, 1, 4 }, 3 }, "C0 04", "/0/1/4 opaque ", true },
	{ { { 0, 1, 10 }, 3 }, "C1 0A 65", "/0/1/10 integer 101", true },
	{ { { T, 0, 4 }, 3 }, "C4 04 41 AC 00 00", "/32769/0/4 float 21.5", true },
	{ { { T, 0, 4 }, 3 }, "C8 04 08 40 35 80 00 00 00 00 00", "/32769/0/4 float 21.5", false },
	{ { { T, 0, 4 }, 3 }, "C8 04 08 3F B9 99 99 99 99 99 9A",
	    "/32769/0/4 float 0.1", true },
	{ { { T, 0, 3 }, 3 }, "C1 03 C8", "/32769/0/3 unsigned integer 200", false },
	{ { { T, 0, 3 }, 3 }, "C2 03 00 C8", "/32769/0/3 unsigned integer 200", true },
	{ { { T, 0, 3 }, 3 }, "C8 03 08 FF FF FF FF FF FF FF FF",
	    "/32769/0/3 unsigned integer 18446744073709551615", true },
	{ { { T, 0, 9 }, 3 }, "C6 09 3C 2F 33 2F 30 3E", "/32769/0/9 corelnk \"</3/0>\"", true },
	{ { { 3, 0, 13 }, 3 }, "C4 0D 51 82 42 8F", "/3/0/13 time 1367491215", true },
	{ { { 3, 0, 13 }, 3 }, "C8 0D 08 00 00 00 00 80 00 00 00", "/3/0/13 time 2147483648",
	    true },
	{ { { 0, 1, 17 }, 3 }, "C4 11 00 15 00 00", "/0/1/17 objlnk 21:0", true },
	{ { { 1, 0, 10 }, 3 }, "C4 0A FF FF FF FF", "/1/0/10 objlnk 65535:65535", true },
	{ { { 9999, 0, 0 }, 3 }, "88 00 0C 44 00 00 42 00 00 44 01 00 42 00 01",
	    "/9999/0/0/0 opaque 00420000; /9999/0/0/1 opaque 00420001", true },
	{ { { T, 0, 28 }, 3 }, "88 1C 0C 44 00 00 42 00 00 44 01 00 42 00 01",
	    "/32769/0/28/0 objlnk 66:0; /32769/0/28/1 objlnk 66:1", true },
	{ { { 0, 1, 16 }, 3 }, "88 10 0A 44 00 00 00 C0 A8 42 01 00 AE",
	    "/0/1/16/0 unsigned integer 49320; /0/1/16/1 unsigned integer 174", true },
	{ { { 0, 1, 16 }, 3 }, "87 10 42 00 C0 A8 41 01 AE",
	    "/0/1/16/0 unsigned integer 49320; /0/1/16/1 unsigned integer 174", false },
	{ { { 3, 0, 6 }, 3 }, "86 06 41 00 01 41 01 05", "/3/0/6/0 integer 1; /3/0/6/1 integer 5",
	    true },
	{ { { 3, 0, 7 }, 3 }, "88 07 08 42 00 0E D8 42 01 13 88",
	    "/3/0/7/0 integer 3800; /3/0/7/1 integer 5000", true },
	{ { { 2, 0, 2 }, 3 }, "87 02 41 7F 07 61 01 36 01",
	    "/2/0/2/127 integer 7; /2/0/2/310 integer 1", true },
	{ { { 9999, 7, 300 }, 3 }, "E3 01 2C 01 02 03", "/9999/7/300 opaque 010203", true },
	{ { { 9999, 7, 300 }, 3 }, "F0 01 2C 00 03 01 02 03", "/9999/7/300 opaque 010203", false },
	{ { { 9999 }, 1 }, "20 01 2C 23 FF FE C1 00 01", "/9999/300 none; /9999/65534/0 opaque 01",
	    true },
	{ { { 1, 0 }, 2 }, "", "/1/0 none", true },
	{ { { 1 }, 1 }, "", "", true },
	{ { { 1, 0 }, 2 }, SERVER, SERVER_IS, true },
	{ { { 1, 0 }, 2 }, "08 00 0F" SERVER, SERVER_IS, false },
	{ { { 1 }, 1 }, "08 00 0F" SERVER, SERVER_IS, true },
	{ { { 0, 1 }, 2 }, SECURITY, SECURITY_IS, true },
	{ { { 0 }, 1 }, "08 01 40" SECURITY, SECURITY_IS, true },
	{ { { 0, 1 }, 2 }, "C1 02 03 C0 03 C0 04 C0 05",
	    "/0/1/2 integer 3; /0/1/3 opaque ; /0/1/4 opaque ; /0/1/5 opaque ", true },
	{ { { 2, 0 }, 2 }, "C1 00 03 C1 01 00 86 02 41 65 1F 41 66 01 C1 03 65",
	    "/2/0/0 integer 3; /2/0/1 integer 0; /2/0/2/101 integer 31; /2/0/2/102 integer 1; "
	    "/2/0/3 integer 101",
	    true },
	{ { { 2, 1 }, 2 }, "C2 00 0C E7 C4 01 00 00 FF FF 83 02 41 65 10 C4 03 00 00 FF FF",
	    "/2/1/0 integer 3303; /2/1/1 integer 65535; /2/1/2/101 integer 16; "
	    "/2/1/3 integer 65535",
	    true },
	{ { { 2, 0 }, 2 }, "80 02", "/2/0 none", false },
	{ { { 2, 0, 2 }, 3 }, "80 02", "", false },
	{ { { 3, 0 }, 2 }, DEVICE, DEVICE_IS, true },
	{ { { 3, 0 }, 2 }, "08 00 79" DEVICE, DEVICE_IS, false },
	{ { { 3 }, 1 }, "08 00 79" DEVICE, DEVICE_IS, true },
	{ { { 2 }, 1 },
	    "08 00 0E C1 00 01 C1 01 00 83 02 41 7F 07 C1 03 7F"
	    "08 02 12 C1 00 03 C1 01 00 87 02 41 7F 07 61 01 36 01 C1 03 7F",
	    "/2/0/0 integer 1; /2/0/1 integer 0; /2/0/2/127 integer 7; /2/0/3 integer 127; "
	    "/2/2/0 integer 3; /2/2/1 integer 0; /2/2/2/127 integer 7; /2/2/2/310 integer 1; "
	    "/2/2/3 integer 127",
	    true },
	/* the order of what comes is free, that of what we write is not */
	{ { { 1, 0 }, 2 }, "C1 07 55 C1 00 65", "/1/0/0 integer 101; /1/0/7 string \"U\"", false },
};

START_TEST(worked_examples_are_read_and_written)
{
	uint8_t bytes[PAYLOAD_MAX];
	size_t n = codec_unhex(good[_i].hex, bytes, sizeof bytes);
	struct lwm2m_path base = good[_i].base;
	struct lwm2m_tree t = { 0 };
	struct gbuf text = { 0 }, out = { 0 };
	struct err e = { .code = ERR_OK };

	enum err_code rc = lwm2m_tlv_decode(codec_model(), base, bytes, n, &t, &e);
	ck_assert_msg(rc == ERR_OK, "%s", e.msg);
	codec_print(&t, &text);
	ck_assert_str_eq(gbuf_cstr(&text), good[_i].tree);
	if (good[_i].own) {
		struct lwm2m_span all = { t.nodes, t.n };

		rc = lwm2m_tlv_encode(base, all, &out, &e);
		ck_assert_msg(rc == ERR_OK, "%s", e.msg);
		ck_assert_uint_eq(out.len, n);
		ck_assert(n == 0 || memcmp(out.data, bytes, n) == 0);
	}
	ck_assert(codec_check(lwm2m_format(LWM2M_CF_TLV), base, bytes, n));
	gbuf_clear(&text);
	gbuf_clear(&out);
	lwm2m_tree_clear(&t);
}
END_TEST

static const struct {
	struct lwm2m_path base;
	const char *hex;
	enum err_code code;
	const char *msg;
} bad[] = {
	{ { { 1, 0 }, 2 }, "C1", ERR_PARSE, "/1/0: octet 0: a TLV header is cut off" },
	{ { { 1, 0 }, 2 }, "C1 00 65 E1 01", ERR_PARSE, "/1/0: octet 3: a TLV header is cut off" },
	{ { { 1, 0 }, 2 }, "F0 00 01 02", ERR_PARSE, "/1/0: octet 0: a TLV header is cut off" },
	{ { { 1, 0 }, 2 }, "C4 01 00 01 51", ERR_PARSE,
	    "/1/0: octet 0: Resource 1 announces 4 octets, 3 are left" },
	{ { { 1 }, 1 }, "18 00 0F FF FF", ERR_PARSE,
	    "/1: octet 0: Object Instance 0 announces 1048575 octets, 0 are left" },
	{ { { 2, 0 }, 2 }, "C1 00 03 83 02 42 65 1F C1 03 65", ERR_PARSE,
	    "/2/0/2: octet 5: Resource Instance 101 announces 2 octets, 1 are left" },
	{ { { 1 }, 1 }, "08 00 0D" SERVER, ERR_PARSE,
	    "/1/0: octet 15: a TLV header is cut off" },
	{ { { 1, 0 }, 2 }, "E1 FF FF 01", ERR_RANGE, "/1/0: octet 0: id 65535 is reserved" },
	{ { { 1 }, 1 }, "20 FF FF", ERR_RANGE, "/1: octet 0: id 65535 is reserved" },
	{ { { 2, 0 }, 2 }, "84 02 61 FF FF 01", ERR_RANGE,
	    "/2/0/2: octet 2: id 65535 is reserved" },
	{ { { 1, 0 }, 2 }, "41 00 01", ERR_PARSE,
	    "/1/0: octet 0: a TLV of the kind Resource Instance does not belong here" },
	{ { { 1, 0 }, 2 }, "C1 00 65 00 00", ERR_PARSE,
	    "/1/0: octet 3: a TLV of the kind Object Instance does not belong here" },
	{ { { 1 }, 1 }, "C1 00 65", ERR_PARSE,
	    "/1: octet 0: a TLV of the kind Resource does not belong here" },
	{ { { 2, 0, 2 }, 3 }, "83 02 C1 00 01", ERR_PARSE,
	    "/2/0/2: octet 2: a TLV of the kind Resource does not belong here" },
	{ { { 1, 0, 1 }, 3 }, "03 00 C1 01 05", ERR_PARSE,
	    "/1/0/1: octet 0: a TLV of the kind Object Instance does not belong here" },
	{ { { 1, 0 }, 2 }, "C1 00 65 C1 00 65", ERR_INVALID, "/1/0/0: is there twice" },
	{ { { 2, 0 }, 2 }, "80 02 80 02", ERR_INVALID, "/2/0/2: is there twice" },
	{ { { 9999, 0 }, 2 }, "C1 02 01 83 02 41 00 01", ERR_INVALID, "/9999/0/2: is there twice" },
	{ { { 2, 0 }, 2 }, "86 02 41 65 1F 41 65 1F", ERR_INVALID, "/2/0/2/101: is there twice" },
	{ { { 1 }, 1 }, "03 00 C1 00 65 03 00 C1 01 05", ERR_INVALID, "/1/0: is there twice" },
	{ { { 1 }, 1 }, "00 00 00 00", ERR_INVALID, "/1/0: is there twice" },
	{ { { 1, 0 }, 2 }, "03 01 C1 00 65", ERR_INVALID,
	    "/1/0: the payload is about Object Instance 1" },
	{ { { 1, 0 }, 2 }, "03 00 C1 00 65 C1 01 05", ERR_PARSE,
	    "/1/0: 3 octets too many behind the Object Instance" },
	{ { { 1, 0, 1 }, 3 }, "C1 02 05", ERR_INVALID, "/1/0/1: the payload is about Resource 2" },
	{ { { 1, 0, 1 }, 3 }, "C1 01 05 00", ERR_PARSE,
	    "/1/0/1: 1 octets too many behind the Resource" },
	{ { { 1, 0, 1 }, 3 }, "", ERR_PARSE, "/1/0/1: the payload is empty" },
	{ { { 2, 0 }, 2 }, "C1 02 01", ERR_INVALID,
	    "/2/0/2: is a Multiple Resource, comes as Resource" },
	{ { { 1, 0 }, 2 }, "83 01 41 00 01", ERR_INVALID,
	    "/1/0/1: is a Resource, comes as Multiple Resource" },
	{ { { 1, 0 }, 2 }, "C0 01", ERR_PARSE,
	    "/1/0/1: integer of 0 octets, must be 1, 2, 4 or 8" },
	{ { { 1, 0 }, 2 }, "C3 01 00 00 01", ERR_PARSE,
	    "/1/0/1: integer of 3 octets, must be 1, 2, 4 or 8" },
	{ { { T, 0 }, 2 }, "C8 03 09 00 00 00 00 00 00 00 00 01", ERR_PARSE,
	    "/32769/0/3: unsigned integer of 9 octets, must be 1, 2, 4 or 8" },
	{ { { T, 0 }, 2 }, "C2 04 00 00", ERR_PARSE,
	    "/32769/0/4: float of 2 octets, must be 4 or 8" },
	{ { { 3, 0 }, 2 }, "C3 0D 01 02 03", ERR_PARSE,
	    "/3/0/13: time of 3 octets, must be 1, 2, 4 or 8" },
	{ { { 1, 0 }, 2 }, "C2 06 00 01", ERR_PARSE, "/1/0/6: boolean of 2 octets, must be 1" },
	{ { { 1, 0 }, 2 }, "C1 06 02", ERR_PARSE, "/1/0/6: boolean must be 0 or 1, is 2" },
	{ { { 0, 1 }, 2 }, "C3 11 00 15 00", ERR_PARSE, "/0/1/17: objlnk of 3 octets, must be 4" },
	{ { { 1, 0 }, 2 }, "C2 07 55 00", ERR_PARSE, "/1/0/7: string is not UTF-8 without NUL" },
	{ { { 1, 0 }, 2 }, "C1 07 FF", ERR_PARSE, "/1/0/7: string is not UTF-8 without NUL" },
	{ { { T, 0 }, 2 }, "C2 09 C3 28", ERR_PARSE,
	    "/32769/0/9: corelnk is not UTF-8 without NUL" },
	{ { { 1, 0 }, 2 }, "C0 09", ERR_INVALID, "/1/0/9: an executable Resource has no value" },
	{ { { 0 }, 0 }, "C1 00 65", ERR_UNSUPPORTED,
	    "/: TLV is of an Object, an Instance or a Resource" },
	{ { { 2, 0, 2, 1 }, 4 }, "41 01 01", ERR_UNSUPPORTED,
	    "/2/0/2/1: TLV is of an Object, an Instance or a Resource" },
};

START_TEST(what_is_wrong_is_refused_with_its_place)
{
	uint8_t bytes[PAYLOAD_MAX];
	size_t n = codec_unhex(bad[_i].hex, bytes, sizeof bytes);
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };

	ck_assert_int_eq(lwm2m_tlv_decode(codec_model(), bad[_i].base, bytes, n, &t, &e),
	    bad[_i].code);
	ck_assert_str_eq(e.msg, bad[_i].msg);
	ck_assert_ptr_null(t.nodes);
	ck_assert_int_eq(lwm2m_tlv_decode(codec_model(), bad[_i].base, bytes, n, &t, NULL),
	    bad[_i].code);
	ck_assert(!codec_check(lwm2m_format(LWM2M_CF_TLV), bad[_i].base, bytes, n));
}
END_TEST

START_TEST(more_values_than_a_tree_holds_are_refused)
{
	struct gbuf many = { 0 };
	struct lwm2m_tree t = { 0 };
	struct err e = { .code = ERR_OK };

	for (unsigned i = 0; i <= LWM2M_TREE_MAX; i++) {
		gbuf_u8(&many, 0x20); /* an Object Instance without content */
		gbuf_be(&many, i, 2);
	}
	struct lwm2m_path base = lwm2m_path1(9999);
	ck_assert_int_eq(lwm2m_tlv_decode(codec_model(), base, many.data, many.len, &t, &e),
	    ERR_LIMIT);
	ck_assert_str_eq(e.msg, "/9999/4096: more than 4096 values");
	ck_assert_ptr_null(t.nodes);
	ck_assert_int_eq(lwm2m_tlv_decode(codec_model(), base, many.data, many.len - 3, &t, &e),
	    ERR_OK);
	ck_assert_uint_eq(t.n, LWM2M_TREE_MAX);
	lwm2m_tree_clear(&t);
	gbuf_clear(&many);
}
END_TEST

/* 0/x/5 of so many octets, and what must stand before them. */
static const struct {
	size_t n;
	const char *header;
} lengths[] = {
	{ 7, "c705" },
	{ 8, "c80508" },
	{ 255, "c805ff" },
	{ 256, "d0050100" },
	{ 65535, "d005ffff" },
	{ 65536, "d805010000" },
};

START_TEST(lengths_take_the_shortest_form)
{
	size_t n = lengths[_i].n;
	struct lwm2m_node node = { .path = lwm2m_path3(0, 1, 5) };
	struct lwm2m_tree t = { 0 };
	struct gbuf out = { 0 }, hex = { 0 };
	uint8_t *zeros = calloc(1, n);

	ck_assert_ptr_nonnull(zeros);
	ck_assert_int_eq(lwm2m_value_bytes(&node.value, LWM2M_OPAQUE, zeros, n, NULL), ERR_OK);
	struct lwm2m_span one = { &node, 1 };
	ck_assert_int_eq(lwm2m_tlv_encode(node.path, one, &out, NULL), ERR_OK);
	ck_assert_uint_gt(out.len, n);
	enc_hex(&hex, out.data, out.len - n);
	ck_assert_str_eq(gbuf_cstr(&hex), lengths[_i].header);
	ck_assert_int_eq(lwm2m_tlv_decode(codec_model(), node.path, out.data, out.len, &t, NULL),
	    ERR_OK);
	ck_assert(lwm2m_value_eq(lwm2m_tree_get(&t, node.path), &node.value));
	lwm2m_tree_clear(&t);
	lwm2m_value_clear(&node.value);
	gbuf_clear(&out);
	gbuf_clear(&hex);
	free(zeros);
}
END_TEST

START_TEST(ids_above_255_take_two_octets)
{
	struct lwm2m_node node = { .path = lwm2m_path3(3303, 0, 5700), .value = lwm2m_float(21.5) };
	struct lwm2m_span one = { &node, 1 };
	struct gbuf out = { 0 }, hex = { 0 };

	ck_assert_int_eq(lwm2m_tlv_encode(lwm2m_path2(3303, 0), one, &out, NULL), ERR_OK);
	enc_hex(&hex, out.data, out.len);
	ck_assert_str_eq(gbuf_cstr(&hex), "e4164441ac0000");
	gbuf_clear(&out);
	gbuf_clear(&hex);
}
END_TEST

START_TEST(floats_keep_every_bit)
{
	static const double floats[] = { 0.0, -0.0, 1e300, -1e-320, 3.4028234663852886e38,
		3.5e38, INFINITY, -INFINITY, (double)1.1F, 1.1 };

	for (size_t i = 0; i < N_ELEMS(floats); i++) {
		struct lwm2m_node node = { .path = lwm2m_path3(T, 0, LWM2M_FLOAT) };
		struct lwm2m_span one = { &node, 1 };
		struct lwm2m_tree t = { 0 };
		struct gbuf out = { 0 };

		node.value = lwm2m_float(floats[i]);
		ck_assert_int_eq(lwm2m_tlv_encode(node.path, one, &out, NULL), ERR_OK);
		ck_assert_int_eq(lwm2m_tlv_decode(codec_model(), node.path, out.data, out.len, &t,
		    NULL), ERR_OK);
		ck_assert_mem_eq(&lwm2m_tree_get(&t, node.path)->f, &floats[i], sizeof floats[i]);
		lwm2m_tree_clear(&t);
		gbuf_clear(&out);
	}
}
END_TEST

START_TEST(what_tlv_cannot_say_is_refused)
{
	struct lwm2m_node none = { .path = lwm2m_path3(1, 0, 8) };
	struct lwm2m_node one = { .path = lwm2m_path3(1, 0, 0), .value = lwm2m_int(1) };
	struct lwm2m_node ri = { .path = lwm2m_path4(2, 0, 2, 1), .value = lwm2m_int(1) };
	const struct {
		struct lwm2m_path base;
		struct lwm2m_span span;
		size_t max;
		enum err_code code;
		const char *msg;
	} rows[] = {
		{ { { 0 }, 0 }, { &one, 1 }, 0, ERR_UNSUPPORTED,
		    "/: TLV is of an Object, an Instance or a Resource" },
		{ { { 2, 0, 2, 1 }, 4 }, { &ri, 1 }, 0, ERR_UNSUPPORTED,
		    "/2/0/2/1: TLV is of an Object, an Instance or a Resource" },
		{ { { 1, 0, 0 }, 3 }, { NULL, 0 }, 0, ERR_UNSUPPORTED,
		    "/1/0/0: no value to write" },
		{ { { 1, 0 }, 2 }, { &none, 1 }, 0, ERR_UNSUPPORTED, "/1/0/8: no value to write" },
		{ { { 1, 1 }, 2 }, { &one, 1 }, 0, ERR_INTERNAL,
		    "/1/0/0: does not lie under /1/1" },
		{ { { 1, 0 }, 2 }, { &one, 1 }, 2, ERR_LIMIT, "/1/0: more than 2 bytes" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct gbuf out = { .max = rows[i].max };
		struct err e = { .code = ERR_OK };

		ck_assert_int_eq(lwm2m_tlv_encode(rows[i].base, rows[i].span, &out, &e),
		    rows[i].code);
		ck_assert_str_eq(e.msg, rows[i].msg);
		gbuf_clear(&out);
	}
}
END_TEST

START_TEST(more_than_a_length_can_say_is_refused)
{
	struct lwm2m_node nodes[2] = { { .path = lwm2m_path3(0, 1, 4) }, { .path = lwm2m_path3(0, 1,
	    5) } };
	struct lwm2m_span both = { nodes, 2 };
	struct gbuf out = { 0 };
	struct err e = { .code = ERR_OK };
	size_t n = 0x7ffffc; /* two of them and their headers */

	for (size_t i = 0; i < N_ELEMS(nodes); i++) {
		nodes[i].value.type = LWM2M_OPAQUE;
		ck_assert_int_eq(secret_alloc(&nodes[i].value.bytes, n, NULL), ERR_OK);
	}
	ck_assert_int_eq(lwm2m_tlv_encode(lwm2m_path1(0), both, &out, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, "/0: more than 16777215 octets");
	ck_assert_uint_eq(out.len, 0);
	for (size_t i = 0; i < N_ELEMS(nodes); i++)
		lwm2m_value_clear(&nodes[i].value);
	gbuf_clear(&out);
}
END_TEST

START_TEST(damaged_payloads_do_no_harm)
{
	uint8_t bytes[PAYLOAD_MAX];
	uint64_t state = unit_seed();
	unsigned kept = 0, all = 20000;

	for (unsigned i = 0; i < all; i++) {
		size_t row = (size_t)(unit_random(&state) % N_ELEMS(good));
		size_t n = codec_unhex(good[row].hex, bytes, sizeof bytes);

		n = codec_mutate(bytes, n, sizeof bytes, &state);
		kept += codec_check(lwm2m_format(LWM2M_CF_TLV), good[row].base, bytes, n) ? 1 : 0;
	}
	ck_assert_uint_gt(kept, all / 100); /* some must get through, or the check above is idle */
	ck_assert_uint_lt(kept, all);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(worked_examples_are_read_and_written, N_ELEMS(good)),
	UNIT_CASE(what_is_wrong_is_refused_with_its_place, N_ELEMS(bad)),
	UNIT_CASE(more_values_than_a_tree_holds_are_refused, 0),
	UNIT_CASE(lengths_take_the_shortest_form, N_ELEMS(lengths)),
	UNIT_CASE(ids_above_255_take_two_octets, 0),
	UNIT_CASE(floats_keep_every_bit, 0),
	UNIT_CASE(what_tlv_cannot_say_is_refused, 0),
	UNIT_CASE(more_than_a_length_can_say_is_refused, 0),
	UNIT_CASE(damaged_payloads_do_no_harm, 0),
};

UNIT_SUITE_MAIN("tlv", cases)
