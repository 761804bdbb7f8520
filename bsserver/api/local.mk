bsserver_libbsserver_a_SOURCES += bsserver/api/api.h
