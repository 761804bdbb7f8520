/*
 * bsserver/bootstrap/driver.h: the live sessions: who is under way, by number, by endpoint and by
 * peer, their deadlines, and what a newer request of the same device means for an older one.
 *
 * Everything enters here and leaves through struct bs_ports. One thread; no port calls back from
 * inside.
 */
#ifndef BSSERVER_BOOTSTRAP_DRIVER_H
#define BSSERVER_BOOTSTRAP_DRIVER_H

#include "bsserver/bootstrap/ports.h"
#include "bsserver/bootstrap/session.h"

struct bs_driver;

struct bs_driver_conf {
	struct bs_ports ports; /* vet, keep, handoff may be NULL: that step is then not there */
	const struct lwm2m_model *model; /* borrowed */
	unsigned max_sessions;		 /* at once; more are answered 5.03. 0: default 4096 */
	unsigned max_per_peer;		 /* not yet granted, of one peer. 0: default 4 */
	uint32_t lookup_timeout_ms;	 /* until the answer to the request. 0: default 20 s */
	uint32_t record_timeout_ms;	 /* for the record to be kept. 0: default 60 s */
	uint64_t seed;			 /* of the tables */
};

/* A Bootstrap-Request as it came in. Borrowed for the call. */
struct bs_knock {
	struct bs_peer peer;
	uint64_t request; /* the transport's handle for the reply */
	const struct bs_query *queries;
	size_t n_queries;
};

struct bs_driver_stats {
	uint64_t knocks, overloaded;
	uint64_t by_verdict[BS_VERDICT__COUNT];
	uint64_t by_reason[BS_REASON__COUNT];
	size_t live;
};

/* What is known of a live session, for operators. Borrowed. */
struct bs_live_info {
	uint64_t id;
	const char *endpoint, *peer;
	enum bs_state state;
	uint32_t age_ms;
	size_t op, n_ops;
};
typedef void bs_live_fn(void *arg, const struct bs_live_info *info);

enum err_code bs_driver_new(const struct bs_driver_conf *conf, struct bs_driver **out, struct err *e);
/* Wipes what is live without another word to anybody. NULL is fine. */
void bs_driver_free(struct bs_driver *d);

void bs_driver_knock(struct bs_driver *d, const struct bs_knock *k);
/* The answer of a port. An event of a session that is gone is dropped (a grant in it is cleared). */
void bs_driver_event(struct bs_driver *d, uint64_t session, struct bs_event *ev);
/* Its connection is over; why, in a few words, goes into the record. */
void bs_driver_peer_gone(struct bs_driver *d, uint64_t peer, const char *why);
/* Deadlines that have passed. Call at the time that ports.wake_at() asked for, or whenever. */
void bs_driver_tick(struct bs_driver *d);
/* Ends the live session of that endpoint. false: there is none. */
bool bs_driver_cancel(struct bs_driver *d, const char *endpoint, const char *why);
/* From now on every knock is answered 5.03. What is live goes on. */
void bs_driver_drain(struct bs_driver *d);
/* Ends everything that is live, as BS_REASON_RESTARTED; each is still recorded. */
void bs_driver_stop(struct bs_driver *d);

void bs_driver_stats(const struct bs_driver *d, struct bs_driver_stats *out);
void bs_driver_each(const struct bs_driver *d, bs_live_fn *fn, void *arg);

#endif
