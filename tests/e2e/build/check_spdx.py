"""check_spdx.py DOCUMENT [NAMES]: is it an SPDX 2.3 document in JSON?

The rules are those of the specification and of its JSON schema (draft-07, spdx-schema 2.3): which
keys there are, which are needed, their types, the words that are allowed; and what a schema cannot
say: that names are unique and lead somewhere, that verification codes are right. NAMES: the JSON
schema of CycloneDX that lists SPDX's licences.
"""
import hashlib
import json
import re
import sys

HEX = {"SHA1": 40, "SHA224": 56, "SHA256": 64, "SHA384": 96, "SHA512": 128, "SHA3-256": 64, "SHA3-384": 96,
       "SHA3-512": 128, "BLAKE2b-256": 64, "BLAKE2b-384": 96, "BLAKE2b-512": 128, "BLAKE3": None, "MD2": 32,
       "MD4": 32, "MD5": 32, "MD6": None, "ADLER32": 8}
RELATIONS = set("""VARIANT_OF COPY_OF PATCH_FOR TEST_DEPENDENCY_OF CONTAINED_BY DATA_FILE_OF
    OPTIONAL_COMPONENT_OF ANCESTOR_OF GENERATES CONTAINS OPTIONAL_DEPENDENCY_OF FILE_ADDED
    REQUIREMENT_DESCRIPTION_FOR DEV_DEPENDENCY_OF DEPENDENCY_OF BUILD_DEPENDENCY_OF DESCRIBES
    PREREQUISITE_FOR HAS_PREREQUISITE PROVIDED_DEPENDENCY_OF DYNAMIC_LINK DESCRIBED_BY METAFILE_OF
    DEPENDENCY_MANIFEST_OF PATCH_APPLIED RUNTIME_DEPENDENCY_OF TEST_OF TEST_TOOL_OF DEPENDS_ON
    SPECIFICATION_FOR FILE_MODIFIED DISTRIBUTION_ARTIFACT AMENDS DOCUMENTATION_OF GENERATED_FROM
    STATIC_LINK OTHER BUILD_TOOL_OF TEST_CASE_OF PACKAGE_OF DESCENDANT_OF FILE_DELETED
    EXPANDED_FROM_ARCHIVE DEV_TOOL_OF EXAMPLE_OF""".split())
PURPOSES = set("""OTHER INSTALL ARCHIVE FIRMWARE APPLICATION FRAMEWORK LIBRARY CONTAINER SOURCE DEVICE
    OPERATING_SYSTEM FILE""".split())
FILE_TYPES = set("OTHER DOCUMENTATION IMAGE VIDEO ARCHIVE SPDX APPLICATION SOURCE BINARY TEXT AUDIO".split())

TEXT, BOOL, TEXTS = "text", "bool", "texts"


def one_of(words):
    return lambda v: isinstance(v, str) and v in words


# object -> (key -> type, a nested object's name in brackets for a list of them; the keys it needs)
SHAPES = {
    "document": ({"SPDXID": TEXT, "annotations": ["annotation"], "comment": TEXT, "creationInfo": "creation",
                  "dataLicense": TEXT, "externalDocumentRefs": ["external document"],
                  "hasExtractedLicensingInfos": ["licence"], "name": TEXT, "revieweds": ["review"],
                  "spdxVersion": TEXT, "documentNamespace": TEXT, "documentDescribes": TEXTS,
                  "packages": ["package"], "files": ["file"], "snippets": ["snippet"],
                  "relationships": ["relationship"]},
                 {"SPDXID", "creationInfo", "dataLicense", "name", "spdxVersion", "documentNamespace"}),
    "creation": ({"comment": TEXT, "created": TEXT, "creators": TEXTS, "licenseListVersion": TEXT},
                 {"created", "creators"}),
    "annotation": ({"annotationDate": TEXT, "annotationType": one_of({"OTHER", "REVIEW"}), "annotator": TEXT,
                    "comment": TEXT}, {"annotationDate", "annotationType", "annotator", "comment"}),
    "external document": ({"checksum": "checksum", "externalDocumentId": TEXT, "spdxDocument": TEXT},
                          {"checksum", "externalDocumentId", "spdxDocument"}),
    "licence": ({"comment": TEXT, "extractedText": TEXT, "licenseId": TEXT, "name": TEXT, "seeAlsos": TEXTS},
                {"extractedText", "licenseId"}),
    "review": ({"comment": TEXT, "reviewDate": TEXT, "reviewer": TEXT}, {"reviewDate"}),
    "checksum": ({"algorithm": one_of(HEX), "checksumValue": TEXT}, {"algorithm", "checksumValue"}),
    "package": ({"SPDXID": TEXT, "annotations": ["annotation"], "attributionTexts": TEXTS, "builtDate": TEXT,
                 "checksums": ["checksum"], "comment": TEXT, "copyrightText": TEXT, "description": TEXT,
                 "downloadLocation": TEXT, "externalRefs": ["external"], "filesAnalyzed": BOOL, "hasFiles": TEXTS,
                 "homepage": TEXT, "licenseComments": TEXT, "licenseConcluded": TEXT, "licenseDeclared": TEXT,
                 "licenseInfoFromFiles": TEXTS, "name": TEXT, "originator": TEXT, "packageFileName": TEXT,
                 "packageVerificationCode": "code", "primaryPackagePurpose": one_of(PURPOSES),
                 "releaseDate": TEXT, "sourceInfo": TEXT, "summary": TEXT, "supplier": TEXT,
                 "validUntilDate": TEXT, "versionInfo": TEXT}, {"SPDXID", "downloadLocation", "name"}),
    "external": ({"comment": TEXT,
                  "referenceCategory": one_of({"OTHER", "PERSISTENT-ID", "SECURITY", "PACKAGE-MANAGER"}),
                  "referenceLocator": TEXT, "referenceType": TEXT},
                 {"referenceCategory", "referenceLocator", "referenceType"}),
    "code": ({"packageVerificationCodeExcludedFiles": TEXTS, "packageVerificationCodeValue": TEXT},
             {"packageVerificationCodeValue"}),
    "file": ({"SPDXID": TEXT, "annotations": ["annotation"], "attributionTexts": TEXTS, "checksums": ["checksum"],
              "comment": TEXT, "copyrightText": TEXT, "fileContributors": TEXTS, "fileName": TEXT,
              "fileTypes": lambda v: isinstance(v, list) and set(v) <= FILE_TYPES, "licenseComments": TEXT,
              "licenseConcluded": TEXT, "licenseInfoInFiles": TEXTS, "noticeText": TEXT},
             {"SPDXID", "checksums", "fileName"}),
    "snippet": ({"SPDXID": TEXT, "snippetFromFile": TEXT}, {"SPDXID", "snippetFromFile", "ranges"}),
    "relationship": ({"spdxElementId": TEXT, "comment": TEXT, "relatedSpdxElement": TEXT,
                      "relationshipType": one_of(RELATIONS)},
                     {"spdxElementId", "relatedSpdxElement", "relationshipType"}),
}

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


def check_value(where, kind, value):
    if callable(kind):
        if not kind(value):
            fault(where, f"{value!r} is not allowed")
    elif isinstance(kind, list):
        if not isinstance(value, list):
            return fault(where, "is no array")
        for i, v in enumerate(value):
            check_shape(f"{where}[{i}]", kind[0], v)
    elif kind in SHAPES:
        check_shape(where, kind, value)
    elif kind == TEXTS:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            fault(where, "is no array of texts")
    elif not isinstance(value, {TEXT: str, BOOL: bool}[kind]):
        fault(where, f"is no {kind}")


def check_shape(where, shape, value):
    keys, needed = SHAPES[shape]
    if not isinstance(value, dict):
        return fault(where, "is no object")
    for key in needed - set(value):
        fault(where, f"has no {key}")
    for key, v in value.items():
        if key not in keys:
            fault(where, f"{key} is unknown")
        else:
            check_value(f"{where}.{key}", keys[key], v)
    if shape == "checksum":
        length = HEX.get(value.get("algorithm"))
        if not re.fullmatch("[0-9a-f]{%s}" % (length or "1,"), str(value.get("checksumValue"))):
            fault(where, "the checksum is malformed")


def licence_words(names):
    """All of SPDX's names, those of exceptions among them; None when nobody gave a list."""
    return None if names is None else {n.lower() for n in json.load(open(names))["enum"]}


def check_expression(where, text, names):
    if text in ("NONE", "NOASSERTION"):
        return
    words = re.findall(r"\(|\)|[^\s()]+", text)
    depth, want_name = 0, True
    for w in words:
        if want_name and w == "(":
            depth += 1
        elif want_name and re.fullmatch(r"(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+", w):
            fault(where, f"{w} has no text in the document")
            want_name = False
        elif want_name and re.fullmatch(r"[A-Za-z0-9.-]+\+?", w) and w not in ("AND", "OR", "WITH"):
            if names is not None and w.rstrip("+").lower() not in names:
                fault(where, f"{w} is no licence of SPDX")
            want_name = False
        elif not want_name and w in ("AND", "OR", "WITH"):
            want_name = True
        elif not want_name and w == ")" and depth > 0:
            depth -= 1
        else:
            return fault(where, f"{text!r} is no licence expression")
    if want_name or depth:
        fault(where, f"{text!r} is no licence expression")


def check_date(where, text):
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(text)):
        fault(where, f"{text!r} is no date")


def check_package(where, p, files, names):
    for key in ("supplier", "originator"):
        if not re.fullmatch(r"NOASSERTION|(Person|Organization): [^()]+( \(.*\))?", p.get(key, "NOASSERTION")):
            fault(f"{where}.{key}", f"{p[key]!r} is neither person nor organization")
    for key in ("licenseConcluded", "licenseDeclared"):
        check_expression(f"{where}.{key}", p.get(key, "NOASSERTION"), names)
    if not re.fullmatch(r"NONE|NOASSERTION|((git|hg|svn|bzr)\+)?[a-z][a-z0-9+.-]*://[^\s@]+(@[^\s@]+)?(#\S+)?",
                        p.get("downloadLocation", "")):
        fault(f"{where}.downloadLocation", f"{p.get('downloadLocation')!r} is no location")
    for r in p.get("externalRefs", []):
        if r.get("referenceType") == "purl" and not re.fullmatch(r"pkg:[a-z]+/\S+", r.get("referenceLocator", "")):
            fault(f"{where}.externalRefs", f"{r.get('referenceLocator')!r} is no package URL")
        if re.search(r"\s", r.get("referenceLocator", "")):
            fault(f"{where}.externalRefs", "the locator has white space")
    code = p.get("packageVerificationCode", {}).get("packageVerificationCodeValue")
    if p.get("filesAnalyzed", True):
        sums = sorted(c["checksumValue"] for f in files for c in f["checksums"] if c["algorithm"] == "SHA1")
        if code != hashlib.sha1("".join(sums).encode()).hexdigest():
            fault(f"{where}.packageVerificationCode", f"{code!r} is not that of its files")
    elif code or files or p.get("hasFiles"):
        fault(where, "files that were not analyzed")


def check_references(d, ids):
    if len(ids) != len(set(ids)):
        fault("SPDXID", "two have the same")
    for i in ids:
        if not re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i):
            fault("SPDXID", f"{i!r} is none")
    described = set(d.get("documentDescribes", []))
    for n, r in enumerate(d.get("relationships", [])):
        for key in ("spdxElementId", "relatedSpdxElement"):
            if r.get(key) not in ids and not (key[0] == "r" and r.get(key) in ("NONE", "NOASSERTION")):
                fault(f"relationships[{n}].{key}", f"{r.get(key)!r} leads nowhere")
        if r.get("spdxElementId") == "SPDXRef-DOCUMENT" and r.get("relationshipType") == "DESCRIBES":
            described.add(r["relatedSpdxElement"])
    if not described:
        fault("relationships", "the document describes nothing")


def check(d, names=None):
    """The faults of a document, as texts."""
    faults.clear()
    check_shape("document", "document", d)
    if faults:
        return list(faults)
    for key, want in (("spdxVersion", "SPDX-2.3"), ("dataLicense", "CC0-1.0"), ("SPDXID", "SPDXRef-DOCUMENT")):
        if d[key] != want:
            fault(key, f"{d[key]!r} is not {want}")
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*:[^\s#]+", d["documentNamespace"]):
        fault("documentNamespace", "is no URI without a fragment")
    check_date("creationInfo.created", d["creationInfo"]["created"])
    creators = d["creationInfo"]["creators"]
    if not creators or not all(re.fullmatch(r"(Person|Organization|Tool): \S.*", c) for c in creators):
        fault("creationInfo.creators", f"{creators!r}")
    packages, files = d.get("packages", []), d.get("files", [])
    check_references(d, [x["SPDXID"] for x in packages + files] + [d["SPDXID"]])
    by_id = {f["SPDXID"]: f for f in files}
    contains = {}
    for r in d.get("relationships", []):
        if r["relationshipType"] == "CONTAINS" and r["relatedSpdxElement"] in by_id:
            contains.setdefault(r["spdxElementId"], []).append(by_id[r["relatedSpdxElement"]])
    for i, p in enumerate(packages):
        check_package(f"packages[{i}]", p, contains.get(p["SPDXID"], []), names)
    for i, f in enumerate(files):
        if not f["fileName"].startswith("./"):
            fault(f"files[{i}].fileName", f"{f['fileName']!r} does not begin with ./")
        if "SHA1" not in {c["algorithm"] for c in f["checksums"]}:
            fault(f"files[{i}].checksums", "there is no SHA1")
        check_expression(f"files[{i}].licenseConcluded", f.get("licenseConcluded", "NOASSERTION"), names)
    if sum(map(len, contains.values())) != len(files):
        fault("files", "each should be of one package")
    return list(faults)


if __name__ == "__main__":
    found = check(json.load(open(sys.argv[1])), licence_words(sys.argv[2] if len(sys.argv) > 2 else None))
    print(*found[:20], sep="\n", end="\n" if found else "")
    sys.exit(bool(found))
