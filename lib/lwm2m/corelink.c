#include "lib/lwm2m/corelink.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/util.h"

struct reader {
	const char *s; /* borrowed */
	size_t n, pos;
	char *scratch; /* n bytes: the value of a quoted string, unescaped */
};

/* The value of an attribute: in the text, or in scratch. has is false when there is none. */
struct text {
	const char *s;
	size_t n;
	bool has;
};

static bool
at_char(const struct reader *r, char c)
{
	return r->pos < r->n && r->s[r->pos] == c;
}

static bool
skip_char(struct reader *r, char c)
{
	if (!at_char(r, c))
		return false;
	r->pos++;
	return true;
}

static void
skip_blanks(struct reader *r)
{
	while (at_char(r, ' ') || at_char(r, '\t'))
		r->pos++;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct text
text_since(const struct reader *r, size_t start)
{
	return (struct text){ .s = r->s + start, .n = r->pos - start, .has = r->pos > start };
}

/* attr-char of RFC 5987, and the star of name* (RFC 6690 section 2). */
static struct text
read_name(struct reader *r)
{
	size_t start = r->pos;

	while (r->pos < r->n && (is_alnum(r->s[r->pos]) ||
		(r->s[r->pos] != '\0' && strchr("!#$&+-.^_`|~*", r->s[r->pos]) != NULL)))
		r->pos++;
	return text_since(r, start);
}

/* ptokenchar of RFC 6690 section 2: what is visible in ASCII, but for these four. */
static struct text
read_token(struct reader *r)
{
	size_t start = r->pos;

	for (; r->pos < r->n; r->pos++) {
		char c = r->s[r->pos];

		if (c <= ' ' || c > '~' || c == ',' || c == ';' || c == '"' || c == '\\')
			break;
	}
	return text_since(r, start);
}

static enum err_code
read_quoted(struct reader *r, struct text *out, struct err *e)
{
	size_t start = r->pos++, n = 0;

	while (!at_char(r, '"')) {
		(void)skip_char(r, '\\');
		if (r->pos >= r->n)
			return err_set(e, ERR_PARSE, "octet %zu: a quoted string has no end",
			    start);
		r->scratch[n++] = r->s[r->pos++];
	}
	r->pos++;
	if (!str_is_printable(r->scratch, n))
		return err_set(e, ERR_PARSE, "octet %zu: a quoted string is not printable UTF-8",
		    start);
	*out = (struct text){ .s = r->scratch, .n = n, .has = true };
	return ERR_OK;
}

/* name, name=token or name="quoted". */
static enum err_code
read_attribute(struct reader *r, struct text *name, struct text *value, struct err *e)
{
	size_t start = r->pos;

	*value = (struct text){ .has = false };
	*name = read_name(r);
	if (!name->has)
		return err_set(e, ERR_PARSE, "octet %zu: the name of an attribute is missing",
		    start);
	if (!skip_char(r, '='))
		return ERR_OK;
	if (at_char(r, '"'))
		return read_quoted(r, value, e);
	*value = read_token(r);
	if (!value->has)
		return err_set(e, ERR_PARSE, "octet %zu: the value of an attribute is missing",
		    r->pos);
	return ERR_OK;
}

static enum err_code
read_target(struct reader *r, struct lwm2m_path *out, struct err *e)
{
	size_t start = r->pos;

	if (!skip_char(r, '<'))
		return err_set(e, ERR_PARSE, "octet %zu: '<' is missing", start);
	const char *s = r->s + r->pos, *end = memchr(s, '>', r->n - r->pos);
	if (end == NULL)
		return err_set(e, ERR_PARSE, "octet %zu: '<' without '>'", start);
	size_t n = (size_t)(end - s);
	r->pos += n + 1;
	if (n > 1 && s[n - 1] == '/')
		n--; /* </0/1/> is seen */
	enum err_code rc = lwm2m_path_parse(s, n, out, e);
	if (rc != ERR_OK) {
		(void)err_wrap(e, "octet %zu", start);
		return rc;
	}
	if (out->depth > LWM2M_RESOURCE)
		return err_set(e, ERR_INVALID, "%s: a link ends at the Resource",
		    lwm2m_path_str(*out).s);
	return ERR_OK;
}

static inline bool
is_name(const struct text *t, const char *name)
{
	return t->n == strlen(name) && memcmp(t->s, name, t->n) == 0;
}

static enum err_code
set_version(struct lwm2m_links *l, const struct text *v, struct err *e)
{
	const char *dot = v->has && v->n > 0 ? memchr(v->s, '.', v->n) : NULL;
	size_t major = dot == NULL ? 0 : (size_t)(dot - v->s);
	uint64_t number;

	if (l->version[0] != '\0')
		return err_set(e, ERR_INVALID, "lwm2m: is there twice");
	if (dot == NULL || v->n >= sizeof l->version || !str_to_u64(v->s, major, 0, 99, &number) ||
	    !str_to_u64(dot + 1, v->n - major - 1, 0, 99, &number))
		return err_set(e, ERR_PARSE, "lwm2m: is not a version such as 1.1");
	memcpy(l->version, v->s, v->n);
	l->version[v->n] = '\0';
	return ERR_OK;
}

static enum err_code
set_ssid(uint16_t *out, const struct text *v, struct err *e)
{
	uint64_t number;

	if (*out != 0)
		return err_set(e, ERR_INVALID, "ssid: is there twice");
	if (!v->has || !str_to_u64(v->s, v->n, 1, LWM2M_ID_MAX, &number))
		return err_set(e, ERR_RANGE, "ssid: must be 1..%d", LWM2M_ID_MAX);
	*out = (uint16_t)number;
	return ERR_OK;
}

static enum err_code
set_text(char **out, const char *name, const struct text *v, struct err *e)
{
	if (*out != NULL)
		return err_set(e, ERR_INVALID, "%s: is there twice", name);
	if (!v->has)
		return err_set(e, ERR_PARSE, "%s: has no value", name);
	*out = str_dup_n(v->s, v->n);
	return *out == NULL ? err_no_memory(e) : ERR_OK;
}

/* Attributes that we do not know are passed over (RFC 6690 section 2). */
static enum err_code
set_attribute(struct lwm2m_link_entry *link, const struct text *name, const struct text *v,
    struct err *e)
{
	if (is_name(name, "ssid"))
		return set_ssid(&link->ssid, v, e);
	if (is_name(name, "uri"))
		return set_text(&link->uri, "uri", v, e);
	if (is_name(name, "ver"))
		return set_text(&link->ver, "ver", v, e);
	return ERR_OK;
}

static enum err_code
new_entry(struct lwm2m_links *l, struct lwm2m_path p, struct lwm2m_link_entry **out, struct err *e)
{
	if (l->n >= LWM2M_LINKS_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d links", lwm2m_path_str(p).s,
		    LWM2M_LINKS_MAX);
	struct lwm2m_link_entry *arr = grow(l->v, l->n, &l->cap, sizeof *arr);
	if (arr == NULL)
		return err_no_memory(e);
	l->v = arr;
	*out = &arr[l->n++];
	**out = (struct lwm2m_link_entry){ .path = p };
	return ERR_OK;
}

/* The root says the version of the enabler, and is no entry. */
static enum err_code
read_link(struct reader *r, struct lwm2m_links *l, bool *had_root, struct err *e)
{
	struct lwm2m_link_entry *link = NULL;
	struct lwm2m_path p;
	enum err_code rc = read_target(r, &p, e);

	if (rc != ERR_OK)
		return rc;
	if (p.depth != LWM2M_ROOT)
		rc = new_entry(l, p, &link, e);
	else if (*had_root)
		rc = err_set(e, ERR_INVALID, "/: is there twice");
	else
		*had_root = true;
	while (rc == ERR_OK && skip_char(r, ';')) {
		struct text name, value;

		rc = read_attribute(r, &name, &value, e);
		if (rc != ERR_OK)
			break;
		if (link != NULL)
			rc = set_attribute(link, &name, &value, e);
		else if (is_name(&name, "lwm2m"))
			rc = set_version(l, &value, e);
		if (rc != ERR_OK)
			(void)err_wrap(e, "%s", lwm2m_path_str(p).s);
	}
	return rc;
}

/* lwm2m="1.0" on no link at all: what 1.0 clients put first, although RFC 6690 has no such form. */
static enum err_code
read_bare_version(struct reader *r, struct lwm2m_links *l, struct err *e)
{
	struct text name, value;
	enum err_code rc = read_attribute(r, &name, &value, e);

	if (rc == ERR_OK && !is_name(&name, "lwm2m"))
		rc = err_set(e, ERR_PARSE, "octet 0: '<' is missing");
	return rc == ERR_OK ? set_version(l, &value, e) : rc;
}

static enum err_code
read_all(struct reader *r, struct lwm2m_links *l, struct err *e)
{
	bool first = true, had_root = false;
	enum err_code rc;

	do {
		skip_blanks(r);
		if (first && r->pos < r->n && is_alnum(r->s[r->pos]))
			rc = read_bare_version(r, l, e);
		else
			rc = read_link(r, l, &had_root, e);
		first = false;
	} while (rc == ERR_OK && skip_char(r, ','));
	if (rc == ERR_OK && r->pos < r->n)
		rc = err_set(e, ERR_PARSE, "octet %zu: ',' or ';' is missing", r->pos);
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	return lwm2m_path_cmp(a, b);
}

static bool
in_order(const struct lwm2m_links *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (lwm2m_path_cmp(&l->v[i - 1].path, &l->v[i].path) >= 0)
			return false;
	return true;
}

static enum err_code
check_unique(const struct lwm2m_links *l, struct err *e)
{
	struct lwm2m_path *paths;
	enum err_code rc = ERR_OK;

	if (in_order(l))
		return ERR_OK; /* as nearly every device lists them */
	paths = malloc(l->n * sizeof *paths);
	if (paths == NULL)
		return err_no_memory(e);
	for (size_t i = 0; i < l->n; i++)
		paths[i] = l->v[i].path;
	qsort(paths, l->n, sizeof *paths, by_path);
	for (size_t i = 1; rc == ERR_OK && i < l->n; i++)
		if (lwm2m_path_eq(&paths[i - 1], &paths[i]))
			rc = err_set(e, ERR_INVALID, "%s: is there twice",
			    lwm2m_path_str(paths[i]).s);
	free(paths);
	return rc;
}

enum err_code
lwm2m_links_parse(const char *s, size_t n, struct lwm2m_links *out, struct err *e)
{
	struct reader r = { .s = s, .n = n };
	char small[512]; /* for most lists */
	enum err_code rc;

	if (n == 0)
		return ERR_OK; /* no link is a list of links too */
	r.scratch = n <= sizeof small ? small : malloc(n);
	if (r.scratch == NULL)
		return err_no_memory(e);
	rc = read_all(&r, out, e);
	if (rc == ERR_OK)
		rc = check_unique(out, e);
	if (rc != ERR_OK)
		lwm2m_links_clear(out);
	if (r.scratch != small)
		free(r.scratch);
	return rc;
}

static void
put_quoted(struct gbuf *out, const char *name, const char *s)
{
	gbuf_u8(out, ';');
	gbuf_str(out, name);
	gbuf_str(out, "=\"");
	while (*s != '\0') {
		size_t plain = strcspn(s, "\"\\");

		gbuf_put(out, s, plain);
		s += plain;
		if (*s != '\0') {
			gbuf_u8(out, '\\');
			gbuf_u8(out, (uint8_t)*s++);
		}
	}
	gbuf_u8(out, '"');
}

static void
put_version(struct gbuf *out, const char *s)
{
	struct reader r = { .s = s, .n = strlen(s) };

	if (!read_token(&r).has || r.pos != r.n) {
		put_quoted(out, "ver", s);
		return;
	}
	gbuf_str(out, ";ver=");
	gbuf_put(out, s, r.n);
}

enum err_code
lwm2m_links_write(const struct lwm2m_links *l, struct gbuf *out, struct err *e)
{
	const char *open = "<";

	if (l->version[0] != '\0') {
		gbuf_str(out, "</>;lwm2m=");
		gbuf_str(out, l->version);
		open = ",<";
	}
	for (size_t i = 0; i < l->n; i++) {
		const struct lwm2m_link_entry *link = &l->v[i];

		gbuf_str(out, open);
		gbuf_str(out, lwm2m_path_str(link->path).s);
		gbuf_u8(out, '>');
		open = ",<";
		if (link->ssid != 0) {
			gbuf_str(out, ";ssid=");
			gbuf_u64(out, link->ssid);
		}
		if (link->uri != NULL)
			put_quoted(out, "uri", link->uri);
		if (link->ver != NULL)
			put_version(out, link->ver);
	}
	return gbuf_check(out, e);
}

static bool
copy_text(char **out, const char *s)
{
	*out = s == NULL ? NULL : str_dup_n(s, strlen(s));
	return s == NULL || *out != NULL;
}

enum err_code
lwm2m_links_add(struct lwm2m_links *l, struct lwm2m_path p, uint16_t ssid, const char *uri,
    const char *ver, struct err *e)
{
	struct lwm2m_link_entry link = { .path = p, .ssid = ssid }, *place;
	enum err_code rc;

	if (p.depth < LWM2M_OBJECT || p.depth > LWM2M_RESOURCE)
		return err_set(e, ERR_INVALID,
		    "%s: a link is of an Object, an Instance or a Resource", lwm2m_path_str(p).s);
	if (ssid > LWM2M_ID_MAX)
		return err_set(e, ERR_RANGE, "%s: ssid: must be 1..%d", lwm2m_path_str(p).s,
		    LWM2M_ID_MAX);
	if ((uri != NULL && !str_is_printable(uri, strlen(uri))) ||
	    (ver != NULL && !str_is_printable(ver, strlen(ver))))
		return err_set(e, ERR_INVALID, "%s: uri and ver must be printable UTF-8",
		    lwm2m_path_str(p).s);
	if (lwm2m_links_find(l, p) != NULL)
		return err_set(e, ERR_INVALID, "%s: is there twice", lwm2m_path_str(p).s);
	rc = copy_text(&link.uri, uri) && copy_text(&link.ver, ver) ? ERR_OK : err_no_memory(e);
	if (rc == ERR_OK)
		rc = new_entry(l, p, &place, e);
	if (rc == ERR_OK) {
		*place = link;
		return ERR_OK;
	}
	free(link.uri);
	free(link.ver);
	return rc;
}

void
lwm2m_links_clear(struct lwm2m_links *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free_some(l->v[i].uri);
		free_some(l->v[i].ver);
	}
	free_some(l->v);
	*l = (struct lwm2m_links){ 0 };
}

const struct lwm2m_link_entry *
lwm2m_links_find(const struct lwm2m_links *l, struct lwm2m_path p)
{
	for (size_t i = 0; i < l->n; i++)
		if (lwm2m_path_eq(&l->v[i].path, &p))
			return &l->v[i];
	return NULL;
}
