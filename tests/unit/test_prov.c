/* What the command line writes: tables, result files, progress. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "lwm2m-prov/output.h"
#include "lwm2m-prov/progress.h"
#include "lwm2m-prov/result.h"
#include "tests/unit/unit.h"

/* ---- output ---- */

static const struct out_field columns[] = {
	{ "name", "name", OUT_PLAIN, NULL },
	{ "state/when", "when", OUT_TIME, NULL },
	{ "what", "what", OUT_PLAIN, NULL },
};
static const struct out_view row_view = { columns, N_ELEMS(columns) };

static const struct out_field fields[] = {
	{ "name", "name", OUT_PLAIN, NULL },
	{ "up", "running for", OUT_SECONDS, NULL },
	{ "counts", "counts", OUT_COUNTS, NULL },
	{ "list", "list", OUT_PLAIN, NULL },
	{ "missing/below", "never", OUT_PLAIN, NULL },
	{ "rows", "rows", OUT_ROWS, &row_view },
	{ "doc", "document", OUT_BLOCK, NULL },
};
static const struct out_view object_view = { fields, N_ELEMS(fields) };

/* What is printed of a document by one of the functions. */
static char *
printed(bool json, int how, const char *text)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);
	struct out *o = out_new(f, f, json);
	json_t *doc = json_loads(text, 0, NULL);
	struct err e = { .code = ERR_NOT_FOUND, .msg = "nobody" };

	ck_assert_ptr_nonnull(doc);
	if (how == 'o')
		out_object(o, &object_view, doc);
	else if (how == 't')
		out_table(o, &row_view, doc, "rows");
	else if (how == 'r')
		out_row(o, &row_view, doc);
	else
		out_error(o, EXIT_NOT_FOUND, &e);
	ck_assert(out_free(o));
	json_decref(doc);
	ck_assert_int_eq(fclose(f), 0);
	return out;
}

START_TEST(text_and_json_of_the_same_values)
{
	static const struct {
		bool json;
		int how;
		const char *doc, *text;
	} rows[] = {
		{ false, 't', "{\"rows\":[]}", "NAME  WHEN  WHAT\n" },
		{ false, 't',
		    "{\"rows\":[{\"name\":\"a\",\"what\":true},{\"name\":\"long "
		    "one\",\"what\":null}]}",
		    "NAME      WHEN  WHAT\na         -     yes\nlong one  -     -\n" },
		{ false, 't',
		    "{\"rows\":[{\"name\":\"\\u00e4\\u00f6\",\"what\":1},{\"name\":\"abc\","
		    "\"what\":2.5}]}",
		    "NAME  WHEN  WHAT\näö    -     1\nabc   -     2.500\n" },
		{ false, 'r', "{\"name\":\"dev\",\"state\":{\"when\":0},\"what\":[1,\"b\"]}",
		    "dev  1970-01-01T00:00:00.000Z  1 b\n" },
		{ false, 'r', "{\"name\":\"\\u001b[2Jx\\ny\"}", "\\x1b[2Jx\\ny  -  -\n" },
		{ true, 'r', "{\"name\":\"a\\nb\"}", "{\"name\":\"a\\nb\"}\n" },
		{ false, 'o',
		    "{\"name\":\"n\",\"up\":93784,\"counts\":{\"a\":1,\"b\":0,\"c\":2},\"list\":["
		    "\"x\",\"y\"]}",
		    "name:        n\nrunning for: 1d 02:03:04\ncounts:      a 1, c 2\nlist:        "
		    "x y\n" },
		{ false, 'o', "{\"name\":null,\"list\":[],\"rows\":[],\"doc\":\"\"}", "" },
		{ false, 'o', "{\"rows\":[{\"name\":\"r\"}],\"doc\":{\"k\":1}}",
		    "rows:\n  NAME  WHEN  WHAT\n  r     -     -\ndocument:\n  {\n    \"k\": 1\n  "
		    "}\n" },
		{ false, 'o', "{\"doc\":\"one\\ntwo \\u0007\\n\"}",
		    "document:\n  one\n  two \\x07\n" },
		{ true, 'o', "{\"z\":1,\"a\":0.1}", "{\n  \"z\": 1,\n  \"a\": 0.1\n}\n" },
		{ false, 'e', "{}", "lwm2m-prov: nobody\n" },
		{ true, 'e', "{}",
		    "lwm2m-prov: nobody\n{\n  \"error\": {\n    \"exit\": 8,\n    \"name\": "
		    "\"not_found\",\n    \"code\": "
		    "\"not_found\",\n    \"detail\": \"nobody\",\n    \"retryable\": false\n  "
		    "}\n}\n" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char *got = printed(rows[i].json, rows[i].how, rows[i].doc);

		ck_assert_str_eq(got, rows[i].text);
		free(got);
	}
}
END_TEST

START_TEST(a_stream_that_is_full_is_told)
{
	FILE *f = fopen("/dev/full", "we");
	struct out *o = out_new(f, stderr, false);

	ck_assert_ptr_nonnull(f);
	out_say(o, "%s", "text");
	ck_assert(!out_free(o));
	(void)fclose(f);
}
END_TEST

/* ---- progress ---- */

START_TEST(progress_is_quiet_for_two_seconds)
{
	static const struct {
		uint64_t at_ms;
		size_t done;
		const char *says;
	} steps[] = {
		{ 1000, 1, "" },
		{ 2999, 50, "" },
		{ 3000, 50, "lwm2m-prov: 50 of 200 rows, 25%, 25/s\n" },
		{ 7999, 60, "" },
		{ 8000, 70, "lwm2m-prov: 70 of 200 rows, 35%, 10/s\n" },
	};
	char *text = NULL;
	size_t n = 0, before = 0;
	FILE *f = tmpfile();
	struct progress p;

	ck_assert_ptr_nonnull(f);
	progress_start(&p, f, "rows", 200, 1000);
	ck_assert(!p.terminal);
	(void)fclose(f);
	p.to = open_memstream(&text, &n);
	for (size_t i = 0; i < N_ELEMS(steps); i++) {
		p.done = steps[i].done;
		progress_tick(&p, steps[i].at_ms);
		(void)fflush(p.to);
		ck_assert_str_eq(text + before, steps[i].says);
		before = n;
	}
	progress_end(&p);
	(void)fclose(p.to);
	ck_assert_uint_eq(n, before);
	free(text);
}
END_TEST

/* ---- result files ---- */

static char file[] = "/tmp/test_prov.XXXXXX";

static void
make_file(const char *content)
{
	int fd;

	(void)snprintf(file, sizeof file, "/tmp/test_prov.XXXXXX");
	fd = mkstemp(file);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	(void)close(fd);
}

static struct docs
docs_of(const char *text)
{
	struct docs d = { 0 };
	struct err e = { 0 };

	ck_assert_msg(docs_add_text(&d, "t.json", text, strlen(text), &e) == ERR_OK, "%s", e.msg);
	ck_assert_ptr_nonnull(d.v[0].doc);
	return d;
}

#define DOC(label) "{\"profile_format\":1,\"endpoint\":\"dev\",\"labels\":{\"l\":\"" label "\"}}"

/* A run that puts one row. */
static void
put_row(const char *doc, const char *result)
{
	struct docs d = docs_of(doc);
	struct result_file *r = NULL;
	struct err e = { 0 };
	json_t *row =
	    json_pack("{s:s, s:s, s:s}", "kind", "device", "name", "dev", "result", result);

	ck_assert_msg(result_open(file, &r, &e) == ERR_OK, "%s", e.msg);
	ck_assert_int_eq(result_put(r, &d.v[0], row, &e), ERR_OK);
	ck_assert_int_eq(result_sync(r, &e), ERR_OK);
	result_close(r);
	json_decref(row);
	docs_clear(&d);
}

static bool
has(const char *doc)
{
	struct docs d = docs_of(doc);
	struct result_file *r = NULL;
	struct err e = { 0 };

	ck_assert_msg(result_open(file, &r, &e) == ERR_OK, "%s", e.msg);
	bool found = result_has(r, &d.v[0]);
	result_close(r);
	docs_clear(&d);
	return found;
}

START_TEST(what_was_acknowledged_as_it_is_now_is_known)
{
	static const struct {
		const char *results[3]; /* of runs with the first document */
		const char *asked;
		bool known;
	} rows[] = {
		{ { NULL }, DOC("1"), false },
		{ { "created" }, DOC("1"), true },
		{ { "created" }, DOC("2"), false },
		{ { "updated" }, DOC("1"), true },
		{ { "unchanged" }, DOC("1"), true },
		{ { "invalid" }, DOC("1"), false },
		{ { "pending" }, DOC("1"), false },
		{ { "pending", "created" }, DOC("1"), true },
		{ { "created", "conflict" }, DOC("1"), false },
		{ { "created", "error", "updated" }, DOC("1"), true },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		make_file("");
		for (size_t k = 0; k < 3 && rows[i].results[k] != NULL; k++)
			put_row(DOC("1"), rows[i].results[k]);
		ck_assert_msg(has(rows[i].asked) == rows[i].known, "row %zu", i);
		(void)unlink(file);
	}
}
END_TEST

START_TEST(a_row_that_was_cut_off_is_removed)
{
	struct stat before, after;
	FILE *f;

	make_file("");
	put_row(DOC("1"), "created");
	ck_assert_int_eq(stat(file, &before), 0);
	f = fopen(file, "ae");
	ck_assert_ptr_nonnull(f);
	(void)fputs("{\"result\":\"crea", f);
	(void)fclose(f);
	ck_assert(has(DOC("1")));
	ck_assert_int_eq(stat(file, &after), 0);
	ck_assert_int_eq(before.st_size, after.st_size);
	(void)unlink(file);
}
END_TEST

START_TEST(the_digest_tells_nothing_of_two_equal_documents)
{
	char *text = NULL, *first, *second;
	size_t cap = 0;
	FILE *f;

	make_file("");
	put_row(DOC("1"), "pending");
	put_row(DOC("1"), "pending");
	f = fopen(file, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_gt(getline(&text, &cap, f), 0);
	first = strdup(strstr(text, "\"digest\""));
	ck_assert_int_gt(getline(&text, &cap, f), 0);
	second = strstr(text, "\"digest\"");
	ck_assert_str_ne(first, second);
	(void)fclose(f);
	free(first);
	free(text);
	(void)unlink(file);
}
END_TEST

START_TEST(a_file_of_something_else_is_refused_and_left_alone)
{
	static const struct {
		const char *content, *error; /* behind the file's name */
	} rows[] = {
		{ "hello\n", ":1: is no row of results" },
		{ "{\"a\":1}\n", ":1: is no row of results" },
		{ "[]\n", ":1: is no row of results" },
		{ "{\"result\":\"created\"}\nx\n", ":2: is no row of results" },
		{ "key", ": its last line is no row of results" },
		{ "\n", ":1: is no row of results" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct result_file *r = NULL;
		struct err e = { 0 };
		struct stat st;

		make_file(rows[i].content);
		ck_assert_int_eq(result_open(file, &r, &e), ERR_INVALID);
		ck_assert_int_eq(strncmp(e.msg, file, strlen(file)), 0);
		ck_assert_str_eq(e.msg + strlen(file), rows[i].error);
		ck_assert_int_eq(stat(file, &st), 0);
		ck_assert_uint_eq((size_t)st.st_size, strlen(rows[i].content));
		(void)unlink(file);
	}
}
END_TEST

START_TEST(a_new_file_is_private)
{
	struct result_file *r = NULL;
	struct stat st;
	mode_t mask = umask(0);

	make_file("");
	(void)unlink(file);
	ck_assert_int_eq(result_open(file, &r, NULL), ERR_OK);
	result_close(r);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	(void)unlink(file);
	(void)umask(mask);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(text_and_json_of_the_same_values, 0),
	UNIT_CASE(a_stream_that_is_full_is_told, 0),
	UNIT_CASE(progress_is_quiet_for_two_seconds, 0),
	UNIT_CASE(what_was_acknowledged_as_it_is_now_is_known, 0),
	UNIT_CASE(a_row_that_was_cut_off_is_removed, 0),
	UNIT_CASE(the_digest_tells_nothing_of_two_equal_documents, 0),
	UNIT_CASE(a_file_of_something_else_is_refused_and_left_alone, 0),
	UNIT_CASE(a_new_file_is_private, 0),
};

UNIT_SUITE_MAIN("prov", cases)
