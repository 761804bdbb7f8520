/* What a device holds, over the API: inventory, access control, history, plan, going back, handing over. */
#include <stdio.h>
#include <string.h>

#include "tests/system/api_world.h"
#include "tests/unit/pki_kit.h"
#include "tests/unit/unit.h"

static void
on_kept(void *arg, enum err_code rc, const struct err *e)
{
	(void)e;
	ck_assert_int_eq(rc, ERR_OK);
	++*(unsigned *)arg;
}

#define LINKS                                                                                      \
	"</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101;uri=\"coaps://dm.example.com:5684\",</0/2>;ssid=9;"  \
	"uri=\"coap://x\",</1/0>;ssid=101,</1/3>;ssid=9,</2/0>,</3/0>"
#define VALUES(lifetime)                                                                           \
	"[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":101},{\"n\":\"1\",\"v\":" lifetime "},"                   \
	"{\"bn\":\"/2/0/\",\"n\":\"0\",\"v\":3},{\"n\":\"1\",\"v\":0},{\"n\":\"2/0\",\"v\":0},"             \
	"{\"n\":\"2/101\",\"v\":7},{\"n\":\"3\",\"v\":9}]"

#define THEN(security)                                                                             \
	"{\"profile_format\":1,\"endpoint\":\"a\",\"servers\":{\"dm\":{\"short_server_id\":101,"       \
	"\"uri\":\"coaps://old\",\"security\":{" security "}}},\"bootstrap\":{\"policy\":\"replace\"}}"

/* A session of device a that left this, and wrote what this document says. */
static uint64_t
leave_written(struct world *w, const char *doc, const char *links, const char *values)
{
	static uint64_t id = 1000;
	char ep[] = "a", fp[] = "dm=1234";
	struct bs_record rec = { .endpoint = ep, .fingerprints = fp, .verdict = BS_VERDICT_PROVISIONED,
		.started_ms = 1, .ended_ms = 2, .used_format = -1 };
	struct profile_doc *d = NULL;
	struct profile_findings f = { 0 };
	struct profile_doc *resolved = NULL;
	struct profile_desired desired = { 0 };
	struct gbuf packed = { 0 };
	unsigned kept = 0;

	rec.revision = rec.id = ++id;
	ck_assert_int_eq(profile_parse("a", 1, doc, strlen(doc), &d, NULL), ERR_OK);
	ck_assert_int_eq(profile_resolve(d, NULL, NULL, &f, &resolved, NULL), ERR_OK);
	ck_assert_int_eq(profile_compile(resolved, lwm2m_model_builtin(), NULL, &desired, NULL, NULL), ERR_OK);
	ck_assert_int_eq(profile_desired_pack(&desired, &packed, NULL), ERR_OK);
	const struct secret wrote = { .data = packed.data, .len = packed.len };
	const struct store_outcome o = { .links = links, .values = values, .read = 6, .likeness = id,
		.findings = "[{\"finding\":\"acl_owner_unknown\",\"paths\":[\"/2/0\"],\"does\":\"none\"},"
			    "{\"finding\":\"foreign_account\"}]", .wrote = &wrote };
	store_sqlite.session_put(w->store, &rec, &o, on_kept, &kept);
	world_turn_until(w, &kept, 1);
	gbuf_clear(&packed);
	profile_desired_clear(&desired);
	profile_doc_free(resolved);
	profile_doc_free(d);
	profile_findings_clear(&f);
	return id;
}

static uint64_t
leave(struct world *w, const char *links, const char *values)
{
	return leave_written(w,
	    THEN("\"mode\":\"psk\",\"identity\":\"a\",\"key\":{\"hex\":\"" KEY("77") "\"}"), links, values);
}

START_TEST(what_a_device_holds_is_shown)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "GET", "/v1/devices/a/inventory", NULL, &r);
	ck_assert_int_eq(r.status, 404);
	ck_assert_str_eq(at(&r, "detail"), "device a: nothing is known of what it holds");
	reply_clear(&r);
	uint64_t id = leave(&w, LINKS, VALUES("60"));
	ask(&w, "GET", "/v1/devices/a/inventory", NULL, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_int_eq(num(&r, "session"), (long long)id);
	ck_assert(json_is_true(node(&r, "accounts.0.bootstrap")) && json_is_true(node(&r, "discovered")));
	ck_assert_str_eq(at(&r, "accounts.1.security"), "/0/1");
	ck_assert_str_eq(at(&r, "accounts.1.server"), "/1/0");
	ck_assert_str_eq(at(&r, "accounts.1.name"), "dm");
	ck_assert_str_eq(at(&r, "accounts.1.uri"), "coaps://dm.example.com:5684");
	ck_assert_str_eq(at(&r, "accounts.2.server"), "/1/3");
	ck_assert(json_is_null(node(&r, "accounts.2.name"))); /* in no profile */
	ck_assert_str_eq(at(&r, "read.1"), "/2");
	ck_assert_str_eq(at(&r, "values.1.path"), "/1/0/1");
	ck_assert_str_eq(at(&r, "values.1.name"), "lifetime");
	ck_assert_str_eq(at(&r, "values.1.value"), "60");
	ck_assert_uint_eq(json_array_size(node(&r, "findings")), 2);
	ck_assert_ptr_null(strstr(r.body, KEY("77")));
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a/acl", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "acl")), 2);
	ck_assert_str_eq(at(&r, "acl.0.acl"), "/2/0");
	ck_assert_str_eq(at(&r, "acl.0.target"), "/3/0");
	ck_assert_int_eq(num(&r, "acl.0.owner"), 9);
	ck_assert_str_eq(at(&r, "acl.0.server_name"), "default");
	ck_assert_uint_eq(json_array_size(node(&r, "acl.0.rights")), 0);
	ck_assert_str_eq(at(&r, "acl.1.server_name"), "dm");
	ck_assert_str_eq(at(&r, "acl.1.rights.2"), "execute");
	ck_assert_uint_eq(json_array_size(node(&r, "findings")), 1); /* those about access */
	ck_assert_str_eq(at(&r, "findings.0.finding"), "acl_owner_unknown");
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(what_changed_on_a_device_is_shown)
{
	struct world w;
	struct reply r;
	char path[80];

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "GET", "/v1/devices/a/diff", NULL, &r);
	ck_assert_str_eq(at(&r, "detail"), "device a: its sessions left nothing that is kept");
	reply_clear(&r);
	uint64_t first = leave(&w, LINKS, VALUES("60"));
	ask(&w, "GET", "/v1/devices/a/diff", NULL, &r);
	ck_assert_str_eq(at(&r, "detail"), "device a: its sessions left nothing else than what it holds");
	reply_clear(&r);
	uint64_t second = leave(&w, LINKS ",</0/4>;ssid=77", VALUES("90"));
	ask(&w, "GET", "/v1/devices/a/history", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "history")), 2);
	ck_assert_int_eq(num(&r, "history.0.session"), (long long)second);
	ck_assert_int_eq(num(&r, "history.1.session"), (long long)first);
	ck_assert_str_eq(at(&r, "history.1.fingerprints"), "dm=1234");
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a/diff", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "changes")), 2);
	ck_assert_str_eq(at(&r, "changes.0.path"), "/0/4");
	ck_assert(json_is_null(node(&r, "changes.0.had")));
	ck_assert_str_eq(at(&r, "changes.0.has"), "there, ssid 77");
	ck_assert_str_eq(at(&r, "changes.1.path"), "/1/0/1");
	ck_assert_str_eq(at(&r, "changes.1.had"), "60");
	ck_assert_str_eq(at(&r, "changes.1.has"), "90");
	reply_clear(&r);
	(void)snprintf(path, sizeof path, "/v1/devices/a/diff?from=%llu&to=%llu", (unsigned long long)second,
	    (unsigned long long)second);
	ask(&w, "GET", path, NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "changes")), 0);
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a/diff?from=5", NULL, &r);
	ck_assert_str_eq(at(&r, "detail"), "session 5: what it left is not kept");
	ck_assert_int_eq(r.status, 404);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(a_rollback_is_asked_for_and_taken_back)
{
	struct world w;
	struct reply r;
	char body[80];

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "POST", "/v1/devices/a/rollback", "{}", &r);
	ck_assert_int_eq(r.status, 404);
	ck_assert_str_eq(at(&r, "detail"), "device a: there is no earlier configuration to go back to");
	reply_clear(&r);
	uint64_t first = leave(&w, LINKS, VALUES("60"));
	(void)leave(&w, LINKS, VALUES("61"));
	ask(&w, "POST", "/v1/devices/a/rollback", "{}", &r);
	ck_assert_str_eq(at(&r, "result"), "pending");
	ck_assert_int_eq(num(&r, "session"), (long long)first);
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a", NULL, &r);
	ck_assert_str_eq(at(&r, "wishes.0.wish"), "rollback");
	ck_assert_int_eq(num(&r, "wishes.0.session"), (long long)first);
	ck_assert(json_is_true(node(&r, "wishes.0.pending")));
	reply_clear(&r);
	ask(&w, "DELETE", "/v1/devices/a/rollback", NULL, &r);
	ck_assert_str_eq(at(&r, "result"), "taken back");
	reply_clear(&r);
	ask(&w, "DELETE", "/v1/devices/a/rollback", NULL, &r);
	ck_assert_str_eq(at(&r, "result"), "unchanged");
	reply_clear(&r);
	ask(&w, "POST", "/v1/devices/a/rollback", "{\"session\":4}", &r);
	ck_assert_int_eq(r.status, 404);
	reply_clear(&r);
	ask(&w, "POST", "/v1/devices/a/rollback", "{\"session\":\"x\"}", &r);
	ck_assert_int_eq(r.status, 422);
	reply_clear(&r);
	/* the server is gone from its profile: there are no keys for it now */
	ask(&w, "POST", "/v1/apply",
	    ROW("{\"profile_format\":1,\"profile\":\"meter\",\"bootstrap\":{\"policy\":\"merge\"}}"), &r);
	reply_clear(&r);
	(void)snprintf(body, sizeof body, "{\"session\":%llu}", (unsigned long long)first);
	ask(&w, "POST", "/v1/devices/a/rollback", body, &r);
	ck_assert_int_eq(r.status, 409);
	ck_assert_str_eq(at(&r, "detail"), "without with_credentials: the account with Short Server ID 101: "
					   "there are no credentials for it now");
	reply_clear(&r);
	(void)snprintf(body, sizeof body, "{\"session\":%llu,\"with_credentials\":true}", (unsigned long long)first);
	ask(&w, "POST", "/v1/devices/a/rollback", body, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

static const char *
text_of(json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s == NULL ? "-" : s;
}

/* The row of a path as "has|wants|does"; "" when there is none. */
static const char *
plan_row(const struct reply *r, const char *path)
{
	static char text[256];
	json_t *row;
	size_t i;

	json_array_foreach(node(r, "rows"), i, row)
	{
		if (strcmp(text_of(row, "path"), path) != 0)
			continue;
		(void)snprintf(text, sizeof text, "%s|%s|%s", text_of(row, "has"), text_of(row, "wants"),
		    text_of(row, "does"));
		return text;
	}
	return "";
}

static const struct {
	const char *path, *row;
} planned[] = {
	{ "/0/1/0", "\"coaps://dm.example.com:5684\"|\"coaps://dm.example.com:5684\"|write" },
	{ "/0/1/2", "(cannot be read)|0|write" },
	{ "/0/2", "(there, ssid 9, coap://x)|-|delete" },
	{ "/1/0/1", "60|86400|write" },
	{ "/1/0/7", "(not shown)|\"U\"|write" },
	{ "/1/3", "(there, ssid 9)|-|delete" },
	{ "/2/0/3", "9|-|keep" },
	{ "/3/0", "(there)|-|keep" },
};

START_TEST(certificates_of_then_are_judged_before_they_are_wanted_back)
{
	struct gbuf doc = { 0 };
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	/* it was good for one day only, that of 2027-01-14 */
	pki_kit_fill(THEN("\"mode\":\"x509\",\"identity\":\"$late$\",\"key\":\"$client-key$\","
			  "\"server_public_key\":\"$server$\""), &doc);
	(void)leave_written(&w, gbuf_cstr(&doc), LINKS, VALUES("60"));
	(void)leave(&w, LINKS, VALUES("61"));
	ask(&w, "POST", "/v1/devices/a/rollback", "{\"with_credentials\":true}", &r);
	ck_assert_int_eq(r.status, 403);
	ck_assert_msg(strncmp(at(&r, "detail"), "/0/0/", 5) == 0, "%s", at(&r, "detail"));
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "wishes")), 0);
	reply_clear(&r);
	gbuf_clear(&doc);
	world_close(&w);
}
END_TEST

START_TEST(the_time_that_is_written_first_is_in_the_plan)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW("{\"profile_format\":1,\"profile\":\"meter\"," DM ",\"bootstrap\":{\"set_time\":true}}")
	    ROW(DEVICE("a", KEY("01"))));
	ask(&w, "GET", "/v1/devices/a/plan", NULL, &r);
	ck_assert_str_eq(at(&r, "operations.0.path"), "/3/0/13");
	ck_assert(json_is_true(node(&r, "operations.0.clock")));
	ck_assert_ptr_null(node(&r, "operations.0.values"));
	ck_assert_str_eq(at(&r, "operations.1.path"), "/0/1");
	ck_assert_str_eq(plan_row(&r, "/3/0/13"), "(cannot be read)|(the time, as it is then)|write");
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(a_plan_stands_beside_what_the_device_has)
{
	struct world w;
	struct reply r, raw;
	struct gbuf body = { 0 };
	char *dump;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "GET", "/v1/devices/a/plan", NULL, &r);
	ck_assert_str_eq(at(&r, "assumes"), "a fresh device: only the bootstrap account, at /0/0");
	ck_assert_str_eq(plan_row(&r, "/1/0/1"), "-|86400|write");
	reply_clear(&r);
	uint64_t id = leave(&w, LINKS, VALUES("60"));
	ask(&w, "GET", "/v1/devices/a/plan", NULL, &r);
	ck_assert_str_eq(at(&r, "assumes"), "what the device was left with");
	ck_assert_int_eq(num(&r, "session"), (long long)id);
	for (size_t i = 0; i < N_ELEMS(planned); i++)
		ck_assert_msg(strcmp(plan_row(&r, planned[i].path), planned[i].row) == 0, "%s: %s", planned[i].path,
		    plan_row(&r, planned[i].path));
	ck_assert_ptr_nonnull(strstr(plan_row(&r, "/0/1/5"), "(cannot be read)|16 octets, "));
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a/plan?fresh=1", NULL, &r);
	ck_assert_str_eq(plan_row(&r, "/1/0/1"), "-|86400|write");
	reply_clear(&r);
	/* the same for a document and an inventory that come along */
	ask(&w, "GET", "/v1/devices/a/inventory", NULL, &raw);
	dump = json_dumps(node(&raw, "raw"), 0);
	gbuf_printf(&body, "{\"document\":%s,\"inventory\":%s}",
	    "{\"profile_format\":1,\"endpoint\":\"b\"," DM ",\"bootstrap\":{\"policy\":\"replace\"}}", dump);
	ask(&w, "POST", "/v1/plan", gbuf_cstr(&body), &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_str_eq(at(&r, "assumes"), "the inventory that was given");
	ck_assert_str_eq(plan_row(&r, "/1/0/1"), "60|86400|write");
	reply_clear(&r);
	gbuf_reset(&body);
	gbuf_printf(&body, "{\"document\":%s,\"inventory\":{\"links\":\"</0/1\",\"read\":0}}",
	    "{\"profile_format\":1,\"endpoint\":\"b\"," DM ",\"bootstrap\":{\"policy\":\"replace\"}}");
	ask(&w, "POST", "/v1/plan", gbuf_cstr(&body), &r);
	ck_assert_int_eq(r.status, 400);
	ck_assert_msg(strncmp(at(&r, "detail"), "links: ", 7) == 0, "%s", at(&r, "detail"));
	reply_clear(&r);
	reply_clear(&raw);
	free(dump);
	gbuf_clear(&body);
	world_close(&w);
}
END_TEST

START_TEST(a_handover_is_asked_for_by_a_profile_with_one_server)
{
	static const struct {
		const char *profile, *detail;
		long status;
	} rows[] = {
		{ "nobody", "no profile nobody", 404 },
		{ "two", "profile two: has 2 accounts; the bootstrap account is made from the one of the one "
			 "server there is", 422 },
		{ "keyless", "no key is kept for servers/x/security/key", 404 },
		{ "next", NULL, 200 },
	};
	struct world w;
	struct reply r;
	char body[64];

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
#define PROFILE(name, servers) ROW("{\"profile_format\":1,\"profile\":\"" name "\",\"servers\":{" servers "}}")
#define ONE(name, id) "\"" name "\":{\"short_server_id\":" id ",\"uri\":\"coap://192.0.2.1\",\"security\":{\"mode\":\"nosec\"}}"
	apply(&w, PROFILE("next", ONE("x", "1")) PROFILE("two", ONE("x", "1") "," ONE("y", "2"))
		      PROFILE("keyless", "\"x\":{\"short_server_id\":1,\"uri\":\"coaps://192.0.2.1\",\"security\":{"
					 "\"mode\":\"psk\",\"identity\":\"i\",\"key\":{\"generate\":16}}}"));
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		(void)snprintf(body, sizeof body, "{\"profile\":\"%s\"}", rows[i].profile);
		ask(&w, "POST", "/v1/devices/a/handover", body, &r);
		ck_assert_msg(r.status == rows[i].status, "%s: %ld %s", rows[i].profile, r.status, r.body);
		if (rows[i].detail != NULL)
			ck_assert_msg(strstr(at(&r, "detail"), rows[i].detail) != NULL, "%s", at(&r, "detail"));
		reply_clear(&r);
	}
	ask(&w, "GET", "/v1/devices/a", NULL, &r);
	ck_assert_str_eq(at(&r, "wishes.0.wish"), "handover");
	ck_assert_str_eq(at(&r, "wishes.0.profile"), "next");
	reply_clear(&r);
	ask(&w, "DELETE", "/v1/devices/a/handover", NULL, &r);
	ck_assert_str_eq(at(&r, "result"), "taken back");
	reply_clear(&r);
	ask(&w, "POST", "/v1/devices/nobody/handover", "{\"profile\":\"next\"}", &r);
	ck_assert_int_eq(r.status, 404);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_a_device_holds_is_shown, 0),
	UNIT_CASE(what_changed_on_a_device_is_shown, 0),
	UNIT_CASE(a_rollback_is_asked_for_and_taken_back, 0),
	UNIT_CASE(certificates_of_then_are_judged_before_they_are_wanted_back, 0),
	UNIT_CASE(the_time_that_is_written_first_is_in_the_plan, 0),
	UNIT_CASE(a_plan_stands_beside_what_the_device_has, 0),
	UNIT_CASE(a_handover_is_asked_for_by_a_profile_with_one_server, 0),
};

UNIT_SUITE_MAIN("api_held", cases)
