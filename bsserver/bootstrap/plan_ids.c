/* Which instance of the device each instance of the profile is, or becomes. */
#include <string.h>

#include "bsserver/bootstrap/plan_internal.h"

#define ASIDE 1000 /* where an instance goes whose id somebody else uses */

bool
plan_map_has_target(const struct id_map *map, uint16_t id)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->to[i] == id)
			return true;
	return false;
}

bool
plan_map_find(const struct id_map *map, uint16_t from, uint16_t *to)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->from[i] == from) {
			*to = map->to[i];
			return true;
		}
	return false;
}

bool
plan_map_source(const struct id_map *map, uint16_t to, uint16_t *from)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->to[i] == to) {
			*from = map->from[i];
			return true;
		}
	return false;
}

bool
plan_is_kept(const struct planner *pl, struct lwm2m_path inst)
{
	uint16_t from;

	return inst.id[0] == LWM2M_SECURITY && plan_map_source(&pl->security, inst.id[1], &from) &&
	    profile_desired_keeps(pl->d, lwm2m_path2(LWM2M_SECURITY, from));
}

static bool
is_placed(const struct id_map *map, uint16_t from)
{
	uint16_t to;

	return plan_map_find(map, from, &to);
}

static enum err_code
note(struct planner *pl, struct id_map *map, uint16_t from, uint16_t to)
{
	if (map->n == MAPS_MAX)
		return err_set(pl->e, ERR_LIMIT, "/%u: more than %d instances", (unsigned)map->oid, MAPS_MAX);
	map->from[map->n] = from;
	map->to[map->n++] = to;
	return ERR_OK;
}

const struct id_map *
plan_map_of(const struct planner *pl, uint16_t oid)
{
	switch (oid) {
	case LWM2M_SECURITY:
		return &pl->security;
	case LWM2M_SERVER:
		return &pl->server;
	case LWM2M_ACCESS_CONTROL:
		return &pl->acl;
	case LWM2M_APN:
		return &pl->apn;
	case LWM2M_OSCORE:
		return &pl->oscore;
	default:
		return NULL;
	}
}

/* An id that neither this map, nor the bootstrap account, nor anything that stays is using. */
static bool
is_free(const struct planner *pl, const struct id_map *map, uint16_t id)
{
	struct lwm2m_path p = lwm2m_path2(map->oid, id);

	if (plan_map_has_target(map, id) || bs_is_retained(pl->d, p))
		return false;
	if (map->oid == LWM2M_SECURITY && pl->inv->account == id)
		return false;
	return !plan_is_careful(pl) || !bs_inventory_has(pl->inv, p);
}

static enum err_code
lowest_free(const struct planner *pl, const struct id_map *map, uint16_t *out)
{
	bool blind = map->oid == LWM2M_SECURITY && pl->inv->account == BS_UNKNOWN_INSTANCE;

	for (uint32_t id = blind ? UNDISCOVERED_BASE : 0; id <= LWM2M_ID_MAX; id++)
		if (is_free(pl, map, (uint16_t)id)) {
			*out = (uint16_t)id;
			return ERR_OK;
		}
	return err_set(pl->e, ERR_CONFLICT, "/%u: no free instance id", (unsigned)map->oid);
}

enum err_code
plan_take_free(struct planner *pl, struct id_map *map, uint16_t *to)
{
	enum err_code rc = lowest_free(pl, map, to);

	return rc == ERR_OK ? note(pl, map, LWM2M_MAX_ID, *to) : rc;
}

/* ---- accounts ---- */

static bool
uri_fits(const struct planner *pl, uint16_t from, const char *uri)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&pl->d->tree, lwm2m_path3(LWM2M_SECURITY, from, 0));

	return uri != NULL && v != NULL && v->type == LWM2M_STRING && secret_equal_bytes(&v->bytes, uri, strlen(uri));
}

/* In the order in which they are tried. */
enum fit { FIT_WHOLE, FIT_SSID, FIT_MOVED, FIT__COUNT };

static bool
account_fits(const struct planner *pl, const struct id_map *map, uint16_t from, const struct bs_known *k, enum fit fit)
{
	uint16_t ssid = bs_ssid_in(&pl->d->tree, lwm2m_path2(map->oid, from));
	const struct bs_account *a;

	if (ssid == 0 || k->ssid == 0)
		return false;
	switch (fit) {
	case FIT_WHOLE:
		return k->ssid == ssid && (map->oid == LWM2M_SERVER || uri_fits(pl, from, k->uri));
	case FIT_SSID:
		return k->ssid == ssid;
	case FIT_MOVED:
		a = bs_facts_account(&pl->facts, k->ssid);
		return a != NULL && a->now == ssid;
	case FIT__COUNT:
		break;
	}
	return false;
}

static bool
find_account(const struct planner *pl, const struct id_map *map, uint16_t from, enum fit fit, uint16_t *to)
{
	struct bs_known k;

	for (size_t at = 0; bs_inventory_known(pl->inv, map->oid, &at, &k);)
		if (!plan_map_has_target(map, k.path.id[1]) && account_fits(pl, map, from, &k, fit)) {
			*to = k.path.id[1];
			return true;
		}
	return false;
}

typedef enum err_code place_fn(struct planner *pl, struct id_map *map, uint16_t from);

/* place() of each instance in the profile that has no place yet. */
static enum err_code
place_each(struct planner *pl, struct id_map *map, place_fn *place)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->d->tree, lwm2m_path1(map->oid)), sub;
	struct lwm2m_path prefix;
	enum err_code rc = ERR_OK;

	for (size_t at = 0; rc == ERR_OK && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &prefix, &sub);)
		if (!is_placed(map, prefix.id[1]))
			rc = place(pl, map, prefix.id[1]);
	return rc;
}

static enum err_code
place_free(struct planner *pl, struct id_map *map, uint16_t from)
{
	uint16_t to;
	enum err_code rc;

	if (profile_desired_keeps(pl->d, lwm2m_path2(map->oid, from)))
		return err_set(pl->e, ERR_CONFLICT,
		    "/%u: a private key is to stay in the device, and it lists no account with that Short Server ID",
		    (unsigned)map->oid);
	rc = lowest_free(pl, map, &to);
	return rc == ERR_OK ? note(pl, map, from, to) : rc;
}

static enum err_code
place_accounts(struct planner *pl, struct id_map *map)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->d->tree, lwm2m_path1(map->oid)), sub;
	struct lwm2m_path prefix;
	bool looks = plan_is_careful(pl) || pl->d->n_kept > 0;
	enum err_code rc = ERR_OK;
	uint16_t to;

	for (int fit = FIT_WHOLE; looks && fit < FIT__COUNT; fit++)
		for (size_t at = 0; rc == ERR_OK && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &prefix, &sub);)
			/* Under replace only what stays in its place for a key is looked for. */
			if ((plan_is_careful(pl) || profile_desired_keeps(pl->d, prefix)) && !is_placed(map, prefix.id[1]) && find_account(pl, map, prefix.id[1], (enum fit)fit, &to))
				rc = note(pl, map, prefix.id[1], to);
	return rc == ERR_OK ? place_each(pl, map, place_free) : rc;
}

/* ---- what accounts link to: /11 and /21 ---- */

const struct lwm2m_objlnk *
plan_link(const struct lwm2m_tree *t, struct lwm2m_path p, uint16_t oid)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, p);

	return v != NULL && v->type == LWM2M_OBJLNK && v->link.object == oid ? &v->link : NULL;
}

/* An account that is not ours uses that APN profile too. */
bool
plan_apn_is_shared(const struct planner *pl, uint16_t apn)
{
	struct bs_known k;

	for (size_t at = 0; bs_inventory_known(pl->inv, LWM2M_SERVER, &at, &k);) {
		const struct lwm2m_objlnk *l = plan_link(&pl->inv->seen, lwm2m_path_child(k.path, 10), LWM2M_APN);

		if (l != NULL && l->instance == apn && !plan_map_has_target(&pl->server, k.path.id[1]))
			return true;
	}
	return false;
}

/* Discover says that it is another's. */
static bool
belongs_to_others(const struct planner *pl, uint16_t from, struct lwm2m_path p)
{
	const struct lwm2m_link_entry *l = lwm2m_links_find(&pl->inv->links, p);
	struct lwm2m_span all = lwm2m_tree_under(&pl->d->tree, lwm2m_path1(LWM2M_SECURITY)), sub;
	struct lwm2m_path inst;

	if (p.id[0] == LWM2M_APN)
		return plan_apn_is_shared(pl, p.id[1]);
	if (p.id[0] != LWM2M_OSCORE || l == NULL || l->ssid == 0)
		return false;
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		const struct lwm2m_objlnk *link = plan_link(&pl->d->tree, lwm2m_path_child(inst, 17), LWM2M_OSCORE);

		if (link != NULL && link->instance == from && bs_ssid_in(&pl->d->tree, inst) == l->ssid)
			return false;
	}
	return true;
}

/* Where we put it in our last good session. */
static enum err_code
place_again(struct planner *pl, struct id_map *map, uint16_t from)
{
	struct lwm2m_path p = lwm2m_path2(map->oid, 0);

	if (!plan_placed(pl, lwm2m_path2(map->oid, from), &p.id[1]) || plan_map_has_target(map, p.id[1]) ||
	    (!bs_inventory_has(pl->inv, p) && bs_inventory_complete(pl->inv, map->oid)) || belongs_to_others(pl, from, p))
		return ERR_OK;
	return note(pl, map, from, p.id[1]);
}

/*
 * Instances that cannot be read: the profile's own id, or where something is already, so much
 * further on.
 */
static enum err_code
place_settled(struct planner *pl, struct id_map *map, uint16_t from)
{
	for (uint32_t id = from; id <= LWM2M_ID_MAX; id += ASIDE) {
		struct lwm2m_path p = lwm2m_path2(map->oid, (uint16_t)id);

		if (plan_map_has_target(map, (uint16_t)id))
			continue;
		if (bs_is_retained(pl->d, p) || !bs_inventory_has(pl->inv, p))
			return note(pl, map, from, (uint16_t)id);
	}
	return err_set(pl->e, ERR_CONFLICT, "/%u/%u: no free instance id", (unsigned)map->oid, (unsigned)from);
}

/* The APN profile that the device's account links to is the one that the profile's account does. */
static enum err_code
place_linked_apns(struct planner *pl)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < pl->server.n; i++) {
		const struct lwm2m_objlnk *want =
		    plan_link(&pl->d->tree, lwm2m_path3(LWM2M_SERVER, pl->server.from[i], 10), LWM2M_APN);
		const struct lwm2m_objlnk *has =
		    plan_link(&pl->inv->seen, lwm2m_path3(LWM2M_SERVER, pl->server.to[i], 10), LWM2M_APN);

		if (want == NULL || has == NULL || has->instance > LWM2M_ID_MAX || is_placed(&pl->apn, want->instance) ||
		    plan_map_has_target(&pl->apn, has->instance) || plan_apn_is_shared(pl, has->instance) ||
		    !lwm2m_tree_has(&pl->d->tree, lwm2m_path2(LWM2M_APN, want->instance)))
			continue;
		rc = note(pl, &pl->apn, want->instance, has->instance);
	}
	return rc;
}

/* Discover tells whose an OSCORE instance is. */
static enum err_code
place_known_oscores(struct planner *pl)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < pl->security.n; i++) {
		struct lwm2m_path inst = lwm2m_path2(LWM2M_SECURITY, pl->security.from[i]);
		const struct lwm2m_objlnk *want = plan_link(&pl->d->tree, lwm2m_path_child(inst, 17), LWM2M_OSCORE);
		uint16_t ssid = bs_ssid_in(&pl->d->tree, inst);
		struct bs_known k;

		for (size_t at = 0; rc == ERR_OK && want != NULL && bs_inventory_known(pl->inv, LWM2M_OSCORE, &at, &k);)
			if (k.ssid != 0 && k.ssid == ssid && !is_placed(&pl->oscore, want->instance) &&
			    !plan_map_has_target(&pl->oscore, k.path.id[1]))
				rc = note(pl, &pl->oscore, want->instance, k.path.id[1]);
	}
	return rc;
}

static enum err_code
place_linked(struct planner *pl)
{
	enum err_code rc = ERR_OK;

	if (!plan_is_careful(pl))
		return ERR_OK; /* the Object is emptied first */
	rc = place_each(pl, &pl->apn, place_again);
	if (rc == ERR_OK)
		rc = place_linked_apns(pl);
	if (rc == ERR_OK)
		rc = place_known_oscores(pl);
	if (rc == ERR_OK)
		rc = place_each(pl, &pl->oscore, place_again);
	if (rc == ERR_OK)
		rc = place_each(pl, &pl->apn, place_settled);
	return rc == ERR_OK ? place_each(pl, &pl->oscore, place_settled) : rc;
}

/* ---- access control ---- */

/* What 2/x/0 and 2/x/1 say it is about, in the device's ids. */
static bool
wanted_target(const struct planner *pl, uint16_t from, int64_t *oid, int64_t *iid)
{
	const struct id_map *map;
	uint16_t to;

	if (!plan_number(&pl->d->tree, lwm2m_path3(LWM2M_ACCESS_CONTROL, from, 0), oid) ||
	    !plan_number(&pl->d->tree, lwm2m_path3(LWM2M_ACCESS_CONTROL, from, 1), iid))
		return false;
	map = *oid >= 0 && *oid <= LWM2M_ID_MAX ? plan_map_of(pl, (uint16_t)*oid) : NULL;
	if (map != NULL && *iid >= 0 && *iid <= LWM2M_ID_MAX && plan_map_find(map, (uint16_t)*iid, &to))
		*iid = to;
	return true;
}

/* The /2 instance on the device that is about the same, the first of several. */
static enum err_code
place_seen_acl(struct planner *pl, struct id_map *map, uint16_t from)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->inv->seen, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path inst;
	int64_t oid, iid, o, i;

	if (!wanted_target(pl, from, &oid, &iid))
		return ERR_OK;
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (plan_number(&pl->inv->seen, lwm2m_path_child(inst, 0), &o) && o == oid &&
		    plan_number(&pl->inv->seen, lwm2m_path_child(inst, 1), &i) && i == iid &&
		    !plan_map_has_target(map, inst.id[1]))
			return note(pl, map, from, inst.id[1]);
	return ERR_OK;
}

static enum err_code
place_acls(struct planner *pl)
{
	enum err_code rc;

	if (!plan_is_careful(pl))
		return place_each(pl, &pl->acl, place_free);
	rc = place_each(pl, &pl->acl, place_seen_acl);
	if (rc != ERR_OK)
		return rc;
	if (pl->inv->read[LWM2M_ACCESS_CONTROL])
		return place_each(pl, &pl->acl, place_free);
	/* A device that lists rules and does not show them: ours are known by where we put them. */
	rc = place_each(pl, &pl->acl, place_again);
	return rc == ERR_OK ? place_each(pl, &pl->acl, place_settled) : rc;
}

/* ---- the profile's tree in the device's ids ---- */

static struct lwm2m_path
map_path(const struct planner *pl, struct lwm2m_path p)
{
	const struct id_map *map = plan_map_of(pl, p.id[0]);

	if (map != NULL && p.depth >= LWM2M_INSTANCE)
		(void)plan_map_find(map, p.id[1], &p.id[1]);
	return p;
}

/* Links, and 2/x/1 which names an instance of the Object in 2/x/0, move with what they are about. */
static void
map_value(struct planner *pl, struct lwm2m_path from, struct lwm2m_value *v)
{
	const struct id_map *map = v->type == LWM2M_OBJLNK ? plan_map_of(pl, v->link.object) : NULL;
	int64_t oid, iid;

	if (map != NULL)
		(void)plan_map_find(map, v->link.instance, &v->link.instance);
	else if (from.id[0] == LWM2M_ACCESS_CONTROL && from.depth == LWM2M_RESOURCE && from.id[2] == 1 &&
	    wanted_target(pl, from.id[1], &oid, &iid))
		*v = lwm2m_int(iid);
}

enum err_code
plan_map_tree(struct planner *pl)
{
	enum err_code rc;

	pl->security.oid = LWM2M_SECURITY;
	pl->server.oid = LWM2M_SERVER;
	pl->acl.oid = LWM2M_ACCESS_CONTROL;
	pl->apn.oid = LWM2M_APN;
	pl->oscore.oid = LWM2M_OSCORE;
	rc = place_accounts(pl, &pl->security);
	if (rc == ERR_OK)
		rc = place_accounts(pl, &pl->server);
	if (rc == ERR_OK)
		rc = place_linked(pl);
	if (rc == ERR_OK)
		rc = place_acls(pl);
	if (rc == ERR_OK)
		rc = plan_note_placed(pl);
	for (size_t i = 0; rc == ERR_OK && i < pl->d->tree.n; i++) {
		const struct lwm2m_node *node = &pl->d->tree.nodes[i];
		struct lwm2m_path to = map_path(pl, node->path);
		struct lwm2m_value v;

		if (bs_is_retained(pl->d, to))
			continue;
		rc = lwm2m_value_copy(&v, &node->value, pl->e);
		if (rc != ERR_OK)
			break;
		map_value(pl, node->path, &v);
		rc = lwm2m_tree_put(&pl->p->tree, to, &v, pl->e);
	}
	return rc;
}
