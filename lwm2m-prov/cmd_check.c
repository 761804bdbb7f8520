/* check: everything that is wrong with profile files, without a daemon. */
#include <jansson.h>

#include "lib/base/clock.h"
#include "lwm2m-prov/docs.h"
#include "lwm2m-prov/findings.h"
#include "lwm2m-prov/output.h"

struct checking {
	struct cli *cli;
	struct docs docs;
	struct lwm2m_model *model;
	struct profile_fleet *fleet;
	json_t *list;
	size_t documents, errors, warnings;
};

static enum err_code
load_model(struct checking *c, struct err *e)
{
	const struct cli_value *dirs = &c->cli->opt[OPT_OBJECT_DIR];
	enum err_code rc = ERR_OK;

	c->model = lwm2m_model_new();
	if (c->model == NULL)
		return err_no_memory(e);
	for (size_t i = 0; rc == ERR_OK && i < dirs->n; i++)
		rc = lwm2m_model_load_dir(c->model, dirs->v[i], e);
	if (rc == ERR_OK || rc == ERR_NO_MEMORY)
		return rc;
	(void)err_wrap(e, "--object-dir");
	e->code = ERR_INVALID; /* whatever it was: the input is wrong */
	return ERR_INVALID;
}

static enum err_code
check_one(struct checking *c, const struct doc_item *item, struct err *e)
{
	const struct profile_keys keys = { .now = clock_wall_ms() / 1000 };
	struct profile_findings f = { 0 };
	struct profile_doc *resolved = NULL;
	enum err_code rc;

	rc = profile_resolve(item->doc, docs_find, &c->docs, &f, &resolved, e);
	if (rc == ERR_OK && resolved != NULL)
		rc = profile_check(resolved, c->model, &keys, &f, e);
	if (rc == ERR_OK && resolved != NULL)
		rc = profile_fleet_add(c->fleet, resolved, c->model, NULL, &f, e);
	findings_put(c->cli->out, c->list, &f);
	c->errors += f.errors;
	c->warnings += f.warnings;
	profile_findings_clear(&f);
	profile_doc_free(resolved);
	return rc;
}

static enum err_code
check_all(struct checking *c, struct err *e)
{
	enum err_code rc = docs_inline(&c->docs, c->cli, e);

	for (size_t i = 0; rc == ERR_OK && i < c->docs.n; i++) {
		const struct doc_item *item = &c->docs.v[i];
		char buf[DOCS_PROBLEM_BUF];

		if (item->problem != NULL) {
			struct profile_finding f = docs_problem(item, buf);
			findings_put_one(c->cli->out, c->list, &f);
			c->errors++;
		}
		findings_put(c->cli->out, c->list, &item->files);
		c->errors += item->files.errors;
		c->warnings += item->files.warnings;
		c->documents += item->given;
		if (item->given && item->doc != NULL)
			rc = check_one(c, item, e);
	}
	return rc;
}

static const char *
s(size_t n)
{
	return n == 1 ? "" : "s";
}

static void
conclude(struct checking *c)
{
	json_t *doc =
	    json_pack("{s:I, s:I, s:I, s:O}", "documents", (json_int_t)c->documents, "errors",
	        (json_int_t)c->errors, "warnings", (json_int_t)c->warnings, "findings", c->list);

	out_say(c->cli->out, "%zu document%s: %zu error%s, %zu warning%s", c->documents,
	    s(c->documents), c->errors, s(c->errors), c->warnings, s(c->warnings));
	out_json(c->cli->out, doc);
	json_decref(doc);
}

enum prov_exit
cmd_check(struct cli *cli, struct err *e)
{
	struct checking c = { .cli = cli, .list = json_array(), .fleet = profile_fleet_new() };
	enum err_code rc = c.list == NULL || c.fleet == NULL ? err_no_memory(e) : load_model(&c, e);

	if (rc == ERR_OK)
		rc = docs_load(&c.docs, cli, e);
	if (rc == ERR_OK)
		rc = check_all(&c, e);
	if (rc == ERR_OK)
		conclude(&c);
	docs_clear(&c.docs);
	profile_fleet_free(c.fleet);
	lwm2m_model_free(c.model);
	json_decref(c.list);
	if (rc != ERR_OK)
		return exit_of(rc);
	return c.errors > 0 || (cli_has(cli, OPT_STRICT) && c.warnings > 0) ? EXIT_INVALID
	                                                                    : EXIT_DONE;
}
