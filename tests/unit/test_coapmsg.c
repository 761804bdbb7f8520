/* CoAP messages of the tests' own codec. */
#include "tests/unit/simscript.h"

/* --- Messages ------------------------------------------------------------------------------------
 */

START_TEST(a_message_comes_back_as_it_went)
{
	struct coapmsg m, back;
	struct gbuf b = { 0 };
	struct err e = { ERR_OK, "" };
	struct coapmsg_block block = { .num = 77, .more = true, .szx = 4 }, seen;
	coapmsg_init(&m, CM_CON, CM_PUT, 0x1234, (const uint8_t *)"abc", 3);
	coapmsg_add_uint(&m, CM_OPT_SIZE1, 70000);
	coapmsg_add_block(&m, CM_OPT_BLOCK1, block);
	coapmsg_add_path(&m, "/1/0");
	coapmsg_add_uint(&m, CM_OPT_CONTENT_FORMAT, 11542);
	coapmsg_add_uint(&m, CM_OPT_ACCEPT, 0);
	coapmsg_add(&m, 2048, "x", 1);
	m.payload = (const uint8_t *)"pay";
	m.payload_len = 3;
	coapmsg_write(&m, &b);
	ok(coapmsg_parse(&back, b.data, b.len, &e), &e);
	ck_assert_uint_eq(back.mid, 0x1234);
	ck_assert_mem_eq(back.token, "abc", 3);
	ck_assert_uint_eq(back.n_opt, 7);
	ck_assert_uint_eq(coapmsg_uint(&back, CM_OPT_SIZE1, 0), 70000);
	ck_assert_uint_eq(coapmsg_uint(&back, CM_OPT_ACCEPT, 9), 0);
	ck_assert_uint_eq(coapmsg_uint(&back, CM_OPT_CONTENT_FORMAT, 0), 11542);
	ck_assert(coapmsg_block(&back, CM_OPT_BLOCK1, &seen));
	ck_assert_uint_eq(seen.num, 77);
	ck_assert(seen.more);
	ck_assert_uint_eq(seen.szx, 4);
	ck_assert_uint_eq(back.payload_len, 3);
	for (size_t n = 0; n < b.len; n++) { /* cut anywhere: no reading past the end */
		uint8_t cut[128];
		memcpy(cut, b.data, n);
		(void)coapmsg_parse(&back, cut, n, NULL);
	}
	gbuf_clear(&b);
}
END_TEST

/* clang-format off */
static const struct {
	const char *bytes;
	size_t n;
	const char *reason;
} bad_messages[] = {
	{ "\x40", 1, "header: not CoAP version 1" },
	{ "\x80\x01\x00\x01", 4, "header: not CoAP version 1" },
	{ "\x49\x01\x00\x01", 4, "header: token of 9 octets" },
	{ "\x44\x01\x00\x01 12", 7, "header: token cut off" },
	{ "\x40\x00\x00\x01\xb1x", 6, "an empty message with more than a header" },
	{ "\x40\x01\x00\x01\xf1x", 6, "option 1: bad header" },
	{ "\x40\x01\x00\x01\xb5x", 6, "option 11: cut off" },
	{ "\x40\x01\x00\x01\xff", 5, "payload: a marker and nothing behind it" },
};
/* clang-format on */

START_TEST(bad_messages_are_refused)
{
	struct coapmsg m;
	struct err e = { ERR_OK, "" };
	ck_assert_int_eq(
	    coapmsg_parse(&m, (const uint8_t *)bad_messages[_i].bytes, bad_messages[_i].n, &e),
	    ERR_PARSE);
	ck_assert_str_eq(e.msg, bad_messages[_i].reason);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_message_comes_back_as_it_went, 0),
	UNIT_CASE(bad_messages_are_refused, N_ELEMS(bad_messages)),
};

UNIT_SUITE_MAIN("coapmsg", cases)
