# shellcheck shell=bash
# A bad project file: one line that says where, a hint, the right status, nothing left.

bad() { # bad STATUS TEXT...: the project file is on stdin
	local want=$1
	shift
	mkdir -p hello
	cat >hello/msctl.yaml
	remember_store
	within 10 fails "$want" "$MSCTL" -C hello build -t x:1
	err_has "$@"
	same 1 "$(grep -c '^msctl: ' "$err")" 'lines of error'
	store_unchanged
}

test_no_project_file() {
	mkdir empty
	fails 4 "$MSCTL" -C empty build
	err_has msctl.yaml hint:
}

test_unknown_key() {
	printf 'apiVersion: msctl/v1\nname: x\nbuild:\n  stepz: [make]\n' | bad 3 msctl.yaml:4 stepz steps
}

test_duplicate_key() {
	printf 'apiVersion: msctl/v1\nname: x\nname: y\n' | bad 3 msctl.yaml:3 name
}

test_deep_nesting() {
	python3 -c 'print("a: " + "[" * 100000 + "]" * 100000)' | bad 3 msctl.yaml
}

test_aliases_that_explode() {
	{
		echo 'a: &a [x, x, x, x, x, x, x, x, x]'
		for pair in ba cb dc ed fe gf hg ih; do
			printf '%s: &%s [' "${pair:0:1}" "${pair:0:1}"
			printf "*${pair:1:1}, %.0s" 1 2 3 4 5 6 7 8 9
			echo ']'
		done
	} | bad 3 msctl.yaml
}

test_wrong_type() {
	printf 'apiVersion: msctl/v1\nname: x\nbuild:\n  copy: [a, b]\n' | bad 3 msctl.yaml:4 copy
}

test_bytes_that_are_no_text() {
	printf 'name: \377\376\001\n' | bad 3 msctl.yaml
}

test_bad_name() {
	printf 'apiVersion: msctl/v1\nname: Upper/../Case\n' | bad 3 msctl.yaml:2 name
}
