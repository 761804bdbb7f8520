# The simulated device: libsim.a is pure (no I/O), for tests of whole sessions.
noinst_LIBRARIES += tests/sim/libsim.a
tests_sim_libsim_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_sim_libsim_a_SOURCES = \
	tests/sim/coapmsg.c tests/sim/coapmsg.h \
	tests/sim/device.c tests/sim/device.h tests/sim/device_internal.h \
	tests/sim/device_answer.c tests/sim/device_check.c tests/sim/device_cmd.c \
	tests/sim/device_lie.c tests/sim/device_quirk.c tests/sim/device_request.c \
	tests/sim/device_show.c tests/sim/device_tree.c \
	tests/sim/registrar.c tests/sim/registrar.h \
	tests/sim/registrations.c tests/sim/registrations.h
SIM_LIBS = tests/sim/libsim.a $(LWM2M_LIBS)

# Devices over real sockets, one or many: for system tests, the demo and the bench.
noinst_PROGRAMS += tests/sim/lwm2m-device
tests_sim_lwm2m_device_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(GNUTLS_CFLAGS)
tests_sim_lwm2m_device_SOURCES = \
	tests/sim/after.c tests/sim/after.h \
	tests/sim/main.c tests/sim/options.c tests/sim/options.h \
	tests/sim/fleet.c tests/sim/fleet.h tests/sim/report.c tests/sim/report.h \
	tests/sim/net.c tests/sim/net.h tests/sim/net_delay.c tests/sim/net_delay.h \
	tests/sim/dtls.c tests/sim/dtls.h tests/sim/keys.c tests/sim/keys.h
tests_sim_lwm2m_device_LDADD = $(SIM_LIBS)
dist_check_SCRIPTS += tests/sim/program.sh
TESTS += tests/sim/program.sh

# Every step of a session times everything that can happen there.
check_PROGRAMS += tests/sim/honesty
tests_sim_honesty_SOURCES = tests/sim/honesty.c tests/sim/honesty_expect.c tests/sim/honesty.h \
	tests/sim/tree.c tests/sim/tree.h
tests_sim_honesty_LDADD = $(BOOTSTRAP_LIBS)
TESTS += tests/sim/honesty

# Every reachable state of the session machine under every event. free() is looked over for keys.
check_PROGRAMS += tests/sim/explorer
tests_sim_explorer_SOURCES = tests/sim/explorer.c tests/sim/explore.h tests/sim/explore_run.c \
	tests/sim/explore_plan.c tests/sim/explore_oracle.c tests/sim/explore_return.c tests/sim/explore_mutants.c \
	tests/sim/tree.c tests/sim/tree.h
tests_sim_explorer_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
tests_sim_explorer_LDADD = $(BOOTSTRAP_LIBS)
TESTS += tests/sim/explorer
# Random devices times random profiles, against a model of a client.
check_PROGRAMS += tests/sim/property
tests_sim_property_SOURCES = tests/sim/property.c tests/sim/property.h tests/sim/property_make.c \
	tests/sim/property_check.c \
	tests/sim/model.c tests/sim/model.h
tests_sim_property_LDADD = $(BOOTSTRAP_LIBS)
TESTS += tests/sim/property

# Fleets, strangers, a network, a store, LwM2M Servers and crashes around the real driver and hand-off, from seeds.
check_PROGRAMS += tests/sim/worlds
tests_sim_worlds_SOURCES = tests/sim/worlds.c tests/sim/world.h tests/sim/world.c tests/sim/world_net.c \
	tests/sim/world_store.c tests/sim/world_handoff.c tests/sim/world_rows.c tests/sim/world_server.c \
	tests/sim/world_loop.c tests/sim/tree.c tests/sim/tree.h
tests_sim_worlds_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_wall_ms
tests_sim_worlds_LDADD = tests/sim/libsim.a bsserver/libbsserver.a $(BOOTSTRAP_LIBS)
TESTS += tests/sim/worlds
