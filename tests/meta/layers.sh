#!/usr/bin/env bash
# layers.sh - an area includes only what lib/LAYERS grants it; vendor headers stay in their area.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
grep -HnoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+[>"]' lib/*/*.[ch] cmd/*.[ch] |
	sed -E 's/^([^:]+):([0-9]+):.*include[[:space:]]*([<"])([^>"]+)[>"]/\1 \2 \3 \4/' |
	awk '
	BEGIN {
		while ((getline line < "lib/LAYERS") > 0) {
			if (line ~ /^#/ || line !~ /:/) continue
			area = line; sub(/:.*/, "", area)
			rest = line; sub(/^[^:]*:/, "", rest)
			n = split(rest, half, "|")
			m = split(half[1], w, " ")
			known[area] = 1
			for (i = 1; i <= m; i++) may[area, w[i]] = 1
			m = n > 1 ? split(half[2], w, " ") : 0
			for (i = 1; i <= m; i++) { vendor[++vendors] = w[i]; owner[vendors] = area }
		}
	}
	{
		split($1, p, "/")
		area = p[1] == "cmd" ? "cmd" : p[2]
		if ($3 == "\"") {
			split($4, q, "/")
			if (q[2] == "") print $1 ":" $2 ": \"" $4 "\" is not written from lib/"
			else if (q[1] == "cmd" && area != "cmd") print $1 ":" $2 ": lib may not include cmd"
			else if (area != "cmd" && q[1] != area && !((area, q[1]) in may))
				print $1 ":" $2 ": " area " may not include " q[1]
		}
		for (i = 1; i <= vendors; i++)
			if (index($4, vendor[i]) == 1 && owner[i] != area)
				print $1 ":" $2 ": <" $4 "> belongs to " owner[i]
	}' >/tmp/layers.$$ || true
if [ -s /tmp/layers.$$ ]; then
	cat /tmp/layers.$$
	rm -f /tmp/layers.$$
	exit 1
fi
rm -f /tmp/layers.$$
