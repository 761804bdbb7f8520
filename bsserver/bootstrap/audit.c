#include "bsserver/bootstrap/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bsserver/bootstrap/facts.h"

struct auditor {
	const struct bs_planning *in;
	const struct bs_plan *p;
	const struct bs_inventory *inv;
	struct bs_facts facts;
	struct bs_findings *out;
};

/* ---- telling ---- */

static bool
touches(const struct bs_op *op, struct lwm2m_path p)
{
	return lwm2m_path_under(&op->path, &p) || lwm2m_path_under(&p, &op->path);
}

/* What the plan does at a path; otherwise: what it is called when it does nothing. */
static enum bs_remedy
remedy_at(const struct auditor *a, struct lwm2m_path p, enum bs_remedy otherwise)
{
	bool put = false, del = false;

	for (size_t i = 0; a->p != NULL && i < a->p->n_ops; i++)
		if (touches(&a->p->ops[i], p)) {
			put = put || a->p->ops[i].method == BS_PUT;
			del = del || a->p->ops[i].method == BS_DELETE;
		}
	if (put)
		return bs_inventory_has(a->inv, lwm2m_path_up(p, LWM2M_INSTANCE)) ? BS_REMEDY_REWRITE : BS_REMEDY_ADD;
	return del ? BS_REMEDY_REMOVE : otherwise;
}

static void PRINTF_LIKE(5, 6)
tell(struct auditor *a, enum bs_finding_kind kind, enum bs_remedy remedy, const char *paths, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	bs_findings_add(a->out, kind, remedy, paths, text);
}

/* "/0/1 /1/0": what there is of an account. */
struct account_str {
	char s[2 * LWM2M_PATH_LEN + 2];
};

static struct account_str
account_str(const struct bs_account *acc)
{
	struct account_str out;

	(void)snprintf(out.s, sizeof out.s, "%s%s%s", acc->n_security > 0 ? lwm2m_path_str(acc->security).s : "",
	    acc->n_security > 0 && acc->n_server > 0 ? " " : "",
	    acc->n_server > 0 ? lwm2m_path_str(acc->server).s : "");
	return out;
}

static enum bs_remedy
account_remedy(const struct auditor *a, const struct bs_account *acc)
{
	enum bs_remedy otherwise = a->p == NULL ? BS_REMEDY_NONE : BS_REMEDY_KEEP, r = otherwise;

	if (acc->n_security > 0)
		r = remedy_at(a, acc->security, otherwise);
	return r == otherwise && acc->n_server > 0 ? remedy_at(a, acc->server, otherwise) : r;
}

/* ---- what cannot be known ---- */

static void
find_unknown(struct auditor *a)
{
	static const uint16_t readable[] = { LWM2M_SERVER, LWM2M_ACCESS_CONTROL };

	if (!a->inv->discovered)
		tell(a, BS_FIND_NOT_KNOWN, BS_REMEDY_NONE, "/", "Discover is not served: which instances there are is not known");
	for (size_t i = 0; i < N_ELEMS(readable); i++)
		if (a->inv->discovered && !a->inv->read[readable[i]] && bs_inventory_count(a->inv, readable[i]) > 0)
			tell(a, BS_FIND_NOT_KNOWN, BS_REMEDY_NONE, lwm2m_path_str(lwm2m_path1(readable[i])).s,
			    "Read of /%u is not served: what its instances hold is not known", (unsigned)readable[i]);
}

/* ---- accounts ---- */

/* TLS alerts about keys and certificates (RFC 5246 section 7.2, RFC 8446 section 6). */
static bool
is_about_credentials(int64_t alert)
{
	static const uint8_t codes[] = { 20, 40, 42, 43, 44, 45, 46, 48, 49, 51, 115, 116 };

	for (size_t i = 0; i < N_ELEMS(codes); i++)
		if (codes[i] == alert)
			return true;
	return false;
}

static void
find_alert(struct auditor *a, const struct bs_account *acc)
{
	enum bs_remedy r = account_remedy(a, acc);

	if (acc->alert == 0)
		return;
	tell(a, BS_FIND_TLS_ALERT, r, lwm2m_path_str(lwm2m_path_child(acc->server, 11)).s,
	    "server %u: the device kept TLS alert %d", (unsigned)acc->ssid, (int)acc->alert);
	if (is_about_credentials(acc->alert))
		tell(a, BS_FIND_CREDENTIAL_REJECTED, r, account_str(acc).s,
		    "server %u: alert %d is about a key or a certificate", (unsigned)acc->ssid, (int)acc->alert);
}

static void
find_foreign(struct auditor *a, const struct bs_account *acc)
{
	bool for_ever = bs_account_dead(acc) && acc->n_server > 0 && acc->sends_back;

	if (acc->now != 0)
		return;
	if (acc->ours) {
		tell(a, BS_FIND_FOREIGN_ACCOUNT, account_remedy(a, acc), account_str(acc).s,
		    "server %u was written by an earlier session and is not in the profile any more", (unsigned)acc->ssid);
		return;
	}
	tell(a, for_ever ? BS_FIND_DEAD_FOREIGN_ACCOUNT : BS_FIND_FOREIGN_ACCOUNT, account_remedy(a, acc),
	    account_str(acc).s, for_ever ? "server %u is not in the profile, does not work, and sends the device back" :
					   "server %u is not in the profile", (unsigned)acc->ssid);
}

/* Several /0 instances of one server are legal on several transports: those that the plan keeps. */
static void
find_twice(struct auditor *a, const struct bs_account *acc)
{
	struct bs_known k;
	char paths[160] = "";
	size_t len = 0;

	for (uint16_t oid = LWM2M_SECURITY; oid <= (uint16_t)LWM2M_SERVER; oid++)
		for (size_t at = 0; bs_inventory_known(a->inv, oid, &at, &k);) {
			bool goes = remedy_at(a, k.path, BS_REMEDY_NONE) == BS_REMEDY_REMOVE;

			if (k.ssid != acc->ssid || (oid == LWM2M_SECURITY && !(goes && acc->now != 0)) ||
			    (oid == LWM2M_SERVER && acc->n_server < 2) || len + LWM2M_PATH_LEN + 2 > sizeof paths)
				continue;
			len += (size_t)snprintf(paths + len, sizeof paths - len, "%s%s", len > 0 ? " " : "",
			    lwm2m_path_str(k.path).s);
		}
	if (len > 0)
		tell(a, BS_FIND_SSID_TWICE, acc->now != 0 ? BS_REMEDY_REMOVE : account_remedy(a, acc), paths,
		    "server %u has more instances than it can have", (unsigned)acc->ssid);
}

static void
find_in_account(struct auditor *a, const struct bs_account *acc)
{
	if (acc->half)
		tell(a, BS_FIND_HALF_ACCOUNT, acc->now != 0 && a->p != NULL ? BS_REMEDY_ADD : account_remedy(a, acc),
		    account_str(acc).s, "server %u has a %s instance and no %s instance", (unsigned)acc->ssid,
		    acc->n_security > 0 ? "Security" : "Server", acc->n_security > 0 ? "Server" : "Security");
	find_twice(a, acc);
	find_foreign(a, acc);
	find_alert(a, acc);
	if (acc->expired && acc->now != 0)
		tell(a, BS_FIND_CERTIFICATE_EXPIRED, account_remedy(a, acc), account_str(acc).s,
		    "server %u: a certificate that was written for it has expired", (unsigned)acc->ssid);
}

/* ---- what happened since ---- */

static void
find_lost(struct auditor *a)
{
	struct bs_history *h = a->in->history;
	const struct lwm2m_link_entry *l;
	uint16_t last = 0;

	if (!a->inv->discovered || h == NULL || h->good_session == 0)
		return;
	const struct bs_inventory *left = bs_history_listed(h);
	for (size_t at = 0; (l = bs_inventory_next(left, LWM2M_SECURITY, &at)) != NULL;) {
		if (l->ssid == 0 || l->ssid == last || !bs_is_wanted(a->in->desired, l->ssid) ||
		    bs_facts_account(&a->facts, l->ssid) != NULL)
			continue;
		last = l->ssid;
		tell(a, BS_FIND_ACCOUNT_LOST, a->p == NULL ? BS_REMEDY_NONE : BS_REMEDY_ADD,
		    lwm2m_path_str(l->path).s, "server %u was written there, and is gone", (unsigned)l->ssid);
	}
}

static bool
any_alert(const struct auditor *a)
{
	for (size_t i = 0; i < a->facts.n; i++)
		if (a->facts.v[i].now != 0 && a->facts.v[i].alert != 0)
			return true;
	return false;
}

static void
find_return(struct auditor *a)
{
	const struct bs_history *h = a->in->history;
	enum bs_remedy r = a->p != NULL && a->p->n_ops > 0 ? BS_REMEDY_REWRITE : BS_REMEDY_NONE;

	if (a->facts.early)
		tell(a, BS_FIND_EARLY_RETURN, r, "", "back %lld s after it was provisioned, %u good sessions in 24 h",
		    (long long)((h->now_ms - h->good_ended_ms) / 1000), h->recent_returns);
	if (a->facts.broke_off)
		tell(a, BS_FIND_AFTER_FAILURE, r, "", "the session before this one ended as %s (%s)",
		    bs_verdict_name(h->last_verdict), bs_reason_name(h->last_reason));
	if (a->facts.elsewhere)
		tell(a, BS_FIND_ELSEWHERE, r, "", "Last Bootstrapped is later than our own last session");
	for (size_t i = 0; a->facts.early && !any_alert(a) && i < a->facts.n; i++)
		if (a->facts.v[i].now != 0 && a->facts.v[i].n_security > 0)
			tell(a, BS_FIND_SERVER_UNREACHABLE, account_remedy(a, &a->facts.v[i]),
			    lwm2m_path_str(a->facts.v[i].security).s, "server %u may not be reachable at its address",
			    (unsigned)a->facts.v[i].ssid);
}

/* A value of /1 that our last session left otherwise. */
static void
find_drift(struct auditor *a)
{
	struct bs_history *h = a->in->history;

	if (a->inv->seen.n == 0 || h == NULL || h->good_session == 0)
		return;
	const struct bs_inventory *left = bs_history_left(h, a->in->model);
	struct lwm2m_span was = lwm2m_tree_under(&left->seen, lwm2m_path1(LWM2M_SERVER));
	for (size_t i = 0; i < was.n; i++) {
		const struct lwm2m_node *n = &was.nodes[i];
		const struct lwm2m_value *is = lwm2m_tree_get(&a->inv->seen, n->path);

		if (is == NULL || n->path.id[2] == 11 || n->path.id[2] == 12 || lwm2m_value_eq(is, &n->value) ||
		    bs_ssid_in(&left->seen, lwm2m_path_up(n->path, 2)) != bs_ssid_in(&a->inv->seen, lwm2m_path_up(n->path, 2)))
			continue;
		tell(a, BS_FIND_DRIFT, remedy_at(a, n->path, BS_REMEDY_NONE), lwm2m_path_str(n->path).s,
		    "another value than our last session left");
	}
}

/* ---- access control ---- */

static bool
target_in(const struct lwm2m_tree *t, struct lwm2m_path inst, struct lwm2m_path *out)
{
	const struct lwm2m_value *o = lwm2m_tree_get(t, lwm2m_path_child(inst, 0)),
				 *i = lwm2m_tree_get(t, lwm2m_path_child(inst, 1));
	int64_t oid, iid;

	if (o == NULL || i == NULL || !lwm2m_value_number(o, &oid) || !lwm2m_value_number(i, &iid) || oid < 0 ||
	    oid > LWM2M_ID_MAX || iid < 0 || iid > LWM2M_MAX_ID)
		return false;
	*out = iid == LWM2M_MAX_ID ? lwm2m_path1((uint16_t)oid) : lwm2m_path2((uint16_t)oid, (uint16_t)iid);
	return true;
}

/* The instance of /2 that is about p, before end in order; false: none. */
static bool
rule_for(const struct lwm2m_tree *t, struct lwm2m_path p, uint32_t end, struct lwm2m_path *rule)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path target;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, rule, &sub) && rule->id[1] < end;)
		if (target_in(t, *rule, &target) && lwm2m_path_eq(&target, &p))
			return true;
	return false;
}

static int64_t
rights_at(const struct lwm2m_tree *t, struct lwm2m_path rule, uint16_t ssid)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, lwm2m_path_child(lwm2m_path_child(rule, 2), ssid));
	int64_t rights = 0;

	if (v != NULL)
		(void)lwm2m_value_number(v, &rights);
	return rights;
}

static void
find_in_acl(struct auditor *a, struct lwm2m_path rule)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&a->inv->seen, lwm2m_path_child(rule, 3));
	enum bs_remedy r = remedy_at(a, rule, BS_REMEDY_NONE);
	struct lwm2m_path target, first;
	int64_t owner = LWM2M_MAX_ID;

	if (v != NULL)
		(void)lwm2m_value_number(v, &owner);
	if (owner != LWM2M_MAX_ID && owner > 0 && owner < LWM2M_MAX_ID &&
	    bs_inventory_complete(a->inv, LWM2M_SERVER) && bs_facts_account(&a->facts, (uint16_t)owner) == NULL)
		tell(a, BS_FIND_ACL_OWNER, r, lwm2m_path_str(rule).s, "owned by server %u, which has no account",
		    (unsigned)owner);
	if (!target_in(&a->inv->seen, rule, &target))
		return;
	if (a->inv->discovered && target.depth == LWM2M_INSTANCE && !bs_inventory_has(a->inv, target))
		tell(a, BS_FIND_ACL_TARGET, r, lwm2m_path_str(rule).s, "about %s, which does not exist",
		    lwm2m_path_str(target).s);
	if (rule_for(&a->inv->seen, target, rule.id[1], &first))
		tell(a, BS_FIND_ACL_TWICE, r, lwm2m_path_str(rule).s, "about %s, as %s is", lwm2m_path_str(target).s,
		    lwm2m_path_str(first).s);
}

static size_t
count_servers(const struct auditor *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->facts.n; i++)
		n += a->facts.v[i].n_server > 0;
	return n;
}

static void
find_uncovered(struct auditor *a)
{
	if (count_servers(a) < 2 || !a->inv->read[LWM2M_ACCESS_CONTROL])
		return;
	for (size_t i = 0; i < a->inv->links.n; i++) {
		struct lwm2m_path p = a->inv->links.v[i].path, rule;

		if (p.depth != LWM2M_INSTANCE || p.id[0] == LWM2M_SECURITY || p.id[0] == LWM2M_ACCESS_CONTROL ||
		    p.id[0] == LWM2M_OSCORE || rule_for(&a->inv->seen, p, UINT32_MAX, &rule))
			continue;
		tell(a, BS_FIND_NO_ACL,
		    a->p != NULL && rule_for(&a->p->tree, p, UINT32_MAX, &rule) ? BS_REMEDY_ADD : BS_REMEDY_NONE,
		    lwm2m_path_str(p).s, "several servers, and no rule says who may do what with it");
	}
}

/* Rights to create in t that u does not have. */
static void
compare_create(struct auditor *a, const struct lwm2m_tree *t, const struct lwm2m_tree *u, enum bs_finding_kind kind)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(LWM2M_ACCESS_CONTROL));
	struct lwm2m_path rule, target, other;

	for (size_t i = 0; i < all.n; i++) {
		struct lwm2m_path p = all.nodes[i].path;
		int64_t rights;

		rule = lwm2m_path_up(p, LWM2M_INSTANCE);
		if (p.depth != LWM2M_RES_INSTANCE || !lwm2m_value_number(&all.nodes[i].value, &rights) || !(rights & 16) ||
		    !target_in(t, rule, &target) || target.depth != LWM2M_OBJECT)
			continue;
		if (rule_for(u, target, UINT32_MAX, &other) && (rights_at(u, other, p.id[3]) & 16))
			continue;
		tell(a, kind, remedy_at(a, rule, BS_REMEDY_NONE), lwm2m_path_str(rule).s,
		    "%s: server %u", lwm2m_path_str(target).s, (unsigned)p.id[3]);
	}
}

static void
find_in_acls(struct auditor *a)
{
	struct lwm2m_span all = lwm2m_tree_under(&a->inv->seen, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path rule;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &rule, &sub);)
		find_in_acl(a, rule);
	find_uncovered(a);
	if (a->p == NULL || !a->inv->read[LWM2M_ACCESS_CONTROL] || a->facts.n == 0)
		return;
	compare_create(a, &a->p->tree, &a->inv->seen, BS_FIND_CREATE_MISSING);
	compare_create(a, &a->inv->seen, &a->p->tree, BS_FIND_CREATE_LEFT_OVER);
}

void
bs_audit(const struct bs_planning *in, const struct bs_plan *p, struct bs_findings *out)
{
	struct auditor a = { .in = in, .p = p, .inv = in->inv, .out = out };

	if (bs_facts_find(in, &a.facts, NULL) != ERR_OK) {
		bs_facts_clear(&a.facts);
		out->dropped++;
		return;
	}
	find_unknown(&a);
	find_return(&a);
	for (size_t i = 0; i < a.facts.n; i++)
		find_in_account(&a, &a.facts.v[i]);
	find_lost(&a);
	find_drift(&a);
	find_in_acls(&a);
	bs_facts_clear(&a.facts);
}
