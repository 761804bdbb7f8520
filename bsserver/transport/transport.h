/*
 * bsserver/transport/transport.h: CoAP endpoints: requests in through a table of routes, requests
 * out to peers that are connected. The only code that sees libcoap is behind this header.
 */
#ifndef BSSERVER_TRANSPORT_TRANSPORT_H
#define BSSERVER_TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "bsserver/loop/loop.h"
#include "lib/base/secret.h"

struct transport;

enum transport_method { TRANSPORT_GET = 1, TRANSPORT_POST = 2, TRANSPORT_PUT = 3, TRANSPORT_DELETE = 4 };
enum transport_scheme { TRANSPORT_COAP, TRANSPORT_COAPS };

struct transport_listener {
	enum transport_scheme scheme;
	const char *host; /* a literal IPv4 or IPv6 address, without brackets */
	uint16_t port;	  /* 0: any free one (tests); see transport_port() */
};

/* Who the peer proved to be in its handshake. */
struct transport_identity {
	bool psk;	   /* false: nothing proved (coap) */
	const char *bytes; /* the PSK identity, octets as sent; a NUL stands behind; borrowed */
	size_t len;
};

struct transport_query {
	const char *data;
	size_t len;
};

struct transport_request {
	/*
	 * A handle of this request's own, also when it came on the session of an earlier one: what
	 * is done for the older does not touch the newer. Never 0. It may be used after the peer went
	 * away: answers come back as gone, a release does nothing.
	 */
	uint64_t peer;
	uint64_t request; /* handle for transport_reply() */
	const char *addr; /* "127.0.0.1:5683", "[::1]:5684"; borrowed */
	const char *listener; /* "coaps://127.0.0.1:5684"; borrowed */
	struct transport_identity identity;
	const struct transport_query *queries; /* Uri-Query options as sent: octets, not percent-decoded */
	size_t n_queries;
	int format, accept; /* content format, accept; -1 absent */
	const uint8_t *payload;
	size_t payload_len;
};

/*
 * arg is that of the hooks. The handler, or anybody later, owes exactly one transport_reply().
 * After a reply of class 4 or 5 the peer is released by itself.
 */
typedef void transport_handler_fn(void *arg, const struct transport_request *r);

struct transport_route {
	enum transport_method method;
	const char *path; /* "bs" */
	transport_handler_fn *handler;
};

enum transport_outcome {
	TRANSPORT_RESPONSE,
	TRANSPORT_NO_ANSWER, /* retransmissions or the deadline ran out */
	TRANSPORT_RESET,
	TRANSPORT_GONE /* the peer's session was closed, or the exchange could not be done */
};

struct transport_answer {
	enum transport_outcome outcome;
	uint8_t code; /* CoAP code octet */
	int format;   /* -1 absent */
	const uint8_t *payload; /* borrowed */
	size_t payload_len;
	const char *why; /* GONE: a sentence; NULL otherwise */
};

typedef void transport_answer_fn(void *arg, uint64_t tag, const struct transport_answer *a);

struct transport_out {
	enum transport_method method;
	const char *path; /* "/", "/0/1", "/bs": absolute, at most 64 characters, no percent signs */
	int format, accept;
	const uint8_t *payload; /* copied; over 1024 octets it goes in blocks; at most 1 MiB */
	size_t payload_len;
	uint32_t timeout_ms; /* retransmissions included */
};

/*
 * Looks a key up by PSK identity, from memory, in microseconds. false: unknown, the handshake is
 * refused. *key is filled with a copy. Every call that ends in false is reported to
 * handshake_failed with the identity as well.
 */
typedef bool transport_psk_fn(void *arg, const char *identity, size_t len, struct secret *key);

struct transport_hooks {
	void *arg;
	transport_psk_fn *psk;
	/*
	 * A handshake that came to nothing after its cookie came back: unknown identity, wrong key, no
	 * common cipher. identity may be NULL. why: a few words.
	 */
	void (*handshake_failed)(void *arg, const char *addr, const char *identity, size_t len, const char *why);
	/* It went away without a transport_release(): its handle is of no use any more. */
	void (*peer_gone)(void *arg, uint64_t peer);
};

struct transport_conf {
	const struct transport_listener *listeners;
	size_t n_listeners;
	const struct transport_route *routes; /* kept by reference: static */
	size_t n_routes;
	struct transport_hooks hooks;
	unsigned max_handshakes; /* half-open DTLS sessions that returned their cookie; 0: default 1024 */
	unsigned max_peers;	 /* sessions in all; 0: default 8192 */
	bool cbc;		 /* TLS_PSK_WITH_AES_128_CBC_SHA256 too (mandatory in the specification) */
};

enum err_code transport_open(struct loop *l, const struct transport_conf *c, struct transport **out, struct err *e);
/* Closes everything; pending answers come as GONE before it returns. NULL is fine. */
void transport_close(struct transport *t);
/* The port that listener i is bound to. */
uint16_t transport_port(const struct transport *t, size_t i);

/*
 * Unknown request handles are ignored. max_age_s 0: no option. text: diagnostic payload or NULL (of
 * a repeated answer: its first 128 octets). Within a second it goes in the acknowledgement, later
 * in a message of its own.
 */
void transport_reply(struct transport *t, uint64_t request, uint8_t code, uint32_t max_age_s, const char *text);

/*
 * Sends a confirmable request to a peer; fn(arg, tag, answer) is called exactly once, later, never
 * from inside this call. Never sent before the reply that this turn of the loop gives. One at a
 * time per peer (NSTART 1).
 */
void transport_send(struct transport *t, uint64_t peer, const struct transport_out *o, uint64_t tag,
    transport_answer_fn *fn, void *arg);

/*
 * The peer is needed no more. What is under way comes as GONE; a DTLS session that has no other
 * peer is closed with close_notify, when this turn's messages have gone out.
 */
void transport_release(struct transport *t, uint64_t peer, bool failed);

struct transport_stats {
	uint64_t requests_in, requests_out, retransmissions_seen, handshakes, handshakes_failed,
	    datagrams_dropped, peers, replies_repeated;
};
void transport_stats(const struct transport *t, struct transport_stats *out);

#endif
