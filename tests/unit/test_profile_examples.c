/* The examples and the published schema say what the code does. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/doc.h"
#include "tests/unit/profile_kit.h"
#include "tests/unit/unit.h"

#define EXAMPLES_MAX 32

struct examples {
	struct profile_doc *docs[EXAMPLES_MAX];
	struct gbuf texts[EXAMPLES_MAX];
	size_t n;
};

static void
read_text(const char *name, struct gbuf *out)
{
	const char *src = getenv("SRCDIR");
	char path[1024], part[4096];
	size_t n;

	(void)snprintf(path, sizeof path, "%s/profiles/%s", src != NULL ? src : ".", name);
	FILE *f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s", path);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		gbuf_put(out, part, n);
	ck_assert_int_eq(fclose(f), 0);
}

static void
read_example(struct examples *x, const char *name)
{
	const char *src = getenv("SRCDIR");
	struct err e = { 0 };
	char file[1024];

	ck_assert_uint_lt(x->n, EXAMPLES_MAX);
	(void)snprintf(file, sizeof file, "examples/%s", name);
	read_text(file, &x->texts[x->n]);
	(void)snprintf(file, sizeof file, "%s/profiles/examples/%s", src != NULL ? src : ".", name);
	ck_assert_msg(profile_parse(file, 1, gbuf_cstr(&x->texts[x->n]), x->texts[x->n].len,
	                  &x->docs[x->n], &e) == ERR_OK,
	    "%s", e.msg);
	x->n++;
}

static void
read_examples(struct examples *x)
{
	const char *src = getenv("SRCDIR");
	char path[1024];
	const struct dirent *d;

	(void)snprintf(path, sizeof path, "%s/profiles/examples", src != NULL ? src : ".");
	DIR *dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)) != NULL) {
		size_t n = strlen(d->d_name);

		if (n > 5 && strcmp(d->d_name + n - 5, ".json") == 0)
			read_example(x, d->d_name);
	}
	(void)closedir(dir);
	ck_assert_uint_ge(x->n, 6);
}

static void
free_examples(struct examples *x)
{
	for (size_t i = 0; i < x->n; i++) {
		profile_doc_free(x->docs[i]);
		gbuf_clear(&x->texts[i]);
	}
}

static const struct profile_doc *
find(void *arg, const char *name, struct err *e)
{
	const struct examples *x = arg;

	for (size_t i = 0; i < x->n; i++)
		if (profile_doc_kind(x->docs[i]) == PROFILE_SHARED &&
		    strcmp(profile_doc_name(x->docs[i]), name) == 0)
			return x->docs[i];
	(void)err_set(e, ERR_NOT_FOUND, "no such example");
	return NULL;
}

static void
resolve(struct examples *x, size_t i, struct profile_findings *f, struct profile_doc **out)
{
	ck_assert_int_eq(profile_resolve(x->docs[i], find, x, f, out, NULL), ERR_OK);
	ck_assert_msg(*out != NULL, "%s", kit_print(f));
}

START_TEST(every_example_is_right_and_canonical)
{
	struct examples x = { 0 };
	struct profile_findings f = { 0 };

	read_examples(&x);
	for (size_t i = 0; i < x.n; i++) {
		struct profile_doc *r = NULL;
		struct gbuf out = { 0 };

		profile_doc_write(x.docs[i], false, &out);
		ck_assert_str_eq(gbuf_cstr(&out), gbuf_cstr(&x.texts[i]));
		gbuf_clear(&out);
		resolve(&x, i, &f, &r);
		ck_assert_int_eq(profile_inline(x.docs[i], r, NULL, &f, NULL), ERR_OK);
		profile_doc_free(r);
		resolve(&x, i, &f, &r);
		ck_assert_int_eq(profile_check(r, lwm2m_model_builtin(), NULL, &f, NULL), ERR_OK);
		ck_assert_str_eq(kit_print(&f), "");
		profile_doc_free(r);
	}
	free_examples(&x);
}
END_TEST

/* Any octets that are its own, for each slot. */
static enum err_code
key_of_slot(void *arg, const char *slot, const char *from, struct secret *out, struct err *e)
{
	char key[17];

	(void)arg;
	(void)from;
	(void)snprintf(key, sizeof key, "%-16.16s", slot + strcspn(slot, "/"));
	return secret_set(out, key, 16, e);
}

START_TEST(every_device_among_them_compiles)
{
	struct examples x = { 0 };
	const struct profile_keys keys = { .get = key_of_slot };
	size_t devices = 0;

	read_examples(&x);
	for (size_t i = 0; i < x.n; i++) {
		struct profile_findings f = { 0 };
		struct profile_desired d = { 0 };
		struct profile_doc *r = NULL;
		struct err e = { 0 };

		if (profile_doc_kind(x.docs[i]) != PROFILE_DEVICE)
			continue;
		devices++;
		resolve(&x, i, &f, &r);
		ck_assert_int_eq(profile_inline(x.docs[i], r, NULL, &f, NULL), ERR_OK);
		profile_doc_free(r);
		resolve(&x, i, &f, &r);
		ck_assert_msg(
		    profile_compile(r, lwm2m_model_builtin(), &keys, &d, NULL, &e) == ERR_OK, "%s",
		    e.msg);
		ck_assert(lwm2m_tree_has(&d.tree, lwm2m_path3(1, 0, 0)));
		profile_desired_clear(&d);
		profile_doc_free(r);
	}
	ck_assert_uint_ge(devices, 5);
	free_examples(&x);
}
END_TEST

/* Where the schema has the keys of a section. */
static const struct pnode *
schema_section(const struct pnode *schema, const char *place)
{
	static const struct {
		const char *place, *def;
	} rows[] = {
		{ "match.N", "match" },
		{ "credentials", "credentials" },
		{ "credentials.bootstrap", "knock" },
		{ "servers.NAME", "server" },
		{ "servers.NAME.endpoints.N", "endpoint" },
		{ "servers.NAME.security", "security" },
		{ "servers.NAME.handoff", "handoff" },
		{ "apn_connection_profiles.NAME", "apn_connection_profile" },
		{ "access_control.PATH", "access_rule" },
		{ "bootstrap", "bootstrap" },
		{ "bootstrap_account", "bootstrap_account" },
		{ "KEY", "key" },
	};

	if (place[0] == '\0')
		return pnode_get(schema, "properties");
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (strcmp(rows[i].place, place) == 0)
			return pnode_get(
			    pnode_get(pnode_get(schema, "$defs"), rows[i].def), "properties");
	return NULL;
}

static size_t
count_schema_keys(const struct pnode *schema)
{
	size_t n = pnode_get(schema, "properties")->n;

	for (const struct pnode *d = pnode_get(schema, "$defs")->first; d != NULL; d = d->next)
		if (pnode_get(d, "properties") != NULL)
			n += pnode_get(d, "properties")->n;
	return n;
}

START_TEST(the_schema_has_the_keys_of_the_table_and_no_others)
{
	struct profile_doc *schema = NULL;
	struct profile_help h;
	struct gbuf text = { 0 };
	struct err e = { 0 };
	char buf[PROFILE_HELP_BUF];
	size_t known = 0;

	read_text("profile.schema.json", &text);
	ck_assert_msg(profile_parse("schema", 1, gbuf_cstr(&text), text.len, &schema, &e) == ERR_OK,
	    "%s", e.msg);
	for (size_t i = 0; profile_help_at(i, &h, buf); i++) {
		const struct pnode *section = schema_section(schema->root, h.place);

		ck_assert_msg(pnode_get(section, h.name) != NULL, "%s %s", h.place, h.name);
		known++;
		if (h.alias == NULL)
			continue;
		ck_assert_msg(pnode_get(section, h.alias) != NULL, "%s %s", h.place, h.alias);
		known++;
	}
	ck_assert_uint_eq(count_schema_keys(schema->root), known);
	profile_doc_free(schema);
	gbuf_clear(&text);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(every_example_is_right_and_canonical, 0),
	UNIT_CASE(every_device_among_them_compiles, 0),
	UNIT_CASE(the_schema_has_the_keys_of_the_table_and_no_others, 0),
};

UNIT_SUITE_MAIN("profile_examples", cases)
