#include "lib/base/secret.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void
wipe(void *p, size_t n)
{
	if (n > 0)
		gnutls_memset(p, 0, n);
}

enum err_code
secret_alloc(struct secret *s, size_t n, struct err *e)
{
	*s = SECRET_NONE;
	if (n == 0)
		return ERR_OK;
	if (n == SIZE_MAX)
		return err_no_memory(e);
	s->data = calloc(1, n + 1);
	if (s->data == NULL)
		return err_no_memory(e);
	s->len = n;
	return ERR_OK;
}

enum err_code
secret_set(struct secret *s, const void *src, size_t n, struct err *e)
{
	enum err_code rc = secret_alloc(s, n, e);

	if (rc == ERR_OK && n > 0)
		memcpy(s->data, src, n);
	return rc;
}

enum err_code
secret_copy(struct secret *dst, const struct secret *src, struct err *e)
{
	return secret_set(dst, src->data, src->len, e);
}

enum err_code
secret_random(struct secret *s, size_t n, struct err *e)
{
	enum err_code rc = secret_alloc(s, n, e);

	if (rc != ERR_OK || n == 0)
		return rc;
	int r = gnutls_rnd(GNUTLS_RND_KEY, s->data, n);
	if (r < 0) {
		secret_clear(s);
		return err_set(e, ERR_CRYPTO, "random generator: %s", gnutls_strerror(r));
	}
	return ERR_OK;
}

void
secret_clear(struct secret *s)
{
	if (s->data != NULL) {
		wipe(s->data, s->len);
		free(s->data);
	}
	*s = SECRET_NONE;
}

void
secret_move(struct secret *dst, struct secret *src)
{
	*dst = *src;
	*src = SECRET_NONE;
}

bool
secret_equal_bytes(const struct secret *a, const void *b, size_t n)
{
	return a->len == n && (n == 0 || a->data == b || gnutls_memcmp(a->data, b, n) == 0);
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	return secret_equal_bytes(a, b->data, b->len);
}

void
secret_no_core(void)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
