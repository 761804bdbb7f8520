#include "lib/lwm2m/object_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

struct lwm2m_model *
lwm2m_model_new(void)
{
	const struct lwm2m_model *b = lwm2m_model_builtin();
	struct lwm2m_model *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->own = malloc(b->n * sizeof *m->own);
	if (m->own == NULL) {
		free(m);
		return NULL;
	}
	memcpy(m->own, b->defs, b->n * sizeof *m->own);
	m->defs = m->own;
	m->n = m->cap = b->n;
	return m;
}

void
lwm2m_loaded_free(struct lwm2m_loaded *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n_strings; i++)
		free(l->strings[i]);
	free(l->strings);
	free(l->res);
	free(l);
}

void
lwm2m_loaded_list_clear(struct lwm2m_loaded_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		lwm2m_loaded_free(list->at[i]);
	*list = (struct lwm2m_loaded_list){ .n = 0 };
}

void
lwm2m_model_free(struct lwm2m_model *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n_loaded; i++)
		lwm2m_loaded_free(m->loaded[i]);
	free(m->loaded);
	free(m->own);
	free(m);
}

const char *
lwm2m_loaded_str(struct lwm2m_loaded *l, const char *s, size_t n)
{
	char **arr = grow(l->strings, l->n_strings, &l->cap_strings, sizeof *arr);

	if (arr == NULL)
		return NULL;
	l->strings = arr;
	arr[l->n_strings] = str_dup_n(s, n);
	return arr[l->n_strings] == NULL ? NULL : arr[l->n_strings++];
}

static int
version_cmp(struct lwm2m_version a, struct lwm2m_version b)
{
	int d = (int)a.major - (int)b.major;

	return d != 0 ? d : (int)a.minor - (int)b.minor;
}

/* The first definition behind all with that id and a version up to v. */
static size_t
upper_bound(const struct lwm2m_model *m, uint16_t oid, struct lwm2m_version v)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct lwm2m_obj_def *d = m->defs[mid];

		if (d->id < oid || (d->id == oid && version_cmp(d->version, v) <= 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

enum err_code
lwm2m_model_take(struct lwm2m_model *m, struct lwm2m_loaded *l, struct err *e)
{
	size_t at = upper_bound(m, l->def.id, l->def.version);
	const struct lwm2m_obj_def **own = grow(m->own, m->n, &m->cap, sizeof *own);

	if (own != NULL) {
		m->own = own;
		m->defs = own;
	}
	struct lwm2m_loaded **arr = grow(m->loaded, m->n_loaded, &m->cap_loaded, sizeof *arr);
	if (arr != NULL)
		m->loaded = arr;
	if (own == NULL || arr == NULL) {
		lwm2m_loaded_free(l);
		return err_no_memory(e);
	}
	arr[m->n_loaded++] = l;
	memmove(own + at + 1, own + at, (m->n - at) * sizeof *own);
	own[at] = &l->def;
	m->n++;
	return ERR_OK;
}

const struct lwm2m_obj_def *
lwm2m_model_object(const struct lwm2m_model *m, uint16_t oid)
{
	size_t at = upper_bound(m, oid, (struct lwm2m_version){ UINT8_MAX, UINT8_MAX });

	return at > 0 && m->defs[at - 1]->id == oid ? m->defs[at - 1] : NULL;
}

const struct lwm2m_obj_def *
lwm2m_model_object_version(const struct lwm2m_model *m, uint16_t oid, struct lwm2m_version v)
{
	size_t at = upper_bound(m, oid, v);

	if (at == 0 || m->defs[at - 1]->id != oid || version_cmp(m->defs[at - 1]->version, v) != 0)
		return NULL;
	return m->defs[at - 1];
}

const struct lwm2m_obj_def *
lwm2m_model_object_by_key(const struct lwm2m_model *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->defs[i]->key, key) == 0)
			return lwm2m_model_object(m, m->defs[i]->id);
	return NULL;
}

const struct lwm2m_obj_def *
lwm2m_model_at(const struct lwm2m_model *m, size_t i)
{
	return i < m->n ? m->defs[i] : NULL;
}

static int
res_cmp(const void *key, const void *elem)
{
	const uint16_t *rid = key;
	const struct lwm2m_res_def *r = elem;

	return (int)*rid - (int)r->id;
}

const struct lwm2m_res_def *
lwm2m_obj_resource(const struct lwm2m_obj_def *o, uint16_t rid)
{
	return o->n_res == 0 ? NULL : bsearch(&rid, o->res, o->n_res, sizeof *o->res, res_cmp);
}

const struct lwm2m_res_def *
lwm2m_obj_resource_by_key(const struct lwm2m_obj_def *o, const char *key)
{
	for (size_t i = 0; i < o->n_res; i++)
		if (strcmp(o->res[i].key, key) == 0)
			return &o->res[i];
	return NULL;
}

const struct lwm2m_res_def *
lwm2m_model_resource(const struct lwm2m_model *m, uint16_t oid, uint16_t rid)
{
	const struct lwm2m_obj_def *o = lwm2m_model_object(m, oid);

	return o == NULL ? NULL : lwm2m_obj_resource(o, rid);
}

void
lwm2m_name_to_key(const char *name, char *out, size_t cap)
{
	size_t n = 0;
	bool gap = false;

	if (cap == 0)
		return;
	for (; *name != '\0'; name++) {
		char c = *name;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
			gap = n > 0;
			continue;
		}
		if (n + (gap ? 2 : 1) >= cap)
			break;
		if (gap)
			out[n++] = '_';
		out[n++] = c;
		gap = false;
	}
	out[n] = '\0';
}

/* text is "16,32,48": is n one of them? */
static bool
is_listed(const char *text, int64_t n)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		int64_t one;

		if (str_to_i64(text, len, INT64_MIN, INT64_MAX, &one) && one == n)
			return true;
		text += len + (text[len] == ',');
	}
	return false;
}

static bool
is_inside(const struct lwm2m_res_def *r, int64_t n)
{
	if ((r->has_min && n < r->min) || (r->has_max && n > r->max))
		return false;
	return !r->has_min || strchr(r->range, ',') == NULL || is_listed(r->range, n);
}

static enum err_code
check_bytes(const struct lwm2m_res_def *r, const struct lwm2m_value *v, struct err *e)
{
	const struct secret *s = &v->bytes;

	if (r->type != LWM2M_OPAQUE && s->len > 0 && !str_is_utf8(s->data, s->len))
		return err_set(e, ERR_INVALID, "must be UTF-8 without NUL");
	if (s->len > INT64_MAX || !is_inside(r, (int64_t)s->len))
		return err_set(e, ERR_RANGE, "must be %s bytes long, is %zu", r->range, s->len);
	return ERR_OK;
}

static enum err_code
check_number(const struct lwm2m_res_def *r, const struct lwm2m_value *v, struct err *e)
{
	int64_t n;

	if (v->type == LWM2M_UNSIGNED && v->u > INT64_MAX) {
		if (r->type == LWM2M_UNSIGNED && !r->has_max)
			return ERR_OK;
		return err_set(e, ERR_RANGE, "must be %s, is %" PRIu64,
		    r->has_max ? r->range : "below 2^63", v->u);
	}
	if (!lwm2m_value_number(v, &n))
		return err_set(e, ERR_INTERNAL, "must be a number");
	if (!is_inside(r, n))
		return err_set(e, ERR_RANGE, "must be %s, is %" PRId64, r->range, n);
	if (r->type == LWM2M_UNSIGNED && n < 0)
		return err_set(e, ERR_RANGE, "must not be negative, is %" PRId64, n);
	return ERR_OK;
}

static enum err_code
check_float(const struct lwm2m_res_def *r, double f, struct err *e)
{
	if (isnan(f) && r->has_min)
		return err_set(e, ERR_RANGE, "must be %s, is not a number", r->range);
	if ((r->has_min && f < (double)r->min) || (r->has_max && f > (double)r->max))
		return err_set(e, ERR_RANGE, "must be %s, is %.17g", r->range, f);
	return ERR_OK;
}

/* Types that formats do not keep apart are of one kind. */
static enum lwm2m_type
kind(enum lwm2m_type type)
{
	switch (type) {
	case LWM2M_CORELNK:
		return LWM2M_STRING;
	case LWM2M_UNSIGNED:
	case LWM2M_TIME:
		return LWM2M_INTEGER;
	case LWM2M_NONE:
	case LWM2M_STRING:
	case LWM2M_INTEGER:
	case LWM2M_FLOAT:
	case LWM2M_BOOLEAN:
	case LWM2M_OPAQUE:
	case LWM2M_OBJLNK:
	case LWM2M__TYPES:
		break;
	}
	return type;
}

enum err_code
lwm2m_value_check(const struct lwm2m_res_def *r, const struct lwm2m_value *v, struct err *e)
{
	if (r->type == LWM2M_NONE)
		return err_set(e, ERR_INVALID, "is executed, it holds no value");
	if (kind(r->type) != kind(v->type))
		return err_set(e, ERR_INVALID, "must be of type %s, is %s",
		    lwm2m_type_name(r->type), lwm2m_type_name(v->type));
	if (lwm2m_type_has_bytes(r->type))
		return check_bytes(r, v, e);
	if (kind(r->type) == LWM2M_INTEGER)
		return check_number(r, v, e);
	return r->type == LWM2M_FLOAT ? check_float(r, v->f, e) : ERR_OK;
}
