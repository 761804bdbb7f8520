/*
 * pki/issue.h: certificates and revocation lists, made and signed (RFC 5280). Signing may block on
 * a token: never on the daemon's loop.
 */
#ifndef PKI_ISSUE_H
#define PKI_ISSUE_H

#include "pki/cert.h"
#include "pki/keystore.h"

enum pki_issue_kind {
	PKI_ISSUE_CA,
	PKI_ISSUE_CLIENT, /* digitalSignature, clientAuth */
	PKI_ISSUE_SERVER  /* digitalSignature, serverAuth */
};

#define PKI_ISSUE_BACK_S 300 /* a certificate is valid from so long ago: clocks differ */

/* All of it borrowed for the call. */
struct pki_issue {
	enum pki_issue_kind kind;
	const char *subject;          /* RFC 4514, "CN=dev,O=Example" */
	struct pki_blob subject_name; /* instead of it: a Name as a request has it; or none */
	const char *const *names; /* subjectAltName: "dns:", "ip:", "uri:" or "email:" and a name */
	size_t n_names;
	int64_t not_before, not_after;  /* seconds since 1970 UTC; both clamped to the CA's */
	int path_len;                   /* CA: how many below it; -1 no limit */
	const char *ocsp_url, *crl_url; /* NULL: none */
};

/*
 * A certificate for this public key (SubjectPublicKeyInfo), with a serial number of 16 random
 * octets; nothing of a request but its key ever gets into one. ca NULL: self-signed, and key's own
 * must be spki. ERR_INVALID: a subject or name that is none; ERR_REFUSED: a CA that may not issue
 * this, or whose key is not key; ERR_CRYPTO. *der must be empty.
 */
enum err_code pki_issue_cert(const struct pki_issue *what, struct pki_blob spki,
    const struct pki_cert *ca, const struct pki_key *key, struct secret *der, struct err *e);

/* The number of a CRLReason (section 5.3.1) that an operator may give, "keyCompromise". */
bool pki_crl_reason_of(const char *name, unsigned *out);

struct pki_crl_entry {
	struct pki_blob serial; /* borrowed */
	int64_t at;             /* the reason is left out, as section 5.3.1 allows */
};

/* A list of what is revoked, signed by the CA. number rises with each (section 5.2.3). *der must be
 * empty. */
enum err_code pki_issue_crl(const struct pki_crl_entry *v, size_t n, uint64_t number,
    int64_t this_update, int64_t next_update, const struct pki_cert *ca, const struct pki_key *key,
    struct secret *der, struct err *e);

#endif
