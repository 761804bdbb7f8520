#include "config.h"

#include "bsserver/transport/internal.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "bsserver/transport/timer_hook.h"
#include "bsserver/transport/udp_hook.h"
#include "lib/base/clock.h"
#include "lib/base/crypt.h"
#include "lib/base/log.h"

#define RECEIVE_BUFFER (4 << 20)
#define IDLE_COAP 8	 /* sessions: each new device makes libcoap walk them all, and they hold nothing of ours */
#define IDLE_TIMEOUT_S 45
#define HANDSHAKES_SLACK 256 /* sessions that libcoap has not freed yet, beyond our own bound */
#define KEPT_BACK 256	 /* datagrams that are answered without libcoap, before the loop goes on */
#define PASS_US 4000	 /* then timers and others have their turn: a handshake with certificates takes a millisecond */
#define EVENTS 8

/* Where the answer to a datagram goes. */
struct answer_to {
	int fd;
	const struct msghdr *m;
};

static ssize_t
send_answer(void *to, const void *data, size_t len)
{
	const struct answer_to *a = to;

	return socket_answer(a->fd, a->m, data, len);
}

static bool
has_session(const struct listener *n, const struct msghdr *m)
{
	coap_address_t from;

	coap_address_init(&from);
	from.size = MIN(m->msg_namelen, (socklen_t)sizeof from.addr);
	memcpy(&from.addr, m->msg_name, from.size);
	return coap_session_get_by_peer(n->ctx, &from, socket_ifindex(m)) != NULL;
}

/* Before libcoap sees a datagram, which makes a session for every hello. */
static bool
keeps_back(void *arg, const struct msghdr *m, size_t len)
{
	struct listener *n = arg;
	struct answer_to to = { n->udp_fd, m };

	switch (dtls_screen(n->t->dtls, m->msg_name, m->msg_iov[0].iov_base, len, send_answer, &to)) {
	case DTLS_LET_IN:
		return false;
	case DTLS_LET_IN_IF_KNOWN:
		return !has_session(n, m);
	case DTLS_TOO_MANY: /* the device comes again with its own retransmission */
		if (has_session(n, m))
			return false;
		n->t->stats.handshakes_turned_away++;
		return true;
	default:
		/*
		 * A device that begins anew: its old session may be over, and is freed after the pass. The
		 * hello with the cookie must find it gone, or would be lost with it.
		 */
		if (has_session(n, m))
			udp_gate_shut();
		return true;
	}
}

_Static_assert(UDP_INBOX_MAX <= READS_PER_PASS, "what is read ahead is read in one pass");

/* Datagrams that are read in this pass. */
static unsigned
waiting(const struct listener *n)
{
	return n->inbox != NULL ? udp_inbox_fill(n->inbox, n->udp_fd) : socket_waiting(n->udp_fd, READS_PER_PASS);
}

static void
on_readable(void *arg, unsigned events)
{
	struct listener *n = arg;
	struct epoll_event ready[EVENTS], todo[READS_PER_PASS + EVENTS];
	size_t n_todo = 0;

	(void)events;
	int got = epoll_wait(n->epoll_fd, ready, EVENTS, 0);
	for (int i = 0; i < got; i++) {
		/* a NULL is libcoap's timer; anything else is the one socket of this context */
		unsigned times = ready[i].data.ptr == NULL ? 1 : waiting(n);
		while (times-- > 0 && n_todo < N_ELEMS(todo))
			todo[n_todo++] = ready[i];
	}
	if (n_todo == 0)
		return;
	transport_enter(n->t);
	struct udp_gate gate = { n->udp_fd, n->inbox, clock_mono_us() + PASS_US, KEPT_BACK, keeps_back, n };
	bool gated = n->scheme == TRANSPORT_COAPS || n->inbox != NULL;
	struct udp_gate *before = udp_gate_enter(gated ? &gate : NULL);
	coap_io_do_epoll(n->ctx, todo, n_todo);
	udp_gate_leave(before);
	transport_leave(n->t);
}

void
listener_sweep(struct listener *n)
{
	coap_tick_t now;

	if (!n->sweep)
		return;
	n->sweep = false;
	coap_ticks(&now);
	(void)coap_io_prepare_epoll(n->ctx, now);
}

/* Ours answer; see dtls.c. libcoap opens no DTLS endpoint without. */
static const coap_bin_const_t *
no_key(coap_bin_const_t *identity, coap_session_t *s, void *arg)
{
	(void)identity;
	(void)s;
	(void)arg;
	return NULL;
}

static bool
set_up_context(struct listener *n)
{
	bool dtls = n->scheme == TRANSPORT_COAPS;
	coap_dtls_spsk_t psk = { .version = COAP_DTLS_SPSK_SETUP_VERSION,
		.validate_id_call_back = no_key };

	n->ctx = coap_new_context(NULL);
	timer_hook_forget();
	if (n->ctx == NULL)
		return false;
	coap_set_app_data(n->ctx, n);
	coap_context_set_session_timeout(n->ctx, IDLE_TIMEOUT_S);
	/* for coaps this counts sessions in their handshake as well; bounding those is dtls.c's */
	unsigned handshakes = n->t->max_handshakes + HANDSHAKES_SLACK;
	coap_context_set_max_idle_sessions(n->ctx, dtls ? n->t->max_peers + handshakes : IDLE_COAP);
	coap_context_set_max_handshake_sessions(n->ctx, handshakes);
	downlink_register(n->ctx);
	if (!inbound_register(n->ctx))
		return false;
	return !dtls || coap_context_set_psk2(n->ctx, &psk) != 0;
}

static enum err_code
resolve(const char *host, uint16_t port, coap_address_t *out, struct err *e)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found = NULL;
	char service[8];

	(void)snprintf(service, sizeof service, "%u", (unsigned)port);
	if (getaddrinfo(host, service, &hints, &found) != 0 || found == NULL)
		return err_set(e, ERR_INVALID, "listen on %s: not an IPv4 or IPv6 address", host);
	coap_address_init(out);
	memcpy(&out->addr, found->ai_addr, MIN(found->ai_addrlen, sizeof out->addr));
	out->size = found->ai_addrlen;
	freeaddrinfo(found);
	return ERR_OK;
}

static enum err_code
open_socket(struct listener *n, coap_address_t *addr, struct err *e)
{
	int next_fd = -1;
	char text[ADDR_TEXT] = "?";

	if (socket_try(&addr->addr.sa, addr->size, &next_fd, e) != ERR_OK)
		return e != NULL ? e->code : ERR_IO;
	(void)socket_text(&addr->addr.sa, text);
	if (coap_new_endpoint(n->ctx, addr,
		n->scheme == TRANSPORT_COAPS ? COAP_PROTO_DTLS : COAP_PROTO_UDP) == NULL)
		return err_set(e, ERR_IO, "listen on %s: libcoap opens no endpoint", text);
	n->udp_fd = socket_find(next_fd, &addr->addr.sa, &n->port);
	if (n->udp_fd < 0)
		return err_set(e, ERR_INTERNAL, "listen on %s: libcoap's socket is not found", text);
	int got = socket_receive_buffer(n->udp_fd, RECEIVE_BUFFER);
	if (got < RECEIVE_BUFFER)
		log_msg(LVL_NOTICE, LOG_TRANSPORT, NULL,
		    "%s: receive buffer of %d octets, %d wanted (net.core.rmem_max)", text, got,
		    RECEIVE_BUFFER);
	return ERR_OK;
}

/*
 * coaps is read one by one: a handshake takes long, and what was read ahead would have to wait for a
 * later pass.
 */
static enum err_code
open_batches(struct listener *n, struct err *e)
{
	if (n->t->outbox != NULL)
		udp_outbox_serve(n->t->outbox, n->udp_fd);
	return n->scheme == TRANSPORT_COAPS || !udp_hook_batches() ? ERR_OK : udp_inbox_new(&n->inbox, e);
}

static void
set_name(struct listener *n, coap_address_t *addr)
{
	char text[ADDR_TEXT] = "?";

	if (addr->addr.sa.sa_family == AF_INET)
		addr->addr.sin.sin_port = htons(n->port);
	else
		addr->addr.sin6.sin6_port = htons(n->port);
	(void)socket_text(&addr->addr.sa, text);
	(void)snprintf(n->name, sizeof n->name, "%s://%s",
	    n->scheme == TRANSPORT_COAPS ? "coaps" : "coap", text);
}

unsigned
listener_takes(const struct transport_listener *c)
{
	if (c->scheme != TRANSPORT_COAPS)
		return 0;
	return c->takes != 0 ? c->takes : TRANSPORT_TAKES(TRANSPORT_PSK);
}

enum err_code
listener_open(struct listener *n, struct transport *t, const struct transport_listener *c,
    struct err *e)
{
	coap_address_t addr;

	uint64_t seed = 0;

	n->t = t;
	n->scheme = c->scheme;
	n->takes = listener_takes(c);
	if (crypt_random(&seed, sizeof seed, e) != ERR_OK || gather_new(GATHER_PLACES, seed, &n->gather, e) != ERR_OK)
		return e != NULL ? e->code : ERR_NO_MEMORY;
	if (resolve(c->host, c->port, &addr, e) != ERR_OK)
		return e != NULL ? e->code : ERR_INVALID;
	if (!set_up_context(n))
		return err_set(e, ERR_INTERNAL, "listen on %s: libcoap makes no context", c->host);
	if (open_socket(n, &addr, e) != ERR_OK)
		return e != NULL ? e->code : ERR_IO;
	if (open_batches(n, e) != ERR_OK)
		return ERR_NO_MEMORY;
	set_name(n, &addr);
	n->epoll_fd = coap_context_get_coap_fd(n->ctx);
	if (n->epoll_fd < 0)
		return err_set(e, ERR_UNSUPPORTED, "libcoap was built without epoll");
	enum err_code rc = loop_fd_new(t->loop, n->epoll_fd, on_readable, n, &n->io, e);
	if (rc == ERR_OK)
		loop_fd_want(n->io, LOOP_READ);
	return rc;
}

void
listener_close(struct listener *n)
{
	loop_fd_free(n->io);
	if (n->ctx != NULL)
		coap_free_context(n->ctx);
	gather_free(n->gather);
	udp_inbox_free(n->inbox);
	timer_hook_forget();
	n->gather = NULL;
	n->inbox = NULL;
	n->io = NULL;
	n->ctx = NULL;
}
