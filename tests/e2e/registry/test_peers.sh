# shellcheck shell=bash
# What msctl pushes others can use, and what others push msctl can use.
# limit: 120

pushed() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	digest=$(manifest_digest "$plain" "$repo" 1)
}

test_skopeo_inspect() {
	pushed
	ok skopeo inspect --tls-verify=false "docker://$plain/$repo:1"
	same "$digest" "$(jq -r .Digest "$out")"
	same amd64 "$(jq -r .Architecture "$out")"
	ok skopeo inspect --config --tls-verify=false "docker://$plain/$repo:1"
	same /usr/bin/hello "$(jq -r '.config.Entrypoint[0]' "$out")"
}

test_skopeo_copy() {
	pushed
	ok skopeo copy -q --preserve-digests --src-tls-verify=false "docker://$plain/$repo:1" oci:copy:1
	same "$digest" "$(jq -r '.manifests[0].digest' copy/index.json)"
	# to docker's format every layer is unpacked and its diff_id compared
	ok skopeo copy -q --format v2s2 --src-tls-verify=false "docker://$plain/$repo:1" docker-archive:d.tar:x:1
}

test_umoci_unpack() {
	pushed
	ok skopeo copy -q --src-tls-verify=false "docker://$plain/$repo:1" oci:copy:1
	ok umoci unpack --image copy:1 bundle
	cmp bundle/rootfs/usr/bin/hello hello/hello
	ok chroot bundle/rootfs /usr/bin/hello
	out_has 'hello from msctl'
}

test_podman_run() {
	pushed
	ok quiet_podman run --rm --pull=always --tls-verify=false --network=none "$plain/$repo:1" arg
	out_has 'hello from msctl' 'GREETING=grüß dich' 'argument 1: arg'
}

test_podman_keeps_the_digest() {
	pushed
	ok quiet_podman pull -q --tls-verify=false "$plain/$repo:1"
	ok quiet_podman image inspect "$plain/$repo:1"
	same "$digest" "$(jq -r '.[0].Digest' "$out")"
}

# The same image, written by others in both formats, has to arrive with their digest.
pulled_as() { # pulled_as TAG
	local theirs
	theirs=$(manifest_digest "$plain" "$repo" "$1" -H 'Accept: application/vnd.docker.distribution.manifest.v2+json')
	ok "$MSCTL" pull "$plain/$repo:$1"
	says "$theirs"
	ok "$MSCTL" image inspect "$plain/$repo:$1"
	out_has /usr/bin/hello
	ok "$MSCTL" run "$plain/$repo:$1"
	out_has 'hello from msctl'
}

test_pull_what_skopeo_pushed_as_oci() {
	pushed
	ok skopeo copy -q --src-tls-verify=false --dest-tls-verify=false --format oci \
		"docker://$plain/$repo:1" "docker://$plain/$repo:skopeo"
	pulled_as skopeo
}

test_pull_what_skopeo_pushed_as_docker() {
	pushed
	ok skopeo copy -q --src-tls-verify=false --dest-tls-verify=false --format v2s2 \
		"docker://$plain/$repo:1" "docker://$plain/$repo:docker"
	pulled_as docker
}

test_pull_what_podman_pushed() {
	pushed
	printf 'FROM %s\nENV GREETING=podman\n' "$plain/$repo:1" >Containerfile
	ok quiet_podman build -q --tls-verify=false --isolation=chroot -t "localhost/$repo:2" .
	ok quiet_podman push -q --tls-verify=false "localhost/$repo:2" "docker://$plain/$repo:podman"
	pulled_as podman
	out_has GREETING=podman
	ok quiet_podman push -q --tls-verify=false --compression-format=zstd "localhost/$repo:2" \
		"docker://$plain/$repo:zstd"
	pulled_as zstd
	ok quiet_podman push -q --tls-verify=false --format v2s2 "localhost/$repo:2" "docker://$plain/$repo:podman2"
	pulled_as podman2
}

test_base_from_a_registry() {
	pushed
	hello_project child
	sed -i "s|^build:|build:\n  base: $plain/$repo@$digest|" child/msctl.yaml
	sed -i 's/grüß dich/child/' child/msctl.yaml
	ok "$MSCTL" build -t "$plain/$repo/child:1" child
	ok "$MSCTL" push "$plain/$repo/child:1"
	ok quiet_podman run --rm --tls-verify=false --network=none "$plain/$repo/child:1"
	out_has GREETING=child
}
