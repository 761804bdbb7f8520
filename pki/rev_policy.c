#include "pki/rev_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

void
pki_rev_rules_default(struct pki_rev_rules *r)
{
	*r = (struct pki_rev_rules){ .mode = PKI_REV_HARD, .stale_grace_s = 86400 };
	pki_status_policy_default(&r->status);
}

static struct pki_blob
text_blob(const char *s)
{
	return (struct pki_blob){ (const uint8_t *)s, strlen(s) };
}

static enum err_code
copy_hosts(struct pki_rev_policy *p, const struct pki_rev_rules *r, struct err *e)
{
	p->hosts = calloc(r->n_allow_hosts + 1, sizeof *p->hosts);
	if (p->hosts == NULL)
		return err_no_memory(e);
	for (size_t i = 0; i < r->n_allow_hosts; i++) {
		p->hosts[i] = str_dup_n(r->allow_hosts[i], strlen(r->allow_hosts[i]));
		if (p->hosts[i] == NULL)
			return err_no_memory(e);
		p->rules.n_allow_hosts = i + 1;
	}
	p->rules.allow_hosts = (const char *const *)p->hosts;
	return ERR_OK;
}

static enum err_code
copy_rules(struct pki_rev_policy *p, const struct pki_rev_rules *r, struct err *e)
{
	char host[PKI_HOST_MAX];
	enum err_code rc = copy_hosts(p, r, e);

	if (rc == ERR_OK && r->responder_url != NULL) {
		rc = pki_url_check(text_blob(r->responder_url), host, e);
		if (rc != ERR_OK)
			return err_wrap(e, "responder %s", r->responder_url);
		p->url = str_dup_n(r->responder_url, strlen(r->responder_url));
		p->rules.responder_url = p->url;
		if (p->url == NULL)
			return err_no_memory(e);
	}
	for (size_t i = 0; rc == ERR_OK && i < r->n_crl_files; i++)
		rc = pki_crls_load(&p->crls, r->crl_files[i], e);
	return rc;
}

enum err_code
pki_rev_policy_new(const struct pki_rev_rules *r, struct pki_rev_policy **out, struct err *e)
{
	struct pki_rev_policy *p = calloc(1, sizeof *p);

	if (p == NULL)
		return err_no_memory(e);
	p->refs = 1;
	p->rules = *r;
	p->rules.n_allow_hosts = 0;
	p->rules.allow_hosts = NULL;
	p->rules.responder_url = NULL;
	p->rules.crl_files = NULL;
	p->rules.n_crl_files = 0;
	enum err_code rc = copy_rules(p, r, e);
	if (rc != ERR_OK) {
		pki_rev_policy_unref(p);
		return rc;
	}
	*out = p;
	return ERR_OK;
}

struct pki_rev_policy *
pki_rev_policy_ref(struct pki_rev_policy *p)
{
	p->refs++;
	return p;
}

void
pki_rev_policy_unref(struct pki_rev_policy *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	for (size_t i = 0; p->hosts != NULL && i < p->rules.n_allow_hosts; i++)
		free(p->hosts[i]);
	free(p->hosts);
	free(p->url);
	pki_crls_clear(&p->crls);
	free(p);
}

/* The certificate's own, those that may be asked; each as a text of its own behind the last. */
static void
named_sources(const struct pki_rev_policy *p, const struct pki_cert *c, struct rev_sources *out)
{
	size_t at[REV_URLS] = { 0 };
	char host[PKI_HOST_MAX];
	struct err e = { .code = ERR_OK };

	for (size_t i = 0; i < c->ocsp_uris.n && out->n < REV_URLS; i++) {
		struct pki_blob uri = c->ocsp_uris.v[i].value;

		if (pki_url_check(uri, host, &e) != ERR_OK) {
			(void)snprintf(out->why, sizeof out->why,
			    "the responder that it names is not asked: %.100s", e.msg);
			continue;
		}
		if (!pki_host_allowed(host, p->rules.allow_hosts, p->rules.n_allow_hosts)) {
			(void)snprintf(out->why, sizeof out->why,
			    "the responder that it names is not on the list: %.100s", host);
			continue;
		}
		at[out->n++] = out->text.len;
		gbuf_put(&out->text, uri.p, uri.n);
		gbuf_u8(&out->text, 0);
	}
	if (gbuf_check(&out->text, NULL) != ERR_OK)
		out->n = 0;
	for (size_t i = 0; i < out->n; i++)
		out->url[i] = (const char *)out->text.data + at[i];
}

void
rev_sources(const struct pki_rev_policy *p, const struct pki_cert *c, struct rev_sources *out)
{
	*out = (struct rev_sources){ .text = { .max = (size_t)(PKI_URL_MAX + 1) * REV_URLS },
		.named = p->url != NULL || c->ocsp_uris.n > 0 };
	if (p->url != NULL) {
		out->url[0] = p->url;
		out->n = 1;
		return;
	}
	(void)snprintf(out->why, sizeof out->why, "it names no OCSP responder");
	named_sources(p, c, out);
}

void
rev_sources_clear(struct rev_sources *s)
{
	gbuf_clear(&s->text);
	s->n = 0;
}
