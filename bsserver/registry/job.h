/*
 * bsserver/registry/job.h: a job: many devices that are to be called back, at a rate, within a window
 * of the day, a few of them first. Pure: it says which device comes next and is told what came of it.
 *
 * A device is asked by its Bootstrap-Request Trigger (/1/x/9). Asleep: it could not be reached and is
 * asked when it speaks next. Of one that is called through an LwM2M Server nobody says when that is:
 * it is asked again by the clock, after pauses that grow.
 */
#ifndef BSSERVER_REGISTRY_JOB_H
#define BSSERVER_REGISTRY_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/table.h"

enum job_outcome {
	JOB_PENDING, /* its turn has not come */
	JOB_ASLEEP,  /* asked when it speaks next */
	JOB_ASKED,   /* no answer yet */
	JOB_TRIGGERED,	  /* it answered 2.04; its session is awaited, or ended badly, or never came */
	JOB_BOOTSTRAPPED, /* and its session ended well */
	JOB_REFUSED,	  /* it answered code */
	JOB_EXPIRED,	  /* the job ran out before it spoke */
	JOB_UNKNOWN,	  /* it never registered here, and there is no LwM2M Server to ask */
	JOB_TIMED_OUT,	  /* no answer */
	JOB_CANCELLED,
	JOB__OUTCOMES
};
const char *job_outcome_name(enum job_outcome o); /* "timed_out" */
bool job_outcome_from_name(const char *name, enum job_outcome *out);

enum job_state { JOB_RUNNING, JOB_PAUSED, JOB_DONE, JOB_STOPPED, JOB__STATES };
const char *job_state_name(enum job_state s); /* "running", "paused", "done", "cancelled" */
bool job_state_from_name(const char *name, enum job_state *out);

#define JOB_ROWS_MAX 200000
#define JOB_RATE_MAX 10000     /* a second */
#define JOB_SETTLE_MS 600000   /* so long a triggered device's session is awaited */
#define JOB_TRIES 3	       /* of a device in queue mode that did not answer */
#define JOB_FAILURES_PERCENT 2 /* of all its devices: it pauses */

struct job_row {
	struct table_node node;
	uint64_t session;    /* 0: none came */
	int64_t at_ms;	     /* wall: of the last change */
	uint32_t next_ready; /* index + 1 of the next that spoke; 0: none */
	uint8_t outcome, code, tries;
	bool ready;	 /* it spoke, and is asked before those whose turn it is */
	bool bad;	 /* the session that came ended badly */
	bool registered; /* it registered after its session */
	bool dirty;	 /* changed since it was kept */
	bool resumed;	 /* it was asked before, and what came of it is not known */
	bool again;	 /* PENDING, ASLEEP: it is asked again when the pause is over */
	bool told;	 /* ASLEEP: its LwM2M Server has it in line for when it wakes */
	uint8_t pauses;	 /* so many were made */
	char *endpoint;
	char *via;  /* the LwM2M Server that was asked, by its name; NULL: our registry, or nobody */
	char *said; /* what was said of it there, for people; NULL */
};

struct job_spec {
	double rate;		   /* a second; > 0 */
	int from_minute, to_minute; /* of the day, local; -1: any time. May go over midnight */
	int64_t expires_ms;	   /* wall; 0: never */
	uint32_t canary;	   /* so many first; 0: none apart */
	char *actor, *reason, *selector; /* text for people; owned; NULL */
};

struct job {
	uint64_t id;
	int64_t created_ms;
	struct job_spec spec;
	enum job_state state;
	char why[320]; /* paused, or waiting: for people; "" */
	struct job_row *rows;
	uint32_t n_rows;
	uint32_t counts[JOB__OUTCOMES];
	/* of its running */
	struct table by_endpoint;
	uint32_t cursor; /* the next that is pending */
	uint32_t ready_head, ready_tail;
	uint32_t failed, forgiven; /* failures; of these up to the last resume */
	uint32_t unsettled;	   /* triggered, no session yet */
	uint32_t n_again, n_later; /* that are asked again; of these PENDING */
	double next_us;		   /* mono: when one more may be asked */
	bool canary_good, dirty;
};

/* endpoints: each once is kept. ERR_USAGE, ERR_LIMIT; spec's strings are taken over, on ERR_OK. */
enum err_code job_new(uint64_t id, const char *const *endpoints, size_t n, struct job_spec *spec, int64_t wall_ms,
    uint64_t seed, struct job **out, struct err *e);
void job_free(struct job *j); /* NULL is fine */

struct job_time {
	uint64_t mono_us;
	int64_t wall_ms;
	int minute; /* of the day, local */
};

#define JOB_NONE UINT32_MAX
/*
 * The row that is to be asked now; JOB_NONE: none, for the time being, and why says what is waited
 * for. The caller then calls one of those below for it.
 */
uint32_t job_next(struct job *j, const struct job_time *t);

/*
 * What came of asking: ASKED, ASLEEP, UNKNOWN; then TRIGGERED, REFUSED, or ASLEEP once more. Who was asked
 * when the job was cancelled is still told of; to be asked once more is CANCELLED then.
 */
void job_set(struct job *j, uint32_t row, enum job_outcome o, uint8_t code, int64_t wall_ms);
/* No answer: timed out, but a device that sleeps is given JOB_TRIES. */
void job_no_answer(struct job *j, uint32_t row, bool sleeps, int64_t wall_ms);
/* What came of asking an LwM2M Server for it. */
struct job_news {
	enum job_outcome outcome;
	uint8_t code;
	bool again, told;      /* of struct job_row. PENDING with again: nobody was there to ask */
	const char *via, *said; /* borrowed; NULL */
};
void job_tell(struct job *j, uint32_t row, const struct job_news *news, int64_t wall_ms);
/* How long is paused before it is asked again. */
int64_t job_pause_ms(const struct job_row *r);
/* The row of an endpoint; JOB_NONE. */
uint32_t job_find(const struct job *j, const char *endpoint);
/* It spoke: true when the job has something to ask it. */
bool job_awake(struct job *j, const char *endpoint);
/* A session of it has ended (true: the job had called it); and it has registered. */
bool job_session(struct job *j, const char *endpoint, uint64_t session, int64_t started_ms, bool good, int64_t wall_ms);
void job_registered(struct job *j, const char *endpoint, int64_t wall_ms);
/* What ran out: the job, and the wait for sessions. Ends it when nothing is left. Seldom: it looks at every row. */
void job_look(struct job *j, int64_t wall_ms);

/* By an operator. ERR_CONFLICT: it is over, or is that already. */
enum err_code job_set_state(struct job *j, enum job_state s, int64_t wall_ms, struct err *e);
bool job_over(const struct job *j); /* done or cancelled */

/* ---- kept as text ---- */

void job_write_head(const struct job *j, struct gbuf *out);
void job_write_row(const struct job_row *r, struct gbuf *out);
/* A head (rows are then to come, n_rows of them in any order), a row of it; ERR_PARSE. */
enum err_code job_read_head(uint64_t id, const char *text, uint64_t seed, struct job **out, struct err *e);
enum err_code job_read_row(struct job *j, uint32_t row, const char *text, struct err *e);
/* For job_text.c: a job with n rows to come; a row into the index. */
struct job *job_make(uint64_t id, size_t n, uint64_t seed);
enum err_code job_index(struct job *j, uint32_t row, struct err *e);
/* Whether what is known of a row may be older than what happened: its newest session is to be looked up. */
bool job_unsure(const struct job *j, uint32_t row);
/* All rows are read: what was asked is asked again. ERR_PARSE: some did not come. */
enum err_code job_restored(struct job *j, struct err *e);

#endif
