# shellcheck shell=bash
# What the tests of this group say besides lib.sh; setup.sh puts it into their world.

space=$(basename "$TEST_DIR" | tr '._' '--' | cut -c1-60 | sed 's/-*$//') # this test's namespace
digest=sha256:$(printf '%064d' 7)

kube() { kubectl --kubeconfig "$kube_dir/kubeconfig" -n "$space" "$@"; }

deployment() { # deployment NAME [ANNOTATION...]: a manifest; annotations are of the pods
	local name=$1 annotation
	shift
	cat <<-X
		apiVersion: apps/v1
		kind: Deployment
		metadata:
		  name: $name
		spec:
		  replicas: 2
		  selector:
		    matchLabels: {app: $name}
		  template:
		    metadata:
		      labels: {app: $name}
		      annotations:
		        e2e: "yes"
	X
	for annotation; do printf '        %s\n' "$annotation"; done
	cat <<-X
		    spec:
		      containers:
		        - name: app
		          image: registry.example.com/shop/$name@$digest
		          ports:
		            - containerPort: 8080
		              protocol: TCP
	X
}

more() { # more NAME: what stands beside a deployment
	cat <<-X
		---
		apiVersion: v1
		kind: Service
		metadata:
		  name: $1
		spec:
		  selector: {app: $1}
		  ports:
		    - {name: http, port: 80, targetPort: 8080, protocol: TCP}
		---
		apiVersion: v1
		kind: ConfigMap
		metadata:
		  name: $1
		data:
		  LEVEL: info
		---
		apiVersion: v1
		kind: ServiceAccount
		metadata:
		  name: $1
	X
}

project() { # project: a project that deploys to this test's namespace
	kube create namespace "$space" >/dev/null
	mkdir -p project/kubernetes
	cat >project/msctl.yaml <<-X
		apiVersion: msctl/v1
		name: orders
		version: "1"
		image: registry.example.com/shop/orders
		build:
		  copy: {orders: /usr/bin/orders}
		deploy:
		  kubernetes: [kubernetes]
		  timeout: 1m
		environments:
		  test: {target: kubernetes, context: kube-up, namespace: $space}
	X
	deployment orders >project/kubernetes/deployment.yaml
	more orders >project/kubernetes/more.yaml
}

deploy() { # deploy ok|fails STATUS [OPTION...]
	local how=("$1")
	shift
	if [ "${how[0]}" = fails ]; then
		how+=("$1")
		shift
	fi
	"${how[@]}" "$MSCTL" -C project deploy -e test --image "registry.example.com/shop/orders@$digest" "$@"
}

mark_audit() { wc -l <"$audit" >"$TEST_DIR/mark.audit"; }

writes() { # what msctl wrote in this namespace since the mark: VERB RESOURCE NAME
	sleep 0.3 # the log is written behind
	tail -n "+$(($(cat "$TEST_DIR/mark.audit") + 1))" "$audit" |
		jq -r --arg ns "$space" 'select((.userAgent // "") | startswith("msctl"))
			| select(.verb | IN("create", "update", "patch", "delete", "deletecollection"))
			| select(.objectRef.namespace == $ns)
			| "\(.verb) \(.objectRef.resource) \(.objectRef.name)"'
}
