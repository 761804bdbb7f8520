noinst_LIBRARIES += lwm2m-prov/libprov.a
lwm2m_prov_libprov_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CURL_CFLAGS)
lwm2m_prov_libprov_a_SOURCES = \
	lwm2m-prov/apply.h \
	lwm2m-prov/batch.c lwm2m-prov/batch.h \
	lwm2m-prov/cli.c lwm2m-prov/cli.h \
	lwm2m-prov/client.c lwm2m-prov/client.h \
	lwm2m-prov/cmd.c lwm2m-prov/cmd.h \
	lwm2m-prov/cmd_anchor.c lwm2m-prov/anchor.h \
	lwm2m-prov/cmd_apply.c \
	lwm2m-prov/cmd_check.c \
	lwm2m-prov/cmd_device.c \
	lwm2m-prov/cmd_diff.c \
	lwm2m-prov/cmd_explain.c \
	lwm2m-prov/cmd_fmt.c \
	lwm2m-prov/cmd_held.c \
	lwm2m-prov/cmd_handoff.c \
	lwm2m-prov/cmd_job.c \
	lwm2m-prov/ca.c lwm2m-prov/ca.h \
	lwm2m-prov/cmd_pki_ca.c \
	lwm2m-prov/cmd_pki.c lwm2m-prov/cmd_pki.h \
	lwm2m-prov/cmd_pki_ocsp.c \
	lwm2m-prov/cmd_pki_show.c \
	lwm2m-prov/cmd_pki_verify.c \
	lwm2m-prov/cmd_plan.c \
	lwm2m-prov/cmd_profile.c \
	lwm2m-prov/cmd_session.c \
	lwm2m-prov/cmd_status.c \
	lwm2m-prov/cmd_wait.c \
	lwm2m-prov/cmd_watch.c \
	lwm2m-prov/docs.c lwm2m-prov/docs.h \
	lwm2m-prov/events.c lwm2m-prov/events.h \
	lwm2m-prov/exit.c lwm2m-prov/exit.h \
	lwm2m-prov/findings.c lwm2m-prov/findings.h \
	lwm2m-prov/help.c \
	lwm2m-prov/input.c lwm2m-prov/input.h \
	lwm2m-prov/interrupt.c lwm2m-prov/interrupt.h \
	lwm2m-prov/output.c lwm2m-prov/output.h \
	lwm2m-prov/progress.c lwm2m-prov/progress.h \
	lwm2m-prov/remote.c lwm2m-prov/remote.h \
	lwm2m-prov/result.c lwm2m-prov/result.h \
	lwm2m-prov/select.c lwm2m-prov/select.h \
	lwm2m-prov/views.c lwm2m-prov/views.h
PROV_LIBS = lwm2m-prov/libprov.a pki/libpki.a $(PROFILES_LIBS) $(CURL_LIBS)

bin_PROGRAMS += lwm2m-prov/lwm2m-prov
lwm2m_prov_lwm2m_prov_SOURCES = lwm2m-prov/main.c
lwm2m_prov_lwm2m_prov_LDADD = $(PROV_LIBS)

prov_scripts = tests/system/pki_ca.sh tests/system/cli_offline.sh tests/system/cli_online.sh
dist_check_SCRIPTS += $(prov_scripts)
TESTS += $(prov_scripts)
EXTRA_DIST += tests/system/cli_frame.sh
