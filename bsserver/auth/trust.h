/*
 * bsserver/auth/trust.h: the CAs whose certificates devices may knock with, and what a certificate
 * chain or a raw public key of a device is found to be. Pure but for loading files; the time is an
 * argument.
 */
#ifndef BSSERVER_AUTH_TRUST_H
#define BSSERVER_AUTH_TRUST_H

#include "bsserver/auth/auth.h"
#include "pki/chain.h"

struct trust_conf {
	const char *name, *file; /* borrowed for the call; the file is PEM or DER, every certificate is an anchor */
	bool ignore_leaf_expiry;
	bool servers; /* of servers that devices are sent to: no device is let in under it */
};

/*
 * The anchors of the configuration's files, and over them what the store says: anchors that were
 * added there, and anchors (of files too) that were retired. Empty: nobody is trusted.
 */
struct trust;

/* ERR_INVALID names the trust and what is wrong: no file, no certificate, one that is in two of them. */
enum err_code trust_load(const struct trust_conf *v, size_t n, struct trust **out, struct err *e);
void trust_free(struct trust *t); /* NULL is fine */
size_t trust_anchors(const struct trust *t); /* under which devices are let in */

/* What the store says of one anchor. Borrowed for the call. */
struct trust_word {
	const char *trust; /* the name of what it belongs to; counts once that is configured */
	struct pki_blob der;
	bool retired;
	int64_t at_ms; /* since when; wall clock */
};
/* From now on it holds, until there is another word about the same certificate. ERR_PARSE,
 * ERR_NO_MEMORY: then nothing has changed. */
enum err_code trust_put(struct trust *t, const struct trust_word *w, struct err *e);
/* All that was put into another. */
enum err_code trust_adopt(struct trust *t, const struct trust *from, struct err *e);

/* One trust, as it is now. Borrowed until the next change. */
struct trust_view {
	const char *name;
	bool servers;
	const struct pki_certs *anchors;   /* that count */
	const struct pki_certs *of_file; /* that its file has, retired ones too */
};
bool trust_at(const struct trust *t, size_t i, struct trust_view *out); /* false past the end */
/* Whether that certificate is an anchor of the trust of that name, now. */
bool trust_counts(const struct trust *t, const char *name, struct pki_blob der);
/* Since when (ms, wall clock) that anchor is retired; 0: it is not. */
int64_t trust_retired(const struct trust *t, const struct pki_cert *c);
int64_t trust_retired_sha256(const struct trust *t, const uint8_t sha256[PKI_SHA256_LEN]);
/* Whether what no trust knows the issuer of may be handed out all the same; at first it may not. */
void trust_allow_unknown(struct trust *t, bool allowed);
bool trust_allows_unknown(const struct trust *t); /* NULL: false */
/* The trust of that name; false: there is none. */
bool trust_named(const struct trust *t, const char *name, struct trust_view *out);

/* What a device was found to be. It owns all of this, and may outlive the trust that it was judged by. */
struct trust_proof {
	enum auth_credential credential; /* AUTH_X509, AUTH_RPK */
	struct pki_certs path;		 /* X509: the leaf first, the trust anchor last */
	char *trust;			 /* X509: the name of what the anchor belongs to */
	struct pki_blob spki;		 /* RPK: the SubjectPublicKeyInfo; owned */
	char *text; /* X509: the leaf's subject, RPK: "sha256:..."; to be shown */
};
void trust_proof_free(struct trust_proof *p); /* NULL is fine */

struct trust_verdict {
	enum pki_reason reason; /* PKI_OK, or why not */
	int alert;		/* of TLS (RFC 5246 section 7.2) for that reason; 0 with PKI_OK */
	char why[256];
	struct trust_proof *proof; /* owned; NULL unless PKI_OK */
};

/* A chain as a device sent it, its own certificate first, for the purpose of a TLS client. */
void trust_judge(const struct trust *t, const struct pki_blob *chain, size_t n, int64_t now,
    struct trust_verdict *out);
/* A raw public key: refused unless a device that may knock, or (registry) register, has it. */
void trust_judge_rpk(const struct auth *a, bool registry, struct pki_blob spki, struct trust_verdict *out);

/* "certificate_expired" is 45: the alert that tells a device why it was refused. */
int trust_alert(enum pki_reason reason);

#endif
