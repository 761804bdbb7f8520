#include "lib/lwm2m/cbor_io.h"

#include <cbor.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG_EPOCH 1
#define TAG_DECIMAL 4

static const char *const kind_names[CBR__KINDS] = {
	[CBR_UINT] = "an integer",
	[CBR_NEGINT] = "an integer",
	[CBR_BYTES] = "a byte string",
	[CBR_TEXT] = "a text string",
	[CBR_ARRAY] = "an array",
	[CBR_MAP] = "a map",
	[CBR_TAG] = "a tag",
	[CBR_FLOAT] = "a float",
	[CBR_BOOL] = "a boolean",
	[CBR_NULL] = "null",
	[CBR_UNDEFINED] = "undefined",
	[CBR_BREAK] = "a break",
};

/* libcbor calls one of these per item. */
static void
set(void *item, enum cbr_kind kind, uint64_t n)
{
	struct cbr_item *it = item;

	it->kind = kind;
	it->n = n;
}

static void
on_uint8(void *item, uint8_t n)
{
	set(item, CBR_UINT, n);
}

static void
on_uint16(void *item, uint16_t n)
{
	set(item, CBR_UINT, n);
}

static void
on_uint32(void *item, uint32_t n)
{
	set(item, CBR_UINT, n);
}

static void
on_uint64(void *item, uint64_t n)
{
	set(item, CBR_UINT, n);
}

static void
on_negint8(void *item, uint8_t n)
{
	set(item, CBR_NEGINT, n);
}

static void
on_negint16(void *item, uint16_t n)
{
	set(item, CBR_NEGINT, n);
}

static void
on_negint32(void *item, uint32_t n)
{
	set(item, CBR_NEGINT, n);
}

static void
on_negint64(void *item, uint64_t n)
{
	set(item, CBR_NEGINT, n);
}

static void
set_string(void *item, enum cbr_kind kind, const uint8_t *p, size_t n)
{
	set(item, kind, n);
	((struct cbr_item *)item)->p = p;
}

static void
on_bytes(void *item, const unsigned char *p, size_t n)
{
	set_string(item, CBR_BYTES, p, n);
}

static void
on_text(void *item, const unsigned char *p, size_t n)
{
	set_string(item, CBR_TEXT, p, n);
}

static void
set_indefinite(void *item, enum cbr_kind kind)
{
	set(item, kind, 0);
	((struct cbr_item *)item)->indefinite = true;
}

static void
on_bytes_pieces(void *item)
{
	set_indefinite(item, CBR_BYTES);
}

static void
on_text_pieces(void *item)
{
	set_indefinite(item, CBR_TEXT);
}

static void
on_array(void *item, size_t n)
{
	set(item, CBR_ARRAY, n);
}

static void
on_open_array(void *item)
{
	set_indefinite(item, CBR_ARRAY);
}

static void
on_map(void *item, size_t n)
{
	set(item, CBR_MAP, n);
}

static void
on_open_map(void *item)
{
	set_indefinite(item, CBR_MAP);
}

static void
on_tag(void *item, uint64_t n)
{
	set(item, CBR_TAG, n);
}

static void
on_double(void *item, double f)
{
	set(item, CBR_FLOAT, 0);
	((struct cbr_item *)item)->f = f;
}

static void
on_float(void *item, float f)
{
	on_double(item, (double)f);
}

static void
on_bool(void *item, bool b)
{
	set(item, CBR_BOOL, b);
}

static void
on_null(void *item)
{
	set(item, CBR_NULL, 0);
}

static void
on_undefined(void *item)
{
	set(item, CBR_UNDEFINED, 0);
}

static void
on_break(void *item)
{
	set(item, CBR_BREAK, 0);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_uint8,
	.uint16 = on_uint16,
	.uint32 = on_uint32,
	.uint64 = on_uint64,
	.negint8 = on_negint8,
	.negint16 = on_negint16,
	.negint32 = on_negint32,
	.negint64 = on_negint64,
	.byte_string = on_bytes,
	.byte_string_start = on_bytes_pieces,
	.string = on_text,
	.string_start = on_text_pieces,
	.array_start = on_array,
	.indef_array_start = on_open_array,
	.map_start = on_map,
	.indef_map_start = on_open_map,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_undefined,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_break,
};

static enum err_code
next(struct rbuf *r, struct cbr_item *it, struct err *e)
{
	*it = (struct cbr_item){ .at = r->pos };
	if (rbuf_left(r) == 0)
		return err_set(e, ERR_PARSE, "byte %zu: the payload ends too early", r->pos);
	struct cbor_decoder_result res =
	    cbor_stream_decode(r->data + r->pos, rbuf_left(r), &callbacks, it);
	if (res.status == CBOR_DECODER_NEDATA)
		return err_set(e, ERR_PARSE, "byte %zu: the payload ends too early", r->pos);
	if (res.status != CBOR_DECODER_FINISHED)
		return err_set(e, ERR_PARSE, "byte %zu: not CBOR", r->pos);
	r->pos += res.read;
	return ERR_OK;
}

enum err_code
cbr_next(struct rbuf *r, struct cbr_item *it, struct err *e)
{
	enum err_code rc = next(r, it, e);

	if (rc == ERR_OK && it->kind == CBR_BREAK)
		return err_set(e, ERR_PARSE, "byte %zu: a break out of place", it->at);
	return rc;
}

struct cbr_list
cbr_list(const struct cbr_item *head)
{
	return (struct cbr_list){ .indefinite = head->indefinite, .left = head->n };
}

enum err_code
cbr_list_next(struct rbuf *r, struct cbr_list *l, struct cbr_item *it, bool *more, struct err *e)
{
	*more = l->indefinite || l->left > 0;
	if (!*more)
		return ERR_OK;
	if (!l->indefinite) {
		l->left--;
		return cbr_next(r, it, e);
	}
	enum err_code rc = next(r, it, e);
	*more = it->kind != CBR_BREAK;
	return rc;
}

enum err_code
cbr_string(struct rbuf *r, struct cbr_item *it, struct gbuf *own, struct err *e)
{
	struct cbr_list pieces = cbr_list(it);
	struct cbr_item piece;
	bool more = it->indefinite;

	while (more) {
		enum err_code rc = cbr_list_next(r, &pieces, &piece, &more, e);
		if (rc != ERR_OK)
			return rc;
		if (!more)
			break;
		if (piece.kind != it->kind || piece.indefinite)
			return err_set(e, ERR_PARSE, "byte %zu: %s among the pieces of %s",
			    piece.at, kind_names[piece.kind], kind_names[it->kind]);
		if (own != NULL)
			gbuf_put(own, piece.p, (size_t)piece.n);
	}
	if (!it->indefinite || own == NULL)
		return ERR_OK;
	it->p = (const uint8_t *)gbuf_cstr(own);
	it->n = own->len;
	return gbuf_check(own, e);
}

/* RFC 8949 section 3.4.4: an exponent of ten and a mantissa. */
static enum err_code
decimal(struct rbuf *r, struct raw *out, struct err *e)
{
	static const char must[] = "a decimal fraction must be two integers";
	struct cbr_item head, part[2];
	char text[64];
	enum err_code rc = cbr_next(r, &head, e);

	if (rc == ERR_OK && (head.kind != CBR_ARRAY || head.indefinite || head.n != N_ELEMS(part)))
		return err_set(e, ERR_PARSE, "byte %zu: %s", head.at, must);
	for (size_t i = 0; rc == ERR_OK && i < N_ELEMS(part); i++) {
		rc = cbr_next(r, &part[i], e);
		if (rc == ERR_OK && ((part[i].kind != CBR_UINT && part[i].kind != CBR_NEGINT) ||
		                        part[i].n > INT64_MAX))
			return err_set(e, ERR_PARSE, "byte %zu: %s", part[i].at, must);
	}
	if (rc != ERR_OK)
		return rc;
	int64_t exponent = part[0].kind == CBR_UINT ? (int64_t)part[0].n : -1 - (int64_t)part[0].n;
	int64_t mantissa = part[1].kind == CBR_UINT ? (int64_t)part[1].n : -1 - (int64_t)part[1].n;
	(void)snprintf(text, sizeof text, "%" PRId64 "e%" PRId64, mantissa, exponent);
	*out = (struct raw){ .kind = RAW_REAL, .f = strtod(text, NULL) };
	return ERR_OK;
}

static enum err_code
tagged(struct rbuf *r, const struct cbr_item *tag, struct raw *out, struct err *e)
{
	struct cbr_item it;

	if (tag->n == TAG_DECIMAL)
		return decimal(r, out, e);
	if (tag->n != TAG_EPOCH)
		return err_set(
		    e, ERR_UNSUPPORTED, "byte %zu: tag %" PRIu64 " is not read", tag->at, tag->n);
	enum err_code rc = cbr_next(r, &it, e);
	if (rc != ERR_OK)
		return rc;
	if (it.kind != CBR_UINT && it.kind != CBR_NEGINT && it.kind != CBR_FLOAT)
		return err_set(e, ERR_PARSE, "byte %zu: a time must be a number", it.at);
	rc = cbr_value(r, &it, NULL, out, e);
	out->epoch = true;
	return rc;
}

enum err_code
cbr_value(
    struct rbuf *r, const struct cbr_item *head, struct gbuf *own, struct raw *out, struct err *e)
{
	struct cbr_item it = *head;

	*out = (struct raw){ .kind = RAW_NULL };
	switch (it.kind) {
	case CBR_UINT:
	case CBR_NEGINT:
		*out =
		    (struct raw){ .kind = RAW_INT, .negative = it.kind == CBR_NEGINT, .u = it.n };
		return ERR_OK;
	case CBR_FLOAT:
		*out = (struct raw){ .kind = RAW_REAL, .f = it.f };
		return ERR_OK;
	case CBR_BOOL:
		*out = (struct raw){ .kind = RAW_BOOL, .b = it.n != 0 };
		return ERR_OK;
	case CBR_BYTES:
	case CBR_TEXT: {
		enum err_code rc = cbr_string(r, &it, own, e);
		out->kind = it.kind == CBR_TEXT ? RAW_WORD : RAW_BYTES;
		out->p = it.p;
		out->n = (size_t)it.n;
		return rc;
	}
	case CBR_TAG:
		return tagged(r, &it, out, e);
	case CBR_NULL:
		return ERR_OK;
	case CBR_ARRAY:
	case CBR_MAP:
	case CBR_UNDEFINED:
	case CBR_BREAK:
	case CBR__KINDS:
		break;
	}
	return err_set(e, ERR_PARSE, "byte %zu: %s is no value", it.at, kind_names[it.kind]);
}

/* What is open while something is passed over. */
struct level {
	struct cbr_list list; /* items, not pairs */
	bool map, odd;        /* odd: a key was read and its value was not */
};

static struct level
level_of(const struct cbr_item *it)
{
	struct level l = { .list = cbr_list(it), .map = it->kind == CBR_MAP };

	if (it->kind == CBR_TAG)
		l.list.left = 1;
	else if (l.map)
		l.list.left = it->n > UINT64_MAX / 2 ? UINT64_MAX : it->n * 2;
	else if (it->kind != CBR_ARRAY)
		l.list = (struct cbr_list){ .left = 0 };
	return l;
}

/* The next item inside what is open; *more is false when all is closed. */
static enum err_code
skip_next(struct rbuf *r, struct level *open, size_t *depth, struct cbr_item *it, bool *more,
    struct err *e)
{
	*more = false;
	while (*depth > 0 && !*more) {
		struct level *l = &open[*depth - 1];
		enum err_code rc = cbr_list_next(r, &l->list, it, more, e);
		if (rc != ERR_OK)
			return rc;
		if (!*more && l->map && l->odd)
			return err_set(e, ERR_PARSE, "byte %zu: a break out of place", it->at);
		if (*more)
			l->odd = !l->odd;
		else
			(*depth)--;
	}
	return ERR_OK;
}

enum err_code
cbr_skip(struct rbuf *r, const struct cbr_item *head, struct err *e)
{
	struct level open[CBR_DEPTH_MAX];
	struct cbr_item it = *head;
	size_t depth = 0;
	enum err_code rc = ERR_OK;

	for (bool more = true; rc == ERR_OK && more;) {
		struct level inner = level_of(&it);

		if (it.kind == CBR_BYTES || it.kind == CBR_TEXT)
			rc = cbr_string(r, &it, NULL, e);
		else if ((inner.list.indefinite || inner.list.left > 0) && depth == N_ELEMS(open))
			rc = err_set(e, ERR_LIMIT, "byte %zu: nested more than %d deep", it.at,
			    CBR_DEPTH_MAX);
		else if (inner.list.indefinite || inner.list.left > 0)
			open[depth++] = inner;
		if (rc == ERR_OK)
			rc = skip_next(r, open, &depth, &it, &more, e);
	}
	return rc;
}

enum err_code
cbr_end(const struct rbuf *r, struct err *e)
{
	if (rbuf_left(r) > 0)
		return err_set(e, ERR_PARSE, "byte %zu: something follows the end", r->pos);
	return ERR_OK;
}

#define HEAD_MAX 9 /* octets */

void
cbw_uint(struct gbuf *out, uint64_t n)
{
	unsigned char b[HEAD_MAX];

	gbuf_put(out, b, cbor_encode_uint(n, b, sizeof b));
}

void
cbw_int(struct gbuf *out, int64_t n)
{
	unsigned char b[HEAD_MAX];

	if (n >= 0)
		cbw_uint(out, (uint64_t)n);
	else
		gbuf_put(out, b, cbor_encode_negint((uint64_t)(-1 - n), b, sizeof b));
}

void
cbw_text(struct gbuf *out, const void *s, size_t n)
{
	unsigned char b[HEAD_MAX];

	gbuf_put(out, b, cbor_encode_string_start(n, b, sizeof b));
	gbuf_put(out, s, n);
}

static void
put_bytes(struct gbuf *out, const void *p, size_t n)
{
	unsigned char b[HEAD_MAX];

	gbuf_put(out, b, cbor_encode_bytestring_start(n, b, sizeof b));
	gbuf_put(out, p, n);
}

void
cbw_array(struct gbuf *out, size_t n)
{
	unsigned char b[HEAD_MAX];

	gbuf_put(out, b, cbor_encode_array_start(n, b, sizeof b));
}

void
cbw_map(struct gbuf *out, size_t pairs)
{
	unsigned char b[HEAD_MAX];

	gbuf_put(out, b, cbor_encode_map_start(pairs, b, sizeof b));
}

static void
put_float(struct gbuf *out, double f)
{
	unsigned char b[HEAD_MAX];

	if (fabs(f) <= (double)FLT_MAX && (double)(float)f == f)
		gbuf_put(out, b, cbor_encode_single((float)f, b, sizeof b));
	else
		gbuf_put(out, b, cbor_encode_double(f, b, sizeof b));
}

static void
put_bool(struct gbuf *out, bool v)
{
	unsigned char b[HEAD_MAX];

	gbuf_put(out, b, cbor_encode_bool(v, b, sizeof b));
}

void
cbw_value(struct gbuf *out, const struct lwm2m_value *v)
{
	switch (v->type) {
	case LWM2M_STRING:
	case LWM2M_CORELNK:
		cbw_text(out, v->bytes.data, v->bytes.len);
		break;
	case LWM2M_OPAQUE:
		put_bytes(out, v->bytes.data, v->bytes.len);
		break;
	case LWM2M_INTEGER:
	case LWM2M_TIME:
		cbw_int(out, v->i);
		break;
	case LWM2M_UNSIGNED:
		cbw_uint(out, v->u);
		break;
	case LWM2M_FLOAT:
		put_float(out, v->f);
		break;
	case LWM2M_BOOLEAN:
		put_bool(out, v->b);
		break;
	case LWM2M_OBJLNK: {
		struct raw_link_str s = raw_link_str(v->link);
		cbw_text(out, s.s, strlen(s.s));
		break;
	}
	case LWM2M_NONE:
	case LWM2M__TYPES:
		out->failed = true;
		break;
	}
}
