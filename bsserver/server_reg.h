/*
 * bsserver/server_reg.h: the registry put together with auth and the configuration. Part of
 * server.c's wiring; included by it alone.
 */
#ifndef BSSERVER_SERVER_REG_H
#define BSSERVER_SERVER_REG_H

#include "bsserver/api/api.h"
#include "bsserver/auth/auth.h"
#include "bsserver/conf/conf.h"
#include "bsserver/registry/registry.h"

struct server_reg;

/* *out stays NULL when the configuration has no registry: every function takes that. */
enum err_code server_reg_open(const struct conf *c, struct loop *l, const struct auth *a, struct server_reg **out,
    struct err *e);
void server_reg_close(struct server_reg *s);
void server_reg_free(struct server_reg *s);

void server_reg_feed(struct server_reg *s, const struct store_feed *f);
/* "coaps://[::]:5686"; false past the end. */
bool server_reg_listener(const struct server_reg *s, size_t i, char *out, size_t cap);
/* The i-th number that the registry counts; false past the end. */
bool server_reg_counter(const struct server_reg *s, size_t i, struct api_counter *out);

#endif
