/*
 * tests/sim/after.h: what the devices of a fleet do when they are bootstrapped: they register with
 * one of their accounts, over sockets and DTLS of their own, and wait to be called back.
 */
#ifndef TESTS_SIM_AFTER_H
#define TESTS_SIM_AFTER_H

#include "tests/sim/device.h"
#include "tests/sim/dtls.h"
#include "tests/sim/registrar.h"

struct after;
struct leg; /* one device's */

struct after_config {
	struct registrar_config registrar;
	const struct dtls_policy *policy; /* for coaps accounts with a pre-shared key */
	const struct dtls_policy *knock;  /* for those whose private key stays in the device; NULL: it has none */
	size_t max;			  /* devices at once */
	uint64_t seed;
};

typedef void after_fn(void *arg, enum registrar_event ev, uint8_t code, const char *why);

struct after *after_new(const struct after_config *cfg);
void after_free(struct after *a); /* every leg was ended; NULL is fine */
/* Datagrams that are there. */
void after_poll(struct after *a, uint64_t now_ms);

/* Begins to register with what d holds; fn tells what comes of it, never from inside. NULL: e says why. */
struct leg *after_begin(struct after *a, const struct device *d, uint64_t now_ms, after_fn *fn, void *arg,
    struct err *e);
void leg_end(struct leg *l); /* not from inside fn; NULL is fine */
void leg_tick(struct leg *l, uint64_t now_ms);
uint64_t leg_next(const struct leg *l, uint64_t now_ms);

#endif
