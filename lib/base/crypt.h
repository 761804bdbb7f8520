/*
 * lib/base/crypt.h: sealing what is kept, and fingerprints that may be shown.
 */
#ifndef LIB_BASE_CRYPT_H
#define LIB_BASE_CRYPT_H

#include "lib/base/buf.h"
#include "lib/base/secret.h"

#define CRYPT_KEY_LEN 32
#define CRYPT_ID_LEN 16	     /* hex characters of a key id */
#define CRYPT_FP_LEN 16	     /* hex characters of a fingerprint */
#define CRYPT_SEAL_EXTRA 28 /* nonce 12 and tag 16 */

/* Fills n bytes with randomness fit for nonces and ids. ERR_CRYPTO when the generator fails. */
enum err_code crypt_random(void *out, size_t n, struct err *e);

/* A key made ready to seal with, for one thread at a time. */
struct crypt_box;
/* key: copied, 32 bytes; ERR_CRYPTO otherwise. */
enum err_code crypt_box_new(const struct secret *key, struct crypt_box **out, struct err *e);
void crypt_box_free(struct crypt_box *b); /* wipes; NULL is fine */

/*
 * AES-256-GCM with a fresh random nonce: nonce || ciphertext || tag, appended to out. aad binds the
 * row it belongs to (table, primary key), so that a sealed value moved to another row does not open.
 */
enum err_code crypt_seal(struct crypt_box *b, const void *aad, size_t aad_len, const void *plain,
    size_t plain_len, struct gbuf *out, struct err *e);
/* *out must be empty. ERR_CRYPTO when the tag does not fit: wrong key, wrong row, or damaged. */
enum err_code crypt_open(struct crypt_box *b, const void *aad, size_t aad_len, const void *sealed,
    size_t sealed_len, struct secret *out, struct err *e);

/*
 * A name for a secret that can be shown: the first 16 hex digits of HMAC-SHA-256 under a key
 * derived from the store's. A plain hash of a weak PSK could be guessed, this cannot.
 */
enum err_code crypt_fingerprint(const struct secret *key, const void *data, size_t n,
    char out[CRYPT_FP_LEN + 1], struct err *e);
/* A key's own id: derived from it, tells nothing about it. */
enum err_code crypt_key_id(const struct secret *key, char out[CRYPT_ID_LEN + 1], struct err *e);

/* SHA-256 in lower-case hex: for digests of things that are not secret. */
enum err_code crypt_sha256_hex(const void *data, size_t n, char out[65], struct err *e);

#endif
