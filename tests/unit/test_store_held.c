/* What sessions leave: the history of what devices held, and wishes, until they are fulfilled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/store/sqlite_db.h"
#include "lib/base/clock.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

static struct fx f;

static void
open_fresh(void)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
}

static uint64_t same_wrote; /* of the next ones */

/* One session of "ep" with what it left. */
static enum err_code
leave(uint64_t id, enum bs_verdict v, uint64_t revision, const char *values, const char *wrote)
{
	char endpoint[] = "ep";
	struct bs_record r = { .id = id, .endpoint = endpoint, .verdict = v, .used_format = -1, .revision = revision,
		.started_ms = (int64_t)id * 10, .ended_ms = (int64_t)id * 10 + 5 };
	struct secret desired = fx_secret(wrote);
	struct store_outcome o = { .links = "</1/0>;ssid=1", .values = values, .read = 6, .findings = "[]",
		.likeness = (uint64_t)values[0], .expiries = "1=99", .wrote = &desired, .same_wrote = same_wrote };

	return fx_outcome_put(&f, &r, &o);
}

START_TEST(what_a_session_left_comes_back_whole)
{
	char endpoint[] = "ep", profile[] = "base", fingerprints[] = "dm=00ff";
	struct bs_record r = { .id = 7, .endpoint = endpoint, .profile = profile, .fingerprints = fingerprints,
		.verdict = BS_VERDICT_WRITTEN, .used_format = -1, .revision = 3, .started_ms = 10, .ended_ms = 20 };
	struct secret desired = fx_secret("desired, with keys");
	const struct store_outcome o = { .links = "</1>", .values = "[]", .read = 2, .likeness = UINT64_MAX,
		.expiries = "101=5", .placed = "11/0=4", .findings = "[1]", .restored = true, .wrote = &desired };

	open_fresh();
	ck_assert_int_eq(fx_outcome_put(&f, &r, &o), ERR_OK);
	fx_reopen(&f);
	ck_assert_int_eq(fx_held(&f, "ep", 7), ERR_OK);
	const struct store_held *h = &f.held;
	ck_assert(h->session == 7 && h->last_session == 7 && h->revision == 3 && h->good && h->restored);
	ck_assert(h->at_ms == 20 && h->started_ms == 10 && h->last_ms == 20 && h->read == 2 && h->likeness == UINT64_MAX);
	ck_assert_str_eq(h->profile, "base");
	ck_assert_str_eq(h->fingerprints, "dm=00ff");
	ck_assert_str_eq(h->links, "</1>");
	ck_assert_str_eq(h->values, "[]");
	ck_assert_str_eq(h->expiries, "101=5");
	ck_assert_str_eq(h->placed, "11/0=4");
	ck_assert_str_eq(h->findings, "[1]");
	ck_assert(secret_equal(&h->wrote, &desired));
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.held.session, 7);
	ck_assert(secret_equal(&f.device.held.wrote, &desired));
	ck_assert_uint_eq(f.device.restore.session, 0);
	ck_assert_int_eq(fx_held(&f, "ep", 8), ERR_NOT_FOUND);
	ck_assert_str_eq(f.e.msg, "session 8: what it left is not kept");
	ck_assert_int_eq(fx_held(&f, "nobody", 7), ERR_NOT_FOUND);
	ck_assert_str_eq(f.e.msg, "device nobody: is not there");
	fx_free(&f);
}
END_TEST

START_TEST(keys_that_were_written_are_sealed)
{
	struct sq_db db;
	int64_t n;

	open_fresh();
	ck_assert_int_eq(leave(1, BS_VERDICT_PROVISIONED, 1, "a", "the-secret-key"), ERR_OK);
	ck_assert_int_eq(leave(2, BS_VERDICT_PROVISIONED, 2, "a", "the-other-key"), ERR_OK);
	fx_close(&f);
	ck_assert_int_eq(sq_open(&db, f.path, 1024, NULL), ERR_OK);
	ck_assert_int_eq(sq_number(&db, "SELECT count(*) FROM held WHERE instr(wrote, 'key') > 0", &n, NULL), ERR_OK);
	ck_assert_int_eq(n, 0);
	/* bound to its session: one in the place of the other is refused */
	ck_assert_int_eq(sq_exec(&db, "UPDATE held SET wrote = (SELECT wrote FROM held WHERE session = 1)"
		" WHERE session = 2", NULL), ERR_OK);
	sq_close(&db);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_held(&f, "ep", 1), ERR_OK);
	ck_assert_int_ne(fx_held(&f, "ep", 2), ERR_OK);
	ck_assert_ptr_nonnull(strstr(f.e.msg, "store: held of ep, 2"));
	fx_close(&f);
	ck_assert_int_eq(remove(f.key_file), 0);
	ck_assert_int_eq(store_key_create(f.key_file, NULL), ERR_OK);
	ck_assert_int_eq(fx_open(&f), ERR_REFUSED); /* though no credential is kept */
	fx_free(&f);
}
END_TEST

START_TEST(sessions_that_left_the_same_share_one)
{
	open_fresh();
	ck_assert_int_eq(leave(1, BS_VERDICT_PROVISIONED, 1, "a1", "w"), ERR_OK);
	ck_assert_int_eq(leave(2, BS_VERDICT_PROVISIONED, 1, "a2", "w"), ERR_OK);
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "1-2:a2");
	ck_assert_int_eq(fx_held(&f, "ep", 2), ERR_OK);
	ck_assert(f.held.session == 1 && f.held.at_ms == 15 && f.held.started_ms == 20 && f.held.last_ms == 25);
	ck_assert_int_eq(leave(3, BS_VERDICT_PROVISIONED, 1, "b", "w"), ERR_OK); /* held something else */
	ck_assert_int_eq(leave(4, BS_VERDICT_PROVISIONED, 2, "b", "w"), ERR_OK); /* another revision */
	ck_assert_int_eq(leave(5, BS_VERDICT_PROVISIONED, 2, "b", "x"), ERR_OK); /* other keys */
	ck_assert_int_eq(leave(6, BS_VERDICT_PROVISIONED, 2, "b", "x"), ERR_OK);
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "5-6:b 4-4:b 3-3:b 1-2:a2");
	fx_free(&f);
}
END_TEST

/* What is known to be the same beforehand goes a shorter way; the outcome is that of the longer one. */
START_TEST(what_is_known_to_be_the_same_is_compared_all_the_same)
{
	open_fresh();
	ck_assert_int_eq(leave(1, BS_VERDICT_PROVISIONED, 1, "a1", "w"), ERR_OK);
	same_wrote = 1;
	ck_assert_int_eq(leave(2, BS_VERDICT_PROVISIONED, 1, "a2", "w"), ERR_OK);
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "1-2:a2");
	ck_assert_int_eq(leave(3, BS_VERDICT_FAILED, 1, "half", "w"), ERR_OK);
	ck_assert_int_eq(leave(4, BS_VERDICT_PROVISIONED, 1, "a4", "w"), ERR_OK);
	ck_assert_int_eq(fx_held(&f, "ep", 4), ERR_OK);
	ck_assert(f.held.session == 1 && f.held.at_ms == 15 && f.held.started_ms == 40 && f.held.last_ms == 45);
	ck_assert_int_eq(leave(5, BS_VERDICT_PROVISIONED, 1, "b", "w"), ERR_OK); /* held something else */
	same_wrote = 5;
	ck_assert_int_eq(leave(6, BS_VERDICT_PROVISIONED, 2, "b", "w"), ERR_OK); /* another revision */
	ck_assert_int_eq(leave(7, BS_VERDICT_PROVISIONED, 2, "b", "w"), ERR_OK); /* 5 is the newest no more */
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "6-7:b 5-5:b 1-4:a4");
	fx_free(&f);
}
END_TEST

START_TEST(a_failed_session_leaves_what_it_saw_until_the_next)
{
	open_fresh();
	ck_assert_int_eq(leave(1, BS_VERDICT_PROVISIONED, 1, "a", "w"), ERR_OK);
	ck_assert_int_eq(leave(2, BS_VERDICT_FAILED, 1, "half", "w"), ERR_OK);
	ck_assert_int_eq(leave(3, BS_VERDICT_FAILED, 1, "worse", "w"), ERR_OK);
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "3-3:worse! 1-1:a");
	ck_assert_int_eq(fx_held(&f, "ep", 0), ERR_OK);
	ck_assert_str_eq(f.held.values, "worse");
	ck_assert(!f.held.good);
	ck_assert_int_eq(fx_held(&f, "ep", 3), ERR_NOT_FOUND); /* nothing to come back to */
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_str_eq(f.device.held.values, "a");
	ck_assert_int_eq(leave(4, BS_VERDICT_PROVISIONED, 1, "a", "w"), ERR_OK);
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "1-4:a");
	ck_assert_int_eq(fx_held(&f, "ep", 0), ERR_OK);
	ck_assert_str_eq(f.held.values, "a");
	fx_free(&f);
}
END_TEST

START_TEST(a_record_that_comes_late_moves_nothing)
{
	open_fresh();
	ck_assert_int_eq(leave(5, BS_VERDICT_PROVISIONED, 2, "new", "w"), ERR_OK);
	ck_assert_int_eq(leave(4, BS_VERDICT_PROVISIONED, 1, "old", "w"), ERR_OK);
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "5-5:new");
	fx_free(&f);
}
END_TEST

static enum err_code
wish(enum store_wish_kind kind, const struct store_wish *w)
{
	return fx_apply(&f, &(struct store_change){ .op = STORE_SET_WISH, .name = "ep", .wish_kind = kind, .wish = w }, 1);
}

static enum err_code
wish_back_to(uint64_t session)
{
	return wish(STORE_WISH_ROLLBACK, &(struct store_wish){ .session = session });
}

START_TEST(the_history_is_bounded_but_for_what_is_wanted_back)
{
	char values[] = "a";

	fx_init(&f);
	f.conf.max_held = 3;
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "ep", "{}"), ERR_OK);
	for (uint64_t i = 1; i <= 5; i++, values[0]++)
		ck_assert_int_eq(leave(i, BS_VERDICT_PROVISIONED, 1, values, "w"), ERR_OK);
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "5-5:e 4-4:d 3-3:c");
	ck_assert_int_eq(wish_back_to(3), ERR_OK);
	ck_assert_int_eq(leave(6, BS_VERDICT_PROVISIONED, 1, "f", "w"), ERR_OK);
	ck_assert_int_eq(leave(7, BS_VERDICT_PROVISIONED, 1, "g", "w"), ERR_OK);
	ck_assert_int_eq(fx_held_list(&f, "ep"), ERR_OK);
	fx_ck_names(&f, "7-7:g 6-6:f 5-5:e 3-3:c");
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.restore.session, 3);
	ck_assert_uint_gt(f.device.restore.wrote.len, 0);
	fx_free(&f);
}
END_TEST

/* A session that was about these wishes. */
static enum err_code
fulfil(uint64_t id, enum bs_verdict v, uint64_t rollback, uint64_t handover)
{
	char endpoint[] = "ep";
	struct bs_record r = { .id = id, .endpoint = endpoint, .verdict = v, .used_format = -1, .revision = 1 };
	struct store_outcome o = { .links = "</1>", .wanted_revision = 44 };

	o.fulfilled[STORE_WISH_ROLLBACK] = rollback;
	o.fulfilled[STORE_WISH_HANDOVER] = handover;
	return fx_outcome_put(&f, &r, &o);
}

START_TEST(a_wish_goes_only_when_a_session_has_fulfilled_it)
{
	char profile[] = "next";
	const struct store_wish next = { .profile = profile };
	const struct store_wish *w = f.device.wishes;

	open_fresh();
	ck_assert_int_eq(leave(1, BS_VERDICT_PROVISIONED, 1, "a", "w"), ERR_OK);
	ck_assert_int_eq(leave(2, BS_VERDICT_PROVISIONED, 1, "a", "w"), ERR_OK);
	ck_assert_int_eq(wish_back_to(2), ERR_OK);
	ck_assert_int_eq(wish(STORE_WISH_HANDOVER, &next), ERR_OK);
	fx_reopen(&f);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	uint64_t rollback = w[STORE_WISH_ROLLBACK].number, back = w[STORE_WISH_HANDOVER].number;
	ck_assert(rollback > 0 && back > rollback);
	ck_assert_uint_eq(w[STORE_WISH_ROLLBACK].session, 1); /* the first of those that left it */
	ck_assert_str_eq(w[STORE_WISH_ROLLBACK].actor, "tester");
	ck_assert_str_eq(w[STORE_WISH_HANDOVER].profile, "next");
	ck_assert_int_eq(fulfil(3, BS_VERDICT_FAILED, rollback, back), ERR_OK);
	ck_assert_int_eq(fulfil(4, BS_VERDICT_CANCELLED, rollback, back), ERR_OK);
	ck_assert_int_eq(fulfil(5, BS_VERDICT_PROVISIONED, rollback - 1, back - 1), ERR_OK); /* older wishes */
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert(w[STORE_WISH_ROLLBACK].number == rollback && w[STORE_WISH_HANDOVER].number == back);
	ck_assert_uint_eq(w[STORE_WISH_ROLLBACK].done_session, 0);
	ck_assert_int_eq(fulfil(6, BS_VERDICT_PROVISIONED, rollback, back), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(w[STORE_WISH_HANDOVER].number, 0);
	ck_assert_uint_eq(w[STORE_WISH_ROLLBACK].number, rollback); /* it stays as what is in force */
	ck_assert_uint_eq(w[STORE_WISH_ROLLBACK].done_session, 6);
	ck_assert_uint_eq(w[STORE_WISH_ROLLBACK].done_revision, 44);
	fx_free(&f);
}
END_TEST

START_TEST(wishes_are_checked_taken_back_and_audited)
{
	char profile[] = "next";

	open_fresh();
	ck_assert_int_eq(wish_back_to(1), ERR_NOT_FOUND);
	ck_assert_str_eq(f.e.msg, "device ep: session 1: what it left is not kept");
	ck_assert_int_eq(leave(1, BS_VERDICT_PROVISIONED, 1, "a", "w"), ERR_OK);
	ck_assert_int_eq(wish(STORE_WISH_ROLLBACK, NULL), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	ck_assert_int_eq(wish(STORE_WISH_ROLLBACK, &(struct store_wish){ .session = 1, .with_credentials = true }), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UPDATED);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert(f.device.wishes[STORE_WISH_ROLLBACK].with_credentials);
	ck_assert_int_eq(wish(STORE_WISH_ROLLBACK, NULL), ERR_OK);
	ck_assert_int_eq(wish(STORE_WISH_HANDOVER, &(struct store_wish){ .profile = profile }), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.wishes[STORE_WISH_ROLLBACK].number, 0);
	ck_assert_int_eq(wish(STORE_WISH__COUNT, NULL), ERR_USAGE);
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_SET_WISH, .name = "nobody" }, 1), ERR_NOT_FOUND);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 3 }), ERR_OK);
	fx_ck_names(&f, "4,tester,device.handover,ep,to profile next,because"
		 " 3,tester,device.rollback,ep,taken back,because"
		 " 2,tester,device.rollback,ep,to session 1 with its credentials,because");
	fx_free(&f);
}
END_TEST

START_TEST(a_device_that_goes_takes_all_along)
{
	struct sq_db db;
	int64_t n;

	open_fresh();
	ck_assert_int_eq(leave(1, BS_VERDICT_PROVISIONED, 1, "a", "w"), ERR_OK);
	ck_assert_int_eq(leave(2, BS_VERDICT_FAILED, 1, "b", "w"), ERR_OK);
	ck_assert_int_eq(wish_back_to(1), ERR_OK);
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_RM_DEVICE, .name = "ep" }, 1), ERR_OK);
	fx_close(&f);
	ck_assert_int_eq(sq_open(&db, f.path, 1024, NULL), ERR_OK);
	ck_assert_int_eq(sq_number(&db, "SELECT (SELECT count(*) FROM held) + (SELECT count(*) FROM wish)", &n, NULL), ERR_OK);
	ck_assert_int_eq(n, 0);
	sq_close(&db);
	fx_free(&f);
}
END_TEST

/* ---- keys that were withdrawn ---- */

static enum err_code
put_keys(enum store_op op, const char *name, const char *slot, const char *key)
{
	char slots[2][32], words[2][32];
	struct store_credential c[2] = { { .slot = slots[0] }, { .slot = slots[1] } };
	size_t n = 0;

	/* "dm fota" and "k1 k2": two slots with a key each */
	char at[64], kat[64], *save, *ksave;
	(void)snprintf(at, sizeof at, "%s", slot);
	(void)snprintf(kat, sizeof kat, "%s", key);
	for (char *s = strtok_r(at, " ", &save), *k = strtok_r(kat, " ", &ksave); s != NULL && k != NULL && n < 2;
	     s = strtok_r(NULL, " ", &save), k = strtok_r(NULL, " ", &ksave), n++) {
		(void)snprintf(slots[n], sizeof slots[n], "servers/%s/security/key", s);
		(void)snprintf(words[n], sizeof words[n], "%s", k);
		c[n].key = fx_secret(words[n]);
	}
	char doc[128];
	(void)snprintf(doc, sizeof doc, "{\"x_\":\"%s %s\"}", slot, key);
	return fx_apply(&f, &(struct store_change){ .op = op, .name = name, .doc = doc, .credentials = c,
	    .n_credentials = n }, 1);
}

/* A session that wrote these keys; *h: what it left, as it is known now. */
static const struct store_held *
wrote_keys(const char *keys)
{
	static uint64_t count;
	const uint64_t id = ++count;
	char endpoint[] = "ep", fingerprints[256] = "", fp[CRYPT_FP_LEN + 1];
	struct bs_record r = { .id = 1000 + id, .endpoint = endpoint, .fingerprints = fingerprints,
		.verdict = BS_VERDICT_PROVISIONED, .used_format = -1, .revision = id, .started_ms = 1, .ended_ms = 2 };
	struct secret desired = fx_secret("w");
	const struct store_outcome o = { .links = "</1>", .likeness = id, .wrote = &desired };

	char at[64], *save;
	(void)snprintf(at, sizeof at, "%s", keys);
	for (char *k = strtok_r(at, " ", &save); k != NULL; k = strtok_r(NULL, " ", &save)) {
		struct secret key = fx_secret(k);
		ck_assert_int_eq(store_sqlite.fingerprint(f.store, &key, fp, NULL), ERR_OK);
		(void)snprintf(fingerprints + strlen(fingerprints), sizeof fingerprints - strlen(fingerprints), "%sx=%s",
		    fingerprints[0] == 0 ? "" : " ", fp);
	}
	ck_assert_int_eq(fx_outcome_put(&f, &r, &o), ERR_OK);
	ck_assert_int_eq(fx_held(&f, "ep", r.id), ERR_OK);
	return &f.held;
}

/* clang-format off */
static const struct {
	const char *what, *keys; /* of the session that is looked at */
	struct { enum store_op op; const char *name, *slots, *keys; } changes[4];
	enum store_withdrawal why;
	const char *slot, *owner;
} withdrawals[] = {
	{ "nothing happened since", "k1", { { STORE_PUT_DEVICE, "ep", "dm", "k1" } }, STORE_KEY_IN_FORCE, NULL, NULL },
	{ "a key that was never in a document", "k9", { { STORE_PUT_DEVICE, "ep", "dm", "k1" } }, STORE_KEY_IN_FORCE, NULL, NULL },
	{ "replaced", "k1", { { STORE_PUT_DEVICE, "ep", "dm", "k1" }, { STORE_PUT_DEVICE, "ep", "dm", "k2" } },
	  STORE_KEY_REPLACED, "servers/dm/security/key", "ep" },
	{ "replaced, and replaced back", "k1", { { STORE_PUT_DEVICE, "ep", "dm", "k1" }, { STORE_PUT_DEVICE, "ep", "dm", "k2" },
	  { STORE_PUT_DEVICE, "ep", "dm", "k1" } }, STORE_KEY_IN_FORCE, NULL, NULL },
	{ "and the other one is out now", "k2", { { STORE_PUT_DEVICE, "ep", "dm", "k1" }, { STORE_PUT_DEVICE, "ep", "dm", "k2" },
	  { STORE_PUT_DEVICE, "ep", "dm", "k1" } }, STORE_KEY_REPLACED, "servers/dm/security/key", "ep" },
	{ "removed", "k1", { { STORE_PUT_DEVICE, "ep", "dm", "k1" }, { STORE_PUT_DEVICE, "ep", "", "" } },
	  STORE_KEY_REMOVED, "servers/dm/security/key", "ep" },
	{ "removed is graver than replaced", "k1 k2", { { STORE_PUT_DEVICE, "ep", "dm fota", "k1 k2" },
	  { STORE_PUT_DEVICE, "ep", "dm fota", "k3 k2" }, { STORE_PUT_DEVICE, "ep", "dm", "k3" } },
	  STORE_KEY_REMOVED, "servers/fota/security/key", "ep" },
	{ "the same key under another name", "k1", { { STORE_PUT_DEVICE, "ep", "dm", "k1" }, { STORE_PUT_DEVICE, "ep", "lwm2m", "k1" } },
	  STORE_KEY_IN_FORCE, NULL, NULL },
	{ "moved into a shared profile", "k1", { { STORE_PUT_DEVICE, "ep", "dm", "k1" }, { STORE_PUT_DEVICE, "ep", "", "" },
	  { STORE_PUT_PROFILE, "base", "dm", "k1" } }, STORE_KEY_IN_FORCE, NULL, NULL },
	{ "replaced in a shared profile", "k1", { { STORE_PUT_PROFILE, "base", "dm", "k1" }, { STORE_PUT_PROFILE, "base", "dm", "k2" } },
	  STORE_KEY_REPLACED, "servers/dm/security/key", "base" },
	{ "a shared profile is gone", "k1", { { STORE_PUT_PROFILE, "base", "dm", "k1" }, { STORE_RM_PROFILE, "base", "", "" } },
	  STORE_KEY_REMOVED, "servers/dm/security/key", "base" },
	{ "another device's affair", "k1", { { STORE_PUT_DEVICE, "other", "dm", "k1" }, { STORE_PUT_DEVICE, "other", "dm", "k2" } },
	  STORE_KEY_IN_FORCE, NULL, NULL },
};
/* clang-format on */

START_TEST(keys_that_are_in_force_no_more_are_known)
{
	open_fresh();
	for (size_t i = 0; i < N_ELEMS(withdrawals[_i].changes) && withdrawals[_i].changes[i].name != NULL; i++)
		ck_assert_msg(put_keys(withdrawals[_i].changes[i].op, withdrawals[_i].changes[i].name,
			withdrawals[_i].changes[i].slots, withdrawals[_i].changes[i].keys) == ERR_OK, "%s", f.e.msg);
	fx_reopen(&f);
	const struct store_withdrawn *w = &wrote_keys(withdrawals[_i].keys)->withdrawn;
	ck_assert_msg(w->why == withdrawals[_i].why, "%s: %s", withdrawals[_i].what, store_withdrawal_name(w->why));
	if (w->why == STORE_KEY_IN_FORCE) {
		ck_assert_ptr_null(w->slot);
	} else {
		ck_assert_str_eq(w->slot, withdrawals[_i].slot);
		ck_assert_str_eq(w->owner, withdrawals[_i].owner);
		ck_assert_str_eq(w->actor, "tester");
		ck_assert(w->number > 1 && w->at_ms > 0);
	}
	fx_free(&f);
}
END_TEST

START_TEST(what_is_restored_comes_with_the_withdrawal)
{
	open_fresh();
	ck_assert_int_eq(put_keys(STORE_PUT_DEVICE, "ep", "dm", "k1"), ERR_OK);
	uint64_t session = wrote_keys("k1")->session;
	ck_assert_int_eq(wish_back_to(session), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_int_eq(f.device.restore.withdrawn.why, STORE_KEY_IN_FORCE);
	ck_assert_int_eq(put_keys(STORE_PUT_DEVICE, "ep", "dm", "k2"), ERR_OK);
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_int_eq(f.device.restore.withdrawn.why, STORE_KEY_REPLACED);
	ck_assert_uint_gt(f.device.restore.withdrawn.number, f.device.wishes[STORE_WISH_ROLLBACK].number);
	fx_free(&f);
}
END_TEST

START_TEST(withdrawn_keys_are_bounded_and_go_with_their_device)
{
	struct sq_db db;
	int64_t n;
	char key[16];

	open_fresh();
	for (int i = 0; i < 300; i++) {
		(void)snprintf(key, sizeof key, "k%d", i);
		ck_assert_int_eq(put_keys(STORE_PUT_DEVICE, "ep", "dm", key), ERR_OK);
	}
	ck_assert_int_eq(wrote_keys("k1")->withdrawn.why, STORE_KEY_IN_FORCE); /* long ago */
	ck_assert_int_eq(wrote_keys("k298")->withdrawn.why, STORE_KEY_REPLACED);
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_RM_DEVICE, .name = "ep" }, 1), ERR_OK);
	fx_close(&f);
	ck_assert_int_eq(sq_open(&db, f.path, 1024, NULL), ERR_OK);
	ck_assert_int_eq(sq_number(&db, "SELECT count(*) FROM withdrawn", &n, NULL), ERR_OK);
	ck_assert_int_eq(n, 0);
	sq_close(&db);
	fx_free(&f);
}
END_TEST

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

START_TEST(revoked_certificates_are_kept_and_told)
{
	const struct store_change c = { .op = STORE_REVOKE, .name = DIGEST, .detail = "says so" };

	open_fresh();
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_CREATED);
	ck_assert_ptr_nonnull(strstr(gbuf_cstr(&f.feed), "revoked " DIGEST));
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	ck_assert_int_eq(f.results[0].kind, STORE_UNCHANGED);
	ck_assert_int_eq(fx_audit(&f, (struct store_page){ .limit = 1 }), ERR_OK);
	fx_ck_names(&f, "2,tester,certificate.revoke," DIGEST ",says so,because");
	fx_reopen(&f);
	ck_assert_ptr_nonnull(strstr(gbuf_cstr(&f.feed), "revoked " DIGEST));
	ck_assert_int_eq(fx_apply(&f, &(struct store_change){ .op = STORE_REVOKE, .name = "xyz" }, 1), ERR_USAGE);
	fx_free(&f);
}
END_TEST

START_TEST(sessions_of_today_that_ended_well_are_counted)
{
	char endpoint[] = "ep";
	int64_t now = clock_wall_ms();
	const struct {
		enum bs_verdict v;
		int64_t ago_ms;
	} rows[] = { { BS_VERDICT_PROVISIONED, 90000000 }, { BS_VERDICT_PROVISIONED, 80000000 },
		{ BS_VERDICT_FAILED, 2000 }, { BS_VERDICT_WRITTEN, 1000 } };

	open_fresh();
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct bs_record r = { .id = i + 1, .endpoint = endpoint, .verdict = rows[i].v, .used_format = -1,
			.ended_ms = now - rows[i].ago_ms };
		ck_assert_int_eq(fx_session_put(&f, &r), ERR_OK);
	}
	ck_assert_int_eq(fx_get(&f, "ep"), ERR_OK);
	ck_assert_uint_eq(f.device.recent_good, 2);
	fx_free(&f);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_a_session_left_comes_back_whole, 0),
	UNIT_CASE(keys_that_were_written_are_sealed, 0),
	UNIT_CASE(sessions_that_left_the_same_share_one, 0),
	UNIT_CASE(what_is_known_to_be_the_same_is_compared_all_the_same, 0),
	UNIT_CASE(a_failed_session_leaves_what_it_saw_until_the_next, 0),
	UNIT_CASE(a_record_that_comes_late_moves_nothing, 0),
	UNIT_CASE(the_history_is_bounded_but_for_what_is_wanted_back, 0),
	UNIT_CASE(a_wish_goes_only_when_a_session_has_fulfilled_it, 0),
	UNIT_CASE(wishes_are_checked_taken_back_and_audited, 0),
	UNIT_CASE(a_device_that_goes_takes_all_along, 0),
	UNIT_CASE(keys_that_are_in_force_no_more_are_known, N_ELEMS(withdrawals)),
	UNIT_CASE(what_is_restored_comes_with_the_withdrawal, 0),
	UNIT_CASE(withdrawn_keys_are_bounded_and_go_with_their_device, 0),
	UNIT_CASE(revoked_certificates_are_kept_and_told, 0),
	UNIT_CASE(sessions_of_today_that_ended_well_are_counted, 0),
};

UNIT_SUITE_MAIN("store_held", cases)
