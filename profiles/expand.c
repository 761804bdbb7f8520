#include "profiles/expand.h"

#include <stdlib.h>
#include <string.h>

#include "profiles/rules.h"

enum piece { PIECE_TEXT, PIECE_DOLLAR, PIECE_VAR, PIECE_WRONG };

/* One piece of a string: text up to a '$', "$$", or "${name}" / "${name:-text}". */
struct reader {
	const char *p; /* moves on */
	const char *text;
	size_t len; /* of the text, or of the name */
	const char *fallback;
	size_t fallback_len;
	const char *wrong;
};

static bool
name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

static enum piece
wrong(struct reader *r, const char *why)
{
	r->wrong = why;
	return PIECE_WRONG;
}

static enum piece
read_variable(struct reader *r)
{
	const char *p = r->p + 2;

	r->text = p;
	while (name_char(*p) && strncmp(p, ":-", 2) != 0)
		p++;
	r->len = (size_t)(p - r->text);
	if (r->len == 0)
		return wrong(r, "a variable without a name");
	r->fallback = NULL;
	if (strncmp(p, ":-", 2) == 0) {
		r->fallback = p + 2;
		p += 2;
		while (*p != '}' && *p != '\0' && *p != '$')
			p++;
		if (*p == '$')
			return wrong(r, "variables do not nest");
		r->fallback_len = (size_t)(p - r->fallback);
	}
	if (*p != '}')
		return wrong(r, *p == '\0' ? "\"${\" without \"}\""
		                           : "a character that no variable's name has");
	r->p = p + 1;
	return PIECE_VAR;
}

static enum piece
next_piece(struct reader *r)
{
	if (r->p[0] != '$') {
		r->text = r->p;
		r->len = strcspn(r->p, "$");
		r->p += r->len;
		return PIECE_TEXT;
	}
	if (r->p[1] == '$') {
		r->p += 2;
		return PIECE_DOLLAR;
	}
	return r->p[1] == '{' ? read_variable(r) : wrong(r, "\"$\" alone; \"$$\" is a dollar sign");
}

bool
expand_wanted(const char *s)
{
	return strchr(s, '$') != NULL;
}

static const struct pnode *
find_variable(const struct profile_doc *d, const char *name, size_t len)
{
	const struct pnode *vars = d != NULL ? pnode_get(d->root, "vars") : NULL;

	if (len == 8 && memcmp(name, "endpoint", 8) == 0)
		return d != NULL && d->kind == PROFILE_DEVICE ? pnode_get(d->root, "endpoint")
		                                              : NULL;
	if (vars == NULL || vars->type != PN_OBJECT)
		return NULL;
	for (const struct pnode *k = vars->first; k != NULL; k = k->next)
		if (strlen(k->key) == len && memcmp(k->key, name, len) == 0)
			return k;
	return NULL;
}

static void
put_value(struct gbuf *out, const struct pnode *v)
{
	if (v->type == PN_STRING)
		gbuf_put(out, v->s, v->n);
	else
		pnode_describe(v, out);
}

/* 0: all filled in; 1: a variable is not known (its name in *r); -1: wrong. */
static int
fill_in(const char *s, const struct profile_doc *d, const struct profile_doc *also,
    struct reader *r, struct gbuf *out)
{
	r->p = s;
	while (*r->p != '\0') {
		enum piece piece = next_piece(r);
		const struct pnode *v;

		if (piece == PIECE_WRONG)
			return -1;
		if (piece == PIECE_TEXT) {
			gbuf_put(out, r->text, r->len);
			continue;
		}
		if (piece == PIECE_DOLLAR) {
			gbuf_str(out, "$");
			continue;
		}
		v = find_variable(d, r->text, r->len);
		if (v == NULL)
			v = find_variable(also, r->text, r->len);
		if (v != NULL && !pnode_scalar(v))
			return -1;
		if (v == NULL && r->fallback == NULL)
			return 1;
		if (v != NULL)
			put_value(out, v);
		else
			gbuf_put(out, r->fallback, r->fallback_len);
	}
	return 0;
}

enum err_code
expand_one(const struct pnode *n, const struct profile_doc *d, const struct profile_doc *also,
    struct gbuf *out, struct err *e)
{
	struct reader r = { .wrong = "its value is no scalar" };
	int how = fill_in(n->s, d, also, &r, out);

	if (how < 0)
		return pnode_err(n, e, ERR_INVALID, "%s", r.wrong);
	if (how > 0)
		return pnode_err(n, e, ERR_INVALID, "nobody defines ${%.*s}", (int)r.len, r.text);
	return ERR_OK;
}

/* The variable that a string is and nothing else; NULL. */
static const struct pnode *
whole_variable(const char *s, const struct profile_doc *d)
{
	struct reader r = { .p = s };

	return s[0] == '$' && next_piece(&r) == PIECE_VAR && *r.p == '\0'
	           ? find_variable(d, r.text, r.len)
	           : NULL;
}

static bool
is_whole(const char *s)
{
	struct reader r = { .p = s };

	return s[0] == '$' && next_piece(&r) == PIECE_VAR && *r.p == '\0';
}

/* The variable's own value and type, in the place of the text that named it. */
static void
become(struct pnode *n, const struct pnode *v)
{
	wipe(n->s, n->n);
	free(n->s);
	n->s = NULL;
	n->type = v->type;
	n->n = 0;
	if (v->type == PN_INT)
		n->i = v->i;
	else if (v->type == PN_REAL)
		n->f = v->f;
	else if (v->type == PN_BOOL)
		n->b = v->b;
}

struct expander {
	const struct profile_doc *d;
	struct profile_findings *f;
	size_t left; /* octets that may still come of variables in this document */
	struct err *e;
};

static enum err_code
keep_text(struct expander *x, struct pnode *n, const struct gbuf *text)
{
	x->left -= MIN(x->left, text->len);
	return pnode_set_string(n, gbuf_cstr(text), text->len, x->e);
}

static enum err_code
expand_text(struct expander *x, struct pnode *n)
{
	struct reader r = { .wrong = "its value is no scalar" };
	struct gbuf out = { .max = x->left + 1 };
	enum err_code rc = ERR_OK;
	int how = fill_in(n->s, x->d, NULL, &r, &out);

	n->open = how != 0 || out.failed;
	if (out.failed)
		finding_add(x->f, RULE_LIMIT, n, "variables make the document too long");
	else if (how < 0)
		finding_add(x->f, RULE_VARIABLE, n, "%s", r.wrong);
	else if (how > 0 && x->d->kind != PROFILE_SHARED)
		finding_add(x->f, RULE_VARIABLE, n, "nobody defines ${%.*s}", (int)r.len, r.text);
	else if (how == 0)
		rc = keep_text(x, n, &out);
	gbuf_clear(&out);
	return rc;
}

static enum err_code
expand_string(struct expander *x, struct pnode *n)
{
	const struct pnode *whole = whole_variable(n->s, x->d);

	n->expanded = true;
	n->typed = is_whole(n->s);
	if (whole == NULL || whole->type == PN_STRING || !pnode_scalar(whole))
		return expand_text(x, n);
	become(n, whole);
	return ERR_OK;
}

static bool
left_alone(const struct pnode *n)
{
	static const char *const keys[] = { "vars", "match", "extends", "endpoint", "profile" };

	for (size_t i = 0; n->parent != NULL && n->parent->parent == NULL && i < N_ELEMS(keys); i++)
		if (strcmp(n->key, keys[i]) == 0)
			return true;
	return false;
}

static enum err_code
expand_below(struct expander *x, struct pnode *n)
{
	enum err_code rc = ERR_OK;

	if (left_alone(n))
		return ERR_OK;
	if (n->type == PN_STRING && expand_wanted(n->s))
		return expand_string(x, n);
	if (!pnode_scalar(n))
		for (struct pnode *k = n->first; rc == ERR_OK && k != NULL; k = k->next)
			rc = expand_below(x, k);
	return rc;
}

enum err_code
expand_all(struct profile_doc *d, struct profile_findings *f, struct err *e)
{
	struct expander x = { .d = d, .f = f, .left = PROFILE_TEXT_MAX, .e = e };

	return expand_below(&x, d->root);
}
