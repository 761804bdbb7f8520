/* pki show, pki rpk: what is in a file of certificates and keys. */
#include <jansson.h>

#include "lwm2m-prov/cmd_pki.h"
#include "lwm2m-prov/output.h"
#include "pki/object.h"

/* clang-format off */
static const struct out_field show_fields[] = {
	{ "kind", "kind", OUT_PLAIN, NULL },
	{ "label", "PEM label", OUT_PLAIN, NULL },
	{ "subject", "subject", OUT_PLAIN, NULL },
	{ "issuer", "issuer", OUT_PLAIN, NULL },
	{ "serial", "serial", OUT_PLAIN, NULL },
	{ "not_before", "from", OUT_PLAIN, NULL },
	{ "not_after", "until", OUT_PLAIN, NULL },
	{ "this_update", "this update", OUT_PLAIN, NULL },
	{ "next_update", "next update", OUT_PLAIN, NULL },
	{ "revoked", "revoked", OUT_PLAIN, NULL },
	{ "key", "key", OUT_PLAIN, NULL },
	{ "key_bits", "bits", OUT_PLAIN, NULL },
	{ "signature", "signature", OUT_PLAIN, NULL },
	{ "proved", "signed by its key", OUT_PLAIN, NULL },
	{ "ca", "CA", OUT_PLAIN, NULL },
	{ "path_length", "path length", OUT_PLAIN, NULL },
	{ "key_usage", "key usage", OUT_PLAIN, NULL },
	{ "extended_key_usage", "extended key usage", OUT_PLAIN, NULL },
	{ "names", "names", OUT_PLAIN, NULL },
	{ "permitted", "permitted names", OUT_PLAIN, NULL },
	{ "excluded", "excluded names", OUT_PLAIN, NULL },
	{ "ocsp", "OCSP", OUT_PLAIN, NULL },
	{ "crl", "CRL", OUT_PLAIN, NULL },
	{ "sha256", "SHA-256", OUT_PLAIN, NULL },
	{ "spki_sha256", "SHA-256 of key", OUT_PLAIN, NULL },
};
static const struct out_field rpk_fields[] = {
	{ "from", "from", OUT_PLAIN, NULL },
	{ "key", "key", OUT_PLAIN, NULL },
	{ "key_bits", "bits", OUT_PLAIN, NULL },
	{ "spki_sha256", "SHA-256", OUT_PLAIN, NULL },
	{ "spki", "public key", OUT_PLAIN, NULL },
};
/* clang-format on */

static void
put_key(json_t *j, const struct pki_spki *key)
{
	uint8_t sha256[PKI_SHA256_LEN];

	if (key->der.n == 0 || pki_sha256(key->der, sha256, NULL) != ERR_OK)
		return;
	(void)json_object_set_new(j, "key", json_string(pki_key_kind_name(key->kind)));
	(void)json_object_set_new(j, "key_bits", json_integer((json_int_t)key->size));
	(void)json_object_set_new(j, "spki_sha256", pki_hex_json(sha256, sizeof sha256));
}

static void
put_name(json_t *j, const char *member, struct pki_blob name)
{
	struct gbuf text = { .max = 32768 };

	pki_dn_text(&text, name);
	(void)json_object_set_new(j, member, pki_text_json(&text));
}

static json_t *
object_json(const struct pki_object *o)
{
	json_t *j = o->kind == PKI_OBJECT_CERT ? pki_cert_json(o->cert) : json_object();
	struct gbuf label = { .max = 4 * (size_t)PEM_LABEL_MAX };

	out_clean(&label, o->label, strlen(o->label));
	(void)json_object_set_new(j, "kind", json_string(pki_object_kind_name(o->kind)));
	(void)json_object_set_new(j, "label", pki_text_json(&label));
	if (o->kind == PKI_OBJECT_REQUEST) {
		put_name(j, "subject", o->name);
		(void)json_object_set_new(j, "proved", json_boolean(o->proved));
	}
	if (o->kind == PKI_OBJECT_CRL) {
		put_name(j, "issuer", o->name);
		(void)json_object_set_new(j, "this_update", pki_time_json(o->this_update));
		if (o->has_next)
			(void)json_object_set_new(j, "next_update", pki_time_json(o->next_update));
		(void)json_object_set_new(j, "revoked", json_integer((json_int_t)o->revoked));
	}
	put_key(j, &o->spki);
	return j;
}

static enum prov_exit
unreadable(enum err_code rc, struct err *e)
{
	(void)err_wrap(e, "pki");
	return rc == ERR_PARSE || rc == ERR_LIMIT ? EXIT_INVALID : exit_of(rc);
}

enum prov_exit
cmd_pki_show(struct cli *cli, struct err *e)
{
	static const struct out_view view = { show_fields, N_ELEMS(show_fields) };
	struct pki_objects os;
	enum err_code rc = pki_objects_load(&os, cli->args[0], e);

	if (rc != ERR_OK)
		return unreadable(rc, e);
	json_t *list = json_array(), *doc = json_object();
	for (size_t i = 0; i < os.n; i++)
		(void)json_array_append_new(list, object_json(&os.v[i]));
	(void)json_object_set(doc, "objects", list);
	out_json(cli->out, doc);
	for (size_t i = 0; i < os.n && !out_is_json(cli->out); i++) {
		if (i > 0)
			out_say(cli->out, "%s", "");
		out_object(cli->out, &view, json_array_get(list, i));
	}
	json_decref(list);
	json_decref(doc);
	pki_objects_clear(&os);
	return EXIT_DONE;
}

/* The first of the file that has a key: the leaf of a chain, or the key itself. */
static const struct pki_object *
first_key(const struct pki_objects *os)
{
	for (size_t i = 0; i < os->n; i++)
		if (os->v[i].spki.der.n > 0)
			return &os->v[i];
	return NULL;
}

static enum err_code
print_rpk(struct cli *cli, const struct pki_object *o, struct err *e)
{
	static const struct out_view view = { rpk_fields, N_ELEMS(rpk_fields) };
	enum err_code rc = pki_spki_check(&o->spki, e);

	if (rc != ERR_OK)
		return rc;
	json_t *j = json_object();
	(void)json_object_set_new(j, "from", json_string(pki_object_kind_name(o->kind)));
	put_key(j, &o->spki);
	(void)json_object_set_new(j, "spki", pki_base64_json(o->spki.der));
	out_object(cli->out, &view, j);
	json_decref(j);
	return ERR_OK;
}

enum prov_exit
cmd_pki_rpk(struct cli *cli, struct err *e)
{
	struct pki_objects os;
	enum err_code rc = pki_objects_load(&os, cli->args[0], e);

	if (rc != ERR_OK)
		return unreadable(rc, e);
	const struct pki_object *o = first_key(&os);
	rc = o == NULL
	         ? err_set(e, ERR_PARSE, "%.200s: no key that can be read is in it", cli->args[0])
	         : print_rpk(cli, o, e);
	if (rc != ERR_OK)
		(void)err_wrap(e, "pki");
	pki_objects_clear(&os);
	return rc == ERR_OK ? EXIT_DONE : EXIT_INVALID;
}
