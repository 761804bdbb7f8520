/* What is told of a device from memory is what the file says, whatever was written, in whatever order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/store/sqlite_db.h"
#include "bsserver/store/sqlite_hot.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

#define DEVICES 4
#define STEPS 1500

static const struct store_ops *const ops = &store_sqlite;
static const struct store_actor actor = { "tester", NULL };
static struct fx f;
static uint64_t state; /* of the random numbers */
static uint64_t next_id;

static uint64_t
draw(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/* ---- what a look told ---- */

static bool count_good;

struct look {
	bool answered, there, compiled;
	char text[1024];
};

static const char *
or_dash(const char *s)
{
	return s == NULL ? "-" : s;
}

/* All that the one who looks goes by. */
static void
tell(const struct store_device *d, char *out, size_t n)
{
	const struct store_held *h = &d->held;

	(void)snprintf(out, n,
	    "%s r%llu s%d c%lld u%lld k=%s last=%llu %d %d %lld f%d conf%llu fail%u good%u compiled=%s | held %llu-%llu at%lld %lld..%lld"
	    " %d %d r%llu %s %s %s %s %s %s read%u like%llx wrote=%s | wishes %llu %llu restore %llu",
	    d->endpoint, (unsigned long long)d->revision, (int)d->state, (long long)d->created_ms, (long long)d->updated_ms,
	    or_dash(d->compiled_key), (unsigned long long)d->last_session, (int)d->last_verdict, (int)d->last_reason,
	    (long long)d->last_ended_ms, d->remembered_format, (unsigned long long)d->confirmed_revision, d->failures,
	    count_good ? d->recent_good : 0, d->compiled.len == 0 ? "-" : (const char *)d->compiled.data, (unsigned long long)h->session,
	    (unsigned long long)h->last_session, (long long)h->at_ms, (long long)h->started_ms, (long long)h->last_ms,
	    (int)h->good, (int)h->restored, (unsigned long long)h->revision, or_dash(h->profile), or_dash(h->fingerprints),
	    or_dash(h->expiries), or_dash(h->links), or_dash(h->values), or_dash(h->placed), h->read, (unsigned long long)h->likeness,
	    h->wrote.len == 0 ? "-" : (const char *)h->wrote.data,
	    (unsigned long long)d->wishes[STORE_WISH_ROLLBACK].number,
	    (unsigned long long)d->wishes[STORE_WISH_HANDOVER].number, (unsigned long long)d->restore.session);
}

static void
on_look(void *arg, enum err_code rc, const struct err *e, struct store_device *d, struct store_credential *creds, size_t n)
{
	struct look *l = arg;

	(void)creds;
	(void)e;
	ck_assert(!l->answered);
	l->answered = true;
	l->there = rc == ERR_OK;
	if (!l->there) {
		ck_assert_int_eq(rc, ERR_NOT_FOUND);
		return;
	}
	l->compiled = d->compiled.len > 0;
	ck_assert(l->compiled || d->doc != NULL);
	ck_assert(l->compiled || n == 1);
	tell(d, l->text, sizeof l->text);
}

static void
ck_same(const char *endpoint, const struct look *l)
{
	char text[1024];

	ck_assert_int_eq(fx_get(&f, endpoint), l->there ? ERR_OK : ERR_NOT_FOUND);
	if (!l->there)
		return;
	tell(&f.device, text, sizeof text);
	ck_assert_msg(strcmp(text, l->text) == 0, "looked up:\n%s\nin the file:\n%s", l->text, text);
	/* what came to nothing is the newest of what is kept, or it is gone */
	ck_assert_int_eq(fx_held_list(&f, endpoint), ERR_OK);
	const char *mark = strchr(gbuf_cstr(&f.names), '!'), *blank = strchr(gbuf_cstr(&f.names), ' ');
	ck_assert_msg(mark == NULL || blank == NULL || mark < blank, "%s", gbuf_cstr(&f.names));
}

static void
look(const char *endpoint, struct look *l)
{
	*l = (struct look){ 0 };
	ops->device_look(f.store, endpoint, on_look, l);
	ck_assert(!l->answered);
}

static void
look_now(const char *endpoint)
{
	struct look l;

	look(endpoint, &l);
	for (int i = 0; i < 3000 && !l.answered; i++)
		loop_turn(f.loop, 10);
	ck_assert(l.answered);
	ck_same(endpoint, &l);
}

/* ---- what is written ---- */

static void
on_written(void *arg, enum err_code rc, const struct err *e)
{
	ck_assert_msg(rc == ERR_OK || rc == ERR_EXISTS, "%s: %s", err_name(rc), e->msg);
	--*(int *)arg;
}

static int pending;

/* Mostly the same, so that sessions in a row leave the same. */
static unsigned
mostly(unsigned usual, unsigned below)
{
	return draw(10) > 0 ? usual : (unsigned)draw(below);
}

static void
put_session(char *endpoint)
{
	static const enum bs_verdict verdicts[] = { BS_VERDICT_PROVISIONED, BS_VERDICT_PROVISIONED, BS_VERDICT_WRITTEN,
		BS_VERDICT_FAILED, BS_VERDICT_CANCELLED, BS_VERDICT_REFUSED };
	static const char *const texts[] = { NULL, "a", "b" }, *const keys[] = { "compiled-1", "other", "" };
	char profile[] = "base", fingerprints[] = "dm=00";
	struct bs_record r = { .endpoint = endpoint, .verdict = verdicts[draw(N_ELEMS(verdicts))],
		.used_format = (int)draw(3) - 1, .revision = mostly(1, 3), .profile = mostly(1, 2) > 0 ? profile : NULL,
		.fingerprints = mostly(1, 2) > 0 ? fingerprints : NULL };
	struct secret wrote = fx_secret(keys[mostly(0, N_ELEMS(keys))]);
	struct store_outcome o = { .links = texts[mostly(1, 3)], .values = texts[mostly(1, 3)], .placed = texts[mostly(1, 3)],
		.read = mostly(2, 3), .likeness = mostly(1, 2), .expiries = texts[mostly(1, 3)], .findings = "[]",
		.restored = mostly(0, 2) > 0, .wrote = &wrote };

	if (f.device.endpoint != NULL && strcmp(f.device.endpoint, endpoint) == 0 && secret_equal(&f.device.held.wrote, &wrote))
		o.same_wrote = f.device.held.session; /* as well */

	o.fulfilled[STORE_WISH_HANDOVER] = f.device.wishes[STORE_WISH_HANDOVER].number; /* as it was last seen */
	r.id = draw(9) == 0 ? next_id - draw(20) : (next_id += 1 + draw(4)); /* some come late, some twice */
	r.reason = r.verdict == BS_VERDICT_FAILED  ? BS_REASON_NO_ANSWER :
		   r.verdict == BS_VERDICT_REFUSED ? (draw(2) == 0 ? BS_REASON_UNKNOWN_ENDPOINT : BS_REASON_BLOCKED) :
						     BS_REASON_NONE;
	r.started_ms = (int64_t)r.id * 10;
	r.ended_ms = draw(4) == 0 ? r.started_ms + 5 : clock_wall_ms() + (int64_t)r.id;
	pending++;
	ops->session_put(f.store, &r, draw(6) == 0 ? NULL : &o, on_written, &pending);
}

static void
on_applied(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *results, size_t n)
{
	(void)rc; /* what is not there cannot be changed */
	(void)e;
	(void)failed_at;
	(void)results;
	(void)n;
	--*(int *)arg;
}

/* Borrowed until the callback: it lives on. */
static struct store_change changes[STEPS];
static const struct store_wish handover = { .profile = (char[]){ "next" } };
static struct secret compiled;
static struct store_credential credential;

static void
change(const char *endpoint, struct store_change *c)
{
	switch (draw(6)) {
	case 0:
		*c = (struct store_change){ .op = STORE_RM_DEVICE };
		break;
	case 1:
		*c = (struct store_change){ .op = STORE_SET_STATE, .state = draw(2) == 0 ? STORE_ACTIVE : STORE_BLOCKED };
		break;
	case 2:
		*c = (struct store_change){ .op = STORE_SET_WISH, .wish_kind = STORE_WISH_HANDOVER,
			.wish = draw(2) == 0 ? NULL : &handover };
		break;
	default:
		*c = (struct store_change){ .op = STORE_PUT_DEVICE, .doc = draw(2) == 0 ? "{}" : "{\"a\":1}",
			.credentials = &credential, .n_credentials = 1,
			.compiled = draw(3) == 0 ? NULL : &compiled, .compiled_key = "k" };
		break;
	}
	c->name = endpoint;
	pending++;
	ops->apply(f.store, &actor, c, 1, on_applied, &pending);
}

static void
write_any(char *endpoint, struct store_change *c)
{
	switch (draw(6)) {
	case 0:
	case 1:
		change(endpoint, c);
		break;
	case 2:
		ops->compiled_put(f.store, endpoint, draw(3) == 0 ? 1 : f.device.revision, &compiled, "k2");
		break;
	default:
		put_session(endpoint);
		break;
	}
}

/* All is answered: compiled_put() tells nobody, but writes are answered in their order. */
static void
settle(void)
{
	pending++;
	ops->apply(f.store, &actor, changes, 0, on_applied, &pending);
	for (int i = 0; i < 3000 && pending > 0; i++)
		loop_turn(f.loop, 10);
	ck_assert_int_eq(pending, 0);
}

/* What is carried from session to session without a look at the file. */
static void
ck_file(void)
{
	static const char *const none[] = {
		"SELECT count(*) FROM device_session s"
		" WHERE kept <> (SELECT count(*) FROM session WHERE device = s.device)",
		"SELECT count(*) FROM device_session s"
		" WHERE last_session <> (SELECT coalesce(max(id), 0) FROM session WHERE device = s.device)",
		"SELECT count(*) FROM session WHERE device > 0 AND endpoint <> (SELECT endpoint FROM device WHERE id = device)",
	};
	struct sq_db db;
	int64_t n;
	char sql[96];

	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	fx_close(&f);
	ck_assert_int_eq(sq_open(&db, f.path, 1024, NULL), ERR_OK);
	for (size_t i = 0; i < N_ELEMS(none); i++) {
		ck_assert_int_eq(sq_number(&db, none[i], &n, NULL), ERR_OK);
		ck_assert_msg(n == 0, "%s: %d", none[i], (int)n);
	}
	for (int i = 0; i < BS_VERDICT__COUNT; i++) {
		(void)snprintf(sql, sizeof sql, "SELECT count(*) FROM device_session WHERE verdict = %d", i);
		ck_assert_int_eq(sq_number(&db, sql, &n, NULL), ERR_OK);
		ck_assert_int_eq(n, (int64_t)f.counts.by_verdict[i]);
	}
	sq_close(&db);
}

START_TEST(a_look_tells_what_the_file_says)
{
	static char endpoints[DEVICES][8];
	static struct look early[STEPS];
	size_t n_early = 0;
	const char *given = getenv("SEED");

	state = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)clock_wall_ms() * 2654435761U + (uint64_t)_i;
	printf("# SEED=%llu\n", (unsigned long long)state);
	state |= 1;
	next_id = 1000;
	compiled = fx_secret("compiled-1");
	credential = (struct store_credential){ .slot = (char[]){ "servers/dm/security/key" }, .key = fx_secret("key") };
	fx_init(&f);
	/* what is pushed out is counted until the next reading: the third time nobody looks at that */
	count_good = _i != 2;
	f.conf.max_sessions = count_good ? 1000 : 3;
	f.conf.max_hot = _i == 1 ? 3000 : 0; /* the second time there is room for one */
	ck_assert_msg(fx_open(&f) == ERR_OK, "%s", f.e.msg);
	for (size_t i = 0; i < DEVICES; i++)
		(void)snprintf(endpoints[i], sizeof endpoints[i], "d%zu", i);
	for (size_t i = 0; i < STEPS; i++) {
		char *endpoint = endpoints[draw(DEVICES)];

		switch (draw(8)) {
		case 0: /* while others are on their way */
			look(endpoint, &early[n_early++]);
			break;
		case 1:
			loop_turn(f.loop, 0);
			break;
		case 2:
			settle();
			look_now(endpoint);
			write_any(endpoint, &changes[i]);
			settle();
			look_now(endpoint);
			break;
		default:
			write_any(endpoint, &changes[i]);
			break;
		}
	}
	settle();
	for (size_t i = 0; i < DEVICES; i++)
		look_now(endpoints[i]);
	for (size_t i = 0; i < n_early; i++)
		ck_assert(early[i].answered);
	ck_file();
	fx_free(&f);
}
END_TEST

/* Noted before it turned out that its number is taken: both are undone. */
START_TEST(a_session_whose_number_is_taken_changes_nothing)
{
	static char names[2][8] = { "d0", "d1" };
	struct bs_record r = { .verdict = BS_VERDICT_PROVISIONED, .used_format = -1 };
	static const struct {
		int device;
		uint64_t id;
		enum err_code rc;
	} sessions[] = { { 0, 10, ERR_OK }, { 1, 20, ERR_OK }, { 0, 11, ERR_OK }, { 0, 20, ERR_EXISTS }, { 0, 12, ERR_OK } };
	struct secret form = fx_secret("compiled-1");

	count_good = true;
	fx_init(&f);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	for (int i = 0; i < 2; i++) {
		const struct store_change c = { .op = STORE_PUT_DEVICE, .name = names[i], .doc = "{}", .compiled = &form,
			.compiled_key = "k" };

		ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
		look_now(names[i]);
	}
	for (size_t i = 0; i < N_ELEMS(sessions); i++) {
		r.endpoint = names[sessions[i].device];
		r.id = sessions[i].id;
		r.ended_ms = clock_wall_ms();
		ck_assert_int_eq(fx_session_put(&f, &r), sessions[i].rc);
		look_now(names[0]);
		look_now(names[1]);
	}
	ck_assert_int_eq(fx_get(&f, "d0"), ERR_OK);
	ck_assert_uint_eq(f.device.last_session, 12);
	ck_file();
	fx_free(&f);
}
END_TEST

/* What the fourth session leaves, where the first three left the same: each its own findings. */
static const struct left {
	const char *links, *values, *placed, *expiries, *findings;
} lefts[] = {
	{ "l", "v", "p", "e", "[4]" },
	{ "l", "v", "p", "e", NULL },
	{ "other", "v", "p", "e", "[4]" },
	{ "l", "other", "p", "e", "[4]" },
	{ "l", "v", "other", "e", "[4]" },
	{ "l", "v", NULL, "e", "[4]" },
	{ "l", "v", "p", "other", "[4]" },
	{ "l", "v", "p", NULL, "[3]" },
};

static void
leave(char *endpoint, uint64_t id, uint64_t same_wrote, const struct left *l)
{
	struct secret wrote = fx_secret("compiled-1");
	struct bs_record r = { .id = id, .endpoint = endpoint, .verdict = BS_VERDICT_PROVISIONED, .used_format = -1, .revision = 1 };
	struct store_outcome o = { .links = l->links, .values = l->values, .placed = l->placed, .expiries = l->expiries,
		.findings = l->findings, .wrote = &wrote, .same_wrote = same_wrote };

	r.ended_ms = clock_wall_ms();
	r.started_ms = r.ended_ms - (int64_t)id;
	ck_assert_int_eq(fx_outcome_put(&f, &r, &o), ERR_OK);
	ck_assert_int_eq(fx_held(&f, endpoint, id), ERR_OK);
	const struct store_held *h = &f.held;
	ck_assert_uint_eq(h->session, 10);
	ck_assert_uint_eq(h->last_session, id);
	ck_assert_int_eq(h->last_ms, r.ended_ms);
	ck_assert_int_eq(h->started_ms, r.started_ms);
	ck_assert_str_eq(or_dash(h->links), or_dash(l->links));
	ck_assert_str_eq(or_dash(h->values), or_dash(l->values));
	ck_assert_str_eq(or_dash(h->placed), or_dash(l->placed));
	ck_assert_str_eq(or_dash(h->expiries), or_dash(l->expiries));
	ck_assert_str_eq(or_dash(h->findings), or_dash(l->findings));
}

START_TEST(what_is_left_again_is_the_newest_in_every_word)
{
	static char ep[] = "d0";
	struct secret form = fx_secret("compiled-1");
	const struct store_change c = { .op = STORE_PUT_DEVICE, .name = ep, .doc = "{}", .compiled = &form, .compiled_key = "k" };
	static const char *const findings[] = { "[1]", "[2]", "[3]" };

	count_good = true;
	fx_init(&f);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	look_now(ep);
	for (uint64_t i = 0; i < 3; i++) {
		leave(ep, 10 + i, i == 0 ? 0 : 10, &(struct left){ "l", "v", "p", "e", findings[i] });
		look_now(ep);
	}
	leave(ep, 13, 10, &lefts[_i]);
	look_now(ep);
	leave(ep, 14, 10, &(struct left){ "l", "v", "p", "e", "[5]" });
	look_now(ep);
	ck_file();
	fx_free(&f);
}
END_TEST

/* The record that has it is no longer kept, what that session left is: another device's cannot have it. */
START_TEST(the_number_of_a_session_that_left_something_stays_taken)
{
	static char names[2][8] = { "d0", "d1" };
	struct bs_record r = { .verdict = BS_VERDICT_PROVISIONED, .used_format = -1 };
	const struct store_outcome left = { .links = "a", .findings = "[]" };

	count_good = false;
	fx_init(&f);
	f.conf.max_sessions = 3;
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	compiled = fx_secret("compiled-1");
	for (int i = 0; i < 2; i++) {
		const struct store_change c = { .op = STORE_PUT_DEVICE, .name = names[i], .doc = "{}", .compiled = &compiled,
			.compiled_key = "k" };

		ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	}
	for (uint64_t id = 20; id < 24; id++) {
		r.endpoint = names[0];
		r.id = id;
		ck_assert_int_eq(fx_outcome_put(&f, &r, id == 20 ? &left : NULL), ERR_OK);
	}
	ck_assert_int_eq(fx_session_get(&f, 20, NULL), ERR_NOT_FOUND);
	r.endpoint = names[1];
	r.id = 20;
	ck_assert_int_eq(fx_outcome_put(&f, &r, &left), ERR_EXISTS);
	ck_assert_str_eq(f.e.msg, "session 20: is there already");
	look_now(names[0]);
	look_now(names[1]);
	ck_assert_int_eq(fx_session_get(&f, 20, NULL), ERR_NOT_FOUND);
	ck_file();
	fx_free(&f);
}
END_TEST

/* ---- by itself ---- */

static struct store_device
device(const char *endpoint)
{
	struct store_device d = { .endpoint = str_dup_n(endpoint, strlen(endpoint)), .last_session = 5 };

	ck_assert_int_eq(secret_set(&d.compiled, "key", 3, NULL), ERR_OK);
	d.last_ended_ms = clock_wall_ms();
	return d;
}

/* Whether a device that was read, while something happened, is told from memory. */
static bool
is_known_after(struct sq_hot *h, const char *endpoint, const char *happens)
{
	char name[] = "ep";
	struct bs_record r = { .id = 6, .endpoint = name, .verdict = BS_VERDICT_FAILED, .used_format = -1 };
	struct store_device d = device(endpoint), view;
	const struct sq_noted noted = { .device = 1 };

	sq_hot_ask(h, endpoint);
	if (strcmp(happens, "changed") == 0)
		sq_hot_forget(h, "ep");
	else if (strcmp(happens, "session") == 0)
		sq_hot_session(h, &r, NULL, &noted);
	else if (strcmp(happens, "asked twice") == 0) {
		sq_hot_ask(h, endpoint);
		sq_hot_forget(h, "ep");
		sq_hot_read(h, endpoint, NULL);
	}
	sq_hot_read(h, endpoint, &d);
	store_device_clear(&d);
	return sq_hot_view(h, endpoint, &view);
}

static const struct {
	const char *endpoint, *happens;
	bool known;
} reads[] = {
	{ "ep", "nothing", true },
	{ "ep", "changed", false },
	{ "ep", "session", false },
	{ "ep", "asked twice", false },
	{ "other", "changed", true },
	{ "other", "session", true },
};

START_TEST(what_was_read_before_a_change_is_not_kept_behind_it)
{
	struct sq_hot *h = sq_hot_new(SQ_HOT_OCTETS, 20);

	ck_assert_ptr_nonnull(h);
	ck_assert(is_known_after(h, reads[_i].endpoint, reads[_i].happens) == reads[_i].known);
	sq_hot_forget(h, reads[_i].endpoint);
	ck_assert(is_known_after(h, reads[_i].endpoint, "nothing")); /* the next time */
	sq_hot_free(h);
}
END_TEST

START_TEST(those_that_were_not_looked_at_longest_make_room)
{
	struct sq_hot *h = sq_hot_new((size_t)64 << 10, 20);
	struct store_device view;
	unsigned known = 0;
	char name[16];

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof name, "d%u", i);
		ck_assert(is_known_after(h, name, "nothing"));
		ck_assert(sq_hot_view(h, "d0", &view)); /* looked at all the time */
	}
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof name, "d%u", i);
		known += sq_hot_view(h, name, &view);
	}
	ck_assert_uint_ge(known, 16);
	ck_assert_uint_le(known, 128); /* a device takes half a KiB at least */
	sq_hot_free(h);
	h = sq_hot_new(1, 20);
	ck_assert(!is_known_after(h, "ep", "nothing"));
	sq_hot_free(h);
	ck_assert(!is_known_after(NULL, "ep", "nothing")); /* memory was short */
}
END_TEST

int
main(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(what_was_read_before_a_change_is_not_kept_behind_it, N_ELEMS(reads)),
		UNIT_CASE(those_that_were_not_looked_at_longest_make_room, 0),
		UNIT_CASE(a_session_whose_number_is_taken_changes_nothing, 0),
		UNIT_CASE(the_number_of_a_session_that_left_something_stays_taken, 0),
		UNIT_CASE(what_is_left_again_is_the_newest_in_every_word, N_ELEMS(lefts)),
		UNIT_CASE(a_look_tells_what_the_file_says, 3),
	};

	return unit_run(unit_suite("store_hot", cases, N_ELEMS(cases)));
}
