#!/usr/bin/env bash
# harness.sh FUNCTION FILE - started by run.sh: run one function in the test's own world.
set -Eeuo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$E2E/lib.sh"
function=$1 file=$2
# shellcheck source=/dev/null
[ ! -f "$GROUP_DIR/env" ] || . "$GROUP_DIR/env"
cd "$TEST_DIR"
# shellcheck source=/dev/null
. "$file"
trap 'printf >&2 "at %s:%s: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND"' ERR
trap end_children EXIT
"$function"
