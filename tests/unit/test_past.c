/* What is restored of an earlier session, and what the next session is told of those before it. */
#include <stdio.h>
#include <string.h>

#include "bsserver/ports/past.h"
#include "bsserver/ports/restore.h"
#include "tests/unit/profile_kit.h"
#include "tests/unit/unit.h"

#define DEV "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": \"replace\" }, "
#define SERVER(name, id, uri, security)                                                            \
	"\"" name "\": { \"short_server_id\": " #id ", \"uri\": \"" uri "\", \"security\": { " security " } }"
#define PSK(identity, octet)                                                                       \
	"\"mode\": \"psk\", \"identity\": \"" identity "\", \"key\": { \"hex\": \"" octet octet octet octet octet octet \
	octet octet octet octet octet octet octet octet octet octet "\" }"
#define NONE "\"mode\": \"nosec\""
#define SERVERS(...) "\"servers\": { " __VA_ARGS__ " } }"

static void
compile(const char *text, struct profile_desired *d)
{
	const struct profile_keys keys = { .get = kit_key };
	struct kit k = { 0 };
	struct err e = { 0 };

	kit_add(&k, "dev.json", text);
	kit_resolve(&k);
	ck_assert_msg(k.resolved != NULL, "%s", kit_print(&k.f));
	ck_assert_msg(profile_compile(k.resolved, lwm2m_model_builtin(), &keys, d, NULL, &e) == ERR_OK, "%s", e.msg);
	kit_clear(&k);
}

static struct secret
packed(const struct profile_desired *d)
{
	struct gbuf g = { 0 };
	struct secret s = SECRET_NONE;

	ck_assert_int_eq(profile_desired_pack(d, &g, NULL), ERR_OK);
	ck_assert_int_eq(secret_set(&s, g.data, g.len, NULL), ERR_OK);
	gbuf_clear(&g);
	return s;
}

/* clang-format off */
static const struct {
	const char *then, *now;
	bool with_credentials;
	const char *has;   /* a line of the tree; NULL: it is refused */
	const char *lacks; /* NULL */
	const char *why;
} rows[] = {
	/* the configuration of then with the key of now, under whatever instance it has now */
	{ DEV SERVERS(SERVER("dm", 101, "coaps://old", PSK("i", "01"))),
	  DEV SERVERS(SERVER("a", 7, "coaps://a", PSK("a", "09")) ", " SERVER("dm", 101, "coaps://new", PSK("j", "02"))), false,
	  "/0/0/5 02020202020202020202020202020202\n", "/0/1/", NULL },
	{ DEV SERVERS(SERVER("dm", 101, "coaps://old", PSK("i", "01"))),
	  DEV SERVERS(SERVER("dm", 101, "coaps://new", PSK("j", "02"))), false, "/0/0/0 \"coaps://old\"\n", "coaps://new", NULL },
	{ DEV SERVERS(SERVER("dm", 101, "coaps://old", PSK("i", "01"))),
	  DEV SERVERS(SERVER("dm", 101, "coaps://new", PSK("j", "02"))), false, "/0/0/3 6a\n", "/0/0/3 69", NULL },
	/* unless the keys are wanted too */
	{ DEV SERVERS(SERVER("dm", 101, "coaps://old", PSK("i", "01"))),
	  DEV SERVERS(SERVER("dm", 101, "coaps://new", PSK("j", "02"))), true, "/0/0/5 01010101010101010101010101010101\n", "0202", NULL },
	/* a server that is gone has no credentials now, and is named; without credentials nothing is missing */
	{ DEV SERVERS(SERVER("dm", 101, "coaps://x", PSK("i", "01")) ", " SERVER("fota", 102, "coaps://y", PSK("f", "03"))),
	  DEV SERVERS(SERVER("dm", 101, "coaps://x", PSK("j", "02"))), false, NULL, NULL,
	  "the account with Short Server ID 102: there are no credentials for it now" },
	{ DEV SERVERS(SERVER("dm", 101, "coaps://x", PSK("i", "01")) ", " SERVER("fota", 102, "coaps://y", PSK("f", "03"))),
	  DEV SERVERS(SERVER("dm", 101, "coaps://x", PSK("j", "02"))), true, "/0/1/3 66\n", NULL, NULL },
	{ DEV SERVERS(SERVER("dm", 101, "coap://x", NONE) ", " SERVER("fota", 102, "coap://y", NONE)),
	  DEV SERVERS(SERVER("dm", 101, "coap://x", NONE)), false, "/0/1/0 \"coap://y\"\n", NULL, NULL },
	/* nor does another mode give any */
	{ DEV SERVERS(SERVER("dm", 101, "coaps://x", PSK("i", "01"))), DEV SERVERS(SERVER("dm", 101, "coap://x", NONE)), false, NULL, NULL,
	  "the account with Short Server ID 101: there are no credentials for it now" },
	/* secrets of other Objects as well */
	{ DEV "\"objects\": { \"/11/0\": { \"profile_name\": \"p\", \"secret\": \"then\" } } }",
	  DEV "\"objects\": { \"/11/0\": { \"profile_name\": \"q\", \"secret\": \"now\" } } }", false, "/11/0/6 \"now\"\n", "/11/0/0 \"q\"", NULL },
	{ DEV "\"objects\": { \"/11/0\": { \"profile_name\": \"p\", \"secret\": \"then\" } } }",
	  DEV SERVERS(SERVER("dm", 101, "coap://x", NONE)), false, NULL, NULL, "/11/0/6: there is no such secret now" },
};
/* clang-format on */

START_TEST(a_configuration_comes_back_with_the_keys_of_now)
{
	struct profile_desired then = { 0 }, now = { 0 }, got = { 0 };
	struct err e = { 0 };

	compile(rows[_i].then, &then);
	compile(rows[_i].now, &now);
	struct secret wrote = packed(&then);
	const struct restore r = { .wrote = &wrote, .now = &now, .with_credentials = rows[_i].with_credentials };
	enum err_code rc = restore_make(&r, lwm2m_model_builtin(), &got, &e);
	if (rows[_i].has == NULL) {
		ck_assert_int_eq(rc, ERR_CONFLICT);
		ck_assert_str_eq(e.msg, rows[_i].why);
		ck_assert_uint_eq(got.tree.n, 0);
	} else {
		ck_assert_msg(rc == ERR_OK, "%s", e.msg);
		const char *tree = kit_tree(&got.tree);
		ck_assert_msg(strstr(tree, rows[_i].has) != NULL, "%s", tree);
		ck_assert_msg(rows[_i].lacks == NULL || strstr(tree, rows[_i].lacks) == NULL, "%s", tree);
	}
	profile_desired_clear(&then);
	profile_desired_clear(&now);
	profile_desired_clear(&got);
	secret_clear(&wrote);
}
END_TEST

/* clang-format off */
static const struct {
	enum store_withdrawal why;
	uint64_t number, agreed;
	bool with_credentials;
	const char *refused; /* NULL: it is not */
} out_of_force[] = {
	{ STORE_KEY_IN_FORCE, 0, 0, true, NULL },
	{ STORE_KEY_REPLACED, 7, 0, true, "servers/dm/security/key of dev: replaced on 1970-01-01T00:00:01Z by uid 0; "
	  "apply it again to have it back, or ask for the rollback anew" },
	{ STORE_KEY_REPLACED, 7, 0, false, NULL }, /* the keys of now */
	{ STORE_KEY_REPLACED, 7, 7, true, NULL },
	{ STORE_KEY_REPLACED, 8, 7, true, "servers/dm/security/key of dev: replaced on " }, /* after it was agreed to */
	{ STORE_KEY_REPLACED, 7, RESTORE_ALL_AGREED, true, NULL },
	{ STORE_KEY_REMOVED, 7, RESTORE_ALL_AGREED, true, "servers/dm/security/key of dev: removed on 1970-01-01T00:00:01Z by uid 0; "
	  "apply it again to have it back" },
};
/* clang-format on */

START_TEST(keys_that_are_in_force_no_more_stay_away)
{
	struct profile_desired then = { 0 }, now = { 0 }, got = { 0 };
	struct err e = { 0 };
	char slot[] = "servers/dm/security/key", owner[] = "dev", actor[] = "uid 0";
	const struct store_withdrawn w = { .why = out_of_force[_i].why, .number = out_of_force[_i].number, .at_ms = 1000,
		.slot = slot, .owner = owner, .actor = actor };

	compile(DEV SERVERS(SERVER("dm", 101, "coaps://old", PSK("i", "01"))), &then);
	compile(DEV SERVERS(SERVER("dm", 101, "coaps://new", PSK("j", "02"))), &now);
	struct secret wrote = packed(&then);
	const struct restore r = { .wrote = &wrote, .now = &now, .with_credentials = out_of_force[_i].with_credentials,
		.withdrawn = &w, .agreed = out_of_force[_i].agreed };
	enum err_code rc = restore_make(&r, lwm2m_model_builtin(), &got, &e);
	if (out_of_force[_i].refused == NULL) {
		ck_assert_msg(rc == ERR_OK, "%s", e.msg);
	} else {
		ck_assert_int_eq(rc, ERR_REFUSED);
		ck_assert_msg(strncmp(e.msg, out_of_force[_i].refused, strlen(out_of_force[_i].refused)) == 0, "%s", e.msg);
		ck_assert_uint_eq(got.tree.n, 0);
	}
	profile_desired_clear(&then);
	profile_desired_clear(&now);
	profile_desired_clear(&got);
	secret_clear(&wrote);
}
END_TEST

/* clang-format off */
static const struct {
	bool then_keeps, now_keeps, with_credentials;
	bool keeps, has_key;
} staying[] = {
	/* then, now, keys of then: does the key stay in the device, is one written? */
	{ true, true, false, true, false },
	{ true, false, false, false, true },
	{ false, true, false, true, false },
	{ false, false, false, false, true },
	{ true, false, true, true, false },
	{ false, true, true, false, true },
};
/* clang-format on */

/* Two accounts, so that numbers can differ; of the second, perhaps, the key stays in the device. */
static void
account_with_or_without(struct profile_desired *d, bool keeps, const char *octet)
{
	char text[1024];

	(void)snprintf(text, sizeof text,
	    DEV SERVERS(SERVER("a", 7, "coaps://a", PSK("a", "09")) ", \"dm\": { \"short_server_id\": 101, \"uri\": \"coaps://x\", "
	    "\"security\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": { \"hex\": \"%s\" } } }"), octet);
	compile(text, d);
	if (!keeps)
		return;
	(void)lwm2m_tree_remove(&d->tree, lwm2m_path3(0, 1, 5));
	ck_assert_int_eq(profile_desired_keep(d, lwm2m_path3(0, 1, 5), NULL), ERR_OK);
}

START_TEST(a_key_that_stays_in_the_device_does_so_by_the_word_of_now)
{
	struct profile_desired then = { 0 }, now = { 0 }, got = { 0 };
	struct err e;

	account_with_or_without(&then, staying[_i].then_keeps, "01010101010101010101010101010101");
	account_with_or_without(&now, staying[_i].now_keeps, "02020202020202020202020202020202");
	struct secret wrote = packed(&then);
	const struct restore r = { .wrote = &wrote, .now = &now, .with_credentials = staying[_i].with_credentials };
	ck_assert_msg(restore_make(&r, lwm2m_model_builtin(), &got, &e) == ERR_OK, "%s", e.msg);
	ck_assert_int_eq(profile_desired_keeps(&got, lwm2m_path2(0, 1)), staying[_i].keeps);
	ck_assert_uint_eq(got.n_kept, staying[_i].keeps ? 1 : 0);
	ck_assert_int_eq(lwm2m_tree_get(&got.tree, lwm2m_path3(0, 1, 5)) != NULL, staying[_i].has_key);
	profile_desired_clear(&then);
	profile_desired_clear(&now);
	profile_desired_clear(&got);
	secret_clear(&wrote);
}
END_TEST

START_TEST(a_server_key_of_now_is_taken_as_it_is_meant_now)
{
	struct profile_desired then = { 0 }, now = { 0 }, got = { 0 };
	struct lwm2m_value digest = lwm2m_int(1), full;
	int64_t matching = 9;
	struct err e;

	account_with_or_without(&then, false, "01010101010101010101010101010101");
	account_with_or_without(&now, false, "02020202020202020202020202020202");
	ck_assert_int_eq(lwm2m_tree_put(&now.tree, lwm2m_path3(0, 1, 13), &digest, NULL), ERR_OK);
	ck_assert_int_eq(lwm2m_value_bytes(&full, LWM2M_OPAQUE, "certificate", 11, NULL), ERR_OK);
	ck_assert_int_eq(lwm2m_tree_put(&now.digested, lwm2m_path3(0, 1, 4), &full, NULL), ERR_OK);
	digest = lwm2m_int(3);
	ck_assert_int_eq(lwm2m_tree_put(&then.tree, lwm2m_path3(0, 1, 15), &digest, NULL), ERR_OK);
	struct secret wrote = packed(&then);
	const struct restore r = { .wrote = &wrote, .now = &now };
	ck_assert_msg(restore_make(&r, lwm2m_model_builtin(), &got, &e) == ERR_OK, "%s", e.msg);
	const struct lwm2m_value *v = lwm2m_tree_get(&got.tree, lwm2m_path3(0, 1, 13));
	ck_assert(v != NULL && lwm2m_value_number(v, &matching) && matching == 1);
	ck_assert_ptr_null(lwm2m_tree_get(&got.tree, lwm2m_path3(0, 1, 15)));
	ck_assert_ptr_nonnull(lwm2m_tree_get(&got.digested, lwm2m_path3(0, 1, 4)));
	profile_desired_clear(&then);
	profile_desired_clear(&now);
	profile_desired_clear(&got);
	secret_clear(&wrote);
}
END_TEST

START_TEST(what_was_not_kept_is_not_restored)
{
	const struct profile_desired now = { 0 };
	struct profile_desired got = { 0 };
	struct secret none = SECRET_NONE;
	struct err e;

	ck_assert_int_eq(restore_make(&(struct restore){ .wrote = &none, .now = &now }, lwm2m_model_builtin(), &got, &e), ERR_NOT_FOUND);
}
END_TEST

START_TEST(the_next_session_knows_of_those_before)
{
	char links[] = "</1/0>", expiries[] = "101=5", placed[] = "2/0=7";
	struct store_device d = { .last_session = 9, .last_ended_ms = 900, .last_verdict = BS_VERDICT_REFUSED,
		.last_reason = BS_REASON_BLOCKED, .recent_good = 3, .failures = 1,
		.held = { .session = 4, .last_session = 6, .at_ms = 450, .started_ms = 600, .last_ms = 650, .good = true,
		    .restored = true, .revision = 12, .links = links, .read = 2, .expiries = expiries, .placed = placed } };
	struct profile_desired wanted = { 0 };
	struct bs_history h = { 0 };

	compile(DEV SERVERS(SERVER("dm", 101, "coap://x", NONE) ", " SERVER("fota", 102, "coap://y", NONE)), &wanted);
	d.held.wrote = packed(&wanted);
	ck_assert_int_eq(past_history(&d, NULL, 1000, &h, NULL), ERR_OK);
	ck_assert(h.now_ms == 1000 && h.last_session == 9 && h.last_ended_ms == 900 && h.recent_returns == 3);
	ck_assert(h.last_verdict == BS_VERDICT_FAILED); /* a refusal does not hide the failure before it */
	ck_assert(h.good_session == 6 && h.good_started_ms == 600 && h.good_ended_ms == 650 && h.good_revision == 12);
	ck_assert(h.good_restored && h.held.read == 2 && h.held.values == NULL);
	ck_assert_str_eq(h.held.links, "</1/0>");
	ck_assert_str_eq(h.expiries, "101=5");
	ck_assert_str_eq(h.placed, "2/0=7");
	ck_assert(bs_history_wanted(&h, 101) && bs_history_wanted(&h, 102) && !bs_history_wanted(&h, 103));
	ck_assert(bs_history_broke_off(&h));
	bs_history_clear(&h);
	secret_clear(&d.held.wrote); /* unpacked already: not looked at */
	ck_assert_int_eq(past_history(&d, &wanted, 1000, &h, NULL), ERR_OK);
	ck_assert(bs_history_wanted(&h, 101) && bs_history_wanted(&h, 102) && h.n_wanted == 2);
	bs_history_clear(&h);
	profile_desired_clear(&wanted);
	d.held = (struct store_held){ 0 };
	ck_assert_int_eq(past_history(&d, NULL, 1000, &h, NULL), ERR_OK);
	ck_assert(h.good_session == 0 && h.n_wanted == 0 && !bs_history_wanted(&h, 101));
	bs_history_clear(&h);
}
END_TEST

/* {asked, done, of revision} at revision 50 */
static const struct {
	uint64_t number, done_session, done_revision;
	bool restores;
} wishes[] = { { 0, 0, 0, false }, { 3, 0, 0, true }, { 3, 8, 50, true }, { 3, 8, 49, false } };

START_TEST(a_rollback_holds_until_something_newer_is_applied)
{
	struct store_device d = { 0 };

	d.wishes[STORE_WISH_ROLLBACK] = (struct store_wish){ .number = wishes[_i].number,
		.done_session = wishes[_i].done_session, .done_revision = wishes[_i].done_revision };
	ck_assert(past_restores(&d, 50) == wishes[_i].restores);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_configuration_comes_back_with_the_keys_of_now, N_ELEMS(rows)),
	UNIT_CASE(keys_that_are_in_force_no_more_stay_away, N_ELEMS(out_of_force)),
	UNIT_CASE(a_key_that_stays_in_the_device_does_so_by_the_word_of_now, N_ELEMS(staying)),
	UNIT_CASE(a_server_key_of_now_is_taken_as_it_is_meant_now, 0),
	UNIT_CASE(what_was_not_kept_is_not_restored, 0),
	UNIT_CASE(the_next_session_knows_of_those_before, 0),
	UNIT_CASE(a_rollback_holds_until_something_newer_is_applied, N_ELEMS(wishes)),
};

UNIT_SUITE_MAIN("past", cases)
