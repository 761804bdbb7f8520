# One target per entry from outside: add fuzz_NAME.c, seeds under tests/fuzz/seeds/NAME, and its
# name, _SOURCES and _LDADD here. With --enable-fuzzing it is linked with libFuzzer, otherwise with
# replay.c, which runs the target over its seeds as a test.
fuzz_programs =
check_PROGRAMS += $(fuzz_programs)
if FUZZING
FUZZ_MAIN =
else
FUZZ_MAIN = tests/fuzz/replay.c
TESTS += $(fuzz_programs)
endif
EXTRA_DIST += tests/fuzz/replay.c
