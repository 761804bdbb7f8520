/*
 * bsserver/transport/udp_hook.h: datagrams are looked at before libcoap makes a session for them.
 *
 * libcoap reads its sockets itself. recvmsg() is therefore defined here once more, with default
 * visibility, so that its calls arrive here; it passes on to the real one. Only for the descriptor of
 * the gate that is in force on this thread does it do anything else.
 */
#ifndef BSSERVER_TRANSPORT_UDP_HOOK_H
#define BSSERVER_TRANSPORT_UDP_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/err.h"

struct udp_gate {
	int fd;
	uint64_t until_us; /* clock_mono_us(): from then on the reader is told that there is none */
	unsigned left; /* datagrams that may be kept back before the reader is told that there is none */
	/* true: it is kept back, the reader gets the next one. The first part of m has len octets. */
	bool (*keeps)(void *arg, const struct msghdr *m, size_t len);
	void *arg;
};

/* ERR_INTERNAL: ours would not be found by libcoap. */
enum err_code udp_hook_open(struct err *e);
/* In force until udp_gate_leave(), which takes what udp_gate_enter() returned. */
struct udp_gate *udp_gate_enter(struct udp_gate *g);
void udp_gate_leave(struct udp_gate *before);

#endif
