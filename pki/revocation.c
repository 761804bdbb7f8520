#include "pki/revocation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/crypt.h"
#include "pki/rev_query.h"

/* What is known of one certificate. */
struct said {
	struct pki_answer answer; /* UNUSABLE: nothing, and why */
	char source[256];
	int64_t got_s; /* 0: by nobody */
	int64_t last_s; /* when the last good answer was got, which is too old by now; 0: none */
	bool cached, stale;
};

enum found { FOUND, NOBODY_TO_ASK, MUST_ASK };

void
pki_rev_conf_default(struct pki_rev_conf *c)
{
	*c = (struct pki_rev_conf){
		.connect_ms = 2000,
		.request_ms = 5000,
		.deadline_ms = 10000,
		.retry_ms = 250,
		.ttl_s = 3600,
		.revoked_ttl_s = 86400,
		.fail_ttl_s = 30,
		.max_response = PKI_OCSP_RESPONSE_MAX,
		.max_in_flight = 64,
		.max_per_host = 8,
		.max_queued = 1024,
		.max_cached = 10000,
		.max_cached_bytes = (size_t)16 << 20,
	};
}

enum err_code
pki_rev_open(const struct pki_rev_ops *ops, const struct pki_rev_conf *conf, struct pki_rev **out,
    struct err *e)
{
	struct pki_rev *rev = calloc(1, sizeof *rev);
	uint64_t seeds[2] = { 0, 0 };

	if (rev == NULL)
		return err_no_memory(e);
	enum err_code rc = crypt_random(seeds, sizeof seeds, e);
	if (rc != ERR_OK) {
		free(rev);
		return rc;
	}
	rev->ops = *ops;
	rev->conf = *conf;
	rev->noise = seeds[1];
	table_init(&rev->by_key, seeds[0]);
	rev_cache_init(&rev->cache, seeds[0], conf->max_cached, conf->max_cached_bytes);
	*out = rev;
	return ERR_OK;
}

static void
read_clock(struct pki_rev *rev)
{
	rev->ops.now(rev->ops.arg, &rev->now.mono_ms, &rev->now.wall_s);
}

/* The certificate, its issuer's key, and what signatures count: whatever may change the answer. */
static bool
key_of(const struct pki_rev_policy *p, const struct pki_cert *c, const struct pki_cert *issuer,
    uint8_t key[REV_KEY_LEN])
{
	uint8_t all[2 * PKI_SHA256_LEN + 4];
	struct wbuf w = wbuf_make(all, sizeof all);

	wbuf_put(&w, c->fingerprint, PKI_SHA256_LEN);
	wbuf_put(&w, issuer->spki_sha256, PKI_SHA256_LEN);
	wbuf_be(&w, p->rules.status.sigs << 2 | (unsigned)p->rules.status.nonce, 4);
	return pki_sha256((struct pki_blob){ all, sizeof all }, key, NULL) == ERR_OK;
}

/*
 * An entry that was loaded: its response is judged anew, as of now, or of when it was got if it has
 * run out since. What the file says of that time can only shorten what the signed times allow.
 */
static bool
verify_loaded(struct pki_rev *rev, const struct pki_rev_policy *p, const struct pki_cert *c,
    const struct pki_cert *issuer, struct rev_entry *e)
{
	struct pki_blob der = { e->response, e->len };
	const struct pki_status_policy *sp = &p->rules.status;

	if (e->got_s <= rev->now.wall_s + sp->skew_s) {
		pki_ocsp_evaluate(der, c, issuer, NULL, sp, rev->now.wall_s, &e->answer);
		if (e->answer.status == PKI_STATUS_UNUSABLE)
			pki_ocsp_evaluate(der, c, issuer, NULL, sp, e->got_s, &e->answer);
	}
	if (e->answer.status == PKI_STATUS_UNUSABLE)
		return false;
	int64_t until = pki_answer_until(&e->answer, sp), left = until - rev->now.wall_s;
	int64_t ttl = e->got_s + rev->conf.ttl_s - rev->now.wall_s;
	e->verified = true;
	e->until = rev_after(&rev->now, left);
	if (left < 0)
		e->until = (struct rev_time){ rev->now.mono_ms, until };
	e->expires = rev_after(&rev->now, MIN(left, ttl));
	return true;
}

static struct rev_entry *
find_entry(struct pki_rev *rev, const struct pki_rev_policy *p, const struct pki_cert *c,
    const struct pki_cert *issuer, const uint8_t key[REV_KEY_LEN])
{
	struct rev_entry *e = rev_cache_find(&rev->cache, key);

	if (e == NULL || e->verified || e->len == 0 || verify_loaded(rev, p, c, issuer, e))
		return e;
	rev_cache_drop(&rev->cache, e);
	return NULL;
}

static void
from_entry(const struct rev_entry *e, bool stale, struct said *out)
{
	*out =
	    (struct said){ .answer = e->answer, .got_s = e->got_s, .cached = true, .stale = stale };
	memcpy(out->source, e->source, sizeof out->source);
}

/* The last good answer, though it may have run out: within grace, and while the certificate lasts. The wall's clock has
 * whole seconds: where it says that an answer has just run out and there is no grace, it has. */
static bool
within_grace(const struct pki_rev *rev, const struct pki_rev_policy *p, const struct pki_cert *c,
    const struct rev_entry *e)
{
	int64_t grace = p->rules.stale_grace_s, late = rev->now.wall_s - e->until.wall_s;
	uint64_t late_ms =
	    rev->now.mono_ms > e->until.mono_ms ? rev->now.mono_ms - e->until.mono_ms : 0;

	bool in_time = rev_before(&rev->now, &e->until) || (late <= grace && late_ms < (uint64_t)grace * 1000);

	return in_time && e->answer.status == PKI_STATUS_GOOD && rev->now.wall_s <= c->not_after;
}

static void
from_lists(struct pki_rev *rev, struct pki_rev_policy *p, const struct pki_cert *c,
    const struct pki_cert *issuer, struct said *out)
{
	*out = (struct said){ .source = "crl", .got_s = rev->now.wall_s, .cached = true };
	pki_crl_evaluate(&p->crls, c, issuer, &p->rules.status, rev->now.wall_s, &out->answer);
}

/* Nobody says anything new: the old answer (good: within grace; revoked: whatever its age), or a list,
 * or nothing. */
static void
fall_back(struct pki_rev *rev, struct pki_rev_check *k, const struct pki_answer *why,
    const char *source, struct said *out)
{
	const struct pki_cert *c = k->path.v[k->at], *issuer = k->path.v[k->at + 1];
	uint8_t key[REV_KEY_LEN];
	struct rev_entry *e =
	    key_of(k->policy, c, issuer, key) ? find_entry(rev, k->policy, c, issuer, key) : NULL;

	if (e != NULL && e->answer.status == PKI_STATUS_REVOKED) {
		from_entry(e, !rev_before(&rev->now, &e->until), out);
		return;
	}
	if (e != NULL && within_grace(rev, k->policy, c, e)) {
		from_entry(e, !rev_before(&rev->now, &e->until), out);
		rev->stats.stale += out->stale;
		return;
	}
	from_lists(rev, k->policy, c, issuer, out);
	if (out->answer.status == PKI_STATUS_GOOD)
		return;
	*out = (struct said){ .answer = *why };
	if (e != NULL && e->answer.status == PKI_STATUS_GOOD)
		out->last_s = e->got_s;
	(void)snprintf(out->source, sizeof out->source, "%s", source);
}

/* What is known of the certificate in question without asking anybody. */
static enum found
look(struct pki_rev *rev, struct pki_rev_check *k, uint8_t key[REV_KEY_LEN],
    struct rev_sources *src, struct said *out)
{
	const struct pki_cert *c = k->path.v[k->at], *issuer = k->path.v[k->at + 1];
	struct pki_answer why = { .crl_reason = -1 };

	from_lists(rev, k->policy, c, issuer, out);
	if (out->answer.status == PKI_STATUS_REVOKED)
		return FOUND;
	if (src->n == 0) {
		if (out->answer.status != PKI_STATUS_GOOD && !src->named && k->policy->crls.n == 0)
			return NOBODY_TO_ASK;
		(void)pki_answer_unusable(&why, "%s", src->named ? src->why : out->answer.detail);
		fall_back(rev, k, &why, "", out);
		return FOUND;
	}
	if (!key_of(k->policy, c, issuer, key)) {
		(void)pki_answer_unusable(&why, "the library failed");
		fall_back(rev, k, &why, "", out);
		return FOUND;
	}
	struct rev_entry *e = find_entry(rev, k->policy, c, issuer, key);
	if (e != NULL && e->answer.status != PKI_STATUS_UNUSABLE &&
	    rev_before(&rev->now, &e->expires)) {
		from_entry(e, false, out);
		rev->stats.hits++;
		return FOUND;
	}
	if (e == NULL || rev->now.mono_ms >= e->fail_until_ms)
		return MUST_ASK;
	(void)pki_answer_unusable(&why, "%s", e->detail);
	fall_back(rev, k, &why, src->url[0], out);
	return FOUND;
}

static void
set_result(const struct pki_rev *rev, struct pki_rev_check *k, enum pki_reason reason,
    const struct said *s)
{
	struct pki_rev_result *r = &k->result;
	const struct pki_answer *a = &s->answer;
	bool usable = a->status != PKI_STATUS_UNUSABLE;

	r->reason = reason;
	r->index = k->at;
	r->this_update = usable ? a->this_update : 0;
	r->next_update = usable && a->has_next ? a->next_update : 0;
	r->revoked_at = a->status == PKI_STATUS_REVOKED ? a->revoked_at : 0;
	r->crl_reason = a->crl_reason;
	r->age_s = usable && s->got_s > 0 ? MAX(rev->now.wall_s - s->got_s, (int64_t)0) : 0;
	r->last_age_s = s->last_s > 0 ? MAX(rev->now.wall_s - s->last_s, (int64_t)1) : 0;
	memcpy(r->source, s->source, sizeof r->source);
	(void)snprintf(r->detail, sizeof r->detail, "%s", usable ? "" : a->detail);
}

/* true: this certificate is let through, and the next one's turn comes. */
static bool
take(const struct pki_rev *rev, struct pki_rev_check *k, const struct said *s)
{
	struct pki_rev_result *r = &k->result;
	bool soft = k->policy->rules.mode == PKI_REV_SOFT;

	r->cached = r->cached && s->cached;
	switch (s->answer.status) {
	case PKI_STATUS_GOOD:
		r->stale = r->stale || s->stale;
		if (!r->soft && (k->at == 0 || s->stale))
			set_result(rev, k, PKI_OK, s);
		return true;
	case PKI_STATUS_REVOKED:
		r->stale = s->stale;
		set_result(rev, k, PKI_R_REVOKED, s);
		return false;
	case PKI_STATUS_UNKNOWN:
		set_result(rev, k, PKI_R_STATUS_UNKNOWN, s);
		return false;
	case PKI_STATUS_UNUSABLE:
		break;
	}
	set_result(rev, k, PKI_R_NO_STATUS, s);
	r->soft = r->soft || soft;
	return soft;
}

static bool
take_nobody(const struct pki_rev *rev, struct pki_rev_check *k, const struct rev_sources *src)
{
	struct said none = { .cached = true };

	(void)pki_answer_unusable(&none.answer, "%s, and there is no revocation list", src->why);
	none.answer.crl_reason = -1;
	if (!k->policy->rules.allow_no_source) {
		set_result(rev, k, PKI_R_NO_STATUS, &none);
		return false;
	}
	if (k->at == 0)
		set_result(rev, k, PKI_R_NO_STATUS, &none);
	k->result.no_source = true;
	return true;
}

/* One certificate. FOUND: *go says whether the next one's turn comes. */
static enum found
step(struct pki_rev *rev, struct pki_rev_check *k, bool may_ask, bool *go)
{
	const struct pki_cert *c = k->path.v[k->at], *issuer = k->path.v[k->at + 1];
	struct pki_answer why = { .crl_reason = -1 };
	struct rev_sources src;
	struct said s;
	uint8_t key[REV_KEY_LEN];

	rev_sources(k->policy, c, &src);
	enum found f = look(rev, k, key, &src, &s);
	if (f == NOBODY_TO_ASK) {
		*go = take_nobody(rev, k, &src);
		f = FOUND;
	} else if (f == FOUND) {
		*go = take(rev, k, &s);
	} else if (may_ask && (k->late || !rev_query_join(rev, k, key, c, issuer, &src))) {
		(void)pki_answer_unusable(&why, "%s",
		    k->late ? "no time is left to ask" : "too many questions are waiting");
		fall_back(rev, k, &why, "", &s);
		*go = take(rev, k, &s);
		f = FOUND;
	}
	rev_sources_clear(&src);
	return f;
}

static size_t
last_of(const struct pki_rev_check *k)
{
	if (k->policy->rules.mode == PKI_REV_OFF || k->path.n < 2)
		return 0;
	return k->policy->rules.leaf_only ? 1 : k->path.n - 1;
}

static void
finish(struct pki_rev *rev, struct pki_rev_check *k, bool allowed)
{
	struct pki_rev_result *r = &k->result;

	r->allowed = allowed;
	r->elapsed_ms = (uint32_t)(rev->now.mono_ms - k->started_ms);
	if (allowed && !r->soft && !r->no_source)
		r->reason = PKI_OK;
}

/* false: somebody has to be asked (and is, when may_ask says so). */
static bool
go_on(struct pki_rev *rev, struct pki_rev_check *k, bool may_ask)
{
	bool go = true;

	for (; go && k->at < last_of(k); k->at += go)
		if (step(rev, k, may_ask, &go) != FOUND)
			return false;
	finish(rev, k, go);
	return true;
}

static void
to_be_told(struct pki_rev *rev, struct pki_rev_check *k)
{
	rev_checks_remove(&rev->open, k);
	rev_checks_add(&rev->finished, k);
	k->finished = true;
}

static void
move_on(struct pki_rev *rev, struct pki_rev_check *k)
{
	if (go_on(rev, k, true))
		to_be_told(rev, k);
}

/* Callbacks come in a turn of their own. */
static void
settle(struct pki_rev *rev)
{
	uint64_t due = rev_query_due(rev);

	if (rev->open.first != NULL)
		due = MIN(due, rev->open.first->started_ms + rev->conf.deadline_ms);
	if (rev->finished.first != NULL)
		due = 0;
	if (due != UINT64_MAX)
		rev->ops.wake_at(rev->ops.arg, due);
}

void
rev_told(
    struct pki_rev *rev, struct pki_rev_check *k, const struct pki_answer *a, const char *source)
{
	struct said s = { .answer = *a, .got_s = rev->now.wall_s };

	if (a->status == PKI_STATUS_UNUSABLE)
		fall_back(rev, k, a, source, &s);
	else
		(void)snprintf(s.source, sizeof s.source, "%s", source);
	k->result.cached = false;
	if (take(rev, k, &s)) {
		k->at++;
		move_on(rev, k);
		return;
	}
	finish(rev, k, false);
	to_be_told(rev, k);
}

static void
clear_check(struct pki_rev_check *k)
{
	pki_certs_clear(&k->path);
	pki_rev_policy_unref(k->policy);
}

static enum err_code
fill_check(struct pki_rev *rev, struct pki_rev_check *k, const struct pki_certs *path,
    struct pki_rev_policy *policy, struct err *e)
{
	enum err_code rc = ERR_OK;

	*k = (struct pki_rev_check){ .policy = pki_rev_policy_ref(policy),
		.started_ms = rev->now.mono_ms,
		.result = { .reason = PKI_OK, .cached = true, .crl_reason = -1 } };
	for (size_t i = 0; rc == ERR_OK && i < path->n; i++)
		rc = pki_certs_add(&k->path, path->v[i], e);
	if (rc != ERR_OK)
		clear_check(k);
	return rc;
}

enum err_code
pki_rev_check(struct pki_rev *rev, const struct pki_certs *path, struct pki_rev_policy *policy,
    pki_rev_fn *done, void *arg, struct pki_rev_check **out, struct err *e)
{
	struct pki_rev_check *k = malloc(sizeof *k);

	*out = NULL;
	if (k == NULL)
		return err_no_memory(e);
	read_clock(rev);
	enum err_code rc = fill_check(rev, k, path, policy, e);
	if (rc != ERR_OK) {
		free(k);
		return rc;
	}
	k->done = done;
	k->arg = arg;
	rev_checks_add(&rev->open, k);
	move_on(rev, k);
	rev_query_pump(rev);
	settle(rev);
	*out = k;
	return ERR_OK;
}

void
pki_rev_cancel(struct pki_rev *rev, struct pki_rev_check *k)
{
	rev_query_leave(rev, k);
	rev_checks_remove(k->finished ? &rev->finished : &rev->open, k);
	clear_check(k);
	free(k);
}

bool
pki_rev_peek(struct pki_rev *rev, const struct pki_certs *path, struct pki_rev_policy *policy,
    struct pki_rev_result *out)
{
	struct pki_rev_check k;

	read_clock(rev);
	if (fill_check(rev, &k, path, policy, NULL) != ERR_OK)
		return false;
	bool known = go_on(rev, &k, false);
	*out = k.result;
	clear_check(&k);
	return known;
}

/* Those whose time is up are told that nobody answered. */
static void
time_out(struct pki_rev *rev)
{
	struct pki_answer why = { .crl_reason = -1 };

	(void)pki_answer_unusable(&why, "no answer within %u ms", rev->conf.deadline_ms);
	while (rev->open.first != NULL &&
	       rev->open.first->started_ms + rev->conf.deadline_ms <= rev->now.mono_ms) {
		struct pki_rev_check *k = rev->open.first;
		char source[256] = "";

		if (k->query != NULL)
			(void)snprintf(
			    source, sizeof source, "%s", k->query->src.url[k->query->at]);
		k->late = true;
		rev_query_leave(rev, k);
		rev_told(rev, k, &why, source);
	}
}

static void
call_back(struct rev_checks *list, enum err_code rc)
{
	struct pki_rev_check *k = list->first;

	rev_checks_remove(list, k);
	k->done(k->arg, rc, &k->result);
	clear_check(k);
	free(k);
}

void
pki_rev_tick(struct pki_rev *rev)
{
	read_clock(rev);
	rev_query_tick(rev);
	time_out(rev);
	rev_query_pump(rev);
	for (size_t n = rev->finished.n; n > 0 && rev->finished.first != NULL; n--)
		call_back(&rev->finished, ERR_OK);
	settle(rev);
}

void
pki_rev_close(struct pki_rev *rev)
{
	if (rev == NULL)
		return;
	while (rev->finished.first != NULL)
		call_back(&rev->finished, ERR_OK);
	rev_query_free_all(rev);
	while (rev->open.first != NULL)
		call_back(&rev->open, ERR_CLOSED);
	rev_cache_clear(&rev->cache);
	free(rev);
}

void
pki_rev_stats(const struct pki_rev *rev, struct pki_rev_stats *out)
{
	*out = rev->stats;
	out->cached = rev->cache.table.n;
	out->checks = rev->open.n + rev->finished.n;
	out->in_flight = rev->n_flying;
	out->queued = rev->n_queries - rev->n_flying;
}

void
pki_rev_dump(struct pki_rev *rev, struct gbuf *out)
{
	rev_cache_dump(&rev->cache, out);
}

enum err_code
pki_rev_load(struct pki_rev *rev, const void *bytes, size_t n, struct err *e)
{
	return rev_cache_load(&rev->cache, bytes, n, e);
}

bool
pki_rev_changed(const struct pki_rev *rev)
{
	return rev->cache.changed;
}

static void
put_time(struct gbuf *out, int64_t t)
{
	char text[CLOCK_RFC3339_LEN + 1];

	clock_rfc3339(t * 1000, text);
	gbuf_printf(out, "%.19sZ", text);
}

void
pki_rev_result_text(struct gbuf *out, const struct pki_rev_result *r)
{
	if (r->reason == PKI_R_REVOKED) {
		gbuf_str(out, "revoked on ");
		put_time(out, r->revoked_at);
		gbuf_printf(out, " (%s)", pki_crl_reason_name(r->crl_reason));
	} else if (r->reason == PKI_OK) {
		gbuf_str(out, r->source[0] == '\0' ? "not asked about" : "not revoked");
	} else {
		gbuf_str(out, pki_reason_sentence(r->reason));
	}
	if (r->detail[0] != '\0')
		gbuf_printf(out, ": %s", r->detail);
	if (r->source[0] != '\0')
		gbuf_printf(out, r->detail[0] != '\0' ? " (%s)" : ", says %s", r->source);
	if (r->age_s > 0)
		gbuf_printf(out, ", %" PRId64 " s ago", r->age_s);
	if (r->last_age_s > 0)
		gbuf_printf(out, "; the last answer, not revoked, came %" PRId64 " s ago: too long", r->last_age_s);
	gbuf_str(out, r->stale ? ", stale: there is no newer answer" : "");
	gbuf_str(out, r->soft || r->no_source ? ", allowed by the configuration" : "");
}
