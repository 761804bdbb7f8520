/*
 * application/vnd.oma.lwm2m+cbor, 11544 (Core 1.2): maps in maps, keyed by ids; a key may be an
 * array of the ids of several levels.
 *
 * The outermost map stands at the root, and its keys are Objects. Only where it cannot (a value
 * above the Resources, an Object that was not asked for, nothing in it) it stands at the path asked
 * for.
 */
#include "lib/lwm2m/format.h"

#include <inttypes.h>

#include "lib/lwm2m/cbor_io.h"

struct walk {
	struct raw_sink sink;
	struct rbuf r;
	bool shallow; /* a value was met above the Resources, or nothing at all */
	bool beside;  /* an Object was met that is not the one asked for */
};

static enum err_code
step_down(struct lwm2m_path *p, const struct cbr_item *id, struct err *e)
{
	if (id->kind != CBR_UINT)
		return err_set(e, ERR_PARSE, "byte %zu: an id must be an unsigned integer", id->at);
	if (id->n > LWM2M_ID_MAX)
		return err_set(e, ERR_RANGE, "byte %zu: an id is above %d", id->at, LWM2M_ID_MAX);
	if (p->depth == LWM2M_RES_INSTANCE)
		return err_set(e, ERR_PARSE, "byte %zu: more than four ids", id->at);
	*p = lwm2m_path_child(*p, (uint16_t)id->n);
	return ERR_OK;
}

/* A key: one id, or an array of them. */
static enum err_code
read_key(struct rbuf *r, const struct cbr_item *head, struct lwm2m_path *p, struct err *e)
{
	struct cbr_list ids = cbr_list(head);
	struct cbr_item id;
	bool more = true;
	uint8_t above = p->depth;

	if (head->kind != CBR_ARRAY)
		return step_down(p, head, e);
	while (more) {
		enum err_code rc = cbr_list_next(r, &ids, &id, &more, e);
		if (rc == ERR_OK && more)
			rc = step_down(p, &id, e);
		if (rc != ERR_OK)
			return rc;
	}
	if (p->depth == above)
		return err_set(e, ERR_PARSE, "byte %zu: a key without an id", head->at);
	return ERR_OK;
}

static enum err_code
read_leaf(struct walk *w, struct lwm2m_path p, const struct cbr_item *head, struct err *e)
{
	struct gbuf own = { 0 };
	struct raw v;
	enum err_code rc = cbr_value(&w->r, head, &own, &v, e);

	if (p.depth < LWM2M_RESOURCE)
		w->shallow = true;
	if (rc != ERR_OK)
		(void)err_wrap(e, "%s", lwm2m_path_str(p).s);
	else
		rc = raw_add(&w->sink, p, &v, e);
	gbuf_clear(&own);
	return rc;
}

static enum err_code read_map(
    struct walk *w, struct lwm2m_path at, const struct cbr_item *head, struct err *e);

static enum err_code
read_pair(struct walk *w, struct lwm2m_path at, const struct cbr_item *key, struct err *e)
{
	struct lwm2m_path p = at;
	struct cbr_item head;
	enum err_code rc = read_key(&w->r, key, &p, e);

	w->beside = w->beside || p.id[0] != w->sink.base.id[0];
	if (rc == ERR_OK)
		rc = cbr_next(&w->r, &head, e);
	if (rc != ERR_OK) {
		(void)err_wrap(e, "%s", lwm2m_path_str(p).s);
		return rc;
	}
	return head.kind == CBR_MAP ? read_map(w, p, &head, e) : read_leaf(w, p, &head, e);
}

static enum err_code
check_empty(struct walk *w, struct lwm2m_path at, struct err *e)
{
	const struct lwm2m_res_def *def = NULL;

	if (at.depth == LWM2M_RESOURCE)
		def = lwm2m_model_resource(w->sink.model, at.id[0], at.id[2]);
	if (at.depth == LWM2M_ROOT)
		w->shallow = true;
	if (!lwm2m_path_under(&at, &w->sink.base))
		return err_set(e, ERR_INVALID, "%s: is not at or under %s", lwm2m_path_str(at).s,
		    lwm2m_path_str(w->sink.base).s);
	if (def != NULL && !def->multiple)
		return err_set(
		    e, ERR_INVALID, "%s: must have a value, is a map", lwm2m_path_str(at).s);
	return ERR_OK;
}

/* What is known of a map once it has been read: an instance is there, even without Resources. */
static enum err_code
close_map(struct walk *w, struct lwm2m_path at, bool empty, struct err *e)
{
	struct lwm2m_path inst = lwm2m_path_up(at, LWM2M_INSTANCE);
	enum err_code rc = empty ? check_empty(w, at, e) : ERR_OK;

	if (rc == ERR_OK && inst.depth == LWM2M_INSTANCE && lwm2m_path_under(&inst, &w->sink.base))
		rc = lwm2m_tree_put_instance(w->sink.tree, inst, e);
	return rc;
}

/* Calls itself at most four deep: read_key() goes down at least one level of a path. */
static enum err_code
read_map(struct walk *w, struct lwm2m_path at, const struct cbr_item *head, struct err *e)
{
	struct cbr_list pairs = cbr_list(head);
	struct cbr_item key;
	bool more = true, empty = true;

	if (at.depth == LWM2M_RES_INSTANCE)
		return err_set(e, ERR_PARSE, "%s: byte %zu: a map is no value",
		    lwm2m_path_str(at).s, head->at);
	if (lwm2m_tree_has(w->sink.tree, at))
		return err_set(e, ERR_INVALID, "%s: is there twice", lwm2m_path_str(at).s);
	while (more) {
		enum err_code rc = cbr_list_next(&w->r, &pairs, &key, &more, e);
		if (rc != ERR_OK) {
			(void)err_wrap(e, "%s", lwm2m_path_str(at).s);
			return rc;
		}
		if (!more)
			break;
		empty = false;
		rc = read_pair(w, at, &key, e);
		if (rc != ERR_OK)
			return rc;
	}
	return close_map(w, at, empty, e);
}

static enum err_code
read_from(struct walk *w, struct lwm2m_path at, struct err *e)
{
	struct cbr_item head;
	enum err_code rc = cbr_next(&w->r, &head, e);

	if (rc == ERR_OK && head.kind != CBR_MAP)
		rc = err_set(e, ERR_PARSE, "byte %zu: must be a map", head.at);
	if (rc == ERR_OK)
		rc = read_map(w, at, &head, e);
	if (rc == ERR_OK)
		rc = cbr_end(&w->r, e);
	if (rc != ERR_OK)
		lwm2m_tree_clear(w->sink.tree);
	return rc;
}

enum err_code
lwm2m_lwm2m_cbor_decode(const struct lwm2m_model *m, struct lwm2m_path base, const uint8_t *p,
    size_t n, struct lwm2m_tree *out, struct err *e)
{
	struct walk w = { .sink = { .model = m, .base = base, .tree = out }, .r = rbuf_make(p, n) };
	struct walk below = w;
	struct err e2;
	enum err_code rc = read_from(&w, (struct lwm2m_path){ .depth = LWM2M_ROOT }, e);

	if (rc == ERR_OK || base.depth == LWM2M_ROOT || (!w.shallow && !w.beside))
		return rc;
	enum err_code rc2 = read_from(&below, base, &e2);
	if (rc2 == ERR_OK)
		return ERR_OK;
	if (w.shallow && e != NULL)
		*e = e2;
	return w.shallow ? rc2 : rc;
}

static size_t
count(const struct lwm2m_span *s, uint8_t depth)
{
	struct lwm2m_path p;
	struct lwm2m_span sub;
	size_t at = 0, n = 0;

	while (lwm2m_span_next(s, depth, &at, &p, &sub))
		n++;
	return n;
}

/* Everything in span, which lies under one path of that depth, as a map. Four levels at most. */
static enum err_code
put_map(struct lwm2m_span span, uint8_t depth, struct gbuf *out, struct err *e)
{
	uint8_t inner = (uint8_t)(depth + 1);
	struct lwm2m_path p;
	struct lwm2m_span sub;
	size_t at = 0;
	enum err_code rc = ERR_OK;

	cbw_map(out, count(&span, inner));
	while (rc == ERR_OK && lwm2m_span_next(&span, inner, &at, &p, &sub)) {
		cbw_uint(out, p.id[depth]);
		if (sub.nodes[0].path.depth > inner || inner == LWM2M_INSTANCE) {
			rc = put_map(sub, inner, out, e);
			continue;
		}
		rc = raw_sayable(&sub.nodes[0], e);
		if (rc == ERR_OK)
			cbw_value(out, &sub.nodes[0].value);
	}
	return rc;
}

enum err_code
lwm2m_lwm2m_cbor_encode(
    struct lwm2m_path base, struct lwm2m_span span, struct gbuf *out, struct err *e)
{
	(void)base; /* full nesting from the Object: every reader knows that form */
	enum err_code rc = put_map(span, LWM2M_ROOT, out, e);

	return rc == ERR_OK ? gbuf_check(out, e) : rc;
}
