#include "pki/certpolicy.h"

#include <string.h>

struct set {
	struct pki_blob v[CERTPOLICY_MAX];
	size_t n;
	bool over; /* one more was wanted */
};

struct mapping {
	struct pki_blob from, to; /* issuerDomainPolicy, subjectDomainPolicy */
};

struct state {
	struct set valid;    /* policies of the lowest level; empty: the tree is NULL */
	struct set expected; /* what the next level may have */
	bool has_any;        /* anyPolicy is among valid */
	struct mapping maps[CERTPOLICY_MAX];
	size_t n_maps;
	size_t explicit_policy, mapping, inhibit_any; /* certificates until it counts */
	enum certpolicy_verdict fault;
};

static const uint8_t any_octets[] = { 0x55, 0x1d, 0x20, 0x00 };
static const struct pki_blob any_policy = { any_octets, sizeof any_octets };

static bool
set_has(const struct set *s, struct pki_blob oid)
{
	for (size_t i = 0; i < s->n; i++)
		if (blob_equal(s->v[i], oid))
			return true;
	return false;
}

static void
set_add(struct set *s, struct pki_blob oid)
{
	if (set_has(s, oid))
		return;
	if (s->n == N_ELEMS(s->v))
		s->over = true;
	else
		s->v[s->n++] = oid;
}

static void
fault(struct state *st, enum certpolicy_verdict v)
{
	if (st->fault == CERTPOLICY_OK)
		st->fault = v;
}

/* id-qt-cps, id-qt-unotice: nothing follows from them. Others must not be critical (section 4.2.1.4). */
static bool
is_known_qualifier(struct pki_blob oid)
{
	static const uint8_t qt[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02 };

	return oid.n == sizeof qt + 1 && memcmp(oid.p, qt, sizeof qt) == 0 &&
	       (oid.p[sizeof qt] == 1 || oid.p[sizeof qt] == 2);
}

static void
read_qualifiers(struct state *st, struct der *info, bool critical)
{
	struct der list = der_enter(info, DER_SEQUENCE);

	if (!der_more(&list))
		fault(st, CERTPOLICY_MALFORMED);
	while (der_more(&list)) {
		struct der d = der_enter(&list, DER_SEQUENCE);
		struct pki_blob oid = der_take(&d, DER_OID);

		(void)der_take_whole(&d, NULL);
		if (!der_end(&d))
			fault(st, CERTPOLICY_MALFORMED);
		if (critical && !is_known_qualifier(oid))
			fault(st, CERTPOLICY_QUALIFIER);
	}
	if (!der_end(&list))
		fault(st, CERTPOLICY_MALFORMED);
}

/* The policies that a certificate asserts, each once. */
static void
read_policies(struct state *st, const struct pki_cert *c, struct set *out)
{
	struct der d = der_make(c->policies), list = der_enter(&d, DER_SEQUENCE);

	*out = (struct set){ .n = 0 };
	if (!der_more(&list))
		fault(st, CERTPOLICY_MALFORMED);
	while (der_more(&list)) {
		struct der info = der_enter(&list, DER_SEQUENCE);
		struct pki_blob oid = der_take(&info, DER_OID);

		if (der_more(&info))
			read_qualifiers(st, &info, (c->critical & PKI_EXT_POLICIES) != 0);
		if (!der_end(&info) || !der_oid_valid(oid) || set_has(out, oid))
			fault(st, CERTPOLICY_MALFORMED);
		set_add(out, oid);
	}
	if (!der_end(&list) || !der_end(&d))
		fault(st, CERTPOLICY_MALFORMED);
	if (out->over)
		fault(st, CERTPOLICY_BUDGET);
}

/* Section 6.1.3 (d) and (e). */
static void
descend(struct state *st, const struct pki_cert *c, bool any_counts)
{
	struct set asserted, next = { .n = 0 };

	if (!(c->has & PKI_EXT_POLICIES)) {
		st->valid.n = 0;
		st->has_any = false;
		return;
	}
	read_policies(st, c, &asserted);
	for (size_t i = 0; i < asserted.n; i++)
		if (!blob_equal(asserted.v[i], any_policy) &&
		    (st->has_any || set_has(&st->expected, asserted.v[i])))
			set_add(&next, asserted.v[i]);
	if (any_counts && set_has(&asserted, any_policy) && st->valid.n > 0)
		for (size_t i = 0; i < st->expected.n; i++)
			set_add(&next, st->expected.v[i]);
	if (next.over)
		fault(st, CERTPOLICY_BUDGET);
	st->valid = next;
	st->has_any = set_has(&next, any_policy);
}

static void
read_mappings(struct state *st, const struct pki_cert *c)
{
	struct der d = der_make(c->policy_mappings), list = der_enter(&d, DER_SEQUENCE);

	st->n_maps = 0;
	if (!(c->has & PKI_EXT_POLICY_MAPPINGS))
		return;
	while (der_more(&list) && st->n_maps < CERTPOLICY_MAX) {
		struct der pair = der_enter(&list, DER_SEQUENCE);
		struct mapping m = { .from = der_take(&pair, DER_OID) };

		m.to = der_take(&pair, DER_OID);
		if (!der_end(&pair) || blob_equal(m.from, any_policy) ||
		    blob_equal(m.to, any_policy))
			fault(st, CERTPOLICY_MALFORMED); /* section 6.1.4 (a) */
		st->maps[st->n_maps++] = m;
	}
	if (der_more(&list))
		fault(st, CERTPOLICY_BUDGET);
	else if (!der_end(&list) || !der_end(&d) || st->n_maps == 0)
		fault(st, CERTPOLICY_MALFORMED);
}

static bool
is_mapped(const struct state *st, struct pki_blob oid)
{
	for (size_t i = 0; i < st->n_maps; i++)
		if (blob_equal(st->maps[i].from, oid))
			return true;
	return false;
}

/* Section 6.1.4 (b): what the next level is to have; without mapping, mapped policies go. */
static void
map_policies(struct state *st, bool allowed)
{
	struct set kept = { .n = 0 };

	st->expected = (struct set){ .n = 0 };
	for (size_t i = 0; i < st->valid.n; i++) {
		bool mapped = is_mapped(st, st->valid.v[i]);

		if (!mapped)
			set_add(&st->expected, st->valid.v[i]);
		if (!mapped || allowed)
			set_add(&kept, st->valid.v[i]);
	}
	for (size_t i = 0; i < st->n_maps && allowed; i++)
		if (st->has_any || set_has(&st->valid, st->maps[i].from)) {
			set_add(&st->expected, st->maps[i].to);
			set_add(&kept, st->maps[i].from);
		}
	if (st->expected.over || kept.over)
		fault(st, CERTPOLICY_BUDGET);
	st->valid = kept;
}

static void
count_down(size_t *n)
{
	if (*n > 0)
		--*n;
}

static void
lower_to(size_t *n, uint32_t limit)
{
	if (limit < *n)
		*n = limit;
}

/* policyConstraints and inhibitAnyPolicy (section 6.1.4 (i) and (j)). */
static void
take_constraints(struct state *st, const struct pki_cert *c)
{
	struct der d = der_make(c->policy_constraints), pc = der_enter(&d, DER_SEQUENCE);

	if (c->has & PKI_EXT_POLICY_CONSTRAINTS) {
		if (!der_more(&pc))
			fault(st, CERTPOLICY_MALFORMED);
		if (der_peek(&pc) == DER_CONTEXT(0))
			lower_to(&st->explicit_policy, der_uint(&pc, DER_CONTEXT(0), INT16_MAX));
		if (der_peek(&pc) == DER_CONTEXT(1))
			lower_to(&st->mapping, der_uint(&pc, DER_CONTEXT(1), INT16_MAX));
		if (!der_end(&pc) || !der_end(&d))
			fault(st, CERTPOLICY_MALFORMED);
	}
	if (c->has & PKI_EXT_INHIBIT_ANY) {
		struct der ia = der_make(c->inhibit_any);

		lower_to(&st->inhibit_any, der_uint(&ia, DER_INTEGER, INT16_MAX));
		if (!der_end(&ia))
			fault(st, CERTPOLICY_MALFORMED);
	}
}

/* Section 6.1.4 (a), (b), (h) to (j): after a CA, before the next certificate. */
static void
prepare_next(struct state *st, const struct pki_cert *ca)
{
	read_mappings(st, ca);
	map_policies(st, st->mapping > 0);
	if (!pki_cert_self_issued(ca)) {
		count_down(&st->explicit_policy);
		count_down(&st->mapping);
		count_down(&st->inhibit_any);
	}
	take_constraints(st, ca);
}

/* Section 6.1.5 (a) and (b). */
static void
wrap_up(struct state *st, const struct pki_cert *leaf)
{
	struct state end = {
		.explicit_policy = SIZE_MAX, .mapping = SIZE_MAX, .inhibit_any = SIZE_MAX
	};

	count_down(&st->explicit_policy);
	take_constraints(&end, leaf);
	if (end.explicit_policy == 0)
		st->explicit_policy = 0;
	fault(st, end.fault);
}

static enum certpolicy_verdict
verdict_now(const struct state *st)
{
	if (st->fault != CERTPOLICY_OK)
		return st->fault;
	return st->explicit_policy == 0 && st->valid.n == 0 ? CERTPOLICY_NONE : CERTPOLICY_OK;
}

enum certpolicy_verdict
certpolicy_check(const struct pki_cert *const *path, size_t n, size_t *at, size_t *policies)
{
	struct state st = { .explicit_policy = n, .mapping = n, .inhibit_any = n, .has_any = true };
	enum certpolicy_verdict v = CERTPOLICY_OK;

	set_add(&st.valid, any_policy);
	set_add(&st.expected, any_policy);
	*at = n - 1;
	take_constraints(&st, path[n - 1]);
	for (size_t i = n - 1; i-- > 0 && v == CERTPOLICY_OK;) {
		bool last = i == 0;

		*at = i;
		descend(
		    &st, path[i], st.inhibit_any > 0 || (!last && pki_cert_self_issued(path[i])));
		v = verdict_now(&st);
		if (v != CERTPOLICY_OK)
			break;
		if (last)
			wrap_up(&st, path[i]);
		else
			prepare_next(&st, path[i]);
		v = last ? verdict_now(&st) : st.fault;
	}
	if (policies != NULL)
		*policies = st.valid.n;
	return v;
}
