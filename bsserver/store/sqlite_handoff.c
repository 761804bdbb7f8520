/* What LwM2M Servers were told of devices' credentials. */
#include "bsserver/store/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#define TABLE "handoff"
#define PAGE_MAX 1000U

/* A row on its way to the writer, or the key of one that goes. */
struct put_req {
	struct sq_req base;
	struct store_handoff h;
	bool remove;
	store_done_fn *done;
};

struct list_req {
	struct sq_req base;
	struct store_handoff_page page;
	char *endpoint, *after_endpoint, *after_target;
	struct store_handoff *rows;
	size_t n, cap;
	bool more;
	store_handoffs_fn *done;
};

/* ---- putting ---- */

static void
copy_text(char **to, const char *from)
{
	*to = from == NULL ? NULL : strdup(from);
	if (from != NULL && *to == NULL)
		abort(); /* as sq_req_new() */
}

static enum err_code
copy_row(struct store_handoff *to, const struct store_handoff *from, struct err *e)
{
	enum err_code rc;

	*to = *from;
	to->known = to->other = SECRET_NONE;
	copy_text(&to->endpoint, from->endpoint);
	copy_text(&to->target, from->target);
	copy_text(&to->server, from->server);
	copy_text(&to->error, from->error);
	rc = secret_copy(&to->known, &from->known, e);
	return rc == ERR_OK ? secret_copy(&to->other, &from->other, e) : rc;
}

/* Sealed and with its fingerprint; an empty one is NULL and "". */
static enum err_code
seal(const struct store *s, struct sq_db *db, const struct store_handoff *h, bool known, struct gbuf *out,
    char fp[CRYPT_FP_LEN + 1], struct err *e)
{
	const struct secret *plain = known ? &h->known : &h->other;
	struct gbuf slot = { .max = 1024 };
	enum err_code rc;

	fp[0] = 0;
	if (plain->len == 0)
		return ERR_OK;
	gbuf_printf(&slot, "%s/%s", h->target, known ? "known" : "other");
	rc = gbuf_check(&slot, e);
	if (rc == ERR_OK)
		rc = crypt_fingerprint(&s->key, plain->data, plain->len, fp, e);
	if (rc == ERR_OK)
		rc = sq_seal(db, TABLE, SQ_DEVICE, h->endpoint, gbuf_cstr(&slot), plain, out, e);
	gbuf_clear(&slot);
	return rc;
}

static void
bind_row(struct sq *q, const struct store_handoff *h)
{
	const int64_t numbers[] = { h->short_server_id, h->state, h->late, (int64_t)h->version + 1, (int64_t)h->session,
		h->since_ms, h->settled_ms, h->due_ms, h->attempts };

	sq_put_text(q, h->endpoint);
	sq_put_text(q, h->target);
	sq_put_text(q, h->server);
	for (size_t i = 0; i < N_ELEMS(numbers); i++)
		sq_put_int(q, numbers[i]);
	sq_put_text(q, h->error);
}

static void
bind_sealed(struct sq *q, const struct gbuf *sealed)
{
	if (sealed->len == 0)
		sq_put_text(q, NULL);
	else
		sq_put_blob(q, sealed->data, sealed->len);
}

static enum err_code
check_device(struct sq_db *db, const struct store_handoff *h, struct err *e)
{
	struct sq q;
	bool row;

	enum err_code rc = sq_find(&q, db, SQ_FIND, h->endpoint, &row, e);
	sq_end(&q);
	if (rc == ERR_OK && !row && h->state != STORE_HANDOFF_LEAVING)
		return err_set(e, ERR_CONFLICT, "device %s: is not there any more", h->endpoint);
	return rc;
}

static enum err_code
put_row(struct store *s, struct sq_db *db, const struct store_handoff *h, struct err *e)
{
	struct gbuf known = { 0 }, other = { 0 };
	char known_fp[CRYPT_FP_LEN + 1], other_fp[CRYPT_FP_LEN + 1];
	enum err_code rc = check_device(db, h, e);

	if (rc == ERR_OK)
		rc = seal(s, db, h, true, &known, known_fp, e);
	if (rc == ERR_OK)
		rc = seal(s, db, h, false, &other, other_fp, e);
	if (rc == ERR_OK) {
		struct sq q = sq_use(db, SQ_HANDOFF_PUT);
		bind_row(&q, h);
		sq_put_text(&q, known_fp);
		sq_put_text(&q, other_fp);
		bind_sealed(&q, &known);
		bind_sealed(&q, &other);
		rc = sq_run(&q, e);
	}
	gbuf_clear(&known);
	gbuf_clear(&other);
	if (rc == ERR_OK && sq_changes(db) == 0)
		rc = err_set(e, ERR_CONFLICT, "hand-off of %s to %s: it was changed meanwhile", h->endpoint, h->target);
	return rc;
}

static enum err_code
remove_row(struct sq_db *db, const struct store_handoff *h, struct err *e)
{
	struct sq q = sq_use(db, SQ_HANDOFF_REMOVE);

	sq_put_text(&q, h->endpoint);
	sq_put_text(&q, h->target);
	sq_put_int(&q, (int64_t)h->version);
	enum err_code rc = sq_run(&q, e);
	if (rc == ERR_OK && sq_changes(db) == 0)
		rc = err_set(e, ERR_CONFLICT, "hand-off of %s to %s: it was changed meanwhile", h->endpoint, h->target);
	return rc;
}

static enum err_code
put_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct put_req *r = CONTAINER_OF(base, struct put_req, base);

	return r->remove ? remove_row(db, &r->h, e) : put_row(s, db, &r->h, e);
}

static void
put_answer(struct store *s, struct sq_req *base)
{
	(void)s;
	CONTAINER_OF(base, struct put_req, base)->done(base->arg, base->rc, base->rc == ERR_OK ? NULL : base->e);
}

static void
put_free(struct sq_req *base)
{
	struct put_req *r = CONTAINER_OF(base, struct put_req, base);

	store_handoff_clear(&r->h);
	free(r);
}

static const struct sq_req_kind put_kind = { put_run, NULL, put_answer, put_free };

void
sq_handoff_put(struct store *s, const struct store_handoff *h, store_done_fn *done, void *arg)
{
	struct put_req *r = sq_req_new(sizeof *r, &put_kind, arg);

	r->done = done;
	if (copy_row(&r->h, h, NULL) != ERR_OK)
		abort(); /* as sq_req_new() */
	r->base.weight = 512 + h->known.len + h->other.len;
	sq_worker_submit(&s->writer, &r->base);
}

void
sq_handoff_rm(struct store *s, const char *endpoint, const char *target, uint64_t version, store_done_fn *done,
    void *arg)
{
	struct put_req *r = sq_req_new(sizeof *r, &put_kind, arg);

	r->done = done;
	r->remove = true;
	r->h.version = version;
	copy_text(&r->h.endpoint, endpoint);
	copy_text(&r->h.target, target);
	sq_worker_submit(&s->writer, &r->base);
}

enum err_code
sq_handoffs_leave(struct sq_db *db, const char *endpoint, int64_t now_ms, struct err *e)
{
	struct sq q = sq_use(db, SQ_HANDOFF_LEAVE);

	sq_put_int(&q, STORE_HANDOFF_LEAVING);
	sq_put_int(&q, now_ms);
	sq_put_text(&q, endpoint);
	return sq_run(&q, e);
}

/* ---- listing ---- */

static enum err_code
open_secret(struct sq *q, const struct store_handoff *h, bool known, struct secret *out,
    struct err *e)
{
	struct gbuf slot = { .max = 1024 };
	size_t n;
	const void *sealed = sq_get_blob(q, &n);
	enum err_code rc;

	if (sealed == NULL)
		return ERR_OK;
	gbuf_printf(&slot, "%s/%s", h->target, known ? "known" : "other");
	rc = gbuf_check(&slot, e);
	if (rc == ERR_OK)
		rc = sq_unseal(q->db, TABLE, SQ_DEVICE, h->endpoint, gbuf_cstr(&slot), sealed, n, out, e);
	gbuf_clear(&slot);
	return rc;
}

static void
take_fp(struct sq *q, char out[CRYPT_FP_LEN + 1])
{
	const char *fp = sq_get_text(q);

	(void)memccpy(out, fp == NULL ? "" : fp, 0, CRYPT_FP_LEN);
	out[CRYPT_FP_LEN] = 0;
}

static enum err_code
read_row(struct sq *q, bool secrets, struct store_handoff *h, struct err *e)
{
	h->endpoint = sq_get_dup(q);
	h->target = sq_get_dup(q);
	h->server = sq_get_dup(q);
	int64_t ssid = sq_get_int(q), state = sq_get_int(q);
	h->late = sq_get_int(q) != 0;
	h->version = (uint64_t)sq_get_int(q);
	h->session = (uint64_t)sq_get_int(q);
	h->since_ms = sq_get_int(q);
	h->settled_ms = sq_get_int(q);
	h->due_ms = sq_get_int(q);
	int64_t attempts = sq_get_int(q);
	h->error = sq_get_dup(q);
	take_fp(q, h->known_fp);
	take_fp(q, h->other_fp);
	if (q->nomem)
		return err_no_memory(e);
	if (state < 0 || state >= STORE_HANDOFF__COUNT)
		return err_set(e, ERR_INVALID, "store: a hand-off in state %lld", (long long)state);
	if (h->endpoint == NULL || h->target == NULL || h->server == NULL || ssid < 0 || ssid > UINT16_MAX ||
	    attempts < 0 || attempts > UINT32_MAX || h->since_ms < 0 || h->settled_ms < 0 || h->due_ms < 0)
		return err_set(e, ERR_INVALID, "store: a hand-off of %s has a number out of its range",
		    h->endpoint == NULL ? "nobody" : h->endpoint);
	h->short_server_id = (uint16_t)ssid;
	h->attempts = (unsigned)attempts;
	h->state = (enum store_handoff_state)state;
	enum err_code rc = secrets ? open_secret(q, h, true, &h->known, e) : ERR_OK;
	return rc == ERR_OK && secrets ? open_secret(q, h, false, &h->other, e) : rc;
}

static struct sq
start(struct list_req *r, struct sq_db *db)
{
	bool one = r->endpoint != NULL, due = r->page.due_until_ms != 0;
	struct sq q = sq_use(db, one ? SQ_HANDOFF_LIST_OF : due ? SQ_HANDOFF_LIST_DUE : SQ_HANDOFF_LIST);

	sq_put_text(&q, one ? r->endpoint : r->after_endpoint);
	sq_put_text(&q, r->after_target);
	if (!one && due)
		sq_put_int(&q, r->page.due_until_ms);
	return q;
}

static enum err_code
list_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct list_req *r = CONTAINER_OF(base, struct list_req, base);
	struct sq q = start(r, db);
	enum err_code rc;
	bool row;

	(void)s;
	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		r->more = r->n == r->page.limit;
		if (r->more)
			break;
		struct store_handoff *v = grow(r->rows, r->n, &r->cap, sizeof *v);
		if (v == NULL) {
			rc = err_no_memory(e);
			break;
		}
		r->rows = v;
		v[r->n] = (struct store_handoff){ 0 };
		q.column = 0;
		rc = read_row(&q, r->page.secrets, &v[r->n++], e);
		if (rc != ERR_OK)
			break;
	}
	sq_end(&q);
	return rc;
}

static void
list_answer(struct store *s, struct sq_req *base)
{
	struct list_req *r = CONTAINER_OF(base, struct list_req, base);

	(void)s;
	if (base->rc == ERR_OK)
		r->done(base->arg, ERR_OK, NULL, r->rows, r->n, r->more);
	else
		r->done(base->arg, base->rc, base->e, NULL, 0, false);
}

static void
list_free(struct sq_req *base)
{
	struct list_req *r = CONTAINER_OF(base, struct list_req, base);

	for (size_t i = 0; i < r->n; i++)
		store_handoff_clear(&r->rows[i]);
	free(r->rows);
	free(r->endpoint);
	free(r->after_endpoint);
	free(r->after_target);
	free(r);
}

static const struct sq_req_kind list_kind = { list_run, NULL, list_answer, list_free };

void
sq_handoff_list(struct store *s, const struct store_handoff_page *p, store_handoffs_fn *done, void *arg)
{
	struct list_req *r = sq_req_new(sizeof *r, &list_kind, arg);

	r->page = *p;
	r->page.limit = p->limit == 0 ? PAGE_MAX : MIN(p->limit, PAGE_MAX);
	copy_text(&r->endpoint, p->endpoint);
	copy_text(&r->after_endpoint, p->after_endpoint == NULL ? "" : p->after_endpoint);
	copy_text(&r->after_target, p->after_target == NULL ? "" : p->after_target);
	r->done = done;
	/* one device's belong to its session: they do not wait behind long lists */
	sq_worker_submit(p->endpoint != NULL ? &s->getter : &s->lister, &r->base);
}
