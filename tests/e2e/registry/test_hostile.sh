# shellcheck shell=bash
# Registries that lie, stall or refuse: the right status, one line that names
# the host and what was being done, in bounded time, and nothing left behind.

patience=20s

pull_fails() { # pull_fails STATUSES NAME [TEXT...]: NAME is a personality of hostile.py
	local wanted=$1 name=$2
	shift 2
	remember_store
	within 40 run "$MSCTL" pull --timeout "$patience" "$hostile/$name:1"
	case " $wanted " in *" $status "*) ;; *) problem "expected status $wanted" ;; esac
	err_has "$hostile" pull "$@"
	same 1 "$(grep -c '^msctl: ' "$err")" 'lines of error'
	grep -q '^hint: ' "$err" || problem 'no hint'
	store_sound
}

push_fails() {
	local wanted=$1 name=$2
	shift 2
	build_hello "$hostile/$name:1"
	remember_store
	within 40 run "$MSCTL" push --timeout "$patience" "$hostile/$name:1"
	case " $wanted " in *" $status "*) ;; *) problem "expected status $wanted" ;; esac
	err_has "$hostile" push "$@"
	store_unchanged
}

test_honest() { # or the failures below would prove little
	ok "$MSCTL" pull "$hostile/good:1"
	says sha256:
	build_hello "$hostile/good/pushed:1"
	# to whatever name, this server answers with the one manifest that it has
	ok "$MSCTL" push --no-sbom "$hostile/good/pushed:1"
}

test_pull_401() { pull_fails 5 s401 401; }
test_pull_403() { pull_fails 5 s403 403; }
test_pull_404() { pull_fails 4 s404 s404:1; }
test_pull_429() { pull_fails 6 s429 429; }
test_pull_500() { pull_fails 6 s500 500; }
test_push_401() { push_fails 5 s401 401; }
test_push_403() { push_fails 5 s403 403; }
test_push_404() { push_fails 4 s404 404; }
test_push_429() { push_fails 6 s429 429; }
test_push_500() { push_fails 6 s500 500; }

passes() { # passes NAME: tries again, and the image is there
	within 20 ok "$MSCTL" pull "$hostile/$1:1"
	image_digest "$hostile/$1:1" >/dev/null || problem 'no image in the store'
}

test_pull_passing_429() { passes once429; }
test_pull_passing_503() { passes once503; }

test_pull_wrong_layer() { pull_fails 3 badlayer sha256:; }
test_pull_wrong_digest_header() { pull_fails 3 baddigest sha256:; }
test_pull_short_layer() { pull_fails '3 6' short; }
test_pull_endless_layer() { pull_fails 3 long; }
test_pull_stalled_layer() { patience=3s && pull_fails 6 stall; }
test_pull_silent() { patience=3s && pull_fails 6 silent; }
test_push_silent() { patience=3s && push_fails 6 silent; }
test_pull_hangup() { pull_fails 6 hangup; }
test_pull_redirect_loop() { pull_fails '3 5 6' redirectloop; }
test_pull_duplicate_keys() { pull_fails 3 dupkeys; }
test_pull_huge_manifest() { pull_fails 3 huge; }
test_pull_deep_manifest() { pull_fails 3 deep; }
test_pull_manifest_that_is_no_json() { pull_fails 3 notjson; }

test_pull_wrong_manifest_by_digest() {
	local digest
	digest=$(curl -sI "http://$hostile/v2/badmanifest/manifests/1" |
		sed -n 's/^Docker-Content-Digest: \(.*\)\r/\1/p')
	remember_store
	within 30 fails 3 "$MSCTL" pull "$hostile/badmanifest@$digest"
	err_has "$hostile" sha256:
	store_sound
}

test_nobody_listens() {
	remember_store
	within 30 fails 6 "$MSCTL" pull --timeout 5s "$nobody/x:1"
	err_has "$nobody" pull
	store_unchanged
}

escapes() { # escapes NAME: pulled or not, nothing gets out of the root
	within 40 run "$MSCTL" pull "$hostile/$1:1"
	if [ "$status" = 0 ]; then
		within 40 run "$MSCTL" run "$hostile/$1:1"
	fi
	case $status in 3 | 5) ;; *) problem 'expected status 3 or 5' ;; esac
	err_has "$1"
	same canary "$(ls "$hostile_dir/outside")" 'files outside of the root'
	same untouched "$(cat "$hostile_dir/outside/canary")" 'file outside of the root'
}

test_layer_dotdot() { escapes dotdot; }
test_layer_absolute() { escapes absolute; }
test_layer_symlink() { escapes symlink; }
test_layer_hardlink() { escapes hardlink; }
test_layer_dev_link() { escapes devlink; }
test_layer_proc_link() { escapes proclink; }

test_redirect_carries_no_credentials() {
	printf p | ok_input "$MSCTL" login -u u --password-stdin "$hostile"
	ok "$MSCTL" pull "$hostile/redirect:1"
	jq -en 'any(inputs; .origin == "other" and .path == "/layer/redirect")' "$hostile_dir/requests.log" >/dev/null ||
		problem 'the other origin was not asked'
	same '' "$(secrets_seen_elsewhere)" 'secrets at the other origin'
}

test_upload_elsewhere_carries_no_credentials() {
	printf p | ok_input "$MSCTL" login -u u --password-stdin "$hostile"
	build_hello "$hostile/uploadaway:1"
	run "$MSCTL" push "$hostile/uploadaway:1"
	jq -en 'any(inputs; .method == "POST" and (.path | startswith("/v2/uploadaway/")) and .secrets.Authorization)' \
		"$hostile_dir/requests.log" >/dev/null || problem 'no upload was started'
	same '' "$(secrets_seen_elsewhere)" 'secrets at the other origin'
}

test_realm_elsewhere_gets_no_credentials() {
	printf p | ok_input "$MSCTL" login -u u --password-stdin "$hostile"
	within 30 run "$MSCTL" pull "$hostile/realmaway:1"
	[ "$status" != 0 ] || problem 'expected a failure'
	same '' "$(secrets_seen_elsewhere)" 'secrets at the other origin'
}

test_realm_in_the_clear_is_refused() {
	local before
	before=$(wc -l <"$hostile_dir/requests.log")
	printf p | ok_input "$MSCTL" login --ca "$certs/ca.crt" -u u --password-stdin "$hostile_tls"
	within 30 run "$MSCTL" pull --ca "$certs/ca.crt" "$hostile_tls/realmplain:1"
	case $status in 3 | 5) ;; *) problem 'expected status 3 or 5' ;; esac
	err_has "$hostile_tls" https
	same '' "$(tail -n "+$((before + 1))" "$hostile_dir/requests.log" |
		jq -c 'select(.origin == "other")')" 'requests to the token server'
}

test_interrupted_pull() {
	remember_store
	background pull "$MSCTL" pull "$hostile/stall:1"
	eventually 10 grep -q '"GET", "path": "/v2/stall/blobs' "$hostile_dir/requests.log"
	sleep 0.3
	kill -INT "$pull_pid"
	ended "$pull_pid" 3
	same 130 "$status" 'exit status'
	store_sound
}
