"""check_cyclonedx.py SCHEMAS DOCUMENT: does CycloneDX's own JSON schema, version 1.5, accept it? And what
the schema cannot say: references are unique and lead somewhere."""
import json
import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # newer releases resolve references in another way
import jsonschema


def check(folder, d):
    """The faults of a document, as texts."""
    schemas = {n: json.load(open(f"{folder}/{n}.SNAPSHOT.schema.json")) for n in ("bom-1.5", "spdx", "jsf-0.82")}
    known = {}
    for name, schema in schemas.items():
        for key in (schema["$id"], f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json"):
            known[key] = schema
    bom = schemas["bom-1.5"]
    resolver = jsonschema.RefResolver(bom["$id"], bom, store=known)
    validator = jsonschema.Draft7Validator(bom, resolver=resolver, format_checker=jsonschema.FormatChecker())
    faults = [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator.iter_errors(d)]
    refs = []

    def walk(c):
        refs.extend([c["bom-ref"]] if "bom-ref" in c else [])
        for x in c.get("components", []):
            walk(x)

    walk(d)
    walk(d.get("metadata", {}).get("component", {}))
    if len(refs) != len(set(refs)):
        faults.append("bom-ref: two have the same")
    for x in d.get("dependencies", []):
        for ref in [x.get("ref"), *x.get("dependsOn", [])]:
            if ref not in refs:
                faults.append(f"dependencies: {ref} leads nowhere")
    return faults


if __name__ == "__main__":
    found = check(sys.argv[1], json.load(open(sys.argv[2])))
    print(*found[:20], sep="\n", end="\n" if found else "")
    sys.exit(bool(found))
