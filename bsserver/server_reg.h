/*
 * bsserver/server_reg.h: the registry, and the ways to devices, put together with auth and the
 * configuration. Part of server.c's wiring; included by it alone.
 */
#ifndef BSSERVER_SERVER_REG_H
#define BSSERVER_SERVER_REG_H

#include "bsserver/api/api.h"
#include "bsserver/auth/trust.h"
#include "bsserver/conf/conf.h"
#include "bsserver/handoff/handoff.h"
#include "bsserver/registry/registry.h"
#include "bsserver/registry/ways.h"

struct server_reg;

struct server_reg_conf {
	const struct conf *conf;
	struct loop *loop;
	const struct auth *auth;
	const struct trust *trust; /* server_reg_reload() gives another */
	const struct store_ops *ops;
	struct store *store;
	struct handoff *handoff; /* NULL: there are no LwM2M Servers */
	const struct lwm2m_model *model;
};

/* *out stays NULL when the configuration has neither registry nor LwM2M Servers: every function takes that. */
enum err_code server_reg_open(const struct server_reg_conf *c, struct server_reg **out, struct err *e);
void server_reg_trust(struct server_reg *s, const struct trust *trust); /* from now on this counts */
/* Our own credentials are read again, and another trust counts. On an error all stays as it was. */
enum err_code server_reg_reload(struct server_reg *s, const struct conf *c, const struct trust *trust, struct err *e);
/* Before the store is closed; free it after that. */
void server_reg_close(struct server_reg *s);
void server_reg_free(struct server_reg *s);

struct registry *server_reg_registry(const struct server_reg *s); /* NULL: there is none */
struct trigger *server_reg_trigger(const struct server_reg *s);

/* A session of a device is over. */
void server_reg_record(struct server_reg *s, const struct bs_record *r);
/* Seconds that a device is to stay away; 0: it may come. */
uint32_t server_reg_hold_back(struct server_reg *s, const char *endpoint);
void server_reg_feed(struct server_reg *s, const struct store_feed *f);
/* Where devices register, in the log. */
void server_reg_say(const struct server_reg *s);
/* The i-th number that the registry counts; false past the end. */
bool server_reg_counter(const struct server_reg *s, size_t i, struct api_counter *out);

#endif
