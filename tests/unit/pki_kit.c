#include "tests/unit/pki_kit.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

#include "tests/unit/unit.h"

#define DAY 86400
#define GOOD(call) ck_assert_int_ge(call, 0)

enum { CA_KEY, SERVER_KEY, CLIENT_KEY, ED_KEY, KEYS };
enum { CA, SERVER, CLIENT, SOON, LATE, STAPLE, CERTS };

static struct {
	gnutls_x509_privkey_t key[KEYS];
	gnutls_x509_crt_t cert[CERTS];
	char pem[16][4096];
} kit;

static void
name_and_date(gnutls_x509_crt_t c, const char *cn, int key, int days)
{
	static uint8_t serial = 1;
	const uint8_t octets[2] = { 1, serial++ };

	GOOD(gnutls_x509_crt_set_version(c, 3));
	GOOD(gnutls_x509_crt_set_dn_by_oid(
	    c, GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)strlen(cn)));
	GOOD(gnutls_x509_crt_set_serial(c, octets, sizeof octets));
	GOOD(gnutls_x509_crt_set_activation_time(c, PKI_KIT_NOW - DAY));
	GOOD(gnutls_x509_crt_set_expiration_time(c, (time_t)PKI_KIT_NOW + (time_t)days * DAY));
	GOOD(gnutls_x509_crt_set_key(c, kit.key[key]));
}

/* RFC 7633: status_request */
static void
promise_staple(gnutls_x509_crt_t c)
{
	static const uint8_t features[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };

	GOOD(gnutls_x509_crt_set_extension_by_oid(
	    c, "1.3.6.1.5.5.7.1.24", features, sizeof features, 0));
}

static void
make_cert(int at, const char *cn, int key, int days, const char *purpose)
{
	gnutls_x509_crt_t c;

	GOOD(gnutls_x509_crt_init(&c));
	name_and_date(c, cn, key, days);
	GOOD(gnutls_x509_crt_set_basic_constraints(c, at == CA, -1));
	GOOD(gnutls_x509_crt_set_key_usage(c, at == CA
	                                          ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
	                                          : GNUTLS_KEY_DIGITAL_SIGNATURE));
	if (purpose != NULL)
		GOOD(gnutls_x509_crt_set_key_purpose_oid(c, purpose, 0));
	if (at == STAPLE)
		promise_staple(c);
	if (at == SERVER || at == STAPLE)
		GOOD(gnutls_x509_crt_set_subject_alt_name(
		    c, GNUTLS_SAN_DNSNAME, cn, (unsigned)strlen(cn), GNUTLS_FSAN_SET));
	GOOD(gnutls_x509_crt_sign2(
	    c, at == CA ? c : kit.cert[CA], kit.key[CA_KEY], GNUTLS_DIG_SHA256, 0));
	kit.cert[at] = c;
}

static void
make_all(void)
{
	for (int i = 0; i < KEYS; i++) {
		GOOD(gnutls_x509_privkey_init(&kit.key[i]));
		GOOD(gnutls_x509_privkey_generate(kit.key[i],
		    i == ED_KEY ? GNUTLS_PK_EDDSA_ED25519 : GNUTLS_PK_ECDSA,
		    i == ED_KEY ? 0 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	}
	make_cert(CA, "Root", CA_KEY, 365, NULL);
	make_cert(SERVER, "dm.example.com", SERVER_KEY, 365, GNUTLS_KP_TLS_WWW_SERVER);
	make_cert(CLIENT, "dev", CLIENT_KEY, 365, GNUTLS_KP_TLS_WWW_CLIENT);
	make_cert(SOON, "dev", CLIENT_KEY, 10, GNUTLS_KP_TLS_WWW_CLIENT);
	make_cert(STAPLE, "dm.example.com", SERVER_KEY, 365, GNUTLS_KP_TLS_WWW_SERVER);
	make_cert(LATE, "dev", CLIENT_KEY, 0, GNUTLS_KP_TLS_WWW_CLIENT);
	GOOD(gnutls_x509_crt_set_expiration_time(kit.cert[LATE], PKI_KIT_NOW - 60));
	GOOD(gnutls_x509_crt_sign2(
	    kit.cert[LATE], kit.cert[CA], kit.key[CA_KEY], GNUTLS_DIG_SHA256, 0));
}

static int
export_cert(int which, char *out, size_t *n)
{
	return gnutls_x509_crt_export(kit.cert[which], GNUTLS_X509_FMT_PEM, out, n);
}

static int
export_key(int which, char *out, size_t *n)
{
	return gnutls_x509_privkey_export_pkcs8(
	    kit.key[which], GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, out, n);
}

static int
export_sec1(int which, char *out, size_t *n)
{
	static const char curve[] =
	    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
	size_t head = sizeof curve - 1, left = *n - head;

	memcpy(out, curve, head);
	int r = gnutls_x509_privkey_export(kit.key[which], GNUTLS_X509_FMT_PEM, out + head, &left);
	*n = head + left;
	return r;
}

static int
export_public(int which, char *out, size_t *n)
{
	gnutls_pubkey_t key;

	GOOD(gnutls_pubkey_init(&key));
	GOOD(gnutls_pubkey_import_x509(key, kit.cert[which], 0));
	int r = gnutls_pubkey_export(key, GNUTLS_X509_FMT_PEM, out, n);
	gnutls_pubkey_deinit(key);
	return r;
}

static const struct {
	const char *name;
	int (*export)(int which, char *out, size_t *n);
	int which;
} things[] = {
	{ "ca-key", export_key, CA_KEY },
	{ "server-key", export_key, SERVER_KEY },
	{ "client-key", export_key, CLIENT_KEY },
	{ "client-sec1", export_sec1, CLIENT_KEY },
	{ "ed-key", export_key, ED_KEY },
	{ "ca", export_cert, CA },
	{ "server", export_cert, SERVER },
	{ "client", export_cert, CLIENT },
	{ "soon", export_cert, SOON },
	{ "late", export_cert, LATE },
	{ "staple", export_cert, STAPLE },
	{ "client-public", export_public, CLIENT },
};
_Static_assert(N_ELEMS(things) <= N_ELEMS(kit.pem), "room for each");

const char *
pki_kit_pem(const char *name)
{
	if (kit.key[0] == NULL)
		make_all();
	for (size_t i = 0; i < N_ELEMS(things); i++) {
		size_t n = sizeof kit.pem[i] - 1;

		if (strcmp(things[i].name, name) != 0)
			continue;
		if (kit.pem[i][0] == '\0') {
			GOOD(things[i].export(things[i].which, kit.pem[i], &n));
			kit.pem[i][n] = '\0';
		}
		return kit.pem[i];
	}
	return NULL;
}

void
pki_kit_fill(const char *text, struct gbuf *out)
{
	while (*text != '\0') {
		const char *end = *text == '$' ? strchr(text + 1, '$') : NULL;
		char name[32];

		if (end == NULL) {
			gbuf_put(out, text++, 1);
			continue;
		}
		ck_assert_uint_lt((size_t)(end - text - 1), sizeof name);
		memcpy(name, text + 1, (size_t)(end - text - 1));
		name[end - text - 1] = '\0';
		const char *pem = pki_kit_pem(name);
		ck_assert_msg(pem != NULL, "%s", name);
		for (; *pem != '\0'; pem++)
			gbuf_str(out, *pem == '\n' ? "\\n" : (const char[]){ *pem, '\0' });
		text = end + 1;
	}
}
