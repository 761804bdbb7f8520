/*
 * What the store of a world keeps of hand-offs, and of the devices' documents what their rotation
 * needs. A change is there some time after it was asked for, and is acknowledged some time after that:
 * a crash comes before, between or behind.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/sim/world.h"

enum op_kind { ROW_PUT, ROW_RM, ROWS_LIST, SESSION_GET, DEVICE_GET, APPLY };

struct op {
	enum op_kind kind;
	struct store_handoff row; /* PUT: it; RM: which, and of which version */
	char *endpoint, *after_endpoint, *after_target;
	struct store_handoff_page page; /* LIST: its texts are the three above */
	uint64_t session, revision;
	struct store_credential *fresh; /* APPLY: keys of accounts, by their slots */
	size_t n_fresh;
	enum err_code rc; /* of what is done, and not yet answered */
	union {
		store_done_fn *done;
		store_handoffs_fn *rows;
		store_sessions_fn *session;
		store_device_fn *device;
		store_apply_fn *apply;
	} fn;
	void *arg;
};

static char *
copy(const char *s)
{
	char *c = s == NULL ? NULL : str_dup_n(s, strlen(s));

	if (s != NULL && c == NULL)
		abort();
	return c;
}

static void
copy_secret(struct secret *to, const struct secret *from)
{
	if (secret_copy(to, from, NULL) != ERR_OK)
		abort();
}

static struct store_handoff
copy_row(const struct store_handoff *r)
{
	struct store_handoff c = *r;

	c.endpoint = copy(r->endpoint);
	c.target = copy(r->target);
	c.server = copy(r->server);
	c.error = copy(r->error);
	c.known = c.other = SECRET_NONE;
	copy_secret(&c.known, &r->known);
	copy_secret(&c.other, &r->other);
	return c;
}

const struct store_handoff *
rows_find(const struct world *w, const char *endpoint, const char *target)
{
	for (size_t i = 0; i < w->n_rows; i++)
		if (strcmp(w->rows[i].endpoint, endpoint) == 0 && strcmp(w->rows[i].target, target) == 0)
			return &w->rows[i];
	return NULL;
}

/* ---- what is done ---- */

static enum err_code
do_put(struct world *w, struct op *o)
{
	struct store_handoff *at = (struct store_handoff *)(uintptr_t)rows_find(w, o->row.endpoint, o->row.target);

	if (o->row.version != (at == NULL ? 0 : at->version))
		return ERR_CONFLICT;
	if (at == NULL) {
		struct store_handoff *arr = grow(w->rows, w->n_rows, &w->cap_rows, sizeof *arr);
		if (arr == NULL)
			abort();
		w->rows = arr;
		at = &arr[w->n_rows++];
		*at = (struct store_handoff){ 0 };
	}
	o->row.version++;
	store_handoff_clear(at);
	*at = copy_row(&o->row);
	w->doubts += at->state == STORE_HANDOFF_FINISHING && at->attempts > 0;
	world_log(w, "%s at %s: %s", at->endpoint, at->target, store_handoff_state_name(at->state));
	return ERR_OK;
}

static enum err_code
do_rm(struct world *w, const struct op *o)
{
	struct store_handoff *at = (struct store_handoff *)(uintptr_t)rows_find(w, o->row.endpoint, o->row.target);

	if (at == NULL || at->version != o->row.version)
		return ERR_CONFLICT;
	store_handoff_clear(at);
	*at = w->rows[--w->n_rows];
	return ERR_OK;
}

static enum err_code
do_apply(struct world *w, const struct op *o)
{
	struct sim_device *sd = accounts_device(w, o->endpoint);

	if (sd == NULL || sd->revision != o->revision)
		return ERR_CONFLICT;
	for (size_t i = 0; i < o->n_fresh; i++)
		accounts_renew(w, sd, o->fresh[i].slot, &o->fresh[i].key);
	return ERR_OK;
}

static enum err_code
perform(struct world *w, struct op *o)
{
	switch (o->kind) {
	case ROW_PUT:
		return do_put(w, o);
	case ROW_RM:
		return do_rm(w, o);
	case APPLY:
		return do_apply(w, o);
	case ROWS_LIST:
	case SESSION_GET:
	case DEVICE_GET:
		break;
	}
	return ERR_OK;
}

/* ---- what is answered ---- */

static bool
is_behind(const struct store_handoff *r, const struct op *o)
{
	int order = o->after_endpoint == NULL ? 1 : strcmp(r->endpoint, o->after_endpoint);

	return order > 0 || (order == 0 && strcmp(r->target, o->after_target) > 0);
}

static int
compare_rows(const void *a, const void *b)
{
	const struct store_handoff *x = a, *y = b;
	int order = strcmp(x->endpoint, y->endpoint);

	return order != 0 ? order : strcmp(x->target, y->target);
}

static void
answer_rows(struct world *w, struct op *o, const struct err *e)
{
	struct store_handoff *v = calloc(w->n_rows + 1, sizeof *v);
	size_t n = 0;

	if (v == NULL)
		abort();
	for (size_t i = 0; o->rc == ERR_OK && i < w->n_rows; i++) {
		const struct store_handoff *r = &w->rows[i];
		bool due = o->page.due_until_ms == 0 || (r->due_ms != 0 && r->due_ms <= o->page.due_until_ms);

		if (due && is_behind(r, o) && (o->endpoint == NULL || strcmp(o->endpoint, r->endpoint) == 0))
			v[n++] = copy_row(r);
	}
	qsort(v, n, sizeof *v, compare_rows);
	o->fn.rows(o->arg, o->rc, e, v, n, false);
	for (size_t i = 0; i < n; i++)
		store_handoff_clear(&v[i]);
	free(v);
}

static void
answer_session(struct world *w, struct op *o, const struct err *e)
{
	struct store_session_row row = { .rec = { .id = o->session } };
	const struct shadow *sh = NULL;

	for (size_t i = 0; i < w->n_shadows; i++)
		if (w->shadows[i].id == o->session && w->shadows[i].durable)
			sh = &w->shadows[i];
	if (sh != NULL) {
		row.rec.verdict = sh->verdict;
		row.rec.step = sh->step;
		row.rec.code = sh->code;
	}
	if (o->rc == ERR_OK && sh == NULL)
		o->rc = ERR_NOT_FOUND;
	o->fn.session(o->arg, o->rc, e, &row, o->rc == ERR_OK, false);
}

static void
answer_device(struct world *w, struct op *o, const struct err *e)
{
	struct sim_device *sd = accounts_device(w, o->endpoint);
	struct store_device d = { .endpoint = o->endpoint, .doc = (char *)(uintptr_t)"{}", .revision = sd->revision };
	struct store_credential creds[WORLD_ACCOUNTS] = { 0 };
	size_t n = accounts_generated(sd, creds);

	o->fn.device(o->arg, o->rc, e, &d, creds, n);
}

static void
answer(struct world *w, void *arg, bool crashed)
{
	static const struct store_result results[WORLD_ACCOUNTS];
	struct op *o = arg;
	struct err e = { 0 };

	if (crashed)
		o->rc = ERR_CLOSED;
	if (o->rc != ERR_OK)
		(void)err_set(&e, o->rc, "as the store says");
	switch (o->kind) {
	case ROW_PUT:
	case ROW_RM:
		o->fn.done(o->arg, o->rc, &e);
		break;
	case ROWS_LIST:
		answer_rows(w, o, &e);
		break;
	case SESSION_GET:
		answer_session(w, o, &e);
		break;
	case DEVICE_GET:
		answer_device(w, o, &e);
		break;
	case APPLY:
		o->fn.apply(o->arg, o->rc, &e, 0, results, o->rc == ERR_OK);
		break;
	}
	store_handoff_clear(&o->row);
	for (size_t i = 0; i < o->n_fresh; i++) {
		free(o->fresh[i].slot);
		secret_clear(&o->fresh[i].key);
	}
	free(o->fresh);
	free(o->endpoint);
	free(o->after_endpoint);
	free(o->after_target);
	free(o);
}

/* The disk has it. After a crash nobody is told. */
static void
reach_disk(struct world *w, void *arg, bool crashed)
{
	struct op *o = arg;

	if (crashed && world_chance(w, 500)) {
		answer(w, o, true);
		return;
	}
	if (o->rc == ERR_OK)
		o->rc = w->sabotage == FORGETS_ROWS && o->kind == ROW_PUT && world_chance(w, 300) ? ERR_OK : perform(w, o);
	if (crashed)
		answer(w, o, true);
	else
		wloop_later(w, 1 + world_random(w, w->faults.store_ms / 4), answer, o);
}

static struct op *
begin(struct world *w, enum op_kind kind, void *arg)
{
	struct op *o = calloc(1, sizeof *o);
	uint32_t ms = world_chance(w, w->faults.store_stalls) ? 30000 : w->faults.store_ms / 4;

	if (o == NULL)
		abort();
	*o = (struct op){ .kind = kind, .arg = arg, .rc = world_chance(w, w->faults.store_fails) ? ERR_BUSY : ERR_OK };
	wloop_later(w, 1 + world_random(w, ms), reach_disk, o);
	return o;
}

/* ---- as bsserver/store/store.h has it ---- */

static void
handoff_put(struct store *s, const struct store_handoff *h, store_done_fn *done, void *arg)
{
	struct op *o = begin((struct world *)s, ROW_PUT, arg);

	o->row = copy_row(h);
	o->fn.done = done;
}

static void
handoff_rm(struct store *s, const char *endpoint, const char *target, uint64_t version, store_done_fn *done, void *arg)
{
	struct op *o = begin((struct world *)s, ROW_RM, arg);

	o->row = (struct store_handoff){ .endpoint = copy(endpoint), .target = copy(target), .version = version };
	o->fn.done = done;
}

static void
handoff_list(struct store *s, const struct store_handoff_page *p, store_handoffs_fn *done, void *arg)
{
	struct op *o = begin((struct world *)s, ROWS_LIST, arg);

	o->page = *p;
	o->endpoint = copy(p->endpoint);
	o->after_endpoint = copy(p->after_endpoint);
	o->after_target = copy(p->after_target);
	o->fn.rows = done;
}

static void
session_get(struct store *s, uint64_t id, const char *endpoint, store_sessions_fn *done, void *arg)
{
	struct op *o = begin((struct world *)s, SESSION_GET, arg);

	(void)endpoint;
	o->session = id;
	o->fn.session = done;
}

static void
device_get(struct store *s, const char *endpoint, store_device_fn *done, void *arg)
{
	struct op *o = begin((struct world *)s, DEVICE_GET, arg);

	o->endpoint = copy(endpoint);
	o->fn.device = done;
}

static void
apply(struct store *s, const struct store_actor *who, const struct store_change *v, size_t n, store_apply_fn *done,
    void *arg)
{
	struct op *o = begin((struct world *)s, APPLY, arg);

	(void)who;
	(void)n;
	o->endpoint = copy(v->name);
	o->revision = v->expect_revision;
	o->fresh = calloc(v->n_credentials + 1, sizeof *o->fresh);
	if (o->fresh == NULL)
		abort();
	for (; o->n_fresh < v->n_credentials; o->n_fresh++) {
		o->fresh[o->n_fresh].slot = copy(v->credentials[o->n_fresh].slot);
		copy_secret(&o->fresh[o->n_fresh].key, &v->credentials[o->n_fresh].key);
	}
	o->fn.apply = done;
}

const struct store_ops rows_ops = {
	.name = "world",
	.handoff_put = handoff_put,
	.handoff_rm = handoff_rm,
	.handoff_list = handoff_list,
	.session_get = session_get,
	.device_get = device_get,
	.apply = apply,
};

void
rows_end(struct world *w)
{
	for (size_t i = 0; i < w->n_rows; i++)
		store_handoff_clear(&w->rows[i]);
	free(w->rows);
}
