/*
 * lib/lwm2m/value.h: one typed value (Core 1.1 appendix C).
 */
#ifndef LIB_LWM2M_VALUE_H
#define LIB_LWM2M_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/secret.h"

enum lwm2m_type {
	LWM2M_NONE, /* no value: an Execute, or an instance without resources in a tree */
	LWM2M_STRING,
	LWM2M_INTEGER,
	LWM2M_UNSIGNED,
	LWM2M_FLOAT,
	LWM2M_BOOLEAN,
	LWM2M_OPAQUE,
	LWM2M_TIME, /* seconds since 1970 UTC, signed */
	LWM2M_OBJLNK,
	LWM2M_CORELNK,
	LWM2M__TYPES
};

struct lwm2m_objlnk {
	uint16_t object, instance; /* 65535:65535 is the null link */
};

struct lwm2m_value {
	enum lwm2m_type type;
	union {
		int64_t i;  /* INTEGER, TIME */
		uint64_t u; /* UNSIGNED */
		double f;
		bool b;
		struct lwm2m_objlnk link;
		struct secret bytes; /* STRING, CORELNK (UTF-8 without NUL inside), OPAQUE; owned */
	};
};

const char *lwm2m_type_name(enum lwm2m_type type); /* "string", "integer", ... */
/* STRING, CORELNK, OPAQUE: the value owns bytes. */
static inline bool
lwm2m_type_has_bytes(enum lwm2m_type type)
{
	return type == LWM2M_STRING || type == LWM2M_OPAQUE || type == LWM2M_CORELNK;
}

struct lwm2m_value lwm2m_int(int64_t i);
struct lwm2m_value lwm2m_uint(uint64_t u);
struct lwm2m_value lwm2m_bool(bool b);
struct lwm2m_value lwm2m_float(double f);
struct lwm2m_value lwm2m_time(int64_t t);
struct lwm2m_value lwm2m_link(uint16_t object, uint16_t instance);
/* Copies n bytes; the caller owes lwm2m_value_clear(). type must have bytes. */
enum err_code lwm2m_value_bytes(struct lwm2m_value *v, enum lwm2m_type type, const void *p, size_t n,
    struct err *e);
/* STRING from a C string. */
enum err_code lwm2m_value_str(struct lwm2m_value *v, const char *s, struct err *e);

enum err_code lwm2m_value_copy(struct lwm2m_value *dst, const struct lwm2m_value *src, struct err *e);
void lwm2m_value_clear(struct lwm2m_value *v); /* wipes; leaves LWM2M_NONE; safe twice */
/*
 * Same type and content. INTEGER, UNSIGNED and TIME compare as numbers across each other, STRING,
 * CORELNK and OPAQUE as octets across each other: formats do not keep them apart. Bytes compare in
 * constant time. 0 is -0, and what is not a number equals itself.
 */
bool lwm2m_value_eq(const struct lwm2m_value *a, const struct lwm2m_value *b);
/* The number when it is one that fits (INTEGER, TIME, UNSIGNED, BOOLEAN as 0/1). */
static inline bool
lwm2m_value_number(const struct lwm2m_value *v, int64_t *out)
{
	if (v->type == LWM2M_INTEGER || v->type == LWM2M_TIME)
		*out = v->i;
	else if (v->type == LWM2M_UNSIGNED && v->u <= INT64_MAX)
		*out = (int64_t)v->u;
	else if (v->type == LWM2M_BOOLEAN)
		*out = v->b ? 1 : 0;
	else
		return false;
	return true;
}

/* For people: 86400, "U", true, 11:0, 16 bytes. Bytes of OPAQUE are never shown. Appended. */
struct gbuf;
void lwm2m_value_print(struct gbuf *out, const struct lwm2m_value *v);

#endif
