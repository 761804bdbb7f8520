/*
 * bsserver/bootstrap/plan.h: what to do so that the device holds what it should. A pure function
 * of the desired configuration, the inventory and the policy.
 */
#ifndef BSSERVER_BOOTSTRAP_PLAN_H
#define BSSERVER_BOOTSTRAP_PLAN_H

#include "bsserver/bootstrap/history.h"
#include "bsserver/bootstrap/inventory.h"
#include "bsserver/bootstrap/record.h"
#include "profiles/desired.h"

struct bs_op {
	enum bs_method method;	/* BS_DELETE or BS_PUT */
	struct lwm2m_path path; /* Delete: Object or Instance; Put: Instance or Resource */
	bool clock;             /* Put /3/0/13: the time, as it is when it is sent; not in the tree */
	bool listed;		/* Delete: Discover showed that there is something to delete */
};

/* An instance that Read does not show, by the profile's number, and where it is on the device. */
struct bs_placed {
	uint16_t oid, from, to;
};

struct bs_plan {
	struct lwm2m_tree tree; /* the desired values under the ids that this device uses */
	struct bs_op *ops;	/* in order; owned */
	size_t n_ops, cap_ops;
	uint16_t *exact;	/* Objects that hold exactly this afterwards (policy replace); owned */
	size_t n_exact, cap_exact;
	struct bs_placed *placed; /* of /2, /11 and /21; owned */
	size_t n_placed, cap_placed;
	bool hands_over;	/* the last operation replaces the bootstrap account */
	char remark[160];	/* a choice worth a line in the transcript; "" */
};

/* What a plan is made from. All borrowed. */
struct bs_planning {
	const struct profile_desired *desired;
	const struct bs_inventory *inv;
	const struct lwm2m_model *model;
	struct bs_history *history;	  /* NULL: the device was never here. Unchanged, but for what is read on demand */
	bool anew;			  /* the device found it wanting (4.06): what reads right is written too */
	const struct lwm2m_tree *handover; /* see struct bs_grant; NULL: none */
};

void bs_plan_clear(struct bs_plan *p); /* wipes; safe twice, and on {0} */

/*
 * *p must be empty; it is filled only on ERR_OK. ERR_CONFLICT: the device and the profile do not go
 * together (an access control rule with two owners, no free instance id, a bootstrap account to be
 * changed but not found); the message names both sides. Order: deletes that the policy replace
 * asks for, then writes to 3, 21, 23, 10, 11, others, 0, 1, 2, so that no link dangles, then deletes
 * of what is stale, then the bootstrap account. With set_time, and unless there is nothing to do, the
 * time goes before all of it.
 *
 * incremental and merge write what differs from what the device shows, and what it does not show
 * unless it is known to be right: this server wrote that very content in a session that ended well,
 * 1/x/12 does not tell of another bootstrap since, 1/x/11 is clear, and the device came back neither
 * early nor after a session that broke off. merge deletes nothing.
 */
enum err_code bs_plan_for(const struct bs_planning *in, struct bs_plan *p, struct err *e);
/* The same for a device without a history. */
enum err_code bs_plan_make(const struct profile_desired *d, const struct bs_inventory *inv,
    const struct lwm2m_model *m, struct bs_plan *p, struct err *e);

/* Which of /1 and /2 must be read before it can be made (after Discover). */
bool bs_plan_wants_read(const struct profile_desired *d, const struct bs_inventory *inv, uint16_t oid);

/* "11/0=14 21/1=1001", to be found again in the history; appended. And one of them. */
void bs_placed_text(const struct bs_plan *p, struct gbuf *out);
bool bs_placed_find(const char *text, uint16_t oid, uint16_t from, uint16_t *to);
/* Walks them: *at starts at 0. false at the end. */
bool bs_placed_next(const char *text, size_t *at, struct bs_placed *out);

/* Puts n operations in place of the one at index at. */
enum err_code bs_plan_replace_op(struct bs_plan *p, size_t at, const struct bs_op *ops, size_t n, struct err *e);

#endif
