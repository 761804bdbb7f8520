include tests/sim/local.mk
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/lint/local.mk
include tests/interop/local.mk
include tests/bench/local.mk
include tests/system/local.mk
EXTRA_DIST += tests/system/fresh.sh

.PHONY: check-valgrind fuzz-targets print-fuzz-targets
check-valgrind:
	CK_FORK=no UNDER_VALGRIND=yes $(MAKE) check TESTS='$(unit_programs)' LOG_COMPILER=valgrind \
		AM_LOG_FLAGS='--quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite'
fuzz-targets: $(fuzz_programs)
print-fuzz-targets:
	@echo $(fuzz_programs) | sed 's|tests/fuzz/fuzz_||g'
