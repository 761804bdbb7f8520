/* The API over its socket, route by route, with what is right and with what is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/api_world.h"
#include "tests/unit/unit.h"

#define JSON "application/json"
#define ROWS "application/x-ndjson"

/* ---- documents ---- */

#define DM                                                                                         \
	"\"servers\":{\"dm\":{\"short_server_id\":101,\"uri\":\"coaps://dm.example.com:5684\","    \
	"\"security\":{\"mode\":\"psk\",\"identity\":\"${endpoint}\",\"key\":{\"generate\":16}},"  \
	"\"lifetime\":\"1d\",\"binding\":\"U\"}}"
#define SHARED "{\"profile_format\":1,\"profile\":\"meter\"," DM ",\"bootstrap\":{\"policy\":\"replace\"}}"
#define KEY(last) "00112233445566778899aabbccddee" last
#define DEVICE(ep, key)                                                                            \
	"{\"profile_format\":1,\"endpoint\":\"" ep "\",\"extends\":\"meter\",\"credentials\":"     \
	"{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"id-" ep "\",\"key\":{\"hex\":\"" key "\"}}}}"
#define ROW(doc) "{\"source\":\"fleet.ndjson:7\",\"doc\":" doc "}\n"

static void
ask(struct world *w, const char *method, const char *path, const char *body, struct reply *r)
{
	bool rows = strncmp(path, "/v1/apply", 9) == 0 || strncmp(path, "/v1/diff", 8) == 0;

	world_ask(w, method, path, rows ? ROWS : JSON, body, r);
}

static json_t *
field(json_t *j, const char *key)
{
	return json_object_get(j, key);
}

static const char *
text(json_t *j, const char *key)
{
	const char *s = json_string_value(field(j, key));

	return s == NULL ? "" : s;
}

/* The result of row n, and its first complaint. */
static void
expect_row(const struct reply *r, unsigned n, const char *result, const char *complaint)
{
	json_t *j = line(r, n), *e = field(j, "error"), *f = json_array_get(field(j, "findings"), 0);
	const char *said = e != NULL ? text(e, "detail") : f != NULL ? text(f, "reason") : "";

	ck_assert_msg(j != NULL, "no row %u in: %s", n, r->body);
	ck_assert_msg(strcmp(text(j, "result"), result) == 0, "row %u: %s", n, r->body);
	if (complaint != NULL)
		ck_assert_msg(strstr(said, complaint) != NULL, "row %u said: %s", n, said);
	json_decref(j);
}

static void
apply(struct world *w, const char *rows)
{
	struct reply r;

	ask(w, "POST", "/v1/apply", rows, &r);
	ck_assert_msg(r.status == 200 && strstr(r.body, "\"created\"") != NULL, "%ld %s", r.status, r.body);
	reply_clear(&r);
}

/* ---- simple questions ---- */

START_TEST(version_and_status)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	ask(&w, "GET", "/v1/version", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(r.type, "application/json");
	ck_assert_str_eq(at(&r, "version"), "1.2.3");
	reply_clear(&r);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert_int_eq(num(&r, "devices"), 1);
	ck_assert_int_eq(num(&r, "profiles"), 1);
	ck_assert_int_eq(num(&r, "identities"), 1);
	ck_assert_int_eq(num(&r, "devices_by_verdict.never"), 1);
	ck_assert_str_eq(at(&r, "listeners.0"), "coaps://[::1]:5684");
	reply_clear(&r);
	ask(&w, "GET", "/metrics", NULL, &r);
	ck_assert_ptr_nonnull(strstr(r.body, "\nbsserver_devices 1\n"));
	ck_assert_ptr_nonnull(strstr(r.body, "\nbsserver_transport_requests_in_total 7\n"));
	ck_assert_ptr_nonnull(strstr(r.body, "bsserver_sessions_total{verdict=\"provisioned\"} 0\n"));
	reply_clear(&r);
	ask(&w, "GET", "/v1/explain", NULL, &r);
	ck_assert_str_eq(at(&r, "reasons.0.name"), "bad_request");
	ck_assert_uint_gt(json_array_size(node(&r, "findings")), 10);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* ---- what is wrong ---- */

static const struct {
	const char *method, *path, *type, *body;
	long status;
	const char *code, *detail;
} wrong[] = {
	{ "GET", "/nowhere", NULL, NULL, 404, "not_found", "there is nothing at this path" },
	{ "GET", "/v1/devices/", NULL, NULL, 404, "not_found", "there is nothing at this path" },
	{ "PUT", "/v1/devices/x", JSON, "{}", 405, "usage", "this path takes GET, DELETE" },
	{ "GET", "/v1/devices?limt=3", NULL, NULL, 400, "usage", "limt: unknown parameter; did you mean limit?" },
	{ "GET", "/v1/version?x=3", NULL, NULL, 400, "usage", "x: unknown parameter; there are none here" },
	{ "GET", "/v1/devices?limit=3&limit=4", NULL, NULL, 400, "usage", "limit: is given twice" },
	{ "GET", "/v1/devices?limit=0", NULL, NULL, 400, "usage", "limit: must be a whole number from 1 to 1000" },
	{ "GET", "/v1/devices?limit=1e2", NULL, NULL, 400, "usage", "limit: must be a whole number from 1 to 1000" },
	{ "GET", "/v1/devices?glob=%zz", NULL, NULL, 400, "usage", "glob: is neither text nor percent-encoded text" },
	{ "GET", "/v1/devices/%00", NULL, NULL, 400, "parse", "the path holds what is neither text nor percent-encoded text" },
	{ "GET", "/v1/devices/none", NULL, NULL, 404, "not_found", "no device none" },
	{ "GET", "/v1/devices/none/plan", NULL, NULL, 404, "not_found", "no device none" },
	{ "GET", "/v1/devices/none/resolved", NULL, NULL, 404, "not_found", "no device none" },
	{ "GET", "/v1/devices/none/sessions/last", NULL, NULL, 404, "not_found", "no session of none is kept" },
	{ "DELETE", "/v1/devices/none", NULL, NULL, 404, "not_found", "none: is not there" },
	{ "DELETE", "/v1/devices/none/session", NULL, NULL, 404, "not_found", "no session of none is under way" },
	{ "GET", "/v1/profiles/none", NULL, NULL, 404, "not_found", "no profile none" },
	{ "GET", "/v1/profiles/none/history", NULL, NULL, 404, "not_found", "no profile none" },
	{ "DELETE", "/v1/profiles/none", NULL, NULL, 404, "not_found", "none: is not there" },
	{ "GET", "/v1/sessions/17", NULL, NULL, 404, "not_found", "no session 17 is kept" },
	{ "GET", "/v1/sessions/x", NULL, NULL, 400, "usage", "a session's id is a number" },
	{ "GET", "/v1/sessions?verdict=great", NULL, NULL, 400, "usage",
	    "verdict: must be one of provisioned, written, failed, refused, cancelled" },
	{ "GET", "/v1/sessions?reason=no_anser", NULL, NULL, 400, "usage",
	    "reason: there is none of that name; did you mean no_answer?" },
	{ "GET", "/v1/sessions?group_by=day", NULL, NULL, 400, "usage", "group_by: must be reason or profile" },
	{ "GET", "/v1/sessions?since=soon", NULL, NULL, 400, "usage",
	    "since: must be milliseconds since 1970, or how long ago: 90s, 10m, 2h, 1d" },
	{ "GET", "/v1/why", NULL, NULL, 400, "usage", "one of endpoint and peer must be given" },
	{ "GET", "/v1/version", JSON, "{}", 400, "usage", "this takes no body" },
	{ "POST", "/v1/apply", "text/plain", "{}", 415, "unsupported",
	    "Content-Type must be application/x-ndjson, or application/json for an array" },
	{ "POST", "/v1/apply?dry_run=maybe", ROWS, "{}", 400, "usage", "dry_run: must be 1, true, 0 or false" },
	{ "POST", "/v1/plan", "text/plain", "{}", 415, "unsupported", "Content-Type must be application/json" },
	{ "POST", "/v1/plan", JSON, "{\"profile_format\":1,", 400, "parse", "body:1:" },
	{ "POST", "/v1/plan", JSON, SHARED, 422, "invalid", "a plan is made for a device: this is the shared profile meter" },
	{ "POST", "/v1/devices/x/state", JSON, "[1]", 400, "parse", "body:1:1: must be a JSON object" },
	{ "POST", "/v1/devices/x/state", JSON, "{\"state\":", 400, "parse", "body:1:9: not JSON" },
	{ "POST", "/v1/devices/x/state", JSON, "{\"stat\":\"active\"}", 422, "invalid", "/stat: unknown member; did you mean state?" },
	{ "POST", "/v1/devices/x/state", JSON, "{\"state\":\"open\"}", 422, "invalid", "/state: must be active, blocked or retired" },
	{ "POST", "/v1/devices/x/state", JSON, "{\"state\":\"active\"}", 404, "not_found", "x: is not there" },
	{ "POST", "/v1/devices/x/state", JSON, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 413, "limit",
	    "the body nests deeper than 24 levels" },
};

START_TEST(what_is_wrong_is_said)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	for (size_t i = 0; i < N_ELEMS(wrong); i++) {
		world_ask(&w, wrong[i].method, wrong[i].path, wrong[i].type, wrong[i].body, &r);
		ck_assert_msg(r.status == wrong[i].status, "%s %s: %ld %s", wrong[i].method, wrong[i].path, r.status, r.body);
		ck_assert_str_eq(r.type, "application/problem+json");
		ck_assert_str_eq(at(&r, "code"), wrong[i].code);
		ck_assert_msg(strstr(at(&r, "detail"), wrong[i].detail) != NULL, "%s: said: %s", wrong[i].path, at(&r, "detail"));
		ck_assert_int_eq(num(&r, "status"), wrong[i].status);
		if (r.status == 405)
			ck_assert_str_eq(r.allow, "GET, DELETE");
		reply_clear(&r);
	}
	world_close(&w);
}
END_TEST

static const struct {
	const char *body, *result, *complaint;
} bad_rows[] = {
	{ "x\n", "invalid", "row 1: a row is an object: {\"source\": ..., \"doc\": {...}}" },
	{ "{}\n", "invalid", "row 1: a row is an object: {\"source\": ..., \"doc\": {...}}" },
	{ "{\"source\":\"a:1\"}\n", "invalid", "row 1: /doc: is missing" },
	{ "{\"doc\":3}\n", "invalid", "row 1: /doc: must be an object" },
	{ "{\"dok\":{}}\n", "invalid", "row 1: /dok: unknown member; did you mean doc?" },
	{ "{\"doc\":{},\"doc\":{}}\n", "invalid", "row 1: /doc: is there twice" },
	{ "{\"doc\":{}", "invalid", "row 1: a row does not end as an object does" },
	{ "{\"doc\":{}} x", "invalid", "row 1: something stands behind the row" },
	{ "{\"source\":7,\"doc\":{}}", "invalid", "row 1: source: must be text, at most 512 octets" },
	{ "{\"doc\":{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}}", "invalid", "row 1: /doc: nests deeper than 16 levels" },
	{ "[{\"doc\":{}}, ", "invalid", NULL },
	{ "{\"source\":\"f.json:9\",\"doc\":{\"profile_format\":1,\"profile\":}}", "invalid", "f.json:9:" },
	{ "{\"doc\":{\"profile_format\":1,\"profile\":\"p\",\"servrs\":{}}}", "invalid", "servers" },
	{ ROW(DEVICE("lonely", KEY("01"))), "invalid", "meter" },
	{ "{\"doc\":{\"profile_format\":1,\"endpoint\":\"e\",\"credentials\":{\"bootstrap\":{\"mode\":\"psk\","
	  "\"identity\":\"e\",\"key\":{\"file\":\"x\"}}}}}", "invalid", "a file is read by the command line only" },
};

START_TEST(a_bad_row_says_why_and_changes_nothing)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	for (size_t i = 0; i < N_ELEMS(bad_rows); i++) {
		ask(&w, "POST", "/v1/apply", bad_rows[i].body, &r);
		ck_assert_int_eq(r.status, 200);
		ck_assert_str_eq(r.type, "application/x-ndjson");
		expect_row(&r, 0, bad_rows[i].result, bad_rows[i].complaint);
		reply_clear(&r);
	}
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert_int_eq(num(&r, "devices"), 0);
	ck_assert_int_eq(num(&r, "seq"), 0);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* ---- apply ---- */

START_TEST(one_bad_row_harms_no_other)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	ask(&w, "POST", "/v1/apply",
	    ROW(SHARED) ROW(DEVICE("a", KEY("01"))) "{\"doc\":{\"profile_format\":1}}\n" ROW(DEVICE("b", KEY("01")))
		ROW(DEVICE("a", KEY("04"))) ROW(DEVICE("c", KEY("05"))) "nonsense\n",
	    &r);
	expect_row(&r, 0, "created", NULL);
	expect_row(&r, 1, "created", NULL);
	expect_row(&r, 2, "invalid", NULL);
	expect_row(&r, 3, "invalid", "a (fleet.ndjson:7");
	expect_row(&r, 4, "invalid", "a (fleet.ndjson:7");
	expect_row(&r, 5, "created", NULL);
	expect_row(&r, 6, "invalid", "row 7:");
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "devices")), 2);
	ck_assert_str_eq(at(&r, "devices.0.endpoint"), "a");
	ck_assert_str_eq(at(&r, "devices.1.endpoint"), "c");
	ck_assert(json_is_null(node(&r, "devices.1.verdict")));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(again_changes_nothing_and_generated_keys_stay)
{
	struct world w;
	struct reply r;
	char fp[32];

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "GET", "/v1/devices/a", NULL, &r);
	ck_assert_str_eq(at(&r, "credentials.0.slot"), "credentials/bootstrap/key");
	ck_assert_str_eq(at(&r, "credentials.0.identity"), "id-a");
	ck_assert_str_eq(at(&r, "credentials.1.slot"), "servers/dm/security/key");
	ck_assert(json_is_true(node(&r, "credentials.1.generated")));
	(void)snprintf(fp, sizeof fp, "%s", at(&r, "credentials.1.fingerprint"));
	ck_assert_uint_eq(strlen(fp), 16);
	ck_assert_int_eq(num(&r, "revision"), 2);
	ck_assert_int_eq(num(&r, "current_revision"), 2);
	ck_assert(json_is_false(node(&r, "provisioned")));
	ck_assert_ptr_null(strstr(r.body, KEY("01")));
	reply_clear(&r);
	ask(&w, "POST", "/v1/apply", ROW(SHARED) ROW(DEVICE("a", KEY("01"))), &r);
	expect_row(&r, 0, "unchanged", NULL);
	expect_row(&r, 1, "unchanged", NULL);
	reply_clear(&r);
	ask(&w, "POST", "/v1/apply", ROW(DEVICE("a", KEY("02"))), &r);
	expect_row(&r, 0, "updated", NULL);
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a", NULL, &r);
	ck_assert_str_eq(at(&r, "credentials.1.fingerprint"), fp);
	ck_assert_int_eq(num(&r, "revision"), 3);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(a_dry_run_makes_nothing)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	ask(&w, "POST", "/v1/apply?dry_run=1", ROW(SHARED) ROW(DEVICE("a", KEY("01"))), &r);
	expect_row(&r, 0, "created", NULL);
	expect_row(&r, 1, "created", NULL);
	reply_clear(&r);
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert_int_eq(num(&r, "seq"), 0);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(expectations_are_kept)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "POST", "/v1/apply?must_be_new=1", ROW(DEVICE("a", KEY("02"))), &r);
	expect_row(&r, 0, "exists", "a: is there already, revision 2");
	reply_clear(&r);
	ask(&w, "POST", "/v1/apply?expect_revision=7", ROW(DEVICE("a", KEY("02"))), &r);
	expect_row(&r, 0, "conflict", "a: revision 7 was expected, and it is 2");
	reply_clear(&r);
	ask(&w, "POST", "/v1/apply?expect_revision=2&reason=because", ROW(DEVICE("a", KEY("02"))), &r);
	expect_row(&r, 0, "updated", NULL);
	reply_clear(&r);
	/* the identity of another device */
	ask(&w, "POST", "/v1/apply",
	    ROW("{\"profile_format\":1,\"endpoint\":\"z\",\"extends\":\"meter\",\"credentials\":{\"bootstrap\":{\"mode\":"
		"\"psk\",\"identity\":\"id-a\",\"key\":{\"hex\":\"" KEY("09") "\"}}}}") ROW(DEVICE("y", KEY("0a"))),
	    &r);
	expect_row(&r, 0, "conflict", "id-a");
	expect_row(&r, 1, "created", NULL);
	reply_clear(&r);
	ask(&w, "GET", "/v1/audit?glob=a", NULL, &r);
	ck_assert_str_eq(at(&r, "audit.0.action"), "device.update");
	ck_assert_str_eq(at(&r, "audit.0.reason"), "because");
	ck_assert_ptr_nonnull(strstr(at(&r, "audit.0.actor"), "uid "));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(an_array_will_do)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	world_ask(&w, "POST", "/v1/apply", JSON, "[\n{\"doc\":" SHARED "},\n" ROW(DEVICE("a", KEY("01"))) "\n]\n", &r);
	expect_row(&r, 0, "created", NULL);
	expect_row(&r, 1, "created", NULL);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(diff_shows_place_by_place)
{
	struct world w;
	struct reply r;
	json_t *j, *c;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "POST", "/v1/diff",
	    ROW("{\"profile_format\":1,\"profile\":\"meter\",\"labels\":{\"a/b\":\"1\"}," DM
		",\"bootstrap\":{\"policy\":\"merge\"}}") ROW(DEVICE("a", KEY("01"))) ROW(DEVICE("a", KEY("0f"))),
	    &r);
	j = line(&r, 0);
	ck_assert_str_eq(text(j, "result"), "updated");
	c = field(j, "changes");
	ck_assert_uint_eq(json_array_size(c), 2);
	ck_assert_str_eq(text(json_array_get(c, 0), "path"), "/bootstrap/policy");
	ck_assert_str_eq(text(json_array_get(c, 0), "has"), "replace");
	ck_assert_str_eq(text(json_array_get(c, 0), "wants"), "merge");
	ck_assert_str_eq(text(json_array_get(c, 1), "path"), "/labels");
	json_decref(j);
	expect_row(&r, 1, "unchanged", NULL);
	ck_assert_ptr_null(strstr(r.body, KEY("0f")));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(a_profile_counts_who_extends_it)
{
	struct world w;
	struct reply r;
	json_t *j;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))) ROW(DEVICE("b", KEY("02"))));
	ask(&w, "POST", "/v1/apply",
	    ROW("{\"profile_format\":1,\"profile\":\"meter\"," DM ",\"bootstrap\":{\"policy\":\"merge\"}}"), &r);
	expect_row(&r, 0, "updated", NULL);
	j = line(&r, 0);
	ck_assert_int_eq(json_integer_value(field(j, "devices")), 2);
	json_decref(j);
	reply_clear(&r);
	ask(&w, "GET", "/v1/profiles/meter", NULL, &r);
	ck_assert_int_eq(num(&r, "devices"), 2);
	reply_clear(&r);
	ask(&w, "GET", "/v1/profiles/meter/history", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "history")), 2);
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a", NULL, &r);
	ck_assert_int_eq(num(&r, "revision"), 2);
	ck_assert_int_eq(num(&r, "current_revision"), 4);
	reply_clear(&r);
	ask(&w, "DELETE", "/v1/profiles/meter", NULL, &r);
	ck_assert_int_eq(r.status, 409);
	ck_assert_str_eq(at(&r, "detail"), "2 devices extend profile meter; force=1 removes it all the same");
	reply_clear(&r);
	ask(&w, "DELETE", "/v1/profiles/meter?force=1", NULL, &r);
	ck_assert_str_eq(at(&r, "result"), "removed");
	reply_clear(&r);
	ask(&w, "GET", "/v1/why?endpoint=a", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert(json_is_null(node(&r, "extends.0.revision")));
	ck_assert_ptr_nonnull(strstr(r.body, "apply the profile meter"));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* FLEET devices in requests of CHUNK rows; the figure is printed. */
#define CHUNK 500

START_TEST(a_fleet_in_chunks)
{
	const char *size = getenv("FLEET");
	unsigned fleet = size == NULL ? 2000 : (unsigned)strtoul(size, NULL, 10);
	double seconds = 0;
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED));
	for (unsigned i = 0; i < fleet; i += CHUNK) {
		struct gbuf body = { 0 };

		for (unsigned k = i; k < i + CHUNK; k++)
			gbuf_printf(&body,
			    "{\"source\":\"fleet.ndjson:%u\",\"doc\":{\"profile_format\":1,\"endpoint\":\"urn:dev:%06u\","
			    "\"extends\":\"meter\",\"credentials\":{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"${endpoint}\","
			    "\"key\":{\"hex\":\"%032x\"}}}}}\n", k + 1, k, k + 0x10000000);
		ask(&w, "POST", "/v1/apply", gbuf_cstr(&body), &r);
		ck_assert_int_eq(r.status, 200);
		seconds += r.seconds;
		expect_row(&r, CHUNK - 1, "created", NULL);
		ck_assert_ptr_null(strstr(r.body, "\"error\""));
		reply_clear(&r);
		gbuf_clear(&body);
	}
	(void)printf("# %u devices applied in %.2f s\n", fleet, seconds);
	(void)fflush(stdout);
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert_int_eq(num(&r, "devices"), fleet);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* ---- devices ---- */

START_TEST(a_device_and_its_end)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("urn:x/1", KEY("01"))));
	ask(&w, "GET", "/v1/devices/urn%3Ax%2F1", NULL, &r);
	ck_assert_str_eq(at(&r, "endpoint"), "urn:x/1");
	ck_assert_str_eq(at(&r, "document.extends"), "meter");
	ck_assert_str_eq(at(&r, "extends.0"), "meter");
	ck_assert(json_is_null(node(&r, "last_session")));
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/urn:x%2F1/resolved", NULL, &r);
	ck_assert_str_eq(at(&r, "document.servers.dm.security.identity"), "urn:x/1");
	ck_assert_ptr_null(strstr(r.body, KEY("01")));
	reply_clear(&r);
	ask(&w, "POST", "/v1/devices/urn:x%2F1/state", "{\"state\":\"blocked\"}", &r);
	ck_assert_str_eq(at(&r, "result"), "updated");
	reply_clear(&r);
	ask(&w, "GET", "/v1/why?endpoint=urn:x/1", NULL, &r);
	ck_assert_str_eq(at(&r, "state"), "blocked");
	ck_assert(json_is_false(node(&r, "rules.granted")));
	ck_assert_str_eq(at(&r, "rules.reason"), "blocked");
	ck_assert_uint_ge(json_array_size(node(&r, "to_do")), 1);
	reply_clear(&r);
	ask(&w, "DELETE", "/v1/devices/urn:x%2F1?expect_revision=1", NULL, &r);
	ck_assert_int_eq(r.status, 409);
	reply_clear(&r);
	ask(&w, "DELETE", "/v1/devices/urn:x%2F1", NULL, &r);
	ck_assert_str_eq(at(&r, "result"), "removed");
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/urn:x%2F1", NULL, &r);
	ck_assert_int_eq(r.status, 404);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(lists_go_on_where_they_stopped)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a1", KEY("01"))) ROW(DEVICE("a2", KEY("02"))) ROW(DEVICE("b", KEY("03"))));
	ask(&w, "GET", "/v1/devices?glob=a*&limit=1", NULL, &r);
	ck_assert_str_eq(at(&r, "devices.0.endpoint"), "a1");
	ck_assert_str_eq(at(&r, "after"), "a1");
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices?glob=a*&limit=1&after=a1&profile=meter", NULL, &r);
	ck_assert_str_eq(at(&r, "devices.0.endpoint"), "a2");
	ck_assert(json_is_null(node(&r, "after")));
	reply_clear(&r);
	ask(&w, "GET", "/v1/profiles", NULL, &r);
	ck_assert_str_eq(at(&r, "profiles.0.name"), "meter");
	ck_assert_ptr_null(node(&r, "profiles.0.document"));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(a_plan_masks_keys_and_marks_defaults)
{
	struct world w;
	struct reply r;
	const char *dump;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ask(&w, "GET", "/v1/devices/a/plan", NULL, &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_str_eq(at(&r, "policy"), "replace");
	dump = r.body;
	ck_assert_ptr_nonnull(strstr(dump, "\"method\":\"PUT\",\"path\":\"/0/1\",\"format\":\"tlv\""));
	ck_assert_ptr_nonnull(strstr(dump, "\"secret\":{\"length\":16,\"fingerprint\""));
	ck_assert_ptr_nonnull(strstr(dump, "\"default\":true"));
	reply_clear(&r);
	/* one that is not in the store: its key is yet to be made */
	world_ask(&w, "POST", "/v1/plan", JSON, DEVICE("n", KEY("02")), &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_ptr_nonnull(strstr(r.body, "\"secret\":{\"length\":16,\"generated\":true}"));
	reply_clear(&r);
	world_ask(&w, "POST", "/v1/plan", JSON,
	    "{\"profile_format\":1,\"endpoint\":\"n\",\"extends\":\"meter\",\"bootstrap\":{\"policy\":\"incremental\"},"
	    "\"credentials\":{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"n\",\"key\":{\"hex\":\"" KEY("02") "\"}}}}", &r);
	ck_assert_int_eq(r.status, 422);
	ck_assert_ptr_nonnull(strstr(r.body, "incremental"));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* ---- sessions ---- */

static void
until_live(struct world *w, size_t n)
{
	size_t live = SIZE_MAX;

	for (unsigned i = 0; live != n; i++) {
		struct reply r;

		ck_assert_uint_lt(i, 10000);
		ask(w, "GET", "/v1/live", NULL, &r);
		live = json_array_size(node(&r, "sessions"));
		reply_clear(&r);
	}
}

START_TEST(sessions_live_and_over)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	world_knock(&w, "a", "id-a", "192.0.2.1:1000");
	world_knock(&w, "a", "nobody", "192.0.2.2:1000");
	world_turn_until(&w, &w.answered, 2);
	until_live(&w, 1); /* the one that was refused has been written down */
	ask(&w, "GET", "/v1/live", NULL, &r);
	ck_assert_str_eq(at(&r, "sessions.0.endpoint"), "a");
	ck_assert_str_eq(at(&r, "sessions.0.peer"), "192.0.2.1:1000");
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a", NULL, &r);
	ck_assert_str_ne(at(&r, "live.state"), "");
	reply_clear(&r);
	ask(&w, "DELETE", "/v1/devices/a/session?reason=enough", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	reply_clear(&r);
	until_live(&w, 0);
	ask(&w, "GET", "/v1/sessions?endpoint=a&verdict=cancelled", NULL, &r);
	ck_assert_str_eq(at(&r, "sessions.0.reason"), "operator");
	ck_assert_str_eq(at(&r, "sessions.0.credential"), "psk:id-a");
	reply_clear(&r);
	ask(&w, "GET", "/v1/devices/a/sessions/last", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert(json_is_array(node(&r, "transcript")));
	reply_clear(&r);
	ask(&w, "GET", "/v1/why?peer=192.0.2.2", NULL, &r);
	ck_assert_str_eq(at(&r, "sessions.0.reason"), "identity_mismatch");
	ck_assert_uint_eq(json_array_size(node(&r, "sessions")), 1);
	ck_assert_uint_eq(json_array_size(node(&r, "to_do")), 1);
	reply_clear(&r);
	ask(&w, "GET", "/v1/sessions?group_by=reason&since=1h", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "groups")), 2);
	ck_assert_int_eq(num(&r, "sessions"), 2);
	reply_clear(&r);
	ask(&w, "GET", "/v1/sessions?reason=operator&peer=192.0.2.1:1000", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "sessions")), 1);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* ---- who may what ---- */

#define NOBODY 65534

START_TEST(others_need_a_grant)
{
	char user[] = "nobody", words[] = "read enroll";
	struct conf_grant grant = { .user = user, .permissions = words };
	struct api_conf conf = { .grants = &grant, .n_grants = 1 };
	struct world w;
	struct reply r;

	if (geteuid() != 0)
		return; /* only root can be somebody else */
	world_open(&w, NULL);
	world_ask_as(&w, NOBODY, NOBODY, "GET", "/v1/version", NULL, &r);
	ck_assert_int_eq(r.status, 403);
	ck_assert_ptr_nonnull(strstr(at(&r, "detail"), "may not do this: it takes the permission read (api.permissions)"));
	reply_clear(&r);
	world_close(&w);
	world_open(&w, &conf);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	world_ask_as(&w, NOBODY, NOBODY, "GET", "/v1/version", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	reply_clear(&r);
	world_ask_as(&w, NOBODY, NOBODY, "GET", "/v1/audit", NULL, &r);
	ck_assert_int_eq(r.status, 403);
	reply_clear(&r);
	world_ask_as(&w, NOBODY, NOBODY, "DELETE", "/v1/devices/a", NULL, &r);
	ck_assert_int_eq(r.status, 403);
	reply_clear(&r);
	/* enroll adds, and changes nothing that is there */
	world_ask_as(&w, NOBODY, NOBODY, "POST", "/v1/apply",
	    "[" ROW(DEVICE("n", KEY("0b"))) "," ROW(DEVICE("a", KEY("0c"))) "," ROW(SHARED) "]", &r);
	expect_row(&r, 0, "created", NULL);
	expect_row(&r, 1, "error", "a is there already, and uid 65534 (nobody) may not change it");
	expect_row(&r, 2, "error", "may not change profiles");
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* ---- bounds ---- */

START_TEST(a_body_too_long_is_refused)
{
	struct api_conf conf = { .max_body = 1000 };
	struct world w;
	struct reply r;
	char body[3000];

	memset(body, ' ', sizeof body);
	body[sizeof body - 1] = 0;
	world_open(&w, &conf);
	ask(&w, "POST", "/v1/apply", body, &r);
	ck_assert_int_eq(r.status, 413);
	ck_assert_str_eq(at(&r, "detail"), "the body is longer than 1000 octets");
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(draining_changes_nothing_more)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	api_drain(w.api);
	ask(&w, "POST", "/v1/apply", ROW(SHARED), &r);
	ck_assert_int_eq(r.status, 503);
	ck_assert(json_is_true(node(&r, "retryable")));
	reply_clear(&r);
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert(json_is_true(node(&r, "draining")));
	reply_clear(&r);
	world_restart_api(&w);
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert(json_is_false(node(&r, "draining")));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* clang-format off */
static const struct unit_case cases[] = {
	UNIT_CASE(version_and_status, 0),
	UNIT_CASE(what_is_wrong_is_said, 0),
	UNIT_CASE(a_bad_row_says_why_and_changes_nothing, 0),
	UNIT_CASE(one_bad_row_harms_no_other, 0),
	UNIT_CASE(again_changes_nothing_and_generated_keys_stay, 0),
	UNIT_CASE(a_dry_run_makes_nothing, 0),
	UNIT_CASE(expectations_are_kept, 0),
	UNIT_CASE(an_array_will_do, 0),
	UNIT_CASE(diff_shows_place_by_place, 0),
	UNIT_CASE(a_profile_counts_who_extends_it, 0),
	UNIT_CASE(a_fleet_in_chunks, 0),
	UNIT_CASE(a_device_and_its_end, 0),
	UNIT_CASE(lists_go_on_where_they_stopped, 0),
	UNIT_CASE(a_plan_masks_keys_and_marks_defaults, 0),
	UNIT_CASE(sessions_live_and_over, 0),
	UNIT_CASE(others_need_a_grant, 0),
	UNIT_CASE(a_body_too_long_is_refused, 0),
	UNIT_CASE(draining_changes_nothing_more, 0),
};
/* clang-format on */

UNIT_SUITE_MAIN("api", cases)
