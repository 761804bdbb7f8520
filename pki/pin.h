/*
 * pki/pin.h: Certificate Usage and Matching Type of LwM2M Security (resources /0/x/15 and /0/x/13,
 * which follow RFC 6698 sections 2.1.1 and 2.1.3), with the Server Public Key (/0/x/4) that they
 * are about.
 */
#ifndef PKI_PIN_H
#define PKI_PIN_H

#include "pki/cert.h"

enum pki_usage {
	PKI_USAGE_CA_CONSTRAINT = 0, /* a valid path, and one of its CAs is the pinned one */
	PKI_USAGE_SERVICE_CERT = 1,  /* a valid path, and its leaf is the pinned one */
	PKI_USAGE_TRUST_ANCHOR = 2,  /* a valid path to the pinned one as the only anchor */
	PKI_USAGE_DOMAIN_ISSUED = 3  /* the leaf is the pinned one; no path is asked for */
};

#define PKI_USAGE_DEFAULT PKI_USAGE_DOMAIN_ISSUED /* when the resource is absent */

enum pki_matching {
	PKI_MATCH_EXACT = 0,
	PKI_MATCH_SHA256 = 1,
	PKI_MATCH_SHA384 = 2,
	PKI_MATCH_SHA512 = 3
};

struct pki_pin {
	enum pki_usage usage;
	enum pki_matching matching;
	struct pki_blob value; /* borrowed: a certificate, or its digest */
};

/* The numbers of the resources. ERR_RANGE. */
enum err_code pki_usage_of(int64_t n, enum pki_usage *out, struct err *e);
enum err_code pki_matching_of(int64_t n, enum pki_matching *out, struct err *e);

/* "ca-constraint", "service-certificate", "trust-anchor", "domain-issued"; "exact", "sha256", ...
 */
const char *pki_usage_name(enum pki_usage u);
const char *pki_matching_name(enum pki_matching m);

/* The bytes themselves, or their digest, are the pinned ones. An empty value matches nothing. */
bool pki_pin_matches(enum pki_matching m, struct pki_blob value, struct pki_blob bytes);

/* The digest that a Matching Type other than exact asks for; *n its length. ERR_CRYPTO. */
#define PKI_DIGEST_MAX 64
enum err_code pki_pin_digest(enum pki_matching m, struct pki_blob bytes,
    uint8_t out[PKI_DIGEST_MAX], size_t *n, struct err *e);

/* What should be said to the operator before a pin is written. */
enum pki_pin_warning {
	PKI_PIN_WARN_CA_AS_LEAF = 1 << 0, /* usage 1 or 3 pins a CA certificate */
	PKI_PIN_WARN_MUST_SEND_CA =
	    1 << 1, /* usage 0 or 2 with a digest: the server must send that CA */
	PKI_PIN_WARN_EXPIRED = 1 << 2,
	PKI_PIN_WARN_NOT_YET = 1 << 3,
	PKI_PIN_WARN_EXPIRES_SOON = 1 << 4 /* before until */
};

/*
 * Whether a pin makes sense for X.509: the value is a certificate (exact) or as long as its digest;
 * usage 0 and 2 pin a CA. ERR_INVALID says what is wrong. *warnings are bits of pki_pin_warning;
 * now and until are seconds since 1970 UTC.
 */
enum err_code pki_pin_check(
    const struct pki_pin *pin, int64_t now, int64_t until, unsigned *warnings, struct err *e);
/* The same for a raw public key: a SubjectPublicKeyInfo of a kind that we know, or its digest. */
enum err_code pki_pin_check_rpk(enum pki_matching m, struct pki_blob value, struct err *e);
/* One sentence for one bit. */
const char *pki_pin_warning_text(enum pki_pin_warning w);

#endif
