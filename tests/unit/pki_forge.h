/*
 * tests/unit/pki_forge.h: certificates, OCSP responses and revocation lists as a test wants them,
 * right or wrong. Whatever fails in here ends the program.
 */
#ifndef TESTS_UNIT_PKI_FORGE_H
#define TESTS_UNIT_PKI_FORGE_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "pki/ocsp.h"

#define FORGE_NOW 1767225600 /* 2026-01-01T00:00:00Z */
#define FORGE_DAY 86400

enum forge_key { FORGE_P256, FORGE_P384, FORGE_ED25519, FORGE_RSA2048, FORGE_RSA1024 };

struct forge {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	struct pki_cert *cert;
};

/* 0 and NULL: what a good certificate has. */
struct forge_opts {
	const char *cn;
	const struct forge *issuer; /* NULL: itself */
	const struct forge *signer; /* whose key signs, if not the issuer's */
	const struct forge *rekey;  /* takes this one's key instead of a new one */
	enum forge_key key;
	bool ca;
	int path_len;          /* with ca; 0: no limit, n: n - 1 */
	unsigned usage;        /* GNUTLS_KEY_...; 0: as suits it; UINT_MAX: no such extension */
	const char *eku[3];    /* OIDs; none: no extension */
	const char *ocsp[4];   /* URLs in AIA */
	const char *crl_dp;    /* URL */
	const char *dns;       /* SAN */
	const char *uri;       /* SAN */
	const char *permitted; /* dNSName constraint */
	const char *excluded;
	int64_t not_before, not_after; /* 0: ten days ago, in a year */
	int64_t now;                   /* of these; 0: FORGE_NOW */
	const uint8_t *serial;         /* 0: a random one */
	size_t serial_len;
	bool nocheck;
	bool sha1;
	bool broken_sig;
	const char *critical_oid; /* an extension nobody knows */
	const char *policy;       /* a certificate policy */
	bool need_policy;         /* policyConstraints: requireExplicitPolicy 0 */
	const char *const *raw;   /* three extensions, or NULL: "OID=HEX", "OID!HEX" when critical */
};

void forge_make(struct forge *k, const struct forge_opts *o);
void forge_clear(struct forge *k); /* safe twice */
/* The certificate, then the key, as PEM, appended. */
void forge_pem(const struct forge *k, struct gbuf *out);
void forge_key_pem(const struct forge *k, struct gbuf *out);

enum forge_hash { FORGE_SHA1, FORGE_SHA256, FORGE_OTHER_HASH };

struct forge_single {
	const struct pki_cert *cert, *issuer;
	enum pki_status status;
	int reason; /* REVOKED: + 1; 0: none */
	enum forge_hash hash;
	int64_t this_update, next_update; /* next 0: none */
	int64_t revoked_at;
	bool bad_name, bad_key, bad_serial, critical;
};

struct forge_ocsp {
	const struct forge *signer;
	const struct forge *embed[3];
	struct forge_single singles[20];
	size_t n;
	int64_t produced_at;
	int response_status;    /* 0: successful */
	bool no_bytes;          /* successful, without a response */
	bool other_type;        /* not id-pkix-ocsp-basic */
	bool by_key;            /* responderID */
	const char *other_name; /* responderID by this name */
	int version;            /* 0: left out; else its number */
	bool critical;          /* an unknown critical extension of the response */
	struct pki_blob nonce;  /* the extension's value; none: no extension */
	bool bad_signature;
	gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
};

/* DER, appended. */
void forge_ocsp(const struct forge_ocsp *o, struct gbuf *out);
/* A good answer about one certificate: now, for a day, signed by signer, which is embedded unless
 * it is the issuer. */
struct forge_ocsp forge_answer(const struct forge *cert, const struct forge *issuer,
    const struct forge *signer, enum pki_status status, int64_t now);

struct forge_crl {
	const struct forge *issuer;
	const struct forge *signer; /* NULL: the issuer */
	const struct pki_cert *revoked[4];
	int reason;                       /* of all; 0: not said, else + 1 */
	int64_t this_update, next_update; /* next 0: none */
	bool no_number, critical_number, delta, critical, critical_entry, entry_issuer, v1;
	const char *idp_uri; /* critical IDP with this full name */
	int idp_flag;        /* critical IDP with this BOOLEAN: 1, 2, 4, 5 */
	bool idp_reasons;    /* onlySomeReasons */
	bool idp_issuer;     /* full name: the issuer's directory name */
	bool idp_twice;      /* and another IDP that has no bounds */
	bool bad_signature, sha1;
	size_t fill; /* this many more entries, of other certificates */
};

void forge_crl(const struct forge_crl *o, struct gbuf *out);

#endif
