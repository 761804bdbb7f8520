/* The daemon put together: who is registered with whom. Nothing is decided here. */
#include "config.h"

#include "bsserver/loop/late.h"
#include "bsserver/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bsserver/api/api.h"
#include "bsserver/auth/auth.h"
#include "bsserver/auth/trust.h"
#include "bsserver/bootstrap/driver.h"
#include "bsserver/loop/loop.h"
#include "bsserver/notify.h"
#include "bsserver/ports/ports.h"
#include "bsserver/server_bs.h"
#include "bsserver/server_handoff.h"
#include "bsserver/server_reg.h"
#include "bsserver/server_vet.h"
#include "bsserver/store/store.h"
#include "bsserver/transport/transport.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct server {
	const struct conf *conf;
	struct auth_rule rules[CONF_RULES_MAX];
	struct lwm2m_model *model;
	struct loop *loop;
	struct shelf *shelf;
	struct auth *auth;
	struct trust *trust;
	const struct store_ops *ops;
	struct store *store;
	struct ports *ports;
	struct vet *vet;
	struct handoff *handoff;
	struct server_bs *bs; /* driver and transport, and what ties them */
	struct server_reg *reg; /* of it may be no more than the way through LwM2M Servers */
	struct api *api;
	struct loop_late *late; /* NULL: it is not wanted */
	struct loop_timer *drain;
	uint64_t drain_until_ms;
	bool stopping;
	const char *conf_file; /* for SIGHUP */
};

/* ---- checks that need no daemon ---- */

static enum err_code
make_rules(const struct conf *c, struct auth_rule *rules, struct err *e)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		const struct conf_rule *r = &c->rules[i];

		if (!auth_rule_from_words(r->credential, r->rule, &rules[i]))
			return err_set(e, ERR_INVALID, "auth.rules: there is no rule \"%s\" for credential \"%s\"", r->rule,
			    r->credential);
		rules[i].identity = r->identity;
		rules[i].endpoint = r->endpoint;
		rules[i].trust = r->trust;
		const char *star = rules[i].how != AUTH_DERIVED || r->endpoint == NULL ? "*" : strchr(r->endpoint, '*');
		if (star == NULL || strchr(star + 1, '*') != NULL)
			return err_set(e, ERR_INVALID, "auth.rules: endpoint \"%s\" needs one *, for the value of %s",
			    r->endpoint, r->rule);
	}
	return ERR_OK;
}

static bool
takes_certificates(const struct conf *c)
{
	for (size_t i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].x509)
			return true;
	return false;
}

/* Empty never means allow, and it is said once. */
static void
say_who_is_refused(const struct conf *c, const struct trust *t)
{
	if (takes_certificates(c) && trust_anchors(t) == 0)
		log_msg(LVL_WARNING, LOG_AUTH, NULL,
		    "devices with certificates are refused: there is no trust in the configuration");
	for (size_t i = 0; i < c->n_trust; i++) {
		bool named = server_vet_of_servers(&c->trust[i]);

		for (size_t k = 0; k < c->n_rules && !named; k++)
			named = strcmp(c->rules[k].credential, "x509") == 0 &&
			    (c->rules[k].trust == NULL || strcmp(c->rules[k].trust, c->trust[i].name) == 0);
		if (!named)
			log_msg(LVL_WARNING, LOG_AUTH, NULL,
			    "devices with certificates of trust %s are refused: no rule says who they are", c->trust[i].name);
	}
}

static enum err_code
make_model(const struct conf *c, struct lwm2m_model **out, struct err *e)
{
	struct lwm2m_model *m = lwm2m_model_new();
	enum err_code rc = m == NULL ? err_no_memory(e) : ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < c->n_object_dirs; i++)
		rc = lwm2m_model_load_dir(m, c->object_dirs[i], e);
	if (rc != ERR_OK) {
		lwm2m_model_free(m);
		m = NULL;
	}
	*out = m;
	return rc;
}

static enum err_code
make_vet_rules(const struct conf *c, struct vet_rules **out, struct err *e)
{
	struct vet_rule rules[CONF_TRUST_MAX];

	return vet_rules_new(rules, server_vet_rules(c, rules), out, e);
}

static enum err_code
check_api(const struct conf *c, struct err *e)
{
	const struct api_conf a = {
		.grants = c->grants, .n_grants = c->n_grants, .socket = c->api_socket, .group = c->api_group
	};

	return api_check(&a, e);
}

enum err_code
server_check(const struct conf *c, struct err *e)
{
	struct auth_rule rules[CONF_RULES_MAX];
	struct lwm2m_model *m = NULL;
	struct trust *t = NULL;
	struct vet_rules *v = NULL;
	enum err_code rc = make_rules(c, rules, e);

	if (rc == ERR_OK)
		rc = server_vet_trust(c, &t, e);
	trust_free(t);
	if (rc == ERR_OK)
		rc = make_vet_rules(c, &v, e);
	vet_rules_free(v);
	if (rc == ERR_OK)
		rc = server_handoff_check(c, e);
	if (rc == ERR_OK)
		rc = log_check_levels(c->log_levels, e);
	if (rc == ERR_OK)
		rc = make_model(c, &m, e);
	lwm2m_model_free(m);
	if (rc == ERR_OK)
		rc = server_bs_check(c, e);
	if (rc == ERR_OK)
		rc = check_api(c, e);
	if (rc == ERR_OK && (strlen(c->api_mode) != 4 || strspn(c->api_mode, "01234567") != 4))
		rc = err_set(e, ERR_INVALID, "api.mode: must be four octal digits, as 0660");
	if (rc == ERR_OK && access(c->store_key, R_OK) != 0)
		rc = err_set(e, ERR_NOT_FOUND, "store.key_file: %s cannot be read: make one with bsserver init",
		    c->store_key);
	return rc;
}

/* ---- what ties the parts ---- */

static void
on_anchor(struct server *s, const struct store_feed *f)
{
	const struct trust_word w = { f->identity, { f->key->data, f->key->len }, f->state == STORE_RETIRED,
		f->at_ms };
	struct trust_view v;
	struct err e;

	if (trust_put(s->trust, &w, &e) != ERR_OK)
		log_msg(LVL_ERROR, LOG_AUTH, NULL, "trust anchor %s of the store is not taken in (%s)", f->name, e.msg);
	else if (!w.retired && !trust_named(s->trust, f->identity, &v))
		log_msg(LVL_WARNING, LOG_AUTH, NULL,
		    "trust anchor %s of the store does not count: there is no trust %s in the configuration", f->name,
		    f->identity);
}

static void
on_feed(void *arg, const struct store_feed *f)
{
	struct server *s = arg;
	struct err e;

	if (auth_feed(s->auth, f, &e) != ERR_OK)
		log_msg(LVL_ERROR, LOG_AUTH, NULL, "a change was not taken in, %s is refused (%s)", f->name, e.msg);
	if (shelf_feed(s->shelf, f, &e) != ERR_OK)
		log_msg(LVL_ERROR, LOG_PORTS, NULL, "profile %s is not served (%s)", f->name, e.msg);
	server_reg_feed(s->reg, f);
	if (f->kind == STORE_FEED_ANCHOR)
		on_anchor(s, f);
	if (s->handoff != NULL && f->kind == STORE_FEED_NO_DEVICE)
		handoff_look(s->handoff);
	if (s->api != NULL)
		api_feed(s->api, f);
}

static void
deliver(void *arg, uint64_t session, struct bs_event *ev)
{
	struct server *s = arg;

	if (s->bs != NULL)
		bs_driver_event(server_bs_driver(s->bs), session, ev);
}

static uint32_t
hold_back(void *arg, const char *endpoint)
{
	return server_reg_hold_back(((struct server *)arg)->reg, endpoint);
}

static void
on_record(void *arg, const struct bs_record *r)
{
	struct server *s = arg;

	server_reg_record(s->reg, r);
	if (s->api != NULL)
		api_record(s->api, r);
}

static enum err_code
open_core(struct server *s, struct err *e)
{
	enum err_code rc = make_rules(s->conf, s->rules, e);
	uint64_t seed;

	if (rc == ERR_OK)
		rc = make_model(s->conf, &s->model, e);
	if (rc == ERR_OK)
		rc = loop_new(&s->loop, e);
	if (rc == ERR_OK)
		rc = crypt_random(&seed, sizeof seed, e);
	if (rc == ERR_OK)
		rc = auth_new(s->rules, s->conf->n_rules, seed, &s->auth, e);
	if (rc == ERR_OK)
		rc = server_vet_trust(s->conf, &s->trust, e);
	if (rc == ERR_OK) {
		s->shelf = shelf_new(seed);
		rc = s->shelf == NULL ? err_no_memory(e) : ERR_OK;
		if (rc == ERR_OK && s->conf->registry_uri[0] != 0)
			rc = shelf_set_registry(s->shelf, s->conf->registry_uri, e);
	}
	return rc;
}

static enum err_code
open_store(struct server *s, struct err *e)
{
	struct store_conf c = {
		.uri = s->conf->store_uri,
		.key_file = s->conf->store_key,
		.create = true,
		.max_sessions = (unsigned)s->conf->sessions_kept,
	};

	s->ops = store_by_uri(c.uri);
	if (s->ops == NULL)
		return err_set(e, ERR_UNSUPPORTED, "store.uri: no store is called that: %s", c.uri);
	bool anew = store_is_anew(c.uri);
	enum err_code rc = s->ops->open(&c, s->loop, on_feed, s, &s->store, e);
	if (rc == ERR_OK && anew)
		log_msg(LVL_WARNING, LOG_STORE, NULL, "%s was not there, or empty: it is made anew and knows no device", c.uri);
	return rc;
}

static void
on_handed_off(void *arg, uint64_t session, enum handoff_stage stage, bool ok, const char *text)
{
	struct server *s = arg;

	ports_handed_off(s->ports, session, stage, ok, text);
}

/* There without LwM2M Servers as well: SIGHUP may bring some. */
static enum err_code
open_handoff(struct server *s, struct err *e)
{
	struct handoff_server servers[CONF_SERVERS_MAX];
	struct handoff_conf c = { .loop = s->loop, .ops = s->ops, .store = s->store, .arg = s, .answer = on_handed_off };
	enum err_code rc;

	rc = server_handoff_servers(s->conf, servers, e);
	if (rc == ERR_OK)
		rc = crypt_random(&c.seed, sizeof c.seed, e);
	if (rc == ERR_OK)
		rc = handoff_open(&c, servers, s->conf->n_servers, &s->handoff, e);
	server_handoff_clear(servers);
	return rc;
}

static enum err_code
open_ports(struct server *s, struct err *e)
{
	struct ports_conf c = {
		.loop = s->loop,
		.ops = s->ops,
		.store = s->store,
		.auth = s->auth,
		.shelf = s->shelf,
		.model = s->model,
		.handoff = s->handoff,
		.arg = s,
		.deliver = deliver,
		.recorded = on_record,
		.hold_back = hold_back,
	};

	return ports_new(&c, &s->ports, e);
}

static void
on_revoked(void *arg, const char *sha256, const char *why)
{
	struct server *s = arg;

	ports_revoked(s->ports, sha256, why);
}

static enum err_code
open_vet(struct server *s, struct err *e)
{
	struct vet_rules *rules = NULL;
	struct vet_conf c;
	enum err_code rc = make_vet_rules(s->conf, &rules, e);

	if (rc != ERR_OK)
		return rc;
	server_vet_conf(s->conf, &c);
	c.loop = s->loop;
	c.arg = s;
	c.deliver = deliver;
	c.revoked = on_revoked;
	c.shelf = s->shelf;
	rc = vet_open(&c, rules, &s->vet, e);
	if (rc == ERR_OK)
		ports_use(s->ports, s->vet, s->trust);
	return rc;
}

static enum err_code
open_bs(struct server *s, struct err *e)
{
	struct server_bs_conf c = {
		.conf = s->conf,
		.loop = s->loop,
		.auth = s->auth,
		.trust = s->trust,
		.ports = s->ports,
		.vet = s->vet,
		.model = s->model,
	};

	return server_bs_open(&c, &s->bs, e);
}

static enum err_code
open_reg(struct server *s, struct err *e)
{
	const struct server_reg_conf c = { .conf = s->conf, .loop = s->loop, .auth = s->auth, .trust = s->trust, .ops = s->ops,
		.store = s->store, .handoff = s->handoff, .model = s->model };

	return server_reg_open(&c, &s->reg, e);
}

/* ---- the API's view of the rest ---- */

/* clang-format off */
static const struct {
	const char *name, *help;
	bool gauge;
	size_t at; /* in struct transport_stats */
} counters[] = {
	{ "transport_requests_in", "CoAP requests received", false, offsetof(struct transport_stats, requests_in) },
	{ "transport_requests_out", "CoAP requests sent", false, offsetof(struct transport_stats, requests_out) },
	{ "transport_retransmissions_seen", "requests that came again", false, offsetof(struct transport_stats, retransmissions_seen) },
	{ "transport_replies_repeated", "answers given again", false, offsetof(struct transport_stats, replies_repeated) },
	{ "transport_handshakes", "DTLS handshakes completed", false, offsetof(struct transport_stats, handshakes) },
	{ "transport_handshakes_failed", "DTLS handshakes that came to nothing", false, offsetof(struct transport_stats, handshakes_failed) },
	{ "transport_handshakes_half_open", "DTLS handshakes under way", true, offsetof(struct transport_stats, half_open) },
	{ "transport_handshakes_turned_away", "DTLS handshakes not begun because too many were under way", false, offsetof(struct transport_stats, handshakes_turned_away) },
	{ "transport_handshakes_given_up", "DTLS handshakes that were stuck and made room for others", false, offsetof(struct transport_stats, handshakes_given_up) },
	{ "transport_cookies", "DTLS hellos answered with a cookie and forgotten", false, offsetof(struct transport_stats, cookies) },
	{ "transport_datagrams_dropped", "datagrams that the socket had no room for", false, offsetof(struct transport_stats, datagrams_dropped) },
	{ "transport_peers", "peers connected", true, offsetof(struct transport_stats, peers) },
};
/* clang-format on */

static bool
transport_counter(void *arg, size_t i, struct api_counter *out)
{
	struct server *s = arg;
	struct transport_stats t;

	if (i >= N_ELEMS(counters)) {
		i -= N_ELEMS(counters);
		if (i < SERVER_VET_COUNTERS)
			return server_vet_counter(s->vet, i, out);
		i -= SERVER_VET_COUNTERS;
		if (i < SERVER_HANDOFF_COUNTERS)
			return server_handoff_counter(s->handoff, i, out);
		return server_reg_counter(s->reg, i - SERVER_HANDOFF_COUNTERS, out);
	}
	server_bs_stats(s->bs, &t);
	*out = (struct api_counter){
		.name = counters[i].name,
		.help = counters[i].help,
		.gauge = counters[i].gauge,
		.value = *(const uint64_t *)(const void *)((const char *)&t + counters[i].at),
	};
	return true;
}

static void
more_metrics(void *arg, struct gbuf *out)
{
	const struct server *s = arg;

	loop_late_write(s->late, "bsserver_loop_lateness_seconds", out);
	gbuf_printf(out,
	    "# HELP bsserver_records_lost_total Records of sessions that the store could not keep.\n"
	    "# TYPE bsserver_records_lost_total counter\nbsserver_records_lost_total %llu\n",
	    (unsigned long long)ports_records_lost(s->ports));
}

static bool
api_listener(void *arg, size_t i, char *out, size_t cap)
{
	struct server *s = arg;

	return server_bs_listener(s->bs, i, out, cap);
}

static const struct trust *
api_trust(void *arg)
{
	const struct server *s = arg;

	return s->trust;
}

static enum err_code
open_api(struct server *s, struct err *e)
{
	struct api_conf c = {
		.loop = s->loop,
		.ops = s->ops,
		.store = s->store,
		.auth = s->auth,
		.shelf = s->shelf,
		.driver = server_bs_driver(s->bs),
		.handoff = s->handoff,
		.registry = server_reg_registry(s->reg),
		.trigger = server_reg_trigger(s->reg),
		.model = s->model,
		.grants = s->conf->grants,
		.n_grants = s->conf->n_grants,
		.socket = s->conf->api_socket,
		.mode = (unsigned)strtoul(s->conf->api_mode, NULL, 8), /* server_check() read it */
		.version = PACKAGE_VERSION,
		.group = s->conf->api_group,
		.arg = s,
		.counter = transport_counter,
		.metrics = more_metrics,
		.listener = api_listener,
		.trust = api_trust,
	};

	return api_open(&c, &s->api, e);
}

enum err_code
server_open(const struct conf *c, struct server **out, struct err *e)
{
	struct server *s = calloc(1, sizeof *s);
	enum err_code rc;

	if (s == NULL)
		return err_no_memory(e);
	s->conf = c;
	rc = open_core(s, e);
	if (rc == ERR_OK)
		rc = open_store(s, e);
	if (rc == ERR_OK)
		rc = open_handoff(s, e);
	if (rc == ERR_OK)
		rc = open_ports(s, e);
	if (rc == ERR_OK)
		rc = open_vet(s, e);
	if (rc == ERR_OK)
		rc = open_bs(s, e);
	if (rc == ERR_OK)
		rc = open_reg(s, e);
	if (rc == ERR_OK)
		rc = open_api(s, e);
	if (rc != ERR_OK) {
		server_close(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

void
server_close(struct server *s)
{
	if (s == NULL)
		return;
	api_close(s->api);
	s->api = NULL;
	if (s->bs != NULL)
		server_bs_close(s->bs);
	server_reg_close(s->reg);
	if (s->handoff != NULL)
		handoff_stop(s->handoff);
	vet_stop(s->vet); /* who still waits is answered */
	if (s->loop != NULL)
		loop_flush(s->loop);
	if (s->store != NULL)
		s->ops->close(s->store); /* what is still to be written is, and every answer comes */
	if (s->loop != NULL)
		loop_flush(s->loop);
	server_bs_free(s->bs);
	server_reg_free(s->reg);
	vet_free(s->vet);
	ports_free(s->ports);
	loop_late_free(s->late);
	loop_timer_free(s->drain);
	auth_free(s->auth);
	trust_free(s->trust);
	shelf_free(s->shelf);
	loop_free(s->loop);
	handoff_free(s->handoff); /* what it had posted ran in the loop's last turn */
	lwm2m_model_free(s->model);
	free(s);
}

/* ---- running ---- */

#define DRAIN_LOOK_MS 50   /* how often a stopping daemon looks whether the last session has gone */
#define RECORD_GRACE_MS 5000 /* for the records of what was ended */

static size_t
live_sessions(const struct server *s)
{
	struct bs_driver_stats stats;

	bs_driver_stats(server_bs_driver(s->bs), &stats);
	return stats.live;
}

static void
drain_step(void *arg)
{
	struct server *s = arg;
	uint64_t now = loop_now_ms(s->loop);

	if (live_sessions(s) == 0 || now >= s->drain_until_ms + RECORD_GRACE_MS)
		loop_stop(s->loop);
	else if (now >= s->drain_until_ms)
		server_bs_stop(s->bs); /* the time is over: what runs is ended, and recorded */
}

/* A second signal does not wait for sessions any longer. */
static void
on_stop(void *arg, int signum)
{
	struct server *s = arg;
	uint64_t now = loop_now_ms(s->loop);

	log_msg(LVL_NOTICE, LOG_SERVER, NULL, "%s: stopping, %zu sessions under way",
	    signum == SIGTERM ? "SIGTERM" : "SIGINT", live_sessions(s));
	notify_manager("STOPPING=1");
	bs_driver_drain(server_bs_driver(s->bs));
	api_drain(s->api);
	s->drain_until_ms = s->stopping ? now : now + (uint64_t)s->conf->drain_seconds * 1000;
	s->stopping = true;
	loop_timer_start(s->drain, 1, DRAIN_LOOK_MS);
}

/* Our own credentials and whom we trust; sessions go on. */
static enum err_code
reload_credentials(struct server *s, const struct conf *c, struct err *e)
{
	struct vet_rules *rules = NULL;
	struct trust *fresh = NULL;
	enum err_code rc = server_vet_trust(c, &fresh, e);

	if (rc == ERR_OK)
		rc = trust_adopt(fresh, s->trust, e);
	if (rc == ERR_OK)
		rc = make_vet_rules(c, &rules, e);
	if (rc == ERR_OK)
		rc = server_reg_reload(s->reg, c, fresh, e);
	if (rc == ERR_OK && (rc = server_bs_reload(s->bs, c, fresh, e)) != ERR_OK)
		server_reg_trust(s->reg, s->trust);
	if (rc != ERR_OK) {
		vet_rules_free(rules);
		trust_free(fresh);
		return rc;
	}
	vet_reload(s->vet, rules);
	ports_use(s->ports, s->vet, fresh);
	trust_free(s->trust);
	s->trust = fresh;
	return ERR_OK;
}

/* A mistake anywhere changes nothing. */
static enum err_code
reload(struct server *s, const struct conf *c, struct err *e)
{
	struct handoff_server servers[CONF_SERVERS_MAX];
	enum err_code rc = server_handoff_servers(c, servers, e);

	if (rc == ERR_OK)
		rc = log_check_levels(c->log_levels, e);
	if (rc == ERR_OK)
		rc = reload_credentials(s, c, e);
	if (rc == ERR_OK)
		rc = handoff_reload(s->handoff, servers, c->n_servers, e);
	server_handoff_clear(servers);
	return rc;
}

static void
on_reload(void *arg, int signum)
{
	struct server *s = arg;
	struct conf c = { 0 };
	struct err e;

	(void)signum;
	if (conf_load(s->conf_file, &c, &e) != ERR_OK || reload(s, &c, &e) != ERR_OK)
		log_msg(LVL_ERROR, LOG_CONF, NULL, "SIGHUP: the old configuration stays (%s)", e.msg);
	else {
		(void)log_set_levels(c.log_levels, NULL);
		log_set_json(strcmp(c.log_format, "json") == 0);
		log_msg(LVL_NOTICE, LOG_CONF, NULL,
		    "SIGHUP: log settings, our credentials, trust and lwm2m_servers are read again; all others need a restart");
		say_who_is_refused(&c, s->trust);
	}
	conf_clear(&c);
}

static enum err_code
catch_signals(struct server *s, struct err *e)
{
	enum err_code rc = loop_timer_new(s->loop, drain_step, s, &s->drain, e);

	if (rc == ERR_OK)
		rc = loop_signal(s->loop, SIGTERM, on_stop, s, e);
	if (rc == ERR_OK)
		rc = loop_signal(s->loop, SIGINT, on_stop, s, e);
	if (rc == ERR_OK)
		rc = loop_signal(s->loop, SIGHUP, on_reload, s, e);
	return rc;
}

enum err_code
server_run(struct server *s, const char *conf_file, struct err *e)
{
	char name[128];
	enum err_code rc;

	s->conf_file = conf_file;
	rc = catch_signals(s, e);
	if (rc == ERR_OK && s->conf->loop_look_ms > 0)
		rc = loop_late_new(s->loop, (unsigned)s->conf->loop_look_ms, &s->late, e);
	if (rc != ERR_OK)
		return rc;
	say_who_is_refused(s->conf, s->trust);
	for (size_t i = 0; server_bs_listener(s->bs, i, name, sizeof name); i++)
		log_msg(LVL_NOTICE, LOG_SERVER, NULL, "listening on %s", name);
	server_reg_say(s->reg);
	log_msg(LVL_NOTICE, LOG_SERVER, NULL, "ready, %zu identities may knock, API on %s", auth_identities(s->auth),
	    s->conf->api_socket);
	notify_manager("READY=1");
	handoff_start(s->handoff);
	loop_run(s->loop);
	return ERR_OK;
}
