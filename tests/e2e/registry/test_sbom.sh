# shellcheck shell=bash disable=SC2154
# SBOM and provenance go up with their image, where other tools find them.

referrers() { # referrers REPOSITORY: the index that stands in for the API, of this image
	curl -sf --noproxy '*' -H 'Accept: application/vnd.oci.image.index.v1+json' \
		"http://$plain/v2/$1/manifests/sha256-${digest#sha256:}"
}

test_push_brings_it() {
	build_hello "$plain/$repo:1"
	"$MSCTL" sbom "$plain/$repo:1" --format cyclonedx >here.json
	ok "$MSCTL" push "$plain/$repo:1"
	digest=$(manifest_digest "$plain" "$repo" 1)
	referrers "$repo" >index.json
	python3 - "$digest" "$plain" "$repo" <<'P' || problem 'the referrers are not those of the image'
import hashlib, json, sys, urllib.request
subject, host, repo = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def get(what, d, kind="*/*"):
    request = urllib.request.Request(f"http://{host}/v2/{repo}/{what}/{d['digest']}", headers={"Accept": kind})
    body = opener.open(request).read()
    assert "sha256:" + hashlib.sha256(body).hexdigest() == d["digest"] and len(body) == d["size"]
    return json.loads(body)

entries = {e["artifactType"]: e for e in json.load(open("index.json"))["manifests"]}
assert set(entries) == {"application/spdx+json", "application/vnd.cyclonedx+json", "application/vnd.in-toto+json",
                        "application/vnd.msctl.reasons+json"}, entries
for kind, entry in entries.items():
    m = get("manifests", entry, entry["mediaType"])
    assert m["subject"]["digest"] == subject and m["artifactType"] == kind
    assert get("blobs", m["config"]) == {}
    document = get("blobs", m["layers"][0])
    # who looks for provenance goes by this, in the list of referrers and in the manifest
    predicate = [x.get("annotations", {}).get("in-toto.io/predicate-type") for x in (entry, m, m["layers"][0])]
    assert predicate == [document.get("predicateType")] * 3, predicate
    if "in-toto" in kind:
        assert document["subject"][0]["digest"]["sha256"] == subject.split(":")[1]
    assert kind != "application/vnd.cyclonedx+json" or document == json.load(open("here.json"))
P
}

test_second_push_writes_nothing() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	mark_requests plain
	ok "$MSCTL" push "$plain/$repo:1"
	same '' "$(requests plain | grep -E '^(POST|PUT|PATCH) ')" 'requests that write'
	same 3 "$(requests plain | wc -l)" 'requests'
}

test_others_stay_in_the_index() {
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push --no-sbom "$plain/$repo:1"
	digest=$(manifest_digest "$plain" "$repo" 1)
	! referrers "$repo" || problem 'the SBOM went up all the same'
	# somebody's signature, before us
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s,"artifactType":"application/x-signature"}]}' \
		"$digest" "$(curl -sf --noproxy '*' -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$plain/v2/$repo/manifests/1" | wc -c)" >theirs.json
	ok curl -sf --noproxy '*' -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' \
		--data-binary @theirs.json "http://$plain/v2/$repo/manifests/sha256-${digest#sha256:}"
	ok "$MSCTL" push "$plain/$repo:1"
	same 5 "$(referrers "$repo" | grep -o artifactType | wc -l)" 'entries of the index'
	ok referrers "$repo"
	out_has x-signature spdx cyclonedx in-toto reasons
}

test_skopeo_copies_it() {
	command -v skopeo >/dev/null || skip 'no skopeo'
	build_hello "$plain/$repo:1"
	ok "$MSCTL" push "$plain/$repo:1"
	digest=$(manifest_digest "$plain" "$repo" 1)
	local artifact
	artifact=$(referrers "$repo" | python3 -c 'import json,sys; print(json.load(sys.stdin)["manifests"][0]["digest"])')
	ok skopeo copy -q --src-tls-verify=false "docker://$plain/$repo@$artifact" "dir:$PWD/copy"
	ok grep -l '"spdxVersion":"SPDX-2.3"' copy/*
}

test_each_platform_brings_its_own() {
	command -v aarch64-linux-gnu-gcc >/dev/null || skip 'no compiler for arm64'
	mkdir many
	echo 'int main(void) { return 0; }' >many/many.c
	# shellcheck disable=SC2016  # make expands it
	printf 'many: many.c\n\t$(CC) -o many many.c\ninstall: many\n\tinstall -D many $(DESTDIR)/usr/bin/many\n' >many/Makefile
	ok "$MSCTL" build -q --platform linux/amd64,linux/arm64 -t "$plain/$repo:1" many
	ok "$MSCTL" push "$plain/$repo:1"
	local index arch digest
	index=$(image_digest "$plain/$repo:1")
	for arch in amd64 arm64; do
		digest=$(jq -er ".manifests[] | select(.platform.architecture == \"$arch\").digest" "$(blob "$index")")
		referrers "$repo" >$arch.json || problem "nothing refers to the image for $arch"
		same 'application/spdx+json application/vnd.cyclonedx+json application/vnd.in-toto+json' \
			"$(jq -r '[.manifests[].artifactType | select(contains("reasons") | not)] | sort | join(" ")' $arch.json)" "$arch"
	done
	differ "$(jq -c '[.manifests[].digest]' amd64.json)" "$(jq -c '[.manifests[].digest]' arm64.json)" referrers
	digest=$index
	! referrers "$repo" >/dev/null || problem 'the index has documents that are its images'\'
}
