/* What sessions left on their devices. */
#include "bsserver/store/sqlite_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_LEN 24 /* a session's number as text */

/* What is sealed is bound to its device and its session. */
static void
slot_of(uint64_t session, char out[SLOT_LEN])
{
	(void)snprintf(out, SLOT_LEN, "%llu", (unsigned long long)session);
}

enum err_code
sq_row_held(struct sq *q, const char *endpoint, struct store_held *h, struct err *e)
{
	char slot[SLOT_LEN];
	size_t n;

	h->session = (uint64_t)sq_get_int(q);
	h->last_session = (uint64_t)sq_get_int(q);
	h->at_ms = sq_get_int(q);
	h->started_ms = sq_get_int(q);
	h->last_ms = sq_get_int(q);
	h->good = sq_get_int(q) != 0;
	h->restored = sq_get_int(q) != 0;
	h->revision = (uint64_t)sq_get_int(q);
	h->read = (unsigned)sq_get_int(q);
	h->likeness = (uint64_t)sq_get_int(q);
	h->profile = sq_get_dup(q);
	h->fingerprints = sq_get_dup(q);
	h->expiries = sq_get_dup(q);
	h->links = sq_get_dup(q);
	h->values = sq_get_dup(q);
	h->findings = sq_get_dup(q);
	h->placed = sq_get_dup(q);
	const void *sealed = sq_get_blob(q, &n);
	if (q->nomem)
		return err_no_memory(e);
	if (endpoint == NULL || sealed == NULL)
		return ERR_OK;
	slot_of(h->session, slot);
	return sq_unseal(q->db, "held", SQ_DEVICE, endpoint, slot, sealed, n, &h->wrote, e);
}

enum err_code
sq_held_find(struct sq_db *db, enum sq_query which, const struct sq_held_key *k,
    struct store_held *h, struct err *e)
{
	struct sq q = sq_use(db, which);
	bool row;

	sq_put_int(&q, k->device);
	if (which == SQ_HELD_OF)
		sq_put_int(&q, (int64_t)k->session);
	enum err_code rc = sq_step(&q, &row, e);
	if (rc == ERR_OK && row)
		rc = sq_row_held(&q, k->endpoint, h, e);
	sq_end(&q);
	return rc;
}

/* ---- keeping ---- */

void
sq_outcome_free(struct sq_outcome *o)
{
	if (o == NULL)
		return;
	free(o->links);
	free(o->values);
	free(o->placed);
	free(o->expiries);
	free(o->findings);
	secret_clear(&o->wrote);
	free(o);
}

static const char *
copy_text(const char *from, char **to, bool *failed)
{
	*to = from == NULL ? NULL : strdup(from);
	*failed |= from != NULL && *to == NULL;
	return *to;
}

enum err_code
sq_outcome_copy(const struct store_outcome *from, struct sq_outcome **out, struct err *e)
{
	struct sq_outcome *o = calloc(1, sizeof *o);
	bool failed = false;

	if (o == NULL)
		return err_no_memory(e);
	o->o = *from;
	o->o.links = copy_text(from->links, &o->links, &failed);
	o->o.values = copy_text(from->values, &o->values, &failed);
	o->o.placed = copy_text(from->placed, &o->placed, &failed);
	o->o.expiries = copy_text(from->expiries, &o->expiries, &failed);
	o->o.findings = copy_text(from->findings, &o->findings, &failed);
	o->o.wrote = &o->wrote;
	enum err_code rc = from->wrote == NULL ? ERR_OK : secret_copy(&o->wrote, from->wrote, e);
	if (rc == ERR_OK && failed)
		rc = err_no_memory(e);
	if (rc == ERR_OK)
		*out = o;
	else
		sq_outcome_free(o);
	return rc;
}

static size_t
length(const char *text)
{
	return text == NULL ? 0 : strlen(text);
}

size_t
sq_outcome_weight(const struct sq_outcome *o)
{
	return o->wrote.len + length(o->links) + length(o->values) + length(o->findings) + length(o->placed) +
	    length(o->expiries);
}

bool
sq_same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
sq_held_is_again(const struct store_held *last, const struct bs_record *r, const struct store_outcome *o)
{
	return last->session != 0 && last->revision == r->revision && last->restored == o->restored &&
	    last->read == o->read && last->likeness == o->likeness && sq_same_text(last->profile, r->profile) &&
	    sq_same_text(last->fingerprints, r->fingerprints) &&
	    (o->same_wrote == last->session || secret_equal(&last->wrote, o->wrote));
}

static void
put_newest(struct sq *q, const struct sq_kept *k, uint64_t session)
{
	sq_put_int(q, (int64_t)k->rec->id);
	sq_put_int(q, k->rec->started_ms);
	sq_put_int(q, k->rec->ended_ms);
	sq_put_text(q, k->o->expiries);
	sq_put_text(q, k->o->links);
	sq_put_text(q, k->o->values);
	sq_put_text(q, k->o->findings);
	sq_put_text(q, k->o->placed);
	sq_put_int(q, (int64_t)session);
}

static enum err_code
put_again(struct sq_db *db, const struct store_held *last, const struct sq_kept *k, struct err *e)
{
	struct sq q = sq_use(db, SQ_HELD_AGAIN);

	put_newest(&q, k, last->session);
	return sq_run(&q, e);
}

/* When it is known already that no other word differs. *done: it was there. */
static enum err_code
put_findings(struct sq_db *db, const struct sq_kept *k, bool *done, struct err *e)
{
	struct sq q = sq_use(db, SQ_HELD_FINDINGS);

	sq_put_int(&q, (int64_t)k->rec->id);
	sq_put_int(&q, k->rec->started_ms);
	sq_put_int(&q, k->rec->ended_ms);
	sq_put_text(&q, k->o->findings);
	sq_put_int(&q, (int64_t)k->again);
	sq_put_int(&q, k->device);
	enum err_code rc = sq_run(&q, e);
	*done = rc == ERR_OK && sq_changes(db) > 0;
	return rc;
}

/* In one statement, when it is known already that what was written is the same. *done: it was so. */
static enum err_code
put_same(struct sq_db *db, const struct sq_kept *k, bool *done, struct err *e)
{
	const struct bs_record *r = k->rec;
	struct sq q = sq_use(db, SQ_HELD_SAME);

	put_newest(&q, k, k->o->o.same_wrote);
	sq_put_int(&q, k->device);
	sq_put_int(&q, (int64_t)r->revision);
	sq_put_int(&q, k->o->o.restored);
	sq_put_int(&q, k->o->o.read);
	sq_put_int(&q, (int64_t)k->o->o.likeness);
	sq_put_text(&q, r->profile);
	sq_put_text(&q, r->fingerprints);
	enum err_code rc = sq_run(&q, e);
	*done = rc == ERR_OK && sq_changes(db) > 0;
	return rc;
}

static void
put_columns(struct sq *q, const struct sq_kept *k)
{
	const struct bs_record *r = k->rec;

	sq_put_int(q, (int64_t)r->id);
	sq_put_int(q, (int64_t)r->id);
	sq_put_int(q, r->ended_ms);
	sq_put_int(q, r->started_ms);
	sq_put_int(q, r->ended_ms);
	sq_put_int(q, k->good);
	sq_put_int(q, k->o->o.restored);
	sq_put_int(q, (int64_t)r->revision);
	sq_put_int(q, k->o->o.read);
	sq_put_int(q, (int64_t)k->o->o.likeness);
	sq_put_text(q, r->profile);
	sq_put_text(q, r->fingerprints);
	sq_put_text(q, k->o->expiries);
	sq_put_text(q, k->o->links);
	sq_put_text(q, k->o->values);
	sq_put_text(q, k->o->findings);
	sq_put_text(q, k->o->placed);
}

static enum err_code
put_new(struct sq_db *db, const struct sq_kept *k, struct err *e)
{
	struct gbuf sealed = { 0 };
	char slot[SLOT_LEN];
	enum err_code rc = ERR_OK;

	slot_of(k->rec->id, slot);
	if (k->good && k->o->wrote.len > 0)
		rc = sq_seal(db, "held", SQ_DEVICE, k->rec->endpoint, slot, &k->o->wrote, &sealed, e);
	if (rc == ERR_OK) {
		struct sq q = sq_use(db, SQ_HELD_PUT);
		put_columns(&q, k);
		sq_put_blob(&q, sealed.data, sealed.len);
		sq_put_int(&q, k->device);
		rc = sq_run(&q, e);
		if (rc != ERR_OK && sq_was_duplicate(db)) /* its record is gone, what it left is not */
			rc = err_set(e, ERR_EXISTS, "session %s: is there already", slot);
	}
	gbuf_clear(&sealed);
	return rc;
}

static enum err_code
prune(const struct store *s, struct sq_db *db, int64_t device, struct err *e)
{
	struct sq q = sq_use(db, SQ_HELD_PRUNE);

	sq_put_int(&q, device);
	sq_put_int(&q, s->max_held);
	return sq_run(&q, e);
}

static enum err_code
put_good(const struct store *s, struct sq_db *db, const struct sq_kept *k, struct err *e)
{
	struct store_held last = { 0 };
	const struct sq_held_key key = { .device = k->device, .endpoint = k->rec->endpoint };
	enum err_code rc = ERR_OK;
	bool done = false;

	if (k->again != 0)
		rc = put_findings(db, k, &done, e);
	if (rc == ERR_OK && !done && k->o->o.same_wrote != 0)
		rc = put_same(db, k, &done, e);
	if (rc == ERR_OK && !done)
		rc = sq_held_find(db, SQ_HELD_LAST, &key, &last, e);
	if (rc != ERR_OK || done)
		return rc;
	if (sq_held_is_again(&last, k->rec, &k->o->o)) {
		rc = put_again(db, &last, k, e);
	} else {
		rc = put_new(db, k, e);
		if (rc == ERR_OK && last.session != 0) /* else it is the only one */
			rc = prune(s, db, k->device, e);
	}
	store_held_clear(&last);
	return rc;
}

static enum err_code
remove_of(struct sq_db *db, enum sq_query which, int64_t device, struct err *e)
{
	struct sq q = sq_use(db, which);

	sq_put_int(&q, device);
	return sq_run(&q, e);
}

bool
sq_held_is_worth(const struct sq_outcome *o, bool good)
{
	return o->links != NULL || o->values != NULL || (good && o->wrote.len > 0);
}

enum err_code
sq_held_keep(const struct store *s, struct sq_db *db, const struct sq_kept *k, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (sq_held_is_worth(k->o, k->good)) {
		if (k->undo)
			rc = remove_of(db, SQ_HELD_UNDO, k->device, e);
		if (rc == ERR_OK)
			rc = k->good ? put_good(s, db, k, e) : put_new(db, k, e);
	}
	return rc == ERR_OK && k->good ? sq_wishes_met(db, k, e) : rc;
}

enum err_code
sq_held_remove(struct sq_db *db, int64_t device, struct err *e)
{
	enum err_code rc = remove_of(db, SQ_HELD_REMOVE, device, e);

	if (rc == ERR_OK)
		rc = sq_given_remove(db, device, e);
	return rc == ERR_OK ? remove_of(db, SQ_WISH_REMOVE_ALL, device, e) : rc;
}

/* ---- asking ---- */

struct held_req {
	struct sq_req base;
	char *endpoint;
	uint64_t session;
	bool list;
	struct store_held *v;
	size_t n, cap;
	store_held_fn *done;
};

static enum err_code
find_device(struct sq_db *db, const char *endpoint, int64_t *id, struct err *e)
{
	struct sq q;
	bool row;
	enum err_code rc = sq_find(&q, db, SQ_FIND, endpoint, &row, e);

	if (rc == ERR_OK && row)
		*id = sq_get_int(&q);
	else if (rc == ERR_OK)
		rc = err_set(e, ERR_NOT_FOUND, "device %s: is not there", endpoint);
	sq_end(&q);
	return rc;
}

static enum err_code
add_row(struct held_req *r, struct sq *q, struct err *e)
{
	struct store_held *v = grow(r->v, r->n, &r->cap, sizeof *v);

	if (v == NULL)
		return err_no_memory(e);
	r->v = v;
	v[r->n] = (struct store_held){ 0 };
	return sq_row_held(q, r->list ? NULL : r->endpoint, &v[r->n++], e);
}

static enum err_code
held_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct held_req *r = CONTAINER_OF(base, struct held_req, base);
	enum sq_query which = r->list ? SQ_HELD_LIST : r->session == 0 ? SQ_HELD_SEEN : SQ_HELD_OF;
	int64_t device = 0;
	bool row;

	(void)s;
	enum err_code rc = find_device(db, r->endpoint, &device, e);
	if (rc != ERR_OK)
		return rc;
	struct sq q = sq_use(db, which);
	sq_put_int(&q, device);
	if (which == SQ_HELD_OF)
		sq_put_int(&q, (int64_t)r->session);
	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		rc = add_row(r, &q, e);
		if (rc != ERR_OK)
			break;
	}
	sq_end(&q);
	if (rc == ERR_OK && !r->list && r->n > 0)
		return sq_withdrawn_find(db, r->endpoint, &r->v[0], e);
	if (rc != ERR_OK || r->list)
		return rc;
	if (r->session == 0)
		return err_set(e, ERR_NOT_FOUND, "device %s: nothing is known of what it holds", r->endpoint);
	return err_set(e, ERR_NOT_FOUND, "session %llu: what it left is not kept", (unsigned long long)r->session);
}

static void
held_answer(struct store *s, struct sq_req *base)
{
	struct held_req *r = CONTAINER_OF(base, struct held_req, base);

	(void)s;
	if (base->rc == ERR_OK)
		r->done(base->arg, ERR_OK, NULL, r->v, r->n, false);
	else
		r->done(base->arg, base->rc, base->e, NULL, 0, false);
}

static void
held_free(struct sq_req *base)
{
	struct held_req *r = CONTAINER_OF(base, struct held_req, base);

	for (size_t i = 0; i < r->n; i++)
		store_held_clear(&r->v[i]);
	free(r->v);
	free(r->endpoint);
	free(r);
}

static const struct sq_req_kind held_kind = { held_run, NULL, held_answer, held_free };

static void
submit(struct store *s, struct held_req *r, const char *endpoint)
{
	r->endpoint = strdup(endpoint);
	if (r->endpoint == NULL)
		abort();
	sq_worker_submit(r->list ? &s->lister : &s->getter, &r->base);
}

void
sq_held_list(struct store *s, const char *endpoint, store_held_fn *done, void *arg)
{
	struct held_req *r = sq_req_new(sizeof *r, &held_kind, arg);

	r->list = true;
	r->done = done;
	submit(s, r, endpoint);
}

void
sq_held_get(struct store *s, const char *endpoint, uint64_t session, store_held_fn *done, void *arg)
{
	struct held_req *r = sq_req_new(sizeof *r, &held_kind, arg);

	r->session = session;
	r->done = done;
	submit(s, r, endpoint);
}
