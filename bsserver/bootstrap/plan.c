#include "bsserver/bootstrap/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPS_MAX 64	    /* instances of one Object that a plan places */
#define UNDISCOVERED_BASE 10 /* first /0 instance used when nobody knows where the bootstrap account is */

/* Where the n-th instance of an Object in the profile's numbering goes on this device. */
struct id_map {
	uint16_t oid;
	uint16_t from[MAPS_MAX], to[MAPS_MAX];
	size_t n;
};

/* What a plan is made from, and what is made on the way. */
struct planner {
	const struct profile_desired *d;
	const struct bs_inventory *inv;
	const struct lwm2m_model *m;
	struct bs_plan *p;
	struct id_map security, server, acl;
	struct err *e;
};

void
bs_plan_clear(struct bs_plan *p)
{
	lwm2m_tree_clear(&p->tree);
	free(p->ops);
	free(p->exact);
	*p = (struct bs_plan){ 0 };
}

static enum err_code
add_op(struct planner *pl, enum bs_method method, struct lwm2m_path path, bool listed)
{
	struct bs_plan *p = pl->p;
	struct bs_op *ops = grow(p->ops, p->n_ops, &p->cap_ops, sizeof *ops);

	if (ops == NULL)
		return err_no_memory(pl->e);
	p->ops = ops;
	ops[p->n_ops++] = (struct bs_op){ .method = method, .path = path, .listed = listed };
	return ERR_OK;
}

enum err_code
bs_plan_replace_op(struct bs_plan *p, size_t at, const struct bs_op *ops, size_t n, struct err *e)
{
	while (p->n_ops + n > p->cap_ops) {
		struct bs_op *arr = grow(p->ops, p->cap_ops, &p->cap_ops, sizeof *arr);

		if (arr == NULL)
			return err_no_memory(e);
		p->ops = arr;
	}
	memmove(p->ops + at + n, p->ops + at + 1, (p->n_ops - at - 1) * sizeof *p->ops);
	memcpy(p->ops + at, ops, n * sizeof *ops);
	p->n_ops = p->n_ops + n - 1;
	return ERR_OK;
}

/* The profile says hands off: p itself, or something around it. */
static bool
is_retained(const struct profile_desired *d, struct lwm2m_path p)
{
	for (size_t i = 0; i < d->n_retain; i++)
		if (lwm2m_path_under(&p, &d->retain[i]))
			return true;
	return false;
}

/* Something below p must stay. */
static bool
holds_retained(const struct profile_desired *d, struct lwm2m_path p)
{
	for (size_t i = 0; i < d->n_retain; i++)
		if (lwm2m_path_under(&d->retain[i], &p))
			return true;
	return false;
}

static bool
is_multiple(const struct planner *pl, uint16_t oid)
{
	const struct lwm2m_obj_def *o = lwm2m_model_object(pl->m, oid);

	return o == NULL || o->multiple;
}

/* ---- which ids ---- */

static bool
map_has_target(const struct id_map *map, uint16_t id)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->to[i] == id)
			return true;
	return false;
}

static bool
map_find(const struct id_map *map, uint16_t from, uint16_t *to)
{
	for (size_t i = 0; i < map->n; i++)
		if (map->from[i] == from) {
			*to = map->to[i];
			return true;
		}
	return false;
}

/* An id that neither this map, nor the bootstrap account, nor anything that stays is using. */
static bool
is_free(const struct planner *pl, const struct id_map *map, uint16_t id)
{
	struct lwm2m_path p = lwm2m_path2(map->oid, id);

	if (map_has_target(map, id) || is_retained(pl->d, p))
		return false;
	if (map->oid == LWM2M_SECURITY && pl->inv->account == id)
		return false;
	return pl->d->policy == PROFILE_REPLACE ||
	    (!bs_inventory_lists(pl->inv, p) && !lwm2m_tree_has(&pl->inv->seen, p));
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

static bool
number_at(const struct lwm2m_tree *t, struct lwm2m_path p, int64_t *out)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, p);

	return v != NULL && lwm2m_value_number(v, out);
}

static bool
uri_fits(const struct planner *pl, uint16_t from, const struct lwm2m_link_entry *l)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&pl->d->tree, lwm2m_path3(LWM2M_SECURITY, from, 0));

	return l->uri != NULL && v != NULL && v->type == LWM2M_STRING &&
	    secret_equal_bytes(&v->bytes, l->uri, strlen(l->uri));
}

/* The listed account with this Short Server ID: the one with the same URI if there are several. */
static bool
account_listed(const struct planner *pl, const struct id_map *map, uint16_t from, int64_t ssid, uint16_t *to)
{
	const struct lwm2m_link_entry *l;
	bool found = false;

	for (size_t at = 0; (l = bs_inventory_next(pl->inv, map->oid, &at)) != NULL;) {
		if (l->ssid != ssid || map_has_target(map, l->path.id[1]) || is_retained(pl->d, l->path))
			continue;
		if (!found || (map->oid == LWM2M_SECURITY && uri_fits(pl, from, l)))
			*to = l->path.id[1];
		found = true;
	}
	return found;
}

/* Without Discover, or where it says less, Read shows which instance of /1 is that server's. */
static bool
server_seen(const struct planner *pl, const struct id_map *map, int64_t ssid, uint16_t *to)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->inv->seen, lwm2m_path1(LWM2M_SERVER)), sub;
	struct lwm2m_path inst;
	int64_t n;

	for (size_t at = 0; map->oid == LWM2M_SERVER && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (number_at(&pl->inv->seen, lwm2m_path_child(inst, 0), &n) && n == ssid &&
		    !map_has_target(map, inst.id[1]) && !is_retained(pl->d, inst)) {
			*to = inst.id[1];
			return true;
		}
	return false;
}

/* The /2 instance on the device that is about the same Object Instance. */
static bool
acl_seen(const struct planner *pl, uint16_t from, uint16_t *to)
{
	int64_t oid, iid, o, i;
	struct lwm2m_path prefix;
	struct lwm2m_span all = lwm2m_tree_under(&pl->inv->seen, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	uint16_t mapped;

	if (!number_at(&pl->d->tree, lwm2m_path3(LWM2M_ACCESS_CONTROL, from, 0), &oid) ||
	    !number_at(&pl->d->tree, lwm2m_path3(LWM2M_ACCESS_CONTROL, from, 1), &iid))
		return false;
	if (oid == LWM2M_SERVER && map_find(&pl->server, (uint16_t)iid, &mapped))
		iid = mapped;
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &prefix, &sub);) {
		uint16_t id = prefix.id[1];

		if (number_at(&pl->inv->seen, lwm2m_path3(LWM2M_ACCESS_CONTROL, id, 0), &o) && o == oid &&
		    number_at(&pl->inv->seen, lwm2m_path3(LWM2M_ACCESS_CONTROL, id, 1), &i) && i == iid &&
		    !map_has_target(&pl->acl, id)) {
			*to = id;
			return true;
		}
	}
	return false;
}

/* Under merge what is there already is used again; otherwise the first id that is free. */
static enum err_code
place(struct planner *pl, struct id_map *map, uint16_t from)
{
	uint16_t to = 0;
	int64_t ssid;
	bool found = false, kept = profile_desired_keeps(pl->d, lwm2m_path2(map->oid, from));
	enum err_code rc = ERR_OK;

	if (map->n == MAPS_MAX)
		return err_set(pl->e, ERR_LIMIT, "/%u: more than %d instances", (unsigned)map->oid, MAPS_MAX);
	if (pl->d->policy == PROFILE_MERGE || kept) {
		uint16_t rid = map->oid == LWM2M_SECURITY ? 10 : 0;

		if (map->oid == LWM2M_ACCESS_CONTROL)
			found = acl_seen(pl, from, &to);
		else if (number_at(&pl->d->tree, lwm2m_path3(map->oid, from, rid), &ssid))
			found = account_listed(pl, map, from, ssid, &to) || server_seen(pl, map, ssid, &to);
	}
	if (!found && kept)
		return err_set(pl->e, ERR_CONFLICT,
		    "/%u: a private key is to stay in the device, and it lists no account with that "
		    "Short Server ID",
		    (unsigned)map->oid);
	if (!found)
		rc = lowest_free(pl, map, &to);
	if (rc != ERR_OK)
		return rc;
	map->from[map->n] = from;
	map->to[map->n++] = to;
	return ERR_OK;
}

static enum err_code
place_all(struct planner *pl, struct id_map *map, uint16_t oid)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->d->tree, lwm2m_path1(oid)), sub;
	struct lwm2m_path prefix;
	enum err_code rc = ERR_OK;

	map->oid = oid;
	for (int kept = 1; kept >= 0; kept--) /* what stays in its place comes first */
		for (size_t at = 0;
		     rc == ERR_OK && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &prefix, &sub);)
			if (profile_desired_keeps(pl->d, prefix) == (kept == 1))
				rc = place(pl, map, prefix.id[1]);
	return rc;
}

static const struct id_map *
map_of(const struct planner *pl, uint16_t oid)
{
	switch (oid) {
	case LWM2M_SECURITY:
		return &pl->security;
	case LWM2M_SERVER:
		return &pl->server;
	case LWM2M_ACCESS_CONTROL:
		return &pl->acl;
	default:
		return NULL; /* every other instance keeps the id that the profile gives it */
	}
}

static struct lwm2m_path
map_path(const struct planner *pl, struct lwm2m_path p)
{
	const struct id_map *map = map_of(pl, p.id[0]);

	if (map != NULL && p.depth >= LWM2M_INSTANCE)
		(void)map_find(map, p.id[1], &p.id[1]);
	return p;
}

/* 2/x/1 names an instance of the Object in 2/x/0: for an account of ours it moves with it. */
static enum err_code
map_acl_target(struct planner *pl, struct lwm2m_path from, struct lwm2m_value *v)
{
	int64_t oid, iid;
	uint16_t to;

	if (from.id[0] != LWM2M_ACCESS_CONTROL || from.depth != LWM2M_RESOURCE || from.id[2] != 1)
		return ERR_OK;
	if (!number_at(&pl->d->tree, lwm2m_path3(LWM2M_ACCESS_CONTROL, from.id[1], 0), &oid) || oid != LWM2M_SERVER ||
	    !lwm2m_value_number(v, &iid) || iid == LWM2M_MAX_ID)
		return ERR_OK;
	if (map_find(&pl->server, (uint16_t)iid, &to))
		*v = lwm2m_int(to);
	return ERR_OK;
}

static enum err_code
map_tree(struct planner *pl)
{
	enum err_code rc = place_all(pl, &pl->security, LWM2M_SECURITY);

	if (rc == ERR_OK)
		rc = place_all(pl, &pl->server, LWM2M_SERVER);
	if (rc == ERR_OK)
		rc = place_all(pl, &pl->acl, LWM2M_ACCESS_CONTROL);
	for (size_t i = 0; rc == ERR_OK && i < pl->d->tree.n; i++) {
		const struct lwm2m_node *node = &pl->d->tree.nodes[i];
		struct lwm2m_path to = map_path(pl, node->path);
		struct lwm2m_value v;

		if (is_retained(pl->d, to))
			continue;
		rc = lwm2m_value_copy(&v, &node->value, pl->e);
		if (rc == ERR_OK)
			rc = map_acl_target(pl, node->path, &v);
		if (rc == ERR_OK)
			rc = lwm2m_tree_put(&pl->p->tree, to, &v, pl->e);
	}
	return rc;
}

/* Something of this instance (under the device's ids) stays as it is. */
static bool
is_kept(const struct planner *pl, struct lwm2m_path inst)
{
	uint16_t to;

	for (size_t i = 0; i < pl->d->n_kept; i++)
		if (inst.id[0] == LWM2M_SECURITY &&
		    map_find(&pl->security, pl->d->kept[i].id[1], &to) && to == inst.id[1])
			return true;
	return false;
}

/* ---- what to delete (policy replace) ---- */

static enum err_code
delete_each(struct planner *pl, uint16_t oid)
{
	const struct lwm2m_link_entry *l;
	enum err_code rc = ERR_OK;

	for (size_t at = 0; rc == ERR_OK && (l = bs_inventory_next(pl->inv, oid, &at)) != NULL;)
		if (!is_retained(pl->d, l->path) && !holds_retained(pl->d, l->path) && !is_kept(pl, l->path))
			rc = add_op(pl, BS_DELETE, l->path, true);
	return rc;
}

static enum err_code
note_exact(struct planner *pl, uint16_t oid)
{
	uint16_t *arr = grow(pl->p->exact, pl->p->n_exact, &pl->p->cap_exact, sizeof *arr);

	if (arr == NULL)
		return err_no_memory(pl->e);
	pl->p->exact = arr;
	arr[pl->p->n_exact++] = oid;
	return ERR_OK;
}

static enum err_code
delete_object(struct planner *pl, uint16_t oid)
{
	struct lwm2m_path p = lwm2m_path1(oid);
	enum err_code rc;

	if (!is_multiple(pl, oid) || is_retained(pl->d, p))
		return ERR_OK; /* single instances (/3, /10, /13) are only written */
	rc = note_exact(pl, oid);
	if (rc != ERR_OK)
		return rc;
	if (!pl->inv->discovered)
		return holds_retained(pl->d, p) ? ERR_OK : add_op(pl, BS_DELETE, p, false);
	if (holds_retained(pl->d, p) || (oid == LWM2M_SECURITY && pl->d->n_kept > 0))
		return delete_each(pl, oid);
	return bs_inventory_count(pl->inv, oid) > 0 ? add_op(pl, BS_DELETE, p, true) : ERR_OK;
}

static enum err_code
plan_deletes(struct planner *pl)
{
	struct lwm2m_span all = { .nodes = pl->d->tree.nodes, .n = pl->d->tree.n }, sub;
	struct lwm2m_path prefix;
	enum err_code rc = ERR_OK;

	if (pl->d->policy != PROFILE_REPLACE)
		return ERR_OK;
	for (size_t at = 0; rc == ERR_OK && lwm2m_span_next(&all, LWM2M_OBJECT, &at, &prefix, &sub);)
		rc = delete_object(pl, prefix.id[0]);
	return rc;
}

/* ---- what to write ---- */

/* Links must not dangle: what is linked to comes before what links, access control last. */
static int
rank_of(uint16_t oid)
{
	static const struct {
		uint16_t oid;
		int rank;
	} ranks[] = {
		{ LWM2M_DEVICE, 0 },
		{ LWM2M_OSCORE, 1 },
		{ LWM2M_COSE, 1 },
		{ LWM2M_CELLULAR, 2 },
		{ LWM2M_APN, 3 },
		{ LWM2M_SECURITY, 5 },
		{ LWM2M_SERVER, 6 },
		{ LWM2M_ACCESS_CONTROL, 7 },
	};

	for (size_t i = 0; i < N_ELEMS(ranks); i++)
		if (ranks[i].oid == oid)
			return ranks[i].rank;
	return 4;
}
#define RANKS 8

/* A Multiple Resource is written whole: its path is the Resource's. */
static enum err_code
write_resources(struct planner *pl, const struct lwm2m_span *inst, bool only_changes)
{
	struct lwm2m_span sub;
	struct lwm2m_path prefix;
	enum err_code rc = ERR_OK;

	for (size_t at = 0; rc == ERR_OK && lwm2m_span_next(inst, LWM2M_RESOURCE, &at, &prefix, &sub);) {
		struct lwm2m_span seen = lwm2m_tree_under(&pl->inv->seen, prefix);
		bool same = only_changes && seen.n == sub.n;

		for (size_t i = 0; same && i < sub.n; i++)
			same = lwm2m_path_eq(&sub.nodes[i].path, &seen.nodes[i].path) &&
			    lwm2m_value_eq(&sub.nodes[i].value, &seen.nodes[i].value);
		if (!same)
			rc = add_op(pl, BS_PUT, prefix, false);
	}
	return rc;
}

static enum err_code
write_instance(struct planner *pl, struct lwm2m_path inst, const struct lwm2m_span *sub)
{
	bool merge_into = pl->d->policy == PROFILE_MERGE && inst.id[0] != LWM2M_SECURITY &&
	    (bs_inventory_lists(pl->inv, inst) || lwm2m_tree_has(&pl->inv->seen, inst));

	if (is_retained(pl->d, inst))
		return ERR_OK;
	if (is_kept(pl, inst))
		return write_resources(pl, sub, false);
	if (!is_multiple(pl, inst.id[0]) || merge_into || holds_retained(pl->d, inst))
		return write_resources(pl, sub, true);
	return add_op(pl, BS_PUT, inst, false);
}

static enum err_code
write_instances(struct planner *pl, const struct lwm2m_span *object)
{
	struct lwm2m_span sub;
	struct lwm2m_path prefix;
	enum err_code rc = ERR_OK;

	for (size_t at = 0; rc == ERR_OK && lwm2m_span_next(object, LWM2M_INSTANCE, &at, &prefix, &sub);)
		rc = write_instance(pl, prefix, &sub);
	return rc;
}

static enum err_code
plan_writes(struct planner *pl)
{
	struct lwm2m_span all = { .nodes = pl->p->tree.nodes, .n = pl->p->tree.n }, sub;
	struct lwm2m_path prefix;
	unsigned ranks = 0; /* a bit for each that there is */
	enum err_code rc = ERR_OK;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_OBJECT, &at, &prefix, &sub);)
		ranks |= 1U << rank_of(prefix.id[0]);
	for (int rank = 0; rank < RANKS; rank++)
		for (size_t at = 0; rc == ERR_OK && (ranks >> rank & 1) != 0 &&
		    lwm2m_span_next(&all, LWM2M_OBJECT, &at, &prefix, &sub);)
			if (rank_of(prefix.id[0]) == rank)
				rc = write_instances(pl, &sub);
	return rc;
}

/* 0/{bs}/11 and 0/{bs}/12: Resource by Resource, never the account's whole instance. */
static enum err_code
plan_account(struct planner *pl)
{
	enum err_code rc = ERR_OK;

	if (pl->d->account.n == 0)
		return ERR_OK;
	if (pl->inv->account == BS_UNKNOWN_INSTANCE)
		return err_set(pl->e, ERR_CONFLICT,
		    "/0: the bootstrap account is to be changed, but Discover did not show which instance it is");
	for (size_t i = 0; rc == ERR_OK && i < pl->d->account.n; i++) {
		struct lwm2m_path to = pl->d->account.nodes[i].path;
		struct lwm2m_value v;

		to.id[1] = (uint16_t)pl->inv->account;
		if (is_retained(pl->d, to))
			continue;
		rc = lwm2m_value_copy(&v, &pl->d->account.nodes[i].value, pl->e);
		if (rc == ERR_OK)
			rc = lwm2m_tree_put(&pl->p->tree, to, &v, pl->e);
		if (rc == ERR_OK)
			rc = add_op(pl, BS_PUT, to, false);
	}
	return rc;
}

static void
remark_on_choice(struct planner *pl)
{
	if (pl->inv->account == BS_UNKNOWN_INSTANCE && pl->security.n > 0)
		(void)snprintf(pl->p->remark, sizeof pl->p->remark,
		    "%s: its instance is not known, accounts go to /0/%d and up",
		    pl->inv->discovered ? "Discover does not list the bootstrap account" : "Discover is not served",
		    UNDISCOVERED_BASE);
}

bool
bs_plan_wants_read(const struct profile_desired *d, const struct bs_inventory *inv, uint16_t oid)
{
	return d->policy == PROFILE_MERGE && lwm2m_tree_has(&d->tree, lwm2m_path1(oid)) &&
	    (!inv->discovered || bs_inventory_count(inv, oid) > 0);
}

enum err_code
bs_plan_make(const struct profile_desired *d, const struct bs_inventory *inv, const struct lwm2m_model *m,
    struct bs_plan *p, struct err *e)
{
	struct planner pl = { .d = d, .inv = inv, .m = m, .p = p, .e = e };
	enum err_code rc;

	if (d->policy == PROFILE_INCREMENTAL)
		return err_set(e, ERR_UNSUPPORTED, "policy incremental is not served: use replace or merge");
	rc = map_tree(&pl);
	if (rc == ERR_OK)
		rc = plan_deletes(&pl);
	if (rc == ERR_OK)
		rc = plan_writes(&pl);
	if (rc == ERR_OK)
		rc = plan_account(&pl);
	if (rc == ERR_OK)
		remark_on_choice(&pl);
	else
		bs_plan_clear(p);
	return rc;
}
