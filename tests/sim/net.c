#include "tests/sim/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/crypt.h"
#include "lib/base/str.h"
#include "tests/sim/net_delay.h"

#define SOCKETS 8
#define BATCH 64
#define RECEIVE_MAX 2048
#define BUFFER_BYTES (16 << 20)

/* 127.0.1.0 up to 127.255.253.255 */
#define ADDRESS_FIRST 0x7f000100U
#define ADDRESSES 0xfffd00U

struct outbox {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	uint8_t bytes[BATCH][NET_DATAGRAM_MAX];
	uint8_t control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
	unsigned n;
};

struct inbox {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t bytes[BATCH][RECEIVE_MAX];
	uint8_t control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
};

struct net {
	struct net_config cfg;
	net_input_fn *input;
	void *ctx;
	bool shared;
	int epoll;
	int fds[SOCKETS];   /* when shared */
	struct outbox *out; /* SOCKETS of them */
	struct inbox *in;
	struct net_peer **table; /* by offset & mask */
	uint32_t mask, next_offset;
	size_t n_peers;
	struct net_delay delay;
	uint64_t random;
	struct net_stats stats;
};

static bool
chance(struct net *net, double p)
{
	return p > 0 && (double)(net_random(&net->random) >> 11) < p * 9007199254740992.0;
}

/* --- Sockets ---------------------------------------------------------------------------------- */

static void
big_buffers(int fd)
{
	int bytes = BUFFER_BYTES;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static enum err_code
watch(struct net *net, int fd, uint64_t tag, struct err *e)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = tag };
	if (epoll_ctl(net->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		return err_errno(e, errno, "epoll");
	return ERR_OK;
}

static enum err_code
open_shared(struct net *net, unsigned i, struct err *e)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int on = 1, whole = IP_PMTUDISC_DO; /* unfragmented: the kernel need not number them */
	net->fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (net->fds[i] < 0 || bind(net->fds[i], (const struct sockaddr *)&any, sizeof any) != 0 ||
	    setsockopt(net->fds[i], IPPROTO_IP, IP_PKTINFO, &on, sizeof on) != 0)
		return err_errno(e, errno, "socket");
	(void)setsockopt(net->fds[i], IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof whole);
	big_buffers(net->fds[i]);
	return watch(net, net->fds[i], i, e);
}

/* Of a peer of its own: tagged by its place in the table, beyond the shared ones. */
static enum err_code
open_own(struct net *net, struct net_peer *p, struct err *e)
{
	const struct sockaddr *to = (const struct sockaddr *)&net->cfg.server;
	p->fd = socket(net->cfg.server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || connect(p->fd, to, net->cfg.server_len) != 0)
		return err_errno(e, errno, "socket");
	return watch(net, p->fd, SOCKETS + p->offset, e);
}

static bool
is_loopback4(const struct net_config *cfg)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&cfg->server;
	return cfg->server.ss_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

static enum err_code
open_all(struct net *net, struct err *e)
{
	enum err_code rc = ERR_OK;
	net->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (net->epoll < 0)
		return err_errno(e, errno, "epoll");
	for (unsigned i = 0; i < SOCKETS && rc == ERR_OK && net->shared; i++)
		rc = open_shared(net, i, e);
	return rc;
}

static bool
make_room(struct net *net)
{
	size_t size = 1;
	while (size < 2 * net->cfg.max_peers)
		size *= 2;
	net->mask = (uint32_t)size - 1;
	net->table = calloc(size, sizeof *net->table);
	net->out = net->shared ? calloc(SOCKETS, sizeof *net->out) : NULL;
	net->in = calloc(1, sizeof *net->in);
	return net->table != NULL && net->in != NULL && (net->out != NULL || !net->shared);
}

struct net *
net_new(const struct net_config *cfg, net_input_fn *input, void *ctx, struct err *e)
{
	struct net *net = calloc(1, sizeof *net);
	if (net == NULL) {
		(void)err_no_memory(e);
		return NULL;
	}
	net->cfg = *cfg;
	net->input = input;
	net->ctx = ctx;
	net->shared = is_loopback4(cfg);
	net->random = cfg->seed;
	net->epoll = -1;
	for (unsigned i = 0; i < SOCKETS; i++)
		net->fds[i] = -1;
	/* Not from the seed: the server may remember the message IDs of an earlier run. */
	uint64_t somewhere = clock_mono_us() ^ (uint64_t)getpid() << 20;
	net->next_offset = (uint32_t)(net_random(&somewhere) % ADDRESSES);
	if (!make_room(net)) {
		(void)err_no_memory(e);
		net_free(net);
		return NULL;
	}
	if (open_all(net, e) != ERR_OK) {
		net_free(net);
		return NULL;
	}
	return net;
}

void
net_free(struct net *net)
{
	if (net == NULL)
		return;
	for (unsigned i = 0; i < SOCKETS; i++)
		if (net->fds[i] >= 0)
			(void)close(net->fds[i]);
	if (net->epoll >= 0)
		(void)close(net->epoll);
	net_delay_clear(&net->delay);
	free(net->table);
	free(net->out);
	free(net->in);
	free(net);
}

/* --- Peers ------------------------------------------------------------------------------------ */

enum err_code
net_open(struct net *net, struct net_peer *p, struct err *e)
{
	if (net->n_peers >= net->cfg.max_peers)
		return err_set(e, ERR_LIMIT, "more than %zu peers", net->cfg.max_peers);
	while (net->table[net->next_offset & net->mask] != NULL)
		net->next_offset = (net->next_offset + 1) % ADDRESSES;
	p->offset = net->next_offset;
	p->socket = p->offset % SOCKETS;
	p->fd = -1;
	net->next_offset = (net->next_offset + 1) % ADDRESSES;
	net->table[p->offset & net->mask] = p;
	net->n_peers++;
	p->open = true;
	enum err_code rc = net->shared ? ERR_OK : open_own(net, p, e);
	if (rc != ERR_OK)
		net_close(net, p);
	return rc;
}

enum err_code
net_reopen(struct net *net, struct net_peer *p, struct err *e)
{
	if (!p->open)
		return net_open(net, p, e);
	if (net->shared) {
		p->socket = (p->socket + 1) % SOCKETS;
		return ERR_OK;
	}
	int old = p->fd;
	enum err_code rc = open_own(net, p, e); /* before the old one goes: another port for sure */
	if (old >= 0)
		(void)close(old);
	return rc;
}

void
net_close(struct net *net, struct net_peer *p)
{
	if (!p->open)
		return;
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
	p->open = false;
	net->table[p->offset & net->mask] = NULL;
	net->n_peers--;
}

static struct net_peer *
peer_at(struct net *net, uint32_t offset)
{
	struct net_peer *p = net->table[offset & net->mask];
	return p != NULL && p->offset == offset ? p : NULL;
}

/* --- Sending ---------------------------------------------------------------------------------- */

static void
flush_one(struct net *net, unsigned s)
{
	struct outbox *o = &net->out[s];
	unsigned done = 0, tries = 0;
	while (done < o->n && tries < 100) {
		int n = sendmmsg(net->fds[s], o->msgs + done, o->n - done, 0);
		if (n > 0)
			done += (unsigned)n;
		else if (errno == EAGAIN || errno == ENOBUFS)
			tries++;
		else
			tries = 100;
	}
	net->stats.unsent += o->n - done;
	o->n = 0;
}

void
net_flush(struct net *net)
{
	for (unsigned s = 0; s < SOCKETS && net->shared; s++)
		if (net->out[s].n > 0)
			flush_one(net, s);
}

static void
queue_shared(struct net *net, const struct net_peer *p, const uint8_t *bytes, size_t n)
{
	struct outbox *o = &net->out[p->socket];
	unsigned i = o->n++;
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(ADDRESS_FIRST + p->offset) };
	memcpy(o->bytes[i], bytes, n);
	o->iov[i] = (struct iovec){ .iov_base = o->bytes[i], .iov_len = n };
	struct msghdr *h = &o->msgs[i].msg_hdr;
	*h = (struct msghdr){ .msg_name = &net->cfg.server,
		.msg_namelen = net->cfg.server_len,
		.msg_iov = &o->iov[i],
		.msg_iovlen = 1,
		.msg_control = o->control[i],
		.msg_controllen = sizeof o->control[i] };
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	*c = (struct cmsghdr){
		.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof info)
	};
	memcpy(CMSG_DATA(c), &info, sizeof info);
	if (o->n == BATCH)
		flush_one(net, p->socket);
}

static void
send_now(struct net *net, const struct net_peer *p, const uint8_t *bytes, size_t n)
{
	net->stats.sent++;
	net->stats.sent_octets += n;
	if (net->shared)
		queue_shared(net, p, bytes, n);
	else if (send(p->fd, bytes, n, 0) < 0)
		net->stats.unsent++;
}

/* How long this datagram takes, or -1: it is lost. */
static int
fate(struct net *net)
{
	if (chance(net, net->cfg.loss)) {
		net->stats.lost++;
		return -1;
	}
	int ms = (int)net->cfg.delay_ms;
	if (chance(net, net->cfg.reorder))
		ms += 1 + (int)(net_random(&net->random) % 40);
	return ms;
}

static void
pass(struct net *net, struct net_peer *p, const uint8_t *bytes, size_t n, bool inbound)
{
	int copies = chance(net, net->cfg.dup) ? 2 : 1;
	uint32_t offset = p->offset;
	const struct net_drop *drop = inbound ? &net->cfg.drop_received : &net->cfg.drop_sent;
	uint32_t nth = inbound ? ++p->n_received : ++p->n_sent;
	if (nth >= drop->first && nth <= drop->last) {
		net->stats.lost++;
		return;
	}
	net->stats.doubled += copies == 2;
	for (int i = 0; i < copies; i++) {
		int ms = fate(net);
		if (ms < 0 || !p->open || p->offset != offset)
			continue;
		if (ms > 0 && net_delay_put(&net->delay, clock_mono_ms() + (uint64_t)ms, offset,
		                  inbound, bytes, n))
			net->stats.delayed++;
		else if (inbound)
			net->input(net->ctx, p, bytes, n);
		else
			send_now(net, p, bytes, n);
	}
}

void
net_send(struct net *net, struct net_peer *p, const uint8_t *bytes, size_t n)
{
	if (p->open && n <= NET_DATAGRAM_MAX)
		pass(net, p, bytes, n, false);
}

static void
run_delayed(struct net *net)
{
	struct net_delayed d;
	uint64_t now = net->delay.n == 0 ? 0 : clock_mono_ms();
	while (net_delay_take(&net->delay, now, &d)) {
		struct net_peer *p = peer_at(net, d.offset);
		if (p == NULL)
			net->stats.strays++;
		else if (d.inbound)
			net->input(net->ctx, p, d.bytes, d.n);
		else
			send_now(net, p, d.bytes, d.n);
		free(d.bytes);
	}
}

/* --- Receiving -------------------------------------------------------------------------------- */

static bool
same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *x = (const struct sockaddr_in *)(const void *)a;
	const struct sockaddr_in *y = (const struct sockaddr_in *)(const void *)b;
	return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
}

/* For whom: by the address it was sent to, the port (socket) being the present one. */
static struct net_peer *
receiver(struct net *net, unsigned s, struct inbox *in, unsigned i)
{
	struct msghdr *h = &in->msgs[i].msg_hdr;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		struct in_pktinfo info;
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		struct net_peer *p = peer_at(net, ntohl(info.ipi_addr.s_addr) - ADDRESS_FIRST);
		if (p != NULL && p->socket == s && same_address(&in->from[i], &net->cfg.server))
			return p;
	}
	return NULL;
}

static unsigned
receive_batch(struct net *net, unsigned s)
{
	struct inbox *in = net->in;
	for (unsigned i = 0; i < BATCH; i++) {
		in->iov[i] = (struct iovec){ .iov_base = in->bytes[i], .iov_len = RECEIVE_MAX };
		in->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &in->from[i],
			.msg_namelen = sizeof in->from[i],
			.msg_iov = &in->iov[i],
			.msg_iovlen = 1,
			.msg_control = in->control[i],
			.msg_controllen = sizeof in->control[i] };
	}
	int n = recvmmsg(net->fds[s], in->msgs, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct net_peer *p = receiver(net, s, in, (unsigned)i);
		net->stats.received++;
		net->stats.received_octets += in->msgs[i].msg_len;
		if (p == NULL)
			net->stats.strays++;
		else
			pass(net, p, in->bytes[i], in->msgs[i].msg_len, true);
	}
	return n < 0 ? 0 : (unsigned)n;
}

static void
receive_own(struct net *net, struct net_peer *p)
{
	uint8_t *bytes = net->in->bytes[0];
	ssize_t n = 0;
	for (int i = 0; i < 16 && p->open; i++) {
		n = recv(p->fd, bytes, RECEIVE_MAX, 0);
		if (n < 0) /* an unreachable port too: the device's own timers decide */
			break;
		net->stats.received++;
		net->stats.received_octets += (uint64_t)n;
		pass(net, p, bytes, (size_t)n, true);
	}
}

static int
wait_ms(const struct net *net, int timeout_ms)
{
	uint64_t due = net_delay_next(&net->delay);
	if (due == UINT64_MAX)
		return timeout_ms;
	uint64_t now = clock_mono_ms();
	int ms = due <= now ? 0 : (int)MIN(due - now, (uint64_t)60000);
	return timeout_ms < 0 ? ms : MIN(ms, timeout_ms);
}

void
net_poll(struct net *net, int timeout_ms)
{
	struct epoll_event evs[BATCH];
	net_flush(net);
	int n = epoll_wait(net->epoll, evs, BATCH, wait_ms(net, timeout_ms));
	for (int i = 0; i < n; i++) {
		uint64_t tag = evs[i].data.u64;
		if (tag < SOCKETS) {
			for (int k = 0; k < 4 && receive_batch(net, (unsigned)tag) == BATCH; k++)
				net_flush(net);
			continue;
		}
		struct net_peer *p = peer_at(net, (uint32_t)(tag - SOCKETS));
		if (p != NULL)
			receive_own(net, p);
	}
	run_delayed(net);
	net_flush(net);
}

const struct net_stats *
net_stats(const struct net *net)
{
	return &net->stats;
}

/* --- URIs ------------------------------------------------------------------------------------- */

/* "[::1]:5683", "host:5683", "host": host and port as text. */
static bool
split_host(const char *s, char host[256], char port[8])
{
	const char *end = s[0] == '[' ? strchr(s, ']') : s + strcspn(s, ":/");
	const char *from = s[0] == '[' ? s + 1 : s;
	if (end == NULL || end == from || (size_t)(end - from) > 255)
		return false;
	memcpy(host, from, (size_t)(end - from));
	host[end - from] = '\0';
	if (*end == ']')
		end++;
	if (*end == ':') {
		uint64_t n = 0;
		size_t len = strcspn(end + 1, "/");
		if (!str_to_u64(end + 1, len, 1, 65535, &n))
			return false;
		(void)snprintf(port, 8, "%u", (unsigned)n);
		end += 1 + len;
	}
	return *end == '\0' || strcmp(end, "/") == 0;
}

enum err_code
net_parse_uri(const char *uri, struct net_config *cfg, bool *secure, struct err *e)
{
	char host[256], port[8];
	struct addrinfo *found = NULL;
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV };
	*secure = strncmp(uri, "coaps://", 8) == 0;
	if (!*secure && strncmp(uri, "coap://", 7) != 0)
		return err_set(e, ERR_USAGE, "%s: neither coap:// nor coaps://", uri);
	(void)snprintf(port, sizeof port, "%s", *secure ? "5684" : "5683");
	if (!split_host(uri + (*secure ? 8 : 7), host, port))
		return err_set(e, ERR_USAGE, "%s: not a host and a port", uri);
	int rc = getaddrinfo(host, port, &hints, &found);
	if (rc != 0)
		return err_set(e, ERR_NOT_FOUND, "%s: %s", uri, gai_strerror(rc));
	memcpy(&cfg->server, found->ai_addr, found->ai_addrlen);
	cfg->server_len = found->ai_addrlen;
	freeaddrinfo(found);
	return ERR_OK;
}
