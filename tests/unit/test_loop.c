#include "bsserver/loop/loop.h"
#include "bsserver/loop/late.h"

#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/unit/unit.h"

static struct loop *
new_loop(void)
{
	struct loop *l = NULL;
	struct err e = { 0 };

	ck_assert_msg(loop_new(&l, &e) == ERR_OK, "%s", e.msg);
	return l;
}

struct counter {
	struct loop *loop;
	struct loop_timer *timer;
	struct loop_fd *fd;
	int socket;
	unsigned n, events, stop_at;
	int order[8];
	int signum;
};

static void
count(void *arg)
{
	struct counter *c = arg;

	if (++c->n == c->stop_at)
		loop_stop(c->loop);
}

static struct loop_timer *
new_timer(struct loop *l, loop_fn *fn, void *arg)
{
	struct loop_timer *t = NULL;

	ck_assert_int_eq(loop_timer_new(l, fn, arg, &t, NULL), ERR_OK);
	return t;
}

START_TEST(a_loop_with_nothing_attached_ends)
{
	struct loop *l = new_loop();

	loop_run(l);
	loop_turn(l, 0);
	loop_free(l);
	loop_free(NULL);
}
END_TEST

START_TEST(timers_run_once_or_repeat_until_stopped)
{
	struct counter once = { .loop = new_loop() };
	struct counter many = { .loop = once.loop, .stop_at = 5 };
	struct loop_timer *a = new_timer(once.loop, count, &once);
	struct loop_timer *b = new_timer(once.loop, count, &many);

	uint64_t before = loop_now_ms(once.loop);
	loop_timer_start(a, 3, 0);
	loop_timer_start(b, 2, 2);
	loop_run(once.loop);
	ck_assert_uint_eq(once.n, 1);
	ck_assert_uint_eq(many.n, 5);
	ck_assert_uint_ge(loop_now_ms(once.loop) - before, 10);

	loop_timer_start(a, 1, 0); /* again, and stopped before it comes */
	loop_timer_stop(a);
	loop_timer_stop(b);
	loop_run(once.loop); /* nothing runs any more */
	ck_assert_uint_eq(once.n, 1);
	ck_assert_uint_eq(many.n, 5);
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(NULL);
	loop_free(once.loop);
}
END_TEST

struct rested {
	struct counter *c; /* what happens in between */
	unsigned n, seen;
};

static void
rest(void *arg)
{
	struct rested *r = arg;

	r->n++;
	r->seen = r->c->n;
}

START_TEST(before_the_loop_waits_and_after_it_all_is_put_in_order)
{
	struct counter c = { .loop = new_loop() };
	struct rested r = { .c = &c };
	struct loop_rest *rests = NULL;

	ck_assert_int_eq(loop_rest_new(c.loop, rest, &r, &rests, NULL), ERR_OK);
	for (unsigned i = 1; i <= 5; i++) {
		loop_post(c.loop, count, &c); /* comes with the wake-up that is waited for, or before */
		loop_turn(c.loop, 60000);
		ck_assert_uint_eq(c.n, i);
		ck_assert_uint_eq(r.seen, i);
	}
	unsigned before = r.n;
	loop_run(c.loop); /* it keeps no loop running */
	loop_rest_free(rests);
	loop_rest_free(NULL);
	unsigned after = r.n;
	loop_turn(c.loop, 0);
	ck_assert_uint_eq(r.n, after);
	ck_assert_uint_gt(before, 0);
	loop_free(c.loop);
}
END_TEST

static void
free_own_timer(void *arg)
{
	struct counter *c = arg;

	c->n++;
	loop_timer_free(c->timer);
}

START_TEST(a_timer_may_free_itself)
{
	struct counter c = { .loop = new_loop() };

	c.timer = new_timer(c.loop, free_own_timer, &c);
	loop_timer_start(c.timer, 1, 1);
	loop_run(c.loop);
	ck_assert_uint_eq(c.n, 1);
	loop_free(c.loop);
}
END_TEST

START_TEST(a_turn_waits_no_longer_than_told)
{
	struct counter c = { .loop = new_loop() };
	struct loop_timer *t = new_timer(c.loop, count, &c);

	loop_timer_start(t, 60000, 0);
	uint64_t start = clock_mono_ms();
	loop_turn(c.loop, 5);
	uint64_t took = clock_mono_ms() - start;
	ck_assert_uint_ge(took, 4);
	ck_assert_uint_lt(took, 30000);
	ck_assert_uint_eq(c.n, 0);
	loop_timer_free(t);
	loop_free(c.loop);
}
END_TEST

static void
on_fd(void *arg, unsigned events)
{
	struct counter *c = arg;

	c->n++;
	c->events = events;
	if (c->n == c->stop_at) {
		loop_fd_free(c->fd);
		c->fd = NULL;
	}
}

START_TEST(a_descriptor_tells_what_was_asked_for)
{
	struct counter c = { .loop = new_loop() };
	int s[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	ck_assert_int_eq(loop_fd_new(c.loop, s[0], on_fd, &c, &c.fd, NULL), ERR_OK);
	ck_assert_int_eq(write(s[1], "x", 1), 1);
	loop_turn(c.loop, 0);
	ck_assert_uint_eq(c.n, 0); /* nothing was asked for */
	loop_fd_want(c.fd, LOOP_READ);
	loop_turn(c.loop, 1000);
	ck_assert_uint_eq(c.n, 1);
	ck_assert_uint_eq(c.events, LOOP_READ);
	loop_fd_want(c.fd, LOOP_READ | LOOP_WRITE);
	loop_turn(c.loop, 1000);
	ck_assert_uint_eq(c.events, LOOP_READ | LOOP_WRITE);
	loop_fd_want(c.fd, LOOP_WRITE);
	loop_turn(c.loop, 1000);
	ck_assert_uint_eq(c.events, LOOP_WRITE);
	loop_fd_want(c.fd, 0);
	loop_turn(c.loop, 0);
	ck_assert_uint_eq(c.n, 3);
	c.stop_at = 4;
	loop_fd_want(c.fd, LOOP_READ);
	loop_run(c.loop); /* ends: the callback frees it */
	ck_assert_ptr_null(c.fd);
	ck_assert_int_eq(write(s[0], "y", 1), 1); /* it stayed open */
	(void)close(s[0]);
	(void)close(s[1]);
	loop_fd_free(NULL);
	loop_free(c.loop);
}
END_TEST

static void
take_socket_error(void *arg, unsigned events)
{
	struct counter *c = arg;
	char b;

	c->n++;
	c->events |= events;
	if (recv(c->socket, &b, 1, MSG_DONTWAIT) == 1)
		loop_stop(c->loop);
}

/* An ICMP error on a connected UDP socket must not end the watching of it. */
START_TEST(an_error_on_a_socket_does_not_end_its_watch)
{
	struct counter c = { .loop = new_loop() };
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sa;

	int peer = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(peer, (struct sockaddr *)&sa, sizeof sa), 0);
	ck_assert_int_eq(getsockname(peer, (struct sockaddr *)&sa, &len), 0);
	(void)close(peer);
	c.socket = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(connect(c.socket, (struct sockaddr *)&sa, sizeof sa), 0);
	ck_assert_int_eq(loop_fd_new(c.loop, c.socket, take_socket_error, &c, &c.fd, NULL), ERR_OK);
	loop_fd_want(c.fd, LOOP_READ);
	ck_assert_int_eq(send(c.socket, "x", 1, 0), 1);
	for (int i = 0; i < 100 && c.n == 0; i++)
		loop_turn(c.loop, 50);
	ck_assert_uint_ge(c.n, 1);

	struct sockaddr_in self;
	len = sizeof self;
	peer = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(peer, (struct sockaddr *)&sa, sizeof sa), 0);
	ck_assert_int_eq(getsockname(c.socket, (struct sockaddr *)&self, &len), 0);
	ck_assert_int_eq(sendto(peer, "y", 1, 0, (struct sockaddr *)&self, len), 1);
	loop_run(c.loop);
	loop_fd_free(c.fd);
	(void)close(c.socket);
	(void)close(peer);
	loop_free(c.loop);
}
END_TEST

START_TEST(a_bad_descriptor_is_refused)
{
	struct loop *l = new_loop();
	struct loop_fd *f = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(loop_fd_new(l, -1, on_fd, NULL, &f, &e), ERR_IO);
	ck_assert_str_eq(e.msg, "watch a descriptor: bad file descriptor");
	loop_free(l);
}
END_TEST

static void
on_signal(void *arg, int signum)
{
	struct counter *c = arg;

	c->n++;
	c->signum = signum;
	loop_stop(c->loop);
}

START_TEST(a_signal_comes_to_the_loop)
{
	struct counter c = { .loop = new_loop() };
	struct loop_timer *t = new_timer(c.loop, count, &c);

	ck_assert_int_eq(loop_signal(c.loop, SIGUSR1, on_signal, &c, NULL), ERR_OK);
	ck_assert_int_eq(loop_signal(c.loop, SIGHUP, on_signal, &c, NULL), ERR_OK);
	loop_run(c.loop); /* signals alone do not keep it running */
	loop_timer_start(t, 60000, 0);
	(void)raise(SIGUSR1);
	loop_run(c.loop);
	ck_assert_int_eq(c.signum, SIGUSR1);
	(void)raise(SIGHUP);
	loop_run(c.loop);
	ck_assert_int_eq(c.signum, SIGHUP);
	ck_assert_uint_eq(c.n, 2);
	loop_timer_free(t);
	loop_free(c.loop);
}
END_TEST

#define POSTS 20000
#define POSTERS 3

struct posted {
	struct poster *from;
	unsigned number;
};

struct poster {
	struct loop *loop;
	unsigned next, *total;
	struct posted v[POSTS];
};

static void
on_post(void *arg)
{
	struct posted *p = arg;

	ck_assert_uint_eq(p->number, p->from->next);
	p->from->next++;
	if (++*p->from->total == POSTS * POSTERS)
		loop_stop(p->from->loop);
}

static void *
post_many(void *arg)
{
	struct poster *p = arg;

	for (unsigned i = 0; i < POSTS; i++) {
		p->v[i] = (struct posted){ .from = p, .number = i };
		loop_post(p->loop, on_post, &p->v[i]);
	}
	return NULL;
}

START_TEST(posts_of_several_threads_come_all_and_in_order)
{
	struct counter c = { .loop = new_loop() };
	struct loop_timer *t = new_timer(c.loop, count, &c);
	struct poster *p = calloc(POSTERS, sizeof *p);
	pthread_t threads[POSTERS];
	unsigned total = 0;

	loop_timer_start(t, 60000, 0);
	for (size_t i = 0; i < POSTERS; i++) {
		p[i].loop = c.loop;
		p[i].total = &total;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, &p[i]), 0);
	}
	loop_run(c.loop);
	for (size_t i = 0; i < POSTERS; i++)
		(void)pthread_join(threads[i], NULL);
	ck_assert_uint_eq(total, POSTS * POSTERS);
	free(p);
	loop_timer_free(t);
	loop_free(c.loop);
}
END_TEST

static void
post_again(void *arg)
{
	struct counter *c = arg;

	if (++c->n < 5)
		loop_post(c->loop, post_again, c);
}

START_TEST(a_post_may_post_and_the_last_ones_run_before_the_loop_goes)
{
	struct counter c = { .loop = new_loop() };

	loop_post(c.loop, post_again, &c);
	loop_run(c.loop); /* nothing attached, but posted: that is done first */
	ck_assert_uint_eq(c.n, 5);
	c.n = 0;
	loop_post(c.loop, post_again, &c);
	loop_turn(c.loop, 1000);
	ck_assert_uint_ge(c.n, 1);
	ck_assert_uint_lt(c.n, 5);
	loop_free(c.loop);
	ck_assert_uint_eq(c.n, 5);
}
END_TEST

struct job {
	struct loop *loop;
	pthread_t loop_thread, work_thread, done_thread;
};

static void
work(void *arg)
{
	((struct job *)arg)->work_thread = pthread_self();
}

static void
work_done(void *arg)
{
	((struct job *)arg)->done_thread = pthread_self();
}

START_TEST(work_is_done_elsewhere_and_answered_here)
{
	struct job j = { .loop = new_loop(), .loop_thread = pthread_self() };

	ck_assert_int_eq(loop_work(j.loop, work, work_done, &j, NULL), ERR_OK);
	loop_run(j.loop);
	ck_assert(!pthread_equal(j.work_thread, j.loop_thread));
	ck_assert(pthread_equal(j.done_thread, j.loop_thread));
	j.done_thread = j.work_thread;
	ck_assert_int_eq(loop_work(j.loop, work, work_done, &j, NULL), ERR_OK);
	loop_free(j.loop); /* waits for it */
	ck_assert(pthread_equal(j.done_thread, j.loop_thread));
}
END_TEST

START_TEST(how_late_the_loop_is_becomes_a_histogram)
{
	static const uint64_t us[] = { 0, 1000, 1001, 20000, 20001, 3000000 };
	struct loop *l = new_loop();
	struct loop_late *late = NULL;
	struct gbuf g = { 0 };

	ck_assert_int_eq(loop_late_new(l, 60000, &late, NULL), ERR_OK);
	for (size_t i = 0; i < N_ELEMS(us); i++)
		loop_late_note(late, us[i]);
	loop_late_write(late, "late", &g);
	static const char *const lines[] = { "\n# TYPE late histogram\n", "\nlate_bucket{le=\"0.001\"} 2\n",
		"\nlate_bucket{le=\"0.002\"} 3\n", "\nlate_bucket{le=\"0.020\"} 4\n", "\nlate_bucket{le=\"0.030\"} 5\n",
		"\nlate_bucket{le=\"+Inf\"} 6\n", "\nlate_sum 3.042002\n", "\nlate_count 6\n" };
	for (size_t i = 0; i < N_ELEMS(lines); i++)
		ck_assert_msg(strstr(gbuf_cstr(&g), lines[i]) != NULL, "no%sin\n%s", lines[i], gbuf_cstr(&g));
	gbuf_clear(&g);
	loop_late_free(late);
	loop_free(l);
}
END_TEST

static unsigned long
number_behind(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	ck_assert_ptr_nonnull(at);
	return strtoul(at + strlen(label), NULL, 10);
}

START_TEST(a_loop_that_was_kept_is_seen_to_be_late)
{
	struct loop *l = new_loop();
	struct loop_late *late = NULL;
	struct gbuf g = { 0 };

	ck_assert_int_eq(loop_late_new(l, 1, &late, NULL), ERR_OK);
	uint64_t until = clock_mono_ms() + 60;
	while (clock_mono_ms() < until)
		;
	loop_turn(l, 100);
	loop_late_write(late, "late", &g);
	ck_assert_uint_gt(number_behind(gbuf_cstr(&g), "late_count "), number_behind(gbuf_cstr(&g), "late_bucket{le=\"0.050\"} "));
	gbuf_clear(&g);
	loop_late_free(late);
	loop_free(l);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(how_late_the_loop_is_becomes_a_histogram, 0),
	UNIT_CASE(a_loop_that_was_kept_is_seen_to_be_late, 0),
	UNIT_CASE(a_loop_with_nothing_attached_ends, 0),
	UNIT_CASE(timers_run_once_or_repeat_until_stopped, 0),
	UNIT_CASE(a_timer_may_free_itself, 0),
	UNIT_CASE(before_the_loop_waits_and_after_it_all_is_put_in_order, 0),
	UNIT_CASE(a_turn_waits_no_longer_than_told, 0),
	UNIT_CASE(a_descriptor_tells_what_was_asked_for, 0),
	UNIT_CASE(an_error_on_a_socket_does_not_end_its_watch, 0),
	UNIT_CASE(a_bad_descriptor_is_refused, 0),
	UNIT_CASE(a_signal_comes_to_the_loop, 0),
	UNIT_CASE(posts_of_several_threads_come_all_and_in_order, 0),
	UNIT_CASE(a_post_may_post_and_the_last_ones_run_before_the_loop_goes, 0),
	UNIT_CASE(work_is_done_elsewhere_and_answered_here, 0),
};

UNIT_SUITE_MAIN("loop", cases)
