# hostile.sh - images that msctl build would not make; read by the cases behind image.sh.
put() { sum=$(sha256sum <"$1" | cut -c1-64); cp "$1" "store/blobs/sha256/$sum"; echo "$sum"; }
# hostile LAYER.tar CONFIG [DIFF_ID]: the image evil:1 of that layer, with that "config" in its configuration
hostile() {
	local layer config manifest
	layer=$(put "$1")
	printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$2" "${3:-$layer}" >config
	config=$(put config)
	printf '{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%d}]}' \
		"$config" "$(stat -c %s config)" "$layer" "$(stat -c %s "$1")" >manifest
	manifest=$(put manifest)
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,"annotations":{"org.opencontainers.image.ref.name":"evil:1"}}]}' \
		"$manifest" "$(stat -c %s manifest)" >store/index.json
}
