#include "bsserver/transport/dtls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

#include "bsserver/transport/dtls_cert.h"
#include "bsserver/transport/dtls_hook.h"
#include "bsserver/transport/dtls_peek.h"
#include "lib/base/log.h"

/*
 * The first that both have is taken, in this order: the small ones of the specification first. A
 * device that offers pre-shared keys has one; one that offers certificates need not have any.
 */
#define PRIORITY                                                                                   \
	"NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AES-128-CCM:+AES-128-GCM:+AES-256-GCM%s:+AEAD"         \
	":+PSK:+ECDHE-PSK:+ECDHE-ECDSA:+GROUP-SECP256R1:+GROUP-X25519:+SIGN-ECDSA-SHA256"          \
	":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA384:+SIGN-EDDSA-ED25519"                     \
	":+CTYPE-CLI-ALL:+CTYPE-SRV-ALL:+COMP-NULL:%%SERVER_PRECEDENCE"
#define PRIORITY_CBC ":+AES-128-CBC:+SHA256"

/* With a wrong key nothing after ChangeCipherSpec can be read, in each flight that the device sends. */
#define UNREADABLE_MAX 2
#define DATAGRAM_MAX 2048 /* libcoap reads no longer ones */

struct dtls {
	struct dtls_conf conf;
	gnutls_priority_t priority;
	gnutls_psk_server_credentials_t psk;
	struct dtls_cert *cert; /* NULL: no listener takes what needs one */
	gnutls_datum_t cookie_key;
	void *address; /* in libcoap's session: of the hello whose cookie was looked at last */
	size_t address_len;
	gnutls_pull_func pull; /* libcoap's, the same for all its sessions */
	gnutls_push_func push;
	/* A datagram that was fetched before GnuTLS asked for it, to see whether there is one; whose. */
	void *ahead_of;
	size_t ahead_len;
	uint8_t ahead[DATAGRAM_MAX];
	struct dtls_stats stats;
	uint64_t last_serial;
};

/* Ours in each session, from the moment its ciphers are set until gnutls_deinit(). */
struct session {
	struct dtls *dtls;
	void *owner; /* libcoap's session */
	void *address; /* in it: both ends', as libcoap makes cookies for it */
	size_t address_len;
	uint64_t serial;
	bool armed, counted, established, reported;
	bool begun_anew; /* the device knows nothing of this session any more */
	bool asked; /* for a key; identity is set then */
	bool known;
	bool ccs_now; /* a ChangeCipherSpec is in the datagram that is being read */
	bool ccs;     /* one was read, and the key exchange before it */
	bool sealed_now; /* a record that only the right key opens is in that datagram */
	bool begun;
	unsigned unreadable;
	struct dtls_cert *cert;	  /* a reference; NULL: its listener takes no such devices */
	struct dtls_shown *shown; /* NULL: nothing was */
	size_t identity_len;
	char identity[DTLS_IDENTITY_MAX + 1];
	uint8_t random[DTLS_RANDOM_LEN]; /* of the ClientHello that it begun with */
};

static struct session *
session_of(gnutls_session_t s)
{
	return gnutls_session_get_ptr(s);
}

static void
identity_of(const struct session *n, struct transport_identity *out)
{
	*out = (struct transport_identity){ .kind = TRANSPORT_NONE };
	if (n->shown != NULL) {
		out->kind = n->shown->kind;
		out->chain = n->shown->chain;
		out->n_chain = n->shown->n;
	} else if (n->asked) {
		out->kind = TRANSPORT_PSK;
		out->bytes = n->identity;
		out->len = n->identity_len;
	}
}

static void
report(struct session *n, const char *why)
{
	const struct dtls_conf *c = &n->dtls->conf;
	struct transport_identity claimed;

	if (n->reported)
		return;
	n->reported = true;
	n->dtls->stats.failed++;
	identity_of(n, &claimed);
	c->failed(c->arg, n->owner, &claimed, why);
}

static int
on_psk(gnutls_session_t s, const gnutls_datum_t *user, gnutls_datum_t *key)
{
	struct session *n = session_of(s);
	const struct dtls_conf *c = &n->dtls->conf;
	struct secret k = SECRET_NONE;
	int rc = -1;

	n->asked = true;
	n->known = false;
	n->identity_len = MIN(user->size, (unsigned)DTLS_IDENTITY_MAX);
	memcpy(n->identity, user->data, n->identity_len);
	n->identity[n->identity_len] = '\0';
	if (user->size > DTLS_IDENTITY_MAX) {
		report(n, "the identity is longer than 128 octets");
		return rc;
	}
	if (!c->psk(c->psk_arg, n->identity, n->identity_len, &k) || k.len == 0) {
		report(n, "unknown identity");
		goto out;
	}
	key->data = gnutls_malloc(k.len); /* GnuTLS wipes and frees it */
	if (key->data == NULL)
		goto out;
	memcpy(key->data, k.data, k.len);
	key->size = (unsigned)k.len;
	n->known = true;
	rc = 0;
out:
	secret_clear(&k);
	return rc;
}

/* GnuTLS asks here before the device has proved that the key is its own. */
static int
on_certificate(gnutls_session_t s)
{
	struct session *n = session_of(s);
	const struct dtls_conf *c = &n->dtls->conf;
	struct dtls_shown *x = calloc(1, sizeof *x);

	if (x == NULL || n->shown != NULL) { /* not a second time in one session */
		free(x);
		return GNUTLS_E_CERTIFICATE_ERROR;
	}
	n->shown = x;
	dtls_cert_shown(s, x);
	if (x->verdict.alert == 0 && (c->takes(c->arg, n->owner) & TRANSPORT_TAKES(x->kind)) == 0) {
		x->verdict.alert = GNUTLS_A_UNSUPPORTED_CERTIFICATE;
		(void)snprintf(x->verdict.why, sizeof x->verdict.why, "this listener takes no %s",
		    x->kind == TRANSPORT_RPK ? "raw public keys" : "certificates");
	}
	if (x->verdict.alert == 0)
		c->certificate(c->arg, x->kind, x->chain, x->n, &x->verdict);
	return x->verdict.alert == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static enum err_code
crypto_error(struct err *e, int rc, const char *what)
{
	return err_set(e, ERR_CRYPTO, "DTLS: %s: %s", what, gnutls_strerror(rc));
}

static enum err_code
prepare(struct dtls *d, struct err *e)
{
	char priority[sizeof PRIORITY + sizeof PRIORITY_CBC];

	(void)snprintf(priority, sizeof priority, PRIORITY, d->conf.cbc ? PRIORITY_CBC : "");
	int rc = gnutls_priority_init(&d->priority, priority, NULL);
	if (rc < 0)
		return crypto_error(e, rc, "cipher list");
	rc = gnutls_psk_allocate_server_credentials(&d->psk);
	if (rc < 0)
		return crypto_error(e, rc, "credentials");
	gnutls_psk_set_server_credentials_function2(d->psk, on_psk);
	rc = gnutls_key_generate(&d->cookie_key, GNUTLS_COOKIE_KEY_SIZE);
	if (rc < 0)
		return crypto_error(e, rc, "cookie key");
	enum err_code got = dtls_hook_open(e);
	return got != ERR_OK ? got : dtls_cert_load(&d->conf.credentials, d->conf.takes_any, on_certificate, &d->cert, e);
}

enum err_code
dtls_new(const struct dtls_conf *c, struct dtls **out, struct err *e)
{
	struct dtls *d = calloc(1, sizeof *d);

	if (d == NULL)
		return err_no_memory(e);
	d->conf = *c;
	if (prepare(d, e) != ERR_OK) {
		dtls_free(d);
		return e != NULL ? e->code : ERR_CRYPTO;
	}
	d->conf.credentials = (struct transport_credentials){ NULL, NULL, NULL }; /* were borrowed */
	*out = d;
	return ERR_OK;
}

void
dtls_free(struct dtls *d)
{
	if (d == NULL)
		return;
	if (d->priority != NULL)
		gnutls_priority_deinit(d->priority);
	if (d->psk != NULL)
		gnutls_psk_free_server_credentials(d->psk);
	dtls_cert_unref(d->cert);
	if (d->cookie_key.data != NULL) {
		wipe(d->cookie_key.data, d->cookie_key.size);
		gnutls_free(d->cookie_key.data);
	}
	free(d);
}

enum err_code
dtls_reload(struct dtls *d, const struct transport_credentials *c, struct err *e)
{
	struct dtls_cert *fresh = NULL;
	enum err_code rc = dtls_cert_load(c, d->conf.takes_any, on_certificate, &fresh, e);

	if (rc != ERR_OK)
		return rc;
	dtls_cert_unref(d->cert);
	d->cert = fresh;
	return ERR_OK;
}

struct dtls *
dtls_enter(struct dtls *d)
{
	return dtls_hook_enter(d);
}

void
dtls_leave(struct dtls *before)
{
	dtls_hook_leave(before);
}

void
dtls_stats(const struct dtls *d, struct dtls_stats *out)
{
	*out = d->stats;
}

bool
dtls_identity(void *tls, struct transport_identity *out)
{
	struct session *n = tls != NULL ? session_of(tls) : NULL;

	if (n == NULL || !n->armed || !n->established)
		return false;
	if (n->shown != NULL ? n->shown->verdict.alert != 0 : !n->asked || !n->known)
		return false;
	identity_of(n, out);
	out->proof = n->shown != NULL ? n->shown->verdict.proof : NULL;
	return true;
}

uint64_t
dtls_serial(void *tls)
{
	const struct session *n = tls != NULL ? session_of(tls) : NULL;

	return n != NULL ? n->serial : 0;
}

int
dtls_on_priority(struct dtls *d, gnutls_session_t s)
{
	struct session *n = calloc(1, sizeof *n);

	if (n == NULL)
		return GNUTLS_E_MEMORY_ERROR;
	n->dtls = d;
	n->owner = gnutls_transport_get_ptr(s);
	n->serial = ++d->last_serial;
	gnutls_session_set_ptr(s, n);
	return dtls_real()->priority_set(s, d->priority);
}

int
dtls_on_credentials(struct dtls *d, gnutls_session_t s, gnutls_credentials_type_t type)
{
	struct session *n = session_of(s);

	if (n == NULL || type != GNUTLS_CRD_PSK)
		return GNUTLS_E_INVALID_REQUEST;
	unsigned takes = d->conf.takes(d->conf.arg, n->owner);
	int rc = 0;
	if ((takes & TRANSPORT_TAKES(TRANSPORT_PSK)) != 0)
		rc = dtls_real()->credentials_set(s, GNUTLS_CRD_PSK, d->psk);
	if (rc == 0 && (takes & ~TRANSPORT_TAKES(TRANSPORT_PSK)) != 0) {
		n->cert = dtls_cert_ref(d->cert);
		rc = dtls_cert_arm(n->cert, s, dtls_real()->credentials_set);
	}
	n->armed = rc == 0;
	return rc;
}

static const struct failure {
	int rc;
	gnutls_alert_description_t alert;
	const char *why;
} failures[] = {
	{ GNUTLS_E_NO_CIPHER_SUITES, GNUTLS_A_HANDSHAKE_FAILURE, "no cipher suite in common" },
	{ GNUTLS_E_UNKNOWN_CIPHER_SUITE, GNUTLS_A_HANDSHAKE_FAILURE, "no cipher suite in common" },
	{ GNUTLS_E_NO_COMMON_KEY_SHARE, GNUTLS_A_HANDSHAKE_FAILURE, "no curve in common" },
	{ GNUTLS_E_UNSUPPORTED_VERSION_PACKET, GNUTLS_A_PROTOCOL_VERSION,
	    "the device offers no DTLS 1.2" },
	{ GNUTLS_E_DECRYPTION_FAILED, GNUTLS_A_DECRYPT_ERROR, "wrong key for this identity" },
	{ GNUTLS_E_ERROR_IN_FINISHED_PACKET, GNUTLS_A_DECRYPT_ERROR, "wrong key for this identity" },
	{ GNUTLS_E_CERTIFICATE_REQUIRED, GNUTLS_A_HANDSHAKE_FAILURE, "the device shows no certificate" },
	{ GNUTLS_E_NO_CERTIFICATE_FOUND, GNUTLS_A_HANDSHAKE_FAILURE, "the device shows no certificate" },
	{ GNUTLS_E_PK_SIG_VERIFY_FAILED, GNUTLS_A_DECRYPT_ERROR,
	    "the device did not prove that the key of its certificate is its own" },
	{ GNUTLS_E_TIMEDOUT, GNUTLS_A_USER_CANCELED, "the device stopped answering in the handshake" },
};

static void
say_goodbye(gnutls_session_t s, int rc)
{
	for (size_t i = 0; i < N_ELEMS(failures); i++) {
		if (failures[i].rc == rc) {
			(void)gnutls_alert_send(s, GNUTLS_AL_FATAL, failures[i].alert);
			return;
		}
	}
	(void)gnutls_alert_send_appropriate(s, rc);
}

static const char *
why_failed(gnutls_session_t s, int rc, char *buf, size_t cap)
{
	for (size_t i = 0; i < N_ELEMS(failures); i++)
		if (failures[i].rc == rc)
			return failures[i].why;
	if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		const char *name = gnutls_alert_get_name(gnutls_alert_get(s));
		(void)snprintf(buf, cap, "the device broke off with the alert \"%s\"",
		    name != NULL ? name : "unknown");
	} else {
		(void)snprintf(buf, cap, "%s", gnutls_strerror(rc));
	}
	return buf;
}

static void
no_longer_half_open(struct session *n)
{
	if (n->counted && !n->established)
		n->dtls->stats.half_open--;
	n->counted = false;
}

/* Ends it; what is returned makes libcoap close the session without an alert of its own. */
static int
fail(gnutls_session_t s, struct session *n, int rc)
{
	char buf[128];
	int alert = n->shown != NULL ? n->shown->verdict.alert : 0;

	report(n, alert != 0 ? n->shown->verdict.why : why_failed(s, rc, buf, sizeof buf));
	if (alert != 0)
		(void)gnutls_alert_send(s, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alert);
	else if (n->asked && !n->known)
		(void)gnutls_alert_send(s, GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_PSK_IDENTITY);
	else if (rc != GNUTLS_E_FATAL_ALERT_RECEIVED)
		say_goodbye(s, rc);
	no_longer_half_open(n);
	return GNUTLS_E_FATAL_ALERT_RECEIVED;
}

/*
 * A record that cannot be read is dropped without a word (RFC 6347 section 4.1.2.7), also the
 * Finished of a device with another key. Once CCS came behind the key exchange the right key
 * would have read it; what comes in the clear then is a flight that the device sends again.
 */
static int
count_unreadable(gnutls_session_t s, struct session *n, unsigned before)
{
	if (!n->ccs || !n->sealed_now || gnutls_record_get_discarded(s) == before || ++n->unreadable < UNREADABLE_MAX)
		return GNUTLS_E_AGAIN;
	return fail(s, n, GNUTLS_E_DECRYPTION_FAILED);
}

static bool
admit(struct dtls *d, struct session *n)
{
	if (n->counted)
		return true;
	if (d->stats.half_open >= d->conf.max_handshakes) {
		d->stats.turned_away++;
		return false;
	}
	d->stats.half_open++;
	n->counted = true;
	n->address = d->address;
	n->address_len = d->address_len;
	return true;
}

gnutls_datum_t *
dtls_on_cookie(struct dtls *d, void *address, size_t len)
{
	d->address = address;
	d->address_len = len;
	return &d->cookie_key;
}

/*
 * GnuTLS asks whether a datagram is there before it decides that a flight is to be sent again. libcoap
 * asks select() about descriptors that a server's sessions do not have, and always says yes: no flight
 * would ever be repeated.
 */
static int
is_waiting(gnutls_transport_ptr_t owner, unsigned ms)
{
	struct dtls *d = dtls_hook_in_force();

	(void)ms;
	if (d == NULL)
		return 0;
	if (d->ahead_of != owner) {
		ssize_t got = d->pull(owner, d->ahead, sizeof d->ahead);
		if (got <= 0)
			return 0;
		d->ahead_of = owner;
		d->ahead_len = (size_t)got;
	}
	return 1;
}

int
dtls_on_handshake(struct dtls *d, gnutls_session_t s)
{
	struct session *n = session_of(s);

	if (n == NULL || !n->armed)
		return GNUTLS_E_INTERNAL_ERROR;
	if (!admit(d, n)) /* the device comes again with its own retransmission */
		return GNUTLS_E_MEMORY_ERROR;
	unsigned discarded = gnutls_record_get_discarded(s);
	n->ccs_now = n->sealed_now = false;
	gnutls_transport_set_pull_timeout_function(s, is_waiting);
	int rc = dtls_real()->handshake(s);
	d->ahead_of = NULL;
	n->ccs |= n->ccs_now && n->asked;
	if (rc == GNUTLS_E_SUCCESS) {
		no_longer_half_open(n);
		n->established = true;
		d->stats.handshakes++;
		return rc;
	}
	if (rc == GNUTLS_E_AGAIN)
		return count_unreadable(s, n, discarded);
	return gnutls_error_is_fatal(rc) ? fail(s, n, rc) : rc;
}

bool
dtls_on_bye(struct dtls *d, gnutls_session_t s)
{
	const struct session *n = session_of(s);

	(void)d;
	return n == NULL || !n->begun_anew;
}

void
dtls_on_deinit(struct dtls *d, gnutls_session_t s)
{
	struct session *n = session_of(s);

	(void)d;
	if (n == NULL)
		return;
	if (n->counted && !n->established && !n->begun_anew)
		report(n, n->known && n->unreadable > 0 ? "wrong key for this identity" :
			n->known ? "the device went away in the handshake, after its identity was known" :
				   "the device stopped answering in the handshake");
	no_longer_half_open(n);
	gnutls_session_set_ptr(s, NULL);
	if (n->shown != NULL && n->shown->verdict.proof != NULL)
		n->dtls->conf.forget(n->dtls->conf.arg, n->shown->verdict.proof);
	free(n->shown);
	dtls_cert_unref(n->cert); /* gnutls_deinit() does not look at credentials */
	wipe(n, sizeof *n);
	free(n);
}

/*
 * A device that lost its state begins a handshake from the address of a session that we think is
 * alive. It must prove that it is there before the session is given up (RFC 6347 section 4.2.8).
 * The cookie is good for the new session as well: the device's next hello finds it.
 */
static void
on_new_hello(struct session *n, const uint8_t *datagram, size_t len)
{
	struct dtls *d = n->dtls;
	gnutls_dtls_prestate_st prestate = { 0 };
	void *msg;

	memcpy(&msg, &datagram, sizeof msg); /* GnuTLS wants no const, and only reads */
	if (dtls_real()->cookie_verify(
		&d->cookie_key, n->address, n->address_len, msg, len, &prestate) < 0) {
		(void)dtls_real()->cookie_send(
		    &d->cookie_key, n->address, n->address_len, &prestate, n->owner, d->push);
	} else if (!n->begun_anew) {
		n->begun_anew = true;
		d->conf.begun_anew(d->conf.arg, n->owner);
	}
}

/* true: the datagram is not for this session. */
static bool
look_at(struct session *n, const uint8_t *datagram, size_t len)
{
	struct dtls_peek p;

	dtls_peek(datagram, len, &p);
	n->ccs_now |= p.ccs > 0;
	n->sealed_now |= p.sealed > 0;
	if (p.hello_random == NULL)
		return false;
	if (!n->begun) {
		n->begun = true;
		memcpy(n->random, p.hello_random, sizeof n->random);
		return false;
	}
	if (memcmp(p.hello_random, n->random, sizeof n->random) == 0)
		return false; /* its own once more */
	on_new_hello(n, datagram, len);
	return true;
}

static ssize_t
fetch(struct dtls *d, void *owner, void *out, size_t len)
{
	if (d->ahead_of != owner)
		return d->pull(owner, out, len);
	size_t n = MIN(len, d->ahead_len);
	memcpy(out, d->ahead, n);
	d->ahead_of = NULL;
	return (ssize_t)n;
}

/* Only runs while libcoap hands a datagram of one of our sessions to GnuTLS. */
static ssize_t
pull(gnutls_transport_ptr_t owner, void *out, size_t len)
{
	struct dtls *d = dtls_hook_in_force();
	if (d == NULL) {
		errno = EIO;
		return -1;
	}
	void *tls = d->conf.tls(owner);
	struct session *n = tls != NULL ? session_of(tls) : NULL;
	ssize_t got = fetch(d, owner, out, len);

	if (got > 0 && n != NULL && look_at(n, out, (size_t)got)) {
		errno = EAGAIN;
		return -1;
	}
	return got;
}

void
dtls_on_set_pull(struct dtls *d, gnutls_session_t s, gnutls_pull_func libcoaps)
{
	d->pull = libcoaps;
	dtls_real()->set_pull(s, pull);
}

void
dtls_on_set_push(struct dtls *d, gnutls_session_t s, gnutls_push_func libcoaps)
{
	d->push = libcoaps;
	dtls_real()->set_push(s, libcoaps);
}
