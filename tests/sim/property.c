/*
 * Random devices times random profiles: what a plan does to a device gives what the profile wants,
 * does nothing to what is others', writes nothing that is right, and needs to be done only once.
 *
 * SEED repeats a run, SIM_PAIRS says how many pairs (20000). A failure names its pair: PAIR=N runs
 * that one alone.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/str.h"
#include "tests/sim/property.h"

#define HOUR_MS 3600000

static struct {
	unsigned pairs, conflicts, sessions, ops, quiet, foreign;
} tally;

void
wrong(struct pair *x, const char *fmt, ...)
{
	va_list ap;

	if (x->wrong[0] != 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(x->wrong, sizeof x->wrong, fmt, ap);
	va_end(ap);
}

static struct bs_planning
planning(struct pair *x)
{
	return (struct bs_planning){
		.desired = &x->p,
		.inv = &x->inv,
		.model = x->m,
		.history = &x->h,
	};
}

/* ---- what the test itself knows of the device ---- */

size_t
count(const struct lwm2m_tree *t, uint16_t oid, each_fn *is, void *arg)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(oid)), sub;
	struct lwm2m_path inst;
	size_t n = 0;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		n += is(t, inst, arg);
	return n;
}

bool
has_ssid(const struct lwm2m_tree *t, struct lwm2m_path inst, void *arg)
{
	return number_at(t, lwm2m_path_child(inst, inst.id[0] == 0 ? 10 : 0)) == *(int64_t *)arg;
}

static bool
retained(const struct pair *x)
{
	return x->p.n_retain > 0;
}

static bool
wanted(const struct pair *x, int64_t ssid)
{
	return count(&x->p.tree, 1, has_ssid, &ssid) > 0 || count(&x->p.tree, 0, has_ssid, &ssid) > 0;
}

/* Its server stands in the profile under another number: 103 for 3. */
static bool
has_moved(const struct pair *x, int64_t ssid)
{
	return ssid < 100 ? wanted(x, ssid + 100) : wanted(x, ssid - 100);
}

/* As far as a server can see it. */
static bool
is_dead(const struct pair *x, int64_t ssid)
{
	size_t sec = count(&x->before, 0, has_ssid, &ssid), srv = count(&x->before, 1, has_ssid, &ssid);
	struct lwm2m_span all = lwm2m_tree_under(&x->before, lwm2m_path1(1)), sub;
	struct lwm2m_path inst;
	bool first = true;

	if (x->d.discovers && (sec == 0 || srv == 0))
		return true;
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (has_ssid(&x->before, inst, &ssid) && first) {
			first = false;
			if (x->d.reads[1] && !(x->d.hidden >> 11 & 1) && number_at(&x->before, lwm2m_path_child(inst, 11)) > 0)
				return true;
		}
	return false;
}

/* Another's account, which must be left alone. */
bool
is_kept(const struct pair *x, int64_t ssid)
{
	if (ssid <= 0 || wanted(x, ssid) || has_moved(x, ssid) || x->p.policy == PROFILE_REPLACE ||
	    count(&x->before, 1, has_ssid, &ssid) + count(&x->before, 0, has_ssid, &ssid) == 0)
		return false;
	if (x->p.policy == PROFILE_INCREMENTAL && bs_history_wanted(&x->h, ssid))
		return false; /* we wrote it, so it goes with the profile */
	if (x->p.policy == PROFILE_MERGE || x->p.foreign == PROFILE_FOREIGN_KEEP)
		return true;
	return x->p.foreign == PROFILE_FOREIGN_REMOVE_INVALID && !is_dead(x, ssid);
}

bool
same_under(const struct lwm2m_tree *a, const struct lwm2m_tree *b, struct lwm2m_path p)
{
	struct lwm2m_span s = lwm2m_tree_under(a, p), t = lwm2m_tree_under(b, p);

	for (size_t i = 0; s.n == t.n && i < s.n; i++)
		if (!lwm2m_path_eq(&s.nodes[i].path, &t.nodes[i].path) ||
		    !lwm2m_value_eq(&s.nodes[i].value, &t.nodes[i].value))
			return false;
	return s.n == t.n;
}

/* Several accounts of one server that a device without uri cannot tell apart: any order is right. */
static bool
any_order(const struct pair *x, struct lwm2m_path p)
{
	int64_t ssid = number_at(&x->plan.tree, lwm2m_path3(0, p.id[1], 10));

	return p.id[0] == 0 && ssid > 0 && !x->d.shows_uri && count(&x->p.tree, 0, has_ssid, &ssid) > 1;
}

/* ---- after the plan was carried out ---- */

static void
check_plan_holds(struct pair *x)
{
	for (size_t i = 0; i < x->plan.tree.n; i++) {
		const struct lwm2m_node *n = &x->plan.tree.nodes[i];
		const struct lwm2m_value *has = lwm2m_tree_get(&x->d.tree, n->path);

		if (!any_order(x, n->path) && (has == NULL || !lwm2m_value_eq(has, &n->value)))
			wrong(x, "%s is not what the plan says", lwm2m_path_str(n->path).s);
	}
}

/* Whether the device's instance holds all values of the profile's; links lead to equal content. */
static bool
holds(const struct pair *x, struct lwm2m_path has, struct lwm2m_path want)
{
	struct lwm2m_span span = lwm2m_tree_under(&x->p.tree, want);

	for (size_t i = 0; i < span.n; i++) {
		const struct lwm2m_value *w = &span.nodes[i].value, *h;
		struct lwm2m_path p = span.nodes[i].path;

		p.id[1] = has.id[1];
		h = lwm2m_tree_get(&x->d.tree, p);
		if (h == NULL)
			return false;
		if (w->type == LWM2M_OBJLNK) {
			struct lwm2m_path to = lwm2m_path2(w->link.object, h->link.instance);

			if (h->type != LWM2M_OBJLNK || h->link.object != w->link.object ||
			    !holds(x, to, lwm2m_path2(w->link.object, w->link.instance)))
				return false;
		} else if (!lwm2m_value_eq(h, w))
			return false;
	}
	return true;
}

static size_t
count_holding(const struct pair *x, struct lwm2m_path want)
{
	struct lwm2m_span all = lwm2m_tree_under(&x->d.tree, lwm2m_path1(want.id[0])), sub;
	struct lwm2m_path inst;
	size_t n = 0;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		n += holds(x, inst, want);
	return n;
}

static void
check_accounts(struct pair *x)
{
	for (uint16_t oid = 0; oid <= 1; oid++) {
		struct lwm2m_span all = lwm2m_tree_under(&x->p.tree, lwm2m_path1(oid)), sub;
		struct lwm2m_path want;

		for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &want, &sub);) {
			int64_t ssid = number_at(&x->p.tree, lwm2m_path_child(want, oid == 0 ? 10 : 0));

			if (count_holding(x, want) == 0)
				wrong(x, "the profile's %s is nowhere on the device", lwm2m_path_str(want).s);
			if (x->p.policy == PROFILE_INCREMENTAL && x->d.discovers &&
			    count(&x->d.tree, oid, has_ssid, &ssid) != count(&x->p.tree, oid, has_ssid, &ssid))
				wrong(x, "/%u of server %d: too many of them", (unsigned)oid, (int)ssid);
		}
	}
}

/* The one rule about the same thing as the profile's. */
bool
find_rule(const struct lwm2m_tree *t, int64_t oid, int64_t iid, struct lwm2m_path *rule)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(2)), sub;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, rule, &sub);)
		if (number_at(t, lwm2m_path_child(*rule, 0)) == oid && number_at(t, lwm2m_path_child(*rule, 1)) == iid)
			return true;
	return false;
}

/* Where the profile's target is on the device. */
int64_t
target_iid(const struct pair *x, struct lwm2m_path want)
{
	int64_t oid = number_at(&x->p.tree, lwm2m_path_child(want, 0)),
		iid = number_at(&x->p.tree, lwm2m_path_child(want, 1)), ssid;
	struct lwm2m_span all = lwm2m_tree_under(&x->d.tree, lwm2m_path1(1)), sub;
	struct lwm2m_path inst;

	if (oid != 1)
		return iid;
	ssid = number_at(&x->p.tree, lwm2m_path3(1, (uint16_t)iid, 0));
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (has_ssid(&x->d.tree, inst, &ssid))
			return inst.id[1];
	return -1;
}

/* One rule of the profile: what it must have come to. */
static void
check_rule(struct pair *x, struct lwm2m_path want)
{
	int64_t oid = number_at(&x->p.tree, lwm2m_path_child(want, 0)), iid = target_iid(x, want);
	enum profile_acl_mode mode = profile_desired_acl_mode(&x->p, want.id[1]);
	struct lwm2m_path has, old;
	bool was = find_rule(&x->before, oid, iid, &old);
	struct lwm2m_span entries = lwm2m_tree_under(&x->p.tree, lwm2m_path_child(want, 2));

	if (!find_rule(&x->d.tree, oid, iid, &has)) {
		wrong(x, "the profile's %s is nowhere on the device", lwm2m_path_str(want).s);
		return;
	}
	if (was && mode == PROFILE_ACL_KEEP)
		return;
	if ((!was || mode == PROFILE_ACL_REPLACE) &&
	    lwm2m_tree_under(&x->d.tree, lwm2m_path_child(has, 2)).n != entries.n)
		wrong(x, "%s has more rights than the profile gives", lwm2m_path_str(has).s);
	for (size_t i = 0; i < entries.n; i++) {
		struct lwm2m_path p = lwm2m_path4(2, has.id[1], 2, entries.nodes[i].path.id[3]);

		if (number_at(&x->d.tree, p) != number_at(&x->p.tree, entries.nodes[i].path))
			wrong(x, "%s is not the right that the profile gives", lwm2m_path_str(p).s);
	}
	if ((!was || mode != PROFILE_ACL_MERGE) &&
	    number_at(&x->d.tree, lwm2m_path_child(has, 3)) != number_at(&x->p.tree, lwm2m_path_child(want, 3)))
		wrong(x, "%s is not owned as the profile says", lwm2m_path_str(has).s);
}

static void
check_rules(struct pair *x)
{
	struct lwm2m_span all = lwm2m_tree_under(&x->p.tree, lwm2m_path1(2)), sub;
	struct lwm2m_path want;

	if (!x->d.reads[2])
		return; /* which rules it has, nobody can know */
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &want, &sub);)
		check_rule(x, want);
}

/* ---- what is others' ---- */

static bool
rule_named(const struct pair *x, struct lwm2m_path rule, enum profile_acl_mode *mode)
{
	struct lwm2m_span all = lwm2m_tree_under(&x->p.tree, lwm2m_path1(2)), sub;
	int64_t oid = number_at(&x->before, lwm2m_path_child(rule, 0)),
		iid = number_at(&x->before, lwm2m_path_child(rule, 1));
	struct lwm2m_path want;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &want, &sub);)
		if (number_at(&x->p.tree, lwm2m_path_child(want, 0)) == oid && target_iid(x, want) == iid) {
			*mode = profile_desired_acl_mode(&x->p, want.id[1]);
			return true;
		}
	return false;
}

static int64_t
right_of(const struct lwm2m_tree *t, struct lwm2m_path rule, int64_t ssid)
{
	int64_t r = number_at(t, lwm2m_path4(2, rule.id[1], 2, (uint16_t)ssid));

	if (r < 0)
		r = number_at(t, lwm2m_path4(2, rule.id[1], 2, 0));
	return r < 0 ? 0 : r;
}

static void
check_foreign_rule(struct pair *x, struct lwm2m_path rule)
{
	int64_t owner = number_at(&x->before, lwm2m_path_child(rule, 3));
	enum profile_acl_mode mode;
	bool named = rule_named(x, rule, &mode);
	struct lwm2m_path first = rule;

	if (!named && is_kept(x, owner) && !same_under(&x->before, &x->d.tree, rule))
		wrong(x, "%s is owned by server %d and was changed", lwm2m_path_str(rule).s, (int)owner);
	(void)find_rule(&x->before, number_at(&x->before, lwm2m_path_child(rule, 0)),
	    number_at(&x->before, lwm2m_path_child(rule, 1)), &first);
	if (!named || mode != PROFILE_ACL_REFUSE || first.id[1] != rule.id[1])
		return; /* of two rules about one thing the second means nothing */
	if (is_kept(x, owner) && number_at(&x->d.tree, lwm2m_path_child(rule, 3)) != owner)
		wrong(x, "%s was owned by server %d", lwm2m_path_str(rule).s, (int)owner);
	for (int64_t who = 1; who <= 6; who++)
		if (is_kept(x, who) && right_of(&x->before, rule, who) != right_of(&x->d.tree, rule, who) &&
		    (number_at(&x->before, lwm2m_path4(2, rule.id[1], 2, (uint16_t)who)) >= 0 ||
			number_at(&x->d.tree, lwm2m_path4(2, rule.id[1], 2, (uint16_t)who)) < 0))
			wrong(x, "%s: the right of server %d was changed", lwm2m_path_str(rule).s, (int)who);
}

static void
check_foreign(struct pair *x)
{
	struct lwm2m_path inst;
	struct lwm2m_span sub;

	if (!x->d.discovers)
		return; /* who is there, nobody can know */
	for (uint16_t oid = 0; oid <= 1; oid++) {
		struct lwm2m_span all = lwm2m_tree_under(&x->before, lwm2m_path1(oid));

		for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
			int64_t ssid = number_at(&x->before, lwm2m_path_child(inst, oid == 0 ? 10 : 0));

			tally.foreign += is_kept(x, ssid);
			if (is_kept(x, ssid) && !same_under(&x->before, &x->d.tree, inst))
				wrong(x, "%s is server %d's and was changed", lwm2m_path_str(inst).s, (int)ssid);
		}
	}
	struct lwm2m_span rules = lwm2m_tree_under(&x->before, lwm2m_path1(2));
	for (size_t at = 0; x->d.reads[2] && lwm2m_span_next(&rules, LWM2M_INSTANCE, &at, &inst, &sub);)
		check_foreign_rule(x, inst);
	if (!same_under(&x->before, &x->d.tree, lwm2m_path2(0, x->d.account)) && x->p.account.n == 0)
		wrong(x, "the bootstrap account was changed");
}

static void
check_retained(struct pair *x)
{
	for (size_t i = 0; i < x->p.n_retain; i++)
		if (!same_under(&x->before, &x->d.tree, x->p.retain[i]) &&
		    !(x->p.retain[i].id[0] == 1 && x->d.now != 0))
			wrong(x, "%s is retained and was changed", lwm2m_path_str(x->p.retain[i]).s);
}

/* ---- telling ---- */

static bool telling; /* PAIR=N */

static void
tell_tree(const char *what, const struct lwm2m_tree *t)
{
	struct gbuf line = { 0 };

	for (size_t i = 0; telling && i < t->n; i++) {
		gbuf_printf(&line, " %s=", lwm2m_path_str(t->nodes[i].path).s);
		lwm2m_value_print(&line, &t->nodes[i].value);
	}
	if (telling)
		printf("# %s:%s\n", what, gbuf_cstr(&line));
	gbuf_clear(&line);
}

static void
tell_plan(const struct pair *x)
{
	tell_tree("device", &x->d.tree);
	tell_tree("profile", &x->p.tree);
	tell_tree("plan", &x->plan.tree);
	for (size_t i = 0; telling && i < x->p.n_acl; i++)
		printf("# /2/%u: mode %d\n", (unsigned)x->p.acl[i].instance, (int)x->p.acl[i].mode);
	for (size_t i = 0; telling && i < x->plan.n_ops; i++)
		printf("# %s %s\n", bs_method_name(x->plan.ops[i].method), lwm2m_path_str(x->plan.ops[i].path).s);
	if (telling)
		printf("# foreign %d discovers %d reads %d %d uri %d hidden %x\n", (int)x->p.foreign, x->d.discovers,
		    x->d.reads[1], x->d.reads[2], x->d.shows_uri, (unsigned)x->d.hidden);
}

/* ---- one session ---- */

static bool
any_alert(const struct pair *x)
{
	for (size_t i = 0; i < x->d.tree.n; i++)
		if (x->d.tree.nodes[i].path.id[0] == 1 && x->d.tree.nodes[i].path.id[2] == 11)
			return true;
	return false;
}

/* The profile says of that server what it said in our last good session. */
static bool
as_before(const struct pair *x, struct lwm2m_path p)
{
	int64_t ssid = number_at(&x->plan.tree, lwm2m_path3(p.id[0], p.id[1], p.id[0] == 0 ? 10 : 0));
	struct lwm2m_span all = lwm2m_tree_under(&x->p.tree, lwm2m_path1(p.id[0])), sub;
	struct lwm2m_path inst;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (has_ssid(&x->p.tree, inst, &ssid) && !same_under(&x->p.tree, &x->wanted, inst))
			return false;
	return true;
}

static void
carry_out(struct pair *x)
{
	for (size_t i = 0; i < x->plan.n_ops && x->wrong[0] == 0; i++) {
		const struct bs_op *op = &x->plan.ops[i];
		bool sure = x->untouched && op->method == BS_PUT && op->path.id[0] <= 1 && x->d.discovers &&
		    x->p.policy != PROFILE_REPLACE && !any_order(x, op->path) && as_before(x, op->path) &&
		    !(any_alert(x) && (x->p.policy == PROFILE_MERGE || retained(x))) &&
		    (i == 0 || x->plan.ops[i - 1].method != BS_DELETE);
		struct lwm2m_span span = lwm2m_tree_under(&x->plan.tree, op->path);
		bool differs = false;

		for (size_t k = 0; k < span.n; k++) {
			const struct lwm2m_value *v = lwm2m_tree_get(&x->d.tree, span.nodes[k].path);
			differs = differs || v == NULL || !lwm2m_value_eq(v, &span.nodes[k].value);
		}
		if (sure && !differs)
			wrong(x, "PUT %s writes what is right already", lwm2m_path_str(op->path).s);
		model_do(&x->d, op, &x->plan.tree);
		check_links(x, op);
		if (x->d.broken[0] != 0)
			wrong(x, "%s", x->d.broken);
		tally.ops++;
	}
}

/* What the store keeps of what was wanted. */
static struct profile_desired *
wrote(const struct profile_desired *p, struct bs_history *h)
{
	struct profile_desired *d = calloc(1, sizeof *d);
	struct lwm2m_span all = lwm2m_tree_under(&p->tree, lwm2m_path1(1)), sub;
	struct lwm2m_path inst;

	if (d == NULL || lwm2m_tree_copy(&d->tree, &p->tree, NULL) != ERR_OK ||
	    lwm2m_tree_copy(&d->account, &p->account, NULL) != ERR_OK)
		abort();
	h->wanted = calloc(8, sizeof *h->wanted);
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		h->wanted[h->n_wanted++] = (uint16_t)number_at(&p->tree, lwm2m_path_child(inst, 0));
	return d;
}

/* The session ended well: what the store would have of it. */
static void
remember(struct pair *x)
{
	struct gbuf placed = { 0 };

	bs_history_clear(&x->h);
	x->h.good_session = x->h.last_session = 1;
	x->h.last_verdict = BS_VERDICT_PROVISIONED;
	x->h.good_started_ms = x->d.now * 1000;
	x->h.good_ended_ms = x->h.last_ended_ms = x->d.now * 1000 + 1000;
	x->h.now_ms = x->h.good_ended_ms + 24LL * HOUR_MS;
	x->h.wrote = wrote(&x->p, &x->h);
	bs_placed_text(&x->plan, &placed);
	x->h.placed = str_dup_n(gbuf_cstr(&placed), placed.len);
	gbuf_clear(&placed);
	model_show(&x->d, x->m, &x->inv);
	if (bs_inventory_save(&x->inv, x->m, &x->h.held, NULL) != ERR_OK)
		abort();
	lwm2m_tree_clear(&x->wanted);
	if (lwm2m_tree_copy(&x->wanted, &x->p.tree, NULL) != ERR_OK)
		abort();
	x->untouched = true;
}

static void
check_quiet(struct pair *x)
{
	struct bs_planning in = planning(x);
	struct err e;

	if (!x->d.discovers || x->p.policy == PROFILE_REPLACE ||
	    (any_alert(x) && (x->p.policy == PROFILE_MERGE || retained(x))))
		return;
	bs_plan_clear(&x->plan);
	if (bs_plan_for(&in, &x->plan, &e) != ERR_OK)
		wrong(x, "once more: %s", e.msg);
	else if (x->plan.n_ops > 0)
		tell_plan(x), wrong(x, "once more: %s %s", bs_method_name(x->plan.ops[0].method),
		    lwm2m_path_str(x->plan.ops[0].path).s);
	tally.quiet++;
}

/* false: it did not come to one. */
static bool
session(struct pair *x)
{
	struct bs_planning in = planning(x);
	struct err e;
	enum err_code rc;

	model_show(&x->d, x->m, &x->inv);
	lwm2m_tree_clear(&x->before);
	if (lwm2m_tree_copy(&x->before, &x->d.tree, NULL) != ERR_OK)
		abort();
	bs_plan_clear(&x->plan);
	rc = bs_plan_for(&in, &x->plan, &e);
	if (rc == ERR_CONFLICT) {
		tally.conflicts++;
		return false;
	}
	if (rc != ERR_OK) {
		wrong(x, "no plan: %s", e.msg);
		return false;
	}
	tally.sessions++;
	tell_plan(x);
	carry_out(x);
	check_plan_holds(x);
	if (!retained(x)) {
		check_accounts(x);
		check_rules(x);
		check_foreign(x);
		check_rights(x);
		check_linked(x);
		check_fewest(x);
	}
	check_retained(x);
	remember(x);
	check_quiet(x);
	return x->wrong[0] == 0;
}

/* The server of one of our accounts rejects it: it is written again, whatever it looks like. */
static void
rejected(struct pair *x)
{
	struct lwm2m_path inst = lwm2m_path2(1, 0);
	struct lwm2m_span all = lwm2m_tree_under(&x->d.tree, lwm2m_path1(1)), sub;
	int64_t ssid = number_at(&x->p.tree, lwm2m_path3(1, 0, 0));
	struct bs_planning in = planning(x);
	bool again = false;

	if (!x->d.reads[1] || (x->d.hidden >> 11 & 1) || retained(x) || x->p.policy == PROFILE_REPLACE)
		return;
	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (has_ssid(&x->d.tree, inst, &ssid))
			break;
	put_number(&x->d.tree, lwm2m_path_child(inst, 11), 42);
	model_show(&x->d, x->m, &x->inv);
	bs_plan_clear(&x->plan);
	if (bs_plan_for(&in, &x->plan, NULL) != ERR_OK)
		wrong(x, "no plan for a rejected account");
	for (size_t i = 0; i < x->plan.n_ops; i++)
		again = again || (x->plan.ops[i].method == BS_PUT && x->plan.ops[i].path.id[0] == 0 &&
		    has_ssid(&x->plan.tree, lwm2m_path_up(x->plan.ops[i].path, LWM2M_INSTANCE), &ssid));
	if (!again)
		wrong(x, "server %d rejected its account, and it is not written again", (int)ssid);
	x->untouched = false;
}

static void
run_pair(struct pair *x)
{
	uint64_t s = x->seed;

	make_device(&s, &x->d);
	make_profile(&s, &x->p);
	if (session(x)) {
		bool same = chance(&s, 20);

		if (chance(&s, 15))
			rejected(x);
		if (!same)
			change_profile(&s, &x->p);
		(void)session(x);
	}
	tally.pairs++;
}

static void
clear_pair(struct pair *x)
{
	model_clear(&x->d);
	lwm2m_tree_clear(&x->before);
	lwm2m_tree_clear(&x->wanted);
	profile_desired_clear(&x->p);
	bs_history_clear(&x->h);
	bs_inventory_clear(&x->inv);
	bs_plan_clear(&x->plan);
}

static uint64_t
from_env(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);

	return v == NULL || *v == 0 ? otherwise : strtoull(v, NULL, 0);
}

int
main(void)
{
	uint64_t seed = from_env("SEED", (uint64_t)time(NULL)), pairs = from_env("SIM_PAIRS", 20000);
	uint64_t only = from_env("PAIR", UINT64_MAX);
	unsigned bad = 0;

	telling = only != UINT64_MAX;
	printf("# SEED=%" PRIu64 ", %" PRIu64 " pairs\n", seed, pairs);
	for (uint64_t i = 0; i < pairs && bad < 5; i++) {
		struct pair x = { .seed = seed * 1000003 + i, .m = lwm2m_model_builtin() };

		if (only != UINT64_MAX && i != only)
			continue;
		x.inv.account = BS_UNKNOWN_INSTANCE;
		run_pair(&x);
		if (x.wrong[0] != 0) {
			printf("# SEED=%" PRIu64 " PAIR=%" PRIu64 ": policy %s, %s: %s\n", seed, i,
			    profile_policy_name(x.p.policy), x.d.merges ? "merging" : "replacing", x.wrong);
			bad++;
		}
		clear_pair(&x);
	}
	printf("# %u pairs, %u sessions, %u conflicts, %u operations, %u quiet returns, %u foreign instances\n", tally.pairs,
	    tally.sessions, tally.conflicts, tally.ops, tally.quiet, tally.foreign);
	printf("%sok 1 - what a plan does is what the profile wants, once, and nothing else\n1..1\n", bad ? "not " : "");
	return bad ? 1 : 0;
}
