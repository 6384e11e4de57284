# shellcheck shell=bash
# Images go up to registries of every kind, and only what is missing goes.

test_plain() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	says "$(manifest_digest "$plain" "$repo" 1)"
}

test_second_push_uploads_nothing() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	mark_requests plain
	ok "$MSCTL" push "$plain/$repo:1"
	same '' "$(requests plain | grep -E '^(POST|PUT|PATCH) ')" 'requests that write'
	[ "$(requests plain | wc -l)" -gt 0 ] || problem 'the registry was not asked at all'
}

test_blobs_are_mounted_from_another_repository() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	build_hello "$plain/$repo/other:1"
	mark_requests plain
	ok "$MSCTL" push "$plain/$repo/other:1"
	asked plain '^POST .*mount=sha256.* 201$' || problem 'no mount was tried'
	same '' "$(requests plain | grep -E '^(PATCH|PUT) .*/blobs/')" 'uploads of blobs'
	same "$(manifest_digest "$plain" "$repo" 1)" "$(manifest_digest "$plain" "$repo/other" 1)"
}

test_tls_with_ca() {
	build_hello "$tls/$repo:1"
	ok "$MSCTL" push --ca "$certs/ca.crt" "$tls/$repo:1"
	ok curl -sf --cacert "$certs/ca.crt" "https://$tls/v2/$repo/tags/list"
	out_has '"1"'
}

test_tls_with_certs_d() {
	mkdir -p "$HOME/.config/containers/certs.d/$tls"
	cp "$certs/ca.crt" "$HOME/.config/containers/certs.d/$tls/"
	build_hello "$tls/$repo:1"
	ok "$MSCTL" push "$tls/$repo:1"
	ok curl -sf --cacert "$certs/ca.crt" "https://$tls/v2/$repo/tags/list"
	out_has '"1"'
}

refused_certificate() { # refused_certificate HOST CA
	build_hello "$1/$repo:1"
	remember_store
	within 20 fails 5 "$MSCTL" push --ca "$2" "$1/$repo:1"
	err_has "$1" certificate
	store_unchanged
}

test_tls_unknown_authority() { refused_certificate "$tls" "$certs/wrongca.crt"; }
test_tls_other_name() { refused_certificate "$tls_badhost" "$certs/ca.crt"; }
test_tls_expired() { refused_certificate "$tls_expired" "$certs/ca.crt"; }

test_basic() {
	build_hello "$basic/$repo:1"
	fails 5 "$MSCTL" push "$basic/$repo:1"
	err_has "$basic" 'msctl login'
	printf p | ok_input "$MSCTL" login -u u --password-stdin "$basic"
	ok "$MSCTL" push "$basic/$repo:1"
	says "$(manifest_digest "$basic" "$repo" 1 -u u:p)"
}

test_token() {
	build_hello "$token/$repo:1"
	fails 5 "$MSCTL" push "$token/$repo:1"
	err_has "$token" 'msctl login'
	printf p | ok_input "$MSCTL" login -u u --password-stdin "$token"
	ok "$MSCTL" push "$token/$repo:1"
	ok "$MSCTL" inspect "$token/$repo:1"
}

test_token_of_a_reader() {
	build_hello "$token/$repo:1"
	printf ro | ok_input "$MSCTL" login -u ro --password-stdin "$token"
	fails 5 "$MSCTL" push "$token/$repo:1"
	err_has "$token" "$repo"
}

test_read_only_registry() {
	build_hello "$readonly/$repo:1"
	remember_store
	within 20 run "$MSCTL" push "$readonly/$repo:1"
	[ "$status" != 0 ] || problem 'expected a failure'
	err_has "$readonly" 405
	store_unchanged
}

test_retries_what_passes() {
	fault_proxy "$plain" '[
		{"method": "POST", "path": "uploads", "first": 1, "do": {"status": 503}},
		{"method": "HEAD", "path": "blobs", "nth": [1], "do": {"cut": true}},
		{"method": "PUT", "path": "manifests", "first": 1,
		 "do": {"status": 429, "headers": {"Retry-After": "1"}}}]'
	build_hello "$proxy/$repo:1"
	within 30 ok "$MSCTL" push "$proxy/$repo:1"
	grep -q -- '-> 503' proxy.out || problem 'the fault did not fire'
	grep -q -- '-> 429' proxy.out || problem 'the fault did not fire'
	manifest_digest "$plain" "$repo" 1 | grep -qF -f - "$out" "$err"
}

test_cut_upload_starts_again() {
	fault_proxy "$plain" '[
		{"method": "PUT", "path": "blobs", "first": 4, "do": {"cut_up": 1000}},
		{"method": "PATCH", "path": "blobs", "first": 4, "do": {"cut_up": 1000}}]'
	build_hello "$proxy/$repo:1"
	within 30 ok "$MSCTL" push "$proxy/$repo:1"
	grep -q 'cut up' proxy.out || problem 'the fault did not fire'
	ok skopeo copy -q --src-tls-verify=false "docker://$plain/$repo:1" "oci:$TEST_DIR/copy:1"
}

test_interrupt() {
	fault_proxy "$plain" '[{"method": "PUT", "path": "blobs", "do": {"stall": 60}},
		{"method": "PATCH", "path": "blobs", "do": {"stall": 60}}]'
	build_hello "$proxy/$repo:1"
	remember_store
	background push "$MSCTL" push "$proxy/$repo:1"
	eventually 10 grep -q POST proxy.out
	sleep 0.2
	kill -INT "$push_pid"
	ended "$push_pid" 3
	same 130 "$status" 'exit status'
	store_unchanged
}

test_unknown_reference() {
	fails 4 "$MSCTL" push "$plain/$repo:never-built"
	err_has "$plain/$repo:never-built"
}

test_upper_case_reference() {
	run "$MSCTL" push "$plain/Shop/Hello:1"
	case $status in 2 | 3) ;; *) problem 'expected status 2 or 3' ;; esac
	err_has 'Shop/Hello'
}

streamed_project() { # streamed_project IMAGE: accounts and a program, two layers and a configuration
	hello_project hello "$1"
	printf '  user: "65532"\n' >>hello/msctl.yaml
	sed -i 's/ -lz//; s/zlibVersion()/"none"/; /zlib.h/d' hello/hello.c hello/Makefile
}

test_build_push_costs_no_more_than_push() {
	local blobs
	streamed_project "$plain/$repo"
	mark_requests plain
	ok "$MSCTL" -C hello build --push --no-sbom
	says "$(manifest_digest "$plain" "$repo" 1)"
	# the last one is ours
	blobs=$(jq '.layers | length + 1' "$(blob "$(image_digest "$plain/$repo:1")")")
	same $((2 * blobs + 3)) "$(($(requests plain | wc -l) - 1))" 'requests of a first push'
	mark_requests plain
	ok "$MSCTL" -C hello build --push --no-sbom
	same 1 "$(requests plain | wc -l)" 'requests of a push that changes nothing'
	asked plain '^HEAD .*/manifests/1 200$' || problem 'another question than expected'
}

test_layers_go_up_while_others_are_made() {
	streamed_project "$plain/$repo"
	head -c 50000000 /dev/urandom >hello/data
	sed -i 's|copy: {|copy: {data: /data, |' hello/msctl.yaml
	mark_requests plain
	background build "$MSCTL" -C hello build --push --progress plain
	eventually 60 first_layer_is_up
	image_digest "$plain/$repo:1" 2>/dev/null && problem 'the image was complete before a layer went up'
	ended "$build_pid" 60
	same 0 "$status" 'status of the build'
	same "$(image_digest "$plain/$repo:1")" "$(manifest_digest "$plain" "$repo" 1)"
	ok skopeo inspect --tls-verify=false "docker://$plain/$repo:1"
}

first_layer_is_up() { asked plain '^PUT .*/blobs/.* 201$'; }

test_a_push_that_fails_leaves_the_image() {
	local how
	streamed_project "$readonly/$repo"
	run "$MSCTL" -C hello build --push -o oci:../image
	[ "$status" != 0 ] || problem 'pushed to a registry that is read-only'
	err_has "cannot push $readonly/$repo:1"
	ok "$MSCTL" image inspect "$readonly/$repo:1"
	ok skopeo inspect oci:image:1
	for how in basic:5 nobody:6; do
		local host=${how%:*}
		rm -rf hello "$MSCTL_STORE" # so that every layer is new
		streamed_project "${!host}/$repo"
		fails "${how#*:}" "$MSCTL" -C hello build --push
		ok "$MSCTL" image inspect "${!host}/$repo:1"
	done
}

test_a_build_that_fails_pushes_nothing() {
	streamed_project "$plain/$repo"
	sed -i 's|copy: {|copy: {none: /none, |' hello/msctl.yaml
	mark_requests plain
	fails 4 "$MSCTL" -C hello build --push
	same '' "$(requests plain)" 'requests'
}

test_interrupted_stream() {
	streamed_project "$plain/$repo"
	head -c 50000000 /dev/urandom >hello/data
	sed -i 's|copy: {|copy: {data: /data, |' hello/msctl.yaml
	mark_requests plain
	background build "$MSCTL" -C hello build --push
	eventually 60 first_layer_is_up
	kill -INT "$build_pid"
	ended "$build_pid" 10
	same 130 "$status" 'status after Ctrl-C'
	manifest_digest "$plain" "$repo" 1 >/dev/null || true
	asked plain '^PUT .*/manifests/' && problem 'a manifest of an image that is not there'
	ok "$MSCTL" -C hello build --push
	says "$(manifest_digest "$plain" "$repo" 1)"
}

test_several_platforms() {
	local digest arch
	mkdir data
	printf 'x' >data/start
	chmod +x data/start
	printf 'apiVersion: msctl/v1\nname: data\nversion: "1"\nimage: %s\nbuild:\n  copy: {start: /start}\n' \
		"$plain/$repo" >data/msctl.yaml
	ok "$MSCTL" -C data build --push --platform linux/amd64,linux/arm64
	digest=$(image_digest "$plain/$repo:1")
	says "$digest"
	for arch in amd64 arm64; do
		same "$arch" "$(skopeo inspect --tls-verify=false --override-arch "$arch" "docker://$plain/$repo:1" |
			jq -r .Architecture)"
	done
	# what belongs to each image is found by its own digest
	for digest in $(jq -r '.manifests[].digest' "$(blob "$digest")"); do
		ok curl -sf --noproxy '*' -H 'Accept: application/vnd.oci.image.index.v1+json' \
			"http://$plain/v2/$repo/manifests/${digest/:/-}"
		out_has artifactType
	done
	mark_requests plain
	ok "$MSCTL" push --no-sbom "$plain/$repo:1"
	same 1 "$(requests plain | wc -l)" 'requests of a second push'
}

# the display of a terminal goes on while layers go up
test_a_verified_build_tells_of_its_push() {
	streamed_project "$plain/$repo"
	ok "$MSCTL" -C hello build --push --no-sbom --verify --progress tty
	err_has 'verified built twice, same digest'
	grep -q 'config .*uploaded' "$err" || problem 'nothing is told of the configuration'
}
