#include "bsserver/transport/gather.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/table.h"
#include "lib/base/util.h"

struct entry {
	struct table_node node;
	struct entry *older, *newer; /* by their last block */
	struct gather_key key;
	uint64_t last_ms;
	struct gbuf body;
};

struct gather {
	struct table table;
	struct entry *oldest, *newest;
	unsigned places;
	struct gbuf whole; /* what was handed out last */
};

enum err_code
gather_new(unsigned places, uint64_t seed, struct gather **out, struct err *e)
{
	struct gather *g = calloc(1, sizeof *g);

	if (g == NULL)
		return err_no_memory(e);
	g->places = places;
	table_init(&g->table, seed);
	*out = g;
	return ERR_OK;
}

static void
unlist(struct gather *g, struct entry *x)
{
	*(x->older != NULL ? &x->older->newer : &g->oldest) = x->newer;
	*(x->newer != NULL ? &x->newer->older : &g->newest) = x->older;
}

static void
list_newest(struct gather *g, struct entry *x)
{
	x->older = g->newest;
	x->newer = NULL;
	*(g->newest != NULL ? &g->newest->newer : &g->oldest) = x;
	g->newest = x;
}

static void
drop(struct gather *g, struct entry *x)
{
	unlist(g, x);
	table_remove(&g->table, &x->node);
	gbuf_clear(&x->body);
	free(x);
}

void
gather_free(struct gather *g)
{
	if (g == NULL)
		return;
	while (g->oldest != NULL)
		drop(g, g->oldest);
	table_clear(&g->table);
	gbuf_clear(&g->whole);
	free(g);
}

uint64_t
gather_option(const struct gather *g, uint64_t options, unsigned number, const void *v, size_t n)
{
	options = table_hash_u64(&g->table, options ^ number);
	return n > 0 ? options ^ table_hash(&g->table, v, n) : options;
}

static bool
same(const struct gather_key *a, const struct gather_key *b)
{
	return a->session == b->session && a->options == b->options && a->port == b->port &&
	    memcmp(a->addr, b->addr, sizeof a->addr) == 0;
}

static uint64_t
hash_of(const struct gather *g, const struct gather_key *k)
{
	return table_hash_u64(&g->table, k->session ^ k->options ^ k->port) ^
	    table_hash(&g->table, k->addr, sizeof k->addr);
}

static struct entry *
find(const struct gather *g, const struct gather_key *k)
{
	for (struct table_node *n = table_first(&g->table, hash_of(g, k)); n != NULL; n = table_next(n)) {
		struct entry *x = CONTAINER_OF(n, struct entry, node);

		if (same(&x->key, k))
			return x;
	}
	return NULL;
}

static struct entry *
begin(struct gather *g, const struct gather_key *k, uint64_t now_ms)
{
	if (g->table.n >= g->places && now_ms - g->oldest->last_ms >= GATHER_IDLE_MS)
		drop(g, g->oldest);
	struct entry *x = g->table.n < g->places ? calloc(1, sizeof *x) : NULL;
	if (x == NULL)
		return NULL;
	x->key = *k;
	if (table_add(&g->table, &x->node, hash_of(g, k)) != ERR_OK) {
		free(x);
		return NULL;
	}
	list_newest(g, x);
	return x;
}

/* What becomes of the payload with this block; NEXT: it is taken, more may follow. */
static enum gather_step
append(struct entry *x, const struct gather_block *b, size_t max)
{
	size_t size = (size_t)1 << ((b->block1 & 7) + 4), at = (size_t)(b->block1 >> 4) * size;
	bool more = (b->block1 & 8) != 0;

	if (b->len > size || (more && b->len != size))
		return GATHER_WRONG;
	if (at > x->body.len)
		return GATHER_INCOMPLETE;
	if (at < x->body.len) /* the answer got lost, and the device asks anew */
		return more && b->len <= x->body.len - at && memcmp(x->body.data + at, b->payload, b->len) == 0 ?
		    GATHER_NEXT : GATHER_INCOMPLETE;
	if (b->size1 > max || b->len > max - at)
		return GATHER_TOO_LARGE;
	x->body.max = max;
	gbuf_put(&x->body, b->payload, b->len);
	if (x->body.failed)
		return GATHER_FULL;
	return more ? GATHER_NEXT : GATHER_WHOLE;
}

enum gather_step
gather_take(struct gather *g, const struct gather_key *k, const struct gather_block *b, size_t max, uint64_t now_ms,
    const uint8_t **body, size_t *len)
{
	while (g->oldest != NULL && now_ms - g->oldest->last_ms >= GATHER_LIFETIME_MS)
		drop(g, g->oldest);
	gbuf_clear(&g->whole);
	struct entry *x = find(g, k);
	if (x != NULL && b->block1 >> 4 == 0) {
		drop(g, x);
		x = NULL;
	}
	if (x == NULL && b->block1 >> 4 != 0)
		return GATHER_INCOMPLETE;
	if (x == NULL)
		x = begin(g, k, now_ms);
	if (x == NULL)
		return GATHER_FULL;
	x->last_ms = now_ms;
	unlist(g, x);
	list_newest(g, x);
	enum gather_step step = append(x, b, max);
	if (step == GATHER_WHOLE) {
		g->whole = x->body;
		x->body = (struct gbuf){ 0 };
		*body = g->whole.data;
		*len = g->whole.len;
	}
	if (step != GATHER_NEXT)
		drop(g, x);
	return step;
}

unsigned
gather_count(const struct gather *g)
{
	return (unsigned)g->table.n;
}
