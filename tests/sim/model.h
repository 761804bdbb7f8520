/*
 * tests/sim/model.h: what a client does with Bootstrap-Discover, -Read, -Write and -Delete, and no
 * more: a tree and the rules of Core 1.1 section 6.1.7, with the liberties that clients take.
 */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include "bsserver/bootstrap/plan.h"

struct model {
	struct lwm2m_tree tree; /* the truth, with what it never shows */
	uint16_t account;	/* /0 instance of the bootstrap account */
	bool merges;		/* an instance Write keeps what is not in it; otherwise it replaces */
	bool discovers, reads[3];
	bool shows_uri;		/* a 1.1 client */
	bool has_acl;		/* Object 2 is there, be it empty */
	uint32_t hidden;	/* bit rid: Resources of /1 that Read leaves out */
	int64_t now;		/* s; what it notes in 1/x/12 when /0 or /1 is written; 0: it has no 1/x/12 */
	char broken[160];	/* a rule of the specification that an operation broke; "" */
};

void model_clear(struct model *d);
/* Everything that a server can find out about it. */
void model_show(const struct model *d, const struct lwm2m_model *m, struct bs_inventory *inv);
/* One operation of a plan. */
void model_do(struct model *d, const struct bs_op *op, const struct lwm2m_tree *values);

#endif
