/* Revocation lists, one row for each way to count or not. */
#include "pki/crl.h"

#include <string.h>

#include "tests/unit/pki_forge.h"
#include "tests/unit/unit.h"

#define NOW FORGE_NOW
#define DP "http://crl.example/ca.crl"
#define DP_SOME_REASONS \
	"2.5.29.31=30253023a01da01b8619687474703a2f2f63726c2e6578616d706c652f63612e63726c81020640"
#define DP_OF_ROOT \
	"2.5.29.31=30363034a01da01b8619687474703a2f2f63726c2e6578616d706c652f63612e63726ca213a411" \
	"300f310d300b06035504030c04726f6f74"

static struct forge root, namesake, silent, leaf, ca, with_dp, silent_leaf, partly, of_another;

static void
make_world(void)
{
	forge_make(&root, &(struct forge_opts){ .cn = "root", .ca = true });
	forge_make(&namesake, &(struct forge_opts){ .cn = "root", .ca = true });
	forge_make(&silent,
	    &(struct forge_opts){ .cn = "silent", .ca = true, .usage = GNUTLS_KEY_KEY_CERT_SIGN });
	forge_make(&leaf, &(struct forge_opts){ .cn = "leaf", .issuer = &root });
	forge_make(&ca, &(struct forge_opts){ .cn = "ca", .issuer = &root, .ca = true });
	forge_make(&with_dp, &(struct forge_opts){ .cn = "dp", .issuer = &root, .crl_dp = DP });
	forge_make(&partly, &(struct forge_opts){ .cn = "some reasons",
	                        .issuer = &root,
	                        .raw = (const char *const[3]){ DP_SOME_REASONS } });
	forge_make(&of_another, &(struct forge_opts){ .cn = "of another",
	                            .issuer = &root,
	                            .raw = (const char *const[3]){ DP_OF_ROOT } });
	forge_make(&silent_leaf, &(struct forge_opts){ .cn = "leaf", .issuer = &silent });
}

#define GOOD PKI_STATUS_GOOD
#define REVOKED PKI_STATUS_REVOKED
#define BAD PKI_STATUS_UNUSABLE

typedef void change_fn(struct forge_crl *o, struct pki_status_policy *p);
#define CHANGE(name, what)                                                                         \
	static void name(struct forge_crl *o, struct pki_status_policy *p)                         \
	{                                                                                          \
		(void)o;                                                                           \
		(void)p;                                                                           \
		what;                                                                              \
	}

/* clang-format off */
CHANGE(same, (void)0)
CHANGE(names_it, o->revoked[0] = leaf.cert)
CHANGE(names_others, o->revoked[0] = ca.cert; o->revoked[1] = with_dp.cert)
CHANGE(many, o->fill = 3000; o->revoked[0] = leaf.cert)
CHANGE(many_others, o->fill = 3000)
CHANGE(with_reason, names_it(o, p); o->reason = 2)
CHANGE(by_namesake, o->signer = &namesake)
CHANGE(bad_signature, o->bad_signature = true)
CHANGE(sha1, o->sha1 = true)
CHANGE(sha1_allowed, o->sha1 = true; pki_status_policy_allow_sha1(p))
CHANGE(next_passed, o->next_update = NOW - 301)
CHANGE(next_in_skew, o->next_update = NOW - 299)
CHANGE(no_next, o->next_update = 0)
CHANGE(next_before, o->next_update = o->this_update - 1)
CHANGE(future, o->this_update = NOW + 301)
CHANGE(old, o->this_update = NOW - 300 * FORGE_DAY)
CHANGE(no_number, o->no_number = true)
CHANGE(no_number_relaxed, o->no_number = true; p->relaxed = true)
CHANGE(critical_number, o->critical_number = true)
CHANGE(delta, o->delta = true)
CHANGE(critical, o->critical = true)
CHANGE(critical_entry, names_others(o, p); o->critical_entry = true)
CHANGE(of_others, names_others(o, p); o->entry_issuer = true)
CHANGE(user_only, o->idp_flag = 1)
CHANGE(ca_only, o->idp_flag = 2)
CHANGE(indirect, o->idp_flag = 4)
CHANGE(attributes, o->idp_flag = 5)
CHANGE(some_reasons, o->idp_reasons = true)
CHANGE(some_reasons_naming, o->idp_reasons = true; o->revoked[0] = leaf.cert)
CHANGE(this_point, o->idp_uri = DP)
CHANGE(this_point_naming, o->idp_uri = DP; o->revoked[0] = partly.cert)
CHANGE(other_point, o->idp_uri = "http://crl.example/other.crl")
CHANGE(issuer_point, o->idp_issuer = true)
CHANGE(v1, o->v1 = true; p->relaxed = true)

static const struct row {
	const char *what;
	const struct forge *cert, *issuer;
	change_fn *change;
	enum pki_status want;
	const char *why;
} rows[] = {
	{ "empty", &leaf, &root, same, GOOD, NULL },
	{ "names it", &leaf, &root, names_it, REVOKED, NULL },
	{ "names it with a reason", &leaf, &root, with_reason, REVOKED, NULL },
	{ "names others", &leaf, &root, names_others, GOOD, NULL },
	{ "names it among many", &leaf, &root, many, REVOKED, NULL },
	{ "names many others", &leaf, &root, many_others, GOOD, NULL },
	{ "signed by another key of that name", &leaf, &root, by_namesake, BAD, "not its issuer's" },
	{ "bad signature", &leaf, &root, bad_signature, BAD, "not its issuer's" },
	{ "SHA-1", &leaf, &root, sha1, BAD, "sha1" },
	{ "SHA-1 allowed", &leaf, &root, sha1_allowed, GOOD, NULL },
	{ "its issuer may not sign lists", &silent_leaf, &silent, same, BAD, "may not sign" },
	{ "nextUpdate has passed", &leaf, &root, next_passed, BAD, "passed" },
	{ "nextUpdate within skew", &leaf, &root, next_in_skew, GOOD, NULL },
	{ "no nextUpdate", &leaf, &root, no_next, BAD, "until when" },
	{ "nextUpdate before thisUpdate", &leaf, &root, next_before, BAD, "before" },
	{ "of the future", &leaf, &root, future, BAD, "future" },
	{ "old, and still counts", &leaf, &root, old, GOOD, NULL },
	{ "no number", &leaf, &root, no_number, BAD, "number" },
	{ "no number, relaxed", &leaf, &root, no_number_relaxed, GOOD, NULL },
	{ "critical number", &leaf, &root, critical_number, BAD, "number" },
	{ "delta list", &leaf, &root, delta, BAD, "delta" },
	{ "critical extension", &leaf, &root, critical, BAD, "critical" },
	{ "critical extension of an entry", &leaf, &root, critical_entry, BAD, "critical" },
	{ "entries of other CAs", &leaf, &root, of_others, BAD, "indirect" },
	{ "end entities only: a device", &leaf, &root, user_only, GOOD, NULL },
	{ "end entities only: a CA", &ca, &root, user_only, BAD, "end entities" },
	{ "CAs only: a device", &leaf, &root, ca_only, BAD, "CAs" },
	{ "CAs only: a CA", &ca, &root, ca_only, GOOD, NULL },
	{ "indirect", &leaf, &root, indirect, BAD, "indirect" },
	{ "attribute certificates", &leaf, &root, attributes, BAD, "attribute" },
	{ "some reasons only", &leaf, &root, some_reasons, BAD, "reasons" },
	{ "some reasons only, and names it", &leaf, &root, some_reasons_naming, REVOKED, NULL },
	{ "a point for some reasons only", &partly, &root, this_point, BAD, "distribution point" },
	{ "a point for some reasons only, and names it", &partly, &root, this_point_naming, REVOKED, NULL },
	{ "a point for some reasons, the whole list", &partly, &root, same, GOOD, NULL },
	{ "a point of another issuer", &of_another, &root, this_point, BAD, "distribution point" },
	{ "its distribution point", &with_dp, &root, this_point, GOOD, NULL },
	{ "another distribution point", &with_dp, &root, other_point, BAD, "distribution point" },
	{ "a distribution point nobody named", &leaf, &root, this_point, BAD, "distribution point" },
	{ "the issuer as distribution point", &leaf, &root, issuer_point, GOOD, NULL },
	{ "version 1", &leaf, &root, v1, GOOD, NULL },
};
/* clang-format on */

static struct forge_crl
plain(const struct forge *issuer)
{
	return (struct forge_crl){
		.issuer = issuer, .this_update = NOW - 3600, .next_update = NOW + FORGE_DAY
	};
}

static void
load(struct pki_crls *cs, const struct forge_crl *o)
{
	struct gbuf der = { .max = 0 };
	struct err e = { 0 };

	forge_crl(o, &der);
	ck_assert_msg(pki_crls_parse(cs, der.data, der.len, &e) == ERR_OK, "%s", e.msg);
	gbuf_clear(&der);
}

START_TEST(each_way_to_count_or_not)
{
	const struct row *r = &rows[_i];
	struct forge_crl o = plain(r->issuer);
	struct pki_crls cs = PKI_CRLS_NONE;
	struct pki_status_policy p;
	struct pki_answer a;

	pki_status_policy_default(&p);
	r->change(&o, &p);
	load(&cs, &o);
	for (int again = 0; again < 2; again++) { /* the second time from memory */
		pki_crl_evaluate(&cs, r->cert->cert, r->issuer->cert, &p, NOW, &a);
		ck_assert_msg(a.status == r->want, "%s: %s (%s)", r->what,
		    pki_status_name(a.status), a.detail);
		if (r->want == BAD)
			ck_assert_msg(
			    strstr(a.detail, r->why) != NULL, "%s: \"%s\"", r->what, a.detail);
	}
	if (r->change == with_reason)
		ck_assert_str_eq(pki_crl_reason_name(a.crl_reason), "keyCompromise");
	pki_crls_clear(&cs);
}
END_TEST

START_TEST(no_list_is_not_good)
{
	struct pki_crls cs = PKI_CRLS_NONE;
	struct forge_crl o = plain(&silent);
	struct pki_status_policy p;
	struct pki_answer a;

	pki_status_policy_default(&p);
	pki_crl_evaluate(&cs, leaf.cert, root.cert, &p, NOW, &a);
	ck_assert_int_eq(a.status, BAD);
	load(&cs, &o);
	pki_crl_evaluate(&cs, leaf.cert, root.cert, &p, NOW, &a);
	ck_assert_int_eq(a.status, BAD);
	ck_assert_ptr_nonnull(strstr(a.detail, "no revocation list of its issuer"));
	pki_crls_clear(&cs);
}
END_TEST

/* Section 4.2: nobody could say which of them counts. */
START_TEST(an_extension_that_is_there_twice_makes_no_list)
{
	struct pki_crls cs = PKI_CRLS_NONE;
	struct forge_crl o = plain(&root);
	struct gbuf der = { .max = 0 };

	o.idp_flag = 2;
	o.idp_twice = true;
	forge_crl(&o, &der);
	ck_assert_int_eq(pki_crls_parse(&cs, der.data, der.len, NULL), ERR_PARSE);
	gbuf_clear(&der);
}
END_TEST

/* What one list verified for one key does not count for another of the same name. */
START_TEST(verification_is_remembered_by_key)
{
	struct pki_crls cs = PKI_CRLS_NONE;
	struct forge_crl o = plain(&root);
	struct pki_status_policy p;
	struct pki_answer a;

	pki_status_policy_default(&p);
	load(&cs, &o);
	pki_crl_evaluate(&cs, leaf.cert, root.cert, &p, NOW, &a);
	ck_assert_int_eq(a.status, GOOD);
	pki_crl_evaluate(&cs, leaf.cert, namesake.cert, &p, NOW, &a);
	ck_assert_int_eq(a.status, BAD);
	pki_crls_clear(&cs);
}
END_TEST

START_TEST(any_list_that_names_it_revokes)
{
	struct pki_crls cs = PKI_CRLS_NONE;
	struct forge_crl o = plain(&root);
	struct pki_status_policy p;
	struct pki_answer a;

	pki_status_policy_default(&p);
	load(&cs, &o);
	o.revoked[0] = leaf.cert;
	load(&cs, &o);
	o.revoked[0] = NULL;
	o.next_update = NOW - 1000;
	load(&cs, &o);
	pki_crl_evaluate(&cs, leaf.cert, root.cert, &p, NOW, &a);
	ck_assert_int_eq(a.status, REVOKED);
	pki_crl_evaluate(&cs, ca.cert, root.cert, &p, NOW, &a);
	ck_assert_int_eq(a.status, GOOD);
	pki_crls_clear(&cs);
}
END_TEST

START_TEST(no_mutation_is_good)
{
	struct forge_crl o = plain(&root);
	struct gbuf der = { .max = 0 };
	struct pki_status_policy p;
	uint64_t state = unit_seed();
	size_t good = 0;

	o.revoked[0] = leaf.cert;
	pki_status_policy_default(&p);
	forge_crl(&o, &der);
	for (size_t i = 0; i < 2000; i++) {
		struct pki_crls cs = PKI_CRLS_NONE;
		struct pki_answer a;
		size_t at = (size_t)(unit_random(&state) % der.len);
		uint8_t kept = der.data[at];

		der.data[at] ^= (uint8_t)(1U << (unit_random(&state) % 8));
		if (pki_crls_parse(&cs, der.data, der.len, NULL) == ERR_OK) {
			pki_crl_evaluate(&cs, leaf.cert, root.cert, &p, NOW, &a);
			good += a.status != BAD;
			pki_crl_evaluate(&cs, ca.cert, root.cert, &p, NOW, &a);
			good += a.status != BAD;
		}
		pki_crls_clear(&cs);
		der.data[at] = kept;
	}
	ck_assert_uint_eq(good, 0);
	gbuf_clear(&der);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(each_way_to_count_or_not, N_ELEMS(rows)),
	UNIT_CASE(no_list_is_not_good, 0),
	UNIT_CASE(an_extension_that_is_there_twice_makes_no_list, 0),
	UNIT_CASE(verification_is_remembered_by_key, 0),
	UNIT_CASE(any_list_that_names_it_revokes, 0),
	UNIT_CASE(no_mutation_is_good, 0),
};

int
main(void)
{
	make_world();
	return unit_run(unit_suite("crl", cases, N_ELEMS(cases)));
}
