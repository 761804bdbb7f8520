/* handoff list|retry|test: what LwM2M Servers were told of devices' credentials. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/views.h"

#define ROWS_SHOWN 100

/* clang-format off */
static const struct out_field row_fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "target", "told", OUT_PLAIN, NULL },
	{ "server", "of", OUT_PLAIN, NULL },
	{ "state", "state", OUT_PLAIN, NULL },
	{ "known", "knows", OUT_PLAIN, NULL },
	{ "new", "new", OUT_PLAIN, NULL },
	{ "attempts", "attempts", OUT_PLAIN, NULL },
	{ "due", "due", OUT_TIME, NULL },
	{ "error", "error", OUT_PLAIN, NULL },
};
const struct out_view view_handoffs = { row_fields, N_ELEMS(row_fields) };

static const struct out_field test_fields[] = {
	{ "target", "server", OUT_PLAIN, NULL },
	{ "ok", "answers", OUT_PLAIN, NULL },
	{ "error", "error", OUT_PLAIN, NULL },
};
static const struct out_view test_view = { test_fields, N_ELEMS(test_fields) };
/* clang-format on */

enum prov_exit
cmd_handoff_list(struct cli *cli, struct err *e)
{
	struct gbuf path = { .max = 4096 };
	json_t *doc = NULL;

	gbuf_str(&path, "/v1/handoffs");
	if (cli->n_args > 0)
		client_path_query(&path, "endpoint", cli->args[0]);
	if (cli_has(cli, OPT_OPEN))
		client_path_query(&path, "open", "1");
	enum err_code rc = remote_list(cli, gbuf_cstr(&path), "handoffs", cli_number(cli, OPT_LIMIT, ROWS_SHOWN), &doc, e);
	if (rc == ERR_OK)
		out_table(cli->out, &view_handoffs, doc, "handoffs");
	json_decref(doc);
	gbuf_clear(&path);
	return exit_of(rc);
}

enum prov_exit
cmd_handoff_retry(struct cli *cli, struct err *e)
{
	json_t *body = cli->n_args > 0 ? json_pack("{s:s}", "endpoint", cli->args[0]) : json_pack("{s:b}", "all", true);
	json_t *answer = NULL;
	const struct remote_call call = { "POST", "/v1/handoffs/retry", body, false };
	enum err_code rc = body == NULL ? err_no_memory(e) : remote_call(cli, &call, &answer, e);

	json_decref(answer);
	json_decref(body);
	return exit_of(rc);
}

/* ---- test ---- */

static enum err_code
all_servers(struct cli *cli, json_t *names, struct err *e)
{
	json_t *doc = NULL, *row;
	enum err_code rc = remote_get(cli, "/v1/handoffs/servers", &doc, e);
	size_t i;

	json_array_foreach(json_object_get(doc, "servers"), i, row)
		(void)json_array_append(names, json_object_get(row, "name"));
	json_decref(doc);
	if (rc == ERR_OK && json_array_size(names) == 0)
		rc = err_set(e, ERR_NOT_FOUND, "handoff test: the daemon's configuration has no lwm2m_servers");
	return rc;
}

static enum err_code
test_one(struct cli *cli, const char *name, json_t *rows, size_t *bad, struct err *e)
{
	json_t *body = json_pack("{s:s}", "target", name), *answer = NULL;
	const struct remote_call call = { "POST", "/v1/handoffs/test", body, false };
	enum err_code rc = body == NULL ? err_no_memory(e) : remote_call(cli, &call, &answer, e);

	if (rc == ERR_OK) {
		*bad += !json_is_true(json_object_get(answer, "ok"));
		(void)json_array_append(rows, answer);
	}
	json_decref(answer);
	json_decref(body);
	return rc;
}

/* 1 when none of them answers well, 4 when some do not. */
static enum prov_exit
end_of(size_t n, size_t bad)
{
	return bad == 0 ? EXIT_DONE : bad == n ? EXIT_FAILED : EXIT_PARTIAL;
}

enum prov_exit
cmd_handoff_test(struct cli *cli, struct err *e)
{
	json_t *names = json_array(), *doc = json_pack("{s:[]}", "servers"), *name;
	json_t *rows = json_object_get(doc, "servers");
	enum err_code rc = names == NULL || rows == NULL ? err_no_memory(e) : ERR_OK;
	size_t bad = 0, i;

	for (size_t k = 0; rc == ERR_OK && k < cli->n_args; k++)
		(void)json_array_append_new(names, json_string(cli->args[k]));
	if (rc == ERR_OK && cli->n_args == 0)
		rc = all_servers(cli, names, e);
	json_array_foreach(names, i, name)
		if (rc == ERR_OK)
			rc = test_one(cli, json_string_value(name), rows, &bad, e);
	if (rc == ERR_OK)
		out_table(cli->out, &test_view, doc, "servers");
	size_t n = json_array_size(names);
	json_decref(doc);
	json_decref(names);
	return rc == ERR_OK ? end_of(n, bad) : exit_of(rc);
}
