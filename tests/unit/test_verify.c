/* What Discover and Read say afterwards, held against what was planned: equal, different, not shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/verify.h"
#include "lib/lwm2m/reason.h"
#include "tests/unit/plan_kit.h"
#include "tests/unit/unit.h"

#define SEC "0/1/0=coaps://a 0/1/1=false 0/1/2=0 0/1/3=dev 0/1/5=key 0/1/10=101 "
#define SRV "1/0/0=101 1/0/1=60 1/0/6=true 1/0/7=U "
#define ACL "2/0/0=3 2/0/1=0 2/0/2/101=31 2/0/3=101 "
#define BS "</>;lwm2m=1.1,</0/0>,</3/0>"
#define LSEC ",</0/1>;ssid=101;uri=\"coaps://a\""
#define LSRV ",</1/0>;ssid=101"
#define HIDDEN "/0/1/1 /0/1/2 /0/1/3 /0/1/5"

#define FINE BS_REASON_NONE
#define OTHER BS_REASON_DIFFERENT
#define GONE BS_REASON_MISSING
#define LEFT BS_REASON_LEFT_OVER
#define HID BS_REASON_NOT_CONFIRMED

/* clang-format off */
static const struct {
	const char *name;
	const char *links, *server, *acl; /* NULL: not served */
	const char *plan;
	const char *deleted;              /* by the plan; NULL */
	const char *exact;                /* an Object that holds exactly this; NULL */
	const char *required;             /* must be confirmed; NULL */
	enum bs_reason reason;
	const char *path, *detail;        /* "" without a reason */
	size_t equal, different, not_shown;
	const char *unconfirmed;
} rows[] = {
	/* equal */
	{ "all that can be shown is shown", BS LSEC LSRV, SRV, NULL, SEC SRV, NULL, NULL, NULL,
	  FINE, "", "", 6, 0, 4, HIDDEN },
	{ "what others own beside it is none of its business", BS LSEC LSRV ",</0/2>;ssid=9,</1/7>;ssid=9,</2/4>", SRV "1/7/0=9 ", NULL,
	  SEC SRV, NULL, NULL, NULL, FINE, "", "", 6, 0, 4, HIDDEN },
	{ "the uri counts as read where Discover has it", BS LSEC, NULL, NULL, SEC, NULL, NULL, "/0/1/0", FINE, "", "", 2, 0, 4, HIDDEN },
	{ "rights with their entries", BS ",</2/0>", NULL, ACL, ACL, NULL, NULL, NULL, FINE, "", "", 4, 0, 0, "" },
	{ "more than was written, of the client's own", BS LSRV, SRV "1/0/12=1700000000 1/0/13=0 ", NULL, SRV, NULL, NULL, NULL,
	  FINE, "", "", 4, 0, 0, "" },

	/* not shown is neither */
	{ "a client that knows fewer resources", BS LSRV, "1/0/0=101 1/0/1=60 ", NULL, SRV, NULL, NULL, NULL,
	  FINE, "", "", 2, 0, 2, "/1/0/6 /1/0/7" },
	{ "a client that serves no Read", BS LSEC LSRV, NULL, NULL, SEC SRV, NULL, NULL, NULL,
	  FINE, "", "", 3, 0, 7, HIDDEN " /1/0/1 /1/0/6 /1/0/7" },
	{ "a client that serves neither", NULL, NULL, NULL, SRV, NULL, NULL, NULL,
	  FINE, "", "", 0, 0, 4, "/1/0/0 /1/0/1 /1/0/6 /1/0/7" },
	{ "a client of 1.0 lists no uri", BS ",</0/1>;ssid=101", NULL, NULL, SEC, NULL, NULL, NULL,
	  FINE, "", "", 1, 0, 5, "/0/1/0 " HIDDEN },
	{ "unless the profile wants it confirmed", BS LSEC LSRV, NULL, NULL, SEC SRV, NULL, NULL, "/1/0/1",
	  HID, "/1/0/1", "/1/0/1 was written, but the device does not show it", 3, 0, 7, HIDDEN " /1/0/1 /1/0/6 /1/0/7" },
	{ "an Object that is wanted confirmed", BS LSEC, NULL, NULL, SEC, NULL, NULL, "/0",
	  HID, "/0/1/1", "/0/1/1 was written, but the device does not show it", 2, 0, 4, HIDDEN },

	/* different */
	{ "another value", BS LSRV, "1/0/0=101 1/0/1=61 1/0/6=true 1/0/7=U ", NULL, SRV, NULL, NULL, NULL,
	  OTHER, "/1/0/1", "/1/0/1 was written and reads back as something else", 3, 1, 0, "" },
	{ "two other values: the first is told, both are counted", BS LSRV, "1/0/0=101 1/0/1=61 1/0/6=false 1/0/7=U ", NULL, SRV, NULL, NULL, NULL,
	  OTHER, "/1/0/1", "/1/0/1 was written and reads back as something else", 2, 2, 0, "" },
	{ "another Short Server ID in Discover", BS LSEC ",</1/0>;ssid=9", NULL, NULL, SEC SRV, NULL, NULL, NULL,
	  OTHER, "/1/0", "/1/0 belongs to Short Server ID 9, not to 101", 3, 0, 7, HIDDEN " /1/0/1 /1/0/6 /1/0/7" },
	{ "an account that became a bootstrap account", "</>;lwm2m=1.1,</0/1>", NULL, NULL, SEC, NULL, NULL, NULL,
	  OTHER, "/0/1", "/0/1 was written as an account and is listed without ssid", 0, 0, 6, "/0/1/0 " HIDDEN " /0/1/10" },
	{ "another uri", BS ",</0/1>;ssid=101;uri=\"coaps://b\"", NULL, NULL, SEC, NULL, NULL, NULL,
	  OTHER, "/0/1", "/0/1 is listed with another uri than was written", 2, 0, 4, HIDDEN },
	{ "another right", BS ",</2/0>", NULL, "2/0/0=3 2/0/1=0 2/0/2/101=1 2/0/3=101 ", ACL, NULL, NULL, NULL,
	  OTHER, "/2/0/2/101", "/2/0/2/101 was written and reads back as something else", 3, 1, 0, "" },
	{ "another owner", BS ",</2/0>", NULL, "2/0/0=3 2/0/1=0 2/0/2/101=31 2/0/3=9 ", ACL, NULL, NULL, NULL,
	  OTHER, "/2/0/3", "/2/0/3 was written and reads back as something else", 3, 1, 0, "" },
	{ "a right that nobody wrote", BS ",</2/0>", NULL, ACL "2/0/2/9=31 ", ACL, NULL, NULL, NULL,
	  OTHER, "/2/0/2/9", "/2/0/2/9 was not written, but reads back", 4, 0, 0, "" },
	{ "Discover speaks before Read", BS ",</1/0>;ssid=9", "1/0/0=101 1/0/1=61 1/0/6=true 1/0/7=U ", NULL, SRV, NULL, NULL, NULL,
	  OTHER, "/1/0", "/1/0 belongs to Short Server ID 9, not to 101", 3, 1, 0, "" },

	/* missing */
	{ "not listed", BS LSEC, NULL, NULL, SEC SRV, NULL, NULL, NULL,
	  GONE, "/1/0", "/1/0 was written, but the device does not list it", 2, 0, 8, HIDDEN " /1/0/0 /1/0/1 /1/0/6 /1/0/7" },
	{ "listed, and not in what Read shows", BS LSRV, "1/3/0=9 ", NULL, SRV, NULL, NULL, NULL,
	  GONE, "/1/0", "/1/0 was written, but Read does not show it", 1, 0, 3, "/1/0/1 /1/0/6 /1/0/7" },
	{ "without Discover, not in what Read shows", NULL, "1/3/0=9 ", NULL, SRV, NULL, NULL, NULL,
	  GONE, "/1/0", "/1/0 was written, but Read does not show it", 0, 0, 4, "/1/0/0 /1/0/1 /1/0/6 /1/0/7" },

	/* left over */
	{ "an instance in an Object that holds exactly this", BS LSEC LSRV ",</1/3>;ssid=9", SRV, NULL, SEC SRV, NULL, "/1", NULL,
	  LEFT, "/1/3", "/1/3 was deleted, but the device still lists it", 6, 0, 4, HIDDEN },
	{ "the bootstrap account is none", BS LSEC LSRV, SRV, NULL, SEC SRV, NULL, "/0", NULL, FINE, "", "", 6, 0, 4, HIDDEN },
	{ "what is deleted and still listed", BS LSRV ",</1/3>;ssid=9", SRV, NULL, SRV, "/1/3", NULL, NULL,
	  LEFT, "/1/3", "/1/3 was deleted, but the device still shows it", 4, 0, 0, "" },
	{ "what is deleted and can still be read", NULL, SRV "1/3/0=9 ", NULL, SRV, "/1/3", NULL, NULL,
	  LEFT, "/1/3", "/1/3 was deleted, but the device still shows it", 4, 0, 0, "" },
	{ "what is deleted to be written anew", BS LSRV, SRV, NULL, SRV, "/1/0", NULL, NULL, FINE, "", "", 4, 0, 0, "" },
	{ "read, though the Object should hold exactly this", NULL, SRV "1/3/0=9 ", NULL, SRV, NULL, "/1", NULL,
	  LEFT, "/1/3", "/1/3 was deleted, but it can still be read", 4, 0, 0, "" },
};
/* clang-format on */

static void
set_plan(int row, struct bs_plan *p, struct profile_desired *d)
{
	struct lwm2m_path path;

	kit_tree(&p->tree, rows[row].plan);
	if (rows[row].deleted != NULL) {
		p->ops = calloc(1, sizeof *p->ops);
		p->n_ops = 1;
		p->ops[0].method = BS_DELETE;
		ck_assert_int_eq(lwm2m_path_parse(rows[row].deleted, strlen(rows[row].deleted), &p->ops[0].path, NULL), ERR_OK);
	}
	if (rows[row].exact != NULL) {
		ck_assert_int_eq(lwm2m_path_parse(rows[row].exact, strlen(rows[row].exact), &path, NULL), ERR_OK);
		p->exact = calloc(1, sizeof *p->exact);
		p->exact[p->n_exact++] = path.id[0];
	}
	if (rows[row].required != NULL) {
		d->required_confirmed = calloc(1, sizeof *d->required_confirmed);
		d->n_required_confirmed = 1;
		ck_assert_int_eq(lwm2m_path_parse(rows[row].required, strlen(rows[row].required), d->required_confirmed, NULL), ERR_OK);
	}
}

START_TEST(a_device_that_shows_this_is_judged_so)
{
	const struct scene sc = { .links = rows[_i].links, .server = rows[_i].server, .acl = rows[_i].acl };
	struct stage st;
	struct bs_plan p = { 0 };
	struct bs_verified v = { 0 };

	kit_set(&st, &sc);
	set_plan(_i, &p, &st.d);
	ck_assert_int_eq(bs_verify(&st.d, &p, &st.inv, &v, NULL), ERR_OK);
	ck_assert_msg(v.reason == rows[_i].reason, "%s: %s (%s)", rows[_i].name, bs_reason_name(v.reason), v.detail);
	ck_assert_str_eq(v.detail, rows[_i].detail);
	if (v.reason != BS_REASON_NONE)
		ck_assert_str_eq(lwm2m_path_str(v.path).s, rows[_i].path);
	ck_assert_str_eq(gbuf_cstr(&v.unconfirmed), rows[_i].unconfirmed);
	ck_assert_msg(v.equal == rows[_i].equal && v.different == rows[_i].different && v.not_shown == rows[_i].not_shown,
	    "%s: %zu equal, %zu different, %zu not shown", rows[_i].name, v.equal, v.different, v.not_shown);
	bs_verified_clear(&v);
	bs_plan_clear(&p);
	kit_clear(&st);
}
END_TEST

/* An instance that stays because the profile says so is nothing left over. */
START_TEST(what_is_retained_may_stay)
{
	const struct scene sc = { .links = BS LSRV ",</1/3>;ssid=9", .server = SRV, .retain = "/1/3" };
	uint16_t exact = 1;
	struct stage st;
	struct bs_plan p = { .exact = &exact, .n_exact = 1 };
	struct bs_verified v = { 0 };

	kit_set(&st, &sc);
	kit_tree(&p.tree, SRV);
	ck_assert_int_eq(bs_verify(&st.d, &p, &st.inv, &v, NULL), ERR_OK);
	ck_assert_msg(v.reason == BS_REASON_NONE, "%s", v.detail);
	bs_verified_clear(&v);
	lwm2m_tree_clear(&p.tree);
	kit_clear(&st);
}
END_TEST

/* What is not shown is listed up to a bound, and counted beyond it. */
START_TEST(what_is_not_shown_is_listed_up_to_a_bound)
{
	const struct scene sc = { .links = "</>;lwm2m=1.1,</0/0>" };
	struct stage st;
	struct bs_plan p = { 0 };
	struct bs_verified v = { 0 };
	size_t listed = 1;

	kit_set(&st, &sc);
	st.inv.discovered = false;
	for (uint16_t i = 0; i < 100; i++) {
		struct lwm2m_value n = lwm2m_int(i);
		ck_assert_int_eq(lwm2m_tree_put(&p.tree, lwm2m_path3(50, i, 0), &n, NULL), ERR_OK);
	}
	ck_assert_int_eq(bs_verify(&st.d, &p, &st.inv, &v, NULL), ERR_OK);
	ck_assert_uint_eq(v.not_shown, 100);
	for (const char *s = gbuf_cstr(&v.unconfirmed); *s != 0; s++)
		listed += *s == ' ';
	ck_assert_uint_eq(listed, 64);
	bs_verified_clear(&v);
	lwm2m_tree_clear(&p.tree);
	kit_clear(&st);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_device_that_shows_this_is_judged_so, N_ELEMS(rows)),
	UNIT_CASE(what_is_retained_may_stay, 0),
	UNIT_CASE(what_is_not_shown_is_listed_up_to_a_bound, 0),
};

UNIT_SUITE_MAIN("verify", cases)
