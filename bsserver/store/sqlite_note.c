/* Notes: what other parts of the daemon keep of their own, in their own words. */
#include "bsserver/store/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

struct put_req {
	struct sq_req base;
	struct store_note *v; /* with strings of their own */
	size_t n;
	store_done_fn *done; /* NULL: nobody wants to know */
};

struct list_req {
	struct sq_req base;
	enum store_note_kind kind;
	struct store_note *v;
	size_t n, cap;
	store_notes_fn *done;
};

static void
free_notes(struct store_note *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)v[i].name);
		free((void *)(uintptr_t)v[i].text);
	}
	free(v);
}

/* ---- putting ---- */

static enum err_code
put_note(struct sq_db *db, const struct store_note *o, struct err *e)
{
	bool all = o->text == NULL && o->number == STORE_NOTE_ALL;
	struct sq q = sq_use(db, o->text != NULL ? SQ_NOTE_PUT : all ? SQ_NOTE_REMOVE_ALL : SQ_NOTE_REMOVE);

	sq_put_int(&q, o->kind);
	sq_put_text(&q, o->name);
	if (!all)
		sq_put_int(&q, o->number);
	if (o->text != NULL)
		sq_put_text(&q, o->text);
	return sq_run(&q, e);
}

/* All of them or none: what comes in one call belongs together. */
static enum err_code
put_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	const struct put_req *r = CONTAINER_OF(base, struct put_req, base);
	enum err_code rc = sq_exec_query(db, SQ_SAVE, e);

	for (size_t i = 0; rc == ERR_OK && i < r->n; i++)
		rc = put_note(db, &r->v[i], e);
	if (rc == ERR_OK)
		return sq_exec_query(db, SQ_RELEASE, e);
	if (sq_exec_query(db, SQ_UNDO, NULL) != ERR_OK)
		s->broken = true;
	return rc;
}

static void
put_answer(struct store *s, struct sq_req *base)
{
	const struct put_req *r = CONTAINER_OF(base, struct put_req, base);

	(void)s;
	if (r->done != NULL)
		r->done(base->arg, base->rc, base->e);
}

static void
put_free(struct sq_req *base)
{
	struct put_req *r = CONTAINER_OF(base, struct put_req, base);

	free_notes(r->v, r->n);
	free(r);
}

static const struct sq_req_kind put_kind = { put_run, NULL, put_answer, put_free };

void
sq_note_put(struct store *s, const struct store_note *v, size_t n, store_done_fn *done, void *arg)
{
	struct put_req *r = sq_req_new(sizeof *r, &put_kind, arg);

	r->done = done;
	r->base.patient = true;
	r->v = calloc(n + 1, sizeof *r->v);
	if (r->v == NULL)
		abort(); /* as sq_req_new() */
	for (; r->n < n; r->n++) {
		struct store_note *to = &r->v[r->n];

		*to = v[r->n];
		to->name = strdup(v[r->n].name);
		to->text = v[r->n].text == NULL ? NULL : strdup(v[r->n].text);
		if (to->name == NULL || (v[r->n].text != NULL && to->text == NULL))
			abort();
		r->base.weight += to->text == NULL ? 0 : strlen(to->text);
	}
	sq_worker_submit(&s->writer, &r->base);
}

/* ---- listing ---- */

static enum err_code
list_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct list_req *r = CONTAINER_OF(base, struct list_req, base);
	struct sq q = sq_use(db, SQ_NOTE_LIST);
	enum err_code rc;
	bool row;

	(void)s;
	sq_put_int(&q, r->kind);
	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		struct store_note *v = grow(r->v, r->n, &r->cap, sizeof *v);

		if (v == NULL) {
			rc = err_no_memory(e);
			break;
		}
		r->v = v;
		v += r->n++;
		*v = (struct store_note){ .kind = r->kind, .name = sq_get_dup(&q) };
		v->number = sq_get_int(&q);
		v->text = sq_get_dup(&q);
		if (v->name == NULL || v->text == NULL) {
			rc = err_no_memory(e);
			break;
		}
	}
	sq_end(&q);
	return rc;
}

static void
list_answer(struct store *s, struct sq_req *base)
{
	const struct list_req *r = CONTAINER_OF(base, struct list_req, base);

	(void)s;
	if (base->rc == ERR_OK)
		r->done(base->arg, ERR_OK, NULL, r->v, r->n);
	else
		r->done(base->arg, base->rc, base->e, NULL, 0);
}

static void
list_free(struct sq_req *base)
{
	struct list_req *r = CONTAINER_OF(base, struct list_req, base);

	free_notes(r->v, r->n);
	free(r);
}

static const struct sq_req_kind list_kind = { list_run, NULL, list_answer, list_free };

void
sq_note_list(struct store *s, enum store_note_kind kind, store_notes_fn *done, void *arg)
{
	struct list_req *r = sq_req_new(sizeof *r, &list_kind, arg);

	r->kind = kind;
	r->done = done;
	sq_worker_submit(&s->lister, &r->base);
}
