/*
 * bsserver/server.h: the daemon put together. Only main.c includes this.
 */
#ifndef BSSERVER_SERVER_H
#define BSSERVER_SERVER_H

#include "bsserver/conf/conf.h"

struct server;

/*
 * Opens everything in the order: model, loop, shelf, auth, store, driver, transport, API. On an
 * error everything opened so far is closed again. conf is borrowed until server_close().
 */
enum err_code server_open(const struct conf *c, struct server **out, struct err *e);
/*
 * Says that it is ready (log line, systemd) and runs until SIGTERM or SIGINT; drains; returns.
 * conf_file is read again on SIGHUP, and borrowed. An error: it could not begin.
 */
enum err_code server_run(struct server *s, const char *conf_file, struct err *e);
/* Closes in the reverse order; what was acknowledged is on disk. NULL is fine. */
void server_close(struct server *s);

/* All that --check-config looks at beyond the file itself: rules, permissions, keys, certificates, objects. */
enum err_code server_check(const struct conf *c, struct err *e);

#endif
