/* The keys of the file format, one after the other, for the explain command. */
#include <stdio.h>
#include <string.h>

#include "profiles/keys.h"

static void
put_words(struct gbuf *g, const struct pword *words)
{
	gbuf_str(g, "one of ");
	pwords_print(words, g);
}

/* Into buf: the type in words, then the path; both cut to fit. */
static void
describe(
    const struct lwm2m_res_def *r, int oid, struct profile_help *out, char buf[PROFILE_HELP_BUF])
{
	struct gbuf g = { .max = 400 };
	const struct pword *words = pwords(oid, r->id);
	int n;

	gbuf_str(&g, r->multiple ? "list of " : "");
	if (words != NULL)
		put_words(&g, words);
	else if (strcmp(r->unit, "s") == 0 || strcmp(r->unit, "min") == 0)
		gbuf_str(&g, "duration");
	else
		gbuf_str(&g,
		    r->type == LWM2M_OPAQUE ? "octets, as under KEY" : lwm2m_type_name(r->type));
	if (r->range[0] != '\0' && words == NULL)
		gbuf_printf(&g, ", %s", r->range);
	n = snprintf(buf, PROFILE_HELP_BUF - 32, "%s", gbuf_cstr(&g));
	if (n < 0 || n > PROFILE_HELP_BUF - 33)
		n = PROFILE_HELP_BUF - 33;
	(void)snprintf(
	    buf + n + 1, (size_t)(PROFILE_HELP_BUF - n - 1), "/%d/x/%u", oid, (unsigned)r->id);
	gbuf_clear(&g);
	out->type = buf;
	out->path = buf + n + 1;
	out->unit = r->unit;
}

static void
from_row(const struct pkey *row, struct profile_help *out, char buf[PROFILE_HELP_BUF])
{
	const struct lwm2m_res_def *r = NULL;

	*out = (struct profile_help){ .name = row->name,
		.alias = row->registered,
		.place = psection_place(row->in),
		.path = "",
		.type = row->type,
		.unit = "",
		.text = row->text };
	if (row->rid >= 0)
		r = lwm2m_model_resource(
		    lwm2m_model_builtin(), (uint16_t)row->oid, (uint16_t)row->rid);
	if (r == NULL)
		return;
	describe(r, row->oid, out, buf);
	if (row->type != NULL)
		out->type = row->type;
}

static bool
has_row(enum psection in, const char *name)
{
	const struct pkey *row;

	for (size_t i = 0; (row = pkey_at(i)) != NULL; i++)
		if (row->in == in &&
		    (strcmp(row->name, name) == 0 ||
		        (row->registered != NULL && strcmp(row->registered, name) == 0)))
			return true;
	return false;
}

/* The i-th resource that stands in a section by its registered name only. */
static bool
from_model(enum psection in, size_t *i, struct profile_help *out, char buf[PROFILE_HELP_BUF])
{
	const struct lwm2m_obj_def *def =
	    lwm2m_model_object(lwm2m_model_builtin(), (uint16_t)psection_object(in));

	for (size_t k = 0; def != NULL && k < def->n_res; k++) {
		const struct lwm2m_res_def *r = &def->res[k];
		int oid;

		if (r->type == LWM2M_NONE || has_row(in, r->key) ||
		    pkey_resource(lwm2m_model_builtin(), in, -1, r->key, &oid) == NULL)
			continue;
		if ((*i)-- > 0)
			continue;
		*out = (struct profile_help){
			.name = r->key, .place = psection_place(in), .text = r->name
		};
		describe(r, def->id, out, buf);
		return true;
	}
	return false;
}

bool
profile_help_at(size_t i, struct profile_help *out, char buf[PROFILE_HELP_BUF])
{
	static const enum psection sections[] = { SEC_SERVER, SEC_SECURITY, SEC_APN };
	size_t rows = 0;

	while (pkey_at(rows) != NULL)
		rows++;
	if (i < rows) {
		from_row(pkey_at(i), out, buf);
		return true;
	}
	i -= rows;
	for (size_t k = 0; k < N_ELEMS(sections); k++)
		if (from_model(sections[k], &i, out, buf))
			return true;
	return false;
}
