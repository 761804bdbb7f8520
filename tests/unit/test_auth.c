/* Who may call itself what: every rule with what it grants, and each way to be refused. */
#include <string.h>

#include "bsserver/auth/auth.h"
#include "pki/cert.h"
#include "tests/unit/cert_kit.h"
#include "tests/unit/unit.h"

static void
feed(struct auth *a, enum store_feed_kind kind, const char *endpoint, const char *identity, enum store_state state)
{
	struct secret key = SECRET_NONE;
	struct store_feed f = { .kind = kind, .name = endpoint, .identity = identity, .key = &key, .state = state };

	ck_assert_int_eq(secret_set(&key, "sixteen byte key", 16, NULL), ERR_OK);
	ck_assert_int_eq(auth_feed(a, &f, NULL), ERR_OK);
	secret_clear(&key);
}

/* A public key or certificate: a name, and no key. */
static void
feed_public(struct auth *a, enum store_feed_kind kind, const char *endpoint, const char *name)
{
	const struct secret none = SECRET_NONE;
	const struct store_feed f = { .kind = kind, .name = endpoint, .identity = name, .key = &none };

	ck_assert_int_eq(auth_feed(a, &f, NULL), ERR_OK);
}

static struct auth *
make(const struct auth_rule *rules, size_t n)
{
	struct auth *a = NULL;

	ck_assert_int_eq(auth_new(rules, n, 42, &a, NULL), ERR_OK);
	feed(a, STORE_FEED_DEVICE, "dev-1", NULL, STORE_ACTIVE);
	feed(a, STORE_FEED_IDENTITY, "dev-1", "id-1", STORE_ACTIVE);
	feed(a, STORE_FEED_DEVICE, "dev-2", NULL, STORE_ACTIVE);
	feed(a, STORE_FEED_IDENTITY, "dev-2", "dev-2", STORE_ACTIVE);
	feed(a, STORE_FEED_DEVICE, "dev-3", NULL, STORE_BLOCKED);
	feed(a, STORE_FEED_IDENTITY, "dev-3", "id-3", STORE_BLOCKED);
	feed(a, STORE_FEED_DEVICE, "gw-1/a", NULL, STORE_ACTIVE);
	feed(a, STORE_FEED_DEVICE, "gw-1", NULL, STORE_ACTIVE);
	feed(a, STORE_FEED_IDENTITY, "gw-1", "gw-1", STORE_ACTIVE);
	return a;
}

static const struct auth_rule mapped[] = { { .credential = AUTH_PSK, .how = AUTH_MAPPED } };
static const struct auth_rule same[] = { { .credential = AUTH_PSK, .how = AUTH_SAME } };
static const struct auth_rule both[] = { { .credential = AUTH_PSK, .how = AUTH_MAPPED },
	{ .credential = AUTH_PSK, .how = AUTH_PATTERN, .identity = "gw-*", .endpoint = "gw-*/*" } };
static const struct auth_rule named[] = { { .credential = AUTH_NOSEC, .how = AUTH_NAMED } };

static const struct {
	const struct auth_rule *rules;
	size_t n;
	enum auth_credential credential;
	const char *identity, *endpoint;
	const char *granted; /* NULL: refused */
	enum bs_reason reason;
	const char *says; /* part of the explanation */
} rows[] = {
	{ mapped, 1, AUTH_PSK, "id-1", "dev-1", "dev-1", 0, "identity \"id-1\" belongs to endpoint dev-1" },
	{ mapped, 1, AUTH_PSK, "id-1", NULL, "dev-1", 0, "belongs to endpoint dev-1" },
	{ mapped, 1, AUTH_PSK, "id-1", "dev-2", NULL, BS_REASON_IDENTITY_MISMATCH,
	    "belongs to endpoint dev-1, and the device calls itself dev-2" },
	{ mapped, 1, AUTH_PSK, "id-9", "dev-1", NULL, BS_REASON_IDENTITY_MISMATCH, "is kept for no endpoint" },
	{ mapped, 1, AUTH_PSK, "id-3", "dev-3", NULL, BS_REASON_BLOCKED, "the device is blocked" },
	{ mapped, 1, AUTH_NOSEC, NULL, "dev-1", NULL, BS_REASON_NO_CREDENTIAL_RULE,
	    "no rule lets a peer in that comes with no credentials" },
	{ same, 1, AUTH_PSK, "dev-2", "dev-2", "dev-2", 0, "is the endpoint name" },
	{ same, 1, AUTH_PSK, "dev-2", NULL, "dev-2", 0, "is the endpoint name" },
	{ same, 1, AUTH_PSK, "id-1", "dev-1", NULL, BS_REASON_IDENTITY_MISMATCH, "is not the endpoint name dev-1" },
	{ same, 1, AUTH_PSK, "nobody", "nobody", NULL, BS_REASON_UNKNOWN_ENDPOINT, "that endpoint is not registered" },
	{ both, 2, AUTH_PSK, "gw-1", "gw-1/a", "gw-1/a", 0, "fits gw-* and endpoint gw-1/a fits gw-*/*" },
	{ both, 2, AUTH_PSK, "gw-1", "dev-1", NULL, BS_REASON_IDENTITY_MISMATCH, "does not fit gw-*/*" },
	{ both, 2, AUTH_PSK, "gw-1", "gw-1/none", NULL, BS_REASON_UNKNOWN_ENDPOINT, "not registered" },
	{ both, 2, AUTH_PSK, "id-1", "gw-1/a", NULL, BS_REASON_IDENTITY_MISMATCH, "does not fit gw-*" },
	{ named, 1, AUTH_NOSEC, NULL, "dev-1", "dev-1", 0, "endpoint dev-1 knocks without credentials" },
	{ named, 1, AUTH_NOSEC, NULL, NULL, NULL, BS_REASON_NO_ENDPOINT, "no credentials, and no endpoint name" },
	{ named, 1, AUTH_PSK, "id-1", "dev-1", NULL, BS_REASON_NO_CREDENTIAL_RULE, "pre-shared key" },
	{ NULL, 0, AUTH_PSK, "id-1", "dev-1", NULL, BS_REASON_NO_CREDENTIAL_RULE, "no rule lets a peer in" },
};

START_TEST(rules_grant_and_refuse_as_written)
{
	struct auth *a = make(rows[_i].rules, rows[_i].n);
	struct auth_question q = { .credential = rows[_i].credential, .endpoint = rows[_i].endpoint,
		.identity = rows[_i].identity, .identity_len = rows[_i].identity ? strlen(rows[_i].identity) : 0 };
	struct auth_answer x;

	auth_decide(a, &q, &x);
	ck_assert_msg(x.granted == (rows[_i].granted != NULL), "row %d: %s", _i, gbuf_cstr(&x.rule));
	if (x.granted)
		ck_assert_str_eq(x.endpoint, rows[_i].granted);
	else
		ck_assert_int_eq(x.reason, rows[_i].reason);
	ck_assert_msg(strstr(gbuf_cstr(&x.rule), rows[_i].says) != NULL, "row %d: %s", _i, gbuf_cstr(&x.rule));
	auth_answer_clear(&x);
	auth_free(a);
}
END_TEST

START_TEST(keys_are_found_only_for_active_devices)
{
	struct auth *a = make(mapped, 1);
	struct secret key = SECRET_NONE;

	ck_assert(auth_psk(a, "id-1", 4, &key));
	ck_assert(secret_equal_bytes(&key, "sixteen byte key", 16));
	secret_clear(&key);
	ck_assert(!auth_psk(a, "id-3", 4, &key));  /* blocked */
	ck_assert(!auth_psk(a, "id-1x", 5, &key)); /* unknown */
	ck_assert(!auth_psk(a, "id-1\0", 5, &key)); /* a NUL behind it is another identity */
	feed(a, STORE_FEED_STATE, "dev-1", NULL, STORE_RETIRED);
	ck_assert(!auth_psk(a, "id-1", 4, &key));
	feed(a, STORE_FEED_STATE, "dev-1", NULL, STORE_ACTIVE);
	ck_assert(auth_psk(a, "id-1", 4, &key));
	secret_clear(&key);
	feed(a, STORE_FEED_NO_IDENTITY, "dev-1", "id-1", STORE_ACTIVE);
	ck_assert(!auth_psk(a, "id-1", 4, &key));
	feed(a, STORE_FEED_NO_DEVICE, "dev-2", NULL, STORE_ACTIVE);
	ck_assert(!auth_psk(a, "dev-2", 5, &key));
	ck_assert_uint_eq(auth_identities(a), 3);
	auth_free(a);
}
END_TEST

static bool
registers(const struct auth *a, const char *endpoint, enum auth_credential with)
{
	enum auth_credential how;

	return auth_registers_with(a, endpoint, &how) && how == with;
}

/* By the endpoint, with the key of its own account and no other, as long as it is active. */
START_TEST(who_registers_shows_the_key_of_its_account)
{
	struct auth *a = make(mapped, 1);
	struct secret key = SECRET_NONE;
	struct store_feed gone = { .kind = STORE_FEED_REGISTRY_KEY, .name = "dev-1" };

	ck_assert(!auth_registry_psk(a, "dev-1", 5, &key));
	ck_assert(registers(a, "dev-1", AUTH_NOSEC));
	feed(a, STORE_FEED_REGISTRY_KEY, "dev-1", NULL, STORE_ACTIVE);
	feed(a, STORE_FEED_REGISTRY_KEY, "dev-3", NULL, STORE_ACTIVE);
	feed(a, STORE_FEED_REGISTRY_KEY, "nobody", NULL, STORE_ACTIVE);
	ck_assert(auth_registry_psk(a, "dev-1", 5, &key));
	ck_assert_mem_eq(key.data, "sixteen byte key", 16);
	secret_clear(&key);
	ck_assert(registers(a, "dev-1", AUTH_PSK));
	ck_assert(!registers(a, "dev-1", AUTH_NOSEC));
	ck_assert(!registers(a, "dev-2", AUTH_PSK));
	ck_assert(!auth_registry_psk(a, "id-1", 4, &key));
	ck_assert(!auth_registry_psk(a, "dev-3", 5, &key));
	/* blocked it stays, whatever becomes of its document */
	feed(a, STORE_FEED_DEVICE, "dev-3", NULL, STORE_ACTIVE);
	ck_assert(!auth_registry_psk(a, "dev-3", 5, &key));
	ck_assert(!auth_psk(a, "id-3", 4, &key));
	ck_assert(!registers(a, "dev-3", AUTH_PSK));
	ck_assert(!auth_registry_psk(a, "nobody", 6, &key));
	ck_assert(!auth_registry_psk(a, "dev-1\0x", 7, &key));
	ck_assert_int_eq(auth_feed(a, &gone, NULL), ERR_OK);
	ck_assert(!auth_registry_psk(a, "dev-1", 5, &key));
	ck_assert(registers(a, "dev-1", AUTH_NOSEC));
	auth_free(a);
}
END_TEST

#define SPKI_1 "rpk spki-sha256:11"
#define SPKI_2 "rpk spki-sha256:22"
#define CERT_1 "x509 cert-sha256:11"

/* dev-1 with the key that its profile names, dev-2 with a certificate that it names, dev-4 by the rules alone. */
static const struct {
	enum auth_credential credential;
	const char *pin, *endpoint, *granted; /* granted NULL: refused, for reasons that have this in them */
	const char *rule;
} registering[] = {
	{ AUTH_RPK, SPKI_1, "dev-1", "dev-1", "endpoint dev-1 registers with rpk spki-sha256:11" },
	{ AUTH_RPK, SPKI_1, NULL, "dev-1", "endpoint dev-1 registers with" },
	{ AUTH_RPK, SPKI_2, "dev-1", NULL, "; this is another" },
	{ AUTH_RPK, SPKI_1, "dev-2", NULL, "is kept for no endpoint" },
	{ AUTH_RPK, SPKI_2, "dev-2", NULL, "; its account at the registry is of another kind" },
	{ AUTH_X509, CERT_1, "dev-2", "dev-2", "endpoint dev-2 registers with x509 cert-sha256:11" },
	{ AUTH_X509, "x509 cert-sha256:22", "dev-2", NULL, "; this is another" },
	{ AUTH_X509, CERT_1, "dev-1", NULL, "no rule" },
	{ AUTH_RPK, "rpk spki-sha256:44", "dev-4", "dev-4", "belongs to endpoint dev-4" },
	{ AUTH_RPK, "rpk spki-sha256:55", "dev-4", NULL, "is kept for no endpoint" },
	{ AUTH_RPK, "rpk spki-sha256:33", "dev-3", NULL, "; the device is not active" },
	{ AUTH_RPK, NULL, "dev-1", NULL, "; this is another" },
};

START_TEST(who_registers_shows_the_key_or_certificate_of_its_account)
{
	static const struct auth_rule rules[] = { { .credential = AUTH_RPK, .how = AUTH_PINNED } };
	struct auth *a = make(rules, 1);
	struct auth_question q = { .credential = registering[_i].credential, .pin = registering[_i].pin,
		.endpoint = registering[_i].endpoint };
	struct auth_answer x;

	feed(a, STORE_FEED_STATE, "dev-4", NULL, STORE_ACTIVE);
	feed_public(a, STORE_FEED_IDENTITY, "dev-2", SPKI_2);
	feed_public(a, STORE_FEED_IDENTITY, "dev-4", "rpk spki-sha256:44");
	feed_public(a, STORE_FEED_REGISTRY_KEY, "dev-1", SPKI_1);
	feed_public(a, STORE_FEED_REGISTRY_KEY, "dev-2", CERT_1);
	feed_public(a, STORE_FEED_REGISTRY_KEY, "dev-3", "rpk spki-sha256:33"); /* it is blocked */
	feed_public(a, STORE_FEED_REGISTRY_KEY, "dev-4", "rpk");
	auth_decide_registry(a, &q, &x);
	ck_assert_msg(strstr(gbuf_cstr(&x.rule), registering[_i].rule) != NULL, "%s", gbuf_cstr(&x.rule));
	ck_assert_int_eq(x.granted, registering[_i].granted != NULL);
	if (x.granted)
		ck_assert_str_eq(x.endpoint, registering[_i].granted);
	auth_answer_clear(&x);
	auth_free(a);
}
END_TEST

START_TEST(an_account_that_is_not_of_a_key_is_not_open_to_others)
{
	struct auth *a = make(mapped, 1);
	struct secret key = SECRET_NONE;
	struct store_feed gone = { .kind = STORE_FEED_REGISTRY_KEY, .name = "dev-1" };

	feed_public(a, STORE_FEED_REGISTRY_KEY, "dev-1", SPKI_1);
	ck_assert(registers(a, "dev-1", AUTH_RPK));
	ck_assert(!registers(a, "dev-1", AUTH_NOSEC));
	ck_assert(!auth_registry_psk(a, "dev-1", 5, &key));
	feed_public(a, STORE_FEED_REGISTRY_KEY, "dev-1", "x509");
	ck_assert(registers(a, "dev-1", AUTH_X509));
	feed(a, STORE_FEED_REGISTRY_KEY, "dev-1", NULL, STORE_ACTIVE);
	ck_assert(registers(a, "dev-1", AUTH_PSK));
	ck_assert(auth_registry_psk(a, "dev-1", 5, &key));
	secret_clear(&key);
	feed_public(a, STORE_FEED_REGISTRY_KEY, "dev-1", SPKI_2);
	ck_assert_int_eq(auth_feed(a, &gone, NULL), ERR_OK);
	ck_assert(registers(a, "dev-1", AUTH_NOSEC));
	feed_public(a, STORE_FEED_REGISTRY_KEY, "dev-2", SPKI_2);
	feed(a, STORE_FEED_NO_DEVICE, "dev-2", NULL, STORE_ACTIVE);
	ck_assert(!registers(a, "dev-2", AUTH_RPK));
	auth_free(a);
}
END_TEST

START_TEST(an_explanation_has_a_line_for_each_rule)
{
	struct auth *a = make(both, 2);
	struct auth_question q = { .credential = AUTH_PSK, .identity = "gw-1", .identity_len = 4, .endpoint = "gw-1/a" };
	struct gbuf text = { 0 };

	auth_explain(a, &q, &text);
	ck_assert_str_eq(gbuf_cstr(&text),
	    "rule psk mapped: identity \"gw-1\" belongs to endpoint gw-1, and the device calls itself gw-1/a: "
	    "identity_mismatch\n"
	    "rule psk pattern (identity gw-*, endpoint gw-*/*): identity \"gw-1\" fits gw-* and endpoint gw-1/a fits "
	    "gw-*/*: granted\n");
	gbuf_clear(&text);
	auth_free(a);
}
END_TEST

/* ---- certificates and raw public keys ---- */

static struct pki_cert *
leaf_of(const struct kit_cert *k)
{
	struct pki_certs cs = PKI_CERTS_NONE;
	struct err e = { 0 };

	ck_assert_msg(pki_certs_parse(&cs, k->chain.data, k->chain.len, 8, &e) == ERR_OK, "%s", e.msg);
	struct pki_cert *c = pki_cert_ref(cs.v[0]);
	pki_certs_clear(&cs);
	return c;
}

static void
feed_pin(struct auth *a, enum store_feed_kind kind, const char *endpoint, const char *pin)
{
	struct secret none = SECRET_NONE;
	struct store_feed f = { .kind = kind, .name = endpoint, .identity = pin, .key = &none };

	ck_assert_int_eq(auth_feed(a, &f, NULL), ERR_OK);
}

static const struct {
	const char *how, *pattern; /* of the one rule */
	const char *cn, *uri;	   /* of the certificate */
	const char *trust;	   /* that it was found under; the rule is for "factory" */
	const char *pinned_for;	   /* the device that this certificate is kept for; NULL: none */
	bool other_pin;		   /* dev-1 is registered with another certificate */
	const char *endpoint;	   /* as claimed */
	const char *granted;
	enum bs_reason reason;
	const char *says;
} shown[] = {
	{ "cn", NULL, "dev-1", NULL, "factory", NULL, false, "dev-1", "dev-1", 0, "its common name (CN) is \"dev-1\": the certificate names endpoint dev-1" },
	{ "cn", NULL, "dev-1", NULL, "factory", NULL, false, NULL, "dev-1", 0, "rule x509 cn (trust factory): " },
	{ "cn", NULL, "dev-1", NULL, "factory", NULL, false, "dev-2", NULL, BS_REASON_IDENTITY_MISMATCH,
	    "names endpoint dev-1, and the device calls itself dev-2" },
	{ "cn", NULL, "dev-1", NULL, "other", NULL, false, "dev-1", NULL, BS_REASON_IDENTITY_MISMATCH,
	    "the certificate is one of trust other" },
	{ "cn", NULL, "dev-9", NULL, "factory", NULL, false, "dev-9", NULL, BS_REASON_UNKNOWN_ENDPOINT, "not registered" },
	{ "cn", NULL, "dev-3", NULL, "factory", NULL, false, "dev-3", NULL, BS_REASON_BLOCKED, "the device is blocked" },
	{ "cn", "dev-*", "1", NULL, "factory", NULL, false, NULL, "dev-1", 0, "names endpoint dev-1" },
	{ "cn", "gw-*/a", "1", NULL, "factory", NULL, false, NULL, "gw-1/a", 0, "names endpoint gw-1/a" },
	{ "san-uri", NULL, "x", "dev-2", "factory", NULL, false, "dev-2", "dev-2", 0, "names endpoint dev-2" },
	{ "san-uri", NULL, "dev-2", NULL, "factory", NULL, false, "dev-2", NULL, BS_REASON_IDENTITY_MISMATCH,
	    "the certificate names no endpoint: " },
	{ "cn", NULL, "dev-1", NULL, "factory", NULL, true, "dev-1", NULL, BS_REASON_IDENTITY_MISMATCH,
	    "; its profile names another: x509 cert-sha256:" },
	{ "mapped", NULL, "x", NULL, "factory", "dev-1", false, NULL, "dev-1", 0, "belongs to endpoint dev-1" },
	{ "mapped", NULL, "dev-2", NULL, "factory", "dev-1", false, "dev-2", NULL, BS_REASON_IDENTITY_MISMATCH,
	    "belongs to endpoint dev-1, and the device calls itself dev-2" },
	{ "mapped", NULL, "dev-1", NULL, "factory", NULL, false, "dev-1", NULL, BS_REASON_IDENTITY_MISMATCH,
	    "is kept for no endpoint" },
};

START_TEST(certificates_grant_and_are_refused_as_written)
{
	const struct kit_spec spec = { .cn = shown[_i].cn, .uri = shown[_i].uri, .ca = "factory", .days = 9 };
	struct auth_rule rule;
	struct kit_cert k;
	struct gbuf pin = { 0 };
	struct auth_answer x;

	kit_make(&spec, &k);
	struct pki_cert *c = leaf_of(&k);
	ck_assert(auth_rule_from_words("x509", shown[_i].how, &rule));
	rule.trust = rule.how == AUTH_DERIVED ? "factory" : NULL;
	rule.endpoint = shown[_i].pattern;
	struct auth *a = make(&rule, 1);
	ck_assert_int_eq(auth_pin(AUTH_X509, c->der, &pin, NULL), ERR_OK);
	if (shown[_i].pinned_for != NULL)
		feed_pin(a, STORE_FEED_IDENTITY, shown[_i].pinned_for, gbuf_cstr(&pin));
	if (shown[_i].other_pin)
		feed_pin(a, STORE_FEED_IDENTITY, "dev-1", "x509 cert-sha256:00");
	const struct auth_question q = { .credential = AUTH_X509, .pin = gbuf_cstr(&pin), .cert = c,
		.trust = shown[_i].trust, .endpoint = shown[_i].endpoint };
	auth_decide(a, &q, &x);
	ck_assert_msg(x.granted == (shown[_i].granted != NULL), "row %d: %s", _i, gbuf_cstr(&x.rule));
	if (x.granted)
		ck_assert_str_eq(x.endpoint, shown[_i].granted);
	else
		ck_assert_int_eq(x.reason, shown[_i].reason);
	ck_assert_msg(strstr(gbuf_cstr(&x.rule), shown[_i].says) != NULL, "row %d: %s", _i, gbuf_cstr(&x.rule));
	auth_answer_clear(&x);
	auth_free(a);
	gbuf_clear(&pin);
	pki_cert_unref(c);
	kit_clear(&k);
	kit_end();
}
END_TEST

/* What `why` says of a device that has not come yet. */
static const struct {
	const char *how, *pattern, *endpoint, *says; /* NULL: by no certificate */
} foretold[] = {
	{ "cn", NULL, "dev-1", "rule x509 cn (trust factory): lets it in with a certificate of trust factory whose common name (CN) is \"dev-1\"" },
	{ "san-uri", "urn:imei:*", "urn:imei:49", "whose URI in subjectAltName is \"49\"" },
	{ "san-dns", NULL, "a.example", "whose DNS name in subjectAltName is \"a.example\"" },
	{ "subject-serial", "gw-*/a", "gw-7/a", "whose subject's serialNumber attribute is \"7\"" },
	{ "serial", NULL, "4711", "whose serial number in hex is \"4711\"" },
	{ "issuer-serial", NULL, "00:4711", "whose issuer's name by SHA-256, colon, serial number is \"00:4711\"" },
	{ "spki-sha256", NULL, "ff", "whose public key's SHA-256 is \"ff\"" },
	{ "cert-sha256", NULL, "ff", "whose SHA-256 is \"ff\"" },
	{ "cn", "urn:imei:*", "dev-1", NULL },
	{ "cn", "dev-*", "dev-", NULL }, /* nothing for the * */
	{ "mapped", NULL, "dev-1", NULL },
};

START_TEST(a_rule_says_which_certificate_it_waits_for)
{
	struct auth_rule rule;
	struct gbuf text = { 0 };

	ck_assert(auth_rule_from_words("x509", foretold[_i].how, &rule));
	rule.trust = rule.how == AUTH_DERIVED ? "factory" : NULL;
	rule.endpoint = foretold[_i].pattern;
	struct auth *a = make(&rule, 1);
	bool some = auth_foretell(a, foretold[_i].endpoint, &text);
	ck_assert_int_eq(some, foretold[_i].says != NULL);
	if (some)
		ck_assert_msg(strstr(gbuf_cstr(&text), foretold[_i].says) != NULL, "row %d: %s", _i, gbuf_cstr(&text));
	gbuf_clear(&text);
	auth_free(a);
}
END_TEST

START_TEST(a_raw_key_is_known_as_long_as_its_device_may_knock)
{
	static const struct auth_rule rule[] = { { .credential = AUTH_RPK, .how = AUTH_PINNED } };
	static const uint8_t der[] = "any octets";
	const struct pki_blob spki = { der, sizeof der };
	struct auth *a = make(rule, 1);
	struct gbuf pin = { 0 };
	struct secret key = SECRET_NONE;
	struct auth_answer x;

	ck_assert(!auth_rpk(a, spki));
	ck_assert_int_eq(auth_pin(AUTH_RPK, spki, &pin, NULL), ERR_OK);
	feed_pin(a, STORE_FEED_IDENTITY, "dev-1", gbuf_cstr(&pin));
	ck_assert(auth_rpk(a, spki));
	ck_assert(!auth_psk(a, gbuf_cstr(&pin), pin.len, &key)); /* its name is no PSK identity */
	const struct auth_question q = { .credential = AUTH_RPK, .pin = gbuf_cstr(&pin) };
	auth_decide(a, &q, &x);
	ck_assert(x.granted);
	ck_assert_str_eq(x.endpoint, "dev-1");
	auth_answer_clear(&x);
	feed(a, STORE_FEED_STATE, "dev-1", NULL, STORE_BLOCKED);
	ck_assert(!auth_rpk(a, spki));
	feed(a, STORE_FEED_STATE, "dev-1", NULL, STORE_ACTIVE);
	feed_pin(a, STORE_FEED_NO_IDENTITY, "dev-1", gbuf_cstr(&pin));
	ck_assert(!auth_rpk(a, spki));
	feed(a, STORE_FEED_IDENTITY, "dev-2", gbuf_cstr(&pin), STORE_ACTIVE); /* a PSK of that name */
	ck_assert(!auth_rpk(a, spki));
	gbuf_clear(&pin);
	auth_free(a);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(certificates_grant_and_are_refused_as_written, N_ELEMS(shown)),
	UNIT_CASE(a_rule_says_which_certificate_it_waits_for, N_ELEMS(foretold)),
	UNIT_CASE(a_raw_key_is_known_as_long_as_its_device_may_knock, 0),
	UNIT_CASE(rules_grant_and_refuse_as_written, N_ELEMS(rows)),
	UNIT_CASE(keys_are_found_only_for_active_devices, 0),
	UNIT_CASE(who_registers_shows_the_key_of_its_account, 0),
		UNIT_CASE(who_registers_shows_the_key_or_certificate_of_its_account, N_ELEMS(registering)),
		UNIT_CASE(an_account_that_is_not_of_a_key_is_not_open_to_others, 0),
	UNIT_CASE(an_explanation_has_a_line_for_each_rule, 0),
};

UNIT_SUITE_MAIN("auth", cases)
