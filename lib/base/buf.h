/*
 * lib/base/buf.h: bounded bytes. rbuf reads what came from outside, wbuf writes into memory that
 * somebody else owns, gbuf grows up to a bound. All have one sticky flag: do ten steps, ask once.
 */
#ifndef LIB_BASE_BUF_H
#define LIB_BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/err.h"

struct rbuf {
	const uint8_t *data; /* borrowed */
	size_t len, pos;
	bool overrun; /* sticky: a read past the end gave zeros and did not move pos */
};

struct wbuf {
	uint8_t *data; /* borrowed */
	size_t len, cap;
	bool overflow; /* sticky: something did not fit; nothing of it was written */
};

struct gbuf {
	uint8_t *data; /* owned, wiped when it moves or goes; a NUL stands behind the last byte */
	size_t len, cap;
	size_t max;  /* the bound on len; 0 means GBUF_MAX_DEFAULT */
	bool failed; /* sticky: bound reached or memory short */
};

#define GBUF_MAX_DEFAULT ((size_t)16 << 20)

static inline struct rbuf
rbuf_make(const void *data, size_t len)
{
	return (struct rbuf){ .data = data, .len = len };
}

static inline size_t
rbuf_left(const struct rbuf *r)
{
	return r->len - r->pos;
}

/* The next n bytes, and pos moves behind them; NULL (and overrun) when there are fewer. */
static inline const uint8_t *
rbuf_take(struct rbuf *r, size_t n)
{
	if (r->overrun || n > r->len - r->pos) {
		r->overrun = true;
		return NULL;
	}
	const uint8_t *p = r->data + r->pos;
	r->pos += n;
	return p;
}

/* Big-endian numbers of n octets (1..8). */
static inline uint64_t
rbuf_be(struct rbuf *r, size_t n)
{
	const uint8_t *p = rbuf_take(r, n);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint8_t
rbuf_u8(struct rbuf *r)
{
	return (uint8_t)rbuf_be(r, 1);
}

static inline struct wbuf
wbuf_make(void *data, size_t cap)
{
	return (struct wbuf){ .data = data, .cap = cap };
}

void wbuf_put(struct wbuf *w, const void *src, size_t n);
void wbuf_be(struct wbuf *w, uint64_t v, size_t n);
void wbuf_str(struct wbuf *w, const char *s);

/* Room for n more bytes and the NUL: false, and failed, when the bound or memory says no. */
bool gbuf_grow(struct gbuf *g, size_t n);
static inline bool
gbuf_room(struct gbuf *g, size_t n)
{
	return (!g->failed && n < g->cap - g->len) || gbuf_grow(g, n);
}

static inline void
gbuf_put(struct gbuf *g, const void *src, size_t n)
{
	if (!gbuf_room(g, n))
		return;
	if (n > 0)
		memcpy(g->data + g->len, src, n);
	g->len += n;
	g->data[g->len] = 0;
}

static inline void
gbuf_u8(struct gbuf *g, uint8_t v)
{
	if (!gbuf_room(g, 1))
		return;
	g->data[g->len++] = v;
	g->data[g->len] = 0;
}

static inline void
gbuf_str(struct gbuf *g, const char *s)
{
	gbuf_put(g, s, strlen(s));
}

void gbuf_be(struct gbuf *g, uint64_t v, size_t n);
void gbuf_u64(struct gbuf *g, uint64_t v); /* in decimal */
void gbuf_i64(struct gbuf *g, int64_t v);
void gbuf_printf(struct gbuf *g, const char *fmt, ...) PRINTF_LIKE(2, 3);
void gbuf_reset(struct gbuf *g); /* empty, memory kept, wiped */
void gbuf_clear(struct gbuf *g); /* wipes and frees; safe twice */
/* The text so far, never NULL, valid until the next put. */
const char *gbuf_cstr(const struct gbuf *g);
/* ERR_LIMIT or ERR_NO_MEMORY when a put failed. */
enum err_code gbuf_check(const struct gbuf *g, struct err *e);

#endif
