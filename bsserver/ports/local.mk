bsserver_libbsserver_a_SOURCES += \
	bsserver/ports/compile.c bsserver/ports/compile.h \
	bsserver/ports/handout.c bsserver/ports/handout.h \
	bsserver/ports/handout_list.c \
	bsserver/ports/inspect.c \
	bsserver/ports/handover.c bsserver/ports/handover.h \
	bsserver/ports/handoff.c bsserver/ports/handoff.h \
	bsserver/ports/internal.h bsserver/ports/ports.h \
	bsserver/ports/lookup.c bsserver/ports/record.c \
	bsserver/ports/past.c bsserver/ports/past.h \
	bsserver/ports/revoked.c \
	bsserver/ports/rotate.c bsserver/ports/rotate.h \
	bsserver/ports/restore.c bsserver/ports/restore.h \
	bsserver/ports/shelf.c bsserver/ports/shelf.h \
	bsserver/ports/vet.c bsserver/ports/vet.h
