#include "bsserver/registry/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/registry/registry_internal.h"
#include "lib/base/clock.h"
#include "lib/base/crypt.h"
#include "lib/base/log.h"
#include "lib/base/util.h"

#define CODE(class, detail) ((uint8_t)((class) << 5 | (detail)))
enum {
	CREATED = CODE(2, 1),
	DELETED = CODE(2, 2),
	CHANGED = CODE(2, 4),
	BAD_REQUEST = CODE(4, 0),
	FORBIDDEN = CODE(4, 3),
	NOT_FOUND = CODE(4, 4),
	PRECONDITION = CODE(4, 12),
	TOO_LARGE = CODE(4, 13),
	FORMAT = CODE(4, 15),
	INTERNAL = CODE(5, 0),
	UNAVAILABLE = CODE(5, 3),
};
#define QUERIES_MAX 32
#define LINK_FORMAT 40
#define RETRY_AFTER_S 60
#define TICK_MS 1000
#define KEEP_MS 600000

static void
say(enum log_level level, const struct reg *g, const char *what)
{
	log_msg(level, LOG_REGISTRY, &(struct log_about){ .endpoint = g->endpoint, .peer = g->addr }, "%s", what);
}

/* ---- answers ---- */

static void
answer(struct registry *r, const struct transport_request *q, uint8_t code, const char *text)
{
	transport_reply(r->transport, q->request, code, code == UNAVAILABLE ? RETRY_AFTER_S : 0, text);
	transport_release(r->transport, q->peer, false);
}

static void
refuse(struct registry *r, const struct transport_request *q, uint8_t code, const char *why)
{
	r->stats.refused++;
	log_msg(LVL_INFO, LOG_REGISTRY, &(struct log_about){ .peer = q->addr }, "refused with %u.%02u (%s)",
	    code >> 5, code & 31U, why);
	answer(r, q, code, why);
}

static uint8_t
code_of(enum err_code rc)
{
	switch (rc) {
	case ERR_UNSUPPORTED:
		return PRECONDITION;
	case ERR_PARSE:
		return BAD_REQUEST;
	case ERR_LIMIT:
		return TOO_LARGE;
	case ERR_BUSY:
		return UNAVAILABLE;
	default:
		return INTERNAL;
	}
}

/* ---- who it is ---- */

/* Whether what it showed is that endpoint's; one that is not said yet is filled in. */
static bool
is_whose(const struct registry *r, const struct transport_identity *who, char ep[REG_ENDPOINT_MAX + 1], const char **why)
{
	*why = "ep is not the endpoint that these credentials were written for";
	if (who->kind == TRANSPORT_RPK || who->kind == TRANSPORT_X509)
		return r->hooks.whose != NULL && r->hooks.whose(r->hooks.arg, who, ep, why);
	if (who->kind == TRANSPORT_NONE)
		return true;
	if (ep[0] == 0 && who->len <= REG_ENDPOINT_MAX)
		memcpy(ep, who->bytes, who->len + 1);
	return strlen(ep) == who->len && memcmp(ep, who->bytes, who->len) == 0;
}

/* The endpoint that it is, by what it showed and what it says; NULL: refused, and answered. */
static const char *
endpoint_of(struct registry *r, const struct transport_request *q, struct reg_request *req)
{
	const struct transport_identity *who = &q->identity;
	const char *why;

	if (who->kind == TRANSPORT_NONE && req->ep[0] == 0)
		refuse(r, q, BAD_REQUEST, "query: ep is missing, and nothing else says who this is");
	else if (!is_whose(r, who, req->ep, &why))
		refuse(r, q, FORBIDDEN, why);
	else if (!r->hooks.may(r->hooks.arg, req->ep, who->kind))
		refuse(r, q, FORBIDDEN,
		    who->kind == TRANSPORT_NONE ? "no such device registers here without credentials" :
						  "no such device may register here");
	else
		return req->ep;
	return NULL;
}

static bool
read_request(struct registry *r, const struct transport_request *q, enum reg_op op, struct reg_request *req)
{
	struct reg_query v[QUERIES_MAX];
	struct err e = { 0 };
	size_t n = MIN(q->n_queries, (size_t)QUERIES_MAX);

	for (size_t i = 0; i < n; i++)
		v[i] = (struct reg_query){ q->queries[i].data, q->queries[i].len };
	enum err_code rc = reg_request_parse(v, n, op, req, &e);
	if (rc != ERR_OK)
		refuse(r, q, code_of(rc), e.msg);
	else if (q->payload_len > 0 && q->format >= 0 && q->format != LINK_FORMAT)
		refuse(r, q, FORMAT, "the list of Objects is in CoRE link format (40)");
	else
		return true;
	return false;
}

static struct regs_news
news_of(const struct transport_request *q, const struct reg_request *req, const char *endpoint)
{
	return (struct regs_news){
		.endpoint = endpoint,
		.request = req,
		.links = q->payload_len > 0 ? (const char *)q->payload : NULL,
		.links_len = q->payload_len,
		.addr = q->addr,
		.secure = q->identity.kind != TRANSPORT_NONE,
		.mono_ms = clock_mono_ms(),
		.wall_ms = clock_wall_ms(),
	};
}

/* Its session is the one that it spoke on last. */
static void
take_seat(struct registry *r, struct reg *g, uint64_t peer)
{
	uint64_t before = g->seat;

	g->seat = transport_keep(r->transport, peer);
	if (before != 0)
		transport_unkeep(r->transport, before);
}

static void
leave_seat(struct registry *r, struct reg *g)
{
	if (g->seat != 0 && r->transport != NULL)
		transport_unkeep(r->transport, g->seat);
	g->seat = 0;
}

/* ---- the store ---- */

/* It costs no more than a registration after a restart: the device hears that it is not known, and comes again. */
static void
on_put(void *arg, enum err_code rc, const struct err *e)
{
	(void)arg;
	if (rc != ERR_OK)
		log_msg(LVL_ERROR, LOG_REGISTRY, NULL, "what became of a registration is not kept (%s)", e->msg);
}

static void
keep(struct registry *r, struct reg *g)
{
	struct gbuf text = { .max = (size_t)2 * REG_LINKS_MAX };
	struct store_note n = { STORE_NOTE_REGISTRATION, g->endpoint, 0, NULL };

	regs_write(g, &text);
	n.text = gbuf_cstr(&text);
	if (!text.failed && r->transport != NULL)
		r->ops->note_put(r->store, &n, 1, on_put, NULL);
	g->kept_ms = g->seen_ms;
	gbuf_clear(&text);
}

/* An Update that changed nothing is kept only when the end would come too early by much. */
static void
keep_if_due(struct registry *r, struct reg *g)
{
	int64_t due = MIN((int64_t)g->lifetime * 250, (int64_t)KEEP_MS);

	if (g->seen_ms - g->kept_ms >= (g->lifetime == 0 ? KEEP_MS : due))
		keep(r, g);
}

static void
on_loaded(void *arg, enum err_code rc, const struct err *e, const struct store_note *v, size_t n)
{
	struct registry *r = arg;
	struct regs_kept k;
	struct err why = { 0 };

	if (rc != ERR_OK)
		log_msg(LVL_ERROR, LOG_REGISTRY, NULL, "registrations cannot be loaded (%s)", e->msg);
	for (size_t i = 0; i < n; i++) {
		char *text = strdup(v[i].text);

		rc = text == NULL ? err_no_memory(&why) : regs_read(v[i].name, text, &k, &why);
		if (rc == ERR_OK)
			rc = regs_restore(r->regs, &k, clock_mono_ms(), clock_wall_ms(), &why);
		if (rc != ERR_OK)
			log_msg(LVL_ERROR, LOG_REGISTRY, &(struct log_about){ .endpoint = v[i].name },
			    "its registration is not taken up again (%s)", why.msg);
		free(text);
	}
}

static void
forget_note(struct registry *r, const char *endpoint)
{
	const struct store_note n = { STORE_NOTE_REGISTRATION, endpoint, 0, NULL };

	r->ops->note_put(r->store, &n, 1, on_put, NULL);
}

/* ---- the three operations ---- */

static void
spoke(struct registry *r, const struct reg *g, bool registered)
{
	if (r->hooks.spoke != NULL)
		r->hooks.spoke(r->hooks.arg, g->endpoint, registered);
}

static void
on_register(void *arg, const struct transport_request *q)
{
	struct registry *r = arg;
	char location[3 + REG_LOCATION_LEN + 1] = "rd/";
	struct reg_request req;
	struct reg *g = NULL;
	struct err e = { 0 };

	if (!read_request(r, q, REG_REGISTER, &req))
		return;
	const char *endpoint = endpoint_of(r, q, &req);
	if (endpoint == NULL)
		return;
	struct regs_news n = news_of(q, &req, endpoint);
	enum err_code rc = crypt_random(&n.random, sizeof n.random, &e);
	if (rc == ERR_OK)
		rc = regs_register(r->regs, &n, &g, &e);
	if (rc != ERR_OK) {
		refuse(r, q, code_of(rc), e.msg);
		return;
	}
	r->stats.registers++;
	take_seat(r, g, q->peer);
	regs_location(g, location + 3);
	say(LVL_INFO, g, "registered");
	answer(r, q, CREATED, location);
	returns_registered(r->returns, g->endpoint);
	keep(r, g);
	spoke(r, g, true);
}

/* What it speaks of, when it is its own; NULL: answered that there is none. */
static struct reg *
own_registration(struct registry *r, const struct transport_request *q)
{
	struct reg *g = regs_at(r->regs, q->path + strlen("rd/"));
	const struct transport_identity *who = &q->identity;
	char ep[REG_ENDPOINT_MAX + 1] = "";
	const char *why;

	if (g != NULL)
		(void)snprintf(ep, sizeof ep, "%s", g->endpoint);
	if (g != NULL && g->state == REG_REGISTERED && g->secure == (who->kind != TRANSPORT_NONE) &&
	    is_whose(r, who, ep, &why) && r->hooks.may(r->hooks.arg, g->endpoint, who->kind))
		return g;
	refuse(r, q, NOT_FOUND, "no such registration: register again");
	return NULL;
}

static void
on_update(void *arg, const struct transport_request *q)
{
	struct registry *r = arg;
	struct reg *g = own_registration(r, q);
	struct reg_request req;
	struct err e = { 0 };

	if (g == NULL || !read_request(r, q, REG_UPDATE, &req))
		return;
	const struct regs_news n = news_of(q, &req, g->endpoint);
	enum err_code rc = regs_update(r->regs, g, &n, &e);
	if (rc != ERR_OK) {
		refuse(r, q, code_of(rc), e.msg);
		return;
	}
	r->stats.updates++;
	take_seat(r, g, q->peer);
	say(LVL_DEBUG, g, "updated its registration");
	answer(r, q, CHANGED, NULL);
	if (req.has_lifetime || req.binding[0] != 0 || req.queue || q->payload_len > 0)
		keep(r, g);
	else
		keep_if_due(r, g);
	spoke(r, g, false);
}

static void
end(struct registry *r, struct reg *g, enum reg_state how)
{
	leave_seat(r, g);
	regs_end(r->regs, g, how);
	keep(r, g);
}

static void
on_deregister(void *arg, const struct transport_request *q)
{
	struct registry *r = arg;
	struct reg *g = own_registration(r, q);

	if (g == NULL)
		return;
	r->stats.deregisters++;
	say(LVL_INFO, g, "de-registered");
	answer(r, q, DELETED, NULL);
	end(r, g, REG_DEREGISTERED);
}

/* ---- time, and what goes away ---- */

static void
on_tick(void *arg)
{
	struct registry *r = arg;

	for (struct reg *g; (g = regs_due(r->regs, clock_mono_ms())) != NULL;) {
		r->stats.expired++;
		say(LVL_NOTICE, g, "its registration ran out without an Update");
		end(r, g, REG_EXPIRED);
	}
}

void
registry_forget(struct registry *r, const char *endpoint)
{
	struct reg *g = regs_find(r->regs, endpoint);

	returns_registered(r->returns, endpoint);
	forget_note(r, endpoint); /* it may be kept although its place in the table was needed */
	if (g == NULL)
		return;
	leave_seat(r, g);
	regs_remove(r->regs, g);
}

/* A device may be faster here than its session's record. */
static bool
registered_since(const struct registry *r, const struct registry_ended *s)
{
	const struct reg *g = regs_find(r->regs, s->endpoint);

	return g != NULL && g->registered_ms >= s->started_ms;
}

void
registry_session(struct registry *r, const struct registry_ended *s)
{
	if (!registered_since(r, s))
		returns_session(r->returns, s->endpoint, s->session, s->invited, s->ended_ms);
}

void
registry_past_session(struct registry *r, const struct registry_ended *s)
{
	if (!registered_since(r, s))
		returns_restore(r->returns, s->endpoint, s->session, s->invited, s->ended_ms);
}

void
registry_news(const struct registry *r, const char *endpoint, struct returns_news *out)
{
	returns_get(r->returns, endpoint, clock_wall_ms(), out);
}

uint32_t
registry_hold_back(struct registry *r, const char *endpoint)
{
	struct returns_news news;

	registry_news(r, endpoint, &news);
	r->stats.held_back += news.pause_s > 0;
	return news.pause_s;
}

const struct reg *
registry_find(const struct registry *r, const char *endpoint)
{
	return regs_find(r->regs, endpoint);
}

static bool
on_psk(void *arg, const char *identity, size_t len, struct secret *key)
{
	const struct registry *r = arg;

	return r->hooks.psk(r->hooks.arg, identity, len, key);
}

static void
on_certificate(void *arg, enum transport_kind kind, const struct transport_blob *chain, size_t n,
    struct transport_verdict *out)
{
	const struct registry *r = arg;

	r->hooks.certificate(r->hooks.arg, kind, chain, n, out);
}

static void
on_forget(void *arg, void *proof)
{
	const struct registry *r = arg;

	r->hooks.forget(r->hooks.arg, proof);
}

static void
on_handshake_failed(void *arg, const struct transport_failure *f)
{
	const struct registry *r = arg;

	if (r->hooks.handshake_failed != NULL)
		r->hooks.handshake_failed(r->hooks.arg, f);
}

/* ---- open and close ---- */

static enum err_code
open_transport(struct registry *r, const struct registry_conf *c, struct err *e)
{
	static const struct transport_route routes[] = {
		{ TRANSPORT_POST, "rd", on_register, REG_LINKS_MAX },
		{ TRANSPORT_POST, "rd/*", on_update, REG_LINKS_MAX },
		{ TRANSPORT_DELETE, "rd/*", on_deregister, 0 },
	};
	struct transport_conf t = {
		.listeners = c->listeners,
		.n_listeners = c->n_listeners,
		.routes = routes,
		.n_routes = N_ELEMS(routes),
		.hooks = { .arg = r, .psk = on_psk, .handshake_failed = on_handshake_failed,
			.certificate = c->hooks.certificate != NULL ? on_certificate : NULL,
			.forget = c->hooks.forget != NULL ? on_forget : NULL },
		.credentials = c->credentials,
		.max_peers = (unsigned)c->max_devices,
		.cbc = c->cbc,
	};

	return transport_open(c->loop, &t, &r->transport, e);
}

enum err_code
registry_open(const struct registry_conf *c, struct registry **out, struct err *e)
{
	struct registry *r = calloc(1, sizeof *r);
	uint64_t seed = 0;
	enum err_code rc;

	if (r == NULL)
		return err_no_memory(e);
	r->loop = c->loop;
	r->hooks = c->hooks;
	r->ops = c->ops;
	r->store = c->store;
	r->answer_ms = c->answer_ms;
	rc = crypt_random(&seed, sizeof seed, e);
	if (rc == ERR_OK)
		rc = regs_new(c->max_devices, seed, &r->regs, e);
	if (rc == ERR_OK)
		rc = returns_new(c->max_devices, seed, &r->returns, e);
	if (rc == ERR_OK)
		regs_set_awake(r->regs, c->awake_ms);
	if (rc == ERR_OK)
		rc = loop_timer_new(c->loop, on_tick, r, &r->tick, e);
	if (rc == ERR_OK)
		rc = open_transport(r, c, e);
	if (rc != ERR_OK) {
		registry_free(r);
		return rc;
	}
	loop_timer_start(r->tick, TICK_MS, TICK_MS);
	c->ops->note_list(c->store, STORE_NOTE_REGISTRATION, on_loaded, r);
	*out = r;
	return ERR_OK;
}

void
registry_close(struct registry *r)
{
	if (r == NULL)
		return;
	loop_timer_free(r->tick);
	r->tick = NULL;
	transport_close(r->transport);
	r->transport = NULL;
}

void
registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	registry_close(r);
	regs_free(r->regs);
	returns_free(r->returns);
	free(r);
}

enum err_code
registry_reload(struct registry *r, const struct transport_credentials *c, struct err *e)
{
	return r->transport == NULL ? ERR_OK : transport_reload(r->transport, c, e);
}

uint16_t
registry_port(const struct registry *r, size_t listener)
{
	return r->transport == NULL ? 0 : transport_port(r->transport, listener);
}

void
registry_stats(const struct registry *r, struct registry_stats *out)
{
	size_t counts[RETURNS__STATES];

	*out = r->stats;
	out->registered = regs_registered(r->regs);
	out->known = regs_count(r->regs);
	returns_count(r->returns, clock_wall_ms(), counts);
	for (size_t i = 0; i < RETURNS__STATES; i++)
		out->returns[i] = counts[i];
	if (r->transport != NULL)
		transport_stats(r->transport, &out->transport);
	out->reachable = out->transport.kept;
}
