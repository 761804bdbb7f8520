/* What our last good session wrote, where it put it, and what of that is in the profile still. */
#include <stdio.h>
#include <string.h>

#include "bsserver/bootstrap/plan_internal.h"
#include "lib/base/str.h"

/* ---- where it was put ---- */

void
bs_placed_text(const struct bs_plan *p, struct gbuf *out)
{
	for (size_t i = 0; i < p->n_placed; i++)
		gbuf_printf(out, "%s%u/%u=%u", out->len > 0 ? " " : "", (unsigned)p->placed[i].oid,
		    (unsigned)p->placed[i].from, (unsigned)p->placed[i].to);
}

static bool
read_one(const char *s, size_t n, struct bs_placed *out)
{
	const char *slash = memchr(s, '/', n), *is = memchr(s, '=', n);
	uint64_t oid, from, to;

	if (slash == NULL || is == NULL || slash > is || !str_to_u64(s, (size_t)(slash - s), 0, LWM2M_ID_MAX, &oid) ||
	    !str_to_u64(slash + 1, (size_t)(is - slash - 1), 0, LWM2M_ID_MAX, &from) ||
	    !str_to_u64(is + 1, n - (size_t)(is - s) - 1, 0, LWM2M_ID_MAX, &to))
		return false;
	*out = (struct bs_placed){ (uint16_t)oid, (uint16_t)from, (uint16_t)to };
	return true;
}

bool
bs_placed_next(const char *text, size_t *at, struct bs_placed *out)
{
	while (text != NULL && text[*at] != 0) {
		const char *s = text + *at;
		size_t n = strcspn(s, " ");

		*at += n + (s[n] == ' ');
		if (read_one(s, n, out))
			return true;
	}
	return false;
}

bool
bs_placed_find(const char *text, uint16_t oid, uint16_t from, uint16_t *to)
{
	struct bs_placed p;

	for (size_t at = 0; bs_placed_next(text, &at, &p);)
		if (p.oid == oid && p.from == from) {
			*to = p.to;
			return true;
		}
	return false;
}

static const char *
placed_then(const struct planner *pl)
{
	const struct bs_history *h = pl->in->history;

	return h == NULL || h->good_session == 0 ? NULL : h->placed;
}

static bool
is_placed_object(uint16_t oid)
{
	return oid == LWM2M_ACCESS_CONTROL || oid == LWM2M_APN || oid == LWM2M_OSCORE;
}

enum err_code
plan_note_placed(struct planner *pl)
{
	struct lwm2m_span all = { .nodes = pl->d->tree.nodes, .n = pl->d->tree.n }, sub;
	struct bs_plan *p = pl->p;
	struct lwm2m_path inst;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		struct bs_placed one = { inst.id[0], inst.id[1], inst.id[1] };

		if (!is_placed_object(inst.id[0]))
			continue;
		(void)plan_map_find(plan_map_of(pl, inst.id[0]), inst.id[1], &one.to);
		struct bs_placed *v = grow(p->placed, p->n_placed, &p->cap_placed, sizeof *v);
		if (v == NULL)
			return err_no_memory(pl->e);
		p->placed = v;
		v[p->n_placed++] = one;
	}
	return ERR_OK;
}

/* ---- what it was called then ---- */

static bool
same_at(const struct lwm2m_tree *a, struct lwm2m_path p, const struct lwm2m_tree *b, struct lwm2m_path q)
{
	const struct lwm2m_value *v = lwm2m_tree_get(a, p), *w = lwm2m_tree_get(b, q);

	return v != NULL && w != NULL && lwm2m_value_eq(v, w);
}

/* The next instance of that Object in a tree. */
static bool
next_in(const struct lwm2m_tree *t, uint16_t oid, size_t *at, struct lwm2m_path *inst)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(oid)), sub;

	return lwm2m_span_next(&all, LWM2M_INSTANCE, at, inst, &sub);
}

static bool
account_then(const struct planner *pl, const struct lwm2m_tree *wrote, struct lwm2m_path inst, struct lwm2m_path *then)
{
	uint16_t ssid = bs_ssid_in(&pl->d->tree, inst);

	for (size_t at = 0; ssid != 0 && next_in(wrote, inst.id[0], &at, then);)
		if (bs_ssid_in(wrote, *then) == ssid &&
		    (inst.id[0] == LWM2M_SERVER ||
			same_at(&pl->d->tree, lwm2m_path_child(inst, 0), wrote, lwm2m_path_child(*then, 0))))
			return true;
	return false;
}

static bool
apn_named(const struct lwm2m_tree *in, const struct lwm2m_tree *t, struct lwm2m_path like, struct lwm2m_path *out)
{
	for (size_t at = 0; next_in(in, LWM2M_APN, &at, out);)
		if (same_at(t, lwm2m_path_child(like, 0), in, lwm2m_path_child(*out, 0)))
			return true;
	return false;
}

/* By its name; the same number under another name is what was renamed. */
static bool
apn_then(const struct planner *pl, const struct lwm2m_tree *wrote, struct lwm2m_path inst, struct lwm2m_path *then)
{
	struct lwm2m_path other;

	if (apn_named(wrote, &pl->d->tree, inst, then))
		return true;
	*then = inst;
	return lwm2m_tree_has(wrote, inst) && !apn_named(&pl->d->tree, wrote, inst, &other);
}

/* By the account that has it; one that no account links to, by its number. */
static bool
oscore_then(const struct planner *pl, const struct lwm2m_tree *wrote, struct lwm2m_path inst, struct lwm2m_path *then)
{
	struct lwm2m_path account, was;
	bool linked = false;

	for (size_t at = 0; next_in(&pl->d->tree, LWM2M_SECURITY, &at, &account);) {
		const struct lwm2m_objlnk *l = plan_link(&pl->d->tree, lwm2m_path_child(account, 17), LWM2M_OSCORE);

		if (l == NULL || l->instance != inst.id[1])
			continue;
		linked = true;
		if (!account_then(pl, wrote, account, &was))
			continue;
		l = plan_link(wrote, lwm2m_path_child(was, 17), LWM2M_OSCORE);
		*then = lwm2m_path2(LWM2M_OSCORE, l == NULL ? 0 : l->instance);
		return l != NULL;
	}
	*then = inst;
	return !linked && lwm2m_tree_has(wrote, inst);
}

/* 2/x/1 of now, in the numbers of then. */
static bool
target_then(const struct planner *pl, struct lwm2m_path rule, int64_t *oid, int64_t *iid)
{
	struct lwm2m_path then;

	if (!plan_number(&pl->d->tree, lwm2m_path_child(rule, 0), oid) ||
	    !plan_number(&pl->d->tree, lwm2m_path_child(rule, 1), iid))
		return false;
	if (*oid != LWM2M_SERVER || *iid < 0 || *iid > LWM2M_ID_MAX)
		return true;
	if (!plan_then(pl, lwm2m_path2(LWM2M_SERVER, (uint16_t)*iid), &then))
		return false;
	*iid = then.id[1];
	return true;
}

static bool
rule_then(const struct planner *pl, const struct lwm2m_tree *wrote, struct lwm2m_path inst, struct lwm2m_path *then)
{
	int64_t oid, iid, o, i;

	if (!target_then(pl, inst, &oid, &iid))
		return false;
	for (size_t at = 0; next_in(wrote, LWM2M_ACCESS_CONTROL, &at, then);)
		if (plan_number(wrote, lwm2m_path_child(*then, 0), &o) && o == oid &&
		    plan_number(wrote, lwm2m_path_child(*then, 1), &i) && i == iid)
			return true;
	return false;
}

bool
plan_then(const struct planner *pl, struct lwm2m_path inst, struct lwm2m_path *then)
{
	const struct profile_desired *wrote = plan_wrote(pl);

	*then = inst;
	if (wrote == NULL)
		return false;
	switch (inst.id[0]) {
	case LWM2M_SECURITY:
	case LWM2M_SERVER:
		return account_then(pl, &wrote->tree, inst, then);
	case LWM2M_ACCESS_CONTROL:
		return rule_then(pl, &wrote->tree, inst, then);
	case LWM2M_APN:
		return apn_then(pl, &wrote->tree, inst, then);
	case LWM2M_OSCORE:
		return oscore_then(pl, &wrote->tree, inst, then);
	default:
		return lwm2m_tree_has(&wrote->tree, inst);
	}
}

bool
plan_placed(const struct planner *pl, struct lwm2m_path inst, uint16_t *to)
{
	struct lwm2m_path then;

	return placed_then(pl) != NULL && plan_then(pl, inst, &then) &&
	    bs_placed_find(placed_then(pl), inst.id[0], then.id[1], to);
}

/* ---- whether it is the same ---- */

/* Numbers of other instances are the profile's, of now and of then. */
static bool
same_link(const struct planner *pl, const struct lwm2m_objlnk *now, const struct lwm2m_objlnk *was)
{
	const struct id_map *map = plan_map_of(pl, now->object);
	struct lwm2m_path then;
	uint16_t is, there;

	if (now->object != was->object || map == NULL || !is_placed_object(now->object))
		return now->object == was->object && now->instance == was->instance;
	if (!plan_map_find(map, now->instance, &is))
		is = now->instance;
	return plan_then(pl, lwm2m_path2(now->object, now->instance), &then) && then.id[1] == was->instance &&
	    plan_placed(pl, lwm2m_path2(now->object, now->instance), &there) && there == is;
}

static bool
same_value(const struct planner *pl, const struct lwm2m_node *now, const struct lwm2m_node *was)
{
	int64_t oid, iid, i;

	if (now->value.type == LWM2M_OBJLNK && was->value.type == LWM2M_OBJLNK)
		return same_link(pl, &now->value.link, &was->value.link);
	if (now->path.id[0] == LWM2M_ACCESS_CONTROL && now->path.depth == LWM2M_RESOURCE && now->path.id[2] == 1 &&
	    target_then(pl, lwm2m_path_up(now->path, LWM2M_INSTANCE), &oid, &iid))
		return lwm2m_value_number(&was->value, &i) && i == iid;
	return lwm2m_value_eq(&now->value, &was->value);
}

static bool
same_values(const struct planner *pl, struct lwm2m_span now, struct lwm2m_span was)
{
	for (size_t i = 0; now.n == was.n && i < now.n; i++) {
		struct lwm2m_path p = now.nodes[i].path;

		p.id[1] = was.nodes[i].path.id[1];
		if (!lwm2m_path_eq(&p, &was.nodes[i].path) || !same_value(pl, &now.nodes[i], &was.nodes[i]))
			return false;
	}
	return now.n == was.n;
}

/* The profile's number of an instance of the device; false: it has none. */
static bool
profile_instance(const struct planner *pl, struct lwm2m_path inst, struct lwm2m_path *out)
{
	const struct id_map *map = plan_map_of(pl, inst.id[0]);

	*out = inst;
	return map == NULL || plan_map_source(map, inst.id[1], &out->id[1]);
}

bool
plan_wrote_this(const struct planner *pl, struct lwm2m_path res)
{
	const struct profile_desired *wrote = plan_wrote(pl);
	struct lwm2m_path inst, then, now = res;
	uint16_t there;

	if (wrote == NULL || !profile_instance(pl, lwm2m_path_up(res, LWM2M_INSTANCE), &inst) ||
	    !plan_then(pl, inst, &then))
		return false;
	if (is_placed_object(inst.id[0]) && (!plan_placed(pl, inst, &there) || there != res.id[1]))
		return false;
	now.id[1] = inst.id[1];
	res.id[1] = then.id[1];
	return same_values(pl, lwm2m_tree_under(&pl->d->tree, now), lwm2m_tree_under(&wrote->tree, res));
}

bool
plan_covers_then(const struct planner *pl, struct lwm2m_path inst)
{
	const struct profile_desired *wrote = plan_wrote(pl);
	const struct lwm2m_link_entry *l = lwm2m_links_find(&pl->inv->links, inst);
	uint16_t ssid = bs_ssid_in(&pl->p->tree, inst);
	struct lwm2m_path other, then = inst;
	size_t n = 0;

	if (wrote == NULL || inst.id[0] != LWM2M_SECURITY || l == NULL || l->ssid != ssid || ssid == 0)
		return false;
	for (size_t at = 0; next_in(&wrote->tree, LWM2M_SECURITY, &at, &other);)
		if (bs_ssid_in(&wrote->tree, other) == ssid) {
			then = other;
			n++;
		}
	/* an address that is not what we wrote is somebody else's doing */
	const struct lwm2m_value *uri = lwm2m_tree_get(&wrote->tree, lwm2m_path_child(then, 0));
	if (l->uri != NULL && (uri == NULL || !secret_equal_bytes(&uri->bytes, l->uri, strlen(l->uri))))
		return false;
	struct lwm2m_span was = lwm2m_tree_under(&wrote->tree, then);
	for (size_t i = 0; n == 1 && i < was.n; i++) {
		struct lwm2m_path p = was.nodes[i].path;

		p.id[1] = inst.id[1];
		if (!lwm2m_tree_has(&pl->p->tree, p))
			return false;
	}
	return n == 1;
}

/* ---- what goes ---- */

/* The profile says nothing of an account's APN link: whatever is there stays. */
static bool
keeps_link(const struct planner *pl, uint16_t ssid)
{
	struct lwm2m_path inst;

	for (size_t at = 0; next_in(&pl->d->tree, LWM2M_SERVER, &at, &inst);)
		if (bs_ssid_in(&pl->d->tree, inst) == ssid)
			return plan_link(&pl->d->tree, lwm2m_path_child(inst, 10), LWM2M_APN) == NULL;
	return false;
}

/* By an account of then: one that the profile has no more and that stays all the same, or one whose link stays. */
static bool
is_linked_still(const struct planner *pl, const struct bs_placed *then)
{
	const struct lwm2m_tree *wrote = &plan_wrote(pl)->tree;
	bool apn = then->oid == LWM2M_APN;
	struct lwm2m_path inst;

	for (size_t at = 0; next_in(wrote, apn ? LWM2M_SERVER : LWM2M_SECURITY, &at, &inst);) {
		const struct lwm2m_objlnk *l = plan_link(wrote, lwm2m_path_child(inst, apn ? 10 : 17), then->oid);
		const struct bs_account *a = bs_facts_account(&pl->facts, bs_ssid_in(wrote, inst));

		if (l == NULL || l->instance != then->from || a == NULL)
			continue;
		if (a->now == 0 ? !bs_account_goes(pl->d, a) : apn && keeps_link(pl, a->now))
			return true;
	}
	return false;
}

static bool
is_stale(const struct planner *pl, const struct bs_placed *then)
{
	struct lwm2m_path p = lwm2m_path2(then->oid, then->to);
	const struct lwm2m_link_entry *l = lwm2m_links_find(&pl->inv->links, p);
	const struct bs_account *a = l == NULL || l->ssid == 0 ? NULL : bs_facts_account(&pl->facts, l->ssid);

	if (l == NULL || lwm2m_tree_has(&pl->p->tree, p) || bs_is_retained(pl->d, p) || bs_holds_retained(pl->d, p))
		return false;
	if (then->oid == LWM2M_ACCESS_CONTROL)
		return !pl->inv->read[LWM2M_ACCESS_CONTROL]; /* what can be read was looked at there */
	if (then->oid == LWM2M_OSCORE && l->ssid != 0)
		return false; /* so was what is told apart by its account */
	return a == NULL && !is_linked_still(pl, then) && (then->oid != LWM2M_APN || !plan_apn_is_shared(pl, then->to));
}

bool
plan_is_stale(const struct planner *pl, struct lwm2m_path inst)
{
	struct bs_placed then;

	if (pl->d->policy != PROFILE_INCREMENTAL || !pl->facts.sure || plan_wrote(pl) == NULL)
		return false;
	for (size_t at = 0; bs_placed_next(placed_then(pl), &at, &then);)
		if (then.oid == inst.id[0] && then.to == inst.id[1] && is_stale(pl, &then))
			return true;
	return false;
}

enum err_code
plan_stale_placed(struct planner *pl)
{
	enum err_code rc = ERR_OK;
	struct bs_placed then;

	for (size_t at = 0; rc == ERR_OK && bs_placed_next(placed_then(pl), &at, &then);) {
		struct lwm2m_path inst = lwm2m_path2(then.oid, then.to);

		if (plan_is_stale(pl, inst))
			rc = plan_add_op(pl, BS_DELETE, inst, true);
	}
	return rc;
}
