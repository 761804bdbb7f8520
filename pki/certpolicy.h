/*
 * pki/certpolicy.h: certificate policies along a path (RFC 5280 section 6.1), for a relying party
 * that accepts any policy: what is left to find out is whether a CA demanded one and none is there.
 *
 * The RFC's tree is kept as the set of policies of its lowest level: what a node expects depends on
 * its policy and level alone, so that nodes of one policy are one. No chain makes it grow beyond
 * bounds.
 */
#ifndef PKI_CERTPOLICY_H
#define PKI_CERTPOLICY_H

#include "pki/cert.h"

#define CERTPOLICY_MAX 128 /* policies, or mappings, of one level */

enum certpolicy_verdict {
	CERTPOLICY_OK,
	CERTPOLICY_NONE,      /* a policy is demanded, and none is left */
	CERTPOLICY_MALFORMED, /* an extension about policies that is none */
	CERTPOLICY_QUALIFIER, /* one that is critical, and not understood */
	CERTPOLICY_BUDGET
};

/*
 * path[0] is the leaf, path[n - 1] the anchor. On a refusal *at is the place of the certificate it
 * is about. *policies (may be NULL) tells the number left at the leaf.
 */
enum certpolicy_verdict certpolicy_check(
    const struct pki_cert *const *path, size_t n, size_t *at, size_t *policies);

#endif
