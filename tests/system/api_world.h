/*
 * tests/system/api_world.h: the daemon without its transport, in this process: a store on disk, the
 * engine, the API on a socket, and a client that turns the same loop while it waits.
 */
#ifndef TESTS_SYSTEM_API_WORLD_H
#define TESTS_SYSTEM_API_WORLD_H

#include <jansson.h>
#include <stdbool.h>

#include "bsserver/api/api.h"
#include "bsserver/ports/ports.h"

struct world {
	char dir[40], socket[80], uri[96], key_file[80];
	struct loop *loop;
	struct auth *auth;
	struct shelf *shelf;
	struct store *store;
	struct ports *ports;
	struct bs_driver *driver;
	struct api *api;
	struct api_conf conf; /* as the API was opened with */
	unsigned answered;    /* requests that devices were answered */
};

/* Opens all; conf: what is not zero in it is taken over. */
void world_open(struct world *w, const struct api_conf *conf);
void world_close(struct world *w);
/* The API alone, closed and opened again. */
void world_restart_api(struct world *w);

struct reply {
	long status;
	char type[96], allow[64];
	char *body;
	json_t *json; /* of the body; NULL when it is none */
	double seconds;
};
void reply_clear(struct reply *r);

/* Sends it and turns the loop until the answer is there. type NULL: no body. */
void world_ask(struct world *w, const char *method, const char *path, const char *type, const char *body,
    struct reply *out);
/* The same from a process of another user; the answer's status and body only. */
void world_ask_as(struct world *w, unsigned uid, unsigned gid, const char *method, const char *path,
    const char *body, struct reply *out);

/* A string inside an answer by a path of keys and indexes: "credentials.0.slot"; "" when it is not there. */
const char *at(const struct reply *r, const char *path);
long long num(const struct reply *r, const char *path); /* -1 when it is no number */
json_t *node(const struct reply *r, const char *path);
/* The n-th line of an NDJSON answer; the caller's. */
json_t *line(const struct reply *r, unsigned n);

/* Knocks as a device: psk identity NULL: without credentials. */
void world_knock(struct world *w, const char *endpoint, const char *identity, const char *addr);
/* Turns the loop until *what is at least n. */
void world_turn_until(struct world *w, const unsigned *what, unsigned n);

#endif
