/* What LwM2M Servers were told: rows that are put with the version that is there, and found again when they are due. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

static struct fx f;
static struct store_handoff rows[16];
static size_t n_rows;
static bool more;

static void
on_done(void *arg, enum err_code rc, const struct err *e)
{
	(void)arg;
	f.answered = true;
	f.rc = rc;
	if (e != NULL)
		f.e = *e;
}

static void
on_list(void *arg, enum err_code rc, const struct err *e, struct store_handoff *v, size_t n, bool m)
{
	on_done(arg, rc, e);
	ck_assert_uint_le(n, N_ELEMS(rows));
	if (n > 0) {
		memcpy(rows, v, n * sizeof *v);
		memset(v, 0, n * sizeof *v);
	}
	n_rows = n;
	more = m;
}

static void
forget_rows(void)
{
	while (n_rows > 0)
		store_handoff_clear(&rows[--n_rows]);
}

static enum err_code
put(const char *endpoint, const char *target, uint64_t version, int64_t due_ms)
{
	struct store_handoff h = { .endpoint = (char *)(uintptr_t)endpoint, .target = (char *)(uintptr_t)target,
		.server = (char *)(uintptr_t) "dm", .short_server_id = 101, .state = STORE_HANDOFF_INTENT, .late = true,
		.version = version, .session = 9, .since_ms = 5, .settled_ms = 4, .due_ms = due_ms, .attempts = 2,
		.error = (char *)(uintptr_t) "no", .known = fx_secret("old key"), .other = fx_secret("new key") };

	f.answered = false;
	store_sqlite.handoff_put(f.store, &h, on_done, NULL);
	fx_wait(&f);
	return f.rc;
}

static void
list(struct store_handoff_page p)
{
	forget_rows();
	f.answered = false;
	store_sqlite.handoff_list(f.store, &p, on_list, NULL);
	fx_wait(&f);
	ck_assert_int_eq(f.rc, ERR_OK);
}

static enum err_code
rm(const char *endpoint, const char *target, uint64_t version)
{
	f.answered = false;
	store_sqlite.handoff_rm(f.store, endpoint, target, version, on_done, NULL);
	fx_wait(&f);
	return f.rc;
}

static void
open_fresh(void)
{
	fx_fresh(&f);
	ck_assert_int_eq(fx_put(&f, "a", "{}"), ERR_OK);
	ck_assert_int_eq(fx_put(&f, "b", "{}"), ERR_OK);
}

START_TEST(a_row_comes_back_whole_and_sealed)
{
	char fp[CRYPT_FP_LEN + 1];
	struct secret old = fx_secret("old key");

	open_fresh();
	ck_assert_msg(put("a", "eu", 0, 7) == ERR_OK, "%s", f.e.msg);
	fx_reopen(&f);
	list((struct store_handoff_page){ .endpoint = "a", .secrets = true });
	ck_assert_uint_eq(n_rows, 1);
	const struct store_handoff *h = &rows[0];
	ck_assert_str_eq(h->endpoint, "a");
	ck_assert_str_eq(h->target, "eu");
	ck_assert_str_eq(h->server, "dm");
	ck_assert_str_eq(h->error, "no");
	ck_assert(h->short_server_id == 101 && h->state == STORE_HANDOFF_INTENT && h->late && h->version == 1);
	ck_assert(h->session == 9 && h->since_ms == 5 && h->settled_ms == 4 && h->due_ms == 7 && h->attempts == 2);
	ck_assert(secret_equal_bytes(&h->known, "old key", 7) && secret_equal_bytes(&h->other, "new key", 7));
	ck_assert_int_eq(store_sqlite.fingerprint(f.store, &old, fp, NULL), ERR_OK);
	ck_assert_str_eq(h->known_fp, fp);
	list((struct store_handoff_page){ .limit = 5 });
	ck_assert(n_rows == 1 && rows[0].known.len == 0 && rows[0].other.len == 0);
	ck_assert_str_eq(rows[0].known_fp, fp);
	forget_rows();
	fx_free(&f);
}
END_TEST

START_TEST(only_who_knows_the_newest_version_changes_a_row)
{
	open_fresh();
	ck_assert_int_eq(put("a", "eu", 3, 0), ERR_CONFLICT); /* there is none */
	ck_assert_int_eq(put("a", "eu", 0, 0), ERR_OK);
	ck_assert_int_eq(put("a", "eu", 0, 0), ERR_CONFLICT);
	ck_assert_int_eq(put("a", "eu", 1, 0), ERR_OK);
	ck_assert_int_eq(put("a", "eu", 1, 0), ERR_CONFLICT);
	ck_assert_str_eq(f.e.msg, "hand-off of a to eu: it was changed meanwhile");
	ck_assert_int_eq(put("nobody", "eu", 0, 0), ERR_CONFLICT);
	ck_assert_str_eq(f.e.msg, "device nobody: is not there any more");
	ck_assert_int_eq(rm("a", "eu", 1), ERR_CONFLICT);
	ck_assert_int_eq(rm("a", "eu", 2), ERR_OK);
	list((struct store_handoff_page){ .limit = 5 });
	ck_assert_uint_eq(n_rows, 0);
	fx_free(&f);
}
END_TEST

START_TEST(what_is_due_is_found_page_by_page)
{
	open_fresh();
	ck_assert_int_eq(put("a", "eu", 0, 10), ERR_OK);
	ck_assert_int_eq(put("a", "us", 0, 0), ERR_OK);
	ck_assert_int_eq(put("b", "eu", 0, 30), ERR_OK);
	ck_assert_int_eq(put("b", "us", 0, 20), ERR_OK);
	list((struct store_handoff_page){ .due_until_ms = 20, .limit = 1 });
	ck_assert(n_rows == 1 && more);
	ck_assert_str_eq(rows[0].endpoint, "a");
	list((struct store_handoff_page){ .due_until_ms = 20, .limit = 1, .after_endpoint = "a", .after_target = "eu" });
	ck_assert(n_rows == 1 && !more);
	ck_assert_str_eq(rows[0].endpoint, "b");
	ck_assert_str_eq(rows[0].target, "us");
	list((struct store_handoff_page){ .limit = 3 });
	ck_assert(n_rows == 3 && more);
	list((struct store_handoff_page){ .endpoint = "b" });
	ck_assert(n_rows == 2 && !more);
	forget_rows();
	fx_free(&f);
}
END_TEST

START_TEST(a_device_that_is_removed_leaves_its_rows_to_be_tidied_up)
{
	const struct store_change c = { .op = STORE_RM_DEVICE, .name = "a" };

	open_fresh();
	ck_assert_int_eq(put("a", "eu", 0, 0), ERR_OK);
	ck_assert_int_eq(put("b", "eu", 0, 0), ERR_OK);
	ck_assert_int_eq(fx_apply(&f, &c, 1), ERR_OK);
	list((struct store_handoff_page){ .due_until_ms = clock_wall_ms(), .secrets = true });
	ck_assert_uint_eq(n_rows, 1);
	ck_assert_str_eq(rows[0].endpoint, "a");
	ck_assert(rows[0].state == STORE_HANDOFF_LEAVING && rows[0].version == 2 && rows[0].known.len == 7);
	forget_rows();
	fx_free(&f);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_row_comes_back_whole_and_sealed, 0),
	UNIT_CASE(only_who_knows_the_newest_version_changes_a_row, 0),
	UNIT_CASE(what_is_due_is_found_page_by_page, 0),
	UNIT_CASE(a_device_that_is_removed_leaves_its_rows_to_be_tidied_up, 0),
};
UNIT_SUITE_MAIN("store_handoff", cases)
