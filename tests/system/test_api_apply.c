/* Applying and comparing documents over the socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/api_world.h"
#include "tests/unit/unit.h"

/* ---- rows ---- */

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
	{ "{\"source\":7,\"doc\":{}}", "invalid",
	    "row 1: source: must be text, at most 512 octets" },
	{ "{\"doc\":{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}}", "invalid",
	    "row 1: /doc: nests deeper than 16 levels" },
	{ "[{\"doc\":{}}, ", "invalid", NULL },
	{ "{\"source\":\"f.json:9\",\"doc\":{\"profile_format\":1,\"profile\":}}", "invalid",
	    "f.json:9:" },
	{ "{\"doc\":{\"profile_format\":1,\"profile\":\"p\",\"servrs\":{}}}", "invalid",
	    "servers" },
	{ ROW(DEVICE("lonely", KEY("01"))), "invalid", "meter" },
	{ "{\"doc\":{\"profile_format\":1,\"endpoint\":\"e\",\"credentials\":{\"bootstrap\":{"
	  "\"mode\":\"psk\","
	  "\"identity\":\"e\",\"key\":{\"file\":\"x\"}}}}}",
	    "invalid", "a file is read by the command line only" },
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
	    ROW(SHARED) ROW(DEVICE("a", KEY("01"))) "{\"doc\":{\"profile_format\":1}}\n" ROW(
	        DEVICE("b", KEY("01"))) ROW(DEVICE("a", KEY("04")))
	        ROW(DEVICE("c", KEY("05"))) "nonsense\n",
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
	ask(&w, "POST", "/v1/apply?expect_revision=2&reason=because", ROW(DEVICE("a", KEY("02"))),
	    &r);
	expect_row(&r, 0, "updated", NULL);
	reply_clear(&r);
	/* the identity of another device */
	ask(&w, "POST", "/v1/apply",
	    ROW("{\"profile_format\":1,\"endpoint\":\"z\",\"extends\":\"meter\",\"credentials\":{"
	        "\"bootstrap\":{\"mode\":"
	        "\"psk\",\"identity\":\"id-a\",\"key\":{\"hex\":\"" KEY("09") "\"}}}}")
	        ROW(DEVICE("y", KEY("0a"))),
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
	world_ask(&w, "POST", "/v1/apply", JSON,
	    "[\n{\"doc\":" SHARED "},\n" ROW(DEVICE("a", KEY("01"))) "\n]\n", &r);
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
	        ",\"bootstrap\":{\"policy\":\"merge\"}}") ROW(DEVICE("a", KEY("01")))
	        ROW(DEVICE("a", KEY("0f"))),
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

/* FLEET devices in requests of CHUNK rows; the figure is printed. */
#define CHUNK 500

START_TEST(a_fleet_in_chunks)
{
	const char *size = getenv("FLEET");
	unsigned fleet = size == NULL ? 1000 : (unsigned)strtoul(size, NULL, 10);
	double seconds = 0;
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	apply(&w, ROW(SHARED));
	for (unsigned i = 0; i < fleet; i += CHUNK) {
		struct gbuf body = { 0 };

		for (unsigned k = i; k < i + CHUNK; k++)
			gbuf_printf(&body,
			    "{\"source\":\"fleet.ndjson:%u\",\"doc\":{\"profile_format\":1,"
			    "\"endpoint\":\"urn:dev:%06u\","
			    "\"extends\":\"meter\",\"credentials\":{\"bootstrap\":{\"mode\":"
			    "\"psk\",\"identity\":\"${endpoint}\","
			    "\"key\":{\"hex\":\"%032x\"}}}}}\n",
			    k + 1, k, k + 0x10000000);
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

/* clang-format off */
static const struct unit_case cases[] = {
	UNIT_CASE(a_bad_row_says_why_and_changes_nothing, 0),
	UNIT_CASE(one_bad_row_harms_no_other, 0),
	UNIT_CASE(again_changes_nothing_and_generated_keys_stay, 0),
	UNIT_CASE(a_dry_run_makes_nothing, 0),
	UNIT_CASE(expectations_are_kept, 0),
	UNIT_CASE(an_array_will_do, 0),
	UNIT_CASE(diff_shows_place_by_place, 0),
	UNIT_CASE(a_fleet_in_chunks, 0),
};
/* clang-format on */

UNIT_SUITE_MAIN("api_apply", cases)
