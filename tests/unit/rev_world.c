#include "tests/unit/rev_world.h"

#include <stdio.h>
#include <string.h>

struct forge root, ica, leaf, plain_ca, plain, two_urls, other_schemes, mixed, direct;

static void
make_world(void)
{
	forge_make(&root, &(struct forge_opts){ .cn = "root", .ca = true });
	forge_make(&ica,
	    &(struct forge_opts){ .cn = "ica", .issuer = &root, .ca = true, .ocsp = { URL2 } });
	forge_make(&leaf, &(struct forge_opts){ .cn = "leaf", .issuer = &ica, .ocsp = { URL1 } });
	forge_make(&plain_ca, &(struct forge_opts){ .cn = "plain", .issuer = &root, .ca = true });
	forge_make(&plain, &(struct forge_opts){ .cn = "leaf", .issuer = &plain_ca });
	forge_make(
	    &direct, &(struct forge_opts){ .cn = "direct", .issuer = &root, .ocsp = { URL1 } });
	forge_make(&two_urls,
	    &(struct forge_opts){ .cn = "two", .issuer = &root, .ocsp = { URL1, URL2 } });
	forge_make(&other_schemes, &(struct forge_opts){ .cn = "odd",
	                               .issuer = &root,
	                               .ocsp = { "https://one.example/", "ldap://one.example/",
	                                   "file:///etc/passwd", "ftp://one.example/" } });
	forge_make(
	    &mixed, &(struct forge_opts){
	                .cn = "mixed", .issuer = &root, .ocsp = { "https://one.example/", URL2 } });
}

struct world w;

static void
fake_now(void *arg, uint64_t *mono, int64_t *wall)
{
	(void)arg;
	*mono = w.mono;
	*wall = w.wall;
}

static enum err_code
fake_fetch(void *arg, const struct pki_rev_fetch *f, struct err *e)
{
	(void)arg;
	(void)e;
	ck_assert_uint_lt(w.n, FETCHES);
	ck_assert_uint_le(f->body_len, sizeof w.f[0].body);
	struct fetch *to = &w.f[w.n++];
	to->id = f->id;
	to->open = true;
	to->len = f->body_len;
	memcpy(to->body, f->body, f->body_len);
	(void)snprintf(to->url, sizeof to->url, "%s", f->url);
	ck_assert_uint_gt(f->timeout_ms, 0);
	ck_assert_uint_le(f->timeout_ms, w.conf.request_ms);
	return ERR_OK;
}

static void
fake_abort(void *arg, uint64_t id)
{
	(void)arg;
	for (size_t i = 0; i < w.n; i++)
		if (w.f[i].id == id) {
			ck_assert(w.f[i].open);
			w.f[i].open = false;
		}
	w.aborted++;
}

static void
fake_wake(void *arg, uint64_t at)
{
	(void)arg;
	w.wake = at;
}

void
open_engine(void)
{
	struct pki_rev_ops ops = { NULL, fake_now, fake_fetch, fake_abort, fake_wake };
	struct err e = { 0 };

	ck_assert_int_eq(pki_rev_open(&ops, &w.conf, &w.rev, &e), ERR_OK);
	w.wake = UINT64_MAX;
}

void
set_policy(void)
{
	struct err e = { 0 };

	pki_rev_policy_unref(w.policy);
	w.policy = NULL;
	ck_assert_msg(pki_rev_policy_new(&w.rules, &w.policy, &e) == ERR_OK, "%s", e.msg);
}

static void
setup(void)
{
	memset(&w, 0, sizeof w);
	w.mono = 1000000;
	w.wall = NOW;
	pki_rev_conf_default(&w.conf);
	pki_rev_rules_default(&w.rules);
	set_policy();
	open_engine();
}

static void
teardown(void)
{
	pki_rev_close(w.rev);
	pki_rev_policy_unref(w.policy);
	for (size_t i = 0; i < w.n; i++)
		ck_assert_msg(!w.f[i].open, "fetch %zu was forgotten", i);
}

static void
on_told(void *arg, enum err_code rc, const struct pki_rev_result *r)
{
	struct told *t = arg;

	ck_assert_msg(!w.inside, "called back from inside");
	t->times++;
	t->rc = rc;
	t->r = *r;
}

/* A path of leaf, its CA and so on to the root. */
struct pki_rev_check *
ask_path(const struct forge *const *path, size_t n, struct told *t)
{
	struct pki_cert *v[4];
	struct pki_certs certs = { v, n, n };
	struct pki_rev_check *k;
	struct err e = { 0 };

	for (size_t i = 0; i < n; i++)
		v[i] = path[i]->cert;
	*t = (struct told){ 0 };
	w.inside = true;
	ck_assert_int_eq(pki_rev_check(w.rev, &certs, w.policy, on_told, t, &k, &e), ERR_OK);
	w.inside = false;
	return k;
}

struct pki_rev_check *
ask(const struct forge *cert, struct told *t)
{
	const struct forge *path[] = { cert, &root };

	return ask_path(path, 2, t);
}

struct pki_rev_check *
ask_long(struct told *t)
{
	const struct forge *path[] = { &leaf, &ica, &root };

	return ask_path(path, 3, t);
}

void
turn(void)
{
	for (int i = 0; i < 100 && w.wake == 0; i++) {
		w.wake = UINT64_MAX;
		pki_rev_tick(w.rev);
	}
	ck_assert_uint_ne(w.wake, 0);
}

void
pass(uint64_t ms)
{
	uint64_t end = w.mono + ms;

	turn();
	while (w.wake <= end) {
		uint64_t step = w.wake > w.mono ? w.wake - w.mono : 0;

		w.mono += step;
		w.wake = UINT64_MAX;
		pki_rev_tick(w.rev);
		turn();
	}
	w.mono = end;
}

void
later(int64_t s)
{
	pass((uint64_t)s * 1000);
	w.wall += s;
}

struct fetch *
flying(size_t i)
{
	ck_assert_uint_lt(i, w.n);
	ck_assert(w.f[i].open);
	return &w.f[i];
}

static void
deliver(size_t i, const struct pki_rev_fetched *a)
{
	struct fetch *f = flying(i);

	f->open = false;
	w.inside = true;
	pki_rev_fetched(w.rev, f->id, a);
	w.inside = false;
	turn();
}

void
fail_fetch(size_t i, enum err_code rc)
{
	deliver(i, &(struct pki_rev_fetched){ .error = rc, .detail = "connection refused" });
}

void
http(size_t i, long status, const char *type, const void *body, size_t n)
{
	deliver(i, &(struct pki_rev_fetched){
	               .status = status, .type = type, .body = body, .body_len = n });
}

struct pki_blob
nonce_sent(const struct fetch *f)
{
	static const uint8_t oid[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02 };
	const uint8_t *p = memmem(f->body, f->len, oid, sizeof oid);

	ck_assert_ptr_nonnull(p);
	p += sizeof oid;
	ck_assert_int_eq(p[0], 0x04);
	ck_assert_int_eq(p[1], 34);
	return (struct pki_blob){ p + 2, 34 };
}

void
answer_with(size_t i, struct forge_ocsp o)
{
	struct gbuf der = { .max = 0 };

	o.nonce = nonce_sent(flying(i));
	forge_ocsp(&o, &der);
	http(i, 200, OCSP_TYPE, der.data, der.len);
	gbuf_clear(&der);
}

void
answer(size_t i, const struct forge *cert, const struct forge *issuer, enum pki_status s)
{
	answer_with(i, forge_answer(cert, issuer, issuer, s, w.wall));
}

void
expect(const struct told *t, enum pki_reason reason, bool allowed)
{
	ck_assert_uint_eq(t->times, 1);
	ck_assert_int_eq(t->rc, ERR_OK);
	ck_assert_msg(t->r.reason == reason, "%s: %s", pki_reason_name(t->r.reason), t->r.detail);
	ck_assert_int_eq(t->r.allowed, allowed);
}

const struct forge **
many(size_t n)
{
	static struct forge certs[1200];
	static const struct forge *all[N_ELEMS(certs)];

	for (size_t i = 0; i < n; i++) {
		if (certs[i].cert == NULL)
			forge_make(&certs[i], &(struct forge_opts){ .cn = "many",
			                          .issuer = &root,
			                          .rekey = &leaf,
			                          .ocsp = { i % 2 != 0 ? URL2 : URL1 } });
		all[i] = &certs[i];
	}
	return all;
}

int
rev_world_run(const char *name, const struct unit_case *cases, size_t n)
{
	make_world();
	return unit_run(unit_suite_with(name, cases, n, setup, teardown));
}
