/* A private key that stays in the device: what is planned for the account that it belongs to. */
#include <stdio.h>
#include <string.h>

#include "bsserver/bootstrap/plan.h"
#include "tests/unit/unit.h"

/* Two accounts, the second (Short Server ID 102) with its key in the device. */
static void
desire(struct profile_desired *d, enum profile_policy policy)
{
	static const struct {
		uint16_t iid, rid;
		int64_t number;
	} values[] = { { 0, 2, 3 }, { 0, 10, 101 }, { 1, 2, 2 }, { 1, 10, 102 }, { 1, 15, 2 } };

	*d = (struct profile_desired){ .policy = policy, .format = PROFILE_FORMAT_AUTO };
	for (size_t i = 0; i < N_ELEMS(values); i++) {
		struct lwm2m_value v = lwm2m_int(values[i].number);

		ck_assert_int_eq(
		    lwm2m_tree_add(&d->tree,
		        lwm2m_path3(LWM2M_SECURITY, values[i].iid, values[i].rid), &v, NULL),
		    ERR_OK);
	}
	ck_assert_int_eq(profile_desired_keep(d, lwm2m_path3(LWM2M_SECURITY, 1, 3), NULL), ERR_OK);
	ck_assert_int_eq(profile_desired_keep(d, lwm2m_path3(LWM2M_SECURITY, 1, 5), NULL), ERR_OK);
}

static enum err_code
plan(enum profile_policy policy, const char *links, struct gbuf *out, struct err *e)
{
	struct bs_inventory inv = { .account = BS_UNKNOWN_INSTANCE };
	struct profile_desired d;
	struct bs_plan p = { 0 };

	desire(&d, policy);
	ck_assert_int_eq(
	    bs_inventory_discover(&inv, (const uint8_t *)links, strlen(links), e), ERR_OK);
	enum err_code rc = bs_plan_make(&d, &inv, lwm2m_model_builtin(), &p, e);
	for (size_t i = 0; i < p.n_ops; i++)
		gbuf_printf(out, "%c%s ", p.ops[i].method == BS_DELETE ? '-' : '+',
		    lwm2m_path_str(p.ops[i].path).s);
	bs_plan_clear(&p);
	bs_inventory_clear(&inv);
	profile_desired_clear(&d);
	return rc;
}

/* clang-format off */
static const struct {
	enum profile_policy policy;
	const char *links, *ops; /* NULL: */
	const char *error;
} plans[] = {
	{ PROFILE_REPLACE, "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=102,</0/2>;ssid=7", "-/0/2 +/0/1/2 +/0/1/10 +/0/1/15 +/0/2 ", NULL },
	{ PROFILE_REPLACE, "</>;lwm2m=1.1,</0/1>,</0/0>;ssid=102", "+/0/0/2 +/0/0/10 +/0/0/15 +/0/2 ", NULL },
	{ PROFILE_MERGE, "</>;lwm2m=1.1,</0/0>,</0/3>;ssid=102,</0/1>;ssid=101", "+/0/1 +/0/3/2 +/0/3/10 +/0/3/15 ", NULL },
	{ PROFILE_REPLACE, "</>;lwm2m=1.1,</0/0>,</0/2>;ssid=101", NULL,
	  "/0: a private key is to stay in the device, and it lists no account with that Short Server ID" },
	{ PROFILE_MERGE, "</>;lwm2m=1.1,</0/0>", NULL,
	  "/0: a private key is to stay in the device, and it lists no account with that Short Server ID" },
};
/* clang-format on */

START_TEST(a_kept_key_is_written_around)
{
	struct gbuf got = { 0 };
	struct err e = { 0 };
	enum err_code rc = plan(plans[_i].policy, plans[_i].links, &got, &e);

	if (plans[_i].error != NULL) {
		ck_assert_int_eq(rc, ERR_CONFLICT);
		ck_assert_str_eq(e.msg, plans[_i].error);
	} else {
		ck_assert_msg(rc == ERR_OK, "row %d: %s", _i, e.msg);
		ck_assert_str_eq(gbuf_cstr(&got), plans[_i].ops);
	}
	gbuf_clear(&got);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_kept_key_is_written_around, N_ELEMS(plans)),
};

UNIT_SUITE_MAIN("handout", cases)
