#include "bsserver/transport/dtls_cert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>

#define FILE_OCTETS_MAX 65536
#define PIN_MAX 64
#define MAX_MESSAGE (TRANSPORT_CHAIN_OCTETS + 8192) /* octets of a handshake message */

struct dtls_cert {
	unsigned refs;
	gnutls_certificate_credentials_t cred;
	struct secret pin;
};

/* ---- files ---- */

static enum err_code
check_file(int fd, const char *path, bool secret, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_REFUSED, "%s: is no regular file", path);
	if (st.st_size > FILE_OCTETS_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d octets", path, FILE_OCTETS_MAX);
	if (secret && (st.st_mode & 07) != 0)
		return err_set(e, ERR_REFUSED, "%s: everybody may read it: chmod 600", path);
	return ERR_OK;
}

static enum err_code
read_file(const char *path, bool secret, struct secret *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t n = 0;
	ssize_t got = 1;

	if (fd < 0)
		return err_errno(e, errno, "%s", path);
	enum err_code rc = check_file(fd, path, secret, e);
	if (rc == ERR_OK)
		rc = secret_alloc(out, FILE_OCTETS_MAX, e);
	while (rc == ERR_OK && got > 0 && n < FILE_OCTETS_MAX) {
		got = read(fd, out->data + n, FILE_OCTETS_MAX - n);
		if (got < 0 && errno != EINTR)
			rc = err_errno(e, errno, "%s", path);
		n += got > 0 ? (size_t)got : 0;
	}
	(void)close(fd);
	if (rc == ERR_OK)
		out->len = n;
	else
		secret_clear(out);
	return rc;
}

static enum err_code
crypto_error(struct err *e, int rc, const char *what)
{
	return err_set(e, ERR_CRYPTO, "%s: %s", what, gnutls_strerror(rc));
}

/* ---- the key ---- */

static int
on_pin(void *arg, int attempt, const char *url, const char *label, unsigned flags, char *pin, size_t cap)
{
	const struct dtls_cert *c = arg;

	(void)url;
	(void)label;
	(void)flags;
	/* a wrong PIN tried again and again locks the token */
	if (attempt > 0 || c->pin.len == 0 || c->pin.len >= cap)
		return GNUTLS_E_PKCS11_PIN_ERROR;
	memcpy(pin, c->pin.data, c->pin.len);
	pin[c->pin.len] = '\0';
	return 0;
}

static enum err_code
read_pin(struct dtls_cert *c, const char *file, struct err *e)
{
	struct secret text = SECRET_NONE;
	size_t n = 0;
	enum err_code rc;

	if (file == NULL || c->pin.len > 0)
		return ERR_OK;
	rc = read_file(file, true, &text, e);
	if (rc != ERR_OK)
		return rc;
	while (n < text.len && text.data[n] != '\n' && text.data[n] != '\r')
		n++;
	if (n == 0 || n > PIN_MAX)
		rc = err_set(e, ERR_INVALID, "%s: no PIN in its first line", file);
	else
		rc = secret_set(&c->pin, text.data, n, e);
	secret_clear(&text);
	return rc;
}

static enum err_code
key_of_file(gnutls_privkey_t key, const char *path, struct err *e)
{
	struct secret text = SECRET_NONE;
	enum err_code rc = read_file(path, true, &text, e);

	if (rc != ERR_OK)
		return rc;
	const gnutls_datum_t d = { text.data, (unsigned)text.len };
	int got = gnutls_privkey_import_x509_raw(key, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (got < 0)
		rc = crypto_error(e, got, path);
	secret_clear(&text);
	return rc;
}

static enum err_code
key_of_url(struct dtls_cert *c, gnutls_privkey_t key, const char *url, struct err *e)
{
	gnutls_privkey_set_pin_function(key, on_pin, c);
	int got = gnutls_privkey_import_url(key, url, 0);
	return got < 0 ? crypto_error(e, got, url) : ERR_OK;
}

/* Its own for each use: GnuTLS takes it over. */
static enum err_code
open_key(struct dtls_cert *c, const struct transport_credentials *conf, gnutls_privkey_t *out, struct err *e)
{
	bool url = strncmp(conf->key, "pkcs11:", 7) == 0;
	gnutls_privkey_t key = NULL;
	enum err_code rc = url ? read_pin(c, conf->pin_file, e) : ERR_OK;

	if (rc != ERR_OK)
		return rc;
	if (gnutls_privkey_init(&key) < 0)
		return err_no_memory(e);
	rc = url ? key_of_url(c, key, conf->key, e) : key_of_file(key, conf->key, e);
	if (rc == ERR_OK) {
		int kind = gnutls_privkey_get_pk_algorithm(key, NULL);

		if (kind != GNUTLS_PK_ECDSA && kind != GNUTLS_PK_EDDSA_ED25519)
			rc = err_set(e, ERR_UNSUPPORTED, "%s: is a key for %s; devices need ECDSA (P-256) or Ed25519",
			    conf->key, gnutls_pk_get_name((gnutls_pk_algorithm_t)kind));
	}
	if (rc != ERR_OK) {
		gnutls_privkey_deinit(key);
		return rc;
	}
	*out = key;
	return ERR_OK;
}

/* ---- what we show ---- */

static enum err_code
set_chain(struct dtls_cert *c, const struct transport_credentials *conf, struct err *e)
{
	gnutls_pcert_st certs[TRANSPORT_CHAIN_MAX];
	unsigned n = N_ELEMS(certs);
	struct secret text = SECRET_NONE;
	gnutls_privkey_t key = NULL;
	enum err_code rc = read_file(conf->certificate_file, false, &text, e);

	if (rc != ERR_OK)
		return rc;
	const gnutls_datum_t d = { text.data, (unsigned)text.len };
	int got = gnutls_pcert_list_import_x509_raw(
	    certs, &n, &d, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	secret_clear(&text);
	if (got < 0)
		return crypto_error(e, got, conf->certificate_file);
	rc = open_key(c, conf, &key, e);
	if (rc == ERR_OK) {
		got = gnutls_certificate_set_key(c->cred, NULL, 0, certs, (int)n, key);
		if (got >= 0)
			return ERR_OK; /* certificates and key are the credentials' now */
		rc = err_set(e, ERR_CRYPTO, "%s with the key %s: %s", conf->certificate_file, conf->key,
		    gnutls_strerror(got));
		gnutls_privkey_deinit(key);
	}
	for (unsigned i = 0; i < n; i++)
		gnutls_pcert_deinit(&certs[i]);
	return rc;
}

static int
raw_key_of(gnutls_privkey_t key, gnutls_pcert_st *out)
{
	gnutls_pubkey_t pub = NULL;
	int rc = gnutls_pubkey_init(&pub);

	if (rc < 0)
		return rc;
	rc = gnutls_pubkey_import_privkey(pub, key, GNUTLS_KEY_DIGITAL_SIGNATURE, 0);
	if (rc >= 0)
		rc = gnutls_pcert_import_rawpk(out, pub, 0);
	if (rc < 0)
		gnutls_pubkey_deinit(pub);
	return rc;
}

static enum err_code
set_raw_key(struct dtls_cert *c, const struct transport_credentials *conf, struct err *e)
{
	gnutls_privkey_t key = NULL;
	gnutls_pcert_st pub;
	enum err_code rc = open_key(c, conf, &key, e);

	if (rc != ERR_OK)
		return rc;
	int got = raw_key_of(key, &pub);
	if (got >= 0) {
		got = gnutls_certificate_set_key(c->cred, NULL, 0, &pub, 1, key);
		if (got >= 0)
			return ERR_OK;
		gnutls_pcert_deinit(&pub);
	}
	gnutls_privkey_deinit(key);
	return crypto_error(e, got, conf->key);
}

static enum err_code
fill(struct dtls_cert *c, const struct transport_credentials *conf, unsigned takes, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (conf->key == NULL)
		return err_set(e, ERR_INVALID, "devices may come with certificates or raw public keys, and we have no key");
	if ((takes & TRANSPORT_TAKES(TRANSPORT_X509)) != 0)
		rc = conf->certificate_file != NULL ? set_chain(c, conf, e) :
		    err_set(e, ERR_INVALID, "devices may come with certificates, and we have none");
	if (rc == ERR_OK && (takes & TRANSPORT_TAKES(TRANSPORT_RPK)) != 0)
		rc = set_raw_key(c, conf, e);
	return rc;
}

enum err_code
dtls_cert_load(const struct transport_credentials *conf, unsigned takes, gnutls_certificate_verify_function *verify,
    struct dtls_cert **out, struct err *e)
{
	struct dtls_cert *c;
	enum err_code rc;

	*out = NULL;
	if ((takes & (TRANSPORT_TAKES(TRANSPORT_X509) | TRANSPORT_TAKES(TRANSPORT_RPK))) == 0)
		return ERR_OK;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return err_no_memory(e);
	c->refs = 1;
	if (gnutls_certificate_allocate_credentials(&c->cred) < 0) {
		free(c);
		return err_no_memory(e);
	}
	gnutls_certificate_set_verify_function(c->cred, verify);
	rc = fill(c, conf, takes, e);
	if (rc != ERR_OK) {
		dtls_cert_unref(c);
		return rc;
	}
	*out = c;
	return ERR_OK;
}

struct dtls_cert *
dtls_cert_ref(struct dtls_cert *c)
{
	if (c != NULL)
		c->refs++;
	return c;
}

void
dtls_cert_unref(struct dtls_cert *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	gnutls_certificate_free_credentials(c->cred);
	secret_clear(&c->pin);
	free(c);
}

int
dtls_cert_arm(struct dtls_cert *c, gnutls_session_t s,
    int (*credentials_set)(gnutls_session_t, gnutls_credentials_type_t, void *))
{
	gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
	gnutls_handshake_set_max_packet_length(s, MAX_MESSAGE);
	return credentials_set(s, GNUTLS_CRD_CERTIFICATE, c->cred);
}

/* ---- what a device showed ---- */

static void
refuse(struct dtls_shown *out, int alert, const char *why)
{
	out->verdict.alert = alert;
	(void)snprintf(out->verdict.why, sizeof out->verdict.why, "%s", why);
}

static void
take(const gnutls_datum_t *list, unsigned n, struct dtls_shown *out)
{
	size_t total = 0;

	if (n > TRANSPORT_CHAIN_MAX) {
		refuse(out, GNUTLS_A_BAD_CERTIFICATE, "more than 8 certificates in the device's chain");
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		out->chain[i] = (struct transport_blob){ list[i].data, list[i].size };
		total += list[i].size;
		if (list[i].size > TRANSPORT_CERTIFICATE_MAX)
			refuse(out, GNUTLS_A_BAD_CERTIFICATE, "a certificate of more than 8 KiB in the device's chain");
	}
	if (total > TRANSPORT_CHAIN_OCTETS)
		refuse(out, GNUTLS_A_BAD_CERTIFICATE, "the device's chain is longer than 32 KiB");
	out->n = n;
}

void
dtls_cert_shown(gnutls_session_t s, struct dtls_shown *out)
{
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(s, &n);

	*out = (struct dtls_shown){ .kind = TRANSPORT_NONE };
	switch (gnutls_certificate_type_get2(s, GNUTLS_CTYPE_PEERS)) {
	case GNUTLS_CRT_X509:
		out->kind = TRANSPORT_X509;
		break;
	case GNUTLS_CRT_RAWPK:
		out->kind = TRANSPORT_RPK;
		n = n > 1 ? 1 : n;
		break;
	default:
		refuse(out, GNUTLS_A_UNSUPPORTED_CERTIFICATE, "a certificate of another kind than X.509");
		return;
	}
	if (list == NULL || n == 0)
		refuse(out, GNUTLS_A_HANDSHAKE_FAILURE, "the device shows no certificate");
	else
		take(list, n, out);
}
