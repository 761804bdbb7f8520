#include "pki/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "pki/chain.h"

#define DAY ((int64_t)86400)
#define OLD_RSA_BITS 1024

void
pki_status_policy_default(struct pki_status_policy *p)
{
	struct pki_policy chain;

	pki_policy_default(&chain);
	*p = (struct pki_status_policy){
		.skew_s = 300,
		.max_age_s = 7 * DAY,
		.max_age_open_s = DAY,
		.responder_life_s = 30 * DAY,
		.keys = chain.keys,
		.sigs = chain.sigs,
		.rsa_bits = chain.rsa_bits,
		.nonce = PKI_NONCE_PREFER,
	};
}

void
pki_status_policy_allow_sha1(struct pki_status_policy *p)
{
	p->sigs |= PKI_SIG_RSA_SHA1 | PKI_SIG_ECDSA_SHA1;
	p->rsa_bits = MIN(p->rsa_bits, (unsigned)OLD_RSA_BITS);
}

bool
pki_answer_unusable(struct pki_answer *a, const char *fmt, ...)
{
	va_list ap;

	a->status = PKI_STATUS_UNUSABLE;
	va_start(ap, fmt);
	(void)vsnprintf(a->detail, sizeof a->detail, fmt, ap);
	va_end(ap);
	return false;
}

static bool
untimely(struct pki_answer *a, const char *what, int64_t t)
{
	char text[CLOCK_RFC3339_LEN + 1];

	clock_rfc3339(t * 1000, text);
	return pki_answer_unusable(a, "%s %.19sZ", what, text);
}

int64_t
pki_answer_until(const struct pki_answer *a, const struct pki_status_policy *p)
{
	int64_t age = a->has_next ? p->max_age_s : p->max_age_open_s;
	int64_t until = age == PKI_ANY_AGE ? INT64_MAX : a->this_update + age;

	return a->has_next ? MIN(until, a->next_update) : until;
}

bool
pki_answer_in_time(
    struct pki_answer *a, const struct pki_status_policy *p, const struct pki_cert *c, int64_t now)
{
	int64_t until = pki_answer_until(a, p);

	if (a->has_next && a->next_update < a->this_update)
		return untimely(a, "nextUpdate lies before thisUpdate:", a->next_update);
	if (a->this_update > now + p->skew_s)
		return untimely(a, "thisUpdate lies in the future:", a->this_update);
	if (a->produced_at > now + p->skew_s)
		return untimely(a, "producedAt lies in the future:", a->produced_at);
	if (a->produced_at < c->not_before || a->produced_at > c->not_after)
		return untimely(
		    a, "producedAt lies outside of the certificate's validity:", a->produced_at);
	if (until != INT64_MAX && now > until + p->skew_s)
		return untimely(a,
		    a->has_next && until == a->next_update ? "nextUpdate has passed:"
		                                           : "too old, thisUpdate was",
		    a->has_next && until == a->next_update ? a->next_update : a->this_update);
	return true;
}

const char *
pki_status_name(enum pki_status s)
{
	static const char *const names[] = {
		[PKI_STATUS_UNUSABLE] = "unusable",
		[PKI_STATUS_GOOD] = "good",
		[PKI_STATUS_REVOKED] = "revoked",
		[PKI_STATUS_UNKNOWN] = "unknown",
	};

	return (unsigned)s < N_ELEMS(names) ? names[s] : names[PKI_STATUS_UNUSABLE];
}

const char *
pki_crl_reason_name(int reason)
{
	static const char *const names[] = { "unspecified", "keyCompromise", "cACompromise",
		"affiliationChanged", "superseded", "cessationOfOperation", "certificateHold",
		"unspecified", "removeFromCRL", "privilegeWithdrawn", "aACompromise" };

	return reason >= 0 && (size_t)reason < N_ELEMS(names) ? names[reason] : names[0];
}

bool
pki_status_signature_allowed(
    const struct pki_status_policy *p, const struct pki_spki *key, enum pki_sig_kind kind)
{
	return (p->sigs & kind) != 0 && (p->keys & key->kind) != 0 &&
	       (key->kind != PKI_KEY_RSA || key->size >= p->rsa_bits);
}
