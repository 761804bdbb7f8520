/*
 * lib/lwm2m/object.h: the object model: which Objects and Resources there are, with their types.
 *
 * The core Objects 0, 1, 2, 3, 10, 11, 13, 21 and 23 are built in (the registry's definitions);
 * any other is loaded from OMA XML files (object_xml.c). A model is read-only once it is set up.
 */
#ifndef LIB_LWM2M_OBJECT_H
#define LIB_LWM2M_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/lwm2m/path.h"
#include "lib/lwm2m/value.h"

enum lwm2m_core_object {
	LWM2M_SECURITY = 0,
	LWM2M_SERVER = 1,
	LWM2M_ACCESS_CONTROL = 2,
	LWM2M_DEVICE = 3,
	LWM2M_CELLULAR = 10,
	LWM2M_APN = 11,
	LWM2M_BEARER = 13,
	LWM2M_OSCORE = 21,
	LWM2M_COSE = 23
};

enum lwm2m_op { LWM2M_R = 1, LWM2M_W = 2, LWM2M_E = 4 };

struct lwm2m_version {
	uint8_t major, minor;
};

struct lwm2m_res_def {
	uint16_t id;
	const char *name; /* as registered */
	const char *key;  /* design rule: lower case, each run of other characters one underscore */
	enum lwm2m_type type;
	unsigned ops; /* enum lwm2m_op bits for LwM2M Servers; 0: bootstrap interface only */
	bool multiple, mandatory;
	bool has_min, has_max; /* of a number's value; of a string's or opaque's length in octets */
	int64_t min, max;      /* of a list, its ends: lwm2m_value_check() knows the others */
	const char *range;     /* for messages: "0..255", "16,32,48", "6"; words as registered; "" */
	const char *unit;  /* "s", "min", "" */
	bool secret;	   /* its content is a key or may be one: never shown */
};

struct lwm2m_obj_def {
	uint16_t id;
	const char *name, *key;
	struct lwm2m_version version;	     /* of the Object */
	struct lwm2m_version lwm2m_version;  /* enabler it came with */
	bool multiple, mandatory;
	const struct lwm2m_res_def *res; /* sorted by id */
	size_t n_res;
};

struct lwm2m_model;

/* The built-in Objects only; static, never freed. */
const struct lwm2m_model *lwm2m_model_builtin(void);
/* The built-in Objects and room for more. NULL when memory is short. */
struct lwm2m_model *lwm2m_model_new(void);
void lwm2m_model_free(struct lwm2m_model *m); /* NULL is fine */

/*
 * Adds the Objects of one OMA XML file (LWM2M.xsd form, at most 1 MiB), all or none. A version that
 * is known already must say the same (the registry's own errata are let pass, the built-in
 * definition stands), else ERR_EXISTS names the Resource and what differs. ERR_PARSE, ERR_LIMIT
 * and ERR_REFUSED (a document type) are "file:line: reason". A refusal leaves the model as it was.
 *
 * XML does not say what is secret. Loaded Opaque and write-only String Resources are taken for
 * secret, and what is secret in a known version of the Object. The second Resource of one name has
 * its id behind its key: "level_7".
 */
enum err_code lwm2m_model_load_file(struct lwm2m_model *m, const char *file, struct err *e);
enum err_code lwm2m_model_load_xml(struct lwm2m_model *m, const char *name, const char *xml, size_t n,
    struct err *e);
/* Every *.xml of a folder, in name order; the first error stops it and names the file. */
enum err_code lwm2m_model_load_dir(struct lwm2m_model *m, const char *dir, struct err *e);

/* The newest known version, or exactly that one; NULL when unknown. */
const struct lwm2m_obj_def *lwm2m_model_object(const struct lwm2m_model *m, uint16_t oid);
const struct lwm2m_obj_def *lwm2m_model_object_version(const struct lwm2m_model *m, uint16_t oid,
    struct lwm2m_version v);
const struct lwm2m_obj_def *lwm2m_model_object_by_key(const struct lwm2m_model *m, const char *key);
/* The n-th definition in order of id, then version; NULL past the end. */
const struct lwm2m_obj_def *lwm2m_model_at(const struct lwm2m_model *m, size_t i);

const struct lwm2m_res_def *lwm2m_obj_resource(const struct lwm2m_obj_def *o, uint16_t rid);
const struct lwm2m_res_def *lwm2m_obj_resource_by_key(const struct lwm2m_obj_def *o, const char *key);
/* Of the newest version of the Object; NULL when either is unknown. */
const struct lwm2m_res_def *lwm2m_model_resource(const struct lwm2m_model *m, uint16_t oid, uint16_t rid);

/* A registered name as a JSON key, cut at cap: "LWM2M Server URI" is "lwm2m_server_uri". */
void lwm2m_name_to_key(const char *name, char *out, size_t cap);

/*
 * Type and range; ERR_INVALID or ERR_RANGE says "must be 1..65534, is 0" without the path. Integers
 * and times stand for each other where the number fits, strings and link formats too. Never tells
 * what bytes were.
 */
enum err_code lwm2m_value_check(const struct lwm2m_res_def *r, const struct lwm2m_value *v, struct err *e);

#endif
