/*
 * bsserver/handoff/run.h: one task with one LwM2M Server, from its first request to its last answer,
 * by HTTP or by a program, on the loop.
 */
#ifndef BSSERVER_HANDOFF_RUN_H
#define BSSERVER_HANDOFF_RUN_H

#include "bsserver/handoff/driver.h"
#include "bsserver/loop/http_client.h"

struct handoff_runner { /* borrowed until the last run is over, or abandoned */
	struct loop *loop;
	struct http_client *http;
	struct handoff_task_run *runs; /* under way */
};

/* HANDOFF_DONE, HANDOFF_NO or HANDOFF_LATER; why is NULL with DONE. */
typedef void handoff_run_fn(void *arg, enum handoff_word word, const struct err *why);

/* Borrowed for the call. */
struct handoff_order {
	struct handoff_server *server; /* is held until the run is over */
	enum handoff_call call;
	const char *endpoint, *account;
	uint16_t short_server_id;
	uint32_t timeout_ms; /* of each request, when that is less than the server's own; 0: it is not */
	const struct secret *cred; /* handoff_pack() of it; NULL: the call has none */
	int instance;		   /* TRIGGER: of Object 1; HANDOFF_INSTANCE_UNKNOWN */
	struct handoff_heard *heard; /* TRIGGER: is filled before done; NULL */
};

/* done is called once, later, never from inside, unless all are abandoned first. */
void handoff_run(struct handoff_runner *r, const struct handoff_order *o, handoff_run_fn *done, void *arg);
/* After the http client was freed: nothing of what is under way calls back any more. */
void handoff_abandon(struct handoff_runner *r);

#endif
