#include "bsserver/transport/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

START_TEST(a_request_reaches_its_handler_and_is_answered_in_the_acknowledgement)
{
	static const int at[] = { COAP4, COAP6 };
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");
	char addr[64];

	world_open(&w);
	must_open(&w, &c, at[_i], 0, NULL);
	ck_assert(client_send(&c, &m));
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_int_eq(m.code, CHANGED);
	ck_assert_int_eq(m.mid, 7);
	ck_assert_mem_eq(m.token, "tok", 3);
	ck_assert_str_eq(w.queries, "ep=urn:imei:1&pct=110");
	ck_assert_int_eq(w.last.identity.kind, TRANSPORT_NONE);
	ck_assert_int_eq(w.last.format, -1);
	(void)snprintf(addr, sizeof addr, "%s:%u", _i == 0 ? "127.0.0.1" : "[::1]", client_port(&c));
	ck_assert_str_eq(w.addr, addr);
	(void)snprintf(addr, sizeof addr, "coap://%s:%u", _i == 0 ? "127.0.0.1" : "[::1]",
	    transport_port(w.t, (size_t)at[_i]));
	ck_assert_str_eq(w.listener, addr);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

/* A request that is a moment old. false: this process did not run meanwhile, and it is a second old. */
static bool
wait_a_moment(struct world *w, struct client *c)
{
	struct msg m = post_bs(7, "tok");
	uint64_t before = clock_mono_ms();
	bool came;

	world_open(w);
	w->when = LATER;
	must_open(w, c, COAP4, 0, NULL);
	ck_assert(client_send(c, &m));
	turn_until(w, &w->n_requests, 1, WAIT_MS);
	came = wait_msg(w, c, &m, 50);
	if (clock_mono_ms() - before < 900) {
		ck_assert(!came);
		return true;
	}
	client_close(c, true);
	world_close(w);
	return false;
}

START_TEST(a_late_reply_is_still_in_the_acknowledgement)
{
	struct world w;
	struct client c;
	struct msg m;

	while (!wait_a_moment(&w, &c))
		continue;
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
	world_close(&w);
}
END_TEST

START_TEST(a_very_late_reply_comes_by_itself)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok"), ack;

	world_open(&w);
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
	world_close(&w);
}
END_TEST

START_TEST(a_retransmission_gets_the_same_answer_and_starts_nothing)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");
	struct transport_stats s;

	world_open(&w);
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
	world_close(&w);
}
END_TEST

START_TEST(a_retransmission_of_what_is_not_answered_yet_is_acknowledged)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");

	world_open(&w);
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
	world_close(&w);
}
END_TEST

START_TEST(requests_go_out_on_the_same_session_after_the_reply)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");
	static const uint8_t payload[] = { 1, 2, 3 };

	world_open(&w);
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
	ask(&w, w.last.peer, TRANSPORT_PUT, "/0/1", payload, sizeof payload, PATIENT_MS);
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.code, TRANSPORT_PUT);
	ck_assert_str_eq(m.path, "0/1");
	ck_assert_int_eq(m.format, 11542);
	ck_assert_uint_eq(m.payload_len, 3);
	reply_to(&c, &m, CHANGED);
	turn_until(&w, &w.n_answers, 2, WAIT_MS);
	ask(&w, w.last.peer, TRANSPORT_GET, "/", NULL, 0, PATIENT_MS);
	must_get(&w, &c, &m);
	ck_assert_str_eq(m.path, "");
	ck_assert_int_eq(m.accept, 110);
	reply_to(&c, &m, CONTENT);
	turn_until(&w, &w.n_answers, 3, WAIT_MS);
	ck_assert_int_eq(w.answers[2].code, CONTENT);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(a_separate_response_is_taken_and_acknowledged)
{
	struct world w;
	struct client c;
	struct msg m, r;

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, w.last.peer, TRANSPORT_POST, "/bs", NULL, 0, PATIENT_MS);
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
	world_close(&w);
}
END_TEST

START_TEST(reset_and_silence_are_told_apart)
{
	struct world w;
	struct client c;
	struct msg m, r;

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, w.last.peer, TRANSPORT_DELETE, "/0", NULL, 0, PATIENT_MS);
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
	ck_assert_msg(took >= 290 && took < WAIT_MS, "%u ms", (unsigned)took);

	must_get(&w, &c, &m); /* an answer that comes too late is nobody's; the next is not held up */
	reply_to(&c, &m, COAP_CODE(2, 2));
	must_be_silent(&w, &c, 50);
	ck_assert_uint_eq(w.n_answers, 2);
	ask(&w, w.last.peer, TRANSPORT_DELETE, "/1", NULL, 0, PATIENT_MS);
	must_get(&w, &c, &m);
	ck_assert_str_eq(m.path, "1");
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(an_unanswered_request_is_retransmitted_and_no_more_after_its_deadline)
{
	struct world w;
	struct client c;
	struct msg first, again;

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, w.last.peer, TRANSPORT_DELETE, "/0", NULL, 0, 4500);
	must_get(&w, &c, &first);
	ck_assert(wait_msg(&w, &c, &again, WAIT_MS)); /* after 2 to 3 seconds */
	ck_assert_int_eq(again.mid, first.mid);
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_NO_ANSWER);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(what_cannot_be_sent_is_answered_later_and_once)
{
	static const uint8_t byte[] = { 1 };
	struct world w;
	struct client c;
	struct msg m;

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, 4711, TRANSPORT_GET, "/", NULL, 0, PATIENT_MS);
	ask(&w, w.last.peer, TRANSPORT_GET, "1", NULL, 0, PATIENT_MS);
	ask(&w, w.last.peer, TRANSPORT_PUT, "/0/0", byte, ((size_t)1 << 20) + 1, PATIENT_MS);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, PATIENT_MS);
	ask(&w, w.last.peer, TRANSPORT_GET, "/2", NULL, 0, PATIENT_MS);
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
	ask(&w, w.last.peer, TRANSPORT_GET, "/2", NULL, 0, PATIENT_MS);
	turn_until(&w, &w.n_answers, 6, WAIT_MS);
	ck_assert_str_eq(w.answers[5].why, "its session is over");
	for (unsigned i = 0; i < w.n_answers; i++)
		ck_assert(!w.answers[i].inside || w.answers[i].outcome != TRANSPORT_GONE || i == 4);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(closing_answers_everything_that_is_owed)
{
	struct world w;
	struct client c;

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, PATIENT_MS);
	ask(&w, 4711, TRANSPORT_GET, "/", NULL, 0, PATIENT_MS);
	world_close(&w);
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

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	(void)snprintf(m.path, sizeof m.path, "%s", refused[_i].path);
	(void)snprintf(m.query, sizeof m.query, "%s", refused[_i].query);
	m.block1 = refused[_i].block1;
	ck_assert(client_send(&c, &m));
	must_get(&w, &c, &m);
	ck_assert_msg(m.code == refused[_i].code, "%u.%02u", m.code >> 5, m.code & 31U);
	ck_assert_uint_eq(w.n_requests, 0);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(an_unknown_critical_option_is_refused)
{
	static const uint8_t octets[] = { 0x41, 2, 0, 9, 't', 0xb2, 'b', 's', 0xe0, 0x08, 0xff };
	struct world w;
	struct client c;
	struct msg m;

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	ck_assert(client_send_octets(&c, octets, sizeof octets)); /* 2583: odd, so critical */
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.code, COAP_CODE(4, 2));
	ck_assert_uint_eq(w.n_requests, 0);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(a_non_confirmable_request_gets_nothing)
{
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	m.type = TYPE_NON;
	ck_assert(client_send(&c, &m));
	must_be_silent(&w, &c, 100);
	ck_assert_uint_eq(w.n_requests, 0);
	knock(&w, &c, 8, "tok");
	client_close(&c, true);
	world_close(&w);
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

	world_open(&w);
	for (size_t at = COAP4; at <= COAPS4; at++) {
		must_open(&w, &c, (int)at, 0, NULL);
		ck_assert(client_send_octets(&c, malformed[_i].octets, malformed[_i].n));
		client_close(&c, true);
	}
	must_open(&w, &other, COAP4, 0, NULL);
	knock(&w, &other, 8, "tok");
	ck_assert_uint_eq(w.n_requests, 1);
	client_close(&other, true);
	world_close(&w);
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

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(i * 7);
	ask(&w, w.last.peer, TRANSPORT_PUT, "/0/1", payload, sizeof payload, PATIENT_MS);
	ck_assert_uint_eq(take_blocks(&w, &c, got, rows[_i].szx, &messages), sizeof payload);
	ck_assert_mem_eq(got, payload, sizeof payload);
	ck_assert_uint_eq(messages, rows[_i].messages);
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].code, CHANGED);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(a_large_answer_is_gathered_from_its_blocks)
{
	uint8_t body[3000];
	struct world w;
	struct client c;
	struct msg m, r;
	size_t size = (size_t)16 << (6 - _i), sent = 0;

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	knock(&w, &c, 7, "tok");
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (uint8_t)(i * 3);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, PATIENT_MS);
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
	world_close(&w);
}
END_TEST

START_TEST(peers_are_bounded)
{
	struct world w;
	struct client c[3];
	struct msg m = post_bs(1, "x");

	world_open_with(&w, false, 2);
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
	world_close(&w);
}
END_TEST

START_TEST(releasing_an_older_peer_leaves_a_newer_one_on_the_same_session)
{
	struct world w;
	struct client c;
	struct msg m;
	static const int at[] = { COAP4, COAPS4 };
	const struct client_psk psk = { "dev", 3, KEY, NULL };

	world_open(&w);
	must_open(&w, &c, at[_i], 0, _i == 0 ? NULL : &psk);
	ck_assert(_i == 0 || shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	uint64_t older = w.last.peer;
	knock(&w, &c, 2, "b");
	ck_assert_uint_ne(w.last.peer, older);
	transport_release(w.t, older, true);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, PATIENT_MS);
	must_get(&w, &c, &m);
	ck_assert_str_eq(m.path, "1");
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(a_listener_that_cannot_be_is_named)
{
	static const struct {
		struct transport_listener l;
		const char *msg;
	} rows[] = {
		{ { .scheme = TRANSPORT_COAP, .host = "localhost", .port = 0 }, "listen on localhost: not an IPv4 or IPv6 address" },
		{ { .scheme = TRANSPORT_COAP, .host = "", .port = 0 }, "listen on : not an IPv4 or IPv6 address" },
		{ { .scheme = TRANSPORT_COAPS, .host = "192.0.2.1", .port = 0 },
		    "listen on 192.0.2.1:0: Cannot assign requested address" },
	};
	struct loop *l = NULL;
	struct transport *t = NULL;
	struct err e = { 0 };
	struct transport_conf c = { .n_listeners = 1, .routes = world_routes, .n_routes = 1 };

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

	world_open(&w);
	const struct transport_listener again = { .scheme = TRANSPORT_COAP, .host = "127.0.0.1", .port = transport_port(w.t, COAP4) };
	const struct transport_conf c = { .listeners = &again, .n_listeners = 1, .routes = world_routes,
		.n_routes = 1 };
	ck_assert_int_eq(transport_open(w.loop, &c, &t, &e), ERR_IO);
	(void)snprintf(msg, sizeof msg, "listen on 127.0.0.1:%u: Address already in use", again.port);
	ck_assert_str_eq(e.msg, msg);
	world_close(&w);
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
	UNIT_CASE(a_listener_that_cannot_be_is_named, 3),
	UNIT_CASE(a_port_in_use_is_not_shared, 0),
};

UNIT_PATIENT_MAIN("transport", cases, "120")
