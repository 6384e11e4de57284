# shellcheck shell=bash
# limit: 300
# What builds remember: nothing is done twice, nothing stale is believed, whatever ends a build.

# a project of several layers; its step counts its runs beside it
counted_project() { # counted_project DIR
	mkdir -p "$1/data"
	cp "$E2E/hello.c" "$1/"
	head -c 3000000 /dev/urandom >"$1/data/noise"
	seq 200000 >"$1/data/numbers"
	cat >"$1/msctl.yaml" <<-X
		apiVersion: msctl/v1
		name: counted
		version: git
		build:
		  steps: ["echo >>$PWD/runs", cc -O2 -o hello hello.c -lz]
		  copy: {hello: /usr/bin/hello, data: /srv/data}
		  entrypoint: [/usr/bin/hello]
	X
	printf 'hello\n' >"$1/.gitignore"
	(cd "$1" && git init -q -b main && git add -A && commit one)
}

commit() { git -c user.name=a -c user.email=a@b.example commit -qm "$1"; }

runs() { wc -l <runs; }

explain() { # explain TEXT...: a build that says this
	ok "$MSCTL" -C p build --explain
	err_has "$@"
}

everything() { # what is kept, to the nanosecond
	find "$HOME" "$MSCTL_STORE" -type f -printf '%p %s %T@ %C@ %i\n' | LC_ALL=C sort
}

# the sanitizers' search for leaks does not work under strace
export ASAN_OPTIONS=detect_leaks=0

test_nothing_changed_nothing_is_done() {
	counted_project p
	ok "$MSCTL" -C p build
	ok "$MSCTL" -C p build # git's answer is older than the step's files
	everything >before
	ok "$MSCTL" -C p build
	err_has 'steps    cached'
	everything >after
	cmp before after || problem "written: $(diff before after)"
	same 1 "$(runs)" runs
	# not even for reading: no layer, no library's content, no file of the project; no fsync, no libgit2
	ok strace -f -o trace -e trace=openat,open,fsync,fdatasync,rename,unlink "$MSCTL" -C p build
	! grep -E 'sync|rename|unlink|libgit2|noise|numbers|O_WRONLY|O_RDWR\|O_CREAT\|O_EXCL' trace ||
		problem 'this was touched'
	while read -r layer; do
		! grep -F "${layer#sha256:}" trace || problem 'a layer was opened'
	done < <(jq -r '.layers[].digest' "$(blob "$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"]).digest' "$MSCTL_STORE/index.json")")")
}

test_every_cause_is_named() {
	counted_project p
	explain 'steps: made: nothing is known of an earlier build' 'layer app: made: nothing is known'
	explain 'steps: cached' 'layer app: cached' 'layer files: cached'
	echo '/* */' >>p/hello.c
	explain 'steps: made: hello.c changed' 'layer app: cached'
	sed -i 's/hello from/hallo von/' p/hello.c
	explain 'layer app: made: usr/bin/hello changed' 'layer files: cached'
	echo more >>p/data/numbers
	explain 'layer files: made: srv/data/numbers changed'
	chmod +x p/data/numbers
	explain 'layer files: made: srv/data/numbers has another mode'
	ok env CFLAGS=-O1 "$MSCTL" -C p build --explain
	err_has 'steps: made: variable CFLAGS is set now'
	ok env TOKEN=hunter2 "$MSCTL" -C p build --explain
	ok env TOKEN=hunter3 "$MSCTL" -C p build --explain
	err_has 'steps: made: variable TOKEN has another value'
	never_says hunter
	! grep -r hunter "$HOME" || problem 'a value was kept'
	ok "$MSCTL" -C p build --explain --compression zstd
	err_has "layer files: made: compression was 'gzip', is 'zstd'"
	ok "$MSCTL" -C p build
	rm -rf "$MSCTL_STORE"
	explain 'steps: cached' 'layer app: made: its blob is gone from the store'
	ok "$MSCTL" -C p build --no-cache --explain
	err_has 'steps: made: --no-cache' 'layer app: made: --no-cache'
	(cd p && git add -A && commit two)
	explain 'the last commit was' 'layer app: made: '
}

test_a_base_that_moved_is_named() {
	build_hello base:1
	mkdir p
	cat >p/msctl.yaml <<-X
		apiVersion: msctl/v1
		name: above
		version: "1"
		build: {base: base:1, copy: {f: /srv/f}}
	X
	echo 1 >p/f
	explain 'base base:1: made: nothing is known'
	explain 'base base:1: cached: it is sha256:'
	sed -i 's/hello from/hallo von/' hello/hello.c
	ok "$MSCTL" build -t base:1 hello
	explain "base base:1: made: its digest was 'sha256:"
}

test_a_base_is_not_read_again() {
	build_hello base:1
	mkdir p
	cat >p/msctl.yaml <<-X
		apiVersion: msctl/v1
		name: above
		version: "1"
		build: {base: base:1, steps: ["cc -o hello ../hello/hello.c -lz"], copy: {hello: /usr/bin/other}}
	X
	ok "$MSCTL" -C p build
	ok "$MSCTL" -C p build
	ok strace -f -o trace -e trace=openat "$MSCTL" -C p build --no-steps
	for layer in $(jq -r '.layers[].digest' "$(blob "$(image_digest base:1)")"); do
		! grep -F "${layer#sha256:}" trace || problem 'a layer of the base was opened'
	done
}

# kill -9 at the Nth call of a kind: not by the clock, so that each run is the same
test_killed_anywhere() {
	local call n kills=0 want
	counted_project p
	ok "$MSCTL" -C p build --no-cache -t x:1
	want=$(image_digest x:1)
	for call in openat write rename fsync mkdir unlink flock newfstatat; do
		for n in 1 3 8 21 55; do
			rm -rf "$MSCTL_STORE" "$XDG_CACHE_HOME/msctl"
			run_killed "$call" "$n" || continue
			kills=$((kills + 1))
			ok "$MSCTL" image verify
			ok "$MSCTL" -C p build -t x:1
			same "$want" "$(image_digest x:1)" "digest after a kill at $call $n"
			ok "$MSCTL" image verify
			ok "$MSCTL" image gc
			same '' "$(ls "$MSCTL_STORE/tmp")" 'temporary files'
		done
	done
	[ "$kills" -ge 20 ] || problem "only $kills kills"
}

run_killed() { # run_killed CALL N: false when the build ended before
	status=0
	strace -f -qq -o /dev/null -e "inject=$1:signal=SIGKILL:when=$2" "$MSCTL" -C p build -t x:1 \
		>/dev/null 2>&1 || status=$?
	[ "$status" -ge 128 ]
}

# the same with a store and a cache that have something in them already
test_killed_while_something_changes() {
	local n kills=0 want before
	counted_project p
	ok "$MSCTL" -C p build -t x:1
	before=$(image_digest x:1)
	for n in 1 3 5 7 9 11; do
		for call in rename write fsync; do
			seq "$n$n" >p/data/numbers
			ok "$MSCTL" -C p build --no-cache -t want:1
			want=$(image_digest want:1)
			ok "$MSCTL" image rm want:1
			run_killed "$call" "$n" && kills=$((kills + 1))
			ok "$MSCTL" image verify
			# the old name leads to the old image, or to the new one
			case $(image_digest x:1) in "$before" | "$want") ;; *) problem 'a name leads elsewhere' ;; esac
			ok "$MSCTL" -C p build -t x:1
			same "$want" "$(image_digest x:1)" digest
			before=$want
		done
	done
	[ "$kills" -ge 9 ] || problem "only $kills kills"
}

test_a_full_disk() {
	local want
	counted_project p
	ok "$MSCTL" -C p build -t x:1
	want=$(image_digest x:1)
	rm -rf "$MSCTL_STORE" "$XDG_CACHE_HOME/msctl"
	unshare --mount true 2>/dev/null || skip 'no mount namespaces here'
	mkdir -p "$MSCTL_STORE"
	cat >small.sh <<-X
		mount -t tmpfs -o size=2m none "$MSCTL_STORE" && "$MSCTL" -C p build -t x:1 --no-steps
		s=\$?
		"$MSCTL" image verify >&2 || s=99
		exit \$s
	X
	fails 1 unshare --mount sh small.sh
	err_has 'No space left on device' 'msctl: '
	ok "$MSCTL" -C p build -t x:1
	same "$want" "$(image_digest x:1)" digest
	ok "$MSCTL" image verify
	# no room for the cache makes builds slower, and nothing else
	rm -rf "$MSCTL_STORE" "$XDG_CACHE_HOME/msctl"
	mkdir -p "$XDG_CACHE_HOME/msctl"
	cat >small.sh <<-X
		mount -t tmpfs -o size=64k none "$XDG_CACHE_HOME/msctl" && "$MSCTL" -C p build -t x:1
	X
	ok unshare --mount sh small.sh
	same "$want" "$(image_digest x:1)" digest
}

test_two_builds_at_once_and_a_collection() {
	local want
	counted_project p
	ok "$MSCTL" -C p build --no-cache -t x:1
	want=$(image_digest x:1)
	rm -rf "$MSCTL_STORE" "$XDG_CACHE_HOME/msctl"
	for _ in 1 2 3 4 5; do
		background a "$MSCTL" -C p build --no-steps -t a:1
		background b "$MSCTL" -C p build --no-steps -t b:1
		run "$MSCTL" image gc --max-bytes 0
		case $status in 0 | 5 | 7) ;; *) problem 'a collection meanwhile' ;; esac
		ended "$a_pid" 60
		same 0 "$status" 'one build'
		ended "$b_pid" 60
		same 0 "$status" 'the other'
		same "$want" "$(image_digest a:1)" digest
		same "$want" "$(image_digest b:1)" digest
		ok "$MSCTL" image verify
		rm -rf "$MSCTL_STORE"
	done
}

test_two_builds_at_once_run_the_steps_once() {
	counted_project p
	background a "$MSCTL" -C p build -t a:1
	background b "$MSCTL" -C p build -t b:1
	ended "$a_pid" 60
	same 0 "$status" 'one build'
	ended "$b_pid" 60
	same 0 "$status" 'the other'
	same 1 "$(runs)" runs
	same "$(image_digest a:1)" "$(image_digest b:1)" digest
}

test_hard_caps() {
	counted_project p
	ok "$MSCTL" -C p build -t x:1
	ok "$MSCTL" image gc -o json
	jq -e '.cache.files > 5 and .cache.bytes > 1000000 and .store.files > 5' "$out" >/dev/null || problem 'weights'
	local store cap
	store=$(jq .store.bytes "$out")
	cap=$((store + 100000))
	ok "$MSCTL" image gc --max-bytes "$cap" -o json
	jq -e --argjson cap "$cap" '.store.bytes + .cache.bytes <= $cap and .freed.bytes > 0' "$out" >/dev/null ||
		problem 'more than the cap'
	ok "$MSCTL" -C p build -t x:1
	local files
	files=$(find "$MSCTL_STORE/blobs" -type f | wc -l)
	ok "$MSCTL" image gc --max-files "$((files + 3))" -o json
	jq -e --argjson cap "$((files + 3))" '.store.files + .cache.files <= $cap' "$out" >/dev/null || problem 'files'
	# named images stay, and are named
	fails 5 "$MSCTL" image gc --max-bytes 1k
	err_has 'x:1 (' 'msctl image rm'
	ok "$MSCTL" image verify
	image_digest x:1 || problem 'a named image is gone'
	fails 2 "$MSCTL" image gc --max-bytes much
	ok "$MSCTL" image gc --all-cache
	same '' "$(find "$XDG_CACHE_HOME/msctl"/{layers,members,bases,projects} -type f 2>/dev/null)" cache
	ok "$MSCTL" -C p build -t x:1
}

test_many_files_beside_cost_little() {
	counted_project p
	mkdir p/node_modules
	echo node_modules >>p/.gitignore
	(cd p/node_modules && python3 -c '
import os
for i in range(100):
    os.mkdir(str(i))
    for j in range(200):
        open(f"{i}/{j}", "w").close()')
	ok "$MSCTL" -C p build
	ok "$MSCTL" -C p build
	within 2 ok "$MSCTL" -C p build
	err_has 'steps    cached'
	echo 1 >p/node_modules/7/7
	explain 'steps: made: node_modules/7/7 changed'
}

# a bit that fell over, a file cut off, one in the place of another: the image is the same
test_a_damaged_cache() {
	local want file other how
	counted_project p
	ok "$MSCTL" -C p build -q
	want=$(cat "$out")
	cp -a "$HOME" whole
	while read -r file; do
		for how in flip cut other; do
			rm -rf "$HOME"
			cp -a whole "$HOME"
			other=$(find "${file%/*}" -type f ! -path "$file" -size +0 | LC_ALL=C sort | head -n 1)
			case $how in
			flip) python3 -c 'import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) * 3 // 4] ^= 1; open(p, "wb").write(b)' "$file" ;;
			cut) truncate -s "$(($(stat -c %s "$file") / 2))" "$file" ;;
			other) [ -z "$other" ] || cp "$other" "$file" ;;
			esac
			ok "$MSCTL" -C p build -q
			same "$want" "$(cat "$out")" "$file: $how"
		done
	done < <(find "$HOME" -path '*/msctl/*' -type f -size +0 ! -path '*/members/*' ! -path "$MSCTL_STORE/*" | LC_ALL=C sort)
}
