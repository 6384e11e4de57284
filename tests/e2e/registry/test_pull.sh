# shellcheck shell=bash
# Images come down whole and checked; what is there is not fetched again.

test_round_trip() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	digest=$(manifest_digest "$plain" "$repo" 1)
	export MSCTL_STORE=$TEST_DIR/other
	ok "$MSCTL" pull "$plain/$repo:1"
	says "$digest"
	ok "$MSCTL" pull "$plain/$repo@$digest"
	ok "$MSCTL" image ls
	out_has "$repo"
}

test_second_pull_fetches_no_layer() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	ok "$MSCTL" pull "$plain/$repo:1"
	mark_requests plain
	ok "$MSCTL" pull "$plain/$repo:1"
	same '' "$(requests plain | grep '^GET .*/blobs/')" 'blobs fetched'
}

test_inspect_needs_no_layer() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	mark_requests plain
	ok "$MSCTL" inspect -o json "$plain/$repo:1"
	same "$(manifest_digest "$plain" "$repo" 1)" "$(jq -r .digest "$out")"
	[ "$(requests plain | grep -c '^GET .*/blobs/')" -le 1 ] || problem 'layers were fetched'
}

test_damaged_blob_in_the_store_is_seen() {
	build_hello "$plain/$repo:1"
	local blob
	blob=$(find "$MSCTL_STORE/blobs" -type f -size +100k | head -n 1)
	[ -n "$blob" ] || problem 'no layer in the store'
	chmod u+w "$blob"
	printf X | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
	fails 3 "$MSCTL" push "$plain/$repo:1"
	err_has "${blob##*/}"
}

test_remove() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" image rm "$plain/$repo:1"
	ok "$MSCTL" image ls
	never_says "$repo"
	fails 4 "$MSCTL" image rm "$plain/$repo:1"
}

test_corrupted_on_the_way_is_refused() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	fault_proxy "$plain" '[{"method": "GET", "path": "blobs", "do": {"corrupt": 200}}]'
	export MSCTL_STORE=$TEST_DIR/other
	remember_store
	within 30 fails 3 "$MSCTL" pull "$proxy/$repo:1"
	err_has "$proxy" sha256:
	store_sound
}

test_cut_download_goes_on() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	export MSCTL_STORE=$TEST_DIR/other
	fault_proxy "$plain" '[{"method": "GET", "path": "blobs", "first": 4, "do": {"cut_down": 300}}]'
	within 30 ok "$MSCTL" pull "$proxy/$repo:1"
	grep -q 'cut down' proxy.out || problem 'the fault did not fire'
	says "$(manifest_digest "$plain" "$repo" 1)"
}
