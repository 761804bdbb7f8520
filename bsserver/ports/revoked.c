/* A certificate that was found revoked is known from then on. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/ports/internal.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

struct noting {
	struct store_change c;
	char *sha256, *why;
};

static void
noting_free(struct noting *n)
{
	free(n->sha256);
	free(n->why);
	free(n);
}

static void
on_noted(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *v, size_t n)
{
	(void)failed_at;
	(void)v;
	(void)n;
	if (rc != ERR_OK)
		log_msg(LVL_WARNING, LOG_PORTS, NULL, "a revoked certificate could not be noted (%s)", e->msg);
	noting_free(arg);
}

static char *
found_text(const char *why)
{
	struct gbuf text = { .max = 1024 };
	char *out = NULL;

	gbuf_printf(&text, SHELF_FOUND "%s", why);
	if (!text.failed)
		out = str_dup_n(gbuf_cstr(&text), text.len);
	gbuf_clear(&text);
	return out;
}

void
ports_revoked(struct ports *p, const char *sha256, const char *why)
{
	struct noting *n = shelf_revoked(p->c.shelf, sha256) != NULL ? NULL : calloc(1, sizeof *n);

	if (n == NULL)
		return;
	n->sha256 = str_dup_n(sha256, strlen(sha256));
	n->why = found_text(why);
	n->c = (struct store_change){ .op = STORE_REVOKE, .name = n->sha256, .detail = n->why };
	if (n->sha256 == NULL || n->why == NULL)
		noting_free(n);
	else
		p->c.ops->apply(p->c.store, &(struct store_actor){ .name = "system" }, &n->c, 1, on_noted, n);
}
