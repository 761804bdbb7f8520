#include "bsserver/server_bs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/server_tls.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/table.h"

#define QUERIES_MAX 32
#define QUOTA_RECORDS 300	       /* of failed handshakes in a minute */
#define QUOTA_MS 60000
#define STRANGERS 1024	       /* failed handshakes remembered, so that one peer does not fill the store */
#define STRANGER_QUIET_MS 5000 /* the same one again within this is only counted */

struct server_bs {
	struct server_bs_conf c;
	struct transport_listener listeners[CONF_LISTENERS_MAX];
	struct transport *transport;
	struct bs_driver *driver;
	struct loop_timer *timer;
	uint64_t read_ms; /* when the wall clock said wall_ms */
	int64_t wall_ms;
	uint64_t last_stranger_id;
	struct {
		uint64_t hash, at_ms;
	} strangers[STRANGERS];
	struct quota {
		uint64_t since_ms;
		unsigned n, passed_over;
	} unnamed, named; /* records of failed handshakes: of nobody we know, of what a device of ours claimed */
	struct table hasher; /* for its seed only */
};

/* ---- from the transport to the driver ---- */

/* What a certificate or a raw public key was found to be, in the words of bootstrap. */
static void
show_proof(const struct trust_proof *proof, struct bs_blob chain[BS_CHAIN_MAX], struct bs_peer *out)
{
	out->chain = chain;
	out->identity = proof->text;
	out->identity_len = strlen(proof->text);
	out->trust = proof->trust;
	if (proof->credential == AUTH_RPK) {
		chain[out->n_chain++] = (struct bs_blob){ proof->spki.p, proof->spki.n };
		return;
	}
	for (size_t i = 0; i < proof->path.n && i < BS_CHAIN_MAX; i++)
		chain[out->n_chain++] = (struct bs_blob){ proof->path.v[i]->der.p, proof->path.v[i]->der.n };
}

static void
on_knock(void *arg, const struct transport_request *r)
{
	static const enum bs_mode modes[] = { [TRANSPORT_NONE] = BS_NOSEC, [TRANSPORT_PSK] = BS_PSK,
		[TRANSPORT_RPK] = BS_RPK, [TRANSPORT_X509] = BS_X509 };
	struct server_bs *b = arg;
	struct bs_query queries[QUERIES_MAX];
	struct bs_blob chain[BS_CHAIN_MAX];
	struct bs_knock k = {
		.peer = {
			.id = r->peer,
			.addr = r->addr,
			.mode = modes[r->identity.kind],
			.identity = r->identity.bytes,
			.identity_len = r->identity.len,
		},
		.request = r->request,
		.queries = queries,
	};

	if (r->identity.proof != NULL)
		show_proof(r->identity.proof, chain, &k.peer);
	for (size_t i = 0; i < r->n_queries && i < QUERIES_MAX; i++)
		queries[k.n_queries++] = (struct bs_query){ r->queries[i].data, r->queries[i].len };
	bs_driver_knock(b->driver, &k);
}

/* Bootstrap-Pack is of 1.2: a client that asks for it is told to knock at /bs (5.01). */
static void
on_pack(void *arg, const struct transport_request *r)
{
	struct server_bs *b = arg;

	transport_reply(b->transport, r->request, 0xa1, 0, NULL);
}

static void
on_peer_gone(void *arg, uint64_t peer, const char *why)
{
	struct server_bs *b = arg;

	bs_driver_peer_gone(b->driver, peer, why);
}

static bool
on_psk(void *arg, const char *identity, size_t len, struct secret *key)
{
	struct server_bs *b = arg;

	return auth_psk(b->c.auth, identity, len, key);
}

static void
on_certificate(void *arg, enum transport_kind kind, const struct transport_blob *chain, size_t n,
    struct transport_verdict *out)
{
	const struct server_bs *b = arg;

	server_tls_judge(b->c.auth, b->c.trust, kind, false, chain, n, out);
}

static void
forget(void *arg, void *proof)
{
	(void)arg;
	trust_proof_free(proof);
}

/* The same failure of the same peer a moment ago: not another record. */
static bool
seen_lately(struct server_bs *b, const char *addr, const char *identity, size_t len, uint64_t now)
{
	const char *port = strrchr(addr, ':');
	uint64_t hash = table_hash(&b->hasher, addr, port == NULL ? strlen(addr) : (size_t)(port - addr));

	hash ^= table_hash(&b->hasher, identity, identity == NULL ? 0 : len);
	size_t at = hash % STRANGERS;
	bool lately = b->strangers[at].hash == hash && now - b->strangers[at].at_ms < STRANGER_QUIET_MS;
	if (!lately) {
		b->strangers[at].hash = hash;
		b->strangers[at].at_ms = now;
	}
	return lately;
}

/* What a certificate says of itself: shown, and never looked up. */
static void
put_subject(struct gbuf *out, const struct transport_identity *who)
{
	struct gbuf subject = { .max = 512 };
	struct pki_cert *c = NULL;

	if (who->n_chain > 0 && pki_cert_parse(who->chain[0].data, who->chain[0].len, &c, NULL) == ERR_OK) {
		pki_dn_text(&subject, c->subject);
		str_quote(out, gbuf_cstr(&subject), subject.len);
	}
	pki_cert_unref(c);
	gbuf_clear(&subject);
}

/* A raw public key that somebody is registered with failed for another reason than that. */
static void
describe_raw_key(const struct server_bs *b, const struct transport_identity *who, struct gbuf *credential,
    struct bs_record *r)
{
	char hex[65] = "";

	if (who->n_chain > 0) {
		struct pki_blob spki = { who->chain[0].data, who->chain[0].len };

		(void)crypt_sha256_hex(spki.p, spki.n, hex, NULL);
		if (!auth_rpk(b->c.auth, spki))
			r->reason = BS_REASON_UNKNOWN_IDENTITY;
	}
	gbuf_printf(credential, "rpk:sha256:%s", hex);
}

/* Why, and where no device is known, what it came with: whoever reads the log finds it by that. */
static void
put_detail(struct bs_record *r, const char *why)
{
	struct gbuf text = { .max = 2048 };

	gbuf_str(&text, why);
	if (r->endpoint == NULL && r->credential != NULL)
		gbuf_printf(&text, " (%s)", r->credential);
	r->detail = str_dup_n(gbuf_cstr(&text), text.len);
	gbuf_clear(&text);
}

/* What a failed handshake was about: the identity's device when there is one. */
static void
describe_stranger(const struct server_bs *b, const struct transport_failure *f, struct bs_record *r)
{
	const struct transport_identity *who = &f->claimed;
	struct gbuf credential = { .max = 1024 };
	const char *endpoint = NULL;

	r->reason = BS_REASON_HANDSHAKE;
	if (who->kind == TRANSPORT_PSK) {
		endpoint = auth_endpoint_of(b->c.auth, who->bytes, who->len);
		if (endpoint == NULL)
			r->reason = BS_REASON_UNKNOWN_IDENTITY;
		else if (f->wrong_key)
			r->reason = BS_REASON_WRONG_KEY;
		gbuf_str(&credential, "psk:");
		str_quote(&credential, who->bytes, who->len);
	} else if (who->kind == TRANSPORT_X509) {
		r->reason = BS_REASON_CERTIFICATE;
		gbuf_str(&credential, "x509:");
		put_subject(&credential, who);
	} else if (who->kind == TRANSPORT_RPK) {
		describe_raw_key(b, who, &credential, r);
	}
	if (endpoint != NULL)
		r->endpoint = str_dup_n(endpoint, strlen(endpoint));
	if (credential.len > 0)
		r->credential = str_dup_n(gbuf_cstr(&credential), credential.len);
	put_detail(r, f->why);
	gbuf_clear(&credential);
}

/* Tells failures of one address apart by what was shown there, or by what came of it. */
static bool
is_repeated(struct server_bs *b, const struct transport_failure *f)
{
	const struct transport_identity *who = &f->claimed;
	uint64_t now = loop_now_ms(b->c.loop);

	if (who->n_chain > 0)
		return seen_lately(b, f->addr, (const char *)who->chain[0].data, who->chain[0].len, now);
	if (who->bytes == NULL)
		return seen_lately(b, f->addr, f->why, strlen(f->why), now);
	return seen_lately(b, f->addr, who->bytes, who->len, now);
}

/* Records cost disk: whoever comes from many addresses does not fill the store. */
static bool
within_quota(struct quota *q, uint64_t now, const char *whose)
{
	if (now - q->since_ms >= QUOTA_MS) {
		if (q->passed_over > 0)
			log_msg(LVL_WARNING, LOG_BOOTSTRAP, NULL, "%u failed handshakes of %s have no record: more than %d in a minute",
			    q->passed_over, whose, QUOTA_RECORDS);
		*q = (struct quota){ .since_ms = now };
	}
	if (q->n < QUOTA_RECORDS) {
		q->n++;
		return true;
	}
	q->passed_over++;
	return false;
}

static void
on_handshake_failed(void *arg, const struct transport_failure *f)
{
	struct server_bs *b = arg;
	int64_t wall = clock_wall_ms();
	struct bs_record r = {
		.started_ms = wall,
		.ended_ms = wall,
		.verdict = BS_VERDICT_REFUSED,
		.step = BS_STEP_REQUEST,
		.used_format = -1,
	};

	if (is_repeated(b, f))
		return;
	describe_stranger(b, f, &r);
	bool named = r.endpoint != NULL;
	if (!within_quota(named ? &b->named : &b->unnamed, loop_now_ms(b->c.loop), named ? "known devices" : "strangers")) {
		bs_record_clear(&r);
		return;
	}
	b->last_stranger_id = MAX(b->last_stranger_id + 1, (uint64_t)wall * 1000 + 1);
	r.id = b->last_stranger_id;
	r.peer = str_dup_n(f->addr, strlen(f->addr));
	ports_record(b->c.ports, 0, &r);
	bs_record_clear(&r);
}

/* ---- from the driver to the transport ---- */

static void
port_now(void *arg, uint64_t *mono_ms, int64_t *wall_ms)
{
	struct server_bs *b = arg;

	*mono_ms = clock_mono_ms();
	if (*mono_ms != b->read_ms) { /* many events fall into one millisecond */
		b->read_ms = *mono_ms;
		b->wall_ms = clock_wall_ms();
	}
	*wall_ms = b->wall_ms;
}

static const char *
port_clock_fault(void *arg)
{
	const struct server_bs *b = arg;

	if (b->c.conf->trust_clock || clock_synchronized())
		return NULL;
	return "the kernel says that nobody synchronizes it (NTP), and bootstrap.trust_clock is not set";
}

static void
port_lookup(void *arg, uint64_t session, const struct bs_lookup *q)
{
	struct server_bs *b = arg;

	ports_lookup(b->c.ports, session, q);
}

static void
port_vet(void *arg, uint64_t session, const struct bs_grant *g, const struct bs_peer *peer)
{
	struct server_bs *b = arg;

	(void)g;
	vet_ask(b->c.vet, session, peer);
}

static void
port_inspect(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct server_bs *b = arg;

	ports_inspect(b->c.ports, session, g);
}

static void
port_keep(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct server_bs *b = arg;

	ports_keep(b->c.ports, session, g);
}

static void
port_handoff(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct server_bs *b = arg;

	ports_handoff(b->c.ports, session, g);
}

static void
port_settle(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct server_bs *b = arg;

	ports_settle(b->c.ports, session, g);
}

static void
port_record(void *arg, uint64_t session, const struct bs_record *r)
{
	struct server_bs *b = arg;

	ports_record(b->c.ports, session, r);
}

static void
port_reply(void *arg, uint64_t session, uint64_t peer, uint64_t request, const struct bs_reply *r)
{
	struct server_bs *b = arg;

	(void)session;
	(void)peer;
	if (b->transport == NULL)
		return; /* closing: nobody hears it any more */
	transport_reply(b->transport, request, r->code, r->max_age_s, r->text);
}

static void
on_answer(void *arg, uint64_t session, const struct transport_answer *a)
{
	struct server_bs *b = arg;
	struct bs_event ev = {
		.code = a->code,
		.format = a->format,
		.payload = a->payload,
		.payload_len = a->payload_len,
		.text = a->why,
	};

	switch (a->outcome) {
	case TRANSPORT_RESPONSE:
		ev.type = BS_EV_RESPONSE;
		break;
	case TRANSPORT_NO_ANSWER:
		ev.type = BS_EV_NO_ANSWER;
		break;
	case TRANSPORT_RESET:
		ev.type = BS_EV_RESET;
		break;
	case TRANSPORT_GONE:
		ev.type = BS_EV_SEND_FAILED;
		break;
	}
	bs_driver_event(b->driver, session, &ev);
}

static void
port_send(void *arg, uint64_t session, uint64_t peer, const struct bs_send *s)
{
	static const enum transport_method methods[] = {
		[BS_POST] = TRANSPORT_POST,
		[BS_GET] = TRANSPORT_GET,
		[BS_PUT] = TRANSPORT_PUT,
		[BS_DELETE] = TRANSPORT_DELETE,
	};
	struct server_bs *b = arg;
	struct lwm2m_path_str path = lwm2m_path_str(s->path);
	struct transport_out o = {
		.method = methods[s->method],
		.path = s->finish ? "/bs" : path.s,
		.format = s->format,
		.accept = s->accept,
		.payload = s->payload,
		.payload_len = s->payload_len,
		.timeout_ms = s->timeout_ms,
	};

	if (b->transport != NULL)
		transport_send(b->transport, peer, &o, session, on_answer, b);
}

static void
port_release(void *arg, uint64_t session, uint64_t peer, bool failed)
{
	struct server_bs *b = arg;

	vet_forget(b->c.vet, session);
	if (b->transport != NULL)
		transport_release(b->transport, peer, failed);
}

static void
on_timer(void *arg)
{
	struct server_bs *b = arg;

	bs_driver_tick(b->driver);
}

static void
port_wake_at(void *arg, uint64_t when_ms)
{
	struct server_bs *b = arg;
	uint64_t now = clock_mono_ms();

	loop_timer_start(b->timer, when_ms > now ? when_ms - now : 1, 0);
}

/* ---- open and close ---- */

static enum err_code
open_driver(struct server_bs *b, struct err *e)
{
	struct bs_driver_conf c = {
		.ports = {
			.arg = b,
			.now = port_now,
			.clock_fault = port_clock_fault,
			.lookup = port_lookup,
			.vet = port_vet,
			.inspect = port_inspect,
			.keep = port_keep,
			.handoff = port_handoff,
			.settle = port_settle,
			.record = port_record,
			.reply = port_reply,
			.send = port_send,
			.release = port_release,
			.wake_at = port_wake_at,
		},
		.model = b->c.model,
		.max_sessions = (unsigned)b->c.conf->max_sessions,
		.seed = b->hasher.seed,
	};

	return bs_driver_new(&c, &b->driver, e);
}

enum err_code
server_bs_check(const struct conf *c, struct err *e)
{
	const struct transport_credentials creds = server_tls_credentials(c);
	unsigned takes = 0;

	for (size_t i = 0; i < c->n_listeners; i++)
		takes |= server_tls_takes(&c->listeners[i]);
	for (size_t i = 0; i < c->n_registry_listeners; i++)
		takes |= server_tls_takes(&c->registry_listeners[i]);
	return transport_check(&creds, takes, e);
}

static enum err_code
open_transport(struct server_bs *b, struct err *e)
{
	static const struct transport_route routes[] = {
		{ TRANSPORT_POST, "bs", on_knock, 0 },
		{ TRANSPORT_GET, "bspack", on_pack, 0 },
	};
	const struct conf *conf = b->c.conf;
	struct transport_conf c = {
		.listeners = b->listeners,
		.n_listeners = conf->n_listeners,
		.routes = routes,
		.n_routes = N_ELEMS(routes),
		.hooks = {
			.arg = b,
			.psk = on_psk,
			.certificate = on_certificate,
			.forget = forget,
			.handshake_failed = on_handshake_failed,
			.peer_gone = on_peer_gone,
		},
		.max_handshakes = (unsigned)conf->max_handshakes,
		.max_peers = (unsigned)conf->max_peers,
		.cbc = conf->cbc,
		.credentials = server_tls_credentials(conf),
	};

	for (size_t i = 0; i < conf->n_listeners; i++)
		b->listeners[i] = (struct transport_listener){
			.scheme = conf->listeners[i].secure ? TRANSPORT_COAPS : TRANSPORT_COAP,
			.host = conf->listeners[i].host,
			.port = conf->listeners[i].port,
			.takes = server_tls_takes(&conf->listeners[i]),
		};
	return transport_open(b->c.loop, &c, &b->transport, e);
}

enum err_code
server_bs_open(const struct server_bs_conf *c, struct server_bs **out, struct err *e)
{
	struct server_bs *b = calloc(1, sizeof *b);
	uint64_t seed = 0;
	enum err_code rc;

	if (b == NULL)
		return err_no_memory(e);
	b->c = *c;
	rc = crypt_random(&seed, sizeof seed, e);
	table_init(&b->hasher, seed);
	if (rc == ERR_OK)
		rc = loop_timer_new(c->loop, on_timer, b, &b->timer, e);
	if (rc == ERR_OK)
		rc = open_driver(b, e);
	if (rc == ERR_OK)
		rc = open_transport(b, e);
	if (rc != ERR_OK) {
		server_bs_free(b);
		return rc;
	}
	*out = b;
	return ERR_OK;
}

enum err_code
server_bs_reload(struct server_bs *b, const struct conf *c, const struct trust *trust, struct err *e)
{
	const struct transport_credentials creds = server_tls_credentials(c);
	enum err_code rc = transport_reload(b->transport, &creds, e);

	if (rc == ERR_OK)
		b->c.trust = trust;
	return rc;
}

void
server_bs_stop(struct server_bs *b)
{
	bs_driver_stop(b->driver);
}

void
server_bs_close(struct server_bs *b)
{
	transport_close(b->transport);
	b->transport = NULL;
}

void
server_bs_free(struct server_bs *b)
{
	if (b == NULL)
		return;
	server_bs_close(b);
	bs_driver_free(b->driver);
	loop_timer_free(b->timer);
	free(b);
}

struct bs_driver *
server_bs_driver(const struct server_bs *b)
{
	return b->driver;
}

void
server_bs_stats(const struct server_bs *b, struct transport_stats *out)
{
	*out = (struct transport_stats){ 0 };
	if (b->transport != NULL)
		transport_stats(b->transport, out);
}

bool
server_bs_listener(const struct server_bs *b, size_t i, char *out, size_t cap)
{
	if (b->transport == NULL || i >= b->c.conf->n_listeners)
		return false;
	bool v6 = strchr(b->listeners[i].host, ':') != NULL;
	(void)snprintf(out, cap, "%s://%s%s%s:%u", b->listeners[i].scheme == TRANSPORT_COAPS ? "coaps" : "coap",
	    v6 ? "[" : "", b->listeners[i].host, v6 ? "]" : "", (unsigned)transport_port(b->transport, i));
	return true;
}
