#include "bsserver/transport/slots.h"

#include <stdlib.h>

uint64_t
slots_add(struct slots *s, void *p)
{
	if (s->free == 0) {
		if (s->n >= UINT32_MAX - 1)
			return 0;
		struct slot *v = grow(s->v, s->n, &s->cap, sizeof *v);
		if (v == NULL)
			return 0;
		s->v = v;
		s->v[s->n++] = (struct slot){ .gen = 1 };
		s->free = (uint32_t)s->n;
	}
	uint32_t i = s->free;
	struct slot *t = &s->v[i - 1];

	s->free = t->next_free;
	t->next_free = 0;
	t->p = p;
	s->count++;
	return (uint64_t)t->gen << 32 | i;
}

void *
slots_get(const struct slots *s, uint64_t handle)
{
	uint32_t i = (uint32_t)handle;

	if (i == 0 || i > s->n || s->v[i - 1].gen != (uint32_t)(handle >> 32))
		return NULL;
	return s->v[i - 1].p;
}

void
slots_remove(struct slots *s, uint64_t handle)
{
	if (slots_get(s, handle) == NULL)
		return;
	uint32_t i = (uint32_t)handle;
	struct slot *t = &s->v[i - 1];

	t->p = NULL;
	t->gen++;
	t->next_free = s->free;
	s->free = i;
	s->count--;
}

void
slots_clear(struct slots *s)
{
	free(s->v);
	*s = (struct slots){ NULL, 0, 0, 0, 0 };
}
