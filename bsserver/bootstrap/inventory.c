#include "bsserver/bootstrap/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

void
bs_inventory_clear(struct bs_inventory *inv)
{
	lwm2m_links_clear(&inv->links);
	lwm2m_tree_clear(&inv->seen);
	*inv = (struct bs_inventory){ .account = BS_UNKNOWN_INSTANCE };
}

static bool
is_instance(const struct lwm2m_link_entry *l, uint16_t oid)
{
	return l->path.depth == LWM2M_INSTANCE && l->path.id[0] == oid;
}

/* The bootstrap account is the /0 instance without a Short Server ID (Core 1.1 section 6.1.7.3). */
static enum err_code
find_account(struct bs_inventory *inv, struct err *e)
{
	inv->account = BS_UNKNOWN_INSTANCE;
	for (size_t i = 0; i < inv->links.n; i++) {
		const struct lwm2m_link_entry *l = &inv->links.v[i];

		if (!is_instance(l, LWM2M_SECURITY) || l->ssid != 0)
			continue;
		if (inv->account != BS_UNKNOWN_INSTANCE)
			return err_set(e, ERR_INVALID, "%s: a second Security instance without ssid, after /0/%d",
			    lwm2m_path_str(l->path).s, inv->account);
		inv->account = l->path.id[1];
	}
	return ERR_OK;
}

enum err_code
bs_inventory_discover(struct bs_inventory *inv, const uint8_t *p, size_t n, struct err *e)
{
	struct lwm2m_links links = { 0 };
	enum err_code rc = lwm2m_links_parse((const char *)p, n, &links, e);

	if (rc != ERR_OK)
		return rc;
	lwm2m_links_clear(&inv->links);
	inv->links = links;
	inv->discovered = true;
	return find_account(inv, e);
}

enum err_code
bs_inventory_read(struct bs_inventory *inv, const struct lwm2m_model *m, uint16_t oid, int format, const uint8_t *p,
    size_t n, struct err *e)
{
	const struct lwm2m_format *f = format < 0 ? NULL : lwm2m_format((uint16_t)format);
	struct lwm2m_tree got = { 0 };
	enum err_code rc;

	if (f == NULL || f->single)
		return err_set(e, ERR_PARSE, "/%u: the answer has no content format that fits", (unsigned)oid);
	rc = f->decode(m, lwm2m_path1(oid), p, n, &got, e);
	if (rc != ERR_OK)
		return rc;
	(void)lwm2m_tree_remove(&inv->seen, lwm2m_path1(oid));
	rc = lwm2m_tree_take(&inv->seen, &got, e);
	if (rc == ERR_OK && oid < sizeof inv->read)
		inv->read[oid] = true;
	return rc;
}

enum err_code
bs_inventory_adopt(struct bs_inventory *to, const struct bs_inventory *from, uint16_t oid, struct err *e)
{
	struct lwm2m_span all = lwm2m_tree_under(&from->seen, lwm2m_path1(oid));
	enum err_code rc = ERR_OK;

	if (to->read[oid] || !from->read[oid])
		return ERR_OK;
	for (size_t i = 0; rc == ERR_OK && i < all.n; i++) {
		struct lwm2m_value v;

		rc = lwm2m_value_copy(&v, &all.nodes[i].value, e);
		if (rc == ERR_OK)
			rc = lwm2m_tree_put(&to->seen, all.nodes[i].path, &v, e);
	}
	to->read[oid] = rc == ERR_OK;
	return rc;
}

/* ---- as text, and back ---- */

static enum err_code
save_links(const struct bs_inventory *inv, struct bs_held *h, struct err *e)
{
	struct gbuf out = { 0 };
	enum err_code rc;

	if (!inv->discovered)
		return ERR_OK;
	rc = lwm2m_links_write(&inv->links, &out, e);
	if (rc == ERR_OK && (h->links = str_dup_n(gbuf_cstr(&out), out.len)) == NULL)
		rc = err_no_memory(e);
	gbuf_clear(&out);
	return rc;
}

/* Fit to be kept: a value, known not to be a secret, and one that JSON can hold. */
static bool
can_be_kept(const struct lwm2m_node *n, const struct lwm2m_model *m)
{
	const struct lwm2m_res_def *def =
	    n->path.depth < LWM2M_RESOURCE ? NULL : lwm2m_model_resource(m, n->path.id[0], n->path.id[2]);

	if (def == NULL || def->secret)
		return false;
	return n->value.type != LWM2M_UNSIGNED || n->value.u <= INT64_MAX;
}

/* Likeness is FNV-1a, since only two in a row of one device are compared. */
#define LIKENESS_START 0xcbf29ce484222325U

static void
mix(uint64_t *hash, const void *p, size_t n)
{
	const uint8_t *octets = p;

	for (size_t i = 0; i < n; i++)
		*hash = (*hash ^ octets[i]) * 0x100000001b3U;
}

/* By what the formats tell apart, as lwm2m_value_eq() does. */
static void
mix_value(uint64_t *hash, const struct lwm2m_value *v)
{
	int64_t number;

	if (lwm2m_type_has_bytes(v->type))
		mix(hash, v->bytes.data, v->bytes.len);
	else if (lwm2m_value_number(v, &number))
		mix(hash, &number, sizeof number);
	else if (v->type == LWM2M_FLOAT)
		mix(hash, &v->f, sizeof v->f);
	else if (v->type == LWM2M_OBJLNK)
		mix(hash, &v->link, sizeof v->link);
}

static void
mix_node(uint64_t *hash, const struct lwm2m_node *n)
{
	bool its_own = n->path.id[0] == LWM2M_SERVER && (n->path.id[2] == 11 || n->path.id[2] == 12);

	if (its_own)
		return;
	mix(hash, &n->path.depth, sizeof n->path.depth);
	mix(hash, n->path.id, n->path.depth * sizeof *n->path.id);
	mix_value(hash, &n->value);
}

/* The nodes that are fit to be kept; their values are those of the inventory, borrowed. */
static enum err_code
list_plain(const struct bs_inventory *inv, const struct lwm2m_model *m, struct lwm2m_node **nodes, struct lwm2m_span *out,
    struct err *e)
{
	size_t n = 0;

	*nodes = malloc((inv->seen.n + 1) * sizeof **nodes);
	if (*nodes == NULL)
		return err_no_memory(e);
	for (size_t i = 0; i < inv->seen.n; i++)
		if (can_be_kept(&inv->seen.nodes[i], m))
			(*nodes)[n++] = inv->seen.nodes[i];
	*out = (struct lwm2m_span){ *nodes, n };
	return ERR_OK;
}

static enum err_code
save_values(const struct bs_inventory *inv, const struct lwm2m_model *m, struct bs_held *h, struct err *e)
{
	struct lwm2m_path root = { 0 };
	struct lwm2m_node *nodes = NULL;
	struct lwm2m_span plain;
	struct gbuf out = { 0 };

	for (unsigned oid = 0; oid < N_ELEMS(inv->read); oid++)
		h->read |= inv->read[oid] ? 1U << oid : 0;
	if (h->read == 0)
		return ERR_OK;
	enum err_code rc = list_plain(inv, m, &nodes, &plain, e);
	if (rc == ERR_OK)
		rc = lwm2m_senml_json_encode(root, plain, &out, e);
	if (rc == ERR_OK && (h->values = str_dup_n(gbuf_cstr(&out), out.len)) == NULL)
		rc = err_no_memory(e);
	for (size_t i = 0; rc == ERR_OK && i < plain.n; i++)
		mix_node(&h->likeness, &plain.nodes[i]);
	gbuf_clear(&out);
	free(nodes);
	return rc;
}

enum err_code
bs_inventory_save(const struct bs_inventory *inv, const struct lwm2m_model *m, struct bs_held *h, struct err *e)
{
	enum err_code rc = save_links(inv, h, e);

	h->likeness = LIKENESS_START;
	if (h->links != NULL)
		mix(&h->likeness, h->links, strlen(h->links) + 1);
	if (rc == ERR_OK)
		rc = save_values(inv, m, h, e);
	if (rc != ERR_OK)
		bs_held_clear(h);
	return rc;
}

static enum err_code
load_values(struct bs_inventory *inv, const struct lwm2m_model *m, const struct bs_held *h, struct err *e)
{
	struct lwm2m_path root = { 0 };
	enum err_code rc;

	for (unsigned oid = 0; oid < N_ELEMS(inv->read); oid++)
		inv->read[oid] = h->read >> oid & 1;
	if (h->values == NULL || strcmp(h->values, "[]") == 0)
		return ERR_OK;
	rc = lwm2m_senml_json_decode(m, root, (const uint8_t *)h->values, strlen(h->values), &inv->seen, e);
	for (size_t i = 0; rc == ERR_OK && i < inv->seen.n; i++) {
		uint16_t oid = inv->seen.nodes[i].path.id[0];

		if (oid >= N_ELEMS(inv->read) || !inv->read[oid])
			rc = err_set(e, ERR_INVALID, "%s: of an Object that was not read",
			    lwm2m_path_str(inv->seen.nodes[i].path).s);
	}
	return rc;
}

enum err_code
bs_inventory_load(struct bs_inventory *inv, const struct lwm2m_model *m, const struct bs_held *h, struct err *e)
{
	struct bs_inventory got = { .account = BS_UNKNOWN_INSTANCE };
	enum err_code rc = ERR_OK;

	if (h->read & ~(1U << LWM2M_SERVER | 1U << LWM2M_ACCESS_CONTROL))
		return err_set(e, ERR_INVALID, "an Object is marked as read that cannot be");
	if (h->links != NULL && (rc = bs_inventory_discover(&got, (const uint8_t *)h->links, strlen(h->links), e)) != ERR_OK)
		(void)err_wrap(e, "links");
	if (rc == ERR_OK && (rc = load_values(&got, m, h, e)) != ERR_OK)
		(void)err_wrap(e, "values");
	if (rc == ERR_OK)
		*inv = got;
	else
		bs_inventory_clear(&got);
	return rc;
}

bool
bs_inventory_lists(const struct bs_inventory *inv, struct lwm2m_path p)
{
	return lwm2m_links_find(&inv->links, p) != NULL;
}

const struct lwm2m_link_entry *
bs_inventory_next(const struct bs_inventory *inv, uint16_t oid, size_t *at)
{
	while (*at < inv->links.n) {
		const struct lwm2m_link_entry *l = &inv->links.v[(*at)++];

		if (is_instance(l, oid) && (oid != LWM2M_SECURITY || l->path.id[1] != inv->account))
			return l;
	}
	return NULL;
}

size_t
bs_inventory_count(const struct bs_inventory *inv, uint16_t oid)
{
	size_t n = 0;

	for (size_t at = 0; bs_inventory_next(inv, oid, &at) != NULL;)
		n++;
	return n;
}

static uint16_t
ssid_shown(const struct bs_inventory *inv, struct lwm2m_path p)
{
	const struct lwm2m_value *v =
	    p.id[0] == LWM2M_SERVER ? lwm2m_tree_get(&inv->seen, lwm2m_path_child(p, 0)) : NULL;
	int64_t ssid;

	return v != NULL && lwm2m_value_number(v, &ssid) && ssid > 0 && ssid <= LWM2M_ID_MAX ? (uint16_t)ssid : 0;
}

bool
bs_inventory_known(const struct bs_inventory *inv, uint16_t oid, size_t *at, struct bs_known *out)
{
	const struct lwm2m_link_entry *l = *at < inv->links.n ? bs_inventory_next(inv, oid, at) : NULL;
	struct lwm2m_span seen = lwm2m_tree_under(&inv->seen, lwm2m_path1(oid)), sub;
	size_t i;

	if (l != NULL) {
		*out = (struct bs_known){ .path = l->path, .ssid = l->ssid, .uri = l->uri };
		if (l->ssid == 0)
			out->ssid = ssid_shown(inv, l->path);
		return true;
	}
	i = *at - inv->links.n;
	while (lwm2m_span_next(&seen, LWM2M_INSTANCE, &i, &out->path, &sub)) {
		*at = inv->links.n + i;
		out->ssid = ssid_shown(inv, out->path);
		out->uri = NULL;
		if (!bs_inventory_lists(inv, out->path))
			return true;
	}
	return false;
}

bool
bs_inventory_has(const struct bs_inventory *inv, struct lwm2m_path p)
{
	return bs_inventory_lists(inv, p) || lwm2m_tree_has(&inv->seen, p);
}

bool
bs_inventory_complete(const struct bs_inventory *inv, uint16_t oid)
{
	return inv->discovered || (oid < N_ELEMS(inv->read) && inv->read[oid]);
}
