#include "bsserver/server_vet.h"

#include <string.h>

#include "bsserver/api/api.h"

static enum pki_rev_mode
mode_of(const char *word)
{
	return strcmp(word, "off") == 0    ? PKI_REV_OFF
	       : strcmp(word, "soft") == 0 ? PKI_REV_SOFT
	                                   : PKI_REV_HARD;
}

static enum pki_nonce
nonce_of(const char *word)
{
	return strcmp(word, "off") == 0       ? PKI_NONCE_OFF
	       : strcmp(word, "require") == 0 ? PKI_NONCE_REQUIRE
	                                      : PKI_NONCE_PREFER;
}

static void
rules_of(const struct conf_trust *t, struct pki_rev_rules *r)
{
	pki_rev_rules_default(r);
	r->mode = mode_of(t->revocation);
	r->allow_no_source = strcmp(t->no_source, "allow") == 0;
	r->leaf_only = strcmp(t->ask_about, "leaf") == 0;
	r->responder_url = t->responder_url;
	r->allow_hosts = (const char *const *)t->allow_hosts;
	r->n_allow_hosts = t->n_allow_hosts;
	r->crl_files = (const char *const *)t->crl_files;
	r->n_crl_files = t->n_crl_files;
	r->status.nonce = nonce_of(t->nonce);
	if (t->stale_grace_s >= 0)
		r->stale_grace_s = t->stale_grace_s;
	if (t->max_age_s >= 0)
		r->status.max_age_s = r->status.max_age_open_s = t->max_age_s;
	if (t->allow_sha1)
		pki_status_policy_allow_sha1(&r->status);
	if (t->any_responder)
		r->status.responder_life_s = PKI_ANY_AGE;
}

bool
server_vet_of_servers(const struct conf_trust *t)
{
	return strcmp(t->purpose, "servers") == 0;
}

enum err_code
server_vet_trust(const struct conf *c, struct trust **out, struct err *e)
{
	struct trust_conf v[CONF_TRUST_MAX];

	for (size_t i = 0; i < c->n_trust; i++)
		v[i] = (struct trust_conf){ .name = c->trust[i].name,
			.file = c->trust[i].file,
			.ignore_leaf_expiry = c->trust[i].ignore_leaf_expiry,
			.servers = server_vet_of_servers(&c->trust[i]) };
	enum err_code rc = trust_load(v, c->n_trust, out, e);
	if (rc == ERR_OK)
		trust_allow_unknown(*out, c->allow_unknown_issuer);
	return rc;
}

size_t
server_vet_rules(const struct conf *c, struct vet_rule out[CONF_TRUST_MAX])
{
	for (size_t i = 0; i < c->n_trust; i++) {
		out[i].trust = c->trust[i].name;
		rules_of(&c->trust[i], &out[i].rules);
	}
	return c->n_trust;
}

void
server_vet_conf(const struct conf *c, struct vet_conf *out)
{
	*out = (struct vet_conf){ .cache_file = c->status_file[0] != '\0' ? c->status_file : NULL };
	pki_rev_conf_default(&out->limits);
	out->limits.connect_ms = (uint32_t)c->status_connect_ms;
	out->limits.request_ms = (uint32_t)c->status_request_ms;
	out->limits.deadline_ms = (uint32_t)c->status_deadline_ms;
	out->limits.ttl_s = c->status_refresh_s;
	out->limits.fail_ttl_s = c->status_fail_s;
}

bool
server_vet_counter(const struct vet *v, size_t i, struct api_counter *out)
{
	struct vet_stats s;

	vet_stats(v, &s);
	const struct api_counter rows[] = {
		{ "certificate_status_asked", "devices whose certificate's status was asked about",
		    false, s.asked },
		{ "certificate_status_refused", "devices refused for it", false, s.refused },
		{ "certificate_status_soft", "devices let in without a status", false, s.soft },
		{ "certificate_status_stale", "answers used that had run out", false,
		    s.engine.stale },
		{ "certificate_status_hits", "answers that were known already", false,
		    s.engine.hits },
		{ "certificate_status_fetches", "exchanges with responders", false,
		    s.engine.fetches },
		{ "certificate_status_full", "questions refused since too many waited", false,
		    s.engine.refused_full },
		{ "certificate_status_cached", "certificates whose status is known", true,
		    s.engine.cached },
		{ "certificate_status_waiting", "devices that wait for a status", true,
		    s.engine.checks },
	};

	_Static_assert(N_ELEMS(rows) == SERVER_VET_COUNTERS, "counted in its header");
	if (i >= N_ELEMS(rows))
		return false;
	*out = rows[i];
	return true;
}
