/*
 * bsserver/transport/internal.h: what the files of this folder share.
 *
 * transport > listener: one context of libcoap each, on the loop by its epoll descriptor.
 * link: one session of libcoap that is in use, held by a reference; lives while it has peers.
 * peer: what a handle stands for; one for each request that came in, so that what is done for an
 * older request on the same session does not touch a newer one.
 * kept: a link that lives on without peers (kept.c).
 *
 * libcoap must not lose a session, or send on one, from inside one of its own callbacks. Everything
 * that would do so is put on transport.work and done by transport_leave(), after the pass.
 */
#ifndef BSSERVER_TRANSPORT_INTERNAL_H
#define BSSERVER_TRANSPORT_INTERNAL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <coap3/coap.h>

#include "bsserver/transport/block.h"
#include "bsserver/transport/dedup.h"
#include "bsserver/transport/dtls.h"
#include "bsserver/transport/gather.h"
#include "bsserver/transport/slots.h"
#include "bsserver/transport/transport.h"
#include "bsserver/transport/udp_hook.h"
#include "bsserver/transport/wheel.h"

#define ADDR_TEXT 64	      /* "[…]:65535" */
#define PATH_MAX_LEN 64	      /* of a request, out or in */
#define READS_PER_PASS 32     /* datagrams, before libcoap walks its sessions */
#define DEDUP_MAX 65536	      /* remembered requests */
#define GATHER_PLACES 1024    /* payloads that come in blocks at once, on one listener */
#define PEERS_PER_LINK 4      /* unreleased at once on one session */
#define ANSWER_LATE_MS 1000   /* then the request gets an empty acknowledgement */
#define PEER_SILENT_MS 600000 /* a peer that nobody uses or releases is released */

struct listener {
	struct transport *t;
	coap_context_t *ctx;
	struct loop_fd *io;
	int epoll_fd, udp_fd;
	struct udp_inbox *inbox; /* NULL: datagrams are read one by one */
	enum transport_scheme scheme;
	unsigned takes;
	uint16_t port, index;
	struct gather *gather; /* what anybody may send at another listener does not take places here */
	bool sweep; /* libcoap has sessions to free */
	char name[ADDR_TEXT + 16]; /* "coaps://[::1]:5684" */
};

struct link {
	struct listener *listener;
	coap_session_t *session; /* with a reference */
	struct peer *peers;
	struct peer *busy; /* whose request is under way: one at a time (NSTART) */
	unsigned n_peers;
	const char *lost; /* why it is no more; NULL: it is there */
	uint64_t kept;	  /* 0: it is not */
	struct link *lost_next;
	unsigned n_kept; /* transport_keep() without its transport_unkeep() */
	char addr[ADDR_TEXT];
};

enum downlink_state { DOWNLINK_NONE, DOWNLINK_WAITING, DOWNLINK_SENT };

/* A request of ours to a peer. */
struct downlink {
	enum downlink_state state;
	enum transport_method method;
	int format, accept;
	char path[PATH_MAX_LEN + 1];
	struct gbuf payload; /* kept only when it goes in blocks */
	coap_pdu_t *pdu;     /* the next message, until libcoap takes it */
	bool unsent;	     /* the kernel did not take it */
	uint8_t token[8];
	size_t token_len;
	struct block block;
	struct wheel_item deadline;
	uint64_t tag;
	transport_answer_fn *fn;
	void *arg;
};

/* What its answer says of blocks. */
struct uplink_block {
	bool came;	 /* the request had the option */
	uint32_t block1; /* its value */
	uint32_t max;	 /* octets of a payload; 0: it may not come in blocks */
};

/* A request of the peer's that has no answer yet. */
struct uplink {
	uint64_t handle; /* 0: none */
	uint64_t dedup;
	uint16_t mid;
	uint8_t token[8], token_len;
	bool acknowledged; /* empty; the answer goes in a message of its own */
	struct uplink_block block;
	struct wheel_item late;
};

struct peer {
	uint64_t handle;
	struct link *link;
	struct peer *next; /* of the link */
	struct uplink up;
	struct downlink down;
	struct wheel_item silent;
	struct peer *work_next;
	uint64_t used_ms; /* when something was last done with it */
	bool on_work;
	bool released, close; /* not needed any more; nor is its session */
};

/* An answer that is owed although there is no peer. */
struct orphan {
	struct orphan *next;
	uint64_t tag;
	transport_answer_fn *fn;
	void *arg;
	const char *why;
};

struct transport {
	struct loop *loop;
	struct transport_hooks hooks;
	const struct transport_route *routes;
	size_t n_routes;
	struct listener *listeners;
	size_t n_listeners;
	struct dtls *dtls; /* NULL: no coaps listener */
	struct dedup *dedup;
	struct slots peers, requests; /* struct peer by its handle, by that of its uplink */
	struct slots kept;	      /* struct link */
	struct link *lost;	      /* of these: the user does not know it yet */
	unsigned max_peers, max_handshakes;
	struct wheel wheel;
	struct loop_timer *tick, *kick; /* of the wheel; of what must not be done at once */
	bool ticking;
	unsigned depth; /* transport_enter() without its transport_leave() */
	struct dtls *hook_before;
	struct udp_outbox *outbox, *outbox_before; /* NULL: messages go out one by one */
	struct loop_rest *rest; /* then it is emptied */
	struct peer *work, **work_end;
	struct orphan *orphans, **orphans_end;
	coap_session_t *dead[2 * READS_PER_PASS]; /* each with a reference */
	size_t n_dead;
	uint8_t random[256]; /* for tokens */
	size_t random_left;
	struct transport_stats stats;
};

/* transport.c */
void transport_enter(struct transport *t);
void transport_leave(struct transport *t); /* does the work when it is the outermost */
/* An answer without a peer: it comes with the next turn of the loop. why: a constant. */
void transport_owe(struct transport *t, transport_answer_fn *fn, void *arg, uint64_t tag,
    const char *why);
/* coap_send(), for a message that libcoap repeats after a while, and for any other. */
coap_mid_t transport_coap_send(coap_session_t *s, coap_pdu_t *pdu);
void transport_arm(struct transport *t, struct wheel_item *i, uint64_t in_ms);
/* Around every call of a hook, a handler or an answer function: it may use GnuTLS for itself. */
struct dtls *transport_up(void);
void transport_down(struct dtls *before);

/* listener.c */
enum err_code listener_open(struct listener *n, struct transport *t,
    const struct transport_listener *c, struct err *e);
unsigned listener_takes(const struct transport_listener *c); /* the same, with the default filled in */
void listener_close(struct listener *n);
void listener_sweep(struct listener *n);

/* sockets.c: a descriptor of libcoap's that its interface does not show. */
/*
 * ERR_OK when *addr can be bound, by nobody but us; port 0 becomes one that is free: libcoap's own choice
 * could be one that another of its servers has. Also the descriptor that the next socket() gets.
 */
enum err_code socket_try(struct sockaddr *addr, socklen_t len, int *next_fd, struct err *e);
/* fd, or another, that is a datagram socket bound to *addr (port 0: to any); -1: none. */
int socket_find(int fd, const struct sockaddr *addr, uint16_t *port);
/* Wants a receive buffer of that size; returns what it got, in octets. */
int socket_receive_buffer(int fd, int wanted);
/* About how many datagrams wait, 1..max. */
unsigned socket_waiting(int fd, unsigned max);
/* Sends an answer to where *m, as recvmsg() filled it, came from; from the address that it came to. */
ssize_t socket_answer(int fd, const struct msghdr *m, const void *data, size_t len);
int socket_ifindex(const struct msghdr *m); /* where it came in; 0: not said */
uint64_t socket_dropped(int fd); /* by the kernel, for want of room */
bool socket_text(const struct sockaddr *addr, char out[ADDR_TEXT]); /* "[::1]:5684" */

/* peers.c */
/* NULL: *why says which bound was reached. */
struct peer *peer_new(struct listener *n, coap_session_t *s, const char **why);
void peer_work(struct peer *p); /* it is looked at when the pass is over */
void peer_do_work(struct peer *p); /* transport_leave() only */
void peers_drop_all(struct transport *t); /* at the end */
struct link *link_of(const coap_session_t *s);
bool link_alive(const struct link *k);
void link_lost(struct link *k, const char *why);
/* Plain UDP: libcoap repeats no message on it any more. With DTLS that takes closing it. */
void link_hush(struct link *k);
void session_close(struct listener *n, coap_session_t *s);

/* Nobody needs it: libcoap may let the session go when it likes. */
void link_free(struct link *k);

/* kept.c */
void kept_lost(struct link *k);		/* it is told by kept_bury() */
void kept_bury(struct transport *t);	/* transport_leave() only, when peers are done with */
void kept_drop_all(struct transport *t); /* at the end */

/* inbound.c */
bool inbound_register(coap_context_t *ctx);
void inbound_late(struct wheel_item *i);
void inbound_drop(struct peer *p); /* no answer any more */

/* downlink.c */
void downlink_register(coap_context_t *ctx);
void downlink_go(struct peer *p); /* when its session is free */
void downlink_unsent(struct peer *p); /* peer_do_work() only */
void downlink_deadline(struct wheel_item *i);
void downlink_gone(struct peer *p, const char *why); /* nothing when no request is under way */

#endif
