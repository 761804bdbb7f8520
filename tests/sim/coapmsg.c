#include "tests/sim/coapmsg.h"

#include <stdio.h>

/* A nibble of an option header, with its extension (RFC 7252 section 3.1). */
static bool
option_number(struct rbuf *r, unsigned nibble, uint32_t *out)
{
	switch (nibble) {
	case 13:
		*out = 13U + rbuf_u8(r);
		return !r->overrun;
	case 14:
		*out = 269U + (uint32_t)rbuf_be(r, 2);
		return !r->overrun;
	case 15:
		return false;
	default:
		*out = nibble;
		return true;
	}
}

static enum err_code
parse_option(struct coapmsg *m, struct rbuf *r, uint8_t head, uint32_t *number, struct err *e)
{
	uint32_t delta = 0, len = 0;
	if (!option_number(r, head >> 4, &delta) || !option_number(r, head & 15, &len))
		return err_set(e, ERR_PARSE, "option %zu: bad header", m->n_opt + 1);
	*number += delta;
	if (*number > UINT16_MAX)
		return err_set(e, ERR_PARSE, "option %zu: number %u", m->n_opt + 1, *number);
	const uint8_t *v = rbuf_take(r, len);
	if (v == NULL)
		return err_set(e, ERR_PARSE, "option %u: cut off", *number);
	if (m->n_opt == CM_OPTIONS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d options", CM_OPTIONS_MAX);
	m->opt[m->n_opt++] = (struct coapmsg_option){
		.number = (uint16_t)*number, .len = (uint16_t)len, .value = v
	};
	return ERR_OK;
}

static enum err_code
parse_header(struct coapmsg *m, struct rbuf *r, struct err *e)
{
	uint8_t first = rbuf_u8(r);
	m->code = rbuf_u8(r);
	m->mid = (uint16_t)rbuf_be(r, 2);
	m->type = (enum coapmsg_type)(first >> 4 & 3);
	m->token_len = first & 15;
	if (r->overrun || first >> 6 != 1)
		return err_set(e, ERR_PARSE, "header: not CoAP version 1");
	if (m->token_len > sizeof m->token)
		return err_set(e, ERR_PARSE, "header: token of %u octets", m->token_len);
	const uint8_t *token = rbuf_take(r, m->token_len);
	if (token == NULL)
		return err_set(e, ERR_PARSE, "header: token cut off");
	memcpy(m->token, token, m->token_len);
	if (m->code == CM_EMPTY && (m->token_len > 0 || rbuf_left(r) > 0))
		return err_set(e, ERR_PARSE, "an empty message with more than a header");
	return ERR_OK;
}

enum err_code
coapmsg_parse(struct coapmsg *m, const uint8_t *p, size_t n, struct err *e)
{
	m->n_opt = 0;
	m->payload = NULL;
	m->payload_len = 0;
	struct rbuf r = rbuf_make(p, n);
	enum err_code rc = parse_header(m, &r, e);
	uint32_t number = 0;
	while (rc == ERR_OK && rbuf_left(&r) > 0) {
		uint8_t head = rbuf_u8(&r);
		if (head != 0xff) {
			rc = parse_option(m, &r, head, &number, e);
			continue;
		}
		m->payload_len = rbuf_left(&r);
		m->payload = rbuf_take(&r, m->payload_len);
		if (m->payload_len == 0)
			rc = err_set(e, ERR_PARSE, "payload: a marker and nothing behind it");
	}
	return rc;
}

static unsigned
nibble_of(uint32_t v)
{
	return v < 13 ? v : v < 269 ? 13 : 14;
}

static void
put_extension(struct gbuf *out, uint32_t v)
{
	if (v >= 269)
		gbuf_be(out, v - 269, 2);
	else if (v >= 13)
		gbuf_u8(out, (uint8_t)(v - 13));
}

void
coapmsg_write(const struct coapmsg *m, struct gbuf *out)
{
	gbuf_u8(out, (uint8_t)(1 << 6 | (unsigned)m->type << 4 | m->token_len));
	gbuf_u8(out, m->code);
	gbuf_be(out, m->mid, 2);
	gbuf_put(out, m->token, m->token_len);
	uint32_t last = 0;
	for (size_t i = 0; i < m->n_opt; i++) {
		const struct coapmsg_option *o = &m->opt[i];
		uint32_t delta = o->number - last;
		last = o->number;
		gbuf_u8(out, (uint8_t)(nibble_of(delta) << 4 | nibble_of(o->len)));
		put_extension(out, delta);
		put_extension(out, o->len);
		gbuf_put(out, o->value, o->len);
	}
	if (m->payload_len > 0) {
		gbuf_u8(out, 0xff);
		gbuf_put(out, m->payload, m->payload_len);
	}
}

void
coapmsg_init(struct coapmsg *m, enum coapmsg_type type, uint8_t code, uint16_t mid,
    const uint8_t *token, size_t token_len)
{
	m->type = type;
	m->code = code;
	m->mid = mid;
	m->token_len = (uint8_t)token_len;
	if (token_len > 0)
		memcpy(m->token, token, token_len);
	m->n_opt = 0;
	m->payload = NULL;
	m->payload_len = 0;
}

void
coapmsg_add(struct coapmsg *m, uint16_t number, const void *value, size_t len)
{
	if (m->n_opt == CM_OPTIONS_MAX)
		return;
	size_t at = m->n_opt++;
	for (; at > 0 && m->opt[at - 1].number > number; at--)
		m->opt[at] = m->opt[at - 1];
	m->opt[at] =
	    (struct coapmsg_option){ .number = number, .len = (uint16_t)len, .value = value };
}

void
coapmsg_add_str(struct coapmsg *m, uint16_t number, const char *s)
{
	coapmsg_add(m, number, s, strlen(s));
}

void
coapmsg_add_uint(struct coapmsg *m, uint16_t number, uint32_t v)
{
	if (m->n_opt == CM_OPTIONS_MAX)
		return;
	uint8_t *room = m->numbers[m->n_opt];
	size_t n = 0;
	for (int shift = 24; shift >= 0; shift -= 8)
		if (n > 0 || v >> shift != 0)
			room[n++] = (uint8_t)(v >> shift);
	coapmsg_add(m, number, room, n);
}

void
coapmsg_add_block(struct coapmsg *m, uint16_t number, struct coapmsg_block b)
{
	coapmsg_add_uint(m, number, b.num << 4 | (b.more ? 8U : 0U) | b.szx);
}

void
coapmsg_add_path(struct coapmsg *m, const char *path)
{
	while (*path == '/') {
		size_t n = strcspn(++path, "/");
		if (n > 0)
			coapmsg_add(m, CM_OPT_URI_PATH, path, n);
		path += n;
	}
}

const struct coapmsg_option *
coapmsg_find(const struct coapmsg *m, uint16_t number)
{
	for (size_t i = 0; i < m->n_opt; i++)
		if (m->opt[i].number == number)
			return &m->opt[i];
	return NULL;
}

uint32_t
coapmsg_uint(const struct coapmsg *m, uint16_t number, uint32_t absent)
{
	const struct coapmsg_option *o = coapmsg_find(m, number);
	if (o == NULL || o->len > 4)
		return absent;
	struct rbuf r = rbuf_make(o->value, o->len);
	return o->len == 0 ? 0 : (uint32_t)rbuf_be(&r, o->len);
}

bool
coapmsg_block(const struct coapmsg *m, uint16_t number, struct coapmsg_block *out)
{
	const struct coapmsg_option *o = coapmsg_find(m, number);
	if (o == NULL || o->len > 3)
		return false;
	uint32_t v = coapmsg_uint(m, number, 0);
	*out = (struct coapmsg_block){ .num = v >> 4, .more = (v & 8) != 0, .szx = v & 7 };
	return out->szx < 7;
}

static bool
plain_segment(const struct coapmsg_option *o)
{
	for (size_t i = 0; i < o->len; i++)
		if (o->value[i] <= ' ' || o->value[i] > '~' || o->value[i] == '/')
			return false;
	return true;
}

void
coapmsg_path(const struct coapmsg *m, struct gbuf *out)
{
	bool any = false;
	for (size_t i = 0; i < m->n_opt; i++) {
		const struct coapmsg_option *o = &m->opt[i];
		if (o->number != CM_OPT_URI_PATH)
			continue;
		any = true;
		gbuf_u8(out, '/');
		if (plain_segment(o))
			gbuf_put(out, o->value, o->len);
		else
			gbuf_u8(out, '?');
	}
	if (!any)
		gbuf_u8(out, '/');
}

uint16_t
coapmsg_unknown_critical(const struct coapmsg *m)
{
	static const uint16_t known[] = { CM_OPT_URI_HOST, CM_OPT_URI_PORT, CM_OPT_URI_PATH,
		CM_OPT_URI_QUERY, CM_OPT_ACCEPT, CM_OPT_BLOCK1, CM_OPT_BLOCK2 };
	for (size_t i = 0; i < m->n_opt; i++) {
		bool found = (m->opt[i].number & 1) == 0;
		for (size_t k = 0; k < N_ELEMS(known) && !found; k++)
			found = known[k] == m->opt[i].number;
		if (!found)
			return m->opt[i].number;
	}
	return 0;
}

struct coapmsg_code_str
coapmsg_code_str(uint8_t code)
{
	struct coapmsg_code_str out;
	(void)snprintf(out.s, sizeof out.s, "%u.%02u", code >> 5, code & 31U);
	return out;
}

uint8_t
coapmsg_code_parse(const char *s)
{
	size_t n = strlen(s);
	const char *detail = n == 4 && s[1] == '.' ? s + 2 : n == 3 ? s + 1 : NULL;
	if (detail == NULL || s[0] < '2' || s[0] > '5' || detail[0] < '0' || detail[0] > '3' ||
	    detail[1] < '0' || detail[1] > '9')
		return 0;
	int d = (detail[0] - '0') * 10 + detail[1] - '0';
	return d > 31 ? 0 : (uint8_t)((unsigned)(s[0] - '0') << 5 | (unsigned)d);
}

enum coapmsg_body_state
coapmsg_body_add(
    struct coapmsg_body *b, const struct coapmsg *m, struct coapmsg_block block, size_t max)
{
	struct gbuf path = { .max = 256 };
	coapmsg_path(m, &path);
	bool same = b->code == m->code && path.len == b->path.len &&
	            memcmp(gbuf_cstr(&path), gbuf_cstr(&b->path), path.len) == 0;
	enum coapmsg_body_state state = block.more ? CM_BODY_MORE : CM_BODY_WHOLE;
	if (block.num == 0) {
		coapmsg_body_clear(b);
		b->code = m->code;
		b->path = path;
		path = (struct gbuf){ 0 };
	} else if (!same || b->bytes.len != block.num * CM_BLOCK_SIZE(block.szx)) {
		state = CM_BODY_GAP;
	}
	if (block.more && m->payload_len != CM_BLOCK_SIZE(block.szx))
		state = CM_BODY_GAP;
	if (b->bytes.len + m->payload_len > max)
		state = CM_BODY_TOO_LARGE;
	if (state == CM_BODY_GAP || state == CM_BODY_TOO_LARGE)
		coapmsg_body_clear(b);
	else
		gbuf_put(&b->bytes, m->payload, m->payload_len);
	gbuf_clear(&path);
	return state;
}

void
coapmsg_body_clear(struct coapmsg_body *b)
{
	gbuf_clear(&b->bytes);
	gbuf_clear(&b->path);
	b->code = 0;
}
