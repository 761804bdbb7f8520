/*
 * bsserver/transport/dtls.h: who may shake hands, with which ciphers, and what became of it. One
 * for all coaps listeners of a transport. A session is what libcoap calls coap_session_t.
 */
#ifndef BSSERVER_TRANSPORT_DTLS_H
#define BSSERVER_TRANSPORT_DTLS_H

#include <sys/socket.h>
#include <sys/types.h>

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
	/* A handshake came to nothing; what was claimed was not proved. Without addr. */
	void (*failed)(void *arg, void *session, const struct transport_failure *f);
	/*
	 * This session is dead: the device behind it proved that it receives at its address and began
	 * another handshake, or it was stuck in its own and makes room. It must not be closed inside
	 * this call. false: not now, there is no room to remember it; dtls.c asks again when it must.
	 */
	bool (*dead)(void *arg, void *session);
	void *(*tls)(void *session); /* GnuTLS' session of it; NULL: none any more */
	unsigned max_handshakes; /* half-open sessions whose cookie came back */
	bool cbc;
	unsigned takes_any; /* what all listeners together take */
	struct transport_credentials credentials; /* read by dtls_new() */
};

struct dtls_stats {
	uint64_t handshakes, failed;
	uint64_t cookies;     /* hellos that were answered with one and forgotten */
	uint64_t given_up;    /* handshakes that were stuck and made room for another */
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

/* What becomes of a datagram before libcoap sees it. */
enum dtls_screening {
	DTLS_LET_IN,
	DTLS_LET_IN_IF_KNOWN, /* when there is a session for its address, else nothing becomes of it */
	DTLS_TOO_MANY,	      /* the same, for a hello with a good cookie */
	DTLS_DEALT_WITH,      /* answered, or nothing at all */
};
typedef ssize_t dtls_send_fn(void *to, const void *data, size_t len);
/*
 * Every datagram that libcoap reads must have passed here right before, between dtls_enter() and
 * dtls_leave(). No session is made for a hello without a good cookie.
 */
enum dtls_screening dtls_screen(struct dtls *d, const struct sockaddr *from, const void *datagram, size_t len,
    dtls_send_fn *send, void *to);

/*
 * Who proved what, from GnuTLS' session: true when the session has our credentials and its
 * handshake is over. What *out points to lives as long as the session.
 */
bool dtls_identity(void *tls, struct transport_identity *out);

/* Octets of plain text that the peer takes in one record; NULL: no bound of ours. */
size_t dtls_record_max(void *tls);

/* A number that no other session has; 0: it is none of ours. */
uint64_t dtls_serial(void *tls);

void dtls_stats(const struct dtls *d, struct dtls_stats *out);

#endif
