/* What a device holds: device show --inventory, device history|diff|rollback|handover, acl. */
#include <jansson.h>

#include "lib/base/str.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/views.h"

/* clang-format off */
static const struct out_field account_fields[] = {
	{ "security", "security", OUT_PLAIN, NULL },
	{ "server", "server", OUT_PLAIN, NULL },
	{ "short_server_id", "id", OUT_PLAIN, NULL },
	{ "name", "name", OUT_PLAIN, NULL },
	{ "bootstrap", "bootstrap", OUT_PLAIN, NULL },
	{ "uri", "uri", OUT_PLAIN, NULL },
};
static const struct out_view accounts = { account_fields, N_ELEMS(account_fields) };
static const struct out_field instance_fields[] = {
	{ "path", "path", OUT_PLAIN, NULL },
	{ "short_server_id", "id", OUT_PLAIN, NULL },
	{ "uri", "uri", OUT_PLAIN, NULL },
};
static const struct out_view instances = { instance_fields, N_ELEMS(instance_fields) };
static const struct out_field value_fields[] = {
	{ "path", "path", OUT_PLAIN, NULL },
	{ "name", "name", OUT_PLAIN, NULL },
	{ "value", "value", OUT_PLAIN, NULL },
};
static const struct out_view values = { value_fields, N_ELEMS(value_fields) };
static const struct out_field finding_fields[] = {
	{ "finding", "finding", OUT_PLAIN, NULL },
	{ "paths", "where", OUT_PLAIN, NULL },
	{ "does", "what is done", OUT_PLAIN, NULL },
	{ "detail", "detail", OUT_PLAIN, NULL },
};
static const struct out_field inventory_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "last_session", "seen by session", OUT_PLAIN, NULL },
	{ "last", "at", OUT_TIME, NULL },
	{ "good", "it ended well", OUT_PLAIN, NULL },
	{ "restored", "a rollback", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
	{ "profile", "profile", OUT_PLAIN, NULL },
	{ "fingerprints", "keys written", OUT_PLAIN, NULL },
	{ "discovered", "discover served", OUT_PLAIN, NULL },
	{ "read", "read served for", OUT_PLAIN, NULL },
	{ "accounts", "accounts", OUT_ROWS, &accounts },
	{ "instances", "instances", OUT_ROWS, &instances },
	{ "values", "values that can be read", OUT_ROWS, &values },
	{ "findings", "findings", OUT_ROWS, &view_audit_findings },
};
static const struct out_field acl_fields[] = {
	{ "target", "object instance", OUT_PLAIN, NULL },
	{ "server_name", "server", OUT_PLAIN, NULL },
	{ "server", "id", OUT_PLAIN, NULL },
	{ "rights", "rights", OUT_PLAIN, NULL },
	{ "owner_name", "owner", OUT_PLAIN, NULL },
	{ "owner", "owner id", OUT_PLAIN, NULL },
	{ "acl", "by", OUT_PLAIN, NULL },
	{ "findings", "findings", OUT_PLAIN, NULL },
};
static const struct out_field history_fields[] = {
	{ "session", "session", OUT_PLAIN, NULL },
	{ "at", "at", OUT_TIME, NULL },
	{ "last_session", "still so in", OUT_PLAIN, NULL },
	{ "good", "good", OUT_PLAIN, NULL },
	{ "restored", "rollback", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
	{ "profile", "profile", OUT_PLAIN, NULL },
	{ "fingerprints", "keys", OUT_PLAIN, NULL },
};
static const struct out_field change_fields[] = {
	{ "path", "path", OUT_PLAIN, NULL },
	{ "name", "name", OUT_PLAIN, NULL },
	{ "had", "had", OUT_PLAIN, NULL },
	{ "has", "has", OUT_PLAIN, NULL },
};
/* clang-format on */
const struct out_view view_audit_findings = { finding_fields, N_ELEMS(finding_fields) };

static void
put_number(const struct cli *cli, enum opt_id id, const char *param, struct gbuf *path)
{
	if (cli_has(cli, id))
		client_path_query(path, param, cli_text(cli, id));
}

/* GET of a part of the device that the first argument names. */
static enum err_code
get_part(struct cli *cli, const char *part, json_t **doc, struct err *e)
{
	struct gbuf path = { .max = 65536 };
	enum err_code rc;

	remote_path(&path, "/v1/devices/", cli->args[0], part);
	put_number(cli, OPT_SESSION, "session", &path);
	put_number(cli, OPT_FROM, "from", &path);
	if (strcmp(part, "/diff") == 0)
		put_number(cli, OPT_TO, "to", &path);
	rc = remote_get(cli, gbuf_cstr(&path), doc, e);
	gbuf_clear(&path);
	return rc;
}

enum prov_exit
held_show(struct cli *cli, struct err *e)
{
	static const struct out_view view = { inventory_fields, N_ELEMS(inventory_fields) };
	json_t *doc = NULL;
	enum err_code rc = get_part(cli, "/inventory", &doc, e);

	if (rc == ERR_OK)
		out_object(cli->out, &view, doc);
	json_decref(doc);
	return exit_of(rc);
}

/* ---- acl ---- */

/* Whether one of the finding's places is this row's. */
static bool
is_about(const json_t *finding, const json_t *row)
{
	const char *acl = json_string_value(json_object_get(row, "acl")),
		   *target = json_string_value(json_object_get(row, "target"));
	const json_t *path;
	size_t i;

	json_array_foreach(json_object_get(finding, "paths"), i, path)
	{
		const char *s = json_string_value(path);

		if (s != NULL && ((acl != NULL && strcmp(s, acl) == 0) || (target != NULL && strcmp(s, target) == 0)))
			return true;
	}
	return false;
}

/* For people each row has the names of what was found about it. */
static void
name_findings(json_t *doc)
{
	const json_t *finding;
	json_t *row;
	size_t i, k;

	json_array_foreach(json_object_get(doc, "acl"), i, row)
	{
		json_t *names = json_array();

		json_array_foreach(json_object_get(doc, "findings"), k, finding)
		{
			if (is_about(finding, row))
				(void)json_array_append(names, json_object_get(finding, "finding"));
		}
		(void)json_object_set_new(row, "findings", names);
	}
}

enum prov_exit
cmd_acl(struct cli *cli, struct err *e)
{
	static const struct out_view view = { acl_fields, N_ELEMS(acl_fields) };
	json_t *doc = NULL;
	enum err_code rc = get_part(cli, "/acl", &doc, e);

	if (rc == ERR_OK) {
		if (!out_is_json(cli->out))
			name_findings(doc);
		out_table(cli->out, &view, doc, "acl");
		if (!out_is_json(cli->out) && json_array_size(json_object_get(doc, "findings")) > 0) {
			out_say(cli->out, "%s", "");
			out_table(cli->out, &view_audit_findings, doc, "findings");
		}
	}
	json_decref(doc);
	return exit_of(rc);
}

/* ---- history, diff, rollback ---- */

enum prov_exit
cmd_device_history(struct cli *cli, struct err *e)
{
	static const struct out_view view = { history_fields, N_ELEMS(history_fields) };
	json_t *doc = NULL;
	enum err_code rc = get_part(cli, "/history", &doc, e);

	if (rc == ERR_OK)
		out_table(cli->out, &view, doc, "history");
	json_decref(doc);
	return exit_of(rc);
}

static void
print_keys(struct out *o, const json_t *doc)
{
	const char *had = json_string_value(json_object_get(doc, "had_fingerprints")),
		   *has = json_string_value(json_object_get(doc, "has_fingerprints"));
	struct gbuf line = { .max = 65536 };

	if (had == NULL || has == NULL || strcmp(had, has) == 0)
		return;
	gbuf_str(&line, "keys: had ");
	out_clean(&line, had, strlen(had));
	gbuf_str(&line, ", has ");
	out_clean(&line, has, strlen(has));
	out_say(o, "%s", gbuf_cstr(&line));
	gbuf_clear(&line);
}

enum prov_exit
cmd_device_diff(struct cli *cli, struct err *e)
{
	static const struct out_view view = { change_fields, N_ELEMS(change_fields) };
	json_t *doc = NULL;
	enum err_code rc = get_part(cli, "/diff", &doc, e);
	bool differ = json_array_size(json_object_get(doc, "changes")) > 0;

	if (rc == ERR_OK && (differ || out_is_json(cli->out)))
		out_table(cli->out, &view, doc, "changes");
	else if (rc == ERR_OK)
		out_say(cli->out, "%s: nothing that can be seen has changed", cli->args[0]);
	if (rc == ERR_OK)
		print_keys(cli->out, doc);
	json_decref(doc);
	if (rc == ERR_OK && differ && cli_has(cli, OPT_EXIT_CODE))
		return EXIT_DIFFERENT;
	return exit_of(rc);
}

static enum err_code
wish(struct cli *cli, const char *part, const json_t *body, json_t **doc, struct err *e)
{
	struct remote_call call = { .method = body != NULL ? "POST" : "DELETE", .body = body, .audited = true };
	struct gbuf path = { .max = 65536 };
	enum err_code rc;

	remote_path(&path, "/v1/devices/", cli->args[0], part);
	call.path = gbuf_cstr(&path);
	rc = remote_call(cli, &call, doc, e);
	gbuf_clear(&path);
	return rc;
}

enum prov_exit
cmd_device_rollback(struct cli *cli, struct err *e)
{
	bool cancel = cli_has(cli, OPT_CANCEL);
	json_t *body = NULL, *doc = NULL;
	enum err_code rc;

	if (cancel && (cli_has(cli, OPT_TO) || cli_has(cli, OPT_WITH_CREDENTIALS)))
		return exit_of(err_set(e, ERR_USAGE, "device rollback: --cancel stands alone"));
	if (!cancel)
		body = json_pack("{s:b}", "with_credentials", cli_has(cli, OPT_WITH_CREDENTIALS));
	if (body != NULL && cli_has(cli, OPT_TO))
		(void)json_object_set_new(body, "session", json_integer((json_int_t)cli_number(cli, OPT_TO, 0)));
	rc = wish(cli, "/rollback", body, &doc, e);
	if (rc == ERR_OK) {
		json_int_t session = json_integer_value(json_object_get(doc, "session"));

		if (cancel)
			out_say(cli->out, "%s: its next session writes what its document says", cli->args[0]);
		else
			out_say(cli->out, "%s: its next session restores what session %" JSON_INTEGER_FORMAT " left",
			    cli->args[0], session);
		out_json(cli->out, doc);
	}
	json_decref(body);
	json_decref(doc);
	return exit_of(rc);
}

enum prov_exit
cmd_device_handover(struct cli *cli, struct err *e)
{
	bool cancel = cli_has(cli, OPT_CANCEL);
	json_t *body = NULL, *doc = NULL;
	enum err_code rc;

	if (cancel == cli_has(cli, OPT_PROFILE))
		return exit_of(
		    err_set(e, ERR_USAGE, "device handover: give --profile NAME or --cancel, one of the two"));
	if (!cancel)
		body = json_pack("{s:s}", "profile", cli_text(cli, OPT_PROFILE));
	rc = wish(cli, "/handover", body, &doc, e);
	if (rc == ERR_OK) {
		if (cancel)
			out_say(cli->out, "%s: it stays with this bootstrap server", cli->args[0]);
		else
			out_say(cli->out, "%s: its next session hands it over to the bootstrap server of profile %s",
			    cli->args[0], cli_text(cli, OPT_PROFILE));
		out_json(cli->out, doc);
	}
	json_decref(body);
	json_decref(doc);
	return exit_of(rc);
}
