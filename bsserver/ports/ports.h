/*
 * bsserver/ports/ports.h: what the bootstrap engine asks of the world, answered by the rest of the
 * house: lookup (auth, store, profiles) and record (store). Each answer comes by deliver, later.
 */
#ifndef BSSERVER_PORTS_PORTS_H
#define BSSERVER_PORTS_PORTS_H

#include "bsserver/auth/trust.h"
#include "bsserver/bootstrap/ports.h"
#include "bsserver/handoff/handoff.h"
#include "bsserver/loop/loop.h"
#include "bsserver/ports/shelf.h"
#include "bsserver/ports/vet.h"

struct ports;

struct ports_conf {
	struct loop *loop;
	const struct store_ops *ops;
	struct store *store;
	struct auth *auth;
	struct shelf *shelf;
	const struct lwm2m_model *model;
	struct vet *vet;	   /* NULL: ports_use() tells later, and until then no status is known */
	const struct trust *trust; /* for what is handed out; NULL likewise */
	struct handoff *handoff; /* NULL: the configuration has no LwM2M Servers */
	void *arg;
	void (*deliver)(void *arg, uint64_t session, struct bs_event *ev);
	/* A record on its way to the store; NULL: nobody listens. */
	void (*recorded)(void *arg, const struct bs_record *r);
	/* Seconds that a device is to stay away, when everything else speaks for it; 0: it may come. NULL: none is. */
	uint32_t (*hold_back)(void *arg, const char *endpoint);
};

enum err_code ports_new(const struct ports_conf *c, struct ports **out, struct err *e);
/* From now on these; what is under way goes on with what it began with. */
void ports_use(struct ports *p, struct vet *v, const struct trust *t);
/* Answers that are still under way are dropped when they come: free it after the store was closed. */
void ports_free(struct ports *p); /* NULL is fine */

/* Records that the store could not keep: sessions that happened and that nobody will find. */
uint64_t ports_records_lost(const struct ports *p);

/* Members of struct bs_ports; arg is the struct ports. */
void ports_lookup(void *arg, uint64_t session, const struct bs_lookup *q);
void ports_inspect(void *arg, uint64_t session, const struct bs_grant *g);
void ports_keep(void *arg, uint64_t session, const struct bs_grant *g);
void ports_handoff(void *arg, uint64_t session, const struct bs_grant *g);
void ports_settle(void *arg, uint64_t session, const struct bs_grant *g);
void ports_record(void *arg, uint64_t session, const struct bs_record *r);

/* A certificate that was found revoked is noted in the store, once. Strings are copied. */
void ports_revoked(struct ports *p, const char *sha256, const char *why);
/* conf.answer of the hand-off: arg is the struct ports. */
void ports_handed_off(void *arg, uint64_t session, enum handoff_stage stage, bool ok, const char *text);

#endif
