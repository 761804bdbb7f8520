/* pki verify: whether a chain of certificates is good. 0: it is; 1: it is not. */
#include <jansson.h>

#include "lwm2m-prov/cmd_pki.h"
#include "lwm2m-prov/output.h"
#include "pki/chain.h"
#include "pki/crl.h"
#include "pki/identity.h"

struct verifying {
	struct cli *cli;
	struct pki_certs anchors, chain;
	struct pki_policy policy;
	struct pki_request rq;
	struct pki_crls crls;
	struct pki_verdict verdict;
};

/* clang-format off */
static const struct out_field fields[] = {
	{ "reason", "reason", OUT_PLAIN, NULL },
	{ "text", "verdict", OUT_PLAIN, NULL },
};
static const struct out_field path_fields[] = {
	{ "subject", "subject", OUT_PLAIN, NULL },
	{ "serial", "serial", OUT_PLAIN, NULL },
	{ "not_after", "until", OUT_PLAIN, NULL },
	{ "key", "key", OUT_PLAIN, NULL },
};
/* clang-format on */

/* Right usage? Nothing is read yet. */
static enum err_code
read_request(struct verifying *v, struct err *e)
{
	bool client = strcmp(cli_text(v->cli, OPT_PURPOSE), "client") == 0;

	pki_policy_default(&v->policy);
	v->policy.max_depth = (unsigned)cli_number(v->cli, OPT_MAX_DEPTH, v->policy.max_depth);
	v->policy.relaxed = cli_has(v->cli, OPT_RELAXED);
	v->rq = (struct pki_request){
		.chain = &v->chain,
		.anchors = &v->anchors,
		.purpose = client ? PKI_PURPOSE_CLIENT : PKI_PURPOSE_SERVER,
		.name = cli_text(v->cli, OPT_NAME),
	};
	if (v->rq.name != NULL) {
		enum err_code rc = pki_name_check(v->rq.name, e);
		if (rc != ERR_OK)
			return err_wrap(e, "--name");
	}
	return pki_time(v->cli, &v->rq.now, e);
}

static enum err_code
read_files(struct verifying *v, struct err *e)
{
	const struct cli_value *cas = &v->cli->opt[OPT_CA], *crls = &v->cli->opt[OPT_CRL];
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < cas->n; i++)
		rc = pki_certs_load(&v->anchors, cas->v[i], PKI_BUNDLE_CERTS, e);
	if (rc == ERR_OK)
		rc = pki_certs_load(&v->chain, cli_text(v->cli, OPT_CHAIN), PKI_CHAIN_CERTS, e);
	for (size_t i = 0; rc == ERR_OK && i < crls->n; i++)
		rc = pki_crls_load(&v->crls, crls->v[i], e);
	return rc;
}

/* What the lists say of each certificate of the path but the anchor: without a list it is refused.
 */
static void
check_revocation(struct verifying *v)
{
	struct pki_status_policy p;
	const struct pki_certs *path = &v->verdict.path;
	struct pki_answer a;

	pki_status_policy_default(&p);
	p.relaxed = v->policy.relaxed;
	for (size_t i = 0; i + 1 < path->n; i++) {
		pki_crl_evaluate(&v->crls, path->v[i], path->v[i + 1], &p, v->rq.now, &a);
		if (a.status == PKI_STATUS_GOOD)
			continue;
		struct gbuf subject = { .max = 8192 };
		pki_dn_text(&subject, path->v[i]->subject);
		(void)snprintf(
		    v->verdict.subject, sizeof v->verdict.subject, "%s", gbuf_cstr(&subject));
		gbuf_clear(&subject);
		v->verdict.index = (int)i;
		v->verdict.reason =
		    a.status == PKI_STATUS_REVOKED ? PKI_R_REVOKED : PKI_R_NO_STATUS;
		(void)snprintf(v->verdict.detail, sizeof v->verdict.detail, "%s",
		    a.status == PKI_STATUS_REVOKED ? pki_crl_reason_name(a.crl_reason) : a.detail);
		pki_certs_clear(&v->verdict.path);
		return;
	}
}

/* What cannot be read is not valid. */
static void
unreadable(struct verifying *v, const struct err *e)
{
	v->verdict =
	    (struct pki_verdict){ .reason = e->code == ERR_LIMIT ? PKI_R_BUDGET : PKI_R_PARSE,
		    .index = -1 };
	(void)snprintf(v->verdict.detail, sizeof v->verdict.detail, "%.300s", e->msg);
}

static json_t *
verdict_json(const struct pki_verdict *v)
{
	struct gbuf text = { .max = 4096 }, detail = { .max = 1024 };
	json_t *path = json_array();

	pki_verdict_text(&text, v);
	out_clean(&detail, v->detail, strlen(v->detail));
	for (size_t i = 0; i < v->path.n; i++)
		(void)json_array_append_new(path, pki_cert_json(v->path.v[i]));
	json_t *doc = json_object();
	(void)json_object_set_new(doc, "valid", json_boolean(v->reason == PKI_OK));
	(void)json_object_set_new(doc, "reason", json_string(pki_reason_name(v->reason)));
	(void)json_object_set_new(doc, "text", pki_text_json(&text));
	(void)json_object_set_new(doc, "detail", pki_text_json(&detail));
	(void)json_object_set_new(
	    doc, "certificate", v->index < 0 ? json_null() : json_integer(v->index));
	(void)json_object_set_new(doc, "path", path);
	return doc;
}

static void
print(struct verifying *v)
{
	static const struct out_view view = { fields, N_ELEMS(fields) };
	static const struct out_view path_view = { path_fields, N_ELEMS(path_fields) };
	json_t *doc = verdict_json(&v->verdict);

	if (out_is_json(v->cli->out)) {
		out_json(v->cli->out, doc);
	} else {
		out_object(v->cli->out, &view, doc);
		if (v->verdict.reason == PKI_OK)
			out_table(v->cli->out, &path_view, doc, "path");
	}
	json_decref(doc);
}

enum prov_exit
cmd_pki_verify(struct cli *cli, struct err *e)
{
	struct verifying v = { .cli = cli };
	struct err bad = { .code = ERR_OK };
	enum err_code rc = read_request(&v, e);

	if (rc == ERR_OK && read_files(&v, &bad) != ERR_OK)
		unreadable(&v, &bad);
	else if (rc == ERR_OK)
		pki_verify(&v.rq, &v.policy, &v.verdict);
	if (rc == ERR_OK && v.verdict.reason == PKI_OK && cli_has(cli, OPT_CRL))
		check_revocation(&v);
	if (rc == ERR_OK)
		print(&v);
	enum prov_exit end = rc != ERR_OK                 ? exit_of(rc)
	                     : v.verdict.reason == PKI_OK ? EXIT_DONE
	                                                  : EXIT_FAILED;
	pki_verdict_clear(&v.verdict);
	pki_crls_clear(&v.crls);
	pki_certs_clear(&v.chain);
	pki_certs_clear(&v.anchors);
	return end;
}
