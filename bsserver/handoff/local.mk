bsserver_libbsserver_a_SOURCES += \
	bsserver/handoff/coiote.c \
	bsserver/handoff/driver.c bsserver/handoff/driver.h \
	bsserver/handoff/callback.c bsserver/handoff/driver.c bsserver/handoff/driver.h \
	bsserver/handoff/exec.c \
	bsserver/handoff/handoff.c bsserver/handoff/handoff.h \
	bsserver/handoff/http.c \
	bsserver/handoff/internal.h \
	bsserver/handoff/row.c \
	bsserver/handoff/leshan.c \
	bsserver/handoff/platform.c bsserver/handoff/platform.h \
	bsserver/handoff/reload.c \
	bsserver/handoff/run.c bsserver/handoff/run.h \
	bsserver/handoff/step.c bsserver/handoff/step.h \
	bsserver/handoff/sweep.c \
	bsserver/handoff/thingsboard.c
