#include "bsserver/bootstrap/inventory.h"

#include <string.h>

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
	for (size_t i = 0; rc == ERR_OK && i < got.n; i++)
		rc = lwm2m_tree_put(&inv->seen, got.nodes[i].path, &got.nodes[i].value, e);
	lwm2m_tree_clear(&got);
	if (rc == ERR_OK && oid < sizeof inv->read)
		inv->read[oid] = true;
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
