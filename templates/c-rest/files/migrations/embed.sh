#!/bin/sh
# Print the given migrations as C: one row a file, in the order of the arguments.
set -eu
export LC_ALL=C

printf '#include "chassis/database.h"\n\nconst struct migration migrations[] = {\n'
for file in "$@"; do
	name=$(basename "$file" .sql)
	number=$(printf '%s' "$name" | sed -n 's/^0*\([1-9][0-9]*\)_.*/\1/p')
	[ -n "$number" ] || { echo "$file: the name must be like 0001_what.sql" >&2; exit 1; }
	printf '\t{%s, "%s", (const char[]){' "$number" "$name"
	od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
	printf '0}},\n'
done
printf '\t{0},\n};\n'
