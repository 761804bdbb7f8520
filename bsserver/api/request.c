/* A request as it comes in: who asks, for what, with which parameters. */
#include <jansson.h>
#include <microhttpd.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

/* ---- who ---- */

static void
name_actor(struct actor *x, uid_t uid)
{
	struct passwd pw, *found = NULL;
	char buf[1024];

	x->uid = uid;
	if (getpwuid_r(uid, &pw, buf, sizeof buf, &found) == 0 && found != NULL)
		(void)snprintf(
		    x->text, sizeof x->text, "uid %u (%.40s)", (unsigned)uid, pw.pw_name);
	else
		(void)snprintf(x->text, sizeof x->text, "uid %u", (unsigned)uid);
}

static void
set_actor(struct req *r, uid_t uid)
{
	struct api *a = r->api;
	size_t i = 0;

	while (i < a->n_actors && a->actors[i].uid != uid)
		i++;
	if (i == N_ELEMS(a->actors))
		i = 0; /* more users than anybody has: one makes room */
	if (i == a->n_actors || a->actors[i].uid != uid) {
		name_actor(&a->actors[i], uid);
		a->n_actors = MAX(a->n_actors, i + 1);
	}
	memcpy(r->actor, a->actors[i].text, sizeof r->actor);
}

static bool
look_at_peer(struct req *r)
{
	const union MHD_ConnectionInfo *ci =
	    MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct perms_peer peer;
	struct err e;

	if (ci == NULL || perms_peer_of(ci->connect_fd, &peer, &e) != ERR_OK) {
		answer_fail(r, 403, ERR_REFUSED, "nobody can say who asks");
		return false;
	}
	set_actor(r, peer.uid);
	r->permissions = perms_of(r->api->perms, &peer);
	return true;
}

struct store_actor
req_actor(const struct req *r)
{
	return (struct store_actor){ .name = r->actor, .reason = r->reason };
}

/* ---- for what ---- */

static bool
look_at_route(struct req *r, const char *method, const char *url)
{
	struct err e;
	enum err_code rc = route_find(method, url, &r->match, &e);

	if (rc == ERR_OK)
		return true;
	if (rc == ERR_USAGE) {
		answer_err(r, 405, &e);
		if (r->response != NULL)
			(void)MHD_add_response_header(r->response, "Allow", r->match.allow);
	} else
		answer_err(r, 0, &e);
	return false;
}

static bool
look_at_permission(struct req *r)
{
	const struct route *rt = r->match.route;

	if ((r->permissions & rt->permission) == 0) {
		answer_fail(r, 403, ERR_REFUSED,
		    "%s may not do this: it takes the permission %s (api.permissions)", r->actor,
		    perm_name(rt->permission));
		return false;
	}
	if (rt->way == ROUTE_CHANGES && r->api->draining) {
		answer_fail(
		    r, 0, ERR_CLOSED, "the daemon is stopping: nothing is changed any more");
		return false;
	}
	return true;
}

/* ---- with which parameters ---- */

/* Copies: the connection may go before us. MHD leaves percent signs to us: in the path a %2F is no
 * slash. */
static void
put_param(struct req *r, const char *name, const char *value)
{
	size_t n = strlen(value);
	struct param p = { .name = str_dup_n(name, strlen(name)), .value = str_dup_n(value, n) };

	r->params[r->n_params++] = p;
	if (p.name == NULL || p.value == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	if (!str_percent_decode(p.value, &n) || !str_is_printable(p.value, n)) {
		answer_fail(r, 0, ERR_USAGE, "%s: is neither text nor percent-encoded text", name);
		n = 0;
	}
	p.value[n] = 0;
}

static enum MHD_Result
on_param(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct req *r = arg;
	struct err e;

	(void)kind;
	if (r->answered)
		return MHD_NO;
	if (route_takes(r->match.route, key, &e) != ERR_OK)
		answer_err(r, 0, &e);
	else if (req_param(r, key) != NULL && strcmp(key, "where") != 0)
		answer_fail(r, 0, ERR_USAGE, "%s: is given twice", key);
	else if (r->n_params == PARAMS_MAX)
		answer_fail(r, 0, ERR_USAGE, "more than %d parameters", PARAMS_MAX);
	else
		put_param(r, key, value == NULL ? "" : value);
	return MHD_YES;
}

static bool
look_at_params(struct req *r)
{
	const char *reason;

	(void)MHD_get_connection_values(r->conn, MHD_GET_ARGUMENT_KIND, on_param, r);
	if (r->answered)
		return false;
	reason = req_param(r, "reason");
	if (reason == NULL || r->match.route->run == get_sessions)
		return true;
	if (strlen(reason) > 500) {
		answer_fail(r, 0, ERR_USAGE, "reason: longer than 500 octets");
		return false;
	}
	r->reason = str_dup_n(reason, strlen(reason));
	return true;
}

/* ---- the body ---- */

static bool
type_is(const char *type, const char *want)
{
	size_t n = strlen(want);

	return type != NULL && strncasecmp(type, want, n) == 0 &&
	       (type[n] == 0 || type[n] == ';' || type[n] == ' ');
}

static bool
look_at_body(struct req *r)
{
	const char *type = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Content-Type");
	const char *length =
	    MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Content-Length");
	enum route_body body = r->match.route->body;
	uint64_t n;

	if (body == BODY_JSON && !type_is(type, "application/json")) {
		answer_fail(r, 415, ERR_UNSUPPORTED, "Content-Type must be application/json");
		return false;
	}
	if (body == BODY_ROWS && !type_is(type, "application/x-ndjson") &&
	    !type_is(type, "application/json")) {
		answer_fail(r, 415, ERR_UNSUPPORTED,
		    "Content-Type must be application/x-ndjson, or application/json for an array");
		return false;
	}
	if (length != NULL && str_to_u64(length, strlen(length), 0, UINT64_MAX, &n) &&
	    n > r->body_max) {
		answer_fail(r, 0, ERR_LIMIT, "the body is longer than %zu octets", r->body_max);
		return false;
	}
	return true;
}

void
req_take_body(struct req *r, const char *p, size_t n)
{
	r->swallowed += n;
	if (r->answered)
		return;
	if (r->match.route->body == BODY_NONE)
		answer_fail(r, 0, ERR_USAGE, "this takes no body");
	else if (r->body.len + n > r->body_max)
		answer_fail(r, 0, ERR_LIMIT, "the body is longer than %zu octets", r->body_max);
	else {
		gbuf_put(&r->body, p, n);
		if (r->body.failed)
			answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
	}
	if (r->answered)
		gbuf_clear(&r->body);
}

json_t *
req_json(struct req *r)
{
	const char *text = gbuf_cstr(&r->body);
	json_error_t je;
	json_t *j;

	if (!json_depth_ok(text, r->body.len, API_JSON_DEPTH_MAX)) {
		answer_fail(
		    r, 0, ERR_LIMIT, "the body nests deeper than %d levels", API_JSON_DEPTH_MAX);
		return NULL;
	}
	j = json_loadb(text, r->body.len, JSON_REJECT_DUPLICATES, &je);
	if (j == NULL) {
		answer_fail(
		    r, 0, ERR_PARSE, "body:%d:%d: not JSON", MAX(je.line, 1), MAX(je.column, 1));
		return NULL;
	}
	if (!json_is_object(j)) {
		answer_fail(r, 0, ERR_PARSE, "body:1:1: must be a JSON object");
		json_decref(j);
		return NULL;
	}
	return j;
}

bool
req_members(struct req *r, const json_t *obj, const char *known)
{
	struct route fake = { .query = known };
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)obj, key, v)
	{
		const char *near = NULL;
		struct err e;

		if (route_takes(&fake, key, &e) == ERR_OK)
			continue;
		near = strstr(e.msg, "did you mean ");
		answer_fail(r, 0, ERR_INVALID, "/%.60s: unknown member; %s%s", key,
		    near == NULL ? "there are: " : near, near == NULL ? known : "");
		return false;
	}
	return true;
}

/* ---- its life ---- */

static void
link_req(struct api *a, struct req *r)
{
	r->next = a->reqs;
	if (a->reqs != NULL)
		a->reqs->prev = r;
	a->reqs = r;
}

struct req *
req_new(struct api *a, struct MHD_Connection *conn, const char *method, const char *url)
{
	struct req *r = calloc(1, sizeof *r);
	const char *expect;

	if (r == NULL)
		return NULL;
	r->api = a;
	r->conn = conn;
	r->body_max = a->c.max_body;
	r->body.max = r->body_max + 1;
	link_req(a, r);
	expect = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Expect");
	r->expects_continue = expect != NULL && strcasecmp(expect, "100-continue") == 0;
	if (look_at_peer(r) && look_at_route(r, method, url) && look_at_permission(r) &&
	    look_at_params(r))
		(void)look_at_body(r);
	return r;
}

static void
on_settled(void *arg, enum err_code rc, const struct err *e)
{
	struct req *r = arg;

	(void)e;
	if (!req_alive(r))
		return;
	if (rc == ERR_CLOSED)
		answer_err(r, 0, e);
	else
		r->match.route->run(r);
}

void
req_run(struct req *r)
{
	r->begun = true;
	if (r->answered)
		return;
	if (r->match.route->way == ROUTE_SETTLED)
		r->api->c.ops->settle(r->api->c.store, on_settled, r);
	else
		r->match.route->run(r);
}

void
req_gone(struct req *r)
{
	r->conn = NULL;
	if (!r->answered && r->begun)
		return; /* whoever is at work on it still owes the answer, and frees it so */
	if (r->next != NULL)
		r->next->prev = r->prev;
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		r->api->reqs = r->next;
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	for (size_t i = 0; i < r->n_params; i++) {
		free(r->params[i].name);
		free(r->params[i].value);
	}
	gbuf_clear(&r->body);
	route_match_clear(&r->match);
	free(r->reason);
	if (r->api->closed && r->api->reqs == NULL)
		api_free(r->api);
	free(r);
}

bool
req_alive(struct req *r)
{
	if (r->conn != NULL)
		return true;
	answer_response(r, 503, NULL);
	return false;
}

/* ---- parameters ---- */

const char *
req_param_at(const struct req *r, const char *name, size_t n)
{
	for (size_t i = 0; i < r->n_params; i++)
		if (r->params[i].name != NULL && strcmp(r->params[i].name, name) == 0 && n-- == 0)
			return r->params[i].value;
	return NULL;
}

const char *
req_param(const struct req *r, const char *name)
{
	return req_param_at(r, name, 0);
}

const char *
req_arg(const struct req *r, size_t i)
{
	return r->match.args[i];
}

bool
req_u64(
    struct req *r, const char *name, uint64_t min, uint64_t max, uint64_t fallback, uint64_t *out)
{
	const char *s = req_param(r, name);

	*out = fallback;
	if (s == NULL || str_to_u64(s, strlen(s), min, max, out))
		return true;
	answer_fail(r, 0, ERR_USAGE, "%s: must be a whole number from %llu to %llu", name,
	    (unsigned long long)min, (unsigned long long)max);
	return false;
}

bool
req_flag(struct req *r, const char *name, bool *out)
{
	const char *s = req_param(r, name);

	*out = s != NULL && (strcmp(s, "") == 0 || strcmp(s, "1") == 0 || strcmp(s, "true") == 0);
	if (*out || s == NULL || strcmp(s, "0") == 0 || strcmp(s, "false") == 0)
		return true;
	answer_fail(r, 0, ERR_USAGE, "%s: must be 1, true, 0 or false", name);
	return false;
}

bool
req_since(struct req *r, const char *name, int64_t *out)
{
	const char *s = req_param(r, name);
	uint64_t seconds;
	size_t n;

	*out = 0;
	if (s == NULL)
		return true;
	n = strlen(s);
	if (str_to_i64(s, n, 1, CLOCK_WALL_MAX, out))
		return true;
	if (str_to_seconds(s, n, &seconds) && seconds <= (uint64_t)CLOCK_WALL_MAX / 1000) {
		*out = MAX(clock_wall_ms() - (int64_t)seconds * 1000, 1);
		return true;
	}
	answer_fail(r, 0, ERR_USAGE,
	    "%s: must be milliseconds since 1970, or how long ago: 90s, 10m, 2h, 1d", name);
	return false;
}
