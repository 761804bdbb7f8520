bsserver_libbsserver_a_SOURCES += \
	bsserver/handoff/driver.c bsserver/handoff/driver.h \
	bsserver/handoff/handoff.c bsserver/handoff/handoff.h \
	bsserver/handoff/internal.h \
	bsserver/handoff/row.c \
	bsserver/handoff/leshan.c \
	bsserver/handoff/run.c bsserver/handoff/run.h \
	bsserver/handoff/step.c bsserver/handoff/step.h \
	bsserver/handoff/sweep.c
