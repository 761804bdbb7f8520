#include "bsserver/transport/wheel.h"

#include <stddef.h>

void
wheel_init(struct wheel *w, uint64_t now_ms)
{
	*w = (struct wheel){ .turned_to = now_ms / WHEEL_TICK_MS };
}

void
wheel_set(struct wheel *w, struct wheel_item *i, uint64_t due_ms)
{
	wheel_unset(w, i);
	/* rounded up: never early; and never into a tick that was looked at already */
	uint64_t tick = due_ms / WHEEL_TICK_MS + 1;
	if (tick <= w->turned_to)
		tick = w->turned_to + 1;
	struct wheel_item **slot = &w->slots[tick % WHEEL_SLOTS];

	i->due_ms = due_ms;
	i->next = *slot;
	i->at = slot;
	if (i->next != NULL)
		i->next->at = &i->next;
	*slot = i;
	w->count++;
}

void
wheel_unset(struct wheel *w, struct wheel_item *i)
{
	if (i->at == NULL)
		return;
	*i->at = i->next;
	if (i->next != NULL)
		i->next->at = i->at;
	i->next = NULL;
	i->at = NULL;
	w->count--;
}

static struct wheel_item *
due_in(struct wheel_item *i, uint64_t now_ms)
{
	while (i != NULL && i->due_ms > now_ms) /* of a later round */
		i = i->next;
	return i;
}

struct wheel_item *
wheel_turn(struct wheel *w, uint64_t now_ms)
{
	uint64_t now = now_ms / WHEEL_TICK_MS;

	if (w->count == 0)
		w->turned_to = now;
	if (now > w->turned_to + WHEEL_SLOTS) /* every slot once is enough */
		w->turned_to = now - WHEEL_SLOTS;
	while (w->turned_to < now) {
		struct wheel_item *i = due_in(w->slots[(w->turned_to + 1) % WHEEL_SLOTS], now_ms);
		if (i != NULL) {
			wheel_unset(w, i);
			return i;
		}
		w->turned_to++;
	}
	return NULL;
}
