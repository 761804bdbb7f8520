/*
 * What a responder on loopback says, in each way that a client must get right: times, several answers,
 * who signed, chains, what runs out. The numbers are lines of tests/data/ocsp-matrix.txt.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "tests/system/vet_world.h"

static struct forge other, ee, young, long_lived, brief, ed_signer, p384_signer, rsa_signer, ica;
static uint8_t nonces[2][34];
static size_t n_nonces;
static _Atomic int64_t clock_off_s; /* what every clock here is wrong by */

/* In the place of clock_wall_ms() in this program (the linker's --wrap). */
int64_t __real_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void);
int64_t
__wrap_clock_wall_ms(void)
{
	return __real_clock_wall_ms() + clock_off_s * 1000;
}

/* ---- the responder ---- */

typedef void says_fn(struct forge_ocsp *o, struct forge_single *s, int64_t now);

#define SAYS(name, ...)                                                                            \
	static void name(struct forge_ocsp *o, struct forge_single *s, int64_t now)                \
	{                                                                                          \
		(void)o;                                                                           \
		(void)s;                                                                           \
		(void)now;                                                                         \
		__VA_ARGS__;                                                                       \
	}
#define BY(name, who) SAYS(name, o->signer = o->embed[0] = &(who))

/* clang-format off */
SAYS(good, (void)0)
SAYS(revoked, s->status = PKI_STATUS_REVOKED; s->reason = 2)
SAYS(hold, s->status = PKI_STATUS_REVOKED; s->reason = 7)
SAYS(next_in_skew, s->next_update = now - 290; s->this_update = now - 4000)
SAYS(next_past_skew, s->next_update = now - 310; s->this_update = now - 4000)
SAYS(this_in_skew, s->this_update = now + 290)
SAYS(this_past_skew, s->this_update = now + 320)
SAYS(open_fresh, s->next_update = 0)
SAYS(open_old, s->next_update = 0; s->this_update = now - FORGE_DAY - 400)
SAYS(next_before_this, s->this_update = now - 20; s->next_update = now - 40)
SAYS(produced_ahead, o->produced_at = now + 320)
SAYS(produced_before, o->produced_at = now - 11 * FORGE_DAY)
SAYS(other_name, s->bad_name = true)
SAYS(other_key, s->bad_key = true)
SAYS(second, o->singles[1] = *s; s->cert = other.cert; o->n = 2)
SAYS(one_revoked, o->singles[1] = *s; o->singles[1].status = PKI_STATUS_REVOKED; o->n = 2)
SAYS(one_unknown, o->singles[1] = *s; o->singles[1].status = PKI_STATUS_UNKNOWN; o->n = 2)
SAYS(sha256_id, s->hash = FORGE_SHA256)
SAYS(strange_id, s->hash = FORGE_OTHER_HASH)
BY(by_ee, ee)
BY(by_young, young)
BY(by_long_lived, long_lived)
BY(by_brief, brief)
BY(by_ed, ed_signer)
SAYS(by_p384, o->signer = o->embed[0] = &p384_signer; o->digest = GNUTLS_DIG_SHA384)
BY(by_rsa, rsa_signer)
SAYS(md5, by_rsa(o, s, now); o->digest = GNUTLS_DIG_MD5)
SAYS(other_type, o->other_type = true)
SAYS(version_2, o->version = 2)
SAYS(critical, o->critical = true)
SAYS(critical_single, s->critical = true)
SAYS(no_nonce, o->nonce = PKI_BLOB_NONE)
SAYS(by_ica, s->issuer = ica.cert; o->signer = &ica; o->embed[0] = NULL)

static const struct {
	const char *path;
	says_fn *fn;
} paths[] = { { "/good", good }, { "/revoked", revoked }, { "/by-ica", by_ica } };
/* clang-format on */

static says_fn *row_says; /* what "/row" does */

static void
responder(void *arg, const char *path, const uint8_t *body, size_t n, struct fault_reply *r)
{
	struct forge_ocsp o = vet_world_answer(body, n);
	struct pki_blob nonce = nonce_of(body, n);
	struct gbuf der = { .max = 0 };
	says_fn *says = row_says;

	(void)arg;
	if (nonce.n == sizeof nonces[0] && n_nonces < N_ELEMS(nonces))
		memcpy(nonces[n_nonces++], nonce.p, nonce.n);
	for (size_t i = 0; i < N_ELEMS(paths); i++)
		if (strcmp(path, paths[i].path) == 0)
			says = paths[i].fn;
	says(&o, &o.singles[0], time(NULL) + clock_off_s);
	forge_ocsp(&o, &der);
	fault_http(&r->bytes, 200, OCSP_TYPE, der.data, der.len);
	gbuf_clear(&der);
}

/* ---- lines ---- */

static const struct {
	int line;
	says_fn *says_so;
	enum bs_reason want;
	const char *says;
} lines[] = {
	{ 7, next_in_skew, GOOD, "not revoked" },
	{ 7, next_past_skew, NONE, "nextUpdate has passed" },
	{ 7, this_in_skew, GOOD, "not revoked" },
	{ 7, this_past_skew, NONE, "thisUpdate lies in the future" },
	{ 8, open_fresh, GOOD, "not revoked" },
	{ 8, open_old, NONE, "too old" },
	{ 9, next_before_this, NONE, "nextUpdate lies before thisUpdate" },
	{ 10, produced_ahead, NONE, "producedAt lies in the future" },
	{ 10, produced_before, NONE, "producedAt lies outside" },
	{ 11, other_name, NONE, "not about this certificate" },
	{ 11, other_key, NONE, "not about this certificate" },
	{ 12, second, GOOD, "not revoked" },
	{ 13, one_revoked, REVOKED, "revoked on" },
	{ 14, one_unknown, UNKNOWN, "does not know" },
	{ 15, sha256_id, GOOD, "not revoked" },
	{ 16, strange_id, NONE, "not about this certificate" },
	{ 20, by_ee, NONE, "may not sign OCSP responses" },
	{ 22, by_young, NONE, "not valid yet" },
	{ 23, by_long_lived, NONE, "no id-pkix-ocsp-nocheck" },
	{ 23, by_brief, GOOD, "not revoked" },
	{ 24, md5, NONE, "signature of kind other" },
	{ 25, by_ed, GOOD, "not revoked" },
	{ 25, by_p384, GOOD, "not revoked" },
	{ 25, by_rsa, GOOD, "not revoked" },
	{ 28, other_type, NONE, "not of the basic type" },
	{ 28, version_2, NONE, "not of version 1" },
	{ 28, critical, NONE, "critical extension" },
	{ 28, critical_single, NONE, "critical extension" },
};

START_TEST(each_line_of_the_matrix)
{
	static struct forge k;

	row_says = lines[_i].says_so;
	device(&k, "/row", NULL);
	ask(1, &k);
	const struct told *t = wait_for(1);
	ck_assert_msg(t->reason == lines[_i].want, "%d: %s", lines[_i].line, t->text);
	ck_assert_int_eq(t->type, lines[_i].want == GOOD ? BS_EV_VETTED : BS_EV_REFUSED);
	ck_assert_msg(strstr(t->text, lines[_i].says) != NULL, "%d: %s", lines[_i].line, t->text);
	ck_assert_msg(strstr(t->text, "http://127.0.0.1") != NULL, "%s", t->text);
	ck_assert_uint_eq(fault_server_requests(w.server), 1);
}
END_TEST

START_TEST(a_host_that_is_not_on_the_list_is_not_asked) /* 38 */
{
	static const char *const hosts[] = { "ocsp.example.com" };
	static struct forge k;

	w.rules.allow_hosts = hosts;
	w.rules.n_allow_hosts = 1;
	restart();
	device(&k, "/good", NULL);
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->reason, NONE);
	ck_assert_ptr_nonnull(strstr(told[1].text, "not on the list: 127.0.0.1"));
	ck_assert_uint_eq(fault_server_requests(w.server), 0);
}
END_TEST

/* 41, 42: an answer that has run out already, as skew allows; then nobody answers any more. */
static const struct {
	int64_t grace_s;
	enum bs_reason want;
	const char *says;
} graces[] = { { 3600, GOOD, "stale: there is no newer answer" }, { 0, NONE, "too long" } };

START_TEST(an_answer_that_has_run_out_serves_within_grace)
{
	static struct forge k;

	w.rules.stale_grace_s = graces[_i].grace_s;
	restart();
	row_says = next_in_skew;
	device(&k, "/row", NULL);
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->reason, GOOD);
	w.down = true;
	ask(2, &k);
	ck_assert_int_eq(wait_for(2)->reason, graces[_i].want);
	ck_assert_msg(strstr(told[2].text, graces[_i].says) != NULL, "%s", told[2].text);
}
END_TEST

START_TEST(good_and_then_revoked_and_then_silent) /* 43 */
{
	static struct forge k;

	w.rules.mode = PKI_REV_SOFT;
	w.ttl_s = 0;
	restart();
	device(&k, "/row", NULL);
	row_says = good;
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->reason, GOOD);
	row_says = revoked;
	ask(2, &k);
	ck_assert_int_eq(wait_for(2)->reason, REVOKED);
	ck_assert_uint_eq(fault_server_requests(w.server), 2);
	w.down = true;
	ask(3, &k);
	ck_assert_int_eq(wait_for(3)->reason, REVOKED);
}
END_TEST

/* 49, 50, 55: device, CA between, anchor: who is named in the CA's certificate, and what becomes of it. */
static const struct {
	const char *ca_names;
	bool leaf_only, no_source;
	enum bs_reason want;
	unsigned requests;
} chains[] = {
	{ "/good", false, false, GOOD, 2 },
	{ "/revoked", false, false, REVOKED, 2 },
	{ "/revoked", true, false, GOOD, 1 },
	{ NULL, false, false, NONE, 1 },
	{ NULL, false, true, GOOD, 1 },
};

START_TEST(the_ca_between_is_asked_about_and_the_anchor_is_not)
{
	static struct forge k, anchor;
	const struct forge *path[] = { &k, &ica, &anchor };

	w.rules.leaf_only = chains[_i].leaf_only;
	w.rules.allow_no_source = chains[_i].no_source;
	restart();
	device_with(&anchor,
	    &(struct forge_opts){ .cn = "root", .rekey = &root, .ca = true, .ocsp = { "/revoked" } });
	device_with(&ica, &(struct forge_opts){
	                      .cn = "ica", .issuer = &root, .ca = true, .ocsp = { chains[_i].ca_names } });
	device_with(&k, &(struct forge_opts){ .cn = "device", .issuer = &ica, .ocsp = { "/by-ica" } });
	ask_path(1, path, N_ELEMS(path));
	ck_assert_msg(wait_for(1)->reason == chains[_i].want, "%s", told[1].text);
	ck_assert_uint_eq(fault_server_requests(w.server), chains[_i].requests);
}
END_TEST

START_TEST(a_promise_to_staple_is_nothing_to_a_device) /* 51 */
{
	static const char *const raw[3] = { "1.3.6.1.5.5.7.1.24=3003020105" };
	static struct forge k;

	device_with(&k, &(struct forge_opts){
	                    .cn = "device", .issuer = &root, .ocsp = { "/good" }, .raw = raw });
	ck_assert(k.cert->must_staple);
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->reason, GOOD);
}
END_TEST

START_TEST(a_nonce_that_is_demanded_must_come_back) /* 53 */
{
	static struct forge k;

	w.rules.status.nonce = PKI_NONCE_REQUIRE;
	restart();
	row_says = no_nonce;
	device(&k, "/row", NULL);
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->reason, NONE);
	ck_assert_ptr_nonnull(strstr(told[1].text, "no nonce"));
}
END_TEST

START_TEST(each_request_has_a_nonce_of_its_own) /* 54 */
{
	static struct forge k;

	n_nonces = 0;
	w.ttl_s = 0;
	restart();
	device(&k, "/good", NULL);
	for (uint64_t i = 1; i <= 2; i++) {
		ask(i, &k);
		ck_assert_int_eq(wait_for(i)->reason, GOOD);
	}
	ck_assert_uint_eq(n_nonces, 2);
	ck_assert_int_eq(nonces[0][1], 32);
	ck_assert_int_ne(memcmp(nonces[0], nonces[1], sizeof nonces[0]), 0);
}
END_TEST

START_TEST(a_clock_that_goes_back_keeps_nothing_alive) /* 56 */
{
	static struct forge k;
	uint64_t until = clock_mono_ms() + 30000, session = 1;

	w.ttl_s = 1;
	restart();
	device(&k, "/good", NULL);
	ask(session, &k);
	ck_assert_int_eq(wait_for(session)->reason, GOOD);
	clock_off_s = -3600;
	while (fault_server_requests(w.server) == 1 && clock_mono_ms() < until && ++session < SESSIONS) {
		(void)nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
		ask(session, &k);
		ck_assert_msg(wait_for(session)->reason == GOOD, "%s", told[session].text);
	}
	ck_assert_uint_eq(fault_server_requests(w.server), 2);
}
END_TEST

/* What the store knows to be revoked: who said so, what the responder says now, and what counts. */
static const struct {
	const char *detail;
	enum pki_rev_mode mode;
	const char *names;
	enum bs_reason want;
} known[] = {
	{ "keyCompromise", PKI_REV_HARD, "/good", REVOKED },
	{ "keyCompromise", PKI_REV_OFF, "/good", REVOKED },
	{ SHELF_FOUND "revoked on 2026-01-01", PKI_REV_HARD, "/good", GOOD },
	{ SHELF_FOUND "revoked on 2026-01-01", PKI_REV_OFF, "/good", REVOKED },
	{ SHELF_FOUND "revoked on 2026-01-01", PKI_REV_SOFT, "http://127.0.0.1:1/", REVOKED },
	{ NULL, PKI_REV_SOFT, "http://127.0.0.1:1/", GOOD },
};

START_TEST(what_the_store_knows_counts)
{
	struct shelf *shelf = shelf_new(unit_seed());
	struct gbuf hex = { .max = 65 };
	static struct forge k;
	struct err e;

	w.shelf = shelf;
	w.rules.mode = known[_i].mode;
	restart();
	device(&k, known[_i].names, NULL);
	enc_hex(&hex, k.cert->fingerprint, sizeof k.cert->fingerprint);
	if (known[_i].detail != NULL)
		ck_assert_int_eq(shelf_feed(shelf,
		                     &(struct store_feed){ .kind = STORE_FEED_REVOKED,
		                         .name = gbuf_cstr(&hex),
		                         .doc = known[_i].detail },
		                     &e),
		    ERR_OK);
	ask(1, &k);
	ck_assert_msg(wait_for(1)->reason == known[_i].want, "%s", told[1].text);
	if (known[_i].want == REVOKED)
		ck_assert_msg(strstr(told[1].text, known[_i].detail) != NULL, "%s", told[1].text);
	close_vet();
	shelf_free(shelf);
	w.shelf = NULL;
	open_vet();
	gbuf_clear(&hex);
}
END_TEST

START_TEST(what_is_only_on_hold_is_not_kept_for_good)
{
	static struct forge k;

	row_says = hold;
	device(&k, "/row", NULL);
	ask(1, &k);
	ck_assert_int_eq(wait_for(1)->reason, REVOKED);
	ck_assert_uint_eq(w.n_revoked, 0);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_line_of_the_matrix, N_ELEMS(lines)),
	UNIT_CASE(a_host_that_is_not_on_the_list_is_not_asked, 0),
	UNIT_CASE(an_answer_that_has_run_out_serves_within_grace, N_ELEMS(graces)),
	UNIT_CASE(good_and_then_revoked_and_then_silent, 0),
	UNIT_CASE(the_ca_between_is_asked_about_and_the_anchor_is_not, N_ELEMS(chains)),
	UNIT_CASE(a_promise_to_staple_is_nothing_to_a_device, 0),
	UNIT_CASE(a_nonce_that_is_demanded_must_come_back, 0),
	UNIT_CASE(each_request_has_a_nonce_of_its_own, 0),
	UNIT_CASE(a_clock_that_goes_back_keeps_nothing_alive, 0),
	UNIT_CASE(what_the_store_knows_counts, N_ELEMS(known)),
	UNIT_CASE(what_is_only_on_hold_is_not_kept_for_good, 0),
};

static void
make_signer(struct forge *k, struct forge_opts o)
{
	o.issuer = &root;
	o.eku[0] = OCSP_SIGNING;
	o.now = w.now;
	forge_make(k, &o);
}

int
main(void)
{
	vet_world_make(responder);
	forge_make(&other, &(struct forge_opts){ .cn = "other", .issuer = &root, .now = w.now });
	forge_make(&ee, &(struct forge_opts){ .cn = "ee", .issuer = &root, .now = w.now });
	make_signer(&young,
	    (struct forge_opts){ .cn = "y", .nocheck = true, .not_before = w.now + 3600 });
	make_signer(&long_lived, (struct forge_opts){ .cn = "l" });
	make_signer(&brief, (struct forge_opts){ .cn = "b",
	                        .not_before = w.now - FORGE_DAY,
	                        .not_after = w.now + 20 * FORGE_DAY });
	make_signer(
	    &ed_signer, (struct forge_opts){ .cn = "ed", .key = FORGE_ED25519, .nocheck = true });
	make_signer(
	    &p384_signer, (struct forge_opts){ .cn = "p384", .key = FORGE_P384, .nocheck = true });
	make_signer(
	    &rsa_signer, (struct forge_opts){ .cn = "rsa", .key = FORGE_RSA2048, .nocheck = true });
	return vet_world_run("vet_says", cases, N_ELEMS(cases));
}
