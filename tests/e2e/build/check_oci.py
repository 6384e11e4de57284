"""Check every document of an image layout against the JSON schemas of the OCI image specification,
and what the schemas cannot say: digests, sizes, diff_ids, history, the types of artifacts.

usage: check_oci.py LAYOUT      prints what was checked, or what is wrong and ends with 3
"""
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys

import jsonschema

SCHEMAS = pathlib.Path("/usr/share/gocode/src/github.com/opencontainers/image-spec/schema")
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def without_ids(node):
    """Relative references are meant against the file, not against the ids in it."""
    if isinstance(node, dict):
        return {k: without_ids(v) for k, v in node.items()
                if not (k == "id" and isinstance(v, str))}
    if isinstance(node, list):
        return [without_ids(v) for v in node]
    return node


STORE = {f"http://schemas/{p.name}": without_ids(json.loads(p.read_text())) for p in SCHEMAS.glob("*.json")}


def fail(text):
    print(f"{sys.argv[1]}: {text}")
    sys.exit(3)


def unique(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        fail(f"a key stands twice: {[k for k, _ in pairs]}")
    return found


def check(document, schema, name):
    uri = f"http://schemas/{schema}"
    resolver = jsonschema.RefResolver(uri, STORE[uri], store=STORE)
    for error in jsonschema.Draft4Validator(STORE[uri], resolver=resolver).iter_errors(document):
        fail(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message}")


class Layout:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.seen = set()
        self.counts = {}

    def count(self, kind):
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def document(self, data, schema, name):
        found = json.loads(data, object_pairs_hook=unique)
        check(found, schema, name)
        return found

    def blob(self, d, name):
        check(d, "content-descriptor.json", name)
        algorithm, _, encoded = d["digest"].partition(":")
        path = self.path / "blobs" / algorithm / encoded
        if not path.is_file():
            fail(f"{name}: {d['digest']} is not there")
        data = path.read_bytes()
        if len(data) != d["size"]:
            fail(f"{name}: {d['digest']} has {len(data)} bytes, not {d['size']}")
        if hashlib.sha256(data).hexdigest() != encoded:
            fail(f"{name}: {d['digest']} has another digest")
        return data

    def entry(self, d, name):
        data = self.blob(d, name)
        if d["digest"] in self.seen:
            return
        self.seen.add(d["digest"])
        if d["mediaType"] == INDEX:
            self.index(data, d["digest"])
        elif d["mediaType"] == MANIFEST:
            self.manifest(data, d["digest"])
        else:
            fail(f"{name}: an entry of type {d['mediaType']}")

    def index(self, data, name):
        index = self.document(data, "image-index-schema.json", name)
        if index.get("mediaType", INDEX) != INDEX:
            fail(f"{name}: mediaType is {index['mediaType']}")
        self.count("index")
        for d in index["manifests"]:
            self.entry(d, name)

    def manifest(self, data, name):
        manifest = self.document(data, "image-manifest-schema.json", name)
        if manifest.get("mediaType") != MANIFEST:
            fail(f"{name}: mediaType is {manifest.get('mediaType')}")
        config = self.blob(manifest["config"], name)
        layers = [(d, self.blob(d, name)) for d in manifest["layers"]]
        if manifest["config"]["mediaType"] == CONFIG:
            self.image(self.document(config, "config-schema.json", manifest["config"]["digest"]),
                       layers, manifest["config"]["digest"])
            return
        self.count("artifact")
        if manifest["config"]["mediaType"] == EMPTY and config != b"{}":
            fail(f"{name}: the empty configuration is {config!r}")
        if not manifest.get("artifactType"):
            fail(f"{name}: an artifact without a type")
        if "subject" in manifest:
            self.blob(manifest["subject"], name)

    def image(self, config, layers, name):
        self.count("image")
        if "created" in config:
            datetime.datetime.fromisoformat(config["created"].replace("Z", "+00:00"))
        diff_ids = config["rootfs"]["diff_ids"]
        if len(diff_ids) != len(layers):
            fail(f"{name}: {len(diff_ids)} diff_ids of {len(layers)} layers")
        history = config.get("history")
        if history is not None and len([h for h in history if not h.get("empty_layer")]) != len(layers):
            fail(f"{name}: the history is not that of {len(layers)} layers")
        for diff_id, (d, data) in zip(diff_ids, layers):
            self.count("layer")
            if unpack(d["mediaType"], data, name) != diff_id:
                fail(f"{name}: {d['digest']} does not unpack to {diff_id}")


def unpack(media_type, data, name):
    command = {LAYER: ["cat"], LAYER + "+gzip": ["gzip", "-dc"], LAYER + "+zstd": ["zstd", "-dcq"]}
    if media_type not in command:
        fail(f"{name}: a layer of type {media_type}")
    done = subprocess.run(command[media_type], input=data, stdout=subprocess.PIPE, check=True)
    return "sha256:" + hashlib.sha256(done.stdout).hexdigest()


def main():
    layout = Layout(sys.argv[1])
    layout.document((layout.path / "oci-layout").read_bytes(), "image-layout-schema.json", "oci-layout")
    layout.index((layout.path / "index.json").read_bytes(), "index.json")
    print(" ".join(f"{k}={v}" for k, v in sorted(layout.counts.items())))


main()
