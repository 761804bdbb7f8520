/* Who is it, may it, and what should it hold: the endpoint and its credential become a grant. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/ports/compile.h"
#include "bsserver/ports/handout.h"
#include "bsserver/ports/handover.h"
#include "bsserver/ports/internal.h"
#include "bsserver/ports/restore.h"
#include "bsserver/ports/rotate.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"

#define GIVEN_TEXT_MAX ((size_t)32 << 10)

/* A question that is under way. */
struct lookup {
	struct ports *p;
	uint64_t session;
	struct auth_answer answer;
	enum bs_mode mode;
	char anchor[65]; /* SHA-256 of the trust anchor that its certificate led to; "" */
	bool rotated;	  /* keys that were too old were made anew, if there were any */
	bool asked_again; /* with the credentials: the compiled form is out of date, or an account is to be made */
	/* the refusal that is to be delivered */
	enum bs_reason reason;
	uint32_t retry_after_s; /* HELD_BACK */
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
	struct bs_event ev = { .type = BS_EV_REFUSED, .reason = l->reason, .text = l->text,
		.retry_after_s = l->retry_after_s };

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

/* d->compiled is then that of *out. ERR_CONFLICT: what was compiled is out of date, and the credentials did not come along. */
static enum err_code
get_compiled(struct lookup *l, struct store_device *d, const struct store_credential *creds, size_t n,
    struct compiled *out, struct err *e)
{
	const struct ports_conf *c = &l->p->c;
	struct compile_input in = { .endpoint = d->endpoint, .doc = d->doc, .credentials = creds, .n_credentials = n };
	enum err_code rc;

	if (d->compiled.len > 0 && d->compiled_key != NULL &&
	    compile_unpack(c->shelf, &d->compiled, d->compiled_key, out, NULL) == ERR_OK)
		return ERR_OK;
	if (d->compiled.len > 0 && !l->asked_again)
		return err_set(e, ERR_CONFLICT, "the compiled form is out of date");
	secret_clear(&d->compiled);
	rc = compile_device(c->shelf, c->model, &in, out, e);
	if (rc == ERR_OK)
		rc = compile_pack(out, &d->compiled, e);
	if (rc == ERR_OK)
		c->ops->compiled_put(c->store, d->endpoint, d->revision, &d->compiled, out->key);
	return rc;
}

static char *
take(char **from)
{
	char *s = *from;

	*from = NULL;
	return s;
}

/* What is to be written: the profile's, or what an operator wanted back. */
struct choice {
	uint64_t revision; /* of document and parents, whatever is written */
	bool restoring;
	bool again; /* what was wanted last is wanted again, though a label has changed since */
	struct profile_desired *restore; /* NULL unless restoring; owned */
	struct secret wrote;		 /* packed */
	struct lwm2m_tree handover;	 /* empty: none is wanted */
};

static void
choice_clear(struct choice *ch)
{
	if (ch->restore != NULL)
		profile_desired_clear(ch->restore);
	free(ch->restore);
	secret_clear(&ch->wrote);
	lwm2m_tree_clear(&ch->handover);
}

static enum err_code
pack(const struct profile_desired *d, struct secret *out, struct err *e)
{
	struct gbuf g = { 0 };
	enum err_code rc = profile_desired_pack(d, &g, e);

	if (rc == ERR_OK)
		rc = secret_set(out, g.data, g.len, e);
	gbuf_clear(&g);
	return rc;
}

static enum err_code
choose(const struct ports_conf *c, const struct store_device *d, const struct compiled *now, struct choice *ch,
    struct err *e)
{
	const struct store_wish *w = &d->wishes[STORE_WISH_ROLLBACK];
	const struct restore r = { .wrote = &d->restore.wrote, .now = &now->desired,
		.with_credentials = w->with_credentials, .withdrawn = &d->restore.withdrawn, .agreed = w->number };
	enum err_code rc;

	ch->revision = MAX(d->revision, now->parents);
	ch->restoring = past_restores(d, ch->revision);
	if (!ch->restoring)
		return secret_copy(&ch->wrote, &d->compiled, e);
	ch->restore = calloc(1, sizeof *ch->restore);
	rc = ch->restore == NULL ? err_no_memory(e) : restore_make(&r, c->model, ch->restore, e);
	if (rc == ERR_OK)
		rc = pack(ch->restore, &ch->wrote, e);
	return rc == ERR_OK ? rc :
			      err_wrap(e, "what session %" PRIu64 " left is to be restored", w->session);
}

static enum err_code
choose_account(const struct ports_conf *c, const struct store_device *d, const struct store_credential *creds,
    size_t n, struct choice *ch, struct err *e)
{
	const struct store_wish *w = &d->wishes[STORE_WISH_HANDOVER];
	const struct handover h = { .endpoint = d->endpoint, .profile = w->profile, .credentials = creds,
		.n_credentials = n };

	if (w->number == 0)
		return ERR_OK;
	enum err_code rc = handover_make(c->shelf, c->model, &h, &ch->handover, e);
	if (rc != ERR_OK)
		err_wrap(e, "it is to be handed over");
	return rc;
}

/* "101=1796000000": until when the certificates of each account are valid. */
static void
put_expiries(const struct handout_items *l, struct gbuf *out)
{
	for (size_t i = 0; i < l->n; i++) {
		int64_t ssid = l->v[i].short_server_id, end = INT64_MAX;
		bool first = true;

		for (size_t k = 0; k < l->n; k++) {
			if (l->v[k].short_server_id != ssid || l->v[k].cert == NULL)
				continue;
			first = first && k >= i;
			end = MIN(end, l->v[k].cert->not_after);
		}
		if (first && ssid >= 0 && l->v[i].cert != NULL)
			gbuf_printf(out, "%s%" PRId64 "=%" PRId64, out->len > 0 ? " " : "", ssid, end);
	}
}

/* Which certificates this session is about, for the grant and for its record. */
static enum err_code
note_certificates(struct bs_grant *g, struct given *given, struct err *e)
{
	struct handout_items items = { 0 };
	struct gbuf json = { .max = GIVEN_TEXT_MAX }, ends = { .max = 4096 };
	enum err_code rc = handout_list(&g->desired, g->handover.n > 0 ? &g->handover : NULL, &items, e);

	if (rc == ERR_OK && items.n > 0)
		put_expiries(&items, &ends);
	handout_items_json(&items, &json);
	if (rc == ERR_OK && ends.len > 0)
		g->expiries = str_dup_n(gbuf_cstr(&ends), ends.len);
	if (rc == ERR_OK && given != NULL && !json.failed)
		given->given = str_dup_n(gbuf_cstr(&json), json.len);
	gbuf_clear(&json);
	gbuf_clear(&ends);
	handout_items_clear(&items);
	return rc;
}

/* So that the record, when it comes, is kept with what was written and what it was about. */
static struct given *
remember(struct lookup *l, const struct store_device *d, struct choice *ch)
{
	struct given *g;

	if (given_add(&l->p->given, l->session, &ch->wrote, &g, NULL) != ERR_OK)
		return NULL;
	g->anchor = l->anchor[0] == '\0' ? NULL : str_dup_n(l->anchor, strlen(l->anchor));
	g->same_wrote = ch->again ? d->held.session : 0;
	g->wanted_revision = ch->revision;
	g->fulfilled[STORE_WISH_ROLLBACK] = ch->restoring ? d->wishes[STORE_WISH_ROLLBACK].number : 0;
	g->fulfilled[STORE_WISH_HANDOVER] = d->wishes[STORE_WISH_HANDOVER].number;
	return g;
}

static char *
copy_of(const char *s)
{
	return s == NULL ? NULL : str_dup_n(s, strlen(s));
}

/* All of it; what it is made of is moved out. */
static void
fill_grant(struct lookup *l, const struct store_device *d, struct compiled *c, struct choice *ch,
    struct bs_grant *g)
{
	const struct store_wish *w = &d->wishes[STORE_WISH_ROLLBACK];
	bool keys_of_then = ch->restoring && w->with_credentials;

	g->endpoint = take(&l->answer.endpoint);
	g->rule = str_dup_n(gbuf_cstr(&l->answer.rule), l->answer.rule.len);
	g->profile = take(&c->profile);
	g->revision = ch->restoring ? d->restore.revision : ch->revision;
	g->fingerprints = keys_of_then ? copy_of(d->restore.fingerprints) : take(&c->fingerprints);
	g->desired = c->desired;
	c->desired = (struct profile_desired){ 0 };
	g->restore = ch->restore;
	ch->restore = NULL;
	g->handover = ch->handover;
	ch->handover = (struct lwm2m_tree){ 0 };
	g->history.invited = g->handover.n > 0 || (ch->restoring && w->done_session == 0);
	g->history.good_revision = ch->again ? g->revision : 0;
	g->confirmed_revision = ch->again ? d->confirmed_revision : 0;
}

static enum err_code
grant(struct lookup *l, const struct store_device *d, const struct store_credential *creds, size_t n,
    struct compiled *c, struct err *e)
{
	struct choice ch = { .wrote = SECRET_NONE };
	struct bs_grant g = { .remembered_format = d->remembered_format };
	struct bs_event ev = { .type = BS_EV_GRANTED, .grant = &g };
	enum err_code rc = choose(&l->p->c, d, c, &ch, e);

	if (rc == ERR_OK)
		rc = choose_account(&l->p->c, d, creds, n, &ch, e);
	ch.again = rc == ERR_OK && d->held.session != 0 &&
	    secret_equal(ch.restoring ? &ch.wrote : &d->compiled, &d->held.wrote);
	if (rc == ERR_OK)
		rc = past_history(d, !ch.again ? NULL : ch.restoring ? ch.restore : &c->desired, clock_wall_ms(),
		    &g.history, e);
	if (rc == ERR_OK) {
		fill_grant(l, d, c, &ch, &g);
		rc = note_certificates(&g, remember(l, d, &ch), e);
	}
	if (rc == ERR_OK) {
		l->p->c.deliver(l->p->c.arg, l->session, &ev);
	}
	bs_grant_clear(&g);
	choice_clear(&ch);
	return rc;
}

static void on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n_creds);

/* A document without a word about it leaves it to the rules, but for knocking without credentials. */
static bool
knocks_as_written(const struct lookup *l, const struct compiled *c)
{
	static const char *const words[] = {
		[BS_NOSEC] = "nosec", [BS_PSK] = "psk", [BS_RPK] = "rpk", [BS_X509] = "x509" };

	return strcmp(c->knock, "any") == 0 ? l->mode != BS_NOSEC : strcmp(c->knock, words[l->mode]) == 0;
}

static void
on_rotated(void *arg, enum err_code rc, const struct err *e, bool changed)
{
	struct lookup *l = arg;

	if (rc != ERR_OK) {
		refuse(l, BS_REASON_STORE, "its keys were to be made anew: %s", e->msg);
		deliver_refusal(l);
		return;
	}
	l->asked_again |= changed;
	if (l->asked_again)
		l->p->c.ops->device_get(l->p->c.store, l->answer.endpoint, on_device, l);
	else
		l->p->c.ops->device_look(l->p->c.store, l->answer.endpoint, on_device, l);
}

/* Keys of what the profile says; what is restored is another's choice. true: the answer comes later. */
static bool
rotates(struct lookup *l, const struct store_device *d, const struct compiled *c)
{
	if (l->rotated || !rotate_wanted(&c->desired) || past_restores(d, MAX(d->revision, c->parents)))
		return false;
	l->rotated = true;
	rotate_keys(l->p, d, &c->desired, on_rotated, l);
	return true;
}

static bool
is_held_back(struct lookup *l, const char *endpoint)
{
	const struct ports_conf *c = &l->p->c;

	l->retry_after_s = c->hold_back == NULL ? 0 : c->hold_back(c->arg, endpoint);
	return l->retry_after_s > 0;
}

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
	if ((rc == ERR_CONFLICT || d->wishes[STORE_WISH_HANDOVER].number != 0) && !l->asked_again) {
		compiled_clear(&c);
		l->asked_again = true;
		l->p->c.ops->device_get(l->p->c.store, d->endpoint, on_device, l);
		return true;
	}
	if (rc == ERR_NO_MEMORY)
		refuse(l, BS_REASON_NO_MEMORY, "%s", e.msg);
	else if (rc != ERR_OK)
		refuse(l, BS_REASON_BAD_PROFILE, "%s", e.msg);
	else if (!knocks_as_written(l, &c))
		refuse(l, l->mode == BS_NOSEC ? BS_REASON_NO_CREDENTIAL_RULE : BS_REASON_IDENTITY_MISMATCH,
		    "%s, and its profile says that it knocks with %s", gbuf_cstr(&l->answer.rule), c.knock);
	else if (is_held_back(l, d->endpoint))
		refuse(l, BS_REASON_HELD_BACK, "%s; it came back again and again without registering, and is to wait %u s",
		    gbuf_cstr(&l->answer.rule), l->retry_after_s);
	else if (rotates(l, d, &c)) {
		compiled_clear(&c);
		return true;
	} else if (grant(l, d, creds, n, &c, &e) != ERR_OK)
		refuse(l, e.code == ERR_NO_MEMORY ? BS_REASON_NO_MEMORY : BS_REASON_BAD_PROFILE, "%s", e.msg);
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

/* The rules, asked with what the peer proved. Out of memory refuses. */
static void
decide(const struct auth *a, const struct bs_lookup *q, struct auth_answer *out)
{
	static const enum auth_credential credentials[] = {
		[BS_NOSEC] = AUTH_NOSEC, [BS_PSK] = AUTH_PSK, [BS_RPK] = AUTH_RPK, [BS_X509] = AUTH_X509 };
	struct auth_question question = {
		.credential = credentials[q->peer.mode],
		.identity = q->peer.identity,
		.identity_len = q->peer.identity_len,
		.trust = q->peer.trust,
		.endpoint = q->ep,
	};
	struct gbuf pin = { .max = 128 };
	struct pki_cert *cert = NULL;

	if (q->peer.n_chain > 0) {
		struct pki_blob own = { q->peer.chain[0].data, q->peer.chain[0].len };

		if (auth_pin(question.credential, own, &pin, NULL) == ERR_OK && !pin.failed)
			question.pin = gbuf_cstr(&pin);
		if (q->peer.mode == BS_X509 && pki_cert_parse(own.p, own.n, &cert, NULL) == ERR_OK)
			question.cert = cert;
	}
	auth_decide(a, &question, out);
	pki_cert_unref(cert);
	gbuf_clear(&pin);
}

/* Since the handshake, which may be long ago, its trust anchor may have been retired. */
static bool
is_trusted_still(const struct ports *p, const struct bs_peer *peer)
{
	const struct bs_blob *anchor = peer->n_chain > 0 ? &peer->chain[peer->n_chain - 1] : NULL;

	if (peer->mode != BS_X509 || p->c.trust == NULL)
		return true;
	return anchor != NULL &&
	    trust_counts(p->c.trust, peer->trust, (struct pki_blob){ anchor->data, anchor->len });
}

void
ports_lookup(void *arg, uint64_t session, const struct bs_lookup *q)
{
	struct ports *p = arg;
	struct lookup *l = calloc(1, sizeof *l);

	if (l == NULL)
		return; /* the session's deadline answers */
	l->p = p;
	l->session = session;
	l->mode = q->peer.mode;
	if (q->peer.mode == BS_X509 && q->peer.n_chain > 0) {
		const struct bs_blob *anchor = &q->peer.chain[q->peer.n_chain - 1];

		if (crypt_sha256_hex(anchor->data, anchor->len, l->anchor, NULL) != ERR_OK)
			l->anchor[0] = '\0';
	}
	if (!is_trusted_still(p, &q->peer)) {
		refuse(l, BS_REASON_CERTIFICATE,
		    "the trust anchor that its certificate led to in the handshake is trusted no more");
		loop_post(p->c.loop, deliver_refusal, l);
		return;
	}
	decide(p->c.auth, q, &l->answer);
	if (l->answer.granted) {
		p->c.ops->device_look(p->c.store, l->answer.endpoint, on_device, l);
		return;
	}
	refuse(l, l->answer.reason, "%s", gbuf_cstr(&l->answer.rule));
	loop_post(p->c.loop, deliver_refusal, l);
}
