/*
 * bsserver/server_handoff.h: the LwM2M Servers of the configuration, made ready to be told of
 * credentials. Part of server.c's wiring; included by it alone.
 */
#ifndef BSSERVER_SERVER_HANDOFF_H
#define BSSERVER_SERVER_HANDOFF_H

#include "bsserver/conf/conf.h"
#include "bsserver/handoff/handoff.h"

struct api_counter;

/*
 * All of them into out, tokens read from their files. ERR_INVALID names the server and what is wrong;
 * what was made is the caller's to clear in any case.
 */
enum err_code server_handoff_servers(const struct conf *c, struct handoff_server out[CONF_SERVERS_MAX], struct err *e);
void server_handoff_clear(struct handoff_server v[CONF_SERVERS_MAX]);
/* Whether they can be made. */
enum err_code server_handoff_check(const struct conf *c, struct err *e);
#define SERVER_HANDOFF_COUNTERS 7
/* The i-th number for /metrics; false past the end. h may be NULL. */
bool server_handoff_counter(const struct handoff *h, size_t i, struct api_counter *out);

#endif
