/* "servers": each one /1 instance, and a /0 instance for each of its transports. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "pki/pin.h"
#include "profiles/lower_account.h"
#include "profiles/material.h"

#define DEFAULT_LIFETIME_S 86400
#define PSK_MIN 16
#define PSK_MAX 64
#define IDENTITY_MAX 128

/* ---- who there is ---- */

static void
check_name(struct lower *l, const struct pnode *n)
{
	static const char *const taken[] = { "default", "bootstrap" };

	for (size_t i = 0; i < N_ELEMS(taken); i++)
		if (strcmp(n->key, taken[i]) == 0)
			finding_key(l->f, RULE_UNKNOWN_KEY, n,
			    "\"%s\" has a meaning of its own and names no server", n->key);
	if (n->key[0] == '\0' || n->key[strspn(n->key, "0123456789")] == '\0' ||
	    strchr(n->key, '/') != NULL)
		finding_key(
		    l->f, RULE_UNKNOWN_KEY, n, "a local name is no number and has no slash in it");
}

static int64_t
read_ssid(struct lower *l, const struct pnode *server)
{
	const struct lwm2m_res_def *r = lwm2m_model_resource(l->m, LWM2M_SERVER, 0);
	const struct pnode *n = pnode_get(server, "short_server_id");
	struct lwm2m_value v;

	if (n == NULL) {
		if (!lower_partial(l))
			finding_member(l->f, RULE_MISSING, server, "short_server_id",
			    "short_server_id is missing");
		return -1;
	}
	return r != NULL && value_read(l, n, LWM2M_SERVER, r, &v) ? v.i : -1;
}

static void
insert_server(struct lower *l, const struct pnode *n)
{
	int64_t ssid = read_ssid(l, n);
	size_t at = l->n_servers;

	while (at > 0 && ssid >= 0 &&
	       (l->servers[at - 1].ssid < 0 || l->servers[at - 1].ssid > ssid)) {
		l->servers[at] = l->servers[at - 1];
		at--;
	}
	l->servers[at] = (struct lserver){ .node = n, .ssid = ssid };
	l->n_servers++;
}

static unsigned
rank(const struct laccount *a)
{
	static const char order[] = "UTSN";
	const char *at = a->parsed.letter != 0 ? strchr(order, a->parsed.letter) : NULL;

	return at != NULL ? (unsigned)(at - order) : 9;
}

static void
read_uri(struct lower *l, const struct pnode *n, struct laccount *a)
{
	struct err e = { 0 };

	if (n->open)
		return;
	if (n->type != PN_STRING) {
		finding_add(l->f, RULE_TYPE, n, "must be a string, is %s", pnode_type_name(n));
		return;
	}
	if (puri_parse(n->s, &a->parsed, &e) != ERR_OK) {
		finding_add(l->f, RULE_URI, n, "\"%.100s\" is no URI of a server: %s", n->s, e.msg);
		return;
	}
	if (a->parsed.bad_port)
		finding_add(l->f, RULE_PORT, n, "the port in \"%.100s\" is not 1..65535", n->s);
	if (a->parsed.unspecified)
		finding_add(l->f, RULE_UNSPECIFIED, n, "\"%.100s\" names no address", n->s);
	if (a->parsed.local)
		finding_add(l->f, RULE_LOCALHOST, n, "\"%.100s\" is the device itself", n->s);
}

static void
add_letter(struct lserver *s, char letter)
{
	size_t n = strlen(s->letters);

	if (letter != 0 && strchr(s->letters, letter) == NULL && n + 1 < sizeof s->letters)
		s->letters[n] = letter;
}

static void
insert_account(struct lower *l, size_t first, const struct laccount *a)
{
	size_t at = l->n_accounts;

	if (at >= ACCOUNTS_MAX) {
		finding_add(l->f, RULE_LIMIT, a->at, "more than %d accounts", ACCOUNTS_MAX);
		return;
	}
	while (at > first && rank(&l->accounts[at - 1]) > rank(a)) {
		l->accounts[at] = l->accounts[at - 1];
		at--;
	}
	l->accounts[at] = *a;
	l->n_accounts++;
}

static void
find_account(struct lower *l, size_t server, const struct pnode *at, size_t first)
{
	struct lserver *s = &l->servers[server];
	bool element = at != s->node;
	enum psection sec = element ? SEC_ENDPOINT : SEC_SERVER;
	struct laccount a = { .server = server,
		.at = at,
		.mode = -1,
		.uri = lower_get(at, sec, "uri"),
		.shared = pnode_get(s->node, "security"),
		.security = element ? pnode_get(at, "security") : NULL };

	if (a.uri != NULL)
		read_uri(l, a.uri, &a);
	else if (!lower_partial(l))
		finding_member(l->f, RULE_MISSING, at, "uri", "uri is missing");
	if (a.uri != NULL && a.parsed.scheme == URI_NONE)
		s->open = true;
	add_letter(s, a.parsed.letter);
	insert_account(l, first, &a);
}

static void
find_accounts(struct lower *l, size_t server)
{
	const struct pnode *n = l->servers[server].node, *list = pnode_get(n, "endpoints");
	size_t first = l->n_accounts;

	if (list == NULL) {
		find_account(l, server, n, first);
		return;
	}
	if (lower_get(n, SEC_SERVER, "uri") != NULL)
		finding_key(l->f, RULE_TWO_SPELLINGS, list, "\"uri\" and \"endpoints\" at once");
	if (list->type != PN_ARRAY || list->n == 0) {
		finding_add(l->f, RULE_TYPE, list, "must be a list of {uri, security}");
		return;
	}
	for (const struct pnode *k = list->first; k != NULL; k = k->next) {
		if (k->type != PN_OBJECT) {
			finding_add(
			    l->f, RULE_TYPE, k, "must be an object, is %s", pnode_type_name(k));
			continue;
		}
		lower_keys(l, k, SEC_ENDPOINT);
		find_account(l, server, k, first);
	}
}

void
lower_servers_find(struct lower *l)
{
	const struct pnode *servers = lower_object(l, l->doc->root, "servers");

	for (const struct pnode *k = servers != NULL ? servers->first : NULL; k != NULL;
	     k = k->next) {
		check_name(l, k);
		if (k->type != PN_OBJECT) {
			finding_add(
			    l->f, RULE_TYPE, k, "must be an object, is %s", pnode_type_name(k));
			continue;
		}
		if (l->n_servers >= SERVERS_MAX) {
			finding_add(l->f, RULE_LIMIT, k, "more than %d servers", SERVERS_MAX);
			break;
		}
		lower_keys(l, k, SEC_SERVER);
		insert_server(l, k);
	}
	for (size_t i = 0; i < l->n_servers; i++) {
		l->servers[i].iid = (uint16_t)i;
		find_accounts(l, i);
	}
	for (size_t i = 0; i < l->n_accounts; i++)
		l->accounts[i].iid = (uint16_t)i;
}

/* ---- /1 ---- */

static void
put_string(struct lower *l, struct lwm2m_path p, const char *s, const struct pnode *node)
{
	struct lwm2m_value v;

	if (lwm2m_value_str(&v, s, l->e) != ERR_OK)
		l->rc = ERR_NO_MEMORY;
	else
		lower_put(l, p, &v, node);
}

static void
put_value(struct lower *l, struct lwm2m_path p, struct lwm2m_value v, const struct pnode *node)
{
	lower_put(l, p, &v, node);
}

/* What Object 1 calls mandatory gets its default; only where nothing was said, right or wrong. */
static void
put_server_defaults(struct lower *l, const struct lserver *s)
{
	struct lwm2m_path inst = lwm2m_path2(LWM2M_SERVER, s->iid);

	if (pnode_get(s->node, "lifetime") == NULL)
		put_value(l, lwm2m_path_child(inst, 1), lwm2m_int(DEFAULT_LIFETIME_S), NULL);
	if (lower_get(s->node, SEC_SERVER, "notification_storing") == NULL)
		put_value(l, lwm2m_path_child(inst, 6), lwm2m_bool(true), NULL);
	if (pnode_get(s->node, "binding") == NULL)
		put_string(
		    l, lwm2m_path_child(inst, 7), s->letters[0] != '\0' ? s->letters : "U", NULL);
}

static void
lower_server(struct lower *l, const struct lserver *s)
{
	struct lwm2m_path inst = lwm2m_path2(LWM2M_SERVER, s->iid);
	int oid;

	if (s->ssid >= 0)
		put_value(l, lwm2m_path_child(inst, 0), lwm2m_int(s->ssid),
		    pnode_get(s->node, "short_server_id"));
	for (const struct pnode *k = s->node->first; k != NULL && l->rc == ERR_OK; k = k->next) {
		const struct lwm2m_res_def *r = pkey_resource(l->m, SEC_SERVER, -1, k->key, &oid);

		if (r == NULL || oid != LWM2M_SERVER || r->id == 0 ||
		    lower_again(s->node, k, SEC_SERVER))
			continue;
		if (r->id == 11 || r->id == 12)
			finding_key(l->f, RULE_READ_ONLY, k, "the client itself sets %s", r->name);
		value_put(l, k, inst, r);
	}
	put_server_defaults(l, s);
}

/* ---- /0 ---- */

const struct pnode *
account_get(const struct laccount *a, const char *name)
{
	const struct pnode *k = lower_get(a->security, SEC_SECURITY, name);

	return k != NULL ? k : lower_get(a->shared, SEC_SECURITY, name);
}

static const struct pnode *
security_node(const struct laccount *a)
{
	return a->security != NULL ? a->security : a->shared != NULL ? a->shared : a->at;
}

void
account_missing(struct lower *l, const struct laccount *a, const char *name)
{
	const struct pnode *sec = security_node(a);
	char member[64];

	if (lower_partial(l))
		return;
	(void)snprintf(member, sizeof member, "%s%s", sec == a->at ? "security/" : "", name);
	finding_member(l->f, RULE_MISSING, sec, member, "%s is missing", name);
}

void
account_put(struct lower *l, const struct laccount *a, uint16_t rid, struct secret *s,
    const struct pnode *node)
{
	struct lwm2m_value v = { .type = LWM2M_OPAQUE, .bytes = *s };

	*s = SECRET_NONE;
	lower_put(l, lwm2m_path3(LWM2M_SECURITY, a->iid, rid), &v, node);
}

static void
put_empty(struct lower *l, const struct laccount *a, uint16_t rid)
{
	struct secret none = SECRET_NONE;

	account_put(l, a, rid, &none, l->servers[a->server].node);
}

static void
check_psk(struct lower *l, const struct pnode *n, const struct secret *key)
{
	if (key->len == 0)
		finding_add(l->f, RULE_KEY_MATERIAL, n, "an empty pre-shared key");
	else if (key->len >= 40 && material_is_der(key))
		finding_add(l->f, RULE_KEY_MATERIAL, n,
		    "a DER structure of %zu octets is no pre-shared key", key->len);
	else if (key->len < PSK_MIN)
		finding_add(l->f, RULE_WEAK_KEY, n,
		    "a pre-shared key of %zu octets; %d are the least", key->len, PSK_MIN);
	else if (key->len > PSK_MAX)
		finding_add(l->f, RULE_LONG_KEY, n,
		    "a pre-shared key of %zu octets; clients take %d", key->len, PSK_MAX);
}

/* A key that is in a shared document, or comes from one, is everybody's. */
void
account_key_for_all(struct lower *l, const struct pnode *n)
{
	const struct pnode *shared = pnode_get(l->doc->root, "shared_key");
	bool each = n->expanded ||
	            (n->type == PN_OBJECT &&
	                (pnode_get(n, "generate") != NULL || pnode_get(n, "credential") != NULL ||
	                    (n->first != NULL && n->first->expanded)));

	if (n->src->shared != NULL && !each &&
	    !(shared != NULL && shared->type == PN_BOOL && shared->b))
		finding_add(l->f, RULE_SHARED_KEY, n,
		    "a key in a shared document is one key for every device");
}

/* A PSK identity: text is the identity itself. */
static bool
read_identity(struct lower *l, const struct pnode *n, struct secret *out)
{
	if (material_read(l, n, true, out) != MATERIAL_OK)
		return false;
	if (out->len == 0)
		finding_add(l->f, RULE_KEY_MATERIAL, n, "an empty identity");
	else if (out->len > IDENTITY_MAX)
		finding_add(l->f, RULE_LONG_KEY, n, "an identity of %zu octets; clients take %d",
		    out->len, IDENTITY_MAX);
	return true;
}

static void
lower_psk(struct lower *l, const struct laccount *a, const struct pnode *mode)
{
	const struct pnode *identity = account_get(a, "identity"), *key = account_get(a, "key");
	const struct pnode *spk = account_get(a, "server_public_key");
	struct secret s;

	if (identity == NULL)
		account_missing(l, a, "identity");
	else if (read_identity(l, identity, &s))
		account_put(l, a, 3, &s, identity);
	if (spk != NULL && spk->parent == mode->parent)
		finding_add(l->f, RULE_KEY_MATERIAL, spk, "mode psk has no server_public_key");
	put_empty(l, a, 4);
	if (key == NULL) {
		account_missing(l, a, "key");
		return;
	}
	account_key_for_all(l, key);
	if (material_read(l, key, false, &s) == MATERIAL_OK) {
		check_psk(l, key, &s);
		account_put(l, a, 5, &s, key);
	}
}

static void
lower_nosec(struct lower *l, const struct laccount *a, const struct pnode *mode)
{
	static const char *const names[] = { "identity", "server_public_key", "key" };

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		const struct pnode *n = account_get(a, names[i]);

		if (n != NULL && n->parent == mode->parent)
			finding_add(l->f, RULE_KEY_MATERIAL, n, "mode nosec has no %s", names[i]);
		put_empty(l, a, (uint16_t)(3 + i));
	}
}

static void
check_scheme(struct lower *l, const struct laccount *a, const struct pnode *mode)
{
	const struct puri *u = &a->parsed;

	if (u->scheme == URI_NONE || u->scheme == URI_TEL || u->scheme == URI_LORAWAN)
		return;
	if (!u->secure && a->mode != PROFILE_NOSEC)
		finding_add(l->f, RULE_SCHEME_MODE, a->uri, "%s goes with mode nosec only",
		    puri_scheme_name(u->scheme));
	else if (u->secure && a->mode == PROFILE_NOSEC)
		finding_add(l->f, RULE_SCHEME_MODE, mode,
		    "mode nosec goes with coap and coap+tcp, the URI is %s",
		    puri_scheme_name(u->scheme));
}

static void
lower_mode(struct lower *l, struct laccount *a)
{
	const struct pnode *mode = account_get(a, "mode");
	const struct lwm2m_res_def *r = lwm2m_model_resource(l->m, LWM2M_SECURITY, 2);
	struct lwm2m_value v;

	if (mode == NULL) {
		account_missing(l, a, "mode");
		return;
	}
	if (r == NULL || !value_read(l, mode, LWM2M_SECURITY, r, &v))
		return;
	a->mode = v.i;
	put_value(l, lwm2m_path3(LWM2M_SECURITY, a->iid, 2), v, mode);
	check_scheme(l, a, mode);
	if (a->mode == PROFILE_PSK)
		lower_psk(l, a, mode);
	else if (a->mode == PROFILE_NOSEC)
		lower_nosec(l, a, mode);
	else if (a->mode == PROFILE_EST)
		finding_add(
		    l->f, RULE_NOT_SERVED, mode, "accounts with mode est are not served yet");
	else
		lower_pair(l, a);
}

/* Every other resource of Object 0; the transport's own word goes before the server's. */
static void
lower_security_rest(struct lower *l, const struct laccount *a, const struct pnode *sec)
{
	struct lwm2m_path inst = lwm2m_path2(LWM2M_SECURITY, a->iid);
	int oid;

	for (const struct pnode *k = sec != NULL ? sec->first : NULL; k != NULL && l->rc == ERR_OK;
	     k = k->next) {
		const struct lwm2m_res_def *r = pkey_resource(l->m, SEC_SECURITY, -1, k->key, &oid);

		if (r != NULL && (r->id < 2 || r->id > 5) && account_get(a, r->key) == k)
			value_put(l, k, inst, r);
	}
}

static const struct pnode *
checked_security(struct lower *l, const struct pnode *sec)
{
	if (sec == NULL)
		return NULL;
	if (sec->type != PN_OBJECT) {
		finding_add(l->f, RULE_TYPE, sec, "must be an object, is %s", pnode_type_name(sec));
		return NULL;
	}
	lower_keys(l, sec, SEC_SECURITY);
	return sec;
}

static void
lower_one_account(struct lower *l, struct laccount *a)
{
	const struct lserver *s = &l->servers[a->server];
	struct lwm2m_path inst = lwm2m_path2(LWM2M_SECURITY, a->iid);

	if (a->uri != NULL && a->parsed.scheme != URI_NONE) {
		struct lwm2m_value v;
		const struct lwm2m_res_def *r = lwm2m_model_resource(l->m, LWM2M_SECURITY, 0);

		if (r != NULL && value_read(l, a->uri, LWM2M_SECURITY, r, &v))
			lower_put(l, lwm2m_path_child(inst, 0), &v, a->uri);
	}
	put_value(l, lwm2m_path_child(inst, 1), lwm2m_bool(false), s->node);
	lower_mode(l, a);
	if (s->ssid >= 0)
		put_value(l, lwm2m_path_child(inst, 10), lwm2m_int(s->ssid),
		    pnode_get(s->node, "short_server_id"));
	lower_security_rest(l, a, a->security);
	lower_security_rest(l, a, a->shared);
}

void
lower_servers(struct lower *l)
{
	for (size_t i = 0; i < l->n_servers && l->rc == ERR_OK; i++) {
		const struct pnode *shared =
		    checked_security(l, pnode_get(l->servers[i].node, "security"));

		lower_server(l, &l->servers[i]);
		for (size_t j = 0; j < l->n_accounts && l->rc == ERR_OK; j++) {
			struct laccount *a = &l->accounts[j];

			if (a->server != i)
				continue;
			a->shared = shared;
			if (a->security != NULL)
				a->security = checked_security(l, a->security);
			lower_one_account(l, a);
		}
	}
}

/* ---- credentials ---- */

static const struct pnode *
knock_member(struct lower *l, const struct pnode *knock, const char *name)
{
	const struct pnode *n = lower_get(knock, SEC_KNOCK, name);

	if (n == NULL && !lower_partial(l))
		finding_member(l->f, RULE_MISSING, knock, name, "%s is missing", name);
	return n;
}

static void
lower_knock_psk(struct lower *l, const struct pnode *knock)
{
	const struct pnode *identity = knock_member(l, knock, "identity"),
	                   *key = knock_member(l, knock, "key");
	struct secret s = SECRET_NONE;

	if (identity != NULL && identity->type != PN_STRING)
		finding_add(l->f, RULE_TYPE, identity, "must be a string, is %s",
		    pnode_type_name(identity));
	else if (identity != NULL && !identity->open && read_identity(l, identity, &s))
		secret_clear(&s);
	if (key == NULL)
		return;
	account_key_for_all(l, key);
	/* Compiling needs no key that is never written. */
	bool compiling = l->compiling;
	l->compiling = false;
	if (material_read(l, key, false, &l->knock_key) == MATERIAL_OK) {
		l->knock_node = key;
		check_psk(l, key, &l->knock_key);
	}
	l->compiling = compiling;
}

/* What it shows is public; the private key is the device's own and has no place here. */
static void
lower_knock_public(struct lower *l, const struct pnode *knock, bool rpk)
{
	const struct pnode *key = lower_get(knock, SEC_KNOCK, "key"),
	                   *identity = rpk ? knock_member(l, knock, "identity")
	                                   : lower_get(knock, SEC_KNOCK, "identity");
	struct secret s = SECRET_NONE;
	struct pki_cert *cert = NULL;
	struct err why = { 0 };
	enum err_code rc;

	if (key != NULL)
		finding_add(l->f, RULE_KEY_MATERIAL, key,
		    "mode %s has no key here: the private one never leaves the device",
		    rpk ? "rpk" : "x509");
	if (identity == NULL || material_read(l, identity, false, &s) != MATERIAL_OK)
		return;
	if (rpk)
		rc = pki_pin_check_rpk(
		    PKI_MATCH_EXACT, (struct pki_blob){ s.data, s.len }, &why);
	else
		rc = pki_cert_parse(s.data, s.len, &cert, &why);
	if (rc == ERR_OK && cert != NULL && cert->is_ca)
		rc = err_set(&why, ERR_INVALID, "a CA's certificate, not a device's");
	pki_cert_unref(cert);
	if (rc == ERR_OK)
		secret_move(&l->knock_public, &s);
	else
		finding_add(l->f, RULE_KEY_MATERIAL, identity, "%s", why.msg);
	secret_clear(&s);
}

void
lower_credentials(struct lower *l)
{
	const struct pnode *c = lower_object(l, l->doc->root, "credentials"), *knock, *mode;
	const struct lwm2m_res_def *r = lwm2m_model_resource(l->m, LWM2M_SECURITY, 2);
	struct lwm2m_value v;

	if (c == NULL)
		return;
	lower_keys(l, c, SEC_CREDENTIALS);
	knock = lower_object(l, c, "bootstrap");
	if (knock == NULL)
		return;
	lower_keys(l, knock, SEC_KNOCK);
	mode = knock_member(l, knock, "mode");
	if (mode == NULL || r == NULL || !value_read(l, mode, LWM2M_SECURITY, r, &v))
		return;
	if (v.i == PROFILE_PSK) {
		lower_knock_psk(l, knock);
	} else if (v.i == PROFILE_NOSEC) {
		const struct pnode *key = lower_get(knock, SEC_KNOCK, "key");

		if (key != NULL)
			finding_add(l->f, RULE_KEY_MATERIAL, key, "mode nosec has no key");
	} else if (v.i == PROFILE_RPK || v.i == PROFILE_X509) {
		lower_knock_public(l, knock, v.i == PROFILE_RPK);
	} else {
		finding_add(l->f, RULE_NOT_SERVED, mode,
		    "devices that knock with mode est are not served yet");
	}
}
