/* What is written, what goes, and what need not be touched. */
#include <string.h>

#include "bsserver/bootstrap/plan_internal.h"

/* ---- what need not be written ---- */

/*
 * Of several /0 instances with one Short Server ID and no uri to tell them apart nobody knows which
 * is which: all must have been written.
 */
static bool
was_written(const struct planner *pl, struct lwm2m_path inst)
{
	const struct lwm2m_link_entry *l = lwm2m_links_find(&pl->inv->links, inst);
	struct lwm2m_span all = lwm2m_tree_under(&pl->p->tree, lwm2m_path1(LWM2M_SECURITY)), sub;
	struct lwm2m_path other;

	if (!plan_wrote_this(pl, inst))
		return false;
	if (inst.id[0] != LWM2M_SECURITY || l == NULL || l->uri != NULL)
		return true;
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &other, &sub);)
		if (bs_ssid_in(&pl->p->tree, other) == bs_ssid_in(&pl->p->tree, inst) && !plan_wrote_this(pl, other))
			return false;
	return true;
}

/* A server that rejects it, or a certificate that is over: written again, whatever it looks like. */
static bool
is_broken(const struct planner *pl, struct lwm2m_path inst)
{
	uint16_t ssid;

	if (inst.id[0] != LWM2M_SECURITY && inst.id[0] != LWM2M_SERVER)
		return false;
	ssid = bs_ssid_in(&pl->p->tree, inst);
	for (size_t i = 0; ssid != 0 && i < pl->facts.n; i++)
		if (pl->facts.v[i].now == ssid)
			return pl->facts.v[i].alert != 0 || pl->facts.v[i].expired;
	return false;
}

/* What the device does not show of it is right. */
static bool
is_certain(const struct planner *pl, struct lwm2m_path inst)
{
	return pl->facts.sure && !is_broken(pl, inst) && was_written(pl, inst);
}

/* The same for one Resource: the instance may have changed in another. */
static bool
is_certain_of(const struct planner *pl, struct lwm2m_path res)
{
	return plan_is_careful(pl) && pl->facts.sure && !is_broken(pl, lwm2m_path_up(res, LWM2M_INSTANCE)) &&
	    res.id[0] != LWM2M_SECURITY && plan_wrote_this(pl, res);
}

/* ---- writes ---- */

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
static bool
needs_write(const struct planner *pl, struct lwm2m_path res, const struct lwm2m_span *want)
{
	struct lwm2m_span seen = lwm2m_tree_under(&pl->inv->seen, res);

	if (pl->in->anew)
		return true;
	if (seen.n == 0)
		return !is_certain_of(pl, res);
	if (seen.n != want->n)
		return true;
	for (size_t i = 0; i < want->n; i++)
		if (!lwm2m_path_eq(&want->nodes[i].path, &seen.nodes[i].path) ||
		    !lwm2m_value_eq(&want->nodes[i].value, &seen.nodes[i].value))
			return true;
	return false;
}

static size_t
count_needed(const struct planner *pl, const struct lwm2m_span *inst)
{
	struct lwm2m_span sub;
	struct lwm2m_path res;
	size_t n = 0;

	for (size_t at = 0; lwm2m_span_next(inst, LWM2M_RESOURCE, &at, &res, &sub);)
		n += needs_write(pl, res, &sub);
	return n;
}

static enum err_code
write_resources(struct planner *pl, const struct lwm2m_span *inst)
{
	struct lwm2m_span sub;
	struct lwm2m_path res;
	enum err_code rc = ERR_OK;

	for (size_t at = 0; rc == ERR_OK && lwm2m_span_next(inst, LWM2M_RESOURCE, &at, &res, &sub);)
		if (needs_write(pl, res, &sub))
			rc = plan_add_op(pl, BS_PUT, res, false);
	return rc;
}

/* A client that replaces would lose what the profile says nothing about: it is written along. */
static enum err_code
keep_others(struct planner *pl, struct lwm2m_path inst)
{
	struct lwm2m_span seen = lwm2m_tree_under(&pl->inv->seen, inst);
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < seen.n; i++) {
		struct lwm2m_path p = seen.nodes[i].path;
		struct lwm2m_value v;

		if (p.depth < LWM2M_RESOURCE || lwm2m_tree_has(&pl->p->tree, lwm2m_path_up(p, LWM2M_RESOURCE)))
			continue;
		if (p.id[0] == LWM2M_SERVER && (p.id[2] == 11 || p.id[2] == 12))
			continue; /* the client's own notes */
		rc = lwm2m_value_copy(&v, &seen.nodes[i].value, pl->e);
		if (rc == ERR_OK)
			rc = lwm2m_tree_put(&pl->p->tree, p, &v, pl->e);
	}
	return rc;
}

static enum err_code
write_anew(struct planner *pl, struct lwm2m_path inst, bool delete_first)
{
	enum err_code rc = ERR_OK;

	if (delete_first)
		rc = plan_add_op(pl, BS_DELETE, inst, true);
	return rc == ERR_OK ? plan_add_op(pl, BS_PUT, inst, false) : rc;
}

/* An instance of /1 or /2 that Read shows. */
static enum err_code
write_shown(struct planner *pl, struct lwm2m_path inst, const struct lwm2m_span *sub)
{
	struct lwm2m_path acl = lwm2m_path_child(inst, 2);
	size_t needed = count_needed(pl, sub);
	bool acl_goes;
	enum err_code rc;

	if (bs_holds_retained(pl->d, inst))
		return write_resources(pl, sub);
	acl_goes = inst.id[0] == LWM2M_ACCESS_CONTROL && lwm2m_tree_has(&pl->inv->seen, acl) &&
	    !lwm2m_tree_has(&pl->p->tree, acl);
	/* An alert would stay, and send us round in circles. */
	if (acl_goes || (is_broken(pl, inst) && pl->d->policy == PROFILE_INCREMENTAL)) {
		rc = keep_others(pl, inst);
		if (acl_goes)
			(void)lwm2m_tree_remove(&pl->p->tree, acl);
		return rc == ERR_OK ? write_anew(pl, inst, true) : rc;
	}
	if (needed < 2)
		return write_resources(pl, sub);
	rc = keep_others(pl, inst);
	return rc == ERR_OK ? write_anew(pl, inst, false) : rc;
}

/* What Discover shows of an account agrees with the plan. */
static bool
link_agrees(const struct planner *pl, struct lwm2m_path inst)
{
	const struct lwm2m_link_entry *l = lwm2m_links_find(&pl->inv->links, inst);
	const struct lwm2m_value *uri = lwm2m_tree_get(&pl->p->tree, lwm2m_path_child(inst, 0));

	if (inst.id[0] != LWM2M_SECURITY && inst.id[0] != LWM2M_SERVER)
		return true;
	if (l == NULL)
		return false;
	if (inst.id[0] == LWM2M_SECURITY && l->uri != NULL &&
	    (uri == NULL || uri->type != LWM2M_STRING || !secret_equal_bytes(&uri->bytes, l->uri, strlen(l->uri))))
		return false;
	return l->ssid == 0 || l->ssid == bs_ssid_in(&pl->p->tree, inst);
}

/* One that is there and cannot be read. */
static enum err_code
write_hidden(struct planner *pl, struct lwm2m_path inst, const struct lwm2m_span *sub)
{
	bool agrees = link_agrees(pl, inst), known;

	if (agrees && is_certain(pl, inst))
		return ERR_OK;
	if (bs_holds_retained(pl->d, inst) || plan_is_kept(pl, inst))
		return write_resources(pl, sub);
	/*
	 * A client that merges would keep, say, an old certificate usage in an account whose content
	 * nobody knows.
	 */
	known = !pl->facts.elsewhere && !pl->facts.broke_off &&
	    ((agrees && was_written(pl, inst)) || plan_covers_then(pl, inst));
	return write_anew(pl, inst,
	    inst.id[0] == LWM2M_SECURITY && pl->d->policy == PROFILE_INCREMENTAL && pl->inv->discovered && !known);
}

static enum err_code
write_instance(struct planner *pl, struct lwm2m_path inst)
{
	struct lwm2m_span sub = lwm2m_tree_under(&pl->p->tree, inst);
	bool careful = plan_is_careful(pl);

	if (bs_is_retained(pl->d, inst))
		return ERR_OK;
	if (!plan_is_multiple(pl, inst.id[0]))
		return write_resources(pl, &sub);
	if (!careful && plan_is_kept(pl, inst))
		return write_resources(pl, &sub);
	if (!careful || !bs_inventory_has(pl->inv, inst))
		return bs_holds_retained(pl->d, inst) ? write_resources(pl, &sub) :
							plan_add_op(pl, BS_PUT, inst, false);
	return lwm2m_tree_has(&pl->inv->seen, inst) ? write_shown(pl, inst, &sub) : write_hidden(pl, inst, &sub);
}

enum err_code
plan_writes(struct planner *pl)
{
	struct lwm2m_span objects = { .nodes = pl->p->tree.nodes, .n = pl->p->tree.n }, sub;
	struct lwm2m_path inst;
	unsigned ranks = 0; /* a bit for each that there is */
	enum err_code rc = ERR_OK;

	for (size_t at = 0; lwm2m_span_next(&objects, LWM2M_OBJECT, &at, &inst, &sub);)
		ranks |= 1U << rank_of(inst.id[0]);
	/* keep_others() adds to the instance that is at hand, so the span is taken anew for each. */
	for (int rank = 0; rank < RANKS; rank++)
		for (size_t at = 0; rc == ERR_OK && (ranks >> rank & 1) != 0;) {
			struct lwm2m_span all = { .nodes = pl->p->tree.nodes, .n = pl->p->tree.n };

			if (!lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub))
				break;
			if (rank_of(inst.id[0]) != rank)
				continue;
			rc = write_instance(pl, inst);
			sub = lwm2m_tree_under(&pl->p->tree, inst);
			at = (size_t)(sub.nodes - pl->p->tree.nodes) + sub.n;
		}
	return rc;
}

/* ---- what goes ---- */

bool
plan_goes(const struct planner *pl, struct lwm2m_path inst)
{
	const struct id_map *map = plan_map_of(pl, inst.id[0]);
	const struct bs_account *a;
	struct bs_known k;

	if (pl->d->policy != PROFILE_INCREMENTAL || bs_is_retained(pl->d, inst) || bs_holds_retained(pl->d, inst))
		return false;
	if (inst.id[0] == LWM2M_APN)
		return plan_is_stale(pl, inst);
	if (inst.id[0] != LWM2M_SECURITY && inst.id[0] != LWM2M_SERVER && inst.id[0] != LWM2M_OSCORE)
		return false;
	if (plan_map_has_target(map, inst.id[1]))
		return false;
	for (size_t at = 0; bs_inventory_known(pl->inv, inst.id[0], &at, &k);)
		if (k.path.id[1] == inst.id[1]) {
			a = k.ssid == 0 ? NULL : bs_facts_account(&pl->facts, k.ssid);
			return a != NULL && (a->now != 0 || bs_account_goes(pl->d, a));
		}
	return false;
}

enum err_code
plan_stale_accounts(struct planner *pl)
{
	static const uint16_t order[] = { LWM2M_SERVER, LWM2M_SECURITY, LWM2M_OSCORE };
	struct bs_known k;
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < N_ELEMS(order); i++)
		for (size_t at = 0; rc == ERR_OK && bs_inventory_known(pl->inv, order[i], &at, &k);)
			if (plan_goes(pl, k.path))
				rc = plan_add_op(pl, BS_DELETE, k.path, true);
	return rc;
}

/* ---- the bootstrap account ---- */

static enum err_code
put_copy(struct planner *pl, const struct lwm2m_node *n, struct lwm2m_path to)
{
	struct lwm2m_value v;
	enum err_code rc = lwm2m_value_copy(&v, &n->value, pl->e);

	return rc == ERR_OK ? lwm2m_tree_put(&pl->p->tree, to, &v, pl->e) : rc;
}

/* 0/{bs}/11 and 0/{bs}/12: Resource by Resource, never the account's whole instance. */
static enum err_code
change_account(struct planner *pl, uint16_t account)
{
	const struct profile_desired *wrote = plan_wrote(pl);
	bool certain = plan_is_careful(pl) && pl->facts.sure && wrote != NULL &&
	    lwm2m_tree_eq(&pl->d->account, &wrote->account);
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < pl->d->account.n; i++) {
		struct lwm2m_path to = pl->d->account.nodes[i].path;

		to.id[1] = account;
		if (bs_is_retained(pl->d, to))
			continue;
		rc = put_copy(pl, &pl->d->account.nodes[i], to);
		if (rc == ERR_OK && !certain)
			rc = plan_add_op(pl, BS_PUT, to, false);
	}
	return rc;
}

/* Where the OSCORE half of the new account goes: over the old one's, if there is one. */
static enum err_code
place_oscore(struct planner *pl, uint16_t *to)
{
	struct bs_known k;

	for (size_t at = 0; bs_inventory_known(pl->inv, LWM2M_OSCORE, &at, &k);)
		if (k.ssid == 0 && !plan_map_has_target(&pl->oscore, k.path.id[1])) {
			*to = k.path.id[1];
			return ERR_OK;
		}
	return plan_take_free(pl, &pl->oscore, to);
}

/* The whole instance, over the one that is there: a client takes no second bootstrap account. */
static enum err_code
hand_over(struct planner *pl, uint16_t account)
{
	const struct lwm2m_tree *t = pl->in->handover;
	uint16_t oscore = 0;
	enum err_code rc = ERR_OK;

	if (lwm2m_tree_has(t, lwm2m_path1(LWM2M_OSCORE)))
		rc = place_oscore(pl, &oscore);
	for (size_t i = 0; rc == ERR_OK && i < t->n; i++) {
		struct lwm2m_path to = t->nodes[i].path;
		struct lwm2m_node n = t->nodes[i];

		to.id[1] = to.id[0] == LWM2M_OSCORE ? oscore : account;
		if (n.value.type == LWM2M_OBJLNK && n.value.link.object == LWM2M_OSCORE)
			n.value.link.instance = oscore;
		rc = put_copy(pl, &n, to);
	}
	for (size_t i = 0; rc == ERR_OK && i < pl->d->account.n; i++) {
		struct lwm2m_path to = pl->d->account.nodes[i].path;

		to.id[1] = account;
		if (!lwm2m_tree_has(&pl->p->tree, to))
			rc = put_copy(pl, &pl->d->account.nodes[i], to);
	}
	if (rc == ERR_OK && lwm2m_tree_has(t, lwm2m_path1(LWM2M_OSCORE)))
		rc = plan_add_op(pl, BS_PUT, lwm2m_path2(LWM2M_OSCORE, oscore), false);
	if (rc == ERR_OK)
		rc = plan_add_op(pl, BS_PUT, lwm2m_path2(LWM2M_SECURITY, account), false);
	pl->p->hands_over = rc == ERR_OK;
	return rc;
}

enum err_code
plan_account(struct planner *pl)
{
	bool handover = pl->in->handover != NULL && pl->in->handover->n > 0;

	if (pl->d->account.n == 0 && !handover)
		return ERR_OK;
	if (pl->inv->account == BS_UNKNOWN_INSTANCE)
		return err_set(pl->e, ERR_CONFLICT, "/0: the bootstrap account is to be %s, but Discover did not show "
		    "which instance it is", handover ? "replaced" : "changed");
	if (handover && (bs_is_retained(pl->d, lwm2m_path2(LWM2M_SECURITY, (uint16_t)pl->inv->account)) ||
			    bs_holds_retained(pl->d, lwm2m_path2(LWM2M_SECURITY, (uint16_t)pl->inv->account))))
		return err_set(pl->e, ERR_CONFLICT, "/0/%d: the bootstrap account is to be replaced, and the profile retains it",
		    pl->inv->account);
	return handover ? hand_over(pl, (uint16_t)pl->inv->account) : change_account(pl, (uint16_t)pl->inv->account);
}
