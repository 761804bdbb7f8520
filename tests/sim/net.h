/*
 * tests/sim/net.h: UDP for thousands of devices in one thread. Devices that talk to a loopback IPv4
 * address share a few sockets and have an address of their own each in 127/8, sent from and
 * received for by IP_PKTINFO, in batches; towards any other address each has a socket. Loss,
 * duplication, reordering and delay can be put on both ways.
 */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/err.h"

struct net;

struct net_drop {
	uint32_t first, last; /* counted from 1; 0: none */
};

struct net_config {
	struct sockaddr_storage server;
	socklen_t server_len;
	size_t max_peers;          /* open at one time */
	double loss, dup, reorder; /* shares of 1, of each datagram on each way */
	struct net_drop drop_sent, drop_received; /* of each peer's datagrams: these are lost for certain */
	uint32_t delay_ms;         /* of every datagram on each way */
	uint64_t seed;
};

/* One device's end. Zeroed at first; the owner keeps it where it is while it is open. */
struct net_peer {
	void *arg;
	uint32_t offset; /* of its address; also its place in the table */
	unsigned socket; /* which of the shared ones; so its port */
	int fd;          /* its own socket, or -1 */
	bool open;
	uint32_t n_sent, n_received;
};

struct net_stats {
	uint64_t sent, received, lost, doubled, delayed;
	uint64_t sent_octets, received_octets; /* of sent and received: what is in the datagrams */
	uint64_t strays; /* for nobody who is open, or not from the server */
	uint64_t unsent; /* the kernel would not take them */
};

/* n bytes for that peer; it may be closed in the callback. */
typedef void net_input_fn(void *ctx, struct net_peer *p, const uint8_t *bytes, size_t n);

struct net *net_new(const struct net_config *cfg, net_input_fn *input, void *ctx, struct err *e);
void net_free(struct net *net); /* NULL is fine */

/* A fresh address and port. ERR_LIMIT: max_peers are open. */
enum err_code net_open(struct net *net, struct net_peer *p, struct err *e);
/* The same address, another port. */
enum err_code net_reopen(struct net *net, struct net_peer *p, struct err *e);
void net_close(struct net *net, struct net_peer *p); /* not open: fine */
/* Queued; net_flush() or net_poll() sends it. Longer than 1500 is dropped. */
void net_send(struct net *net, struct net_peer *p, const uint8_t *bytes, size_t n);
void net_flush(struct net *net);
/* Sends, then waits up to timeout_ms for datagrams and hands on all there are. */
void net_poll(struct net *net, int timeout_ms);
const struct net_stats *net_stats(const struct net *net);

/* "coap://127.0.0.1:5683", "coaps://[::1]": the address, and whether it is coaps. */
enum err_code net_parse_uri(const char *uri, struct net_config *cfg, bool *secure, struct err *e);

#endif
