/* The table of routes, what it matches, what it refuses, and that docs/openapi.yaml says the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/apply.h"
#include "bsserver/api/perms.h"
#include "bsserver/api/rows.h"
#include "bsserver/api/sessions.h"
#include "tests/unit/unit.h"

/* ---- routes ---- */

/* clang-format off */
static const struct {
	const char *method, *path;
	enum err_code rc;
	const char *fits; /* the pattern; or what is allowed instead; or part of the message */
	const char *arg;
} paths[] = {
	{ "GET", "/v1/version", ERR_OK, "/v1/version", NULL },
	{ "GET", "/v1/devices", ERR_OK, "/v1/devices", NULL },
	{ "GET", "/v1/devices/a", ERR_OK, "/v1/devices/{ep}", "a" },
	{ "GET", "/v1/devices/urn:imei:1", ERR_OK, "/v1/devices/{ep}", "urn:imei:1" },
	{ "GET", "/v1/devices/a%2Fb", ERR_OK, "/v1/devices/{ep}", "a/b" },
	{ "GET", "/v1/devices/%C3%A4", ERR_OK, "/v1/devices/{ep}", "\xc3\xa4" },
	{ "GET", "/v1/devices/plan/plan", ERR_OK, "/v1/devices/{ep}/plan", "plan" },
	{ "GET", "/v1/devices/a/sessions/last", ERR_OK, "/v1/devices/{ep}/sessions/last", "a" },
	{ "DELETE", "/v1/devices/a/session", ERR_OK, "/v1/devices/{ep}/session", "a" },
	{ "GET", "/metrics", ERR_OK, "/metrics", NULL },
	{ "GET", "", ERR_NOT_FOUND, "there is nothing at this path", NULL },
	{ "GET", "/", ERR_NOT_FOUND, "there is nothing at this path", NULL },
	{ "GET", "/v1", ERR_NOT_FOUND, "there is nothing at this path", NULL },
	{ "GET", "/v1/version/", ERR_NOT_FOUND, "there is nothing at this path", NULL },
	{ "GET", "/v1/versio", ERR_NOT_FOUND, "there is nothing at this path", NULL },
	{ "GET", "/v1/versions", ERR_NOT_FOUND, "there is nothing at this path", NULL },
	{ "GET", "/v1/devices//plan", ERR_NOT_FOUND, "there is nothing at this path", NULL },
	{ "GET", "/v1/devices/a/b/c/d", ERR_NOT_FOUND, "there is nothing at this path", NULL },
	{ "POST", "/v1/version", ERR_USAGE, "GET", NULL },
	{ "get", "/v1/version", ERR_USAGE, "GET", NULL },
	{ "PATCH", "/v1/devices/a", ERR_USAGE, "GET, DELETE", NULL },
	{ "GET", "/v1/devices/%", ERR_PARSE, "neither text nor percent-encoded text", NULL },
	{ "GET", "/v1/devices/%0a", ERR_PARSE, "neither text nor percent-encoded text", NULL },
	{ "GET", "/v1/devices/%00", ERR_PARSE, "neither text nor percent-encoded text", NULL },
	{ "GET", "/v1/devices/%ff", ERR_PARSE, "neither text nor percent-encoded text", NULL },
};
/* clang-format on */

START_TEST(a_path_finds_its_route)
{
	struct route_match m = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(route_find(paths[_i].method, paths[_i].path, &m, &e), paths[_i].rc);
	if (paths[_i].rc == ERR_OK)
		ck_assert_str_eq(m.route->path, paths[_i].fits);
	else if (paths[_i].rc == ERR_USAGE)
		ck_assert_str_eq(m.allow, paths[_i].fits);
	else
		ck_assert_ptr_nonnull(strstr(e.msg, paths[_i].fits));
	if (paths[_i].arg != NULL)
		ck_assert_str_eq(m.args[0], paths[_i].arg);
	route_match_clear(&m);
}
END_TEST

START_TEST(a_segment_too_long_is_refused)
{
	struct route_match m = { 0 };
	struct err e;
	char path[1024] = "/v1/devices/";

	memset(path + 12, 'a', 769);
	ck_assert_int_eq(route_find("GET", path, &m, &e), ERR_LIMIT);
	ck_assert_str_eq(e.msg, "a name in the path is longer than 768 octets");
	route_match_clear(&m);
}
END_TEST

START_TEST(each_route_is_complete)
{
	const struct route *rt;

	for (size_t i = 0; (rt = route_at(i)) != NULL; i++) {
		ck_assert_str_ne(perm_name(rt->permission), "unknown");
		ck_assert(rt->run != NULL && rt->summary[0] != 0);
		ck_assert_msg(
		    rt->body == BODY_NONE || strcmp(rt->method, "POST") == 0, "%s", rt->path);
		/* who only looks changes nothing, and the reverse */
		ck_assert_msg(rt->way != ROUTE_CHANGES || rt->permission != PERM_READ, "%s", rt->path);
		for (size_t k = 0; k < i; k++)
			ck_assert(strcmp(route_at(k)->path, rt->path) != 0 ||
			          strcmp(route_at(k)->method, rt->method) != 0);
	}
}
END_TEST

/* ---- docs/openapi.yaml ---- */

/* Lines of "METHOD PATH PERMISSION SUMMARY" as the table says it. */
static void
print_table(struct gbuf *out)
{
	const struct route *rt;

	for (size_t i = 0; (rt = route_at(i)) != NULL; i++)
		gbuf_printf(out, "%s %s %s %s\n", rt->method, rt->path, perm_name(rt->permission),
		    rt->summary);
}

/* The same as the description says it: paths at two blanks, methods at four, what is theirs at six.
 */
static void
print_described(FILE *f, struct gbuf *out)
{
	char text[512], path[256] = "", method[16] = "", permission[32] = "";

	while (fgets(text, sizeof text, f) != NULL) {
		char value[400];

		text[strcspn(text, "\n")] = 0;
		if (sscanf(text, "  /%250[^:]:", value) == 1 && text[2] == '/')
			(void)snprintf(path, sizeof path, "/%.250s", value);
		else if (strcmp(text, "components:") == 0)
			break;
		else if (sscanf(text, "    %8[a-z]:", value) == 1 && text[4] != ' ' &&
		         text[4] != '-') {
			size_t n = strlen(value);

			for (size_t i = 0; i <= n; i++)
				method[i] =
				    (char)(value[i] >= 'a' ? value[i] - 'a' + 'A' : value[i]);
		} else if (sscanf(text, "      x-permission: %30s", value) == 1)
			(void)snprintf(permission, sizeof permission, "%.30s", value);
		else if (sscanf(text, "      summary: %399[^\n]", value) == 1) {
			size_t n = strlen(value);
			bool quoted = n > 1 && value[0] == '"';

			gbuf_printf(out, "%s %s %s %.*s\n", method, path, permission,
			    (int)(quoted ? n - 2 : n), quoted ? value + 1 : value);
		}
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t
sorted_lines(struct gbuf *g, char *v[], size_t cap)
{
	char *save = NULL;
	size_t n = 0;

	for (char *s = strtok_r((char *)g->data, "\n", &save); s != NULL;
	     s = strtok_r(NULL, "\n", &save)) {
		ck_assert_uint_lt(n, cap);
		v[n++] = s;
	}
	qsort(v, n, sizeof *v, by_text);
	return n;
}

START_TEST(openapi_describes_these_routes)
{
	const char *root = getenv("SRCDIR");
	struct gbuf table = { 0 }, described = { 0 };
	char file[1024], *a[100], *b[100];
	FILE *f;

	(void)snprintf(file, sizeof file, "%s/docs/openapi.yaml", root == NULL ? "." : root);
	f = fopen(file, "r");
	ck_assert_msg(f != NULL, "%s", file);
	print_table(&table);
	print_described(f, &described);
	(void)fclose(f);
	size_t n = sorted_lines(&table, a, N_ELEMS(a)), k = sorted_lines(&described, b, N_ELEMS(b));
	for (size_t i = 0; i < n && i < k; i++)
		ck_assert_str_eq(a[i], b[i]);
	ck_assert_uint_eq(n, k);
	gbuf_clear(&table);
	gbuf_clear(&described);
}
END_TEST

/* Each parameter of the table stands in the description behind its path. */
START_TEST(openapi_names_the_parameters)
{
	const char *root = getenv("SRCDIR");
	char file[1024], words[128], needle[96];
	struct gbuf all = { 0 };
	const struct route *rt;
	FILE *f;
	int c;

	(void)snprintf(file, sizeof file, "%s/docs/openapi.yaml", root == NULL ? "." : root);
	f = fopen(file, "r");
	ck_assert_msg(f != NULL, "%s", file);
	while ((c = fgetc(f)) != EOF)
		gbuf_u8(&all, (uint8_t)c);
	(void)fclose(f);
	for (size_t i = 0; (rt = route_at(i)) != NULL; i++) {
		char *save = NULL;

		(void)snprintf(words, sizeof words, "%s", rt->query);
		for (char *w = strtok_r(words, " ", &save); w != NULL;
		     w = strtok_r(NULL, " ", &save)) {
			(void)snprintf(needle, sizeof needle, "name: %s, in: query", w);
			ck_assert_msg(
			    strstr(gbuf_cstr(&all), needle) != NULL, "%s: %s", rt->path, w);
		}
	}
	gbuf_clear(&all);
}
END_TEST

/* ---- parameters ---- */

START_TEST(unknown_parameters_name_the_nearest)
{
	static const struct route rt = { .query = "glob since limit before" },
	                          none = { .query = "" };
	struct err e;

	ck_assert_int_eq(route_takes(&rt, "limit", &e), ERR_OK);
	ck_assert_int_eq(route_takes(&rt, "Limit", &e), ERR_USAGE);
	ck_assert_int_eq(route_takes(&rt, "limits", &e), ERR_USAGE);
	ck_assert_str_eq(e.msg, "limits: unknown parameter; did you mean limit?");
	ck_assert_int_eq(route_takes(&rt, "x\ny", &e), ERR_USAGE);
	ck_assert_str_eq(e.msg, "x\\ny: unknown parameter; there are: glob since limit before");
	ck_assert_int_eq(route_takes(&none, "a", &e), ERR_USAGE);
	ck_assert_str_eq(e.msg, "a: unknown parameter; there are none here");
}
END_TEST

/* ---- permissions ---- */

START_TEST(permissions_are_words)
{
	static const struct {
		const char *words;
		unsigned bits;
		const char *msg;
	} rows[] = {
		{ "read", PERM_READ, NULL },
		{ " read\tenroll  operate ", PERM_READ | PERM_ENROLL | PERM_OPERATE, NULL },
		{ "admin secrets", PERM_ADMIN | PERM_SECRETS, NULL },
		{ "", 0, "no permission is given" },
		{ "  ", 0, "no permission is given" },
		{ "reed", 0, "no permission is called reed; did you mean read?" },
		{ "read all", 0, "no permission is called all" },
		{ "READ", 0, "no permission is called READ" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct err e = { 0 };
		unsigned bits;

		if (rows[i].msg == NULL) {
			ck_assert_int_eq(perm_parse(rows[i].words, &bits, &e), ERR_OK);
			ck_assert_uint_eq(bits, rows[i].bits);
		} else {
			ck_assert_int_eq(perm_parse(rows[i].words, &bits, &e), ERR_INVALID);
			ck_assert_str_eq(e.msg, rows[i].msg);
		}
	}
}
END_TEST

START_TEST(grants_are_by_user_and_group)
{
	char root_group[] = "root", nobody[] = "nobody", read[] = "read", operate[] = "operate",
	     ghost[] = "no-such-user";
	struct conf_grant grants[] = { { .group = root_group, .permissions = read },
		{ .user = nobody, .permissions = operate } };
	struct conf_grant bad = { .user = ghost, .permissions = read };
	struct perms_peer peer = { .uid = 4242, .groups = { 4242 }, .n_groups = 1 };
	struct perms *p = NULL;
	struct err e;

	ck_assert_int_eq(perms_new(grants, 2, &p, &e), ERR_OK);
	ck_assert_uint_eq(perms_of(p, &peer), 0);
	peer.groups[peer.n_groups++] = 0;
	ck_assert_uint_eq(perms_of(p, &peer), PERM_READ);
	peer.uid = 65534;
	ck_assert_uint_eq(perms_of(p, &peer), PERM_READ | PERM_OPERATE);
	peer = (struct perms_peer){ .uid = 0, .n_groups = 0 };
	ck_assert_uint_eq(perms_of(p, &peer), PERM_ALL);
	perms_free(p);
	ck_assert_int_eq(perms_new(&bad, 1, &p, &e), ERR_INVALID);
	ck_assert_str_eq(e.msg, "api.permissions: no user no-such-user on this machine");
}
END_TEST

/* ---- codes, peers, rows, differences ---- */

START_TEST(each_code_has_a_status)
{
	ck_assert_uint_eq(answer_status(ERR_NOT_FOUND), 404);
	ck_assert_uint_eq(answer_status(ERR_CONFLICT), 409);
	ck_assert_uint_eq(answer_status(ERR_BUSY), 503);
	ck_assert(answer_retryable(ERR_BUSY) && !answer_retryable(ERR_INVALID));
	for (int c = ERR_USAGE; c < ERR__COUNT; c++)
		ck_assert_uint_ge(answer_status((enum err_code)c), 400);
}
END_TEST

START_TEST(a_peer_with_and_without_its_port)
{
	ck_assert(session_of_peer("192.0.2.1:1000", "192.0.2.1:1000"));
	ck_assert(session_of_peer("192.0.2.1:1000", "192.0.2.1"));
	ck_assert(!session_of_peer("192.0.2.11:1000", "192.0.2.1"));
	ck_assert(!session_of_peer("192.0.2.1:1000", "192.0.2.1:100"));
	ck_assert(session_of_peer("[::1]:5684", "::1"));
	ck_assert(session_of_peer("[::1]:5684", "[::1]"));
	ck_assert(session_of_peer("[::1]:5684", "[::1]:5684"));
	ck_assert(!session_of_peer("[::1]:5684", "::"));
	ck_assert(!session_of_peer("[::1:2]:5684", "::1"));
	ck_assert(session_of_peer("[::ffff:192.0.2.1]:5684", "192.0.2.1"));
	ck_assert(session_of_peer("[::ffff:192.0.2.1]:5684", "192.0.2.1:5684"));
	ck_assert(session_of_peer("[::ffff:192.0.2.1]:5684", "::ffff:192.0.2.1"));
	ck_assert(!session_of_peer("[::ffff:192.0.2.1]:5684", "192.0.2.1:568"));
	ck_assert(session_of_peer("[2001:DB8::1]:5684", "2001:db8::1"));
	ck_assert(!session_of_peer(NULL, "::1"));
}
END_TEST

START_TEST(rows_keep_their_place)
{
	static const char text[] = "\n{\"doc\":{\"a\":\"}\"},\"source\":\"dir/"
	                           "f.json:12\"}\n\n{\"doc\":{}}\nx\n{\"doc\":{}}";
	struct rows rs;
	struct rows_doc d;
	enum err_code rc;
	struct err e;

	rows_open(&rs, text, sizeof text - 1);
	ck_assert(rows_next(&rs, &d, &rc, &e));
	ck_assert_int_eq(rc, ERR_OK);
	ck_assert_str_eq(d.file, "dir/f.json");
	ck_assert_uint_eq(d.line, 12);
	ck_assert_uint_eq(d.doc_len, strlen("{\"a\":\"}\"}"));
	ck_assert(rows_next(&rs, &d, &rc, &e));
	ck_assert_str_eq(d.file, "body");
	ck_assert_uint_eq(d.line, 4);
	ck_assert(rows_next(&rs, &d, &rc, &e));
	ck_assert_int_eq(rc, ERR_PARSE);
	ck_assert_uint_eq(d.row, 3);
	ck_assert(rows_next(&rs, &d, &rc, &e));
	ck_assert_int_eq(rc, ERR_OK);
	ck_assert(!rows_next(&rs, &d, &rc, &e));
}
END_TEST

START_TEST(arrays_end_as_they_should)
{
	static const struct {
		const char *text;
		unsigned good;
		const char *msg;
	} rows[] = {
		{ "[]", 0, NULL },
		{ " [ {\"doc\":{}} , {\"doc\":{}}\n] ", 2, NULL },
		{ "[{\"doc\":{}}", 1, "the array does not end as one does" },
		{ "[{\"doc\":{}} {\"doc\":{}}]", 1, "the array does not end as one does" },
		{ "[{\"doc\":{}}] x", 1, "something stands behind the array" },
		{ "[{\"doc\":{}},]", 1, "a row is an object: {\"source\": ..., \"doc\": {...}}" },
		{ "[", 0, "the array does not end as one does" },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct rows rs;
		struct rows_doc d;
		enum err_code rc = ERR_OK;
		struct err e = { 0 };
		unsigned good = 0;

		rows_open(&rs, rows[i].text, strlen(rows[i].text));
		while (rows_next(&rs, &d, &rc, &e) && rc == ERR_OK)
			good++;
		ck_assert_uint_eq(good, rows[i].good);
		ck_assert_msg(
		    (rc == ERR_OK) == (rows[i].msg == NULL), "%s: %s", rows[i].text, e.msg);
		if (rows[i].msg != NULL)
			ck_assert_str_eq(e.msg, rows[i].msg);
	}
}
END_TEST

/* clang-format off */
static const struct unit_case cases[] = {
	UNIT_CASE(a_path_finds_its_route, N_ELEMS(paths)),
	UNIT_CASE(a_segment_too_long_is_refused, 0),
	UNIT_CASE(each_route_is_complete, 0),
	UNIT_CASE(openapi_describes_these_routes, 0),
	UNIT_CASE(openapi_names_the_parameters, 0),
	UNIT_CASE(unknown_parameters_name_the_nearest, 0),
	UNIT_CASE(permissions_are_words, 0),
	UNIT_CASE(grants_are_by_user_and_group, 0),
	UNIT_CASE(each_code_has_a_status, 0),
	UNIT_CASE(a_peer_with_and_without_its_port, 0),
	UNIT_CASE(rows_keep_their_place, 0),
	UNIT_CASE(arrays_end_as_they_should, 0),
};
/* clang-format on */

UNIT_SUITE_MAIN("api_routes", cases)
