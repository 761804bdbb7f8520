#include "bsserver/store/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

/* A device or a profile with its credentials, or one session. */
struct get_req {
	struct sq_req base;
	char *name;
	uint64_t id;
	bool look; /* credentials are wanted only where there is no compiled form */
	struct store_device device;
	struct store_profile profile;
	struct store_session_row session;
	struct sq_creds creds;
	union {
		store_device_fn *device;
		store_profile_fn *profile;
		store_sessions_fn *session;
	} done;
};

static struct get_req *
new_get(const struct sq_req_kind *kind, const char *name, void *arg)
{
	struct get_req *r = sq_req_new(sizeof *r, kind, arg);

	r->name = name == NULL ? NULL : strdup(name);
	if (name != NULL && r->name == NULL)
		abort();
	return r;
}

static void
get_free(struct sq_req *base)
{
	struct get_req *r = CONTAINER_OF(base, struct get_req, base);

	free(r->name);
	store_device_clear(&r->device);
	store_profile_clear(&r->profile);
	store_session_row_clear(&r->session);
	sq_creds_clear(&r->creds);
	free(r);
}

static enum err_code
not_found(enum err_code rc, bool row, const char *what, const char *name, struct err *e)
{
	return rc == ERR_OK && !row ? err_set(e, ERR_NOT_FOUND, "%s %s: is not there", what, name) : rc;
}

/* What is to be done besides, and what it is to come back to. */
static enum err_code
load_wishes(struct sq_db *db, struct sq_held_key key, struct store_device *d, struct err *e)
{
	enum err_code rc = sq_wishes_load(db, key.device, d->wishes, e);

	key.session = d->wishes[STORE_WISH_ROLLBACK].session;
	if (rc == ERR_OK && key.session != 0)
		rc = sq_held_find(db, SQ_HELD_OF, &key, &d->restore, e);
	if (rc == ERR_OK && d->restore.session != 0)
		rc = sq_withdrawn_find(db, key.endpoint, &d->restore, e);
	return rc;
}

/* The row of SQ_DEVICE_GET. */
static enum err_code
read_device(struct sq *q, struct sq_held_key *key, bool *wishes, struct store_device *d, struct err *e)
{
	size_t n;
	enum err_code rc = sq_row_device(q, d, e);

	if (rc != ERR_OK)
		return rc;
	const void *sealed = sq_get_blob(q, &n);
	if (sealed != NULL)
		rc = sq_unseal(q->db, "compiled", SQ_DEVICE, key->endpoint, "", sealed, n, &d->compiled, e);
	key->device = sq_get_int(q);
	*wishes = sq_get_int(q) != 0;
	d->recent_good = (unsigned)sq_get_int(q);
	return rc == ERR_OK ? sq_row_held(q, key->endpoint, &d->held, e) : rc;
}

static enum err_code
device_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct get_req *r = CONTAINER_OF(base, struct get_req, base);
	struct sq_held_key key = { .endpoint = r->name };
	struct sq q = sq_use(db, SQ_DEVICE_GET);
	bool row, wishes = false;

	(void)s;
	sq_put_text(&q, r->name);
	sq_put_int(&q, clock_wall_ms() - SQ_DAY_MS);
	enum err_code rc = sq_step(&q, &row, e);
	rc = not_found(rc, row, "device", r->name, e);
	if (rc == ERR_OK)
		rc = read_device(&q, &key, &wishes, &r->device, e);
	sq_end(&q);
	if (rc == ERR_OK && wishes)
		rc = load_wishes(db, key, &r->device, e);
	if (rc != ERR_OK || (r->look && r->device.compiled.len > 0))
		return rc;
	return sq_creds_load(db, SQ_DEVICE, r->name, &r->creds, e);
}

static void
device_answer(struct store *s, struct sq_req *base)
{
	struct get_req *r = CONTAINER_OF(base, struct get_req, base);

	struct store_device view, *d = &r->device;

	if (r->look) {
		sq_hot_read(s->hot, r->name, base->rc == ERR_OK ? d : NULL);
		if (base->rc == ERR_OK && d->endpoint == NULL && sq_hot_view(s->hot, r->name, &view))
			d = &view;
	}
	if (base->rc == ERR_OK)
		r->done.device(base->arg, ERR_OK, NULL, d, r->creds.v, r->creds.n);
	else
		r->done.device(base->arg, base->rc, base->e, NULL, NULL, 0);
}

static const struct sq_req_kind device_kind = { device_run, NULL, device_answer, get_free };

void
sq_device_get(struct store *s, const char *endpoint, store_device_fn *done, void *arg)
{
	struct get_req *r = new_get(&device_kind, endpoint, arg);

	r->done.device = done;
	sq_worker_submit(&s->getter, &r->base);
}

static void
look_into_file(struct store *s, const char *endpoint, store_device_fn *done, void *arg)
{
	struct get_req *r = new_get(&device_kind, endpoint, arg);

	r->look = true;
	r->done.device = done;
	sq_hot_ask(s->hot, endpoint);
	sq_worker_submit(&s->getter, &r->base);
}

/* A device that is in memory. */
struct look_req {
	struct sq_req base;
	store_device_fn *done;
	char endpoint[];
};

/* It may have gone since. */
static void
look_answer(struct store *s, struct sq_req *base)
{
	struct look_req *r = CONTAINER_OF(base, struct look_req, base);
	struct store_device view;

	if (sq_hot_view(s->hot, r->endpoint, &view))
		r->done(base->arg, ERR_OK, NULL, &view, NULL, 0);
	else
		look_into_file(s, r->endpoint, r->done, base->arg);
}

static void
look_free(struct sq_req *base)
{
	free(CONTAINER_OF(base, struct look_req, base));
}

static const struct sq_req_kind look_kind = { NULL, NULL, look_answer, look_free };

void
sq_device_look(struct store *s, const char *endpoint, store_device_fn *done, void *arg)
{
	size_t n = strlen(endpoint) + 1;
	struct store_device view;
	struct sq_list one;

	if (!sq_hot_view(s->hot, endpoint, &view)) {
		look_into_file(s, endpoint, done, arg);
		return;
	}
	struct look_req *r = sq_req_new(sizeof *r + n, &look_kind, arg);
	r->done = done;
	memcpy(r->endpoint, endpoint, n);
	sq_list_init(&one);
	sq_list_push(&one, &r->base);
	sq_mailbox_put(s->mailbox, &one);
}

static enum err_code
profile_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct get_req *r = CONTAINER_OF(base, struct get_req, base);
	struct sq q;
	bool row;

	(void)s;
	enum err_code rc = sq_find(&q, db, SQ_PROFILE_GET, r->name, &row, e);
	rc = not_found(rc, row, "profile", r->name, e);
	if (rc == ERR_OK)
		rc = sq_row_profile(&q, &r->profile, e);
	sq_end(&q);
	return rc == ERR_OK ? sq_creds_load(db, SQ_PROFILE, r->name, &r->creds, e) : rc;
}

static void
profile_answer(struct store *s, struct sq_req *base)
{
	struct get_req *r = CONTAINER_OF(base, struct get_req, base);

	(void)s;
	if (base->rc == ERR_OK)
		r->done.profile(base->arg, ERR_OK, NULL, &r->profile, r->creds.v, r->creds.n);
	else
		r->done.profile(base->arg, base->rc, base->e, NULL, NULL, 0);
}

static const struct sq_req_kind profile_kind = { profile_run, NULL, profile_answer, get_free };

void
sq_profile_get(struct store *s, const char *name, store_profile_fn *done, void *arg)
{
	struct get_req *r = new_get(&profile_kind, name, arg);

	r->done.profile = done;
	sq_worker_submit(&s->getter, &r->base);
}

static enum err_code
session_run(struct store *s, struct sq_db *db, struct sq_req *base, struct err *e)
{
	struct get_req *r = CONTAINER_OF(base, struct get_req, base);
	struct sq q = sq_use(db, r->id != 0 ? SQ_SESSION_GET : SQ_SESSION_LAST);
	bool row;

	(void)s;
	if (r->id != 0)
		sq_put_int(&q, (int64_t)r->id);
	else
		sq_put_text(&q, r->name);
	enum err_code rc = sq_step(&q, &row, e);
	if (rc == ERR_OK && !row)
		rc = r->id != 0
		    ? err_set(e, ERR_NOT_FOUND, "session %llu: is not there", (unsigned long long)r->id)
		    : err_set(e, ERR_NOT_FOUND, "device %s: no session", r->name == NULL ? "" : r->name);
	if (rc == ERR_OK)
		rc = sq_row_session(&q, &r->session, true, e);
	sq_end(&q);
	return rc;
}

static void
session_answer(struct store *s, struct sq_req *base)
{
	struct get_req *r = CONTAINER_OF(base, struct get_req, base);

	(void)s;
	if (base->rc == ERR_OK)
		r->done.session(base->arg, ERR_OK, NULL, &r->session, 1, false);
	else
		r->done.session(base->arg, base->rc, base->e, NULL, 0, false);
}

static const struct sq_req_kind session_kind = { session_run, NULL, session_answer, get_free };

void
sq_session_get(struct store *s, uint64_t id, const char *endpoint, store_sessions_fn *done, void *arg)
{
	struct get_req *r = new_get(&session_kind, endpoint, arg);

	r->id = id;
	r->done.session = done;
	sq_worker_submit(&s->getter, &r->base);
}
