#include "bsserver/transport/dedup.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

#define NONE UINT32_MAX
#define MAX_ENTRIES ((unsigned)1 << 20)

struct entry {
	struct dedup_key key;
	uint64_t id; /* 0: empty */
	uint64_t owner;
	uint64_t answered_ms;
	char *text; /* owned */
	uint32_t max_age_s;
	uint32_t chain; /* next in the bucket, or NONE */
	uint8_t code;
	bool answered;
};

/* Entries are taken in turn, so the one that comes next is always the oldest. */
struct dedup {
	struct entry *entries;
	uint32_t *buckets; /* index of an entry, or NONE */
	uint64_t seed, last_id;
	uint32_t max, next, mask, count;
};

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15U;
	return h ^ (h >> 29);
}

static uint32_t
bucket_of(const struct dedup *d, const struct dedup_key *k)
{
	uint64_t a, b, t, h = d->seed;

	memcpy(&a, k->addr, sizeof a);
	memcpy(&b, k->addr + sizeof a, sizeof b);
	memcpy(&t, k->token, sizeof t);
	h = mix(h, a);
	h = mix(h, b ^ d->seed);
	h = mix(h, t);
	h = mix(h, k->session);
	h = mix(h, (uint64_t)k->port << 48 | (uint64_t)k->listener << 32 |
	    (uint64_t)k->mid << 16 | k->token_len);
	return (uint32_t)(h >> 32) & d->mask;
}

static bool
same(const struct dedup_key *a, const struct dedup_key *b)
{
	return a->mid == b->mid && a->port == b->port && a->listener == b->listener &&
	    a->session == b->session && a->token_len == b->token_len &&
	    memcmp(a->token, b->token, sizeof a->token) == 0 &&
	    memcmp(a->addr, b->addr, sizeof a->addr) == 0;
}

enum err_code
dedup_new(unsigned max, uint64_t seed, struct dedup **out, struct err *e)
{
	uint32_t buckets = 16;

	if (max == 0 || max > MAX_ENTRIES)
		return err_set(e, ERR_RANGE, "remembered requests: %u is not 1..%u", max, MAX_ENTRIES);
	while (buckets < max)
		buckets *= 2;
	struct dedup *d = calloc(1, sizeof *d);
	if (d == NULL)
		return err_no_memory(e);
	*d = (struct dedup){ .seed = seed, .max = max, .mask = buckets - 1 };
	d->entries = calloc(max, sizeof *d->entries);
	d->buckets = malloc(buckets * sizeof *d->buckets);
	if (d->entries == NULL || d->buckets == NULL) {
		dedup_free(d);
		return err_no_memory(e);
	}
	memset(d->buckets, 0xff, buckets * sizeof *d->buckets);
	*out = d;
	return ERR_OK;
}

void
dedup_free(struct dedup *d)
{
	if (d == NULL)
		return;
	for (uint32_t i = 0; d->entries != NULL && i < d->max; i++)
		free(d->entries[i].text);
	free(d->entries);
	free(d->buckets);
	free(d);
}

static void
drop(struct dedup *d, uint32_t i)
{
	struct entry *n = &d->entries[i];

	if (n->id == 0)
		return;
	uint32_t *at = &d->buckets[bucket_of(d, &n->key)];
	while (*at != i)
		at = &d->entries[*at].chain;
	*at = n->chain;
	free(n->text);
	*n = (struct entry){ .id = 0 };
	d->count--;
}

static uint32_t
find(const struct dedup *d, const struct dedup_key *k)
{
	uint32_t i = d->buckets[bucket_of(d, k)];

	while (i != NONE && !same(&d->entries[i].key, k))
		i = d->entries[i].chain;
	return i;
}

static void
insert(struct dedup *d, const struct dedup_key *k, uint64_t *id)
{
	uint32_t i = d->next, *bucket = &d->buckets[bucket_of(d, k)];

	d->next = (i + 1) % d->max;
	drop(d, i);
	/* the slot is part of the id, so that an id finds its entry without a search */
	*id = ++d->last_id << 20 | i;
	d->entries[i] = (struct entry){ .key = *k, .id = *id, .chain = *bucket };
	*bucket = i;
	d->count++;
}

enum dedup_verdict
dedup_see(struct dedup *d, const struct dedup_key *k, uint64_t now_ms, uint64_t *id,
    struct dedup_answer *answer)
{
	uint32_t i = find(d, k);

	if (i != NONE && d->entries[i].answered &&
	    now_ms - d->entries[i].answered_ms >= DEDUP_LIFETIME_MS) {
		drop(d, i);
		i = NONE;
	}
	if (i == NONE) {
		insert(d, k, id);
		return DEDUP_NEW;
	}
	const struct entry *n = &d->entries[i];
	*id = n->id;
	if (!n->answered)
		return DEDUP_RUNNING;
	*answer = (struct dedup_answer){ n->code, n->max_age_s, n->text };
	return DEDUP_ANSWERED;
}

static struct entry *
by_id(const struct dedup *d, uint64_t id)
{
	uint64_t i = id & (MAX_ENTRIES - 1);

	return id != 0 && i < d->max && d->entries[i].id == id ? &d->entries[i] : NULL;
}

void
dedup_set_owner(struct dedup *d, uint64_t id, uint64_t owner)
{
	struct entry *n = by_id(d, id);

	if (n != NULL)
		n->owner = owner;
}

uint64_t
dedup_owner(const struct dedup *d, uint64_t id)
{
	const struct entry *n = by_id(d, id);

	return n != NULL ? n->owner : 0;
}

void
dedup_answered(struct dedup *d, uint64_t id, const struct dedup_answer *a, uint64_t now_ms)
{
	struct entry *n = by_id(d, id);

	if (n == NULL)
		return;
	free(n->text);
	n->text = NULL;
	if (a->text != NULL) /* without memory the repeated answer has no text: harmless */
		n->text = str_dup_n(a->text, strnlen(a->text, DEDUP_TEXT_MAX));
	n->code = a->code;
	n->max_age_s = a->max_age_s;
	n->answered = true;
	n->answered_ms = now_ms;
}

unsigned
dedup_count(const struct dedup *d)
{
	return d->count;
}
