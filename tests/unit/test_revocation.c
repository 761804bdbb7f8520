/*
 * What responders say and do, and what becomes of it. The numbers in comments are lines of
 * tests/data/ocsp-matrix.txt.
 */
#include <string.h>

#include "tests/unit/rev_world.h"

START_TEST(a_good_answer_lets_in_and_is_kept) /* 1, 40 */
{
	struct told t, again;

	ask(&direct, &t);
	ck_assert_uint_eq(t.times, 0);
	ck_assert_str_eq(w.f[0].url, URL1);
	answer(0, &direct, &root, PKI_STATUS_GOOD);
	expect(&t, PKI_OK, true);
	ck_assert(!t.r.cached);
	ck_assert_str_eq(t.r.source, URL1);
	ask(&direct, &again);
	ck_assert_uint_eq(again.times, 0);
	turn();
	expect(&again, PKI_OK, true);
	ck_assert(again.r.cached);
	ck_assert_uint_eq(w.n, 1);
	later(3599);
	ask(&direct, &again);
	turn();
	expect(&again, PKI_OK, true);
	ck_assert_int_eq(again.r.age_s, 3599);
	later(1);
	ask(&direct, &again);
	turn();
	ck_assert_uint_eq(again.times, 0);
	ck_assert_uint_eq(w.n, 2);
	answer(1, &direct, &root, PKI_STATUS_GOOD);
	expect(&again, PKI_OK, true);
}
END_TEST

START_TEST(revoked_after_its_time_to_live) /* 3, 43 */
{
	struct told t;

	ask(&direct, &t);
	answer(0, &direct, &root, PKI_STATUS_GOOD);
	later(3601);
	ask(&direct, &t);
	answer(1, &direct, &root, PKI_STATUS_REVOKED);
	expect(&t, PKI_R_REVOKED, false);
	ck_assert_int_eq(t.r.revoked_at, w.wall - 3600);
	later(10000);
	ask(&direct, &t);
	turn();
	expect(&t, PKI_R_REVOKED, false);
	ck_assert(t.r.cached);
}
END_TEST

static const enum pki_rev_mode modes[] = { PKI_REV_HARD, PKI_REV_SOFT };

START_TEST(unknown_is_refused_in_both_modes) /* 4 */
{
	struct told t;

	w.rules.mode = modes[_i];
	set_policy();
	ask(&direct, &t);
	answer(0, &direct, &root, PKI_STATUS_UNKNOWN);
	expect(&t, PKI_R_STATUS_UNKNOWN, false);
	ck_assert_uint_eq(w.n, 1);
}
END_TEST

START_TEST(off_asks_nobody)
{
	struct told t;

	w.rules.mode = PKI_REV_OFF;
	set_policy();
	ask(&direct, &t);
	turn();
	expect(&t, PKI_OK, true);
	ck_assert_uint_eq(w.n, 0);
}
END_TEST

/* What a responder does, and whether it is asked once more. */
static const struct {
	int line;
	const char *what;
	enum err_code rc;
	long http;
	const char *type;
	int ocsp_status; /* -1: the body below */
	const char *body;
	bool again;
	const char *detail;
} faults[] = {
	{ 26, "tryLater", ERR_OK, 200, OCSP_TYPE, 3, NULL, true, "tryLater" },
	{ 26, "internalError", ERR_OK, 200, OCSP_TYPE, 2, NULL, true, "internalError" },
	{ 27, "unauthorized", ERR_OK, 200, OCSP_TYPE, 6, NULL, false, "unauthorized" },
	{ 29, "500", ERR_OK, 500, "text/html", -1, "no", true, "HTTP 500" },
	{ 29, "503", ERR_OK, 503, "text/html", -1, "no", true, "HTTP 503" },
	{ 29, "404", ERR_OK, 404, "text/html", -1, "no", false, "HTTP 404" },
	{ 30, "redirect", ERR_OK, 302, "text/html", -1, "no", false, "HTTP 302" },
	{ 31, "HTML", ERR_OK, 200, "text/html", -1, "<html>", false, "text/html" },
	{ 31, "other type, right body", ERR_OK, 200, "text/plain", 0, NULL, false, "text/plain" },
	{ 32, "empty", ERR_OK, 200, OCSP_TYPE, -1, "", false, "not an OCSP response" },
	{ 32, "garbage", ERR_OK, 200, OCSP_TYPE, -1, "\x30\x03xyz", false, "not an OCSP response" },
	{ 33, "too large", ERR_LIMIT, 0, "", -1, "", false, "refused" },
	{ 34, "timed out", ERR_TIMEOUT, 0, "", -1, "", true, "refused" },
	{ 35, "refused", ERR_UNREACHABLE, 0, "", -1, "", true, "refused" },
	{ 35, "reset", ERR_CLOSED, 0, "", -1, "", true, "refused" },
};

static void
do_fault(size_t fetch, int row)
{
	struct forge_ocsp o = forge_answer(&direct, &root, &root, PKI_STATUS_GOOD, w.wall);
	struct gbuf der = { .max = 0 };

	if (faults[row].rc != ERR_OK) {
		fail_fetch(fetch, faults[row].rc);
		return;
	}
	o.response_status = faults[row].ocsp_status;
	if (faults[row].ocsp_status >= 0)
		forge_ocsp(&o, &der);
	else
		gbuf_str(&der, faults[row].body);
	http(fetch, faults[row].http, faults[row].type, der.data, der.len);
	gbuf_clear(&der);
}

START_TEST(a_responder_that_fails_is_asked_again_or_not)
{
	struct told t, u;

	ask(&direct, &t);
	do_fault(0, _i);
	pass(300);
	ck_assert_msg(
	    w.n == (faults[_i].again ? 2 : 1), "%d %s: %zu", faults[_i].line, faults[_i].what, w.n);
	if (faults[_i].again)
		do_fault(1, _i);
	pass(10000);
	expect(&t, PKI_R_NO_STATUS, false);
	ck_assert_msg(strstr(t.r.detail, faults[_i].detail) != NULL, "%s", t.r.detail);
	ck_assert_str_eq(t.r.source, URL1);
	/* for a while nobody asks it again, and soft mode lets in */
	size_t had = w.n;
	w.rules.mode = PKI_REV_SOFT;
	set_policy();
	ask(&direct, &u);
	turn();
	expect(&u, PKI_R_NO_STATUS, true);
	ck_assert(u.r.soft);
	ck_assert_uint_eq(w.n, had);
	later(46);
	ask(&direct, &u);
	turn();
	ck_assert_uint_eq(w.n, had + 1);
	answer(had, &direct, &root, PKI_STATUS_GOOD);
	expect(&u, PKI_OK, true);
	ck_assert(!u.r.soft);
}
END_TEST

START_TEST(it_may_answer_the_second_time)
{
	struct told t;

	ask(&direct, &t);
	fail_fetch(0, ERR_UNREACHABLE);
	pass(249);
	ck_assert_uint_eq(w.n, 1);
	pass(1);
	ck_assert_uint_eq(w.n, 2);
	answer(1, &direct, &root, PKI_STATUS_GOOD);
	expect(&t, PKI_OK, true);
}
END_TEST

START_TEST(the_second_responder_is_asked) /* 36 */
{
	struct told t;

	ask(&two_urls, &t);
	fail_fetch(0, ERR_UNREACHABLE);
	ck_assert_str_eq(flying(1)->url, URL2);
	answer(1, &two_urls, &root, PKI_STATUS_GOOD);
	expect(&t, PKI_OK, true);
	ck_assert_str_eq(t.r.source, URL2);
}
END_TEST

START_TEST(a_hanging_responder_ends_at_the_deadline) /* 34 */
{
	struct told t;

	ask(&direct, &t);
	pass(9999);
	ck_assert_uint_eq(t.times, 0);
	pass(1);
	expect(&t, PKI_R_NO_STATUS, false);
	ck_assert_uint_eq(t.r.elapsed_ms, 10000);
	ck_assert_uint_eq(w.aborted, 1);
}
END_TEST

static const struct {
	int line;
	const char *what;
	const struct forge *cert, *issuer;
	const char *allow; /* hosts */
	const char *url;
	bool no_source, want;
	size_t fetches;
	const char *detail;
} sources[] = {
	{ 37, "other schemes", &other_schemes, &root, NULL, NULL, false, false, 0, "only http" },
	{ 37, "other schemes, no source allowed", &other_schemes, &root, NULL, NULL, true, false, 0,
	    "only http" },
	{ 37, "the one that is http", &mixed, &root, NULL, NULL, false, true, 1, NULL },
	{ 38, "off the list", &direct, &root, "two.example", NULL, false, false, 0, "one.example" },
	{ 38, "on the list", &direct, &root, "*.example", NULL, false, true, 1, NULL },
	{ 39, "none", &plain, &plain_ca, NULL, NULL, false, false, 0, "no OCSP responder" },
	{ 39, "none, allowed", &plain, &plain_ca, NULL, NULL, true, true, 0, "no OCSP responder" },
	{ 39, "the policy's own", &plain, &plain_ca, NULL, URL2, false, true, 1, NULL },
};

START_TEST(only_who_may_be_asked_is_asked)
{
	const struct forge *path[] = { sources[_i].cert, sources[_i].issuer };
	struct told t;

	w.rules.allow_hosts = &sources[_i].allow;
	w.rules.n_allow_hosts = sources[_i].allow != NULL;
	w.rules.allow_no_source = sources[_i].no_source;
	w.rules.responder_url = sources[_i].url;
	set_policy();
	ask_path(path, 2, &t);
	turn();
	ck_assert_msg(w.n == sources[_i].fetches, "%d %s", sources[_i].line, sources[_i].what);
	if (w.n > 0)
		answer(0, sources[_i].cert, sources[_i].issuer, PKI_STATUS_GOOD);
	ck_assert_uint_eq(t.times, 1);
	ck_assert_msg(t.r.allowed == sources[_i].want, "%s: %s", sources[_i].what, t.r.detail);
	if (sources[_i].detail != NULL)
		ck_assert_msg(strstr(t.r.detail, sources[_i].detail) != NULL, "%s", t.r.detail);
	ck_assert_int_eq(t.r.no_source, sources[_i].want && w.n == 0);
}
END_TEST

/* 41, 42: seconds after nextUpdate (a quarter more until nobody answers), and whether the old answer still serves. */
static const struct {
	int64_t after;
	bool want;
} graces[] = { { 1000, true }, { 86000, true }, { 86399, true }, { 86400, false }, { 86401, false }, { 200000, false } };

START_TEST(a_stale_answer_serves_within_grace)
{
	struct told t;
	struct pki_rev_stats s;

	ask(&direct, &t);
	answer(0, &direct, &root, PKI_STATUS_GOOD);
	later(FORGE_DAY + graces[_i].after);
	ask(&direct, &t);
	fail_fetch(1, ERR_UNREACHABLE);
	pass(250);
	fail_fetch(2, ERR_UNREACHABLE);
	expect(&t, graces[_i].want ? PKI_OK : PKI_R_NO_STATUS, graces[_i].want);
	ck_assert_int_eq(t.r.stale, graces[_i].want);
	ck_assert_int_eq(t.r.last_age_s > 0, !graces[_i].want);
	pki_rev_stats(w.rev, &s);
	ck_assert_uint_eq(s.stale, graces[_i].want);
}
END_TEST

/* Seconds of grace, seconds after the answer came, whether it still serves, and as one that has run out. */
static const struct {
	int64_t grace;
	int64_t after;
	bool want, stale;
} last_seconds[] = { { 0, 3601, true, false }, { 0, FORGE_DAY - 1, true, false }, { 0, FORGE_DAY, false, false },
	{ 1, FORGE_DAY, true, true }, { 0, FORGE_DAY + 1, false, false } };

/* By the wall an answer runs out up to a second early, as seconds begin. */
START_TEST(without_grace_an_answer_that_has_run_out_serves_nobody)
{
	struct told t;

	w.rules.stale_grace_s = last_seconds[_i].grace;
	set_policy();
	ask(&direct, &t);
	answer(0, &direct, &root, PKI_STATUS_GOOD);
	pass((uint64_t)last_seconds[_i].after * 1000 - 500);
	w.wall += last_seconds[_i].after;
	ask(&direct, &t);
	fail_fetch(1, ERR_UNREACHABLE);
	pass(250);
	fail_fetch(2, ERR_UNREACHABLE);
	expect(&t, last_seconds[_i].want ? PKI_OK : PKI_R_NO_STATUS, last_seconds[_i].want);
	ck_assert_int_eq(t.r.stale, last_seconds[_i].stale);
}
END_TEST

/* Nothing that a responder leaves unsaid takes a revocation back: not in time, nor where the rules are soft. */
START_TEST(a_revoked_one_stays_revoked_until_somebody_says_otherwise)
{
	struct told t;

	w.rules.mode = modes[_i];
	set_policy();
	ask(&direct, &t);
	answer(0, &direct, &root, PKI_STATUS_REVOKED);
	later(3 * FORGE_DAY);
	ask(&direct, &t);
	fail_fetch(1, ERR_UNREACHABLE);
	pass(250);
	fail_fetch(2, ERR_UNREACHABLE);
	expect(&t, PKI_R_REVOKED, false);
	ck_assert(t.r.stale && !t.r.soft);
	later(60);
	ask(&direct, &t);
	answer(3, &direct, &root, PKI_STATUS_GOOD);
	expect(&t, PKI_OK, true);
}
END_TEST

START_TEST(no_answer_serves_longer_than_its_certificate)
{
	static struct forge brief;
	struct told t;

	forge_make(&brief, &(struct forge_opts){ .cn = "brief",
	                       .issuer = &root,
	                       .ocsp = { URL1 },
	                       .not_after = NOW + FORGE_DAY + 500 });
	ask(&brief, &t);
	answer(0, &brief, &root, PKI_STATUS_GOOD);
	later(FORGE_DAY + 600);
	ask(&brief, &t);
	fail_fetch(1, ERR_LIMIT);
	expect(&t, PKI_R_NO_STATUS, false);
	forge_clear(&brief);
}
END_TEST

START_TEST(a_clock_that_goes_back_keeps_nothing_alive) /* 56 */
{
	struct told t;

	ask(&direct, &t);
	answer(0, &direct, &root, PKI_STATUS_GOOD);
	pass(3600 * 1000);
	w.wall -= 3600; /* and an hour has passed */
	ask(&direct, &t);
	turn();
	ck_assert_uint_eq(w.n, 2);
	answer_with(1, forge_answer(&direct, &root, &root, PKI_STATUS_GOOD, w.wall));
	expect(&t, PKI_OK, true);
	w.wall += 2 * FORGE_DAY; /* forward counts too */
	ask(&direct, &t);
	turn();
	ck_assert_uint_eq(w.n, 3);
	answer(2, &direct, &root, PKI_STATUS_GOOD);
}
END_TEST

static const struct {
	const char *url, *host;
	enum err_code rc;
} urls[] = {
	{ "http://a.example", "a.example", ERR_OK },
	{ "HTTP://A.Example:80/x?y=1", "a.example", ERR_OK },
	{ "http://[::1]:8080/", "::1", ERR_OK },
	{ "http://127.0.0.1/", "127.0.0.1", ERR_OK },
	{ "https://a.example/", NULL, ERR_UNSUPPORTED },
	{ "file:///etc/passwd", NULL, ERR_UNSUPPORTED },
	{ "gopher://a/", NULL, ERR_UNSUPPORTED },
	{ "", NULL, ERR_UNSUPPORTED },
	{ "http://", NULL, ERR_INVALID },
	{ "http:///x", NULL, ERR_INVALID },
	{ "http://u@a.example/", NULL, ERR_INVALID },
	{ "http://a.example@b.example/", NULL, ERR_INVALID },
	{ "http://a.example\\@b.example/", NULL, ERR_INVALID },
	{ "http://a.example#@b.example/", NULL, ERR_INVALID },
	{ "http://a.example:x/", NULL, ERR_INVALID },
	{ "http://a.example:0/", NULL, ERR_INVALID },
	{ "http://a.example:65536/", NULL, ERR_INVALID },
	{ "http://a b/", NULL, ERR_INVALID },
	{ "http://a\r\nHost: b/", NULL, ERR_INVALID },
	{ "http://[::1/", NULL, ERR_INVALID },
	{ "http://-a/", NULL, ERR_INVALID },
	{ "http://a%2eb/", NULL, ERR_INVALID },
};

START_TEST(urls_are_read_in_one_way)
{
	char host[PKI_HOST_MAX];
	struct pki_blob url = { (const uint8_t *)urls[_i].url, strlen(urls[_i].url) };
	enum err_code rc = pki_url_check(url, host, NULL);

	ck_assert_msg(rc == urls[_i].rc, "%s: %s", urls[_i].url, err_name(rc));
	if (rc == ERR_OK)
		ck_assert_str_eq(host, urls[_i].host);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_good_answer_lets_in_and_is_kept, 0),
	UNIT_CASE(revoked_after_its_time_to_live, 0),
	UNIT_CASE(unknown_is_refused_in_both_modes, N_ELEMS(modes)),
	UNIT_CASE(off_asks_nobody, 0),
	UNIT_CASE(a_responder_that_fails_is_asked_again_or_not, N_ELEMS(faults)),
	UNIT_CASE(it_may_answer_the_second_time, 0),
	UNIT_CASE(the_second_responder_is_asked, 0),
	UNIT_CASE(a_hanging_responder_ends_at_the_deadline, 0),
	UNIT_CASE(only_who_may_be_asked_is_asked, N_ELEMS(sources)),
	UNIT_CASE(a_stale_answer_serves_within_grace, N_ELEMS(graces)),
	UNIT_CASE(without_grace_an_answer_that_has_run_out_serves_nobody, N_ELEMS(last_seconds)),
	UNIT_CASE(a_revoked_one_stays_revoked_until_somebody_says_otherwise, N_ELEMS(modes)),
	UNIT_CASE(no_answer_serves_longer_than_its_certificate, 0),
	UNIT_CASE(a_clock_that_goes_back_keeps_nothing_alive, 0),
	UNIT_CASE(urls_are_read_in_one_way, N_ELEMS(urls)),
};

int
main(void)
{
	return rev_world_run("revocation", cases, N_ELEMS(cases));
}
