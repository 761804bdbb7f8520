/*
 * bsserver/loop/http_client.h: HTTP from the loop, never waited for: no redirect is followed, no proxy
 * asked, no more taken than was allowed. http, or https with the server's certificate judged.
 */
#ifndef BSSERVER_LOOP_HTTP_CLIENT_H
#define BSSERVER_LOOP_HTTP_CLIENT_H

#include "bsserver/loop/loop.h"

struct http_client;
struct http_call; /* valid until its callback or its cancellation */

#define HTTP_HEADERS_MAX 8

/* Borrowed for the call. */
struct http_post {
	const char *url, *content_type; /* content_type NULL: there is no body */
	const void *body;
	size_t body_len;
	const char *method;                    /* NULL: POST */
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value", up to a NULL; wiped from our memory at the end */
	bool https;          /* the URL is https, and nothing else will do; otherwise it is http */
	const char *ca_file; /* PEM, instead of the system's CAs; NULL */
	uint32_t connect_ms, timeout_ms; /* 1 or more; the second is of the whole exchange */
	size_t max_body;                 /* bytes of an answer */
};

/* Borrowed for the callback. */
struct http_answer {
	enum err_code error; /* ERR_OK: somebody answered; ERR_UNREACHABLE, ERR_TIMEOUT, ERR_CLOSED,
	                        ERR_LIMIT */
	const char *detail;  /* otherwise: why nobody did */
	long status;
	const char *type; /* content type, lower case, without parameters; "" */
	const uint8_t *body;
	size_t body_len;
};

typedef void http_done_fn(void *arg, const struct http_answer *a);

enum err_code http_client_new(struct loop *l, struct http_client **out, struct err *e);
/* Calls that are under way end without a callback. Not from a callback. NULL is fine. */
void http_client_free(struct http_client *c);

/* done is called once, later, never from inside, unless the call is cancelled first. */
enum err_code http_client_send(struct http_client *c, const struct http_post *p, http_done_fn *done,
    void *arg, struct http_call **out, struct err *e);
void http_call_cancel(struct http_call *call);

#endif
