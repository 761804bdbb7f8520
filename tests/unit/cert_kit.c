#include "tests/unit/cert_kit.h"

#include <check.h>
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/util.h"

#define DAY 86400
#define FILES_MAX 16

struct issuer {
	const char *name;
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	char pem[4096];
};

static struct issuer roots[] = { { .name = "factory" }, { .name = "foreign" } };
static char folder[64], files[FILES_MAX][128];
static size_t n_files;

static void
must(int rc)
{
	ck_assert_msg(rc >= 0, "%s", gnutls_strerror(rc));
}

static gnutls_x509_privkey_t
new_key(void)
{
	gnutls_x509_privkey_t key;

	must(gnutls_x509_privkey_init(&key));
	must(gnutls_x509_privkey_generate(
	    key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	return key;
}

static void
set_key_ids(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca)
{
	uint8_t id[64];
	size_t n = sizeof id;

	must(gnutls_x509_crt_get_key_id(crt, 0, id, &n));
	must(gnutls_x509_crt_set_subject_key_id(crt, id, n));
	n = sizeof id;
	must(gnutls_x509_crt_get_key_id(ca, 0, id, &n));
	must(gnutls_x509_crt_set_authority_key_id(crt, id, n));
}

static gnutls_x509_crt_t
begin(const char *cn, gnutls_x509_privkey_t key, time_t from, time_t to)
{
	static uint64_t serial = 0x1000;
	gnutls_x509_crt_t crt;
	uint8_t number[8];

	serial++;
	for (size_t i = 0; i < sizeof number; i++)
		number[i] = (uint8_t)(serial >> (8 * (7 - i)));
	number[0] = 1;
	must(gnutls_x509_crt_init(&crt));
	must(gnutls_x509_crt_set_version(crt, 3));
	must(gnutls_x509_crt_set_serial(crt, number, sizeof number));
	must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)strlen(cn)));
	must(gnutls_x509_crt_set_activation_time(crt, from));
	must(gnutls_x509_crt_set_expiration_time(crt, to));
	must(gnutls_x509_crt_set_key(crt, key));
	return crt;
}

static void
put_pem(struct gbuf *out, gnutls_x509_crt_t crt)
{
	gnutls_datum_t d;

	must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &d));
	gbuf_put(out, d.data, d.size);
	gnutls_free(d.data);
}

/* by NULL: signs itself. */
static void
make_ca(struct issuer *out, const char *cn, const struct issuer *by)
{
	time_t now = time(NULL);

	out->key = new_key();
	out->crt = begin(cn, out->key, now - 400 * DAY, now + 400 * DAY);
	const struct issuer *signer = by != NULL ? by : out;
	must(gnutls_x509_crt_set_basic_constraints(out->crt, 1, -1));
	must(gnutls_x509_crt_set_key_usage(out->crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
	set_key_ids(out->crt, signer->crt);
	must(gnutls_x509_crt_sign2(out->crt, signer->crt, signer->key, GNUTLS_DIG_SHA256, 0));
}

static struct issuer *
root(const char *name)
{
	struct gbuf pem = { 0 };
	size_t i = name != NULL && strcmp(name, roots[1].name) == 0;

	if (roots[i].crt == NULL) {
		make_ca(&roots[i], roots[i].name, NULL);
		put_pem(&pem, roots[i].crt);
		(void)snprintf(roots[i].pem, sizeof roots[i].pem, "%s", gbuf_cstr(&pem));
		gbuf_clear(&pem);
	}
	return &roots[i];
}

const char *
kit_ca(const char *ca)
{
	return root(ca)->pem;
}

static void
set_names(gnutls_x509_crt_t crt, const struct kit_spec *s)
{
	char name[201];

	if (s->uri != NULL)
		must(gnutls_x509_crt_set_subject_alt_name(
		    crt, GNUTLS_SAN_URI, s->uri, (unsigned)strlen(s->uri), GNUTLS_FSAN_APPEND));
	for (unsigned i = 0; i < s->names; i++) {
		for (size_t k = 0; k < sizeof name - 1; k++)
			name[k] = k % 50 == 49 ? '.' : (char)('a' + (i + k) % 26);
		name[sizeof name - 2] = 'x';
		name[sizeof name - 1] = '\0';
		must(gnutls_x509_crt_set_subject_alt_name(
		    crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_APPEND));
	}
}

static void
put_spki(struct gbuf *out, gnutls_x509_privkey_t key)
{
	gnutls_privkey_t priv;
	gnutls_pubkey_t pub;
	gnutls_datum_t d;

	must(gnutls_privkey_init(&priv));
	must(gnutls_privkey_import_x509(priv, key, 0));
	must(gnutls_pubkey_init(&pub));
	must(gnutls_pubkey_import_privkey(pub, priv, 0, 0));
	must(gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_DER, &d));
	gbuf_put(out, d.data, d.size);
	gnutls_free(d.data);
	gnutls_pubkey_deinit(pub);
	gnutls_privkey_deinit(priv);
}

void
kit_make(const struct kit_spec *s, struct kit_cert *out)
{
	struct issuer between[8] = { 0 };
	const struct issuer *by = root(s->ca);
	gnutls_x509_privkey_t key = new_key();
	time_t now = time(NULL);
	time_t to = now + (time_t)(s->days == 0 ? 10 : s->days) * DAY, from = MIN(now, to) - DAY;
	gnutls_datum_t d;

	*out = (struct kit_cert){ 0 };
	ck_assert_uint_le(s->between, N_ELEMS(between));
	for (unsigned i = 0; i < s->between; i++) {
		char cn[32];
		(void)snprintf(cn, sizeof cn, "%s between %u", root(s->ca)->name, i);
		make_ca(&between[i], cn, by);
		by = &between[i];
	}
	gnutls_x509_crt_t crt = begin(s->cn, key, from, to);
	must(gnutls_x509_crt_set_basic_constraints(crt, 0, -1));
	must(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE));
	if (s->purpose != KIT_NO_PURPOSE)
		must(gnutls_x509_crt_set_key_purpose_oid(
		    crt, s->purpose == KIT_CLIENT ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER, 0));
	set_names(crt, s);
	set_key_ids(crt, by->crt);
	must(gnutls_x509_crt_sign2(crt, by->crt, by->key, GNUTLS_DIG_SHA256, 0));
	put_pem(&out->chain, crt);
	gnutls_x509_crt_deinit(crt);
	for (unsigned i = s->between; i-- > 0;) {
		put_pem(&out->chain, between[i].crt);
		gnutls_x509_crt_deinit(between[i].crt);
		gnutls_x509_privkey_deinit(between[i].key);
	}
	must(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &d));
	gbuf_put(&out->key, d.data, d.size);
	gnutls_free(d.data);
	put_spki(&out->spki, key);
	gnutls_x509_privkey_deinit(key);
}

void
kit_clear(struct kit_cert *c)
{
	gbuf_clear(&c->chain);
	gbuf_clear(&c->key);
	gbuf_clear(&c->spki);
}

const char *
kit_file(const char *name, const char *text, unsigned mode)
{
	if (folder[0] == '\0') {
		(void)snprintf(folder, sizeof folder, "/tmp/cert_kit.XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(folder));
	}
	ck_assert_uint_lt(n_files, FILES_MAX);
	char *path = files[n_files++];
	(void)snprintf(path, sizeof files[0], "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

void
kit_end(void)
{
	while (n_files > 0)
		(void)unlink(files[--n_files]);
	if (folder[0] != '\0')
		(void)rmdir(folder);
	folder[0] = '\0';
	for (size_t i = 0; i < N_ELEMS(roots); i++)
		if (roots[i].crt != NULL) {
			gnutls_x509_crt_deinit(roots[i].crt);
			gnutls_x509_privkey_deinit(roots[i].key);
			roots[i].crt = NULL;
		}
}
