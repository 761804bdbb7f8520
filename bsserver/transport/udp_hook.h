/*
 * bsserver/transport/udp_hook.h: what libcoap reads and sends goes through our hands.
 *
 * libcoap reads its sockets itself, a datagram at a time, and makes a session for whoever sends one.
 * recvmsg() and sendmsg() are therefore defined here once more, with default visibility, so that its
 * calls arrive here; they pass on to the real ones. Only for the descriptor of the gate that is in force
 * on this thread, and for those that the outbox in force serves, do they do anything else.
 */
#ifndef BSSERVER_TRANSPORT_UDP_HOOK_H
#define BSSERVER_TRANSPORT_UDP_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "bsserver/transport/udp_batch.h"
#include "lib/base/err.h"

struct udp_gate {
	int fd;
	struct udp_inbox *inbox; /* not NULL: what is read comes from there, and the rest does not matter */
	uint64_t until_us; /* clock_mono_us(): from then on the reader is told that there is none */
	unsigned left; /* datagrams that may be kept back before the reader is told that there is none */
	/* true: it is kept back, the reader gets the next one. The first part of m has len octets. */
	bool (*keeps)(void *arg, const struct msghdr *m, size_t len);
	void *arg;
};

/* ERR_INTERNAL: our recvmsg() would not be found by libcoap. */
enum err_code udp_hook_open(struct err *e);
bool udp_hook_batches(void); /* false: ours would not be found, and no inbox or outbox is to be used */
/* In force until udp_gate_leave(), which takes what udp_gate_enter() returned. */
struct udp_gate *udp_gate_enter(struct udp_gate *g);
void udp_gate_leave(struct udp_gate *before);
/* The reader is told from now on that there is none, by the gate in force. */
void udp_gate_shut(void);
/* From here on it takes what is sent on this thread; NULL: nothing does. The one before. */
struct udp_outbox *udp_hook_outbox(struct udp_outbox *b);

#endif
