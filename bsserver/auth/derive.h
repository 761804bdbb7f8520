/*
 * bsserver/auth/derive.h: from what stands in a certificate to an endpoint, and back; with the words
 * that say what was compared. Of AUTH_DERIVED rules.
 */
#ifndef BSSERVER_AUTH_DERIVE_H
#define BSSERVER_AUTH_DERIVE_H

#include "bsserver/auth/auth.h"

/*
 * The endpoint that the rule reads off the certificate, appended to endpoint; say is appended what was
 * looked at, either way. false: none.
 */
bool derive_endpoint(const struct auth_rule *r, const struct auth_question *q, struct gbuf *endpoint,
    struct gbuf *say);

/* Some certificate could name that endpoint by this rule. */
bool derive_fits(const struct auth_rule *r, const char *endpoint);
/* What would have to stand in a certificate for that endpoint, appended. */
void derive_foretell(const struct auth_rule *r, const char *endpoint, struct gbuf *out);

#endif
