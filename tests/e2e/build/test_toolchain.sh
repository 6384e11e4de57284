# shellcheck shell=bash
# The steps run inside an image: its compiler, its libraries, and nothing of this machine but the project.

tools() { # tools: the image tools:1 in the local store
	local place=$GROUP_DIR/toolchain
	if [ ! -d "$place/store" ]; then
		mkdir -p "$place"
		MSCTL_STORE=$place/store.new XDG_CACHE_HOME=$place/cache "$E2E/toolchain_image.sh" "$place" tools:1
		mv "$place/store.new" "$place/store"
	fi
	cp -r "$place/store" "$MSCTL_STORE"
}

inside_project() { # inside_project DIR [STEP...]: what only the image can compile, and these steps in its place
	local dir=$1
	shift
	[ $# -gt 0 ] || set -- 'tool-cc -O2 -o inside main.c -linside'
	mkdir -p "$dir"
	cat >"$dir/main.c" <<-C
		#include <inside.h>
		#include <stdio.h>
		int main(void) { return puts(inside()) < 0; }
	C
	{
		printf 'apiVersion: msctl/v1\nname: inside\nversion: "1"\nbuild:\n  toolchain: tools:1\n'
		printf '  copy: {inside: /usr/bin/inside}\n  steps:\n'
		printf '  - %s\n' "$@"
	} >"$dir/msctl.yaml"
}

runs() { # what is there of containers: folders and mounts
	find "$TMPDIR" -maxdepth 1 -name 'msctl-run-*'
	grep -F "$TEST_DIR" /proc/self/mountinfo || true
}

no_runs() { same '' "$(runs)" 'left of containers'; }

test_compiles_inside() {
	tools
	command -v tool-cc && problem 'this machine has the compiler, too'
	inside_project one
	ok "$MSCTL" build -t x:1 one
	err_has 'unpacking the toolchain image tools:1'
	# the library is the image's: this machine has none
	ok "$MSCTL" run x:1
	same 'from inside' "$(cat "$out")"
	rm one/inside
	ok "$MSCTL" build -t x:2 one
	never_says unpacking
	same "$(image_digest x:1)" "$(image_digest x:2)" digest
	no_runs
}

test_named_by_the_option() {
	tools
	inside_project one
	sed -i '/toolchain:/d' one/msctl.yaml
	run "$MSCTL" build -t x:1 one
	same 1 "$status" 'exit status without a toolchain'
	ok "$MSCTL" build --toolchain tools:1 -t x:1 one
	ok "$MSCTL" run x:1
}

test_found_build_system() {
	tools
	inside_project one
	rm one/msctl.yaml
	cat >one/Makefile <<-'M'
		one: main.c; $(CC) $(CFLAGS) $(LDFLAGS) -o one main.c -linside
		install: one; mkdir -p $(DESTDIR)$(PREFIX)/bin && cp one $(DESTDIR)$(PREFIX)/bin/
	M
	ok "$MSCTL" build --toolchain tools:1 -t x:1 one
	# nothing changed: no container starts
	ok "$MSCTL" build --toolchain tools:1 --explain -t x:1 one
	err_has 'steps: cached'
	ok "$MSCTL" run x:1
	same 'from inside' "$(cat "$out")"
}

test_work_folder_elsewhere() {
	tools
	inside_project one
	rm one/msctl.yaml
	mkdir elsewhere
	ln -s ../elsewhere one/.msctl
	printf 'one: main.c\n\tcc -o one main.c -linside\n' >one/Makefile
	ln -s one named
	ok "$MSCTL" build --toolchain tools:1 -t x:1 "$PWD/named"
	ok "$MSCTL" run x:1
	[ -d elsewhere/build ] || problem 'the work folder is not there'
}

test_with_crun() {
	tools
	inside_project one
	ok with_crun "$MSCTL" build -v -t x:1 one
	ok with_crun "$MSCTL" run --runtime crun x:1
	same 'from inside' "$(cat "$out")"
}

test_sees_its_own_world() {
	tools
	export CANARY=not-for-the-steps CC=nothing
	inside_project one 'env' 'echo kept >/tmp/between' 'cat /tmp/between' 'id -u' 'pwd' \
		'touch /usr/bin/written && exit 9 || true' 'tool-cc -o inside main.c -linside'
	ok "$MSCTL" build -v -t x:1 one
	says HOME=/tmp TOOL_HOME=/usr/lib SOURCE_DATE_EPOCH= kept "$(realpath one)" 'Read-only file system'
	never_says not-for-the-steps CC=nothing
	no_runs
}

test_step_that_fails() {
	tools
	inside_project one 'tool-cc -o inside nothere.c' 'echo too late'
	fails 1 "$MSCTL" build -t x:1 one
	err_has 'nothere.c: No such file' "step 1 of 2, 'tool-cc -o inside nothere.c', exited with status 1"
	never_says 'too late'
	inside_project one 'echo said; exit 42'
	fails 1 "$MSCTL" build -t x:1 one
	err_has said 'exited with status 42'
	no_runs
}

slow_project() { # a step that takes long with its result half made
	inside_project one 'make -s inside'
	printf 'inside:\n\techo half >inside\n\tsleep 77.3\n' >one/Makefile
}

test_interrupt() {
	tools
	slow_project
	background build "$MSCTL" build -t x:1 one
	eventually 15 pgrep -f '^sleep 77[.]3'
	kill -INT "$build_pid"
	ended "$build_pid" 5
	same 130 "$status" 'exit status'
	same '' "$(pgrep -f '^sleep 77[.]3' || true)" 'children left'
	# make heard of it
	[ ! -e one/inside ] || problem 'what was half made is still there'
	no_runs
}

test_killed() {
	tools
	slow_project
	background build "$MSCTL" build -t x:1 one
	eventually 15 pgrep -f '^sleep 77[.]3'
	kill -KILL "$build_pid"
	eventually 5 eval '! pgrep -f "^sleep 77[.]3"'
	eventually 5 eval "[ -z \"\$(runs)\" ]"
	inside_project one
	ok "$MSCTL" build -t x:1 one
	never_says unpacking
	no_runs
}

test_killed_while_unpacking() {
	tools
	inside_project one
	local cache=$XDG_CACHE_HOME/msctl/toolchains
	background build "$MSCTL" build -t x:1 one
	eventually 15 eval "ls -d $cache/*.new"
	kill -KILL "$build_pid"
	eventually 5 eval "! kill -0 $build_pid"
	rm -f one/inside
	ok "$MSCTL" build -t x:1 one
	same 1 "$(find "$cache" -mindepth 1 -maxdepth 1 -type d | wc -l)" 'folders'
	ok "$MSCTL" run x:1
}

test_garbage_is_collected_meanwhile() {
	tools
	local cache=$XDG_CACHE_HOME/msctl/toolchains
	slow_project
	background build "$MSCTL" build -t x:1 one
	eventually 15 eval "ls -d $cache/*.new"
	# another build tidies up while it is being unpacked
	kill -STOP "$build_pid"
	rm -f "$XDG_CACHE_HOME/msctl/collected"
	build_hello y:1
	kill -CONT "$build_pid"
	eventually 15 pgrep -f '^sleep 77[.]3'
	run "$MSCTL" image gc --all-cache
	same 1 "$(find "$cache" -mindepth 1 -maxdepth 1 -type d | wc -l)" 'folders while in use'
	kill -INT "$build_pid"
	ended "$build_pid" 5
	same 130 "$status" 'exit status'
	ok "$MSCTL" image gc --all-cache
	same 0 "$(find "$cache" -mindepth 1 -maxdepth 1 -type d | wc -l)" 'folders afterwards'
}

test_two_first_builds_at_once() {
	tools
	inside_project one
	inside_project two
	background one "$MSCTL" build -t x:1 one
	background two "$MSCTL" build -t x:2 two
	ended "$one_pid" 30
	same 0 "$status" 'status of the first'
	ended "$two_pid" 30
	same 0 "$status" 'status of the second'
	same "$(image_digest x:1)" "$(image_digest x:2)" digest
	same 1 "$(cat one.err two.err | grep -c unpacking)" 'how often it was unpacked'
}

test_as_an_ordinary_user() {
	[ "$(id -u)" = 0 ] || skip 'is an ordinary user already'
	local place user=61234
	tools
	inside_project one
	ok "$MSCTL" build -t x:1 one
	place=$(mktemp -d /tmp/msctl-e2e-user.XXXXXX)
	litter+=("$place")
	cp "$MSCTL" "$place/msctl"
	cp -r "$MSCTL_STORE" "$place/store"
	# who unpacks or installs as root changes owners; a file of the project has one owner whatever it says
	inside_project "$place/one" 'tool-cc -O2 -o inside main.c -linside && chown 5:5 inside && mkdir made && touch made/file'
	mkdir "$place/home"
	chown -R "$user:$user" "$place"
	chmod 700 "$place"
	cd "$place"
	for way in env with_crun; do
		rm -rf one/inside one/made
		ok "$way" setpriv --reuid "$user" --regid "$user" --clear-groups env HOME="$place/home" \
			XDG_RUNTIME_DIR="$place/home" XDG_DATA_HOME="$place/home/data" MSCTL_STORE="$place/store" \
			XDG_CACHE_HOME="$place/home/cache" TMPDIR="$place/home" "$place/msctl" build -v -t x:2 one
		same "$user:$user" "$(find "$place" -printf '%U:%G\n' | sort -u)" 'owners'
	done
	same "$(image_digest x:1)" "$(MSCTL_STORE=$place/store image_digest x:2)" digest
}

test_no_such_image() {
	inside_project one
	fails 4 "$MSCTL" build -t x:1 one
	err_has build.toolchain tools:1
	fails 4 "$MSCTL" build --toolchain other:1 -t x:1 one
	err_has --toolchain other:1
}

test_image_of_another_platform() {
	build_hello tools:1
	inside_project one
	local other=arm64
	[ "$(uname -m)" = x86_64 ] || other=amd64
	# the same image, saying that it is for another machine
	skopeo --insecure-policy copy -q "oci:$MSCTL_STORE:tools:1" "dir:$TEST_DIR/copy"
	local config layers
	config=$(jq -r .config.digest copy/manifest.json)
	jq -c --arg a "$other" '.architecture = $a' "copy/${config#sha256:}" >changed
	layers="sha256:$(sha256sum <changed | cut -d' ' -f1)"
	cp changed "copy/${layers#sha256:}"
	jq -c --arg d "$layers" --argjson s "$(stat -c %s changed)" '.config.digest = $d | .config.size = $s' \
		copy/manifest.json >manifest && mv manifest copy/manifest.json
	skopeo --insecure-policy copy -q "dir:$TEST_DIR/copy" "oci:$MSCTL_STORE:tools:1"
	fails 4 "$MSCTL" build -t x:1 one
	err_has "linux/$other" 'for this machine'
	fails 4 "$MSCTL" run tools:1
	err_has "linux/$other"
}

test_image_without_a_shell() {
	build_hello tools:1
	inside_project one
	fails 4 "$MSCTL" build -t x:1 one
	err_has 'tools:1 has no program sh'
}
