bsserver_libbsserver_a_SOURCES += \
	bsserver/ports/compile.c bsserver/ports/compile.h \
	bsserver/ports/internal.h bsserver/ports/ports.h \
	bsserver/ports/lookup.c bsserver/ports/record.c \
	bsserver/ports/shelf.c bsserver/ports/shelf.h
