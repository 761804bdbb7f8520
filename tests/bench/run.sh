#!/bin/bash
# ./dev bench: see docs/BENCH.md. Needs BUILDDIR. Every option is bench.py's; --peers and --smoke are also ours:
# the first builds Leshan's bootstrap server, the second is what `make check` runs.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u -o pipefail

SRCDIR=${SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILDDIR=${BUILDDIR:-$SRCDIR/build/gcc}
PYTHON=$([ -x /usr/bin/python3 ] && echo /usr/bin/python3 || echo python3)
BENCH=$SRCDIR/tests/bench/bench.py
unset LWM2M_PROV_SOCKET NOTIFY_SOCKET

# build_leshan: the harness of the interop tests; HARNESS is where it lies.
build_leshan() {
	local rc

	WORK=$(mktemp -d "${TMPDIR:-/tmp}/bench-maven.XXXXXX") || return 1
	HARNESS=$BUILDDIR/tests/interop/leshan
	# shellcheck source=tests/interop/harness.sh
	. "$SRCDIR/tests/interop/harness.sh"
	install_java && build_harness
	rc=$?
	rm -rf "$WORK"
	return "$rc"
}

if [[ " $* " == *' --peers '* ]]; then
	build_leshan || exit
	exec "$PYTHON" -B "$BENCH" --build "$BUILDDIR" --leshan "$HARNESS" "$@"
fi
exec "$PYTHON" -B "$BENCH" --build "$BUILDDIR" "$@"
