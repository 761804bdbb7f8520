#include "bsserver/store/sqlite_hot.h"

#include <stdlib.h>
#include <string.h>

#include "bsserver/store/sqlite_internal.h"
#include "lib/base/clock.h"
#include "lib/base/table.h"

struct hot {
	struct table_node node;
	struct hot *newer, *older; /* only when it is filled */
	unsigned asking;	   /* reads that are on their way */
	bool filled;
	bool stale; /* something was written since the first of these */
	uint64_t read_ms;
	size_t weight;
	char *endpoint;
	struct store_device d; /* of held.wrote nothing when it is compiled again: same */
	bool same;
	struct sq_noted noted; /* from the first session since it was read on */
};

struct sq_hot {
	struct table table;
	struct hot *newest, *oldest;
	size_t octets, max;
	unsigned max_sessions;
};

struct sq_hot *
sq_hot_new(size_t octets, unsigned max_sessions)
{
	struct sq_hot *h = calloc(1, sizeof *h);
	uint64_t seed;

	if (h == NULL || crypt_random(&seed, sizeof seed, NULL) != ERR_OK) {
		free(h);
		return NULL;
	}
	table_init(&h->table, seed);
	h->max = octets;
	h->max_sessions = max_sessions;
	return h;
}

/* ---- entries ---- */

static struct hot *
find(const struct sq_hot *h, const char *endpoint)
{
	struct table_node *n =
	    h == NULL ? NULL : table_first(&h->table, table_hash(&h->table, endpoint, strlen(endpoint)));

	for (; n != NULL; n = table_next(n)) {
		struct hot *e = CONTAINER_OF(n, struct hot, node);

		if (strcmp(e->endpoint, endpoint) == 0)
			return e;
	}
	return NULL;
}

static struct hot *
add(struct sq_hot *h, const char *endpoint)
{
	size_t n = strlen(endpoint);
	struct hot *e = calloc(1, sizeof *e);
	char *copy = strdup(endpoint);

	if (e == NULL || copy == NULL ||
	    table_add(&h->table, &e->node, table_hash(&h->table, endpoint, n)) != ERR_OK) {
		free(e);
		free(copy);
		return NULL;
	}
	e->endpoint = copy;
	return e;
}

static void
unlink_entry(struct sq_hot *h, struct hot *e)
{
	*(e->newer == NULL ? &h->newest : &e->newer->older) = e->older;
	*(e->older == NULL ? &h->oldest : &e->older->newer) = e->newer;
	e->newer = e->older = NULL;
}

static void
link_newest(struct sq_hot *h, struct hot *e)
{
	e->older = h->newest;
	*(h->newest == NULL ? &h->oldest : &h->newest->newer) = e;
	h->newest = e;
}

/* What it holds goes; the entry itself as well unless somebody is reading for it. */
static void
empty(struct sq_hot *h, struct hot *e)
{
	if (e->filled) {
		unlink_entry(h, e);
		h->octets -= e->weight;
		store_device_clear(&e->d);
		e->filled = false;
	}
	if (e->asking > 0)
		return;
	table_remove(&h->table, &e->node);
	free(e->endpoint);
	free(e);
}

void
sq_hot_free(struct sq_hot *h)
{
	struct table_node *n;

	if (h == NULL)
		return;
	for (size_t at = 0; (n = table_each(&h->table, &at, NULL)) != NULL; at = 0) {
		struct hot *e = CONTAINER_OF(n, struct hot, node);

		e->asking = 0;
		empty(h, e);
	}
	table_clear(&h->table);
	free(h);
}

static size_t
length(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

/* With what the allocator adds, by and large. */
static size_t
weigh(const struct hot *e)
{
	const struct store_device *d = &e->d;
	const struct store_held *l = &d->held;

	return sizeof *e + 160 + 2 * length(e->endpoint) + length(d->compiled_key) + d->compiled.len + length(l->profile) +
	    length(l->fingerprints) + length(l->expiries) + length(l->links) + length(l->values) +
	    length(l->placed) + l->wrote.len;
}

/* It has changed: weighed anew, others make room. */
static void
settle(struct sq_hot *h, struct hot *e)
{
	h->octets -= e->weight;
	e->weight = weigh(e);
	h->octets += e->weight;
	while (h->octets > h->max)
		empty(h, h->oldest);
}

/* ---- reading ---- */

bool
sq_hot_view(struct sq_hot *h, const char *endpoint, struct store_device *view)
{
	struct hot *e = find(h, endpoint);

	if (e == NULL || !e->filled)
		return false;
	if (clock_mono_ms() - e->read_ms > SQ_HOT_MS) {
		empty(h, e);
		return false;
	}
	unlink_entry(h, e);
	link_newest(h, e);
	*view = e->d;
	if (e->same)
		view->held.wrote = e->d.compiled;
	return true;
}

void
sq_hot_ask(struct sq_hot *h, const char *endpoint)
{
	struct hot *e = find(h, endpoint);

	if (e == NULL && h != NULL)
		e = add(h, endpoint);
	if (e == NULL)
		return;
	e->asking++;
}

/* A device of which more is to be known than a look tells is none for here. */
static bool
may_be_kept(const struct store_device *d)
{
	for (size_t i = 0; i < STORE_WISH__COUNT; i++)
		if (d->wishes[i].number != 0)
			return false;
	return d->compiled.len > 0;
}

static void
fill(struct sq_hot *h, struct hot *e, struct store_device *d)
{
	e->d = *d;
	*d = (struct store_device){ .remembered_format = -1 };
	free(e->d.doc);
	free(e->d.held.findings);
	e->d.doc = e->d.held.findings = NULL;
	e->same = e->d.held.session != 0 && secret_equal(&e->d.compiled, &e->d.held.wrote);
	if (e->same)
		secret_clear(&e->d.held.wrote);
	e->noted = (struct sq_noted){ 0 };
	e->read_ms = clock_mono_ms();
	e->filled = true;
	e->weight = 0;
	link_newest(h, e);
	settle(h, e);
}

void
sq_hot_read(struct sq_hot *h, const char *endpoint, struct store_device *d)
{
	struct hot *e = find(h, endpoint);

	if (e == NULL || e->asking == 0)
		return; /* memory was short when it was asked */
	e->asking--;
	if (d != NULL && !e->stale && !e->filled && may_be_kept(d)) {
		fill(h, e, d);
		return;
	}
	if (e->asking == 0)
		e->stale = false;
	if (!e->filled)
		empty(h, e);
}

/* ---- writing ---- */

void
sq_hot_forget(struct sq_hot *h, const char *endpoint)
{
	struct hot *e = find(h, endpoint);

	if (e == NULL)
		return;
	e->stale = e->asking > 0;
	empty(h, e);
}

static void
move_text(char **to, char **from)
{
	free(*to);
	*to = *from;
	*from = NULL;
}

/* As sqlite_held.c keeps it. false: not here. */
static bool
note_held(struct hot *e, const struct bs_record *r, struct sq_outcome *o, bool good)
{
	struct store_held *l = &e->d.held;
	struct store_held last = *l;

	if (o == NULL || !good || !sq_held_is_worth(o, good))
		return true;
	if (e->same)
		last.wrote = e->d.compiled;
	if (!sq_held_is_again(&last, r, &o->o))
		return false;
	l->last_session = r->id;
	l->started_ms = r->started_ms;
	l->last_ms = r->ended_ms;
	move_text(&l->expiries, &o->expiries);
	move_text(&l->links, &o->links);
	move_text(&l->values, &o->values);
	move_text(&l->placed, &o->placed);
	return true;
}

/* Where the newest session was not today, SQ_DEVICE_GET did not count those before it. */
static bool
counts_today(const struct store_device *d, const struct bs_record *r)
{
	int64_t since = clock_wall_ms() - SQ_DAY_MS;

	return (d->last_session == 0 || d->last_ended_ms > since) && r->ended_ms > since;
}

/* As sqlite_session.c notes it. */
static void
note_last(struct sq_hot *h, struct store_device *d, const struct bs_record *r, bool good)
{
	d->last_session = r->id;
	d->last_verdict = r->verdict;
	d->last_reason = r->reason;
	d->last_ended_ms = r->ended_ms;
	if (r->used_format >= 0)
		d->remembered_format = r->used_format;
	if (r->verdict == BS_VERDICT_PROVISIONED && r->revision != 0)
		d->confirmed_revision = r->revision;
	d->failures = (uint32_t)sq_failures_after(d->failures, r->verdict);
	if (good)
		d->recent_good = MIN(d->recent_good + 1, h->max_sessions);
}

void
sq_hot_session(struct sq_hot *h, const struct bs_record *r, struct sq_outcome *o, const struct sq_noted *now)
{
	struct hot *e = find(h, r->endpoint);
	bool good = r->verdict == BS_VERDICT_PROVISIONED || r->verdict == BS_VERDICT_WRITTEN;

	if (e == NULL)
		return;
	e->stale = e->asking > 0;
	if (!e->filled)
		return;
	if (r->id <= e->d.last_session || !counts_today(&e->d, r) || !note_held(e, r, o, good)) {
		empty(h, e);
		return;
	}
	note_last(h, &e->d, r, good);
	e->noted = *now;
	settle(h, e);
}

uint64_t
sq_hot_again(struct sq_hot *h, const struct bs_record *r, const struct store_outcome *o)
{
	const struct hot *e = find(h, r->endpoint);

	if (e == NULL || !e->filled || o == NULL || o->same_wrote == 0 || o->same_wrote != e->d.held.session)
		return 0;
	const struct store_held *l = &e->d.held;
	bool again = sq_held_is_again(l, r, o) && sq_same_text(l->links, o->links) && sq_same_text(l->values, o->values) &&
	    sq_same_text(l->placed, o->placed) && sq_same_text(l->expiries, o->expiries);
	return again ? l->session : 0;
}

void
sq_hot_noted(struct sq_hot *h, const char *endpoint, struct sq_noted *out)
{
	const struct hot *e = find(h, endpoint);

	if (e != NULL && e->filled)
		*out = e->noted;
}
