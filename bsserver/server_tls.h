/*
 * bsserver/server_tls.h: DTLS as the configuration says: what our listeners take and show, and what is thought
 * of what devices show. For server_bs.c and server_reg.c.
 */
#ifndef BSSERVER_SERVER_TLS_H
#define BSSERVER_SERVER_TLS_H

#include "bsserver/auth/trust.h"
#include "bsserver/conf/conf.h"
#include "bsserver/transport/transport.h"

struct transport_credentials server_tls_credentials(const struct conf *c); /* borrowed from it */
unsigned server_tls_takes(const struct conf_listener *l);

/* A transport_certificate_fn; registry: of a device that registers, otherwise of one that knocks. */
void server_tls_judge(const struct auth *a, const struct trust *t, enum transport_kind kind, bool registry,
    const struct transport_blob *chain, size_t n, struct transport_verdict *out);

#endif
