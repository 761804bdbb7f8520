/*
 * bsserver/transport/dtls_cert.h: certificates and raw public keys in the handshake: what we show,
 * and what the device showed. For dtls.c alone.
 */
#ifndef BSSERVER_TRANSPORT_DTLS_CERT_H
#define BSSERVER_TRANSPORT_DTLS_CERT_H

#include <gnutls/gnutls.h>

#include "bsserver/transport/transport.h"

/* Our own credentials, read once and used by every session that began since. */
struct dtls_cert;

/*
 * takes: bits TRANSPORT_TAKES() of what devices may come with: a certificate is needed for X509, the
 * key for both. *out is NULL when takes has neither. verify: see gnutls_certificate_set_verify_function().
 */
enum err_code dtls_cert_load(const struct transport_credentials *c, unsigned takes,
    gnutls_certificate_verify_function *verify, struct dtls_cert **out, struct err *e);
struct dtls_cert *dtls_cert_ref(struct dtls_cert *c); /* NULL is fine */
void dtls_cert_unref(struct dtls_cert *c);	       /* NULL is fine */
/*
 * A session gets the credentials and demands a certificate. credentials_set: GnuTLS' own, see
 * dtls_hook.h. GnuTLS' return code.
 */
int dtls_cert_arm(struct dtls_cert *c, gnutls_session_t s,
    int (*credentials_set)(gnutls_session_t, gnutls_credentials_type_t, void *));

/* What a device showed, and what became of it. The chain is GnuTLS' own, as long as the session. */
struct dtls_shown {
	enum transport_kind kind;
	struct transport_blob chain[TRANSPORT_CHAIN_MAX];
	size_t n;
	struct transport_verdict verdict;
};

/* Takes it out of the session. verdict.alert is set when it is empty or beyond the bounds. */
void dtls_cert_shown(gnutls_session_t s, struct dtls_shown *out);

#endif
