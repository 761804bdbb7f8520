/*
 * profiles/uri.h: a server's URI as 0/x/0 takes it.
 */
#ifndef PROFILES_URI_H
#define PROFILES_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

enum puri_scheme {
	URI_NONE,
	URI_COAP,
	URI_COAPS,
	URI_COAP_TCP,
	URI_COAPS_TCP,
	URI_TEL,
	URI_LORAWAN
};

struct puri {
	enum puri_scheme scheme; /* URI_NONE: not known */
	char letter;             /* of its transport in a binding: U, T, S or N */
	bool secure;             /* coaps, coaps+tcp */
	bool local, unspecified; /* the host is the device itself, or no address */
	bool bad_port;           /* 0 or over 65535 */
};

/* ERR_INVALID says what is wrong with it, without the place. A bad port is in *out, not an error.
 */
enum err_code puri_parse(const char *s, struct puri *out, struct err *e);
const char *puri_scheme_name(enum puri_scheme s);
/* Whom a certificate must be for: "dns:HOST" or "ip:ADDRESS". false: the URI has no host, or out is
 * too small. */
#define PROFILE_HOST_MAX 255
bool puri_name(const char *s, char *out, size_t cap);

#endif
