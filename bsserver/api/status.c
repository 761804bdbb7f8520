/* What the daemon says of itself: version, status, live sessions, explanations, metrics. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bsserver/api/internal.h"
#include "lib/base/clock.h"

void
get_version(struct req *r)
{
	json_t *j = json_object();

	json_put(j, "program", json_text("bsserver"));
	json_put(j, "version", json_text(r->api->c.version));
	json_put(j, "api", json_text("v1"));
	json_put(j, "profile_format", json_integer(1));
	json_put(j, "store", json_text(r->api->c.ops->name));
	answer_json(r, 200, j);
}

/* ---- status ---- */

static json_t *
listeners(const struct api *a)
{
	json_t *list = json_array();
	char name[128];

	for (size_t i = 0; a->c.listener != NULL && a->c.listener(a->c.arg, i, name, sizeof name);
	     i++)
		(void)json_array_append_new(list, json_text(name));
	return list;
}

static json_t *
by_verdict(const uint64_t v[BS_VERDICT__COUNT])
{
	json_t *j = json_object();

	for (int i = 0; i < BS_VERDICT__COUNT; i++)
		json_put(j, i == BS_VERDICT_NONE ? "never" : bs_verdict_name((enum bs_verdict)i),
		    json_u64(v[i]));
	return j;
}

static json_t *
session_counts(const struct api *a)
{
	struct bs_driver_stats st;
	json_t *j = json_object(), *done = json_object();

	bs_driver_stats(a->c.driver, &st);
	json_put(j, "live", json_u64(st.live));
	json_put(j, "knocks", json_u64(st.knocks));
	json_put(j, "overloaded", json_u64(st.overloaded));
	for (int i = BS_VERDICT_NONE + 1; i < BS_VERDICT__COUNT; i++)
		json_put(done, bs_verdict_name((enum bs_verdict)i), json_u64(st.by_verdict[i]));
	json_put(j, "ended", done);
	return j;
}

static void
on_status(void *arg, enum err_code rc, const struct err *e, const struct store_counts *n)
{
	struct req *r = arg;
	struct api *a = r->api;
	json_t *j;

	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	j = json_object();
	json_put(j, "version", json_text(a->c.version));
	json_put(j, "uptime_seconds", json_u64((loop_now_ms(a->c.loop) - a->opened_ms) / 1000));
	json_put(j, "draining", json_boolean(a->draining));
	json_put(j, "seq", json_u64(n->seq));
	json_put(j, "devices", json_u64(n->devices));
	json_put(j, "devices_by_verdict", by_verdict(n->by_verdict));
	json_put(j, "profiles", json_u64(n->profiles));
	json_put(j, "sessions_kept", json_u64(n->sessions));
	json_put(j, "identities", json_u64(auth_identities(a->c.auth)));
	json_put(j, "sessions", session_counts(a));
	json_put(j, "listeners", listeners(a));
	json_put(j, "event_listeners", json_u64(events_clients(a->events)));
	answer_json(r, 200, j);
}

void
get_status(struct req *r)
{
	r->api->c.ops->counts(r->api->c.store, on_status, r);
}

/* ---- live sessions ---- */

static void
on_live(void *arg, const struct bs_live_info *info)
{
	json_t *j = json_object();

	json_put(j, "id", json_u64(info->id));
	json_put(j, "endpoint", json_text(info->endpoint));
	json_put(j, "peer", json_text(info->peer));
	json_put(j, "state", json_text(bs_state_name(info->state)));
	json_put(j, "age_ms", json_integer(info->age_ms));
	json_put(j, "operation", json_u64(info->op));
	json_put(j, "operations", json_u64(info->n_ops));
	(void)json_array_append_new(arg, j);
}

void
get_live(struct req *r)
{
	json_t *list = json_array(), *j = json_object();

	bs_driver_each(r->api->c.driver, on_live, list);
	json_put(j, "sessions", list);
	answer_json(r, 200, j);
}

/* ---- explain ---- */

static json_t *
explanation(const char *name, const char *help)
{
	json_t *j = json_object();

	json_put(j, "name", json_text(name));
	json_put(j, "help", json_text(help));
	return j;
}

void
get_explain(struct req *r)
{
	json_t *findings = json_array(), *reasons = json_array(), *j = json_object();
	const struct profile_rule *rule;

	for (size_t i = 0; (rule = profile_rule_at(i)) != NULL; i++) {
		json_t *x = explanation(rule->name, rule->help);

		json_put(x, "severity", json_text(profile_severity_name(rule->severity)));
		(void)json_array_append_new(findings, x);
	}
	for (int i = BS_REASON_NONE + 1; i < BS_REASON__COUNT; i++)
		(void)json_array_append_new(reasons, explanation(bs_reason_name((enum bs_reason)i),
		                                         bs_reason_help((enum bs_reason)i)));
	json_put(j, "findings", findings);
	json_put(j, "reasons", reasons);
	answer_json(r, 200, j);
}

/* ---- metrics ---- */

static void
one(struct gbuf *g, const char *type, const char *name, const char *help, uint64_t v)
{
	gbuf_printf(g, "# HELP bsserver_%s %s\n# TYPE bsserver_%s %s\nbsserver_%s %" PRIu64 "\n",
	    name, help, name, type, name, v);
}

static void
sessions_metrics(struct gbuf *g, const struct bs_driver_stats *st)
{
	gbuf_str(g, "# HELP bsserver_sessions_total Sessions that are over, by verdict.\n"
	            "# TYPE bsserver_sessions_total counter\n");
	for (int i = BS_VERDICT_NONE + 1; i < BS_VERDICT__COUNT; i++)
		gbuf_printf(g, "bsserver_sessions_total{verdict=\"%s\"} %" PRIu64 "\n",
		    bs_verdict_name((enum bs_verdict)i), st->by_verdict[i]);
	gbuf_str(g,
	    "# HELP bsserver_session_reasons_total Sessions that did not end well, by reason.\n"
	    "# TYPE bsserver_session_reasons_total counter\n");
	for (int i = BS_REASON_NONE + 1; i < BS_REASON__COUNT; i++)
		gbuf_printf(g, "bsserver_session_reasons_total{reason=\"%s\"} %" PRIu64 "\n",
		    bs_reason_name((enum bs_reason)i), st->by_reason[i]);
	one(g, "gauge", "sessions_live", "Sessions under way.", st->live);
	one(g, "counter", "knocks_total", "Bootstrap-Requests that came in.", st->knocks);
	one(g, "counter", "overloaded_total", "Bootstrap-Requests answered 5.03.", st->overloaded);
}

static void
store_metrics(struct gbuf *g, const struct store_counts *n)
{
	one(g, "gauge", "devices", "Devices in the store.", n->devices);
	one(g, "gauge", "profiles", "Shared profiles in the store.", n->profiles);
	one(g, "gauge", "sessions_kept", "Sessions in the store.", n->sessions);
	one(g, "counter", "store_seq", "The number of the newest change.", n->seq);
	gbuf_str(g,
	    "# HELP bsserver_devices_by_verdict Devices by the verdict of their last session.\n"
	    "# TYPE bsserver_devices_by_verdict gauge\n");
	for (int i = 0; i < BS_VERDICT__COUNT; i++)
		gbuf_printf(g, "bsserver_devices_by_verdict{verdict=\"%s\"} %" PRIu64 "\n",
		    i == BS_VERDICT_NONE ? "never" : bs_verdict_name((enum bs_verdict)i),
		    n->by_verdict[i]);
}

static void
counter_metrics(struct gbuf *g, const struct api *a)
{
	struct api_counter c;

	for (size_t i = 0; a->c.counter != NULL && a->c.counter(a->c.arg, i, &c); i++) {
		char name[96];

		(void)snprintf(name, sizeof name, "%s%s", c.name, c.gauge ? "" : "_total");
		one(g, c.gauge ? "gauge" : "counter", name, c.help, c.value);
	}
}

static void
api_metrics(struct gbuf *g, const struct api *a)
{
	gbuf_str(g, "# HELP bsserver_api_answers_total Answers of the API, by class of status.\n"
	            "# TYPE bsserver_api_answers_total counter\n");
	for (unsigned i = 2; i < N_ELEMS(a->n_answers); i++)
		gbuf_printf(g, "bsserver_api_answers_total{status=\"%uxx\"} %" PRIu64 "\n", i,
		    a->n_answers[i]);
	one(g, "counter", "api_refused_total", "API requests that their sender may not make.",
	    a->n_refused);
	one(g, "gauge", "api_event_listeners", "Listeners to events.", events_clients(a->events));
}

/* The second number of a line of pages. */
static uint64_t
resident_octets(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char line[256] = "", *second = line;
	unsigned long pages = 0;

	if (f == NULL)
		return 0;
	if (fgets(line, sizeof line, f) != NULL) {
		(void)strtoul(line, &second, 10);
		pages = strtoul(second, NULL, 10);
	}
	(void)fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
process_metrics(struct gbuf *g)
{
	struct rusage u = { .ru_maxrss = 0 };

	(void)getrusage(RUSAGE_SELF, &u);
	gbuf_printf(g,
	    "# HELP process_cpu_seconds_total User and system time.\n# TYPE "
	    "process_cpu_seconds_total counter\n"
	    "process_cpu_seconds_total %.3f\n",
	    (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	        (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	gbuf_printf(g,
	    "# HELP process_resident_memory_bytes Memory in use.\n# TYPE "
	    "process_resident_memory_bytes gauge\n"
	    "process_resident_memory_bytes %" PRIu64 "\n",
	    resident_octets());
	gbuf_printf(g,
	    "# HELP process_peak_memory_bytes The most memory that was in use.\n"
	    "# TYPE process_peak_memory_bytes gauge\nprocess_peak_memory_bytes %" PRIu64 "\n",
	    (uint64_t)u.ru_maxrss * 1024);
}

static void
on_metrics(void *arg, enum err_code rc, const struct err *e, const struct store_counts *n)
{
	struct req *r = arg;
	struct gbuf g = { 0 };
	struct bs_driver_stats st;

	(void)e;
	bs_driver_stats(r->api->c.driver, &st);
	one(&g, "gauge", "up", "Whether the store answers.", rc == ERR_OK);
	sessions_metrics(&g, &st);
	if (rc == ERR_OK)
		store_metrics(&g, n);
	counter_metrics(&g, r->api);
	if (r->api->c.metrics != NULL)
		r->api->c.metrics(r->api->c.arg, &g);
	api_metrics(&g, r->api);
	process_metrics(&g);
	answer_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", &g);
}

void
get_metrics(struct req *r)
{
	r->api->c.ops->counts(r->api->c.store, on_metrics, r);
}
