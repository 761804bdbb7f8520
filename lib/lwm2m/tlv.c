/* OMA TLV (Core 1.1 section 7.4.3): type, id and length, then the value or further TLVs. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/lwm2m/format.h"

#define LENGTH_MAX 0xffffff /* a length field has up to three octets */

enum kind { OBJECT_INSTANCE, RESOURCE_INSTANCE, MULTIPLE_RESOURCE, RESOURCE, KIND__COUNT };

static const char *const kind_names[KIND__COUNT] = {
	[OBJECT_INSTANCE] = "Object Instance",
	[RESOURCE_INSTANCE] = "Resource Instance",
	[MULTIPLE_RESOURCE] = "Multiple Resource",
	[RESOURCE] = "Resource",
};

struct tlv {
	enum kind kind;
	uint16_t id;
	size_t at; /* where its header begins in the payload */
	struct rbuf value;
};

struct decoder {
	const struct lwm2m_model *model;
	const uint8_t *start; /* of the payload */
	struct lwm2m_tree *out;
	struct err *e;
};

/* The next TLV of r, which is not at its end; parent is what r is the content of. */
static enum err_code
next_tlv(const struct decoder *d, struct rbuf *r, struct lwm2m_path parent, struct tlv *out)
{
	out->at = (size_t)(r->data + r->pos - d->start);
	uint8_t type = rbuf_u8(r);
	size_t length_octets = type >> 3 & 3;

	out->kind = (enum kind)(type >> 6);
	out->id = (uint16_t)rbuf_be(r, (type & 0x20) != 0 ? 2 : 1);
	size_t len = length_octets == 0 ? type & 7U : (size_t)rbuf_be(r, length_octets);
	if (r->overrun)
		return err_set(d->e, ERR_PARSE, "%s: octet %zu: a TLV header is cut off",
		    lwm2m_path_str(parent).s, out->at);
	if (out->id == LWM2M_MAX_ID)
		return err_set(d->e, ERR_RANGE, "%s: octet %zu: id %d is reserved",
		    lwm2m_path_str(parent).s, out->at, LWM2M_MAX_ID);
	if (len > rbuf_left(r))
		return err_set(d->e, ERR_PARSE,
		    "%s: octet %zu: %s %u announces %zu octets, %zu are left",
		    lwm2m_path_str(parent).s, out->at, kind_names[out->kind], (unsigned)out->id,
		    len, rbuf_left(r));
	out->value = rbuf_make(rbuf_take(r, len), len);
	return ERR_OK;
}

static enum err_code
misplaced(const struct decoder *d, struct lwm2m_path parent, const struct tlv *t)
{
	return err_set(d->e, ERR_PARSE, "%s: octet %zu: a TLV of the kind %s does not belong here",
	    lwm2m_path_str(parent).s, t->at, kind_names[t->kind]);
}

static enum err_code
twice(struct lwm2m_path p, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s: is there twice", lwm2m_path_str(p).s);
}

static enum err_code
wrong_length(struct lwm2m_path p, enum lwm2m_type type, size_t n, const char *allowed,
    struct err *e)
{
	return err_set(e, ERR_PARSE, "%s: %s of %zu octets, must be %s", lwm2m_path_str(p).s,
	    lwm2m_type_name(type), n, allowed);
}

static int64_t
sign_extended(uint64_t bits, size_t n)
{
	if (n < 8 && (bits >> (8 * n - 1) & 1) != 0)
		bits |= UINT64_MAX << 8 * n;
	return (int64_t)bits;
}

static double
float_of(uint64_t bits, size_t n)
{
	uint32_t bits32 = (uint32_t)bits;
	double f64;
	float f32;

	memcpy(&f64, &bits, sizeof f64);
	memcpy(&f32, &bits32, sizeof f32);
	return n == 4 ? (double)f32 : f64;
}

static enum err_code
decode_number(struct lwm2m_path p, enum lwm2m_type type, struct rbuf r, struct lwm2m_value *v,
    struct err *e)
{
	size_t n = rbuf_left(&r);
	bool is_float = type == LWM2M_FLOAT;

	if (is_float && n != 4 && n != 8)
		return wrong_length(p, type, n, "4 or 8", e);
	if (n != 1 && n != 2 && n != 4 && n != 8)
		return wrong_length(p, type, n, "1, 2, 4 or 8", e);
	uint64_t bits = rbuf_be(&r, n);
	if (is_float)
		*v = lwm2m_float(float_of(bits, n));
	else if (type == LWM2M_UNSIGNED)
		*v = lwm2m_uint(bits);
	else if (type == LWM2M_TIME)
		*v = lwm2m_time(sign_extended(bits, n));
	else
		*v = lwm2m_int(sign_extended(bits, n));
	return ERR_OK;
}

static enum err_code
decode_boolean(struct lwm2m_path p, struct rbuf r, struct lwm2m_value *v, struct err *e)
{
	if (rbuf_left(&r) != 1)
		return wrong_length(p, LWM2M_BOOLEAN, rbuf_left(&r), "1", e);
	uint8_t b = rbuf_u8(&r);
	if (b > 1)
		return err_set(e, ERR_PARSE, "%s: boolean must be 0 or 1, is %u",
		    lwm2m_path_str(p).s, (unsigned)b);
	*v = lwm2m_bool(b == 1);
	return ERR_OK;
}

static enum err_code
decode_link(struct lwm2m_path p, struct rbuf r, struct lwm2m_value *v, struct err *e)
{
	if (rbuf_left(&r) != 4)
		return wrong_length(p, LWM2M_OBJLNK, rbuf_left(&r), "4", e);
	uint16_t object = (uint16_t)rbuf_be(&r, 2);
	*v = lwm2m_link(object, (uint16_t)rbuf_be(&r, 2));
	return ERR_OK;
}

static enum err_code
decode_bytes(struct lwm2m_path p, enum lwm2m_type type, struct rbuf r, struct lwm2m_value *v,
    struct err *e)
{
	if (type != LWM2M_OPAQUE && !str_is_utf8(r.data, r.len))
		return err_set(e, ERR_PARSE, "%s: %s is not UTF-8 without NUL", lwm2m_path_str(p).s,
		    lwm2m_type_name(type));
	return lwm2m_value_bytes(v, type, r.data, r.len, e);
}

static enum err_code
decode_value(struct lwm2m_path p, enum lwm2m_type type, struct rbuf r, struct lwm2m_value *v,
    struct err *e)
{
	switch (type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		return decode_bytes(p, type, r, v, e);
	case LWM2M_INTEGER:
	case LWM2M_UNSIGNED:
	case LWM2M_TIME:
	case LWM2M_FLOAT:
		return decode_number(p, type, r, v, e);
	case LWM2M_BOOLEAN:
		return decode_boolean(p, r, v, e);
	case LWM2M_OBJLNK:
		return decode_link(p, r, v, e);
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	return err_set(e, ERR_INVALID, "%s: an executable Resource has no value",
	    lwm2m_path_str(p).s);
}

static enum err_code
add_value(const struct decoder *d, struct lwm2m_path p, enum lwm2m_type type, struct rbuf r)
{
	struct lwm2m_value v = { .type = LWM2M_NONE };
	enum err_code rc = decode_value(p, type, r, &v, d->e);

	if (rc == ERR_OK)
		rc = lwm2m_tree_add(d->out, p, &v, d->e);
	return rc == ERR_EXISTS ? twice(p, d->e) : rc;
}

static enum err_code
decode_multiple(const struct decoder *d, struct lwm2m_path res, enum lwm2m_type type, struct rbuf r)
{
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && rbuf_left(&r) > 0) {
		struct tlv t;

		rc = next_tlv(d, &r, res, &t);
		if (rc == ERR_OK && t.kind != RESOURCE_INSTANCE)
			rc = misplaced(d, res, &t);
		if (rc == ERR_OK)
			rc = add_value(d, lwm2m_path_child(res, t.id), type, t.value);
	}
	return rc;
}

/* t is a Resource or a Multiple Resource; the model says which one it must be. */
static enum err_code
decode_resource(const struct decoder *d, struct lwm2m_path p, const struct tlv *t)
{
	const struct lwm2m_res_def *def = lwm2m_model_resource(d->model, p.id[0], p.id[2]);
	enum lwm2m_type type = def == NULL ? LWM2M_OPAQUE : def->type;
	bool multiple = t->kind == MULTIPLE_RESOURCE;

	if (def != NULL && def->multiple != multiple)
		return err_set(d->e, ERR_INVALID, "%s: is a %s, comes as %s", lwm2m_path_str(p).s,
		    kind_names[multiple ? RESOURCE : MULTIPLE_RESOURCE], kind_names[t->kind]);
	return multiple ? decode_multiple(d, p, type, t->value) : add_value(d, p, type, t->value);
}

static enum err_code
decode_resources(const struct decoder *d, struct lwm2m_path inst, struct rbuf r)
{
	uint8_t seen[(LWM2M_MAX_ID + 1) / 8] = { 0 }; /* an empty multiple one leaves no node */
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && rbuf_left(&r) > 0) {
		struct tlv t;

		rc = next_tlv(d, &r, inst, &t);
		if (rc != ERR_OK)
			break;
		struct lwm2m_path p = lwm2m_path_child(inst, t.id);
		uint8_t bit = (uint8_t)(1U << (t.id & 7));
		if (t.kind != RESOURCE && t.kind != MULTIPLE_RESOURCE)
			rc = misplaced(d, inst, &t);
		else if ((seen[t.id >> 3] & bit) != 0)
			rc = twice(p, d->e);
		else
			rc = decode_resource(d, p, &t);
		seen[t.id >> 3] |= bit;
	}
	return rc == ERR_OK ? lwm2m_tree_put_instance(d->out, inst, d->e) : rc;
}

static enum err_code
decode_object(const struct decoder *d, struct lwm2m_path object, struct rbuf r)
{
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && rbuf_left(&r) > 0) {
		struct tlv t;

		rc = next_tlv(d, &r, object, &t);
		if (rc != ERR_OK)
			break;
		struct lwm2m_path inst = lwm2m_path_child(object, t.id);
		if (t.kind != OBJECT_INSTANCE)
			rc = misplaced(d, object, &t);
		else if (lwm2m_tree_has(d->out, inst))
			rc = twice(inst, d->e);
		else
			rc = decode_resources(d, inst, t.value);
	}
	return rc;
}

/* What p is asked for is there in one TLV: it must be that, and nothing may stand behind it. */
static enum err_code
check_only(const struct decoder *d, struct lwm2m_path p, const struct tlv *t,
    const struct rbuf *rest)
{
	if (t->id != p.id[p.depth - 1])
		return err_set(d->e, ERR_INVALID, "%s: the payload is about %s %u",
		    lwm2m_path_str(p).s, kind_names[t->kind], (unsigned)t->id);
	if (rbuf_left(rest) > 0)
		return err_set(d->e, ERR_PARSE, "%s: %zu octets too many behind the %s",
		    lwm2m_path_str(p).s, rbuf_left(rest), kind_names[t->kind]);
	return ERR_OK;
}

/* Either its Resources, or one Object Instance that holds them. */
static enum err_code
decode_instance(const struct decoder *d, struct lwm2m_path inst, struct rbuf r)
{
	struct tlv t;
	enum err_code rc;

	if (rbuf_left(&r) == 0 || r.data[0] >> 6 != OBJECT_INSTANCE)
		return decode_resources(d, inst, r);
	rc = next_tlv(d, &r, inst, &t);
	if (rc == ERR_OK)
		rc = check_only(d, inst, &t, &r);
	return rc == ERR_OK ? decode_resources(d, inst, t.value) : rc;
}

static enum err_code
decode_one(const struct decoder *d, struct lwm2m_path res, struct rbuf r)
{
	struct tlv t;
	enum err_code rc;

	if (rbuf_left(&r) == 0)
		return err_set(d->e, ERR_PARSE, "%s: the payload is empty", lwm2m_path_str(res).s);
	rc = next_tlv(d, &r, res, &t);
	if (rc == ERR_OK && t.kind != RESOURCE && t.kind != MULTIPLE_RESOURCE)
		rc = misplaced(d, res, &t);
	if (rc == ERR_OK)
		rc = check_only(d, res, &t, &r);
	return rc == ERR_OK ? decode_resource(d, res, &t) : rc;
}

static enum err_code
wrong_base(struct lwm2m_path base, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "%s: TLV is of an Object, an Instance or a Resource",
	    lwm2m_path_str(base).s);
}

enum err_code
lwm2m_tlv_decode(const struct lwm2m_model *m, struct lwm2m_path base, const uint8_t *p, size_t n,
    struct lwm2m_tree *out, struct err *e)
{
	const struct decoder d = { .model = m, .start = p, .out = out, .e = e };
	struct rbuf r = rbuf_make(p, n);
	enum err_code rc;

	if (base.depth == LWM2M_OBJECT)
		rc = decode_object(&d, base, r);
	else if (base.depth == LWM2M_INSTANCE)
		rc = decode_instance(&d, base, r);
	else if (base.depth == LWM2M_RESOURCE)
		rc = decode_one(&d, base, r);
	else
		rc = wrong_base(base, e);
	if (rc != ERR_OK)
		lwm2m_tree_clear(out);
	return rc;
}

/* The smallest size whose sign is right: readers take unsigned numbers as signed ones, some do. */
static size_t
signed_len(int64_t i)
{
	if (i >= INT8_MIN && i <= INT8_MAX)
		return 1;
	if (i >= INT16_MIN && i <= INT16_MAX)
		return 2;
	return i >= INT32_MIN && i <= INT32_MAX ? 4 : 8;
}

static bool
is_float32(double f)
{
	return (isinf(f) || fabs(f) <= (double)FLT_MAX) && (double)(float)f == f;
}

static size_t
value_len(const struct lwm2m_value *v)
{
	switch (v->type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		return v->bytes.len;
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		return signed_len(v->i);
	case LWM2M_UNSIGNED:
		return v->u > INT64_MAX ? 8 : signed_len((int64_t)v->u);
	case LWM2M_FLOAT:
		return is_float32(v->f) ? 4 : 8;
	case LWM2M_BOOLEAN:
		return 1;
	case LWM2M_OBJLNK:
		return 4;
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
	return 0;
}

static void
put_float(struct gbuf *out, double f)
{
	float f32 = is_float32(f) ? (float)f : 0;
	uint32_t bits32;
	uint64_t bits;

	memcpy(&bits32, &f32, sizeof bits32);
	memcpy(&bits, &f, sizeof bits);
	if (is_float32(f))
		gbuf_be(out, bits32, 4);
	else
		gbuf_be(out, bits, 8);
}

static void
put_value(struct gbuf *out, const struct lwm2m_value *v)
{
	switch (v->type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
	case LWM2M_OPAQUE:
		gbuf_put(out, v->bytes.data, v->bytes.len);
		break;
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		gbuf_be(out, (uint64_t)v->i, value_len(v));
		break;
	case LWM2M_UNSIGNED:
		gbuf_be(out, v->u, value_len(v));
		break;
	case LWM2M_FLOAT:
		put_float(out, v->f);
		break;
	case LWM2M_BOOLEAN:
		gbuf_u8(out, v->b ? 1 : 0);
		break;
	case LWM2M_OBJLNK:
		gbuf_be(out, v->link.object, 2);
		gbuf_be(out, v->link.instance, 2);
		break;
	case LWM2M_NONE:
	case LWM2M__TYPES:
		break;
	}
}

static size_t
length_octets_of(size_t len)
{
	return len <= 7 ? 0 : len <= 0xff ? 1 : len <= 0xffff ? 2 : 3;
}

/* Of a TLV as a whole. */
static size_t
tlv_len(uint16_t id, size_t len)
{
	return 1 + (id > UINT8_MAX ? 2U : 1U) + length_octets_of(len) + len;
}

static void
put_header(struct gbuf *out, enum kind kind, uint16_t id, size_t len)
{
	size_t octets = length_octets_of(len);
	unsigned type = (unsigned)kind << 6 | (id > UINT8_MAX ? 0x20U : 0) | (unsigned)octets << 3;

	gbuf_u8(out, (uint8_t)(octets == 0 ? type | len : type));
	gbuf_be(out, id, id > UINT8_MAX ? 2 : 1);
	if (octets > 0)
		gbuf_be(out, len, octets);
}

static size_t
multiple_len(const struct lwm2m_span *res)
{
	size_t sum = 0;

	for (size_t i = 0; i < res->n; i++)
		sum += tlv_len(res->nodes[i].path.id[3], value_len(&res->nodes[i].value));
	return sum;
}

static bool
is_multiple(const struct lwm2m_span *res)
{
	return res->nodes[0].path.depth == LWM2M_RES_INSTANCE;
}

static size_t
resource_len(const struct lwm2m_span *res)
{
	return is_multiple(res) ? multiple_len(res) : value_len(&res->nodes[0].value);
}

static size_t
resources_len(const struct lwm2m_span *s)
{
	struct lwm2m_path p;
	struct lwm2m_span res;
	size_t at = 0, sum = 0;

	while (lwm2m_span_next(s, LWM2M_RESOURCE, &at, &p, &res))
		sum += tlv_len(p.id[2], resource_len(&res));
	return sum;
}

static void
put_resources(struct gbuf *out, const struct lwm2m_span *s)
{
	struct lwm2m_path p;
	struct lwm2m_span res;
	size_t at = 0;

	while (lwm2m_span_next(s, LWM2M_RESOURCE, &at, &p, &res)) {
		const struct lwm2m_node *node = res.nodes;

		if (!is_multiple(&res)) {
			put_header(out, RESOURCE, p.id[2], value_len(&node->value));
			put_value(out, &node->value);
			continue;
		}
		put_header(out, MULTIPLE_RESOURCE, p.id[2], multiple_len(&res));
		for (; node < res.nodes + res.n; node++) {
			put_header(out, RESOURCE_INSTANCE, node->path.id[3],
			    value_len(&node->value));
			put_value(out, &node->value);
		}
	}
}

static void
put_instances(struct gbuf *out, const struct lwm2m_span *s)
{
	struct lwm2m_path p;
	struct lwm2m_span inst;
	size_t at = 0;

	while (lwm2m_span_next(s, LWM2M_INSTANCE, &at, &p, &inst)) {
		put_header(out, OBJECT_INSTANCE, p.id[1], resources_len(&inst));
		put_resources(out, &inst);
	}
}

static enum err_code
check_nodes(struct lwm2m_path base, const struct lwm2m_span *s, struct err *e)
{
	if (base.depth < LWM2M_OBJECT || base.depth > LWM2M_RESOURCE)
		return wrong_base(base, e);
	if (base.depth == LWM2M_RESOURCE && s->n == 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: no value to write", lwm2m_path_str(base).s);
	for (size_t i = 0; i < s->n; i++) {
		const struct lwm2m_node *node = &s->nodes[i];

		if (!lwm2m_path_under(&node->path, &base))
			return err_set(e, ERR_INTERNAL, "%s: does not lie under %s",
			    lwm2m_path_str(node->path).s, lwm2m_path_str(base).s);
		if (node->path.depth > LWM2M_INSTANCE && node->value.type == LWM2M_NONE)
			return err_set(e, ERR_UNSUPPORTED, "%s: no value to write",
			    lwm2m_path_str(node->path).s);
	}
	/* Then every length in it fits too. */
	if (resources_len(s) > LENGTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d octets", lwm2m_path_str(base).s,
		    LENGTH_MAX);
	return ERR_OK;
}

enum err_code
lwm2m_tlv_encode(struct lwm2m_path base, struct lwm2m_span span, struct gbuf *out, struct err *e)
{
	enum err_code rc = check_nodes(base, &span, e);

	if (rc != ERR_OK)
		return rc;
	if (base.depth == LWM2M_OBJECT)
		put_instances(out, &span);
	else
		put_resources(out, &span);
	rc = gbuf_check(out, e);
	if (rc != ERR_OK)
		(void)err_wrap(e, "%s", lwm2m_path_str(base).s);
	return rc;
}
