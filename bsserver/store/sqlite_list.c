#include "bsserver/store/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

#define LIMIT_MAX 1000
#define LIMIT_DEFAULT 100

enum verdict { TAKE, SKIP, STOP };
struct list_req;

/* What makes a list of these and not of others. */
struct list_kind {
	size_t elem;
	void (*start)(const struct list_req *r, struct sq_db *db, struct sq *q);
	enum verdict (*wanted)(const struct list_req *r, struct sq *q);
	enum err_code (*read)(struct sq *q, void *row, struct err *e);
	void (*clear)(void *row);
	void (*answer)(const struct list_req *r, enum err_code rc, const struct err *e, void *rows, size_t n, bool more);
	bool not_empty; /* ERR_NOT_FOUND when there is none */
};

struct list_req {
	struct sq_req base;
	const struct list_kind *kind;
	char *glob, *after, *profile; /* profile: "\nNAME\n" */
	char *anchor;
	struct store_page page;	      /* points to these */
	size_t prefix;		      /* octets of glob before its first wildcard */
	char *first;		      /* these octets: no name that fits comes before */
	void *rows;
	size_t n, cap;
	bool more;
	union {
		store_devices_fn *devices;
		store_profiles_fn *profiles;
		store_sessions_fn *sessions;
		store_audit_fn *audit;
		store_anchors_fn *anchors;
		store_given_fn *given;
	} done;
};

static bool
is_exact(const struct list_req *r)
{
	return r->glob != NULL && r->glob[r->prefix] == 0;
}

static void
start_at_name(const struct list_req *r, struct sq *q)
{
	sq_put_text(q, r->after != NULL && strcmp(r->after, r->first) > 0 ? r->after : r->first);
}

static enum verdict
name_wanted(const struct list_req *r, const char *name)
{
	if (name == NULL || (r->after != NULL && strcmp(name, r->after) <= 0))
		return SKIP;
	if (r->glob == NULL)
		return TAKE;
	if (strncmp(name, r->glob, r->prefix) > 0)
		return STOP;
	return str_glob(r->glob, name) ? TAKE : SKIP;
}

static void
devices_start(const struct list_req *r, struct sq_db *db, struct sq *q)
{
	*q = sq_use(db, r->anchor == NULL ? SQ_DEVICE_LIST : SQ_DEVICE_LIST_UNDER);
	start_at_name(r, q);
	if (r->anchor != NULL)
		sq_put_text(q, r->anchor);
}

static enum verdict
device_wanted(const struct list_req *r, struct sq *q)
{
	const char *extends = sq_get_text(q);
	enum verdict v = name_wanted(r, sq_get_text(q));

	if (v == TAKE && r->profile != NULL && (extends == NULL || strstr(extends, r->profile) == NULL))
		return SKIP;
	return v;
}

static enum err_code
device_read(struct sq *q, void *row, struct err *e)
{
	sq_skip(q, 1);
	return sq_row_device(q, row, e);
}

static void
device_clear(void *row)
{
	store_device_clear(row);
}

static void
devices_answer(const struct list_req *r, enum err_code rc, const struct err *e, void *rows, size_t n, bool more)
{
	r->done.devices(r->base.arg, rc, e, rows, n, more);
}

static void
profiles_start(const struct list_req *r, struct sq_db *db, struct sq *q)
{
	*q = sq_use(db, SQ_PROFILE_LIST);
	start_at_name(r, q);
}

static enum verdict
profile_wanted(const struct list_req *r, struct sq *q)
{
	return name_wanted(r, sq_get_text(q));
}

static enum err_code
profile_read(struct sq *q, void *row, struct err *e)
{
	return sq_row_profile(q, row, e);
}

static void
profile_clear(void *row)
{
	store_profile_clear(row);
}

static void
profiles_answer(const struct list_req *r, enum err_code rc, const struct err *e, void *rows, size_t n, bool more)
{
	r->done.profiles(r->base.arg, rc, e, rows, n, more);
}

static void
device_history_start(const struct list_req *r, struct sq_db *db, struct sq *q)
{
	*q = sq_use(db, SQ_HISTORY_LIST);
	sq_put_text(q, r->after);
}

static void
profile_history_start(const struct list_req *r, struct sq_db *db, struct sq *q)
{
	*q = sq_use(db, SQ_HISTORY_LIST_PROFILE);
	sq_put_text(q, r->after);
}

static enum verdict
all_wanted(const struct list_req *r, struct sq *q)
{
	(void)r;
	(void)q;
	return TAKE;
}

static void
sessions_start(const struct list_req *r, struct sq_db *db, struct sq *q)
{
	uint64_t before = r->page.before_id;

	*q = sq_use(db, is_exact(r) ? SQ_SESSION_LIST_OF : SQ_SESSION_LIST);
	if (is_exact(r))
		sq_put_text(q, r->glob);
	sq_put_int(q, before == 0 || before > INT64_MAX ? INT64_MAX : (int64_t)before);
}

/* Newest first, and the ids rise with the time of the start: nothing that is new enough comes behind. */
static enum verdict
session_wanted(const struct list_req *r, struct sq *q)
{
	sq_skip(q, 1); /* id */
	int64_t verdict = sq_get_int(q);
	sq_skip(q, 5); /* to started_ms */
	if (sq_get_int(q) < r->page.since_ms)
		return STOP;
	if (r->page.verdict >= 0 && verdict != r->page.verdict)
		return SKIP;
	if (r->glob == NULL)
		return TAKE;
	sq_skip(q, 4); /* to endpoint */
	const char *endpoint = sq_get_text(q);
	return endpoint != NULL && str_glob(r->glob, endpoint) ? TAKE : SKIP;
}

static enum err_code
session_read(struct sq *q, void *row, struct err *e)
{
	return sq_row_session(q, row, false, e);
}

static void
session_clear(void *row)
{
	store_session_row_clear(row);
}

static void
sessions_answer(const struct list_req *r, enum err_code rc, const struct err *e, void *rows, size_t n, bool more)
{
	r->done.sessions(r->base.arg, rc, e, rows, n, more);
}

static void
audit_start(const struct list_req *r, struct sq_db *db, struct sq *q)
{
	uint64_t before = r->page.before_id;

	*q = sq_use(db, SQ_AUDIT_LIST);
	sq_put_int(q, before == 0 || before > INT64_MAX ? INT64_MAX : (int64_t)before);
	sq_put_int(q, r->page.since_ms);
}

static enum verdict
audit_wanted(const struct list_req *r, struct sq *q)
{
	sq_skip(q, 4);
	const char *object = sq_get_text(q);

	return r->glob == NULL || (object != NULL && str_glob(r->glob, object)) ? TAKE : SKIP;
}

static enum err_code
audit_read(struct sq *q, void *row, struct err *e)
{
	return sq_row_audit(q, row, e);
}

static void
audit_clear(void *row)
{
	store_audit_row_clear(row);
}

static void
audit_answer(const struct list_req *r, enum err_code rc, const struct err *e, void *rows, size_t n, bool more)
{
	r->done.audit(r->base.arg, rc, e, rows, n, more);
}

static void
anchors_start(const struct list_req *r, struct sq_db *db, struct sq *q)
{
	(void)r;
	*q = sq_use(db, SQ_ANCHOR_LIST);
}

static enum err_code
anchor_read(struct sq *q, void *row, struct err *e)
{
	return sq_row_anchor(q, row, e);
}

static void
anchor_clear(void *row)
{
	store_anchor_clear(row);
}

static void
anchors_answer(const struct list_req *r, enum err_code rc, const struct err *e, void *rows, size_t n, bool more)
{
	r->done.anchors(r->base.arg, rc, e, rows, n, more);
}

static void
given_start(const struct list_req *r, struct sq_db *db, struct sq *q)
{
	*q = sq_use(db, SQ_GIVEN_LIST);
	sq_put_int(q, r->page.after_id > INT64_MAX ? INT64_MAX : (int64_t)r->page.after_id);
	sq_put_text(q, r->anchor);
	sq_put_int(q, r->page.until_s);
}

static enum err_code
given_read(struct sq *q, void *row, struct err *e)
{
	return sq_row_given(q, row, e);
}

static void
given_clear(void *row)
{
	store_given_clear(row);
}

static void
given_answer(const struct list_req *r, enum err_code rc, const struct err *e, void *rows, size_t n, bool more)
{
	r->done.given(r->base.arg, rc, e, rows, n, more);
}

static const struct list_kind anchors = { sizeof(struct store_anchor), anchors_start, all_wanted, anchor_read,
	anchor_clear, anchors_answer, false };
static const struct list_kind given = { sizeof(struct store_given), given_start, all_wanted, given_read,
	given_clear, given_answer, false };
static const struct list_kind devices = { sizeof(struct store_device), devices_start, device_wanted,
	device_read, device_clear, devices_answer, false };
static const struct list_kind profiles = { sizeof(struct store_profile), profiles_start, profile_wanted,
	profile_read, profile_clear, profiles_answer, false };
static const struct list_kind device_history = { sizeof(struct store_profile), device_history_start,
	all_wanted, profile_read, profile_clear, profiles_answer, true };
static const struct list_kind profile_history = { sizeof(struct store_profile), profile_history_start,
	all_wanted, profile_read, profile_clear, profiles_answer, true };
static const struct list_kind sessions = { sizeof(struct store_session_row), sessions_start,
	session_wanted, session_read, session_clear, sessions_answer, false };
static const struct list_kind audits = { sizeof(struct store_audit_row), audit_start, audit_wanted,
	audit_read, audit_clear, audit_answer, false };

static enum err_code
take(struct list_req *r, struct sq *q, struct err *e)
{
	char *v = grow(r->rows, r->n, &r->cap, r->kind->elem);
	if (v == NULL)
		return err_no_memory(e);
	r->rows = v;
	v += r->n++ * r->kind->elem;
	memset(v, 0, r->kind->elem);
	q->column = 0;
	return r->kind->read(q, v, e);
}

static enum err_code
list_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct list_req *r = CONTAINER_OF(base, struct list_req, base);
	enum err_code rc;
	struct sq q;
	bool row;

	(void)s;
	r->kind->start(r, db, &q);
	while ((rc = sq_step(&q, &row, e)) == ERR_OK && row) {
		enum verdict v = r->kind->wanted(r, &q);
		r->more = v == TAKE && r->n == r->page.limit;
		if (v == STOP || r->more)
			break;
		if (v == TAKE)
			rc = take(r, &q, e);
		if (rc != ERR_OK)
			break;
	}
	sq_end(&q);
	if (rc == ERR_OK && r->n == 0 && r->kind->not_empty)
		rc = err_set(e, ERR_NOT_FOUND, "%s: is not there", r->after);
	return rc;
}

static void
list_answer(struct store *s, struct sq_req *base)
{
	struct list_req *r = CONTAINER_OF(base, struct list_req, base);

	(void)s;
	if (base->rc == ERR_OK)
		r->kind->answer(r, ERR_OK, NULL, r->rows, r->n, r->more);
	else
		r->kind->answer(r, base->rc, base->e, NULL, 0, false);
}

static void
list_free(struct sq_req *base)
{
	struct list_req *r = CONTAINER_OF(base, struct list_req, base);

	for (size_t i = 0; i < r->n; i++)
		r->kind->clear((char *)r->rows + i * r->kind->elem);
	free(r->rows);
	free(r->glob);
	free(r->first);
	free(r->after);
	free(r->profile);
	free(r->anchor);
	free(r);
}

static const struct sq_req_kind list_kind = { list_run, NULL, list_answer, list_free };

static char *
dup_between(const char *frame, const char *s)
{
	struct gbuf g = { 0 };

	gbuf_str(&g, frame);
	gbuf_str(&g, s);
	gbuf_str(&g, frame);
	if (g.failed)
		abort(); /* as sq_req_new() */
	return (char *)g.data;
}

static struct list_req *
new_list(const struct list_kind *kind, const struct store_page *p, void *arg)
{
	struct list_req *r = sq_req_new(sizeof *r, &list_kind, arg);

	r->kind = kind;
	r->page = *p;
	r->glob = p->glob == NULL ? NULL : dup_between("", p->glob);
	r->after = p->after == NULL ? NULL : dup_between("", p->after);
	r->anchor = p->anchor == NULL ? NULL : dup_between("", p->anchor);
	r->profile = p->profile == NULL ? NULL : dup_between("\n", p->profile);
	r->prefix = p->glob == NULL ? 0 : strcspn(p->glob, "*?");
	r->first = dup_between("", p->glob == NULL ? "" : p->glob);
	r->first[r->prefix] = 0;
	if (r->page.limit == 0)
		r->page.limit = LIMIT_DEFAULT;
	r->page.limit = MIN(r->page.limit, (unsigned)LIMIT_MAX);
	return r;
}

void
sq_device_list(struct store *s, const struct store_page *p, store_devices_fn *done, void *arg)
{
	struct list_req *r = new_list(&devices, p, arg);

	r->done.devices = done;
	sq_worker_submit(&s->lister, &r->base);
}

void
sq_profile_list(struct store *s, const struct store_page *p, store_profiles_fn *done, void *arg)
{
	struct list_req *r = new_list(&profiles, p, arg);

	r->done.profiles = done;
	sq_worker_submit(&s->lister, &r->base);
}

static void
history(struct store *s, const struct list_kind *kind, const char *name, store_profiles_fn *done, void *arg)
{
	struct list_req *r = new_list(kind, &(struct store_page){ .after = name, .limit = LIMIT_MAX }, arg);

	r->done.profiles = done;
	sq_worker_submit(&s->lister, &r->base);
}

void
sq_profile_history(struct store *s, const char *name, store_profiles_fn *done, void *arg)
{
	history(s, &profile_history, name, done, arg);
}

void
sq_device_history(struct store *s, const char *endpoint, store_profiles_fn *done, void *arg)
{
	history(s, &device_history, endpoint, done, arg);
}

void
sq_session_list(struct store *s, const struct store_page *p, store_sessions_fn *done, void *arg)
{
	struct list_req *r = new_list(&sessions, p, arg);

	r->done.sessions = done;
	sq_worker_submit(&s->lister, &r->base);
}

void
sq_audit_list(struct store *s, const struct store_page *p, store_audit_fn *done, void *arg)
{
	struct list_req *r = new_list(&audits, p, arg);

	r->done.audit = done;
	sq_worker_submit(&s->lister, &r->base);
}

void
sq_anchor_list(struct store *s, store_anchors_fn *done, void *arg)
{
	struct list_req *r = new_list(&anchors, &(struct store_page){ .limit = LIMIT_MAX }, arg);

	r->done.anchors = done;
	sq_worker_submit(&s->lister, &r->base);
}

void
sq_given_list(struct store *s, const struct store_page *p, store_given_fn *done, void *arg)
{
	struct list_req *r = new_list(&given, p, arg);

	r->done.given = done;
	sq_worker_submit(&s->lister, &r->base);
}
