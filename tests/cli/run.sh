#!/usr/bin/env bash
# run.sh - run the CLI tests; README.md beside this tells how to write one.
#
# usage: run.sh [COMMAND | COMMAND/CASE]...
# environment: MSCTL    the binary (build/rel/msctl)
#              RESULTS  a file that gets one line a test: PASS or FAIL and its name
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MSCTL=${MSCTL:-$here/../../build/rel/msctl}
MSCTL=$(realpath "$MSCTL")
RESULTS=${RESULTS:-/dev/null}
work=$(mktemp -d "${TMPDIR:-/tmp}/msctl-cli.XXXXXX")
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT

# same EXPECTED ACTUAL: line by line; in an expected line only '*' is special
same() {
	local want got
	exec 3<"$1" 4<"$2"
	while IFS= read -r want <&3 || [ -n "$want" ]; do
		IFS= read -r got <&4 || [ -n "$got" ] || return 1
		want=${want//\\/\\\\}
		want=${want//\[/\\[}
		want=${want//\?/\\?}
		# shellcheck disable=SC2053  # a pattern is meant
		[[ $got == $want ]] || return 1
	done
	! IFS= read -r got <&4
}

# run_case NAME: prints nothing and succeeds, or prints what differs
run_case() {
	local name=$1 dir=$here/$1 t=$work/${1//\//-} status=0 want=0 rc=0
	mkdir -p "$t/work" "$t/home"
	(
		cd "$t/work"
		exec env -i PATH="$PATH" HOME="$t/home" TMPDIR="$t" LC_ALL=C.UTF-8 TZ=UTC \
			MSCTL="$MSCTL" CASE="$dir" ${ASAN_OPTIONS+ASAN_OPTIONS="$ASAN_OPTIONS"} \
			${UBSAN_OPTIONS+UBSAN_OPTIONS="$UBSAN_OPTIONS"} \
			${LSAN_OPTIONS+LSAN_OPTIONS="$LSAN_OPTIONS"} \
			timeout -k 5 60 bash "$dir/cmd"
	) </dev/null >"$t/stdout" 2>"$t/stderr" || status=$?
	[ ! -f "$dir/status" ] || want=$(cat "$dir/status")
	if [ "$status" != "$want" ]; then
		echo "$name: exit status $status, expected $want"
		rc=1
	fi
	for f in stdout stderr; do
		[ -f "$dir/$f" ] || continue
		same "$dir/$f" "$t/$f" || { echo "$name: $f differs"; diff "$dir/$f" "$t/$f" || true; rc=1; }
	done
	[ $rc -eq 0 ] || { echo "--- stdout"; head -n 20 "$t/stdout"; echo "--- stderr"; head -n 20 "$t/stderr"; }
	chmod -R u+rwx "$t"
	rm -rf "$t"
	return $rc
}

if [ "${1:-}" = --one ]; then
	if out=$(run_case "$2"); then
		echo "PASS cli/$2"
	else
		echo "FAIL cli/$2"
		printf '%s\n' "$out" >&2
	fi
	exit 0
fi

cases=()
for cmd in "$here"/*/*/cmd; do
	name=${cmd#"$here"/}
	name=${name%/cmd}
	if [ $# -eq 0 ]; then cases+=("$name"); continue; fi
	for want; do
		case $name/ in "$want"/*) cases+=("$name") ;; esac
	done
done
[ ${#cases[@]} -gt 0 ] || { echo "run.sh: no such test" >&2; exit 2; }
export MSCTL
printf '%s\n' "${cases[@]}" | xargs -P "$(nproc)" -n 1 "$here/run.sh" --one >"$work/lines"
LC_ALL=C sort "$work/lines" >>"$RESULTS"
[ "$RESULTS" != /dev/null ] || LC_ALL=C sort "$work/lines"
! grep -q '^FAIL ' "$work/lines"
