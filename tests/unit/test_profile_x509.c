/* Accounts with certificates and raw public keys: what is written, and what is found wrong. */
#include <string.h>

#include "lib/base/enc.h"
#include "pki/key.h"
#include "pki/pem.h"
#include "pki/pin.h"
#include "tests/unit/pki_kit.h"
#include "tests/unit/profile_kit.h"
#include "tests/unit/unit.h"

#define HEAD                                                                                       \
	"{ \"profile_format\": 1, \"endpoint\": \"dev\", \"bootstrap\": { \"policy\": "            \
	"\"replace\" },\n  \"servers\": { \"dm\": { \"short_server_id\": 101, \"uri\": "           \
	"\"coaps://dm.example.com\", \"security\": { \"mode\": "
#define TAIL " } } } }"
#define OWN "\"identity\": \"$client$\", \"key\": \"$client-key$\", "
#define PIN "\"server_public_key\": \"$server$\""
#define ANCHOR "\"certificate_usage\": \"trust_anchor_assertion\", \"server_public_key\": \"$ca$\""
#define SEC "/servers/dm/security/"
#define D31 "31313131313131313131313131313131313131313131313131313131313131"

/* clang-format off */
/* The first finding, by its rule and the beginning of its reason; rule NULL: there is none. */
static const struct row {
	const char *mode_and_members, *rule, *path, *reason;
} rows[] = {
	{ "\"x509\", " OWN PIN, NULL, NULL, NULL },
	{ "\"x509\", " OWN ANCHOR, NULL, NULL, NULL },
	{ "\"x509\", \"identity\": \"$client$\", \"key\": \"$client-sec1$\", " PIN, NULL, NULL, NULL },
	{ "\"x509\", " OWN "\"matching_type\": \"sha256\", " PIN, NULL, NULL, NULL },
	{ "\"x509\", " OWN "\"matching_type\": \"sha512\", " PIN, NULL, NULL, NULL },
	{ "\"x509\", " OWN "\"matching_type\": 1, \"server_public_key\": { \"hex\": \"" D31 "31\" }", NULL, NULL, NULL },
	{ "\"rpk\", \"identity\": \"$client-public$\", \"key\": \"$client-key$\", " PIN, NULL, NULL, NULL },
	{ "\"rpk\", \"key\": \"$client-key$\", " PIN, NULL, NULL, NULL },
	{ "\"rpk\", \"key\": \"$ed-key$\", " PIN, NULL, NULL, NULL },
	{ "\"x509\", " OWN "\"ciphersuites\": [ \"ecdhe_ecdsa_aes_128_ccm_8\", 49195, 4865 ], " PIN, NULL, NULL, NULL },
	{ "\"x509\", " OWN "\"sni\": \"dm.example.com\", " PIN, NULL, NULL, NULL },
	/* keys */
	{ "\"x509\", \"identity\": \"$client$\", \"key\": @\"$server-key$\", " ANCHOR, "key-pair", SEC "key", "the private key is not that of the certificate in" },
	{ "\"rpk\", \"identity\": \"$client-public$\", \"key\": @\"$ca-key$\", " PIN, "key-pair", SEC "key", "the private key is not that of the public key in" },
	{ "\"x509\", \"identity\": \"$client$\", \"key\": @{ \"hex\": \"30020000ff\" }, " PIN, "key-material", SEC "key", "5 octets that are no DER structure" },
	{ "\"x509\", \"identity\": \"$client$\", \"key\": @{ \"hex\": \"30030000ff\" }, " PIN, "key-material", SEC "key", "5 octets of DER that are no private key" },
	{ "\"x509\", \"identity\": \"$client$\", \"key\": @\"$client$\", " PIN, "key-material", SEC "key", "PEM, but no private key" },
	{ "\"x509\", \"identity\": \"$client$\", \"key\": @{ \"generate\": 32 }, " PIN, "key-material", SEC "key", "generate makes octets for a pre-shared key, no key pair" },
	{ "\"x509\", \"identity\": \"$client$\", \"key\": @\"-----BEGIN PRIVATE KEY-----\\nMAA=\\n\", " PIN, "key-form", SEC "key", "PEM without its END line" },
	{ "\"x509\", \"identity\": @{ \"hex\": \"3000\" }, \"key\": \"$client-key$\", " PIN, "key-material", SEC "identity", "2 octets that are no certificate" },
	{ "\"x509\", \"identity\": @\"$client-key$\", \"key\": \"$client-key$\", " PIN, "key-material", SEC "identity", "a private key where a public key" },
	{ "\"rpk\", \"identity\": @{ \"hex\": \"3000\" }, \"key\": \"$client-key$\", " PIN, "key-material", SEC "identity", "2 octets that are no public key" },
	{ "\"x509\", \"key\": \"$client-key$\", " PIN, "missing", SEC "identity", "identity is missing" },
	{ "\"x509\", \"identity\": \"$client$\", " PIN, "missing", SEC "key", "key is missing" },
	{ "\"x509\", " OWN "\"certificate_usage\": 3", "missing", SEC "server_public_key", "server_public_key is missing" },
	{ "\"rpk\", \"key\": \"$client-key$\", \"server_public_key\": @\"$client-public$\"", "same-key", SEC "server_public_key", "the device's own key pair again" },
	/* what stays in the device */
	{ "\"x509\", \"key\": @\"keep\", " PIN, "kept-key", SEC "key", "resources 3 and 5 stay as the device has it" },
	{ "\"x509\", \"identity\": \"$client$\", \"key\": @\"keep\", " PIN, "kept-key", SEC "key", "resource 5 stays as the device has it; the certificate" },
	{ "\"x509\", \"identity\": @\"keep\", \"key\": \"$client-key$\", " PIN, "key-material", SEC "identity", "the certificate or public key is kept only" },
	{ "\"x509\", \"identity\": \"$client$\", \"key\": @\"empty\", " PIN, "empty-credentials", SEC "key", "resource 5 is written empty" },
	/* what the server is known by */
	{ "\"x509\", " OWN "\"server_public_key\": @\"empty\"", "no-server-key", SEC "server_public_key", "without a server public key the device would accept any server" },
	{ "\"rpk\", \"key\": \"$client-key$\", \"server_public_key\": @\"empty\"", "no-server-key", SEC "server_public_key", "without" },
	{ "\"x509\", " OWN "\"certificate_usage\": 2, \"server_public_key\": @\"$server$\"", "certificate-usage", SEC "server_public_key", "certificate_usage 2 (trust-anchor) wants a CA" },
	{ "\"x509\", " OWN "\"certificate_usage\": \"ca_constraint\", \"server_public_key\": @\"$server$\"", "certificate-usage", SEC "server_public_key", "certificate_usage 0 (ca-constraint) wants a CA" },
	{ "\"x509\", " OWN "\"certificate_usage\": 2, \"matching_type\": 1, \"server_public_key\": @\"$server$\"", "digest-of-a-ca", SEC "server_public_key", "the digest of a CA" },
	{ "\"x509\", " OWN "\"server_public_key\": @\"$ca$\"", "ca-as-server-certificate", SEC "server_public_key", "certificate_usage 3 (domain-issued) wants the server's own" },
	{ "\"x509\", " OWN "\"certificate_usage\": 1, \"server_public_key\": @\"$ca$\"", "ca-as-server-certificate", SEC "server_public_key", "certificate_usage 1" },
	{ "\"x509\", " OWN "\"server_public_key\": @{ \"hex\": \"3000\" }", "key-material", SEC "server_public_key", "2 octets that are no certificate" },
	{ "\"x509\", " OWN "\"matching_type\": 1, \"server_public_key\": @{ \"hex\": \"" D31 "\" }", "key-material", SEC "server_public_key", "matching type sha256 wants 32 bytes, there are 31" },
	{ "\"x509\", " OWN "\"sni\": \"fota.example.com\", \"certificate_usage\": 1, \"server_public_key\": @\"$server$\"", "server-name", SEC "server_public_key",
	  "wanted dns:fota.example.com, the certificate is for" },
	{ "\"x509\", " OWN "\"sni\": \"fota.example.com\", \"server_public_key\": @\"$server$\"", "other-name", SEC "server_public_key", "wanted dns:fota.example.com" },
	{ "\"x509\", " OWN "\"server_public_key\": @\"$client$\"", "certificate-purpose", SEC "server_public_key", "its extended key usage has no serverAuth" },
	{ "\"x509\", \"identity\": @\"$server$\", \"key\": \"$server-key$\", " ANCHOR, "certificate-purpose", SEC "identity", "its extended key usage has no clientAuth" },
	{ "\"x509\", \"identity\": @\"$ca$\", \"key\": \"$ca-key$\", " PIN, "certificate-purpose", SEC "identity", "a CA's certificate is no device's" },
	{ "\"x509\", " OWN "\"server_public_key\": @\"$staple$\"", "must-staple", SEC "server_public_key", "the certificate promises a stapled status in every handshake" },
	/* dates */
	{ "\"x509\", \"identity\": @\"$late$\", \"key\": \"$client-key$\", " PIN, "expired", SEC "identity", "the certificate has expired: on 2027-01-15" },
	{ "\"x509\", \"identity\": @\"$soon$\", \"key\": \"$client-key$\", " PIN, "expires", SEC "identity", "the certificate expires on 2027-01-25, within 30 days" },
	/* suites and names */
	{ "\"x509\", " OWN "\"ciphersuites\": [ @\"psk_aes_128_ccm_8\" ], " PIN, "ciphersuite", SEC "ciphersuites/0", "cipher suite 0xc0a8 does not go with mode x509" },
	{ "\"psk\", \"identity\": \"d\", \"key\": { \"generate\": 16 }, \"ciphersuites\": [ @49326 ]", "ciphersuite", SEC "ciphersuites/0", "cipher suite 0xc0ae does not go with mode psk" },
	{ "\"x509\", " OWN "\"sni\": @\"192.0.2.1\", " ANCHOR, "sni", SEC "sni", "\"192.0.2.1\" is no host name" },
};
/* clang-format on */

static void
check_row(struct kit *k, const struct row *r, int64_t now)
{
	const struct profile_keys keys = { .now = now };
	struct gbuf text = { 0 };

	gbuf_str(&text, HEAD);
	pki_kit_fill(r->mode_and_members, &text);
	gbuf_str(&text, TAIL);
	*k = (struct kit){ 0 };
	kit_add(k, "dev.json", gbuf_cstr(&text));
	kit_check(k, &keys);
	gbuf_clear(&text);
}

START_TEST(each_account_is_found_right_or_wrong)
{
	const struct row *r = &rows[_i];
	struct kit k;

	check_row(&k, r, PKI_KIT_NOW);
	if (r->rule == NULL) {
		ck_assert_msg(k.f.n == 0, "row %d:\n%s", _i, kit_print(&k.f));
		kit_clear(&k);
		return;
	}
	ck_assert_msg(k.f.n >= 1 && strcmp(k.f.v[0].rule->name, r->rule) == 0,
	    "row %d, wanted %s:\n%s", _i, r->rule, kit_print(&k.f));
	ck_assert_msg(strcmp(k.f.v[0].path, r->path) == 0 &&
	                  strncmp(k.f.v[0].reason, r->reason, strlen(r->reason)) == 0,
	    "row %d:\n%s", _i, kit_print(&k.f));
	if (k.line > 0)
		ck_assert_msg(k.f.v[0].line == k.line && k.f.v[0].column == k.column,
		    "row %d, wanted %u:%u:\n%s", _i, k.line, k.column, kit_print(&k.f));
	kit_clear(&k);
}
END_TEST

START_TEST(without_a_time_no_date_is_judged)
{
	static const struct row late = {
		.mode_and_members =
		    "\"x509\", \"identity\": \"$late$\", \"key\": \"$client-key$\", " PIN
	};
	struct kit k;

	check_row(&k, &late, 0);
	ck_assert_msg(k.f.n == 0, "%s", kit_print(&k.f));
	kit_clear(&k);
}
END_TEST

/* ---- what is written ---- */

static void
der_of(const char *name, struct secret *out)
{
	const char *pem = pki_kit_pem(name);
	struct rbuf in = rbuf_make(pem, strlen(pem));
	struct pem_block b = { .label = "" };

	do {
		pem_block_clear(&b);
		ck_assert_int_eq(pem_next(&in, &b, NULL), ERR_OK);
	} while (strcmp(b.label, "EC PARAMETERS") == 0);
	secret_move(out, &b.der);
	pem_block_clear(&b);
}

static void
holds(const struct lwm2m_tree *t, uint16_t rid, const char *name, enum pki_matching m)
{
	const struct lwm2m_value *v = lwm2m_tree_get(t, lwm2m_path3(0, 0, rid));
	struct secret der = SECRET_NONE;

	ck_assert_msg(v != NULL, "/0/0/%u", rid);
	der_of(name, &der);
	ck_assert_msg(pki_pin_matches(m, (struct pki_blob){ v->bytes.data, v->bytes.len },
	                  (struct pki_blob){ der.data, der.len }),
	    "/0/0/%u is not %s", rid, name);
	secret_clear(&der);
}

static void
compile_row(const char *members, struct profile_desired *d)
{
	static const struct profile_keys keys = { .get = NULL };
	const struct row r = { .mode_and_members = members };
	struct kit k;
	struct err e = { 0 };

	check_row(&k, &r, 0);
	ck_assert_msg(
	    profile_compile(k.resolved, lwm2m_model_builtin(), &keys, d, NULL, &e) == ERR_OK, "%s",
	    e.msg);
	kit_clear(&k);
}

START_TEST(a_certificate_account_is_written_in_der)
{
	struct profile_desired d = { 0 };

	compile_row("\"x509\", " OWN ANCHOR, &d);
	holds(&d.tree, 3, "client", PKI_MATCH_EXACT);
	holds(&d.tree, 4, "ca", PKI_MATCH_EXACT);
	holds(&d.tree, 5, "client-key", PKI_MATCH_EXACT);
	ck_assert_uint_eq(d.digested.n, 0);
	profile_desired_clear(&d);
}
END_TEST

START_TEST(an_older_private_key_becomes_pkcs8)
{
	struct profile_desired d = { 0 };

	compile_row("\"rpk\", \"key\": \"$client-sec1$\", " PIN, &d);
	holds(&d.tree, 3, "client-public", PKI_MATCH_EXACT);
	holds(&d.tree, 5, "client-key", PKI_MATCH_EXACT);
	profile_desired_clear(&d);
}
END_TEST

START_TEST(a_digest_is_made_of_the_certificate_that_is_given)
{
	static const char *const types[] = { "sha256", "sha384", "sha512" };
	struct profile_desired d = { 0 };
	struct gbuf members = { 0 };

	gbuf_printf(&members, "\"x509\", %s\"matching_type\": \"%s\", %s", OWN, types[_i], PIN);
	compile_row(gbuf_cstr(&members), &d);
	holds(&d.tree, 4, "server", (enum pki_matching)(_i + 1));
	holds(&d.digested, 4, "server", PKI_MATCH_EXACT);
	profile_desired_clear(&d);
	gbuf_clear(&members);
}
END_TEST

START_TEST(what_is_kept_is_not_in_the_tree)
{
	struct profile_desired d = { 0 };

	compile_row("\"x509\", \"key\": \"keep\", " PIN, &d);
	ck_assert_ptr_null(lwm2m_tree_get(&d.tree, lwm2m_path3(0, 0, 3)));
	ck_assert_ptr_null(lwm2m_tree_get(&d.tree, lwm2m_path3(0, 0, 5)));
	ck_assert_uint_eq(d.n_kept, 2);
	ck_assert(profile_desired_keeps(&d, lwm2m_path2(0, 0)));
	ck_assert(!profile_desired_keeps(&d, lwm2m_path2(0, 1)));
	profile_desired_clear(&d);
	compile_row("\"x509\", \"identity\": \"$client$\", \"key\": \"keep\", " PIN, &d);
	holds(&d.tree, 3, "client", PKI_MATCH_EXACT);
	ck_assert_uint_eq(d.n_kept, 1);
	profile_desired_clear(&d);
}
END_TEST

/* ---- private keys by themselves ---- */

START_TEST(a_private_key_has_one_form_and_its_public_half)
{
	static const char *const names[][2] = { { "client-key", "client-public" },
		{ "client-sec1", "client-public" }, { "ed-key", NULL } };
	struct secret der = SECRET_NONE, pkcs8 = SECRET_NONE, spki = SECRET_NONE,
	              again = SECRET_NONE;
	struct secret public = SECRET_NONE;
	struct err e = { 0 };

	der_of(names[_i][0], &der);
	ck_assert_msg(pki_key_read(der.data, der.len, &pkcs8, &spki, &e) == ERR_OK, "%s", e.msg);
	ck_assert_int_eq(pki_key_read(pkcs8.data, pkcs8.len, &again, NULL, &e), ERR_OK);
	ck_assert(secret_equal(&pkcs8, &again));
	if (names[_i][1] != NULL) {
		der_of(names[_i][1], &public);
		ck_assert(secret_equal(&public, &spki));
	}
	secret_clear(&der);
	secret_clear(&pkcs8);
	secret_clear(&spki);
	secret_clear(&again);
	secret_clear(&public);
}
END_TEST

/* RFC 5958 version 2 with the public key behind it (RFC 8410 section 10.3). */
START_TEST(a_private_key_of_version_2_is_read)
{
	static const char v2[] =
	    "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCoB8wHQYKKoZIhvcNAQkJFD"
	    "EPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
	struct secret der = SECRET_NONE, pkcs8 = SECRET_NONE, spki = SECRET_NONE;
	struct err e = { 0 };

	ck_assert_int_eq(dec_base64(v2, sizeof v2 - 1, &der, &e), ERR_OK);
	ck_assert_msg(pki_key_read(der.data, der.len, &pkcs8, &spki, &e) == ERR_OK, "%s", e.msg);
	ck_assert_uint_eq(pkcs8.len, 48);
	ck_assert_uint_eq(spki.len, 44);
	ck_assert_uint_eq(spki.data[12], 0x19);
	secret_clear(&der);
	secret_clear(&pkcs8);
	secret_clear(&spki);
}
END_TEST

START_TEST(a_private_key_that_is_cut_or_longer_is_none)
{
	struct secret der = SECRET_NONE, pkcs8 = SECRET_NONE;
	uint8_t longer[PKI_KEY_MAX];

	der_of("client-key", &der);
	for (size_t n = 0; n < der.len; n++)
		ck_assert_int_ne(pki_key_read(der.data, n, &pkcs8, NULL, NULL), ERR_OK);
	memcpy(longer, der.data, der.len);
	longer[der.len] = 0;
	ck_assert_int_ne(pki_key_read(longer, der.len + 1, &pkcs8, NULL, NULL), ERR_OK);
	ck_assert_uint_eq(pkcs8.len, 0);
	secret_clear(&der);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_account_is_found_right_or_wrong, N_ELEMS(rows)),
	UNIT_CASE(without_a_time_no_date_is_judged, 0),
	UNIT_CASE(a_certificate_account_is_written_in_der, 0),
	UNIT_CASE(an_older_private_key_becomes_pkcs8, 0),
	UNIT_CASE(a_digest_is_made_of_the_certificate_that_is_given, 3),
	UNIT_CASE(what_is_kept_is_not_in_the_tree, 0),
	UNIT_CASE(a_private_key_has_one_form_and_its_public_half, 3),
	UNIT_CASE(a_private_key_of_version_2_is_read, 0),
	UNIT_CASE(a_private_key_that_is_cut_or_longer_is_none, 0),
};

UNIT_SUITE_MAIN("profile_x509", cases)
