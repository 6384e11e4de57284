#!/usr/bin/env bash
# start.sh - how long commands without network take to start: user and system time of a whole process, the median of
# RUNS (51), beside peers where they are installed, interleaved in one run.
set -euo pipefail
msctl=${MSCTL:-build/rel/msctl}
runs=${RUNS:-51}
rows=("msctl version|$msctl version" "msctl help push|$msctl help push" "true|/bin/true" "git --version|git --version")
command -v umoci >/dev/null && rows+=("umoci --version|umoci --version")
command -v skopeo >/dev/null && rows+=("skopeo --version|skopeo --version")
command -v kubectl >/dev/null && rows+=("kubectl version --client|kubectl version --client")
times=$(mktemp)
trap 'rm -f "$times"' EXIT
for ((i = 0; i < runs; i++)); do
	for row in "${rows[@]}"; do
		TIMEFORMAT="${row%%|*}|%3U %3S %3R"
		# shellcheck disable=SC2086  # a command and its words
		{ time ${row#*|} >/dev/null 2>&1; } 2>>"$times" || true
	done
done
awk -F'[| ]' '
	{ n = NF; name = $0; sub(/\|.*/, "", name); cpu = ($(n-2) + $(n-1)) * 1000; wall = $n * 1000
	  c[name, ++k[name]] = cpu; w[name, k[name]] = wall; if (!(name in order)) { order[name] = ++m; names[m] = name } }
	function med(a, name, cnt,   i, j, t, v) { for (i = 1; i <= cnt; i++) v[i] = a[name, i]
		for (i = 2; i <= cnt; i++) { t = v[i]; for (j = i - 1; j > 0 && v[j] > t; j--) v[j+1] = v[j]; v[j+1] = t }
		lo = v[1]; hi = v[cnt]; return v[int((cnt + 1) / 2)] }
	END { printf "%-26s %14s %12s %10s\n", "command", "user+sys ms", "wall ms", "ratio"
		for (i = 1; i <= m; i++) { x = med(c, names[i], k[names[i]]); y = med(w, names[i], k[names[i]])
			if (i == 1) first = y
			printf "%-26s %14.1f %12.1f %10.2f   (wall %.1f to %.1f)\n", names[i], x, y, y / first, lo, hi } }' "$times"
