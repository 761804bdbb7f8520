#include "pki/cert.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"
#include "pki/cert_ext.h"
#include "pki/pem.h"

static enum err_code
parse_err(struct err *e, const char *what)
{
	return err_set(e, ERR_PARSE, "%s: malformed", what);
}

/* Version, serial number, inner signature algorithm (section 4.1.2). */
static enum err_code
read_head(struct pki_cert *c, struct der *tbs, struct pki_blob *algorithm, struct err *e)
{
	c->version = 1;
	if (der_peek(tbs) == DER_CONTEXT_CONS(0)) {
		struct der version = der_enter(tbs, DER_CONTEXT_CONS(0));
		c->version = (int)der_uint(&version, DER_INTEGER, 2) + 1;
		if (!der_end(&version) || c->version == 1) /* DER leaves a default out */
			return parse_err(e, "version");
	}
	c->serial = der_integer(tbs, DER_INTEGER);
	if (!der_ok(tbs))
		return parse_err(e, "serial number");
	*algorithm = der_take_whole(tbs, NULL);
	return der_ok(tbs) ? ERR_OK : parse_err(e, "signature algorithm");
}

static enum err_code
read_names(struct pki_cert *c, struct der *tbs, struct err *e)
{
	c->issuer = der_take_whole(tbs, NULL);
	if (!pki_dn_valid(c->issuer))
		return parse_err(e, "issuer");
	struct der validity = der_enter(tbs, DER_SEQUENCE);
	c->not_before = der_time(&validity);
	c->not_after = der_time(&validity);
	if (!der_end(&validity))
		return parse_err(e, "validity");
	c->subject = der_take_whole(tbs, NULL);
	return pki_dn_valid(c->subject) ? ERR_OK : parse_err(e, "subject");
}

/* Unique identifiers (with version 2) and extensions (with version 3). */
static enum err_code
read_tail(struct pki_cert *c, struct der *tbs, struct err *e)
{
	struct pki_blob unique;

	for (int i = 1; i <= 2; i++)
		if (der_take_optional(tbs, DER_CONTEXT(i), &unique) && c->version < 2)
			return parse_err(e, "unique identifier");
	if (der_end(tbs))
		return ERR_OK;
	struct der outer = der_enter(tbs, DER_CONTEXT_CONS(3));
	struct der list = der_enter(&outer, DER_SEQUENCE);
	if (!der_end(&outer) || !der_end(tbs) || c->version != 3)
		return parse_err(e, "extensions");
	return cert_ext_read(c, &list, e);
}

static enum err_code
read_tbs(struct pki_cert *c, struct pki_blob *algorithm, struct err *e)
{
	struct der d = der_make(c->tbs), tbs = der_enter(&d, DER_SEQUENCE);
	enum err_code rc = read_head(c, &tbs, algorithm, e);

	if (rc == ERR_OK)
		rc = read_names(c, &tbs, e);
	if (rc == ERR_OK)
		rc = pki_spki_parse(der_take_whole(&tbs, NULL), &c->spki, e);
	return rc == ERR_OK ? read_tail(c, &tbs, e) : rc;
}

static enum err_code
read_cert(struct pki_cert *c, struct err *e)
{
	struct der whole = der_make(c->der), d = der_enter(&whole, DER_SEQUENCE);
	struct pki_blob inner = PKI_BLOB_NONE;
	unsigned unused = 0;

	c->tbs = der_take_whole(&d, NULL);
	struct pki_blob outer = der_take_whole(&d, NULL);
	c->signature = der_bits(&d, DER_BIT_STRING, &unused);
	if (!der_end(&whole) || !der_end(&d) || unused != 0)
		return err_set(e, ERR_PARSE, "not a certificate in DER");
	enum err_code rc = read_tbs(c, &inner, e);
	if (rc != ERR_OK)
		return rc;
	c->sig_kind = pki_sig_kind_of(outer);
	c->sig_agrees = blob_equal(inner, outer);
	c->path_len = c->has & PKI_EXT_BASIC_CONSTRAINTS ? c->path_len : -1;
	rc = pki_sha256(c->der, c->fingerprint, e);
	return rc == ERR_OK ? pki_sha256(c->spki.der, c->spki_sha256, e) : rc;
}

static void
cert_free(struct pki_cert *c)
{
	struct pki_names *const lists[] = { &c->san, &c->permitted, &c->excluded, &c->ocsp_uris };

	for (size_t i = 0; i < N_ELEMS(lists); i++)
		pki_names_clear(lists[i]);
	for (size_t i = 0; i < c->n_crl_dps; i++)
		pki_names_clear(&c->crl_dps[i].full_name);
	free(c->crl_dps);
	free(c);
}

enum err_code
pki_cert_parse(const void *der, size_t n, struct pki_cert **out, struct err *e)
{
	*out = NULL;
	if (n > PKI_CERT_MAX)
		return err_set(
		    e, ERR_LIMIT, "certificate: %zu bytes, at most %zu are read", n, PKI_CERT_MAX);
	struct pki_cert *c = calloc(1, sizeof *c + n);
	if (c == NULL)
		return err_no_memory(e);
	uint8_t *copy = (uint8_t *)(c + 1);
	if (n > 0)
		memcpy(copy, der, n);
	c->refs = 1;
	c->der = (struct pki_blob){ copy, n };
	enum err_code rc = read_cert(c, e);
	if (rc != ERR_OK) {
		cert_free(c);
		return err_wrap(e, "certificate");
	}
	*out = c;
	return ERR_OK;
}

struct pki_cert *
pki_cert_ref(const struct pki_cert *c)
{
	union {
		const struct pki_cert *in;
		struct pki_cert
		    *out; /* nothing but the count changes, and all were made by calloc() */
	} p = { c };

	p.out->refs++;
	return p.out;
}

void
pki_cert_unref(struct pki_cert *c)
{
	if (c == NULL)
		return;
	assert(c->refs > 0);
	if (--c->refs == 0)
		cert_free(c);
}

bool
pki_cert_equal(const struct pki_cert *a, const struct pki_cert *b)
{
	return a == b || blob_equal(a->der, b->der);
}

bool
pki_cert_self_issued(const struct pki_cert *c)
{
	return pki_dn_equal(c->issuer, c->subject);
}

void
pki_serial_text(struct gbuf *out, const struct pki_cert *c)
{
	struct pki_blob s = c->serial;

	if (s.n > 1 && s.p[0] == 0) { /* the octet that only keeps it positive */
		s.p++;
		s.n--;
	}
	enc_hex(out, s.p, MIN(s.n, (size_t)64));
}

enum err_code
pki_certs_add(struct pki_certs *cs, const struct pki_cert *c, struct err *e)
{
	struct pki_cert **v = grow(cs->v, cs->n, &cs->cap, sizeof *v);

	if (v == NULL)
		return err_no_memory(e);
	cs->v = v;
	cs->v[cs->n++] = pki_cert_ref(c);
	return ERR_OK;
}

static void
certs_cut(struct pki_certs *cs, size_t n)
{
	while (cs->n > n)
		pki_cert_unref(cs->v[--cs->n]);
}

void
pki_certs_clear(struct pki_certs *cs)
{
	certs_cut(cs, 0);
	free(cs->v);
	*cs = PKI_CERTS_NONE;
}

static enum err_code
add_der(struct pki_certs *cs, const void *der, size_t n, size_t max, struct err *e)
{
	struct pki_cert *c = NULL;

	if (cs->n >= MIN(max, (size_t)PKI_BUNDLE_CERTS))
		return err_set(
		    e, ERR_LIMIT, "more than %zu certificates", MIN(max, (size_t)PKI_BUNDLE_CERTS));
	enum err_code rc = pki_cert_parse(der, n, &c, e);
	if (rc == ERR_OK)
		rc = pki_certs_add(cs, c, e);
	pki_cert_unref(c);
	return rc;
}

static enum err_code
add_blocks(struct pki_certs *cs, const void *text, size_t n, size_t max, struct err *e)
{
	struct rbuf in = rbuf_make(text, n);
	struct pem_block b = { .label = "" };
	enum err_code rc;
	size_t number = 0;

	while ((rc = pem_next(&in, &b, e)) == ERR_OK) {
		number++;
		if (strcmp(b.label, "CERTIFICATE") == 0 || strcmp(b.label, "X509 CERTIFICATE") == 0)
			rc = add_der(cs, b.der.data, b.der.len, max, e);
		pem_block_clear(&b);
		if (rc != ERR_OK)
			return err_wrap(e, "block %zu", number);
	}
	return rc == ERR_NOT_FOUND ? ERR_OK : err_wrap(e, "block %zu", number + 1);
}

enum err_code
pki_certs_parse(struct pki_certs *cs, const void *text, size_t n, size_t max, struct err *e)
{
	size_t had = cs->n;

	if (n > PKI_BUNDLE_MAX)
		return err_set(e, ERR_LIMIT, "%zu bytes, at most %zu are read", n, PKI_BUNDLE_MAX);
	enum err_code rc =
	    pem_is(text, n) ? add_blocks(cs, text, n, max, e) : add_der(cs, text, n, max, e);
	if (rc == ERR_OK && cs->n == had)
		rc = err_set(e, ERR_NOT_FOUND, "no certificate in it");
	if (rc != ERR_OK)
		certs_cut(cs, had);
	return rc;
}

enum err_code
pki_certs_load(struct pki_certs *cs, const char *file, size_t max, struct err *e)
{
	struct secret text = SECRET_NONE;
	enum err_code rc = pem_read_file(file, PKI_BUNDLE_MAX, &text, e);

	if (rc == ERR_OK) {
		rc = pki_certs_parse(cs, text.data, text.len, max, e);
		if (rc != ERR_OK)
			rc = err_wrap(e, "%s", file);
	}
	secret_clear(&text);
	return rc;
}
