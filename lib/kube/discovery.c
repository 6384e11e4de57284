#include "kube/discovery.h"

#include "base/mem.h"

#include <string.h>

#define AGGREGATED "application/json;g=apidiscovery.k8s.io;v="
#define ACCEPT                                           \
	AGGREGATED "v2;as=APIGroupDiscoveryList," AGGREGATED \
			   "v2beta1;as=APIGroupDiscoveryList,application/json"

static void resource_free(struct kube_resource *r)
{
	free(r->group);
	free(r->version);
	free(r->kind);
	free(r->plural);
	free(r);
}

void kube_discovery_release(struct kube_discovery *d)
{
	for (size_t i = 0; i < d->kinds.count; i++)
		resource_free(d->kinds.entries[i].value);
	map_release(&d->kinds);
	strv_release(&d->versions);
	strv_release(&d->loaded);
}

static char *kind_key(const char *api_version, const char *kind)
{
	return xasprintf("%s/%s", api_version, kind);
}

static char *group_version(const char *group, const char *version)
{
	return *group ? xasprintf("%s/%s", group, version) : xstrdup(version);
}

void kube_discovery_add(struct kube_discovery *d, const struct kube_resource *r)
{
	AUTO_FREE char *gv = group_version(r->group, r->version);
	AUTO_FREE char *key = kind_key(gv, r->kind);
	struct kube_resource *copy;

	if (map_has(&d->kinds, key))
		return;
	copy = xcalloc(1, sizeof(*copy));
	copy->group = xstrdup(r->group);
	copy->version = xstrdup(r->version);
	copy->kind = xstrdup(r->kind);
	copy->plural = xstrdup(r->plural);
	copy->namespaced = r->namespaced;
	copy->has_status = r->has_status;
	map_put(&d->kinds, key, copy);
	if (!strv_has(&d->versions, gv))
		strv_add(&d->versions, gv);
}

/* ---- aggregated: APIGroupDiscoveryList */

static char *text_of(const json_t *object, const char *path)
{
	return xstrdup(doc_text(object, path, ""));
}

static bool has_status(const json_t *resource)
{
	const json_t *subresources = json_object_get(resource, "subresources");

	for (size_t i = 0; i < json_array_size(subresources); i++)
		if (strcmp(doc_text(json_array_get(subresources, i), "subresource", ""), "status") == 0)
			return true;
	return false;
}

static void add_aggregated(struct kube_discovery *d, const char *group, const char *version,
						   const json_t *resource)
{
	/* a resource may answer with another group's kind (autoscaling Scale); the first kind is
	 * its own */
	AUTO_FREE char *kind = text_of(resource, "responseKind.kind");
	AUTO_FREE char *plural = text_of(resource, "resource");
	AUTO_FREE char *group_copy = xstrdup(group);
	AUTO_FREE char *version_copy = xstrdup(version);
	struct kube_resource r = {
		.group = group_copy,
		.version = version_copy,
		.kind = kind,
		.plural = plural,
		.namespaced = strcmp(doc_text(resource, "scope", ""), "Namespaced") == 0,
		.has_status = has_status(resource),
	};

	if (*kind && *plural)
		kube_discovery_add(d, &r);
}

static void read_group(struct kube_discovery *d, const json_t *group)
{
	const char *name = doc_text(group, "metadata.name", "");
	const json_t *versions = json_object_get(group, "versions");

	for (size_t i = 0; i < json_array_size(versions); i++) {
		const json_t *version = json_array_get(versions, i);
		const json_t *resources = json_object_get(version, "resources");
		const char *v = doc_text(version, "version", "");
		AUTO_FREE char *gv = group_version(name, v);

		if (!strv_has(&d->versions, gv))
			strv_add(&d->versions, gv);
		for (size_t k = 0; k < json_array_size(resources); k++)
			add_aggregated(d, name, v, json_array_get(resources, k));
	}
}

/* ---- old servers: APIVersions, APIGroupList, APIResourceList */

static void read_versions(struct kube_discovery *d, const json_t *doc)
{
	const json_t *core = json_object_get(doc, "versions");
	const json_t *groups = json_object_get(doc, "groups");

	for (size_t i = 0; i < json_array_size(core); i++) {
		const char *version = json_string_value(json_array_get(core, i));

		if (version)
			strv_add(&d->versions, version);
	}
	for (size_t i = 0; i < json_array_size(groups); i++) {
		const json_t *versions = json_object_get(json_array_get(groups, i), "versions");

		for (size_t k = 0; k < json_array_size(versions); k++)
			strv_add(&d->versions, doc_text(json_array_get(versions, k), "groupVersion", "?"));
	}
}

static bool lists_status(const json_t *resources, const char *plural)
{
	AUTO_FREE char *name = xasprintf("%s/status", plural);

	for (size_t i = 0; i < json_array_size(resources); i++)
		if (strcmp(doc_text(json_array_get(resources, i), "name", ""), name) == 0)
			return true;
	return false;
}

static void read_resources(struct kube_discovery *d, const json_t *doc, const char *gv)
{
	const json_t *resources = json_object_get(doc, "resources");
	const char *slash = strchr(gv, '/');
	AUTO_FREE char *group = slash ? xstrndup(gv, (size_t)(slash - gv)) : xstrdup("");
	AUTO_FREE char *version = xstrdup(slash ? slash + 1 : gv);

	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *item = json_array_get(resources, i);
		AUTO_FREE char *plural = text_of(item, "name");
		AUTO_FREE char *kind = text_of(item, "kind");
		struct kube_resource r = {
			.group = group,
			.version = version,
			.kind = kind,
			.plural = plural,
			.namespaced = doc_bool(item, "namespaced", false),
			.has_status = lists_status(resources, plural),
		};

		if (*plural && *kind && !strchr(plural, '/'))
			kube_discovery_add(d, &r);
	}
}

int kube_discovery_read(struct kube_discovery *d, const json_t *doc, const char *gv,
						struct error *err)
{
	const char *kind = doc_text(doc, "kind", "");
	const json_t *items = json_object_get(doc, "items");

	if (gv && strcmp(kind, "APIResourceList") == 0) {
		read_resources(d, doc, gv);
		return 0;
	}
	if (!gv && strcmp(kind, "APIGroupDiscoveryList") == 0) {
		d->aggregated = true;
		for (size_t i = 0; i < json_array_size(items); i++)
			read_group(d, json_array_get(items, i));
		return 0;
	}
	if (!gv && (strcmp(kind, "APIVersions") == 0 || strcmp(kind, "APIGroupList") == 0)) {
		read_versions(d, doc);
		return 0;
	}
	return err_set(err, ERR_INPUT, "discovery: the server answers with a '%s'", kind);
}

/* ---- requests */

struct discovery_call {
	struct kube_discovery *d;
	const char *group_version; /* NULL: the first two */
};

static int discovered(void *user, int status, json_t *doc, struct error *err)
{
	struct discovery_call *call = user;

	if (err->code != ERR_NONE)
		/* a group that the server cannot reach, or that goes with its definition at this
		 * moment, fails only for those who need it */
		return call->group_version && (status >= 500 || status == 404) ? 0 : -1;
	if (call->group_version)
		strv_add(&call->d->loaded, call->group_version);
	return kube_discovery_read(call->d, doc, call->group_version, err);
}

int kube_discovery_want(struct kube_client *c, const struct strv *wanted, struct kube_discovery *d,
						struct error *err)
{
	AUTO_FREE struct discovery_call *calls = xcalloc(wanted->count + 1, sizeof(*calls));

	if (d->aggregated)
		return 0;
	for (size_t i = 0; i < wanted->count; i++) {
		const char *gv = wanted->items[i];
		AUTO_FREE char *path = xasprintf(strchr(gv, '/') ? "/apis/%s" : "/api/%s", gv);

		if (!strv_has(&d->versions, gv) || strv_has(&d->loaded, gv))
			continue;
		calls[i] = (struct discovery_call){d, gv};
		kube_start(c, &(struct kube_request){.path = path}, discovered, &calls[i]);
	}
	return kube_run(c, -1, err);
}

int kube_discovery_load(struct kube_client *c, const struct strv *wanted,
						struct kube_discovery *out, struct error *err)
{
	static const char *const paths[] = {"/api", "/apis"};
	AUTO(kube_discovery) struct kube_discovery found = {0};
	struct discovery_call call = {&found, NULL};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		kube_start(c, &(struct kube_request){.path = paths[i], .accept = ACCEPT}, discovered,
				   &call);
	if (kube_run(c, -1, err) < 0 || kube_discovery_want(c, wanted, &found, err) < 0)
		return -1;
	*out = MOVE(found);
	return 0;
}

const struct kube_resource *kube_discovery_find(const struct kube_discovery *d,
												const char *api_version, const char *kind)
{
	AUTO_FREE char *key = kind_key(api_version, kind);

	return map_get(&d->kinds, key);
}

const char *kube_discovery_elsewhere(const struct kube_discovery *d, const char *api_version,
									 const char *kind)
{
	const char *slash = strchr(api_version, '/');
	size_t len = slash ? (size_t)(slash - api_version) : 0;

	for (size_t i = 0; i < d->kinds.count; i++) {
		const struct kube_resource *r = d->kinds.entries[i].value;

		if (strcmp(r->kind, kind) == 0 &&
			(len == 0 || (strlen(r->group) == len && strncmp(r->group, api_version, len) == 0)))
			return d->kinds.entries[i].key;
	}
	return NULL;
}
