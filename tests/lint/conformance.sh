#!/bin/sh
# docs/CONFORMANCE.md names functions and tests: each must be in the tree.
. "$(dirname "$0")/lib.sh"

names() { grep '^|' docs/CONFORMANCE.md | grep -oE "\`$1\`" | tr -d '`' | LC_ALL=C sort -u; }

defined=$(sources $product | grep '\.c$' | xargs cat | grep -oE '^[a-z][a-z0-9_]*\(' | LC_ALL=C sort -u)
verdict "conformance: functions" "$(names '[a-z0-9_]+\(\)' | while read -r name; do
	printf '%s\n' "$defined" | grep -qxF "${name%)}" || echo "$name is not defined anywhere"
done)"
verdict "conformance: files of tests" "$(names 'tests/[^:`]*' | while read -r name; do
	[ -e "$name" ] || echo "$name is not there"
done)"
verdict "conformance: cases of tests" "$(names 'test_[a-z0-9_]+:[a-z0-9_]+' | while read -r name; do
	find tests -name "${name%%:*}.*" -type f | xargs -r grep -qF "${name#*:}" ||
		echo "$name is not there"
done)"
verdict "conformance: cases of scripts" "$(names 'tests/[^:`]*\.sh:[a-z0-9-]+' | while read -r name; do
	grep -qsE "^(run_case|run) ${name#*:} " "${name%%:*}" || echo "$name is not there"
done)"
verdict "conformance: every line has four cells" "$(awk -F'|' '/^\|/ && NF != 6 { print FNR ": " NF - 2 " cells" }' docs/CONFORMANCE.md)"
grep '^|' docs/CONFORMANCE.md | awk -F'|' 'NR > 2 { n++ } $4 ~ /\*open\*/ { f++ } $5 ~ /\*open\*/ { t++ }
	END { printf "# %d lines; open: %d functions, %d tests\n", n - 3, f, t }'
done_testing
