#include "pki/key.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

/*
 * The library reads no version 2: what version 1 has of it, put together again. false: it is no
 * PKCS #8 of version 2 (or memory is short: then the library says what is wrong with it).
 */
static bool
to_version_1(const void *der, size_t n, struct secret *out)
{
	static const uint8_t version_1[] = { DER_INTEGER, 1, 0 };
	struct der d = der_make((struct pki_blob){ der, n }), in = der_enter(&d, DER_SEQUENCE);
	struct pki_blob version = der_integer(&in, DER_INTEGER);
	struct pki_blob algorithm = der_take_whole(&in, NULL), key = der_take_whole(&in, NULL);
	size_t len = sizeof version_1 + algorithm.n + key.n;

	if (!der_ok(&in) || !der_end(&d) || version.n != 1 || version.p[0] != 1 ||
	    algorithm.p[0] != DER_SEQUENCE || key.p[0] != DER_OCTET_STRING || len > UINT16_MAX ||
	    secret_alloc(out, len + 4, NULL) != ERR_OK)
		return false;
	struct wbuf w = wbuf_make(out->data, out->len);
	wbuf_be(&w, DER_SEQUENCE, 1);
	if (len >= 256)
		wbuf_be(&w, 0x820000 | len, 3);
	else if (len >= 128)
		wbuf_be(&w, 0x8100 | len, 2);
	else
		wbuf_be(&w, len, 1);
	wbuf_put(&w, version_1, sizeof version_1);
	wbuf_put(&w, algorithm.p, algorithm.n);
	wbuf_put(&w, key.p, key.n);
	out->len = w.len;
	return !w.overflow;
}

static int
import(gnutls_x509_privkey_t key, const void *der, size_t n)
{
	struct secret version_1 = SECRET_NONE;
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)der, (unsigned)n };

	if (to_version_1(der, n, &version_1))
		d = (gnutls_datum_t){ version_1.data, (unsigned)version_1.len };
	int r =
	    gnutls_x509_privkey_import_pkcs8(key, &d, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN);
	if (r < 0)
		r = gnutls_x509_privkey_import(key, &d, GNUTLS_X509_FMT_DER);
	secret_clear(&version_1);
	return r;
}

static enum err_code
export_pkcs8(gnutls_x509_privkey_t key, struct secret *out, struct err *e)
{
	uint8_t der[PKI_KEY_MAX];
	size_t n = sizeof der;
	int r = gnutls_x509_privkey_export_pkcs8(
	    key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, der, &n);
	enum err_code rc = r < 0 ? err_set(e, ERR_CRYPTO, "private key: %s", gnutls_strerror(r))
	                         : secret_set(out, der, n, e);

	wipe(der, sizeof der);
	return rc;
}

static int
public_half(gnutls_x509_privkey_t key, uint8_t *spki, size_t *n)
{
	gnutls_privkey_t private = NULL;
	gnutls_pubkey_t public = NULL;
	int r = gnutls_privkey_init(&private);

	if (r >= 0)
		r = gnutls_pubkey_init(&public);
	if (r >= 0)
		r = gnutls_privkey_import_x509(private, key, 0);
	if (r >= 0)
		r = gnutls_pubkey_import_privkey(public, private, 0, 0);
	if (r >= 0)
		r = gnutls_pubkey_export(public, GNUTLS_X509_FMT_DER, spki, n);
	if (public != NULL)
		gnutls_pubkey_deinit(public);
	if (private != NULL)
		gnutls_privkey_deinit(private);
	return r;
}

static enum err_code
export_spki(gnutls_x509_privkey_t key, bool known_kind, struct secret *out, struct err *e)
{
	uint8_t der[PKI_SPKI_MAX];
	size_t n = sizeof der;
	struct pki_spki spki;
	int r = public_half(key, der, &n);

	if (r < 0)
		return err_set(e, ERR_CRYPTO, "private key: %s", gnutls_strerror(r));
	enum err_code rc = pki_spki_parse((struct pki_blob){ der, n }, &spki, e);
	if (rc == ERR_OK && spki.kind == PKI_KEY_OTHER && known_kind)
		rc = err_set(e, ERR_UNSUPPORTED, "a private key of a kind that is not known");
	return rc == ERR_OK && out != NULL ? secret_set(out, der, n, e) : rc;
}

/* EncryptedPrivateKeyInfo: an algorithm and octets, no version in front. */
static bool
is_encrypted(const void *der, size_t n)
{
	struct der d = der_make((struct pki_blob){ der, n }), in = der_enter(&d, DER_SEQUENCE);

	(void)der_enter(&in, DER_SEQUENCE);
	(void)der_take(&in, DER_OCTET_STRING);
	return der_end(&in) && der_end(&d);
}

static enum err_code
read_key(gnutls_x509_privkey_t key, const void *der, size_t n, struct err *e)
{
	struct der d = der_make((struct pki_blob){ der, n });

	if (n > PKI_KEY_MAX)
		return err_set(
		    e, ERR_LIMIT, "a private key of %zu octets; %d are read", n, PKI_KEY_MAX);
	(void)der_enter(&d, DER_SEQUENCE);
	if (!der_end(&d))
		return err_set(e, ERR_PARSE, "%zu octets that are no DER structure", n);
	if (is_encrypted(der, n))
		return err_set(e, ERR_UNSUPPORTED, "an encrypted private key");
	if (import(key, der, n) < 0)
		return err_set(e, ERR_PARSE, "%zu octets of DER that are no private key", n);
	int r = gnutls_x509_privkey_verify_params(key);
	if (r < 0 && r != GNUTLS_E_UNIMPLEMENTED_FEATURE)
		return err_set(
		    e, ERR_CRYPTO, "the halves of the private key do not belong together");
	return ERR_OK;
}

enum err_code
pki_key_read(const void *der, size_t n, struct secret *pkcs8, struct secret *spki, struct err *e)
{
	gnutls_x509_privkey_t key = NULL;
	enum err_code rc;

	if (gnutls_x509_privkey_init(&key) < 0)
		return err_no_memory(e);
	rc = read_key(key, der, n, e);
	if (rc == ERR_OK)
		rc = export_spki(key, pkcs8 != NULL, spki, e);
	if (rc == ERR_OK && pkcs8 != NULL)
		rc = export_pkcs8(key, pkcs8, e);
	if (rc != ERR_OK && spki != NULL)
		secret_clear(spki);
	gnutls_x509_privkey_deinit(key);
	return rc;
}
