/* pki/ocsp_read.h: the form of an OCSP response (RFC 6960 section 4.2.1); inside ocsp.c only. */
#ifndef PKI_OCSP_READ_H
#define PKI_OCSP_READ_H

#include "pki/ocsp.h"

struct ocsp_single {
	struct pki_blob hash; /* OID of the CertID's hash */
	struct pki_blob name_hash, key_hash, serial;
	enum pki_status status;
	int64_t this_update, next_update, revoked_at;
	bool has_next;
	int crl_reason;
};

/* All of it points into the response. */
struct ocsp_response {
	struct pki_blob tbs, signature;
	enum pki_sig_kind sig_kind;
	struct pki_blob by_name; /* responderID: a Name with its tag; or none, */
	struct pki_blob by_key;  /* then: SHA-1 of the key's bits */
	int64_t produced_at;
	struct pki_blob nonce; /* the extension's value, or none */
	bool has_nonce;
	struct ocsp_single singles[PKI_OCSP_SINGLES];
	size_t n_singles;
	struct pki_blob certs[PKI_OCSP_CERTS]; /* with their tags; not read */
	size_t n_certs;
};

/* false: it is not usable, and why stands in *why; *why->later when it may be tomorrow. */
bool ocsp_read(struct pki_blob in, struct ocsp_response *out, struct pki_answer *why);

#endif
