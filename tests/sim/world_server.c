/*
 * The LwM2M Servers of a world: what each knows of each device, and how it answers: not at all, late,
 * with a refusal, or not though it did what it was asked for. They are in the place of
 * bsserver/handoff/run.c and its drivers. One holds one credential of a device, the other several.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/sim/world.h"

#define KNOWN_MAX 16 /* of one device; a server that holds more was never tidied up */

struct known {
	struct secret cred;
	bool confirmed; /* and it has said so */
};

struct knows {
	struct known v[KNOWN_MAX];
	size_t n;
};

struct lwm2m_server {
	struct knows of[WORLD_DEVICES];
};

struct task {
	struct lwm2m_server *server;
	unsigned server_no, dev;
	enum handoff_call call;
	struct secret cred;
	uint32_t timeout_ms, answers_ms;
	enum handoff_word word; /* what the server says */
	bool lost;	      /* and whether that is heard */
	handoff_run_fn *done;
	void *arg;
};

const char *const server_names[WORLD_SERVERS] = { "eu", "us" };

/* ---- what it knows ---- */

static size_t
find(const struct knows *k, const struct secret *cred)
{
	size_t i = 0;

	while (i < k->n && !secret_equal(&k->v[i].cred, cred))
		i++;
	return i;
}

static void
forget(struct knows *k, size_t i)
{
	secret_clear(&k->v[i].cred);
	k->v[i] = k->v[--k->n];
	k->v[k->n] = (struct known){ 0 };
}

static void
learn(struct world *w, struct task *t)
{
	struct knows *k = &t->server->of[t->dev];

	if (find(k, &t->cred) < k->n)
		return;
	while (t->server_no == ONE_SECRET && k->n > 0)
		forget(k, 0);
	if (k->n == KNOWN_MAX) {
		world_wrong(w, "%s holds %zu credentials of dev-%u", server_names[t->server_no], k->n, t->dev);
		forget(k, 0);
	}
	if (secret_copy(&k->v[k->n++].cred, &t->cred, NULL) != ERR_OK)
		abort();
}

static void
drop(struct task *t)
{
	struct knows *k = &t->server->of[t->dev];
	size_t i = find(k, &t->cred);

	if (i < k->n)
		forget(k, i);
}

static void
perform(struct world *w, struct task *t)
{
	struct knows *k = &t->server->of[t->dev];

	w->given_back += t->call != HANDOFF_CALL_TELL;
	world_log(w, "%s: %s of dev-%u", server_names[t->server_no], handoff_call_name(t->call), t->dev);
	switch (t->call) {
	case HANDOFF_CALL_TELL:
		learn(w, t);
		break;
	case HANDOFF_CALL_TELL_BACK:
		if (w->sabotage != GIVES_NOTHING_BACK)
			learn(w, t);
		break;
	case HANDOFF_CALL_DROP:
		if (w->sabotage != DROPS_NOTHING)
			drop(t);
		break;
	case HANDOFF_CALL_FORGET:
		while (k->n > 0)
			forget(k, 0);
		break;
	case HANDOFF_CALL_NONE:
	case HANDOFF_CALL_TEST:
	case HANDOFF_CALL_TRIGGER:
	case HANDOFF_CALL__COUNT:
		world_wrong(w, "%s is asked for %s", server_names[t->server_no], handoff_call_name(t->call));
		break;
	}
}

bool
server_knows(const struct world *w, unsigned server, unsigned dev, const struct secret *cred, bool *confirmed)
{
	const struct knows *k = &w->servers[server].of[dev];
	size_t i = find(k, cred);

	if (confirmed != NULL)
		*confirmed = i < k->n && k->v[i].confirmed;
	return i < k->n;
}

size_t
server_count(const struct world *w, unsigned server, unsigned dev)
{
	return w->servers[server].of[dev].n;
}

/* ---- one request ---- */

static void
task_free(struct task *t)
{
	secret_clear(&t->cred);
	free(t);
}

static void
answer(struct world *w, void *arg, bool crashed)
{
	struct task *t = arg;
	struct knows *k = &t->server->of[t->dev];
	size_t i = find(k, &t->cred);
	struct err why;

	(void)w;
	if (!crashed && t->word == HANDOFF_DONE && t->call != HANDOFF_CALL_DROP && i < k->n)
		k->v[i].confirmed = true;
	(void)err_set(&why, ERR_UNREACHABLE, "%s", t->word == HANDOFF_NO ? "it says no" : "nobody answers");
	if (!crashed)
		t->done(t->arg, t->word, t->word == HANDOFF_DONE ? NULL : &why);
	task_free(t);
}

/* The request is there, or was on its way when the one who asked crashed. */
static void
arrive(struct world *w, void *arg, bool crashed)
{
	struct task *t = arg;

	if (t->word == HANDOFF_DONE && (!crashed || world_chance(w, 500)))
		perform(w, t);
	if (t->lost || t->answers_ms > t->timeout_ms)
		t->word = HANDOFF_LATER;
	if (crashed)
		answer(w, t, true);
	else
		wloop_later(w, 1 + (t->lost ? t->timeout_ms : MIN(t->answers_ms, t->timeout_ms)), answer, t);
}

static unsigned
number_of(const char *name)
{
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		if (strcmp(server_names[i], name) == 0)
			return i;
	abort();
}

void
handoff_run(struct handoff_runner *r, const struct handoff_order *o, handoff_run_fn *done, void *arg)
{
	struct world *w = (struct world *)r->loop;
	struct task *t = calloc(1, sizeof *t);

	if (t == NULL)
		abort();
	*t = (struct task){ .server_no = number_of(o->server->name), .dev = (unsigned)(o->endpoint[4] - '0'), .call = o->call,
		.timeout_ms = o->server->timeout_ms, .done = done, .arg = arg, .word = HANDOFF_DONE };
	t->server = &w->servers[t->server_no];
	if (o->timeout_ms != 0)
		t->timeout_ms = MIN(t->timeout_ms, o->timeout_ms);
	if (o->cred != NULL && secret_copy(&t->cred, o->cred, NULL) != ERR_OK)
		abort();
	if (t->call == HANDOFF_CALL_DROP)
		accounts_check_drop(w, t->dev, t->server_no, &t->cred);
	if (world_chance(w, w->faults.server_refuses))
		t->word = HANDOFF_NO;
	else if (world_chance(w, w->faults.server_down))
		t->word = HANDOFF_LATER;
	t->lost = world_chance(w, w->faults.server_deaf);
	t->answers_ms = (uint32_t)world_random(w, w->faults.server_ms);
	wloop_later(w, 1 + world_random(w, t->timeout_ms / 4), arrive, t);
}

void
handoff_abandon(struct handoff_runner *r)
{
	(void)r; /* wloop_crash() ends them */
}

/* ---- a world's ---- */

void
servers_begin(struct world *w)
{
	w->servers = calloc(WORLD_SERVERS, sizeof *w->servers);
	if (w->servers == NULL)
		abort();
}

void
servers_end(struct world *w)
{
	for (unsigned s = 0; s < WORLD_SERVERS; s++)
		for (unsigned d = 0; d < WORLD_DEVICES; d++)
			while (w->servers[s].of[d].n > 0)
				forget(&w->servers[s].of[d], 0);
	free(w->servers);
}
