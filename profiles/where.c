/*
 * Places of values in text. The text was accepted by the JSON parser before, which keeps no places;
 * so this walk beside the tree needs no errors of its own, only bounds.
 */
#include "profiles/doc.h"

#include <string.h>

struct scan {
	const char *p, *end;
	unsigned line, column;
};

static void
step(struct scan *s)
{
	if (s->p >= s->end)
		return;
	if (*s->p == '\n') {
		s->line++;
		s->column = 1;
	} else if (((unsigned char)*s->p & 0xc0) != 0x80) {
		s->column++; /* counts characters: not the octets that continue one */
	}
	s->p++;
}

static void
skip_blanks(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) != NULL && *s->p != '\0')
		step(s);
}

static void
skip_string(struct scan *s)
{
	step(s);
	while (s->p < s->end && *s->p != '"') {
		if (*s->p == '\\')
			step(s);
		step(s);
	}
	step(s);
}

static void
skip_token(struct scan *s)
{
	if (s->p >= s->end)
		return;
	if (*s->p == '"') {
		skip_string(s);
		return;
	}
	if (strchr("{}[],:", *s->p) != NULL) {
		step(s);
		return;
	}
	while (s->p < s->end && strchr("{}[],:\" \t\r\n", *s->p) == NULL)
		step(s);
	if (s->p < s->end && *s->p == '\0')
		step(s);
}

static void
mark(struct pnode *n, struct scan *s)
{
	skip_blanks(s);
	n->line = s->line;
	n->column = s->column;
	skip_token(s);
	if (pnode_scalar(n))
		return;
	for (struct pnode *k = n->first; k != NULL; k = k->next) {
		skip_blanks(s);
		if (n->type == PN_OBJECT) {
			k->key_line = s->line;
			k->key_column = s->column;
			skip_token(s);
			skip_blanks(s);
			skip_token(s); /* ':' */
		}
		mark(k, s);
		skip_blanks(s);
		if (k->next != NULL)
			skip_token(s); /* ',' */
	}
	skip_blanks(s);
	skip_token(s); /* the closing bracket */
}

void
where_mark(struct pnode *root, const char *text, size_t n, unsigned first_line)
{
	struct scan s = { .p = text, .end = text + n, .line = first_line, .column = 1 };

	mark(root, &s);
}

struct where
where_token(const char *text, size_t n, size_t offset, unsigned first_line)
{
	struct scan s = { .p = text, .end = text + n, .line = first_line, .column = 1 };
	struct where w;

	do {
		skip_blanks(&s);
		w = (struct where){
			.line = s.line, .column = s.column, .start = (size_t)(s.p - text)
		};
		skip_token(&s);
		w.end = (size_t)(s.p - text);
	} while (s.p < s.end && w.end < offset);
	return w;
}
