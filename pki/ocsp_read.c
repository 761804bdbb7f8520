#include "pki/ocsp_read.h"

#include <string.h>

#define OID(...)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })         \
	}

static const struct pki_blob oid_basic = OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01);
static const struct pki_blob oid_nonce = OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02);

/* clang-format off */
static const struct {
	const char *what;
	bool later;
} statuses[] = {
	{ "successful", false },
	{ "malformedRequest", false },
	{ "internalError", true },
	{ "tryLater", true },
	{ "a status that does not exist", false },
	{ "sigRequired", false },
	{ "unauthorized", false },
};
/* clang-format on */

static bool
malformed(struct pki_answer *why, const char *what)
{
	return pki_answer_unusable(why, "response: %s: malformed", what);
}

/* Extensions (RFC 5280 section 4.1): none that is critical, but a nonce where one may be. */
static bool
read_extensions(struct der *d, int tag, struct ocsp_response *out, struct pki_answer *why)
{
	struct der outer = der_enter(d, tag), list = der_enter(&outer, DER_SEQUENCE);

	if (!der_end(&outer) || !der_more(&list))
		return malformed(why, "extensions");
	while (der_more(&list)) {
		struct der ext = der_enter(&list, DER_SEQUENCE);
		struct pki_blob oid = der_take(&ext, DER_OID);
		bool critical = der_peek(&ext) == DER_BOOLEAN && der_boolean(&ext);
		struct pki_blob value = der_take(&ext, DER_OCTET_STRING);
		bool is_nonce = out != NULL && blob_equal(oid, oid_nonce);

		if (!der_end(&ext) || !der_oid_valid(oid) || (is_nonce && out->has_nonce))
			return malformed(why, "extensions");
		if (critical && !is_nonce)
			return pki_answer_unusable(
			    why, "response: a critical extension that is not understood");
		if (is_nonce) {
			out->nonce = value;
			out->has_nonce = true;
		}
	}
	return der_end(&list) || malformed(why, "extensions");
}

static bool
read_cert_id(struct der *d, struct ocsp_single *s)
{
	struct der id = der_enter(d, DER_SEQUENCE), hash = der_enter(&id, DER_SEQUENCE);
	struct pki_blob null = PKI_BLOB_NONE;

	s->hash = der_take(&hash, DER_OID);
	(void)der_take_optional(&hash, DER_NULL, &null);
	s->name_hash = der_take(&id, DER_OCTET_STRING);
	s->key_hash = der_take(&id, DER_OCTET_STRING);
	s->serial = der_integer(&id, DER_INTEGER);
	return der_end(&hash) && der_end(&id) && null.n == 0;
}

static bool
read_revoked(struct der *d, struct ocsp_single *s)
{
	struct der info = der_enter(d, DER_CONTEXT_CONS(1));

	s->status = PKI_STATUS_REVOKED;
	s->revoked_at = der_generalized_time(&info, DER_GENERALIZED_TIME);
	if (der_more(&info)) {
		struct der reason = der_enter(&info, DER_CONTEXT_CONS(0));
		s->crl_reason = (int)der_uint(&reason, DER_ENUMERATED, 10);
		if (!der_end(&reason))
			return false;
	}
	return der_end(&info);
}

static bool
read_status(struct der *d, struct ocsp_single *s)
{
	int tag = der_peek(d);

	s->crl_reason = -1;
	if (tag == DER_CONTEXT_CONS(1))
		return read_revoked(d, s);
	if (tag != DER_CONTEXT(0) && tag != DER_CONTEXT(2))
		return false;
	s->status = tag == DER_CONTEXT(0) ? PKI_STATUS_GOOD : PKI_STATUS_UNKNOWN;
	return der_take(d, tag).n == 0 && der_ok(d);
}

static bool
read_single(struct der *list, struct ocsp_single *s, struct pki_answer *why)
{
	struct der d = der_enter(list, DER_SEQUENCE);

	if (!read_cert_id(&d, s) || !read_status(&d, s))
		return malformed(why, "single response");
	s->this_update = der_generalized_time(&d, DER_GENERALIZED_TIME);
	s->has_next = der_peek(&d) == DER_CONTEXT_CONS(0);
	if (s->has_next) {
		struct der next = der_enter(&d, DER_CONTEXT_CONS(0));
		s->next_update = der_generalized_time(&next, DER_GENERALIZED_TIME);
		if (!der_end(&next))
			return malformed(why, "nextUpdate");
	}
	if (der_more(&d) && !read_extensions(&d, DER_CONTEXT_CONS(1), NULL, why))
		return false;
	return der_end(&d) || malformed(why, "single response");
}

static bool
read_singles(struct der *d, struct ocsp_response *out, struct pki_answer *why)
{
	struct der list = der_enter(d, DER_SEQUENCE);

	while (der_more(&list)) {
		if (out->n_singles == PKI_OCSP_SINGLES)
			return pki_answer_unusable(
			    why, "response: about more than %d certificates", PKI_OCSP_SINGLES);
		if (!read_single(&list, &out->singles[out->n_singles++], why))
			return false;
	}
	return der_end(&list) || malformed(why, "list of single responses");
}

static bool
read_responder(struct der *d, struct ocsp_response *out)
{
	struct der id;

	if (der_peek(d) == DER_CONTEXT_CONS(1)) {
		id = der_enter(d, DER_CONTEXT_CONS(1));
		out->by_name = der_take_whole(&id, NULL);
		return der_end(&id) && pki_dn_valid(out->by_name);
	}
	id = der_enter(d, DER_CONTEXT_CONS(2));
	out->by_key = der_take(&id, DER_OCTET_STRING);
	return der_end(&id) && out->by_key.n == PKI_SHA1_LEN;
}

static bool
read_data(struct ocsp_response *out, struct pki_answer *why)
{
	struct der outer = der_make(out->tbs), d = der_enter(&outer, DER_SEQUENCE);

	if (der_peek(&d) == DER_CONTEXT_CONS(0)) { /* version 1, though DER leaves a default out */
		struct der version = der_enter(&d, DER_CONTEXT_CONS(0));
		(void)der_uint(&version, DER_INTEGER, 0);
		if (!der_end(&version))
			return pki_answer_unusable(why, "response: not of version 1");
	}
	if (!read_responder(&d, out))
		return malformed(why, "responderID");
	out->produced_at = der_generalized_time(&d, DER_GENERALIZED_TIME);
	if (!der_ok(&d))
		return malformed(why, "producedAt");
	if (!read_singles(&d, out, why))
		return false;
	if (der_more(&d) && !read_extensions(&d, DER_CONTEXT_CONS(1), out, why))
		return false;
	return der_end(&d) || malformed(why, "response data");
}

static bool
read_certs(struct der *d, struct ocsp_response *out, struct pki_answer *why)
{
	struct der outer = der_enter(d, DER_CONTEXT_CONS(0)),
	           list = der_enter(&outer, DER_SEQUENCE);

	while (der_more(&list)) {
		if (out->n_certs == PKI_OCSP_CERTS)
			return pki_answer_unusable(
			    why, "response: more than %d certificates with it", PKI_OCSP_CERTS);
		out->certs[out->n_certs++] = der_take_whole(&list, NULL);
	}
	return (der_end(&outer) && der_end(&list)) || malformed(why, "certificates");
}

static bool
read_basic(struct pki_blob in, struct ocsp_response *out, struct pki_answer *why)
{
	struct der whole = der_make(in), d = der_enter(&whole, DER_SEQUENCE);
	unsigned unused = 0;

	out->tbs = der_take_whole(&d, NULL);
	out->sig_kind = pki_sig_kind_of(der_take_whole(&d, NULL));
	out->signature = der_bits(&d, DER_BIT_STRING, &unused);
	if (!der_end(&whole) || !der_ok(&d) || unused != 0)
		return malformed(why, "basic response");
	if (der_more(&d) && !read_certs(&d, out, why))
		return false;
	return der_end(&d) ? read_data(out, why) : malformed(why, "basic response");
}

bool
ocsp_read(struct pki_blob in, struct ocsp_response *out, struct pki_answer *why)
{
	struct der whole = der_make(in), d = der_enter(&whole, DER_SEQUENCE);
	uint32_t status = der_uint(&d, DER_ENUMERATED, N_ELEMS(statuses) - 1);

	memset(out, 0, sizeof *out);
	if (in.n > PKI_OCSP_RESPONSE_MAX)
		return pki_answer_unusable(why, "response: over %zu bytes", PKI_OCSP_RESPONSE_MAX);
	if (!der_end(&whole) || !der_ok(&d))
		return pki_answer_unusable(why, "not an OCSP response");
	if (status != 0) {
		why->later = statuses[status].later;
		return pki_answer_unusable(why, "the responder says %s", statuses[status].what);
	}
	struct der outer = der_enter(&d, DER_CONTEXT_CONS(0));
	struct der bytes = der_enter(&outer, DER_SEQUENCE);
	struct pki_blob type = der_take(&bytes, DER_OID);
	struct pki_blob basic = der_take(&bytes, DER_OCTET_STRING);
	if (!der_end(&d) || !der_end(&outer) || !der_end(&bytes))
		return malformed(why, "response bytes");
	if (!blob_equal(type, oid_basic))
		return pki_answer_unusable(why, "response: not of the basic type");
	return read_basic(basic, out, why);
}
