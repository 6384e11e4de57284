# shellcheck shell=bash
# Plain manifests, and clusters and files that are wrong.
# limit: 120

test_files_and_stdin() {
	kube create namespace "$space" >/dev/null
	deployment web >web.yaml
	more web >more.yaml
	ok "$MSCTL" apply -n "$space" -f web.yaml -f more.yaml
	same 2 "$(kube get deployment web -o jsonpath='{.status.readyReplicas}')" 'ready replicas'
	sed 's/LEVEL: info/LEVEL: debug/' more.yaml >changed.yaml
	ok_input "$MSCTL" apply -n "$space" -f - <changed.yaml
	same debug "$(kube get configmap web -o jsonpath='{.data.LEVEL}')" 'value'
}

test_again_writes_nothing() {
	kube create namespace "$space" >/dev/null
	{ deployment web; more web; } >web.yaml
	ok "$MSCTL" apply -n "$space" -f web.yaml
	kube get deployment,service web >/dev/null
	mark_audit
	ok "$MSCTL" apply -n "$space" -f web.yaml
	same '' "$(writes)" 'requests that write'
}

test_namespace_of_the_set_comes_first() {
	{
		deployment web | sed "s/^  name: web/&\n  namespace: $space/"
		printf -- '---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n' "$space"
	} >web.yaml
	ok "$MSCTL" apply -f web.yaml
	same 2 "$(kube get deployment web -o jsonpath='{.status.readyReplicas}')" 'ready replicas'
}

job() { # job NAME [ANNOTATION]
	cat <<-X
		apiVersion: batch/v1
		kind: Job
		metadata: {name: $1}
		spec:
		  backoffLimit: 0
		  template:
		    metadata: {annotations: {${2:-}}}
		    spec:
		      restartPolicy: Never
		      containers: [{name: app, image: "registry.example.com/x@$digest"}]
	X
}

test_job_has_to_complete() {
	kube create namespace "$space" >/dev/null
	job migrate >job.yaml
	ok "$MSCTL" apply -n "$space" -f job.yaml
	same 1 "$(kube get job migrate -o jsonpath='{.status.succeeded}')" 'completions'
	job fails 'fake-kubelet/fail: Error' >fails.yaml
	within 30 fails 8 "$MSCTL" apply -n "$space" -f fails.yaml
	says fails
}

test_unknown_field() {
	kube create namespace "$space" >/dev/null
	{ deployment web | sed 's/^  replicas: 2/  replicaz: 2/'; more web; } >web.yaml
	fails 3 "$MSCTL" apply -n "$space" -f web.yaml
	err_has web.yaml:6 replicaz
	same '' "$(kube get deployment,service -o name)" 'objects made'
}

test_kind_that_the_server_lacks() {
	kube create namespace "$space" >/dev/null
	{
		deployment web
		more web
		printf -- '---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n'
		printf 'spec:\n  maxReplicas: 3\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n'
	} >web.yaml
	mark_audit
	run "$MSCTL" apply -n "$space" -f web.yaml
	case $status in 3 | 4) ;; *) problem 'expected status 3 or 4' ;; esac
	err_has autoscaling/v2 HorizontalPodAutoscaler
	same '' "$(writes)" 'requests that write'
}

test_two_wrong_things_in_a_manifest() {
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nmetadata: {name: b}\n' >twice.yaml
	fails 3 "$MSCTL" apply -f twice.yaml
	err_has twice.yaml:4 metadata
	printf 'kind: ConfigMap\nmetadata: {name: a}\n' >noversion.yaml
	fails 3 "$MSCTL" apply -f noversion.yaml
	err_has noversion.yaml apiVersion
}

test_unknown_context() {
	deployment web >web.yaml
	fails 4 "$MSCTL" apply --context kube-upp -f web.yaml
	err_has kube-upp hint:
}

test_namespace_that_is_not_there() {
	deployment web >web.yaml
	run "$MSCTL" apply -n no-such-namespace -f web.yaml
	[ "$status" = 4 ] || problem 'expected status 4'
	err_has no-such-namespace
}

test_no_kubeconfig() {
	deployment web >web.yaml
	KUBECONFIG=$TEST_DIR/absent fails 4 "$MSCTL" apply -f web.yaml
	unset KUBECONFIG
	fails 4 "$MSCTL" apply -f web.yaml
	err_has hint:
}

test_server_that_is_down() {
	deployment web >web.yaml
	sed "s|server: .*|server: https://127.0.0.1:$(free_port)|" "$KUBECONFIG" >down
	KUBECONFIG=$TEST_DIR/down within 40 fails 6 "$MSCTL" apply --timeout 5s -f web.yaml
	err_has 127.0.0.1
}

test_wrong_authority() {
	deployment web >web.yaml
	openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out other.crt -days 2 -subj /CN=other 2>/dev/null
	sed "s|certificate-authority-data: .*|certificate-authority-data: $(base64 -w0 other.crt)|" "$KUBECONFIG" >other
	KUBECONFIG=$TEST_DIR/other within 20 fails 5 "$MSCTL" apply -f web.yaml
	err_has certificate
}

test_every_kind_of_credential() {
	local config
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n' "$space" >map.yaml
	for config in kubeconfig.files kubeconfig.token kubeconfig.sa; do
		sed -i "s/^data: .*/data: {by: $config}/" map.yaml
		KUBECONFIG=$kube_dir/$config ok "$MSCTL" apply -n restricted -f map.yaml
		same "$config" "$(kube -n restricted get configmap "$space" -o jsonpath='{.data.by}')" 'value'
	done
	cat >plugin <<-X
		#!/bin/sh
		echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "$(sed -n 's/.*token: //p' "$kube_dir/kubeconfig.token")"}}'
	X
	chmod 755 plugin
	sed "s|    token: .*|    exec: {apiVersion: client.authentication.k8s.io/v1, command: $TEST_DIR/plugin, interactiveMode: Never}|" \
		"$kube_dir/kubeconfig.token" >plugged
	sed -i 's/^data: .*/data: {by: plugin}/' map.yaml
	KUBECONFIG=$TEST_DIR/plugged ok "$MSCTL" apply -n restricted -f map.yaml
	same plugin "$(kube -n restricted get configmap "$space" -o jsonpath='{.data.by}')" 'value'
}

test_forbidden_names_what_is_missing() {
	printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: canary-4711}\n' >secret.yaml
	KUBECONFIG=$kube_dir/kubeconfig.token fails 5 "$MSCTL" apply -n restricted -f secret.yaml
	err_has ecret
	never_says canary-4711
}

test_who_may_deploy_but_not_look_around() {
	kube create namespace "$space" >/dev/null
	kube create role deployer --verb=get,list,create,patch --resource=deployments.apps >/dev/null
	kube create rolebinding deployer --role=deployer --user=limited >/dev/null
	sed 's/^\(  *\)client-certificate-data:/\1as: limited\n&/' "$KUBECONFIG" >limited
	deployment web >web.yaml
	KUBECONFIG=$TEST_DIR/limited within 40 ok "$MSCTL" apply -n "$space" -f web.yaml
	err_has 'cannot list resource "pods"' 'cannot list resource "events"'
	same 2 "$(kube get deployment web -o jsonpath='{.status.readyReplicas}')" 'ready replicas'
}

test_cluster_scoped_with_a_namespace() {
	printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, namespace: default}\n' "$space" >space.yaml
	ok "$MSCTL" apply -f space.yaml
	ok "$MSCTL" apply -f space.yaml
	out_has '=1'
}

test_secret_value_of_the_wrong_type() {
	kube create namespace "$space" >/dev/null
	printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  pin: 5550123\n' >secret.yaml
	fails 3 "$MSCTL" apply -n "$space" -f secret.yaml -vv
	err_has secret.yaml:5:3 stringData.pin
	never_says 5550123
}

test_a_tenth_of_a_core_stays_that() {
	kube create namespace "$space" >/dev/null
	deployment web >web.yaml
	printf '          resources: {requests: {cpu: 0.1}}\n' >>web.yaml
	ok "$MSCTL" apply -n "$space" -f web.yaml
	same 100m "$(kube get deployment web -o jsonpath='{.spec.template.spec.containers[0].resources.requests.cpu}')" cpu
}
