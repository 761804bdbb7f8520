#include "bsserver/server_reg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/server_tls.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#define PAST_MS (INT64_C(7) * 24 * 3600 * 1000) /* so old are sessions that are looked at after a restart */
#define PAST_ROWS 1000			   /* at once */
#define PAST_PAGES 200
#define TRIGGER_COUNTERS 3

struct server_reg {
	const struct conf *conf;
	const struct auth *auth;
	const struct trust *trust;
	struct registry *registry; /* NULL: the configuration has none */
	struct ways *ways;
	struct trigger *trigger;
	struct handoff *handoff; /* NULL */
	const struct store_ops *ops;
	struct store *store;
	int64_t past_ms; /* since then */
	unsigned past_pages;
	bool closed;
};

static bool
on_psk(void *arg, const char *identity, size_t len, struct secret *key)
{
	const struct server_reg *s = arg;

	return auth_registry_psk(s->auth, identity, len, key);
}

static const enum auth_credential credentials[] = { [TRANSPORT_NONE] = AUTH_NOSEC, [TRANSPORT_PSK] = AUTH_PSK,
	[TRANSPORT_RPK] = AUTH_RPK, [TRANSPORT_X509] = AUTH_X509 };

static bool
may(void *arg, const char *endpoint, enum transport_kind kind)
{
	const struct server_reg *s = arg;
	enum auth_credential how;

	return auth_registers_with(s->auth, endpoint, &how) && how == credentials[kind];
}

static void
on_certificate(void *arg, enum transport_kind kind, const struct transport_blob *chain, size_t n,
    struct transport_verdict *out)
{
	const struct server_reg *s = arg;

	server_tls_judge(s->auth, s->trust, kind, true, chain, n, out);
}

static void
forget(void *arg, void *proof)
{
	(void)arg;
	trust_proof_free(proof);
}

/* Since the handshake, which may be long ago, its trust anchor may have been retired. */
static bool
is_trusted_still(const struct server_reg *s, const struct trust_proof *p)
{
	return p->credential != AUTH_X509 ||
	    (p->path.n > 0 && trust_counts(s->trust, p->trust, p->path.v[p->path.n - 1]->der));
}

static bool
whose(void *arg, const struct transport_identity *who, char endpoint[REG_ENDPOINT_MAX + 1], const char **why)
{
	const struct server_reg *s = arg;
	const struct trust_proof *proof = who->proof;
	const bool x509 = proof != NULL && proof->credential == AUTH_X509;
	struct auth_question q = { .credential = credentials[who->kind], .endpoint = endpoint[0] != 0 ? endpoint : NULL };
	struct gbuf pin = { .max = 128 };
	struct auth_answer a;

	*why = "these credentials are not of a device that may register here";
	if (proof == NULL || !is_trusted_still(s, proof) || (x509 && proof->path.n == 0))
		return false;
	if (auth_pin(q.credential, x509 ? proof->path.v[0]->der : proof->spki, &pin, NULL) == ERR_OK && !pin.failed)
		q.pin = gbuf_cstr(&pin);
	q.cert = x509 ? proof->path.v[0] : NULL;
	q.trust = proof->trust;
	auth_decide_registry(s->auth, &q, &a);
	const bool granted = a.granted && strlen(a.endpoint) <= REG_ENDPOINT_MAX;
	if (granted)
		(void)snprintf(endpoint, REG_ENDPOINT_MAX + 1, "%s", a.endpoint);
	else
		log_msg(LVL_NOTICE, LOG_REGISTRY, &(struct log_about){ .endpoint = q.endpoint }, "may not register: %s", gbuf_cstr(&a.rule));
	auth_answer_clear(&a);
	gbuf_clear(&pin);
	return granted;
}

static void
on_handshake_failed(void *arg, const struct transport_failure *f)
{
	(void)arg;
	log_msg(LVL_NOTICE, LOG_REGISTRY, &(struct log_about){ .peer = f->addr },
	    "refused in the handshake, with identity \"%.*s\" (%s)", (int)f->claimed.len,
	    f->claimed.bytes != NULL ? f->claimed.bytes : "", f->why);
}

static void
on_spoke(void *arg, const char *endpoint, bool registered)
{
	const struct server_reg *s = arg;
	enum auth_credential how;

	if (s->trigger != NULL)
		trigger_spoke(s->trigger, endpoint, registered);
	/* who may be anybody was not seen */
	if (registered && s->handoff != NULL && auth_registers_with(s->auth, endpoint, &how) && how != AUTH_NOSEC)
		handoff_seen(s->handoff, endpoint);
}

static enum err_code
open_registry(struct server_reg *s, const struct server_reg_conf *c, struct err *e)
{
	struct transport_listener listeners[CONF_LISTENERS_MAX];
	const struct conf *conf = c->conf;

	for (size_t i = 0; i < conf->n_registry_listeners; i++)
		listeners[i] = (struct transport_listener){
			.scheme = conf->registry_listeners[i].secure ? TRANSPORT_COAPS : TRANSPORT_COAP,
			.host = conf->registry_listeners[i].host,
			.port = conf->registry_listeners[i].port,
			.takes = server_tls_takes(&conf->registry_listeners[i]),
		};
	const struct registry_conf r = {
		.loop = c->loop,
		.listeners = listeners,
		.n_listeners = conf->n_registry_listeners,
		.max_devices = (size_t)conf->registry_max,
		.awake_ms = (uint32_t)conf->registry_awake_s * 1000,
		.answer_ms = (uint32_t)conf->registry_answer_s * 1000,
		.ops = c->ops,
		.store = c->store,
		.cbc = conf->cbc,
		.credentials = server_tls_credentials(conf),
		.hooks = { .arg = s, .psk = on_psk, .may = may, .handshake_failed = on_handshake_failed,
			.spoke = on_spoke, .certificate = on_certificate, .forget = forget, .whose = whose },
	};

	return registry_open(&r, &s->registry, e);
}

/* ---- who was bootstrapped before the start, and did not register ---- */

static bool
has_account(const struct server_reg *s, const char *endpoint)
{
	enum auth_credential how;

	return (auth_registers_with(s->auth, endpoint, &how) && how != AUTH_NOSEC) ||
	    registry_find(s->registry, endpoint) != NULL;
}

static bool
ended_well(const struct bs_record *r)
{
	return r->verdict == BS_VERDICT_PROVISIONED || r->verdict == BS_VERDICT_WRITTEN;
}

static void ask_past(struct server_reg *s, uint64_t before);

/* Newest first; registrations and jobs that are kept were loaded before. */
static void
on_past(void *arg, enum err_code rc, const struct err *e, struct store_session_row *v, size_t n, bool more)
{
	struct server_reg *s = arg;

	if (rc != ERR_OK)
		log_msg(LVL_ERROR, LOG_REGISTRY, NULL, "who is still to register is not known (%s)", e->msg);
	if (rc != ERR_OK || s->closed)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct bs_record *r = &v[i].rec;

		if (r->endpoint == NULL || !ended_well(r) || !has_account(s, r->endpoint))
			continue;
		const bool invited = trigger_called(s->trigger, r->endpoint, r->id);
		registry_past_session(s->registry, &(struct registry_ended){ r->endpoint, r->id, r->started_ms, r->ended_ms, invited });
	}
	if (more && n > 0 && ++s->past_pages < PAST_PAGES)
		ask_past(s, v[n - 1].rec.id);
}

static void
ask_past(struct server_reg *s, uint64_t before)
{
	const struct store_page page = { .limit = PAST_ROWS, .verdict = -1, .since_ms = s->past_ms, .before_id = before };

	s->ops->session_list(s->store, &page, on_past, s);
}

static enum err_code
open_trigger(struct server_reg *s, const struct server_reg_conf *c, struct err *e)
{
	struct ways_conf w = { .ops = c->ops, .store = c->store, .handoff = c->handoff, .model = c->model };
	struct trigger_conf t = { .loop = c->loop, .ops = c->ops, .store = c->store };
	enum err_code rc;

	if (s->registry != NULL)
		w.registry = registry_way(s->registry);
	rc = ways_open(&w, &s->ways, e);
	if (rc != ERR_OK)
		return rc;
	t.way = ways_way(s->ways);
	return trigger_open(&t, &s->trigger, e);
}

enum err_code
server_reg_open(const struct server_reg_conf *c, struct server_reg **out, struct err *e)
{
	*out = NULL;
	if (c->conf->n_registry_listeners == 0 && c->handoff == NULL)
		return ERR_OK;
	struct server_reg *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_no_memory(e);
	s->conf = c->conf;
	s->auth = c->auth;
	s->trust = c->trust;
	s->handoff = c->handoff;
	s->ops = c->ops;
	s->store = c->store;
	s->past_ms = clock_wall_ms() - PAST_MS;
	enum err_code rc = c->conf->n_registry_listeners > 0 ? open_registry(s, c, e) : ERR_OK;
	if (rc == ERR_OK)
		rc = open_trigger(s, c, e);
	if (rc == ERR_OK && s->registry != NULL)
		ask_past(s, 0);
	/* also after an error: the store still has answers for it */
	*out = s;
	return rc;
}

void
server_reg_trust(struct server_reg *s, const struct trust *trust)
{
	if (s != NULL)
		s->trust = trust;
}

enum err_code
server_reg_reload(struct server_reg *s, const struct conf *c, const struct trust *trust, struct err *e)
{
	if (s == NULL || s->registry == NULL)
		return ERR_OK;
	const struct transport_credentials creds = server_tls_credentials(c);
	enum err_code rc = registry_reload(s->registry, &creds, e);
	if (rc == ERR_OK)
		server_reg_trust(s, trust);
	return rc;
}

void
server_reg_close(struct server_reg *s)
{
	if (s == NULL)
		return;
	s->closed = true;
	registry_close(s->registry);
	ways_close(s->ways);
	trigger_close(s->trigger);
}

void
server_reg_free(struct server_reg *s)
{
	if (s == NULL)
		return;
	trigger_free(s->trigger);
	ways_free(s->ways);
	registry_free(s->registry);
	free(s);
}

struct registry *
server_reg_registry(const struct server_reg *s)
{
	return s == NULL ? NULL : s->registry;
}

struct trigger *
server_reg_trigger(const struct server_reg *s)
{
	return s == NULL ? NULL : s->trigger;
}

/* Of those that only claimed to be it nothing is learned. */
void
server_reg_record(struct server_reg *s, const struct bs_record *r)
{
	bool good = ended_well(r);

	if (s == NULL || r->endpoint == NULL || (!good && r->verdict != BS_VERDICT_FAILED))
		return;
	bool called = trigger_session(s->trigger, r->endpoint, r->id, r->started_ms, good);
	if (good && s->registry != NULL && has_account(s, r->endpoint))
		registry_session(s->registry,
		    &(struct registry_ended){ r->endpoint, r->id, r->started_ms, r->ended_ms, called });
}

uint32_t
server_reg_hold_back(struct server_reg *s, const char *endpoint)
{
	return s == NULL || s->registry == NULL ? 0 : registry_hold_back(s->registry, endpoint);
}

void
server_reg_feed(struct server_reg *s, const struct store_feed *f)
{
	if (s != NULL && s->registry != NULL && f->kind == STORE_FEED_NO_DEVICE)
		registry_forget(s->registry, f->name);
}

void
server_reg_say(const struct server_reg *s)
{
	for (size_t i = 0; s != NULL && i < s->conf->n_registry_listeners; i++) {
		const struct conf_listener *l = &s->conf->registry_listeners[i];
		bool v6 = strchr(l->host, ':') != NULL;

		log_msg(LVL_NOTICE, LOG_SERVER, NULL, "devices register on %s://%s%s%s:%u", l->secure ? "coaps" : "coap",
		    v6 ? "[" : "", l->host, v6 ? "]" : "", (unsigned)registry_port(s->registry, i));
	}
}

bool
server_reg_counter(const struct server_reg *s, size_t i, struct api_counter *out)
{
	struct registry_stats t = { 0 };
	struct trigger_stats g;

	if (s == NULL)
		return false;
	if (s->registry != NULL)
		registry_stats(s->registry, &t);
	trigger_stats(s->trigger, &g);
	const struct api_counter rows[] = {
		{ "trigger_asked", "devices asked to bootstrap again", false, g.asked },
		{ "trigger_in_flight", "devices asked that have not answered yet", true, g.in_flight },
		{ "trigger_jobs_running", "jobs that run", true, g.jobs_running },
		/* TRIGGER_COUNTERS of them; these are of a registry: */
		{ "registry_registers", "registrations of devices", false, t.registers },
		{ "registry_updates", "updates of registrations", false, t.updates },
		{ "registry_deregisters", "registrations that devices ended", false, t.deregisters },
		{ "registry_refused", "requests of devices that the registry refused", false, t.refused },
		{ "registry_expired", "registrations that ran out", false, t.expired },
		{ "registry_registered", "devices registered", true, t.registered },
		{ "registry_known", "devices registered now or earlier", true, t.known },
		{ "registry_sessions", "sessions kept for devices that are registered", true, t.reachable },
		{ "registry_held_back", "Bootstrap-Requests of devices that come back again and again, answered 5.03", false,
		    t.held_back },
		{ "registry_awaited", "devices bootstrapped a moment ago that are to register", true,
		    t.returns[RETURNS_AWAITED] },
		{ "registry_never_registered", "devices bootstrapped that did not register", true,
		    t.returns[RETURNS_NEVER_REGISTERED] },
		{ "registry_comes_back", "devices that come back again and again and do not register", true,
		    t.returns[RETURNS_COMES_BACK] },
		{ "registry_handshakes", "DTLS handshakes completed at the registry", false, t.transport.handshakes },
		{ "registry_handshakes_failed", "DTLS handshakes that came to nothing there", false,
		    t.transport.handshakes_failed },
	};

	if (i >= (s->registry == NULL ? TRIGGER_COUNTERS : N_ELEMS(rows)))
		return false;
	*out = rows[i];
	return true;
}
