/*
 * bsserver/bootstrap/ports.h: what the bootstrap engine asks of the world.
 *
 * The driver calls these; each is answered later, never from inside the call, by exactly one
 * bs_driver_event() for the same session, unless the session was ended first (then the answer is
 * dropped by its id). Implementations: bsserver/ports (lookup, keep, record), server.c (reply,
 * send, timers), and the fakes of the tests.
 */
#ifndef BSSERVER_BOOTSTRAP_PORTS_H
#define BSSERVER_BOOTSTRAP_PORTS_H

#include "bsserver/bootstrap/history.h"
#include "bsserver/bootstrap/record.h"
#include "lib/base/secret.h"
#include "profiles/desired.h"

enum bs_mode { BS_NOSEC, BS_PSK, BS_RPK, BS_X509 };

struct bs_blob {
	const uint8_t *data;
	size_t len;
};

#define BS_CHAIN_MAX 16 /* certificates of a path, its anchor with it */

/* Who knocks, as the transport proved it. Borrowed for the call, copied by the driver. */
struct bs_peer {
	uint64_t id;	  /* the transport's handle for answers and requests */
	const char *addr; /* "[::1]:1234" */
	enum bs_mode mode;
	/* PSK: its identity, octets; X509: the subject of its certificate, RPK: "sha256:...", to be shown */
	const char *identity;
	size_t identity_len;
	/*
	 * X509: the path that was found good in the handshake, the device's certificate first, the
	 * trust anchor last; RPK: one SubjectPublicKeyInfo. DER. At most BS_CHAIN_MAX.
	 */
	const struct bs_blob *chain;
	size_t n_chain;
	const char *trust; /* X509: which trust of the configuration the anchor belongs to; or NULL */
};

/* What the house knows of a device that was let in. Owned by whoever holds it. */
struct bs_grant {
	char *endpoint;	     /* the name it is known by: from ep, or from its credential */
	char *rule;	     /* which rule granted it */
	char *profile;	     /* what it resolved to, for the record; NULL: its own document only */
	uint64_t revision;
	struct profile_desired desired;
	char *fingerprints;
	int remembered_format;	     /* content format that worked last time; -1 */
	uint64_t confirmed_revision; /* what the last provisioned session wrote; 0: none */
	struct bs_history history;   /* of this device */
	char *expiries;		     /* of the certificates in desired, as in struct bs_record; NULL */
	/*
	 * Wishes for this session, each put there by an operator. A bootstrap account to take the
	 * place of the device's own: a whole instance as /0/0/0, /0/0/1 (true), /0/0/2..5 and so on
	 * (with OSCORE those of /21/0 too); empty: none. A configuration that stands in for the profile's: it
	 * replaces desired, owned; NULL: none.
	 */
	struct lwm2m_tree handover;
	struct profile_desired *restore;
};

void bs_grant_clear(struct bs_grant *g); /* safe twice */

enum bs_event_type {
	BS_EV_REQUEST,	   /* the session begins */
	BS_EV_GRANTED,	   /* answer to lookup: ev->grant, taken over */
	BS_EV_REFUSED,	   /* answer to lookup or vet: reason, code, text */
	BS_EV_VETTED,	   /* answer to vet; text: what was found out, for the transcript, or NULL */
	BS_EV_REPLIED,	   /* answer to reply: it is on its way */
	BS_EV_RESPONSE,	   /* answer to send: code, format, payload */
	BS_EV_NO_ANSWER,   /* answer to send: nobody answered within the request's deadline */
	BS_EV_RESET,	   /* answer to send: RST */
	BS_EV_SEND_FAILED, /* answer to send: it could not be sent; text says why */
	BS_EV_INSPECTED,      /* answer to inspect; text: the verdicts, one a line */
	BS_EV_INSPECT_FAILED, /* answer to inspect; text: what is refused and why */
	BS_EV_KEPT,	   /* answer to keep: what is to be handed off is recorded */
	BS_EV_KEEP_FAILED,
	BS_EV_HANDED_OFF, /* answer to handoff; text: who was told, a line each */
	BS_EV_HANDOFF_FAILED,
	BS_EV_SETTLED, /* answer to settle */
	BS_EV_SETTLE_FAILED,
	BS_EV_RECORDED,	  /* answer to record: the session can go (also when it could not be kept: that was logged) */
	BS_EV_PEER_GONE,  /* at any time: the transport lost the peer */
	BS_EV_DEADLINE,	  /* at any time: the whole session took too long */
	BS_EV_SUPERSEDED, /* at any time: a newer request of the same device was granted */
	BS_EV_CANCEL,	  /* at any time: an operator; or the server stops (reason says which) */
	BS_EV__COUNT
};

struct bs_event {
	enum bs_event_type type;
	struct bs_grant *grant; /* GRANTED: contents are moved out */
	enum bs_reason reason;	/* REFUSED, CANCEL; REQUEST: why it is refused, or NONE */
	uint32_t retry_after_s; /* REFUSED with BS_REASON_HELD_BACK */
	uint8_t code;		/* RESPONSE: CoAP code octet; REFUSED: what to answer with */
	int format;		/* RESPONSE: content format, -1 none */
	const uint8_t *payload; /* RESPONSE; borrowed */
	size_t payload_len;
	const char *text;	/* REQUEST, REFUSED, SEND_FAILED, ...: a sentence; borrowed; NULL */
	uint32_t now_ms;	/* since the session began */
	int64_t wall_ms;
	const char *clock_fault; /* why wall_ms is not known to be right; NULL: it is */
};

/* A downlink request. Borrowed for the call: whoever sends it copies. */
struct bs_send {
	enum bs_method method;
	struct lwm2m_path path; /* depth 0 is "/" */
	bool finish;		/* POST /bs instead of path */
	int accept;		/* -1 none */
	int format;		/* of the payload; -1 none */
	const uint8_t *payload;
	size_t payload_len;
	uint32_t timeout_ms;
};

struct bs_reply {
	uint8_t code;
	uint32_t max_age_s; /* with 5.03; 0 otherwise */
	const char *text;   /* diagnostic payload (RFC 7252 section 5.5.2); NULL */
};

struct bs_lookup {
	const char *ep;	 /* NULL: not given */
	struct bs_peer peer;
};

struct bs_ports {
	void *arg;
	/* Milliseconds of a clock that never goes back, and of the wall clock (since 1970 UTC). */
	void (*now)(void *arg, uint64_t *mono_ms, int64_t *wall_ms);
	/* Why the wall clock is not known to be right; NULL: it is. */
	const char *(*clock_fault)(void *arg);
	void (*lookup)(void *arg, uint64_t session, const struct bs_lookup *q);
	void (*vet)(void *arg, uint64_t session, const struct bs_grant *g, const struct bs_peer *peer);
	/* Are the certificates and keys good that the device is to be given? Before any is written. */
	void (*inspect)(void *arg, uint64_t session, const struct bs_grant *g);
	void (*keep)(void *arg, uint64_t session, const struct bs_grant *g);
	void (*handoff)(void *arg, uint64_t session, const struct bs_grant *g);
	/*
	 * Finish comes next: from here on nobody knows which credentials the device has until it has
	 * answered. Only for a grant with hand-offs, as keep and handoff; there when handoff is.
	 */
	void (*settle)(void *arg, uint64_t session, const struct bs_grant *g);
	/* r is only borrowed for the call. grant: NULL when there was none. */
	void (*record)(void *arg, uint64_t session, const struct bs_record *r);
	/* request: what the transport called this knock by. */
	void (*reply)(void *arg, uint64_t session, uint64_t peer, uint64_t request, const struct bs_reply *r);
	void (*send)(void *arg, uint64_t session, uint64_t peer, const struct bs_send *s);
	/* The session is over: the transport may close a DTLS session (after a failure: at once). */
	void (*release)(void *arg, uint64_t session, uint64_t peer, bool failed);
	/* Calls bs_driver_tick() at that time (bs_driver time, ms), or earlier. */
	void (*wake_at)(void *arg, uint64_t when_ms);
};

#endif
