# shellcheck shell=bash
# Every document of the OCI that msctl writes passes the schemas of the specification.

check_layout() { # check_layout DIR WANTED...: what the checker counted
	local dir=$1 want
	shift
	ok /usr/bin/python3 "$E2E/build/check_oci.py" "$dir"
	for want; do
		case " $(cat "$out") " in
		*" $want "*) ;;
		*) problem "expected $want" ;;
		esac
	done
}

test_the_store_with_what_is_attached() {
	build_hello hello:1
	ok "$MSCTL" build -q -t hello:zstd --compression zstd hello
	check_layout "$MSCTL_STORE" image=2 index=1
	[[ $(cat "$out") == *artifact=* ]] || problem 'nothing is attached to the image'
}

test_layouts_and_archives() {
	hello_project hello
	ok "$MSCTL" build -q -o oci:image -o oci-archive:image.tar -o docker-archive:docker.tar hello
	mkdir archive docker
	tar -C archive -xf image.tar
	tar -C docker -xf docker.tar
	check_layout image image=1
	check_layout archive image=1
	check_layout docker image=1
}

test_several_platforms() {
	mkdir data
	echo x >data/start
	chmod +x data/start
	printf 'apiVersion: msctl/v1\nname: data\nversion: "1"\nbuild:\n  copy: {start: /start}\n' >data/msctl.yaml
	ok "$MSCTL" build -q --platform linux/amd64,linux/arm64 -o oci:image data
	check_layout image image=2 index=2
	check_layout "$MSCTL_STORE" image=2
}

test_a_configuration_with_everything() {
	hello_project hello registry.example.com/shop/hello
	cat >>hello/msctl.yaml <<-X
		  cmd: [serve, "8080"]
		  user: "65532:65532"
		  workdir: /
		  stopSignal: SIGINT
		  ports: [8080/tcp, 53/udp]
		  labels: {a.b/c: grüß dich, empty: ""}
	X
	ok "$MSCTL" build -q -o oci:image hello
	check_layout image image=1
}

test_the_checker_sees_what_is_wrong() {
	local file before
	hello_project hello
	ok "$MSCTL" build -q -o oci:image hello
	file=image/index.json
	before=$(cat $file)
	for change in '.schemaVersion = 1' '.manifests[0].size += 1' '.manifests[0].digest = "sha256:0"' \
		'.manifests[0].annotations.x = 1' 'del(.manifests[0].mediaType)'; do
		jq -c "$change" <<<"$before" >$file
		fails 3 /usr/bin/python3 "$E2E/build/check_oci.py" image
	done
}
