#include "bsserver/conf/conf.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/conf/options.h"
#include "bsserver/conf/reader.h"
#include "lib/base/str.h"

static bool
is_text(const struct conf_option *o)
{
	return o->kind != CONF_INTEGER && o->kind != CONF_BOOLEAN;
}

static void *
member(struct conf *c, const struct conf_option *o)
{
	return (char *)c + o->at;
}

void
conf_clear(struct conf *c)
{
	for (size_t i = 0; i < c->n_listeners; i++)
		free(c->listeners[i].host);
	for (size_t i = 0; i < c->n_registry_listeners; i++)
		free(c->registry_listeners[i].host);
	for (size_t i = 0; i < c->n_rules; i++) {
		free(c->rules[i].credential);
		free(c->rules[i].rule);
		free(c->rules[i].identity);
		free(c->rules[i].endpoint);
		free(c->rules[i].trust);
	}
	for (size_t i = 0; i < c->n_trust; i++) {
		conf_trust_clear(&c->trust[i]);
	}
	for (size_t i = 0; i < c->n_servers; i++)
		conf_server_clear(&c->servers[i]);
	for (size_t i = 0; i < c->n_grants; i++) {
		free(c->grants[i].user);
		free(c->grants[i].group);
		free(c->grants[i].permissions);
	}
	for (size_t i = 0; i < c->n_object_dirs; i++)
		free(c->object_dirs[i]);
	for (size_t i = 0; i < conf_n_options; i++)
		if (is_text(&conf_options[i]))
			free(*(char **)member(c, &conf_options[i]));
	*c = (struct conf){ 0 };
}

enum err_code
conf_wrong(struct reader *r, const config_setting_t *s, const char *name, const char *why)
{
	return err_set(r->e, ERR_INVALID, "%s:%u: %s: %s", r->file, s == NULL ? 0 : config_setting_source_line(s),
	    name, why);
}

enum err_code
conf_keep(struct reader *r, char **to, const char *text)
{
	free(*to);
	*to = str_dup_n(text, strlen(text));
	return *to == NULL ? err_no_memory(r->e) : ERR_OK;
}

/* A path that is not absolute is one beside the configuration file. */
enum err_code
conf_keep_path(struct reader *r, char **to, const char *prefix, const char *path)
{
	struct gbuf g = { .max = PATH_MAX };
	enum err_code rc;

	gbuf_str(&g, prefix);
	if (path[0] != '/')
		gbuf_str(&g, r->dir);
	gbuf_str(&g, path);
	rc = gbuf_check(&g, r->e);
	if (rc == ERR_OK)
		rc = conf_keep(r, to, gbuf_cstr(&g));
	gbuf_clear(&g);
	return rc;
}

static enum err_code
set_string(struct reader *r, const struct conf_option *o, const config_setting_t *s, const char *text)
{
	char **to = member(r->c, o);

	if (text == NULL)
		return conf_wrong(r, s, o->name, "must be a string");
	bool may_be_empty = o->kind == CONF_PATH_OR_NONE || o->kind == CONF_KEY;
	if (o->kind == CONF_STRING || (may_be_empty && text[0] == 0) ||
	    (o->kind == CONF_KEY && strncmp(text, "pkcs11:", 7) == 0))
		return conf_keep(r, to, text);
	if (text[0] == 0)
		return conf_wrong(r, s, o->name, "must not be empty");
	if (o->kind != CONF_STORE_URI)
		return conf_keep_path(r, to, "", text);
	if (strncmp(text, "sqlite:", 7) != 0)
		return conf_wrong(r, s, o->name, "must begin with sqlite:");
	return conf_keep_path(r, to, "sqlite:", text + 7);
}

static enum err_code
set_integer(struct reader *r, const struct conf_option *o, const config_setting_t *s)
{
	int type = config_setting_type(s);
	char why[96];

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return conf_wrong(r, s, o->name, "must be a whole number");
	int64_t v = config_setting_get_int64(s);
	if (v < o->min || v > o->max) {
		(void)snprintf(why, sizeof why, "must be %lld to %lld, is %lld", (long long)o->min,
		    (long long)o->max, (long long)v);
		return conf_wrong(r, s, o->name, why);
	}
	*(int64_t *)member(r->c, o) = v;
	return ERR_OK;
}

static enum err_code
set_default(struct reader *r, const struct conf_option *o)
{
	size_t n = strlen(o->value);
	char text[64];

	if (o->kind == CONF_BOOLEAN) {
		*(bool *)member(r->c, o) = strcmp(o->value, "true") == 0;
		return ERR_OK;
	}
	if (o->kind == CONF_INTEGER) {
		(void)str_to_i64(o->value, n, o->min, o->max, member(r->c, o));
		return ERR_OK;
	}
	(void)snprintf(text, sizeof text, "%.*s", (int)n - 2, o->value + 1); /* without its quotes */
	return set_string(r, o, NULL, text);
}

static enum err_code
read_option(struct reader *r, const struct conf_option *o)
{
	const config_setting_t *s = config_lookup(&r->cfg, o->name);

	if (s == NULL)
		return set_default(r, o);
	if (is_text(o))
		return set_string(r, o, s, config_setting_get_string(s));
	if (o->kind == CONF_INTEGER)
		return set_integer(r, o, s);
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return conf_wrong(r, s, o->name, "must be true or false");
	*(bool *)member(r->c, o) = config_setting_get_bool(s);
	return ERR_OK;
}

/* ---- lists ---- */

enum err_code
conf_parse_listener(const char *uri, struct conf_listener *out, struct err *e)
{
	const char *host, *end, *port;
	unsigned char addr[16];
	uint64_t number;

	*out = (struct conf_listener){ .secure = strncmp(uri, "coaps://", 8) == 0 };
	if (!out->secure && strncmp(uri, "coap://", 7) != 0)
		return err_set(e, ERR_INVALID, "must begin with coaps:// or coap://");
	host = uri + (out->secure ? 8 : 7);
	bool v6 = *host == '[';
	end = v6 ? strchr(++host, ']') : strchr(host, ':');
	if (end == NULL || end == host)
		return err_set(e, ERR_INVALID, "must be SCHEME://ADDRESS:PORT, an IPv6 address in brackets");
	port = end + (v6 ? 1 : 0);
	if (*port++ != ':' || !str_to_u64(port, strlen(port), 0, 65535, &number))
		return err_set(e, ERR_INVALID, "needs a port behind the address, 0 to 65535 (0: any free one)");
	out->port = (uint16_t)number;
	out->host = str_dup_n(host, (size_t)(end - host));
	if (out->host == NULL)
		return err_no_memory(e);
	if (inet_pton(v6 ? AF_INET6 : AF_INET, out->host, addr) != 1) {
		free(out->host);
		out->host = NULL;
		return err_set(e, ERR_INVALID, "the address is no IP address (names are not looked up)");
	}
	return ERR_OK;
}

/* "psk x509" of a listener. false: another word, one twice, or none. */
static bool
read_security(const char *words, struct conf_listener *l)
{
	struct {
		const char *name;
		bool *to;
	} known[] = { { "psk", &l->psk }, { "x509", &l->x509 }, { "rpk", &l->rpk } };

	for (const char *at = words + strspn(words, " "); *at != 0;) {
		size_t n = strcspn(at, " "), i = 0;

		while (i < N_ELEMS(known) && (strlen(known[i].name) != n || memcmp(known[i].name, at, n) != 0))
			i++;
		if (i == N_ELEMS(known) || *known[i].to)
			return false;
		*known[i].to = true;
		at += n + strspn(at + n, " ");
	}
	return l->psk || l->x509 || l->rpk;
}

static enum err_code
read_listener_to(struct reader *r, const config_setting_t *s, struct conf_listener *to, size_t *n)
{
	const char *uri = NULL, *security = NULL;
	struct conf_listener l;
	struct err inner;

	if (!config_setting_is_group(s) || !config_setting_lookup_string(s, "uri", &uri) ||
	    !config_setting_lookup_string(s, "security", &security))
		return conf_wrong(r, s, "listeners", "each is { uri = \"...\"; security = \"...\"; }");
	if (conf_parse_listener(uri, &l, &inner) != ERR_OK)
		return conf_wrong(r, s, uri, inner.msg);
	bool understood = !l.secure || read_security(security, &l);
	to[(*n)++] = l;
	if (!understood)
		return conf_wrong(r, s, uri, "security must be \"psk\", \"x509\", \"rpk\" or several of them");
	if (!l.secure && strcmp(security, "none") != 0)
		return conf_wrong(r, s, uri, "coap has no security at all: say so with security = \"none\", or use coaps");
	return ERR_OK;
}

static enum err_code
read_listener(struct reader *r, const config_setting_t *s)
{
	return read_listener_to(r, s, r->c->listeners, &r->c->n_listeners);
}

static enum err_code
read_registry_listener(struct reader *r, const config_setting_t *s)
{
	return read_listener_to(r, s, r->c->registry_listeners, &r->c->n_registry_listeners);
}

static enum err_code
keep_member(struct reader *r, const config_setting_t *s, const char *name, char **to)
{
	const char *text = NULL;

	return config_setting_lookup_string(s, name, &text) ? conf_keep(r, to, text) : ERR_OK;
}

/* Nothing but these members. */
enum err_code
conf_check_members(struct reader *r, const config_setting_t *s, const char *list, const char *const *names, size_t n)
{
	char why[128];

	for (int i = 0; i < config_setting_length(s); i++) {
		const char *name = config_setting_name(config_setting_get_elem(s, (unsigned)i));
		size_t k = 0;

		while (k < n && strcmp(names[k], name) != 0)
			k++;
		if (k < n)
			continue;
		const char *nearest = str_nearest(name, names, n);
		(void)snprintf(why, sizeof why, "no such setting: %s%s%s%s", name, nearest ? " (did you mean " : "",
		    nearest ? nearest : "", nearest ? "?)" : "");
		return conf_wrong(r, config_setting_get_elem(s, (unsigned)i), list, why);
	}
	return ERR_OK;
}

enum err_code
conf_keep_flag(struct reader *r, const config_setting_t *s, const char *name, bool *to)
{
	const config_setting_t *m = config_setting_get_member(s, name);

	if (m == NULL)
		return ERR_OK;
	if (config_setting_type(m) != CONFIG_TYPE_BOOL)
		return conf_wrong(r, m, name, "must be true or false");
	*to = config_setting_get_bool(m);
	return ERR_OK;
}

/* What belongs to which rule, and to no other. */
static enum err_code
check_rule(struct reader *r, const config_setting_t *s, const struct conf_rule *rule)
{
	bool pattern = strcmp(rule->rule, "pattern") == 0;
	bool derived = strcmp(rule->credential, "x509") == 0 && strcmp(rule->rule, "mapped") != 0;

	if (pattern != (rule->identity != NULL) || (!derived && pattern != (rule->endpoint != NULL)))
		return conf_wrong(r, s, "auth.rules",
		    "identity and endpoint belong to the rule \"pattern\", and to no other");
	if (derived != (rule->trust != NULL))
		return conf_wrong(r, s, "auth.rules", derived ?
			"trust is missing: which CAs may name devices in this way" :
			"trust belongs to rules that take the endpoint from a certificate, and to no other");
	for (size_t i = 0; rule->trust != NULL && i < r->c->n_trust; i++)
		if (strcmp(r->c->trust[i].name, rule->trust) == 0)
			return strcmp(r->c->trust[i].purpose, "servers") != 0
			    ? ERR_OK
			    : conf_wrong(r, s, rule->trust, "is a trust for servers: no device comes under it");
	return rule->trust == NULL ? ERR_OK : conf_wrong(r, s, rule->trust, "no trust is called that");
}

static enum err_code
read_rule(struct reader *r, const config_setting_t *s)
{
	static const char *const members[] = { "credential", "rule", "identity", "endpoint", "trust" };
	struct conf_rule *rule = &r->c->rules[r->c->n_rules++];
	enum err_code rc;

	if (!config_setting_is_group(s))
		return conf_wrong(r, s, "auth.rules", "each is { credential = \"...\"; rule = \"...\"; }");
	rc = conf_check_members(r, s, "auth.rules", members, N_ELEMS(members));
	if (rc == ERR_OK)
		rc = keep_member(r, s, "trust", &rule->trust);
	if (rc != ERR_OK)
		return rc;
	rc = keep_member(r, s, "credential", &rule->credential);
	if (rc == ERR_OK)
		rc = keep_member(r, s, "rule", &rule->rule);
	if (rc == ERR_OK)
		rc = keep_member(r, s, "identity", &rule->identity);
	if (rc == ERR_OK)
		rc = keep_member(r, s, "endpoint", &rule->endpoint);
	if (rc != ERR_OK)
		return rc;
	if (rule->credential == NULL || rule->rule == NULL)
		return conf_wrong(r, s, "auth.rules", "credential or rule is missing");
	return check_rule(r, s, rule);
}

static enum err_code
read_grant(struct reader *r, const config_setting_t *s)
{
	struct conf_grant *g = &r->c->grants[r->c->n_grants++];
	enum err_code rc;

	if (!config_setting_is_group(s))
		return conf_wrong(r, s, "api.permissions", "each is { user = \"...\"; allow = \"read operate\"; }");
	rc = keep_member(r, s, "user", &g->user);
	if (rc == ERR_OK)
		rc = keep_member(r, s, "group", &g->group);
	if (rc == ERR_OK)
		rc = keep_member(r, s, "allow", &g->permissions);
	if (rc != ERR_OK)
		return rc;
	if ((g->user == NULL) == (g->group == NULL) || g->permissions == NULL)
		return conf_wrong(r, s, "api.permissions", "needs allow, and one of user and group");
	return ERR_OK;
}

static enum err_code
read_dir(struct reader *r, const config_setting_t *s)
{
	const char *text = config_setting_get_string(s);

	if (text == NULL)
		return conf_wrong(r, s, "object_dirs", "each is a string");
	return conf_keep_path(r, &r->c->object_dirs[r->c->n_object_dirs++], "", text);
}

static enum err_code
read_list(struct reader *r, const char *name, size_t max,
    enum err_code (*one)(struct reader *, const config_setting_t *))
{
	const config_setting_t *s = config_lookup(&r->cfg, name);
	enum err_code rc = ERR_OK;

	if (s == NULL)
		return ERR_OK;
	if (!config_setting_is_list(s) && !config_setting_is_array(s))
		return conf_wrong(r, s, name, "must be a list: ( ... )");
	size_t n = (size_t)config_setting_length(s);
	if (n > max)
		return conf_wrong(r, s, name, "has too many entries");
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = one(r, config_setting_get_elem(s, (unsigned)i));
	return rc;
}

/* ---- nothing else ---- */

static bool
is_known(const char *name)
{
	for (size_t i = 0; i < conf_n_options; i++)
		if (strcmp(conf_options[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < conf_n_lists; i++)
		if (strcmp(conf_lists[i], name) == 0)
			return true;
	return false;
}

static bool
is_section(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < conf_n_options; i++)
		if (strncmp(conf_options[i].name, name, n) == 0 && conf_options[i].name[n] == '.')
			return true;
	return strcmp(name, "auth") == 0;
}

static enum err_code
unknown(struct reader *r, const config_setting_t *s, const char *name)
{
	const char *names[64];
	char why[128];
	size_t n = 0;

	for (size_t i = 0; i < conf_n_options && n < N_ELEMS(names); i++)
		names[n++] = conf_options[i].name;
	for (size_t i = 0; i < conf_n_lists && n < N_ELEMS(names); i++)
		names[n++] = conf_lists[i];
	const char *nearest = str_nearest(name, names, n);
	(void)snprintf(why, sizeof why, "no such setting%s%s%s", nearest ? " (did you mean " : "",
	    nearest ? nearest : "", nearest ? "?)" : "");
	return conf_wrong(r, s, name, why);
}

static enum err_code
check_names(struct reader *r)
{
	const config_setting_t *root = config_root_setting(&r->cfg);
	enum err_code rc = ERR_OK;

	for (int i = 0; rc == ERR_OK && i < config_setting_length(root); i++) {
		const config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(s);
		char full[128];

		if (!is_section(name) || !config_setting_is_group(s)) {
			if (!is_known(name))
				rc = unknown(r, s, name);
			continue;
		}
		for (int j = 0; rc == ERR_OK && j < config_setting_length(s); j++) {
			const config_setting_t *sub = config_setting_get_elem(s, (unsigned)j);

			(void)snprintf(full, sizeof full, "%s.%s", name, config_setting_name(sub));
			if (!is_known(full))
				rc = unknown(r, sub, full);
		}
	}
	return rc;
}

static enum err_code
read_all(struct reader *r)
{
	enum err_code rc = check_names(r);

	for (size_t i = 0; rc == ERR_OK && i < conf_n_options; i++)
		rc = read_option(r, &conf_options[i]);
	if (rc == ERR_OK)
		rc = read_list(r, "listeners", CONF_LISTENERS_MAX, read_listener);
	if (rc == ERR_OK)
		rc = read_list(r, "registry.listeners", CONF_LISTENERS_MAX, read_registry_listener);
	if (rc == ERR_OK)
		rc = read_list(r, "trust", CONF_TRUST_MAX, conf_read_trust);
	if (rc == ERR_OK)
		rc = read_list(r, "auth.rules", CONF_RULES_MAX, read_rule);
	if (rc == ERR_OK)
		rc = read_list(r, "api.permissions", CONF_GRANTS_MAX, read_grant);
	if (rc == ERR_OK)
		rc = read_list(r, "lwm2m_servers", CONF_SERVERS_MAX, conf_read_server);
	if (rc == ERR_OK)
		rc = read_list(r, "object_dirs", CONF_DIRS_MAX, read_dir);
	if (rc == ERR_OK && r->c->n_listeners == 0)
		rc = conf_wrong(r, NULL, "listeners", "there must be at least one");
	if (rc == ERR_OK && r->c->n_rules == 0)
		rc = conf_wrong(r, NULL, "auth.rules", "there must be at least one: without a rule nobody is let in");
	if (rc == ERR_OK && strcmp(r->c->log_format, "text") != 0 && strcmp(r->c->log_format, "json") != 0)
		rc = conf_wrong(r, config_lookup(&r->cfg, "log.format"), "log.format", "must be text or json");
	return rc;
}

/* text NULL: the file itself. */
static enum err_code
load(const char *name, const char *text, struct conf *out, struct err *e)
{
	struct conf c = { 0 };
	struct reader r = { .file = name, .c = &c, .e = e };
	const char *slash = strrchr(name, '/');
	enum err_code rc;

	config_init(&r.cfg);
	r.dir = str_dup_n(name, slash == NULL ? 0 : (size_t)(slash - name) + 1);
	if (r.dir == NULL) {
		rc = err_no_memory(e);
		goto out;
	}
	int ok = text == NULL ? config_read_file(&r.cfg, name) : config_read_string(&r.cfg, text);
	if (ok == CONFIG_TRUE)
		rc = read_all(&r);
	else if (config_error_type(&r.cfg) == CONFIG_ERR_FILE_IO)
		rc = err_set(e, ERR_NOT_FOUND, "%s: cannot be read", name);
	else
		rc = err_set(e, ERR_PARSE, "%s:%d: %s", name, config_error_line(&r.cfg), config_error_text(&r.cfg));
out:
	config_destroy(&r.cfg);
	free(r.dir);
	if (rc == ERR_OK)
		*out = c;
	else
		conf_clear(&c);
	return rc;
}

enum err_code
conf_load(const char *file, struct conf *out, struct err *e)
{
	return load(file, NULL, out, e);
}

enum err_code
conf_parse(const char *name, const char *text, struct conf *out, struct err *e)
{
	return load(name, text, out, e);
}
