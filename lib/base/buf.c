#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/secret.h"

void
wbuf_put(struct wbuf *w, const void *src, size_t n)
{
	if (w->overflow || n > w->cap - w->len) {
		w->overflow = true; /* nothing is written by halves */
		return;
	}
	if (n > 0)
		memcpy(w->data + w->len, src, n);
	w->len += n;
}

static void
to_be(uint8_t out[8], uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

void
wbuf_be(struct wbuf *w, uint64_t v, size_t n)
{
	uint8_t b[8];

	to_be(b, v, n);
	wbuf_put(w, b, n);
}

void
wbuf_str(struct wbuf *w, const char *s)
{
	wbuf_put(w, s, strlen(s));
}

/* The old block is wiped: it may hold a key. A block never holds more than the bound and the NUL. */
bool
gbuf_grow(struct gbuf *g, size_t n)
{
	size_t max = g->max == 0 ? GBUF_MAX_DEFAULT : g->max;

	if (g->failed || n > max - g->len) {
		g->failed = true;
		return false;
	}
	size_t cap = MIN(MAX(g->len + n + 1, MAX((size_t)256, g->cap * 2)), max + 1);
	uint8_t *p = malloc(cap);
	if (p == NULL) {
		g->failed = true;
		return false;
	}
	if (g->data != NULL) {
		memcpy(p, g->data, g->len);
		wipe(g->data, g->cap); /* gbuf_printf() may have been behind len */
		free(g->data);
	}
	g->data = p;
	g->cap = cap;
	g->data[g->len] = 0;
	return true;
}

void
gbuf_be(struct gbuf *g, uint64_t v, size_t n)
{
	uint8_t b[8];

	to_be(b, v, n);
	gbuf_put(g, b, n);
}

void
gbuf_u64(struct gbuf *g, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	gbuf_put(g, digits + at, sizeof digits - at);
}

void
gbuf_i64(struct gbuf *g, int64_t v)
{
	if (v < 0)
		gbuf_u8(g, '-');
	gbuf_u64(g, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

/* Written where there is room already; once more when that was not enough. */
void
gbuf_printf(struct gbuf *g, const char *fmt, ...)
{
	size_t room = g->failed ? 0 : g->cap - g->len;
	char none[1];
	va_list ap, ap2;

	va_start(ap, fmt);
	va_copy(ap2, ap);
	int n = vsnprintf(room > 0 ? (char *)g->data + g->len : none, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		g->failed = true;
	else if ((size_t)n < room)
		g->len += (size_t)n;
	else if (gbuf_room(g, (size_t)n)) {
		(void)vsnprintf((char *)g->data + g->len, (size_t)n + 1, fmt, ap2);
		g->len += (size_t)n;
	}
	va_end(ap2);
	if (g->failed && room > 0)
		wipe(g->data + g->len, room); /* what did not fit is not there by halves */
}

void
gbuf_reset(struct gbuf *g)
{
	if (g->data != NULL) {
		wipe(g->data, g->len);
		g->data[0] = 0;
	}
	g->len = 0;
	g->failed = false;
}

void
gbuf_clear(struct gbuf *g)
{
	if (g->data != NULL) {
		wipe(g->data, g->len);
		free(g->data);
	}
	*g = (struct gbuf){ .max = g->max };
}

const char *
gbuf_cstr(const struct gbuf *g)
{
	return g->data == NULL ? "" : (const char *)g->data;
}

enum err_code
gbuf_check(const struct gbuf *g, struct err *e)
{
	size_t max = g->max == 0 ? GBUF_MAX_DEFAULT : g->max;

	return g->failed ? err_set(e, ERR_LIMIT, "more than %zu bytes", max) : ERR_OK;
}
