/*
 * pki/ocsp.h: OCSP (RFC 6960): the request, and what a response is worth. Pure: no clock, no
 * network, no certificate store. Read by our own strict DER reader.
 */
#ifndef PKI_OCSP_H
#define PKI_OCSP_H

#include "pki/status.h"

#define PKI_OCSP_NONCE 32                        /* octets of the nonces that we send (RFC 8954) */
#define PKI_OCSP_RESPONSE_MAX ((size_t)64 << 10) /* bytes of a response */
#define PKI_OCSP_SINGLES 16                      /* certificates that one response may speak of */
#define PKI_OCSP_CERTS 8                         /* certificates that it may bring */

/*
 * A request about one certificate, DER, appended. issuer is the certificate of who issued it; nonce
 * NULL: none. sha256: the CertID is made with SHA-256 instead of SHA-1, which all responders know.
 */
enum err_code pki_ocsp_request(const struct pki_cert *cert, const struct pki_cert *issuer,
    const uint8_t nonce[PKI_OCSP_NONCE], bool sha256, struct gbuf *out, struct err *e);

/*
 * What a response says of cert, at a time. The caller knows that issuer issued cert, and trusts
 * issuer. nonce: what was sent; NULL: none was, or it is not known any more.
 *
 * Good, revoked and unknown only when the responder is issuer or was authorized by it (section
 * 4.2.2.2: certified by issuer itself, with id-kp-OCSPSigning), the signature holds, the CertID is
 * of this name, this key and this serial number, it is in time, and nothing critical in it is
 * strange to us. Of several answers about cert the worst counts.
 */
void pki_ocsp_evaluate(struct pki_blob response, const struct pki_cert *cert,
    const struct pki_cert *issuer, const uint8_t nonce[PKI_OCSP_NONCE],
    const struct pki_status_policy *p, int64_t now, struct pki_answer *out);

#endif
