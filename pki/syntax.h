/*
 * pki/syntax.h: what a name in a certificate may look like, before anything is compared with it.
 */
#ifndef PKI_SYNTAX_H
#define PKI_SYNTAX_H

#include "pki/name.h"

/*
 * A host name in the preferred syntax (RFC 1034 section 3.5, RFC 1123 section 2.1): labels of 1..63
 * letters, digits and inner hyphens, 253 in all, the last label not all digits (it would be an
 * address). No dot at the end.
 */
bool syntax_host(struct pki_blob s);
/* The same, or "*." and one (RFC 6125 section 6.4.3: nothing but the whole first label). */
bool syntax_dns_san(struct pki_blob s);
/* local@host (RFC 5280 section 4.2.1.6): a dot-string or a quoted one, no comment. */
bool syntax_mailbox(struct pki_blob s);
/* The host of an absolute URI with an authority (RFC 3986): false when it has none, or is no URI. No
 * brackets, no port. */
bool syntax_uri_host(struct pki_blob uri, struct pki_blob *host);
/* It has a scheme and something behind it, and no character that RFC 3986 leaves out. */
bool syntax_uri(struct pki_blob s);
/* An address of 4 or 16 octets. */
bool syntax_ip(struct pki_blob s);
/* Address and mask: the mask is ones, then zeros. */
bool syntax_ip_range(struct pki_blob s);

/* The value of a subjectAltName is as its kind wants it; kinds without a rule here are. */
bool syntax_san(const struct pki_name *name);

/* Without case (of ASCII). */
bool syntax_same(struct pki_blob a, struct pki_blob b);
/* The last n octets of it; n at most s.n. */
struct pki_blob syntax_tail(struct pki_blob s, size_t n);

#endif
