# bootstrap is pure and a library of its own; all else of the daemon but main.c is the other. Each
# folder adds its sources in its local.mk.
noinst_LIBRARIES += bsserver/libbootstrap.a bsserver/libbsserver.a
bsserver_libbootstrap_a_CPPFLAGS = $(AM_CPPFLAGS)
bsserver_libbootstrap_a_CFLAGS = $(HOT_CFLAGS)
bsserver_libbootstrap_a_SOURCES =
include bsserver/bootstrap/local.mk
bsserver_libbsserver_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS) $(COAP_CFLAGS) \
	$(GNUTLS_CFLAGS) $(CURL_CFLAGS) $(MHD_CFLAGS) $(JANSSON_CFLAGS) $(LIBCONFIG_CFLAGS)
bsserver_libbsserver_a_SOURCES = bsserver/transport/transport.h
# Its part that handles keys.
EXTRA_LIBRARIES += bsserver/libkeys.a
bsserver_libkeys_a_CPPFLAGS = $(bsserver_libbsserver_a_CPPFLAGS)
bsserver_libkeys_a_CFLAGS = $(KEY_CFLAGS)
bsserver_libkeys_a_SOURCES =
bsserver_libbsserver_a_LIBADD = $(bsserver_libkeys_a_OBJECTS)
EXTRA_bsserver_libbsserver_a_DEPENDENCIES = $(bsserver_libbsserver_a_LIBADD)

BOOTSTRAP_LIBS = bsserver/libbootstrap.a $(PROFILES_LIBS)
BSSERVER_LIBS = bsserver/libbsserver.a $(BOOTSTRAP_LIBS) $(UV_LIBS) $(SQLITE_LIBS) $(COAP_LIBS) \
	$(CURL_LIBS) $(MHD_LIBS) $(LIBCONFIG_LIBS)

include bsserver/loop/local.mk
include bsserver/auth/local.mk
include bsserver/conf/local.mk
include bsserver/handoff/local.mk
include bsserver/ports/local.mk
include bsserver/api/local.mk
include bsserver/registry/local.mk
include bsserver/store/local.mk
include bsserver/transport/local.mk

sbin_PROGRAMS += bsserver/bsserver
bsserver_bsserver_SOURCES = bsserver/main.c bsserver/init.c bsserver/init.h bsserver/notify.c bsserver/notify.h \
	bsserver/server.c bsserver/server.h bsserver/server_bs.c bsserver/server_bs.h \
	bsserver/server_reg.c bsserver/server_reg.h \
	bsserver/server_tls.c bsserver/server_tls.h \
	bsserver/server_handoff.c bsserver/server_handoff.h \
	bsserver/server_vet.c bsserver/server_vet.h
bsserver_bsserver_LDFLAGS = $(BS_HARDEN_LD) $(BS_SANITIZE) $(BS_COVERAGE) $(BS_LTO_LD)
bsserver_bsserver_LDADD = $(BSSERVER_LIBS) $(JEMALLOC_LIBS)
