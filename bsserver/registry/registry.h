/*
 * bsserver/registry/registry.h: an LwM2M Server that devices register with, only to be called back:
 * Register, Update and De-register (Transport 1.1 section 6.4.3), on listeners of its own.
 */
#ifndef BSSERVER_REGISTRY_REGISTRY_H
#define BSSERVER_REGISTRY_REGISTRY_H

#include "bsserver/registry/regs.h"
#include "bsserver/registry/returns.h"
#include "bsserver/registry/trigger.h"
#include "bsserver/transport/transport.h"

struct registry;

struct registry_hooks {
	void *arg;
	transport_psk_fn *psk; /* of devices' accounts with a pre-shared key: the identity is the endpoint */
	/* Whether it may register so: its account here is of that kind. */
	bool (*may)(void *arg, const char *endpoint, enum transport_kind kind);
	transport_certificate_fn *certificate; /* NULL: none is let in */
	void (*forget)(void *arg, void *proof);
	/*
	 * Which endpoint somebody with a raw public key or a certificate is, who calls himself so, or "" not at all.
	 * false: none, and why is a few words.
	 */
	bool (*whose)(void *arg, const struct transport_identity *who, char endpoint[REG_ENDPOINT_MAX + 1],
	    const char **why);
	void (*handshake_failed)(void *arg, const struct transport_failure *f);
	/* It listens now: it registered, or updated its registration. NULL: nobody cares. */
	void (*spoke)(void *arg, const char *endpoint, bool registered);
};

struct registry_conf {
	struct loop *loop;
	const struct transport_listener *listeners;
	struct transport_credentials credentials; /* read at once */
	size_t n_listeners;
	size_t max_devices;
	uint32_t awake_ms;  /* how long one in queue mode listens after it spoke */
	uint32_t answer_ms; /* how long a device may take for an answer, repetitions included */
	const struct store_ops *ops; /* where registrations outlive a restart */
	struct store *store;
	bool cbc;
	struct registry_hooks hooks;
};

/* Registrations of an earlier run are loaded: each is reachable when the device speaks again. */
enum err_code registry_open(const struct registry_conf *c, struct registry **out, struct err *e);
/* Closes the listeners; registrations stay as they are. NULL is fine. */
void registry_close(struct registry *r);
void registry_free(struct registry *r); /* NULL is fine */

/* As transport_reload(). */
enum err_code registry_reload(struct registry *r, const struct transport_credentials *c, struct err *e);

uint16_t registry_port(const struct registry *r, size_t listener);

/* The device is no more: its registration ends. */
void registry_forget(struct registry *r, const char *endpoint);

/* What is known of one; NULL: it never registered. Valid until the next turn of the loop. */
const struct reg *registry_find(const struct registry *r, const char *endpoint);

/* A session of a device that has an account here, which ended well. */
struct registry_ended {
	const char *endpoint;
	uint64_t session;
	int64_t started_ms, ended_ms;
	bool invited; /* it was called back */
};
void registry_session(struct registry *r, const struct registry_ended *s);
/* One of an earlier run: the newest come first. */
void registry_past_session(struct registry *r, const struct registry_ended *s);
/* What is to be said of a device since then. */
void registry_news(const struct registry *r, const char *endpoint, struct returns_news *out);
/* Seconds that a device is to stay away; 0: none. What is not 0 is counted. */
uint32_t registry_hold_back(struct registry *r, const char *endpoint);

/* It is registered, and listens now. */
bool registry_awake(struct registry *r, const char *endpoint);
/* Itself as a way to devices, while it is open. */
struct trigger_way registry_way(struct registry *r);

struct registry_stats {
	uint64_t registers, updates, deregisters, refused, expired; /* since the start */
	uint64_t registered, known, reachable;			    /* now; reachable: a session is kept */
	uint64_t held_back; /* since the start */
	uint64_t returns[RETURNS__STATES];
	struct transport_stats transport;
};
void registry_stats(const struct registry *r, struct registry_stats *out);

#endif
