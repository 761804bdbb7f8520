/* Requests of ours to devices that are registered: the Bootstrap-Request Trigger, /1/x/9. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/registry/registry_internal.h"

#define TRIGGER_RESOURCE 9
#define CODE_CHANGED 0x44

/* One that is under way. Which instance of Object 1 is ours is found by asking: the others say no. */
struct asking {
	struct registry *r;
	uint64_t peer, tag;
	trigger_answer_fn *fn;
	void *arg;
	uint16_t candidates[REG_SERVERS_MAX + 1];
	uint8_t n, at;
	uint8_t first_code; /* of the first that said no */
	bool sleeps;
	char root[REG_ROOT_MAX + 1];
	char endpoint[];
};

static enum trigger_reach
reach(void *arg, const char *endpoint)
{
	const struct registry *r = arg;
	const struct reg *g = regs_find(r->regs, endpoint);

	if (g == NULL)
		return TRIGGER_STRANGER;
	if (g->state != REG_REGISTERED)
		return TRIGGER_AWAY;
	return reg_awake(g, loop_now_ms(r->loop)) && g->seat != 0 ? TRIGGER_AWAKE : TRIGGER_ASLEEP;
}

static int64_t
registered_ms(void *arg, const char *endpoint)
{
	const struct registry *r = arg;
	const struct reg *g = regs_find(r->regs, endpoint);

	return g == NULL ? 0 : g->registered_ms;
}

static void
add_candidate(struct asking *a, uint16_t instance)
{
	for (uint8_t i = 0; i < a->n; i++)
		if (a->candidates[i] == instance)
			return;
	a->candidates[a->n++] = instance;
}

static void
find_candidates(struct asking *a, const struct reg *g)
{
	if (g->server != UINT16_MAX)
		add_candidate(a, g->server);
	for (uint8_t i = 0; g->links != NULL && i < g->links->objects.n_servers; i++)
		add_candidate(a, g->links->objects.servers[i]);
	if (a->n == 0)
		add_candidate(a, 0);
	if (g->links != NULL)
		memcpy(a->root, g->links->objects.root, sizeof a->root);
}

static void
finish(struct asking *a, enum trigger_result result, uint8_t code)
{
	const struct trigger_answer out = { .result = result, .code = code, .sleeps = a->sleeps };

	if (a->peer != 0 && a->r->transport != NULL)
		transport_release(a->r->transport, a->peer, result != TRIGGER_ANSWERED);
	a->fn(a->arg, a->tag, &out);
	free(a);
}

static void on_answer(void *arg, uint64_t tag, const struct transport_answer *t);

static void
send(struct asking *a)
{
	char path[REG_ROOT_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/%u/%u/%u", a->root, 1U, (unsigned)a->candidates[a->at],
	    (unsigned)TRIGGER_RESOURCE);
	const struct transport_out o = { .method = TRANSPORT_POST, .path = path, .format = -1, .accept = -1,
		.timeout_ms = a->r->answer_ms };
	transport_send(a->r->transport, a->peer, &o, a->tag, on_answer, a);
}

/* It says that this instance, or what is asked of it, is not ours: another may be. */
static bool
may_be_another(uint8_t code)
{
	return code == 0x81 || code == 0x83 || code == 0x84 || code == 0x85;
}

static void
on_answer(void *arg, uint64_t tag, const struct transport_answer *t)
{
	struct asking *a = arg;
	struct reg *g = regs_find(a->r->regs, a->endpoint);

	(void)tag;
	if (t->outcome == TRANSPORT_NO_ANSWER) {
		finish(a, TRIGGER_NO_ANSWER, 0);
	} else if (t->outcome == TRANSPORT_GONE) {
		finish(a, TRIGGER_GONE, 0);
	} else if (t->outcome == TRANSPORT_RESPONSE && t->code == CODE_CHANGED) {
		if (g != NULL)
			g->server = a->candidates[a->at];
		finish(a, TRIGGER_ANSWERED, t->code);
	} else {
		if (a->at == 0)
			a->first_code = t->code;
		if (may_be_another(t->code) && a->at + 1 < a->n && a->r->transport != NULL) {
			a->at++;
			send(a);
		} else {
			finish(a, TRIGGER_ANSWERED, a->first_code);
		}
	}
}

static void
execute(void *arg, const char *endpoint, uint64_t tag, trigger_answer_fn *fn, void *fn_arg)
{
	struct registry *r = arg;
	const struct reg *g = regs_find(r->regs, endpoint);
	size_t len = strlen(endpoint);
	struct asking *a = calloc(1, sizeof *a + len + 1);

	if (a == NULL)
		abort(); /* an answer that never comes would be worse */
	*a = (struct asking){ .r = r, .tag = tag, .fn = fn, .arg = fn_arg };
	memcpy(a->endpoint, endpoint, len + 1);
	if (g != NULL) {
		find_candidates(a, g);
		a->sleeps = g->queue;
		a->peer = transport_use(r->transport, g->seat);
	}
	send(a); /* without a peer it comes back as gone */
}

bool
registry_awake(struct registry *r, const char *endpoint)
{
	return reach(r, endpoint) == TRIGGER_AWAKE;
}

static void
find(void *arg, const char *endpoint, trigger_found_fn *fn, void *fn_arg)
{
	fn(fn_arg, reach(arg, endpoint), NULL);
}

struct trigger_way
registry_way(struct registry *r)
{
	return (struct trigger_way){ .arg = r, .reach = reach, .registered_ms = registered_ms,
		.execute = execute, .find = find };
}
