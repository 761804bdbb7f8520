bsserver_libbsserver_a_SOURCES += \
	bsserver/api/anchors.c \
	bsserver/api/answer.c \
	bsserver/api/api.c bsserver/api/api.h \
	bsserver/api/apply.c bsserver/api/apply.h \
	bsserver/api/certificates.c \
	bsserver/api/devices.c bsserver/api/devices.h \
	bsserver/api/events.c \
	bsserver/api/filter.c bsserver/api/filter.h \
	bsserver/api/handoffs.c bsserver/api/handoffs.h \
	bsserver/api/held.c bsserver/api/held.h \
	bsserver/api/history.c \
	bsserver/api/internal.h \
	bsserver/api/jobs.c \
	bsserver/api/json.c \
	bsserver/api/perms.c bsserver/api/perms.h \
	bsserver/api/plan.c \
	bsserver/api/plan_rows.c bsserver/api/plan_rows.h \
	bsserver/api/prep.c bsserver/api/prep.h \
	bsserver/api/profiles.c \
	bsserver/api/request.c \
	bsserver/api/routes.c bsserver/api/routes.h \
	bsserver/api/row.c \
	bsserver/api/rows.c bsserver/api/rows.h \
	bsserver/api/sessions.c bsserver/api/sessions.h \
	bsserver/api/status.c \
	bsserver/api/why.c
