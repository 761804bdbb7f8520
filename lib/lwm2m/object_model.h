/*
 * lib/lwm2m/object_model.h: what a model is made of; for object*.c alone.
 */
#ifndef LIB_LWM2M_OBJECT_MODEL_H
#define LIB_LWM2M_OBJECT_MODEL_H

#include "lib/lwm2m/object.h"

/* A definition that came from a file, with everything its pointers point to. */
struct lwm2m_loaded {
	struct lwm2m_obj_def def;  /* def.res is res */
	struct lwm2m_res_def *res; /* owned */
	size_t cap;
	char **strings; /* owned, each; the names, keys, ranges and units */
	size_t n_strings, cap_strings;
};

struct lwm2m_model {
	const struct lwm2m_obj_def *const *defs; /* by id, then version: the built-in list or own */
	size_t n;
	const struct lwm2m_obj_def **own; /* owned; NULL in the built-in model */
	size_t cap;
	struct lwm2m_loaded **loaded; /* owned, each */
	size_t n_loaded, cap_loaded;
};

void lwm2m_loaded_free(struct lwm2m_loaded *l); /* NULL is fine */
/* A copy that lives as long as l; NULL when memory is short. */
const char *lwm2m_loaded_str(struct lwm2m_loaded *l, const char *s, size_t n);
/* Takes l over (freed on failure). Its version must not be known yet. ERR_NO_MEMORY. */
enum err_code lwm2m_model_take(struct lwm2m_model *m, struct lwm2m_loaded *l, struct err *e);

#define LWM2M_FILE_OBJECTS 64
struct lwm2m_loaded_list {
	struct lwm2m_loaded *at[LWM2M_FILE_OBJECTS]; /* owned, each; NULL where it was taken */
	size_t n;
};
void lwm2m_loaded_list_clear(struct lwm2m_loaded_list *list);

#define LWM2M_XML_MAX ((size_t)1 << 20)
/*
 * Reads all Objects of an XML text; m tells which Resources are known to be secret. Errors are
 * "name:line: reason"; *out is then empty.
 */
enum err_code lwm2m_xml_read(const struct lwm2m_model *m, const char *name, const char *xml,
    size_t n, struct lwm2m_loaded_list *out, struct err *e);

#define LWM2M_RANGE_LEN 64
struct lwm2m_range {
	bool bounded; /* min and max hold */
	int64_t min, max;
	/* "0..255", "16,32,48", "6"; as registered when not bounded */
	char text[LWM2M_RANGE_LEN + 1];
};

/*
 * Reads a registered range: "0..255", "0-255", "-110..-48", "0..64 bytes", "16,32,48",
 * "16-32-48 bytes"; for octets also a single length, "6 bytes". Anything else bounds nothing and is
 * kept as text, cut at LWM2M_RANGE_LEN.
 */
void lwm2m_range_read(const char *s, size_t n, enum lwm2m_type type, struct lwm2m_range *out);

#endif
