/* RFC 7925, item by item, as a device sees it. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "lib/base/clock.h"
#include "tests/unit/cert_kit.h"
#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

#define PSK_ONLY "NONE:+VERS-DTLS1.2:+PSK:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1"
#define CCM8 PSK_ONLY ":+AES-128-CCM-8:+AEAD"
#define CBC PSK_ONLY ":+AES-128-CBC:+SHA256"
#define EC "NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+ECDHE-ECDSA:+COMP-NULL:+GROUP-SECP256R1:+CTYPE-ALL"

static const struct client_psk usual = { "dev", 3, KEY, CCM8 };

/* ---- what is negotiated, and what is not ---- */

static const struct {
	const char *what, *priority;
	const char *refused; /* NULL: it is let in */
	bool ems, etm;
} extensions[] = {
	{ "extended master secret", CCM8, NULL, true, false },
	{ "without it", CCM8 ":%NO_SESSION_HASH", NULL, false, false },
	{ "encrypt-then-MAC", CBC, NULL, true, true },
	{ "CBC without it", CBC ":%NO_ETM", "no cipher suite in common", false, false },
	{ "CCM beside CBC without it", CBC ":+AES-128-CCM-8:+AEAD:%NO_ETM", NULL, true, false },
};

START_TEST(extensions_are_used_or_the_suite_is_not)
{
	struct world w;
	struct client c;
	const struct client_psk psk = { "dev", 3, KEY, extensions[_i].priority };

	world_open_with(&w, true, 0);
	must_open(&w, &c, COAPS4, 0, &psk);
	bool done = shake(&w, &c, WAIT_MS);
	ck_assert_msg(done == (extensions[_i].refused == NULL), "%s: %s", extensions[_i].what, gnutls_strerror(c.error));
	if (done) {
		ck_assert_int_eq(gnutls_session_ext_master_secret_status(c.tls) != 0, extensions[_i].ems);
		ck_assert_int_eq(gnutls_session_etm_status(c.tls) != 0, extensions[_i].etm);
		ck_assert_int_eq(gnutls_protocol_get_version(c.tls), GNUTLS_DTLS1_2);
		knock(&w, &c, 1, "a");
	} else {
		turn_until(&w, &w.n_failures, 1, WAIT_MS);
		ck_assert_str_eq(w.why, extensions[_i].refused);
	}
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(no_session_is_resumed)
{
	struct world w;
	struct client c;
	gnutls_datum_t data = { NULL, 0 };

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &usual);
	ck_assert(shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	ck_assert_int_eq(gnutls_session_get_data2(c.tls, &data), 0);
	client_close(&c, false);
	turn_until(&w, &w.n_gone, 1, WAIT_MS);

	must_open(&w, &c, COAPS4, 0, &usual);
	ck_assert_int_eq(gnutls_session_set_data(c.tls, data.data, data.size), 0);
	ck_assert(shake(&w, &c, WAIT_MS));
	ck_assert_int_eq(gnutls_session_is_resumed(c.tls), 0);
	client_close(&c, true);
	gnutls_free(data.data);
	world_close(&w);
}
END_TEST

/* ---- renegotiation ---- */

/* A hello inside the session; what the server made of it. */
static int
ask_anew(struct world *w, struct client *c)
{
	uint64_t until = clock_mono_ms() + WAIT_MS;
	int rc;

	do {
		rc = gnutls_handshake(c->tls);
		loop_turn(w->loop, 5);
	} while (rc == GNUTLS_E_AGAIN && clock_mono_ms() < until);
	return rc;
}

START_TEST(nothing_is_negotiated_anew)
{
	struct world w;
	struct client c;

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &usual);
	ck_assert(shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	int rc = ask_anew(&w, &c);
	ck_assert_msg(rc == GNUTLS_E_WARNING_ALERT_RECEIVED, "%s", gnutls_strerror(rc));
	ck_assert_int_eq(gnutls_alert_get(c.tls), GNUTLS_A_NO_RENEGOTIATION);
	ck_assert_uint_eq(w.n_gone, 0);
	ask(&w, w.last.peer, TRANSPORT_GET, "/1", NULL, 0, 1000); /* the session goes on */
	loop_turn(w.loop, 20);
	for (int i = 0; i < 40; i++) {
		(void)gnutls_handshake(c.tls);
		loop_turn(w.loop, 1);
	}
	client_close(&c, true);
	must_open(&w, &c, COAPS4, 0, &usual); /* and the server as well */
	ck_assert(shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	client_close(&c, true);
	world_close(&w);
}
END_TEST

/* ---- maximum fragment length ---- */

static const struct {
	size_t record, payload;
	size_t most; /* octets of payload in one message */
} lengths[] = {
	{ 512, 200, 256 },
	{ 512, 300, 256 },
	{ 512, 1500, 256 },
	{ 1024, 1500, 512 },
	{ 0, 1500, 1024 },
};

START_TEST(a_device_that_asks_for_small_records_gets_small_blocks)
{
	struct world w;
	struct client c;
	struct msg m;
	uint8_t payload[1500];
	size_t got = 0;

	memset(payload, 'p', sizeof payload);
	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &usual);
	if (lengths[_i].record != 0)
		ck_assert_int_eq(gnutls_record_set_max_size(c.tls, lengths[_i].record), 0);
	ck_assert(shake(&w, &c, WAIT_MS));
	knock(&w, &c, 1, "a");
	ask(&w, w.last.peer, TRANSPORT_PUT, "/0/1", payload, lengths[_i].payload, 9000);
	while (got < lengths[_i].payload) {
		must_get(&w, &c, &m);
		ck_assert_uint_le(m.payload_len, lengths[_i].most);
		ck_assert_int_eq(m.block1 >= 0, lengths[_i].payload > lengths[_i].most);
		got += m.payload_len;
		struct msg answer = msg_make(TYPE_ACK, got < lengths[_i].payload ? CONTINUE : CHANGED, m.mid, "");
		memcpy(answer.token, m.token, m.token_len);
		answer.token_len = m.token_len;
		answer.block1 = m.block1;
		ck_assert(client_send(&c, &answer));
	}
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].code, CHANGED);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

/* ---- timers ---- */

/* One datagram, and when the kernel had it, however late we look; -1: none is there. */
static ssize_t
take_datagram(int fd, uint8_t *out, size_t n, int64_t *at_ms)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec iov = { out, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	ssize_t got = recvmsg(fd, &m, 0);
	struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&m);
	struct timespec ts = { 0 };

	if (c != NULL && c->cmsg_type == SCM_TIMESTAMPNS)
		memcpy(&ts, CMSG_DATA(c), sizeof ts);
	*at_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return got;
}

START_TEST(a_flight_is_repeated_after_one_second_then_two)
{
	struct world w;
	struct client c;
	int64_t at[3] = { 0 }, came;
	const int on = 1;
	size_t n = 0;
	uint8_t octets[2048];

	world_open(&w);
	must_open(&w, &c, COAPS4, 0, &usual);
	ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), 0);
	while (recv(c.fd, octets, sizeof octets, MSG_PEEK) <= 0 || octets[13] != 2) { /* ServerHello */
		(void)client_handshake(&c);
		loop_turn(w.loop, 5);
	}
	uint64_t until = clock_mono_ms() + 20000;
	while (n < N_ELEMS(at) && clock_mono_ms() < until) { /* and nothing is said to it */
		if (take_datagram(c.fd, octets, sizeof octets, &came) > 0 && octets[13] == 2)
			at[n++] = came;
		loop_turn(w.loop, 5);
	}
	ck_assert_uint_eq(n, N_ELEMS(at));
	int64_t first = at[1] - at[0], second = at[2] - at[1];
	ck_assert_msg(first >= 800 && first < 5000, "%lld ms", (long long)first);
	ck_assert_msg(second >= 1700 && second < 8000, "%lld ms", (long long)second);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

/* ---- certificates ---- */

static void
take_all(void *arg, enum transport_kind kind, const struct transport_blob *chain, size_t n, struct transport_verdict *out)
{
	(void)arg;
	(void)kind;
	(void)chain;
	(void)n;
	out->alert = 0;
}

static const struct {
	const char *what, *priority, *name;
	const char *refused;
} shown[] = {
	{ "ECDSA with SHA-256", EC ":+SIGN-ECDSA-SHA256", NULL, NULL },
	{ "ECDSA with SHA-256, or others", EC ":+SIGN-RSA-SHA256:+SIGN-ECDSA-SHA1:+SIGN-ECDSA-SHA256", NULL, NULL },
	{ "SHA-1 alone", EC ":+SIGN-ECDSA-SHA1", NULL, "no cipher suite in common" },
	{ "a server name", EC ":+SIGN-ECDSA-SHA256", "bs.example.com", NULL },
	{ "a server name that is none of ours", EC ":+SIGN-ECDSA-SHA256", "elsewhere.example.com", NULL },
};

/* The device must find its way from our certificate to the CA that it knows. */
static void
check_chain(gnutls_session_t s)
{
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(s, &n);
	gnutls_x509_crt_t certs[2];

	ck_assert_uint_eq(n, 2);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(gnutls_x509_crt_init(&certs[i]), 0);
		ck_assert_int_eq(gnutls_x509_crt_import(certs[i], &list[i], GNUTLS_X509_FMT_DER), 0);
	}
	ck_assert_int_eq(gnutls_x509_crt_get_ca_status(certs[0], NULL), 0);
	ck_assert_int_eq(gnutls_x509_crt_check_issuer(certs[0], certs[1]), 1);
	for (unsigned i = 0; i < 2; i++)
		gnutls_x509_crt_deinit(certs[i]);
}

START_TEST(our_certificate_comes_first_and_is_signed_as_the_device_can_check)
{
	static const struct kit_spec server = { "bs.example.com", NULL, "factory", KIT_SERVER, 30, 1, 0 };
	static const struct kit_spec device = { .cn = "dev-1" };
	struct kit_cert ours, its;
	struct world w = { .certificate = take_all, .takes = TRANSPORT_TAKES(TRANSPORT_X509) };
	struct client c;

	kit_make(&server, &ours);
	kit_make(&device, &its);
	w.credentials = (struct transport_credentials){
		.certificate_file = kit_file("server.pem", gbuf_cstr(&ours.chain), 0644),
		.key = kit_file("server.key", gbuf_cstr(&ours.key), 0600) };
	world_open_again(&w, false, 0);
	const struct client_cert cert = { gbuf_cstr(&its.chain), gbuf_cstr(&its.key), false, shown[_i].priority };
	must_open_cert(&w, &c, COAPS4, &cert);
	if (shown[_i].name != NULL)
		ck_assert_int_eq(gnutls_server_name_set(c.tls, GNUTLS_NAME_DNS, shown[_i].name, strlen(shown[_i].name)), 0);
	bool done = shake(&w, &c, WAIT_MS);
	ck_assert_msg(done == (shown[_i].refused == NULL), "%s: %s", shown[_i].what, gnutls_strerror(c.error));
	if (done) {
		check_chain(c.tls);
		ck_assert_int_eq(gnutls_sign_algorithm_get(c.tls), GNUTLS_SIGN_ECDSA_SHA256);
	} else {
		turn_until(&w, &w.n_failures, 1, WAIT_MS);
		ck_assert_msg(strcmp(w.why, shown[_i].refused) == 0, "%s: %s", shown[_i].what, w.why);
	}
	client_close(&c, true);
	world_close(&w);
	kit_clear(&ours);
	kit_clear(&its);
	kit_end();
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(extensions_are_used_or_the_suite_is_not, N_ELEMS(extensions)),
	UNIT_CASE(no_session_is_resumed, 0),
	UNIT_CASE(nothing_is_negotiated_anew, 0),
	UNIT_CASE(a_device_that_asks_for_small_records_gets_small_blocks, N_ELEMS(lengths)),
	UNIT_CASE(a_flight_is_repeated_after_one_second_then_two, 0),
	UNIT_CASE(our_certificate_comes_first_and_is_signed_as_the_device_can_check, N_ELEMS(shown)),
};

UNIT_PATIENT_MAIN("dtls_profile", cases, "30")
