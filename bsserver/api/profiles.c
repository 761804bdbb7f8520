/* Shared profiles: the list, one of them, its history, its end. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/devices.h"

static json_t *
json_of_profile(const struct store_profile *p)
{
	json_t *j = json_object(), *doc = json_doc(p->doc),
	       *extends = json_incref(json_object_get(doc, "extends"));

	json_put(j, "name", json_text(p->name));
	json_put(j, "revision", json_u64(p->revision));
	json_put(j, "updated", json_when(p->updated_ms));
	if (json_is_string(extends)) {
		json_t *list = json_array();

		(void)json_array_append_new(list, extends);
		extends = list;
	}
	json_put(j, "extends", extends == NULL ? json_array() : extends);
	json_put(j, "document", doc);
	return j;
}

/* ---- GET /v1/profiles ---- */

static void
on_profiles(
    void *arg, enum err_code rc, const struct err *e, struct store_profile *v, size_t n, bool more)
{
	struct req *r = arg;
	json_t *list;

	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *x = json_of_profile(&v[i]);

		(void)json_object_del(x, "document");
		(void)json_array_append_new(list, x);
	}
	answer_page(r, "profiles", list, "after", more && n > 0 ? json_text(v[n - 1].name) : NULL);
}

void
get_profiles(struct req *r)
{
	struct store_page page = {
		.glob = req_param(r, "glob"), .after = req_param(r, "after"), .verdict = -1
	};
	uint64_t limit;

	if (!req_u64(r, "limit", 1, 1000, 100, &limit))
		return;
	page.limit = (unsigned)limit;
	r->api->c.ops->profile_list(r->api->c.store, &page, on_profiles, r);
}

/* ---- how many extend it ---- */

struct counting {
	struct req *r; /* NULL-safe: only asked whether somebody listens */
	struct api *api;
	char *name, *after;
	uint64_t n;
	count_fn *done;
	void *arg;
};

static void
counted(struct counting *k, enum err_code rc, const struct err *e, bool complete)
{
	k->done(k->arg, rc, e, k->n, complete);
	free(k->name);
	free(k->after);
	free(k);
}

static void count_page(struct counting *k);

static void
on_count(
    void *arg, enum err_code rc, const struct err *e, struct store_device *v, size_t n, bool more)
{
	struct counting *k = arg;

	k->n += n;
	if (rc != ERR_OK || !more || n == 0 || k->n >= COUNT_MAX || k->r->conn == NULL) {
		counted(k, rc, e, !more);
		return;
	}
	free(k->after);
	k->after = v[n - 1].endpoint;
	v[n - 1].endpoint = NULL;
	count_page(k);
}

static void
count_page(struct counting *k)
{
	struct store_page page = {
		.profile = k->name, .after = k->after, .limit = 1000, .verdict = -1
	};

	k->api->c.ops->device_list(k->api->c.store, &page, on_count, k);
}

void
count_devices(struct req *r, const char *profile, count_fn *done, void *arg)
{
	struct counting *k = calloc(1, sizeof *k);
	struct err e;

	if (k != NULL)
		*k = (struct counting){
			.r = r, .api = r->api, .name = strdup(profile), .done = done, .arg = arg
		};
	if (k == NULL || k->name == NULL) {
		free(k);
		(void)err_no_memory(&e);
		done(arg, ERR_NO_MEMORY, &e, 0, false);
		return;
	}
	count_page(k);
}

/* ---- GET /v1/profiles/{name} ---- */

struct shown {
	struct req *r;
	json_t *j;
};

static void
shown_free(void *arg)
{
	struct shown *s = arg;

	json_decref(s->j);
	free(s);
}

static void
on_shown_count(void *arg, enum err_code rc, const struct err *e, uint64_t n, bool complete)
{
	struct shown *s = arg;

	if (rc != ERR_OK) {
		answer_err(s->r, 0, e);
		return;
	}
	json_put(s->j, "devices", json_u64(n));
	json_put(s->j, "devices_complete", json_boolean(complete));
	answer_json(s->r, 200, json_incref(s->j));
}

static void
answer_no_profile(struct req *r, enum err_code rc, const struct err *e)
{
	if (rc == ERR_NOT_FOUND)
		answer_fail(r, 0, ERR_NOT_FOUND, "no profile %s", req_arg(r, 0));
	else
		answer_err(r, 0, e);
}

static void
on_profile(void *arg, enum err_code rc, const struct err *e, struct store_profile *p,
    struct store_credential *creds, size_t n)
{
	struct req *r = arg;
	struct shown *s;
	json_t *list;

	if (rc != ERR_OK) {
		answer_no_profile(r, rc, e);
		return;
	}
	s = calloc(1, sizeof *s);
	if (s == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	*s = (struct shown){ .r = r, .j = json_of_profile(p) };
	r->state = s;
	r->state_free = shown_free;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_of_credential(&creds[i]));
	json_put(s->j, "credentials", list);
	if (req_alive(r))
		count_devices(r, p->name, on_shown_count, s);
}

void
get_profile(struct req *r)
{
	r->api->c.ops->profile_get(r->api->c.store, req_arg(r, 0), on_profile, r);
}

/* ---- GET /v1/profiles/{name}/history ---- */

static void
on_history(
    void *arg, enum err_code rc, const struct err *e, struct store_profile *v, size_t n, bool more)
{
	struct req *r = arg;
	json_t *j, *list;

	(void)more;
	if (rc != ERR_OK || n == 0) {
		answer_no_profile(r, rc == ERR_OK ? ERR_NOT_FOUND : rc, e);
		return;
	}
	j = json_object();
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_of_profile(&v[i]));
	json_put(j, "name", json_text(v[0].name));
	json_put(j, "history", list);
	answer_json(r, 200, j);
}

void
get_profile_history(struct req *r)
{
	r->api->c.ops->profile_history(r->api->c.store, req_arg(r, 0), on_history, r);
}

/* ---- DELETE /v1/profiles/{name} ---- */

/* A profile that another one on the shelf extends is in use as well. */
static void
on_in_use(void *arg, enum err_code rc, const struct err *e, uint64_t n, bool complete)
{
	struct req *r = arg;

	if (rc != ERR_OK)
		answer_err(r, 0, e);
	else if (n > 0)
		answer_fail(r, 0, ERR_CONFLICT,
		    "%s%llu device%s extend%s profile %s; force=1 removes it all the same",
		    complete ? "" : "more than ", (unsigned long long)n, n == 1 ? "" : "s",
		    n == 1 ? "s" : "", req_arg(r, 0));
	else if (req_alive(r))
		change_one(r, STORE_RM_PROFILE, STORE_ACTIVE);
}

void
delete_profile(struct req *r)
{
	bool force;

	if (!req_flag(r, "force", &force))
		return;
	if (force)
		change_one(r, STORE_RM_PROFILE, STORE_ACTIVE);
	else
		count_devices(r, req_arg(r, 0), on_in_use, r);
}
