# Whole pieces against the operating system: killed, out of disk.
system_programs =
if HAVE_CHECK
check_PROGRAMS += $(system_programs)
TESTS += $(system_programs)
endif

system_programs += tests/system/store_kill
tests_system_store_kill_SOURCES = tests/system/store_kill.c $(store_fixture)
tests_system_store_kill_LDADD = $(UNIT_LIBS) $(STORE_LIBS)
system_programs += tests/system/store_full
tests_system_store_full_SOURCES = tests/system/store_full.c $(store_fixture)
tests_system_store_full_LDADD = $(UNIT_LIBS) $(STORE_LIBS)

# The real daemon, command line and devices, over real DTLS: scripts that source lib.sh.
system_scripts = \
	tests/system/again.sh \
	tests/system/credentials.sh \
	tests/system/daemon.sh \
	tests/system/flood.sh \
	tests/system/foreign.sh \
	tests/system/keep.sh \
	tests/system/disk.sh \
	tests/system/handoff.sh \
	tests/system/handoff_reload.sh \
	tests/system/kill.sh \
	tests/system/knock_cert.sh \
	tests/system/leak.sh \
	tests/system/loss.sh \
	tests/system/oma.sh \
	tests/system/platforms.sh \
	tests/system/registry.sh \
	tests/system/registry_cert.sh \
	tests/system/stages.sh \
	tests/system/trigger.sh \
	tests/system/wire.sh
# The daemon with points at which it is killed, linked of its own objects.
check_PROGRAMS += tests/system/failing_bsserver
tests_system_failing_bsserver_SOURCES = tests/system/failing.c
tests_system_failing_bsserver_LDFLAGS = $(bsserver_bsserver_LDFLAGS) -Wl,--wrap=handoff_ask,--wrap=handoff_begin \
	-Wl,--wrap=handoff_step,--wrap=handoff_end,--wrap=handoff_run,--wrap=transport_send,--wrap=sq_exec_query
tests_system_failing_bsserver_LDADD = $(bsserver_bsserver_OBJECTS) $(bsserver_bsserver_LDADD)
EXTRA_tests_system_failing_bsserver_DEPENDENCIES = $(bsserver_bsserver_OBJECTS)
system_scripts += tests/system/handoff_keys.sh tests/system/handoff_kill.sh
# The command line alone, against what openssl makes.
system_scripts += tests/system/pki_status.sh
dist_check_SCRIPTS += $(system_scripts)
TESTS += $(system_scripts)
EXTRA_DIST += \
	tests/system/certs.sh \
	tests/system/demo.sh \
	tests/system/flood.py \
	tests/system/handoff_lib.sh \
	tests/system/killer.py \
	tests/system/leak.py \
	tests/system/lib.sh \
	tests/system/lwm2m_server.py \
	tests/system/platforms.py \
	tests/system/rawcoap.py \
	tests/system/registrant.py
# Devices with certificates, and openssl's OCSP responder.
dist_check_SCRIPTS += tests/system/handout.sh tests/system/revocation.sh tests/system/rotation.sh
TESTS += tests/system/handout.sh tests/system/revocation.sh tests/system/rotation.sh
EXTRA_DIST += tests/system/ocsp_responder.py tests/system/knock.py tests/system/pki_lib.sh
