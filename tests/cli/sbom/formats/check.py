"""Both documents agree with each other, with the files and with what dpkg says."""
import hashlib, json, re, subprocess, sys

spdx, cdx = json.load(open("spdx.json")), json.load(open("cyclonedx.json"))

# the shape that the schemas of SPDX 2.3 and CycloneDX 1.5 ask for
PACKAGE = {"SPDXID", "name", "downloadLocation", "copyrightText", "licenseConcluded", "licenseDeclared",
           "licenseComments", "supplier", "filesAnalyzed", "externalRefs", "versionInfo", "checksums",
           "primaryPackagePurpose", "packageVerificationCode", "sourceInfo"}
FILE = {"SPDXID", "fileName", "checksums", "licenseConcluded", "copyrightText"}
COMPONENT = {"type", "bom-ref", "name", "version", "purl", "hashes", "licenses", "supplier", "properties",
             "externalReferences", "components", "pedigree"}
assert spdx["spdxVersion"] == "SPDX-2.3" and spdx["dataLicense"] == "CC0-1.0"
ids = [x["SPDXID"] for x in spdx["packages"] + spdx["files"]] + [spdx["SPDXID"]]
assert len(ids) == len(set(ids)) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids)
assert all(set(p) <= PACKAGE and {"SPDXID", "name", "downloadLocation"} <= set(p) for p in spdx["packages"])
assert all(set(f) == FILE for f in spdx["files"])
related = spdx["relationships"]
assert all(r["spdxElementId"] in ids and r["relatedSpdxElement"] in ids for r in related)
assert cdx["bomFormat"] == "CycloneDX" and cdx["specVersion"] == "1.5"
assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", cdx["serialNumber"])
parts = cdx["components"]
assert all(set(c) <= COMPONENT and {"type", "name"} <= set(c) for p in parts for c in [p, *p["components"]])
refs = [c["bom-ref"] for p in parts for c in [p, *p["components"]]]
assert len(refs) == len(set(refs)) and set(cdx["dependencies"][0]["dependsOn"]) <= set(refs)

def sums(item, key, name, value):
    return {h[name].replace("-", ""): h[value] for h in item[key]}

# path -> (package, checksums), by each of them
package = {p["SPDXID"]: p for p in spdx["packages"]}
owner = {r["relatedSpdxElement"]: package[r["spdxElementId"]] for r in related
         if r["relationshipType"] == "CONTAINS" and r["spdxElementId"] != "SPDXRef-Image"}
a = {f["fileName"][1:]: (owner[f["SPDXID"]]["name"], sums(f, "checksums", "algorithm", "checksumValue"))
     for f in spdx["files"]}
b = {f["name"]: (p["name"], sums(f, "hashes", "alg", "content")) for p in parts for f in p["components"]}
assert a == b
for p in spdx["packages"]:
    mine = sorted(f["checksums"][0]["checksumValue"] for f in spdx["files"] if owner[f["SPDXID"]] is p)
    assert p["filesAnalyzed"] == bool(mine)
    if mine:
        assert p["packageVerificationCode"]["packageVerificationCodeValue"] == \
            hashlib.sha1("".join(mine).encode()).hexdigest()

def check(path, file, name):
    data = open(file, "rb").read()
    assert a[path] == (name, {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest()})

check("/usr/bin/hello", sys.argv[1], "hello")
check("/srv/data/some", sys.argv[2], "hello")
libc = next(p for p in a if p.endswith("/libc.so.6"))
check(libc, libc, "libc6")
says = subprocess.run(["dpkg-query", "-W", "-f", "${Version}\n", "libc6"], capture_output=True, text=True).stdout.split()
assert next(p for p in spdx["packages"] if p["name"] == "libc6")["versionInfo"] in says
print(sorted(a.keys() - {libc, *(p for p in a if "ld-linux" in p)}))
