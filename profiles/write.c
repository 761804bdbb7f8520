/* The canonical text of a document. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profiles/keys.h"

#define LINE_MAX_CHARS 100

struct writer {
	struct gbuf *out;
	bool compact;
};

static void
put_string(struct gbuf *out, const char *s, size_t n)
{
	gbuf_str(out, "\"");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			gbuf_printf(out, "\\%c", c);
		else if (c == '\n')
			gbuf_str(out, "\\n");
		else if (c == '\t')
			gbuf_str(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			gbuf_printf(out, "\\u%04x", c);
		else
			gbuf_u8(out, c);
	}
	gbuf_str(out, "\"");
}

static void
put_real(struct gbuf *out, double f)
{
	size_t at = out->len;

	for (int digits = 15; digits <= 17; digits++) {
		out->len = at;
		gbuf_printf(out, "%.*g", digits, f);
		if (strtod(gbuf_cstr(out) + at, NULL) == f)
			break;
	}
	if (strpbrk(gbuf_cstr(out) + at, ".e") == NULL)
		gbuf_str(out, ".0");
}

static void
put_scalar(struct gbuf *out, const struct pnode *n)
{
	if (n->type == PN_STRING)
		put_string(out, n->s, n->n);
	else if (n->type == PN_INT)
		gbuf_printf(out, "%" PRId64, n->i);
	else if (n->type == PN_REAL)
		put_real(out, n->f);
	else if (n->type == PN_BOOL)
		gbuf_str(out, n->b ? "true" : "false");
	else
		gbuf_str(out, "null");
}

struct ordered {
	const struct pnode *n;
	unsigned order;
	size_t at; /* keeps the order of equals */
};

static int
by_order(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Whether a section's members have an order of ours; the user's own maps keep theirs. */
static bool
has_order(enum psection s)
{
	switch (s) {
	case SEC_NONE:
	case SEC_MATCHES:
	case SEC_VARS:
	case SEC_LABELS:
	case SEC_SERVERS:
	case SEC_ENDPOINTS:
	case SEC_APNS:
	case SEC_ACLS:
	case SEC_RIGHTS:
	case SEC_OBJECTS:
		return false;
	case SEC_TOP:
	case SEC_MATCH:
	case SEC_CREDENTIALS:
	case SEC_KNOCK:
	case SEC_SERVER:
	case SEC_ENDPOINT:
	case SEC_SECURITY:
	case SEC_APN:
	case SEC_ACL:
	case SEC_OBJECT:
	case SEC_BOOTSTRAP:
	case SEC_ACCOUNT:
	case SEC_HANDOFF:
	case SEC_KEY:
		return true;
	}
	return false;
}

static void put(struct writer *w, const struct pnode *n, enum psection s, unsigned depth);

static void
line_break(struct writer *w, unsigned depth)
{
	gbuf_str(w->out, "\n");
	for (unsigned i = 0; i < depth; i++)
		gbuf_str(w->out, "  ");
}

/* Without breaks: what fits is written so. */
static void
put_flat(struct writer *w, const struct ordered *v, const struct pnode *n, enum psection s)
{
	bool object = n->type == PN_OBJECT;

	gbuf_str(w->out, object ? (w->compact ? "{" : "{ ") : "[");
	for (size_t i = 0; i < n->n; i++) {
		if (i > 0)
			gbuf_str(w->out, w->compact ? "," : ", ");
		if (object) {
			put_string(w->out, v[i].n->key, strlen(v[i].n->key));
			gbuf_str(w->out, w->compact ? ":" : ": ");
		}
		put(w, v[i].n, psection_below(s, v[i].n), 0);
	}
	gbuf_str(w->out, object ? (w->compact ? "}" : " }") : "]");
}

static void
put_broken(struct writer *w, const struct ordered *v, const struct pnode *n, enum psection s,
    unsigned depth)
{
	bool object = n->type == PN_OBJECT;

	gbuf_str(w->out, object ? "{" : "[");
	for (size_t i = 0; i < n->n; i++) {
		gbuf_str(w->out, i > 0 ? "," : "");
		line_break(w, depth + 1);
		if (object) {
			put_string(w->out, v[i].n->key, strlen(v[i].n->key));
			gbuf_str(w->out, ": ");
		}
		put(w, v[i].n, psection_below(s, v[i].n), depth + 1);
	}
	line_break(w, depth);
	gbuf_str(w->out, object ? "}" : "]");
}

static bool
all_scalar(const struct pnode *n)
{
	for (const struct pnode *k = n->first; k != NULL; k = k->next)
		if (!pnode_scalar(k) && k->n > 0)
			return false;
	return true;
}

static size_t
column(const struct gbuf *out)
{
	size_t n = 0;

	while (n < out->len && out->data[out->len - 1 - n] != '\n')
		n++;
	return n;
}

/* A short list or map of scalars stands on one line, when it fits; the outer levels never do. */
static void
put_members(struct writer *w, const struct ordered *v, const struct pnode *n, enum psection s,
    unsigned depth)
{
	size_t at = w->out->len, from = column(w->out);
	size_t few = n->type == PN_ARRAY ? 64 : 3;

	if (w->compact) {
		put_flat(w, v, n, s);
		return;
	}
	if (depth > 0 && n->n <= few && all_scalar(n)) {
		put_flat(w, v, n, s);
		if (w->out->failed || from + (w->out->len - at) < LINE_MAX_CHARS)
			return;
		wipe(w->out->data + at, w->out->len - at);
		w->out->len = at;
	}
	put_broken(w, v, n, s, depth);
}

static void
put(struct writer *w, const struct pnode *n, enum psection s, unsigned depth)
{
	if (pnode_scalar(n)) {
		put_scalar(w->out, n);
		return;
	}
	if (n->n == 0) {
		gbuf_str(w->out, n->type == PN_OBJECT ? "{}" : "[]");
		return;
	}
	struct ordered *v = calloc(n->n, sizeof *v);
	if (v == NULL) {
		w->out->failed = true;
		return;
	}
	size_t i = 0;
	for (const struct pnode *k = n->first; k != NULL; k = k->next, i++)
		v[i] = (struct ordered){ .n = k,
			.at = i,
			.order = n->type == PN_OBJECT && has_order(s) ? pkey_order(s, k->key) : 0 };
	qsort(v, n->n, sizeof *v, by_order);
	put_members(w, v, n, s, depth);
	free(v);
}

void
profile_doc_write(const struct profile_doc *d, bool compact, struct gbuf *out)
{
	struct writer w = { .out = out, .compact = compact };

	put(&w, d->root, SEC_TOP, 0);
	if (!compact)
		gbuf_str(out, "\n");
}
