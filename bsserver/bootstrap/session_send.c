#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bsserver/bootstrap/session_internal.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"

#define SECRET_MIN 4 /* octets: shorter ones are found everywhere */

void
bs_send_request(struct bs_session *s, enum bs_step step, const struct bs_send *req, uint32_t now_ms,
    struct bs_action *act)
{
	act->type = BS_ACT_SEND;
	act->send = *req;
	act->send.timeout_ms = s->grant.desired.request_timeout_ms;
	s->exchange = (struct bs_entry){
		.at_ms = now_ms,
		.step = step,
		.method = req->method,
		.format = req->format,
		.sent = (uint32_t)req->payload_len,
	};
	static const struct lwm2m_path_str bs = { .s = "/bs" };
	struct lwm2m_path_str path = req->finish ? bs : lwm2m_path_str(req->path);

	memcpy(s->exchange.path, path.s, sizeof path.s);
	s->rec.exchanges++;
}

static bool
has(const char *text, size_t len, const void *form, size_t n)
{
	return n <= len && memmem(text, len, form, n) != NULL;
}

/* clang-format off */
/* The digits of base64 and base64url; those of hex are among them. */
static const bool is_digit64[UINT8_MAX + 1] = {
	['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
	['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1,
	['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1,
	['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1,
	['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1,
	['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1,
	['y'] = 1, ['z'] = 1, ['+'] = 1, ['/'] = 1, ['-'] = 1, ['_'] = 1,
};
/* clang-format on */

/* The longest run of them. */
static size_t
longest_run(const char *text, size_t len)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < len; i++) {
		run = is_digit64[(uint8_t)text[i]] ? run + 1 : 0;
		longest = MAX(longest, run);
	}
	return longest;
}

/*
 * As its octets, in hex, base64 or base64url (the two differ in signs that are looked for apart). Few
 * texts have a run of digits that could be one of the last three: run is the longest.
 */
static bool
tells(const char *text, size_t len, size_t run, const struct secret *key)
{
	static void (*const forms[])(struct gbuf *, const void *, size_t) = { enc_hex, enc_base64, enc_base64url };
	struct gbuf g = { 0 };
	bool found = has(text, len, key->data, key->len);

	for (size_t i = 0; i < N_ELEMS(forms) && !found && run >= (4 * key->len + 2) / 3; i++) {
		gbuf_reset(&g);
		forms[i](&g, key->data, key->len);
		while (g.len > 0 && g.data[g.len - 1] == '=')
			g.len--;
		found = has(text, len, g.data, g.len);
	}
	gbuf_clear(&g);
	return found;
}

/* A device may repeat what it was sent: in a diagnostic message, a list, a value that can be read. */
static bool
tells_secret(const struct bs_session *s, const char *text, size_t len)
{
	const struct lwm2m_tree *t = &s->grant.desired.tree;
	size_t run = longest_run(text, len);

	for (size_t i = 0; i < t->n; i++) {
		const struct lwm2m_node *n = &t->nodes[i];
		const struct lwm2m_res_def *def = NULL;

		if (!lwm2m_type_has_bytes(n->value.type) || n->value.bytes.len < SECRET_MIN ||
		    n->value.bytes.len > len)
			continue;
		def = lwm2m_model_resource(s->model, n->path.id[0], n->path.id[2]);
		if (def != NULL && def->secret && tells(text, len, run, &n->value.bytes))
			return true;
	}
	return false;
}

void
bs_note_answer(struct bs_session *s, const struct bs_event *ev, const char *text, size_t len)
{
	char instead[64];

	if (ev->type == BS_EV_RESPONSE) {
		s->exchange.code = ev->code;
		s->exchange.received = (uint32_t)ev->payload_len;
		if (ev->payload_len > 0 && len > 0 && tells_secret(s, text, len)) {
			(void)snprintf(instead, sizeof instead, "%zu octets that repeat a secret", ev->payload_len);
			text = instead;
			len = strlen(instead);
		}
	}
	(void)bs_record_add(&s->rec, &s->exchange, text, len);
	gbuf_reset(&s->note);
}

void
bs_note_payload(struct bs_session *s, const struct bs_event *ev)
{
	const char *p = (const char *)ev->payload;

	if (ev->type != BS_EV_RESPONSE || ev->payload_len == 0)
		bs_note_answer(s, ev, NULL, 0);
	else if (str_is_utf8(p, ev->payload_len))
		bs_note_answer(s, ev, p, ev->payload_len);
	else {
		gbuf_reset(&s->note);
		gbuf_printf(&s->note, "%zu octets that are not text", ev->payload_len);
		bs_note_answer(s, ev, gbuf_cstr(&s->note), s->note.len);
	}
}

void
bs_remark(struct bs_session *s, enum bs_step step, uint32_t now_ms, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	bs_remark_text(s, step, now_ms, text, strlen(text));
}

void
bs_remark_text(struct bs_session *s, enum bs_step step, uint32_t now_ms, const char *text, size_t len)
{
	const struct bs_entry entry = { .at_ms = now_ms, .remark = true, .step = step, .format = -1 };

	(void)bs_record_add(&s->rec, &entry, text, len);
}

void
bs_remark_lines(struct bs_session *s, enum bs_step step, uint32_t now_ms, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		bs_remark_text(s, step, now_ms, text, n);
		text += text[n] == '\n' ? n + 1 : n;
	}
}

void
bs_note_values(struct bs_session *s, struct lwm2m_span span, struct lwm2m_path base)
{
	size_t skip = base.depth > 0 ? strlen(lwm2m_path_str(base).s) : 0;

	for (size_t i = 0; i < span.n; i++) {
		const struct lwm2m_node *n = &span.nodes[i];
		const struct lwm2m_res_def *def = NULL;

		if (n->path.depth < LWM2M_RESOURCE)
			continue;
		if (s->note.len > 0)
			gbuf_u8(&s->note, ' ');
		gbuf_str(&s->note, lwm2m_path_str(n->path).s + skip);
		gbuf_u8(&s->note, '=');
		if (lwm2m_type_has_bytes(n->value.type))
			def = lwm2m_model_resource(s->model, n->path.id[0], n->path.id[2]);
		if (lwm2m_type_has_bytes(n->value.type) && (def == NULL || def->secret)) {
			gbuf_u64(&s->note, n->value.bytes.len);
			gbuf_str(&s->note, " bytes");
		} else
			lwm2m_value_print(&s->note, &n->value);
	}
}
