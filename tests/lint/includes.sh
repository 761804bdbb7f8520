#!/bin/sh
# Every #include of the product against includes.table: one check per row of "folder" and "only".
. "$(dirname "$0")/lib.sh"

# Lines of "file:line:header:kind", kind being q for "..." and s for <...>.
includes() {
	sources $product | xargs -r grep -HnE '^[[:space:]]*#[[:space:]]*include' /dev/null |
		sed -E 's/^([^:]*:[0-9]+):[^<"]*(["<])([^">]*)[">].*/\1:\3:\2/; s/:"$/:q/; s/:<$/:s/'
}

report=$(includes | awk -F: -v table="$lint/includes.table" '
function under(path, item,    re) { # the item is the path itself, a folder above it, or a pattern
	if (item ~ /\*/) {
		re = item
		gsub(/\./, "\\.", re)
		gsub(/\*/, "[^/]*", re)
		return path ~ ("^" re "$")
	}
	return path == item || index(path, item "/") == 1
}
function any(path, items,    list, n, i) {
	n = split(items, list, " ")
	for (i = 1; i <= n; i++)
		if (under(path, list[i]))
			return 1
	return 0
}
function folder_of(file,    f, best) {
	for (f in may)
		if (under(file, f) && length(f) > length(best))
			best = f
	return best
}
function find(row, text) { print "bad\t" row "\t" file ":" $2 ": " text }
BEGIN {
	while ((getline line < table) > 0) {
		if (line ~ /^#/ || line !~ /:/)
			continue
		head = line; sub(/:.*/, "", head)
		rest = line; sub(/^[^:]*: */, "", rest)
		split(head, word, " ")
		if (word[1] == "folder") { may[word[2]] = rest; print "row\tfolder " word[2] }
		else if (word[1] == "only") { owner[word[2]] = rest; print "row\tonly " word[2] }
		else if (word[1] == "never") { never[word[2]] = rest; print "row\tnever " word[2] }
		else if (word[1] == "system") everybody = everybody " " rest
		else if (word[1] == "inside") inside = inside " " rest
		else print "bad\ttable\t" line
	}
	print "row\ttable"
}
{
	file = $1; header = $3; quoted = $4 == "q"
	folder = folder_of(file)
	owned = ""
	for (h in owner)
		if (under(header, h))
			owned = h
	for (w in never)
		if (under(file, w) && any(header, never[w]))
			find("never " w, header " is not for " w)
	if (owned != "" && !any(file, owner[owned]))
		find("only " owned, header " belongs to: " owner[owned])
	if (quoted && header != "config.h") {
		if (folder == "")
			find("table", "no row for this file")
		else if (!under(header, folder) && !any(header, may[folder]))
			find("folder " folder, header " is not for " folder)
		else if (folder == "bsserver" && file !~ /^bsserver\/[^\/]*$/)
			find("table", "no row for this folder")
	} else if (!quoted && owned == "" && !any(header, everybody))
		find("table", "<" header "> has no owner")
	if (quoted && any(header, inside) && folder_of(header) != folder)
		find("table", header " is for its own folder only")
	if (!quoted && owned != "" && file ~ /\.h$/ && !any(file, inside))
		find("only " owned, "a header of ours names no outside type (" header ")")
}')

printf '%s\n' "$report" | sed -n 's/^row\t//p' >"${TMPDIR:-/tmp}/includes.$$"
while read -r row; do
	verdict "includes: $row" "$(printf '%s\n' "$report" | awk -F'\t' -v r="$row" '$1 == "bad" && $2 == r { print $3 }')"
done <"${TMPDIR:-/tmp}/includes.$$"
rm -f "${TMPDIR:-/tmp}/includes.$$"
done_testing
