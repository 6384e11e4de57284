# shellcheck shell=bash
# Credentials are kept as docker keeps them, and never shown.

login() { printf '%s' "$3" | ok_input "$MSCTL" login -u "$2" --password-stdin "$1"; }

test_file_is_dockers_and_private() {
	login "$basic" u p
	local file=$HOME/.docker/config.json
	same "$(printf u:p | base64)" "$(jq -r --arg h "$basic" '.auths[$h].auth' "$file")"
	same 600 "$(stat -c %a "$file")" 'mode'
	ok skopeo --tmpdir "$TEST_DIR" login --authfile "$file" --get-login "$basic"
	out_has u
}

test_other_entries_stay() {
	mkdir -p "$HOME/.docker"
	echo '{"auths": {"example.com": {"auth": "eDp5"}}, "psFormat": "table"}' >"$HOME/.docker/config.json"
	login "$basic" u p
	same true "$(jq --arg h "$basic" '.auths | has($h)' "$HOME/.docker/config.json")" 'entry'
	ok "$MSCTL" logout "$basic"
	same eDp5 "$(jq -r '.auths["example.com"].auth' "$HOME/.docker/config.json")"
	same table "$(jq -r .psFormat "$HOME/.docker/config.json")"
	same false "$(jq --arg h "$basic" '.auths | has($h)' "$HOME/.docker/config.json")"
}

test_wrong_password_is_not_kept() {
	printf 'not-the-secret' >password
	fails_input 5 password "$MSCTL" login -u u --password-stdin "$basic"
	err_has "$basic"
	never_says not-the-secret
	[ ! -f "$HOME/.docker/config.json" ] ||
		same null "$(jq -r --arg h "$basic" '.auths[$h]' "$HOME/.docker/config.json")"
}

test_password_is_never_shown() {
	printf p >password
	ok "$MSCTL" version
	printf 'canary-4711' >password
	fails_input 5 password "$MSCTL" -v login -u u --password-stdin "$basic"
	never_says canary-4711 "$(printf u:canary-4711 | base64)"
}

test_logout_of_nowhere() {
	run "$MSCTL" logout example.com
	case $status in 0 | 4) ;; *) problem 'expected status 0 or 4' ;; esac
	says example.com
}

test_credential_helper() {
	mkdir -p bin "$HOME/.docker"
	cat >bin/docker-credential-e2e <<-'X'
		#!/bin/sh
		echo "$1" >>"$HOME/helper.log"
		read -r host
		printf '{"ServerURL":"%s","Username":"u","Secret":"p"}\n' "$host"
	X
	chmod 755 bin/docker-credential-e2e
	PATH=$TEST_DIR/bin:$PATH
	printf '{"credHelpers": {"%s": "e2e"}}' "$basic" >"$HOME/.docker/config.json"
	build_hello "$basic/$repo:1"
	ok "$MSCTL" push "$basic/$repo:1"
	same get "$(sort -u "$HOME/helper.log")" 'calls of the helper'
	same 1 "$(wc -l <"$HOME/helper.log")" 'number of calls'
}

test_server_that_is_down() {
	printf p >password
	within 20 fails_input 6 password "$MSCTL" login -u u --password-stdin "$nobody"
	err_has "$nobody"
}
