/*
 * bsserver/ports/shelf.h: the shared profiles, parsed and in memory, kept true by the store's feed;
 * and the certificates that are known to be revoked.
 */
#ifndef BSSERVER_PORTS_SHELF_H
#define BSSERVER_PORTS_SHELF_H

#include "bsserver/store/store.h"
#include "pki/sig.h"
#include "profiles/profile.h"

struct shelf;

struct shelf *shelf_new(uint64_t seed); /* NULL when memory is short */
void shelf_free(struct shelf *s);	/* wipes; NULL is fine */
/* A profile that does not parse is kept out, and the reason is in e: devices that extend it are then refused. */
enum err_code shelf_feed(struct shelf *s, const struct store_feed *f, struct err *e);

/* NULL when there is none. Valid until the next feed. */
/* Why shelf_doc() has none: ERR_NOT_FOUND, or for PROFILE_REGISTRY ERR_REFUSED: there is no registry. */
void shelf_missing(const char *name, struct err *e);
/* The account at the daemon's own registry, in which profiles with registry: true get one. */
enum err_code shelf_set_registry(struct shelf *s, const char *uri, struct err *e);
const struct profile_doc *shelf_doc(const struct shelf *s, const char *name);
uint64_t shelf_revision(const struct shelf *s, const char *name); /* 0: none */
/* The key that a profile has in a slot; NULL. */
const struct store_credential *shelf_credential(const struct shelf *s, const char *name, const char *slot);
/* The profile whose "match" fits an endpoint best; NULL when none does. ERR_CONFLICT names two that tie. */
enum err_code shelf_match(const struct shelf *s, const char *endpoint, const char **profile, const char **pattern,
    struct err *e);
size_t shelf_count(const struct shelf *s);
/* Who said that a certificate is revoked; NULL: nobody. sha256: of it, in lower-case hex. Valid until the next feed. */
const char *shelf_revoked(const struct shelf *s, const char *sha256);
/* What begins so was found out when the device knocked; anything else is an operator's word. */
#define SHELF_FOUND "found: "
/*
 * One of n certificates (by SHA-256, a device's own first) is revoked: text says which, and why. An operator's word
 * counts whatever is said elsewhere; what was found out earlier, unless somebody says now that it is good.
 */
bool shelf_revokes(const struct shelf *s, const uint8_t (*sha256)[PKI_SHA256_LEN], size_t n, bool good_now,
    struct gbuf *text);

#endif
