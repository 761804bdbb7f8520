/*
 * bsserver/transport/gather.h: payloads of requests that come in blocks, put together (RFC 7959 section
 * 2.5). Pure: the caller brings the time. Bounded: when all places are taken, only one that had no
 * block for GATHER_IDLE_MS gives way to another device's.
 */
#ifndef BSSERVER_TRANSPORT_GATHER_H
#define BSSERVER_TRANSPORT_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define GATHER_LIFETIME_MS 247000 /* EXCHANGE_LIFETIME after its last block a payload is forgotten */
#define GATHER_IDLE_MS 10000

struct gather;

/* Blocks of one payload have the same. */
struct gather_key {
	uint64_t session;  /* DTLS; 0 otherwise */
	uint64_t options;  /* of all options that are not about blocks, see gather_option() */
	uint8_t addr[16];  /* IPv4: the first 4, zeros behind */
	uint16_t port;
};

struct gather_block {
	uint32_t block1; /* the option's value: num << 4 | more << 3 | szx, szx 0..6 */
	uint32_t size1;	 /* of the whole payload, as the device says; 0: it does not */
	const uint8_t *payload;
	size_t len;
};

enum gather_step {
	GATHER_NEXT,	   /* 2.31: the next block */
	GATHER_WHOLE,	   /* *body and *len, valid until the next call */
	GATHER_INCOMPLETE, /* 4.08: blocks before it are missing, or differ from what was sent before */
	GATHER_TOO_LARGE,  /* 4.13 */
	GATHER_WRONG,	   /* 4.00: its length is not what its option says */
	GATHER_FULL	   /* 5.03: all places are taken, or memory is short */
};

/* places: of payloads at once, at least 1. seed: random, so that nobody can aim at the table. */
enum err_code gather_new(unsigned places, uint64_t seed, struct gather **out, struct err *e);
void gather_free(struct gather *g); /* NULL is fine */

/* gather_key.options with one option more; it starts at 0. */
uint64_t gather_option(const struct gather *g, uint64_t options, unsigned number, const void *v, size_t n);

/* The first block starts anew. max: octets of the whole payload, at least 1. What is refused is forgotten. */
enum gather_step gather_take(struct gather *g, const struct gather_key *k, const struct gather_block *b, size_t max,
    uint64_t now_ms, const uint8_t **body, size_t *len);

unsigned gather_count(const struct gather *g); /* payloads under way */

#endif
