#include "bsserver/auth/trust.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"

/* Of RFC 5246 section 7.2, RFC 5246 being what devices speak. */
enum alert {
	BAD_CERTIFICATE = 42,
	UNSUPPORTED_CERTIFICATE = 43,
	CERTIFICATE_REVOKED = 44,
	CERTIFICATE_EXPIRED = 45,
	CERTIFICATE_UNKNOWN = 46,
	UNKNOWN_CA = 48,
	ACCESS_DENIED = 49,
	INTERNAL_ERROR = 80
};

struct anchor_set {
	char *name;
	struct pki_certs file, certs; /* as its file has them; those that count */
	struct pki_policy policy;
	bool servers;
};

struct word {
	struct pki_cert *cert;
	char *trust;
	bool retired;
	int64_t at_ms;
};

struct trust {
	struct anchor_set *v;
	size_t n;
	struct word *words;
	size_t n_words, cap_words;
	struct pki_certs retired;
	bool allows_unknown;
};

int
trust_alert(enum pki_reason reason)
{
	static const int alerts[PKI_R__COUNT] = {
		[PKI_R_PARSE] = BAD_CERTIFICATE,
		[PKI_R_MALFORMED] = BAD_CERTIFICATE,
		[PKI_R_UNKNOWN_CA] = UNKNOWN_CA,
		[PKI_R_EXPIRED] = CERTIFICATE_EXPIRED,
		[PKI_R_NOT_YET_VALID] = CERTIFICATE_EXPIRED,
		[PKI_R_BAD_SIGNATURE] = BAD_CERTIFICATE,
		[PKI_R_WEAK_ALGORITHM] = UNSUPPORTED_CERTIFICATE,
		[PKI_R_WRONG_PURPOSE] = UNSUPPORTED_CERTIFICATE,
		[PKI_R_NAME_MISMATCH] = ACCESS_DENIED,
		[PKI_R_CONSTRAINT] = BAD_CERTIFICATE,
		[PKI_R_NAME_CONSTRAINT] = BAD_CERTIFICATE,
		[PKI_R_POLICY] = BAD_CERTIFICATE,
		[PKI_R_CRITICAL_EXTENSION] = UNSUPPORTED_CERTIFICATE,
		[PKI_R_USAGE_MISMATCH] = CERTIFICATE_UNKNOWN,
		[PKI_R_REVOKED] = CERTIFICATE_REVOKED,
		[PKI_R_STATUS_UNKNOWN] = CERTIFICATE_UNKNOWN,
		[PKI_R_NO_STATUS] = CERTIFICATE_UNKNOWN,
		[PKI_R_BUDGET] = BAD_CERTIFICATE,
		[PKI_R_INTERNAL] = INTERNAL_ERROR,
	};

	return reason < PKI_R__COUNT ? alerts[reason] : INTERNAL_ERROR;
}

/* ---- loading ---- */

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].name);
		pki_certs_clear(&t->v[i].file);
		pki_certs_clear(&t->v[i].certs);
	}
	for (size_t i = 0; i < t->n_words; i++) {
		pki_cert_unref(t->words[i].cert);
		free(t->words[i].trust);
	}
	pki_certs_clear(&t->retired);
	free(t->words);
	free(t->v);
	free(t);
}

/* Whose rules count for a certificate must not depend on the order in a file. */
static enum err_code
check_once(const struct trust *t, const struct anchor_set *new, struct err *e)
{
	for (size_t i = 0; &t->v[i] != new; i++)
		for (size_t k = 0; k < t->v[i].file.n; k++)
			for (size_t m = 0; m < new->file.n; m++)
				if (pki_cert_equal(t->v[i].file.v[k], new->file.v[m]))
					return err_set(e, ERR_INVALID,
					    "trust %s: its certificate %zu is in trust %s as well", new->name,
					    m + 1, t->v[i].name);
	return ERR_OK;
}

static enum err_code
load_one(struct trust *t, const struct trust_conf *c, struct err *e)
{
	struct anchor_set *s = &t->v[t->n++];
	enum err_code rc;

	pki_policy_default(&s->policy);
	s->policy.ignore_leaf_expiry = c->ignore_leaf_expiry;
	s->policy.ca_signs_nothing = true;
	s->servers = c->servers;
	s->name = str_dup_n(c->name, strlen(c->name));
	if (s->name == NULL)
		return err_no_memory(e);
	rc = pki_certs_load(&s->file, c->file, PKI_BUNDLE_CERTS, e);
	if (rc != ERR_OK)
		return err_wrap(e, "trust %s", c->name);
	return check_once(t, s, e);
}

static bool
has(const struct pki_certs *cs, const struct pki_cert *c)
{
	for (size_t i = 0; i < cs->n; i++)
		if (pki_cert_equal(cs->v[i], c))
			return true;
	return false;
}

/* An anchor that a file has belongs to that file's trust, whatever else is said of it. */
static bool
is_of_another(const struct trust *t, const struct anchor_set *s, const struct pki_cert *c)
{
	for (size_t i = 0; i < t->n; i++)
		if (&t->v[i] != s && has(&t->v[i].file, c))
			return true;
	return false;
}

static enum err_code
settle_one(const struct trust *t, struct anchor_set *s, struct err *e)
{
	struct pki_certs now = PKI_CERTS_NONE;
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < s->file.n; i++)
		if (!has(&t->retired, s->file.v[i]))
			rc = pki_certs_add(&now, s->file.v[i], e);
	for (size_t i = 0; rc == ERR_OK && i < t->n_words; i++) {
		const struct word *w = &t->words[i];

		if (!w->retired && strcmp(w->trust, s->name) == 0 && !has(&s->file, w->cert) &&
		    !is_of_another(t, s, w->cert))
			rc = pki_certs_add(&now, w->cert, e);
	}
	if (rc != ERR_OK) {
		pki_certs_clear(&now);
		return rc;
	}
	pki_certs_clear(&s->certs);
	s->certs = now;
	return ERR_OK;
}

/* Which anchors count, anew. */
static enum err_code
settle(struct trust *t, struct err *e)
{
	enum err_code rc = ERR_OK;

	pki_certs_clear(&t->retired);
	for (size_t i = 0; rc == ERR_OK && i < t->n_words; i++)
		if (t->words[i].retired)
			rc = pki_certs_add(&t->retired, t->words[i].cert, e);
	for (size_t i = 0; rc == ERR_OK && i < t->n; i++)
		rc = settle_one(t, &t->v[i], e);
	return rc;
}

enum err_code
trust_load(const struct trust_conf *v, size_t n, struct trust **out, struct err *e)
{
	struct trust *t = calloc(1, sizeof *t);
	enum err_code rc = ERR_OK;

	if (t == NULL)
		return err_no_memory(e);
	t->v = calloc(n + 1, sizeof *t->v);
	if (t->v == NULL)
		rc = err_no_memory(e);
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = load_one(t, &v[i], e);
	if (rc == ERR_OK)
		rc = settle(t, e);
	if (rc != ERR_OK) {
		trust_free(t);
		return rc;
	}
	*out = t;
	return ERR_OK;
}

size_t
trust_anchors(const struct trust *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->v[i].servers ? 0 : t->v[i].certs.n;
	return n;
}

static enum err_code
copy_word(struct trust *t, const struct word *w, struct err *e)
{
	struct trust_word said = { w->trust, w->cert->der, w->retired, w->at_ms };

	return trust_put(t, &said, e);
}

/* A place for one more, or the one that is about the same certificate. */
static struct word *
place_of(struct trust *t, const struct pki_cert *c)
{
	struct word *grown;

	for (size_t i = 0; i < t->n_words; i++)
		if (pki_cert_equal(t->words[i].cert, c))
			return &t->words[i];
	grown = grow(t->words, t->n_words, &t->cap_words, sizeof *grown);
	if (grown == NULL)
		return NULL;
	t->words = grown;
	grown[t->n_words] = (struct word){ .cert = NULL };
	return &grown[t->n_words];
}

enum err_code
trust_put(struct trust *t, const struct trust_word *w, struct err *e)
{
	struct pki_cert *c = NULL;
	char *name = str_dup_n(w->trust, strlen(w->trust));
	enum err_code rc = name == NULL ? err_no_memory(e) : pki_cert_parse(w->der.p, w->der.n, &c, e);
	struct word *to = rc == ERR_OK ? place_of(t, c) : NULL;

	if (to == NULL) {
		pki_cert_unref(c);
		free(name);
		return rc == ERR_OK ? err_no_memory(e) : rc;
	}
	t->n_words += to == &t->words[t->n_words];
	pki_cert_unref(to->cert);
	free(to->trust);
	*to = (struct word){ c, name, w->retired, w->at_ms };
	return settle(t, e);
}

enum err_code
trust_adopt(struct trust *t, const struct trust *from, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < from->n_words; i++)
		rc = copy_word(t, &from->words[i], e);
	return rc;
}

void
trust_allow_unknown(struct trust *t, bool allowed)
{
	t->allows_unknown = allowed;
}

bool
trust_allows_unknown(const struct trust *t)
{
	return t != NULL && t->allows_unknown;
}

static struct trust_view
view_of(const struct anchor_set *s)
{
	return (struct trust_view){ s->name, s->servers, &s->certs, &s->file };
}

bool
trust_at(const struct trust *t, size_t i, struct trust_view *out)
{
	if (i >= t->n)
		return false;
	*out = view_of(&t->v[i]);
	return true;
}

bool
trust_named(const struct trust *t, const char *name, struct trust_view *out)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].name, name) == 0)
			return trust_at(t, i, out);
	return false;
}

bool
trust_counts(const struct trust *t, const char *name, struct pki_blob der)
{
	struct trust_view v;

	if (name == NULL || !trust_named(t, name, &v) || v.servers)
		return false;
	for (size_t i = 0; i < v.anchors->n; i++)
		if (blob_equal(v.anchors->v[i]->der, der))
			return true;
	return false;
}

int64_t
trust_retired_sha256(const struct trust *t, const uint8_t sha256[PKI_SHA256_LEN])
{
	for (size_t i = 0; i < t->n_words; i++)
		if (t->words[i].retired && memcmp(t->words[i].cert->fingerprint, sha256, PKI_SHA256_LEN) == 0)
			return t->words[i].at_ms;
	return 0;
}

int64_t
trust_retired(const struct trust *t, const struct pki_cert *c)
{
	return trust_retired_sha256(t, c->fingerprint);
}

/* ---- judging ---- */

void
trust_proof_free(struct trust_proof *p)
{
	if (p == NULL)
		return;
	pki_certs_clear(&p->path);
	free(p->trust);
	free(p->text);
	free((void *)(uintptr_t)p->spki.p);
	free(p);
}

static void PRINTF_LIKE(3, 4)
refuse(struct trust_verdict *out, enum pki_reason reason, const char *fmt, ...)
{
	va_list ap;

	out->reason = reason;
	out->alert = trust_alert(reason);
	va_start(ap, fmt);
	(void)vsnprintf(out->why, sizeof out->why, fmt, ap);
	va_end(ap);
}

/* The name of what it is about is the device's own word: it is shown, and nothing is looked up by it. */
static void
refuse_as(struct trust_verdict *out, const struct pki_verdict *v)
{
	struct gbuf text = { .max = 1024 };

	gbuf_printf(&text, "%s: ", pki_reason_name(v->reason));
	pki_verdict_text(&text, v);
	refuse(out, v->reason, "%s", gbuf_cstr(&text));
	gbuf_clear(&text);
}

static char *
subject_of(const struct pki_cert *c)
{
	struct gbuf text = { .max = 256 };

	pki_dn_text(&text, c->subject);
	char *s = str_dup_n(gbuf_cstr(&text), text.len);
	gbuf_clear(&text);
	return s;
}

static struct trust_proof *
proof_of(const struct anchor_set *s, struct pki_verdict *v)
{
	struct trust_proof *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->credential = AUTH_X509;
	p->path = v->path;
	v->path = PKI_CERTS_NONE;
	p->trust = str_dup_n(s->name, strlen(s->name));
	p->text = subject_of(p->path.v[0]);
	if (p->trust == NULL || p->text == NULL) {
		trust_proof_free(p);
		return NULL;
	}
	return p;
}

static bool
parse_chain(const struct pki_blob *chain, size_t n, struct pki_certs *out, struct trust_verdict *v)
{
	for (size_t i = 0; i < n; i++) {
		struct pki_cert *c = NULL;
		struct err e = { 0 };

		if (pki_cert_parse(chain[i].p, chain[i].n, &c, &e) != ERR_OK) {
			refuse(v, PKI_R_PARSE, "parse: certificate %zu: %s", i, e.msg);
			return false;
		}
		enum err_code rc = pki_certs_add(out, c, &e);
		pki_cert_unref(c);
		if (rc != ERR_OK) {
			refuse(v, PKI_R_INTERNAL, "internal: %s", e.msg);
			return false;
		}
	}
	return true;
}

/* Each with its own policy; a refusal that came further than to an unknown CA is the one to be told. */
static void
try_all(const struct trust *t, const struct pki_certs *chain, int64_t now, struct trust_verdict *out)
{
	refuse(out, PKI_R_UNKNOWN_CA, "unknown_ca: no trust anchor is configured");
	for (size_t i = 0; i < t->n && out->proof == NULL; i++) {
		if (t->v[i].servers)
			continue;
		const struct pki_request rq = { .chain = chain,
			.anchors = &t->v[i].certs,
			.purpose = PKI_PURPOSE_CLIENT,
			.now = now };
		struct pki_verdict v;

		pki_verify(&rq, &t->v[i].policy, &v);
		if (v.reason == PKI_OK) {
			out->proof = proof_of(&t->v[i], &v);
			if (out->proof == NULL)
				refuse(out, PKI_R_INTERNAL, "internal: out of memory");
		} else if (out->reason == PKI_R_UNKNOWN_CA) {
			refuse_as(out, &v);
		}
		pki_verdict_clear(&v);
	}
}

/* Nobody is trusted that would vouch for it: somebody was, perhaps. */
static void
look_at_retired(const struct trust *t, const struct pki_certs *chain, int64_t now, struct trust_verdict *out)
{
	const struct pki_request rq = { .chain = chain,
		.anchors = &t->retired,
		.purpose = PKI_PURPOSE_CLIENT,
		.now = now };
	struct gbuf ca = { .max = 160 };
	char since[CLOCK_RFC3339_LEN + 1];
	struct pki_policy po;
	struct pki_verdict v;

	pki_policy_default(&po);
	po.ignore_leaf_expiry = true;
	pki_verify(&rq, &po, &v);
	if (v.reason == PKI_OK && v.path.n > 0) {
		const struct pki_cert *anchor = v.path.v[v.path.n - 1];

		pki_dn_text(&ca, anchor->subject);
		clock_rfc3339(trust_retired(t, anchor), since);
		refuse(out, PKI_R_UNKNOWN_CA, "unknown_ca: the trust anchor %s was retired on %.19sZ",
		    gbuf_cstr(&ca), since);
	}
	gbuf_clear(&ca);
	pki_verdict_clear(&v);
}

void
trust_judge(
    const struct trust *t, const struct pki_blob *chain, size_t n, int64_t now, struct trust_verdict *out)
{
	struct pki_certs certs = PKI_CERTS_NONE;

	*out = (struct trust_verdict){ .reason = PKI_OK };
	if (n == 0)
		refuse(out, PKI_R_PARSE, "parse: no certificate");
	else if (parse_chain(chain, n, &certs, out))
		try_all(t, &certs, now, out);
	if (out->reason == PKI_R_UNKNOWN_CA && out->proof == NULL && t->retired.n > 0)
		look_at_retired(t, &certs, now, out);
	pki_certs_clear(&certs);
	if (out->proof != NULL) {
		out->reason = PKI_OK;
		out->alert = 0;
		out->why[0] = '\0';
	}
}

static struct trust_proof *
rpk_proof(struct pki_blob spki, const char *fingerprint)
{
	struct trust_proof *p = calloc(1, sizeof *p);
	uint8_t *copy = malloc(spki.n);

	if (p == NULL || copy == NULL) {
		free(copy);
		free(p);
		return NULL;
	}
	memcpy(copy, spki.p, spki.n);
	p->credential = AUTH_RPK;
	p->spki = (struct pki_blob){ copy, spki.n };
	p->text = str_dup_n(fingerprint, strlen(fingerprint));
	if (p->text == NULL) {
		trust_proof_free(p);
		return NULL;
	}
	return p;
}

void
trust_judge_rpk(const struct auth *a, bool registry, struct pki_blob spki, struct trust_verdict *out)
{
	struct pki_spki key;
	struct err e = { 0 };
	char hex[65], text[7 + 65];

	*out = (struct trust_verdict){ .reason = PKI_OK };
	if (spki.n == 0 || spki.n > PKI_SPKI_MAX || pki_spki_parse(spki, &key, &e) != ERR_OK ||
	    crypt_sha256_hex(spki.p, spki.n, hex, &e) != ERR_OK) {
		refuse(out, PKI_R_PARSE, "parse: the raw public key cannot be read: %s", e.msg);
		return;
	}
	(void)snprintf(text, sizeof text, "sha256:%s", hex);
	if (registry ? !auth_registry_rpk(a, spki) : !auth_rpk(a, spki)) {
		refuse(out, PKI_R_NAME_MISMATCH, "no device that may knock is registered with the raw public key %s",
		    text);
		return;
	}
	out->proof = rpk_proof(spki, text);
	if (out->proof == NULL)
		refuse(out, PKI_R_INTERNAL, "internal: out of memory");
}
