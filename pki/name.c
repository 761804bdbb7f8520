#include "pki/name.h"

#include "lib/base/enc.h"
#include "lib/base/str.h"

#define OID(...)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })         \
	}

/* clang-format off */
static const struct {
	struct pki_blob oid;
	const char *name;
} attrs[] = {
	{ OID(0x55, 0x04, 0x03), "CN" },
	{ OID(0x55, 0x04, 0x04), "SN" },
	{ OID(0x55, 0x04, 0x05), "serialNumber" },
	{ OID(0x55, 0x04, 0x06), "C" },
	{ OID(0x55, 0x04, 0x07), "L" },
	{ OID(0x55, 0x04, 0x08), "ST" },
	{ OID(0x55, 0x04, 0x09), "street" },
	{ OID(0x55, 0x04, 0x0a), "O" },
	{ OID(0x55, 0x04, 0x0b), "OU" },
	{ OID(0x55, 0x04, 0x0c), "title" },
	{ OID(0x55, 0x04, 0x2a), "givenName" },
	{ OID(0x55, 0x04, 0x2e), "dnQualifier" },
	{ OID(0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01), "UID" },
	{ OID(0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19), "DC" },
	{ OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01), "emailAddress" },
};
/* clang-format on */

static const struct pki_blob oid_email = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01);
static const struct pki_blob oid_cn = OID(0x55, 0x04, 0x03);
static const struct pki_blob oid_serial_number = OID(0x55, 0x04, 0x05);

/* One AttributeTypeAndValue. */
struct attr {
	struct pki_blob oid;
	int tag;              /* of the value */
	struct pki_blob text; /* its content */
};

static bool
attr_read(struct der *rdn, struct attr *out)
{
	struct der d = der_enter(rdn, DER_SEQUENCE);

	out->oid = der_take(&d, DER_OID);
	out->tag = der_peek(&d);
	struct der value = d;
	out->text = PKI_BLOB_NONE;
	if (out->tag >= 0)
		out->text = der_take(&value, out->tag);
	(void)der_take_whole(&d, NULL);
	return der_end(&d) && der_ok(rdn) && der_oid_valid(out->oid);
}

static struct der
dn_enter(struct pki_blob name)
{
	struct der d = der_make(name);

	return der_enter(&d, DER_SEQUENCE);
}

bool
pki_dn_valid(struct pki_blob name)
{
	struct der whole = der_make(name), dn = der_enter(&whole, DER_SEQUENCE);

	if (!der_end(&whole))
		return false;
	while (der_more(&dn)) {
		struct der rdn = der_enter(&dn, DER_SET);
		struct attr a;

		do {
			if (!attr_read(&rdn, &a))
				return false;
		} while (der_more(&rdn));
	}
	return der_end(&dn);
}

bool
pki_dn_empty(struct pki_blob name)
{
	struct der dn = dn_enter(name);

	return der_end(&dn);
}

/* The code points of a string one after another, blanks at the ends left out, runs of them made
 * one. */
struct folded {
	struct rbuf in;
	int tag;
	uint32_t ahead; /* what follows the blanks that were passed */
	bool has_ahead;
	bool started;
};

#define END_OF_TEXT UINT32_MAX

static bool
is_text(int tag)
{
	switch (tag) {
	case DER_UTF8_STRING:
	case DER_PRINTABLE_STRING:
	case DER_NUMERIC_STRING:
	case DER_T61_STRING:
	case DER_IA5_STRING:
	case DER_VISIBLE_STRING:
	case DER_BMP_STRING:
	case DER_UNIVERSAL_STRING:
		return true;
	}
	return false;
}

/* Ill-formed UTF-8 goes on octet by octet: equal only to itself. */
static uint32_t
utf8_point(struct rbuf *in)
{
	uint8_t c = rbuf_u8(in);
	size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (c < 0x80 || more == 0 || rbuf_left(in) < more)
		return c < 0x80 ? c : 0x80000000U | c;
	uint32_t v = c & (0x3fU >> more);
	for (size_t i = 0; i < more; i++)
		v = v << 6 | (in->data[in->pos + i] & 0x3f);
	(void)rbuf_take(in, more);
	return v;
}

static uint32_t
next_point(struct rbuf *in, int tag)
{
	if (rbuf_left(in) == 0)
		return END_OF_TEXT;
	switch (tag) {
	case DER_UTF8_STRING:
		return utf8_point(in);
	case DER_BMP_STRING:
		return (uint32_t)rbuf_be(in, MIN(rbuf_left(in), (size_t)2));
	case DER_UNIVERSAL_STRING:
		return (uint32_t)rbuf_be(in, MIN(rbuf_left(in), (size_t)4));
	}
	return rbuf_u8(in);
}

static bool
is_blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0;
}

static uint32_t
folded_next(struct folded *f)
{
	bool blank = false;
	uint32_t c;

	if (f->has_ahead) {
		f->has_ahead = false;
		return f->ahead;
	}
	while (is_blank(c = next_point(&f->in, f->tag)))
		blank = true;
	if (c >= 'A' && c <= 'Z')
		c += 'a' - 'A';
	bool gap = blank && f->started && c != END_OF_TEXT;
	f->started = true;
	if (!gap)
		return c;
	f->ahead = c;
	f->has_ahead = true;
	return ' ';
}

static bool
text_equal(const struct attr *a, const struct attr *b)
{
	struct folded x = { .in = rbuf_make(a->text.p, a->text.n), .tag = a->tag };
	struct folded y = { .in = rbuf_make(b->text.p, b->text.n), .tag = b->tag };
	uint32_t c;

	do {
		c = folded_next(&x);
		if (c != folded_next(&y))
			return false;
	} while (c != END_OF_TEXT);
	return true;
}

static bool
attr_equal(const struct attr *a, const struct attr *b)
{
	if (!blob_equal(a->oid, b->oid))
		return false;
	if (is_text(a->tag) && is_text(b->tag))
		return text_equal(a, b);
	return a->tag == b->tag && blob_equal(a->text, b->text);
}

/* Each attribute of x has its like in y. */
static bool
rdn_covered(struct pki_blob x, struct pki_blob y)
{
	struct der dx = der_make(x);
	struct attr a, b;

	while (der_more(&dx)) {
		struct der dy = der_make(y);
		bool found = false;

		if (!attr_read(&dx, &a))
			return false;
		while (!found && der_more(&dy))
			found = attr_read(&dy, &b) && attr_equal(&a, &b);
		if (!found)
			return false;
	}
	return der_end(&dx);
}

static bool
rdn_equal(struct pki_blob x, struct pki_blob y)
{
	return blob_equal(x, y) || (rdn_covered(x, y) && rdn_covered(y, x));
}

bool
pki_dn_within(struct pki_blob base, struct pki_blob name)
{
	struct der b = dn_enter(base), n = dn_enter(name);

	while (der_more(&b)) {
		struct pki_blob x = der_take(&b, DER_SET), y = der_take(&n, DER_SET);

		if (!der_ok(&b) || !der_ok(&n) || !rdn_equal(x, y))
			return false;
	}
	return der_ok(&b) && der_ok(&n);
}

static size_t
dn_length(struct pki_blob name)
{
	struct der d = dn_enter(name);
	size_t n = 0;

	for (; der_more(&d); n++)
		(void)der_take(&d, DER_SET);
	return n;
}

bool
pki_dn_equal(struct pki_blob a, struct pki_blob b)
{
	return blob_equal(a, b) || (dn_length(a) == dn_length(b) && pki_dn_within(a, b));
}

static void
put_utf8(struct gbuf *out, uint32_t c)
{
	if (c < 0x80) {
		gbuf_u8(out, (uint8_t)c);
	} else if (c < 0x800) {
		gbuf_u8(out, (uint8_t)(0xc0 | c >> 6));
		gbuf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		gbuf_u8(out, (uint8_t)(0xe0 | c >> 12));
		gbuf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		gbuf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		gbuf_u8(out, (uint8_t)(0xf0 | (c >> 18 & 7)));
		gbuf_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		gbuf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		gbuf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

/* As UTF-8; octets of UTF8String as they are, whatever they are. */
static void
put_text(struct gbuf *out, const struct attr *a)
{
	struct rbuf in = rbuf_make(a->text.p, a->text.n);
	uint32_t c;

	if (a->tag == DER_UTF8_STRING) {
		gbuf_put(out, a->text.p, a->text.n);
		return;
	}
	while ((c = next_point(&in, a->tag)) != END_OF_TEXT)
		put_utf8(out, c);
}

static void
put_attr(struct gbuf *out, const struct attr *a)
{
	struct gbuf text = { .max = 4096 };
	const char *name = NULL;

	for (size_t i = 0; i < N_ELEMS(attrs); i++)
		if (blob_equal(a->oid, attrs[i].oid))
			name = attrs[i].name;
	if (name != NULL)
		gbuf_str(out, name);
	else
		der_oid_text(out, a->oid);
	gbuf_str(out, "=");
	if (is_text(a->tag)) {
		put_text(&text, a);
		str_quote(out, gbuf_cstr(&text), text.len);
	} else {
		gbuf_str(out, "#");
		enc_hex(out, a->text.p, MIN(a->text.n, (size_t)64));
	}
	gbuf_clear(&text);
}

void
pki_dn_text(struct gbuf *out, struct pki_blob name)
{
	struct der dn = dn_enter(name);
	bool first = true;

	if (!der_more(&dn))
		gbuf_str(out, "(empty name)");
	while (der_more(&dn)) {
		struct der rdn = der_enter(&dn, DER_SET);
		const char *sep = first ? "" : ", ";
		struct attr a;

		for (; der_more(&rdn) && attr_read(&rdn, &a); sep = "+") {
			gbuf_str(out, sep);
			put_attr(out, &a);
		}
		first = false;
	}
}

/* The next attribute of that type from *dn on, over the bounds of RDNs. */
static bool
next_attr(struct der *dn, struct der *rdn, struct pki_blob oid, struct attr *out)
{
	while (der_more(rdn) || der_more(dn)) {
		if (!der_more(rdn))
			*rdn = der_enter(dn, DER_SET);
		else if (attr_read(rdn, out) && blob_equal(out->oid, oid))
			return true;
	}
	return false;
}

enum err_code
pki_dn_attr(struct pki_blob name, struct pki_blob oid, struct gbuf *out, struct err *e)
{
	struct der dn = dn_enter(name), rdn = der_make(PKI_BLOB_NONE);
	struct attr a, other;

	if (!next_attr(&dn, &rdn, oid, &a))
		return err_set(e, ERR_NOT_FOUND, "name: no such attribute");
	if (next_attr(&dn, &rdn, oid, &other))
		return err_set(e, ERR_INVALID, "name: several attributes of one type");
	if (!is_text(a.tag))
		return err_set(e, ERR_INVALID, "name: an attribute that is no text");
	size_t start = out->len;
	put_text(out, &a);
	enum err_code rc = gbuf_check(out, e);
	if (rc == ERR_OK && !str_is_utf8(gbuf_cstr(out) + start, out->len - start))
		return err_set(e, ERR_INVALID, "name: an attribute that is no text");
	return rc;
}

enum err_code
pki_dn_cn(struct pki_blob name, struct gbuf *out, struct err *e)
{
	return pki_dn_attr(name, oid_cn, out, e);
}

enum err_code
pki_dn_serial_number(struct pki_blob name, struct gbuf *out, struct err *e)
{
	return pki_dn_attr(name, oid_serial_number, out, e);
}

enum err_code
pki_dn_emails(struct pki_blob name, struct pki_names *out, struct err *e)
{
	struct der dn = dn_enter(name), rdn = der_make(PKI_BLOB_NONE);
	enum err_code rc = ERR_OK;
	struct attr a;

	while (rc == ERR_OK && next_attr(&dn, &rdn, oid_email, &a))
		rc = pki_names_add(out, (struct pki_name){ PKI_NAME_EMAIL, a.text }, e);
	return rc;
}
