#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "profiles/doc.h"
#include "tests/unit/profile_kit.h"
#include "tests/unit/unit.h"

#define DEV "\"profile_format\": 1, \"endpoint\": \"dev\""

/* ---- extract ---- */

struct seen {
	struct gbuf text; /* one line for each */
	bool refuse;
};

static enum err_code
note(void *arg, struct profile_key *k, struct err *e)
{
	struct seen *s = arg;

	if (s->refuse)
		return err_set(e, ERR_REFUSED, "not today");
	gbuf_printf(&s->text, "%s ", k->slot);
	switch (k->kind) {
	case PROFILE_KEY_BYTES:
		enc_hex(&s->text, k->bytes->data, k->bytes->len);
		(void)snprintf(
		    k->new_fingerprint, sizeof k->new_fingerprint, "f%zu", k->bytes->len);
		break;
	case PROFILE_KEY_KEPT:
		gbuf_printf(&s->text, "kept %s", k->fingerprint != NULL ? k->fingerprint : "");
		break;
	case PROFILE_KEY_GENERATE:
		gbuf_printf(&s->text, "generate %zu", k->generate);
		break;
	}
	gbuf_str(&s->text, "\n");
	return ERR_OK;
}

/* clang-format off */
#define K16 "\"000102030405060708090a0b0c0d0e0f\""
static const struct {
	const char *text, *seen, *left;
} extracted[] = {
	{ "{ " DEV ", \"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"identity\": \"i\", \"key\": " K16 " } } }",
	  "credentials/bootstrap/key 000102030405060708090a0b0c0d0e0f\n",
	  "\"credentials\":{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"i\",\"key\":{\"credential\":\"credentials/bootstrap/key\",\"fingerprint\":\"f16\"}}}}" },
	{ "{ " DEV ", \"servers\": { \"dm\": { \"security\": { \"identity\": \"not a key\", \"secret_key\": { \"base64\": \"AAE=\" } } } } }",
	  "servers/dm/security/key 0001\n",
	  "\"servers\":{\"dm\":{\"security\":{\"identity\":\"not a key\",\"secret_key\":{\"credential\":\"servers/dm/security/key\",\"fingerprint\":\"f2\"}}}}}" },
	{ "{ " DEV ", \"servers\": { \"a/b~\": { \"endpoints\": [ {}, { \"security\": { \"key\": { \"hex\": \"00\" } } } ] } } }",
	  "servers/a~1b~0/endpoints/1/security/key 00\n",
	  "\"servers\":{\"a/b~\":{\"endpoints\":[{},{\"security\":{\"key\":{\"credential\":\"servers/a~1b~0/endpoints/1/security/key\",\"fingerprint\":\"f1\"}}}]}}}" },
	{ "{ " DEV ", \"servers\": { \"dm\": { \"security\": { \"key\": { \"generate\": 32 } } } } }", "servers/dm/security/key generate 32\n",
	  "\"servers\":{\"dm\":{\"security\":{\"key\":{\"generate\":32}}}}}" },
	{ "{ " DEV ", \"servers\": { \"dm\": { \"security\": { \"key\": { \"credential\": \"s\", \"fingerprint\": \"ab\" } } } } }", "s kept ab\n",
	  "\"servers\":{\"dm\":{\"security\":{\"key\":{\"credential\":\"s\",\"fingerprint\":\"ab\"}}}}}" },
	{ "{ " DEV ", \"apn_connection_profiles\": { \"iot\": { \"user_name\": \"u\", \"secret\": \"pw\" } } }", "apn_connection_profiles/iot/secret 7077\n",
	  "\"apn_connection_profiles\":{\"iot\":{\"user_name\":\"u\",\"secret\":{\"credential\":\"apn_connection_profiles/iot/secret\",\"fingerprint\":\"f2\"}}}}" },
	/* what is no secret stays; what is under an unknown object and looks like a key goes */
	{ "{ " DEV ", \"servers\": { \"dm\": { \"security\": { \"server_public_key\": { \"hex\": \"3000\" }, \"key\": \"empty\" } } },"
	  " \"objects\": { \"/21/0\": { \"oscore_master_secret\": { \"hex\": \"aa\" }, \"oscore_sender_id\": { \"hex\": \"01\" } }, \"/9999/0\": { \"k\": { \"hex\": \"bb\" } } } }",
	  "objects/~121~10/oscore_master_secret aa\nobjects/~19999~10/k bb\n",
	  "\"servers\":{\"dm\":{\"security\":{\"server_public_key\":{\"hex\":\"3000\"},\"key\":\"empty\"}}},\"objects\":{\"/21/0\":{\"oscore_master_secret\":"
	  "{\"credential\":\"objects/~121~10/oscore_master_secret\",\"fingerprint\":\"f1\"},\"oscore_sender_id\":{\"hex\":\"01\"}},\"/9999/0\":{\"k\":"
	  "{\"credential\":\"objects/~19999~10/k\",\"fingerprint\":\"f1\"}}}}" },
};
static const struct {
	const char *text;
	enum err_code code;
	const char *msg;
} not_extracted[] = {
	{ "{ " DEV ",\n\"servers\": { \"dm\": { \"security\": { \"key\": @{ \"file\": \"x\" } } } } }", ERR_REFUSED, "/servers/dm/security/key: a file is read by the command line only" },
	{ "{ " DEV ",\n\"servers\": { \"dm\": { \"security\": { \"key\": @\"0011\" } } } }", ERR_INVALID,
	  "/servers/dm/security/key: 4 characters that could be hex (2 octets) or base64 (3 octets): say {\"hex\": ...} or {\"base64\": ...}" },
	{ "{ " DEV ",\n\"servers\": { \"dm\": { \"security\": { \"key\": @\"${k}\" } } } }", ERR_INVALID, "/servers/dm/security/key: a key does not come from a variable" },
	{ "{ " DEV ",\n\"servers\": { \"dm\": { \"security\": { \"key\": { \"hex\": @5 } } } } }", ERR_INVALID, "/servers/dm/security/key/hex: must be a string, is a number" },
	{ "{ " DEV ",\n\"servers\": { \"dm\": { \"security\": { \"key\": @{ \"generate\": 5 } } } } }", ERR_INVALID, "/servers/dm/security/key: generate takes a number of octets, 16 to 64" },
	{ "{ " DEV ",\n\"servers\": { \"dm\": { \"security\": { \"key\": @\"-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n\" } } } }", ERR_INVALID,
	  "/servers/dm/security/key: PEM, but no private key" },
};
/* clang-format on */

START_TEST(keys_leave_and_references_stay)
{
	struct kit k = { 0 };
	struct seen s = { .refuse = false };
	struct gbuf out = { 0 };
	struct err e = { 0 };

	kit_add(&k, "dev", extracted[_i].text);
	ck_assert_msg(profile_extract(k.docs[0], note, &s, &e) == ERR_OK, "%s", e.msg);
	ck_assert_str_eq(gbuf_cstr(&s.text), extracted[_i].seen);
	profile_doc_write(k.docs[0], true, &out);
	ck_assert_str_eq(gbuf_cstr(&out) + strlen("{\"profile_format\":1,\"endpoint\":\"dev\","),
	    extracted[_i].left);
	gbuf_clear(&s.text);
	gbuf_clear(&out);
	kit_clear(&k);
}
END_TEST

START_TEST(what_is_no_key_is_refused_without_being_shown)
{
	struct kit k = { 0 };
	struct seen s = { .refuse = false };
	struct err e = { 0 };
	char want[256];

	kit_add(&k, "dev", not_extracted[_i].text);
	(void)snprintf(want, sizeof want, "dev:%u:%u: %s", k.line, k.column, not_extracted[_i].msg);
	ck_assert_int_eq(profile_extract(k.docs[0], note, &s, &e), not_extracted[_i].code);
	ck_assert_str_eq(e.msg, want);
	gbuf_clear(&s.text);
	kit_clear(&k);
}
END_TEST

START_TEST(who_is_shown_a_key_can_stop_it)
{
	struct kit k = { 0 };
	struct seen s = { .refuse = true };
	struct err e = { 0 };

	kit_add(&k, "dev", extracted[0].text);
	ck_assert_int_eq(profile_extract(k.docs[0], note, &s, &e), ERR_REFUSED);
	ck_assert_str_eq(e.msg, "not today");
	kit_clear(&k);
}
END_TEST

/* ---- inline ---- */

static char folder[64];

static void
put_file(const char *name, const void *content, size_t n)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(content, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

#define PUT(name, text) put_file(name, text, sizeof(text) - 1)

static void
make_folder(void)
{
	char path[256];

	(void)snprintf(folder, sizeof folder, "/tmp/bs-keys-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/keys", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof path, "%s/out", folder);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	PUT("raw", "\x00\x01\xff\x7f");
	PUT("hex", "000102030405060708090a0b0c0d0e0f\n");
	PUT("base64", "AAECAwQFBgcICQoLDA0ODw==\r\n");
	PUT("word", "mysecretpassword");
	PUT("pem", "-----BEGIN PRIVATE KEY-----\nMA\nA=\n-----END PRIVATE KEY-----\n");
	PUT("sec1", "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n");
	PUT("empty", "");
	PUT("keys/dev.psk", "101112131415161718191a1b1c1d1e1f");
}

static void
remove_folder(void)
{
	static const char *const names[] = { "raw", "hex", "base64", "word", "pem", "sec1", "empty",
		"out", "keys/dev.psk" };
	char path[256];

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof path, "%s/keys", folder);
	(void)rmdir(path);
	(void)rmdir(folder);
}

static struct profile_doc *
parse_in_folder(const char *name, const char *text)
{
	struct profile_doc *d = NULL;
	struct err e = { 0 };
	char file[256];

	(void)snprintf(file, sizeof file, "%s/%s", folder, name);
	ck_assert_msg(profile_parse(file, 1, text, strlen(text), &d, &e) == ERR_OK, "%s", e.msg);
	return d;
}

/* clang-format off */
#define KEY_ITSELF(n)                                                                              \
	"no file has this name of " n                                                              \
	" characters, which looks like a key itself: keys stand in hex or base64, not in file"

static const struct {
	const char *key;    /* of a server */
	const char *base64; /* what becomes of it; NULL: */
	const char *rule, *reason; /* refused; '*' is the folder */
} inlined[] = {
	{ "{ \"file\": \"raw\" }", "AAH/fw==", NULL, NULL },
	{ "{ \"file\": \"hex\" }", "AAECAwQFBgcICQoLDA0ODw==", NULL, NULL },
	{ "{ \"file\": \"base64\" }", "AAECAwQFBgcICQoLDA0ODw==", NULL, NULL },
	{ "{ \"file\": \"pem\" }", "MAA=", NULL, NULL },
	{ "{ \"file\": \"word\", \"encoding\": \"raw\" }", "bXlzZWNyZXRwYXNzd29yZA==", NULL, NULL },
	{ "{ \"file\": \"keys/${endpoint}.psk\" }", "EBESExQVFhcYGRobHB0eHw==", NULL, NULL },
	{ "{ \"file\": \"${f:-hex}\" }", "AAECAwQFBgcICQoLDA0ODw==", NULL, NULL },
	{ "{ \"file\": \"word\" }", NULL, "key-material",
	  "word: 16 characters of text: say how they are meant, \"encoding\": \"hex\", \"base64\" or \"raw\"" },
	{ "{ \"file\": \"empty\" }", NULL, "key-material", "empty: it is empty" },
	{ "{ \"file\": \"sec1\" }", "MAA=", NULL, NULL },
	{ "{ \"file\": \"hex\", \"encoding\": \"morse\" }", NULL, "key-material", "encoding must be one of raw, hex, base64, pem, der" },
	{ "{ \"file\": \"none\" }", NULL, "file", "*/none: No such file or directory" },
	{ "{ \"file\": \"/etc/passwd\" }", NULL, "file", "an absolute path" },
	{ "{ \"file\": \"../x\" }", NULL, "file", "\"..\" leads out of its folder" },
	{ "{ \"file\": \"out\" }", NULL, "file", "*/out leads out of *" },
	{ "{ \"file\": \"keys\" }", NULL, "file", "*/keys: is no regular file" },
	{ "{ \"file\": \"00112233445566778899aabbccddeeff\" }", NULL, "file", KEY_ITSELF("32") },
	{ "{ \"file\": \"ABEiM0RVZneImaq7zN3u/w==\" }", NULL, "file", KEY_ITSELF("24") },
	{ "{ \"file\": \"${u}/x\" }", NULL, "key-material", NULL },
};
/* clang-format on */

static void
with_folder(const char *text, struct gbuf *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '*')
			gbuf_str(out, folder);
		else
			gbuf_put(out, text, 1);
	}
}

START_TEST(files_become_octets)
{
	struct profile_findings f = { 0 };
	struct gbuf out = { 0 };
	char text[512], want[512];

	(void)snprintf(text, sizeof text,
	    "{ " DEV ",\n\"servers\": { \"dm\": { \"security\": { \"key\": %s } } } }",
	    inlined[_i].key);
	struct profile_doc *d = parse_in_folder("dev.json", text);
	ck_assert_int_eq(profile_inline(d, NULL, NULL, &f, NULL), ERR_OK);
	if (inlined[_i].base64 != NULL) {
		ck_assert_msg(f.n == 0, "%s", kit_print(&f));
		profile_doc_write(d, true, &out);
		(void)snprintf(
		    want, sizeof want, "\"key\":{\"base64\":\"%s\"}", inlined[_i].base64);
		ck_assert_msg(strstr(gbuf_cstr(&out), want) != NULL, "%s", gbuf_cstr(&out));
	} else {
		ck_assert_uint_eq(f.n, 1);
		ck_assert_str_eq(f.v[0].rule->name, inlined[_i].rule);
		ck_assert_uint_eq(f.v[0].line, 2);
		ck_assert_uint_eq(f.v[0].column, 53);
		if (inlined[_i].reason != NULL) {
			with_folder(inlined[_i].reason, &out);
			ck_assert_str_eq(f.v[0].reason, gbuf_cstr(&out));
		}
	}
	gbuf_clear(&out);
	profile_findings_clear(&f);
	profile_doc_free(d);
}
END_TEST

static const struct profile_doc *
the_parent(void *arg, const char *name, struct err *e)
{
	(void)name;
	(void)e;
	return arg;
}

/* The profile names the pattern; each device's document gets the key as its own. */
START_TEST(an_inherited_pattern_gives_each_device_its_own_key)
{
	struct profile_findings f = { 0 };
	struct gbuf out = { 0 };
	struct profile_doc *resolved = NULL;
	struct profile_doc *p = parse_in_folder("p.json",
	    "{ \"profile\": \"p\", \"servers\": { \"dm\": { \"security\": { \"key\": { \"file\": "
	    "\"keys/${endpoint}.psk\" }, "
	    "\"server_public_key\": { \"file\": \"raw\" } } } } }");
	struct profile_doc *d = parse_in_folder("keys/dev.json", "{ " DEV ", \"extends\": \"p\" }");

	ck_assert_int_eq(profile_resolve(d, the_parent, p, &f, &resolved, NULL), ERR_OK);
	ck_assert_int_eq(profile_inline(d, resolved, NULL, &f, NULL), ERR_OK);
	ck_assert_int_eq(profile_inline(p, NULL, folder, &f, NULL), ERR_OK);
	ck_assert_msg(f.n == 0, "%s", kit_print(&f));
	profile_doc_write(d, true, &out);
	ck_assert_str_eq(gbuf_cstr(&out), "{\"profile_format\":1,\"endpoint\":\"dev\",\"extends\":"
	                                  "\"p\",\"servers\":{\"dm\":{\"security\":{\"key\":{"
	                                  "\"base64\":\"EBESExQVFhcYGRobHB0eHw==\"}}}}}");
	gbuf_reset(&out);
	profile_doc_write(p, true, &out);
	ck_assert_str_eq(gbuf_cstr(&out),
	    "{\"profile\":\"p\",\"servers\":{\"dm\":{\"security\":{\"server_public_key\":{"
	    "\"base64\":\"AAH/fw==\"},\"key\":{"
	    "\"credential\":\"servers/dm/security/key\"}}}}}");
	gbuf_clear(&out);
	profile_doc_free(resolved);
	profile_doc_free(d);
	profile_doc_free(p);
}
END_TEST

/* ---- fleets ---- */

/* clang-format off */
#define KNOCK(ep, id, key, more) \
	"{ \"profile_format\": 1, \"endpoint\": \"" ep "\"" more ", \"credentials\": { \"bootstrap\": { \"mode\": \"psk\", \"identity\": \"" id "\", \"key\": " key " } } }"
static const struct {
	const char *a, *b, *found;
} fleets[] = {
	{ KNOCK("a", "i", "{ \"hex\": " K16 " }", ""), KNOCK("b", "j", "{ \"hex\": \"ff\" }", ""), "" },
	{ KNOCK("a", "i", "{ \"hex\": " K16 " }", ""), KNOCK("b", "j", K16, ""),
	  "b:1:112: error: the same key as a (a:1:112) (/credentials/bootstrap/key) [shared-key]\n" },
	{ KNOCK("a", "i", K16, ", \"shared_key\": true"), KNOCK("b", "j", K16, ", \"shared_key\": true"), "" },
	{ KNOCK("a", "i", "{ \"generate\": 16 }", ""), KNOCK("b", "i", "{ \"generate\": 16 }", ""),
	  "b:1:100: error: the same identity as a (a:1:100) (/credentials/bootstrap/identity) [shared-identity]\n" },
	{ KNOCK("a", "i", "{ \"generate\": 16 }", ""), KNOCK("a", "i", "{ \"generate\": 16 }", ""),
	  "b:1:36: error: the same endpoint as a (a:1:36) (/endpoint) [duplicate-endpoint]\n" },
	{ "{ \"profile\": \"p\" }", "{ \"profile\": \"p\" }", "b:1:14: error: the same profile as p (a:1:14) (/profile) [duplicate-profile]\n" },
	{ "{ \"profile\": \"p\" }", "{ \"endpoint\": \"p\" }", "" },
	{ "{ \"endpoint\": \"a\", \"servers\": { \"s\": { \"short_server_id\": 1, \"uri\": \"coaps://x\", \"security\": { \"mode\": \"psk\", \"identity\": \"a\", \"key\": " K16 " } } } }",
	  "{ \"endpoint\": \"b\", \"servers\": { \"s\": { \"short_server_id\": 1, \"uri\": \"coaps://x\", \"security\": { \"mode\": \"psk\", \"identity\": \"b\", \"key\": " K16 " } } } }",
	  "b:1:135: error: the same key as a (a:1:135) (/servers/s/security/key) [shared-key]\n" },
};
/* clang-format on */

START_TEST(what_two_documents_share_is_found)
{
	const char *const texts[2] = { fleets[_i].a, fleets[_i].b };
	static const char *const names[2] = { "a", "b" };
	struct profile_fleet *fl = profile_fleet_new();
	struct profile_findings f = { 0 };

	for (size_t i = 0; i < 2; i++) {
		struct kit k = { 0 };

		kit_add(&k, names[i], texts[i]);
		kit_resolve(&k);
		ck_assert_int_eq(
		    profile_fleet_add(fl, k.resolved, lwm2m_model_builtin(), NULL, &f, NULL),
		    ERR_OK);
		kit_clear(&k);
	}
	ck_assert_str_eq(kit_print(&f), fleets[_i].found);
	profile_findings_clear(&f);
	profile_fleet_free(fl);
}
END_TEST

START_TEST(a_large_fleet_is_kept_apart)
{
	struct profile_fleet *fl = profile_fleet_new();
	struct profile_findings f = { 0 };

	for (unsigned i = 0; i < 3000; i++) {
		struct kit k = { 0 };
		char text[128];

		(void)snprintf(text, sizeof text, "{ \"endpoint\": \"urn:dev:%u\" }", i % 2999);
		kit_add(&k, "f", text);
		kit_resolve(&k);
		ck_assert_int_eq(
		    profile_fleet_add(fl, k.resolved, lwm2m_model_builtin(), NULL, &f, NULL),
		    ERR_OK);
		kit_clear(&k);
	}
	ck_assert_str_eq(kit_print(&f), "f:1:15: error: the same endpoint as urn:dev:0 (f:1:15) "
	                                "(/endpoint) [duplicate-endpoint]\n");
	profile_findings_clear(&f);
	profile_fleet_free(fl);
}
END_TEST

/* ---- match ---- */

START_TEST(the_longest_pattern_wins_and_a_tie_is_an_error)
{
	static const struct profile_pattern rows[] = { { "all", "*" }, { "imei", "urn:imei:*" },
		{ "de", "urn:imei:49*" }, { "de", "urn:imei:4?*" }, { "x", "abc*" },
		{ "y", "a?c*" } };
	static const struct {
		const char *endpoint, *profile;
	} want[] = { { "foo", "all" }, { "urn:imei:1", "imei" }, { "urn:imei:490", "de" },
		{ "urn:imei:48", "de" } };
	const struct profile_pattern *found;
	struct err e = { 0 };

	for (size_t i = 0; i < N_ELEMS(want); i++) {
		ck_assert_int_eq(
		    profile_match(rows, N_ELEMS(rows), want[i].endpoint, &found, &e), ERR_OK);
		ck_assert_str_eq(found->profile, want[i].profile);
	}
	ck_assert_int_eq(profile_match(rows + 1, 1, "foo", &found, &e), ERR_OK);
	ck_assert_ptr_null(found);
	ck_assert_int_eq(profile_match(rows, N_ELEMS(rows), "abcd", &found, &e), ERR_CONFLICT);
	ck_assert_str_eq(e.msg, "abcd: \"abc*\" of profile x and \"a?c*\" of profile y fit alike");
}
END_TEST

/* ---- explain ---- */

START_TEST(every_key_is_explained)
{
	char buf[PROFILE_HELP_BUF];
	struct profile_help h;
	bool uri = false, word = false, sni = false;
	size_t n = 0;

	for (; profile_help_at(n, &h, buf); n++) {
		ck_assert_msg(
		    h.name[0] != '\0' && h.text[0] != '\0' && h.type[0] != '\0', "%s", h.name);
		if (strcmp(h.name, "uri") == 0 && strcmp(h.place, "servers.NAME") == 0) {
			uri = true;
			ck_assert_str_eq(h.alias, "lwm2m_server_uri");
			ck_assert_str_eq(h.path, "/0/x/0");
			ck_assert_str_eq(h.type, "string, 0..255");
		} else if (strcmp(h.name, "mode") == 0 &&
		           strcmp(h.place, "servers.NAME.security") == 0) {
			word = true;
			ck_assert_str_eq(h.type, "one of psk, rpk, x509, nosec, est");
		} else if (strcmp(h.name, "sni") == 0) {
			sni = true;
			ck_assert_str_eq(h.path, "/0/x/14");
		}
	}
	ck_assert(uri && word && sni);
	ck_assert_uint_gt(n, 100);
}
END_TEST

static Suite *
suite(void)
{
	static const struct unit_case cases[] = {
		UNIT_CASE(keys_leave_and_references_stay, N_ELEMS(extracted)),
		UNIT_CASE(what_is_no_key_is_refused_without_being_shown, N_ELEMS(not_extracted)),
		UNIT_CASE(who_is_shown_a_key_can_stop_it, 0),
		UNIT_CASE(what_two_documents_share_is_found, N_ELEMS(fleets)),
		UNIT_CASE(a_large_fleet_is_kept_apart, 0),
		UNIT_CASE(the_longest_pattern_wins_and_a_tie_is_an_error, 0),
		UNIT_CASE(every_key_is_explained, 0),
	};
	Suite *s = unit_suite("profile_keys", cases, N_ELEMS(cases));
	TCase *files = tcase_create("files");

	tcase_add_checked_fixture(files, make_folder, remove_folder);
	tcase_add_loop_test(files, files_become_octets, 0, N_ELEMS(inlined));
	tcase_add_test(files, an_inherited_pattern_gives_each_device_its_own_key);
	suite_add_tcase(s, files);
	return s;
}

UNIT_MAIN(suite)
