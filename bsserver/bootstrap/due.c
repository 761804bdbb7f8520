#include "bsserver/bootstrap/due.h"

#include <stdlib.h>

#include "lib/base/util.h"

static void
set(struct due_heap *h, size_t at, struct due *d)
{
	h->v[at] = d;
	d->heap_at = at;
}

static void
up(struct due_heap *h, struct due *d)
{
	size_t at = d->heap_at;

	for (; at > 0 && h->v[(at - 1) / 2]->at_ms > d->at_ms; at = (at - 1) / 2)
		set(h, at, h->v[(at - 1) / 2]);
	set(h, at, d);
}

static void
down(struct due_heap *h, struct due *d)
{
	size_t at = d->heap_at;

	for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
		if (child + 1 < h->n && h->v[child + 1]->at_ms < h->v[child]->at_ms)
			child++;
		if (h->v[child]->at_ms >= d->at_ms)
			break;
		set(h, at, h->v[child]);
	}
	set(h, at, d);
}

bool
due_add(struct due_heap *h, struct due *d)
{
	struct due **arr = grow(h->v, h->n, &h->cap, sizeof *arr);

	if (arr == NULL)
		return false;
	h->v = arr;
	set(h, h->n++, d);
	up(h, d);
	return true;
}

void
due_remove(struct due_heap *h, struct due *d)
{
	size_t at = d->heap_at;
	struct due *last = h->v[--h->n];

	if (at == h->n)
		return;
	set(h, at, last);
	up(h, last);
	down(h, last);
}

void
due_move(struct due_heap *h, struct due *d, uint64_t at_ms)
{
	d->at_ms = at_ms;
	up(h, d);
	down(h, d);
}

void
due_clear(struct due_heap *h)
{
	free(h->v);
	*h = (struct due_heap){ 0 };
}
