/* Keys leave a document for whoever keeps them. */
#include <string.h>

#include "lib/base/enc.h"
#include "profiles/expand.h"
#include "profiles/keyref.h"
#include "profiles/material.h"

struct extract {
	profile_key_seen_fn *seen;
	void *arg;
};

static enum err_code
seen_reference(const struct extract *x, struct pnode *n, struct err *e)
{
	const struct pnode *generate = pnode_get(n, "generate"), *kept = pnode_get(n, "credential");
	struct profile_key k = { .kind = PROFILE_KEY_KEPT };
	struct gbuf slot = { 0 };
	enum err_code rc;

	if (generate != NULL && (generate->type != PN_INT || generate->i < 16 || generate->i > 64))
		return pnode_err(n, e, ERR_INVALID, "generate takes a number of octets, 16 to 64");
	if (generate == NULL && pnode_str(kept) == NULL)
		return pnode_err(n, e, ERR_INVALID, "credential takes the name of a slot");
	if (generate != NULL) {
		k.kind = PROFILE_KEY_GENERATE;
		k.generate = (size_t)generate->i;
		material_slot(n, &slot);
		k.slot = gbuf_cstr(&slot);
	} else {
		k.slot = kept->s;
		k.fingerprint = pnode_str(pnode_get(n, "fingerprint"));
	}
	rc = x->seen(x->arg, &k, e);
	gbuf_clear(&slot);
	return rc;
}

static enum err_code
decode(const struct keyref *k, struct secret *out, struct err *e)
{
	const struct pnode *hex = pnode_get(k->n, "hex"), *base64 = pnode_get(k->n, "base64");
	const struct pnode *given = hex != NULL ? hex : base64 != NULL ? base64 : k->n;
	char label[PEM_LABEL_MAX] = "";
	struct err why = { 0 };
	enum err_code rc;

	if (given->type != PN_STRING)
		return pnode_err(
		    given, e, ERR_INVALID, "must be a string, is %s", pnode_type_name(given));
	if (given->expanded || expand_wanted(given->s))
		return pnode_err(given, e, ERR_INVALID, "a key does not come from a variable");
	if (hex != NULL)
		rc = dec_hex(given->s, given->n, out, &why);
	else if (base64 != NULL)
		rc = dec_base64(given->s, given->n, out, &why);
	else if (k->text)
		rc = secret_set(out, given->s, given->n, &why);
	else
		rc = material_decode_text(given->s, given->n, label, out, &why);
	if (rc == ERR_OK && keyref_wrong_label(k->n, label) != NULL) {
		secret_clear(out);
		return pnode_err(given, e, ERR_INVALID, "%s", keyref_wrong_label(k->n, label));
	}
	if (rc == ERR_OK && out->len > PROFILE_KEY_MAX) {
		secret_clear(out);
		return pnode_err(given, e, ERR_LIMIT, "more than %d octets", PROFILE_KEY_MAX);
	}
	return rc == ERR_OK ? ERR_OK : pnode_err(given, e, rc, "%s", why.msg);
}

static enum err_code
seen_bytes(const struct extract *x, const struct keyref *ref, struct err *e)
{
	struct secret bytes = SECRET_NONE;
	struct profile_key k = { .kind = PROFILE_KEY_BYTES, .bytes = &bytes };
	struct gbuf slot = { 0 };
	enum err_code rc = decode(ref, &bytes, e);

	if (rc != ERR_OK)
		return rc;
	material_slot(ref->n, &slot);
	k.slot = gbuf_cstr(&slot);
	rc = x->seen(x->arg, &k, e);
	if (rc == ERR_OK)
		rc = keyref_set_reference(ref->n, gbuf_cstr(&slot), k.new_fingerprint, e);
	secret_clear(&bytes);
	gbuf_clear(&slot);
	return rc;
}

/* Words for private keys that stay in the device. */
static bool
is_word(const struct pnode *n)
{
	return n->type == PN_STRING && (strcmp(n->s, "keep") == 0 || strcmp(n->s, "empty") == 0);
}

static enum err_code
visit(void *arg, const struct keyref *k, struct err *e)
{
	const struct extract *x = arg;

	if (pnode_get(k->n, "file") != NULL)
		return pnode_err(k->n, e, ERR_REFUSED, "a file is read by the command line only");
	if (pnode_get(k->n, "generate") != NULL || pnode_get(k->n, "credential") != NULL)
		return seen_reference(x, k->n, e);
	if (!k->secret || (!k->text && is_word(k->n)))
		return ERR_OK;
	return seen_bytes(x, k, e);
}

enum err_code
profile_extract(struct profile_doc *d, profile_key_seen_fn *seen, void *arg, struct err *e)
{
	struct extract x = { .seen = seen, .arg = arg };

	return keyref_walk(d->root, visit, &x, e);
}
