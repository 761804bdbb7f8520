/*
 * bsserver/store/sqlite_queue.h: requests on their way to a thread with a connection of its own, and
 * their answers on the way back to the loop. Many are taken per wake-up, in both directions.
 */
#ifndef BSSERVER_STORE_SQLITE_QUEUE_H
#define BSSERVER_STORE_SQLITE_QUEUE_H

#include <pthread.h>

#include "bsserver/store/sqlite_db.h"

struct store;
struct loop;
struct sq_req;
struct sq_worker;

struct sq_req_kind {
	/* On the worker's thread. What it fails with is what is answered. */
	enum err_code (*run)(struct store *s, struct sq_db *db, struct sq_req *r, struct err *e);
	/* On the worker's thread: run's transaction was undone, forget what it found. NULL: nothing to forget. */
	void (*undo)(struct sq_req *r);
	void (*answer)(struct store *s, struct sq_req *r); /* on the loop: calls back */
	void (*free)(struct sq_req *r);
};

struct sq_req { /* the first member of every request */
	struct sq_req *next;
	const struct sq_req_kind *kind;
	struct sq_worker *worker; /* NULL: refused before it got to one */
	void *arg;		  /* the caller's */
	size_t weight;		  /* octets that it keeps while it waits */
	bool patient;		  /* may wait a moment for company: a larger group costs less */
	enum err_code rc;
	struct err *e; /* owned; NULL with ERR_OK */
};

/* Zeros but for these. The request begins with a struct sq_req. Short of memory it aborts, as loop_post() does. */
void *sq_req_new(size_t size, const struct sq_req_kind *kind, void *arg);
/* rc and text into r; without a text when memory is short. */
void sq_req_fail(struct sq_req *r, const struct err *e);

struct sq_list {
	struct sq_req *head, **tail;
	size_t n;
};

void sq_list_init(struct sq_list *l);
void sq_list_push(struct sq_list *l, struct sq_req *r);
struct sq_req *sq_list_pop(struct sq_list *l);
/* All of src behind dst. */
void sq_list_join(struct sq_list *dst, struct sq_list *src);

struct sq_mailbox;
/* flush runs on the loop once behind each turn in which a worker was given something. */
enum err_code sq_mailbox_new(struct store *s, struct loop *l, void (*flush)(struct store *), struct sq_mailbox **out,
    struct err *e);
/* Any thread: the answers go out on the loop. */
void sq_mailbox_put(struct sq_mailbox *m, struct sq_list *answered);
/* Loop's thread, when no worker runs any more: answers all that is left, then calls no store again. */
void sq_mailbox_close(struct sq_mailbox *m);

/* Does what a batch asks for, sets rc of each, and puts them into the mailbox: the list is empty then. */
typedef void sq_turn_fn(struct sq_worker *w, struct sq_list *batch);

struct sq_worker {
	struct store *store;
	struct sq_mailbox *mailbox;
	struct sq_db db;
	sq_turn_fn *turn;
	size_t batch_max;

	/* the loop's */
	bool started;
	bool unsaid; /* requests were put in, and the thread was not told: sq_worker_flush() does */
	size_t waiting, waiting_weight, waiting_max;

	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct sq_list in;
	bool idle, stop;
	bool lingering; /* idle, with patient requests only, and not for long */
	bool urgent;	/* one of those in the list is not patient */
};

enum err_code sq_worker_start(struct sq_worker *w, struct err *e);
/*
 * Loop's thread. Too many waiting: answered ERR_BUSY; stopped: ERR_CLOSED. The thread hears of it when
 * this turn of the loop is over, so that all of the turn costs one wake-up.
 */
void sq_worker_submit(struct sq_worker *w, struct sq_req *r);
/* From the mailbox's flush. */
void sq_worker_flush(struct sq_worker *w);
/* Does all that waits, then ends. */
void sq_worker_stop(struct sq_worker *w);

#endif
