# The simulated device: libsim.a is pure (no I/O), for tests of whole sessions.
check_LIBRARIES += tests/sim/libsim.a
tests_sim_libsim_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
tests_sim_libsim_a_SOURCES = \
	tests/sim/coapmsg.c tests/sim/coapmsg.h \
	tests/sim/device.c tests/sim/device.h tests/sim/device_internal.h \
	tests/sim/device_answer.c tests/sim/device_check.c tests/sim/device_cmd.c \
	tests/sim/device_lie.c tests/sim/device_quirk.c tests/sim/device_request.c \
	tests/sim/device_show.c tests/sim/device_tree.c
SIM_LIBS = tests/sim/libsim.a $(LWM2M_LIBS)
