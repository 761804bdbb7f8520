/* That libcoap's timer costs hardly a system call, and still never strikes late. */
#include "bsserver/transport/timer_hook.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

enum { SOON_MS = 60, LATE_MS = 600000, STRIKE_MS = 30000 };

static unsigned long asked, made;

/* As one stretch. */
static void
set(int fd, long ms)
{
	const struct itimerspec to = { .it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 } };

	timer_hook_enter();
	ck_assert_int_eq(timerfd_settime(fd, 0, &to, NULL), 0);
	timer_hook_leave();
}

/* What the kernel says is left. */
static bool
is_set(int fd)
{
	struct itimerspec left;

	ck_assert_int_eq(timerfd_gettime(fd, &left), 0);
	return left.it_value.tv_sec != 0 || left.it_value.tv_nsec != 0;
}

static bool
strikes(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, STRIKE_MS) == 1;
}

static unsigned long
made_since(void)
{
	unsigned long before = made;

	timer_hook_counts(&asked, &made);
	return made - before;
}

static int
open_timer(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	timer_hook_forget();
	(void)made_since();
	return fd;
}

START_TEST(a_timer_is_not_put_off_and_strikes_at_the_earliest_time_asked_for)
{
	int fd = open_timer();
	uint64_t began = clock_mono_ms();

	set(fd, LATE_MS);
	ck_assert_uint_eq(made_since(), 1);
	set(fd, SOON_MS); /* sooner: at once */
	ck_assert_uint_eq(made_since(), 1);
	set(fd, LATE_MS);
	set(fd, 0);
	ck_assert_uint_eq(made_since(), 0);
	ck_assert(strikes(fd));
	ck_assert_uint_ge(clock_mono_ms() - began, SOON_MS - 1);
	set(fd, LATE_MS); /* it has struck: this is what counts now */
	ck_assert_uint_eq(made_since(), 1);
	ck_assert(is_set(fd));
	close(fd);
}
END_TEST

START_TEST(one_that_struck_is_stopped_when_nothing_is_wanted)
{
	int fd = open_timer();

	set(fd, SOON_MS);
	set(fd, 0);
	ck_assert(is_set(fd));
	ck_assert(strikes(fd));
	set(fd, 0);
	ck_assert(!is_set(fd));
	ck_assert(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) == 0);
	(void)made_since();
	set(fd, 0);
	ck_assert_uint_eq(made_since(), 0);
	close(fd);
}
END_TEST

/* {what is asked for in one stretch, in ms; those up to the first 0 as a message is sent}, what is left */
static const struct {
	const char *what;
	long sent[3], wanted[3];
	long min_ms, max_ms;
} stretches[] = {
	{ "the last word on all counts", { 0 }, { 20, 5000, 3000 }, 2000, 3000 },
	{ "a message cannot be due so soon", { 1, 5000 }, { 0 }, 1500, 1900 },
	{ "the sooner of two messages", { 9000, 4000 }, { 0 }, 3000, 4000 },
	{ "a message does not put off what was wanted of all", { 9000 }, { 4000 }, 3000, 4000 },
	{ "nor is it put off", { 3000 }, { 9000 }, 2000, 3000 },
};

START_TEST(a_stretch_comes_to_one_setting)
{
	int fd = open_timer();
	struct itimerspec to = { .it_value = { .tv_sec = 0 } }, left;

	timer_hook_enter();
	for (size_t i = 0; i < 3 && stretches[_i].wanted[i] != 0; i++) {
		to.it_value.tv_sec = stretches[_i].wanted[i] / 1000;
		to.it_value.tv_nsec = stretches[_i].wanted[i] % 1000 * 1000000;
		ck_assert_int_eq(timerfd_settime(fd, 0, &to, NULL), 0);
	}
	timer_hook_sends(1900);
	for (size_t i = 0; i < 3 && stretches[_i].sent[i] != 0; i++) {
		to.it_value.tv_sec = stretches[_i].sent[i] / 1000;
		to.it_value.tv_nsec = stretches[_i].sent[i] % 1000 * 1000000;
		ck_assert_int_eq(timerfd_settime(fd, 0, &to, NULL), 0);
	}
	timer_hook_sent();
	ck_assert(!is_set(fd));
	timer_hook_leave();
	ck_assert_uint_eq(made_since(), 1);
	ck_assert_int_eq(timerfd_gettime(fd, &left), 0);
	long ms = left.it_value.tv_sec * 1000 + left.it_value.tv_nsec / 1000000;
	ck_assert_msg(ms >= stretches[_i].min_ms && ms <= stretches[_i].max_ms, "%s: %ld ms", stretches[_i].what, ms);
	close(fd);
}
END_TEST

/* A new timer may have the number of one that is closed. */
START_TEST(what_is_forgotten_or_set_by_others_is_set_each_time)
{
	const struct itimerspec soon = { .it_value = { .tv_nsec = SOON_MS * 1000000L } };
	int fd = open_timer();

	set(fd, SOON_MS);
	timer_hook_forget();
	set(fd, LATE_MS);
	ck_assert_uint_eq(made_since(), 2);
	/* not in force: past the counting, and what was known is not true any more */
	ck_assert_int_eq(timerfd_settime(fd, 0, &soon, NULL), 0);
	ck_assert(strikes(fd));
	set(fd, 2L * LATE_MS);
	ck_assert_uint_eq(made_since(), 1);
	ck_assert(is_set(fd));
	close(fd);
}
END_TEST

/* If libcoap's calls did not arrive here, none would be counted. */
START_TEST(libcoap_asks_often_and_the_kernel_is_asked_seldom)
{
	struct world w;
	struct client c;
	unsigned long asked_before, made_before;

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	timer_hook_counts(&asked_before, &made_before);
	for (uint16_t i = 0; i < 200; i++) {
		knock(&w, &c, i, "tok");
		transport_release(w.t, w.last.peer, false);
	}
	timer_hook_counts(&asked, &made);
	ck_assert_uint_ge(asked - asked_before, 200);
	ck_assert_uint_le(made - made_before, 20);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_timer_is_not_put_off_and_strikes_at_the_earliest_time_asked_for, 0),
	UNIT_CASE(one_that_struck_is_stopped_when_nothing_is_wanted, 0),
	UNIT_CASE(a_stretch_comes_to_one_setting, N_ELEMS(stretches)),
	UNIT_CASE(what_is_forgotten_or_set_by_others_is_set_each_time, 0),
	UNIT_CASE(libcoap_asks_often_and_the_kernel_is_asked_seldom, 0),
};

UNIT_SUITE_MAIN("timer_hook", cases)
