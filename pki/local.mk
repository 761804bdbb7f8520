noinst_LIBRARIES += pki/libpki.a
pki_libpki_a_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
pki_libpki_a_SOURCES = \
	pki/cert.c pki/cert.h \
	pki/cert_ext.c pki/cert_ext.h \
	pki/certpolicy.c pki/certpolicy.h \
	pki/chain.c pki/chain.h \
	pki/chain_check.c pki/chain_check.h \
	pki/constraint.c pki/constraint.h \
	pki/der.c pki/der.h \
	pki/identity.c pki/identity.h \
	pki/key.c pki/key.h \
	pki/name.c pki/name_general.c pki/name.h \
	pki/object.c pki/object.h \
	pki/pem.c pki/pem.h \
	pki/pin.c pki/pin.h \
	pki/reason.c pki/reason.h \
	pki/sig.c pki/sig.h \
	pki/syntax.c pki/syntax.h
