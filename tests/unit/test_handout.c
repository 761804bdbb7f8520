/* A private key that stays in the device: what is planned for the account that it belongs to. */
#include <stdio.h>
#include <string.h>

#include "bsserver/bootstrap/session.h"
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

/* ---- the time for devices without a clock ---- */

#define NOW_MS INT64_C(1800000000123)

/* A session of a profile that sets the time, up to what it asks after Discover. */
static void
to_first_write(struct bs_session *s, const char *clock_fault, enum profile_policy policy,
    bool empty, struct bs_action *act)
{
	static const char links[] = "</>;lwm2m=1.1,</0/0>,</0/2>;ssid=102,</3/0>";
	struct bs_grant g = { .remembered_format = -1, .endpoint = strdup("dev") };
	struct bs_event list = { .type = BS_EV_RESPONSE,
		.code = 0x45,
		.format = LWM2M_CF_LINK,
		.payload = (const uint8_t *)links,
		.payload_len = sizeof links - 1,
		.wall_ms = NOW_MS,
		.clock_fault = clock_fault };

	if (empty)
		g.desired =
		    (struct profile_desired){ .policy = policy, .format = PROFILE_FORMAT_AUTO };
	else
		desire(&g.desired, policy);
	g.desired.set_time = true;
	bs_session_init(s, lwm2m_model_builtin());
	bs_session_step(s, &(struct bs_event){ .type = BS_EV_REQUEST }, act);
	bs_session_step(s, &(struct bs_event){ .type = BS_EV_GRANTED, .grant = &g }, act);
	bs_session_step(s, &(struct bs_event){ .type = BS_EV_REPLIED }, act);
	bs_session_step(s, &list, act);
}

START_TEST(the_time_is_written_first_and_is_that_of_sending)
{
	static const uint8_t tlv[] = { 0xc4, 0x0d, 0x6b, 0x49, 0xd2, 0x00 };
	static const uint8_t later[] = { 0xc4, 0x0d, 0x6b, 0x49, 0xd2, 0x05 };
	struct bs_session s;
	struct bs_action act;

	to_first_write(&s, NULL, PROFILE_REPLACE, false, &act);
	ck_assert_int_eq(act.type, BS_ACT_SEND);
	ck_assert_str_eq(lwm2m_path_str(act.send.path).s, "/3/0/13");
	ck_assert_uint_eq(act.send.payload_len, sizeof tlv);
	ck_assert_mem_eq(act.send.payload, tlv, sizeof tlv);
	/* another content format is asked for, five seconds later */
	bs_session_step(&s,
	    &(struct bs_event){ .type = BS_EV_RESPONSE, .code = 0x8f, .wall_ms = NOW_MS + 5000 },
	    &act);
	ck_assert_str_eq(lwm2m_path_str(act.send.path).s, "/3/0/13");
	ck_assert_int_eq(act.send.format, LWM2M_CF_SENML_CBOR);
	ck_assert_mem_eq(act.send.payload + act.send.payload_len - 4, later + 2, sizeof later - 2);
	bs_session_step(&s, &(struct bs_event){ .type = BS_EV_RESPONSE, .code = 0x44 }, &act);
	ck_assert_str_eq(lwm2m_path_str(act.send.path).s, "/0/1");
	bs_session_clear(&s);
}
END_TEST

START_TEST(a_clock_that_may_be_wrong_is_not_handed_on)
{
	struct bs_session s;
	struct bs_action act;

	to_first_write(&s, "nobody keeps it", PROFILE_REPLACE, false, &act);
	ck_assert_int_eq(act.type, BS_ACT_RECORD);
	ck_assert_int_eq(s.rec.verdict, BS_VERDICT_FAILED);
	ck_assert_int_eq(s.rec.reason, BS_REASON_CLOCK);
	ck_assert_str_eq(s.rec.path, "/3/0/13");
	ck_assert_str_eq(s.rec.detail, "our own clock is not known to be right: nobody keeps it");
	bs_session_clear(&s);
}
END_TEST

START_TEST(the_time_alone_is_no_reason_to_write)
{
	struct bs_session s;
	struct bs_action act;

	to_first_write(&s, "nobody keeps it", PROFILE_MERGE, true, &act);
	ck_assert_int_eq(act.type, BS_ACT_SEND);
	ck_assert(act.send.finish);
	bs_session_clear(&s);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(the_time_is_written_first_and_is_that_of_sending, 0),
	UNIT_CASE(a_clock_that_may_be_wrong_is_not_handed_on, 0),
	UNIT_CASE(the_time_alone_is_no_reason_to_write, 0),
	UNIT_CASE(a_kept_key_is_written_around, N_ELEMS(plans)),
};

UNIT_SUITE_MAIN("handout", cases)
