#include "bsserver/loop/loop.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include <uv.h>

#include "lib/base/log.h"
#include "lib/base/util.h"

struct post {
	loop_fn *fn;
	void *arg;
};

struct post_queue {
	struct post *v;
	size_t n, cap;
};

struct signal_watch {
	uv_signal_t uv;
	loop_signal_fn *fn;
	void *arg;
	struct signal_watch *next;
};

struct loop {
	uv_loop_t uv;
	uv_async_t wake;
	uv_timer_t turn; /* bounds loop_turn() */
	struct signal_watch *signals;
	size_t attached; /* timers, descriptors and rests not freed yet */
	struct post_queue running; /* what the wake-up took; kept for its memory */
	pthread_mutex_t lock;	   /* of posted */
	struct post_queue posted;
};

struct loop_timer {
	uv_timer_t uv;
	struct loop *loop;
	loop_fn *fn;
	void *arg;
};

struct loop_fd {
	uv_poll_t uv;
	struct loop *loop;
	loop_fd_fn *fn;
	void *arg;
	unsigned wanted; /* enum loop_io bits */
};

struct loop_rest {
	uv_prepare_t before;
	uv_check_t after;
	struct loop *loop;
	loop_fn *fn;
	void *arg;
	unsigned open; /* of these two */
};

struct work {
	uv_work_t uv;
	loop_fn *work, *done;
	void *arg;
};

static enum err_code
uv_error(struct err *e, int rc, const char *what)
{
	return err_set(e, rc == UV_ENOMEM ? ERR_NO_MEMORY : ERR_IO, "%s: %s", what, uv_strerror(rc));
}

/* Everything that is there now, in order; what these post comes with the next wake-up. */
static void
run_posted(struct loop *l)
{
	(void)pthread_mutex_lock(&l->lock);
	struct post_queue now = l->posted;
	l->posted = l->running;
	l->posted.n = 0;
	l->running = (struct post_queue){ NULL, 0, 0 };
	(void)pthread_mutex_unlock(&l->lock);

	log_hold();
	for (size_t i = 0; i < now.n; i++)
		now.v[i].fn(now.v[i].arg);
	log_release();
	free(l->running.v); /* only when fn ran the loop itself */
	l->running = now;
}

static void
on_wake(uv_async_t *a)
{
	run_posted(CONTAINER_OF(a, struct loop, wake));
}

static bool
has_posted(struct loop *l)
{
	(void)pthread_mutex_lock(&l->lock);
	bool some = l->posted.n > 0;
	(void)pthread_mutex_unlock(&l->lock);
	return some;
}

enum err_code
loop_new(struct loop **out, struct err *e)
{
	struct loop *l = calloc(1, sizeof *l);
	if (l == NULL)
		return err_no_memory(e);
	int rc = uv_loop_init(&l->uv);
	if (rc != 0) {
		free(l);
		return uv_error(e, rc, "event loop");
	}
	rc = uv_async_init(&l->uv, &l->wake, on_wake);
	if (rc != 0) {
		(void)uv_loop_close(&l->uv);
		free(l);
		return uv_error(e, rc, "event loop: wake-up");
	}
	uv_unref((uv_handle_t *)&l->wake);
	(void)uv_timer_init(&l->uv, &l->turn); /* cannot fail */
	(void)pthread_mutex_init(&l->lock, NULL);
	*out = l;
	return ERR_OK;
}

void
loop_flush(struct loop *l)
{
	while (has_posted(l))
		run_posted(l);
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	loop_flush(l);
	assert(l->attached == 0);
	for (struct signal_watch *s = l->signals; s != NULL; s = s->next)
		uv_close((uv_handle_t *)&s->uv, NULL);
	uv_close((uv_handle_t *)&l->turn, NULL);
	uv_close((uv_handle_t *)&l->wake, NULL);
	do {
		(void)uv_run(&l->uv, UV_RUN_DEFAULT); /* the last of loop_work() and of the closing */
		loop_flush(l);
	} while (uv_loop_close(&l->uv) == UV_EBUSY);
	while (l->signals != NULL) {
		struct signal_watch *next = l->signals->next;
		free(l->signals);
		l->signals = next;
	}
	(void)pthread_mutex_destroy(&l->lock);
	free(l->posted.v);
	free(l->running.v);
	free(l);
}

void
loop_run(struct loop *l)
{
	/* uv_run() gives the number of live handles: not 0 means that loop_stop() ended it */
	while (uv_run(&l->uv, UV_RUN_DEFAULT) == 0 && has_posted(l))
		run_posted(l);
}

void
loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

static void
on_turn_over(uv_timer_t *t)
{
	uv_stop(t->loop); /* when it is due before the descriptors were looked at, it must not wait there */
}

void
loop_turn(struct loop *l, unsigned timeout_ms)
{
	uv_update_time(&l->uv);
	if (has_posted(l)) { /* perhaps the wake-up itself is not here yet */
		run_posted(l);
		timeout_ms = 0;
	}
	/* with 0 as well: libuv does not look at its descriptors at all when nothing is alive */
	(void)uv_timer_start(&l->turn, on_turn_over, timeout_ms, 0);
	(void)uv_run(&l->uv, UV_RUN_ONCE);
	(void)uv_timer_stop(&l->turn);
}

uint64_t
loop_now_ms(const struct loop *l)
{
	return uv_now(&l->uv);
}

static void
on_timer(uv_timer_t *uv)
{
	struct loop_timer *t = CONTAINER_OF(uv, struct loop_timer, uv);

	t->fn(t->arg);
}

enum err_code
loop_timer_new(struct loop *l, loop_fn *fn, void *arg, struct loop_timer **out, struct err *e)
{
	struct loop_timer *t = calloc(1, sizeof *t);
	if (t == NULL)
		return err_no_memory(e);
	(void)uv_timer_init(&l->uv, &t->uv);
	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	l->attached++;
	*out = t;
	return ERR_OK;
}

void
loop_timer_start(struct loop_timer *t, uint64_t ms, uint64_t repeat_ms)
{
	(void)uv_timer_start(&t->uv, on_timer, ms, repeat_ms);
}

void
loop_timer_stop(struct loop_timer *t)
{
	(void)uv_timer_stop(&t->uv);
}

static void
on_timer_closed(uv_handle_t *h)
{
	free(CONTAINER_OF(h, struct loop_timer, uv));
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	t->loop->attached--;
	uv_close((uv_handle_t *)&t->uv, on_timer_closed);
}

static void on_poll(uv_poll_t *uv, int status, int events);

static void
poll_again(struct loop_fd *f)
{
	int events = 0;

	if ((f->wanted & LOOP_READ) != 0)
		events |= UV_READABLE;
	if ((f->wanted & LOOP_WRITE) != 0)
		events |= UV_WRITABLE;
	if (events == 0)
		(void)uv_poll_stop(&f->uv);
	else
		(void)uv_poll_start(&f->uv, events, on_poll);
}

static void
on_poll(uv_poll_t *uv, int status, int events)
{
	struct loop_fd *f = CONTAINER_OF(uv, struct loop_fd, uv);
	unsigned ready = 0;

	if (status < 0) {
		/* an error waits on the descriptor, and libuv has stopped watching; the owner
		 * learns it from its next read or write */
		ready = f->wanted;
		poll_again(f);
	}
	if ((events & UV_READABLE) != 0)
		ready |= LOOP_READ;
	if ((events & UV_WRITABLE) != 0)
		ready |= LOOP_WRITE;
	if (ready == 0)
		return;
	log_hold();
	f->fn(f->arg, ready);
	log_release();
}

enum err_code
loop_fd_new(struct loop *l, int fd, loop_fd_fn *fn, void *arg, struct loop_fd **out, struct err *e)
{
	struct loop_fd *f = calloc(1, sizeof *f);
	if (f == NULL)
		return err_no_memory(e);
	int rc = uv_poll_init(&l->uv, &f->uv, fd);
	if (rc != 0) {
		free(f);
		return uv_error(e, rc, "watch a descriptor");
	}
	f->loop = l;
	f->fn = fn;
	f->arg = arg;
	l->attached++;
	*out = f;
	return ERR_OK;
}

void
loop_fd_want(struct loop_fd *f, unsigned events)
{
	if (f->wanted == events)
		return;
	f->wanted = events;
	poll_again(f);
}

static void
on_fd_closed(uv_handle_t *h)
{
	free(CONTAINER_OF(h, struct loop_fd, uv));
}

void
loop_fd_free(struct loop_fd *f)
{
	if (f == NULL)
		return;
	f->loop->attached--;
	uv_close((uv_handle_t *)&f->uv, on_fd_closed);
}

static void
rest(const struct loop_rest *r)
{
	log_hold();
	r->fn(r->arg);
	log_release();
}

static void
on_before(uv_prepare_t *uv)
{
	rest(CONTAINER_OF(uv, struct loop_rest, before));
}

static void
on_after(uv_check_t *uv)
{
	rest(CONTAINER_OF(uv, struct loop_rest, after));
}

enum err_code
loop_rest_new(struct loop *l, loop_fn *fn, void *arg, struct loop_rest **out, struct err *e)
{
	struct loop_rest *r = calloc(1, sizeof *r);
	if (r == NULL)
		return err_no_memory(e);
	r->loop = l;
	r->fn = fn;
	r->arg = arg;
	/* none of these can fail */
	(void)uv_prepare_init(&l->uv, &r->before);
	(void)uv_check_init(&l->uv, &r->after);
	(void)uv_prepare_start(&r->before, on_before);
	(void)uv_check_start(&r->after, on_after);
	uv_unref((uv_handle_t *)&r->before);
	uv_unref((uv_handle_t *)&r->after);
	r->open = 2;
	l->attached++;
	*out = r;
	return ERR_OK;
}

static void
on_rest_closed(uv_handle_t *h)
{
	struct loop_rest *r = h->data;

	if (--r->open == 0)
		free(r);
}

void
loop_rest_free(struct loop_rest *r)
{
	if (r == NULL)
		return;
	r->loop->attached--;
	r->before.data = r->after.data = r;
	uv_close((uv_handle_t *)&r->before, on_rest_closed);
	uv_close((uv_handle_t *)&r->after, on_rest_closed);
}

static void
on_signal(uv_signal_t *uv, int signum)
{
	struct signal_watch *s = CONTAINER_OF(uv, struct signal_watch, uv);

	s->fn(s->arg, signum);
}

enum err_code
loop_signal(struct loop *l, int signum, loop_signal_fn *fn, void *arg, struct err *e)
{
	struct signal_watch *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_no_memory(e);
	int rc = uv_signal_init(&l->uv, &s->uv);
	if (rc != 0) {
		free(s);
		return uv_error(e, rc, "watch signals");
	}
	s->fn = fn;
	s->arg = arg;
	s->next = l->signals;
	l->signals = s; /* from here on loop_free() closes it */
	rc = uv_signal_start(&s->uv, on_signal, signum);
	if (rc != 0)
		return uv_error(e, rc, "watch a signal");
	uv_unref((uv_handle_t *)&s->uv);
	return ERR_OK;
}

void
loop_post(struct loop *l, loop_fn *fn, void *arg)
{
	(void)pthread_mutex_lock(&l->lock);
	struct post *v = grow(l->posted.v, l->posted.n, &l->posted.cap, sizeof *v);
	if (v == NULL)
		abort();
	l->posted.v = v;
	v[l->posted.n++] = (struct post){ .fn = fn, .arg = arg };
	bool first = l->posted.n == 1;
	(void)pthread_mutex_unlock(&l->lock);
	if (first)
		(void)uv_async_send(&l->wake);
}

static void
on_work(uv_work_t *uv)
{
	struct work *w = CONTAINER_OF(uv, struct work, uv);

	w->work(w->arg);
}

static void
on_work_done(uv_work_t *uv, int status)
{
	struct work *w = CONTAINER_OF(uv, struct work, uv);

	(void)status; /* only ever an error when cancelled, and nobody can */
	w->done(w->arg);
	free(w);
}

enum err_code
loop_work(struct loop *l, loop_fn *work, loop_fn *done, void *arg, struct err *e)
{
	struct work *w = calloc(1, sizeof *w);
	if (w == NULL)
		return err_no_memory(e);
	w->work = work;
	w->done = done;
	w->arg = arg;
	int rc = uv_queue_work(&l->uv, &w->uv, on_work, on_work_done);
	if (rc != 0) {
		free(w);
		return uv_error(e, rc, "start work");
	}
	return ERR_OK;
}
