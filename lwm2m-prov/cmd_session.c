/* session list|show|cancel, why. */
#include <jansson.h>

#include "lib/base/str.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/views.h"

#define LIST_ROWS 100

/* clang-format off */
static const struct out_field group_fields[] = {
	{ "count", "sessions", OUT_PLAIN, NULL },
	{ "verdict", "verdict", OUT_PLAIN, NULL },
	{ "reason", "reason", OUT_PLAIN, NULL },
	{ "newest", "newest", OUT_TIME, NULL },
};
static const struct out_field profile_group_fields[] = {
	{ "count", "sessions", OUT_PLAIN, NULL },
	{ "verdict", "verdict", OUT_PLAIN, NULL },
	{ "profile", "profile", OUT_PLAIN, NULL },
	{ "newest", "newest", OUT_TIME, NULL },
};

static const struct out_field extends_fields[] = {
	{ "profile", "profile", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
};
static const struct out_view extends_view = { extends_fields, N_ELEMS(extends_fields) };

static const struct out_field why_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "peer", "peer", OUT_PLAIN, NULL },
	{ "known", "known", OUT_PLAIN, NULL },
	{ "state", "state", OUT_PLAIN, NULL },
	{ "revision", "revision", OUT_PLAIN, NULL },
	{ "rules/identity", "identity", OUT_PLAIN, NULL },
	{ "rules/granted", "let in", OUT_PLAIN, NULL },
	{ "rules/decision", "by", OUT_PLAIN, NULL },
	{ "rules/reason", "because", OUT_PLAIN, NULL },
	{ "match/profile", "matched by profile", OUT_PLAIN, NULL },
	{ "match/pattern", "pattern", OUT_PLAIN, NULL },
	{ "match/conflict", "pattern conflict", OUT_PLAIN, NULL },
	{ "last_session/ended", "last session", OUT_TIME, NULL },
	{ "last_session/verdict", "verdict", OUT_PLAIN, NULL },
	{ "last_session/reason", "reason", OUT_PLAIN, NULL },
	{ "last_session/step", "step", OUT_PLAIN, NULL },
	{ "last_session/path", "path", OUT_PLAIN, NULL },
	{ "last_session/code", "code", OUT_PLAIN, NULL },
	{ "last_session/detail", "detail", OUT_PLAIN, NULL },
	{ "registered", "registered", OUT_PLAIN, NULL },
	{ "after", "after its session", OUT_PLAIN, NULL },
	{ "extends", "extends", OUT_ROWS, &extends_view },
	{ "findings", "findings", OUT_ROWS, &view_findings },
	{ "sessions", "sessions", OUT_ROWS, &view_session_row },
	{ "handoffs", "hand-offs", OUT_ROWS, &view_handoffs },
};
/* clang-format on */

static void
put_filters(const struct cli *cli, struct gbuf *path)
{
	static const struct {
		enum opt_id id;
		const char *param;
	} filters[] = {
		{ OPT_VERDICT, "verdict" },
		{ OPT_SINCE, "since" },
		{ OPT_GROUP_BY, "group_by" },
	};

	if (cli->n_args > 0)
		client_path_query(path, "endpoint", cli->args[0]);
	for (size_t i = 0; i < N_ELEMS(filters); i++)
		if (cli_has(cli, filters[i].id))
			client_path_query(path, filters[i].param, cli_text(cli, filters[i].id));
}

enum prov_exit
cmd_session_list(struct cli *cli, struct err *e)
{
	static const struct out_view by_reason = { group_fields, N_ELEMS(group_fields) };
	static const struct out_view by_profile = { profile_group_fields,
		N_ELEMS(profile_group_fields) };
	const char *group = cli_text(cli, OPT_GROUP_BY);
	struct gbuf path = { .max = 65536 };
	json_t *doc = NULL;
	enum err_code rc;

	gbuf_str(&path, "/v1/sessions");
	put_filters(cli, &path);
	if (group != NULL) {
		rc = remote_get(cli, gbuf_cstr(&path), &doc, e);
		if (rc == ERR_OK)
			out_table(cli->out, strcmp(group, "reason") == 0 ? &by_reason : &by_profile,
			    doc, "groups");
	} else {
		rc = remote_list(cli, gbuf_cstr(&path), "sessions",
		    cli_number(cli, OPT_LIMIT, LIST_ROWS), &doc, e);
		if (rc == ERR_OK)
			out_table(cli->out, &view_session_row, doc, "sessions");
	}
	json_decref(doc);
	gbuf_clear(&path);
	return exit_of(rc);
}

enum prov_exit
cmd_session_show(struct cli *cli, struct err *e)
{
	const char *what = cli->args[0];
	struct gbuf path = { 0 };
	json_t *doc = NULL;
	enum err_code rc;
	uint64_t id;

	if (cli_has(cli, OPT_LAST))
		remote_path(&path, "/v1/devices/", what, "/sessions/last");
	else if (str_to_u64(what, strlen(what), 1, INT64_MAX, &id))
		remote_path(&path, "/v1/sessions/", what, "");
	else
		return exit_of(err_set(e, ERR_USAGE,
		    "session show: a session's ID is a number; with an endpoint say --last for its "
		    "newest session"));
	rc = remote_get(cli, gbuf_cstr(&path), &doc, e);
	if (rc == ERR_OK)
		out_object(cli->out, &view_session, doc);
	json_decref(doc);
	gbuf_clear(&path);
	return exit_of(rc);
}

enum prov_exit
cmd_session_cancel(struct cli *cli, struct err *e)
{
	struct remote_call call = { .method = "DELETE", .audited = true };
	struct gbuf path = { 0 };
	json_t *doc = NULL;
	enum err_code rc;

	remote_path(&path, "/v1/devices/", cli->args[0], "/session");
	call.path = gbuf_cstr(&path);
	rc = remote_call(cli, &call, &doc, e);
	if (rc == ERR_OK) {
		out_say(cli->out, "%s: its session was cancelled", cli->args[0]);
		out_json(cli->out, doc);
	}
	json_decref(doc);
	gbuf_clear(&path);
	return exit_of(rc);
}

static void
say_list(struct out *o, const char *title, const json_t *list)
{
	const json_t *line;
	size_t i;

	json_array_foreach(list, i, line)
	{
		struct gbuf text = { .max = 65536 };

		if (i == 0)
			out_say(o, "%s:", title);
		out_clean(&text, json_string_value(line) != NULL ? json_string_value(line) : "",
		    json_string_length(line));
		out_say(o, "  %s", gbuf_cstr(&text));
		gbuf_clear(&text);
	}
}

enum prov_exit
cmd_why(struct cli *cli, struct err *e)
{
	static const struct out_view view = { why_fields, N_ELEMS(why_fields) };
	struct gbuf path = { .max = 65536 };
	json_t *doc = NULL, *rules;
	enum err_code rc;

	if (cli_has(cli, OPT_PEER) == (cli->n_args == 1))
		return exit_of(err_set(
		    e, ERR_USAGE, "why: give an ENDPOINT or --peer ADDRESS, one of the two"));
	gbuf_str(&path, "/v1/why");
	client_path_query(&path, cli->n_args == 1 ? "endpoint" : "peer",
	    cli->n_args == 1 ? cli->args[0] : cli_text(cli, OPT_PEER));
	rc = remote_get(cli, gbuf_cstr(&path), &doc, e);
	if (rc == ERR_OK) {
		out_object(cli->out, &view, doc);
		rules = json_object_get(doc, "rules");
		say_list(cli->out, "rules for its identity", json_object_get(rules, "psk"));
		say_list(cli->out, "rules without credentials", json_object_get(rules, "none"));
		say_list(cli->out, "what to do", json_object_get(doc, "to_do"));
	}
	json_decref(doc);
	gbuf_clear(&path);
	return exit_of(rc);
}
