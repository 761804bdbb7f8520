/* When each server sees a device: order, waits and retries, against a client that plays them through. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "profiles/timeline.h"
#include "tests/sim/registrations.h"
#include "tests/unit/plan_kit.h"
#include "tests/unit/unit.h"

static void
print(const struct timeline *t, char *text, size_t cap)
{
	size_t at = 0;

	for (size_t i = 0; i < t->n && at < cap; i++)
		at += (size_t)snprintf(text + at, cap - at, "%s%u: %lld, %lld, %lld %s", i > 0 ? "; " : "",
		    (unsigned)t->v[i].ssid, (long long)t->v[i].registers_s, (long long)t->v[i].after_failure_s,
		    (long long)t->v[i].tries_s, timeline_then_name(t->v[i].then));
}

/* clang-format off */
static const struct {
	const char *name, *tree;
	const char *line; /* "server: registers, if those before fail, gives up after, then" */
	int64_t worst;
} rows[] = {
	{ "one server, all by default", "1/0/0=1", "1: 0, 0, 900 bootstraps", 900 },
	{ "one that waits", "1/0/0=1 1/0/14=30", "1: 30, 30, 900 bootstraps", 930 },
	{ "no order: nobody waits for the other", "1/0/0=1 1/0/14=5 1/0/16=false 1/1/0=2 1/1/14=0 1/1/16=false",
	  "1: 5, 5, 900 goes_on; 2: 0, 0, 900 goes_on", TIMELINE_NEVER },
	{ "in an order, waits add up", "1/0/0=1 1/0/13=1 1/0/14=10 1/0/16=false 1/1/0=2 1/1/13=2 1/1/14=20 1/1/16=false",
	  "1: 10, 10, 900 goes_on; 2: 30, 930, 900 goes_on", TIMELINE_NEVER },
	{ "the order is that of 1/x/13", "1/0/0=1 1/0/13=9 1/0/16=false 1/1/0=2 1/1/13=2 1/1/14=20 1/1/16=false",
	  "2: 20, 20, 900 goes_on; 1: 20, 920, 900 goes_on", TIMELINE_NEVER },
	{ "one that blocks", "1/0/0=1 1/0/13=1 1/0/15=true 1/0/16=false 1/1/0=2 1/1/13=2 1/1/14=20 1/1/16=false",
	  "1: 0, 0, 900 stops; 2: 20, -1, 900 goes_on", TIMELINE_NEVER },
	{ "one that sends it back", "1/0/0=1 1/0/13=1 1/0/15=true 1/1/0=2 1/1/13=2 1/1/14=20 1/1/16=false",
	  "1: 0, 0, 900 bootstraps; 2: 20, -1, 900 goes_on", 900 },
	{ "15 without 13 means nothing", "1/0/0=1 1/0/15=true 1/0/16=false 1/1/0=2 1/1/16=false",
	  "1: 0, 0, 900 goes_on; 2: 0, 0, 900 goes_on", TIMELINE_NEVER },
	{ "attempts, doubled waits, sequences and what lies between", "1/0/0=1 1/0/17=3 1/0/18=10 1/0/19=1000 1/0/20=2",
	  "1: 0, 0, 1060 bootstraps", 1060 },
	{ "no further sequence", "1/0/0=1 1/0/17=3 1/0/18=10 1/0/19=4294967295 1/0/20=9", "1: 0, 0, 30 bootstraps", 30 },
	{ "one attempt only", "1/0/0=1 1/0/17=1 1/0/18=10", "1: 0, 0, 0 bootstraps", 0 },
	{ "timers without end", "1/0/0=1 1/0/17=200 1/0/18=86400", "1: 0, 0, 3162240000 bootstraps", INT64_C(3162240000) },
	/* the requirement's own: 1 and 2 together, 3 and 4 later */
	{ "servers 1 and 2 together, 3 and 4 later",
	  "1/0/0=1 1/0/13=1 1/0/16=false 1/1/0=2 1/1/13=2 1/1/14=0 1/1/16=false 1/2/0=3 1/2/13=3 1/2/14=60 1/2/16=false "
	  "1/3/0=4 1/3/13=4 1/3/14=240 1/3/16=false",
	  "1: 0, 0, 900 goes_on; 2: 0, 900, 900 goes_on; 3: 60, 1860, 900 goes_on; 4: 300, 3000, 900 goes_on", TIMELINE_NEVER },
};
/* clang-format on */

START_TEST(a_configuration_is_laid_out)
{
	struct profile_desired d = { 0 };
	struct timeline t;
	char text[1024] = "";

	kit_tree(&d.tree, rows[_i].tree);
	timeline_make(&d, &t);
	print(&t, text, sizeof text);
	ck_assert_msg(strcmp(text, rows[_i].line) == 0, "%s: %s", rows[_i].name, text);
	ck_assert_msg(t.worst_s == rows[_i].worst, "%s: %lld", rows[_i].name, (long long)t.worst_s);
	ck_assert(t.hold_off_s == -1 && t.forgets_s == -1);
	profile_desired_clear(&d);
}
END_TEST

/* ---- the same as a client does it ---- */

static uint64_t
rnd(uint64_t *s)
{
	*s += 0x9e3779b97f4a7c15U;
	uint64_t z = (*s ^ *s >> 30) * 0xbf58476d1ce4e5b9U;
	return (z ^ z >> 27) * 0x94d049bb133111ebU >> 8;
}

static void
maybe(uint64_t *s, char *text, size_t cap, unsigned i, unsigned rid, unsigned of)
{
	if (rnd(s) % 2 == 0)
		(void)snprintf(text + strlen(text), cap - strlen(text), " 1/%u/%u=%u", i, rid, (unsigned)(rnd(s) % of));
}

static unsigned
random_tree(uint64_t *s, char *text, size_t cap)
{
	unsigned n = 1 + (unsigned)(rnd(s) % 5);

	text[0] = 0;
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(text + strlen(text), cap - strlen(text), "%s1/%u/0=%u", i > 0 ? " " : "", i, i + 1);
		maybe(s, text, cap, i, 13, 4);
		maybe(s, text, cap, i, 14, 1000);
		for (unsigned rid = 15; rid <= 16; rid++)
			if (rnd(s) % 2 == 0)
				(void)snprintf(text + strlen(text), cap - strlen(text), " 1/%u/%u=%s", i, rid,
				    rnd(s) % 2 == 0 ? "true" : "false");
		for (unsigned rid = 17; rid <= 20; rid++)
			maybe(s, text, cap, i, rid, 12);
	}
	return n;
}

/* When that server sees it; NEVER. */
static int64_t
seen(const struct registration *v, size_t n, uint16_t ssid)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].ssid == ssid && v[i].what == REGISTERS)
			return v[i].at_s;
	return TIMELINE_NEVER;
}

/* All is well; all before it in the order are dead; it is dead itself. */
static void
compare(const struct profile_desired *d, const struct timeline *t, size_t i, const char *text)
{
	const struct timeline_server *s = &t->v[i];
	struct registration v[64];
	uint16_t dead[TIMELINE_MAX];
	size_t n = registrations_play(&d->tree, NULL, 0, v, N_ELEMS(v)), n_dead = 0;

	ck_assert_msg(seen(v, n, s->ssid) == s->registers_s, "server %u registers: %s", (unsigned)s->ssid, text);
	for (size_t k = 0; k < i && s->ordered; k++)
		dead[n_dead++] = t->v[k].ssid;
	n = registrations_play(&d->tree, dead, n_dead, v, N_ELEMS(v));
	ck_assert_msg(seen(v, n, s->ssid) == s->after_failure_s, "server %u, those before it dead: %s", (unsigned)s->ssid, text);
	dead[0] = s->ssid;
	n = registrations_play(&d->tree, dead, 1, v, N_ELEMS(v));
	ck_assert_msg(n > 0 && seen(v, n, s->ssid) == TIMELINE_NEVER, "server %u is dead: %s", (unsigned)s->ssid, text);
	for (size_t k = 0; k < n; k++)
		if (v[k].ssid == s->ssid) {
			ck_assert_msg(v[k].at_s == s->registers_s + s->tries_s, "server %u is given up: %s", (unsigned)s->ssid, text);
			ck_assert_msg((v[k].what == BOOTSTRAPS_AGAIN) == (s->then == TIMELINE_BOOTSTRAPS), "%s", text);
		}
}

START_TEST(a_client_does_it_so)
{
	const char *given = getenv("SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL), s = seed;
	char text[4096];

	printf("# SEED=%" PRIu64 "\n", seed);
	for (int round = 0; round < 3000; round++) {
		struct profile_desired d = { 0 };
		struct timeline t;
		unsigned n = random_tree(&s, text, sizeof text);

		kit_tree(&d.tree, text);
		timeline_make(&d, &t);
		ck_assert_uint_eq(t.n, n);
		for (size_t i = 0; i < t.n; i++)
			compare(&d, &t, i, text);
		profile_desired_clear(&d);
	}
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_configuration_is_laid_out, N_ELEMS(rows)),
	UNIT_CASE(a_client_does_it_so, 0),
};

UNIT_SUITE_MAIN("timeline", cases)
