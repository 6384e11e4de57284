#!/usr/bin/env bash
# headers.sh - every header compiles alone and is included once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bad=0
for h in lib/*/*.h cmd/*.h; do
	[ "$h" != lib/base/banned.h ] || continue
	grep -q '^#pragma once' "$h" || { echo "$h: no #pragma once"; bad=1; }
	include=${h#lib/}
	printf '#include "%s"\nint only_to_have_something;\n' "$include" |
		${CC:-gcc} -std=gnu17 -D_GNU_SOURCE -Ilib -I. -Wall -Wextra -Werror -fsyntax-only -xc - ||
		{ echo "$h: does not compile alone"; bad=1; }
done
exit $bad
