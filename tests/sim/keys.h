/*
 * tests/sim/keys.h: the pre-shared keys of simulated devices, by identity: one key for all, a file
 * of them, or each derived from a master key (the first 16 octets of HMAC-SHA-256 over the
 * identity), so that a hundred thousand need no file.
 */
#ifndef TESTS_SIM_KEYS_H
#define TESTS_SIM_KEYS_H

#include "lib/base/secret.h"

#define KEYS_DERIVED_LEN 16

struct keys;

/* The first line of the file is a key in hex. */
struct keys *keys_single(const char *file, struct err *e);
/* Lines "IDENTITY HEXKEY"; blank lines and those that begin with '#' are passed over. */
struct keys *keys_from_file(const char *file, struct err *e);
/* As keys_single(), the key being the master key. */
struct keys *keys_derived(const char *file, struct err *e);
void keys_free(struct keys *k); /* wipes; NULL is fine */

/* ERR_NOT_FOUND names the identity. *out must be empty. */
enum err_code keys_get(
    const struct keys *k, const char *identity, struct secret *out, struct err *e);

#endif
