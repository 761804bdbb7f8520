#include <stdio.h>
#include <string.h>

#include "tests/unit/profile_kit.h"
#include "tests/unit/unit.h"

/* clang-format off */
/* A device (in vars and labels: where nothing is checked), its parents, and what comes of it. */
static const struct {
	const char *device, *p, *q, *want;
} merged[] = {
	{ "\"extends\": \"p\", \"x_\": { \"b\": 2 }", "\"x_\": { \"a\": 1, \"b\": 1 }", "", "\"x_\":{\"a\":1,\"b\":2}" },
	{ "\"extends\": \"p\", \"x_\": { \"a\": null }", "\"x_\": { \"a\": 1, \"b\": 1 }", "", "\"x_\":{\"b\":1}" },
	{ "\"extends\": \"p\", \"x_\": null", "\"x_\": { \"a\": 1 }", "", NULL },
	{ "\"extends\": \"p\", \"x_\": [ 3 ]", "\"x_\": [ 1, 2 ]", "", "\"x_\":[3]" },
	{ "\"extends\": \"p\", \"x_\": { \"a\": { \"c\": null, \"d\": 1 } }", "", "", "\"x_\":{\"a\":{\"d\":1}}" },
	{ "\"extends\": \"p\", \"x_\": { \"a\": { \"c\": 1 } }", "\"x_\": 5", "", "\"x_\":{\"a\":{\"c\":1}}" },
	{ "\"extends\": \"p\", \"x_\": \"s\"", "\"x_\": { \"a\": 1 }", "", "\"x_\":\"s\"" },
	{ "\"extends\": [ \"p\", \"q\" ]", "\"x_\": { \"a\": 1, \"b\": 1 }", "\"x_\": { \"b\": 2, \"c\": 2 }", "\"x_\":{\"a\":1,\"b\":2,\"c\":2}" },
	{ "\"extends\": [ \"q\", \"p\" ]", "\"x_\": { \"a\": 1, \"b\": 1 }", "\"x_\": { \"b\": 2, \"c\": 2 }", "\"x_\":{\"b\":1,\"c\":2,\"a\":1}" },
	{ "\"extends\": \"p\"", "\"extends\": \"q\", \"x_\": { \"a\": 1 }", "\"x_\": { \"a\": 2, \"b\": 2 }", "\"x_\":{\"a\":1,\"b\":2}" },
	{ "\"extends\": [ \"p\", \"q\" ]", "\"extends\": \"q\", \"x_\": { \"a\": 1 }", "\"x_\": { \"b\": 2 }", "\"x_\":{\"b\":2,\"a\":1}" },
	{ "\"extends\": \"p\", \"x_\": [ null, { \"a\": null } ]", "", "", "\"x_\":[null,{\"a\":null}]" },
	/* both spellings of a resource are one member */
	{ "\"extends\": \"p\", \"servers\": { \"s\": { \"lwm2m_server_uri\": \"coap://b\" } }", "\"servers\": { \"s\": { \"uri\": \"coap://a\" } }", "",
	  "\"servers\":{\"s\":{\"lwm2m_server_uri\":\"coap://b\"}}" },
	{ "\"extends\": \"p\", \"servers\": { \"s\": { \"security\": { \"key\": null } } }", "\"servers\": { \"s\": { \"security\": { \"secret_key\": \"x\" } } }", "",
	  "\"servers\":{\"s\":{\"security\":{}}}" },
	/* a key is given in one way: it is not merged with another */
	{ "\"extends\": \"p\", \"servers\": { \"s\": { \"security\": { \"key\": { \"hex\": \"00\" } } } }", "\"servers\": { \"s\": { \"security\": { \"key\": { \"generate\": 16 } } } }", "",
	  "\"servers\":{\"s\":{\"security\":{\"key\":{\"hex\":\"00\"}}}}" },
	/* variables */
	{ "\"vars\": { \"a\": 5 }, \"x_\": \"${a}\"", "", "", "\"vars\":{\"a\":5},\"x_\":5" },
	{ "\"vars\": { \"a\": 5 }, \"x_\": \"<${a}>\"", "", "", "\"vars\":{\"a\":5},\"x_\":\"<5>\"" },
	{ "\"vars\": { \"a\": true, \"b\": 1.5 }, \"x_\": [ \"${a}\", \"${b}\", \"${a}${b}\" ]", "", "", "\"vars\":{\"a\":true,\"b\":1.5},\"x_\":[true,1.5,\"true1.5\"]" },
	{ "\"vars\": { \"a\": \"\" }, \"x_\": \"${a:-b}\"", "", "", "\"vars\":{\"a\":\"\"},\"x_\":\"\"" },
	{ "\"x_\": \"$$${endpoint}${none:-d e}$$\"", "", "", "\"x_\":\"$devd e$\"" },
	{ "\"extends\": \"p\", \"vars\": { \"a\": \"mine\" }", "\"vars\": { \"a\": \"theirs\" }, \"x_\": \"${a}\"", "", "\"vars\":{\"a\":\"mine\"},\"x_\":\"mine\"" },
	{ "\"x_${endpoint}\": 1", "", "", "\"x_${endpoint}\":1" },
};
/* clang-format on */

static void
add(struct kit *k, const char *name, const char *kind, const char *members)
{
	char text[2048];

	(void)snprintf(text, sizeof text, "{ \"%s\": \"%s\"%s%s }", kind, name,
	    members[0] != '\0' ? ", " : "", members);
	kit_add(k, name, text);
}

START_TEST(members_win_and_vanish_as_they_should)
{
	struct kit k = { 0 };
	struct gbuf out = { 0 };
	char want[512];

	add(&k, "dev", "endpoint", merged[_i].device);
	add(&k, "p", "profile", merged[_i].p);
	add(&k, "q", "profile", merged[_i].q);
	kit_resolve(&k);
	ck_assert_msg(k.resolved != NULL && k.f.n == 0, "%s", kit_print(&k.f));
	profile_doc_write(k.resolved, true, &out);
	const char *got = strstr(gbuf_cstr(&out), "\"vars\"");
	if (got == NULL)
		got = strstr(gbuf_cstr(&out), "\"servers\"");
	if (got == NULL)
		got = strstr(gbuf_cstr(&out), "\"x_");
	(void)snprintf(want, sizeof want, "%s}", merged[_i].want != NULL ? merged[_i].want : "");
	if (merged[_i].want == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_msg(got != NULL && strcmp(got, want) == 0, "%s\nwanted ...%s",
		    gbuf_cstr(&out), want);
	gbuf_clear(&out);
	kit_clear(&k);
}
END_TEST

/* clang-format off */
static const struct {
	const char *device, *p, *q, *file, *reason;
} wrong[] = {
	{ "{ \"endpoint\": \"d\", \"extends\": @\"nobody\" }", NULL, NULL, "d", "no profile \"nobody\"" },
	{ "{ \"endpoint\": \"d\", \"extends\": [ @7 ] }", NULL, NULL, "d", "must be the name of a profile, is a number" },
	{ "{ \"endpoint\": \"d\", \"extends\": \"p\" }", "{ \"profile\": \"p\",\n \"extends\": @\"nobody\" }", NULL, "p", "no profile \"nobody\"" },
	{ "{ \"endpoint\": \"d\", \"extends\": \"p\" }", "{ \"profile\": \"p\", \"extends\": @\"p\" }", NULL, "p", "a circle: p -> p" },
	{ "{ \"endpoint\": \"d\", \"extends\": \"p\" }", "{ \"profile\": \"p\", \"extends\": \"q\" }", "{ \"profile\": \"q\", \"extends\": @\"p\" }", "q", "a circle: p -> q -> p" },
	{ "{ \"endpoint\": \"d\", \"extends\": \"p\" }", "{ \"profile\": \"p\", \"labels\": { \"x\":\n  @\"${site}\" } }", NULL, "p", "nobody defines ${site}" },
	{ "{ \"endpoint\": \"d\", \"extends\": \"p\", \"labels\": { \"x\": @\"${site}\" } }", "{ \"profile\": \"p\", \"labels\": { \"x\": \"ok\" } }", NULL, "d", "nobody defines ${site}" },
	{ "{ \"endpoint\": \"d\", \"extends\": [ \"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\",\"p\", @\"p\" ] }",
	  "{ \"profile\": \"p\" }", NULL, "d", "more than 16 documents in all" },
};
/* clang-format on */

START_TEST(what_does_not_resolve_says_where_and_why)
{
	struct kit k = { 0 };

	kit_add(&k, "d", wrong[_i].device);
	if (wrong[_i].p != NULL)
		kit_add(&k, "p", wrong[_i].p);
	if (wrong[_i].q != NULL)
		kit_add(&k, "q", wrong[_i].q);
	kit_resolve(&k);
	ck_assert_uint_eq(k.f.n, 1);
	ck_assert_msg(strcmp(k.f.v[0].reason, wrong[_i].reason) == 0, "%s", kit_print(&k.f));
	ck_assert_str_eq(k.f.v[0].file, wrong[_i].file);
	ck_assert_str_eq(k.f.v[0].file, k.file);
	ck_assert_msg(
	    k.f.v[0].line == k.line && k.f.v[0].column == k.column, "%s", kit_print(&k.f));
	kit_clear(&k);
}
END_TEST

/* The winning value's file is named, whoever it came from. */
START_TEST(a_finding_names_the_file_that_the_value_came_from)
{
	struct kit k = { 0 };

	kit_add(&k, "dev.json",
	    "{ \"profile_format\": 1, \"endpoint\": \"d\", \"extends\": \"p\",\n"
	    "  \"servers\": { \"dm\": { \"short_server_id\": 1 } }, \"bootstrap\": { \"policy\": "
	    "\"replace\" } }");
	kit_add(&k, "p.json",
	    "{ \"profile_format\": 1, \"profile\": \"p\", \"servers\": { \"dm\": {\n"
	    "  \"uri\": @\"coap://0.0.0.0\", \"security\": { \"mode\": \"nosec\" } } } }");
	kit_check(&k, NULL);
	ck_assert_str_eq(kit_print(&k.f), "p.json:2:10: error: \"coap://0.0.0.0\" names no address "
	                                  "(/servers/dm/uri) [unspecified-address]\n");
	kit_clear(&k);
}
END_TEST

START_TEST(many_devices_rest_on_one_parent)
{
	struct kit k = { 0 };
	struct err e = { 0 };

	kit_add(&k, "d1", "{ \"endpoint\": \"d1\", \"extends\": \"p\" }");
	kit_add(&k, "d2", "{ \"endpoint\": \"d2\", \"extends\": \"p\" }");
	kit_add(&k, "p", "{ \"profile\": \"p\", \"labels\": { \"l\": \"${endpoint}\" } }");
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 2; i++) {
			struct profile_doc *r;

			ck_assert_int_eq(
			    profile_resolve(k.docs[i], kit_find, &k, &k.f, &r, &e), ERR_OK);
			ck_assert_str_eq(profile_doc_label(r, "l"), i == 0 ? "d1" : "d2");
			profile_doc_free(r);
		}
	}
	ck_assert_uint_eq(k.f.n, 0);
	kit_clear(&k);
}
END_TEST

/* Variables that only devices define do not make a shared document wrong. */
START_TEST(a_shared_document_may_leave_variables_open)
{
	struct kit k = { 0 };

	kit_add(&k, "p.json",
	    "{ \"profile_format\": 1, \"profile\": \"p\", \"servers\": { \"dm\": { "
	    "\"short_server_id\": \"${id}\", \"uri\": "
	    "\"coaps://${host}\", \"security\": { \"mode\": \"psk\", \"identity\": "
	    "\"${endpoint}\", \"key\": { \"generate\": 16 "
	    "} }, \"lifetime\": \"${lifetime}\", \"binding\": \"${binding}\" } } }");
	kit_check(&k, NULL);
	ck_assert_str_eq(kit_print(&k.f), "");
	kit_clear(&k);
}
END_TEST

/* 600 times 2 KiB out of a text of 20 KiB. */
START_TEST(variables_do_not_make_a_document_endless)
{
	struct gbuf g = { 0 };
	struct kit k = { 0 };

	gbuf_printf(
	    &g, "{ \"endpoint\": \"e\", \"vars\": { \"a\": \"%02000d\" }, \"x_\": [ \"\"", 0);
	for (unsigned i = 0; i < 600; i++)
		gbuf_str(&g, ",\n\"${a}\"");
	gbuf_str(&g, "] }");
	kit_add(&k, "long.json", gbuf_cstr(&g));
	kit_resolve(&k);
	ck_assert_uint_gt(k.f.n, 0);
	ck_assert_str_eq(k.f.v[0].reason, "variables make the document too long");
	ck_assert_uint_eq(k.f.v[0].line, 526);
	gbuf_clear(&g);
	kit_clear(&k);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(variables_do_not_make_a_document_endless, 0),
	UNIT_CASE(members_win_and_vanish_as_they_should, N_ELEMS(merged)),
	UNIT_CASE(what_does_not_resolve_says_where_and_why, N_ELEMS(wrong)),
	UNIT_CASE(a_finding_names_the_file_that_the_value_came_from, 0),
	UNIT_CASE(many_devices_rest_on_one_parent, 0),
	UNIT_CASE(a_shared_document_may_leave_variables_open, 0),
};

UNIT_SUITE_MAIN("profile_inherit", cases)
