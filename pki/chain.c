#include "pki/chain.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "pki/chain_check.h"
#include "pki/identity.h"

/* One search. */
struct search {
	const struct pki_request *rq;
	const struct pki_policy *po;
	const struct pki_cert *path[PKI_PATH_MAX];
	size_t n;
	unsigned tries; /* signatures that may still be checked */
	bool out_of_tries;
	const struct pki_certs *only_anchors; /* usage 2: instead of the request's */
	struct finding best;                  /* of the path that came furthest */
	size_t best_rank;
	const struct pki_cert *best_cert; /* what it is about */
};

void
pki_policy_default(struct pki_policy *p)
{
	*p = (struct pki_policy){
		.max_depth = 5,
		.max_tries = 100,
		.max_names = 250000,
		.keys = PKI_KEY_P256 | PKI_KEY_P384 | PKI_KEY_P521 | PKI_KEY_ED25519 | PKI_KEY_RSA,
		.sigs = PKI_SIG_ECDSA_SHA256 | PKI_SIG_ECDSA_SHA384 | PKI_SIG_ECDSA_SHA512 |
		        PKI_SIG_ED25519 | PKI_SIG_RSA_SHA256 | PKI_SIG_RSA_SHA384 |
		        PKI_SIG_RSA_SHA512,
		.rsa_bits = 2048,
	};
}

/*
 * Remembers the refusal of the path that came furthest: one that reached an anchor over one that
 * did not, then the longer, then the first. c may not be on the path.
 */
static bool
refuse(struct search *s, const struct finding *f, const struct pki_cert *c, bool complete)
{
	size_t rank =
	    (complete ? PKI_PATH_MAX + 1 : 0) + s->n + (f->reason == PKI_R_UNKNOWN_CA ? 0 : 1);

	if (s->best.reason == PKI_OK || rank > s->best_rank) {
		s->best = *f;
		s->best_rank = rank;
		s->best_cert = c;
	}
	return false;
}

/* The pinned one is a CA of the path (usage 0), or its leaf (usage 1). */
static bool
pin_holds(const struct search *s, struct finding *f)
{
	const struct pki_pin *pin = s->rq->pin;
	size_t first = 0, end = 1;

	if (pin == NULL || pin->usage == PKI_USAGE_TRUST_ANCHOR)
		return true;
	if (pin->usage == PKI_USAGE_CA_CONSTRAINT) {
		first = 1;
		end = s->n;
	}
	for (size_t i = first; i < end; i++)
		if (pki_pin_matches(pin->matching, pin->value, s->path[i]->der))
			return true;
	return finding_set(f, PKI_R_USAGE_MISMATCH, 0,
	    "certificate usage %d (%s): not the pinned %s", (int)pin->usage,
	    pki_usage_name(pin->usage), first == 0 ? "certificate" : "CA");
}

/* A common name that stands for a host is one more name that the CAs above must allow. */
static bool
name_holds(const struct search *s, struct finding *f)
{
	struct err e = { .code = ERR_OK };
	const char *name = s->rq->name;

	if (name == NULL || pki_name_match(s->path[0], name, false, &e) == ERR_OK)
		return true;
	if (!s->po->allow_cn || pki_name_match(s->path[0], name, true, &e) != ERR_OK)
		return finding_set(f, PKI_R_NAME_MISMATCH, 0, "%.300s", e.msg);
	return check_host(s->po, s->path, s->n, name + strlen("dns:"), f);
}

static bool
accept_path(struct search *s)
{
	struct finding f = { .reason = PKI_OK };

	if (check_path(s->po, s->path, s->n, &f) && pin_holds(s, &f) && name_holds(s, &f))
		return true;
	return refuse(s, &f, s->path[f.at], true);
}

/* Whether by and top fit together as issuer and certificate, by name; a link that loops does not.
 */
static bool
is_candidate(const struct search *s, const struct pki_cert *by)
{
	const struct pki_cert *top = s->path[s->n - 1];

	if (!pki_dn_equal(top->issuer, by->subject))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const struct pki_cert *c = s->path[i];

		if (pki_cert_equal(c, by) || (i > 0 && blob_equal(c->spki.der, by->spki.der) &&
		                                 pki_dn_equal(c->subject, by->subject) &&
		                                 pki_dn_equal(c->issuer, by->issuer)))
			return false;
	}
	return true;
}

/* Key identifiers say that by's key made top's signature, or say nothing: those are tried first. */
static bool
key_id_fits(const struct pki_cert *top, const struct pki_cert *by)
{
	return top->aki.n == 0 || by->ski.n == 0 || blob_equal(top->aki, by->ski);
}

/* by did sign what is on top of the path, and may. */
static bool
link_holds(struct search *s, const struct pki_cert *by, enum check_role role)
{
	const struct pki_cert *top = s->path[s->n - 1];
	struct finding f = { .reason = PKI_OK };

	if (!check_cert(s->rq, s->po, by, role, s->n, &f))
		return refuse(s, &f, by, role == CHECK_ANCHOR);
	if (s->tries == 0) {
		s->out_of_tries = true;
		return false;
	}
	s->tries--;
	if (pki_sig_verify(&by->spki, top->sig_kind, top->tbs, top->signature))
		return true;
	(void)finding_set(&f, PKI_R_BAD_SIGNATURE, s->n - 1, "not made by the key of its issuer");
	return refuse(s, &f, top, false);
}

static bool extend(struct search *s);

/* by is put on top, and the search goes on above it; or ends, when it is an anchor. */
static bool
try_candidate(struct search *s, const struct pki_cert *by, enum check_role role)
{
	if (s->out_of_tries || !link_holds(s, by, role))
		return false;
	s->path[s->n++] = by;
	if (role == CHECK_ANCHOR ? accept_path(s) : extend(s))
		return true;
	s->n--;
	return false;
}

/* Candidates of one list, those with the right key identifier first. *seen: there was one. */
static bool
try_list(
    struct search *s, const struct pki_certs *list, size_t from, enum check_role role, bool *seen)
{
	const struct pki_cert *top = s->path[s->n - 1];

	for (int fits = 1; fits >= 0; fits--) {
		for (size_t i = from; list != NULL && i < list->n && !s->out_of_tries; i++) {
			const struct pki_cert *by = list->v[i];

			if (key_id_fits(top, by) != (fits == 1) || !is_candidate(s, by))
				continue;
			*seen = true;
			if (try_candidate(s, by, role))
				return true;
		}
	}
	return false;
}

/* CAs on the path that count against the policy's depth. */
static unsigned
depth(const struct search *s)
{
	unsigned n = 0;

	for (size_t i = 1; i < s->n; i++)
		n += !pki_cert_self_issued(s->path[i]);
	return n;
}

static const struct pki_certs *
anchors_of(const struct search *s)
{
	return s->only_anchors != NULL ? s->only_anchors : s->rq->anchors;
}

static bool
is_anchor(const struct search *s, const struct pki_cert *c)
{
	const struct pki_certs *anchors = anchors_of(s);

	for (size_t i = 0; i < anchors->n; i++)
		if (pki_cert_equal(anchors->v[i], c))
			return true;
	return false;
}

static bool
no_issuer(struct search *s)
{
	const struct pki_cert *top = s->path[s->n - 1];
	struct finding f = { .reason = PKI_OK };
	struct gbuf name = { .max = 8192 };

	pki_dn_text(&name, top->issuer);
	if (s->n == 1 && is_anchor(s, top))
		(void)finding_set(&f, PKI_R_UNKNOWN_CA, 0,
		    "it is a trusted CA itself, and none stands behind it");
	else
		(void)finding_set(&f, PKI_R_UNKNOWN_CA, s->n - 1, "its issuer is not known: %.250s",
		    gbuf_cstr(&name));
	gbuf_clear(&name);
	return refuse(s, &f, top, false);
}

/* Depth first, at most PKI_PATH_MAX levels and max_tries signatures. */
static bool
extend(struct search *s)
{
	struct finding f = { .reason = PKI_OK };
	bool seen = false;

	if (s->n == PKI_PATH_MAX || depth(s) > s->po->max_depth) {
		(void)finding_set(
		    &f, PKI_R_BUDGET, s->n - 1, "no anchor within %u CAs", s->po->max_depth);
		return refuse(s, &f, s->path[s->n - 1], false);
	}
	if (try_list(s, anchors_of(s), 0, CHECK_ANCHOR, &seen) ||
	    try_list(s, s->rq->chain, 1, CHECK_CA, &seen) ||
	    try_list(s, s->rq->extra, 0, CHECK_CA, &seen))
		return true;
	return seen ? false : no_issuer(s);
}

static void
verdict_refused(const struct search *s, struct pki_verdict *out)
{
	out->reason = s->best.reason;
	out->index = s->best_cert == NULL ? -1 : (int)s->best.at;
	(void)snprintf(out->detail, sizeof out->detail, "%s", s->best.detail);
	if (s->best_cert != NULL) {
		struct gbuf subject = { .max = 8192 };

		pki_dn_text(&subject, s->best_cert->subject);
		(void)snprintf(out->subject, sizeof out->subject, "%s", gbuf_cstr(&subject));
		gbuf_clear(&subject);
	}
}

static void
verdict_about_none(struct pki_verdict *out, enum pki_reason r, const char *detail)
{
	out->reason = r;
	out->index = -1;
	(void)snprintf(out->detail, sizeof out->detail, "%s", detail);
}

static void
verdict_path(const struct search *s, struct pki_verdict *out)
{
	out->reason = PKI_OK;
	out->index = -1;
	for (size_t i = 0; i < s->n; i++)
		if (pki_certs_add(&out->path, s->path[i], NULL) != ERR_OK) {
			pki_certs_clear(&out->path);
			verdict_about_none(out, PKI_R_INTERNAL, "memory short");
			return;
		}
}

static void
run_search(struct search *s, struct pki_verdict *out)
{
	struct finding f = { .reason = PKI_OK };

	s->n = 1;
	s->path[0] = s->rq->chain->v[0];
	bool ok = check_cert(s->rq, s->po, s->path[0], CHECK_LEAF, 0, &f)
	              ? extend(s)
	              : refuse(s, &f, s->path[0], false);
	if (ok)
		verdict_path(s, out);
	else if (s->out_of_tries)
		verdict_about_none(out, PKI_R_BUDGET, "too many signatures to check");
	else
		verdict_refused(s, out);
}

/* Usage 2: what matches the pin is the only anchor; the chain must bring it, or the pin is it. */
static void
verify_with_anchor(struct search *s, struct pki_verdict *out)
{
	const struct pki_pin *pin = s->rq->pin;
	struct pki_certs anchors = PKI_CERTS_NONE;
	enum err_code rc = ERR_OK;

	if (pin->matching == PKI_MATCH_EXACT)
		rc = pki_certs_parse(&anchors, pin->value.p, pin->value.n, 1, NULL);
	for (size_t i = 1; i < s->rq->chain->n && rc == ERR_OK && anchors.n == 0; i++)
		if (pki_pin_matches(pin->matching, pin->value, s->rq->chain->v[i]->der))
			rc = pki_certs_add(&anchors, s->rq->chain->v[i], NULL);
	if (rc == ERR_OK && anchors.n > 0) {
		s->only_anchors = &anchors;
		run_search(s, out);
	} else {
		verdict_about_none(out, PKI_R_USAGE_MISMATCH,
		    "certificate usage 2 (trust-anchor): the pinned CA is not in the chain");
	}
	pki_certs_clear(&anchors);
}

/* Usage 3: the leaf is the pinned one; of PKIX only its dates count. */
static void
verify_leaf_alone(struct search *s, struct pki_verdict *out)
{
	struct pki_request dates = *s->rq;
	struct finding f = { .reason = PKI_OK };

	s->n = 1;
	s->path[0] = s->rq->chain->v[0];
	if (!pki_pin_matches(dates.pin->matching, dates.pin->value, s->path[0]->der))
		(void)finding_set(&f, PKI_R_USAGE_MISMATCH, 0,
		    "certificate usage 3 (domain-issued): not the pinned certificate");
	else if (!s->po->ignore_leaf_expiry)
		(void)check_validity(&dates, s->path[0], 0, &f);
	if (f.reason == PKI_OK) {
		verdict_path(s, out);
		return;
	}
	(void)refuse(s, &f, s->path[0], true);
	verdict_refused(s, out);
}

void
pki_verify(const struct pki_request *rq, const struct pki_policy *po, struct pki_verdict *out)
{
	struct search s = { .rq = rq, .po = po, .tries = po->max_tries };

	*out =
	    (struct pki_verdict){ .reason = PKI_R_INTERNAL, .index = -1, .path = PKI_CERTS_NONE };
	if (rq->chain->n == 0)
		verdict_about_none(out, PKI_R_PARSE, "there is no certificate");
	else if (rq->chain->n > PKI_CHAIN_CERTS)
		verdict_about_none(out, PKI_R_BUDGET, "too many certificates");
	else if (rq->pin != NULL && rq->pin->usage == PKI_USAGE_DOMAIN_ISSUED)
		verify_leaf_alone(&s, out);
	else if (rq->pin != NULL && rq->pin->usage == PKI_USAGE_TRUST_ANCHOR)
		verify_with_anchor(&s, out);
	else
		run_search(&s, out);
}

void
pki_verdict_clear(struct pki_verdict *v)
{
	pki_certs_clear(&v->path);
}

void
pki_verdict_text(struct gbuf *out, const struct pki_verdict *v)
{
	if (v->index >= 0)
		gbuf_printf(out, "certificate %d (%s): ", v->index, v->subject);
	gbuf_str(out, pki_reason_sentence(v->reason));
	if (v->detail[0] != '\0')
		gbuf_printf(out, ": %s", v->detail);
}
