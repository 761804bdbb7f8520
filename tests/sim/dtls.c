#include "tests/sim/dtls.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/util.h"

#define RETRANSMIT_MS 1000
#define TOTAL_MS 90000
#define MTU 1400

struct dtls_policy {
	gnutls_priority_t priority;
	gnutls_certificate_credentials_t certificate; /* or NULL: pre-shared keys */
};

struct dtls {
	gnutls_session_t session;
	gnutls_psk_client_credentials_t psk;
	const struct dtls_ops *ops;
	void *arg;
	enum dtls_state state;
	const uint8_t *pending; /* the datagram that came, until GnuTLS takes it */
	size_t n_pending;
	char reason[128];
};

/* Raw public keys are negotiated apart from certificates (RFC 7250). */
#define RPK12 "NONE:+VERS-DTLS1.2:+COMP-NULL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK:+GROUP-SECP256R1:+SIGN-ALL:"
#define DTLS12 "NONE:+VERS-DTLS1.2:+COMP-NULL:+CTYPE-ALL:+GROUP-SECP256R1:+GROUP-X25519:+SIGN-ALL:"

struct dtls_policy *
dtls_policy_new(const char *cipher, struct err *e)
{
	static const struct {
		const char *name, *priority;
	} known[] = {
		{ "ccm8", DTLS12 "+AES-128-CCM-8:+AEAD:+PSK" },
		{ "gcm", DTLS12 "+AES-128-GCM:+AEAD:+PSK" },
		{ "cbc", DTLS12 "+AES-128-CBC:+SHA256:+PSK" },
		{ "ecdhe", DTLS12 "+CHACHA20-POLY1305:+AEAD:+AES-128-CBC:+SHA256:+ECDHE-PSK" },
		{ "x509", DTLS12 "+AES-128-CCM-8:+AES-128-GCM:+AEAD:+ECDHE-ECDSA" },
		{ "rpk", RPK12 "+AES-128-CCM-8:+AES-128-GCM:+AEAD:+ECDHE-ECDSA" },
		{ "any", DTLS12 "+AES-128-CCM-8:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AEAD:"
		                "+AES-128-CBC:+SHA256:+PSK:+ECDHE-PSK" },
	};
	const char *text = cipher, *at = NULL;
	struct dtls_policy *p = calloc(1, sizeof *p);
	for (size_t i = 0; i < N_ELEMS(known); i++)
		if (strcmp(known[i].name, cipher) == 0)
			text = known[i].priority;
	if (p == NULL) {
		(void)err_no_memory(e);
		return NULL;
	}
	int rc = gnutls_priority_init(&p->priority, text, &at);
	if (rc != GNUTLS_E_SUCCESS) {
		(void)err_set(e, ERR_USAGE, "cipher %s: %s at \"%s\"", cipher, gnutls_strerror(rc),
		    at == NULL ? "" : at);
		free(p);
		return NULL;
	}
	return p;
}

enum err_code
dtls_policy_certificate(struct dtls_policy *p, const char *file, const char *key_file, bool raw, struct err *e)
{
	int rc = gnutls_certificate_allocate_credentials(&p->certificate);

	if (rc == GNUTLS_E_SUCCESS && raw)
		rc = gnutls_certificate_set_rawpk_key_file(
		    p->certificate, file, key_file, GNUTLS_X509_FMT_PEM, NULL, 0, NULL, 0, 0, 0);
	else if (rc == GNUTLS_E_SUCCESS)
		rc = gnutls_certificate_set_x509_key_file(p->certificate, file, key_file, GNUTLS_X509_FMT_PEM);
	return rc >= 0 ? ERR_OK : err_set(e, ERR_INVALID, "%s, %s: %s", file, key_file, gnutls_strerror(rc));
}

enum err_code
dtls_policy_own(struct dtls_policy *p, const struct secret *shown, const struct secret *key, bool raw, struct err *e)
{
	gnutls_datum_t s = { shown->data, (unsigned)shown->len }, k = { key->data, (unsigned)key->len };
	int rc = gnutls_certificate_allocate_credentials(&p->certificate);

	if (rc == GNUTLS_E_SUCCESS && raw)
		rc = gnutls_certificate_set_rawpk_key_mem(
		    p->certificate, &s, &k, GNUTLS_X509_FMT_DER, NULL, 0, NULL, 0, 0);
	else if (rc == GNUTLS_E_SUCCESS)
		rc = gnutls_certificate_set_x509_key_mem(p->certificate, &s, &k, GNUTLS_X509_FMT_DER);
	return rc >= 0 ? ERR_OK : err_set(e, ERR_INVALID, "the keys of an account: %s", gnutls_strerror(rc));
}

void
dtls_policy_free(struct dtls_policy *p)
{
	if (p == NULL)
		return;
	if (p->certificate != NULL)
		gnutls_certificate_free_credentials(p->certificate);
	gnutls_priority_deinit(p->priority);
	free(p);
}

static ssize_t
push(gnutls_transport_ptr_t ptr, const void *data, size_t n)
{
	struct dtls *d = ptr;
	d->ops->send(d->arg, data, n);
	return (ssize_t)n;
}

static ssize_t
pull(gnutls_transport_ptr_t ptr, void *out, size_t cap)
{
	struct dtls *d = ptr;
	if (d->pending == NULL) {
		gnutls_transport_set_errno(d->session, EAGAIN);
		return -1;
	}
	size_t n = MIN(cap, d->n_pending);
	memcpy(out, d->pending, n);
	d->pending = NULL;
	return (ssize_t)n;
}

static int
pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	const struct dtls *d = ptr;
	(void)ms;
	return d->pending != NULL;
}

static int
set_psk(struct dtls *d, const char *identity, const struct secret *key)
{
	gnutls_datum_t k = { .data = key->data, .size = (unsigned)key->len };
	int rc = gnutls_psk_allocate_client_credentials(&d->psk);
	if (rc == GNUTLS_E_SUCCESS)
		rc = gnutls_psk_set_client_credentials(d->psk, identity, &k, GNUTLS_PSK_KEY_RAW);
	if (rc == GNUTLS_E_SUCCESS)
		rc = gnutls_credentials_set(d->session, GNUTLS_CRD_PSK, d->psk);
	return rc;
}

struct dtls *
dtls_new(const struct dtls_policy *p, const char *identity, const struct secret *key,
    const struct dtls_ops *ops, void *arg, struct err *e)
{
	struct dtls *d = calloc(1, sizeof *d);
	if (d == NULL) {
		(void)err_no_memory(e);
		return NULL;
	}
	d->ops = ops;
	d->arg = arg;
	int rc = gnutls_init(&d->session,
	    GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS | GNUTLS_ENABLE_RAWPK);
	if (rc == GNUTLS_E_SUCCESS)
		rc = gnutls_priority_set(d->session, p->priority);
	if (rc == GNUTLS_E_SUCCESS && p->certificate != NULL)
		rc = gnutls_credentials_set(d->session, GNUTLS_CRD_CERTIFICATE, p->certificate);
	else if (rc == GNUTLS_E_SUCCESS)
		rc = set_psk(d, identity, key);
	if (rc != GNUTLS_E_SUCCESS) {
		(void)err_set(e, ERR_CRYPTO, "dtls: %s", gnutls_strerror(rc));
		dtls_free(d);
		return NULL;
	}
	gnutls_transport_set_ptr(d->session, d);
	gnutls_transport_set_push_function(d->session, push);
	gnutls_transport_set_pull_function(d->session, pull);
	gnutls_transport_set_pull_timeout_function(d->session, pull_timeout);
	gnutls_dtls_set_timeouts(d->session, RETRANSMIT_MS, TOTAL_MS);
	gnutls_dtls_set_mtu(d->session, MTU);
	return d;
}

void
dtls_free(struct dtls *d)
{
	if (d == NULL)
		return;
	if (d->session != NULL)
		gnutls_deinit(d->session);
	if (d->psk != NULL)
		gnutls_psk_free_client_credentials(d->psk);
	free(d);
}

void
dtls_bye(struct dtls *d)
{
	if (d->state == DTLS_READY)
		(void)gnutls_bye(d->session, GNUTLS_SHUT_WR);
	d->state = DTLS_CLOSED;
}

static void
stop(struct dtls *d, enum dtls_state state, int rc)
{
	const char *alert = rc == GNUTLS_E_FATAL_ALERT_RECEIVED
	                        ? gnutls_alert_get_name(gnutls_alert_get(d->session))
	                        : NULL;
	d->state = state;
	(void)snprintf(d->reason, sizeof d->reason, "%s%s%s", gnutls_strerror(rc),
	    alert == NULL ? "" : ": ", alert == NULL ? "" : alert);
}

enum dtls_state
dtls_run(struct dtls *d)
{
	if (d->state != DTLS_HANDSHAKE)
		return d->state;
	int rc = 0;
	do
		rc = gnutls_handshake(d->session);
	while (rc == GNUTLS_E_INTERRUPTED ||
	       (rc < 0 && rc != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(rc)));
	if (rc == GNUTLS_E_SUCCESS)
		d->state = DTLS_READY;
	else if (rc != GNUTLS_E_AGAIN)
		stop(d, DTLS_FAILED, rc);
	return d->state;
}

enum dtls_state
dtls_input(struct dtls *d, const uint8_t *p, size_t n)
{
	d->pending = p;
	d->n_pending = n;
	if (d->state == DTLS_HANDSHAKE)
		(void)dtls_run(d);
	return d->state;
}

size_t
dtls_read(struct dtls *d, uint8_t *out, size_t cap)
{
	if (d->state != DTLS_READY)
		return 0;
	for (int i = 0; i < 8; i++) {
		ssize_t rc = gnutls_record_recv(d->session, out, cap);
		if (rc > 0)
			return (size_t)rc;
		if (rc == GNUTLS_E_AGAIN)
			return 0;
		if (rc == 0) {
			d->state = DTLS_CLOSED;
			(void)snprintf(d->reason, sizeof d->reason, "close_notify");
			return 0;
		}
		if (gnutls_error_is_fatal((int)rc)) {
			stop(d, DTLS_FAILED, (int)rc);
			return 0;
		}
	}
	return 0;
}

void
dtls_write(struct dtls *d, const uint8_t *p, size_t n)
{
	if (d->state == DTLS_READY)
		(void)gnutls_record_send(d->session, p, n);
}

int
dtls_timeout(const struct dtls *d)
{
	return d->state == DTLS_HANDSHAKE ? (int)gnutls_dtls_get_timeout(d->session) : -1;
}

const char *
dtls_reason(const struct dtls *d)
{
	return d->reason;
}

const char *
dtls_suite(const struct dtls *d)
{
	return d->state == DTLS_READY ? gnutls_ciphersuite_get(d->session) : NULL;
}
