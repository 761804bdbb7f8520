/* tests/unit/plan_kit.h: devices and profiles in a line each, for tables about plans and audits. */
#ifndef TESTS_UNIT_PLAN_KIT_H
#define TESTS_UNIT_PLAN_KIT_H

#include "bsserver/bootstrap/plan.h"

/*
 * A scene: what the device shows, what the profile wants, what happened before. Trees are written
 * "1/0/0=101 1/0/7=U 1/0/10=11:0"; types are the model's. Unset strings are empty trees, links NULL
 * is a device without Discover.
 */
struct scene {
	const char *links;	/* in link format */
	const char *server;	/* what Read of /1 shows; NULL: it is not served */
	const char *acl;	/* the same of /2 */
	const char *wants;	/* the profile's tree */
	enum profile_policy policy;
	enum profile_foreign foreign;
	enum profile_acl_mode mode; /* of every rule */
	const char *retain;	/* one path */
	const char *wrote;	/* what the last good session wrote; NULL: there was none */
	const char *placed;	/* where it put what cannot be read: "11/0=4" */
	const char *held;	/* links afterwards */
	const char *held_server; /* and /1 */
	int64_t gone_s;		/* how long ago it ended; 0: a day */
	bool failed_since;
	const char *expiries;
	const char *handover;
};

struct stage {
	struct profile_desired d;
	struct bs_inventory inv;
	struct bs_history h;
	struct lwm2m_tree handover;
	struct bs_planning in;
};

void kit_tree(struct lwm2m_tree *t, const char *text);
void kit_set(struct stage *st, const struct scene *sc);
void kit_clear(struct stage *st);
/* "PUT /0/1, DELETE /2/4": borrowed until the next call. */
const char *kit_ops(const struct bs_plan *p);

#endif
