/* What sessions left on a device one after the other, what changed between two of them, and the
 * wish to go back. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/held.h"
#include "bsserver/ports/handout.h"
#include "bsserver/ports/handover.h"
#include "bsserver/ports/restore.h"
#include "lib/base/clock.h"

/* ---- GET /v1/devices/{ep}/history ---- */

static void
on_history(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more)
{
	struct req *r = arg;
	json_t *j, *list;

	(void)more;
	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	j = json_object();
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_of_held(&v[i]));
	json_put(j, "endpoint", json_text(req_arg(r, 0)));
	json_put(j, "history", list);
	answer_json(r, 200, j);
}

void
get_device_history(struct req *r)
{
	r->api->c.ops->held_list(r->api->c.store, req_arg(r, 0), on_history, r);
}

/* ---- GET /v1/devices/{ep}/diff ---- */

struct diffing {
	struct req *r;
	uint64_t from, to; /* 0: the newest but one; the newest */
	json_t *changes;
	const struct lwm2m_model *m;
};

static void
diffing_free(void *arg)
{
	struct diffing *d = arg;

	json_decref(d->changes);
	free(d);
}

static json_t *
value_text(const struct lwm2m_value *v)
{
	struct gbuf text = { .max = 65536 };
	json_t *j;

	if (v == NULL)
		return json_null();
	seen_print(&text, v);
	j = json_text(gbuf_cstr(&text));
	gbuf_clear(&text);
	return j;
}

static void
note(struct diffing *d, struct lwm2m_path p, json_t *had, json_t *has)
{
	const struct lwm2m_res_def *def =
	    p.depth < LWM2M_RESOURCE ? NULL : lwm2m_model_resource(d->m, p.id[0], p.id[2]);
	json_t *j = json_object();

	json_put(j, "path", json_text(lwm2m_path_str(p).s));
	json_put(j, "name", json_text(def == NULL ? NULL : def->key));
	json_put(j, "had", had);
	json_put(j, "has", has);
	(void)json_array_append_new(d->changes, j);
}

static json_t *
link_text(const struct lwm2m_link_entry *l)
{
	struct gbuf text = { .max = 4096 };
	json_t *j;

	if (l == NULL)
		return json_null();
	gbuf_str(&text, "there");
	if (l->ssid != 0)
		gbuf_printf(&text, ", ssid %u", (unsigned)l->ssid);
	if (l->uri != NULL)
		gbuf_printf(&text, ", %s", l->uri);
	j = json_text(gbuf_cstr(&text));
	gbuf_clear(&text);
	return j;
}

/* Instances by what Discover says of them. */
static void
compare_links(struct diffing *d, const struct seen *a, const struct seen *b)
{
	for (size_t i = 0; i < a->inv.links.n; i++) {
		const struct lwm2m_link_entry *l = &a->inv.links.v[i], *k = lwm2m_links_find(&b->inv.links, l->path);
		json_t *had = link_text(l), *has = link_text(k);

		if (l->path.depth == LWM2M_INSTANCE && !json_equal(had, has))
			note(d, l->path, json_incref(had), json_incref(has));
		json_decref(had);
		json_decref(has);
	}
	for (size_t i = 0; i < b->inv.links.n; i++) {
		const struct lwm2m_link_entry *l = &b->inv.links.v[i];

		if (l->path.depth == LWM2M_INSTANCE && lwm2m_links_find(&a->inv.links, l->path) == NULL)
			note(d, l->path, json_null(), link_text(l));
	}
}

static void
compare_values(struct diffing *d, const struct seen *a, const struct seen *b)
{
	const struct lwm2m_tree *ta = &a->inv.seen, *tb = &b->inv.seen;

	for (size_t i = 0; i < ta->n; i++) {
		const struct lwm2m_node *n = &ta->nodes[i];
		const struct lwm2m_value *other = lwm2m_tree_get(tb, n->path);

		if (n->path.depth >= LWM2M_RESOURCE && (other == NULL || !lwm2m_value_eq(&n->value, other)))
			note(d, n->path, value_text(&n->value), value_text(other));
	}
	for (size_t i = 0; i < tb->n; i++) {
		const struct lwm2m_node *n = &tb->nodes[i];

		if (n->path.depth >= LWM2M_RESOURCE && lwm2m_tree_get(ta, n->path) == NULL)
			note(d, n->path, json_null(), value_text(&n->value));
	}
}

/* Keys do not show: their fingerprints do. */
static void
put_keys(json_t *j, const struct store_held *a, const struct store_held *b)
{
	json_put(j, "had_fingerprints", json_text(a->fingerprints));
	json_put(j, "has_fingerprints", json_text(b->fingerprints));
}

static void
answer_diff(struct diffing *d, const struct store_held *a, const struct store_held *b)
{
	struct seen had = { 0 }, has = { 0 };
	struct err e;
	enum err_code rc = seen_load(&had, d->m, a, &e);

	if (rc == ERR_OK)
		rc = seen_load(&has, d->m, b, &e);
	if (rc == ERR_OK) {
		json_t *j = json_object();

		compare_links(d, &had, &has);
		compare_values(d, &had, &has);
		json_put(j, "endpoint", json_text(req_arg(d->r, 0)));
		json_put(j, "from", json_u64(a->session));
		json_put(j, "to", json_u64(b->session));
		json_put(j, "changes", json_incref(d->changes));
		put_keys(j, a, b);
		answer_json(d->r, 200, j);
	} else
		answer_err(d->r, 0, &e);
	seen_clear(&had);
	seen_clear(&has);
}

/* The row that a session is in; session 0: the n-th good one. */
static const struct store_held *
pick(const struct store_held *v, size_t n, uint64_t session, size_t nth)
{
	for (size_t i = 0; i < n; i++) {
		if (session == 0 ? !v[i].good : session < v[i].session || session > v[i].last_session)
			continue;
		if (session != 0 || nth-- == 0)
			return &v[i];
	}
	return NULL;
}

static void
on_diff(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more)
{
	struct diffing *d = arg;

	(void)more;
	if (rc != ERR_OK) {
		answer_err(d->r, 0, e);
		return;
	}
	const struct store_held *to = pick(v, n, d->to, 0), *from = pick(v, n, d->from, 1);
	if (from == NULL || to == NULL) {
		uint64_t missing = to == NULL ? d->to : d->from;

		if (missing != 0)
			answer_fail(d->r, 0, ERR_NOT_FOUND, "session %llu: what it left is not kept",
			    (unsigned long long)missing);
		else
			answer_fail(d->r, 0, ERR_NOT_FOUND, "device %s: its sessions left %s", req_arg(d->r, 0),
			    n == 0 ? "nothing that is kept" : "nothing else than what it holds");
		return;
	}
	answer_diff(d, from, to);
}

void
get_device_diff(struct req *r)
{
	struct diffing *d = calloc(1, sizeof *d);

	if (d == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	d->r = r;
	d->m = r->api->c.model;
	d->changes = json_array();
	r->state = d;
	r->state_free = diffing_free;
	if (req_u64(r, "from", 1, INT64_MAX, 0, &d->from) && req_u64(r, "to", 1, INT64_MAX, 0, &d->to))
		r->api->c.ops->held_list(r->api->c.store, req_arg(r, 0), on_diff, d);
}

/* ---- POST and DELETE /v1/devices/{ep}/rollback, …/handover ---- */

struct wishing {
	struct req *r;
	struct store_change c;
	struct store_wish w;
	struct store_actor who;
};

static void
on_wished(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *v,
    size_t n)
{
	struct wishing *w = arg;
	json_t *j;

	(void)failed_at;
	if (rc != ERR_OK || n == 0) {
		answer_err(w->r, 0, e);
		return;
	}
	j = json_object();
	json_put(j, "endpoint", json_text(req_arg(w->r, 0)));
	json_put(j, "wish", json_text(store_wish_name(w->c.wish_kind)));
	json_put(j, "result",
	    json_text(w->c.wish != NULL            ? "pending" :
	              v[0].kind == STORE_UNCHANGED ? "unchanged" :
	                                             "taken back"));
	if (w->c.wish != NULL && w->w.session != 0)
		json_put(j, "session", json_u64(w->w.session));
	if (w->c.wish != NULL && w->w.profile != NULL)
		json_put(j, "profile", json_text(w->w.profile));
	answer_json(w->r, 200, j);
}

static void
submit(struct wishing *w)
{
	w->r->api->c.ops->apply(w->r->api->c.store, &w->who, &w->c, 1, on_wished, w);
}

static void
take_back(struct req *r, enum store_wish_kind kind)
{
	struct wishing *w = calloc(1, sizeof *w);

	if (w == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	w->r = r;
	w->c = (struct store_change){ .op = STORE_SET_WISH, .name = req_arg(r, 0), .wish_kind = kind };
	w->who = req_actor(r);
	r->state = w;
	r->state_free = free;
	submit(w);
}

/* Certificates of then may be over, or were never fit: as the session will judge them. */
static enum err_code
check_keys_of_then(const struct api_conf *c, const struct profile_desired *d, struct err *e)
{
	struct handout_result got = { .verdicts = { .max = 65536 } };
	const struct trust *t = c->trust != NULL ? c->trust(c->arg) : NULL;
	enum err_code rc = handout_judge(d, t, c->shelf, clock_wall_ms() / 1000, &got, e);

	handout_result_clear(&got);
	return rc;
}

/* Said now rather than when the device comes. */
static enum err_code
check_restorable(const struct wishing *w, struct store_device *d, struct store_credential *creds, size_t n,
    const struct store_held *target, struct err *e)
{
	const struct compile_input in = {
		.endpoint = d->endpoint, .doc = d->doc, .credentials = creds, .n_credentials = n
	};
	const struct api_conf *c = &w->r->api->c;
	struct compiled now = { 0 };
	struct profile_desired got = { 0 };
	enum err_code rc = compile_device(c->shelf, c->model, &in, &now, e);

	if (rc == ERR_OK) {
		const struct restore r = { .wrote = &target->wrote, .now = &now.desired,
			.with_credentials = w->w.with_credentials, .withdrawn = &target->withdrawn,
			.agreed = RESTORE_ALL_AGREED };
		rc = restore_make(&r, c->model, &got, e);
	}
	if (rc == ERR_OK && w->w.with_credentials)
		rc = check_keys_of_then(c, &got, e);
	if (rc == ERR_CONFLICT)
		err_wrap(e, "without with_credentials");
	profile_desired_clear(&got);
	compiled_clear(&now);
	return rc;
}

struct rollback {
	struct wishing w; /* the first: it is freed as one */
	struct store_held target;
};

static void
rollback_free(void *arg)
{
	struct rollback *b = arg;

	store_held_clear(&b->target);
	free(b);
}

static void
on_rollback_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct rollback *b = arg;
	struct err mine;

	if (rc == ERR_OK) {
		e = &mine;
		rc = check_restorable(&b->w, d, creds, n, &b->target, &mine);
	}
	if (rc != ERR_OK)
		answer_err(b->w.r, 0, e);
	else if (req_alive(b->w.r))
		submit(&b->w);
}

static void
on_target(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more)
{
	struct rollback *b = arg;
	struct req *r = b->w.r;
	const struct store_held *h = rc == ERR_OK && n > 0 ? &v[0] : NULL;

	(void)more;
	if (h == NULL) {
		answer_err(r, 0, e);
		return;
	}
	b->target = *h;
	v[0] = (struct store_held){ 0 };
	if (req_alive(r))
		r->api->c.ops->device_get(r->api->c.store, req_arg(r, 0), on_rollback_device, b);
}

/* Without a session: what the one before the newest left. */
static void
on_before(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more)
{
	struct rollback *b = arg;
	struct req *r = b->w.r;
	const struct store_held *h;

	(void)more;
	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	h = pick(v, n, 0, 1);
	if (h == NULL) {
		answer_fail(r, 0, ERR_NOT_FOUND, "device %s: there is no earlier configuration to go back to",
		    req_arg(r, 0));
		return;
	}
	b->w.w.session = h->session;
	if (req_alive(r))
		r->api->c.ops->held_get(r->api->c.store, req_arg(r, 0), h->session, on_target, b);
}

static bool
read_flag(struct req *r, const json_t *j, const char *name, bool *out)
{
	const json_t *v = json_object_get(j, name);

	if (v != NULL && !json_is_boolean(v)) {
		answer_fail(r, 0, ERR_INVALID, "/%s: must be true or false", name);
		return false;
	}
	*out = json_is_true(v);
	return true;
}

static bool
read_rollback(struct req *r, json_t *j, struct store_wish *w)
{
	const json_t *session = json_object_get(j, "session");

	if (!req_members(r, j, "session with_credentials"))
		return false;
	if (session != NULL && !json_is_null(session) &&
	    (!json_is_integer(session) || json_integer_value(session) < 1)) {
		answer_fail(r, 0, ERR_INVALID, "/session: must be a session's number");
		return false;
	}
	w->session = (uint64_t)json_integer_value(session);
	return read_flag(r, j, "with_credentials", &w->with_credentials);
}

void
post_device_rollback(struct req *r)
{
	struct wishing wish = { .r = r };
	json_t *j = req_json(r);
	struct rollback *b;
	bool fine = j != NULL && read_rollback(r, j, &wish.w);

	json_decref(j);
	if (!fine)
		return;
	b = calloc(1, sizeof *b);
	if (b == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	b->w = wish;
	b->w.who = req_actor(r);
	b->w.c = (struct store_change){ .op = STORE_SET_WISH, .name = req_arg(r, 0),
		.wish_kind = STORE_WISH_ROLLBACK, .wish = &b->w.w };
	r->state = b;
	r->state_free = rollback_free;
	if (wish.w.session == 0)
		r->api->c.ops->held_list(r->api->c.store, req_arg(r, 0), on_before, b);
	else
		r->api->c.ops->held_get(r->api->c.store, req_arg(r, 0), wish.w.session, on_target, b);
}

void
delete_device_rollback(struct req *r)
{
	take_back(r, STORE_WISH_ROLLBACK);
}

static void
on_handover_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct wishing *w = arg;
	const struct api_conf *c = &w->r->api->c;
	struct lwm2m_tree account = { 0 };
	struct err mine;

	if (rc == ERR_OK) {
		const struct handover h = { .endpoint = d->endpoint, .profile = w->w.profile, .credentials = creds,
			.n_credentials = n };
		e = &mine;
		rc = handover_make(c->shelf, c->model, &h, &account, &mine);
	}
	lwm2m_tree_clear(&account);
	if (rc != ERR_OK)
		answer_err(w->r, 0, e);
	else if (req_alive(w->r))
		submit(w);
}

static void
handover_free(void *arg)
{
	struct wishing *w = arg;

	free(w->w.profile);
	free(w);
}

void
post_device_handover(struct req *r)
{
	json_t *j = req_json(r);
	const char *profile = json_string_value(json_object_get(j, "profile"));
	struct wishing *w = NULL;

	if (j == NULL)
		return;
	if (!req_members(r, j, "profile"))
		;
	else if (profile == NULL || profile[0] == 0)
		answer_fail(r, 0, ERR_INVALID, "/profile: must be the name of a shared profile");
	else if ((w = calloc(1, sizeof *w)) == NULL)
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
	if (w != NULL) {
		w->r = r;
		w->w.profile = strdup(profile);
		w->c = (struct store_change){ .op = STORE_SET_WISH, .name = req_arg(r, 0),
			.wish_kind = STORE_WISH_HANDOVER, .wish = &w->w };
		w->who = req_actor(r);
		r->state = w;
		r->state_free = handover_free;
		if (w->w.profile != NULL)
			r->api->c.ops->device_get(r->api->c.store, req_arg(r, 0), on_handover_device, w);
		else
			answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
	}
	json_decref(j);
}

void
delete_device_handover(struct req *r)
{
	take_back(r, STORE_WISH_HANDOVER);
}
