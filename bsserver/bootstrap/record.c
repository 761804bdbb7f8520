#include "bsserver/bootstrap/record.h"

#include <stdlib.h>
#include <string.h>

#include "bsserver/bootstrap/record_json.h"
#include "lib/base/str.h"
#include "lib/base/util.h"

static const char *const verdict_names[] = {
	[BS_VERDICT_NONE] = "running",
	[BS_VERDICT_PROVISIONED] = "provisioned",
	[BS_VERDICT_WRITTEN] = "written",
	[BS_VERDICT_FAILED] = "failed",
	[BS_VERDICT_REFUSED] = "refused",
	[BS_VERDICT_CANCELLED] = "cancelled",
};
_Static_assert(N_ELEMS(verdict_names) == BS_VERDICT__COUNT, "one name per verdict");

static const char *const step_names[] = {
	[BS_STEP_NONE] = "none",
	[BS_STEP_REQUEST] = "request",
	[BS_STEP_LOOKUP] = "lookup",
	[BS_STEP_VET] = "vet",
	[BS_STEP_REPLY] = "reply",
	[BS_STEP_DISCOVER] = "discover",
	[BS_STEP_READ] = "read",
	[BS_STEP_PLAN] = "plan",
	[BS_STEP_KEEP] = "keep",
	[BS_STEP_HANDOFF] = "handoff",
	[BS_STEP_DELETE] = "delete",
	[BS_STEP_WRITE] = "write",
	[BS_STEP_VERIFY] = "verify",
	[BS_STEP_FINISH] = "finish",
};
_Static_assert(N_ELEMS(step_names) == BS_STEP__COUNT, "one name per step");

static const char *const method_names[] = {
	[BS_POST] = "POST",
	[BS_GET] = "GET",
	[BS_PUT] = "PUT",
	[BS_DELETE] = "DELETE",
};

static const char *
name_at(const char *const *names, size_t n, size_t i)
{
	return i < n ? names[i] : "unknown";
}

const char *
bs_verdict_name(enum bs_verdict v)
{
	return name_at(verdict_names, N_ELEMS(verdict_names), (size_t)v);
}

const char *
bs_step_name(enum bs_step s)
{
	return name_at(step_names, N_ELEMS(step_names), (size_t)s);
}

const char *
bs_method_name(enum bs_method m)
{
	return name_at(method_names, N_ELEMS(method_names), (size_t)m);
}

bool
bs_verdict_from_name(const char *s, enum bs_verdict *out)
{
	for (size_t i = 0; i < N_ELEMS(verdict_names); i++) {
		if (strcmp(s, verdict_names[i]) == 0) {
			*out = (enum bs_verdict)i;
			return true;
		}
	}
	return false;
}

void
bs_code_str(uint8_t code, char out[5])
{
	out[0] = (char)('0' + (code >> 5));
	out[1] = '.';
	out[2] = (char)('0' + (code & 31) / 10);
	out[3] = (char)('0' + (code & 31) % 10);
	out[4] = 0;
}

/* Texts lie one behind the other in a few blocks: they come one by one, and go all at once. */
struct bs_texts {
	struct bs_texts *next;
	size_t used, cap;
	char s[];
};

#define TEXTS_CAP 1000

/* Room for n octets; NULL when memory is short. */
static char *
room_for_text(struct bs_record *r, size_t n)
{
	struct bs_texts *t = r->texts;

	if (t == NULL || t->cap - t->used < n) {
		size_t cap = MAX(n, (size_t)TEXTS_CAP);

		t = malloc(sizeof *t + cap);
		if (t == NULL)
			return NULL;
		t->next = r->texts;
		t->used = 0;
		t->cap = cap;
		r->texts = t;
	}
	t->used += n;
	return t->s + t->used - n;
}

void
bs_record_clear(struct bs_record *r)
{
	while (r->texts != NULL) {
		struct bs_texts *next = r->texts->next;

		free_some(r->texts);
		r->texts = next;
	}
	free_some(r->entries);
	free_some(r->endpoint);
	free_some(r->peer);
	free_some(r->credential);
	free_some(r->rule);
	free_some(r->profile);
	free_some(r->fingerprints);
	free_some(r->detail);
	free_some(r->unconfirmed);
	free_some(r->placed);
	free_some(r->expiries);
	free_some(r->anchor);
	free_some(r->given);
	bs_held_clear(&r->found);
	bs_held_clear(&r->held);
	bs_findings_clear(&r->findings);
	*r = (struct bs_record){ .used_format = -1 };
}

/* The length at most max that does not cut a UTF-8 character in two. */
static size_t
cut_at(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	size_t n = max;
	for (int back = 0; back < 3 && n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80; back++)
		n--;
	return n;
}

static bool
set_text(struct bs_record *r, struct bs_entry *entry, const char *text, size_t len)
{
	size_t n = cut_at(text, len, BS_ENTRY_TEXT_MAX);

	if (n > BS_TRANSCRIPT_TEXT_MAX - r->text_total)
		return true; /* the exchange is kept, its text is not */
	entry->text = room_for_text(r, n + 1);
	if (entry->text == NULL)
		return false;
	memcpy(entry->text, text, n);
	entry->text[n] = '\0';
	entry->text_len = (uint32_t)n;
	for (char *nul = entry->text; (nul = memchr(nul, 0, n - (size_t)(nul - entry->text))) != NULL;)
		*nul = '?';
	r->text_total += n;
	return true;
}

/* Sixteen at first: what a session of one server account needs. */
static struct bs_entry *
room_for_entry(struct bs_record *r)
{
	if (r->entries == NULL) {
		r->entries = malloc(16 * sizeof *r->entries);
		r->cap_entries = r->entries == NULL ? 0 : 16;
		return r->entries;
	}
	return grow(r->entries, r->n_entries, &r->cap_entries, sizeof *r->entries);
}

struct bs_entry *
bs_record_add(struct bs_record *r, const struct bs_entry *entry, const char *text, size_t len)
{
	struct bs_entry *v = NULL;

	if (r->n_entries < BS_TRANSCRIPT_MAX)
		v = room_for_entry(r);
	if (v == NULL) {
		r->entries_dropped++;
		return NULL;
	}
	r->entries = v;
	v += r->n_entries;
	*v = *entry;
	v->text = NULL;
	v->text_len = 0;
	if (text != NULL && !set_text(r, v, text, len)) {
		r->entries_dropped++;
		return NULL;
	}
	r->n_entries++;
	return v;
}

/* Text that is known to need no escape. */
static void
put(struct gbuf *out, const char *s)
{
	gbuf_put(out, s, strlen(s));
}

static void
put_number(struct gbuf *out, uint32_t v)
{
	char digits[10];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	gbuf_put(out, digits + at, sizeof digits - at);
}

/* Octets of the well-formed UTF-8 character at p (RFC 3629), 0 when there is none. */
static size_t
utf8_len(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	return n <= left && str_is_utf8(p, n) ? n : 0;
}

static void
put_escaped(struct gbuf *out, const uint8_t *p, size_t *i, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t c = p[*i];

	if (c == '"' || c == '\\') {
		gbuf_put(out, (const char[]){ '\\', (char)c }, 2);
	} else if (c == '\n') {
		put(out, "\\n");
	} else if (c < 0x20) {
		gbuf_put(out, (const char[]){ '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] }, 6);
	} else {
		size_t n = utf8_len(p + *i, len - *i);
		if (n == 0)
			put(out, "\\ufffd");
		else
			gbuf_put(out, p + *i, n);
		*i += n == 0 ? 1 : n;
		return;
	}
	++*i;
}

void
bs_json_string(struct gbuf *out, const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t len = strlen(s), i = 0;

	put(out, "\"");
	while (i < len) {
		size_t plain = i;
		while (plain < len && p[plain] >= 0x20 && p[plain] < 0x80 && p[plain] != '"' && p[plain] != '\\')
			plain++;
		if (plain > i)
			gbuf_put(out, p + i, plain - i);
		i = plain;
		if (i < len)
			put_escaped(out, p, &i, len);
	}
	put(out, "\"");
}

static void
put_exchange(struct gbuf *out, const struct bs_entry *v)
{
	char code[5];

	put(out, "\",\"method\":\"");
	put(out, bs_method_name(v->method));
	put(out, "\",\"path\":");
	bs_json_string(out, v->path);
	bs_code_str(v->code, code);
	put(out, v->code == 0 ? ",\"code\":null" : ",\"code\":\"");
	if (v->code != 0) {
		put(out, code);
		put(out, "\"");
	}
	if (v->uplink)
		put(out, ",\"uplink\":true");
	if (v->format >= 0) {
		put(out, ",\"format\":");
		put_number(out, (uint32_t)v->format);
	}
	put(out, ",\"sent\":");
	put_number(out, v->sent);
	put(out, ",\"received\":");
	put_number(out, v->received);
	if (v->text != NULL) {
		put(out, ",\"text\":");
		bs_json_string(out, v->text);
	}
}

void
bs_record_transcript_json(const struct bs_record *r, struct gbuf *out)
{
	put(out, "[");
	for (size_t i = 0; i < r->n_entries; i++) {
		const struct bs_entry *v = &r->entries[i];

		put(out, i == 0 ? "{\"at_ms\":" : ",{\"at_ms\":");
		put_number(out, v->at_ms);
		put(out, ",\"step\":\"");
		put(out, bs_step_name(v->step));
		if (v->remark) {
			put(out, "\",\"remark\":");
			bs_json_string(out, v->text == NULL ? "" : v->text);
		} else {
			put_exchange(out, v);
		}
		put(out, "}");
	}
	put(out, "]");
}
