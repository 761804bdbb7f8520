/*
 * bsserver/transport/slots.h: numbers that stand for pointers and go stale. A handle that was
 * removed finds nothing for ever, also when its place was given to another.
 */
#ifndef BSSERVER_TRANSPORT_SLOTS_H
#define BSSERVER_TRANSPORT_SLOTS_H

#include <stdint.h>

#include "lib/base/util.h"

struct slot {
	void *p; /* NULL: free */
	uint32_t gen;
	uint32_t next_free;
};

/* All zero is empty. */
struct slots {
	struct slot *v;
	size_t n, cap;
	uint32_t free; /* index + 1 of the first free one; 0: none */
	uint32_t count;
};

/* A handle for p (not NULL), never 0; 0 when memory is short. */
uint64_t slots_add(struct slots *s, void *p);
void *slots_get(const struct slots *s, uint64_t handle); /* NULL: stale, or never was one */
void slots_remove(struct slots *s, uint64_t handle);
void slots_clear(struct slots *s);

#endif
