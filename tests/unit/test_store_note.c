/* Notes: text by kind, name and number, all of a call or nothing. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

static void
on_done(void *arg, enum err_code rc, const struct err *e)
{
	struct fx *f = arg;

	(void)e;
	f->rc = rc;
	f->answered = true;
}

static void
on_notes(void *arg, enum err_code rc, const struct err *e, const struct store_note *v, size_t n)
{
	struct fx *f = arg;

	(void)e;
	f->rc = rc;
	gbuf_reset(&f->names);
	for (size_t i = 0; i < n; i++)
		gbuf_printf(&f->names, "%s%s/%d=%s", i > 0 ? " " : "", v[i].name, (int)v[i].number, v[i].text);
	f->answered = true;
}

static enum err_code
put(struct fx *f, const struct store_note *v, size_t n)
{
	f->answered = false;
	store_sqlite.note_put(f->store, v, n, on_done, f);
	fx_wait(f);
	return f->rc;
}

static const char *
list(struct fx *f, enum store_note_kind kind)
{
	f->answered = false;
	store_sqlite.note_list(f->store, kind, on_notes, f);
	fx_wait(f);
	ck_assert_int_eq(f->rc, ERR_OK);
	return gbuf_cstr(&f->names);
}

START_TEST(notes_are_kept_replaced_and_removed)
{
	const struct store_note first[] = {
		{ STORE_NOTE_JOB, "b", 2, "two" },
		{ STORE_NOTE_JOB, "b", 10, "ten" },
		{ STORE_NOTE_JOB, "a", 0, "head" },
		{ STORE_NOTE_REGISTRATION, "b", 0, "other" },
	};
	const struct store_note second[] = { { STORE_NOTE_JOB, "b", 2, "TWO" }, { STORE_NOTE_JOB, "b", 10, NULL } };
	const struct store_note third[] = { { STORE_NOTE_JOB, "b", STORE_NOTE_ALL, NULL } };
	struct fx f;

	fx_init(&f);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	ck_assert_str_eq(list(&f, STORE_NOTE_JOB), "");
	ck_assert_int_eq(put(&f, first, N_ELEMS(first)), ERR_OK);
	fx_reopen(&f);
	ck_assert_str_eq(list(&f, STORE_NOTE_JOB), "a/0=head b/2=two b/10=ten");
	ck_assert_str_eq(list(&f, STORE_NOTE_REGISTRATION), "b/0=other");
	ck_assert_int_eq(put(&f, second, N_ELEMS(second)), ERR_OK);
	ck_assert_str_eq(list(&f, STORE_NOTE_JOB), "a/0=head b/2=TWO");
	ck_assert_int_eq(put(&f, third, N_ELEMS(third)), ERR_OK);
	ck_assert_int_eq(put(&f, NULL, 0), ERR_OK);
	ck_assert_str_eq(list(&f, STORE_NOTE_JOB), "a/0=head");
	ck_assert_str_eq(list(&f, STORE_NOTE_REGISTRATION), "b/0=other");
	fx_free(&f);
}
END_TEST

/* What was put and not waited for is on the disk when the store is closed. */
START_TEST(closing_keeps_what_was_put)
{
	struct store_note v = { STORE_NOTE_REGISTRATION, "d", 0, "text" };
	struct fx f;

	fx_init(&f);
	ck_assert_int_eq(fx_open(&f), ERR_OK);
	store_sqlite.note_put(f.store, &v, 1, NULL, NULL);
	fx_reopen(&f);
	ck_assert_str_eq(list(&f, STORE_NOTE_REGISTRATION), "d/0=text");
	fx_free(&f);
}
END_TEST

static Suite *
suite(void)
{
	const struct unit_case cases[] = {
		UNIT_CASE(notes_are_kept_replaced_and_removed, 0),
		UNIT_CASE(closing_keeps_what_was_put, 0),
	};

	return unit_suite("store_note", cases, N_ELEMS(cases));
}

UNIT_MAIN(suite)
