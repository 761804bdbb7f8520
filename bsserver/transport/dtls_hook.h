/*
 * bsserver/transport/dtls_hook.h: our own credentials and ciphers for libcoap's DTLS sessions.
 *
 * libcoap 4.3.1 gives every session its own fixed ciphers and credentials. These functions of
 * GnuTLS are therefore defined here once more, with default visibility, so that libcoap's calls
 * arrive here; they pass on to the real ones. Only while dtls_hook_enter() is in force on this
 * thread do they do anything else: libcurl and libmicrohttpd call the same functions. A libcoap that
 * takes credentials from its user makes this file superfluous.
 */
#ifndef BSSERVER_TRANSPORT_DTLS_HOOK_H
#define BSSERVER_TRANSPORT_DTLS_HOOK_H

#include <stdbool.h>

#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

#include "lib/base/err.h"

struct dtls;

/* The real ones. */
struct dtls_real {
	int (*priority_set)(gnutls_session_t, gnutls_priority_t);
	int (*credentials_set)(gnutls_session_t, gnutls_credentials_type_t, void *);
	int (*handshake)(gnutls_session_t);
	ssize_t (*record_recv)(gnutls_session_t, void *, size_t);
	int (*bye)(gnutls_session_t, gnutls_close_request_t);
	void (*deinit)(gnutls_session_t);
	void (*set_pull)(gnutls_session_t, gnutls_pull_func);
	void (*set_push)(gnutls_session_t, gnutls_push_func);
	int (*cookie_verify)(gnutls_datum_t *, void *, size_t, void *, size_t, gnutls_dtls_prestate_st *);
	int (*cookie_send)(gnutls_datum_t *, void *, size_t, gnutls_dtls_prestate_st *,
	    gnutls_transport_ptr_t, gnutls_push_func);
};

/* What is done instead, for the sessions of our listeners: dtls.c. */
int dtls_on_priority(struct dtls *d, gnutls_session_t s);
int dtls_on_credentials(struct dtls *d, gnutls_session_t s, gnutls_credentials_type_t type);
int dtls_on_handshake(struct dtls *d, gnutls_session_t s);
ssize_t dtls_on_record(struct dtls *d, gnutls_session_t s, void *data, size_t len);
bool dtls_on_bye(struct dtls *d, gnutls_session_t s); /* false: it goes without a word */
void dtls_on_deinit(struct dtls *d, gnutls_session_t s);
void dtls_on_set_pull(struct dtls *d, gnutls_session_t s, gnutls_pull_func pull);
void dtls_on_set_push(struct dtls *d, gnutls_session_t s, gnutls_push_func push);
/* Whether the hello at hand has a good cookie: that was seen when it came, by dtls_screen(). */
int dtls_on_cookie_verify(struct dtls *d, gnutls_dtls_prestate_st *state);

/* Finds the real ones. ERR_CRYPTO when one is not there, or ours would not be found by libcoap. */
enum err_code dtls_hook_open(struct err *e);
const struct dtls_real *dtls_real(void);

/* In force until dtls_hook_leave(), which takes what dtls_hook_enter() returned: they nest. */
struct dtls *dtls_hook_enter(struct dtls *d);
void dtls_hook_leave(struct dtls *before);
struct dtls *dtls_hook_in_force(void); /* NULL: none */

#endif
