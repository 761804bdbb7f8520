/*
 * pki ocsp: whether a certificate is revoked, by a response in a file or by its responder. 0: it is
 * good; 7: it is revoked; 1: nobody said anything that counts.
 */
#include <jansson.h>

#include "lib/base/crypt.h"
#include "lib/base/str.h"
#include "lwm2m-prov/client.h"
#include "lwm2m-prov/cmd_pki.h"
#include "lwm2m-prov/output.h"
#include "pki/ocsp.h"
#include "pki/pem.h"
#include "pki/url.h"

#define TIMEOUT_S 10

struct asking {
	struct cli *cli;
	struct pki_certs cert, issuer;
	struct pki_status_policy policy;
	int64_t now;
	struct pki_answer answer;
	char source[PKI_URL_MAX + 1]; /* file or URL */
	bool answered;                /* somebody did, whatever it was */
	enum err_code unanswered;     /* otherwise: why nobody did, the last of them */
};

/* clang-format off */
static const struct out_field fields[] = {
	{ "status", "status", OUT_PLAIN, NULL },
	{ "detail", "because", OUT_PLAIN, NULL },
	{ "revoked_at", "revoked", OUT_PLAIN, NULL },
	{ "revocation_reason", "reason", OUT_PLAIN, NULL },
	{ "this_update", "this update", OUT_PLAIN, NULL },
	{ "next_update", "next update", OUT_PLAIN, NULL },
	{ "source", "source", OUT_PLAIN, NULL },
};
/* clang-format on */

static enum err_code
read_max_age(const struct cli *cli, struct pki_status_policy *p, struct err *e)
{
	const char *text = cli_text(cli, OPT_MAX_AGE);
	uint64_t s = 0;

	if (text == NULL)
		return ERR_OK;
	if (strcmp(text, "none") != 0 &&
	    (!str_to_seconds(text, strlen(text), &s) || s > (uint64_t)INT32_MAX))
		return err_set(
		    e, ERR_USAGE, "--max-age: \"%.40s\" is neither a time like 7d nor none", text);
	bool any = strcmp(text, "none") == 0;
	p->max_age_s = p->max_age_open_s = any ? PKI_ANY_AGE : (int64_t)s;
	if (any)
		p->responder_life_s = PKI_ANY_AGE;
	return ERR_OK;
}

/* Right usage? Nothing is read yet. */
static enum err_code
read_options(struct asking *a, struct err *e)
{
	const char *url = cli_text(a->cli, OPT_URL);
	char host[PKI_HOST_MAX];
	struct err bad = { .code = ERR_OK };

	pki_status_policy_default(&a->policy);
	if (cli_has(a->cli, OPT_ALLOW_SHA1))
		pki_status_policy_allow_sha1(&a->policy);
	if (url != NULL && cli_has(a->cli, OPT_RESPONSE))
		return err_set(e, ERR_USAGE, "--url and --response: only one of them");
	if (url != NULL && pki_url_check((struct pki_blob){ (const uint8_t *)url, strlen(url) },
	                       host, &bad) != ERR_OK)
		return err_set(e, ERR_USAGE, "--url: %s", bad.msg);
	enum err_code rc = read_max_age(a->cli, &a->policy, e);
	return rc == ERR_OK ? pki_time(a->cli, &a->now, e) : rc;
}

/* Both can be read, and belong together; otherwise the answer says what is wrong. */
static bool
read_certs(struct asking *a)
{
	struct err e = { .code = ERR_OK };

	if (pki_certs_load(&a->cert, cli_text(a->cli, OPT_CERT), PKI_BUNDLE_CERTS, &e) != ERR_OK ||
	    pki_certs_load(&a->issuer, cli_text(a->cli, OPT_ISSUER), PKI_BUNDLE_CERTS, &e) !=
	        ERR_OK)
		return pki_answer_unusable(&a->answer, "%.190s", e.msg);
	const struct pki_cert *c = a->cert.v[0], *by = a->issuer.v[0];
	if (!pki_dn_equal(c->issuer, by->subject) ||
	    !pki_sig_verify(&by->spki, c->sig_kind, c->tbs, c->signature))
		return pki_answer_unusable(
		    &a->answer, "the certificate was not issued by the one that --issuer names");
	return true;
}

static void
judge(struct asking *a, struct pki_blob response, const uint8_t *nonce)
{
	pki_ocsp_evaluate(
	    response, a->cert.v[0], a->issuer.v[0], nonce, &a->policy, a->now, &a->answer);
	a->answered = true;
}

static void
judge_file(struct asking *a)
{
	const char *file = cli_text(a->cli, OPT_RESPONSE);
	struct secret bytes = SECRET_NONE;
	struct err e = { .code = ERR_OK };

	(void)snprintf(a->source, sizeof a->source, "%s", file);
	a->answered = true;
	if (pem_read_file(file, PKI_OCSP_RESPONSE_MAX, &bytes, &e) == ERR_OK)
		judge(a, (struct pki_blob){ bytes.data, bytes.len }, NULL);
	else
		(void)pki_answer_unusable(&a->answer, "%.190s", e.msg);
	secret_clear(&bytes);
}

/* One responder. false: it said nothing that counts. */
static bool
ask(struct asking *a, const char *url)
{
	struct gbuf request = { .max = 4096 };
	struct client_answer got = { .status = 0 };
	uint8_t nonce[PKI_OCSP_NONCE];
	struct err e = { .code = ERR_OK };
	enum err_code rc = crypt_random(nonce, sizeof nonce, &e);

	(void)snprintf(a->source, sizeof a->source, "%s", url);
	if (rc == ERR_OK)
		rc = pki_ocsp_request(a->cert.v[0], a->issuer.v[0], nonce, false, &request, &e);
	if (rc == ERR_OK) {
		struct client_post p = { .url = url,
			.content_type = "application/ocsp-request",
			.body = request.data,
			.body_len = request.len,
			.timeout_s = cli_timeout(a->cli, TIMEOUT_S),
			.max = PKI_OCSP_RESPONSE_MAX };
		rc = client_post(&p, &got, &e);
	}
	if (rc != ERR_OK)
		(void)pki_answer_unusable(&a->answer, "%.190s", e.msg);
	else if (got.status != 200)
		(void)pki_answer_unusable(&a->answer, "HTTP %ld", got.status);
	else if (strcmp(got.type, "application/ocsp-response") != 0)
		(void)pki_answer_unusable(&a->answer, "its content is of type \"%s\"", got.type);
	else
		judge(a, (struct pki_blob){ got.body.data, got.body.len }, nonce);
	a->unanswered = rc;
	client_answer_clear(&got);
	gbuf_clear(&request);
	return a->answer.status != PKI_STATUS_UNUSABLE;
}

/* The responders that the certificate names, in its order, those that may be asked. */
static void
ask_named(struct asking *a)
{
	const struct pki_names *uris = &a->cert.v[0]->ocsp_uris;
	char url[PKI_URL_MAX + 1], host[PKI_HOST_MAX];

	(void)pki_answer_unusable(&a->answer,
	    "the certificate names no OCSP responder that is asked by http: give one with --url");
	for (size_t i = 0; i < uris->n; i++) {
		struct pki_blob uri = uris->v[i].value;

		if (pki_url_check(uri, host, NULL) != ERR_OK)
			continue;
		memcpy(url, uri.p, uri.n);
		url[uri.n] = '\0';
		if (ask(a, url))
			return;
	}
}

static void
put_time(json_t *doc, const char *key, bool there, int64_t t)
{
	(void)json_object_set_new(doc, key, there ? pki_time_json(t) : json_null());
}

static void
print(const struct asking *a)
{
	static const struct out_view view = { fields, N_ELEMS(fields) };
	const struct pki_answer *x = &a->answer;
	bool usable = x->status != PKI_STATUS_UNUSABLE, revoked = x->status == PKI_STATUS_REVOKED;
	struct gbuf detail = { .max = 1024 }, source = { .max = 16384 };
	json_t *doc = json_object();

	out_clean(&detail, x->detail, strlen(x->detail));
	out_clean(&source, a->source, strlen(a->source));
	(void)json_object_set_new(doc, "status", json_string(pki_status_name(x->status)));
	(void)json_object_set_new(doc, "detail", pki_text_json(&detail));
	put_time(doc, "this_update", usable, x->this_update);
	put_time(doc, "next_update", usable && x->has_next, x->next_update);
	put_time(doc, "produced_at", usable, x->produced_at);
	put_time(doc, "revoked_at", revoked, x->revoked_at);
	(void)json_object_set_new(doc, "revocation_reason",
	    revoked ? json_string(pki_crl_reason_name(x->crl_reason)) : json_null());
	(void)json_object_set_new(doc, "source", pki_text_json(&source));
	if (out_is_json(a->cli->out))
		out_json(a->cli->out, doc);
	else
		out_object(a->cli->out, &view, doc);
	json_decref(doc);
}

static enum prov_exit
end_of(const struct asking *a)
{
	if (a->answer.status == PKI_STATUS_GOOD)
		return EXIT_DONE;
	if (a->answer.status == PKI_STATUS_REVOKED)
		return EXIT_REFUSED;
	return a->answered || a->unanswered == ERR_OK ? EXIT_FAILED : exit_of(a->unanswered);
}

enum prov_exit
cmd_pki_ocsp(struct cli *cli, struct err *e)
{
	struct asking a = { .cli = cli, .answer = { .crl_reason = -1 } };
	enum err_code rc = read_options(&a, e);
	const char *url = cli_text(cli, OPT_URL);

	if (rc == ERR_OK && read_certs(&a)) {
		if (cli_has(cli, OPT_RESPONSE))
			judge_file(&a);
		else if (url != NULL)
			(void)ask(&a, url);
		else
			ask_named(&a);
	}
	if (rc == ERR_OK)
		print(&a);
	pki_certs_clear(&a.cert);
	pki_certs_clear(&a.issuer);
	return rc == ERR_OK ? end_of(&a) : exit_of(rc);
}
