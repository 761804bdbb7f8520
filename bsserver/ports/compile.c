#include "bsserver/ports/compile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

/* A key reads: "KNOCK REVISION@NAME ...\nFINGERPRINTS\nPROFILE\n"; a name holds no blank and no end of line. */
struct maker {
	const struct shelf *shelf;
	const struct compile_input *in;
	struct gbuf parents, fingerprints;
	uint64_t newest;
};

void
compiled_clear(struct compiled *c)
{
	profile_desired_clear(&c->desired);
	free(c->profile);
	free(c->fingerprints);
	free(c->key);
	*c = (struct compiled){ 0 };
}

/* The registry's account has a revision that is no change of the store's. */
static uint64_t
newer(uint64_t newest, const char *name, uint64_t revision)
{
	return strcmp(name, PROFILE_REGISTRY) == 0 ? newest : MAX(newest, revision);
}

static const struct profile_doc *
find_parent(void *arg, const char *name, struct err *e)
{
	struct maker *mk = arg;
	const struct profile_doc *doc = shelf_doc(mk->shelf, name);

	if (doc == NULL) {
		shelf_missing(name, e);
		return NULL;
	}
	uint64_t revision = shelf_revision(mk->shelf, name);
	gbuf_printf(&mk->parents, " %" PRIu64 "@%s", revision, name);
	mk->newest = newer(mk->newest, name, revision);
	return doc;
}

/* "servers/dm/security/key" is shown as "dm=FINGERPRINT". */
static void
note_fingerprint(struct maker *mk, const struct store_credential *c)
{
	const char *name = c->slot, *end;

	if (strncmp(name, "servers/", 8) == 0)
		name += 8;
	else if (strncmp(name, "credentials/", 12) == 0)
		return; /* what it knocks with is never written */
	end = strchr(name, '/');
	gbuf_printf(&mk->fingerprints, "%s%.*s=%s", mk->fingerprints.len > 0 ? " " : "",
	    end == NULL ? (int)strlen(name) : (int)(end - name), name, c->fingerprint);
}

static enum err_code
get_key(void *arg, const char *slot, const char *from, struct secret *out, struct err *e)
{
	struct maker *mk = arg;
	const struct store_credential *c = NULL;

	for (size_t i = 0; i < mk->in->n_credentials && c == NULL; i++)
		if (strcmp(mk->in->credentials[i].slot, slot) == 0)
			c = &mk->in->credentials[i];
	if (c == NULL && from != NULL)
		c = shelf_credential(mk->shelf, from, slot);
	if (c == NULL)
		return err_set(e, ERR_NOT_FOUND, "%s: no key is kept for it", slot);
	note_fingerprint(mk, c);
	return secret_copy(out, &c->key, e);
}

static char *
copy_text(const struct gbuf *g)
{
	return g->len == 0 ? NULL : str_dup_n(gbuf_cstr(g), g->len);
}

static enum err_code
first_finding(const struct profile_findings *f, struct err *e)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].rule->severity == PROFILE_ERROR)
			return profile_finding_err(&f->v[i], e);
	return err_set(e, ERR_INVALID, "the document does not resolve");
}

static enum err_code
finish(struct maker *mk, const struct profile_doc *d, struct compiled *c, struct err *e)
{
	const char *parent = profile_doc_extends(d, 0);
	struct gbuf key = { .max = 8192 };
	enum err_code rc;

	c->parents = mk->newest;
	c->fingerprints = copy_text(&mk->fingerprints);
	c->profile = parent == NULL ? NULL : str_dup_n(parent, strlen(parent));
	gbuf_printf(&key, "%s%s\n%s\n%s\n", c->knock, gbuf_cstr(&mk->parents),
	    gbuf_cstr(&mk->fingerprints), parent == NULL ? "" : parent);
	rc = gbuf_check(&key, e);
	if (rc == ERR_OK)
		c->key = copy_text(&key);
	gbuf_clear(&key);
	return rc == ERR_OK && c->key == NULL ? err_no_memory(e) : rc;
}

static void
set_knock(struct compiled *c, const struct profile_knock *k)
{
	const char *word = "any";

	if (k->given)
		word = k->mode == PROFILE_NOSEC ? "nosec" : k->mode == PROFILE_RPK ? "rpk" :
		    k->mode == PROFILE_X509				    ? "x509" :
										      "psk";
	(void)snprintf(c->knock, sizeof c->knock, "%s", word);
}

static enum err_code
make(struct maker *mk, const struct lwm2m_model *m, const struct profile_doc *d, struct compiled *c, struct err *e)
{
	struct profile_keys keys = { .get = get_key, .arg = mk };
	struct profile_findings f = { 0 };
	struct profile_doc *resolved = NULL;
	struct profile_knock knock;
	enum err_code rc = profile_resolve(d, find_parent, mk, &f, &resolved, e);

	if (rc == ERR_OK && resolved == NULL)
		rc = first_finding(&f, e);
	if (rc == ERR_OK)
		rc = profile_compile(resolved, m, &keys, &c->desired, NULL, e);
	if (rc == ERR_OK)
		rc = profile_knock(resolved, &knock, e);
	if (rc == ERR_OK) {
		set_knock(c, &knock);
		rc = finish(mk, d, c, e);
	}
	profile_findings_clear(&f);
	profile_doc_free(resolved);
	return rc;
}

enum err_code
compile_device(const struct shelf *s, const struct lwm2m_model *m, const struct compile_input *in,
    struct compiled *out, struct err *e)
{
	struct maker mk = { .shelf = s, .in = in };
	struct profile_doc *d = NULL;
	enum err_code rc = profile_parse(in->endpoint, 1, in->doc, strlen(in->doc), &d, e);

	if (rc == ERR_OK)
		rc = make(&mk, m, d, out, e);
	if (rc != ERR_OK)
		compiled_clear(out);
	profile_doc_free(d);
	gbuf_clear(&mk.parents);
	gbuf_clear(&mk.fingerprints);
	return rc;
}

enum err_code
compile_pack(const struct compiled *c, struct secret *packed, struct err *e)
{
	struct gbuf g = { 0 };
	enum err_code rc = profile_desired_pack(&c->desired, &g, e);

	if (rc == ERR_OK)
		rc = secret_set(packed, g.data, g.len, e);
	gbuf_clear(&g);
	return rc;
}

/* ---- back ---- */

/* The next of the lines of a key; *at moves behind it. */
static char *
next_line(const char **at)
{
	const char *end = strchr(*at, '\n');

	if (end == NULL)
		return NULL;
	char *line = str_dup_n(*at, (size_t)(end - *at));
	*at = end + 1;
	return line;
}

static enum err_code
check_parents(const struct shelf *s, char *line, struct compiled *c, struct err *e)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);

	if (word == NULL)
		return err_set(e, ERR_CONFLICT, "unreadable key");
	(void)snprintf(c->knock, sizeof c->knock, "%s", word);
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		char *name = strchr(word, '@');
		uint64_t revision;

		if (name == NULL || !str_to_u64(word, (size_t)(name - word), 1, UINT64_MAX, &revision) ||
		    shelf_revision(s, name + 1) != revision)
			return err_set(e, ERR_CONFLICT, "%s changed since", name == NULL ? word : name + 1);
		c->parents = newer(c->parents, name + 1, revision);
	}
	return ERR_OK;
}

/* An empty line stands for nothing. */
static char *
line_or_null(char *line)
{
	if (line != NULL && line[0] == 0) {
		free(line);
		return NULL;
	}
	return line;
}

enum err_code
compile_unpack(const struct shelf *s, const struct secret *packed, const char *key, struct compiled *out,
    struct err *e)
{
	const char *at = key;
	char *parents = next_line(&at);
	enum err_code rc;

	if (parents == NULL)
		return err_set(e, ERR_CONFLICT, "unreadable key");
	rc = check_parents(s, parents, out, e);
	free(parents);
	if (rc == ERR_OK)
		rc = profile_desired_unpack(packed->data, packed->len, &out->desired, e);
	if (rc != ERR_OK) {
		compiled_clear(out);
		return ERR_CONFLICT;
	}
	out->fingerprints = line_or_null(next_line(&at));
	out->profile = line_or_null(next_line(&at));
	return ERR_OK;
}
