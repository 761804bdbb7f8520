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
void world_ask(struct world *w, const char *method, const char *path, const char *type,
    const char *body, struct reply *out);
/* The same from a process of another user; the answer's status and body only. */
void world_ask_as(struct world *w, unsigned uid, unsigned gid, const char *method, const char *path,
    const char *body, struct reply *out);

/* A string inside an answer by a path of keys and indexes: "credentials.0.slot"; "" when it is not
 * there. */
const char *at(const struct reply *r, const char *path);
long long num(const struct reply *r, const char *path); /* -1 when it is no number */
json_t *node(const struct reply *r, const char *path);
/* The n-th line of an NDJSON answer; the caller's. */
json_t *line(const struct reply *r, unsigned n);

/* ---- documents, and applying them ---- */

#define JSON "application/json"
#define ROWS "application/x-ndjson"

#define DM                                                                                         \
	"\"servers\":{\"dm\":{\"short_server_id\":101,\"uri\":\"coaps://dm.example.com:5684\","    \
	"\"security\":{\"mode\":\"psk\",\"identity\":\"${endpoint}\",\"key\":{\"generate\":16}},"  \
	"\"lifetime\":\"1d\",\"binding\":\"U\"}}"
#define SHARED                                                                                     \
	"{\"profile_format\":1,\"profile\":\"meter\"," DM ",\"bootstrap\":{\"policy\":"            \
	                                                  "\"replace\"}}"
#define KEY(last) "00112233445566778899aabbccddee" last
#define DEVICE(ep, key)                                                                            \
	"{\"profile_format\":1,\"endpoint\":\"" ep "\",\"extends\":\"meter\",\"credentials\":"     \
	"{\"bootstrap\":{\"mode\":\"psk\",\"identity\":\"id-" ep "\",\"key\":{\"hex\":\"" key      \
	"\"}}}}"
#define ROW(doc) "{\"source\":\"fleet.ndjson:7\",\"doc\":" doc "}\n"

/* world_ask() with the content type that the path takes. */
void ask(struct world *w, const char *method, const char *path, const char *body, struct reply *r);
/* Applies rows that must be created. */
void apply(struct world *w, const char *rows);
json_t *field(json_t *j, const char *key);
const char *text(json_t *j, const char *key); /* "" when it is no string */
/* The result of row n, and a part of its first complaint; NULL: whatever. */
void expect_row(const struct reply *r, unsigned n, const char *result, const char *complaint);

/* ---- bytes by hand ---- */

int world_connect(const struct world *w);
/* Sends text as it is. */
void world_send(int fd, const char *text);
/* Turns the loop until needle was received (appended to got), or the other side hung up: false. */
bool world_read_until(struct world *w, int fd, struct gbuf *got, const char *needle);

/* Knocks as a device: psk identity NULL: without credentials. */
void world_knock(struct world *w, const char *endpoint, const char *identity, const char *addr);
/* Turns the loop until *what is at least n. */
void world_turn_until(struct world *w, const unsigned *what, unsigned n);

#endif
