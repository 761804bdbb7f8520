bsserver_libbsserver_a_SOURCES += bsserver/auth/auth.c bsserver/auth/auth.h bsserver/auth/derive.c bsserver/auth/derive.h bsserver/auth/trust.c bsserver/auth/trust.h
