"""check_statement.py DOCUMENT: is it an in-toto statement (attestation framework, v1) with SLSA's
provenance (slsa.dev/provenance/v1)? The rules are those of the two specifications: fields, their
types, which are needed; fields that they do not name are faults."""
import json
import re
import sys

LENGTHS = {"sha256": 64, "sha512": 128, "sha1": 40, "gitCommit": (40, 64)}
RESOURCE = {"name": str, "uri": str, "digest": dict, "content": str, "downloadLocation": str, "mediaType": str,
            "annotations": dict}
faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


def keys(where, value, known, needed):
    """known: key -> type."""
    if not isinstance(value, dict):
        fault(where, "is no object")
        return False
    for k in set(needed) - set(value):
        fault(where, f"has no {k}")
    for k, v in value.items():
        if k not in known:
            fault(where, f"{k} is unknown")
        elif not isinstance(v, known[k]):
            fault(f"{where}.{k}", f"{v!r} has another type")
    return True


def uri(where, text):
    # RFC 3986, 3: scheme, and only characters of URIs behind it
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", str(text)):
        fault(where, f"{text!r} is no URI")


def digest(where, value):
    if not isinstance(value, dict) or not value:
        return fault(where, "is no set of digests")
    for name, hexes in value.items():
        want = LENGTHS.get(name)
        if not isinstance(hexes, str) or not re.fullmatch("[0-9a-f]+", hexes):
            fault(f"{where}.{name}", f"{hexes!r} is no digest")
        elif want and len(hexes) not in (want if isinstance(want, tuple) else (want,)):
            fault(f"{where}.{name}", "has another length")


def resource(where, value):
    if not keys(where, value, RESOURCE, []):
        return
    if not {"uri", "digest", "content"} & set(value):
        fault(where, "has neither uri nor digest nor content")
    if "uri" in value:
        uri(f"{where}.uri", value["uri"])
    if "digest" in value:
        digest(f"{where}.digest", value["digest"])


def check(d):
    """The faults of a statement, as texts."""
    faults.clear()
    if not keys("statement", d, {"_type": str, "subject": list, "predicateType": str, "predicate": dict},
                ["_type", "subject", "predicateType", "predicate"]) or faults:
        return list(faults)
    if d["_type"] != "https://in-toto.io/Statement/v1":
        fault("_type", d["_type"])
    if d["predicateType"] != "https://slsa.dev/provenance/v1":
        fault("predicateType", d["predicateType"])
    if not d["subject"]:
        fault("subject", "is empty")
    for i, s in enumerate(d["subject"]):
        resource(f"subject[{i}]", s)
        if "digest" not in s:
            fault(f"subject[{i}]", "has no digest")
    p = d["predicate"]
    keys("predicate", p, {"buildDefinition": dict, "runDetails": dict}, ["buildDefinition", "runDetails"])
    b, r = p.get("buildDefinition", {}), p.get("runDetails", {})
    keys("buildDefinition", b, {"buildType": str, "externalParameters": dict, "internalParameters": dict,
                                "resolvedDependencies": list}, ["buildType", "externalParameters"])
    uri("buildType", b.get("buildType"))
    for i, x in enumerate(b.get("resolvedDependencies", [])):
        resource(f"resolvedDependencies[{i}]", x)
    keys("runDetails", r, {"builder": dict, "metadata": dict, "byproducts": list}, ["builder"])
    builder = r.get("builder", {})
    keys("builder", builder, {"id": str, "builderDependencies": list, "version": dict}, ["id"])
    uri("builder.id", builder.get("id"))
    if not all(isinstance(v, str) for v in builder.get("version", {}).values()):
        fault("builder.version", "is no map of texts")
    keys("metadata", r.get("metadata", {}), {"invocationId": str, "startedOn": str, "finishedOn": str}, [])
    return list(faults)


if __name__ == "__main__":
    found = check(json.load(open(sys.argv[1])))
    print(*found[:20], sep="\n", end="\n" if found else "")
    sys.exit(bool(found))
