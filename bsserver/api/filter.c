#include "bsserver/api/filter.h"

#include <jansson.h>
#include <string.h>

#include "lib/base/util.h"
#include "profiles/profile.h"

#define LABEL "label."

/* ---- what is asked for ---- */

static bool
is_state(const char *s)
{
	enum store_state out;

	return store_state_from_name(s, &out);
}

static bool
is_verdict(const char *s)
{
	enum bs_verdict out;

	return bs_verdict_from_name(s, &out);
}

static bool
is_reason(const char *s)
{
	for (int i = 0; i < BS_REASON__COUNT; i++)
		if (strcmp(bs_reason_name((enum bs_reason)i), s) == 0)
			return true;
	return false;
}

static bool
is_truth(const char *s)
{
	return strcmp(s, "true") == 0 || strcmp(s, "false") == 0;
}

/* Members of a device in a list; everything else is a label. */
static const struct {
	const char *name;
	bool (*takes)(const char *value);
	const char *values;
} attributes[] = {
	{ "state", is_state, "active, blocked or retired" },
	{ "verdict", is_verdict, "the verdict of a session" },
	{ "reason", is_reason, "the reason of a session" },
	{ "provisioned", is_truth, "true or false" },
};

static bool
wrong(struct req *r, const char *term, const char *why)
{
	answer_fail(r, 0, ERR_USAGE, "where: %s, is \"%.100s\"", why, term);
	return false;
}

static bool
read_term(struct req *r, const char *term, struct filter_term *out)
{
	const char *eq = strchr(term, '=');

	if (eq == NULL || eq == term || eq[1] == 0)
		return wrong(r, term, "must be KEY=VALUE");
	*out = (struct filter_term){ term, (size_t)(eq - term), eq + 1, true };
	for (size_t i = 0; i < N_ELEMS(attributes); i++) {
		if (strlen(attributes[i].name) != out->key_len || memcmp(attributes[i].name, term, out->key_len) != 0)
			continue;
		out->label = false;
		if (!attributes[i].takes(out->value)) {
			answer_fail(r, 0, ERR_USAGE, "where: %s must be %s, is \"%.100s\"; a label of that name is " LABEL "%s",
			    attributes[i].name, attributes[i].values, out->value, attributes[i].name);
			return false;
		}
	}
	if (strncmp(out->key, LABEL, strlen(LABEL)) != 0)
		return true;
	out->key += strlen(LABEL);
	out->key_len -= strlen(LABEL);
	return out->key_len > 0 || wrong(r, term, "must be KEY=VALUE");
}

bool
filter_read(struct req *r, struct filter *out)
{
	const char *term;

	*out = (struct filter){ .n_where = 0 };
	for (size_t i = 0; (term = req_param_at(r, "where", i)) != NULL; i++) {
		if (i == FILTER_WHERE_MAX) {
			answer_fail(r, 0, ERR_USAGE, "where: more than %d", FILTER_WHERE_MAX);
			return false;
		}
		if (!read_term(r, term, &out->where[out->n_where++]))
			return false;
	}
	return req_u64(r, "revision_older_than", 1, INT64_MAX, 0, &out->older_than);
}

/* ---- one device ---- */

static bool
attribute_fits(const struct filter_term *t, const json_t *row)
{
	char key[32];

	(void)snprintf(key, sizeof key, "%.*s", (int)t->key_len, t->key);
	const json_t *v = json_object_get(row, key);
	const char *text = json_is_boolean(v) ? (json_is_true(v) ? "true" : "false") : json_string_value(v);

	return text != NULL && strcmp(text, t->value) == 0;
}

static const struct profile_doc *
find_parent(void *arg, const char *name, struct err *e)
{
	const struct profile_doc *d = shelf_doc(arg, name);

	if (d == NULL)
		shelf_missing(name, e);
	return d;
}

static bool
labels_fit(const struct filter *f, const struct profile_doc *resolved)
{
	for (size_t i = 0; i < f->n_where; i++) {
		const struct filter_term *t = &f->where[i];
		char key[1024];

		if (!t->label)
			continue;
		(void)snprintf(key, sizeof key, "%.*s", (int)t->key_len, t->key);
		const char *v = profile_doc_label(resolved, key);
		if (v == NULL || strcmp(v, t->value) != 0)
			return false;
	}
	return true;
}

/* A document that cannot be put together has no labels that could be relied on. */
static bool
document_fits(const struct filter *f, const struct shelf *s, const struct store_device *d)
{
	struct profile_findings findings = { 0 };
	struct profile_doc *own = NULL, *resolved = NULL;
	struct err e;
	bool fits = false;

	if (d->doc != NULL && profile_parse(d->endpoint, 1, d->doc, strlen(d->doc), &own, NULL) == ERR_OK &&
	    profile_resolve(own, find_parent, (void *)(uintptr_t)s, &findings, &resolved, &e) == ERR_OK && resolved != NULL)
		fits = labels_fit(f, resolved);
	profile_doc_free(resolved);
	profile_doc_free(own);
	profile_findings_clear(&findings);
	return fits;
}

bool
filter_fits(const struct filter *f, const struct shelf *s, const struct store_device *d, const json_t *row)
{
	bool labels = false;

	if (f->older_than != 0 && d->confirmed_revision >= f->older_than)
		return false;
	for (size_t i = 0; i < f->n_where; i++) {
		labels = labels || f->where[i].label;
		if (!f->where[i].label && !attribute_fits(&f->where[i], row))
			return false;
	}
	return !labels || document_fits(f, s, d);
}
