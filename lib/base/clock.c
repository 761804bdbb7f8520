#include "lib/base/clock.h"

#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

uint64_t
clock_mono_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t
clock_wall_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool
clock_synchronized(void)
{
	struct timex tx = { .modes = 0 };
	int state = adjtimex(&tx);

	return state >= 0 && state != TIME_ERROR && (tx.status & STA_UNSYNC) == 0;
}

void
clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_LEN + 1])
{
	if (wall_ms < CLOCK_WALL_MIN)
		wall_ms = CLOCK_WALL_MIN;
	if (wall_ms > CLOCK_WALL_MAX)
		wall_ms = CLOCK_WALL_MAX;
	int64_t ms = wall_ms % 1000;
	if (ms < 0)
		ms += 1000;
	time_t secs = (time_t)((wall_ms - ms) / 1000);
	struct tm tm;

	(void)gmtime_r(&secs, &tm);
	/* the remainders are never needed; they show the compiler that the text fits */
	(void)snprintf(out, CLOCK_RFC3339_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
	    (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
	    (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
}
