/*
 * pki/crl.h: certificate revocation lists (RFC 5280 sections 5 and 6.3): complete lists of the
 * issuer of the certificate itself. Delta lists and indirect ones are not used.
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include "pki/status.h"

#define PKI_CRL_MAX ((size_t)32 << 20) /* bytes of a file of lists */
#define PKI_CRL_LISTS 256              /* in all */

struct pki_crl;

/* A set of lists. What was verified once is remembered in it. */
struct pki_crls {
	struct pki_crl **v;
	size_t n, cap;
};

#define PKI_CRLS_NONE ((struct pki_crls){ NULL, 0, 0 })

/*
 * All lists of a text of PEM blocks (other blocks are passed over), or the one of plain DER,
 * appended. ERR_PARSE, ERR_LIMIT, ERR_NOT_FOUND when there is none. On an error *cs is as it was.
 */
enum err_code pki_crls_parse(struct pki_crls *cs, const void *text, size_t n, struct err *e);
enum err_code pki_crls_load(struct pki_crls *cs, const char *file, struct err *e);
void pki_crls_clear(struct pki_crls *cs); /* safe twice */

/*
 * What the lists say of cert, at a time. The caller knows that issuer issued cert, and trusts
 * issuer. Revoked when any list that counts names it; good when at least one counts and none does;
 * otherwise unusable, and why.
 *
 * A list counts when it was issued under the certificate's issuer's name and signed by issuer's
 * key, which may sign lists; it is in time and says until when; its scope (section 5.2.5) takes in
 * the certificate; and nothing critical in it is strange to us. The first look at a list costs a
 * signature, later ones a search by halves.
 */
void pki_crl_evaluate(struct pki_crls *cs, const struct pki_cert *cert,
    const struct pki_cert *issuer, const struct pki_status_policy *p, int64_t now,
    struct pki_answer *out);

#endif
