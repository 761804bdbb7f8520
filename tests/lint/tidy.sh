#!/bin/bash
# clang-tidy over every C file of the product, one check of TAP for each file. BUILDDIR is a
# configured build (its Makefile knows the flags); JOBS how many run at a time.
. "$(dirname "$0")/lib.sh"

command -v clang-tidy >/dev/null || { echo "1..0 # SKIP clang-tidy is not installed"; exit 0; }
export flags
flags=$(make -s -C "${BUILDDIR:?}" print-cppflags) || exit 1

tidy_one() {
	local out
	# shellcheck disable=SC2086
	if out=$(clang-tidy --quiet --warnings-as-errors='*' --header-filter="$headers" "$1" -- -std=gnu11 $flags 2>/dev/null); then
		echo "ok"
	else
		echo "not ok"
	fi >"$results/${1//\//%}"
	[ -z "$out" ] || printf '%s\n' "$out" >>"$results/${1//\//%}"
}
export -f tidy_one
export results headers="^$PWD/(lib|profiles|pki|bsserver|lwm2m-prov)/"
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# shellcheck disable=SC2086
sources $product | grep '\.c$' | xargs -P "${JOBS:-2}" -I{} bash -c 'tidy_one {}'
for file in "$results"/*; do
	name=${file##*/}
	if [ "$(head -1 "$file")" = ok ]; then
		verdict "tidy: ${name//%//}" ""
	else
		verdict "tidy: ${name//%//}" "$(tail -n +2 "$file"; echo "clang-tidy failed")"
	fi
done
done_testing
