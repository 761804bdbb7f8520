/*
 * bsserver/ports/restore.h: what an earlier session was to write, as it is to be written again: its
 * configuration with the keys of now, unless its own keys are wanted back.
 */
#ifndef BSSERVER_PORTS_RESTORE_H
#define BSSERVER_PORTS_RESTORE_H

#include "bsserver/store/store.h"
#include "lib/lwm2m/object.h"
#include "profiles/desired.h"

struct restore {
	const struct secret *wrote;	  /* profile_desired_pack() of that session */
	const struct profile_desired *now; /* what the documents and keys of now come to */
	bool with_credentials;		  /* the keys of then */
	/* Which of those are in force no more (NULL: none), and until which change that was agreed to. */
	const struct store_withdrawn *withdrawn;
	uint64_t agreed;
};
#define RESTORE_ALL_AGREED UINT64_MAX

/*
 * ERR_REFUSED: with_credentials, and one of them (named) was removed, or was replaced by a change
 * after agreed. ERR_CONFLICT: an account (named) for which there are no credentials now. ERR_NOT_FOUND: it is not
 * kept what was written. *out (empty before) is filled only on ERR_OK.
 */
enum err_code restore_make(const struct restore *r, const struct lwm2m_model *m, struct profile_desired *out,
    struct err *e);

#endif
