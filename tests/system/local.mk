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
