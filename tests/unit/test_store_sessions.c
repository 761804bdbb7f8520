#include <stdlib.h>
#include <string.h>

#include "bsserver/store/sqlite_db.h"
#include "bsserver/store/transcript.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

static struct fx f;

/* A record whose strings are constants: not to be cleared. */
static struct bs_record
session(uint64_t id, const char *endpoint, enum bs_verdict v, enum bs_reason reason)
{
	union {
		const char *in;
		char *out;
	} ep = { .in = endpoint };

	return (struct bs_record){ .id = id, .endpoint = ep.out, .verdict = v, .reason = reason, .used_format = -1,
		.started_ms = (int64_t)id * 10, .ended_ms = (int64_t)id * 10 + 5 };
}

static enum err_code
put_session(uint64_t id, const char *endpoint, enum bs_verdict v, enum bs_reason reason)
{
	struct bs_record r = session(id, endpoint, v, reason);

	return fx_session_put(&f, &r);
}

START_TEST(a_session_comes_back_whole)
{
	struct bs_record r = { .id = 77, .endpoint = strdup("ep"), .peer = strdup("[::1]:5"),
		.credential = strdup("psk:me"), .rule = strdup("rule 1"), .profile = strdup("base"), .revision = 9,
		.fingerprints = strdup("dm=00ff"), .started_ms = 1000, .ended_ms = 2000, .verdict = BS_VERDICT_FAILED,
		.step = BS_STEP_WRITE, .reason = BS_REASON_ERROR_RESPONSE, .path = "/1/0", .code = 0x80,
		.detail = strdup("it said 4.00"), .unconfirmed = strdup("/0/1/5"), .used_format = 110,
		.exchanges = 4, .entries_dropped = 2 };

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	bs_record_add(&r, &(struct bs_entry){ .step = BS_STEP_WRITE, .remark = true }, "hello", 5);
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
	ck_assert_int_eq(fx_session_get(&f, 77, NULL), ERR_OK);
	struct bs_record *g = &f.session.rec;
	ck_assert_str_eq(f.session.transcript, "[{\"at_ms\":0,\"step\":\"write\",\"remark\":\"hello\"}]");
	ck_assert(g->id == 77 && g->revision == 9 && g->started_ms == 1000 && g->ended_ms == 2000);
	ck_assert(g->verdict == r.verdict && g->step == r.step && g->reason == r.reason && g->code == r.code);
	ck_assert(g->used_format == 110 && g->exchanges == 4 && g->entries_dropped == 2 && g->n_entries == 0);
	ck_assert_str_eq(g->path, "/1/0");
	ck_assert_str_eq(g->endpoint, "ep");
	ck_assert_str_eq(g->peer, r.peer);
	ck_assert_str_eq(g->credential, r.credential);
	ck_assert_str_eq(g->rule, r.rule);
	ck_assert_str_eq(g->profile, r.profile);
	ck_assert_str_eq(g->fingerprints, r.fingerprints);
	ck_assert_str_eq(g->detail, r.detail);
	ck_assert_str_eq(g->unconfirmed, r.unconfirmed);
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_EXISTS);
	ck_assert_str_eq(f.e.msg, "session 77: is there already");
	bs_record_clear(&r);
	r.id = 78; /* all strings are missing */
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
	ck_assert_int_eq(fx_session_get(&f, 78, NULL), ERR_OK);
	ck_assert_ptr_null(f.session.rec.endpoint);
	ck_assert_ptr_null(f.session.rec.unconfirmed);
	ck_assert_str_eq(f.session.transcript, "[]");
	r.verdict = BS_VERDICT__COUNT;
	r.id = 79;
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_USAGE);
	fx_free(&f);
}
END_TEST

static void
add_entry(struct bs_record *r, struct bs_entry v, const char *text)
{
	ck_assert_ptr_nonnull(bs_record_add(r, &v, text, text == NULL ? 0 : strlen(text)));
}

START_TEST(a_transcript_is_kept_in_every_detail)
{
	struct bs_record r = session(1, "ep", BS_VERDICT_FAILED, BS_REASON_RESET);
	struct gbuf json = { 0 };
	char text[BS_ENTRY_TEXT_MAX + 1];

	fx_fresh(&f);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	add_entry(&r, (struct bs_entry){ .uplink = true, .method = BS_POST, .path = "/bs", .format = -1, .code = 0x44 }, NULL);
	add_entry(&r, (struct bs_entry){ .at_ms = UINT32_MAX, .step = BS_STEP_FINISH, .method = BS_DELETE,
	    .path = "/65534/65534/65534/65534", .format = 65535, .sent = UINT32_MAX, .received = UINT32_MAX,
	    .code = 0xff }, text);
	add_entry(&r, (struct bs_entry){ .at_ms = 128, .remark = true, .step = BS_STEP_PLAN }, "");
	add_entry(&r, (struct bs_entry){ .at_ms = 127, .method = BS_GET, .path = "", .format = 0 }, "\xc3\xa9\n");
	bs_record_transcript_json(&r, &json);
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
	ck_assert_int_eq(fx_session_get(&f, 1, NULL), ERR_OK);
	ck_assert_str_eq(f.session.transcript, gbuf_cstr(&json));
	while (r.n_entries < BS_TRANSCRIPT_MAX)
		add_entry(&r, (struct bs_entry){ .at_ms = 5, .step = BS_STEP_WRITE, .path = "/1/0" }, "some text or other");
	gbuf_reset(&json);
	bs_record_transcript_json(&r, &json);
	r.id = 2;
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
	ck_assert_int_eq(fx_session_get(&f, 2, NULL), ERR_OK);
	ck_assert_str_eq(f.session.transcript, gbuf_cstr(&json));
	gbuf_clear(&json);
	r.endpoint = NULL;
	bs_record_clear(&r);
	fx_free(&f);
}
END_TEST

START_TEST(a_damaged_transcript_is_refused)
{
	static const struct {
		const char *octets;
		size_t n;
		const char *text;
	} rows[] = {
		{ "", 0, "transcript: version 0, not 1" },
		{ "\2", 1, "transcript: version 2, not 1" },
		{ "\1\x10", 2, "transcript: entry 0, at octet 1: not well-formed" },
		{ "\1\1\16\0", 4, "transcript: entry 0, at octet 1: not well-formed" },
		{ "\1\3\0\0", 4, "transcript: entry 0, at octet 1: not well-formed" },
		{ "\1\1\0\0\1", 5, "transcript: entry 1, at octet 4: not well-formed" },
		{ "\1\1\0\x80\0", 5, "transcript: entry 0, at octet 1: not well-formed" },
		{ "\1\1\0\xff\xff\xff\xff\x1f", 8, "transcript: entry 0, at octet 1: not well-formed" },
		{ "\1\x9\0\0\2a", 6, "transcript: entry 0, at octet 1: not well-formed" },
		{ "\1\x9\0\0\2a\0", 7, "transcript: entry 0, at octet 1: not well-formed" },
		{ "\1\0\0\0\4\0\0\0\0", 9, "transcript: entry 0, at octet 1: not well-formed" },
		{ "\1\1\0\0", 4, "" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct bs_record r = { 0 };
		struct err e = { 0 };
		enum err_code rc = transcript_unpack(rows[i].octets, rows[i].n, &r, &e);
		ck_assert_int_eq(rc, rows[i].text[0] == 0 ? ERR_OK : ERR_PARSE);
		ck_assert_msg(strcmp(e.msg, rows[i].text) == 0, "row %zu: %s", i, e.msg);
		bs_record_clear(&r);
	}
}
END_TEST

START_TEST(sessions_move_their_device_on)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	struct bs_record r = session(10, "ep", BS_VERDICT_PROVISIONED, BS_REASON_NONE);
	r.revision = 1;
	r.used_format = 11542;
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
	ck_assert_int_eq(put_session(20, "ep", BS_VERDICT_FAILED, BS_REASON_NO_ANSWER), ERR_OK);
	ck_assert_int_eq(put_session(30, "ep", BS_VERDICT_FAILED, BS_REASON_RESET), ERR_OK);
	ck_assert_int_eq(put_session(40, "ep", BS_VERDICT_CANCELLED, BS_REASON_OPERATOR), ERR_OK);
	ck_assert_int_eq(put_session(35, "ep", BS_VERDICT_PROVISIONED, BS_REASON_NONE), ERR_OK); /* came late */
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.last_session, 40);
	ck_assert_int_eq(f.device.last_verdict, BS_VERDICT_CANCELLED);
	ck_assert_int_eq(f.device.last_reason, BS_REASON_OPERATOR);
	ck_assert_int_eq(f.device.last_ended_ms, 405);
	ck_assert_uint_eq(f.device.failures, 2);
	ck_assert_int_eq(f.device.remembered_format, 11542);
	ck_assert_uint_eq(f.device.confirmed_revision, 1);
	ck_assert_uint_eq(f.device.revision, 1);
	ck_assert_int_eq(put_session(50, "ep", BS_VERDICT_WRITTEN, BS_REASON_NONE), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.failures, 0);
	ck_assert_uint_eq(f.device.confirmed_revision, 1); /* written is not confirmed */
	ck_assert_int_eq(fx_put(&f, "other", "{}"), ERR_OK);
	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(fx_counts(&f), ERR_OK);
		ck_assert_uint_eq(f.counts.sessions, 6);
		ck_assert_uint_eq(f.counts.by_verdict[BS_VERDICT_WRITTEN], 1);
		ck_assert_uint_eq(f.counts.by_verdict[BS_VERDICT_NONE], 1);
		ck_assert_uint_eq(f.counts.by_verdict[BS_VERDICT_CANCELLED], 0);
		fx_reopen(&f);
	}
	fx_free(&f);
}
END_TEST

START_TEST(a_mere_claim_changes_nothing_of_a_device)
{
	static const enum bs_reason claims[] = { BS_REASON_BAD_REQUEST, BS_REASON_NO_ENDPOINT,
		BS_REASON_UNKNOWN_ENDPOINT, BS_REASON_IDENTITY_MISMATCH, BS_REASON_NO_CREDENTIAL_RULE,
		BS_REASON_OVERLOAD, BS_REASON_STORE, BS_REASON_UNKNOWN_IDENTITY, BS_REASON_WRONG_KEY,
		BS_REASON_HANDSHAKE };

	fx_init(&f);
	f.conf.max_sessions = 3;
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	ck_assert_int_eq(put_session(1, "ep", BS_VERDICT_PROVISIONED, BS_REASON_NONE), ERR_OK);
	for (size_t i = 0; i < N_ELEMS(claims); i++)
		ck_assert_int_eq(put_session(10 + i, "ep", BS_VERDICT_REFUSED, claims[i]), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.last_session, 1);
	ck_assert_int_eq(f.device.last_verdict, BS_VERDICT_PROVISIONED);
	ck_assert_int_eq(fx_sessions(&f, (struct store_page){ .limit = 100, .glob = "ep", .verdict = -1 }), ERR_OK);
	fx_ck_names(&f, "19 18 17 16 15 14 13 12 11 10 1");
	ck_assert_int_eq(put_session(20, "ep", BS_VERDICT_REFUSED, BS_REASON_BLOCKED), ERR_OK); /* it was that device */
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.last_session, 20);
	ck_assert_int_eq(fx_session_get(&f, 0, "ep"), ERR_OK);
	ck_assert_uint_eq(f.session.rec.id, 20);
	ck_assert_int_eq(put_session(21, "ep", BS_VERDICT_REFUSED, BS_REASON_IDENTITY_MISMATCH), ERR_OK);
	ck_assert_int_eq(fx_session_get(&f, 0, "ep"), ERR_OK);
	ck_assert_uint_eq(f.session.rec.id, 21);
	fx_free(&f);
}
END_TEST

START_TEST(old_sessions_go)
{
	fx_init(&f);
	f.conf.max_sessions = 3;
	f.conf.max_stray_sessions = 4;
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "a", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "b", "{}"), ERR_OK);
	for (uint64_t i = 1; i <= 8; i++) {
		ck_assert_int_eq(put_session(10 * i, "a", BS_VERDICT_FAILED, BS_REASON_RESET), ERR_OK);
		ck_assert_int_eq(put_session(10 * i + 1, "stranger", BS_VERDICT_REFUSED, BS_REASON_UNKNOWN_ENDPOINT), ERR_OK);
		ck_assert_int_eq(put_session(10 * i + 2, NULL, BS_VERDICT_REFUSED, BS_REASON_NO_ENDPOINT), ERR_OK);
	}
	ck_assert_int_eq(put_session(5, "b", BS_VERDICT_FAILED, BS_REASON_RESET), ERR_OK);
	ck_assert_int_eq(fx_sessions(&f, (struct store_page){ .limit = 100, .verdict = -1 }), ERR_OK);
	fx_ck_names(&f, "82 81 80 72 71 70 60 5");
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.sessions, 8);
	f.conf.max_sessions = 1; /* fewer from now on: with the next of each device */
	fx_reopen(&f);
	ck_assert_int_eq(put_session(90, "a", BS_VERDICT_FAILED, BS_REASON_RESET), ERR_OK);
	ck_assert_int_eq(fx_sessions(&f, (struct store_page){ .limit = 100, .glob = "?", .verdict = -1 }), ERR_OK);
	fx_ck_names(&f, "90 5");
	fx_free(&f);
}
END_TEST

START_TEST(all_sessions_together_are_bounded)
{
	fx_init(&f);
	f.conf.max_sessions = 600;
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "a", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "b", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "c", "{}"), ERR_OK);
	ck_assert_int_eq(put_session(1, "b", BS_VERDICT_FAILED, BS_REASON_RESET), ERR_OK);
	ck_assert_int_eq(put_session(2, "a", BS_VERDICT_FAILED, BS_REASON_RESET), ERR_OK);
	for (uint64_t i = 3; i <= 1300; i++) {
		struct bs_record r = session(i, i <= 650 ? "b" : i <= 700 ? NULL : "c", BS_VERDICT_FAILED, BS_REASON_RESET);
		if (i % 100 == 0)
			ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
		else
			store_sqlite.session_put(f.store, &r, NULL, NULL, NULL);
	}
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_ge(f.counts.sessions, 1050); /* 50 of them nobody's */
	ck_assert_uint_lt(f.counts.sessions, 1050 + 256);
	uint64_t counted = f.counts.sessions;
	ck_assert_int_eq(fx_session_get(&f, 1, NULL), ERR_NOT_FOUND);
	ck_assert_int_eq(fx_session_get(&f, 2, NULL), ERR_OK); /* the newest of a */
	ck_assert_int_eq(fx_session_get(&f, 701, NULL), ERR_OK);
	fx_reopen(&f);
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.sessions, counted);
	fx_close(&f);
	struct sq_db db;
	int64_t wrong = 1;
	ck_assert_int_eq(sq_open(&db, f.path, 100, NULL), ERR_OK);
	ck_assert_int_eq(sq_number(&db, "SELECT count(*) FROM device_session d WHERE kept <>"
		" (SELECT count(*) FROM session s WHERE s.device = d.device)", &wrong, NULL), ERR_OK);
	ck_assert_int_eq(wrong, 0);
	sq_close(&db);
	fx_free(&f);
}
END_TEST

START_TEST(sessions_are_listed_by_page)
{
	static const struct {
		struct store_page p;
		const char *names;
		bool more;
	} rows[] = {
		{ { .limit = 100, .verdict = -1 }, "6 5 4 3 2 1", false },
		{ { .limit = 2, .verdict = -1 }, "6 5", true },
		{ { .limit = 2, .before_id = 5, .verdict = -1 }, "4 3", true },
		{ { .limit = 2, .before_id = 3, .verdict = -1 }, "2 1", false },
		{ { .limit = 9, .since_ms = 40, .verdict = -1 }, "6 5 4", false },
		{ { .limit = 9, .glob = "a1", .verdict = -1 }, "5 3 1", false },
		{ { .limit = 2, .glob = "a1", .verdict = -1 }, "5 3", true },
		{ { .limit = 9, .glob = "a1", .before_id = 5, .since_ms = 20, .verdict = -1 }, "3", false },
		{ { .limit = 9, .glob = "a*", .verdict = -1 }, "6 5 4 3 2 1", false },
		{ { .limit = 9, .glob = "?2", .verdict = -1 }, "6 4 2", false },
		{ { .limit = 9, .verdict = BS_VERDICT_FAILED }, "4 3 2 1", false },
		{ { .limit = 9, .glob = "a2", .verdict = BS_VERDICT_WRITTEN }, "6", false },
		{ { .limit = 9, .glob = "nobody", .verdict = -1 }, "", false },
		{ { .limit = 9, .before_id = UINT64_MAX, .verdict = BS_VERDICT_CANCELLED }, "", false },
	};

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "a1", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "a2", "{}"), ERR_OK);
	for (uint64_t i = 1; i <= 6; i++)
		ck_assert_int_eq(put_session(i, i % 2 ? "a1" : "a2", i > 4 ? BS_VERDICT_WRITTEN : BS_VERDICT_FAILED,
		    BS_REASON_NONE), ERR_OK);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		ck_assert_int_eq(fx_sessions(&f, rows[i].p), ERR_OK);
		ck_assert_msg(strcmp(gbuf_cstr(&f.names), rows[i].names) == 0 && f.more == rows[i].more,
		    "row %zu: \"%s\"", i, gbuf_cstr(&f.names));
	}
	ck_assert_int_eq(fx_session_get(&f, 0, "nobody"), ERR_NOT_FOUND);
	ck_assert_str_eq(f.e.msg, "device nobody: no session");
	fx_free(&f);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_session_comes_back_whole, 0),
	UNIT_CASE(a_transcript_is_kept_in_every_detail, 0),
	UNIT_CASE(a_damaged_transcript_is_refused, 0),
	UNIT_CASE(sessions_move_their_device_on, 0),
	UNIT_CASE(a_mere_claim_changes_nothing_of_a_device, 0),
	UNIT_CASE(old_sessions_go, 0),
	UNIT_CASE(all_sessions_together_are_bounded, 0),
	UNIT_CASE(sessions_are_listed_by_page, 0),
};

UNIT_SUITE_MAIN("store_sessions", cases)
