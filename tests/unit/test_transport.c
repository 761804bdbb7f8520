#include "bsserver/transport/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "tests/unit/coap_client.h"
#include "tests/unit/unit.h"

#define BS "bs"
#define CHANGED COAP_CODE(2, 4)
#define CONTENT COAP_CODE(2, 5)
#define CONTINUE COAP_CODE(2, 31)
#define POST 2
#define KEY "sixteen octets!!"
#define WAIT_MS 3000

enum when { AT_ONCE, LATER };

struct answer {
	uint64_t tag;
	enum transport_outcome outcome;
	uint8_t code;
	int format;
	char why[128];
	uint8_t payload[4096];
	size_t len;
	bool inside; /* came while transport_send() ran */
};

/* The server's side, as its user sees it. */
struct world {
	struct loop *loop;
	struct transport *t;
	enum when when;
	uint8_t code; /* of the reply */
	const char *text;
	bool send_in_handler;
	unsigned n_requests, n_answers, n_failures, n_gone;
	struct transport_request last; /* pointers of it are not kept */
	char addr[64], listener[96], identity[200], queries[256];
	size_t identity_len;
	struct answer answers[8];
	char why[128], failed_identity[200], failed_addr[64];
	size_t failed_len;
	bool sending;
};

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

static void
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
	if (r->identity.psk)
		memcpy(w->identity, r->identity.bytes, r->identity.len + 1);
	w->queries[0] = '\0';
	for (size_t i = 0; i < r->n_queries; i++) {
		size_t at = strlen(w->queries);
		(void)snprintf(w->queries + at, sizeof w->queries - at, "%s%.*s", i > 0 ? "&" : "",
		    (int)r->queries[i].len, r->queries[i].data);
	}
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
on_failed(void *arg, const char *addr, const char *identity, size_t len, const char *why)
{
	struct world *w = arg;

	w->n_failures++;
	(void)snprintf(w->failed_addr, sizeof w->failed_addr, "%s", addr);
	(void)snprintf(w->why, sizeof w->why, "%s", why);
	w->failed_len = len;
	if (identity != NULL)
		memcpy(w->failed_identity, identity, len + 1);
}

static void
on_gone(void *arg, uint64_t peer)
{
	struct world *w = arg;

	(void)peer;
	w->n_gone++;
}

static const struct transport_route routes[] = { { TRANSPORT_POST, BS, on_bs } };
static const struct transport_listener listeners[] = {
	{ TRANSPORT_COAP, "127.0.0.1", 0 },
	{ TRANSPORT_COAPS, "127.0.0.1", 0 },
	{ TRANSPORT_COAP, "::1", 0 },
	{ TRANSPORT_COAPS, "::1", 0 },
};
enum { COAP4, COAPS4, COAP6, COAPS6 };

static void
open_with(struct world *w, bool cbc, unsigned max_peers)
{
	struct err e = { 0 };
	const struct transport_conf c = { .listeners = listeners, .n_listeners = N_ELEMS(listeners),
		.routes = routes, .n_routes = N_ELEMS(routes), .cbc = cbc, .max_peers = max_peers,
		.hooks = { .arg = w, .psk = on_psk, .handshake_failed = on_failed, .peer_gone = on_gone } };

	*w = (struct world){ .code = CHANGED };
	log_set_level(LVL_WARNING);
	ck_assert_msg(loop_new(&w->loop, &e) == ERR_OK, "%s", e.msg);
	ck_assert_msg(transport_open(w->loop, &c, &w->t, &e) == ERR_OK, "%s", e.msg);
}

static void
open_world(struct world *w)
{
	open_with(w, false, 0);
}

static void
close_world(struct world *w)
{
	transport_close(w->t);
	loop_free(w->loop);
}

static void
must_open(struct world *w, struct client *c, int listener, uint16_t local_port,
    const struct client_psk *psk)
{
	ck_assert(client_open(c, listener < COAP6 ? "127.0.0.1" : "::1",
	    transport_port(w->t, (size_t)listener), local_port, psk));
}

/* Turns the loop until something comes; false after ms. */
static bool
wait_msg(struct world *w, struct client *c, struct msg *m, unsigned ms)
{
	uint64_t end = clock_mono_ms() + ms;

	do {
		if (client_receive(c, m))
			return true;
		loop_turn(w->loop, 2);
	} while (clock_mono_ms() < end);
	return client_receive(c, m);
}

static void
must_get(struct world *w, struct client *c, struct msg *m)
{
	ck_assert_msg(wait_msg(w, c, m, WAIT_MS), "nothing came");
}

static void
must_be_silent(struct world *w, struct client *c, unsigned ms)
{
	struct msg m;

	ck_assert_msg(!wait_msg(w, c, &m, ms), "an unexpected message came");
}

static void
turn_until(struct world *w, const unsigned *n, unsigned wanted, unsigned ms)
{
	uint64_t end = clock_mono_ms() + ms;

	while (*n < wanted && clock_mono_ms() < end)
		loop_turn(w->loop, 2);
	ck_assert_uint_eq(*n, wanted);
}

static bool
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

static struct msg
post_bs(uint16_t mid, const char *token)
{
	struct msg m = msg_make(TYPE_CON, POST, mid, token);

	(void)snprintf(m.path, sizeof m.path, "bs");
	(void)snprintf(m.query, sizeof m.query, "ep=urn:imei:1&pct=110");
	return m;
}

static void
reply_to(struct client *c, const struct msg *asked, uint8_t code)
{
	struct msg m = msg_make(TYPE_ACK, code, asked->mid, "");

	m.token_len = asked->token_len;
	memcpy(m.token, asked->token, asked->token_len);
	ck_assert(client_send(c, &m));
}

/* POST /bs and its 2.04; the peer is w->last.peer then. */
static void
knock(struct world *w, struct client *c, uint16_t mid, const char *token)
{
	struct msg m = post_bs(mid, token);

	ck_assert(client_send(c, &m));
	must_get(w, c, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, w->code);
	ck_assert_int_eq(m.mid, mid);
}

START_TEST(a_request_reaches_its_handler_and_is_answered_in_the_acknowledgement)
{
	static const int at[] = { COAP4, COAP6 };
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");
	char addr[64];

	open_world(&w);
	must_open(&w, &c, at[_i], 0, NULL);
	ck_assert(client_send(&c, &m));
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, CHANGED);
	ck_assert_int_eq(m.mid, 7);
	ck_assert_mem_eq(m.token, "tok", 3);
	ck_assert_str_eq(w.queries, "ep=urn:imei:1&pct=110");
	ck_assert(!w.last.identity.psk);
	ck_assert_int_eq(w.last.format, -1);
	(void)snprintf(addr, sizeof addr, "%s:%u", _i == 0 ? "127.0.0.1" : "[::1]", client_port(&c));
	ck_assert_str_eq(w.addr, addr);
	(void)snprintf(addr, sizeof addr, "coap://%s:%u", _i == 0 ? "127.0.0.1" : "[::1]",
	    transport_port(w.t, (size_t)at[_i]));
	ck_assert_str_eq(w.listener, addr);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(a_late_reply_is_still_in_the_acknowledgement)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");

	open_world(&w);
	w.when = LATER;
	must_open(&w, &c, COAP4, 0, NULL);
	ck_assert(client_send(&c, &m));
	turn_until(&w, &w.n_requests, 1, WAIT_MS);
	must_be_silent(&w, &c, 50);
	transport_reply(w.t, w.last.request, COAP_CODE(5, 3), 60, "full");
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, COAP_CODE(5, 3));
	ck_assert_int_eq(m.mid, 7);
	ck_assert_int_eq(m.max_age, 60);
	ck_assert_uint_eq(m.payload_len, 4);
	transport_reply(w.t, w.last.request, CHANGED, 0, NULL); /* a second one is nothing */
	transport_reply(w.t, 12345, CHANGED, 0, NULL);
	must_be_silent(&w, &c, 20);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(a_very_late_reply_comes_by_itself)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok"), ack;

	open_world(&w);
	w.when = LATER;
	must_open(&w, &c, COAP4, 0, NULL);
	ck_assert(client_send(&c, &m));
	must_get(&w, &c, &m); /* after a second */
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, 0);
	ck_assert_int_eq(m.mid, 7);
	ck_assert_uint_eq(m.token_len, 0);
	transport_reply(w.t, w.last.request, CHANGED, 0, NULL);
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert_int_eq(m.code, CHANGED);
	ck_assert_mem_eq(m.token, "tok", 3);
	ack = msg_make(TYPE_ACK, 0, m.mid, "");
	ck_assert(client_send(&c, &ack));
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(a_retransmission_gets_the_same_answer_and_starts_nothing)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");
	struct transport_stats s;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	w.text = "changed";
	knock(&w, &c, 7, "tok");
	for (int i = 0; i < 3; i++) {
		w.code = COAP_CODE(4, 0); /* what a handler that ran again would say */
		m = post_bs(7, "tok");
		ck_assert(client_send(&c, &m));
		must_get(&w, &c, &m);
		ck_assert_int_eq(m.code, CHANGED);
		ck_assert_int_eq(m.mid, 7);
		ck_assert_uint_eq(m.payload_len, 7);
	}
	ck_assert_uint_eq(w.n_requests, 1);
	transport_stats(w.t, &s);
	ck_assert_uint_eq(s.retransmissions_seen, 3);
	ck_assert_uint_eq(s.replies_repeated, 3);
	w.code = CHANGED;
	knock(&w, &c, 8, "tok"); /* another message id, or another token, is another request */
	knock(&w, &c, 7, "kot");
	ck_assert_uint_eq(w.n_requests, 3);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(a_retransmission_of_what_is_not_answered_yet_is_acknowledged)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");

	open_world(&w);
	w.when = LATER;
	must_open(&w, &c, COAP4, 0, NULL);
	ck_assert(client_send(&c, &m));
	turn_until(&w, &w.n_requests, 1, WAIT_MS);
	ck_assert(client_send(&c, &m));
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, 0);
	transport_reply(w.t, w.last.request, CHANGED, 0, NULL);
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert_int_eq(m.code, CHANGED);
	ck_assert_uint_eq(w.n_requests, 1);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(requests_go_out_on_the_same_session_after_the_reply)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");
	static const uint8_t payload[] = { 1, 2, 3 };

	open_world(&w);
	w.send_in_handler = true; /* before the reply, in the same call */
	must_open(&w, &c, COAP4, 0, NULL);
	ck_assert(client_send(&c, &m));
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, CHANGED);
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert_int_eq(m.code, TRANSPORT_DELETE);
	ck_assert_str_eq(m.path, "0");
	ck_assert_uint_ge(m.token_len, 4);
	reply_to(&c, &m, COAP_CODE(2, 2));
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_RESPONSE);
	ck_assert_int_eq(w.answers[0].code, COAP_CODE(2, 2));
	ck_assert_uint_eq(w.answers[0].tag, 100);
	ask(&w, w.last.peer, TRANSPORT_PUT, "/0/1", payload, sizeof payload, 1000);
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.code, TRANSPORT_PUT);
	ck_assert_str_eq(m.path, "0/1");
	ck_assert_int_eq(m.format, 11542);
	ck_assert_uint_eq(m.payload_len, 3);
	reply_to(&c, &m, CHANGED);
	turn_until(&w, &w.n_answers, 2, WAIT_MS);
	ask(&w, w.last.peer, TRANSPORT_GET, "/", NULL, 0, 1000);
	must_get(&w, &c, &m);
	ck_assert_str_eq(m.path, "");
	ck_assert_int_eq(m.accept, 110);
	reply_to(&c, &m, CONTENT);
	turn_until(&w, &w.n_answers, 3, WAIT_MS);
	ck_assert_int_eq(w.answers[2].code, CONTENT);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(a_separate_response_is_taken_and_acknowledged)
{
	struct world w;
	struct client c;
	struct msg m, r;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, w.last.peer, TRANSPORT_POST, "/bs", NULL, 0, 3000);
	must_get(&w, &c, &m);
	r = msg_make(TYPE_ACK, 0, m.mid, "");
	ck_assert(client_send(&c, &r));
	r = msg_make(TYPE_CON, COAP_CODE(4, 6), 999, "");
	r.token_len = m.token_len;
	memcpy(r.token, m.token, m.token_len);
	ck_assert(client_send(&c, &r));
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].code, COAP_CODE(4, 6));
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.mid, 999);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(reset_and_silence_are_told_apart)
{
	struct world w;
	struct client c;
	struct msg m, r;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, w.last.peer, TRANSPORT_DELETE, "/0", NULL, 0, 3000);
	must_get(&w, &c, &m);
	r = msg_make(TYPE_RST, 0, m.mid, "");
	ck_assert(client_send(&c, &r));
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_RESET);

	uint64_t before = clock_mono_ms();
	ask(&w, w.last.peer, TRANSPORT_DELETE, "/0", NULL, 0, 300);
	turn_until(&w, &w.n_answers, 2, WAIT_MS);
	ck_assert_int_eq(w.answers[1].outcome, TRANSPORT_NO_ANSWER);
	uint64_t took = clock_mono_ms() - before;
	ck_assert_msg(took >= 290 && took < 600, "%u ms", (unsigned)took);

	must_get(&w, &c, &m); /* an answer that comes too late is nobody's; the next is not held up */
	reply_to(&c, &m, COAP_CODE(2, 2));
	must_be_silent(&w, &c, 50);
	ck_assert_uint_eq(w.n_answers, 2);
	ask(&w, w.last.peer, TRANSPORT_DELETE, "/1", NULL, 0, 3000);
	must_get(&w, &c, &m);
	ck_assert_str_eq(m.path, "1");
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(an_unanswered_request_is_retransmitted_and_no_more_after_its_deadline)
{
	struct world w;
	struct client c;
	struct msg first, again;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, w.last.peer, TRANSPORT_DELETE, "/0", NULL, 0, 3200);
	must_get(&w, &c, &first);
	ck_assert(wait_msg(&w, &c, &again, 3100)); /* 2 to 3 seconds */
	ck_assert_int_eq(again.mid, first.mid);
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_NO_ANSWER);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(what_cannot_be_sent_is_answered_later_and_once)
{
	static const uint8_t byte[] = { 1 };
	struct world w;
	struct client c;
	struct msg m;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, 4711, TRANSPORT_GET, "/", NULL, 0, 1000);
	ask(&w, w.last.peer, TRANSPORT_GET, "1", NULL, 0, 1000);
	ask(&w, w.last.peer, TRANSPORT_PUT, "/0/0", byte, ((size_t)1 << 20) + 1, 1000);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, 1000);
	ask(&w, w.last.peer, TRANSPORT_GET, "/2", NULL, 0, 1000);
	ck_assert_uint_eq(w.n_answers, 0);
	turn_until(&w, &w.n_answers, 4, WAIT_MS);
	ck_assert_str_eq(w.answers[0].why, "its session is over");
	ck_assert_str_eq(w.answers[1].why, "its path is not absolute, or too long");
	ck_assert_str_eq(w.answers[2].why, "its payload is larger than 1 MiB");
	ck_assert_str_eq(w.answers[3].why, "another request to it is under way");
	must_get(&w, &c, &m);
	ck_assert_str_eq(m.path, "1");
	transport_release(w.t, w.last.peer, true);
	turn_until(&w, &w.n_answers, 5, WAIT_MS);
	ck_assert_int_eq(w.answers[4].outcome, TRANSPORT_GONE);
	ck_assert_str_eq(w.answers[4].why, "the session was released");
	ask(&w, w.last.peer, TRANSPORT_GET, "/2", NULL, 0, 1000);
	turn_until(&w, &w.n_answers, 6, WAIT_MS);
	ck_assert_str_eq(w.answers[5].why, "its session is over");
	for (unsigned i = 0; i < w.n_answers; i++)
		ck_assert(!w.answers[i].inside || w.answers[i].outcome != TRANSPORT_GONE || i == 4);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(closing_answers_everything_that_is_owed)
{
	struct world w;
	struct client c;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, 1000);
	ask(&w, 4711, TRANSPORT_GET, "/", NULL, 0, 1000);
	close_world(&w);
	ck_assert_uint_eq(w.n_answers, 2);
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_GONE);
	ck_assert_str_eq(w.answers[0].why, "the server is closing");
	ck_assert_uint_eq(w.n_gone, 0);
	client_close(&c, true);
}
END_TEST

static const struct {
	uint8_t method;
	const char *path, *query;
	uint8_t code;
	int64_t block1;
} refused[] = {
	{ 1, "bspack", "ep=a", COAP_CODE(5, 1), -1 },
	{ 1, "bs", "", COAP_CODE(4, 5), -1 },
	{ 4, "bs", "", COAP_CODE(4, 5), -1 },
	{ 5, "bs", "", COAP_CODE(4, 5), -1 },
	{ 2, "", "", COAP_CODE(4, 4), -1 },
	{ 2, "bs/1", "", COAP_CODE(4, 4), -1 },
	{ 2, "b", "", COAP_CODE(4, 4), -1 },
	{ 4, "nothing", "", COAP_CODE(4, 4), -1 },
	{ 1, ".well-known/core", "", COAP_CODE(4, 4), -1 },
	{ 2, "bs", "ep=a", COAP_CODE(4, 13), 8 },
	{ 2, "bs", "ep=a", COAP_CODE(4, 13), 0x18 },
	{ 2, "bs",
	    "1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17&18&19&20&21&22&23&24&25&26&27&28&29&30&31&32&33",
	    COAP_CODE(4, 2), -1 },
};

START_TEST(a_request_without_a_route_is_refused)
{
	struct world w;
	struct client c;
	struct msg m = msg_make(TYPE_CON, refused[_i].method, 7, "t");

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	(void)snprintf(m.path, sizeof m.path, "%s", refused[_i].path);
	(void)snprintf(m.query, sizeof m.query, "%s", refused[_i].query);
	m.block1 = refused[_i].block1;
	ck_assert(client_send(&c, &m));
	must_get(&w, &c, &m);
	ck_assert_msg(m.code == refused[_i].code, "%u.%02u", m.code >> 5, m.code & 31U);
	ck_assert_uint_eq(w.n_requests, 0);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(an_unknown_critical_option_is_refused)
{
	static const uint8_t octets[] = { 0x41, 2, 0, 9, 't', 0xb2, 'b', 's', 0xe0, 0x08, 0xff };
	struct world w;
	struct client c;
	struct msg m;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	ck_assert(client_send_octets(&c, octets, sizeof octets)); /* 2583: odd, so critical */
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.code, COAP_CODE(4, 2));
	ck_assert_uint_eq(w.n_requests, 0);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(a_non_confirmable_request_gets_nothing)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	m.type = TYPE_NON;
	ck_assert(client_send(&c, &m));
	must_be_silent(&w, &c, 100);
	ck_assert_uint_eq(w.n_requests, 0);
	knock(&w, &c, 8, "tok");
	client_close(&c, true);
	close_world(&w);
}
END_TEST

static const struct {
	size_t n;
	uint8_t octets[24];
} malformed[] = {
	{ 0, { 0 } },
	{ 1, { 0x40 } },
	{ 3, { 0x40, 2, 0 } },
	{ 4, { 0x00, 2, 0, 1 } },	    /* version 0 */
	{ 5, { 0x4f, 2, 0, 1, 1 } },	    /* token of 15 */
	{ 5, { 0x44, 2, 0, 1, 1 } },	    /* token cut off */
	{ 5, { 0x40, 2, 0, 1, 0xb5 } },	    /* option cut off */
	{ 5, { 0x40, 2, 0, 1, 0xf1 } },	    /* reserved delta */
	{ 5, { 0x40, 2, 0, 1, 0xff } },	    /* marker, no payload */
	{ 4, { 0x40, 0xe1, 0, 1 } },	    /* reserved class */
	{ 6, { 0x40, 0x45, 0, 1, 0xff, 1 } }, /* an answer that nobody asked for */
	{ 4, { 0x70, 0, 0, 1 } },	    /* a reset of nothing */
	{ 24, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
};

START_TEST(a_malformed_datagram_is_survived)
{
	struct world w;
	struct client c, other;

	open_world(&w);
	for (size_t at = COAP4; at <= COAPS4; at++) {
		must_open(&w, &c, (int)at, 0, NULL);
		ck_assert(client_send_octets(&c, malformed[_i].octets, malformed[_i].n));
		client_close(&c, true);
	}
	must_open(&w, &other, COAP4, 0, NULL);
	knock(&w, &other, 8, "tok");
	ck_assert_uint_eq(w.n_requests, 1);
	client_close(&other, true);
	close_world(&w);
}
END_TEST

/* A device that takes a payload in blocks of at most 16 << szx octets, and says so. */
static size_t
take_blocks(struct world *w, struct client *c, uint8_t *to, unsigned szx, unsigned *messages)
{
	struct msg m, r;
	size_t got = 0;
	char last[9] = "";

	for (;;) {
		must_get(w, c, &m);
		++*messages;
		ck_assert_int_eq(m.format, 11542);
		ck_assert_str_eq(m.path, "0/1");
		ck_assert(m.block1 >= 0);
		ck_assert_mem_ne(last, m.token, m.token_len);
		memcpy(last, m.token, m.token_len);
		size_t size = (size_t)16 << (m.block1 & 7);
		ck_assert_uint_eq((size_t)(m.block1 >> 4) * size, got);
		ck_assert_int_eq(m.size1, got == 0 ? 2500 : -1);
		memcpy(to + got, m.payload, m.payload_len);
		got += m.payload_len;
		bool more = (m.block1 & 8) != 0;
		ck_assert(!more || m.payload_len == size);
		r = msg_make(TYPE_ACK, more ? CONTINUE : CHANGED, m.mid, "");
		r.token_len = m.token_len;
		memcpy(r.token, m.token, m.token_len);
		r.block1 = (m.block1 & ~(int64_t)7) | MIN(szx, (unsigned)m.block1 & 7U);
		ck_assert(client_send(c, &r));
		if (!more)
			return got;
	}
}

START_TEST(a_large_payload_goes_in_blocks)
{
	static const struct {
		unsigned szx, messages;
	} rows[] = { { 6, 3 }, { 5, 4 }, { 4, 7 }, { 2, 25 } };
	uint8_t payload[2500], got[4096];
	struct world w;
	struct client c;
	unsigned messages = 0;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(i * 7);
	ask(&w, w.last.peer, TRANSPORT_PUT, "/0/1", payload, sizeof payload, 3000);
	ck_assert_uint_eq(take_blocks(&w, &c, got, rows[_i].szx, &messages), sizeof payload);
	ck_assert_mem_eq(got, payload, sizeof payload);
	ck_assert_uint_eq(messages, rows[_i].messages);
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].code, CHANGED);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(a_large_answer_is_gathered_from_its_blocks)
{
	uint8_t body[3000];
	struct world w;
	struct client c;
	struct msg m, r;
	size_t size = (size_t)16 << (6 - _i), sent = 0;

	open_world(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)(i * 3);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, 3000);
	while (sent < sizeof body) {
		must_get(&w, &c, &m);
		ck_assert_int_eq(m.code, TRANSPORT_GET);
		ck_assert_int_eq(m.accept, 110);
		ck_assert_str_eq(m.path, "1");
		ck_assert_int_eq(m.block2, sent == 0 ? -1 : (int64_t)((sent / size) << 4 | (6U - (unsigned)_i)));
		r = msg_make(TYPE_ACK, CONTENT, m.mid, "");
		r.token_len = m.token_len;
		memcpy(r.token, m.token, m.token_len);
		r.format = 110;
		r.payload = body + sent;
		r.payload_len = MIN(size, sizeof body - sent);
		r.block2 = (int64_t)((sent / size) << 4 | (6U - (unsigned)_i) |
		    (sent + size < sizeof body ? 8U : 0));
		sent += r.payload_len;
		ck_assert(client_send(&c, &r));
	}
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_RESPONSE);
	ck_assert_int_eq(w.answers[0].format, 110);
	ck_assert_uint_eq(w.answers[0].len, sizeof body);
	ck_assert_mem_eq(w.answers[0].payload, body, sizeof body);
	client_close(&c, true);
	close_world(&w);
}
END_TEST

START_TEST(peers_are_bounded)
{
	struct world w;
	struct client c[3];
	struct msg m = post_bs(1, "x");

	open_with(&w, false, 2);
	for (size_t i = 0; i < 3; i++)
		must_open(&w, &c[i], COAP4, 0, NULL);
	knock(&w, &c[0], 1, "x");
	uint64_t first = w.last.peer;
	knock(&w, &c[1], 1, "x");
	ck_assert(client_send(&c[2], &m));
	must_get(&w, &c[2], &m);
	ck_assert_int_eq(m.code, COAP_CODE(5, 3));
	ck_assert_int_eq(m.max_age, 30);
	ck_assert_uint_eq(w.n_requests, 2);
	transport_release(w.t, first, false);
	transport_release(w.t, first, false); /* stale: nothing */
	knock(&w, &c[2], 2, "x");
	ck_assert_uint_eq(w.n_requests, 3);
	for (size_t i = 0; i < 3; i++)
		client_close(&c[i], true);
	close_world(&w);
}
END_TEST

START_TEST(releasing_an_older_peer_leaves_a_newer_one_on_the_same_session)
{
	struct world w;
	struct client c;
	struct msg m;
	static const int at[] = { COAP4, COAPS4 };
	const struct client_psk psk = { "dev", 3, KEY, NULL };

	open_world(&w);
	must_open(&w, &c, at[_i], 0, _i == 0 ? NULL : &psk);
	ck_assert(_i == 0 || shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	uint64_t older = w.last.peer;
	knock(&w, &c, 2, "b");
	ck_assert_uint_ne(w.last.peer, older);
	transport_release(w.t, older, true);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, 1000);
	must_get(&w, &c, &m);
	ck_assert_str_eq(m.path, "1");
	client_close(&c, true);
	close_world(&w);
}
END_TEST

static const struct {
	const char *identity;
	size_t len;
	int listener;
	const char *priority;
	const char *cipher;
} good[] = {
	{ "dev", 3, COAPS4, NULL, "AES-128-CCM-8" },
	{ "dev", 3, COAPS6, NULL, "AES-128-CCM-8" },
	{ "urn:\0dev\0", 9, COAPS4, NULL, "AES-128-CCM-8" },
	{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 128, COAPS4, NULL,
	    "AES-128-CCM-8" },
	{ "dev", 3, COAPS4, "NONE:+VERS-DTLS1.2:+AES-128-CBC:+SHA256:+PSK:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1", "AES-128-CBC" },
	{ "dev", 3, COAPS4, "NONE:+VERS-DTLS1.2:+AES-128-CCM:+AEAD:+PSK:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1", "AES-128-CCM" },
	{ "dev", 3, COAPS4, "NONE:+VERS-DTLS1.2:+AES-128-GCM:+AEAD:+PSK:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1", "AES-128-GCM" },
	{ "dev", 3, COAPS4, "NORMAL:-VERS-ALL:+VERS-DTLS1.2:+PSK:+ECDHE-PSK:+AES-128-CCM-8",
	    "AES-128-CCM-8" },
	{ "dev", 3, COAPS4, "NORMAL:-KX-ALL:-VERS-ALL:+VERS-DTLS1.2:+ECDHE-PSK:+SHA256", "AES-128-CBC" },
};

START_TEST(a_device_with_a_key_is_known_by_its_identity)
{
	struct world w;
	struct client c;
	struct msg m;
	struct transport_stats s;
	const struct client_psk psk = { good[_i].identity, good[_i].len, KEY, good[_i].priority };

	open_with(&w, true, 0);
	must_open(&w, &c, good[_i].listener, 0, &psk);
	ck_assert_msg(shake(&w, &c, WAIT_MS), "%s", gnutls_strerror(c.error));
	ck_assert_str_eq(client_cipher(&c), good[_i].cipher);
	knock(&w, &c, 1, "a");
	ck_assert(w.last.identity.psk);
	ck_assert_uint_eq(w.identity_len, good[_i].len);
	ck_assert_mem_eq(w.identity, good[_i].identity, good[_i].len);
	ck_assert_mem_eq(w.listener, "coaps://", 8);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, 1000);
	must_get(&w, &c, &m);
	reply_to(&c, &m, CONTENT);
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	transport_stats(w.t, &s);
	ck_assert_uint_eq(s.handshakes, 1);
	ck_assert_uint_eq(s.handshakes_failed, 0);
	transport_release(w.t, w.last.peer, false);
	ck_assert(!wait_msg(&w, &c, &m, 20));
	ck_assert_int_eq(c.error, GNUTLS_E_SESSION_EOF); /* close_notify came */
	client_close(&c, true);
	ck_assert_uint_eq(w.n_gone, 0);
	close_world(&w);
	ck_assert_uint_eq(w.n_failures, 0);
}
END_TEST

static const struct {
	const char *what;
	struct client_psk psk;
	const char *why;
	int alert; /* that the device gets; -1: any or none */
} bad[] = {
	{ "unknown", { "unknown-1", 9, KEY, NULL }, "unknown identity", GNUTLS_A_UNKNOWN_PSK_IDENTITY },
	{ "key", { "dev", 3, "another key, oh!", NULL }, "wrong key for this identity",
	    GNUTLS_A_DECRYPT_ERROR },
	{ "cipher", { "dev", 3, KEY, "NONE:+VERS-DTLS1.2:+AES-256-CBC:+SHA1:+PSK:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1" },
	    "no cipher suite in common", GNUTLS_A_HANDSHAKE_FAILURE },
	{ "cbc", { "dev", 3, KEY, "NONE:+VERS-DTLS1.2:+AES-128-CBC:+SHA256:+PSK:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1" },
	    "no cipher suite in common", GNUTLS_A_HANDSHAKE_FAILURE },
	{ "version", { "dev", 3, KEY, "NONE:+VERS-DTLS1.0:+AES-128-CBC:+SHA1:+PSK:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1" },
	    "the device offers no DTLS 1.2", GNUTLS_A_PROTOCOL_VERSION },
	{ "long identity", { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef+", 129,
			       KEY, NULL }, "the identity is longer than 128 octets",
	    GNUTLS_A_UNKNOWN_PSK_IDENTITY },
};

START_TEST(a_handshake_that_fails_is_reported)
{
	struct world w;
	struct client c;
	struct transport_stats s;
	char addr[64];

	open_world(&w);
	must_open(&w, &c, COAPS4, 0, &bad[_i].psk);
	ck_assert_msg(!shake(&w, &c, WAIT_MS), "%s: it succeeded", bad[_i].what);
	turn_until(&w, &w.n_failures, 1, WAIT_MS);
	ck_assert_str_eq(w.why, bad[_i].why);
	(void)snprintf(addr, sizeof addr, "127.0.0.1:%u", client_port(&c));
	ck_assert_str_eq(w.failed_addr, addr);
	ck_assert_int_eq(c.alert, bad[_i].alert);
	if (_i < 2)
		ck_assert_mem_eq(w.failed_identity, bad[_i].psk.identity, bad[_i].psk.identity_len);
	transport_stats(w.t, &s);
	ck_assert_uint_eq(s.handshakes_failed, 1);
	client_close(&c, true);
	close_world(&w);
	ck_assert_uint_eq(w.n_failures, 1);
	ck_assert_uint_eq(w.n_requests, 0);
}
END_TEST

/* The device loses power in the named state, and comes again from the same port. */
START_TEST(a_device_that_restarts_on_its_port_gets_a_handshake)
{
	static const char *const states[] = { "idle", "request under way", "reply owed", "half open" };
	struct world w;
	struct client c;
	struct msg m = post_bs(1, "a");
	const struct client_psk psk = { "dev", 3, KEY, NULL };

	open_world(&w);
	must_open(&w, &c, COAPS4, 0, &psk);
	uint16_t port = client_port(&c);
	if (_i < 3) {
		ck_assert(shake(&w, &c, WAIT_MS));
		w.when = _i == 2 ? LATER : AT_ONCE;
		ck_assert(client_send(&c, &m));
		turn_until(&w, &w.n_requests, 1, WAIT_MS);
		if (_i == 1)
			ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, 60000);
	} else {
		for (int i = 0; i < 2; i++) { /* hello, cookie, and the server's flight is out */
			(void)client_handshake(&c);
			loop_turn(w.loop, 20);
		}
		ck_assert(!c.ready);
	}
	uint64_t old = w.last.peer;
	client_close(&c, true);

	w.when = AT_ONCE;
	must_open(&w, &c, COAPS4, port, &psk);
	uint64_t before = clock_mono_ms();
	ck_assert_msg(shake(&w, &c, 9000), "%s: no handshake (%s)", states[_i], gnutls_strerror(c.error));
	(void)printf("# %s: handshake after %u ms\n", states[_i], (unsigned)(clock_mono_ms() - before));
	knock(&w, &c, 1, "a"); /* the same message id and token: another session, another request */
	ck_assert_uint_ne(w.last.peer, old);
	if (_i < 3)
		ck_assert_uint_eq(w.n_gone, 1);
	if (_i == 1) {
		ck_assert_uint_eq(w.n_answers, 1);
		ck_assert_str_eq(w.answers[0].why, "the device began a new handshake");
	}
	client_close(&c, false);
	turn_until(&w, &w.n_gone, _i < 3 ? 2 : 1, WAIT_MS);
	close_world(&w);
}
END_TEST

START_TEST(a_hello_from_elsewhere_does_not_end_a_session)
{
	/* what somebody can send who does not receive at the device's address: a hello without cookie */
	static const uint8_t hello[] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x37, 1, 0, 0, 0x2b,
		0, 0, 0, 0, 0, 0, 0, 0x2b, 0xfe, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 0, 2, 0xc0,
		0xa8, 1, 0 };
	struct world w;
	struct client c;
	const struct client_psk psk = { "dev", 3, KEY, NULL };

	open_world(&w);
	must_open(&w, &c, COAPS4, 0, &psk);
	ck_assert(shake(&w, &c, WAIT_MS));
	for (int i = 0; i < 3; i++) {
		ck_assert(send(c.fd, hello, sizeof hello, 0) == (ssize_t)sizeof hello);
		loop_turn(w.loop, 20);
	}
	knock(&w, &c, 1, "a");
	ck_assert_uint_eq(w.n_gone, 0);
	client_close(&c, false);
	close_world(&w);
}
END_TEST

START_TEST(a_listener_that_cannot_be_is_named)
{
	static const struct {
		struct transport_listener l;
		const char *msg;
	} rows[] = {
		{ { TRANSPORT_COAP, "localhost", 0 }, "listen on localhost: not an IPv4 or IPv6 address" },
		{ { TRANSPORT_COAP, "", 0 }, "listen on : not an IPv4 or IPv6 address" },
		{ { TRANSPORT_COAPS, "192.0.2.1", 0 },
		    "listen on 192.0.2.1:0: Cannot assign requested address" },
	};
	struct loop *l = NULL;
	struct transport *t = NULL;
	struct err e = { 0 };
	struct transport_conf c = { .n_listeners = 1, .routes = routes, .n_routes = 1 };

	ck_assert_int_eq(loop_new(&l, &e), ERR_OK);
	c.listeners = &rows[_i].l;
	ck_assert_int_ne(transport_open(l, &c, &t, &e), ERR_OK);
	ck_assert_str_eq(e.msg, rows[_i].msg);
	loop_free(l);
}
END_TEST

START_TEST(a_port_in_use_is_not_shared)
{
	struct world w;
	struct transport *t = NULL;
	struct err e = { 0 };
	char msg[128];

	open_world(&w);
	const struct transport_listener again = { TRANSPORT_COAP, "127.0.0.1", transport_port(w.t, COAP4) };
	const struct transport_conf c = { .listeners = &again, .n_listeners = 1, .routes = routes,
		.n_routes = 1 };
	ck_assert_int_eq(transport_open(w.loop, &c, &t, &e), ERR_IO);
	(void)snprintf(msg, sizeof msg, "listen on 127.0.0.1:%u: Address already in use", again.port);
	ck_assert_str_eq(e.msg, msg);
	close_world(&w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_request_reaches_its_handler_and_is_answered_in_the_acknowledgement, 2),
	UNIT_CASE(a_late_reply_is_still_in_the_acknowledgement, 0),
	UNIT_CASE(a_very_late_reply_comes_by_itself, 0),
	UNIT_CASE(a_retransmission_gets_the_same_answer_and_starts_nothing, 0),
	UNIT_CASE(a_retransmission_of_what_is_not_answered_yet_is_acknowledged, 0),
	UNIT_CASE(requests_go_out_on_the_same_session_after_the_reply, 0),
	UNIT_CASE(a_separate_response_is_taken_and_acknowledged, 0),
	UNIT_CASE(reset_and_silence_are_told_apart, 0),
	UNIT_CASE(an_unanswered_request_is_retransmitted_and_no_more_after_its_deadline, 0),
	UNIT_CASE(what_cannot_be_sent_is_answered_later_and_once, 0),
	UNIT_CASE(closing_answers_everything_that_is_owed, 0),
	UNIT_CASE(a_request_without_a_route_is_refused, N_ELEMS(refused)),
	UNIT_CASE(an_unknown_critical_option_is_refused, 0),
	UNIT_CASE(a_non_confirmable_request_gets_nothing, 0),
	UNIT_CASE(a_malformed_datagram_is_survived, N_ELEMS(malformed)),
	UNIT_CASE(a_large_payload_goes_in_blocks, 4),
	UNIT_CASE(a_large_answer_is_gathered_from_its_blocks, 3),
	UNIT_CASE(peers_are_bounded, 0),
	UNIT_CASE(releasing_an_older_peer_leaves_a_newer_one_on_the_same_session, 2),
	UNIT_CASE(a_device_with_a_key_is_known_by_its_identity, N_ELEMS(good)),
	UNIT_CASE(a_handshake_that_fails_is_reported, N_ELEMS(bad)),
	UNIT_CASE(a_device_that_restarts_on_its_port_gets_a_handshake, 4),
	UNIT_CASE(a_hello_from_elsewhere_does_not_end_a_session, 0),
	UNIT_CASE(a_listener_that_cannot_be_is_named, 3),
	UNIT_CASE(a_port_in_use_is_not_shared, 0),
};

int
main(void)
{
	/* CoAP's and DTLS' own timers are waited for: up to seconds */
	if (setenv("CK_DEFAULT_TIMEOUT", "30", 0) != 0)
		return 1;
	return unit_run(unit_suite("transport", cases, N_ELEMS(cases)));
}
