/*
 * bsserver/registry/trigger.h: the jobs that run, by the clock and through a way to devices, kept in
 * the store: a job that was answered for goes on after a restart.
 */
#ifndef BSSERVER_REGISTRY_TRIGGER_H
#define BSSERVER_REGISTRY_TRIGGER_H

#include "bsserver/loop/loop.h"
#include "bsserver/registry/job.h"
#include "bsserver/store/store.h"

struct trigger;

enum trigger_reach {
	TRIGGER_STRANGER, /* nobody of that name ever registered */
	TRIGGER_AWAY,	  /* it registered once, and is not registered now; trigger_spoke() says when */
	TRIGGER_ASLEEP,	  /* not to be reached now; trigger_spoke() says when */
	TRIGGER_AWAKE,
	TRIGGER_PERHAPS,  /* execute() finds out */
	TRIGGER__REACHES
};

enum trigger_result {
	TRIGGER_ANSWERED,
	TRIGGER_NO_ANSWER,
	TRIGGER_GONE, /* trigger_spoke() says when it is there again */
	/* of an LwM2M Server: */
	TRIGGER_ACCEPTED, /* it did so; what the device answered it does not tell */
	TRIGGER_IN_LINE,  /* the device sleeps: it is told when it wakes */
	TRIGGER_AGAIN,	  /* the device is not to be reached now, and nobody says when it will */
	TRIGGER_FORBIDDEN, /* it refuses to ask the device */
	TRIGGER_NOBODY,	  /* it gave no answer */
	TRIGGER_UNKNOWN,  /* there is no way to that device */
	TRIGGER__RESULTS
};
struct trigger_answer {
	enum trigger_result result;
	uint8_t code;  /* ANSWERED: of the device */
	bool sleeps;   /* it is in queue mode: NO_ANSWER may be an awake time that is over */
	const char *via, *said; /* the LwM2M Server's name, and what it said for people; borrowed; NULL */
};
typedef void trigger_answer_fn(void *arg, uint64_t tag, const struct trigger_answer *a);

/* via: the LwM2M Server that would be asked; NULL: our registry, or nobody. Borrowed. */
typedef void trigger_found_fn(void *arg, enum trigger_reach reach, const char *via);

/* A way to devices: our own registry, an LwM2M Server, or a test's. */
struct trigger_way {
	void *arg;
	enum trigger_reach (*reach)(void *arg, const char *endpoint);
	/* When it registered last (wall, milliseconds), also before a restart; 0: never. */
	int64_t (*registered_ms)(void *arg, const char *endpoint);
	/* Executes the Bootstrap-Request Trigger of one that is awake; fn is called exactly once, later. */
	void (*execute)(void *arg, const char *endpoint, uint64_t tag, trigger_answer_fn *fn, void *fn_arg);
	/* Which way it would be, without going it; fn is called exactly once, perhaps at once. */
	void (*find)(void *arg, const char *endpoint, trigger_found_fn *fn, void *fn_arg);
};

struct trigger_conf {
	struct loop *loop;
	const struct store_ops *ops;
	struct store *store;
	struct trigger_way way;
};

/* Jobs of an earlier run are loaded, and go on when they are there. */
enum err_code trigger_open(const struct trigger_conf *c, struct trigger **out, struct err *e);
/* Nothing is begun any more, and what is not kept yet is: before the store is closed. NULL is fine. */
void trigger_close(struct trigger *t);
void trigger_free(struct trigger *t); /* after the store was closed */

/* id 0 with an error. Once it says ERR_OK the job survives a restart. */
typedef void trigger_done_fn(void *arg, uint64_t id, enum err_code rc, const struct err *e);
/* spec's strings are taken over. done is called exactly once, perhaps at once. */
void trigger_create(struct trigger *t, const char *const *endpoints, size_t n, struct job_spec *spec,
    trigger_done_fn *done, void *arg);
void trigger_set_state(struct trigger *t, uint64_t id, enum job_state s, trigger_done_fn *done, void *arg);

/* NULL: there is none. Valid until the loop's next turn. */
const struct job *trigger_job(const struct trigger *t, uint64_t id);
const struct job *trigger_job_at(const struct trigger *t, size_t i); /* the newest first; NULL past the end */
void trigger_find(const struct trigger *t, const char *endpoint, trigger_found_fn *fn, void *arg);

/* A device spoke: registered, or updated its registration. */
void trigger_spoke(struct trigger *t, const char *endpoint, bool registered);
/* A session of a device is over; true: a job has called it back. */
bool trigger_session(struct trigger *t, const char *endpoint, uint64_t session, int64_t started_ms, bool good);
/* That session of an earlier run was of a device that a job had called back. */
bool trigger_called(const struct trigger *t, const char *endpoint, uint64_t session);

struct trigger_stats {
	uint64_t jobs_running, asked, in_flight;
};
void trigger_stats(const struct trigger *t, struct trigger_stats *out);

#endif
