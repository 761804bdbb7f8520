/*
 * bsserver/transport/wheel.h: many deadlines, each set and taken back in a few instructions. Pure:
 * the caller brings the time, and calls wheel_turn() every WHEEL_TICK_MS while it is not empty.
 */
#ifndef BSSERVER_TRANSPORT_WHEEL_H
#define BSSERVER_TRANSPORT_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_TICK_MS 32
#define WHEEL_SLOTS 512 /* a power of two */

/* Lies in the structure it is about; all zero but due is not set. */
struct wheel_item {
	struct wheel_item *next, **at;
	uint64_t due_ms;
	void (*due)(struct wheel_item *i); /* for whoever turns the wheel */
};

struct wheel {
	struct wheel_item *slots[WHEEL_SLOTS];
	uint64_t turned_to; /* ticks that were looked at */
	unsigned count;
};

void wheel_init(struct wheel *w, uint64_t now_ms);
/* Sets it, or sets it anew. It comes out at due_ms or up to one tick later. */
void wheel_set(struct wheel *w, struct wheel_item *i, uint64_t due_ms);
void wheel_unset(struct wheel *w, struct wheel_item *i); /* fine when it is not set */
/* One that is due, unset; NULL when none is left. Ask until NULL. */
struct wheel_item *wheel_turn(struct wheel *w, uint64_t now_ms);

#endif
