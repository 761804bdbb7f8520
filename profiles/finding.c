#include "profiles/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "profiles/rules.h"

static const struct profile_rule rules[] = {
#define PROFILE_RULE_ROW(id, text, level, long_text)                                               \
	[RULE_##id] = { .name = text, .severity = PROFILE_##level, .help = long_text },
	PROFILE_RULES(PROFILE_RULE_ROW)
#undef PROFILE_RULE_ROW
};

const struct profile_rule *
profile_rule_at(size_t i)
{
	return i < N_ELEMS(rules) ? &rules[i] : NULL;
}

const struct profile_rule *
profile_rule_by_name(const char *name)
{
	for (size_t i = 0; i < N_ELEMS(rules); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

const char *
profile_severity_name(enum profile_severity s)
{
	return s == PROFILE_ERROR ? "error" : "warning";
}

void
profile_findings_clear(struct profile_findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].file);
		free(f->v[i].path);
		free(f->v[i].reason);
	}
	free(f->v);
	*f = (struct profile_findings){ 0 };
}

#define PATH_TEXT_MAX 1024 /* octets of a path in a finding */

static char *
dup(const char *s)
{
	return str_dup_n(s, strlen(s));
}

static void
add(struct profile_findings *f, const struct profile_finding *want)
{
	if (want->rule->severity == PROFILE_ERROR)
		f->errors++;
	else
		f->warnings++;
	struct profile_finding *arr =
	    f->n < PROFILE_FINDINGS_MAX ? grow(f->v, f->n, &f->cap, sizeof *arr) : NULL;
	if (arr == NULL)
		return;
	f->v = arr;
	struct profile_finding *to = &arr[f->n];
	*to = *want;
	to->file = dup(want->file);
	to->path = dup(want->path);
	to->reason = dup(want->reason);
	if (to->file == NULL || to->path == NULL || to->reason == NULL) {
		free(to->file);
		free(to->path);
		free(to->reason);
		return; /* it is counted all the same */
	}
	text_clean(to->file);
	text_clean(to->path);
	text_clean(to->reason);
	f->n++;
}

static void report(struct profile_findings *f, enum prule rule, const struct pnode *at, bool of_key,
    const char *member, const char *fmt, va_list ap) PRINTF_LIKE(6, 0);

static void
report(struct profile_findings *f, enum prule rule, const struct pnode *at, bool of_key,
    const char *member, const char *fmt, va_list ap)
{
	char reason[512];
	struct gbuf path = { .max = PATH_TEXT_MAX };
	bool key = of_key && at->key_line > 0;

	(void)vsnprintf(reason, sizeof reason, fmt, ap);
	pnode_pointer(at, &path);
	if (member != NULL)
		gbuf_printf(&path, "/%s", member);
	add(f, &(struct profile_finding){ .rule = &rules[rule],
	           .file = at->src->file,
	           .line = key ? at->key_line : at->line,
	           .column = key ? at->key_column : at->column,
	           .path = (char *)(uintptr_t)gbuf_cstr(&path),
	           .reason = reason });
	gbuf_clear(&path);
}

void
finding_add(
    struct profile_findings *f, enum prule rule, const struct pnode *at, const char *fmt, ...)
{
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, fmt);
	report(f, rule, at, false, NULL, fmt, ap);
	va_end(ap);
}

void
finding_key(
    struct profile_findings *f, enum prule rule, const struct pnode *at, const char *fmt, ...)
{
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, fmt);
	report(f, rule, at, true, NULL, fmt, ap);
	va_end(ap);
}

void
finding_member(struct profile_findings *f, enum prule rule, const struct pnode *object,
    const char *member, const char *fmt, ...)
{
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, fmt);
	report(f, rule, object, false, member, fmt, ap);
	va_end(ap);
}

void
profile_finding_print(struct gbuf *out, const struct profile_finding *f)
{
	gbuf_printf(out, "%s:%u:%u: %s: %s (%s) [%s]", f->file, f->line, f->column,
	    profile_severity_name(f->rule->severity), f->reason,
	    f->path[0] != '\0' ? f->path : "the document", f->rule->name);
}

enum err_code
profile_finding_err(const struct profile_finding *f, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s:%u:%u: %s: %s", f->file, f->line, f->column,
	    f->path[0] != '\0' ? f->path : "the document", f->reason);
}
