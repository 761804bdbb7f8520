#include "bsserver/ports/restore.h"

#include <inttypes.h>

#include "lib/base/clock.h"

/*
 * Resources of Object 0 that are credentials: identity, server's key, secret key; and what says how
 * the server's key is to be taken: Matching Type, Certificate Usage.
 */
static const uint16_t key_rids[] = { 3, 4, 5, 13, 15 };
#define NOSEC 3

static bool
number_at(const struct lwm2m_tree *t, struct lwm2m_path p, int64_t *out)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, p);

	return v != NULL && lwm2m_value_number(v, out);
}

static bool
same_at(const struct lwm2m_tree *a, struct lwm2m_path p, const struct lwm2m_tree *b, struct lwm2m_path q)
{
	const struct lwm2m_value *v = lwm2m_tree_get(a, p), *w = lwm2m_tree_get(b, q);

	return v != NULL && w != NULL && lwm2m_value_eq(v, w);
}

/* Which /0 instance of now is the account /0/was of then: by number and mode, and by URI where there are several. */
static bool
find_account(const struct lwm2m_tree *now, const struct lwm2m_tree *then, uint16_t was, uint16_t *is)
{
	struct lwm2m_span all = lwm2m_tree_under(now, lwm2m_path1(LWM2M_SECURITY)), sub;
	struct lwm2m_path inst;
	bool found = false;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		struct lwm2m_path then_inst = lwm2m_path2(LWM2M_SECURITY, was);

		if (!same_at(then, lwm2m_path_child(then_inst, 10), now, lwm2m_path_child(inst, 10)) ||
		    !same_at(then, lwm2m_path_child(then_inst, 2), now, lwm2m_path_child(inst, 2)))
			continue;
		if (!found || same_at(then, lwm2m_path_child(then_inst, 0), now, lwm2m_path_child(inst, 0)))
			*is = inst.id[1];
		found = true;
	}
	return found;
}

static enum err_code
copy_value(const struct lwm2m_tree *from, struct lwm2m_path p, struct lwm2m_tree *to, struct lwm2m_path q,
    struct err *e)
{
	const struct lwm2m_value *v = lwm2m_tree_get(from, p);
	struct lwm2m_value copy;

	(void)lwm2m_tree_remove(to, q);
	if (v == NULL)
		return ERR_OK;
	enum err_code rc = lwm2m_value_copy(&copy, v, e);
	return rc == ERR_OK ? lwm2m_tree_put(to, q, &copy, e) : rc;
}

/* What of the account stays in the device does so by the word of now. */
static enum err_code
renew_kept(const struct profile_desired *now, uint16_t is, struct profile_desired *then, uint16_t iid, struct err *e)
{
	const struct lwm2m_path inst = lwm2m_path2(LWM2M_SECURITY, iid);
	enum err_code rc = ERR_OK;
	size_t n = 0;

	for (size_t i = 0; i < then->n_kept; i++)
		if (!lwm2m_path_under(&then->kept[i], &inst))
			then->kept[n++] = then->kept[i];
	then->n_kept = n;
	for (size_t i = 0; rc == ERR_OK && i < now->n_kept; i++) {
		struct lwm2m_path p = now->kept[i];

		if (p.id[1] != is)
			continue;
		p.id[1] = iid;
		rc = profile_desired_keep(then, p, e);
	}
	return rc;
}

static enum err_code
renew_account(const struct profile_desired *now, struct profile_desired *then, uint16_t iid, struct err *e)
{
	int64_t mode = NOSEC, ssid = 0;
	uint16_t is = 0;
	enum err_code rc = ERR_OK;

	(void)number_at(&then->tree, lwm2m_path3(LWM2M_SECURITY, iid, 2), &mode);
	(void)number_at(&then->tree, lwm2m_path3(LWM2M_SECURITY, iid, 10), &ssid);
	if (mode == NOSEC)
		return ERR_OK;
	if (!find_account(&now->tree, &then->tree, iid, &is))
		return err_set(e, ERR_CONFLICT,
		    "the account with Short Server ID %" PRId64 ": there are no credentials for it now", ssid);
	for (size_t i = 0; rc == ERR_OK && i < N_ELEMS(key_rids); i++) {
		struct lwm2m_path from = lwm2m_path3(LWM2M_SECURITY, is, key_rids[i]),
				  to = lwm2m_path3(LWM2M_SECURITY, iid, key_rids[i]);

		rc = copy_value(&now->tree, from, &then->tree, to, e);
		if (rc == ERR_OK)
			rc = copy_value(&now->digested, from, &then->digested, to, e);
	}
	return rc == ERR_OK ? renew_kept(now, is, then, iid, e) : rc;
}

static bool
is_secret(const struct lwm2m_model *m, struct lwm2m_path p)
{
	const struct lwm2m_res_def *def =
	    p.depth < LWM2M_RESOURCE ? NULL : lwm2m_model_resource(m, p.id[0], p.id[2]);

	return def != NULL && def->secret;
}

/* Secrets of other Objects: where they stand now. */
static enum err_code
renew_other(const struct lwm2m_model *m, const struct lwm2m_tree *now, struct lwm2m_tree *then, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < then->n; i++) {
		struct lwm2m_path p = then->nodes[i].path;
		struct lwm2m_value copy;

		if (p.id[0] == LWM2M_SECURITY || !is_secret(m, p))
			continue;
		const struct lwm2m_value *v = lwm2m_tree_get(now, p);
		if (v == NULL)
			return err_set(e, ERR_CONFLICT, "%s: there is no such secret now", lwm2m_path_str(p).s);
		rc = lwm2m_value_copy(&copy, v, e);
		if (rc == ERR_OK)
			rc = lwm2m_tree_put(then, p, &copy, e); /* in its place: nothing moves */
	}
	return rc;
}

static enum err_code
renew(const struct restore *r, const struct lwm2m_model *m, struct profile_desired *then, struct err *e)
{
	struct lwm2m_path inst;
	struct lwm2m_span sub;
	uint16_t ids[256];
	size_t n = 0;
	enum err_code rc;

	struct lwm2m_span all = lwm2m_tree_under(&then->tree, lwm2m_path1(LWM2M_SECURITY));
	for (size_t at = 0; n < N_ELEMS(ids) && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		ids[n++] = inst.id[1]; /* the tree moves while it is changed */
	rc = renew_other(m, &r->now->tree, &then->tree, e);
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = renew_account(r->now, then, ids[i], e);
	return rc;
}

/* A key that somebody took away, or has another one in place of, is not brought back behind his back. */
static enum err_code
check_in_force(const struct restore *r, struct err *e)
{
	const struct store_withdrawn *w = r->withdrawn;
	char when[CLOCK_RFC3339_LEN + 1];

	if (w == NULL || w->why == STORE_KEY_IN_FORCE || (w->why == STORE_KEY_REPLACED && w->number <= r->agreed))
		return ERR_OK;
	clock_rfc3339(w->at_ms, when);
	return err_set(e, ERR_REFUSED, "%s of %s: %s on %.19sZ by %s; apply it again to have it back%s", w->slot,
	    w->owner, store_withdrawal_name(w->why), when, w->actor,
	    w->why == STORE_KEY_REPLACED ? ", or ask for the rollback anew" : "");
}

enum err_code
restore_make(const struct restore *r, const struct lwm2m_model *m, struct profile_desired *out, struct err *e)
{
	enum err_code rc;

	if (r->wrote->len == 0)
		return err_set(e, ERR_NOT_FOUND, "it is not kept what that session wrote");
	if (r->with_credentials && (rc = check_in_force(r, e)) != ERR_OK)
		return rc;
	rc = profile_desired_unpack(r->wrote->data, r->wrote->len, out, e);
	if (rc == ERR_OK && !r->with_credentials)
		rc = renew(r, m, out, e);
	if (rc != ERR_OK)
		profile_desired_clear(out);
	return rc;
}
