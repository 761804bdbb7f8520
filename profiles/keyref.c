#include "profiles/keyref.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/enc.h"

struct walk {
	keyref_fn *visit;
	void *arg;
};

static bool
is_reference(const struct pnode *n)
{
	static const char *const ways[] = { "file", "hex", "base64", "generate", "credential" };

	for (size_t i = 0; i < N_ELEMS(ways); i++)
		if (pnode_get(n, ways[i]) != NULL)
			return true;
	return false;
}

/* What a member of a section of resources is; false: it carries no octets. */
static bool
describe(struct pnode *n, enum psection s, int oid, struct keyref *out)
{
	int of;
	const struct lwm2m_res_def *r;

	if (s == SEC_KNOCK)
		r = pkey_resource(lwm2m_model_builtin(), SEC_SECURITY, -1, n->key, &of);
	else
		r = pkey_resource(lwm2m_model_builtin(), s, oid, n->key, &of);
	*out = (struct keyref){ .n = n,
		.secret = r == NULL || r->secret,
		.text = r != NULL && r->type == LWM2M_STRING };
	if (n->type == PN_OBJECT)
		return is_reference(n);
	return r != NULL && n->type == PN_STRING &&
	       (r->secret || (r->type == LWM2M_OPAQUE && r->id != 3));
}

static int
object_of(const struct pnode *instance)
{
	struct lwm2m_path p;

	return lwm2m_path_parse(instance->key, strlen(instance->key), &p, NULL) == ERR_OK ? p.id[0]
	                                                                                  : -1;
}

static enum err_code
walk(const struct walk *w, struct pnode *n, enum psection s, int oid, struct err *e)
{
	bool resources = s == SEC_SECURITY || s == SEC_KNOCK || s == SEC_APN || s == SEC_OBJECT;
	enum err_code rc = ERR_OK;

	if (pnode_scalar(n) || s == SEC_NONE || s == SEC_KEY)
		return ERR_OK;
	for (struct pnode *k = n->first, *next; rc == ERR_OK && k != NULL; k = next) {
		struct keyref ref;

		next = k->next;
		if (!resources)
			rc = walk(
			    w, k, psection_below(s, k), s == SEC_OBJECTS ? object_of(k) : -1, e);
		else if (k->key != NULL && describe(k, s, oid, &ref))
			rc = w->visit(w->arg, &ref, e);
	}
	return rc;
}

enum err_code
keyref_walk(struct pnode *root, keyref_fn *visit, void *arg, struct err *e)
{
	return walk(&(struct walk){ .visit = visit, .arg = arg }, root, SEC_TOP, -1, e);
}

/* An object in the place of n, which is gone then. NULL: memory. */
static struct pnode *
object_instead(struct pnode *n)
{
	struct pnode *o = pnode_new(PN_OBJECT, NULL, n->src);

	if (o == NULL)
		return NULL;
	o->line = n->line;
	o->column = n->column;
	o->key_line = n->key_line;
	o->key_column = n->key_column;
	return o;
}

static enum err_code
add_string(struct pnode *object, const char *key, const char *s, size_t n, struct err *e)
{
	struct pnode *k = pnode_string(key, s, n, object->src);

	if (k == NULL)
		return err_no_memory(e);
	k->line = k->key_line = object->line;
	k->column = k->key_column = object->column;
	pnode_append(object, k);
	return ERR_OK;
}

enum err_code
keyref_set_bytes(struct pnode *n, const struct secret *bytes, struct err *e)
{
	struct gbuf text = { 0 };
	struct pnode *o = object_instead(n);
	enum err_code rc;

	if (o == NULL)
		return err_no_memory(e);
	enc_base64(&text, bytes->data, bytes->len);
	rc = gbuf_check(&text, e);
	if (rc == ERR_OK)
		rc = add_string(o, "base64", gbuf_cstr(&text), text.len, e);
	gbuf_clear(&text);
	if (rc != ERR_OK)
		pnode_free(o);
	else
		pnode_replace(n, o);
	return rc;
}

enum err_code
keyref_set_reference(struct pnode *n, const char *slot, const char *fingerprint, struct err *e)
{
	struct pnode *o = object_instead(n);
	enum err_code rc;

	if (o == NULL)
		return err_no_memory(e);
	rc = add_string(o, "credential", slot, strlen(slot), e);
	if (rc == ERR_OK && fingerprint != NULL && fingerprint[0] != '\0')
		rc = add_string(o, "fingerprint", fingerprint, strlen(fingerprint), e);
	if (rc != ERR_OK)
		pnode_free(o);
	else
		pnode_replace(n, o);
	return rc;
}

const char *
keyref_wrong_label(const struct pnode *n, const char *label)
{
	bool private_key =
	    n->key != NULL && (strcmp(n->key, "key") == 0 || strcmp(n->key, "secret_key") == 0);

	if (label[0] == '\0')
		return NULL;
	if (private_key && strstr(label, "PRIVATE KEY") != NULL)
		return NULL;
	if (private_key)
		return "PEM, but no private key";
	if (strstr(label, "PRIVATE") != NULL)
		return "a private key where a public key or certificate belongs";
	if (strcmp(label, "CERTIFICATE") != 0 && strcmp(label, "PUBLIC KEY") != 0)
		return "PEM, but neither a certificate nor a public key";
	return NULL;
}
