/*
 * tests/unit/unit.h: the frame of a unit test program. A program makes one suite and ends with
 * UNIT_MAIN(function that returns it); each test reports as a line of TAP, and a last line counts.
 *
 * CK_FORK=no runs the tests in one process (for a debugger, or valgrind), CK_RUN_CASE=NAME one case.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/util.h"

struct unit_case {
	const char *name;
	const TTest *const *test; /* a START_TEST is a pointer, and not constant enough itself */
	int rows;
};

/* A row: a START_TEST, and its rows. 0: it runs once; more: once for each _i of 0..rows-1. */
#define UNIT_CASE(fn, rows) { #fn, &(fn), (rows) }

/* A suite of one case per row of the table; cases[n].name is what CK_RUN_CASE takes. */
Suite *unit_suite(const char *name, const struct unit_case *cases, size_t n);
/* The same; setup runs before each test, teardown after it, in its process. NULL: nothing. */
Suite *unit_suite_with(const char *name, const struct unit_case *cases, size_t n, void (*setup)(void),
    void (*teardown)(void));

/* Runs it and prints TAP. Returns what main() should: 0 when every check held. */
int unit_run(Suite *suite);

/*
 * The seed of everything random in this program: SEED from the environment or a fresh one, printed
 * once as a TAP comment.
 */
uint64_t unit_seed(void);

/* The next pseudo-random number of a sequence that starts with *state = unit_seed(). */
uint64_t unit_random(uint64_t *state);

#define UNIT_SUITE_MAIN(name, cases)                                                               \
	int main(void)                                                                             \
	{                                                                                          \
		return unit_run(unit_suite(name, cases, N_ELEMS(cases)));                          \
	}

/* The same where protocols' own timers are waited for: each test has so many seconds, in decimal. */
#define UNIT_PATIENT_MAIN(name, cases, seconds)                                                    \
	int main(void)                                                                             \
	{                                                                                          \
		if (setenv("CK_DEFAULT_TIMEOUT", seconds, 0) != 0)                                 \
			return 1;                                                                  \
		return unit_run(unit_suite(name, cases, N_ELEMS(cases)));                          \
	}

#define UNIT_MAIN(suite_fn)                                                                        \
	int main(void)                                                                             \
	{                                                                                          \
		return unit_run(suite_fn());                                                       \
	}

#endif
