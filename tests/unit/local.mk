# A unit test is one program: add its name to unit_programs, its _SOURCES and its _LDADD below.
unit_programs =
if HAVE_CHECK
check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_libunit_a_SOURCES = tests/unit/unit.c tests/unit/unit.h
UNIT_LIBS = tests/unit/libunit.a $(CHECK_LIBS)
check_PROGRAMS += $(unit_programs)
TESTS += $(unit_programs)
endif

unit_programs += tests/unit/test_str
tests_unit_test_str_SOURCES = tests/unit/test_str.c
tests_unit_test_str_LDADD = $(UNIT_LIBS) $(BASE_LIBS)
