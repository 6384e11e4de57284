#!/usr/bin/env bash
# lint.sh - all static checks: layers, headers, sizes, format, gcc -fanalyzer, clang-tidy, cppcheck, shellcheck.
# Each file is checked by a process of its own, as many at once as there are cores; a result that is clean is
# remembered under build/lint by the hash of what was checked, so a second run looks at changes only.
#
# usage: lint.sh [layers headers sizes format analyzer tidy cppcheck shellcheck]...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tests/env/install.sh lint
flags=(-std=gnu17 -D_GNU_SOURCE '-DMSCTL_VERSION="lint"' -Ilib -I.)
cache=build/lint
mkdir -p "$cache"

# one TOOL FILE: check one file unless the same content was clean before
one() {
	local tool=$1 f=$2 key out
	key=$({ echo "$tool"; cat .clang-tidy "$0"; gcc "${flags[@]}" -E -P "$f" 2>/dev/null; cat "$f"; } | sha256sum | cut -d' ' -f1)
	[ ! -e "$cache/$key" ] || return 0
	case $tool in
	analyzer) out=$(gcc "${flags[@]}" -O1 -fanalyzer -Wall -Wextra -Werror -fno-diagnostics-show-caret -c -o /dev/null "$f" 2>&1) ;;
	tidy) out=$(clang-tidy --quiet "$f" -- "${flags[@]}" 2>/dev/null) ;;
	cppcheck) out=$(cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
		--enable=warning,portability,performance --suppress=missingIncludeSystem \
		--suppressions-list=tests/meta/cppcheck.supp -D_GNU_SOURCE -D__x86_64__ '-DMSCTL_VERSION="lint"' \
		--library=tests/meta/cppcheck.cfg -Ilib -I. "$f" 2>&1) ;;
	esac || { printf '%s: %s\n%s\n' "$tool" "$f" "$out"; return 1; }
	: >"$cache/$key"
}

if [ "${1:-}" = --one ]; then
	one "$2" "$3"
	exit
fi

[ $# -gt 0 ] || set -- layers headers sizes format shellcheck analyzer cppcheck tidy
rc=0
for what; do
	start=$SECONDS
	case $what in
	layers | headers | sizes) "tests/meta/$what.sh" || rc=1 ;;
	format) clang-format --dry-run -Werror lib/*/*.[ch] cmd/*.[ch] tests/unit/*/*.[ch] tests/fuzz/*.[ch] || rc=1 ;;
	shellcheck)
		git ls-files -z | xargs -0 grep -lZE '^(#!.*(sh|bash)|# shellcheck shell=bash)$' 2>/dev/null |
			grep -zv '^templates/.*\.tmpl$' | xargs -0 -r shellcheck -x -S warning || rc=1 ;;
	*) printf '%s\n' lib/*/*.c cmd/*.c | xargs -P "$(nproc)" -n 1 "$0" --one "$what" || rc=1 ;;
	esac
	echo "lint: $what $((SECONDS - start)) s"
done
[ $rc -eq 0 ] && echo "lint: clean"
exit $rc
