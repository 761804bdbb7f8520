#include "pki/issue.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

#include "pki/status.h"

#define SERIAL_LEN 16

static enum err_code
failed(struct err *e, const char *what, int r)
{
	return err_set(e, r == GNUTLS_E_MEMORY_ERROR ? ERR_NO_MEMORY : ERR_CRYPTO, "%s: %s", what,
	    gnutls_strerror(r));
}

/* ---- the parts of a certificate ---- */

/* 16 octets, positive and never shorter. */
static int
set_serial(gnutls_x509_crt_t c)
{
	struct secret s = SECRET_NONE;
	int r = GNUTLS_E_RANDOM_FAILED;

	if (secret_random(&s, SERIAL_LEN, NULL) == ERR_OK) {
		s.data[0] = (uint8_t)((s.data[0] & 0x7f) | 0x40);
		r = gnutls_x509_crt_set_serial(c, s.data, s.len);
	}
	secret_clear(&s);
	return r;
}

static enum err_code
set_name(gnutls_x509_crt_t c, const char *name, struct err *e)
{
	static const struct {
		const char *prefix;
		gnutls_x509_subject_alt_name_t kind;
	} kinds[] = { { "dns:", GNUTLS_SAN_DNSNAME }, { "ip:", GNUTLS_SAN_IPADDRESS },
		{ "uri:", GNUTLS_SAN_URI }, { "email:", GNUTLS_SAN_RFC822NAME } };

	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);
		const char *value = name + n;
		uint8_t ip[16];
		unsigned len;

		if (strncmp(name, kinds[i].prefix, n) != 0 || *value == '\0')
			continue;
		if (kinds[i].kind != GNUTLS_SAN_IPADDRESS)
			len = (unsigned)strlen(value);
		else if (inet_pton(AF_INET, value, ip) == 1)
			len = 4;
		else if (inet_pton(AF_INET6, value, ip) == 1)
			len = 16;
		else
			break;
		int r = gnutls_x509_crt_set_subject_alt_name(c, kinds[i].kind,
		    kinds[i].kind == GNUTLS_SAN_IPADDRESS ? (const void *)ip : value, len,
		    GNUTLS_FSAN_APPEND);
		return r < 0 ? failed(e, name, r) : ERR_OK;
	}
	return err_set(e, ERR_INVALID,
	    "name \"%.80s\": not dns:HOST, ip:ADDRESS, uri:URI or email:LOCAL@HOST", name);
}

static int
set_purpose(gnutls_x509_crt_t c, const struct pki_issue *what)
{
	static const char *const purposes[] = { [PKI_ISSUE_CA] = NULL,
		[PKI_ISSUE_CLIENT] = GNUTLS_KP_TLS_WWW_CLIENT,
		[PKI_ISSUE_SERVER] = GNUTLS_KP_TLS_WWW_SERVER };
	bool ca = what->kind == PKI_ISSUE_CA;
	int r = gnutls_x509_crt_set_basic_constraints(c, ca, ca ? what->path_len : -1);

	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(
		    c, ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
		          : GNUTLS_KEY_DIGITAL_SIGNATURE);
	if (r >= 0 && !ca)
		r = gnutls_x509_crt_set_key_purpose_oid(c, purposes[what->kind], 0);
	return r;
}

static int
set_urls(gnutls_x509_crt_t c, const struct pki_issue *what)
{
	int r = 0;

	if (what->ocsp_url != NULL) {
		gnutls_datum_t d = { (unsigned char *)(uintptr_t)what->ocsp_url,
			(unsigned)strlen(what->ocsp_url) };

		r = gnutls_x509_crt_set_authority_info_access(c, GNUTLS_IA_OCSP_URI, &d);
	}
	if (r >= 0 && what->crl_url != NULL)
		r = gnutls_x509_crt_set_crl_dist_points2(
		    c, GNUTLS_SAN_URI, what->crl_url, (unsigned)strlen(what->crl_url), 0);
	return r;
}

/* Key identifiers as section 4.2.1.2 (1) makes them: SHA-1 of the key's bits. */
static int
set_key_ids(gnutls_x509_crt_t c, const struct pki_spki *key, const struct pki_cert *ca)
{
	uint8_t own[PKI_SHA1_LEN], issuer[PKI_SHA1_LEN];
	struct pki_blob aki = { own, sizeof own };

	if (pki_sha1(key->bits, own, NULL) != ERR_OK)
		return GNUTLS_E_HASH_FAILED;
	if (ca != NULL && ca->ski.n > 0)
		aki = ca->ski;
	else if (ca != NULL) {
		if (pki_sha1(ca->spki.bits, issuer, NULL) != ERR_OK)
			return GNUTLS_E_HASH_FAILED;
		aki = (struct pki_blob){ issuer, sizeof issuer };
	}
	int r = gnutls_x509_crt_set_subject_key_id(c, own, sizeof own);
	return r < 0 ? r : gnutls_x509_crt_set_authority_key_id(c, aki.p, aki.n);
}

static int
set_public(gnutls_x509_crt_t c, struct pki_blob spki)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)spki.p, (unsigned)spki.n };
	gnutls_pubkey_t public = NULL;
	int r = gnutls_pubkey_init(&public);

	if (r >= 0)
		r = gnutls_pubkey_import(public, &d, GNUTLS_X509_FMT_DER);
	if (r >= 0)
		r = gnutls_x509_crt_set_pubkey(c, public);
	if (public != NULL)
		gnutls_pubkey_deinit(public);
	return r;
}

static int
set_dates(gnutls_x509_crt_t c, const struct pki_issue *what, const struct pki_cert *ca)
{
	int64_t from = what->not_before, to = what->not_after;

	if (ca != NULL) {
		from = MAX(from, ca->not_before);
		to = MIN(to, ca->not_after);
	}
	int r = from >= to ? GNUTLS_E_INVALID_REQUEST
	                   : gnutls_x509_crt_set_activation_time(c, (time_t)from);
	return r < 0 ? r : gnutls_x509_crt_set_expiration_time(c, (time_t)to);
}

/* A Name goes in as its text of RFC 4514, which the library gives and takes in the same order. */
static int
set_subject(gnutls_x509_crt_t c, const struct pki_issue *what)
{
	gnutls_datum_t der = { (unsigned char *)(uintptr_t)what->subject_name.p,
		(unsigned)what->subject_name.n };
	gnutls_datum_t text = { NULL, 0 };
	gnutls_x509_dn_t dn = NULL;
	const char *bad = NULL;

	if (what->subject_name.n == 0)
		return what->subject == NULL ? GNUTLS_E_INVALID_REQUEST
		                             : gnutls_x509_crt_set_dn(c, what->subject, &bad);
	int r = gnutls_x509_dn_init(&dn);
	if (r >= 0)
		r = gnutls_x509_dn_import(dn, &der);
	if (r >= 0)
		r = gnutls_x509_dn_get_str2(dn, &text, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_dn(c, (const char *)text.data, &bad);
	gnutls_free(text.data);
	if (dn != NULL)
		gnutls_x509_dn_deinit(dn);
	return r;
}

static enum err_code
fill(gnutls_x509_crt_t c, const struct pki_issue *what, const struct pki_spki *key,
    const struct pki_cert *ca, struct err *e)
{
	enum err_code rc = ERR_OK;
	int r = set_subject(c, what);

	if (r < 0)
		return err_set(e, ERR_INVALID,
		    "subject \"%.120s\": not a name like CN=dev,O=Example",
		    what->subject != NULL ? what->subject : "");
	for (size_t i = 0; rc == ERR_OK && i < what->n_names; i++)
		rc = set_name(c, what->names[i], e);
	if (rc != ERR_OK)
		return rc;
	r = gnutls_x509_crt_set_version(c, 3);
	if (r >= 0)
		r = set_serial(c);
	if (r >= 0)
		r = set_public(c, key->der);
	if (r >= 0)
		r = set_purpose(c, what);
	if (r >= 0)
		r = set_key_ids(c, key, ca);
	if (r >= 0)
		r = set_urls(c, what);
	if (r < 0)
		return failed(e, "certificate", r);
	return set_dates(c, what, ca) < 0
	           ? err_set(
	                 e, ERR_REFUSED, "no time is left between its dates and those of the CA")
	           : ERR_OK;
}

/* ---- who may sign what ---- */

static enum err_code
check_issuer(const struct pki_issue *what, struct pki_blob spki, const struct pki_cert *ca,
    const struct pki_key *key, struct err *e)
{
	if (!blob_equal(pki_key_public(key), ca == NULL ? spki : ca->spki.der))
		return err_set(
		    e, ERR_REFUSED, "the signing key is not that of the CA's certificate");
	if (ca == NULL)
		return ERR_OK;
	if (!ca->is_ca ||
	    ((ca->has & PKI_EXT_KEY_USAGE) != 0 && (ca->key_usage & PKI_KU_CERT_SIGN) == 0))
		return err_set(e, ERR_REFUSED, "the issuer's certificate is none of a CA");
	if (what->kind == PKI_ISSUE_CA && ca->path_len == 0)
		return err_set(e, ERR_REFUSED, "the CA may have no CA below it (path length 0)");
	return ERR_OK;
}

static gnutls_digest_algorithm_t
digest_for(const struct pki_key *key)
{
	struct pki_spki s = { .kind = PKI_KEY_OTHER };

	(void)pki_spki_parse(pki_key_public(key), &s, NULL);
	if (s.kind == PKI_KEY_P384)
		return GNUTLS_DIG_SHA384;
	return s.kind == PKI_KEY_ED25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256;
}

static int
import_cert(gnutls_x509_crt_t *out, const struct pki_cert *c)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)c->der.p, (unsigned)c->der.n };
	int r = gnutls_x509_crt_init(out);

	return r < 0 ? r : gnutls_x509_crt_import(*out, &d, GNUTLS_X509_FMT_DER);
}

static enum err_code
sign(gnutls_x509_crt_t c, const struct pki_cert *ca, const struct pki_key *key, struct secret *der,
    struct err *e)
{
	gnutls_x509_crt_t issuer = NULL;
	gnutls_datum_t out = { NULL, 0 };
	int r = ca != NULL ? import_cert(&issuer, ca) : 0;

	if (r >= 0)
		r = gnutls_x509_crt_privkey_sign(
		    c, issuer != NULL ? issuer : c, pki_key_handle(key), digest_for(key), 0);
	if (r >= 0)
		r = gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_DER, &out);
	enum err_code rc =
	    r < 0 ? failed(e, "signature", r) : secret_set(der, out.data, out.size, e);
	gnutls_free(out.data);
	if (issuer != NULL)
		gnutls_x509_crt_deinit(issuer);
	return rc;
}

/* What comes out is read by our own reader, and its signature checked: nothing leaves unseen. */
static enum err_code
look_again(const struct secret *der, const struct pki_key *key, struct err *e)
{
	struct pki_cert *c = NULL;
	struct pki_spki signer;
	enum err_code rc = pki_cert_parse(der->data, der->len, &c, e);

	if (rc == ERR_OK)
		rc = pki_spki_parse(pki_key_public(key), &signer, e);
	if (rc == ERR_OK && !pki_sig_verify(&signer, c->sig_kind, c->tbs, c->signature))
		rc = err_set(e, ERR_CRYPTO, "the signature that was made is not good");
	pki_cert_unref(c);
	return rc;
}

enum err_code
pki_issue_cert(const struct pki_issue *what, struct pki_blob spki, const struct pki_cert *ca,
    const struct pki_key *key, struct secret *der, struct err *e)
{
	gnutls_x509_crt_t c = NULL;
	struct pki_spki public;
	enum err_code rc = pki_spki_parse(spki, &public, e);

	if (rc == ERR_OK)
		rc = pki_spki_check(&public, e);
	if (rc == ERR_OK)
		rc = check_issuer(what, spki, ca, key, e);
	if (rc == ERR_OK && gnutls_x509_crt_init(&c) < 0)
		rc = err_no_memory(e);
	if (rc == ERR_OK)
		rc = fill(c, what, &public, ca, e);
	if (rc == ERR_OK)
		rc = sign(c, ca, key, der, e);
	if (rc == ERR_OK)
		rc = look_again(der, key, e);
	if (rc != ERR_OK)
		secret_clear(der);
	if (c != NULL)
		gnutls_x509_crt_deinit(c);
	return rc;
}

/* ---- revocation lists ---- */

bool
pki_crl_reason_of(const char *name, unsigned *out)
{
	static const unsigned given[] = { 0, 1, 2, 3, 4, 5, 6, 9 };

	for (size_t i = 0; i < N_ELEMS(given); i++) {
		if (strcmp(pki_crl_reason_name((int)given[i]), name) == 0) {
			*out = given[i];
			return true;
		}
	}
	return false;
}

static int
fill_crl(gnutls_x509_crl_t crl, const struct pki_crl_entry *v, size_t n, uint64_t number,
    int64_t this_update, int64_t next_update, const struct pki_cert *ca)
{
	uint8_t octets[9] = { 0 }, id[PKI_SHA1_LEN];
	int r = gnutls_x509_crl_set_version(crl, 2);

	for (size_t i = 0; i < 8; i++)
		octets[8 - i] = (uint8_t)(number >> (8 * i));
	if (r >= 0)
		r = gnutls_x509_crl_set_this_update(crl, (time_t)this_update);
	if (r >= 0)
		r = gnutls_x509_crl_set_next_update(crl, (time_t)next_update);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = gnutls_x509_crl_set_crt_serial(
		    crl, v[i].serial.p, v[i].serial.n, (time_t)v[i].at);
	if (r >= 0)
		r = gnutls_x509_crl_set_number(crl, octets, sizeof octets);
	if (r >= 0 && ca->ski.n == 0 && pki_sha1(ca->spki.bits, id, NULL) != ERR_OK)
		r = GNUTLS_E_HASH_FAILED;
	if (r >= 0)
		r = gnutls_x509_crl_set_authority_key_id(
		    crl, ca->ski.n > 0 ? ca->ski.p : id, ca->ski.n > 0 ? ca->ski.n : sizeof id);
	return r;
}

enum err_code
pki_issue_crl(const struct pki_crl_entry *v, size_t n, uint64_t number, int64_t this_update,
    int64_t next_update, const struct pki_cert *ca, const struct pki_key *key, struct secret *der,
    struct err *e)
{
	gnutls_x509_crl_t crl = NULL;
	gnutls_x509_crt_t issuer = NULL;
	gnutls_datum_t out = { NULL, 0 };

	if (!blob_equal(pki_key_public(key), ca->spki.der))
		return err_set(
		    e, ERR_REFUSED, "the signing key is not that of the CA's certificate");
	int r = gnutls_x509_crl_init(&crl);
	if (r >= 0)
		r = import_cert(&issuer, ca);
	if (r >= 0)
		r = fill_crl(crl, v, n, number, this_update, next_update, ca);
	if (r >= 0)
		r = gnutls_x509_crl_privkey_sign(
		    crl, issuer, pki_key_handle(key), digest_for(key), 0);
	if (r >= 0)
		r = gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_DER, &out);
	enum err_code rc =
	    r < 0 ? failed(e, "revocation list", r) : secret_set(der, out.data, out.size, e);
	gnutls_free(out.data);
	if (issuer != NULL)
		gnutls_x509_crt_deinit(issuer);
	if (crl != NULL)
		gnutls_x509_crl_deinit(crl);
	return rc;
}
