#include "lwm2m-prov/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include <jansson.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

struct out {
	FILE *to, *errors;
	bool json;
	bool broken; /* a write failed */
};

#define CELL_MAX 4096
#define COLUMNS_MAX 12
#define SENTENCE_MAX ((size_t)1 << 20)

struct out *
out_new(FILE *to, FILE *errors, bool json)
{
	struct out *o = calloc(1, sizeof *o);

	if (o != NULL)
		*o = (struct out){ .to = to, .errors = errors, .json = json };
	return o;
}

bool
out_free(struct out *o)
{
	if (o == NULL)
		return true;
	bool fine = fflush(o->to) == 0 && !ferror(o->to) && !o->broken;
	free(o);
	return fine;
}

bool
out_is_json(const struct out *o)
{
	return o->json;
}

void
out_raw(struct out *o, const char *text, size_t n)
{
	if (n > 0 && fwrite(text, 1, n, o->to) != n)
		o->broken = true;
}

static void
dump(struct out *o, const json_t *doc, size_t flags)
{
	char *text = json_dumps(doc, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

	if (text == NULL) {
		o->broken = true;
		return;
	}
	out_raw(o, text, strlen(text));
	out_raw(o, "\n", 1);
	free(text);
}

void
out_json(struct out *o, const struct json_t *doc)
{
	if (o->json)
		dump(o, doc, JSON_INDENT(2));
}

/* doc["a"]["b"] for "a/b"; NULL when it is not there or null. */
static const json_t *
member(const json_t *doc, const char *key)
{
	while (doc != NULL) {
		size_t n = strcspn(key, "/");
		char name[64];

		if (n >= sizeof name)
			return NULL;
		memcpy(name, key, n);
		name[n] = '\0';
		doc = json_object_get(doc, name);
		if (key[n] == '\0')
			return json_is_null(doc) ? NULL : doc;
		key += n + 1;
	}
	return NULL;
}

void
out_clean(struct gbuf *g, const char *text, size_t n)
{
	if (str_is_printable(text, n))
		gbuf_put(g, text, n);
	else
		str_quote(g, text, n);
}

static void put_value(struct gbuf *g, enum out_kind kind, const json_t *v);

static void
put_list(struct gbuf *g, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		gbuf_str(g, i > 0 ? " " : "");
		put_value(g, OUT_PLAIN, item);
	}
}

static void
put_members(struct gbuf *g, const json_t *object)
{
	const char *key, *before = "";
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)object, key, item)
	{
		if (json_is_integer(item) && json_integer_value(item) == 0)
			continue;
		gbuf_str(g, before);
		str_quote(g, key, strlen(key));
		gbuf_str(g, " ");
		put_value(g, OUT_PLAIN, item);
		before = ", ";
	}
}

static void
put_seconds(struct gbuf *g, json_int_t s)
{
	if (s >= 86400)
		gbuf_printf(g, "%" JSON_INTEGER_FORMAT "d ", s / 86400);
	gbuf_printf(
	    g, "%02d:%02d:%02d", (int)(s % 86400 / 3600), (int)(s % 3600 / 60), (int)(s % 60));
}

static void
put_number(struct gbuf *g, enum out_kind kind, const json_t *v)
{
	char when[CLOCK_RFC3339_LEN + 1];

	if (kind == OUT_TIME && json_is_integer(v)) {
		clock_rfc3339(json_integer_value(v), when);
		gbuf_str(g, when);
	} else if (kind == OUT_SECONDS)
		put_seconds(g, (json_int_t)json_number_value(v));
	else if (json_is_integer(v))
		gbuf_printf(g, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		gbuf_printf(g, "%.3f", json_real_value(v));
}

/* Appended as one line; control characters cannot get through. */
static void
put_value(struct gbuf *g, enum out_kind kind, const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		out_clean(g, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		put_number(g, kind, v);
		break;
	case JSON_TRUE:
		gbuf_str(g, "yes");
		break;
	case JSON_FALSE:
		gbuf_str(g, "no");
		break;
	case JSON_ARRAY:
		put_list(g, v);
		break;
	case JSON_OBJECT:
		put_members(g, v);
		break;
	case JSON_NULL:
		break;
	}
}

/* Characters, as far as each takes one place. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
cell(struct gbuf *g, const struct out_field *f, const json_t *row)
{
	const json_t *v = member(row, f->key);

	*g = (struct gbuf){ .max = CELL_MAX };
	if (v != NULL)
		put_value(g, f->kind, v);
	if (g->len == 0)
		gbuf_str(g, "-");
}

static void
put_line(struct out *o, const char *indent, const struct out_view *v, const struct gbuf *cells,
    const size_t *widths)
{
	struct gbuf line = { .max = (size_t)COLUMNS_MAX * (CELL_MAX + 80) };

	gbuf_str(&line, indent);
	for (size_t i = 0; i < v->n; i++) {
		const char *text = gbuf_cstr(&cells[i]);

		gbuf_str(&line, text);
		for (size_t w = MIN(width(text), widths[i]); i + 1 < v->n && w < widths[i] + 2; w++)
			gbuf_str(&line, " ");
	}
	while (line.len > 0 && line.data[line.len - 1] == ' ')
		line.len--;
	gbuf_str(&line, "\n");
	out_raw(o, (const char *)line.data, line.len);
	gbuf_clear(&line);
}

static void
clear_cells(struct gbuf *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gbuf_clear(&cells[i]);
}

static void
heading(struct out *o, const char *indent, const struct out_view *v, const size_t *widths)
{
	struct gbuf cells[COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < v->n; i++)
		for (const char *s = v->fields[i].title; *s != '\0'; s++)
			gbuf_printf(&cells[i], "%c", *s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s);
	put_line(o, indent, v, cells, widths);
	clear_cells(cells, v->n);
}

static void
put_rows(struct out *o, const char *indent, const struct out_view *v, const json_t *rows)
{
	size_t widths[COLUMNS_MAX] = { 0 }, i;
	struct gbuf cells[COLUMNS_MAX];
	const json_t *row;

	for (size_t c = 0; c < v->n; c++)
		widths[c] = strlen(v->fields[c].title);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < v->n; c++) {
			cell(&cells[c], &v->fields[c], row);
			widths[c] = MAX(widths[c], MIN(width(gbuf_cstr(&cells[c])), 60));
		}
		clear_cells(cells, v->n);
	}
	heading(o, indent, v, widths);
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < v->n; c++)
			cell(&cells[c], &v->fields[c], row);
		put_line(o, indent, v, cells, widths);
		clear_cells(cells, v->n);
	}
}

static void
put_block(struct out *o, const json_t *v)
{
	char *dumped = json_is_string(v) ? NULL : json_dumps(v, JSON_INDENT(2) | JSON_ENCODE_ANY);
	const char *text = json_is_string(v) ? json_string_value(v) : dumped;

	while (text != NULL && *text != '\0') {
		struct gbuf line = { .max = (size_t)1 << 20 };
		size_t n = strcspn(text, "\n");

		gbuf_str(&line, "  ");
		out_clean(&line, text, n);
		gbuf_str(&line, "\n");
		out_raw(o, gbuf_cstr(&line), line.len);
		gbuf_clear(&line);
		text += n + (text[n] == '\n');
	}
	free(dumped);
}

static void
put_field(struct out *o, const struct out_field *f, const json_t *v, size_t titles)
{
	struct gbuf g = { .max = (size_t)1 << 20 };
	const char *say = f->title;

	if (f->kind == OUT_ROWS || f->kind == OUT_BLOCK) {
		if ((json_is_array(v) && json_array_size(v) == 0) ||
		    (json_is_string(v) && json_string_length(v) == 0))
			return;
		out_raw(o, say, strlen(say));
		out_raw(o, ":\n", 2);
		if (f->kind == OUT_ROWS)
			put_rows(o, "  ", f->view, v);
		else
			put_block(o, v);
		return;
	}
	gbuf_printf(&g, "%s:%*s", say, (int)(titles + 2 - MIN(strlen(say) + 1, titles + 1)), "");
	size_t before = g.len;
	put_value(&g, f->kind, v);
	gbuf_str(&g, "\n");
	if (g.len > before + 1)
		out_raw(o, gbuf_cstr(&g), g.len);
	gbuf_clear(&g);
}

void
out_object(struct out *o, const struct out_view *v, const struct json_t *doc)
{
	size_t titles = 0;

	out_json(o, doc);
	if (o->json)
		return;
	for (size_t i = 0; i < v->n; i++)
		if (v->fields[i].kind != OUT_ROWS && v->fields[i].kind != OUT_BLOCK &&
		    member(doc, v->fields[i].key) != NULL)
			titles = MAX(titles, strlen(v->fields[i].title));
	for (size_t i = 0; i < v->n; i++) {
		const json_t *value = member(doc, v->fields[i].key);

		if (value != NULL)
			put_field(o, &v->fields[i], value, titles);
	}
}

void
out_table(struct out *o, const struct out_view *v, const struct json_t *doc, const char *key)
{
	out_json(o, doc);
	if (!o->json)
		put_rows(o, "", v, json_object_get(doc, key));
}

void
out_row(struct out *o, const struct out_view *v, const struct json_t *row)
{
	static const size_t widths[COLUMNS_MAX] = { 0 };
	struct gbuf cells[COLUMNS_MAX];

	if (o->json)
		dump(o, row, JSON_COMPACT);
	else {
		for (size_t c = 0; c < v->n; c++)
			cell(&cells[c], &v->fields[c], row);
		put_line(o, "", v, cells, widths);
		clear_cells(cells, v->n);
	}
	if (fflush(o->to) != 0)
		o->broken = true;
}

/* A line of text for people, made harmless. false when it could not be written. */
static bool PRINTF_LIKE(2, 0) put_sentence(FILE *to, const char *fmt, va_list ap)
{
	struct gbuf line = { .max = SENTENCE_MAX };
	char *text = NULL;
	int n = vasprintf(&text, fmt, ap);

	if (n >= 0)
		out_clean(&line, text, (size_t)n);
	free(n >= 0 ? text : NULL);
	gbuf_str(&line, "\n");
	bool fine = n >= 0 && fwrite(gbuf_cstr(&line), 1, line.len, to) == line.len;
	gbuf_clear(&line);
	return fine;
}

void
out_say(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->json)
		return;
	va_start(ap, fmt);
	if (!put_sentence(o->to, fmt, ap))
		o->broken = true;
	va_end(ap);
}

void
out_note(struct out *o, const char *fmt, ...)
{
	va_list ap;

	(void)fflush(o->to);
	(void)fputs("lwm2m-prov: ", o->errors);
	va_start(ap, fmt);
	(void)put_sentence(o->errors, fmt, ap);
	va_end(ap);
}

void
out_error(struct out *o, enum prov_exit end, const struct err *e)
{
	const struct exit_row *row = exit_row(end);
	json_t *doc;

	out_note(o, "%s", e->msg);
	if (!o->json)
		return;
	doc = json_pack("{s:{s:i, s:s, s:s, s:s, s:b}}", "error", "exit", (int)row->code, "name",
	    row->name, "code", err_name(e->code), "detail", e->msg, "retryable",
	    row->retryable || exit_retryable(e->code));
	if (doc == NULL)
		o->broken = true;
	else
		dump(o, doc, JSON_INDENT(2));
	json_decref(doc);
}
