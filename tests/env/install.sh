#!/bin/sh
# install.sh - install the Debian 12 packages that msctl or its tests need.
#
# usage: install.sh GROUP...              build check test kube lint demo
#        install.sh --packages NAME...    these very packages
#        install.sh --list GROUP...       print the packages, install nothing
#
# What is there stays as it is: a prepared machine costs one dpkg-query. No
# service is started by a package. Needs root, or sudo that asks nothing.
#
# environment: MSCTL_NO_APT   if set, never call apt; name what is missing, fail
set -eu

# The C libraries that msctl is built with; libcurl and libgit2
# are opened at run time, so their headers are enough to build.
build='gcc make libc6-dev pkg-config libjansson-dev libyaml-dev libssl-dev
	libdeflate-dev zlib1g-dev libzstd-dev libcurl4-openssl-dev libgit2-dev
	git ca-certificates'

# A generated service: what its Makefile and its tests need.
service='libmicrohttpd-dev libsqlite3-dev libjansson-dev curl'

check="$build $service libcriterion-dev python3 procps"

registry='docker-registry apache2-utils openssl curl python3'
runtime='crun runc uidmap'

# Projects without an msctl.yaml: build systems, Debian's own sources and what these need.
systems='meson ninja-build cmake autoconf automake libtool dpkg-dev xz-utils libevent-dev libpcre2-dev zlib1g-dev'

# Programs for arm64 from amd64, and its loader as their judge.
cross='gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static'

group() { # group NAME -> its packages
	case $1 in
	build) echo "$build" ;;
	check) echo "$check" ;;
	demo) echo "$build $service $registry $runtime" ;;
	test) # npm may come from elsewhere, and brings hundreds of packages
		echo "$check $registry $runtime $cross $systems skopeo umoci podman buildah docker.io zstd python3-jsonschema
		golang-github-opencontainers-image-spec-dev jq iproute2 strace busybox-static"
		command -v npm >/dev/null || echo npm ;;
	kube) # another packager's kubectl serves as well, and owns the same file
		echo 'etcd-server openssl curl jq python3'
		command -v kubectl >/dev/null || echo kubernetes-client ;;
	lint) echo "$build clang clang-tidy clang-format cppcheck shellcheck python3" ;;
	*)
		echo "install.sh: no group '$1'" >&2
		return 2 ;;
	esac
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# missing PACKAGE... -> those that are not installed
missing() {
	dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		awk -v want="$*" '
			$2 == "installed" { have[$1] = 1 }
			END {
				n = split(want, w, " ")
				for (i = 1; i <= n; i++)
					if (!(w[i] in have) && !seen[w[i]]++)
						print w[i]
			}'
}

# apt ARGUMENT... : apt-get that waits for others and tries three times
apt() {
	for wait in 5 15 0; do
		as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -qq -y \
			-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
			-o APT::Install-Recommends=false "$@" </dev/null >"$log" 2>&1 && return 0
		[ "$wait" = 0 ] || sleep "$wait"
	done
	cat "$log" >&2
	return 1
}

no_services=/usr/sbin/policy-rc.d
cleanup() {
	rm -f "$log"
	[ -z "${made_policy:-}" ] || as_root rm -f "$no_services"
}

install_packages() {
	log=$(mktemp)
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP
	if [ ! -e "$no_services" ]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$no_services" >/dev/null
		made_policy=1
		as_root chmod 755 "$no_services"
	fi
	echo "install.sh: installing $*" >&2
	# stale lists name files that the archive no longer has
	apt update || echo "install.sh: apt-get update failed, trying the lists at hand" >&2
	apt install --no-remove "$@"
}

list=
[ "${1:-}" != --list ] || { list=1; shift; }
[ $# -gt 0 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
if [ "$1" = --packages ]; then
	shift
	want=$*
else
	want=
	for g; do want="$want $(group "$g")"; done
fi
if [ -n "$list" ]; then
	printf '%s\n' "$want" | tr -s ' \t\n' '\n' | sed '/^$/d' | sort -u
	exit 0
fi

# shellcheck disable=SC2086  # words are meant
need=$(missing $want)
[ -n "$need" ] || exit 0
if [ -n "${MSCTL_NO_APT:-}" ]; then
	# shellcheck disable=SC2086
	echo "install.sh: missing packages:" $need >&2
	exit 1
fi
# shellcheck disable=SC2086
install_packages $need
