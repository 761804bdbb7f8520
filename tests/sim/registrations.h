/*
 * tests/sim/registrations.h: what a client does after its bootstrap: with which servers it registers
 * and when, played through event by event from what it holds (Core 1.1 section 6.2.1.1). Nothing
 * goes over a wire, and a registration takes no time.
 */
#ifndef TESTS_SIM_REGISTRATIONS_H
#define TESTS_SIM_REGISTRATIONS_H

#include "lib/lwm2m/tree.h"

enum registration_event {
	REGISTERS,	/* the server takes it */
	GIVES_UP,	/* the server is dead, and the last attempt at it was in vain */
	BOOTSTRAPS_AGAIN /* because of that server; nothing comes after it */
};

struct registration {
	int64_t at_s; /* since Finish */
	uint16_t ssid;
	enum registration_event what;
};

/* In order of time, at most max. dead: n servers that do not answer. */
size_t registrations_play(const struct lwm2m_tree *t, const uint16_t *dead, size_t n, struct registration *out, size_t max);

#endif
