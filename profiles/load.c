/* Where JSON enters: text to a tree of nodes with places. */
#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "profiles/doc.h"

static void
wiping_free(void *p)
{
	if (p != NULL)
		wipe(p, malloc_usable_size(p));
	free(p);
}

void
profile_json_init(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
}

/* jansson ends its texts with the token it stopped at: that may be a key. */
static enum err_code
syntax_error(const json_error_t *je, const char *file, unsigned line, const char *text, size_t n,
    struct err *e)
{
	size_t at = je->position > 0 ? (size_t)je->position : 0;
	struct where w = where_token(text, n, at, line);
	const char *near = strstr(je->text, " near '");
	size_t len = near != NULL ? (size_t)(near - je->text) : strlen(je->text);

	if (json_error_code(je) == json_error_duplicate_key) {
		struct gbuf key = { 0 };

		str_quote(&key, text + w.start + 1, w.end - w.start >= 2 ? w.end - w.start - 2 : 0);
		(void)err_set(e, ERR_PARSE, "%s:%u:%u: \"%.64s\" is there twice", file, w.line,
		    w.column, gbuf_cstr(&key));
		gbuf_clear(&key);
		return ERR_PARSE;
	}
	return err_set(e, ERR_PARSE, "%s:%u:%u: %.*s", file, w.line, w.column, (int)len, je->text);
}

/* What may still come, so that no document costs more than its due. */
struct reader {
	struct psource *src;
	unsigned depth, nodes;
	struct err *e;
};

static struct pnode *convert(struct reader *r, const json_t *j, const char *key);

static bool
convert_members(struct reader *r, struct pnode *n, const json_t *j)
{
	json_t *object = (json_t *)(uintptr_t)j; /* iterating does not change it */

	for (void *it = json_object_iter(object); it != NULL;
	     it = json_object_iter_next(object, it)) {
		struct pnode *k = convert(r, json_object_iter_value(it), json_object_iter_key(it));

		if (k == NULL)
			return false;
		pnode_append(n, k);
	}
	return true;
}

static bool
convert_elements(struct reader *r, struct pnode *n, const json_t *j)
{
	for (size_t i = 0; i < json_array_size(j); i++) {
		struct pnode *k = convert(r, json_array_get(j, i), NULL);

		if (k == NULL)
			return false;
		pnode_append(n, k);
	}
	return true;
}

static enum pnode_type
type_of(const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return PN_OBJECT;
	case JSON_ARRAY:
		return PN_ARRAY;
	case JSON_STRING:
		return PN_STRING;
	case JSON_INTEGER:
		return PN_INT;
	case JSON_REAL:
		return PN_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return PN_BOOL;
	case JSON_NULL:
		return PN_NULL;
	}
	return PN_NULL;
}

static bool
fill(struct reader *r, struct pnode *n, const json_t *j)
{
	switch (n->type) {
	case PN_OBJECT:
		return convert_members(r, n, j);
	case PN_ARRAY:
		return convert_elements(r, n, j);
	case PN_STRING:
		return pnode_set_string(n, json_string_value(j), json_string_length(j), r->e) ==
		       ERR_OK;
	case PN_INT:
		n->i = json_integer_value(j);
		break;
	case PN_REAL:
		n->f = json_real_value(j);
		break;
	case PN_BOOL:
		n->b = json_is_true(j);
		break;
	case PN_NULL:
		break;
	}
	return true;
}

static enum err_code
check_bounds(const struct reader *r, const json_t *j, const char *key)
{
	size_t members = json_is_object(j) ? json_object_size(j) : json_array_size(j);

	if (r->depth == 0)
		return err_set(r->e, ERR_LIMIT, "nested deeper than %d", PROFILE_DEPTH_MAX);
	if (r->nodes == 0)
		return err_set(r->e, ERR_LIMIT, "more than %d values", PROFILE_NODES_MAX);
	if (members > PROFILE_MEMBERS_MAX)
		return err_set(r->e, ERR_LIMIT, "an object or list of %zu; %d are the most",
		    members, PROFILE_MEMBERS_MAX);
	if (key != NULL && strlen(key) > PROFILE_NAME_MAX)
		return err_set(r->e, ERR_LIMIT, "a key of %zu octets; %d are the most", strlen(key),
		    PROFILE_NAME_MAX);
	return ERR_OK;
}

static struct pnode *
convert(struct reader *r, const json_t *j, const char *key)
{
	if (check_bounds(r, j, key) != ERR_OK)
		return NULL;
	struct pnode *n = pnode_new(type_of(j), key, r->src);
	if (n == NULL) {
		(void)err_no_memory(r->e);
		return NULL;
	}
	r->nodes--;
	r->depth--;
	bool ok = fill(r, n, j);
	r->depth++;
	if (ok)
		return n;
	pnode_free(n);
	return NULL;
}

static enum err_code
make_doc(const json_t *j, const char *file, const char *text, size_t n, unsigned line,
    struct profile_doc **out, struct err *e)
{
	struct err own;
	struct profile_doc *d = calloc(1, sizeof *d);

	if (d == NULL)
		return err_no_memory(e);
	d->src = psource_new(file);
	if (d->src == NULL) {
		free(d);
		return err_no_memory(e);
	}
	struct reader r = {
		.src = d->src, .depth = PROFILE_DEPTH_MAX, .nodes = PROFILE_NODES_MAX, .e = &own
	};
	d->root = convert(&r, j, NULL);
	if (d->root == NULL) {
		profile_doc_free(d);
		return err_set(e, own.code, "%s:%u:1: %s", file, line, own.msg);
	}
	where_mark(d->root, text, n, line);
	pdoc_identify(d);
	if (d->kind == PROFILE_SHARED)
		d->src->shared = str_dup_n(d->name, strlen(d->name));
	if (d->kind == PROFILE_SHARED && d->src->shared == NULL) {
		profile_doc_free(d);
		return err_no_memory(e);
	}
	*out = d;
	return ERR_OK;
}

static bool
blank(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(" \t\r\n", s[i]) == NULL || s[i] == '\0')
			return false;
	return true;
}

enum err_code
profile_parse(const char *file, unsigned line, const char *text, size_t n, struct profile_doc **out,
    struct err *e)
{
	json_error_t je;
	enum err_code rc;

	if (n > PROFILE_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "%s:%u:1: a document of %zu octets; %zu are the most",
		    file, line, n, PROFILE_TEXT_MAX);
	if (blank(text, n))
		return err_set(e, ERR_PARSE, "%s:%u:1: an empty document", file, line);
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
	if (j == NULL)
		return syntax_error(&je, file, line, text, n, e);
	if (!json_is_object(j)) {
		struct where w = where_token(text, n, 0, line);

		json_decref(j);
		return err_set(e, ERR_PARSE, "%s:%u:%u: a document is an object: {...}", file,
		    w.line, w.column);
	}
	rc = make_doc(j, file, text, n, line, out, e);
	json_decref(j);
	return rc;
}

bool
profile_ndjson_next(
    const char *text, size_t n, size_t *at, unsigned *line, const char **doc, size_t *doc_len)
{
	while (*at < n) {
		const char *p = text + *at, *end = memchr(p, '\n', n - *at);
		size_t len = end != NULL ? (size_t)(end - p) : n - *at;

		*at += len + (end != NULL ? 1 : 0);
		(*line)++;
		if (blank(p, len))
			continue;
		*doc = p;
		*doc_len = len;
		return true;
	}
	return false;
}
