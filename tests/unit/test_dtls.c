#include "bsserver/transport/dtls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "lib/base/clock.h"
#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

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

	world_open_with(&w, true, 0);
	must_open(&w, &c, good[_i].listener, 0, &psk);
	ck_assert_msg(shake(&w, &c, WAIT_MS), "%s", gnutls_strerror(c.error));
	ck_assert_str_eq(client_cipher(&c), good[_i].cipher);
	knock(&w, &c, 1, "a");
	ck_assert_int_eq(w.last.identity.kind, TRANSPORT_PSK);
	ck_assert_uint_eq(w.identity_len, good[_i].len);
	ck_assert_mem_eq(w.identity, good[_i].identity, good[_i].len);
	ck_assert_mem_eq(w.listener, "coaps://", 8);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, PATIENT_MS);
	must_get(&w, &c, &m);
	reply_to(&c, &m, CONTENT);
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	transport_stats(w.t, &s);
	ck_assert_uint_eq(s.handshakes, 1);
	ck_assert_uint_eq(s.handshakes_failed, 0);
	transport_release(w.t, w.last.peer, false);
	for (unsigned i = 0; c.error == 0 && i < 1000; i++)
		ck_assert(!wait_msg(&w, &c, &m, 2));
	ck_assert_int_eq(c.error, GNUTLS_E_SESSION_EOF); /* close_notify came */
	client_close(&c, true);
	ck_assert_uint_eq(w.n_gone, 0);
	world_close(&w);
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

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &bad[_i].psk);
	ck_assert_msg(!shake(&w, &c, WAIT_MS), "%s: it succeeded", bad[_i].what);
	turn_until(&w, &w.n_failures, 1, WAIT_MS);
	ck_assert_str_eq(w.why, bad[_i].why);
	(void)snprintf(addr, sizeof addr, "127.0.0.1:%u", client_port(&c));
	ck_assert_str_eq(w.failed_addr, addr);
	ck_assert(w.wrong_key == (strcmp(bad[_i].what, "key") == 0));
	ck_assert_int_eq(c.alert, bad[_i].alert);
	if (_i < 2)
		ck_assert_mem_eq(w.failed_identity, bad[_i].psk.identity, bad[_i].psk.identity_len);
	transport_stats(w.t, &s);
	ck_assert_uint_eq(s.handshakes_failed, 1);
	client_close(&c, true);
	world_close(&w);
	ck_assert_uint_eq(w.n_failures, 1);
	ck_assert_uint_eq(w.n_requests, 0);
}
END_TEST

/* Its own key exchange goes out; what it would prove the key by stays behind. */
static bool held_back;

static ssize_t
push_without_proof(gnutls_transport_ptr_t to, const void *data, size_t n)
{
	held_back = held_back || *(const uint8_t *)data == 20; /* ChangeCipherSpec */
	return held_back ? (ssize_t)n : send((int)(intptr_t)to, data, n, 0);
}

START_TEST(a_device_that_breaks_off_is_not_said_to_have_a_wrong_key)
{
	static const uint8_t alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, GNUTLS_A_INTERNAL_ERROR };
	const struct client_psk psk = { "dev", 3, KEY, NULL };
	struct world w;
	struct client c;

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &psk);
	gnutls_transport_set_push_function(c.tls, push_without_proof);
	for (uint64_t end = clock_mono_ms() + WAIT_MS; !held_back && clock_mono_ms() < end; loop_turn(w.loop, 2))
		ck_assert(!client_handshake(&c));
	ck_assert(held_back);
	loop_turn(w.loop, 20);
	ck_assert(send(c.fd, alert, sizeof alert, 0) == (ssize_t)sizeof alert);
	turn_until(&w, &w.n_failures, 1, WAIT_MS);
	ck_assert_ptr_nonnull(strstr(w.why, "broke off"));
	ck_assert_str_eq(w.failed_identity, "dev");
	ck_assert(!w.wrong_key);
	client_close(&c, true);
	world_close(&w);
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

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &psk);
	uint16_t port = client_port(&c);
	if (_i < 3) {
		ck_assert(shake(&w, &c, WAIT_MS));
		w.when = _i == 2 ? LATER : AT_ONCE;
		ck_assert(client_send(&c, &m));
		turn_until(&w, &w.n_requests, 1, WAIT_MS);
		if (_i == 1)
			ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, PATIENT_MS);
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
	if (_i < 3) {
		ck_assert_uint_eq(w.n_gone, 1);
		ck_assert_str_eq(w.gone_why, "the device began a new handshake");
	}
	if (_i == 1) {
		ck_assert_uint_eq(w.answers_before_gone, 0);
		ck_assert_uint_eq(w.n_answers, 1);
		ck_assert_str_eq(w.answers[0].why, "the device began a new handshake");
	}
	client_close(&c, false);
	turn_until(&w, &w.n_gone, _i < 3 ? 2 : 1, WAIT_MS);
	world_close(&w);
}
END_TEST

/* Whoever keeps the session hears that the device went away before the request's own answer says so. */
START_TEST(a_device_that_closes_is_gone_before_its_request_is)
{
	struct world w;
	struct client c;
	struct msg m;
	const struct client_psk psk = { "dev", 3, KEY, NULL };

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &psk);
	ck_assert(shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, PATIENT_MS);
	must_get(&w, &c, &m);
	client_close(&c, false);
	turn_until(&w, &w.n_gone, 1, WAIT_MS);
	ck_assert_str_eq(w.gone_why, "the device closed its session");
	ck_assert_uint_eq(w.answers_before_gone, 0);
	ck_assert_uint_eq(w.n_answers, 1);
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_GONE);
	ck_assert_str_eq(w.answers[0].why, "the device closed its session");
	world_close(&w);
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

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &psk);
	ck_assert(shake(&w, &c, WAIT_MS));
	for (int i = 0; i < 3; i++) {
		ck_assert(send(c.fd, hello, sizeof hello, 0) == (ssize_t)sizeof hello);
		loop_turn(w.loop, 20);
	}
	knock(&w, &c, 1, "a");
	ck_assert_uint_eq(w.n_gone, 0);
	client_close(&c, false);
	world_close(&w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_device_with_a_key_is_known_by_its_identity, N_ELEMS(good)),
	UNIT_CASE(a_handshake_that_fails_is_reported, N_ELEMS(bad)),
	UNIT_CASE(a_device_that_breaks_off_is_not_said_to_have_a_wrong_key, 0),
	UNIT_CASE(a_device_that_restarts_on_its_port_gets_a_handshake, 4),
	UNIT_CASE(a_device_that_closes_is_gone_before_its_request_is, 0),
	UNIT_CASE(a_hello_from_elsewhere_does_not_end_a_session, 0),
};

UNIT_PATIENT_MAIN("dtls", cases, "120")
