#include "bsserver/bootstrap/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/plan_internal.h"

void
bs_plan_clear(struct bs_plan *p)
{
	lwm2m_tree_clear(&p->tree);
	free(p->ops);
	free(p->exact);
	free(p->placed);
	*p = (struct bs_plan){ 0 };
}

enum err_code
plan_add_op(struct planner *pl, enum bs_method method, struct lwm2m_path path, bool listed)
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

bool
plan_is_multiple(const struct planner *pl, uint16_t oid)
{
	const struct lwm2m_obj_def *o = lwm2m_model_object(pl->m, oid);

	return o == NULL || o->multiple;
}

bool
plan_number(const struct lwm2m_tree *t, struct lwm2m_path p, int64_t *out)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, p);

	return v != NULL && lwm2m_value_number(v, out);
}

const struct profile_desired *
plan_wrote(const struct planner *pl)
{
	const struct bs_history *h = pl->in->history;

	if (h == NULL || h->good_session == 0)
		return NULL;
	return h->wrote == NULL && h->wrote_same ? pl->d : h->wrote;
}

bool
plan_is_careful(const struct planner *pl)
{
	return pl->d->policy != PROFILE_REPLACE;
}

/* ---- what to delete (policy replace) ---- */

static enum err_code
delete_each(struct planner *pl, uint16_t oid)
{
	const struct lwm2m_link_entry *l;
	enum err_code rc = ERR_OK;

	for (size_t at = 0; rc == ERR_OK && (l = bs_inventory_next(pl->inv, oid, &at)) != NULL;)
		if (!bs_is_retained(pl->d, l->path) && !bs_holds_retained(pl->d, l->path) && !plan_is_kept(pl, l->path))
			rc = plan_add_op(pl, BS_DELETE, l->path, true);
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

/*
 * Something below the object is retained and it is not known what else is there: only what is about to
 * be written goes first, so that a client that merges keeps no resource of before, nor a link with it.
 */
static enum err_code
delete_what_is_written(struct planner *pl, uint16_t oid)
{
	struct lwm2m_span all = lwm2m_tree_under(&pl->p->tree, lwm2m_path1(oid)), sub;
	struct lwm2m_path inst;
	enum err_code rc = ERR_OK;

	for (size_t at = 0; rc == ERR_OK && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (!bs_is_retained(pl->d, inst) && !bs_holds_retained(pl->d, inst))
			rc = plan_add_op(pl, BS_DELETE, inst, false);
	return rc;
}

static enum err_code
delete_object(struct planner *pl, uint16_t oid)
{
	struct lwm2m_path p = lwm2m_path1(oid);
	enum err_code rc;

	if (!plan_is_multiple(pl, oid) || bs_is_retained(pl->d, p))
		return ERR_OK; /* single instances (/3, /10, /13) are only written */
	rc = note_exact(pl, oid);
	if (rc != ERR_OK)
		return rc;
	if (!pl->inv->discovered)
		return bs_holds_retained(pl->d, p) ? delete_what_is_written(pl, oid) :
						     plan_add_op(pl, BS_DELETE, p, false);
	if (bs_holds_retained(pl->d, p) || (oid == LWM2M_SECURITY && pl->d->n_kept > 0))
		return delete_each(pl, oid);
	return bs_inventory_count(pl->inv, oid) > 0 ? plan_add_op(pl, BS_DELETE, p, true) : ERR_OK;
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
	if (d->policy == PROFILE_REPLACE)
		return false;
	return inv->discovered ? bs_inventory_count(inv, oid) > 0 : lwm2m_tree_has(&d->tree, lwm2m_path1(oid));
}

/*
 * A device without a clock judges certificates by the time that it is given: that comes first. It is
 * never a reason to write by itself.
 */
static enum err_code
plan_time(struct planner *pl)
{
	struct lwm2m_path at = lwm2m_path3(LWM2M_DEVICE, 0, 13);

	if (!pl->d->set_time || pl->p->n_ops == 0 || bs_is_retained(pl->d, at))
		return ERR_OK;
	struct bs_op ops[2] = { { .method = BS_PUT, .path = at, .clock = true }, pl->p->ops[0] };
	return bs_plan_replace_op(pl->p, 0, ops, N_ELEMS(ops), pl->e);
}

static enum err_code
make(struct planner *pl)
{
	enum err_code rc = bs_facts_find(pl->in, &pl->facts, pl->e);

	if (rc == ERR_OK)
		rc = plan_map_tree(pl);
	if (rc == ERR_OK)
		rc = plan_acls(pl);
	if (rc == ERR_OK)
		rc = plan_deletes(pl);
	if (rc == ERR_OK)
		rc = plan_writes(pl);
	if (rc == ERR_OK)
		rc = plan_stale_acls(pl);
	if (rc == ERR_OK)
		rc = plan_stale_accounts(pl);
	if (rc == ERR_OK)
		rc = plan_stale_placed(pl);
	if (rc == ERR_OK)
		rc = plan_account(pl);
	return rc == ERR_OK ? plan_time(pl) : rc;
}

enum err_code
bs_plan_for(const struct bs_planning *in, struct bs_plan *p, struct err *e)
{
	struct planner pl = {
		.in = in,
		.d = in->desired,
		.inv = in->inv,
		.m = in->model,
		.p = p,
		.e = e,
	};
	enum err_code rc;

	rc = make(&pl);
	if (rc == ERR_OK)
		remark_on_choice(&pl);
	else
		bs_plan_clear(p);
	bs_facts_clear(&pl.facts);
	return rc;
}

enum err_code
bs_plan_make(const struct profile_desired *d, const struct bs_inventory *inv, const struct lwm2m_model *m,
    struct bs_plan *p, struct err *e)
{
	struct bs_planning in = { .desired = d, .inv = inv, .model = m };

	return bs_plan_for(&in, p, e);
}
