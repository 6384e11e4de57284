#!/bin/bash
# Run one fuzz target with libFuzzer: tests/fuzz/run.sh TARGET [SECONDS]
# New inputs go to build/fuzz/corpus/TARGET, findings to build/fuzz/findings; what is worth keeping is
# copied by hand to tests/fuzz/corpus/TARGET, which 'make check' replays.
# Needs clang and libclang-rt-14-dev.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${1:?usage: tests/fuzz/run.sh TARGET [SECONDS]}
seconds=${2:-60}
b=build/fuzz
sanitize=address,undefined

[ -f "tests/fuzz/fuzz_$target.c" ] || {
	echo "run.sh: no target '$target'; there are:" tests/fuzz/fuzz_*.c >&2
	exit 2
}
make -s B=$b CC="${CC:-clang}" WERROR=0 CFLAGS='-Wno-everything' \
	MODE_FLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,$sanitize -fno-sanitize-recover=all" \
	"$b/tests/fuzz_$target"
# shellcheck disable=SC2046 # pkg-config prints words
${CC:-clang} "-fsanitize=fuzzer,$sanitize" -o "$b/tests/libfuzzer_$target" "$b/tests/fuzz/fuzz_$target.o" \
	-Wl,--start-group $b/lib/*.a -Wl,--end-group $(pkg-config --libs jansson yaml-0.1 libcrypto) \
	-l:libdeflate.a -l:libzstd.a -lz -ldl -lpthread
mkdir -p "$b/corpus/$target" "$b/findings" "tests/fuzz/corpus/$target"
exec "$b/tests/libfuzzer_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
	-artifact_prefix="$b/findings/$target-" -print_final_stats=1 "$b/corpus/$target" "tests/fuzz/corpus/$target"
