/* anchor add|list|retire: the CAs under which devices are let in, and who needs them still. */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lwm2m-prov/anchor.h"
#include "lwm2m-prov/output.h"
#include "lwm2m-prov/remote.h"
#include "pki/cert.h"

#define HEX_LEN ((size_t)2 * PKI_SHA256_LEN)
#define PREFIX_MIN 4

/* clang-format off */
static const struct out_field anchor_fields[] = {
	{ "sha256", "SHA-256", OUT_PLAIN, NULL },
	{ "subject", "subject", OUT_PLAIN, NULL },
	{ "not_after", "until", OUT_TIME, NULL },
	{ "trust", "trust", OUT_PLAIN, NULL },
	{ "for", "for", OUT_PLAIN, NULL },
	{ "state", "state", OUT_PLAIN, NULL },
	{ "from", "from", OUT_PLAIN, NULL },
	{ "under", "came under it", OUT_PLAIN, NULL },
	{ "given", "were given it", OUT_PLAIN, NULL },
};
/* clang-format on */

static enum err_code
load_one(const char *file, struct pki_certs *cs, struct err *e)
{
	enum err_code rc = pki_certs_load(cs, file, 2, e);

	if (rc == ERR_OK && cs->n != 1)
		rc = err_set(e, ERR_INVALID, "%.200s: one certificate and no more is wanted", file);
	return rc == ERR_PARSE || rc == ERR_LIMIT
	           ? err_set(e, ERR_INVALID, "%.200s: one certificate is wanted", file)
	           : rc;
}

static enum err_code
of_file(const char *file, struct gbuf *sha256, struct err *e)
{
	struct pki_certs cs = PKI_CERTS_NONE;
	enum err_code rc = load_one(file, &cs, e);

	if (rc == ERR_OK)
		enc_hex(sha256, cs.v[0]->fingerprint, sizeof cs.v[0]->fingerprint);
	pki_certs_clear(&cs);
	return rc;
}

/* The one that begins so. */
static enum err_code
of_prefix(struct cli *cli, const char *prefix, struct gbuf *sha256, struct err *e)
{
	json_t *doc = NULL, *row;
	const char *found = NULL;
	size_t i, n = 0;
	enum err_code rc = remote_get(cli, "/v1/anchors", &doc, e);

	if (rc != ERR_OK)
		return rc;
	json_array_foreach(json_object_get(doc, "anchors"), i, row)
	{
		const char *s = json_string_value(json_object_get(row, "sha256"));

		if (s != NULL && strncmp(s, prefix, strlen(prefix)) == 0) {
			found = s;
			n++;
		}
	}
	if (n == 1)
		gbuf_str(sha256, found);
	else if (n == 0)
		rc = err_set(e, ERR_NOT_FOUND,
		    "%.80s: no such trust anchor is known, and no such file", prefix);
	else
		rc = err_set(e, ERR_INVALID, "%.80s: %zu trust anchors begin so", prefix, n);
	json_decref(doc);
	return rc;
}

enum err_code
anchor_resolve(struct cli *cli, const char *arg, struct gbuf *sha256, struct err *e)
{
	size_t n = strlen(arg);
	char lower[HEX_LEN + 1];

	if (access(arg, R_OK) == 0)
		return of_file(arg, sha256, e);
	if (n < PREFIX_MIN || n > HEX_LEN || strspn(arg, "0123456789abcdefABCDEF") != n)
		return err_set(
		    e, ERR_NOT_FOUND, "%.80s: neither a file nor a SHA-256 or its beginning", arg);
	for (size_t i = 0; i <= n; i++)
		lower[i] = (char)(arg[i] >= 'A' && arg[i] <= 'F' ? arg[i] + 32 : arg[i]);
	if (n < HEX_LEN)
		return of_prefix(cli, lower, sha256, e);
	gbuf_str(sha256, lower);
	return ERR_OK;
}

enum prov_exit
cmd_anchor_list(struct cli *cli, struct err *e)
{
	static const struct out_view view = { anchor_fields, N_ELEMS(anchor_fields) };
	json_t *doc = NULL;
	enum err_code rc = remote_get(cli, "/v1/anchors", &doc, e);

	if (rc == ERR_OK)
		out_table(cli->out, &view, doc, "anchors");
	json_decref(doc);
	return exit_of(rc);
}

enum prov_exit
cmd_anchor_add(struct cli *cli, struct err *e)
{
	struct remote_call call = { .method = "POST", .path = "/v1/anchors", .audited = true };
	struct pki_certs cs = PKI_CERTS_NONE;
	struct gbuf base64 = { .max = 65536 };
	json_t *body = NULL, *doc = NULL;
	enum err_code rc = load_one(cli->args[0], &cs, e);

	if (rc == ERR_OK) {
		enc_base64(&base64, cs.v[0]->der.p, cs.v[0]->der.n);
		body = json_pack("{s:s, s:s}", "trust", cli_text(cli, OPT_TRUST), "certificate",
		    gbuf_cstr(&base64));
		call.body = body;
		rc = remote_call(cli, &call, &doc, e);
	}
	if (rc == ERR_OK) {
		out_json(cli->out, doc);
		out_say(cli->out, "%s: trusted from now on, in %s",
		    json_string_value(json_object_get(doc, "sha256")), cli_text(cli, OPT_TRUST));
	}
	json_decref(body);
	json_decref(doc);
	gbuf_clear(&base64);
	pki_certs_clear(&cs);
	return exit_of(rc);
}

/* Who needs it still: all of them, for programs. */
static void
print_remaining(struct cli *cli, const char *sha256)
{
	struct gbuf path = { .max = 4096 };
	json_t *doc = NULL;

	gbuf_str(&path, "/v1/certificates");
	client_path_query(&path, "anchor", sha256);
	if (out_is_json(cli->out) &&
	    remote_list(cli, gbuf_cstr(&path), "certificates", 0, &doc, NULL) == ERR_OK) {
		json_t *j = json_pack("{s:s, s:s, s:O}", "sha256", sha256, "result", "refused",
		    "remaining", json_object_get(doc, "certificates"));

		out_json(cli->out, j);
		json_decref(j);
	}
	json_decref(doc);
	gbuf_clear(&path);
}

enum prov_exit
cmd_anchor_retire(struct cli *cli, struct err *e)
{
	struct gbuf sha256 = { .max = 256 }, path = { .max = 4096 };
	struct remote_call call = { .method = "POST", .audited = true };
	json_t *body = json_pack("{s:b}", "force", cli_has(cli, OPT_FORCE)), *doc = NULL;
	enum err_code rc = anchor_resolve(cli, cli->args[0], &sha256, e);

	if (rc == ERR_OK) {
		remote_path(&path, "/v1/anchors/", gbuf_cstr(&sha256), "/retire");
		call.path = gbuf_cstr(&path);
		call.body = body;
		rc = remote_call(cli, &call, &doc, e);
		if (rc == ERR_REFUSED)
			print_remaining(cli, gbuf_cstr(&sha256));
	}
	if (rc == ERR_OK) {
		out_json(cli->out, doc);
		out_say(cli->out, "%s: trusted no more", gbuf_cstr(&sha256));
	}
	json_decref(body);
	json_decref(doc);
	gbuf_clear(&path);
	gbuf_clear(&sha256);
	return exit_of(rc);
}
