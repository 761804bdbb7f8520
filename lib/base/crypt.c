#include "lib/base/crypt.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#define NONCE_LEN 12
#define TAG_LEN 16
#define SHA256_LEN 32

_Static_assert(NONCE_LEN + TAG_LEN == CRYPT_SEAL_EXTRA, "what a seal adds");

static enum err_code
crypto_err(struct err *e, const char *what, int r)
{
	return err_set(e, ERR_CRYPTO, "%s: %s", what, gnutls_strerror(r));
}

enum err_code
crypt_random(void *out, size_t n, struct err *e)
{
	int r = gnutls_rnd(GNUTLS_RND_NONCE, out, n);

	return r < 0 ? crypto_err(e, "random generator", r) : ERR_OK;
}

struct crypt_box {
	gnutls_aead_cipher_hd_t cipher;
};

enum err_code
crypt_box_new(const struct secret *key, struct crypt_box **out, struct err *e)
{
	gnutls_datum_t k = { key->data, (unsigned)key->len };

	if (key->len != CRYPT_KEY_LEN)
		return err_set(e, ERR_CRYPTO, "sealing key: %zu bytes, not %d", key->len, CRYPT_KEY_LEN);
	struct crypt_box *b = calloc(1, sizeof *b);
	if (b == NULL)
		return err_no_memory(e);
	int r = gnutls_aead_cipher_init(&b->cipher, GNUTLS_CIPHER_AES_256_GCM, &k);
	if (r < 0) {
		free(b);
		return crypto_err(e, "sealing key", r);
	}
	*out = b;
	return ERR_OK;
}

void
crypt_box_free(struct crypt_box *b)
{
	if (b == NULL)
		return;
	gnutls_aead_cipher_deinit(b->cipher); /* wipes the key that it made */
	free(b);
}

enum err_code
crypt_seal(struct crypt_box *b, const void *aad, size_t aad_len, const void *plain, size_t plain_len,
    struct gbuf *out, struct err *e)
{
	struct secret sealed = SECRET_NONE;
	uint8_t nonce[NONCE_LEN];
	enum err_code rc = crypt_random(nonce, sizeof nonce, e);

	if (rc == ERR_OK)
		rc = secret_alloc(&sealed, plain_len + TAG_LEN, e);
	if (rc != ERR_OK)
		return rc;
	size_t len = sealed.len;
	int r = gnutls_aead_cipher_encrypt(b->cipher, nonce, sizeof nonce, aad, aad_len, TAG_LEN, plain, plain_len,
	    sealed.data, &len);
	if (r < 0) {
		rc = crypto_err(e, "seal", r);
	} else {
		gbuf_put(out, nonce, sizeof nonce);
		gbuf_put(out, sealed.data, len);
		rc = gbuf_check(out, e);
	}
	secret_clear(&sealed);
	return rc;
}

enum err_code
crypt_open(struct crypt_box *b, const void *aad, size_t aad_len, const void *sealed, size_t sealed_len,
    struct secret *out, struct err *e)
{
	struct secret plain = SECRET_NONE;
	const uint8_t *bytes = sealed;
	uint8_t none[1]; /* where nothing goes */

	if (sealed_len < CRYPT_SEAL_EXTRA)
		return err_set(e, ERR_CRYPTO, "sealed value: %zu bytes, shorter than any", sealed_len);
	enum err_code rc = secret_alloc(&plain, sealed_len - CRYPT_SEAL_EXTRA, e);
	if (rc != ERR_OK)
		return rc;
	size_t len = plain.len;
	int r = gnutls_aead_cipher_decrypt(b->cipher, bytes, NONCE_LEN, aad, aad_len, TAG_LEN, bytes + NONCE_LEN,
	    sealed_len - NONCE_LEN, plain.len == 0 ? none : plain.data, &len);
	if (r < 0 || len != plain.len) {
		secret_clear(&plain);
		return err_set(e, ERR_CRYPTO, "sealed value: wrong key, moved, or damaged");
	}
	secret_move(out, &plain);
	return ERR_OK;
}

static void
hex16(const uint8_t *digest, char out[17])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 8; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[16] = 0;
}

/* HMAC-SHA-256 of data under a key of its own for each use, derived from the store's by its label. */
static enum err_code
keyed_name(const struct secret *key, const char *label, const void *data, size_t n, char out[17],
    struct err *e)
{
	uint8_t sub[SHA256_LEN], mac[SHA256_LEN];

	if (key->len != CRYPT_KEY_LEN)
		return err_set(e, ERR_CRYPTO, "store key: %zu bytes, not %d", key->len, CRYPT_KEY_LEN);
	int r = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key->data, key->len, label, strlen(label), sub);
	if (r >= 0)
		r = gnutls_hmac_fast(GNUTLS_MAC_SHA256, sub, sizeof sub, data, n, mac);
	wipe(sub, sizeof sub);
	if (r < 0)
		return crypto_err(e, "hmac", r);
	hex16(mac, out);
	return ERR_OK;
}

enum err_code
crypt_fingerprint(const struct secret *key, const void *data, size_t n,
    char out[CRYPT_FP_LEN + 1], struct err *e)
{
	return keyed_name(key, "bsserver fingerprint 1", data, n, out, e);
}

enum err_code
crypt_key_id(const struct secret *key, char out[CRYPT_ID_LEN + 1], struct err *e)
{
	return keyed_name(key, "bsserver key id 1", "", 0, out, e);
}

enum err_code
crypt_sha256_hex(const void *data, size_t n, char out[65], struct err *e)
{
	uint8_t digest[SHA256_LEN];
	int r = gnutls_hash_fast(GNUTLS_DIG_SHA256, data, n, digest);

	if (r < 0)
		return crypto_err(e, "sha256", r);
	for (size_t i = 0; i < 4; i++)
		hex16(digest + 8 * i, out + 16 * i);
	return ERR_OK;
}
