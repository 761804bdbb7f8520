#include "pki/pin.h"

#include <gnutls/crypto.h>

/* clang-format off */
static const struct {
	const char *name;
	gnutls_digest_algorithm_t digest;
	size_t len; /* 0: the bytes themselves */
} matchings[] = {
	[PKI_MATCH_EXACT]  = { "exact", GNUTLS_DIG_NULL, 0 },
	[PKI_MATCH_SHA256] = { "sha256", GNUTLS_DIG_SHA256, 32 },
	[PKI_MATCH_SHA384] = { "sha384", GNUTLS_DIG_SHA384, 48 },
	[PKI_MATCH_SHA512] = { "sha512", GNUTLS_DIG_SHA512, 64 },
};

static const char *const usages[] = {
	[PKI_USAGE_CA_CONSTRAINT] = "ca-constraint",
	[PKI_USAGE_SERVICE_CERT]  = "service-certificate",
	[PKI_USAGE_TRUST_ANCHOR]  = "trust-anchor",
	[PKI_USAGE_DOMAIN_ISSUED] = "domain-issued",
};

static const struct {
	enum pki_pin_warning bit;
	const char *text;
} warnings_text[] = {
	{ PKI_PIN_WARN_CA_AS_LEAF, "the certificate is a CA's, but the usage pins the server's own" },
	{ PKI_PIN_WARN_MUST_SEND_CA, "a digest of a CA: the server must send that CA's certificate" },
	{ PKI_PIN_WARN_EXPIRED, "the certificate has expired" },
	{ PKI_PIN_WARN_NOT_YET, "the certificate is not valid yet" },
	{ PKI_PIN_WARN_EXPIRES_SOON, "the certificate expires before the device is expected again" },
};
/* clang-format on */

enum err_code
pki_usage_of(int64_t n, enum pki_usage *out, struct err *e)
{
	if (n < 0 || n >= (int64_t)N_ELEMS(usages))
		return err_set(e, ERR_RANGE, "certificate usage %lld: not 0..3", (long long)n);
	*out = (enum pki_usage)n;
	return ERR_OK;
}

enum err_code
pki_matching_of(int64_t n, enum pki_matching *out, struct err *e)
{
	if (n < 0 || n >= (int64_t)N_ELEMS(matchings))
		return err_set(e, ERR_RANGE, "matching type %lld: not 0..3", (long long)n);
	*out = (enum pki_matching)n;
	return ERR_OK;
}

const char *
pki_usage_name(enum pki_usage u)
{
	return usages[u];
}

const char *
pki_matching_name(enum pki_matching m)
{
	return matchings[m].name;
}

bool
pki_pin_matches(enum pki_matching m, struct pki_blob value, struct pki_blob bytes)
{
	uint8_t digest[PKI_DIGEST_MAX];

	if (value.n == 0 || m == PKI_MATCH_EXACT)
		return value.n > 0 && blob_equal(value, bytes);
	if (gnutls_hash_fast(matchings[m].digest, bytes.p, bytes.n, digest) < 0)
		return false;
	return blob_equal(value, (struct pki_blob){ digest, matchings[m].len });
}

enum err_code
pki_pin_digest(enum pki_matching m, struct pki_blob bytes, uint8_t out[PKI_DIGEST_MAX], size_t *n,
    struct err *e)
{
	if (gnutls_hash_fast(matchings[m].digest, bytes.p, bytes.n, out) < 0)
		return err_set(e, ERR_CRYPTO, "%s: the library failed", matchings[m].name);
	*n = matchings[m].len;
	return ERR_OK;
}

const char *
pki_pin_warning_text(enum pki_pin_warning w)
{
	for (size_t i = 0; i < N_ELEMS(warnings_text); i++)
		if (warnings_text[i].bit == w)
			return warnings_text[i].text;
	return "";
}

static bool
pins_ca(enum pki_usage u)
{
	return u == PKI_USAGE_CA_CONSTRAINT || u == PKI_USAGE_TRUST_ANCHOR;
}

static enum err_code
check_digest(enum pki_matching m, size_t n, struct err *e)
{
	if (n != matchings[m].len)
		return err_set(e, ERR_INVALID, "matching type %s wants %zu bytes, there are %zu",
		    matchings[m].name, matchings[m].len, n);
	return ERR_OK;
}

static enum err_code
check_cert(const struct pki_pin *pin, const struct pki_cert *c, int64_t now, int64_t until,
    unsigned *warnings, struct err *e)
{
	if (pins_ca(pin->usage) && !c->is_ca)
		return err_set(e, ERR_INVALID,
		    "certificate usage %d (%s) pins a CA, and this is none", (int)pin->usage,
		    usages[pin->usage]);
	if (!pins_ca(pin->usage) && c->is_ca)
		*warnings |= PKI_PIN_WARN_CA_AS_LEAF;
	if (c->not_after < now)
		*warnings |= PKI_PIN_WARN_EXPIRED;
	else if (c->not_after < until)
		*warnings |= PKI_PIN_WARN_EXPIRES_SOON;
	if (c->not_before > now)
		*warnings |= PKI_PIN_WARN_NOT_YET;
	return ERR_OK;
}

enum err_code
pki_pin_check(
    const struct pki_pin *pin, int64_t now, int64_t until, unsigned *warnings, struct err *e)
{
	struct pki_cert *c = NULL;

	*warnings = 0;
	if (pin->matching != PKI_MATCH_EXACT) {
		if (pins_ca(pin->usage))
			*warnings |= PKI_PIN_WARN_MUST_SEND_CA;
		return check_digest(pin->matching, pin->value.n, e);
	}
	enum err_code rc = pki_cert_parse(pin->value.p, pin->value.n, &c, e);
	if (rc != ERR_OK)
		return rc;
	rc = check_cert(pin, c, now, until, warnings, e);
	pki_cert_unref(c);
	return rc;
}

enum err_code
pki_pin_check_rpk(enum pki_matching m, struct pki_blob value, struct err *e)
{
	struct pki_spki key;

	if (m != PKI_MATCH_EXACT)
		return check_digest(m, value.n, e);
	enum err_code rc = pki_spki_parse(value, &key, e);
	return rc == ERR_OK ? pki_spki_check(&key, e) : rc;
}
