/* Devices are called back through LwM2M Servers: each server has a line, and some in flight at once. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/internal.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

#define TRIGGERS_MAX 16 /* devices at once with one server */

struct errand {
	struct errand *next, *prev; /* in line; under way */
	struct handoff *h;
	struct server *server;
	struct handoff_errand d; /* the strings are owned */
	handoff_heard_fn *fn;
	void *arg;
	struct handoff_heard heard;
	char *why;
};

static void
errand_free(struct errand *x)
{
	free((char *)(uintptr_t)x->d.target);
	free((char *)(uintptr_t)x->d.endpoint);
	free((char *)(uintptr_t)x->d.account);
	free(x->why);
	free(x);
}

static void
end(struct errand *x, const char *text)
{
	x->fn(x->arg, &x->heard, text);
	errand_free(x);
}

static void
on_posted(void *arg)
{
	struct errand *x = arg;

	if (x->h->stopped)
		errand_free(x);
	else
		end(x, x->why == NULL ? "memory is short" : x->why);
}

/* Those in line need not find out for themselves that it is away. */
void
triggers_turn_away(struct server *s, const char *why)
{
	struct errand *x;

	while ((x = s->triggers.first) != NULL) {
		s->triggers.first = x->next;
		x->heard = (struct handoff_heard){ HANDOFF_SAID_NOBODY, 0 };
		x->why = str_dup_n(why, strlen(why));
		loop_post(x->h->c.loop, on_posted, x);
	}
}

static void on_run(void *arg, enum handoff_word word, const struct err *why);

static void
run(struct errand *x)
{
	const struct handoff_order o = {
		.server = x->server->s,
		.call = HANDOFF_CALL_TRIGGER,
		.endpoint = x->d.endpoint,
		.account = x->d.account,
		.short_server_id = x->d.short_server_id,
		.instance = x->d.instance,
		.heard = &x->heard,
	};

	struct trigger_line *t = &x->server->triggers;

	t->in_flight++;
	x->prev = NULL;
	x->next = t->running;
	if (x->next != NULL)
		x->next->prev = x;
	t->running = x;
	x->h->stats.triggers++;
	handoff_run(&x->h->runner, &o, on_run, x);
}

static void
on_run(void *arg, enum handoff_word word, const struct err *why)
{
	struct errand *x = arg, *next;
	struct server *s = x->server;

	s->triggers.in_flight--;
	if (x->next != NULL)
		x->next->prev = x->prev;
	if (x->prev != NULL)
		x->prev->next = x->next;
	else
		s->triggers.running = x->next;
	if (word == HANDOFF_LATER)
		triggers_turn_away(s, why->msg);
	next = s->triggers.first;
	if (next != NULL) {
		s->triggers.first = next->next;
		run(next);
	}
	end(x, word == HANDOFF_DONE ? "" : why->msg);
}

enum err_code
handoff_trigger(struct handoff *h, const struct handoff_errand *d, handoff_heard_fn *fn, void *arg, struct err *e)
{
	struct server *s = server_named(h, d->target);
	struct errand *x;

	if (s == NULL)
		return err_set(e, ERR_NOT_FOUND, "no LwM2M Server of the configuration is called %s", d->target);
	if (!handoff_can_trigger(s->s))
		return err_set(e, ERR_UNSUPPORTED, "%s has no way to call a device back", d->target);
	x = calloc(1, sizeof *x);
	if (x == NULL)
		return err_no_memory(e);
	*x = (struct errand){ .h = h, .server = s, .d = *d, .fn = fn, .arg = arg };
	x->d.target = str_dup_n(d->target, strlen(d->target));
	x->d.endpoint = str_dup_n(d->endpoint, strlen(d->endpoint));
	x->d.account = str_dup_n(d->account, strlen(d->account));
	if (x->d.target == NULL || x->d.endpoint == NULL || x->d.account == NULL) {
		errand_free(x);
		return err_no_memory(e);
	}
	if (s->triggers.in_flight < TRIGGERS_MAX) {
		run(x);
		return ERR_OK;
	}
	if (s->triggers.first == NULL)
		s->triggers.first = x;
	else
		s->triggers.last->next = x;
	s->triggers.last = x;
	return ERR_OK;
}

void
triggers_drop(struct server *s)
{
	struct errand *x;

	while ((x = s->triggers.first) != NULL) {
		s->triggers.first = x->next;
		errand_free(x);
	}
	while ((x = s->triggers.running) != NULL) {
		s->triggers.running = x->next;
		errand_free(x);
	}
}
