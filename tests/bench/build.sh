#!/usr/bin/env bash
# build.sh - what an image build costs, whole processes, beside Debian's buildah and umoci in the same run.
#
# usage: build.sh [MEASURE]...      cold same change compress large files bytes; default: all
#
# A line says: what was measured, ours, the peer's, how many times ours the peer's is, the lowest and highest of our
# runs, and what is aimed at. Peers that are not installed are left out. Nothing fails here but a command that does.
#
# environment: MSCTL  the binary (build/rel/msctl)      RUNS  of each measure (9)
#              TMPDIR  where 1 GB has room, 10 GB as a hole
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MSCTL=$(realpath "${MSCTL:-$here/../../build/rel/msctl}")
runs=${RUNS:-9}
[ $# -gt 0 ] || set -- cold same change compress large files bytes
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work/home XDG_DATA_HOME=$work/data XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
export MSCTL_STORE=$work/store SOURCE_DATE_EPOCH=0
mkdir home
buildah="buildah --root $work/containers --runroot $work/run"
forget="rm -rf $work/store $work/cache $work/out; mkdir $work/out"
declare -A got

measure() { # measure RUNS [rss]: lines of measure.py to ${got[NAME.what.which]}
	local name w1 a b c w2 d e f w3 g h i
	while read -r name w1 a b c w2 d e f w3 g h i; do
		got[$name.$w1.low]=$a got[$name.$w1.med]=$b got[$name.$w1.high]=$c
		got[$name.$w2.low]=$d got[$name.$w2.med]=$e got[$name.$w2.high]=$f
		got[$name.$w3.low]=$g got[$name.$w3.med]=$h got[$name.$w3.high]=$i
	done < <(python3 "$here/measure.py" "$@")
	[ -n "${name:-}" ] || [ ${#got[@]} -gt 0 ]
}

row() { # row TITLE WHAT UNIT OURS [PEER [TARGET]]: one line; PEER is a name, or "" for none
	local peer=${5:-}
	awk -v title="$1" -v unit="$3" -v target="${6:-}" -v ours="${got[$4.$2.med]}" -v low="${got[$4.$2.low]}" \
		-v high="${got[$4.$2.high]}" -v name="$peer" -v peer="${got[${peer:-none}.$2.med]:-0}" '
		BEGIN {
			k = 1
			form = "%.2f"
			if (unit == "ms") { k = 1000; form = "%.1f" }
			other = ratio = "-"
			if (peer > 0) { other = name " " sprintf(form, peer * k); ratio = sprintf("%.2f", peer / ours) }
			printf("%-34s %9s %-3s %-20s %8s   %s..%s   %s\n", title, sprintf(form, ours * k), unit, other, ratio,
				sprintf(form, low * k), sprintf(form, high * k), target)
		}'
}

project() { # project DIR COPY [STEP]: an msctl.yaml there
	mkdir -p "$1"
	cat >"$1/msctl.yaml" <<-X
		apiVersion: msctl/v1
		name: bench
		version: "1"
		build:
		  steps: [${3:-}]
		  copy: {$2}
		  cmd: [/app]
	X
}

# Real machine code, as many bytes as asked for: what compilers make compresses like nothing else. Its beginning, which
# would make it a program, is left out.
code() { # code BYTES FILE
	find /usr/bin /usr/lib -type f -size +100k \( -path '*/bin/*' -o -name '*.so*' \) -print0 2>/dev/null |
		LC_ALL=C sort -z | xargs -0 cat 2>/dev/null | tail -c +1001 | head -c "$1" >"$2" || true
	[ "$(stat -c %s "$2")" = "$1" ] || { echo "build.sh: not $1 bytes of programs on this machine" >&2; exit 1; }
}

binary() { # binary DIR: a static program of 10 MB
	[ ! -e "$1/app" ] || return 0
	project "$1" 'app: /app'
	code 9500000 "$1/code"
	printf '.section .note.GNU-stack\n.section .rodata\n.incbin "%s"\n' "$1/code" >"$1/code.s"
	echo 'int main(void) { return 0; }' | gcc -static -O1 -o "$1/app" -x c - -x assembler "$1/code.s"
	rm "$1/code" "$1/code.s"
	printf 'FROM scratch\nCOPY app /app\nCMD ["/app"]\n' >"$1/Dockerfile"
	# a project is in a repository, and what it compiles is not
	echo /app >"$1/.gitignore"
	git -C "$1" init -q
	git -C "$1" add .
	git -C "$1" -c user.name=bench -c user.email=bench@localhost commit -q -m bench
}

has() { command -v "$1" >/dev/null; }

cold() {
	binary "$work/one"
	measure "$runs" < <(
		printf '%s\t%s\t%s\n' cold "$forget" "$MSCTL -C $work/one build -q -o oci:$work/out/image"
		! has buildah || printf '%s\t%s\t%s\n' buildah "rm -rf $work/out; mkdir $work/out" \
			"$buildah bud -q --no-cache --isolation chroot -t bench $work/one && $buildah push -q bench oci:$work/out/image"
		! has umoci || printf '%s\t%s\t%s\n' umoci \
			"rm -rf $work/out; mkdir $work/out; umoci init --layout $work/out/image; umoci new --image $work/out/image:1" \
			"umoci insert --image $work/out/image:1 $work/one/app /app"
	)
	row '10 MB binary to an OCI layout, cold' wall ms cold buildah 'ratio 5'
	row '  the same beside umoci insert' wall ms cold umoci 'ratio 2'
	row '  its CPU' cpu ms cold umoci
	measure 3 rss < <(
		printf '%s\t%s\t%s\n' cold "$forget" "$MSCTL -C $work/one build -q -o oci:$work/out/image"
		! has buildah || printf '%s\t%s\t%s\n' buildah "rm -rf $work/out; mkdir $work/out" \
			"$buildah bud -q --no-cache --isolation chroot -t bench $work/one && $buildah push -q bench oci:$work/out/image"
	)
	row '  its peak memory' rss MB cold buildah 'under 24'
}

same() {
	binary "$work/one"
	sleep 3.5 # files that were written a moment ago are read again
	"$MSCTL" -C one build -q >/dev/null
	"$MSCTL" -C one build -q >/dev/null
	! has buildah || $buildah bud -q --layers --isolation chroot -t bench one >/dev/null
	measure $((runs * 2)) < <(
		printf '%s\t\t%s\n' same "$MSCTL -C $work/one build -q"
		! has buildah || printf '%s\t\t%s\n' buildah "$buildah bud -q --layers --isolation chroot -t bench $work/one"
	)
	row 'nothing changed' wall ms same buildah 'under 20, ratio 15'
	! has strace || {
		strace -f -e trace=read,pread64 -o trace "$MSCTL" -C one build -q >/dev/null
		awk '$(NF - 1) == "=" && $NF > 0 { n += $NF } END { printf "%-34s %9.1f kB  read by system calls, libraries included\n", "  bytes read", n / 1000 }' trace
	}
}

# Nine files of 10 MB, of which one is another one in each run.
change() {
	project nine 'data: /data'
	mkdir -p nine/data
	for i in 1 2 3 4 5 6 7 8; do code "${i}0000000" all && tail -c 10000000 all >"nine/data/$i"; done
	code 95000000 all
	tail -c 15000000 all >others
	echo 0 >turn
	rm all
	measure "$runs" < <(
		printf '%s\t%s\t%s\n' full "$forget; head -c 10000000 others >nine/data/9" "$MSCTL -C $work/nine build -q"
		printf '%s\t%s\t%s\n' part \
			'n=$(($(cat turn) + 1)); echo $n >turn; tail -c +$((n * 1000 + 1)) others | head -c 10000000 >nine/data/9' \
			"$MSCTL -C $work/nine build -q"
	)
	row '10 MB of 90 MB changed: CPU' cpu ms part full 'ratio 4'
	row '  its wall time' wall ms part full
}

compress() {
	[ -e nine/data/9 ] || { change >/dev/null; }
	tar -C nine -cf nine.tar --sort=name --mtime=@0 data
	measure "$((runs > 5 ? 5 : runs))" < <(
		printf '%s\t%s\t%s\n' all "$forget" "$MSCTL -C $work/nine build -q"
		printf '%s\t%s\t%s\n' single "$forget" "$MSCTL -C $work/nine build -q --threads 1"
		printf '%s\t%s\t%s\n' gzip-6 'rm -f nine.tar.gz' "gzip -6 -k -n $work/nine.tar"
	)
	row '90 MB: CPU beside gzip -6' cpu ms all gzip-6 'ratio 2.5'
	row '  two cores against one: wall' wall ms all single 'ratio 1.7'
	local ours theirs
	ours=$("$MSCTL" -C nine build -q -o json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["size"])')
	theirs=$(stat -c %s nine.tar.gz)
	awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%-34s %9.2f MB  gzip-6 %-13.2f %8.3f\n", "  size", a / 1e6, b / 1e6, b / a }'
}

large() {
	project hole 'data: /data'
	truncate -s 10G hole/data
	measure 1 rss < <(printf '%s\t%s\t%s\n' large "$forget" "$MSCTL -C $work/hole build -q")
	row '10 GB layer: peak memory' rss MB large '' 'under 64'
	row '  its wall time' wall s large
}

tree() { # tree COUNT DIR: files of 1 kB, a hundred a folder
	python3 - "$@" <<-'P'
		import os, sys
		count, root = int(sys.argv[1]), sys.argv[2]
		for i in range(count):
		    if i % 100 == 0:
		        folder = f"{root}/{i // 10000:02d}/{i // 100 % 100:02d}"
		        os.makedirs(folder)
		    with open(f"{folder}/{i % 100:02d}", "w") as f:
		        f.write(f"{i} " * (1000 // (len(str(i)) + 1)))
	P
}

per() { # per TITLE COUNT UNIT NAME: cost of one
	awk -v title="$1" -v n="$2" -v unit="$3" -v wall="${got[$4.wall.med]}" -v cpu="${got[$4.cpu.med]}" \
		-v rss="${got[$4.rss.med]}" 'BEGIN { printf "%-34s %9.1f ms  cpu %-16.1f %8.2f us a %s   %.1f MB\n", title, wall * 1000, cpu * 1000,
			cpu / n * 1e6, unit, rss }'
}

files() {
	local n
	for n in 100 1000 10000 100000; do
		project "files$n" 'data: /data'
		tree $n "files$n/data"
		measure $((n < 100000 && runs > 3 ? 3 : 1)) rss < <(
			printf '%s\t%s\t%s\n' "files$n" "$forget" "$MSCTL -C $work/files$n build -q"
			[ $n != 100000 ] || printf '%s\t%s\t%s\n' again '' "$MSCTL -C $work/files$n build -q"
		)
		per "$n files of 1 kB" $n file "files$n"
		[ $n != 100000 ] || per '  again, nothing changed' $n file again
		rm -rf "files$n"
	done
}

bytes() {
	local n
	code 90000000 all
	for n in 1 10 90; do
		project "bytes$n" 'data: /data'
		head -c "${n}000000" all >"bytes$n/data"
		measure $((runs > 5 ? 5 : runs)) rss < <(printf '%s\t%s\t%s\n' "bytes$n" "$forget" "$MSCTL -C $work/bytes$n build -q")
		per "$n MB in one file" "${n}000" kB "bytes$n"
	done
	rm all
}

printf '%-34s %13s %-20s %8s   %s\n' measure ours peer ratio 'spread, aim'
for measure_name; do "$measure_name"; done
