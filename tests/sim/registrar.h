/*
 * tests/sim/registrar.h: a simulated device on its registration interface: Register, Update, queue
 * mode, and obedience to the Bootstrap-Request Trigger. Pure, like device.h, and written from the
 * protocol: its owner gives it a connection and calls it.
 */
#ifndef TESTS_SIM_REGISTRAR_H
#define TESTS_SIM_REGISTRAR_H

#include "lib/base/err.h"
#include "lib/lwm2m/tree.h"

struct registrar;

enum registrar_event {
	REGISTRAR_REGISTERED,
	REGISTRAR_UPDATED,
	REGISTRAR_TRIGGERED, /* it agreed to bootstrap, and says no more */
	REGISTRAR_REFUSED,   /* code: the answer to Register */
	REGISTRAR_UNANSWERED
};

struct registrar_ops {
	void (*send)(void *arg, const uint8_t *p, size_t n);
	/* REFUSED, UNANSWERED and TRIGGERED are the last. It is not freed from inside. */
	void (*event)(void *arg, enum registrar_event ev, uint8_t code);
};

struct registrar_config {
	uint16_t ssid;	    /* of the account that it registers with */
	uint32_t update_ms; /* between Updates; 0: none */
	uint32_t awake_ms;  /* queue mode: so long it listens after it spoke; 0: no queue mode */
	const char *version; /* "1.1" */
	uint32_t ack_timeout_ms;
	unsigned max_retransmit;
};

/* The /0 instance of the account, by its Short Server ID; false: it has none. */
bool registrar_account(const struct lwm2m_tree *t, uint16_t ssid, uint16_t *iid);

/* cfg and tree are borrowed as long as it lives; endpoint is copied. NULL when memory is short. */
struct registrar *registrar_new(const struct registrar_config *cfg, const char *endpoint,
    const struct lwm2m_tree *tree, uint64_t seed, const struct registrar_ops *ops, void *arg);
void registrar_free(struct registrar *r);
/* The connection is there: it registers. */
void registrar_start(struct registrar *r, uint64_t now_ms);
void registrar_input(struct registrar *r, uint64_t now_ms, const uint8_t *p, size_t n);
void registrar_tick(struct registrar *r, uint64_t now_ms);
uint64_t registrar_next(const struct registrar *r);

#endif
