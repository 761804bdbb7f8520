#include "config.h"

#include "bsserver/transport/udp_hook.h"

#include <errno.h>
#include <pthread.h>

#include "bsserver/transport/interpose.h"
#include "lib/base/clock.h"

typedef ssize_t recvmsg_fn(int, struct msghdr *, int);
typedef ssize_t sendmsg_fn(int, const struct msghdr *, int);

/* Process-wide as the symbols are; written once, by resolve(). */
static recvmsg_fn *real_recvmsg;
static sendmsg_fn *real_sendmsg;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct udp_gate *in_force;
static _Thread_local struct udp_outbox *outbox;

static void
resolve(void)
{
	interpose_resolve(&real_recvmsg, "recvmsg");
	interpose_resolve(&real_sendmsg, "sendmsg");
}

enum err_code
udp_hook_open(struct err *e)
{
	(void)pthread_once(&once, resolve);
	if (real_recvmsg == NULL || !INTERPOSE_IS_FIRST(recvmsg))
		return err_set(e, ERR_INTERNAL,
		    "DTLS: this program was linked so that libcoap would read past our cookies");
	return ERR_OK;
}

bool
udp_hook_batches(void)
{
	return udp_hook_open(NULL) == ERR_OK && real_sendmsg != NULL && INTERPOSE_IS_FIRST(sendmsg);
}

struct udp_gate *
udp_gate_enter(struct udp_gate *g)
{
	struct udp_gate *before = in_force;

	in_force = g;
	return before;
}

void
udp_gate_leave(struct udp_gate *before)
{
	in_force = before;
}

void
udp_gate_shut(void)
{
	if (in_force == NULL)
		return;
	in_force->left = 0;
	in_force->until_us = 0;
}

struct udp_outbox *
udp_hook_outbox(struct udp_outbox *b)
{
	struct udp_outbox *before = outbox;

	outbox = b;
	return before;
}

INTERPOSE_EXPORT ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	struct udp_gate *g = in_force != NULL && in_force->fd == fd ? in_force : NULL;
	const struct msghdr asked = *m;
	ssize_t got;

	(void)pthread_once(&once, resolve);
	if (g != NULL && g->inbox != NULL)
		return udp_inbox_take(g->inbox, m);
	if (g != NULL && clock_mono_us() >= g->until_us) {
		errno = EAGAIN;
		return -1;
	}
	while ((got = real_recvmsg(fd, m, flags)) >= 0 && g != NULL && g->keeps(g->arg, m, (size_t)got)) {
		*m = asked;
		if (g->left == 0) {
			errno = EAGAIN;
			return -1;
		}
		g->left--;
	}
	return got;
}

INTERPOSE_EXPORT ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	(void)pthread_once(&once, resolve);
	if (outbox != NULL && udp_outbox_put(outbox, fd, m))
		return (ssize_t)m->msg_iov[0].iov_len;
	return real_sendmsg(fd, m, flags);
}
