bsserver_libbsserver_a_SOURCES += bsserver/loop/loop.c bsserver/loop/loop.h \
	bsserver/loop/late.c bsserver/loop/late.h \
	bsserver/loop/http_client.c bsserver/loop/http_client.h \
	bsserver/loop/process.c bsserver/loop/process.h
