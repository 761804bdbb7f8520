bsserver_libbsserver_a_SOURCES += bsserver/loop/loop.c bsserver/loop/loop.h
