/*
 * The status of devices' certificates, asked of a responder on loopback that answers rightly,
 * wrongly, slowly or not at all. The numbers are lines of tests/data/ocsp-matrix.txt.
 */
#include "bsserver/ports/vet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/vet_world.h"

static struct forge no_eku, foreign, expired;

/* ---- the responder ---- */

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
MODE(run_out, o->singles[0].this_update = w.now - 4000; o->singles[0].next_update = w.now - 1000)
MODE(future, o->singles[0].this_update = w.now + 1000)
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
	struct gbuf der = { .max = 0 };

	struct forge_ocsp o = vet_world_answer(body, n);
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
	if (strcmp(path, "/redirect") == 0) {
		gbuf_printf(&r->bytes,
		    "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:%u/good\r\nContent-Length: "
		    "0\r\n\r\n",
		    w.port);
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

/* ---- lines ---- */

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

	w.deadline_ms = lines[_i].patient ? 1000 : 30000;
	restart();
	device(&k, lines[_i].a, lines[_i].b);
	ask(1, &k);
	const struct told *t = wait_for(1);
	ck_assert_msg(
	    t->reason == lines[_i].want, "%d %s: %s", lines[_i].line, lines[_i].a, t->text);
	ck_assert_int_eq(t->type, lines[_i].want == GOOD ? BS_EV_VETTED : BS_EV_REFUSED);
	ck_assert_msg(strstr(t->text, lines[_i].says) != NULL, "%d: %s", lines[_i].line, t->text);
	ck_assert_uint_eq(fault_server_requests(w.server), lines[_i].requests);
	if (lines[_i].requests > 0) /* from which responder */
		ck_assert_msg(strstr(t->text, "http://127.0.0.1") != NULL, "%s", t->text);
}
END_TEST

START_TEST(soft_lets_in_when_nobody_answers)
{
	static struct forge k, other;

	w.rules.mode = PKI_REV_SOFT;
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
	ck_assert_uint_eq(fault_server_requests(w.server), 1);
}
END_TEST

START_TEST(a_device_that_goes_is_forgotten) /* 47 */
{
	static struct forge k;

	device(&k, "/slow", NULL);
	ask(1, &k);
	ask(2, &k);
	loop_turn(w.loop, 10);
	vet_forget(w.vet, 1);
	(void)wait_for(2);
	ck_assert_uint_eq(told[1].times, 0);
	ask(3, &k); /* known: its answer is on its way already */
	vet_forget(w.vet, 3);
	vet_forget(w.vet, 99);
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
	loop_turn(w.loop, 10);
	vet_stop(w.vet);
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
	ck_assert_uint_eq(w.n_revoked, 1);
	ck_assert_str_eq(w.last_revoked, hex);
	ck_assert_ptr_nonnull(strstr(w.last_why, "keyCompromise"));
}
END_TEST

START_TEST(other_rules_leave_open_questions_alone) /* 48 */
{
	static struct forge k;

	device(&k, "/revoked", NULL);
	ask(1, &k);
	w.rules.mode = PKI_REV_OFF;
	vet_reload(w.vet, made_rules());
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
	vet_ask(w.vet, 1, &peer);
	ck_assert_int_eq(wait_for(1)->reason, BS_REASON_CERTIFICATE);
	peer = (struct bs_peer){ .mode = BS_PSK };
	vet_ask(w.vet, 2, &peer);
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

	(void)snprintf(w.cache_file, sizeof w.cache_file, "/tmp/test_vet.%d", (int)getpid());
	w.file = w.cache_file;
	restart();
	device(&k, "/good", NULL);
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->type, BS_EV_VETTED);
	w.down = true;
	restart();
	ask(2, &k);
	ck_assert_int_eq(wait_for(2)->type, BS_EV_VETTED);
	ck_assert_uint_eq(fault_server_requests(w.server), 1);
	close_vet();
	damage(w.cache_file);
	open_vet();
	ask(3, &k);
	ck_assert_int_eq(wait_for(3)->reason, NONE);
}
END_TEST

START_TEST(a_thousand_wait_and_the_next_are_told_so) /* 46 */
{
	static struct forge k[SESSIONS];
	struct vet_stats s;

	w.deadline_ms = 2000;
	restart();
	for (uint64_t i = 0; i < SESSIONS; i++)
		device(&k[i], "/hang", NULL);
	for (uint64_t i = 0; i < SESSIONS; i++)
		ask(i, &k[i]);
	vet_stats(w.vet, &s);
	ck_assert_uint_eq(s.engine.in_flight, 8);
	ck_assert_uint_eq(s.engine.queued, 1080);
	for (uint64_t i = 0; i < SESSIONS; i++)
		ck_assert_int_eq(wait_for(i)->reason, NONE);
	vet_stats(w.vet, &s);
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
	forge_make(&no_eku, &(struct forge_opts){ .cn = "no eku", .issuer = &root, .now = w.now });
	forge_make(&foreign, &(struct forge_opts){ .cn = "foreign",
	                         .issuer = &other_root,
	                         .eku = { OCSP_SIGNING },
	                         .nocheck = true,
	                         .now = w.now });
	forge_make(&expired, &(struct forge_opts){ .cn = "expired",
	                         .issuer = &root,
	                         .nocheck = true,
	                         .eku = { OCSP_SIGNING },
	                         .now = w.now,
	                         .not_after = w.now - 60 });
}

int
main(void)
{
	vet_world_make(responder);
	make_cas();
	return vet_world_run("vet", cases, N_ELEMS(cases));
}
