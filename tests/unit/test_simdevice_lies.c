/* The simulated device and its peculiarities and lies, each by what the server gets to see. */
#include "lib/lwm2m/corelink.h"
#include "tests/unit/simscript.h"

/* --- Quirks that are a code
 * -------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *quirk;
	uint8_t method;
	const char *path;
	int number; /* Accept or Content-Format; -1: none */
	uint8_t code;
} codes[] = {
	{ "discover-4.00", CM_GET, "/", 40, CM_BAD_REQUEST },
	{ "discover-4.04", CM_GET, "/", 40, CM_NOT_FOUND },
	{ "discover-4.05", CM_GET, "/", 40, CM_NOT_ALLOWED },
	{ "discover-root-4.00", CM_GET, "/", 40, CM_BAD_REQUEST },
	{ "discover-root-4.00", CM_GET, "/1", 40, CM_CONTENT },
	{ "finish-separate", CM_GET, "/1/0", 40, CM_BAD_REQUEST },
	{ "read-4.00", CM_GET, "/1", 11542, CM_BAD_REQUEST },
	{ "read-4.05", CM_GET, "/1", 11542, CM_NOT_ALLOWED },
	{ "read-only-2", CM_GET, "/1", 11542, CM_NOT_ALLOWED },
	{ "read-only-2", CM_GET, "/2", 11542, CM_CONTENT },
	{ "accept-4.15", CM_GET, "/1", 50, CM_BAD_FORMAT },
	{ "separate-without-ack", CM_PUT, "/1/0", 50, 0 },
	{ "slow", CM_PUT, "/1/0", 50, 0 },
	{ "format-4.00", CM_PUT, "/1/0", 50, CM_BAD_REQUEST },
	{ "format-5.00", CM_PUT, "/1/0", 50, CM_INTERNAL },
	{ "format-4.06", CM_PUT, "/1/0", 50, CM_NOT_ACCEPTABLE },
	{ "no-rpk", CM_PUT, "/1/0", 50, CM_BAD_FORMAT },
	{ "no-rpk", CM_PUT, "/1/0", -1, CM_BAD_FORMAT },
	{ "no-rpk", CM_PUT, "/9/0", 11542, CM_NOT_FOUND },
	{ "no-rpk", CM_PUT, "/3/1", 11542, CM_BAD_REQUEST },
	{ "no-rpk", CM_PUT, "/1/0/0/0", 11542, CM_NOT_ALLOWED },
	{ "no-rpk", CM_PUT, "/1/65535", 11542, CM_BAD_OPTION },
	{ "unknown-object-4.00", CM_PUT, "/9/0", 11542, CM_BAD_REQUEST },
	{ "unknown-object-5.00", CM_PUT, "/9/0", 11542, CM_INTERNAL },
	{ "no-object-write", CM_PUT, "/1", 11542, CM_NOT_ALLOWED },
	{ "no-resource-write", CM_PUT, "/1/0/1", 11542, CM_NOT_ALLOWED },
	{ "no-delete-object", CM_DELETE, "/1", -1, CM_NOT_ALLOWED },
	{ "delete-missing-4.00", CM_DELETE, "/1/7", -1, CM_BAD_REQUEST },
	{ "delete-missing-4.04", CM_DELETE, "/1/7", -1, CM_NOT_FOUND },
	{ "delete-device-4.05", CM_DELETE, "/3", -1, CM_NOT_ALLOWED },
	{ "write-mandatory-4.00", CM_PUT, "/1/0", 11542, CM_BAD_REQUEST },
	{ "created-2.01", CM_PUT, "/1/0", 11542, CM_CREATED },
	{ "no-rpk", CM_POST, "/1/0", -1, CM_NOT_ALLOWED },
};
/* clang-format on */

START_TEST(quirks_answer_as_they_say)
{
	struct world w;
	struct coapmsg m;
	static const uint8_t ssid[] = { 0xc1, 0x00, 0x05 },
	                     instance[] = { 0x03, 0x00, 0xc1, 0x00, 0x05 };
	begin(&w);
	quirk(&w, codes[_i].quirk);
	start(&w);
	accept_request(&w);
	command(&m, &w, codes[_i].method, codes[_i].path);
	if (codes[_i].number >= 0)
		coapmsg_add_uint(&m,
		    codes[_i].method == CM_GET ? CM_OPT_ACCEPT : CM_OPT_CONTENT_FORMAT,
		    (uint32_t)codes[_i].number);
	if (codes[_i].method == CM_PUT && strcmp(codes[_i].path, "/3/1") != 0) {
		bool object = strlen(codes[_i].path) == 2;
		m.payload = object ? instance : ssid;
		m.payload_len = object ? sizeof instance : sizeof ssid;
	}
	ck_assert_uint_eq(ask(&w, &m), codes[_i].code);
	end(&w);
}
END_TEST

/* clang-format off */
static const struct {
	const char *quirk, *text;
} shows[] = {
	{ "discover-no-version", "</0/1>,</0/5>;ssid=9;uri=\"coap://x\",</1/2>;ssid=9,</2>,</3/0>" },
	{ "discover-bare-version", "lwm2m=\"1.1\",</0/1>,</0/5>;ssid=9;uri=\"coap://x\",</1/2>;ssid=9,</2>,</3/0>" },
	{ "discover-quoted-version", "</>;lwm2m=\"1.1\",</0/1>,</0/5>;ssid=9;uri=\"coap://x\",</1/2>;ssid=9,</2>,</3/0>" },
	{ "discover-says-1.0", "</>;lwm2m=1.0,</0/1>,</0/5>;ssid=9;uri=\"coap://x\",</1/2>;ssid=9,</2>,</3/0>" },
	{ "discover-object-links", "</>;lwm2m=1.1,</0>,</0/1>,</0/5>;ssid=9;uri=\"coap://x\",</1>,</1/2>;ssid=9,</2>,</3>,</3/0>" },
	{ "discover-blanks", "</>;lwm2m=1.1, </0/1>, </0/5>;ssid=9;uri=\"coap://x\", </1/2>;ssid=9, </2>, </3/0>" },
	{ "discover-slashes", "</>;lwm2m=1.1,</0/1/>,</0/5/>;ssid=9;uri=\"coap://x\",</1/2/>;ssid=9,</2/>,</3/0/>" },
	{ "discover-no-uri", "</>;lwm2m=1.1,</0/1>,</0/5>;ssid=9,</1/2>;ssid=9,</2>,</3/0>" },
	{ "discover-reversed", "</>;lwm2m=1.1,</3/0>,</2>,</1/2>;ssid=9,</0/5>;ssid=9;uri=\"coap://x\",</0/1>" },
};
/* clang-format on */

START_TEST(discover_has_many_forms)
{
	struct world w;
	struct lwm2m_links links = { 0 };
	struct err e = { ERR_OK, "" };
	char text[512];
	begin(&w);
	ok(device_add_account(&w.initial, 5, 2, 9, "coap://x", &e), &e);
	quirk(&w, shows[_i].quirk);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(discover(&w, text, sizeof text), CM_CONTENT);
	ck_assert_str_eq(text, shows[_i].text);
	ok(lwm2m_links_parse(text, strlen(text), &links, &e), &e);
	lwm2m_links_clear(&links);
	end(&w);
}
END_TEST

/* --- Lies
 * --------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *lie;
	uint8_t code;	    /* of the PUT to /1/0; 0: no piggybacked answer */
	int64_t lifetime;   /* held afterwards; -1: none */
	size_t sent;	    /* datagrams in answer */
} write_lies[] = {
	{ "write=4.00", CM_BAD_REQUEST, -1, 1 },
	{ "write:/1/0=5.00", CM_INTERNAL, -1, 1 },
	{ "write:/1/1=5.00", CM_CHANGED, 86400, 1 },
	{ "write#1=4.05", CM_NOT_ALLOWED, -1, 1 },
	{ "write#2=4.05", CM_CHANGED, 86400, 1 },
	{ "any#1=4.13", CM_TOO_LARGE, -1, 1 },
	{ "write=done-5.00", CM_INTERNAL, 86400, 1 },
	{ "write=store-nothing", CM_CHANGED, -1, 1 },
	{ "write=store-other", CM_CHANGED, 86401, 1 },
	{ "write=wrong-code", CM_CONTENT, 86400, 1 },
	{ "write=no-answer", 0, -1, 0 },
	{ "write=silent", 0, -1, 0 },
	{ "write=close", 0, -1, 0 },
	{ "write=late", 0, 86400, 0 },
	{ "write=twice", CM_CHANGED, 86400, 2 },
};
/* clang-format on */

START_TEST(lies_about_writes)
{
	struct world w;
	begin(&w);
	lie(&w, write_lies[_i].lie);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(put(&w, "/1/0", SERVER), write_lies[_i].code);
	ck_assert_uint_eq(w.n_sent, write_lies[_i].sent);
	ck_assert_int_eq(held(&w, "/1/0/1"), write_lies[_i].lifetime);
	end(&w);
}
END_TEST

START_TEST(a_lie_is_told_to_repetitions_too)
{
	struct world w;
	struct coapmsg m;
	begin(&w);
	lie(&w, "delete#1=no-answer");
	start(&w);
	accept_request(&w);
	command(&m, &w, CM_DELETE, "/1");
	ck_assert_uint_eq(ask(&w, &m), 0);
	ck_assert_uint_eq(ask(&w, &m), 0);
	ck_assert_uint_eq(simple(&w, CM_DELETE, "/1"), CM_DELETED);
	ck_assert_uint_eq(w.lied, 1);
	end(&w);
}
END_TEST

/* clang-format off */
static const struct {
	const char *lie, *text;
} list_lies[] = {
	{ "discover=list-extra", "</>;lwm2m=1.1,</0/1>,</0/5>;ssid=9;uri=\"coap://x\",</1/2>;ssid=9,</1/77>;ssid=4242,</2>,</3/0>" },
	{ "discover=list-omit", "</>;lwm2m=1.1,</0/1>,</0/5>;ssid=9;uri=\"coap://x\",</1>,</2>,</3/0>" },
	{ "discover=list-other-ssid", "</>;lwm2m=1.1,</0/1>,</0/5>;ssid=4242;uri=\"coap://x\",</1/2>;ssid=4242,</2>,</3/0>" },
	{ "discover=list-two-accounts", "</>;lwm2m=1.1,</0/1>,</0/5>;ssid=9;uri=\"coap://x\",</0/99>,</1/2>;ssid=9,</2>,</3/0>" },
	{ "discover=empty", "" },
};
/* clang-format on */

START_TEST(lies_about_what_is_there)
{
	struct world w;
	struct err e = { ERR_OK, "" };
	char text[512];
	begin(&w);
	ok(device_add_account(&w.initial, 5, 2, 9, "coap://x", &e), &e);
	lie(&w, list_lies[_i].lie);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(discover(&w, text, sizeof text), CM_CONTENT);
	ck_assert_str_eq(text, list_lies[_i].text);
	ck_assert(!holds(&w, "/1/77"));
	ck_assert(holds(&w, "/1/2"));
	end(&w);
}
END_TEST

START_TEST(lies_about_what_is_read)
{
	static const char *const names[] = { "read=read-other", "read=read-omit", "read=garbage",
		"read=wrong-format", "read=no-format", "read=endless" };
	struct world w;
	struct lwm2m_tree t = { 0 };
	struct coapmsg_block b;
	struct err e = { ERR_OK, "" };
	begin(&w);
	ok(device_add_account(&w.initial, 5, 2, 9, "coap://x", &e), &e);
	lie(&w, names[_i]);
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(get(&w, "/1/2", 11542), CM_CONTENT);
	enum err_code rc =
	    lwm2m_tlv_decode(w.cfg.model, at("/1/2"), w.msg.payload, w.msg.payload_len, &t, &e);
	uint32_t format = coapmsg_uint(&w.msg, CM_OPT_CONTENT_FORMAT, 1);
	ck_assert_uint_eq(format, _i == 3 ? 40U : _i == 4 ? 1U : 11542U);
	ck_assert_int_eq(rc == ERR_OK, _i != 2 && _i != 5);
	ck_assert_uint_eq(t.n, _i == 2 || _i == 5 ? 0U : _i == 1 ? 3U : 4U);
	int64_t n = 0;
	if (rc == ERR_OK)
		ck_assert(lwm2m_value_number(lwm2m_tree_get(&t, at("/1/2/1")), &n));
	if (_i == 0)
		ck_assert_int_eq(n, 86401);
	if (_i == 5)
		ck_assert(coapmsg_block(&w.msg, CM_OPT_BLOCK2, &b) && b.more);
	lwm2m_tree_clear(&t);
	end(&w);
}
END_TEST

START_TEST(a_restart_in_the_middle)
{
	struct world w;
	begin(&w);
	lie(&w, _i == 1 ? "write=restart-new-port" : "write=restart");
	start(&w);
	accept_request(&w);
	ck_assert_uint_eq(simple(&w, CM_DELETE, "/3"), CM_DELETED);
	struct coapmsg before = w.request;
	struct coapmsg m;
	command(&m, &w, CM_PUT, "/1/0");
	drop_sent(&w);
	feed(&w, &m);
	ck_assert_uint_eq(w.opened, 2);
	ck_assert_uint_eq(w.opened_new, (unsigned)_i);
	accept_request(&w);
	ck_assert(memcmp(before.token, w.request.token, 4) != 0);
	ck_assert_uint_eq(device_stats(w.d)->attempts, 2);
	ck_assert_uint_eq(put(&w, "/0/0", SECURITY), CM_CHANGED); /* once only */
	ck_assert_uint_eq(put(&w, "/1/0", SERVER), CM_CHANGED);
	ck_assert_uint_eq(simple(&w, CM_POST, "/bs"), CM_CHANGED);
	end(&w);
}
END_TEST

/* clang-format off */
static const struct {
	const char *text, *reason;
} bad_lies[] = {
	{ "write", "lie write: no '=' in it" },
	{ "wrote=4.00", "lie wrote=4.00: no such step" },
	{ "write:=4.00", "lie write:=4.00: no path behind ':'" },
	{ "write#0=4.00", "lie write#0=4.00: no number behind '#'" },
	{ "write=9.99", "lie write=9.99: 9.99 is none" },
	{ "write=list-omit", "lie write=list-omit: not at this step" },
	{ "request=4.00", "lie request=4.00: not at this step" },
};
/* clang-format on */

START_TEST(bad_lies_are_refused)
{
	struct device_lie l;
	struct err e = { ERR_OK, "" };
	ck_assert_int_ne(device_lie_parse(bad_lies[_i].text, &l, &e), ERR_OK);
	ck_assert_str_eq(e.msg, bad_lies[_i].reason);
}
END_TEST

START_TEST(every_name_is_there)
{
	struct err e = { ERR_OK, "" };
	struct device_quirks q = { { 0 } };
	struct device_config cfg;
	for (int i = 0; i < DEVICE__QUIRKS; i++) {
		const struct device_quirk_name *n = device_quirk_at((enum device_quirk)i);
		ck_assert_ptr_nonnull(n->name);
		ok(device_quirk_parse(n->name, &q, &e), &e);
		ck_assert(device_quirk_has(&q, (enum device_quirk)i));
	}
	for (int i = 0; i < DEVICE_LIE__KINDS; i++)
		ck_assert_ptr_nonnull(device_lie_at((enum device_lie_kind)i)->name);
	for (size_t i = 0; device_like_at(i) != NULL; i++) {
		device_config_init(&cfg);
		ok(device_config_like(&cfg, device_like_at(i), &e), &e);
	}
	ck_assert_int_eq(device_quirk_parse("finish-seperate", &q, &e), ERR_NOT_FOUND);
	ck_assert_str_eq(e.msg, "quirk finish-seperate: unknown, the nearest is finish-separate");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(quirks_answer_as_they_say, N_ELEMS(codes)),
	UNIT_CASE(discover_has_many_forms, N_ELEMS(shows)),
	UNIT_CASE(lies_about_writes, N_ELEMS(write_lies)),
	UNIT_CASE(a_lie_is_told_to_repetitions_too, 0),
	UNIT_CASE(lies_about_what_is_there, N_ELEMS(list_lies)),
	UNIT_CASE(lies_about_what_is_read, 6),
	UNIT_CASE(a_restart_in_the_middle, 2),
	UNIT_CASE(bad_lies_are_refused, N_ELEMS(bad_lies)),
	UNIT_CASE(every_name_is_there, 0),
};

UNIT_SUITE_MAIN("simdevice-lies", cases)
