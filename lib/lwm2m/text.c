/* text/plain and octet-stream (Core 1.1 sections 7.4.1 and 7.4.2): one single Resource. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/lwm2m/format.h"
#include "lib/lwm2m/raw.h"

#define FLOAT_LEN 400 /* characters: the longest double in full has fewer */

/* The type of the one Resource that base must be. Unknown to the model: what the format says. */
static enum err_code
type_at(const struct lwm2m_model *m, struct lwm2m_path base, enum lwm2m_type unknown,
    enum lwm2m_type *out, struct err *e)
{
	const struct lwm2m_res_def *def;
	enum err_code rc = raw_single(m, base, &def, e);

	if (rc != ERR_OK)
		return rc;
	if (def != NULL && def->type == LWM2M_NONE)
		return err_set(e, ERR_INVALID, "%s: an executable Resource has no value",
		    lwm2m_path_str(base).s);
	*out = def == NULL ? unknown : def->type;
	return ERR_OK;
}

static size_t
skip_digits(const char *s, size_t n, size_t at)
{
	while (at < n && s[at] >= '0' && s[at] <= '9')
		at++;
	return at;
}

/* [-]digits[.digits][e[+-]digits] and nothing else: no blanks, no hex, no names. */
static bool
is_decimal(const char *s, size_t n)
{
	size_t at = n > 0 && s[0] == '-' ? 1 : 0;
	size_t end = skip_digits(s, n, at);

	if (end == at)
		return false;
	if (end < n && s[end] == '.') {
		at = end + 1;
		end = skip_digits(s, n, at);
		if (end == at)
			return false;
	}
	if (end < n && (s[end] == 'e' || s[end] == 'E')) {
		at = end + 1;
		if (at < n && (s[at] == '+' || s[at] == '-'))
			at++;
		end = skip_digits(s, n, at);
		if (end == at)
			return false;
	}
	return end == n;
}

static bool
read_float(const char *s, size_t n, struct lwm2m_value *v)
{
	char text[FLOAT_LEN + 1];

	if (n > FLOAT_LEN || !is_decimal(s, n))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	*v = lwm2m_float(strtod(text, NULL));
	return isfinite(v->f);
}

static bool
read_link(const char *s, size_t n, struct lwm2m_value *v)
{
	const char *colon = n > 0 ? memchr(s, ':', n) : NULL;
	uint64_t object, instance;

	if (colon == NULL)
		return false;
	size_t len = (size_t)(colon - s);
	if (n == 9 && strncasecmp(s, "ffff:ffff", n) == 0) /* one example of the text has it so */
		object = instance = LWM2M_MAX_ID;
	else if (!str_to_u64(s, len, 0, LWM2M_MAX_ID, &object) ||
	    !str_to_u64(colon + 1, n - len - 1, 0, LWM2M_MAX_ID, &instance))
		return false;
	*v = lwm2m_link((uint16_t)object, (uint16_t)instance);
	return true;
}

static bool
read_number(enum lwm2m_type type, const char *s, size_t n, struct lwm2m_value *v)
{
	int64_t i;
	uint64_t u;

	if (type == LWM2M_UNSIGNED) {
		if (!str_to_u64(s, n, 0, UINT64_MAX, &u))
			return false;
		*v = lwm2m_uint(u);
		return true;
	}
	if (!str_to_i64(s, n, INT64_MIN, INT64_MAX, &i))
		return false;
	*v = type == LWM2M_TIME ? lwm2m_time(i) : lwm2m_int(i);
	return true;
}

static bool
read_boolean(const char *s, size_t n, struct lwm2m_value *v)
{
	*v = lwm2m_bool(n == 1 && s[0] == '1');
	return n == 1 && (s[0] == '0' || s[0] == '1');
}

static enum err_code
read_base64(const char *s, size_t n, struct lwm2m_value *v, struct err *e)
{
	struct secret bytes = SECRET_NONE;
	enum err_code rc = dec_base64(s, n, &bytes, e);

	if (rc == ERR_OK)
		*v = (struct lwm2m_value){ .type = LWM2M_OPAQUE, .bytes = bytes };
	return rc;
}

static enum err_code
read_value(enum lwm2m_type type, const char *s, size_t n, struct lwm2m_value *v, struct err *e)
{
	bool ok = false;

	switch (type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
		if (!str_is_utf8(s, n))
			return err_set(e, ERR_PARSE, "%s is not UTF-8 without NUL",
			    lwm2m_type_name(type));
		return lwm2m_value_bytes(v, type, s, n, e);
	case LWM2M_OPAQUE:
		return read_base64(s, n, v, e);
	case LWM2M_INTEGER:
	case LWM2M_UNSIGNED:
	case LWM2M_TIME:
		ok = read_number(type, s, n, v);
		break;
	case LWM2M_FLOAT:
		ok = read_float(s, n, v);
		break;
	case LWM2M_BOOLEAN:
		ok = read_boolean(s, n, v);
		break;
	case LWM2M_OBJLNK:
		ok = read_link(s, n, v);
		break;
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	if (ok)
		return ERR_OK;
	return err_set(e, ERR_PARSE, "is no %s in text, or out of range", lwm2m_type_name(type));
}

enum err_code
lwm2m_text_decode(const struct lwm2m_model *m, struct lwm2m_path base, const uint8_t *p, size_t n,
    struct lwm2m_tree *out, struct err *e)
{
	struct lwm2m_value v = { .type = LWM2M_NONE };
	enum lwm2m_type type = LWM2M_NONE;
	enum err_code rc = type_at(m, base, LWM2M_STRING, &type, e);

	if (rc != ERR_OK)
		return rc;
	rc = read_value(type, n == 0 ? "" : (const char *)p, n, &v, e);
	if (rc == ERR_OK)
		return lwm2m_tree_add(out, base, &v, e);
	(void)err_wrap(e, "%s", lwm2m_path_str(base).s);
	return rc;
}

/* The fewest digits that read back as the same number, without exponent: some readers know none. */
static void
put_float(struct gbuf *out, double f)
{
	char text[FLOAT_LEN + 1];
	int precision = 14;

	do {
		(void)snprintf(text, sizeof text, "%.*e", precision, f);
	} while (strtod(text, NULL) != f && ++precision < 17);
	long exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
	int decimals = (int)MAX(precision - exponent, 0);
	(void)snprintf(text, sizeof text, "%.*f", decimals, f);
	size_t n = strlen(text);
	while (decimals > 0 && text[n - 1] == '0')
		n--;
	gbuf_put(out, text, text[n - 1] == '.' ? n - 1 : n);
}

static void
put_value(struct gbuf *out, const struct lwm2m_value *v)
{
	switch (v->type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
		gbuf_put(out, v->bytes.data, v->bytes.len);
		break;
	case LWM2M_OPAQUE:
		enc_base64(out, v->bytes.data, v->bytes.len);
		break;
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		gbuf_printf(out, "%" PRId64, v->i);
		break;
	case LWM2M_UNSIGNED:
		gbuf_printf(out, "%" PRIu64, v->u);
		break;
	case LWM2M_FLOAT:
		put_float(out, v->f);
		break;
	case LWM2M_BOOLEAN:
		gbuf_str(out, v->b ? "1" : "0");
		break;
	case LWM2M_OBJLNK:
		gbuf_printf(out, "%u:%u", (unsigned)v->link.object, (unsigned)v->link.instance);
		break;
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
}

/* The one value of span, which must be that of the single Resource base. */
static enum err_code
only_value(struct lwm2m_path base, const struct lwm2m_span *span, const struct lwm2m_value **out,
    struct err *e)
{
	if (base.depth != LWM2M_RESOURCE || span->n != 1 ||
	    !lwm2m_path_eq(&span->nodes[0].path, &base))
		return err_set(e, ERR_UNSUPPORTED, "%s: this format is of one single Resource",
		    lwm2m_path_str(base).s);
	*out = &span->nodes[0].value;
	if ((*out)->type == LWM2M_NONE)
		return err_set(e, ERR_UNSUPPORTED, "%s: no value to write", lwm2m_path_str(base).s);
	return ERR_OK;
}

static enum err_code
check_out(struct lwm2m_path base, const struct gbuf *out, struct err *e)
{
	enum err_code rc = gbuf_check(out, e);

	if (rc != ERR_OK)
		(void)err_wrap(e, "%s", lwm2m_path_str(base).s);
	return rc;
}

enum err_code
lwm2m_text_encode(struct lwm2m_path base, struct lwm2m_span span, struct gbuf *out, struct err *e)
{
	const struct lwm2m_value *v = NULL;
	enum err_code rc = only_value(base, &span, &v, e);

	if (rc != ERR_OK)
		return rc;
	if (v->type == LWM2M_FLOAT && !isfinite(v->f))
		return err_set(e, ERR_UNSUPPORTED, "%s: not a number that text can say",
		    lwm2m_path_str(base).s);
	put_value(out, v);
	return check_out(base, out, e);
}

enum err_code
lwm2m_opaque_decode(const struct lwm2m_model *m, struct lwm2m_path base, const uint8_t *p, size_t n,
    struct lwm2m_tree *out, struct err *e)
{
	struct lwm2m_value v;
	enum lwm2m_type type = LWM2M_NONE;
	enum err_code rc = type_at(m, base, LWM2M_OPAQUE, &type, e);

	if (rc != ERR_OK)
		return rc;
	if (type != LWM2M_OPAQUE)
		return err_set(e, ERR_INVALID, "%s: is %s, this format is of opaque Resources",
		    lwm2m_path_str(base).s, lwm2m_type_name(type));
	rc = lwm2m_value_bytes(&v, LWM2M_OPAQUE, p, n, e);
	return rc == ERR_OK ? lwm2m_tree_add(out, base, &v, e) : rc;
}

enum err_code
lwm2m_opaque_encode(struct lwm2m_path base, struct lwm2m_span span, struct gbuf *out, struct err *e)
{
	const struct lwm2m_value *v = NULL;
	enum err_code rc = only_value(base, &span, &v, e);

	if (rc != ERR_OK)
		return rc;
	if (v->type != LWM2M_OPAQUE)
		return err_set(e, ERR_UNSUPPORTED, "%s: is %s, this format is of opaque Resources",
		    lwm2m_path_str(base).s, lwm2m_type_name(v->type));
	gbuf_put(out, v->bytes.data, v->bytes.len);
	return check_out(base, out, e);
}
