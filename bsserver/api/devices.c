/* Devices: the list, one of them, its state, its end. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/devices.h"
#include "bsserver/api/filter.h"
#include "bsserver/api/prep.h"
#include "lib/base/str.h"

/* ---- a device as JSON ---- */

/* Its document and the newest change of anything that it rests on. */
static void
put_revisions(json_t *j, const struct shelf *s, const struct store_device *d)
{
	struct profile_doc *doc = NULL;
	struct chain ch = { .n = 0 };
	json_t *extends = json_array();

	if (d->doc != NULL &&
	    profile_parse(d->endpoint, 1, d->doc, strlen(d->doc), &doc, NULL) == ERR_OK)
		chain_of(s, doc, &ch);
	for (size_t i = 0; i < ch.n; i++)
		(void)json_array_append_new(extends, json_text(ch.names[i]));
	uint64_t current = MAX(d->revision, ch.newest);
	json_put(j, "revision", json_u64(d->revision));
	json_put(j, "current_revision", json_u64(current));
	json_put(j, "provisioned_revision", json_u64(d->confirmed_revision));
	json_put(j, "provisioned", json_boolean(d->confirmed_revision >= current));
	json_put(j, "extends", extends);
	profile_doc_free(doc);
}

static json_t *
json_of_device(const struct shelf *s, const struct store_device *d)
{
	json_t *j = json_object();

	json_put(j, "endpoint", json_text(d->endpoint));
	json_put(j, "state", json_text(store_state_name(d->state)));
	put_revisions(j, s, d);
	json_put(j, "verdict",
	    d->last_session == 0 ? json_null() : json_text(bs_verdict_name(d->last_verdict)));
	json_put(j, "reason",
	    d->last_session == 0 ? json_null() : json_text(bs_reason_name(d->last_reason)));
	json_put(j, "last_ended", json_when(d->last_ended_ms));
	json_put(j, "failures", json_integer(d->failures));
	json_put(j, "created", json_when(d->created_ms));
	json_put(j, "updated", json_when(d->updated_ms));
	return j;
}

/* What operators want of its next session; a rollback that was done and is still in force as well. */
static json_t *
json_of_wishes(const struct store_device *d)
{
	json_t *list = json_array();

	for (int kind = 0; kind < STORE_WISH__COUNT; kind++) {
		const struct store_wish *w = &d->wishes[kind];
		json_t *j;

		if (w->number == 0)
			continue;
		j = json_object();
		json_put(j, "wish", json_text(store_wish_name((enum store_wish_kind)kind)));
		json_put(j, "asked", json_when(w->asked_ms));
		json_put(j, "actor", json_text(w->actor));
		json_put(j, "profile", json_text(w->profile));
		json_put(j, "session", w->session == 0 ? json_null() : json_u64(w->session));
		json_put(j, "with_credentials", json_boolean(w->with_credentials));
		json_put(j, "pending", json_boolean(w->done_session == 0));
		json_put(j, "done_session", w->done_session == 0 ? json_null() : json_u64(w->done_session));
		(void)json_array_append_new(list, j);
	}
	return list;
}

/* ---- GET /v1/devices ---- */

static void
on_devices(
    void *arg, enum err_code rc, const struct err *e, struct store_device *v, size_t n, bool more)
{
	struct req *r = arg;
	struct filter f;
	json_t *list;

	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	if (!filter_read(r, &f)) /* its parameters were right before */
		return;
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_of_device(r->api->c.shelf, &v[i]);

		if (filter_fits(&f, r->api->c.shelf, &v[i], row))
			(void)json_array_append(list, row);
		json_decref(row);
	}
	answer_page(r, "devices", list, "after", more && n > 0 ? json_text(v[n - 1].endpoint) : NULL);
}

void
get_devices(struct req *r)
{
	struct store_page page = { .glob = req_param(r, "glob"),
		.profile = req_param(r, "profile"),
		.anchor = req_param(r, "anchor"),
		.after = req_param(r, "after"),
		.verdict = -1 };
	struct filter f;
	uint64_t limit;

	if (!req_u64(r, "limit", 1, 1000, 100, &limit) || !filter_read(r, &f))
		return;
	page.limit = (unsigned)(f.n_where > 0 ? MIN(limit, (uint64_t)FILTER_PAGE) : limit);
	r->api->c.ops->device_list(r->api->c.store, &page, on_devices, r);
}

/* ---- GET /v1/devices/{ep} ---- */

struct one {
	struct req *r;
	json_t *j;
	uint64_t current, provisioned;
};

static void
one_free(void *arg)
{
	struct one *o = arg;

	json_decref(o->j);
	free(o);
}

struct live {
	const char *endpoint;
	json_t *found;
};

static void
on_live(void *arg, const struct bs_live_info *info)
{
	struct live *l = arg;

	if (l->found != NULL || info->endpoint == NULL || strcmp(info->endpoint, l->endpoint) != 0)
		return;
	l->found = json_object();
	json_put(l->found, "id", json_u64(info->id));
	json_put(l->found, "state", json_text(bs_state_name(info->state)));
	json_put(l->found, "age_ms", json_integer(info->age_ms));
}

static void
on_last(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n,
    bool more)
{
	struct one *o = arg;
	uint64_t written = o->provisioned;

	(void)e;
	(void)more;
	if (rc == ERR_OK && n > 0) {
		const struct bs_record *rec = &v[0].rec;

		if (rec->verdict == BS_VERDICT_WRITTEN || rec->verdict == BS_VERDICT_PROVISIONED)
			written = MAX(written, rec->revision);
		json_put(o->j, "last_session", json_of_session(rec));
	} else
		json_put(o->j, "last_session", json_null());
	json_put(o->j, "written_revision", json_u64(written));
	json_put(o->j, "written", json_boolean(written >= o->current));
	answer_json(o->r, 200, json_incref(o->j));
}

static void
answer_no_device(struct req *r, enum err_code rc, const struct err *e)
{
	if (rc == ERR_NOT_FOUND)
		answer_fail(r, 0, ERR_NOT_FOUND, "no device %s", req_arg(r, 0));
	else
		answer_err(r, 0, e);
}

static void
on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct req *r = arg;
	struct live live = { .found = NULL };
	json_t *list = json_array();
	struct one *o;

	if (rc != ERR_OK || (o = calloc(1, sizeof *o)) == NULL) {
		json_decref(list);
		answer_no_device(r, rc == ERR_OK ? ERR_NO_MEMORY : rc, e);
		return;
	}
	*o = (struct one){ .r = r, .j = json_of_device(r->api->c.shelf, d) };
	r->state = o;
	r->state_free = one_free;
	o->current = (uint64_t)json_integer_value(json_object_get(o->j, "current_revision"));
	o->provisioned = d->confirmed_revision;
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_of_credential(&creds[i]));
	json_put(o->j, "credentials", list);
	json_put(o->j, "document", json_doc(d->doc));
	json_put(o->j, "wishes", json_of_wishes(d));
	put_registered(r->api, o->j, d->endpoint);
	live.endpoint = d->endpoint;
	bs_driver_each(r->api->c.driver, on_live, &live);
	json_put(o->j, "live", live.found == NULL ? json_null() : live.found);
	if (!req_alive(r))
		return;
	if (d->last_session == 0)
		on_last(o, ERR_NOT_FOUND, NULL, NULL, 0, false);
	else
		r->api->c.ops->session_get(r->api->c.store, d->last_session, NULL, on_last, o);
}

void
get_device(struct req *r)
{
	r->api->c.ops->device_get(r->api->c.store, req_arg(r, 0), on_device, r);
}

/* ---- GET /v1/devices/{ep}/resolved ---- */

static void
answer_resolved(struct req *r, const struct store_device *d)
{
	struct prep *p = NULL;
	struct gbuf text = { 0 };
	struct err e;
	json_t *j;
	enum err_code rc = prep_read(r->api, d->endpoint, 1, d->doc, strlen(d->doc), &p, &e);

	if (rc == ERR_OK)
		rc = profile_resolve(p->own, prep_find, p, &p->findings, &p->resolved, &e);
	if (rc != ERR_OK) {
		answer_err(r, 0, &e);
		goto out;
	}
	if (p->resolved != NULL)
		profile_doc_write(p->resolved, true, &text);
	j = json_object();
	json_put(j, "endpoint", json_text(d->endpoint));
	json_put(j, "document", p->resolved == NULL ? json_null() : json_doc(gbuf_cstr(&text)));
	json_put(j, "findings", json_of_findings(&p->findings));
	answer_json(r, 200, j);
out:
	gbuf_clear(&text);
	prep_free(p);
}

static void
on_resolve(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	(void)creds;
	(void)n;
	if (rc != ERR_OK)
		answer_no_device(arg, rc, e);
	else
		answer_resolved(arg, d);
}

void
get_device_resolved(struct req *r)
{
	r->api->c.ops->device_get(r->api->c.store, req_arg(r, 0), on_resolve, r);
}

/* ---- changes ---- */

struct change {
	struct req *r;
	struct store_change c;
	struct store_actor who;
};

static void
on_changed(void *arg, enum err_code rc, const struct err *e, size_t failed_at,
    const struct store_result *v, size_t n)
{
	struct change *ch = arg;
	struct req *r = ch->r;
	const char *name = req_arg(r, 0);
	bool removed = ch->c.op == STORE_RM_DEVICE || ch->c.op == STORE_RM_PROFILE;
	json_t *j;

	(void)failed_at;
	if (rc != ERR_OK || n == 0) {
		answer_err(r, 0, e);
		return;
	}
	if (removed || ch->c.state != STORE_ACTIVE)
		(void)bs_driver_cancel(r->api->c.driver, name,
		    removed ? "the device was removed" : "the device was shut out");
	j = json_object();
	json_put(j, ch->c.op == STORE_RM_PROFILE ? "profile" : "endpoint", json_text(name));
	if (removed)
		json_put(j, "result", json_text("removed"));
	else {
		json_put(j, "state", json_text(store_state_name(ch->c.state)));
		json_put(
		    j, "result", json_text(v[0].kind == STORE_UNCHANGED ? "unchanged" : "updated"));
	}
	json_put(j, "revision", json_u64(v[0].revision));
	answer_json(r, 200, j);
}

void
change_one(struct req *r, enum store_op op, enum store_state state)
{
	struct change *ch;
	uint64_t expect;

	if (!req_u64(r, "expect_revision", 1, INT64_MAX, 0, &expect))
		return;
	ch = calloc(1, sizeof *ch);
	if (ch == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	ch->r = r;
	ch->c = (struct store_change){
		.op = op, .name = req_arg(r, 0), .state = state, .expect_revision = expect
	};
	ch->who = req_actor(r);
	r->state = ch;
	r->state_free = free;
	r->api->c.ops->apply(r->api->c.store, &ch->who, &ch->c, 1, on_changed, ch);
}

void
delete_device(struct req *r)
{
	change_one(r, STORE_RM_DEVICE, STORE_ACTIVE);
}

void
post_device_state(struct req *r)
{
	json_t *j = req_json(r);
	const char *word;
	enum store_state state;

	if (j == NULL)
		return;
	word = json_string_value(json_object_get(j, "state"));
	if (!req_members(r, j, "state"))
		;
	else if (word == NULL || !store_state_from_name(word, &state))
		answer_fail(r, 0, ERR_INVALID, "/state: must be active, blocked or retired");
	else
		change_one(r, STORE_SET_STATE, state);
	json_decref(j);
}
