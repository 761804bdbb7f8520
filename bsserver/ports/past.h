/*
 * bsserver/ports/past.h: between what the store keeps of a device's sessions and what the engine
 * knows of them; and what a session that is under way was given, until its record comes.
 */
#ifndef BSSERVER_PORTS_PAST_H
#define BSSERVER_PORTS_PAST_H

#include "bsserver/bootstrap/ports.h"
#include "bsserver/store/store.h"
#include "lib/base/table.h"
#include "lib/lwm2m/object.h"

/*
 * What the device's next session should know. held: what d->held.wrote is packed of, when that is
 * known; NULL: it is unpacked. *out must be empty. ERR_NO_MEMORY.
 */
enum err_code past_history(const struct store_device *d, const struct profile_desired *held, int64_t now_ms,
    struct bs_history *out, struct err *e);
/* Whether the rollback that was asked for is to be written, or was and is still in force. */
bool past_restores(const struct store_device *d, uint64_t revision);
/* held as the engine has it: borrowed from *h. */
struct bs_held past_held(const struct store_held *h);

/* ---- what was given ---- */

struct given {
	struct table_node node;
	uint64_t session;
	struct secret wrote; /* profile_desired_pack() */
	uint64_t same_wrote; /* as in struct store_outcome */
	uint64_t fulfilled[STORE_WISH__COUNT];
	uint64_t wanted_revision;
	char *anchor, *given; /* as in struct bs_record; owned; NULL */
};

/* ERR_NO_MEMORY: then the session leaves nothing to come back to. Takes wrote. */
enum err_code given_add(struct table *t, uint64_t session, struct secret *wrote, struct given **out, struct err *e);
struct given *given_find(const struct table *t, uint64_t session);
void given_remove(struct table *t, struct given *g); /* wipes; NULL is fine */
void given_clear(struct table *t);

#endif
