/*
 * Datagrams from the network, through libcoap to our handlers and back. The first octet says where
 * to: 1 the coaps listener, 2 as the answer (what follows token and header) to a request that the
 * server has under way, anything else the coap listener.
 */
#include <string.h>

#include "bsserver/transport/transport.h"
#include "lib/base/log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/coap_client.h"

#define DATAGRAM_MAX 1500
#define ANSWERS_MAX 70 /* of one request: as many blocks as an answer may have, and some */

static struct {
	struct loop *loop;
	struct transport *t;
	uint64_t peer;
	unsigned owed, got; /* answers */
	uint64_t token;
} w;

static void
on_answer(void *arg, uint64_t tag, const struct transport_answer *a)
{
	unsigned sum = 0;

	(void)arg;
	(void)tag;
	w.got++;
	FUZZ_MUST(w.got <= w.owed, "more answers than requests");
	for (size_t i = 0; i < a->payload_len; i++)
		sum += a->payload[i];
	FUZZ_MUST(a->outcome != TRANSPORT_GONE || a->why != NULL, "gone without a word (%u)", sum);
}

static void
on_request(void *arg, const struct transport_request *r)
{
	(void)arg;
	w.peer = r->peer;
	for (size_t i = 0; i < r->n_queries; i++)
		FUZZ_MUST(r->queries[i].len <= DATAGRAM_MAX, "a query of %zu", r->queries[i].len);
	transport_reply(w.t, r->request, COAP_CODE(2, 4), 0, NULL);
}

static void
open_once(void)
{
	static const struct transport_route routes[] = { { TRANSPORT_POST, "bs", on_request, 3000 } };
	static const struct transport_listener listeners[] = { { .scheme = TRANSPORT_COAP, .host = "127.0.0.1", .port = 0 },
		{ .scheme = TRANSPORT_COAPS, .host = "127.0.0.1", .port = 0 } };
	const struct transport_conf c = { .listeners = listeners, .n_listeners = 2, .routes = routes,
		.n_routes = 1 };
	struct err e = { .code = ERR_OK };

	if (w.t != NULL)
		return;
	log_set_level(LVL_ERROR);
	FUZZ_MUST(loop_new(&w.loop, &e) == ERR_OK, "%s", e.msg);
	FUZZ_MUST(transport_open(w.loop, &c, &w.t, &e) == ERR_OK, "%s", e.msg);
}

static void
turn(void)
{
	for (int i = 0; i < 3; i++)
		loop_turn(w.loop, 0);
}

/* The token is new each time: ephemeral ports come round while old message ids are remembered. */
static void
knock(struct client *c)
{
	char token[9];

	(void)snprintf(token, sizeof token, "%08x", (unsigned)++w.token);
	struct msg m = msg_make(TYPE_CON, 2, 1, token);
	m.path[0] = 'b';
	m.path[1] = 's';
	FUZZ_MUST(client_send(c, &m), "cannot knock");
	turn();
	FUZZ_MUST(client_receive(c, &m), "no reply");
}

/* The server asks, and the input is what it gets for an answer, each time. */
static void
answer(struct client *c, const uint8_t *data, size_t size)
{
	const struct transport_out o = { .method = TRANSPORT_GET, .path = "/1", .format = -1,
		.accept = 110, .timeout_ms = 1000 };
	uint8_t out[DATAGRAM_MAX + 16];
	struct msg m;

	knock(c);
	w.owed++;
	transport_send(w.t, w.peer, &o, 1, on_answer, NULL);
	for (int i = 0; i < ANSWERS_MAX && size > 0 && client_receive(c, &m); i++) {
		struct wbuf b = wbuf_make(out, sizeof out);
		wbuf_be(&b, 0x60U | m.token_len, 1);
		wbuf_put(&b, data, 1);
		wbuf_be(&b, m.mid, 2);
		wbuf_put(&b, m.token, m.token_len);
		wbuf_put(&b, data + 1, size - 1);
		(void)client_send_octets(c, out, b.len);
		turn();
	}
	transport_release(w.t, w.peer, true);
	turn();
	FUZZ_MUST(w.got == w.owed, "an answer is missing");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client c;

	if (size < 1 || size > DATAGRAM_MAX)
		return 0;
	open_once();
	FUZZ_MUST(client_open(&c, "127.0.0.1", transport_port(w.t, data[0] == 1), 0, NULL), "no socket");
	if (data[0] == 2) {
		answer(&c, data + 1, size - 1);
	} else {
		(void)client_send_octets(&c, data + 1, size - 1);
		turn();
		transport_release(w.t, w.peer, true);
	}
	client_close(&c, true);
	return 0;
}
