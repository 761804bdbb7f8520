/* What a plan did to a device, judged from the two trees alone: before and after. */
#include "tests/sim/property.h"

#define NO_RULE (-1)
#define ALL_RIGHTS 31

static bool
next(const struct lwm2m_tree *t, size_t *at, struct lwm2m_path *inst)
{
	struct lwm2m_span all = { .nodes = t->nodes, .n = t->n }, sub;

	return lwm2m_span_next(&all, LWM2M_INSTANCE, at, inst, &sub);
}

static bool
next_of(const struct lwm2m_tree *t, uint16_t oid, size_t *at, struct lwm2m_path *inst)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(oid)), sub;

	return lwm2m_span_next(&all, LWM2M_INSTANCE, at, inst, &sub);
}

/* ---- links ---- */

static bool
link_of(const struct lwm2m_node *n, struct lwm2m_path *to)
{
	if (n->value.type != LWM2M_OBJLNK)
		return false;
	*to = lwm2m_path2(n->value.link.object, n->value.link.instance);
	return true;
}

/* Under replace an Object holds exactly what the profile says, whoever linked to what is gone. */
void
check_links(struct pair *x, const struct bs_op *op)
{
	struct lwm2m_path to;

	for (size_t i = 0; x->p.policy != PROFILE_REPLACE && i < x->d.tree.n; i++)
		if (link_of(&x->d.tree.nodes[i], &to) && !lwm2m_tree_has(&x->d.tree, to) && lwm2m_tree_has(&x->before, to))
			wrong(x, "after %s %s the link %s dangles", bs_method_name(op->method), lwm2m_path_str(op->path).s,
			    lwm2m_path_str(x->d.tree.nodes[i].path).s);
}

/* The server whose account that link is in; -1: it is nobody's, or cannot be seen. */
static int64_t
whose(const struct pair *x, struct lwm2m_path link)
{
	if (link.id[0] > 1 || (link.id[0] == 1 && (!x->d.reads[1] || (x->d.hidden >> 10 & 1))))
		return -1;
	return number_at(&x->before, lwm2m_path3(link.id[0], link.id[1], link.id[0] == 0 ? 10 : 0));
}

void
check_linked(struct pair *x)
{
	struct lwm2m_path to;

	for (size_t i = 0; x->d.discovers && i < x->before.n; i++) {
		const struct lwm2m_node *n = &x->before.nodes[i];

		if (link_of(n, &to) && is_kept(x, whose(x, n->path)) && lwm2m_tree_has(&x->before, to) &&
		    !same_under(&x->before, &x->d.tree, to))
			wrong(x, "%s was changed, and server %d's account links to it", lwm2m_path_str(to).s,
			    (int)whose(x, n->path));
	}
}

/* ---- rights ---- */

static size_t
count_about(const struct lwm2m_tree *t, struct lwm2m_path target)
{
	struct lwm2m_path rule;
	size_t n = 0;

	for (size_t at = 0; next_of(t, 2, &at, &rule);)
		n += number_at(t, lwm2m_path_child(rule, 0)) == target.id[0] &&
		    number_at(t, lwm2m_path_child(rule, 1)) == target.id[1];
	return n;
}

/* Core 1.1 section 8.2: a server's own entry, else all for the owner, else the default. */
static int64_t
rights(const struct lwm2m_tree *t, int64_t ssid, struct lwm2m_path target)
{
	struct lwm2m_path rule, inst;
	size_t servers = 0;
	int64_t r;

	for (size_t at = 0; next_of(t, 1, &at, &inst);)
		servers++;
	if (!find_rule(t, target.id[0], target.id[1], &rule))
		return servers <= 1 ? ALL_RIGHTS : NO_RULE;
	r = number_at(t, lwm2m_path4(2, rule.id[1], 2, (uint16_t)ssid));
	if (r >= 0)
		return r;
	if (number_at(t, lwm2m_path_child(rule, 3)) == ssid)
		return ALL_RIGHTS;
	r = number_at(t, lwm2m_path4(2, rule.id[1], 2, 0));
	return r < 0 ? 0 : r;
}

static bool
profile_names(const struct pair *x, struct lwm2m_path target)
{
	struct lwm2m_path want;

	for (size_t at = 0; next_of(&x->p.tree, 2, &at, &want);)
		if (number_at(&x->p.tree, lwm2m_path_child(want, 0)) == target.id[0] && target_iid(x, want) == target.id[1])
			return true;
	return false;
}

static void
check_rights_on(struct pair *x, struct lwm2m_path inst)
{
	for (int64_t who = 1; who <= 9; who++) {
		int64_t had = rights(&x->before, who, inst), has = rights(&x->d.tree, who, inst);

		if (is_kept(x, who) && count(&x->before, 1, has_ssid, &who) > 0 && had != NO_RULE && had != has)
			wrong(x, "server %d had rights %d on %s, and has %d", (int)who, (int)had, lwm2m_path_str(inst).s, (int)has);
	}
}

void
check_rights(struct pair *x)
{
	struct lwm2m_path inst;

	if (!x->d.discovers || !x->d.reads[2] || !x->d.has_acl || x->p.policy == PROFILE_REPLACE)
		return; /* who may do what, nobody can know */
	for (size_t at = 0; next(&x->before, &at, &inst);)
		if (inst.id[0] != 0 && inst.id[0] != 2 && inst.id[0] != 21 && lwm2m_tree_has(&x->d.tree, inst) &&
		    !profile_names(x, inst) && count_about(&x->before, inst) < 2)
			check_rights_on(x, inst);
}

/* ---- how many operations ---- */

/* What the client notes by itself. */
static bool
is_note(struct lwm2m_path p)
{
	return p.id[0] == 1 && p.depth == LWM2M_RESOURCE && p.id[2] == 12;
}

static bool
lacks(const struct lwm2m_tree *t, struct lwm2m_span of, bool *whole)
{
	bool some = false;

	for (size_t i = 0; i < of.n; i++) {
		struct lwm2m_path p = of.nodes[i].path;

		if (is_note(p) || lwm2m_tree_get(t, p) != NULL)
			continue;
		some = true;
		*whole = *whole || !lwm2m_tree_has(t, lwm2m_path_up(p, LWM2M_RESOURCE));
	}
	return some;
}

static bool
other_values(const struct lwm2m_tree *t, struct lwm2m_span of)
{
	for (size_t i = 0; i < of.n; i++) {
		const struct lwm2m_value *v = lwm2m_tree_get(t, of.nodes[i].path);

		if (!is_note(of.nodes[i].path) && v != NULL && !lwm2m_value_eq(v, &of.nodes[i].value))
			return true;
	}
	return false;
}

/* In place: nobody can take away a Resource, nor what he does not know of an account that was another's. */
static size_t
needed_for(const struct pair *x, struct lwm2m_path inst)
{
	struct lwm2m_span was = lwm2m_tree_under(&x->before, inst), is = lwm2m_tree_under(&x->d.tree, inst);
	int64_t ssid = number_at(&x->before, lwm2m_path_child(inst, 10));
	bool vanishes = false, appears = false;
	bool differs = lacks(&x->d.tree, was, &vanishes);

	differs = lacks(&x->before, is, &appears) || differs || other_values(&x->d.tree, was);
	if (!differs)
		return 0;
	if (inst.id[0] == 0 && count(&x->h.wrote->tree, 0, has_ssid, &ssid) == 0)
		return 2;
	return vanishes ? 2 : 1;
}

void
check_fewest(struct pair *x)
{
	struct lwm2m_path inst;
	size_t need = 0;

	if (!x->untouched || !x->d.discovers || !x->d.reads[1] || !x->d.reads[2] || !x->d.shows_uri || x->d.hidden != 0 ||
	    x->p.policy != PROFILE_INCREMENTAL)
		return;
	for (size_t at = 0; next(&x->before, &at, &inst);)
		need += lwm2m_tree_has(&x->d.tree, inst) ? needed_for(x, inst) : 1;
	for (size_t at = 0; next(&x->d.tree, &at, &inst);)
		need += !lwm2m_tree_has(&x->before, inst);
	if (x->plan.n_ops > need)
		wrong(x, "%zu operations where %zu do", x->plan.n_ops, need);
}
