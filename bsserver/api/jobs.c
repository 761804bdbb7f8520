/* Jobs that call devices back, and what the registry knows of a device. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "bsserver/registry/registry.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define RATE_DEFAULT 10.0
#define ENDPOINT_MAX 255

static bool
has_registry(struct req *r)
{
	if (r->api->c.registry != NULL)
		return true;
	answer_fail(r, 0, ERR_UNSUPPORTED, "this daemon has no registry: registry.listeners in its configuration");
	return false;
}

static bool
has_way(struct req *r)
{
	const struct handoff *h = r->api->c.handoff;

	if (r->api->c.trigger != NULL && (r->api->c.registry != NULL || (h != NULL && handoff_server_at(h, 0) != NULL)))
		return true;
	answer_fail(r, 0, ERR_UNSUPPORTED,
	    "this daemon has no way to call devices back: no registry.listeners and no lwm2m_servers in its configuration");
	return false;
}

/* ---- JSON ---- */

static json_t *
json_of_minutes(int minutes)
{
	char text[8];

	(void)snprintf(text, sizeof text, "%02d:%02d", minutes / 60 % 24, minutes % 60);
	return json_text(text);
}

static json_t *
json_of_job(const struct job *j)
{
	json_t *x = json_object(), *counts = json_object();

	for (int o = 0; o < JOB__OUTCOMES; o++)
		json_put(counts, job_outcome_name((enum job_outcome)o), json_integer(j->counts[o]));
	json_put(x, "id", json_u64(j->id));
	json_put(x, "state", json_text(job_state_name(j->state)));
	json_put(x, "why", j->why[0] == 0 ? json_null() : json_text(j->why));
	json_put(x, "created", json_when(j->created_ms));
	json_put(x, "actor", json_text(j->spec.actor));
	json_put(x, "reason", json_text(j->spec.reason));
	json_put(x, "selector", json_text(j->spec.selector));
	json_put(x, "rate", json_real(j->spec.rate));
	json_put(x, "from", j->spec.from_minute < 0 ? json_null() : json_of_minutes(j->spec.from_minute));
	json_put(x, "to", j->spec.from_minute < 0 ? json_null() : json_of_minutes(j->spec.to_minute));
	json_put(x, "expires", json_when(j->spec.expires_ms));
	json_put(x, "canary", json_integer(j->spec.canary));
	json_put(x, "devices", json_integer(j->n_rows));
	json_put(x, "failed", json_integer(j->failed));
	json_put(x, "outcomes", counts);
	return x;
}

/* Who asked it: an LwM2M Server, or our registry; NULL: nobody yet. */
static const char *
way_of_row(const struct job_row *w)
{
	static const bool asked[JOB__OUTCOMES] = { [JOB_ASLEEP] = true, [JOB_TRIGGERED] = true, [JOB_BOOTSTRAPPED] = true,
		[JOB_REFUSED] = true, [JOB_TIMED_OUT] = true };

	return w->via != NULL ? w->via : asked[w->outcome] ? "registry" : NULL;
}

static json_t *
json_of_row(const struct job_row *w)
{
	json_t *x = json_object();
	char code[5];

	if (w->code != 0)
		bs_code_str(w->code, code);
	json_put(x, "endpoint", json_text(w->endpoint));
	json_put(x, "outcome", json_text(job_outcome_name((enum job_outcome)w->outcome)));
	json_put(x, "code", w->code == 0 ? json_null() : json_text(code));
	json_put(x, "session", w->session == 0 ? json_null() : json_u64(w->session));
	json_put(x, "failed", json_boolean(w->bad || w->outcome == JOB_REFUSED || w->outcome == JOB_TIMED_OUT));
	json_put(x, "registered", json_boolean(w->registered));
	json_put(x, "at", json_when(w->at_ms));
	json_put(x, "via", json_text(way_of_row(w)));
	json_put(x, "said", json_text(w->said));
	json_put(x, "told", json_boolean(w->told));
	return x;
}

/* ---- POST /v1/jobs ---- */

struct wanted {
	const char **v; /* borrowed from the body */
	size_t n;
	struct job_spec spec;
	double canary_share;
	bool dry_run;
};

static bool
wrong(struct req *r, const char *member, const char *why)
{
	answer_fail(r, 0, ERR_INVALID, "/%s: %s", member, why);
	return false;
}

static bool
read_endpoints(struct req *r, const json_t *body, struct wanted *w)
{
	const json_t *list = json_object_get(body, "endpoints");
	size_t n = json_array_size(list);

	if (n == 0)
		return wrong(r, "endpoints", "must be a list of at least one name");
	if (n > JOB_ROWS_MAX)
		return wrong(r, "endpoints", "too many: a job takes 200000");
	w->v = calloc(n, sizeof *w->v);
	for (size_t i = 0; w->v != NULL && i < n; i++) {
		const char *ep = json_string_value(json_array_get(list, i));

		if (ep == NULL || ep[0] == 0 || strlen(ep) > ENDPOINT_MAX || !str_is_printable(ep, strlen(ep)))
			return wrong(r, "endpoints", "each is the name of a device");
		w->v[w->n++] = ep;
	}
	if (w->v == NULL)
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
	return w->v != NULL;
}

/* "02:00-04:00" */
static bool
read_window(const char *s, struct job_spec *out)
{
	uint64_t v[4];

	if (strlen(s) != 11 || s[2] != ':' || s[5] != '-' || s[8] != ':')
		return false;
	for (size_t i = 0; i < N_ELEMS(v); i++)
		if (!str_to_u64(s + 3 * i, 2, 0, i % 2 == 0 ? 24 : 59, &v[i]))
			return false;
	out->from_minute = (int)(v[0] * 60 + v[1]);
	out->to_minute = (int)(v[2] * 60 + v[3]);
	return out->from_minute < 1440 && out->to_minute <= 1440 && out->from_minute != out->to_minute;
}

static bool
read_times(struct req *r, const json_t *body, struct job_spec *s)
{
	const json_t *rate = json_object_get(body, "rate"), *window = json_object_get(body, "window"),
	             *expires = json_object_get(body, "expires_s");

	if (rate != NULL && !json_is_number(rate))
		return wrong(r, "rate", "must be a number of devices a second");
	s->rate = rate == NULL ? RATE_DEFAULT : json_number_value(rate);
	if (!(s->rate >= 0.001 && s->rate <= JOB_RATE_MAX))
		return wrong(r, "rate", "must be 0.001 to 10000 devices a second");
	if (window != NULL && (!json_is_string(window) || !read_window(json_string_value(window), s)))
		return wrong(r, "window", "must be two times of the day, as 02:00-04:00");
	if (expires == NULL)
		return true;
	if (!json_is_integer(expires) || json_integer_value(expires) < 1 || json_integer_value(expires) > 315360000)
		return wrong(r, "expires_s", "must be a number of seconds");
	s->expires_ms = clock_wall_ms() + json_integer_value(expires) * 1000;
	return true;
}

/* So many first: a number, or with "canary_percent" a share of all, rounded up. */
static bool
read_canary(struct req *r, const json_t *body, struct wanted *w)
{
	const json_t *n = json_object_get(body, "canary"), *share = json_object_get(body, "canary_percent");

	if (n != NULL && (!json_is_integer(n) || json_integer_value(n) < 0 || json_integer_value(n) > JOB_ROWS_MAX))
		return wrong(r, "canary", "must be a number of devices");
	if (share != NULL && !(json_is_number(share) && json_number_value(share) >= 0 && json_number_value(share) <= 100))
		return wrong(r, "canary_percent", "must be 0 to 100");
	w->spec.canary = (uint32_t)json_integer_value(n);
	if (share != NULL) {
		double exact = (double)w->n * json_number_value(share) / 100;

		w->spec.canary = (uint32_t)exact;
		w->spec.canary += (double)w->spec.canary < exact;
	}
	return true;
}

static char *
copy(const char *s)
{
	return s == NULL ? NULL : strdup(s);
}

/* Ways are found one after the other. */
struct dry_run {
	struct req *r;
	json_t *body, *rows;
	struct wanted w; /* v is owned; what is in it belongs to body */
	size_t at;
	bool going; /* within dry_run_on() */
};

static void
dry_run_end(struct dry_run *d)
{
	json_t *j = json_object();

	json_put(j, "rows", d->rows);
	answer_json(d->r, 200, j);
	json_decref(d->body);
	free(d->w.v);
	free(d);
}

static trigger_found_fn on_found;

static void
dry_run_on(struct dry_run *d)
{
	size_t before = SIZE_MAX;

	d->going = true;
	while (d->at < d->w.n && d->at != before) {
		before = d->at;
		trigger_find(d->r->api->c.trigger, d->w.v[d->at], on_found, d);
	}
	d->going = false;
	if (d->at == d->w.n)
		dry_run_end(d);
}

static void
on_found(void *arg, enum trigger_reach reach, const char *via)
{
	static const char *const words[TRIGGER__REACHES] = { [TRIGGER_STRANGER] = "unknown", [TRIGGER_AWAY] = "asleep",
		[TRIGGER_ASLEEP] = "asleep", [TRIGGER_AWAKE] = "awake", [TRIGGER_PERHAPS] = "by_server" };
	struct dry_run *d = arg;
	json_t *x = json_object();

	json_put(x, "endpoint", json_text(d->w.v[d->at]));
	json_put(x, "outcome", json_text(words[reach]));
	json_put(x, "via", json_text(via != NULL ? via : reach == TRIGGER_STRANGER ? NULL : "registry"));
	(void)json_array_append_new(d->rows, x);
	d->at++;
	if (!d->going)
		dry_run_on(d);
}

static void
dry_run(struct req *r, const json_t *body, struct wanted *w)
{
	struct dry_run *d = calloc(1, sizeof *d);

	if (d == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	*d = (struct dry_run){ .r = r, .body = json_incref((json_t *)(uintptr_t)body), .rows = json_array(), .w = *w };
	w->v = NULL;
	dry_run_on(d);
}

static void
on_created(void *arg, uint64_t id, enum err_code rc, const struct err *e)
{
	struct req *r = arg;
	const struct job *j = rc == ERR_OK ? trigger_job(r->api->c.trigger, id) : NULL;

	if (rc != ERR_OK)
		answer_err(r, 0, e);
	else if (j == NULL)
		answer_fail(r, 0, ERR_NOT_FOUND, "no job %llu", (unsigned long long)id);
	else
		answer_json(r, 200, json_of_job(j));
}

static void
make_job(struct req *r, const json_t *body, struct wanted *w)
{
	const char *selector = json_string_value(json_object_get(body, "selector"));

	if (!read_endpoints(r, body, w) || !read_times(r, body, &w->spec) || !read_canary(r, body, w))
		return;
	if (selector != NULL && (strlen(selector) > 500 || !str_is_printable(selector, strlen(selector)))) {
		(void)wrong(r, "selector", "must be printable text of at most 500 octets");
		return;
	}
	if (json_is_true(json_object_get(body, "dry_run"))) {
		dry_run(r, body, w);
		return;
	}
	w->spec.actor = copy(req_actor(r).name);
	w->spec.reason = copy(req_actor(r).reason);
	w->spec.selector = copy(selector);
	trigger_create(r->api->c.trigger, w->v, w->n, &w->spec, on_created, r);
}

void
post_job(struct req *r)
{
	struct wanted w = { .spec = { .rate = RATE_DEFAULT, .from_minute = -1, .to_minute = -1 } };
	json_t *body = has_way(r) ? req_json(r) : NULL;

	if (body == NULL)
		return;
	if (req_members(r, body, "endpoints rate window expires_s canary canary_percent selector dry_run"))
		make_job(r, body, &w);
	free(w.spec.actor);
	free(w.spec.reason);
	free(w.spec.selector);
	free(w.v);
	json_decref(body);
}

/* ---- GET /v1/jobs, /v1/jobs/{id} ---- */

void
get_jobs(struct req *r)
{
	json_t *list, *j;
	const struct job *x;

	if (!has_way(r))
		return;
	list = json_array();
	j = json_object();
	for (size_t i = 0; (x = trigger_job_at(r->api->c.trigger, i)) != NULL; i++)
		(void)json_array_append_new(list, json_of_job(x));
	json_put(j, "jobs", list);
	answer_json(r, 200, j);
}

static const struct job *
job_of(struct req *r)
{
	const char *text = req_arg(r, 0);
	const struct job *j = NULL;
	uint64_t id;

	if (!has_way(r))
		return NULL;
	if (str_to_u64(text, strlen(text), 1, INT64_MAX, &id))
		j = trigger_job(r->api->c.trigger, id);
	if (j == NULL)
		answer_fail(r, 0, ERR_NOT_FOUND, "no job %s", text);
	return j;
}

void
get_job(struct req *r)
{
	const char *word = req_param(r, "outcome");
	enum job_outcome only = JOB__OUTCOMES;
	const struct job *j = job_of(r);
	uint64_t after, limit;
	char next[16];

	if (j == NULL || !req_u64(r, "after", 0, JOB_ROWS_MAX, 0, &after) || !req_u64(r, "limit", 1, 1000, 100, &limit))
		return;
	if (word != NULL && !job_outcome_from_name(word, &only)) {
		answer_fail(r, 0, ERR_USAGE, "outcome: there is none of that name");
		return;
	}
	json_t *x = json_of_job(j), *list = json_array();
	uint32_t i = (uint32_t)after;
	for (; i < j->n_rows && json_array_size(list) < limit; i++)
		if (word == NULL || j->rows[i].outcome == only)
			(void)json_array_append_new(list, json_of_row(&j->rows[i]));
	json_put(x, "rows", list);
	(void)snprintf(next, sizeof next, "%u", i);
	json_put(x, "after", i < j->n_rows ? json_text(next) : json_null());
	answer_json(r, 200, x);
}

/* ---- POST /v1/jobs/{id}/state ---- */

void
post_job_state(struct req *r)
{
	const struct job *j = job_of(r);
	json_t *body = j == NULL ? NULL : req_json(r);
	const char *word = json_string_value(json_object_get(body, "state"));
	enum job_state s;

	if (body == NULL)
		return;
	if (req_members(r, body, "state")) {
		if (word == NULL || !job_state_from_name(word, &s) || s == JOB_DONE)
			(void)wrong(r, "state", "must be running, paused or cancelled");
		else
			trigger_set_state(r->api->c.trigger, j->id, s, on_created, r);
	}
	json_decref(body);
}

/* ---- GET /v1/devices/{ep}/registration ---- */

static json_t *
json_of_registration(const struct reg *g, bool awake)
{
	char version[8], location[REG_LOCATION_LEN + 1];
	json_t *x = json_object();

	(void)snprintf(version, sizeof version, "%u.%u", g->version / 10, g->version % 10);
	regs_location(g, location);
	json_put(x, "endpoint", json_text(g->endpoint));
	json_put(x, "state", json_text(reg_state_name(g->state)));
	json_put(x, "awake", json_boolean(awake));
	json_put(x, "registered", json_when(g->registered_ms));
	json_put(x, "seen", json_when(g->seen_ms));
	json_put(x, "updates", json_integer(g->updates));
	json_put(x, "lifetime", json_integer(g->lifetime));
	json_put(x, "version", json_text(version));
	json_put(x, "binding", json_text(g->binding));
	json_put(x, "queue_mode", json_boolean(g->queue));
	json_put(x, "secure", json_boolean(g->secure));
	json_put(x, "peer", g->addr[0] == 0 ? json_null() : json_text(g->addr));
	json_put(x, "objects", g->links == NULL ? json_null() : json_text(g->links->text));
	return x;
}

void
get_device_registration(struct req *r)
{
	const struct reg *g;

	if (!has_registry(r))
		return;
	g = registry_find(r->api->c.registry, req_arg(r, 0));
	if (g == NULL)
		answer_fail(r, 0, ERR_NOT_FOUND, "device %s never registered here", req_arg(r, 0));
	else
		answer_json(r, 200, json_of_registration(g, registry_awake(r->api->c.registry, g->endpoint)));
}

/* ---- what others say of devices ---- */

static json_t *
json_of_state(enum returns_state s)
{
	return s == RETURNS_FINE ? json_null() : json_text(returns_state_name(s));
}

void
put_registered(const struct api *a, json_t *j, const char *endpoint)
{
	struct returns_news news;
	const struct reg *g;

	if (a->c.registry == NULL)
		return;
	g = registry_find(a->c.registry, endpoint);
	registry_news(a->c.registry, endpoint, &news);
	json_put(j, "registered", json_boolean(g != NULL && g->state == REG_REGISTERED && news.state == RETURNS_FINE));
	json_put(j, "registered_at", g == NULL ? json_null() : json_when(g->registered_ms));
	json_put(j, "after", json_of_state(news.state));
	if (news.state == RETURNS_FINE)
		return;
	json_put(j, "after_sessions", json_integer(news.sessions));
	json_put(j, "after_help", json_text(returns_state_help(news.state)));
}

void
put_after_session(const struct api *a, json_t *j, const struct bs_record *rec)
{
	struct returns_news news;

	if (a->c.registry == NULL || rec->endpoint == NULL)
		return;
	registry_news(a->c.registry, rec->endpoint, &news);
	if (news.session == rec->id)
		json_put(j, "after", json_of_state(news.state));
}
