/* What is done to a device so that it holds what it should. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/plan_kit.h"
#include "tests/unit/unit.h"

/* An account of the profile at /0/K and /1/K. */
#define SEC(k, ssid, uri)                                                                          \
	"0/" k "/0=" uri " 0/" k "/1=false 0/" k "/2=0 0/" k "/3=dev 0/" k "/5=key" ssid " 0/" k "/10=" ssid " "
#define SRV(k, ssid, life) "1/" k "/0=" ssid " 1/" k "/1=" life " 1/" k "/6=true 1/" k "/7=U "
#define A1 SEC("0", "101", "coaps://a") SRV("0", "101", "60")
#define A2 SEC("1", "102", "coaps://b") SRV("1", "102", "60")

#define BS "</>;lwm2m=1.1,</0/0>,</3/0>"
#define L1 ",</0/1>;ssid=101;uri=\"coaps://a\",</1/0>;ssid=101"
#define L2 ",</0/2>;ssid=102;uri=\"coaps://b\",</1/1>;ssid=102"
#define L7 ",</0/5>;ssid=7;uri=\"coaps://x\",</1/5>;ssid=7"
#define S1 SRV("0", "101", "60")
#define S2 SRV("1", "102", "60")
#define S7 SRV("5", "7", "99")

#define INC PROFILE_INCREMENTAL
#define REP PROFILE_REPLACE
#define MRG PROFILE_MERGE

static const struct {
	const char *name;
	struct scene sc;
	const char *ops;
} rows[] = {
	{ "a fresh device is written whole",
	    { .links = BS ",</1>", .wants = A1, .policy = INC }, "PUT /0/1, PUT /1/0" },
	{ "without Discover accounts go where no bootstrap account is expected",
	    { .wants = A1, .policy = INC }, "PUT /0/10, PUT /1/0" },
	{ "what is right and was written by us is not touched",
	    { .links = BS L1, .server = S1, .wants = A1, .policy = INC, .wrote = A1, .held = BS L1 }, "" },
	{ "one value that differs is one Write of it",
	    { .links = BS L1, .server = SRV("0", "101", "61"), .wants = A1, .policy = INC, .wrote = A1, .held = BS L1 },
	    "PUT /1/0/1" },
	{ "two are one Write of the instance",
	    { .links = BS L1, .server = "1/0/0=101 1/0/1=61 1/0/6=false 1/0/7=U ", .wants = A1, .policy = INC,
		.wrote = A1, .held = BS L1 },
	    "PUT /1/0" },
	{ "an account of unknown content is deleted and written",
	    { .links = BS L1, .server = S1, .wants = A1, .policy = INC }, "DELETE /0/1, PUT /0/1" },
	{ "merge deletes nothing", { .links = BS L1, .server = S1, .wants = A1, .policy = MRG }, "PUT /0/1" },
	{ "another key is another content",
	    { .links = BS L1, .server = S1, .wants = A1, .policy = INC,
		.wrote = "0/0/0=coaps://a 0/0/1=false 0/0/2=0 0/0/3=dev 0/0/5=old 0/0/10=101 " S1, .held = BS L1 },
	    "PUT /0/1" },
	{ "what would stay in a client that merges goes first",
	    { .links = BS L1, .server = S1, .wants = A1, .policy = INC,
		.wrote = "0/0/0=coaps://a 0/0/1=false 0/0/2=0 0/0/3=dev 0/0/5=old 0/0/10=101 0/0/15=3 " S1, .held = BS L1 },
	    "DELETE /0/1, PUT /0/1" },
	{ "another address at the same server",
	    { .links = BS L1, .server = S1, .wants = SEC("0", "101", "coaps://new") S1, .policy = INC, .wrote = A1, .held = BS L1 },
	    "PUT /0/1" },
	{ "a server more leaves the first as it is",
	    { .links = BS L1, .server = S1, .wants = A1 A2, .policy = INC, .wrote = A1, .held = BS L1 },
	    "PUT /0/2, PUT /1/1" },
	{ "a server that left the profile goes",
	    { .links = BS L1 L2, .server = S1 S2, .wants = A1, .policy = INC, .wrote = A1 A2, .held = BS L1 L2 },
	    "DELETE /1/1, DELETE /0/2" },
	{ "a key that was rejected is written again",
	    { .links = BS L1, .server = S1 "1/0/11=42", .wants = A1, .policy = INC, .wrote = A1, .held = BS L1 },
	    "PUT /0/1, DELETE /1/0, PUT /1/0" },
	{ "a device that is back early is written again where it cannot be read",
	    { .links = BS L1, .server = S1, .wants = A1, .policy = INC, .wrote = A1, .held = BS L1, .gone_s = 60 },
	    "PUT /0/1" },
	{ "so is one whose last session broke off",
	    { .links = BS L1, .server = S1, .wants = A1, .policy = INC, .wrote = A1, .held = BS L1, .failed_since = true },
	    "DELETE /0/1, PUT /0/1" },
	{ "and one that was bootstrapped elsewhere",
	    { .links = BS L1, .server = S1 "1/0/12=1699999000", .wants = A1, .policy = INC, .wrote = A1, .held = BS L1 },
	    "DELETE /0/1, PUT /0/1" },
	{ "our own session does not count as elsewhere",
	    { .links = BS L1, .server = S1 "1/0/12=1699999000", .wants = A1, .policy = INC, .wrote = A1, .held = BS L1,
		.held_server = S1 "1/0/12=1699999000" },
	    "" },
	{ "an expired certificate is written again",
	    { .links = BS L1, .server = S1, .wants = A1, .policy = INC, .wrote = A1, .held = BS L1,
		.expiries = "7=1 101=1699999999" },
	    "PUT /0/1, DELETE /1/0, PUT /1/0" },
	{ "a lost account is written again",
	    { .links = BS L2, .server = S2, .wants = A1 A2, .policy = INC, .wrote = A1 A2, .held = BS L1 L2 },
	    "PUT /0/1, PUT /1/0" },
	{ "a dead address is corrected",
	    { .links = BS ",</0/1>;ssid=101;uri=\"coaps://old\",</1/0>;ssid=101", .server = S1, .wants = A1, .policy = INC,
		.wrote = A1, .held = BS L1 },
	    "DELETE /0/1, PUT /0/1" },
	{ "another's account stays", { .links = BS L7, .server = S7, .wants = A1, .policy = INC }, "PUT /0/1, PUT /1/0" },
	{ "or goes, if the profile says so",
	    { .links = BS L7, .server = S7, .wants = A1, .policy = INC, .foreign = PROFILE_FOREIGN_REMOVE },
	    "PUT /0/1, PUT /1/0, DELETE /1/5, DELETE /0/5" },
	{ "one that works is not invalid",
	    { .links = BS L7, .server = S7, .wants = A1, .policy = INC, .foreign = PROFILE_FOREIGN_REMOVE_INVALID },
	    "PUT /0/1, PUT /1/0" },
	{ "one that is rejected is",
	    { .links = BS L7, .server = S7 "1/5/11=48", .wants = A1, .policy = INC,
		.foreign = PROFILE_FOREIGN_REMOVE_INVALID },
	    "PUT /0/1, PUT /1/0, DELETE /1/5, DELETE /0/5" },
	{ "half of one is",
	    { .links = BS ",</0/5>;ssid=7", .wants = A1, .policy = INC, .foreign = PROFILE_FOREIGN_REMOVE_INVALID },
	    "PUT /0/1, PUT /1/0, DELETE /0/5" },
	{ "retained, it stays",
	    { .links = BS L7, .server = S7, .wants = A1, .policy = INC, .foreign = PROFILE_FOREIGN_REMOVE, .retain = "/0/5" },
	    "PUT /0/1, PUT /1/0" },
	{ "a Short Server ID that stands twice loses one",
	    { .links = BS L1 ",</1/8>;ssid=101", .server = S1, .wants = A1, .policy = INC, .wrote = A1, .held = BS L1 },
	    "DELETE /1/8" },
	{ "a server with another number keeps its instances",
	    { .links = BS ",</0/4>;ssid=9;uri=\"coaps://a\",</1/6>;ssid=9", .server = SRV("6", "9", "60"), .wants = A1,
		.policy = INC },
	    "DELETE /0/4, PUT /0/4, PUT /1/6/0" },
	{ "and what it owns moves with it",
	    { .links = BS ",</0/4>;ssid=9;uri=\"coaps://a\",</1/6>;ssid=9,</2/0>", .server = SRV("6", "9", "60"),
		.acl = "2/0/0=3 2/0/1=0 2/0/2/9=3 2/0/3=9", .wants = A1, .policy = INC },
	    "DELETE /0/4, PUT /0/4, PUT /1/6/0, PUT /2/0" },
	{ "what is linked to comes first",
	    { .links = BS, .wants = A1 "1/0/10=11:0 11/0/0=iot 0/0/17=21:0 21/0/0=secret", .policy = INC },
	    "PUT /21/0, PUT /11/0, PUT /0/1, PUT /1/0" },
	{ "another's APN profile is not overwritten",
	    { .links = BS ",</11/0>", .wants = A1 "1/0/10=11:0 11/0/0=iot", .policy = INC },
	    "PUT /11/1000, PUT /0/1, PUT /1/0" },
	{ "an APN profile is where it was put, though the account that led there is gone",
	    { .links = BS L1 ",</11/0>,</11/14>", .server = S1, .wants = A1 "11/0/0=iot", .policy = INC,
		.wrote = A1 A2 "1/1/10=11:0 11/0/0=iot", .placed = "11/0=14", .held = BS L1 L2 ",</11/0>,</11/14>" },
	    "" },
	{ "it is known by its name when others come before it",
	    { .links = BS L1 ",</11/0>", .server = S1 "1/0/10=11:0", .wants = A1 "1/0/10=11:1 11/0/0=abc 11/1/0=iot", .policy = INC,
		.wrote = A1 "1/0/10=11:0 11/0/0=iot", .placed = "11/0=0", .held = BS L1 ",</11/0>" },
	    "PUT /11/1000" },
	{ "and the link to it too, where it cannot be read",
	    { .links = BS L1 ",</11/0>", .server = S1, .wants = A1 "1/0/10=11:1 11/0/0=abc 11/1/0=iot", .policy = INC,
		.wrote = A1 "1/0/10=11:0 11/0/0=iot", .placed = "11/0=0", .held = BS L1 ",</11/0>" },
	    "PUT /11/1000" },
	{ "the same number for another one is another link",
	    { .links = BS L1 ",</11/0>", .server = S1, .wants = A1 "1/0/10=11:0 11/0/0=abc 11/1/0=iot", .policy = INC,
		.wrote = A1 "1/0/10=11:0 11/0/0=iot", .placed = "11/0=0", .held = BS L1 ",</11/0>" },
	    "PUT /11/1000, PUT /1/0/10" },
	{ "one that was renamed is written where it is",
	    { .links = BS L1 ",</11/3>", .server = S1 "1/0/10=11:3", .wants = A1 "1/0/10=11:0 11/0/0=new", .policy = INC,
		.wrote = A1 "1/0/10=11:0 11/0/0=old", .placed = "11/0=3", .held = BS L1 ",</11/3>" },
	    "PUT /11/3" },
	{ "one that is in the profile no more goes last",
	    { .links = BS L1 ",</11/14>,</11/15>", .server = S1 "1/0/10=11:14", .wants = A1 "1/0/10=11:0 11/0/0=other", .policy = INC,
		.wrote = A1 "1/0/10=11:0 11/0/0=iot 11/1/0=other", .placed = "11/0=14 11/1=15", .held = BS L1 ",</11/14>,</11/15>" },
	    "PUT /1/0/10, DELETE /11/14" },
	{ "unless the account's link to it stays, of which the profile says nothing",
	    { .links = BS L1 ",</11/14>", .server = S1 "1/0/10=11:14", .wants = A1, .policy = INC,
		.wrote = A1 "1/0/10=11:0 11/0/0=iot", .placed = "11/0=14", .held = BS L1 ",</11/14>" },
	    "" },
	{ "unless an account of ours stays that links to it",
	    { .links = BS L1 L2 ",</21/7>", .server = S1 S2, .wants = A1, .policy = INC, .retain = "/0/2",
		.wrote = A1 A2 "0/1/17=21:0 21/0/0=secret", .placed = "21/0=7", .held = BS L1 L2 ",</21/7>" },
	    "" },
	{ "unless another's account has come to link to it",
	    { .links = BS L1 L7 ",</11/14>", .server = S1 S7 "1/5/10=11:14", .wants = A1, .policy = INC,
		.wrote = A1 "11/0/0=iot", .placed = "11/0=14", .held = BS L1 L7 ",</11/14>" },
	    "" },
	{ "an OSCORE context that was there when we wrote none is another's",
	    { .links = BS L1 ",</21/0>", .server = S1, .wants = A1 "0/0/17=21:0 21/0/0=secret", .policy = INC,
		.wrote = A1, .held = BS L1 ",</21/0>" },
	    "PUT /21/1000, PUT /0/1" },
	{ "ours is where it was put, whatever number its account has now",
	    { .links = BS L1 ",</21/0>,</21/1000>", .server = S1, .wants = A1 "0/0/17=21:5 21/5/0=secret", .policy = INC,
		.wrote = A1 "0/0/17=21:0 21/0/0=secret", .placed = "21/0=1000", .held = BS L1 ",</21/0>,</21/1000>" },
	    "" },
	{ "rules that cannot be read are known by what they are about",
	    { .links = BS L1 ",</2/4>,</2/7>", .server = S1, .wants = A1 "2/0/0=5 2/0/1=0 2/0/3=101 2/1/0=3 2/1/1=0 2/1/3=101", .policy = INC,
		.wrote = A1 "2/0/0=3 2/0/1=0 2/0/3=101", .placed = "2/0=7", .held = BS L1 ",</2/4>,</2/7>" },
	    "PUT /2/0" },
	{ "from one server to several, who had all keeps all",
	    { .links = BS L1 ",</2>,</5/0>", .server = S1, .wants = A1 A2, .policy = INC, .wrote = A1, .held = BS L1 },
	    "PUT /0/2, PUT /1/1, PUT /2/0, PUT /2/1, PUT /2/2, PUT /2/3" },
	{ "two accounts and three rules, and a third server",
	    { .links = BS L1 L2 ",</2/0>,</2/1>,</2/2>", .server = S1 S2,
		.acl = "2/0/0=1 2/0/1=0 2/0/2/101=3 2/0/3=101 2/1/0=1 2/1/1=1 2/1/2/102=3 2/1/3=102 "
		       "2/2/0=3 2/2/1=0 2/2/2/101=7 2/2/2/102=1 2/2/3=101",
		.wants = SEC("0", "103", "coaps://c") SRV("0", "103", "60") "2/0/0=3 2/0/1=0 2/0/2/103=1 2/0/3=101 "
			 "2/1/0=1 2/1/1=0 2/1/2/103=3 2/1/3=103",
		.policy = INC, .mode = PROFILE_ACL_MERGE },
	    "PUT /0/3, PUT /1/2, PUT /2/2/2, PUT /2/3" },
	{ "a rule about nothing goes",
	    { .links = BS L1 ",</2/4>", .server = S1, .acl = "2/4/0=5 2/4/1=2 2/4/3=101", .wants = A1, .policy = INC,
		.wrote = A1, .held = BS L1 },
	    "DELETE /2/4" },
	{ "unless it is another's",
	    { .links = BS L1 L7 ",</2/4>,</2/5>,</2/6>,</2/7>", .server = S1 S7,
		.acl = "2/4/0=5 2/4/1=2 2/4/3=7 2/5/0=1 2/5/1=0 2/5/3=101 2/6/0=1 2/6/1=5 2/6/3=7 2/7/0=3 2/7/1=0 2/7/3=7",
		.wants = A1, .policy = INC, .wrote = A1, .held = BS L1 },
	    "" },
	{ "the last entry of a rule goes with its instance",
	    { .links = BS L1 ",</2/0>", .server = S1, .acl = "2/0/0=3 2/0/1=0 2/0/2/101=1 2/0/3=101",
		.wants = A1 "2/0/0=3 2/0/1=0 2/0/3=101", .policy = INC, .wrote = A1, .held = BS L1 },
	    "DELETE /2/0, PUT /2/0" },
	{ "replace empties its Objects first",
	    { .links = BS L1 L7, .wants = A1, .policy = REP }, "DELETE /0, DELETE /1, PUT /0/1, PUT /1/0" },
	{ "a handover overwrites the bootstrap account whole, last",
	    { .links = BS L1, .server = S1, .wants = A1, .policy = INC, .wrote = A1, .held = BS L1,
		.handover = "0/0/0=coaps://bs2 0/0/1=true 0/0/2=0 0/0/3=dev 0/0/5=new" },
	    "PUT /0/0" },
};

START_TEST(a_plan_is_this)
{
	struct stage st;
	struct bs_plan p = { 0 };
	struct err e = { 0 };

	kit_set(&st, &rows[_i].sc);
	ck_assert_msg(bs_plan_for(&st.in, &p, &e) == ERR_OK, "%s: %s", rows[_i].name, e.msg);
	ck_assert_msg(strcmp(kit_ops(&p), rows[_i].ops) == 0, "%s: %s", rows[_i].name, kit_ops(&p));
	ck_assert_int_eq(p.hands_over, rows[_i].sc.handover != NULL);
	bs_plan_clear(&p);
	kit_clear(&st);
}
END_TEST

/* Two servers, 101 of the profile and 7 that is not, and a rule about /3/0 on either side. */
#define BOTH BS L1 L7 ",</2/0>,</2/1>,</2/2>"
#define REST "2/1/0=1 2/1/1=0 2/1/3=101 2/2/0=1 2/2/1=5 2/2/3=7 "
#define HAS(x) REST "2/0/0=3 2/0/1=0 " x
#define WANT(x) A1 "2/0/0=3 2/0/1=0 " x
#define DECIDES "; on_conflict in the profile decides: keep, merge or replace"

static const struct {
	const char *name, *has, *wants;
	const char *error;	       /* without a word in the profile; NULL: they go together */
	const char *after[4];	       /* what /2/0/2 and /2/0/3 hold then: refuse, keep, merge, replace */
} conflicts[] = {
	{ "another owner", "2/0/3=7", "2/0/3=101",
	    "/2/0, rights on /3/0: owned by server 7 on the device, by server 101 in the profile" DECIDES,
	    { NULL, "3=7", "3=7", "3=101" } },
	{ "another owner than the bootstrap server", "2/0/3=7", "2/0/3=65535",
	    "/2/0, rights on /3/0: owned by server 7 on the device, by the bootstrap server in the profile" DECIDES,
	    { NULL, "3=7", "3=7", "3=65535" } },
	{ "other rights of another's server", "2/0/2/7=3 2/0/3=101", "2/0/2/7=1 2/0/3=101",
	    "/2/0, rights on /3/0: server 7 has read write on the device, read in the profile" DECIDES,
	    { NULL, "2/7=3 3=101", "2/7=1 3=101", "2/7=1 3=101" } },
	{ "no rights for another's server", "2/0/2/7=12 2/0/3=101", "2/0/2/7=0 2/0/3=101",
	    "/2/0, rights on /3/0: server 7 has execute delete on the device, nothing in the profile" DECIDES,
	    { NULL, "2/7=12 3=101", "2/7=0 3=101", "2/7=0 3=101" } },
	{ "another default, by which another's server lives", "2/0/2/0=1 2/0/3=101", "2/0/2/0=3 2/0/3=101",
	    "/2/0, rights on /3/0: the default, which server 7 lives by, is read on the device, read write in the profile" DECIDES,
	    { NULL, "2/0=1 3=101", "2/0=3 3=101", "2/0=3 3=101" } },
	{ "a default that goes", "2/0/2/0=1 2/0/3=101", "2/0/2/101=3 2/0/3=101",
	    "/2/0, rights on /3/0: the default, which server 7 lives by, is read on the device, nothing in the profile" DECIDES,
	    { NULL, "2/0=1 3=101", "2/0=1 2/101=3 3=101", "2/101=3 3=101" } },
	{ "another default and an entry of its own", "2/0/2/0=1 2/0/2/7=2 2/0/3=101", "2/0/2/0=3 2/0/3=101", NULL,
	    { "2/0=3 2/7=2 3=101", "2/0=1 2/7=2 3=101", "2/0=3 2/7=2 3=101", "2/0=3 3=101" } },
	{ "other rights of our own server", "2/0/2/101=1 2/0/2/7=1 2/0/3=101", "2/0/2/101=3 2/0/3=101", NULL,
	    { "2/7=1 2/101=3 3=101", "2/7=1 2/101=1 3=101", "2/7=1 2/101=3 3=101", "2/101=3 3=101" } },
	{ "an owner that is gone", "2/0/3=9", "2/0/3=101", NULL, { "3=101", "3=9", "3=101", "3=101" } },
	{ "a right of a server that is gone", "2/0/2/9=31 2/0/3=101", "2/0/3=101", NULL,
	    { "3=101", "2/9=31 3=101", "2/9=31 3=101", "3=101" } },
};

static const char *
rule_str(const struct lwm2m_tree *t)
{
	static char text[256];
	struct lwm2m_span span = lwm2m_tree_under(t, lwm2m_path2(2, 0));
	struct gbuf g = { 0 };

	for (size_t i = 0; i < span.n; i++) {
		if (span.nodes[i].path.id[2] < 2)
			continue;
		gbuf_printf(&g, "%s%s=", g.len > 0 ? " " : "", lwm2m_path_str(span.nodes[i].path).s + strlen("/2/0/"));
		lwm2m_value_print(&g, &span.nodes[i].value);
	}
	(void)snprintf(text, sizeof text, "%s", gbuf_cstr(&g));
	gbuf_clear(&g);
	return text;
}

static void
try_mode(int row, enum profile_acl_mode mode)
{
	char has[256], wants[512];
	struct scene sc = { .links = BOTH, .server = S1 S7, .acl = has, .wants = wants, .policy = INC, .mode = mode };
	struct stage st;
	struct bs_plan p = { 0 };
	struct err e = { 0 };

	(void)snprintf(has, sizeof has, "%s%s", HAS(""), conflicts[row].has);
	(void)snprintf(wants, sizeof wants, "%s%s", WANT(""), conflicts[row].wants);
	kit_set(&st, &sc);
	enum err_code rc = bs_plan_for(&st.in, &p, &e);
	if (conflicts[row].after[mode] == NULL) {
		ck_assert_int_eq(rc, ERR_CONFLICT);
		ck_assert_str_eq(e.msg, conflicts[row].error);
	} else {
		ck_assert_msg(rc == ERR_OK, "%s: %s", conflicts[row].name, e.msg);
		ck_assert_msg(strcmp(rule_str(&p.tree), conflicts[row].after[mode]) == 0, "%s, mode %d: %s",
		    conflicts[row].name, (int)mode, rule_str(&p.tree));
	}
	bs_plan_clear(&p);
	kit_clear(&st);
}

START_TEST(each_conflict_is_told_or_decided_by_the_profile)
{
	for (int mode = PROFILE_ACL_REFUSE; mode <= PROFILE_ACL_REPLACE; mode++)
		try_mode(_i, (enum profile_acl_mode)mode);
}
END_TEST

static const struct {
	struct scene sc;
	const char *error;
} refused[] = {
	{ { .links = "</1>", .wants = A1, .policy = INC, .handover = "0/0/0=coaps://x 0/0/1=true" },
	    "/0: the bootstrap account is to be replaced, but Discover did not show which instance it is" },
	{ { .links = BS, .wants = A1, .policy = INC, .handover = "0/0/0=coaps://x 0/0/1=true", .retain = "/0/0/5" },
	    "/0/0: the bootstrap account is to be replaced, and the profile retains it" },
};

START_TEST(a_handover_needs_to_know_the_account)
{
	struct stage st;
	struct bs_plan p = { 0 };
	struct err e = { 0 };

	kit_set(&st, &refused[_i].sc);
	ck_assert_int_eq(bs_plan_for(&st.in, &p, &e), ERR_CONFLICT);
	ck_assert_str_eq(e.msg, refused[_i].error);
	ck_assert_uint_eq(p.n_ops, 0);
	kit_clear(&st);
}
END_TEST

/* After a 4.06 nothing counts as right. */
START_TEST(once_more_means_all_of_it)
{
	struct scene sc = { .links = BS L1, .server = S1, .wants = A1, .policy = INC };
	struct stage st;
	struct bs_plan p = { 0 };

	kit_set(&st, &sc);
	st.in.anew = true;
	ck_assert_int_eq(bs_plan_for(&st.in, &p, NULL), ERR_OK);
	ck_assert_str_eq(kit_ops(&p), "DELETE /0/1, PUT /0/1, PUT /1/0");
	bs_plan_clear(&p);
	kit_clear(&st);
}
END_TEST

START_TEST(what_is_written_goes_first_where_more_is_retained_and_nothing_discovered)
{
	struct scene sc = { .wants = A1, .policy = PROFILE_REPLACE, .retain = "/1/14" };
	struct stage st;
	struct bs_plan p = { 0 };

	kit_set(&st, &sc);
	st.inv.discovered = false;
	ck_assert_int_eq(bs_plan_for(&st.in, &p, NULL), ERR_OK);
	ck_assert_str_eq(kit_ops(&p), "DELETE /0, DELETE /1/0, PUT /0/10, PUT /1/0");
	bs_plan_clear(&p);
	kit_clear(&st);
}
END_TEST

static const struct {
	struct scene sc;
	const char *ops;
} timed[] = {
	{ { .links = BS L1, .server = S1, .wants = A1, .policy = INC }, "PUT /3/0/13, DELETE /0/1, PUT /0/1" },
	{ { .links = BS, .wants = A1, .policy = INC }, "PUT /3/0/13, PUT /0/1, PUT /1/0" },
	{ { .links = BS L1, .server = S1, .wants = A1, .policy = PROFILE_REPLACE },
	    "PUT /3/0/13, DELETE /0, DELETE /1, PUT /0/1, PUT /1/0" },
	{ { .links = BS, .wants = A1, .policy = INC, .retain = "/3/0" }, "PUT /0/1, PUT /1/0" },
	{ { .links = BS L1, .server = S1, .wants = A1, .policy = INC, .wrote = A1, .held = BS L1, .held_server = S1 }, "" },
};

START_TEST(the_time_goes_first_and_never_alone)
{
	struct stage st;
	struct bs_plan p = { 0 };

	kit_set(&st, &timed[_i].sc);
	st.d.set_time = true;
	ck_assert_int_eq(bs_plan_for(&st.in, &p, NULL), ERR_OK);
	ck_assert_str_eq(kit_ops(&p), timed[_i].ops);
	for (size_t i = 0; i < p.n_ops; i++)
		ck_assert_int_eq(p.ops[i].clock, lwm2m_path_eq(&p.ops[i].path, &(struct lwm2m_path){ .depth = 3, .id = { 3, 0, 13 } }));
	bs_plan_clear(&p);
	kit_clear(&st);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_plan_is_this, N_ELEMS(rows)),
	UNIT_CASE(each_conflict_is_told_or_decided_by_the_profile, N_ELEMS(conflicts)),
	UNIT_CASE(a_handover_needs_to_know_the_account, N_ELEMS(refused)),
	UNIT_CASE(once_more_means_all_of_it, 0),
	UNIT_CASE(what_is_written_goes_first_where_more_is_retained_and_nothing_discovered, 0),
	UNIT_CASE(the_time_goes_first_and_never_alone, N_ELEMS(timed)),
};

UNIT_SUITE_MAIN("plan", cases)
