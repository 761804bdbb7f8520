/*
 * tests/unit/rev_world.h: the engine of revocation, with responders, clocks and timers that the
 * test plays. Checks of its own fail the test that runs.
 */
#ifndef TESTS_UNIT_REV_WORLD_H
#define TESTS_UNIT_REV_WORLD_H

#include "pki/revocation.h"
#include "tests/unit/pki_forge.h"
#include "tests/unit/unit.h"

#define NOW FORGE_NOW
#define FETCHES 4096
#define URL1 "http://one.example/ocsp"
#define URL2 "http://two.example/ocsp"
#define OCSP_TYPE "application/ocsp-response"

/* root certified all but leaf (by ica) and plain (by plain_ca); their responders: leaf, direct and
 * the first of two_urls URL1; ica, the second of two_urls and the one of mixed that is http URL2.
 */
extern struct forge root, ica, leaf, plain_ca, plain, two_urls, other_schemes, mixed, direct;

/* One exchange that the engine wants. */
struct fetch {
	uint64_t id;
	char url[128];
	uint8_t body[512];
	size_t len;
	bool open;
};

/* What a check was told. */
struct told {
	unsigned times;
	enum err_code rc;
	struct pki_rev_result r;
};

struct world {
	struct pki_rev *rev;
	struct pki_rev_rules rules; /* changed: set_policy() */
	struct pki_rev_conf conf;
	struct pki_rev_policy *policy;
	uint64_t mono;
	int64_t wall;
	struct fetch f[FETCHES];
	size_t n, aborted;
	uint64_t wake;
	bool inside; /* a call of ours is under way: no callback may come */
};
extern struct world w;

void open_engine(void);
void set_policy(void);

struct pki_rev_check *ask_path(const struct forge *const *path, size_t n, struct told *t);
struct pki_rev_check *ask(const struct forge *cert, struct told *t); /* certified by root */
struct pki_rev_check *ask_long(struct told *t);                      /* leaf, ica, root */

void turn(void);        /* of the loop, until nothing is due at once */
void pass(uint64_t ms); /* by the clock that never goes back alone */
void later(int64_t s);  /* by both */

/* Exchange i, from 0, which must be under way, ends so. */
struct fetch *flying(size_t i);
void fail_fetch(size_t i, enum err_code rc);
void http(size_t i, long status, const char *type, const void *body, size_t n);
void answer_with(size_t i, struct forge_ocsp o); /* with the right nonce */
void answer(size_t i, const struct forge *cert, const struct forge *issuer, enum pki_status s);
/* The nonce extension's value in the request that was sent. */
struct pki_blob nonce_sent(const struct fetch *f);

/* It was told once, this. */
void expect(const struct told *t, enum pki_reason reason, bool allowed);

/* n certificates by root, of URL1 and URL2 in turn. */
const struct forge **many(size_t n);

/* What main() returns. */
int rev_world_run(const char *suite, const struct unit_case *cases, size_t n);

#endif
