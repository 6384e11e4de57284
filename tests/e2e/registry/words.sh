# shellcheck shell=bash disable=SC2034,SC2154
# What the tests of this group say besides lib.sh; setup.sh puts it into their world.

repo=e2e/${TEST_DIR##*/} # a repository of the test's own

mark_requests() { # mark_requests KIND: later `requests KIND` tells of what came after
	wc -l <"$logs/$1.log" >"$TEST_DIR/mark.$1"
}

requests() { # requests KIND: METHOD PATH STATUS of what reached that registry since the mark
	# the access log is written after the answer
	sleep 0.1
	tail -n "+$(($(cat "$TEST_DIR/mark.$1") + 1))" "$logs/$1.log" |
		sed -n 's/^.*\] "\([A-Z]* [^ ]*\) HTTP[^"]*" \([0-9]*\) .*/\1 \2/p'
}

asked() { # asked KIND PATTERN: one of them was that
	requests "$1" >"$TEST_DIR/requests.$1"
	grep -qE -e "$2" "$TEST_DIR/requests.$1"
}

manifest_digest() { # manifest_digest HOST REPOSITORY TAG [CURL-OPTION...]: as the registry has it
	local host=$1 repository=$2 tag=$3
	shift 3
	curl -sf --noproxy '*' "$@" -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		"http://$host/v2/$repository/manifests/$tag" | sha256sum | sed 's/\(.*\)  -/sha256:\1/'
}

fault_proxy() { # fault_proxy UPSTREAM RULES: a registry with faults, its address in $proxy
	background proxy python3 "$TESTS_ENV/registry/faultproxy.py" "$1" "$2"
	eventually 10 grep -q listening "$TEST_DIR/proxy.out"
	proxy=$(sed -n 's/^listening on //p' "$TEST_DIR/proxy.out")
}

secrets_seen_elsewhere() { # requests of this test that carried a secret to the other origin
	jq -c 'select(.origin == "other" and (.secrets | length) > 0)' "$hostile_dir/requests.log"
}
