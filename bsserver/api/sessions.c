/* What was: sessions and the audit trail. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bsserver/api/sessions.h"
#include "lib/base/str.h"

#define PAGE 500

struct scan {
	struct req *r;
	struct scan_conf c;
	char *endpoint, *peer, *credential; /* owned */
	json_t *list;
	unsigned scanned, limit;
	uint64_t before;
	scan_done_fn *done;
	void *arg;
};

static void
scan_free(struct scan *s)
{
	json_decref(s->list);
	free(s->endpoint);
	free(s->peer);
	free(s->credential);
	free(s);
}

/* An address as people write it: without brackets, and IPv4 as IPv4 though it came over IPv6. */
static void
plain_address(const char *s, size_t n, char *out, size_t cap)
{
	if (n > 1 && s[0] == '[' && s[n - 1] == ']') {
		s++;
		n -= 2;
	}
	if (n > 7 && strncasecmp(s, "::ffff:", 7) == 0 && memchr(s, '.', n) != NULL) {
		s += 7;
		n -= 7;
	}
	n = MIN(n, cap - 1);
	memcpy(out, s, n);
	out[n] = 0;
}

/* Where the port's colon is; the end when there is none. */
static size_t
port_at(const char *s)
{
	const char *colon = strrchr(s, ':'), *bracket = strrchr(s, ']');

	if (colon == NULL || (bracket != NULL && colon < bracket) ||
	    (bracket == NULL && strchr(s, ':') != colon))
		return strlen(s);
	return (size_t)(colon - s);
}

bool
session_of_peer(const char *peer, const char *want)
{
	char a[80], b[80];
	size_t pa, pb;

	if (peer == NULL)
		return false;
	pa = port_at(peer);
	pb = port_at(want);
	plain_address(peer, pa, a, sizeof a);
	plain_address(want, pb, b, sizeof b);
	return strcasecmp(a, b) == 0 && (want[pb] == 0 || strcmp(peer + pa, want + pb) == 0);
}

static bool
wanted(const struct scan *s, const struct bs_record *rec)
{
	if (s->c.reason >= 0 && rec->reason != (enum bs_reason)s->c.reason)
		return false;
	if (s->credential != NULL && (rec->credential == NULL || strcmp(rec->credential, s->credential) != 0))
		return false;
	return s->peer == NULL || session_of_peer(rec->peer, s->peer);
}

static void ask_page(struct scan *s);

static void
on_page(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n,
    bool more)
{
	struct scan *s = arg;
	size_t i = 0;

	for (; rc == ERR_OK && i < n && json_array_size(s->list) < s->limit; i++) {
		s->scanned++;
		s->before = v[i].rec.id;
		if (!wanted(s, &v[i].rec))
			continue;
		if (s->c.visit != NULL)
			s->c.visit(s->c.visit_arg, &v[i].rec);
		else {
			json_t *x = json_of_session(&v[i].rec);

			put_after_session(s->r->api, x, &v[i].rec);
			(void)json_array_append_new(s->list, x);
		}
	}
	if (rc == ERR_OK && i == n && more && n > 0 && json_array_size(s->list) < s->limit &&
	    s->scanned < s->c.max_scanned && s->r->conn != NULL) {
		ask_page(s);
		return;
	}
	s->done(
	    s->arg, rc, e, s->list, s->scanned, rc == ERR_OK && (more || i < n) ? s->before : 0);
	scan_free(s);
}

static void
ask_page(struct scan *s)
{
	struct api *a = s->r->api;
	struct store_page page = {
		.glob = s->endpoint,
		.limit = PAGE,
		.verdict = s->c.verdict,
		.since_ms = s->c.since_ms,
		.before_id = s->before,
	};

	if (s->c.reason < 0 && s->peer == NULL && s->c.visit == NULL)
		page.limit = MIN(s->limit, PAGE);
	a->c.ops->session_list(a->c.store, &page, on_page, s);
}

static char *
copy(const char *s)
{
	return s == NULL ? NULL : str_dup_n(s, strlen(s));
}

void
session_scan(struct req *r, const struct scan_conf *c, scan_done_fn *done, void *arg)
{
	struct scan *s = calloc(1, sizeof *s);
	struct err e;

	if (s != NULL) {
		*s = (struct scan){ .r = r,
			.c = *c,
			.endpoint = copy(c->endpoint),
			.peer = copy(c->peer),
			.credential = copy(c->credential),
			.list = json_array(),
			.limit = c->limit,
			.before = c->before,
			.done = done,
			.arg = arg };
		if (s->list != NULL && (s->endpoint != NULL) == (c->endpoint != NULL) &&
		    (s->peer != NULL) == (c->peer != NULL) && (s->credential != NULL) == (c->credential != NULL)) {
			ask_page(s);
			return;
		}
		scan_free(s);
	}
	(void)err_no_memory(&e);
	done(arg, ERR_NO_MEMORY, &e, NULL, 0, 0);
}

/* ---- GET /v1/sessions ---- */

struct group {
	char name[80];
	enum bs_verdict verdict;
	uint64_t n;
	int64_t newest_ms;
};

struct groups {
	struct req *r;
	bool by_profile, dropped;
	struct group *v;
	size_t n, cap;
};

static void
groups_free(void *arg)
{
	struct groups *g = arg;

	free(g->v);
	free(g);
}

#define GROUPS_MAX 1000

static void
visit_group(void *arg, const struct bs_record *rec)
{
	struct groups *g = arg;
	const char *name = g->by_profile ? (rec->profile == NULL ? "" : rec->profile)
	                                 : bs_reason_name(rec->reason);
	size_t i = 0;

	while (i < g->n && (g->v[i].verdict != rec->verdict ||
	                       strncmp(g->v[i].name, name, sizeof g->v[i].name - 1) != 0))
		i++;
	if (i == g->n) {
		struct group *arr =
		    g->n == GROUPS_MAX ? NULL : grow(g->v, g->n, &g->cap, sizeof *arr);

		if (arr == NULL) {
			g->dropped = true;
			return;
		}
		g->v = arr;
		arr[g->n] = (struct group){ .verdict = rec->verdict, .newest_ms = rec->ended_ms };
		(void)memcpy(arr[g->n].name, name, MIN(strlen(name), sizeof arr->name - 1));
		g->n++;
	}
	g->v[i].n++;
}

static void
on_groups(void *arg, enum err_code rc, const struct err *e, json_t *list, unsigned scanned,
    uint64_t before)
{
	struct groups *g = arg;
	json_t *j, *rows;

	(void)list;
	if (rc != ERR_OK) {
		answer_err(g->r, 0, e);
		return;
	}
	j = json_object();
	rows = json_array();
	for (size_t i = 0; i < g->n; i++) {
		json_t *x = json_object();

		json_put(x, g->by_profile ? "profile" : "reason",
		    g->v[i].name[0] == 0 ? json_null() : json_text(g->v[i].name));
		json_put(x, "verdict", json_text(bs_verdict_name(g->v[i].verdict)));
		json_put(x, "count", json_u64(g->v[i].n));
		json_put(x, "newest", json_when(g->v[i].newest_ms));
		(void)json_array_append_new(rows, x);
	}
	json_put(j, "groups", rows);
	json_put(j, "sessions", json_integer(scanned));
	json_put(j, "complete", json_boolean(before == 0 && !g->dropped));
	answer_json(g->r, 200, j);
}

static void
on_sessions(void *arg, enum err_code rc, const struct err *e, json_t *list, unsigned scanned,
    uint64_t before)
{
	struct req *r = arg;

	(void)scanned;
	if (rc != ERR_OK)
		answer_err(r, 0, e);
	else
		answer_page(r, "sessions", json_incref(list), "before", before == 0 ? NULL : json_u64(before));
}

/* The word of a closed list, or an answer that names the nearest. */
static bool
read_verdict(struct req *r, int *out)
{
	const char *s = req_param(r, "verdict");
	enum bs_verdict v;

	*out = -1;
	if (s == NULL)
		return true;
	if (bs_verdict_from_name(s, &v) && v != BS_VERDICT_NONE) {
		*out = (int)v;
		return true;
	}
	answer_fail(r, 0, ERR_USAGE,
	    "verdict: must be one of provisioned, written, failed, refused, cancelled");
	return false;
}

static bool
read_reason(struct req *r, int *out)
{
	const char *s = req_param(r, "reason"), *names[BS_REASON__COUNT], *near;
	enum bs_reason v;

	*out = -1;
	if (s == NULL)
		return true;
	if (bs_reason_from_name(s, &v)) {
		*out = (int)v;
		return true;
	}
	for (int i = 0; i < BS_REASON__COUNT; i++)
		names[i] = bs_reason_name((enum bs_reason)i);
	near = str_nearest(s, names, BS_REASON__COUNT);
	answer_fail(r, 0, ERR_USAGE, "reason: there is none of that name%s%s%s",
	    near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
	    near == NULL ? "; GET /v1/explain lists them" : "?");
	return false;
}

static void
group_sessions(struct req *r, struct scan_conf *c, const char *by)
{
	struct groups *g;

	if (strcmp(by, "reason") != 0 && strcmp(by, "profile") != 0) {
		answer_fail(r, 0, ERR_USAGE, "group_by: must be reason or profile");
		return;
	}
	g = calloc(1, sizeof *g);
	if (g == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	g->r = r;
	g->by_profile = by[0] == 'p';
	r->state = g;
	r->state_free = groups_free;
	c->visit = visit_group;
	c->visit_arg = g;
	session_scan(r, c, on_groups, g);
}

void
get_sessions(struct req *r)
{
	struct scan_conf c = { .endpoint = req_param(r, "endpoint"),
		.peer = req_param(r, "peer"),
		.max_scanned = SCAN_MAX };
	const char *by = req_param(r, "group_by");
	uint64_t limit;

	if (!req_u64(r, "limit", 1, 1000, 100, &limit) ||
	    !req_u64(r, "before", 1, INT64_MAX, 0, &c.before) ||
	    !req_since(r, "since", &c.since_ms) || !read_verdict(r, &c.verdict) ||
	    !read_reason(r, &c.reason))
		return;
	c.limit = (unsigned)limit;
	if (by != NULL)
		group_sessions(r, &c, by);
	else
		session_scan(r, &c, on_sessions, r);
}

/* ---- one session ---- */

static void
on_session(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n,
    bool more)
{
	struct req *r = arg;
	json_t *j;

	(void)more;
	if (rc == ERR_NOT_FOUND || (rc == ERR_OK && n == 0)) {
		if (r->match.n_args > 0 && r->match.route->run == get_session)
			answer_fail(r, 0, ERR_NOT_FOUND, "no session %s is kept", req_arg(r, 0));
		else
			answer_fail(r, 0, ERR_NOT_FOUND, "no session of %s is kept", req_arg(r, 0));
		return;
	}
	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	j = json_of_session(&v[0].rec);
	json_put(j, "help", json_text(bs_reason_help(v[0].rec.reason)));
	json_put(j, "transcript", json_doc(v[0].transcript));
	json_put(j, "transcript_dropped", json_integer(v[0].rec.entries_dropped));
	answer_json(r, 200, j);
}

void
get_session(struct req *r)
{
	const char *s = req_arg(r, 0);
	uint64_t id;

	if (!str_to_u64(s, strlen(s), 1, INT64_MAX, &id)) {
		answer_fail(r, 0, ERR_USAGE, "a session's id is a number");
		return;
	}
	r->api->c.ops->session_get(r->api->c.store, id, NULL, on_session, r);
}

void
get_device_last_session(struct req *r)
{
	r->api->c.ops->session_get(r->api->c.store, 0, req_arg(r, 0), on_session, r);
}

void
delete_device_session(struct req *r)
{
	const char *why = r->reason == NULL ? "an operator ended it" : r->reason;

	if (!bs_driver_cancel(r->api->c.driver, req_arg(r, 0), why)) {
		answer_fail(r, 0, ERR_NOT_FOUND, "no session of %s is under way", req_arg(r, 0));
		return;
	}
	json_t *j = json_object();
	json_put(j, "endpoint", json_text(req_arg(r, 0)));
	json_put(j, "cancelled", json_true());
	answer_json(r, 200, j);
}

/* ---- the audit trail ---- */

static void
on_audit(void *arg, enum err_code rc, const struct err *e, struct store_audit_row *v, size_t n,
    bool more)
{
	struct req *r = arg;
	json_t *rows;

	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	rows = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *x = json_object();

		json_put(x, "seq", json_u64(v[i].seq));
		json_put(x, "at", json_when(v[i].at_ms));
		json_put(x, "actor", json_text(v[i].actor));
		json_put(x, "action", json_text(v[i].action));
		json_put(x, "object", json_text(v[i].object));
		json_put(x, "detail", json_text(v[i].detail));
		json_put(x, "reason", json_text(v[i].reason));
		(void)json_array_append_new(rows, x);
	}
	answer_page(r, "audit", rows, "before", more && n > 0 ? json_u64(v[n - 1].seq) : NULL);
}

void
get_audit(struct req *r)
{
	struct store_page page = { .glob = req_param(r, "glob"), .verdict = -1 };
	uint64_t limit;

	if (!req_u64(r, "limit", 1, 1000, 100, &limit) ||
	    !req_u64(r, "before", 1, INT64_MAX, 0, &page.before_id) ||
	    !req_since(r, "since", &page.since_ms))
		return;
	page.limit = (unsigned)limit;
	r->api->c.ops->audit_list(r->api->c.store, &page, on_audit, r);
}
