noinst_LIBRARIES += pki/libpki.a
pki_libpki_a_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
pki_libpki_a_CFLAGS = $(KEY_CFLAGS)
pki_libpki_a_SOURCES = \
	pki/cert.c pki/cert.h \
	pki/cert_ext.c pki/cert_ext.h \
	pki/certpolicy.c pki/certpolicy.h \
	pki/chain.c pki/chain.h \
	pki/chain_check.c pki/chain_check.h \
	pki/constraint.c pki/constraint.h \
	pki/crl.c pki/crl.h \
	pki/crl_read.c pki/crl_read.h \
	pki/der.c pki/der.h \
	pki/der_write.c pki/der_write.h \
	pki/identity.c pki/identity.h \
	pki/issue.c pki/issue.h \
	pki/key.c pki/key.h \
	pki/keystore.c pki/keystore.h \
	pki/name.c pki/name_general.c pki/name.h \
	pki/object.c pki/object.h \
	pki/ocsp.c pki/ocsp.h \
	pki/ocsp_read.c pki/ocsp_read.h \
	pki/pem.c pki/pem.h \
	pki/pin.c pki/pin.h \
	pki/reason.c pki/reason.h \
	pki/rev_cache.c pki/rev_cache.h \
	pki/rev_policy.c pki/rev_policy.h \
	pki/rev_query.c pki/rev_query.h \
	pki/revocation.c pki/revocation.h \
	pki/sig.c pki/sig.h \
	pki/status.c pki/status.h \
	pki/syntax.c pki/syntax.h \
	pki/url.c pki/url.h
