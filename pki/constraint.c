#include "pki/constraint.h"

#include <string.h>

#include "pki/syntax.h"

static bool
ends_with(struct pki_blob s, struct pki_blob tail)
{
	return s.n >= tail.n && syntax_same(syntax_tail(s, tail.n), tail);
}

/* base, or labels put before it (dNSName; an empty base is every name). */
static bool
dns_within(struct pki_blob base, struct pki_blob name)
{
	if (base.n == 0 || syntax_same(base, name))
		return true;
	return name.n > base.n && ends_with(name, base) && name.p[name.n - base.n - 1] == '.';
}

static bool
is_wildcard(struct pki_blob name)
{
	return name.n > 2 && name.p[0] == '*' && name.p[1] == '.';
}

/* "*.x" stands for what has one label before x: "a.x" is among them, "a.b.x" is not. */
static bool
wildcard_covers(struct pki_blob wildcard, struct pki_blob base)
{
	struct pki_blob tail = syntax_tail(wildcard, wildcard.n - 1);

	return base.n > tail.n && ends_with(base, tail) &&
	       memchr(base.p, '.', base.n - tail.n) == NULL;
}

/* ".x": a host with labels before x; "x": that host (mail and URI). */
static bool
host_within(struct pki_blob base, struct pki_blob host)
{
	if (base.n > 0 && base.p[0] == '.')
		return host.n > base.n && ends_with(host, base);
	return base.n == 0 || syntax_same(base, host);
}

/* The place behind the last '@'; 0 when there is none. */
static size_t
behind_at(struct pki_blob s)
{
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != '@')
		at--;
	return at;
}

/* A mailbox (its local part with case), a host, or ".domain". */
static bool
mail_within(struct pki_blob base, struct pki_blob name)
{
	size_t b = behind_at(base), n = behind_at(name);
	struct pki_blob host = syntax_tail(name, name.n - n);

	if (b == 0)
		return host_within(base, host);
	return b == n && memcmp(base.p, name.p, b) == 0 &&
	       syntax_same(syntax_tail(base, base.n - b), host);
}

static bool
ip_within(struct pki_blob range, struct pki_blob ip)
{
	if (range.n != 2 * ip.n)
		return false;
	for (size_t i = 0; i < ip.n; i++)
		if ((ip.p[i] ^ range.p[i]) & range.p[ip.n + i])
			return false;
	return true;
}

/* A URI without a host name has no place in any subtree. */
static bool
uri_within(struct pki_blob base, struct pki_blob uri)
{
	struct pki_blob host;

	return syntax_uri_host(uri, &host) && syntax_host(host) && host_within(base, host);
}

bool
constraint_permits(const struct pki_name *subtree, const struct pki_name *name)
{
	struct pki_blob base = subtree->value, v = name->value;

	switch (subtree->kind) {
	case PKI_NAME_EMAIL:
		return mail_within(base, v);
	case PKI_NAME_DNS:
		return dns_within(base, v);
	case PKI_NAME_URI:
		return uri_within(base, v);
	case PKI_NAME_IP:
		return ip_within(base, v);
	case PKI_NAME_DIRECTORY:
		return pki_dn_within(base, v);
	case PKI_NAME_OTHER:
	case PKI_NAME_X400:
	case PKI_NAME_EDI:
	case PKI_NAME_RID:
		return blob_equal(base, v);
	}
	return false;
}

/* Two OtherNames of one type: the RFC leaves to each type what a subtree of it is. */
static bool
same_other_type(struct pki_blob a, struct pki_blob b)
{
	struct der da = der_make(a), db = der_make(b);
	struct pki_blob ta = der_take(&da, DER_OID), tb = der_take(&db, DER_OID);

	return !der_ok(&da) || !der_ok(&db) || blob_equal(ta, tb);
}

bool
constraint_excludes(const struct pki_name *subtree, const struct pki_name *name)
{
	struct pki_blob base = subtree->value, v = name->value, host;

	switch (subtree->kind) {
	case PKI_NAME_DNS:
		return dns_within(base, v) || (is_wildcard(v) && wildcard_covers(v, base));
	case PKI_NAME_URI:
		return !syntax_uri_host(v, &host) || !syntax_host(host) || host_within(base, host);
	case PKI_NAME_OTHER:
		return same_other_type(base, v);
	case PKI_NAME_RID:
		return v.n >= base.n && memcmp(base.p, v.p, base.n) == 0;
	case PKI_NAME_X400:
	case PKI_NAME_EDI:
		return true;
	case PKI_NAME_EMAIL:
	case PKI_NAME_IP:
	case PKI_NAME_DIRECTORY:
		break;
	}
	return constraint_permits(subtree, name);
}

/* A host, or ".domain". */
static bool
is_host_subtree(struct pki_blob s)
{
	return syntax_host(s.n > 1 && s.p[0] == '.' ? syntax_tail(s, s.n - 1) : s);
}

static bool
subtree_ok(const struct pki_name *subtree)
{
	struct pki_blob s = subtree->value;

	switch (subtree->kind) {
	case PKI_NAME_EMAIL:
		return s.n == 0 || is_host_subtree(s) || syntax_mailbox(s);
	case PKI_NAME_DNS:
		return s.n == 0 || syntax_host(s);
	case PKI_NAME_URI:
		return s.n == 0 || is_host_subtree(s);
	case PKI_NAME_IP:
		return syntax_ip_range(s);
	case PKI_NAME_OTHER:
	case PKI_NAME_X400:
	case PKI_NAME_DIRECTORY:
	case PKI_NAME_EDI:
	case PKI_NAME_RID:
		return true;
	}
	return false;
}

enum constraint_verdict
constraint_check_syntax(const struct pki_cert *ca)
{
	for (size_t i = 0; i < ca->permitted.n; i++)
		if (!subtree_ok(&ca->permitted.v[i]))
			return CONSTRAINT_MALFORMED;
	for (size_t i = 0; i < ca->excluded.n; i++)
		if (!subtree_ok(&ca->excluded.v[i]))
			return CONSTRAINT_MALFORMED;
	return CONSTRAINT_OK;
}

enum constraint_verdict
constraint_check_name(const struct pki_cert *ca, const struct pki_name *name, unsigned *left)
{
	bool constrained = false, permitted = false;

	if (*left < ca->permitted.n + ca->excluded.n)
		return CONSTRAINT_BUDGET;
	*left -= (unsigned)(ca->permitted.n + ca->excluded.n);
	for (size_t i = 0; i < ca->excluded.n; i++)
		if (ca->excluded.v[i].kind == name->kind &&
		    constraint_excludes(&ca->excluded.v[i], name))
			return CONSTRAINT_EXCLUDED;
	for (size_t i = 0; i < ca->permitted.n && !permitted; i++) {
		if (ca->permitted.v[i].kind != name->kind)
			continue;
		constrained = true;
		permitted = constraint_permits(&ca->permitted.v[i], name);
	}
	return constrained && !permitted ? CONSTRAINT_NOT_PERMITTED : CONSTRAINT_OK;
}

static enum constraint_verdict
check_list(
    const struct pki_cert *ca, const struct pki_names *names, unsigned *left, struct pki_name *bad)
{
	enum constraint_verdict v = CONSTRAINT_OK;

	for (size_t i = 0; v == CONSTRAINT_OK && i < names->n; i++) {
		*bad = names->v[i];
		v = constraint_check_name(ca, bad, left);
	}
	return v;
}

enum constraint_verdict
constraint_check(
    const struct pki_cert *ca, const struct pki_cert *cert, unsigned *left, struct pki_name *bad)
{
	struct pki_names emails = { NULL, 0 };
	enum constraint_verdict v = CONSTRAINT_OK;

	*bad = (struct pki_name){ PKI_NAME_DIRECTORY, cert->subject };
	if (!pki_dn_empty(cert->subject))
		v = constraint_check_name(ca, bad, left);
	if (v == CONSTRAINT_OK)
		v = check_list(ca, &cert->san, left, bad);
	if (v != CONSTRAINT_OK)
		return v;
	v = CONSTRAINT_BUDGET; /* memory short, or a thousand of them */
	if (pki_dn_emails(cert->subject, &emails, NULL) == ERR_OK)
		v = check_list(ca, &emails, left, bad);
	pki_names_clear(&emails);
	return v;
}
