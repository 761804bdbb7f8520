/* Accounts with certificates or raw public keys: what goes to 0/x/3, 4 and 5, and whether it fits.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "pki/cert.h"
#include "pki/identity.h"
#include "pki/key.h"
#include "pki/pin.h"
#include "profiles/lower_account.h"
#include "profiles/material.h"

#define SOON_S                                                                                     \
	INT64_C(2592000) /* 30 days: what ends within is pointed out when nothing is said          \
	                  */

/* One account, and what is known of it so far. */
struct pair {
	struct lower *l;
	const struct laccount *a;
	bool rpk;
	const struct pnode *key, *identity, *server;
	int64_t usage, matching;                     /* -1: not known */
	struct secret private_half, own, server_key; /* public keys; empty: not known */
};

static bool
is_word(const struct pnode *n, const char *word)
{
	return n != NULL && n->type == PN_STRING && strcmp(n->s, word) == 0;
}

static struct pki_blob
blob_of(const struct secret *s)
{
	return (struct pki_blob){ s->data, s->len };
}

/* A number or word of /0/x/rid; what is wrong with it is found where it is written. */
static int64_t
number_of(const struct pair *p, const char *name, int rid, int64_t otherwise)
{
	const struct pnode *n = account_get(p->a, name);
	int64_t v = -1;

	if (n == NULL)
		return otherwise;
	if (n->type == PN_INT && n->i >= 0 && n->i <= 3)
		return n->i;
	if (!n->open && n->type == PN_STRING && !pword_find(pwords(LWM2M_SECURITY, rid), n->s, &v))
		return -1;
	return v;
}

static void
no_memory(struct pair *p)
{
	p->l->rc = err_no_memory(p->l->e);
}

static void
note_key(struct pair *p, struct secret *to, struct pki_blob spki)
{
	if (secret_set(to, spki.p, spki.n, NULL) != ERR_OK)
		no_memory(p);
}

static void
put(struct pair *p, uint16_t rid, const void *data, size_t n, const struct pnode *node)
{
	struct secret s = SECRET_NONE;

	if (secret_set(&s, data, n, NULL) != ERR_OK)
		no_memory(p);
	else
		account_put(p->l, p->a, rid, &s, node);
}

static void
put_empty(struct pair *p, uint16_t rid, const struct pnode *n)
{
	if (rid != 4)
		finding_add(p->l->f, RULE_EMPTY_CREDENTIALS, n, "resource %u is written empty",
		    (unsigned)rid);
	put(p, rid, NULL, 0, n);
}

/* ---- dates, purposes ---- */

static void
check_dates(const struct pair *p, const struct pki_cert *c, const struct pnode *n)
{
	int64_t now = p->l->keys != NULL ? p->l->keys->now : 0, next = p->l->d.next_bootstrap_s;
	char from[CLOCK_RFC3339_LEN + 1], to[CLOCK_RFC3339_LEN + 1];

	if (now == 0)
		return;
	clock_rfc3339(c->not_before * 1000, from);
	clock_rfc3339(c->not_after * 1000, to);
	if (c->not_after < now)
		finding_add(p->l->f, RULE_EXPIRED, n, "the certificate has expired: on %.10s", to);
	else if (c->not_before > now)
		finding_add(p->l->f, RULE_EXPIRES, n,
		    "the certificate is not valid yet: from %.10s on", from);
	else if (c->not_after < now + (next > 0 ? next : SOON_S))
		finding_add(p->l->f, RULE_EXPIRES, n, "the certificate expires on %.10s, %s", to,
		    next > 0 ? "before the device is expected again (bootstrap.next_bootstrap)"
		             : "within 30 days");
}

static void
check_purpose(const struct pair *p, const struct pki_cert *c, unsigned eku, const struct pnode *n)
{
	if ((c->has & PKI_EXT_KEY_USAGE) != 0 &&
	    (c->key_usage & (PKI_KU_DIGITAL_SIGNATURE | PKI_KU_KEY_AGREEMENT)) == 0)
		finding_add(p->l->f, RULE_CERT_PURPOSE, n,
		    "its key usage has neither digitalSignature nor keyAgreement");
	else if ((c->has & PKI_EXT_EKU) != 0 && (c->eku & (eku | PKI_EKU_ANY)) == 0)
		finding_add(p->l->f, RULE_CERT_PURPOSE, n, "its extended key usage has no %sAuth",
		    eku == PKI_EKU_CLIENT_AUTH ? "client" : "server");
}

/* ---- 0/x/5 ---- */

static void
read_private(struct pair *p)
{
	struct secret raw = SECRET_NONE, pkcs8 = SECRET_NONE;
	struct err e = { 0 };

	if (p->key == NULL) {
		account_missing(p->l, p->a, "key");
		return;
	}
	if (is_word(p->key, "keep"))
		return;
	if (is_word(p->key, "empty")) {
		put_empty(p, 5, p->key);
		return;
	}
	if (pnode_get(p->key, "generate") != NULL) {
		finding_add(p->l->f, RULE_KEY_MATERIAL, p->key,
		    "generate makes octets for a pre-shared key, no key pair");
		return;
	}
	account_key_for_all(p->l, p->key);
	if (material_read(p->l, p->key, false, &raw) != MATERIAL_OK)
		return;
	if (pki_key_read(raw.data, raw.len, &pkcs8, &p->private_half, &e) == ERR_OK)
		account_put(p->l, p->a, 5, &pkcs8, p->key);
	else
		finding_add(p->l->f, RULE_KEY_MATERIAL, p->key, "%s", e.msg);
	secret_clear(&raw);
}

/* ---- 0/x/3 ---- */

static void
take_own_certificate(struct pair *p, const struct secret *raw)
{
	struct pki_cert *c = NULL;
	struct err e = { 0 };

	if (pki_cert_parse(raw->data, raw->len, &c, &e) != ERR_OK) {
		finding_add(p->l->f, RULE_KEY_MATERIAL, p->identity,
		    "%zu octets that are no certificate: %s", raw->len, e.msg);
		return;
	}
	if (c->is_ca)
		finding_add(
		    p->l->f, RULE_CERT_PURPOSE, p->identity, "a CA's certificate is no device's");
	else
		check_purpose(p, c, PKI_EKU_CLIENT_AUTH, p->identity);
	check_dates(p, c, p->identity);
	note_key(p, &p->own, c->spki.der);
	put(p, 3, raw->data, raw->len, p->identity);
	pki_cert_unref(c);
}

/* A raw public key, or that of a certificate. */
static bool
raw_key(const struct secret *raw, struct secret *out, struct err *e)
{
	struct pki_cert *c = NULL;
	struct pki_spki key;
	struct pki_blob der = blob_of(raw);
	enum err_code rc;

	if (pki_cert_parse(raw->data, raw->len, &c, NULL) == ERR_OK)
		der = c->spki.der;
	rc = pki_spki_parse(der, &key, e);
	if (rc == ERR_OK)
		rc = pki_spki_check(&key, e);
	if (rc == ERR_OK)
		rc = secret_set(out, der.p, der.n, e);
	pki_cert_unref(c);
	return rc == ERR_OK;
}

static void
take_own_raw_key(struct pair *p, const struct secret *raw)
{
	struct err e = { 0 };

	if (raw_key(raw, &p->own, &e))
		put(p, 3, p->own.data, p->own.len, p->identity);
	else
		finding_add(p->l->f, RULE_KEY_MATERIAL, p->identity,
		    "%zu octets that are no public key: %s", raw->len, e.msg);
}

/* Nothing is said of 0/x/3: it goes with the private key. */
static void
own_by_default(struct pair *p)
{
	if (is_word(p->key, "keep"))
		return;
	if (is_word(p->key, "empty"))
		put_empty(p, 3, p->key);
	else if (p->rpk && p->private_half.len > 0)
		put(p, 3, p->private_half.data, p->private_half.len, p->key);
	else if (!p->rpk || p->key == NULL)
		account_missing(p->l, p->a, "identity");
}

static void
read_own(struct pair *p)
{
	struct secret raw = SECRET_NONE;

	if (p->identity == NULL) {
		own_by_default(p);
		return;
	}
	if (is_word(p->identity, "keep")) {
		if (!is_word(p->key, "keep"))
			finding_add(p->l->f, RULE_KEY_MATERIAL, p->identity,
			    "the certificate or public key is kept only with its private key "
			    "(\"key\": \"keep\")");
		return;
	}
	if (is_word(p->identity, "empty")) {
		put_empty(p, 3, p->identity);
		return;
	}
	if (material_read(p->l, p->identity, false, &raw) != MATERIAL_OK)
		return;
	if (p->rpk)
		take_own_raw_key(p, &raw);
	else
		take_own_certificate(p, &raw);
	secret_clear(&raw);
	if (p->own.len > 0 && p->private_half.len > 0 && !secret_equal(&p->own, &p->private_half))
		finding_add(p->l->f, RULE_KEY_PAIR, p->key,
		    "the private key is not that of the %s in \"identity\"",
		    p->rpk ? "public key" : "certificate");
}

/* Left to the device: the rest of the account is then written Resource by Resource. */
static void
note_kept(struct pair *p)
{
	struct lwm2m_path key = lwm2m_path3(LWM2M_SECURITY, p->a->iid, 5), own = key;
	bool both = p->identity == NULL || is_word(p->identity, "keep");

	if (!is_word(p->key, "keep"))
		return;
	finding_add(p->l->f, RULE_KEPT_KEY, p->key, "resource%s 5 stay%s as the device has it%s",
	    both ? "s 3 and" : "", both ? "" : "s",
	    p->rpk || both ? "" : "; the certificate must be that of the key in the device");
	own.id[2] = 3;
	p->l->rc = both ? profile_desired_keep(&p->l->d, own, p->l->e) : ERR_OK;
	if (p->l->rc == ERR_OK)
		p->l->rc = profile_desired_keep(&p->l->d, key, p->l->e);
}

/* ---- 0/x/4 ---- */

static void
check_server_name(const struct pair *p, const struct pki_cert *c)
{
	const struct pnode *sni = account_get(p->a, "sni");
	char name[PROFILE_HOST_MAX + 8];
	struct err e = { 0 };

	if (sni != NULL && (sni->open || sni->type != PN_STRING))
		return;
	if (sni != NULL)
		(void)snprintf(name, sizeof name, "dns:%s", sni->s);
	else if (p->a->uri == NULL || p->a->uri->type != PN_STRING ||
	         !puri_name(p->a->uri->s, name, sizeof name))
		return;
	if (pki_name_match(c, name, true, &e) == ERR_OK)
		return;
	if (p->usage == PKI_USAGE_SERVICE_CERT)
		finding_add(p->l->f, RULE_SERVER_NAME, p->server, "%s", e.msg);
	else
		finding_add(p->l->f, RULE_OTHER_NAME, p->server, "%s", e.msg);
}

static void
check_usage(struct pair *p, const struct pki_cert *c)
{
	bool pins_ca = p->usage == PKI_USAGE_CA_CONSTRAINT || p->usage == PKI_USAGE_TRUST_ANCHOR;

	if (p->usage < 0)
		return;
	if (pins_ca && !c->is_ca) {
		finding_add(p->l->f, RULE_CERT_USAGE, p->server,
		    "certificate_usage %d (%s) wants a CA, and this certificate is none",
		    (int)p->usage, pki_usage_name((enum pki_usage)p->usage));
		return;
	}
	if (!pins_ca && c->is_ca)
		finding_add(p->l->f, RULE_CA_AS_SERVER, p->server,
		    "certificate_usage %d (%s) wants the server's own certificate, and this is a "
		    "CA's",
		    (int)p->usage, pki_usage_name((enum pki_usage)p->usage));
	if (!pins_ca && !c->is_ca) {
		check_purpose(p, c, PKI_EKU_SERVER_AUTH, p->server);
		check_server_name(p, c);
		if (c->must_staple)
			finding_add(p->l->f, RULE_MUST_STAPLE, p->server,
			    "the certificate promises a stapled status in every handshake (TLS "
			    "feature "
			    "status_request): a device that holds to it refuses the server "
			    "without");
	}
}

static void
warn_digest(const struct pair *p)
{
	if (!p->rpk && p->matching > PKI_MATCH_EXACT &&
	    (p->usage == PKI_USAGE_CA_CONSTRAINT || p->usage == PKI_USAGE_TRUST_ANCHOR))
		finding_add(p->l->f, RULE_DIGEST_CA, p->server,
		    "the digest of a CA: the server must send that CA's certificate itself");
}

/* The bytes themselves or their digest to 0/x/4; what the digest is of is kept beside it. */
static void
put_pin(struct pair *p, struct pki_blob bytes)
{
	uint8_t digest[PKI_DIGEST_MAX];
	size_t n = 0;
	struct lwm2m_path path = lwm2m_path3(LWM2M_SECURITY, p->a->iid, 4);
	struct lwm2m_value v;

	if (p->matching < 0)
		return;
	if (p->matching == PKI_MATCH_EXACT) {
		put(p, 4, bytes.p, bytes.n, p->server);
		return;
	}
	if (pki_pin_digest((enum pki_matching)p->matching, bytes, digest, &n, p->l->e) != ERR_OK) {
		p->l->rc = p->l->e->code;
		return;
	}
	put(p, 4, digest, n, p->server);
	if (p->l->rc == ERR_OK)
		p->l->rc = lwm2m_value_bytes(&v, LWM2M_OPAQUE, bytes.p, bytes.n, p->l->e);
	if (p->l->rc == ERR_OK)
		p->l->rc = lwm2m_tree_add(&p->l->d.digested, path, &v, p->l->e);
}

/* Octets that are no certificate or key: a digest, or a mistake. */
static void
take_digest(struct pair *p, const struct secret *raw, const char *why)
{
	struct pki_pin pin = { .matching = (enum pki_matching)p->matching, .value = blob_of(raw) };
	struct err e = { 0 };

	if (p->matching < 0)
		return;
	if (p->matching == PKI_MATCH_EXACT)
		finding_add(p->l->f, RULE_KEY_MATERIAL, p->server, "%zu octets that are no %s: %s",
		    raw->len, p->rpk ? "public key" : "certificate", why);
	else if (pki_pin_check_rpk(pin.matching, pin.value, &e) != ERR_OK)
		finding_add(p->l->f, RULE_KEY_MATERIAL, p->server, "%s", e.msg);
	else
		put(p, 4, raw->data, raw->len, p->server);
}

static void
take_server_certificate(struct pair *p, const struct secret *raw)
{
	struct pki_cert *c = NULL;
	struct err e = { 0 };

	warn_digest(p);
	if (pki_cert_parse(raw->data, raw->len, &c, &e) != ERR_OK) {
		take_digest(p, raw, e.msg);
		return;
	}
	check_usage(p, c);
	check_dates(p, c, p->server);
	note_key(p, &p->server_key, c->spki.der);
	put_pin(p, c->der);
	pki_cert_unref(c);
}

static void
read_server(struct pair *p)
{
	struct secret raw = SECRET_NONE;
	struct err e = { 0 };

	if (p->server == NULL) {
		account_missing(p->l, p->a, "server_public_key");
		return;
	}
	if (is_word(p->server, "empty")) {
		put_empty(p, 4, p->server); /* and that is refused, see check.c */
		return;
	}
	if (material_read(p->l, p->server, false, &raw) != MATERIAL_OK)
		return;
	if (!p->rpk)
		take_server_certificate(p, &raw);
	else if (raw_key(&raw, &p->server_key, &e))
		put_pin(p, blob_of(&p->server_key));
	else
		take_digest(p, &raw, e.msg);
	secret_clear(&raw);
	if (p->server_key.len > 0 && (secret_equal(&p->server_key, &p->own) ||
	                                 secret_equal(&p->server_key, &p->private_half)))
		finding_add(p->l->f, RULE_SAME_KEY, p->server,
		    "the device's own key pair again: whoever has it is the server too");
}

void
lower_pair(struct lower *l, const struct laccount *a)
{
	struct pair p = { .l = l,
		.a = a,
		.rpk = a->mode == PROFILE_RPK,
		.key = account_get(a, "key"),
		.identity = account_get(a, "identity"),
		.server = account_get(a, "server_public_key") };

	p.usage = number_of(&p, "certificate_usage", 15, PKI_USAGE_DEFAULT);
	p.matching = number_of(&p, "matching_type", 13, PKI_MATCH_EXACT);
	read_private(&p);
	if (l->rc == ERR_OK)
		read_own(&p);
	if (l->rc == ERR_OK)
		note_kept(&p);
	if (l->rc == ERR_OK)
		read_server(&p);
	secret_clear(&p.private_half);
	secret_clear(&p.own);
	secret_clear(&p.server_key);
}
