/* explain: what a key, a finding or a reason means; no daemon is asked. */
#include <stdlib.h>

#include <jansson.h>

#include "lib/base/str.h"
#include "lib/lwm2m/finding.h"
#include "lib/lwm2m/reason.h"
#include "lwm2m-prov/docs.h"
#include "lwm2m-prov/output.h"

/* clang-format off */
static const struct out_field key_fields[] = {
	{ "name", "key", OUT_PLAIN, NULL },
	{ "place", "stands in", OUT_PLAIN, NULL },
	{ "alias", "registered as", OUT_PLAIN, NULL },
	{ "path", "resource", OUT_PLAIN, NULL },
	{ "type", "type", OUT_PLAIN, NULL },
	{ "unit", "unit", OUT_PLAIN, NULL },
	{ "text", "meaning", OUT_PLAIN, NULL },
};
static const struct out_field rule_fields[] = {
	{ "name", "finding", OUT_PLAIN, NULL },
	{ "severity", "severity", OUT_PLAIN, NULL },
	{ "text", "meaning", OUT_PLAIN, NULL },
};
static const struct out_field audit_fields[] = {
	{ "name", "finding", OUT_PLAIN, NULL },
	{ "text", "meaning", OUT_PLAIN, NULL },
};
static const struct out_field reason_fields[] = {
	{ "name", "reason", OUT_PLAIN, NULL },
	{ "text", "meaning", OUT_PLAIN, NULL },
};
static const struct out_field key_columns[] = {
	{ "place", "place", OUT_PLAIN, NULL },
	{ "name", "key", OUT_PLAIN, NULL },
	{ "path", "resource", OUT_PLAIN, NULL },
	{ "type", "type", OUT_PLAIN, NULL },
	{ "text", "meaning", OUT_PLAIN, NULL },
};
static const struct out_field name_columns[] = {
	{ "name", "name", OUT_PLAIN, NULL },
	{ "text", "meaning", OUT_PLAIN, NULL },
};
/* clang-format on */
static const struct out_view key_view = { key_columns, N_ELEMS(key_columns) };
static const struct out_view name_view = { name_columns, N_ELEMS(name_columns) };

static const struct out_field all_fields[] = {
	{ "keys", "keys of a profile file", OUT_ROWS, &key_view },
	{ "findings", "findings of check, and of a device's audit", OUT_ROWS, &name_view },
	{ "reasons", "reasons of a session's end", OUT_ROWS, &name_view },
};

static json_t *
key_json(const struct profile_help *h)
{
	return json_pack("{s:s, s:s, s:s, s:s*, s:s, s:s, s:s, s:s}", "kind", "key", "name",
	    h->name, "place", h->place, "alias", h->alias, "path", h->path, "type", h->type, "unit",
	    h->unit, "text", h->text);
}

static json_t *
rule_json(const struct profile_rule *r)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "name", r->name, "severity",
	    profile_severity_name(r->severity), "text", r->help);
}

static json_t *
all_keys(void)
{
	json_t *list = json_array();
	struct profile_help h;
	char buf[PROFILE_HELP_BUF];

	for (size_t i = 0; profile_help_at(i, &h, buf); i++)
		(void)json_array_append_new(list, key_json(&h));
	return list;
}

static json_t *
all_findings(void)
{
	json_t *list = json_array();

	(void)json_array_append_new(list, rule_json(&docs_rule_syntax));
	for (size_t i = 0; profile_rule_at(i) != NULL; i++)
		(void)json_array_append_new(list, rule_json(profile_rule_at(i)));
	for (int i = 0; i < BS_FIND__COUNT; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "kind", "audit", "name",
		        bs_finding_name((enum bs_finding_kind)i), "text",
		        bs_finding_help((enum bs_finding_kind)i)));
	return list;
}

static json_t *
all_reasons(void)
{
	json_t *list = json_array();

	for (int i = 0; i < BS_REASON__COUNT; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "kind", "reason", "name",
		        bs_reason_name((enum bs_reason)i), "text", bs_reason_help((enum bs_reason)i)));
	return list;
}

/* A key answers to its name, its registered name, its place and name, and its resource. */
static bool
key_answers(const json_t *row, const char *word)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	const char *place = json_string_value(json_object_get(row, "place"));
	const char *alias = json_string_value(json_object_get(row, "alias"));
	const char *path = json_string_value(json_object_get(row, "path"));
	size_t n = place != NULL ? strlen(place) : 0;

	if (name != NULL && strcmp(name, word) == 0)
		return true;
	if ((alias != NULL && strcmp(alias, word) == 0) ||
	    (path != NULL && strcmp(path, word) == 0))
		return true;
	return n > 0 && name != NULL && strncmp(word, place, n) == 0 && word[n] == '.' &&
	       strcmp(word + n + 1, name) == 0;
}

static bool
name_answers(const json_t *row, const char *word)
{
	const char *name = json_string_value(json_object_get(row, "name"));

	return name != NULL && strcmp(name, word) == 0;
}

static void
select_rows(const json_t *from, const char *word, bool (*answers)(const json_t *, const char *),
    json_t *into)
{
	json_t *row;
	size_t i;

	json_array_foreach(from, i, row) if (answers(row, word))(void) json_array_append(into, row);
}

static size_t
collect_names(const json_t *list, const char **names, size_t n, size_t max)
{
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));

		if (name != NULL && n < max)
			names[n++] = name;
	}
	return n;
}

static enum err_code
nothing_found(const char *word, const json_t *keys, const json_t *findings, const json_t *reasons,
    struct err *e)
{
	const char *names[1024], *near;
	struct gbuf typed = { .max = 1024 };
	size_t n = collect_names(keys, names, 0, N_ELEMS(names));

	n = collect_names(findings, names, n, N_ELEMS(names));
	n = collect_names(reasons, names, n, N_ELEMS(names));
	near = str_nearest(word, names, n);
	str_quote(&typed, word, MIN(strlen(word), 100));
	if (near != NULL)
		err_set(e, ERR_NOT_FOUND, "explain: nothing is called \"%s\": did you mean \"%s\"?",
		    gbuf_cstr(&typed), near);
	else
		err_set(e, ERR_NOT_FOUND, "explain: no key, finding or reason is called \"%s\"",
		    gbuf_cstr(&typed));
	gbuf_clear(&typed);
	return e->code;
}

static void
print_found(struct out *o, const json_t *found)
{
	static const struct out_view views[] = {
		{ key_fields, N_ELEMS(key_fields) },
		{ rule_fields, N_ELEMS(rule_fields) },
		{ audit_fields, N_ELEMS(audit_fields) },
		{ reason_fields, N_ELEMS(reason_fields) },
	};
	static const char *const kinds[] = { "key", "finding", "audit", "reason" };
	json_t *row, *doc;
	size_t i;

	doc = json_pack("{s:O}", "found", found);
	out_json(o, doc);
	json_decref(doc);
	json_array_foreach(found, i, row)
	{
		const char *kind = json_string_value(json_object_get(row, "kind"));
		size_t which = 0;

		if (out_is_json(o))
			break;
		while (which + 1 < N_ELEMS(kinds) && strcmp(kind, kinds[which]) != 0)
			which++;
		if (i > 0)
			out_say(o, "%s", "");
		out_object(o, &views[which], row);
	}
}

static void
print_all(struct cli *cli, const json_t *keys, const json_t *findings, const json_t *reasons)
{
	static const struct out_view view = { all_fields, N_ELEMS(all_fields) };
	json_t *doc =
	    json_pack("{s:O, s:O, s:O}", "keys", keys, "findings", findings, "reasons", reasons);

	out_object(cli->out, &view, doc);
	json_decref(doc);
}

enum prov_exit
cmd_explain(struct cli *cli, struct err *e)
{
	const char *word = cli->n_args > 0 ? cli->args[0] : NULL;
	json_t *keys = all_keys(), *findings = all_findings(), *reasons = all_reasons(),
	       *found = json_array();
	enum prov_exit end = EXIT_DONE;

	if (word != NULL) {
		select_rows(keys, word, key_answers, found);
		select_rows(findings, word, name_answers, found);
		select_rows(reasons, word, name_answers, found);
	}
	if (word == NULL)
		print_all(cli, keys, findings, reasons);
	else if (json_array_size(found) > 0)
		print_found(cli->out, found);
	else
		end = exit_of(nothing_found(word, keys, findings, reasons, e));
	json_decref(keys);
	json_decref(findings);
	json_decref(reasons);
	json_decref(found);
	return end;
}
