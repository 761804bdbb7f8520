/*
 * lib/base/clock.h: time. Pure code takes times as arguments; only loops and mains read the clock.
 */
#ifndef LIB_BASE_CLOCK_H
#define LIB_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_mono_ms(void); /* milliseconds since some start; never goes back */
uint64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* milliseconds since 1970 UTC */

/* Whether somebody (NTP, PTP) keeps the wall clock right: the kernel's own word. */
bool clock_synchronized(void);

#define CLOCK_RFC3339_LEN 24 /* "2026-01-31T23:59:59.123Z" */
/* Year 0001 to the end of 9999; a time outside is written as the nearest inside. */
#define CLOCK_WALL_MIN (-62135596800000)
#define CLOCK_WALL_MAX 253402300799999
void clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_LEN + 1]);

#endif
