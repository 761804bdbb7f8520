/* What is found on a device, and what the plan does about it. */
#include <stdio.h>
#include <string.h>

#include "bsserver/bootstrap/audit.h"
#include "tests/unit/plan_kit.h"
#include "tests/unit/unit.h"

#define SEC(k, ssid, uri)                                                                          \
	"0/" k "/0=" uri " 0/" k "/1=false 0/" k "/2=0 0/" k "/3=dev 0/" k "/5=key" ssid " 0/" k "/10=" ssid " "
#define SRV(k, ssid) "1/" k "/0=" ssid " 1/" k "/1=60 1/" k "/6=true 1/" k "/7=U "
#define A1 SEC("0", "101", "coaps://a") SRV("0", "101")
#define BS "</>;lwm2m=1.1,</0/0>,</3/0>"
#define L1 ",</0/1>;ssid=101;uri=\"coaps://a\",</1/0>;ssid=101"
#define L7 ",</0/5>;ssid=7;uri=\"coaps://x\",</1/5>;ssid=7"
#define S1 SRV("0", "101")
#define S7 SRV("5", "7")
#define INC .policy = PROFILE_INCREMENTAL
#define KNOWN .wrote = A1, .held = BS L1

static const struct {
	struct scene sc;
	const char *finds; /* "name remedy paths", one after the other with "; " */
} rows[] = {
	{ { .links = BS L1, .server = S1, .wants = A1, INC, KNOWN }, "" },
	{ { .links = BS, .wants = A1, INC }, "" },
	{ { .wants = A1, INC }, "not_known none /" },
	{ { .links = BS L1 ",</2/0>", .wants = A1, INC, KNOWN }, "not_known none /1; not_known none /2" },
	{ { .links = BS ",</0/1>;ssid=101", .wants = A1, INC }, "half_account add /0/1" },
	{ { .links = BS ",</1/5>;ssid=7", .server = S7, .wants = A1, INC },
	    "half_account keep /1/5; dead_foreign_account keep /1/5" },
	{ { .links = BS ",</1/5>;ssid=7", .server = S7 "1/5/16=false", .wants = A1, INC },
	    "half_account keep /1/5; foreign_account keep /1/5" },
	{ { .links = BS L1 ",</1/8>;ssid=101", .server = S1, .wants = A1, INC, KNOWN }, "ssid_twice remove /1/0 /1/8" },
	{ { .links = BS L7, .server = S7, .wants = A1, INC }, "foreign_account keep /0/5 /1/5" },
	{ { .links = BS L7, .server = S7, .wants = A1, INC, .foreign = PROFILE_FOREIGN_REMOVE },
	    "foreign_account remove /0/5 /1/5" },
	{ { .links = BS L7, .server = S7 "1/5/11=48", .wants = A1, INC, .foreign = PROFILE_FOREIGN_REMOVE_INVALID },
	    "dead_foreign_account remove /0/5 /1/5; tls_alert remove /1/5/11; credential_rejected remove /0/5 /1/5" },
	{ { .links = BS L1, .server = S1 "1/0/11=42", .wants = A1, INC, KNOWN },
	    "tls_alert rewrite /1/0/11; credential_rejected rewrite /0/1 /1/0" },
	{ { .links = BS L1, .server = S1 "1/0/11=80", .wants = A1, INC, KNOWN }, "tls_alert rewrite /1/0/11" },
	{ { .links = BS L1, .server = S1 "1/0/12=1699999000", .wants = A1, INC, KNOWN }, "bootstrapped_elsewhere rewrite " },
	{ { .links = BS L1, .server = S1, .wants = A1, INC, KNOWN, .expiries = "101=1600000000" },
	    "certificate_expired rewrite /0/1 /1/0" },
	{ { .links = BS L1, .server = S1, .wants = A1, INC, KNOWN, .gone_s = 60 },
	    "early_return rewrite ; server_unreachable rewrite /0/1" },
	{ { .links = BS L1, .server = S1 "1/0/11=46", .wants = A1, INC, KNOWN, .gone_s = 60 },
	    "early_return rewrite ; tls_alert rewrite /1/0/11; credential_rejected rewrite /0/1 /1/0" },
	{ { .links = BS L1, .server = S1, .wants = A1, INC, KNOWN, .failed_since = true }, "after_failure rewrite " },
	{ { .links = BS, .wants = A1, INC, KNOWN }, "account_lost add /0/1" },
	{ { .links = BS L1, .server = "1/0/0=101 1/0/1=77 1/0/6=true 1/0/7=U", .wants = A1, INC, KNOWN, .held_server = S1 },
	    "drift rewrite /1/0/1" },
	{ { .links = BS L1 ",</2/0>,</2/1>", .server = S1,
	      .acl = "2/0/0=3 2/0/1=0 2/0/3=9 2/1/0=5 2/1/1=3 2/1/3=101", .wants = A1, INC, KNOWN },
	    "acl_owner_unknown none /2/0; acl_target_missing remove /2/1" },
	{ { .links = BS L1 ",</2/0>,</2/1>", .server = S1,
	      .acl = "2/0/0=3 2/0/1=0 2/0/3=101 2/1/0=3 2/1/1=0 2/1/3=101", .wants = A1 "2/0/0=3 2/0/1=0 2/0/3=101", INC, KNOWN },
	    "acl_twice remove /2/1" },
	{ { .links = BS L1 L7 ",</2/0>,</2/1>", .server = S1 S7,
	      .acl = "2/0/0=1 2/0/1=0 2/0/3=101 2/1/0=1 2/1/1=5 2/1/3=7", .wants = A1 "2/0/0=3 2/0/1=0 2/0/3=101", INC, KNOWN },
	    "foreign_account keep /0/5 /1/5; instance_without_acl add /3/0" },
	{ { .links = BS L1 ",</2/0>", .server = S1, .acl = "2/0/0=5 2/0/1=65535 2/0/2/9=16 2/0/3=65535",
	      .wants = A1 "2/0/0=5 2/0/1=65535 2/0/2/101=16 2/0/3=65535", INC, KNOWN },
	    "create_right_missing rewrite /2/0; create_right_left_over rewrite /2/0" },
};

static const char *
found(const struct bs_findings *f)
{
	static char text[1024];
	size_t len = 0;

	text[0] = 0;
	for (size_t i = 0; i < f->n && len < sizeof text; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s %s", i > 0 ? "; " : "",
		    bs_finding_name(f->v[i].kind), bs_remedy_name(f->v[i].remedy), f->v[i].paths);
	return text;
}

START_TEST(an_audit_finds_this)
{
	struct stage st;
	struct bs_plan p = { 0 };
	struct bs_findings f = { 0 };
	struct err e = { 0 };

	kit_set(&st, &rows[_i].sc);
	ck_assert_msg(bs_plan_for(&st.in, &p, &e) == ERR_OK, "row %d: %s", _i, e.msg);
	bs_audit(&st.in, &p, &f);
	ck_assert_msg(strcmp(found(&f), rows[_i].finds) == 0, "row %d: %s", _i, found(&f));
	for (size_t i = 0; i < f.n; i++)
		ck_assert_uint_gt(strlen(f.v[i].detail), 10);
	bs_findings_clear(&f);
	bs_plan_clear(&p);
	kit_clear(&st);
}
END_TEST

START_TEST(without_a_plan_nothing_is_promised)
{
	struct stage st;
	struct bs_findings f = { 0 };

	kit_set(&st, &rows[11].sc);
	bs_audit(&st.in, NULL, &f);
	ck_assert_str_eq(found(&f), "tls_alert none /1/0/11; credential_rejected none /0/1 /1/0");
	bs_findings_clear(&f);
	kit_clear(&st);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(an_audit_finds_this, N_ELEMS(rows)),
	UNIT_CASE(without_a_plan_nothing_is_promised, 0),
};

UNIT_SUITE_MAIN("audit", cases)
