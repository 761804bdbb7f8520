#include "lib/lwm2m/senml.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/enc.h"

#define VERSION_MAX 10 /* RFC 8428 section 4.4 */
#define BIT(x) (1U << (x))
#define NUMBER (BIT(RAW_INT) | BIT(RAW_REAL))
#define TEXT (BIT(RAW_TEXT) | BIT(RAW_WORD))

static const struct {
	struct senml_label label;
	unsigned kinds;   /* bits of enum raw_kind */
	const char *must; /* the kinds in words */
} fields[SENML__FIELDS] = {
	[SENML_BN] = { { "bn", -2 }, TEXT, "string" },
	[SENML_BT] = { { "bt", -3 }, NUMBER, "number" },
	[SENML_BU] = { { "bu", -4 }, TEXT, "string" },
	[SENML_BV] = { { "bv", -5 }, NUMBER, "number" },
	[SENML_BS] = { { "bs", -6 }, NUMBER, "number" },
	[SENML_BVER] = { { "bver", -1 }, BIT(RAW_INT), "integer" },
	[SENML_N] = { { "n", 0 }, TEXT, "string" },
	[SENML_U] = { { "u", 1 }, TEXT, "string" },
	[SENML_V] = { { "v", 2 }, NUMBER, "number" },
	[SENML_VS] = { { "vs", 3 }, TEXT, "string" },
	[SENML_VB] = { { "vb", 4 }, BIT(RAW_BOOL), "boolean" },
	[SENML_VD] = { { "vd", 8 }, BIT(RAW_BYTES) | BIT(RAW_TEXT), "opaque" },
	[SENML_VLO] = { { "vlo", SENML_LABEL_TEXT }, TEXT, "string" },
	[SENML_S] = { { "s", 5 }, NUMBER, "number" },
	[SENML_T] = { { "t", 6 }, NUMBER, "number" },
	[SENML_UT] = { { "ut", 7 }, NUMBER, "number" },
};

static const enum senml_field values[] = { SENML_V, SENML_VS, SENML_VB, SENML_VD, SENML_VLO };

const struct senml_label *
senml_label(enum senml_field f)
{
	return &fields[f].label;
}

enum senml_field
senml_value_field(enum lwm2m_type type)
{
	switch (type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
		return SENML_VS;
	case LWM2M_BOOLEAN:
		return SENML_VB;
	case LWM2M_OPAQUE:
		return SENML_VD;
	case LWM2M_OBJLNK:
		return SENML_VLO;
	case LWM2M_INTEGER:
	case LWM2M_UNSIGNED:
	case LWM2M_FLOAT:
	case LWM2M_TIME:
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	return SENML_V;
}

enum senml_field
senml_field_named(const char *name, size_t n)
{
	enum senml_field f = SENML_BN;

	while (f < SENML__FIELDS &&
	       (strlen(fields[f].label.name) != n || memcmp(fields[f].label.name, name, n) != 0))
		f++;
	return f;
}

enum senml_field
senml_field_numbered(int64_t number)
{
	enum senml_field f = SENML_BN;

	while (f < SENML__FIELDS && (f == SENML_VLO || fields[f].label.number != number))
		f++;
	return f;
}

enum err_code
senml_unknown(const char *name, size_t n, struct err *e)
{
	if (n > 0 && name[n - 1] == '_')
		return err_set(e, ERR_UNSUPPORTED,
		    "a field whose name ends in '_' must be understood, and is not");
	return ERR_OK;
}

static bool
has(const struct senml_record *rec, enum senml_field f)
{
	return (rec->seen & BIT(f)) != 0;
}

enum err_code
senml_set(struct senml_record *rec, enum senml_field f, const struct raw *v, struct err *e)
{
	if (has(rec, f))
		return err_set(e, ERR_PARSE, "%s is there twice", fields[f].label.name);
	if ((fields[f].kinds & BIT(v->kind)) == 0 || v->epoch)
		return err_set(e, ERR_PARSE, "%s must be %s, is %s", fields[f].label.name,
		    fields[f].must, v->epoch ? "time" : raw_kind_name(v->kind));
	if (f == SENML_BVER && (v->negative || v->u > VERSION_MAX))
		return err_set(e, ERR_UNSUPPORTED, "bver must be 0..%d", VERSION_MAX);
	rec->seen |= BIT(f);
	rec->at[f] = *v;
	return ERR_OK;
}

/* The base name, which lives on, and the name: together the path. */
static enum err_code
resolve_name(
    struct senml_pack *pack, const struct senml_record *rec, struct lwm2m_path *p, struct err *e)
{
	const struct raw *bn = &rec->at[SENML_BN], *n = &rec->at[SENML_N];
	char name[2 * SENML_NAME_MAX];
	struct wbuf w = wbuf_make(name, sizeof name);

	if ((has(rec, SENML_BN) && bn->n > SENML_NAME_MAX) ||
	    (has(rec, SENML_N) && n->n > SENML_NAME_MAX))
		return err_set(e, ERR_PARSE, "the name is longer than a path can be");
	if (has(rec, SENML_BN)) {
		pack->bn_len = bn->n;
		if (bn->n > 0)
			memcpy(pack->bn, bn->p, bn->n);
	}
	wbuf_put(&w, pack->bn, pack->bn_len);
	if (has(rec, SENML_N))
		wbuf_put(&w, n->p, n->n);
	if (w.len == 0)
		return err_set(e, ERR_PARSE, "has no name");
	return lwm2m_path_parse(name, w.len, p, e);
}

/* The one value field of the record. */
static enum err_code
find_value(const struct senml_record *rec, enum senml_field *out, struct err *e)
{
	enum senml_field found = SENML__FIELDS;

	if (has(rec, SENML_S) || has(rec, SENML_BS))
		return err_set(e, ERR_UNSUPPORTED, "a sum is no value of a Resource");
	for (size_t i = 0; i < N_ELEMS(values); i++) {
		if (!has(rec, values[i]))
			continue;
		if (found != SENML__FIELDS)
			return err_set(e, ERR_PARSE, "has two values, %s and %s",
			    fields[found].label.name, fields[values[i]].label.name);
		found = values[i];
	}
	if (found == SENML__FIELDS)
		return err_set(e, ERR_PARSE, "has no value");
	*out = found;
	return ERR_OK;
}

/* What the value field means; bytes that came as text are decoded into own. */
static enum err_code
resolve_value(const struct senml_pack *pack, const struct senml_record *rec, struct raw *v,
    struct secret *own, struct err *e)
{
	enum senml_field f = SENML__FIELDS;
	enum err_code rc = find_value(rec, &f, e);

	if (rc != ERR_OK)
		return rc;
	*v = rec->at[f];
	if (f == SENML_V && pack->has_bv)
		return raw_sum(v, &pack->bv, v, e);
	if (f == SENML_VS)
		v->kind = RAW_TEXT;
	if (f == SENML_VLO)
		v->kind = RAW_LINK;
	if (f != SENML_VD || v->kind != RAW_TEXT)
		return ERR_OK;
	rc = dec_base64url((const char *)v->p, v->n, own, e);
	if (rc != ERR_OK) {
		(void)err_wrap(e, "vd");
		return rc;
	}
	v->kind = RAW_BYTES;
	v->p = own->data;
	v->n = own->len;
	return ERR_OK;
}

enum err_code
senml_in_record(const struct senml_pack *pack, enum err_code rc, struct err *e)
{
	if (rc != ERR_OK)
		(void)err_wrap(e, "record %zu", pack->records + 1);
	return rc;
}

enum err_code
senml_take(struct senml_pack *pack, const struct senml_record *rec, struct err *e)
{
	struct lwm2m_path p;
	struct secret own = SECRET_NONE;
	struct raw v = { .kind = RAW_NULL };
	enum err_code rc = resolve_name(pack, rec, &p, e);

	if (rc != ERR_OK)
		return senml_in_record(pack, rc, e);
	if (has(rec, SENML_BV)) {
		pack->has_bv = true;
		pack->bv = rec->at[SENML_BV];
	}
	rc = resolve_value(pack, rec, &v, &own, e);
	if (rc != ERR_OK)
		(void)err_wrap(e, "%s", lwm2m_path_str(p).s);
	else
		rc = raw_add(&pack->sink, p, &v, e);
	secret_clear(&own);
	pack->records++;
	return rc;
}

void
senml_names(struct lwm2m_path base, struct lwm2m_path p, bool first, struct senml_names *out)
{
	struct lwm2m_path_str bn = lwm2m_path_str(base), name = lwm2m_path_str(p);
	size_t skip = strlen(bn.s);

	memcpy(out->bn, bn.s, skip);
	if (base.depth > LWM2M_ROOT && base.depth < p.depth)
		out->bn[skip++] = '/';
	out->bn[first ? skip : 0] = '\0';
	memcpy(out->n, name.s + skip, strlen(name.s + skip) + 1);
}
