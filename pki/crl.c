#include "pki/crl.h"

#include <stdlib.h>
#include <string.h>

#include "pki/crl_read.h"
#include "pki/pem.h"

static enum err_code
add_der(struct pki_crls *cs, const void *der, size_t n, struct err *e)
{
	struct pki_crl *c = NULL;
	enum err_code rc = crl_read(der, n, &c, e);

	if (rc != ERR_OK)
		return rc;
	struct pki_crl **v = cs->n < PKI_CRL_LISTS ? grow(cs->v, cs->n, &cs->cap, sizeof *v) : NULL;
	if (v == NULL) {
		crl_free(c);
		return cs->n < PKI_CRL_LISTS
		           ? err_no_memory(e)
		           : err_set(e, ERR_LIMIT, "more than %d revocation lists", PKI_CRL_LISTS);
	}
	cs->v = v;
	cs->v[cs->n++] = c;
	return ERR_OK;
}

static enum err_code
add_blocks(struct pki_crls *cs, const void *text, size_t n, struct err *e)
{
	struct rbuf in = rbuf_make(text, n);
	struct pem_block b = { .label = "" };
	enum err_code rc;
	size_t number = 1;

	for (; (rc = pem_next(&in, &b, e)) == ERR_OK; number++) {
		if (strcmp(b.label, "X509 CRL") == 0)
			rc = add_der(cs, b.der.data, b.der.len, e);
		pem_block_clear(&b);
		if (rc != ERR_OK)
			break;
	}
	return rc == ERR_NOT_FOUND ? ERR_OK : err_wrap(e, "block %zu", number);
}

static void
cut(struct pki_crls *cs, size_t n)
{
	while (cs->n > n)
		crl_free(cs->v[--cs->n]);
}

enum err_code
pki_crls_parse(struct pki_crls *cs, const void *text, size_t n, struct err *e)
{
	size_t had = cs->n;

	if (n > PKI_CRL_MAX)
		return err_set(e, ERR_LIMIT, "%zu bytes, at most %zu are read", n, PKI_CRL_MAX);
	enum err_code rc = pem_is(text, n) ? add_blocks(cs, text, n, e) : add_der(cs, text, n, e);
	if (rc == ERR_OK && cs->n == had)
		rc = err_set(e, ERR_NOT_FOUND, "no revocation list in it");
	if (rc != ERR_OK)
		cut(cs, had);
	return rc;
}

enum err_code
pki_crls_load(struct pki_crls *cs, const char *file, struct err *e)
{
	struct secret text = SECRET_NONE;
	enum err_code rc = pem_read_file(file, PKI_CRL_MAX, &text, e);

	if (rc == ERR_OK) {
		rc = pki_crls_parse(cs, text.data, text.len, e);
		if (rc != ERR_OK)
			rc = err_wrap(e, "%s", file);
	}
	secret_clear(&text);
	return rc;
}

void
pki_crls_clear(struct pki_crls *cs)
{
	cut(cs, 0);
	free(cs->v);
	*cs = PKI_CRLS_NONE;
}

static bool
same_name(const struct pki_name *a, const struct pki_name *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == PKI_NAME_DIRECTORY ? pki_dn_equal(a->value, b->value)
	                                     : blob_equal(a->value, b->value);
}

/* What lists of that point say counts: they are the issuer's own, and about every reason to revoke; a
 * list that names the certificate (found) need not be. */
static bool
point_counts(const struct pki_crl_dp *dp, bool found)
{
	return dp->crl_issuer.n == 0 && (found || !dp->has_reasons);
}

/*
 * The list is of a distribution point that the certificate names; the name of its issuer stands for
 * one that it need not name (section 6.3.3).
 */
static bool
point_fits(const struct pki_crl *crl, const struct pki_cert *c, bool found)
{
	struct pki_name by_issuer = { PKI_NAME_DIRECTORY, c->issuer };

	for (size_t i = 0; i < crl->scope.names.n; i++) {
		const struct pki_name *at = &crl->scope.names.v[i];

		if (same_name(at, &by_issuer))
			return true;
		for (size_t k = 0; k < c->n_crl_dps; k++)
			for (size_t m = 0; m < c->crl_dps[k].full_name.n; m++)
				if (point_counts(&c->crl_dps[k], found) &&
				    same_name(at, &c->crl_dps[k].full_name.v[m]))
					return true;
	}
	return crl->scope.names.n == 0;
}

static bool
scope_fits(const struct pki_crl *crl, const struct pki_cert *c, bool found, struct pki_answer *out)
{
	if (crl->scope.some_reasons && !found)
		return pki_answer_unusable(out, "the list is about some reasons only");
	if (crl->scope.user_only && c->is_ca)
		return pki_answer_unusable(out, "the list is about end entities only");
	if (crl->scope.ca_only && !c->is_ca)
		return pki_answer_unusable(out, "the list is about CAs only");
	return point_fits(crl, c, found) ||
	       pki_answer_unusable(out, "the list is of another distribution point");
}

/* issuer may sign lists, and signed this one. */
static bool
signature_holds(struct pki_crl *crl, const struct pki_cert *issuer,
    const struct pki_status_policy *p, struct pki_answer *out)
{
	if ((issuer->has & PKI_EXT_KEY_USAGE) && !(issuer->key_usage & PKI_KU_CRL_SIGN))
		return pki_answer_unusable(out, "its issuer's key may not sign revocation lists");
	if (!crl->sig_agrees || !pki_status_signature_allowed(p, &issuer->spki, crl->sig_kind))
		return pki_answer_unusable(out, "signature of kind %s by a key of kind %s, %u bits",
		    pki_sig_kind_name(crl->sig_kind), pki_key_kind_name(issuer->spki.kind),
		    issuer->spki.size);
	if (crl->verified &&
	    memcmp(crl->verified_by, issuer->spki_sha256, sizeof crl->verified_by) == 0)
		return true;
	if (!pki_sig_verify(&issuer->spki, crl->sig_kind, crl->tbs, crl->signature))
		return pki_answer_unusable(out, "the signature is not its issuer's");
	memcpy(crl->verified_by, issuer->spki_sha256, sizeof crl->verified_by);
	crl->verified = true;
	return true;
}

static bool
counts(struct pki_crl *crl, const struct pki_cert *cert, const struct pki_cert *issuer,
    const struct pki_status_policy *p, int64_t now, bool found, struct pki_answer *out)
{
	if (crl->useless != NULL)
		return pki_answer_unusable(out, "%s", crl->useless);
	if (!crl->has_number && !p->relaxed)
		return pki_answer_unusable(out, "the list has no number");
	if (!crl->has_next)
		return pki_answer_unusable(out, "the list does not say until when it counts");
	return scope_fits(crl, cert, found, out) && signature_holds(crl, issuer, p, out) &&
	       pki_answer_in_time(out, p, cert, now);
}

/* What one list says. */
static void
evaluate_one(struct pki_crl *crl, const struct pki_cert *cert, const struct pki_cert *issuer,
    const struct pki_status_policy *p, int64_t now, struct pki_answer *out)
{
	const struct crl_entry *entry = crl_find(crl, cert->serial);

	*out = (struct pki_answer){ .status = PKI_STATUS_GOOD,
		.this_update = crl->this_update,
		.next_update = crl->next_update,
		.has_next = crl->has_next,
		.produced_at = MAX(crl->this_update, cert->not_before),
		.crl_reason = -1 };
	if (!counts(crl, cert, issuer, p, now, entry != NULL, out) || entry == NULL)
		return;
	out->status = PKI_STATUS_REVOKED;
	out->revoked_at = entry->revoked_at;
	out->crl_reason = entry->reason;
}

void
pki_crl_evaluate(struct pki_crls *cs, const struct pki_cert *cert, const struct pki_cert *issuer,
    const struct pki_status_policy *p, int64_t now, struct pki_answer *out)
{
	struct pki_status_policy any_age = *p; /* a list says itself until when it counts */

	any_age.max_age_s = PKI_ANY_AGE;
	*out = (struct pki_answer){ .crl_reason = -1 };
	(void)pki_answer_unusable(out, "there is no revocation list of its issuer");
	if (!pki_dn_equal(cert->issuer, issuer->subject))
		return;
	for (size_t i = 0; i < cs->n; i++) {
		struct pki_answer a;

		if (!pki_dn_equal(cs->v[i]->issuer, cert->issuer))
			continue;
		evaluate_one(cs->v[i], cert, issuer, &any_age, now, &a);
		if (out->status == PKI_STATUS_UNUSABLE || a.status == PKI_STATUS_REVOKED)
			*out = a;
		if (out->status == PKI_STATUS_REVOKED)
			return;
	}
}
