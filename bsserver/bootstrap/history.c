#include "bsserver/bootstrap/history.h"

#include <stdlib.h>

#include "lib/base/util.h"

void
bs_history_clear(struct bs_history *h)
{
	bs_held_clear(&h->held);
	bs_inventory_clear(&h->left);
	free_some(h->placed);
	free_some(h->expiries);
	free_some(h->wanted);
	if (h->wrote != NULL)
		profile_desired_clear(h->wrote);
	free_some(h->wrote);
	*h = (struct bs_history){ 0 };
}

const struct bs_inventory *
bs_history_listed(struct bs_history *h)
{
	if (!h->links_read) {
		const struct bs_held links = { .links = h->held.links };

		(void)bs_inventory_load(&h->left, NULL, &links, NULL);
		h->links_read = true;
	}
	return &h->left;
}

const struct bs_inventory *
bs_history_left(struct bs_history *h, const struct lwm2m_model *m)
{
	if (!h->values_read) {
		bs_inventory_clear(&h->left);
		(void)bs_inventory_load(&h->left, m, &h->held, NULL);
		h->links_read = h->values_read = true;
	}
	return &h->left;
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
