#include "pki/ocsp.h"

#include <string.h>

#include "pki/der_write.h"
#include "pki/ocsp_read.h"

#define OID(...)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })         \
	}

/* The hashes that a CertID may be made with. */
static const struct cert_id_hash {
	struct pki_blob oid;
	enum err_code (*hash)(struct pki_blob in, uint8_t *out, struct err *e);
	size_t n;
} hashes[] = {
	{ OID(0x2b, 0x0e, 0x03, 0x02, 0x1a), pki_sha1, PKI_SHA1_LEN },
	{ OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01), pki_sha256, PKI_SHA256_LEN },
};

static const struct pki_blob oid_nonce = OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02);

/* One evaluation. */
struct eval {
	struct ocsp_response r;
	const struct pki_cert *cert, *issuer;
	const struct pki_status_policy *p;
	int64_t now;
	struct pki_answer *out;
};

/* SEQUENCE { SEQUENCE { oid, NULL }, OCTET STRING, OCTET STRING, INTEGER } */
static enum err_code
put_cert_id(struct gbuf *out, const struct cert_id_hash *h, const struct pki_cert *cert,
    const struct pki_cert *issuer, struct err *e)
{
	struct gbuf id = { .max = 1024 }, alg = { .max = 64 };
	uint8_t name[PKI_SHA256_LEN], key[PKI_SHA256_LEN];
	enum err_code rc = h->hash(cert->issuer, name, e);

	if (rc == ERR_OK)
		rc = h->hash(issuer->spki.bits, key, e);
	der_put(&alg, DER_OID, h->oid.p, h->oid.n);
	der_put(&alg, DER_NULL, NULL, 0);
	der_put_all(&id, DER_SEQUENCE, &alg);
	der_put(&id, DER_OCTET_STRING, name, h->n);
	der_put(&id, DER_OCTET_STRING, key, h->n);
	der_put(&id, DER_INTEGER, cert->serial.p, cert->serial.n);
	der_put_all(out, DER_SEQUENCE, &id);
	return rc;
}

/* [2] EXPLICIT Extensions, with the nonce alone. */
static void
put_nonce(struct gbuf *out, const uint8_t nonce[PKI_OCSP_NONCE])
{
	struct gbuf value = { .max = 64 }, ext = { .max = 128 }, list = { .max = 128 },
	            all = { .max = 128 };

	der_put(&value, DER_OCTET_STRING, nonce, PKI_OCSP_NONCE);
	der_put(&ext, DER_OID, oid_nonce.p, oid_nonce.n);
	der_put_all(&ext, DER_OCTET_STRING, &value);
	der_put_all(&list, DER_SEQUENCE, &ext);
	der_put_all(&all, DER_SEQUENCE, &list);
	der_put_all(out, DER_CONTEXT_CONS(2), &all);
}

enum err_code
pki_ocsp_request(const struct pki_cert *cert, const struct pki_cert *issuer,
    const uint8_t nonce[PKI_OCSP_NONCE], bool sha256, struct gbuf *out, struct err *e)
{
	struct gbuf request = { .max = 1024 }, list = { .max = 1024 }, tbs = { .max = 2048 },
	            whole = { .max = 2048 };
	enum err_code rc = put_cert_id(&request, &hashes[sha256 ? 1 : 0], cert, issuer, e);

	der_put_all(&list, DER_SEQUENCE, &request);
	der_put_all(&tbs, DER_SEQUENCE, &list);
	if (nonce != NULL)
		put_nonce(&tbs, nonce);
	der_put_all(&whole, DER_SEQUENCE, &tbs);
	der_put_all(out, DER_SEQUENCE, &whole);
	return rc == ERR_OK ? gbuf_check(out, e) : rc;
}

/* The responder calls itself so (section 4.2.1). */
static bool
is_responder(const struct ocsp_response *r, const struct pki_cert *c)
{
	uint8_t key[PKI_SHA1_LEN];

	if (r->by_name.n > 0)
		return pki_dn_equal(r->by_name, c->subject);
	return pki_sha1(c->spki.bits, key, NULL) == ERR_OK &&
	       blob_equal(r->by_key, (struct pki_blob){ key, sizeof key });
}

/* The key of c made the response's signature, of a kind that is allowed. */
static bool
signed_it(const struct eval *v, const struct pki_cert *c)
{
	if (!pki_status_signature_allowed(v->p, &c->spki, v->r.sig_kind))
		return pki_answer_unusable(v->out,
		    "signature of kind %s by a key of kind %s, %u bits",
		    pki_sig_kind_name(v->r.sig_kind), pki_key_kind_name(c->spki.kind),
		    c->spki.size);
	return pki_sig_verify(&c->spki, v->r.sig_kind, v->r.tbs, v->r.signature) ||
	       pki_answer_unusable(v->out, "the signature does not hold");
}

/* The issuer itself, or the same key under the same name in a certificate that came along. */
static bool
is_issuer(const struct eval *v, const struct pki_cert *c)
{
	return blob_equal(c->spki.der, v->issuer->spki.der) &&
	       pki_dn_equal(c->subject, v->issuer->subject);
}

/* Section 4.2.2.2: what makes a delegated responder one of this issuer. */
static bool
is_authorized(const struct eval *v, const struct pki_cert *c)
{
	unsigned usages = PKI_KU_DIGITAL_SIGNATURE | PKI_KU_NON_REPUDIATION;

	if (!pki_dn_equal(c->issuer, v->issuer->subject))
		return pki_answer_unusable(v->out, "its signer was certified by another CA");
	if (!(c->eku & PKI_EKU_OCSP_SIGNING))
		return pki_answer_unusable(v->out, "its signer may not sign OCSP responses");
	if ((c->has & PKI_EXT_KEY_USAGE) && !(c->key_usage & usages))
		return pki_answer_unusable(v->out, "its signer's key usage is another");
	if (c->unknown_critical.n > 0)
		return pki_answer_unusable(
		    v->out, "its signer has a critical extension that is not understood");
	if (v->now < c->not_before || v->now > c->not_after)
		return pki_answer_unusable(
		    v->out, "its signer's certificate has expired or is not valid yet");
	if (!(c->has & PKI_EXT_OCSP_NOCHECK) && v->p->responder_life_s != PKI_ANY_AGE &&
	    c->not_after - c->not_before > v->p->responder_life_s)
		return pki_answer_unusable(v->out,
		    "its signer's certificate is long-lived and has no id-pkix-ocsp-nocheck");
	if (!c->sig_agrees || !pki_status_signature_allowed(v->p, &v->issuer->spki, c->sig_kind))
		return pki_answer_unusable(v->out, "its signer's certificate: signature of kind %s",
		    pki_sig_kind_name(c->sig_kind));
	return pki_sig_verify(&v->issuer->spki, c->sig_kind, c->tbs, c->signature) ||
	       pki_answer_unusable(v->out, "its signer was not certified by the issuer");
}

/* Whoever it says it is from signed it, and may speak for the issuer. */
static bool
check_signer(const struct eval *v)
{
	bool found = false;

	if (is_responder(&v->r, v->issuer)) {
		found = true;
		if (signed_it(v, v->issuer))
			return true;
	}
	for (size_t i = 0; i < v->r.n_certs; i++) {
		struct pki_cert *c = NULL;
		bool ok = false;

		if (pki_cert_parse(v->r.certs[i].p, v->r.certs[i].n, &c, NULL) != ERR_OK)
			continue;
		if (!is_issuer(v, c) && is_responder(&v->r, c)) {
			found = true;
			ok = is_authorized(v, c) && signed_it(v, c);
		}
		pki_cert_unref(c);
		if (ok)
			return true;
	}
	return found ? false
	             : pki_answer_unusable(v->out, "the certificate of its signer is not with it");
}

/* The same name, key and number, hashed as the responder chose. */
static bool
is_about(const struct eval *v, const struct ocsp_single *s)
{
	uint8_t name[PKI_SHA256_LEN], key[PKI_SHA256_LEN];

	if (!blob_equal(s->serial, v->cert->serial))
		return false;
	for (size_t i = 0; i < N_ELEMS(hashes); i++)
		if (blob_equal(s->hash, hashes[i].oid))
			return hashes[i].hash(v->cert->issuer, name, NULL) == ERR_OK &&
			       hashes[i].hash(v->issuer->spki.bits, key, NULL) == ERR_OK &&
			       blob_equal(s->name_hash, (struct pki_blob){ name, hashes[i].n }) &&
			       blob_equal(s->key_hash, (struct pki_blob){ key, hashes[i].n });
	return false;
}

/* The worse of two: unusable over revoked over unknown over good. */
static unsigned
badness(enum pki_status s)
{
	static const unsigned rank[] = { [PKI_STATUS_GOOD] = 0,
		[PKI_STATUS_UNKNOWN] = 1,
		[PKI_STATUS_REVOKED] = 3,
		[PKI_STATUS_UNUSABLE] = 2 };

	return rank[s];
}

static void
weigh_singles(const struct eval *v)
{
	bool found = false;

	for (size_t i = 0; i < v->r.n_singles; i++) {
		const struct ocsp_single *s = &v->r.singles[i];
		struct pki_answer a = { .status = s->status,
			.this_update = s->this_update,
			.next_update = s->next_update,
			.has_next = s->has_next,
			.produced_at = v->r.produced_at,
			.revoked_at = s->revoked_at,
			.crl_reason = s->crl_reason };

		if (!is_about(v, s))
			continue;
		(void)pki_answer_in_time(&a, v->p, v->cert, v->now);
		if (!found || badness(a.status) > badness(v->out->status))
			*v->out = a;
		found = true;
	}
	if (!found)
		(void)pki_answer_unusable(v->out, "it is not about this certificate");
}

/* The nonce that was sent comes back, or none does and none has to. */
static bool
check_nonce(const struct eval *v, const uint8_t *nonce)
{
	uint8_t sent[2 + PKI_OCSP_NONCE] = { DER_OCTET_STRING, PKI_OCSP_NONCE };

	if (nonce == NULL)
		return true;
	if (!v->r.has_nonce)
		return v->p->nonce != PKI_NONCE_REQUIRE ||
		       pki_answer_unusable(v->out, "there is no nonce in it");
	memcpy(sent + 2, nonce, PKI_OCSP_NONCE);
	return blob_equal(v->r.nonce, (struct pki_blob){ sent, sizeof sent }) ||
	       pki_answer_unusable(v->out, "its nonce is not the one that was sent: a replay?");
}

void
pki_ocsp_evaluate(struct pki_blob response, const struct pki_cert *cert,
    const struct pki_cert *issuer, const uint8_t nonce[PKI_OCSP_NONCE],
    const struct pki_status_policy *p, int64_t now, struct pki_answer *out)
{
	struct eval v = { .cert = cert, .issuer = issuer, .p = p, .now = now, .out = out };

	*out = (struct pki_answer){ .status = PKI_STATUS_UNUSABLE, .crl_reason = -1 };
	if (!pki_dn_equal(cert->issuer, issuer->subject))
		(void)pki_answer_unusable(out, "the certificate has another issuer");
	else if (ocsp_read(response, &v.r, out) && check_nonce(&v, nonce) && check_signer(&v))
		weigh_singles(&v);
}
