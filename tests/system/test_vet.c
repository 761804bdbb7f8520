/*
 * The status of devices' certificates, asked of a responder on loopback that answers rightly,
 * wrongly, slowly or not at all. The numbers are lines of tests/data/ocsp-matrix.txt.
 */
#include "bsserver/ports/vet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/unit/fault_server.h"
#include "tests/unit/pki_forge.h"
#include "tests/unit/unit.h"

#define OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define OCSP_TYPE "application/ocsp-response"
#define DEADLINE_MS 3000
#define SESSIONS 1200

static struct forge root, other_root, signer, no_eku, foreign, expired;
static struct forge
    *asked_about[SESSIONS]; /* the responder's threads read them: kept until it ends */
static size_t n_asked_about;
static unsigned port;
static int64_t now;
static volatile bool down; /* whatever the path says */

/* ---- the responder ---- */

static struct pki_blob
nonce_of(const uint8_t *body, size_t n)
{
	static const uint8_t oid[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02 };
	const uint8_t *p = memmem(body, n, oid, sizeof oid);

	return p == NULL ? PKI_BLOB_NONE : (struct pki_blob){ p + sizeof oid + 2, 34 };
}

static const struct forge *
subject_of(const uint8_t *body, size_t n)
{
	for (size_t i = 0; i < n_asked_about; i++) {
		struct pki_blob serial = asked_about[i]->cert->serial;

		if (memmem(body, n, serial.p, serial.n) != NULL)
			return asked_about[i];
	}
	return NULL;
}

static const uint8_t strange_nonce[34] = { 4, 32 };

typedef void mode_fn(struct forge_ocsp *o, struct fault_reply *r);

#define MODE(name, ...)                                                                            \
	static void name(struct forge_ocsp *o, struct fault_reply *r)                              \
	{                                                                                          \
		(void)o;                                                                           \
		(void)r;                                                                           \
		__VA_ARGS__;                                                                       \
	}

/* clang-format off */
MODE(good, (void)0)
MODE(by_ca, o->signer = &root; o->embed[0] = NULL)
MODE(by_key, by_ca(o, r); o->by_key = true)
MODE(revoked, o->singles[0].status = PKI_STATUS_REVOKED; o->singles[0].reason = 2)
MODE(unknown, o->singles[0].status = PKI_STATUS_UNKNOWN)
MODE(run_out, o->singles[0].this_update = now - 4000; o->singles[0].next_update = now - 1000)
MODE(future, o->singles[0].this_update = now + 1000)
MODE(other_serial, o->singles[0].bad_serial = true)
MODE(bad_signature, o->bad_signature = true)
MODE(by_no_eku, o->signer = o->embed[0] = &no_eku)
MODE(by_foreign, o->signer = o->embed[0] = &foreign)
MODE(by_expired, o->signer = o->embed[0] = &expired)
MODE(not_embedded, o->embed[0] = NULL)
MODE(sha1, o->digest = GNUTLS_DIG_SHA1)
MODE(try_later, o->response_status = 3)
MODE(internal_error, o->response_status = 2)
MODE(unauthorized, o->response_status = 6)
MODE(sig_required, o->response_status = 5)
MODE(malformed, o->response_status = 1)
MODE(code_4, o->response_status = 4)
MODE(no_bytes, o->no_bytes = true)
MODE(other_nonce, o->nonce = (struct pki_blob){ strange_nonce, sizeof strange_nonce })
MODE(no_nonce, o->nonce = PKI_BLOB_NONE)
MODE(slow, r->delay_ms = 500)
MODE(hang, r->hang = true)
MODE(reset, r->reset = true)
MODE(drip, r->drip_ms = 20)

static const struct mode {
	const char *path;
	mode_fn *fn;
	int http;	     /* 0: 200 */
	const char *type;    /* NULL: right */
	const char *body;    /* NULL: a response */
	int cut;	     /* octets off (negative: on) */
} modes[] = {
	{ "/good", good, 0, NULL, NULL, 0 },
	{ "/by-ca", by_ca, 0, NULL, NULL, 0 },
	{ "/by-key", by_key, 0, NULL, NULL, 0 },
	{ "/revoked", revoked, 0, NULL, NULL, 0 },
	{ "/unknown", unknown, 0, NULL, NULL, 0 },
	{ "/run-out", run_out, 0, NULL, NULL, 0 },
	{ "/future", future, 0, NULL, NULL, 0 },
	{ "/other-serial", other_serial, 0, NULL, NULL, 0 },
	{ "/bad-signature", bad_signature, 0, NULL, NULL, 0 },
	{ "/no-eku", by_no_eku, 0, NULL, NULL, 0 },
	{ "/foreign", by_foreign, 0, NULL, NULL, 0 },
	{ "/expired", by_expired, 0, NULL, NULL, 0 },
	{ "/not-embedded", not_embedded, 0, NULL, NULL, 0 },
	{ "/sha1", sha1, 0, NULL, NULL, 0 },
	{ "/try-later", try_later, 0, NULL, NULL, 0 },
	{ "/internal-error", internal_error, 0, NULL, NULL, 0 },
	{ "/unauthorized", unauthorized, 0, NULL, NULL, 0 },
	{ "/sig-required", sig_required, 0, NULL, NULL, 0 },
	{ "/malformed", malformed, 0, NULL, NULL, 0 },
	{ "/code-4", code_4, 0, NULL, NULL, 0 },
	{ "/no-bytes", no_bytes, 0, NULL, NULL, 0 },
	{ "/500", good, 500, "text/plain", "no", 0 },
	{ "/503", good, 503, "text/plain", "no", 0 },
	{ "/404", good, 404, "text/plain", "no", 0 },
	{ "/wrong-type", good, 0, "text/plain", NULL, 0 },
	{ "/html", good, 0, "text/html", "<html></html>", 0 },
	{ "/empty", good, 0, NULL, "", 0 },
	{ "/garbage", good, 0, NULL, "garbage", 0 },
	{ "/cut", good, 0, NULL, NULL, 5 },
	{ "/trailing", good, 0, NULL, NULL, -5 },
	{ "/slow", slow, 0, NULL, NULL, 0 },
	{ "/hang", hang, 0, NULL, NULL, 0 },
	{ "/reset", reset, 0, NULL, NULL, 0 },
	{ "/drip", drip, 0, NULL, NULL, 0 },
	{ "/other-nonce", other_nonce, 0, NULL, NULL, 0 },
	{ "/no-nonce", no_nonce, 0, NULL, NULL, 0 },
};
/* clang-format on */

static void
answer_by(const struct mode *m, const uint8_t *body, size_t n, struct fault_reply *r)
{
	const struct forge *about = subject_of(body, n);
	struct gbuf der = { .max = 0 };

	if (about == NULL)
		abort();
	struct forge_ocsp o = forge_answer(about, &root, &signer, PKI_STATUS_GOOD, now);
	o.nonce = nonce_of(body, n);
	m->fn(&o, r);
	if (m->body != NULL)
		gbuf_str(&der, m->body);
	else
		forge_ocsp(&o, &der);
	for (int i = m->cut; i < 0; i++)
		gbuf_u8(&der, 0);
	fault_http(&r->bytes, m->http != 0 ? m->http : 200, m->type != NULL ? m->type : OCSP_TYPE,
	    der.data, der.len - (size_t)MAX(m->cut, 0));
	gbuf_clear(&der);
}

static void
large(struct fault_reply *r, bool chunked)
{
	static const char kilo[1024];

	if (!chunked) {
		gbuf_printf(&r->bytes, "HTTP/1.1 200 x\r\nContent-Type: " OCSP_TYPE
		                       "\r\nContent-Length: 4194304\r\n\r\n");
		r->repeat_from = r->bytes.len;
		gbuf_put(&r->bytes, kilo, sizeof kilo);
	} else {
		gbuf_printf(&r->bytes, "HTTP/1.1 200 x\r\nContent-Type: " OCSP_TYPE
		                       "\r\nTransfer-Encoding: chunked\r\n\r\n");
		r->repeat_from = r->bytes.len;
		gbuf_str(&r->bytes, "400\r\n");
		gbuf_put(&r->bytes, kilo, sizeof kilo);
		gbuf_str(&r->bytes, "\r\n");
	}
	r->repeat = 1 << 20;
}

static void
responder(void *arg, const char *path, const uint8_t *body, size_t n, struct fault_reply *r)
{
	(void)arg;
	if (down) {
		r->reset = true;
		return;
	}
	if (strcmp(path, "/redirect") == 0) {
		gbuf_printf(&r->bytes,
		    "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:%u/good\r\nContent-Length: "
		    "0\r\n\r\n",
		    port);
		return;
	}
	if (strcmp(path, "/large") == 0 || strcmp(path, "/endless") == 0) {
		large(r, path[1] == 'e');
		return;
	}
	for (size_t i = 0; i < N_ELEMS(modes); i++)
		if (strcmp(modes[i].path, path) == 0) {
			answer_by(&modes[i], body, n, r);
			return;
		}
	abort();
}

/* ---- the world ---- */

static struct loop *loop;
static struct vet *vet;
static struct fault_server *server;
static char cache_file[64];
static const char *file_in_use;
static struct pki_rev_rules rules;
static unsigned deadline_ms;

static struct told {
	unsigned times;
	enum bs_event_type type;
	enum bs_reason reason;
	char text[512];
} told[SESSIONS];

static void
on_event(void *arg, uint64_t session, struct bs_event *ev)
{
	struct told *t = &told[session];

	(void)arg;
	t->times++;
	t->type = ev->type;
	t->reason = ev->reason;
	(void)snprintf(t->text, sizeof t->text, "%s", ev->text == NULL ? "" : ev->text);
}

static struct vet_rules *
made_rules(void)
{
	struct vet_rule rule = { "factory", rules };
	struct vet_rules *out = NULL;
	struct err e;

	ck_assert_msg(vet_rules_new(&rule, 1, &out, &e) == ERR_OK, "%s", e.msg);
	return out;
}

static unsigned n_revoked;
static char last_revoked[80], last_why[256];

static void
on_revoked(void *arg, const char *sha256, const char *why)
{
	(void)arg;
	n_revoked++;
	(void)snprintf(last_revoked, sizeof last_revoked, "%s", sha256);
	(void)snprintf(last_why, sizeof last_why, "%s", why);
}

static void
open_vet(void)
{
	struct vet_conf c = { .loop = loop, .cache_file = file_in_use, .deliver = on_event };
	struct err e;

	pki_rev_conf_default(&c.limits);
	c.limits.deadline_ms = deadline_ms;
	c.revoked = on_revoked;
	c.limits.request_ms = deadline_ms / 2;
	c.limits.retry_ms = 10;
	ck_assert_int_eq(vet_open(&c, made_rules(), &vet, &e), ERR_OK);
}

static void
close_vet(void)
{
	vet_stop(vet);
	vet_free(vet);
	vet = NULL;
}

static void
setup(void)
{
	struct err e;

	memset(told, 0, sizeof told);
	n_revoked = 0;
	n_asked_about = 0;
	down = false;
	deadline_ms = 30000;
	file_in_use = NULL;
	pki_rev_rules_default(&rules);
	ck_assert_int_eq(loop_new(&loop, &e), ERR_OK);
	port = 0;
	server = fault_server_new(responder, NULL, &port);
	open_vet();
}

static void
teardown(void)
{
	close_vet();
	fault_server_free(server);
	for (size_t i = 0; i < n_asked_about; i++)
		forge_clear(asked_about[i]);
	loop_free(loop);
	(void)unlink(cache_file);
}

static void
restart(void)
{
	close_vet();
	open_vet();
}

/* A device's certificate that names these paths of the responder, or URLs. */
static void
device(struct forge *k, const char *a, const char *b)
{
	char url[2][128];
	const char *paths[] = { a, b };
	struct forge_opts o = { .cn = "device", .issuer = &root, .rekey = &signer, .now = now };

	for (size_t i = 0; i < 2 && paths[i] != NULL; i++) {
		(void)snprintf(url[i], sizeof url[i],
		    paths[i][0] == '/' ? "http://127.0.0.1:%u%s" : "%.0u%s",
		    paths[i][0] == '/' ? port : 0, paths[i]);
		o.ocsp[i] = url[i];
	}
	forge_make(k, &o);
	asked_about[n_asked_about++] = k;
}

static void
ask(uint64_t session, const struct forge *k)
{
	struct bs_blob chain[] = { { k->cert->der.p, k->cert->der.n },
		{ root.cert->der.p, root.cert->der.n } };
	struct bs_peer peer = {
		.mode = BS_X509, .chain = chain, .n_chain = N_ELEMS(chain), .trust = "factory"
	};

	told[session] = (struct told){ 0 };
	vet_ask(vet, session, &peer);
	ck_assert_uint_eq(told[session].times, 0);
}

static const struct told *
wait_for(uint64_t session)
{
	uint64_t until = clock_mono_ms() + 50000;

	while (told[session].times == 0 && clock_mono_ms() < until)
		loop_turn(loop, 100);
	ck_assert_uint_eq(told[session].times, 1);
	return &told[session];
}

/* ---- lines ---- */

#define GOOD BS_REASON_NONE
#define REVOKED BS_REASON_REVOKED
#define UNKNOWN BS_REASON_STATUS_UNKNOWN
#define NONE BS_REASON_NO_STATUS

static const struct {
	int line;
	const char *a, *b; /* what the certificate names */
	enum bs_reason want;
	unsigned requests;
	const char *says;
	bool patient; /* it needs the whole deadline */
} lines[] = {
	{ 1, "/good", NULL, GOOD, 1, "not revoked", false },
	{ 2, "/by-ca", NULL, GOOD, 1, "not revoked", false },
	{ 2, "/by-key", NULL, GOOD, 1, "not revoked", false },
	{ 3, "/revoked", NULL, REVOKED, 1, "keyCompromise", false },
	{ 4, "/unknown", NULL, UNKNOWN, 1, "does not know", false },
	{ 5, "/run-out", NULL, NONE, 1, "nextUpdate", false },
	{ 6, "/future", NULL, NONE, 1, "thisUpdate", false },
	{ 11, "/other-serial", NULL, NONE, 1, "not about", false },
	{ 17, "/bad-signature", NULL, NONE, 1, "signature", false },
	{ 18, "/no-eku", NULL, NONE, 1, "may not sign", false },
	{ 19, "/foreign", NULL, NONE, 1, "another CA", false },
	{ 21, "/not-embedded", NULL, NONE, 1, "not with it", false },
	{ 22, "/expired", NULL, NONE, 1, "expired", false },
	{ 24, "/sha1", NULL, NONE, 1, "sha1", false },
	{ 26, "/try-later", NULL, NONE, 2, "tryLater", false },
	{ 26, "/internal-error", NULL, NONE, 2, "internalError", false },
	{ 27, "/unauthorized", NULL, NONE, 1, "unauthorized", false },
	{ 27, "/sig-required", NULL, NONE, 1, "sigRequired", false },
	{ 27, "/malformed", NULL, NONE, 1, "malformedRequest", false },
	{ 27, "/code-4", NULL, NONE, 1, "does not exist", false },
	{ 28, "/no-bytes", NULL, NONE, 1, "malformed", false },
	{ 29, "/500", NULL, NONE, 2, "HTTP 500", false },
	{ 29, "/503", NULL, NONE, 2, "HTTP 503", false },
	{ 29, "/404", NULL, NONE, 1, "HTTP 404", false },
	{ 30, "/redirect", NULL, NONE, 1, "HTTP 302", false },
	{ 31, "/wrong-type", NULL, NONE, 1, "text/plain", false },
	{ 31, "/html", NULL, NONE, 1, "text/html", false },
	{ 32, "/empty", NULL, NONE, 1, "not an OCSP response", false },
	{ 32, "/garbage", NULL, NONE, 1, "not an OCSP response", false },
	{ 32, "/cut", NULL, NONE, 1, "not an OCSP response", false },
	{ 32, "/trailing", NULL, NONE, 1, "not an OCSP response", false },
	{ 33, "/large", NULL, NONE, 1, "larger", false },
	{ 33, "/endless", NULL, NONE, 1, "larger", false },
	{ 34, "/slow", NULL, GOOD, 1, "not revoked", false },
	{ 34, "/hang", NULL, NONE, 2, "", true },
	{ 34, "/drip", NULL, NONE, 2, "", true },
	{ 35, "/reset", NULL, NONE, 2, "", false },
	{ 35, "http://127.0.0.1:1/", NULL, NONE, 0, "", false },
	{ 35, "http://no-such-host.invalid/", NULL, NONE, 0, "", false },
	{ 36, "http://127.0.0.1:1/", "/good", GOOD, 1, "not revoked", false },
	{ 37, "https://127.0.0.1:1/", "ldap://127.0.0.1/", NONE, 0, "only http", false },
	{ 39, NULL, NULL, NONE, 0, "no OCSP responder", false },
	{ 52, "/other-nonce", NULL, NONE, 1, "nonce", false },
	{ 53, "/no-nonce", NULL, GOOD, 1, "not revoked", false },
};

START_TEST(each_line_of_the_matrix)
{
	static struct forge k;

	deadline_ms = lines[_i].patient ? 1000 : 30000;
	restart();
	device(&k, lines[_i].a, lines[_i].b);
	ask(1, &k);
	const struct told *t = wait_for(1);
	ck_assert_msg(
	    t->reason == lines[_i].want, "%d %s: %s", lines[_i].line, lines[_i].a, t->text);
	ck_assert_int_eq(t->type, lines[_i].want == GOOD ? BS_EV_VETTED : BS_EV_REFUSED);
	ck_assert_msg(strstr(t->text, lines[_i].says) != NULL, "%d: %s", lines[_i].line, t->text);
	ck_assert_uint_eq(fault_server_requests(server), lines[_i].requests);
	if (lines[_i].requests > 0) /* from which responder */
		ck_assert_msg(strstr(t->text, "http://127.0.0.1") != NULL, "%s", t->text);
}
END_TEST

START_TEST(soft_lets_in_when_nobody_answers)
{
	static struct forge k, other;

	rules.mode = PKI_REV_SOFT;
	restart();
	device(&k, "/reset", NULL);
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->type, BS_EV_VETTED);
	ck_assert_ptr_nonnull(strstr(told[1].text, "allowed by the configuration"));
	device(&other, "/revoked", NULL);
	ask(2, &other);
	ck_assert_int_eq(wait_for(2)->reason, REVOKED);
}
END_TEST

START_TEST(many_devices_with_one_certificate_are_one_request) /* 40, 45 */
{
	static struct forge k;

	device(&k, "/slow", NULL);
	for (uint64_t i = 0; i < 100; i++)
		ask(i, &k);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_int_eq(wait_for(i)->type, BS_EV_VETTED);
	ask(100, &k);
	ck_assert_int_eq(wait_for(100)->type, BS_EV_VETTED);
	ck_assert_uint_eq(fault_server_requests(server), 1);
}
END_TEST

START_TEST(a_device_that_goes_is_forgotten) /* 47 */
{
	static struct forge k;

	device(&k, "/slow", NULL);
	ask(1, &k);
	ask(2, &k);
	loop_turn(loop, 10);
	vet_forget(vet, 1);
	(void)wait_for(2);
	ck_assert_uint_eq(told[1].times, 0);
	ask(3, &k); /* known: its answer is on its way already */
	vet_forget(vet, 3);
	vet_forget(vet, 99);
	ask(4, &k);
	(void)wait_for(4);
	ck_assert_uint_eq(told[3].times, 0);
}
END_TEST

START_TEST(stopping_answers_everybody_once) /* 48 */
{
	static struct forge k;

	device(&k, "/hang", NULL);
	for (uint64_t i = 0; i < 10; i++)
		ask(i, &k);
	loop_turn(loop, 10);
	vet_stop(vet);
	for (uint64_t i = 0; i < 10; i++) {
		ck_assert_uint_eq(told[i].times, 1);
		ck_assert_int_eq(told[i].reason, BS_REASON_RESTARTED);
	}
	ask(11, &k);
	ck_assert_int_eq(wait_for(11)->reason, BS_REASON_RESTARTED);
}
END_TEST

START_TEST(a_certificate_that_was_found_revoked_is_told_by_its_digest)
{
	static struct forge k, other;
	char hex[65];

	device(&k, "/revoked", NULL);
	device(&other, "/unknown", NULL);
	ask(1, &k);
	ask(2, &other);
	ck_assert_int_eq(wait_for(1)->reason, REVOKED);
	ck_assert_int_eq(wait_for(2)->reason, BS_REASON_STATUS_UNKNOWN);
	for (size_t i = 0; i < PKI_SHA256_LEN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", k.cert->fingerprint[i]);
	ck_assert_uint_eq(n_revoked, 1);
	ck_assert_str_eq(last_revoked, hex);
	ck_assert_ptr_nonnull(strstr(last_why, "keyCompromise"));
}
END_TEST

START_TEST(other_rules_leave_open_questions_alone) /* 48 */
{
	static struct forge k;

	device(&k, "/revoked", NULL);
	ask(1, &k);
	rules.mode = PKI_REV_OFF;
	vet_reload(vet, made_rules());
	ck_assert_int_eq(wait_for(1)->reason, REVOKED);
	ask(2, &k);
	ck_assert_int_eq(wait_for(2)->type, BS_EV_VETTED);
}
END_TEST

START_TEST(what_is_not_configured_is_refused)
{
	static struct forge k;
	struct bs_peer peer = { .mode = BS_X509, .trust = "other" };

	device(&k, "/good", NULL);
	vet_ask(vet, 1, &peer);
	ck_assert_int_eq(wait_for(1)->reason, BS_REASON_CERTIFICATE);
	peer = (struct bs_peer){ .mode = BS_PSK };
	vet_ask(vet, 2, &peer);
	ck_assert_int_eq(wait_for(2)->type, BS_EV_VETTED);
}
END_TEST

static void
damage(const char *file)
{
	FILE *f = fopen(file, "r+");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fseek(f, -20, SEEK_END), 0);
	ck_assert_int_ne(fputs("tampered", f), EOF);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(answers_outlive_a_restart_unless_the_file_is_changed) /* 44 */
{
	static struct forge k;

	(void)snprintf(cache_file, sizeof cache_file, "/tmp/test_vet.%d", (int)getpid());
	file_in_use = cache_file;
	restart();
	device(&k, "/good", NULL);
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->type, BS_EV_VETTED);
	down = true;
	restart();
	ask(2, &k);
	ck_assert_int_eq(wait_for(2)->type, BS_EV_VETTED);
	ck_assert_uint_eq(fault_server_requests(server), 1);
	close_vet();
	damage(cache_file);
	open_vet();
	ask(3, &k);
	ck_assert_int_eq(wait_for(3)->reason, NONE);
}
END_TEST

START_TEST(a_thousand_wait_and_the_next_are_told_so) /* 46 */
{
	static struct forge k[SESSIONS];
	struct vet_stats s;

	deadline_ms = 2000;
	restart();
	for (uint64_t i = 0; i < SESSIONS; i++)
		device(&k[i], "/hang", NULL);
	for (uint64_t i = 0; i < SESSIONS; i++)
		ask(i, &k[i]);
	vet_stats(vet, &s);
	ck_assert_uint_eq(s.engine.in_flight, 8);
	ck_assert_uint_eq(s.engine.queued, 1080);
	for (uint64_t i = 0; i < SESSIONS; i++)
		ck_assert_int_eq(wait_for(i)->reason, NONE);
	vet_stats(vet, &s);
	ck_assert_uint_eq(s.engine.in_flight + s.engine.queued + s.engine.checks, 0);
	ck_assert_uint_eq(s.engine.refused_full, SESSIONS - 1088);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_line_of_the_matrix, N_ELEMS(lines)),
	UNIT_CASE(soft_lets_in_when_nobody_answers, 0),
	UNIT_CASE(many_devices_with_one_certificate_are_one_request, 0),
	UNIT_CASE(a_device_that_goes_is_forgotten, 0),
	UNIT_CASE(stopping_answers_everybody_once, 0),
	UNIT_CASE(a_certificate_that_was_found_revoked_is_told_by_its_digest, 0),
	UNIT_CASE(other_rules_leave_open_questions_alone, 0),
	UNIT_CASE(what_is_not_configured_is_refused, 0),
	UNIT_CASE(answers_outlive_a_restart_unless_the_file_is_changed, 0),
	UNIT_CASE(a_thousand_wait_and_the_next_are_told_so, 0),
};

static void
make_cas(void)
{
	now = time(NULL);
	forge_make(&root, &(struct forge_opts){ .cn = "root", .ca = true, .now = now });
	forge_make(&other_root, &(struct forge_opts){ .cn = "other", .ca = true, .now = now });
	forge_make(&signer, &(struct forge_opts){ .cn = "ocsp",
	                        .issuer = &root,
	                        .eku = { OCSP_SIGNING },
	                        .nocheck = true,
	                        .now = now });
	forge_make(&no_eku, &(struct forge_opts){ .cn = "no eku", .issuer = &root, .now = now });
	forge_make(&foreign, &(struct forge_opts){ .cn = "foreign",
	                         .issuer = &other_root,
	                         .eku = { OCSP_SIGNING },
	                         .nocheck = true,
	                         .now = now });
	forge_make(&expired, &(struct forge_opts){ .cn = "expired",
	                         .issuer = &root,
	                         .nocheck = true,
	                         .eku = { OCSP_SIGNING },
	                         .now = now,
	                         .not_after = now - 60 });
}

int
main(void)
{
	Suite *suite = suite_create("vet");

	make_cas();
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		TCase *tc = tcase_create(cases[i].name);

		tcase_add_checked_fixture(tc, setup, teardown);
		tcase_add_loop_test(tc, *cases[i].test, 0, MAX(cases[i].rows, 1));
		suite_add_tcase(suite, tc);
	}
	return unit_run(suite);
}
