#include "tests/unit/transport_world.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

static void
on_answer(void *arg, uint64_t tag, const struct transport_answer *a)
{
	struct world *w = arg;
	ck_assert_uint_lt(w->n_answers, N_ELEMS(w->answers));
	struct answer *to = &w->answers[w->n_answers++];

	*to = (struct answer){ .tag = tag, .outcome = a->outcome, .code = a->code,
		.format = a->format, .len = a->payload_len, .inside = w->sending };
	if (a->why != NULL)
		(void)snprintf(to->why, sizeof to->why, "%s", a->why);
	ck_assert_uint_le(a->payload_len, sizeof to->payload);
	if (a->payload_len > 0)
		memcpy(to->payload, a->payload, a->payload_len);
}

void
ask(struct world *w, uint64_t peer, enum transport_method method, const char *path,
    const uint8_t *payload, size_t len, uint32_t timeout_ms)
{
	const struct transport_out o = { .method = method, .path = path, .format = len > 0 ? 11542 : -1,
		.accept = method == TRANSPORT_GET ? 110 : -1, .payload = payload, .payload_len = len,
		.timeout_ms = timeout_ms };

	w->sending = true;
	transport_send(w->t, peer, &o, 100 + w->n_answers, on_answer, w);
	w->sending = false;
}

static void
on_bs(void *arg, const struct transport_request *r)
{
	struct world *w = arg;

	w->n_requests++;
	w->last = *r;
	(void)snprintf(w->addr, sizeof w->addr, "%s", r->addr);
	(void)snprintf(w->listener, sizeof w->listener, "%s", r->listener);
	w->identity_len = r->identity.len;
	ck_assert_uint_lt(r->identity.len, sizeof w->identity);
	if (r->identity.kind == TRANSPORT_PSK)
		memcpy(w->identity, r->identity.bytes, r->identity.len + 1);
	w->queries[0] = '\0';
	for (size_t i = 0; i < r->n_queries; i++) {
		size_t at = strlen(w->queries);
		(void)snprintf(w->queries + at, sizeof w->queries - at, "%s%.*s", i > 0 ? "&" : "",
		    (int)r->queries[i].len, r->queries[i].data);
	}
	ck_assert_uint_le(r->payload_len, sizeof w->body);
	if (r->payload_len > 0)
		memcpy(w->body, r->payload, r->payload_len);
	w->body_len = r->payload_len;
	if (w->send_in_handler)
		ask(w, r->peer, TRANSPORT_DELETE, "/0", NULL, 0, 1000);
	if (w->when == AT_ONCE)
		transport_reply(w->t, r->request, w->code, 0, w->text);
}

static bool
on_psk(void *arg, const char *identity, size_t len, struct secret *key)
{
	(void)arg;
	if (len >= 7 && memcmp(identity, "unknown", 7) == 0)
		return false;
	return secret_set(key, KEY, strlen(KEY), NULL) == ERR_OK;
}

static void
on_failed(void *arg, const struct transport_failure *f)
{
	struct world *w = arg;

	w->n_failures++;
	(void)snprintf(w->failed_addr, sizeof w->failed_addr, "%s", f->addr);
	(void)snprintf(w->why, sizeof w->why, "%s", f->why);
	w->wrong_key = f->wrong_key;
	w->failed_kind = f->claimed.kind;
	w->failed_len = f->claimed.len;
	if (f->claimed.bytes != NULL)
		memcpy(w->failed_identity, f->claimed.bytes, f->claimed.len + 1);
}

static void
on_gone(void *arg, uint64_t peer, const char *why)
{
	struct world *w = arg;

	(void)peer;
	w->n_gone++;
	w->answers_before_gone = w->n_answers;
	(void)snprintf(w->gone_why, sizeof w->gone_why, "%s", why);
}

static void
on_kept_gone(void *arg, uint64_t kept)
{
	struct world *w = arg;

	(void)kept;
	w->n_kept_gone++;
}

const struct transport_route world_routes[2] = { { TRANSPORT_POST, "bs", on_bs, 0 },
	{ TRANSPORT_POST, "rd", on_bs, BODY_MAX } };

void
world_open_with(struct world *w, bool cbc, unsigned max_peers)
{
	*w = (struct world){ .takes = 0 };
	world_open_again(w, cbc, max_peers);
}

void
world_open_again(struct world *w, bool cbc, unsigned max_peers)
{
	const struct transport_listener listeners[] = {
		{ TRANSPORT_COAP, "127.0.0.1", 0, 0 },
		{ TRANSPORT_COAPS, "127.0.0.1", 0, w->takes },
		{ TRANSPORT_COAP, "::1", 0, 0 },
		{ TRANSPORT_COAPS, "::1", 0, w->takes },
	};
	struct err e = { 0 };
	const struct transport_conf c = { .listeners = listeners, .n_listeners = N_ELEMS(listeners),
		.routes = world_routes, .n_routes = N_ELEMS(world_routes), .cbc = cbc, .max_peers = max_peers,
		.hooks = { .arg = w, .psk = on_psk, .handshake_failed = on_failed, .peer_gone = on_gone,
			.kept_gone = on_kept_gone,
			.certificate = w->certificate, .forget = w->forget },
		.credentials = w->credentials };

	w->code = CHANGED;
	log_set_level(LVL_WARNING);
	ck_assert_msg(loop_new(&w->loop, &e) == ERR_OK, "%s", e.msg);
	ck_assert_msg(transport_open(w->loop, &c, &w->t, &e) == ERR_OK, "%s", e.msg);
}

void
world_open(struct world *w)
{
	world_open_with(w, false, 0);
}

void
world_close(struct world *w)
{
	transport_close(w->t);
	loop_free(w->loop);
}

void
must_open(struct world *w, struct client *c, int listener, uint16_t local_port,
    const struct client_psk *psk)
{
	ck_assert(client_open(c, listener < COAP6 ? "127.0.0.1" : "::1",
	    transport_port(w->t, (size_t)listener), local_port, psk));
}

void
must_open_cert(struct world *w, struct client *c, int listener, const struct client_cert *cert)
{
	ck_assert(client_open_cert(c, listener < COAP6 ? "127.0.0.1" : "::1",
	    transport_port(w->t, (size_t)listener), cert));
}

/* A process that did not run for a while has no time left and everything still before it. */
#define TURNS_MIN 5

bool
wait_msg(struct world *w, struct client *c, struct msg *m, unsigned ms)
{
	uint64_t end = clock_mono_ms() + ms;

	for (unsigned turns = 0; turns < TURNS_MIN || clock_mono_ms() < end; turns++) {
		if (client_receive(c, m))
			return true;
		loop_turn(w->loop, 2);
	}
	return client_receive(c, m);
}

void
must_get(struct world *w, struct client *c, struct msg *m)
{
	bool again;

	do {
		ck_assert_msg(wait_msg(w, c, m, WAIT_MS), "nothing came");
		again = m->type == TYPE_CON && c->last_con == m->mid;
	} while (again);
	if (m->type == TYPE_CON)
		c->last_con = m->mid;
}

void
must_be_silent(struct world *w, struct client *c, unsigned ms)
{
	struct msg m;

	ck_assert_msg(!wait_msg(w, c, &m, ms), "an unexpected message came");
}

void
turn_until(struct world *w, const unsigned *n, unsigned wanted, unsigned ms)
{
	uint64_t end = clock_mono_ms() + ms;

	for (unsigned turns = 0; *n < wanted && (turns < TURNS_MIN || clock_mono_ms() < end); turns++)
		loop_turn(w->loop, 2);
	ck_assert_uint_eq(*n, wanted);
}

bool
shake(struct world *w, struct client *c, unsigned ms)
{
	uint64_t end = clock_mono_ms() + ms;

	while (!client_handshake(c)) {
		if (clock_mono_ms() > end)
			return false;
		loop_turn(w->loop, 2);
	}
	return c->ready;
}

struct msg
post_bs(uint16_t mid, const char *token)
{
	struct msg m = msg_make(TYPE_CON, POST, mid, token);

	(void)snprintf(m.path, sizeof m.path, "bs");
	(void)snprintf(m.query, sizeof m.query, "ep=urn:imei:1&pct=110");
	return m;
}

void
reply_to(struct client *c, const struct msg *asked, uint8_t code)
{
	struct msg m = msg_make(TYPE_ACK, code, asked->mid, "");

	m.token_len = asked->token_len;
	memcpy(m.token, asked->token, asked->token_len);
	ck_assert(client_send(c, &m));
}

void
knock(struct world *w, struct client *c, uint16_t mid, const char *token)
{
	struct msg m = post_bs(mid, token);

	ck_assert(client_send(c, &m));
	must_get(w, c, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, w->code);
	ck_assert_int_eq(m.mid, mid);
}

