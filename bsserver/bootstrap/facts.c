#include "bsserver/bootstrap/facts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

#define SLACK_S 600 /* between the last look at 1/x/12 and the device's own note of our Finish */

void
bs_facts_clear(struct bs_facts *f)
{
	free(f->v);
	*f = (struct bs_facts){ 0 };
}

struct bs_account *
bs_facts_account(const struct bs_facts *f, uint16_t ssid)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].ssid == ssid)
			return &f->v[i];
	return NULL;
}

bool
bs_account_dead(const struct bs_account *a)
{
	return a->half || a->alert != 0;
}

bool
bs_is_retained(const struct profile_desired *d, struct lwm2m_path p)
{
	for (size_t i = 0; i < d->n_retain; i++)
		if (lwm2m_path_under(&p, &d->retain[i]))
			return true;
	return false;
}

bool
bs_holds_retained(const struct profile_desired *d, struct lwm2m_path p)
{
	for (size_t i = 0; i < d->n_retain; i++)
		if (lwm2m_path_under(&d->retain[i], &p))
			return true;
	return false;
}

bool
bs_account_goes(const struct profile_desired *d, const struct bs_account *a)
{
	if (a->now != 0 || d->policy != PROFILE_INCREMENTAL || a->stays)
		return false;
	return a->ours || d->foreign == PROFILE_FOREIGN_REMOVE ||
	    (d->foreign == PROFILE_FOREIGN_REMOVE_INVALID && bs_account_dead(a));
}

static bool
number_at(const struct lwm2m_tree *t, struct lwm2m_path p, int64_t *out)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, p);

	return v != NULL && lwm2m_value_number(v, out);
}

uint16_t
bs_ssid_in(const struct lwm2m_tree *t, struct lwm2m_path inst)
{
	int64_t ssid;

	if (!number_at(t, lwm2m_path_child(inst, inst.id[0] == LWM2M_SECURITY ? 10 : 0), &ssid))
		return 0;
	return ssid > 0 && ssid <= LWM2M_ID_MAX ? (uint16_t)ssid : 0;
}

/* The i-th instance of an Object in the profile's tree. */
static bool
next_wanted(const struct profile_desired *d, uint16_t oid, size_t *at, struct lwm2m_path *inst)
{
	struct lwm2m_span all = lwm2m_tree_under(&d->tree, lwm2m_path1(oid)), sub;

	return lwm2m_span_next(&all, LWM2M_INSTANCE, at, inst, &sub);
}

bool
bs_is_wanted(const struct profile_desired *d, uint16_t ssid)
{
	struct lwm2m_path inst;

	for (uint16_t oid = LWM2M_SECURITY; oid <= (uint16_t)LWM2M_SERVER; oid++)
		for (size_t at = 0; next_wanted(d, oid, &at, &inst);)
			if (bs_ssid_in(&d->tree, inst) == ssid)
				return true;
	return false;
}

/* ---- who is there ---- */

static enum err_code
note_instance(struct bs_facts *f, const struct profile_desired *d, const struct bs_known *k, struct err *e)
{
	struct bs_account *a = bs_facts_account(f, k->ssid);

	if (a == NULL) {
		a = grow(f->v, f->n, &f->cap, sizeof *a);
		if (a == NULL)
			return err_no_memory(e);
		f->v = a;
		a += f->n++;
		*a = (struct bs_account){ .ssid = k->ssid, .sends_back = true };
	}
	a->stays = a->stays || bs_is_retained(d, k->path) || bs_holds_retained(d, k->path);
	if (k->path.id[0] == LWM2M_SECURITY) {
		if (a->n_security++ == 0)
			a->security = k->path;
	} else if (a->n_server++ == 0)
		a->server = k->path;
	return ERR_OK;
}

static enum err_code
find_accounts(const struct bs_planning *in, struct bs_facts *f, bool *unnamed, struct err *e)
{
	struct bs_known k;
	enum err_code rc = ERR_OK;

	for (uint16_t oid = LWM2M_SECURITY; oid <= (uint16_t)LWM2M_SERVER; oid++)
		for (size_t at = 0; rc == ERR_OK && bs_inventory_known(in->inv, oid, &at, &k);) {
			if (k.ssid == 0)
				*unnamed = true;
			else
				rc = note_instance(f, in->desired, &k, e);
		}
	return rc;
}

/* What Read shows of the account's state. */
static void
look_at_server(const struct bs_planning *in, struct bs_account *a)
{
	const struct lwm2m_value *v;

	if (a->n_server == 0)
		return;
	(void)number_at(&in->inv->seen, lwm2m_path_child(a->server, 11), &a->alert);
	v = lwm2m_tree_get(&in->inv->seen, lwm2m_path_child(a->server, 16));
	a->sends_back = v == NULL || v->type != LWM2M_BOOLEAN || v->b;
}

static bool
same_uri(const struct profile_desired *d, struct lwm2m_path inst, const char *uri)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&d->tree, lwm2m_path_child(inst, 0));

	return v != NULL && v->type == LWM2M_STRING && secret_equal_bytes(&v->bytes, uri, strlen(uri));
}

/* A server of the profile that the device does not know by its Short Server ID, but by its uri. */
static uint16_t
moved_to(const struct bs_planning *in, const struct bs_facts *f, const struct bs_account *a)
{
	const struct lwm2m_link_entry *l =
	    a->n_security == 1 ? lwm2m_links_find(&in->inv->links, a->security) : NULL;
	struct lwm2m_path inst;
	uint16_t found = 0;

	if (l == NULL || l->uri == NULL || a->stays)
		return 0;
	for (size_t at = 0; next_wanted(in->desired, LWM2M_SECURITY, &at, &inst);) {
		uint16_t ssid = bs_ssid_in(&in->desired->tree, inst);

		if (!same_uri(in->desired, inst, l->uri))
			continue;
		if (found != 0 || ssid == 0 || bs_facts_account(f, ssid) != NULL)
			return 0; /* two servers at one address: nobody knows which */
		found = ssid;
	}
	return found;
}

static void
name_accounts(const struct bs_planning *in, struct bs_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->v[i].now = bs_is_wanted(in->desired, f->v[i].ssid) ? f->v[i].ssid : 0;
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].now == 0)
			f->v[i].now = moved_to(in, f, &f->v[i]);
	for (size_t i = 0; i < f->n; i++)
		for (size_t j = i + 1; j < f->n; j++)
			if (f->v[i].now != 0 && f->v[i].now == f->v[j].now)
				f->v[j].now = 0; /* the first of two that were at that address */
}

/* ---- what happened since ---- */

/* "101=1796000000 102=..." */
static int64_t
expiry_of(const char *list, uint16_t ssid)
{
	while (list != NULL && *list != 0) {
		size_t n = strcspn(list, " "), name = strcspn(list, "=");
		uint64_t who, when;

		if (name < n && str_to_u64(list, name, 1, LWM2M_ID_MAX, &who) && who == ssid &&
		    str_to_u64(list + name + 1, n - name - 1, 0, INT64_MAX / 1000, &when))
			return (int64_t)when;
		list += n + (list[n] == ' ');
	}
	return INT64_MAX / 1000;
}

/* 1/x/12 of an account is later than what we know of our own doing. */
static bool
touched_since(const struct bs_planning *in, const struct bs_account *a)
{
	int64_t now, then;
	struct bs_known k;

	if (a->n_server == 0 || !number_at(&in->inv->seen, lwm2m_path_child(a->server, 12), &now))
		return false;
	const struct bs_inventory *left = bs_history_left(in->history, in->model);
	for (size_t at = 0; bs_inventory_known(left, LWM2M_SERVER, &at, &k);)
		if (k.ssid == a->ssid && number_at(&left->seen, lwm2m_path_child(k.path, 12), &then))
			return now > then + SLACK_S;
	return now > in->history->good_ended_ms / 1000 + SLACK_S;
}

static void
look_back(const struct bs_planning *in, struct bs_facts *f)
{
	const struct bs_history *h = in->history;

	if (h == NULL)
		return;
	f->early = bs_history_early(h, in->desired->early_return_ms);
	f->broke_off = bs_history_broke_off(h);
	if (h->good_session == 0)
		return;
	for (size_t i = 0; i < f->n; i++) {
		f->elsewhere = f->elsewhere || touched_since(in, &f->v[i]);
		f->v[i].ours = f->v[i].now == 0 && bs_history_wanted(h, f->v[i].ssid);
		f->v[i].expired = expiry_of(h->expiries, f->v[i].ssid) <= h->now_ms / 1000;
	}
	f->sure = !f->early && !f->broke_off && !f->elsewhere;
}

enum err_code
bs_facts_find(const struct bs_planning *in, struct bs_facts *f, struct err *e)
{
	bool unnamed = false;
	enum err_code rc = find_accounts(in, f, &unnamed, e);

	for (size_t i = 0; i < f->n; i++) {
		struct bs_account *a = &f->v[i];

		a->half = !unnamed && in->inv->discovered && (a->n_security == 0 || a->n_server == 0);
		look_at_server(in, a);
	}
	if (rc != ERR_OK)
		return rc;
	name_accounts(in, f);
	look_back(in, f);
	return ERR_OK;
}
