/* pki/chain_check.h: the rules for one certificate, and for a whole path; inside chain.c only. */
#ifndef PKI_CHAIN_CHECK_H
#define PKI_CHAIN_CHECK_H

#include "pki/chain.h"

enum check_role { CHECK_LEAF, CHECK_CA, CHECK_ANCHOR };

/* What was found: PKI_OK, or a reason, the place in the path it is about, and what exactly. */
struct finding {
	enum pki_reason reason;
	size_t at;
	char detail[320];
};

/* Says so, and returns false. */
bool finding_set(struct finding *f, enum pki_reason r, size_t at, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* notBefore and notAfter, both included (section 4.1.2.5). */
bool check_validity(
    const struct pki_request *rq, const struct pki_cert *c, size_t at, struct finding *f);

/* The rules that need nothing but the certificate: dates, form, extensions, algorithms, purpose,
 * CA. */
bool check_cert(const struct pki_request *rq, const struct pki_policy *po, const struct pki_cert *c,
    enum check_role role, size_t at, struct finding *f);

/* The rules for a path whose signatures hold: lengths, name constraints, policies. path[n - 1] is
 * the anchor. */
bool check_path(
    const struct pki_policy *po, const struct pki_cert *const *path, size_t n, struct finding *f);

/* The name constraints of the whole path allow that host. */
bool check_host(const struct pki_policy *po, const struct pki_cert *const *path, size_t n,
    const char *host, struct finding *f);

#endif
