#!/usr/bin/env bash
# cleanroom.sh - run a command in a fresh, minimal Debian 12 with nothing but this repository.
#
# usage: cleanroom.sh [--keep-cache] COMMAND...     for example: cleanroom.sh make demo
#
# The root is made by debootstrap from this machine's own package source and
# kept; it holds gcc and make and no more. Each run works on an overlay over it,
# in mount and process namespaces of its own, which end with the run: nothing it
# starts, mounts or installs stays. What is committed at HEAD is all of the
# repository that gets in. The network is the machine's, for apt. Needs root.
#
# --keep-cache   lend the run this machine's test cache (the built control plane)
#
# environment: MSCTL_TEST_CACHE  where the root is kept (~/.cache/msctl-test)
set -euo pipefail

suite=bookworm
root_revision=1 # raise when the making of the root changes
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
cache=${MSCTL_TEST_CACHE:-$HOME/.cache/msctl-test}
base=$cache/cleanroom-$suite-r$root_revision

die() {
	printf 'cleanroom: %s\n' "$*" >&2
	exit 1
}

archive_address() { # the Debian archive that this machine's apt uses
	{ find /etc/apt/sources.list* -type f -exec cat {} + 2>/dev/null || true; } |
		sed -n 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p
			s/^deb[[:space:]]\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\).*/\2/p' |
		grep -m 1 '/debian/*$' || true
}

make_base() {
	[ ! -e "$base.complete" ] || return 0
	"$here/install.sh" --packages debootstrap
	local address
	address=$(archive_address)
	address=${address%/}
	[ -n "$address" ] || die "no Debian archive in /etc/apt"
	mkdir -p "$cache"
	rm -rf "$base"
	echo "cleanroom: making $base from $address" >&2
	debootstrap --variant=minbase --include=make,gcc,libc6-dev "$suite" "$base" "$address" \
		>"$base.log" 2>&1 || { tail -n 5 "$base.log" >&2; die "debootstrap failed"; }
	cat >"$base/etc/apt/sources.list" <<-X
		deb $address $suite main
		deb $address $suite-updates main
		deb ${address%/debian*}/debian-security $suite-security main
	X
	rm -rf "$base"/var/cache/apt/archives/*.deb
	: >"$base.complete"
}

# Runs as process 1 of its namespaces; what it mounts is gone when it ends.
inside() {
	local work=$1 lend=$2 root=$1/root
	shift 2
	mount --make-rprivate /
	mount -t tmpfs -o size=75%,mode=700 tmpfs "$work"
	mkdir "$work/upper" "$work/work" "$root"
	mount -t overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" overlay "$root"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	cp /etc/hosts "$root/etc/hosts"
	cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
	git clone -q --no-local "$repository" "$root/root/repository"
	if [ -n "$lend" ]; then
		mkdir -p "$root/root/.cache/msctl-test" "$lend"
		mount --bind "$lend" "$root/root/.cache/msctl-test"
	fi
	mkdir "$root/.old"
	cd "$root"
	# not chroot: a process that is chrooted can make no user namespace
	pivot_root . .old
	umount -l /.old
	rmdir /.old
	cd /root/repository
	env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		LANG=C.UTF-8 TERM="${TERM:-dumb}" KUBE="${KUBE:-}" DEMO_KUBE="${DEMO_KUBE:-}" "$@"
}

if [ "${1:-}" = --inside ]; then
	shift
	inside "$@"
	exit
fi

lend=
if [ "${1:-}" = --keep-cache ]; then
	lend=$cache
	shift
fi
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || die "needs root"
make_base
work=$(mktemp -d)
trap 'rmdir "$work"' EXIT
unshare --mount --pid --ipc --fork --kill-child "${BASH_SOURCE[0]}" --inside "$work" "$lend" "$@"
