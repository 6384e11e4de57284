#!/usr/bin/env bash
# embed.sh DIR - print a C source that holds every file below DIR (lib/scaffold/embedded.h). The bytes are taken in by the
# assembler, so the compiler never sees them.
set -euo pipefail
cd "$1"
dir=$1
mapfile -d '' files < <(find . -type f -printf '%P\0' | LC_ALL=C sort -z)
echo '/* made by tests/meta/embed.sh */'
echo '#include "scaffold/embedded.h"'
n=0
for f in "${files[@]}"; do
	case $f in *[\"\\]*) echo "embed.sh: $f: no quotes in names" >&2; exit 1 ;; esac
	printf '__asm__(".section .rodata\\nembedded_%d: .incbin \\"%s/%s\\"\\n.byte 0\\n.previous");\n' "$n" "$dir" "$f"
	printf 'extern const unsigned char embedded_%d[];\n' "$n"
	n=$((n + 1))
done
echo 'const struct template_file embedded_templates[] = {'
n=0
for f in "${files[@]}"; do
	mode=0644
	[ ! -x "$f" ] || mode=0755
	printf '\t{"%s", embedded_%d, %d, %s},\n' "$f" "$n" "$(wc -c <"$f")" "$mode"
	n=$((n + 1))
done
echo '};'
echo "const size_t embedded_template_count = $n;"
