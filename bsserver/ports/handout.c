/* What is handed out is judged before it is written: chain, name, dates, usage. */
#include "bsserver/ports/handout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/base/util.h"
#include "lib/lwm2m/object.h"
#include "pki/chain.h"
#include "pki/identity.h"
#include "profiles/uri.h"

#define SOON_S INT64_C(2592000) /* 30 days, when the profile does not say when it comes again */
#define MODE_RPK 1
#define MODE_X509 2

struct judging {
	const struct profile_desired *d;
	const struct trust *trust;
	const struct shelf *shelf;
	struct pki_certs handed; /* CAs of this very configuration */
	int64_t now, until;
	struct handout_result *out;
	struct err *e;
};

/* One account. */
struct account {
	struct lwm2m_path inst;
	struct pki_pin pin;
	char name[PROFILE_HOST_MAX + 16]; /* whom the server's certificate must be for; "" */
};

static const struct lwm2m_value *
value_at(const struct lwm2m_tree *t, struct lwm2m_path inst, uint16_t rid)
{
	return lwm2m_tree_get(t, lwm2m_path_child(inst, rid));
}

static int64_t
number_at(const struct judging *j, struct lwm2m_path inst, uint16_t rid, int64_t otherwise)
{
	const struct lwm2m_value *v = value_at(&j->d->tree, inst, rid);
	int64_t n;

	return v != NULL && lwm2m_value_number(v, &n) ? n : otherwise;
}

static enum err_code
refuse(const struct judging *j, const struct account *a, uint16_t rid, const char *why)
{
	return err_set(
	    j->e, ERR_REFUSED, "%s: %s", lwm2m_path_str(lwm2m_path_child(a->inst, rid)).s, why);
}

static void
say(const struct judging *j, const struct account *a, const char *what)
{
	gbuf_printf(&j->out->verdicts, "%s%s: %s", j->out->verdicts.len > 0 ? "\n" : "",
	    lwm2m_path_str(a->inst).s, what);
}

static void
hex_of(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static enum err_code
judge_dates(
    const struct judging *j, const struct account *a, uint16_t rid, const struct pki_cert *c)
{
	char when[CLOCK_RFC3339_LEN + 1], hex[2 * PKI_SHA256_LEN + 1], text[224];
	bool late = c->not_after<j->now, early = c->not_before> j->now;

	clock_rfc3339((early ? c->not_before : c->not_after) * 1000, when);
	(void)snprintf(text, sizeof text, "%s: %s %.19sZ",
	    pki_reason_sentence(late ? PKI_R_EXPIRED : PKI_R_NOT_YET_VALID), late ? "on" : "before",
	    when);
	if (late || early)
		return refuse(j, a, rid, text);
	hex_of(c->fingerprint, sizeof c->fingerprint, hex);
	(void)snprintf(text, sizeof text, "resource %u is valid until %.10s%s (sha256 %s)",
	    (unsigned)rid, when,
	    c->not_after < j->until ? ", which is before the device is expected again" : "", hex);
	say(j, a, text);
	return ERR_OK;
}

static enum err_code
judge_revoked(
    const struct judging *j, const struct account *a, uint16_t rid, const struct pki_cert *c)
{
	struct gbuf hex = { 0 }, text = { .max = 512 };
	enum err_code rc = ERR_OK;

	enc_hex(&hex, c->fingerprint, sizeof c->fingerprint);
	const char *why =
	    j->shelf == NULL || hex.failed ? NULL : shelf_revoked(j->shelf, gbuf_cstr(&hex));
	if (why != NULL) {
		gbuf_printf(&text, "%s (%s)", pki_reason_sentence(PKI_R_REVOKED), why);
		rc = refuse(j, a, rid, gbuf_cstr(&text));
	}
	gbuf_clear(&text);
	gbuf_clear(&hex);
	return rc;
}

/* In time, and not revoked. */
static enum err_code
judge_alive(
    const struct judging *j, const struct account *a, uint16_t rid, const struct pki_cert *c)
{
	enum err_code rc = judge_revoked(j, a, rid, c);

	return rc == ERR_OK ? judge_dates(j, a, rid, c) : rc;
}

static enum err_code
add_path(
    const struct judging *j, struct lwm2m_path where, const char *trust, struct pki_certs *certs)
{
	struct handout_result *r = j->out;
	struct handout_path *grown = grow(r->paths, r->n_paths, &r->cap_paths, sizeof *grown);
	char *name = trust == NULL ? NULL : str_dup_n(trust, strlen(trust));

	if (grown != NULL)
		r->paths = grown;
	if (grown == NULL || (trust != NULL && name == NULL)) {
		free(name);
		return err_no_memory(j->e);
	}
	grown[r->n_paths++] = (struct handout_path){ where, name, *certs };
	*certs = PKI_CERTS_NONE;
	return ERR_OK;
}

/* One of those that are to be chained: which resource, for what, and in words. */
struct leaf {
	const struct pki_cert *cert;
	uint16_t rid;
	enum pki_purpose purpose;
	const char *what;
};

/*
 * By each trust in turn, then, of servers, by the CAs that are handed out to know them by; whoever
 * knows the issuer decides.
 */
static const char *
verify(const struct judging *j, const struct pki_certs *chain, enum pki_purpose purpose,
    struct pki_verdict *v)
{
	struct pki_request rq = { .chain = chain, .purpose = purpose, .now = j->now };
	const struct pki_certs nobody = PKI_CERTS_NONE;
	struct trust_view t = { .name = NULL };
	struct pki_policy po;

	pki_policy_default(&po);
	po.allow_cn = true;
	po.relaxed = true; /* it is the devices that trust it */
	for (size_t i = 0; j->trust != NULL && trust_at(j->trust, i, &t); i++) {
		rq.anchors = t.anchors;
		pki_verdict_clear(v);
		pki_verify(&rq, &po, v);
		if (v->reason != PKI_R_UNKNOWN_CA)
			return t.name;
	}
	rq.anchors = purpose == PKI_PURPOSE_CLIENT ? &nobody : &j->handed;
	pki_verdict_clear(v);
	pki_verify(&rq, &po, v);
	return NULL;
}

/* What a device knows a server by needs somebody to vouch for it, or the configuration's word. */
static enum err_code
judge_unknown(const struct judging *j, const struct account *a, uint16_t rid, const char *what)
{
	struct gbuf text = { .max = 512 };
	enum err_code rc = ERR_OK;

	gbuf_str(&text, what);
	if (rid == 4 && !trust_allows_unknown(j->trust)) {
		gbuf_str(&text, "; add the CA to a trust for = \"servers\", or set "
		                "bootstrap.allow_unknown_issuer");
		rc = refuse(j, a, rid, gbuf_cstr(&text));
	} else {
		gbuf_str(&text, ": neither chain nor status judged");
		say(j, a, gbuf_cstr(&text));
	}
	gbuf_clear(&text);
	return rc;
}

static enum err_code
judge_chain(const struct judging *j, const struct account *a, const struct leaf *l)
{
	struct pki_certs chain = PKI_CERTS_NONE;
	struct pki_verdict v = { .reason = PKI_R_UNKNOWN_CA };
	struct gbuf text = { 0 };
	enum err_code rc = pki_certs_add(&chain, l->cert, j->e);
	const char *trust = rc == ERR_OK ? verify(j, &chain, l->purpose, &v) : NULL;

	if (rc != ERR_OK) {
		pki_certs_clear(&chain);
		return rc;
	}
	if (v.reason == PKI_OK) {
		gbuf_printf(&text, "%s has a good chain", l->what);
		say(j, a, gbuf_cstr(&text));
		rc = add_path(j, lwm2m_path_child(a->inst, l->rid), trust, &v.path);
	} else if (v.reason == PKI_R_UNKNOWN_CA) {
		gbuf_printf(&text, "the issuer of %s is not known here", l->what);
		rc = judge_unknown(j, a, l->rid, gbuf_cstr(&text));
	} else {
		pki_verdict_text(&text, &v);
		rc = refuse(j, a, l->rid, gbuf_cstr(&text));
	}
	pki_verdict_clear(&v);
	pki_certs_clear(&chain);
	gbuf_clear(&text);
	return rc;
}

/* Of one that says that it issued itself: nothing is above it, and the profile pins it. */
static enum err_code
judge_self(const struct judging *j, const struct account *a, const struct pki_cert *c)
{
	if (!pki_sig_verify(&c->spki, c->sig_kind, c->tbs, c->signature))
		return refuse(j, a, 4, pki_reason_sentence(PKI_R_BAD_SIGNATURE));
	return ERR_OK;
}

/* A certificate that says of itself that it may issue certificates. */
static enum err_code
judge_anchor(const struct judging *j, const struct account *a, const struct pki_cert *c)
{
	const struct leaf l = { c, 4, PKI_PURPOSE_ANY, "the CA" };
	struct pki_policy po;

	pki_policy_default(&po);
	if ((c->has & PKI_EXT_KEY_USAGE) != 0 && (c->key_usage & PKI_KU_CERT_SIGN) == 0)
		return refuse(j, a, 4, "the CA's key usage has no keyCertSign");
	if ((c->spki.kind & po.keys) == 0 ||
	    (c->spki.kind == PKI_KEY_RSA && c->spki.size < po.rsa_bits))
		return refuse(j, a, 4, pki_reason_sentence(PKI_R_WEAK_ALGORITHM));
	return pki_cert_self_issued(c) ? judge_self(j, a, c) : judge_chain(j, a, &l);
}

static enum err_code
judge_retired(
    const struct judging *j, const struct account *a, const uint8_t sha256[PKI_SHA256_LEN])
{
	char when[CLOCK_RFC3339_LEN + 1], text[96];
	int64_t since = j->trust == NULL ? 0 : trust_retired_sha256(j->trust, sha256);

	if (since == 0)
		return ERR_OK;
	clock_rfc3339(since, when);
	(void)snprintf(text, sizeof text, "it is a trust anchor that was retired on %.19sZ", when);
	return refuse(j, a, 4, text);
}

static enum err_code
judge_server(const struct judging *j, const struct account *a, const struct pki_cert *c)
{
	bool pins_ca =
	    a->pin.usage == PKI_USAGE_CA_CONSTRAINT || a->pin.usage == PKI_USAGE_TRUST_ANCHOR;
	const struct leaf l = { c, 4, c->is_ca ? PKI_PURPOSE_ANY : PKI_PURPOSE_SERVER,
		"the server's certificate" };
	struct err why = { 0 };

	if (pins_ca)
		return judge_anchor(j, a, c);
	if (c->must_staple)
		say(j, a,
		    "the server's certificate promises a stapled status (RFC 7633): a device that "
		    "holds "
		    "to it wants one in the handshake, which servers seldom give over DTLS");
	if (a->name[0] != '\0' && pki_name_match(c, a->name, true, &why) != ERR_OK) {
		if (a->pin.usage == PKI_USAGE_SERVICE_CERT)
			return refuse(j, a, 4, why.msg);
		say(j, a, why.msg);
	}
	return pki_cert_self_issued(c) ? judge_self(j, a, c) : judge_chain(j, a, &l);
}

/* The certificate behind 0/x/4, where it is known: itself, or what its digest is of. */
static struct pki_cert *
pinned(const struct profile_desired *d, struct lwm2m_path inst)
{
	const struct lwm2m_value *v = value_at(&d->digested, inst, 4);
	struct pki_cert *c = NULL;

	if (v == NULL)
		v = value_at(&d->tree, inst, 4);
	if (v != NULL)
		(void)pki_cert_parse(v->bytes.data, v->bytes.len, &c, NULL);
	return c;
}

/* Of a bare digest no more can be said than that it is a trust anchor's. */
static enum err_code
judge_digest(const struct judging *j, const struct account *a)
{
	bool sha256 = a->pin.matching == PKI_MATCH_SHA256;
	enum err_code rc = sha256 ? judge_retired(j, a, a->pin.value.p) : ERR_OK;
	struct trust_view t;

	if (rc != ERR_OK)
		return rc;
	for (size_t i = 0; sha256 && j->trust != NULL && trust_at(j->trust, i, &t); i++)
		for (size_t k = 0; k < t.anchors->n; k++)
			if (memcmp(t.anchors->v[k]->fingerprint, a->pin.value.p, PKI_SHA256_LEN) == 0) {
				say(j, a, "resource 4 is the digest of a trust anchor");
				return ERR_OK;
			}
	return judge_unknown(j, a, 4, "what the digest in resource 4 is of is not known here");
}

/* The device's own: in time, and where its issuer is known, as good as if it knocked with it. */
static enum err_code
judge_own(const struct judging *j, const struct account *a)
{
	const struct lwm2m_value *own = value_at(&j->d->tree, a->inst, 3);
	struct leaf l = { NULL, 3, PKI_PURPOSE_CLIENT, "the device's certificate" };
	struct pki_cert *c = NULL;
	struct err why = { 0 };

	if (own == NULL || own->bytes.len == 0)
		return ERR_OK;
	if (pki_cert_parse(own->bytes.data, own->bytes.len, &c, &why) != ERR_OK)
		return refuse(j, a, 3, why.msg);
	enum err_code rc = judge_alive(j, a, 3, c);
	l.cert = c;
	if (rc == ERR_OK && !pki_cert_self_issued(c))
		rc = judge_chain(j, a, &l);
	pki_cert_unref(c);
	return rc;
}

static void
say_warnings(const struct judging *j, const struct account *a, unsigned warnings)
{
	static const enum pki_pin_warning said[] = { PKI_PIN_WARN_CA_AS_LEAF,
		PKI_PIN_WARN_MUST_SEND_CA };

	for (size_t i = 0; i < N_ELEMS(said); i++)
		if ((warnings & said[i]) != 0)
			say(j, a, pki_pin_warning_text(said[i]));
}

static enum err_code
judge_x509(const struct judging *j, const struct account *a)
{
	struct pki_cert *c;
	unsigned warnings;
	struct err why = { 0 };

	if (pki_pin_check(&a->pin, j->now, j->until, &warnings, &why) != ERR_OK)
		return refuse(j, a, 4, why.msg);
	say_warnings(j, a, warnings);
	enum err_code rc = judge_own(j, a);
	if (rc != ERR_OK)
		return rc;
	c = pinned(j->d, a->inst);
	if (c == NULL)
		return judge_digest(j, a);
	rc = judge_retired(j, a, c->fingerprint);
	if (rc == ERR_OK)
		rc = judge_alive(j, a, 4, c);
	if (rc == ERR_OK)
		rc = judge_server(j, a, c);
	pki_cert_unref(c);
	return rc;
}

static enum err_code
judge_rpk(const struct judging *j, const struct account *a)
{
	struct err why = { 0 };

	if (pki_pin_check_rpk(a->pin.matching, a->pin.value, &why) != ERR_OK)
		return refuse(j, a, 4, why.msg);
	say(j, a, "the server's public key is well formed");
	return ERR_OK;
}

static void
name_of(const struct judging *j, struct account *a)
{
	const struct lwm2m_value *sni = value_at(&j->d->tree, a->inst, 14),
	                         *uri = value_at(&j->d->tree, a->inst, 0);

	if (sni != NULL && sni->bytes.len > 0)
		(void)snprintf(a->name, sizeof a->name, "dns:%s", (const char *)sni->bytes.data);
	else if (uri == NULL || uri->bytes.len == 0 ||
	         !puri_name((const char *)uri->bytes.data, a->name, sizeof a->name))
		a->name[0] = '\0';
}

static enum err_code
judge_account(const struct judging *j, struct lwm2m_path inst)
{
	const struct lwm2m_value *v = value_at(&j->d->tree, inst, 4);
	int64_t mode = number_at(j, inst, 2, -1);
	struct account a = { .inst = inst };
	struct err why = { 0 };

	if (mode != MODE_RPK && mode != MODE_X509)
		return ERR_OK;
	if (v == NULL || v->bytes.len == 0)
		return refuse(
		    j, &a, 4, "without a server public key the device would accept any server");
	if (pki_usage_of(number_at(j, inst, 15, PKI_USAGE_DEFAULT), &a.pin.usage, &why) != ERR_OK)
		return refuse(j, &a, 15, why.msg);
	if (pki_matching_of(number_at(j, inst, 13, PKI_MATCH_EXACT), &a.pin.matching, &why) !=
	    ERR_OK)
		return refuse(j, &a, 13, why.msg);
	a.pin.value = (struct pki_blob){ v->bytes.data, v->bytes.len };
	name_of(j, &a);
	return mode == MODE_RPK ? judge_rpk(j, &a) : judge_x509(j, &a);
}

/* CAs that devices of this configuration are told to trust. */
static enum err_code
collect(struct judging *j, struct lwm2m_path inst)
{
	struct pki_cert *c = number_at(j, inst, 2, -1) == MODE_X509 ? pinned(j->d, inst) : NULL;
	enum err_code rc = c != NULL && c->is_ca ? pki_certs_add(&j->handed, c, j->e) : ERR_OK;

	pki_cert_unref(c);
	return rc;
}

enum err_code
handout_judge(const struct profile_desired *d, const struct trust *t, const struct shelf *shelf,
    int64_t now, struct handout_result *out, struct err *e)
{
	struct judging j = { .d = d,
		.trust = t,
		.shelf = shelf,
		.handed = PKI_CERTS_NONE,
		.now = now,
		.until = now + (d->next_bootstrap_s > 0 ? (int64_t)d->next_bootstrap_s : SOON_S),
		.out = out,
		.e = e };
	struct lwm2m_span all = lwm2m_tree_under(&d->tree, lwm2m_path1(LWM2M_SECURITY)), sub;
	struct lwm2m_path inst;
	enum err_code rc = ERR_OK;

	for (size_t at = 0;
	     rc == ERR_OK && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		rc = collect(&j, inst);
	for (size_t at = 0;
	     rc == ERR_OK && lwm2m_span_next(&all, LWM2M_INSTANCE, &at, &inst, &sub);)
		rc = judge_account(&j, inst);
	pki_certs_clear(&j.handed);
	return rc;
}

void
handout_result_clear(struct handout_result *r)
{
	for (size_t i = 0; i < r->n_paths; i++) {
		free(r->paths[i].trust);
		pki_certs_clear(&r->paths[i].certs);
	}
	free(r->paths);
	gbuf_clear(&r->verdicts);
	*r = (struct handout_result){ 0 };
}
