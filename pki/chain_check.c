#include "pki/chain_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "pki/certpolicy.h"
#include "pki/constraint.h"
#include "pki/syntax.h"

#define SERIAL_MAX 20

/* What a rule for one certificate looks at. */
struct check {
	const struct pki_request *rq;
	const struct pki_policy *po;
	const struct pki_cert *c;
	enum check_role role;
	size_t at;
	struct finding *f;
};

bool
finding_set(struct finding *f, enum pki_reason r, size_t at, const char *fmt, ...)
{
	va_list ap;

	f->reason = r;
	f->at = at;
	va_start(ap, fmt);
	(void)vsnprintf(f->detail, sizeof f->detail, fmt, ap);
	va_end(ap);
	return false;
}

static bool
malformed(const struct check *k, const char *what)
{
	return finding_set(k->f, PKI_R_MALFORMED, k->at, "%s", what);
}

static bool
date_refused(struct finding *f, enum pki_reason r, size_t at, const char *what, int64_t t)
{
	char text[CLOCK_RFC3339_LEN + 1];

	clock_rfc3339(t * 1000, text);
	return finding_set(f, r, at, "%s %.19sZ", what, text);
}

bool
check_validity(const struct pki_request *rq, const struct pki_cert *c, size_t at, struct finding *f)
{
	if (rq->now > c->not_after)
		return date_refused(f, PKI_R_EXPIRED, at, "on", c->not_after);
	if (rq->now < c->not_before)
		return date_refused(f, PKI_R_NOT_YET_VALID, at, "before", c->not_before);
	return true;
}

static bool
check_dates(const struct check *k)
{
	return (k->role == CHECK_LEAF && k->po->ignore_leaf_expiry) ||
	       check_validity(k->rq, k->c, k->at, k->f);
}

static bool
check_algorithms(const struct check *k)
{
	const struct pki_cert *c = k->c;

	if ((k->po->keys & c->spki.kind) == 0)
		return finding_set(k->f, PKI_R_WEAK_ALGORITHM, k->at, "public key of kind %s",
		    pki_key_kind_name(c->spki.kind));
	if (c->spki.kind == PKI_KEY_RSA && c->spki.size < k->po->rsa_bits)
		return finding_set(k->f, PKI_R_WEAK_ALGORITHM, k->at,
		    "RSA key of %u bits, not %u or more", c->spki.size, k->po->rsa_bits);
	if (k->role == CHECK_ANCHOR)
		return true; /* nobody relies on the signature of an anchor */
	if (!c->sig_agrees)
		return malformed(k, "it names two signature algorithms");
	if ((k->po->sigs & c->sig_kind) == 0)
		return finding_set(k->f, PKI_R_WEAK_ALGORITHM, k->at, "signature of kind %s",
		    pki_sig_kind_name(c->sig_kind));
	return true;
}

/* Sections 4.1.2.4, 4.1.2.6 and 4.2.1.6. */
static bool
check_names(const struct check *k)
{
	const struct pki_cert *c = k->c;

	if (pki_dn_empty(c->issuer))
		return malformed(k, "the issuer's name is empty");
	if (pki_dn_empty(c->subject)) {
		if (k->role != CHECK_LEAF || c->is_ca)
			return malformed(k, "a CA without a name");
		if (!(c->has & PKI_EXT_SAN) || !(c->critical & PKI_EXT_SAN))
			return malformed(k, "an empty subject without a critical subjectAltName");
	}
	if ((c->has & PKI_EXT_SAN) && c->san.n == 0)
		return malformed(k, "a subjectAltName without a name");
	for (size_t i = 0; i < c->san.n; i++) {
		const struct pki_name *san = &c->san.v[i];

		if (!syntax_san(san) && (!k->po->relaxed || san->kind == PKI_NAME_IP))
			return malformed(k, "a subjectAltName that is not of its kind's form");
	}
	return true;
}

/* Which extensions may be critical, and which must be there (sections 4.2.1 and 4.2.2). */
static bool
check_extensions(const struct check *k)
{
	const struct pki_cert *c = k->c;
	uint32_t never = PKI_EXT_AKI | PKI_EXT_SKI | PKI_EXT_SUBJECT_DIR | PKI_EXT_FRESHEST_CRL |
	                 PKI_EXT_AIA | PKI_EXT_SIA;
	uint32_t always = PKI_EXT_POLICY_CONSTRAINTS | PKI_EXT_INHIBIT_ANY;

	if (c->unknown_critical.n > 0) {
		struct gbuf oid = { .max = 512 };

		der_oid_text(&oid, c->unknown_critical);
		(void)finding_set(
		    k->f, PKI_R_CRITICAL_EXTENSION, k->at, "extension %s", gbuf_cstr(&oid));
		gbuf_clear(&oid);
		return false;
	}
	if (c->critical & never)
		return malformed(k, "an extension is critical that may not be");
	if (c->has & always & ~c->critical)
		return malformed(k, "an extension is not critical that must be");
	if ((c->has & PKI_EXT_KEY_USAGE) && c->key_usage == 0)
		return malformed(k, "key usage without a use");
	if ((c->has & PKI_EXT_EKU) && c->eku == 0)
		return malformed(k, "extended key usage without a use");
	return true;
}

/* What RFC 5280 asks of those who issue, and a lax CA forgets. */
static bool
check_formalities(const struct check *k)
{
	const struct pki_cert *c = k->c;
	bool zero = c->serial.n == 1 && c->serial.p[0] == 0, anchor = k->role == CHECK_ANCHOR;

	if (k->po->relaxed || (anchor && c->version != 3))
		return true;
	if (!anchor && (c->serial.n > SERIAL_MAX || c->serial.p[0] >= 0x80 || zero))
		return malformed(k, "the serial number is not positive, or longer than 20 octets");
	if (c->is_ca && !(c->has & PKI_EXT_SKI))
		return malformed(k, "a CA without subjectKeyIdentifier");
	if (!anchor && c->aki.n == 0)
		return malformed(k, "no keyIdentifier in authorityKeyIdentifier");
	if (anchor && !(c->critical & PKI_EXT_BASIC_CONSTRAINTS))
		return malformed(k, "basicConstraints of an anchor is not critical");
	return true;
}

/* cA, keyCertSign, pathLenConstraint and name constraints belong together (sections 4.2.1.3, 9,
 * 10). */
static bool
check_consistent(const struct check *k)
{
	const struct pki_cert *c = k->c;

	if (c->is_ca)
		return constraint_check_syntax(c) == CONSTRAINT_OK ||
		       malformed(k, "a name constraint that is not of its kind's form");
	if (c->key_usage & PKI_KU_CERT_SIGN)
		return malformed(k, "keyCertSign, but it is no CA");
	if (c->path_len >= 0)
		return malformed(k, "a path length, but it is no CA");
	if (c->has & PKI_EXT_NAME_CONSTRAINTS)
		return malformed(k, "name constraints, but it is no CA");
	return true;
}

static bool
check_issuer(const struct check *k)
{
	const struct pki_cert *c = k->c;

	if (k->role == CHECK_LEAF)
		return true;
	if (k->role == CHECK_ANCHOR && k->po->allow_v1_anchor && c->version < 3)
		return true;
	if (c->version != 3 || !c->is_ca)
		return finding_set(k->f, PKI_R_CONSTRAINT, k->at, "it is no CA");
	if ((c->has & PKI_EXT_KEY_USAGE) && !(c->key_usage & PKI_KU_CERT_SIGN))
		return finding_set(
		    k->f, PKI_R_CONSTRAINT, k->at, "its key may not sign certificates");
	return true;
}

static bool
check_purpose(const struct check *k)
{
	const struct pki_cert *c = k->c;
	bool client = k->rq->purpose == PKI_PURPOSE_CLIENT;
	unsigned want = PKI_EKU_ANY | (client ? PKI_EKU_CLIENT_AUTH : PKI_EKU_SERVER_AUTH);
	const char *name = client ? "clientAuth" : "serverAuth";

	if (k->rq->purpose == PKI_PURPOSE_ANY)
		return true;
	if ((c->has & PKI_EXT_EKU) && !(c->eku & want))
		return finding_set(
		    k->f, PKI_R_WRONG_PURPOSE, k->at, "extended key usage has no %s", name);
	if (k->role != CHECK_LEAF)
		return true;
	if (k->po->require_eku && !(c->has & PKI_EXT_EKU))
		return finding_set(k->f, PKI_R_WRONG_PURPOSE, k->at,
		    "no extended key usage, %s is asked for", name);
	if (c->is_ca && !(c->has & PKI_EXT_EKU) && !k->po->ca_signs_nothing)
		return true; /* a CA's key usage is about what it issues */
	if ((c->has & PKI_EXT_KEY_USAGE) &&
	    !(c->key_usage & (PKI_KU_DIGITAL_SIGNATURE | PKI_KU_KEY_AGREEMENT)))
		return finding_set(
		    k->f, PKI_R_WRONG_PURPOSE, k->at, "its key may not sign a handshake");
	return true;
}

bool
check_cert(const struct pki_request *rq, const struct pki_policy *po, const struct pki_cert *c,
    enum check_role role, size_t at, struct finding *f)
{
	static bool (*const rules[])(const struct check *) = {
		check_dates,
		check_algorithms,
		check_extensions,
		check_issuer,
		check_names,
		check_consistent,
		check_formalities,
		check_purpose,
	};
	struct check k = { .rq = rq, .po = po, .c = c, .role = role, .at = at, .f = f };

	for (size_t i = 0; i < N_ELEMS(rules); i++)
		if (!rules[i](&k))
			return false;
	return true;
}

/* Section 6.1.4 (l) and (m), from the anchor down; the leaf is not counted. */
static bool
check_lengths(
    const struct pki_policy *po, const struct pki_cert *const *path, size_t n, struct finding *f)
{
	unsigned left = po->max_depth;
	size_t limit_of = n; /* whose limit it is; n: the policy's */

	for (size_t i = n - 1; i > 0; i--) {
		const struct pki_cert *c = path[i];

		if (i < n - 1 && !pki_cert_self_issued(c)) {
			if (left == 0 && limit_of == n)
				return finding_set(f, PKI_R_BUDGET, i,
				    "more than %u CAs below the anchor", po->max_depth);
			if (left == 0)
				return finding_set(f, PKI_R_CONSTRAINT, i,
				    "the path length of certificate %zu leaves no room for it",
				    limit_of);
			left--;
		}
		if (c->path_len >= 0 && (unsigned)c->path_len < left) {
			left = (unsigned)c->path_len;
			limit_of = i;
		}
	}
	return true;
}

static bool
name_refused(
    enum constraint_verdict v, size_t ca, size_t at, const struct pki_name *bad, struct finding *f)
{
	struct gbuf text = { .max = 8192 };

	if (v == CONSTRAINT_BUDGET)
		return finding_set(f, PKI_R_BUDGET, at, "too many names and name constraints");
	pki_name_text(&text, bad);
	(void)finding_set(f, PKI_R_NAME_CONSTRAINT, at, "%.200s is %s certificate %zu",
	    gbuf_cstr(&text), v == CONSTRAINT_EXCLUDED ? "excluded by" : "not permitted by", ca);
	gbuf_clear(&text);
	return false;
}

/* Section 6.1.3 (b) and (c): each CA's subtrees hold for all below it, but not for self-issued CAs.
 */
static bool
check_constraints(
    const struct pki_policy *po, const struct pki_cert *const *path, size_t n, struct finding *f)
{
	unsigned left = po->max_names;
	struct pki_name bad;

	for (size_t ca = n - 1; ca > 0; ca--) {
		if (!(path[ca]->has & PKI_EXT_NAME_CONSTRAINTS))
			continue;
		for (size_t i = ca; i-- > 0;) {
			if (i > 0 && pki_cert_self_issued(path[i]))
				continue;
			enum constraint_verdict v =
			    constraint_check(path[ca], path[i], &left, &bad);
			if (v != CONSTRAINT_OK)
				return name_refused(v, ca, i, &bad, f);
		}
	}
	return true;
}

bool
check_host(const struct pki_policy *po, const struct pki_cert *const *path, size_t n,
    const char *host, struct finding *f)
{
	struct pki_name name = { PKI_NAME_DNS, { (const uint8_t *)host, strlen(host) } };
	unsigned left = po->max_names;

	for (size_t ca = n - 1; ca > 0; ca--) {
		enum constraint_verdict v = constraint_check_name(path[ca], &name, &left);

		if (v != CONSTRAINT_OK)
			return name_refused(v, ca, 0, &name, f);
	}
	return true;
}

static bool
check_policies(const struct pki_cert *const *path, size_t n, struct finding *f)
{
	size_t at;

	switch (certpolicy_check(path, n, &at, NULL)) {
	case CERTPOLICY_OK:
		return true;
	case CERTPOLICY_NONE:
		return finding_set(
		    f, PKI_R_POLICY, at, "a CA above demands a policy, and none is left");
	case CERTPOLICY_MALFORMED:
		return finding_set(
		    f, PKI_R_MALFORMED, at, "an extension about policies that is none");
	case CERTPOLICY_QUALIFIER:
		return finding_set(f, PKI_R_CRITICAL_EXTENSION, at,
		    "a policy with a qualifier that is not understood");
	case CERTPOLICY_BUDGET:
		return finding_set(f, PKI_R_BUDGET, at, "more than %d policies", CERTPOLICY_MAX);
	}
	return false;
}

bool
check_path(
    const struct pki_policy *po, const struct pki_cert *const *path, size_t n, struct finding *f)
{
	return check_lengths(po, path, n, f) && check_constraints(po, path, n, f) &&
	       check_policies(path, n, f);
}
