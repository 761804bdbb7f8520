/*
 * bsserver/api/plan_rows.h: a plan beside what the device has: for each place what it has, what it
 * is to have, and what is done about it.
 */
#ifndef BSSERVER_API_PLAN_ROWS_H
#define BSSERVER_API_PLAN_ROWS_H

#include "bsserver/bootstrap/plan.h"
#include "profiles/profile.h"

struct json_t;

struct plan_rows {
	const struct bs_plan *plan;
	const struct bs_inventory *inv;
	const struct lwm2m_model *m;
	/* Something that tells a secret without telling it. */
	void (*print_secret)(const void *arg, const struct secret *key, struct gbuf *out);
	const void *arg;
};

/* [{"path", "name", "has", "wants", "does"}], in the order of paths; has and wants may be null. */
struct json_t *plan_rows(const struct plan_rows *v);

/*
 * When each server of the profile sees the device, in seconds from Finish, as profiles/timeline.h
 * has it. doc (NULL: none) has the servers' names.
 */
struct json_t *plan_timeline(const struct profile_desired *d, const struct profile_doc *doc);

#endif
