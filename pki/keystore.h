/*
 * pki/keystore.h: private keys that sign: of a file, made here, or in a PKCS #11 token. Opening and
 * signing may block on a token: never on the daemon's loop.
 */
#ifndef PKI_KEYSTORE_H
#define PKI_KEYSTORE_H

#include "lib/base/secret.h"
#include "pki/sig.h"

struct pki_key;

/* PKI_KEY_P256, PKI_KEY_P384 or PKI_KEY_ED25519. ERR_UNSUPPORTED, ERR_CRYPTO. */
enum err_code pki_key_generate(enum pki_key_kind kind, struct pki_key **out, struct err *e);
/*
 * "pkcs11:..." (RFC 7512) or a file with one private key, PEM or DER. pin (NULL or empty: none) is
 * for the token. A PIN in the URL is refused: it would stand in histories and process lists.
 * ERR_REFUSED, ERR_NOT_FOUND, ERR_PARSE, ERR_CRYPTO, ERR_IO.
 */
enum err_code pki_key_open(
    const char *where, const struct secret *pin, struct pki_key **out, struct err *e);
void pki_key_free(struct pki_key *k); /* wipes; NULL is fine */

/* SubjectPublicKeyInfo; lives as long as the key. */
struct pki_blob pki_key_public(const struct pki_key *k);
/* PKCS #8. ERR_UNSUPPORTED of a key that stays in its token. *out must be empty. */
enum err_code pki_key_export(const struct pki_key *k, struct secret *out, struct err *e);
/* The library's own handle, for pki/ alone. */
void *pki_key_handle(const struct pki_key *k);

#endif
