/* Trust anchors in the store, and which devices came under them or were given what. */
#include "bsserver/store/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 3 /* devices that a refusal names */

/* ---- what operators say ---- */

/* *same: that is what was said last. */
static enum err_code
find(struct sq_db *db, const struct sq_change *ch, bool retired, bool *same, struct err *e)
{
	struct sq q;
	bool row;
	enum err_code rc = sq_find(&q, db, SQ_ANCHOR_GET, ch->c->name, &row, e);

	*ch->result = (struct store_result){ STORE_CREATED, 0 };
	*same = false;
	if (rc == ERR_OK && row) {
		const char *trust = sq_get_text(&q);

		*same = trust != NULL && strcmp(trust, ch->c->anchor->trust) == 0;
		*same = sq_get_int(&q) == retired && *same;
		*ch->result = (struct store_result){ *same ? STORE_UNCHANGED : STORE_UPDATED,
			(uint64_t)sq_get_int(&q) };
	}
	sq_end(&q);
	return rc;
}

static enum err_code
check_change(const struct sq_change *ch, struct err *e)
{
	const struct store_anchor *a = ch->c->anchor;

	if (strlen(ch->c->name) != 64 || strspn(ch->c->name, "0123456789abcdef") != 64)
		return err_set(e, ERR_USAGE, "not the SHA-256 of a certificate in hex");
	if (a == NULL || a->trust == NULL || a->der.len == 0)
		return err_set(e, ERR_USAGE, "without its certificate");
	return ERR_OK;
}

static enum err_code
put(struct store *s, struct sq_db *db, struct sq_change *ch, bool retired, struct err *e)
{
	const struct store_anchor *a = ch->c->anchor;
	struct store_feed f = { .kind = STORE_FEED_ANCHOR,
		.name = ch->c->name,
		.identity = a->trust,
		.key = &a->der,
		.at_ms = ch->now_ms,
		.state = retired ? STORE_RETIRED : STORE_ACTIVE };

	f.seq = ch->seq = ch->result->revision = ++s->tally.counts.seq;
	struct sq q = sq_use(db, SQ_ANCHOR_PUT);
	sq_put_text(&q, ch->c->name);
	sq_put_text(&q, a->trust);
	sq_put_int(&q, retired);
	sq_put_int(&q, (int64_t)ch->seq);
	sq_put_int(&q, ch->now_ms);
	sq_put_text(&q, ch->who->name);
	sq_put_blob(&q, a->der.data, a->der.len);
	gbuf_printf(&ch->detail, "trust %s%s%s", a->trust, ch->detail.len > 0 ? "; " : "",
	    ch->c->force ? "; forced" : "");
	enum err_code rc = sq_run(&q, e);
	return rc == ERR_OK ? sq_feed_add(ch->feed, &f, e) : rc;
}

enum err_code
sq_anchor_put(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	bool same = false;
	enum err_code rc = check_change(ch, e);

	if (rc == ERR_OK)
		rc = find(db, ch, false, &same, e);
	return rc == ERR_OK && !same ? put(s, db, ch, false, e) : rc;
}

/* Devices that speak against it. */
struct remaining {
	uint64_t n;
	struct gbuf names;
};

static void
add_remaining(struct remaining *r, const char *endpoint)
{
	if (r->n++ < NAMED_MAX)
		gbuf_printf(&r->names, "%s%s", r->n > 1 ? ", " : "", endpoint == NULL ? "" : endpoint);
}

static enum err_code
find_remaining(struct sq_db *db, const char *sha256, struct remaining *needs, struct remaining *unknown, struct err *e)
{
	struct sq q = sq_use(db, SQ_ANCHOR_REMAINING);
	bool row = false;
	enum err_code rc;

	sq_put_text(&q, sha256);
	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		const char *endpoint = sq_get_text(&q);

		add_remaining(sq_get_int(&q) != 0 ? unknown : needs, endpoint);
	}
	sq_end(&q);
	return rc;
}

static enum err_code
refuse_remaining(const struct remaining *needs, const struct remaining *unknown, struct err *e)
{
	const struct remaining *r = needs->n > 0 ? needs : unknown;
	const char *more = r->n > NAMED_MAX ? ", ..." : "";

	if (r->n == 0)
		return ERR_OK;
	if (r == unknown)
		return err_set(e, ERR_REFUSED, "what %llu device%s came under or hold%s is not known before the next "
			"session that ends well: %s%s", (unsigned long long)r->n, r->n == 1 ? "" : "s",
		    r->n == 1 ? "s" : "", gbuf_cstr(&r->names), more);
	return err_set(e, ERR_REFUSED, "%llu device%s came under it or hold%s it: %s%s", (unsigned long long)r->n,
	    r->n == 1 ? "" : "s", r->n == 1 ? "s" : "", gbuf_cstr(&r->names), more);
}

/* In the same transaction: no session can come between. */
static enum err_code
check_remaining(struct sq_db *db, const struct sq_change *ch, struct err *e)
{
	struct remaining needs = { .names = { .max = 2048 } }, unknown = { .names = { .max = 2048 } };
	enum err_code rc = find_remaining(db, ch->c->name, &needs, &unknown, e);

	if (rc == ERR_OK && !ch->c->force)
		rc = refuse_remaining(&needs, &unknown, e);
	gbuf_clear(&needs.names);
	gbuf_clear(&unknown.names);
	return rc;
}

enum err_code
sq_anchor_retire(struct store *s, struct sq_db *db, struct sq_change *ch, struct err *e)
{
	bool same = false;
	enum err_code rc = check_change(ch, e);

	if (rc == ERR_OK)
		rc = find(db, ch, true, &same, e);
	if (rc != ERR_OK || same)
		return rc;
	rc = check_remaining(db, ch, e);
	return rc == ERR_OK ? put(s, db, ch, true, e) : rc;
}

/* ---- what sessions say ---- */

static enum err_code
came_under(struct sq_db *db, int64_t device, const struct bs_record *r, struct err *e)
{
	struct sq q = sq_use(db, SQ_GIVEN_UNDER);
	struct gbuf item = { .max = 256 };

	sq_put_int(&q, device);
	sq_put_text(&q, r->anchor);
	enum err_code rc = sq_run(&q, e);
	if (rc != ERR_OK || r->anchor == NULL)
		return rc;
	gbuf_printf(&item, "[{\"kind\":\"under\",\"path\":\"\",\"digest\":\"%.64s\"}]", r->anchor);
	q = sq_use(db, SQ_GIVEN_ADD);
	sq_put_int(&q, device);
	sq_put_int(&q, (int64_t)r->id);
	sq_put_int(&q, r->ended_ms);
	sq_put_text(&q, gbuf_cstr(&item));
	rc = sq_run(&q, e);
	gbuf_clear(&item);
	return rc;
}

static enum err_code
was_given(struct sq_db *db, int64_t device, const struct bs_record *r, struct err *e)
{
	struct sq q = sq_use(db, SQ_GIVEN_ADD);

	sq_put_int(&q, device);
	sq_put_int(&q, (int64_t)r->id);
	sq_put_int(&q, r->ended_ms);
	sq_put_text(&q, r->given);
	return sq_run(&q, e);
}

enum err_code
sq_given_keep(struct sq_db *db, const struct sq_kept *k, struct err *e)
{
	const struct bs_record *r = k->rec;
	bool anything = r->given != NULL && strcmp(r->given, "[]") != 0 && (k->good || r->writes > 0);
	enum err_code rc = ERR_OK;

	if (r->verdict == BS_VERDICT_REFUSED)
		return ERR_OK; /* it was not let in under anything */
	if (k->given || r->anchor != NULL)
		rc = came_under(db, k->device, r, e);
	if (rc == ERR_OK && anything)
		rc = was_given(db, k->device, r, e);
	if (rc != ERR_OK || !k->given || !k->good || r->given == NULL)
		return rc;
	struct sq q = sq_use(db, SQ_GIVEN_ONLY);
	sq_put_int(&q, k->device);
	sq_put_int(&q, (int64_t)r->id);
	return sq_run(&q, e);
}

enum err_code
sq_given_remove(struct sq_db *db, int64_t device, struct err *e)
{
	struct sq q = sq_use(db, SQ_GIVEN_REMOVE);

	sq_put_int(&q, device);
	return sq_run(&q, e);
}

/* ---- rows ---- */

static enum err_code
get_der(struct sq *q, struct secret *out, struct err *e)
{
	size_t n;
	const void *p = sq_get_blob(q, &n);

	return p == NULL || n == 0 ? ERR_OK : secret_set(out, p, n, e);
}

enum err_code
sq_row_anchor(struct sq *q, struct store_anchor *a, struct err *e)
{
	a->sha256 = sq_get_dup(q);
	a->trust = sq_get_dup(q);
	a->retired = sq_get_int(q) != 0;
	a->number = (uint64_t)sq_get_int(q);
	a->at_ms = sq_get_int(q);
	a->actor = sq_get_dup(q);
	enum err_code rc = get_der(q, &a->der, e);
	a->subject = sq_get_dup(q);
	a->not_after = sq_get_int(q);
	a->under = (uint64_t)sq_get_int(q);
	a->given = (uint64_t)sq_get_int(q);
	return rc == ERR_OK && q->nomem ? err_no_memory(e) : rc;
}

enum err_code
sq_row_given(struct sq *q, struct store_given *g, struct err *e)
{
	g->id = (uint64_t)sq_get_int(q);
	g->endpoint = sq_get_dup(q);
	g->kind = sq_get_dup(q);
	g->path = sq_get_dup(q);
	g->sha256 = sq_get_dup(q);
	g->subject = sq_get_dup(q);
	g->not_after = sq_get_int(q);
	g->session = (uint64_t)sq_get_int(q);
	g->at_ms = sq_get_int(q);
	return q->nomem ? err_no_memory(e) : ERR_OK;
}

enum err_code
sq_anchor_tell(struct store *s, struct sq_db *db, struct err *e)
{
	struct sq q = sq_use(db, SQ_FEED_ANCHORS);
	bool row = false;
	enum err_code rc;

	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		struct store_feed f = { .kind = STORE_FEED_ANCHOR, .seq = s->tally.counts.seq };
		struct secret der = SECRET_NONE;

		f.name = sq_get_text(&q);
		f.identity = sq_get_text(&q);
		f.state = sq_get_int(&q) != 0 ? STORE_RETIRED : STORE_ACTIVE;
		f.at_ms = sq_get_int(&q);
		f.key = &der;
		rc = get_der(&q, &der, e);
		if (rc == ERR_OK)
			s->feed(s->feed_arg, &f);
		secret_clear(&der);
		if (rc != ERR_OK)
			break;
	}
	sq_end(&q);
	return rc;
}
