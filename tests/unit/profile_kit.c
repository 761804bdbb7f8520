#include "tests/unit/profile_kit.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/enc.h"
#include "tests/unit/unit.h"

const char *
kit_unmark(const char *text, unsigned *line, unsigned *column)
{
	static char plain[65536];
	size_t n = 0;

	*line = *column = 0;
	unsigned l = 1, c = 1;
	for (; *text != '\0'; text++) {
		if (*text == '@' && text[1] == '@') {
			text++; /* an '@' itself */
		} else if (*text == '@') {
			*line = l;
			*column = c;
			continue;
		}
		ck_assert_uint_lt(n + 1, sizeof plain);
		plain[n++] = *text;
		c = *text == '\n' ? 1 : c + ((*text & 0xc0) != 0x80);
		l += *text == '\n';
	}
	plain[n] = '\0';
	return plain;
}

void
kit_add(struct kit *k, const char *name, const char *text)
{
	struct err e = { 0 };
	unsigned line, column;
	const char *plain = kit_unmark(text, &line, &column);

	ck_assert_uint_lt(k->n, KIT_MAX);
	ck_assert_msg(profile_parse(name, 1, plain, strlen(plain), &k->docs[k->n], &e) == ERR_OK,
	    "%s\n%s", e.msg, plain);
	k->n++;
	if (line > 0) {
		k->file = name;
		k->line = line;
		k->column = column;
	}
}

const struct profile_doc *
kit_find(void *arg, const char *name, struct err *e)
{
	const struct kit *k = arg;

	for (size_t i = 0; i < k->n; i++)
		if (profile_doc_kind(k->docs[i]) == PROFILE_SHARED &&
		    strcmp(profile_doc_name(k->docs[i]), name) == 0)
			return k->docs[i];
	(void)err_set(e, ERR_NOT_FOUND, "no such text");
	return NULL;
}

void
kit_resolve(struct kit *k)
{
	struct err e = { 0 };

	ck_assert_msg(profile_resolve(k->docs[0], kit_find, k, &k->f, &k->resolved, &e) == ERR_OK,
	    "%s", e.msg);
}

void
kit_check(struct kit *k, const struct profile_keys *keys)
{
	struct err e = { 0 };

	kit_resolve(k);
	if (k->resolved != NULL)
		ck_assert_msg(
		    profile_check(k->resolved, lwm2m_model_builtin(), keys, &k->f, &e) == ERR_OK,
		    "%s", e.msg);
}

void
kit_clear(struct kit *k)
{
	for (size_t i = 0; i < k->n; i++)
		profile_doc_free(k->docs[i]);
	profile_doc_free(k->resolved);
	profile_findings_clear(&k->f);
	*k = (struct kit){ 0 };
}

static const char *
keep(struct gbuf *g)
{
	static char text[4][32768];
	static unsigned at;
	char *to = text[at++ % 4];

	ck_assert_uint_lt(g->len, sizeof text[0]);
	memcpy(to, gbuf_cstr(g), g->len + 1);
	gbuf_clear(g);
	return to;
}

const char *
kit_print(const struct profile_findings *f)
{
	struct gbuf g = { 0 };

	for (size_t i = 0; i < f->n; i++) {
		profile_finding_print(&g, &f->v[i]);
		gbuf_str(&g, "\n");
	}
	return keep(&g);
}

const char *
kit_tree(const struct lwm2m_tree *t)
{
	struct gbuf g = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		const struct lwm2m_value *v = &t->nodes[i].value;

		gbuf_printf(&g, "%s ", lwm2m_path_str(t->nodes[i].path).s);
		if (v->type == LWM2M_OPAQUE)
			enc_hex(&g, v->bytes.data, v->bytes.len);
		else
			lwm2m_value_print(&g, v);
		gbuf_str(&g, "\n");
	}
	return keep(&g);
}

enum err_code
kit_key(void *arg, const char *slot, const char *from, struct secret *out, struct err *e)
{
	char key[17];
	unsigned h = 5381;

	(void)arg;
	(void)from;
	if (strstr(slot, "none") != NULL)
		return err_set(e, ERR_NOT_FOUND, "none");
	for (const char *p = slot; *p != '\0'; p++)
		h = h * 33 + (unsigned char)*p;
	(void)snprintf(key, sizeof key, "%016x", h);
	return secret_set(out, key, 16, e);
}
