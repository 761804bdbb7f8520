/*
 * lwm2m-prov/client.h: HTTP to the daemon over its Unix socket.
 */
#ifndef LWM2M_PROV_CLIENT_H
#define LWM2M_PROV_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct client;

#define CLIENT_ANSWER_MAX ((size_t)64 << 20)

/* timeout_s: how long one answer may take. Nothing is connected yet. */
enum err_code client_open(
    const char *socket_path, uint64_t timeout_s, struct client **out, struct err *e);
void client_close(struct client *c); /* NULL is fine */
const char *client_socket(const struct client *c);

struct client_request {
	const char *method;       /* "GET" */
	const char *path;         /* with its query, percent-encoded: "/v1/devices?limit=10" */
	const char *content_type; /* NULL: no body */
	const void *body;
	size_t body_len;
};

struct client_answer {
	long status;      /* of HTTP */
	char type[64];    /* "application/json", without parameters */
	struct gbuf body; /* to be cleared */
};

/*
 * One exchange. What the daemon says is in *a, whatever its status; an error means that nobody
 * said anything: ERR_UNREACHABLE (not there, or gone before it took the request), ERR_CLOSED (gone
 * in the middle), ERR_TIMEOUT, ERR_LIMIT.
 */
enum err_code client_call(
    struct client *c, const struct client_request *r, struct client_answer *a, struct err *e);
void client_answer_clear(struct client_answer *a);

/*
 * An answer without end, line by line as it comes, without its end of line. on_line returns false
 * to end it, which is ERR_OK; NULL stands for a second in which nothing came. *status is that of
 * HTTP; when it is not 200 the lines are those of the error document.
 */
typedef bool client_line_fn(void *arg, const char *line, size_t n);
enum err_code client_stream(struct client *c, const char *path, const char *last_event_id,
    client_line_fn *on_line, void *arg, long *status, struct err *e);

/*
 * One exchange with somebody else: POSTs to an http URL. No redirect is followed, no proxy asked,
 * nothing but http spoken, and at most max bytes are taken. Errors as above.
 */
struct client_post {
	const char *url, *content_type;
	const void *body;
	size_t body_len;
	uint64_t timeout_s;
	size_t max;
};
enum err_code client_post(const struct client_post *p, struct client_answer *a, struct err *e);

/* Called about each second and whenever something moves while a call waits; NULL none. */
typedef void client_tick_fn(void *arg);
void client_on_tick(struct client *c, client_tick_fn *tick, void *arg);

/* A path made of parts: text is put as it is, a value percent-encoded. */
void client_path_value(struct gbuf *path, const char *value);
/* "?name=value" or "&name=value". */
void client_path_query(struct gbuf *path, const char *name, const char *value);

#endif
