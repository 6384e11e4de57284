# shellcheck shell=bash
# test_look.sh - what image inspect --files, --layers, --why and image diff say is what peers see.

listing() { # listing REFERENCE: "MODE UID:GID SIZE PATH" of what is no folder, by msctl
	"$MSCTL" image inspect --files -o json "$1" |
		jq -r '.[] | select(.type != "folder") | "\(.mode) \(.uid):\(.gid) \(.size) \(.path)"' | LC_ALL=C sort
}

unpacked() { # unpacked DIR: the same of a folder
	find "$1" ! -type d -printf '0%m %U:%G %s /%P\n' | sed -E 's/^0([0-7]{4}) /\1 /; s/^0(777 .*)$/0\1/' |
		awk '/^0777/ { $3 = 0 } { print }' | LC_ALL=C sort
}

test_files_are_what_umoci_unpacks() {
	build_hello x:1
	skopeo copy -q "oci:$MSCTL_STORE:x:1" oci:layout:x
	umoci unpack --image layout:x bundle >/dev/null
	listing x:1 >ours
	unpacked bundle/rootfs >theirs
	diff theirs ours || problem 'msctl lists other files than umoci unpacks'
}

test_whiteouts_of_a_peer() {
	build_hello x:1
	skopeo copy -q "oci:$MSCTL_STORE:x:1" oci:layout:x
	umoci unpack --image layout:x bundle >/dev/null
	rm bundle/rootfs/etc/passwd
	rm -r bundle/rootfs/tmp
	echo new >bundle/rootfs/etc/group
	umoci repack --image layout:y bundle >/dev/null
	tar -C layout -cf y.tar .
	skopeo copy -q oci:layout:y "oci:$MSCTL_STORE:y:1"
	listing y:1 >ours
	unpacked bundle/rootfs >theirs
	diff theirs ours || problem 'whiteouts are not applied'
	fails 4 "$MSCTL" image inspect --why /etc/passwd y:1
	ok "$MSCTL" image diff x:1 y:1
	out_has '- /etc/passwd' '- /tmp/' '~ /etc/group' 'size 23 -> 4'
	fails 9 "$MSCTL" image diff --exit-code x:1 y:1
}

test_layers_have_their_sizes() {
	local digest size unpacked
	build_hello x:1
	ok "$MSCTL" image inspect --layers -o json x:1
	while read -r digest size unpacked; do
		same "$size" "$(stat -c %s "$(blob "$digest")")" 'size of the blob'
		same "$unpacked" "$(gzip -dc "$(blob "$digest")" | wc -c)" 'size unpacked'
	done < <(jq -r '.[] | "\(.digest) \(.size) \(.unpackedSize)"' "$out")
	same app "$(jq -r '.[-1].layer' "$out")" 'last layer'
}

test_why_names_program_and_package() {
	local zlib
	build_hello x:1
	zlib=$(dpkg-query -W -f '${Version}' zlib1g)
	ok "$MSCTL" image inspect --why /lib/x86_64-linux-gnu/libz.so.1 x:1
	out_has "zlib1g $zlib, licence Zlib" '/usr/bin/hello needs libz.so.1' 'build.copy takes it from hello'
	ok "$MSCTL" image inspect --why /lib64/ld-linux-x86-64.so.2 -o json x:1
	same interpreter "$(jq -r '.chain[0].how' "$out")"
	same usr/bin/hello "$(jq -r '.chain[0].by' "$out")"
	same 2 "$(jq '.chain | length' "$out")"
	fails 4 "$MSCTL" image inspect --why /usr/lib/libz.so.1 x:1
	err_has 'did you mean /usr/lib/x86_64-linux-gnu/libz.so.1?'
}

test_a_damaged_layer_is_said() {
	local layer
	build_hello x:1
	layer=$(jq -r '.layers[-1].digest' "$(blob "$(image_digest x:1)")")
	printf XX | dd of="$(blob "$layer")" bs=1 seek=30 conv=notrunc status=none
	fails 3 "$MSCTL" image inspect --files x:1
	err_has 'damaged and was removed'
}
