#include "bsserver/auth/derive.h"

#include <string.h>

#include "lib/base/str.h"

static const char *
kind_words(enum pki_id_kind kind)
{
	static const char *const words[PKI_ID__COUNT] = {
		[PKI_ID_CN] = "common name (CN)",
		[PKI_ID_SUBJECT_SERIAL] = "subject's serialNumber attribute",
		[PKI_ID_SAN_URI] = "URI in subjectAltName",
		[PKI_ID_SAN_DNS] = "DNS name in subjectAltName",
		[PKI_ID_SERIAL] = "serial number in hex",
		[PKI_ID_ISSUER_SERIAL] = "issuer's name by SHA-256, colon, serial number",
		[PKI_ID_SPKI_SHA256] = "public key's SHA-256",
		[PKI_ID_CERT_SHA256] = "SHA-256",
	};

	return (size_t)kind < N_ELEMS(words) ? words[kind] : "identity";
}

static void
put_value(struct gbuf *out, const char *s, size_t n)
{
	gbuf_str(out, "\"");
	str_quote(out, s, n);
	gbuf_str(out, "\"");
}

/* The endpoint that a value stands for: itself, or put in the place of the *. */
static void
put_derived(const struct auth_rule *r, const char *value, struct gbuf *out)
{
	const char *star = r->endpoint != NULL ? strchr(r->endpoint, '*') : NULL;

	if (star == NULL) {
		gbuf_str(out, value);
		return;
	}
	gbuf_put(out, r->endpoint, (size_t)(star - r->endpoint));
	gbuf_str(out, value);
	gbuf_str(out, star + 1);
}

bool
derive_endpoint(
    const struct auth_rule *r, const struct auth_question *q, struct gbuf *endpoint, struct gbuf *say)
{
	struct gbuf value = { .max = 256 };
	struct err e = { 0 };
	bool done = false;

	if (q->cert == NULL || q->trust == NULL) {
		derive_foretell(r, q->endpoint, say);
	} else if (strcmp(q->trust, r->trust) != 0) {
		gbuf_printf(say, "the certificate is one of trust %s", q->trust);
	} else if (pki_id_value(q->cert, r->kind, &value, &e) != ERR_OK) {
		gbuf_printf(say, "the certificate names no endpoint: %s", e.msg);
	} else {
		put_derived(r, gbuf_cstr(&value), endpoint);
		gbuf_printf(say, "its %s is ", kind_words(r->kind));
		put_value(say, gbuf_cstr(&value), value.len);
		gbuf_printf(say, ": the certificate names endpoint %s", gbuf_cstr(endpoint));
		done = !endpoint->failed && !value.failed;
	}
	gbuf_clear(&value);
	return done;
}

/* What stands in the place of the *; NULL: the endpoint is not of that form. */
static const char *
value_of(const struct auth_rule *r, const char *endpoint, size_t *n)
{
	const char *star = r->endpoint != NULL ? strchr(r->endpoint, '*') : NULL;
	size_t before, behind;

	*n = strlen(endpoint);
	if (star == NULL)
		return endpoint;
	before = (size_t)(star - r->endpoint);
	behind = strlen(star + 1);
	if (*n <= before + behind || strncmp(endpoint, r->endpoint, before) != 0 ||
	    strcmp(endpoint + *n - behind, star + 1) != 0)
		return NULL;
	*n -= before + behind;
	return endpoint + before;
}

bool
derive_fits(const struct auth_rule *r, const char *endpoint)
{
	size_t n;

	return endpoint != NULL && value_of(r, endpoint, &n) != NULL;
}

void
derive_foretell(const struct auth_rule *r, const char *endpoint, struct gbuf *out)
{
	size_t n = 0;
	const char *value = endpoint == NULL ? NULL : value_of(r, endpoint, &n);

	if (endpoint == NULL) {
		gbuf_printf(out, "the %s of a certificate of trust %s says which endpoint it is", kind_words(r->kind),
		    r->trust);
	} else if (value == NULL) {
		gbuf_printf(out, "endpoint %s is not of the form %s, by which certificates of trust %s are named",
		    endpoint, r->endpoint, r->trust);
	} else {
		gbuf_printf(out, "lets it in with a certificate of trust %s whose %s is ", r->trust,
		    kind_words(r->kind));
		put_value(out, value, n);
	}
}
