/* fmt: profile files in their canonical form. */
#include <jansson.h>

#include "lwm2m-prov/cli.h"
#include "lwm2m-prov/input.h"
#include "lwm2m-prov/output.h"
#include "profiles/profile.h"

struct formatting {
	struct cli *cli;
	json_t *files; /* {"file":...,"changed":bool,"error":...} */
	size_t changed, broken;
};

static enum err_code
format_doc(const char *name, unsigned line, const char *text, size_t n, bool compact,
    struct gbuf *out, struct err *e)
{
	struct profile_doc *d = NULL;
	enum err_code rc = profile_parse(name, line, text, n, &d, e);

	if (rc == ERR_OK) {
		profile_doc_write(d, compact, out);
		if (out->len > 0 && out->data[out->len - 1] != '\n')
			gbuf_str(out, "\n");
		rc = gbuf_check(out, e);
	}
	profile_doc_free(d);
	return rc;
}

static enum err_code
format_text(const struct input *in, struct gbuf *out, struct err *e)
{
	const char *text = gbuf_cstr(&in->text), *doc;
	enum err_code rc = ERR_OK;
	size_t at = 0, n;
	unsigned line = 0;

	if (!in->ndjson)
		return format_doc(in->name, 1, text, in->text.len, false, out, e);
	while (rc == ERR_OK && profile_ndjson_next(text, in->text.len, &at, &line, &doc, &n))
		rc = format_doc(in->name, line, doc, n, true, out, e);
	return rc;
}

static void
note_file(struct formatting *f, const struct input *in, bool changed, const struct err *why)
{
	bool check = cli_has(f->cli, OPT_CHECK);
	json_t *row = json_pack("{s:s, s:b, s:s*}", "file", in->name, "changed", changed, "error",
	    why->code != ERR_OK ? why->msg : NULL);

	(void)json_array_append_new(f->files, row);
	f->changed += changed;
	f->broken += why->code != ERR_OK;
	if (why->code != ERR_OK)
		out_note(f->cli->out, "%s", why->msg);
	else if (changed)
		out_say(f->cli->out, "%s: %s", in->name,
		    check ? "is not in its canonical form" : "rewritten");
}

static void
format_file(struct formatting *f, const struct input *in)
{
	struct gbuf canonical = { .max = 2 * INPUT_MAX };
	bool check = cli_has(f->cli, OPT_CHECK), to_stdout = strcmp(in->name, "-") == 0;
	struct err why = { 0 };
	enum err_code rc = format_text(in, &canonical, &why);
	bool same = !in->bom && canonical.len == in->text.len &&
	            memcmp(gbuf_cstr(&canonical), gbuf_cstr(&in->text), canonical.len) == 0;

	if (rc == ERR_OK && to_stdout && !check)
		out_raw(f->cli->out, gbuf_cstr(&canonical), canonical.len);
	else if (rc == ERR_OK && !same && !check)
		rc = input_replace(in->name, gbuf_cstr(&canonical), canonical.len, &why);
	if (!to_stdout || check || rc != ERR_OK)
		note_file(f, in, rc == ERR_OK && !same, &why);
	gbuf_clear(&canonical);
}

enum prov_exit
cmd_fmt(struct cli *cli, struct err *e)
{
	struct formatting f = { .cli = cli, .files = json_array() };
	struct inputs in = { 0 };
	enum err_code rc = f.files == NULL ? err_no_memory(e) : ERR_OK;
	const struct cli_value *paths = &cli->opt[OPT_FILE];

	for (size_t i = 0; rc == ERR_OK && i < paths->n; i++) {
		if (strcmp(paths->v[i], "-") == 0 && cli_has(cli, OPT_JSON) &&
		    !cli_has(cli, OPT_CHECK))
			rc = err_set(e, ERR_USAGE,
			    "fmt: -f - prints the file itself, which does not go with --json");
		else
			rc = inputs_add(&in, paths->v[i], e);
	}
	for (size_t i = 0; rc == ERR_OK && i < in.n; i++)
		format_file(&f, &in.v[i]);
	if (rc == ERR_OK && out_is_json(cli->out)) {
		json_t *doc = json_pack("{s:O}", "files", f.files);
		out_json(cli->out, doc);
		json_decref(doc);
	}
	inputs_clear(&in);
	json_decref(f.files);
	if (rc != ERR_OK)
		return exit_of(rc);
	return f.broken > 0                               ? EXIT_INVALID
	       : cli_has(cli, OPT_CHECK) && f.changed > 0 ? EXIT_FAILED
	                                                  : EXIT_DONE;
}
