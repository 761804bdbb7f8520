#include "bsserver/store/transcript.h"

#include <string.h>

#define VERSION 1

enum flags { REMARK = 1, UPLINK = 2, FORMAT = 4, TEXT = 8, ALL_FLAGS = 15 };

/* One entry without its text: 10 numbers of at most 5 octets, the path. */
#define HEAD_MAX (50 + sizeof((struct bs_entry *)0)->path)

/* These write where there is room, and give the place behind. */
static uint8_t *
put_number(uint8_t *at, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (uint8_t)(v | 0x80);
	*at++ = (uint8_t)v;
	return at;
}

static uint8_t *
put_string(uint8_t *at, const char *s, size_t n)
{
	at = put_number(at, (uint32_t)n);
	memcpy(at, s, n);
	return at + n;
}

static uint8_t *
put_exchange(uint8_t *at, const struct bs_entry *v)
{
	at = put_number(at, v->method);
	at = put_number(at, v->code);
	at = put_number(at, v->sent);
	at = put_number(at, v->received);
	if (v->format >= 0)
		at = put_number(at, (uint32_t)v->format);
	return put_string(at, v->path, strlen(v->path));
}

static void
pack_entry(const struct bs_entry *v, struct gbuf *out)
{
	unsigned flags = (v->remark ? REMARK : 0) | (v->text != NULL ? TEXT : 0);
	size_t len = v->text == NULL ? 0 : v->text_len;

	if (!gbuf_room(out, HEAD_MAX + len))
		return;
	uint8_t *at = out->data + out->len;
	if (!v->remark)
		flags |= (v->uplink ? UPLINK : 0) | (v->format >= 0 ? FORMAT : 0);
	at = put_number(at, flags);
	at = put_number(at, v->step);
	at = put_number(at, v->at_ms);
	if (!v->remark)
		at = put_exchange(at, v);
	if (v->text != NULL)
		at = put_string(at, v->text, len);
	*at = 0;
	out->len = (size_t)(at - out->data);
}

void
transcript_pack(const struct bs_record *r, struct gbuf *out)
{
	gbuf_u8(out, VERSION);
	for (size_t i = 0; i < r->n_entries; i++)
		pack_entry(&r->entries[i], out);
}

/* Within 0..max; anything else overruns. */
static uint32_t
get_number(struct rbuf *in, uint32_t max)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint8_t b = rbuf_u8(in);
		v |= (uint64_t)(b & 0x7f) << shift;
		if ((b & 0x80) != 0)
			continue;
		if (v > max || (b == 0 && shift > 0))
			break; /* too much, or not the shortest form */
		return (uint32_t)v;
	}
	in->overrun = true;
	return 0;
}

static const char *
get_string(struct rbuf *in, size_t max, size_t *len)
{
	*len = get_number(in, (uint32_t)max);
	const uint8_t *p = rbuf_take(in, *len);

	if (p != NULL && *len > 0 && memchr(p, 0, *len) != NULL)
		in->overrun = true;
	return in->overrun ? NULL : (const char *)p;
}

static void
get_exchange(struct rbuf *in, unsigned flags, struct bs_entry *v)
{
	size_t len;

	v->uplink = (flags & UPLINK) != 0;
	v->method = (enum bs_method)get_number(in, BS_DELETE);
	v->code = (uint8_t)get_number(in, UINT8_MAX);
	v->sent = get_number(in, UINT32_MAX);
	v->received = get_number(in, UINT32_MAX);
	if ((flags & FORMAT) != 0)
		v->format = (int)get_number(in, INT32_MAX);
	const char *path = get_string(in, sizeof v->path - 1, &len);
	if (path != NULL && len > 0)
		memcpy(v->path, path, len);
}

static bool
unpack_entry(struct rbuf *in, struct bs_record *r)
{
	struct bs_entry v = { .format = -1 };
	const char *text = NULL;
	size_t len = 0;
	unsigned flags = get_number(in, ALL_FLAGS);

	v.remark = (flags & REMARK) != 0;
	if (v.remark && (flags & (UPLINK | FORMAT)) != 0)
		return false;
	v.step = (enum bs_step)get_number(in, BS_STEP__COUNT - 1);
	v.at_ms = get_number(in, UINT32_MAX);
	if (!v.remark)
		get_exchange(in, flags, &v);
	if ((flags & TEXT) != 0)
		text = get_string(in, BS_ENTRY_TEXT_MAX, &len);
	if (in->overrun)
		return false;
	const struct bs_entry *added = bs_record_add(r, &v, text, len);
	return added != NULL && (added->text != NULL) == (text != NULL);
}

enum err_code
transcript_unpack(const void *p, size_t n, struct bs_record *r, struct err *e)
{
	struct rbuf in = rbuf_make(p, n);
	uint8_t version = rbuf_u8(&in);

	if (in.overrun || version != VERSION)
		return err_set(e, ERR_PARSE, "transcript: version %u, not %d", version, VERSION);
	while (rbuf_left(&in) > 0) {
		size_t at = in.pos;
		if (!unpack_entry(&in, r))
			return err_set(e, ERR_PARSE, "transcript: entry %zu, at octet %zu: not well-formed", r->n_entries, at);
	}
	return ERR_OK;
}
