#!/bin/sh
# Every row of words.table against every text file of the tree that is ours.
. "$(dirname "$0")/lib.sh"

files() {
	{
		find . -maxdepth 1 -type f ! -name 'configure*' ! -name aclocal.m4 ! -name 'Makefile.in' \
			! -name 'config.h.in*' ! -name '.*'
		find .ci bsserver lwm2m-prov profiles pki lib docs m4 tests -type f 2>/dev/null
	} | sed 's|^\./||' | grep -vE '^(tests/lint/(words\.table|selftest\.sh)|.*/(target|seeds)/.*|.*\.(xml|bin|der|png|o|a|Po|log|trs)|.*/\.deps/.*|.*/\.dirstamp)$' |
		LC_ALL=C sort
}

list=$(files)
tab=$(printf '\t')
while IFS="$tab" read -r pattern regex why; do
	case $pattern in '#'* | '') continue ;; esac
	found=$(for file in $list; do
		# shellcheck disable=SC2254
		case $file in $pattern) printf '%s\n' "$file" ;; esac
	done | xargs -r grep -InE -e "$regex" /dev/null | cut -c1-160)
	verdict "words: $pattern: $why" "$found"
done <"$lint/words.table"
done_testing
