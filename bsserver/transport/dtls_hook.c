#include "config.h"

#include "bsserver/transport/dtls_hook.h"

#include <pthread.h>

#include "bsserver/transport/interpose.h"

/* Process-wide as the symbols are; written once, by resolve(). */
static struct dtls_real real;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct dtls *in_force;

static void
resolve(void)
{
	interpose_resolve(&real.priority_set, "gnutls_priority_set");
	interpose_resolve(&real.credentials_set, "gnutls_credentials_set");
	interpose_resolve(&real.handshake, "gnutls_handshake");
	interpose_resolve(&real.bye, "gnutls_bye");
	interpose_resolve(&real.record_recv, "gnutls_record_recv");
	interpose_resolve(&real.deinit, "gnutls_deinit");
	interpose_resolve(&real.set_pull, "gnutls_transport_set_pull_function");
	interpose_resolve(&real.set_push, "gnutls_transport_set_push_function");
	interpose_resolve(&real.cookie_verify, "gnutls_dtls_cookie_verify");
	interpose_resolve(&real.cookie_send, "gnutls_dtls_cookie_send");
}

const struct dtls_real *
dtls_real(void)
{
	(void)pthread_once(&once, resolve);
	return &real;
}

enum err_code
dtls_hook_open(struct err *e)
{
	const struct dtls_real *r = dtls_real();

	if (r->priority_set == NULL || r->credentials_set == NULL || r->handshake == NULL ||
	    r->deinit == NULL || r->set_pull == NULL || r->set_push == NULL ||
	    r->cookie_verify == NULL || r->cookie_send == NULL || r->bye == NULL || r->record_recv == NULL)
		return err_set(e, ERR_CRYPTO, "DTLS: a function of GnuTLS is not there");
	if (!INTERPOSE_IS_FIRST(gnutls_priority_set) || !INTERPOSE_IS_FIRST(gnutls_credentials_set) ||
	    !INTERPOSE_IS_FIRST(gnutls_handshake) || !INTERPOSE_IS_FIRST(gnutls_deinit) ||
	    !INTERPOSE_IS_FIRST(gnutls_transport_set_pull_function) ||
	    !INTERPOSE_IS_FIRST(gnutls_transport_set_push_function) ||
	    !INTERPOSE_IS_FIRST(gnutls_dtls_cookie_verify) || !INTERPOSE_IS_FIRST(gnutls_dtls_cookie_send) ||
	    !INTERPOSE_IS_FIRST(gnutls_bye) || !INTERPOSE_IS_FIRST(gnutls_record_recv))
		return err_set(e, ERR_CRYPTO,
		    "DTLS: this program was linked so that libcoap would not use our credentials");
	return ERR_OK;
}

struct dtls *
dtls_hook_enter(struct dtls *d)
{
	struct dtls *before = in_force;

	in_force = d;
	return before;
}

void
dtls_hook_leave(struct dtls *before)
{
	in_force = before;
}

struct dtls *
dtls_hook_in_force(void)
{
	return in_force;
}

INTERPOSE_EXPORT int
gnutls_priority_set(gnutls_session_t s, gnutls_priority_t priority)
{
	return in_force != NULL ? dtls_on_priority(in_force, s) : dtls_real()->priority_set(s, priority);
}

INTERPOSE_EXPORT int
gnutls_credentials_set(gnutls_session_t s, gnutls_credentials_type_t type, void *cred)
{
	return in_force != NULL ? dtls_on_credentials(in_force, s, type)
				: dtls_real()->credentials_set(s, type, cred);
}

INTERPOSE_EXPORT int
gnutls_handshake(gnutls_session_t s)
{
	return in_force != NULL ? dtls_on_handshake(in_force, s) : dtls_real()->handshake(s);
}

INTERPOSE_EXPORT ssize_t
gnutls_record_recv(gnutls_session_t s, void *data, size_t len)
{
	return in_force != NULL ? dtls_on_record(in_force, s, data, len) : dtls_real()->record_recv(s, data, len);
}

INTERPOSE_EXPORT int
gnutls_bye(gnutls_session_t s, gnutls_close_request_t how)
{
	if (in_force != NULL && !dtls_on_bye(in_force, s))
		return GNUTLS_E_SUCCESS;
	return dtls_real()->bye(s, how);
}

INTERPOSE_EXPORT void
gnutls_deinit(gnutls_session_t s)
{
	if (in_force != NULL)
		dtls_on_deinit(in_force, s);
	dtls_real()->deinit(s);
}

INTERPOSE_EXPORT void
gnutls_transport_set_pull_function(gnutls_session_t s, gnutls_pull_func pull)
{
	if (in_force != NULL)
		dtls_on_set_pull(in_force, s, pull);
	else
		dtls_real()->set_pull(s, pull);
}

INTERPOSE_EXPORT void
gnutls_transport_set_push_function(gnutls_session_t s, gnutls_push_func push)
{
	if (in_force != NULL)
		dtls_on_set_push(in_force, s, push);
	else
		dtls_real()->set_push(s, push);
}

INTERPOSE_EXPORT int
gnutls_dtls_cookie_verify(gnutls_datum_t *key, void *address, size_t len, void *msg, size_t msg_len,
    gnutls_dtls_prestate_st *prestate)
{
	if (in_force != NULL)
		return dtls_on_cookie_verify(in_force, prestate);
	return dtls_real()->cookie_verify(key, address, len, msg, msg_len, prestate);
}

INTERPOSE_EXPORT int
gnutls_dtls_cookie_send(gnutls_datum_t *key, void *address, size_t len,
    gnutls_dtls_prestate_st *prestate, gnutls_transport_ptr_t to, gnutls_push_func push)
{
	if (in_force != NULL)
		return GNUTLS_E_SUCCESS; /* a hello that wants one was answered when it came */
	return dtls_real()->cookie_send(key, address, len, prestate, to, push);
}
