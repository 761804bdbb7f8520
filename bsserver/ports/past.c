#include "bsserver/ports/past.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "profiles/desired.h"

/* ---- history ---- */

static enum err_code
copy_text(const char *from, char **to, struct err *e)
{
	if (from == NULL)
		return ERR_OK;
	*to = str_dup_n(from, strlen(from));
	return *to == NULL ? err_no_memory(e) : ERR_OK;
}

/* The Short Server IDs of what was wanted. */
static enum err_code
copy_wanted(const struct profile_desired *d, struct bs_history *h, struct err *e)
{
	size_t cap = 0;

	for (size_t i = 0; i < d->tree.n; i++) {
		const struct lwm2m_node *n = &d->tree.nodes[i];
		int64_t ssid;

		if (n->path.depth != LWM2M_RESOURCE || n->path.id[0] != LWM2M_SERVER || n->path.id[2] != 0 ||
		    !lwm2m_value_number(&n->value, &ssid))
			continue;
		uint16_t *arr = grow(h->wanted, h->n_wanted, &cap, sizeof *arr);
		if (arr == NULL)
			return err_no_memory(e);
		h->wanted = arr;
		arr[h->n_wanted++] = (uint16_t)ssid;
	}
	return ERR_OK;
}

/* A form of another version of this program says nothing. */
static enum err_code
unpack_wanted(const struct secret *wrote, struct bs_history *h, struct err *e)
{
	struct profile_desired *d = wrote->len == 0 ? NULL : calloc(1, sizeof *d);

	if (d == NULL)
		return wrote->len == 0 ? ERR_OK : err_no_memory(e);
	if (profile_desired_unpack(wrote->data, wrote->len, d, NULL) != ERR_OK) {
		free(d);
		return ERR_OK;
	}
	h->wrote = d;
	return copy_wanted(d, h, e);
}

struct bs_held
past_held(const struct store_held *h)
{
	return (struct bs_held){ .links = h->links, .values = h->values, .read = h->read };
}

static enum err_code
copy_good(const struct store_held *h, const struct profile_desired *held, struct bs_history *out, struct err *e)
{
	out->good_session = h->last_session;
	out->good_started_ms = h->started_ms;
	out->good_ended_ms = h->last_ms;
	out->good_revision = h->revision;
	out->good_restored = h->restored;
	out->held.read = h->read;
	enum err_code rc = copy_text(h->links, &out->held.links, e);
	if (rc == ERR_OK)
		rc = copy_text(h->values, &out->held.values, e);
	if (rc == ERR_OK)
		rc = copy_text(h->placed, &out->placed, e);
	if (rc == ERR_OK)
		rc = copy_text(h->expiries, &out->expiries, e);
	if (rc != ERR_OK)
		return rc;
	out->wrote_same = held != NULL;
	return held == NULL ? unpack_wanted(&h->wrote, out, e) : copy_wanted(held, out, e);
}

/* One that was refused left the device as it was: the failure before it still counts. */
static enum bs_verdict
last_verdict(const struct store_device *d)
{
	return d->last_verdict == BS_VERDICT_REFUSED && d->failures > 0 ? BS_VERDICT_FAILED : d->last_verdict;
}

enum err_code
past_history(const struct store_device *d, const struct profile_desired *held, int64_t now_ms,
    struct bs_history *out, struct err *e)
{
	enum err_code rc = ERR_OK;

	out->now_ms = now_ms;
	out->last_session = d->last_session;
	out->last_ended_ms = d->last_ended_ms;
	out->last_verdict = last_verdict(d);
	out->last_reason = d->last_reason;
	out->recent_returns = d->recent_good;
	if (d->held.session != 0)
		rc = copy_good(&d->held, held, out, e);
	if (rc != ERR_OK)
		bs_history_clear(out);
	return rc;
}

bool
past_restores(const struct store_device *d, uint64_t revision)
{
	const struct store_wish *w = &d->wishes[STORE_WISH_ROLLBACK];

	return w->number != 0 && (w->done_session == 0 || w->done_revision >= revision);
}

/* ---- what was given ---- */

enum err_code
given_add(struct table *t, uint64_t session, struct secret *wrote, struct given **out, struct err *e)
{
	struct given *g = calloc(1, sizeof *g);
	enum err_code rc = g == NULL ? err_no_memory(e) : table_add(t, &g->node, table_hash_u64(t, session));

	if (rc != ERR_OK) {
		secret_clear(wrote);
		free(g);
		return rc;
	}
	g->session = session;
	g->wrote = *wrote;
	*wrote = SECRET_NONE;
	*out = g;
	return ERR_OK;
}

struct given *
given_find(const struct table *t, uint64_t session)
{
	struct table_node *n = table_first(t, table_hash_u64(t, session));

	for (; n != NULL; n = table_next(n)) {
		struct given *g = CONTAINER_OF(n, struct given, node);

		if (g->session == session)
			return g;
	}
	return NULL;
}

void
given_remove(struct table *t, struct given *g)
{
	if (g == NULL)
		return;
	table_remove(t, &g->node);
	secret_clear(&g->wrote);
	free(g->anchor);
	free(g->given);
	free(g);
}

void
given_clear(struct table *t)
{
	struct table_node *n;

	for (size_t at = 0; (n = table_each(t, &at, NULL)) != NULL; at = 0)
		given_remove(t, CONTAINER_OF(n, struct given, node));
	table_clear(t);
}
