/*
 * The oracle's mind about devices that come back (policy incremental). What cannot be read is taken for
 * right when our last session wrote it, the device still lists it, and nothing that it shows says
 * otherwise: its server rejected the key since (1/x/11), or another server bootstrapped it (1/x/12).
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/explore.h"

#define OURS 101 /* the Short Server ID of the account that was left in /0/1 and /1/0 */
static const struct lwm2m_path left_security = { .id = { 0, 1 }, .depth = LWM2M_INSTANCE };
static const struct lwm2m_path left_server = { .id = { 1, 0 }, .depth = LWM2M_INSTANCE };

static bool
is_listed(const struct ghost *g, struct lwm2m_path inst)
{
	for (size_t i = 0; i < g->n_list; i++)
		if (lwm2m_path_eq(&g->list[i].path, &inst))
			return g->list[i].ssid == OURS;
	return false;
}

/* The profile's first account, in the place where it was left. */
static void
believe(struct ghost *g, const struct profile_desired *d, struct lwm2m_path inst)
{
	struct lwm2m_span first = lwm2m_tree_under(&d->tree, lwm2m_path2(inst.id[0], 0));

	for (size_t i = 0; i < first.n; i++) {
		struct lwm2m_path p = first.nodes[i].path;
		struct lwm2m_value v;

		p.id[1] = inst.id[1];
		if (lwm2m_value_copy(&v, &first.nodes[i].value, NULL) != ERR_OK ||
		    lwm2m_tree_put(&g->held, p, &v, NULL) != ERR_OK)
			abort();
	}
}

void
return_listed(struct run *r, const struct profile_desired *d)
{
	struct ghost *g = &r->g;

	if (!r->plan->returns || g->inconsistent)
		return;
	if (is_listed(g, left_security))
		believe(g, d, left_security);
	if (is_listed(g, left_server))
		believe(g, d, left_server);
	g->right_list = true; /* if there is nothing to write, this list is what Finish stands on */
}

static bool
says(const struct lwm2m_tree *t, uint16_t rid)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, lwm2m_path_child(left_server, rid));
	int64_t n = 0;

	return v != NULL && lwm2m_value_number(v, &n) && n != 0;
}

void
return_read(struct run *r)
{
	if (r->plan->returns && !r->g.inconsistent && (says(&r->body, 11) || says(&r->body, 12)))
		(void)lwm2m_tree_remove(&r->g.held, left_security);
}

static bool
is_held(const struct ghost *g, const struct lwm2m_tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct lwm2m_value *is = lwm2m_tree_get(&g->held, t->nodes[i].path);

		if (is == NULL || !lwm2m_value_eq(is, &t->nodes[i].value))
			return false;
	}
	return t->n > 0;
}

bool
return_is_needless(const struct run *r, const struct profile_desired *d, const struct bs_send *s)
{
	struct ghost then = { .account = BS_UNKNOWN_INSTANCE };
	bool needless;

	if (!r->plan->returns || r->g.inconsistent || s->finish || s->method == BS_GET)
		return false;
	if (s->method == BS_PUT)
		return is_held(&r->g, &r->g.offered);
	if (!lwm2m_path_eq(&s->path, &left_security) && !lwm2m_path_eq(&s->path, &left_server))
		return false;
	believe(&then, d, s->path);
	needless = is_held(&r->g, &then.held) && !says(&r->g.held, 11);
	lwm2m_tree_clear(&then.held);
	return needless;
}
