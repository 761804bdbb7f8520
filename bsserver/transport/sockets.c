#include "config.h"

#include "bsserver/transport/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#define FDS_MAX 65536
#define SMALL_DATAGRAM 768 /* octets that the kernel counts for one, at least */

/* In decimal; how many digits. */
static size_t
put_number(char *to, unsigned v)
{
	char digit[10];
	size_t n = 0, len;

	do {
		digit[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	len = n;
	while (n > 0)
		*to++ = digit[--n];
	return len;
}

/* For every session: inet_ntop() and snprintf() would take a good part of its time. */
static void
ipv4_text(const struct sockaddr_in *in, char out[ADDR_TEXT])
{
	const uint8_t *octet = (const uint8_t *)&in->sin_addr;
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		n += put_number(out + n, octet[i]);
		out[n++] = i < 3 ? '.' : ':';
	}
	n += put_number(out + n, ntohs(in->sin_port));
	out[n] = '\0';
}

bool
socket_text(const struct sockaddr *addr, char out[ADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN];
	const struct sockaddr_in6 *in6 = (const void *)addr;

	switch (addr->sa_family) {
	case AF_INET:
		ipv4_text((const void *)addr, out);
		return true;
	case AF_INET6:
		if (inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host) == NULL)
			return false;
		(void)snprintf(out, ADDR_TEXT, "[%s]:%u", host, (unsigned)ntohs(in6->sin6_port));
		return true;
	default:
		return false;
	}
}

enum err_code
socket_try(struct sockaddr *addr, socklen_t len, int *next_fd, struct err *e)
{
	const int off = 0;
	char text[ADDR_TEXT] = "?";

	(void)socket_text(addr, text);
	/* libcoap sets SO_REUSEADDR: it would share a port that another server has, unseen */
	int fd = socket(addr->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(e, errno, "listen on %s", text);
	if (addr->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	int rc = bind(fd, addr, len);
	if (rc == 0)
		rc = getsockname(fd, addr, &len);
	int errnum = errno;
	(void)close(fd);
	if (rc != 0)
		return err_errno(e, errnum, "listen on %s", text);
	*next_fd = fd;
	return ERR_OK;
}

/* What getsockname() fills; the family says which member. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool
is_port(in_port_t got, in_port_t want, uint16_t *port)
{
	if (got == 0 || (want != 0 && want != got))
		return false;
	*port = ntohs(got);
	return true;
}

static bool
is_bound_to(int fd, const struct sockaddr *addr, uint16_t *port)
{
	union address got = { .v6 = { 0 } }, want = { .v6 = { 0 } };
	socklen_t len = sizeof got, want_len = addr->sa_family == AF_INET ? sizeof got.v4 : sizeof got.v6;
	int type = 0;
	socklen_t type_len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 || type != SOCK_DGRAM ||
	    getsockname(fd, &got.any, &len) != 0 || len < want_len || got.any.sa_family != addr->sa_family)
		return false;
	memcpy(&want, addr, want_len);
	if (addr->sa_family == AF_INET)
		return is_port(got.v4.sin_port, want.v4.sin_port, port) &&
		    got.v4.sin_addr.s_addr == want.v4.sin_addr.s_addr;
	return is_port(got.v6.sin6_port, want.v6.sin6_port, port) &&
	    memcmp(&got.v6.sin6_addr, &want.v6.sin6_addr, sizeof got.v6.sin6_addr) == 0;
}

int
socket_find(int fd, const struct sockaddr *addr, uint16_t *port)
{
	if (is_bound_to(fd, addr, port))
		return fd;
	for (int i = 0; i < FDS_MAX; i++) /* another thread was quicker */
		if (is_bound_to(i, addr, port))
			return i;
	return -1;
}

int
socket_receive_buffer(int fd, int wanted)
{
	int got = 0;
	socklen_t len = sizeof got;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
	(void)getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len);
	return got / 2; /* Linux doubles it, for its own needs */
}

static bool
memory_of(int fd, uint32_t info[SK_MEMINFO_VARS])
{
	socklen_t len = SK_MEMINFO_VARS * sizeof *info;

	memset(info, 0, len);
	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0;
}

unsigned
socket_waiting(int fd, unsigned max)
{
	uint32_t info[SK_MEMINFO_VARS];

	if (!memory_of(fd, info))
		return max;
	uint32_t n = info[SK_MEMINFO_RMEM_ALLOC] / SMALL_DATAGRAM;
	return n == 0 ? 1 : MIN(n, max);
}

uint64_t
socket_dropped(int fd)
{
	uint32_t info[SK_MEMINFO_VARS];

	return memory_of(fd, info) ? info[SK_MEMINFO_DROPS] : 0;
}

/* The one of that kind in what recvmsg() said besides; NULL: none. */
static const void *
said_besides(const struct msghdr *m, int level, int type, size_t size)
{
	struct msghdr look = *m; /* CMSG_NXTHDR() wants no const, and only reads */

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&look); c != NULL; c = CMSG_NXTHDR(&look, c))
		if (c->cmsg_level == level && c->cmsg_type == type && c->cmsg_len >= CMSG_LEN(size))
			return CMSG_DATA(c);
	return NULL;
}

int
socket_ifindex(const struct msghdr *m)
{
	struct in_pktinfo v4;
	struct in6_pktinfo v6;
	const void *in = said_besides(m, IPPROTO_IP, IP_PKTINFO, sizeof v4);
	const void *in6 = said_besides(m, IPPROTO_IPV6, IPV6_PKTINFO, sizeof v6);

	if (in != NULL) {
		memcpy(&v4, in, sizeof v4);
		return v4.ipi_ifindex;
	}
	if (in6 == NULL)
		return 0;
	memcpy(&v6, in6, sizeof v6);
	return (int)v6.ipi6_ifindex;
}

/* Room for either, aligned. */
union source {
	struct cmsghdr first;
	char octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static size_t
put_source(union source *to, int level, int type, const void *info, size_t size)
{
	to->first.cmsg_level = level;
	to->first.cmsg_type = type;
	to->first.cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(&to->first), info, size);
	return CMSG_SPACE(size);
}

ssize_t
socket_answer(int fd, const struct msghdr *m, const void *data, size_t len)
{
	struct in_pktinfo v4;
	struct iovec io = { .iov_len = len };
	union source source = { .octets = { 0 } };
	struct msghdr out = { .msg_name = m->msg_name, .msg_namelen = m->msg_namelen, .msg_iov = &io, .msg_iovlen = 1 };
	const void *in = said_besides(m, IPPROTO_IP, IP_PKTINFO, sizeof v4);
	const void *in6 = said_besides(m, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo));

	memcpy(&io.iov_base, &data, sizeof io.iov_base); /* sendmsg() only reads */
	if (in != NULL) {
		memcpy(&v4, in, sizeof v4);
		v4.ipi_ifindex = 0; /* any that leads there; ipi_spec_dst is where it came to */
		out.msg_controllen = put_source(&source, IPPROTO_IP, IP_PKTINFO, &v4, sizeof v4);
	} else if (in6 != NULL) {
		out.msg_controllen = put_source(&source, IPPROTO_IPV6, IPV6_PKTINFO, in6, sizeof(struct in6_pktinfo));
	}
	out.msg_control = out.msg_controllen > 0 ? &source : NULL;
	return sendmsg(fd, &out, MSG_DONTWAIT);
}
