#include "bsserver/transport/half_open.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "bsserver/transport/dtls_cookie.h"
#include "tests/unit/unit.h"

/* ---- which handshakes make room ---- */

static void
host_of(unsigned i, uint8_t out[16])
{
	memset(out, 0, 16);
	out[0] = (uint8_t)(i >> 8);
	out[1] = (uint8_t)i;
}

static const struct {
	const char *what;
	unsigned n;	     /* under way, begun at the times 0, 1, 2... ms, of max 8 */
	unsigned same;	     /* the first of them from the address that asks */
	uint64_t now_ms;
	int moved;	     /* this one went a step on at now_ms; -1: none */
	bool may;
	int instead;	     /* -1: nobody */
} rows[] = {
	{ "there is room", 7, 1, 100, -1, true, -1 },
	{ "full, and all of them are at work", 8, 1, HALF_OPEN_STUCK_MS - 1, -1, false, -1 },
	{ "full, and the oldest is stuck", 8, 1, HALF_OPEN_STUCK_MS, -1, true, 0 },
	{ "full, and the oldest went on", 8, 1, HALF_OPEN_STUCK_MS + 1, 0, true, 1 },
	{ "one address has its share, and half are taken", 4, 2, 100, -1, false, -1 },
	{ "one address has more, but there is much room", 3, 3, 100, -1, true, -1 },
	{ "full of stuck ones, for an address that has its share", 8, 2, HALF_OPEN_STUCK_MS * 2, -1, false, -1 },
};

START_TEST(a_stuck_handshake_makes_room_and_no_other)
{
	struct half_open h[8], *instead;
	struct half_opens l = { .max = N_ELEMS(h) };
	uint8_t asks[16], other[16];

	host_of(1, asks);
	for (unsigned i = 0; i < rows[_i].n; i++) {
		host_of(100 + i, other);
		half_open_begin(&l, &h[i], i < rows[_i].same ? asks : other, i);
	}
	if (rows[_i].moved >= 0)
		half_open_moved(&l, &h[rows[_i].moved], rows[_i].now_ms);
	ck_assert_msg(half_open_may_begin(&l, asks, rows[_i].now_ms, &instead) == rows[_i].may, "%s", rows[_i].what);
	ck_assert_ptr_eq(instead, rows[_i].instead >= 0 ? &h[rows[_i].instead] : NULL);
	for (unsigned i = 0; i < rows[_i].n; i++) { /* from the middle outwards */
		half_open_end(&l, &h[(i + 3) % rows[_i].n]);
		half_open_end(&l, &h[(i + 3) % rows[_i].n]); /* once more: nothing */
	}
	ck_assert_uint_eq(l.n, 0);
	ck_assert_ptr_null(l.longest);
	ck_assert_ptr_null(l.shortest);
}
END_TEST

/* ---- cookies ---- */

#define COOKIE 28	/* where it stands in a HelloVerifyRequest, its length before it */
#define HELLO_COOKIE 61 /* and in a ClientHello without session id */

struct sent {
	uint8_t data[256];
	size_t len;
};

static ssize_t
keep(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
	struct sent *s = arg;

	ck_assert_uint_le(len, sizeof s->data);
	memcpy(s->data, data, len);
	s->len = len;
	return (ssize_t)len;
}

/* A ClientHello with the cookie of that answer, or with none. */
static size_t
hello(uint8_t out[256], const struct sent *answer)
{
	static const uint8_t head[] = { 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0,
		0, 0, 0, 0xfe, 0xfd };
	static const uint8_t tail[] = { 0, 2, 0xc0, 0xa8, 1, 0 };
	size_t n = answer != NULL ? answer->data[COOKIE - 1] : 0;

	memset(out, 0, 256);
	memcpy(out, head, sizeof head);
	out[HELLO_COOKIE - 1] = (uint8_t)n;
	if (n > 0)
		memcpy(out + HELLO_COOKIE, answer->data + COOKIE, n);
	memcpy(out + HELLO_COOKIE + n, tail, sizeof tail);
	size_t len = HELLO_COOKIE + n + sizeof tail;
	out[12] = (uint8_t)(len - 13);
	out[16] = out[24] = (uint8_t)(len - 25);
	return len;
}

static struct dtls_place
place(const char *host, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
		return dtls_place_of((const struct sockaddr *)&in);
	ck_assert_int_eq(inet_pton(AF_INET6, host, &in6.sin6_addr), 1);
	return dtls_place_of((const struct sockaddr *)&in6);
}

static const struct {
	const char *host;
	uint16_t port;
	uint64_t later_ms;
	enum dtls_hello what;
} cookie_rows[] = {
	{ "192.0.2.1", 5684, 0, DTLS_HELLO_PROVED },
	{ "192.0.2.1", 5684, DTLS_COOKIE_MS - 1, DTLS_HELLO_PROVED },
	{ "192.0.2.1", 5684, DTLS_COOKIE_MS, DTLS_HELLO_PROVED },
	{ "192.0.2.1", 5684, 2 * DTLS_COOKIE_MS, DTLS_HELLO_BARE },
	{ "192.0.2.1", 5685, 0, DTLS_HELLO_BARE },
	{ "192.0.2.2", 5684, 0, DTLS_HELLO_BARE },
	{ "::ffff:192.0.2.1", 5684, 0, DTLS_HELLO_BARE },
};

START_TEST(a_cookie_is_good_for_its_address_and_for_a_while)
{
	struct dtls_cookies *c = NULL;
	struct sent answer = { .len = 0 };
	gnutls_dtls_prestate_st state;
	uint8_t d[256];
	struct err e;
	const struct dtls_place here = place("192.0.2.1", 5684);
	const struct dtls_place there = place(cookie_rows[_i].host, cookie_rows[_i].port);

	ck_assert_int_eq(dtls_cookies_new(1000, &c, &e), ERR_OK);
	size_t n = hello(d, NULL);
	ck_assert_int_eq(dtls_cookie_look(c, 1000, &here, d, n, &state), DTLS_HELLO_BARE);
	ck_assert_int_gt(dtls_cookie_send(c, &here, keep, &answer), 0);
	ck_assert_msg(answer.len <= n, "%zu octets are the answer to %zu", answer.len, n); /* no amplifier */
	ck_assert_uint_eq(answer.data[13], 3); /* HelloVerifyRequest */
	n = hello(d, &answer);
	ck_assert_int_eq(
	    dtls_cookie_look(c, 1000 + cookie_rows[_i].later_ms, &there, d, n, &state), cookie_rows[_i].what);
	d[HELLO_COOKIE + 3] ^= 1;
	ck_assert_int_eq(dtls_cookie_look(c, 1000, &here, d, n, &state), DTLS_HELLO_BARE);
	dtls_cookies_free(c);
}
END_TEST

START_TEST(a_cookie_outlives_one_change_of_keys)
{
	struct dtls_cookies *c = NULL;
	struct sent answer = { .len = 0 };
	gnutls_dtls_prestate_st state;
	uint8_t d[256];
	struct err e;
	const struct dtls_place here = place("::1", 5684);

	ck_assert_int_eq(dtls_cookies_new(0, &c, &e), ERR_OK);
	ck_assert_int_gt(dtls_cookie_send(c, &here, keep, &answer), 0);
	size_t n = hello(d, &answer);
	ck_assert_int_eq(dtls_cookie_look(c, DTLS_COOKIE_MS, &here, d, n, &state), DTLS_HELLO_PROVED);
	ck_assert_int_eq(dtls_cookie_look(c, 2 * DTLS_COOKIE_MS, &here, d, n, &state), DTLS_HELLO_BARE);
	dtls_cookies_free(c);
}
END_TEST

static const struct {
	const char *what;
	size_t at;
	uint8_t octet;
	enum dtls_hello seen;
} kinds[] = {
	{ "application data", 0, 23, DTLS_HELLO_NONE },
	{ "a ServerHello", 13, 2, DTLS_HELLO_NONE },
	{ "epoch 1", 4, 1, DTLS_HELLO_LIKE },
	{ "epoch 256", 3, 1, DTLS_HELLO_LIKE },
	{ "a later fragment", 21, 1, DTLS_HELLO_LIKE },
	{ "a session id that is too long", 59, 33, DTLS_HELLO_BROKEN },
	{ "a cookie that is cut off", HELLO_COOKIE - 1, 250, DTLS_HELLO_BROKEN },
	{ "a cookie of another length", HELLO_COOKIE - 1, 4, DTLS_HELLO_BARE },
};

START_TEST(only_a_first_clear_hello_gets_a_cookie)
{
	struct dtls_cookies *c = NULL;
	gnutls_dtls_prestate_st state;
	uint8_t d[256];
	struct err e;
	const struct dtls_place here = place("192.0.2.1", 1);
	size_t n = hello(d, NULL);

	ck_assert_int_eq(dtls_cookies_new(0, &c, &e), ERR_OK);
	for (size_t cut = 0; cut < n; cut++) {
		enum dtls_hello what = dtls_cookie_look(c, 0, &here, d, cut, &state);
		ck_assert_msg(what != DTLS_HELLO_PROVED && what != DTLS_HELLO_LIKE, "%zu octets", cut);
	}
	d[kinds[_i].at] = kinds[_i].octet;
	enum dtls_hello what = dtls_cookie_look(c, 0, &here, d, n, &state);
	ck_assert_msg(what == kinds[_i].seen, "%s: %d", kinds[_i].what, (int)what);
	dtls_cookies_free(c);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_stuck_handshake_makes_room_and_no_other, N_ELEMS(rows)),
	UNIT_CASE(a_cookie_is_good_for_its_address_and_for_a_while, N_ELEMS(cookie_rows)),
	UNIT_CASE(a_cookie_outlives_one_change_of_keys, 0),
	UNIT_CASE(only_a_first_clear_hello_gets_a_cookie, N_ELEMS(kinds)),
};

int
main(void)
{
	return unit_run(unit_suite("half_open", cases, N_ELEMS(cases)));
}
