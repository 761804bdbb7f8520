#include "tests/unit/pki_forge.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/crypt.h"
#include "lib/base/enc.h"
#include "pki/der_write.h"
#include "pki/pem.h"

#define MUST(call)                                                                                 \
	do {                                                                                       \
		int must_r = (int)(call);                                                          \
		if (must_r < 0) {                                                                  \
			(void)fprintf(stderr, "pki_forge.c:%d: %s: %s\n", __LINE__, #call,         \
			    gnutls_strerror(must_r));                                              \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void
make_key(struct forge *k, enum forge_key kind)
{
	static const struct {
		gnutls_pk_algorithm_t pk;
		unsigned bits;
	} kinds[] = {
		[FORGE_P256] = { GNUTLS_PK_ECDSA,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) },
		[FORGE_P384] = { GNUTLS_PK_ECDSA,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1) },
		[FORGE_ED25519] = { GNUTLS_PK_EDDSA_ED25519,
		    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519) },
		[FORGE_RSA2048] = { GNUTLS_PK_RSA, 2048 },
		[FORGE_RSA1024] = { GNUTLS_PK_RSA, 1024 },
	};

	MUST(gnutls_x509_privkey_generate(k->key, kinds[kind].pk, kinds[kind].bits, 0));
}

static void
set_key_id(gnutls_x509_crt_t crt)
{
	uint8_t id[64];
	size_t n = sizeof id;

	MUST(gnutls_x509_crt_get_key_id(crt, 0, id, &n));
	MUST(gnutls_x509_crt_set_subject_key_id(crt, id, 20));
}

static void
set_names(gnutls_x509_crt_t c, const struct forge_opts *o)
{
	gnutls_x509_name_constraints_t nc;

	if (o->dns != NULL)
		MUST(gnutls_x509_crt_set_subject_alt_name(
		    c, GNUTLS_SAN_DNSNAME, o->dns, (unsigned)strlen(o->dns), GNUTLS_FSAN_APPEND));
	if (o->uri != NULL)
		MUST(gnutls_x509_crt_set_subject_alt_name(
		    c, GNUTLS_SAN_URI, o->uri, (unsigned)strlen(o->uri), GNUTLS_FSAN_APPEND));
	if (o->permitted == NULL && o->excluded == NULL)
		return;
	MUST(gnutls_x509_name_constraints_init(&nc));
	for (int i = 0; i < 2; i++) {
		const char *text = i == 0 ? o->permitted : o->excluded;
		gnutls_datum_t d = { (unsigned char *)gnutls_strdup(text != NULL ? text : ""),
			text != NULL ? (unsigned)strlen(text) : 0 };

		if (text != NULL)
			MUST(i == 0 ? gnutls_x509_name_constraints_add_permitted(
			                  nc, GNUTLS_SAN_DNSNAME, &d)
			            : gnutls_x509_name_constraints_add_excluded(
			                  nc, GNUTLS_SAN_DNSNAME, &d));
		gnutls_free(d.data);
	}
	MUST(gnutls_x509_crt_set_name_constraints(c, nc, 1));
	gnutls_x509_name_constraints_deinit(nc);
}

static void
set_policies(gnutls_x509_crt_t c, const struct forge_opts *o)
{
	static const uint8_t need[] = { 0x30, 0x03, 0x80, 0x01, 0x00 };

	if (o->policy != NULL) {
		gnutls_x509_policy_st p = { .oid = gnutls_strdup(o->policy) };
		MUST(gnutls_x509_crt_set_policy(c, &p, 0));
		gnutls_free(p.oid);
	}
	if (o->need_policy)
		MUST(gnutls_x509_crt_set_extension_by_oid(c, "2.5.29.36", need, sizeof need, 1));
	if (o->critical_oid != NULL)
		MUST(gnutls_x509_crt_set_extension_by_oid(c, o->critical_oid, "\x05", 2, 1));
	if (o->nocheck)
		MUST(gnutls_x509_crt_set_extension_by_oid(c, "1.3.6.1.5.5.7.48.1.5", "\x05", 2, 0));
}

static void
set_raw(gnutls_x509_crt_t c, const char *text)
{
	size_t n = strcspn(text, "=!"), m = strlen(text + n + 1);
	struct secret der = SECRET_NONE;
	char oid[64];

	MUST(n < sizeof oid && dec_hex(text + n + 1, m, &der, NULL) == ERR_OK ? 0 : -1);
	(void)snprintf(oid, sizeof oid, "%.*s", (int)n, text);
	MUST(gnutls_x509_crt_set_extension_by_oid(c, oid, der.data, der.len, text[n] == '!'));
	secret_clear(&der);
}

static void
set_extensions(gnutls_x509_crt_t c, const struct forge_opts *o)
{
	unsigned usage = o->usage != 0 ? o->usage
	                 : o->ca       ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
	                               : GNUTLS_KEY_DIGITAL_SIGNATURE;

	if (o->ca)
		MUST(gnutls_x509_crt_set_basic_constraints(c, 1, o->path_len - 1));
	if (usage != UINT32_MAX)
		MUST(gnutls_x509_crt_set_key_usage(c, usage));
	for (size_t i = 0; i < N_ELEMS(o->eku) && o->eku[i] != NULL; i++)
		MUST(gnutls_x509_crt_set_key_purpose_oid(c, o->eku[i], 0));
	for (size_t i = 0; i < N_ELEMS(o->ocsp) && o->ocsp[i] != NULL; i++) {
		gnutls_datum_t d = { (unsigned char *)gnutls_strdup(o->ocsp[i]),
			(unsigned)strlen(o->ocsp[i]) };
		MUST(gnutls_x509_crt_set_authority_info_access(c, GNUTLS_IA_OCSP_URI, &d));
		gnutls_free(d.data);
	}
	if (o->crl_dp != NULL)
		MUST(gnutls_x509_crt_set_crl_dist_points2(
		    c, GNUTLS_SAN_URI, o->crl_dp, (unsigned)strlen(o->crl_dp), 0));
	set_names(c, o);
	set_policies(c, o);
	for (size_t i = 0; o->raw != NULL && i < 3 && o->raw[i] != NULL; i++)
		set_raw(c, o->raw[i]);
}

static void
sign_crt(struct forge *k, const struct forge_opts *o)
{
	const struct forge *issuer = o->issuer != NULL ? o->issuer : k;
	const struct forge *signer = o->signer != NULL ? o->signer : issuer;
	bool ed = gnutls_x509_privkey_get_pk_algorithm(signer->key) == GNUTLS_PK_EDDSA_ED25519;
	uint8_t id[64];
	size_t n = sizeof id;

	if (o->issuer != NULL) {
		MUST(gnutls_x509_crt_get_subject_key_id(issuer->crt, id, &n, NULL));
		MUST(gnutls_x509_crt_set_authority_key_id(k->crt, id, n));
	}
	MUST(gnutls_x509_crt_sign2(k->crt, issuer->crt, signer->key,
	    ed        ? GNUTLS_DIG_SHA512
	    : o->sha1 ? GNUTLS_DIG_SHA1
	              : GNUTLS_DIG_SHA256,
	    0));
}

static void
finish(struct forge *k, bool broken_sig)
{
	gnutls_datum_t der;
	struct err e = { .code = ERR_OK };

	MUST(gnutls_x509_crt_export2(k->crt, GNUTLS_X509_FMT_DER, &der));
	if (broken_sig)
		der.data[der.size - 1] ^= 1;
	if (pki_cert_parse(der.data, der.size, &k->cert, &e) != ERR_OK) {
		(void)fprintf(stderr, "pki_forge: %s\n", e.msg);
		abort();
	}
	gnutls_free(der.data);
}

void
forge_make(struct forge *k, const struct forge_opts *o)
{
	int64_t now = o->now != 0 ? o->now : FORGE_NOW;
	uint8_t serial[16];

	MUST(crypt_random(serial, sizeof serial, NULL) == ERR_OK ? 0 : -1);
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
	MUST(gnutls_x509_privkey_init(&k->key));
	MUST(gnutls_x509_crt_init(&k->crt));
	if (o->rekey != NULL)
		MUST(gnutls_x509_privkey_cpy(k->key, o->rekey->key));
	else
		make_key(k, o->key);
	MUST(gnutls_x509_crt_set_version(k->crt, 3));
	MUST(gnutls_x509_crt_set_key(k->crt, k->key));
	MUST(gnutls_x509_crt_set_dn_by_oid(
	    k->crt, GNUTLS_OID_X520_COMMON_NAME, 0, o->cn, (unsigned)strlen(o->cn)));
	MUST(gnutls_x509_crt_set_serial(k->crt, o->serial != NULL ? o->serial : serial,
	    o->serial != NULL ? o->serial_len : sizeof serial));
	MUST(gnutls_x509_crt_set_activation_time(
	    k->crt, (time_t)(o->not_before != 0 ? o->not_before : now - 10 * FORGE_DAY)));
	MUST(gnutls_x509_crt_set_expiration_time(
	    k->crt, (time_t)(o->not_after != 0 ? o->not_after : now + 365 * FORGE_DAY)));
	set_key_id(k->crt);
	set_extensions(k->crt, o);
	sign_crt(k, o);
	finish(k, o->broken_sig);
}

void
forge_clear(struct forge *k)
{
	gnutls_x509_privkey_deinit(k->key);
	gnutls_x509_crt_deinit(k->crt);
	pki_cert_unref(k->cert);
	*k = (struct forge){ NULL, NULL, NULL };
}

void
forge_pem(const struct forge *k, struct gbuf *out)
{
	pem_write(out, "CERTIFICATE", k->cert->der.p, k->cert->der.n);
}

void
forge_key_pem(const struct forge *k, struct gbuf *out)
{
	gnutls_datum_t d;

	MUST(gnutls_x509_privkey_export2_pkcs8(
	    k->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &d));
	gbuf_put(out, d.data, d.size);
	gnutls_free(d.data);
}

/* --- DER ------------------------------------------------------------------------------------- */

static void
put_time(struct gbuf *out, int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm;
	char text[32];

	(void)gmtime_r(&at, &tm);
	(void)strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &tm);
	der_put(out, DER_GENERALIZED_TIME, text, strlen(text));
}

static void
put_utc_time(struct gbuf *out, int64_t t)
{
	struct gbuf text = { .max = 0 };

	put_time(&text, t); /* tag, length, century: left out */
	der_put(out, DER_UTC_TIME, text.data + 4, text.len - 4);
	gbuf_clear(&text);
}

static void
put_extension(
    struct gbuf *out, const void *oid, size_t n, bool critical, const void *value, size_t len)
{
	struct gbuf ext = { .max = 0 };

	der_put(&ext, DER_OID, oid, n);
	if (critical)
		der_put(&ext, DER_BOOLEAN, "\xff", 1);
	der_put(&ext, DER_OCTET_STRING, value, len);
	der_put_all(out, DER_SEQUENCE, &ext);
}

static const char oid_strange[] = "\x2a\x03\x04";

static void
put_algorithm(struct gbuf *out, const struct forge *signer, gnutls_digest_algorithm_t digest)
{
	static const struct {
		gnutls_pk_algorithm_t pk;
		gnutls_digest_algorithm_t digest;
		const char *oid;
		size_t n;
	} rows[] = {
		{ GNUTLS_PK_ECDSA, GNUTLS_DIG_SHA1, "\x2a\x86\x48\xce\x3d\x04\x01", 7 },
		{ GNUTLS_PK_ECDSA, GNUTLS_DIG_SHA256, "\x2a\x86\x48\xce\x3d\x04\x03\x02", 8 },
		{ GNUTLS_PK_ECDSA, GNUTLS_DIG_SHA384, "\x2a\x86\x48\xce\x3d\x04\x03\x03", 8 },
		{ GNUTLS_PK_RSA, GNUTLS_DIG_SHA1, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", 9 },
		{ GNUTLS_PK_RSA, GNUTLS_DIG_MD5, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", 9 },
		{ GNUTLS_PK_RSA, GNUTLS_DIG_SHA256, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9 },
		{ GNUTLS_PK_EDDSA_ED25519, GNUTLS_DIG_SHA512, "\x2b\x65\x70", 3 },
	};
	struct gbuf alg = { .max = 0 };
	int pk = gnutls_x509_privkey_get_pk_algorithm(signer->key);
	size_t i = 0;

	while (i < N_ELEMS(rows) && ((int)rows[i].pk != pk || rows[i].digest != digest))
		i++;
	MUST(i < N_ELEMS(rows) ? 0 : -1);
	der_put(&alg, DER_OID, rows[i].oid, rows[i].n);
	if (pk == GNUTLS_PK_RSA)
		der_put(&alg, DER_NULL, NULL, 0);
	der_put_all(out, DER_SEQUENCE, &alg);
}

static gnutls_digest_algorithm_t
digest_of(const struct forge *signer, gnutls_digest_algorithm_t wanted)
{
	if (gnutls_x509_privkey_get_pk_algorithm(signer->key) == GNUTLS_PK_EDDSA_ED25519)
		return GNUTLS_DIG_SHA512;
	return wanted != 0 ? wanted : GNUTLS_DIG_SHA256;
}

static void
put_signature(struct gbuf *out, const struct forge *signer, gnutls_digest_algorithm_t digest,
    const struct gbuf *tbs, bool bad)
{
	gnutls_datum_t data = { tbs->data, (unsigned)tbs->len }, sig;
	gnutls_privkey_t key;
	struct gbuf bits = { .max = 0 };

	MUST(gnutls_privkey_init(&key));
	MUST(gnutls_privkey_import_x509(key, signer->key, 0));
	MUST(gnutls_privkey_sign_data(key, digest, 0, &data, &sig));
	if (bad)
		sig.data[sig.size - 1] ^= 1;
	gbuf_u8(&bits, 0);
	gbuf_put(&bits, sig.data, sig.size);
	der_put_all(out, DER_BIT_STRING, &bits);
	gnutls_free(sig.data);
	gnutls_privkey_deinit(key);
}

/* --- OCSP ------------------------------------------------------------------------------------ */

static void
put_cert_id(struct gbuf *out, const struct forge_single *s)
{
	static const char *const oids[] = { "\x2b\x0e\x03\x02\x1a",
		"\x60\x86\x48\x01\x65\x03\x04\x02\x01", "\x2a\x03\x05" };
	static const size_t lens[] = { 5, 9, 3 };
	struct gbuf id = { .max = 0 }, alg = { .max = 0 };
	uint8_t name[32], key[32], serial[64] = { 0 };
	size_t n = s->hash == FORGE_SHA1 ? 20 : 32;

	MUST(gnutls_hash_fast(s->hash == FORGE_SHA1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256,
	    s->cert->issuer.p, s->cert->issuer.n, name));
	MUST(gnutls_hash_fast(s->hash == FORGE_SHA1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256,
	    s->issuer->spki.bits.p, s->issuer->spki.bits.n, key));
	memcpy(serial, s->cert->serial.p, s->cert->serial.n);
	name[0] ^= s->bad_name;
	key[0] ^= s->bad_key;
	serial[s->cert->serial.n - 1] ^= s->bad_serial;
	der_put(&alg, DER_OID, oids[s->hash], lens[s->hash]);
	der_put(&alg, DER_NULL, NULL, 0);
	der_put_all(&id, DER_SEQUENCE, &alg);
	der_put(&id, DER_OCTET_STRING, name, n);
	der_put(&id, DER_OCTET_STRING, key, n);
	der_put(&id, DER_INTEGER, serial, s->cert->serial.n);
	der_put_all(out, DER_SEQUENCE, &id);
}

static void
put_revoked(struct gbuf *out, const struct forge_single *s)
{
	struct gbuf info = { .max = 0 }, reason = { .max = 0 };
	uint8_t r = (uint8_t)(s->reason - 1);

	put_time(&info, s->revoked_at);
	if (s->reason > 0) {
		der_put(&reason, DER_ENUMERATED, &r, 1);
		der_put_all(&info, DER_CONTEXT_CONS(0), &reason);
	}
	der_put_all(out, DER_CONTEXT_CONS(1), &info);
}

static void
put_single(struct gbuf *out, const struct forge_single *s)
{
	struct gbuf one = { .max = 0 }, part = { .max = 0 }, list = { .max = 0 };

	put_cert_id(&one, s);
	if (s->status == PKI_STATUS_REVOKED)
		put_revoked(&one, s);
	else
		der_put(&one, DER_CONTEXT(s->status == PKI_STATUS_GOOD ? 0 : 2), NULL, 0);
	put_time(&one, s->this_update);
	if (s->next_update != 0) {
		put_time(&part, s->next_update);
		der_put_all(&one, DER_CONTEXT_CONS(0), &part);
	}
	if (s->critical) {
		put_extension(&list, oid_strange, 3, true, "\x05", 2);
		der_put_all(&part, DER_SEQUENCE, &list);
		der_put_all(&one, DER_CONTEXT_CONS(1), &part);
	}
	der_put_all(out, DER_SEQUENCE, &one);
}

static void
put_responder(struct gbuf *out, const struct forge_ocsp *o)
{
	struct gbuf id = { .max = 0 };
	uint8_t key[20];

	if (o->by_key) {
		MUST(gnutls_hash_fast(GNUTLS_DIG_SHA1, o->signer->cert->spki.bits.p,
		    o->signer->cert->spki.bits.n, key));
		der_put(&id, DER_OCTET_STRING, key, sizeof key);
		der_put_all(out, DER_CONTEXT_CONS(2), &id);
		return;
	}
	if (o->other_name != NULL) {
		struct gbuf attr = { .max = 0 }, set = { .max = 0 }, rdn = { .max = 0 };
		der_put(&attr, DER_OID, "\x55\x04\x03", 3);
		der_put(&attr, DER_UTF8_STRING, o->other_name, strlen(o->other_name));
		der_put_all(&set, DER_SEQUENCE, &attr);
		der_put_all(&rdn, DER_SET, &set);
		der_put_all(&id, DER_SEQUENCE, &rdn);
	} else {
		gbuf_put(&id, o->signer->cert->subject.p, o->signer->cert->subject.n);
	}
	der_put_all(out, DER_CONTEXT_CONS(1), &id);
}

static void
put_response_extensions(struct gbuf *out, const struct forge_ocsp *o)
{
	struct gbuf list = { .max = 0 }, part = { .max = 0 };

	if (o->nonce.n > 0)
		put_extension(&list, "\x2b\x06\x01\x05\x05\x07\x30\x01\x02", 9, false, o->nonce.p,
		    o->nonce.n);
	if (o->critical)
		put_extension(&list, oid_strange, 3, true, "\x05", 2);
	if (list.len > 0) {
		der_put_all(&part, DER_SEQUENCE, &list);
		der_put_all(out, DER_CONTEXT_CONS(1), &part);
	}
}

static void
put_data(struct gbuf *out, const struct forge_ocsp *o)
{
	struct gbuf data = { .max = 0 }, part = { .max = 0 };
	uint8_t version = (uint8_t)(o->version - 1);

	if (o->version > 0) {
		der_put(&part, DER_INTEGER, &version, 1);
		der_put_all(&data, DER_CONTEXT_CONS(0), &part);
	}
	put_responder(&data, o);
	put_time(&data, o->produced_at);
	for (size_t i = 0; i < o->n; i++)
		put_single(&part, &o->singles[i]);
	der_put_all(&data, DER_SEQUENCE, &part);
	put_response_extensions(&data, o);
	der_put_all(out, DER_SEQUENCE, &data);
}

static void
put_basic(struct gbuf *out, const struct forge_ocsp *o)
{
	struct gbuf basic = { .max = 0 }, tbs = { .max = 0 }, list = { .max = 0 },
	            all = { .max = 0 };
	gnutls_digest_algorithm_t digest = digest_of(o->signer, o->digest);

	put_data(&tbs, o);
	gbuf_put(&basic, tbs.data, tbs.len);
	put_algorithm(&basic, o->signer, digest);
	put_signature(&basic, o->signer, digest, &tbs, o->bad_signature);
	for (size_t i = 0; i < N_ELEMS(o->embed) && o->embed[i] != NULL; i++)
		gbuf_put(&list, o->embed[i]->cert->der.p, o->embed[i]->cert->der.n);
	if (list.len > 0) {
		der_put_all(&all, DER_SEQUENCE, &list);
		der_put_all(&basic, DER_CONTEXT_CONS(0), &all);
	}
	der_put_all(out, DER_SEQUENCE, &basic);
	gbuf_clear(&tbs);
}

void
forge_ocsp(const struct forge_ocsp *o, struct gbuf *out)
{
	struct gbuf whole = { .max = 0 }, bytes = { .max = 0 }, basic = { .max = 0 },
	            outer = { .max = 0 };
	uint8_t status = (uint8_t)o->response_status;

	der_put(&whole, DER_ENUMERATED, &status, 1);
	if (status == 0 && !o->no_bytes) {
		put_basic(&basic, o);
		der_put(&bytes, DER_OID,
		    o->other_type ? "\x2b\x06\x01\x05\x05\x07\x30\x01\x09"
		                  : "\x2b\x06\x01\x05\x05\x07\x30\x01\x01",
		    9);
		der_put_all(&bytes, DER_OCTET_STRING, &basic);
		der_put_all(&outer, DER_SEQUENCE, &bytes);
		der_put_all(&whole, DER_CONTEXT_CONS(0), &outer);
	}
	der_put_all(out, DER_SEQUENCE, &whole);
}

struct forge_ocsp
forge_answer(const struct forge *cert, const struct forge *issuer, const struct forge *signer,
    enum pki_status status, int64_t now)
{
	return (struct forge_ocsp){ .signer = signer,
		.embed = { signer == issuer ? NULL : signer },
		.singles = { { .cert = cert->cert,
		    .issuer = issuer->cert,
		    .status = status,
		    .this_update = now - 60,
		    .next_update = now + FORGE_DAY,
		    .revoked_at = now - 3600 } },
		.n = 1,
		.produced_at = now - 60 };
}

/* --- CRL ------------------------------------------------------------------------------------- */

static void
put_entry(struct gbuf *out, const struct forge_crl *o, struct pki_blob serial)
{
	struct gbuf entry = { .max = 0 }, list = { .max = 0 };
	uint8_t reason[] = { DER_ENUMERATED, 1, (uint8_t)(o->reason - 1) };

	der_put(&entry, DER_INTEGER, serial.p, serial.n);
	put_utc_time(&entry, o->this_update - 60);
	if (o->reason > 0)
		put_extension(&list, "\x55\x1d\x15", 3, false, reason, sizeof reason);
	if (o->critical_entry)
		put_extension(&list, oid_strange, 3, true, "\x05", 2);
	if (o->entry_issuer)
		put_extension(&list, "\x55\x1d\x1d", 3, true, "\x30", 2);
	if (list.len > 0)
		der_put_all(&entry, DER_SEQUENCE, &list);
	der_put_all(out, DER_SEQUENCE, &entry);
}

static void
put_entries(struct gbuf *out, const struct forge_crl *o)
{
	struct gbuf list = { .max = 0 };

	for (size_t i = 0; i < o->fill; i++) {
		uint8_t serial[] = { 0x01, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		put_entry(&list, o, (struct pki_blob){ serial, sizeof serial });
	}
	for (size_t i = 0; i < N_ELEMS(o->revoked) && o->revoked[i] != NULL; i++)
		put_entry(&list, o, o->revoked[i]->serial);
	if (list.len > 0)
		der_put_all(out, DER_SEQUENCE, &list);
	gbuf_clear(&list);
}

static void
put_idp(struct gbuf *out, const struct forge_crl *o)
{
	struct gbuf idp = { .max = 0 }, names = { .max = 0 }, point = { .max = 0 },
	            value = { .max = 0 };

	if (o->idp_uri != NULL)
		der_put(&names, DER_CONTEXT(6), o->idp_uri, strlen(o->idp_uri));
	if (o->idp_issuer)
		der_put(&names, DER_CONTEXT_CONS(4), o->issuer->cert->subject.p,
		    o->issuer->cert->subject.n);
	if (names.len > 0) {
		der_put_all(&point, DER_CONTEXT_CONS(0), &names);
		der_put_all(&idp, DER_CONTEXT_CONS(0), &point);
	}
	if (o->idp_flag != 0 && o->idp_flag < 3)
		der_put(&idp, DER_CONTEXT(o->idp_flag), "\xff", 1);
	if (o->idp_reasons)
		der_put(&idp, DER_CONTEXT(3), "\x06\x40", 2);
	if (o->idp_flag > 3)
		der_put(&idp, DER_CONTEXT(o->idp_flag), "\xff", 1);
	if (idp.len == 0)
		return;
	der_put_all(&value, DER_SEQUENCE, &idp);
	put_extension(out, "\x55\x1d\x1c", 3, true, value.data, value.len);
	if (o->idp_twice)
		put_extension(out, "\x55\x1d\x1c", 3, true, "\x30", 2);
	gbuf_clear(&value);
}

static void
put_crl_extensions(struct gbuf *out, const struct forge_crl *o)
{
	static const uint8_t number[] = { DER_INTEGER, 1, 7 };
	struct gbuf list = { .max = 0 }, all = { .max = 0 };

	if (!o->no_number)
		put_extension(&list, "\x55\x1d\x14", 3, o->critical_number, number, sizeof number);
	if (o->delta)
		put_extension(&list, "\x55\x1d\x1b", 3, true, number, sizeof number);
	if (o->critical)
		put_extension(&list, oid_strange, 3, true, "\x05", 2);
	put_idp(&list, o);
	if (list.len > 0 && !o->v1) {
		der_put_all(&all, DER_SEQUENCE, &list);
		der_put_all(out, DER_CONTEXT_CONS(0), &all);
	}
	gbuf_clear(&list);
}

void
forge_crl(const struct forge_crl *o, struct gbuf *out)
{
	const struct forge *signer = o->signer != NULL ? o->signer : o->issuer;
	gnutls_digest_algorithm_t digest = digest_of(signer, o->sha1 ? GNUTLS_DIG_SHA1 : 0);
	struct gbuf tbs = { .max = 0 }, signed_part = { .max = 0 }, whole = { .max = 0 };

	if (!o->v1)
		der_put(&tbs, DER_INTEGER, "\x01", 1);
	put_algorithm(&tbs, signer, digest);
	gbuf_put(&tbs, o->issuer->cert->subject.p, o->issuer->cert->subject.n);
	put_utc_time(&tbs, o->this_update);
	if (o->next_update != 0)
		put_utc_time(&tbs, o->next_update);
	put_entries(&tbs, o);
	put_crl_extensions(&tbs, o);
	der_put_all(&signed_part, DER_SEQUENCE, &tbs);
	gbuf_put(&whole, signed_part.data, signed_part.len);
	put_algorithm(&whole, signer, digest);
	put_signature(&whole, signer, digest, &signed_part, o->bad_signature);
	der_put_all(out, DER_SEQUENCE, &whole);
	gbuf_clear(&signed_part);
}
