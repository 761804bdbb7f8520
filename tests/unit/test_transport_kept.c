/* Sessions that are kept without a peer, and what an answer says of a new resource. */
#include <string.h>

#include "tests/unit/transport_world.h"
#include "tests/unit/unit.h"

static const struct client_psk psk = { .identity = "dev", .identity_len = 3, .key = KEY };

static const struct {
	int listener;
	const struct client_psk *psk;
} kinds[] = { { COAP4, NULL }, { COAPS4, &psk }, { COAP6, NULL } };

/* A device has asked for something: w->last is its peer. */
static void
world_knocked(struct world *w, struct client *c, int row)
{
	world_open(w);
	must_open(w, c, kinds[row].listener, 0, kinds[row].psk);
	ck_assert(c->tls == NULL || shake(w, c, WAIT_MS));
	knock(w, c, 7, "tok");
}

/* The same, its session is kept and its peer gone: the handle. */
static uint64_t
world_kept(struct world *w, struct client *c, int row)
{
	world_knocked(w, c, row);
	uint64_t kept = transport_keep(w->t, w->last.peer);
	ck_assert_uint_ne(kept, 0);
	transport_release(w->t, w->last.peer, false);
	must_be_silent(w, c, 100);
	return kept;
}

static uint64_t
peers_now(const struct world *w)
{
	struct transport_stats s;

	transport_stats(w->t, &s);
	return s.peers;
}

static uint64_t
kept_now(const struct world *w)
{
	struct transport_stats s;

	transport_stats(w->t, &s);
	return s.kept;
}

START_TEST(a_kept_session_is_asked_long_after_its_peer_went)
{
	struct world w;
	struct client c;
	struct msg m;
	uint64_t kept = world_kept(&w, &c, _i);

	ck_assert_uint_eq(peers_now(&w), 0);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t peer = transport_use(w.t, kept);

		ck_assert_uint_ne(peer, 0);
		ask(&w, peer, TRANSPORT_POST, "/1/0/9", NULL, 0, WAIT_MS);
		must_get(&w, &c, &m);
		ck_assert_str_eq(m.path, "1/0/9");
		reply_to(&c, &m, CHANGED);
		turn_until(&w, &w.n_answers, i + 1, WAIT_MS);
		ck_assert_int_eq(w.answers[i].code, CHANGED);
		transport_release(w.t, peer, false);
		must_be_silent(&w, &c, 20);
	}
	transport_unkeep(w.t, kept);
	ck_assert_uint_eq(transport_use(w.t, kept), 0);
	ck_assert_uint_eq(kept_now(&w), 0);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(a_session_kept_twice_goes_with_the_second)
{
	struct world w;
	struct client c;

	world_knocked(&w, &c, _i);
	uint64_t one = transport_keep(w.t, w.last.peer), two = transport_keep(w.t, w.last.peer);
	ck_assert_uint_eq(one, two);
	transport_release(w.t, w.last.peer, false);
	must_be_silent(&w, &c, 20);
	transport_unkeep(w.t, one);
	uint64_t peer = transport_use(w.t, two);
	ck_assert_uint_ne(peer, 0);
	transport_unkeep(w.t, two); /* its peer is still there */
	transport_release(w.t, peer, false);
	must_be_silent(&w, &c, 20);
	ck_assert_uint_eq(peers_now(&w), 0);
	ck_assert_uint_eq(transport_keep(w.t, peer), 0);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

/* The device ends its session: told once, and then the handle is of no use. */
START_TEST(a_kept_session_that_the_device_ends_is_told_of)
{
	struct world w;
	struct client c;
	bool with_peer = _i == 1;

	world_knocked(&w, &c, 1); /* the row of DTLS */
	uint64_t kept = transport_keep(w.t, w.last.peer);
	if (!with_peer)
		transport_release(w.t, w.last.peer, false);
	must_be_silent(&w, &c, 20);
	client_close(&c, false);
	turn_until(&w, &w.n_kept_gone, 1, WAIT_MS);
	ck_assert_uint_eq(w.n_kept_gone, 1);
	ck_assert_uint_eq(w.n_gone, with_peer);
	ck_assert_uint_eq(transport_use(w.t, kept), 0);
	transport_unkeep(w.t, kept);
	ck_assert_uint_eq(kept_now(&w), 0);
	world_close(&w);
}
END_TEST

/* A device that did not answer in time is asked again, and heard when it comes by itself. */
START_TEST(a_kept_session_outlives_a_request_without_answer)
{
	struct world w;
	struct client c;
	struct msg m;
	uint64_t kept = world_kept(&w, &c, _i);

	uint64_t peer = transport_use(w.t, kept);
	ask(&w, peer, TRANSPORT_POST, "/1/0/9", NULL, 0, 100);
	must_get(&w, &c, &m);
	turn_until(&w, &w.n_answers, 1, WAIT_MS);
	ck_assert_int_eq(w.answers[0].outcome, TRANSPORT_NO_ANSWER);
	transport_release(w.t, peer, true);
	must_be_silent(&w, &c, 20);
	knock(&w, &c, 8, "kot");
	transport_release(w.t, w.last.peer, false);
	must_be_silent(&w, &c, 20);
	peer = transport_use(w.t, kept);
	ck_assert_uint_ne(peer, 0);
	ask(&w, peer, TRANSPORT_POST, "/1/0/9", NULL, 0, 5 * WAIT_MS);
	while (w.n_answers < 2) { /* over DTLS the first may come once more before */
		ck_assert(wait_msg(&w, &c, &m, WAIT_MS));
		reply_to(&c, &m, CHANGED);
		for (int i = 0; i < 50 && w.n_answers < 2; i++)
			loop_turn(w.loop, 2);
	}
	ck_assert_int_eq(w.answers[1].code, CHANGED);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

START_TEST(created_comes_with_its_location_also_when_it_is_repeated)
{
	static const uint8_t location[] = { 0x82, 'r', 'd', 0x03, '5', 'a', '1' };
	struct world w;
	struct client c;
	struct msg m = post_bs(7, "tok");

	world_open(&w);
	must_open(&w, &c, COAP4, 0, NULL);
	w.code = COAP_CODE(2, 1);
	w.text = "rd/5a1";
	for (int i = 0; i < 2; i++) {
		struct msg again = post_bs(7, "tok");

		ck_assert(client_send(&c, &again));
		must_get(&w, &c, &m);
		ck_assert_int_eq(m.code, COAP_CODE(2, 1));
		ck_assert_uint_eq(m.payload_len, 0);
		ck_assert_ptr_nonnull(memmem(m.octets, sizeof m.octets, location, sizeof location));
	}
	ck_assert_uint_eq(w.n_requests, 1);
	client_close(&c, true);
	world_close(&w);
}
END_TEST

/* What is kept at the end goes with the rest; a sanitizer would tell of what did not. */
START_TEST(closing_ends_what_is_kept)
{
	struct world w;
	struct client c;

	(void)world_kept(&w, &c, _i);
	world_close(&w);
	client_close(&c, true);
}
END_TEST

static Suite *
suite(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(a_kept_session_is_asked_long_after_its_peer_went, N_ELEMS(kinds)),
		UNIT_CASE(a_session_kept_twice_goes_with_the_second, N_ELEMS(kinds)),
		UNIT_CASE(a_kept_session_that_the_device_ends_is_told_of, 2),
		UNIT_CASE(a_kept_session_outlives_a_request_without_answer, N_ELEMS(kinds)),
		UNIT_CASE(created_comes_with_its_location_also_when_it_is_repeated, 0),
		UNIT_CASE(closing_ends_what_is_kept, N_ELEMS(kinds)),
	};

	return unit_suite("transport_kept", cases, N_ELEMS(cases));
}

UNIT_MAIN(suite)
