#include "profiles/doc.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

struct psource *
psource_new(const char *file)
{
	struct psource *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->refs = 1;
	s->file = str_dup_n(file, strlen(file));
	if (s->file == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

struct psource *
psource_ref(struct psource *s)
{
	s->refs++;
	return s;
}

void
psource_unref(struct psource *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	free(s->file);
	free(s->shared);
	free(s);
}

struct pnode *
pnode_new(enum pnode_type type, const char *key, struct psource *src)
{
	struct pnode *n = calloc(1, sizeof *n);

	if (n == NULL)
		return NULL;
	n->type = type;
	n->src = psource_ref(src);
	if (key != NULL && (n->key = str_dup_n(key, strlen(key))) == NULL) {
		pnode_free(n);
		return NULL;
	}
	return n;
}

struct pnode *
pnode_string(const char *key, const char *s, size_t len, struct psource *src)
{
	struct pnode *n = pnode_new(PN_STRING, key, src);

	if (n != NULL && pnode_set_string(n, s, len, NULL) != ERR_OK) {
		pnode_free(n);
		return NULL;
	}
	return n;
}

enum err_code
pnode_set_string(struct pnode *n, const char *s, size_t len, struct err *e)
{
	char *copy = str_dup_n(s, len);

	if (copy == NULL)
		return err_no_memory(e);
	if (n->s != NULL) {
		wipe(n->s, n->n);
		free(n->s);
	}
	n->s = copy;
	n->n = len;
	return ERR_OK;
}

static void
free_one(struct pnode *n)
{
	if (n->type == PN_STRING && n->s != NULL) {
		wipe(n->s, n->n);
		free(n->s);
	}
	free(n->key);
	psource_unref(n->src);
	free(n);
}

void
pnode_free(struct pnode *n)
{
	struct pnode *stop = n != NULL ? n->parent : NULL;

	while (n != NULL && n != stop) {
		struct pnode *up = n->parent;

		if (n->first != NULL) {
			n = n->first;
			continue;
		}
		if (up != stop && up != NULL) {
			up->first = n->next; /* only the freeing walk sees this */
			free_one(n);
			n = up;
			continue;
		}
		free_one(n);
		break;
	}
}

struct pnode *
pnode_copy(const struct pnode *n)
{
	struct pnode *c = pnode_new(n->type, n->key, n->src);

	if (c == NULL)
		return NULL;
	c->expanded = n->expanded;
	c->open = n->open;
	c->typed = n->typed;
	c->line = n->line;
	c->column = n->column;
	c->key_line = n->key_line;
	c->key_column = n->key_column;
	if (n->type == PN_STRING) {
		if (pnode_set_string(c, n->s, n->n, NULL) != ERR_OK)
			goto out;
	} else if (n->type == PN_BOOL) {
		c->b = n->b;
	} else if (n->type == PN_INT) {
		c->i = n->i;
	} else if (n->type == PN_REAL) {
		c->f = n->f;
	}
	for (const struct pnode *k = n->first; k != NULL; k = k->next) {
		struct pnode *kc = pnode_copy(k);

		if (kc == NULL)
			goto out;
		pnode_append(c, kc);
	}
	return c;
out:
	pnode_free(c);
	return NULL;
}

void
pnode_append(struct pnode *parent, struct pnode *child)
{
	child->parent = parent;
	child->next = NULL;
	if (parent->last != NULL)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->n++;
}

static struct pnode *
before(const struct pnode *child)
{
	struct pnode *prev = NULL;

	for (struct pnode *k = child->parent->first; k != child; k = k->next)
		prev = k;
	return prev;
}

void
pnode_detach(struct pnode *child)
{
	struct pnode *up = child->parent, *prev = before(child);

	if (prev != NULL)
		prev->next = child->next;
	else
		up->first = child->next;
	if (up->last == child)
		up->last = prev;
	up->n--;
	child->parent = NULL;
	child->next = NULL;
}

void
pnode_replace(struct pnode *old, struct pnode *by)
{
	struct pnode *up = old->parent, *prev = before(old);

	by->parent = up;
	by->next = old->next;
	if (prev != NULL)
		prev->next = by;
	else
		up->first = by;
	if (up->last == old)
		up->last = by;
	free(by->key);
	by->key = old->key;
	old->key = NULL;
	old->parent = NULL;
	old->next = NULL;
	pnode_free(old);
}

struct pnode *
pnode_get(const struct pnode *obj, const char *key)
{
	if (obj == NULL || obj->type != PN_OBJECT)
		return NULL;
	for (struct pnode *k = obj->first; k != NULL; k = k->next)
		if (strcmp(k->key, key) == 0)
			return k;
	return NULL;
}

const char *
pnode_str(const struct pnode *n)
{
	return n != NULL && n->type == PN_STRING ? n->s : NULL;
}

bool
pnode_scalar(const struct pnode *n)
{
	return n->type != PN_ARRAY && n->type != PN_OBJECT;
}

const char *
pnode_type_name(const struct pnode *n)
{
	static const char *const names[] = {
		[PN_NULL] = "null",
		[PN_BOOL] = "a boolean",
		[PN_INT] = "a number",
		[PN_REAL] = "a number with a fraction",
		[PN_STRING] = "a string",
		[PN_ARRAY] = "a list",
		[PN_OBJECT] = "an object",
	};

	return names[n->type];
}

void
pnode_describe(const struct pnode *n, struct gbuf *out)
{
	if (n->type == PN_STRING) {
		gbuf_str(out, "\"");
		str_quote(out, n->s, MIN(n->n, (size_t)64));
		gbuf_str(out, n->n > 64 ? "...\"" : "\"");
	} else if (n->type == PN_INT) {
		gbuf_printf(out, "%" PRId64, n->i);
	} else if (n->type == PN_REAL) {
		gbuf_printf(out, "%.17g", n->f);
	} else if (n->type == PN_BOOL) {
		gbuf_str(out, n->b ? "true" : "false");
	} else {
		gbuf_str(out, pnode_type_name(n));
	}
}

static void
put_pointer_token(struct gbuf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '~')
			gbuf_str(out, "~0");
		else if (*s == '/')
			gbuf_str(out, "~1");
		else
			gbuf_put(out, s, 1);
	}
}

void
pnode_pointer(const struct pnode *n, struct gbuf *out)
{
	if (n->parent == NULL)
		return;
	pnode_pointer(n->parent, out);
	gbuf_str(out, "/");
	if (n->key != NULL) {
		put_pointer_token(out, n->key);
	} else {
		unsigned at = 0;

		for (const struct pnode *k = n->parent->first; k != n; k = k->next)
			at++;
		gbuf_printf(out, "%u", at);
	}
}

void
pnode_place(const struct pnode *n, struct gbuf *out)
{
	gbuf_printf(out, "%s:%u:%u", n->src->file, n->line, n->column);
}

void
text_clean(char *s)
{
	size_t left = strlen(s);

	while (left > 0) {
		unsigned char c = (unsigned char)*s;
		size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

		if (n > left || !str_is_printable(s, n)) {
			*s = '?';
			n = 1;
		}
		s += n;
		left -= n;
	}
}

enum err_code
pnode_err(const struct pnode *n, struct err *e, enum err_code code, const char *fmt, ...)
{
	struct gbuf at = { 0 };
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	pnode_place(n, &at);
	gbuf_str(&at, ": ");
	pnode_pointer(n, &at);
	(void)err_set(e, code, "%s: %s", gbuf_cstr(&at), text);
	gbuf_clear(&at);
	if (e != NULL)
		text_clean(e->msg);
	return code;
}

/* A profile's name is one word, and the name of a file may be made of it. */
static bool
name_ok(const char *s, bool shared)
{
	size_t n = strlen(s);

	if (shared && (strpbrk(s, " /\\") != NULL || s[0] == '.'))
		return false;
	return n > 0 && n <= PROFILE_NAME_MAX && str_is_printable(s, n);
}

void
pdoc_identify(struct profile_doc *d)
{
	const struct pnode *ep = pnode_get(d->root, "endpoint"),
	                   *pr = pnode_get(d->root, "profile");
	const char *name = pnode_str(ep != NULL ? ep : pr);

	d->kind = PROFILE_NO_KIND;
	d->name = NULL;
	if ((ep != NULL) == (pr != NULL) || name == NULL || !name_ok(name, pr != NULL))
		return;
	d->kind = ep != NULL ? PROFILE_DEVICE : PROFILE_SHARED;
	d->name = name;
}

void
profile_doc_free(struct profile_doc *d)
{
	if (d == NULL)
		return;
	pnode_free(d->root);
	psource_unref(d->src);
	free(d);
}

enum profile_kind
profile_doc_kind(const struct profile_doc *d)
{
	return d->kind;
}

const char *
profile_doc_name(const struct profile_doc *d)
{
	return d->name;
}

const char *
profile_doc_file(const struct profile_doc *d)
{
	return d->src->file;
}

static const struct pnode *
child_at(const struct pnode *list, size_t i)
{
	const struct pnode *k = list != NULL ? list->first : NULL;

	while (k != NULL && i > 0) {
		k = k->next;
		i--;
	}
	return k;
}

const char *
profile_doc_extends(const struct profile_doc *d, size_t i)
{
	const struct pnode *x = pnode_get(d->root, "extends");

	if (x != NULL && x->type == PN_STRING)
		return i == 0 ? x->s : NULL;
	return x != NULL && x->type == PN_ARRAY ? pnode_str(child_at(x, i)) : NULL;
}

const char *
profile_doc_match(const struct profile_doc *d, size_t i)
{
	const struct pnode *m = pnode_get(d->root, "match");

	return m != NULL && m->type == PN_ARRAY ? pnode_str(pnode_get(child_at(m, i), "endpoint"))
	                                        : NULL;
}

const char *
profile_doc_label(const struct profile_doc *d, const char *name)
{
	return pnode_str(pnode_get(pnode_get(d->root, "labels"), name));
}

const char *
profile_doc_label_at(const struct profile_doc *d, size_t i)
{
	const struct pnode *labels = pnode_get(d->root, "labels");
	const struct pnode *k =
	    labels != NULL && labels->type == PN_OBJECT ? child_at(labels, i) : NULL;

	return k != NULL ? k->key : NULL;
}
