/* Trust anchors of files and of the store together: which count, and what is said of those that do not. */
#include <string.h>

#include "bsserver/auth/trust.h"
#include "tests/unit/cert_kit.h"
#include "tests/unit/unit.h"

#define RETIRED_MS INT64_C(1760000000000) /* 2025-10-09 */

static struct pki_cert *
first_of(const char *pem)
{
	struct pki_certs cs = PKI_CERTS_NONE;

	ck_assert_int_eq(pki_certs_parse(&cs, pem, strlen(pem), 8, NULL), ERR_OK);
	struct pki_cert *c = pki_cert_ref(cs.v[0]);
	pki_certs_clear(&cs);
	return c;
}

static struct trust *
load(bool servers)
{
	const struct trust_conf c[] = { { "fleet", kit_file("a.pem", kit_ca("factory"), 0644), false, servers } };
	struct trust *t = NULL;
	struct err e = { 0 };

	ck_assert_msg(trust_load(c, 1, &t, &e) == ERR_OK, "%s", e.msg);
	return t;
}

static void
say(struct trust *t, const char *name, const struct pki_cert *c, bool retired)
{
	ck_assert_int_eq(trust_put(t, &(struct trust_word){ name, c->der, retired, RETIRED_MS }, NULL), ERR_OK);
}

static enum pki_reason
judge(const struct trust *t, const struct pki_cert *device, struct gbuf *why)
{
	struct trust_verdict v;

	trust_judge(t, &device->der, 1, device->not_before + 100, &v);
	gbuf_reset(why);
	gbuf_str(why, v.why);
	trust_proof_free(v.proof);
	return v.reason;
}

/* What is said of the factory's anchor, which the file has, and of another CA's. */
static const struct {
	const char *factory, *foreign; /* "", "+" added, "-" retired; of another trust: "?" */
	enum pki_reason of_factory, of_foreign;
	size_t anchors;
	const char *why; /* of the factory's device */
} rows[] = {
	{ "", "", PKI_OK, PKI_R_UNKNOWN_CA, 1, "" },
	{ "", "+", PKI_OK, PKI_OK, 2, "" },
	{ "+", "+", PKI_OK, PKI_OK, 2, "" }, /* both say so: once */
	{ "-", "+", PKI_R_UNKNOWN_CA, PKI_OK, 1, "unknown_ca: the trust anchor CN=factory" },
	{ "-", "-", PKI_R_UNKNOWN_CA, PKI_R_UNKNOWN_CA, 0, " was retired on 2025-10-09T" },
	{ "", "-", PKI_OK, PKI_R_UNKNOWN_CA, 1, "" },
	{ "-+", "+-", PKI_OK, PKI_R_UNKNOWN_CA, 1, "" }, /* the later word counts */
	{ "?", "?", PKI_OK, PKI_R_UNKNOWN_CA, 1, "" }, /* no such trust is configured */
};

static void
say_all(struct trust *t, const char *words, const struct pki_cert *c)
{
	for (; *words != '\0'; words++)
		say(t, *words == '?' ? "nobody" : "fleet", c, *words == '-');
}

START_TEST(files_and_store_together_say_who_is_trusted)
{
	const struct kit_spec of_factory = { .cn = "dev-1", .ca = "factory" }, of_foreign = { .cn = "dev-2", .ca = "foreign" };
	struct kit_cert a, b;
	struct gbuf why = { 0 };
	struct trust *t, *again;

	kit_make(&of_factory, &a);
	kit_make(&of_foreign, &b);
	struct pki_cert *ca = first_of(kit_ca("factory")), *cb = first_of(kit_ca("foreign"));
	struct pki_cert *da = first_of(gbuf_cstr(&a.chain)), *db = first_of(gbuf_cstr(&b.chain));
	t = load(false);
	say_all(t, rows[_i].factory, ca);
	say_all(t, rows[_i].foreign, cb);
	again = load(false); /* as after SIGHUP */
	ck_assert_int_eq(trust_adopt(again, t, NULL), ERR_OK);
	trust_free(t);
	ck_assert_int_eq(judge(again, db, &why), rows[_i].of_foreign);
	ck_assert_int_eq(judge(again, da, &why), rows[_i].of_factory);
	ck_assert_msg(strstr(gbuf_cstr(&why), rows[_i].why) != NULL, "row %d: %s", _i, gbuf_cstr(&why));
	ck_assert_uint_eq(trust_anchors(again), rows[_i].anchors);
	ck_assert_int_eq(trust_counts(again, "fleet", ca->der), rows[_i].of_factory == PKI_OK);
	ck_assert_int_eq(trust_counts(again, "fleet", cb->der), rows[_i].of_foreign == PKI_OK);
	ck_assert(!trust_counts(again, "nobody", ca->der));
	ck_assert_int_eq(trust_retired(again, ca) != 0, strcmp(rows[_i].factory, "-") == 0);
	trust_free(again);
	pki_cert_unref(ca);
	pki_cert_unref(cb);
	pki_cert_unref(da);
	pki_cert_unref(db);
	gbuf_clear(&why);
	kit_clear(&a);
	kit_clear(&b);
	kit_end();
}
END_TEST

START_TEST(a_trust_of_servers_lets_no_device_in)
{
	const struct kit_spec spec = { .cn = "dev-1", .ca = "factory" };
	struct kit_cert a;
	struct gbuf why = { 0 };

	kit_make(&spec, &a);
	struct pki_cert *d = first_of(gbuf_cstr(&a.chain)), *ca = first_of(kit_ca("factory"));
	struct trust *t = load(true);
	ck_assert_int_eq(judge(t, d, &why), PKI_R_UNKNOWN_CA);
	ck_assert_str_eq(gbuf_cstr(&why), "unknown_ca: no trust anchor is configured");
	ck_assert_uint_eq(trust_anchors(t), 0);
	ck_assert(!trust_counts(t, "fleet", ca->der));
	trust_free(t);
	pki_cert_unref(d);
	pki_cert_unref(ca);
	gbuf_clear(&why);
	kit_clear(&a);
	kit_end();
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(files_and_store_together_say_who_is_trusted, N_ELEMS(rows)),
	UNIT_CASE(a_trust_of_servers_lets_no_device_in, 0),
};

UNIT_SUITE_MAIN("trust", cases)
