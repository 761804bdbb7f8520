/* Devices with certificates and raw public keys: who is let in, and how those who are not are told. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include "bsserver/auth/trust.h"
#include "tests/unit/cert_kit.h"
#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

#define EC                                                                                                   \
	"NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+ECDHE-ECDSA:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1" \
	":+CTYPE-ALL"
#define RAW                                                                                                   \
	"NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+ECDHE-ECDSA:+COMP-NULL:+SIGN-ECDSA-SHA256:+GROUP-SECP256R1" \
	":+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK"

/* A server with a certificate, trust in the CA "factory", and what the devices of a test come with. */
struct scene {
	struct world w;
	struct trust *trust;
	struct auth *auth;
	struct kit_cert server, device;
	struct transport_credentials creds;
	unsigned forgotten;
};

static void
on_certificate(void *arg, enum transport_kind kind, const struct transport_blob *chain, size_t n,
    struct transport_verdict *out)
{
	struct scene *s = CONTAINER_OF(arg, struct scene, w);
	struct pki_blob der[TRANSPORT_CHAIN_MAX];
	struct trust_verdict v;

	for (size_t i = 0; i < n; i++)
		der[i] = (struct pki_blob){ chain[i].data, chain[i].len };
	if (kind == TRANSPORT_RPK)
		trust_judge_rpk(s->auth, false, der[0], &v);
	else
		trust_judge(s->trust, der, n, time(NULL), &v);
	out->alert = v.alert;
	out->proof = v.proof;
	(void)snprintf(out->why, sizeof out->why, "%s", v.why);
}

static void
forget(void *arg, void *proof)
{
	struct scene *s = CONTAINER_OF(arg, struct scene, w);

	trust_proof_free(proof);
	s->forgotten++;
}

static void
register_key(struct scene *s, const struct gbuf *spki)
{
	struct gbuf name = { 0 };
	struct secret none = SECRET_NONE;
	struct store_feed f = { .kind = STORE_FEED_DEVICE, .name = "dev-1", .state = STORE_ACTIVE };

	ck_assert_int_eq(auth_feed(s->auth, &f, NULL), ERR_OK);
	ck_assert_int_eq(
	    auth_pin(AUTH_RPK, (struct pki_blob){ spki->data, spki->len }, &name, NULL), ERR_OK);
	f = (struct store_feed){
		.kind = STORE_FEED_IDENTITY, .name = "dev-1", .identity = gbuf_cstr(&name), .key = &none
	};
	ck_assert_int_eq(auth_feed(s->auth, &f, NULL), ERR_OK);
	gbuf_clear(&name);
}

static void
scene_open(struct scene *s, const struct kit_spec *device, bool with_trust, unsigned takes)
{
	static const struct kit_spec server = { "bs.example.com", NULL, "factory", KIT_SERVER, 30, 1, 0 };
	struct err e = { 0 };

	*s = (struct scene){ .forgotten = 0 };
	kit_make(&server, &s->server);
	kit_make(device, &s->device);
	const struct trust_conf trust = { "factory", kit_file("ca.pem", kit_ca("factory"), 0644), false,
		false };
	ck_assert_msg(trust_load(&trust, with_trust ? 1 : 0, &s->trust, &e) == ERR_OK, "%s", e.msg);
	ck_assert_int_eq(auth_new(NULL, 0, 1, &s->auth, &e), ERR_OK);
	s->creds = (struct transport_credentials){
		.certificate_file = kit_file("server.pem", gbuf_cstr(&s->server.chain), 0644),
		.key = kit_file("server.key", gbuf_cstr(&s->server.key), 0600) };
	s->w.certificate = on_certificate;
	s->w.forget = forget;
	s->w.credentials = s->creds;
	s->w.takes = takes;
	world_open_again(&s->w, true, 0);
}

static void
scene_close(struct scene *s)
{
	world_close(&s->w);
	trust_free(s->trust);
	auth_free(s->auth);
	kit_clear(&s->server);
	kit_clear(&s->device);
	kit_end();
}

#define ALL (TRANSPORT_TAKES(TRANSPORT_PSK) | TRANSPORT_TAKES(TRANSPORT_X509) | TRANSPORT_TAKES(TRANSPORT_RPK))
#define DEVICE(...) { .cn = "dev-1", __VA_ARGS__ }

static const struct {
	const char *what;
	struct kit_spec device;
	const char *priority, *cipher;
	bool raw;
} good[] = {
	{ "ccm8", DEVICE(.between = 0), EC, "AES-128-CCM-8", false },
	{ "gcm", DEVICE(.between = 1), "NORMAL:-VERS-ALL:+VERS-DTLS1.2:-CIPHER-ALL:+AES-128-GCM", "AES-128-GCM", false },
	{ "cbc", DEVICE(.between = 1), "NONE:+VERS-DTLS1.2:+AES-128-CBC:+SHA256:+ECDHE-ECDSA:+COMP-NULL:+SIGN-ECDSA-SHA256"
				       ":+GROUP-SECP256R1:+CTYPE-ALL", "AES-128-CBC", false },
	{ "the usual of GnuTLS", DEVICE(.between = 1), "NORMAL:-VERS-ALL:+VERS-DTLS1.2:+AES-128-CCM-8", "AES-128-CCM-8", false },
	{ "no purpose named", DEVICE(.purpose = KIT_NO_PURPOSE), EC, "AES-128-CCM-8", false },
	{ "3 KiB", DEVICE(.between = 3, .names = 10), EC, "AES-128-CCM-8", false },
	{ "a certificate of 7 KiB", DEVICE(.names = 33), EC, "AES-128-CCM-8", false },
	{ "raw public key", DEVICE(.between = 0), RAW, "AES-128-CCM-8", true },
};

START_TEST(a_device_with_a_certificate_or_raw_key_is_let_in)
{
	struct scene s;
	struct client c;

	scene_open(&s, &good[_i].device, true, ALL);
	const struct client_cert cert = { gbuf_cstr(&s.device.chain), gbuf_cstr(&s.device.key), good[_i].raw,
		good[_i].priority };
	if (good[_i].raw)
		register_key(&s, &s.device.spki);
	must_open_cert(&s.w, &c, COAPS4, &cert);
	ck_assert_msg(shake(&s.w, &c, WAIT_MS), "%s: %s, %s", good[_i].what, gnutls_strerror(c.error), s.w.why);
	ck_assert_str_eq(client_cipher(&c), good[_i].cipher);
	ck_assert(gnutls_session_ext_master_secret_status(c.tls) != 0);
	if (strstr(good[_i].cipher, "CBC") != NULL)
		ck_assert(gnutls_session_etm_status(c.tls) != 0);
	knock(&s.w, &c, 1, "a");
	ck_assert_int_eq(s.w.last.identity.kind, good[_i].raw ? TRANSPORT_RPK : TRANSPORT_X509);
	ck_assert_uint_eq(s.w.last.identity.n_chain, good[_i].raw ? 1 : good[_i].device.between + 1);
	const struct trust_proof *proof = s.w.last.identity.proof;
	ck_assert_ptr_nonnull(proof);
	if (good[_i].raw) {
		ck_assert_uint_eq(proof->spki.n, s.device.spki.len);
		ck_assert_mem_eq(proof->spki.p, s.device.spki.data, s.device.spki.len);
	} else {
		ck_assert_uint_eq(proof->path.n, good[_i].device.between + 2);
		ck_assert_str_eq(proof->trust, "factory");
		ck_assert_str_eq(proof->text, "CN=dev-1");
	}
	client_close(&c, false);
	turn_until(&s.w, &s.w.n_gone, 1, WAIT_MS);
	ck_assert_uint_eq(s.w.n_failures, 0);
	ck_assert_uint_eq(s.forgotten, 1);
	scene_close(&s);
}
END_TEST

static const struct {
	const char *what;
	struct kit_spec device;
	bool shows, raw, trust;
	unsigned takes;
	int alert;
	const char *why; /* what it begins with */
} bad[] = {
	{ "expired", DEVICE(.days = -3), true, false, true, ALL, GNUTLS_A_CERTIFICATE_EXPIRED,
	    "expired: certificate 0 (CN=dev-1)" },
	{ "foreign CA", DEVICE(.ca = "foreign"), true, false, true, ALL, GNUTLS_A_UNKNOWN_CA, "unknown_ca: " },
	{ "for servers", DEVICE(.purpose = KIT_SERVER), true, false, true, ALL, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
	    "wrong_purpose: certificate 0 (CN=dev-1)" },
	{ "no trust", DEVICE(.between = 0), true, false, false, ALL, GNUTLS_A_UNKNOWN_CA,
	    "unknown_ca: no trust anchor is configured" },
	{ "nothing shown", DEVICE(.between = 0), false, false, true, ALL, GNUTLS_A_HANDSHAKE_FAILURE,
	    "the device shows no certificate" },
	{ "nobody's raw key", DEVICE(.between = 0), true, true, true, ALL, GNUTLS_A_ACCESS_DENIED,
	    "no device that may knock is registered with the raw public key sha256:" },
	{ "raw key, not taken", DEVICE(.between = 0), true, true, true, ALL & ~TRANSPORT_TAKES(TRANSPORT_RPK),
	    -1, NULL },
	{ "certificate, not taken", DEVICE(.between = 0), true, false, true, ALL & ~TRANSPORT_TAKES(TRANSPORT_X509),
	    -1, NULL },
	{ "8 KiB and more", DEVICE(.names = 45), true, false, true, ALL, GNUTLS_A_BAD_CERTIFICATE,
	    "a certificate of more than 8 KiB in the device's chain" },
	{ "nine certificates", DEVICE(.between = 8), true, false, true, ALL, GNUTLS_A_BAD_CERTIFICATE,
	    "more than 8 certificates in the device's chain" },
};

START_TEST(a_device_is_refused_with_the_alert_that_tells_why)
{
	struct scene s;
	struct client c;

	scene_open(&s, &bad[_i].device, bad[_i].trust, bad[_i].takes);
	const struct client_cert cert = { bad[_i].shows ? gbuf_cstr(&s.device.chain) : NULL,
		gbuf_cstr(&s.device.key), bad[_i].raw, bad[_i].raw ? RAW : EC };
	must_open_cert(&s.w, &c, COAPS4, &cert);
	ck_assert_msg(!shake(&s.w, &c, WAIT_MS), "%s: it succeeded", bad[_i].what);
	turn_until(&s.w, &s.w.n_failures, 1, WAIT_MS);
	if (bad[_i].why != NULL) {
		ck_assert_msg(c.alert == bad[_i].alert, "%s: alert %d", bad[_i].what, c.alert);
		ck_assert_msg(strncmp(s.w.why, bad[_i].why, strlen(bad[_i].why)) == 0, "%s: %s", bad[_i].what, s.w.why);
		if (bad[_i].shows)
			ck_assert_int_eq(s.w.failed_kind, bad[_i].raw ? TRANSPORT_RPK : TRANSPORT_X509);
	}
	client_close(&c, true);
	ck_assert_uint_eq(s.w.n_requests, 0);
	ck_assert_uint_eq(s.forgotten, 0);
	scene_close(&s);
}
END_TEST

/* A session goes on with what it began with; the next handshake sees the new certificate. */
START_TEST(credentials_are_read_again_without_a_word_to_sessions)
{
	static const struct kit_spec device = DEVICE(.between = 0);
	static const struct kit_spec fresh = { "new.example.com", NULL, "factory", KIT_SERVER, 30, 0, 0 };
	struct scene s;
	struct client a, b;
	struct kit_cert next;
	struct err e = { 0 };
	unsigned n = 0;

	scene_open(&s, &device, true, ALL);
	const struct client_cert cert = { gbuf_cstr(&s.device.chain), gbuf_cstr(&s.device.key), false, EC };
	must_open_cert(&s.w, &a, COAPS4, &cert);
	ck_assert(shake(&s.w, &a, WAIT_MS));
	(void)gnutls_certificate_get_peers(a.tls, &n);
	ck_assert_uint_eq(n, 2);
	kit_make(&fresh, &next);
	(void)kit_file("server.pem", gbuf_cstr(&next.chain), 0644);
	ck_assert_int_ne(transport_reload(s.w.t, &s.creds, &e), ERR_OK); /* not that key's */
	ck_assert_ptr_nonnull(strstr(e.msg, "server.pem"));
	(void)kit_file("server.key", gbuf_cstr(&next.key), 0600);
	ck_assert_msg(transport_reload(s.w.t, &s.creds, &e) == ERR_OK, "%s", e.msg);
	knock(&s.w, &a, 1, "a");
	must_open_cert(&s.w, &b, COAPS4, &cert);
	ck_assert(shake(&s.w, &b, WAIT_MS));
	(void)gnutls_certificate_get_peers(b.tls, &n);
	ck_assert_uint_eq(n, 1);
	knock(&s.w, &b, 1, "b");
	client_close(&a, false);
	client_close(&b, false);
	kit_clear(&next);
	scene_close(&s);
}
END_TEST

START_TEST(pre_shared_keys_work_beside_certificates)
{
	static const struct kit_spec device = DEVICE(.between = 0);
	const struct client_psk psk = { "dev", 3, KEY, "NORMAL:-VERS-ALL:+VERS-DTLS1.2:+PSK:+AES-128-CCM-8" };
	struct scene s;
	struct client c;

	scene_open(&s, &device, true, ALL);
	must_open(&s.w, &c, COAPS4, 0, &psk);
	ck_assert_msg(shake(&s.w, &c, WAIT_MS), "%s", gnutls_strerror(c.error));
	knock(&s.w, &c, 1, "a");
	ck_assert_int_eq(s.w.last.identity.kind, TRANSPORT_PSK);
	client_close(&c, false);
	scene_close(&s);
}
END_TEST

static const struct {
	const char *what, *why;
} unfit[] = {
	{ "no key", "we have no key" },
	{ "no certificate", "we have none" },
	{ "missing file", "No such file or directory" },
	{ "key for everybody", "everybody may read it" },
	{ "no key in it", "server.pem" },
};

START_TEST(credentials_that_are_not_fit_are_named)
{
	static const struct kit_spec device = DEVICE(.between = 0);
	struct transport_credentials c;
	struct scene s;
	struct err e = { 0 };

	scene_open(&s, &device, true, ALL);
	c = s.creds;
	if (_i == 0)
		c.key = NULL;
	else if (_i == 1)
		c.certificate_file = NULL;
	else if (_i == 2)
		c.certificate_file = "/nonexistent/server.pem";
	else if (_i == 3)
		(void)kit_file("server.key", gbuf_cstr(&s.server.key), 0644);
	else
		c.key = kit_file("server.pem", "nothing", 0600);
	ck_assert_int_ne(transport_reload(s.w.t, &c, &e), ERR_OK);
	ck_assert_msg(strstr(e.msg, unfit[_i].why) != NULL, "%s: %s", unfit[_i].what, e.msg);
	scene_close(&s);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_device_with_a_certificate_or_raw_key_is_let_in, N_ELEMS(good)),
	UNIT_CASE(a_device_is_refused_with_the_alert_that_tells_why, N_ELEMS(bad)),
	UNIT_CASE(credentials_are_read_again_without_a_word_to_sessions, 0),
	UNIT_CASE(pre_shared_keys_work_beside_certificates, 0),
	UNIT_CASE(credentials_that_are_not_fit_are_named, N_ELEMS(unfit)),
};

UNIT_PATIENT_MAIN("dtls_cert", cases, "120")
