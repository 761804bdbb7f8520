/*
 * bsserver/ports/compile.h: a device's document, its parents and its keys, made into what it should
 * hold; and whether a form that was made before is still true.
 */
#ifndef BSSERVER_PORTS_COMPILE_H
#define BSSERVER_PORTS_COMPILE_H

#include "bsserver/ports/shelf.h"

struct compiled {
	struct profile_desired desired;
	char knock[8];	    /* what it knocks with: psk, nosec, rpk, x509; any: its document does not say */
	uint64_t parents;   /* the newest revision among its parents; 0: none */
	char *profile;	    /* the first that it extends; NULL */
	char *fingerprints; /* "dm=0123abcd" of each key in it, blank-separated; NULL */
	char *key;	    /* what it was made from: compiled_fresh() reads it */
};
void compiled_clear(struct compiled *c); /* wipes; safe twice, and on {0} */

/* Borrowed for the call. */
struct compile_input {
	const char *endpoint, *doc;
	const struct store_credential *credentials;
	size_t n_credentials;
};

/*
 * ERR_INVALID and the like with the first thing that is wrong. *out (empty before) is filled only on
 * ERR_OK.
 */
enum err_code compile_device(const struct shelf *s, const struct lwm2m_model *m, const struct compile_input *in,
    struct compiled *out, struct err *e);

/* The packed form and its key, back. ERR_CONFLICT: a parent changed since, compile again. */
enum err_code compile_unpack(const struct shelf *s, const struct secret *packed, const char *key,
    struct compiled *out, struct err *e);
/* What compile_unpack() takes. *packed must be empty. */
enum err_code compile_pack(const struct compiled *c, struct secret *packed, struct err *e);

#endif
