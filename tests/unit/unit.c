#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

Suite *
unit_suite(const char *name, const struct unit_case *cases, size_t n)
{
	return unit_suite_with(name, cases, n, NULL, NULL);
}

Suite *
unit_suite_with(const char *name, const struct unit_case *cases, size_t n, void (*setup)(void), void (*teardown)(void))
{
	Suite *suite = suite_create(name);

	for (size_t i = 0; i < n; i++) {
		TCase *tc = tcase_create(cases[i].name);
		tcase_add_checked_fixture(tc, setup, teardown);
		if (cases[i].rows > 0)
			tcase_add_loop_test(tc, *cases[i].test, 0, cases[i].rows);
		else
			tcase_add_test(tc, *cases[i].test);
		suite_add_tcase(suite, tc);
	}
	return suite;
}

int
unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	int ran = srunner_ntests_run(runner);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	(void)printf("# %d checks, %d failed\n", ran, failed);
	return ran == 0 || failed != 0;
}

uint64_t
unit_seed(void)
{
	static uint64_t seed;
	const char *text = getenv("SEED");

	if (seed == 0) {
		seed = text != NULL ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
		(void)printf("# SEED=%" PRIu64 "\n", seed);
		(void)fflush(stdout);
	}
	return seed;
}

uint64_t
unit_random(uint64_t *state)
{
	/* splitmix64: any seed will do, zero too */
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}
