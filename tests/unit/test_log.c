#include "lib/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/unit/unit.h"

struct last {
	enum log_level level;
	char line[4096];
	int count;
};

static void
keep(enum log_level level, const char *line, void *arg)
{
	struct last *last = arg;

	last->level = level;
	last->count++;
	ck_assert_uint_lt(strlen(line), sizeof last->line);
	memcpy(last->line, line, strlen(line) + 1);
}

START_TEST(a_line_carries_its_fields)
{
	struct last last = { 0 };
	struct log_about about = { .endpoint = "urn:imei:49", .peer = "[::1]:5683", .session = 7 };

	log_set_sink(keep, &last);
	log_msg(LVL_NOTICE, LOG_BOOTSTRAP, &about, "session, %s", "over");
	ck_assert_str_eq(last.line,
	    "notice bootstrap: session, over endpoint=urn:imei:49 session=7 peer=[::1]:5683");
	ck_assert_int_eq(last.level, LVL_NOTICE);
	log_msg(LVL_ERROR, LOG_STORE, NULL, "\"x\": 100%%");
	ck_assert_str_eq(last.line, "error store: \"x\": 100%");
}
END_TEST

START_TEST(nothing_from_outside_breaks_a_line)
{
	struct last last = { 0 };
	struct log_about about = { .endpoint = "a\nerror server: forged" };

	log_set_sink(keep, &last);
	log_msg(LVL_INFO, LOG_AUTH, &about, "text \x1b[2J \xff");
	ck_assert_str_eq(last.line, "info auth: text \\x1b[2J \\xff endpoint=\"a\\nerror server: forged\"");
	about.endpoint = "";
	log_msg(LVL_INFO, LOG_AUTH, &about, "empty");
	ck_assert_str_eq(last.line, "info auth: empty endpoint=\"\"");
	about.endpoint = "a=b \"c\"";
	log_msg(LVL_INFO, LOG_AUTH, &about, "quoted");
	ck_assert_str_eq(last.line, "info auth: quoted endpoint=\"a=b \\\"c\\\"\"");
}
END_TEST

START_TEST(json_lines_are_escaped)
{
	struct last last = { 0 };
	struct log_about about = { .endpoint = "q\"\\\n\xc3\xa9", .session = UINT64_MAX };

	log_set_sink(keep, &last);
	log_set_json(true);
	log_msg(LVL_WARNING, LOG_DTLS, &about, "tab\there");
	ck_assert_ptr_eq(strstr(last.line, "{\"ts\":\"20"), last.line);
	ck_assert_str_eq(strstr(last.line, "\"level\""),
	    "\"level\":\"warning\",\"module\":\"dtls\",\"msg\":\"tab\\\\there\","
	    "\"endpoint\":\"q\\\\\\\"\\\\\\\\\\\\n\xc3\xa9\",\"session\":18446744073709551615}");
}
END_TEST

START_TEST(levels_are_set_by_module_or_not_at_all)
{
	static const struct {
		const char *spec, *msg;
	} bad[] = {
		{ "loud", "log level \"loud\": not one of error, warning, notice, info, debug" },
		{ "", "log level \"\": not one of error, warning, notice, info, debug" },
		{ "debug,", "log level \"\": not one of error, warning, notice, info, debug" },
		{ "debug,kitchen=info", "log level \"kitchen=info\": no such module" },
		{ "store=", "log level \"store=\": not one of error, warning, notice, info, debug" },
		{ "debug, store=info", "log level \" store=info\": no such module" },
	};
	struct last last = { 0 };
	struct err e;

	ck_assert(log_wanted(LVL_INFO, LOG_STORE));
	ck_assert(!log_wanted(LVL_DEBUG, LOG_STORE));
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		ck_assert_int_eq(log_set_levels(bad[i].spec, &e), ERR_INVALID);
		ck_assert_str_eq(e.msg, bad[i].msg);
		ck_assert(!log_wanted(LVL_DEBUG, LOG_STORE));
	}
	ck_assert_int_eq(log_check_levels("debug", &e), ERR_OK);
	ck_assert(!log_wanted(LVL_DEBUG, LOG_STORE));
	ck_assert_int_eq(log_set_levels("warning,transport=debug", &e), ERR_OK);
	ck_assert(log_wanted(LVL_DEBUG, LOG_TRANSPORT));
	ck_assert(!log_wanted(LVL_NOTICE, LOG_STORE));
	log_set_sink(keep, &last);
	log_msg(LVL_INFO, LOG_STORE, NULL, "not wanted");
	ck_assert_int_eq(last.count, 0);
	log_set_level(LVL_ERROR);
	ck_assert(!log_wanted(LVL_WARNING, LOG_TRANSPORT));
}
END_TEST

/* As a program begins: cases may run in one process. */
static void
log_to_stderr(void)
{
	log_set_sink(NULL, NULL);
	log_set_json(false);
	log_set_level(LVL_INFO);
}

/* What stderr, which is this file now, has got since the last time. */
static void
expect_written(FILE *f, const char *want)
{
	char got[1024];
	size_t n;

	clearerr(f);
	n = fread(got, 1, sizeof got - 1, f);
	got[n] = 0;
	ck_assert_str_eq(got, want);
}

START_TEST(held_lines_are_written_together_and_in_order)
{
	char path[] = "/tmp/test_log.XXXXXX";
	int fd = mkstemp(path), before = dup(STDERR_FILENO);
	FILE *f = fdopen(dup(fd), "r");

	ck_assert(fd >= 0 && before >= 0 && f != NULL);
	(void)unlink(path);
	fd = dup2(fd, STDERR_FILENO);
	log_to_stderr();
	/* the reader's place must not be the writer's */
	char name[64];
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fileno(f));
	f = freopen(name, "r", f);
	ck_assert_ptr_nonnull(f);
	log_msg(LVL_INFO, LOG_STORE, NULL, "at once");
	expect_written(f, "info store: at once\n");
	log_hold();
	log_msg(LVL_INFO, LOG_STORE, NULL, "one");
	log_hold();
	log_msg(LVL_NOTICE, LOG_STORE, NULL, "two");
	log_release();
	expect_written(f, "");
	log_release();
	expect_written(f, "info store: one\nnotice store: two\n");
	log_hold();
	log_msg(LVL_INFO, LOG_STORE, NULL, "three");
	log_msg(LVL_WARNING, LOG_STORE, NULL, "four");
	expect_written(f, "info store: three\nwarning store: four\n");
	log_release();
	expect_written(f, "");
	(void)dup2(before, STDERR_FILENO);
	(void)fclose(f);
}
END_TEST

START_TEST(not_more_is_held_than_a_bound)
{
	char path[] = "/tmp/test_log.XXXXXX", text[1000];
	int fd = mkstemp(path), before = dup(STDERR_FILENO);

	ck_assert(fd >= 0 && before >= 0);
	(void)unlink(path);
	(void)dup2(fd, STDERR_FILENO);
	log_to_stderr();
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	log_hold();
	for (int i = 0; i < 100; i++)
		log_msg(LVL_INFO, LOG_STORE, NULL, "%s", text);
	off_t early = lseek(fd, 0, SEEK_END);
	log_release();
	off_t all = lseek(fd, 0, SEEK_END);
	(void)dup2(before, STDERR_FILENO);
	ck_assert_int_gt(early, 50000);
	ck_assert_int_eq(all, 100 * (999 + (off_t)strlen("info store: \n")));
}
END_TEST

START_TEST(every_level_and_module_has_a_name)
{
	for (int i = 0; i < LVL__COUNT; i++)
		ck_assert_ptr_nonnull(log_level_name((enum log_level)i));
	for (int i = 0; i < LOG__MODULES; i++)
		ck_assert_ptr_nonnull(log_module_name((enum log_module)i));
	ck_assert_str_eq(log_level_name(LVL__COUNT), "unknown");
	ck_assert_str_eq(log_module_name(LOG__MODULES), "unknown");
}
END_TEST

START_TEST(times_are_written_as_rfc_3339_says)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 1769903999123, "2026-01-31T23:59:59.123Z" },
		{ 1709164800000, "2024-02-29T00:00:00.000Z" },
		{ CLOCK_WALL_MIN, "0001-01-01T00:00:00.000Z" },
		{ CLOCK_WALL_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0001-01-01T00:00:00.000Z" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char text[CLOCK_RFC3339_LEN + 1];
		clock_rfc3339(rows[i].ms, text);
		ck_assert_str_eq(text, rows[i].text);
	}
	uint64_t before = clock_mono_ms();
	ck_assert_uint_le(before, clock_mono_us() / 1000);
	ck_assert_int_gt(clock_wall_ms(), 1700000000000);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(a_line_carries_its_fields, 0),
	UNIT_CASE(nothing_from_outside_breaks_a_line, 0),
	UNIT_CASE(json_lines_are_escaped, 0),
	UNIT_CASE(levels_are_set_by_module_or_not_at_all, 0),
	UNIT_CASE(held_lines_are_written_together_and_in_order, 0),
	UNIT_CASE(not_more_is_held_than_a_bound, 0),
	UNIT_CASE(every_level_and_module_has_a_name, 0),
	UNIT_CASE(times_are_written_as_rfc_3339_says, 0),
};

UNIT_SUITE_MAIN("log", cases)
