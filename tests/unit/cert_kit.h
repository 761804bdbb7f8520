/*
 * tests/unit/cert_kit.h: throw-away CAs, certificates and keys (P-256), made when a test runs, by a
 * library that shares no code with pki/.
 */
#ifndef TESTS_UNIT_CERT_KIT_H
#define TESTS_UNIT_CERT_KIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum kit_purpose { KIT_CLIENT, KIT_SERVER, KIT_NO_PURPOSE };

struct kit_spec {
	const char *cn;	  /* "dev-1" */
	const char *uri;  /* a SAN URI; NULL: none */
	const char *ca;	  /* "factory" or "foreign": each is made once; NULL: factory */
	enum kit_purpose purpose;
	int days;		/* of validity, from a day ago; negative: ended so long ago; 0: ten */
	unsigned between;	/* CAs between it and its root; they are in the chain */
	unsigned names;		/* further SAN DNS names of 200 octets: to make it long */
};

struct kit_cert {
	struct gbuf chain, key; /* PEM; the chain without its root */
	struct gbuf spki;	/* DER */
};

void kit_make(const struct kit_spec *s, struct kit_cert *out);
void kit_clear(struct kit_cert *c);
const char *kit_ca(const char *ca); /* PEM */

/* A new file in a folder of this process' own, which kit_end() removes. mode as for chmod. */
const char *kit_file(const char *name, const char *text, unsigned mode);
void kit_end(void);

#endif
