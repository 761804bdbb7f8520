/*
 * profiles/lower_account.h: what the files that make a /0 instance share; for profiles/ alone.
 */
#ifndef PROFILES_LOWER_ACCOUNT_H
#define PROFILES_LOWER_ACCOUNT_H

#include "profiles/lower.h"

/* A member of the account's security: the transport's own word goes before the server's; NULL. */
const struct pnode *account_get(const struct laccount *a, const char *name);
/* A finding, where nothing may still come. */
void account_missing(struct lower *l, const struct laccount *a, const char *name);
/* Octets into /0/x/rid; *s is taken over. */
void account_put(struct lower *l, const struct laccount *a, uint16_t rid, struct secret *s,
    const struct pnode *node);
/* A key that is in a shared document, or comes from one, is everybody's: a finding. */
void account_key_for_all(struct lower *l, const struct pnode *n);

/* Modes rpk and x509: 0/x/3, 4 and 5, and whether they go together with 13 to 16 and the URI. */
void lower_pair(struct lower *l, const struct laccount *a);

#endif
