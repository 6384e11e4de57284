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
	requests plain | grep -q '^POST .*mount=sha256.* 201$' || problem 'no mount was tried'
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
