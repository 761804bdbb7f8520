/* Payloads of requests that come in blocks, through libcoap. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

#define V(num, more, szx) ((int64_t)((num) << 4 | (more) << 3 | (szx)))
#define CREATED COAP_CODE(2, 1)

static const struct client_psk psk = { .identity = "dev", .identity_len = 3, .key = KEY };

static const struct {
	int listener;
	const struct client_psk *psk;
} kinds[] = { { COAP4, NULL }, { COAPS4, &psk }, { COAP6, NULL } };

static uint8_t text[4096];

static void
open_row(struct world *w, struct client *c, int row)
{
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)(i * 5 + i / 256);
	world_open(w);
	w->code = CREATED;
	w->text = "rd/5a1";
	must_open(w, c, kinds[row].listener, 0, kinds[row].psk);
	ck_assert(c->tls == NULL || shake(w, c, WAIT_MS));
}

/* One block, whose token and message ID are its number's; *m is its answer. */
static void
send_block(struct world *w, struct client *c, const char *query, int64_t block1, size_t len, struct msg *m)
{
	static uint16_t mid = 100;
	size_t size = (size_t)16 << (block1 & 7);
	char token[] = { (char)('a' + mid % 26), '\0' };
	struct msg q = msg_make(TYPE_CON, POST, mid++, token);

	(void)snprintf(q.path, sizeof q.path, "rd");
	(void)snprintf(q.query, sizeof q.query, "%s", query);
	q.format = 40;
	q.block1 = block1;
	q.size1 = -1;
	q.payload = text + (size_t)(block1 >> 4) * size;
	q.payload_len = len;
	ck_assert(client_send(c, &q));
	must_get(w, c, m);
	ck_assert_int_eq(m->type, TYPE_ACK);
	ck_assert_int_eq(m->mid, q.mid);
	ck_assert_mem_eq(m->token, q.token, q.token_len);
}

START_TEST(the_handler_sees_it_whole)
{
	struct world w;
	struct client c;
	struct msg m;

	open_row(&w, &c, _i);
	send_block(&w, &c, "ep=a", V(0, 1, 5), 512, &m);
	ck_assert_int_eq(m.code, CONTINUE);
	ck_assert_int_eq(m.block1, V(0, 1, 5));
	send_block(&w, &c, "ep=a", V(1, 1, 5), 512, &m);
	ck_assert_int_eq(m.code, CONTINUE);
	ck_assert_int_eq(m.block1, V(1, 1, 5));
	ck_assert_uint_eq(w.n_requests, 0);
	send_block(&w, &c, "ep=a", V(2, 0, 5), 100, &m);
	ck_assert_int_eq(m.code, CREATED);
	ck_assert_int_eq(m.block1, V(2, 0, 5));
	ck_assert_uint_eq(w.n_requests, 1);
	ck_assert_uint_eq(w.body_len, 1124);
	ck_assert_mem_eq(w.body, text, 1124);
	ck_assert_str_eq(w.queries, "ep=a");
	/* it is not a payload that goes on */
	send_block(&w, &c, "ep=a", V(2, 0, 5), 100, &m);
	ck_assert_int_eq(m.code, COAP_CODE(4, 8));
	ck_assert_uint_eq(w.n_requests, 1);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(a_datagram_that_comes_again_gets_the_same_answer)
{
	struct world w;
	struct client c;
	struct msg m, first, q = post_bs(7, "tok");

	open_row(&w, &c, _i);
	(void)snprintf(q.path, sizeof q.path, "rd");
	for (int block = 0; block < 2; block++) {
		q.mid++;
		q.block1 = V(block, 1 - block, 4);
		q.payload = text + 256 * block;
		q.payload_len = 256;
		for (int i = 0; i < 3; i++) {
			ck_assert(client_send(&c, &q));
			must_get(&w, &c, &m);
			if (i == 0)
				first = m;
			ck_assert_int_eq(m.code, block == 0 ? CONTINUE : CREATED);
			ck_assert_int_eq(m.block1, q.block1);
			ck_assert_mem_eq(m.octets, first.octets, 16);
		}
	}
	ck_assert_uint_eq(w.n_requests, 1);
	ck_assert_uint_eq(w.body_len, 512);
	ck_assert_mem_eq(w.body, text, 512);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(a_late_answer_says_which_block_it_is_to)
{
	struct world w;
	struct client c;
	struct msg m, q = post_bs(7, "tok");

	open_row(&w, &c, _i);
	w.when = LATER;
	(void)snprintf(q.path, sizeof q.path, "rd");
	q.block1 = V(0, 0, 6);
	q.payload = text;
	q.payload_len = 9;
	ck_assert(client_send(&c, &q));
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.code, 0);
	ck_assert_uint_eq(w.body_len, 9);
	transport_reply(w.t, w.last.request, CREATED, 0, "rd/5a1");
	must_get(&w, &c, &m);
	ck_assert_int_eq(m.type, TYPE_CON);
	ck_assert_int_eq(m.code, CREATED);
	ck_assert_int_eq(m.block1, V(0, 0, 6));
	client_close(&c, true);
	world_close(&w);
}
END_TEST

static const struct {
	int64_t before, block1; /* before -1: this one is the first */
	const char *query;
	size_t len;
	int64_t size1;
	uint8_t code;
} refused[] = {
	{ -1, V(1, 0, 5), "ep=a", 10, -1, COAP_CODE(4, 8) },
	{ V(0, 1, 5), V(2, 0, 5), "ep=a", 10, -1, COAP_CODE(4, 8) },
	{ V(0, 1, 5), V(1, 0, 5), "ep=b", 10, -1, COAP_CODE(4, 8) },
	{ V(0, 1, 6), V(1, 1, 6), "ep=a", 1024, BODY_MAX, COAP_CODE(4, 13) },
	{ -1, V(0, 1, 5), "ep=a", 511, -1, COAP_CODE(4, 0) },
	{ -1, V(0, 0, 0), "ep=a", 17, -1, COAP_CODE(4, 0) },
	{ -1, V(0, 0, 7), "ep=a", 10, -1, COAP_CODE(4, 0) },
	{ -1, V(0, 1, 7), "ep=a", 1024, -1, COAP_CODE(4, 0) },
};

START_TEST(what_does_not_fit_is_refused)
{
	struct world w;
	struct client c;
	struct msg m;

	open_row(&w, &c, 0);
	if (refused[_i].before >= 0) {
		send_block(&w, &c, "ep=a", refused[_i].before, (size_t)16 << (refused[_i].before & 7), &m);
		ck_assert_int_eq(m.code, CONTINUE);
	}
	size_t far = (size_t)(refused[_i].block1 >> 4) * ((size_t)16 << (refused[_i].block1 & 7));
	ck_assert_uint_le(far + refused[_i].len, sizeof text);
	send_block(&w, &c, refused[_i].query, refused[_i].block1, refused[_i].len, &m);
	ck_assert_msg(m.code == refused[_i].code, "%u.%02u", m.code >> 5, m.code & 31U);
	ck_assert_int_eq(m.block1, -1);
	ck_assert_int_eq(m.size1, refused[_i].size1);
	ck_assert_uint_eq(w.n_requests, 0);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(it_says_beforehand_that_it_is_too_large)
{
	struct world w;
	struct client c;
	struct msg m, q = post_bs(7, "tok");

	open_row(&w, &c, 0);
	(void)snprintf(q.path, sizeof q.path, "rd");
	q.block1 = V(0, 1, 6);
	q.size1 = BODY_MAX + 1;
	q.payload = text;
	q.payload_len = 1024;
	for (int i = 0; i < 2; i++) { /* also when it is repeated */
		ck_assert(client_send(&c, &q));
		must_get(&w, &c, &m);
		ck_assert_int_eq(m.code, COAP_CODE(4, 13));
		ck_assert_int_eq(m.size1, BODY_MAX);
	}
	ck_assert_uint_eq(w.n_requests, 0);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

static Suite *
suite(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(the_handler_sees_it_whole, N_ELEMS(kinds)),
		UNIT_CASE(a_datagram_that_comes_again_gets_the_same_answer, N_ELEMS(kinds)),
		UNIT_CASE(a_late_answer_says_which_block_it_is_to, N_ELEMS(kinds)),
		UNIT_CASE(what_does_not_fit_is_refused, N_ELEMS(refused)),
		UNIT_CASE(it_says_beforehand_that_it_is_too_large, 0),
	};

	return unit_suite("transport_blocks", cases, N_ELEMS(cases));
}

UNIT_MAIN(suite)
