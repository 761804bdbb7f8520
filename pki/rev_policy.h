/* pki/rev_policy.h: what holds under one anchor, and whom it lets us ask; inside revocation.c only.
 */
#ifndef PKI_REV_POLICY_H
#define PKI_REV_POLICY_H

#include "pki/revocation.h"

#define REV_URLS 4

struct pki_rev_policy {
	unsigned refs;
	struct pki_rev_rules rules; /* its texts are ours; crl_files is not kept */
	char **hosts;
	char *url;
	struct pki_crls crls;
};

/* Who may be asked about a certificate, in order. */
struct rev_sources {
	const char *url[REV_URLS];
	struct gbuf text; /* what they point into */
	size_t n;
	bool named; /* the certificate or the policy names somebody, if only one we may not ask */
	char why[160]; /* n is 0: why nobody may be asked */
};

void rev_sources(const struct pki_rev_policy *p, const struct pki_cert *c, struct rev_sources *out);
void rev_sources_clear(struct rev_sources *s);

#endif
