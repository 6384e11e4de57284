# shellcheck shell=bash
# A project goes to a real API server, and msctl tells the truth about it.
# limit: 120

test_first_creates_and_waits() {
	project
	mark_audit
	deploy ok
	says orders "$digest"
	same '2/2' "$(kube get deployment orders -o jsonpath='{.status.readyReplicas}/{.spec.replicas}')" 'ready replicas'
	same "registry.example.com/shop/orders@$digest" \
		"$(kube get deployment orders -o jsonpath='{.spec.template.spec.containers[0].image}')" 'image'
	kube get service,configmap,serviceaccount orders >/dev/null
	same msctl "$(kube get --raw "/apis/apps/v1/namespaces/$space/deployments/orders" | jq -r \
		'[.metadata.managedFields[] | select(.operation == "Apply").manager] | unique | join(" ")')" 'field manager'
	same 4 "$(writes | sort -u | wc -l)" 'objects written'
}

test_second_writes_nothing() {
	project
	deploy ok
	kube get deployment,service orders >/dev/null
	mark_audit
	deploy ok
	same '' "$(writes)" 'requests that write'
}

test_change_writes_only_what_changed() {
	project
	deploy ok
	sed -i 's/LEVEL: info/LEVEL: debug/' project/kubernetes/more.yaml
	mark_audit
	deploy ok
	same 'patch configmaps orders' "$(writes)" 'requests that write'
	same debug "$(kube get configmap orders -o jsonpath='{.data.LEVEL}')" 'value'
}

test_what_somebody_changed_by_hand_comes_back() {
	project
	deploy ok
	kube patch configmap orders --type=merge -p '{"data": {"LEVEL": "trace"}}' >/dev/null
	run "$MSCTL" -C project deploy -e test --image "registry.example.com/shop/orders@$digest"
	case $status in
	0) same info "$(kube get configmap orders -o jsonpath='{.data.LEVEL}')" 'value' ;;
	7) err_has LEVEL ;;
	*) problem 'expected status 0 or 7' ;;
	esac
}

test_dry_run_writes_nothing() {
	project
	deploy ok --dry-run
	says orders
	if kube get deployment orders >/dev/null 2>&1; then problem 'the deployment was made'; fi
}

failing() { # failing WHAT TEXT...: ends soon after the signal, with the reason
	local what=$1
	shift
	project
	deployment orders "fake-kubelet/fail: $what" 'fake-kubelet/log: "first\nlast words of the app"' \
		>project/kubernetes/deployment.yaml
	within 20 deploy fails 8
	says orders "$what" "$@"
	grep -q '^hint: ' "$err" || problem 'no hint'
}

test_image_that_is_not_there() { failing ImagePullBackOff "registry.example.com/shop/orders@$digest"; }
test_invalid_image_name() { failing InvalidImageName; }
test_crash_loop_shows_the_log() { failing CrashLoopBackOff 'last words of the app'; }
test_config_that_is_missing() { failing CreateContainerConfigError; }

test_never_ready_ends_at_the_timeout() {
	project
	deployment orders 'fake-kubelet/fail: NotReady' >project/kubernetes/deployment.yaml
	within 20 deploy fails 8 --timeout 5s
	says orders
}

test_status_agrees_with_kubectl() {
	project
	deploy ok
	ok "$MSCTL" -C project status -e test
	out_has orders 2/2
	ok "$MSCTL" -C project status -e test -o json
	jq -e . "$out" >/dev/null || problem 'not JSON'
	kube scale deployment orders --replicas=3 >/dev/null
	kube rollout status deployment orders >/dev/null
	ok "$MSCTL" -C project status -e test
	out_has 3/3
}

test_delete() {
	project
	deploy ok
	kube get deployment,service,configmap orders >/dev/null
	ok "$MSCTL" -C project delete -e test --yes
	same '' "$(kube get deployment,service,configmap -o name | grep orders || true)" 'objects left'
}

test_interrupted_wait() {
	project
	deployment orders 'fake-kubelet/fail: NotReady' >project/kubernetes/deployment.yaml
	background deploy "$MSCTL" -C project deploy -e test --image "registry.example.com/shop/orders@$digest"
	eventually 15 kube get deployment orders
	kill -INT "$deploy_pid"
	ended "$deploy_pid" 3
	same 130 "$status" 'exit status'
}

generated() { # the service that `msctl new` makes, its environment dev in this test's namespace
	kube create namespace "$space" >/dev/null
	ok "$MSCTL" new orders
	sed -i "s|^  dev:|&\n    context: kube-up\n    namespace: $space\n    ${1:-}|" orders/msctl.yaml
}

test_generated_service() {
	generated 'exclude: [HorizontalPodAutoscaler, PodDisruptionBudget]'
	ok "$MSCTL" -C orders deploy -e dev --image "registry.example.com/orders@$digest"
	kube get deployment,service,configmap,serviceaccount,networkpolicy orders >/dev/null
	same "registry.example.com/orders@$digest" \
		"$(kube get deployment orders -o jsonpath='{.spec.template.spec.containers[0].image}')" 'image'
	same debug "$(kube get configmap orders -o jsonpath='{.data.LOG_LEVEL}')" 'variable of the environment'
	mark_audit
	ok "$MSCTL" -C orders deploy -e dev --image "registry.example.com/orders@$digest"
	same '' "$(writes)" 'requests that write'
}

test_generated_service_on_a_server_that_is_too_old() {
	generated
	mark_audit
	run "$MSCTL" -C orders deploy -e dev --image "registry.example.com/orders@$digest"
	case $status in 3 | 4) ;; *) problem 'expected status 3 or 4' ;; esac
	err_has autoscaling/v2 policy/v1
	grep -q '^hint: ' "$err" || problem 'no hint'
	same '' "$(writes)" 'requests that write'
}
