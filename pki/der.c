#include "pki/der.h"

#include <string.h>

struct der
der_make(struct pki_blob b)
{
	return (struct der){ .in = rbuf_make(b.p, b.n) };
}

bool
der_ok(const struct der *d)
{
	return !d->in.overrun;
}

bool
der_end(const struct der *d)
{
	return !d->in.overrun && rbuf_left(&d->in) == 0;
}

bool
der_more(const struct der *d)
{
	return !d->in.overrun && rbuf_left(&d->in) > 0;
}

int
der_peek(const struct der *d)
{
	return der_more(d) ? d->in.data[d->in.pos] : -1;
}

/* A length in its shortest form, at most four octets of it. */
static size_t
take_length(struct der *d)
{
	uint8_t first = rbuf_u8(&d->in);

	if (first < 0x80)
		return first;
	size_t octets = first & 0x7f;
	if (octets < 1 || octets > 4) {
		d->in.overrun = true;
		return 0;
	}
	size_t len = (size_t)rbuf_be(&d->in, octets);
	if (len < 0x80 || len >> (8 * (octets - 1)) == 0)
		d->in.overrun = true;
	return len;
}

struct pki_blob
der_take_whole(struct der *d, int *tag)
{
	size_t start = d->in.pos;
	int t = rbuf_u8(&d->in);

	if ((t & 0x1f) == 0x1f)
		d->in.overrun = true; /* tags of several octets: none here uses them */
	size_t len = take_length(d);
	if (rbuf_take(&d->in, len) == NULL || d->in.overrun)
		return PKI_BLOB_NONE;
	if (tag != NULL)
		*tag = t;
	return (struct pki_blob){ d->in.data + start, d->in.pos - start };
}

struct pki_blob
der_take(struct der *d, int tag)
{
	if (der_peek(d) != tag) {
		d->in.overrun = true;
		return PKI_BLOB_NONE;
	}
	(void)rbuf_u8(&d->in);
	size_t len = take_length(d);
	const uint8_t *p = rbuf_take(&d->in, len);
	return p == NULL ? PKI_BLOB_NONE : (struct pki_blob){ p, len };
}

bool
der_take_optional(struct der *d, int tag, struct pki_blob *content)
{
	if (der_peek(d) != tag)
		return false;
	*content = der_take(d, tag);
	return der_ok(d);
}

struct der
der_enter(struct der *d, int tag)
{
	struct der inner = der_make(der_take(d, tag));

	inner.in.overrun = d->in.overrun;
	return inner;
}

bool
der_boolean(struct der *d)
{
	struct pki_blob b = der_take(d, DER_BOOLEAN);

	if (b.n != 1 || (b.p[0] != 0 && b.p[0] != 0xff)) {
		d->in.overrun = true;
		return false;
	}
	return b.p[0] == 0xff;
}

struct pki_blob
der_integer(struct der *d, int tag)
{
	struct pki_blob b = der_take(d, tag);

	if (b.n == 0 ||
	    (b.n > 1 && ((b.p[0] == 0 && b.p[1] < 0x80) || (b.p[0] == 0xff && b.p[1] >= 0x80)))) {
		d->in.overrun = true;
		return PKI_BLOB_NONE;
	}
	return b;
}

uint32_t
der_uint(struct der *d, int tag, uint32_t max)
{
	struct pki_blob b = der_integer(d, tag);
	uint64_t v = 0;

	if (b.n > 5 || (b.n > 0 && b.p[0] >= 0x80))
		d->in.overrun = true;
	for (size_t i = 0; i < b.n && der_ok(d); i++)
		v = v << 8 | b.p[i];
	if (v > max)
		d->in.overrun = true;
	return der_ok(d) ? (uint32_t)v : 0;
}

struct pki_blob
der_bits(struct der *d, int tag, unsigned *unused)
{
	struct pki_blob b = der_take(d, tag);

	*unused = 0;
	if (b.n == 0 || b.p[0] > 7 || (b.n == 1 && b.p[0] != 0) ||
	    (b.n > 1 && (b.p[b.n - 1] & ((1U << b.p[0]) - 1)) != 0)) {
		d->in.overrun = true;
		return PKI_BLOB_NONE;
	}
	*unused = b.p[0];
	return (struct pki_blob){ b.p + 1, b.n - 1 };
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int
days_of_month(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

/* Pairs of digits; -1 when one is none. */
static int
two_digits(const uint8_t *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* "MMDDHHMMSSZ" of that year. */
static bool
time_of(int year, const uint8_t *p, int64_t *out)
{
	int v[5]; /* month, day, hour, minute, second */

	for (size_t i = 0; i < N_ELEMS(v); i++)
		v[i] = two_digits(p + 2 * i);
	if (v[0] < 1 || v[0] > 12 || v[1] < 1 || v[1] > days_of_month(year, v[0]) || v[2] < 0 ||
	    v[2] > 23 || v[3] < 0 || v[3] > 59 || v[4] < 0 || v[4] > 59 || p[10] != 'Z')
		return false;
	*out = days_from_civil(year, v[0], v[1]) * 86400 + v[2] * 3600L + v[3] * 60L + v[4];
	return true;
}

int64_t
der_generalized_time(struct der *d, int tag)
{
	struct pki_blob b = der_take(d, tag);
	int64_t t = 0;

	if (b.n == 15) {
		int high = two_digits(b.p), low = two_digits(b.p + 2);

		if (high >= 0 && low >= 0 && time_of(high * 100 + low, b.p + 4, &t))
			return t;
	}
	d->in.overrun = true;
	return 0;
}

int64_t
der_time(struct der *d)
{
	if (der_peek(d) == DER_GENERALIZED_TIME)
		return der_generalized_time(d, DER_GENERALIZED_TIME);
	struct pki_blob b = der_take(d, DER_UTC_TIME);
	int64_t t = 0;

	if (b.n == 13) {
		int yy = two_digits(b.p);

		if (yy >= 0 && time_of(yy < 50 ? 2000 + yy : 1900 + yy, b.p + 2, &t))
			return t;
	}
	d->in.overrun = true;
	return 0;
}

bool
blob_equal(struct pki_blob a, struct pki_blob b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
blob_equal_text(struct pki_blob a, const char *text)
{
	return blob_equal(a, (struct pki_blob){ (const uint8_t *)text, strlen(text) });
}

bool
der_oid_valid(struct pki_blob oid)
{
	if (oid.n == 0 || oid.p[oid.n - 1] >= 0x80)
		return false;
	for (size_t i = 0; i < oid.n; i++)
		if (oid.p[i] == 0x80 && (i == 0 || oid.p[i - 1] < 0x80))
			return false;
	return true;
}

void
der_oid_text(struct gbuf *out, struct pki_blob oid)
{
	uint64_t arc = 0;
	bool first = true;

	if (!der_oid_valid(oid) || oid.n > 64) {
		gbuf_str(out, "(bad oid)");
		return;
	}
	for (size_t i = 0; i < oid.n; i++) {
		arc = (arc & (UINT64_MAX >> 7)) << 7 | (oid.p[i] & 0x7f);
		if (oid.p[i] >= 0x80)
			continue;
		if (first) {
			uint64_t root = MIN(arc / 40, (uint64_t)2);
			gbuf_u64(out, root);
			arc -= root * 40;
			first = false;
		}
		gbuf_str(out, ".");
		gbuf_u64(out, arc);
		arc = 0;
	}
}
