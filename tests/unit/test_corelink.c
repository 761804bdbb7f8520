#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/lwm2m/corelink.h"
#include "tests/fuzz/codec.h"
#include "tests/fuzz/fuzz.h"

#define V11 "</>;lwm2m=1.1,</0/0>;ssid=101;uri=\"coaps://server_1.example.com\",</0/1>,"
#define V11_REST "</1/0>;ssid=101,</3/0>,</5>,</4>"

/* How an answer is written again, as a 1.1 client would: what was understood of it. */
static const struct {
	const char *in, *out;
} good[] = {
	{ "", "" },
	{ "</0>", "</0>" },
	{ "lwm2m=\"1.0\",</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</3/0>",
	    "</>;lwm2m=1.0,</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</3/0>" },
	{ "lwm2m=1.1,</3>", "</>;lwm2m=1.1,</3>" },
	{ "lwm2m=1.1", "</>;lwm2m=1.1" },
	{ V11 V11_REST, V11 V11_REST },
	{ "</>;lwm2m=\"1.1\",</3>", "</>;lwm2m=1.1,</3>" },
	{ "</3>,</>;lwm2m=1.1", "</>;lwm2m=1.1,</3>" },
	{ "</>;rt=\"oma.lwm2m\";ct=\"60 110 112\",</3>", "</3>" },
	{ "</>", "" },
	{ "</0/1>, </1/0>;ssid=5,\t </3>", "</0/1>,</1/0>;ssid=5,</3>" },
	{ "</0/1/>;ssid=7,</3/0/13>", "</0/1>;ssid=7,</3/0/13>" },
	{ "</1>;ver=1.1,</2>;ver=\"1.2\"", "</1>;ver=1.1,</2>;ver=1.2" },
	{ "</1>;ver=\"1 1\",</2>;ver=\"\"", "</1>;ver=\"1 1\",</2>;ver=\"\"" },
	{ "</0/0>;ssid=\"65534\"", "</0/0>;ssid=65534" },
	{ "</0/0>;obs;dim=3;x=\"a,b;c<d>\\\"\";title*=UTF-8''a;ssid=1", "</0/0>;ssid=1" },
	{ "</0/0>;uri=\"coap://a,b;c\\\"d\\\\e\"", "</0/0>;uri=\"coap://a,b;c\\\"d\\\\e\"" },
	{ "</0/0>;uri=coap://h:5683", "</0/0>;uri=\"coap://h:5683\"" },
	{ "</0/0>;uri=\"\"", "</0/0>;uri=\"\"" },
	{ "</0/0>;uri=\"\xc3\xa9\"", "</0/0>;uri=\"\xc3\xa9\"" },
	{ "</65534/65534/65534>", "</65534/65534/65534>" },
};

START_TEST(every_form_that_is_seen_is_taken)
{
	struct lwm2m_links l = { 0 };
	struct gbuf out = { 0 };
	struct err e = { .code = ERR_OK };
	enum err_code rc = lwm2m_links_parse(good[_i].in, strlen(good[_i].in), &l, &e);

	ck_assert_msg(rc == ERR_OK, "%s", e.msg);
	ck_assert_int_eq(lwm2m_links_write(&l, &out, &e), ERR_OK);
	ck_assert_str_eq(gbuf_cstr(&out), good[_i].out);
	ck_assert_int_eq(LLVMFuzzerTestOneInput((const uint8_t *)good[_i].in, strlen(good[_i].in)),
	    0);
	lwm2m_links_clear(&l);
	lwm2m_links_clear(&l);
	gbuf_clear(&out);
}
END_TEST

static const struct {
	const char *in;
	enum err_code code;
	const char *msg;
} bad[] = {
	{ "3/0", ERR_PARSE, "octet 0: '<' is missing" },
	{ "/3/0", ERR_PARSE, "octet 0: '<' is missing" },
	{ ",</3>", ERR_PARSE, "octet 0: '<' is missing" },
	{ "</3>,", ERR_PARSE, "octet 5: '<' is missing" },
	{ "</3>,,</4>", ERR_PARSE, "octet 5: '<' is missing" },
	{ "</3>,lwm2m=1.1", ERR_PARSE, "octet 5: '<' is missing" },
	{ "</3", ERR_PARSE, "octet 0: '<' without '>'" },
	{ "</3>x", ERR_PARSE, "octet 4: ',' or ';' is missing" },
	{ "</3> ,</4>", ERR_PARSE, "octet 4: ',' or ';' is missing" },
	{ "</3>;", ERR_PARSE, "octet 5: the name of an attribute is missing" },
	{ "</3>;=1", ERR_PARSE, "octet 5: the name of an attribute is missing" },
	{ "</3>;x=", ERR_PARSE, "octet 7: the value of an attribute is missing" },
	{ "</3>;x=,</4>", ERR_PARSE, "octet 7: the value of an attribute is missing" },
	{ "</3>;x=\"a", ERR_PARSE, "octet 7: a quoted string has no end" },
	{ "</3>;x=\"a\\", ERR_PARSE, "octet 7: a quoted string has no end" },
	{ "</3>;x=\"a\n\"", ERR_PARSE, "octet 7: a quoted string is not printable UTF-8" },
	{ "</3>;x=\"\xff\"", ERR_PARSE, "octet 7: a quoted string is not printable UTF-8" },
	{ "</3>;x=\"a\"b", ERR_PARSE, "octet 10: ',' or ';' is missing" },
	{ "<>", ERR_PARSE, "octet 0: path: must begin with '/'" },
	{ "<coap://h/3>", ERR_PARSE, "octet 0: path: must begin with '/'" },
	{ "</rd>", ERR_PARSE, "octet 0: path: an id is missing behind the '/' at 1" },
	{ "</3//0>", ERR_PARSE, "octet 0: path: an id is missing behind the '/' at 3" },
	{ "</3/01>", ERR_PARSE, "octet 0: path: an id has a leading zero" },
	{ "</3>,</65535>", ERR_RANGE, "octet 5: path: an id is above 65534" },
	{ "</2/0/2/1>", ERR_INVALID, "/2/0/2/1: a link ends at the Resource" },
	{ "</3>,</4>,</3>", ERR_INVALID, "/3: is there twice" },
	{ "</>,</3>,</>", ERR_INVALID, "/: is there twice" },
	{ "</0/0>;ssid=0", ERR_RANGE, "/0/0: ssid: must be 1..65534" },
	{ "</0/0>;ssid=65535", ERR_RANGE, "/0/0: ssid: must be 1..65534" },
	{ "</0/0>;ssid=-1", ERR_RANGE, "/0/0: ssid: must be 1..65534" },
	{ "</0/0>;ssid=\"\"", ERR_RANGE, "/0/0: ssid: must be 1..65534" },
	{ "</0/0>;ssid", ERR_RANGE, "/0/0: ssid: must be 1..65534" },
	{ "</0/0>;ssid=1;ssid=1", ERR_INVALID, "/0/0: ssid: is there twice" },
	{ "</0/0>;uri", ERR_PARSE, "/0/0: uri: has no value" },
	{ "</0/0>;uri=a;uri=b", ERR_INVALID, "/0/0: uri: is there twice" },
	{ "</1>;ver", ERR_PARSE, "/1: ver: has no value" },
	{ "</>;lwm2m", ERR_PARSE, "/: lwm2m: is not a version such as 1.1" },
	{ "</>;lwm2m=1", ERR_PARSE, "/: lwm2m: is not a version such as 1.1" },
	{ "</>;lwm2m=1.1.1", ERR_PARSE, "/: lwm2m: is not a version such as 1.1" },
	{ "</>;lwm2m=1.1;lwm2m=1.1", ERR_INVALID, "/: lwm2m: is there twice" },
	{ "lwm2m=1.0,</>;lwm2m=1.1", ERR_INVALID, "/: lwm2m: is there twice" },
	{ "lwm2m=\"x\"", ERR_PARSE, "lwm2m: is not a version such as 1.1" },
	{ "lwm2m", ERR_PARSE, "lwm2m: is not a version such as 1.1" },
	{ "lwm2m=1.1;x,</3>", ERR_PARSE, "octet 9: ',' or ';' is missing" },
};

START_TEST(what_is_wrong_is_refused_with_its_place)
{
	struct lwm2m_links l = { 0 };
	struct err e = { .code = ERR_OK };
	size_t n = strlen(bad[_i].in);

	ck_assert_int_eq(lwm2m_links_parse(bad[_i].in, n, &l, &e), bad[_i].code);
	ck_assert_str_eq(e.msg, bad[_i].msg);
	ck_assert_ptr_null(l.v);
	ck_assert_str_eq(l.version, "");
	ck_assert_int_eq(lwm2m_links_parse(bad[_i].in, n, &l, NULL), bad[_i].code);
}
END_TEST

START_TEST(entries_are_found_with_what_they_say)
{
	const char *answer = V11 V11_REST;
	struct lwm2m_links l = { 0 };

	ck_assert_int_eq(lwm2m_links_parse(answer, strlen(answer), &l, NULL), ERR_OK);
	ck_assert_str_eq(l.version, "1.1");
	ck_assert_uint_eq(l.n, 6);
	const struct lwm2m_link_entry *server = lwm2m_links_find(&l, lwm2m_path2(0, 0));
	const struct lwm2m_link_entry *bootstrap = lwm2m_links_find(&l, lwm2m_path2(0, 1));
	ck_assert_ptr_nonnull(server);
	ck_assert_uint_eq(server->ssid, 101);
	ck_assert_str_eq(server->uri, "coaps://server_1.example.com");
	ck_assert_ptr_null(server->ver);
	ck_assert_ptr_nonnull(bootstrap);
	ck_assert_uint_eq(bootstrap->ssid, 0);
	ck_assert_ptr_null(bootstrap->uri);
	ck_assert_ptr_null(lwm2m_links_find(&l, lwm2m_path1(0)));
	lwm2m_links_clear(&l);
}
END_TEST

START_TEST(links_are_added_with_the_same_rules)
{
	struct lwm2m_links l = { .version = "1.1" };
	struct gbuf out = { 0 };
	struct err e = { .code = ERR_OK };
	struct lwm2m_path p = lwm2m_path2(0, 0);

	ck_assert_int_eq(lwm2m_links_add(&l, p, 1, "coap://\"h", NULL, &e), ERR_OK);
	ck_assert_int_eq(lwm2m_links_add(&l, lwm2m_path1(3), 0, NULL, "1.1", &e), ERR_OK);
	ck_assert_int_eq(lwm2m_links_add(&l, p, 2, NULL, NULL, &e), ERR_INVALID);
	ck_assert_str_eq(e.msg, "/0/0: is there twice");
	ck_assert_int_eq(lwm2m_links_add(&l, lwm2m_path2(0, 1), 65535, NULL, NULL, &e), ERR_RANGE);
	ck_assert_str_eq(e.msg, "/0/1: ssid: must be 1..65534");
	ck_assert_int_eq(lwm2m_links_add(&l, lwm2m_path2(0, 1), 1, "a\nb", NULL, &e), ERR_INVALID);
	ck_assert_str_eq(e.msg, "/0/1: uri and ver must be printable UTF-8");
	ck_assert_int_eq(lwm2m_links_add(&l, lwm2m_path4(2, 0, 2, 1), 0, NULL, NULL, &e),
	    ERR_INVALID);
	ck_assert_str_eq(e.msg, "/2/0/2/1: a link is of an Object, an Instance or a Resource");
	ck_assert_int_eq(lwm2m_links_write(&l, &out, &e), ERR_OK);
	ck_assert_str_eq(gbuf_cstr(&out),
	    "</>;lwm2m=1.1,</0/0>;ssid=1;uri=\"coap://\\\"h\",</3>;ver=1.1");
	gbuf_clear(&out);
	out.max = 10;
	ck_assert_int_eq(lwm2m_links_write(&l, &out, &e), ERR_LIMIT);
	lwm2m_links_clear(&l);
	gbuf_clear(&out);
}
END_TEST

START_TEST(more_links_than_the_bound_are_refused)
{
	struct gbuf text = { 0 };
	struct lwm2m_links l = { 0 };
	struct err e = { .code = ERR_OK };

	for (unsigned i = 0; i < LWM2M_LINKS_MAX; i++)
		gbuf_printf(&text, "%s</9999/%u>", i > 0 ? "," : "", i);
	ck_assert_int_eq(lwm2m_links_parse(gbuf_cstr(&text), text.len, &l, &e), ERR_OK);
	ck_assert_uint_eq(l.n, LWM2M_LINKS_MAX);
	lwm2m_links_clear(&l);
	gbuf_str(&text, ",</3>");
	ck_assert_int_eq(lwm2m_links_parse(gbuf_cstr(&text), text.len, &l, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, "/3: more than 1024 links");
	ck_assert_ptr_null(l.v);
	gbuf_clear(&text);
}
END_TEST

START_TEST(damaged_answers_do_no_harm)
{
	uint8_t bytes[256];
	uint64_t state = unit_seed();
	unsigned kept = 0, all = 20000;

	for (unsigned i = 0; i < all; i++) {
		const char *in = good[unit_random(&state) % N_ELEMS(good)].in;
		struct lwm2m_links l = { 0 };

		memcpy(bytes, in, strlen(in));
		size_t n = codec_mutate(bytes, strlen(in), sizeof bytes, &state);
		(void)LLVMFuzzerTestOneInput(bytes, n); /* writes and reads again what it accepts */
		kept += lwm2m_links_parse((const char *)bytes, n, &l, NULL) == ERR_OK ? 1 : 0;
		lwm2m_links_clear(&l);
	}
	ck_assert_uint_gt(kept, all / 100); /* some must get through, or the check above is idle */
	ck_assert_uint_lt(kept, all);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(every_form_that_is_seen_is_taken, N_ELEMS(good)),
	UNIT_CASE(what_is_wrong_is_refused_with_its_place, N_ELEMS(bad)),
	UNIT_CASE(entries_are_found_with_what_they_say, 0),
	UNIT_CASE(links_are_added_with_the_same_rules, 0),
	UNIT_CASE(more_links_than_the_bound_are_refused, 0),
	UNIT_CASE(damaged_answers_do_no_harm, 0),
};

UNIT_SUITE_MAIN("corelink", cases)
