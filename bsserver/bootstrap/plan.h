/*
 * bsserver/bootstrap/plan.h: what to do so that the device holds what it should. A pure function
 * of the desired configuration, the inventory and the policy.
 */
#ifndef BSSERVER_BOOTSTRAP_PLAN_H
#define BSSERVER_BOOTSTRAP_PLAN_H

#include "bsserver/bootstrap/inventory.h"
#include "bsserver/bootstrap/record.h"
#include "profiles/desired.h"

struct bs_op {
	enum bs_method method;	/* BS_DELETE or BS_PUT */
	struct lwm2m_path path; /* Delete: Object or Instance; Put: Instance or Resource */
	bool clock;             /* Put /3/0/13: the time, as it is when it is sent; not in the tree */
	bool listed;		/* Delete: Discover showed that there is something to delete */
};

struct bs_plan {
	struct lwm2m_tree tree; /* the desired values under the ids that this device uses */
	struct bs_op *ops;	/* in order; owned */
	size_t n_ops, cap_ops;
	uint16_t *exact;	/* Objects that hold exactly this afterwards (policy replace); owned */
	size_t n_exact, cap_exact;
	char remark[160];	/* a choice worth a line in the transcript; "" */
};

void bs_plan_clear(struct bs_plan *p); /* wipes; safe twice, and on {0} */

/*
 * *p must be empty; it is filled only on ERR_OK. ERR_UNSUPPORTED: a policy that is not served, by
 * name. ERR_CONFLICT: the device and the profile do not go together (no free instance id, bootstrap
 * account to be changed but not found). Order: deletes, then 3, 21, 23, 10, 11, others, 0, 1, 2, so
 * that no link dangles.
 */
enum err_code bs_plan_make(const struct profile_desired *d, const struct bs_inventory *inv,
    const struct lwm2m_model *m, struct bs_plan *p, struct err *e);

/* Which of /1 and /2 must be read before it can be made (after Discover). */
bool bs_plan_wants_read(const struct profile_desired *d, const struct bs_inventory *inv, uint16_t oid);

/* Puts n operations in place of the one at index at. */
enum err_code bs_plan_replace_op(struct bs_plan *p, size_t at, const struct bs_op *ops, size_t n, struct err *e);

#endif
