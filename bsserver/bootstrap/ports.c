#include "bsserver/bootstrap/ports.h"

#include <stdlib.h>

void
bs_grant_clear(struct bs_grant *g)
{
	free(g->endpoint);
	free(g->rule);
	free(g->profile);
	free(g->fingerprints);
	free(g->expiries);
	bs_history_clear(&g->history);
	profile_desired_clear(&g->desired);
	lwm2m_tree_clear(&g->handover);
	if (g->restore != NULL)
		profile_desired_clear(g->restore);
	free(g->restore);
	*g = (struct bs_grant){ .remembered_format = -1 };
}
