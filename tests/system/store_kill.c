/*
 * A child changes a store as fast as it can and says what was acknowledged; it is killed at any
 * moment, as it opens the store as well as later. Then every acknowledged change must be there, and
 * no batch by halves. KILLS: how often (20). SEED: the moments.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

#define GROUPS 40 /* of three devices that are always changed together */
#define MEMBERS 3
#define WINDOW 64
#define SESSIONS_MAX 400000

enum what { GROUP_PUT, SESSION_PUT };

struct ack {
	uint32_t what, group;
	uint64_t number; /* the group's counter, or the session's id */
};

struct known { /* what was acknowledged, over all rounds */
	uint64_t counter[GROUPS];
	uint64_t *sessions;
	size_t n_sessions, n_acks;
};

struct child;
struct request {
	struct child *child;
	struct ack ack;
	struct store_change v[MEMBERS];
	struct store_credential cred[MEMBERS];
	char name[MEMBERS][32], identity[MEMBERS][48], doc[64], key[32];
};

struct child {
	struct fx *f;
	int out;
	uint64_t state, next_session;
	uint64_t counter[GROUPS];
	struct request r[WINDOW];
};

static char slot[] = "bootstrap";

static void next_request(struct request *r);

static void
name_of(unsigned group, unsigned member, char out[32])
{
	(void)snprintf(out, 32, "group-%u-%u", group, member);
}

/* The parent must not hear of a change before the store has said that it is kept. */
static void
acknowledge(struct request *r, enum err_code rc)
{
	if (rc != ERR_OK || write(r->child->out, &r->ack, sizeof r->ack) != (ssize_t)sizeof r->ack)
		_exit(3);
	next_request(r);
}

static void
on_group(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *results,
    size_t n)
{
	(void)e;
	(void)failed_at;
	(void)results;
	(void)n;
	acknowledge(arg, rc);
}

static void
on_session(void *arg, enum err_code rc, const struct err *e)
{
	(void)e;
	acknowledge(arg, rc);
}

static void
put_group(struct request *r, uint32_t group)
{
	struct child *c = r->child;
	struct store_actor who = { "child", NULL };
	unsigned long long n = ++c->counter[group];

	r->ack = (struct ack){ GROUP_PUT, group, n };
	(void)snprintf(r->doc, sizeof r->doc, "{\"counter\":%llu}", n);
	(void)snprintf(r->key, sizeof r->key, "key-%llu", n);
	for (unsigned i = 0; i < MEMBERS; i++) {
		name_of(group, i, r->name[i]);
		(void)snprintf(r->identity[i], sizeof r->identity[i], "%s-%llu", r->name[i], n % 3);
		r->cred[i] = (struct store_credential){ .slot = slot, .identity = r->identity[i], .key = fx_secret(r->key) };
		r->v[i] = (struct store_change){ .op = STORE_PUT_DEVICE, .name = r->name[i], .doc = r->doc,
			.credentials = &r->cred[i], .n_credentials = 1 };
	}
	store_sqlite.apply(c->f->store, &who, r->v, MEMBERS, on_group, r);
}

static void
put_session(struct request *r, uint32_t group)
{
	struct child *c = r->child;
	struct bs_record rec = { .id = c->next_session++, .verdict = BS_VERDICT_PROVISIONED, .used_format = -1 };
	char name[32], values[32];
	struct secret wrote;

	name_of(group, 0, name);
	rec.endpoint = name;
	r->ack = (struct ack){ SESSION_PUT, group, rec.id };
	(void)snprintf(values, sizeof values, "left by %llu", (unsigned long long)rec.id);
	wrote = fx_secret(values);
	const struct store_outcome o = { .values = values, .likeness = rec.id / 2, .wrote = &wrote };
	store_sqlite.session_put(c->f->store, &rec, &o, on_session, r);
}

static void
next_request(struct request *r)
{
	uint64_t dice = unit_random(&r->child->state);
	uint32_t group = (uint32_t)(dice >> 8) % GROUPS;

	if (dice % 2 == 0)
		put_group(r, group);
	else
		put_session(r, group);
}

static void
run_child(struct fx *f, const struct known *k, uint64_t seed, uint64_t first_session, int out)
{
	static struct child c;

	c.f = f;
	c.out = out;
	c.state = seed;
	c.next_session = first_session;
	if (loop_new(&f->loop, &f->e) != ERR_OK || fx_open(f) != ERR_OK) { /* the parent's loop is its own */
		(void)fprintf(stderr, "# child: %s\n", f->e.msg);
		_exit(2);
	}
	for (unsigned g = 0; g < GROUPS; g++)
		c.counter[g] = k->counter[g] + 1000; /* above whatever was done and not acknowledged */
	for (size_t i = 0; i < WINDOW; i++) {
		c.r[i].child = &c;
		next_request(&c.r[i]);
	}
	for (;;)
		loop_turn(f->loop, 1000);
}

static void
note(struct known *k, const struct ack *a)
{
	k->n_acks++;
	if (a->what == SESSION_PUT) {
		ck_assert_uint_lt(k->n_sessions, SESSIONS_MAX);
		k->sessions[k->n_sessions++] = a->number;
	} else {
		k->counter[a->group] = MAX(k->counter[a->group], a->number);
	}
}

/* Reads acknowledgements until the moment, or, with moment 0, until there are no more. */
static void
listen_until(int in, uint64_t moment_us, struct known *k)
{
	for (;;) {
		uint64_t now = clock_mono_us();
		struct pollfd p = { .fd = in, .events = POLLIN };
		struct ack a;

		if (moment_us != 0 && now >= moment_us)
			return;
		int wait = moment_us == 0 ? -1 : (int)((moment_us - now) / 1000);
		if (poll(&p, 1, wait) == 0 && wait > 0)
			continue;
		if (p.revents == 0)
			continue;
		ssize_t n = read(in, &a, sizeof a);
		if (n == 0)
			return;
		ck_assert_int_eq(n, sizeof a);
		note(k, &a);
	}
}

static void
one_kill(struct fx *f, struct known *k, uint64_t seed, uint64_t first_session, uint64_t after_us)
{
	int p[2], status;

	ck_assert_int_eq(pipe(p), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)close(p[0]);
		run_child(f, k, seed, first_session, p[1]);
	}
	(void)close(p[1]);
	listen_until(p[0], clock_mono_us() + after_us, k);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status), "the child ended by itself: %d", WEXITSTATUS(status));
	listen_until(p[0], 0, k);
	(void)close(p[0]);
}

static uint64_t
counter_of(struct fx *f, unsigned group, unsigned member)
{
	unsigned long long n = 0;
	char name[32], key[32];

	name_of(group, member, name);
	enum err_code rc = fx_get(f, name);
	if (rc == ERR_NOT_FOUND)
		return 0;
	ck_assert_msg(rc == ERR_OK, "%s", f->e.msg);
	ck_assert_int_eq(sscanf(f->device.doc, "{\"counter\":%llu}", &n), 1);
	(void)snprintf(key, sizeof key, "key-%llu", n);
	ck_assert_uint_eq(f->n_creds, 1);
	ck_assert(secret_equal_bytes(&f->creds[0].key, key, strlen(key)));
	return n;
}

/* What the newest session of a device left is there with it: neither older nor newer. */
static void
check_held(struct fx *f, unsigned group)
{
	char name[32], values[32];

	name_of(group, 0, name);
	enum err_code rc = fx_get(f, name);
	if (rc == ERR_NOT_FOUND || f->device.last_session == 0)
		return;
	(void)snprintf(values, sizeof values, "left by %llu", (unsigned long long)f->device.last_session);
	ck_assert_uint_eq(f->device.held.last_session, f->device.last_session);
	ck_assert_str_eq(f->device.held.values, values);
	ck_assert_uint_gt(f->device.held.wrote.len, 0);
}

static void
check_store(struct fx *f, struct known *k, size_t sessions_before)
{
	ck_assert_msg(fx_open(f) == ERR_OK, "%s", f->e.msg);
	for (unsigned g = 0; g < GROUPS; g++) {
		uint64_t n = counter_of(f, g, 0);
		ck_assert_msg(n >= k->counter[g], "group %u: %llu was acknowledged, and it is %llu", g,
		    (unsigned long long)k->counter[g], (unsigned long long)n);
		for (unsigned m = 1; m < MEMBERS; m++)
			ck_assert_uint_eq(counter_of(f, g, m), n);
		check_held(f, g);
		k->counter[g] = n;
	}
	for (size_t i = sessions_before; i < k->n_sessions; i++)
		ck_assert_msg(fx_session_get(f, k->sessions[i], NULL) == ERR_OK, "%s", f->e.msg);
	ck_assert_int_eq(fx_counts(f), ERR_OK);
	ck_assert_uint_ge(f->counts.sessions, k->n_sessions);
	fx_close(f);
}

static uint64_t
kills(void)
{
	const char *text = getenv("KILLS");
	uint64_t n = 20;

	if (text != NULL)
		ck_assert(str_to_u64(text, strlen(text), 1, 1000000, &n));
	return n;
}

START_TEST(what_was_acknowledged_outlives_a_kill)
{
	static struct fx f;
	static struct known k;
	uint64_t state = unit_seed();

	fx_init(&f);
	f.conf.max_sessions = 1000000; /* none is to go because it is old */
	f.conf.max_stray_sessions = 1000000;
	k.sessions = calloc(SESSIONS_MAX, sizeof *k.sessions);
	uint64_t n = kills();
	for (uint64_t i = 0; i < n; i++) {
		size_t before = k.n_sessions;
		/* every third dies while it opens the store */
		uint64_t after_us = unit_random(&state) % (i % 3 == 2 ? 5000 : 80000);
		one_kill(&f, &k, unit_random(&state), (i + 1) << 32, after_us);
		check_store(&f, &k, before);
	}
	(void)printf("# %llu kills, %zu changes acknowledged, %zu of them sessions\n", (unsigned long long)n, k.n_acks,
	    k.n_sessions);
	ck_assert_uint_gt(k.n_acks, 0);
	free(k.sessions);
	fx_free(&f);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_kill");
	TCase *tc = tcase_create("kill");

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, what_was_acknowledged_outlives_a_kill);
	suite_add_tcase(suite, tc);
	return unit_run(suite);
}
