#!/usr/bin/env bash
# gen-man.sh MSCTL DIR - write the manual pages into DIR: the pages of the commands and the tables of
# msctl(1) come from the program, the prose from man/.
set -euo pipefail
msctl=$(realpath "$1")
mkdir -p "$2"
out=$(cd "$2" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../../man"
"$msctl" __man | while read -r words; do
	# shellcheck disable=SC2086  # two words of a family
	"$msctl" __man $words >"$out/msctl-${words// /-}.1"
done
while IFS= read -r line; do
	case $line in
	@COMMANDS@ | @OPTIONS@) "$msctl" __man "${line//@/}" ;;
	*) printf '%s\n' "$line" ;;
	esac
done <msctl.1.in >"$out/msctl.1"
cp msctl.yaml.5 "$out/"
