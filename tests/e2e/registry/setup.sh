# shellcheck shell=bash
# The registries that the group's tests share. Each test uses repositories of its own.

start() {
	local kind
	"$TESTS_ENV/registry-up" start "$GROUP_DIR/registries" \
		plain readonly tls tls-badhost tls-expired basic token >"$GROUP_DIR/kinds"
	mkdir -p "$GROUP_DIR/hostile"
	local certs=$GROUP_DIR/registries/certs
	setsid python3 "$TESTS_ENV/registry/hostile.py" "$GROUP_DIR/hostile" "$certs/server.crt" \
		"$certs/server.key" >"$GROUP_DIR/hostile/log" 2>&1 </dev/null &
	echo $! >"$GROUP_DIR/hostile/pid"
	disown
	eventually 10 test -f "$GROUP_DIR/hostile/ready"
	{
		while read -r kind address; do
			echo "${kind//-/_}=$address"
		done <"$GROUP_DIR/kinds"
		echo "logs=$GROUP_DIR/registries certs=$certs"
		echo "hostile=$(cat "$GROUP_DIR/hostile/addr") hostile_tls=$(cat "$GROUP_DIR/hostile/tls")"
		echo "elsewhere=$(cat "$GROUP_DIR/hostile/other") nobody=$(cat "$GROUP_DIR/hostile/refused")"
		echo "hostile_dir=$GROUP_DIR/hostile"
	} >"$GROUP_DIR/env"
	cat "$E2E/registry/words.sh" >>"$GROUP_DIR/env"
}

stop() {
	"$TESTS_ENV/registry-up" stop "$GROUP_DIR/registries"
	kill "$(cat "$GROUP_DIR/hostile/pid")"
}
