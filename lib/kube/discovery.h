/* discovery.h - which kinds the server serves, under which names.
 *
 * Two requests: /api and /apis as APIGroupDiscoveryList (v2, then v2beta1). Servers older than 1.26
 * answer with their lists of versions instead; then one more request for each group-version that is
 * asked for, and none for others. A group that the server cannot reach (a stale aggregated API) is
 * an error only for who needs it. (kubernetes.io: reference/using-api/api-concepts, "API
 * Discovery"; apimachinery apidiscovery/v2.) */
#pragma once

#include "base/map.h"
#include "base/strv.h"
#include "kube/client.h"

struct kube_resource {
	char *group; /* "" for the core */
	char *version;
	char *kind;
	char *plural;
	bool namespaced;
	bool has_status;
};

struct kube_discovery {
	struct map kinds; /* "apps/v1/Deployment" ("v1/Pod" for the core) -> struct kube_resource * */
	struct strv versions; /* group-versions the server serves: "v1", "apps/v1" */
	struct strv loaded;   /* those of which the kinds are known */
	bool aggregated;      /* the server is 1.26 or newer */
};

void kube_discovery_release(struct kube_discovery *d);

/* Ask the server. wanted: the group-versions whose kinds must be known ("apps/v1"); a server that
 * serves them all at once ignores it. */
int kube_discovery_load(struct kube_client *c, const struct strv *wanted,
						struct kube_discovery *out, struct error *err);
/* Old servers: the kinds of further group-versions. Those that the server does not list are passed
 * over. */
int kube_discovery_want(struct kube_client *c, const struct strv *wanted, struct kube_discovery *d,
						struct error *err);

/* NULL: not served. Borrowed. */
const struct kube_resource *kube_discovery_find(const struct kube_discovery *d,
												const char *api_version, const char *kind);
/* Make a kind known that the server will serve soon (a CustomResourceDefinition of the same set).
 * Takes copies. */
void kube_discovery_add(struct kube_discovery *d, const struct kube_resource *r);
/* Another version of the group in which the server does serve the kind ("apps/v1/Deployment"), or
 * NULL; of any group for a kind of the core. Borrowed. */
const char *kube_discovery_elsewhere(const struct kube_discovery *d, const char *api_version,
									 const char *kind);

/* Read one answer; for tests. group_version NULL: an APIGroupDiscoveryList or a list of versions.
 */
int kube_discovery_read(struct kube_discovery *d, const json_t *doc, const char *group_version,
						struct error *err);
