#include "lwm2m-prov/cmd_pki.h"

#include <jansson.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"

/* "2026-01-31T12:00:00Z" is GeneralizedTime with signs between: those must stand where they belong.
 */
static bool
read_time(const char *text, int64_t *out)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	uint8_t der[17] = { DER_GENERALIZED_TIME, 15 };
	size_t n = 2;

	if (strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; i < sizeof form - 1; i++) {
		bool kept = form[i] == '0' || form[i] == 'Z';

		if (form[i] != '0' && text[i] != form[i])
			return false;
		if (kept)
			der[n++] = (uint8_t)text[i];
	}
	struct der d = der_make((struct pki_blob){ der, n });
	*out = der_time(&d);
	return der_ok(&d);
}

enum err_code
pki_time(const struct cli *cli, int64_t *out, struct err *e)
{
	const char *at = cli_text(cli, OPT_AT);

	*out = clock_wall_ms() / 1000;
	if (at == NULL || read_time(at, out))
		return ERR_OK;
	return err_set(e, ERR_USAGE, "--at: \"%.40s\" is not a time like 2026-01-31T12:00:00Z", at);
}

json_t *
pki_text_json(struct gbuf *text)
{
	json_t *j = text->failed ? NULL : json_stringn(gbuf_cstr(text), text->len);

	gbuf_clear(text);
	return j == NULL ? json_null() : j;
}

json_t *
pki_hex_json(const void *bytes, size_t n)
{
	struct gbuf text = { .max = 8192 };

	enc_hex(&text, bytes, n);
	return pki_text_json(&text);
}

json_t *
pki_base64_json(struct pki_blob bytes)
{
	struct gbuf text = { .max = 65536 };

	enc_base64(&text, bytes.p, bytes.n);
	return pki_text_json(&text);
}

json_t *
pki_time_json(int64_t seconds)
{
	char text[CLOCK_RFC3339_LEN + 1];
	struct gbuf out = { .max = 64 };

	clock_rfc3339(seconds * 1000, text);
	gbuf_printf(&out, "%.19sZ", text);
	return pki_text_json(&out);
}

static json_t *
dn_json(struct pki_blob name)
{
	struct gbuf text = { .max = 32768 };

	pki_dn_text(&text, name);
	return pki_text_json(&text);
}

static json_t *
names_json(const struct pki_names *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->n; i++) {
		struct gbuf text = { .max = 32768 };

		pki_name_text(&text, &names->v[i]);
		(void)json_array_append_new(list, pki_text_json(&text));
	}
	return list;
}

static json_t *
usage_json(const struct pki_cert *c)
{
	static const char *const names[] = { "digitalSignature", "nonRepudiation",
		"keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
		"encipherOnly", "decipherOnly" };
	json_t *list = json_array();

	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (c->key_usage & (1U << i))
			(void)json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *
eku_json(const struct pki_cert *c)
{
	static const char *const names[] = { "any", "serverAuth", "clientAuth", "OCSPSigning",
		"other" };
	json_t *list = json_array();

	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (c->eku & (1U << i))
			(void)json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *
crl_json(const struct pki_cert *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n_crl_dps; i++) {
		json_t *names = names_json(&c->crl_dps[i].full_name);
		(void)json_array_extend(list, names);
		json_decref(names);
	}
	return list;
}

json_t *
pki_cert_json(const struct pki_cert *c)
{
	struct gbuf serial = { .max = 256 };
	json_t *j = json_object();

	pki_serial_text(&serial, c);
	(void)json_object_set_new(j, "subject", dn_json(c->subject));
	(void)json_object_set_new(j, "issuer", dn_json(c->issuer));
	(void)json_object_set_new(j, "serial", pki_text_json(&serial));
	(void)json_object_set_new(j, "not_before", pki_time_json(c->not_before));
	(void)json_object_set_new(j, "not_after", pki_time_json(c->not_after));
	(void)json_object_set_new(j, "key", json_string(pki_key_kind_name(c->spki.kind)));
	(void)json_object_set_new(j, "key_bits", json_integer((json_int_t)c->spki.size));
	(void)json_object_set_new(j, "signature", json_string(pki_sig_kind_name(c->sig_kind)));
	(void)json_object_set_new(j, "ca", json_boolean(c->is_ca));
	if (c->path_len >= 0)
		(void)json_object_set_new(j, "path_length", json_integer(c->path_len));
	(void)json_object_set_new(j, "key_usage", usage_json(c));
	(void)json_object_set_new(j, "extended_key_usage", eku_json(c));
	(void)json_object_set_new(j, "names", names_json(&c->san));
	(void)json_object_set_new(j, "permitted", names_json(&c->permitted));
	(void)json_object_set_new(j, "excluded", names_json(&c->excluded));
	(void)json_object_set_new(j, "ocsp", names_json(&c->ocsp_uris));
	(void)json_object_set_new(j, "crl", crl_json(c));
	(void)json_object_set_new(j, "sha256", pki_hex_json(c->fingerprint, sizeof c->fingerprint));
	(void)json_object_set_new(
	    j, "spki_sha256", pki_hex_json(c->spki_sha256, sizeof c->spki_sha256));
	return j;
}
