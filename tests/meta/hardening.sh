#!/usr/bin/env bash
# hardening.sh - the binary is PIE, RELRO, NOW, NX, has no RPATH, stack protector and FORTIFY.
set -euo pipefail
msctl=${MSCTL:-build/rel/msctl}
bad=0
complain() { echo "$*"; bad=1; }
readelf -hW "$msctl" | grep -q 'Type: *DYN' || complain "not PIE"
readelf -lW "$msctl" | grep -q GNU_RELRO || complain "no RELRO"
readelf -dW "$msctl" | grep -qE 'BIND_NOW|FLAGS_1.*NOW' || complain "not bound at start"
readelf -lW "$msctl" | grep GNU_STACK | grep -q 'RWE' && complain "executable stack"
readelf -dW "$msctl" | grep -qE 'R(UN)?PATH' && complain "has an RPATH"
readelf -sW "$msctl" | grep -q __stack_chk_fail || complain "no stack protector"
readelf -sW "$msctl" | grep -qE '__[a-z]+_chk@' || complain "no FORTIFY_SOURCE"
if [ "$(uname -m)" = x86_64 ]; then
	readelf -nW "$msctl" | grep -q 'IBT' || complain "no CET"
fi
exit $bad
