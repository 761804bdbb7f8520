#include "lib/lwm2m/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

static const char *const names[LWM2M__TYPES] = {
	[LWM2M_NONE] = "none",
	[LWM2M_STRING] = "string",
	[LWM2M_INTEGER] = "integer",
	[LWM2M_UNSIGNED] = "unsigned integer",
	[LWM2M_FLOAT] = "float",
	[LWM2M_BOOLEAN] = "boolean",
	[LWM2M_OPAQUE] = "opaque",
	[LWM2M_TIME] = "time",
	[LWM2M_OBJLNK] = "objlnk",
	[LWM2M_CORELNK] = "corelnk",
};

const char *
lwm2m_type_name(enum lwm2m_type type)
{
	return (unsigned)type < LWM2M__TYPES ? names[type] : "unknown";
}

struct lwm2m_value
lwm2m_int(int64_t i)
{
	return (struct lwm2m_value){ .type = LWM2M_INTEGER, .i = i };
}

struct lwm2m_value
lwm2m_uint(uint64_t u)
{
	return (struct lwm2m_value){ .type = LWM2M_UNSIGNED, .u = u };
}

struct lwm2m_value
lwm2m_bool(bool b)
{
	return (struct lwm2m_value){ .type = LWM2M_BOOLEAN, .b = b };
}

struct lwm2m_value
lwm2m_float(double f)
{
	return (struct lwm2m_value){ .type = LWM2M_FLOAT, .f = f };
}

struct lwm2m_value
lwm2m_time(int64_t t)
{
	return (struct lwm2m_value){ .type = LWM2M_TIME, .i = t };
}

struct lwm2m_value
lwm2m_link(uint16_t object, uint16_t instance)
{
	return (struct lwm2m_value){ .type = LWM2M_OBJLNK, .link = { object, instance } };
}

enum err_code
lwm2m_value_bytes(
    struct lwm2m_value *v, enum lwm2m_type type, const void *p, size_t n, struct err *e)
{
	struct secret s;
	enum err_code rc = secret_set(&s, p, n, e);

	*v = (struct lwm2m_value){ .type = LWM2M_NONE };
	if (rc != ERR_OK)
		return rc;
	v->type = type;
	v->bytes = s;
	return ERR_OK;
}

enum err_code
lwm2m_value_str(struct lwm2m_value *v, const char *s, struct err *e)
{
	return lwm2m_value_bytes(v, LWM2M_STRING, s, strlen(s), e);
}

enum err_code
lwm2m_value_copy(struct lwm2m_value *dst, const struct lwm2m_value *src, struct err *e)
{
	if (lwm2m_type_has_bytes(src->type))
		return lwm2m_value_bytes(dst, src->type, src->bytes.data, src->bytes.len, e);
	*dst = *src;
	return ERR_OK;
}

void
lwm2m_value_clear(struct lwm2m_value *v)
{
	if (lwm2m_type_has_bytes(v->type))
		secret_clear(&v->bytes);
	*v = (struct lwm2m_value){ .type = LWM2M_NONE };
}

bool
lwm2m_value_eq(const struct lwm2m_value *a, const struct lwm2m_value *b)
{
	int64_t x, y;

	if (lwm2m_type_has_bytes(a->type) || lwm2m_type_has_bytes(b->type))
		return lwm2m_type_has_bytes(a->type) && lwm2m_type_has_bytes(b->type) &&
		    secret_equal(&a->bytes, &b->bytes);
	if (a->type == LWM2M_OBJLNK || b->type == LWM2M_OBJLNK)
		return a->type == b->type && a->link.object == b->link.object &&
		    a->link.instance == b->link.instance;
	if (a->type == LWM2M_FLOAT || b->type == LWM2M_FLOAT)
		return a->type == b->type && (a->f == b->f || (isnan(a->f) && isnan(b->f)));
	if (a->type == LWM2M_UNSIGNED && b->type == LWM2M_UNSIGNED)
		return a->u == b->u;
	if ((a->type == LWM2M_BOOLEAN) != (b->type == LWM2M_BOOLEAN))
		return false;
	if (lwm2m_value_number(a, &x) && lwm2m_value_number(b, &y))
		return x == y;
	return a->type == LWM2M_NONE && b->type == LWM2M_NONE;
}

/* As few digits as read back as the same number. */
static void
print_float(struct gbuf *out, double f)
{
	char text[32];

	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, f);
		if (strtod(text, NULL) == f)
			break;
	}
	gbuf_str(out, isnan(f) ? "nan" : text);
}

void
lwm2m_value_print(struct gbuf *out, const struct lwm2m_value *v)
{
	switch (v->type) {
	case LWM2M_NONE:
	case LWM2M__TYPES:
		gbuf_str(out, "none");
		break;
	case LWM2M_STRING:
	case LWM2M_CORELNK:
		gbuf_str(out, "\"");
		str_quote(out, (const char *)v->bytes.data, v->bytes.len);
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
		print_float(out, v->f);
		break;
	case LWM2M_BOOLEAN:
		gbuf_str(out, v->b ? "true" : "false");
		break;
	case LWM2M_OPAQUE:
		gbuf_u64(out, v->bytes.len);
		gbuf_str(out, " bytes");
		break;
	case LWM2M_OBJLNK:
		gbuf_printf(out, "%u:%u", (unsigned)v->link.object, (unsigned)v->link.instance);
		break;
	}
}
