/*
 * tests/unit/fault_server.h: HTTP on 127.0.0.1, in threads of its own, that answers as a test
 * wants: rightly, slowly, wrongly, or not at all.
 */
#ifndef TESTS_UNIT_FAULT_SERVER_H
#define TESTS_UNIT_FAULT_SERVER_H

#include "lib/base/buf.h"

struct fault_server;

struct fault_reply {
	struct gbuf bytes; /* all that is sent, head included */
	unsigned delay_ms; /* before it */
	unsigned drip_ms;  /* between its bytes */
	unsigned repeat;   /* its bytes behind that place again and again, so many times */
	size_t repeat_from;
	bool hang;  /* nothing is sent, until the server ends */
	bool reset; /* the connection is reset instead */
};

/* Runs in a thread of its own, several at once. */
typedef void fault_fn(
    void *arg, const char *path, const uint8_t *body, size_t n, struct fault_reply *out);

struct fault_server *fault_server_new(fault_fn *fn, void *arg, unsigned *port);
void fault_server_free(struct fault_server *s); /* NULL is fine */
unsigned fault_server_requests(struct fault_server *s);

/* An answer with Content-Length, appended; type NULL: none. */
void fault_http(struct gbuf *out, int status, const char *type, const void *body, size_t n);

#endif
