/*
 * lib/lwm2m/cbor_io.h: CBOR (RFC 8949) one item at a time, over libcbor's stream decoder and
 * encoders. Nothing is copied but what came in pieces. For the codecs alone.
 *
 * Messages say "byte N: reason", N counted from 0, never content.
 */
#ifndef LIB_LWM2M_CBOR_IO_H
#define LIB_LWM2M_CBOR_IO_H

#include "lib/base/buf.h"
#include "lib/lwm2m/raw.h"

#define CBR_DEPTH_MAX 8 /* of what is passed over unread */

enum cbr_kind {
	CBR_UINT,
	CBR_NEGINT, /* the number is -1 - n */
	CBR_BYTES,
	CBR_TEXT,
	CBR_ARRAY,
	CBR_MAP,
	CBR_TAG,
	CBR_FLOAT,
	CBR_BOOL,
	CBR_NULL,
	CBR_UNDEFINED,
	CBR_BREAK,
	CBR__KINDS
};

struct cbr_item {
	enum cbr_kind kind;
	bool indefinite; /* BYTES, TEXT: pieces follow; ARRAY, MAP: a break ends it */
	uint64_t n;      /* the number; elements or pairs; the tag; 0 or 1; octets at p */
	double f;
	const uint8_t *p; /* BYTES, TEXT: borrowed from the input */
	size_t at;        /* where it begins */
};

/* What is left of an array, or of a map's pairs. */
struct cbr_list {
	bool indefinite;
	uint64_t left;
};

/* The head of the next item: content of arrays, maps, tags and pieces comes with the next calls. */
enum err_code cbr_next(struct rbuf *r, struct cbr_item *it, struct err *e);
struct cbr_list cbr_list(const struct cbr_item *head);
/* The next element, or the next pair's key; *more is false at the end. */
enum err_code cbr_list_next(
    struct rbuf *r, struct cbr_list *l, struct cbr_item *it, bool *more, struct err *e);
/*
 * Makes a string whole: one that came in pieces is put together in own (empty before, owed a clear
 * by the caller, and it->p points there). own may be NULL: the pieces are then only passed over.
 */
enum err_code cbr_string(struct rbuf *r, struct cbr_item *it, struct gbuf *own, struct err *e);
/*
 * The value that begins with *head: a number (a decimal fraction and an epoch time too), a string,
 * a boolean or null. Anything else is refused. own: as above.
 */
enum err_code cbr_value(
    struct rbuf *r, const struct cbr_item *head, struct gbuf *own, struct raw *out, struct err *e);
/* Passes over the whole item that begins with *head. ERR_LIMIT when nested too deep. */
enum err_code cbr_skip(struct rbuf *r, const struct cbr_item *head, struct err *e);
/* ERR_PARSE when anything is left. */
enum err_code cbr_end(const struct rbuf *r, struct err *e);

/* Definite lengths and the shortest form of each number. */
void cbw_uint(struct gbuf *out, uint64_t n);
void cbw_int(struct gbuf *out, int64_t n);
void cbw_text(struct gbuf *out, const void *s, size_t n);
void cbw_array(struct gbuf *out, size_t n);
void cbw_map(struct gbuf *out, size_t pairs);
/* v must have a value; a float is single when nothing is lost by it, else double. */
void cbw_value(struct gbuf *out, const struct lwm2m_value *v);

#endif
