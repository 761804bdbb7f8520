/*
 * pki/cert.h: a certificate (RFC 5280), read once and never changed.
 *
 * Read by our own strict DER reader: what is here was well formed, but not yet judged: chain.h does
 * that. All blobs point into cert->der and live as long as the certificate. Names no library.
 */
#ifndef PKI_CERT_H
#define PKI_CERT_H

#include "pki/name.h"
#include "pki/sig.h"

#define PKI_CERT_MAX ((size_t)16 << 10)  /* bytes of DER */
#define PKI_BUNDLE_MAX ((size_t)4 << 20) /* bytes of a file of certificates */
#define PKI_BUNDLE_CERTS 1024            /* certificates in it */

/* Bits of key usage (section 4.2.1.3). */
enum pki_key_usage {
	PKI_KU_DIGITAL_SIGNATURE = 1 << 0,
	PKI_KU_NON_REPUDIATION = 1 << 1,
	PKI_KU_KEY_ENCIPHERMENT = 1 << 2,
	PKI_KU_DATA_ENCIPHERMENT = 1 << 3,
	PKI_KU_KEY_AGREEMENT = 1 << 4,
	PKI_KU_CERT_SIGN = 1 << 5,
	PKI_KU_CRL_SIGN = 1 << 6,
	PKI_KU_ENCIPHER_ONLY = 1 << 7,
	PKI_KU_DECIPHER_ONLY = 1 << 8
};

/* Bits of extended key usage (section 4.2.1.12). */
enum pki_eku {
	PKI_EKU_ANY = 1 << 0,
	PKI_EKU_SERVER_AUTH = 1 << 1,
	PKI_EKU_CLIENT_AUTH = 1 << 2,
	PKI_EKU_OCSP_SIGNING = 1 << 3,
	PKI_EKU_OTHER = 1 << 4 /* at least one that we do not know */
};

/* One CRL distribution point (section 4.2.1.13). */
struct pki_crl_dp {
	struct pki_names full_name; /* [0] fullName; empty when it has none */
	struct pki_blob relative;   /* nameRelativeToCRLIssuer, or none */
	bool has_reasons;           /* only some reasons */
	struct pki_blob crl_issuer; /* content of cRLIssuer: the CRL is indirect; or none */
};

/* Which extensions there are, and which are critical: bits of pki_cert.has and .critical. */
enum pki_ext {
	PKI_EXT_AKI = 1 << 0,
	PKI_EXT_SKI = 1 << 1,
	PKI_EXT_KEY_USAGE = 1 << 2,
	PKI_EXT_POLICIES = 1 << 3,
	PKI_EXT_POLICY_MAPPINGS = 1 << 4,
	PKI_EXT_SAN = 1 << 5,
	PKI_EXT_IAN = 1 << 6,
	PKI_EXT_SUBJECT_DIR = 1 << 7,
	PKI_EXT_BASIC_CONSTRAINTS = 1 << 8,
	PKI_EXT_NAME_CONSTRAINTS = 1 << 9,
	PKI_EXT_POLICY_CONSTRAINTS = 1 << 10,
	PKI_EXT_EKU = 1 << 11,
	PKI_EXT_CRL_DP = 1 << 12,
	PKI_EXT_INHIBIT_ANY = 1 << 13,
	PKI_EXT_FRESHEST_CRL = 1 << 14,
	PKI_EXT_AIA = 1 << 15,
	PKI_EXT_SIA = 1 << 16,
	PKI_EXT_OCSP_NOCHECK = 1 << 17,
	PKI_EXT_TLS_FEATURE = 1 << 18 /* RFC 7633 */
};

/* Read its members; change none. */
struct pki_cert {
	unsigned refs;
	struct pki_blob der;        /* the whole certificate; the certificate owns these bytes */
	struct pki_blob tbs;        /* what is signed, with its tag */
	struct pki_blob sig_oid;    /* the signature's algorithm */
	enum pki_sig_kind sig_kind; /* the same, if we know it and its parameters are right */
	struct pki_blob signature;
	bool sig_agrees;        /* inside and outside name the same algorithm (section 4.1.1.2) */
	int version;            /* 1..3 */
	struct pki_blob serial; /* the INTEGER's octets */
	struct pki_blob issuer; /* the whole Name, with its tag */
	struct pki_blob subject;
	int64_t not_before; /* seconds since 1970 UTC */
	int64_t not_after;
	struct pki_spki spki;
	uint8_t fingerprint[PKI_SHA256_LEN]; /* SHA-256 of der */
	uint8_t spki_sha256[PKI_SHA256_LEN]; /* SHA-256 of spki.der */

	uint32_t has, critical; /* enum pki_ext */
	struct pki_blob
	    unknown_critical; /* the first critical extension that is none of ours; or none */
	bool is_ca;           /* basicConstraints */
	int path_len;         /* -1: no limit */
	unsigned key_usage;   /* enum pki_key_usage */
	unsigned eku;         /* enum pki_eku; 0 with PKI_EXT_EKU: an empty list */
	bool must_staple;     /* TLS feature status_request, or its version 2 (RFC 7633) */
	struct pki_blob ski;  /* subjectKeyIdentifier */
	struct pki_blob aki;  /* keyIdentifier of authorityKeyIdentifier, or none */
	struct pki_names san;
	struct pki_names permitted, excluded; /* name constraints; no minimum, no maximum */
	struct pki_names ocsp_uris;           /* AIA: id-ad-ocsp with a URI */
	struct pki_crl_dp *crl_dps;
	size_t n_crl_dps;
	struct pki_blob policies, policy_mappings, policy_constraints,
	    inhibit_any; /* raw extnValues */
};

/*
 * One certificate of n bytes of DER, nothing behind it; copied. ERR_PARSE says where and what,
 * ERR_LIMIT over PKI_CERT_MAX. *out has one reference.
 */
enum err_code pki_cert_parse(const void *der, size_t n, struct pki_cert **out, struct err *e);

/* The certificate itself, one reference more. */
struct pki_cert *pki_cert_ref(const struct pki_cert *c);
/* The last reference frees. NULL is fine. */
void pki_cert_unref(struct pki_cert *c);

/* The same bytes. */
bool pki_cert_equal(const struct pki_cert *a, const struct pki_cert *b);
/* Issuer and subject are the same name (RFC 5280 section 7.1). */
bool pki_cert_self_issued(const struct pki_cert *c);

/* A list of certificates that holds a reference to each. */
struct pki_certs {
	struct pki_cert **v;
	size_t n, cap;
};

#define PKI_CERTS_NONE ((struct pki_certs){ NULL, 0, 0 })

enum err_code pki_certs_add(
    struct pki_certs *cs, const struct pki_cert *c, struct err *e); /* one reference more */
void pki_certs_clear(struct pki_certs *cs);                         /* safe twice */

/*
 * All certificates of a text of PEM blocks (other blocks are passed over), or the one of plain DER,
 * appended in their order. ERR_PARSE names the block by its number, from 1; ERR_NOT_FOUND when
 * there is none; ERR_LIMIT beyond max or the bounds above. On an error *cs is as it was.
 */
enum err_code pki_certs_parse(
    struct pki_certs *cs, const void *text, size_t n, size_t max, struct err *e);
/* The same of a file. */
enum err_code pki_certs_load(struct pki_certs *cs, const char *file, size_t max, struct err *e);

/* Its serial number in hex. */
void pki_serial_text(struct gbuf *out, const struct pki_cert *c);

#endif
