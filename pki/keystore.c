#include "pki/keystore.h"

#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>
#include <stdlib.h>
#include <string.h>

#include "pki/key.h"
#include "pki/pem.h"

#define PIN_MAX 128

struct pki_key {
	gnutls_privkey_t handle;
	struct secret spki, pkcs8; /* pkcs8 is empty of a key in a token */
	struct secret pin;
};

void
pki_key_free(struct pki_key *k)
{
	if (k == NULL)
		return;
	if (k->handle != NULL)
		gnutls_privkey_deinit(k->handle);
	secret_clear(&k->spki);
	secret_clear(&k->pkcs8);
	secret_clear(&k->pin);
	free(k);
}

struct pki_blob
pki_key_public(const struct pki_key *k)
{
	return (struct pki_blob){ k->spki.data, k->spki.len };
}

enum err_code
pki_key_export(const struct pki_key *k, struct secret *out, struct err *e)
{
	if (k->pkcs8.len == 0)
		return err_set(e, ERR_UNSUPPORTED, "the private key does not leave its token");
	return secret_copy(out, &k->pkcs8, e);
}

void *
pki_key_handle(const struct pki_key *k)
{
	return k->handle;
}

static enum err_code
key_new(struct pki_key **out, struct err *e)
{
	struct pki_key *k = calloc(1, sizeof *k);

	if (k == NULL || gnutls_privkey_init(&k->handle) < 0) {
		free(k);
		return err_no_memory(e);
	}
	*out = k;
	return ERR_OK;
}

/* Octets of a private key, in whatever form, become the key. */
static enum err_code
take_der(struct pki_key *k, const void *der, size_t n, struct err *e)
{
	gnutls_x509_privkey_t x = NULL;
	enum err_code rc = pki_key_read(der, n, &k->pkcs8, &k->spki, e);

	if (rc != ERR_OK)
		return rc;
	gnutls_datum_t d = { k->pkcs8.data, (unsigned)k->pkcs8.len };
	int r = gnutls_x509_privkey_init(&x);
	if (r >= 0)
		r = gnutls_x509_privkey_import_pkcs8(
		    x, &d, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN);
	if (r >= 0)
		r = gnutls_privkey_import_x509(k->handle, x, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE);
	if (r < 0 && x != NULL)
		gnutls_x509_privkey_deinit(x);
	return r < 0 ? err_set(e, ERR_CRYPTO, "private key: %s", gnutls_strerror(r)) : ERR_OK;
}

static enum err_code
generate(struct pki_key *k, gnutls_pk_algorithm_t pk, unsigned bits, struct err *e)
{
	gnutls_x509_privkey_t x = NULL;
	uint8_t der[PKI_KEY_MAX];
	size_t n = sizeof der;
	int r = gnutls_x509_privkey_init(&x);

	if (r >= 0)
		r = gnutls_x509_privkey_generate(x, pk, bits, 0);
	if (r >= 0)
		r = gnutls_x509_privkey_export_pkcs8(
		    x, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, der, &n);
	if (x != NULL)
		gnutls_x509_privkey_deinit(x);
	enum err_code rc = r < 0 ? err_set(e, ERR_CRYPTO, "new key: %s", gnutls_strerror(r))
	                         : take_der(k, der, n, e);
	wipe(der, sizeof der);
	return rc;
}

static enum err_code
done(enum err_code rc, struct pki_key *k, struct pki_key **out)
{
	if (rc == ERR_OK)
		*out = k;
	else
		pki_key_free(k);
	return rc;
}

enum err_code
pki_key_generate(enum pki_key_kind kind, struct pki_key **out, struct err *e)
{
	static const struct {
		enum pki_key_kind kind;
		gnutls_pk_algorithm_t pk;
		unsigned bits;
	} kinds[] = {
		{ PKI_KEY_P256, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) },
		{ PKI_KEY_P384, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1) },
		{ PKI_KEY_ED25519, GNUTLS_PK_EDDSA_ED25519, 0 },
	};
	struct pki_key *k = NULL;
	enum err_code rc;

	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		if (kinds[i].kind != kind)
			continue;
		rc = key_new(&k, e);
		if (rc != ERR_OK)
			return rc;
		return done(generate(k, kinds[i].pk, kinds[i].bits, e), k, out);
	}
	return err_set(
	    e, ERR_UNSUPPORTED, "no key of kind %s is made here", pki_key_kind_name(kind));
}

/* ---- PKCS #11 ---- */

static int
give_pin(void *arg, int attempt, const char *url, const char *label, unsigned flags, char *pin,
    size_t max)
{
	const struct pki_key *k = arg;

	(void)url;
	(void)label;
	(void)flags;
	if (attempt > 0 || k->pin.len == 0 || k->pin.len >= max)
		return GNUTLS_E_PKCS11_PIN_ERROR; /* a wrong PIN is tried once: tokens lock */
	memcpy(pin, k->pin.data, k->pin.len);
	pin[k->pin.len] = '\0';
	return 0;
}

static int
public_of_token(struct pki_key *k)
{
	uint8_t spki[PKI_SPKI_MAX];
	size_t n = sizeof spki;
	gnutls_pubkey_t public = NULL;
	int r = gnutls_pubkey_init(&public);

	if (r >= 0)
		r = gnutls_pubkey_import_privkey(public, k->handle, 0, 0);
	if (r >= 0)
		r = gnutls_pubkey_export(public, GNUTLS_X509_FMT_DER, spki, &n);
	if (r >= 0 && secret_set(&k->spki, spki, n, NULL) != ERR_OK)
		r = GNUTLS_E_MEMORY_ERROR;
	if (public != NULL)
		gnutls_pubkey_deinit(public);
	return r;
}

static enum err_code
open_token(struct pki_key *k, const char *url, const struct secret *pin, struct err *e)
{
	if (strstr(url, "pin-value") != NULL)
		return err_set(e, ERR_REFUSED, "a PIN in the URL: give it in a file");
	if (pin != NULL && (pin->len >= PIN_MAX || secret_copy(&k->pin, pin, e) != ERR_OK))
		return err_set(e, ERR_LIMIT, "a PIN of %zu octets", pin->len);
	gnutls_privkey_set_pin_function(k->handle, give_pin, k);
	int r = gnutls_privkey_import_url(k->handle, url, 0);
	if (r >= 0)
		r = public_of_token(k);
	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return err_set(e, ERR_NOT_FOUND, "%.200s: no such key in a token", url);
	return r < 0 ? err_set(e, ERR_CRYPTO, "%.200s: %s", url, gnutls_strerror(r)) : ERR_OK;
}

/* ---- files ---- */

static enum err_code
open_pem(struct pki_key *k, const struct secret *text, struct err *e)
{
	struct rbuf in = rbuf_make(text->data, text->len);
	struct pem_block b = { .label = "" };
	enum err_code rc;

	while ((rc = pem_next(&in, &b, e)) == ERR_OK) {
		if (strstr(b.label, "PRIVATE KEY") != NULL) {
			rc = take_der(k, b.der.data, b.der.len, e);
			pem_block_clear(&b);
			return rc;
		}
		pem_block_clear(&b);
	}
	return rc == ERR_NOT_FOUND ? err_set(e, ERR_PARSE, "no private key is in it") : rc;
}

static enum err_code
open_file(struct pki_key *k, const char *file, struct err *e)
{
	struct secret text = SECRET_NONE;
	enum err_code rc = pem_read_file(file, (size_t)64 << 10, &text, e);

	if (rc == ERR_OK) {
		rc = pem_is(text.data, text.len) ? open_pem(k, &text, e)
		                                 : take_der(k, text.data, text.len, e);
		if (rc != ERR_OK)
			(void)err_wrap(e, "%s", file);
	}
	secret_clear(&text);
	return rc;
}

enum err_code
pki_key_open(const char *where, const struct secret *pin, struct pki_key **out, struct err *e)
{
	struct pki_key *k = NULL;
	enum err_code rc = key_new(&k, e);

	if (rc != ERR_OK)
		return rc;
	rc = strncmp(where, "pkcs11:", 7) == 0 ? open_token(k, where, pin, e)
	                                       : open_file(k, where, e);
	return done(rc, k, out);
}
