/*
 * "registry": true: an account at the registry of the daemon itself, as a document that every such
 * document rests on, and the access control that a second server makes necessary.
 */
#include <string.h>

#include "lib/base/str.h"
#include "profiles/lower.h"

#define REGISTRY_SSID 65000
#define NAME "registry" /* of the server: its key is in the slot servers/registry/security/key */
#define TARGETS_MAX 256
#define EXECUTE 4

static const char secured[] = "{ \"mode\": \"psk\", \"identity\": \"${endpoint}\", \"key\": { \"generate\": 16 } }";

enum err_code
profile_registry_doc(const char *uri, struct profile_doc **out, struct err *e)
{
	struct gbuf text = { .max = 4096 };
	bool open = strncmp(uri, "coap://", 7) == 0;
	enum err_code rc;

	if (strpbrk(uri, "\"\\$") != NULL || !str_is_printable(uri, strlen(uri)))
		return err_set(e, ERR_INVALID, "\"%.100s\" is no URI of a server", uri);
	gbuf_printf(&text, "{ \"profile_format\": 1, \"profile\": \"%s\", \"servers\": { \"" NAME "\": {"
	    " \"short_server_id\": %d, \"uri\": \"%s\", \"security\": %s } } }",
	    PROFILE_REGISTRY, REGISTRY_SSID, uri, open ? "{ \"mode\": \"nosec\" }" : secured);
	rc = gbuf_check(&text, e);
	if (rc == ERR_OK)
		rc = profile_parse(PROFILE_REGISTRY, 1, gbuf_cstr(&text), text.len, out, e);
	gbuf_clear(&text);
	return rc;
}

/* -1: not said, or not to be known. */
static int64_t
mode_of(const struct pnode *root)
{
	const struct pnode *mode =
	    lower_get(pnode_get(pnode_get(pnode_get(root, "servers"), NAME), "security"), SEC_SECURITY, "mode");
	int64_t m = -1;

	if (mode != NULL && mode->type == PN_INT)
		return mode->i;
	return mode != NULL && mode->type == PN_STRING && pword_find(pwords(LWM2M_SECURITY, 2), mode->s, &m) ? m : -1;
}

enum profile_mode
profile_registry_mode(const struct profile_doc *resolved)
{
	int64_t m = mode_of(resolved->root);

	return m == PROFILE_PSK || m == PROFILE_RPK || m == PROFILE_X509 ? (enum profile_mode)m : PROFILE_NOSEC;
}

const struct lwm2m_value *
profile_registry_public(const struct profile_doc *resolved, const struct lwm2m_tree *t)
{
	struct lwm2m_span all = lwm2m_tree_under(t, lwm2m_path1(LWM2M_SECURITY)), sub;
	struct lwm2m_path inst;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		const struct lwm2m_value *ssid = lwm2m_tree_get(t, lwm2m_path_child(inst, 10));
		const char *name = ssid != NULL ? profile_server_name(resolved, (uint16_t)ssid->i) : NULL;

		if (name != NULL && strcmp(name, NAME) == 0)
			return lwm2m_tree_get(t, lwm2m_path_child(inst, 3));
	}
	return NULL;
}

bool
profile_registry_is_psk(const struct pnode *root)
{
	int64_t m = mode_of(root);

	return m < 0 || m == PROFILE_PSK;
}

bool
profile_wants_registry(const struct pnode *root)
{
	const struct pnode *n = pnode_get(root, NAME);

	return n != NULL && n->type == PN_BOOL && n->b;
}

/* ---- access control ---- */

struct targets {
	struct lwm2m_path v[TARGETS_MAX];
	size_t n;
};

/* Some rule is about it already. */
static bool
has_rule(const struct lower *l, struct lwm2m_path target)
{
	struct lwm2m_span all = lwm2m_tree_under(&l->d.tree, lwm2m_path1(LWM2M_ACCESS_CONTROL)), sub;
	struct lwm2m_path inst;

	for (size_t at = 0; lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);) {
		const struct lwm2m_value *o = lwm2m_tree_get(&l->d.tree, lwm2m_path_child(inst, 0)),
		                         *i = lwm2m_tree_get(&l->d.tree, lwm2m_path_child(inst, 1));

		if (o != NULL && i != NULL && o->i == target.id[0] && i->i == target.id[1])
			return true;
	}
	return false;
}

static uint16_t
free_rule(const struct lower *l)
{
	uint16_t iid = 0;

	while (lwm2m_tree_has(&l->d.tree, lwm2m_path2(LWM2M_ACCESS_CONTROL, iid)))
		iid++;
	return iid;
}

static void
put(struct lower *l, struct lwm2m_path p, int64_t n)
{
	struct lwm2m_value v = lwm2m_int(n);

	lower_put(l, p, &v, NULL);
}

/* ssid 0: no entry, so that the owner may do everything. */
static void
put_rule(struct lower *l, struct lwm2m_path target, int64_t owner, int64_t ssid)
{
	struct lwm2m_path inst = lwm2m_path2(LWM2M_ACCESS_CONTROL, free_rule(l));

	if (has_rule(l, target))
		return;
	put(l, lwm2m_path_child(inst, 0), target.id[0]);
	put(l, lwm2m_path_child(inst, 1), target.id[1]);
	if (ssid > 0)
		put(l, lwm2m_path_child(lwm2m_path_child(inst, 2), (uint16_t)ssid), EXECUTE);
	put(l, lwm2m_path_child(inst, 3), owner);
}

/* What is written besides the accounts, and what every device has. */
static void
find_targets(const struct lower *l, struct targets *t)
{
	struct lwm2m_span all = { l->d.tree.nodes, l->d.tree.n }, sub;
	struct lwm2m_path inst;

	t->v[t->n++] = lwm2m_path2(LWM2M_DEVICE, 0);
	for (size_t at = 0; t->n < TARGETS_MAX && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		if (inst.id[0] != LWM2M_SECURITY && inst.id[0] != LWM2M_SERVER && inst.id[0] != LWM2M_OSCORE &&
		    inst.id[0] != LWM2M_ACCESS_CONTROL && !(inst.id[0] == LWM2M_DEVICE && inst.id[1] == 0))
			t->v[t->n++] = inst;
}

/*
 * Alone with its server a device asks nobody for rights; with the registry it has two servers. The
 * first keeps what it had of all that is written here.
 */
static void
keep_rights(struct lower *l, const struct lserver *s)
{
	struct targets t = { .n = 0 };

	find_targets(l, &t);
	put_rule(l, lwm2m_path2(LWM2M_SERVER, s->iid), s->ssid, 0);
	for (size_t i = 0; i < t.n && l->rc == ERR_OK; i++)
		put_rule(l, t.v[i], s->ssid, 0);
}

void
lower_registry(struct lower *l)
{
	const struct pnode *acls = pnode_get(l->doc->root, "access_control");
	int reg = lower_server_by_name(l, NAME);

	if (!profile_wants_registry(l->doc->root) || reg < 0 || l->n_servers < 2 || l->rc != ERR_OK)
		return;
	const struct lserver *r = &l->servers[reg];
	for (size_t i = 0; i < l->n_servers; i++)
		if (l->servers[i].ssid < 0)
			return; /* that is a finding, or not known yet */
	put_rule(l, lwm2m_path2(LWM2M_SERVER, r->iid), LWM2M_MAX_ID, r->ssid);
	if (l->n_servers == 2 && (acls == NULL || acls->n == 0))
		keep_rights(l, &l->servers[reg == 0 ? 1 : 0]);
}
