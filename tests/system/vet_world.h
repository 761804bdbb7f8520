/*
 * tests/system/vet_world.h: devices' certificates, the loop that asks about them, and a responder on
 * loopback that answers as a test program wants.
 */
#ifndef TESTS_SYSTEM_VET_WORLD_H
#define TESTS_SYSTEM_VET_WORLD_H

#include "bsserver/ports/vet.h"
#include "tests/unit/fault_server.h"
#include "tests/unit/pki_forge.h"
#include "tests/unit/unit.h"

#define OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define OCSP_TYPE "application/ocsp-response"
#define SESSIONS 1200

/* What tables of answers and verdicts call the reasons. */
#define GOOD BS_REASON_NONE
#define REVOKED BS_REASON_REVOKED
#define UNKNOWN BS_REASON_STATUS_UNKNOWN
#define NONE BS_REASON_NO_STATUS

/* root certified the responder's signer, and devices. */
extern struct forge root, other_root, signer;

extern struct vet_world {
	struct loop *loop;
	struct vet *vet;
	struct fault_server *server;
	unsigned port; /* its */
	int64_t now;
	volatile bool down; /* whatever else the responder would do, it resets */
	/* what restart() takes */
	const char *file; /* NULL: nothing is kept */
	char cache_file[64];
	struct pki_rev_rules rules;
	unsigned deadline_ms;
	uint32_t ttl_s;
	const struct shelf *shelf;
	/* of what the world was told that it is revoked */
	unsigned n_revoked;
	char last_revoked[80], last_why[256];
} w;

/* What a device's session was told. */
extern struct told {
	unsigned times;
	enum bs_event_type type;
	enum bs_reason reason;
	char text[512];
} told[SESSIONS];

/* A certificate of the same key for a device, that names these paths of the responder, or URLs. */
void device(struct forge *k, const char *a, const char *b);
/* The same, and more: o's names of responders are paths too. */
void device_with(struct forge *k, const struct forge_opts *o);
void ask(uint64_t session, const struct forge *k); /* certified by root */
void ask_path(uint64_t session, const struct forge *const *path, size_t n);
const struct told *wait_for(uint64_t session);

void open_vet(void);
void close_vet(void);
void restart(void);
struct vet_rules *made_rules(void);

/* The nonce that a request has; a good answer to it, with that nonce. In the responder's threads. */
struct pki_blob nonce_of(const uint8_t *body, size_t n);
struct forge_ocsp vet_world_answer(const uint8_t *body, size_t n);

void vet_world_make(fault_fn *responder);
/* What main() returns. */
int vet_world_run(const char *suite, const struct unit_case *cases, size_t n);

#endif
