# shellcheck shell=bash
# One control plane for the group; each test has a namespace of its own.

start() {
	"$TESTS_ENV/kube-up" start "$GROUP_DIR/kube" --controllers --fake-kubelet --audit --ephemeral
	{
		echo "export KUBECONFIG=$GROUP_DIR/kube/kubeconfig"
		echo "audit=$GROUP_DIR/kube/log/audit.log kube_dir=$GROUP_DIR/kube"
		cat "$E2E/deploy/words.sh"
	} >"$GROUP_DIR/env"
}

stop() {
	"$TESTS_ENV/kube-up" stop "$GROUP_DIR/kube"
}
