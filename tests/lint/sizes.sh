#!/bin/sh
# Sizes of functions and files. A function is what stands from "{" to "}" in the first column, less
# the rows of the tables in it: lines of just "{ ... },".
. "$(dirname "$0")/lib.sh"

max_lines=80	# of a function
max_p90=45	# of the product's functions
max_file=700

# Lines of "length static|extern file:line name".
functions() {
	sources "$@" | xargs -r awk '
	/^[A-Za-z_].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
	/^[A-Za-z_]/ { kind = ($0 ~ /^static/ || (prev ~ /^static/ && kind == "static")) ? "static" : "extern" }
	/^START_TEST/ { name = $0; kind = "static" }
	/^\{/ { start = FNR; rows = 0 }
	/^\t+\{ .*\},?([ \t]*\/\*.*\*\/)?$/ { rows++ }
	/^\}/ && start { print FNR - start + 1 - rows, kind, FILENAME ":" start, name; start = 0 }
	{ prev = $0 }'
}

# percentile P of the first column.
percentile() {
	sort -n | awk -v p="$1" '{ v[NR] = $1 } END { i = int(NR * p / 100 + 0.999999); print NR ? v[i < 1 ? 1 : i] : 0 }'
}

all=$(functions $product tests)
ours=$(functions $product)
p50=$(printf '%s\n' "$ours" | percentile 50)
p90=$(printf '%s\n' "$ours" | percentile 90)

verdict "sizes: no function over $max_lines lines" \
	"$(printf '%s\n' "$all" | awk -v m=$max_lines '$1 > m { print $3 ": " $4 ": " $1 " lines" }')"
verdict "sizes: nine functions in ten under $max_p90 lines" \
	"$([ "${p90:-0}" -lt $max_p90 ] || echo "p90 is $p90")"
verdict "sizes: no file over $max_file lines" "$(sources $product tests | xargs -r wc -l |
	awk -v m=$max_file -v allow="$lint/sizes.allow" '
	BEGIN { while ((getline line < allow) > 0) ok[line] = 1 }
	$2 != "total" && $1 > m && !($2 in ok) { print $2 ": " $1 " lines" }')"
printf '%s\n' "$ours" | awk -v p50="$p50" -v p90="$p90" '
	$2 == "static" { s++ }
	END { printf "# product: %d functions, median %d lines, p90 %d, %d%% static\n", NR, p50, p90, NR ? 100 * s / NR : 0 }'
done_testing
