bsserver_libbsserver_a_SOURCES += \
	bsserver/registry/registry.c bsserver/registry/registry.h \
	bsserver/registry/regs.c bsserver/registry/regs.h \
	bsserver/registry/request.c bsserver/registry/request.h
