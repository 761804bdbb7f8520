#include "config.h"

#include "bsserver/transport/timer_hook.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>

#include "bsserver/transport/interpose.h"
#include "lib/base/util.h"

#define TIMERS_MAX 16 /* one for each listener; those beyond are set each time */
#define NS_PER_S 1000000000U
#define NEVER UINT64_MAX

typedef int set_fn(int fd, int flags, const struct itimerspec *to, struct itimerspec *was);

/* Process-wide as the symbol is; written once, by resolve(). */
static set_fn *real;
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct timer {
	int fd;
	uint64_t due_ns; /* it strikes then; NEVER; 0: not known, or it did */
	uint64_t wanted_ns; /* what was asked for in this stretch; 0: nothing */
};

static _Thread_local struct {
	bool in_force;
	uint64_t min_ns; /* while a message is sent */
	struct timer v[TIMERS_MAX];
	size_t n;
	unsigned long asked, made;
} timers;

static void
resolve(void)
{
	interpose_resolve(&real, "timerfd_settime");
}

void
timer_hook_counts(unsigned long *asked, unsigned long *made)
{
	*asked = timers.asked;
	*made = timers.made;
}

static uint64_t
ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return ns_of(&t);
}

void
timer_hook_forget(void)
{
	timers.n = 0;
}

void
timer_hook_sends(unsigned min_ms)
{
	timers.min_ns = (uint64_t)min_ms * 1000000U;
}

void
timer_hook_sent(void)
{
	timers.min_ns = 0;
}

/* NULL: there is no room. */
static struct timer *
timer_of(int fd)
{
	for (size_t i = 0; i < timers.n; i++)
		if (timers.v[i].fd == fd)
			return &timers.v[i];
	if (timers.n == TIMERS_MAX)
		return NULL;
	timers.v[timers.n] = (struct timer){ .fd = fd };
	return &timers.v[timers.n++];
}

static void
want(struct timer *t, const struct itimerspec *to)
{
	uint64_t in = ns_of(&to->it_value);

	if (timers.min_ns == 0) {
		t->wanted_ns = in == 0 ? NEVER : now_ns() + in;
	} else if (in != 0) {
		uint64_t at = now_ns() + MAX(in, timers.min_ns);

		t->wanted_ns = t->wanted_ns == 0 ? at : MIN(t->wanted_ns, at);
	}
}

static void
set_now(struct timer *t, uint64_t now)
{
	struct itimerspec to = { .it_interval = { 0, 0 } };
	uint64_t in = t->wanted_ns > now ? t->wanted_ns - now : 1;

	if (t->wanted_ns != NEVER)
		to.it_value = (struct timespec){ .tv_sec = (time_t)(in / NS_PER_S), .tv_nsec = (long)(in % NS_PER_S) };
	timers.made++;
	/* should it fail, it is tried again with the next stretch */
	t->due_ns = real(t->fd, 0, &to, NULL) == 0 ? MAX(t->wanted_ns, now + 1) : 0;
}

void
timer_hook_enter(void)
{
	timers.in_force = true;
}

void
timer_hook_leave(void)
{
	uint64_t now = 0;

	timers.in_force = false;
	for (size_t i = 0; i < timers.n; i++) {
		struct timer *t = &timers.v[i];

		if (t->wanted_ns == 0)
			continue;
		now = now == 0 ? now_ns() : now;
		if (t->due_ns <= now || t->wanted_ns < t->due_ns)
			set_now(t, now);
		t->wanted_ns = 0;
	}
}

INTERPOSE_EXPORT int
timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *was)
{
	struct timer *t = NULL;

	(void)pthread_once(&once, resolve);
	if (real == NULL) {
		errno = ENOSYS;
		return -1;
	}
	if (timers.in_force && flags == 0 && was == NULL && ns_of(&to->it_interval) == 0)
		t = timer_of(fd);
	if (t == NULL) {
		timer_hook_forget();
		return real(fd, flags, to, was);
	}
	timers.asked++;
	want(t, to);
	return 0;
}
