# shellcheck shell=bash
# limit: 120
# What msctl writes with -o is read by those who read such things, and is whole or not there.

build_out() { # build_out OPTION...: the hello project, written to other places
	[ -d hello ] || hello_project hello
	ok "$MSCTL" build -q "$@" hello
}

digest_of() { # digest_of TEXT: of "NAME@DIGEST"
	echo "${1##*@}"
}

layout_sound() { # layout_sound DIR: every blob is what its name says, nothing else is there
	local file
	while read -r file; do
		same "${file##*/}" "$(sha256sum <"$file" | cut -d' ' -f1)" 'digest of blob'
	done < <(find "$1/blobs" -type f)
	same 'blobs index.json oci-layout' "$(find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs)" "content of $1"
}

test_skopeo_reads_all() {
	build_out -o oci:image -o oci-archive:image.tar -o docker-archive:docker.tar:shop/hello:2
	local digest place
	digest=$(digest_of "$(cat "$out")")
	for place in oci:image oci:image:1 oci-archive:image.tar oci-archive:image.tar:1; do
		same "$digest" "$(skopeo inspect "$place" | jq -r .Digest)" "digest in $place"
	done
	same docker.io/shop/hello "$(skopeo inspect docker-archive:docker.tar:shop/hello:2 | jq -r .Name)"
	for place in oci:image oci-archive:image.tar docker-archive:docker.tar; do
		rm -rf copy
		ok skopeo copy --quiet "$place" dir:copy
		same "$(jq -r .config.digest "image/blobs/sha256/${digest#*:}")" \
			"$(jq -r .config.digest copy/manifest.json)" "configuration in $place"
	done
	layout_sound image
}

test_umoci_unpacks_a_layout() {
	build_out -o oci:image -o oci:image:second
	same '1 second' "$(umoci ls --layout image | xargs)" 'names in the layout'
	ok umoci unpack --image image:second bundle
	[ -x bundle/rootfs/usr/bin/hello ] || problem 'no program in the bundle'
	ok umoci gc --layout image
	ok skopeo inspect oci:image:1
}

test_podman_loads_and_runs() {
	local file
	build_out -o oci-archive:image.tar:podman/oci:1 -o docker-archive:docker.tar:podman/docker:1
	for file in image.tar docker.tar; do
		ok quiet_podman load -q -i "$file"
	done
	for file in podman/oci:1 podman/docker:1; do
		ok quiet_podman run --rm --pull=never --network=none "$file"
		out_has 'hello from msctl' 'GREETING=grüß dich'
	done
	"$MSCTL" build -q -o oci-archive:-:podman/pipe:1 hello 2>/dev/null | ok_input quiet_podman load -q
	says podman/pipe:1
}

test_docker_loads_and_runs() {
	docker_up
	build_out -o docker-archive:docker.tar -o docker-archive:named.tar:shop/hello:2
	local file
	for file in docker.tar named.tar; do
		ok quiet_docker load -q -i "$file"
	done
	out_has shop/hello:2
	for file in hello:1 shop/hello:2; do
		ok quiet_docker run --rm --network none "$file"
		out_has 'hello from msctl' 'GREETING=grüß dich'
	done
	build_out --compression zstd -o docker-archive:zstd.tar:zstd:1
	ok quiet_docker load -q -i zstd.tar
	ok quiet_docker run --rm --network none zstd:1
	out_has 'hello from msctl'
}

test_zstd_layers() {
	build_out --compression zstd -o oci:image -o docker-archive:docker.tar
	jq -e '.layers | all(.mediaType | endswith("tar+zstd"))' \
		"image/blobs/$(jq -r '.manifests[0].digest' image/index.json | tr : /)" >/dev/null ||
		problem 'layers are not zstd'
	ok skopeo copy --quiet oci:image dir:copy
	ok skopeo inspect docker-archive:docker.tar
	tar -tf docker.tar | grep -q '^index.json$' && problem 'a layout without its blobs'
	tar -xOf docker.tar "$(tar -xOf docker.tar manifest.json | jq -r '.[0].Layers[0]')" | tar -tf - >/dev/null
}

data_project() { # data_project DIR: for any platform
	mkdir -p "$1"
	echo x >"$1/start"
	chmod +x "$1/start"
	printf 'apiVersion: msctl/v1\nname: data\nversion: "1"\nbuild:\n  copy: {start: /start}\n' >"$1/msctl.yaml"
}

test_several_platforms() {
	data_project data
	ok "$MSCTL" build -q --platform linux/amd64,linux/arm64 -o oci:image -o oci-archive:image.tar \
		-o docker-archive:docker.tar data
	local arch
	for arch in amd64 arm64; do
		same "$arch" "$(skopeo inspect --override-arch "$arch" oci:image:1 | jq -r .Architecture)"
		same "$arch" "$(skopeo inspect --override-arch "$arch" oci-archive:image.tar | jq -r .Architecture)"
	done
	ok skopeo copy --quiet --all oci:image:1 oci:copy:1
	layout_sound image
	ok skopeo inspect docker-archive:docker.tar
	ok quiet_podman load -q -i image.tar
	case $(uname -m) in x86_64) arch=arm64 ;; *) arch=amd64 ;; esac
	fails 4 "$MSCTL" build -q --platform linux/s390x,linux/$arch -o docker-archive:none.tar data
	err_has 'docker-archive holds one image' 'hint: write an oci-archive'
	[ ! -e none.tar ] || problem 'an archive of nothing'
}

test_two_write_one_layout() {
	local i
	data_project data
	"$MSCTL" build -q data >/dev/null 2>&1
	for i in 1 2 3 4 5 6; do
		background "w$i" "$MSCTL" build -q -o "oci:image:t$i" data
	done
	for i in 1 2 3 4 5 6; do
		pid=w${i}_pid
		ended "${!pid}" 20
		same 0 "$status" "status of writer $i"
	done
	same 't1 t2 t3 t4 t5 t6' "$(umoci ls --layout image | sort | xargs)" 'names in the layout'
	layout_sound image
}

test_killed_at_any_point() {
	local i pid
	data_project data
	head -c 30000000 /dev/urandom >data/start
	ok "$MSCTL" build -q -o oci:whole -o oci-archive:whole.tar data
	for i in 0 2 4 8 12 16 20 25 30 35 40 50 60 80; do
		background killed "$MSCTL" build -q -o oci:image -o oci-archive:image.tar data
		pid=$killed_pid
		sleep "0.0$i" 2>/dev/null # any moment will do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		[ ! -e image.tar ] || cmp whole.tar image.tar || problem 'half an archive'
		[ ! -e image/index.json ] || layout_has_all image
	done
	ok "$MSCTL" build -q -o oci:image -o oci-archive:image.tar data
	same '' "$(find . -maxdepth 1 -name '.tmp*')" 'what is left of archives'
	cmp whole.tar image.tar
	layout_sound image
	same "$(cat whole/index.json)" "$(cat image/index.json)"
}

layout_has_all() { # layout_has_all DIR: what index.json leads to is there
	local manifest blob
	for manifest in $(jq -r '.manifests[].digest' "$1/index.json"); do
		for blob in $(jq -r '.config.digest, .layers[].digest' "$1/blobs/${manifest/://}"); do
			same "${blob#*:}" "$(sha256sum <"$1/blobs/${blob/://}" | cut -d' ' -f1)" 'a blob that is named'
		done
	done
}

test_no_room() {
	local place
	data_project data
	head -c 3000000 /dev/urandom >data/start
	place=$(mktemp -d /tmp/msctl-full.XXXXXX)
	litter+=("$place")
	# shellcheck disable=SC2016  # the inner shell's
	background full unshare --mount --propagation private sh -c '
		mount -t tmpfs -o size=1m tmpfs "$1" && cd data || exit 99
		for to in "oci:$1/image" "oci-archive:$1/image.tar" "docker-archive:$1/docker.tar"; do
			"$2" build -q -o "$to" && exit 98
			ls -A "$1"
		done' x "$place" "$MSCTL"
	ended "$full_pid" 30
	same '' "$(cat full.out)" 'left on the full disk'
	same 3 "$(grep -c 'No space left on device' full.err)" 'failures'
}

test_damaged_store() {
	build_out
	local layer
	layer=$(blob "$(jq -r '.layers[-1].digest' "$(blob "$(image_digest hello:1)")")")
	chmod u+w "$layer"
	printf '#' | dd of="$layer" bs=1 seek=20 conv=notrunc status=none
	fails 3 "$MSCTL" build -q -o oci:image -o oci-archive:image.tar hello
	err_has damaged 'hint: '
	[ ! -e image ] || problem 'half a layout'
	build_out -o oci:image
	layout_sound image
}
