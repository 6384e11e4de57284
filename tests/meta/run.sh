#!/usr/bin/env bash
# run.sh - the tests of the code base itself: one line a script in $RESULTS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rc=0
for t in layers headers sizes help start hardening; do
	if out=$("tests/meta/$t.sh" 2>&1); then
		echo "PASS meta/$t" >>"${RESULTS:-/dev/stdout}"
	else
		echo "FAIL meta/$t" >>"${RESULTS:-/dev/stdout}"
		printf '%s\n' "$out"
		rc=1
	fi
done
exit $rc
