/*
 * bsserver/ports/restore.h: what an earlier session was to write, as it is to be written again: its
 * configuration with the keys of now, unless its own keys are wanted back.
 */
#ifndef BSSERVER_PORTS_RESTORE_H
#define BSSERVER_PORTS_RESTORE_H

#include "lib/lwm2m/object.h"
#include "profiles/desired.h"

struct restore {
	const struct secret *wrote;	  /* profile_desired_pack() of that session */
	const struct profile_desired *now; /* what the documents and keys of now come to */
	bool with_credentials;		  /* the keys of then */
};

/*
 * ERR_CONFLICT: an account (named) for which there are no credentials now. ERR_NOT_FOUND: it is not
 * kept what was written. *out (empty before) is filled only on ERR_OK.
 */
enum err_code restore_make(const struct restore *r, const struct lwm2m_model *m, struct profile_desired *out,
    struct err *e);

#endif
