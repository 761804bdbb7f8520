#include "tests/sim/net_delay.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/util.h"

static bool
before(const struct net_delayed *a, const struct net_delayed *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void
swap(struct net_delayed *a, struct net_delayed *b)
{
	struct net_delayed t = *a;
	*a = *b;
	*b = t;
}

bool
net_delay_put(struct net_delay *q, uint64_t due_ms, uint32_t offset, bool inbound,
    const uint8_t *bytes, size_t n)
{
	struct net_delayed *v =
	    q->n >= NET_DELAYED_MAX ? NULL : grow(q->v, q->n, &q->cap, sizeof *v);
	if (v == NULL)
		return false;
	q->v = v;
	struct net_delayed d = { .due_ms = due_ms,
		.order = q->order++,
		.offset = offset,
		.inbound = inbound,
		.bytes = malloc(n + 1),
		.n = n };
	if (d.bytes == NULL)
		return false;
	memcpy(d.bytes, bytes, n);
	size_t i = q->n++;
	q->v[i] = d;
	for (; i > 0 && before(&q->v[i], &q->v[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&q->v[i], &q->v[(i - 1) / 2]);
	return true;
}

bool
net_delay_take(struct net_delay *q, uint64_t now_ms, struct net_delayed *out)
{
	if (q->n == 0 || q->v[0].due_ms > now_ms)
		return false;
	*out = q->v[0];
	q->v[0] = q->v[--q->n];
	for (size_t i = 0, c = 1; c < q->n; c = 2 * i + 1) {
		if (c + 1 < q->n && before(&q->v[c + 1], &q->v[c]))
			c++;
		if (!before(&q->v[c], &q->v[i]))
			break;
		swap(&q->v[c], &q->v[i]);
		i = c;
	}
	return true;
}

uint64_t
net_delay_next(const struct net_delay *q)
{
	return q->n == 0 ? UINT64_MAX : q->v[0].due_ms;
}

void
net_delay_clear(struct net_delay *q)
{
	for (size_t i = 0; i < q->n; i++)
		free(q->v[i].bytes);
	free(q->v);
	*q = (struct net_delay){ 0 };
}

/* splitmix64 */
uint64_t
net_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}
