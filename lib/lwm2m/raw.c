#include "lib/lwm2m/raw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/str.h"

#define BIT(kind) (1U << (kind))
#define NUMBERS (BIT(RAW_INT) | BIT(RAW_REAL))

static const char *const kind_names[RAW__KINDS] = {
	[RAW_INT] = "integer",
	[RAW_REAL] = "float",
	[RAW_BOOL] = "boolean",
	[RAW_TEXT] = "string",
	[RAW_LINK] = "objlnk",
	[RAW_WORD] = "string",
	[RAW_BYTES] = "opaque",
	[RAW_NULL] = "null",
};

/* What may come for a Resource of each type. */
static const unsigned accepted[LWM2M__TYPES] = {
	[LWM2M_STRING] = BIT(RAW_TEXT) | BIT(RAW_WORD),
	[LWM2M_INTEGER] = NUMBERS,
	[LWM2M_UNSIGNED] = NUMBERS,
	[LWM2M_FLOAT] = NUMBERS,
	[LWM2M_BOOLEAN] = BIT(RAW_BOOL),
	[LWM2M_OPAQUE] = BIT(RAW_BYTES),
	[LWM2M_TIME] = NUMBERS,
	[LWM2M_OBJLNK] = BIT(RAW_LINK) | BIT(RAW_WORD),
	[LWM2M_CORELNK] = BIT(RAW_TEXT) | BIT(RAW_WORD),
};

/* The type of a Resource that the model does not know. */
static const enum lwm2m_type natural[RAW__KINDS] = {
	[RAW_INT] = LWM2M_INTEGER,
	[RAW_REAL] = LWM2M_FLOAT,
	[RAW_BOOL] = LWM2M_BOOLEAN,
	[RAW_TEXT] = LWM2M_STRING,
	[RAW_LINK] = LWM2M_OBJLNK,
	[RAW_WORD] = LWM2M_STRING,
	[RAW_BYTES] = LWM2M_OPAQUE,
	[RAW_NULL] = LWM2M_NONE,
};

const char *
raw_kind_name(enum raw_kind kind)
{
	return (unsigned)kind < RAW__KINDS ? kind_names[kind] : "unknown";
}

struct raw
raw_int(int64_t i)
{
	uint64_t u = (uint64_t)(i < 0 ? -1 - i : i);

	return (struct raw){ .kind = RAW_INT, .negative = i < 0, .u = u };
}

static bool
to_i64(const struct raw *v, int64_t *out)
{
	if (v->u > INT64_MAX)
		return false;
	*out = v->negative ? -1 - (int64_t)v->u : (int64_t)v->u;
	return true;
}

static double
to_double(const struct raw *v)
{
	if (v->kind == RAW_REAL)
		return v->f;
	return v->negative ? -1.0 - (double)v->u : (double)v->u;
}

enum err_code
raw_sum(const struct raw *a, const struct raw *b, struct raw *out, struct err *e)
{
	int64_t x, y, sum;

	if (a->kind == RAW_REAL || b->kind == RAW_REAL) {
		*out = (struct raw){ .kind = RAW_REAL, .f = to_double(a) + to_double(b) };
		return ERR_OK;
	}
	if (!to_i64(a, &x) || !to_i64(b, &y) || __builtin_add_overflow(x, y, &sum))
		return err_set(e, ERR_RANGE, "the sum with the base value does not fit 64 bits");
	*out = raw_int(sum);
	return ERR_OK;
}

/* A float that is a whole number in disguise becomes one. */
static enum err_code
whole(const struct raw *v, struct raw *out, struct err *e)
{
	*out = *v;
	if (v->kind == RAW_INT)
		return ERR_OK;
	if (v->f != trunc(v->f))
		return err_set(e, ERR_INVALID, "must be a whole number");
	if (fabs(v->f) >= 0x1p64)
		return err_set(e, ERR_RANGE, "does not fit 64 bits");
	*out = (struct raw){ .kind = RAW_INT, .negative = v->f < 0 };
	out->u = v->f < 0 ? (uint64_t)-v->f - 1 : (uint64_t)v->f;
	return ERR_OK;
}

static enum err_code
as_integer(const struct raw *v, enum lwm2m_type type, struct lwm2m_value *out, struct err *e)
{
	struct raw n;
	int64_t i;
	enum err_code rc = whole(v, &n, e);

	if (rc != ERR_OK)
		return rc;
	if (!to_i64(&n, &i))
		return err_set(e, ERR_RANGE, "does not fit 64 bits");
	*out = type == LWM2M_TIME ? lwm2m_time(i) : lwm2m_int(i);
	return ERR_OK;
}

static enum err_code
as_unsigned(const struct raw *v, struct lwm2m_value *out, struct err *e)
{
	struct raw n;
	enum err_code rc = whole(v, &n, e);

	if (rc != ERR_OK)
		return rc;
	if (n.negative)
		return err_set(e, ERR_RANGE, "must not be negative");
	*out = lwm2m_uint(n.u);
	return ERR_OK;
}

static enum err_code
as_link(const struct raw *v, struct lwm2m_value *out, struct err *e)
{
	const char *s = (const char *)v->p;
	const char *colon = v->n > 0 ? memchr(s, ':', v->n) : NULL;
	uint64_t object, instance;

	if (v->n == 9 && strncasecmp(s, "ffff:ffff", 9) == 0) {
		*out = lwm2m_link(LWM2M_MAX_ID, LWM2M_MAX_ID); /* seen instead of 65535:65535 */
		return ERR_OK;
	}
	if (colon == NULL || !str_to_u64(s, (size_t)(colon - s), 0, LWM2M_MAX_ID, &object) ||
	    !str_to_u64(colon + 1, v->n - (size_t)(colon + 1 - s), 0, LWM2M_MAX_ID, &instance))
		return err_set(e, ERR_PARSE, "must be an object link, OBJECT:INSTANCE");
	if ((object == LWM2M_MAX_ID) != (instance == LWM2M_MAX_ID))
		return err_set(e, ERR_RANGE, "links to the reserved id %d", LWM2M_MAX_ID);
	*out = lwm2m_link((uint16_t)object, (uint16_t)instance);
	return ERR_OK;
}

static enum err_code
as_bytes(const struct raw *v, enum lwm2m_type type, struct lwm2m_value *out, struct err *e)
{
	if (type != LWM2M_OPAQUE && !str_is_utf8(v->p, v->n))
		return err_set(e, ERR_PARSE, "must be UTF-8 without NUL");
	return lwm2m_value_bytes(out, type, v->p, v->n, e);
}

static enum err_code
as_type(const struct raw *v, enum lwm2m_type type, struct lwm2m_value *out, struct err *e)
{
	switch (type) {
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		return as_integer(v, type, out, e);
	case LWM2M_UNSIGNED:
		return as_unsigned(v, out, e);
	case LWM2M_FLOAT:
		*out = lwm2m_float(to_double(v));
		return ERR_OK;
	case LWM2M_BOOLEAN:
		*out = lwm2m_bool(v->b);
		return ERR_OK;
	case LWM2M_OBJLNK:
		return as_link(v, out, e);
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		return as_bytes(v, type, out, e);
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	return err_set(e, ERR_INVALID, "has no value");
}

static enum lwm2m_type
natural_type(const struct raw *v)
{
	if (v->epoch)
		return LWM2M_TIME;
	if (v->kind == RAW_INT && !v->negative && v->u > INT64_MAX)
		return LWM2M_UNSIGNED;
	return natural[v->kind];
}

static enum err_code
check_type(const struct raw *v, enum lwm2m_type type, bool known, struct err *e)
{
	if (type == LWM2M_NONE && known)
		return err_set(e, ERR_INVALID, "is executable and has no value");
	if (type == LWM2M_NONE)
		return err_set(e, ERR_INVALID, "must have a value, is %s", raw_kind_name(v->kind));
	if ((accepted[type] & BIT(v->kind)) == 0)
		return err_set(e, ERR_INVALID, "must be %s, is %s", lwm2m_type_name(type),
		    raw_kind_name(v->kind));
	if (v->epoch && type != LWM2M_TIME)
		return err_set(e, ERR_INVALID, "must be %s, is time", lwm2m_type_name(type));
	if (v->kind == RAW_REAL && !isfinite(v->f))
		return err_set(e, ERR_RANGE, "must be a finite number");
	return ERR_OK;
}

static enum err_code
check_place(
    const struct raw_sink *s, struct lwm2m_path p, const struct lwm2m_res_def *def, struct err *e)
{
	if (!lwm2m_path_under(&p, &s->base))
		return err_set(e, ERR_INVALID, "is not at or under %s", lwm2m_path_str(s->base).s);
	if (p.depth < LWM2M_RESOURCE)
		return err_set(e, ERR_INVALID, "is no Resource and has no value");
	if (def != NULL && def->multiple && p.depth == LWM2M_RESOURCE)
		return err_set(e, ERR_INVALID, "is a Multiple Resource: the instance is missing");
	if (def != NULL && !def->multiple && p.depth == LWM2M_RES_INSTANCE)
		return err_set(e, ERR_INVALID, "is an instance of a single Resource");
	return ERR_OK;
}

enum err_code
raw_add(const struct raw_sink *s, struct lwm2m_path p, const struct raw *v, struct err *e)
{
	const struct lwm2m_res_def *def = NULL;
	struct lwm2m_value value = { .type = LWM2M_NONE };

	if (p.depth >= LWM2M_RESOURCE)
		def = lwm2m_model_resource(s->model, p.id[0], p.id[2]);
	enum lwm2m_type type = def != NULL ? def->type : natural_type(v);
	enum err_code rc = check_place(s, p, def, e);
	if (rc == ERR_OK)
		rc = check_type(v, type, def != NULL, e);
	if (rc == ERR_OK)
		rc = as_type(v, type, &value, e);
	if (rc != ERR_OK) {
		(void)err_wrap(e, "%s", lwm2m_path_str(p).s);
		return rc;
	}
	rc = lwm2m_tree_add(s->tree, p, &value, e);
	if (rc != ERR_EXISTS)
		return rc;
	return err_set(e, ERR_INVALID, "%s: is there twice", lwm2m_path_str(p).s);
}

enum err_code
raw_single(const struct lwm2m_model *m, struct lwm2m_path base, const struct lwm2m_res_def **def, struct err *e)
{
	if (base.depth != LWM2M_RESOURCE)
		return err_set(e, ERR_UNSUPPORTED, "%s: this format is of one single Resource", lwm2m_path_str(base).s);
	*def = lwm2m_model_resource(m, base.id[0], base.id[2]);
	if (*def != NULL && (*def)->multiple)
		return err_set(e, ERR_UNSUPPORTED, "%s: a Multiple Resource, this format is of a single one",
		    lwm2m_path_str(base).s);
	return ERR_OK;
}

enum err_code
raw_sayable(const struct lwm2m_node *node, struct err *e)
{
	if (node->value.type == LWM2M_NONE)
		return err_set(e, ERR_UNSUPPORTED, "%s: this format cannot say what has no value",
		    lwm2m_path_str(node->path).s);
	if (node->value.type == LWM2M_FLOAT && !isfinite(node->value.f))
		return err_set(e, ERR_UNSUPPORTED, "%s: must be a finite number",
		    lwm2m_path_str(node->path).s);
	return ERR_OK;
}

struct raw_link_str
raw_link_str(struct lwm2m_objlnk link)
{
	struct raw_link_str out;

	(void)snprintf(
	    out.s, sizeof out.s, "%u:%u", (unsigned)link.object, (unsigned)link.instance);
	return out;
}
