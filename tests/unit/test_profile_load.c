#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/profile_kit.h"
#include "tests/unit/unit.h"

/* clang-format off */
static const struct {
	const char *text; /* '@': where */
	const char *reason;
} wrong[] = {
	{ "@", "an empty document" },
	{ "@ \n ", "an empty document" },
	{ "{ \"a\": @", "unexpected token near end of file" },
	{ "{\n  \"a\": 1,\n  \"b\" @2\n}", "':' expected" },
	{ "{\n  \"a\": 1\n  @\"b\": 2\n}", "'}' expected" },
	{ "{ \"a\": @tru }", "invalid token" },
	{ "{ \"a\": @01 }", "invalid token" },
	{ "{ \"\xc3\xa4\": @nope }", "invalid token" },
	{ "{ \"a\": 1, @\"a\": 2 }", "\"a\" is there twice" },
	{ "{ \"s\": { \"dm\": 1,\n @\"dm\": 2 } }", "\"dm\" is there twice" },
	{ "@[ 1 ]", "a document is an object: {...}" },
	{ "@\"text\"", "a document is an object: {...}" },
	{ "{ \"a\": 1 } @x", "end of file expected" },
	{ "{ \"a\": @99999999999999999999 }", "too big integer" },
	{ "{ \"a\": @1e999 }", "real number overflow" },
	{ "{ \"a\": \"b\" @\"00112233445566778899aabbccddeeff\" }", "'}' expected" },
};
/* clang-format on */

START_TEST(a_syntax_error_has_its_place_and_shows_no_content)
{
	unsigned line, column;
	const char *text = kit_unmark(wrong[_i].text, &line, &column);
	struct profile_doc *d = NULL;
	struct err e = { 0 };
	char want[160];

	(void)snprintf(want, sizeof want, "f.json:%u:%u: %s", line + 6, column, wrong[_i].reason);
	ck_assert_int_eq(profile_parse("f.json", 7, text, strlen(text), &d, &e), ERR_PARSE);
	ck_assert_msg(strcmp(e.msg, want) == 0, "%s\nwanted %s", e.msg, want);
}
END_TEST

START_TEST(too_large_and_too_deep_are_refused)
{
	size_t n = PROFILE_TEXT_MAX + 1;
	char *text = malloc(n);
	struct profile_doc *d = NULL;
	struct err e = { 0 };
	struct gbuf deep = { 0 };

	memset(text, ' ', n);
	ck_assert_int_eq(profile_parse("f", 1, text, n, &d, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, "f:1:1: a document of 1048577 octets; 1048576 are the most");
	free(text);
	for (int i = 0; i < PROFILE_DEPTH_MAX; i++)
		gbuf_str(&deep, "{\"a\":");
	gbuf_str(&deep, "1");
	for (int i = 0; i < PROFILE_DEPTH_MAX; i++)
		gbuf_str(&deep, "}");
	ck_assert_int_eq(profile_parse("f", 1, gbuf_cstr(&deep), deep.len, &d, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, "f:1:1: nested deeper than 16");
	ck_assert_int_eq(profile_parse("f", 1, gbuf_cstr(&deep) + 5, deep.len - 6, &d, &e), ERR_OK);
	profile_doc_free(d);
	gbuf_clear(&deep);
}
END_TEST

/* A list of n: {"a":[0,0,...]}, or n lists of m. */
static void
put_lists(struct gbuf *g, unsigned n, unsigned m)
{
	gbuf_reset(g);
	gbuf_str(g, "{\"a\":[");
	for (unsigned i = 0; i < n; i++) {
		gbuf_str(g, i > 0 ? ",[" : "[");
		for (unsigned k = 0; k < m; k++)
			gbuf_str(g, k > 0 ? ",0" : "0");
		gbuf_str(g, "]");
	}
	gbuf_str(g, "]}");
}

START_TEST(too_many_values_and_too_long_keys_are_refused)
{
	static const struct {
		unsigned n, m;
		const char *msg;
	} bounds[] = { { 1, 1024, NULL },
		{ 1, 1025, "f:1:1: an object or list of 1025; 1024 are the most" },
		{ 1025, 0, "f:1:1: an object or list of 1025; 1024 are the most" },
		{ 31, 1024, NULL }, { 32, 1024, "f:1:1: more than 32768 values" } };
	struct profile_doc *d = NULL;
	struct err e = { 0 };
	struct gbuf g = { 0 };

	for (size_t i = 0; i < N_ELEMS(bounds); i++) {
		put_lists(&g, bounds[i].n, bounds[i].m);
		enum err_code rc = profile_parse("f", 1, gbuf_cstr(&g), g.len, &d, &e);
		ck_assert_int_eq(rc, bounds[i].msg == NULL ? ERR_OK : ERR_LIMIT);
		if (rc == ERR_OK)
			profile_doc_free(d);
		else
			ck_assert_str_eq(e.msg, bounds[i].msg);
	}
	gbuf_reset(&g);
	gbuf_printf(&g, "{\"%0256d\":1}", 0);
	ck_assert_int_eq(profile_parse("f", 1, gbuf_cstr(&g), g.len, &d, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, "f:1:1: a key of 256 octets; 255 are the most");
	gbuf_clear(&g);
}
END_TEST

START_TEST(lines_keep_their_numbers)
{
	static const char text[] = "\n{\"a\":1}\n  \r\n{\"b\":2}\r\n{\"c\":3}";
	static const struct {
		unsigned line;
		const char *doc;
	} want[] = { { 2, "{\"a\":1}" }, { 4, "{\"b\":2}\r" }, { 5, "{\"c\":3}" } };
	size_t at = 0, len, n = 0;
	unsigned line = 0;
	const char *doc;

	for (; profile_ndjson_next(text, sizeof text - 1, &at, &line, &doc, &len); n++) {
		ck_assert_uint_lt(n, N_ELEMS(want));
		ck_assert_uint_eq(line, want[n].line);
		ck_assert_uint_eq(len, strlen(want[n].doc));
		ck_assert_mem_eq(doc, want[n].doc, len);
	}
	ck_assert_uint_eq(n, N_ELEMS(want));
}
END_TEST

START_TEST(a_document_says_what_it_is)
{
	struct kit k = { 0 };

	kit_add(&k, "d.json",
	    "{ \"endpoint\": \"urn:x\", \"extends\": [ \"a\", \"b\" ], \"labels\": { \"l\": \"1\", "
	    "\"m\": \"2\" } }");
	kit_add(&k, "p.json",
	    "{ \"profile\": \"p\", \"extends\": \"a\", \"match\": [ { \"endpoint\": \"u*\" }, { "
	    "\"endpoint\": \"v\" } ] }");
	kit_add(&k, "n.json", "{ \"endpoint\": 5 }");
	ck_assert_int_eq(profile_doc_kind(k.docs[0]), PROFILE_DEVICE);
	ck_assert_str_eq(profile_doc_name(k.docs[0]), "urn:x");
	ck_assert_str_eq(profile_doc_file(k.docs[0]), "d.json");
	ck_assert_str_eq(profile_doc_extends(k.docs[0], 1), "b");
	ck_assert_ptr_null(profile_doc_extends(k.docs[0], 2));
	ck_assert_str_eq(profile_doc_label(k.docs[0], "m"), "2");
	ck_assert_ptr_null(profile_doc_label(k.docs[0], "n"));
	ck_assert_str_eq(profile_doc_label_at(k.docs[0], 0), "l");
	ck_assert_ptr_null(profile_doc_label_at(k.docs[0], 2));
	ck_assert_int_eq(profile_doc_kind(k.docs[1]), PROFILE_SHARED);
	ck_assert_str_eq(profile_doc_extends(k.docs[1], 0), "a");
	ck_assert_ptr_null(profile_doc_extends(k.docs[1], 1));
	ck_assert_str_eq(profile_doc_match(k.docs[1], 1), "v");
	ck_assert_ptr_null(profile_doc_match(k.docs[1], 2));
	ck_assert_int_eq(profile_doc_kind(k.docs[2]), PROFILE_NO_KIND);
	ck_assert_ptr_null(profile_doc_name(k.docs[2]));
	kit_clear(&k);
}
END_TEST

/* clang-format off */
static const char untidy[] =
	"{\"bootstrap\":{\"policy\":\"merge\"},\"x_mine\":{\"b\":[1,2.5,-0.1,1e30],\"a\":null},"
	"\"servers\":{\"z\":"
	"{\"lifetime\":60,\"binding\":\"U\",\"x_y\":1,\"security\":{\"key\":{\"generate\":16},\"mode\":"
	"\"psk\"},"
	"\"uri\":\"coap://"
	"\\u00e4\\n\\\"\",\"short_server_id\":1},\"a\":{}},\"endpoint\":\"e\",\"profile_format\":1}";
static const char tidy[] =
	"{\n"
	"  \"profile_format\": 1,\n"
	"  \"endpoint\": \"e\",\n"
	"  \"servers\": {\n"
	"    \"z\": {\n"
	"      \"short_server_id\": 1,\n"
	"      \"uri\": \"coap://\xc3\xa4\\n\\\"\",\n"
	"      \"security\": {\n"
	"        \"mode\": \"psk\",\n"
	"        \"key\": { \"generate\": 16 }\n"
	"      },\n"
	"      \"lifetime\": 60,\n"
	"      \"binding\": \"U\",\n"
	"      \"x_y\": 1\n"
	"    },\n"
	"    \"a\": {}\n"
	"  },\n"
	"  \"bootstrap\": { \"policy\": \"merge\" },\n"
	"  \"x_mine\": {\n"
	"    \"b\": [1, 2.5, -0.1, 1e+30],\n"
	"    \"a\": null\n"
	"  }\n"
	"}\n";
/* clang-format on */

START_TEST(the_canonical_text_has_an_order_and_stays)
{
	struct kit k = { 0 };
	struct gbuf out = { 0 };

	kit_add(&k, "f", untidy);
	profile_doc_write(k.docs[0], false, &out);
	ck_assert_str_eq(gbuf_cstr(&out), tidy);
	kit_add(&k, "g", tidy);
	gbuf_reset(&out);
	profile_doc_write(k.docs[1], false, &out);
	ck_assert_str_eq(gbuf_cstr(&out), tidy);
	gbuf_reset(&out);
	profile_doc_write(k.docs[0], true, &out);
	ck_assert_ptr_null(strchr(gbuf_cstr(&out), '\n'));
	kit_add(&k, "h", gbuf_cstr(&out));
	gbuf_reset(&out);
	profile_doc_write(k.docs[2], false, &out);
	ck_assert_str_eq(gbuf_cstr(&out), tidy);
	gbuf_clear(&out);
	kit_clear(&k);
}
END_TEST

/* How often it stands on the heap. */
static unsigned
on_heap(const char *needle)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	size_t n = strlen(needle);
	unsigned found = 0;
	char line[512];

	while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
		unsigned long from, to;

		if (strstr(line, "[heap]") == NULL || sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		const char *p = (const char *)from;
		for (size_t i = 0; i + n <= to - from; i++)
			found += p[i] == needle[0] && memcmp(p + i, needle, n) == 0;
	}
	if (maps != NULL)
		(void)fclose(maps);
	return found;
}

/* With a sanitizer the heap is elsewhere: then the planted key is not found, and nothing is shown.
 */
START_TEST(a_key_is_wiped_when_its_document_goes)
{
	static const char needle[] = "00112233445566778899aabbccddeeff";
	static const char text[] =
	    "{ \"endpoint\": \"e\", \"x\": \"00112233445566778899aabbccddeeff\" }";
	static const char cut[] =
	    "{ \"endpoint\": \"e\", \"x\": \"00112233445566778899aabbccddeeff\" ";
	struct profile_doc *d = NULL;

	profile_json_init();
	ck_assert_int_eq(profile_parse("f", 1, text, sizeof text - 1, &d, NULL), ERR_OK);
	unsigned alive = on_heap(needle);
	profile_doc_free(d);
	ck_assert_int_eq(profile_parse("f", 1, cut, sizeof cut - 1, &d, NULL), ERR_PARSE);
	if (alive > 0)
		ck_assert_uint_eq(on_heap(needle), 0);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_syntax_error_has_its_place_and_shows_no_content, N_ELEMS(wrong)),
	UNIT_CASE(too_large_and_too_deep_are_refused, 0),
	UNIT_CASE(too_many_values_and_too_long_keys_are_refused, 0),
	UNIT_CASE(lines_keep_their_numbers, 0),
	UNIT_CASE(a_document_says_what_it_is, 0),
	UNIT_CASE(the_canonical_text_has_an_order_and_stays, 0),
	UNIT_CASE(a_key_is_wiped_when_its_document_goes, 0),
};

UNIT_SUITE_MAIN("profile_load", cases)
