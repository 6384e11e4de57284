# shellcheck shell=bash
# The image runs here, through a real OCI runtime.

test_prints_and_passes_arguments() {
	build_hello x:1
	ok "$MSCTL" run x:1 one 'two words'
	out_has 'hello from msctl' 'argument 1: one' 'argument 2: two words' 'GREETING=grüß dich' 'user 65532'
}

test_environment() {
	build_hello x:1
	export CANARY=not-for-the-container
	ok "$MSCTL" run -e GREETING=changed -e MORE=yes x:1 env
	out_has GREETING=changed MORE=yes
	never_says not-for-the-container
}

test_exit_status() {
	build_hello x:1
	fails 42 "$MSCTL" run x:1 exit 42
	fails 1 "$MSCTL" run x:1 exit 1
	ok "$MSCTL" run x:1 exit 0
}

served() { # served SIGNAL: answers HTTP, gets the signal, its status comes back
	local port
	build_hello x:1
	port=$(free_port)
	remember_store
	background run "$MSCTL" run x:1 serve "$port"
	eventually 15 curl -sf --noproxy '*' "http://127.0.0.1:$port/"
	same 'hello from msctl' "$(curl -s --noproxy '*' "http://127.0.0.1:$port/")" 'answer'
	kill "-$1" "$run_pid"
	ended "$run_pid" 10
	same 7 "$status" 'exit status'
	grep -q "ended by signal $2" run.out || problem 'the signal did not arrive'
	store_unchanged
	same '' "$(find "$XDG_RUNTIME_DIR" "$TMPDIR" -mindepth 1 ! -type d)" 'files left'
}

test_serves_until_sigterm() { served TERM 15; }
test_serves_until_sigint() { served INT 2; }

test_project_of_the_folder() {
	hello_project hello
	ok "$MSCTL" -C hello build
	ok "$MSCTL" -C hello run
	out_has 'hello from msctl'
}

test_unknown_image() {
	fails 4 "$MSCTL" run nothing-here:1
	err_has nothing-here:1
}

test_as_an_ordinary_user() {
	[ "$(id -u)" = 0 ] || skip 'is an ordinary user already'
	local place user=61234
	place=$(mktemp -d /tmp/msctl-e2e-user.XXXXXX)
	litter+=("$place")
	cp "$MSCTL" "$place/msctl"
	chmod 755 "$place"
	build_hello x:1
	cp -r "$MSCTL_STORE" "$place/store"
	mkdir "$place/home" "$place/run"
	chown -R "$user:$user" "$place"
	chmod 700 "$place/run"
	cd "$place"
	ok setpriv --reuid "$user" --regid "$user" --clear-groups env HOME="$place/home" \
		XDG_RUNTIME_DIR="$place/run" XDG_DATA_HOME="$place/home/data" MSCTL_STORE="$place/store" \
		TMPDIR="$place/run" "$place/msctl" run x:1 mine
	out_has 'hello from msctl' 'argument 1: mine'
	run setpriv --reuid "$user" --regid "$user" --clear-groups env HOME="$place/home" \
		XDG_RUNTIME_DIR="$place/run" XDG_DATA_HOME="$place/home/data" MSCTL_STORE="$place/store" \
		TMPDIR="$place/run" "$place/msctl" run x:1 exit 9
	same 9 "$status" 'exit status'
}

test_program_that_is_not_there() {
	hello_project hello
	sed -i 's|entrypoint: .*|entrypoint: [/usr/bin/absent]|' hello/msctl.yaml
	run "$MSCTL" build -t x:1 hello
	if [ "$status" = 0 ]; then run "$MSCTL" run x:1; fi
	[ "$status" != 0 ] || problem 'expected a failure'
	err_has /usr/bin/absent
}

test_zstd_layers() {
	hello_project hello
	echo '  compression: zstd' >>hello/msctl.yaml
	ok "$MSCTL" build -t x:1 hello
	grep -q 'tar+zstd' "$(blob "$(image_digest x:1)")" || problem 'no layer is zstd'
	ok "$MSCTL" run x:1
	out_has 'hello from msctl'
}

test_takes_this_platform_of_an_index() {
	build_hello x:1
	local own size digest
	own=$(image_digest x:1)
	size=$(stat -c %s "$(blob "$own")")
	# the first entry is of nobody's platform, and not here
	jq -nc --arg d "$own" --argjson s "$size" --arg a "$(dpkg --print-architecture)" '
		{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [
			{mediaType: "application/vnd.oci.image.manifest.v1+json", size: 99,
				digest: ("sha256:" + "7" * 64), platform: {os: "linux", architecture: "s390x"}},
			{mediaType: "application/vnd.oci.image.manifest.v1+json", size: $s, digest: $d,
				platform: {os: "linux", architecture: $a}}]}' | tr -d '\n' >index
	digest=sha256:$(sha256sum <index | cut -d' ' -f1)
	cp index "$(blob "$digest")"
	jq -c --arg d "$digest" --argjson s "$(stat -c %s index)" '.manifests += [{
		mediaType: "application/vnd.oci.image.index.v1+json", digest: $d, size: $s,
		annotations: {"org.opencontainers.image.ref.name": "x:2"}}]' "$MSCTL_STORE/index.json" >changed
	cp changed "$MSCTL_STORE/index.json"
	ok "$MSCTL" run x:2
	out_has 'hello from msctl'
	# and without it
	jq -c '.manifests |= .[:1]' index | tr -d '\n' >alone
	digest=sha256:$(sha256sum <alone | cut -d' ' -f1)
	cp alone "$(blob "$digest")"
	jq -c --arg d "$digest" --argjson s "$(stat -c %s alone)" \
		'.manifests[-1] |= (.digest = $d | .size = $s)' changed >"$MSCTL_STORE/index.json"
	fails 4 "$MSCTL" run x:2
	err_has 'has no image for linux/'
}

caps_project() { # caps_project DIR CAPABILITIES: a program that prints what it may do
	mkdir -p "$1"
	cat >"$1/caps.c" <<-C
		#include <stdio.h>
		#include <string.h>
		int main(void)
		{
			char line[256];
			FILE *f = fopen("/proc/self/status", "r");
			while (f && fgets(line, sizeof(line), f))
				if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNewPrivs", 10) == 0)
					fputs(line, stdout);
			return 0;
		}
	C
	cat >"$1/msctl.yaml" <<-Y
		apiVersion: msctl/v1
		name: caps
		version: "1"
		build:
		  steps: [cc -o caps caps.c]
		  copy: {caps: /usr/bin/caps}
		  capabilities: {/usr/bin/caps: "$2"}
	Y
}

test_file_capabilities() {
	[ "$(id -u)" = 0 ] || skip 'file capabilities need root'
	local way
	caps_project caps 'cap_net_bind_service,cap_net_raw=ep'
	ok "$MSCTL" build -t x:1 caps
	for way in env with_crun; do
		ok "$way" "$MSCTL" run x:1
		out_has $'CapEff:\t0000000000002400' $'CapBnd:\t0000000000002400' $'NoNewPrivs:\t1'
	done
	# nobody else has any
	caps_project caps none
	sed -i '/capabilities/d' caps/msctl.yaml
	ok "$MSCTL" build -t x:2 caps
	ok "$MSCTL" run x:2
	out_has $'CapEff:\t0000000000000000' $'CapBnd:\t0000000000000000'
}

test_file_capabilities_that_are_not_given() {
	[ "$(id -u)" = 0 ] || skip 'file capabilities need root'
	caps_project caps 'cap_sys_admin=ep'
	ok "$MSCTL" build -t x:1 caps
	fails 5 "$MSCTL" run x:1
	err_has /usr/bin/caps 'file capabilities'
}
