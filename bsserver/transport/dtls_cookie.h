/*
 * bsserver/transport/dtls_cookie.h: who receives at the address that its ClientHello came from (RFC
 * 6347 section 4.2.1). A hello without a good cookie is answered and forgotten: it costs no memory,
 * however many come. For dtls.c alone.
 */
#ifndef BSSERVER_TRANSPORT_DTLS_COOKIE_H
#define BSSERVER_TRANSPORT_DTLS_COOKIE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <gnutls/dtls.h>

#include "lib/base/err.h"

/* A cookie is good for at least so long, and never for more than twice as long. */
#define DTLS_COOKIE_MS 60000

/* An address and a port, without anything in between. */
struct dtls_place {
	uint8_t family; /* 4 or 6 */
	uint8_t port[2];
	uint8_t host[16];
};
struct dtls_place dtls_place_of(const struct sockaddr *a);

struct dtls_cookies;

enum err_code dtls_cookies_new(uint64_t now_ms, struct dtls_cookies **out, struct err *e);
void dtls_cookies_free(struct dtls_cookies *c); /* NULL is fine */

enum dtls_hello {
	DTLS_HELLO_NONE,   /* something else: a message of a session that there is, or nothing */
	DTLS_HELLO_LIKE,   /* something else that libcoap takes for a hello when it has no session */
	DTLS_HELLO_BROKEN, /* a hello that cannot be read */
	DTLS_HELLO_BARE,   /* without a cookie, or with one that is not good any more */
	DTLS_HELLO_PROVED, /* with a good cookie; *state is for gnutls_dtls_prestate_set() */
};
/* Looks at the first record of a datagram. now_ms: never goes back. */
enum dtls_hello dtls_cookie_look(struct dtls_cookies *c, uint64_t now_ms, const struct dtls_place *from,
    const void *datagram, size_t len, gnutls_dtls_prestate_st *state);
/* Sends the HelloVerifyRequest that a bare hello gets: one datagram, no longer than a hello. */
int dtls_cookie_send(struct dtls_cookies *c, const struct dtls_place *to, gnutls_push_func push, void *arg);

#endif
