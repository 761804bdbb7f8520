/*
 * bsserver/registry/returns.h: devices that bootstrapped and do not register, and those that come back
 * again and again instead: named states, counted, and a pause that grows. Pure: the caller brings the
 * time. Only devices that have an account at the registry are told of here. Bounded: the one that was
 * quiet the longest goes.
 */
#ifndef BSSERVER_REGISTRY_RETURNS_H
#define BSSERVER_REGISTRY_RETURNS_H

#include <stdbool.h>

#include "lib/base/table.h"

#define RETURNS_PATIENCE_MS 300000 /* from the end of a good session to the Register */
#define RETURNS_HOUR_MS 3600000
#define RETURNS_TIMES 4		   /* so many good sessions in an hour without a Register: it comes back */
#define RETURNS_PAUSE_S 60	   /* the first pause, doubled for each session more */
#define RETURNS_PAUSE_MAX_S 3600

enum returns_state {
	RETURNS_FINE,		  /* nothing to be said of it */
	RETURNS_AWAITED,	  /* bootstrapped a moment ago; it is to register */
	RETURNS_NEVER_REGISTERED, /* bootstrapped, and did not register in RETURNS_PATIENCE_MS */
	RETURNS_COMES_BACK,	  /* RETURNS_TIMES in an hour, and never registered between */
	RETURNS__STATES
};
const char *returns_state_name(enum returns_state s); /* "never_registered" */
/* What it means and what to do; "" for FINE. */
const char *returns_state_help(enum returns_state s);

struct returns;
enum err_code returns_new(size_t max, uint64_t seed, struct returns **out, struct err *e);
void returns_free(struct returns *t); /* NULL is fine */

/* A session of it ended well. invited: we called it back, which is no sign of anything. */
void returns_session(struct returns *t, const char *endpoint, uint64_t session, bool invited, int64_t now_ms);
/*
 * The same of one that ended before the newest that is known of it, after a restart: from the newest to the
 * oldest, and none from before the last Register. Nobody gives way to it.
 */
void returns_restore(struct returns *t, const char *endpoint, uint64_t session, bool invited, int64_t ended_ms);
/* It registered, or is forgotten: nothing is to be said of it any more. */
void returns_registered(struct returns *t, const char *endpoint);

struct returns_news {
	enum returns_state state;
	uint64_t session;    /* the newest */
	unsigned sessions;   /* good ones in a row without a Register */
	int64_t since_ms;    /* the end of the newest */
	uint32_t pause_s;    /* it is to stay away for so long from now; 0: it may come */
};
void returns_get(const struct returns *t, const char *endpoint, int64_t now_ms, struct returns_news *out);
/* How many are in each state now. */
void returns_count(const struct returns *t, int64_t now_ms, size_t counts[RETURNS__STATES]);

#endif
