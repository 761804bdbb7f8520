#include "pki/rev_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crypt.h"

void
rev_checks_add(struct rev_checks *l, struct pki_rev_check *k)
{
	k->next = NULL;
	k->prev = l->last;
	if (l->last != NULL)
		l->last->next = k;
	else
		l->first = k;
	l->last = k;
	l->n++;
}

void
rev_checks_remove(struct rev_checks *l, struct pki_rev_check *k)
{
	if (k->prev != NULL)
		k->prev->next = k->next;
	else
		l->first = k->next;
	if (k->next != NULL)
		k->next->prev = k->prev;
	else
		l->last = k->prev;
	k->prev = k->next = NULL;
	l->n--;
}

static void
add_waiter(struct rev_query *q, struct pki_rev_check *k)
{
	k->query = q;
	k->prev_waiter = NULL;
	k->next_waiter = q->waiters;
	if (q->waiters != NULL)
		q->waiters->prev_waiter = k;
	q->waiters = k;
}

static void
remove_waiter(struct rev_query *q, struct pki_rev_check *k)
{
	if (k->prev_waiter != NULL)
		k->prev_waiter->next_waiter = k->next_waiter;
	else
		q->waiters = k->next_waiter;
	if (k->next_waiter != NULL)
		k->next_waiter->prev_waiter = k->prev_waiter;
	k->query = NULL;
	k->prev_waiter = k->next_waiter = NULL;
}

/* ---- hosts ---- */

static struct rev_host *
find_host(struct pki_rev *rev, const char *name)
{
	struct rev_host *h = rev->hosts;

	while (h != NULL && strcmp(h->name, name) != 0)
		h = h->next;
	if (h != NULL)
		return h;
	h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	(void)snprintf(h->name, sizeof h->name, "%s", name);
	h->next = rev->hosts;
	if (rev->hosts != NULL)
		rev->hosts->prev = h;
	rev->hosts = h;
	return h;
}

static void
leave_host(struct pki_rev *rev, struct rev_query *q)
{
	struct rev_host *h = q->host;

	q->host = NULL;
	if (h == NULL || --h->users > 0)
		return;
	if (h->prev != NULL)
		h->prev->next = h->next;
	else
		rev->hosts = h->next;
	if (h->next != NULL)
		h->next->prev = h->prev;
	free(h);
}

/* The host of the responder in turn; false when memory is short. */
static bool
enter_host(struct pki_rev *rev, struct rev_query *q)
{
	const char *url = q->src.url[q->at];
	char name[PKI_HOST_MAX];

	leave_host(rev, q);
	if (pki_url_check((struct pki_blob){ (const uint8_t *)url, strlen(url) }, name, NULL) !=
	    ERR_OK)
		return false;
	q->host = find_host(rev, name);
	if (q->host == NULL)
		return false;
	q->host->users++;
	return true;
}

/* Counts go along. */
static void
set_state(struct pki_rev *rev, struct rev_query *q, enum rev_query_state to)
{
	if (q->state == REV_FLYING) {
		rev->n_flying--;
		q->host->flying--;
	}
	rev->n_resting -= q->state == REV_RESTING;
	q->state = to;
	if (to == REV_FLYING) {
		rev->n_flying++;
		q->host->flying++;
	}
	rev->n_resting += to == REV_RESTING;
}

/* ---- queries ---- */

static void
unlink_query(struct pki_rev *rev, struct rev_query *q)
{
	set_state(rev, q, REV_QUEUED);
	leave_host(rev, q);
	table_remove(&rev->by_key, &q->node);
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		rev->queries = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	else
		rev->last_query = q->prev;
	rev->n_queries--;
}

static void
free_query(struct rev_query *q)
{
	pki_cert_unref(q->cert);
	pki_cert_unref(q->issuer);
	pki_rev_policy_unref(q->policy);
	rev_sources_clear(&q->src);
	free(q);
}

/* fail_ttl_s and up to half more, so that not all come back at once. */
static uint64_t
fail_ms(struct pki_rev *rev)
{
	uint64_t ms = (uint64_t)rev->conf.fail_ttl_s * 1000;

	rev->noise = rev->noise * 6364136223846793005U + 1442695040888963407U;
	return ms + (rev->noise >> 33) % (ms / 2 + 1);
}

static int64_t
ttl_of(const struct pki_rev *rev, enum pki_status s)
{
	return s == PKI_STATUS_GOOD      ? rev->conf.ttl_s
	       : s == PKI_STATUS_REVOKED ? rev->conf.revoked_ttl_s
	                                 : rev->conf.fail_ttl_s;
}

static void
remember(struct pki_rev *rev, const struct rev_query *q, const struct pki_answer *a,
    const struct pki_rev_fetched *f)
{
	struct rev_entry *e = rev_cache_get(&rev->cache, q->key);

	if (e == NULL)
		return;
	if (a->status == PKI_STATUS_UNUSABLE) {
		e->fail_until_ms = rev->now.mono_ms + fail_ms(rev);
		memcpy(e->detail, a->detail, sizeof e->detail);
		return;
	}
	int64_t until = pki_answer_until(a, &q->policy->rules.status);
	e->verified = true;
	e->answer = *a;
	e->got_s = rev->now.wall_s;
	e->fail_until_ms = 0;
	e->until = rev_after(&rev->now, until - rev->now.wall_s);
	e->expires = rev_after(&rev->now, MIN(until - rev->now.wall_s, ttl_of(rev, a->status)));
	(void)snprintf(e->source, sizeof e->source, "%s", q->src.url[q->at]);
	rev_cache_keep(&rev->cache, e, f->body, f->body_len);
}

/* The query is over: all who wait are told. f: what brought the answer; NULL when there is none. */
static void
end_query(struct pki_rev *rev, struct rev_query *q, const struct pki_answer *a,
    const struct pki_rev_fetched *f)
{
	remember(rev, q, a, f);
	unlink_query(rev, q);
	while (q->waiters != NULL) {
		struct pki_rev_check *k = q->waiters;

		remove_waiter(q, k);
		rev_told(rev, k, a, q->src.url[q->at]);
	}
	free_query(q);
}

static void
give_up(struct pki_rev *rev, struct rev_query *q)
{
	struct pki_answer a = { .status = PKI_STATUS_UNUSABLE, .crl_reason = -1 };

	memcpy(a.detail, q->detail, sizeof a.detail);
	end_query(rev, q, &a, NULL);
}

/* This responder said nothing that counts: the next one, or all once more after a rest, or none. */
static void
next_responder(struct pki_rev *rev, struct rev_query *q)
{
	bool rest = false, more = q->at + 1 < q->src.n;

	set_state(rev, q, REV_QUEUED);
	if (more) {
		q->at++;
	} else if (q->may_retry && !q->retried &&
	           rev->now.mono_ms + rev->conf.retry_ms < q->deadline_ms) {
		q->retried = more = rest = true;
		q->at = 0;
		q->rest_until_ms = rev->now.mono_ms + rev->conf.retry_ms;
	}
	if (!more || !enter_host(rev, q))
		give_up(rev, q);
	else if (rest)
		set_state(rev, q, REV_RESTING);
}

static enum err_code
send(struct pki_rev *rev, struct rev_query *q, struct err *e)
{
	const struct pki_rev_rules *r = &q->policy->rules;
	bool nonce = r->status.nonce != PKI_NONCE_OFF;
	struct gbuf body = { .max = 4096 };
	enum err_code rc = crypt_random(q->nonce, sizeof q->nonce, e);

	if (rc == ERR_OK)
		rc = pki_ocsp_request(
		    q->cert, q->issuer, nonce ? q->nonce : NULL, r->sha256, &body, e);
	if (rc == ERR_OK) {
		struct pki_rev_fetch f = { .id = q->id,
			.url = q->src.url[q->at],
			.body = body.data,
			.body_len = body.len,
			.connect_ms = rev->conf.connect_ms,
			.timeout_ms = (uint32_t)MIN(
			    (uint64_t)rev->conf.request_ms, q->deadline_ms - rev->now.mono_ms),
			.max_response = rev->conf.max_response };
		rc = rev->ops.fetch(rev->ops.arg, &f, e);
	}
	gbuf_clear(&body);
	return rc;
}

static void
start(struct pki_rev *rev, struct rev_query *q)
{
	struct err e = { .code = ERR_OK };

	q->id = ++rev->next_id;
	set_state(rev, q, REV_FLYING);
	rev->stats.fetches++;
	if (send(rev, q, &e) == ERR_OK)
		return;
	(void)snprintf(q->detail, sizeof q->detail, "%.190s", e.msg);
	give_up(rev, q);
}

void
rev_query_pump(struct pki_rev *rev)
{
	struct rev_query *next;

	for (struct rev_query *q = rev->queries;
	     q != NULL && rev->n_flying < rev->conf.max_in_flight &&
	     rev->n_flying + rev->n_resting < rev->n_queries;
	     q = next) {
		next = q->next;
		if (q->state == REV_QUEUED && q->deadline_ms > rev->now.mono_ms &&
		    q->host->flying < rev->conf.max_per_host)
			start(rev, q);
	}
}

static void
link_query(struct pki_rev *rev, struct rev_query *q)
{
	q->prev = rev->last_query;
	if (rev->last_query != NULL)
		rev->last_query->next = q;
	else
		rev->queries = q;
	rev->last_query = q;
	rev->n_queries++;
}

static struct rev_query *
new_query(struct pki_rev *rev, struct pki_rev_policy *policy, const uint8_t key[REV_KEY_LEN],
    const struct pki_cert *cert, const struct pki_cert *issuer, struct rev_sources *src)
{
	struct rev_query *q = rev->n_queries < rev->conf.max_queued + rev->conf.max_in_flight
	                          ? calloc(1, sizeof *q)
	                          : NULL;

	if (q == NULL) {
		rev->stats.refused_full++;
		return NULL;
	}
	memcpy(q->key, key, sizeof q->key);
	q->cert = pki_cert_ref(cert);
	q->issuer = pki_cert_ref(issuer);
	q->policy = pki_rev_policy_ref(policy);
	q->src = *src;
	src->text = (struct gbuf){ .max = src->text.max };
	q->deadline_ms = rev->now.mono_ms + rev->conf.deadline_ms;
	(void)snprintf(q->detail, sizeof q->detail, "no answer in time");
	if (!enter_host(rev, q) || table_add(&rev->by_key, &q->node,
	                               table_hash(&rev->by_key, key, REV_KEY_LEN)) != ERR_OK) {
		leave_host(rev, q);
		free_query(q);
		return NULL;
	}
	link_query(rev, q);
	return q;
}

static struct rev_query *
find_query(const struct pki_rev *rev, const uint8_t key[REV_KEY_LEN])
{
	struct table_node *node =
	    table_first(&rev->by_key, table_hash(&rev->by_key, key, REV_KEY_LEN));

	for (; node != NULL; node = table_next(node)) {
		struct rev_query *q = CONTAINER_OF(node, struct rev_query, node);

		if (memcmp(q->key, key, sizeof q->key) == 0)
			return q;
	}
	return NULL;
}

bool
rev_query_join(struct pki_rev *rev, struct pki_rev_check *k, const uint8_t key[REV_KEY_LEN],
    const struct pki_cert *cert, const struct pki_cert *issuer, struct rev_sources *src)
{
	struct rev_query *q = find_query(rev, key);

	if (q == NULL)
		q = new_query(rev, k->policy, key, cert, issuer, src);
	if (q == NULL)
		return false;
	add_waiter(q, k);
	return true;
}

void
rev_query_leave(struct pki_rev *rev, struct pki_rev_check *k)
{
	struct rev_query *q = k->query;

	if (q == NULL)
		return;
	remove_waiter(q, k);
	if (q->waiters == NULL && q->state != REV_FLYING) {
		unlink_query(rev, q);
		free_query(q);
	}
}

/* What an answer by HTTP is worth. */
static void
read_answer(const struct pki_rev *rev, struct rev_query *q, const struct pki_rev_fetched *f,
    struct pki_answer *a)
{
	bool nonce = q->policy->rules.status.nonce != PKI_NONCE_OFF;

	*a = (struct pki_answer){ .crl_reason = -1 };
	if (f->error != ERR_OK) {
		a->later = f->error != ERR_LIMIT;
		(void)pki_answer_unusable(a, "%.190s", f->detail);
	} else if (f->status != 200) {
		a->later = f->status >= 500 || f->status == 429;
		(void)pki_answer_unusable(a, "HTTP %ld", f->status);
	} else if (strcmp(f->type, "application/ocsp-response") != 0) {
		(void)pki_answer_unusable(a, "its content is of type \"%.60s\"", f->type);
	} else if (f->body_len > rev->conf.max_response) {
		(void)pki_answer_unusable(a, "an answer of %zu bytes", f->body_len);
	} else {
		pki_ocsp_evaluate((struct pki_blob){ f->body, f->body_len }, q->cert, q->issuer,
		    nonce ? q->nonce : NULL, &q->policy->rules.status, rev->now.wall_s, a);
	}
}

void
pki_rev_fetched(struct pki_rev *rev, uint64_t id, const struct pki_rev_fetched *f)
{
	struct rev_query *q = rev->queries;
	struct pki_answer a;

	while (q != NULL && (q->state != REV_FLYING || q->id != id))
		q = q->next;
	if (q == NULL)
		return;
	rev->ops.now(rev->ops.arg, &rev->now.mono_ms, &rev->now.wall_s);
	read_answer(rev, q, f, &a);
	if (a.status != PKI_STATUS_UNUSABLE) {
		end_query(rev, q, &a, f);
	} else {
		memcpy(q->detail, a.detail, sizeof q->detail);
		q->may_retry = q->may_retry || a.later;
		next_responder(rev, q);
	}
	rev->ops.wake_at(rev->ops.arg, 0);
}

void
rev_query_tick(struct pki_rev *rev)
{
	struct rev_query *next;

	for (struct rev_query *q = rev->queries; q != NULL; q = next) {
		next = q->next;
		if (q->deadline_ms <= rev->now.mono_ms) {
			if (q->state == REV_FLYING)
				rev->ops.abort(rev->ops.arg, q->id);
			give_up(rev, q);
		} else if (q->state == REV_RESTING && q->rest_until_ms <= rev->now.mono_ms) {
			set_state(rev, q, REV_QUEUED);
		}
	}
}

uint64_t
rev_query_due(const struct pki_rev *rev)
{
	uint64_t due = rev->queries == NULL ? UINT64_MAX : rev->queries->deadline_ms;

	for (const struct rev_query *q = rev->queries; q != NULL && rev->n_resting > 0; q = q->next)
		if (q->state == REV_RESTING)
			due = MIN(due, q->rest_until_ms);
	return due;
}

void
rev_query_free_all(struct pki_rev *rev)
{
	struct rev_query *next;

	for (struct rev_query *q = rev->queries; q != NULL; q = next) {
		next = q->next;
		while (q->waiters != NULL)
			remove_waiter(q, q->waiters);
		if (q->state == REV_FLYING)
			rev->ops.abort(rev->ops.arg, q->id);
		set_state(rev, q, REV_QUEUED);
		leave_host(rev, q);
		free_query(q);
	}
	rev->queries = rev->last_query = NULL;
	rev->n_queries = 0;
	table_clear(&rev->by_key);
}
