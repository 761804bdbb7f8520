#include "tests/system/vet_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"

struct forge root, other_root, signer;
struct vet_world w;
struct told told[SESSIONS];

static fault_fn *responder;
static struct forge *asked_about[SESSIONS]; /* the responder's threads read them: kept until it ends */
static size_t n_asked_about;

/* ---- the responder ---- */

struct pki_blob
nonce_of(const uint8_t *body, size_t n)
{
	static const uint8_t oid[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02 };
	const uint8_t *p = memmem(body, n, oid, sizeof oid);

	return p == NULL ? PKI_BLOB_NONE : (struct pki_blob){ p + sizeof oid + 2, 34 };
}

static const struct forge *
subject_of(const uint8_t *body, size_t n)
{
	for (size_t i = 0; i < n_asked_about; i++) {
		struct pki_blob serial = asked_about[i]->cert->serial;

		if (memmem(body, n, serial.p, serial.n) != NULL)
			return asked_about[i];
	}
	abort();
}

struct forge_ocsp
vet_world_answer(const uint8_t *body, size_t n)
{
	struct forge_ocsp o =
	    forge_answer(subject_of(body, n), &root, &signer, PKI_STATUS_GOOD, w.now);

	o.nonce = nonce_of(body, n);
	return o;
}

static void
respond(void *arg, const char *path, const uint8_t *body, size_t n, struct fault_reply *r)
{
	if (w.down)
		r->reset = true;
	else
		responder(arg, path, body, n, r);
}

/* ---- the world ---- */

static void
on_event(void *arg, uint64_t session, struct bs_event *ev)
{
	struct told *t = &told[session];

	(void)arg;
	t->times++;
	t->type = ev->type;
	t->reason = ev->reason;
	(void)snprintf(t->text, sizeof t->text, "%s", ev->text == NULL ? "" : ev->text);
}

struct vet_rules *
made_rules(void)
{
	struct vet_rule rule = { "factory", w.rules };
	struct vet_rules *out = NULL;
	struct err e;

	ck_assert_msg(vet_rules_new(&rule, 1, &out, &e) == ERR_OK, "%s", e.msg);
	return out;
}

static void
on_revoked(void *arg, const char *sha256, const char *why)
{
	(void)arg;
	w.n_revoked++;
	(void)snprintf(w.last_revoked, sizeof w.last_revoked, "%s", sha256);
	(void)snprintf(w.last_why, sizeof w.last_why, "%s", why);
}

void
open_vet(void)
{
	struct vet_conf c = { .loop = w.loop,
		.cache_file = w.file,
		.deliver = on_event,
		.revoked = on_revoked,
		.shelf = w.shelf };
	struct err e;

	pki_rev_conf_default(&c.limits);
	c.limits.deadline_ms = w.deadline_ms;
	c.limits.request_ms = w.deadline_ms / 2;
	c.limits.retry_ms = 10;
	c.limits.ttl_s = w.ttl_s;
	ck_assert_int_eq(vet_open(&c, made_rules(), &w.vet, &e), ERR_OK);
}

void
close_vet(void)
{
	vet_stop(w.vet);
	vet_free(w.vet);
	w.vet = NULL;
}

void
restart(void)
{
	close_vet();
	open_vet();
}

static void
setup(void)
{
	struct err e;

	memset(told, 0, sizeof told);
	n_asked_about = 0;
	w = (struct vet_world){ .now = w.now, .deadline_ms = 30000, .ttl_s = 3600 };
	pki_rev_rules_default(&w.rules);
	ck_assert_int_eq(loop_new(&w.loop, &e), ERR_OK);
	w.server = fault_server_new(respond, NULL, &w.port);
	open_vet();
}

static void
teardown(void)
{
	close_vet();
	fault_server_free(w.server);
	for (size_t i = 0; i < n_asked_about; i++)
		forge_clear(asked_about[i]);
	loop_free(w.loop);
	(void)unlink(w.cache_file);
}

void
device_with(struct forge *k, const struct forge_opts *o)
{
	struct forge_opts made = *o;
	char url[2][128];

	for (size_t i = 0; i < N_ELEMS(url) && o->ocsp[i] != NULL; i++) {
		bool path = o->ocsp[i][0] == '/';

		(void)snprintf(url[i], sizeof url[i], path ? "http://127.0.0.1:%u%s" : "%.0u%s",
		    path ? w.port : 0, o->ocsp[i]);
		made.ocsp[i] = url[i];
	}
	made.now = w.now;
	forge_make(k, &made);
	asked_about[n_asked_about++] = k;
}

void
device(struct forge *k, const char *a, const char *b)
{
	device_with(k, &(struct forge_opts){
	                   .cn = "device", .issuer = &root, .rekey = &signer, .ocsp = { a, b } });
}

void
ask_path(uint64_t session, const struct forge *const *path, size_t n)
{
	struct bs_blob chain[4];
	struct bs_peer peer = {
		.mode = BS_X509, .chain = chain, .n_chain = n, .trust = "factory"
	};

	ck_assert_uint_le(n, N_ELEMS(chain));
	for (size_t i = 0; i < n; i++)
		chain[i] = (struct bs_blob){ path[i]->cert->der.p, path[i]->cert->der.n };
	told[session] = (struct told){ 0 };
	vet_ask(w.vet, session, &peer);
	ck_assert_uint_eq(told[session].times, 0);
}

void
ask(uint64_t session, const struct forge *k)
{
	const struct forge *path[] = { k, &root };

	ask_path(session, path, N_ELEMS(path));
}

const struct told *
wait_for(uint64_t session)
{
	uint64_t until = clock_mono_ms() + 50000;

	while (told[session].times == 0 && clock_mono_ms() < until)
		loop_turn(w.loop, 100);
	ck_assert_uint_eq(told[session].times, 1);
	return &told[session];
}

/* ---- the program ---- */

void
vet_world_make(fault_fn *fn)
{
	responder = fn;
	w.now = time(NULL);
	forge_make(&root, &(struct forge_opts){ .cn = "root", .ca = true, .now = w.now });
	forge_make(&other_root, &(struct forge_opts){ .cn = "other", .ca = true, .now = w.now });
	forge_make(&signer, &(struct forge_opts){ .cn = "ocsp",
	                        .issuer = &root,
	                        .eku = { OCSP_SIGNING },
	                        .nocheck = true,
	                        .now = w.now });
}

int
vet_world_run(const char *name, const struct unit_case *cases, size_t n)
{
	return unit_run(unit_suite_with(name, cases, n, setup, teardown));
}
