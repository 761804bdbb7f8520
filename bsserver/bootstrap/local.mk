bsserver_libbootstrap_a_SOURCES += \
	bsserver/bootstrap/audit.c bsserver/bootstrap/audit.h \
	bsserver/bootstrap/driver.c bsserver/bootstrap/driver.h \
	bsserver/bootstrap/due.c bsserver/bootstrap/due.h \
	bsserver/bootstrap/facts.c bsserver/bootstrap/facts.h \
	bsserver/bootstrap/finding.c \
	bsserver/bootstrap/history.c bsserver/bootstrap/history.h \
	bsserver/bootstrap/inventory.c bsserver/bootstrap/inventory.h \
	bsserver/bootstrap/plan.c bsserver/bootstrap/plan.h \
	bsserver/bootstrap/plan_acl.c bsserver/bootstrap/plan_ids.c \
	bsserver/bootstrap/plan_past.c \
	bsserver/bootstrap/plan_internal.h bsserver/bootstrap/plan_write.c \
	bsserver/bootstrap/ports.c bsserver/bootstrap/ports.h \
	bsserver/bootstrap/record.c bsserver/bootstrap/record.h \
	bsserver/bootstrap/record_json.h \
	bsserver/bootstrap/request.c bsserver/bootstrap/request.h \
	bsserver/bootstrap/session.c bsserver/bootstrap/session.h \
	bsserver/bootstrap/session_handoff.c \
	bsserver/bootstrap/session_internal.h \
	bsserver/bootstrap/session_look.c \
	bsserver/bootstrap/session_send.c \
	bsserver/bootstrap/session_write.c \
	bsserver/bootstrap/verify.c bsserver/bootstrap/verify.h
