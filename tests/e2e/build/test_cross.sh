# shellcheck shell=bash
# limit: 300
# One command, two architectures: an index whose images hold programs of their own.

# shellcheck source=tests/e2e/samples.sh
. "$E2E/samples.sh"

crossed() { # crossed SYSTEM
	local arch root program
	command -v aarch64-linux-gnu-gcc >/dev/null || skip 'no cross compiler for arm64'
	[ "$(uname -m)" = x86_64 ] || skip 'is no amd64 machine'
	sample_tools "$1"
	sample "$1" one
	ok "$MSCTL" -C one build --platform linux/amd64,linux/arm64 -t x:1
	same 'amd64 arm64' "$(jq -r '[.manifests[].platform.architecture] | join(" ")' "$(blob "$(image_digest x:1)")")" platforms
	for arch in amd64 arm64; do
		root=root-$arch
		unpack_manifest "$(index_image x:1 "$arch")" "$root"
		program=$(find "$root" -name hello -type f)
		case $arch in
		amd64) readelf -hW "$program" | grep -q 'X86-64' || problem 'not for amd64' ;;
		arm64) readelf -hW "$program" | grep -q AArch64 || problem 'not for arm64' ;;
		esac
	done
	ok chroot root-amd64 "/${program#*/}" word
	out_has "hello from $1 7" word
	if command -v qemu-aarch64-static >/dev/null; then
		ok qemu-aarch64-static -L root-arm64 "$program" word
		out_has "hello from $1 7" word
	fi
	# neither platform takes the other's objects for its own
	ok "$MSCTL" -C one build --platform linux/arm64,linux/amd64 --no-cache -t x:2
	same "$(index_image x:1 arm64)" "$(index_image x:2 arm64)" 'digest for arm64'
	same "$(index_image x:1 amd64)" "$(index_image x:2 amd64)" 'digest for amd64'
}

test_make() { crossed make; }
test_make_install() { crossed install; }
test_autotools() { crossed autotools; }
test_cmake() { crossed cmake; }
test_meson() { crossed meson; }

test_written_steps() {
	command -v aarch64-linux-gnu-gcc >/dev/null || skip 'no cross compiler for arm64'
	sample make one
	cat >one/msctl.yaml <<-'X'
		apiVersion: msctl/v1
		name: hello
		version: "1"
		build:
		  steps: ['$CC -o hello-$MSCTL_ARCH hello.c more.c', 'cp hello-$MSCTL_ARCH hello']
		  copy: {hello: /usr/bin/hello}
	X
	ok "$MSCTL" -C one build --platform linux/arm64 -t x:1
	unpack_image x:1 root
	readelf -hW root/usr/bin/hello | grep -q AArch64 || problem 'not for arm64'
	# steps that do not heed CC
	sed -i "s/\\\$CC/cc/" one/msctl.yaml
	fails 3 "$MSCTL" -C one build --platform linux/arm64 -t x:1
	err_has 'for amd64' 'linux/arm64' "\$CC"
}

test_install_that_strips() {
	command -v aarch64-linux-gnu-gcc >/dev/null || skip 'no cross compiler for arm64'
	sample install one
	sed -i 's/install -D hello/install -s -D hello/' one/GNUmakefile
	ok "$MSCTL" -C one build --platform linux/arm64 -t x:1
}

test_variant() {
	[ "$(uname -m)" = x86_64 ] || skip 'is no amd64 machine'
	sample install one
	ok "$MSCTL" -C one build -v --platform linux/amd64/v2 -t x:1
	err_has '-march=x86-64-v2'
	same v2 "$(jq -r .variant "$(blob "$(jq -r .config.digest "$(blob "$(image_digest x:1)")")")")" variant
	ok "$MSCTL" run x:1
	out_has 'hello from install 7'
}

test_new_service_without_the_libraries() {
	command -v aarch64-linux-gnu-gcc >/dev/null || skip 'no cross compiler for arm64'
	[ ! -e /usr/lib/aarch64-linux-gnu/pkgconfig/libmicrohttpd.pc ] || skip 'has the libraries for arm64'
	ok "$MSCTL" new orders
	fails 1 "$MSCTL" -C orders build --platform linux/arm64
	says libmicrohttpd-dev:arm64
}

arm64() { # arm64 PACKAGE...: $root has them; what is compiled can be run
	local status=0
	[ "$(uname -m)" = x86_64 ] || skip 'is no amd64 machine'
	command -v aarch64-linux-gnu-gcc >/dev/null || skip 'no cross compiler for arm64'
	root=$("$TESTS_ENV/sysroot" arm64 "$@" 2>sysroot.err) || status=$?
	[ "$status" != 3 ] || skip "$(tail -n 1 sysroot.err)"
	[ "$status" = 0 ] || problem "$(cat sysroot.err)"
}

test_new_service() { # one folder, one platform after the other
	local root first
	arm64 libmicrohttpd-dev libjansson-dev libsqlite3-dev libc6-dev
	ok "$MSCTL" new orders
	ok "$MSCTL" -C orders build -t x:amd64
	first=$(image_digest x:amd64)
	ok "$MSCTL" -C orders build --platform linux/arm64 --sysroot "$root" -t x:arm64
	unpack_image x:arm64 image
	readelf -hW image/usr/bin/orders | grep -q AArch64 || problem 'not for arm64'
	if command -v qemu-aarch64-static >/dev/null; then
		ok qemu-aarch64-static -L image image/usr/bin/orders version
		out_has 0.1.0
	fi
	ok "$MSCTL" -C orders build -t x:again
	same "$first" "$(image_digest x:again)" 'digest for amd64'
}

test_debian_memcached() {
	local root port
	arm64 libevent-dev libc6-dev
	command -v qemu-aarch64-static >/dev/null || skip 'nothing runs programs for arm64'
	mv "$("$TESTS_ENV/debian-source" memcached "$PWD/unpacked")" src
	ok "$MSCTL" -C src build --platform linux/arm64 --sysroot "$root" -t x:1
	unpack_image x:1 image
	port=$(free_port)
	background cache qemu-aarch64-static -L image image/usr/bin/memcached -u root -l 127.0.0.1 -p "$port"
	eventually 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf 'set k 0 0 5\r\nvalue\r\nget k\r\nquit\r\n' >&3
	same 'STORED VALUE k 0 5 value END ' "$(timeout 5 cat <&3 | tr -d '\r' | tr '\n' ' ')" answer
}
