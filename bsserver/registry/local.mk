bsserver_libbsserver_a_SOURCES += \
	bsserver/registry/job.c bsserver/registry/job.h bsserver/registry/job_text.c \
	bsserver/registry/registry.c bsserver/registry/registry.h \
	bsserver/registry/registry_ask.c bsserver/registry/registry_internal.h \
	bsserver/registry/regs.c bsserver/registry/regs.h bsserver/registry/regs_text.c \
	bsserver/registry/request.c bsserver/registry/request.h \
	bsserver/registry/returns.c bsserver/registry/returns.h \
	bsserver/registry/trigger.c bsserver/registry/trigger.h \
	bsserver/registry/ways.c bsserver/registry/ways.h
