/*
 * bsserver/ports/handoff.h: between what a device is to hold and what its LwM2M Servers are to know.
 */
#ifndef BSSERVER_PORTS_HANDOFF_H
#define BSSERVER_PORTS_HANDOFF_H

#include "bsserver/handoff/handoff.h"
#include "profiles/desired.h"

/*
 * What the server of that hand-off is to know, as handoff_pack() packs it. *out must be empty.
 * ERR_INVALID: the configuration has no such credential (it stays in the device, say).
 */
enum err_code ports_handoff_credential(const struct profile_desired *d, const struct profile_handoff *h,
    struct secret *out, struct err *e);

#endif
