/*
 * pki/constraint.h: name constraints (RFC 5280 section 4.2.1.10).
 */
#ifndef PKI_CONSTRAINT_H
#define PKI_CONSTRAINT_H

#include "pki/cert.h"

enum constraint_verdict {
	CONSTRAINT_OK,
	CONSTRAINT_MALFORMED,     /* a subtree that is none */
	CONSTRAINT_EXCLUDED,      /* a name in an excluded subtree */
	CONSTRAINT_NOT_PERMITTED, /* a name in no permitted subtree of its kind */
	CONSTRAINT_BUDGET         /* more comparisons than *left */
};

/* The subtrees of a CA are well formed: for each kind that has a syntax. */
enum constraint_verdict constraint_check_syntax(const struct pki_cert *ca);

/*
 * All names of cert (subject, mail addresses in it, subjectAltName) against the subtrees of ca.
 * *left is lowered by one for each comparison. On a refusal *bad is the name it is about.
 *
 * A name of a kind for which the RFC has no rule is refused when its kind is constrained, unless
 * octets show that it is inside (permitted) or of another type (excluded). A wildcard is excluded
 * when any name it stands for is.
 */
enum constraint_verdict constraint_check(
    const struct pki_cert *ca, const struct pki_cert *cert, unsigned *left, struct pki_name *bad);

/* One name that is not in the certificate's lists, against the subtrees of ca. */
enum constraint_verdict constraint_check_name(
    const struct pki_cert *ca, const struct pki_name *name, unsigned *left);

/* One name and one subtree of the same kind: for a permitted subtree, and for an excluded one. */
bool constraint_permits(const struct pki_name *subtree, const struct pki_name *name);
bool constraint_excludes(const struct pki_name *subtree, const struct pki_name *name);

#endif
