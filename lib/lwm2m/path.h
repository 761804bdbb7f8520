/*
 * lib/lwm2m/path.h: /object/instance/resource/resource-instance, the address of everything.
 */
#ifndef LIB_LWM2M_PATH_H
#define LIB_LWM2M_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define LWM2M_ID_MAX 65534 /* 65535 (MAX_ID) is reserved at every level (Core 1.1 section 7.1) */
#define LWM2M_MAX_ID 65535

enum lwm2m_level { LWM2M_ROOT, LWM2M_OBJECT, LWM2M_INSTANCE, LWM2M_RESOURCE, LWM2M_RES_INSTANCE };

struct lwm2m_path {
	uint16_t id[4]; /* object, instance, resource, resource instance; those past depth are 0 */
	uint8_t depth;	/* enum lwm2m_level: 0 is the root */
};

#define LWM2M_PATH_LEN 24 /* "/65534/65534/65534/65534" */
struct lwm2m_path_str {
	char s[LWM2M_PATH_LEN + 1];
};

static inline struct lwm2m_path
lwm2m_path1(uint16_t o)
{
	return (struct lwm2m_path){ .id = { o }, .depth = 1 };
}

static inline struct lwm2m_path
lwm2m_path2(uint16_t o, uint16_t i)
{
	return (struct lwm2m_path){ .id = { o, i }, .depth = 2 };
}

static inline struct lwm2m_path
lwm2m_path3(uint16_t o, uint16_t i, uint16_t r)
{
	return (struct lwm2m_path){ .id = { o, i, r }, .depth = 3 };
}

static inline struct lwm2m_path
lwm2m_path4(uint16_t o, uint16_t i, uint16_t r, uint16_t ri)
{
	return (struct lwm2m_path){ .id = { o, i, r, ri }, .depth = 4 };
}

/* p with one more level; p must be above resource instance. */
static inline struct lwm2m_path
lwm2m_path_child(struct lwm2m_path p, uint16_t id)
{
	if (p.depth < LWM2M_RES_INSTANCE)
		p.id[p.depth++] = id;
	return p;
}

/* The first depth levels of p (all of them when it has no more). */
static inline struct lwm2m_path
lwm2m_path_up(struct lwm2m_path p, uint8_t depth)
{
	for (uint8_t i = depth; i < p.depth; i++)
		p.id[i] = 0;
	if (p.depth > depth)
		p.depth = depth;
	return p;
}

/*
 * "/", "/0", "/0/1/2/3": decimal ids without leading zeros, one slash before each, none behind.
 * ERR_PARSE says what is wrong with it.
 */
enum err_code lwm2m_path_parse(const char *s, size_t n, struct lwm2m_path *out, struct err *e);
/* To be printed at once: lwm2m_path_str(p).s; the root is "/". */
struct lwm2m_path_str lwm2m_path_str(struct lwm2m_path p);

/* The ids as one number: it orders as the paths do, but for a parent and its children 0. */
static inline uint64_t
lwm2m_path_number(const struct lwm2m_path *p)
{
	return (uint64_t)p->id[0] << 48 | (uint64_t)p->id[1] << 32 | (uint64_t)p->id[2] << 16 | p->id[3];
}

/* Order by ids, a parent before its children: <0, 0, >0. */
static inline int
lwm2m_path_cmp(const struct lwm2m_path *a, const struct lwm2m_path *b)
{
	uint64_t x = lwm2m_path_number(a), y = lwm2m_path_number(b);

	if (x != y)
		return x < y ? -1 : 1;
	return (int)a->depth - (int)b->depth;
}

static inline bool
lwm2m_path_eq(const struct lwm2m_path *a, const struct lwm2m_path *b)
{
	return a->depth == b->depth && lwm2m_path_number(a) == lwm2m_path_number(b);
}

/* The bits of its number that a path of that depth decides. */
static inline uint64_t
lwm2m_path_bits(uint8_t depth)
{
	return depth == 0 ? 0 : UINT64_MAX << 16 * (4 - depth);
}

/* p is prefix itself or below it. */
static inline bool
lwm2m_path_under(const struct lwm2m_path *p, const struct lwm2m_path *prefix)
{
	return p->depth >= prefix->depth &&
	    ((lwm2m_path_number(p) ^ lwm2m_path_number(prefix)) & lwm2m_path_bits(prefix->depth)) == 0;
}

#endif
