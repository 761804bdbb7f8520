/*
 * Keys and certificates in every form they come in: {"hex"}, {"base64"}, plain text in hex, base64
 * or PEM, and references to what is kept elsewhere.
 */
#include "profiles/material.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "profiles/keyref.h"
#include "profiles/lower.h"

/* Hex digits this many in a row are no base64 by accident (less than one in 10^13). */
#define HEX_SURE 32

static size_t
trimmed(const char *s, size_t n)
{
	while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r' || s[n - 1] == ' '))
		n--;
	return n;
}

static bool
all_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr("0123456789abcdefABCDEF", s[i]) == NULL || s[i] == '\0')
			return false;
	return n > 0;
}

static bool
all_base64(const char *s, size_t n)
{
	size_t pad = 0;

	while (n > 0 && pad < 2 && s[n - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < n - pad; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') ||
		        (s[i] >= '0' && s[i] <= '9') || s[i] == '+' || s[i] == '/'))
			return false;
	return n > 0 && n % 4 == 0;
}

/* The label of a PEM text: "CERTIFICATE"; false: it is none. Moves *s behind the first line. */
static bool
pem_head(const char **s, size_t *n, char label[PEM_LABEL_MAX])
{
	static const char begin[] = "-----BEGIN ";
	const char *end;

	if (*n < sizeof begin || memcmp(*s, begin, sizeof begin - 1) != 0)
		return false;
	const char *name = *s + sizeof begin - 1;
	size_t left = *n - (sizeof begin - 1);
	end = memchr(name, '-', left);
	if (end == NULL || end == name || (size_t)(end - name) >= PEM_LABEL_MAX)
		return false;
	memcpy(label, name, (size_t)(end - name));
	label[end - name] = '\0';
	left -= (size_t)(end - name);
	const char *nl = memchr(end, '\n', left);
	if (nl == NULL)
		return false;
	*n -= (size_t)(nl + 1 - *s);
	*s = nl + 1;
	return true;
}

/* Moves to the next line that begins a PEM block. */
static bool
pem_seek(const char **s, size_t *n)
{
	static const char begin[] = "-----BEGIN ";
	size_t len = sizeof begin - 1;

	for (bool at_start = true; *n >= len; (*s)++, (*n)--) {
		if (at_start && memcmp(*s, begin, len) == 0)
			return true;
		at_start = **s == '\n';
	}
	return false;
}

/* The first block that is a key or a certificate: openssl writes the curve's name before a key. */
static bool
pem_find(const char **s, size_t *n, char label[PEM_LABEL_MAX])
{
	do {
		if (!pem_seek(s, n) || !pem_head(s, n, label))
			return false;
	} while (strcmp(label, "EC PARAMETERS") == 0);
	return true;
}

static enum err_code
decode_pem(const char *s, size_t n, char label[PEM_LABEL_MAX], struct secret *out, struct err *e)
{
	struct gbuf body = { .max = (size_t)4 * PROFILE_KEY_MAX };
	enum err_code rc;
	size_t i = 0;

	if (!pem_find(&s, &n, label))
		return err_set(e, ERR_PARSE, "it begins like PEM and is none");
	for (; i < n && s[i] != '-'; i++)
		if (strchr(" \t\r\n", s[i]) == NULL)
			gbuf_put(&body, s + i, 1);
	if (i >= n || n - i < 9 || memcmp(s + i, "-----END ", 9) != 0)
		rc = err_set(e, ERR_PARSE, "PEM without its END line");
	else if (strstr(label, "ENCRYPTED") != NULL)
		rc = err_set(e, ERR_UNSUPPORTED, "an encrypted private key");
	else if (gbuf_check(&body, e) != ERR_OK)
		rc = e->code;
	else if (dec_base64(gbuf_cstr(&body), body.len, out, NULL) != ERR_OK)
		rc = err_set(e, ERR_PARSE, "the base64 inside the PEM is damaged");
	else
		rc = ERR_OK;
	gbuf_clear(&body);
	return rc;
}

static enum err_code
ambiguous(size_t n, struct err *e)
{
	return err_set(e, ERR_INVALID,
	    "%zu characters that could be hex (%zu octets) or base64 (%zu octets): "
	    "say {\"hex\": ...} or {\"base64\": ...}",
	    n, n / 2, n / 4 * 3);
}

enum err_code
material_decode_text(
    const char *s, size_t n, char label[PEM_LABEL_MAX], struct secret *out, struct err *e)
{
	label[0] = '\0';
	if (pem_is(s, n) || (n >= 5 && memcmp(s, "-----", 5) == 0))
		return decode_pem(s, n, label, out, e);
	n = trimmed(s, n);
	bool hex = all_hex(s, n) && n % 2 == 0, base64 = all_base64(s, n);
	if (hex && base64 && n < HEX_SURE)
		return ambiguous(n, e);
	if (hex)
		return dec_hex(s, n, out, e);
	if (base64)
		return dec_base64(s, n, out, e);
	if (n == 0)
		return err_set(e, ERR_INVALID, "it is empty");
	return err_set(e, ERR_INVALID, "%zu characters that are neither hex nor base64 nor PEM", n);
}

static bool
is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < ' ' && strchr("\t\r\n", p[i]) == NULL) || p[i] > '~' || p[i] == '\0')
			return false;
	return true;
}

static const char *const encodings[] = {
	[ENCODING_AUTO] = "",
	[ENCODING_RAW] = "raw",
	[ENCODING_HEX] = "hex",
	[ENCODING_BASE64] = "base64",
	[ENCODING_PEM] = "pem",
	[ENCODING_DER] = "der",
};

bool
material_encoding(const char *name, enum material_encoding *out)
{
	for (size_t i = ENCODING_RAW; i < N_ELEMS(encodings); i++) {
		if (strcmp(encodings[i], name) == 0) {
			*out = (enum material_encoding)i;
			return true;
		}
	}
	return false;
}

/* A file of text may hold a key's own octets as well ("mysecretpassword"): base64 shows by its
 * padding. */
static enum err_code
decode_text_file(
    const char *s, size_t n, char label[PEM_LABEL_MAX], struct secret *out, struct err *e)
{
	size_t len = trimmed(s, n);

	if (pem_is(s, n) || (n >= 5 && memcmp(s, "-----", 5) == 0))
		return decode_pem(s, n, label, out, e);
	if (all_hex(s, len) && len % 2 == 0 && len >= HEX_SURE)
		return dec_hex(s, len, out, e);
	if (all_base64(s, len) && s[len - 1] == '=')
		return dec_base64(s, len, out, e);
	return err_set(e, ERR_INVALID,
	    "%zu characters of text: say how they are meant, "
	    "\"encoding\": \"hex\", \"base64\" or \"raw\"",
	    len);
}

enum err_code
material_decode_file(const uint8_t *p, size_t n, enum material_encoding how,
    char label[PEM_LABEL_MAX], struct secret *out, struct err *e)
{
	const char *s = (const char *)p;

	label[0] = '\0';
	if (n == 0)
		return err_set(e, ERR_INVALID, "it is empty");
	switch (how) {
	case ENCODING_AUTO:
		return is_text(p, n) ? decode_text_file(s, n, label, out, e)
		                     : secret_set(out, p, n, e);
	case ENCODING_RAW:
	case ENCODING_DER:
		return secret_set(out, p, n, e);
	case ENCODING_HEX:
		return dec_hex(s, trimmed(s, n), out, e);
	case ENCODING_BASE64:
		return dec_base64(s, trimmed(s, n), out, e);
	case ENCODING_PEM:
		return decode_pem(s, n, label, out, e);
	}
	return err_set(e, ERR_INTERNAL, "an encoding without a decoder");
}

bool
material_is_der(const struct secret *s)
{
	size_t len, head = 2;

	if (s->len < 2 || s->data[0] != 0x30)
		return false;
	len = s->data[1];
	if (len >= 0x80) {
		size_t octets = len & 0x7f;

		if (octets == 0 || octets > 3 || s->len < 2 + octets)
			return false;
		len = 0;
		for (size_t i = 0; i < octets; i++)
			len = len << 8 | s->data[2 + i];
		head += octets;
	}
	return s->len == head + len;
}

void
material_slot(const struct pnode *n, struct gbuf *out)
{
	enum psection s;
	const char *other;

	if (n->parent == NULL || n->key == NULL) {
		struct gbuf pointer = { 0 };

		pnode_pointer(n, &pointer);
		gbuf_str(out, pointer.len > 0 ? gbuf_cstr(&pointer) + 1 : "");
		gbuf_clear(&pointer);
		return;
	}
	s = psection_of(n->parent);
	if (n->parent->parent != NULL) {
		material_slot(n->parent, out);
		gbuf_str(out, "/");
	}
	other = pkey_find(s, n->key) == NULL ? pkey_other(s, n->key) : NULL;
	for (const char *p = other != NULL ? other : n->key; *p != '\0'; p++)
		gbuf_str(out, *p == '/' ? "~1" : *p == '~' ? "~0" : (const char[]){ *p, '\0' });
}

/* ---- as the walk needs it ---- */

static enum material
wrong(struct lower *l, const struct pnode *n, const struct err *e)
{
	if (e->code == ERR_NO_MEMORY) {
		l->rc = err_no_memory(l->e);
		return MATERIAL_WRONG;
	}
	finding_add(l->f, RULE_KEY_FORM, n, "%s", e->msg);
	return MATERIAL_WRONG;
}

/* Variables are kept in the clear beside the document. */
static enum material
from_variable(struct lower *l, const struct pnode *n)
{
	finding_add(l->f, RULE_KEY_FORM, n, "a key does not come from a variable");
	return MATERIAL_WRONG;
}

/* One that somebody keeps. */
static enum material
ask(struct lower *l, const struct pnode *n, const char *slot, bool may_come, struct secret *out)
{
	struct err why = { .code = ERR_NOT_FOUND };
	enum err_code rc = ERR_NOT_FOUND;

	if (l->keys != NULL && l->keys->get != NULL)
		rc = l->keys->get(l->keys->arg, slot, n->src->shared, out, &why);
	if (rc == ERR_OK)
		return MATERIAL_OK;
	if (rc != ERR_NOT_FOUND) {
		l->rc = err_set(l->e, rc, "%s", why.msg);
		return MATERIAL_WRONG;
	}
	if (l->compiling && l->missing.len == 0) {
		pnode_place(n, &l->missing);
		gbuf_printf(&l->missing, ": no key is kept for %s", slot);
	} else if (!may_come && !lower_partial(l) && l->keys != NULL && l->keys->get != NULL) {
		finding_add(l->f, RULE_KEY_MISSING, n, "no key is kept for %s", slot);
	}
	return MATERIAL_UNKNOWN;
}

static enum material
read_reference(struct lower *l, const struct pnode *n, const struct pnode *how, struct secret *out)
{
	struct gbuf slot = { 0 };
	enum material m;

	if (strcmp(how->key, "generate") == 0) {
		if (how->type != PN_INT || how->i < 16 || how->i > 64) {
			finding_add(l->f, RULE_KEY_FORM, how,
			    "generate takes a number of octets, 16 to 64");
			return MATERIAL_WRONG;
		}
		material_slot(n, &slot);
		m = ask(l, n, gbuf_cstr(&slot), true, out);
		gbuf_clear(&slot);
		return m;
	}
	if (pnode_str(how) == NULL) {
		finding_add(l->f, RULE_TYPE, how, "must be a string, is %s", pnode_type_name(how));
		return MATERIAL_WRONG;
	}
	return how->open ? MATERIAL_UNKNOWN : ask(l, n, how->s, false, out);
}

static enum material
read_file(struct lower *l, const struct pnode *how)
{
	struct err e;

	if (pnode_str(how) == NULL) {
		finding_add(l->f, RULE_TYPE, how, "must be a string, is %s", pnode_type_name(how));
		return MATERIAL_WRONG;
	}
	if (!how->open && material_file_name(how->s, &e) != ERR_OK) {
		finding_add(l->f, RULE_FILE, how, "%s", e.msg);
		return MATERIAL_WRONG;
	}
	if (l->compiling) {
		finding_add(l->f, RULE_FILE, how, "a file is read by the command line only");
		return MATERIAL_WRONG;
	}
	return MATERIAL_UNKNOWN;
}

enum err_code
material_file_name(const char *s, struct err *e)
{
	if (s[0] == '\0')
		return err_set(e, ERR_INVALID, "no file is named");
	if (s[0] == '/')
		return err_set(e, ERR_REFUSED, "an absolute path");
	for (const char *p = s; p != NULL; p = strchr(p, '/')) {
		p += *p == '/' ? 1 : 0;
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
			return err_set(e, ERR_REFUSED, "\"..\" leads out of its folder");
	}
	return ERR_OK;
}

static enum material
read_bytes(struct lower *l, const struct pnode *how, bool hex, struct secret *out)
{
	struct err e = { 0 };
	enum err_code rc;

	if (pnode_str(how) == NULL) {
		finding_add(l->f, RULE_TYPE, how, "must be a string, is %s", pnode_type_name(how));
		return MATERIAL_WRONG;
	}
	if (how->expanded)
		return from_variable(l, how);
	rc = hex ? dec_hex(how->s, how->n, out, &e) : dec_base64(how->s, how->n, out, &e);
	return rc == ERR_OK ? MATERIAL_OK : wrong(l, how, &e);
}

/* The member that says how the key is given; NULL with a finding when there is not exactly one. */
static const struct pnode *
how_given(struct lower *l, const struct pnode *n)
{
	static const char *const ways[] = { "file", "hex", "base64", "generate", "credential" };
	const struct pnode *found = NULL;

	lower_keys(l, n, SEC_KEY);
	for (size_t i = 0; i < N_ELEMS(ways); i++) {
		const struct pnode *k = pnode_get(n, ways[i]);

		if (k != NULL && found != NULL) {
			finding_key(l->f, RULE_KEY_FORM, k, "\"%s\" and \"%s\" at once", found->key,
			    k->key);
			return NULL;
		}
		found = k != NULL ? k : found;
	}
	if (found == NULL)
		finding_add(l->f, RULE_KEY_FORM, n,
		    "none of file, hex, base64, generate, credential in it");
	return found;
}

static enum material
read_plain(struct lower *l, const struct pnode *n, bool text, struct secret *out)
{
	char label[PEM_LABEL_MAX];
	struct err e = { 0 };
	enum err_code rc;

	if (n->expanded && !text)
		return from_variable(l, n);
	if (n->open)
		return MATERIAL_UNKNOWN;
	if (text)
		rc = secret_set(out, n->s, n->n, &e);
	else
		rc = material_decode_text(n->s, n->n, label, out, &e);
	if (rc != ERR_OK)
		return wrong(l, n, &e);
	if (text || keyref_wrong_label(n, label) == NULL)
		return MATERIAL_OK;
	secret_clear(out);
	finding_add(l->f, RULE_KEY_MATERIAL, n, "%s", keyref_wrong_label(n, label));
	return MATERIAL_WRONG;
}

enum material
material_read(struct lower *l, const struct pnode *n, bool text, struct secret *out)
{
	const struct pnode *how;
	enum material m;

	*out = SECRET_NONE;
	if (n->type == PN_STRING) {
		m = read_plain(l, n, text, out);
	} else if (n->type != PN_OBJECT) {
		finding_add(l->f, RULE_TYPE, n,
		    "must be a string or an object such as {\"hex\": ...}, is %s",
		    pnode_type_name(n));
		return MATERIAL_WRONG;
	} else if ((how = how_given(l, n)) == NULL) {
		return MATERIAL_WRONG;
	} else if (strcmp(how->key, "file") == 0) {
		return read_file(l, how);
	} else if (strcmp(how->key, "hex") == 0 || strcmp(how->key, "base64") == 0) {
		m = read_bytes(l, how, how->key[0] == 'h', out);
	} else {
		m = read_reference(l, n, how, out);
	}
	if (m == MATERIAL_OK && out->len > PROFILE_KEY_MAX) {
		secret_clear(out);
		finding_add(l->f, RULE_LIMIT, n, "more than %d octets", PROFILE_KEY_MAX);
		return MATERIAL_WRONG;
	}
	return m;
}
