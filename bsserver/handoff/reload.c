/* The LwM2M Servers of the configuration are other ones from now on. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/internal.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

#define PAGE 500

/* ---- who is left behind: what the store has about servers that are gone ---- */

struct left {
	char *name;
	uint64_t known, open; /* devices that it knows of, or may; of these, with something to be done */
};

struct count {
	struct handoff *h;
	struct left *v;
	size_t n;
	char *after_endpoint, *after_target; /* how far it is; NULL: at the start */
};

static void
count_free(struct count *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].name);
	free(c->v);
	free(c->after_endpoint);
	free(c->after_target);
	free(c);
}

static void
say(const struct count *c)
{
	for (size_t i = 0; i < c->n; i++)
		log_msg(c->v[i].known > 0 ? LVL_WARNING : LVL_NOTICE, LOG_HANDOFF, NULL,
		    "LwM2M Server %s is not in lwm2m_servers any more: it knows %llu devices, and the hand-offs of %llu of them "
		    "wait until it is there again",
		    c->v[i].name, (unsigned long long)c->v[i].known, (unsigned long long)c->v[i].open);
}

static void
count_row(struct count *c, const struct store_handoff *row)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].name, row->target) == 0) {
			c->v[i].known++;
			c->v[i].open += row->due_ms > 0;
		}
}

static void next_page(struct count *c);

static void
on_page(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct count *c = arg;

	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		count_row(c, &v[i]);
	if (rc == ERR_OK && more && n > 0 && !c->h->stopped) {
		free(c->after_endpoint);
		free(c->after_target);
		c->after_endpoint = str_dup_n(v[n - 1].endpoint, strlen(v[n - 1].endpoint));
		c->after_target = str_dup_n(v[n - 1].target, strlen(v[n - 1].target));
		if (c->after_endpoint != NULL && c->after_target != NULL) {
			next_page(c);
			return;
		}
	}
	if (rc != ERR_OK)
		log_msg(LVL_WARNING, LOG_HANDOFF, NULL, "hand-offs of LwM2M Servers that are gone were not counted (%s)", e->msg);
	else if (!c->h->stopped)
		say(c);
	count_free(c);
}

static void
next_page(struct count *c)
{
	const struct store_handoff_page p = { .after_endpoint = c->after_endpoint, .after_target = c->after_target, .limit = PAGE };

	c->h->c.ops->handoff_list(c->h->c.store, &p, on_page, c);
}

/* ---- the servers ---- */

static struct server *
named(const struct handoff *h, const char *name)
{
	for (size_t i = 0; i < h->n_servers; i++)
		if (strcmp(h->servers[i]->s->name, name) == 0)
			return h->servers[i];
	return NULL;
}

/* All that is needed, so that what comes after cannot fail: contents by turn, and for names that are new their servers. */
struct fresh {
	struct handoff_server *s;
	struct server *home; /* NULL: there is one of that name */
};

static void
fresh_free(struct fresh *v, size_t n)
{
	for (size_t i = 0; v != NULL && i < n; i++) {
		handoff_server_release(v[i].s);
		free(v[i].home);
	}
	free(v);
}

static struct fresh *
prepare(struct handoff *h, struct handoff_server *servers, size_t n)
{
	struct server **more = realloc(h->servers, (h->n_servers + n + 1) * sizeof(struct server *));
	struct fresh *v = more == NULL ? NULL : calloc(n + 1, sizeof *v);
	bool whole = v != NULL;

	if (more != NULL)
		h->servers = more;
	for (size_t i = 0; i < n; i++) {
		bool known = whole && named(h, servers[i].name) != NULL;
		struct handoff_server *s = whole ? malloc(sizeof *s) : NULL;

		if (s != NULL) {
			*s = servers[i];
			s->holders = 1;
			servers[i] = (struct handoff_server){ 0 };
			v[i].s = s;
			v[i].home = known ? NULL : calloc(1, sizeof *v[i].home);
		} else
			handoff_server_clear(&servers[i]);
		whole = whole && s != NULL && (known || v[i].home != NULL);
	}
	if (whole)
		return v;
	fresh_free(v, n);
	return NULL;
}

static void
put(struct handoff *h, struct fresh *f)
{
	struct server *s = f->home;

	if (s == NULL) {
		s = named(h, f->s->name);
		handoff_server_release(s->s);
	} else {
		s->line_end = &s->line;
		h->servers[h->n_servers++] = s;
	}
	s->s = f->s;
	s->gone = false;
	*f = (struct fresh){ 0 };
}

static void
put_all(struct handoff *h, struct fresh *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(h, &v[i]);
	fresh_free(v, n);
}

enum err_code
servers_take(struct handoff *h, struct handoff_server *servers, size_t n, struct err *e)
{
	struct fresh *v = prepare(h, servers, n);

	if (v == NULL)
		return err_no_memory(e);
	put_all(h, v, n);
	return ERR_OK;
}

/* ---- read again ---- */

static bool
is_among(const struct fresh *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].s->name, name) == 0)
			return true;
	return false;
}

/* Those that go now; who they are is said when it is known whom they leave behind. */
static struct count *
mark_gone(struct handoff *h, const struct fresh *v, size_t n)
{
	struct count *c = calloc(1, sizeof *c);

	if (c != NULL) {
		c->h = h;
		c->v = calloc(h->n_servers + 1, sizeof *c->v);
	}
	for (size_t i = 0; i < h->n_servers; i++) {
		struct server *s = h->servers[i];

		if (s->gone || is_among(v, n, s->s->name))
			continue;
		s->gone = true;
		if (c != NULL && c->v != NULL)
			c->v[c->n].name = str_dup_n(s->s->name, strlen(s->s->name));
		if (c != NULL && c->v != NULL && c->v[c->n].name != NULL)
			c->n++;
	}
	return c;
}

static void
on_retried(void *arg, enum err_code rc, const struct err *e)
{
	(void)arg;
	if (rc != ERR_OK)
		log_msg(LVL_WARNING, LOG_HANDOFF, NULL, "hand-offs that wait are not tried now (%s)", e->msg);
}

/* Rows that are being worked on and had no server may have one now; who stands in line of one that is gone need not wait. */
static void
find_servers(struct handoff *h)
{
	struct table_node *node = NULL;

	for (size_t at = 0; (node = table_each(&h->jobs, &at, node)) != NULL;) {
		struct handing *j = CONTAINER_OF(node, struct handing, node);

		if (j->server == NULL)
			j->server = named(h, j->row.target);
	}
	for (size_t i = 0; i < h->n_servers; i++)
		if (h->servers[i]->gone) {
			handing_next_in_line(h->servers[i]);
			triggers_turn_away(h->servers[i], "the configuration has that LwM2M Server no more");
		}
}

enum err_code
handoff_reload(struct handoff *h, struct handoff_server *servers, size_t n, struct err *e)
{
	struct fresh *v = prepare(h, servers, n);
	struct count *c;

	if (v == NULL)
		return err_no_memory(e);
	c = mark_gone(h, v, n);
	put_all(h, v, n);
	find_servers(h);
	if (c != NULL && c->n > 0)
		next_page(c);
	else if (c != NULL)
		count_free(c);
	handoff_retry(h, NULL, on_retried, NULL);
	return ERR_OK;
}
