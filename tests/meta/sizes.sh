#!/usr/bin/env bash
# sizes.sh - files of at most 500 lines, functions of at most 70, no more than 5 parameters, no mutable
# file-scope variable. An exception stands here with its reason.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
excepted() { # excepted FILE WHAT
	case $1:$2 in
	cmd/signals.c:static) return 0 ;; # a signal handler can reach nothing else
	esac
	return 1
}
bad=0
complain() { excepted "$1" "$2" || { echo "$3"; bad=1; }; }

for f in lib/*/*.[ch] cmd/*.[ch]; do
	n=$(wc -l <"$f")
	[ "$n" -le 500 ] || complain "$f" file "$f: $n lines"
done
while read -r f line len; do
	complain "$f" function "$f:$line: function of $len lines"
done < <(awk '
	FNR == 1 { start = 0 }
	/^\{$/ && !start { start = FNR }
	/^\}$/ && start { if (FNR - start - 1 > 70) print FILENAME, start, FNR - start - 1; start = 0 }
	' lib/*/*.c cmd/*.c)
while IFS=: read -r f line text; do
	complain "$f" static "$f:$line: mutable file-scope variable: $text"
done < <(grep -nE '^static [a-z]' lib/*/*.c cmd/*.c |
	grep -E '(=|;)' | grep -vE '\(|\bconst\b|^[^:]+:[0-9]+:static (inline|NORETURN|UNUSED)' || true)
while IFS=: read -r f line text; do
	complain "$f" parameters "$f:$line: more than 5 parameters: $text"
done < <(awk '
	# a definition or prototype at column 0, joined until its closing parenthesis
	FNR == 1 { collecting = 0 }
	!collecting && /^[a-z][A-Za-z_0-9 *]*\(/ && !/^(typedef|return|else|if|for|while|switch)/ { text = ""; at = FNR; collecting = 1; depth = 0 }
	collecting {
		text = text " " $0
		for (i = 1; i <= length($0); i++) { c = substr($0, i, 1); if (c == "(") depth++; if (c == ")") depth-- }
		if (depth <= 0) {
			collecting = 0
			sub(/^[^(]*\(/, "", text); d = 1; n = 1; done = 0
			for (i = 1; i <= length(text) && d > 0; i++) { c = substr(text, i, 1); if (c == "(") d++; if (c == ")") d--; if (c == "," && d == 1) n++ }
			# the error and a user pointer come on top of the five
			if (text ~ /struct error \*err\)/) n--
			if (n > 5) print FILENAME ":" at ":" n
		}
	}' lib/*/*.[ch] cmd/*.[ch])
exit $bad
