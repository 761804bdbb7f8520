/* The LwM2M Servers that are told of devices' credentials. */
#include <stdlib.h>
#include <string.h>

#include "bsserver/conf/reader.h"
#include "lib/base/str.h"

#define TIMEOUT_S 10
#define TIMEOUT_MAX_S 60
#define GRACE_S 86400
#define GRACE_MAX_S 2592000
#define NAME_MAX_LEN 64

static const struct text {
	const char *name;
	size_t at; /* in struct conf_server */
	bool path;
	enum { OF_ALL, OF_URL, OF_HTTP, OF_PLATFORM, OF_THINGSBOARD, OF_COIOTE } of; /* who takes it */
} texts[] = {
	{ "name", offsetof(struct conf_server, name), false, OF_ALL },
	{ "driver", offsetof(struct conf_server, driver), false, OF_ALL },
	{ "url", offsetof(struct conf_server, url), false, OF_ALL },
	{ "ca_file", offsetof(struct conf_server, ca_file), true, OF_URL },
	{ "token_file", offsetof(struct conf_server, token_file), true, OF_URL },
	{ "token_type", offsetof(struct conf_server, token_type), false, OF_THINGSBOARD },
	{ "login", offsetof(struct conf_server, login), false, OF_PLATFORM },
	{ "password_file", offsetof(struct conf_server, password_file), true, OF_PLATFORM },
	{ "device_profile", offsetof(struct conf_server, device_profile), false, OF_THINGSBOARD },
	{ "domain", offsetof(struct conf_server, domain), false, OF_COIOTE },
	{ "tell", offsetof(struct conf_server, tell), false, OF_HTTP },
	{ "tell_body", offsetof(struct conf_server, tell_body), false, OF_HTTP },
	{ "drop", offsetof(struct conf_server, drop), false, OF_HTTP },
	{ "drop_body", offsetof(struct conf_server, drop_body), false, OF_HTTP },
	{ "forget", offsetof(struct conf_server, forget), false, OF_HTTP },
	{ "forget_body", offsetof(struct conf_server, forget_body), false, OF_HTTP },
	{ "test", offsetof(struct conf_server, test), false, OF_HTTP },
	{ "trigger", offsetof(struct conf_server, trigger), false, OF_HTTP },
	{ "trigger_body", offsetof(struct conf_server, trigger_body), false, OF_HTTP },
};

static const char *const members[] = { "name", "driver", "url", "ca_file", "token_file",
	"token_type", "login", "password_file", "device_profile", "domain",
	"tell", "tell_body", "drop", "drop_body", "forget", "forget_body", "test", "trigger", "trigger_body",
	"program", "timeout", "grace",
	"several", "insecure" };

static char **
text_of(struct conf_server *s, const struct text *t)
{
	return (char **)(void *)((char *)s + t->at);
}

void
conf_server_clear(struct conf_server *s)
{
	for (size_t i = 0; i < N_ELEMS(texts); i++)
		free(*text_of(s, &texts[i]));
	for (size_t i = 0; i < N_ELEMS(s->program); i++)
		free(s->program[i]);
	*s = (struct conf_server){ 0 };
}

static enum err_code
read_texts(struct reader *r, const config_setting_t *s, struct conf_server *to)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < N_ELEMS(texts); i++) {
		const config_setting_t *m = config_setting_get_member(s, texts[i].name);
		const char *text = m == NULL ? NULL : config_setting_get_string(m);

		if (m == NULL)
			continue;
		if (text == NULL || text[0] == 0)
			return conf_wrong(r, m, texts[i].name, "must be a string that is not empty");
		rc = texts[i].path ? conf_keep_path(r, text_of(to, &texts[i]), "", text) :
				     conf_keep(r, text_of(to, &texts[i]), text);
	}
	return rc;
}

static enum err_code
read_program(struct reader *r, const config_setting_t *s, struct conf_server *to)
{
	const config_setting_t *m = config_setting_get_member(s, "program");
	enum err_code rc = ERR_OK;

	if (m == NULL)
		return ERR_OK;
	if ((!config_setting_is_list(m) && !config_setting_is_array(m)) || config_setting_length(m) == 0 ||
	    config_setting_length(m) > CONF_PROGRAM_MAX)
		return conf_wrong(r, m, "program", "must be a list of 1 to 16 strings: the program and its arguments");
	for (int i = 0; rc == ERR_OK && i < config_setting_length(m); i++) {
		const char *text = config_setting_get_string_elem(m, i);

		if (text == NULL)
			return conf_wrong(r, m, "program", "each is a string");
		rc = i == 0 ? conf_keep_path(r, &to->program[i], "", text) : conf_keep(r, &to->program[i], text);
	}
	return rc;
}

/* This very machine, whatever stands behind the host. */
static bool
is_local(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(host, names[i], n) == 0 && (host[n] == 0 || host[n] == ':' || host[n] == '/'))
			return true;
	}
	return false;
}

static enum err_code
check_url(struct reader *r, const config_setting_t *s, const struct conf_server *to, bool insecure)
{
	bool http = strncmp(to->url, "http://", 7) == 0, https = strncmp(to->url, "https://", 8) == 0;
	const char *host = to->url + (https ? 8 : 7);

	if (!http && !https)
		return conf_wrong(r, s, "url", "must begin with https:// or http://");
	if (!str_is_printable(to->url, strlen(to->url)) || strpbrk(to->url, " \\") != NULL)
		return conf_wrong(r, s, "url", "has a blank, a backslash or a character that is not printable in it");
	if (host[strcspn(host, "@?#")] != 0)
		return conf_wrong(r, s, "url", "takes no user, query or fragment: a token belongs into token_file");
	if (to->url[strlen(to->url) - 1] == '/')
		return conf_wrong(r, s, "url", "ends without a slash");
	if (http && !is_local(host) && !insecure)
		return conf_wrong(r, s, "url", "credentials would go over the net in the clear: use https, or say insecure = true");
	return http && to->ca_file != NULL ? conf_wrong(r, s, "ca_file", "belongs to https") : ERR_OK;
}

/* Those platforms take nothing from nobody. */
static enum err_code
check_login(struct reader *r, const config_setting_t *s, const struct conf_server *to)
{
	if ((to->login != NULL) != (to->password_file != NULL) || (to->login != NULL) == (to->token_file != NULL))
		return conf_wrong(r, s, to->name, "this driver needs a token_file, or a login with its password_file");
	if (to->token_type == NULL)
		return ERR_OK;
	if (to->token_file == NULL)
		return conf_wrong(r, s, "token_type", "there is no token_file that it belongs to");
	return strcmp(to->token_type, "api_key") == 0 || strcmp(to->token_type, "bearer") == 0 ?
		   ERR_OK :
		   conf_wrong(r, s, "token_type", "must be \"api_key\" or \"bearer\"");
}

/* What its driver would never look at is a mistake. */
static enum err_code
check_driver(struct reader *r, const config_setting_t *s, struct conf_server *to)
{
	bool exec = strcmp(to->driver, "exec") == 0, http = strcmp(to->driver, "http") == 0;
	bool thingsboard = strcmp(to->driver, "thingsboard") == 0, coiote = strcmp(to->driver, "coiote") == 0;
	const struct {
		bool fits;
		const char *why;
	} groups[] = {
		[OF_ALL] = { true, "" },
		[OF_URL] = { !exec, "belongs to a server with a url" },
		[OF_HTTP] = { http, "belongs to driver \"http\"" },
		[OF_PLATFORM] = { thingsboard || coiote, "belongs to drivers \"thingsboard\" and \"coiote\"" },
		[OF_THINGSBOARD] = { thingsboard, "belongs to driver \"thingsboard\"" },
		[OF_COIOTE] = { coiote, "belongs to driver \"coiote\"" },
	};

	for (size_t i = 0; i < N_ELEMS(texts); i++)
		if (*text_of(to, &texts[i]) != NULL && !groups[texts[i].of].fits)
			return conf_wrong(r, s, texts[i].name, groups[texts[i].of].why);
	return thingsboard || coiote ? check_login(r, s, to) : ERR_OK;
}

static enum err_code
check(struct reader *r, const config_setting_t *s, struct conf_server *to, bool insecure)
{
	if (to->name == NULL || to->driver == NULL)
		return conf_wrong(r, s, "lwm2m_servers", "each is { name = \"...\"; driver = \"...\"; url = \"...\"; }");
	if (strlen(to->name) > NAME_MAX_LEN || !str_is_printable(to->name, strlen(to->name)))
		return conf_wrong(r, s, "name", "must be printable, and 64 octets at most");
	for (size_t i = 0; i + 1 < r->c->n_servers; i++)
		if (strcmp(r->c->servers[i].name, to->name) == 0)
			return conf_wrong(r, s, to->name, "two LwM2M Servers have the same name");
	bool exec = strcmp(to->driver, "exec") == 0;
	if (exec != (to->program[0] != NULL) || exec == (to->url != NULL))
		return conf_wrong(r, s, to->name, "program belongs to driver \"exec\", url to every other, and each must be there");
	enum err_code rc = check_driver(r, s, to);
	return rc != ERR_OK || exec ? rc : check_url(r, s, to, insecure);
}

enum err_code
conf_read_server(struct reader *r, const config_setting_t *s)
{
	struct conf_server *to = &r->c->servers[r->c->n_servers++];
	bool insecure = false;
	enum err_code rc;

	to->timeout_s = TIMEOUT_S;
	to->grace_s = GRACE_S;
	if (!config_setting_is_group(s))
		return conf_wrong(r, s, "lwm2m_servers", "each is { name = \"...\"; driver = \"...\"; url = \"...\"; }");
	rc = conf_check_members(r, s, "lwm2m_servers", members, N_ELEMS(members));
	if (rc == ERR_OK)
		rc = read_texts(r, s, to);
	if (rc == ERR_OK)
		rc = read_program(r, s, to);
	if (rc == ERR_OK)
		rc = conf_keep_time(r, s, "timeout", TIMEOUT_MAX_S, &to->timeout_s);
	if (rc == ERR_OK)
		rc = conf_keep_time(r, s, "grace", GRACE_MAX_S, &to->grace_s);
	if (rc == ERR_OK)
		rc = conf_keep_flag(r, s, "several", &to->several);
	if (rc == ERR_OK)
		rc = conf_keep_flag(r, s, "insecure", &insecure);
	if (rc == ERR_OK && to->timeout_s == 0)
		rc = conf_wrong(r, s, "timeout", "must be a second at least");
	return rc == ERR_OK ? check(r, s, to, insecure) : rc;
}
