/* profile list|show|resolve|history|rm. */
#include <jansson.h>

#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/views.h"

/* clang-format off */
static const struct out_field list_fields[] = {
	{ "name", "name", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
	{ "updated", "updated", OUT_TIME, NULL },
	{ "extends", "extends", OUT_PLAIN, NULL },
};
static const struct out_field credential_fields[] = {
	{ "slot", "slot", OUT_PLAIN, NULL },
	{ "fingerprint", "fingerprint", OUT_PLAIN, NULL },
	{ "length", "octets", OUT_PLAIN, NULL },
};
static const struct out_view credentials = { credential_fields, N_ELEMS(credential_fields) };
static const struct out_field show_fields[] = {
	{ "name", "name", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
	{ "updated", "updated", OUT_TIME, NULL },
	{ "extends", "extends", OUT_PLAIN, NULL },
	{ "devices", "devices", OUT_PLAIN, NULL },
	{ "credentials", "keys", OUT_ROWS, &credentials },
	{ "document", "document", OUT_BLOCK, NULL },
};
static const struct out_field resolve_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "findings", "findings", OUT_ROWS, &view_findings },
	{ "document", "document", OUT_BLOCK, NULL },
};
/* clang-format on */
static const struct out_view list_view = { list_fields, N_ELEMS(list_fields) };

enum prov_exit
cmd_profile_list(struct cli *cli, struct err *e)
{
	json_t *doc = NULL;
	enum err_code rc = remote_list(cli, "/v1/profiles", "profiles", 0, &doc, e);

	if (rc == ERR_OK)
		out_table(cli->out, &list_view, doc, "profiles");
	json_decref(doc);
	return exit_of(rc);
}

/* GET of one thing by its name, shown by a view. */
static enum prov_exit
show(struct cli *cli, const char *before, const char *behind, const struct out_view *view,
    struct err *e)
{
	struct gbuf path = { 0 };
	json_t *doc = NULL;
	enum err_code rc;

	remote_path(&path, before, cli->args[0], behind);
	rc = remote_get(cli, gbuf_cstr(&path), &doc, e);
	if (rc == ERR_OK)
		out_object(cli->out, view, doc);
	json_decref(doc);
	gbuf_clear(&path);
	return exit_of(rc);
}

enum prov_exit
cmd_profile_show(struct cli *cli, struct err *e)
{
	static const struct out_view view = { show_fields, N_ELEMS(show_fields) };

	return show(cli, "/v1/profiles/", "", &view, e);
}

enum prov_exit
cmd_profile_resolve(struct cli *cli, struct err *e)
{
	static const struct out_view view = { resolve_fields, N_ELEMS(resolve_fields) };

	return show(cli, "/v1/devices/", "/resolved", &view, e);
}

enum prov_exit
cmd_profile_history(struct cli *cli, struct err *e)
{
	struct gbuf path = { 0 };
	json_t *doc = NULL;
	enum err_code rc;

	remote_path(&path, "/v1/profiles/", cli->args[0], "/history");
	rc = remote_get(cli, gbuf_cstr(&path), &doc, e);
	if (rc == ERR_OK)
		out_table(cli->out, &list_view, doc, "history");
	json_decref(doc);
	gbuf_clear(&path);
	return exit_of(rc);
}

/* Those that extend it lose it: the rule for many holds. */
static enum err_code
may_remove(struct cli *cli, struct err *e)
{
	struct gbuf path = { 0 };
	json_t *doc = NULL;
	enum err_code rc;

	if (!cli_has(cli, OPT_FORCE))
		return ERR_OK;
	remote_path(&path, "/v1/profiles/", cli->args[0], "");
	rc = remote_get(cli, gbuf_cstr(&path), &doc, e);
	if (rc == ERR_OK)
		rc = cli_may_touch(cli, "profile rm would leave without it",
		    (uint64_t)json_integer_value(json_object_get(doc, "devices")), e);
	json_decref(doc);
	gbuf_clear(&path);
	return rc;
}

enum prov_exit
cmd_profile_rm(struct cli *cli, struct err *e)
{
	struct remote_call call = { .method = "DELETE", .audited = true };
	struct gbuf path = { 0 };
	json_t *doc = NULL;
	enum err_code rc = may_remove(cli, e);

	if (rc != ERR_OK)
		return exit_of(rc);
	remote_path(&path, "/v1/profiles/", cli->args[0], "");
	if (cli_has(cli, OPT_FORCE))
		client_path_query(&path, "force", "1");
	call.path = gbuf_cstr(&path);
	rc = remote_call(cli, &call, &doc, e);
	if (rc == ERR_OK) {
		out_say(cli->out, "removed profile %s", cli->args[0]);
		out_json(cli->out, doc);
	}
	json_decref(doc);
	gbuf_clear(&path);
	return exit_of(rc);
}
