#include "lib/base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(context_gathers_from_the_inside_out)
{
	struct err e;

	ck_assert_int_eq(err_set(&e, ERR_PARSE, "/%d/%d: not a URI", 0, 1), ERR_PARSE);
	ck_assert_int_eq(err_wrap(&e, "profile %s", "eu"), ERR_PARSE);
	ck_assert_int_eq(err_wrap(&e, "apply"), ERR_PARSE);
	ck_assert_str_eq(e.msg, "apply: profile eu: /0/1: not a URI");
}
END_TEST

START_TEST(a_null_err_drops_the_message_and_keeps_the_code)
{
	ck_assert_int_eq(err_set(NULL, ERR_RANGE, "x"), ERR_RANGE);
	ck_assert_int_eq(err_errno(NULL, ENOENT, "x"), ERR_NOT_FOUND);
	ck_assert_int_eq(err_no_memory(NULL), ERR_NO_MEMORY);
	ck_assert_int_eq(err_wrap(NULL, "x"), ERR_INTERNAL);
}
END_TEST

START_TEST(a_message_that_is_too_long_is_cut_and_ended)
{
	struct err e;
	char text[2 * sizeof e.msg];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = 0;
	err_set(&e, ERR_INVALID, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
	err_wrap(&e, "outer");
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
	ck_assert_int_eq(strncmp(e.msg, "outer: aaa", 10), 0);
	err_wrap(&e, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
}
END_TEST

START_TEST(errno_becomes_a_code_and_a_reason)
{
	static const struct {
		int errnum;
		enum err_code code;
	} rows[] = {
		{ ENOENT, ERR_NOT_FOUND },
		{ EEXIST, ERR_EXISTS },
		{ ENOMEM, ERR_NO_MEMORY },
		{ ENOSPC, ERR_IO },
		{ EACCES, ERR_IO },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct err e;
		ck_assert_int_eq(err_errno(&e, rows[i].errnum, "open %s", "f"), rows[i].code);
		ck_assert_int_eq(strncmp(e.msg, "open f: ", 8), 0);
		ck_assert_str_eq(e.msg + 8, strerror(rows[i].errnum));
	}
}
END_TEST

START_TEST(every_code_has_a_name_of_its_own)
{
	for (int i = 0; i < ERR__COUNT; i++) {
		ck_assert_ptr_nonnull(err_name((enum err_code)i));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(err_name((enum err_code)i), err_name((enum err_code)k));
	}
	ck_assert_str_eq(err_name(ERR__COUNT), "unknown");
	ck_assert_str_eq(err_name((enum err_code)-1), "unknown");
}
END_TEST

START_TEST(grow_doubles_and_refuses_what_overflows)
{
	size_t cap = 0;
	int *a = grow(NULL, 0, &cap, sizeof *a);

	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(cap, 8);
	ck_assert_ptr_eq(grow(a, 7, &cap, sizeof *a), a);
	a = grow(a, 8, &cap, sizeof *a);
	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(cap, 16);
	free(a);
	cap = SIZE_MAX / 4;
	ck_assert_ptr_null(grow(NULL, cap, &cap, 8));
	ck_assert_uint_eq(cap, SIZE_MAX / 4);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(context_gathers_from_the_inside_out, 0),
	UNIT_CASE(a_null_err_drops_the_message_and_keeps_the_code, 0),
	UNIT_CASE(a_message_that_is_too_long_is_cut_and_ended, 0),
	UNIT_CASE(errno_becomes_a_code_and_a_reason, 0),
	UNIT_CASE(every_code_has_a_name_of_its_own, 0),
	UNIT_CASE(grow_doubles_and_refuses_what_overflows, 0),
};

UNIT_SUITE_MAIN("err", cases)
