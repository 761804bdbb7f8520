#!/bin/bash
# Every check of this folder, and a count of them as automake words it.
here=$(cd "$(dirname "$0")" && pwd)
rc=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for check in includes.sh sizes.sh words.sh conformance.sh selftest.sh tidy.sh; do
	bash "$here/$check" | tee -a "$out"
	[ "${PIPESTATUS[0]}" -eq 0 ] || rc=1
done
echo "# PASS: $(grep -c '^ok ' "$out")"
echo "# FAIL: $(grep -c '^not ok ' "$out")"
exit $rc
