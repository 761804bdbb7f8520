#include "bsserver/api/apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/devices.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

static void step_read(void *arg);
static void step_finish(void *arg);
static void put_range(struct job *j);
static void tell(struct job *j);

/* ---- its life ---- */

static void
row_clear(struct row *w)
{
	prep_free(w->p);
	free(w->source);
	*w = (struct row){ .no = 0 };
}

static void
clear_group(struct job *j)
{
	for (size_t i = 0; i < j->n; i++)
		row_clear(&j->v[i]);
	j->n = j->at = 0;
}

static void
job_free(void *arg)
{
	struct job *j = arg;

	clear_group(j);
	row_clear(&j->ahead);
	overlay_clear(&j->overlay);
	profile_fleet_free(j->fleet);
	gbuf_clear(&j->out);
	free(j);
}

static void
next_turn(struct job *j, loop_fn *fn)
{
	loop_post(j->api->c.loop, fn, j);
}

/* ---- reading ---- */

static void
read_row(struct job *j, struct row *w, const struct rows_doc *d, enum err_code rc, struct err *e)
{
	struct gbuf source = { .max = ROWS_SOURCE_MAX + 32 };

	*w = (struct row){ .job = j, .no = d->row };
	gbuf_printf(&source, "%s:%u", d->file, d->line);
	w->source = str_dup_n(gbuf_cstr(&source), source.len);
	gbuf_clear(&source);
	if (rc != ERR_OK)
		(void)err_wrap(e, "row %u", d->row);
	else
		rc = prep_read(j->api, d->file, d->line, d->doc, d->doc_len, &w->p, e);
	if (rc == ERR_OK)
		w->p->overlay = &j->overlay;
	else
		row_end(w, rc == ERR_NO_MEMORY ? ROW_ERROR : ROW_INVALID, e);
}

static bool
is_profile(const struct row *w)
{
	return w->p != NULL && prep_kind(w->p) == PROFILE_SHARED;
}

/* false: the group is complete. A profile waits until what is before it has been put. */
static bool
take_one(struct job *j)
{
	struct rows_doc d;
	struct row *w = &j->v[j->n];
	enum err_code rc;
	struct err e;

	if (j->has_ahead) {
		*w = j->ahead;
		j->ahead = (struct row){ .no = 0 };
		j->has_ahead = false;
		j->n = 1;
		return false;
	}
	if (!rows_next(&j->rows, &d, &rc, &e)) {
		j->read_all = true;
		return false;
	}
	read_row(j, w, &d, rc, &e);
	if (!is_profile(w)) {
		j->n++;
		return j->n < GROUP;
	}
	if (j->n == 0) {
		j->n = 1;
		return false;
	}
	j->ahead = *w;
	j->has_ahead = true;
	*w = (struct row){ .no = 0 };
	return false;
}

/* ---- what the store has ---- */

static void
got_one(struct job *j)
{
	if (--j->waiting == 0)
		next_turn(j, step_finish);
}

static void
on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct row *w = arg;

	if (rc == ERR_OK)
		prep_has_device(w->p, d, creds, n);
	else if (rc != ERR_NOT_FOUND)
		row_end(w, ROW_ERROR, e);
	got_one(w->job);
}

static void
on_profile(void *arg, enum err_code rc, const struct err *e, struct store_profile *p,
    struct store_credential *creds, size_t n)
{
	struct row *w = arg;

	if (rc == ERR_OK)
		prep_has_profile(w->p, p, creds, n);
	else if (rc != ERR_NOT_FOUND)
		row_end(w, ROW_ERROR, e);
	got_one(w->job);
}

static void
ask_store(struct job *j)
{
	const struct api_conf *c = &j->api->c;

	j->waiting = 1; /* us, until all are asked */
	for (size_t i = 0; i < j->n; i++) {
		struct row *w = &j->v[i];

		if (w->over || prep_kind(w->p) == PROFILE_NO_KIND)
			continue;
		j->waiting++;
		if (is_profile(w))
			c->ops->profile_get(c->store, prep_name(w->p), on_profile, w);
		else
			c->ops->device_get(c->store, prep_name(w->p), on_device, w);
	}
	got_one(j);
}

static void
finish_answer(struct job *j)
{
	struct gbuf out = j->out;

	if (j->unkept.code != ERR_OK)
		log_msg(LVL_ERROR, LOG_API, NULL, "%zu rows of an apply were not kept (%s)",
		    j->n_unkept, j->unkept.msg);
	j->out = (struct gbuf){ 0 };
	answer_text(j->r, 200, "application/x-ndjson", &out);
}

static void
step_read(void *arg)
{
	struct job *j = arg;

	if (!req_alive(j->r))
		return;
	for (unsigned i = 0; i < SLICE * 2; i++)
		if (!take_one(j)) {
			if (j->n == 0)
				finish_answer(j);
			else
				ask_store(j);
			return;
		}
	next_turn(j, step_read);
}

/* ---- finishing ---- */

/* What the caller said must hold, and what this caller may not do. */
static enum err_code
may_row(const struct job *j, const struct row *w, enum row_result *result, struct err *e)
{
	const struct prep *p = w->p;
	bool may_change = (j->r->permissions & PERM_OPERATE) != 0 || j->kind == JOB_DIFF;

	*result = ROW_ERROR;
	if (prep_may_bring(p, j->r, e) != ERR_OK)
		return ERR_REFUSED;
	if (!may_change && is_profile(w))
		return err_set(e, ERR_REFUSED,
		    "%s may not change profiles: it takes the permission operate", j->r->actor);
	if (j->must_be_new && p->exists) {
		*result = ROW_EXISTS;
		return err_set(e, ERR_EXISTS, "%s: is there already, revision %llu", prep_name(p),
		    (unsigned long long)p->revision);
	}
	if (!may_change && p->exists && !prep_unchanged(p))
		return err_set(e, ERR_REFUSED,
		    "%s is there already, and %s may not change it: it takes the permission "
		    "operate",
		    prep_name(p), j->r->actor);
	if (j->expect_revision != 0 && p->revision != j->expect_revision) {
		*result = ROW_CONFLICT;
		return err_set(e, ERR_CONFLICT, "%s: revision %llu was expected, and it is %s%llu",
		    prep_name(p), (unsigned long long)j->expect_revision,
		    p->exists ? "" : "not there: ", (unsigned long long)p->revision);
	}
	return ERR_OK;
}

static void
keep_for_later_rows(struct job *j, struct row *w)
{
	struct prep **v = grow(j->overlay.v, j->overlay.n, &j->overlay.cap, sizeof *v);

	if (v == NULL)
		return;
	j->overlay.v = v;
	v[j->overlay.n++] = w->p;
}

/* Without a change: the answer of a dry run, and of a diff. */
static void
judge(struct job *j, struct row *w)
{
	row_end(w,
	    !w->p->exists          ? ROW_CREATED
	    : prep_unchanged(w->p) ? ROW_UNCHANGED
	                           : ROW_UPDATED,
	    NULL);
	w->revision = w->p->revision;
	if (is_profile(w) && j->overlay.n < PROFILE_FINDINGS_MAX)
		keep_for_later_rows(j, w);
}

static void
finish_row(struct job *j, struct row *w)
{
	enum row_result result = ROW_INVALID;
	struct err e;
	enum err_code rc =
	    prep_finish(w->p, j->kind == JOB_APPLY ? PREP_MAKE_KEYS : PREP_NO_KEYS, j->fleet, &e);

	if (rc == ERR_OK && (w->p->findings.errors > 0 || w->p->resolved == NULL ||
	                        prep_kind(w->p) == PROFILE_NO_KIND)) {
		row_end(w, ROW_INVALID, NULL);
		return;
	}
	if (rc == ERR_OK)
		rc = may_row(j, w, &result, &e);
	if (rc == ERR_OK && j->kind == JOB_APPLY && !is_profile(w)) {
		result = ROW_INVALID;
		rc = prep_compile(w->p, &e);
	}
	if (rc == ERR_NO_MEMORY || rc == ERR_CRYPTO)
		result = ROW_ERROR;
	else if (rc == ERR_CONFLICT)
		result = ROW_CONFLICT;
	if (rc != ERR_OK)
		row_end(w, result, &e);
	else if (j->kind != JOB_APPLY)
		judge(j, w);
	profile_doc_free(w->p->resolved);
	w->p->resolved = NULL;
}

/* ---- putting ---- */

static void
collect(struct job *j)
{
	j->n_changes = 0;
	for (size_t i = 0; i < j->n; i++) {
		const struct row *w = &j->v[i];
		struct store_change *c = &j->changes[j->n_changes];

		if (w->over)
			continue;
		*c = prep_change(w->p);
		/* its keys were chosen by what was there a moment ago */
		c->must_be_new = !w->p->exists;
		c->expect_revision = w->p->revision;
		j->rows_of[j->n_changes++] = i;
	}
	j->from = 0;
	j->to = j->end = j->n_changes;
}

static void
end_range(struct job *j, const struct store_result *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct row *w = &j->v[j->rows_of[j->from + i]];
		enum row_result result = v[i].kind == STORE_CREATED     ? ROW_CREATED
		                         : v[i].kind == STORE_UNCHANGED ? ROW_UNCHANGED
		                                                        : ROW_UPDATED;

		row_end(w, result, NULL);
		w->revision = v[i].revision;
	}
	j->from = j->to;
	j->to = j->end;
}

/* One is wrong: those before it are put without it, then those behind it. */
static void
split_range(struct job *j, enum err_code rc, const struct err *e, size_t failed_at)
{
	struct row *w = &j->v[j->rows_of[j->from + failed_at]];
	size_t at = j->from + failed_at;

	row_end(w, rc == ERR_EXISTS || rc == ERR_CONFLICT ? ROW_CONFLICT : ROW_ERROR, e);
	/* the row leaves: what is before it moves up by one */
	memmove(&j->changes[j->from + 1], &j->changes[j->from], failed_at * sizeof *j->changes);
	memmove(&j->rows_of[j->from + 1], &j->rows_of[j->from], failed_at * sizeof *j->rows_of);
	j->from++;
	j->to = at + 1;
}

/* Of the store as a whole: no row of it can be put. */
static void
fail_range(struct job *j, const struct err *e)
{
	for (size_t i = j->from; i < j->end; i++)
		row_end(&j->v[j->rows_of[i]], ROW_ERROR, e);
	if (j->unkept.code == ERR_OK)
		j->unkept = *e;
	j->n_unkept += j->end - j->from;
	j->from = j->to = j->end;
}

static void
on_put(void *arg, enum err_code rc, const struct err *e, size_t failed_at,
    const struct store_result *v, size_t n)
{
	struct job *j = arg;
	bool of_a_row = rc == ERR_EXISTS || rc == ERR_CONFLICT || rc == ERR_USAGE ||
	                rc == ERR_INVALID || rc == ERR_NOT_FOUND;

	if (rc == ERR_OK)
		end_range(j, v, n);
	else if (of_a_row && failed_at < j->to - j->from)
		split_range(j, rc, e, failed_at);
	else
		fail_range(j, e);
	put_range(j);
}

static void
put_range(struct job *j)
{
	const struct api_conf *c = &j->api->c;
	struct err e;

	if (j->from == j->to)
		j->to = j->end;
	if (j->from == j->end) {
		tell(j);
		return;
	}
	if (j->r->conn == NULL) { /* they hung up, or we close */
		(void)err_set(&e, ERR_CLOSED, "nobody waits for it any more");
		fail_range(j, &e);
		tell(j);
		return;
	}
	c->ops->apply(c->store, &j->who, j->changes + j->from, j->to - j->from, on_put, j);
}

/* ---- telling ---- */

static void
print_group(struct job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		row_print(&j->v[i], &j->out);
		for (size_t k = 0; k < j->overlay.n; k++)
			if (j->overlay.v[k] == j->v[i].p)
				j->v[i].p = NULL; /* it stays, for the rows behind */
	}
	clear_group(j);
	next_turn(j, step_read);
}

static void
on_counted(void *arg, enum err_code rc, const struct err *e, uint64_t n, bool complete)
{
	struct job *j = arg;

	(void)e;
	j->v[0].counted = rc == ERR_OK;
	j->v[0].counted_all = complete;
	j->v[0].devices = n;
	print_group(j);
}

static void
tell(struct job *j)
{
	const struct row *w = &j->v[0];

	if (j->n == 1 && is_profile(w) && w->result == ROW_UPDATED && j->r->conn != NULL)
		count_devices(j->r, prep_name(w->p), on_counted, j);
	else
		print_group(j);
}

static void
step_finish(void *arg)
{
	struct job *j = arg;

	if (!req_alive(j->r))
		return;
	for (unsigned i = 0; i < SLICE && j->at < j->n; i++, j->at++)
		if (!j->v[j->at].over)
			finish_row(j, &j->v[j->at]);
	if (j->at < j->n) {
		next_turn(j, step_finish);
		return;
	}
	collect(j);
	put_range(j);
}

/* ---- the routes ---- */

static void
start_job(struct req *r, enum job_kind kind, uint64_t expect, bool must_be_new)
{
	struct job *j = calloc(1, sizeof *j);

	if (j != NULL)
		j->fleet = profile_fleet_new();
	if (j == NULL || j->fleet == NULL) {
		free(j);
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	j->r = r;
	j->api = r->api;
	j->kind = kind;
	j->expect_revision = expect;
	j->must_be_new = must_be_new;
	j->who = req_actor(r);
	j->out.max = API_ANSWER_MAX;
	rows_open(&j->rows, gbuf_cstr(&r->body), r->body.len);
	r->state = j;
	r->state_free = job_free;
	next_turn(j, step_read);
}

void
post_apply(struct req *r)
{
	bool dry_run, must_be_new;
	uint64_t expect;

	if (!req_flag(r, "dry_run", &dry_run) || !req_flag(r, "must_be_new", &must_be_new) ||
	    !req_u64(r, "expect_revision", 1, INT64_MAX, 0, &expect))
		return;
	start_job(r, dry_run ? JOB_DRY_RUN : JOB_APPLY, expect, must_be_new);
}

void
post_diff(struct req *r)
{
	start_job(r, JOB_DIFF, 0, false);
}
