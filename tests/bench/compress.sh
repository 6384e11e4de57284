#!/usr/bin/env bash
# compress.sh - what compressing a layer costs, whole processes, beside gzip -6 and zstd -3 in the same run.
#
# 90 MB of this machine's programs and libraries become a layer, everything else of a build included. A line says:
# what was measured, ours, the peer's, how many times ours the peer's is, the lowest and highest of our runs, the aim.
#
# environment: MSCTL  the binary (build/rel/msctl)      RUNS  of each measure (5)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MSCTL=$(realpath "${MSCTL:-$here/../../build/rel/msctl}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work/home XDG_CACHE_HOME=$work/cache MSCTL_STORE=$work/store SOURCE_DATE_EPOCH=0
mkdir -p home project/data

# many files of all sizes, as packages install them, and one of 10 MB
total=0
while read -r file; do
	head -c 4 "$file" | grep -q ELF || continue
	cp "$file" project/data/
	total=$((total + $(stat -c %s "$file")))
	[ "$total" -lt 80000000 ] || break
done < <(find /usr/bin /usr/lib -maxdepth 2 -type f -size -9000k \( -path '*/bin/*' -o -name '*.so*' \) | LC_ALL=C sort)
cat project/data/* >programs
cat >project/msctl.yaml <<-X
	apiVersion: msctl/v1
	name: bench
	version: "1"
	build: {libraries: false, copy: {data: /data}, cmd: [/x]}
X
echo 0 >turn
# shellcheck disable=SC2016  # for the shell of each run
changed='n=$(($(cat turn) + 1)); echo $n >turn; tail -c +$((n * 1000)) programs | head -c 10000000 >project/data/10'
sh -c "$changed"
tar -cf data.tar --sort=name --mtime=@0 -C project data

anew="rm -rf $work/store $work/cache"
again="rm -rf $work/store; find $work/cache -mindepth 2 -maxdepth 2 ! -name members -exec rm -rf {} +"
build="$MSCTL -C $work/project build -q"
python3 "$here/measure.py" "${RUNS:-5}" >measured <<-X
	gzip-6	rm -f out	gzip -6 -c $work/data.tar >$work/out
	one	$anew	$build --threads 1
	two	$anew	$build --threads 2
	kept	$again	$build
	zstd-3	rm -f out	zstd -q -3 -T1 -c $work/data.tar >$work/out
	zstd	$anew	$build --compression zstd --threads 1
X
# after a whole build, to have all members but the changed ones
$build >/dev/null
python3 "$here/measure.py" "${RUNS:-5}" >>measured <<-X
	part	$changed	$build
X
python3 "$here/measure.py" 1 rss >memory <<-X
	large	$anew	$build --threads 2
	small	$anew; head -c 10000000 programs >programs.10; rm -r project/data; mv programs.10 project/data	$build --threads 2
X

bytes() { # bytes COMPRESSION: of the layer
	$anew
	$build --compression "$1" -o json | python3 -c 'import json, sys; print(json.load(sys.stdin)["size"])'
}
rm -r project/data
mkdir project/data
tar -xf data.tar -C project
{
	echo "size gzip $(bytes gzip) $(gzip -6 -c data.tar | wc -c)"
	echo "size zstd $(bytes zstd) $(zstd -q -3 -c data.tar | wc -c)"
} >sizes

awk '
	FILENAME == "sizes" { ours[$2] = $3; theirs[$2] = $4; next }
	FILENAME == "memory" { rss[$1] = $12; next }
	{ wall[$1] = $4; cpu[$1] = $8; low[$1, "wall"] = $3; high[$1, "wall"] = $5; low[$1, "cpu"] = $7; high[$1, "cpu"] = $9 }
	function row(title, what, ours_name, peer, aim,   a, b) {
		a = what == "cpu" ? cpu[ours_name] : wall[ours_name]
		b = what == "cpu" ? cpu[peer] : wall[peer]
		printf "%-34s %9.2f s   %-6s %9.2f %8.2f   %.2f..%.2f   %s\n", title, a, peer, b, b / a, low[ours_name, what],
			high[ours_name, what], aim
	}
	function size(title, name, peer) {
		printf "%-34s %9.2f MB  %-6s %9.2f %8.3f\n", title, ours[name] / 1e6, peer, theirs[name] / 1e6, theirs[name] / ours[name]
	}
	END {
		printf "%-34s %11s   %-16s %8s   %s\n", "measure", "ours", "peer", "ratio", "spread, aim"
		row("gzip: CPU", "cpu", "one", "gzip-6", "ratio 2.5")
		size("  size", "gzip", "gzip-6")
		row("  two threads against one: wall", "wall", "two", "one", "ratio 1.7")
		row("zstd: CPU", "cpu", "zstd", "zstd-3", "")
		size("  size", "zstd", "zstd-3")
		row("all members kept: CPU", "cpu", "kept", "two", "")
		row("10 MB of 90 MB changed: CPU", "cpu", "part", "two", "ratio 4")
		printf "%-34s %9.1f MB\n", "peak memory, 10 MB", rss["small"]
		printf "%-34s %9.1f MB\n", "peak memory, 90 MB", rss["large"]
	}' sizes memory measured
