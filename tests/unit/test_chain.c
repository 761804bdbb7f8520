/* Chains of certificates: each reason to refuse one, and the certificate that it is about. */
#include "pki/chain.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/pki_forge.h"
#include "tests/unit/unit.h"

#define NOW FORGE_NOW
#define CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define SERVER_AUTH "1.3.6.1.5.5.7.3.1"

static struct forge root, other_root, namesake, rsa_root, weak_root, ica, sub, deep[7], flat, no_ca,
    expired_ca, limited, demanding, unsigning, client, server, plain, old, young, strange, forged,
    weak, encipher, through_no_ca, through_expired, through_flat, in_limits, out_of_limits,
    excluded, without_policy, with_policy, through_unsigning, self, loop_a, loop_b, through_loop,
    deep_leaf, sha1_leaf, ed_leaf, foreign, under_namesake, rolled;

static void
make_cas(void)
{
	forge_make(&root, &(struct forge_opts){ .cn = "root", .ca = true });
	forge_make(&other_root, &(struct forge_opts){ .cn = "other", .ca = true });
	forge_make(&namesake, &(struct forge_opts){ .cn = "root", .ca = true });
	forge_make(
	    &rsa_root, &(struct forge_opts){ .cn = "rsa", .ca = true, .key = FORGE_RSA2048 });
	forge_make(
	    &weak_root, &(struct forge_opts){ .cn = "weak", .ca = true, .key = FORGE_RSA1024 });
	forge_make(&ica, &(struct forge_opts){ .cn = "ica", .issuer = &root, .ca = true });
	forge_make(&sub, &(struct forge_opts){ .cn = "sub", .issuer = &ica, .ca = true });
	forge_make(&flat,
	    &(struct forge_opts){ .cn = "flat", .issuer = &root, .ca = true, .path_len = 1 });
	forge_make(&no_ca, &(struct forge_opts){ .cn = "no ca", .issuer = &root });
	forge_make(
	    &expired_ca, &(struct forge_opts){
	                     .cn = "expired", .issuer = &root, .ca = true, .not_after = NOW - 1 });
	forge_make(&limited, &(struct forge_opts){ .cn = "limited",
	                         .issuer = &root,
	                         .ca = true,
	                         .permitted = "example.com",
	                         .excluded = "secret.example.com" });
	forge_make(&demanding, &(struct forge_opts){ .cn = "demanding",
	                           .issuer = &root,
	                           .ca = true,
	                           .policy = "1.2.3",
	                           .need_policy = true });
	forge_make(&unsigning,
	    &(struct forge_opts){
	        .cn = "unsigning", .issuer = &root, .ca = true, .usage = GNUTLS_KEY_CRL_SIGN });
	forge_make(&deep[0], &(struct forge_opts){ .cn = "d0", .issuer = &root, .ca = true });
	for (size_t i = 1; i < N_ELEMS(deep); i++)
		forge_make(
		    &deep[i], &(struct forge_opts){
		                  .cn = i % 2 ? "d1" : "d2", .issuer = &deep[i - 1], .ca = true });
	/* two that certified each other, and no one stands behind them */
	forge_make(&self, &(struct forge_opts){ .cn = "a", .ca = true });
	forge_make(&loop_b, &(struct forge_opts){ .cn = "b", .issuer = &self, .ca = true });
	forge_make(&loop_a,
	    &(struct forge_opts){ .cn = "a", .issuer = &loop_b, .rekey = &self, .ca = true });
	/* the same CA, certified anew by the other root */
	forge_make(&rolled,
	    &(struct forge_opts){ .cn = "ica", .issuer = &other_root, .rekey = &ica, .ca = true });
}

static void
make_leaves(void)
{
	forge_make(&client,
	    &(struct forge_opts){ .cn = "client", .issuer = &ica, .eku = { CLIENT_AUTH } });
	forge_make(&server,
	    &(struct forge_opts){
	        .cn = "server", .issuer = &ica, .eku = { SERVER_AUTH }, .dns = "dm.example.com" });
	forge_make(&plain, &(struct forge_opts){ .cn = "plain", .issuer = &root });
	forge_make(
	    &old, &(struct forge_opts){ .cn = "old", .issuer = &root, .not_after = NOW - 1 });
	forge_make(
	    &young, &(struct forge_opts){ .cn = "young", .issuer = &root, .not_before = NOW + 1 });
	forge_make(&strange,
	    &(struct forge_opts){ .cn = "strange", .issuer = &root, .critical_oid = "1.2.3.4.5" });
	forge_make(
	    &forged, &(struct forge_opts){ .cn = "forged", .issuer = &root, .broken_sig = true });
	forge_make(&under_namesake,
	    &(struct forge_opts){ .cn = "leaf", .issuer = &root, .signer = &namesake });
	forge_make(
	    &weak, &(struct forge_opts){ .cn = "weak", .issuer = &root, .key = FORGE_RSA1024 });
	forge_make(
	    &sha1_leaf, &(struct forge_opts){ .cn = "sha1", .issuer = &rsa_root, .sha1 = true });
	forge_make(
	    &ed_leaf, &(struct forge_opts){ .cn = "ed", .issuer = &root, .key = FORGE_ED25519 });
	forge_make(
	    &encipher, &(struct forge_opts){
	                   .cn = "usage", .issuer = &root, .usage = GNUTLS_KEY_KEY_ENCIPHERMENT });
	forge_make(&through_no_ca, &(struct forge_opts){ .cn = "leaf", .issuer = &no_ca });
	forge_make(&through_expired, &(struct forge_opts){ .cn = "leaf", .issuer = &expired_ca });
	forge_make(&through_flat, &(struct forge_opts){ .cn = "sub", .issuer = &flat, .ca = true });
	forge_make(&through_unsigning, &(struct forge_opts){ .cn = "leaf", .issuer = &unsigning });
	forge_make(&in_limits,
	    &(struct forge_opts){ .cn = "leaf", .issuer = &limited, .dns = "a.example.com" });
	forge_make(&out_of_limits,
	    &(struct forge_opts){ .cn = "leaf", .issuer = &limited, .dns = "a.example.org" });
	forge_make(
	    &excluded, &(struct forge_opts){
	                   .cn = "leaf", .issuer = &limited, .dns = "x.secret.example.com" });
	forge_make(&without_policy, &(struct forge_opts){ .cn = "leaf", .issuer = &demanding });
	forge_make(&with_policy,
	    &(struct forge_opts){ .cn = "leaf", .issuer = &demanding, .policy = "1.2.3" });
	forge_make(&through_loop, &(struct forge_opts){ .cn = "leaf", .issuer = &loop_b });
	forge_make(
	    &deep_leaf, &(struct forge_opts){ .cn = "leaf", .issuer = &deep[N_ELEMS(deep) - 1] });
	forge_make(&foreign, &(struct forge_opts){ .cn = "foreign", .issuer = &other_root });
}

/* clang-format off */
static const struct row {
	const char *what;
	const struct forge *chain[9]; /* leaf first */
	const struct forge *anchors[2];
	enum pki_purpose purpose;
	const char *name;
	enum pki_reason want;
	int index; /* the certificate it is about */
	size_t path; /* PKI_OK: certificates of it */
} rows[] = {
	{ "leaf by the anchor", { &plain }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 2 },
	{ "leaf, CA, anchor", { &client, &ica }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 3 },
	{ "the anchor sent along", { &client, &ica, &root }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 3 },
	{ "in disorder, with strangers", { &client, &foreign, &root, &ica }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 3 },
	{ "anchor is the CA between", { &client }, { &ica }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 2 },
	{ "two anchors of one name", { &plain }, { &namesake, &root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 2 },
	{ "a CA rolled over, by the new anchor", { &client, &ica, &rolled }, { &other_root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 3 },
	{ "server by its name", { &server, &ica }, { &root }, PKI_PURPOSE_SERVER, "dns:dm.example.com", PKI_OK, -1, 3 },
	{ "Ed25519", { &ed_leaf }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 2 },
	{ "names in limits", { &in_limits, &limited }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 3 },
	{ "the policy that is demanded", { &with_policy, &demanding }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_OK, -1, 3 },
	{ "no anchor at all", { &plain }, { NULL }, PKI_PURPOSE_CLIENT, NULL, PKI_R_UNKNOWN_CA, 0, 0 },
	{ "foreign CA", { &foreign }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_UNKNOWN_CA, 0, 0 },
	{ "the CA between left out", { &client }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_UNKNOWN_CA, 0, 0 },
	{ "the CA's CA is foreign", { &client, &ica }, { &other_root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_UNKNOWN_CA, 1, 0 },
	{ "the anchor itself as leaf", { &ica }, { &ica }, PKI_PURPOSE_ANY, NULL, PKI_R_UNKNOWN_CA, 0, 0 },
	{ "CAs that certified each other", { &through_loop, &loop_b, &loop_a }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_UNKNOWN_CA, 2, 0 },
	{ "expired", { &old }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_EXPIRED, 0, 0 },
	{ "its CA expired", { &through_expired, &expired_ca }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_EXPIRED, 1, 0 },
	{ "not yet valid", { &young }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_NOT_YET_VALID, 0, 0 },
	{ "signature changed", { &forged }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_BAD_SIGNATURE, 0, 0 },
	{ "signed by another of that name", { &under_namesake }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_BAD_SIGNATURE, 0, 0 },
	{ "RSA of 1024 bits", { &weak }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_WEAK_ALGORITHM, 0, 0 },
	{ "SHA-1", { &sha1_leaf }, { &rsa_root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_WEAK_ALGORITHM, 0, 0 },
	{ "server's as client", { &server, &ica }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_WRONG_PURPOSE, 0, 0 },
	{ "client's as server", { &client, &ica }, { &root }, PKI_PURPOSE_SERVER, NULL, PKI_R_WRONG_PURPOSE, 0, 0 },
	{ "may not sign", { &encipher }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_WRONG_PURPOSE, 0, 0 },
	{ "another name", { &server, &ica }, { &root }, PKI_PURPOSE_SERVER, "dns:fota.example.com", PKI_R_NAME_MISMATCH, 0, 0 },
	{ "the common name is no name", { &plain }, { &root }, PKI_PURPOSE_SERVER, "dns:plain", PKI_R_NAME_MISMATCH, 0, 0 },
	{ "issuer is no CA", { &through_no_ca, &no_ca }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_CONSTRAINT, 1, 0 },
	{ "issuer may not sign certificates", { &through_unsigning, &unsigning }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_CONSTRAINT, 1, 0 },
	{ "name outside what is permitted", { &out_of_limits, &limited }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_NAME_CONSTRAINT, 0, 0 },
	{ "name that is excluded", { &excluded, &limited }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_NAME_CONSTRAINT, 0, 0 },
	{ "a policy is demanded", { &without_policy, &demanding }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_POLICY, 0, 0 },
	{ "critical extension", { &strange }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_CRITICAL_EXTENSION, 0, 0 },
	{ "too deep", { &deep_leaf, &deep[6], &deep[5], &deep[4], &deep[3], &deep[2], &deep[1], &deep[0] }, { &root }, PKI_PURPOSE_CLIENT, NULL, PKI_R_BUDGET, 6, 0 },
};
/* clang-format on */

static struct pki_certs
list_of(const struct forge *const *v, size_t n)
{
	struct pki_certs cs = PKI_CERTS_NONE;

	for (size_t i = 0; i < n && v[i] != NULL; i++)
		ck_assert_int_eq(pki_certs_add(&cs, v[i]->cert, NULL), ERR_OK);
	return cs;
}

START_TEST(each_reason_and_its_certificate)
{
	const struct row *r = &rows[_i];
	struct pki_certs chain = list_of(r->chain, N_ELEMS(r->chain));
	struct pki_certs anchors = list_of(r->anchors, N_ELEMS(r->anchors));
	struct pki_request rq = { .chain = &chain,
		.anchors = &anchors,
		.purpose = r->purpose,
		.name = r->name,
		.now = NOW };
	struct gbuf text = { .max = 4096 };
	struct pki_policy po;
	struct pki_verdict v;

	pki_policy_default(&po);
	pki_verify(&rq, &po, &v);
	pki_verdict_text(&text, &v);
	ck_assert_msg(v.reason == r->want, "%s: %s", r->what, gbuf_cstr(&text));
	ck_assert_msg(
	    v.index == r->index, "%s: certificate %d: %s", r->what, v.index, gbuf_cstr(&text));
	ck_assert_msg(v.path.n == r->path, "%s: a path of %zu", r->what, v.path.n);
	if (r->want != PKI_OK)
		ck_assert_ptr_nonnull(strstr(gbuf_cstr(&text), pki_reason_sentence(r->want)));
	gbuf_clear(&text);
	pki_verdict_clear(&v);
	pki_certs_clear(&chain);
	pki_certs_clear(&anchors);
}
END_TEST

/* What the table leaves out is shown elsewhere: status in test_revocation, what cannot be read
 * below. */
START_TEST(no_reason_is_forgotten)
{
	static const enum pki_reason elsewhere[] = { PKI_R_PARSE, PKI_R_MALFORMED,
		PKI_R_USAGE_MISMATCH, PKI_R_REVOKED, PKI_R_STATUS_UNKNOWN, PKI_R_NO_STATUS,
		PKI_R_INTERNAL };

	for (int r = 0; r < PKI_R__COUNT; r++) {
		bool seen = false;

		for (size_t i = 0; i < N_ELEMS(rows); i++)
			seen = seen || rows[i].want == (enum pki_reason)r;
		for (size_t i = 0; i < N_ELEMS(elsewhere); i++)
			seen = seen || elsewhere[i] == (enum pki_reason)r;
		ck_assert_msg(seen, "%s", pki_reason_name((enum pki_reason)r));
		ck_assert_int_eq(pki_reason_of(pki_reason_name((enum pki_reason)r)), r);
	}
	ck_assert_int_eq(pki_reason_of("none"), PKI_R__COUNT);
}
END_TEST

START_TEST(nothing_is_not_a_chain)
{
	struct pki_certs none = PKI_CERTS_NONE;
	struct pki_request rq = { .chain = &none, .anchors = &none, .now = NOW };
	struct pki_policy po;
	struct pki_verdict v;

	pki_policy_default(&po);
	pki_verify(&rq, &po, &v);
	ck_assert_int_eq(v.reason, PKI_R_PARSE);
	ck_assert_int_eq(v.index, -1);
}
END_TEST

/* The same name inside and outside, or a serial number that RFC 5280 forbids. */
static const struct {
	const char *what;
	uint8_t serial[24];
	size_t n;
	enum pki_reason want;
} serials[] = {
	{ "negative", { 0x80 }, 1, PKI_R_MALFORMED },
	{ "of 21 octets", { 1, 2, 3 }, 21, PKI_R_MALFORMED },
	{ "of 20 octets", { 1, 2, 3 }, 20, PKI_OK },
};

START_TEST(serial_numbers_are_positive_and_short)
{
	struct forge leaf;
	const struct forge *v[] = { &leaf }, *a[] = { &root };

	forge_make(&leaf, &(struct forge_opts){ .cn = "leaf",
	                      .issuer = &root,
	                      .serial = serials[_i].serial,
	                      .serial_len = serials[_i].n });
	struct pki_certs chain = list_of(v, 1), anchors = list_of(a, 1);
	struct pki_request rq = { .chain = &chain, .anchors = &anchors, .now = NOW };
	struct pki_policy po;
	struct pki_verdict verdict;

	pki_policy_default(&po);
	pki_verify(&rq, &po, &verdict);
	ck_assert_msg(
	    verdict.reason == serials[_i].want, "%s: %s", serials[_i].what, verdict.detail);
	pki_verdict_clear(&verdict);
	pki_certs_clear(&chain);
	pki_certs_clear(&anchors);
	forge_clear(&leaf);
}
END_TEST

/* Certificate Usage and Matching Type: what is pinned, and whether it holds. */
static const struct {
	const char *what;
	enum pki_usage usage;
	const struct forge *pinned;
	bool by_hash, ok;
} pins[] = {
	{ "CA constraint: the CA between", PKI_USAGE_CA_CONSTRAINT, &ica, false, true },
	{ "CA constraint: the anchor, by hash", PKI_USAGE_CA_CONSTRAINT, &root, true, true },
	{ "CA constraint: the leaf is no CA", PKI_USAGE_CA_CONSTRAINT, &server, false, false },
	{ "CA constraint: another", PKI_USAGE_CA_CONSTRAINT, &other_root, false, false },
	{ "service certificate", PKI_USAGE_SERVICE_CERT, &server, true, true },
	{ "service certificate: another", PKI_USAGE_SERVICE_CERT, &client, true, false },
	{ "trust anchor: the CA between", PKI_USAGE_TRUST_ANCHOR, &ica, false, true },
	{ "trust anchor: in the chain, by hash", PKI_USAGE_TRUST_ANCHOR, &ica, true, true },
	{ "trust anchor: not in the chain, by hash", PKI_USAGE_TRUST_ANCHOR, &root, true, false },
	{ "trust anchor: another", PKI_USAGE_TRUST_ANCHOR, &other_root, true, false },
	{ "domain issued", PKI_USAGE_DOMAIN_ISSUED, &server, false, true },
	{ "domain issued, by hash", PKI_USAGE_DOMAIN_ISSUED, &server, true, true },
	{ "domain issued: another", PKI_USAGE_DOMAIN_ISSUED, &client, false, false },
};

START_TEST(what_is_pinned_holds_or_not)
{
	const struct forge *v[] = { &server, &ica }, *a[] = { &root };
	struct pki_certs chain = list_of(v, 2), anchors = list_of(a, 1);
	const struct pki_cert *c = pins[_i].pinned->cert;
	struct pki_pin pin = { .usage = pins[_i].usage,
		.matching = pins[_i].by_hash ? PKI_MATCH_SHA256 : PKI_MATCH_EXACT,
		.value = pins[_i].by_hash ? (struct pki_blob){ c->fingerprint, PKI_SHA256_LEN }
		                          : c->der };
	struct pki_request rq = { .chain = &chain,
		.anchors = &anchors,
		.purpose = PKI_PURPOSE_SERVER,
		.pin = &pin,
		.now = NOW };
	struct pki_policy po;
	struct pki_verdict verdict;

	pki_policy_default(&po);
	pki_verify(&rq, &po, &verdict);
	ck_assert_msg(
	    (verdict.reason == PKI_OK) == pins[_i].ok, "%s: %s", pins[_i].what, verdict.detail);
	if (!pins[_i].ok && pins[_i].pinned != &other_root)
		ck_assert_int_eq(verdict.reason, PKI_R_USAGE_MISMATCH);
	pki_verdict_clear(&verdict);
	pki_certs_clear(&chain);
	pki_certs_clear(&anchors);
}
END_TEST

/* Its key usage is about what it issues; who authenticates devices wants it to sign handshakes. */
START_TEST(a_ca_is_a_device_only_when_it_may_sign)
{
	const struct forge *v[] = { &ica }, *a[] = { &root };
	struct pki_certs chain = list_of(v, 1), anchors = list_of(a, 1);
	struct pki_request rq = { .chain = &chain, .anchors = &anchors, .now = NOW };
	struct pki_policy po;
	struct pki_verdict verdict;

	pki_policy_default(&po);
	for (int i = 0; i < 2; i++) {
		po.ca_signs_nothing = i == 1;
		pki_verify(&rq, &po, &verdict);
		ck_assert_int_eq(verdict.reason, i == 0 ? PKI_OK : PKI_R_WRONG_PURPOSE);
		pki_verdict_clear(&verdict);
	}
	pki_certs_clear(&chain);
	pki_certs_clear(&anchors);
}
END_TEST

START_TEST(an_idevid_may_have_expired)
{
	const struct forge *v[] = { &old }, *a[] = { &root };
	struct pki_certs chain = list_of(v, 1), anchors = list_of(a, 1);
	struct pki_request rq = { .chain = &chain, .anchors = &anchors, .now = NOW };
	struct pki_policy po;
	struct pki_verdict verdict;

	pki_policy_default(&po);
	po.ignore_leaf_expiry = true;
	pki_verify(&rq, &po, &verdict);
	ck_assert_int_eq(verdict.reason, PKI_OK);
	pki_verdict_clear(&verdict);
	pki_certs_clear(&chain);
	pki_certs_clear(&anchors);
}
END_TEST

/* Any octet of a leaf changed: it is refused, or cannot be read. */
START_TEST(no_mutation_is_accepted)
{
	struct pki_blob der = client.cert->der;
	uint8_t *copy = malloc(der.n);
	const struct forge *between[] = { &ica }, *a[] = { &root };
	struct pki_certs extra = list_of(between, 1), anchors = list_of(a, 1);
	uint64_t state = unit_seed();
	struct pki_policy po;

	ck_assert_ptr_nonnull(copy);
	pki_policy_default(&po);
	for (size_t i = 0; i < 3000; i++) {
		struct pki_certs chain = PKI_CERTS_NONE;
		struct pki_request rq = {
			.chain = &chain, .anchors = &anchors, .extra = &extra, .now = NOW
		};
		struct pki_verdict v;

		memcpy(copy, der.p, der.n);
		copy[unit_random(&state) % der.n] ^= (uint8_t)(1U << (unit_random(&state) % 8));
		if (pki_certs_parse(&chain, copy, der.n, 1, NULL) != ERR_OK)
			continue;
		pki_verify(&rq, &po, &v);
		ck_assert_int_ne(v.reason, PKI_OK);
		pki_verdict_clear(&v);
		pki_certs_clear(&chain);
	}
	free(copy);
	pki_certs_clear(&extra);
	pki_certs_clear(&anchors);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_reason_and_its_certificate, N_ELEMS(rows)),
	UNIT_CASE(no_reason_is_forgotten, 0),
	UNIT_CASE(nothing_is_not_a_chain, 0),
	UNIT_CASE(serial_numbers_are_positive_and_short, N_ELEMS(serials)),
	UNIT_CASE(what_is_pinned_holds_or_not, N_ELEMS(pins)),
	UNIT_CASE(a_ca_is_a_device_only_when_it_may_sign, 0),
	UNIT_CASE(an_idevid_may_have_expired, 0),
	UNIT_CASE(no_mutation_is_accepted, 0),
};

int
main(void)
{
	make_cas();
	make_leaves();
	return unit_run(unit_suite("chain", cases, N_ELEMS(cases)));
}
