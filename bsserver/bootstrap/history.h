/*
 * bsserver/bootstrap/history.h: what is known of a device from its earlier sessions. Filled by
 * whoever answers the lookup; empty for a device that was never here. All of it is optional: what
 * is not known is 0, and the plan is then the more careful one.
 */
#ifndef BSSERVER_BOOTSTRAP_HISTORY_H
#define BSSERVER_BOOTSTRAP_HISTORY_H

#include "bsserver/bootstrap/inventory.h"
#include "profiles/desired.h"

struct bs_history {
	int64_t now_ms;		   /* wall clock at the lookup */
	/* The newest session that got beyond its 2.04, whatever became of it. */
	uint64_t last_session;	   /* 0: none */
	int64_t last_ended_ms;
	enum bs_verdict last_verdict;
	enum bs_reason last_reason;
	/* The newest that ended as provisioned or written. */
	uint64_t good_session;	   /* 0: none */
	int64_t good_started_ms, good_ended_ms;
	uint64_t good_revision;	   /* bs_record.revision of it */
	struct bs_held held;	   /* bs_record.held of it; owned; read by bs_history_listed() and bs_history_left() */
	char *placed;		   /* bs_record.placed of it; owned; NULL */
	char *expiries;		   /* bs_record.expiries of it; owned; NULL */
	struct profile_desired *wrote; /* what it was to write, keys and all; owned, wiped; NULL: not known */
	bool wrote_same;	   /* or: exactly what this session is to write */
	bool good_restored;	   /* it wrote a rollback wish and not what the profile said */
	uint16_t *wanted;	   /* Short Server IDs that it was to have accounts for: those are ours; owned */
	size_t n_wanted;

	int64_t registered_ms;	   /* an LwM2M Server saw it register, last; 0: never, or not known */
	bool invited;		   /* this return was asked for: a trigger, a handover, a rollback */
	unsigned recent_returns;   /* sessions of the last 24 h that ended well, this one not among them */

	/* history.c's own: held, as far as somebody asked for it */
	struct bs_inventory left;
	bool links_read, values_read;
};

void bs_history_clear(struct bs_history *h); /* safe twice, and on {0} */
/*
 * What the last good session left, read from held at the first need; empty when it is not known, or not
 * well-formed. Of bs_history_listed() only the links count. Borrowed from h until the next of these calls.
 */
const struct bs_inventory *bs_history_left(struct bs_history *h, const struct lwm2m_model *m);
const struct bs_inventory *bs_history_listed(struct bs_history *h);
/* We gave it an account with this Short Server ID: when the profile has it no more, it is not a foreign one. */
bool bs_history_wanted(const struct bs_history *h, int64_t short_server_id);

/*
 * It came back sooner than within_ms after it was provisioned, uninvited, and no server has seen it
 * register meanwhile: what was written does not work. within_ms 0: never.
 */
bool bs_history_early(const struct bs_history *h, uint64_t within_ms);
/* The session before this one broke off in the middle: what it left on the device is not certain. */
bool bs_history_broke_off(const struct bs_history *h);

#endif
