#include "bsserver/handoff/handoff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/handoff/internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

/* ---- asks ---- */

static struct ask *
ask_find(const struct handoff *h, uint64_t session)
{
	struct table_node *n = table_first(&h->asks, table_hash_u64(&h->asks, session));

	for (; n != NULL; n = table_next(n)) {
		struct ask *a = CONTAINER_OF(n, struct ask, node);

		if (a->session == session)
			return a;
	}
	return NULL;
}

static void
ask_free(struct ask *a)
{
	table_remove(&a->h->asks, &a->node);
	for (size_t i = 0; i < a->n; i++) {
		free((char *)(uintptr_t)a->v[i].w.target);
		free((char *)(uintptr_t)a->v[i].w.account);
		secret_clear(&a->v[i].w.cred);
	}
	free(a->v);
	free(a->endpoint);
	free(a);
}

/* An answer in a turn of its own. */
struct answer {
	struct handoff *h;
	uint64_t session;
	enum handoff_stage stage;
	bool ok;
	struct gbuf text;
};

static void
deliver(void *arg)
{
	struct answer *x = arg;

	if (!x->h->stopped)
		x->h->c.answer(x->h->c.arg, x->session, x->stage, x->ok, gbuf_cstr(&x->text));
	gbuf_clear(&x->text);
	free(x);
}

static void
ask_answer(struct ask *a, bool ok, const struct want *failed)
{
	struct answer *x = calloc(1, sizeof *x);

	if (x == NULL)
		abort(); /* as loop_post() */
	*x = (struct answer){ .h = a->h, .session = a->session, .stage = (enum handoff_stage)a->waits, .ok = ok };
	x->text.max = 4096;
	for (size_t i = 0; ok && i < a->n; i++)
		if (a->v[i].text[0] != 0)
			gbuf_printf(&x->text, "%s%s", x->text.len > 0 ? "\n" : "", a->v[i].text);
	if (failed != NULL)
		gbuf_str(&x->text, failed->text);
	a->waits = -1;
	loop_post(a->h->c.loop, deliver, x);
}

/* Whether a want has got as far as the stage needs. */
static bool
has_reached(const struct want *w, enum handoff_stage stage)
{
	switch (stage) {
	case HANDOFF_RECORDED:
		return w->state != WANT_WAITS;
	case HANDOFF_TOLD:
		return w->state == WANT_TOLD;
	case HANDOFF_FINISHING:
		return w->finishing || w->job == NULL || w->job->row.state == STORE_HANDOFF_SETTLED ||
		    w->job->row.state == STORE_HANDOFF_RETIRING;
	}
	return false;
}

void
ask_look(struct ask *a)
{
	bool all = true;

	if (a->waits < 0 || a->loading)
		return;
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].state == WANT_FAILED) {
			ask_answer(a, false, &a->v[i]);
			return;
		}
		all = all && has_reached(&a->v[i], (enum handoff_stage)a->waits);
	}
	if (all)
		ask_answer(a, true, NULL);
}

static void
fail_want(struct want *w, const char *text)
{
	w->state = WANT_FAILED;
	(void)snprintf(w->text, sizeof w->text, "%s", text);
}

/* The row of a want, from what the store had (rows that another want took are empty), or new. */
static struct handing *
handing_for(struct ask *a, const struct want *w, struct store_handoff *rows, size_t n)
{
	struct handing *j = handing_find(a->h, a->endpoint, w->w.target);
	struct store_handoff fresh = { .endpoint = str_dup_n(a->endpoint, strlen(a->endpoint)),
		.target = str_dup_n(w->w.target, strlen(w->w.target)), .server = str_dup_n(w->w.account, strlen(w->w.account)) };

	for (size_t i = 0; j == NULL && i < n; i++)
		if (rows[i].target != NULL && strcmp(rows[i].target, w->w.target) == 0)
			j = handing_new(a->h, &rows[i]);
	if (j == NULL && fresh.endpoint != NULL && fresh.target != NULL && fresh.server != NULL)
		j = handing_new(a->h, &fresh);
	if (j != NULL && fresh.server != NULL) {
		free(j->row.server);
		j->row.server = fresh.server;
		fresh.server = NULL;
	}
	if (j != NULL)
		j->row.short_server_id = w->w.short_server_id;
	store_handoff_clear(&fresh);
	return j;
}

/* Whether there is such a server, and it has a place for such a credential. false: the want has failed. */
static bool
can_be_told(struct want *w)
{
	const struct handoff_server *s = handoff_server_named(w->ask->h, w->w.target);
	struct handoff_credential c;
	struct err e = { 0 };

	if (s == NULL)
		(void)err_set(&e, ERR_NOT_FOUND, "no LwM2M Server of the configuration is called %s", w->w.target);
	else if (handoff_unpack(&w->w.cred, &c, &e) == ERR_OK && (s->driver->modes & HANDOFF_HOLDS(c.mode)) == 0)
		(void)err_set(&e, ERR_UNSUPPORTED, "%s has no place for a credential of mode %s (driver %s)", w->w.target,
		    handoff_mode_name(c.mode), s->driver->name);
	if (e.code != ERR_OK)
		fail_want(w, e.msg);
	return e.code == ERR_OK;
}

static void
attach(struct want *w, struct store_handoff *rows, size_t n)
{
	struct ask *a = w->ask;

	if (!can_be_told(w))
		return;
	w->job = handing_for(a, w, rows, n);
	if (w->job == NULL) {
		fail_want(w, "memory is short");
		return;
	}
	w->job->want = w;
	w->job->begin = true;
}

static void
on_rows(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct ask *a = arg;

	(void)more;
	a->loading = false;
	if (a->ended) {
		ask_free(a);
		return;
	}
	for (size_t i = 0; i < a->n; i++) {
		if (rc != ERR_OK)
			fail_want(&a->v[i], e->msg);
		else
			attach(&a->v[i], v, n);
	}
	/* of a failed one none is begun */
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].state == WANT_FAILED) {
			ask_look(a);
			return;
		}
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].job != NULL)
			handing_go(a->v[i].job);
}

static bool
take_wants(struct ask *a, struct handoff_want *v, size_t n)
{
	bool ok = true;

	a->v = calloc(n, sizeof *a->v);
	if (a->v == NULL)
		return false;
	for (a->n = 0; a->n < n; a->n++) {
		struct want *w = &a->v[a->n];

		w->ask = a;
		w->w = v[a->n];
		v[a->n].cred = SECRET_NONE;
		w->w.target = str_dup_n(w->w.target, strlen(w->w.target));
		w->w.account = str_dup_n(w->w.account, strlen(w->w.account));
		ok = ok && w->w.target != NULL && w->w.account != NULL;
	}
	return ok;
}

void
handoff_ask(struct handoff *h, uint64_t session, const char *endpoint, struct handoff_want *v, size_t n)
{
	struct ask *a = calloc(1, sizeof *a);
	const struct store_handoff_page page = { .endpoint = endpoint, .secrets = true };

	if (a == NULL || table_add(&h->asks, &a->node, table_hash_u64(&h->asks, session)) != ERR_OK) {
		free(a);
		return; /* the session's deadline answers */
	}
	a->h = h;
	a->session = session;
	a->waits = HANDOFF_RECORDED;
	a->endpoint = str_dup_n(endpoint, strlen(endpoint));
	if (!take_wants(a, v, n) || a->endpoint == NULL) {
		ask_free(a);
		return;
	}
	a->loading = true;
	h->c.ops->handoff_list(h->c.store, &page, on_rows, a);
}

void
handoff_tell(struct handoff *h, uint64_t session)
{
	struct ask *a = ask_find(h, session);
	int64_t now = clock_wall_ms();

	if (a == NULL)
		return;
	a->waits = HANDOFF_TOLD;
	for (size_t i = 0; i < a->n; i++) {
		struct want *w = &a->v[i];

		w->give_up_ms = now + w->w.deadline_ms;
		if (w->job != NULL && w->state == WANT_RECORDED) {
			w->job->telling = true;
			handing_go(w->job);
		}
	}
	ask_look(a);
}

void
handoff_finish(struct handoff *h, uint64_t session)
{
	struct ask *a = ask_find(h, session);

	if (a == NULL)
		return;
	a->waits = HANDOFF_FINISHING;
	for (size_t i = 0; i < a->n; i++) {
		struct handing *j = a->v[i].job;

		if (j != NULL && (j->row.state == STORE_HANDOFF_TOLD || j->row.state == STORE_HANDOFF_INTENT)) {
			j->finish = true;
			handing_go(j);
		}
	}
	ask_look(a);
}

void
handoff_end(struct handoff *h, uint64_t session, enum handoff_event how)
{
	struct ask *a = ask_find(h, session);

	if (a == NULL)
		return;
	h->stats.doubts += how == HANDOFF_EV_DOUBT;
	for (size_t i = 0; i < a->n; i++) {
		struct handing *j = a->v[i].job;

		if (j == NULL || j->want != &a->v[i])
			continue;
		j->want = j->told_to = NULL;
		j->begin = j->finish = j->telling = j->clearing = false;
		j->ends = true;
		j->how = how;
		loop_timer_free(j->timer);
		j->timer = NULL;
		handing_go(j);
	}
	a->ended = true;
	a->waits = -1;
	if (!a->loading)
		ask_free(a);
}

/* ---- servers ---- */

struct server *
server_named(const struct handoff *h, const char *name)
{
	for (size_t i = 0; i < h->n_servers; i++)
		if (!h->servers[i]->gone && strcmp(h->servers[i]->s->name, name) == 0)
			return h->servers[i];
	return NULL;
}

const struct handoff_server *
handoff_server_at(const struct handoff *h, size_t i)
{
	for (size_t k = 0; k < h->n_servers; k++)
		if (!h->servers[k]->gone && i-- == 0)
			return h->servers[k]->s;
	return NULL;
}

const struct handoff_server *
handoff_server_named(const struct handoff *h, const char *name)
{
	const struct server *s = server_named(h, name);

	return s == NULL ? NULL : s->s;
}

void
handoff_server_clear(struct handoff_server *s)
{
	char *const texts[] = { s->name, s->url, s->ca_file, s->login, s->device_profile, s->domain, s->tell, s->tell_body, s->drop, s->drop_body,
		s->forget, s->forget_body, s->test, s->trigger, s->trigger_body };

	for (size_t i = 0; i < N_ELEMS(texts); i++)
		free(texts[i]);
	for (size_t i = 0; s->program != NULL && s->program[i] != NULL; i++)
		free(s->program[i]);
	free(s->program);
	secret_clear(&s->token);
	secret_clear(&s->password);
	*s = (struct handoff_server){ 0 };
}

struct handoff_server *
handoff_server_hold(struct handoff_server *s)
{
	s->holders++;
	return s;
}

void
handoff_server_release(struct handoff_server *s)
{
	if (s == NULL || --s->holders > 0)
		return;
	handoff_server_clear(s);
	free(s);
}

struct test {
	void (*done)(void *arg, bool ok, const char *text);
	void *arg;
};

static void
on_test(void *arg, enum handoff_word word, const struct err *why)
{
	struct test *t = arg;

	t->done(t->arg, word == HANDOFF_DONE, why == NULL ? "" : why->msg);
	free(t);
}

enum err_code
handoff_test(struct handoff *h, const char *target, void (*done)(void *arg, bool ok, const char *text), void *arg,
    struct err *e)
{
	struct server *s = server_named(h, target);
	struct handoff_order o = { .server = s == NULL ? NULL : s->s, .call = HANDOFF_CALL_TEST, .endpoint = "", .account = "" };
	struct test *t = s == NULL ? NULL : calloc(1, sizeof *t);

	if (s == NULL)
		return err_set(e, ERR_NOT_FOUND, "no LwM2M Server of the configuration is called %s", target);
	if (t == NULL)
		return err_no_memory(e);
	*t = (struct test){ done, arg };
	handoff_run(&h->runner, &o, on_test, t);
	return ERR_OK;
}

void
handoff_stats(const struct handoff *h, struct handoff_stats *out)
{
	*out = h->stats;
}

/* ---- open and close ---- */

enum err_code
handoff_open(const struct handoff_conf *c, struct handoff_server *servers, size_t n, struct handoff **out, struct err *e)
{
	struct handoff *h = calloc(1, sizeof *h);
	enum err_code rc = ERR_OK;

	if (h == NULL) {
		rc = err_no_memory(e);
		for (size_t i = 0; i < n; i++)
			handoff_server_clear(&servers[i]);
		return rc;
	}
	h->c = *c;
	table_init(&h->jobs, c->seed);
	table_init(&h->asks, c->seed);
	rc = servers_take(h, servers, n, e);
	if (rc == ERR_OK)
		rc = http_client_new(c->loop, &h->http, e);
	if (rc == ERR_OK)
		rc = loop_timer_new(c->loop, sweep_on_timer, h, &h->sweep, e);
	if (rc != ERR_OK) {
		handoff_stop(h);
		handoff_free(h);
		return rc;
	}
	h->runner = (struct handoff_runner){ .loop = c->loop, .http = h->http };
	*out = h;
	return ERR_OK;
}

void
handoff_stop(struct handoff *h)
{
	struct table_node *n = NULL;
	size_t at = 0;

	h->stopped = true;
	http_client_free(h->http);
	h->http = NULL;
	handoff_abandon(&h->runner);
	loop_timer_free(h->sweep);
	h->sweep = NULL;
	while ((n = table_each(&h->jobs, &at, n)) != NULL) {
		struct handing *j = CONTAINER_OF(n, struct handing, node);

		loop_timer_free(j->timer);
		j->timer = NULL;
	}
}

void
handoff_free(struct handoff *h)
{
	struct table_node *n;

	if (h == NULL)
		return;
	for (size_t at = 0; (n = table_each(&h->asks, &at, NULL)) != NULL; at = 0)
		ask_free(CONTAINER_OF(n, struct ask, node));
	for (size_t at = 0; (n = table_each(&h->jobs, &at, NULL)) != NULL; at = 0)
		handing_free(CONTAINER_OF(n, struct handing, node));
	table_clear(&h->asks);
	table_clear(&h->jobs);
	for (size_t i = 0; i < h->n_servers; i++) {
		triggers_drop(h->servers[i]);
		handoff_server_release(h->servers[i]->s);
		free(h->servers[i]);
	}
	free(h->servers);
	free(h->after_endpoint);
	free(h->after_target);
	free(h);
}
