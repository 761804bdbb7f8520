/*
 * bsserver/transport/dedup.h: which requests were seen before, and what was answered (RFC 7252
 * section 4.2). Pure: the caller brings the time. Bounded: when it is full the oldest goes.
 *
 * A request is the same when it came from the same address, to the same listener, in the same
 * session (DTLS; 0 otherwise), with the same message id and token. It is remembered while it has
 * no answer, and for EXCHANGE_LIFETIME after the answer.
 */
#ifndef BSSERVER_TRANSPORT_DEDUP_H
#define BSSERVER_TRANSPORT_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define DEDUP_LIFETIME_MS 247000 /* RFC 7252 section 4.8.2 */
#define DEDUP_TEXT_MAX 128	 /* longer diagnostic text is cut */

struct dedup;

struct dedup_key {
	uint64_t session;
	uint8_t addr[16]; /* of the peer; IPv4: the first 4, zeros behind */
	uint16_t port;
	uint16_t listener;
	uint16_t mid;
	uint8_t token_len; /* 0..8 */
	uint8_t token[8];  /* zeros behind token_len */
};

struct dedup_answer {
	uint8_t code;
	uint32_t max_age_s; /* 0: none */
	const char *text;   /* NULL: none; borrowed */
};

enum dedup_verdict {
	DEDUP_NEW,	/* not seen before: now running */
	DEDUP_RUNNING,	/* seen, no answer yet */
	DEDUP_ANSWERED, /* *answer is filled, valid until the next call */
};

/* max: how many requests are remembered, 1..2^20. seed: random, so that nobody can aim at the table. */
enum err_code dedup_new(unsigned max, uint64_t seed, struct dedup **out, struct err *e);
void dedup_free(struct dedup *d); /* NULL is fine */

/* *id: names the entry for dedup_answered() and dedup_owner(), never 0. */
enum dedup_verdict dedup_see(struct dedup *d, const struct dedup_key *k, uint64_t now_ms,
    uint64_t *id, struct dedup_answer *answer);

/* A number of the caller's kept with the entry; 0 for an entry that is gone. */
void dedup_set_owner(struct dedup *d, uint64_t id, uint64_t owner);
uint64_t dedup_owner(const struct dedup *d, uint64_t id);

/* Ids of entries that are gone are ignored. text may be NULL; it is copied. */
void dedup_answered(struct dedup *d, uint64_t id, const struct dedup_answer *a, uint64_t now_ms);

unsigned dedup_count(const struct dedup *d);

#endif
