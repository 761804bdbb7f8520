#include "bsserver/registry/ways.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/util.h"
#include "lib/lwm2m/corelink.h"
#include "lib/lwm2m/format.h"
#include "lib/lwm2m/tree.h"

#define SERVERS_MAX 64 /* that one device was told to */

/* An LwM2M Server that a device may be called back through. */
struct through {
	char *target, *account;
	uint16_t short_server_id;
	int instance;
};

/* One device that a way is sought for. */
struct seeking {
	struct seeking *prev, *next;
	struct ways *w;
	struct through *v;
	size_t n, at;
	uint64_t tag;
	trigger_answer_fn *fn; /* NULL: it is only found, and told to: */
	trigger_found_fn *found;
	void *arg;
	char endpoint[];
};

struct ways {
	struct ways_conf c;
	struct seeking *all;
	bool closed;
};

static void
seeking_clear(struct seeking *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].target);
		free(s->v[i].account);
	}
	free(s->v);
	free(s);
}

static void
seeking_free(struct seeking *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		s->w->all = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	seeking_clear(s);
}

static struct seeking *
seeking_new(struct ways *w, const char *endpoint)
{
	size_t len = strlen(endpoint);
	struct seeking *s = calloc(1, sizeof *s + len + 1);

	if (s == NULL)
		abort(); /* an answer that never comes would be worse */
	s->w = w;
	memcpy(s->endpoint, endpoint, len + 1);
	s->next = w->all;
	if (s->next != NULL)
		s->next->prev = s;
	w->all = s;
	return s;
}

/* ---- which instance ---- */

static int
instance_in_links(const char *links, uint16_t short_server_id)
{
	struct lwm2m_links l = { 0 };
	int found = HANDOFF_INSTANCE_UNKNOWN;

	if (links == NULL || lwm2m_links_parse(links, strlen(links), &l, NULL) != ERR_OK)
		return found;
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].path.depth == LWM2M_INSTANCE && l.v[i].path.id[0] == LWM2M_SERVER && l.v[i].ssid == short_server_id)
			found = l.v[i].path.id[1];
	lwm2m_links_clear(&l);
	return found;
}

static int
instance_in_values(const struct lwm2m_model *m, const char *values, uint16_t short_server_id)
{
	const struct lwm2m_path root = { .depth = 0 };
	struct lwm2m_tree t = { 0 };
	int found = HANDOFF_INSTANCE_UNKNOWN;
	int64_t n;

	if (values == NULL ||
	    lwm2m_senml_json_decode(m, root, (const uint8_t *)values, strlen(values), &t, NULL) != ERR_OK)
		return found;
	for (size_t i = 0; i < t.n; i++) {
		const struct lwm2m_node *x = &t.nodes[i];

		if (x->path.depth == LWM2M_RESOURCE && x->path.id[0] == LWM2M_SERVER && x->path.id[2] == 0 &&
		    lwm2m_value_number(&x->value, &n) && n == short_server_id)
			found = x->path.id[1];
	}
	lwm2m_tree_clear(&t);
	return found;
}

int
ways_instance(const struct lwm2m_model *m, const struct store_held *h, uint16_t short_server_id)
{
	int found = instance_in_values(m, h->values, short_server_id);

	return found >= 0 ? found : instance_in_links(h->links, short_server_id);
}

/* ---- the answer ---- */

static enum trigger_reach
reach_here(const struct ways *w, const char *endpoint)
{
	return w->c.registry.reach == NULL ? TRIGGER_STRANGER : w->c.registry.reach(w->c.registry.arg, endpoint);
}

static void
answer(struct seeking *s, enum trigger_result result, uint8_t code, const char *said)
{
	const struct trigger_answer a = { .result = result, .code = code, .said = said,
		.via = s->at < s->n ? s->v[s->at].target : NULL };

	s->fn(s->arg, s->tag, &a);
	seeking_free(s);
}

/* There is no LwM2M Server to ask: it is the registry's, if it was ever there. */
static void
nowhere(struct seeking *s)
{
	enum trigger_reach reach = reach_here(s->w, s->endpoint);

	if (s->fn != NULL) {
		answer(s, reach == TRIGGER_STRANGER ? TRIGGER_UNKNOWN : TRIGGER_GONE, 0, NULL);
		return;
	}
	s->found(s->arg, reach, NULL);
	seeking_free(s);
}

static void ask(struct seeking *s);

static const struct {
	enum trigger_result result;
	const char *said; /* NULL: what the server says */
} heards[HANDOFF_SAID__COUNT] = {
	[HANDOFF_SAID_NO] = { TRIGGER_FORBIDDEN, NULL },
	[HANDOFF_SAID_NOBODY] = { TRIGGER_NOBODY, NULL },
	[HANDOFF_SAID_CODE] = { TRIGGER_ANSWERED, "" },
	[HANDOFF_SAID_YES] = { TRIGGER_ACCEPTED, "" },
	[HANDOFF_SAID_QUEUED] = { TRIGGER_IN_LINE, "it sleeps, and is told when it wakes" },
	[HANDOFF_SAID_ASLEEP] = { TRIGGER_AGAIN, "it sleeps, and which instance of Object 1 is its account is not known" },
	[HANDOFF_SAID_ABSENT] = { TRIGGER_AGAIN, "it is not registered there" },
	[HANDOFF_SAID_SILENT] = { TRIGGER_NO_ANSWER, "it did not answer there" },
};

static void
on_heard(void *arg, const struct handoff_heard *h, const char *text)
{
	struct seeking *s = arg;

	if (s->w->closed) {
		seeking_free(s);
		return;
	}
	if (h->said == HANDOFF_SAID_ABSENT && s->at + 1 < s->n) {
		s->at++;
		ask(s);
		return;
	}
	answer(s, heards[h->said].result, h->code, heards[h->said].said == NULL ? text : heards[h->said].said);
}

static void
ask(struct seeking *s)
{
	const struct through *t = &s->v[s->at];
	const struct handoff_errand d = { .target = t->target, .endpoint = s->endpoint, .account = t->account,
		.short_server_id = t->short_server_id, .instance = t->instance };
	struct err e = { 0 };

	if (handoff_trigger(s->w->c.handoff, &d, on_heard, s, &e) != ERR_OK)
		answer(s, TRIGGER_NOBODY, 0, e.msg);
}

/* ---- who was told of it ---- */

static bool
may_ask(const struct ways *w, const struct store_handoff *h)
{
	const struct handoff_server *s = handoff_server_named(w->c.handoff, h->target);

	return h->state != STORE_HANDOFF_LEAVING && s != NULL && handoff_can_trigger(s);
}

static void
on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d, struct store_credential *creds,
    size_t n)
{
	struct seeking *s = arg;

	(void)e;
	(void)creds;
	(void)n;
	if (s->w->closed) {
		seeking_free(s);
		return;
	}
	for (size_t i = 0; rc == ERR_OK && i < s->n; i++)
		s->v[i].instance = ways_instance(s->w->c.model, &d->held, s->v[i].short_server_id);
	ask(s);
}

static bool
take(struct seeking *s, const struct store_handoff *h)
{
	struct through *t = &s->v[s->n];

	*t = (struct through){ .target = str_dup_n(h->target, strlen(h->target)),
		.account = str_dup_n(h->server, strlen(h->server)), .short_server_id = h->short_server_id,
		.instance = HANDOFF_INSTANCE_UNKNOWN };
	s->n++;
	return t->target != NULL && t->account != NULL;
}

static void
on_rows(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool more)
{
	struct seeking *s = arg;
	struct ways *w = s->w;
	bool ok = rc == ERR_OK;

	(void)more;
	if (w->closed) {
		if (s->fn == NULL)
			s->found(s->arg, TRIGGER_STRANGER, NULL); /* a request of the API waits for it */
		seeking_free(s);
		return;
	}
	s->v = ok ? calloc(n + 1, sizeof *s->v) : NULL;
	ok = s->v != NULL;
	for (size_t i = 0; ok && i < n; i++)
		if (may_ask(w, &v[i]))
			ok = take(s, &v[i]);
	if (!ok && s->fn != NULL) {
		s->at = s->n;
		answer(s, TRIGGER_NOBODY, 0, rc != ERR_OK ? e->msg : "memory is short");
	} else if (s->n == 0 || !ok) {
		nowhere(s);
	} else if (s->fn == NULL) {
		s->found(s->arg, TRIGGER_PERHAPS, s->v[0].target);
		seeking_free(s);
	} else {
		w->c.ops->device_look(w->c.store, s->endpoint, on_device, s);
	}
}

static void
seek(struct seeking *s)
{
	const struct store_handoff_page page = { .endpoint = s->endpoint, .limit = SERVERS_MAX };

	s->w->c.ops->handoff_list(s->w->c.store, &page, on_rows, s);
}

/* ---- the way ---- */

static enum trigger_reach
reach(void *arg, const char *endpoint)
{
	const struct ways *w = arg;
	enum trigger_reach here = reach_here(w, endpoint);
	const struct handoff_server *s;

	if (here == TRIGGER_AWAKE || here == TRIGGER_ASLEEP || w->c.handoff == NULL || w->closed)
		return here;
	for (size_t i = 0; (s = handoff_server_at(w->c.handoff, i)) != NULL; i++)
		if (handoff_can_trigger(s))
			return TRIGGER_PERHAPS;
	return here;
}

static int64_t
registered_ms(void *arg, const char *endpoint)
{
	const struct ways *w = arg;

	return w->c.registry.reach == NULL ? 0 : w->c.registry.registered_ms(w->c.registry.arg, endpoint);
}

static void
execute(void *arg, const char *endpoint, uint64_t tag, trigger_answer_fn *fn, void *fn_arg)
{
	struct ways *w = arg;
	struct seeking *s;

	if (reach(w, endpoint) != TRIGGER_PERHAPS && w->c.registry.reach != NULL) {
		w->c.registry.execute(w->c.registry.arg, endpoint, tag, fn, fn_arg);
		return;
	}
	s = seeking_new(w, endpoint);
	s->tag = tag;
	s->fn = fn;
	s->arg = fn_arg;
	seek(s);
}

static void
find(void *arg, const char *endpoint, trigger_found_fn *fn, void *fn_arg)
{
	struct ways *w = arg;
	enum trigger_reach r = reach(w, endpoint);
	struct seeking *s;

	if (r != TRIGGER_PERHAPS || w->closed) {
		fn(fn_arg, r, NULL);
		return;
	}
	s = seeking_new(w, endpoint);
	s->found = fn;
	s->arg = fn_arg;
	seek(s);
}

struct trigger_way
ways_way(struct ways *w)
{
	return (struct trigger_way){ .arg = w, .reach = reach, .registered_ms = registered_ms, .execute = execute,
		.find = find };
}

enum err_code
ways_open(const struct ways_conf *c, struct ways **out, struct err *e)
{
	struct ways *w = calloc(1, sizeof *w);

	if (w == NULL)
		return err_no_memory(e);
	w->c = *c;
	*out = w;
	return ERR_OK;
}

void
ways_close(struct ways *w)
{
	if (w != NULL)
		w->closed = true;
}

void
ways_free(struct ways *w)
{
	if (w == NULL)
		return;
	for (struct seeking *s = w->all, *next; s != NULL; s = next) {
		next = s->next;
		seeking_clear(s);
	}
	free(w);
}
