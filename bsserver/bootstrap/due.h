/*
 * bsserver/bootstrap/due.h: a heap of deadlines: which comes first. A deadline lies inside what it
 * belongs to; the heap owns nothing but its own array.
 */
#ifndef BSSERVER_BOOTSTRAP_DUE_H
#define BSSERVER_BOOTSTRAP_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due {
	uint64_t at_ms; /* set before due_add(), later by due_move() */
	size_t heap_at; /* the heap's own */
};

struct due_heap {
	struct due **v; /* v[0] comes first, the others in no order */
	size_t n, cap;
};

/* false: memory is short. */
bool due_add(struct due_heap *h, struct due *d);
/* It must be there. */
void due_remove(struct due_heap *h, struct due *d);
void due_move(struct due_heap *h, struct due *d, uint64_t at_ms);
void due_clear(struct due_heap *h); /* safe on {0}, and twice */

#endif
