#include "lwm2m-prov/select.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lwm2m-prov/anchor.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"

/* The options with the parameters that they become. */
static const struct {
	enum opt_id id;
	const char *param;
} selectors[] = {
	{ OPT_MATCH, "glob" },
	{ OPT_PROFILE, "profile" },
	{ OPT_WHERE, "where" },
	{ OPT_REVISION_OLDER, "revision_older_than" },
	{ OPT_ANCHOR, "anchor" },
};

bool
select_given(const struct cli *cli)
{
	for (size_t i = 0; i < N_ELEMS(selectors); i++)
		if (cli_has(cli, selectors[i].id))
			return true;
	return false;
}

static enum err_code
put_one(struct cli *cli, enum opt_id id, const char *param, const char *value, struct gbuf *path, struct gbuf *text,
    struct err *e)
{
	struct gbuf whole = { .max = 256 };
	enum err_code rc = ERR_OK;

	if (id == OPT_ANCHOR) {
		rc = anchor_resolve(cli, value, &whole, e);
		value = gbuf_cstr(&whole);
	} else if (id == OPT_WHERE && (value[0] == '=' || strchr(value, '=') == NULL || strchr(value, '=')[1] == 0)) {
		rc = err_set(e, ERR_USAGE, "option --where: must be KEY=VALUE, is \"%.60s\"", value);
	}
	if (rc == ERR_OK)
		client_path_query(path, param, value);
	if (rc == ERR_OK && text != NULL)
		gbuf_printf(text, "%s--%s %s", text->len > 0 ? " " : "", opt_at(id)->name, value);
	gbuf_clear(&whole);
	return rc;
}

enum err_code
select_list(struct cli *cli, uint64_t limit, struct gbuf *text, json_t **doc, struct err *e)
{
	struct gbuf path = { .max = 65536 };
	enum err_code rc = ERR_OK;

	*doc = NULL;
	gbuf_str(&path, "/v1/devices");
	for (size_t i = 0; i < N_ELEMS(selectors); i++) {
		const struct cli_value *given = &cli->opt[selectors[i].id];

		for (size_t k = 0; rc == ERR_OK && k < given->n; k++)
			rc = put_one(cli, selectors[i].id, selectors[i].param, given->v[k], &path, text, e);
	}
	if (rc == ERR_OK)
		rc = gbuf_check(&path, e);
	if (rc == ERR_OK)
		rc = remote_list(cli, gbuf_cstr(&path), "devices", limit, doc, e);
	gbuf_clear(&path);
	return rc;
}

static enum err_code
choose(struct cli *cli, struct selected *out, struct err *e)
{
	enum err_code rc = select_list(cli, 0, &out->text, &out->doc, e);
	const json_t *rows = json_object_get(out->doc, "devices");
	size_t n = json_array_size(rows);

	if (rc == ERR_OK && n == 0)
		rc = err_set(e, ERR_NOT_FOUND, "%s: no device fits %s", cli->cmd->words, gbuf_cstr(&out->text));
	if (rc != ERR_OK)
		return rc;
	out->v = calloc(n, sizeof *out->v);
	if (out->v == NULL)
		return err_no_memory(e);
	for (size_t i = 0; i < n; i++) {
		const char *ep = json_string_value(json_object_get(json_array_get(rows, i), "endpoint"));

		if (ep == NULL)
			return err_set(e, ERR_INTERNAL, "the daemon's answer has a device without \"endpoint\"");
		out->v[out->n++] = ep;
	}
	out_note(cli->out, "%s: %zu device%s fit%s %s", cli->cmd->words, n, n == 1 ? "" : "s", n == 1 ? "s" : "",
	    gbuf_cstr(&out->text));
	return ERR_OK;
}

enum err_code
select_devices(struct cli *cli, struct selected *out, struct err *e)
{
	*out = (struct selected){ .text = { .max = 65536 } };
	if (select_given(cli) == (cli->n_args > 0))
		return err_set(e, ERR_USAGE,
		    "%s: name devices, or choose them by --match, --profile, --where, --revision-older-than or --anchor",
		    cli->cmd->words);
	if (cli->n_args == 0)
		return choose(cli, out, e);
	out->v = calloc(cli->n_args, sizeof *out->v);
	if (out->v == NULL)
		return err_no_memory(e);
	for (; out->n < cli->n_args; out->n++)
		out->v[out->n] = cli->args[out->n];
	return ERR_OK;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool
selected_has(const struct selected *s, const char *endpoint)
{
	return s->n > 0 && bsearch(&endpoint, s->v, s->n, sizeof *s->v, by_name) != NULL; /* the daemon's list is in order */
}

void
selected_clear(struct selected *s)
{
	free(s->v);
	json_decref(s->doc);
	gbuf_clear(&s->text);
	*s = (struct selected){ 0 };
}
