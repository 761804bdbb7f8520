noinst_LIBRARIES += pki/libpki.a
pki_libpki_a_CPPFLAGS = $(AM_CPPFLAGS) $(GNUTLS_CFLAGS)
pki_libpki_a_SOURCES = \
	pki/cert.c pki/cert.h \
	pki/cert_ext.c pki/cert_ext.h \
	pki/der.c pki/der.h \
	pki/name.c pki/name_general.c pki/name.h \
	pki/pem.c pki/pem.h \
	pki/reason.c pki/reason.h \
	pki/sig.c pki/sig.h
