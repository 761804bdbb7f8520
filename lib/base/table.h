/*
 * lib/base/table.h: a hash table of nodes that lie inside what they stand for. Owns no element,
 * allocates only its buckets, keeps several elements of one hash. Hashes of outside text are keyed
 * with a random seed, so that nobody can choose colliding ones.
 */
#ifndef LIB_BASE_TABLE_H
#define LIB_BASE_TABLE_H

#include <stdint.h>

#include "lib/base/err.h"

struct table_node {
	struct table_node *next; /* in its bucket */
	uint64_t hash;
};

struct table {
	struct table_node **buckets; /* a power of two of them; NULL until the first add */
	size_t n_buckets, n;
	uint64_t seed;
};

/* seed: random for text from outside (crypt_random), anything for our own numbers. */
void table_init(struct table *t, uint64_t seed);
/* The elements stay as they are. Safe on an empty one, and twice. */
void table_clear(struct table *t);

uint64_t table_hash(const struct table *t, const void *key, size_t n);
uint64_t table_hash_u64(const struct table *t, uint64_t key);

/* ERR_NO_MEMORY only when there is no bucket at all: growing may fail and costs speed only. */
enum err_code table_add(struct table *t, struct table_node *node, uint64_t hash);
void table_remove(struct table *t, struct table_node *node); /* it must be there */

/*
 * The first element with that hash, and the next: the caller compares keys, since two keys may
 * share a hash. NULL at the end.
 */
struct table_node *table_first(const struct table *t, uint64_t hash);
struct table_node *table_next(const struct table_node *node);

/* All elements, in no order: *at starts at 0, prev at NULL, then what came last. Nothing may be added or removed meanwhile. */
struct table_node *table_each(const struct table *t, size_t *at, struct table_node *prev);

#endif
