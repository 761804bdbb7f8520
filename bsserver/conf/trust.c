/* The CAs whose certificates devices may knock with, and how their status is found out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/conf/reader.h"
#include "lib/base/str.h"

#define SECONDS_MAX ((int64_t)3650 * 86400)

/* Settings that are one of few words, the default first; what has none must be given. */
static const struct word {
	const char *name;
	const char *words[4];
	bool must;
	size_t at; /* in struct conf_trust */
} words[] = {
	{ "for", { "devices", "servers" }, false, offsetof(struct conf_trust, purpose) },
	{ "revocation", { "hard", "soft", "off" }, true, offsetof(struct conf_trust, revocation) },
	{ "no_source", { "refuse", "allow" }, false, offsetof(struct conf_trust, no_source) },
	{ "ask_about", { "chain", "leaf" }, false, offsetof(struct conf_trust, ask_about) },
	{ "nonce", { "prefer", "require", "off" }, false, offsetof(struct conf_trust, nonce) },
};

static const char *const members[] = { "name", "file", "for", "ignore_leaf_expiry", "revocation",
	"no_source", "ask_about", "nonce", "responder_url", "allow_hosts", "crl_files",
	"stale_grace", "max_age", "allow_sha1", "any_responder" };

void
conf_trust_clear(struct conf_trust *t)
{
	char *const texts[] = { t->name, t->file, t->purpose, t->revocation, t->no_source,
		t->ask_about, t->nonce, t->responder_url };

	for (size_t i = 0; i < N_ELEMS(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < t->n_allow_hosts; i++)
		free(t->allow_hosts[i]);
	for (size_t i = 0; i < t->n_crl_files; i++)
		free(t->crl_files[i]);
	*t = (struct conf_trust){ 0 };
}

static enum err_code
read_word(struct reader *r, const config_setting_t *s, struct conf_trust *t, const struct word *w)
{
	const config_setting_t *m = config_setting_get_member(s, w->name);
	char **to = (char **)(void *)((char *)t + w->at);
	struct gbuf why = { .max = 256 };
	const char *text = m == NULL ? NULL : config_setting_get_string(m);

	if (m == NULL && !w->must)
		return conf_keep(r, to, w->words[0]);
	for (size_t i = 0; text != NULL && i < N_ELEMS(w->words) && w->words[i] != NULL; i++)
		if (strcmp(text, w->words[i]) == 0)
			return conf_keep(r, to, text);
	gbuf_str(&why, m == NULL ? "is missing: must be" : "must be");
	for (size_t i = 0; i < N_ELEMS(w->words) && w->words[i] != NULL; i++)
		gbuf_printf(&why, "%s \"%s\"", i == 0 ? "" : " or", w->words[i]);
	enum err_code rc = conf_wrong(r, m == NULL ? s : m, w->name, gbuf_cstr(&why));
	gbuf_clear(&why);
	return rc;
}

enum err_code
conf_keep_time(
    struct reader *r, const config_setting_t *s, const char *name, int64_t max, int64_t *to)
{
	const config_setting_t *m = config_setting_get_member(s, name);
	const char *text = m == NULL ? NULL : config_setting_get_string(m);
	uint64_t v = 0;

	if (m == NULL)
		return ERR_OK;
	bool number = config_setting_type(m) == CONFIG_TYPE_INT ||
	              config_setting_type(m) == CONFIG_TYPE_INT64;
	if (number && config_setting_get_int64(m) >= 0)
		v = (uint64_t)config_setting_get_int64(m);
	else if (text == NULL || !str_to_seconds(text, strlen(text), &v))
		return conf_wrong(
		    r, m, name, "must be a time: seconds, or \"30s\", \"5m\", \"1h\", \"2d\"");
	if (v > (uint64_t)max)
		return conf_wrong(
		    r, m, name, max == SECONDS_MAX ? "must be ten years at most" : "is too long");
	*to = (int64_t)v;
	return ERR_OK;
}

/* -1 when it is not given. */
static enum err_code
read_time(struct reader *r, const config_setting_t *s, const char *name, int64_t *to)
{
	*to = -1;
	return conf_keep_time(r, s, name, SECONDS_MAX, to);
}

static enum err_code
read_texts(
    struct reader *r, const config_setting_t *s, const char *name, bool paths, char **to, size_t *n)
{
	const config_setting_t *m = config_setting_get_member(s, name);
	enum err_code rc = ERR_OK;

	if (m == NULL)
		return ERR_OK;
	if ((!config_setting_is_list(m) && !config_setting_is_array(m)) ||
	    config_setting_length(m) > CONF_TRUST_LIST_MAX || config_setting_length(m) == 0)
		return conf_wrong(r, m, name, "must be a list of 1 to 16 strings");
	for (int i = 0; rc == ERR_OK && i < config_setting_length(m); i++) {
		const char *text = config_setting_get_string_elem(m, i);

		if (text == NULL || text[0] == 0)
			return conf_wrong(r, m, name, "each is a string");
		rc = paths ? conf_keep_path(r, &to[*n], "", text) : conf_keep(r, &to[*n], text);
		*n += rc == ERR_OK;
	}
	return rc;
}

static enum err_code
read_status(struct reader *r, const config_setting_t *s, struct conf_trust *t)
{
	const char *url = NULL;
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < N_ELEMS(words); i++)
		rc = read_word(r, s, t, &words[i]);
	if (rc == ERR_OK && config_setting_lookup_string(s, "responder_url", &url))
		rc = conf_keep(r, &t->responder_url, url);
	if (rc == ERR_OK)
		rc = read_texts(r, s, "allow_hosts", false, t->allow_hosts, &t->n_allow_hosts);
	if (rc == ERR_OK)
		rc = read_texts(r, s, "crl_files", true, t->crl_files, &t->n_crl_files);
	if (rc == ERR_OK)
		rc = read_time(r, s, "stale_grace", &t->stale_grace_s);
	if (rc == ERR_OK)
		rc = read_time(r, s, "max_age", &t->max_age_s);
	if (rc == ERR_OK)
		rc = conf_keep_flag(r, s, "allow_sha1", &t->allow_sha1);
	return rc == ERR_OK ? conf_keep_flag(r, s, "any_responder", &t->any_responder) : rc;
}

enum err_code
conf_read_trust(struct reader *r, const config_setting_t *s)
{
	struct conf_trust *t = &r->c->trust[r->c->n_trust++];
	const char *name = NULL, *file = NULL;
	enum err_code rc;

	if (!config_setting_is_group(s) || !config_setting_lookup_string(s, "name", &name) ||
	    !config_setting_lookup_string(s, "file", &file) || name[0] == 0 || file[0] == 0)
		return conf_wrong(r, s, "trust",
		    "each is { name = \"...\"; file = \"...\"; revocation = \"...\"; }");
	rc = conf_check_members(r, s, "trust", members, N_ELEMS(members));
	if (rc == ERR_OK)
		rc = conf_keep(r, &t->name, name);
	if (rc == ERR_OK)
		rc = conf_keep_path(r, &t->file, "", file);
	if (rc == ERR_OK)
		rc = conf_keep_flag(r, s, "ignore_leaf_expiry", &t->ignore_leaf_expiry);
	if (rc == ERR_OK)
		rc = read_status(r, s, t);
	for (size_t i = 0; rc == ERR_OK && i + 1 < r->c->n_trust; i++)
		if (strcmp(r->c->trust[i].name, name) == 0)
			rc = conf_wrong(r, s, "trust", "two have the same name");
	return rc;
}
