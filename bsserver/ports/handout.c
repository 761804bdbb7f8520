/* What is handed out is judged before it is written: chain, name, dates, usage. */
#include "bsserver/ports/handout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/ports/internal.h"
#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "pki/chain.h"
#include "pki/identity.h"
#include "profiles/uri.h"

#define SOON_S INT64_C(2592000) /* 30 days, when the profile does not say when it comes again */
#define MODE_RPK 1
#define MODE_X509 2

struct judging {
	const struct profile_desired *d;
	const struct pki_certs *known;
	const struct shelf *shelf;
	struct pki_certs handed; /* CAs of this very configuration */
	int64_t now, until;
	struct gbuf *verdicts;
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
	gbuf_printf(j->verdicts, "%s%s: %s", j->verdicts->len > 0 ? "\n" : "",
	    lwm2m_path_str(a->inst).s, what);
}

static enum err_code
judge_dates(
    const struct judging *j, const struct account *a, uint16_t rid, const struct pki_cert *c)
{
	char when[CLOCK_RFC3339_LEN + 1], text[96];
	bool late = c->not_after<j->now, early = c->not_before> j->now;

	clock_rfc3339((early ? c->not_before : c->not_after) * 1000, when);
	(void)snprintf(text, sizeof text, "%s: %s %.19sZ",
	    pki_reason_sentence(late ? PKI_R_EXPIRED : PKI_R_NOT_YET_VALID), late ? "on" : "before",
	    when);
	if (late || early)
		return refuse(j, a, rid, text);
	(void)snprintf(text, sizeof text, "resource %u is valid until %.10s%s", (unsigned)rid, when,
	    c->not_after < j->until ? ", which is before the device is expected again" : "");
	say(j, a, text);
	return ERR_OK;
}

static enum err_code
judge_revoked(const struct judging *j, const struct account *a, uint16_t rid, const struct pki_cert *c)
{
	struct gbuf hex = { 0 }, text = { .max = 512 };
	enum err_code rc = ERR_OK;

	enc_hex(&hex, c->fingerprint, sizeof c->fingerprint);
	const char *why = j->shelf == NULL || hex.failed ? NULL : shelf_revoked(j->shelf, gbuf_cstr(&hex));
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
judge_alive(const struct judging *j, const struct account *a, uint16_t rid, const struct pki_cert *c)
{
	enum err_code rc = judge_revoked(j, a, rid, c);

	return rc == ERR_OK ? judge_dates(j, a, rid, c) : rc;
}

/* A certificate that says of itself that it may issue certificates, and signed itself if it says
 * so. */
static enum err_code
judge_anchor(const struct judging *j, const struct account *a, const struct pki_cert *c)
{
	struct pki_policy po;

	pki_policy_default(&po);
	if ((c->has & PKI_EXT_KEY_USAGE) != 0 && (c->key_usage & PKI_KU_CERT_SIGN) == 0)
		return refuse(j, a, 4, "the CA's key usage has no keyCertSign");
	if ((c->spki.kind & po.keys) == 0 ||
	    (c->spki.kind == PKI_KEY_RSA && c->spki.size < po.rsa_bits))
		return refuse(j, a, 4, pki_reason_sentence(PKI_R_WEAK_ALGORITHM));
	if (pki_cert_self_issued(c) && !pki_sig_verify(&c->spki, c->sig_kind, c->tbs, c->signature))
		return refuse(j, a, 4, pki_reason_sentence(PKI_R_BAD_SIGNATURE));
	return ERR_OK;
}

/* The chain to any CA that is known. Nobody known is no fault: the device has CAs of its own. */
static enum err_code
judge_chain(const struct judging *j, const struct account *a, const struct pki_cert *c)
{
	struct pki_certs chain = PKI_CERTS_NONE;
	struct pki_verdict v = { .reason = PKI_R_UNKNOWN_CA };
	struct pki_policy po;
	struct pki_request rq = { .chain = &chain, .purpose = PKI_PURPOSE_SERVER, .now = j->now };
	struct gbuf text = { 0 };
	enum err_code rc = pki_certs_add(&chain, c, j->e);
	const struct pki_certs *pools[] = { &j->handed, j->known };

	pki_policy_default(&po);
	po.allow_cn = true;
	po.relaxed = true; /* it is the devices that trust it */
	for (size_t i = 0; rc == ERR_OK && i < N_ELEMS(pools) && v.reason == PKI_R_UNKNOWN_CA;
	     i++) {
		rq.anchors = pools[i];
		if (pools[i] == NULL || pools[i]->n == 0)
			continue;
		pki_verdict_clear(&v);
		pki_verify(&rq, &po, &v);
	}
	pki_verdict_text(&text, &v);
	if (rc == ERR_OK && v.reason == PKI_OK)
		say(j, a, "the server's certificate has a good chain");
	else if (rc == ERR_OK && v.reason == PKI_R_UNKNOWN_CA)
		say(j, a,
		    "the issuer of the server's certificate is not known here: no chain judged");
	else if (rc == ERR_OK)
		rc = refuse(j, a, 4, gbuf_cstr(&text));
	pki_verdict_clear(&v);
	pki_certs_clear(&chain);
	gbuf_clear(&text);
	return rc;
}

static enum err_code
judge_server(const struct judging *j, const struct account *a, const struct pki_cert *c)
{
	bool pins_ca =
	    a->pin.usage == PKI_USAGE_CA_CONSTRAINT || a->pin.usage == PKI_USAGE_TRUST_ANCHOR;
	struct err why = { 0 };

	if (pins_ca)
		return judge_anchor(j, a, c);
	if (a->name[0] != '\0' && pki_name_match(c, a->name, true, &why) != ERR_OK) {
		if (a->pin.usage == PKI_USAGE_SERVICE_CERT)
			return refuse(j, a, 4, why.msg);
		say(j, a, why.msg);
	}
	return c->is_ca || pki_cert_self_issued(c) ? ERR_OK : judge_chain(j, a, c);
}

/* The certificate behind 0/x/4, where it is known: itself, or what its digest is of. */
static struct pki_cert *
pinned(const struct judging *j, struct lwm2m_path inst)
{
	const struct lwm2m_value *v = value_at(&j->d->digested, inst, 4);
	struct pki_cert *c = NULL;

	if (v == NULL)
		v = value_at(&j->d->tree, inst, 4);
	if (v != NULL)
		(void)pki_cert_parse(v->bytes.data, v->bytes.len, &c, NULL);
	return c;
}

static enum err_code
judge_x509(const struct judging *j, const struct account *a)
{
	const struct lwm2m_value *own = value_at(&j->d->tree, a->inst, 3);
	struct pki_cert *c = NULL;
	unsigned warnings;
	struct err why = { 0 };
	enum err_code rc = ERR_OK;

	if (pki_pin_check(&a->pin, j->now, j->until, &warnings, &why) != ERR_OK)
		return refuse(j, a, 4, why.msg);
	if (own != NULL && own->bytes.len > 0) {
		if (pki_cert_parse(own->bytes.data, own->bytes.len, &c, &why) != ERR_OK)
			return refuse(j, a, 3, why.msg);
		rc = judge_alive(j, a, 3, c);
		pki_cert_unref(c);
	}
	c = rc == ERR_OK ? pinned(j, a->inst) : NULL;
	if (c != NULL)
		rc = judge_alive(j, a, 4, c);
	else if (rc == ERR_OK)
		say(j, a, "what the digest in resource 4 is of is not known here");
	if (c != NULL && rc == ERR_OK)
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
	struct pki_cert *c = number_at(j, inst, 2, -1) == MODE_X509 ? pinned(j, inst) : NULL;
	enum err_code rc = c != NULL && c->is_ca ? pki_certs_add(&j->handed, c, j->e) : ERR_OK;

	pki_cert_unref(c);
	return rc;
}

enum err_code
handout_judge(const struct profile_desired *d, const struct pki_certs *known,
    const struct shelf *shelf, int64_t now, struct gbuf *verdicts, struct err *e)
{
	struct judging j = { .d = d,
		.known = known,
		.shelf = shelf,
		.handed = PKI_CERTS_NONE,
		.now = now,
		.until = now + (d->next_bootstrap_s > 0 ? (int64_t)d->next_bootstrap_s : SOON_S),
		.verdicts = verdicts,
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

/* ---- as the engine asks ---- */

struct inspection {
	struct ports *p;
	uint64_t session;
	enum err_code rc;
	struct gbuf verdicts;
	struct err e;
};

static void
deliver(void *arg)
{
	struct inspection *i = arg;
	struct bs_event ev = {
		.type = i->rc == ERR_OK ? BS_EV_INSPECTED : BS_EV_INSPECT_FAILED,
		.text = i->rc == ERR_OK ? gbuf_cstr(&i->verdicts) : i->e.msg,
	};

	i->p->c.deliver(i->p->c.arg, i->session, &ev);
	gbuf_clear(&i->verdicts);
	free(i);
}

void
ports_inspect(void *arg, uint64_t session, const struct bs_grant *g)
{
	struct ports *p = arg;
	struct inspection *i = calloc(1, sizeof *i);

	if (i == NULL)
		return; /* the session's deadline answers */
	i->p = p;
	i->session = session;
	i->rc = handout_judge(&g->desired, NULL, p->c.shelf, clock_wall_ms() / 1000, &i->verdicts, &i->e);
	loop_post(p->c.loop, deliver, i);
}
