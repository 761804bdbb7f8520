/*
 * bsserver/api/api.h: the HTTP and JSON API of the daemon, on a Unix socket.
 *
 * It runs inside the loop, without threads of its own: a request that has to wait for the store
 * waits, and everything else goes on. Who is on the other side of the socket is told by the kernel;
 * what they may do by the grants. No answer holds a secret.
 */
#ifndef BSSERVER_API_API_H
#define BSSERVER_API_API_H

#include <stdbool.h>
#include <stdint.h>

#include "bsserver/auth/trust.h"
#include "bsserver/bootstrap/driver.h"
#include "bsserver/conf/conf.h"
#include "bsserver/handoff/handoff.h"
#include "bsserver/loop/loop.h"
#include "bsserver/ports/shelf.h"
#include "bsserver/store/store.h"

struct api;
struct registry;
struct trigger;

/* A number that somebody else counts, for /metrics. Strings are static. */
struct api_counter {
	const char
	    *name; /* "transport_requests_in": becomes bsserver_transport_requests_in_total */
	const char *help; /* one line */
	bool gauge;       /* may go down: no _total */
	uint64_t value;
};

/* Everything pointed to must outlive the api, but grants, which are read by api_open() only. */
struct api_conf {
	struct loop *loop;
	const struct store_ops *ops;
	struct store *store;
	const struct auth *auth;
	const struct shelf *shelf;
	struct bs_driver *driver;
	struct registry *registry; /* NULL: there is none */
	struct trigger *trigger;   /* NULL with it */
	struct handoff *handoff;   /* NULL: the configuration has no LwM2M Servers */
	const struct lwm2m_model *model;
	const struct conf_grant *grants;
	size_t n_grants;
	const char *socket; /* path; what a dead daemon left there is replaced, a living one is
	                       ERR_EXISTS */
	unsigned mode;      /* of the socket, e.g. 0660 */
	const char *group;  /* its group; NULL or "": as it comes */
	const char *version;
	void *arg;
	/* The i-th listener, e.g. "coaps://[::]:5684", into out; false past the end. NULL: none. */
	bool (*listener)(void *arg, size_t i, char *out, size_t cap);
	/* The i-th counter; false past the end. NULL: none. */
	bool (*counter)(void *arg, size_t i, struct api_counter *out);
	/* The anchors that count now; borrowed for the call. NULL: none. */
	const struct trust *(*trust)(void *arg);
	void (*metrics)(void *arg, struct gbuf *out); /* more of them, as text; NULL: none */
	unsigned idle_seconds;    /* a connection on which nothing moves is closed. 0: default 30 */
	unsigned heartbeat_ms;    /* between signs of life on /v1/events. 0: default 15000 */
	size_t max_body;          /* octets of a request. 0: default 8 MiB */
	unsigned max_connections; /* at once. 0: default 128 */
};

/* What api_open() would say to c's socket, group and grants; nothing is opened. */
enum err_code api_check(const struct api_conf *c, struct err *e);
/* ERR_INVALID: a grant names a user, a group or a permission that is not there. */
enum err_code api_open(const struct api_conf *c, struct api **out, struct err *e);
/*
 * Hangs up on everybody and removes the socket. Answers of the store that are still on their way
 * are waited for in the background: close the store after this and before the loop is freed. NULL
 * is fine.
 */
void api_close(struct api *a);

/* From now on changes are answered 503; questions and events go on until api_close(). */
void api_drain(struct api *a);

/* A session that is over, and a handshake that was refused: an event. Borrowed. */
void api_record(struct api *a, const struct bs_record *r);
/* A change in the store: an event. Call it after auth and shelf have taken it in. Borrowed. */
void api_feed(struct api *a, const struct store_feed *f);

#endif
