# shellcheck shell=bash
# What an image says of itself: SBOMs, provenance, annotations. Their forms are judged by CycloneDX's
# schema and by the rules of SPDX 2.3, in-toto and SLSA.
# limit: 120

checks=$E2E/build

documents_of() { # documents_of REFERENCE [OPTION...]: spdx.json, cyclonedx.json, provenance.json
	local format
	for format in spdx cyclonedx provenance; do
		ok "$MSCTL" sbom "$@" --format "$format"
		cp "$out" "$format.json"
	done
}

check_documents() { # check_documents: the three files that documents_of wrote
	local schemas
	schemas=$("$TESTS_ENV/schemas") || skip 'the schemas cannot be fetched'
	ok python3 "$checks/check_spdx.py" spdx.json "$schemas/spdx.SNAPSHOT.schema.json"
	# Debian's python has Debian's jsonschema
	ok /usr/bin/python3 "$checks/check_cyclonedx.py" "$schemas" cyclonedx.json
	ok python3 "$checks/check_statement.py" provenance.json
}

value() { jq -er "$1" "$2"; } # value FILTER FILE

commit_all() { # commit_all DIR
	git -C "$1" add -A
	git -C "$1" -c user.name=a -c user.email=a@example.org commit -qm one --date=2024-01-02T03:04:05Z
}

manifest_of() { cat "$(blob "$(image_digest "$1")")"; } # manifest_of REFERENCE

test_documents_pass_their_schemas() {
	hello_project hello
	mkdir hello/data
	echo a >"hello/data/with space & <signs>"
	echo b >"hello/data/grüß"
	echo c >"$(printf 'hello/data/odd\377')"
	sed -i 's|copy: {hello: /usr/bin/hello}|copy: {hello: /usr/bin/hello, data: /srv/data}\n  certificates: true\n  timezones: true|' hello/msctl.yaml
	echo 'license: Apache-2.0 OR MIT' >>hello/msctl.yaml
	git -C hello init -q
	git -C hello remote add origin git@git.example:shop/hello.git
	commit_all hello
	ok "$MSCTL" build -q hello
	documents_of hello:1
	check_documents
	# one row a file, each with its package
	same "$(unpack_image hello:1 tree && find tree -type f | wc -l)" "$(value '.files | length' spdx.json)" rows
	same "$(value '.files | length' spdx.json)" \
		"$(value '[.components[].components[]?] | length' cyclonedx.json)" 'rows of both'
	same 'Apache-2.0 OR MIT' "$(value '.packages[] | select(.primaryPackagePurpose == "APPLICATION").licenseDeclared' spdx.json)"
	same "$(dpkg-query -W -f '${Version}' zlib1g)" "$(value '.packages[] | select(.name == "zlib1g").versionInfo' spdx.json)"
}

# dpkg lists files by names of before and after the merge of /usr: a look by one name alone misses three of four.
test_every_library_has_its_package() {
	mkdir many
	cp "$(command -v curl)" "$(command -v git)" many/
	printf 'apiVersion: msctl/v1\nname: many\nversion: "1"\nbuild:\n  copy: {git: /usr/bin/git, curl: /usr/bin/curl}\n' >many/msctl.yaml
	ok "$MSCTL" build -q many
	documents_of many:1
	check_documents
	same '' "$(jq -r '.packages[] | select(.sourceInfo // "" | contains("no package owns")).name' spdx.json)" 'files without a package'
	[ "$(grep -c . <<<"$(jq -r '.files[].fileName' spdx.json)")" -gt 25 ] || problem 'so few libraries?'
	# what dpkg says of each
	jq -r '.packages[] | select(.externalRefs // [] | .[0].referenceLocator // "" | startswith("pkg:deb/"))
		| "\(.name) \(.versionInfo)"' spdx.json | sort >told
	dpkg-query -W -f '${Package} ${Version}\n' | sort -u >known
	same '' "$(comm -23 told known)" 'packages that dpkg does not know so'
	[ -s told ]
}

test_an_image_on_a_base() {
	build_hello docker.io/fake:1
	cp -r hello next
	sed -i 's/name: hello/name: next/; s/^build:/build:\n  base: docker.io\/fake:1/' next/msctl.yaml
	ok "$MSCTL" build -q next
	documents_of next:1
	check_documents
	local base name=docker.io/library/fake:1
	base=$(image_digest $name)
	manifest_of next:1 >manifest.json
	same $name "$(value '.annotations["org.opencontainers.image.base.name"]' manifest.json)"
	same "$base" "$(value '.annotations["org.opencontainers.image.base.digest"]' manifest.json)"
	same "${base#*:}" "$(value '.predicate.buildDefinition.resolvedDependencies[]
		| select(.annotations.role == "base").digest.sha256' provenance.json)"
	same "${base#*:}" "$(value '.packages[] | select(.SPDXID == "SPDXRef-Base").checksums[0].checksumValue' spdx.json)"
	# the base's own libraries have no rows here
	! grep -q 'libc.so.6' spdx.json || problem 'a file of the base has a row'
}

test_a_base_tells_its_packages() {
	local db
	hello_project hello
	for db in status status.d; do
		mkdir -p base/root/{lib/dpkg,doc/libq1,lib/os}
		printf 'Package: libq1\nArchitecture: amd64\nVersion: 1.0-1\nSource: q\nMaintainer: A <a@example.org>\n' >base/root/one
		[ $db = status.d ] || echo 'Status: install ok installed' >>base/root/one
		case $db in
		status) mv base/root/one base/root/lib/dpkg/status ;;
		status.d) mkdir base/root/lib/dpkg/status.d && mv base/root/one base/root/lib/dpkg/status.d/libq1 ;;
		esac
		printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Expat\n' \
			>base/root/doc/libq1/copyright
		printf 'ID=other\nVERSION_ID="9"\n' >base/root/lib/os/os-release
		cp -r hello/. base/
		cat >>base/msctl.yaml <<-X
			  libraries: false
		X
		sed -i 's|name: hello|name: base|; s|copy: {|copy: {root/lib/dpkg: /var/lib/dpkg, root/doc: /usr/share/doc, root/lib/os: /usr/lib, |' base/msctl.yaml
		ok "$MSCTL" build -q base
		cp -r hello next
		sed -i 's/^build:/build:\n  base: base:1/' next/msctl.yaml
		ok "$MSCTL" build -q next
		documents_of hello:1
		check_documents
		same 'MIT pkg:deb/other/libq1@1.0-1?arch=amd64&distro=other-9' "$(value '.packages[] | select(.name == "libq1")
			| "\(.licenseDeclared) \(.externalRefs[0].referenceLocator)"' spdx.json)" "package of $db"
		# again, as it is remembered
		cp spdx.json first.json
		echo '// other' >>next/hello.c && sed -i 's/-O2/-O1/' next/Makefile
		ok "$MSCTL" build -q next
		documents_of hello:1
		same "$(jq -c '[.packages[] | select(.name == "libq1")]' first.json)" "$(jq -c '[.packages[] | select(.name == "libq1")]' spdx.json)"
		! grep -q libq1 provenance.json || problem 'the base is a dependency, its packages are its own matter'
		rm -r base next
	done
}

test_standard_annotations() {
	hello_project hello
	sed -i 's/^build:/license: MIT\nbuild:\n  labels: {team: shop, org.opencontainers.image.title: Hello}/' hello/msctl.yaml
	git -C hello init -q
	git -C hello remote add origin ssh://git:secret@git.example:2222/shop/hello.git
	commit_all hello
	ok "$MSCTL" build -q hello
	manifest_of hello:1 >manifest.json
	local config commit
	commit=$(git -C hello rev-parse HEAD)
	config=$(blob "$(value .config.digest manifest.json)")
	same "$(printf '%s\n' "created=$(TZ=UTC git -C hello log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)" \
		licenses=MIT "revision=$commit" source=https://git.example/shop/hello title=hello version=1)" \
		"$(value '.annotations | to_entries[] | "\(.key | ltrimstr("org.opencontainers.image."))=\(.value)"' manifest.json | sort)"
	# labels are the same, but for what the project writes
	same "$(jq -S '.annotations + {"org.opencontainers.image.title": "Hello", "team": "shop"}' manifest.json)" \
		"$(jq -S .config.Labels "$config")" labels
}

test_provenance_tells_how() {
	hello_project hello
	git -C hello init -q
	git -C hello remote add origin https://me:secret@git.example/shop/hello.git
	commit_all hello
	ok "$MSCTL" build -q hello
	documents_of hello:1
	local commit yaml image
	commit=$(git -C hello rev-parse HEAD) yaml=$(sha256sum <hello/msctl.yaml | cut -d' ' -f1)
	image=$(image_digest hello:1)
	same "${image#*:}" "$(value '.subject[0].digest.sha256' provenance.json)" subject
	jq .predicate.buildDefinition provenance.json >b.json
	same "git+https://git.example/shop/hello@$commit $commit $yaml linux" \
		"$(value '.externalParameters | "\(.source.uri) \(.source.digest.gitCommit) \(.configuration.digest.sha256) \(.platform | split("/")[0])"' b.json)"
	same '["make -s"]' "$(jq -c .externalParameters.steps b.json)" steps
	same "$(git -C hello log -1 --format=%ct)" "$(value '.internalParameters.SOURCE_DATE_EPOCH' b.json)" time
	same "$commit" "$(value '.resolvedDependencies[] | select(.annotations.role == "source").digest.gitCommit' b.json)"
	value '.resolvedDependencies[].uri' b.json | grep -q "^pkg:deb/.*/zlib1g@" || problem 'no zlib1g'
	same "$(dpkg-query -W -f '${Package}\n' "$(dpkg -S "$(realpath /usr/bin/cc)" | cut -d: -f1)")" \
		"$(value '.resolvedDependencies[] | select(.annotations.role == "compiler").name' b.json)" compiler
	value '.externalParameters.source | has("dirty")' b.json >/dev/null || problem 'no word of changes'
	# changes that are not committed
	echo '// more' >>hello/hello.c
	ok "$MSCTL" build -q hello
	ok "$MSCTL" sbom hello:1 --format provenance
	same true "$(value '.predicate.buildDefinition.externalParameters.source.dirty' "$out")" dirty
}

test_nothing_secret_is_told() {
	hello_project hello
	# shellcheck disable=SC2016  # the step's shell expands it
	sed -i 's|steps: .*|steps: ["make -s", "echo https://user:hunter2@files.example/x?y >/dev/null", "echo $API_TOKEN >/dev/null"]|' hello/msctl.yaml
	git -C hello init -q
	git -C hello remote add origin https://me:hunter2@git.example/shop/hello.git
	commit_all hello
	API_TOKEN=hunter2 BUILD_URL=https://ci:hunter2@ci.example/7 ok "$MSCTL" build -q hello
	documents_of hello:1
	for file in spdx.json cyclonedx.json provenance.json; do
		! grep -q 'hunter2\|user:\|me:' $file || problem "$file has it"
	done
	! grep -rqa hunter2 "$MSCTL_STORE" || problem 'the store has it'
	same 'https://ci.example/7' "$(value .predicate.runDetails.metadata.invocationId provenance.json)"
	grep -qF 'https://files.example/x?y' provenance.json || problem 'a step is not told'
}

test_a_run_of_ci_is_named() {
	build_hello hello:1
	documents_of hello:1
	value '.predicate.runDetails | has("metadata") | not' provenance.json >/dev/null
	cp spdx.json before.json
	export GITHUB_SERVER_URL=https://hub.example GITHUB_REPOSITORY=shop/hello GITHUB_RUN_ID=12 GITHUB_RUN_ATTEMPT=2
	build_hello hello:1
	documents_of hello:1
	check_documents
	same https://hub.example/shop/hello/actions/runs/12/attempts/2 \
		"$(value .predicate.runDetails.metadata.invocationId provenance.json)"
	cmp before.json spdx.json || problem 'what is in it does not depend on who builds'
}

test_the_place_makes_no_difference() {
	hello_project hello
	git -C hello init -q
	commit_all hello
	git clone -q hello "other folder"
	git -C hello remote add origin https://git.example/hello
	git -C "other folder" remote set-url origin git@git.example:hello.git
	ok "$MSCTL" build -q hello
	documents_of hello:1
	mkdir first && mv ./*.json first
	ok "$MSCTL" build -q "other folder"
	documents_of hello:1
	for file in *.json; do cmp "$file" "first/$file" || problem "$file differs"; done
}

test_nothing_changed_reads_no_database() {
	command -v strace >/dev/null || skip 'no strace'
	build_hello hello:1
	ok strace -f -o trace -e trace=openat,open "$MSCTL" build -q -t hello:1 hello
	! grep 'dpkg\|os-release\|share/doc\|cache/msctl/sums' trace || problem 'it did'
}

test_each_platform_has_its_own() {
	command -v aarch64-linux-gnu-gcc >/dev/null || skip 'no compiler for arm64'
	mkdir hello
	echo 'int main(void) { return 0; }' >hello/hello.c
	# shellcheck disable=SC2016  # make expands it
	printf 'hello: hello.c\n\t$(CC) -o hello hello.c\ninstall: hello\n\tinstall -D hello $(DESTDIR)/usr/bin/hello\n' >hello/Makefile
	git -C hello init -q
	commit_all hello
	git -C hello tag 1
	ok "$MSCTL" build -q --platform linux/amd64,linux/arm64 hello
	local arch digest
	manifest_of hello:1 >index.json
	same 'hello 1' "$(value '.annotations | "\(.["org.opencontainers.image.title"]) \(.["org.opencontainers.image.version"])"' index.json)"
	for arch in amd64 arm64; do
		documents_of hello:1 --platform linux/$arch
		check_documents
		digest=$(value ".manifests[] | select(.platform.architecture == \"$arch\").digest" index.json)
		same "${digest#*:}" "$(value '.subject[0].digest.sha256' provenance.json)" "subject of $arch"
		same "linux/$arch" "$(value .predicate.buildDefinition.externalParameters.platform provenance.json)"
		value '.packages[].name' spdx.json >$arch.packages
	done
	grep -qx libc6 amd64.packages || problem 'amd64 has no libc6'
	grep -qx libc6-arm64-cross arm64.packages || problem 'arm64 has no libc6-arm64-cross'
	ok "$MSCTL" image gc
	ok "$MSCTL" sbom hello:1 --platform linux/arm64
	fails 4 "$MSCTL" sbom hello:1 --platform linux/riscv64
	err_has 'no image for linux/riscv64'
}

test_libraries_of_a_toolchain_are_its_packages() {
	mkdir tools more inside
	"$E2E/toolchain_image.sh" tools tools:1
	mkdir -p more/dpkg/info
	printf 'Package: libinside7\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.1\n' >more/dpkg/status
	echo "/usr/lib/$(gcc -print-multiarch)/libinside.so.7" >more/dpkg/info/libinside7.list
	printf 'ID=inside\n' >more/os-release
	printf 'apiVersion: msctl/v1\nname: more\nversion: "1"\nbuild:\n  base: tools:1\n  copy: {dpkg: /var/lib/dpkg, os-release: /etc/os-release}\n  entrypoint: [/usr/bin/busybox]\n' >more/msctl.yaml
	ok "$MSCTL" build -q more
	printf '#include <inside.h>\nint main(void) { return !inside(); }\n' >inside/main.c
	printf 'apiVersion: msctl/v1\nname: inside\nversion: "1"\nbuild:\n  toolchain: more:1\n  steps: [tool-cc -o inside main.c -linside]\n  copy: {inside: /usr/bin/inside}\n' >inside/msctl.yaml
	ok "$MSCTL" build -q inside
	documents_of inside:1
	check_documents
	same 'pkg:deb/inside/libinside7@7.1?arch=amd64' \
		"$(value '.packages[] | select(.name == "libinside7").externalRefs[0].referenceLocator' spdx.json)"
	same 'toolchain image' "$(value '.components[] | select(.name == "libc.so.6").properties[0].value' cyclonedx.json)"
	local digest
	digest=$(image_digest more:1)
	jq '.predicate.buildDefinition.resolvedDependencies[]' provenance.json >deps.json
	same "${digest#*:}" "$(jq -r 'select(.annotations.role == "toolchain").digest.sha256' deps.json)" toolchain
	same '' "$(jq -r 'select(.annotations.role == "compiler").name' deps.json)" 'a compiler of this machine'
}

# A judge that lets everything pass is none.
test_the_judges_refuse() {
	build_hello hello:1
	documents_of hello:1
	check_documents
	local schemas file filter
	schemas=$("$TESTS_ENV/schemas") || skip 'the schemas cannot be fetched'
	while IFS='|' read -r file filter; do
		jq "$filter" "$file.json" >bad.json
		case $file in
		spdx) run python3 "$checks/check_spdx.py" bad.json "$schemas/spdx.SNAPSHOT.schema.json" ;;
		cyclonedx) run /usr/bin/python3 "$checks/check_cyclonedx.py" "$schemas" bad.json ;;
		provenance) run python3 "$checks/check_statement.py" bad.json ;;
		esac
		[ "$status" = 1 ] || problem "passes: $file $filter"
	done <<-'X'
		spdx|del(.documentNamespace)
		spdx|.files[0].fileName = "usr/bin/x"
		spdx|.files[0].checksums[0].checksumValue = "00"
		spdx|.packages[1].licenseDeclared = "Expat"
		spdx|.packages[1].licenseDeclared = "MIT OR"
		spdx|.packages[1].more = 1
		spdx|.relationships[0].relatedSpdxElement = "SPDXRef-none"
		spdx|.relationships[0].relationshipType = "HAS"
		spdx|.packages[1].SPDXID = .packages[0].SPDXID
		spdx|.packages[1].packageVerificationCode.packageVerificationCodeValue = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
		spdx|.creationInfo.created = "today"
		cyclonedx|.components[0].type = "thing"
		cyclonedx|.components[0].components[0].hashes[0].content = "zz"
		cyclonedx|.serialNumber = "urn:uuid:1"
		cyclonedx|.dependencies[0].dependsOn += ["nothing"]
		cyclonedx|.more = 1
		provenance|.subject = []
		provenance|.subject[0].digest.sha256 = "00"
		provenance|del(.predicate.runDetails.builder.id)
		provenance|.predicate.buildDefinition.buildType = "build"
		provenance|.predicate.buildDefinition.resolvedDependencies += [{"name": "x"}]
		provenance|.predicate.more = 1
	X
}
