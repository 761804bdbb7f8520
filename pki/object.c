#include "pki/object.h"

#include <stdlib.h>
#include <string.h>

#include "pki/key.h"

typedef enum err_code read_fn(struct pki_object *o, const struct secret *der, struct err *e);

static enum err_code
read_cert(struct pki_object *o, const struct secret *der, struct err *e)
{
	enum err_code rc = pki_cert_parse(der->data, der->len, &o->cert, e);

	if (rc == ERR_OK)
		o->spki = o->cert->spki;
	return rc;
}

/* The object keeps a copy of the bytes; *whole is the content of the SEQUENCE that they are. */
static enum err_code
keep(struct pki_object *o, const struct secret *der, struct der *whole, struct err *e)
{
	enum err_code rc = secret_copy(&o->der, der, e);
	struct der d = der_make((struct pki_blob){ o->der.data, o->der.len });

	*whole = der_enter(&d, DER_SEQUENCE);
	return rc == ERR_OK && !der_end(&d) ? err_set(e, ERR_PARSE, "not DER") : rc;
}

/* What is signed, and the algorithm and signature behind it. */
static bool
read_signed(
    struct der *whole, struct pki_blob *tbs, enum pki_sig_kind *kind, struct pki_blob *signature)
{
	unsigned unused;

	*tbs = der_take_whole(whole, NULL);
	*kind = pki_sig_kind_of(der_take_whole(whole, NULL));
	*signature = der_bits(whole, DER_BIT_STRING, &unused);
	return der_end(whole);
}

static enum err_code
read_request(struct pki_object *o, const struct secret *der, struct err *e)
{
	struct der whole;
	struct pki_blob tbs, signature;
	enum pki_sig_kind kind;
	enum err_code rc = keep(o, der, &whole, e);

	if (rc != ERR_OK)
		return rc;
	bool ok = read_signed(&whole, &tbs, &kind, &signature);
	struct der outer = der_make(tbs), info = der_enter(&outer, DER_SEQUENCE);
	(void)der_uint(&info, DER_INTEGER, 0);
	o->name = der_take_whole(&info, NULL);
	struct pki_blob spki = der_take_whole(&info, NULL);
	(void)der_enter(&info, DER_CONTEXT_CONS(0));
	if (!ok || !der_end(&info) || !pki_dn_valid(o->name))
		return err_set(e, ERR_PARSE, "not a certificate request");
	rc = pki_spki_parse(spki, &o->spki, e);
	o->proved = rc == ERR_OK && pki_sig_verify(&o->spki, kind, tbs, signature);
	return rc;
}

static bool
count_entries(struct der *tbs, size_t *n)
{
	struct der list = der_enter(tbs, DER_SEQUENCE);

	for (; der_more(&list); ++*n)
		(void)der_enter(&list, DER_SEQUENCE);
	return der_end(&list);
}

static enum err_code
read_crl(struct pki_object *o, const struct secret *der, struct err *e)
{
	struct der whole;
	struct pki_blob tbs, signature, extensions;
	enum pki_sig_kind kind;
	enum err_code rc = keep(o, der, &whole, e);

	if (rc != ERR_OK)
		return rc;
	bool ok = read_signed(&whole, &tbs, &kind, &signature);
	struct der outer = der_make(tbs), d = der_enter(&outer, DER_SEQUENCE);
	if (der_peek(&d) == DER_INTEGER)
		(void)der_uint(&d, DER_INTEGER, 1);
	(void)der_enter(&d, DER_SEQUENCE);
	o->name = der_take_whole(&d, NULL);
	o->this_update = der_time(&d);
	o->has_next = der_peek(&d) == DER_UTC_TIME || der_peek(&d) == DER_GENERALIZED_TIME;
	if (o->has_next)
		o->next_update = der_time(&d);
	if (der_peek(&d) == DER_SEQUENCE)
		ok = count_entries(&d, &o->revoked) && ok;
	(void)der_take_optional(&d, DER_CONTEXT_CONS(0), &extensions);
	if (!ok || !der_end(&d) || !pki_dn_valid(o->name))
		return err_set(e, ERR_PARSE, "not a revocation list");
	return ERR_OK;
}

static enum err_code
read_public_key(struct pki_object *o, const struct secret *der, struct err *e)
{
	enum err_code rc = secret_copy(&o->der, der, e);

	return rc == ERR_OK
	           ? pki_spki_parse((struct pki_blob){ o->der.data, o->der.len }, &o->spki, e)
	           : rc;
}

static enum err_code
read_private_key(struct pki_object *o, const struct secret *der, struct err *e)
{
	enum err_code rc = pki_key_read(der->data, der->len, NULL, &o->der, e);

	return rc == ERR_OK
	           ? pki_spki_parse((struct pki_blob){ o->der.data, o->der.len }, &o->spki, e)
	           : rc;
}

static enum err_code
read_nothing(struct pki_object *o, const struct secret *der, struct err *e)
{
	(void)o;
	(void)der;
	(void)e;
	return ERR_OK;
}

/* clang-format off */
static const struct {
	const char *name;
	read_fn *read;
} kinds[] = {
	[PKI_OBJECT_CERT] = { "certificate", read_cert },
	[PKI_OBJECT_REQUEST] = { "request", read_request },
	[PKI_OBJECT_CRL] = { "crl", read_crl },
	[PKI_OBJECT_PUBLIC_KEY] = { "public_key", read_public_key },
	[PKI_OBJECT_PRIVATE_KEY] = { "private_key", read_private_key },
	[PKI_OBJECT_ENCRYPTED_KEY] = { "encrypted_key", read_nothing },
	[PKI_OBJECT_OTHER] = { "other", read_nothing },
};

static const struct {
	const char *label;
	enum pki_object_kind kind;
} labels[] = {
	{ "CERTIFICATE", PKI_OBJECT_CERT },
	{ "X509 CERTIFICATE", PKI_OBJECT_CERT },
	{ "CERTIFICATE REQUEST", PKI_OBJECT_REQUEST },
	{ "NEW CERTIFICATE REQUEST", PKI_OBJECT_REQUEST },
	{ "X509 CRL", PKI_OBJECT_CRL },
	{ "PUBLIC KEY", PKI_OBJECT_PUBLIC_KEY },
	{ "PRIVATE KEY", PKI_OBJECT_PRIVATE_KEY },
	{ "EC PRIVATE KEY", PKI_OBJECT_PRIVATE_KEY },
	{ "RSA PRIVATE KEY", PKI_OBJECT_PRIVATE_KEY },
	{ "ENCRYPTED PRIVATE KEY", PKI_OBJECT_ENCRYPTED_KEY },
};
/* clang-format on */

const char *
pki_object_kind_name(enum pki_object_kind kind)
{
	return kinds[kind].name;
}

static void
object_clear(struct pki_object *o)
{
	pki_cert_unref(o->cert);
	secret_clear(&o->der);
	*o = (struct pki_object){ .kind = PKI_OBJECT_OTHER };
}

static enum err_code
add(struct pki_objects *os, struct pki_object *o, struct err *e)
{
	struct pki_object *v = os->n < PKI_OBJECTS ? grow(os->v, os->n, &os->cap, sizeof *v) : NULL;

	if (v == NULL) {
		object_clear(o);
		return os->n < PKI_OBJECTS
		           ? err_no_memory(e)
		           : err_set(e, ERR_LIMIT, "more than %d in one file", PKI_OBJECTS);
	}
	os->v = v;
	os->v[os->n++] = *o;
	return ERR_OK;
}

static enum err_code
add_block(struct pki_objects *os, const struct pem_block *b, struct err *e)
{
	struct pki_object o = { .kind = PKI_OBJECT_OTHER };

	for (size_t i = 0; i < N_ELEMS(labels); i++)
		if (strcmp(labels[i].label, b->label) == 0)
			o.kind = labels[i].kind;
	memcpy(o.label, b->label, sizeof o.label);
	enum err_code rc = kinds[o.kind].read(&o, &b->der, e);
	if (rc == ERR_OK)
		return add(os, &o, e);
	object_clear(&o);
	return rc;
}

static enum err_code
add_blocks(struct pki_objects *os, const struct secret *text, struct err *e)
{
	struct rbuf in = rbuf_make(text->data, text->len);
	struct pem_block b = { .label = "" };
	enum err_code rc;
	size_t number = 1;

	for (; (rc = pem_next(&in, &b, e)) == ERR_OK; number++) {
		rc = add_block(os, &b, e);
		pem_block_clear(&b);
		if (rc != ERR_OK)
			break;
	}
	return rc == ERR_NOT_FOUND ? ERR_OK : err_wrap(e, "block %zu", number);
}

/* Whichever kind takes it. */
static enum err_code
add_der(struct pki_objects *os, const struct secret *der, struct err *e)
{
	for (size_t kind = 0; kind < PKI_OBJECT_ENCRYPTED_KEY; kind++) {
		struct pki_object o = { .kind = (enum pki_object_kind)kind };

		if (kinds[kind].read(&o, der, NULL) == ERR_OK)
			return add(os, &o, e);
		object_clear(&o);
	}
	return err_set(e, ERR_PARSE, "neither PEM nor DER of a certificate, request, CRL or key");
}

enum err_code
pki_objects_parse(struct pki_objects *os, const void *text, size_t n, struct err *e)
{
	struct secret copy = SECRET_NONE;
	enum err_code rc;

	*os = (struct pki_objects){ NULL, 0, 0 };
	if (n > PKI_OBJECT_MAX)
		return err_set(e, ERR_LIMIT, "%zu bytes, at most %zu are read", n, PKI_OBJECT_MAX);
	rc = secret_set(&copy, text, n, e);
	if (rc == ERR_OK)
		rc = pem_is(text, n) ? add_blocks(os, &copy, e) : add_der(os, &copy, e);
	secret_clear(&copy);
	if (rc != ERR_OK)
		pki_objects_clear(os);
	return rc;
}

enum err_code
pki_objects_load(struct pki_objects *os, const char *file, struct err *e)
{
	struct secret text = SECRET_NONE;
	enum err_code rc = pem_read_file(file, PKI_OBJECT_MAX, &text, e);

	*os = (struct pki_objects){ NULL, 0, 0 };
	if (rc == ERR_OK) {
		rc = pki_objects_parse(os, text.data, text.len, e);
		if (rc != ERR_OK)
			rc = err_wrap(e, "%s", file);
	}
	secret_clear(&text);
	return rc;
}

void
pki_objects_clear(struct pki_objects *os)
{
	for (size_t i = 0; i < os->n; i++)
		object_clear(&os->v[i]);
	free(os->v);
	*os = (struct pki_objects){ NULL, 0, 0 };
}
