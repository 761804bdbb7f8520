#!/bin/sh
# clang-format over every C file, one check for all: it names the lines it would change.
. "$(dirname "$0")/lib.sh"

command -v clang-format >/dev/null || { echo "1..0 # SKIP clang-format is not installed"; exit 0; }
verdict "format: as .clang-format says" "$(sources $product tests |
	xargs -r clang-format --dry-run -Werror 2>&1 | grep 'error:')"
done_testing
