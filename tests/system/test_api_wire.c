/* The socket itself: who may what, bounds, half requests, events, coming and going. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/system/api_world.h"
#include "tests/unit/unit.h"

/* ---- who may what ---- */

#define NOBODY 65534

START_TEST(others_need_a_grant)
{
	char user[] = "nobody", words[] = "read enroll";
	struct conf_grant grant = { .user = user, .permissions = words };
	struct api_conf conf = { .grants = &grant, .n_grants = 1 };
	struct world w;
	struct reply r;

	if (geteuid() != 0)
		return; /* only root can be somebody else */
	world_open(&w, NULL);
	world_ask_as(&w, NOBODY, NOBODY, "GET", "/v1/version", NULL, &r);
	ck_assert_int_eq(r.status, 403);
	ck_assert_ptr_nonnull(strstr(
	    at(&r, "detail"), "may not do this: it takes the permission read (api.permissions)"));
	reply_clear(&r);
	world_close(&w);
	world_open(&w, &conf);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	world_ask_as(&w, NOBODY, NOBODY, "GET", "/v1/version", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	reply_clear(&r);
	world_ask_as(&w, NOBODY, NOBODY, "GET", "/v1/audit", NULL, &r);
	ck_assert_int_eq(r.status, 403);
	reply_clear(&r);
	world_ask_as(&w, NOBODY, NOBODY, "DELETE", "/v1/devices/a", NULL, &r);
	ck_assert_int_eq(r.status, 403);
	reply_clear(&r);
	/* enroll adds, and changes nothing that is there */
	world_ask_as(&w, NOBODY, NOBODY, "POST", "/v1/apply",
	    "[" ROW(DEVICE("n", KEY("0b"))) "," ROW(DEVICE("a", KEY("0c"))) "," ROW(SHARED) "]",
	    &r);
	expect_row(&r, 0, "created", NULL);
	expect_row(&r, 1, "error", "a is there already, and uid 65534 (nobody) may not change it");
	expect_row(&r, 2, "error", "may not change profiles");
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(who_may_only_look_may_not_try_keys_out)
{
	char user[] = "nobody", words[] = "read";
	struct conf_grant grant = { .user = user, .permissions = words };
	struct api_conf conf = { .grants = &grant, .n_grants = 1 };
	struct world w;
	struct reply r;

	if (geteuid() != 0)
		return;
	world_open(&w, &conf);
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	world_ask_as(&w, NOBODY, NOBODY, "POST", "/v1/plan", DEVICE("a", KEY("01")), &r);
	ck_assert_int_eq(r.status, 403);
	ck_assert_str_eq(at(&r, "detail"),
	    "uid 65534 (nobody) may not bring keys: it takes the permission enroll");
	reply_clear(&r);
	world_ask_as(&w, NOBODY, NOBODY, "POST", "/v1/diff",
	    "[" ROW(DEVICE("a", KEY("01"))) "," ROW(SHARED) "]", &r);
	expect_row(&r, 0, "error", "may not bring keys");
	expect_row(&r, 1, "unchanged", NULL);
	ck_assert_ptr_null(strstr(r.body, "fingerprint"));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* ---- bounds ---- */

START_TEST(a_body_too_long_is_refused)
{
	struct api_conf conf = { .max_body = 1000 };
	struct world w;
	struct reply r;
	char body[3000];

	memset(body, ' ', sizeof body);
	body[sizeof body - 1] = 0;
	world_open(&w, &conf);
	ask(&w, "POST", "/v1/apply", body, &r);
	ck_assert_int_eq(r.status, 413);
	ck_assert_str_eq(at(&r, "detail"), "the body is longer than 1000 octets");
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(draining_changes_nothing_more)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	api_drain(w.api);
	ask(&w, "POST", "/v1/apply", ROW(SHARED), &r);
	ck_assert_int_eq(r.status, 503);
	ck_assert(json_is_true(node(&r, "retryable")));
	reply_clear(&r);
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert(json_is_true(node(&r, "draining")));
	reply_clear(&r);
	world_restart_api(&w);
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert(json_is_false(node(&r, "draining")));
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(half_requests_time_out)
{
	static const char *const halves[] = {
		"",
		"GET /v1/ver",
		"GET /v1/version HTTP/1.1\r\nHost: x\r\n",
		"POST /v1/apply HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
	};
	struct api_conf conf = { .idle_seconds = 1 };
	struct world w;
	int fds[N_ELEMS(halves)];

	world_open(&w, &conf);
	for (size_t i = 0; i < N_ELEMS(halves); i++) {
		fds[i] = world_connect(&w);
		world_send(fds[i], halves[i]);
	}
	for (size_t i = 0; i < N_ELEMS(halves); i++) {
		struct gbuf got = { 0 };

		ck_assert(!world_read_until(&w, fds[i], &got, NULL));
		ck_assert_ptr_null(strstr(gbuf_cstr(&got), "200 OK"));
		gbuf_clear(&got);
		(void)close(fds[i]);
	}
	world_close(&w);
}
END_TEST

START_TEST(what_is_no_http_is_hung_up_on)
{
	static const char *const texts[] = { "\r\n\r\n\r\n", "hello\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"GET /v1/version HTTP/1.1\r\nContent-Length: -5\r\n\r\n" };
	struct api_conf conf = { .idle_seconds = 1 };
	struct world w;
	struct reply r;

	world_open(&w, &conf);
	for (size_t i = 0; i < N_ELEMS(texts); i++) {
		struct gbuf got = { 0 };
		int fd = world_connect(&w);

		world_send(fd, texts[i]);
		(void)world_read_until(&w, fd, &got, NULL);
		ck_assert_ptr_null(strstr(gbuf_cstr(&got), "200 OK"));
		gbuf_clear(&got);
		(void)close(fd);
	}
	ask(&w, "GET", "/v1/version", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(headers_without_end_are_refused)
{
	struct world w;
	struct gbuf got = { 0 };
	int fd;

	world_open(&w, NULL);
	fd = world_connect(&w);
	world_send(fd, "GET /v1/version HTTP/1.1\r\nHost: x\r\nX-Long: ");
	for (unsigned i = 0; i < 60; i++) {
		char part[1001];

		memset(part, 'a', 1000);
		part[1000] = 0;
		if (send(fd, part, 1000, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
			break;
		loop_turn(w.loop, 1);
	}
	(void)world_read_until(&w, fd, &got, NULL);
	ck_assert_ptr_null(strstr(gbuf_cstr(&got), "200 OK"));
	gbuf_clear(&got);
	(void)close(fd);
	world_close(&w);
}
END_TEST

/* ---- events ---- */

static int
listen_to(struct world *w, const char *header, struct gbuf *got)
{
	int fd = world_connect(w);

	world_send(fd, "GET /v1/events HTTP/1.1\r\nHost: x\r\n");
	world_send(fd, header);
	world_send(fd, "\r\n");
	ck_assert(world_read_until(w, fd, got, "\r\n\r\n"));
	return fd;
}

START_TEST(events_tell_changes_and_sessions)
{
	struct world w;
	struct gbuf got = { 0 };
	struct reply r;
	int fd;

	world_open(&w, NULL);
	fd = listen_to(&w, "", &got);
	ck_assert_ptr_nonnull(strstr(gbuf_cstr(&got), "Content-Type: text/event-stream\r\n"));
	apply(&w, ROW(SHARED) ROW(DEVICE("a", KEY("01"))));
	ck_assert(world_read_until(&w, fd, &got,
	    "event: profile\ndata: {\"profile\":\"meter\",\"change\":\"changed\",\"seq\":1}\n\n"));
	ck_assert(world_read_until(&w, fd, &got,
	    "event: device\ndata: {\"endpoint\":\"a\",\"change\":\"changed\",\"seq\":2}\n\n"));
	world_knock(&w, "a", "nobody", "192.0.2.2:1000");
	ck_assert(world_read_until(&w, fd, &got, "\"reason\":\"identity_mismatch\""));
	ask(&w, "POST", "/v1/devices/a/state", "{\"state\":\"blocked\"}", &r);
	reply_clear(&r);
	ck_assert(world_read_until(&w, fd, &got, "\"change\":\"blocked\""));
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert_int_eq(num(&r, "event_listeners"), 1);
	reply_clear(&r);
	ck_assert_ptr_null(strstr(gbuf_cstr(&got), KEY("01")));
	(void)close(fd);
	gbuf_clear(&got);
	world_close(&w);
}
END_TEST

static unsigned long long
last_id(const struct gbuf *got)
{
	const char *s = gbuf_cstr(got), *last = NULL;

	while ((s = strstr(s, "id: ")) != NULL)
		last = s = s + 4;
	ck_assert_ptr_nonnull(last);
	return strtoull(last, NULL, 10);
}

START_TEST(a_listener_that_comes_back_misses_nothing)
{
	struct world w;
	struct gbuf got = { 0 }, again = { 0 };
	char header[64];
	int fd;

	world_open(&w, NULL);
	fd = listen_to(&w, "", &got);
	apply(&w, ROW(SHARED));
	ck_assert(world_read_until(&w, fd, &got, "\"seq\":1}"));
	(void)close(fd);
	apply(&w, ROW(DEVICE("a", KEY("01"))));
	(void)snprintf(header, sizeof header, "Last-Event-ID: %llu\r\n", last_id(&got));
	fd = listen_to(&w, header, &again);
	ck_assert(world_read_until(&w, fd, &again, "\"endpoint\":\"a\""));
	ck_assert_ptr_null(strstr(gbuf_cstr(&again), "event: gap"));
	ck_assert_ptr_null(strstr(gbuf_cstr(&again), "\"meter\""));
	(void)close(fd);
	gbuf_clear(&again);
	/* one that is older than anything kept */
	fd = listen_to(&w, "Last-Event-ID: 5\r\n", &again);
	ck_assert(world_read_until(&w, fd, &again, "event: gap\n"));
	(void)close(fd);
	gbuf_clear(&again);
	fd = listen_to(&w, "Last-Event-ID: five\r\n", &again);
	ck_assert_ptr_nonnull(strstr(gbuf_cstr(&again), "400 Bad Request"));
	(void)close(fd);
	gbuf_clear(&again);
	gbuf_clear(&got);
	world_close(&w);
}
END_TEST

START_TEST(silence_has_signs_of_life)
{
	struct api_conf conf = { .heartbeat_ms = 30 };
	struct world w;
	struct gbuf got = { 0 };
	int fd;

	world_open(&w, &conf);
	fd = listen_to(&w, "", &got);
	ck_assert(world_read_until(&w, fd, &got, ": still here\n\n"));
	(void)close(fd);
	gbuf_clear(&got);
	world_close(&w);
}
END_TEST

START_TEST(a_listener_too_slow_is_told_and_let_go)
{
	struct store_feed f = { .kind = STORE_FEED_DEVICE };
	struct world w;
	struct gbuf got = { .max = 64 << 20 };
	char name[1001];
	int fd;

	world_open(&w, NULL);
	memset(name, 'n', 1000);
	name[1000] = 0;
	f.name = name;
	fd = listen_to(&w, "", &got);
	for (unsigned i = 0; i < 6000; i++) { /* 4096 are remembered, a few hundred fit into the socket */
		f.seq = i;
		api_feed(w.api, &f);
		if (i % 100 == 0)
			loop_turn(w.loop, 0);
	}
	ck_assert(world_read_until(&w, fd, &got, "event: dropped\n"));
	ck_assert(!world_read_until(&w, fd, &got, NULL));
	(void)close(fd);
	gbuf_clear(&got);
	world_close(&w);
}
END_TEST

/* ---- coming and going ---- */

START_TEST(closing_lets_go_of_who_waits)
{
	struct world w;
	struct gbuf got = { 0 };
	int fds[3];

	world_open(&w, NULL);
	fds[0] = listen_to(&w, "", &got);
	for (unsigned i = 1; i < 3; i++) {
		fds[i] = world_connect(&w);
		world_send(fds[i], "GET /v1/devices HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	for (unsigned i = 0; i < 4; i++)
		loop_turn(
		    w.loop, 0); /* the store is asked, and has not answered yet, or just has */
	world_close(&w);
	for (unsigned i = 0; i < 3; i++)
		(void)close(fds[i]);
	gbuf_clear(&got);
}
END_TEST

/* Closed after each of the first turns of an apply, whatever it is at. */
START_TEST(closing_in_the_middle_of_an_apply)
{
	static const char body[] =
	    ROW(SHARED) ROW(DEVICE("a", KEY("01"))) ROW(DEVICE("b", KEY("02")));
	struct gbuf text = { 0 };
	struct world w;
	int fd;

	world_open(&w, NULL);
	gbuf_printf(&text,
	    "POST /v1/apply HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    sizeof body - 1, body);
	fd = world_connect(&w);
	world_send(fd, gbuf_cstr(&text));
	for (int i = 0; i < _i; i++)
		loop_turn(w.loop, 1);
	world_close(&w);
	(void)close(fd);
	gbuf_clear(&text);
}
END_TEST

START_TEST(who_hangs_up_in_the_middle_harms_nobody)
{
	struct world w;
	struct reply r;

	world_open(&w, NULL);
	for (unsigned i = 0; i < 50; i++) {
		int fd = world_connect(&w);

		world_send(fd,
		    "POST /v1/apply HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
		    "Content-Length: 2\r\n\r\n[]");
		for (unsigned k = 0; k < i % 7; k++)
			loop_turn(w.loop, 0);
		(void)close(fd);
	}
	ask(&w, "GET", "/v1/status", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

START_TEST(the_socket_is_as_it_was_asked_for)
{
	struct api_conf conf = { .mode = 0640, .group = "root" };
	struct world w;
	struct api *second = NULL;
	struct err e;
	struct stat st;

	world_open(&w, &conf);
	ck_assert_int_eq(stat(w.socket, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(api_open(&w.conf, &second, &e), ERR_EXISTS);
	ck_assert_ptr_nonnull(strstr(e.msg, "somebody answers there already"));
	world_close(&w);
	ck_assert_int_eq(stat(w.socket, &st), -1);
}
END_TEST

static const struct {
	const char *group, *permissions, *msg;
} conf_rows[] = {
	{ "no-such-group", NULL, "api: api.group: no group no-such-group on this machine" },
	{ NULL, "reed",
	    "api: api.permissions: root: no permission is called reed; did you mean read?" },
};

START_TEST(a_wrong_configuration_does_not_open)
{
	char user[] = "root", words[16];
	struct conf_grant grant = { .user = user, .permissions = words };
	struct world w;
	struct api *a = NULL;
	struct api_conf conf;
	struct err e;
	char other[100];

	world_open(&w, NULL);
	conf = w.conf;
	(void)snprintf(other, sizeof other, "%s/other.sock", w.dir);
	conf.socket = other;
	conf.group = conf_rows[_i].group;
	if (conf_rows[_i].permissions != NULL) {
		(void)snprintf(words, sizeof words, "%s", conf_rows[_i].permissions);
		conf.grants = &grant;
		conf.n_grants = 1;
	}
	ck_assert_int_eq(api_open(&conf, &a, &e), ERR_INVALID);
	ck_assert_str_eq(e.msg, conf_rows[_i].msg);
	world_close(&w);
}
END_TEST

START_TEST(a_socket_left_behind_is_replaced)
{
	struct world w;
	struct reply r;
	char kept[100];

	world_open(&w, NULL);
	(void)snprintf(kept, sizeof kept, "%s.kept", w.socket);
	ck_assert_int_eq(rename(w.socket, kept), 0); /* so that closing does not remove it */
	api_close(w.api);
	w.api = NULL;
	ck_assert_int_eq(rename(kept, w.socket), 0);
	ck_assert_int_eq(api_open(&w.conf, &w.api, NULL), ERR_OK);
	ask(&w, "GET", "/v1/version", NULL, &r);
	ck_assert_int_eq(r.status, 200);
	reply_clear(&r);
	world_close(&w);
}
END_TEST

/* clang-format off */
static const struct unit_case cases[] = {
	UNIT_CASE(others_need_a_grant, 0),
	UNIT_CASE(who_may_only_look_may_not_try_keys_out, 0),
	UNIT_CASE(a_body_too_long_is_refused, 0),
	UNIT_CASE(draining_changes_nothing_more, 0),
	UNIT_CASE(half_requests_time_out, 0),
	UNIT_CASE(what_is_no_http_is_hung_up_on, 0),
	UNIT_CASE(headers_without_end_are_refused, 0),
	UNIT_CASE(events_tell_changes_and_sessions, 0),
	UNIT_CASE(a_listener_that_comes_back_misses_nothing, 0),
	UNIT_CASE(silence_has_signs_of_life, 0),
	UNIT_CASE(a_listener_too_slow_is_told_and_let_go, 0),
	UNIT_CASE(closing_lets_go_of_who_waits, 0),
	UNIT_CASE(closing_in_the_middle_of_an_apply, 24),
	UNIT_CASE(who_hangs_up_in_the_middle_harms_nobody, 0),
	UNIT_CASE(the_socket_is_as_it_was_asked_for, 0),
	UNIT_CASE(a_wrong_configuration_does_not_open, N_ELEMS(conf_rows)),
	UNIT_CASE(a_socket_left_behind_is_replaced, 0),
};
/* clang-format on */

UNIT_SUITE_MAIN("api_wire", cases)
