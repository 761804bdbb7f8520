/* Access control: what the device has, what the profile wants, and which of the two it shall be. */
#include <string.h>

#include "bsserver/bootstrap/plan_internal.h"

#define TEXT_MAX 48

/* ---- who is who ---- */

/* An account that is on the device, is not the profile's, and stays. */
static bool
is_foreign_live(const struct planner *pl, int64_t ssid)
{
	const struct bs_account *a;

	if (ssid <= 0 || ssid > LWM2M_ID_MAX || bs_is_wanted(pl->d, (uint16_t)ssid))
		return false;
	a = bs_facts_account(&pl->facts, (uint16_t)ssid);
	if (a == NULL)
		return !bs_inventory_complete(pl->inv, LWM2M_SERVER); /* nobody knows: it may be there */
	return a->now == 0 && !bs_account_goes(pl->d, a);
}

/* The same server's number afterwards; 0: it goes now. Who is not there is left as he is called. */
static int64_t
number_now(const struct planner *pl, int64_t ssid)
{
	const struct bs_account *a;

	if (ssid <= 0 || ssid > LWM2M_ID_MAX)
		return ssid; /* the default, the bootstrap interface */
	a = bs_facts_account(&pl->facts, (uint16_t)ssid);
	if (a == NULL)
		return ssid;
	if (a->now != 0)
		return a->now;
	return bs_account_goes(pl->d, a) ? 0 : ssid;
}

static struct lwm2m_path
acl_path(uint16_t iid)
{
	return lwm2m_path2(LWM2M_ACCESS_CONTROL, iid);
}

/* "/3/0", "/5" of 2/x/0 and 2/x/1. */
static struct lwm2m_path_str
target_str(const struct lwm2m_tree *t, struct lwm2m_path inst)
{
	int64_t oid = 0, iid = LWM2M_MAX_ID;

	(void)plan_number(t, lwm2m_path_child(inst, 0), &oid);
	(void)plan_number(t, lwm2m_path_child(inst, 1), &iid);
	return lwm2m_path_str(iid == LWM2M_MAX_ID ? lwm2m_path1((uint16_t)oid) :
						    lwm2m_path2((uint16_t)oid, (uint16_t)iid));
}

static int64_t
owner_of(const struct lwm2m_tree *t, struct lwm2m_path inst)
{
	int64_t owner = LWM2M_MAX_ID;

	(void)plan_number(t, lwm2m_path_child(inst, 3), &owner);
	return owner;
}

/* Rights of an entry; 0 without one, which for the default is what it means. */
static int64_t
rights_of(const struct lwm2m_tree *t, struct lwm2m_path inst, uint16_t ssid)
{
	int64_t rights = 0;

	(void)plan_number(t, lwm2m_path_child(lwm2m_path_child(inst, 2), ssid), &rights);
	return rights;
}

static bool
has_entry(const struct lwm2m_tree *t, struct lwm2m_path inst, uint16_t ssid)
{
	return lwm2m_tree_get(t, lwm2m_path_child(lwm2m_path_child(inst, 2), ssid)) != NULL;
}

/* ---- conflicts ---- */

static const char *
server_str(int64_t ssid, char buf[TEXT_MAX])
{
	struct wbuf w = wbuf_make(buf, TEXT_MAX - 1);
	char digits[8];
	size_t at = sizeof digits;

	if (ssid == LWM2M_MAX_ID)
		return "the bootstrap server";
	wbuf_str(&w, "server ");
	digits[--at] = 0;
	for (int64_t v = ssid; (v > 0 || digits[at] == 0) && at > 0; v /= 10)
		digits[--at] = (char)('0' + v % 10);
	wbuf_str(&w, digits + at);
	buf[w.len] = 0;
	return buf;
}

static const char *
rights_str(int64_t rights, char buf[TEXT_MAX])
{
	static const char *const names[] = { "read", "write", "execute", "delete", "create" };
	struct wbuf w = wbuf_make(buf, TEXT_MAX - 1);

	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (rights & (1 << i)) {
			if (w.len > 0)
				wbuf_str(&w, " ");
			wbuf_str(&w, names[i]);
		}
	if (w.len == 0)
		wbuf_str(&w, "nothing");
	buf[w.len] = 0;
	return buf;
}

#define DECIDE "on_conflict in the profile decides: keep, merge or replace"

static enum err_code
check_owner(const struct planner *pl, struct lwm2m_path inst)
{
	int64_t has = number_now(pl, owner_of(&pl->inv->seen, inst)), want = owner_of(&pl->p->tree, inst);
	char a[TEXT_MAX], b[TEXT_MAX];

	if (has == want || !is_foreign_live(pl, has))
		return ERR_OK;
	return err_set(pl->e, ERR_CONFLICT, "%s, rights on %s: owned by %s on the device, by %s in the profile; " DECIDE,
	    lwm2m_path_str(inst).s, target_str(&pl->inv->seen, inst).s, server_str(has, a), server_str(want, b));
}

/* The profile names a server that is not its own, and gives it other rights than it has. */
static enum err_code
check_entries(const struct planner *pl, struct lwm2m_path inst)
{
	struct lwm2m_span want = lwm2m_tree_under(&pl->p->tree, lwm2m_path_child(inst, 2));
	char who[TEXT_MAX], a[TEXT_MAX], b[TEXT_MAX];

	for (size_t i = 0; i < want.n; i++) {
		uint16_t ssid = want.nodes[i].path.id[3];
		int64_t has = rights_of(&pl->inv->seen, inst, ssid), wants = rights_of(&pl->p->tree, inst, ssid);

		if (is_foreign_live(pl, ssid) && has_entry(&pl->inv->seen, inst, ssid) && has != wants)
			return err_set(pl->e, ERR_CONFLICT, "%s, rights on %s: %s has %s on the device, %s in the profile; " DECIDE,
			    lwm2m_path_str(inst).s, target_str(&pl->inv->seen, inst).s, server_str(ssid, who),
			    rights_str(has, a), rights_str(wants, b));
	}
	return ERR_OK;
}

/* A server that is not the profile's and has no entry of its own has what the default gives. */
static enum err_code
check_default(const struct planner *pl, struct lwm2m_path inst)
{
	int64_t has = rights_of(&pl->inv->seen, inst, 0), wants = rights_of(&pl->p->tree, inst, 0);
	char who[TEXT_MAX], a[TEXT_MAX], b[TEXT_MAX];

	if (has == wants)
		return ERR_OK;
	for (size_t i = 0; i < pl->facts.n; i++) {
		uint16_t ssid = pl->facts.v[i].ssid;

		if (is_foreign_live(pl, ssid) && !has_entry(&pl->inv->seen, inst, ssid) &&
		    !has_entry(&pl->p->tree, inst, ssid))
			return err_set(pl->e, ERR_CONFLICT,
			    "%s, rights on %s: the default, which %s lives by, is %s on the device, %s in the profile; " DECIDE,
			    lwm2m_path_str(inst).s, target_str(&pl->inv->seen, inst).s, server_str(ssid, who),
			    rights_str(has, a), rights_str(wants, b));
	}
	return ERR_OK;
}

static enum err_code
check_conflict(const struct planner *pl, struct lwm2m_path inst)
{
	enum err_code rc = check_owner(pl, inst);

	if (rc == ERR_OK)
		rc = check_entries(pl, inst);
	return rc == ERR_OK ? check_default(pl, inst) : rc;
}

/* ---- joining the two ---- */

static enum err_code
put_number(struct planner *pl, struct lwm2m_path p, int64_t n)
{
	struct lwm2m_value v = lwm2m_int(n);

	return lwm2m_tree_put(&pl->p->tree, p, &v, pl->e);
}

/* Entries of the device that the profile does not name; of other servers only, or of all that live. */
static enum err_code
add_entries(struct planner *pl, struct lwm2m_path inst, bool foreign_only)
{
	struct lwm2m_span has = lwm2m_tree_under(&pl->inv->seen, lwm2m_path_child(inst, 2));
	enum err_code rc = ERR_OK;
	int64_t rights;

	for (size_t i = 0; rc == ERR_OK && i < has.n; i++) {
		int64_t who = number_now(pl, has.nodes[i].path.id[3]);
		bool is_default = has.nodes[i].path.id[3] == 0;

		if (has.nodes[i].path.depth != LWM2M_RES_INSTANCE || !lwm2m_value_number(&has.nodes[i].value, &rights))
			continue;
		if ((who == 0 && !is_default) || (foreign_only && !is_foreign_live(pl, who)) ||
		    has_entry(&pl->p->tree, inst, (uint16_t)who))
			continue;
		rc = put_number(pl, lwm2m_path_child(lwm2m_path_child(inst, 2), (uint16_t)who), rights);
	}
	return rc;
}

/* As it is on the device; servers under the numbers that they have afterwards, those that go left out. */
static enum err_code
take_over(struct planner *pl, struct lwm2m_path inst)
{
	int64_t owner = number_now(pl, owner_of(&pl->inv->seen, inst)), n;
	enum err_code rc = ERR_OK;

	(void)lwm2m_tree_remove(&pl->p->tree, inst);
	for (uint16_t rid = 0; rc == ERR_OK && rid < 2; rid++)
		if (plan_number(&pl->inv->seen, lwm2m_path_child(inst, rid), &n))
			rc = put_number(pl, lwm2m_path_child(inst, rid), n);
	if (rc == ERR_OK)
		rc = put_number(pl, lwm2m_path_child(inst, 3), owner == 0 ? LWM2M_MAX_ID : owner);
	return rc == ERR_OK ? add_entries(pl, inst, false) : rc;
}

static enum err_code
merge_acl(struct planner *pl, struct lwm2m_path inst)
{
	int64_t owner = number_now(pl, owner_of(&pl->inv->seen, inst));
	enum err_code rc = add_entries(pl, inst, false);

	if (rc == ERR_OK && is_foreign_live(pl, owner))
		rc = put_number(pl, lwm2m_path_child(inst, 3), owner);
	return rc;
}

static enum err_code
settle_acl(struct planner *pl, uint16_t from, uint16_t to)
{
	struct lwm2m_path inst = acl_path(to);
	enum err_code rc;

	if (!lwm2m_tree_has(&pl->inv->seen, inst) || bs_is_retained(pl->d, inst))
		return ERR_OK;
	switch (profile_desired_acl_mode(pl->d, from)) {
	case PROFILE_ACL_REPLACE:
		return ERR_OK;
	case PROFILE_ACL_KEEP:
		return take_over(pl, inst);
	case PROFILE_ACL_MERGE:
		return merge_acl(pl, inst);
	case PROFILE_ACL_REFUSE:
		break;
	}
	rc = check_conflict(pl, inst);
	return rc == ERR_OK ? add_entries(pl, inst, true) : rc;
}

/* ---- what no rule of the profile is about ---- */

/* Nobody's but ours: no server that stays has a say in it. */
static bool
may_touch(const struct planner *pl, struct lwm2m_path inst)
{
	return !is_foreign_live(pl, owner_of(&pl->inv->seen, inst)) && !bs_is_retained(pl->d, inst) &&
	    !bs_holds_retained(pl->d, inst);
}

static bool
target_of(const struct lwm2m_tree *t, struct lwm2m_path inst, struct lwm2m_path *out)
{
	int64_t oid, iid;

	if (!plan_number(t, lwm2m_path_child(inst, 0), &oid) || !plan_number(t, lwm2m_path_child(inst, 1), &iid) ||
	    oid < 0 || oid > LWM2M_ID_MAX || iid < 0 || iid > LWM2M_MAX_ID)
		return false;
	*out = iid == LWM2M_MAX_ID ? lwm2m_path1((uint16_t)oid) : lwm2m_path2((uint16_t)oid, (uint16_t)iid);
	return true;
}

/* About an instance that is not there afterwards. */
static bool
means_nothing(const struct planner *pl, struct lwm2m_path inst)
{
	struct lwm2m_path t;

	if (!pl->inv->discovered || !target_of(&pl->inv->seen, inst, &t) || t.depth == LWM2M_OBJECT)
		return false;
	return plan_goes(pl, t) || (!bs_inventory_has(pl->inv, t) && !lwm2m_tree_has(&pl->p->tree, t));
}

/* A rule about the same thing stands elsewhere in the plan. */
static bool
is_double(const struct planner *pl, struct lwm2m_path inst)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->p->tree, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path mine, t, other;

	if (!target_of(&pl->inv->seen, inst, &mine))
		return false;
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &other, &sub);)
		if (other.id[1] != inst.id[1] && target_of(&pl->p->tree, other, &t) && lwm2m_path_eq(&t, &mine))
			return true;
	return false;
}

/* It names a server that goes now, or has got another number. */
static bool
names_who_goes(const struct planner *pl, struct lwm2m_path inst)
{
	struct lwm2m_span has = lwm2m_tree_under(&pl->inv->seen, lwm2m_path_child(inst, 2));
	const struct bs_account *a = bs_facts_account(&pl->facts, (uint16_t)owner_of(&pl->inv->seen, inst));

	if (a != NULL && number_now(pl, a->ssid) != a->ssid)
		return true;
	for (size_t i = 0; i < has.n; i++) {
		a = has.nodes[i].path.depth < LWM2M_RES_INSTANCE ?
		    NULL :
		    bs_facts_account(&pl->facts, has.nodes[i].path.id[3]);
		if (a != NULL && number_now(pl, a->ssid) != a->ssid)
			return true;
	}
	return false;
}

typedef enum err_code each_fn(struct planner *pl, struct lwm2m_path inst);

/* Instances that Read shows and no rule of the profile has taken. */
static enum err_code
each_other(struct planner *pl, each_fn *fn)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->inv->seen, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path inst;
	enum err_code rc = ERR_OK;

	for (size_t at = 0; rc == ERR_OK && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (!plan_map_has_target(&pl->acl, inst.id[1]) && may_touch(pl, inst))
			rc = fn(pl, inst);
	return rc;
}

static enum err_code
take_over_changed(struct planner *pl, struct lwm2m_path inst)
{
	if (means_nothing(pl, inst) || is_double(pl, inst) || !names_who_goes(pl, inst))
		return ERR_OK;
	return take_over(pl, inst);
}

static enum err_code
delete_stale(struct planner *pl, struct lwm2m_path inst)
{
	if (!means_nothing(pl, inst) && !is_double(pl, inst))
		return ERR_OK;
	return plan_add_op(pl, BS_DELETE, inst, true);
}

enum err_code
plan_stale_acls(struct planner *pl)
{
	return pl->d->policy == PROFILE_INCREMENTAL ? each_other(pl, delete_stale) : ERR_OK;
}

/* ---- from one server to several ---- */

static bool
has_rule(const struct lwm2m_tree *t, struct lwm2m_path p)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path inst, target;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (target_of(t, inst, &target) && lwm2m_path_eq(&target, &p))
			return true;
	return false;
}

/* Server accounts that there are afterwards. */
static size_t
servers_after(const struct planner *pl)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->p->tree, lwm2m_path1(LWM2M_SERVER)), sub;
	struct lwm2m_path inst;
	size_t n = 0;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		n++;
	for (size_t i = 0; i < pl->facts.n; i++)
		n += pl->facts.v[i].n_server > 0 && is_foreign_live(pl, pl->facts.v[i].ssid);
	return n;
}

/* It has access control, and we know all of it. */
static bool
knows_acls(const struct planner *pl)
{
	if (!plan_is_careful(pl) || !pl->inv->discovered || bs_is_retained(pl->d, lwm2m_path1(LWM2M_ACCESS_CONTROL)))
		return false;
	if (pl->inv->read[LWM2M_ACCESS_CONTROL])
		return true;
	return bs_inventory_count(pl->inv, LWM2M_ACCESS_CONTROL) == 0 &&
	    (bs_inventory_lists(pl->inv, lwm2m_path1(LWM2M_ACCESS_CONTROL)) ||
		lwm2m_tree_has(&pl->p->tree, lwm2m_path1(LWM2M_ACCESS_CONTROL)));
}

/* The one server that so far could do everything; 0: there were none, or several. */
static int64_t
only_server(const struct planner *pl)
{
	int64_t only = 0;

	for (size_t i = 0; i < pl->facts.n; i++) {
		if (pl->facts.v[i].n_server == 0)
			continue;
		if (only != 0)
			return 0;
		only = pl->facts.v[i].ssid;
	}
	return number_now(pl, only);
}

/* Whoever had all rights on it alone keeps them: an owner without entries (Core 1.1 section 8.2). */
static enum err_code
add_acl(struct planner *pl, struct lwm2m_path target, int64_t owner)
{
	uint16_t id;
	enum err_code rc;

	if (owner == 0 || has_rule(&pl->p->tree, target) || has_rule(&pl->inv->seen, target))
		return ERR_OK;
	rc = plan_take_free(pl, &pl->acl, &id);
	if (rc == ERR_OK)
		rc = put_number(pl, lwm2m_path_child(acl_path(id), 0), target.id[0]);
	if (rc == ERR_OK)
		rc = put_number(pl, lwm2m_path_child(acl_path(id), 1), target.id[1]);
	return rc == ERR_OK ? put_number(pl, lwm2m_path_child(acl_path(id), 3), owner) : rc;
}

static bool
takes_acl(const struct planner *pl, struct lwm2m_path p)
{
	return p.depth == LWM2M_INSTANCE && p.id[0] != LWM2M_SECURITY && p.id[0] != LWM2M_ACCESS_CONTROL &&
	    p.id[0] != LWM2M_OSCORE && !plan_goes(pl, p);
}

static enum err_code
add_listed_acls(struct planner *pl, int64_t only)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < pl->inv->links.n; i++) {
		struct lwm2m_path p = pl->inv->links.v[i].path;
		int64_t owner = only;

		if (!takes_acl(pl, p) || lwm2m_tree_has(&pl->p->tree, p))
			continue;
		if (p.id[0] == LWM2M_SERVER)
			owner = number_now(pl, pl->inv->links.v[i].ssid);
		rc = add_acl(pl, p, owner);
	}
	return rc;
}

static enum err_code
add_written_acls(struct planner *pl, int64_t only)
{
	struct lwm2m_path list[MAPS_MAX], inst;
	struct lwm2m_span all = { .nodes = pl->p->tree.nodes, .n = pl->p->tree.n }, sub;
	enum err_code rc = ERR_OK;
	size_t n = 0;

	/* The tree changes under the span: first all, then each. */
	for (size_t at = 0; n < N_ELEMS(list) && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (takes_acl(pl, inst))
			list[n++] = inst;
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = add_acl(pl, list[i], list[i].id[0] == LWM2M_SERVER ? bs_ssid_in(&pl->p->tree, list[i]) : only);
	return rc;
}

enum err_code
plan_acls(struct planner *pl)
{
	size_t n = pl->acl.n;
	enum err_code rc = ERR_OK;

	if (!plan_is_careful(pl))
		return ERR_OK;
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = settle_acl(pl, pl->acl.from[i], pl->acl.to[i]);
	if (rc == ERR_OK)
		rc = each_other(pl, take_over_changed);
	if (rc != ERR_OK || !knows_acls(pl) || servers_after(pl) < 2)
		return rc;
	rc = add_listed_acls(pl, only_server(pl));
	return rc == ERR_OK ? add_written_acls(pl, only_server(pl)) : rc;
}
