/*
 * bsserver/handoff/internal.h: what the files of this folder share: the rows that are being worked
 * on, and the sessions that wait for them.
 */
#ifndef BSSERVER_HANDOFF_INTERNAL_H
#define BSSERVER_HANDOFF_INTERNAL_H

#include "bsserver/handoff/handoff.h"
#include "bsserver/handoff/run.h"
#include "lib/base/table.h"

#define HANDOFF_TEXT_MAX 1024
#define IN_FLIGHT_MAX 32 /* tasks at once with one server; others wait in line */

struct handing;

struct server {
	struct handoff_server *s; /* held; as the configuration has it now */
	bool gone;		  /* it has none of that name any more: nothing is asked of it */
	unsigned in_flight;
	struct handing *line, **line_end; /* who waits */
	struct trigger_line {		  /* apart: a fleet that is called back holds up no session */
		unsigned in_flight;
		struct errand *first, *last, *running;
	} triggers;
};

struct handoff {
	struct handoff_conf c;
	struct server **servers; /* those that are gone as well */
	size_t n_servers;
	struct http_client *http;
	struct handoff_runner runner;
	struct table jobs; /* by endpoint and target */
	struct table asks; /* by session */
	struct loop_timer *sweep;
	int64_t next_due_ms; /* the earliest that is known of; 0: of none */
	bool sweeping, first_sweep, stopped;
	bool again; /* something became due while it was under way */
	char *after_endpoint, *after_target; /* how far the sweep is; NULL from the start */
	bool sweep_more;
	struct handoff_stats stats;
};

/* ---- a session that waits, handoff.c ---- */

enum want_state { WANT_WAITS, WANT_RECORDED, WANT_TOLD, WANT_FAILED };

struct want {
	struct ask *ask;
	struct handoff_want w; /* target and account are owned */
	struct handing *job;       /* NULL: none yet, or it is settled already */
	enum want_state state;
	bool finishing; /* Finish is noted in the store */
	int64_t give_up_ms;
	char text[HANDOFF_TEXT_MAX]; /* FAILED: why; TOLD: what was done */
};

struct ask {
	struct table_node node;
	struct handoff *h;
	uint64_t session;
	char *endpoint;
	struct want *v;
	size_t n;
	bool loading, ended;
	int waits; /* for an answer to enum handoff_stage; -1: for none */
};

/* Contents for servers: by name those that h has become these, others are new. Taken over, also on an error. */
enum err_code servers_take(struct handoff *h, struct handoff_server *servers, size_t n, struct err *e);
/* Something of one of its wants has changed: is it time to answer? */
void ask_look(struct ask *a);

/* ---- a row that is being worked on, row.c ---- */

struct handing {
	struct table_node node;
	struct handoff *h;
	struct server *server; /* NULL: the configuration has none of that name */
	struct store_handoff row;
	struct want *want; /* the session's that it is about; NULL: nobody waits */
	enum { JOB_IDLE, JOB_STORING, JOB_CALLING, JOB_IN_LINE } busy;
	enum handoff_call calling;
	int told; /* to be told when the row is stored, to: */
	struct want *told_to;
	bool removing;
	bool begin, finish, telling; /* what want asks for */
	bool clearing; /* what stood there before it can begin is being dropped */
	bool ends;     /* the session is over: */
	enum handoff_event how;
	bool due; /* the sweep found it */
	bool seen; /* the device was */
	struct loop_timer *timer;
	struct handing *next; /* in line */
};

/* The server of that name, unless it is gone; NULL. */
struct server *server_named(const struct handoff *h, const char *name);
/* Those go on for whom it has room; all of them when it is gone. */
void handing_next_in_line(struct server *s);
struct handing *handing_find(const struct handoff *h, const char *endpoint, const char *target);
/* row is taken over. NULL when memory is short. */
struct handing *handing_new(struct handoff *h, struct store_handoff *row);
/* Does what is to be done next; it may be gone after that. */
void handing_go(struct handing *j);
void handing_free(struct handing *j);
/* Something is to be done at that time: the sweep comes then. */
void sweep_at(struct handoff *h, int64_t due_ms);
void sweep_look(struct handoff *h);
/* After handoff_stop(): forgets who was to be called back. */
void triggers_drop(struct server *s);
/* Those who are in line to be called back are not: nobody answers. */
void triggers_turn_away(struct server *s, const char *why);
loop_fn sweep_on_timer; /* arg: the struct handoff */

#endif
