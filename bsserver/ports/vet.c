#include "bsserver/ports/vet.h"

#include <stdlib.h>
#include <string.h>

#include "bsserver/loop/http_client.h"
#include "lib/base/clock.h"
#include "lib/base/crypt.h"
#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/table.h"
#include "pki/chain.h"
#include "pki/pem.h"

#define SAVE_EVERY_MS 60000
#define CACHE_FILE_MAX ((size_t)64 << 20)

struct rule {
	char *trust;
	struct pki_rev_policy *policy;
};

struct vet_rules {
	struct rule *v;
	size_t n;
};

/* One exchange with a responder. */
struct exchange {
	struct exchange *prev, *next;
	struct vet *vet;
	uint64_t id;
	struct http_call *call;
};

struct vet {
	struct vet_conf c;
	struct vet_rules *rules;
	struct pki_rev_policy *strict; /* for what no trust of the configuration is about */
	struct pki_rev *engine;
	struct http_client *http;
	struct loop_timer *wake, *save;
	struct exchange *exchanges;
	struct table questions; /* by session */
	struct saving *saving;
	struct vet_stats stats;
};

/* A device that waits. */
struct question {
	struct table_node node;
	struct vet *vet;
	uint64_t session;
	uint8_t prints[PKI_PATH_MAX][PKI_SHA256_LEN]; /* of the certificates of its path but the anchor */
	size_t n_prints;
	struct pki_rev_check *check; /* NULL: the answer is on its way by itself */
	enum bs_reason reason;       /* then: NONE, or why it is refused */
	const char *text;
};

/* The cache on its way to the disk. */
struct saving {
	struct vet *vet; /* NULL: it was closed meanwhile */
	const char *file;
	struct gbuf bytes;
	enum err_code rc;
	struct err e;
};

/* ---- rules ---- */

void
vet_rules_free(struct vet_rules *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].trust);
		pki_rev_policy_unref(s->v[i].policy);
	}
	free(s->v);
	free(s);
}

static enum err_code
add_rule(struct vet_rules *s, const struct vet_rule *from, struct err *e)
{
	struct rule *r = &s->v[s->n++];

	r->trust = str_dup_n(from->trust, strlen(from->trust));
	if (r->trust == NULL)
		return err_no_memory(e);
	enum err_code rc = pki_rev_policy_new(&from->rules, &r->policy, e);
	return rc == ERR_OK ? rc : err_wrap(e, "trust %s", from->trust);
}

enum err_code
vet_rules_new(const struct vet_rule *rules, size_t n, struct vet_rules **out, struct err *e)
{
	struct vet_rules *s = calloc(1, sizeof *s);
	enum err_code rc = ERR_OK;

	if (s == NULL)
		return err_no_memory(e);
	s->v = calloc(n + 1, sizeof *s->v);
	if (s->v == NULL)
		rc = err_no_memory(e);
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = add_rule(s, &rules[i], e);
	if (rc != ERR_OK) {
		vet_rules_free(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

void
vet_reload(struct vet *v, struct vet_rules *rules)
{
	vet_rules_free(v->rules);
	v->rules = rules;
}

static struct pki_rev_policy *
policy_of(const struct vet *v, const char *trust)
{
	for (size_t i = 0; trust != NULL && i < v->rules->n; i++)
		if (strcmp(v->rules->v[i].trust, trust) == 0)
			return v->rules->v[i].policy;
	return NULL;
}

/* ---- what the engine asks of us ---- */

static void
op_now(void *arg, uint64_t *mono_ms, int64_t *wall_s)
{
	(void)arg;
	*mono_ms = clock_mono_ms();
	*wall_s = clock_wall_ms() / 1000;
}

static void
drop_exchange(struct exchange *x)
{
	if (x->prev != NULL)
		x->prev->next = x->next;
	else
		x->vet->exchanges = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	free(x);
}

static void
on_answer(void *arg, const struct http_answer *a)
{
	struct exchange *x = arg;
	struct vet *v = x->vet;
	uint64_t id = x->id;
	struct pki_rev_fetched f = { .error = a->error,
		.detail = a->detail,
		.status = a->status,
		.type = a->type,
		.body = a->body,
		.body_len = a->body_len };

	drop_exchange(x);
	pki_rev_fetched(v->engine, id, &f);
}

static enum err_code
op_fetch(void *arg, const struct pki_rev_fetch *f, struct err *e)
{
	struct vet *v = arg;
	struct exchange *x = calloc(1, sizeof *x);
	struct http_post p = { .url = f->url,
		.content_type = "application/ocsp-request",
		.body = f->body,
		.body_len = f->body_len,
		.connect_ms = f->connect_ms,
		.timeout_ms = f->timeout_ms,
		.max_body = f->max_response };

	if (x == NULL)
		return err_no_memory(e);
	x->vet = v;
	x->id = f->id;
	enum err_code rc = http_client_send(v->http, &p, on_answer, x, &x->call, e);
	if (rc != ERR_OK) {
		free(x);
		return rc;
	}
	x->next = v->exchanges;
	if (v->exchanges != NULL)
		v->exchanges->prev = x;
	v->exchanges = x;
	return ERR_OK;
}

static void
op_abort(void *arg, uint64_t id)
{
	struct vet *v = arg;
	struct exchange *x = v->exchanges;

	while (x != NULL && x->id != id)
		x = x->next;
	if (x == NULL)
		return;
	http_call_cancel(x->call);
	drop_exchange(x);
}

static void
op_wake_at(void *arg, uint64_t mono_ms)
{
	struct vet *v = arg;
	uint64_t now = clock_mono_ms();

	loop_timer_start(v->wake, mono_ms > now ? mono_ms - now : 0, 0);
}

static void
on_wake(void *arg)
{
	struct vet *v = arg;

	pki_rev_tick(v->engine);
}

/* ---- the file ---- */

static void
write_file(void *arg)
{
	struct saving *s = arg;

	s->rc = file_put(s->file, s->bytes.data, s->bytes.len, 0600, true, &s->e);
}

static void
on_written(void *arg)
{
	struct saving *s = arg;

	if (s->rc != ERR_OK)
		log_msg(LVL_WARNING, LOG_PKI, NULL, "certificate status could not be kept (%s)",
		    s->e.msg);
	if (s->vet != NULL)
		s->vet->saving = NULL;
	gbuf_clear(&s->bytes);
	free(s);
}

static struct saving *
begin_saving(struct vet *v)
{
	struct saving *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->vet = v;
	s->file = v->c.cache_file;
	s->bytes.max = CACHE_FILE_MAX;
	pki_rev_dump(v->engine, &s->bytes);
	s->rc = gbuf_check(&s->bytes, &s->e);
	return s;
}

static void
on_save(void *arg)
{
	struct vet *v = arg;

	if (v->saving != NULL || !pki_rev_changed(v->engine))
		return;
	v->saving = begin_saving(v);
	if (v->saving == NULL)
		return;
	if (v->saving->rc != ERR_OK ||
	    loop_work(v->c.loop, write_file, on_written, v->saving, &v->saving->e) != ERR_OK)
		on_written(v->saving);
}

static void
load_file(struct vet *v)
{
	struct secret bytes = SECRET_NONE;
	struct err e = { .code = ERR_OK };
	enum err_code rc = pem_read_file(v->c.cache_file, CACHE_FILE_MAX, &bytes, &e);

	if (rc == ERR_OK)
		rc = pki_rev_load(v->engine, bytes.data, bytes.len, &e);
	if (rc != ERR_OK && rc != ERR_NOT_FOUND)
		log_msg(LVL_WARNING, LOG_PKI, NULL, "kept certificate status is not used (%s: %s)",
		    v->c.cache_file, e.msg);
	secret_clear(&bytes);
}

/* ---- questions ---- */

static void
drop_question(struct question *q)
{
	table_remove(&q->vet->questions, &q->node);
	free(q);
}

static void
answer(struct question *q, enum bs_reason reason, const char *text)
{
	struct vet *v = q->vet;
	uint64_t session = q->session;
	struct bs_event ev = { .type = reason == BS_REASON_NONE ? BS_EV_VETTED : BS_EV_REFUSED,
		.reason = reason,
		.text = text };

	v->stats.allowed += reason == BS_REASON_NONE;
	v->stats.refused += reason != BS_REASON_NONE;
	drop_question(q);
	v->c.deliver(v->c.arg, session, &ev);
}

static enum bs_reason
reason_of(const struct pki_rev_result *r)
{
	if (r->allowed)
		return BS_REASON_NONE;
	return r->reason == PKI_R_REVOKED          ? BS_REASON_REVOKED
	       : r->reason == PKI_R_STATUS_UNKNOWN ? BS_REASON_STATUS_UNKNOWN
	                                           : BS_REASON_NO_STATUS;
}

/* It stays known when the answer has run out; one that is only on hold may come back. */
static void
tell_revoked(const struct question *q, const struct pki_rev_result *r)
{
	struct gbuf hex = { 0 }, why = { .max = 512 };
	struct pki_rev_result said = *r;

	if (r->reason != PKI_R_REVOKED || r->index != 0 || q->n_prints == 0 || q->vet->c.revoked == NULL ||
	    r->crl_reason == PKI_CRL_HOLD)
		return;
	enc_hex(&hex, q->prints[0], sizeof q->prints[0]);
	said.age_s = 0; /* it is kept for longer than that */
	said.stale = false;
	pki_rev_result_text(&why, &said);
	if (!hex.failed && !why.failed)
		q->vet->c.revoked(q->vet->c.arg, gbuf_cstr(&hex), gbuf_cstr(&why));
	gbuf_clear(&hex);
	gbuf_clear(&why);
}

static void
on_checked(void *arg, enum err_code rc, const struct pki_rev_result *r)
{
	struct question *q = arg;
	struct gbuf text = { .max = 2048 };

	q->check = NULL;
	if (q->vet == NULL) { /* forgotten while the engine closes */
		free(q);
		return;
	}
	if (rc != ERR_OK) {
		answer(q, BS_REASON_RESTARTED,
		    "the server stops while the certificate's status is asked for");
		return;
	}
	bool good_now = r->reason == PKI_OK && r->source[0] != '\0' && !r->stale;
	if (r->allowed && q->vet->c.shelf != NULL &&
	    shelf_revokes(q->vet->c.shelf, q->prints, q->n_prints, good_now, &text)) {
		answer(q, BS_REASON_REVOKED, gbuf_cstr(&text));
		gbuf_clear(&text);
		return;
	}
	gbuf_str(&text, r->index == 0 ? "certificate status: " : "status of a CA's certificate: ");
	pki_rev_result_text(&text, r);
	if (r->soft || r->stale) {
		q->vet->stats.soft += r->soft;
		log_msg(LVL_WARNING, LOG_PKI, &(struct log_about){ .session = q->session }, "%s",
		    gbuf_cstr(&text));
	}
	tell_revoked(q, r);
	answer(q, reason_of(r), gbuf_cstr(&text));
	gbuf_clear(&text);
}

/* What needs no check is answered in a turn of its own too. */
static void
on_posted(void *arg)
{
	struct question *q = arg;

	if (q->vet == NULL) { /* it was forgotten */
		free(q);
		return;
	}
	answer(q, q->reason, q->text);
}

static void
answer_later(struct question *q, enum bs_reason reason, const char *text)
{
	q->reason = reason;
	q->text = text;
	loop_post(q->vet->c.loop, on_posted, q);
}

static enum err_code
read_path(const struct bs_peer *peer, struct pki_certs *out, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < peer->n_chain; i++)
		rc = pki_certs_parse(out, peer->chain[i].data, peer->chain[i].len, BS_CHAIN_MAX, e);
	return rc;
}

static void
begin_check(struct question *q, const struct bs_peer *peer)
{
	struct pki_rev_policy *policy = policy_of(q->vet, peer->trust);
	struct pki_certs path = PKI_CERTS_NONE;

	if (q->vet->engine == NULL)
		answer_later(q, BS_REASON_RESTARTED, "the server stops");
	else if (policy == NULL || peer->n_chain == 0)
		answer_later(q, BS_REASON_CERTIFICATE,
		    "the trust that the certificate was accepted under is no longer in the "
		    "configuration");
	else if (read_path(peer, &path, NULL) != ERR_OK ||
	         pki_rev_check(q->vet->engine, &path, policy, on_checked, q, &q->check, NULL) !=
	             ERR_OK)
		answer_later(
		    q, BS_REASON_NO_MEMORY, "the certificate's status could not be asked for");
	for (size_t i = 0; i + 1 < path.n && i < N_ELEMS(q->prints); i++)
		memcpy(q->prints[q->n_prints++], path.v[i]->fingerprint, PKI_SHA256_LEN);
	pki_certs_clear(&path);
}

void
vet_ask(struct vet *v, uint64_t session, const struct bs_peer *peer)
{
	struct question *q = calloc(1, sizeof *q);

	if (q == NULL)
		return; /* the session's deadline answers */
	q->vet = v;
	q->session = session;
	if (table_add(&v->questions, &q->node, table_hash_u64(&v->questions, session)) != ERR_OK) {
		free(q);
		return;
	}
	v->stats.asked++;
	if (peer->mode == BS_X509)
		begin_check(q, peer);
	else
		answer_later(q, BS_REASON_NONE, NULL);
}

static void
forget_question(struct question *q)
{
	table_remove(&q->vet->questions, &q->node);
	if (q->check != NULL && q->vet->engine != NULL) {
		pki_rev_cancel(q->vet->engine, q->check);
		free(q);
	} else {
		q->vet = NULL; /* posted, or about to be called back: it is freed then */
	}
}

void
vet_forget(struct vet *v, uint64_t session)
{
	struct table_node *node =
	    table_first(&v->questions, table_hash_u64(&v->questions, session));

	for (; node != NULL; node = table_next(node)) {
		struct question *q = CONTAINER_OF(node, struct question, node);

		if (q->session == session) {
			forget_question(q);
			return;
		}
	}
}

/* ---- what is handed out ---- */

struct path_question {
	vet_path_fn *done;
	void *arg;
};

static void
on_path_checked(void *arg, enum err_code rc, const struct pki_rev_result *r)
{
	struct path_question *q = arg;
	struct gbuf text = { .max = 2048 };

	if (rc == ERR_OK) {
		gbuf_str(&text, r->index == 0 ? "status: " : "status of a CA above it: ");
		pki_rev_result_text(&text, r);
		q->done(q->arg, reason_of(r), gbuf_cstr(&text));
	} else {
		q->done(q->arg, BS_REASON_RESTARTED, "status: the server stops while it is asked for");
	}
	gbuf_clear(&text);
	free(q);
}

enum err_code
vet_path(struct vet *v, const char *trust, const struct pki_certs *path, vet_path_fn *done, void *arg,
    struct err *e)
{
	struct pki_rev_policy *policy = policy_of(v, trust);
	struct pki_rev_check *check;
	struct path_question *q;

	if (v->engine == NULL)
		return err_set(e, ERR_CLOSED, "the server stops");
	q = calloc(1, sizeof *q);
	if (q == NULL)
		return err_no_memory(e);
	*q = (struct path_question){ done, arg };
	enum err_code rc = pki_rev_check(
	    v->engine, path, policy != NULL ? policy : v->strict, on_path_checked, q, &check, e);
	if (rc != ERR_OK)
		free(q);
	return rc;
}

/* ---- open and close ---- */

static enum err_code
open_engine(struct vet *v, struct err *e)
{
	struct pki_rev_ops ops = { v, op_now, op_fetch, op_abort, op_wake_at };
	struct pki_rev_rules strict;
	uint64_t seed = 0;
	enum err_code rc = crypt_random(&seed, sizeof seed, e);

	table_init(&v->questions, seed);
	pki_rev_rules_default(&strict);
	if (rc == ERR_OK)
		rc = pki_rev_policy_new(&strict, &v->strict, e);
	if (rc == ERR_OK)
		rc = http_client_new(v->c.loop, &v->http, e);
	if (rc == ERR_OK)
		rc = loop_timer_new(v->c.loop, on_wake, v, &v->wake, e);
	if (rc == ERR_OK)
		rc = loop_timer_new(v->c.loop, on_save, v, &v->save, e);
	if (rc == ERR_OK)
		rc = pki_rev_open(&ops, &v->c.limits, &v->engine, e);
	return rc;
}

enum err_code
vet_open(const struct vet_conf *c, struct vet_rules *rules, struct vet **out, struct err *e)
{
	struct vet *v = calloc(1, sizeof *v);

	if (v == NULL) {
		vet_rules_free(rules);
		return err_no_memory(e);
	}
	v->c = *c;
	v->rules = rules;
	enum err_code rc = open_engine(v, e);
	if (rc != ERR_OK) {
		vet_stop(v);
		vet_free(v);
		return rc;
	}
	if (c->cache_file != NULL) {
		load_file(v);
		loop_timer_start(v->save, SAVE_EVERY_MS, SAVE_EVERY_MS);
	}
	*out = v;
	return ERR_OK;
}

/* What is known is written before the engine goes; this once it may take its time. */
static void
save_last(struct vet *v)
{
	struct saving *s;

	if (v->saving != NULL)
		v->saving->vet = NULL;
	if (v->c.cache_file == NULL || v->engine == NULL || !pki_rev_changed(v->engine))
		return;
	s = begin_saving(v);
	if (s == NULL)
		return;
	if (s->rc == ERR_OK)
		write_file(s);
	s->vet = NULL;
	on_written(s);
}

void
vet_stop(struct vet *v)
{
	if (v == NULL)
		return;
	save_last(v);
	struct pki_rev *engine = v->engine;
	v->engine = NULL; /* who asks from now on is refused */
	pki_rev_close(engine);
	http_client_free(v->http);
	v->http = NULL;
	loop_timer_free(v->wake);
	loop_timer_free(v->save);
	v->wake = v->save = NULL;
}

void
vet_free(struct vet *v)
{
	struct table_node *node;
	size_t at = 0;

	if (v == NULL)
		return;
	while ((node = table_each(&v->questions, &at, NULL)) != NULL) { /* posted, not told yet */
		struct question *q = CONTAINER_OF(node, struct question, node);

		table_remove(&v->questions, &q->node);
		q->vet = NULL;
		at = 0;
	}
	table_clear(&v->questions);
	vet_rules_free(v->rules);
	pki_rev_policy_unref(v->strict);
	free(v);
}

void
vet_stats(const struct vet *v, struct vet_stats *out)
{
	*out = v->stats;
	if (v->engine != NULL)
		pki_rev_stats(v->engine, &out->engine);
}
