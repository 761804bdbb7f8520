/* What a device holds, as its sessions saw it: the inventory, who may do what, what was before. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/held.h"
#include "bsserver/api/prep.h"
#include "lib/base/str.h"

/* ---- one held, read back ---- */

void
seen_clear(struct seen *s)
{
	bs_inventory_clear(&s->inv);
	profile_doc_free(s->resolved);
	*s = (struct seen){ .inv = { .account = BS_UNKNOWN_INSTANCE } };
}

enum err_code
seen_load(struct seen *s, const struct lwm2m_model *m, const struct store_held *h, struct err *e)
{
	const struct bs_held held = past_held(h);

	s->inv.account = BS_UNKNOWN_INSTANCE;
	return bs_inventory_load(&s->inv, m, &held, e);
}

const char *
seen_server(const struct seen *s, int64_t ssid)
{
	if (s->resolved == NULL || ssid < 1 || ssid > UINT16_MAX)
		return NULL;
	return profile_server_name(s->resolved, (uint16_t)ssid);
}

bool
seen_number(const struct seen *s, struct lwm2m_path p, int64_t *out)
{
	const struct lwm2m_value *v = lwm2m_tree_get(&s->inv.seen, p);

	return v != NULL && lwm2m_value_number(v, out);
}

void
seen_print(struct gbuf *out, const struct lwm2m_value *v)
{
	const char *s = v->type == LWM2M_OPAQUE ? (const char *)v->bytes.data : NULL;

	if (s == NULL || !str_is_printable(s, v->bytes.len)) {
		lwm2m_value_print(out, v);
		return;
	}
	gbuf_u8(out, '"');
	str_quote(out, s, v->bytes.len);
	gbuf_u8(out, '"');
}

/* The Short Server ID of a /1 instance: as Read showed it, else as Discover did; 0. */
static int64_t
ssid_of(const struct seen *s, struct lwm2m_path server)
{
	const struct lwm2m_link_entry *l = lwm2m_links_find(&s->inv.links, server);
	int64_t ssid = 0;

	if (!seen_number(s, lwm2m_path_child(server, 0), &ssid) && l != NULL)
		ssid = l->ssid;
	return ssid;
}

/* ---- as JSON ---- */

json_t *
json_of_held(const struct store_held *h)
{
	json_t *j = json_object();

	json_put(j, "session", json_u64(h->session));
	json_put(j, "last_session", json_u64(h->last_session));
	json_put(j, "at", json_when(h->at_ms));
	json_put(j, "last", json_when(h->last_ms));
	json_put(j, "good", json_boolean(h->good));
	json_put(j, "restored", json_boolean(h->restored));
	json_put(j, "revision", json_u64(h->revision));
	json_put(j, "profile", json_text(h->profile));
	json_put(j, "fingerprints", json_text(h->fingerprints));
	json_put(j, "discovered", json_boolean(h->links != NULL));
	json_put(j, "read", json_array());
	for (unsigned oid = LWM2M_SERVER; oid <= LWM2M_ACCESS_CONTROL; oid++)
		if ((h->read >> oid & 1) != 0)
			(void)json_array_append_new(json_object_get(j, "read"),
			    json_text(lwm2m_path_str(lwm2m_path1((uint16_t)oid)).s));
	return j;
}

static json_t *
json_of_links(const struct seen *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->inv.links.n; i++) {
		const struct lwm2m_link_entry *l = &s->inv.links.v[i];
		json_t *j;

		if (l->path.depth != LWM2M_INSTANCE)
			continue;
		j = json_object();
		json_put(j, "path", json_text(lwm2m_path_str(l->path).s));
		json_put(j, "short_server_id", l->ssid == 0 ? json_null() : json_integer(l->ssid));
		json_put(j, "uri", json_text(l->uri));
		(void)json_array_append_new(list, j);
	}
	return list;
}

static json_t *
json_of_values(const struct seen *s, const struct lwm2m_model *m)
{
	json_t *list = json_array();
	struct gbuf text = { .max = 65536 };

	for (size_t i = 0; i < s->inv.seen.n; i++) {
		const struct lwm2m_node *n = &s->inv.seen.nodes[i];
		const struct lwm2m_res_def *def;
		json_t *j;

		if (n->path.depth < LWM2M_RESOURCE)
			continue;
		def = lwm2m_model_resource(m, n->path.id[0], n->path.id[2]);
		gbuf_reset(&text);
		seen_print(&text, &n->value);
		j = json_object();
		json_put(j, "path", json_text(lwm2m_path_str(n->path).s));
		json_put(j, "name", json_text(def == NULL ? NULL : def->key));
		json_put(j, "value", json_text(gbuf_cstr(&text)));
		(void)json_array_append_new(list, j);
	}
	gbuf_clear(&text);
	return list;
}

/* A Security instance with the Server instance of the same number. */
static json_t *
account_of(const struct seen *s, const struct lwm2m_link_entry *l)
{
	const struct lwm2m_link_entry *k;
	bool own = l->path.id[1] == s->inv.account;
	json_t *j = json_object();

	json_put(j, "security", json_text(lwm2m_path_str(l->path).s));
	json_put(j, "server", json_null());
	for (size_t at = 0; l->ssid != 0 && (k = bs_inventory_next(&s->inv, LWM2M_SERVER, &at)) != NULL;)
		if (ssid_of(s, k->path) == l->ssid)
			json_put(j, "server", json_text(lwm2m_path_str(k->path).s));
	json_put(j, "bootstrap", json_boolean(own));
	json_put(j, "short_server_id", l->ssid == 0 ? json_null() : json_integer(l->ssid));
	json_put(j, "name", json_text(seen_server(s, l->ssid)));
	json_put(j, "uri", json_text(l->uri));
	return j;
}

static json_t *
json_of_accounts(const struct seen *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->inv.links.n; i++) {
		const struct lwm2m_link_entry *l = &s->inv.links.v[i];

		if (l->path.depth == LWM2M_INSTANCE && l->path.id[0] == LWM2M_SECURITY)
			(void)json_array_append_new(list, account_of(s, l));
	}
	return list;
}

/* ---- access control ---- */

static void
put_party(json_t *j, const char *key, const struct seen *s, int64_t ssid)
{
	const char *name = ssid == LWM2M_MAX_ID ? "bootstrap" : ssid == 0 ? "default" : seen_server(s, ssid);
	char member[32];

	(void)snprintf(member, sizeof member, "%s_name", key);
	json_put(j, key, json_integer(ssid));
	json_put(j, member, json_text(name));
}

static json_t *
json_of_rights(int64_t bits)
{
	static const char *const names[] = { "read", "write", "execute", "delete", "create" };
	json_t *list = json_array();

	for (size_t i = 0; i < N_ELEMS(names); i++)
		if ((bits >> i & 1) != 0)
			(void)json_array_append_new(list, json_text(names[i]));
	return list;
}

static json_t *
acl_row(const struct seen *s, struct lwm2m_path inst)
{
	int64_t oid = -1, iid = -1, owner = -1;
	char target[48] = "";
	json_t *j = json_object();

	(void)seen_number(s, lwm2m_path_child(inst, 0), &oid);
	(void)seen_number(s, lwm2m_path_child(inst, 1), &iid);
	if (oid >= 0 && (iid < 0 || iid == LWM2M_MAX_ID))
		(void)snprintf(target, sizeof target, "/%" PRId64, oid);
	else if (oid >= 0)
		(void)snprintf(target, sizeof target, "/%" PRId64 "/%" PRId64, oid, iid);
	json_put(j, "acl", json_text(lwm2m_path_str(inst).s));
	json_put(j, "target", target[0] == 0 ? json_null() : json_text(target));
	if (seen_number(s, lwm2m_path_child(inst, 3), &owner))
		put_party(j, "owner", s, owner);
	return j;
}

/* One row for each server that has rights; one without, when nobody has any. */
static void
put_acl(json_t *list, const struct seen *s, struct lwm2m_path inst)
{
	struct lwm2m_span rights = lwm2m_tree_under(&s->inv.seen, lwm2m_path_child(inst, 2));
	size_t n = 0;

	for (size_t i = 0; i < rights.n; i++) {
		const struct lwm2m_node *node = &rights.nodes[i];
		int64_t bits;
		json_t *j;

		if (node->path.depth != LWM2M_RES_INSTANCE || !lwm2m_value_number(&node->value, &bits))
			continue;
		j = acl_row(s, inst);
		put_party(j, "server", s, node->path.id[3]);
		json_put(j, "rights", json_of_rights(bits));
		(void)json_array_append_new(list, j);
		n++;
	}
	if (n == 0) {
		json_t *j = acl_row(s, inst);

		json_put(j, "rights", json_array());
		(void)json_array_append_new(list, j);
	}
}

static json_t *
json_of_acls(const struct seen *s)
{
	struct lwm2m_span all = lwm2m_tree_under(&s->inv.seen, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path inst;
	json_t *list = json_array();

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		put_acl(list, s, inst);
	return list;
}

/* ---- the answers: what it held, then its document for the names ---- */

struct look {
	struct req *r;
	struct store_held held;
	bool acl;
};

static void
look_free(void *arg)
{
	struct look *l = arg;

	store_held_clear(&l->held);
	free(l);
}

static void
resolve_names(struct req *r, const struct store_device *d, struct seen *s)
{
	struct prep *p = NULL;

	if (prep_read(r->api, d->endpoint, 1, d->doc, strlen(d->doc), &p, NULL) == ERR_OK &&
	    profile_resolve(p->own, prep_find, p, &p->findings, &p->resolved, NULL) == ERR_OK) {
		s->resolved = p->resolved;
		p->resolved = NULL;
	}
	prep_free(p);
}

static json_t *
findings_about(const char *text, bool acl)
{
	json_t *all = json_doc(text), *list = json_array(), *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		const char *name = json_string_value(json_object_get(one, "finding"));

		if (!acl || (name != NULL && (strstr(name, "acl") != NULL || strncmp(name, "create_", 7) == 0)))
			(void)json_array_append(list, one);
	}
	json_decref(all);
	return list;
}

static void
answer_look(struct look *l, const struct seen *s, const char *endpoint)
{
	json_t *j = json_of_held(&l->held);

	json_put(j, "endpoint", json_text(endpoint));
	if (l->acl) {
		json_put(j, "acl", json_of_acls(s));
	} else {
		json_put(j, "accounts", json_of_accounts(s));
		json_put(j, "instances", json_of_links(s));
		json_put(j, "values", json_of_values(s, l->r->api->c.model));
		json_put(j, "raw", json_pack("{s:o, s:o, s:i}", "links", json_text(l->held.links), "values",
		                       json_text(l->held.values), "read", (int)l->held.read));
	}
	json_put(j, "findings", findings_about(l->held.findings, l->acl));
	answer_json(l->r, 200, j);
}

static void
on_named(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n)
{
	struct look *l = arg;
	struct seen s = { 0 };
	struct err mine;

	(void)creds;
	(void)n;
	if (rc == ERR_OK) {
		e = &mine;
		rc = seen_load(&s, l->r->api->c.model, &l->held, &mine);
	}
	if (rc == ERR_OK) {
		resolve_names(l->r, d, &s);
		answer_look(l, &s, d->endpoint);
	} else
		answer_err(l->r, 0, e);
	seen_clear(&s);
}

static void
on_held(void *arg, enum err_code rc, const struct err *e, struct store_held *v, size_t n, bool more)
{
	struct look *l = arg;

	(void)more;
	if (rc != ERR_OK || n == 0) {
		answer_err(l->r, 0, e);
		return;
	}
	l->held = v[0];
	v[0] = (struct store_held){ 0 };
	if (req_alive(l->r))
		l->r->api->c.ops->device_get(l->r->api->c.store, req_arg(l->r, 0), on_named, l);
}

static void
look(struct req *r, bool acl)
{
	struct look *l;
	uint64_t session;

	if (!req_u64(r, "session", 1, INT64_MAX, 0, &session))
		return;
	l = calloc(1, sizeof *l);
	if (l == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return;
	}
	l->r = r;
	l->acl = acl;
	r->state = l;
	r->state_free = look_free;
	r->api->c.ops->held_get(r->api->c.store, req_arg(r, 0), session, on_held, l);
}

void
get_device_inventory(struct req *r)
{
	look(r, false);
}

void
get_device_acl(struct req *r)
{
	look(r, true);
}
