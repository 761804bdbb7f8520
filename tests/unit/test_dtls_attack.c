/* What somebody can send who knows where a device is, or has no key: sessions go on, and nothing is done twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

#include "lib/base/clock.h"
#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

static const struct client_psk usual = { "dev", 3, KEY, NULL };

/* The last datagram that a client sent, as it lay on the wire. */
static struct {
	uint8_t octets[2048];
	size_t len;
} wire;

static ssize_t
push(gnutls_transport_ptr_t fd, const void *data, size_t len)
{
	ck_assert_uint_le(len, sizeof wire.octets);
	memcpy(wire.octets, data, len);
	wire.len = len;
	return send((int)(intptr_t)fd, data, len, 0);
}

static void
send_raw(const struct client *c, const void *data, size_t len)
{
	ck_assert_int_eq(send(c->fd, data, len, 0), (ssize_t)len);
}

/* A request of the server's gets through, both ways: the session is alive. */
static void
must_be_alive(struct world *w, struct client *c)
{
	struct msg m;
	unsigned before = w->n_answers;

	ask(w, w->last.peer, TRANSPORT_GET, "/1", NULL, 0, 5000);
	must_get(w, c, &m);
	reply_to(c, &m, CONTENT);
	turn_until(w, &w->n_answers, before + 1, WAIT_MS);
	ck_assert_int_eq(w->answers[before].code, CONTENT);
	ck_assert_uint_eq(w->n_gone, 0);
}

#define RECORD(type, epoch, seq, len) type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, seq, 0, len
#define GARBAGE 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24

static const struct {
	const char *what;
	uint8_t octets[64];
	size_t len;
} forged[] = {
	{ "a fatal alert in the clear", { RECORD(21, 0, 9, 2), 2, 40 }, 15 },
	{ "close_notify in the clear", { RECORD(21, 0, 9, 2), 1, 0 }, 15 },
	{ "an alert that was not sealed with the key", { RECORD(21, 1, 99, 24), GARBAGE }, 37 },
	{ "application data in the clear", { RECORD(23, 0, 9, 4), 0x40, 0x02, 0, 1 }, 17 },
	{ "application data that was not sealed with the key", { RECORD(23, 1, 99, 24), GARBAGE }, 37 },
	{ "ChangeCipherSpec", { RECORD(20, 0, 9, 1), 1 }, 14 },
	{ "an epoch that is to come", { RECORD(23, 2, 1, 24), GARBAGE }, 37 },
	{ "the last epoch", { 23, 0xfe, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 24, GARBAGE }, 37 },
	{ "a handshake message in the clear", { RECORD(22, 0, 9, 24), 16, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 12, GARBAGE }, 37 },
	{ "a Finished in the clear", { RECORD(22, 0, 9, 24), 20, 0, 0, 12, 0, 3, 0, 0, 0, 0, 0, 12, GARBAGE }, 37 },
	{ "a hello without a cookie", { RECORD(22, 0, 0, 50), 1, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 38, 0xfe, 0xfd, GARBAGE }, 63 },
	{ "a length beyond the end", { RECORD(23, 1, 99, 200), GARBAGE }, 37 },
	{ "a record without anything", { RECORD(23, 1, 99, 0) }, 13 },
	{ "half a header", { 23, 0xfe, 0xfd, 0, 1 }, 5 },
	{ "one octet", { 22 }, 1 },
	{ "TLS over TCP", { 22, 3, 3, 0, 5, 1, 0, 0, 1, 0 }, 10 },
	{ "another version", { 23, 0xfe, 0xff, 0, 1, 0, 0, 0, 0, 0, 99, 0, 24, GARBAGE }, 37 },
	{ "a kind of record that there is not", { RECORD(99, 1, 99, 24), GARBAGE }, 37 },
	{ "a heartbeat", { RECORD(24, 0, 9, 24), 1, 0xff, 0xff, GARBAGE }, 37 },
	{ "a connection id", { RECORD(25, 1, 99, 24), GARBAGE }, 37 },
};

START_TEST(what_is_forged_from_its_address_ends_no_session)
{
	struct world w;
	struct client c;

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &usual);
	ck_assert(shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	for (int i = 0; i < 3; i++) {
		send_raw(&c, forged[_i].octets, forged[_i].len);
		loop_turn(w.loop, 5);
	}
	must_be_alive(&w, &c);
	ck_assert_uint_eq(w.n_requests, 1);
	client_close(&c, false);
	world_close(&w);
}
END_TEST

START_TEST(what_was_heard_on_the_wire_is_of_no_use)
{
	struct world w;
	struct client c, other;
	struct msg m = post_bs(1, "a");

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &usual);
	gnutls_transport_set_push_function(c.tls, push);
	ck_assert(shake(&w, &c, WAIT_MS));
	ck_assert(client_send(&c, &m));
	turn_until(&w, &w.n_requests, 1, WAIT_MS);
	must_get(&w, &c, &m);

	for (int i = 0; i < 5; i++) { /* again, and from elsewhere */
		send_raw(&c, wire.octets, wire.len);
		must_open(&w, &other, COAPS4, 0, NULL);
		send_raw(&other, wire.octets, wire.len);
		loop_turn(w.loop, 5);
		client_close(&other, true);
	}
	wire.octets[wire.len - 1] ^= 1; /* changed */
	send_raw(&c, wire.octets, wire.len);
	must_be_alive(&w, &c);
	ck_assert_uint_eq(w.n_requests, 1);
	struct transport_stats s;
	transport_stats(w.t, &s);
	ck_assert_uint_eq(s.retransmissions_seen, 0); /* DTLS kept the repetitions back, not CoAP */
	client_close(&c, false);
	world_close(&w);
}
END_TEST

/* ---- in the handshake ---- */

/* A hello for this suite, with a cookie of n octets, 0 at first; its length. */
static size_t
make_hello(uint8_t d[256], uint16_t suite, const uint8_t *cookie, size_t n)
{
	static const uint8_t head[] = { RECORD(22, 0, 0, 0), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xfd };
	const uint8_t tail[] = { 0, 2, (uint8_t)(suite >> 8), (uint8_t)suite, 1, 0, 0, 8, 0, 10, 0, 4, 0, 2, 0, 23 };
	size_t len = 61 + n + sizeof tail;

	memset(d, 0, 256);
	memcpy(d, head, sizeof head);
	memset(d + 27, 7, 32);
	d[60] = (uint8_t)n;
	if (n > 0)
		memcpy(d + 61, cookie, n);
	memcpy(d + 61 + n, tail, sizeof tail);
	d[10] = d[18] = n > 0; /* sequence_number, message_seq */
	d[12] = (uint8_t)(len - 13);
	d[16] = d[24] = (uint8_t)(len - 25);
	return len;
}

/* The next that comes and is a handshake message of this type: 3 HelloVerifyRequest, 2 ServerHello. */
static void
must_hear(struct world *w, struct client *c, uint8_t type, uint8_t answer[2048])
{
	uint64_t until = clock_mono_ms() + WAIT_MS;
	ssize_t got = 0;

	while ((got <= 28 || answer[0] != 22 || answer[13] != type) && clock_mono_ms() < until) {
		loop_turn(w->loop, 2);
		got = recv(c->fd, answer, 2048, 0);
	}
	ck_assert_int_gt(got, 28);
}

/* A hello, its cookie, and the hello with it: then c has what a server sends first. */
static void
raw_hello(struct world *w, struct client *c, uint16_t suite)
{
	uint8_t d[256], answer[2048];

	must_open(w, c, COAPS4, 0, NULL);
	send_raw(c, d, make_hello(d, suite, NULL, 0));
	must_hear(w, c, 3, answer);
	send_raw(c, d, make_hello(d, suite, answer + 28, answer[27]));
	must_hear(w, c, 2, answer);
}

START_TEST(a_device_that_begins_anew_at_once_is_not_made_to_wait)
{
	struct world w;
	struct client c;
	uint8_t bare[256], d[256], answer[2048];
	size_t bare_len = make_hello(bare, 0xc0a8, NULL, 0), len;

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &usual);
	send_raw(&c, bare, bare_len);
	must_hear(&w, &c, 3, answer);
	len = make_hello(d, 0xc0a8, answer + 28, answer[27]);
	ck_assert(shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	(void)gnutls_bye(c.tls, GNUTLS_SHUT_WR);
	send_raw(&c, bare, bare_len); /* all of it is there when the loop looks */
	send_raw(&c, d, len);
	must_hear(&w, &c, 2, answer); /* and nothing is sent again */
	client_close(&c, true);
	world_close(&w);
}
END_TEST

static const struct {
	const char *what;
	uint8_t octets[64];
	size_t len;
	unsigned times; /* each with another message_seq and offset */
} odd[] = {
	{ "a certificate of 16 MiB", { RECORD(22, 0, 2, 24), 11, 0xff, 0xff, 0xff, 0, 2, 0, 0, 0, 0, 0, 12, GARBAGE }, 37, 1 },
	{ "messages of 40 KiB", { RECORD(22, 0, 2, 24), 16, 0, 0x9c, 0x40, 0, 2, 0, 0x9c, 0, 0, 0, 12, GARBAGE }, 37, 120 },
	{ "a key exchange of 16 MiB", { RECORD(22, 0, 2, 24), 16, 0xff, 0xff, 0xff, 0, 2, 0, 0, 0, 0, 0, 12, GARBAGE }, 37, 1 },
	{ "a fragment beyond its message", { RECORD(22, 0, 2, 24), 16, 0, 0, 20, 0, 2, 0, 0, 15, 0, 0, 12, GARBAGE }, 37, 1 },
	{ "a fragment longer than its record", { RECORD(22, 0, 2, 24), 16, 0, 0xff, 0, 0, 2, 0, 0, 0, 0, 0xff, 0, GARBAGE }, 37, 1 },
	{ "a fragment of nothing", { RECORD(22, 0, 2, 12), 16, 0, 0, 20, 0, 2, 0, 0, 0, 0, 0, 0 }, 25, 200 },
	{ "fragments of hundreds of messages", { RECORD(22, 0, 2, 24), 16, 0, 0x40, 0, 0, 2, 0, 0, 0, 0, 0, 12, GARBAGE }, 37, 400 },
	{ "Finished before the key exchange", { RECORD(22, 0, 2, 24), 20, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 12, GARBAGE }, 37, 1 },
	{ "ChangeCipherSpec before the key exchange", { RECORD(20, 0, 2, 1), 1 }, 14, 50 },
	{ "application data before the end", { RECORD(23, 0, 2, 24), GARBAGE }, 37, 50 },
	{ "records of the next epoch before the end", { RECORD(23, 1, 2, 24), GARBAGE }, 37, 50 },
	{ "a message that only a server sends", { RECORD(22, 0, 2, 12), 14, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0 }, 25, 1 },
	{ "a message that there is not", { RECORD(22, 0, 2, 12), 77, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0 }, 25, 1 },
};

/* AddressSanitizer keeps what was freed, and more around it. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static long
memory_kib(void)
{
	char line[256];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "r");

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	(void)fclose(f);
	return kib;
}

START_TEST(odd_handshakes_cost_little_and_stop_nobody)
{
	struct world w;
	struct client odd_one[20], c;
	uint8_t d[64];

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &usual); /* all that is made once is made */
	ck_assert(shake(&w, &c, WAIT_MS));
	client_close(&c, false);
	long before = memory_kib();
	for (size_t k = 0; k < N_ELEMS(odd_one); k++) {
		raw_hello(&w, &odd_one[k], 0xc0a8);
		memcpy(d, odd[_i].octets, odd[_i].len);
		for (unsigned i = 0; i < odd[_i].times; i++) {
			d[10] = (uint8_t)(2 + i);
			if (odd[_i].times > 100) {
				d[18] = (uint8_t)(2 + i % 100);
				d[20] = (uint8_t)(i / 100);
			}
			(void)send(odd_one[k].fd, d, odd[_i].len, 0);
			if (i % 16 == 0)
				loop_turn(w.loop, 1);
		}
		loop_turn(w.loop, 2);
	}
	long after = memory_kib();
	must_open(&w, &c, COAPS4, 0, &usual);
	ck_assert_msg(shake(&w, &c, WAIT_MS), "%s: %s", odd[_i].what, gnutls_strerror(c.error));
	knock(&w, &c, 1, "a");
	(void)printf("# %s: %ld KiB\n", odd[_i].what, after - before);
	/* what others keep beside each block is not the server's */
	bool heavy = SANITIZED || getenv("UNDER_VALGRIND") != NULL;
	ck_assert_msg(heavy || after - before < 1536, "%s: %ld KiB for %zu", odd[_i].what, after - before, N_ELEMS(odd_one));
	for (size_t k = 0; k < N_ELEMS(odd_one); k++)
		client_close(&odd_one[k], true);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_is_forged_from_its_address_ends_no_session, N_ELEMS(forged)),
	UNIT_CASE(what_was_heard_on_the_wire_is_of_no_use, 0),
	UNIT_CASE(a_device_that_begins_anew_at_once_is_not_made_to_wait, 0),
	UNIT_CASE(odd_handshakes_cost_little_and_stop_nobody, N_ELEMS(odd)),
};

UNIT_SUITE_MAIN("dtls_attack", cases)
