/*
 * The loop of a world, in place of bsserver/loop: timers by the fake clock, what is posted, and what
 * answers later. After a crash nothing of it is left; what was asked for learns that.
 */
#include <stdlib.h>
#include <string.h>

#include "bsserver/loop/http_client.h"
#include "bsserver/store/store.h"
#include "lib/base/str.h"
#include "tests/sim/world.h"

struct loop_timer {
	struct loop_timer *next;
	struct world *w;
	loop_fn *fn;
	void *arg;
	uint64_t at_ms; /* 0: it is not running */
};

struct post {
	loop_fn *fn;
	void *arg;
};

struct pending {
	uint64_t at_ms, seq;
	pending_fn *fn;
	void *arg;
};

static const struct world *present; /* whose clock everybody reads */

/* The one database that store.c knows of is never opened. */
const struct store_ops store_sqlite;

int64_t __wrap_clock_wall_ms(void);

int64_t
__wrap_clock_wall_ms(void)
{
	return present->wall_ms + (int64_t)present->now;
}

void
wloop_begin(const struct world *w)
{
	present = w;
}

/* ---- as bsserver/loop/loop.h has it ---- */

enum err_code
loop_timer_new(struct loop *l, loop_fn *fn, void *arg, struct loop_timer **out, struct err *e)
{
	struct world *w = (struct world *)l;
	struct loop_timer *t = calloc(1, sizeof *t);

	if (t == NULL)
		return err_no_memory(e);
	*t = (struct loop_timer){ .next = w->timers, .w = w, .fn = fn, .arg = arg };
	w->timers = t;
	*out = t;
	return ERR_OK;
}

void
loop_timer_start(struct loop_timer *t, uint64_t ms, uint64_t repeat_ms)
{
	if (repeat_ms != 0)
		abort(); /* nobody needs it */
	t->at_ms = t->w->now + MAX(ms, UINT64_C(1));
}

void
loop_timer_free(struct loop_timer *t)
{
	struct loop_timer **at;

	if (t == NULL)
		return;
	for (at = &t->w->timers; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	free(t);
}

void
loop_post(struct loop *l, loop_fn *fn, void *arg)
{
	struct world *w = (struct world *)l;
	struct post *arr = grow(w->posts, w->n_posts, &w->cap_posts, sizeof *arr);

	if (arr == NULL)
		abort();
	w->posts = arr;
	arr[w->n_posts++] = (struct post){ fn, arg };
}

/* ---- nothing goes out of a world: these are never asked for more ---- */

enum err_code
http_client_new(struct loop *l, struct http_client **out, struct err *e)
{
	(void)l;
	(void)e;
	*out = NULL;
	return ERR_OK;
}

void
http_client_free(struct http_client *c)
{
	(void)c;
}

/* ---- what answers later ---- */

void
wloop_later(struct world *w, uint64_t in_ms, pending_fn *fn, void *arg)
{
	struct pending *arr = grow(w->pending, w->n_pending, &w->cap_pending, sizeof *arr);

	if (arr == NULL)
		abort();
	w->pending = arr;
	arr[w->n_pending++] = (struct pending){ w->now + in_ms, ++w->n_happened, fn, arg };
}

static size_t
earliest(const struct world *w)
{
	size_t first = 0;

	for (size_t i = 1; i < w->n_pending; i++)
		if (w->pending[i].at_ms < w->pending[first].at_ms ||
		    (w->pending[i].at_ms == w->pending[first].at_ms && w->pending[i].seq < w->pending[first].seq))
			first = i;
	return first;
}

static void
run_pending(struct world *w, size_t i, bool crashed)
{
	struct pending p = w->pending[i];

	w->pending[i] = w->pending[--w->n_pending];
	p.fn(w, p.arg, crashed);
}

static void
run_posts(struct world *w)
{
	for (size_t i = 0; i < w->n_posts; i++) /* these may post more */
		w->posts[i].fn(w->posts[i].arg);
	w->n_posts = 0;
}

static struct loop_timer *
first_timer(const struct world *w)
{
	struct loop_timer *first = NULL;

	for (struct loop_timer *t = w->timers; t != NULL; t = t->next)
		if (t->at_ms != 0 && (first == NULL || t->at_ms < first->at_ms))
			first = t;
	return first;
}

uint64_t
wloop_next(const struct world *w)
{
	const struct loop_timer *t = first_timer(w);
	uint64_t next = t == NULL ? UINT64_MAX : t->at_ms;

	if (w->n_posts > 0)
		return w->now;
	return w->n_pending > 0 ? MIN(next, w->pending[earliest(w)].at_ms) : next;
}

void
wloop_tick(struct world *w)
{
	struct loop_timer *t;

	run_posts(w);
	while (w->n_pending > 0 && w->pending[earliest(w)].at_ms <= w->now) {
		run_pending(w, earliest(w), false);
		run_posts(w);
	}
	while ((t = first_timer(w)) != NULL && t->at_ms <= w->now) {
		t->at_ms = 0;
		t->fn(t->arg);
		run_posts(w);
	}
}

void
wloop_crash(struct world *w)
{
	while (w->n_pending > 0)
		run_pending(w, earliest(w), true);
	run_posts(w);
}

void
wloop_end(struct world *w)
{
	if (w->timers != NULL || w->n_pending != 0 || w->n_posts != 0)
		abort();
	free(w->posts);
	free(w->pending);
}
