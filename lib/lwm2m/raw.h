/*
 * lib/lwm2m/raw.h: a value as a self-describing format (SenML, CBOR) says it, before the model
 * gives it its type; and the one door from there into a tree. For the codecs alone.
 */
#ifndef LIB_LWM2M_RAW_H
#define LIB_LWM2M_RAW_H

#include "lib/lwm2m/object.h"
#include "lib/lwm2m/tree.h"

enum raw_kind {
	RAW_INT,
	RAW_REAL,
	RAW_BOOL,
	RAW_TEXT, /* a string, said to be one */
	RAW_LINK, /* the text of an object link, said to be one (SenML vlo) */
	RAW_WORD, /* the text of a string or of a link: CBOR does not say which */
	RAW_BYTES,
	RAW_NULL,
	RAW__KINDS
};

struct raw {
	enum raw_kind kind;
	bool negative; /* INT: the number is -1 - u, as CBOR has it; else u */
	bool epoch;    /* INT, REAL: marked as seconds since 1970 */
	bool b;
	uint64_t u;
	double f;
	const uint8_t *p; /* TEXT, LINK, WORD, BYTES: borrowed */
	size_t n;
};

/* Where decoded values go. */
struct raw_sink {
	const struct lwm2m_model *model;
	struct lwm2m_path base; /* nothing above or beside it is taken */
	struct lwm2m_tree *tree;
};

const char *raw_kind_name(enum raw_kind kind); /* "integer", "float", "string", ... */

struct raw raw_int(int64_t i);

/* *a + *b into *out, exactly when both are whole. ERR_RANGE. */
enum err_code raw_sum(const struct raw *a, const struct raw *b, struct raw *out, struct err *e);

/*
 * Puts the value of the Resource (or Resource Instance) at p into the tree. Refused, with a message
 * that begins with p: a p not at or under base, or at another level than the model says; another
 * type than the model's; a number that is not whole, not finite, or too large; text that is not
 * UTF-8; a p that has a value already.
 */
enum err_code raw_add(
    const struct raw_sink *s, struct lwm2m_path p, const struct raw *v, struct err *e);

/* *def becomes the Resource at base, NULL where the model has none. ERR_UNSUPPORTED when base is none, or that of a
 * Multiple Resource: for formats of one value. */
enum err_code raw_single(const struct lwm2m_model *m, struct lwm2m_path base, const struct lwm2m_res_def **def,
    struct err *e);

/*
 * ERR_UNSUPPORTED when a node is none of a value (an instance without Resources) or a float that is
 * not finite.
 */
enum err_code raw_sayable(const struct lwm2m_node *node, struct err *e);

/* "21:0" of an OBJLNK, NUL-terminated. */
struct raw_link_str {
	char s[12]; /* "65535:65535" */
};
struct raw_link_str raw_link_str(struct lwm2m_objlnk link);

#endif
