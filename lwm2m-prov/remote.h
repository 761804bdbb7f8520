/*
 * lwm2m-prov/remote.h: questions to the daemon, and its answers as JSON or as an error.
 */
#ifndef LWM2M_PROV_REMOTE_H
#define LWM2M_PROV_REMOTE_H

#include "lwm2m-prov/cli.h"
#include "lwm2m-prov/client.h"

struct json_t;

/* GET; *out is the caller's to json_decref(). An error of the daemon comes with its own words. */
enum err_code remote_get(struct cli *cli, const char *path, struct json_t **out, struct err *e);

/*
 * A change or a question with a body; body may be NULL. The --reason is added to the path when
 * audited. *out is NULL when the answer is empty.
 */
struct remote_call {
	const char *method, *path;
	const struct json_t *body;
	bool audited;
};
enum err_code remote_call(
    struct cli *cli, const struct remote_call *r, struct json_t **out, struct err *e);

/* Rows of NDJSON, and the rows of the answer in *rows. */
enum err_code remote_rows(struct cli *cli, const char *path, const struct gbuf *body,
    struct json_t **rows, struct err *e);

/* What an answer that is not 2xx says, as an error. */
enum err_code remote_problem(const struct client_answer *a, struct err *e);
/* The path of a thing with a name: "/v1/devices/" EP "/plan". Cleared by the caller. */
void remote_path(struct gbuf *path, const char *before, const char *name, const char *behind);

/*
 * A list page by page until the daemon has no more or limit rows are there (0: all): one document
 * with key, the rows of all pages, and "more" when there are further ones. path has its query, if
 * any.
 */
enum err_code remote_list(struct cli *cli, const char *path, const char *key, uint64_t limit,
    struct json_t **out, struct err *e);

#endif
