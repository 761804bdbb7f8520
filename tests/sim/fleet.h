/*
 * tests/sim/fleet.h: many simulated devices over real sockets in one thread, and what became of
 * them.
 */
#ifndef TESTS_SIM_FLEET_H
#define TESTS_SIM_FLEET_H

#include "tests/sim/after.h"
#include "tests/sim/device.h"
#include "tests/sim/dtls.h"
#include "tests/sim/keys.h"
#include "tests/sim/net.h"

enum fleet_expect { EXPECT_PROVISIONED, EXPECT_REFUSED, EXPECT_FAILED, EXPECT_ANY };

struct fleet_config {
	struct device_config device;
	struct net_config net;
	bool secure;
	const struct dtls_policy *policy; /* when secure; NULL: each has its own, by these */
	const char *cipher, *certificate, *private_key; /* files; "%e" in them is the endpoint */
	const struct keys *keys;          /* when secure; NULL: the policy has a certificate */
	const char *identity;             /* NULL: the endpoint; "%e" in it is the endpoint */
	const char *endpoint;             /* of a single device; "": without ep; NULL: by pattern */
	const char *pattern;              /* "dev-%05u" */
	unsigned first, count, repeat;
	unsigned concurrency;
	double rate; /* starts a second; 0: as fast as it goes */
	uint64_t seed;
	uint32_t timeout_ms; /* of the whole; 0: none */
	uint32_t linger_ms;  /* a device stays to answer repetitions */
	/*
	 * When after.registrar.ssid is not 0: a device that is provisioned registers there, and bootstraps
	 * again (repeat) only when it is called back. registered: it begins with registering.
	 */
	struct after_config after;
	bool registered;
	uint32_t stay_ms; /* registered, when nothing is left to be done */
	bool json, trace, quiet, lines, tree, secrets;
	bool registrations; /* with the line: what it would do next */
	bool spin; /* poll without waiting */
	enum fleet_expect expect;
	uint8_t expect_code; /* with EXPECT_REFUSED; 0: any */
	const volatile bool *stop;
};

/* "dev-%05u" with a number: one %u, with a width perhaps. Appended; false when it is none. */
bool fleet_name(const char *pattern, unsigned number, struct gbuf *out);
/* The identity of a device, appended. */
void fleet_identity(const struct fleet_config *cfg, const char *endpoint, struct gbuf *out);

/* Runs them all and prints. *as_expected says whether every outcome was the expected one. */
enum err_code fleet_run(const struct fleet_config *cfg, bool *as_expected, struct err *e);

#endif
