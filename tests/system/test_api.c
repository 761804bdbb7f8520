/* The API over its socket, route by route, with what is right and with what is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/api_world.h"
#include "tests/unit/unit.h"

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
	ck_assert_ptr_nonnull(
	    strstr(r.body, "bsserver_sessions_total{verdict=\"provisioned\"} 0\n"));
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
	{ "GET", "/v1/devices?limt=3", NULL, NULL, 400, "usage",
	    "limt: unknown parameter; did you mean limit?" },
	{ "GET", "/v1/version?x=3", NULL, NULL, 400, "usage",
	    "x: unknown parameter; there are none here" },
	{ "GET", "/v1/devices?limit=3&limit=4", NULL, NULL, 400, "usage", "limit: is given twice" },
	{ "GET", "/v1/devices?limit=0", NULL, NULL, 400, "usage",
	    "limit: must be a whole number from 1 to 1000" },
	{ "GET", "/v1/devices?limit=1e2", NULL, NULL, 400, "usage",
	    "limit: must be a whole number from 1 to 1000" },
	{ "GET", "/v1/devices?glob=%zz", NULL, NULL, 400, "usage",
	    "glob: is neither text nor percent-encoded text" },
	{ "GET", "/v1/devices?where=site", NULL, NULL, 400, "usage", "where: must be KEY=VALUE, is \"site\"" },
	{ "GET", "/v1/devices?where=%3Da", NULL, NULL, 400, "usage", "where: must be KEY=VALUE, is \"=a\"" },
	{ "GET", "/v1/devices?where=site%3D", NULL, NULL, 400, "usage", "where: must be KEY=VALUE, is \"site=\"" },
	{ "GET", "/v1/devices?where=label.%3Da", NULL, NULL, 400, "usage", "where: must be KEY=VALUE, is \"label.=a\"" },
	{ "GET", "/v1/devices?where=state%3Dbloked", NULL, NULL, 400, "usage",
	    "where: state must be active, blocked or retired, is \"bloked\"; a label of that name is label.state" },
	{ "GET", "/v1/devices?where=provisioned%3Dyes", NULL, NULL, 400, "usage",
	    "where: provisioned must be true or false, is \"yes\"; a label of that name is label.provisioned" },
	{ "GET", "/v1/devices?where=verdict%3Dgood", NULL, NULL, 400, "usage",
	    "where: verdict must be the verdict of a session, is \"good\"; a label of that name is label.verdict" },
	{ "GET", "/v1/devices?where=reason%3Dbad", NULL, NULL, 400, "usage",
	    "where: reason must be the reason of a session, is \"bad\"; a label of that name is label.reason" },
	{ "GET", "/v1/devices?where=a%3D1&where=a%3D1&where=a%3D1&where=a%3D1&where=a%3D1&where=a%3D1&where=a%3D1&where=a%3D1&where=a%3D1",
	    NULL, NULL, 400, "usage", "where: more than 8" },
	{ "GET", "/v1/devices?revision_older_than=0", NULL, NULL, 400, "usage",
	    "revision_older_than: must be a whole number from 1 to 9223372036854775807" },
	{ "GET", "/v1/devices/%00", NULL, NULL, 400, "parse",
	    "the path holds what is neither text nor percent-encoded text" },
	{ "GET", "/v1/devices/none", NULL, NULL, 404, "not_found", "no device none" },
	{ "GET", "/v1/devices/none/plan", NULL, NULL, 404, "not_found", "no device none" },
	{ "GET", "/v1/devices/none/resolved", NULL, NULL, 404, "not_found", "no device none" },
	{ "GET", "/v1/devices/none/sessions/last", NULL, NULL, 404, "not_found",
	    "no session of none is kept" },
	{ "DELETE", "/v1/devices/none", NULL, NULL, 404, "not_found", "none: is not there" },
	{ "DELETE", "/v1/devices/none/session", NULL, NULL, 404, "not_found",
	    "no session of none is under way" },
	{ "GET", "/v1/profiles/none", NULL, NULL, 404, "not_found", "no profile none" },
	{ "GET", "/v1/profiles/none/history", NULL, NULL, 404, "not_found", "no profile none" },
	{ "DELETE", "/v1/profiles/none", NULL, NULL, 404, "not_found", "none: is not there" },
	{ "GET", "/v1/sessions/17", NULL, NULL, 404, "not_found", "no session 17 is kept" },
	{ "GET", "/v1/sessions/x", NULL, NULL, 400, "usage", "a session's id is a number" },
	{ "GET", "/v1/sessions?verdict=great", NULL, NULL, 400, "usage",
	    "verdict: must be one of provisioned, written, failed, refused, cancelled" },
	{ "GET", "/v1/sessions?reason=no_anser", NULL, NULL, 400, "usage",
	    "reason: there is none of that name; did you mean no_answer?" },
	{ "GET", "/v1/sessions?group_by=day", NULL, NULL, 400, "usage",
	    "group_by: must be reason or profile" },
	{ "GET", "/v1/sessions?since=soon", NULL, NULL, 400, "usage",
	    "since: must be milliseconds since 1970, or how long ago: 90s, 10m, 2h, 1d" },
	{ "GET", "/v1/why", NULL, NULL, 400, "usage", "one of endpoint and peer must be given" },
	{ "GET", "/v1/version", JSON, "{}", 400, "usage", "this takes no body" },
	{ "POST", "/v1/apply", "text/plain", "{}", 415, "unsupported",
	    "Content-Type must be application/x-ndjson, or application/json for an array" },
	{ "POST", "/v1/apply?dry_run=maybe", ROWS, "{}", 400, "usage",
	    "dry_run: must be 1, true, 0 or false" },
	{ "POST", "/v1/plan", "text/plain", "{}", 415, "unsupported",
	    "Content-Type must be application/json" },
	{ "POST", "/v1/plan", JSON, "{\"profile_format\":1,", 400, "parse", "body:1:" },
	{ "POST", "/v1/plan", JSON, SHARED, 422, "invalid",
	    "a plan is made for a device: this is the shared profile meter" },
	{ "POST", "/v1/devices/x/state", JSON, "[1]", 400, "parse",
	    "body:1:1: must be a JSON object" },
	{ "POST", "/v1/devices/x/state", JSON, "{\"state\":", 400, "parse", "body:1:9: not JSON" },
	{ "POST", "/v1/devices/x/state", JSON, "{\"stat\":\"active\"}", 422, "invalid",
	    "/stat: unknown member; did you mean state?" },
	{ "POST", "/v1/devices/x/state", JSON, "{\"state\":\"open\"}", 422, "invalid",
	    "/state: must be active, blocked or retired" },
	{ "POST", "/v1/devices/x/state", JSON, "{\"state\":\"active\"}", 404, "not_found",
	    "x: is not there" },
	{ "POST", "/v1/devices/x/state", JSON, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 413,
	    "limit", "the body nests deeper than 24 levels" },
};

START_TEST(what_is_wrong_is_said)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	for (size_t i = 0; i < N_ELEMS(wrong); i++) {
		world_ask(&w, wrong[i].method, wrong[i].path, wrong[i].type, wrong[i].body, &r);
		ck_assert_msg(r.status == wrong[i].status, "%s %s: %ld %s", wrong[i].method,
		    wrong[i].path, r.status, r.body);
		ck_assert_str_eq(r.type, "application/problem+json");
		ck_assert_str_eq(at(&r, "code"), wrong[i].code);
		ck_assert_msg(strstr(at(&r, "detail"), wrong[i].detail) != NULL, "%s: said: %s",
		    wrong[i].path, at(&r, "detail"));
		ck_assert_int_eq(num(&r, "status"), wrong[i].status);
		if (r.status == 405)
			ck_assert_str_eq(r.allow, "GET, DELETE");
		reply_clear(&r);
	}
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
	    ROW("{\"profile_format\":1,\"profile\":\"meter\"," DM
	        ",\"bootstrap\":{\"policy\":\"merge\"}}"),
	    &r);
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
	ck_assert_str_eq(
	    at(&r, "detail"), "2 devices extend profile meter; force=1 removes it all the same");
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

static void
on_kept(void *arg, enum err_code rc, const struct err *e)
{
	(void)e;
	ck_assert_int_eq(rc, ERR_OK);
	++*(unsigned *)arg;
}

/* A session of device a that ended so, having written that revision. */
static void
keep_session(struct world *w, enum bs_verdict verdict, uint64_t revision)
{
	char ep[] = "a", peer[] = "[::1]:1";
	static uint64_t id = 100;
	struct bs_record rec = { .id = ++id,
		.endpoint = ep,
		.peer = peer,
		.verdict = verdict,
		.revision = revision,
		.started_ms = 1,
		.ended_ms = 2,
		.used_format = -1 };
	unsigned kept = 0;

	store_sqlite.session_put(w->store, &rec, NULL, on_kept, &kept);
	world_turn_until(w, &kept, 1);
}

static void
expect_device(struct world *w, bool provisioned, bool written, long long of)
{
	struct reply r;

	ask(w, "GET", "/v1/devices/a", NULL, &r);
	ck_assert_msg(json_is_true(node(&r, "provisioned")) == provisioned, "%s", r.body);
	ck_assert_msg(json_is_true(node(&r, "written")) == written, "%s", r.body);
	ck_assert_int_eq(num(&r, "provisioned_revision"), of);
	reply_clear(&r);
}

START_TEST(provisioned_means_the_current_revision)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	expect_device(&w, false, false, 0);
	keep_session(&w, BS_VERDICT_WRITTEN, 2);
	expect_device(&w, false, true, 0);
	keep_session(&w, BS_VERDICT_PROVISIONED, 2);
	expect_device(&w, true, true, 2);
	/* what it extends changes: it is behind, until it was here again */
	ask(&w, "POST", "/v1/apply",
	    ROW("{\"profile_format\":1,\"profile\":\"meter\"," DM
	        ",\"bootstrap\":{\"policy\":\"merge\"}}"),
	    &r);
	expect_row(&r, 0, "updated", NULL);
	reply_clear(&r);
	expect_device(&w, false, false, 2);
	keep_session(&w, BS_VERDICT_PROVISIONED, 3);
	expect_device(&w, true, true, 3);
	keep_session(&w, BS_VERDICT_FAILED, 3); /* it keeps or restores what it had */
	expect_device(&w, true, true, 3);
	world_close(&w);
}
END_TEST

/* A device that has its answer may be asked about at once, before its record is in the file. */
START_TEST(a_session_that_is_over_is_in_the_next_answer)
{
	static const struct {
		const char *path, *shows;
	} rows[] = {
		{ "/v1/devices/a/sessions/last", "id" },
		{ "/v1/sessions?limit=1", "sessions.0.id" },
		{ "/v1/why?endpoint=a", "last_session.id" },
		{ "/v1/devices/a", "last_session.id" },
	};
	char ep[] = "a", peer[] = "[::1]:1";
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	keep_session(&w, BS_VERDICT_PROVISIONED, 2);
	for (uint64_t id = 1000; id < 1000 + N_ELEMS(rows); id++) {
		const struct bs_record rec = { .id = id,
			.endpoint = ep,
			.peer = peer,
			.verdict = BS_VERDICT_FAILED,
			.reason = BS_REASON_NO_ANSWER,
			.ended_ms = 3,
			.used_format = -1 };
		unsigned kept = 0;

		store_sqlite.session_put(w.store, &rec, NULL, on_kept, &kept);
		ask(&w, "GET", rows[id - 1000].path, NULL, &r);
		ck_assert_msg(num(&r, rows[id - 1000].shows) == (long long)id, "%s: %s", rows[id - 1000].path, r.body);
		reply_clear(&r);
		world_turn_until(&w, &kept, 1);
	}
	world_close(&w);
}
END_TEST

#define LABELLED(name, more) "{\"profile_format\":1,\"endpoint\":\"" name "\"," \
	"\"credentials\":{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"" name "\",\"key\":{\"generate\":16}}}" more "}"
#define SITE "{\"profile_format\":1,\"profile\":\"site\",\"labels\":{\"site\":\"depot-7\",\"class\":\"${class}\"}}"

static const struct {
	const char *query, *names;
} chosen[] = {
	{ "where=site%3Ddepot-7", "heir other-class" },
	{ "where=site%3Ddepot-7&where=class%3Da%3Db", "heir" },
	{ "where=label.site%3Ddepot-7&where=label.state%3Dblocked", "heir" },
	{ "where=site%3Down", "own" },
	{ "where=site%3Ddepot-*", "" },
	{ "where=site%3Ddepot", "" },
	{ "where=state%3Dactive", "heir none other-class own taken-away" },
	{ "where=state%3Dactive&where=nothing%3Dx", "" },
	{ "where=provisioned%3Dfalse&glob=o*", "other-class own" },
	{ "where=provisioned%3Dtrue", "" },
	{ "where=verdict%3Dfailed", "" },
	{ "revision_older_than=1", "heir none other-class own taken-away" },
};

/* Labels are those of the document with all that it extends, variables filled in. */
START_TEST(devices_are_chosen_by_labels_and_attributes)
{
	struct gbuf names = { 0 }, path = { 0 };
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SITE)
	    ROW(LABELLED("heir", ",\"extends\":\"site\",\"vars\":{\"class\":\"a=b\"},\"labels\":{\"state\":\"blocked\"}"))
	    ROW(LABELLED("other-class", ",\"extends\":\"site\",\"vars\":{\"class\":\"c\"}"))
	    ROW(LABELLED("own", ",\"extends\":\"site\",\"vars\":{\"class\":\"c\"},\"labels\":{\"site\":\"own\"}"))
	    ROW(LABELLED("taken-away", ",\"extends\":\"site\",\"vars\":{\"class\":\"c\"},\"labels\":{\"site\":null}"))
	    ROW(LABELLED("none", "")));
	gbuf_printf(&path, "/v1/devices?%s", chosen[_i].query);
	ask(&w, "GET", gbuf_cstr(&path), NULL, &r);
	ck_assert(json_is_null(node(&r, "after")));
	for (size_t i = 0; i < json_array_size(node(&r, "devices")); i++)
		gbuf_printf(&names, "%s%s", i > 0 ? " " : "",
		    json_string_value(json_object_get(json_array_get(node(&r, "devices"), i), "endpoint")));
	ck_assert_str_eq(gbuf_cstr(&names), chosen[_i].names);
	gbuf_clear(&names);
	gbuf_clear(&path);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* Its handshakes named no endpoint; most devices' identity is their name. */
START_TEST(why_of_nobody_tells_what_knocked_with_that_name)
{
	char credential[] = "psk:ghost", other[] = "psk:other", peer[] = "192.0.2.9:1";
	struct bs_record rec = { .id = 2000,
		.credential = credential,
		.peer = peer,
		.verdict = BS_VERDICT_REFUSED,
		.reason = BS_REASON_UNKNOWN_IDENTITY,
		.ended_ms = 3,
		.used_format = -1 };
	unsigned kept = 0;
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	store_sqlite.session_put(w.store, &rec, NULL, on_kept, &kept);
	rec.id++;
	rec.credential = other;
	store_sqlite.session_put(w.store, &rec, NULL, on_kept, &kept);
	ask(&w, "GET", "/v1/why?endpoint=ghost", NULL, &r);
	ck_assert_str_eq(at(&r, "rules.reason"), "unknown_endpoint");
	ck_assert_uint_eq(json_array_size(node(&r, "sessions")), 1);
	ck_assert_str_eq(at(&r, "sessions.0.credential"), "psk:ghost");
	ck_assert_str_eq(at(&r, "to_do.0"), bs_reason_help(BS_REASON_UNKNOWN_ENDPOINT));
	ck_assert_str_eq(at(&r, "to_do.1"), bs_reason_help(BS_REASON_UNKNOWN_IDENTITY));
	ck_assert_ptr_null(strstr(r.body, "without credentials"));
	reply_clear(&r);
	ask(&w, "GET", "/v1/why?endpoint=never-came", NULL, &r);
	ck_assert_uint_eq(json_array_size(node(&r, "sessions")), 0);
	ck_assert_ptr_nonnull(strstr(at(&r, "to_do.1"), "no session of it is kept"));
	reply_clear(&r);
	world_turn_until(&w, &kept, 2);
	world_close(&w);
}
END_TEST

START_TEST(lists_go_on_where_they_stopped)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED) ROW(DEVICE("a1", KEY("01"))) ROW(DEVICE("a2", KEY("02")))
	              ROW(DEVICE("b", KEY("03"))));
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
	ck_assert_ptr_nonnull(
	    strstr(dump, "\"method\":\"PUT\",\"path\":\"/0/1\",\"format\":\"tlv\""));
	ck_assert_ptr_nonnull(strstr(dump, "\"secret\":{\"length\":16,\"fingerprint\""));
	ck_assert_ptr_nonnull(strstr(dump, "\"default\":true"));
	ck_assert_ptr_nonnull(
	    strstr(dump, "\"name\":\"public_key_or_identity\",\"value\":\"\\\"a\\\"\""));
	reply_clear(&r);
	/* one that is not in the store: its key is yet to be made */
	world_ask(&w, "POST", "/v1/plan", JSON, DEVICE("n", KEY("02")), &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_ptr_nonnull(strstr(r.body, "\"secret\":{\"length\":16,\"generated\":true}"));
	reply_clear(&r);
	world_ask(&w, "POST", "/v1/plan", JSON,
	    "{\"profile_format\":1,\"endpoint\":\"n\",\"extends\":\"meter\",\"bootstrap\":{"
	    "\"policy\":\"incremental\"},"
	    "\"credentials\":{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"n\",\"key\":{\"hex\":"
	    "\"" KEY("02") "\"}}}}",
	    &r);
	ck_assert_msg(r.status == 200, "%s", r.body);
	ck_assert_str_eq(at(&r, "policy"), "incremental");
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

/* clang-format off */
static const struct unit_case cases[] = {
	UNIT_CASE(version_and_status, 0),
	UNIT_CASE(what_is_wrong_is_said, 0),
	UNIT_CASE(a_profile_counts_who_extends_it, 0),
	UNIT_CASE(a_device_and_its_end, 0),
	UNIT_CASE(provisioned_means_the_current_revision, 0),
	UNIT_CASE(a_session_that_is_over_is_in_the_next_answer, 0),
	UNIT_CASE(devices_are_chosen_by_labels_and_attributes, N_ELEMS(chosen)),
	UNIT_CASE(why_of_nobody_tells_what_knocked_with_that_name, 0),
	UNIT_CASE(lists_go_on_where_they_stopped, 0),
	UNIT_CASE(a_plan_masks_keys_and_marks_defaults, 0),
	UNIT_CASE(sessions_live_and_over, 0),
};
/* clang-format on */

UNIT_SUITE_MAIN("api", cases)
