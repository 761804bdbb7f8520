/* pki ca init, issue, csr sign, revoke, crl, expiring: a CA in a folder, without a daemon. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lwm2m-prov/ca.h"
#include "lwm2m-prov/cmd_pki.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "pki/issue.h"
#include "pki/object.h"
#include "pki/pem.h"
#include "pki/status.h"

#define DAY INT64_C(86400)

/* clang-format off */
static const struct out_field cert_fields[] = {
	{ "subject", "subject", OUT_PLAIN, NULL },
	{ "issuer", "issuer", OUT_PLAIN, NULL },
	{ "serial", "serial", OUT_PLAIN, NULL },
	{ "not_before", "from", OUT_PLAIN, NULL },
	{ "not_after", "until", OUT_PLAIN, NULL },
	{ "key", "key", OUT_PLAIN, NULL },
	{ "names", "names", OUT_PLAIN, NULL },
	{ "sha256", "SHA-256", OUT_PLAIN, NULL },
};
static const struct out_field issued_fields[] = {
	{ "not_after", "until", OUT_PLAIN, NULL },
	{ "serial", "serial", OUT_PLAIN, NULL },
	{ "subject", "subject", OUT_PLAIN, NULL },
};
static const struct out_field given_fields[] = {
	{ "not_after", "until", OUT_TIME, NULL },
	{ "endpoint", "endpoint", OUT_PLAIN, NULL },
	{ "kind", "kind", OUT_PLAIN, NULL },
	{ "path", "path", OUT_PLAIN, NULL },
	{ "subject", "subject", OUT_PLAIN, NULL },
	{ "issuer", "issuer", OUT_PLAIN, NULL },
	{ "sha256", "SHA-256", OUT_PLAIN, NULL },
};
static const struct out_view given_view = { given_fields, N_ELEMS(given_fields) };
static const struct out_view cert_view = { cert_fields, N_ELEMS(cert_fields) };
static const struct out_view issued_view = { issued_fields, N_ELEMS(issued_fields) };
/* clang-format on */

static enum prov_exit
ended(enum err_code rc, struct err *e)
{
	if (rc == ERR_OK)
		return EXIT_DONE;
	(void)err_wrap(e, "pki");
	return rc == ERR_PARSE || rc == ERR_LIMIT ? EXIT_INVALID : exit_of(rc);
}

static int64_t
now(void)
{
	return clock_wall_ms() / 1000;
}

static enum err_code
read_pin(const struct cli *cli, struct secret *pin, struct err *e)
{
	const char *file = cli_text(cli, OPT_PIN_FILE);
	enum err_code rc = file == NULL ? ERR_OK : pem_read_file(file, 256, pin, e);

	for (size_t i = 0; i < pin->len; i++)
		if (pin->data[i] == '\n' || pin->data[i] == '\r')
			pin->len = i;
	return rc;
}

static enum pki_key_kind
wanted_kind(const struct cli *cli)
{
	const char *type = cli_text(cli, OPT_KEY_TYPE);

	if (type != NULL && strcmp(type, "p384") == 0)
		return PKI_KEY_P384;
	return type != NULL && strcmp(type, "ed25519") == 0 ? PKI_KEY_ED25519 : PKI_KEY_P256;
}

static enum err_code
open_with_key(struct cli *cli, const char *dir, struct ca *ca, struct err *e)
{
	struct secret pin = SECRET_NONE;
	enum err_code rc = ca_open(dir, ca, e);

	if (rc == ERR_OK)
		rc = read_pin(cli, &pin, e);
	if (rc == ERR_OK)
		rc = ca_open_key(ca, &pin, e);
	secret_clear(&pin);
	return rc;
}

static enum err_code
put_pem(const struct cli *cli, enum opt_id where, const char *label, const struct secret *der,
    struct err *e)
{
	struct gbuf pem = { 0 };

	pem_write(&pem, label, der->data, der->len);
	enum err_code rc = gbuf_check(&pem, e);
	if (rc == ERR_OK)
		rc = file_put(
		    cli_text(cli, where), pem.data, pem.len, 0600, cli_has(cli, OPT_FORCE), e);
	gbuf_clear(&pem);
	return rc;
}

static void
show(struct cli *cli, const struct pki_cert *c)
{
	json_t *j = pki_cert_json(c);

	out_object(cli->out, &cert_view, j);
	json_decref(j);
}

static struct pki_issue
what_to_issue(const struct cli *cli, enum pki_issue_kind kind, uint64_t days, const char **names)
{
	int64_t at = now();

	names[0] = cli_text(cli, OPT_NAME);
	return (struct pki_issue){ .kind = kind,
		.subject = cli_text(cli, OPT_SUBJECT),
		.names = names,
		.n_names = names[0] != NULL ? 1 : 0,
		.not_before = at - PKI_ISSUE_BACK_S,
		.not_after = at + (int64_t)cli_number(cli, OPT_DAYS, days) * DAY,
		.path_len = -1,
		.ocsp_url = cli_text(cli, OPT_OCSP_URL),
		.crl_url = cli_text(cli, OPT_CRL_URL) };
}

/* ---- ca init ---- */

static enum err_code
ca_key(const struct cli *cli, struct pki_key **out, struct err *e)
{
	const char *where = cli_text(cli, OPT_CA_KEY);
	struct secret pin = SECRET_NONE;
	enum err_code rc;

	if (where == NULL)
		return pki_key_generate(wanted_kind(cli), out, e);
	rc = cli_has(cli, OPT_PARENT) ? ERR_OK : read_pin(cli, &pin, e);
	if (rc == ERR_OK)
		rc = pki_key_open(where, &pin, out, e);
	secret_clear(&pin);
	return rc;
}

/* Its certificate, by itself or by the CA above it, which notes it. */
static enum err_code
ca_certificate(struct cli *cli, const struct pki_key *key, struct secret *der, struct pki_cert **c,
    struct err *e)
{
	const char *names[1], *parent = cli_text(cli, OPT_PARENT);
	struct pki_issue what = what_to_issue(cli, PKI_ISSUE_CA, 3650, names);
	struct ca above = { .lock = -1 };
	enum err_code rc = parent == NULL ? ERR_OK : open_with_key(cli, parent, &above, e);

	if (rc == ERR_OK)
		rc = pki_issue_cert(&what, pki_key_public(key), above.cert,
		    above.key != NULL ? above.key : key, der, e);
	if (rc == ERR_OK)
		rc = pki_cert_parse(der->data, der->len, c, e);
	if (rc == ERR_OK && parent != NULL)
		rc = ca_note_issued(&above, *c, e);
	ca_close(&above);
	return rc;
}

enum prov_exit
cmd_pki_ca_init(struct cli *cli, struct err *e)
{
	const char *where = cli_text(cli, OPT_CA_KEY);
	struct secret der = SECRET_NONE;
	struct pki_key *key = NULL;
	struct pki_cert *c = NULL;
	enum err_code rc = ca_key(cli, &key, e);

	if (rc == ERR_OK)
		rc = ca_certificate(cli, key, &der, &c, e);
	if (rc == ERR_OK)
		rc = ca_create(cli->args[0], key,
		    where != NULL && strncmp(where, "pkcs11:", 7) == 0 ? where : NULL, &der,
		    cli_has(cli, OPT_FORCE), e);
	if (rc == ERR_OK)
		show(cli, c);
	pki_cert_unref(c);
	pki_key_free(key);
	secret_clear(&der);
	return ended(rc, e);
}

/* ---- issue, csr sign ---- */

/* For whose key: a file of one request or public key. subject (NULL: not wanted) is the request's.
 */
static enum err_code
read_public(const char *file, enum pki_object_kind kind, struct secret *spki,
    struct secret *subject, struct err *e)
{
	struct pki_objects os;
	enum err_code rc = pki_objects_load(&os, file, e);
	const struct pki_object *o = rc == ERR_OK && os.n == 1 ? &os.v[0] : NULL;

	if (rc == ERR_OK && (o == NULL || o->kind != kind))
		rc = err_set(e, ERR_PARSE, "%.200s: one %s and nothing else is wanted", file,
		    kind == PKI_OBJECT_REQUEST ? "certificate request" : "public key");
	if (rc == ERR_OK && kind == PKI_OBJECT_REQUEST && !o->proved)
		rc = err_set(
		    e, ERR_REFUSED, "%.200s: the request is not signed by its own key", file);
	if (rc == ERR_OK)
		rc = secret_set(spki, o->spki.der.p, o->spki.der.n, e);
	if (rc == ERR_OK && subject != NULL)
		rc = secret_set(subject, o->name.p, o->name.n, e);
	pki_objects_clear(&os);
	return rc;
}

static enum err_code
one_source(const struct cli *cli, struct err *e)
{
	int n = cli_has(cli, OPT_KEY_OUT) + cli_has(cli, OPT_CSR) + cli_has(cli, OPT_PUBLIC_KEY);

	return n == 1 ? ERR_OK
	              : err_set(e, ERR_USAGE, "one of --key-out, --csr and --public-key is wanted");
}

static enum err_code
find_public(const struct cli *cli, struct pki_key **made, struct secret *spki, struct err *e)
{
	enum err_code rc = one_source(cli, e);

	if (rc != ERR_OK)
		return rc;
	if (cli_has(cli, OPT_CSR))
		return read_public(cli_text(cli, OPT_CSR), PKI_OBJECT_REQUEST, spki, NULL, e);
	if (cli_has(cli, OPT_PUBLIC_KEY))
		return read_public(
		    cli_text(cli, OPT_PUBLIC_KEY), PKI_OBJECT_PUBLIC_KEY, spki, NULL, e);
	rc = pki_key_generate(wanted_kind(cli), made, e);
	return rc == ERR_OK ? secret_set(spki, pki_key_public(*made).p, pki_key_public(*made).n, e)
	                    : rc;
}

/* Before anything is signed or noted. */
static enum err_code
nothing_there(const struct cli *cli, struct err *e)
{
	static const enum opt_id files[] = { OPT_OUT, OPT_KEY_OUT };

	for (size_t i = 0; i < N_ELEMS(files) && !cli_has(cli, OPT_FORCE); i++) {
		const char *file = cli_text(cli, files[i]);

		if (file != NULL && access(file, F_OK) == 0)
			return err_set(e, ERR_EXISTS, "%.200s: it is there already", file);
	}
	return ERR_OK;
}

/* The key first: a certificate without its key is of no use, the other way round nothing is lost.
 */
static enum err_code
put_made_key(const struct cli *cli, const struct pki_key *made, struct err *e)
{
	struct secret pkcs8 = SECRET_NONE;
	enum err_code rc = made == NULL ? ERR_OK : pki_key_export(made, &pkcs8, e);

	if (rc == ERR_OK && made != NULL)
		rc = put_pem(cli, OPT_KEY_OUT, "PRIVATE KEY", &pkcs8, e);
	secret_clear(&pkcs8);
	return rc;
}

/* For the daemon's index. Nothing is written before: who was not told can just run it again. */
static enum err_code
tell_issued(struct cli *cli, const struct secret *der, struct err *e)
{
	struct remote_call call = { .method = "POST", .path = "/v1/certificates", .audited = true };
	struct gbuf base64 = { .max = 65536 };
	json_t *body, *doc = NULL;

	enc_base64(&base64, der->data, der->len);
	body = json_pack("{s:s}", "certificate", gbuf_cstr(&base64));
	call.body = body;
	enum err_code rc = gbuf_check(&base64, e);
	if (rc == ERR_OK)
		rc = remote_call(cli, &call, &doc, e);
	if (rc != ERR_OK)
		err_wrap(e, "nothing was written: the daemon was not told");
	json_decref(doc);
	json_decref(body);
	gbuf_clear(&base64);
	return rc;
}

static enum err_code
issue(struct cli *cli, const struct secret *subject, const struct secret *spki,
    const struct pki_key *made, struct err *e)
{
	bool server = strcmp(cli_text(cli, OPT_PURPOSE), "server") == 0;
	const char *names[1];
	struct pki_issue what =
	    what_to_issue(cli, server ? PKI_ISSUE_SERVER : PKI_ISSUE_CLIENT, 365, names);
	struct secret der = SECRET_NONE;
	struct pki_cert *c = NULL;
	struct ca ca = { .lock = -1 };
	enum err_code rc = open_with_key(cli, cli->args[0], &ca, e);

	if (subject != NULL)
		what.subject_name = (struct pki_blob){ subject->data, subject->len };
	if (rc == ERR_OK)
		rc = nothing_there(cli, e);
	if (rc == ERR_OK)
		rc = pki_issue_cert(
		    &what, (struct pki_blob){ spki->data, spki->len }, ca.cert, ca.key, &der, e);
	if (rc == ERR_OK)
		rc = pki_cert_parse(der.data, der.len, &c, e);
	if (rc == ERR_OK)
		rc = ca_note_issued(&ca, c, e);
	if (rc == ERR_OK && cli_has(cli, OPT_TELL))
		rc = tell_issued(cli, &der, e);
	if (rc == ERR_OK)
		rc = put_made_key(cli, made, e);
	if (rc == ERR_OK)
		rc = put_pem(cli, OPT_OUT, "CERTIFICATE", &der, e);
	if (rc == ERR_OK)
		show(cli, c);
	pki_cert_unref(c);
	secret_clear(&der);
	ca_close(&ca);
	return rc;
}

enum prov_exit
cmd_pki_issue(struct cli *cli, struct err *e)
{
	struct secret spki = SECRET_NONE;
	struct pki_key *made = NULL;
	enum err_code rc = find_public(cli, &made, &spki, e);

	if (rc == ERR_OK)
		rc = issue(cli, NULL, &spki, made, e);
	pki_key_free(made);
	secret_clear(&spki);
	return ended(rc, e);
}

enum prov_exit
cmd_pki_csr_sign(struct cli *cli, struct err *e)
{
	struct secret spki = SECRET_NONE, subject = SECRET_NONE;
	enum err_code rc = read_public(cli->args[1], PKI_OBJECT_REQUEST, &spki, &subject, e);

	if (rc == ERR_OK)
		rc = issue(cli, cli_has(cli, OPT_SUBJECT) ? NULL : &subject, &spki, NULL, e);
	secret_clear(&spki);
	secret_clear(&subject);
	return ended(rc, e);
}

/* ---- revoke, crl, expiring ---- */

/* The serial number itself, or a file with the certificate. Lower-case hex. */
static enum err_code
serial_of(const char *arg, const struct ca *ca, struct gbuf *out, struct err *e)
{
	struct pki_certs cs = PKI_CERTS_NONE;
	size_t n = strspn(arg, "0123456789abcdefABCDEF");
	enum err_code rc;

	if (arg[n] == '\0') {
		for (; *arg != '\0'; arg++)
			gbuf_u8(out, (uint8_t)(*arg >= 'A' && *arg <= 'F' ? *arg + 32 : *arg));
		return gbuf_check(out, e);
	}
	rc = pki_certs_load(&cs, arg, PKI_BUNDLE_CERTS, e);
	if (rc == ERR_OK && !blob_equal(cs.v[0]->issuer, ca->cert->subject))
		rc = err_set(e, ERR_NOT_FOUND, "%.200s: another CA issued it", arg);
	if (rc == ERR_OK)
		enc_hex(out, cs.v[0]->serial.p, cs.v[0]->serial.n);
	pki_certs_clear(&cs);
	return rc;
}

/* The daemon knows it by its SHA-256. */
static enum err_code
tell_daemon(struct cli *cli, const json_t *issued, const char *reason, struct err *e)
{
	const char *sha256 = json_string_value(json_object_get(issued, "sha256"));
	struct gbuf path = { .max = 4096 };
	json_t *body = json_pack("{s:s}", "why", reason), *doc = NULL;
	struct remote_call call = { .method = "POST", .body = body, .audited = true };
	enum err_code rc = sha256 != NULL ? ERR_OK :
					    err_set(e, ERR_INVALID, "the CA's list does not say which certificate that is");

	if (rc == ERR_OK) {
		remote_path(&path, "/v1/certificates/", sha256, "/revoke");
		call.path = gbuf_cstr(&path);
		rc = remote_call(cli, &call, &doc, e);
	}
	if (rc != ERR_OK)
		err_wrap(e, "revoked in the CA's list, but the daemon was not told; run it again");
	json_decref(doc);
	json_decref(body);
	gbuf_clear(&path);
	return rc;
}

enum prov_exit
cmd_pki_revoke(struct cli *cli, struct err *e)
{
	const char *reason =
	    cli_has(cli, OPT_REASON) ? cli_text(cli, OPT_REASON) : pki_crl_reason_name(0);
	struct gbuf serial = { .max = 4096 };
	struct ca ca = { .lock = -1 };
	unsigned number;
	enum err_code rc = pki_crl_reason_of(reason, &number)
	                       ? ca_open(cli->args[0], &ca, e)
	                       : err_set(e, ERR_USAGE,
	                             "--reason: \"%.40s\" is none that a "
	                             "revocation has",
	                             reason);

	if (rc == ERR_OK)
		rc = serial_of(cli->args[1], &ca, &serial, e);
	if (rc == ERR_OK)
		rc = ca_note_revoked(&ca, gbuf_cstr(&serial), now(), reason, e);
	if ((rc == ERR_OK || rc == ERR_EXISTS) && cli_has(cli, OPT_TELL))
		rc = tell_daemon(cli, json_object_get(ca.issued, gbuf_cstr(&serial)), reason, e);
	if (rc == ERR_OK) {
		json_t *j = json_object_get(ca.issued, gbuf_cstr(&serial));

		out_json(cli->out, j);
		out_say(cli->out, "%s: revoked; write a new revocation list (pki crl)",
		    gbuf_cstr(&serial));
	}
	gbuf_clear(&serial);
	ca_close(&ca);
	return ended(rc, e);
}

/* What is revoked, as entries; those that the list is over for need not stand in it any more. */
static enum err_code
collect_revoked(
    const struct ca *ca, struct pki_crl_entry *v, struct secret *serials, size_t *n, struct err *e)
{
	const char *serial;
	json_t *row;

	json_object_foreach(ca->issued, serial, row)
	{
		const json_t *at = json_object_get(row, "revoked_at");
		enum err_code rc;

		if (!json_is_integer(at) ||
		    json_integer_value(json_object_get(row, "not_after")) < now() - DAY)
			continue;
		serials[*n] = SECRET_NONE;
		rc = dec_hex(serial, strlen(serial), &serials[*n], e);
		if (rc != ERR_OK)
			return rc;
		v[*n] = (struct pki_crl_entry){ .serial = { serials[*n].data, serials[*n].len },
			.at = json_integer_value(at) };
		++*n;
	}
	return ERR_OK;
}

static enum err_code
make_crl(struct cli *cli, const struct ca *ca, struct secret *der, size_t *n, struct err *e)
{
	size_t all = json_object_size(ca->issued) + 1;
	struct pki_crl_entry *v = calloc(all, sizeof *v);
	struct secret *serials = calloc(all, sizeof *serials);
	enum err_code rc =
	    v == NULL || serials == NULL ? err_no_memory(e) : collect_revoked(ca, v, serials, n, e);
	int64_t at = now();

	if (rc == ERR_OK)
		rc = pki_issue_crl(v, *n, (uint64_t)clock_wall_ms(), at - PKI_ISSUE_BACK_S,
		    at + (int64_t)cli_number(cli, OPT_DAYS, 7) * DAY, ca->cert, ca->key, der, e);
	for (size_t i = 0; serials != NULL && i < *n; i++)
		secret_clear(&serials[i]);
	free(serials);
	free(v);
	return rc;
}

enum prov_exit
cmd_pki_crl(struct cli *cli, struct err *e)
{
	struct secret der = SECRET_NONE;
	struct ca ca = { .lock = -1 };
	size_t n = 0;
	enum err_code rc = open_with_key(cli, cli->args[0], &ca, e);

	if (rc == ERR_OK)
		rc = make_crl(cli, &ca, &der, &n, e);
	if (rc == ERR_OK)
		rc = put_pem(cli, OPT_OUT, "X509 CRL", &der, e);
	if (rc == ERR_OK) {
		json_t *j = json_pack("{s:I}", "revoked", (json_int_t)n);

		out_json(cli->out, j);
		out_say(cli->out, "%s: %zu revoked", cli_text(cli, OPT_OUT), n);
		json_decref(j);
	}
	secret_clear(&der);
	ca_close(&ca);
	return ended(rc, e);
}

static enum err_code
expiring_issued(struct cli *cli, int64_t until, struct err *e)
{
	struct ca ca = { .lock = -1 };
	enum err_code rc = ca_open(cli->args[0], &ca, e);
	json_t *doc = json_object(), *list = json_array(), *row;
	const char *serial;

	json_object_foreach(ca.issued, serial, row)
	{
		int64_t end = json_integer_value(json_object_get(row, "not_after"));

		if (end > until || json_object_get(row, "revoked_at") != NULL)
			continue;
		json_t *one = json_copy(row);
		(void)json_object_set_new(one, "not_after", pki_time_json(end));
		(void)json_array_append_new(list, one);
	}
	(void)json_object_set_new(doc, "issued", list);
	if (rc == ERR_OK)
		out_table(cli->out, &issued_view, doc, "issued");
	json_decref(doc);
	ca_close(&ca);
	return rc;
}

static enum err_code
expiring_given(struct cli *cli, int64_t until, struct err *e)
{
	struct gbuf path = { .max = 256 }, number = { .max = 32 };
	json_t *doc = NULL;

	gbuf_str(&path, "/v1/certificates");
	gbuf_printf(&number, "%lld", (long long)until);
	client_path_query(&path, "until", gbuf_cstr(&number));
	enum err_code rc = remote_list(cli, gbuf_cstr(&path), "certificates", 0, &doc, e);
	if (rc == ERR_OK)
		out_table(cli->out, &given_view, doc, "certificates");
	json_decref(doc);
	gbuf_clear(&number);
	gbuf_clear(&path);
	return rc;
}

enum prov_exit
cmd_pki_expiring(struct cli *cli, struct err *e)
{
	int64_t until = now() + (int64_t)cli_number(cli, OPT_WITHIN, 30 * (uint64_t)DAY);

	if (cli->n_args == 0)
		return exit_of(expiring_given(cli, until, e));
	return ended(expiring_issued(cli, until, e), e);
}
