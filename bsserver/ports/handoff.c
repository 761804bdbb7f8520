/* The engine's questions about hand-offs, put to bsserver/handoff. */
#include "bsserver/ports/handoff.h"

#include <stdlib.h>

#include "bsserver/ports/internal.h"
#include "lib/lwm2m/object.h"

#define MODE 2
#define IDENTITY 3
#define SECRET_KEY 5

static const struct lwm2m_value *
value_at(const struct profile_desired *d, const struct profile_handoff *h, uint16_t rid)
{
	return lwm2m_tree_get(&d->tree, lwm2m_path3(LWM2M_SECURITY, h->account, rid));
}

enum err_code
ports_handoff_credential(const struct profile_desired *d, const struct profile_handoff *h, struct secret *out,
    struct err *e)
{
	static const enum handoff_mode modes[] = { HANDOFF_PSK, HANDOFF_RPK, HANDOFF_X509 };
	const struct lwm2m_value *mode = value_at(d, h, MODE), *id = value_at(d, h, IDENTITY),
	                         *key = value_at(d, h, SECRET_KEY);
	struct handoff_credential c = { .short_server_id = h->short_server_id };
	int64_t m = -1;

	if (mode == NULL || !lwm2m_value_number(mode, &m) || m < 0 || m > HANDOFF_X509)
		return err_set(e, ERR_INVALID, "server %s: its account has no credential", h->server);
	c.mode = modes[m];
	if (id != NULL) {
		c.identity = id->bytes.data;
		c.identity_len = id->bytes.len;
	}
	if (c.mode == HANDOFF_PSK && key != NULL) {
		c.key = key->bytes.data;
		c.key_len = key->bytes.len;
	}
	if ((c.mode == HANDOFF_PSK && c.key_len == 0) || (c.mode != HANDOFF_X509 && c.identity_len == 0))
		return err_set(e, ERR_INVALID, "server %s: its credential is not known here, so nobody can be told of it",
		    h->server);
	return handoff_pack(&c, out, e);
}

/* ---- answers that need nobody ---- */

struct said {
	struct ports *p;
	uint64_t session;
	enum bs_event_type type;
	struct err why;
};

static void
deliver(void *arg)
{
	struct said *s = arg;
	struct bs_event ev = { .type = s->type, .text = s->why.msg };

	s->p->c.deliver(s->p->c.arg, s->session, &ev);
	free(s);
}

static void
say_later(struct ports *p, uint64_t session, enum bs_event_type type, const struct err *why)
{
	struct said *s = calloc(1, sizeof *s);

	if (s == NULL)
		return; /* the session's deadline answers */
	*s = (struct said){ .p = p, .session = session, .type = type };
	if (why != NULL)
		s->why = *why;
	loop_post(p->c.loop, deliver, s);
}

/* ---- questions ---- */

static enum err_code
want(const struct bs_grant *g, size_t i, struct handoff_want *out, struct err *e)
{
	const struct profile_handoff *h = &g->desired.handoffs[i];

	*out = (struct handoff_want){ .target = h->to, .account = h->server, .short_server_id = h->short_server_id,
		.late = h->within_delay, .deadline_ms = h->deadline_ms, .cred = SECRET_NONE };
	return ports_handoff_credential(&g->desired, h, &out->cred, e);
}

void
ports_keep(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct ports *p = arg;
	size_t n = g->desired.n_handoffs;
	struct handoff_want *v = calloc(n + 1, sizeof *v);
	struct err e = { 0 };
	enum err_code rc = v == NULL ? err_no_memory(&e) : ERR_OK;

	if (rc == ERR_OK && (p->c.handoff == NULL || handoff_server_at(p->c.handoff, 0) == NULL))
		rc = err_set(&e, ERR_INVALID, "the profile hands off to %s, and the configuration has no lwm2m_servers",
		    g->desired.handoffs[0].to);
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = want(g, i, &v[i], &e);
	if (rc == ERR_OK)
		handoff_ask(p->c.handoff, session, g->endpoint, v, n);
	else
		say_later(p, session, BS_EV_KEEP_FAILED, &e);
	for (size_t i = 0; v != NULL && i < n; i++)
		secret_clear(&v[i].cred);
	free(v);
}

void
ports_handoff(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct ports *p = arg;

	(void)g;
	handoff_tell(p->c.handoff, session);
}

void
ports_settle(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct ports *p = arg;

	(void)g;
	handoff_finish(p->c.handoff, session);
}

void
ports_handed_off(void *arg, uint64_t session, enum handoff_stage stage, bool ok, const char *text)
{
	static const enum bs_event_type events[][2] = {
		[HANDOFF_RECORDED] = { BS_EV_KEEP_FAILED, BS_EV_KEPT },
		[HANDOFF_TOLD] = { BS_EV_HANDOFF_FAILED, BS_EV_HANDED_OFF },
		[HANDOFF_FINISHING] = { BS_EV_SETTLE_FAILED, BS_EV_SETTLED },
	};
	struct ports *p = arg;
	struct bs_event ev = { .type = events[stage][ok], .text = text };

	p->c.deliver(p->c.arg, session, &ev);
}
