#include "profiles/desired.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "tests/unit/unit.h"

static void
put(struct lwm2m_tree *t, struct lwm2m_path p, struct lwm2m_value v)
{
	ck_assert_int_eq(lwm2m_tree_add(t, p, &v, NULL), ERR_OK);
}

static void
put_bytes(struct lwm2m_tree *t, struct lwm2m_path p, enum lwm2m_type type, const char *s)
{
	struct lwm2m_value v;

	ck_assert_int_eq(lwm2m_value_bytes(&v, type, s, strlen(s), NULL), ERR_OK);
	put(t, p, v);
}

/* One of everything. */
static void
fill(struct profile_desired *d)
{
	*d = (struct profile_desired){ .policy = PROFILE_MERGE,
		.foreign = PROFILE_FOREIGN_REMOVE,
		.format = 11542,
		.verify = true,
		.early_return_ms = 600000,
		.request_timeout_ms = 93000,
		.session_timeout_ms = 247000,
		.next_bootstrap_s = 86400,
		.set_time = true };
	put_bytes(&d->tree, lwm2m_path3(0, 0, 0), LWM2M_STRING, "coaps://dm.example");
	put(&d->tree, lwm2m_path3(0, 0, 1), lwm2m_bool(false));
	put_bytes(&d->tree, lwm2m_path3(0, 0, 3), LWM2M_OPAQUE, "\xff\x01");
	put_bytes(&d->tree, lwm2m_path3(0, 0, 5), LWM2M_OPAQUE, "");
	put(&d->tree, lwm2m_path4(0, 0, 16, 1), lwm2m_uint(UINT64_MAX));
	put(&d->tree, lwm2m_path3(1, 0, 1), lwm2m_int(-86400));
	put(&d->tree, lwm2m_path3(1, 0, 10), lwm2m_link(11, 65535));
	put(&d->tree, lwm2m_path3(3, 0, 13), lwm2m_time(INT64_MIN));
	put(&d->tree, lwm2m_path3(33, 0, 0), lwm2m_float(0.5));
	put_bytes(&d->tree, lwm2m_path3(33, 0, 1), LWM2M_CORELNK, "</1>");
	ck_assert_int_eq(lwm2m_tree_put_instance(&d->tree, lwm2m_path2(50, 7), NULL), ERR_OK);
	put(&d->account, lwm2m_path3(0, 0, 11), lwm2m_int(30));
	put_bytes(&d->digested, lwm2m_path3(0, 0, 4), LWM2M_OPAQUE, "0!");
	ck_assert_int_eq(profile_desired_keep(d, lwm2m_path3(0, 0, 5), NULL), ERR_OK);
	d->retain = calloc(2, sizeof *d->retain);
	d->retain[0] = lwm2m_path1(10);
	d->retain[1] = lwm2m_path2(12, 0);
	d->n_retain = 2;
	d->required_confirmed = calloc(1, sizeof *d->required_confirmed);
	d->required_confirmed[0] = lwm2m_path3(1, 0, 13);
	d->n_required_confirmed = 1;
	d->acl = calloc(2, sizeof *d->acl);
	d->acl[0] = (struct profile_acl_rule){ 3, PROFILE_ACL_KEEP };
	d->acl[1] = (struct profile_acl_rule){ 65535, PROFILE_ACL_REPLACE };
	d->n_acl = 2;
	struct profile_handoff h[2] = {
		{ .to = str_dup_n("eu", 2), .server = str_dup_n("dm", 2), .short_server_id = 101, .deadline_ms = 60000,
		    .slot = str_dup_n("servers/dm/security/key", 23), .rotate_s = 86400, .octets = 16 },
		{ .to = str_dup_n("us", 2), .server = str_dup_n("fota", 4), .short_server_id = 102, .account = 1,
		    .within_delay = true, .deadline_ms = 1 },
	};
	for (size_t i = 0; i < N_ELEMS(h); i++)
		ck_assert_int_eq(profile_desired_hand_off(d, &h[i], NULL), ERR_OK);
}

static bool
paths_eq(const struct lwm2m_path *a, size_t n, const struct lwm2m_path *b, size_t m)
{
	for (size_t i = 0; n == m && i < n; i++)
		if (!lwm2m_path_eq(&a[i], &b[i]))
			return false;
	return n == m;
}

START_TEST(what_was_packed_comes_back_whole)
{
	struct profile_desired d, back = { 0 };
	struct gbuf packed = { 0 };
	struct err e;

	fill(&d);
	ck_assert_int_eq(profile_desired_pack(&d, &packed, &e), ERR_OK);
	ck_assert_msg(
	    profile_desired_unpack(packed.data, packed.len, &back, &e) == ERR_OK, "%s", e.msg);
	ck_assert_uint_eq(back.early_return_ms, 600000);
	ck_assert_uint_eq(back.n_acl, 2);
	ck_assert_int_eq(profile_desired_acl_mode(&back, 3), PROFILE_ACL_KEEP);
	ck_assert_int_eq(profile_desired_acl_mode(&back, 4), PROFILE_ACL_REFUSE);
	ck_assert_int_eq(profile_desired_acl_mode(&back, 65535), PROFILE_ACL_REPLACE);
	ck_assert(lwm2m_tree_eq(&d.tree, &back.tree));
	ck_assert(lwm2m_tree_eq(&d.account, &back.account));
	ck_assert(paths_eq(d.retain, d.n_retain, back.retain, back.n_retain));
	ck_assert(paths_eq(d.required_confirmed, d.n_required_confirmed, back.required_confirmed,
	    back.n_required_confirmed));
	ck_assert_int_eq(back.policy, PROFILE_MERGE);
	ck_assert_int_eq(back.foreign, PROFILE_FOREIGN_REMOVE);
	ck_assert_int_eq(back.format, 11542);
	ck_assert(back.verify);
	ck_assert_uint_eq(back.request_timeout_ms, 93000);
	ck_assert_uint_eq(back.session_timeout_ms, 247000);
	ck_assert_uint_eq(back.next_bootstrap_s, 86400);
	ck_assert(back.set_time);
	ck_assert(lwm2m_tree_eq(&d.digested, &back.digested));
	ck_assert(paths_eq(d.kept, d.n_kept, back.kept, back.n_kept));
	ck_assert_uint_eq(back.n_handoffs, 2);
	ck_assert_str_eq(back.handoffs[0].to, "eu");
	ck_assert_str_eq(back.handoffs[0].server, "dm");
	ck_assert_str_eq(back.handoffs[0].slot, "servers/dm/security/key");
	ck_assert_uint_eq(back.handoffs[0].rotate_s, 86400);
	ck_assert_uint_eq(back.handoffs[0].octets, 16);
	ck_assert(!back.handoffs[0].within_delay && back.handoffs[1].within_delay);
	ck_assert_uint_eq(back.handoffs[1].short_server_id, 102);
	ck_assert_uint_eq(back.handoffs[1].account, 1);
	ck_assert_uint_eq(back.handoffs[0].deadline_ms, 60000);
	ck_assert_ptr_null(back.handoffs[1].slot);
	gbuf_clear(&packed);
	profile_desired_clear(&d);
	profile_desired_clear(&back);
	profile_desired_clear(&back);
}
END_TEST

START_TEST(an_automatic_format_and_no_lists_come_back)
{
	struct profile_desired d = { .format = PROFILE_FORMAT_AUTO }, back = { .format = 3 };
	struct gbuf packed = { 0 };

	ck_assert_int_eq(profile_desired_pack(&d, &packed, NULL), ERR_OK);
	ck_assert_int_eq(profile_desired_unpack(packed.data, packed.len, &back, NULL), ERR_OK);
	ck_assert_int_eq(back.format, PROFILE_FORMAT_AUTO);
	ck_assert_ptr_null(back.retain);
	ck_assert_uint_eq(back.tree.n, 0);
	gbuf_clear(&packed);
}
END_TEST

START_TEST(nothing_cut_short_or_longer_is_taken)
{
	struct profile_desired d, back = { 0 };
	struct gbuf packed = { 0 };
	struct err e;

	fill(&d);
	ck_assert_int_eq(profile_desired_pack(&d, &packed, NULL), ERR_OK);
	for (size_t n = 0; n < packed.len; n++) {
		uint8_t *exact = malloc(n > 0 ? n : 1);

		memcpy(exact, packed.data, n);
		ck_assert_msg(
		    profile_desired_unpack(exact, n, &back, &e) == ERR_PARSE, "%zu octets", n);
		free(exact);
	}
	gbuf_u8(&packed, 0);
	ck_assert_int_eq(profile_desired_unpack(packed.data, packed.len, &back, &e), ERR_PARSE);
	ck_assert_str_eq(e.msg, "packed configuration: something stands behind its end");
	gbuf_clear(&packed);
	profile_desired_clear(&d);
}
END_TEST

/* Any one octet changed: refused, or it packs to those same octets again. */
START_TEST(a_changed_octet_is_refused_or_means_itself)
{
	struct profile_desired d;
	struct gbuf packed = { 0 };
	uint64_t rnd = unit_seed();

	fill(&d);
	ck_assert_int_eq(profile_desired_pack(&d, &packed, NULL), ERR_OK);
	for (int i = 0; i < 20000; i++) {
		struct profile_desired back = { 0 };
		struct gbuf again = { 0 };
		size_t at = unit_random(&rnd) % packed.len;
		uint8_t old = packed.data[at];

		packed.data[at] = (uint8_t)unit_random(&rnd);
		if (profile_desired_unpack(packed.data, packed.len, &back, NULL) == ERR_OK) {
			ck_assert_int_eq(profile_desired_pack(&back, &again, NULL), ERR_OK);
			ck_assert_uint_eq(again.len, packed.len);
			ck_assert_mem_eq(again.data, packed.data, packed.len);
		}
		packed.data[at] = old;
		gbuf_clear(&again);
		profile_desired_clear(&back);
	}
	gbuf_clear(&packed);
	profile_desired_clear(&d);
}
END_TEST

#define HEAD                                                                                       \
	"BSD\4"                                                                                    \
	"\1\0\1\0"                                                                                 \
	"\xff\xff\xff\xff"                                                                         \
	"\0\0\0\1"                                                                                 \
	"\0\0\0\1"                                                                                 \
	"\0\0\0\0"                                                                                 \
	"\0\0\0\0"
#define NO_PATHS "\0\0\0\0\0\0\0\0\0\0\0\0"
#define NO_LISTS                                                                                   \
	"\0\0\0\0"                                                                                 \
	"\0\0\0\0"                                                                                 \
	"\0\0\0\0"                                                                                 \
	"\0\0\0\0"                                                                                 \
	"\0\0\0\0"
#define BYTES(s) s, sizeof(s) - 1

/* clang-format off */
START_TEST(each_damage_is_named)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *what;
	} rows[] = {
		{ BYTES("BSD\5"), "it is not one, or of another version" },
		{ BYTES("BSD\4" "\3\0\1\0" "\xff\xff\xff\xff" "\0\0\0\1" "\0\0\0\1" "\0\0\0\0\0\0\0\0"), "a setting out of its range" },
		{ BYTES("BSD\4" "\1\3\1\0" "\xff\xff\xff\xff" "\0\0\0\1" "\0\0\0\1" "\0\0\0\0\0\0\0\0"), "a setting out of its range" },
		{ BYTES("BSD\4" "\1\0\2\0" "\xff\xff\xff\xff" "\0\0\0\1" "\0\0\0\1" "\0\0\0\0\0\0\0\0"), "a setting out of its range" },
		{ BYTES("BSD\4" "\1\0\1\2" "\xff\xff\xff\xff" "\0\0\0\1" "\0\0\0\1" "\0\0\0\0\0\0\0\0"), "a setting out of its range" },
		{ BYTES("BSD\4" "\1\0\1\0" "\xff\xff\xff\xfe" "\0\0\0\1" "\0\0\0\1" "\0\0\0\0\0\0\0\0"), "a setting out of its range" },
		{ BYTES("BSD\4" "\1\0\1\0" "\0\1\0\0" "\0\0\0\1" "\0\0\0\1" "\0\0\0\0\0\0\0\0"), "a setting out of its range" },
		{ BYTES(HEAD "\xff\xff\xff\xff"), "a list longer than all of it" },
		{ BYTES(HEAD "\0\0\0\1" "\0" "123"), "a path of an impossible depth" },
		{ BYTES(HEAD "\0\0\0\1" "\5" "123"), "a path of an impossible depth" },
		{ BYTES(HEAD "\0\0\0\1" "\1\xff\xff"), "a path with a reserved id" },
		{ BYTES(HEAD NO_PATHS "\0\0\0\1" "\0\5" "\4"), "a rule for access control that is none, or out of order" },
		{ BYTES(HEAD NO_PATHS "\0\0\0\1" "\0\5" "\0"), "a rule for access control that is none, or out of order" },
		{ BYTES(HEAD NO_PATHS "\0\0\0\2" "\0\5" "\1" "\0\5" "\1"),
		    "a rule for access control that is none, or out of order" },
		{ BYTES(HEAD NO_PATHS "\0\0\1\0" "\0\5"), "a list longer than all of it" },
		{ BYTES(HEAD NO_PATHS "\0\0\0\0" "\0\0\1\0" "\0\2"), "a list longer than all of it" },
		{ BYTES(HEAD NO_PATHS "\0\0\0\0" "\0\0\0\1" "\0\0" "x"), "a name that is none" },
		{ BYTES(HEAD NO_PATHS "\0\0\0\0" "\0\0\0\1" "\0\1x\0\1y" "\0\1\0\0" "\2" "\0\0\0\1" "\0\0" "\0\0\0\0" "\0\0"),
		    "a hand-off out of its range" },
		{ BYTES(HEAD NO_PATHS "\0\0\0\0" "\0\0\0\1" "\0\1x\0\1y" "\0\1\0\0" "\1" "\0\0\0\1" "\0\0" "\0\0\0\0" "\0\101"),
		    "a hand-off out of its range" },
		{ BYTES(HEAD NO_LISTS "\0\0\0\1" "\1\0\1"), "a path of an impossible depth" },
		{ BYTES(HEAD NO_LISTS "\0\0\0\1" "\3\0\1\0\0\0\1" "\12"), "a value of an unknown type" },
		{ BYTES(HEAD NO_LISTS "\0\0\0\1" "\3\0\1\0\0\0\1" "\5\2"), "a boolean that is neither 0 nor 1" },
		{ BYTES(HEAD NO_LISTS "\0\0\0\1" "\3\0\1\0\0\0\1" "\1\0\0\0\1\xff"), "a string that is not UTF-8" },
		{ BYTES(HEAD NO_LISTS "\0\0\0\1" "\3\0\1\0\0\0\1" "\0"),
		    "a value where none can be, or none where one must be" },
		{ BYTES(HEAD NO_LISTS "\0\0\0\1" "\2\0\1\0\0" "\5\1"),
		    "a value where none can be, or none where one must be" },
		{ BYTES(HEAD NO_LISTS "\0\0\0\2" "\2\0\1\0\0" "\0" "\3\0\1\0\0\0\1" "\5\1"),
		    "an instance that is empty and is not" },
		{ BYTES(HEAD NO_LISTS "\0\0\0\2" "\3\0\1\0\0\0\1" "\5\1" "\3\0\1\0\0\0\1" "\5\1"),
		    "its paths are out of order" },
	};
	/* clang-format on */

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct profile_desired d = { 0 };
		struct err e = { 0 };
		char want[128];

		(void)snprintf(want, sizeof want, "packed configuration: %s", rows[i].what);
		ck_assert_int_eq(
		    profile_desired_unpack((const uint8_t *)rows[i].bytes, rows[i].n, &d, &e),
		    ERR_PARSE);
		ck_assert_msg(strcmp(e.msg, want) == 0, "row %zu: %s", i, e.msg);
	}
}
END_TEST

START_TEST(policies_have_their_names)
{
	ck_assert_str_eq(profile_policy_name(PROFILE_INCREMENTAL), "incremental");
	ck_assert_str_eq(profile_policy_name(PROFILE_REPLACE), "replace");
	ck_assert_str_eq(profile_policy_name(PROFILE_MERGE), "merge");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_was_packed_comes_back_whole, 0),
	UNIT_CASE(an_automatic_format_and_no_lists_come_back, 0),
	UNIT_CASE(nothing_cut_short_or_longer_is_taken, 0),
	UNIT_CASE(a_changed_octet_is_refused_or_means_itself, 0),
	UNIT_CASE(each_damage_is_named, 0),
	UNIT_CASE(policies_have_their_names, 0),
};

UNIT_SUITE_MAIN("desired", cases)
