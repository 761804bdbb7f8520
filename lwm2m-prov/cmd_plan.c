/* plan: the operations that a session would do, secrets by length and fingerprint only. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lib/base/secret.h"
#include "lwm2m-prov/docs.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "lwm2m-prov/views.h"

/* clang-format off */
static const struct out_field fields[] = {
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "policy", "policy", OUT_PLAIN, NULL },
	{ "assumes", "for", OUT_PLAIN, NULL },
	{ "session", "seen by session", OUT_PLAIN, NULL },
	{ "seen", "at", OUT_TIME, NULL },
	{ "restores", "restores session", OUT_PLAIN, NULL },
	{ "format", "format", OUT_PLAIN, NULL },
	{ "verify", "read back", OUT_PLAIN, NULL },
	{ "remark", "remark", OUT_PLAIN, NULL },
};
static const struct out_field row_fields[] = {
	{ "path", "path", OUT_PLAIN, NULL },
	{ "name", "name", OUT_PLAIN, NULL },
	{ "has", "has", OUT_PLAIN, NULL },
	{ "wants", "wants", OUT_PLAIN, NULL },
	{ "does", "will do", OUT_PLAIN, NULL },
};
static const struct out_field line_fields[] = {
	{ "server", "server", OUT_PLAIN, NULL },
	{ "short_server_id", "id", OUT_PLAIN, NULL },
	{ "order", "order", OUT_PLAIN, NULL },
	{ "registers_text", "registers after", OUT_PLAIN, NULL },
	{ "after_failures_text", "if those before it fail", OUT_PLAIN, NULL },
	{ "gives_up_text", "tries for", OUT_PLAIN, NULL },
	{ "then_text", "and then", OUT_PLAIN, NULL },
};
/* clang-format on */
static const struct out_view lines = { line_fields, N_ELEMS(line_fields) };
static const struct out_view rows = { row_fields, N_ELEMS(row_fields) };
static const struct out_view view = { fields, N_ELEMS(fields) };

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void
print_value(struct out *o, const json_t *v)
{
	const json_t *secret = json_object_get(v, "secret");
	const char *mark = json_is_true(json_object_get(v, "default")) ? " (default)" : "";
	struct gbuf text = { .max = 65536 };

	if (secret != NULL) {
		gbuf_printf(
		    &text, "%d octets", (int)json_integer_value(json_object_get(secret, "length")));
		if (json_is_true(json_object_get(secret, "generated")))
			gbuf_str(&text, ", made when the device is stored");
		else if (text_of(secret, "fingerprint")[0] != '\0')
			gbuf_printf(&text, ", fingerprint %s", text_of(secret, "fingerprint"));
	} else
		gbuf_str(&text, text_of(v, "value"));
	out_say(o, "      %-10s %s = %s%s", text_of(v, "path"), text_of(v, "name"),
	    gbuf_cstr(&text), mark);
	gbuf_clear(&text);
}

/* "1h 2m 30s"; "never" for null. */
static json_t *
time_text(const json_t *v)
{
	static const struct {
		json_int_t seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	json_int_t s = json_integer_value(v);
	struct gbuf text = { .max = 64 };
	json_t *j;

	for (size_t i = 0; json_is_integer(v) && i < N_ELEMS(units); i++) {
		if (s / units[i].seconds > 0)
			gbuf_printf(&text, "%s%lld%c", text.len > 0 ? " " : "", (long long)(s / units[i].seconds), units[i].unit);
		s %= units[i].seconds;
	}
	j = json_string(!json_is_integer(v) ? "never" : text.len == 0 ? "0s" : gbuf_cstr(&text));
	gbuf_clear(&text);
	return j;
}

static const char *
then_text(const char *then)
{
	static const struct {
		const char *word, *text;
	} words[] = { { "goes_on", "goes on without it" }, { "stops", "stops there" }, { "bootstraps", "bootstraps again" } };

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (strcmp(words[i].word, then) == 0)
			return words[i].text;
	return then;
}

static void
say_when(struct out *o, const json_t *t, const char *key, const char *before)
{
	json_t *text = time_text(json_object_get(t, key));

	if (json_is_integer(json_object_get(t, key)))
		out_say(o, "%s %s", before, json_string_value(text));
	json_decref(text);
}

/* When each server sees the device, from the end of the session on. */
static void
print_timeline(struct out *o, const json_t *t)
{
	json_t *doc = json_object(), *list = json_deep_copy(json_object_get(t, "servers")), *s;
	size_t i;

	json_array_foreach(list, i, s)
	{
		(void)json_object_set_new(s, "registers_text", time_text(json_object_get(s, "registers")));
		(void)json_object_set_new(s, "after_failures_text", time_text(json_object_get(s, "after_failures")));
		(void)json_object_set_new(s, "gives_up_text", time_text(json_object_get(s, "gives_up_after")));
		(void)json_object_set_new(s, "then_text", json_string(then_text(text_of(s, "then"))));
	}
	if (json_array_size(list) > 0) {
		out_say(o, "afterwards:");
		(void)json_object_set(doc, "servers", list);
		out_table(o, &lines, doc, "servers");
	}
	say_when(o, t, "comes_back_by", "a server that fails sends it back by");
	say_when(o, t, "hold_off", "it waits before it knocks");
	say_when(o, t, "forgets_bootstrap_account", "it forgets its bootstrap account after");
	json_decref(list);
	json_decref(doc);
}

static void
print_plan(struct out *o, const json_t *plan)
{
	const json_t *op, *v;
	size_t i, k;

	out_object(o, &view, plan);
	if (out_is_json(o))
		return;
	out_table(o, &rows, plan, "rows");
	if (json_array_size(json_object_get(plan, "audit")) > 0) {
		out_say(o, "findings:");
		out_table(o, &view_audit_findings, plan, "audit");
	}
	out_say(o, json_array_size(json_object_get(plan, "operations")) > 0 ? "operations:" : "nothing to do");
	json_array_foreach(json_object_get(plan, "operations"), i, op)
	{
		struct gbuf line = { .max = 4096 };

		gbuf_printf(
		    &line, "%4zu  %-6s %s", i + 1, text_of(op, "method"), text_of(op, "path"));
		if (text_of(op, "format")[0] != '\0')
			gbuf_printf(&line, "  %s, %d octets", text_of(op, "format"),
			    (int)json_integer_value(json_object_get(op, "bytes")));
		if (json_is_true(json_object_get(op, "clock")))
			gbuf_str(&line, "  the time, as it is then");
		if (text_of(op, "problem")[0] != '\0')
			gbuf_printf(&line, "  cannot be encoded: %s", text_of(op, "problem"));
		out_say(o, "%s", gbuf_cstr(&line));
		gbuf_clear(&line);
		json_array_foreach(json_object_get(op, "values"), k, v) print_value(o, v);
	}
	print_timeline(o, json_object_get(plan, "timeline"));
}

/* The one device among what was given. */
static enum err_code
the_device(const struct docs *d, const struct doc_item **out, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].given && profile_doc_kind(d->v[i].doc) != PROFILE_SHARED && n++ == 0)
			*out = &d->v[i];
	if (n == 1)
		return ERR_OK;
	return err_set(e, ERR_USAGE,
	    "plan: a plan is made for one device, here are %zu; profiles go in with -I", n);
}

/* What it extends may be in files only: then it is sent as a whole. */
static enum err_code
body_of(const struct docs *d, const struct doc_item *item, struct gbuf *out, struct err *e)
{
	struct profile_findings f = { 0 };
	struct profile_doc *resolved = NULL;
	const char *first = profile_doc_extends(item->doc, 0);
	bool here = first != NULL && docs_find((void *)(uintptr_t)d, first, NULL) != NULL;
	enum err_code rc = ERR_OK;

	if (here)
		rc = profile_resolve(item->doc, docs_find, (void *)(uintptr_t)d, &f, &resolved, e);
	if (rc == ERR_OK) {
		profile_doc_write(
		    resolved != NULL && f.errors == 0 ? resolved : item->doc, true, out);
		rc = gbuf_check(out, e);
	}
	profile_findings_clear(&f);
	profile_doc_free(resolved);
	return rc;
}

/* An inventory as it was printed: its "raw", or that alone. NULL: none was asked for. */
static enum err_code
read_inventory(const struct cli *cli, json_t **out, struct err *e)
{
	const char *file = cli_text(cli, OPT_INVENTORY_FILE);
	json_error_t why;
	json_t *j, *raw;

	*out = NULL;
	if (file == NULL)
		return ERR_OK;
	j = json_load_file(file, 0, &why);
	if (j == NULL)
		return err_set(e, ERR_PARSE, "%s:%d:%d: %s", file, why.line, why.column, why.text);
	raw = json_object_get(j, "raw");
	*out = json_incref(raw != NULL ? raw : j);
	json_decref(j);
	return ERR_OK;
}

static enum err_code
plan_file(struct cli *cli, json_t **plan, struct err *e)
{
	struct docs d = { 0 };
	const struct doc_item *item = NULL;
	struct gbuf text = { .max = 4 * PROFILE_TEXT_MAX };
	json_t *body = NULL, *inventory = NULL;
	enum err_code rc = read_inventory(cli, &inventory, e);

	if (rc == ERR_OK)
		rc = docs_load(&d, cli, e);
	if (rc == ERR_OK)
		rc = docs_inline(&d, cli, e);
	if (rc == ERR_OK)
		rc = docs_usable(&d, cli->out, e);
	if (rc == ERR_OK)
		rc = the_device(&d, &item, e);
	if (rc == ERR_OK)
		rc = body_of(&d, item, &text, e);
	if (rc == ERR_OK) {
		body = json_loadb(gbuf_cstr(&text), text.len, 0, NULL);
		if (body != NULL && inventory != NULL)
			body = json_pack("{s:o, s:O}", "document", body, "inventory", inventory);
		const struct remote_call call = {
			.method = "POST", .path = "/v1/plan", .body = body
		};
		rc = body == NULL ? err_no_memory(e) : remote_call(cli, &call, plan, e);
	}
	json_decref(body);
	json_decref(inventory);
	gbuf_clear(&text);
	docs_clear(&d);
	return rc;
}

enum prov_exit
cmd_plan(struct cli *cli, struct err *e)
{
	struct gbuf path = { 0 };
	json_t *plan = NULL;
	enum err_code rc;

	if (cli_has(cli, OPT_FILE) == (cli->n_args == 1))
		return exit_of(
		    err_set(e, ERR_USAGE, "plan: give an ENDPOINT or -f FILE, one of the two"));
	if (cli_has(cli, OPT_INVENTORY_FILE) && !cli_has(cli, OPT_FILE))
		return exit_of(err_set(e, ERR_USAGE, "plan: --inventory goes with -f FILE"));
	if (cli_has(cli, OPT_FRESH) && cli_has(cli, OPT_FILE))
		return exit_of(err_set(e, ERR_USAGE, "plan: --fresh goes with an ENDPOINT"));
	if (cli_has(cli, OPT_FILE))
		rc = plan_file(cli, &plan, e);
	else {
		remote_path(&path, "/v1/devices/", cli->args[0], "/plan");
		if (cli_has(cli, OPT_FRESH))
			client_path_query(&path, "fresh", "1");
		rc = remote_get(cli, gbuf_cstr(&path), &plan, e);
	}
	if (rc == ERR_OK && plan == NULL)
		rc = err_set(e, ERR_INTERNAL, "the daemon's answer is empty");
	if (rc == ERR_OK)
		print_plan(cli->out, plan);
	json_decref(plan);
	gbuf_clear(&path);
	return exit_of(rc);
}
