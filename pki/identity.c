#include "pki/identity.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/crypt.h"
#include "pki/syntax.h"

#define VALUE_MAX 255

static enum err_code
value_cn(const struct pki_cert *c, struct gbuf *out, struct err *e)
{
	return pki_dn_cn(c->subject, out, e);
}

static enum err_code
value_subject_serial(const struct pki_cert *c, struct gbuf *out, struct err *e)
{
	return pki_dn_serial_number(c->subject, out, e);
}

static enum err_code
one_san(const struct pki_cert *c, enum pki_name_kind kind, struct pki_blob *out, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < c->san.n; i++)
		if (c->san.v[i].kind == kind) {
			*out = c->san.v[i].value;
			n++;
		}
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "subjectAltName: none of this kind");
	return n == 1 ? ERR_OK
	              : err_set(e, ERR_INVALID, "subjectAltName: %zu of this kind, not one", n);
}

static enum err_code
value_uri(const struct pki_cert *c, struct gbuf *out, struct err *e)
{
	struct pki_blob v = { 0 };
	enum err_code rc = one_san(c, PKI_NAME_URI, &v, e);

	if (rc == ERR_OK)
		gbuf_put(out, v.p, v.n);
	return rc;
}

static enum err_code
value_dns(const struct pki_cert *c, struct gbuf *out, struct err *e)
{
	struct pki_blob v = { 0 };
	enum err_code rc = one_san(c, PKI_NAME_DNS, &v, e);

	if (rc == ERR_OK && memchr(v.p, '*', v.n) != NULL)
		rc = err_set(e, ERR_INVALID, "subjectAltName: a wildcard is no identity");
	for (size_t i = 0; rc == ERR_OK && i < v.n; i++)
		gbuf_u8(out, v.p[i] >= 'A' && v.p[i] <= 'Z' ? (uint8_t)(v.p[i] | 0x20) : v.p[i]);
	return rc;
}

static enum err_code
value_serial(const struct pki_cert *c, struct gbuf *out, struct err *e)
{
	(void)e;
	pki_serial_text(out, c);
	return ERR_OK;
}

static enum err_code
value_issuer_serial(const struct pki_cert *c, struct gbuf *out, struct err *e)
{
	char hex[65];
	enum err_code rc = crypt_sha256_hex(c->issuer.p, c->issuer.n, hex, e);

	if (rc != ERR_OK)
		return rc;
	gbuf_str(out, hex);
	gbuf_str(out, ":");
	pki_serial_text(out, c);
	return ERR_OK;
}

static enum err_code
value_spki(const struct pki_cert *c, struct gbuf *out, struct err *e)
{
	(void)e;
	enc_hex(out, c->spki_sha256, sizeof c->spki_sha256);
	return ERR_OK;
}

static enum err_code
value_cert(const struct pki_cert *c, struct gbuf *out, struct err *e)
{
	(void)e;
	enc_hex(out, c->fingerprint, sizeof c->fingerprint);
	return ERR_OK;
}

static const struct {
	const char *name;
	enum err_code (*value)(const struct pki_cert *c, struct gbuf *out, struct err *e);
} kinds[] = {
	[PKI_ID_CN] = { "cn", value_cn },
	[PKI_ID_SUBJECT_SERIAL] = { "subject-serial", value_subject_serial },
	[PKI_ID_SAN_URI] = { "san-uri", value_uri },
	[PKI_ID_SAN_DNS] = { "san-dns", value_dns },
	[PKI_ID_SERIAL] = { "serial", value_serial },
	[PKI_ID_ISSUER_SERIAL] = { "issuer-serial", value_issuer_serial },
	[PKI_ID_SPKI_SHA256] = { "spki-sha256", value_spki },
	[PKI_ID_CERT_SHA256] = { "cert-sha256", value_cert },
};

_Static_assert(N_ELEMS(kinds) == PKI_ID__COUNT, "one row per kind");

const char *
pki_id_kind_name(enum pki_id_kind kind)
{
	return kinds[kind].name;
}

enum pki_id_kind
pki_id_kind_of(const char *name)
{
	size_t i = 0;

	while (i < N_ELEMS(kinds) && strcmp(kinds[i].name, name) != 0)
		i++;
	return (enum pki_id_kind)i;
}

enum err_code
pki_id_value(const struct pki_cert *c, enum pki_id_kind kind, struct gbuf *out, struct err *e)
{
	struct gbuf v = { .max = 4096 };
	enum err_code rc = kinds[kind].value(c, &v, e);

	if (rc == ERR_OK)
		rc = gbuf_check(&v, e);
	if (rc == ERR_OK &&
	    (v.len == 0 || v.len > VALUE_MAX || !str_is_printable(gbuf_cstr(&v), v.len)))
		rc = err_set(
		    e, ERR_INVALID, "empty, longer than %d bytes, or not printable", VALUE_MAX);
	if (rc == ERR_OK)
		gbuf_put(out, gbuf_cstr(&v), v.len);
	else
		rc = err_wrap(e, "%s", kinds[kind].name);
	gbuf_clear(&v);
	return rc;
}

/* "*.x" is for what has one label before x; otherwise the same host. */
static bool
dns_matches(struct pki_blob san, struct pki_blob host)
{
	size_t label = 0;

	if (san.n < 3 || san.p[0] != '*' || san.p[1] != '.')
		return syntax_same(san, host);
	while (label < host.n && host.p[label] != '.')
		label++;
	return label > 0 &&
	       syntax_same(syntax_tail(san, san.n - 1), syntax_tail(host, host.n - label)) &&
	       memchr(san.p + 2, '.', san.n - 2) != NULL;
}

static bool
email_matches(struct pki_blob san, struct pki_blob wanted)
{
	size_t at = wanted.n;

	while (at > 0 && wanted.p[at - 1] != '@')
		at--;
	return san.n == wanted.n && memcmp(san.p, wanted.p, at) == 0 &&
	       syntax_same(syntax_tail(san, san.n - at), syntax_tail(wanted, wanted.n - at));
}

/* Octets of "10.0.0.1" or "fe80::1"; n 0 when it is none. */
static struct pki_blob
parse_ip(const char *text, uint8_t octets[16])
{
	if (inet_pton(AF_INET, text, octets) == 1)
		return (struct pki_blob){ octets, 4 };
	if (inet_pton(AF_INET6, text, octets) == 1)
		return (struct pki_blob){ octets, 16 };
	return PKI_BLOB_NONE;
}

static bool
cn_matches(const struct pki_cert *c, struct pki_blob wanted, bool as_host)
{
	struct gbuf cn = { .max = 4096 };
	bool same = false;

	if (pki_dn_cn(c->subject, &cn, NULL) == ERR_OK) {
		struct pki_blob have = { (const uint8_t *)gbuf_cstr(&cn), cn.len };
		same = as_host ? syntax_host(have) && syntax_same(have, wanted)
		               : blob_equal(have, wanted);
	}
	gbuf_clear(&cn);
	return same;
}

struct wanted {
	const char *prefix;
	enum pki_name_kind kind; /* PKI_NAME_OTHER: the common name */
	bool (*matches)(struct pki_blob san, struct pki_blob wanted);
	bool (*valid)(struct pki_blob wanted);
};

static bool
not_empty(struct pki_blob b)
{
	return b.n > 0;
}

static const struct wanted wanted_kinds[] = {
	{ "dns:", PKI_NAME_DNS, dns_matches, not_empty },
	{ "ip:", PKI_NAME_IP, blob_equal, syntax_ip },
	{ "email:", PKI_NAME_EMAIL, email_matches, not_empty },
	{ "uri:", PKI_NAME_URI, blob_equal, not_empty },
	{ "cn:", PKI_NAME_OTHER, blob_equal, not_empty },
};

/* What name asks for; NULL when it is malformed. octets is room for an address. */
static const struct wanted *
read_wanted(const char *name, struct pki_blob *value, uint8_t octets[16], struct err *e)
{
	for (size_t i = 0; i < N_ELEMS(wanted_kinds); i++) {
		const struct wanted *w = &wanted_kinds[i];
		size_t n = strlen(w->prefix);

		if (strncmp(name, w->prefix, n) != 0)
			continue;
		*value = (struct pki_blob){ (const uint8_t *)name + n, strlen(name + n) };
		if (w->kind == PKI_NAME_IP)
			*value = parse_ip(name + n, octets);
		if (w->valid(*value))
			return w;
	}
	(void)err_set(e, ERR_USAGE,
	    "name \"%.80s\": not dns:HOST, ip:ADDRESS, email:LOCAL@HOST, uri:URI or cn:NAME", name);
	return NULL;
}

enum err_code
pki_name_check(const char *name, struct err *e)
{
	struct pki_blob value;
	uint8_t octets[16];

	return read_wanted(name, &value, octets, e) == NULL ? ERR_USAGE : ERR_OK;
}

/* "wanted X, but the certificate is for A, B". */
static enum err_code
refuse(const struct pki_cert *c, const char *name, struct err *e)
{
	struct gbuf have = { .max = 4096 };

	for (size_t i = 0; i < c->san.n && have.len < 160; i++) {
		if (i > 0)
			gbuf_str(&have, ", ");
		pki_name_text(&have, &c->san.v[i]);
	}
	if (c->san.n == 0) {
		gbuf_str(&have, "subject ");
		pki_dn_text(&have, c->subject);
	}
	enum err_code rc = err_set(
	    e, ERR_REFUSED, "wanted %.120s, the certificate is for %.180s", name, gbuf_cstr(&have));
	gbuf_clear(&have);
	return rc;
}

enum err_code
pki_name_match(const struct pki_cert *c, const char *name, bool cn_too, struct err *e)
{
	struct pki_blob value;
	uint8_t octets[16];
	const struct wanted *w = read_wanted(name, &value, octets, e);
	bool has_kind = false;

	if (w == NULL)
		return ERR_USAGE;
	for (size_t i = 0; i < c->san.n && w->kind != PKI_NAME_OTHER; i++) {
		if (c->san.v[i].kind != w->kind)
			continue;
		has_kind = true;
		if (w->matches(c->san.v[i].value, value))
			return ERR_OK;
	}
	if (w->kind == PKI_NAME_OTHER && cn_matches(c, value, false))
		return ERR_OK;
	if (w->kind == PKI_NAME_DNS && cn_too && !has_kind && cn_matches(c, value, true))
		return ERR_OK;
	return refuse(c, name, e);
}
