/*
 * Many at once, cancelled, closed, kept in a file; paths and lists. The numbers in comments are
 * lines of tests/data/ocsp-matrix.txt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/rev_world.h"

START_TEST(all_who_ask_about_one_share_one_exchange) /* 45 */
{
	static struct told t[100];

	for (size_t i = 0; i < N_ELEMS(t); i++)
		ask(&direct, &t[i]);
	ck_assert_uint_eq(w.n, 1);
	answer(0, &direct, &root, PKI_STATUS_GOOD);
	for (size_t i = 0; i < N_ELEMS(t); i++)
		expect(&t[i], PKI_OK, true);
}
END_TEST

START_TEST(so_many_at_once_and_no_more) /* 46 */
{
	static struct told t[1200];
	const struct forge **certs = many(N_ELEMS(t));
	struct pki_rev_stats s;
	size_t refused = 0;

	for (size_t i = 0; i < N_ELEMS(t); i++)
		ask(certs[i], &t[i]);
	turn();
	ck_assert_uint_eq(w.n, 16); /* two hosts, eight each */
	pki_rev_stats(w.rev, &s);
	ck_assert_uint_eq(s.in_flight, 16);
	ck_assert_uint_eq(s.queued, 1024 + 64 - 16);
	for (size_t i = 0; i < N_ELEMS(t); i++)
		refused += t[i].times;
	ck_assert_uint_eq(refused, N_ELEMS(t) - 1024 - 64);
	answer(0, certs[0], &root, PKI_STATUS_GOOD);
	ck_assert_uint_eq(w.n, 17);
	ck_assert_str_eq(w.f[16].url, w.f[0].url);
	pass(10000);
	for (size_t i = 0; i < N_ELEMS(t); i++)
		ck_assert_uint_eq(t[i].times, 1);
	expect(&t[0], PKI_OK, true);
	expect(&t[1], PKI_R_NO_STATUS, false);
	expect(&t[1199], PKI_R_NO_STATUS, false);
	ck_assert_ptr_nonnull(strstr(t[1199].r.detail, "too many"));
	pki_rev_stats(w.rev, &s);
	ck_assert_uint_eq(s.in_flight + s.queued + s.checks, 0);
}
END_TEST

START_TEST(who_cancels_is_not_called_and_the_answer_is_kept) /* 47 */
{
	struct told t, u;
	struct pki_rev_check *k = ask(&direct, &t);

	pki_rev_cancel(w.rev, k);
	ck_assert(flying(0)->open);
	answer(0, &direct, &root, PKI_STATUS_GOOD);
	ck_assert_uint_eq(t.times, 0);
	k = ask(&direct, &u); /* known, and not yet told */
	pki_rev_cancel(w.rev, k);
	turn();
	ck_assert_uint_eq(u.times, 0);
	ask(&direct, &u);
	turn();
	expect(&u, PKI_OK, true);
	ck_assert_uint_eq(w.n, 1);
}
END_TEST

START_TEST(closing_calls_back_once_each) /* 48 */
{
	struct told waiting, finished;

	ask(&two_urls, &finished);
	answer(0, &two_urls, &root, PKI_STATUS_GOOD);
	ask(&two_urls, &finished); /* not told yet */
	ask(&direct, &waiting);
	pki_rev_close(w.rev);
	ck_assert_uint_eq(waiting.times, 1);
	ck_assert_int_eq(waiting.rc, ERR_CLOSED);
	ck_assert(!waiting.r.allowed);
	expect(&finished, PKI_OK, true);
	ck_assert_uint_eq(w.aborted, 1);
	w.rev = NULL;
}
END_TEST

START_TEST(a_new_policy_leaves_running_checks_alone) /* 48 */
{
	struct told t;

	ask(&direct, &t);
	w.rules.mode = PKI_REV_OFF;
	set_policy(); /* drops the old one */
	answer(0, &direct, &root, PKI_STATUS_REVOKED);
	expect(&t, PKI_R_REVOKED, false);
}
END_TEST

START_TEST(the_cas_between_are_asked_about) /* 49, 55 */
{
	struct told t;

	ask_long(&t);
	answer(0, &leaf, &ica, PKI_STATUS_GOOD);
	ck_assert_uint_eq(t.times, 0);
	ck_assert_str_eq(flying(1)->url, URL2);
	answer(1, &ica, &root, PKI_STATUS_REVOKED);
	expect(&t, PKI_R_REVOKED, false);
	ck_assert_uint_eq(t.r.index, 1);
	ck_assert_uint_eq(w.n, 2); /* nobody about the anchor */
}
END_TEST

static const struct {
	bool leaf_only, no_source, want;
} between[] = { { false, false, false }, { false, true, true }, { true, false, true } };

START_TEST(a_ca_that_names_nobody) /* 50 */
{
	static struct forge it;
	const struct forge *path[] = { &it, &plain_ca, &root };
	struct told t;

	forge_make(&it, &(struct forge_opts){ .cn = "it", .issuer = &plain_ca, .ocsp = { URL1 } });
	w.rules.leaf_only = between[_i].leaf_only;
	w.rules.allow_no_source = between[_i].no_source;
	set_policy();
	ask_path(path, 3, &t);
	answer(0, &it, &plain_ca, PKI_STATUS_GOOD);
	ck_assert_uint_eq(t.times, 1);
	ck_assert_int_eq(t.r.allowed, between[_i].want);
	if (!between[_i].want)
		ck_assert_uint_eq(t.r.index, 1);
	forge_clear(&it);
}
END_TEST

START_TEST(a_replayed_answer_does_not_count) /* 52, 54 */
{
	struct forge_ocsp o = forge_answer(&direct, &root, &root, PKI_STATUS_GOOD, w.wall);
	struct gbuf der = { .max = 0 };
	struct told t;

	ask(&direct, &t);
	o.nonce = nonce_sent(flying(0));
	forge_ocsp(&o, &der);
	fail_fetch(0, ERR_UNREACHABLE);
	pass(250);
	ck_assert_mem_ne(nonce_sent(flying(1)).p, o.nonce.p, o.nonce.n);
	http(1, 200, OCSP_TYPE, der.data, der.len);
	expect(&t, PKI_R_NO_STATUS, false);
	ck_assert_ptr_nonnull(strstr(t.r.detail, "nonce"));
	gbuf_clear(&der);
}
END_TEST

static void
write_crl(const struct forge_crl *o, char path[64])
{
	struct gbuf der = { .max = 0 };

	(void)snprintf(path, 64, "/tmp/test_revocation.XXXXXX");
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	forge_crl(o, &der);
	ck_assert_int_eq(write(fd, der.data, der.len), (ssize_t)der.len);
	(void)close(fd);
	gbuf_clear(&der);
}

/* What a list says, and a responder: R revoked, G good, - nothing; in hard mode. */
static const struct {
	const char *what;
	const struct forge *cert, *issuer;
	bool list_revokes;
	enum pki_status says;
	enum pki_reason want;
	size_t fetches;
	const char *source;
} lists[] = {
	{ "list revokes, nobody is asked", &direct, &root, true, 0, PKI_R_REVOKED, 0, "crl" },
	{ "list is good, responder revokes", &direct, &root, false, PKI_STATUS_REVOKED,
	    PKI_R_REVOKED, 1, URL1 },
	{ "list is good, responder does not know", &direct, &root, false, PKI_STATUS_UNKNOWN,
	    PKI_R_STATUS_UNKNOWN, 1, URL1 },
	{ "list is good, responder is mute", &direct, &root, false, PKI_STATUS_UNUSABLE, PKI_OK, 1,
	    "crl" },
	{ "list is good, no responder", &plain_ca, &root, false, 0, PKI_OK, 0, "crl" },
	{ "list of another CA, no responder", &plain, &plain_ca, false, 0, PKI_R_NO_STATUS, 0, "" },
};

START_TEST(lists_and_responders_together)
{
	struct forge_crl o = { .issuer = &root,
		.revoked = { lists[_i].list_revokes ? lists[_i].cert->cert : NULL },
		.this_update = NOW - 60,
		.next_update = NOW + FORGE_DAY };
	const struct forge *path[] = { lists[_i].cert, lists[_i].issuer };
	char file[64];
	const char *files = file;
	struct told t;

	write_crl(&o, file);
	w.rules.crl_files = &files;
	w.rules.n_crl_files = 1;
	set_policy();
	(void)unlink(file);
	ask_path(path, 2, &t);
	turn();
	ck_assert_msg(w.n == lists[_i].fetches, "%s", lists[_i].what);
	if (w.n > 0 && lists[_i].says == PKI_STATUS_UNUSABLE)
		http(0, 404, "", NULL, 0);
	else if (w.n > 0)
		answer(0, lists[_i].cert, lists[_i].issuer, lists[_i].says);
	expect(&t, lists[_i].want, lists[_i].want == PKI_OK);
	ck_assert_str_eq(t.r.source, lists[_i].source);
}
END_TEST

/* 44: what another engine kept. */
static struct gbuf
dump_of_one(enum pki_status s)
{
	struct gbuf out = { .max = 0 };
	struct told t;

	ask(&direct, &t);
	answer(0, &direct, &root, s);
	ck_assert(pki_rev_changed(w.rev));
	pki_rev_dump(w.rev, &out);
	ck_assert(!pki_rev_changed(w.rev));
	pki_rev_close(w.rev);
	open_engine();
	w.n = 0;
	return out;
}

START_TEST(what_was_kept_is_verified_again)
{
	struct gbuf kept = dump_of_one(PKI_STATUS_GOOD);
	struct err e = { 0 };
	struct told t;

	ck_assert_int_eq(pki_rev_load(w.rev, kept.data, kept.len, &e), ERR_OK);
	ask(&direct, &t);
	turn();
	expect(&t, PKI_OK, true);
	ck_assert(t.r.cached);
	ck_assert_str_eq(t.r.source, URL1);
	ck_assert_uint_eq(w.n, 0);
	gbuf_clear(&kept);
}
END_TEST

START_TEST(what_was_kept_serves_within_grace_only)
{
	struct gbuf kept = dump_of_one(PKI_STATUS_GOOD);
	struct err e = { 0 };
	struct told t;

	w.wall += FORGE_DAY + (_i == 0 ? 1000 : 2 * FORGE_DAY);
	w.mono = 5000;
	ck_assert_int_eq(pki_rev_load(w.rev, kept.data, kept.len, &e), ERR_OK);
	ask(&direct, &t);
	turn();
	ck_assert_uint_eq(w.n, 1);
	fail_fetch(0, ERR_LIMIT);
	expect(&t, _i == 0 ? PKI_OK : PKI_R_NO_STATUS, _i == 0);
	ck_assert_int_eq(t.r.stale, _i == 0);
	gbuf_clear(&kept);
}
END_TEST

START_TEST(a_tampered_file_says_nothing_good)
{
	struct gbuf kept = dump_of_one(PKI_STATUS_REVOKED);
	uint64_t state = unit_seed();
	struct told t;

	for (size_t i = 0; i < 400; i++) {
		size_t at = (size_t)(unit_random(&state) % kept.len);
		uint8_t was = kept.data[at];

		kept.data[at] ^= (uint8_t)(1U << (unit_random(&state) % 8));
		(void)pki_rev_load(w.rev, kept.data, kept.len, NULL);
		w.n = 0;
		ask(&direct, &t);
		turn();
		if (w.n > 0)
			fail_fetch(0, ERR_LIMIT);
		ck_assert_uint_eq(t.times, 1);
		ck_assert_msg(!t.r.allowed, "octet %zu", at);
		kept.data[at] = was;
		pki_rev_close(w.rev);
		open_engine();
	}
	for (size_t n = 0; n < kept.len; n++)
		(void)pki_rev_load(w.rev, kept.data, n, NULL);
	gbuf_clear(&kept);
}
END_TEST

START_TEST(the_least_used_go_first)
{
	const struct forge **certs = many(8);
	struct told t;
	struct pki_rev_stats s;

	pki_rev_close(w.rev);
	w.conf.max_cached = 4;
	open_engine();
	for (size_t i = 0; i < 5; i++) {
		ask(certs[i], &t);
		answer(w.n - 1, certs[i], &root, PKI_STATUS_GOOD);
		ask(certs[0], &t);
		turn();
		ck_assert(t.r.cached);
	}
	pki_rev_stats(w.rev, &s);
	ck_assert_uint_eq(s.cached, 4);
	ask(certs[1], &t); /* out */
	ck_assert_uint_eq(w.n, 6);
	answer(5, certs[1], &root, PKI_STATUS_GOOD);
}
END_TEST

START_TEST(peek_asks_nobody)
{
	struct pki_cert *v[] = { direct.cert, root.cert };
	struct pki_certs path = { v, 2, 2 };
	struct pki_rev_result r;
	struct told t;

	ck_assert(!pki_rev_peek(w.rev, &path, w.policy, &r));
	ck_assert_uint_eq(w.n, 0);
	ask(&direct, &t);
	answer(0, &direct, &root, PKI_STATUS_GOOD);
	ck_assert(pki_rev_peek(w.rev, &path, w.policy, &r));
	ck_assert(r.allowed && r.cached);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(all_who_ask_about_one_share_one_exchange, 0),
	UNIT_CASE(so_many_at_once_and_no_more, 0),
	UNIT_CASE(who_cancels_is_not_called_and_the_answer_is_kept, 0),
	UNIT_CASE(closing_calls_back_once_each, 0),
	UNIT_CASE(a_new_policy_leaves_running_checks_alone, 0),
	UNIT_CASE(the_cas_between_are_asked_about, 0),
	UNIT_CASE(a_ca_that_names_nobody, N_ELEMS(between)),
	UNIT_CASE(a_replayed_answer_does_not_count, 0),
	UNIT_CASE(lists_and_responders_together, N_ELEMS(lists)),
	UNIT_CASE(what_was_kept_is_verified_again, 0),
	UNIT_CASE(what_was_kept_serves_within_grace_only, 2),
	UNIT_CASE(a_tampered_file_says_nothing_good, 0),
	UNIT_CASE(the_least_used_go_first, 0),
	UNIT_CASE(peek_asks_nobody, 0),
};

int
main(void)
{
	return rev_world_run("revocation_many", cases, N_ELEMS(cases));
}
