/*
 * bsserver/api/internal.h: what the files of this folder share.
 */
#ifndef BSSERVER_API_INTERNAL_H
#define BSSERVER_API_INTERNAL_H

#include "bsserver/api/api.h"
#include "bsserver/api/perms.h"
#include "bsserver/api/routes.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;
struct json_t;
struct events;

#define API_BODY_MAX ((size_t)8 << 20)
#define API_SWALLOW_MAX ((size_t)64 << 20) /* of a body that was refused already */
#define API_ANSWER_MAX ((size_t)64 << 20)
#define API_JSON_DEPTH_MAX 24
#define API_ACTORS_MAX 64

struct actor { /* the name of a user, looked up once */
	uid_t uid;
	char text[64]; /* "uid 0 (root)" */
};

struct api {
	struct api_conf c;
	char *socket;
	int listen_fd;
	struct MHD_Daemon *mhd;
	struct loop_fd *fd;
	struct loop_timer *timer;
	struct perms *perms;
	struct events *events;
	struct req *reqs; /* not gone yet, answered or not */
	uint64_t opened_ms;
	bool closed, draining, resumed;
	struct actor actors[API_ACTORS_MAX];
	size_t n_actors;
	uint64_t n_answers[6]; /* by hundred of the status */
	uint64_t n_refused;    /* 403 */
};

void api_resume(struct api *a, struct MHD_Connection *conn);
void api_free(struct api *a); /* the last of it: closed, and no request left */

/* ---- a request, request.c ---- */

struct param {
	char *name, *value; /* decoded; owned */
};
#define PARAMS_MAX 16

struct req {
	struct req *next, *prev;
	struct api *api;
	struct MHD_Connection *conn; /* NULL: they hung up; nothing is sent any more */
	struct route_match match;
	struct param params[PARAMS_MAX];
	size_t n_params;
	struct gbuf body;
	size_t body_max, swallowed;
	unsigned permissions; /* enum perm */
	char actor[64];
	char *reason; /* of the query; owned */
	bool expects_continue, begun, suspended;
	/* the answer */
	bool answered;
	unsigned status;
	struct MHD_Response *response;
	/* of the handler: freed with the request, after the answer */
	void *state;
	void (*state_free)(void *);
};

/* Looks at everything but the body; what is wrong is already answered. NULL when memory is short.
 */
struct req *req_new(
    struct api *a, struct MHD_Connection *conn, const char *method, const char *url);
void req_take_body(struct req *r, const char *p, size_t n);
/* The body is there: the handler runs. */
void req_run(struct req *r);
/* Nobody listens any more. */
void req_gone(struct req *r);
/* For a handler between two questions: false when nobody listens any more; r is then gone too. */
bool req_alive(struct req *r);

const char *req_param(const struct req *r, const char *name); /* NULL: not given */
const char *req_param_at(const struct req *r, const char *name, size_t n); /* of "where", which may be given often */
const char *req_arg(const struct req *r, size_t i);           /* of the path */
/* fallback when it is not given. Each answers 400 and returns false when it is wrong. */
bool req_u64(
    struct req *r, const char *name, uint64_t min, uint64_t max, uint64_t fallback, uint64_t *out);
bool req_flag(struct req *r, const char *name, bool *out); /* "1", "true", "" or "0", "false" */
/* Milliseconds since 1970 UTC: a number of them, or "10m" ago. 0 when not given. */
bool req_since(struct req *r, const char *name, int64_t *out);
/* The body as a JSON object, bounded in depth; the caller's. NULL: answered 400. */
struct json_t *req_json(struct req *r);
/* Members of obj that are not among the blank-separated known ones: answered 400, false. */
bool req_members(struct req *r, const struct json_t *obj, const char *known);
struct store_actor req_actor(const struct req *r);

/* ---- answers, answer.c: each ends the request as far as its handler goes ---- */

void answer_json(
    struct req *r, unsigned status, struct json_t *j); /* takes j; NULL: memory was short */
void answer_text(
    struct req *r, unsigned status, const char *type, struct gbuf *g); /* takes g's bytes */
/* A problem document (RFC 9457); status 0: by the code. */
void answer_err(struct req *r, unsigned status, const struct err *e);
void answer_fail(struct req *r, unsigned status, enum err_code code, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* 200 with a page of a list under key, and under next ("after", "before") where the following page begins,
 * at; NULL: it was the last one. Takes list and at. */
void answer_page(struct req *r, const char *key, struct json_t *list, const char *next, struct json_t *at);
void answer_response(struct req *r, unsigned status, struct MHD_Response *m); /* takes m */
unsigned answer_status(enum err_code code);
bool answer_retryable(enum err_code code);
struct json_t *answer_problem(unsigned status, const struct err *e);

/* ---- JSON, json.c ---- */

struct json_t *json_text(const char *s);   /* null for NULL */
struct json_t *json_when(int64_t wall_ms); /* RFC 3339; null for 0 */
struct json_t *json_u64(uint64_t v);
struct json_t *json_doc(const char *doc); /* the text of a document as JSON; null when it is none */
/* Puts v (taken; NULL is kept out) under key. */
void json_put(struct json_t *obj, const char *key, struct json_t *v);
struct json_t *json_of_credential(const struct store_credential *c);
struct json_t *json_of_session(const struct bs_record *r);
/* Whether text nests no deeper than max; looks at brackets outside of strings only. */
bool json_depth_ok(const char *text, size_t n, unsigned max);

/* ---- jobs.c ---- */

/* "registered" and "after": what is known of a device at the registry; nothing when there is none. */
void put_registered(const struct api *a, struct json_t *j, const char *endpoint);
/* "after" of the newest session of a device. */
void put_after_session(const struct api *a, struct json_t *j, const struct bs_record *rec);

/* ---- events.c ---- */

enum err_code events_new(struct api *a, struct events **out, struct err *e);
void events_free(struct events *ev);
/* Ends every stream. */
void events_close(struct events *ev);
size_t events_clients(const struct events *ev);

/* ---- a certificate in a body, anchors.c ---- */

/* j: DER in base64; NULL or no string: ERR_INVALID. *out is owned. ERR_PARSE names /certificate. */
struct pki_cert;
enum err_code read_certificate(const struct json_t *j, struct pki_cert **out, struct err *e);

#endif
