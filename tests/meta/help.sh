#!/usr/bin/env bash
# help.sh - every command's help, the manual and completion agree; the exit statuses are the table's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
msctl=${MSCTL:-build/rel/msctl}
bad=0
complain() { echo "$*"; bad=1; }
"$msctl" __describe >/tmp/describe.$$
trap 'rm -rf /tmp/describe.$$ /tmp/man.$$' EXIT
tests/meta/gen-man.sh "$msctl" /tmp/man.$$
python3 - /tmp/describe.$$ >/tmp/man.$$/list <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
for c in d['commands']:
    print(c['name'].replace(' ', '-'), c['name'])
    shorts, longs = {}, {}
    for o in c['options']:
        if o['name'] in longs: print('!', c['name'], 'has --%s twice' % o['name'])
        longs[o['name']] = 1
        if 'short' in o:
            if o['short'] in shorts: print('!', c['name'], 'has -%s twice' % o['short'])
            shorts[o['short']] = 1
        if o['help'][0].isupper() or o['help'].endswith('.'): print('!', c['name'], '--%s: help is a phrase in lower case' % o['name'])
    if not c['summary'][0].isupper() or c['summary'].endswith('.'): print('!', c['name'], 'summary')
PY
while read -r page words; do
	[ "$page" != '!' ] || { complain "$words"; continue; }
	# shellcheck disable=SC2086  # two words of a family
	"$msctl" $words --help | grep "^Usage: msctl $words" >/dev/null || complain "$words: no usage in its help"
	[ -s "/tmp/man.$$/msctl-$page.1" ] || complain "$words: no manual page"
done </tmp/man.$$/list
"$msctl" __complete '' | grep -q '^push' || complain "completion does not offer push"
"$msctl" __complete pu | grep -q '^pull' || complain "completion does not offer pull"
"$msctl" __complete push --pl | grep -q '^--pl' || complain "completion does not offer the options of push"
"$msctl" __complete version -o '' | grep -qx yaml || complain "completion does not offer choices"
for shell in bash zsh fish; do
	"$msctl" completion $shell | cmp -s - "completions/$(case $shell in bash) echo msctl.bash ;; zsh) echo _msctl ;; fish) echo msctl.fish ;; esac)" ||
		complain "completion $shell differs from completions/"
done
# the statuses that error.h names stand in the manual, and nothing else does
header=$(sed -n 's/.*-> *\([0-9]*\) *\*\/.*/\1/p' lib/base/error.h | sort -n | tr '\n' ' ')
manual=$(sed -n '/^.SH "\{0,1\}EXIT STATUS/,/^.SH/s/^\\fB\([0-9]*\)\\fR.*/\1/p' /tmp/man.$$/msctl.1 | grep -vx 0 | sort -n | tr '\n' ' ')
[ "$header" = "$manual" ] || complain "exit statuses: error.h has $header, msctl(1) has $manual"
exit $bad
