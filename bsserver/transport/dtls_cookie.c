#include "bsserver/transport/dtls_cookie.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "bsserver/transport/dtls_hook.h"
#include "lib/base/secret.h"
#include "lib/base/util.h"

/* Where things stand in the first record of a datagram (RFC 6347 sections 4.1, 4.2.2). */
enum { AT_TYPE = 0, AT_EPOCH = 3, AT_MESSAGE = 13, AT_OFFSET = 19, AT_BODY = 25 };
enum { HANDSHAKE = 22, CLIENT_HELLO = 1 };

struct dtls_cookies {
	gnutls_datum_t now, before; /* the keys; cookies are made with the first */
	uint64_t since_ms;
};

struct dtls_place
dtls_place_of(const struct sockaddr *a)
{
	const struct sockaddr_in *in = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;
	struct dtls_place p = { .family = a->sa_family == AF_INET ? 4 : 6 };

	if (a->sa_family == AF_INET) {
		memcpy(p.port, &in->sin_port, sizeof p.port);
		memcpy(p.host, &in->sin_addr, sizeof in->sin_addr);
	} else if (a->sa_family == AF_INET6) {
		memcpy(p.port, &in6->sin6_port, sizeof p.port);
		memcpy(p.host, &in6->sin6_addr, sizeof in6->sin6_addr);
	}
	return p;
}

static void
forget_key(gnutls_datum_t *key)
{
	if (key->data == NULL)
		return;
	wipe(key->data, key->size);
	gnutls_free(key->data);
	*key = (gnutls_datum_t){ NULL, 0 };
}

enum err_code
dtls_cookies_new(uint64_t now_ms, struct dtls_cookies **out, struct err *e)
{
	struct dtls_cookies *c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_no_memory(e);
	int rc = gnutls_key_generate(&c->now, GNUTLS_COOKIE_KEY_SIZE);
	if (rc < 0) {
		free(c);
		return err_set(e, ERR_CRYPTO, "DTLS: cookie key: %s", gnutls_strerror(rc));
	}
	c->since_ms = now_ms;
	*out = c;
	return ERR_OK;
}

void
dtls_cookies_free(struct dtls_cookies *c)
{
	if (c == NULL)
		return;
	forget_key(&c->now);
	forget_key(&c->before);
	free(c);
}

/* Whoever once received at an address does not keep the right to speak for it. */
static void
turn_keys(struct dtls_cookies *c, uint64_t now_ms)
{
	gnutls_datum_t fresh;
	uint64_t age = now_ms - c->since_ms;

	if (age < DTLS_COOKIE_MS || gnutls_key_generate(&fresh, GNUTLS_COOKIE_KEY_SIZE) < 0)
		return;
	forget_key(&c->before);
	if (age < 2 * (uint64_t)DTLS_COOKIE_MS)
		c->before = c->now;
	else
		forget_key(&c->now);
	c->now = fresh;
	c->since_ms = now_ms;
}

static enum dtls_hello
what_is_it(const uint8_t *p, size_t len)
{
	static const uint8_t zero[3];

	if (len <= AT_MESSAGE || p[AT_TYPE] != HANDSHAKE || p[AT_MESSAGE] != CLIENT_HELLO)
		return DTLS_HELLO_NONE;
	if (memcmp(p + AT_EPOCH, zero, 2) != 0)
		return DTLS_HELLO_LIKE; /* encrypted: the octet means something else */
	if (len < AT_BODY)
		return DTLS_HELLO_BROKEN;
	return memcmp(p + AT_OFFSET, zero, 3) != 0 ? DTLS_HELLO_LIKE : DTLS_HELLO_BARE;
}

static int
verify(const gnutls_datum_t *key, const struct dtls_place *from, const void *msg,
    size_t len, gnutls_dtls_prestate_st *state)
{
	gnutls_datum_t k = *key;
	struct dtls_place place = *from;
	void *m;

	memcpy(&m, &msg, sizeof m); /* GnuTLS wants no const, and only reads */
	return dtls_real()->cookie_verify(&k, &place, sizeof place, m, len, state);
}

enum dtls_hello
dtls_cookie_look(struct dtls_cookies *c, uint64_t now_ms, const struct dtls_place *from, const void *datagram,
    size_t len, gnutls_dtls_prestate_st *state)
{
	enum dtls_hello what = what_is_it(datagram, len);

	if (what != DTLS_HELLO_BARE)
		return what;
	turn_keys(c, now_ms);
	int rc = verify(&c->now, from, datagram, len, state);
	if (rc == GNUTLS_E_BAD_COOKIE && c->before.data != NULL)
		rc = verify(&c->before, from, datagram, len, state);
	if (rc >= 0)
		return DTLS_HELLO_PROVED;
	return rc == GNUTLS_E_BAD_COOKIE ? DTLS_HELLO_BARE : DTLS_HELLO_BROKEN;
}

int
dtls_cookie_send(struct dtls_cookies *c, const struct dtls_place *to, gnutls_push_func push, void *arg)
{
	gnutls_dtls_prestate_st state = { 0 };
	struct dtls_place place = *to;

	return dtls_real()->cookie_send(&c->now, &place, sizeof place, &state, arg, push);
}
