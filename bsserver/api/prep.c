#include "bsserver/api/prep.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

/* ---- its life ---- */

static void
clear_creds(struct store_credential **v, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		store_credential_clear(&(*v)[i]);
	free(*v);
	*v = NULL;
	*n = 0;
}

void
prep_free(struct prep *p)
{
	if (p == NULL)
		return;
	profile_doc_free(p->own);
	profile_doc_free(p->resolved);
	gbuf_clear(&p->text);
	for (size_t i = 0; i < p->n_kept; i++) {
		free(p->kept[i].name);
		free(p->kept[i].fingerprint);
	}
	free(p->kept);
	free(p->keep);
	clear_creds(&p->creds, &p->n_creds);
	clear_creds(&p->had_creds, &p->n_had_creds);
	free(p->had);
	profile_findings_clear(&p->findings);
	secret_clear(&p->packed);
	free(p->compiled_key);
	free(p);
}

void
overlay_clear(struct overlay *o)
{
	for (size_t i = 0; i < o->n; i++)
		prep_free(o->v[i]);
	free(o->v);
	*o = (struct overlay){ 0 };
}

enum profile_kind
prep_kind(const struct prep *p)
{
	return profile_doc_kind(p->own);
}

const char *
prep_name(const struct prep *p)
{
	return profile_doc_name(p->own);
}

/* ---- its keys ---- */

static struct store_credential *
find_cred(struct store_credential *v, size_t n, const char *slot)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].slot, slot) == 0)
			return &v[i];
	return NULL;
}

/* Takes key; the fingerprint is the store's. */
static enum err_code
add_cred(struct prep *p, const char *slot, struct secret *key, bool generated, struct err *e)
{
	struct api *a = p->api;
	struct store_credential *v = grow(p->creds, p->n_creds, &p->cap_creds, sizeof *v);

	if (v == NULL)
		return err_no_memory(e);
	p->creds = v;
	v += p->n_creds;
	*v = (struct store_credential){ .generated = generated,
		.slot = str_dup_n(slot, strlen(slot)) };
	if (v->slot == NULL)
		return err_no_memory(e);
	p->n_creds++;
	secret_move(&v->key, key);
	return a->c.ops->fingerprint(a->c.store, &v->key, v->fingerprint, e);
}

static enum err_code
note_kept(struct prep *p, const char *name, const char *fingerprint, struct err *e)
{
	struct slot *v = grow(p->kept, p->n_kept, &p->cap_kept, sizeof *v);

	if (v == NULL)
		return err_no_memory(e);
	p->kept = v;
	v += p->n_kept++;
	v->name = str_dup_n(name, strlen(name));
	v->fingerprint = fingerprint == NULL ? NULL : str_dup_n(fingerprint, strlen(fingerprint));
	return v->name == NULL || (fingerprint != NULL && v->fingerprint == NULL) ? err_no_memory(e)
	                                                                          : ERR_OK;
}

/* Of the document itself. */
static enum err_code
seen_own(void *arg, struct profile_key *k, struct err *e)
{
	struct prep *p = arg;
	enum err_code rc;

	switch (k->kind) {
	case PROFILE_KEY_BYTES:
		if (find_cred(p->creds, p->n_creds, k->slot) != NULL)
			return err_set(e, ERR_EXISTS, "%s: is there twice", k->slot);
		rc = add_cred(p, k->slot, k->bytes, false, e);
		if (rc == ERR_OK)
			memcpy(k->new_fingerprint, p->creds[p->n_creds - 1].fingerprint,
			    CRYPT_FP_LEN + 1);
		return rc;
	case PROFILE_KEY_KEPT:
		return note_kept(p, k->slot, k->fingerprint, e);
	case PROFILE_KEY_GENERATE:
		return ERR_OK;
	}
	return ERR_OK;
}

enum err_code
prep_read(struct api *a, const char *file, unsigned line, const char *text, size_t n,
    struct prep **out, struct err *e)
{
	struct prep *p = calloc(1, sizeof *p);
	enum err_code rc;

	if (p == NULL)
		return err_no_memory(e);
	p->api = a;
	p->text.max = PROFILE_TEXT_MAX + 65536;
	rc = profile_parse(file, line, text, n, &p->own, e);
	if (rc == ERR_OK)
		rc = profile_extract(p->own, seen_own, p, e);
	if (rc == ERR_OK) {
		profile_doc_write(p->own, true, &p->text);
		while (p->text.len > 0 && p->text.data[p->text.len - 1] == '\n')
			p->text.data[--p->text.len] = 0;
		rc = gbuf_check(&p->text, e);
	}
	p->brought = p->n_creds;
	if (rc == ERR_OK)
		*out = p;
	else
		prep_free(p);
	return rc;
}

enum err_code
prep_may_bring(const struct prep *p, const struct req *r, struct err *e)
{
	if (p->brought == 0 || (r->permissions & (PERM_ENROLL | PERM_OPERATE)) != 0)
		return ERR_OK;
	return err_set(
	    e, ERR_REFUSED, "%s may not bring keys: it takes the permission enroll", r->actor);
}

static void
has(struct prep *p, uint64_t revision, char **doc, struct store_credential *creds, size_t n)
{
	p->exists = true;
	p->revision = revision;
	p->had = *doc;
	*doc = NULL;
	p->had_creds = n == 0 ? NULL : calloc(n, sizeof *p->had_creds);
	for (size_t i = 0; p->had_creds != NULL && i < n; i++) {
		p->had_creds[i] = creds[i];
		creds[i] = (struct store_credential){ 0 };
		p->n_had_creds++;
	}
}

void
prep_has_device(struct prep *p, struct store_device *d, struct store_credential *creds, size_t n)
{
	has(p, d->revision, &d->doc, creds, n);
}

void
prep_has_profile(struct prep *p, struct store_profile *s, struct store_credential *creds, size_t n)
{
	has(p, s->revision, &s->doc, creds, n);
}

static enum err_code
keep_slot(struct prep *p, const char *slot, struct err *e)
{
	for (size_t i = 0; i < p->n_keep; i++)
		if (strcmp(p->keep[i], slot) == 0)
			return ERR_OK;
	const char **v = grow(p->keep, p->n_keep, &p->cap_keep, sizeof *v);
	if (v == NULL)
		return err_no_memory(e);
	p->keep = v;
	v[p->n_keep++] = slot;
	return ERR_OK;
}

static bool
is_kept(const struct prep *p, const char *slot)
{
	for (size_t i = 0; i < p->n_keep; i++)
		if (strcmp(p->keep[i], slot) == 0)
			return true;
	return false;
}

/* What the document says it has here must be here, and be the same. */
static enum err_code
keep_own(struct prep *p, struct err *e)
{
	for (size_t i = 0; i < p->n_kept; i++) {
		const struct slot *s = &p->kept[i];
		const struct store_credential *c = find_cred(p->had_creds, p->n_had_creds, s->name);
		enum err_code rc;

		if (c == NULL)
			continue; /* check says what that means */
		if (s->fingerprint != NULL && strcmp(s->fingerprint, c->fingerprint) != 0)
			return err_set(e, ERR_CONFLICT,
			    "%s: the document means key %.64s, and %s is kept", s->name,
			    s->fingerprint, c->fingerprint);
		rc = keep_slot(p, c->slot, e);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

/* ---- finding keys ---- */

static struct prep *
overlaid(const struct prep *p, const char *name)
{
	for (size_t i = p->overlay == NULL ? 0 : p->overlay->n; i > 0; i--)
		if (strcmp(prep_name(p->overlay->v[i - 1]), name) == 0)
			return p->overlay->v[i - 1];
	return NULL;
}

const struct profile_doc *
prep_find(void *arg, const char *name, struct err *e)
{
	struct prep *p = arg;
	const struct prep *over = overlaid(p, name);
	const struct profile_doc *d = over != NULL ? over->own : shelf_doc(p->api->c.shelf, name);

	if (d == NULL)
		shelf_missing(name, e);
	return d;
}

/* Of what it will have after the PUT. */
static const struct store_credential *
own_key(struct prep *p, const char *slot)
{
	const struct store_credential *c = find_cred(p->creds, p->n_creds, slot);

	return c == NULL && is_kept(p, slot) ? find_cred(p->had_creds, p->n_had_creds, slot) : c;
}

static const struct store_credential *
any_key(struct prep *p, const char *slot, const char *from)
{
	const struct store_credential *c = own_key(p, slot);
	struct prep *over = from == NULL ? NULL : overlaid(p, from);

	if (c != NULL || from == NULL)
		return c;
	return over != NULL ? own_key(over, slot) : shelf_credential(p->api->c.shelf, from, slot);
}

static enum err_code
get_key(void *arg, const char *slot, const char *from, struct secret *out, struct err *e)
{
	const struct store_credential *c = any_key(arg, slot, from);

	if (c == NULL)
		return err_set(e, ERR_NOT_FOUND, "%s: no key is kept for it", slot);
	return secret_copy(out, &c->key, e);
}

struct profile_keys
prep_keys(struct prep *p)
{
	return (struct profile_keys){ .get = get_key, .arg = p, .now = clock_wall_ms() / 1000 };
}

/* It registers, or registered, with a raw public key or a certificate: nothing of that is a pre-shared key. */
static bool
is_of_registry(const struct store_credential *c)
{
	return c->identity != NULL && strcmp(c->slot, STORE_SLOT_REGISTRY) == 0;
}

struct needs {
	struct prep *p;
	enum prep_keys keys;
};

/* Of the resolved document of a device: keys to be made once, its own or inherited. */
static enum err_code
seen_need(void *arg, struct profile_key *k, struct err *e)
{
	struct needs *n = arg;
	struct prep *p = n->p;
	const struct store_credential *c;
	struct secret key = SECRET_NONE;
	enum err_code rc;

	if (k->kind != PROFILE_KEY_GENERATE || find_cred(p->creds, p->n_creds, k->slot) != NULL)
		return ERR_OK;
	c = find_cred(p->had_creds, p->n_had_creds, k->slot);
	if (c != NULL && !is_of_registry(c))
		return keep_slot(p, c->slot, e);
	if (n->keys == PREP_NO_KEYS)
		return ERR_OK;
	rc = secret_random(&key, k->generate, e);
	if (rc == ERR_OK)
		rc = add_cred(p, k->slot, &key, true, e);
	secret_clear(&key);
	return rc;
}

bool
prep_is_sham(const struct prep *p, const struct secret *key)
{
	for (size_t i = 0; i < p->n_creds; i++)
		if (p->creds[i].generated && secret_equal(&p->creds[i].key, key))
			return true;
	return false;
}

/* ---- what it knocks with ---- */

/* A key that is looked up by its identity is its own row, with that: auth finds it there. */
static enum err_code
own_row(struct prep *p, const char *slot, const struct store_credential *c, struct err *e)
{
	struct secret key = SECRET_NONE;
	enum err_code rc = secret_copy(&key, &c->key, e);

	if (rc == ERR_OK)
		rc = add_cred(p, slot, &key, c->generated, e);
	secret_clear(&key);
	for (size_t i = 0; rc == ERR_OK && i < p->n_keep; i++)
		if (strcmp(p->keep[i], slot) == 0)
			p->keep[i--] = p->keep[--p->n_keep];
	return rc;
}

static const struct store_credential *
inherited_knock(struct prep *p)
{
	struct chain ch;
	const struct store_credential *c = NULL;

	chain_of(p->api->c.shelf, p->own, &ch);
	for (size_t i = 0; c == NULL && i < ch.n; i++)
		c = any_key(p, STORE_SLOT_BOOTSTRAP, ch.names[i]);
	return c;
}

/* A certificate or public key is looked up by its digest: a row with that name and no key. */
static enum err_code
set_public_identity(struct prep *p, enum profile_mode mode, struct err *e)
{
	struct secret der = SECRET_NONE, none = SECRET_NONE;
	struct gbuf name = { .max = 128 };
	struct store_credential *mine;
	enum err_code rc = profile_knock_public(p->resolved, &der, e);

	if (rc == ERR_OK && der.len > 0) {
		rc = auth_pin(mode == PROFILE_RPK ? AUTH_RPK : AUTH_X509,
		    (struct pki_blob){ der.data, der.len }, &name, e);
		if (rc == ERR_OK)
			rc = add_cred(p, STORE_SLOT_BOOTSTRAP, &none, false, e);
		mine = rc == ERR_OK ? find_cred(p->creds, p->n_creds, STORE_SLOT_BOOTSTRAP) : NULL;
		if (mine != NULL) {
			mine->identity = str_dup_n(gbuf_cstr(&name), name.len);
			rc = mine->identity == NULL ? err_no_memory(e) : ERR_OK;
		}
	}
	gbuf_clear(&name);
	secret_clear(&der);
	return rc == ERR_INVALID ? ERR_OK : rc; /* check says what is wrong with it */
}

static enum err_code
set_identity(struct prep *p, struct err *e)
{
	struct profile_knock k;
	struct store_credential *mine;
	const struct store_credential *c;
	enum err_code rc = profile_knock(p->resolved, &k, e);

	if (rc == ERR_OK && k.given && (k.mode == PROFILE_RPK || k.mode == PROFILE_X509))
		return set_public_identity(p, k.mode, e);
	if (rc != ERR_OK || !k.given || k.mode != PROFILE_PSK)
		return rc == ERR_INVALID ? ERR_OK : rc; /* check says what is wrong with it */
	if (!str_is_utf8(k.identity, k.identity_len))
		return err_set(e, ERR_INVALID, "the PSK identity is not text");
	c = own_key(p, STORE_SLOT_BOOTSTRAP);
	mine = find_cred(p->creds, p->n_creds, STORE_SLOT_BOOTSTRAP);
	if (c != NULL && mine == NULL && c->identity != NULL &&
	    strlen(c->identity) == k.identity_len &&
	    memcmp(c->identity, k.identity, k.identity_len) == 0)
		return ERR_OK; /* kept, and as it was */
	if (c == NULL)
		c = inherited_knock(p);
	if (c == NULL)
		return ERR_OK;
	if (mine == NULL)
		rc = own_row(p, STORE_SLOT_BOOTSTRAP, c, e);
	mine = find_cred(p->creds, p->n_creds, STORE_SLOT_BOOTSTRAP);
	if (rc == ERR_OK) {
		mine->identity = str_dup_n(k.identity, k.identity_len);
		rc = mine->identity == NULL ? err_no_memory(e) : ERR_OK;
	}
	return rc;
}

/* ---- what it registers with, here ---- */

/* "rpk", "x509", with the digest of the very one that its document names. */
static enum err_code
registry_name(struct prep *p, enum profile_mode mode, struct gbuf *name, struct err *e)
{
	struct profile_keys get = prep_keys(p);
	struct profile_desired d = { 0 };
	const struct lwm2m_value *v = NULL;
	enum err_code rc = profile_compile(p->resolved, p->api->c.model, &get, &d, NULL, e);

	if (rc == ERR_OK)
		v = profile_registry_public(p->resolved, &d.tree);
	if (rc != ERR_OK && rc != ERR_NO_MEMORY)
		rc = ERR_OK; /* check says what is wrong with it */
	if (rc == ERR_OK && v != NULL && v->bytes.len > 0)
		rc = auth_pin(mode == PROFILE_RPK ? AUTH_RPK : AUTH_X509, (struct pki_blob){ v->bytes.data, v->bytes.len },
		    name, e);
	else if (rc == ERR_OK)
		gbuf_str(name, mode == PROFILE_RPK ? "rpk" : "x509");
	profile_desired_clear(&d);
	return rc == ERR_OK ? gbuf_check(name, e) : rc;
}

static enum err_code
set_registry_identity(struct prep *p, struct err *e)
{
	enum profile_mode mode = profile_registry_mode(p->resolved);
	const struct store_credential *had = own_key(p, STORE_SLOT_REGISTRY);
	struct store_credential *mine = find_cred(p->creds, p->n_creds, STORE_SLOT_REGISTRY);
	struct secret none = SECRET_NONE;
	struct gbuf name = { .max = 128 };
	enum err_code rc;

	if (mode != PROFILE_RPK && mode != PROFILE_X509)
		return ERR_OK;
	rc = registry_name(p, mode, &name, e);
	if (rc == ERR_OK && had != NULL && mine == NULL && had->identity != NULL && strcmp(had->identity, gbuf_cstr(&name)) == 0)
		goto out; /* kept, and as it was */
	if (rc == ERR_OK && mine == NULL)
		rc = had != NULL ? own_row(p, STORE_SLOT_REGISTRY, had, e) : add_cred(p, STORE_SLOT_REGISTRY, &none, false, e);
	mine = find_cred(p->creds, p->n_creds, STORE_SLOT_REGISTRY);
	if (rc == ERR_OK) {
		mine->identity = str_dup_n(gbuf_cstr(&name), name.len);
		rc = mine->identity == NULL ? err_no_memory(e) : ERR_OK;
	}
out:
	gbuf_clear(&name);
	return rc;
}

/* ---- together ---- */

static enum err_code
find_keys(struct prep *p, enum prep_keys keys, struct err *e)
{
	struct needs n = { .p = p, .keys = keys };
	enum err_code rc = keep_own(p, e);

	if (rc == ERR_OK && prep_kind(p) == PROFILE_DEVICE)
		rc = profile_extract(p->resolved, seen_need, &n, e);
	if (rc == ERR_OK && prep_kind(p) == PROFILE_DEVICE)
		rc = set_identity(p, e);
	if (rc == ERR_OK && prep_kind(p) == PROFILE_DEVICE)
		rc = set_registry_identity(p, e);
	return rc;
}

enum err_code
prep_finish(struct prep *p, enum prep_keys keys, struct profile_fleet *fleet, struct err *e)
{
	struct profile_keys get = prep_keys(p);
	enum err_code rc = profile_resolve(p->own, prep_find, p, &p->findings, &p->resolved, e);

	if (rc != ERR_OK || p->resolved == NULL)
		return rc;
	rc = find_keys(p, keys, e);
	if (rc == ERR_OK)
		rc = profile_check(p->resolved, p->api->c.model, &get, &p->findings, e);
	if (rc == ERR_OK && fleet != NULL)
		rc = profile_fleet_add(fleet, p->resolved, p->api->c.model, &get, &p->findings, e);
	return rc;
}

/* All keys that it will have, borrowed. */
static struct store_credential *
all_creds(const struct prep *p, size_t *n)
{
	struct store_credential *v = calloc(p->n_creds + p->n_keep + 1, sizeof *v);

	*n = 0;
	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < p->n_creds; i++)
		v[(*n)++] = p->creds[i];
	for (size_t i = 0; i < p->n_keep; i++)
		v[(*n)++] = *find_cred(p->had_creds, p->n_had_creds, p->keep[i]);
	return v;
}

enum err_code
prep_compile(struct prep *p, struct err *e)
{
	const struct api_conf *c = &p->api->c;
	struct compiled made = { 0 };
	size_t n;
	struct store_credential *creds = all_creds(p, &n);
	struct compile_input in = { .endpoint = prep_name(p),
		.doc = gbuf_cstr(&p->text),
		.credentials = creds,
		.n_credentials = n };
	enum err_code rc;

	if (creds == NULL)
		return err_no_memory(e);
	rc = compile_device(c->shelf, c->model, &in, &made, e);
	if (rc == ERR_OK)
		rc = compile_pack(&made, &p->packed, e);
	if (rc == ERR_OK) {
		p->compiled_key = made.key;
		made.key = NULL;
	}
	compiled_clear(&made);
	free(creds);
	return rc;
}

bool
prep_unchanged(const struct prep *p)
{
	if (!p->exists || p->had == NULL || strcmp(p->had, gbuf_cstr(&p->text)) != 0)
		return false;
	for (size_t i = 0; i < p->n_creds; i++) {
		const struct store_credential *c =
		    find_cred(p->had_creds, p->n_had_creds, p->creds[i].slot);

		if (c == NULL || strcmp(c->fingerprint, p->creds[i].fingerprint) != 0)
			return false;
	}
	return true;
}

struct store_change
prep_change(const struct prep *p)
{
	bool device = prep_kind(p) == PROFILE_DEVICE;

	return (struct store_change){
		.op = device ? STORE_PUT_DEVICE : STORE_PUT_PROFILE,
		.name = prep_name(p),
		.doc = gbuf_cstr(&p->text),
		.credentials = p->creds,
		.n_credentials = p->n_creds,
		.keep_slots = p->keep,
		.n_keep_slots = p->n_keep,
		.compiled = p->packed.len > 0 ? &p->packed : NULL,
		.compiled_key = p->compiled_key,
	};
}

json_t *
json_of_findings(const struct profile_findings *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++) {
		const struct profile_finding *x = &f->v[i];
		json_t *j = json_object();

		json_put(j, "rule", json_text(x->rule->name));
		json_put(j, "severity", json_text(profile_severity_name(x->rule->severity)));
		json_put(j, "file", json_text(x->file));
		json_put(j, "line", json_integer(x->line));
		json_put(j, "column", json_integer(x->column));
		json_put(j, "path", json_text(x->path));
		json_put(j, "reason", json_text(x->reason));
		(void)json_array_append_new(list, j);
	}
	return list;
}

/* ---- what it rests on ---- */

static void
push_parents(const struct shelf *s, const struct profile_doc *d, struct chain *ch)
{
	const char *name;

	for (size_t i = 0; (name = profile_doc_extends(d, i)) != NULL && ch->n < N_ELEMS(ch->names);
	     i++) {
		size_t k = 0;

		while (k < ch->n && strcmp(ch->names[k], name) != 0)
			k++;
		if (k < ch->n)
			continue;
		ch->names[ch->n] = name;
		ch->revisions[ch->n] = shelf_revision(s, name);
		ch->newest = MAX(ch->newest, ch->revisions[ch->n]);
		ch->n++;
	}
}

void
chain_of(const struct shelf *s, const struct profile_doc *d, struct chain *out)
{
	*out = (struct chain){ .n = 0 };
	push_parents(s, d, out);
	for (size_t i = 0; i < out->n; i++) {
		const struct profile_doc *parent = shelf_doc(s, out->names[i]);

		if (parent != NULL)
			push_parents(s, parent, out);
	}
}
