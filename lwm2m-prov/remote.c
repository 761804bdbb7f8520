#include "lwm2m-prov/remote.h"

#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lwm2m-prov/findings.h"
#include "lwm2m-prov/progress.h"

#define PAGE_ROWS 1000

static enum err_code
code_by_name(const char *name, enum err_code otherwise)
{
	for (enum err_code c = ERR_USAGE; name != NULL && c < ERR__COUNT; c++)
		if (strcmp(err_name(c), name) == 0)
			return c;
	return otherwise;
}

/* For an answer that does not say it in words. */
static enum err_code
code_by_status(long status)
{
	static const struct {
		long status;
		enum err_code code;
	} rows[] = {
		{ 400, ERR_INVALID },
		{ 401, ERR_REFUSED },
		{ 403, ERR_REFUSED },
		{ 404, ERR_NOT_FOUND },
		{ 405, ERR_UNSUPPORTED },
		{ 409, ERR_CONFLICT },
		{ 412, ERR_CONFLICT },
		{ 413, ERR_LIMIT },
		{ 415, ERR_UNSUPPORTED },
		{ 422, ERR_INVALID },
		{ 429, ERR_BUSY },
		{ 503, ERR_BUSY },
		{ 504, ERR_TIMEOUT },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (rows[i].status == status)
			return rows[i].code;
	return ERR_INTERNAL;
}

enum err_code
remote_problem(const struct client_answer *a, struct err *e)
{
	json_t *doc = json_loadb(gbuf_cstr(&a->body), a->body.len, 0, NULL);
	const char *name = json_string_value(json_object_get(doc, "code"));
	const char *detail = json_string_value(json_object_get(doc, "detail"));
	enum err_code rc = code_by_name(name, code_by_status(a->status));
	struct gbuf words = { .max = 4096 };

	/* what the daemon calls wrong usage was our request, not the words of the command line */
	if (rc == ERR_USAGE)
		rc = ERR_INVALID;
	if (detail == NULL)
		detail = json_string_value(json_object_get(doc, "title"));
	if (detail != NULL)
		out_clean(&words, detail, strlen(detail));
	else
		gbuf_printf(&words, "the daemon answered %ld", a->status);
	err_set(e, rc, "%s", gbuf_cstr(&words));
	gbuf_clear(&words);
	json_decref(doc);
	return rc;
}

static enum err_code
parse(const struct client_answer *a, json_t **out, struct err *e)
{
	json_error_t at;

	*out = NULL;
	if (a->body.len == 0)
		return ERR_OK;
	*out = json_loadb(gbuf_cstr(&a->body), a->body.len, JSON_REJECT_DUPLICATES, &at);
	if (*out == NULL)
		return err_set(e, ERR_INTERNAL, "the daemon's answer is not JSON: %s at octet %d",
		    at.text, at.position);
	return ERR_OK;
}

/* A problem may name what is wrong with a document, line by line. */
static void
print_findings(struct cli *cli, const struct client_answer *a)
{
	json_t *doc = json_loadb(gbuf_cstr(&a->body), a->body.len, 0, NULL), *finding;
	size_t i;

	json_array_foreach(json_object_get(doc, "findings"), i, finding)
	{
		struct gbuf line = { .max = 65536 };

		findings_line(&line, finding);
		out_note(cli->out, "%s", gbuf_cstr(&line));
		gbuf_clear(&line);
	}
	json_decref(doc);
}

/* One exchange; with rc ERR_OK the answer is a 2xx and the caller's to clear. */
static enum err_code
exchange(struct cli *cli, const struct client_request *r, struct client_answer *a, struct err *e)
{
	struct client *c;
	enum err_code rc = cli_client(cli, &c, e);

	if (rc == ERR_OK)
		rc = client_call(c, r, a, e);
	if (rc != ERR_OK)
		return rc;
	if (a->status >= 200 && a->status < 300)
		return ERR_OK;
	rc = remote_problem(a, e);
	print_findings(cli, a);
	client_answer_clear(a);
	return rc;
}

enum err_code
remote_get(struct cli *cli, const char *path, struct json_t **out, struct err *e)
{
	const struct client_request r = { .method = "GET", .path = path };
	struct client_answer a;
	enum err_code rc = exchange(cli, &r, &a, e);

	*out = NULL;
	if (rc != ERR_OK)
		return rc;
	rc = parse(&a, out, e);
	if (rc == ERR_OK && *out == NULL)
		rc = err_set(e, ERR_INTERNAL, "the daemon's answer is empty");
	client_answer_clear(&a);
	return rc;
}

static void
put_reason(const struct cli *cli, struct gbuf *path)
{
	if (cli_has(cli, OPT_REASON))
		client_path_query(path, "reason", cli_text(cli, OPT_REASON));
}

enum err_code
remote_call(struct cli *cli, const struct remote_call *call, struct json_t **out, struct err *e)
{
	struct gbuf path = { .max = 65536 };
	char *body = call->body != NULL ? json_dumps(call->body, JSON_COMPACT) : NULL;
	struct client_request r = { .method = call->method, .body = body };
	struct client_answer a;
	enum err_code rc;

	*out = NULL;
	gbuf_str(&path, call->path);
	if (call->audited)
		put_reason(cli, &path);
	if (call->body != NULL && body == NULL) {
		rc = err_no_memory(e);
		goto out;
	}
	r.path = gbuf_cstr(&path);
	r.content_type = body != NULL ? "application/json" : NULL;
	r.body_len = body != NULL ? strlen(body) : 0;
	rc = exchange(cli, &r, &a, e);
	if (rc == ERR_OK) {
		rc = parse(&a, out, e);
		client_answer_clear(&a);
	}
out:
	if (body != NULL)
		wipe(body, strlen(body));
	free(body);
	gbuf_clear(&path);
	return rc;
}

/* Each line of the answer is a row. */
static enum err_code
parse_rows(const struct client_answer *a, json_t *rows, struct err *e)
{
	const char *p = gbuf_cstr(&a->body), *end = p + a->body.len;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl != NULL ? nl : end) - p);

		if (n > 0) {
			json_t *row = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
			bool fine = json_is_object(row) && json_array_append(rows, row) == 0;

			json_decref(row);
			if (!fine)
				return err_set(e, ERR_INTERNAL,
				    "row %zu of the daemon's answer is not a JSON object",
				    json_array_size(rows) + 1);
		}
		p += n + 1;
	}
	return ERR_OK;
}

enum err_code
remote_rows(
    struct cli *cli, const char *path, const struct gbuf *body, struct json_t **rows, struct err *e)
{
	const struct client_request r = { .method = "POST",
		.path = path,
		.content_type = "application/x-ndjson",
		.body = gbuf_cstr(body),
		.body_len = body->len };
	struct client_answer a;
	enum err_code rc = exchange(cli, &r, &a, e);

	*rows = NULL;
	if (rc != ERR_OK)
		return rc;
	*rows = json_array();
	rc = *rows == NULL ? err_no_memory(e) : parse_rows(&a, *rows, e);
	client_answer_clear(&a);
	if (rc != ERR_OK) {
		json_decref(*rows);
		*rows = NULL;
	}
	return rc;
}

void
remote_path(struct gbuf *path, const char *before, const char *name, const char *behind)
{
	*path = (struct gbuf){ .max = 65536 };
	gbuf_str(path, before);
	client_path_value(path, name);
	gbuf_str(path, behind);
}

/* One page behind what the one before ended with. */
static enum err_code
get_page(struct cli *cli, const char *path, uint64_t limit, const json_t *next, json_t **page,
    struct err *e)
{
	struct gbuf full = { .max = 65536 };
	char text[24];
	enum err_code rc;

	gbuf_str(&full, path);
	(void)snprintf(text, sizeof text, "%" PRIu64, limit);
	client_path_query(&full, "limit", text);
	if (json_is_string(next))
		client_path_query(&full, "after", json_string_value(next));
	if (json_is_integer(next)) {
		(void)snprintf(
		    text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(next));
		client_path_query(&full, "before", text);
	}
	rc = remote_get(cli, gbuf_cstr(&full), page, e);
	gbuf_clear(&full);
	return rc;
}

enum err_code
remote_list(struct cli *cli, const char *path, const char *key, uint64_t limit, struct json_t **out,
    struct err *e)
{
	json_t *all = json_pack("{s:[]}", key), *page = NULL, *next = NULL;
	json_t *rows = json_object_get(all, key);
	enum err_code rc = all == NULL ? err_no_memory(e) : ERR_OK;
	struct progress p;

	progress_start(&p, stderr, key, 0, clock_mono_ms());
	while (rc == ERR_OK) {
		uint64_t want =
		    limit == 0 ? PAGE_ROWS : MIN(PAGE_ROWS, limit - json_array_size(rows));

		rc = get_page(cli, path, want, next, &page, e);
		json_decref(next);
		next = json_incref(json_object_get(
		    page, json_object_get(page, "after") != NULL ? "after" : "before"));
		if (rc == ERR_OK && json_array_extend(rows, json_object_get(page, key)) != 0)
			rc = err_set(e, ERR_INTERNAL, "the daemon's answer has no \"%s\"", key);
		json_decref(page);
		page = NULL;
		p.done = json_array_size(rows);
		progress_tick(&p, clock_mono_ms());
		if (next == NULL || json_is_null(next) ||
		    (limit > 0 && json_array_size(rows) >= limit))
			break;
	}
	progress_end(&p);
	if (rc == ERR_OK && json_object_set_new(all, "more",
	                        json_boolean(next != NULL && !json_is_null(next))) != 0)
		rc = err_no_memory(e);
	json_decref(next);
	if (rc == ERR_OK)
		*out = all;
	else
		json_decref(all);
	return rc;
}
