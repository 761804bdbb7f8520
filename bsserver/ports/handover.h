/*
 * bsserver/ports/handover.h: the bootstrap account that a device is to be handed over to, from a
 * shared profile with exactly one server: that one becomes its bootstrap server.
 */
#ifndef BSSERVER_PORTS_HANDOVER_H
#define BSSERVER_PORTS_HANDOVER_H

#include "bsserver/ports/compile.h"

struct handover {
	const char *endpoint, *profile;
	const struct store_credential *credentials; /* of the device: they go before the profile's */
	size_t n_credentials;
};

/*
 * The whole instance as /0/0/0, /0/0/1 (true) and so on, without a Short Server ID, and what the
 * profile's bootstrap_account says; *out must be empty and is filled only on ERR_OK. ERR_NOT_FOUND:
 * no such profile, or a key of it; ERR_INVALID: not one server on one transport.
 */
enum err_code handover_make(const struct shelf *s, const struct lwm2m_model *m, const struct handover *h,
    struct lwm2m_tree *out, struct err *e);

#endif
