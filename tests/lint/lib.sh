# Read by the checks of this folder: where the tree is, which files count, and TAP.
lint=$(cd "$(dirname "$0")" && pwd)
root=${1:-${SRCDIR:-.}}
cd "$root" || exit 1

n=0
bad=0

# verdict NAME FINDINGS: one line of TAP; the findings follow as comments.
verdict() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
		return
	fi
	bad=$((bad + 1))
	echo "not ok $n - $1"
	printf '%s\n' "$2" | sed 's/^/# /'
}

done_testing() {
	echo "1..$n"
	echo "# $n checks, $bad failed"
	[ "$bad" -eq 0 ]
}

product="lib profiles pki bsserver lwm2m-prov"

# sources FOLDER...: the C files there, sorted.
sources() {
	for dir in "$@"; do
		[ ! -d "$dir" ] || find "$dir" -name '*.[ch]' -type f
	done | LC_ALL=C sort
}
