/*
 * bsserver/server_vet.h: what the configuration says of trust and revocation, in the words of
 * auth/trust.h and ports/vet.h.
 */
#ifndef BSSERVER_SERVER_VET_H
#define BSSERVER_SERVER_VET_H

#include "bsserver/auth/trust.h"
#include "bsserver/conf/conf.h"
#include "bsserver/ports/vet.h"

/* Its certificates are those of servers that devices are sent to; no device comes with one. */
bool server_vet_of_servers(const struct conf_trust *t);
/* Reads the anchors' files. The caller owes trust_free(); errors as trust_load(). */
enum err_code server_vet_trust(const struct conf *c, struct trust **out, struct err *e);
/* One rule for each trust; how many. They point into c. */
size_t server_vet_rules(const struct conf *c, struct vet_rule out[CONF_TRUST_MAX]);
void server_vet_conf(const struct conf *c, struct vet_conf *out);

#define SERVER_VET_COUNTERS 9

/* One of them, for metrics; false past the end. */
struct api_counter;
bool server_vet_counter(const struct vet *v, size_t i, struct api_counter *out);

#endif
