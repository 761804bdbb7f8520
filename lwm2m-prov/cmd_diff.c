/* diff: what apply would change. */
#include <stdlib.h>

#include <jansson.h>

#include "lwm2m-prov/batch.h"
#include "lwm2m-prov/findings.h"
#include "lwm2m-prov/output.h"

struct diffing {
	struct cli *cli;
	struct docs docs;
	size_t *order;
	bool *skip;
	size_t n, different, bad;
	json_t *rows;
};

/* A value on one line; what is not there is "-". */
static void
put_value(struct gbuf *out, const json_t *v)
{
	char *text =
	    v == NULL || json_is_null(v) ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	gbuf_str(out, text != NULL ? text : "-");
	free(text);
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "-";
}

static void
print_row(struct diffing *d, const struct doc_item *item, const json_t *row)
{
	const char *detail =
	    json_string_value(json_object_get(json_object_get(row, "error"), "detail"));
	const char *name = json_string_value(json_object_get(row, "name"));
	const char *result = json_string_value(json_object_get(row, "result"));
	const json_t *change, *finding;
	size_t i;

	json_array_foreach(json_object_get(row, "findings"), i, finding)
	{
		struct gbuf line = { .max = 65536 };

		findings_line(&line, finding);
		out_note(d->cli->out, "%s", gbuf_cstr(&line));
		gbuf_clear(&line);
	}
	if (detail != NULL)
		out_note(d->cli->out, "%s: %s", item->source, detail);
	out_say(d->cli->out, "%s %s: %s", text_of(row, "kind"), name != NULL ? name : "-",
	    result != NULL ? result : "error");
	/* of what is new, all of it */
	if (result != NULL && strcmp(result, "created") == 0)
		return;
	json_array_foreach(json_object_get(row, "changes"), i, change)
	{
		struct gbuf line = { .max = 65536 };

		gbuf_printf(&line, "  %s: ", text_of(change, "path"));
		put_value(&line, json_object_get(change, "has"));
		gbuf_str(&line, " -> ");
		put_value(&line, json_object_get(change, "wants"));
		out_say(d->cli->out, "%s", gbuf_cstr(&line));
		gbuf_clear(&line);
	}
}

static enum err_code
on_row(void *arg, size_t place, const struct json_t *row, struct err *e)
{
	struct diffing *d = arg;
	const char *result = json_string_value(json_object_get(row, "result"));
	bool changes =
	    result != NULL && (strcmp(result, "created") == 0 || strcmp(result, "updated") == 0);

	(void)e;
	d->different += changes;
	d->bad += !changes && (result == NULL || strcmp(result, "unchanged") != 0);
	(void)json_array_append(d->rows, (json_t *)(uintptr_t)row);
	if (!out_is_json(d->cli->out) && (result == NULL || strcmp(result, "unchanged") != 0))
		print_row(d, &d->docs.v[d->order[place]], row);
	return ERR_OK;
}

/* Everything must be readable before the daemon is asked. */
static enum err_code
prepare(struct diffing *d, struct err *e)
{
	enum err_code rc = docs_load(&d->docs, d->cli, e);

	if (rc == ERR_OK)
		rc = docs_inline(&d->docs, d->cli, e);
	if (rc == ERR_OK)
		rc = docs_usable(&d->docs, d->cli->out, e);
	if (rc != ERR_OK)
		return rc;
	d->order = calloc(d->docs.n + 1, sizeof *d->order);
	d->skip = calloc(d->docs.n + 1, sizeof *d->skip);
	d->rows = json_array();
	if (d->order == NULL || d->skip == NULL || d->rows == NULL)
		return err_no_memory(e);
	d->n = docs_order(&d->docs, d->order);
	return ERR_OK;
}

enum prov_exit
cmd_diff(struct cli *cli, struct err *e)
{
	struct diffing d = { .cli = cli };
	enum err_code rc = prepare(&d, e);
	json_t *doc;

	if (rc == ERR_OK) {
		const struct batch b = { .cli = cli,
			.docs = &d.docs,
			.order = d.order,
			.skip = d.skip,
			.n = d.n,
			.path = "/v1/diff",
			.dry = true,
			.on_row = on_row,
			.arg = &d };
		rc = batch_run(&b, e);
	}
	if (rc == ERR_OK) {
		doc = json_pack("{s:I, s:I, s:O}", "documents", (json_int_t)d.n, "different",
		    (json_int_t)d.different, "rows", d.rows);
		out_json(cli->out, doc);
		json_decref(doc);
		out_say(cli->out, "%zu document%s, %zu different", d.n, d.n == 1 ? "" : "s",
		    d.different);
	}
	docs_clear(&d.docs);
	free(d.order);
	free(d.skip);
	json_decref(d.rows);
	if (rc != ERR_OK)
		return exit_of(rc);
	if (d.bad > 0)
		return EXIT_INVALID;
	return d.different > 0 && cli_has(cli, OPT_EXIT_CODE) ? EXIT_DIFFERENT : EXIT_DONE;
}
