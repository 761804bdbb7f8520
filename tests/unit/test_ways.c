/* Which way a device is called back, against a registry and a store of our own and LwM2M Servers over HTTP. */
#include "bsserver/registry/ways.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "tests/unit/fault_server.h"
#include "tests/unit/unit.h"

#define PATIENCE_MS 60000
#define MANY 40
#define AT_ONCE 16
#define NOW "{\"status\":\"CHANGED(204)\"}"
#define ABSENT "No registered client with id 'd'"

struct world {
	struct loop *loop;
	struct handoff *handoff;
	struct ways *ways;
	struct fault_server *server;
	struct lwm2m_model *model;
	enum trigger_reach reach;
	const char *rows; /* of the store, "eu us-" : names of servers, - behind those that the device is leaving */
	const char *links, *values;
	/* of the servers */
	const char *eu, *us; /* "STATUS BODY" */
	bool reset;
	unsigned delay_ms;
	atomic_uint at_once, most_at_once;
	char asked[200];
	/* what was told */
	unsigned n_told, by_registry;
	struct trigger_answer told;
	char via[16], said[200];
	enum trigger_reach found;
};

/* ---- the registry, and the store ---- */

static enum trigger_reach
reach(void *arg, const char *endpoint)
{
	(void)endpoint;
	return ((const struct world *)arg)->reach;
}

static int64_t
registered_ms(void *arg, const char *endpoint)
{
	(void)arg;
	(void)endpoint;
	return 77;
}

static void
execute(void *arg, const char *endpoint, uint64_t tag, trigger_answer_fn *fn, void *fn_arg)
{
	(void)endpoint;
	((struct world *)arg)->by_registry++;
	fn(fn_arg, tag, &(struct trigger_answer){ .result = TRIGGER_ANSWERED, .code = 0x44 });
}

static void
handoff_list(struct store *s, const struct store_handoff_page *p, store_handoffs_fn *done, void *arg)
{
	const struct world *w = (const struct world *)s;
	struct store_handoff v[4] = { 0 };
	char names[4][16];
	size_t n = 0;

	ck_assert(!p->secrets);
	if (w->rows == NULL) {
		struct err e;
		done(arg, err_set(&e, ERR_IO, "the disk is gone"), &e, NULL, 0, false);
		return;
	}
	for (const char *at = w->rows; sscanf(at, " %15s", names[n]) == 1; n++) {
		bool leaving = names[n][strlen(names[n]) - 1] == '-';

		at += strspn(at, " ") + strlen(names[n]);
		names[n][strlen(names[n]) - leaving] = 0;
		v[n] = (struct store_handoff){ .endpoint = (char *)(uintptr_t)p->endpoint, .target = names[n],
			.server = (char *)(uintptr_t)"dm", .short_server_id = 7,
			.state = leaving ? STORE_HANDOFF_LEAVING : STORE_HANDOFF_SETTLED };
	}
	done(arg, ERR_OK, NULL, v, n, false);
}

static void
device_look(struct store *s, const char *endpoint, store_device_fn *done, void *arg)
{
	const struct world *w = (const struct world *)s;
	struct store_device d = { .endpoint = (char *)(uintptr_t)endpoint };

	d.held.links = (char *)(uintptr_t)w->links;
	d.held.values = (char *)(uintptr_t)w->values;
	done(arg, ERR_OK, NULL, &d, NULL, 0);
}

static const struct store_ops ops = { .handoff_list = handoff_list, .device_look = device_look };

/* ---- LwM2M Servers ---- */

/* In a thread of the server. */
static void
serve(void *arg, const char *path, const uint8_t *body, size_t n, struct fault_reply *out)
{
	struct world *w = arg;
	const char *answer = strncmp(path, "/us/", 4) == 0 ? w->us : w->eu;
	unsigned now = atomic_fetch_add(&w->at_once, 1) + 1, most = atomic_load(&w->most_at_once);

	(void)body;
	(void)n;
	while (now > most && !atomic_compare_exchange_weak(&w->most_at_once, &most, now))
		continue;
	if (w->delay_ms == 0) /* one after the other */
		(void)snprintf(w->asked + strlen(w->asked), sizeof w->asked - strlen(w->asked), "%s ", path);
	out->reset = w->reset;
	if (w->delay_ms > 0)
		(void)usleep(w->delay_ms * 1000);
	fault_http(&out->bytes, (int)strtol(answer, NULL, 10), "application/json", answer + 4, strlen(answer + 4));
	(void)atomic_fetch_sub(&w->at_once, 1);
}

static char *
text(const char *s)
{
	return str_dup_n(s, strlen(s));
}

static void
open_servers(struct world *w)
{
	const struct handoff_conf c = { .loop = w->loop, .ops = &ops, .store = (struct store *)w };
	struct handoff_server v[3] = { { .name = text("eu"), .driver = &handoff_leshan, .timeout_ms = 10000 },
		{ .name = text("us"), .driver = &handoff_leshan, .timeout_ms = 10000 },
		{ .name = text("mute"), .driver = &handoff_exec, .timeout_ms = 10000 } };
	char url[64];
	unsigned port;
	struct err e = { 0 };

	w->server = fault_server_new(serve, w, &port);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, i == 0 ? "" : "/us");
		v[i].url = text(url);
	}
	ck_assert_msg(handoff_open(&c, v, 3, &w->handoff, &e) == ERR_OK, "%s", e.msg);
}

static struct world *
world_new(bool servers)
{
	struct world *w = calloc(1, sizeof *w);
	struct err e = { 0 };

	ck_assert_ptr_nonnull(w);
	w->eu = w->us = "200 " NOW;
	w->links = "</1/3>;ssid=7,</1/4>;ssid=8";
	ck_assert_int_eq(loop_new(&w->loop, NULL), ERR_OK);
	w->model = lwm2m_model_new();
	ck_assert_ptr_nonnull(w->model);
	if (servers)
		open_servers(w);
	const struct ways_conf c = { .ops = &ops, .store = (struct store *)w, .handoff = w->handoff, .model = w->model,
		.registry = { .arg = w, .reach = reach, .registered_ms = registered_ms, .execute = execute } };
	ck_assert_int_eq(ways_open(&c, &w->ways, &e), ERR_OK);
	return w;
}

static void
world_free(struct world *w)
{
	ways_close(w->ways);
	if (w->handoff != NULL)
		handoff_stop(w->handoff);
	loop_flush(w->loop);
	ways_free(w->ways);
	loop_free(w->loop);
	handoff_free(w->handoff);
	fault_server_free(w->server);
	lwm2m_model_free(w->model);
	free(w);
}

static void
on_told(void *arg, uint64_t tag, const struct trigger_answer *a)
{
	struct world *w = arg;

	ck_assert_uint_lt(tag, MANY);
	w->n_told++;
	w->told = *a;
	(void)snprintf(w->via, sizeof w->via, "%s", a->via == NULL ? "" : a->via);
	(void)snprintf(w->said, sizeof w->said, "%s", a->said == NULL ? "" : a->said);
}

static void
turn_until(struct world *w, unsigned told)
{
	uint64_t end = clock_mono_ms() + PATIENCE_MS;

	while (w->n_told < told && clock_mono_ms() < end)
		loop_turn(w->loop, 10);
	ck_assert_uint_eq(w->n_told, told);
}

static void
on_found(void *arg, enum trigger_reach r, const char *via)
{
	struct world *w = arg;

	w->n_told++;
	w->found = r;
	(void)snprintf(w->via, sizeof w->via, "%s", via == NULL ? "" : via);
}

/* ---- tests ---- */

#define PATH "/api/clients/d/1/3/9?timeout=10 "

static const struct {
	enum trigger_reach here;
	const char *rows, *eu, *us;
	enum trigger_reach reach, found;
	enum trigger_result result;
	const char *via, *said, *asked;
} choices[] = {
	/* registered here: nobody else is asked */
	{ TRIGGER_AWAKE, "eu", NULL, NULL, TRIGGER_AWAKE, TRIGGER_AWAKE, TRIGGER_ANSWERED, "", "", "" },
	{ TRIGGER_ASLEEP, "eu", NULL, NULL, TRIGGER_ASLEEP, TRIGGER_ASLEEP, TRIGGER_ANSWERED, "", "", "" },
	/* not now, or never */
	{ TRIGGER_AWAY, "eu", "200 " NOW, NULL, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_ANSWERED, "eu", "", PATH },
	{ TRIGGER_STRANGER, "eu", "200 " NOW, NULL, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_ANSWERED, "eu", "", PATH },
	/* nobody was told of it, or nobody who can */
	{ TRIGGER_STRANGER, "", NULL, NULL, TRIGGER_PERHAPS, TRIGGER_STRANGER, TRIGGER_UNKNOWN, "", "", "" },
	{ TRIGGER_AWAY, "", NULL, NULL, TRIGGER_PERHAPS, TRIGGER_AWAY, TRIGGER_GONE, "", "", "" },
	{ TRIGGER_STRANGER, "mute nowhere eu-", NULL, NULL, TRIGGER_PERHAPS, TRIGGER_STRANGER, TRIGGER_UNKNOWN, "", "", "" },
	{ TRIGGER_STRANGER, "mute us", NULL, "200 " NOW, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_ANSWERED, "us", "", "/us" PATH },
	/* where it is registered is found out */
	{ TRIGGER_STRANGER, "eu us", "400 " ABSENT, "200 " NOW, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_ANSWERED, "us", "",
	    PATH "/us" PATH },
	{ TRIGGER_STRANGER, "eu us", "400 " ABSENT, "400 " ABSENT, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_AGAIN, "us",
	    "it is not registered there", PATH "/us" PATH },
	{ TRIGGER_STRANGER, "eu us", "504 ", NULL, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_NO_ANSWER, "eu",
	    "it did not answer there", PATH },
	/* what it says */
	{ TRIGGER_STRANGER, "eu", "200 {\"delayed\":true}", NULL, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_IN_LINE, "eu",
	    "it sleeps, and is told when it wakes", PATH },
	{ TRIGGER_STRANGER, "eu", "401 no", NULL, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_FORBIDDEN, "eu", "HTTP 401: no", PATH },
	{ TRIGGER_STRANGER, "eu", "503 ", NULL, TRIGGER_PERHAPS, TRIGGER_PERHAPS, TRIGGER_NOBODY, "eu", "HTTP 503", PATH },
	{ TRIGGER_STRANGER, NULL, NULL, NULL, TRIGGER_PERHAPS, TRIGGER_STRANGER, TRIGGER_NOBODY, "", "the disk is gone", "" },
};

START_TEST(the_registry_is_asked_first_and_then_the_server_where_the_device_is)
{
	struct world *w = world_new(true);
	const struct trigger_way way = ways_way(w->ways);

	w->reach = choices[_i].here;
	w->rows = choices[_i].rows;
	w->eu = choices[_i].eu;
	w->us = choices[_i].us;
	ck_assert_int_eq(way.reach(way.arg, "d"), choices[_i].reach);
	way.find(way.arg, "d", on_found, w);
	turn_until(w, 1);
	ck_assert_int_eq(w->found, choices[_i].found);
	ck_assert_uint_eq(fault_server_requests(w->server), 0);
	way.execute(way.arg, "d", 3, on_told, w);
	turn_until(w, 2);
	ck_assert_int_eq(w->told.result, choices[_i].result);
	ck_assert_str_eq(w->via, choices[_i].via);
	ck_assert_str_eq(w->said, choices[_i].said);
	ck_assert_str_eq(w->asked, choices[_i].asked);
	ck_assert_int_eq(way.registered_ms(way.arg, "d"), 77);
	world_free(w);
}
END_TEST

START_TEST(without_servers_the_registry_is_the_only_way)
{
	static const enum trigger_reach reaches[] = { TRIGGER_STRANGER, TRIGGER_AWAY, TRIGGER_ASLEEP, TRIGGER_AWAKE };
	struct world *w = world_new(false);
	const struct trigger_way way = ways_way(w->ways);

	for (size_t i = 0; i < N_ELEMS(reaches); i++) {
		w->reach = reaches[i];
		ck_assert_int_eq(way.reach(way.arg, "d"), reaches[i]);
	}
	way.execute(way.arg, "d", 1, on_told, w);
	ck_assert_uint_eq(w->by_registry, 1);
	world_free(w);
}
END_TEST

static const struct {
	const char *links, *values;
	int instance;
} inventories[] = {
	{ "</0/1>;ssid=7,</1/3>;ssid=7,</1/4>;ssid=8", NULL, 3 },
	{ NULL, "[{\"bn\":\"/1/5/0\",\"v\":7},{\"n\":\"\",\"bn\":\"/1/6/0\",\"v\":8}]", 5 },
	{ "</1/3>", "[{\"bn\":\"/1/3/1\",\"v\":7}]", HANDOFF_INSTANCE_UNKNOWN },
	{ "</1/3>;ssid=8", NULL, HANDOFF_INSTANCE_UNKNOWN },
	{ "nonsense", "nonsense", HANDOFF_INSTANCE_UNKNOWN },
	{ NULL, NULL, HANDOFF_INSTANCE_UNKNOWN },
};

START_TEST(the_instance_of_the_account_is_read_from_what_the_device_showed)
{
	const struct store_held h = { .links = (char *)(uintptr_t)inventories[_i].links,
		.values = (char *)(uintptr_t)inventories[_i].values };
	struct lwm2m_model *m = lwm2m_model_new();

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(ways_instance(m, &h, 7), inventories[_i].instance);
	lwm2m_model_free(m);
}
END_TEST

static void
execute_many(struct world *w)
{
	const struct trigger_way way = ways_way(w->ways);

	w->rows = "eu";
	for (uint64_t i = 0; i < MANY; i++)
		way.execute(way.arg, "d", i, on_told, w);
}

START_TEST(a_fleet_is_asked_a_few_at_once_and_every_device_is_told_of)
{
	struct world *w = world_new(true);
	struct handoff_stats s;

	w->delay_ms = 20;
	execute_many(w);
	turn_until(w, MANY);
	ck_assert_int_eq(w->told.result, TRIGGER_ANSWERED);
	ck_assert_uint_le(atomic_load(&w->most_at_once), AT_ONCE);
	ck_assert_uint_eq(fault_server_requests(w->server), MANY);
	handoff_stats(w->handoff, &s);
	ck_assert_uint_eq(s.triggers, MANY);
	world_free(w);
}
END_TEST

START_TEST(who_waits_in_line_does_not_wait_for_a_server_that_is_away)
{
	struct world *w = world_new(true);

	w->delay_ms = 1;
	w->reset = true;
	execute_many(w);
	turn_until(w, MANY);
	ck_assert_int_eq(w->told.result, TRIGGER_NOBODY);
	ck_assert_uint_le(fault_server_requests(w->server), AT_ONCE);
	world_free(w);
}
END_TEST

/* With some under way and others in line. */
START_TEST(nothing_is_told_after_the_end)
{
	struct world *w = world_new(true);

	w->delay_ms = 200;
	execute_many(w);
	loop_turn(w->loop, 10);
	world_free(w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(the_registry_is_asked_first_and_then_the_server_where_the_device_is, N_ELEMS(choices)),
	UNIT_CASE(without_servers_the_registry_is_the_only_way, 0),
	UNIT_CASE(the_instance_of_the_account_is_read_from_what_the_device_showed, N_ELEMS(inventories)),
	UNIT_CASE(a_fleet_is_asked_a_few_at_once_and_every_device_is_told_of, 0),
	UNIT_CASE(who_waits_in_line_does_not_wait_for_a_server_that_is_away, 0),
	UNIT_CASE(nothing_is_told_after_the_end, 0),
};

UNIT_SUITE_MAIN("ways", cases)
