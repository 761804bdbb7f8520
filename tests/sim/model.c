#include "tests/sim/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

void
model_clear(struct model *d)
{
	lwm2m_tree_clear(&d->tree);
	*d = (struct model){ 0 };
}

static int64_t
number(const struct lwm2m_tree *t, struct lwm2m_path p)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, p);
	int64_t n = 0;

	return v != NULL && lwm2m_value_number(v, &n) ? n : 0;
}

/* Core 1.1 section 6.1.7.3: ssid of /0, /1 and /21, but not of the bootstrap account; uri of /0. */
static void
add_link(const struct model *d, struct lwm2m_path inst, struct lwm2m_links *links)
{
	const struct lwm2m_value *uri = lwm2m_tree_get(&d->tree, lwm2m_path_child(inst, 0));
	char text[256];
	uint16_t ssid = 0;

	if (inst.id[0] == 0 && inst.id[1] != d->account)
		ssid = (uint16_t)number(&d->tree, lwm2m_path_child(inst, 10));
	if (inst.id[0] == 1)
		ssid = (uint16_t)number(&d->tree, lwm2m_path_child(inst, 0));
	if (inst.id[0] == 0 && d->shows_uri && uri != NULL)
		(void)snprintf(text, sizeof text, "%.*s", (int)uri->bytes.len, (const char *)uri->bytes.data);
	MUST(lwm2m_links_add(links, inst, ssid, inst.id[0] == 0 && d->shows_uri && uri != NULL ? text : NULL, NULL,
		 NULL) == ERR_OK);
}

static void
show_links(const struct model *d, struct bs_inventory *inv)
{
	struct lwm2m_span all = { .nodes = d->tree.nodes, .n = d->tree.n }, sub;
	struct lwm2m_links links = { 0 };
	struct lwm2m_path inst;
	struct gbuf text = { 0 };
	struct err e;

	(void)snprintf(links.version, sizeof links.version, "1.%d", d->shows_uri ? 1 : 0);
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		add_link(d, inst, &links);
	if (d->has_acl && !lwm2m_tree_has(&d->tree, lwm2m_path1(2)))
		MUST(lwm2m_links_add(&links, lwm2m_path1(2), 0, NULL, NULL, NULL) == ERR_OK);
	MUST(lwm2m_links_write(&links, &text, &e) == ERR_OK);
	MUST(bs_inventory_discover(inv, text.data, text.len, &e) == ERR_OK);
	lwm2m_links_clear(&links);
	gbuf_clear(&text);
}

static void
show_object(const struct model *d, const struct lwm2m_model *m, uint16_t oid, struct bs_inventory *inv)
{
	struct lwm2m_span all = lwm2m_tree_under(&d->tree, lwm2m_path1(oid));
	struct lwm2m_tree shown = { 0 };
	struct gbuf payload = { 0 };
	struct err e;

	for (size_t i = 0; i < all.n; i++) {
		struct lwm2m_value v;

		if (oid == 1 && all.nodes[i].path.id[2] < 32 && (d->hidden >> all.nodes[i].path.id[2] & 1))
			continue;
		MUST(lwm2m_value_copy(&v, &all.nodes[i].value, &e) == ERR_OK);
		MUST(lwm2m_tree_put(&shown, all.nodes[i].path, &v, &e) == ERR_OK);
	}
	MUST(lwm2m_tlv_encode(lwm2m_path1(oid), lwm2m_tree_under(&shown, lwm2m_path1(oid)), &payload, &e) == ERR_OK);
	MUST(bs_inventory_read(inv, m, oid, LWM2M_CF_TLV, payload.data, payload.len, &e) == ERR_OK);
	lwm2m_tree_clear(&shown);
	gbuf_clear(&payload);
}

void
model_show(const struct model *d, const struct lwm2m_model *m, struct bs_inventory *inv)
{
	bs_inventory_clear(inv);
	if (d->discovers)
		show_links(d, inv);
	for (uint16_t oid = 1; oid <= 2; oid++)
		if (d->reads[oid] && (!d->discovers || lwm2m_tree_has(&d->tree, lwm2m_path1(oid))))
			show_object(d, m, oid, inv);
}

static void
breaks(struct model *d, const struct bs_op *op, const char *why)
{
	if (d->broken[0] == 0)
		(void)snprintf(d->broken, sizeof d->broken, "%s %s: %s", bs_method_name(op->method),
		    lwm2m_path_str(op->path).s, why);
}

static void
put_all(struct model *d, struct lwm2m_span span)
{
	for (size_t i = 0; i < span.n; i++) {
		struct lwm2m_value v;

		MUST(lwm2m_value_copy(&v, &span.nodes[i].value, NULL) == ERR_OK);
		MUST(lwm2m_tree_put(&d->tree, span.nodes[i].path, &v, NULL) == ERR_OK);
	}
}

/* A Resource is written whole, with all its instances; an instance is replaced or merged into. */
static void
do_put(struct model *d, const struct bs_op *op, const struct lwm2m_tree *values)
{
	struct lwm2m_span span = lwm2m_tree_under(values, op->path), sub;
	struct lwm2m_path res;

	if (op->path.depth < LWM2M_INSTANCE || op->path.depth > LWM2M_RESOURCE || span.n == 0)
		breaks(d, op, "not a Write");
	if (op->path.depth == LWM2M_INSTANCE && !d->merges)
		(void)lwm2m_tree_remove(&d->tree, op->path);
	for (size_t at = 0; lwm2m_span_next(&span, LWM2M_RESOURCE, &at, &res, &sub);)
		(void)lwm2m_tree_remove(&d->tree, res);
	put_all(d, span);
}

/* Section 6.1.7.5, and what clients guard. */
static void
do_delete(struct model *d, const struct bs_op *op)
{
	if (op->path.depth == LWM2M_INSTANCE && op->path.id[0] == 0 && op->path.id[1] == d->account)
		breaks(d, op, "the bootstrap account");
	if (op->path.depth > LWM2M_INSTANCE)
		breaks(d, op, "a Resource cannot be deleted");
	if (op->path.depth == LWM2M_INSTANCE) {
		if (op->listed && !lwm2m_tree_has(&d->tree, op->path))
			breaks(d, op, "nothing there");
		(void)lwm2m_tree_remove(&d->tree, op->path);
		return;
	}
	for (size_t i = d->tree.n; i-- > 0;) {
		struct lwm2m_path p = d->tree.nodes[i < d->tree.n ? i : d->tree.n - 1].path;

		if (i >= d->tree.n || !lwm2m_path_under(&p, &op->path) || p.id[0] == 3 ||
		    (p.id[0] == 0 && p.id[1] == d->account))
			continue;
		(void)lwm2m_tree_remove(&d->tree, p);
	}
}

static bool
is_bootstrap(const struct model *d, struct lwm2m_path inst)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&d->tree, lwm2m_path_child(inst, 1));

	return v != NULL && v->b;
}

/* What a client says to a link that leads nowhere is its own affair: there must be none. */
static void
check_links(struct model *d, const struct bs_op *op)
{
	struct lwm2m_span span = lwm2m_tree_under(&d->tree, op->path);

	for (size_t i = 0; i < span.n; i++)
		if (span.nodes[i].value.type == LWM2M_OBJLNK &&
		    !lwm2m_tree_has(&d->tree, lwm2m_path2(span.nodes[i].value.link.object, span.nodes[i].value.link.instance)))
			breaks(d, op, "a link that dangles");
}

void
model_do(struct model *d, const struct bs_op *op, const struct lwm2m_tree *values)
{
	struct lwm2m_path inst;

	if (op->method == BS_DELETE) {
		do_delete(d, op);
		return;
	}
	do_put(d, op, values);
	inst = lwm2m_path_up(op->path, LWM2M_INSTANCE);
	if (inst.id[0] == 0 && inst.id[1] != d->account && is_bootstrap(d, inst))
		breaks(d, op, "a second bootstrap account");
	check_links(d, op);
	if (inst.id[0] == 1 && d->now != 0) {
		struct lwm2m_value v = lwm2m_time(d->now);
		MUST(lwm2m_tree_put(&d->tree, lwm2m_path_child(inst, 12), &v, NULL) == ERR_OK);
	}
}
