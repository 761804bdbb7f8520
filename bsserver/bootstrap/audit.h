/*
 * bsserver/bootstrap/audit.h: what is wrong, or worth knowing, about what a device holds, why it
 * may have come back, and what the plan does about each (BsR-003, BsR-007).
 */
#ifndef BSSERVER_BOOTSTRAP_AUDIT_H
#define BSSERVER_BOOTSTRAP_AUDIT_H

#include "bsserver/bootstrap/plan.h"

/*
 * Appends to *out. p: the plan that was made from the same, or NULL when there is none (a
 * conflict): each remedy is then "none". A pure function; memory that is short is counted in
 * out->dropped.
 */
void bs_audit(const struct bs_planning *in, const struct bs_plan *p, struct bs_findings *out);

#endif
