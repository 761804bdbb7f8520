/*
 * bsserver/bootstrap/verify.h: does the device hold what was written? Three answers a resource:
 * equal, different, not shown.
 */
#ifndef BSSERVER_BOOTSTRAP_VERIFY_H
#define BSSERVER_BOOTSTRAP_VERIFY_H

#include "bsserver/bootstrap/inventory.h"
#include "bsserver/bootstrap/plan.h"
#include "bsserver/bootstrap/record.h"

struct bs_verified {
	enum bs_reason reason; /* NONE: nothing contradicts */
	struct lwm2m_path path; /* what the reason is about */
	char detail[256];	/* a sentence without secrets; "" when there is no reason */
	size_t equal, different, not_shown;
	struct gbuf unconfirmed; /* paths of what was not shown, blank-separated, at most 64; owned */
};

void bs_verified_clear(struct bs_verified *v); /* safe twice, and on {0} */

/*
 * after: what Discover and Read said when all was written. Instances that Discover lists are held
 * against the plan (ssid and uri too, where shown), Resources that Read shows against their values.
 * ERR_NO_MEMORY only; what was found is in *out.
 */
enum err_code bs_verify(const struct profile_desired *d, const struct bs_plan *p, const struct bs_inventory *after,
    struct bs_verified *out, struct err *e);

#endif
