/*
 * Chains whose certificates have these extensions, each "OID=DER" or, critical, "OID!DER": name
 * constraints of every kind, policies, purposes of CAs (RFC 5280 sections 4.2.1 and 6.1).
 */
#include "pki/chain.h"

#include "tests/unit/pki_forge.h"
#include "tests/unit/unit.h"

static struct forge keys[3]; /* of anchor, CA, leaf */

/* clang-format off */
static const struct row {
	const char *what;
	const char *anchor[3], *ca[3], *leaf[3];
	enum pki_reason want;
} rows[] = {
	{ "a host of the domain", { NULL }, { "2.5.29.30!300fa00d300b8209782e6578616d706c65" }, { "2.5.29.17=300d820b612e782e6578616d706c65" }, PKI_OK },
	{ "a host of another domain", { NULL }, { "2.5.29.30!300fa00d300b8209782e6578616d706c65" }, { "2.5.29.17=300d820b612e792e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "a domain that only ends alike", { NULL }, { "2.5.29.30!300fa00d300b8209782e6578616d706c65" }, { "2.5.29.17=300c820a61782e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "of the anchor: a host of another domain", { "2.5.29.30!300fa00d300b8209782e6578616d706c65" }, { NULL }, { "2.5.29.17=300d820b612e792e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "one of two hosts is of another domain", { NULL }, { "2.5.29.30!300fa00d300b8209782e6578616d706c65" }, { "2.5.29.17=301a820b612e782e6578616d706c65820b612e792e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "every host is excluded", { NULL }, { "2.5.29.30!3006a10430028200" }, { "2.5.29.17=300d820b612e792e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "a wildcard that covers what is excluded", { NULL }, { "2.5.29.30!3011a10f300d820b612e782e6578616d706c65" }, { "2.5.29.17=300d820b2a2e782e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "a wildcard wider than what is permitted", { NULL }, { "2.5.29.30!3011a00f300d820b612e782e6578616d706c65" }, { "2.5.29.17=300d820b2a2e782e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "excluded in other case", { NULL }, { "2.5.29.30!3011a10f300d820b412e582e6578616d706c65" }, { "2.5.29.17=300f820d622e612e782e4558414d504c45" }, PKI_R_NAME_CONSTRAINT },
	{ "a dot before the domain of a host", { NULL }, { "2.5.29.30!3010a00e300c820a2e782e6578616d706c65" }, { "2.5.29.17=300d820b612e782e6578616d706c65" }, PKI_R_MALFORMED },
	{ "no name of the kind", { NULL }, { "2.5.29.30!300fa00d300b8209782e6578616d706c65" }, { NULL }, PKI_OK },
	{ "an address of the network", { NULL }, { "2.5.29.30!300ea00c300a87080a000000ff000000" }, { "2.5.29.17=300687040a090909" }, PKI_OK },
	{ "an address of another network", { NULL }, { "2.5.29.30!300ea00c300a87080a000000ff000000" }, { "2.5.29.17=300687040b090909" }, PKI_R_NAME_CONSTRAINT },
	{ "an address that is excluded", { NULL }, { "2.5.29.30!300ea10c300a87080a000000ff000000" }, { "2.5.29.17=300687040a090909" }, PKI_R_NAME_CONSTRAINT },
	{ "IPv6, and only IPv4 is permitted", { NULL }, { "2.5.29.30!300ea00c300a87080a000000ff000000" }, { "2.5.29.17=3012871020010000000000000000000000000000" }, PKI_R_NAME_CONSTRAINT },
	{ "IPv6 of the network", { NULL }, { "2.5.29.30!3026a0243022872020010000000000000000000000000000ffff0000000000000000000000000000" }, { "2.5.29.17=3012871020010707070707070707070707070707" }, PKI_OK },
	{ "IPv6 of another", { NULL }, { "2.5.29.30!3026a0243022872020010000000000000000000000000000ffff0000000000000000000000000000" }, { "2.5.29.17=3012871020020707070707070707070707070707" }, PKI_R_NAME_CONSTRAINT },
	{ "a mask with holes", { NULL }, { "2.5.29.30!300ea00c300a87080a000000ff00ff00" }, { "2.5.29.17=300687040a090009" }, PKI_R_MALFORMED },
	{ "a network without a mask", { NULL }, { "2.5.29.30!300aa008300687040a000000" }, { "2.5.29.17=300687040a000000" }, PKI_R_MALFORMED },
	{ "every address is excluded", { NULL }, { "2.5.29.30!300ea10c300a87080000000000000000" }, { "2.5.29.17=3006870409090909" }, PKI_R_NAME_CONSTRAINT },
	{ "mail at the host", { NULL }, { "2.5.29.30!300fa00d300b8109782e6578616d706c65" }, { "2.5.29.17=300d810b7540782e6578616d706c65" }, PKI_OK },
	{ "mail at a host below it", { NULL }, { "2.5.29.30!300fa00d300b8109782e6578616d706c65" }, { "2.5.29.17=300f810d7540612e782e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "mail in the domain", { NULL }, { "2.5.29.30!3010a00e300c810a2e782e6578616d706c65" }, { "2.5.29.17=300f810d7540612e782e6578616d706c65" }, PKI_OK },
	{ "mail at the domain itself", { NULL }, { "2.5.29.30!3010a00e300c810a2e782e6578616d706c65" }, { "2.5.29.17=300d810b7540782e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "the mailbox, its host in other case", { NULL }, { "2.5.29.30!3011a00f300d810b7540782e6578616d706c65" }, { "2.5.29.17=300d810b7540582e6578616d706c65" }, PKI_OK },
	{ "another mailbox", { NULL }, { "2.5.29.30!3011a00f300d810b7540782e6578616d706c65" }, { "2.5.29.17=300d810b7640782e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "a quoted mailbox at an excluded host", { NULL }, { "2.5.29.30!300fa10d300b8109782e6578616d706c65" }, { "2.5.29.17=3011810f226140622240782e6578616d706c65" }, PKI_R_NAME_CONSTRAINT },
	{ "a URI of the host", { NULL }, { "2.5.29.30!300fa00d300b8609782e6578616d706c65" }, { "2.5.29.17=30158613636f6170733a2f2f782e6578616d706c652f61" }, PKI_OK },
	{ "a URI of a host below it", { NULL }, { "2.5.29.30!300fa00d300b8609782e6578616d706c65" }, { "2.5.29.17=30178615636f6170733a2f2f612e782e6578616d706c652f61" }, PKI_R_NAME_CONSTRAINT },
	{ "a URI in the domain, with a port", { NULL }, { "2.5.29.30!3010a00e300c860a2e782e6578616d706c65" }, { "2.5.29.17=301c861a636f6170733a2f2f612e782e6578616d706c653a353638342f61" }, PKI_OK },
	{ "the host as user name", { NULL }, { "2.5.29.30!300fa00d300b8609782e6578616d706c65" }, { "2.5.29.17=3021861f636f6170733a2f2f782e6578616d706c65406576696c2e6578616d706c652f" }, PKI_R_NAME_CONSTRAINT },
	{ "the host in the fragment", { NULL }, { "2.5.29.30!300fa00d300b8609782e6578616d706c65" }, { "2.5.29.17=30228620636f6170733a2f2f6576696c2e6578616d706c652340782e6578616d706c652f" }, PKI_R_NAME_CONSTRAINT },
	{ "the host behind a backslash", { NULL }, { "2.5.29.30!300fa00d300b8609782e6578616d706c65" }, { "2.5.29.17=30228620636f6170733a2f2f6576696c2e6578616d706c655c40782e6578616d706c652f" }, PKI_R_MALFORMED },
	{ "a URN, and hosts are permitted", { NULL }, { "2.5.29.30!300fa00d300b8609782e6578616d706c65" }, { "2.5.29.17=300c860a75726e3a696d65693a31" }, PKI_R_NAME_CONSTRAINT },
	{ "a URN, and a host is excluded", { NULL }, { "2.5.29.30!300fa10d300b8609782e6578616d706c65" }, { "2.5.29.17=300c860a75726e3a696d65693a31" }, PKI_R_NAME_CONSTRAINT },
	{ "a URI of an address, and a host is excluded", { NULL }, { "2.5.29.30!300fa10d300b8609782e6578616d706c65" }, { "2.5.29.17=3010860e636f6170733a2f2f5b3a3a315d2f" }, PKI_R_NAME_CONSTRAINT },
	{ "a URI of an excluded host in other case", { NULL }, { "2.5.29.30!300fa10d300b8609782e6578616d706c65" }, { "2.5.29.17=30148612636f6170733a2f2f582e4558414d504c452f" }, PKI_R_NAME_CONSTRAINT },
	{ "the subject permitted", { NULL }, { "2.5.29.30!3017a0153013a411300f310d300b06035504030c046c656166" }, { NULL }, PKI_OK },
	{ "the subject not permitted", { NULL }, { "2.5.29.30!3018a0163014a4123010310e300c06035504030c056f74686572" }, { NULL }, PKI_R_NAME_CONSTRAINT },
	{ "the subject excluded", { NULL }, { "2.5.29.30!3017a1153013a411300f310d300b06035504030c046c656166" }, { NULL }, PKI_R_NAME_CONSTRAINT },
	{ "the subject excluded, in other case and blanks", { NULL }, { "2.5.29.30!3019a1173015a4133011310f300d06035504030c06204c45414620" }, { NULL }, PKI_R_NAME_CONSTRAINT },
	{ "the subject excluded, as another kind of string", { NULL }, { "2.5.29.30!3017a1153013a411300f310d300b060355040313046c656166" }, { NULL }, PKI_R_NAME_CONSTRAINT },
	{ "another name not permitted", { NULL }, { "2.5.29.30!3017a0153013a411300f310d300b06035504030c046c656166" }, { "2.5.29.17=3014a4123010310e300c06035504030c056f74686572" }, PKI_R_NAME_CONSTRAINT },
	{ "every name excluded", { NULL }, { "2.5.29.30!3008a1063004a4023000" }, { NULL }, PKI_R_NAME_CONSTRAINT },
	{ "an other name of an excluded type", { NULL }, { "2.5.29.30!300fa10d300ba00906022a03a0030c0178" }, { "2.5.29.17=300ba00906022a03a0030c0179" }, PKI_R_NAME_CONSTRAINT },
	{ "an identifier that is not permitted", { NULL }, { "2.5.29.30!3008a006300488022a03" }, { "2.5.29.17=300488022a04" }, PKI_R_NAME_CONSTRAINT },
	{ "a policy demanded and asserted", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3003800100" }, { "2.5.29.32=3007300506032a0301" }, PKI_OK },
	{ "another asserted", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3003800100" }, { "2.5.29.32=3007300506032a0302" }, PKI_R_POLICY },
	{ "none asserted", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3003800100" }, { NULL }, PKI_R_POLICY },
	{ "demanded by the anchor", { "2.5.29.36!3003800100" }, { "2.5.29.32=3007300506032a0301" }, { "2.5.29.32=3007300506032a0302" }, PKI_R_POLICY },
	{ "by any policy", { NULL }, { "2.5.29.32=300830060604551d2000", "2.5.29.36!3003800100" }, { "2.5.29.32=3007300506032a0302" }, PKI_OK },
	{ "any policy of the leaf", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3003800100" }, { "2.5.29.32=300830060604551d2000" }, PKI_OK },
	{ "any policy inhibited", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3003800100", "2.5.29.54!020100" }, { "2.5.29.32=300830060604551d2000" }, PKI_R_POLICY },
	{ "mapped", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3003800100", "2.5.29.33!300c300a06032a030106032a0302" }, { "2.5.29.32=3007300506032a0302" }, PKI_OK },
	{ "mapped away", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3003800100", "2.5.29.33!300c300a06032a030106032a0302" }, { "2.5.29.32=3007300506032a0301" }, PKI_R_POLICY },
	{ "mapping inhibited", { "2.5.29.36!3003810100" }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3003800100", "2.5.29.33!300c300a06032a030106032a0302" }, { "2.5.29.32=3007300506032a0302" }, PKI_R_POLICY },
	{ "any policy mapped", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.33!300d300b0604551d200006032a0302" }, { "2.5.29.32=3007300506032a0302" }, PKI_R_MALFORMED },
	{ "demanded by the leaf itself", { NULL }, { "2.5.29.32=3007300506032a0301" }, { "2.5.29.32=3007300506032a0302", "2.5.29.36!3003800100" }, PKI_R_POLICY },
	{ "constraints that are not critical", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36=3003800100" }, { "2.5.29.32=3007300506032a0301" }, PKI_R_MALFORMED },
	{ "constraints without a word", { NULL }, { "2.5.29.32=3007300506032a0301", "2.5.29.36!3000" }, { "2.5.29.32=3007300506032a0301" }, PKI_R_MALFORMED },
	{ "a policy twice", { NULL }, { "2.5.29.32=300e300506032a0301300506032a0301" }, { "2.5.29.32=3007300506032a0301" }, PKI_R_MALFORMED },
	{ "a CA for servers only", { NULL }, { "2.5.29.37=300a06082b06010505070301" }, { NULL }, PKI_R_WRONG_PURPOSE },
	{ "a CA for clients", { NULL }, { "2.5.29.37=300a06082b06010505070302" }, { NULL }, PKI_OK },
	{ "a CA for any purpose", { NULL }, { "2.5.29.37=30060604551d2500" }, { NULL }, PKI_OK },
	{ "a CA that signs OCSP responses only", { NULL }, { "2.5.29.37=300a06082b06010505070309" }, { NULL }, PKI_R_WRONG_PURPOSE },
	{ "an anchor for servers only", { "2.5.29.37=300a06082b06010505070301" }, { NULL }, { NULL }, PKI_R_WRONG_PURPOSE },
	{ "no purpose at all", { NULL }, { NULL }, { "2.5.29.37=3000" }, PKI_R_MALFORMED },
	{ "a purpose whose last arc is longer", { NULL }, { NULL }, { "2.5.29.37=300b06092b0601050507038202" }, PKI_R_WRONG_PURPOSE },
	{ "a critical extension of a CA", { NULL }, { "1.2.3.4!0500" }, { NULL }, PKI_R_CRITICAL_EXTENSION },
	{ "a critical extension of the anchor", { "1.2.3.4!0500" }, { NULL }, { NULL }, PKI_R_CRITICAL_EXTENSION },
	{ "an unknown extension", { NULL }, { "1.2.3.4=0500" }, { "1.2.3.4=0500" }, PKI_OK },
	{ "where its status is asked is critical", { NULL }, { NULL }, { "1.3.6.1.5.5.7.1.1!3017301506082b060105050730018609687474703a2f2f782f" }, PKI_R_MALFORMED },
	{ "name constraints of a leaf", { NULL }, { NULL }, { "2.5.29.30!300fa00d300b8209782e6578616d706c65" }, PKI_R_MALFORMED },
	{ "a name that is an address of three octets", { NULL }, { NULL }, { "2.5.29.17=30058703010203" }, PKI_R_MALFORMED },
	{ "a name with a blank", { NULL }, { NULL }, { "2.5.29.17=300d820b6120622e6578616d706c65" }, PKI_R_MALFORMED },
	{ "a CA's critical qualifier that nobody knows", { NULL }, { "2.5.29.32!3013301106032a0301300a300806032a0304160178" }, { NULL }, PKI_R_CRITICAL_EXTENSION },
	{ "a critical qualifier that nobody knows", { NULL }, { NULL }, { "2.5.29.32!3013301106032a0301300a300806032a0304160178" }, PKI_R_CRITICAL_EXTENSION },
	{ "a qualifier that nobody knows", { NULL }, { "2.5.29.32=3013301106032a0301300a300806032a0304160178" }, { "2.5.29.32=3013301106032a0301300a300806032a0304160178" }, PKI_OK },
	{ "where its practice is written, critical", { NULL }, { "2.5.29.32!3018301606032a0301300f300d06082b06010505070201160178" }, { "2.5.29.32!3018301606032a0301300f300d06082b06010505070202160178" }, PKI_OK },
	{ "qualifiers, and none of them", { NULL }, { "2.5.29.32=3009300706032a03013000" }, { NULL }, PKI_R_MALFORMED },
};
/* clang-format on */

/* The leaf "CN=leaf" by the CA by the anchor. */
static void
verify_row(const struct row *r, const char *name, bool allow_cn, struct pki_verdict *v)
{
	struct pki_certs chain = PKI_CERTS_NONE, anchors = PKI_CERTS_NONE;
	struct pki_request rq = { .chain = &chain,
		.anchors = &anchors,
		.purpose = PKI_PURPOSE_CLIENT,
		.name = name,
		.now = FORGE_NOW };
	struct forge anchor, ca, leaf;
	struct pki_policy po;

	forge_make(&anchor,
	    &(struct forge_opts){ .cn = "anchor", .rekey = &keys[0], .ca = true, .raw = r->anchor });
	forge_make(&ca, &(struct forge_opts){
	                    .cn = "ca", .rekey = &keys[1], .issuer = &anchor, .ca = true, .raw = r->ca });
	forge_make(&leaf, &(struct forge_opts){
	                      .cn = "leaf", .rekey = &keys[2], .issuer = &ca, .raw = r->leaf });
	ck_assert_int_eq(pki_certs_add(&chain, leaf.cert, NULL), ERR_OK);
	ck_assert_int_eq(pki_certs_add(&chain, ca.cert, NULL), ERR_OK);
	ck_assert_int_eq(pki_certs_add(&anchors, anchor.cert, NULL), ERR_OK);
	pki_policy_default(&po);
	po.allow_cn = allow_cn;
	pki_verify(&rq, &po, v);
	pki_certs_clear(&chain);
	pki_certs_clear(&anchors);
	forge_clear(&leaf);
	forge_clear(&ca);
	forge_clear(&anchor);
}

START_TEST(what_a_chain_says_is_heeded)
{
	struct pki_verdict v;

	verify_row(&rows[_i], NULL, false, &v);
	ck_assert_msg(v.reason == rows[_i].want, "%s: %s (%s)", rows[_i].what,
	    pki_reason_name(v.reason), v.detail);
	pki_verdict_clear(&v);
}
END_TEST

/* Where a common name may stand for a host, it is one more name for the CAs above to allow. */
static const struct {
	const char *what, *constraint;
	bool allow_cn;
	enum pki_reason want;
} hosts[] = {
	{ "no constraint", NULL, true, PKI_OK },
	{ "not asked for", NULL, false, PKI_R_NAME_MISMATCH },
	{ "permitted", "2.5.29.30!300aa008300682046c656166", true, PKI_OK },
	{ "not permitted", "2.5.29.30!300ba009300782056f74686572", true, PKI_R_NAME_CONSTRAINT },
	{ "excluded", "2.5.29.30!300aa108300682046c656166", true, PKI_R_NAME_CONSTRAINT },
};

START_TEST(a_common_name_for_a_host_is_constrained)
{
	const struct row r = { .ca = { hosts[_i].constraint } };
	struct pki_verdict v;

	verify_row(&r, "dns:leaf", hosts[_i].allow_cn, &v);
	ck_assert_msg(v.reason == hosts[_i].want, "%s: %s (%s)", hosts[_i].what,
	    pki_reason_name(v.reason), v.detail);
	pki_verdict_clear(&v);
}
END_TEST

static const struct unit_case cases[] = {
	UNIT_CASE(what_a_chain_says_is_heeded, N_ELEMS(rows)),
	UNIT_CASE(a_common_name_for_a_host_is_constrained, N_ELEMS(hosts)),
};

int
main(void)
{
	for (size_t i = 0; i < N_ELEMS(keys); i++)
		forge_make(&keys[i], &(struct forge_opts){ .cn = "key" });
	return unit_run(unit_suite("chain_rules", cases, N_ELEMS(cases)));
}
