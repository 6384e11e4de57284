# shellcheck shell=bash
# Images built from a project: the same every time, complete, and nothing else in them.

test_same_digest_anywhere() {
	hello_project one
	(umask 022 && cd one && TZ=UTC "$MSCTL" build -t x:1 .) || problem 'first build'
	mkdir -p 'another place/deeper'
	hello_project 'another place/deeper/two'
	chmod -R go-rwx 'another place'
	find 'another place' -exec touch -d '2001-02-03 04:05:06' {} +
	(umask 077 && TZ=Asia/Kathmandu LANG=C "$MSCTL" -C 'another place/deeper/two' build -t x:2)
	same "$(image_digest x:1)" "$(image_digest x:2)" digest
	# and it is not that nothing ever changes it
	sed -i 's/hello from/hallo von/' one/hello.c
	ok "$MSCTL" -C one build -t x:3
	differ "$(image_digest x:1)" "$(image_digest x:3)" digests
}

test_same_digest_from_an_empty_store() {
	build_hello x:1
	local first
	first=$(image_digest x:1)
	rm -rf "$MSCTL_STORE" "$XDG_CACHE_HOME"
	build_hello x:1
	same "$first" "$(image_digest x:1)" digest
}

test_says_the_digest() {
	hello_project hello
	ok "$MSCTL" build -t x:1 hello
	says "$(image_digest x:1)"
	ok "$MSCTL" build -t x:1 -o json hello
	jq -e --arg d "$(image_digest x:1)" '.. | select(. == $d)' "$out" >/dev/null || problem 'no digest in the JSON'
}

test_name_and_version_come_from_the_project() {
	hello_project hello
	ok "$MSCTL" build hello
	image_digest hello:1 >/dev/null || problem 'no image hello:1'
}

test_entries_carry_no_trace_of_the_builder() {
	build_hello x:1
	local layer
	for layer in $(jq -r '.layers[].digest' "$(blob "$(image_digest x:1)")"); do
		tar -tvf "$(blob "$layer")" --numeric-owner --full-time >list
		same '0/0' "$(awk '{print $2}' list | sort -u)" 'owners'
		same 1 "$(awk '{print $4, $5}' list | sort -u | wc -l)" 'number of different times'
		same '' "$(awk '$NF != "tmp/" && $1 !~ /^(l|drwxr-xr-x$|-r[w-][-x]r-[-x]r-[-x]$)/' list)" 'modes'
	done
}

# what the image of a program holds against what the system's loader finds
closure() { # closure PROGRAM
	local program library soname
	program=$(readlink -f "$(command -v "$1")")
	mkdir project
	cat >project/msctl.yaml <<-X
		apiVersion: msctl/v1
		name: closure
		version: "1"
		build:
		  steps: [cp $program program]
		  copy: {program: /usr/bin/program}
	X
	ok "$MSCTL" build -t closure:1 project
	unpack_image closure:1 root
	LC_ALL=C ldd "$program" | sed -n 's/^\t\([^ ]* => \)\{0,1\}\(\/[^ ]*\) .*/\2/p' >wanted
	[ -s wanted ] || problem "ldd says nothing of $program"
	while read -r library; do
		soname=${library##*/}
		find root -name "$soname" >found
		[ -s found ] || problem "not in the image: $library"
		# by the very path that the program or the loader's cache names
		cmp "$(readlink -f "$library")" "$(readlink -f "$(head -n 1 found)")" ||
			problem "another file in the image: $library"
	done <wanted
	# nothing but these
	same "$(sed 's|.*/||' wanted | sort -u)" \
		"$(find root \( -name '*.so' -o -name '*.so.*' \) ! -name 'ld.so.*' -printf '%f\n' | sort -u |
			while read -r soname; do
				if [ "$(find root -name "$soname" -type f)" = '' ] || grep -q "/$soname$" wanted; then echo "$soname"; fi
			done)" 'libraries'
	ok chroot root /usr/bin/program --version
}

test_closure_of_curl() { closure curl; }
test_closure_of_jq() { closure jq; }
test_closure_of_sh() {
	closure bash
}

test_failing_step() {
	hello_project hello
	echo 'int main(void) { return nonsense; }' >hello/hello.c
	remember_store
	fails 1 "$MSCTL" build -t x:1 hello
	says nonsense 'make -s'
	store_unchanged
}

test_missing_output_of_the_steps() {
	hello_project hello
	sed -i 's|copy: {hello:|copy: {nothere:|' hello/msctl.yaml
	run "$MSCTL" build -t x:1 hello
	case $status in 3 | 4) ;; *) problem 'expected status 3 or 4' ;; esac
	err_has nothere
}

test_truncated_elf() {
	hello_project hello
	sed -i 's|steps: .*|steps: ["make -s", "truncate -s 700 hello"]|' hello/msctl.yaml
	remember_store
	fails 3 "$MSCTL" build -t x:1 hello
	err_has hello
	store_unchanged
}

with_own_library() { # with_own_library [FLAG...]: hello needs libthere.so.9; more steps are on stdin
	cat >hello/build.sh <<-X
		set -e
		echo 'int there(void) { return 1; }' | cc -shared -fPIC -Wl,-soname,libthere.so.9 -o libthere.so.9 -xc -
		cc -O2 -o hello hello.c -lz -Wl,--no-as-needed libthere.so.9 ${*:+'$*'}
		$(cat)
	X
	sed -i 's|steps: .*|steps: [sh build.sh]|' hello/msctl.yaml
}

test_missing_library() {
	hello_project hello
	echo 'rm libthere.so.9' | with_own_library
	run "$MSCTL" build -t x:1 hello
	case $status in 3 | 4) ;; *) problem 'expected status 3 or 4' ;; esac
	err_has libthere.so.9
}

test_library_beside_the_program() {
	hello_project hello
	echo : | with_own_library "-Wl,-rpath,\$ORIGIN/../lib/hello"
	sed -i 's|copy: .*|copy: {hello: /usr/bin/hello, libthere.so.9: /usr/lib/hello/libthere.so.9}|' hello/msctl.yaml
	ok "$MSCTL" build -t x:1 hello
	ok "$MSCTL" run x:1
	out_has 'hello from msctl'
}

test_interrupt() {
	hello_project hello
	sed -i 's|steps: .*|steps: ["sleep 61.7"]|' hello/msctl.yaml
	remember_store
	background build "$MSCTL" build -t x:1 hello
	eventually 10 pgrep -f 'sleep 61[.]7'
	kill -INT "$build_pid"
	ended "$build_pid" 5
	same 130 "$status" 'exit status'
	store_unchanged
	same '' "$(pgrep -f 'sleep 61[.]7' || true)" 'children left'
}

test_two_builds_at_once() {
	hello_project one
	hello_project two
	sed -i 's/hello from/two from/' two/hello.c
	background one "$MSCTL" build -t x:1 one
	background two "$MSCTL" build -t x:2 two
	ended "$one_pid" 30
	same 0 "$status" 'status of the first'
	ended "$two_pid" 30
	same 0 "$status" 'status of the second'
	differ "$(image_digest x:1)" "$(image_digest x:2)" digests
}
