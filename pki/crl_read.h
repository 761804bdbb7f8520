/* pki/crl_read.h: the form of a revocation list (RFC 5280 section 5.1); inside crl.c only. */
#ifndef PKI_CRL_READ_H
#define PKI_CRL_READ_H

#include "pki/crl.h"

struct crl_entry {
	struct pki_blob serial;
	int64_t revoked_at;
	int reason; /* -1: not said */
};

/* Issuing distribution point (section 5.2.5). */
struct crl_scope {
	struct pki_names names; /* fullName; empty: the whole CA */
	bool user_only, ca_only, some_reasons;
};

struct pki_crl {
	struct pki_blob der; /* owned, behind the struct */
	struct pki_blob tbs, signature, issuer;
	enum pki_sig_kind sig_kind;
	bool sig_agrees;
	int64_t this_update, next_update;
	bool has_next, has_number;
	struct crl_scope scope;
	const char *useless;       /* why it can never count; NULL */
	struct crl_entry *entries; /* sorted by serial number */
	size_t n, cap;
	bool verified; /* by the key with this hash */
	uint8_t verified_by[PKI_SHA256_LEN];
};

/* One list of DER, copied. ERR_PARSE, ERR_LIMIT. */
enum err_code crl_read(const void *der, size_t n, struct pki_crl **out, struct err *e);
void crl_free(struct pki_crl *c);
/* The entry of that number; NULL. */
const struct crl_entry *crl_find(const struct pki_crl *c, struct pki_blob serial);

#endif
