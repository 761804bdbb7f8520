#include "bsserver/bootstrap/ports.h"

#include <stdlib.h>

#include "lib/base/util.h"

void
bs_grant_clear(struct bs_grant *g)
{
	free_some(g->endpoint);
	free_some(g->rule);
	free_some(g->profile);
	free_some(g->fingerprints);
	free_some(g->expiries);
	bs_history_clear(&g->history);
	profile_desired_clear(&g->desired);
	lwm2m_tree_clear(&g->handover);
	if (g->restore != NULL)
		profile_desired_clear(g->restore);
	free_some(g->restore);
	*g = (struct bs_grant){ .remembered_format = -1 };
}
