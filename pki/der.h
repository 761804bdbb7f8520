/*
 * pki/der.h: a strict reader of DER (X.690), over rbuf. Definite lengths in the shortest form only,
 * single-octet tags only. Nothing is copied: what is read points into the bytes given.
 *
 * A reader is sticky like rbuf: after the first fault it stays at fault and gives empty blobs, so
 * that a caller asks once, with der_ok() or der_end().
 */
#ifndef PKI_DER_H
#define PKI_DER_H

#include "lib/base/buf.h"

/* Borrowed bytes. p may be NULL when n is 0. */
struct pki_blob {
	const uint8_t *p;
	size_t n;
};

#define PKI_BLOB_NONE ((struct pki_blob){ NULL, 0 })

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_NUMERIC_STRING = 0x12,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_VISIBLE_STRING = 0x1a,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31
};

/* [n], primitive and constructed; n below 31. */
#define DER_CONTEXT(n) (0x80 | (n))
#define DER_CONTEXT_CONS(n) (0xa0 | (n))

struct der {
	struct rbuf in; /* in.overrun is the fault */
};

struct der der_make(struct pki_blob b);
bool der_ok(const struct der *d);
/* No fault, and nothing is left. */
bool der_end(const struct der *d);
/* No fault, and something is left. */
bool der_more(const struct der *d);

/* The tag that comes next; -1 at the end or at fault. */
int der_peek(const struct der *d);

/* The content of the next element, which must have this tag; otherwise a fault. */
struct pki_blob der_take(struct der *d, int tag);
/* The same; nothing is read, and it is no fault, when another tag or the end comes. */
bool der_take_optional(struct der *d, int tag, struct pki_blob *content);
/* The next element of whatever tag, with its tag and length; *tag (may be NULL) says which. */
struct pki_blob der_take_whole(struct der *d, int *tag);
/* A reader of the content of the next element, which must have this tag. */
struct der der_enter(struct der *d, int tag);

/* BOOLEAN: only 00 and ff (X.690 section 11.1). */
bool der_boolean(struct der *d);
/* INTEGER or ENUMERATED as its octets, in the shortest form, never empty (section 8.3). */
struct pki_blob der_integer(struct der *d, int tag);
/* INTEGER of 0..max; anything else is a fault. */
uint32_t der_uint(struct der *d, int tag, uint32_t max);
/* BIT STRING: its octets, *unused the number of unused bits (0..7, which must be zero). */
struct pki_blob der_bits(struct der *d, int tag, unsigned *unused);
/*
 * UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 has them: with seconds, in Z, no fraction.
 * Seconds since 1970 UTC.
 */
int64_t der_time(struct der *d);
/* The same of GeneralizedTime only, as OCSP has it. */
int64_t der_generalized_time(struct der *d, int tag);

bool blob_equal(struct pki_blob a, struct pki_blob b);
bool blob_equal_text(struct pki_blob a, const char *text);

/* An object identifier (its content octets) as "1.2.840.113549", appended; "(bad oid)" when it is
 * none. */
void der_oid_text(struct gbuf *out, struct pki_blob oid);
/* Well formed: not empty, the last octet ends an arc, no arc is padded. */
bool der_oid_valid(struct pki_blob oid);

#endif
