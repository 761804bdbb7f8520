#include "bsserver/api/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

#define QUERY_PARAMS_MAX 16

/* clang-format off */
static const struct route routes[] = {
	{ "GET", "/v1/version", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_version,
	  "Which program answers, and what it speaks" },
	{ "GET", "/v1/status", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_status,
	  "Uptime, counts, listeners, live sessions" },
	{ "POST", "/v1/apply", PERM_ENROLL, BODY_ROWS, ROUTE_CHANGES,
	  "dry_run expect_revision must_be_new reason", post_apply,
	  "Make devices and profiles what the documents say, a row of answer for each" },
	{ "POST", "/v1/diff", PERM_READ, BODY_ROWS, ROUTE_PLAIN, "", post_diff,
	  "What apply would change, place by place" },
	{ "POST", "/v1/plan", PERM_READ, BODY_JSON, ROUTE_PLAIN, "", post_plan,
	  "What would be written by this document, to a fresh device or one that holds this" },
	{ "GET", "/v1/devices", PERM_READ, BODY_NONE, ROUTE_SETTLED, "glob profile anchor where revision_older_than after limit", get_devices,
	  "Devices by endpoint name" },
	{ "GET", "/v1/devices/{ep}", PERM_READ, BODY_NONE, ROUTE_SETTLED, "", get_device,
	  "One device: document, state, revisions, credentials by fingerprint, last session" },
	{ "DELETE", "/v1/devices/{ep}", PERM_OPERATE, BODY_NONE, ROUTE_CHANGES, "expect_revision reason", delete_device,
	  "Forget a device and its keys" },
	{ "POST", "/v1/devices/{ep}/state", PERM_OPERATE, BODY_JSON, ROUTE_CHANGES, "expect_revision reason",
	  post_device_state, "Let a device in, or keep it out" },
	{ "GET", "/v1/devices/{ep}/plan", PERM_READ, BODY_NONE, ROUTE_SETTLED, "fresh", get_device_plan,
	  "What would be written to this device as it was last seen, or fresh" },
	{ "GET", "/v1/devices/{ep}/inventory", PERM_READ, BODY_NONE, ROUTE_SETTLED, "session", get_device_inventory,
	  "What the device was last seen to hold, or what a session left" },
	{ "GET", "/v1/devices/{ep}/acl", PERM_READ, BODY_NONE, ROUTE_SETTLED, "session", get_device_acl,
	  "Who may do what with which Object Instance of the device" },
	{ "GET", "/v1/devices/{ep}/history", PERM_READ, BODY_NONE, ROUTE_SETTLED, "", get_device_history,
	  "What its sessions left, newest first" },
	{ "GET", "/v1/devices/{ep}/diff", PERM_READ, BODY_NONE, ROUTE_SETTLED, "from to", get_device_diff,
	  "What changed on the device between two sessions" },
	{ "POST", "/v1/devices/{ep}/rollback", PERM_OPERATE, BODY_JSON, ROUTE_CHANGES, "reason", post_device_rollback,
	  "Let its next session restore what an earlier one left" },
	{ "DELETE", "/v1/devices/{ep}/rollback", PERM_OPERATE, BODY_NONE, ROUTE_CHANGES, "reason", delete_device_rollback,
	  "Take that back: the next session writes what its document says" },
	{ "POST", "/v1/devices/{ep}/handover", PERM_ADMIN, BODY_JSON, ROUTE_CHANGES, "reason", post_device_handover,
	  "Let its next session give it another bootstrap server" },
	{ "DELETE", "/v1/devices/{ep}/handover", PERM_ADMIN, BODY_NONE, ROUTE_CHANGES, "reason", delete_device_handover,
	  "Take that back: it stays with this one" },
	{ "GET", "/v1/devices/{ep}/resolved", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_device_resolved,
	  "Its document with everything it extends merged in" },
	{ "GET", "/v1/devices/{ep}/sessions/last", PERM_READ, BODY_NONE, ROUTE_SETTLED, "", get_device_last_session,
	  "Its newest session, with transcript" },
	{ "DELETE", "/v1/devices/{ep}/session", PERM_OPERATE, BODY_NONE, ROUTE_PLAIN, "reason", delete_device_session,
	  "End its live session" },
	{ "GET", "/v1/anchors", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_anchors,
	  "Trust anchors, and how many devices came under them or were given them" },
	{ "POST", "/v1/anchors", PERM_ADMIN, BODY_JSON, ROUTE_CHANGES, "reason", post_anchor,
	  "Trust one more anchor from now on" },
	{ "POST", "/v1/anchors/{sha256}/retire", PERM_ADMIN, BODY_JSON, ROUTE_CHANGES, "reason", post_anchor_retire,
	  "Trust it no more; refused while devices came under it or hold it" },
	{ "GET", "/v1/certificates", PERM_READ, BODY_NONE, ROUTE_PLAIN, "anchor until after limit", get_certificates,
	  "Certificates that devices were given or that were issued, and anchors that devices came under" },
	{ "POST", "/v1/certificates", PERM_OPERATE, BODY_JSON, ROUTE_CHANGES, "reason", post_certificate,
	  "Note that this certificate was issued" },
	{ "POST", "/v1/certificates/{sha256}/revoke", PERM_OPERATE, BODY_JSON, ROUTE_CHANGES, "reason", post_certificate_revoke,
	  "Hand out and restore this certificate no more, and let nobody in with it" },
	{ "GET", "/v1/profiles", PERM_READ, BODY_NONE, ROUTE_PLAIN, "glob after limit", get_profiles,
	  "Shared profiles by name" },
	{ "GET", "/v1/profiles/{name}", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_profile,
	  "One shared profile, and how many devices extend it" },
	{ "DELETE", "/v1/profiles/{name}", PERM_OPERATE, BODY_NONE, ROUTE_CHANGES, "expect_revision force reason",
	  delete_profile, "Forget a shared profile; refused while devices extend it" },
	{ "GET", "/v1/profiles/{name}/history", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_profile_history,
	  "Every revision of a shared profile, newest first" },
	{ "GET", "/v1/devices/{ep}/registration", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_device_registration,
	  "What a device said when it registered here, and whether it can be reached" },
	{ "GET", "/v1/jobs", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_jobs,
	  "Jobs that call devices back, newest first" },
	{ "POST", "/v1/jobs", PERM_OPERATE, BODY_JSON, ROUTE_CHANGES, "reason", post_job,
	  "Call devices back: each is asked to bootstrap again" },
	{ "GET", "/v1/jobs/{id}", PERM_READ, BODY_NONE, ROUTE_PLAIN, "outcome after limit", get_job,
	  "One job with what came of each device" },
	{ "POST", "/v1/jobs/{id}/state", PERM_OPERATE, BODY_JSON, ROUTE_CHANGES, "reason", post_job_state,
	  "Pause a job, let it go on, or cancel it" },
	{ "GET", "/v1/handoffs", PERM_READ, BODY_NONE, ROUTE_SETTLED, "endpoint open after limit", get_handoffs,
	  "What LwM2M Servers were told of devices' credentials, and what is still to be done" },
	{ "GET", "/v1/handoffs/servers", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_handoff_servers,
	  "The LwM2M Servers of the configuration" },
	{ "POST", "/v1/handoffs/retry", PERM_OPERATE, BODY_JSON, ROUTE_PLAIN, "", post_handoff_retry,
	  "Try again now what waits for its next attempt" },
	{ "POST", "/v1/handoffs/test", PERM_OPERATE, BODY_JSON, ROUTE_PLAIN, "", post_handoff_test,
	  "Whether an LwM2M Server answers and takes our token" },
	{ "GET", "/v1/sessions", PERM_READ, BODY_NONE, ROUTE_SETTLED,
	  "endpoint peer verdict reason since limit before group_by", get_sessions,
	  "Sessions that are over, newest first, or counted by reason or profile" },
	{ "GET", "/v1/sessions/{id}", PERM_READ, BODY_NONE, ROUTE_SETTLED, "", get_session,
	  "One session with its transcript" },
	{ "GET", "/v1/live", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_live,
	  "Sessions that are under way" },
	{ "GET", "/v1/why", PERM_READ, BODY_NONE, ROUTE_SETTLED, "endpoint peer", get_why,
	  "Why a device is let in or refused, and what to do" },
	{ "GET", "/v1/audit", PERM_ADMIN, BODY_NONE, ROUTE_PLAIN, "glob since limit before", get_audit,
	  "Who changed what, newest first" },
	{ "GET", "/v1/events", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_events,
	  "What happens, as it happens (server-sent events)" },
	{ "GET", "/v1/explain", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_explain,
	  "What each finding and each reason means" },
	{ "GET", "/metrics", PERM_READ, BODY_NONE, ROUTE_PLAIN, "", get_metrics,
	  "Counters in the text format of Prometheus" },
};
/* clang-format on */

const struct route *
route_at(size_t i)
{
	return i < N_ELEMS(routes) ? &routes[i] : NULL;
}

void
route_match_clear(struct route_match *m)
{
	for (size_t i = 0; i < m->n_args; i++)
		free(m->args[i]);
	*m = (struct route_match){ 0 };
}

/* Segment for segment; the parts that stand for {…} are put into start and len. */
static bool
path_fits(const char *pattern, const char *path, const char *start[ROUTE_ARGS_MAX],
    size_t len[ROUTE_ARGS_MAX], size_t *n)
{
	*n = 0;
	for (;;) {
		size_t a = strcspn(pattern, "/"), b = strcspn(path, "/");

		if (*pattern == '{') {
			if (b == 0 || *n == ROUTE_ARGS_MAX)
				return false;
			start[*n] = path;
			len[(*n)++] = b;
		} else if (a != b || memcmp(pattern, path, a) != 0)
			return false;
		pattern += a;
		path += b;
		if (*pattern == 0 || *path == 0)
			return *pattern == *path;
		pattern++;
		path++;
	}
}

static enum err_code
take_arg(struct route_match *m, const char *s, size_t n, struct err *e)
{
	if (n > ROUTE_ARG_LEN)
		return err_set(
		    e, ERR_LIMIT, "a name in the path is longer than %d octets", ROUTE_ARG_LEN);
	char *arg = str_dup_n(s, n);
	if (arg == NULL)
		return err_no_memory(e);
	m->args[m->n_args++] = arg;
	if (!str_percent_decode(arg, &n) || !str_is_printable(arg, n))
		return err_set(
		    e, ERR_PARSE, "the path holds what is neither text nor percent-encoded text");
	arg[n] = 0;
	return ERR_OK;
}

static void
note_allowed(struct route_match *m, const char *method)
{
	size_t n = strlen(m->allow);

	(void)snprintf(m->allow + n, sizeof m->allow - n, "%s%s", n == 0 ? "" : ", ", method);
}

enum err_code
route_find(const char *method, const char *path, struct route_match *out, struct err *e)
{
	const char *start[ROUTE_ARGS_MAX];
	size_t len[ROUTE_ARGS_MAX], n;

	for (size_t i = 0; i < N_ELEMS(routes); i++) {
		enum err_code rc = ERR_OK;

		if (!path_fits(routes[i].path, path, start, len, &n))
			continue;
		if (strcmp(routes[i].method, method) != 0) {
			note_allowed(out, routes[i].method);
			continue;
		}
		out->route = &routes[i];
		for (size_t k = 0; rc == ERR_OK && k < n; k++)
			rc = take_arg(out, start[k], len[k], e);
		return rc;
	}
	if (out->allow[0] != 0)
		return err_set(e, ERR_USAGE, "this path takes %s", out->allow);
	return err_set(e, ERR_NOT_FOUND, "there is nothing at this path");
}

enum err_code
route_takes(const struct route *rt, const char *param, struct err *e)
{
	const char *list[QUERY_PARAMS_MAX];
	char words[128], *save = NULL;
	struct gbuf quoted = { .max = 256 };
	size_t n = 0;

	(void)snprintf(words, sizeof words, "%s", rt->query);
	for (char *w = strtok_r(words, " ", &save); w != NULL && n < N_ELEMS(list);
	     w = strtok_r(NULL, " ", &save)) {
		if (strcmp(w, param) == 0)
			return ERR_OK;
		list[n++] = w;
	}
	const char *near = str_nearest(param, list, n);
	str_quote(&quoted, param, MIN(strlen(param), 60));
	if (n == 0)
		(void)err_set(
		    e, ERR_USAGE, "%s: unknown parameter; there are none here", gbuf_cstr(&quoted));
	else if (near == NULL)
		(void)err_set(e, ERR_USAGE, "%s: unknown parameter; there are: %s",
		    gbuf_cstr(&quoted), rt->query);
	else
		(void)err_set(e, ERR_USAGE, "%s: unknown parameter; did you mean %s?",
		    gbuf_cstr(&quoted), near);
	gbuf_clear(&quoted);
	return ERR_USAGE;
}
