#include "lwm2m-prov/findings.h"

#include <jansson.h>

void
findings_add(struct json_t *list, const struct profile_finding *f)
{
	json_t *row = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s}", "rule", f->rule->name,
	    "severity", profile_severity_name(f->rule->severity), "file", f->file, "line",
	    (int)f->line, "column", (int)f->column, "path", f->path, "reason", f->reason);

	(void)json_array_append_new(list, row);
}

void
findings_put_one(struct out *o, struct json_t *list, const struct profile_finding *f)
{
	struct gbuf line = { .max = 65536 };

	if (out_is_json(o))
		findings_add(list, f);
	else {
		profile_finding_print(&line, f);
		if (line.len > 0 && line.data[line.len - 1] == '\n')
			line.data[--line.len] = '\0';
		out_say(o, "%s", gbuf_cstr(&line));
	}
	gbuf_clear(&line);
}

void
findings_put(struct out *o, struct json_t *list, const struct profile_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		findings_put_one(o, list, &f->v[i]);
	if (f->errors + f->warnings > f->n)
		out_say(o, "and %zu more", f->errors + f->warnings - f->n);
}

static const char *
text_of(const json_t *finding, const char *key)
{
	const char *s = json_string_value(json_object_get(finding, key));

	return s != NULL ? s : "";
}

void
findings_line(struct gbuf *out, const struct json_t *finding)
{
	const char *file = text_of(finding, "file"), *path = text_of(finding, "path");
	json_int_t line = json_integer_value(json_object_get(finding, "line"));
	const char *reason = text_of(finding, "reason");

	out_clean(out, file, strlen(file));
	gbuf_printf(out, ":%d:%d: %s: ", (int)line,
	    (int)json_integer_value(json_object_get(finding, "column")),
	    text_of(finding, "severity"));
	out_clean(out, reason, strlen(reason));
	if (path[0] != '\0') {
		gbuf_str(out, " (");
		out_clean(out, path, strlen(path));
		gbuf_str(out, ")");
	}
	gbuf_printf(out, " [%s]", text_of(finding, "rule"));
}
