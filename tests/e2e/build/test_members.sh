# shellcheck shell=bash
# limit: 120
# Layers made of members that are kept: whatever becomes of what was kept, the image is the same.

large_project() { # large_project DIR: 12 MB of programs, two names of one of them, one with a capability
	local file
	mkdir -p "$1/bin"
	for file in /usr/bin/git /usr/bin/perl /usr/bin/tar /usr/bin/bash; do
		[ ! -f "$file" ] || cp "$(readlink -f "$file")" "$1/bin/"
	done
	cat "$1"/bin/* >"$1/large"
	truncate -s 6000000 "$1/large"
	mv "$1/large" "$1/bin/"
	ln "$1/bin/large" "$1/bin/larger"
	cat >"$1/msctl.yaml" <<-X
		apiVersion: msctl/v1
		name: large
		version: "1"
		build:
		  libraries: false
		  copy: {bin: /opt/bin}
		  cmd: [/opt/bin/bash]
		  capabilities: {/opt/bin/tar: cap_net_bind_service=ep}
	X
}

members() { find "$XDG_CACHE_HOME" -path '*/members/*' -type f; }

forget_layers() { # everything but the members
	rm -rf "$MSCTL_STORE"
	find "$XDG_CACHE_HOME" -mindepth 2 -maxdepth 2 ! -name members -exec rm -rf {} +
}

build_large() { # build_large [OPTION...]: digest of the image to $digest
	ok "$MSCTL" build -q "$@" large
	digest=$(image_digest large:1)
}

test_same_image_with_any_cache() {
	local first file
	large_project large
	for codec in gzip zstd; do
		rm -rf "$XDG_CACHE_HOME" "$MSCTL_STORE"
		build_large --compression "$codec" --threads 1
		first=$digest
		[ "$(members | wc -l)" -gt 8 ] || problem 'no members were kept'
		forget_layers
		build_large --compression "$codec" --threads 8
		same "$first" "$digest" 'image from kept members'
		# some of them damaged, cut, empty, another's, no file
		members | LC_ALL=C sort >list
		printf '#' | dd of="$(sed -n 1p list)" bs=1 seek=5000 conv=notrunc status=none
		truncate -s 3000 "$(sed -n 2p list)"
		: >"$(sed -n 3p list)"
		cp "$(sed -n 4p list)" "$(sed -n 5p list)"
		file=$(sed -n 6p list)
		rm "$file"
		mkdir "$file"
		head -c 100000 /dev/zero >"$(sed -n 7p list)"
		forget_layers
		build_large --compression "$codec"
		same "$first" "$digest" 'image from damaged members'
		ok "$MSCTL" image verify
		forget_layers
		chmod 0 "$XDG_CACHE_HOME"/msctl/members/?? 2>/dev/null || true
		build_large --compression "$codec"
		same "$first" "$digest" 'image without members'
	done
}

test_no_cache_makes_members_anew() {
	large_project large
	build_large
	members | xargs stat -c '%n %i' | sort >before
	build_large --no-cache
	members | xargs stat -c '%n %i' | sort >after
	same "$(wc -l <before)" "$(wc -l <after)" members
	same '' "$(comm -12 before after)" 'members that were believed'
}

test_links_and_capabilities_for_others() {
	large_project large
	build_large
	ok skopeo copy --quiet "oci:$MSCTL_STORE:large:1" oci:copy:1
	ok umoci unpack --image copy:1 bundle
	[ bundle/rootfs/opt/bin/large -ef bundle/rootfs/opt/bin/larger ] || problem 'two files of one'
	cmp large/bin/large bundle/rootfs/opt/bin/larger
	same 'cap_net_bind_service=ep' "$(getcap bundle/rootfs/opt/bin/tar | sed 's/.* //')" capabilities
	same '' "$(getcap bundle/rootfs/opt/bin/bash)"
}

test_zstd_for_others() {
	large_project large
	build_large --compression zstd
	for layer in $(jq -r '.layers[].digest' "$(blob "$digest")"); do
		ok zstd -qt "$(blob "$layer")"
	done
	ok skopeo copy --quiet "oci:$MSCTL_STORE:large:1" dir:copy
}

test_killed_while_writing() {
	local first i killed=0
	large_project large
	build_large
	first=$digest
	for i in $(seq 2 3 80); do
		rm -rf "$XDG_CACHE_HOME" "$MSCTL_STORE"
		background build "$MSCTL" build -q large
		sleep "$(printf '0.%03d' $((i * 4)))" # any moment will do
		kill -KILL "$build_pid" 2>/dev/null || true
		wait "$build_pid" 2>/dev/null || killed=$((killed + 1))
		[ ! -e "$MSCTL_STORE" ] || ok "$MSCTL" image verify
	done
	[ "$killed" -gt 3 ] || problem "only $killed were killed"
	build_large
	same "$first" "$digest" 'image after all that'
	ok "$MSCTL" image gc
	same '' "$(find "$MSCTL_STORE/tmp" -type f)" 'left behind'
}

test_no_room() {
	local size place
	large_project large
	build_large
	place=$(mktemp -d /tmp/msctl-full.XXXXXX)
	litter+=("$place")
	for size in 64k 600k 2m 3m; do
		# shellcheck disable=SC2016  # the inner shell's
		background full unshare --mount --propagation private sh -c '
			mount -t tmpfs -o size="$3" tmpfs "$1" || exit 99
			export MSCTL_STORE="$1/store" XDG_CACHE_HOME="$1/cache"
			"$2" build -q large; echo "status $?"
			find "$1/store/tmp" "$1/cache" -name "blob-*" -o -name ".tmp.*"
			"$2" image verify >/dev/null && "$2" image ls' x "$place" "$MSCTL" "$size"
		ended "$full_pid" 30
		same 'status 1' "$(head -n 1 full.out)" "on $size"
		same '' "$(sed 1d full.out | grep -v '^REFERENCE')" "left, or named, on $size"
		grep -q 'No space left on device' full.err || problem "$size: $(cat full.err)"
	done
}

test_limit_on_files() {
	large_project large
	# shellcheck disable=SC2016  # the inner shell's
	fails 1 sh -c 'ulimit -f 2000; exec "$1" build -q large' x "$MSCTL"
	err_has 'File too large'
	same '' "$(find "$MSCTL_STORE/tmp" "$XDG_CACHE_HOME" -name 'blob-*' -o -name '.tmp.*')" 'left behind'
	ok "$MSCTL" image verify
}

test_a_file_that_changes() {
	large_project large
	truncate -s 800M large/bin/large
	# shellcheck disable=SC2016  # the inner shell's
	background writer sh -c 'while :; do touch large/bin/large; sleep 0.02; done'
	fails 3 "$MSCTL" build -q --no-cache large
	err_has 'changed while' 'hint: '
}

test_holes() {
	mkdir large
	printf 'apiVersion: msctl/v1\nname: large\nversion: "1"\nbuild:\n  copy: {hole: /hole}\n  cmd: [/x]\n' >large/msctl.yaml
	truncate -s 300M large/hole
	printf 'end' >>large/hole
	build_large
	gzip -dc "$(blob "$(jq -r '.layers[-1].digest' "$(blob "$digest")")")" | tar -xOf - hole | tail -c 4 | cmp - <(printf '\0end')
	# more than a layer holds is refused before it is read
	truncate -s 40G large/hole
	remember_store
	within 5 fails 3 "$MSCTL" build -q large
	err_has '/hole' 'larger than 32 GiB' 'hint: '
	truncate -s 4E large/hole 2>/dev/null || return 0
	within 5 fails 3 "$MSCTL" build -q large
}

test_names() {
	local long
	long=$(printf 'n%.0s' $(seq 256))
	mkdir large
	echo x >large/x
	printf 'apiVersion: msctl/v1\nname: large\nversion: "1"\nbuild:\n  copy: {x: /%s}\n  cmd: [/x]\n' "$long" >large/msctl.yaml
	fails 3 "$MSCTL" build -q large
	err_has 'longer than 255 bytes' 'hint: '
	sed -i "s|/$long|/${long#n}|" large/msctl.yaml
	build_large
}
