/*
 * pki/identity.h: whose certificate it is: the names that a peer is asked for, and the values that
 * rules turn into an endpoint. Pure; it judges no chain.
 */
#ifndef PKI_IDENTITY_H
#define PKI_IDENTITY_H

#include "pki/cert.h"

/* Where in a certificate an identity stands. */
enum pki_id_kind {
	PKI_ID_CN,             /* the one common name of the subject */
	PKI_ID_SUBJECT_SERIAL, /* its one serialNumber attribute */
	PKI_ID_SAN_URI,        /* the one URI of subjectAltName */
	PKI_ID_SAN_DNS,        /* the one dNSName, no wildcard, in lower case */
	PKI_ID_SERIAL, /* the certificate's serial number, lower-case hex without leading 00 */
	PKI_ID_ISSUER_SERIAL, /* SHA-256 of the issuer's name in hex, a colon, the serial number */
	PKI_ID_SPKI_SHA256,   /* lower-case hex, 64 digits */
	PKI_ID_CERT_SHA256,
	PKI_ID__COUNT
};

/* "cn", "subject-serial", "san-uri", "san-dns", "serial", "issuer-serial", "spki-sha256",
 * "cert-sha256". */
const char *pki_id_kind_name(enum pki_id_kind kind);
enum pki_id_kind pki_id_kind_of(const char *name); /* PKI_ID__COUNT: no such kind */

/*
 * Appends the value: printable UTF-8, at most 255 bytes. ERR_NOT_FOUND when the certificate has
 * none of that kind, ERR_INVALID when it has several or it is not fit to be printed: which one is
 * meant is not guessed.
 */
enum err_code pki_id_value(
    const struct pki_cert *c, enum pki_id_kind kind, struct gbuf *out, struct err *e);

/*
 * Whether the certificate is for this name: "dns:HOST" (wildcards as in RFC 6125 section 6.4.3),
 * "ip:ADDRESS", "email:LOCAL@HOST", "uri:URI" (octet by octet), "cn:NAME". Only subjectAltName
 * counts, for all but "cn:"; with cn_too a certificate that has no dNSName may show the host as its
 * common name. ERR_OK, ERR_REFUSED with both names in the message, ERR_USAGE when name is none of
 * these.
 */
enum err_code pki_name_match(
    const struct pki_cert *c, const char *name, bool cn_too, struct err *e);

/* name has one of the forms of pki_name_match. ERR_USAGE. */
enum err_code pki_name_check(const char *name, struct err *e);

#endif
