/* What only shows across the whole configuration: one row for each rule. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profiles/lower.h"

static const struct pnode *
place(const struct lower *l, struct lwm2m_path p)
{
	const struct pnode *n = lower_place(l, p);

	return n != NULL ? n : l->doc->root;
}

/* The instances of an object, one after the other. */
struct instances {
	struct lwm2m_span all;
	size_t at;
};

static struct instances
instances_of(const struct lower *l, uint16_t oid)
{
	return (struct instances){ .all = lwm2m_tree_under(&l->d.tree, lwm2m_path1(oid)) };
}

static bool
next_instance(struct instances *i, struct lwm2m_path *inst)
{
	struct lwm2m_span sub;

	return lwm2m_span_next(&i->all, LWM2M_INSTANCE, &i->at, inst, &sub);
}

static const struct lwm2m_value *
value_at(const struct lower *l, struct lwm2m_path inst, uint16_t rid)
{
	return lwm2m_tree_get(&l->d.tree, lwm2m_path_child(inst, rid));
}

static bool
number_at(const struct lower *l, struct lwm2m_path inst, uint16_t rid, int64_t *out)
{
	const struct lwm2m_value *v = value_at(l, inst, rid);

	return v != NULL && lwm2m_value_number(v, out);
}

/* ---- accounts ---- */

static bool
has_ssid(const struct lower *l, uint16_t oid, uint16_t rid, int64_t ssid)
{
	struct lwm2m_path inst;
	int64_t other;

	for (struct instances xs = instances_of(l, oid); next_instance(&xs, &inst);)
		if (number_at(l, inst, rid, &other) && other == ssid)
			return true;
	return false;
}

static void
check_duplicate_ids(struct lower *l)
{
	struct lwm2m_path a, b;
	int64_t x, y;

	for (struct instances xs = instances_of(l, LWM2M_SERVER); next_instance(&xs, &a);) {
		if (!number_at(l, a, 0, &x))
			continue;
		for (struct instances ys = instances_of(l, LWM2M_SERVER);
		     next_instance(&ys, &b) && b.id[1] < a.id[1];) {
			if (!number_at(l, b, 0, &y) || x != y)
				continue;
			finding_add(l->f, RULE_DUPLICATE_ID, place(l, lwm2m_path_child(a, 0)),
			    "Short Server ID %" PRId64 " is there twice", x);
			break;
		}
	}
}

static char
letter_of(const struct lower *l, struct lwm2m_path inst)
{
	const struct lwm2m_value *uri = value_at(l, inst, 0);
	struct puri p;

	if (uri == NULL || uri->bytes.len == 0 ||
	    puri_parse((const char *)uri->bytes.data, &p, NULL) != ERR_OK)
		return 0;
	return p.letter;
}

static void
check_duplicate_accounts(struct lower *l)
{
	struct lwm2m_path a, b;
	int64_t x, y;

	for (struct instances xs = instances_of(l, LWM2M_SECURITY); next_instance(&xs, &a);) {
		char letter = letter_of(l, a);

		if (letter == 0 || !number_at(l, a, 10, &x))
			continue;
		for (struct instances ys = instances_of(l, LWM2M_SECURITY);
		     next_instance(&ys, &b) && b.id[1] < a.id[1];) {
			if (!number_at(l, b, 10, &y) || x != y || letter_of(l, b) != letter)
				continue;
			finding_add(l->f, RULE_DUPLICATE_ACCOUNT, place(l, lwm2m_path_child(a, 0)),
			    "Short Server ID %" PRId64 " has two accounts on transport %c", x,
			    letter);
			break;
		}
	}
}

static void
check_pairs(struct lower *l)
{
	static const struct {
		uint16_t oid, rid, other, other_rid;
	} rows[] = { { LWM2M_SERVER, 0, LWM2M_SECURITY, 10 },
		{ LWM2M_SECURITY, 10, LWM2M_SERVER, 0 } };
	struct lwm2m_path inst;
	int64_t ssid;

	if (l->d.policy != PROFILE_REPLACE || lower_partial(l))
		return;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (struct instances xs = instances_of(l, rows[i].oid); next_instance(&xs, &inst);)
			if (number_at(l, inst, rows[i].rid, &ssid) &&
			    !has_ssid(l, rows[i].other, rows[i].other_rid, ssid))
				finding_add(l->f, RULE_UNPAIRED,
				    place(l, lwm2m_path_child(inst, rows[i].rid)),
				    "Short Server ID %" PRId64 " has no /%u instance", ssid,
				    (unsigned)rows[i].other);
}

/* ---- bindings ---- */

static const char *
text_at(const struct lower *l, struct lwm2m_path inst, uint16_t rid)
{
	const struct lwm2m_value *v = value_at(l, inst, rid);

	return v == NULL ? NULL : v->bytes.len > 0 ? (const char *)v->bytes.data : "";
}

static bool
letters_ok(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if (strchr("UTSNMHQ", *p) == NULL || strchr(p + 1, *p) != NULL)
			return false;
	return s[strspn(s, "Q")] != '\0';
}

static void
check_binding(struct lower *l, const struct lserver *s, struct lwm2m_path inst)
{
	const char *binding = text_at(l, inst, 7), *preferred = text_at(l, inst, 22);
	const struct pnode *at = place(l, lwm2m_path_child(inst, 7));

	if (binding != NULL && !letters_ok(binding)) {
		finding_add(l->f, RULE_BINDING, at,
		    "\"%.20s\" is no binding: letters of U, T, S, N, each once", binding);
		return;
	}
	if (binding != NULL && s != NULL && s->letters[0] != '\0' && !s->open &&
	    strpbrk(binding, s->letters) == NULL)
		finding_add(l->f, RULE_BINDING, at,
		    "binding \"%.20s\" and the URI's transport %s have nothing in common", binding,
		    s->letters);
	if (preferred == NULL)
		return;
	at = place(l, lwm2m_path_child(inst, 22));
	if (strlen(preferred) != 1 || !letters_ok(preferred))
		finding_add(
		    l->f, RULE_BINDING, at, "\"%.20s\" is not one letter of a binding", preferred);
	else if (binding != NULL && strchr(binding, preferred[0]) == NULL)
		finding_add(l->f, RULE_BINDING, at,
		    "preferred transport %s is not in the binding \"%.20s\"", preferred, binding);
	else if (s != NULL && !s->open && s->letters[0] != '\0' &&
	         strchr(s->letters, preferred[0]) == NULL)
		finding_add(l->f, RULE_BINDING, at,
		    "preferred transport %s, and no URI of the server has it", preferred);
}

static void
check_bindings(struct lower *l)
{
	struct lwm2m_path inst;

	for (struct instances xs = instances_of(l, LWM2M_SERVER); next_instance(&xs, &inst);)
		check_binding(l, inst.id[1] < l->n_servers ? &l->servers[inst.id[1]] : NULL, inst);
}

/* ---- keys ---- */

static bool
keys_may_be_shared(const struct lower *l)
{
	const struct pnode *n = pnode_get(l->doc->root, "shared_key");

	return n != NULL && n->type == PN_BOOL && n->b;
}

static const struct lwm2m_value *
psk_of(const struct lower *l, struct lwm2m_path inst)
{
	int64_t mode;

	return number_at(l, inst, 2, &mode) && mode == PROFILE_PSK ? value_at(l, inst, 5) : NULL;
}

static void
check_same_key(struct lower *l, struct lwm2m_path a, const struct lwm2m_value *key)
{
	const struct pnode *at = place(l, lwm2m_path_child(a, 5));
	struct lwm2m_path b;
	int64_t x = -1, y = -1;

	if (l->knock_node != NULL && secret_equal(&l->knock_key, &key->bytes)) {
		finding_add(l->f, RULE_SAME_KEY, at, "the key that the device bootstraps with");
		return;
	}
	(void)number_at(l, a, 10, &x);
	for (struct instances ys = instances_of(l, LWM2M_SECURITY);
	     next_instance(&ys, &b) && b.id[1] < a.id[1];) {
		const struct lwm2m_value *other = psk_of(l, b);

		if (other == NULL || !secret_equal(&other->bytes, &key->bytes) ||
		    (number_at(l, b, 10, &y) && x == y))
			continue;
		finding_add(
		    l->f, RULE_SAME_KEY, at, "the key of Short Server ID %" PRId64 " again", y);
		return;
	}
}

static void
check_keys(struct lower *l)
{
	struct lwm2m_path inst;

	if (keys_may_be_shared(l))
		return;
	for (struct instances xs = instances_of(l, LWM2M_SECURITY); next_instance(&xs, &inst);) {
		const struct lwm2m_value *key = psk_of(l, inst);

		if (key != NULL && key->bytes.len > 0)
			check_same_key(l, inst, key);
	}
}

/* A device that has nothing to compare a server with takes any (modes rpk and x509). */
static void
check_server_keys(struct lower *l)
{
	struct lwm2m_path inst;
	int64_t mode;

	for (struct instances xs = instances_of(l, LWM2M_SECURITY); next_instance(&xs, &inst);) {
		const struct lwm2m_value *v = value_at(l, inst, 4);

		if (v != NULL && v->bytes.len == 0 && number_at(l, inst, 2, &mode) &&
		    (mode == PROFILE_RPK || mode == PROFILE_X509))
			finding_add(l->f, RULE_NO_SERVER_KEY, place(l, lwm2m_path_child(inst, 4)),
			    "without a server public key the device would accept any server");
	}
}

/* PSK suites of TLS have numbers in these ranges (the IANA registry; RFC 4279, 4785, 5487, 5489,
 * 6655, 8442). */
static bool
is_psk_suite(int64_t n)
{
	static const struct {
		uint16_t from, to;
	} ranges[] = { { 0x002c, 0x002e }, { 0x008a, 0x0095 }, { 0x00a8, 0x00b9 },
		{ 0xc033, 0xc03b }, { 0xc064, 0xc071 }, { 0xc08e, 0xc09b }, { 0xc0a4, 0xc0ab },
		{ 0xccab, 0xccae }, { 0xd001, 0xd005 } };

	for (size_t i = 0; i < N_ELEMS(ranges); i++)
		if (n >= ranges[i].from && n <= ranges[i].to)
			return true;
	return false;
}

static void
check_suites(struct lower *l)
{
	struct lwm2m_path inst;
	int64_t mode, suite;

	for (struct instances xs = instances_of(l, LWM2M_SECURITY); next_instance(&xs, &inst);) {
		struct lwm2m_span all = lwm2m_tree_under(&l->d.tree, lwm2m_path_child(inst, 16));

		if (!number_at(l, inst, 2, &mode) || mode > PROFILE_X509)
			continue;
		for (size_t i = 0; i < all.n; i++)
			if (lwm2m_value_number(&all.nodes[i].value, &suite) &&
			    (suite >> 8) != 0x13 && is_psk_suite(suite) != (mode == PROFILE_PSK))
				finding_add(l->f, RULE_SUITE, place(l, all.nodes[i].path),
				    "cipher suite 0x%04x does not go with mode %s", (unsigned)suite,
				    mode == PROFILE_PSK   ? "psk"
				    : mode == PROFILE_RPK ? "rpk"
				                          : "x509");
	}
}

static void
check_sni(struct lower *l)
{
	struct lwm2m_path inst;
	char name[PROFILE_HOST_MAX + 16], uri[PROFILE_HOST_MAX + 16];

	for (struct instances xs = instances_of(l, LWM2M_SECURITY); next_instance(&xs, &inst);) {
		const char *sni = text_at(l, inst, 14);

		if (sni == NULL)
			continue;
		(void)snprintf(uri, sizeof uri, "coaps://%s", sni);
		if (strchr(sni, ':') != NULL || strchr(sni, '/') != NULL ||
		    !puri_name(uri, name, sizeof name) || strncmp(name, "dns:", 4) != 0)
			finding_add(l->f, RULE_SNI, place(l, lwm2m_path_child(inst, 14)),
			    "\"%.80s\" is no host name", sni);
	}
}

/* ---- links ---- */

/* Objects whose instances come from this document alone, so that a link into them must end here. */
static bool
ours(const struct lower *l, uint16_t oid)
{
	return oid == LWM2M_SECURITY || oid == LWM2M_SERVER || oid == LWM2M_APN ||
	       oid == LWM2M_OSCORE || oid == LWM2M_COSE ||
	       lwm2m_tree_has(&l->d.tree, lwm2m_path1(oid));
}

static void
check_links(struct lower *l)
{
	if (l->d.policy != PROFILE_REPLACE || lower_partial(l))
		return;
	for (size_t i = 0; i < l->d.tree.n; i++) {
		const struct lwm2m_node *n = &l->d.tree.nodes[i];
		const struct lwm2m_objlnk *k = &n->value.link;

		if (n->value.type != LWM2M_OBJLNK || k->object == LWM2M_MAX_ID ||
		    !ours(l, k->object) ||
		    lwm2m_tree_has(&l->d.tree, lwm2m_path2(k->object, k->instance)))
			continue;
		finding_add(l->f, RULE_LINK, place(l, n->path),
		    "%u:%u: the document writes no such instance", (unsigned)k->object,
		    (unsigned)k->instance);
	}
}

/* ---- access ---- */

static void
check_access(struct lower *l)
{
	const struct pnode *servers = pnode_get(l->doc->root, "servers");

	if (l->n_servers > 1 && !lwm2m_tree_has(&l->d.tree, lwm2m_path1(LWM2M_ACCESS_CONTROL)) &&
	    !lower_partial(l) && pnode_get(l->doc->root, "access_control") == NULL)
		finding_key(
		    l->f, RULE_NO_ACL, servers, "%zu servers and no access_control", l->n_servers);
}

/* Whether some rule lets a server read something. */
static bool
may_read(const struct lower *l, int64_t ssid)
{
	struct lwm2m_path inst;
	int64_t rights, owner;

	for (struct instances xs = instances_of(l, LWM2M_ACCESS_CONTROL);
	     next_instance(&xs, &inst);) {
		struct lwm2m_path acl = lwm2m_path_child(inst, 2);
		const struct lwm2m_value *own =
		    lwm2m_tree_get(&l->d.tree, lwm2m_path_child(acl, (uint16_t)ssid));
		const struct lwm2m_value *all =
		    lwm2m_tree_get(&l->d.tree, lwm2m_path_child(acl, 0));

		if (own == NULL)
			own = all;
		if (own != NULL && lwm2m_value_number(own, &rights) && (rights & 1) != 0)
			return true;
		if (!lwm2m_tree_has(&l->d.tree, acl) && number_at(l, inst, 3, &owner) &&
		    owner == ssid)
			return true;
	}
	return false;
}

static void
check_mute_send(struct lower *l)
{
	struct lwm2m_path inst;
	int64_t ssid;

	if (l->n_servers < 2 || lower_partial(l))
		return;
	for (struct instances xs = instances_of(l, LWM2M_SERVER); next_instance(&xs, &inst);) {
		const struct lwm2m_value *mute = value_at(l, inst, 23);

		if (mute != NULL && !mute->b && number_at(l, inst, 0, &ssid) && !may_read(l, ssid))
			finding_add(l->f, RULE_MUTE_SEND, place(l, lwm2m_path_child(inst, 23)),
			    "Send is wanted, and no rule lets server %" PRId64 " read anything",
			    ssid);
	}
}

/* ---- what clients are known to refuse, and other advice ---- */

static void
check_refused(struct lower *l)
{
	static const struct {
		uint16_t oid, rid;
		int64_t value;
		enum prule rule;
		const char *why;
	} rows[] = {
		{ LWM2M_SERVER, 3, 0, RULE_REFUSED, "0 as maximum period" },
		{ LWM2M_SERVER, 17, 0, RULE_REFUSED, "0 retries" },
		{ LWM2M_SERVER, 20, 0, RULE_REFUSED, "0 sequences of retries" },
		{ LWM2M_SECURITY, 13, 2, RULE_REFUSED, "SHA-384 as matching type" },
	};
	struct lwm2m_path inst;
	int64_t v;

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (struct instances xs = instances_of(l, rows[i].oid); next_instance(&xs, &inst);)
			if (number_at(l, inst, rows[i].rid, &v) && v == rows[i].value)
				finding_add(l->f, rows[i].rule,
				    place(l, lwm2m_path_child(inst, rows[i].rid)), "%s",
				    rows[i].why);
	if (number_at(l, lwm2m_path2(LWM2M_CELLULAR, 0), 1, &v) && v > 0)
		finding_add(l->f, RULE_AT_ONCE, place(l, lwm2m_path3(LWM2M_CELLULAR, 0, 1)),
		    "the radio is off for %" PRId64 " minutes from the write on", v);
}

static void
check_timeouts(struct lower *l)
{
	const struct pnode *b = pnode_get(l->doc->root, "bootstrap"),
	                   *s = pnode_get(b, "session_timeout");

	if (s != NULL && l->d.session_timeout_ms < l->d.request_timeout_ms)
		finding_add(l->f, RULE_RANGE, s,
		    "a session of %u s is over before one request of %u s is",
		    l->d.session_timeout_ms / 1000, l->d.request_timeout_ms / 1000);
}

static void
check_retained(struct lower *l)
{
	const struct pnode *list = pnode_get(pnode_get(l->doc->root, "bootstrap"), "retain");

	for (size_t i = 0; list != NULL && i < l->d.n_retain && l->d.n_retain == list->n; i++) {
		const struct pnode *at = list->first;

		for (size_t k = 0; k < i; k++)
			at = at->next;
		if (lwm2m_tree_has(&l->d.tree, l->d.retain[i]))
			finding_add(l->f, RULE_RETAINED, at, "the document has values under %s",
			    lwm2m_path_str(l->d.retain[i]).s);
	}
}

void
check_rules(struct lower *l)
{
	static void (*const all[])(struct lower *) = { check_duplicate_ids,
		check_duplicate_accounts, check_pairs, check_bindings, check_keys,
		check_server_keys, check_suites, check_sni, check_links, check_access,
		check_mute_send, check_refused, check_order, check_timeouts, check_retained };

	for (size_t i = 0; i < N_ELEMS(all); i++)
		all[i](l);
}
