/*
 * lib/base/secret.h: bytes that are wiped when they go.
 *
 * Every key, and every value that may be one, lives in a struct secret from the moment it is read
 * to the moment it is freed. No copy is left on a stack or in a freed block.
 */
#ifndef LIB_BASE_SECRET_H
#define LIB_BASE_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct secret {
	uint8_t *data; /* owned; NULL when len is 0. One NUL stands behind the last byte */
	size_t len;
};

#define SECRET_NONE ((struct secret){ NULL, 0 })

/* Copies n bytes (n may be 0). *s must be cleared or SECRET_NONE before: it is overwritten. */
enum err_code secret_set(struct secret *s, const void *src, size_t n, struct err *e);
enum err_code secret_copy(struct secret *dst, const struct secret *src, struct err *e);

/* n bytes of zero, to be filled in place through s->data. */
enum err_code secret_alloc(struct secret *s, size_t n, struct err *e);

/* n random bytes fit for a key. ERR_CRYPTO when the generator fails. */
enum err_code secret_random(struct secret *s, size_t n, struct err *e);

/* Wipes and frees; safe on SECRET_NONE, and twice. */
void secret_clear(struct secret *s);

/* The contents move to dst (overwritten, must be empty); src is left empty. */
void secret_move(struct secret *dst, struct secret *src);

/* Takes time that depends on the lengths only. */
bool secret_equal(const struct secret *a, const struct secret *b);
bool secret_equal_bytes(const struct secret *a, const void *b, size_t n);

/* Wipes memory in a way that the compiler may not leave out. */
void wipe(void *p, size_t n);

/* Keys are in this process's memory: from now on it leaves no core and lets no debugger of its user in. */
void secret_no_core(void);

#endif
