/*
 * bsserver/loop/loop.h: the one event loop. Everything but loop_post() is for the loop's thread.
 */
#ifndef BSSERVER_LOOP_LOOP_H
#define BSSERVER_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct loop;
struct loop_timer;
struct loop_fd;
struct loop_rest;

enum loop_io { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void loop_fn(void *arg);
typedef void loop_fd_fn(void *arg, unsigned events); /* enum loop_io bits */
typedef void loop_signal_fn(void *arg, int signum);

enum err_code loop_new(struct loop **out, struct err *e);
/*
 * Every timer and descriptor must have been freed. What was posted is run first, and work that was
 * started is waited for. NULL is fine.
 */
void loop_free(struct loop *l);
/*
 * Runs until loop_stop(), or until no timer runs, no descriptor is wanted, no work is under way and
 * nothing is posted. Signals do not keep it running.
 */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* One turn: waits for at most timeout_ms (tests). */
void loop_turn(struct loop *l, unsigned timeout_ms);

/* Milliseconds, monotonic, as of the start of this turn. */
uint64_t loop_now_ms(const struct loop *l);

/* A timer that is not running. */
enum err_code loop_timer_new(struct loop *l, loop_fn *fn, void *arg, struct loop_timer **out, struct err *e);
/* (Re)starts it: fn once after ms, then every repeat_ms when that is not 0. */
void loop_timer_start(struct loop_timer *t, uint64_t ms, uint64_t repeat_ms);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine; fn does not run any more */

enum err_code loop_fd_new(struct loop *l, int fd, loop_fd_fn *fn, void *arg, struct loop_fd **out, struct err *e);
/* 0: nothing. Level-triggered. With an error waiting on it fn gets all that is wanted: read or write to learn it. */
void loop_fd_want(struct loop_fd *f, unsigned events);
void loop_fd_free(struct loop_fd *f);		       /* the descriptor stays open */

/* fn runs in every turn before the loop waits, and after what it waited for: for what is done at once for all of that. */
enum err_code loop_rest_new(struct loop *l, loop_fn *fn, void *arg, struct loop_rest **out, struct err *e);
void loop_rest_free(struct loop_rest *r); /* NULL is fine; fn does not run any more */

/* fn runs on the loop for each delivery of signum, until loop_free(). */
enum err_code loop_signal(struct loop *l, int signum, loop_signal_fn *fn, void *arg, struct err *e);

/*
 * From any thread: fn(arg) runs on the loop soon, in order. Never blocks for long, never fails
 * except for lack of memory (then it aborts: the caller could not go on either).
 */
void loop_post(struct loop *l, loop_fn *fn, void *arg);
/* On the loop's thread, while it does not run: calls what is posted, and what that posts. */
void loop_flush(struct loop *l);

/* Loop's thread: work(arg) on a pool thread, then done(arg) on the loop. For slow CPU work and files. */
enum err_code loop_work(struct loop *l, loop_fn *work, loop_fn *done, void *arg, struct err *e);

#endif
