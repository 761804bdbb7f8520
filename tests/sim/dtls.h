/*
 * tests/sim/dtls.h: the client's side of DTLS 1.2 with a pre-shared key, a certificate or a raw
 * public key (GnuTLS) between two callbacks: datagrams go in and out, nothing blocks. The server's
 * certificate or key is taken as it comes: these devices are there to be judged, not to judge.
 */
#ifndef TESTS_SIM_DTLS_H
#define TESTS_SIM_DTLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/secret.h"

struct dtls;
struct dtls_policy; /* cipher suites; shared by all sessions */

/* "ccm8", "gcm", "cbc", "ecdhe", "any", "x509", "rpk", or a GnuTLS priority string. */
struct dtls_policy *dtls_policy_new(const char *cipher, struct err *e);
/*
 * Sessions show this from now on instead of a pre-shared key: a certificate chain in PEM, the
 * device's own first, or with raw a public key in PEM; key_file has the private key in PEM.
 */
enum err_code dtls_policy_certificate(struct dtls_policy *p, const char *file, const char *key_file, bool raw,
    struct err *e);
/* The same from octets in DER: a certificate, or with raw a SubjectPublicKeyInfo, and the private key (PKCS #8). */
enum err_code dtls_policy_own(struct dtls_policy *p, const struct secret *shown, const struct secret *key, bool raw,
    struct err *e);
void dtls_policy_free(struct dtls_policy *p);

struct dtls_ops {
	void (*send)(void *arg, const uint8_t *p, size_t n); /* a datagram for the wire */
};

enum dtls_state { DTLS_HANDSHAKE, DTLS_READY, DTLS_FAILED, DTLS_CLOSED };

/* Nothing is sent yet: call dtls_run(). identity and key are copied; NULL when the policy has a certificate. */
struct dtls *dtls_new(const struct dtls_policy *p, const char *identity, const struct secret *key,
    const struct dtls_ops *ops, void *arg, struct err *e);
void dtls_free(struct dtls *d); /* sends nothing; NULL is fine */
void dtls_bye(struct dtls *d);  /* close_notify */

/* A datagram from the wire, and what that leads to. Then dtls_read() until it gives 0. */
enum dtls_state dtls_input(struct dtls *d, const uint8_t *p, size_t n);
/* Goes on with the handshake, repeating what is due. */
enum dtls_state dtls_run(struct dtls *d);
/* The plain bytes of one record of the datagram given last; 0: no more. */
size_t dtls_read(struct dtls *d, uint8_t *out, size_t cap);
/* One datagram to the peer; before DTLS_READY it is dropped. */
void dtls_write(struct dtls *d, const uint8_t *p, size_t n);
/* Milliseconds until dtls_run() is wanted; -1: not. */
int dtls_timeout(const struct dtls *d);
/* Why it failed or was closed; "" before. */
const char *dtls_reason(const struct dtls *d);
const char *dtls_suite(const struct dtls *d); /* "PSK-AES-128-CCM-8"; NULL before it is ready */

#endif
