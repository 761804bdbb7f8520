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

/* What a peer shows in its handshake. NONE: nothing (coap, or it came to no such message). */
enum transport_kind { TRANSPORT_NONE, TRANSPORT_PSK, TRANSPORT_RPK, TRANSPORT_X509 };
#define TRANSPORT_TAKES(kind) (1U << (kind))

struct transport_listener {
	enum transport_scheme scheme;
	const char *host; /* a literal IPv4 or IPv6 address, without brackets */
	uint16_t port;	  /* 0: any free one (tests); see transport_port() */
	unsigned takes;	  /* coaps: which kinds, TRANSPORT_TAKES(kind) of each; 0: TRANSPORT_PSK */
};

struct transport_blob {
	const uint8_t *data;
	size_t len;
};

#define TRANSPORT_CHAIN_MAX 8		/* certificates */
#define TRANSPORT_CERTIFICATE_MAX 8192	/* octets of each */
#define TRANSPORT_CHAIN_OCTETS 32768	/* of all */

/* Who the peer proved to be in its handshake. All of it borrowed. */
struct transport_identity {
	enum transport_kind kind;
	const char *bytes; /* PSK: the identity, octets as sent; a NUL stands behind */
	size_t len;
	/* X509: the certificates as it sent them, its own first; RPK: one SubjectPublicKeyInfo. DER. */
	const struct transport_blob *chain;
	size_t n_chain;
	const void *proof; /* X509, RPK: what transport_hooks.certificate made of it */
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
	const char *path; /* "rd/5a1"; borrowed */
	struct transport_identity identity;
	const struct transport_query *queries; /* Uri-Query options as sent: octets, not percent-decoded */
	size_t n_queries;
	int format, accept; /* content format, accept; -1 absent */
	const uint8_t *payload; /* borrowed, for the call of the handler alone */
	size_t payload_len;
};

/*
 * arg is that of the hooks. The handler, or anybody later, owes exactly one transport_reply().
 * After a reply of class 4 or 5 the peer is released by itself.
 */
typedef void transport_handler_fn(void *arg, const struct transport_request *r);

struct transport_route {
	enum transport_method method;
	const char *path; /* "bs"; with a star at its end: all that begins so and goes on */
	transport_handler_fn *handler;
	/*
	 * Octets of a payload that may come in blocks (RFC 7959); the handler sees it whole. 0: it comes in one
	 * message, or gets 4.13.
	 */
	uint32_t body_max;
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

/* What is thought of a chain or a raw public key. alert 0: well. */
struct transport_verdict {
	int alert; /* that the device is sent (RFC 5246 section 7.2) */
	char why[256];
	void *proof; /* of the user's own; goes back to transport_hooks.forget; NULL: none */
};

/*
 * Judges a chain (X509) or a raw public key (RPK), within the bounds above, from memory, in a
 * millisecond. The peer has not yet proved that it has the key: nobody else may be told of it, and
 * nothing may be begun for it. What is refused is reported to handshake_failed. *out is zeroed.
 */
typedef void transport_certificate_fn(void *arg, enum transport_kind kind, const struct transport_blob *chain,
    size_t n, struct transport_verdict *out);

/* A handshake that came to nothing after its cookie came back. Borrowed for the call. */
struct transport_failure {
	const char *addr;
	struct transport_identity claimed; /* not proved; its proof is NULL */
	const char *why;		   /* a few words */
	bool wrong_key;			   /* its identity is known, and it answered with another key */
};

struct transport_hooks {
	void *arg;
	transport_psk_fn *psk;
	transport_certificate_fn *certificate; /* NULL: none is let in */
	void (*forget)(void *arg, void *proof);	/* the session is over */
	/* Unknown identity, wrong key, refused certificate, no common cipher, gone away. */
	void (*handshake_failed)(void *arg, const struct transport_failure *f);
	/*
	 * It went away without a transport_release(): its handle is of no use any more. why: a few words. A
	 * request that is under way to it comes as GONE after this.
	 */
	void (*peer_gone)(void *arg, uint64_t peer, const char *why);
	/* The same of a session that transport_keep() gave. NULL: it does not matter. */
	void (*kept_gone)(void *arg, uint64_t kept);
};

/* What we show to devices that do not come with a pre-shared key. Paths; NULL: there is none. */
struct transport_credentials {
	const char *certificate_file; /* PEM, our own certificate first, then its CAs; for TRANSPORT_X509 */
	const char *key; /* a PEM file (PKCS #8 or the older forms) or a "pkcs11:" URL; for both kinds */
	const char *pin_file; /* its first line is the PIN of the pkcs11 token */
};

struct transport_conf {
	const struct transport_listener *listeners;
	size_t n_listeners;
	const struct transport_route *routes; /* kept by reference: static */
	size_t n_routes;
	struct transport_hooks hooks;
	unsigned max_handshakes; /* half-open DTLS sessions that returned their cookie; 0: default 1024 */
	unsigned max_peers;	 /* sessions in all; 0: default 8192 */
	bool cbc;		 /* the suites with AES_128_CBC_SHA256 too (mandatory in the specification) */
	struct transport_credentials credentials; /* read at once */
};

enum err_code transport_open(struct loop *l, const struct transport_conf *c, struct transport **out, struct err *e);
/* Closes everything; pending answers come as GONE before it returns. NULL is fine. */
void transport_close(struct transport *t);
/*
 * Reads the credentials again: new handshakes get the new ones, sessions stay. On an error the old
 * ones stay. Blocks as long as reading the files, or asking the token, takes.
 */
enum err_code transport_reload(struct transport *t, const struct transport_credentials *c, struct err *e);
/* Whether those who may come with takes (bits TRANSPORT_TAKES()) can be shown what they need: reads the files now. */
enum err_code transport_check(const struct transport_credentials *c, unsigned takes, struct err *e);
/* The port that listener i is bound to. */
uint16_t transport_port(const struct transport *t, size_t i);

/*
 * Unknown request handles are ignored. max_age_s 0: no option. text: diagnostic payload or NULL (of
 * a repeated answer: its first 128 octets); with 2.01 the Location-Path instead, "rd/5a1". Within a second it goes in the acknowledgement, later
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

/*
 * The peer's session stays although nobody uses it, for a request of ours some day: a kept handle
 * costs far less than a peer. Each call owes one transport_unkeep(), unless it was told of as gone,
 * and gives the same handle for the same session. 0: its session is over.
 */
uint64_t transport_keep(struct transport *t, uint64_t peer);
/* A peer on it, as if a request had come. 0: it is gone, or too much is under way with it. */
uint64_t transport_use(struct transport *t, uint64_t kept);
void transport_unkeep(struct transport *t, uint64_t kept);

struct transport_stats {
	uint64_t requests_in, requests_out, retransmissions_seen, handshakes, handshakes_failed,
	    datagrams_dropped, peers, replies_repeated, kept;
	uint64_t cookies;		 /* ClientHellos answered with a cookie, and forgotten */
	uint64_t half_open;		 /* handshakes under way */
	uint64_t handshakes_turned_away; /* not begun: there were too many */
	uint64_t handshakes_given_up;	 /* stuck, and ended to make room */
};
void transport_stats(const struct transport *t, struct transport_stats *out);

#endif
