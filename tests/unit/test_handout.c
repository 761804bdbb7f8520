/* What a device is given besides its values: keys that stay, the time, certificates that are good.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bsserver/bootstrap/session.h"
#include "bsserver/ports/handout.h"
#include "lib/base/enc.h"
#include "profiles/profile.h"
#include "tests/unit/pki_kit.h"
#include "tests/unit/profile_kit.h"
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
after_discover(struct bs_session *s, bool inspects, const char *clock_fault,
    enum profile_policy policy, bool empty, struct bs_action *act)
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
	s->inspects = inspects;
	bs_session_step(s, &(struct bs_event){ .type = BS_EV_REQUEST }, act);
	bs_session_step(s, &(struct bs_event){ .type = BS_EV_GRANTED, .grant = &g }, act);
	bs_session_step(s, &(struct bs_event){ .type = BS_EV_REPLIED }, act);
	bs_session_step(s, &list, act);
}

static void
to_first_write(struct bs_session *s, const char *clock_fault, enum profile_policy policy,
    bool empty, struct bs_action *act)
{
	after_discover(s, false, clock_fault, policy, empty, act);
}

static void
to_inspect(struct bs_session *s, struct bs_action *act)
{
	after_discover(s, true, NULL, PROFILE_REPLACE, false, act);
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

/* ---- certificates before they are written ---- */

#define OWN "\"identity\": \"$client$\", \"key\": \"$client-key$\", "
#define PIN "\"server_public_key\": \"$server$\""
#define BARE                                                                                       \
	"\"matching_type\": \"sha256\", " OWN                                                       \
	"\"server_public_key\": { \"hex\": "                                                         \
	"\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\" }"
#define YEAR 31536000

static void
compile_account(const char *uri, const char *members, struct profile_desired *d)
{
	static const struct profile_keys keys = { .get = NULL };
	struct gbuf text = { 0 };
	struct kit k = { 0 };
	struct err e = { 0 };

	gbuf_printf(&text,
	    "{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "
	    "\"replace\" }, \"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": "
	    "\"%s\", \"security\": { ",
	    uri);
	pki_kit_fill(members, &text);
	gbuf_str(&text, " } } } }");
	kit_add(&k, "dev", gbuf_cstr(&text));
	kit_resolve(&k);
	ck_assert_msg(
	    profile_compile(k.resolved, lwm2m_model_builtin(), &keys, d, NULL, &e) == ERR_OK, "%s",
	    e.msg);
	kit_clear(&k);
	gbuf_clear(&text);
}

/* clang-format off */
static const struct {
	const char *uri, *members;
	enum { NOBODY, KNOWN, ALLOWED } ca; /* nobody known; the CA; nobody, and the configuration allows it */
	int64_t later; /* seconds after the kit's day */
	const char *verdict; /* somewhere in the verdicts; NULL: refused because of */
	const char *why;
} handouts[] = {
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " OWN PIN, KNOWN, 0, "/0/0: the server's certificate has a good chain", NULL },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " OWN PIN, ALLOWED, 0, "/0/0: the issuer of the server's certificate is not known here: neither chain nor status judged", NULL },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " OWN PIN, NOBODY, 0, NULL, "/0/0/4: the issuer of the server's certificate is not known here; add the CA to a trust for = \"servers\", or set bootstrap.allow_unknown_issuer" },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " BARE, ALLOWED, 0, "/0/0: what the digest in resource 4 is of is not known here: neither", NULL },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " BARE, KNOWN, 0, NULL, "/0/0/4: what the digest in resource 4 is of is not known here; add" },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " BARE, NOBODY, 0, NULL, "/0/0/4: what the digest in resource 4 is of is not known here; add" },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", \"matching_type\": \"sha256\", " OWN PIN, KNOWN, 0, "good chain", NULL },
	{ "coaps://192.0.2.7", "\"mode\": \"x509\", " OWN PIN, KNOWN, 0, "/0/0: wanted ip:192.0.2.7, the certificate is for", NULL },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", \"certificate_usage\": 2, " OWN "\"server_public_key\": \"$ca$\"", NOBODY, 0, "/0/0: resource 4 is valid until 2028-01-15", NULL },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " OWN PIN, KNOWN, YEAR - 86400, "which is before the device is expected again", NULL },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " OWN "\"server_public_key\": \"$staple$\"", KNOWN, 0, "/0/0: the server's certificate promises a stapled status (RFC 7633)", NULL },
	{ "coaps://dm.example.com", "\"mode\": \"rpk\", \"key\": \"$client-key$\", " PIN, NOBODY, 0, "/0/0: the server's public key is well formed", NULL },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", " OWN PIN, KNOWN, YEAR + 60, NULL, "/0/0/3: the certificate has expired: on 2028-01-15T08:00:00Z" },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", \"key\": \"keep\", " PIN, KNOWN, YEAR + 60, NULL, "/0/0/4: the certificate has expired" },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", \"key\": \"keep\", " PIN, KNOWN, -2 * 86400, NULL, "/0/0/4: the certificate is not valid yet: before 2027-01-14" },
	{ "coaps://dm.example.com", "\"mode\": \"x509\", \"key\": \"keep\", \"server_public_key\": \"$client$\"", KNOWN, 0, NULL, "/0/0/4: certificate 0 (CN=dev): the certificate is not meant for this purpose" },
};
/* clang-format on */

/* The CA of the kit, of servers: "ca". */
static struct trust *
trust_of_kit(void)
{
	char file[] = "/tmp/test-handout.XXXXXX";
	const char *pem = pki_kit_pem("ca");
	struct trust_conf c = { .name = "ca", .file = file, .servers = true };
	struct trust *t = NULL;
	struct err e = { 0 };
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, pem, strlen(pem)), (ssize_t)strlen(pem));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_msg(trust_load(&c, 1, &t, &e) == ERR_OK, "%s", e.msg);
	ck_assert_int_eq(unlink(file), 0);
	return t;
}

START_TEST(what_is_handed_out_is_judged_before)
{
	struct profile_desired d = { 0 };
	struct handout_result got = { .n_paths = 0 };
	struct err e = { 0 };
	struct trust *known = trust_of_kit(), *nobody = NULL;

	ck_assert_int_eq(trust_load(NULL, 0, &nobody, &e), ERR_OK);
	trust_allow_unknown(nobody, handouts[_i].ca == ALLOWED);
	compile_account(handouts[_i].uri, handouts[_i].members, &d);
	enum err_code rc = handout_judge(&d, handouts[_i].ca == KNOWN ? known : nobody, NULL,
	    PKI_KIT_NOW + handouts[_i].later, &got, &e);
	if (handouts[_i].verdict != NULL)
		ck_assert_msg(
		    rc == ERR_OK && strstr(gbuf_cstr(&got.verdicts), handouts[_i].verdict) != NULL,
		    "row %d: %s %s", _i, e.msg, gbuf_cstr(&got.verdicts));
	else
		ck_assert_msg(rc == ERR_REFUSED &&
		                  strncmp(e.msg, handouts[_i].why, strlen(handouts[_i].why)) == 0,
		    "row %d: %s %s", _i, e.msg, gbuf_cstr(&got.verdicts));
	handout_result_clear(&got);
	trust_free(known);
	trust_free(nobody);
	profile_desired_clear(&d);
}
END_TEST

static struct pki_cert *
cert_of_kit(const char *name)
{
	struct pki_certs cs = PKI_CERTS_NONE;
	const char *pem = pki_kit_pem(name);

	ck_assert_int_eq(pki_certs_parse(&cs, pem, strlen(pem), 1, NULL), ERR_OK);
	struct pki_cert *c = pki_cert_ref(cs.v[0]);
	pki_certs_clear(&cs);
	return c;
}

#define TRUST_ANCHOR "\"mode\": \"x509\", \"certificate_usage\": 2, " OWN

/* The CA itself, its digest where the CA is known, the digest alone: %s. */
static const struct {
	const char *members;
} of_ca[] = {
	{ TRUST_ANCHOR "\"server_public_key\": \"$ca$\"" },
	{ TRUST_ANCHOR "\"matching_type\": \"sha256\", \"server_public_key\": \"$ca$\"" },
	{ TRUST_ANCHOR "\"matching_type\": \"sha256\", \"server_public_key\": { \"hex\": \"%s\" }" },
};

static void
compile_of_ca(int row, const struct pki_cert *ca, struct profile_desired *d)
{
	struct gbuf hex = { 0 }, members = { 0 };
	const char *at = strstr(of_ca[row].members, "%s");

	enc_hex(&hex, ca->fingerprint, sizeof ca->fingerprint);
	gbuf_put(&members, of_ca[row].members,
	    at == NULL ? strlen(of_ca[row].members) : (size_t)(at - of_ca[row].members));
	if (at != NULL) {
		gbuf_str(&members, gbuf_cstr(&hex));
		gbuf_str(&members, at + 2);
	}
	compile_account("coaps://dm.example.com", gbuf_cstr(&members), d);
	gbuf_clear(&members);
	gbuf_clear(&hex);
}

START_TEST(a_retired_anchor_is_not_handed_out)
{
	struct profile_desired d = { 0 };
	struct pki_cert *ca = cert_of_kit("ca");
	struct trust *t = trust_of_kit();
	struct err e = { 0 };

	compile_of_ca(_i, ca, &d);
	for (int retired = 0; retired < 2; retired++) {
		const struct trust_word w = { "ca", ca->der, retired == 1, 1760000000000 };
		struct handout_result got = { .n_paths = 0 };

		ck_assert_int_eq(trust_put(t, &w, NULL), ERR_OK);
		enum err_code rc = handout_judge(&d, t, NULL, PKI_KIT_NOW, &got, &e);
		ck_assert_msg(rc == (retired == 1 ? ERR_REFUSED : ERR_OK), "%s", e.msg);
		handout_result_clear(&got);
	}
	ck_assert_str_eq(e.msg, "/0/0/4: it is a trust anchor that was retired on 2025-10-09T08:53:20Z");
	trust_free(t);
	pki_cert_unref(ca);
	profile_desired_clear(&d);
}
END_TEST

/* Under the same digest, however it is given; a bare digest says no more. */
START_TEST(what_is_handed_out_is_listed)
{
	struct profile_desired d = { 0 };
	struct pki_cert *ca = cert_of_kit("ca"), *own = cert_of_kit("client");
	struct handout_items l = { 0 };
	struct gbuf hex = { 0 }, json = { 0 };

	compile_of_ca(_i, ca, &d);
	ck_assert_int_eq(handout_list(&d, NULL, &l, NULL), ERR_OK);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_int_eq(l.v[0].kind, HANDOUT_DEVICE);
	ck_assert_int_eq(l.v[1].kind, HANDOUT_ANCHOR);
	ck_assert_int_eq(l.v[1].short_server_id, 101);
	ck_assert(pki_cert_equal(l.v[0].cert, own));
	ck_assert_int_eq(l.v[1].cert != NULL, _i < 2);
	enc_hex(&hex, ca->fingerprint, sizeof ca->fingerprint);
	ck_assert_str_eq(l.v[1].digest, gbuf_cstr(&hex));
	handout_items_json(&l, &json);
	ck_assert_ptr_nonnull(strstr(gbuf_cstr(&json), "{\"kind\":\"device\",\"path\":\"/0/0/3\",\"short_server_id\":101,"));
	ck_assert_int_eq(strstr(gbuf_cstr(&json), "\"subject\":\"CN=Root\",\"not_after\":") != NULL, _i < 2);
	handout_items_clear(&l);
	gbuf_clear(&hex);
	gbuf_clear(&json);
	pki_cert_unref(ca);
	pki_cert_unref(own);
	profile_desired_clear(&d);
}
END_TEST

/* Nothing leaves before the answer, and a refusal ends the session. */
START_TEST(a_bad_handout_ends_the_session_before_anything_is_written)
{
	struct bs_event failed = { .type = BS_EV_INSPECT_FAILED, .text = "/0/1/4: expired" };
	struct bs_event good = { .type = BS_EV_INSPECTED, .text = "/0/1: good" };
	struct bs_session s;
	struct bs_action act;

	to_first_write(&s, NULL, PROFILE_REPLACE, false, &act);
	ck_assert_int_eq(act.type, BS_ACT_SEND); /* nobody inspects: the next time somebody does */
	bs_session_clear(&s);
	for (int i = 0; i < 2; i++) {
		to_inspect(&s, &act);
		ck_assert_int_eq(act.type, BS_ACT_INSPECT);
		ck_assert(!s.wrote);
		bs_session_step(&s, i == 0 ? &failed : &good, &act);
		ck_assert_int_eq(act.type, i == 0 ? BS_ACT_RECORD : BS_ACT_SEND);
		ck_assert_int_eq(s.rec.reason, i == 0 ? BS_REASON_HANDOUT : BS_REASON_NONE);
		bs_session_clear(&s);
	}
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_is_handed_out_is_judged_before, N_ELEMS(handouts)),
	UNIT_CASE(a_retired_anchor_is_not_handed_out, N_ELEMS(of_ca)),
	UNIT_CASE(what_is_handed_out_is_listed, N_ELEMS(of_ca)),
	UNIT_CASE(a_bad_handout_ends_the_session_before_anything_is_written, 0),
	UNIT_CASE(the_time_is_written_first_and_is_that_of_sending, 0),
	UNIT_CASE(a_clock_that_may_be_wrong_is_not_handed_on, 0),
	UNIT_CASE(the_time_alone_is_no_reason_to_write, 0),
	UNIT_CASE(a_kept_key_is_written_around, N_ELEMS(plans)),
};

UNIT_SUITE_MAIN("handout", cases)
