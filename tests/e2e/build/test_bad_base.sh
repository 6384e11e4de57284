# shellcheck shell=bash
# Base images that lie: what no runtime unpacks is not built upon.

keep_blob() { # keep_blob FILE: its digest
	local sum
	sum=$(sha256sum <"$1" | cut -d ' ' -f 1)
	cp "$1" "$MSCTL_STORE/blobs/sha256/$sum"
	printf 'sha256:%s' "$sum"
}

# an image of these layers; diff_ids are theirs unless $diff_id says otherwise
base_of() { # base_of NAME LAYER.tar...
	local name=$1 layer digest layers='[]' diff_ids='[]' config manifest
	shift
	mkdir -p "$MSCTL_STORE/blobs/sha256"
	for layer; do
		digest=$(keep_blob "$layer")
		layers=$(jq -c --arg d "$digest" --argjson s "$(stat -c %s "$layer")" \
			'. + [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $d, size: $s}]' <<<"$layers")
		diff_ids=$(jq -c --arg d "${diff_id:-$digest}" '. + [$d]' <<<"$diff_ids")
	done
	jq -nc --argjson d "$diff_ids" \
		'{architecture: "amd64", os: "linux", rootfs: {type: "layers", diff_ids: $d}}' >config.json
	config=$(keep_blob config.json)
	jq -nc --argjson l "$layers" --arg c "$config" --argjson s "$(stat -c %s config.json)" \
		'{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $c, size: $s}, layers: $l}' >manifest.json
	manifest=$(keep_blob manifest.json)
	printf '{"imageLayoutVersion":"1.0.0"}' >"$MSCTL_STORE/oci-layout"
	jq -nc --arg d "$manifest" --argjson s "$(stat -c %s manifest.json)" --arg n "$name" \
		'{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [
		{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s,
		platform: {architecture: "amd64", os: "linux"},
		annotations: {"org.opencontainers.image.ref.name": $n}}]}' >"$MSCTL_STORE/index.json"
}

built_on() { # built_on BASE: a project above it
	mkdir -p p
	echo 1 >p/f
	chmod +x p/f
	cat >p/msctl.yaml <<-X
		apiVersion: msctl/v1
		name: above
		version: "1"
		build: {base: "$1", platforms: [linux/amd64], copy: {f: /srv/f}, entrypoint: [/srv/f]}
	X
}

test_content_that_is_not_what_the_configuration_says() {
	local diff_id
	mkdir -p root/etc
	echo x >root/etc/x
	tar -C root -cf layer.tar etc
	base_of base:1 layer.tar
	built_on base:1
	ok "$MSCTL" -C p build
	# the same layer, of which the build remembers what is in it
	diff_id=sha256:$(printf '0%.0s' {1..64})
	base_of base:1 layer.tar
	fails 3 "$MSCTL" -C p build
	err_has 'base image base:1' "its content is not what the image's configuration says"
}

test_whiteouts_of_nothing() {
	local name
	mkdir -p root/etc
	tar -C root -cf lower.tar etc
	built_on base:1
	for name in .wh. .wh.. .wh...; do
		rm -f root/etc/.wh*
		touch "root/etc/$name"
		tar -C root -cf upper.tar etc
		base_of base:1 lower.tar upper.tar
		fails 3 "$MSCTL" -C p build
		err_has "'etc/$name' is a whiteout of nothing"
	done
}
