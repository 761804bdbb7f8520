/*
 * profiles/timeline.h: when each LwM2M Server sees a device that was bootstrapped: the order and the
 * waits of 1/x/13 to 1/x/20 (Core 1.1 section 6.2.1.1), laid out from Finish on. Seconds are of
 * timers alone: what a registration itself takes is not in them.
 */
#ifndef PROFILES_TIMELINE_H
#define PROFILES_TIMELINE_H

#include "profiles/desired.h"

#define TIMELINE_MAX 64	     /* servers */
#define TIMELINE_NEVER (-1) /* it does not come to that */

/* What a device does when it has given a server up. */
enum timeline_then {
	TIMELINE_GOES_ON,   /* to the next in the order; it tries this one no more */
	TIMELINE_STOPS,	    /* those after it in the order are never tried */
	TIMELINE_BOOTSTRAPS /* it comes back to the bootstrap server */
};

struct timeline_server {
	uint16_t ssid;
	struct lwm2m_path inst; /* /1/x, as the profile numbers it */
	bool ordered;		/* it has a 1/x/13; the others wait for nobody */
	int64_t order, delay_s;
	int64_t registers_s;	/* when all is well */
	int64_t after_failure_s; /* when all before it in the order have failed; NEVER: one of them stops it */
	int64_t tries_s;	/* from the first attempt until it is given up */
	enum timeline_then then;
};

struct timeline {
	struct timeline_server v[TIMELINE_MAX]; /* as they register: ordered ones first, by their order */
	size_t n;
	int64_t worst_s;      /* when the last one that may send it back is given up; NEVER: none does */
	int64_t hold_off_s;   /* 0/x/11: before it knocks again; -1: not said */
	int64_t forgets_s;    /* 0/x/12: after that it has no bootstrap account left; 0 or -1: it keeps it */
};

void timeline_make(const struct profile_desired *d, struct timeline *out);
const char *timeline_then_name(enum timeline_then t); /* "goes_on", "stops", "bootstraps" */

#endif
