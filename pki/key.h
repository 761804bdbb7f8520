/*
 * pki/key.h: a private key as bytes: read in the forms that tools write, written in the one that
 * devices are given (PKCS #8 version 1, RFC 5208, unencrypted DER).
 */
#ifndef PKI_KEY_H
#define PKI_KEY_H

#include "lib/base/secret.h"
#include "pki/sig.h"

#define PKI_KEY_MAX 4096 /* bytes of DER of one private key; RSA of 4096 bits needs 2400 */

/*
 * One private key, DER: PKCS #8 of version 1 or 2 (RFC 5958), SEC 1 (RFC 5915) or PKCS #1, nothing
 * behind it. pkcs8 (empty before; NULL: not wanted) becomes the key in its one form, spki (empty
 * before; NULL: not wanted) its public half as SubjectPublicKeyInfo. ERR_PARSE, ERR_LIMIT;
 * ERR_UNSUPPORTED when it is encrypted, or pkcs8 is wanted of a kind that is none of enum
 * pki_key_kind; ERR_CRYPTO when its halves do not belong together.
 */
enum err_code pki_key_read(
    const void *der, size_t n, struct secret *pkcs8, struct secret *spki, struct err *e);

#endif
