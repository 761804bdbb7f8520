/*
 * bsserver/bootstrap/plan_internal.h: what the files of the planner share.
 */
#ifndef BSSERVER_BOOTSTRAP_PLAN_INTERNAL_H
#define BSSERVER_BOOTSTRAP_PLAN_INTERNAL_H

#include "bsserver/bootstrap/facts.h"

#define MAPS_MAX 256	     /* instances of one Object that a plan places */
#define UNDISCOVERED_BASE 10 /* first /0 instance used when nobody knows where the bootstrap account is */

/* Where the instances of an Object in the profile's numbering go on this device. */
struct id_map {
	uint16_t oid;
	uint16_t from[MAPS_MAX], to[MAPS_MAX];
	size_t n;
};

/* What a plan is made from, and what is made on the way. */
struct planner {
	const struct bs_planning *in;
	const struct profile_desired *d;
	const struct bs_inventory *inv;
	const struct lwm2m_model *m;
	struct bs_plan *p;
	struct bs_facts facts;
	struct id_map security, server, acl, apn, oscore;
	struct err *e;
};

/* plan.c */
enum err_code plan_add_op(struct planner *pl, enum bs_method method, struct lwm2m_path path, bool listed);
bool plan_is_multiple(const struct planner *pl, uint16_t oid);
bool plan_number(const struct lwm2m_tree *t, struct lwm2m_path p, int64_t *out);
/* What our last good session was to write; NULL: not known. */
const struct profile_desired *plan_wrote(const struct planner *pl);
/* The policy looks at what is there: incremental or merge. */
bool plan_is_careful(const struct planner *pl);

/* plan_ids.c */
bool plan_map_find(const struct id_map *map, uint16_t from, uint16_t *to);
bool plan_map_source(const struct id_map *map, uint16_t to, uint16_t *from);
bool plan_map_has_target(const struct id_map *map, uint16_t id);
/* An account that is not ours uses that APN profile too. */
bool plan_apn_is_shared(const struct planner *pl, uint16_t apn);
const struct lwm2m_objlnk *plan_link(const struct lwm2m_tree *t, struct lwm2m_path p, uint16_t oid);
/* NULL: an Object whose instances keep the ids that the profile gives them. */
const struct id_map *plan_map_of(const struct planner *pl, uint16_t oid);
/* A private key of this account (under the device's ids) stays in the device. */
bool plan_is_kept(const struct planner *pl, struct lwm2m_path inst);
/* An id that nothing uses, and notes it for what has no number in the profile. */
enum err_code plan_take_free(struct planner *pl, struct id_map *map, uint16_t *to);
/* Fills the maps, and p->tree with the profile's values under the device's ids. */
enum err_code plan_map_tree(struct planner *pl);

/* plan_past.c: what our last good session wrote */
/*
 * The number that an instance of the profile had then: an account by its Short Server ID (and uri,
 * where the server has several), an APN profile by its name, an OSCORE context by its account, a
 * rule by what it is about, anything else by its number.
 */
bool plan_then(const struct planner *pl, struct lwm2m_path inst, struct lwm2m_path *then);
/* Where that was put on the device, if it is an instance of /2, /11 or /21. */
bool plan_placed(const struct planner *pl, struct lwm2m_path inst, uint16_t *to);
/* Exactly this: res is an instance of the device, or a Resource of one. */
bool plan_wrote_this(const struct planner *pl, struct lwm2m_path res);
/* Nothing that was written into this instance of the device but what the plan has for it too. */
bool plan_covers_then(const struct planner *pl, struct lwm2m_path inst);
/* Notes where what cannot be read again is put. */
enum err_code plan_note_placed(struct planner *pl);
/* What we put there then, and is in the profile no more. */
bool plan_is_stale(const struct planner *pl, struct lwm2m_path inst);
enum err_code plan_stale_placed(struct planner *pl);

/* plan_acl.c: access control, after plan_map_tree() */
enum err_code plan_acls(struct planner *pl);
/* Instances of /2 that mean nothing any more. */
enum err_code plan_stale_acls(struct planner *pl);

/* plan_write.c */
/* The writes of everything in p->tree. */
enum err_code plan_writes(struct planner *pl);
/* Accounts that go, doubles of ours, and what hung on them. */
enum err_code plan_stale_accounts(struct planner *pl);
/* The instance goes, with or without a successor. */
bool plan_goes(const struct planner *pl, struct lwm2m_path inst);
/* The values of the bootstrap account that change; or all of it (handover). */
enum err_code plan_account(struct planner *pl);

#endif
