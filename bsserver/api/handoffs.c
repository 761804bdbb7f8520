/* What LwM2M Servers were told of devices' credentials, and what is still to be done. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/handoffs.h"
#include "lib/base/str.h"

json_t *
json_of_handoff(const struct store_handoff *h)
{
	json_t *j = json_object();

	json_put(j, "endpoint", json_text(h->endpoint));
	json_put(j, "target", json_text(h->target));
	json_put(j, "server", json_text(h->server));
	json_put(j, "short_server_id", json_integer(h->short_server_id));
	json_put(j, "state", json_text(store_handoff_state_name(h->state)));
	json_put(j, "help", json_text(store_handoff_state_help(h->state)));
	json_put(j, "since", json_when(h->since_ms));
	json_put(j, "settled", json_when(h->settled_ms));
	json_put(j, "due", json_when(h->due_ms));
	json_put(j, "attempts", json_integer(h->attempts));
	json_put(j, "error", json_text(h->error));
	json_put(j, "session", h->session == 0 ? json_null() : json_u64(h->session));
	json_put(j, "known", h->known_fp[0] == 0 ? json_null() : json_text(h->known_fp));
	json_put(j, "new", h->other_fp[0] == 0 ? json_null() : json_text(h->other_fp));
	return j;
}

/* ---- GET /v1/handoffs ---- */

static void
on_list(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct req *r = arg;
	json_t *list;

	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_of_handoff(&v[i]));
	answer_page(r, "handoffs", list, "after",
	    more && n > 0 ? json_sprintf("%s\n%s", v[n - 1].endpoint, v[n - 1].target) : NULL);
}

/* "ENDPOINT, end of line, TARGET", as an earlier page said; split in place. */
static bool
read_after(struct req *r, char *after, struct store_handoff_page *p)
{
	char *nl = after == NULL ? NULL : strchr(after, '\n');

	if (after == NULL)
		return true;
	if (nl == NULL) {
		answer_fail(r, 0, ERR_USAGE, "after: must be what an earlier page said");
		return false;
	}
	*nl = 0;
	p->after_endpoint = after;
	p->after_target = nl + 1;
	return true;
}

void
get_handoffs(struct req *r)
{
	const char *given = req_param(r, "after");
	struct store_handoff_page p = { .endpoint = req_param(r, "endpoint") };
	char *after = given == NULL ? NULL : strdup(given);
	uint64_t limit;
	bool open = false;

	if (req_flag(r, "open", &open) && req_u64(r, "limit", 1, 1000, 100, &limit) && read_after(r, after, &p)) {
		p.limit = (unsigned)limit;
		p.due_until_ms = open ? INT64_MAX : 0;
		r->api->c.ops->handoff_list(r->api->c.store, &p, on_list, r);
	}
	free(after);
}

/* ---- POST /v1/handoffs/retry ---- */

static bool
has_servers(struct req *r)
{
	if (r->api->c.handoff != NULL && handoff_server_at(r->api->c.handoff, 0) != NULL)
		return true;
	answer_fail(r, 0, ERR_NOT_FOUND, "the configuration has no lwm2m_servers");
	return false;
}

static void
on_retry(void *arg, enum err_code rc, const struct err *e)
{
	struct req *r = arg;

	if (rc != ERR_OK)
		answer_err(r, 0, e);
	else
		answer_json(r, 202, json_pack("{s:b}", "retried", true));
}

void
post_handoff_retry(struct req *r)
{
	json_t *body;
	const char *endpoint;

	if (!has_servers(r) || (body = req_json(r)) == NULL)
		return;
	endpoint = json_string_value(json_object_get(body, "endpoint"));
	if (!req_members(r, body, "endpoint all")) {
		json_decref(body);
		return;
	}
	if ((endpoint == NULL) != json_is_true(json_object_get(body, "all")))
		answer_fail(r, 0, ERR_INVALID, "one of endpoint and all must be given");
	else
		handoff_retry(r->api->c.handoff, endpoint, on_retry, r);
	json_decref(body);
}

/* ---- POST /v1/handoffs/test ---- */

static void
on_test(void *arg, bool ok, const char *text)
{
	struct req *r = arg;

	answer_json(r, 200, json_pack("{s:s, s:b, s:o}", "target", (const char *)r->state, "ok", ok, "error",
	                        ok ? json_null() : json_string(text)));
}

void
post_handoff_test(struct req *r)
{
	json_t *body;
	const char *target;
	struct err e;

	if (!has_servers(r) || (body = req_json(r)) == NULL)
		return;
	target = json_string_value(json_object_get(body, "target"));
	if (req_members(r, body, "target")) {
		r->state = target == NULL ? NULL : strdup(target);
		r->state_free = free;
		if (r->state == NULL)
			answer_fail(r, 0, ERR_INVALID, "target: must be the name of an LwM2M Server");
		else if (handoff_test(r->api->c.handoff, target, on_test, r, &e) != ERR_OK)
			answer_err(r, 0, &e);
	}
	json_decref(body);
}

/* ---- GET /v1/handoffs/servers ---- */

void
get_handoff_servers(struct req *r)
{
	json_t *list = json_array();
	const struct handoff_server *s;

	for (size_t i = 0; r->api->c.handoff != NULL && (s = handoff_server_at(r->api->c.handoff, i)) != NULL; i++)
		(void)json_array_append_new(list, json_pack("{s:s, s:s, s:s?}", "name", s->name, "driver", s->driver->name,
		                                      "url", s->url));
	answer_json(r, 200, json_pack("{s:o}", "servers", list));
}
