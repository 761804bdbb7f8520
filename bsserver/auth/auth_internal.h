/*
 * bsserver/auth/auth_internal.h: what auth.c keeps in memory, and auth_rules.c asks.
 */
#ifndef BSSERVER_AUTH_AUTH_INTERNAL_H
#define BSSERVER_AUTH_AUTH_INTERNAL_H

#include "bsserver/auth/auth.h"
#include "lib/base/table.h"

/* One PSK identity that may knock. */
struct identity {
	struct table_node node;
	char *endpoint;
	struct secret key;
	size_t len;
	char id[]; /* len octets and a NUL */
};

/* A certificate or raw public key that may knock. */
struct pin {
	struct table_node by_name, by_endpoint;
	char *endpoint;
	char name[];
};

/* A device that is not active, or that exists at all (for patterns and names). */
struct known {
	struct table_node node;
	enum store_state state;
	struct secret registry; /* its key at our registry; empty: none */
	enum auth_credential registers; /* how; NOSEC: it has no account there, or one without security */
	struct table_node by_pin;       /* in auth.registered, when pin is not NULL */
	char *pin; /* auth_pin() of what it registers with; NULL: the rules decide */
	char endpoint[];
};

struct auth {
	const struct auth_rule *rules;
	size_t n_rules;
	struct table identities, devices;
	struct table pins, pins_of; /* by name, by endpoint */
	struct table registered;    /* struct known, by pin */
};

/* NULL: there is none. Whether its device is active is another question. */
struct identity *auth_find_identity(const struct auth *a, const char *id, size_t len);
struct pin *auth_find_pin(const struct auth *a, const char *name);
struct pin *auth_find_pin_of(const struct auth *a, const char *ep);
struct known *auth_find_device(const struct auth *a, const char *ep);
/* An active one that registers with that key or certificate. */
const struct known *auth_find_registrant(const struct auth *a, const char *pin);

#endif
