bsserver_libbsserver_a_SOURCES += bsserver/conf/conf.c bsserver/conf/conf.h \
	bsserver/conf/options.c bsserver/conf/options.h \
	bsserver/conf/reader.h bsserver/conf/servers.c bsserver/conf/trust.c
