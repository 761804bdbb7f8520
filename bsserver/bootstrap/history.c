#include "bsserver/bootstrap/history.h"

#include <stdlib.h>

void
bs_history_clear(struct bs_history *h)
{
	bs_held_clear(&h->held);
	free(h->expiries);
	free(h->wanted);
	if (h->wrote != NULL)
		profile_desired_clear(h->wrote);
	free(h->wrote);
	*h = (struct bs_history){ 0 };
}

bool
bs_history_wanted(const struct bs_history *h, int64_t short_server_id)
{
	for (size_t i = 0; i < h->n_wanted; i++)
		if (h->wanted[i] == short_server_id)
			return true;
	return false;
}

bool
bs_history_early(const struct bs_history *h, uint64_t within_ms)
{
	if (h->good_session == 0 || h->invited || h->registered_ms > h->good_ended_ms)
		return false;
	/* A clock that was set back says nothing. */
	return h->now_ms >= h->good_ended_ms && (uint64_t)(h->now_ms - h->good_ended_ms) < within_ms;
}

bool
bs_history_broke_off(const struct bs_history *h)
{
	return h->last_session > h->good_session &&
	    (h->last_verdict == BS_VERDICT_FAILED || h->last_verdict == BS_VERDICT_CANCELLED);
}
