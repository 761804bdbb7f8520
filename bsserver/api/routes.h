/*
 * bsserver/api/routes.h: everything that can be asked, in one table: docs/openapi.yaml is checked
 * against it.
 */
#ifndef BSSERVER_API_ROUTES_H
#define BSSERVER_API_ROUTES_H

#include <stdbool.h>

#include "bsserver/api/perms.h"

struct req;
typedef void route_fn(struct req *r); /* owes exactly one answer, now or later */

enum route_body { BODY_NONE, BODY_JSON, BODY_ROWS };

enum route_way {
	ROUTE_PLAIN,
	ROUTE_CHANGES, /* refused while the daemon drains */
	ROUTE_SETTLED, /* runs when what the store was given before is kept: it tells of sessions that are over */
};

struct route {
	const char *method, *path; /* "{ep}" stands for one segment */
	unsigned permission;       /* enum perm: exactly one */
	enum route_body body;
	enum route_way way;
	const char *query; /* parameters it takes, blank-separated */
	route_fn *run;
	const char *summary;
};

const struct route *route_at(size_t i); /* NULL past the end */

#define ROUTE_ARGS_MAX 2
#define ROUTE_ARG_LEN 768 /* octets of a segment, as sent */

struct route_match {
	const struct route *route;
	char *args[ROUTE_ARGS_MAX]; /* decoded; owned */
	size_t n_args;
	char allow[64]; /* ERR_USAGE: what the path takes instead, "GET, DELETE" */
};
void route_match_clear(struct route_match *m); /* safe twice, and on {0} */

/*
 * path is as sent, without the query, percent signs and all. ERR_NOT_FOUND: no such path;
 * ERR_USAGE: not with this method; ERR_PARSE: a percent sign that stands for nothing, or text that
 * is none.
 */
enum err_code route_find(
    const char *method, const char *path, struct route_match *out, struct err *e);

/* Whether a route takes a parameter; ERR_USAGE names the nearest that it takes. */
enum err_code route_takes(const struct route *rt, const char *param, struct err *e);

route_fn get_version, get_status, get_live, get_explain, get_metrics, get_events, get_audit;
route_fn post_apply, post_diff, post_plan;
route_fn get_devices, get_device, delete_device, post_device_state, get_device_plan,
    get_device_resolved, get_device_last_session, delete_device_session;
route_fn get_device_inventory, get_device_acl, get_device_history, get_device_diff,
    post_certificate, post_certificate_revoke, get_anchors, post_anchor, post_anchor_retire, get_certificates, post_device_rollback, delete_device_rollback, post_device_handover, delete_device_handover;
route_fn get_profiles, get_profile, delete_profile, get_profile_history;
route_fn get_jobs, get_job, post_job, post_job_state, get_device_registration;
route_fn get_handoffs, get_handoff_servers, post_handoff_retry, post_handoff_test;
route_fn get_sessions, get_session, get_why;

#endif
