#!/usr/bin/env bash
# demo.sh - the main job on this machine: install what is missing, build msctl, then take a new service from an empty
# folder to a registry and run it. Prints each msctl command as it runs it and cleans up what it started.
#
# environment: DEMO_KUBE=1  also start a real Kubernetes control plane (built once, minutes) and deploy to it
#              KUBECONFIG   deploy there instead
#              DEMO_DIR     keep the service in this folder (it must not exist)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

"$root/tests/env/install.sh" demo
make -j"$(nproc)" all
PATH=$root/build/rel:$PATH

work=$(mktemp -d "${TMPDIR:-/tmp}/msctl-demo.XXXXXX")
service_pid='' kube_started=''
clean_up() {
	local rc=$?
	if [ -n "$service_pid" ]; then
		kill -TERM "$service_pid" 2>/dev/null || true
		wait "$service_pid" 2>/dev/null || true
	fi
	"$root/tests/env/registry-up" stop "$work/registry" >/dev/null 2>&1 || true
	[ -z "$kube_started" ] || "$root/tests/env/kube-up" stop "$work/kube" >/dev/null 2>&1 || true
	rm -rf "$work"
	exit $rc
}
trap clean_up EXIT
trap 'exit 130' INT TERM

export MSCTL_TEST_CACHE=${MSCTL_TEST_CACHE:-$HOME/.cache/msctl-test}
export HOME=$work/home XDG_DATA_HOME=$work/data XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
mkdir -p "$HOME"

bold='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; }
run() {
	say "$*"
	"$@"
}

free_port() { # a port of loopback on which nobody listens, below the ephemeral range
	local port
	while :; do
		port=$((20000 + RANDOM % 10000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}

mkdir -p "$work/registry"
registry=$("$root/tests/env/registry-up" start "$work/registry" plain | sed -n 's/^plain //p')
port=$(free_port)
management=$(free_port)
service=${DEMO_DIR:-$work/orders}
mkdir -p "$(dirname "$service")"
cd "$(dirname "$service")"

echo
echo "A registry (docker-registry) listens on $registry."
run msctl new orders --set "image=$registry/shop/orders" --set "port=$port" \
	--set "management_port=$management" "$service"
cd "$service"
run msctl build
run msctl push
ref=$registry/shop/orders:0.1.0
run msctl inspect "$ref"
run msctl image rm "$ref"
run msctl pull "$ref"
say "msctl run $ref &"
msctl run "$ref" >"$work/service.log" 2>&1 &
service_pid=$!
tries=0
until curl -fsS -o /dev/null "http://127.0.0.1:$management/readyz" 2>/dev/null; do
	tries=$((tries + 1))
	if [ $tries -gt 300 ] || ! kill -0 "$service_pid" 2>/dev/null; then
		cat "$work/service.log" >&2
		echo "demo: the service did not become ready" >&2
		exit 1
	fi
	read -r -t 0.1 <> <(:) || true
done

if [ -n "${DEMO_KUBE:-}" ] && [ -z "${KUBECONFIG:-}" ]; then
	"$root/tests/env/install.sh" kube
	"$root/tests/env/kube-up" start "$work/kube" --controllers --fake-kubelet --ephemeral
	kube_started=1
	export KUBECONFIG=$work/kube/kubeconfig
fi
if [ -n "${KUBECONFIG:-}" ]; then
	# an old control plane serves neither autoscaling/v2 nor policy/v1
	[ -z "$kube_started" ] || printf '  demo: {target: kubernetes, exclude: [HorizontalPodAutoscaler, PodDisruptionBudget]}\n' >>msctl.yaml
	run msctl deploy -e "$([ -n "$kube_started" ] && echo demo || echo dev)"
	run msctl status -e "$([ -n "$kube_started" ] && echo demo || echo dev)"
fi

echo
echo "The service, run from the pushed image, answers:"
run curl -fsS -X POST -H 'Content-Type: application/json' -d '{"name":"first order"}' \
	"http://127.0.0.1:$port/api/v1/items"
echo
run curl -fsS "http://127.0.0.1:$port/api/v1/items"
echo
