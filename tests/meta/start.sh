#!/usr/bin/env bash
# start.sh - commands that need no network load neither libcurl nor libgit2.
set -euo pipefail
msctl=${MSCTL:-build/rel/msctl}
for words in version help 'help push' '__complete pu' 'image ls'; do
	# shellcheck disable=SC2086
	loaded=$(HOME=/nonexistent XDG_DATA_HOME=$(mktemp -d) LD_DEBUG=files "$msctl" $words 2>&1 >/dev/null | grep -oE 'lib(curl|git2)[^ ]*\.so[^ ]*' | head -n 1 || true)
	[ -z "$loaded" ] || { echo "msctl $words loads $loaded"; exit 1; }
done
linked=$(ldd "$msctl" | grep -oE 'lib(curl|git2)[^ ]*' || true)
[ -z "$linked" ] || { echo "msctl is linked with $linked"; exit 1; }
