# What the tests of the command line share: a folder of their own, TAP, exact comparison. Sourced.
# shellcheck shell=bash

SRCDIR=$(cd "${SRCDIR:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
BUILDDIR=${BUILDDIR:-$SRCDIR/build}
PROV=${PROV:-$BUILDDIR/lwm2m-prov/lwm2m-prov}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/lwm2m-prov-test.XXXXXX") || exit 1
cd "$WORK" || exit 1
export LWM2M_PROV_SOCKET=$WORK/nobody.sock
number=0 failed=0 why=

clean_up() {
	# shellcheck disable=SC2046
	kill -KILL $(jobs -p) 2>/dev/null
	cd / && rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# report NAME: ok when $why is empty.
report() {
	number=$((number + 1))
	if [ -z "$why" ]; then
		echo "ok $number - $1"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $number - $1"
	sed 's/^/# /' <<<"$why"
}

# passed_over NAME REASON: a check that cannot be made here.
passed_over() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# expect RC NAME ARGUMENT...: how it ends; standard output and errors must be what stands on the
# standard input: lines of output, with "! " before those of errors. @W@ is the folder of this run.
# What differs from run to run is replaced in both by SCRUB, a sed script. How far a command is, which it says when it takes
# longer than two seconds, is left out.
SCRUB=
PROGRESS='^! lwm2m-prov: [0-9]+ (of [0-9]+ [a-z ]+, [0-9]+%, [0-9]+/s|[a-z ]+, [0-9]+ s)$'
expect() {
	local rc=$1 name=$2 want got ended

	shift 2
	want=$(sed "s|@W@|$WORK|g")
	"$PROV" "$@" >out 2>err <"${INPUT:-/dev/null}"
	ended=$?
	got=$({ cat out; sed 's/^/! /' err | grep -Ev "$PROGRESS"; } | sed -E "$SCRUB")
	why=
	[ "$ended" -eq "$rc" ] || why="ended with $ended, not $rc"
	[ "$got" = "$want" ] || why="$why
$(diff <(echo "$want") <(echo "$got"))"
	report "$name"
}

# ends RC NAME ARGUMENT...: the same without the words; they are in out and err.
ends() {
	local rc=$1 name=$2 ended

	shift 2
	"$PROV" "$@" >out 2>err <"${INPUT:-/dev/null}"
	ended=$?
	why=
	[ "$ended" -eq "$rc" ] || why="ended with $ended, not $rc
$(cat out err)"
	report "$name"
}

# holds NAME FILE REGEX...: each stands in the file.
holds() {
	local name=$1 file=$2 regex

	shift 2
	why=
	for regex; do
		grep -Eq -- "$regex" "$file" || why="$why
not found: $regex"
	done
	[ -z "$why" ] || why="$why
$(head -n 20 "$file")"
	report "$name"
}

finish() {
	echo "1..$number"
	echo "# $number checks, $failed failed"
	[ "$failed" -eq 0 ]
	exit
}
