#include "bsserver/api/rows.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "lib/base/str.h"
#include "profiles/profile.h"

struct slice {
	const char *p;
	size_t n;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t
skip_blanks(const char *s, size_t n, size_t at)
{
	while (at < n && is_blank(s[at]))
		at++;
	return at;
}

/* From the quote at s[at] to behind its end; n when it has none. */
static size_t
skip_string(const char *s, size_t n, size_t at)
{
	for (at++; at < n && s[at] != '"'; at++)
		if (s[at] == '\\')
			at++;
	return at < n ? at + 1 : n;
}

/* To behind the value at s[at], by quotes and brackets alone: what is in it is its reader's affair.
 */
static size_t
skip_value(const char *s, size_t n, size_t at)
{
	unsigned depth = 0;

	while (at < n) {
		char c = s[at];

		if (c == '"')
			at = skip_string(s, n, at);
		else if (depth == 0 && (c == ',' || c == ']' || c == '}' || is_blank(c)))
			return at;
		else {
			at++;
			if (c == '{' || c == '[')
				depth++;
			else if ((c == '}' || c == ']') && depth > 0)
				depth--;
		}
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			return at;
	}
	return n;
}

void
rows_open(struct rows *rs, const char *text, size_t n)
{
	*rs = (struct rows){ .text = text, .n = n };
	rs->at = skip_blanks(text, n, 0);
	rs->array = rs->at < n && text[rs->at] == '[';
	if (rs->array) {
		rs->at++;
		rs->line = 1;
	} else
		rs->at = 0;
}

/* ---- one row ---- */

/* "file:line" or just a file. */
static enum err_code
take_source(struct rows_doc *out, struct slice v, struct err *e)
{
	json_t *j = v.n > 0 && v.n < 4096 && v.p[0] == '"'
	                ? json_loadb(v.p, v.n, JSON_DECODE_ANY, NULL)
	                : NULL;
	const char *s = json_string_value(j);
	char *colon;
	uint64_t line;

	if (s == NULL || strlen(s) > ROWS_SOURCE_MAX || s[0] == 0 ||
	    !str_is_printable(s, strlen(s))) {
		json_decref(j);
		return err_set(
		    e, ERR_PARSE, "source: must be text, at most %d octets", ROWS_SOURCE_MAX);
	}
	(void)snprintf(out->file, sizeof out->file, "%s", s);
	json_decref(j);
	colon = strrchr(out->file, ':');
	if (colon != NULL && str_to_u64(colon + 1, strlen(colon + 1), 1, 100000000, &line)) {
		*colon = 0;
		out->line = (unsigned)line;
	}
	return ERR_OK;
}

static bool
key_is(struct slice key, const char *name)
{
	return key.n == strlen(name) + 2 && memcmp(key.p + 1, name, key.n - 2) == 0;
}

static enum err_code
unknown_member(struct slice key, struct err *e)
{
	static const char *const known[] = { "source", "doc" };
	char name[64] = "";
	struct gbuf quoted = { .max = 512 };
	const char *near;

	if (key.n >= 2)
		memcpy(name, key.p + 1, MIN(key.n - 2, sizeof name - 1));
	near = str_nearest(name, known, N_ELEMS(known));
	str_quote(&quoted, name, strlen(name));
	(void)err_set(e, ERR_INVALID, "/%s: unknown member; %s%s%s", gbuf_cstr(&quoted),
	    near == NULL ? "a row has source and doc" : "did you mean ", near == NULL ? "" : near,
	    near == NULL ? "" : "?");
	gbuf_clear(&quoted);
	return ERR_INVALID;
}

static enum err_code
take_member(
    struct rows_doc *out, struct slice key, struct slice v, struct slice *source, struct err *e)
{
	struct slice *to = source, doc = { out->doc, out->doc_len };

	if (key_is(key, "doc"))
		to = &doc;
	else if (!key_is(key, "source"))
		return unknown_member(key, e);
	if (to->p != NULL)
		return err_set(
		    e, ERR_PARSE, "/%s: is there twice", to == source ? "source" : "doc");
	*to = v;
	out->doc = doc.p;
	out->doc_len = doc.n;
	return ERR_OK;
}

/* {"key": value, ...} in s; the values are not looked into. */
static enum err_code
take_members(struct rows_doc *out, struct slice s, struct slice *source, struct err *e)
{
	size_t at = skip_blanks(s.p, s.n, 0) + 1;
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK) {
		struct slice key, v;

		at = skip_blanks(s.p, s.n, at);
		key.p = s.p + at;
		if (at >= s.n || s.p[at] != '"')
			return err_set(
			    e, ERR_PARSE, "a row is an object: {\"source\": ..., \"doc\": {...}}");
		at = skip_string(s.p, s.n, at);
		key.n = (size_t)(s.p + at - key.p);
		at = skip_blanks(s.p, s.n, at);
		if (at >= s.n || s.p[at] != ':')
			return err_set(e, ERR_PARSE, "a colon is missing behind a member's name");
		at = skip_blanks(s.p, s.n, at + 1);
		v.p = s.p + at;
		at = skip_value(s.p, s.n, at);
		v.n = (size_t)(s.p + at - v.p);
		rc = take_member(out, key, v, source, e);
		at = skip_blanks(s.p, s.n, at);
		if (rc != ERR_OK || (at < s.n && s.p[at] == '}'))
			break;
		if (at >= s.n || s.p[at] != ',')
			return err_set(e, ERR_PARSE, "a row does not end as an object does");
		at++;
	}
	if (rc == ERR_OK && skip_blanks(s.p, s.n, at + 1) < s.n)
		return err_set(e, ERR_PARSE, "something stands behind the row");
	return rc;
}

static enum err_code
take_row(struct rows_doc *out, struct slice s, struct err *e)
{
	struct slice source = { NULL, 0 };
	size_t at = skip_blanks(s.p, s.n, 0);
	enum err_code rc;

	if (at >= s.n || s.p[at] != '{')
		return err_set(
		    e, ERR_PARSE, "a row is an object: {\"source\": ..., \"doc\": {...}}");
	rc = take_members(out, s, &source, e);
	if (rc == ERR_OK && source.p != NULL)
		rc = take_source(out, source, e);
	if (rc != ERR_OK)
		return rc;
	if (out->doc == NULL)
		return err_set(e, ERR_INVALID, "/doc: is missing");
	if (out->doc_len < 2 || out->doc[0] != '{')
		return err_set(e, ERR_INVALID, "/doc: must be an object");
	if (!json_depth_ok(out->doc, out->doc_len, PROFILE_DEPTH_MAX + 1))
		return err_set(
		    e, ERR_LIMIT, "/doc: nests deeper than %d levels", PROFILE_DEPTH_MAX);
	return ERR_OK;
}

/* ---- from row to row ---- */

/* The next element of the array; false at its end, or with *rc when it is none. */
static bool
next_element(struct rows *rs, struct slice *out, enum err_code *rc, struct err *e)
{
	size_t at = skip_blanks(rs->text, rs->n, rs->at);

	if (at < rs->n && rs->row > 0 && rs->text[at] == ',')
		at = skip_blanks(rs->text, rs->n, at + 1);
	else if (at < rs->n && rs->text[at] == ']') {
		rs->over = true;
		if (skip_blanks(rs->text, rs->n, at + 1) < rs->n)
			*rc = err_set(e, ERR_PARSE, "something stands behind the array");
		return false;
	} else if (rs->row > 0 || at >= rs->n) {
		*rc = err_set(e, ERR_PARSE, "the array does not end as one does");
		return false;
	}
	for (size_t i = rs->at; i < at; i++)
		rs->line += rs->text[i] == '\n';
	out->p = rs->text + at;
	rs->at = skip_value(rs->text, rs->n, at);
	out->n = (size_t)(rs->text + rs->at - out->p);
	return true;
}

bool
rows_next(struct rows *rs, struct rows_doc *out, enum err_code *rc, struct err *e)
{
	struct slice s = { NULL, 0 };
	bool there;

	*rc = ERR_OK;
	if (rs->over)
		return false;
	if (rs->array)
		there = next_element(rs, &s, rc, e);
	else
		there = profile_ndjson_next(rs->text, rs->n, &rs->at, &rs->line, &s.p, &s.n);
	if (!there && *rc == ERR_OK)
		return false;
	*out = (struct rows_doc){ .row = ++rs->row, .file = "body", .line = rs->line };
	if (*rc == ERR_OK)
		*rc = take_row(out, s, e);
	for (size_t i = 0; rs->array && i < s.n; i++)
		rs->line += s.p[i] == '\n';
	if (*rc != ERR_OK && rs->array)
		rs->over = true;
	return true;
}
