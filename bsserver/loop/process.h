/*
 * bsserver/loop/process.h: a program that is run from the loop, never waited for: what it reads on its
 * standard input is given, what it writes on its standard output is taken, up to a bound.
 */
#ifndef BSSERVER_LOOP_PROCESS_H
#define BSSERVER_LOOP_PROCESS_H

#include "bsserver/loop/loop.h"

struct process; /* valid until its callback, or until it is abandoned */

/* Borrowed for the call. The program gets nothing of ours: no descriptor, and of the environment only PATH and LANG. */
struct process_order {
	char *const *argv; /* argv[0] is its path; up to a NULL */
	const void *input;
	size_t input_len;
	size_t max_output;
	uint32_t timeout_ms; /* then it is killed, with all that it started */
};

/* Borrowed for the callback. */
struct process_end {
	enum err_code error; /* ERR_OK: it ended by itself; ERR_TIMEOUT, ERR_LIMIT: it was killed; ERR_CLOSED: a signal ended it */
	int status;	     /* with ERR_OK: its exit status */
	const uint8_t *out;
	size_t out_len;
};
typedef void process_done_fn(void *arg, const struct process_end *end);

/* done is called once, later, never from inside. ERR_NOT_FOUND and the like when it cannot be run. */
enum err_code process_run(struct loop *l, const struct process_order *o, process_done_fn *done, void *arg,
    struct process **out, struct err *e);
/* Kills it; nothing calls back any more. */
void process_abandon(struct process *p);

#endif
