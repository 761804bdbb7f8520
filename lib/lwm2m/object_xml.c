#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "lib/lwm2m/object_model.h"

#define DEPTH_MAX 16
#define TEXT_MAX ((size_t)1024) /* of one element; descriptions are passed over, not kept */
#define RESOURCES_MAX 1024      /* of one Object */
#define KEY_MAX 256

/* The elements that the content of others depends on; all elements else are PLACE_OTHER. */
enum place {
	PLACE_TOP,
	PLACE_FILE,
	PLACE_OBJECT,
	PLACE_RESOURCES,
	PLACE_ITEM,
	PLACE_FIELD,
	PLACE_OTHER
};

struct reader;
typedef void field_fn(struct reader *r, const char *text);

struct field {
	enum place in;
	const char *name;
	bool required;
	field_fn *take;
};

struct reader {
	XML_Parser parser;
	const struct lwm2m_model *model;
	const char *name;
	struct err err; /* the first error */

	enum place stack[DEPTH_MAX];
	size_t depth;
	const struct field *field; /* the one whose text is being read */
	struct gbuf text;

	struct lwm2m_loaded_list *done;
	struct lwm2m_loaded *obj; /* the last of done */
	struct lwm2m_res_def item;
	unsigned long obj_line, item_line;
	uint32_t seen_obj, seen_item; /* bits: rows of the fields table */
	struct lwm2m_range range;
	char range_text[TEXT_MAX + 1]; /* cannot be read before the type is known */
};

/* The first error is the one that is told; parsing stops. */
static void __attribute__((format(printf, 4, 5)))
fail(struct reader *r, enum err_code code, unsigned long line, const char *fmt, ...)
{
	char why[sizeof r->err.msg / 2];
	va_list ap;

	if (r->err.code != ERR_OK)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	(void)err_set(&r->err, code, "%s:%lu: %s", r->name, line, why);
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static unsigned long
line_of(const struct reader *r)
{
	return (unsigned long)XML_GetCurrentLineNumber(r->parser);
}

/* What was found, made fit for a message, and what would have been right. */
static void
fail_text(struct reader *r, const char *text, const char *want)
{
	struct gbuf quoted = { .max = 160 };

	str_quote(&quoted, text, MIN(strlen(text), (size_t)32));
	fail(r, ERR_PARSE, line_of(r), "<%s> is \"%s\", must be %s", r->field->name,
	    gbuf_cstr(&quoted), want);
	gbuf_clear(&quoted);
}

static const char *
keep(struct reader *r, const char *text)
{
	const char *s = lwm2m_loaded_str(r->obj, text, strlen(text));

	if (s == NULL)
		fail(r, ERR_NO_MEMORY, line_of(r), "out of memory");
	return s == NULL ? "" : s;
}

static const char *
keep_key(struct reader *r, const char *name)
{
	char key[KEY_MAX];

	lwm2m_name_to_key(name, key, sizeof key);
	return keep(r, key);
}

static void
take_object_name(struct reader *r, const char *text)
{
	if (*text == '\0')
		fail_text(r, text, "a name");
	r->obj->def.name = keep(r, text);
	r->obj->def.key = keep_key(r, text);
}

static void
take_object_id(struct reader *r, const char *text)
{
	uint64_t id = 0;

	if (!str_to_u64(text, strlen(text), 0, LWM2M_ID_MAX, &id))
		fail_text(r, text, "0..65534");
	r->obj->def.id = (uint16_t)id;
}

/* "1.1"; left as it is when empty. */
static void
take_version(struct reader *r, const char *text, struct lwm2m_version *out)
{
	const char *dot = strchr(text, '.');
	uint64_t major, minor;

	if (*text == '\0')
		return;
	if (dot == NULL || !str_to_u64(text, (size_t)(dot - text), 0, UINT8_MAX, &major) ||
	    !str_to_u64(dot + 1, strlen(dot + 1), 0, UINT8_MAX, &minor))
		fail_text(r, text, "a version such as 1.0");
	else
		*out = (struct lwm2m_version){ (uint8_t)major, (uint8_t)minor };
}

static void
take_object_version(struct reader *r, const char *text)
{
	take_version(r, text, &r->obj->def.version);
}

static void
take_lwm2m_version(struct reader *r, const char *text)
{
	take_version(r, text, &r->obj->def.lwm2m_version);
}

static bool
either(struct reader *r, const char *text, const char *yes, const char *no, const char *want)
{
	if (strcasecmp(text, yes) != 0 && strcasecmp(text, no) != 0)
		fail_text(r, text, want);
	return strcasecmp(text, yes) == 0;
}

static bool
is_multiple(struct reader *r, const char *text)
{
	return either(r, text, "Multiple", "Single", "Single or Multiple");
}

static bool
is_mandatory(struct reader *r, const char *text)
{
	return either(r, text, "Mandatory", "Optional", "Mandatory or Optional");
}

static void
take_object_instances(struct reader *r, const char *text)
{
	r->obj->def.multiple = is_multiple(r, text);
}

static void
take_object_presence(struct reader *r, const char *text)
{
	r->obj->def.mandatory = is_mandatory(r, text);
}

static void
take_name(struct reader *r, const char *text)
{
	if (*text == '\0')
		fail_text(r, text, "a name");
	r->item.name = keep(r, text);
	r->item.key = keep_key(r, text);
}

static void
take_operations(struct reader *r, const char *text)
{
	static const char letters[] = "RWE"; /* in the order of enum lwm2m_op */

	for (const char *c = text; *c != '\0'; c++) {
		const char *is = strchr(letters, *c);

		if (is == NULL)
			fail_text(r, text, "empty or made of R, W and E");
		else
			r->item.ops |= 1U << (is - letters);
	}
}

static void
take_instances(struct reader *r, const char *text)
{
	r->item.multiple = is_multiple(r, text);
}

static void
take_presence(struct reader *r, const char *text)
{
	r->item.mandatory = is_mandatory(r, text);
}

static void
take_type(struct reader *r, const char *text)
{
	if (*text == '\0')
		return;
	for (int t = LWM2M_STRING; t < LWM2M__TYPES; t++) {
		if (strcasecmp(text, lwm2m_type_name((enum lwm2m_type)t)) == 0) {
			r->item.type = (enum lwm2m_type)t;
			return;
		}
	}
	fail_text(r, text, "a type such as String or empty");
}

static void
take_range(struct reader *r, const char *text)
{
	(void)snprintf(r->range_text, sizeof r->range_text, "%s", text);
}

static void
take_unit(struct reader *r, const char *text)
{
	r->item.unit = keep(r, text);
}

/* clang-format off */
static const struct field fields[] = {
	{ PLACE_OBJECT, "Name",              true,  take_object_name },
	{ PLACE_OBJECT, "ObjectID",          true,  take_object_id },
	{ PLACE_OBJECT, "ObjectVersion",     false, take_object_version },
	{ PLACE_OBJECT, "LWM2MVersion",      false, take_lwm2m_version },
	{ PLACE_OBJECT, "MultipleInstances", true,  take_object_instances },
	{ PLACE_OBJECT, "Mandatory",         true,  take_object_presence },
	{ PLACE_ITEM,   "Name",              true,  take_name },
	{ PLACE_ITEM,   "Operations",        false, take_operations },
	{ PLACE_ITEM,   "MultipleInstances", true,  take_instances },
	{ PLACE_ITEM,   "Mandatory",         true,  take_presence },
	{ PLACE_ITEM,   "Type",              false, take_type },
	{ PLACE_ITEM,   "RangeEnumeration",  false, take_range },
	{ PLACE_ITEM,   "Units",             false, take_unit },
};

static const struct {
	enum place in;
	const char *name;
	enum place is;
} frames[] = {
	{ PLACE_TOP,       "LWM2M",     PLACE_FILE },
	{ PLACE_FILE,      "Object",    PLACE_OBJECT },
	{ PLACE_OBJECT,    "Resources", PLACE_RESOURCES },
	{ PLACE_RESOURCES, "Item",      PLACE_ITEM },
};
/* clang-format on */

static void
open_object(struct reader *r)
{
	if (r->done->n == LWM2M_FILE_OBJECTS) {
		fail(r, ERR_LIMIT, line_of(r), "more than %d objects in one file",
		    LWM2M_FILE_OBJECTS);
		return;
	}
	r->obj = calloc(1, sizeof *r->obj);
	if (r->obj == NULL) {
		fail(r, ERR_NO_MEMORY, line_of(r), "out of memory");
		return;
	}
	r->done->at[r->done->n++] = r->obj;
	r->obj->def.version = r->obj->def.lwm2m_version = (struct lwm2m_version){ 1, 0 };
	r->obj_line = line_of(r);
	r->seen_obj = 0;
}

static void
open_item(struct reader *r, const XML_Char **attrs)
{
	uint64_t id = 0;
	const char *text = "";

	for (size_t i = 0; attrs[i] != NULL; i += 2)
		if (strcmp(attrs[i], "ID") == 0)
			text = attrs[i + 1];
	if (!str_to_u64(text, strlen(text), 0, LWM2M_ID_MAX, &id))
		fail(r, ERR_PARSE, line_of(r), "<Item> must have an ID of 0..65534");
	r->item = (struct lwm2m_res_def){ .id = (uint16_t)id, .range = "", .unit = "" };
	r->item_line = line_of(r);
	r->seen_item = 0;
	r->range_text[0] = '\0';
}

static enum place
open_field(struct reader *r, enum place in, const char *name)
{
	uint32_t *seen = in == PLACE_OBJECT ? &r->seen_obj : &r->seen_item;

	for (size_t i = 0; i < N_ELEMS(fields); i++) {
		if (fields[i].in != in || strcmp(fields[i].name, name) != 0)
			continue;
		if ((*seen & 1U << i) != 0)
			fail(r, ERR_PARSE, line_of(r), "<%s> is there twice", name);
		*seen |= 1U << i;
		r->field = &fields[i];
		gbuf_reset(&r->text);
		return PLACE_FIELD;
	}
	return PLACE_OTHER;
}

static void XMLCALL
on_start(void *arg, const XML_Char *name, const XML_Char **attrs)
{
	struct reader *r = arg;
	enum place in = r->depth == 0 ? PLACE_TOP : r->stack[r->depth - 1];
	enum place is = PLACE_OTHER;

	if (r->err.code != ERR_OK)
		return;
	if (r->depth == DEPTH_MAX) {
		fail(r, ERR_LIMIT, line_of(r), "elements are nested deeper than %d", DEPTH_MAX);
		return;
	}
	for (size_t i = 0; i < N_ELEMS(frames); i++)
		if (frames[i].in == in && strcmp(frames[i].name, name) == 0)
			is = frames[i].is;
	if (in == PLACE_TOP && is != PLACE_FILE)
		fail(r, ERR_PARSE, line_of(r),
		    "no object definitions: the first element is not <LWM2M>");
	else if (in == PLACE_FIELD)
		fail(r, ERR_PARSE, line_of(r), "<%s> must hold text only", r->field->name);
	else if (is == PLACE_OBJECT)
		open_object(r);
	else if (is == PLACE_ITEM)
		open_item(r, attrs);
	else if (is == PLACE_OTHER && (in == PLACE_OBJECT || in == PLACE_ITEM))
		is = open_field(r, in, name);
	r->stack[r->depth++] = is;
}

static void XMLCALL
on_text(void *arg, const XML_Char *s, int n)
{
	struct reader *r = arg;

	if (r->err.code != ERR_OK || r->depth == 0 || r->stack[r->depth - 1] != PLACE_FIELD)
		return;
	if ((size_t)n > TEXT_MAX - r->text.len) {
		fail(r, ERR_LIMIT, line_of(r), "<%s> is longer than %zu bytes", r->field->name,
		    TEXT_MAX);
		return;
	}
	gbuf_put(&r->text, s, (size_t)n);
	if (gbuf_check(&r->text, NULL) != ERR_OK)
		fail(r, ERR_NO_MEMORY, line_of(r), "out of memory");
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Runs of blanks become one, none at the ends: the registry has them anywhere. */
static void
collapse(const char *s, char out[TEXT_MAX + 1])
{
	size_t n = 0;

	for (; *s != '\0'; s++) {
		if (!is_blank(*s))
			out[n++] = *s;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static bool
has_required(struct reader *r, enum place in, uint32_t seen, unsigned long line)
{
	for (size_t i = 0; i < N_ELEMS(fields); i++) {
		if (fields[i].in == in && fields[i].required && (seen & 1U << i) == 0) {
			fail(r, ERR_PARSE, line, "<%s> is missing in <%s>", fields[i].name,
			    in == PLACE_ITEM ? "Item" : "Object");
			return false;
		}
	}
	return true;
}

/* XML does not say what is secret: what may be a key is taken for one. */
static bool
may_be_key(const struct lwm2m_res_def *item)
{
	return item->type == LWM2M_OPAQUE || (item->type == LWM2M_STRING && item->ops == LWM2M_W);
}

static void
add_item(struct reader *r)
{
	struct lwm2m_loaded *o = r->obj;

	if (o->def.n_res == RESOURCES_MAX) {
		fail(r, ERR_LIMIT, r->item_line, "more than %d resources", RESOURCES_MAX);
		return;
	}
	struct lwm2m_res_def *arr = grow(o->res, o->def.n_res, &o->cap, sizeof *arr);
	if (arr == NULL) {
		fail(r, ERR_NO_MEMORY, r->item_line, "out of memory");
		return;
	}
	o->res = arr;
	o->def.res = arr;
	arr[o->def.n_res++] = r->item;
}

static void
close_item(struct reader *r)
{
	struct lwm2m_res_def *item = &r->item;

	if (!has_required(r, PLACE_ITEM, r->seen_item, r->item_line))
		return;
	if (item->ops == LWM2M_E)
		item->type = LWM2M_NONE;
	else if (item->type == LWM2M_NONE) {
		fail(r, ERR_PARSE, r->item_line,
		    "resource %u has no <Type>, and is not one to execute", item->id);
		return;
	}
	lwm2m_range_read(r->range_text, strlen(r->range_text), item->type, &r->range);
	item->has_min = item->has_max = r->range.bounded;
	item->min = r->range.min;
	item->max = r->range.max;
	item->range = keep(r, r->range.text);
	item->secret = may_be_key(item);
	add_item(r);
}

static int
by_id(const void *a, const void *b)
{
	const struct lwm2m_res_def *x = a, *y = b;

	return (int)x->id - (int)y->id;
}

/* Two Resources of one name (registered so, by mistake): the id goes behind the later one's key. */
static void
unique_key(struct reader *r, size_t i)
{
	struct lwm2m_res_def *res = r->obj->res;
	char key[KEY_MAX + 8];
	bool taken = *res[i].key == '\0';

	for (size_t k = 0; k < i && !taken; k++)
		taken = strcmp(res[k].key, res[i].key) == 0;
	if (!taken)
		return;
	(void)snprintf(
	    key, sizeof key, "%s_%u", *res[i].key == '\0' ? "resource" : res[i].key, res[i].id);
	res[i].key = keep(r, key);
}

static void
close_object(struct reader *r)
{
	struct lwm2m_loaded *o = r->obj;

	if (!has_required(r, PLACE_OBJECT, r->seen_obj, r->obj_line))
		return;
	if (o->def.n_res == 0) {
		fail(r, ERR_PARSE, r->obj_line, "object %u has no resources", o->def.id);
		return;
	}
	qsort(o->res, o->def.n_res, sizeof *o->res, by_id);
	for (size_t i = 0; i < o->def.n_res; i++) {
		struct lwm2m_res_def *res = &o->res[i];
		const struct lwm2m_res_def *known =
		    lwm2m_model_resource(r->model, o->def.id, res->id);

		if (i > 0 && res[-1].id == res->id) {
			fail(r, ERR_PARSE, r->obj_line, "resource %u is there twice", res->id);
			return;
		}
		res->secret = res->secret || (known != NULL && known->secret);
		unique_key(r, i);
	}
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
	struct reader *r = arg;
	char text[TEXT_MAX + 1];

	(void)name;
	if (r->err.code != ERR_OK || r->depth == 0)
		return;
	switch (r->stack[--r->depth]) {
	case PLACE_FIELD:
		collapse(gbuf_cstr(&r->text), text);
		r->field->take(r, text);
		break;
	case PLACE_ITEM:
		close_item(r);
		break;
	case PLACE_OBJECT:
		close_object(r);
		break;
	case PLACE_TOP:
	case PLACE_FILE:
	case PLACE_RESOURCES:
	case PLACE_OTHER:
		break;
	}
}

static void XMLCALL
on_doctype(
    void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int internal)
{
	struct reader *r = arg;

	(void)name, (void)sysid, (void)pubid, (void)internal;
	fail(r, ERR_REFUSED, line_of(r), "a document type (<!DOCTYPE>) is refused");
}

enum err_code
lwm2m_xml_read(const struct lwm2m_model *m, const char *name, const char *xml, size_t n,
    struct lwm2m_loaded_list *out, struct err *e)
{
	struct reader r = { .model = m, .name = name, .done = out, .text.max = TEXT_MAX };

	*out = (struct lwm2m_loaded_list){ .n = 0 };
	if (n > LWM2M_XML_MAX)
		return err_set(e, ERR_LIMIT, "%s: larger than %zu bytes", name, LWM2M_XML_MAX);
	r.parser = XML_ParserCreate(NULL);
	if (r.parser == NULL)
		return err_no_memory(e);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (XML_Parse(r.parser, xml, (int)n, XML_TRUE) != XML_STATUS_OK)
		fail(&r, ERR_PARSE, line_of(&r), "%s", XML_ErrorString(XML_GetErrorCode(r.parser)));
	else if (out->n == 0)
		fail(&r, ERR_PARSE, line_of(&r), "no <Object> in it");
	XML_ParserFree(r.parser);
	gbuf_clear(&r.text);
	if (r.err.code != ERR_OK) {
		lwm2m_loaded_list_clear(out);
		return err_set(e, r.err.code, "%s", r.err.msg);
	}
	return ERR_OK;
}
