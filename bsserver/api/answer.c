/* What goes back: JSON, text, or a problem document (RFC 9457). */
#include <jansson.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "lib/base/log.h"

/* clang-format off */
static const struct {
	unsigned status;
	bool retryable; /* the same request may work later */
} codes[] = {
	[ERR_OK] = { 200, false },
	[ERR_USAGE] = { 400, false },
	[ERR_INVALID] = { 422, false },
	[ERR_PARSE] = { 400, false },
	[ERR_RANGE] = { 422, false },
	[ERR_UNSUPPORTED] = { 422, false },
	[ERR_NOT_FOUND] = { 404, false },
	[ERR_EXISTS] = { 409, false },
	[ERR_CONFLICT] = { 409, false },
	[ERR_REFUSED] = { 403, false },
	[ERR_LIMIT] = { 413, false },
	[ERR_BUSY] = { 503, true },
	[ERR_NO_MEMORY] = { 503, true },
	[ERR_IO] = { 503, true },
	[ERR_TIMEOUT] = { 504, true },
	[ERR_CRYPTO] = { 500, false },
	[ERR_UNREACHABLE] = { 502, true },
	[ERR_CLOSED] = { 503, true },
	[ERR_INTERNAL] = { 500, false },
};
_Static_assert(N_ELEMS(codes) == ERR__COUNT, "one row per code");

static const struct {
	unsigned status;
	const char *title;
} titles[] = {
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};
/* clang-format on */

unsigned
answer_status(enum err_code code)
{
	return code < ERR__COUNT ? codes[code].status : 500;
}

bool
answer_retryable(enum err_code code)
{
	return code < ERR__COUNT && codes[code].retryable;
}

static const char *
title_of(unsigned status)
{
	for (size_t i = 0; i < N_ELEMS(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void
answer_response(struct req *r, unsigned status, struct MHD_Response *m)
{
	r->answered = true;
	r->status = status;
	r->response = m;
	r->api->n_answers[MIN(status / 100, N_ELEMS(r->api->n_answers) - 1)]++;
	if (status == 403)
		r->api->n_refused++;
	if (r->state_free != NULL)
		r->state_free(r->state);
	r->state = NULL;
	r->state_free = NULL;
	if (r->conn == NULL)
		req_gone(r);
	else if (r->suspended) {
		r->suspended = false;
		api_resume(r->api, r->conn);
	}
}

void
answer_text(struct req *r, unsigned status, const char *type, struct gbuf *g)
{
	struct MHD_Response *m = NULL;

	if (gbuf_check(g, NULL) == ERR_OK) {
		size_t n = g->len;
		void *data = n == 0 ? calloc(1, 1) : (void *)g->data;

		m = MHD_create_response_from_buffer(n, data, MHD_RESPMEM_MUST_FREE);
		if (m != NULL || n == 0)
			*g = (struct gbuf){ 0 };
	}
	gbuf_clear(g);
	if (m != NULL)
		(void)MHD_add_response_header(m, "Content-Type", type);
	answer_response(r, m == NULL ? 503 : status, m);
}

static void
answer_dumped(struct req *r, unsigned status, const char *type, json_t *j)
{
	struct gbuf g = { .max = API_ANSWER_MAX };
	char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);

	if (text != NULL) {
		gbuf_str(&g, text);
		gbuf_u8(&g, '\n');
	} else
		g.failed = true;
	free(text);
	json_decref(j);
	answer_text(r, status, type, &g);
}

void
answer_json(struct req *r, unsigned status, json_t *j)
{
	answer_dumped(r, status, "application/json", j);
}

void
answer_page(struct req *r, const char *key, json_t *list, const char *next, json_t *at)
{
	json_t *j = json_object();

	json_put(j, key, list);
	json_put(j, next, at == NULL ? json_null() : at);
	answer_json(r, 200, j);
}

json_t *
answer_problem(unsigned status, const struct err *e)
{
	json_t *j = json_object();

	json_put(j, "type", json_text("about:blank"));
	json_put(j, "title", json_text(title_of(status)));
	json_put(j, "status", json_integer(status));
	json_put(j, "detail", json_text(e->msg));
	json_put(j, "code", json_text(err_name(e->code)));
	json_put(j, "retryable", json_boolean(answer_retryable(e->code)));
	return j;
}

void
answer_err(struct req *r, unsigned status, const struct err *e)
{
	if (status == 0)
		status = answer_status(e->code);
	if (status >= 500)
		log_msg(LVL_WARNING, LOG_API, NULL, "%s %s answered %u (%s)",
		    r->match.route == NULL ? "?" : r->match.route->method,
		    r->match.route == NULL ? "?" : r->match.route->path, status, e->msg);
	answer_dumped(r, status, "application/problem+json", answer_problem(status, e));
}

void
answer_fail(struct req *r, unsigned status, enum err_code code, const char *fmt, ...)
{
	struct err e = { .code = code };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e.msg, sizeof e.msg, fmt, ap);
	va_end(ap);
	answer_err(r, status, &e);
}
