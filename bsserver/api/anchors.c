/* Trust anchors: which there are, who came under them, who was given them; certificates that were
 * given. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bsserver/api/internal.h"
#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"

/* A change that is under way. */
struct changing {
	struct req *r;
	struct store_change c;
	struct store_actor who;
	struct store_anchor a;
	char *sha256;
};

static void
changing_free(void *arg)
{
	struct changing *ch = arg;

	store_anchor_clear(&ch->a);
	free(ch->sha256);
	free(ch);
}

static struct changing *
changing_new(struct req *r, enum store_op op)
{
	struct changing *ch = calloc(1, sizeof *ch);

	if (ch == NULL) {
		answer_fail(r, 0, ERR_NO_MEMORY, "out of memory");
		return NULL;
	}
	ch->r = r;
	ch->who = req_actor(r);
	ch->c = (struct store_change){ .op = op, .anchor = &ch->a };
	r->state = ch;
	r->state_free = changing_free;
	return ch;
}

static const struct trust *
trust_of(const struct req *r)
{
	const struct api_conf *c = &r->api->c;

	return c->trust == NULL ? NULL : c->trust(c->arg);
}

static void
hex_of(const struct pki_cert *c, char out[2 * PKI_SHA256_LEN + 1])
{
	struct gbuf hex = { .max = 2 * PKI_SHA256_LEN + 1 };

	enc_hex(&hex, c->fingerprint, sizeof c->fingerprint);
	memcpy(out, gbuf_cstr(&hex), 2 * PKI_SHA256_LEN + 1);
	gbuf_clear(&hex);
}

static const struct pki_cert *
among(const struct pki_certs *cs, const char *sha256)
{
	char hex[2 * PKI_SHA256_LEN + 1];

	for (size_t i = 0; i < cs->n; i++) {
		hex_of(cs->v[i], hex);
		if (strcmp(hex, sha256) == 0)
			return cs->v[i];
	}
	return NULL;
}

/* In which trust an anchor is, by its file or by the store. NULL: in none. */
static const struct pki_cert *
find_anchor(const struct trust *t, const char *sha256, struct trust_view *v, bool *of_file)
{
	const struct pki_cert *c = NULL;

	for (size_t i = 0; c == NULL && t != NULL && trust_at(t, i, v); i++) {
		c = among(v->of_file, sha256);
		*of_file = c != NULL;
		if (c == NULL)
			c = among(v->anchors, sha256);
	}
	return c;
}

/* ---- GET /v1/anchors ---- */

static void
put_certificate(json_t *j, const struct pki_cert *c)
{
	struct gbuf subject = { .max = 1024 };

	pki_dn_text(&subject, c->subject);
	json_put(j, "subject", json_text(gbuf_cstr(&subject)));
	json_put(j, "not_after", json_when(c->not_after * 1000));
	gbuf_clear(&subject);
}

static const char *
state_of(const struct store_anchor *a, const struct trust *t, const struct trust_view *v)
{
	if (a->retired)
		return "retired";
	if (v != NULL && among(v->anchors, a->sha256) != NULL)
		return "active";
	(void)t;
	return a->trust != NULL ? "idle" : "given";
}

static json_t *
json_of_anchor(const struct trust *t, const struct store_anchor *a)
{
	struct trust_view v = { .name = NULL };
	struct pki_cert *parsed = NULL;
	bool of_file = false;
	const struct pki_cert *c = find_anchor(t, a->sha256, &v, &of_file);
	bool known = c != NULL;
	json_t *j = json_object();

	json_put(j, "sha256", json_text(a->sha256));
	if (c == NULL && a->der.len > 0 &&
	    pki_cert_parse(a->der.data, a->der.len, &parsed, NULL) == ERR_OK)
		c = parsed;
	if (c != NULL) {
		put_certificate(j, c);
	} else {
		json_put(j, "subject", json_text(a->subject));
		json_put(j, "not_after", json_when(a->not_after * 1000));
	}
	pki_cert_unref(parsed);
	json_put(j, "trust", json_text(known ? v.name : a->trust));
	json_put(j, "for", known ? json_text(v.servers ? "servers" : "devices") : json_null());
	json_put(j, "state", json_text(state_of(a, t, known ? &v : NULL)));
	json_put(j, "from", json_text(of_file ? "file" : a->trust != NULL ? "store" : NULL));
	json_put(j, "since", json_when(a->at_ms));
	json_put(j, "actor", json_text(a->actor));
	json_put(j, "under", json_u64(a->under));
	json_put(j, "given", json_u64(a->given));
	return j;
}

static bool
is_listed(const struct store_anchor *v, size_t n, const char *sha256)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].sha256, sha256) == 0)
			return true;
	return false;
}

/* Those of files of which the store knows nothing. */
static void
add_of_files(json_t *list, const struct trust *t, const struct store_anchor *v, size_t n)
{
	struct trust_view view;

	for (size_t i = 0; t != NULL && trust_at(t, i, &view); i++)
		for (size_t k = 0; k < view.of_file->n; k++) {
			char hex[2 * PKI_SHA256_LEN + 1];
			const struct store_anchor a = { .sha256 = hex };

			hex_of(view.of_file->v[k], hex);
			if (!is_listed(v, n, hex))
				(void)json_array_append_new(list, json_of_anchor(t, &a));
		}
}

static void
on_anchors(
    void *arg, enum err_code rc, const struct err *e, struct store_anchor *v, size_t n, bool more)
{
	struct req *r = arg;
	const struct trust *t = trust_of(r);
	json_t *j, *list;

	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	j = json_object();
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_of_anchor(t, &v[i]));
	add_of_files(list, t, v, n);
	json_put(j, "anchors", list);
	json_put(j, "complete", json_boolean(!more));
	answer_json(r, 200, j);
}

void
get_anchors(struct req *r)
{
	r->api->c.ops->anchor_list(r->api->c.store, on_anchors, r);
}

/* ---- changes ---- */

static void
on_changed(void *arg, enum err_code rc, const struct err *e, size_t failed_at,
    const struct store_result *v, size_t n)
{
	struct changing *ch = arg;
	json_t *j;

	(void)failed_at;
	if (rc != ERR_OK || n == 0) {
		answer_err(ch->r, 0, e);
		return;
	}
	j = json_object();
	json_put(j, "sha256", json_text(ch->sha256));
	json_put(j, "trust", json_text(ch->a.trust));
	json_put(j, "state", json_text(ch->c.op == STORE_PUT_ANCHOR ? "active" : "retired"));
	json_put(j, "result", json_text(v[0].kind == STORE_UNCHANGED ? "unchanged" : "changed"));
	json_put(j, "seq", json_u64(v[0].revision));
	answer_json(ch->r, 200, j);
}

static void
submit(struct changing *ch)
{
	const struct api_conf *c = &ch->r->api->c;

	ch->c.name = ch->sha256;
	if (ch->sha256 == NULL || ch->a.trust == NULL || ch->a.der.len == 0)
		answer_fail(ch->r, 0, ERR_NO_MEMORY, "out of memory");
	else
		c->ops->apply(c->store, &ch->who, &ch->c, 1, on_changed, ch);
}

static void
take_certificate(struct changing *ch, const struct pki_cert *c, const char *trust)
{
	char hex[2 * PKI_SHA256_LEN + 1];

	hex_of(c, hex);
	ch->sha256 = str_dup_n(hex, strlen(hex));
	ch->a.trust = str_dup_n(trust, strlen(trust));
	(void)secret_set(&ch->a.der, c->der.p, c->der.n, NULL); /* submit() sees when it failed */
}

/* What is trusted from now on must be fit for it. */
static enum err_code
check_anchor(const struct trust *t, const char *trust, const struct pki_cert *c, struct err *e)
{
	char hex[2 * PKI_SHA256_LEN + 1];
	struct trust_view v, of;
	bool of_file = false;
	int64_t now = clock_wall_ms() / 1000;

	if (t == NULL || !trust_named(t, trust, &v))
		return err_set(e, ERR_INVALID, "/trust: the configuration has no trust %s", trust);
	hex_of(c, hex);
	if (find_anchor(t, hex, &of, &of_file) != NULL && of_file && strcmp(of.name, trust) != 0)
		return err_set(
		    e, ERR_CONFLICT, "/trust: the certificate is in the file of trust %s", of.name);
	if (!c->is_ca)
		return err_set(e, ERR_INVALID, "/certificate: it is no CA's");
	if (c->not_after < now || c->not_before > now)
		return err_set(e, ERR_INVALID, "/certificate: %s",
		    pki_reason_sentence(c->not_after < now ? PKI_R_EXPIRED : PKI_R_NOT_YET_VALID));
	if (pki_cert_self_issued(c) && !pki_sig_verify(&c->spki, c->sig_kind, c->tbs, c->signature))
		return err_set(
		    e, ERR_INVALID, "/certificate: %s", pki_reason_sentence(PKI_R_BAD_SIGNATURE));
	return ERR_OK;
}

enum err_code
read_certificate(const json_t *j, struct pki_cert **out, struct err *e)
{
	struct secret der = SECRET_NONE;

	if (!json_is_string(j))
		return err_set(e, ERR_INVALID, "/certificate: must be DER in base64");
	enum err_code rc = dec_base64(json_string_value(j), json_string_length(j), &der, e);

	if (rc == ERR_OK)
		rc = pki_cert_parse(der.data, der.len, out, e);
	secret_clear(&der);
	return rc == ERR_OK ? rc : err_wrap(e, "/certificate");
}

void
post_anchor(struct req *r)
{
	json_t *j = req_json(r);
	const json_t *trust = json_object_get(j, "trust"),
	             *cert = json_object_get(j, "certificate");
	struct pki_cert *c = NULL;
	struct changing *ch;
	struct err e;

	if (j == NULL)
		return;
	if (!req_members(r, j, "trust certificate"))
		;
	else if (!json_is_string(trust) || !json_is_string(cert))
		answer_fail(
		    r, 0, ERR_INVALID, "trust and certificate (DER in base64) must be given");
	else if (read_certificate(cert, &c, &e) != ERR_OK ||
	         check_anchor(trust_of(r), json_string_value(trust), c, &e) != ERR_OK)
		answer_err(r, 0, &e);
	else if ((ch = changing_new(r, STORE_PUT_ANCHOR)) != NULL) {
		take_certificate(ch, c, json_string_value(trust));
		submit(ch);
	}
	pki_cert_unref(c);
	json_decref(j);
}

/* One that only the store knows: it was retired before, or its trust is not configured any more. */
static void
on_stored(
    void *arg, enum err_code rc, const struct err *e, struct store_anchor *v, size_t n, bool more)
{
	struct changing *ch = arg;
	struct pki_cert *c = NULL;

	(void)more;
	if (rc != ERR_OK) {
		answer_err(ch->r, 0, e);
		return;
	}
	for (size_t i = 0; i < n && c == NULL; i++)
		if (v[i].der.len > 0 && strcmp(v[i].sha256, req_arg(ch->r, 0)) == 0 &&
		    pki_cert_parse(v[i].der.data, v[i].der.len, &c, NULL) == ERR_OK)
			take_certificate(ch, c, v[i].trust);
	if (c == NULL)
		answer_fail(ch->r, 0, ERR_NOT_FOUND,
		    "no trust has an anchor of that SHA-256; what devices were only given goes "
		    "with their profiles");
	else if (req_alive(ch->r))
		submit(ch);
	pki_cert_unref(c);
}

void
post_anchor_retire(struct req *r)
{
	json_t *j = req_json(r);
	const json_t *force = json_object_get(j, "force");
	const struct pki_cert *c;
	struct changing *ch = NULL;
	struct trust_view v;
	bool of_file, forced = json_is_true(force);

	if (j == NULL)
		return;
	if (!req_members(r, j, "force"))
		;
	else if (force != NULL && !json_is_boolean(force))
		answer_fail(r, 0, ERR_INVALID, "/force: must be true or false");
	else
		ch = changing_new(r, STORE_RETIRE_ANCHOR);
	json_decref(j);
	if (ch == NULL)
		return;
	ch->c.force = forced;
	c = find_anchor(trust_of(r), req_arg(r, 0), &v, &of_file);
	if (c != NULL) {
		take_certificate(ch, c, v.name);
		submit(ch);
	} else {
		r->api->c.ops->anchor_list(r->api->c.store, on_stored, ch);
	}
}

/* ---- GET /v1/certificates ---- */

/* What was issued has no place in a device, but a serial number and an issuer. */
static void
put_place(json_t *j, const struct store_given *g)
{
	const char *path = g->path == NULL || g->path[0] == '\0' ? NULL : g->path;
	bool issued = strcmp(g->kind, "issued") == 0;
	const char *by = issued && path != NULL ? strstr(path, STORE_ISSUED_BY) : NULL;

	json_put(j, "path", issued || path == NULL ? json_null() : json_text(path));
	if (by != NULL) {
		json_put(j, "serial", json_stringn(path, (size_t)(by - path)));
		json_put(j, "issuer", json_text(by + strlen(STORE_ISSUED_BY)));
	}
}

static json_t *
json_of_given(const struct store_given *g)
{
	json_t *j = json_object();

	json_put(j, "endpoint", json_text(g->endpoint));
	json_put(j, "kind", json_text(g->kind));
	put_place(j, g);
	json_put(j, "sha256",
	    g->sha256 == NULL || g->sha256[0] == '\0' ? json_null() : json_text(g->sha256));
	json_put(j, "subject", json_text(g->subject));
	json_put(j, "not_after", json_when(g->not_after * 1000));
	json_put(j, "session", g->session == 0 ? json_null() : json_u64(g->session));
	json_put(j, "at", json_when(g->at_ms));
	return j;
}

static void
on_given(
    void *arg, enum err_code rc, const struct err *e, struct store_given *v, size_t n, bool more)
{
	struct req *r = arg;
	json_t *list;

	if (rc != ERR_OK) {
		answer_err(r, 0, e);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_of_given(&v[i]));
	answer_page(r, "certificates", list, "after",
	    more && n > 0 ? json_sprintf("%llu", (unsigned long long)v[n - 1].id) : NULL);
}

void
get_certificates(struct req *r)
{
	struct store_page page = { .anchor = req_param(r, "anchor"), .verdict = -1 };
	uint64_t limit, until;

	if (!req_u64(r, "limit", 1, 1000, 100, &limit) ||
	    !req_u64(r, "until", 1, INT64_MAX, 0, &until) ||
	    !req_u64(r, "after", 1, INT64_MAX, 0, &page.after_id))
		return;
	page.limit = (unsigned)limit;
	page.until_s = (int64_t)until;
	r->api->c.ops->given_list(r->api->c.store, &page, on_given, r);
}
