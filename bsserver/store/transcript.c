#include "bsserver/store/transcript.h"

#include <string.h>

#define VERSION 1

enum flags { REMARK = 1, UPLINK = 2, FORMAT = 4, TEXT = 8, ALL_FLAGS = 15 };

/* One entry without its text: flags, 8 numbers of at most 5 octets, the path. */
#define HEAD_MAX (1 + 8 * 5 + sizeof((struct bs_entry *)0)->path)

static void
put_number(struct wbuf *w, uint32_t v)
{
	uint8_t octets[5];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		octets[n++] = (uint8_t)(v | 0x80);
	octets[n++] = (uint8_t)v;
	wbuf_put(w, octets, n);
}

static void
put_exchange(struct wbuf *w, const struct bs_entry *v)
{
	size_t path_len = strlen(v->path);

	put_number(w, v->method);
	put_number(w, v->code);
	put_number(w, v->sent);
	put_number(w, v->received);
	if (v->format >= 0)
		put_number(w, (uint32_t)v->format);
	put_number(w, (uint32_t)path_len);
	wbuf_put(w, v->path, path_len);
}

static void
pack_entry(const struct bs_entry *v, struct gbuf *out)
{
	uint8_t head[HEAD_MAX];
	struct wbuf w = wbuf_make(head, sizeof head);
	unsigned flags = (v->remark ? REMARK : 0) | (v->text != NULL ? TEXT : 0);

	if (!v->remark)
		flags |= (v->uplink ? UPLINK : 0) | (v->format >= 0 ? FORMAT : 0);
	put_number(&w, flags);
	put_number(&w, v->step);
	put_number(&w, v->at_ms);
	if (!v->remark)
		put_exchange(&w, v);
	size_t len = v->text == NULL ? 0 : strlen(v->text);
	if (v->text != NULL)
		put_number(&w, (uint32_t)len);
	gbuf_put(out, head, w.len);
	if (len > 0)
		gbuf_put(out, v->text, len);
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
