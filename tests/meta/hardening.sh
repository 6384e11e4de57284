#!/usr/bin/env bash
# hardening.sh - the binary is PIE, RELRO, NOW, NX, has no RPATH, stack protector and FORTIFY.
set -euo pipefail
msctl=${MSCTL:-build/rel/msctl}
bad=0
complain() { echo "$*"; bad=1; }
shows() { # shows PATTERN READELF_OPTION: does readelf print a line like that? (reads all of it: no broken pipe)
	readelf "$2" "$msctl" | grep -E "$1" >/dev/null
}
shows 'Type: *DYN' -hW || complain "not PIE"
shows GNU_RELRO -lW || complain "no RELRO"
shows 'BIND_NOW|FLAGS_1.*NOW' -dW || complain "not bound at start"
! shows 'GNU_STACK.*RWE' -lW || complain "executable stack"
! shows 'R(UN)?PATH' -dW || complain "has an RPATH"
shows __stack_chk_fail -sW || complain "no stack protector"
shows '__[a-z]+_chk@' -sW || complain "no FORTIFY_SOURCE"
if [ "$(uname -m)" = x86_64 ]; then
	shows SHSTK -nW || complain "no shadow stack mark"
	# the static libdeflate has no IBT marks, so the whole binary cannot; our own objects do
	msctl=$(dirname "$msctl")/lib/base/error.o
	shows IBT -nW || complain "objects without IBT"
fi
exit $bad
