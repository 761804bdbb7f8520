#include "bsserver/transport/half_open.h"

#include <string.h>

static unsigned
count_of(const struct half_opens *l, const uint8_t host[16])
{
	unsigned n = 0;

	for (const struct half_open *h = l->longest; h != NULL; h = h->shorter)
		n += memcmp(h->host, host, sizeof h->host) == 0;
	return n;
}

bool
half_open_may_begin(const struct half_opens *l, const uint8_t host[16], uint64_t now_ms,
    struct half_open **instead)
{
	*instead = NULL;
	if (l->n >= l->max / 2 && l->max >= HALF_OPEN_SHARE && count_of(l, host) >= l->max / HALF_OPEN_SHARE)
		return false;
	if (l->n < l->max)
		return true;
	if (l->longest == NULL || now_ms - l->longest->moved_ms < HALF_OPEN_STUCK_MS)
		return false;
	*instead = l->longest;
	return true;
}

static void
put_last(struct half_opens *l, struct half_open *h, uint64_t now_ms)
{
	h->moved_ms = now_ms;
	h->shorter = NULL;
	h->longer = l->shortest;
	if (l->shortest != NULL)
		l->shortest->shorter = h;
	else
		l->longest = h;
	l->shortest = h;
}

static void
take_out(struct half_opens *l, struct half_open *h)
{
	if (h->longer != NULL)
		h->longer->shorter = h->shorter;
	else
		l->longest = h->shorter;
	if (h->shorter != NULL)
		h->shorter->longer = h->longer;
	else
		l->shortest = h->longer;
}

void
half_open_begin(struct half_opens *l, struct half_open *h, const uint8_t host[16], uint64_t now_ms)
{
	memcpy(h->host, host, sizeof h->host);
	h->counted = true;
	put_last(l, h, now_ms);
	l->n++;
}

void
half_open_moved(struct half_opens *l, struct half_open *h, uint64_t now_ms)
{
	if (!h->counted)
		return;
	take_out(l, h);
	put_last(l, h, now_ms);
}

void
half_open_end(struct half_opens *l, struct half_open *h)
{
	if (!h->counted)
		return;
	take_out(l, h);
	h->counted = false;
	l->n--;
}
