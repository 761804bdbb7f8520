#include "bsserver/transport/dtls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

#include "bsserver/transport/dtls_cert.h"
#include "bsserver/transport/dtls_cookie.h"
#include "bsserver/transport/dtls_hook.h"
#include "bsserver/transport/dtls_peek.h"
#include "bsserver/transport/half_open.h"
#include "bsserver/transport/udp_hook.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

/*
 * The first that both have is taken, in this order: the small ones of the specification first. A
 * device that offers pre-shared keys has one; one that offers certificates need not have any.
 */
#define PRIORITY                                                                                   \
	"NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AES-128-CCM:+AES-128-GCM:+AES-256-GCM%s:+AEAD"         \
	":+PSK:+ECDHE-PSK:+ECDHE-ECDSA:+GROUP-SECP256R1:+GROUP-X25519:+SIGN-ECDSA-SHA256"          \
	":+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA384:+SIGN-EDDSA-ED25519"                     \
	":+CTYPE-CLI-ALL:+CTYPE-SRV-ALL:+COMP-NULL:%%SERVER_PRECEDENCE:%%FORCE_ETM"
#define PRIORITY_CBC ":+AES-128-CBC:+SHA256"

/* With a wrong key nothing after ChangeCipherSpec can be read, in each flight that the device sends. */
#define UNREADABLE_MAX 2
#define MESSAGE_MAX 8192 /* octets of a handshake message */
#define CCS_MAX 8 /* ChangeCipherSpec: one, and one for each time that the flight comes again */
#define RENEGOTIATIONS_MAX 4 /* that are answered */
#define DATAGRAM_MAX 2048 /* libcoap reads no longer ones */

struct dtls {
	struct dtls_conf conf;
	gnutls_priority_t priority;
	gnutls_psk_server_credentials_t psk;
	struct dtls_cert *cert; /* NULL: no listener takes what needs one */
	struct dtls_cookies *cookies;
	struct dtls_place from; /* of the datagram that came last */
	bool proved; /* it is a hello with a good cookie, and state what GnuTLS wants to know of it */
	gnutls_dtls_prestate_st state;
	struct half_opens half_opens;
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
	uint64_t serial;
	struct half_open half_open;
	bool armed, established, reported;
	bool dead; /* the device knows nothing of this session any more, or it made room */
	bool admitted;
	int last_in; /* the kind of the last handshake message, or -1 */
	bool asked; /* for a key; identity is set then */
	bool known;
	bool ccs_now; /* a ChangeCipherSpec is in the datagram that is being read */
	bool ccs;     /* one was read, and the key exchange before it */
	bool sealed_now; /* a record that only the right key opens is in that datagram */
	bool begun;
	unsigned unreadable, renegotiations, ccs_seen;
	struct dtls_cert *cert;	  /* a reference; NULL: its listener takes no such devices */
	struct dtls_shown *shown; /* NULL: nothing was */
	size_t identity_len;
	char identity[DTLS_IDENTITY_MAX + 1];
	size_t record_max; /* octets of plain text that it takes in a record; 0: it did not say */
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

static const char wrong_key[] = "wrong key for this identity";

static void
report(struct session *n, const char *why)
{
	const struct dtls_conf *c = &n->dtls->conf;
	struct transport_failure f = { .why = why, .wrong_key = why == wrong_key };

	if (n->reported)
		return;
	n->reported = true;
	n->dtls->stats.failed++;
	identity_of(n, &f.claimed);
	c->failed(c->arg, n->owner, &f);
}

static const char *
why_stuck(const struct session *n)
{
	if (!n->known)
		return "the device stopped answering in the handshake";
	return n->unreadable > 0 ? wrong_key :
				   "the device went away in the handshake, after its identity was known";
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
	enum err_code got;
	if ((got = dtls_hook_open(e)) != ERR_OK || (got = udp_hook_open(e)) != ERR_OK ||
	    (got = dtls_cookies_new(clock_mono_ms(), &d->cookies, e)) != ERR_OK)
		return got;
	return dtls_cert_load(&d->conf.credentials, d->conf.takes_any, on_certificate, &d->cert, e);
}

enum err_code
dtls_new(const struct dtls_conf *c, struct dtls **out, struct err *e)
{
	struct dtls *d = calloc(1, sizeof *d);

	if (d == NULL)
		return err_no_memory(e);
	d->conf = *c;
	d->half_opens.max = c->max_handshakes;
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
	dtls_cookies_free(d->cookies);
	free(d);
}

enum err_code
transport_check(const struct transport_credentials *c, unsigned takes, struct err *e)
{
	struct dtls_cert *cert = NULL;
	enum err_code rc = dtls_cert_load(c, takes, on_certificate, &cert, e);

	dtls_cert_unref(cert);
	return rc;
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
	out->half_open = d->half_opens.n;
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

size_t
dtls_record_max(void *tls)
{
	const struct session *n = tls != NULL ? session_of(tls) : NULL;

	return n != NULL && n->record_max != 0 ? n->record_max : SIZE_MAX;
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

	gnutls_handshake_set_max_packet_length(s, MESSAGE_MAX); /* longer ones have certificates in them */
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
	{ GNUTLS_E_DECRYPTION_FAILED, GNUTLS_A_DECRYPT_ERROR, wrong_key },
	{ GNUTLS_E_ERROR_IN_FINISHED_PACKET, GNUTLS_A_DECRYPT_ERROR, wrong_key },
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
	half_open_end(&n->dtls->half_opens, &n->half_open);
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

/* Whether there is a place for one more handshake, from where the datagram that came last is from. */
static bool
make_room(struct dtls *d)
{
	struct half_open *h = NULL;

	if (!half_open_may_begin(&d->half_opens, d->from.host, clock_mono_ms(), &h))
		return false;
	if (h == NULL)
		return true;
	struct session *stuck = CONTAINER_OF(h, struct session, half_open);
	if (!d->conf.dead(d->conf.arg, stuck->owner))
		return false;
	report(stuck, why_stuck(stuck));
	half_open_end(&d->half_opens, h);
	stuck->dead = true;
	d->stats.given_up++;
	return true;
}

enum dtls_screening
dtls_screen(struct dtls *d, const struct sockaddr *from, const void *datagram, size_t len, dtls_send_fn *send,
    void *to)
{
	struct half_open *instead;

	d->from = dtls_place_of(from);
	d->proved = false;
	switch (dtls_cookie_look(d->cookies, clock_mono_ms(), &d->from, datagram, len, &d->state)) {
	case DTLS_HELLO_NONE:
		return DTLS_LET_IN;
	case DTLS_HELLO_LIKE:
		return DTLS_LET_IN_IF_KNOWN;
	case DTLS_HELLO_PROVED:
		d->proved = true;
		return half_open_may_begin(&d->half_opens, d->from.host, clock_mono_ms(), &instead) ?
		    DTLS_LET_IN : DTLS_TOO_MANY;
	case DTLS_HELLO_BARE:
		d->stats.cookies++;
		(void)dtls_cookie_send(d->cookies, &d->from, send, to);
		return DTLS_DEALT_WITH;
	default:
		return DTLS_DEALT_WITH;
	}
}

int
dtls_on_cookie_verify(struct dtls *d, gnutls_dtls_prestate_st *state)
{
	if (!d->proved)
		return GNUTLS_E_BAD_COOKIE;
	*state = d->state;
	return GNUTLS_E_SUCCESS;
}

/* The device comes again with its own retransmission when it was not. */
static bool
admit(struct dtls *d, struct session *n)
{
	if (n->admitted)
		return true;
	if (!make_room(d))
		return false;
	half_open_begin(&d->half_opens, &n->half_open, d->from.host, clock_mono_ms());
	n->admitted = true;
	n->last_in = -1;
	return true;
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

/* What is sent again or means nothing is no step on. */
static void
note_step(struct session *n, int last_in)
{
	if (last_in == n->last_in)
		return;
	n->last_in = last_in;
	half_open_moved(&n->dtls->half_opens, &n->half_open, clock_mono_ms());
}

int
dtls_on_handshake(struct dtls *d, gnutls_session_t s)
{
	struct session *n = session_of(s);

	if (n == NULL || !n->armed)
		return GNUTLS_E_INTERNAL_ERROR;
	if (n->dead)
		return GNUTLS_E_AGAIN;
	if (!admit(d, n))
		return GNUTLS_E_MEMORY_ERROR;
	unsigned discarded = gnutls_record_get_discarded(s);
	n->ccs_now = n->sealed_now = false;
	gnutls_transport_set_pull_timeout_function(s, is_waiting);
	int rc = dtls_real()->handshake(s);
	d->ahead_of = NULL;
	n->ccs |= n->ccs_now && n->asked;
	note_step(n, (int)gnutls_handshake_get_last_in(s));
	if (rc == GNUTLS_E_SUCCESS) {
		half_open_end(&d->half_opens, &n->half_open);
		n->established = true;
		d->stats.handshakes++;
		return rc;
	}
	if (rc == GNUTLS_E_AGAIN)
		return count_unreadable(s, n, discarded);
	return gnutls_error_is_fatal(rc) ? fail(s, n, rc) : rc;
}

/*
 * Nothing is negotiated anew in a session (RFC 7925): the device is told so, and goes on with what
 * it has. Who asks again and again is not answered any more.
 */
ssize_t
dtls_on_record(struct dtls *d, gnutls_session_t s, void *data, size_t len)
{
	struct session *n = session_of(s);
	ssize_t got = dtls_real()->record_recv(s, data, len);

	(void)d;
	if (n == NULL || (got != GNUTLS_E_REHANDSHAKE && got != GNUTLS_E_UNEXPECTED_PACKET))
		return got;
	if (got == GNUTLS_E_REHANDSHAKE && n->renegotiations < RENEGOTIATIONS_MAX) {
		n->renegotiations++;
		(void)gnutls_alert_send(s, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
	}
	return GNUTLS_E_AGAIN;
}

bool
dtls_on_bye(struct dtls *d, gnutls_session_t s)
{
	const struct session *n = session_of(s);

	(void)d;
	return n == NULL || !n->dead;
}

void
dtls_on_deinit(struct dtls *d, gnutls_session_t s)
{
	struct session *n = session_of(s);

	(void)d;
	if (n == NULL)
		return;
	if (n->admitted && !n->established && !n->dead)
		report(n, why_stuck(n));
	half_open_end(&n->dtls->half_opens, &n->half_open);
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
on_new_hello(struct session *n)
{
	const struct dtls_conf *c = &n->dtls->conf;

	if (n->dtls->proved && !n->dead)
		n->dead = c->dead(c->arg, n->owner);
}

/* true: the datagram is not for this session. */
static bool
look_at(struct session *n, const uint8_t *datagram, size_t len)
{
	struct dtls_peek p;

	dtls_peek(datagram, len, &p);
	if (p.broken) /* anybody can send that: GnuTLS would end the session */
		return true;
	if (p.ccs > CCS_MAX - n->ccs_seen || p.beyond) /* GnuTLS keeps them all, or loses memory over them */
		return true;
	n->ccs_seen += p.ccs;
	n->ccs_now |= p.ccs > 0;
	n->sealed_now |= p.sealed > 0;
	if (p.hello_random == NULL)
		return false;
	if (!n->begun) {
		n->begun = true;
		memcpy(n->random, p.hello_random, sizeof n->random);
		n->record_max = p.record_max;
		return false;
	}
	if (memcmp(p.hello_random, n->random, sizeof n->random) == 0)
		return false; /* its own once more */
	on_new_hello(n);
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
