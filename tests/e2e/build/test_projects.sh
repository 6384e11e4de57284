# shellcheck shell=bash
# limit: 900
# Projects without an msctl.yaml: what their build system installs runs in an image.

# shellcheck source=tests/e2e/samples.sh
. "$E2E/samples.sh"

built() { # built SYSTEM: the sample is built, runs, leaves the sources alone, and is the same elsewhere
	sample_tools "$1"
	sample "$1" one
	sample "$1" 'deeper/place/one'
	find one | LC_ALL=C sort >before
	ok "$MSCTL" -C one build -t x:1
	find one -path one/.msctl -prune -o -print | LC_ALL=C sort >after
	cmp before after || problem 'files beside the sources'
	ok "$MSCTL" run x:1 word
	out_has "hello from $1 7" word
	never_says "$PWD"
	(cd deeper/place && umask 077 && TZ=Asia/Kathmandu CFLAGS=-O3 "$MSCTL" -C one build -q -t x:2) ||
		problem 'second build'
	same "$(image_digest x:1)" "$(image_digest x:2)" 'digest in another folder'
	# a change is compiled, what is no longer installed is gone
	sed -i 's/hello from/hallo von/' one/hello.c
	ok "$MSCTL" -C one build -t x:3
	ok "$MSCTL" run x:3
	out_has "hallo von $1 7"
	sed -i 's/hallo von/hello from/' one/hello.c
	ok "$MSCTL" -C one build -t x:4
	same "$(image_digest x:1)" "$(image_digest x:4)" 'digest after the change was taken back'
	# nothing is left of what was built before
	ok "$MSCTL" -C one build --no-cache -t x:5
	same "$(image_digest x:1)" "$(image_digest x:5)" 'digest of a build from nothing'
}

test_make() { built make; }
test_make_install() { built install; }
test_autotools() { built autotools; }
test_cmake() { built cmake; }
test_meson() { built meson; }

test_all_commands_without_a_file() {
	sample make hello
	ok "$MSCTL" -C hello build
	ok "$MSCTL" -C hello run
	out_has 'hello from make 7'
	ok "$MSCTL" -C hello sbom
	out_has usr/bin/hello
	ok "$MSCTL" -C hello sbom --format provenance
	out_has 'make -C'
	never_says "$PWD"
}

test_choices_of_the_project() { # options, a copy beside what is installed, symbols kept
	sample install one
	echo setting >one/service.conf
	sed -i 's/printf("hello/printf(GREETING "hello/' one/hello.c
	sed -i "s/^CFLAGS.*/CFLAGS += -DGREETING='\"\$(GREETING) \"'/" one/GNUmakefile
	cat >one/msctl.yaml <<-'X'
		apiVersion: msctl/v1
		name: one
		version: "1"
		build:
		  system: make
		  options: ["GREETING=two  words", -j1]
		  copy: {service.conf: /etc/service.conf}
		  strip: false
	X
	ok "$MSCTL" -C one build
	ok "$MSCTL" run one:1
	out_has "two  words hello from install 7"
	unpack_image one:1 root
	same setting "$(cat root/etc/service.conf)" 'the copy'
	readelf -SW root/usr/sbin/hello | grep -q '\.symtab' || problem 'stripped'
}

test_what_is_taken() {
	local id
	sample install one
	ok "$MSCTL" -C one build -t x:1
	unpack_image x:1 root
	[ -x root/usr/sbin/hello ] || problem 'no program'
	[ -f root/usr/share/hello/more.c ] || problem 'no data'
	[ ! -e root/usr/share/doc ] || problem 'documentation'
	ok jq -e '.config.Entrypoint == ["/usr/sbin/hello"]' \
		"$(blob "$(jq -r .config.digest "$(blob "$(image_digest x:1)")")")"
	# stripped in the image, whole where it was built
	readelf -SW root/usr/sbin/hello | grep -q '\.symtab' && problem 'symbols in the image'
	readelf -SW one/.msctl/build/linux-amd64/installed/usr/sbin/hello | grep -q '\.symtab' ||
		problem 'the installed program was stripped'
	# what was taken out is kept by build id, of the last program only
	sed -i 's/hello from/hallo von/' one/hello.c
	sed -i 's/-O1/-O1 -g/' one/GNUmakefile
	ok "$MSCTL" -C one build -t x:1
	unpack_image x:1 again
	id=$(readelf -nW again/usr/sbin/hello | sed -n 's/.*Build ID: //p')
	same "one/.msctl/build/linux-amd64/debug/.build-id/${id:0:2}/${id:2}.debug" \
		"$(find one/.msctl/build/linux-amd64/debug -type f)" 'files for a debugger'
	readelf -dW root/usr/sbin/hello | grep -q 'BIND_NOW\|FLAGS_1.*NOW' || problem 'not bound at once'
}

test_only_what_changed_is_compiled() {
	sample install one
	ok "$MSCTL" -C one build -v -t x:1
	touch one/more.c
	ok "$MSCTL" -C one build -v -t x:1
	err_has more.c
	same 0 "$(grep -c -e '-c .*hello\.c' "$err" || true)" 'compilations of hello.c'
}

test_repository_stays_clean() {
	sample make one
	git init -q one
	printf '*.o\n/hello\n' >one/.gitignore
	git -C one add .
	git -C one -c user.name=x -c user.email=x@x.test commit -q -m x
	# ignored products of a build by hand play no part
	echo nonsense >one/hello.o
	ok "$MSCTL" -C one build -t x:1
	same '' "$(git -C one status --porcelain)" 'what git sees'
	ok "$MSCTL" -C one build -o json
	jq -e '.image | endswith("dirty") | not' "$out" >/dev/null || problem 'dirty'
}

test_two_builds_of_one_project() {
	sample install one
	printf 'all: hello\n\twhile [ ! -e %s/go ]; do sleep 0.05; done\n' "$PWD" >>one/GNUmakefile
	sed -i 's/^hello:/all: hello\nhello:/' one/GNUmakefile
	background first "$MSCTL" -C one build -t x:1
	eventually 20 test -e one/.msctl/build/linux-amd64/work/hello
	background second "$MSCTL" -C one build -t x:2
	eventually 20 grep -q 'waiting' second.err
	touch go
	ended "$first_pid" 30
	same 0 "$status" 'status of the first'
	ended "$second_pid" 30
	same 0 "$status" 'status of the second'
	same "$(image_digest x:1)" "$(image_digest x:2)" digest
}

test_interrupt_of_a_compilation() {
	sample install one
	printf 'all: hello\n\tsleep 61.8\n' >>one/GNUmakefile
	sed -i 's/^hello:/all: hello\nhello:/' one/GNUmakefile
	background build "$MSCTL" -C one build -t x:1
	eventually 20 pgrep -f 'sleep 61[.]8'
	kill -INT "$build_pid"
	ended "$build_pid" 5
	same 130 "$status" 'exit status'
	same '' "$(pgrep -f 'sleep 61[.]8' || true)" 'children left'
	sed -i '/61.8/d' one/GNUmakefile
	ok "$MSCTL" -C one build -t x:1
}

test_killed_in_the_middle() {
	sample install one
	ok "$MSCTL" -C one build -t x:1
	printf 'all: hello\n\t[ -e %s/go ] || sleep 61.9\n' "$PWD" >>one/GNUmakefile
	sed -i 's/^hello:/all: hello\nhello:/' one/GNUmakefile
	background build "$MSCTL" -C one build -t x:2
	eventually 20 pgrep -f 'sleep 61[.]9'
	kill -KILL "$build_pid"
	ended "$build_pid" 5
	pkill -KILL -f 'sleep 61[.]9'
	# what the compiler was just writing
	echo half >one/.msctl/build/linux-amd64/work/more.o
	touch go
	ok "$MSCTL" -C one build -t x:3
	ok "$MSCTL" run x:3
	out_has 'hello from install 7'
	same "$(unpack_image x:1 a && sha256sum <a/usr/sbin/hello)" "$(unpack_image x:3 b && sha256sum <b/usr/sbin/hello)" program
}

test_inside_a_toolchain_image() {
	# shellcheck source=tests/e2e/build/test_toolchain.sh
	. "$E2E/build/test_toolchain.sh"
	tools
	sample install one
	printf '#include <inside.h>\nint more(void);\nint more(void) { return inside()[0] ? 7 : 0; }\n' >one/more.c
	sed -i 's/hello\.o more\.o $/& -linside/; /install -D -m/d' one/GNUmakefile
	sed -i 's|install -D hello \(.*\)/hello|mkdir -p \1; cp hello \1|' one/GNUmakefile
	ok "$MSCTL" -C one build --toolchain tools:1 -t x:1
	ok "$MSCTL" run x:1
	out_has 'hello from install 7'
	# stripped by the image's own tool
	unpack_image x:1 root
	readelf -SW root/usr/sbin/hello | grep -q '\.symtab' && problem 'symbols in the image'
	sample cmake two
	fails 4 "$MSCTL" -C two build --toolchain tools:1
	err_has 'the toolchain image has no cmake'
}

# ------------------------------------------------------- Debian's own

debian() { # debian PACKAGE: its sources are in ./src, its image is PACKAGE:1
	local place status=0
	place=$("$TESTS_ENV/debian-source" "$1" "$PWD/unpacked" 2>source.err) || status=$?
	[ "$status" != 3 ] || skip "$(tail -n 1 source.err)"
	[ "$status" = 0 ] || problem "$(cat source.err)"
	mv "$place" "./$(basename "$place")"
	ln -s "$(basename "$place")" src
	[ ! -e src/msctl.yaml ] || problem 'it has an msctl.yaml'
	ok "$MSCTL" -C src build -t "$1:1"
}

again() { # again PACKAGE: nothing changed, so nothing is done
	local before=${EPOCHREALTIME/./} first
	first=$(image_digest "$1:1")
	ok "$MSCTL" -C src build --explain -t "$1:1"
	same "$first" "$(image_digest "$1:1")" 'digest of the second build'
	echo "second build: $(((${EPOCHREALTIME/./} - before) / 1000)) ms"
	err_has 'steps: cached'
}

fetch() { curl -sf --max-time 5 --noproxy '*' "$@"; }

test_debian_make_mini_httpd() {
	local port
	debian mini-httpd
	port=$(free_port)
	background web "${crun_room[@]}" "$MSCTL" run --runtime crun mini-httpd:1 -D -h 127.0.0.1 -p "$port" -d /etc
	eventually 20 fetch "http://127.0.0.1:$port/passwd"
	fetch "http://127.0.0.1:$port/passwd" | grep -q '^app:x:65532:' || problem 'another file'
	kill "$web_pid"
	ended "$web_pid" 10
	again mini-httpd
}

test_debian_autotools_memcached() {
	local port answer
	debian memcached
	port=$(free_port)
	background cache "${crun_room[@]}" "$MSCTL" run --runtime crun memcached:1 -l 127.0.0.1 -p "$port"
	eventually 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf 'set k 0 0 5\r\nvalue\r\nget k\r\nquit\r\n' >&3
	answer=$(timeout 5 cat <&3 | tr -d '\r' | tr '\n' ' ')
	same 'STORED VALUE k 0 5 value END ' "$answer" answer
	kill "$cache_pid"
	ended "$cache_pid" 10
	again memcached
}

test_debian_meson_lighttpd() { # it opens its modules by name
	local port
	debian lighttpd
	port=$(free_port)
	cat >conf <<-X
		server.document-root = "/etc"
		server.bind = "127.0.0.1"
		server.port = $port
		server.modules = ("mod_status", "mod_deflate", "mod_rewrite")
		status.status-url = "/status"
		url.rewrite = ("^/who\$" => "/passwd")
	X
	# shellcheck disable=SC2016
	background web "${crun_room[@]}" bash -c 'exec "$MSCTL" run --runtime crun lighttpd:1 -D -f - <conf'
	eventually 20 fetch "http://127.0.0.1:$port/status"
	fetch "http://127.0.0.1:$port/who" | grep -q '^app:x:65532:' || problem 'another file'
	kill "$web_pid"
	ended "$web_pid" 10
	again lighttpd
}
