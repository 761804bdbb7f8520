#include "profiles/lower.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/lwm2m/format.h"

#define EARLY_RETURN_S 600
#define REQUEST_TIMEOUT_S 93
#define SESSION_TIMEOUT_S 247
#define NAMES_MAX 128

bool
lower_partial(const struct lower *l)
{
	return l->doc->kind != PROFILE_DEVICE;
}

void
lower_put(struct lower *l, struct lwm2m_path p, struct lwm2m_value *v, const struct pnode *node)
{
	if (l->rc != ERR_OK) {
		lwm2m_value_clear(v);
		return;
	}
	l->rc = lwm2m_tree_add(&l->d.tree, p, v, l->e);
	if (l->rc == ERR_LIMIT || l->rc == ERR_EXISTS) {
		finding_add(l->f, l->rc == ERR_LIMIT ? RULE_LIMIT : RULE_OVERLAP,
		    node != NULL ? node : l->doc->root, "%s",
		    l->rc == ERR_LIMIT ? "more values than a configuration may have"
		                       : "is given twice");
		l->rc = ERR_OK;
		return;
	}
	if (l->rc != ERR_OK)
		return;
	struct lplace *arr = grow(l->places, l->n_places, &l->cap_places, sizeof *arr);
	if (arr == NULL) {
		l->rc = err_no_memory(l->e);
		return;
	}
	l->places = arr;
	arr[l->n_places++] = (struct lplace){ .path = p, .node = node };
	if (node != NULL || l->defaults == NULL)
		return;
	struct lwm2m_path *paths =
	    grow(l->defaults->paths, l->defaults->n, &l->defaults->cap, sizeof *paths);
	if (paths == NULL) {
		l->rc = err_no_memory(l->e);
		return;
	}
	l->defaults->paths = paths;
	paths[l->defaults->n++] = p;
}

const struct pnode *
lower_place(const struct lower *l, struct lwm2m_path p)
{
	for (size_t i = 0; i < l->n_places; i++)
		if (lwm2m_path_eq(&l->places[i].path, &p))
			return l->places[i].node;
	return NULL;
}

void
lower_unknown_key(struct lower *l, const struct pnode *member, enum psection s, int oid)
{
	const char *names[NAMES_MAX];
	size_t n = pkey_names(l->m, s, oid, names, N_ELEMS(names));
	const char *near = str_nearest(member->key, names, n);
	struct gbuf key = { 0 };

	str_quote(&key, member->key, MIN(strlen(member->key), (size_t)64));
	if (near != NULL)
		finding_key(l->f, RULE_UNKNOWN_KEY, member,
		    "unknown key \"%s\"; did you mean \"%s\"?", gbuf_cstr(&key), near);
	else
		finding_key(l->f, RULE_UNKNOWN_KEY, member, "unknown key \"%s\"", gbuf_cstr(&key));
	gbuf_clear(&key);
}

bool
lower_again(const struct pnode *object, const struct pnode *member, enum psection s)
{
	const char *other = pkey_other(s, member->key);
	const struct pnode *twin = other != NULL ? pnode_get(object, other) : NULL;

	for (const struct pnode *k = object->first; twin != NULL && k != member; k = k->next)
		if (k == twin)
			return true;
	return false;
}

void
lower_keys(struct lower *l, const struct pnode *object, enum psection s)
{
	int oid;

	for (const struct pnode *k = object->first; k != NULL; k = k->next) {
		if (lower_again(object, k, s))
			finding_key(l->f, RULE_TWO_SPELLINGS, k,
			    "\"%s\" and \"%s\" are one resource", pkey_other(s, k->key), k->key);
		if (pkey_is_own(k->key) || pkey_find(s, k->key) != NULL)
			continue;
		if (pkey_resource(l->m, s, -1, k->key, &oid) == NULL)
			lower_unknown_key(l, k, s, -1);
	}
}

const struct pnode *
lower_object(struct lower *l, const struct pnode *parent, const char *key)
{
	const struct pnode *k = pnode_get(parent, key);

	if (k == NULL || k->type == PN_OBJECT)
		return k;
	finding_add(l->f, RULE_TYPE, k, "must be an object, is %s", pnode_type_name(k));
	return NULL;
}

const struct pnode *
lower_get(const struct pnode *object, enum psection s, const char *name)
{
	const struct pnode *k = pnode_get(object, name);
	const char *other = k == NULL ? pkey_other(s, name) : NULL;

	return other != NULL ? pnode_get(object, other) : k;
}

int
lower_server_by_name(const struct lower *l, const char *name)
{
	for (size_t i = 0; i < l->n_servers; i++)
		if (strcmp(l->servers[i].node->key, name) == 0)
			return (int)i;
	return -1;
}

/* ---- the top ---- */

static void
check_kind(struct lower *l)
{
	const struct pnode *ep = pnode_get(l->doc->root, "endpoint"),
	                   *pr = pnode_get(l->doc->root, "profile");

	if (l->doc->kind != PROFILE_NO_KIND)
		return;
	if (ep == NULL && pr == NULL)
		finding_add(l->f, RULE_KIND, l->doc->root,
		    "neither \"endpoint\" nor \"profile\" says what the document is for");
	else if (ep != NULL && pr != NULL)
		finding_key(l->f, RULE_KIND, pr, "\"endpoint\" and \"profile\" at once");
	else
		finding_add(l->f, RULE_KIND, ep != NULL ? ep : pr,
		    "must be a printable name of 1 to %d octets%s", PROFILE_NAME_MAX,
		    pr != NULL ? " without blanks and slashes, and not begin with a dot" : "");
}

static void
check_format(struct lower *l)
{
	const struct pnode *v = pnode_get(l->doc->root, "profile_format");

	if (v == NULL)
		finding_member(l->f, RULE_FORMAT, l->doc->root, "profile_format",
		    "\"profile_format\": 1 is missing");
	else if (v->type != PN_INT || v->i != 1)
		finding_add(
		    l->f, RULE_FORMAT, v, "must be 1: no other version of the format is known");
}

static void
check_match(struct lower *l)
{
	const struct pnode *m = pnode_get(l->doc->root, "match");

	if (m == NULL)
		return;
	if (m->type != PN_ARRAY || l->doc->kind == PROFILE_DEVICE) {
		finding_add(l->f, RULE_TYPE, m, "must be a list in a shared document");
		return;
	}
	for (const struct pnode *k = m->first; k != NULL; k = k->next) {
		const struct pnode *ep = pnode_get(k, "endpoint"), *issuer = pnode_get(k, "issuer");

		if (k->type == PN_OBJECT)
			lower_keys(l, k, SEC_MATCH);
		if (issuer != NULL)
			finding_key(
			    l->f, RULE_NOT_SERVED, issuer, "matching by issuer is not served yet");
		else if (pnode_str(ep) == NULL || ep->n == 0)
			finding_add(l->f, RULE_TYPE, k, "must be {\"endpoint\": PATTERN}");
	}
}

static void
check_maps(struct lower *l)
{
	const struct pnode *vars = lower_object(l, l->doc->root, "vars");
	const struct pnode *labels = lower_object(l, l->doc->root, "labels");

	for (const struct pnode *k = vars != NULL ? vars->first : NULL; k != NULL; k = k->next) {
		if (!pnode_scalar(k))
			finding_add(l->f, RULE_TYPE, k,
			    "must be text, a number or a boolean, is %s", pnode_type_name(k));
		else if (strcmp(k->key, "endpoint") == 0)
			finding_key(l->f, RULE_VARIABLE, k,
			    "${endpoint} is the device's name and nothing else");
		else if (k->type == PN_STRING && strchr(k->s, '$') != NULL)
			finding_add(l->f, RULE_VARIABLE, k, "variables do not nest");
	}
	for (const struct pnode *k = labels != NULL ? labels->first : NULL; k != NULL; k = k->next)
		if (k->type != PN_STRING)
			finding_add(
			    l->f, RULE_TYPE, k, "must be a string, is %s", pnode_type_name(k));
}

static void
lower_top(struct lower *l)
{
	static const char *const flags[] = { "shared_key", "registry" };
	bool b;

	check_kind(l);
	check_format(l);
	lower_keys(l, l->doc->root, SEC_TOP);
	check_match(l);
	check_maps(l);
	for (size_t i = 0; i < N_ELEMS(flags); i++) {
		const struct pnode *n = pnode_get(l->doc->root, flags[i]);

		if (n != NULL)
			(void)value_bool(l, n, &b);
	}
}

/* ---- bootstrap, bootstrap_account ---- */

static void
read_paths(
    struct lower *l, const struct pnode *list, uint8_t min, struct lwm2m_path **out, size_t *n)
{
	if (list == NULL)
		return;
	if (list->type != PN_ARRAY) {
		finding_add(
		    l->f, RULE_TYPE, list, "must be a list of paths, is %s", pnode_type_name(list));
		return;
	}
	*out = list->n > 0 ? calloc(list->n, sizeof **out) : NULL;
	if (*out == NULL && list->n > 0) {
		l->rc = err_no_memory(l->e);
		return;
	}
	for (const struct pnode *k = list->first; k != NULL; k = k->next) {
		if (k->type != PN_STRING)
			finding_add(
			    l->f, RULE_TYPE, k, "must be a path, is %s", pnode_type_name(k));
		else if (!k->open && value_path(l, k, k->s, min, LWM2M_RESOURCE, &(*out)[*n]))
			(*n)++;
	}
}

static void
read_format(struct lower *l, const struct pnode *n)
{
	const struct lwm2m_format *f;
	struct gbuf all = { .max = 200 };

	if (n == NULL || n->open)
		return;
	f = n->type == PN_STRING ? lwm2m_format_by_name(n->s) : NULL;
	if (f != NULL && !f->single) {
		l->d.format = f->number;
		return;
	}
	if (n->type == PN_STRING && strcmp(n->s, "auto") == 0)
		return;
	gbuf_str(&all, "auto");
	for (size_t i = 0; (f = lwm2m_format_at(i)) != NULL; i++)
		if (!f->single)
			gbuf_printf(&all, ", %s", f->name);
	finding_add(l->f, RULE_WORD, n, "must be one of %s", gbuf_cstr(&all));
	gbuf_clear(&all);
}

static void
read_timeouts(struct lower *l, const struct pnode *b)
{
	const struct pnode *request = pnode_get(b, "request_timeout"),
	                   *session = pnode_get(b, "session_timeout");
	const struct pnode *next = pnode_get(b, "next_bootstrap"), *early = pnode_get(b, "early_return");
	int64_t early_s = EARLY_RETURN_S;
	int64_t request_s = REQUEST_TIMEOUT_S, session_s = SESSION_TIMEOUT_S, next_s = 0;

	if (early != NULL)
		(void)value_seconds(l, early, 0, 30L * 86400, &early_s);
	l->d.early_return_ms = (uint32_t)early_s * 1000;
	if (request != NULL)
		(void)value_seconds(l, request, 1, 3600, &request_s);
	if (session != NULL)
		(void)value_seconds(l, session, 1, 86400, &session_s);
	if (next != NULL && value_seconds(l, next, 1, UINT32_MAX, &next_s))
		l->d.next_bootstrap_s = (uint32_t)next_s;
	if (session == NULL && session_s < request_s)
		session_s = request_s;
	l->d.request_timeout_ms = (uint32_t)request_s * 1000;
	l->d.session_timeout_ms = (uint32_t)session_s * 1000;
}

static void
read_policy(struct lower *l, const struct pnode *b)
{
	const struct pnode *policy = pnode_get(b, "policy"),
	                   *foreign = pnode_get(b, "foreign_accounts");
	int64_t p = PROFILE_INCREMENTAL, f = PROFILE_FOREIGN_KEEP;

	if (policy != NULL)
		(void)value_word(l, policy, pwords_policy, &p);
	l->d.policy = (enum profile_policy)p;
	if (foreign != NULL && value_word(l, foreign, pwords_foreign, &f)) {
		if (f == PROFILE_FOREIGN_KEEP && p == PROFILE_REPLACE)
			finding_add(l->f, RULE_FOREIGN, foreign,
			    "\"keep\" has no meaning under \"replace\"");
		if (f != PROFILE_FOREIGN_KEEP && p == PROFILE_MERGE)
			finding_add(l->f, RULE_FOREIGN, foreign,
			    "\"merge\" deletes nothing: other accounts stay");
	}
	l->d.foreign = (enum profile_foreign)f;
}

static void
lower_account(struct lower *l)
{
	const struct pnode *a = lower_object(l, l->doc->root, "bootstrap_account");
	int oid;

	if (a == NULL)
		return;
	lower_keys(l, a, SEC_ACCOUNT);
	for (const struct pnode *k = a->first; k != NULL; k = k->next) {
		const struct lwm2m_res_def *r = pkey_resource(l->m, SEC_ACCOUNT, -1, k->key, &oid);
		struct lwm2m_value v;

		if (r == NULL || l->rc != ERR_OK || !value_read(l, k, oid, r, &v))
			continue;
		l->rc =
		    lwm2m_tree_add(&l->d.account, lwm2m_path3(LWM2M_SECURITY, 0, r->id), &v, l->e);
	}
}

void
lower_bootstrap(struct lower *l)
{
	const struct pnode *b = lower_object(l, l->doc->root, "bootstrap");
	const struct pnode *verify = pnode_get(b, "verify"), *set_time = pnode_get(b, "set_time");

	l->d.format = PROFILE_FORMAT_AUTO;
	l->d.verify = true;
	if (b != NULL)
		lower_keys(l, b, SEC_BOOTSTRAP);
	read_policy(l, b);
	read_format(l, pnode_get(b, "format"));
	if (verify != NULL)
		(void)value_bool(l, verify, &l->d.verify);
	if (set_time != NULL)
		(void)value_bool(l, set_time, &l->d.set_time);
	read_paths(l, pnode_get(b, "retain"), LWM2M_OBJECT, &l->d.retain, &l->d.n_retain);
	read_paths(l, pnode_get(b, "required_confirmed"), LWM2M_OBJECT, &l->d.required_confirmed,
	    &l->d.n_required_confirmed);
	read_timeouts(l, b);
	lower_account(l);
}

void
lower_document(struct lower *l)
{
	lower_top(l);
	lower_apns_find(l);
	lower_servers_find(l);
	lower_bootstrap(l);
	lower_credentials(l);
	lower_servers(l);
	lower_apns(l);
	lower_access(l);
	lower_objects(l);
	lower_registry(l);
	if (l->rc == ERR_OK)
		lower_handoffs(l);
	if (l->rc == ERR_OK)
		check_rules(l);
}

void
lower_clear(struct lower *l)
{
	profile_desired_clear(&l->d);
	secret_clear(&l->knock_key);
	secret_clear(&l->knock_public);
	gbuf_clear(&l->missing);
	free(l->places);
	l->places = NULL;
	l->n_places = l->cap_places = 0;
}
