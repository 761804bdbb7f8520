#include "config.h"

#include "bsserver/transport/udp_batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/secret.h"
#include "lib/base/util.h"

#define CONTROL_MAX 256 /* octets of what recvmsg() says besides */
#define ROOM (32 << 10) /* octets of all datagrams in an outbox */

/* Room for either. */
union name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

union control {
	struct cmsghdr first; /* for its alignment */
	char octets[CONTROL_MAX];
};

struct udp_inbox {
	unsigned n, at;
	struct mmsghdr v[UDP_INBOX_MAX];
	struct iovec io[UDP_INBOX_MAX];
	union name from[UDP_INBOX_MAX];
	union control control[UDP_INBOX_MAX];
	uint8_t octets[UDP_INBOX_MAX][UDP_DATAGRAM];
};

struct udp_outbox {
	udp_unsent_fn *unsent;
	void *arg;
	int sockets[UDP_OUTBOX_SOCKETS];
	size_t n_sockets;
	uint64_t tag;
	unsigned n;
	size_t used; /* of octets */
	int fd[UDP_OUTBOX_MAX];
	uint64_t tags[UDP_OUTBOX_MAX];
	struct mmsghdr v[UDP_OUTBOX_MAX];
	struct iovec io[UDP_OUTBOX_MAX];
	union name to[UDP_OUTBOX_MAX];
	union control control[UDP_OUTBOX_MAX];
	uint8_t octets[ROOM];
};

enum err_code
udp_inbox_new(struct udp_inbox **out, struct err *e)
{
	*out = calloc(1, sizeof **out);
	return *out != NULL ? ERR_OK : err_no_memory(e);
}

void
udp_inbox_free(struct udp_inbox *b)
{
	free(b);
}

unsigned
udp_inbox_fill(struct udp_inbox *b, int fd)
{
	if (b->at < b->n)
		return b->n - b->at;
	for (size_t i = 0; i < UDP_INBOX_MAX; i++) {
		b->io[i] = (struct iovec){ b->octets[i], sizeof b->octets[i] };
		b->v[i].msg_hdr = (struct msghdr){ .msg_name = &b->from[i], .msg_namelen = sizeof b->from[i],
			.msg_iov = &b->io[i], .msg_iovlen = 1,
			.msg_control = &b->control[i], .msg_controllen = sizeof b->control[i] };
	}
	int got = recvmmsg(fd, b->v, UDP_INBOX_MAX, MSG_DONTWAIT, NULL);
	b->n = got > 0 ? (unsigned)got : 0;
	b->at = 0;
	return b->n;
}

/* As much as there is room for; how much that was. */
static size_t
give(void *to, size_t room, const void *from, size_t n)
{
	size_t given = MIN(room, n);

	if (given > 0)
		memcpy(to, from, given);
	return given;
}

ssize_t
udp_inbox_take(struct udp_inbox *b, struct msghdr *m)
{
	if (b->at == b->n) {
		errno = EAGAIN;
		return -1;
	}
	const struct msghdr *h = &b->v[b->at].msg_hdr;
	size_t len = b->v[b->at].msg_len, given = 0;
	b->at++;
	m->msg_flags = h->msg_flags;
	m->msg_namelen = m->msg_name == NULL ? 0 : (socklen_t)give(m->msg_name, m->msg_namelen, h->msg_name, h->msg_namelen);
	if (m->msg_controllen < h->msg_controllen) {
		m->msg_flags |= MSG_CTRUNC;
		m->msg_controllen = 0; /* rather none than the half of one */
	} else {
		m->msg_controllen = give(m->msg_control, m->msg_controllen, h->msg_control, h->msg_controllen);
	}
	if (m->msg_iovlen > 0)
		given = give(m->msg_iov[0].iov_base, m->msg_iov[0].iov_len, h->msg_iov[0].iov_base, len);
	if (given < len)
		m->msg_flags |= MSG_TRUNC;
	return (ssize_t)given;
}

enum err_code
udp_outbox_new(udp_unsent_fn *unsent, void *arg, struct udp_outbox **out, struct err *e)
{
	struct udp_outbox *b = calloc(1, sizeof *b);

	if (b == NULL)
		return err_no_memory(e);
	b->unsent = unsent;
	b->arg = arg;
	*out = b;
	return ERR_OK;
}

/* The octets may be keys: devices without DTLS get them as they are. */
static void
empty(struct udp_outbox *b)
{
	wipe(b->octets, b->used);
	b->used = 0;
	b->n = 0;
}

void
udp_outbox_free(struct udp_outbox *b)
{
	if (b != NULL)
		empty(b);
	free(b);
}

void
udp_outbox_serve(struct udp_outbox *b, int fd)
{
	if (b->n_sockets < N_ELEMS(b->sockets))
		b->sockets[b->n_sockets++] = fd;
}

void
udp_outbox_tag(struct udp_outbox *b, uint64_t tag)
{
	b->tag = tag;
}

static bool
serves(const struct udp_outbox *b, int fd)
{
	for (size_t i = 0; i < b->n_sockets; i++)
		if (b->sockets[i] == fd)
			return true;
	return false;
}

static bool
fits(const struct msghdr *m)
{
	return m->msg_iovlen == 1 && m->msg_iov[0].iov_len <= UDP_DATAGRAM && m->msg_name != NULL &&
	    m->msg_namelen <= sizeof(union name) && m->msg_controllen <= CONTROL_MAX;
}

bool
udp_outbox_put(struct udp_outbox *b, int fd, const struct msghdr *m)
{
	if (!serves(b, fd))
		return false;
	if (!fits(m)) {
		udp_outbox_flush(b); /* its turn comes after these */
		return false;
	}
	size_t len = m->msg_iov[0].iov_len;
	if (b->n == UDP_OUTBOX_MAX || len > sizeof b->octets - b->used)
		udp_outbox_flush(b);

	unsigned i = b->n++;
	b->fd[i] = fd;
	b->tags[i] = b->tag;
	b->io[i] = (struct iovec){ b->octets + b->used, len };
	b->used += give(b->octets + b->used, len, m->msg_iov[0].iov_base, len);
	b->v[i].msg_hdr = (struct msghdr){ .msg_name = &b->to[i], .msg_iov = &b->io[i], .msg_iovlen = 1 };
	b->v[i].msg_hdr.msg_namelen = (socklen_t)give(&b->to[i], sizeof b->to[i], m->msg_name, m->msg_namelen);
	if (m->msg_control != NULL && m->msg_controllen > 0) {
		b->v[i].msg_hdr.msg_control = &b->control[i];
		b->v[i].msg_hdr.msg_controllen = give(&b->control[i], CONTROL_MAX, m->msg_control, m->msg_controllen);
	}
	return true;
}

bool
udp_outbox_waits(const struct udp_outbox *b)
{
	return b->n > 0;
}

/* As many as go by the same socket, from the i-th on: how many are done with. */
static unsigned
send_some(struct udp_outbox *b, unsigned i)
{
	unsigned n = 1;

	while (i + n < b->n && b->fd[i + n] == b->fd[i])
		n++;
	int sent = sendmmsg(b->fd[i], &b->v[i], n, MSG_DONTWAIT);
	if (sent > 0)
		return (unsigned)sent;
	int errnum = errno;
	if (sent < 0 && errnum == EINTR)
		return 0;
	if (b->tags[i] != 0)
		b->unsent(b->arg, b->tags[i], errnum);
	return 1;
}

void
udp_outbox_flush(struct udp_outbox *b)
{
	for (unsigned i = 0; i < b->n;)
		i += send_some(b, i);
	empty(b);
}
