#include "bsserver/registry/returns.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/util.h"

/* A device that is to register. */
struct entry {
	struct table_node node;
	struct entry *older, *newer;
	int64_t ended_ms[RETURNS_TIMES]; /* of the newest good sessions, the newest first */
	uint64_t session, first; /* the newest; the oldest that counts */
	unsigned sessions;
	bool invited; /* the oldest that counts is one that we called for: those before it do not */
	char endpoint[];
};

struct returns {
	struct table by_endpoint;
	size_t max;
	struct entry *oldest, *newest;
};

static const struct {
	const char *name, *help;
} states[] = {
	[RETURNS_FINE] = { "fine", "" },
	[RETURNS_AWAITED] = { "awaited", "The device was bootstrapped a moment ago and is to register." },
	[RETURNS_NEVER_REGISTERED] = { "never_registered",
		"The device was bootstrapped and did not register at our registry within five minutes. Can it reach "
		"registry.uri? Does it hold the account (device show --inventory)? A log line of the registry about "
		"its address says when it tried with another key." },
	[RETURNS_COMES_BACK] = { "comes_back",
		"The device was bootstrapped four times within an hour and never registered between: what it is given "
		"does not work for it. It is held back by a pause that grows. Look at its sessions and at 1/x/11, the "
		"alert that it got; when it registers all is forgotten." },
};
_Static_assert(N_ELEMS(states) == RETURNS__STATES, "one row per state");

const char *
returns_state_name(enum returns_state s)
{
	return (size_t)s < N_ELEMS(states) ? states[s].name : "unknown";
}

const char *
returns_state_help(enum returns_state s)
{
	return (size_t)s < N_ELEMS(states) ? states[s].help : "";
}

enum err_code
returns_new(size_t max, uint64_t seed, struct returns **out, struct err *e)
{
	struct returns *t = calloc(1, sizeof *t);

	if (t == NULL)
		return err_no_memory(e);
	t->max = max;
	table_init(&t->by_endpoint, seed);
	*out = t;
	return ERR_OK;
}

static struct entry *
find(const struct returns *t, const char *endpoint)
{
	struct table_node *n = table_first(&t->by_endpoint, table_hash(&t->by_endpoint, endpoint, strlen(endpoint)));

	for (; n != NULL; n = table_next(n)) {
		struct entry *x = CONTAINER_OF(n, struct entry, node);

		if (strcmp(x->endpoint, endpoint) == 0)
			return x;
	}
	return NULL;
}

static void
take_out(struct returns *t, struct entry *x)
{
	*(x->older != NULL ? &x->older->newer : &t->oldest) = x->newer;
	*(x->newer != NULL ? &x->newer->older : &t->newest) = x->older;
	x->older = x->newer = NULL;
}

static void
put_newest(struct returns *t, struct entry *x)
{
	x->older = t->newest;
	*(t->newest != NULL ? &t->newest->newer : &t->oldest) = x;
	t->newest = x;
}

static void
drop(struct returns *t, struct entry *x)
{
	take_out(t, x);
	table_remove(&t->by_endpoint, &x->node);
	free(x);
}

void
returns_free(struct returns *t)
{
	if (t == NULL)
		return;
	while (t->oldest != NULL)
		drop(t, t->oldest);
	table_clear(&t->by_endpoint);
	free(t);
}

static struct entry *
add(struct returns *t, const char *endpoint)
{
	size_t len = strlen(endpoint);
	struct entry *x = calloc(1, sizeof *x + len + 1);

	if (x == NULL)
		return NULL;
	if (t->by_endpoint.n >= t->max && t->oldest != NULL)
		drop(t, t->oldest);
	memcpy(x->endpoint, endpoint, len + 1);
	if (table_add(&t->by_endpoint, &x->node, table_hash(&t->by_endpoint, endpoint, len)) != ERR_OK) {
		free(x);
		return NULL;
	}
	put_newest(t, x);
	return x;
}

void
returns_session(struct returns *t, const char *endpoint, uint64_t session, bool invited, int64_t now_ms)
{
	struct entry *x = find(t, endpoint);

	if (x == NULL)
		x = add(t, endpoint);
	if (x == NULL)
		return; /* short of memory: one less is told of */
	if (invited)
		x->sessions = 0;
	if (x->sessions == 0) {
		x->first = session;
		x->invited = invited;
	}
	memmove(&x->ended_ms[1], &x->ended_ms[0], sizeof x->ended_ms - sizeof *x->ended_ms);
	x->ended_ms[0] = now_ms;
	x->sessions++;
	x->session = session;
	take_out(t, x);
	put_newest(t, x);
}

static void
put_oldest(struct returns *t, struct entry *x)
{
	x->newer = t->oldest;
	*(t->oldest != NULL ? &t->oldest->older : &t->newest) = x;
	t->oldest = x;
}

void
returns_restore(struct returns *t, const char *endpoint, uint64_t session, bool invited, int64_t ended_ms)
{
	struct entry *x = find(t, endpoint);

	if (x == NULL && (t->by_endpoint.n >= t->max || (x = add(t, endpoint)) == NULL))
		return;
	if (x->sessions == 0) {
		take_out(t, x);
		put_oldest(t, x);
		x->session = session;
	} else if (x->invited || session >= x->first) {
		return; /* does not count, or is known already */
	}
	if (x->sessions < RETURNS_TIMES)
		x->ended_ms[x->sessions] = ended_ms;
	x->sessions++;
	x->first = session;
	x->invited = invited;
}

void
returns_registered(struct returns *t, const char *endpoint)
{
	struct entry *x = find(t, endpoint);

	if (x != NULL)
		drop(t, x);
}

static bool
comes_back(const struct entry *x)
{
	return x->sessions >= RETURNS_TIMES && x->ended_ms[0] - x->ended_ms[RETURNS_TIMES - 1] < RETURNS_HOUR_MS;
}

static enum returns_state
state_of(const struct entry *x, int64_t now_ms)
{
	if (comes_back(x))
		return RETURNS_COMES_BACK;
	return now_ms - x->ended_ms[0] < RETURNS_PATIENCE_MS ? RETURNS_AWAITED : RETURNS_NEVER_REGISTERED;
}

static uint32_t
pause_of(const struct entry *x, int64_t now_ms)
{
	int64_t pause = RETURNS_PAUSE_S, gone_ms = now_ms - x->ended_ms[0];

	for (unsigned i = RETURNS_TIMES; i < x->sessions && pause < RETURNS_PAUSE_MAX_S; i++)
		pause *= 2;
	pause = MIN(pause, (int64_t)RETURNS_PAUSE_MAX_S);
	return gone_ms >= pause * 1000 || gone_ms < 0 ? 0 : (uint32_t)(pause - gone_ms / 1000);
}

void
returns_get(const struct returns *t, const char *endpoint, int64_t now_ms, struct returns_news *out)
{
	const struct entry *x = find(t, endpoint);

	*out = (struct returns_news){ .state = RETURNS_FINE };
	if (x == NULL)
		return;
	out->state = state_of(x, now_ms);
	out->session = x->session;
	out->sessions = x->sessions;
	out->since_ms = x->ended_ms[0];
	out->pause_s = out->state == RETURNS_COMES_BACK ? pause_of(x, now_ms) : 0;
}

void
returns_count(const struct returns *t, int64_t now_ms, size_t counts[RETURNS__STATES])
{
	memset(counts, 0, RETURNS__STATES * sizeof *counts);
	for (const struct entry *x = t->oldest; x != NULL; x = x->newer)
		counts[state_of(x, now_ms)]++;
}
