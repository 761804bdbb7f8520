#include "bsserver/store/sqlite_queue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bsserver/loop/loop.h"

#define WEIGHT_MAX ((size_t)64 << 20) /* octets that may wait for one worker */

struct sq_mailbox {
	struct loop *loop;
	struct store *store;  /* NULL: closed */
	void (*flush)(struct store *s);
	struct sq_list going; /* the loop's: taken, not answered yet */
	bool delivering;
	pthread_mutex_t lock; /* of what follows */
	struct sq_list in;
	bool posted;
};

void *
sq_req_new(size_t size, const struct sq_req_kind *kind, void *arg)
{
	struct sq_req *r = calloc(1, size);

	if (r == NULL)
		abort();
	r->kind = kind;
	r->arg = arg;
	return r;
}

void
sq_req_fail(struct sq_req *r, const struct err *e)
{
	r->rc = e->code;
	if (r->e == NULL)
		r->e = malloc(sizeof *r->e);
	if (r->e != NULL)
		*r->e = *e;
}

void
sq_list_init(struct sq_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
	l->n = 0;
}

void
sq_list_push(struct sq_list *l, struct sq_req *r)
{
	r->next = NULL;
	*l->tail = r;
	l->tail = &r->next;
	l->n++;
}

struct sq_req *
sq_list_pop(struct sq_list *l)
{
	struct sq_req *r = l->head;

	if (r == NULL)
		return NULL;
	l->head = r->next;
	if (l->head == NULL)
		l->tail = &l->head;
	l->n--;
	return r;
}

void
sq_list_join(struct sq_list *dst, struct sq_list *src)
{
	if (src->head == NULL)
		return;
	*dst->tail = src->head;
	dst->tail = src->tail;
	dst->n += src->n;
	sq_list_init(src);
}

enum err_code
sq_mailbox_new(struct store *s, struct loop *l, void (*flush)(struct store *), struct sq_mailbox **out,
    struct err *e)
{
	struct sq_mailbox *m = calloc(1, sizeof *m);
	if (m == NULL)
		return err_no_memory(e);
	m->loop = l;
	m->store = s;
	m->flush = flush;
	sq_list_init(&m->going);
	sq_list_init(&m->in);
	(void)pthread_mutex_init(&m->lock, NULL);
	*out = m;
	return ERR_OK;
}

static void
mailbox_free(struct sq_mailbox *m)
{
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

static void
take_in(struct sq_mailbox *m, bool delivery)
{
	(void)pthread_mutex_lock(&m->lock);
	sq_list_join(&m->going, &m->in);
	if (delivery)
		m->posted = false;
	(void)pthread_mutex_unlock(&m->lock);
}

/* A callback may close the store: then everything was answered from there, and m->store is NULL. */
static void
answer_going(struct sq_mailbox *m)
{
	while (m->store != NULL) {
		struct sq_req *r = sq_list_pop(&m->going);
		if (r == NULL)
			return;
		if (r->worker != NULL) {
			r->worker->waiting--;
			r->worker->waiting_weight -= r->weight;
		}
		r->kind->answer(m->store, r);
		free(r->e);
		r->kind->free(r);
	}
}

static void
deliver(void *arg)
{
	struct sq_mailbox *m = arg;

	take_in(m, true);
	if (m->store != NULL)
		m->flush(m->store);
	m->delivering = true;
	answer_going(m);
	m->delivering = false;
	if (m->store == NULL && !m->posted)
		mailbox_free(m);
}

/* Any thread: deliver() runs on the loop soon. */
static void
mailbox_post(struct sq_mailbox *m)
{
	(void)pthread_mutex_lock(&m->lock);
	bool post = !m->posted;
	m->posted = true;
	(void)pthread_mutex_unlock(&m->lock);
	if (post)
		loop_post(m->loop, deliver, m);
}

void
sq_mailbox_put(struct sq_mailbox *m, struct sq_list *answered)
{
	(void)pthread_mutex_lock(&m->lock);
	sq_list_join(&m->in, answered);
	bool post = !m->posted;
	m->posted = true;
	(void)pthread_mutex_unlock(&m->lock);
	if (post)
		loop_post(m->loop, deliver, m);
}

void
sq_mailbox_close(struct sq_mailbox *m)
{
	if (m == NULL)
		return;
	do {
		take_in(m, false);
		answer_going(m);
	} while (m->in.head != NULL);
	m->store = NULL;
	if (!m->posted && !m->delivering)
		mailbox_free(m); /* otherwise deliver() does it */
}

/*
 * So long patient requests wait for company, and as often as more come meanwhile they wait again: what
 * makes a commit dear is paid once for all. So many are company enough.
 */
#define LINGER_MS 10
#define LINGER_TURNS 5
#define LINGER_MORE 4
#define LINGER_MAX 512

static struct timespec
linger_end(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += LINGER_MS * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_nsec -= 1000000000L;
		t.tv_sec++;
	}
	return t;
}

static bool
may_linger(const struct sq_worker *w)
{
	return !w->urgent && !w->stop && w->in.n < LINGER_MAX;
}

/* Holds the lock. Returns when something urgent came, enough has come together, or the time is over. */
static void
linger(struct sq_worker *w)
{
	size_t enough = 0;

	w->lingering = true;
	for (int turn = 0; turn < LINGER_TURNS && w->in.n >= enough && may_linger(w); turn++) {
		struct timespec end = linger_end();

		enough = w->in.n + LINGER_MORE;
		do
			w->idle = true;
		while (pthread_cond_timedwait(&w->wake, &w->lock, &end) == 0 && may_linger(w));
	}
	w->lingering = false;
}

/* Waits for work; false: stopped, and nothing is left. */
static bool
wait_for_work(struct sq_worker *w, struct sq_list *out)
{
	(void)pthread_mutex_lock(&w->lock);
	while (w->in.head == NULL && !w->stop) {
		w->idle = true;
		(void)pthread_cond_wait(&w->wake, &w->lock);
	}
	linger(w);
	w->idle = w->urgent = false;
	sq_list_join(out, &w->in);
	(void)pthread_mutex_unlock(&w->lock);
	return out->head != NULL;
}

static void *
work(void *arg)
{
	struct sq_worker *w = arg;
	struct sq_list taken, batch;

	sq_list_init(&taken);
	sq_list_init(&batch);
	while (wait_for_work(w, &taken)) {
		while (taken.head != NULL) {
			while (taken.head != NULL && batch.n < w->batch_max)
				sq_list_push(&batch, sq_list_pop(&taken));
			w->turn(w, &batch);
		}
	}
	return NULL;
}

enum err_code
sq_worker_start(struct sq_worker *w, struct err *e)
{
	sq_list_init(&w->in);
	(void)pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	int rc = pthread_create(&w->thread, NULL, work, w);
	if (rc != 0) {
		(void)pthread_mutex_destroy(&w->lock);
		(void)pthread_cond_destroy(&w->wake);
		return err_errno(e, rc, "store: start a thread");
	}
	w->started = true;
	return ERR_OK;
}

static void
refuse(struct sq_worker *w, struct sq_req *r, enum err_code code, const char *text)
{
	struct sq_list one;
	struct err e;

	(void)err_set(&e, code, "store: %s", text);
	sq_req_fail(r, &e);
	sq_list_init(&one);
	sq_list_push(&one, r);
	sq_mailbox_put(w->mailbox, &one);
}

void
sq_worker_submit(struct sq_worker *w, struct sq_req *r)
{
	if (!w->started) {
		refuse(w, r, ERR_CLOSED, "closed");
		return;
	}
	if (w->waiting >= w->waiting_max || w->waiting_weight > WEIGHT_MAX) {
		refuse(w, r, ERR_BUSY, "too much waits already");
		return;
	}
	r->worker = w;
	w->waiting++;
	w->waiting_weight += r->weight;
	(void)pthread_mutex_lock(&w->lock);
	sq_list_push(&w->in, r);
	w->urgent |= !r->patient;
	(void)pthread_mutex_unlock(&w->lock);
	w->unsaid = true;
	mailbox_post(w->mailbox);
}

void
sq_worker_flush(struct sq_worker *w)
{
	if (!w->unsaid || !w->started)
		return;
	w->unsaid = false;
	(void)pthread_mutex_lock(&w->lock);
	bool wake = w->idle && (!w->lingering || w->urgent || w->in.n >= LINGER_MAX);
	if (wake)
		w->idle = false;
	(void)pthread_mutex_unlock(&w->lock);
	if (wake)
		(void)pthread_cond_signal(&w->wake);
}

void
sq_worker_stop(struct sq_worker *w)
{
	if (!w->started)
		return;
	w->started = false;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = true;
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_join(w->thread, NULL);
	(void)pthread_mutex_destroy(&w->lock);
	(void)pthread_cond_destroy(&w->wake);
}
