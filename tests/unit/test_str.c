#include "lib/base/str.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

START_TEST(numbers_are_read_whole_or_not_at_all)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		bool ok;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 10, true, 0 },
		{ "10", 0, 10, true, 10 },
		{ "11", 0, 10, false, 0 },
		{ "4", 5, 10, false, 0 },
		{ "18446744073709551615", 0, UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", 0, UINT64_MAX, false, 0 },
		{ "99999999999999999999999", 0, UINT64_MAX, false, 0 },
		{ "", 0, UINT64_MAX, false, 0 },
		{ "-1", 0, UINT64_MAX, false, 0 },
		{ "+1", 0, UINT64_MAX, false, 0 },
		{ " 1", 0, UINT64_MAX, false, 0 },
		{ "1 ", 0, UINT64_MAX, false, 0 },
		{ "0x1", 0, UINT64_MAX, false, 0 },
		{ "1e3", 0, UINT64_MAX, false, 0 },
		{ "007", 0, UINT64_MAX, true, 7 },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		uint64_t v = 4711;
		bool ok = str_to_u64(rows[i].text, strlen(rows[i].text), rows[i].min, rows[i].max, &v);
		ck_assert_msg(ok == rows[i].ok, "\"%s\"", rows[i].text);
		ck_assert_uint_eq(v, ok ? rows[i].value : 4711);
	}
}
END_TEST

START_TEST(one_byte_decides_wherever_it_stands)
{
	char text[20];

	for (size_t n = 1; n <= sizeof text; n++)
		for (size_t at = 0; at < n; at++)
			for (unsigned c = 0; c < 256; c++) {
				memset(text, 'x', n);
				text[at] = (char)c;
				ck_assert_msg(str_is_utf8(text, n) == (c >= 1 && c < 0x80), "%u at %zu of %zu", c, at, n);
				ck_assert_msg(str_is_printable(text, n) == (c >= 0x20 && c < 0x7f), "%u at %zu of %zu", c,
				    at, n);
			}
}
END_TEST

START_TEST(signed_numbers_reach_both_ends)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "-1", true, -1 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "-9223372036854775809", false, 0 },
		{ "-", false, 0 },
		{ "--1", false, 0 },
		{ "", false, 0 },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		int64_t v = 0;
		bool ok = str_to_i64(rows[i].text, strlen(rows[i].text), INT64_MIN, INT64_MAX, &v);
		ck_assert_msg(ok == rows[i].ok, "\"%s\"", rows[i].text);
		ck_assert_int_eq(v, rows[i].value);
	}
	int64_t v;
	ck_assert(!str_to_i64("-6", 2, -5, 5, &v));
	ck_assert(!str_to_i64("6", 1, -5, 5, &v));
}
END_TEST

START_TEST(durations_have_one_unit)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t seconds;
	} rows[] = {
		{ "0", true, 0 },
		{ "45", true, 45 },
		{ "30s", true, 30 },
		{ "5m", true, 300 },
		{ "1h", true, 3600 },
		{ "1d", true, 86400 },
		{ "2w", true, 1209600 },
		{ "", false, 0 },
		{ "s", false, 0 },
		{ "-1s", false, 0 },
		{ "1.5h", false, 0 },
		{ "1h30m", false, 0 },
		{ "5 m", false, 0 },
		{ "5M", false, 0 },
		{ "30500568904943w", true, 18446744073709526400U },
		{ "30500568904944w", false, 0 },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		uint64_t v = 0;
		bool ok = str_to_seconds(rows[i].text, strlen(rows[i].text), &v);
		ck_assert_msg(ok == rows[i].ok, "\"%s\"", rows[i].text);
		ck_assert_uint_eq(v, rows[i].seconds);
	}
}
END_TEST

START_TEST(utf8_is_read_strictly)
{
	static const struct {
		const char *text;
		size_t len;
		bool utf8, printable;
	} rows[] = {
		{ "", 0, true, true },
		{ "meter 7", 7, true, true },
		{ "\xc3\xa9", 2, true, true },
		{ "\xe2\x82\xac", 3, true, true },
		{ "\xf0\x9f\x93\xa1", 4, true, true },
		{ "\xf4\x8f\xbf\xbf", 4, true, true },
		{ "a\nb", 3, true, false },
		{ "\x7f", 1, true, false },
		{ "\xc2\x85", 2, true, false },	     /* NEL, a C1 control */
		{ "\xe2\x80\xa8", 3, true, false },     /* a line separator */
		{ "\xe2\x80\xae", 3, true, false },     /* what follows is written from right to left */
		{ "\xe2\x81\xa6", 3, true, false },     /* an isolate */
		{ "\xe2\x80\x8f", 3, true, false },     /* a mark of direction */
		{ "\xe2\x80\xaf", 3, true, true },
		{ "\xe2\x82\xa8", 3, true, true },
		{ "a\0b", 3, false, false },	     /* NUL */
		{ "\x80", 1, false, false },	     /* lone continuation */
		{ "\xc3", 1, false, false },	     /* cut */
		{ "\xe2\x82", 2, false, false },     /* cut */
		{ "\xc0\xaf", 2, false, false },     /* overlong */
		{ "\xe0\x80\xaf", 3, false, false }, /* overlong */
		{ "\xed\xa0\x80", 3, false, false }, /* surrogate */
		{ "\xf4\x90\x80\x80", 4, false, false }, /* past U+10FFFF */
		{ "\xf8\x88\x80\x80\x80", 5, false, false },
		{ "\xe2\x28\xa1", 3, false, false },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		ck_assert_msg(str_is_utf8(rows[i].text, rows[i].len) == rows[i].utf8, "row %zu", i);
		ck_assert_msg(str_is_printable(rows[i].text, rows[i].len) == rows[i].printable, "row %zu", i);
	}
}
END_TEST

START_TEST(glob_matches_the_whole)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "anything", true },
		{ "urn:imei:49*", "urn:imei:490154203237518", true },
		{ "urn:imei:49*", "urn:imei:480154203237518", false },
		{ "*518", "urn:imei:490154203237518", true },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "a*b*c", "axxbyyc", true },
		{ "a*b*c", "axxbyy", false },
		{ "**a**", "a", true },
		{ "[ab]", "a", false },
		{ "[ab]", "[ab]", true },
		{ "ab", "abc", false },
		{ "abc", "ab", false },
		{ "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		ck_assert_msg(str_glob(rows[i].pattern, rows[i].text) == rows[i].match, "\"%s\" \"%s\"",
		    rows[i].pattern, rows[i].text);
}
END_TEST

START_TEST(nearest_offers_only_what_may_have_been_meant)
{
	static const char *const words[] = { "lifetime", "binding", "uri", "short_server_id" };
	static const struct {
		const char *word, *nearest;
	} rows[] = {
		{ "lifetiem", "lifetime" }, /* a swap counts once */
		{ "lifetime", "lifetime" },
		{ "bindings", "binding" },
		{ "url", "uri" },
		{ "shortserverid", "short_server_id" },
		{ "xyz", NULL },
		{ "password", NULL },
		{ "", NULL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		ck_assert_pstr_eq(str_nearest(rows[i].word, words, N_ELEMS(words)), rows[i].nearest);
}
END_TEST

START_TEST(percent_decoding_refuses_what_is_no_escape)
{
	static const struct {
		const char *text;
		bool ok;
		const char *plain;
	} rows[] = {
		{ "plain", true, "plain" },
		{ "urn%3Aimei%3a1", true, "urn:imei:1" },
		{ "%25", true, "%" },
		{ "", true, "" },
		{ "%", false, NULL },
		{ "a%4", false, NULL },
		{ "%zz", false, NULL },
		{ "%4g", false, NULL },
		{ "%00", false, NULL },
		{ "%\xc4\x31", false, NULL },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		size_t n = strlen(rows[i].text);
		char *s = str_dup_n(rows[i].text, n);
		ck_assert_ptr_nonnull(s);
		ck_assert_msg(str_percent_decode(s, &n) == rows[i].ok, "\"%s\"", rows[i].text);
		if (rows[i].ok)
			ck_assert_msg(n == strlen(rows[i].plain) && memcmp(s, rows[i].plain, n) == 0, "\"%s\"",
			    rows[i].text);
		free(s);
	}
}
END_TEST

START_TEST(quoting_leaves_nothing_that_breaks_a_line)
{
	static const struct {
		const char *text;
		size_t len;
		const char *quoted;
	} rows[] = {
		{ "plain", 5, "plain" },
		{ "a\nb\tc\rd", 7, "a\\nb\\tc\\rd" },
		{ "say \"hi\"", 8, "say \\\"hi\\\"" },
		{ "\\", 1, "\\\\" },
		{ "\x1b[31m", 5, "\\x1b[31m" },
		{ "\xff\xc3\xa9", 3, "\\xff\xc3\xa9" },
		{ "a\0b", 3, "a\\x00b" },
		{ "\xc2\x9b", 2, "\\xc2\\x9b" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct gbuf out = { 0 };
		str_quote(&out, rows[i].text, rows[i].len);
		ck_assert_str_eq(gbuf_cstr(&out), rows[i].quoted);
		ck_assert(str_is_printable(gbuf_cstr(&out), out.len));
		gbuf_clear(&out);
	}
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(numbers_are_read_whole_or_not_at_all, 0),
	UNIT_CASE(signed_numbers_reach_both_ends, 0),
	UNIT_CASE(one_byte_decides_wherever_it_stands, 0),
	UNIT_CASE(durations_have_one_unit, 0),
	UNIT_CASE(utf8_is_read_strictly, 0),
	UNIT_CASE(glob_matches_the_whole, 0),
	UNIT_CASE(nearest_offers_only_what_may_have_been_meant, 0),
	UNIT_CASE(percent_decoding_refuses_what_is_no_escape, 0),
	UNIT_CASE(quoting_leaves_nothing_that_breaks_a_line, 0),
};

UNIT_SUITE_MAIN("str", cases)
