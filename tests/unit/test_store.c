#include "bsserver/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

static struct fx f;

START_TEST(what_is_put_comes_back)
{
	struct secret compiled = fx_secret("packed");
	char slot1[] = STORE_SLOT_BOOTSTRAP, slot2[] = "servers/dm/security/key", id[] = "me";
	const struct store_credential creds[] = {
		{ .slot = slot2, .key = fx_secret("dm key"), .generated = true },
		{ .slot = slot1, .identity = id, .key = fx_secret("knock") },
	};

	fx_fresh(&f);
	struct store_change c = { .op = STORE_PUT_DEVICE, .name = "ep", .doc = "{\"a\":1}", .credentials = creds,
		.n_credentials = 2, .compiled = &compiled, .compiled_key = "ck" };
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_CREATED);
	ck_assert_uint_eq(f.results[0].revision, 1);
	fx_ck_feed(&f, "state ep active #1\n+identity ep me knock #1\n+device ep #1\n");
	for (int again = 0; again < 2; again++) {
		char fp[CRYPT_FP_LEN + 1];
		ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
		ck_assert_str_eq(f.device.endpoint, "ep");
		ck_assert_str_eq(f.device.doc, "{\"a\":1}");
		ck_assert_uint_eq(f.device.revision, 1);
		ck_assert_int_eq(f.device.state, STORE_ACTIVE);
		ck_assert(f.device.created_ms > 1600000000000 && f.device.updated_ms == f.device.created_ms);
		ck_assert(secret_equal(&f.device.compiled, &compiled));
		ck_assert_str_eq(f.device.compiled_key, "ck");
		ck_assert_int_eq(f.device.remembered_format, -1);
		ck_assert_int_eq(f.device.last_verdict, BS_VERDICT_NONE);
		ck_assert_uint_eq(f.n_creds, 2);
		ck_assert_str_eq(f.creds[0].slot, STORE_SLOT_BOOTSTRAP);
		ck_assert_str_eq(f.creds[0].owner, "ep");
		ck_assert_str_eq(f.creds[0].identity, "me");
		ck_assert(secret_equal(&f.creds[0].key, &creds[1].key) && !f.creds[0].generated);
		ck_assert_ptr_null(f.creds[1].identity);
		ck_assert(secret_equal(&f.creds[1].key, &creds[0].key) && f.creds[1].generated);
		ck_assert_uint_eq(f.creds[1].revision, 1);
		ck_assert_int_eq(store_sqlite.fingerprint(f.store, &f.creds[0].key, fp, NULL), ERR_OK);
		ck_assert_str_eq(f.creds[0].fingerprint, fp);
		fx_reopen(&f);
		fx_ck_feed(&f, "state ep active #1\n+identity ep me knock #1\n+device ep #1\n");
	}
	ck_assert_int_eq(fx_get(&f, "EP"), ERR_NOT_FOUND);
	ck_assert_str_eq(f.e.msg, "device EP: is not there");
	fx_free(&f);
}
END_TEST

START_TEST(the_same_again_changes_nothing)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{}", "me", "knock"), ERR_OK);
	gbuf_reset(&f.feed);
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{}", "me", "knock"), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	ck_assert_uint_eq(f.results[0].revision, 1);
	fx_ck_feed(&f, "");
	ck_assert_int_eq(fx_history(&f, false, "ep"), ERR_OK);
	fx_ck_names(&f, "1:{}");
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{}", "me", "other"), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UPDATED);
	ck_assert_uint_eq(f.results[0].revision, 2);
	fx_ck_feed(&f, "+identity ep me other #2\n+device ep #2\n");
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{}", "I", "other"), ERR_OK);
	fx_ck_feed(&f, "-identity ep me #3\n+identity ep I other #3\n+device ep #3\n");
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK); /* the credential goes */
	fx_ck_feed(&f, "-identity ep I #4\n+device ep #4\n");
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.n_creds, 0);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 1000, .verdict = -1 }), ERR_OK);
	ck_assert_uint_eq(f.n, 4);
	fx_free(&f);
}
END_TEST

START_TEST(a_compiled_form_makes_no_revision_and_goes_with_a_change)
{
	struct secret one = fx_secret("one"), two = fx_secret("two");

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	store_sqlite.compiled_put(f.store, "ep", 1, &one, "k1");
	store_sqlite.compiled_put(f.store, "ep", 7, &two, "k7"); /* of another revision: dropped */
	store_sqlite.compiled_put(f.store, "nobody", 1, &two, "k");
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert(secret_equal(&f.device.compiled, &one));
	ck_assert_str_eq(f.device.compiled_key, "k1");
	ck_assert_uint_eq(f.device.revision, 1);
	struct store_change c = { .op = STORE_PUT_DEVICE, .name = "ep", .doc = "{}", .compiled = &two, .compiled_key = "k2" };
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert(secret_equal(&f.device.compiled, &two));
	ck_assert_int_eq(fx_put(&f, "ep", "{\"b\":2}"), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.compiled.len, 0);
	ck_assert_ptr_null(f.device.compiled_key);
	fx_free(&f);
}
END_TEST

START_TEST(a_kept_slot_is_put_only_once)
{
	char slot[] = "servers/dm/security/key";
	const char *const keep[] = { slot };
	struct store_credential c = { .slot = slot, .key = fx_secret("first"), .generated = true };
	struct store_change put = { .op = STORE_PUT_DEVICE, .name = "ep", .doc = "{}", .credentials = &c,
		.n_credentials = 1, .keep_slots = keep, .n_keep_slots = 1 };

	fx_fresh(&f);
	ck_assert_int_eq(fx_apply(&f, &put, 1), ERR_OK);
	c.key = fx_secret("second");
	ck_assert_int_eq(fx_apply(&f, &put, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	put.n_credentials = 0; /* kept also when nothing is offered */
	put.doc = "{\"x\":0}";
	ck_assert_int_eq(fx_apply(&f, &put, 1), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.n_creds, 1);
	ck_assert(secret_equal_bytes(&f.creds[0].key, "first", 5));
	ck_assert_uint_eq(f.creds[0].revision, 1);
	put.n_keep_slots = 0;
	ck_assert_int_eq(fx_apply(&f, &put, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UPDATED);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.n_creds, 0);
	fx_free(&f);
}
END_TEST

START_TEST(a_refused_change_names_its_reason)
{
	static const struct {
		struct store_change c;
		enum err_code rc;
		const char *text;
	} rows[] = {
		{ { .op = STORE_PUT_DEVICE, .name = "ep", .doc = "{}", .must_be_new = true }, ERR_EXISTS,
		    "device ep: is there already, revision 1" },
		{ { .op = STORE_PUT_DEVICE, .name = "ep", .doc = "{}", .expect_revision = 9 }, ERR_CONFLICT,
		    "device ep: revision 9 was expected, and it is 1" },
		{ { .op = STORE_PUT_DEVICE, .name = "new", .doc = "{}", .expect_revision = 9 }, ERR_CONFLICT,
		    "device new: revision 9 was expected, and it is not there" },
		{ { .op = STORE_RM_DEVICE, .name = "ep", .expect_revision = 2 }, ERR_CONFLICT,
		    "device ep: revision 2 was expected, and it is 1" },
		{ { .op = STORE_RM_DEVICE, .name = "no" }, ERR_NOT_FOUND, "device no: is not there" },
		{ { .op = STORE_RM_PROFILE, .name = "no" }, ERR_NOT_FOUND, "profile no: is not there" },
		{ { .op = STORE_SET_STATE, .name = "no" }, ERR_NOT_FOUND, "device no: is not there" },
		{ { .op = STORE_SET_STATE, .name = "ep", .state = (enum store_state)3 }, ERR_USAGE,
		    "device ep: state 3: no such state" },
		{ { .op = STORE_PUT_DEVICE, .name = "new" }, ERR_USAGE, "device new: no document" },
		{ { .op = STORE_PUT_PROFILE, .name = "new" }, ERR_USAGE, "profile new: no document" },
		{ { .op = STORE_PUT_DEVICE, .name = "", .doc = "{}" }, ERR_USAGE,
		    "change 1: no such operation, or no name" },
		{ { .op = (enum store_op)99, .name = "a" }, ERR_USAGE, "change 1: no such operation, or no name" },
	};

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	gbuf_reset(&f.feed);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct store_change two[] = {
			{ .op = STORE_PUT_DEVICE, .name = "before", .doc = "{}" },
			rows[i].c,
		};
		ck_assert_int_eq(fx_apply(&f, two, 2), rows[i].rc);
		ck_assert_str_eq(f.e.msg, rows[i].text);
		ck_assert_uint_eq(f.failed_at, 1);
		ck_assert_uint_eq(f.n, 0);
		fx_ck_feed(&f, "");
		ck_assert_int_eq(fx_get(&f, "before"), ERR_NOT_FOUND); /* whole or not at all */
	}
	ck_assert_int_eq(fx_put(&f, "next", "{}"), ERR_OK);
	ck_assert_uint_eq(f.results[0].revision, 2); /* a failed one takes no number */
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.devices, 2);
	ck_assert_uint_eq(f.counts.seq, 2);
	fx_free(&f);
}
END_TEST

START_TEST(one_identity_is_one_device)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put_psk(&f, "a", "{}", "x\n", "k"), ERR_OK);
	ck_assert_int_eq(fx_put_psk(&f, "b", "{}", "x\n", "k"), ERR_EXISTS);
	ck_assert_str_eq(f.e.msg, "device b: identity \"x\\n\" is that of device a");
	ck_assert_int_eq(fx_get(&f, "b"), ERR_NOT_FOUND);
	ck_assert_int_eq(fx_put_psk(&f, "a", "{}", "y", "k"), ERR_OK);
	ck_assert_int_eq(fx_put_psk(&f, "b", "{}", "x\n", "k"), ERR_OK); /* it is free now */

	/* handed on within one batch */
	char slot[] = STORE_SLOT_BOOTSTRAP, x[] = "x\n", z[] = "z";
	struct store_credential zc = { .slot = slot, .identity = z, .key = fx_secret("k") };
	struct store_credential xc = { .slot = slot, .identity = x, .key = fx_secret("k") };
	const struct store_change two[] = {
		{ .op = STORE_PUT_DEVICE, .name = "b", .doc = "{}", .credentials = &zc, .n_credentials = 1 },
		{ .op = STORE_PUT_DEVICE, .name = "c", .doc = "{}", .credentials = &xc, .n_credentials = 1 },
	};
	gbuf_reset(&f.feed);
	ck_assert_int_eq(fx_apply(&f, two, 2), ERR_OK);
	fx_ck_feed(&f, "-identity b x\n #4\n+identity b z k #4\n+device b #4\n"
		"state c active #5\n+identity c x\n k #5\n+device c #5\n");
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_RM_DEVICE, .name = "b" }, 1), ERR_OK);
	ck_assert_int_eq(fx_put_psk(&f, "d", "{}", "z", "k"), ERR_OK); /* free with its device */
	fx_free(&f);
}
END_TEST

START_TEST(a_slot_named_twice_is_refused)
{
	char slot[] = "s";
	const struct store_credential two[] = { { .slot = slot, .key = fx_secret("a") },
		{ .slot = slot, .key = fx_secret("b") } };

	fx_fresh(&f);
	struct store_change c = { .op = STORE_PUT_DEVICE, .name = "ep", .doc = "{}", .credentials = two, .n_credentials = 2 };
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_USAGE);
	ck_assert_str_eq(f.e.msg, "device ep: credential 1: its slot is missing or named twice");
	fx_free(&f);
}
END_TEST

START_TEST(a_removed_device_leaves_nothing_but_its_audit)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{}", "me", "k"), ERR_OK);
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{\"v\":2}", "me", "k"), ERR_OK);
	struct bs_record r = { .id = 5, .endpoint = strdup("ep"), .verdict = BS_VERDICT_PROVISIONED, .used_format = -1 };
	ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
	bs_record_clear(&r);
	gbuf_reset(&f.feed);
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_RM_DEVICE, .name = "ep" }, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_REMOVED);
	ck_assert_uint_eq(f.results[0].revision, 3);
	fx_ck_feed(&f, "-identity ep me #3\n-device ep #3\n");
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_NOT_FOUND);
	ck_assert_int_eq(fx_session_get(&f, 5, NULL), ERR_NOT_FOUND);
	ck_assert_str_eq(f.e.msg, "session 5: is not there");
	ck_assert_int_eq(fx_history(&f, false, "ep"), ERR_NOT_FOUND);
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.devices, 0);
	ck_assert_uint_eq(f.counts.sessions, 0);
	for (int v = 0; v < BS_VERDICT__COUNT; v++)
		ck_assert_uint_eq(f.counts.by_verdict[v], 0);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_CREATED);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.n_creds, 0);
	ck_assert_uint_eq(f.device.last_session, 0);
	fx_free(&f);
}
END_TEST

START_TEST(states_are_kept_told_and_audited)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	gbuf_reset(&f.feed);
	struct store_change c = { .op = STORE_SET_STATE, .name = "ep", .state = STORE_BLOCKED };
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UPDATED);
	ck_assert_uint_eq(f.results[0].revision, 1); /* of its document */
	fx_ck_feed(&f, "state ep blocked #2\n");
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	fx_ck_feed(&f, "");
	ck_assert_int_eq(fx_put(&f, "ep", "{\"x\":1}"), ERR_OK); /* a new document does not unblock */
	fx_reopen(&f);
	fx_ck_feed(&f, "state ep blocked #3\n+device ep #3\n");
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_int_eq(f.device.state, STORE_BLOCKED);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 10, .verdict = -1 }), ERR_OK);
	fx_ck_names(&f, "3,tester,device.update,ep,-,because 2,tester,device.state,ep,active to blocked,because "
		 "1,tester,device.create,ep,-,because");
	fx_free(&f);
}
END_TEST

START_TEST(profiles_have_revisions)
{
	char slot[] = "servers/dm/security/key";
	struct store_credential key = { .slot = slot, .key = fx_secret("shared") };
	struct store_change c = { .op = STORE_PUT_PROFILE, .name = "base", .doc = "{\"v\":1}", .credentials = &key,
		.n_credentials = 1 };

	fx_fresh(&f);
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	fx_ck_feed(&f, "+profile base {\"v\":1} r1 servers/dm/security/key=shared #1\n");
	ck_assert_int_eq(fx_put_psk(&f, "base", "{}", "me", "k"), ERR_OK); /* a device of the same name is another thing */
	gbuf_reset(&f.feed);
	c.doc = "{\"v\":2}";
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	fx_ck_feed(&f, "+profile base {\"v\":2} r3 servers/dm/security/key=shared #3\n");
	ck_assert_int_eq(fx_history(&f, true, "base"), ERR_OK);
	fx_ck_names(&f, "3:{\"v\":2} 1:{\"v\":1}");
	ck_assert_int_eq(fx_profile_get(&f, "base"), ERR_OK);
	ck_assert_str_eq(f.profile.doc, "{\"v\":2}");
	ck_assert_uint_eq(f.profile.revision, 3);
	ck_assert_uint_eq(f.n_creds, 1);
	ck_assert(secret_equal_bytes(&f.creds[0].key, "shared", 6));
	ck_assert_int_eq(fx_get(&f, "base"), ERR_OK);
	ck_assert_uint_eq(f.n_creds, 1);
	ck_assert(secret_equal_bytes(&f.creds[0].key, "k", 1));
	ck_assert_int_eq(fx_profile_get(&f, "none"), ERR_NOT_FOUND);
	ck_assert_int_eq(fx_history(&f, true, "none"), ERR_NOT_FOUND);
	ck_assert_str_eq(f.e.msg, "none: is not there");
	fx_reopen(&f);
	fx_ck_feed(&f, "+profile base {\"v\":2} r3 servers/dm/security/key=shared #3\nstate base active #3\n+identity base me k #3\n+device base #3\n");
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_RM_PROFILE, .name = "base" }, 1), ERR_OK);
	fx_ck_feed(&f, "-profile base #4\n");
	ck_assert_int_eq(fx_get(&f, "base"), ERR_OK);
	ck_assert_uint_eq(f.n_creds, 1);
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.profiles, 0);
	fx_free(&f);
}
END_TEST

START_TEST(history_is_bounded)
{
	char doc[32];

	fx_fresh(&f);
	for (int i = 1; i <= 60; i++) {
		(void)snprintf(doc, sizeof doc, "{\"v\":%d}", i);
		ck_assert_int_eq(fx_put(&f, "ep", doc), ERR_OK);
	}
	ck_assert_int_eq(fx_history(&f, false, "ep"), ERR_OK);
	ck_assert_uint_eq(f.n, 50);
	ck_assert_int_eq(strncmp(gbuf_cstr(&f.names), "60:{\"v\":60} 59:", 15), 0);
	fx_free(&f);
}
END_TEST

START_TEST(devices_are_listed_by_page)
{
	static const struct {
		struct store_page p;
		const char *names;
		bool more;
	} rows[] = {
		{ { .limit = 100 }, "A a* a1 a10 a2 b b\xc3\xa9", false },
		{ { .limit = 2 }, "A a*", true },
		{ { .limit = 2, .after = "a*" }, "a1 a10", true },
		{ { .limit = 4, .after = "a10" }, "a2 b b\xc3\xa9", false },
		{ { .limit = 3, .after = "a10" }, "a2 b b\xc3\xa9", false },
		{ { .limit = 5, .after = "zzz" }, "", false },
		{ { .limit = 5, .after = "a11" }, "a2 b b\xc3\xa9", false },
		{ { .limit = 9, .glob = "a*" }, "a* a1 a10 a2", false },
		{ { .limit = 9, .glob = "a?" }, "a* a1 a2", false },
		{ { .limit = 9, .glob = "*0" }, "a10", false },
		{ { .limit = 9, .glob = "b" }, "b", false },
		{ { .limit = 9, .glob = "b", .after = "b" }, "", false },
		{ { .limit = 9, .glob = "a*", .after = "a1" }, "a10 a2", false },
		{ { .limit = 9, .glob = "a1*", .after = "A" }, "a1 a10", false },
		{ { .limit = 1, .glob = "a1*" }, "a1", true },
		{ { .limit = 9, .glob = "nothing*" }, "", false },
		{ { .limit = 9, .profile = "base" }, "a1 a10 b", false },
		{ { .limit = 9, .profile = "base", .glob = "a*" }, "a1 a10", false },
		{ { .limit = 1, .profile = "base", .after = "a10" }, "b", false },
		{ { .limit = 9, .profile = "bas" }, "", false },
		{ { .limit = 9, .profile = "eu" }, "b", false },
		{ { .limit = 0 }, "A a* a1 a10 a2 b b\xc3\xa9", false },
		{ { .limit = 4000000000 }, "A a* a1 a10 a2 b b\xc3\xa9", false },
	};

	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "b", "{\"extends\":[\"eu\",\"base\"]}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "a1", "{\"extends\":\"base\"}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "a10", "{\"extends\":\"base\"}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "a2", "{\"extends\":\"xbase\"}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "A", "not json"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "a*", "{\"extends\":null}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "b\xc3\xa9", "{\"extends\":{\"x\":1}}"), ERR_OK);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct store_page p = rows[i].p;
		p.verdict = -1;
		ck_assert_int_eq(fx_devices(&f, p), ERR_OK);
		ck_assert_msg(strcmp(gbuf_cstr(&f.names), rows[i].names) == 0 && f.more == rows[i].more,
		    "row %zu: \"%s\"", i, gbuf_cstr(&f.names));
	}
	fx_free(&f);
}
END_TEST

START_TEST(profiles_are_listed_by_page)
{
	static const char *const names[] = { "c", "a", "b", "ab" };

	fx_fresh(&f);
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		struct store_change c = { .op = STORE_PUT_PROFILE, .name = names[i], .doc = "{}" };
		ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	}
	ck_assert_int_eq(fx_profiles(&f, (struct store_page){ .limit = 3, .verdict = -1 }), ERR_OK);
	fx_ck_names(&f, "a ab b");
	ck_assert(f.more);
	ck_assert_int_eq(fx_profiles(&f, (struct store_page){ .limit = 3, .after = "b", .verdict = -1 }), ERR_OK);
	fx_ck_names(&f, "c");
	ck_assert_int_eq(fx_profiles(&f, (struct store_page){ .limit = 9, .glob = "a*", .verdict = -1 }), ERR_OK);
	fx_ck_names(&f, "a ab");
	fx_free(&f);
}
END_TEST

START_TEST(the_audit_trail_says_who_what_and_why)
{
	char fp[CRYPT_FP_LEN + 1], want[512];
	struct secret key = fx_secret("k");

	fx_fresh(&f);
	ck_assert_int_eq(fx_put_psk(&f, "ep", "{}", "me", "k"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_PUT_PROFILE, .name = "p", .doc = "{}" }, 1), ERR_OK);
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_RM_PROFILE, .name = "p" }, 1), ERR_OK);
	ck_assert_int_eq(store_sqlite.fingerprint(f.store, &key, fp, NULL), ERR_OK);
	(void)snprintf(want, sizeof want,
	    "2,tester,device.update,ep,credentials " STORE_SLOT_BOOTSTRAP "=removed,because "
	    "1,tester,device.create,ep,credentials " STORE_SLOT_BOOTSTRAP "=%s,because", fp);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 9, .glob = "e*" }), ERR_OK);
	fx_ck_names(&f, want);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 1, .before_id = 4 }), ERR_OK);
	fx_ck_names(&f, "3,tester,profile.create,p,-,because");
	ck_assert(f.more);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 9, .since_ms = INT64_MAX }), ERR_OK);
	fx_ck_names(&f, "");
	fx_free(&f);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_is_put_comes_back, 0),
	UNIT_CASE(the_same_again_changes_nothing, 0),
	UNIT_CASE(a_compiled_form_makes_no_revision_and_goes_with_a_change, 0),
	UNIT_CASE(a_kept_slot_is_put_only_once, 0),
	UNIT_CASE(a_refused_change_names_its_reason, 0),
	UNIT_CASE(one_identity_is_one_device, 0),
	UNIT_CASE(a_slot_named_twice_is_refused, 0),
	UNIT_CASE(a_removed_device_leaves_nothing_but_its_audit, 0),
	UNIT_CASE(states_are_kept_told_and_audited, 0),
	UNIT_CASE(profiles_have_revisions, 0),
	UNIT_CASE(history_is_bounded, 0),
	UNIT_CASE(devices_are_listed_by_page, 0),
	UNIT_CASE(profiles_are_listed_by_page, 0),
	UNIT_CASE(the_audit_trail_says_who_what_and_why, 0),
};

UNIT_SUITE_MAIN("store", cases)
