# shellcheck shell=bash
# A new service: builds, passes its own tests, is a clean repository, becomes an image that answers.
# limit: 180

test_its_own_checks_pass() {
	ok "$MSCTL" new orders
	same 1 "$(git -C orders rev-list --count HEAD)" 'number of commits'
	same '' "$(git -C orders status --porcelain)" 'git status'
	ok make -s -C orders
	ok make -s -C orders check
	same '' "$(git -C orders status --porcelain)" 'git status after make check'
}

test_image_answers() {
	local port management
	ok "$MSCTL" new orders
	ok "$MSCTL" -C orders build -t orders:1
	port=$(free_port) management=$(free_port)
	background run "$MSCTL" -C orders run -e "PORT=$port" -e "MANAGEMENT_PORT=$management" orders:1
	eventually 20 curl -sf --noproxy '*' "http://127.0.0.1:$management/readyz"
	ok curl -sf --noproxy '*' "http://127.0.0.1:$management/metrics"
	ok curl -sf --noproxy '*' -H 'Content-Type: application/json' -d '{"name": "e2e"}' \
		"http://127.0.0.1:$port/api/v1/items"
	ok curl -sf --noproxy '*' "http://127.0.0.1:$port/api/v1/items"
	out_has e2e
	kill -TERM "$run_pid"
	ended "$run_pid" 15
	same 0 "$status" 'exit status'
}

test_image_has_one_digest_anywhere() {
	mkdir -p deep/down
	ok "$MSCTL" new orders
	cp -r orders deep/down/elsewhere
	ok "$MSCTL" -C orders build -t orders:1
	umask 077
	ok env TZ=Asia/Kathmandu "$MSCTL" -C deep/down/elsewhere build -t orders:2
	same "$(image_digest orders:1)" "$(image_digest orders:2)" digest
}

test_two_names_make_two_services() {
	ok "$MSCTL" new orders
	ok "$MSCTL" new payments
	grep -rq orders orders/msctl.yaml
	grep -rq payments payments/msctl.yaml
	same '' "$(grep -ril orders payments --exclude-dir=.git || true)" 'files of payments that name orders'
}

refused() { # refused STATUSES OPERAND...: nothing is made
	local wanted=$1
	shift
	find . -mindepth 1 ! -name std\* | sort >before
	run "$MSCTL" new "$@"
	case " $wanted " in *" $status "*) ;; *) problem "expected status $wanted" ;; esac
	find . -mindepth 1 ! -name std\* ! -name before | sort | diff <(grep -v '^./before$' before) - || problem 'something was made'
	grep -q '^hint: ' "$err" || problem 'no hint'
}

test_bad_names() {
	mkdir here
	cd here
	refused '2 3' 'a/b'
	refused '2 3' '../up'
	refused '2 3' '..'
	refused '2 3' 'two words'
	refused '2 3' 'Upper'
	refused '2 3' ''
	refused '2 3' '-x'
}

test_unknown_template() {
	mkdir here
	cd here
	refused 4 -t c-rst orders
	err_has c-rst c-rest
	run "$MSCTL" new -t ../../etc orders
	[ "$status" != 0 ] || problem 'expected a failure'
}

test_folder_that_is_not_empty() {
	mkdir orders
	echo mine >orders/file
	run "$MSCTL" new orders
	case $status in 2 | 7) ;; *) problem 'expected status 2 or 7' ;; esac
	err_has orders
	same file "$(ls -A orders)" 'content of the folder'
}
