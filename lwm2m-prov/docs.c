#include "lwm2m-prov/docs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lwm2m-prov/input.h"
#include "lwm2m-prov/output.h"

const struct profile_rule docs_rule_syntax = { "syntax", PROFILE_ERROR,
	"The file is not JSON, or larger or nested deeper than a document may be. The place is "
	"where reading "
	"stopped: what is wrong stands there or just before." };

static struct doc_item *
add_item(struct docs *d, struct err *e)
{
	struct doc_item *moved = grow(d->v, d->n, &d->cap, sizeof *d->v);

	if (moved == NULL) {
		(void)err_no_memory(e);
		return NULL;
	}
	d->v = moved;
	d->v[d->n] = (struct doc_item){ 0 };
	return &d->v[d->n++];
}

static enum err_code
note_shared(struct docs *d, size_t i, struct err *e)
{
	size_t *moved = grow(d->shared, d->n_shared, &d->cap_shared, sizeof *d->shared);

	if (moved == NULL)
		return err_no_memory(e);
	d->shared = moved;
	d->shared[d->n_shared++] = i;
	return ERR_OK;
}

static enum err_code
add_doc(struct docs *d, const char *file, unsigned line, const char *text, size_t n, bool given,
    struct err *e)
{
	struct doc_item *item = add_item(d, e);
	struct gbuf source = { .max = 8192 };
	struct err why = { 0 };
	enum err_code rc;

	if (item == NULL)
		return ERR_NO_MEMORY;
	item->given = item->needed = given;
	gbuf_printf(&source, "%s:%u", file, line);
	item->source = str_dup_n(gbuf_cstr(&source), source.len);
	gbuf_clear(&source);
	if (item->source == NULL)
		return err_no_memory(e);
	rc = profile_parse(file, line, text, n, &item->doc, &why);
	if (rc == ERR_NO_MEMORY)
		return err_no_memory(e);
	if (rc != ERR_OK) {
		item->problem = str_dup_n(why.msg, strlen(why.msg));
		return item->problem != NULL ? ERR_OK : err_no_memory(e);
	}
	return profile_doc_kind(item->doc) == PROFILE_SHARED ? note_shared(d, d->n - 1, e) : ERR_OK;
}

static enum err_code
add_input(struct docs *d, const struct input *in, bool given, struct err *e)
{
	const char *text = gbuf_cstr(&in->text), *doc;
	size_t at = 0, doc_len, before = d->n;
	unsigned line = 0;
	enum err_code rc = ERR_OK;

	if (!in->ndjson)
		return add_doc(d, in->name, 1, text, in->text.len, given, e);
	while (rc == ERR_OK && profile_ndjson_next(text, in->text.len, &at, &line, &doc, &doc_len))
		rc = add_doc(d, in->name, line, doc, doc_len, given, e);
	if (rc == ERR_OK && d->n == before && given)
		return err_set(e, ERR_INVALID, "%s: holds no document", in->name);
	return rc;
}

enum err_code
docs_add_text(struct docs *d, const char *file, const char *text, size_t n, struct err *e)
{
	return add_doc(d, file, 1, text, n, true, e);
}

static enum err_code
load_list(struct docs *d, const struct cli_value *paths, bool given, struct err *e)
{
	struct inputs in = { 0 };
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < paths->n; i++)
		rc = inputs_add(&in, paths->v[i], e);
	for (size_t i = 0; rc == ERR_OK && i < in.n; i++) {
		rc = add_input(d, &in.v[i], given, e);
		gbuf_clear(&in.v[i].text);
	}
	inputs_clear(&in);
	return rc;
}

const struct profile_doc *
docs_find(void *arg, const char *name, struct err *e)
{
	const struct docs *d = arg;

	for (size_t i = 0; i < d->n_shared; i++) {
		const struct doc_item *item = &d->v[d->shared[i]];

		if (strcmp(profile_doc_name(item->doc), name) == 0)
			return item->doc;
	}
	(void)err_set(e, ERR_NOT_FOUND, "no document of that name was given");
	return NULL;
}

static struct doc_item *
item_of(const struct docs *d, const struct profile_doc *doc)
{
	for (size_t i = 0; i < d->n_shared; i++)
		if (d->v[d->shared[i]].doc == doc)
			return &d->v[d->shared[i]];
	return NULL;
}

/* What the needed ones extend is needed, until nothing is added. */
static void
mark_needed(struct docs *d)
{
	bool more = true;

	for (bool first = true; more; first = false) {
		more = false;
		for (size_t i = 0; i < (first ? d->n : d->n_shared); i++) {
			const struct doc_item *item = &d->v[first ? i : d->shared[i]];
			const char *name;

			for (size_t k = 0; item->needed && item->doc != NULL &&
			                   (name = profile_doc_extends(item->doc, k)) != NULL;
			     k++) {
				const struct profile_doc *doc = docs_find(d, name, NULL);
				struct doc_item *parent = doc != NULL ? item_of(d, doc) : NULL;

				if (parent != NULL && !parent->needed)
					parent->needed = more = true;
			}
		}
	}
}

enum err_code
docs_load(struct docs *d, const struct cli *cli, struct err *e)
{
	enum err_code rc = load_list(d, &cli->opt[OPT_FILE], true, e);

	if (rc == ERR_OK)
		rc = load_list(d, &cli->opt[OPT_INCLUDE], false, e);
	if (rc == ERR_OK)
		mark_needed(d);
	return rc;
}

void
docs_clear(struct docs *d)
{
	for (size_t i = 0; i < d->n; i++) {
		profile_doc_free(d->v[i].doc);
		free(d->v[i].source);
		free(d->v[i].problem);
		profile_findings_clear(&d->v[i].files);
	}
	free(d->v);
	free(d->shared);
	*d = (struct docs){ 0 };
}

/* A device's files may be named by what it extends: its parents must still be as they were read. */
static enum err_code
inline_one(struct docs *d, struct doc_item *item, const char *root, struct err *e)
{
	struct profile_findings ignored = { 0 };
	struct profile_doc *resolved = NULL;
	enum err_code rc = ERR_OK;

	if (profile_doc_kind(item->doc) == PROFILE_DEVICE)
		rc = profile_resolve(item->doc, docs_find, d, &ignored, &resolved, e);
	if (rc == ERR_OK)
		rc = profile_inline(item->doc, resolved, root, &item->files, e);
	profile_findings_clear(&ignored);
	profile_doc_free(resolved);
	return rc;
}

enum err_code
docs_inline(struct docs *d, const struct cli *cli, struct err *e)
{
	const char *root = cli_text(cli, OPT_ROOT);
	enum err_code rc = ERR_OK;

	for (int shared = 0; shared < 2; shared++) {
		for (size_t i = 0; rc == ERR_OK && i < d->n; i++) {
			struct doc_item *item = &d->v[i];

			if (item->doc != NULL && item->needed &&
			    (profile_doc_kind(item->doc) == PROFILE_SHARED) == (shared == 1))
				rc = inline_one(d, item, root, e);
		}
	}
	return rc;
}

static void
note_finding(struct out *o, const struct profile_finding *f)
{
	struct gbuf line = { .max = 65536 };

	profile_finding_print(&line, f);
	out_note(o, "%.*s", (int)strcspn(gbuf_cstr(&line), "\n"), gbuf_cstr(&line));
	gbuf_clear(&line);
}

enum err_code
docs_usable(const struct docs *d, struct out *o, struct err *e)
{
	size_t bad = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct doc_item *item = &d->v[i];
		char buf[DOCS_PROBLEM_BUF];

		if (item->doc == NULL) {
			struct profile_finding f = docs_problem(item, buf);
			note_finding(o, &f);
		}
		for (size_t k = 0; k < item->files.n; k++)
			note_finding(o, &item->files.v[k]);
		bad += item->doc == NULL || item->files.errors > 0;
	}
	if (bad == 0)
		return ERR_OK;
	return err_set(e, ERR_INVALID, "%zu document%s cannot be used", bad, bad == 1 ? "" : "s");
}

/* Puts a profile behind those it extends; marks are taken so that a circle ends. */
static void
put_profile(const struct docs *d, size_t i, bool *taken, size_t *order, size_t *n, unsigned depth)
{
	const char *name;

	if (taken[i])
		return;
	taken[i] = true;
	for (size_t k = 0;
	     depth < PROFILE_EXTENDS_MAX && (name = profile_doc_extends(d->v[i].doc, k)) != NULL;
	     k++) {
		const struct profile_doc *parent = docs_find((void *)(uintptr_t)d, name, NULL);

		for (size_t s = 0; parent != NULL && s < d->n_shared; s++)
			if (d->v[d->shared[s]].doc == parent)
				put_profile(d, d->shared[s], taken, order, n, depth + 1);
	}
	order[(*n)++] = i;
}

size_t
docs_order(const struct docs *d, size_t *order)
{
	bool *taken = calloc(d->n + 1, sizeof *taken);
	size_t n = 0;

	if (taken == NULL)
		return 0;
	for (size_t s = 0; s < d->n_shared; s++)
		if (d->v[d->shared[s]].needed)
			put_profile(d, d->shared[s], taken, order, &n, 0);
	for (size_t i = 0; i < d->n; i++)
		if (!taken[i] && d->v[i].needed &&
		    (d->v[i].doc == NULL || profile_doc_kind(d->v[i].doc) != PROFILE_SHARED))
			order[n++] = i;
	free(taken);
	return n;
}

/* ":123" of which *p is the colon: the number, and *p behind it. false: it is something else. */
static bool
number_at(const char **p, unsigned *out)
{
	char *end;
	unsigned long v;

	if (**p != ':' || (*p)[1] < '0' || (*p)[1] > '9')
		return false;
	v = strtoul(*p + 1, &end, 10);
	*out = (unsigned)MIN(v, UINT32_MAX);
	*p = end;
	return true;
}

/* Where "...:LINE:COLUMN: " begins; NULL. */
static const char *
place_in(const char *problem, unsigned *line, unsigned *column, const char **reason)
{
	for (const char *p = strchr(problem, ':'); p != NULL; p = strchr(p + 1, ':')) {
		const char *at = p;

		if (number_at(&at, line) && number_at(&at, column) && at[0] == ':' &&
		    at[1] == ' ') {
			*reason = at + 2;
			return p;
		}
	}
	return NULL;
}

struct profile_finding
docs_problem(const struct doc_item *item, char buf[DOCS_PROBLEM_BUF])
{
	struct profile_finding f = { .rule = &docs_rule_syntax,
		.file = buf,
		.line = 1,
		.column = 1,
		.path = buf + DOCS_PROBLEM_BUF - 1,
		.reason = item->problem };
	size_t n = (size_t)(strrchr(item->source, ':') - item->source);
	const char *reason = NULL, *from = item->source;
	const char *place = place_in(item->problem, &f.line, &f.column, &reason);

	if (place != NULL) {
		from = item->problem;
		n = (size_t)(place - item->problem);
		f.reason = item->problem + (reason - item->problem);
	} else
		f.line = (unsigned)strtoul(item->source + n + 1, NULL, 10);
	n = MIN(n, (size_t)DOCS_PROBLEM_BUF - 2);
	memcpy(buf, from, n);
	buf[n] = buf[DOCS_PROBLEM_BUF - 1] = '\0';
	return f;
}
