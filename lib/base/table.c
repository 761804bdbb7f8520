#include "lib/base/table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 64

void
table_init(struct table *t, uint64_t seed)
{
	*t = (struct table){ .seed = seed };
}

void
table_clear(struct table *t)
{
	free(t->buckets);
	t->buckets = NULL;
	t->n_buckets = t->n = 0;
}

/* The finaliser of MurmurHash3: every input bit moves every output bit. */
static uint64_t
mix(uint64_t h)
{
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	h ^= h >> 33;
	return h;
}

uint64_t
table_hash_u64(const struct table *t, uint64_t key)
{
	return mix(key ^ t->seed);
}

uint64_t
table_hash(const struct table *t, const void *key, size_t n)
{
	const unsigned char *p = key;
	uint64_t h = t->seed ^ mix(n), v;

	for (; n >= sizeof v; p += sizeof v, n -= sizeof v) {
		memcpy(&v, p, sizeof v);
		h = mix(h ^ v);
	}
	if (n == 0)
		return h;
	v = 0;
	memcpy(&v, p, n);
	return mix(h ^ v);
}

static struct table_node **
bucket(const struct table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->n_buckets - 1)];
}

static void
resize(struct table *t, size_t n)
{
	struct table bigger = { .n_buckets = n };

	bigger.buckets = calloc(n, sizeof *bigger.buckets);
	if (bigger.buckets == NULL)
		return;
	for (size_t i = 0; i < t->n_buckets; i++)
		for (struct table_node *node = t->buckets[i], *next; node != NULL; node = next) {
			struct table_node **to = bucket(&bigger, node->hash);

			next = node->next;
			node->next = *to;
			*to = node;
		}
	free(t->buckets);
	t->buckets = bigger.buckets;
	t->n_buckets = n;
}

enum err_code
table_add(struct table *t, struct table_node *node, uint64_t hash)
{
	if (t->n >= t->n_buckets)
		resize(t, t->n_buckets == 0 ? FIRST_BUCKETS : t->n_buckets * 2);
	if (t->buckets == NULL)
		return ERR_NO_MEMORY;
	node->hash = hash;
	node->next = *bucket(t, hash);
	*bucket(t, hash) = node;
	t->n++;
	return ERR_OK;
}

void
table_remove(struct table *t, struct table_node *node)
{
	for (struct table_node **at = bucket(t, node->hash); *at != NULL; at = &(*at)->next)
		if (*at == node) {
			*at = node->next;
			node->next = NULL;
			t->n--;
			return;
		}
}

struct table_node *
table_first(const struct table *t, uint64_t hash)
{
	struct table_node *node = t->n_buckets == 0 ? NULL : *bucket(t, hash);

	while (node != NULL && node->hash != hash)
		node = node->next;
	return node;
}

struct table_node *
table_next(const struct table_node *node)
{
	uint64_t hash = node->hash;
	struct table_node *next = node->next;

	while (next != NULL && next->hash != hash)
		next = next->next;
	return next;
}

struct table_node *
table_each(const struct table *t, size_t *at, struct table_node *prev)
{
	struct table_node *node = prev == NULL ? NULL : prev->next;

	while (node == NULL && *at < t->n_buckets)
		node = t->buckets[(*at)++];
	return node;
}
