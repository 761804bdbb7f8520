/*
 * bsserver/server_bs.h: the bootstrap interface put together: transport, driver and what ties them.
 * Part of server.c's wiring; included by it alone.
 */
#ifndef BSSERVER_SERVER_BS_H
#define BSSERVER_SERVER_BS_H

#include "bsserver/auth/trust.h"
#include "bsserver/bootstrap/driver.h"
#include "bsserver/conf/conf.h"
#include "bsserver/ports/ports.h"
#include "bsserver/ports/vet.h"
#include "bsserver/transport/transport.h"

struct server_bs;

struct server_bs_conf {
	const struct conf *conf;
	struct loop *loop;
	struct auth *auth;
	const struct trust *trust; /* server_bs_reload() gives another */
	struct ports *ports;
	struct vet *vet; /* must stay until the transport is closed */
	const struct lwm2m_model *model;
};

/* Our own credentials, as far as devices will be shown them: read, and let go again. */
enum err_code server_bs_check(const struct conf *c, struct err *e);
enum err_code server_bs_open(const struct server_bs_conf *c, struct server_bs **out, struct err *e);
/* Ends every session (each is recorded) and lets no one in any more. */
void server_bs_stop(struct server_bs *b);
/* Closes the endpoints. The driver stays for answers that still come: free it last. */
void server_bs_close(struct server_bs *b);
/*
 * Our own credentials are read again, and devices are judged by this trust from now on; on an error
 * all stays as it was.
 */
enum err_code server_bs_reload(struct server_bs *b, const struct conf *c, const struct trust *trust, struct err *e);
void server_bs_free(struct server_bs *b); /* NULL is fine */

struct bs_driver *server_bs_driver(const struct server_bs *b);
void server_bs_stats(const struct server_bs *b, struct transport_stats *out);
/* "coaps://[::]:5684", with the port that is really bound; false past the end. */
bool server_bs_listener(const struct server_bs *b, size_t i, char *out, size_t cap);

#endif
