#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/lwm2m/object_model.h"

#define DIR_FILES_MAX 8192

/* What two definitions of one Resource are compared by. */
enum trait {
	TRAIT_NAME,
	TRAIT_TYPE,
	TRAIT_OPS,
	TRAIT_INSTANCES,
	TRAIT_PRESENCE,
	TRAIT_RANGE,
	TRAIT_UNIT,
	TRAIT__COUNT
};

static const char *const trait_names[TRAIT__COUNT] = {
	[TRAIT_NAME] = "name",
	[TRAIT_TYPE] = "type",
	[TRAIT_OPS] = "operations",
	[TRAIT_INSTANCES] = "instances",
	[TRAIT_PRESENCE] = "presence",
	[TRAIT_RANGE] = "range",
	[TRAIT_UNIT] = "unit",
};

static const char *
ops_text(unsigned ops)
{
	static const char *const text[] = { "", "R", "W", "RW", "E", "RE", "WE", "RWE" };

	return text[ops & (LWM2M_R | LWM2M_W | LWM2M_E)];
}

static const char *
trait_text(const struct lwm2m_res_def *r, enum trait t)
{
	switch (t) {
	case TRAIT_NAME:
		return r->name;
	case TRAIT_TYPE:
		return lwm2m_type_name(r->type);
	case TRAIT_OPS:
		return ops_text(r->ops);
	case TRAIT_INSTANCES:
		return r->multiple ? "multiple" : "single";
	case TRAIT_PRESENCE:
		return r->mandatory ? "mandatory" : "optional";
	case TRAIT_RANGE:
		return r->has_min ? r->range : ""; /* words bound nothing */
	case TRAIT_UNIT:
		return r->unit;
	case TRAIT__COUNT:
		break;
	}
	return "";
}

/*
 * Where the registry's own files are wrong: two enumerations given in seconds, and a delay without
 * its unit. The built-in definition stands.
 */
static const struct {
	uint16_t oid;
	struct lwm2m_version version;
	uint16_t rid;
	enum trait trait;
	const char *wrong;
} errata[] = {
	{ LWM2M_SECURITY, { 1, 1 }, 13, TRAIT_UNIT, "s" },
	{ LWM2M_SECURITY, { 1, 1 }, 15, TRAIT_UNIT, "s" },
	{ LWM2M_SERVER, { 1, 1 }, 19, TRAIT_UNIT, "" },
};

static bool
is_erratum(const struct lwm2m_obj_def *o, uint16_t rid, enum trait t, const char *text)
{
	for (size_t i = 0; i < N_ELEMS(errata); i++)
		if (errata[i].oid == o->id && errata[i].version.major == o->version.major &&
		    errata[i].version.minor == o->version.minor && errata[i].rid == rid &&
		    errata[i].trait == t && strcmp(errata[i].wrong, text) == 0)
			return true;
	return false;
}

static enum err_code
differs(const struct lwm2m_obj_def *o, struct err *e, const char *what)
{
	return err_set(e, ERR_EXISTS,
	    "object %u version %u.%u is known already, with another content: %s", o->id,
	    o->version.major, o->version.minor, what);
}

static enum err_code
same_resource(const struct lwm2m_obj_def *o, const struct lwm2m_res_def *is,
    const struct lwm2m_res_def *was, struct err *e)
{
	for (int i = 0; i < TRAIT__COUNT; i++) {
		enum trait t = (enum trait)i;
		const char *a = trait_text(is, t), *b = trait_text(was, t);
		char what[192];

		if (strcmp(a, b) == 0 || is_erratum(o, is->id, t, a))
			continue;
		(void)snprintf(what, sizeof what, "resource %u: %s is \"%.48s\", was \"%.48s\"",
		    is->id, trait_names[t], a, b);
		return differs(o, e, what);
	}
	return ERR_OK;
}

static enum err_code
same_object(const struct lwm2m_obj_def *is, const struct lwm2m_obj_def *was, struct err *e)
{
	char what[64];

	if (strcmp(is->name, was->name) != 0)
		return differs(is, e, "name");
	if (is->multiple != was->multiple)
		return differs(is, e, "instances");
	if (is->mandatory != was->mandatory)
		return differs(is, e, "presence");
	for (size_t i = 0; i < MIN(is->n_res, was->n_res); i++) {
		const struct lwm2m_res_def *a = &is->res[i], *b = &was->res[i];

		if (a->id != b->id) {
			(void)snprintf(what, sizeof what, "resource %u is %s", MIN(a->id, b->id),
			    a->id < b->id ? "new" : "missing");
			return differs(is, e, what);
		}
		enum err_code rc = same_resource(is, a, b, e);
		if (rc != ERR_OK)
			return rc;
	}
	if (is->n_res == was->n_res)
		return ERR_OK;
	const struct lwm2m_obj_def *longer = is->n_res > was->n_res ? is : was;
	(void)snprintf(what, sizeof what, "resource %u is %s",
	    longer->res[MIN(is->n_res, was->n_res)].id, longer == is ? "new" : "missing");
	return differs(is, e, what);
}

static const struct lwm2m_obj_def *
find_known(const struct lwm2m_model *m, const struct lwm2m_loaded_list *list, size_t i)
{
	const struct lwm2m_obj_def *o = &list->at[i]->def;

	for (size_t k = 0; k < i; k++) {
		const struct lwm2m_loaded *l = list->at[k];
		if (l != NULL && l->def.id == o->id && l->def.version.major == o->version.major &&
		    l->def.version.minor == o->version.minor)
			return &l->def;
	}
	return lwm2m_model_object_version(m, o->id, o->version);
}

enum err_code
lwm2m_model_load_xml(
    struct lwm2m_model *m, const char *name, const char *xml, size_t n, struct err *e)
{
	struct lwm2m_loaded_list list;
	struct err why = { .code = ERR_OK };
	enum err_code rc = lwm2m_xml_read(m, name, xml, n, &list, e);

	if (rc != ERR_OK)
		return rc;
	for (size_t i = 0; rc == ERR_OK && i < list.n; i++) {
		const struct lwm2m_obj_def *known = find_known(m, &list, i);

		if (known == NULL)
			continue;
		rc = same_object(&list.at[i]->def, known, &why);
		lwm2m_loaded_free(list.at[i]);
		list.at[i] = NULL;
	}
	if (rc != ERR_OK)
		rc = err_set(e, rc, "%s: %s", name, why.msg);
	for (size_t i = 0; rc == ERR_OK && i < list.n; i++) {
		if (list.at[i] != NULL)
			rc = lwm2m_model_take(m, list.at[i], e);
		list.at[i] = NULL;
	}
	lwm2m_loaded_list_clear(&list);
	return rc;
}

static enum err_code
read_file(const char *file, struct gbuf *out, struct err *e)
{
	FILE *f = fopen(file, "rbe");
	char block[8192];
	size_t n;

	if (f == NULL)
		return err_errno(e, errno, "%s", file);
	while (!out->failed && (n = fread(block, 1, sizeof block, f)) > 0)
		gbuf_put(out, block, n);
	enum err_code rc = ferror(f) != 0 ? err_errno(e, errno, "%s", file) : ERR_OK;
	(void)fclose(f);
	if (rc == ERR_OK && gbuf_check(out, e) != ERR_OK)
		rc = err_wrap(e, "%s", file);
	return rc;
}

enum err_code
lwm2m_model_load_file(struct lwm2m_model *m, const char *file, struct err *e)
{
	struct gbuf text = { .max = LWM2M_XML_MAX };
	enum err_code rc = read_file(file, &text, e);

	if (rc == ERR_OK)
		rc = lwm2m_model_load_xml(m, file, gbuf_cstr(&text), text.len, e);
	gbuf_clear(&text);
	return rc;
}

static int
is_xml(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 4 && d->d_name[0] != '.' && strcmp(d->d_name + n - 4, ".xml") == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err_code
load_one(struct lwm2m_model *m, const char *dir, const char *name, struct err *e)
{
	struct gbuf path = { .max = 4096 };

	gbuf_printf(&path, "%s/%s", dir, name);
	enum err_code rc = gbuf_check(&path, e);
	if (rc == ERR_OK)
		rc = lwm2m_model_load_file(m, gbuf_cstr(&path), e);
	gbuf_clear(&path);
	return rc;
}

enum err_code
lwm2m_model_load_dir(struct lwm2m_model *m, const char *dir, struct err *e)
{
	struct dirent **list = NULL;
	enum err_code rc = ERR_OK;
	int n = scandir(dir, &list, is_xml, by_name);

	if (n < 0)
		return err_errno(e, errno, "%s", dir);
	if (n > DIR_FILES_MAX)
		rc = err_set(e, ERR_LIMIT, "%s: more than %d files", dir, DIR_FILES_MAX);
	for (int i = 0; i < n; i++) {
		if (rc == ERR_OK)
			rc = load_one(m, dir, list[i]->d_name, e);
		free(list[i]);
	}
	free(list);
	return rc;
}
