/*
 * bsserver/transport/dtls.h: who may shake hands, with which ciphers, and what became of it. One
 * for all coaps listeners of a transport. A session is what libcoap calls coap_session_t.
 */
#ifndef BSSERVER_TRANSPORT_DTLS_H
#define BSSERVER_TRANSPORT_DTLS_H

#include "bsserver/transport/transport.h"

#define DTLS_IDENTITY_MAX 128 /* octets (RFC 7925 section 4.2) */

struct dtls;

struct dtls_conf {
	void *arg; /* of the functions here */
	transport_psk_fn *psk;
	void *psk_arg;
	transport_certificate_fn *certificate;
	void (*forget)(void *arg, void *proof);
	unsigned (*takes)(void *arg, void *session); /* what its listener takes */
	/* A handshake came to nothing; what was claimed was not proved. */
	void (*failed)(void *arg, void *session, const struct transport_identity *claimed, const char *why);
	/*
	 * The device behind this session proved that it receives at its address and began another
	 * handshake: this session is dead. It must not be closed inside this call.
	 */
	void (*begun_anew)(void *arg, void *session);
	void *(*tls)(void *session); /* GnuTLS' session of it; NULL: none any more */
	unsigned max_handshakes; /* half-open sessions whose cookie came back */
	bool cbc;
	unsigned takes_any; /* what all listeners together take */
	struct transport_credentials credentials; /* read by dtls_new() */
};

struct dtls_stats {
	uint64_t handshakes, failed, turned_away;
	unsigned half_open;
};

enum err_code dtls_new(const struct dtls_conf *c, struct dtls **out, struct err *e);
void dtls_free(struct dtls *d); /* NULL is fine; after the last session */
/* See transport_reload(). */
enum err_code dtls_reload(struct dtls *d, const struct transport_credentials *c, struct err *e);

/*
 * Around everything of libcoap that may make, drive or free a session of ours. They nest.
 * What dtls_enter() returns goes to dtls_leave(). NULL for d: fine, and nothing is done.
 */
struct dtls *dtls_enter(struct dtls *d);
void dtls_leave(struct dtls *before);

/*
 * Who proved what, from GnuTLS' session: true when the session has our credentials and its
 * handshake is over. What *out points to lives as long as the session.
 */
bool dtls_identity(void *tls, struct transport_identity *out);

/* A number that no other session has; 0: it is none of ours. */
uint64_t dtls_serial(void *tls);

void dtls_stats(const struct dtls *d, struct dtls_stats *out);

#endif
