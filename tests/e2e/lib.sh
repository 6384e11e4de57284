# shellcheck shell=bash
# lib.sh - what a test may say. README.md tells how the pieces fit.
#
# A test is a function in a shell with `set -e`: the first command that fails
# ends it. Commands under test go through `run`, `ok` or `fails`, which keep
# status, stdout and stderr; the assertions below look at what was kept.

out=$TEST_DIR/stdout err=$TEST_DIR/stderr
status=0 # of the last command under test
ran=     # its words, for messages
children=()
litter=() # paths outside of the test's folder that go with it

problem() { # problem TEXT...: say what is wrong and what was seen, end the test
	printf '%s\n' "$*"
	printf '$ %s\nstatus %s\n' "$ran" "$status"
	[ ! -s "$out" ] || { echo '--- stdout'; head -c 4000 "$out"; }
	[ ! -s "$err" ] || { echo '--- stderr'; head -c 4000 "$err"; }
	exit 1
}

skip() { # skip REASON: this machine truly cannot
	echo "$*"
	exit 77
}

# ------------------------------------------------------- commands under test

run() { # run COMMAND...: whatever it answers; no input
	ran=$*
	status=0
	"$@" >"$out" 2>"$err" </dev/null || status=$?
	[ "$status" -lt 128 ] || [ "$status" = 130 ] || problem "ended by a signal"
}

ok() { # ok COMMAND...: has to end with 0
	run "$@"
	[ "$status" = 0 ] || problem "expected status 0"
}

fails() { # fails STATUS COMMAND...: has to end with that status, in one line and a hint
	local want=$1
	shift
	run "$@"
	[ "$status" = "$want" ] || problem "expected status $want"
}

ok_input() { # ... | ok_input COMMAND...: the same with stdin
	ran=$*
	status=0
	"$@" >"$out" 2>"$err" || status=$?
	[ "$status" = 0 ] || problem "expected status 0"
}

fails_input() { # fails_input STATUS FILE COMMAND...
	local want=$1 file=$2
	shift 2
	ran=$*
	status=0
	"$@" >"$out" 2>"$err" <"$file" || status=$?
	[ "$status" = "$want" ] || problem "expected status $want"
}

within() { # within SECONDS fails|ok|run ...: the same, and no longer
	local most=$1 start=${EPOCHREALTIME/./}
	shift
	"$@"
	local took=$((${EPOCHREALTIME/./} - start))
	[ "$took" -le $((most * 1000000)) ] || problem "took $((took / 1000)) ms, allowed are $most s"
}

# ------------------------------------------------------- what they said

out_has() { # out_has TEXT...: stdout holds each of these
	local text
	for text; do grep -qF -e "$text" "$out" || problem "stdout lacks: $text"; done
}

err_has() { # err_has TEXT...
	local text
	for text; do grep -qF -e "$text" "$err" || problem "stderr lacks: $text"; done
}

says() { # says TEXT...: stdout or stderr holds each of these
	local text
	for text; do grep -qF -e "$text" "$out" "$err" || problem "said nowhere: $text"; done
}

never_says() { # never_says TEXT...: neither does
	local text
	for text; do
		if grep -qF -e "$text" "$out" "$err"; then problem "must not be said: $text"; fi
	done
}

same() { # same WANTED GOT [WHAT]
	[ "$1" = "$2" ] || problem "${3:-value}: expected '$1', got '$2'"
}

differ() { # differ ONE OTHER [WHAT]
	[ "$1" != "$2" ] || problem "${3:-values} are both '$1'"
}

# ------------------------------------------------------- children

background() { # background NAME COMMAND...: started, ended with the test; pid in $NAME_pid
	local name=$1
	shift
	# a shell starts its background commands with SIGINT ignored
	setsid env --default-signal=INT,QUIT "$@" >"$TEST_DIR/$name.out" 2>"$TEST_DIR/$name.err" </dev/null &
	printf -v "${name}_pid" '%s' "$!"
	children+=("$!")
}

end_children() {
	local pid
	rm -rf "${litter[@]}"
	for pid in "${children[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
	for pid in "${children[@]}"; do
		timeout 5 tail --pid="$pid" -f /dev/null || kill -KILL -- "-$pid" 2>/dev/null || true
	done
}

eventually() { # eventually SECONDS COMMAND...: try until it succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || problem "never came true: $*"
		sleep 0.05
	done
}

ended() { # ended PID SECONDS: wait for a background command, its status goes to $status
	timeout "$2" tail --pid="$1" -f /dev/null || problem "still runs after $2 s"
	status=0
	wait "$1" || status=$?
}

free_port() { # a port of loopback that was free a moment ago
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# ------------------------------------------------------- peers

# podman without the machine's own storage, networks or limits
quiet_podman() {
	local state=$GROUP_DIR/podman
	mkdir -p "$state"
	cat >"$state/containers.conf" <<-X
		[containers]
		default_ulimits = ["nofile=$(ulimit -n):$(ulimit -n)", "nproc=30000:30000"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
	X
	CONTAINERS_CONF=$state/containers.conf podman --root "$state/root" --runroot "$state/run" \
		--storage-driver vfs "$@"
}

# docker_up, quiet_docker: a dockerd in namespaces of its own, and the client that speaks to it
docker_up() {
	local state
	command -v dockerd >/dev/null || skip 'no dockerd (package docker.io)'
	state=$(mktemp -d /tmp/msctl-dockerd.XXXXXX)
	litter+=("$state")
	background dockerd unshare --mount --net --pid --fork --kill-child=KILL --mount-proc \
		--propagation private dockerd --data-root "$state/data" --exec-root "$state/exec" \
		--pidfile "$state/pid" --host "unix://$state/sock" --storage-driver vfs \
		--iptables=false --ip6tables=false --bridge=none
	docker_socket=$state/sock
	eventually 30 quiet_docker version
}

quiet_docker() { docker --host "unix://$docker_socket" "$@"; }

# ------------------------------------------------------- msctl's world

# words in front of a command, for `background` too: where crun can run; it gives up where both versions of cgroups have
# controllers
# shellcheck disable=SC2016
crun_room=(unshare -m --propagation private sh -c '
	controllers=/sys/fs/cgroup/unified/cgroup.controllers # its size is always 0
	[ ! -e $controllers ] || [ -z "$(cat $controllers)" ] || umount /sys/fs/cgroup/unified
	exec "$@"' sh)

with_crun() { "${crun_room[@]}" "$@"; } # with_crun COMMAND...

store_files() { # everything msctl keeps but what it only remembers, as a sorted list
	find "$HOME" -mindepth 1 -path "$HOME/.cache" -prune -o -mindepth 1 -printf '%P %y %s\n' | LC_ALL=C sort
}

remember_store() {
	"$MSCTL" image ls >/dev/null 2>&1 || true # an empty store is a few files, too
	store_files >"$TEST_DIR/store.before"
	cat "$MSCTL_STORE/index.json" >"$TEST_DIR/index.before" 2>/dev/null || true
}

store_unchanged() { # nothing was left behind since remember_store
	store_files | diff "$TEST_DIR/store.before" - >"$TEST_DIR/store.diff" ||
		problem "left behind: $(cat "$TEST_DIR/store.diff")"
}

hello_project() { # hello_project DIR [IMAGE]: a small C service with an msctl.yaml
	mkdir -p "$1"
	cp "$E2E/hello.c" "$1/"
	printf 'hello: hello.c\n\tcc -O2 -o hello hello.c -lz\n' >"$1/Makefile"
	cat >"$1/msctl.yaml" <<-X
		apiVersion: msctl/v1
		name: hello
		version: "1"
		${2:+image: $2}
		build:
		  steps: [make -s]
		  copy: {hello: /usr/bin/hello}
		  entrypoint: [/usr/bin/hello]
		  env: {GREETING: grüß dich}
	X
}

build_hello() { # build_hello REFERENCE: the image under that name in the local store
	[ -d hello ] || hello_project hello
	"$MSCTL" build -q -t "$1" hello >build.out 2>build.err </dev/null || {
		cat build.out build.err
		return 1
	}
}

image_digest() { # image_digest REFERENCE: of its manifest in the local store
	jq -er --arg ref "$1" '.manifests[]
		| select(.annotations["org.opencontainers.image.ref.name"] == $ref).digest' "$MSCTL_STORE/index.json"
}

blob() { echo "$MSCTL_STORE/blobs/${1/://}"; } # blob DIGEST: its file in the local store

unpack_image() { # unpack_image REFERENCE DIR: its layers, one over the other
	local manifest layer
	manifest=$(blob "$(image_digest "$1")")
	mkdir -p "$2"
	for layer in $(jq -r '.layers[].digest' "$manifest"); do
		tar -xzf "$(blob "$layer")" -C "$2" --no-same-owner
	done
}

# After a pull that failed: what came whole may stay for the next try, named or damaged it may not be.
store_sound() {
	local file
	cmp -s "$TEST_DIR/index.before" "$MSCTL_STORE/index.json" || problem 'the index of the store changed'
	same '' "$(find "$MSCTL_STORE/tmp" -mindepth 1 2>/dev/null)" 'temporary files'
	while read -r file; do
		same "${file##*/}" "$(sha256sum <"$file" | cut -d' ' -f1)" "digest of blob"
	done < <(find "$MSCTL_STORE/blobs" -type f)
}
