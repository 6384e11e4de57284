#include "deploy/order.h"

#include "base/compiler.h"
#include "kube/readiness.h"

#include <string.h>

/* The union of Helm's InstallOrder, Flux' ReconcileOrder, cli-utils and kapp. Where they disagree:
 * network policies, quotas and limits before workloads, so that nothing starts unguarded; webhooks
 * last, so that they cannot block their own parts. */
static const struct {
	const char *kind;
	int rank;
} ranks[] = {
	{"Namespace", 0},
	{"CustomResourceDefinition", DEPLOY_RANK_DEFINITION},
	{"PriorityClass", 1},
	{"RuntimeClass", 1},
	{"StorageClass", 1},
	{"VolumeSnapshotClass", 1},
	{"IngressClass", 1},
	{"GatewayClass", 1},
	{"ResourceQuota", 2},
	{"LimitRange", 2},
	{"NetworkPolicy", 2},
	{"PodDisruptionBudget", 2},
	{"ServiceAccount", 3},
	{"Secret", 3},
	{"ConfigMap", 3},
	{"PersistentVolume", 3},
	{"PersistentVolumeClaim", 3},
	{"ClusterRole", 4},
	{"Role", 4},
	{"ClusterRoleBinding", 5},
	{"RoleBinding", 5},
	{"Service", 6},
	{"DaemonSet", 8},
	{"StatefulSet", 8},
	{"Deployment", 8},
	{"ReplicaSet", 8},
	{"ReplicationController", 8},
	{"Pod", 8},
	{"Job", 8},
	{"CronJob", 8},
	{"HorizontalPodAutoscaler", 9},
	{"APIService", 11},
	{"MutatingWebhookConfiguration", 12},
	{"ValidatingWebhookConfiguration", 12},
};

#define RANK_OTHERS 10

int deploy_rank(const struct kube_object *o)
{
	for (size_t i = 0; i < ARRAY_LEN(ranks); i++)
		if (strcmp(ranks[i].kind, o->kind) == 0)
			return ranks[i].rank;
	return RANK_OTHERS;
}

void deploy_order(struct deploy_set *set)
{
	/* insertion sort keeps equal ranks as they were; sets are nearly sorted or small */
	for (size_t i = 1; i < set->items.count; i++) {
		struct deploy_item *item = set->items.items[i];
		size_t k = i;

		for (; k > 0 && set->items.items[k - 1]->rank > item->rank; k--)
			set->items.items[k] = set->items.items[k - 1];
		set->items.items[k] = item;
	}
}

static void want(struct strv *wanted, const char *version)
{
	if (!strv_has(wanted, version))
		strv_add(wanted, version);
}

void deploy_wait_versions(const struct deploy_set *set, struct strv *wanted)
{
	for (size_t i = 0; i < set->items.count; i++) {
		const struct kube_object *o = &set->items.items[i]->object;

		if (!kube_is_waited_for(o->api_version, o->kind))
			continue;
		want(wanted, "v1");
		if (strcmp(o->kind, "Deployment") == 0)
			want(wanted, "apps/v1");
	}
}
