/*
 * Seeded worlds (tests/sim/world.h): whole fleets, thousands of times, each from a number. What must
 * hold is looked at while they run and at their end. A world that breaks something prints SEED=N,
 * and SEED=N worlds repeats it, with VERBOSE=1 line by line.
 *
 *	SEED=N        that world alone
 *	SIM_SEEDS=N   how many worlds (8000)
 *	VERBOSE=1     the log of a single world
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/sim/world.h"

#define DEFAULT_SEEDS 8000
#define TWICE_EVERY 50 /* so often a world is run again, and must be the same */
#define SABOTAGED 5000 /* worlds among which a sabotage must be found out */

static unsigned tests;
static bool all_well = true;

static void
test_line(bool well, const char *what)
{
	all_well &= well;
	printf("%s %u - %s\n", well ? "ok" : "not ok", ++tests, what);
}

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);
	uint64_t n = otherwise;

	if (s != NULL && !str_to_u64(s, strlen(s), 0, UINT64_MAX, &n)) {
		fprintf(stderr, "worlds: %s=%s: no whole number\n", name, s);
		exit(2);
	}
	return n;
}

struct totals {
	uint64_t worlds, devices, sessions, knocks, happened, crashes, superseded, refused, failed, well, ms;
	uint64_t renewed, given_back, doubts;
	unsigned wrong;
};

static void
add(struct totals *t, const struct world *w)
{
	t->worlds++;
	t->devices += w->n_dev;
	t->sessions += w->n_shadows;
	t->knocks += w->n_knocks - 1;
	t->happened += w->n_happened;
	t->crashes += w->crashes;
	t->superseded += w->superseded;
	t->refused += w->refused;
	t->failed += w->failed;
	t->well += w->provisioned;
	t->ms += w->now;
	t->renewed += w->renewed;
	t->given_back += w->given_back;
	t->doubts += w->doubts;
}

static void
print_totals(const struct totals *t)
{
	printf("# %" PRIu64 " worlds with %" PRIu64 " devices, %" PRIu64 " hours of their time, %" PRIu64 " happenings, %" PRIu64
	       " crashes; %" PRIu64 " knocks, %" PRIu64 " sessions: %" PRIu64 " well, %" PRIu64 " failed, %" PRIu64
	       " refused, %" PRIu64 " superseded\n",
	    t->worlds, t->devices, t->ms / 3600000, t->happened, t->crashes, t->knocks, t->sessions, t->well, t->failed,
	    t->refused, t->superseded);
	printf("# hand-offs: %" PRIu64 " keys were made anew, %" PRIu64 " times a credential was taken from a server or given back, %" PRIu64
	       " times a device came again in doubt\n",
	    t->renewed, t->given_back, t->doubts);
}

static void
complain(struct totals *t, uint64_t seed, const char *what)
{
	if (t->wrong++ < 10)
		printf("# SEED=%" PRIu64 ": %s\n", seed, what);
}

static void
run_one(struct totals *t, uint64_t seed, bool twice, bool verbose)
{
	static struct world w, again;

	world_run(&w, seed, HONEST, verbose);
	add(t, &w);
	if (w.wrongs > 0)
		complain(t, seed, w.wrong);
	if (!twice)
		return;
	world_run(&again, seed, HONEST, false);
	if (again.digest != w.digest || again.now != w.now || again.n_happened != w.n_happened)
		complain(t, seed, "the same seed makes another world");
}

static void
test_worlds(uint64_t first, uint64_t n, bool verbose)
{
	struct totals t = { 0 };

	for (uint64_t i = 0; i < n; i++)
		run_one(&t, first + i, i % TWICE_EVERY == 0, verbose);
	print_totals(&t);
	test_line(t.wrong == 0, "what must hold holds in every world, and a seed repeats it");
	/* or these worlds would show nothing */
	if (n > 100)
		test_line(t.crashes > 0 && t.superseded > 0 && t.refused > 0 && t.failed > 0 && t.well >= t.devices,
		    "servers crash, sessions are refused, superseded and fail, and more end well than there are devices");
	if (n > 100)
		test_line(t.renewed > 0 && t.given_back > 0 && t.doubts > 0,
		    "keys are made anew, given back and taken from servers, and doubted");
}

static void
test_sabotage(enum sabotage s, const char *what)
{
	static struct world w;
	uint64_t seed = 0;

	do
		world_run(&w, ++seed, s, false);
	while (w.wrongs == 0 && seed < SABOTAGED);
	if (w.wrongs > 0)
		printf("# seed %" PRIu64 ": %s\n", seed, w.wrong);
	test_line(w.wrongs > 0, what);
}

int
main(void)
{
	static const char *const sabotages[SABOTAGES] = {
		[LETS_ANYBODY_IN] = "a server that lets anybody in is found out",
		[BELIEVES_LIARS] = "a device that lies is told from one that does not",
		[SLEEPS] = "a server that keeps no deadline is found out",
		[FORGETS_REPLY] = "a refusal that is not sent is found out",
		[LOSES_RECORDS] = "a record that was acknowledged and is lost is found out",
		[CLAIMS_TOLD] = "a device that is written to before its LwM2M Server knows the credential is found out",
		[GIVES_NOTHING_BACK] = "an old credential that is not given back when a session fails is found out",
		[DROPS_NOTHING] = "a credential that stays at an LwM2M Server and is nobody's is found out",
		[HAS_NO_GRACE] = "an old credential that goes before its time is found out",
		[FORGETS_ROWS] = "how far a hand-off was, acknowledged and lost, is found out",
		[RENEWS_EARLY] = "a key that is made anew before its time is found out",
		[RENEWS_NEVER] = "a key that is not made anew when its time has come is found out",
		[FINISHES_UNRECORDED] = "a Finish that nobody noted before is found out",
	};
	bool one = getenv("SEED") != NULL;

	if (one)
		test_worlds(number_of("SEED", 1), 1, number_of("VERBOSE", 0) != 0);
	else {
		test_worlds(1, number_of("SIM_SEEDS", DEFAULT_SEEDS), false);
		for (int s = HONEST + 1; s < SABOTAGES; s++)
			test_sabotage((enum sabotage)s, sabotages[s]);
	}
	printf("1..%u\n", tests);
	return all_well ? 0 : 1;
}
