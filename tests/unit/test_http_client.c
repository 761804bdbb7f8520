/* HTTP from the loop, against a server that does what no server should. */
#include "bsserver/loop/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "tests/unit/fault_server.h"
#include "tests/unit/unit.h"

#define MAX_BODY 1000

static struct loop *loop;
static struct http_client *client;
static struct fault_server *server;
static unsigned port;

static char big[100000];

static void
answer(void *arg, const char *path, const uint8_t *body, size_t n, struct fault_reply *r)
{
	struct gbuf *g = &r->bytes;

	(void)arg;
	if (strcmp(path, "/echo") == 0)
		fault_http(g, 200, "Text/Plain; charset=x", body, n);
	else if (strcmp(path, "/404") == 0)
		fault_http(g, 404, NULL, "no", 2);
	else if (strcmp(path, "/redirect") == 0)
		gbuf_printf(g,
		    "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:%u/echo\r\nContent-Length: "
		    "0\r\n\r\n",
		    port);
	else if (strcmp(path, "/large") == 0)
		fault_http(g, 200, "a/b", big, sizeof big);
	else if (strcmp(path, "/endless") == 0) {
		gbuf_str(g, "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n");
		r->repeat_from = g->len;
		gbuf_str(g, "10\r\n0123456789abcdef\r\n");
		r->repeat = 1000000;
	} else if (strcmp(path, "/endless-head") == 0) {
		gbuf_str(g, "HTTP/1.1 200 x\r\n");
		r->repeat_from = g->len;
		gbuf_str(g, "X-Header: 0123456789012345678901234567890123456789\r\n");
		r->repeat = 1000000;
	} else if (strcmp(path, "/drip") == 0) {
		fault_http(g, 200, "a/b", big, MAX_BODY);
		r->drip_ms = 20;
	} else if (strcmp(path, "/short") == 0)
		gbuf_str(g, "HTTP/1.1 200 x\r\nContent-Length: 50\r\n\r\nabc"),
		    r->repeat = 1, r->repeat_from = g->len;
	else if (strcmp(path, "/garbage") == 0)
		gbuf_str(g, "\x16\x03\x01 what is this\r\n\r\n"), r->repeat = 1,
		                                                  r->repeat_from = g->len;
	else if (strcmp(path, "/slow") == 0) {
		fault_http(g, 200, "a/b", "ok", 2);
		r->delay_ms = 100;
	}
	r->hang = strcmp(path, "/hang") == 0;
	r->reset = strcmp(path, "/reset") == 0;
}

static void
setup(void)
{
	struct err e;

	(void)setenv("http_proxy", "http://127.0.0.1:1/", 1);
	port = 0;
	server = fault_server_new(answer, NULL, &port);
	ck_assert_int_eq(loop_new(&loop, &e), ERR_OK);
	ck_assert_int_eq(http_client_new(loop, &client, &e), ERR_OK);
}

static void
teardown(void)
{
	http_client_free(client);
	loop_free(loop);
	fault_server_free(server);
}

struct got {
	unsigned times;
	enum err_code error;
	long status;
	char type[64], body[64];
	size_t len;
	bool inside;
};

static void
on_done(void *arg, const struct http_answer *a)
{
	struct got *g = arg;

	ck_assert(!g->inside);
	g->times++;
	g->error = a->error;
	g->status = a->status;
	g->len = a->body_len;
	(void)snprintf(g->type, sizeof g->type, "%s", a->type);
	(void)snprintf(g->body, sizeof g->body, "%.*s", (int)MIN(a->body_len, (size_t)60),
	    a->body == NULL ? "" : (const char *)a->body);
	if (a->error != ERR_OK)
		ck_assert_uint_gt(strlen(a->detail), 0);
}

static struct http_call *
post(const char *url, uint32_t timeout_ms, struct got *g)
{
	struct http_post p = { .url = url,
		.content_type = "a/b",
		.body = "hello",
		.body_len = 5,
		.connect_ms = timeout_ms,
		.timeout_ms = timeout_ms,
		.max_body = MAX_BODY };
	struct http_call *call = NULL;
	struct err e;

	*g = (struct got){ .inside = true };
	ck_assert_int_eq(http_client_send(client, &p, on_done, g, &call, &e), ERR_OK);
	g->inside = false;
	return call;
}

static struct http_call *
post_path(const char *path, uint32_t timeout_ms, struct got *g)
{
	char url[128];

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, path);
	return post(url, timeout_ms, g);
}

static void
wait_for(const struct got *g)
{
	uint64_t until = clock_mono_ms() + 30000;

	while (g->times == 0 && clock_mono_ms() < until)
		loop_turn(loop, 100);
	ck_assert_uint_eq(g->times, 1);
}

static const struct {
	const char *path;
	enum err_code error;
	long status;
	const char *type, *body;
	uint32_t timeout_ms;
} rows[] = {
	{ "/echo", ERR_OK, 200, "text/plain", "hello", 20000 },
	{ "/404", ERR_OK, 404, "", "no", 20000 },
	{ "/redirect", ERR_OK, 302, "", "", 20000 },
	{ "/slow", ERR_OK, 200, "a/b", "ok", 20000 },
	{ "/large", ERR_LIMIT, 200, NULL, NULL, 20000 },
	{ "/endless", ERR_LIMIT, 200, NULL, NULL, 20000 },
	{ "/endless-head", ERR_LIMIT, 200, NULL, NULL, 20000 },
	{ "/short", ERR_CLOSED, 200, NULL, NULL, 20000 },
	{ "/garbage", ERR_CLOSED, 0, NULL, NULL, 20000 },
	{ "/reset", ERR_CLOSED, 0, NULL, NULL, 20000 },
	{ "/hang", ERR_TIMEOUT, 0, NULL, NULL, 300 },
	{ "/drip", ERR_TIMEOUT, 0, NULL, NULL, 300 },
};

START_TEST(each_answer_and_each_fault)
{
	struct got g;

	post_path(rows[_i].path, rows[_i].timeout_ms, &g);
	wait_for(&g);
	ck_assert_msg(g.error == rows[_i].error, "%s: %s", rows[_i].path, err_name(g.error));
	if (rows[_i].error == ERR_OK) {
		ck_assert_int_eq(g.status, rows[_i].status);
		ck_assert_str_eq(g.type, rows[_i].type);
		ck_assert_str_eq(g.body, rows[_i].body);
	}
	ck_assert_uint_le(g.len, MAX_BODY);
	ck_assert_uint_eq(fault_server_requests(server), 1);
}
END_TEST

static const struct {
	const char *url;
	enum err_code error;
} nowhere[] = {
	{ "http://127.0.0.1:1/", ERR_UNREACHABLE },
	{ "http://no-such-host.invalid/", ERR_UNREACHABLE },
	{ "https://127.0.0.1:1/", ERR_CLOSED },
	{ "file:///etc/hostname", ERR_CLOSED },
};

START_TEST(nobody_there)
{
	struct got g;

	post(nowhere[_i].url, 5000, &g);
	wait_for(&g);
	/* where no name server answers either, the time limit ends it */
	ck_assert_msg(g.error == nowhere[_i].error || (_i == 1 && g.error == ERR_TIMEOUT), "%s: %s",
	    nowhere[_i].url, err_name(g.error));
}
END_TEST

START_TEST(many_at_once)
{
	static struct got g[200];

	for (size_t i = 0; i < N_ELEMS(g); i++)
		post_path("/slow", 30000, &g[i]);
	for (size_t i = 0; i < N_ELEMS(g); i++) {
		wait_for(&g[i]);
		ck_assert_int_eq(g[i].error, ERR_OK);
	}
}
END_TEST

START_TEST(who_cancels_is_not_called)
{
	struct got hang, slow;
	struct http_call *call = post_path("/hang", 30000, &hang);

	post_path("/slow", 30000, &slow);
	loop_turn(loop, 20);
	http_call_cancel(call);
	wait_for(&slow);
	ck_assert_uint_eq(hang.times, 0);
	post_path("/hang", 30000, &hang); /* ended by the client's end */
	loop_turn(loop, 20);
}
END_TEST

struct chain {
	struct got second;
	struct http_call *other;
	unsigned times;
};

static void
begin_and_cancel(void *arg, const struct http_answer *a)
{
	struct chain *c = arg;

	ck_assert_int_eq(a->error, ERR_OK);
	c->times++;
	http_call_cancel(c->other);
	post_path("/echo", 30000, &c->second);
}

START_TEST(a_callback_may_begin_and_cancel)
{
	char url[64];
	struct http_post p = { .url = url,
		.content_type = "a/b",
		.body = "x",
		.body_len = 1,
		.connect_ms = 30000,
		.timeout_ms = 30000,
		.max_body = MAX_BODY };
	struct chain c = { .times = 0 };
	struct got other;
	struct err e;

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/echo", port);
	c.other = post_path("/hang", 30000, &other);
	ck_assert_int_eq(http_client_send(client, &p, begin_and_cancel, &c, NULL, &e), ERR_OK);
	wait_for(&c.second);
	ck_assert_uint_eq(c.times, 1);
	ck_assert_uint_eq(other.times, 0);
	ck_assert_str_eq(c.second.body, "hello");
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_answer_and_each_fault, N_ELEMS(rows)),
	UNIT_CASE(nobody_there, N_ELEMS(nowhere)),
	UNIT_CASE(many_at_once, 0),
	UNIT_CASE(who_cancels_is_not_called, 0),
	UNIT_CASE(a_callback_may_begin_and_cancel, 0),
};

int
main(void)
{
	memset(big, 'x', sizeof big);
	return unit_run(unit_suite_with("http_client", cases, N_ELEMS(cases), setup, teardown));
}
