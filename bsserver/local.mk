sbin_PROGRAMS += bsserver/bsserver
bsserver_bsserver_SOURCES = bsserver/main.c
