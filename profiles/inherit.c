/* A document and what it extends, as one. */
#include <stdlib.h>
#include <string.h>

#include "profiles/expand.h"
#include "profiles/keys.h"
#include "profiles/rules.h"

/* What belongs to a document itself and is not inherited. */
static const char *const own_keys[] = { "profile_format", "endpoint", "profile", "extends",
	"match" };

static bool
is_own_key(const char *key)
{
	for (size_t i = 0; i < N_ELEMS(own_keys); i++)
		if (strcmp(own_keys[i], key) == 0)
			return true;
	return false;
}

/* The member that a patch's member is about: by its name, or by the other spelling of it. */
static struct pnode *
counterpart(const struct pnode *target, const char *key, enum psection s)
{
	struct pnode *k = pnode_get(target, key);
	const char *other = k == NULL ? pkey_other(s, key) : NULL;

	return k != NULL || other == NULL ? k : pnode_get(target, other);
}

static void
drop_null(struct pnode *object)
{
	for (struct pnode *k = object->first, *next; k != NULL; k = next) {
		next = k->next;
		if (k->type == PN_OBJECT) {
			drop_null(k);
		} else if (k->type == PN_NULL) {
			pnode_detach(k);
			pnode_free(k);
		}
	}
}

/* What a value is when it is merged into nothing: without the nulls in its objects. */
static struct pnode *
copy_without_null(const struct pnode *n)
{
	struct pnode *c = pnode_copy(n);

	if (c != NULL && c->type == PN_OBJECT)
		drop_null(c);
	return c;
}

/* RFC 7396 section 2, on objects; both spellings of a key are one. */
static enum err_code
merge(struct pnode *target, const struct pnode *patch, enum psection s, bool top, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (const struct pnode *k = patch->first; rc == ERR_OK && k != NULL; k = k->next) {
		struct pnode *old;

		if (top && is_own_key(k->key))
			continue;
		old = counterpart(target, k->key, s);
		if (k->type == PN_NULL) {
			if (old != NULL) {
				pnode_detach(old);
				pnode_free(old);
			}
			continue;
		}
		enum psection below = psection_below(s, k);
		if (old != NULL && old->type == PN_OBJECT && k->type == PN_OBJECT &&
		    below != SEC_KEY) {
			rc = merge(old, k, below, false, e);
			continue;
		}
		struct pnode *c = copy_without_null(k);
		if (c == NULL)
			return err_no_memory(e);
		if (old != NULL) {
			free(old->key);
			old->key = c->key; /* pnode_replace() keeps the old one's key */
			c->key = NULL;
			pnode_replace(old, c);
		} else {
			pnode_append(target, c);
		}
	}
	return rc;
}

struct resolver {
	profile_find_fn *find;
	void *arg;
	struct profile_findings *f;
	const struct profile_doc
	    *stack[PROFILE_EXTENDS_MAX + 1]; /* those being merged: a circle shows */
	unsigned depth, seen;
	bool failed; /* a finding that makes going on useless */
};

static void
report_circle(struct resolver *r, const struct pnode *at, unsigned from)
{
	struct gbuf way = { .max = 400 };

	for (unsigned i = from; i < r->depth; i++)
		gbuf_printf(&way, "%s -> ", r->stack[i]->name != NULL ? r->stack[i]->name : "?");
	gbuf_str(&way, r->stack[from]->name != NULL ? r->stack[from]->name : "?");
	finding_add(r->f, RULE_CIRCLE, at, "a circle: %s", gbuf_cstr(&way));
	gbuf_clear(&way);
	r->failed = true;
}

static bool
same_name(const struct profile_doc *a, const struct profile_doc *b)
{
	return a->kind == PROFILE_SHARED && a->name != NULL && b->name != NULL &&
	       strcmp(a->name, b->name) == 0;
}

static enum err_code merge_doc(
    struct resolver *r, const struct profile_doc *d, struct pnode *target, struct err *e);

static enum err_code
merge_parent(struct resolver *r, const struct pnode *at, struct pnode *target, struct err *e)
{
	struct err why = { .code = ERR_NOT_FOUND, .msg = "" };
	const struct profile_doc *p = NULL;

	if (at->type != PN_STRING) {
		finding_add(r->f, RULE_TYPE, at, "must be the name of a profile, is %s",
		    pnode_type_name(at));
		r->failed = true;
		return ERR_OK;
	}
	if (r->find != NULL)
		p = r->find(r->arg, at->s, &why);
	if (p == NULL) {
		finding_add(r->f, RULE_UNKNOWN_PARENT, at, "no profile \"%s\"%s%s", at->s,
		    why.code == ERR_NOT_FOUND ? "" : ": ",
		    why.code == ERR_NOT_FOUND ? "" : why.msg);
		r->failed = true;
		return ERR_OK;
	}
	for (unsigned i = 0; i < r->depth; i++) {
		if (r->stack[i] == p || same_name(r->stack[i], p)) {
			report_circle(r, at, i);
			return ERR_OK;
		}
	}
	if (++r->seen > PROFILE_EXTENDS_MAX) {
		finding_add(r->f, RULE_TOO_MANY_PARENTS, at, "more than %d documents in all",
		    PROFILE_EXTENDS_MAX);
		r->failed = true;
		return ERR_OK;
	}
	return merge_doc(r, p, target, e);
}

static enum err_code
merge_doc(struct resolver *r, const struct profile_doc *d, struct pnode *target, struct err *e)
{
	const struct pnode *x = pnode_get(d->root, "extends");
	enum err_code rc = ERR_OK;

	r->stack[r->depth++] = d;
	if (x != NULL && x->type == PN_ARRAY) {
		for (const struct pnode *k = x->first; rc == ERR_OK && !r->failed && k != NULL;
		     k = k->next)
			rc = merge_parent(r, k, target, e);
	} else if (x != NULL && x->type != PN_NULL) {
		rc = merge_parent(r, x, target, e);
	}
	r->depth--;
	return rc == ERR_OK && !r->failed ? merge(target, d->root, SEC_TOP, true, e) : rc;
}

/* What was not inherited goes in front, as it stands in the document itself. */
static enum err_code
put_own(const struct pnode *from, struct pnode *to, struct err *e)
{
	for (const struct pnode *k = from->first; k != NULL; k = k->next) {
		if (!is_own_key(k->key) || k->type == PN_NULL)
			continue;
		struct pnode *c = copy_without_null(k);
		if (c == NULL)
			return err_no_memory(e);
		pnode_append(to, c);
	}
	return ERR_OK;
}

static struct profile_doc *
new_like(const struct profile_doc *d)
{
	struct profile_doc *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->src = psource_ref(d->src);
	r->resolved = true;
	r->root = pnode_new(PN_OBJECT, NULL, d->src);
	if (r->root == NULL) {
		profile_doc_free(r);
		return NULL;
	}
	r->root->line = d->root->line;
	r->root->column = d->root->column;
	return r;
}

static void
drop_security(struct pnode *root)
{
	struct pnode *k = pnode_get(pnode_get(pnode_get(root, "servers"), "registry"), "security");

	if (k == NULL)
		return;
	pnode_detach(k);
	pnode_free(k);
}

/* Once more, on top of what the registry's account is. */
static enum err_code
merge_registry(struct resolver *r, const struct profile_doc *d, struct profile_doc *made, struct err *e)
{
	const struct pnode *at = pnode_get(made->root, "registry");
	struct err why = { .code = ERR_NOT_FOUND, .msg = "" };
	struct profile_doc *nowhere = NULL;
	const struct profile_doc *account = r->find != NULL ? r->find(r->arg, PROFILE_REGISTRY, &why) : NULL;
	bool psk = profile_registry_is_psk(made->root);
	enum err_code rc = ERR_OK;

	if (account == NULL && why.code != ERR_NOT_FOUND) {
		finding_add(r->f, RULE_UNKNOWN_PARENT, at, "%s", why.msg);
		r->failed = true;
		return ERR_OK;
	}
	if (account == NULL) {
		rc = profile_registry_doc("coaps://registry.invalid", &nowhere, e);
		account = nowhere;
	}
	for (struct pnode *k = made->root->first, *next; rc == ERR_OK && k != NULL; k = next) {
		next = k->next;
		if (is_own_key(k->key))
			continue;
		pnode_detach(k);
		pnode_free(k);
	}
	if (rc == ERR_OK)
		rc = merge(made->root, account->root, SEC_TOP, true, e);
	if (rc == ERR_OK && !psk) /* a key of the kind that it does not have */
		drop_security(made->root);
	r->seen = 0;
	if (rc == ERR_OK)
		rc = merge_doc(r, d, made->root, e);
	profile_doc_free(nowhere);
	return rc;
}

enum err_code
profile_resolve(const struct profile_doc *d, profile_find_fn *find, void *arg,
    struct profile_findings *f, struct profile_doc **out, struct err *e)
{
	struct resolver r = { .find = find, .arg = arg, .f = f };
	struct profile_doc *made = new_like(d);
	enum err_code rc;

	*out = NULL;
	if (made == NULL)
		return err_no_memory(e);
	rc = put_own(d->root, made->root, e);
	if (rc == ERR_OK)
		rc = merge_doc(&r, d, made->root, e);
	if (rc == ERR_OK && !r.failed && profile_wants_registry(made->root))
		rc = merge_registry(&r, d, made, e);
	pdoc_identify(made);
	if (rc == ERR_OK && !r.failed)
		rc = expand_all(made, f, e);
	if (rc != ERR_OK || r.failed) {
		profile_doc_free(made);
		return rc;
	}
	*out = made;
	return ERR_OK;
}
