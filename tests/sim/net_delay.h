/* tests/sim/net_delay.h: datagrams that are under way for a while: a heap by time. */
#ifndef TESTS_SIM_NET_DELAY_H
#define TESTS_SIM_NET_DELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_DATAGRAM_MAX 1500
#define NET_DELAYED_MAX 100000 /* at one time; more are not delayed */

struct net_delayed {
	uint64_t due_ms, order; /* order keeps those of one millisecond apart */
	uint32_t offset;        /* whose */
	bool inbound;
	uint8_t *bytes; /* owned */
	size_t n;
};

struct net_delay {
	struct net_delayed *v;
	size_t n, cap;
	uint64_t order;
};

bool net_delay_put(struct net_delay *q, uint64_t due_ms, uint32_t offset, bool inbound,
    const uint8_t *bytes, size_t n);
/* The first that is due; its bytes become the caller's. */
bool net_delay_take(struct net_delay *q, uint64_t now_ms, struct net_delayed *out);
uint64_t net_delay_next(const struct net_delay *q); /* UINT64_MAX: none */
void net_delay_clear(struct net_delay *q);

/* The next of a pseudo-random sequence. */
uint64_t net_random(uint64_t *state);

#endif
