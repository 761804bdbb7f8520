/*
 * bsserver/ports/handout.h: are the certificates and keys that a device is to be given good?
 */
#ifndef BSSERVER_PORTS_HANDOUT_H
#define BSSERVER_PORTS_HANDOUT_H

#include "bsserver/ports/shelf.h"
#include "pki/cert.h"
#include "profiles/desired.h"

/*
 * Every account of mode rpk or x509: what 0/x/4 pins must be fit for its Certificate Usage and
 * Matching Type, in time, and for the host where the usage has the device ask; where its issuer is
 * among known, or is a CA that the same configuration hands out, its chain must be good; the
 * device's own certificate must be in time. None may be known to be revoked (shelf, NULL: not
 * asked). known (NULL: none) are trusted CAs; now is in seconds since 1970 UTC. ERR_OK, with a line for each account appended to *verdicts; ERR_REFUSED names the
 * account and the reason; ERR_NO_MEMORY.
 */
enum err_code handout_judge(const struct profile_desired *d, const struct pki_certs *known,
    const struct shelf *shelf, int64_t now, struct gbuf *verdicts, struct err *e);

#endif
