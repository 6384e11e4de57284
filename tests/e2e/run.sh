#!/usr/bin/env bash
# run.sh - run the end-to-end tests; README.md beside this tells how to write one.
#
# usage: run.sh [GROUP | GROUP/FILE | GROUP/FILE/CASE]...
#        run.sh --list [...]       names only
#
# environment: MSCTL    the binary (build/rel/msctl)
#              KUBE=1   also the group deploy, against a real control plane
#              RESULTS  a file that gets one line a test: PASS, FAIL or SKIP and its name
#              KEEP=1   keep the folders of failed tests and say where they are
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export MSCTL=${MSCTL:-$root/build/rel/msctl}
export E2E=$here TESTS_ENV=$root/tests/env
groups=(registry build run new)
[ "${KUBE:-}" != 1 ] || groups+=(deploy)
limit_default=60 # seconds that a test may take unless its file says "# limit: N"

list=''
if [ "${1:-}" = --list ]; then
	list=1
	shift
fi
selected=("$@")

chosen() { # chosen NAME: was it, or a part of it, asked for?
	local want
	[ ${#selected[@]} -gt 0 ] || return 0
	for want in "${selected[@]}"; do
		case $1/ in "$want"/*) return 0 ;; esac
	done
	return 1
}

cases_of() { # cases_of FILE: its test functions, in order
	sed -n 's/^test_\([a-z0-9_]*\)() *[{(].*/\1/p' "$1"
}

names=() # GROUP/FILE/CASE of everything chosen
for group in "${groups[@]}"; do
	for file in "$here/$group"/test_*.sh; do
		[ -f "$file" ] || continue
		stem=${file##*/test_}
		for case in $(cases_of "$file"); do
			name=$group/${stem%.sh}/$case
			if chosen "$name"; then names+=("$name"); fi
		done
	done
done
[ ${#names[@]} -gt 0 ] || { echo "run.sh: no such test" >&2; exit 2; }
if [ -n "$list" ]; then
	printf '%s\n' "${names[@]}"
	exit 0
fi
[ -x "$MSCTL" ] || { echo "run.sh: no $MSCTL; run 'make'" >&2; exit 2; }
MSCTL=$(cd "$(dirname "$MSCTL")" && pwd)/${MSCTL##*/}

work=$(mktemp -d "${TMPDIR:-/tmp}/msctl-e2e.XXXXXX")
group='' group_dir=''

stop_group() {
	[ -z "$group" ] || [ ! -f "$here/$group/setup.sh" ] ||
		in_clean_shell stop >>"$group_dir/stop.log" 2>&1 || true
	group=''
}

finish() {
	stop_group
	# what a container or a read-only folder left is ours to remove
	if [ -z "${KEEP:-}" ] || [ "$fail" = 0 ]; then
		chmod -R u+rwx "$work" 2>/dev/null || true
		rm -rf "$work"
	else
		echo "kept: $work"
	fi
}
pass=0 fail=0 skip=0
trap finish EXIT
trap 'exit 130' INT TERM HUP

# Nothing of the caller's environment reaches a test but what is named here.
in_clean_shell() { # in_clean_shell FUNCTION [FILE]: run FUNCTION of setup.sh, or of a test file
	local dir=${test_dir:-$group_dir}
	mkdir -p "$dir/home" "$dir/tmp" "$dir/run"
	chmod 700 "$dir/run"
	env -i PATH="$PATH" TERM=dumb LANG=C.UTF-8 TZ=UTC USER="${USER:-root}" \
		HOME="$dir/home" TMPDIR="$dir/tmp" XDG_RUNTIME_DIR="$dir/run" \
		XDG_CONFIG_HOME="$dir/home/.config" XDG_DATA_HOME="$dir/home/.local/share" \
		XDG_CACHE_HOME="$dir/home/.cache" MSCTL_STORE="$dir/home/store" XDG_STATE_HOME="$dir/home/.local/state" \
		GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		MSCTL_TEST_CACHE="${MSCTL_TEST_CACHE:-$HOME/.cache/msctl-test}" \
		${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} ${UBSAN_OPTIONS:+UBSAN_OPTIONS="$UBSAN_OPTIONS"} \
		MSCTL="$MSCTL" E2E="$E2E" TESTS_ENV="$TESTS_ENV" GROUP_DIR="$group_dir" TEST_DIR="$dir" \
		timeout --kill-after=10 "${limit:-300}" bash "$here/harness.sh" "$1" "${2:-$here/$group/setup.sh}"
}

start_group() { # start_group GROUP: its servers, once
	stop_group
	group=$1 group_dir=$work/$1 test_dir='' limit=''
	mkdir -p "$group_dir"
	[ -f "$here/$group/setup.sh" ] || return 0
	in_clean_shell start >"$group_dir/start.log" 2>&1 || {
		echo "the servers of group $group did not start:"
		sed 's/^/    /' "$group_dir/start.log"
		return 1
	}
}

record() { # record VERDICT NAME [REMARK]
	printf '%s %s%s\n' "$1" "$2" "${3:+ ($3)}"
	[ -z "${RESULTS:-}" ] || printf '%s e2e/%s\n' "$1" "$2" >>"$RESULTS"
}

run_case() { # run_case NAME
	local name=$1 case=${1##*/} file status=0 started=$SECONDS
	file=${name#*/}
	file=$here/$group/test_${file%/*}.sh
	test_dir=$work/$group/${name//\//.}
	limit=$(sed -n 's/^# limit: \([0-9]*\)$/\1/p' "$file")
	limit=${limit:-$limit_default}
	in_clean_shell "test_$case" "$file" >"$group_dir/output" 2>&1 </dev/null || status=$?
	case $status in
	0)
		pass=$((pass + 1))
		record PASS "$name" "$((SECONDS - started)) s" ;;
	77)
		skip=$((skip + 1))
		record SKIP "$name" "$(tail -n 1 "$group_dir/output")" ;;
	*)
		fail=$((fail + 1))
		[ "$status" != 124 ] || echo "timed out after $limit s" >>"$group_dir/output"
		record FAIL "$name" "status $status"
		sed 's/^/    /' "$group_dir/output" ;;
	esac
	if [ "$status" = 0 ] || [ -z "${KEEP:-}" ]; then
		chmod -R u+rwx "$test_dir" 2>/dev/null || true
		rm -rf "$test_dir"
	fi
}

broken=''
for name in "${names[@]}"; do
	if [ "${name%%/*}" != "$group" ]; then
		broken=''
		start_group "${name%%/*}" || broken=1
	fi
	if [ -n "$broken" ]; then
		fail=$((fail + 1))
		record FAIL "$name" "no servers"
	else
		run_case "$name"
	fi
done
echo "end to end: $pass passed, $fail failed, $skip skipped"
[ "$fail" = 0 ]
