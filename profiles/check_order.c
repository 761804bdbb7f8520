/* Whether order, waits and retries of the registrations make sense together. */
#include <inttypes.h>

#include "profiles/lower.h"
#include "profiles/timeline.h"

#define ANJAY_HOLD_OFF_S 20

static const struct pnode *
place(const struct lower *l, struct lwm2m_path p)
{
	const struct pnode *n = lower_place(l, p);

	return n != NULL ? n : l->doc->root;
}

static bool
is_true(const struct lower *l, struct lwm2m_path inst, uint16_t rid)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&l->d.tree, lwm2m_path_child(inst, rid));

	return v != NULL && v->type == LWM2M_BOOLEAN && v->b;
}

static void
check_server(struct lower *l, const struct timeline_server *s)
{
	struct lwm2m_path block = lwm2m_path_child(s->inst, 15), back = lwm2m_path_child(s->inst, 16);

	if (s->ordered && is_true(l, s->inst, 16) && !is_true(l, s->inst, 15))
		finding_add(l->f, RULE_ORDER, place(l, back), "true without registration_failure_block");
	else if (s->ordered && s->then == TIMELINE_BOOTSTRAPS && !is_true(l, s->inst, 15) && !lower_partial(l))
		finding_add(l->f, RULE_ORDER, place(l, lwm2m_path_child(s->inst, 13)),
		    "without bootstrap_on_registration_failure: false, which is true when absent, or registration_failure_block");
	if (!s->ordered && is_true(l, s->inst, 15) && !lower_partial(l))
		finding_add(l->f, RULE_NO_ORDER, place(l, block), "without registration_priority_order nobody waits for it");
}

/* bootstrap_account stands at /0/0 of a tree of its own: its members are found by name. */
static const struct pnode *
account_member(const struct lower *l, const char *name)
{
	const struct pnode *a = pnode_get(l->doc->root, "bootstrap_account");
	const struct pnode *n = a == NULL || a->type != PN_OBJECT ? NULL : lower_get(a, SEC_ACCOUNT, name);

	return n != NULL ? n : l->doc->root;
}

static void
check_account(struct lower *l, const struct timeline *t)
{
	if (t->hold_off_s > ANJAY_HOLD_OFF_S)
		finding_add(l->f, RULE_HOLD_OFF, account_member(l, "client_hold_off_time"),
		    "%" PRId64 " s, of which Anjay waits %d", t->hold_off_s, ANJAY_HOLD_OFF_S);
	if (t->forgets_s > 0 && t->worst_s > t->forgets_s && !lower_partial(l))
		finding_add(l->f, RULE_NO_FALL_BACK, account_member(l, "bootstrap_server_account_timeout"),
		    "forgotten after %" PRId64 " s, and a server may be given up only after %" PRId64 " s", t->forgets_s,
		    t->worst_s);
}

void
check_order(struct lower *l)
{
	struct timeline t;

	timeline_make(&l->d, &t);
	for (size_t i = 0; i < t.n; i++)
		check_server(l, &t.v[i]);
	check_account(l, &t);
}
