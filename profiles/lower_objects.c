/* "apn_connection_profiles", "access_control" and "objects": /11, /2 and everything else. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "profiles/lower.h"

#define APN_AUTH_NONE 3
#define ACL_CREATE 16

static void
put_value(struct lower *l, struct lwm2m_path p, struct lwm2m_value v, const struct pnode *node)
{
	lower_put(l, p, &v, node);
}

/* ---- APN profiles ---- */

void
lower_apns_find(struct lower *l)
{
	const struct pnode *apns = lower_object(l, l->doc->root, "apn_connection_profiles");

	for (const struct pnode *k = apns != NULL ? apns->first : NULL; k != NULL; k = k->next) {
		size_t at = l->n_apns;

		if (k->type != PN_OBJECT) {
			finding_add(
			    l->f, RULE_TYPE, k, "must be an object, is %s", pnode_type_name(k));
			continue;
		}
		if (at >= APNS_MAX) {
			finding_add(l->f, RULE_LIMIT, k, "more than %d APN profiles", APNS_MAX);
			break;
		}
		lower_keys(l, k, SEC_APN);
		for (; at > 0 && strcmp(l->apns[at - 1]->key, k->key) > 0; at--)
			l->apns[at] = l->apns[at - 1];
		l->apns[at] = k;
		l->n_apns++;
	}
}

/* What the client itself keeps: counters, states, what it is. */
static bool
kept_by_client(int oid, const struct lwm2m_res_def *r)
{
	if (oid == LWM2M_SECURITY || oid == LWM2M_ACCESS_CONTROL || oid == LWM2M_OSCORE ||
	    oid == LWM2M_COSE)
		return false;
	if (oid == LWM2M_SERVER)
		return r->id == 11 || r->id == 12;
	return r->ops == LWM2M_R;
}

static void
put_member(
    struct lower *l, const struct pnode *k, struct lwm2m_path inst, const struct lwm2m_res_def *r)
{
	if (kept_by_client(inst.id[0], r))
		finding_key(l->f, RULE_READ_ONLY, k, "the client itself keeps %s", r->name);
	value_put(l, k, inst, r);
}

static void
lower_apn(struct lower *l, uint16_t iid)
{
	const struct pnode *apn = l->apns[iid];
	struct lwm2m_path inst = lwm2m_path2(LWM2M_APN, iid);
	struct lwm2m_value v;
	int oid;

	for (const struct pnode *k = apn->first; k != NULL && l->rc == ERR_OK; k = k->next) {
		const struct lwm2m_res_def *r = pkey_resource(l->m, SEC_APN, -1, k->key, &oid);

		if (r != NULL)
			put_member(l, k, inst, r);
	}
	if (pnode_get(apn, "profile_name") == NULL && l->rc == ERR_OK) {
		l->rc = lwm2m_value_str(&v, apn->key, l->e);
		if (l->rc == ERR_OK)
			lower_put(l, lwm2m_path_child(inst, 0), &v, NULL);
	}
	if (pnode_get(apn, "authentication_type") == NULL)
		put_value(l, lwm2m_path_child(inst, 4), lwm2m_int(APN_AUTH_NONE), NULL);
}

void
lower_apns(struct lower *l)
{
	for (size_t i = 0; i < l->n_apns && l->rc == ERR_OK; i++) {
		lower_apn(l, (uint16_t)i);
		if (!l->apn_linked[i] && l->n_servers > 0)
			finding_key(l->f, RULE_UNLINKED_APN, l->apns[i],
			    "no apn_link leads to \"%s\"", l->apns[i]->key);
	}
}

/* ---- access control ---- */

/* A server by local name or number, or by a word that is one (NULL: none); -1: a finding, or not known yet. */
static int64_t
server_number(
    struct lower *l, const struct pnode *at, const char *name, const char *word, int64_t word_is)
{
	int s = lower_server_by_name(l, name);
	uint64_t n;

	if (s >= 0)
		return l->servers[s].ssid;
	if (word != NULL && strcmp(name, word) == 0)
		return word_is;
	if (str_to_u64(name, strlen(name), 1, LWM2M_ID_MAX, &n)) {
		for (size_t i = 0; i < l->n_servers; i++)
			if (l->servers[i].ssid == (int64_t)n)
				return (int64_t)n;
		if (l->d.policy != PROFILE_REPLACE || lower_partial(l))
			return (int64_t)n; /* may be on the device */
	}
	if (name == at->key)
		finding_key(l->f, RULE_ACL_SERVER, at, "there is no server \"%.64s\"", name);
	else
		finding_add(l->f, RULE_ACL_SERVER, at, "there is no server \"%.64s\"", name);
	return -1;
}

static bool
read_rights(struct lower *l, const struct pnode *list, int64_t *out)
{
	bool ok = true;

	*out = 0;
	if (list->type != PN_ARRAY) {
		finding_add(l->f, RULE_TYPE, list, "must be a list of rights, is %s",
		    pnode_type_name(list));
		return false;
	}
	for (const struct pnode *k = list->first; k != NULL; k = k->next) {
		int64_t bit;

		if (value_word(l, k, pwords_rights, &bit))
			*out |= bit;
		else
			ok = false;
	}
	return ok;
}

static void
check_create(struct lower *l, const struct pnode *k, bool object_level, int64_t rights)
{
	if (object_level && (rights & ~ACL_CREATE) != 0)
		finding_add(
		    l->f, RULE_ACL_CREATE, k, "a rule on a whole object takes \"create\" only");
	if (!object_level && (rights & ACL_CREATE) != 0)
		finding_add(l->f, RULE_ACL_CREATE, k,
		    "\"create\" is a right on an object, not on an instance");
}

static void
put_rights(struct lower *l, const struct pnode *acl, struct lwm2m_path res, bool object_level)
{
	for (const struct pnode *k = acl->first; k != NULL && l->rc == ERR_OK; k = k->next) {
		int64_t who = server_number(l, k, k->key, "default", 0), rights;

		if (!read_rights(l, k, &rights))
			continue;
		check_create(l, k, object_level, rights);
		if (who >= 0)
			put_value(l, lwm2m_path_child(res, (uint16_t)who), lwm2m_int(rights), k);
	}
}

static int64_t
read_owner(struct lower *l, const struct pnode *rule, bool object_level)
{
	const struct pnode *owner = lower_get(rule, SEC_ACL, "owner");

	if (owner == NULL && object_level)
		return LWM2M_MAX_ID;
	if (owner == NULL) {
		if (!lower_partial(l))
			finding_member(l->f, RULE_MISSING, rule, "owner", "owner is missing");
		return -1;
	}
	if (owner->open)
		return -1;
	int64_t who = -1;
	if (owner->type == PN_INT && owner->i == LWM2M_MAX_ID) {
		who = LWM2M_MAX_ID;
	} else if (owner->type == PN_INT && owner->i > 0 && owner->i < LWM2M_MAX_ID) {
		char number[8];
		struct wbuf w = wbuf_make(number, sizeof number - 1);
		struct gbuf g = { 0 };

		gbuf_printf(&g, "%d", (int)owner->i);
		wbuf_str(&w, gbuf_cstr(&g));
		number[w.len] = '\0';
		gbuf_clear(&g);
		who = server_number(l, owner, number, NULL, -1);
	} else if (owner->type == PN_STRING) {
		who = server_number(l, owner, owner->s, "bootstrap", LWM2M_MAX_ID);
	} else {
		finding_add(
		    l->f, RULE_TYPE, owner, "must be a server's name or number, or \"bootstrap\"");
	}
	if (object_level && who >= 0 && who != LWM2M_MAX_ID)
		finding_add(l->f, RULE_ACL_CREATE, owner,
		    "a rule on a whole object belongs to the bootstrap interface");
	return who;
}

static void
note_mode(struct lower *l, const struct pnode *rule, uint16_t iid)
{
	const struct pnode *n = pnode_get(rule, "on_conflict");
	int64_t mode = PROFILE_ACL_REFUSE;

	if (n == NULL || !value_word(l, n, pwords_acl_mode, &mode) || l->rc != ERR_OK)
		return;
	if (l->d.policy == PROFILE_REPLACE)
		finding_key(l->f, RULE_ON_CONFLICT, n, "on_conflict has no meaning under \"replace\"");
	if (mode == PROFILE_ACL_REFUSE)
		return;
	struct profile_acl_rule *v = realloc(l->d.acl, (l->d.n_acl + 1) * sizeof *v);
	if (v == NULL) {
		l->rc = err_no_memory(l->e);
		return;
	}
	l->d.acl = v;
	v[l->d.n_acl++] = (struct profile_acl_rule){ iid, (enum profile_acl_mode)mode };
}

static void
lower_rule(struct lower *l, const struct pnode *rule, struct lwm2m_path target, uint16_t iid)
{
	struct lwm2m_path inst = lwm2m_path2(LWM2M_ACCESS_CONTROL, iid);
	bool object_level = target.depth == LWM2M_OBJECT;
	const struct pnode *acl = lower_object(l, rule, "acl");
	int64_t owner;

	note_mode(l, rule, iid);
	put_value(l, lwm2m_path_child(inst, 0), lwm2m_int(target.id[0]), rule);
	put_value(l, lwm2m_path_child(inst, 1),
	    lwm2m_int(object_level ? LWM2M_MAX_ID : target.id[1]), rule);
	if (acl != NULL)
		put_rights(l, acl, lwm2m_path_child(inst, 2), object_level);
	owner = read_owner(l, rule, object_level);
	if (owner >= 0)
		put_value(l, lwm2m_path_child(inst, 3), lwm2m_int(owner),
		    lower_get(rule, SEC_ACL, "owner"));
}

struct rule {
	struct lwm2m_path target;
	const struct pnode *node;
};

static int
by_target(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	return lwm2m_path_cmp(&x->target, &y->target);
}

static bool
read_target(struct lower *l, const struct pnode *k, struct lwm2m_path *out)
{
	if (k->type != PN_OBJECT) {
		finding_add(l->f, RULE_TYPE, k, "must be an object, is %s", pnode_type_name(k));
		return false;
	}
	lower_keys(l, k, SEC_ACL);
	if (!value_path(l, k, k->key, LWM2M_OBJECT, LWM2M_INSTANCE, out))
		return false;
	if (out->id[0] != LWM2M_SECURITY && out->id[0] != LWM2M_ACCESS_CONTROL &&
	    out->id[0] != LWM2M_OSCORE)
		return true;
	finding_key(
	    l->f, RULE_ACL_TARGET, k, "object %u has no access control", (unsigned)out->id[0]);
	return false;
}

void
lower_access(struct lower *l)
{
	const struct pnode *acls = lower_object(l, l->doc->root, "access_control");
	struct rule *v = acls != NULL && acls->n > 0 ? calloc(acls->n, sizeof *v) : NULL;
	size_t n = 0;

	if (acls == NULL || acls->n == 0)
		return;
	if (v == NULL) {
		l->rc = err_no_memory(l->e);
		return;
	}
	for (const struct pnode *k = acls->first; k != NULL; k = k->next) {
		if (read_target(l, k, &v[n].target)) {
			v[n].node = k;
			n++;
		}
	}
	qsort(v, n, sizeof *v, by_target);
	for (size_t i = 0; i < n && i < LWM2M_TREE_MAX && l->rc == ERR_OK; i++) {
		if (i > 0 && lwm2m_path_eq(&v[i].target, &v[i - 1].target))
			finding_key(l->f, RULE_OVERLAP, v[i].node, "a second rule for %s",
			    lwm2m_path_str(v[i].target).s);
		else
			lower_rule(l, v[i].node, v[i].target, (uint16_t)i);
	}
	free(v);
}

/* ---- any other object ---- */

static bool
overlaps(struct lower *l, const struct pnode *k, uint16_t oid)
{
	static const struct {
		uint16_t oid;
		const char *section;
	} made[] = {
		{ LWM2M_SECURITY, "servers" },
		{ LWM2M_SERVER, "servers" },
		{ LWM2M_ACCESS_CONTROL, "access_control" },
		{ LWM2M_APN, "apn_connection_profiles" },
	};

	for (size_t i = 0; i < N_ELEMS(made); i++) {
		const struct pnode *sec = pnode_get(l->doc->root, made[i].section);

		if (made[i].oid == oid && sec != NULL && sec->n > 0) {
			finding_key(l->f, RULE_OVERLAP, k,
			    "\"%s\" makes the instances of object %u", made[i].section,
			    (unsigned)oid);
			return true;
		}
	}
	return false;
}

static const struct lwm2m_obj_def *
known_object(struct lower *l, const struct pnode *k, struct lwm2m_path inst)
{
	const struct lwm2m_obj_def *def = lwm2m_model_object(l->m, inst.id[0]);

	if (def == NULL)
		finding_key(l->f, RULE_OBJECT, k, "object %u is not known", (unsigned)inst.id[0]);
	else if (!def->multiple && inst.id[1] != 0)
		finding_key(l->f, RULE_PATH, k, "object %u has one instance, /%u/0",
		    (unsigned)inst.id[0], (unsigned)inst.id[0]);
	else
		return def;
	return NULL;
}

static void
check_mandatory(
    struct lower *l, const struct pnode *k, struct lwm2m_path inst, const struct lwm2m_obj_def *def)
{
	struct gbuf names = { .max = 300 };

	for (size_t i = 0; i < def->n_res; i++) {
		const struct lwm2m_res_def *r = &def->res[i];
		const struct pnode *n = lower_get(k, SEC_OBJECT, r->key);

		if (r->mandatory && r->type != LWM2M_NONE && !kept_by_client(inst.id[0], r) &&
		    n == NULL && !lwm2m_tree_has(&l->d.tree, lwm2m_path_child(inst, r->id)))
			gbuf_printf(&names, "%s%s", names.len > 0 ? ", " : "", r->key);
	}
	if (names.len > 0)
		finding_add(l->f, RULE_MANDATORY, k, "%s has no %s", lwm2m_path_str(inst).s,
		    gbuf_cstr(&names));
	gbuf_clear(&names);
}

static void
check_bootstrap_account(struct lower *l, struct lwm2m_path inst)
{
	struct lwm2m_path p = lwm2m_path_child(inst, 1);
	const struct lwm2m_value *bs = lwm2m_tree_get(&l->d.tree, p);
	const struct pnode *at = bs != NULL ? lower_place(l, p) : NULL;

	if (inst.id[0] == LWM2M_SECURITY && at != NULL && bs->b)
		finding_add(l->f, RULE_NOT_WRITABLE, at,
		    "a bootstrap account is never written whole; see \"bootstrap_account\"");
}

/* Accounts are compared with each other. */
static bool
too_many(struct lower *l, const struct pnode *k, uint16_t oid)
{
	size_t max = oid == LWM2M_SECURITY ? ACCOUNTS_MAX : SERVERS_MAX;

	if ((oid != LWM2M_SECURITY && oid != LWM2M_SERVER) || l->raw[oid]++ < max)
		return false;
	finding_key(
	    l->f, RULE_LIMIT, k, "more than %zu instances of object %u", max, (unsigned)oid);
	return true;
}

static void
lower_instance(struct lower *l, const struct pnode *k)
{
	const struct lwm2m_obj_def *def;
	struct lwm2m_path inst;
	int oid;

	if (!value_path(l, k, k->key, LWM2M_INSTANCE, LWM2M_INSTANCE, &inst) ||
	    overlaps(l, k, inst.id[0]))
		return;
	if (k->type != PN_OBJECT) {
		finding_add(l->f, RULE_TYPE, k, "must be an object, is %s", pnode_type_name(k));
		return;
	}
	def = known_object(l, k, inst);
	if (def == NULL)
		return;
	if (too_many(l, k, inst.id[0]))
		return;
	l->rc = lwm2m_tree_put_instance(&l->d.tree, inst, l->e);
	for (const struct pnode *n = k->first; n != NULL && l->rc == ERR_OK; n = n->next) {
		const struct lwm2m_res_def *r =
		    pkey_resource(l->m, SEC_OBJECT, inst.id[0], n->key, &oid);
		const char *other = pkey_other(SEC_OBJECT, n->key);

		if (r == NULL && pkey_is_own(n->key))
			continue;
		if (r == NULL)
			lower_unknown_key(l, n, SEC_OBJECT, inst.id[0]);
		else if (other != NULL && pnode_get(k, other) != NULL &&
		         strcmp(r->key, n->key) != 0)
			finding_key(l->f, RULE_TWO_SPELLINGS, n,
			    "\"%s\" and \"%s\" are one resource", n->key, other);
		else
			put_member(l, n, inst, r);
	}
	if (!lower_partial(l))
		check_mandatory(l, k, inst, def);
	check_bootstrap_account(l, inst);
}

void
lower_objects(struct lower *l)
{
	const struct pnode *objects = lower_object(l, l->doc->root, "objects");

	for (const struct pnode *k = objects != NULL ? objects->first : NULL;
	     k != NULL && l->rc == ERR_OK; k = k->next)
		lower_instance(l, k);
}
