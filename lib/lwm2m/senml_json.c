/* application/senml+json, 110 (RFC 8428 section 5). */
#include "lib/lwm2m/format.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/lwm2m/senml.h"

#define DEPTH_MAX 8            /* records are two deep; fields we do not know may be deeper */
#define PAYLOAD_MAX (1U << 20) /* octets: jansson needs many times that */

static const struct {
	enum json_error_code code;
	const char *reason;
} reasons[] = {
	{ json_error_out_of_memory, "out of memory" },
	{ json_error_invalid_utf8, "not UTF-8" },
	{ json_error_premature_end_of_input, "the payload ends too early" },
	{ json_error_end_of_input_expected, "something follows the end" },
	{ json_error_null_character, "a NUL in a string" },
	{ json_error_null_byte_in_key, "a NUL in a string" },
	{ json_error_duplicate_key, "a field is there twice" },
	{ json_error_numeric_overflow, "a number that does not fit 64 bits" },
};

/* jansson's own words would show the text around the mistake. */
static enum err_code
syntax_error(const json_error_t *je, struct err *e)
{
	enum json_error_code code = json_error_code(je);
	const char *reason = "not JSON";

	for (size_t i = 0; i < N_ELEMS(reasons); i++)
		if (reasons[i].code == code)
			reason = reasons[i].reason;
	return err_set(e, code == json_error_out_of_memory ? ERR_NO_MEMORY : ERR_PARSE,
	    "byte %d: %s", je->position, reason);
}

/* Brackets outside strings; whether they match is jansson's business. */
static enum err_code
check_depth(const uint8_t *p, size_t n, struct err *e)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		if (in_string && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			in_string = !in_string;
		else if (!in_string && (p[i] == '[' || p[i] == '{') && ++depth > DEPTH_MAX)
			return err_set(
			    e, ERR_LIMIT, "byte %zu: nested more than %d deep", i, DEPTH_MAX);
		else if (!in_string && (p[i] == ']' || p[i] == '}') && depth > 0)
			depth--;
	}
	return ERR_OK;
}

static enum err_code
to_raw(const json_t *j, struct raw *v, struct err *e)
{
	*v = (struct raw){ .kind = RAW_NULL };
	switch (json_typeof(j)) {
	case JSON_INTEGER:
		*v = raw_int(json_integer_value(j));
		return ERR_OK;
	case JSON_REAL:
		*v = (struct raw){ .kind = RAW_REAL, .f = json_real_value(j) };
		return ERR_OK;
	case JSON_STRING:
		*v = (struct raw){ .kind = RAW_TEXT,
			.p = (const uint8_t *)json_string_value(j),
			.n = json_string_length(j) };
		return ERR_OK;
	case JSON_TRUE:
	case JSON_FALSE:
		*v = (struct raw){ .kind = RAW_BOOL, .b = json_is_true(j) };
		return ERR_OK;
	case JSON_NULL:
		return ERR_OK;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return err_set(e, ERR_PARSE, "%s is no value", json_is_array(j) ? "an array" : "an object");
}

static enum err_code
read_field(const char *name, const json_t *j, struct senml_record *rec, struct err *e)
{
	enum senml_field f = senml_field_named(name, strlen(name));
	struct raw v;

	if (f == SENML__FIELDS)
		return senml_unknown(name, strlen(name), e);
	enum err_code rc = to_raw(j, &v, e);
	if (rc != ERR_OK) {
		(void)err_wrap(e, "%s", name);
		return rc;
	}
	return senml_set(rec, f, &v, e);
}

static enum err_code
read_record(json_t *j, struct senml_pack *pack, struct err *e)
{
	struct senml_record rec = { 0 };
	enum err_code rc = ERR_OK;

	if (!json_is_object(j))
		rc = err_set(e, ERR_PARSE, "must be an object");
	void *it = json_object_iter(j);
	for (; rc == ERR_OK && it != NULL; it = json_object_iter_next(j, it))
		rc = read_field(json_object_iter_key(it), json_object_iter_value(it), &rec, e);
	if (rc != ERR_OK)
		return senml_in_record(pack, rc, e);
	return senml_take(pack, &rec, e);
}

static void
wipe_string(const json_t *j)
{
	if (json_is_string(j))
		wipe((void *)(uintptr_t)json_string_value(j), json_string_length(j));
}

/* A value may be a key: no copy of it goes back to the heap as it is. */
static void
wipe_strings(json_t *root)
{
	for (size_t i = 0; i < json_array_size(root); i++) {
		json_t *rec = json_array_get(root, i);
		void *it = json_object_iter(rec);
		for (; it != NULL; it = json_object_iter_next(rec, it))
			wipe_string(json_object_iter_value(it));
	}
}

enum err_code
lwm2m_senml_json_decode(const struct lwm2m_model *m, struct lwm2m_path base, const uint8_t *p,
    size_t n, struct lwm2m_tree *out, struct err *e)
{
	struct senml_pack pack = { .sink = { .model = m, .base = base, .tree = out } };
	json_error_t je;

	if (n > PAYLOAD_MAX)
		return err_set(e, ERR_LIMIT, "more than %u bytes", PAYLOAD_MAX);
	enum err_code rc = check_depth(p, n, e);
	if (rc != ERR_OK)
		return rc;
	json_t *root = json_loadb(n > 0 ? (const char *)p : "", n, JSON_REJECT_DUPLICATES, &je);
	if (root == NULL)
		return syntax_error(&je, e);
	if (!json_is_array(root))
		rc = err_set(e, ERR_PARSE, "byte 0: must be an array of records");
	for (size_t i = 0; rc == ERR_OK && i < json_array_size(root); i++)
		rc = read_record(json_array_get(root, i), &pack, e);
	wipe_strings(root);
	json_decref(root);
	if (rc != ERR_OK)
		lwm2m_tree_clear(out);
	return rc;
}

static void
put_string(struct gbuf *out, const void *p, size_t n)
{
	const uint8_t *s = p;

	gbuf_u8(out, '"');
	for (size_t i = 0; i < n; i++) {
		size_t plain = i;

		while (i < n && s[i] != '"' && s[i] != '\\' && s[i] >= ' ')
			i++;
		gbuf_put(out, s + plain, i - plain);
		if (i == n)
			break;
		if (s[i] < ' ') {
			gbuf_printf(out, "\\u%04x", (unsigned)s[i]);
		} else {
			gbuf_u8(out, '\\');
			gbuf_u8(out, s[i]);
		}
	}
	gbuf_u8(out, '"');
}

/* The shortest that reads back as the same, and never as an integer. */
static void
put_float(struct gbuf *out, double f)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, f);
		if (strtod(text, NULL) == f)
			break;
	}
	gbuf_str(out, text);
	if (strpbrk(text, ".e") == NULL)
		gbuf_str(out, ".0");
}

static void
put_value(struct gbuf *out, const struct lwm2m_value *v)
{
	switch (v->type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
		put_string(out, v->bytes.data, v->bytes.len);
		break;
	case LWM2M_OPAQUE:
		gbuf_str(out, "\"");
		enc_base64url(out, v->bytes.data, v->bytes.len);
		gbuf_str(out, "\"");
		break;
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		gbuf_i64(out, v->i);
		break;
	case LWM2M_UNSIGNED:
		gbuf_u64(out, v->u);
		break;
	case LWM2M_FLOAT:
		put_float(out, v->f);
		break;
	case LWM2M_BOOLEAN:
		gbuf_str(out, v->b ? "true" : "false");
		break;
	case LWM2M_OBJLNK:
		gbuf_u8(out, '"');
		gbuf_str(out, raw_link_str(v->link).s);
		gbuf_u8(out, '"');
		break;
	case LWM2M_NONE:
	case LWM2M__TYPES:
		out->failed = true;
		break;
	}
}

/* Its label, and the colon. */
static void
put_label(struct gbuf *out, enum senml_field f)
{
	gbuf_u8(out, '"');
	gbuf_str(out, senml_label(f)->name);
	gbuf_str(out, "\":");
}

static void
put_name(struct gbuf *out, enum senml_field f, const char *s)
{
	if (s[0] == 0)
		return;
	put_label(out, f);
	gbuf_u8(out, '"');
	gbuf_str(out, s);
	gbuf_str(out, "\",");
}

static enum err_code
check_sayable(const struct lwm2m_node *node, struct err *e)
{
	if (node->value.type == LWM2M_UNSIGNED && node->value.u > INT64_MAX)
		return err_set(e, ERR_UNSUPPORTED,
		    "%s: is above %" PRId64 ", more than readers of JSON hold",
		    lwm2m_path_str(node->path).s, INT64_MAX);
	return raw_sayable(node, e);
}

enum err_code
lwm2m_senml_json_encode(
    struct lwm2m_path base, struct lwm2m_span span, struct gbuf *out, struct err *e)
{
	gbuf_str(out, "[");
	for (size_t i = 0; i < span.n; i++) {
		const struct lwm2m_node *node = &span.nodes[i];
		struct senml_names names;
		enum err_code rc = check_sayable(node, e);

		if (rc != ERR_OK)
			return rc;
		senml_names(base, node->path, i == 0, &names);
		gbuf_str(out, i == 0 ? "{" : ",{");
		put_name(out, SENML_BN, names.bn);
		put_name(out, SENML_N, names.n);
		put_label(out, senml_value_field(node->value.type));
		put_value(out, &node->value);
		gbuf_str(out, "}");
	}
	gbuf_str(out, "]");
	return gbuf_check(out, e);
}
