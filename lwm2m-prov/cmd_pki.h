/*
 * lwm2m-prov/cmd_pki.h: what the commands "pki ..." share.
 */
#ifndef LWM2M_PROV_CMD_PKI_H
#define LWM2M_PROV_CMD_PKI_H

#include "lwm2m-prov/cli.h"
#include "pki/cert.h"

struct json_t;

/* --at, or the clock: seconds since 1970 UTC. ERR_USAGE when it is no time of the form of RFC 3339
 * in Z. */
enum err_code pki_time(const struct cli *cli, int64_t *out, struct err *e);

/* A certificate as JSON; NULL when memory is short. */
struct json_t *pki_cert_json(const struct pki_cert *c);
/* Text or null from a buffer that is cleared. */
struct json_t *pki_text_json(struct gbuf *text);
struct json_t *pki_hex_json(const void *bytes, size_t n);
struct json_t *pki_time_json(int64_t seconds);
/* Bytes as base64. */
struct json_t *pki_base64_json(struct pki_blob bytes);

#endif
