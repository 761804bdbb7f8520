/*
 * OCSP responses, one row for each way to be good or bad. The number before a row is its line in
 * tests/data/ocsp-matrix.txt.
 */
#include "pki/ocsp.h"

#include <gnutls/ocsp.h>
#include <string.h>

#include "lib/base/crypt.h"
#include "tests/unit/pki_forge.h"
#include "tests/unit/unit.h"

#define OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define NOW FORGE_NOW

/* Who there is. */
static struct forge root, other_root, leaf, other_leaf, signer, no_eku, foreign, namesake, expired,
    not_yet, long_lived, short_lived, wrong_usage, ed_root, ed_leaf, rsa_root, rsa_leaf, p384_root,
    p384_leaf, p384_signer, any_eku;

static void
make_signers(void)
{
	forge_make(
	    &signer, &(struct forge_opts){
	                 .cn = "ocsp", .issuer = &root, .eku = { OCSP_SIGNING }, .nocheck = true });
	forge_make(
	    &no_eku, &(struct forge_opts){ .cn = "no eku", .issuer = &root, .nocheck = true });
	forge_make(&any_eku,
	    &(struct forge_opts){
	        .cn = "any eku", .issuer = &root, .eku = { "2.5.29.37.0" }, .nocheck = true });
	forge_make(&foreign,
	    &(struct forge_opts){
	        .cn = "foreign", .issuer = &other_root, .eku = { OCSP_SIGNING }, .nocheck = true });
	forge_make(&namesake, &(struct forge_opts){ .cn = "ocsp",
	                          .issuer = &root,
	                          .signer = &other_root,
	                          .eku = { OCSP_SIGNING },
	                          .nocheck = true });
	forge_make(&expired, &(struct forge_opts){ .cn = "expired",
	                         .issuer = &root,
	                         .eku = { OCSP_SIGNING },
	                         .nocheck = true,
	                         .not_after = NOW - 1 });
	forge_make(&not_yet, &(struct forge_opts){ .cn = "not yet",
	                         .issuer = &root,
	                         .eku = { OCSP_SIGNING },
	                         .nocheck = true,
	                         .not_before = NOW + 1 });
	forge_make(&long_lived,
	    &(struct forge_opts){ .cn = "long", .issuer = &root, .eku = { OCSP_SIGNING } });
	forge_make(&short_lived, &(struct forge_opts){ .cn = "short",
	                             .issuer = &root,
	                             .eku = { OCSP_SIGNING },
	                             .not_before = NOW - FORGE_DAY,
	                             .not_after = NOW + FORGE_DAY });
	forge_make(&wrong_usage, &(struct forge_opts){ .cn = "usage",
	                             .issuer = &root,
	                             .eku = { OCSP_SIGNING },
	                             .nocheck = true,
	                             .usage = GNUTLS_KEY_KEY_ENCIPHERMENT });
}

static void
make_world(void)
{
	forge_make(&root, &(struct forge_opts){ .cn = "root", .ca = true });
	forge_make(&other_root, &(struct forge_opts){ .cn = "other root", .ca = true });
	forge_make(&leaf, &(struct forge_opts){ .cn = "leaf", .issuer = &root });
	forge_make(&other_leaf, &(struct forge_opts){ .cn = "other leaf", .issuer = &root });
	make_signers();
	forge_make(&ed_root, &(struct forge_opts){ .cn = "ed", .ca = true, .key = FORGE_ED25519 });
	forge_make(&ed_leaf, &(struct forge_opts){ .cn = "leaf", .issuer = &ed_root });
	forge_make(
	    &rsa_root, &(struct forge_opts){ .cn = "rsa", .ca = true, .key = FORGE_RSA2048 });
	forge_make(&rsa_leaf, &(struct forge_opts){ .cn = "leaf", .issuer = &rsa_root });
	forge_make(&p384_root, &(struct forge_opts){ .cn = "p384", .ca = true, .key = FORGE_P384 });
	forge_make(&p384_leaf, &(struct forge_opts){ .cn = "leaf", .issuer = &p384_root });
	forge_make(&p384_signer, &(struct forge_opts){ .cn = "ocsp",
	                             .issuer = &p384_root,
	                             .eku = { OCSP_SIGNING },
	                             .nocheck = true,
	                             .key = FORGE_P384 });
}

#define GOOD PKI_STATUS_GOOD
#define REVOKED PKI_STATUS_REVOKED
#define UNKNOWN PKI_STATUS_UNKNOWN
#define BAD PKI_STATUS_UNUSABLE

typedef void change_fn(struct forge_ocsp *o, struct pki_status_policy *p);

static void
same(struct forge_ocsp *o, struct pki_status_policy *p)
{
	(void)o;
	(void)p;
}
#define CHANGE(name, what)                                                                         \
	static void name(struct forge_ocsp *o, struct pki_status_policy *p)                        \
	{                                                                                          \
		(void)o;                                                                           \
		(void)p;                                                                           \
		what;                                                                              \
	}

/* clang-format off */
CHANGE(by_key, o->by_key = true)
CHANGE(with_reason, o->singles[0].reason = 2)
CHANGE(next_passed, o->singles[0].next_update = NOW - 1000; o->singles[0].this_update = NOW - 2000)
CHANGE(this_future, o->singles[0].this_update = NOW + 1000; o->produced_at = NOW)
CHANGE(next_299, o->singles[0].next_update = NOW - 299; o->singles[0].this_update = NOW - 400)
CHANGE(next_301, o->singles[0].next_update = NOW - 301; o->singles[0].this_update = NOW - 400)
CHANGE(this_299, o->singles[0].this_update = NOW + 299)
CHANGE(this_301, o->singles[0].this_update = NOW + 301)
CHANGE(open_fresh, o->singles[0].next_update = 0)
CHANGE(open_old, o->singles[0].next_update = 0; o->singles[0].this_update = NOW - 86400 - 301)
CHANGE(open_old_any, open_old(o, p); p->max_age_open_s = PKI_ANY_AGE)
CHANGE(old_but_next, o->singles[0].this_update = NOW - 8 * FORGE_DAY)
CHANGE(old_but_next_any, old_but_next(o, p); p->max_age_s = PKI_ANY_AGE)
CHANGE(next_before_this, o->singles[0].next_update = NOW - 100)
CHANGE(produced_future, o->produced_at = NOW + 301)
CHANGE(produced_early, o->produced_at = NOW - 11 * FORGE_DAY)
CHANGE(produced_late, o->produced_at = NOW + 366 * FORGE_DAY)
CHANGE(other_serial, o->singles[0].bad_serial = true)
CHANGE(other_name, o->singles[0].bad_name = true)
CHANGE(other_key, o->singles[0].bad_key = true)
CHANGE(mine_second, o->singles[1] = o->singles[0]; o->singles[0].cert = other_leaf.cert; o->n = 2)
CHANGE(one_revoked, o->singles[1] = o->singles[0]; o->singles[1].status = REVOKED; o->n = 2)
CHANGE(revoked_first, o->singles[1] = o->singles[0]; o->singles[0].status = REVOKED; o->n = 2)
CHANGE(one_unknown, o->singles[1] = o->singles[0]; o->singles[1].status = UNKNOWN; o->n = 2)
CHANGE(one_stale, o->singles[1] = o->singles[0]; o->singles[1].this_update = NOW - 8 * FORGE_DAY; o->n = 2)
CHANGE(sha256_id, o->singles[0].hash = FORGE_SHA256)
CHANGE(sha256_bad, o->singles[0].hash = FORGE_SHA256; o->singles[0].bad_key = true)
CHANGE(strange_id, o->singles[0].hash = FORGE_OTHER_HASH)
CHANGE(bad_signature, o->bad_signature = true)
CHANGE(no_embed, o->embed[0] = NULL)
CHANGE(late_embed, o->embed[0] = &no_eku; o->embed[1] = &signer)
CHANGE(any_life, p->responder_life_s = PKI_ANY_AGE)
CHANGE(sha1, o->digest = GNUTLS_DIG_SHA1)
CHANGE(sha1_allowed, o->digest = GNUTLS_DIG_SHA1; pki_status_policy_allow_sha1(p))
CHANGE(md5, o->digest = GNUTLS_DIG_MD5; pki_status_policy_allow_sha1(p))
CHANGE(sha384, o->digest = GNUTLS_DIG_SHA384)
CHANGE(status_1, o->response_status = 1)
CHANGE(status_2, o->response_status = 2)
CHANGE(status_3, o->response_status = 3)
CHANGE(status_4, o->response_status = 4)
CHANGE(status_5, o->response_status = 5)
CHANGE(status_6, o->response_status = 6)
CHANGE(status_7, o->response_status = 7)
CHANGE(no_bytes, o->no_bytes = true)
CHANGE(other_type, o->other_type = true)
CHANGE(version_1, o->version = 1)
CHANGE(version_2, o->version = 2)
CHANGE(critical, o->critical = true)
CHANGE(critical_single, o->singles[0].critical = true)
CHANGE(nobody, o->n = 0)
CHANGE(full, for (; o->n < 16; o->n++) o->singles[o->n] = o->singles[0])
CHANGE(too_many, for (; o->n < 17; o->n++) o->singles[o->n] = o->singles[0])
CHANGE(strange_name, o->other_name = "somebody")

static const struct row {
	int line;
	const char *what;
	const struct forge *cert, *issuer, *signer;
	enum pki_status says; /* before the change */
	change_fn *change;
	enum pki_status want;
	const char *why; /* BAD: part of the detail */
} rows[] = {
	{ 1, "good, delegated signer", &leaf, &root, &signer, GOOD, same, GOOD, NULL },
	{ 2, "good, signed by the CA", &leaf, &root, &root, GOOD, same, GOOD, NULL },
	{ 2, "good, CA by key", &leaf, &root, &root, GOOD, by_key, GOOD, NULL },
	{ 2, "good, delegated by key", &leaf, &root, &signer, GOOD, by_key, GOOD, NULL },
	{ 3, "revoked", &leaf, &root, &signer, REVOKED, same, REVOKED, NULL },
	{ 3, "revoked with its reason", &leaf, &root, &signer, REVOKED, with_reason, REVOKED, NULL },
	{ 4, "unknown", &leaf, &root, &signer, UNKNOWN, same, UNKNOWN, NULL },
	{ 5, "nextUpdate has passed", &leaf, &root, &root, GOOD, next_passed, BAD, "nextUpdate" },
	{ 5, "revoked, nextUpdate has passed", &leaf, &root, &root, REVOKED, next_passed, BAD, "nextUpdate" },
	{ 6, "thisUpdate in the future", &leaf, &root, &root, GOOD, this_future, BAD, "thisUpdate" },
	{ 7, "nextUpdate within skew", &leaf, &root, &root, GOOD, next_299, GOOD, NULL },
	{ 7, "nextUpdate beyond skew", &leaf, &root, &root, GOOD, next_301, BAD, "passed" },
	{ 7, "thisUpdate within skew", &leaf, &root, &root, GOOD, this_299, GOOD, NULL },
	{ 7, "thisUpdate beyond skew", &leaf, &root, &root, GOOD, this_301, BAD, "future" },
	{ 8, "no nextUpdate, fresh", &leaf, &root, &root, GOOD, open_fresh, GOOD, NULL },
	{ 8, "no nextUpdate, old", &leaf, &root, &root, GOOD, open_old, BAD, "too old" },
	{ 8, "no nextUpdate, any age", &leaf, &root, &root, GOOD, open_old_any, GOOD, NULL },
	{ 8, "far nextUpdate, old", &leaf, &root, &root, GOOD, old_but_next, BAD, "too old" },
	{ 8, "far nextUpdate, any age", &leaf, &root, &root, GOOD, old_but_next_any, GOOD, NULL },
	{ 9, "nextUpdate before thisUpdate", &leaf, &root, &root, GOOD, next_before_this, BAD, "before" },
	{ 10, "produced in the future", &leaf, &root, &root, GOOD, produced_future, BAD, "producedAt" },
	{ 10, "produced before the certificate", &leaf, &root, &root, GOOD, produced_early, BAD, "outside" },
	{ 10, "produced after the certificate", &leaf, &root, &root, GOOD, produced_late, BAD, "producedAt" },
	{ 11, "other serial number", &leaf, &root, &root, GOOD, other_serial, BAD, "not about" },
	{ 11, "other issuer's name", &leaf, &root, &root, GOOD, other_name, BAD, "not about" },
	{ 11, "other issuer's key", &leaf, &root, &root, GOOD, other_key, BAD, "not about" },
	{ 12, "mine is the second", &leaf, &root, &root, GOOD, mine_second, GOOD, NULL },
	{ 13, "mine twice, once revoked", &leaf, &root, &root, GOOD, one_revoked, REVOKED, NULL },
	{ 13, "mine twice, first revoked", &leaf, &root, &root, GOOD, revoked_first, REVOKED, NULL },
	{ 14, "mine twice, once unknown", &leaf, &root, &root, GOOD, one_unknown, UNKNOWN, NULL },
	{ 14, "mine twice, once too old", &leaf, &root, &root, GOOD, one_stale, BAD, "too old" },
	{ 15, "CertID by SHA-256", &leaf, &root, &root, GOOD, sha256_id, GOOD, NULL },
	{ 15, "CertID by SHA-256, wrong key", &leaf, &root, &root, GOOD, sha256_bad, BAD, "not about" },
	{ 16, "CertID by an unknown hash", &leaf, &root, &root, GOOD, strange_id, BAD, "not about" },
	{ 17, "bad signature of the CA", &leaf, &root, &root, GOOD, bad_signature, BAD, "does not hold" },
	{ 17, "bad signature of the signer", &leaf, &root, &signer, GOOD, bad_signature, BAD, "does not hold" },
	{ 18, "signer without the usage", &leaf, &root, &no_eku, GOOD, same, BAD, "may not sign" },
	{ 18, "signer for any usage", &leaf, &root, &any_eku, GOOD, same, BAD, "may not sign" },
	{ 18, "signer with another key usage", &leaf, &root, &wrong_usage, GOOD, same, BAD, "key usage" },
	{ 19, "signer of another trusted CA", &leaf, &root, &foreign, GOOD, same, BAD, "another CA" },
	{ 19, "the other CA itself", &leaf, &root, &other_root, GOOD, same, BAD, "another CA" },
	{ 19, "signer in the CA's name, by another key", &leaf, &root, &namesake, GOOD, same, BAD, "not certified" },
	{ 20, "the certificate itself as signer", &leaf, &root, &leaf, GOOD, same, BAD, "may not sign" },
	{ 20, "another device as signer", &leaf, &root, &other_leaf, GOOD, same, BAD, "may not sign" },
	{ 21, "signer's certificate left out", &leaf, &root, &signer, GOOD, no_embed, BAD, "not with it" },
	{ 21, "signer's certificate is the second", &leaf, &root, &signer, GOOD, late_embed, GOOD, NULL },
	{ 22, "signer expired", &leaf, &root, &expired, GOOD, same, BAD, "expired" },
	{ 22, "signer not valid yet", &leaf, &root, &not_yet, GOOD, same, BAD, "not valid yet" },
	{ 23, "long-lived signer without nocheck", &leaf, &root, &long_lived, GOOD, same, BAD, "nocheck" },
	{ 23, "short-lived signer without nocheck", &leaf, &root, &short_lived, GOOD, same, GOOD, NULL },
	{ 23, "long-lived signer, policy lets it", &leaf, &root, &long_lived, GOOD, any_life, GOOD, NULL },
	{ 24, "SHA-1", &leaf, &root, &root, GOOD, sha1, BAD, "ecdsa-sha1" },
	{ 24, "SHA-1 allowed", &leaf, &root, &root, GOOD, sha1_allowed, GOOD, NULL },
	{ 24, "SHA-1 by RSA", &rsa_leaf, &rsa_root, &rsa_root, GOOD, sha1, BAD, "rsa-sha1" },
	{ 24, "MD5", &rsa_leaf, &rsa_root, &rsa_root, GOOD, md5, BAD, "other" },
	{ 25, "Ed25519", &ed_leaf, &ed_root, &ed_root, GOOD, same, GOOD, NULL },
	{ 25, "RSA", &rsa_leaf, &rsa_root, &rsa_root, GOOD, same, GOOD, NULL },
	{ 25, "P-384 and SHA-384", &p384_leaf, &p384_root, &p384_signer, GOOD, sha384, GOOD, NULL },
	{ 26, "internalError", &leaf, &root, &root, GOOD, status_2, BAD, "internalError" },
	{ 26, "tryLater", &leaf, &root, &root, GOOD, status_3, BAD, "tryLater" },
	{ 27, "malformedRequest", &leaf, &root, &root, GOOD, status_1, BAD, "malformedRequest" },
	{ 27, "code 4", &leaf, &root, &root, GOOD, status_4, BAD, "does not exist" },
	{ 27, "sigRequired", &leaf, &root, &root, GOOD, status_5, BAD, "sigRequired" },
	{ 27, "unauthorized", &leaf, &root, &root, GOOD, status_6, BAD, "unauthorized" },
	{ 27, "code 7", &leaf, &root, &root, GOOD, status_7, BAD, "not an OCSP response" },
	{ 28, "successful without bytes", &leaf, &root, &root, GOOD, no_bytes, BAD, "response bytes" },
	{ 28, "not basic", &leaf, &root, &root, GOOD, other_type, BAD, "basic type" },
	{ 28, "version 1 in words", &leaf, &root, &root, GOOD, version_1, GOOD, NULL },
	{ 28, "version 2", &leaf, &root, &root, GOOD, version_2, BAD, "version" },
	{ 28, "critical extension", &leaf, &root, &root, GOOD, critical, BAD, "critical" },
	{ 28, "critical extension of a single", &leaf, &root, &root, GOOD, critical_single, BAD, "critical" },
	{ 28, "about nobody", &leaf, &root, &root, GOOD, nobody, BAD, "not about" },
	{ 28, "sixteen singles", &leaf, &root, &root, GOOD, full, GOOD, NULL },
	{ 28, "seventeen singles", &leaf, &root, &root, GOOD, too_many, BAD, "more than 16" },
	{ 28, "a responder by another name", &leaf, &root, &root, GOOD, strange_name, BAD, "not with it" },
};
/* clang-format on */

static void
build(const struct row *r, struct gbuf *out, struct pki_status_policy *p)
{
	struct forge_ocsp o = forge_answer(r->cert, r->issuer, r->signer, r->says, NOW);

	pki_status_policy_default(p);
	r->change(&o, p);
	forge_ocsp(&o, out);
}

START_TEST(each_way_to_be_good_or_bad)
{
	const struct row *r = &rows[_i];
	struct gbuf der = { .max = 0 };
	struct pki_status_policy p;
	struct pki_answer a;

	build(r, &der, &p);
	pki_ocsp_evaluate((struct pki_blob){ der.data, der.len }, r->cert->cert, r->issuer->cert,
	    NULL, &p, NOW, &a);
	ck_assert_msg(a.status == r->want, "%d %s: %s (%s)", r->line, r->what,
	    pki_status_name(a.status), a.detail);
	if (r->want == BAD)
		ck_assert_msg(
		    strstr(a.detail, r->why) != NULL, "%d %s: \"%s\"", r->line, r->what, a.detail);
	if (r->want == REVOKED)
		ck_assert_int_eq(a.revoked_at, NOW - 3600);
	ck_assert_int_eq(a.later, r->line == 26);
	gbuf_clear(&der);
}
END_TEST

/* Any octet of an answer changed, or its end cut off or drawn out: never good for another reason
 * than that the change did not matter, which in DER is never. */
START_TEST(no_mutation_is_good)
{
	struct forge_ocsp o = forge_answer(&leaf, &root, &signer, GOOD, NOW);
	struct gbuf der = { .max = 0 };
	struct pki_status_policy p;
	struct pki_answer a;
	uint64_t state = unit_seed();
	size_t good = 0;

	pki_status_policy_default(&p);
	forge_ocsp(&o, &der);
	for (size_t i = 0; i < 3000; i++) {
		size_t at = (size_t)(unit_random(&state) % der.len);
		uint8_t kept = der.data[at], bit = (uint8_t)(1U << (unit_random(&state) % 8));

		der.data[at] ^= bit;
		pki_ocsp_evaluate((struct pki_blob){ der.data, der.len }, leaf.cert, root.cert,
		    NULL, &p, NOW, &a);
		good += a.status == GOOD;
		der.data[at] = kept;
	}
	ck_assert_uint_eq(good, 0);
	for (size_t n = 0; n < der.len; n++) {
		pki_ocsp_evaluate(
		    (struct pki_blob){ der.data, n }, leaf.cert, root.cert, NULL, &p, NOW, &a);
		ck_assert_int_eq(a.status, BAD);
	}
	gbuf_u8(&der, 0);
	pki_ocsp_evaluate(
	    (struct pki_blob){ der.data, der.len }, leaf.cert, root.cert, NULL, &p, NOW, &a);
	ck_assert_int_eq(a.status, BAD);
	gbuf_clear(&der);
}
END_TEST

/* 52 and 53: what became of the nonce that was sent. */
static const struct {
	const char *what;
	int back; /* 0 none, 1 the same, 2 another, 3 without its inner tag */
	enum pki_nonce mode;
	enum pki_status want;
} nonces[] = {
	{ "the same", 1, PKI_NONCE_PREFER, GOOD },
	{ "the same, demanded", 1, PKI_NONCE_REQUIRE, GOOD },
	{ "none", 0, PKI_NONCE_PREFER, GOOD },
	{ "none, demanded", 0, PKI_NONCE_REQUIRE, BAD },
	{ "another", 2, PKI_NONCE_PREFER, BAD },
	{ "another, demanded", 2, PKI_NONCE_REQUIRE, BAD },
	{ "bare", 3, PKI_NONCE_PREFER, BAD },
};

START_TEST(nonce_comes_back_or_none)
{
	struct forge_ocsp o = forge_answer(&leaf, &root, &root, GOOD, NOW);
	struct gbuf der = { .max = 0 };
	uint8_t sent[2 + PKI_OCSP_NONCE] = { 0x04, PKI_OCSP_NONCE, 1, 2, 3 }, back[sizeof sent];
	struct pki_status_policy p;
	struct pki_answer a;

	memcpy(back, sent, sizeof back);
	back[9] ^= nonces[_i].back == 2;
	if (nonces[_i].back == 3)
		o.nonce = (struct pki_blob){ back + 2, PKI_OCSP_NONCE };
	else if (nonces[_i].back > 0)
		o.nonce = (struct pki_blob){ back, sizeof back };
	forge_ocsp(&o, &der);
	pki_status_policy_default(&p);
	p.nonce = nonces[_i].mode;
	pki_ocsp_evaluate(
	    (struct pki_blob){ der.data, der.len }, leaf.cert, root.cert, sent + 2, &p, NOW, &a);
	ck_assert_msg(a.status == nonces[_i].want, "%s: %s", nonces[_i].what, a.detail);
	gbuf_clear(&der);
}
END_TEST

/* 54: as the library of others reads it. */
START_TEST(request_is_one)
{
	uint8_t nonce[PKI_OCSP_NONCE];
	struct gbuf out = { .max = 4096 };
	struct err e = { 0 };
	gnutls_ocsp_req_t req;
	gnutls_datum_t got, serial;
	gnutls_digest_algorithm_t digest;
	unsigned critical;

	ck_assert_int_eq(crypt_random(nonce, sizeof nonce, &e), ERR_OK);
	ck_assert_int_eq(pki_ocsp_request(leaf.cert, root.cert, nonce, _i == 1, &out, &e), ERR_OK);
	gnutls_datum_t der = { out.data, (unsigned)out.len };
	ck_assert_int_eq(gnutls_ocsp_req_init(&req), 0);
	ck_assert_int_eq(gnutls_ocsp_req_import(req, &der), 0);
	ck_assert_int_eq(gnutls_ocsp_req_get_nonce(req, &critical, &got), 0);
	ck_assert_uint_eq(got.size, PKI_OCSP_NONCE);
	ck_assert_mem_eq(got.data, nonce, sizeof nonce);
	gnutls_free(got.data);
	ck_assert_int_eq(gnutls_ocsp_req_get_cert_id(req, 0, &digest, NULL, NULL, &serial), 0);
	ck_assert_int_eq(digest, _i == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA1);
	ck_assert_uint_eq(serial.size, leaf.cert->serial.n);
	gnutls_free(serial.data);
	gnutls_ocsp_req_deinit(req);
	gbuf_clear(&out);
}
END_TEST

START_TEST(of_another_issuer_is_unusable)
{
	struct forge_ocsp o = forge_answer(&leaf, &other_root, &other_root, GOOD, NOW);
	struct gbuf der = { .max = 0 };
	struct pki_status_policy p;
	struct pki_answer a;

	pki_status_policy_default(&p);
	forge_ocsp(&o, &der);
	pki_ocsp_evaluate(
	    (struct pki_blob){ der.data, der.len }, leaf.cert, other_root.cert, NULL, &p, NOW, &a);
	ck_assert_int_eq(a.status, BAD);
	gbuf_clear(&der);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_way_to_be_good_or_bad, N_ELEMS(rows)),
	UNIT_CASE(no_mutation_is_good, 0),
	UNIT_CASE(nonce_comes_back_or_none, N_ELEMS(nonces)),
	UNIT_CASE(request_is_one, 2),
	UNIT_CASE(of_another_issuer_is_unusable, 0),
};

int
main(void)
{
	make_world();
	return unit_run(unit_suite("ocsp", cases, N_ELEMS(cases)));
}
