/* Who is it, may it, and what should it hold: the endpoint and its credential become a grant. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/ports/compile.h"
#include "bsserver/ports/internal.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

/* A question that is under way. */
struct lookup {
	struct ports *p;
	uint64_t session;
	struct auth_answer answer;
	bool asked_again; /* with the credentials, since the compiled form is out of date */
	/* the refusal that is to be delivered */
	enum bs_reason reason;
	char text[512];
};

static void
lookup_free(struct lookup *l)
{
	auth_answer_clear(&l->answer);
	free(l);
}

static void
deliver_refusal(void *arg)
{
	struct lookup *l = arg;
	struct bs_event ev = { .type = BS_EV_REFUSED, .reason = l->reason, .text = l->text };

	l->p->c.deliver(l->p->c.arg, l->session, &ev);
	lookup_free(l);
}

static void PRINTF_LIKE(3, 4)
refuse(struct lookup *l, enum bs_reason reason, const char *fmt, ...)
{
	va_list ap;

	l->reason = reason;
	va_start(ap, fmt);
	(void)vsnprintf(l->text, sizeof l->text, fmt, ap);
	va_end(ap);
}

/* ERR_CONFLICT: what was compiled is out of date, and the credentials did not come along. */
static enum err_code
get_compiled(struct lookup *l, struct store_device *d, const struct store_credential *creds, size_t n,
    struct compiled *out, struct err *e)
{
	const struct ports_conf *c = &l->p->c;
	struct compile_input in = { .endpoint = d->endpoint, .doc = d->doc, .credentials = creds, .n_credentials = n };
	struct secret packed = SECRET_NONE;
	enum err_code rc;

	if (d->compiled.len > 0 && d->compiled_key != NULL &&
	    compile_unpack(c->shelf, &d->compiled, d->compiled_key, out, NULL) == ERR_OK)
		return ERR_OK;
	if (d->compiled.len > 0 && !l->asked_again)
		return err_set(e, ERR_CONFLICT, "the compiled form is out of date");
	rc = compile_device(c->shelf, c->model, &in, out, e);
	if (rc == ERR_OK && compile_pack(out, &packed, NULL) == ERR_OK)
		c->ops->compiled_put(c->store, d->endpoint, d->revision, &packed, out->key);
	secret_clear(&packed);
	return rc;
}

static char *
take(char **from)
{
	char *s = *from;

	*from = NULL;
	return s;
}

static void
grant(struct lookup *l, const struct store_device *d, struct compiled *c)
{
	struct bs_grant g = {
		.endpoint = take(&l->answer.endpoint),
		.rule = str_dup_n(gbuf_cstr(&l->answer.rule), l->answer.rule.len),
		.profile = take(&c->profile),
		.revision = MAX(d->revision, c->parents),
		.desired = c->desired,
		.fingerprints = take(&c->fingerprints),
		.remembered_format = d->remembered_format,
		.confirmed_revision = d->confirmed_revision,
	};
	struct bs_event ev = { .type = BS_EV_GRANTED, .grant = &g };

	c->desired = (struct profile_desired){ 0 };
	l->p->c.deliver(l->p->c.arg, l->session, &ev);
	bs_grant_clear(&g);
}

static void on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n_creds);

/* true: asked again, the answer comes later. */
static bool
on_found(struct lookup *l, struct store_device *d, const struct store_credential *creds, size_t n)
{
	struct compiled c = { 0 };
	struct err e;
	enum err_code rc;

	if (d->state != STORE_ACTIVE) {
		refuse(l, BS_REASON_BLOCKED, "%s is %s", d->endpoint, d->state == STORE_BLOCKED ? "blocked" : "retired");
		return false;
	}
	rc = get_compiled(l, d, creds, n, &c, &e);
	if (rc == ERR_CONFLICT && !l->asked_again) {
		l->asked_again = true;
		l->p->c.ops->device_get(l->p->c.store, d->endpoint, on_device, l);
		return true;
	}
	if (rc == ERR_NO_MEMORY)
		refuse(l, BS_REASON_NO_MEMORY, "%s", e.msg);
	else if (rc != ERR_OK)
		refuse(l, BS_REASON_BAD_PROFILE, "%s", e.msg);
	else if (c.nosec != l->answer.must_be_nosec)
		refuse(l, c.nosec ? BS_REASON_IDENTITY_MISMATCH : BS_REASON_NO_CREDENTIAL_RULE,
		    c.nosec ? "%s: the profile says that it knocks without credentials, and it has some" :
			      "%s, and its profile does not say that it may",
		    gbuf_cstr(&l->answer.rule));
	else
		grant(l, d, &c);
	compiled_clear(&c);
	return false;
}

static void
on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d, struct store_credential *creds,
    size_t n_creds)
{
	struct lookup *l = arg;

	l->reason = BS_REASON_NONE;
	if (rc == ERR_OK) {
		if (on_found(l, d, creds, n_creds))
			return;
	} else if (rc == ERR_NOT_FOUND)
		refuse(l, BS_REASON_UNKNOWN_ENDPOINT, "%s; that endpoint is not registered", gbuf_cstr(&l->answer.rule));
	else {
		log_msg(LVL_WARNING, LOG_PORTS, &(struct log_about){ .endpoint = l->answer.endpoint, .session = l->session },
		    "lookup failed (%s)", e->msg);
		refuse(l, BS_REASON_STORE, "the store did not answer: %s", e->msg);
	}
	if (l->reason == BS_REASON_NONE)
		lookup_free(l);
	else
		deliver_refusal(l); /* this is a turn of its own: it may be delivered at once */
}

static struct auth_question
question_of(const struct bs_lookup *q)
{
	return (struct auth_question){
		.credential = q->peer.mode == BS_PSK ? AUTH_PSK : AUTH_NOSEC,
		.identity = q->peer.identity,
		.identity_len = q->peer.identity_len,
		.endpoint = q->ep,
	};
}

void
ports_lookup(void *arg, uint64_t session, const struct bs_lookup *q)
{
	struct ports *p = arg;
	struct lookup *l = calloc(1, sizeof *l);
	struct auth_question question = question_of(q);

	if (l == NULL)
		return; /* the session's deadline answers */
	l->p = p;
	l->session = session;
	auth_decide(p->c.auth, &question, &l->answer);
	if (l->answer.granted) {
		p->c.ops->device_look(p->c.store, l->answer.endpoint, on_device, l);
		return;
	}
	refuse(l, l->answer.reason, "%s", gbuf_cstr(&l->answer.rule));
	loop_post(p->c.loop, deliver_refusal, l);
}
