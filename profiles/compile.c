/* Checking, and compiling: the same walk over a resolved document, with another end. */
#include <stdlib.h>
#include <string.h>

#include "profiles/lower.h"

static struct lower *
begin(const struct profile_doc *d, const struct lwm2m_model *m, const struct profile_keys *keys,
    struct profile_findings *f, struct err *e)
{
	struct lower *l = calloc(1, sizeof *l);

	if (l == NULL) {
		(void)err_no_memory(e);
		return NULL;
	}
	l->doc = d;
	l->m = m;
	l->keys = keys;
	l->f = f;
	l->e = e;
	return l;
}

static void
end(struct lower *l)
{
	lower_clear(l);
	free(l);
}

enum err_code
profile_check(const struct profile_doc *resolved, const struct lwm2m_model *m,
    const struct profile_keys *keys, struct profile_findings *f, struct err *e)
{
	struct lower *l = begin(resolved, m, keys, f, e);

	if (l == NULL)
		return ERR_NO_MEMORY;
	lower_document(l);
	enum err_code rc = l->rc;
	end(l);
	return rc;
}

static enum err_code
first_error(const struct profile_findings *f, struct err *e)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].rule->severity == PROFILE_ERROR)
			return profile_finding_err(&f->v[i], e);
	return err_set(e, ERR_INVALID, "%zu errors", f->errors);
}

enum err_code
profile_compile(const struct profile_doc *resolved, const struct lwm2m_model *m,
    const struct profile_keys *keys, struct profile_desired *out, struct profile_defaults *defaults,
    struct err *e)
{
	struct profile_findings f = { 0 };
	struct err own = { 0 };
	struct lower *l = begin(resolved, m, keys, &f, &own);
	enum err_code rc;

	if (l == NULL)
		return err_no_memory(e);
	l->compiling = true;
	l->defaults = defaults;
	lower_document(l);
	if (l->rc != ERR_OK)
		rc = err_set(e, l->rc, "%s", own.msg);
	else if (resolved->kind == PROFILE_SHARED)
		rc = err_set(
		    e, ERR_INVALID, "%s: a shared document is not a device's", resolved->src->file);
	else if (f.errors > 0)
		rc = first_error(&f, e);
	else if (l->missing.len > 0)
		rc = err_set(e, ERR_NOT_FOUND, "%s", gbuf_cstr(&l->missing));
	else
		rc = ERR_OK;
	if (rc == ERR_OK) {
		*out = l->d;
		l->d = (struct profile_desired){ 0 };
	} else if (defaults != NULL) {
		profile_defaults_clear(defaults);
	}
	end(l);
	profile_findings_clear(&f);
	return rc;
}

void
profile_defaults_clear(struct profile_defaults *v)
{
	free(v->paths);
	*v = (struct profile_defaults){ 0 };
}

enum err_code
profile_knock(const struct profile_doc *resolved, struct profile_knock *out, struct err *e)
{
	const struct pnode *knock =
	    pnode_get(pnode_get(resolved->root, "credentials"), "bootstrap");
	const struct pnode *mode = lower_get(knock, SEC_KNOCK, "mode"),
	                   *id = lower_get(knock, SEC_KNOCK, "identity");
	int64_t m;

	*out =
	    (struct profile_knock){ .given = knock != NULL, .mode = PROFILE_NOSEC, .identity = "" };
	if (knock == NULL)
		return ERR_OK;
	if (mode == NULL)
		return pnode_err(knock, e, ERR_INVALID, "mode is missing");
	if (mode->type == PN_INT && mode->i >= PROFILE_PSK && mode->i <= PROFILE_EST)
		m = mode->i;
	else if (mode->type != PN_STRING || !pword_find(pwords(LWM2M_SECURITY, 2), mode->s, &m))
		return pnode_err(mode, e, ERR_INVALID, "must be psk, rpk, x509 or nosec");
	if (m == PROFILE_EST)
		return pnode_err(mode, e, ERR_UNSUPPORTED,
		    "devices that knock with %s are not served yet",
		    mode->type == PN_STRING ? mode->s : "this mode");
	out->mode = (enum profile_mode)m;
	if (m != PROFILE_PSK)
		return ERR_OK;
	if (id == NULL || id->type != PN_STRING || id->n == 0 || id->open)
		return pnode_err(id != NULL ? id : knock, e, ERR_INVALID, "an identity is missing");
	out->identity = id->s;
	out->identity_len = id->n;
	return ERR_OK;
}

enum err_code
profile_knock_public(const struct profile_doc *resolved, struct secret *out, struct err *e)
{
	struct profile_findings f = { 0 };
	struct lower *l = begin(resolved, lwm2m_model_builtin(), NULL, &f, e);
	enum err_code rc;

	if (l == NULL)
		return ERR_NO_MEMORY;
	lower_credentials(l);
	rc = l->rc != ERR_OK ? l->rc : f.errors > 0 ? first_error(&f, e) : ERR_OK;
	if (rc == ERR_OK)
		secret_move(out, &l->knock_public);
	end(l);
	profile_findings_clear(&f);
	return rc;
}

const char *
profile_server_name(const struct profile_doc *resolved, uint16_t short_server_id)
{
	const struct pnode *servers = pnode_get(resolved->root, "servers");

	for (const struct pnode *k = servers != NULL ? servers->first : NULL; k != NULL;
	     k = k->next) {
		const struct pnode *id = pnode_get(k, "short_server_id");

		if (id != NULL && id->type == PN_INT && id->i == short_server_id)
			return k->key;
	}
	return NULL;
}
