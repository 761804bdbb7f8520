#include "bsserver/bootstrap/ports.h"

#include <stdlib.h>

void
bs_grant_clear(struct bs_grant *g)
{
	free(g->endpoint);
	free(g->rule);
	free(g->profile);
	free(g->fingerprints);
	profile_desired_clear(&g->desired);
	*g = (struct bs_grant){ .remembered_format = -1 };
}
