/* What only shows between devices: names, identities and keys that are there twice. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/crypt.h"
#include "lib/base/str.h"
#include "profiles/lower.h"

/* One thing that must be there once; what it is stands in front: "endpoint x", "key 0011...". */
struct once {
	char *what, *who; /* owned; who: the document's name */
	char *place;      /* owned; "file:line:column" */
	uint64_t hash;
};

struct profile_fleet {
	struct once *slots; /* open addressing; cap is a power of two */
	size_t n, cap;
	struct secret key; /* for fingerprints; this fleet's own */
};

struct profile_fleet *
profile_fleet_new(void)
{
	struct profile_fleet *fl = calloc(1, sizeof *fl);

	if (fl == NULL)
		return NULL;
	fl->cap = 1024;
	fl->slots = calloc(fl->cap, sizeof *fl->slots);
	if (fl->slots == NULL || secret_random(&fl->key, CRYPT_KEY_LEN, NULL) != ERR_OK) {
		profile_fleet_free(fl);
		return NULL;
	}
	return fl;
}

void
profile_fleet_free(struct profile_fleet *fl)
{
	if (fl == NULL)
		return;
	for (size_t i = 0; fl->slots != NULL && i < fl->cap; i++) {
		free(fl->slots[i].what);
		free(fl->slots[i].who);
		free(fl->slots[i].place);
	}
	free(fl->slots);
	secret_clear(&fl->key);
	free(fl);
}

static uint64_t
hash_of(const char *s)
{
	uint64_t h = 14695981039346656037U; /* FNV-1a */

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211U;
	return h;
}

static struct once *
slot_for(struct once *slots, size_t cap, const char *what, uint64_t hash)
{
	size_t i = hash & (cap - 1);

	while (slots[i].what != NULL && (slots[i].hash != hash || strcmp(slots[i].what, what) != 0))
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

static bool
make_room(struct profile_fleet *fl)
{
	if (fl->n * 2 < fl->cap)
		return true;
	size_t cap = fl->cap * 2;
	struct once *slots = calloc(cap, sizeof *slots);
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < fl->cap; i++)
		if (fl->slots[i].what != NULL)
			*slot_for(slots, cap, fl->slots[i].what, fl->slots[i].hash) = fl->slots[i];
	free(fl->slots);
	fl->slots = slots;
	fl->cap = cap;
	return true;
}

static char *
dup_of(const struct gbuf *g)
{
	return g->failed ? NULL : str_dup_n(gbuf_cstr(g), g->len);
}

struct adding {
	struct profile_fleet *fl;
	const struct profile_doc *doc;
	struct profile_findings *f;
	struct err *e;
	bool share;
};

/* Notes it; another document that has it already is a finding. same: within one document, too. */
static enum err_code
note(const struct adding *a, enum prule rule, const char *kind, const char *content,
    const struct pnode *at, const char *reason, bool same)
{
	struct gbuf what = { 0 }, place = { 0 };
	enum err_code rc = ERR_OK;
	struct once *o;

	gbuf_printf(&what, "%s ", kind);
	gbuf_str(&what, content);
	pnode_place(at, &place);
	uint64_t hash = hash_of(gbuf_cstr(&what));
	if (!make_room(a->fl)) {
		rc = err_no_memory(a->e);
		goto out;
	}
	o = slot_for(a->fl->slots, a->fl->cap, gbuf_cstr(&what), hash);
	if (o->what != NULL) {
		if (same || strcmp(o->who, a->doc->name) != 0)
			finding_add(a->f, rule, at, "%s %s (%s)", reason, o->who, o->place);
		goto out;
	}
	*o = (struct once){ .what = dup_of(&what),
		.who = str_dup_n(a->doc->name, strlen(a->doc->name)),
		.place = dup_of(&place),
		.hash = hash };
	if (o->what == NULL || o->who == NULL || o->place == NULL) {
		free(o->what);
		free(o->who);
		free(o->place);
		*o = (struct once){ 0 };
		rc = err_no_memory(a->e);
	} else {
		a->fl->n++;
	}
out:
	gbuf_clear(&what);
	gbuf_clear(&place);
	return rc;
}

static enum err_code
note_key(const struct adding *a, const struct secret *key, const struct pnode *at)
{
	char fp[CRYPT_FP_LEN + 1];
	enum err_code rc;

	if (a->share || key->len == 0 || at == NULL)
		return ERR_OK;
	rc = crypt_fingerprint(&a->fl->key, key->data, key->len, fp, a->e);
	return rc != ERR_OK ? rc
	                    : note(a, RULE_SHARED_KEY, "key", fp, at, "the same key as", false);
}

static enum err_code
note_keys(const struct adding *a, const struct lower *l)
{
	enum err_code rc =
	    l->knock_node != NULL ? note_key(a, &l->knock_key, l->knock_node) : ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < l->n_accounts; i++) {
		struct lwm2m_path p = lwm2m_path3(LWM2M_SECURITY, l->accounts[i].iid, 5);
		const struct lwm2m_value *key = lwm2m_tree_get(&l->d.tree, p);

		if (key != NULL && l->accounts[i].mode == PROFILE_PSK)
			rc = note_key(a, &key->bytes, lower_place(l, p));
	}
	return rc;
}

static enum err_code
note_device(const struct adding *a, const struct lower *l)
{
	const struct pnode *ep = pnode_get(a->doc->root, "endpoint");
	struct profile_knock k;
	enum err_code rc;

	rc = note(
	    a, RULE_DUPLICATE_ENDPOINT, "endpoint", a->doc->name, ep, "the same endpoint as", true);
	if (rc != ERR_OK || profile_knock(a->doc, &k, NULL) != ERR_OK)
		return rc;
	if (k.given && k.mode == PROFILE_PSK) {
		const struct pnode *b =
		    pnode_get(pnode_get(a->doc->root, "credentials"), "bootstrap");

		rc = note(a, RULE_SHARED_IDENTITY, "identity", k.identity,
		    lower_get(b, SEC_KNOCK, "identity"), "the same identity as", false);
	}
	if (rc == ERR_OK && l->knock_public.len > 0) {
		const struct pnode *b =
		    pnode_get(pnode_get(a->doc->root, "credentials"), "bootstrap");
		char hex[65];

		rc = crypt_sha256_hex(l->knock_public.data, l->knock_public.len, hex, a->e);
		if (rc == ERR_OK)
			rc = note(a, RULE_SHARED_IDENTITY, "public", hex,
			    lower_get(b, SEC_KNOCK, "identity"),
			    "the same certificate or public key as", false);
	}
	return rc == ERR_OK ? note_keys(a, l) : rc;
}

enum err_code
profile_fleet_add(struct profile_fleet *fl, const struct profile_doc *resolved,
    const struct lwm2m_model *m, const struct profile_keys *keys, struct profile_findings *f,
    struct err *e)
{
	const struct pnode *shared = pnode_get(resolved->root, "shared_key");
	struct adding a = { .fl = fl,
		.doc = resolved,
		.f = f,
		.e = e,
		.share = shared != NULL && shared->type == PN_BOOL && shared->b };
	struct lower *l;
	enum err_code rc;

	if (resolved->kind == PROFILE_NO_KIND)
		return ERR_OK;
	if (resolved->kind == PROFILE_SHARED)
		return note(&a, RULE_DUPLICATE_PROFILE, "profile", resolved->name,
		    pnode_get(resolved->root, "profile"), "the same profile as", true);
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return err_no_memory(e);
	l->doc = resolved;
	l->m = m;
	l->keys = keys;
	l->e = e;
	lower_document(l);
	rc = l->rc == ERR_OK ? note_device(&a, l) : l->rc;
	lower_clear(l);
	free(l);
	return rc;
}
