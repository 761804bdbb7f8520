/* What the registry finds in the store at its start, and what it leaves there. */
#include <stdio.h>
#include <string.h>

#include "bsserver/registry/registry.h"
#include "tests/unit/unit.h"

#define ENDED "1 %d 1000 2000 60 11 65535 2 0 0\nU\n</1/0>"
#define ENDLESS "1 %d 1000 2000 0 12 0 0 1 1\nUT\n</1/0>,</3/0>"

/* %d: its location, a number of its own. */
static struct kept {
	const char *name, *text;
	char whole[128];
} kept[] = {
	{ "gone-first", ENDED, "" },
	{ "gone-next", ENDED, "" },
	{ "here", ENDLESS, "" },
	{ "torn", "1 9 1000 2000 60", "" },
	{ "odd", "1 9 1000 2000 60 13 65535 2 0 0\nU\n", "" },
	{ "wrong", "1 9 1000 2000 60 11 65535 2 0 0\nU\nno list", "" },
};

struct world {
	struct loop *loop;
	struct registry *r;
	char deleted[4][16];
	size_t n_deleted;
};

static void
note_list(struct store *s, enum store_note_kind kind, store_notes_fn *done, void *arg)
{
	struct store_note v[N_ELEMS(kept)];

	(void)s;
	for (size_t i = 0; i < N_ELEMS(kept); i++) {
		const char *d = strstr(kept[i].text, "%d");
		int head = d != NULL ? (int)(d - kept[i].text) : (int)strlen(kept[i].text);

		(void)snprintf(kept[i].whole, sizeof kept[i].whole, "%.*s", head, kept[i].text);
		if (d != NULL)
			(void)snprintf(kept[i].whole + head, sizeof kept[i].whole - (size_t)head, "%zu%s", i + 1, d + 2);
		v[i] = (struct store_note){ kind, kept[i].name, 0, kept[i].whole };
	}
	done(arg, ERR_OK, NULL, v, N_ELEMS(kept));
}

static void
note_put(struct store *s, const struct store_note *v, size_t n, store_done_fn *done, void *arg)
{
	struct world *w = (struct world *)s;
	struct err e;

	ck_assert_uint_eq(n, 1);
	ck_assert_ptr_null(v->text);
	ck_assert_uint_lt(w->n_deleted, N_ELEMS(w->deleted));
	(void)snprintf(w->deleted[w->n_deleted++], sizeof w->deleted[0], "%s", v->name);
	if (done != NULL)
		done(arg, err_set(&e, ERR_IO, "the disk is full"), &e);
}

static const struct store_ops ops = { .note_put = note_put, .note_list = note_list };

static void
world_open(struct world *w, size_t max)
{
	static const struct transport_listener l = { .scheme = TRANSPORT_COAP, .host = "127.0.0.1" };
	struct registry_conf c = { .listeners = &l, .n_listeners = 1, .max_devices = max, .awake_ms = 1000,
		.answer_ms = 1000, .ops = &ops, .store = (struct store *)w };
	struct err e = { 0 };

	*w = (struct world){ .n_deleted = 0 };
	ck_assert_int_eq(loop_new(&w->loop, &e), ERR_OK);
	c.loop = w->loop;
	ck_assert_msg(registry_open(&c, &w->r, &e) == ERR_OK, "%s", e.msg);
}

static void
world_close(struct world *w)
{
	registry_free(w->r);
	loop_free(w->loop);
}

START_TEST(what_can_be_read_is_taken_up_again_and_the_rest_left_out)
{
	struct world w;
	struct registry_stats s;

	world_open(&w, 10);
	registry_stats(w.r, &s);
	ck_assert_uint_eq(s.known, 3);
	ck_assert_uint_eq(s.registered, 1);
	const struct reg *g = registry_find(w.r, "here");
	ck_assert_ptr_nonnull(g);
	ck_assert_int_eq(g->registered_ms, 1000);
	ck_assert(g->secure && g->queue && g->version == 12 && g->lifetime == 0);
	ck_assert_int_eq(registry_way(w.r).registered_ms(w.r, "here"), 1000);
	ck_assert_int_eq(registry_way(w.r).registered_ms(w.r, "torn"), 0);
	ck_assert_int_eq(registry_way(w.r).reach(w.r, "here"), TRIGGER_ASLEEP);
	ck_assert_int_eq(registry_way(w.r).reach(w.r, "wrong"), TRIGGER_STRANGER);
	world_close(&w);
}
END_TEST

START_TEST(of_a_device_that_is_no_more_nothing_stays_in_the_store)
{
	struct world w;

	world_open(&w, 2); /* and so gone-first had to make room */
	ck_assert_ptr_null(registry_find(w.r, "gone-first"));
	registry_forget(w.r, "gone-first");
	registry_forget(w.r, "here");
	ck_assert_uint_eq(w.n_deleted, 2);
	ck_assert_str_eq(w.deleted[0], "gone-first");
	ck_assert_str_eq(w.deleted[1], "here");
	ck_assert_ptr_null(registry_find(w.r, "here"));
	world_close(&w);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_can_be_read_is_taken_up_again_and_the_rest_left_out, 0),
	UNIT_CASE(of_a_device_that_is_no_more_nothing_stays_in_the_store, 0),
};

UNIT_SUITE_MAIN("registry_kept", cases)
