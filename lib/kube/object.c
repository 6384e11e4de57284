#include "kube/object.h"

#include "base/auto.h"
#include "base/mem.h"
#include "http/url.h"

#include <ctype.h>
#include <string.h>

void kube_object_release(struct kube_object *o)
{
	json_decref(o->doc);
	free(o->api_version);
	free(o->kind);
	free(o->name);
	free(o->namespace_);
	free(o->file);
	memset(o, 0, sizeof(*o));
}

/* Names become path segments. RBAC allows nearly everything; others are DNS subdomains
 * (apimachinery api/validation/path and util/validation). */
static bool is_name(const char *name, bool rbac)
{
	size_t len = strlen(name);

	if (len == 0 || len > KUBE_MAX_NAME || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *p = name; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (rbac ? (c < 0x21 || c == 0x7f || c == '/' || c == '%')
				 : !(islower(c) || isdigit(c) || c == '-' || c == '.'))
			return false;
	}
	return rbac || (isalnum((unsigned char)name[0]) && isalnum((unsigned char)name[len - 1]));
}

static bool is_word(const char *text, const char *more)
{
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(more, *p))
			return false;
	return *text != '\0' && !strstr(text, "..");
}

static int check_identity(const struct kube_object *o, const char *where, struct error *err)
{
	bool rbac = strncmp(o->api_version, "rbac.authorization.k8s.io/", 26) == 0;

	if (!is_word(o->api_version, ".-/") || !is_word(o->kind, ""))
		return err_set(err, ERR_INPUT, "%s: '%s' '%s' is not an apiVersion and kind", where,
					   o->api_version, o->kind);
	if (!is_name(o->name, rbac)) {
		err_set(err, ERR_INPUT, "%s: %s has the name '%s', which is not allowed", where, o->kind,
				o->name);
		return err_hint(err, "use lower case letters, digits, '-' and '.', at most %d",
						KUBE_MAX_NAME);
	}
	if (o->namespace_ && (!is_name(o->namespace_, false) || strchr(o->namespace_, '.')))
		return err_set(err, ERR_INPUT, "%s: %s/%s has the namespace '%s', which is not allowed",
					   where, o->kind, o->name, o->namespace_);
	return 0;
}

int kube_object_read(json_t *doc, const char *where, struct kube_object *out, struct error *err)
{
	AUTO(kube_object) struct kube_object o = {0};
	const char *namespace_;

	if (!json_is_object(doc))
		return err_set(err, ERR_INPUT, "%s: not a Kubernetes object", where);
	if (!json_is_string(json_object_get(doc, "apiVersion")))
		return err_set(err, ERR_INPUT, "%s: apiVersion is missing", where);
	if (!json_is_string(json_object_get(doc, "kind")))
		return err_set(err, ERR_INPUT, "%s: kind is missing", where);
	o.api_version = xstrdup(doc_text(doc, "apiVersion", ""));
	o.kind = xstrdup(doc_text(doc, "kind", ""));
	if (json_is_number(doc_get(doc, "metadata.name"))) {
		err_set(err, ERR_INPUT, "%s: metadata.name of a %s is not text", where, o.kind);
		return err_hint(err, "write the name in quotes");
	}
	if (!json_is_string(doc_get(doc, "metadata.name"))) {
		err_set(err, ERR_INPUT, "%s: %s has no metadata.name", where, o.kind);
		if (doc_get(doc, "metadata.generateName"))
			return err_hint(err, "generateName cannot be applied twice: write a name");
		return -1;
	}
	o.name = xstrdup(doc_text(doc, "metadata.name", ""));
	namespace_ = doc_text(doc, "metadata.namespace", "");
	o.namespace_ = *namespace_ ? xstrdup(namespace_) : NULL;
	if (check_identity(&o, where, err) < 0)
		return -1;
	o.doc = json_incref(doc);
	*out = MOVE(o);
	return 0;
}

char *kube_object_label(const struct kube_object *o, const char *usual)
{
	if (usual && o->namespace_ && strcmp(o->namespace_, usual) != 0)
		return xasprintf("%s/%s/%s", o->namespace_, o->kind, o->name);
	return xasprintf("%s/%s", o->kind, o->name);
}

/* Walk a path like spec.containers[0].name as far as the tree has it. */
char *kube_object_where(const struct kube_object *o, const char *path)
{
	const char *file = o->file ? o->file : o->kind;
	const json_t *parent = o->origin;
	const char *p = path;
	char *best = o->origin ? doc_where(o->marks, file, o->origin, "kind", 0) : xstrdup(file);

	while (parent && *p) {
		AUTO_FREE char *key = NULL;
		const json_t *child;
		size_t index = 0;

		p += *p == '.';
		if (*p == '[') {
			index = (size_t)strtoul(p + 1, NULL, 10);
			child = json_array_get(parent, index);
			p += strcspn(p, "]");
			p += *p == ']';
		} else {
			size_t len = strcspn(p, ".[");

			key = xstrndup(p, len);
			child = json_object_get(parent, key);
			p += len;
		}
		if (!child)
			break;
		free(best);
		best = doc_where(o->marks, file, parent, key, index);
		parent = child;
	}
	return best;
}

char *kube_collection_path(const struct kube_resource *r, const char *namespace_)
{
	AUTO(buf) struct buf path = {0};

	if (*r->group)
		buf_addf(&path, "/apis/%s/%s", r->group, r->version);
	else
		buf_addf(&path, "/api/%s", r->version);
	if (r->namespaced && namespace_) {
		buf_adds(&path, "/namespaces/");
		url_encode(namespace_, &path);
	}
	buf_addf(&path, "/%s", r->plural);
	return buf_take(&path);
}

char *kube_object_path(const struct kube_object *o)
{
	AUTO_FREE char *collection = kube_collection_path(o->resource, o->namespace_);
	AUTO(buf) struct buf path = {0};

	buf_addf(&path, "%s/", collection);
	url_encode(o->name, &path);
	return buf_take(&path);
}

void kube_query_add(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(path, "%c%s=", strchr(buf_str(path), '?') ? '&' : '?', name);
	url_encode(value, path);
}

char *kube_log_path(const json_t *pod, const char *container, int lines, bool previous)
{
	AUTO(buf) struct buf path = {0};

	buf_adds(&path, "/api/v1/namespaces/");
	url_encode(doc_text(pod, "metadata.namespace", ""), &path);
	buf_adds(&path, "/pods/");
	url_encode(doc_text(pod, "metadata.name", ""), &path);
	buf_addf(&path, "/log?tailLines=%d", lines);
	kube_query_add(&path, "container", container);
	if (previous)
		buf_adds(&path, "&previous=true");
	return buf_take(&path);
}

json_t *kube_pod_spec(const json_t *doc)
{
	const char *kind = doc_text(doc, "kind", "");

	if (strcmp(kind, "CronJob") == 0)
		return doc_get(doc, "spec.jobTemplate.spec.template.spec");
	if (strcmp(kind, "Pod") == 0)
		return doc_get(doc, "spec");
	if (strcmp(kind, "PodTemplate") == 0)
		return doc_get(doc, "template.spec");
	return doc_get(doc, "spec.template.spec");
}

void kube_each_container(const json_t *pod_spec, void (*visit)(void *user, json_t *container),
						 void *user)
{
	static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const json_t *list = json_object_get(pod_spec, lists[i]);

		for (size_t k = 0; k < json_array_size(list); k++)
			if (json_is_object(json_array_get(list, k)))
				visit(user, json_array_get(list, k));
	}
}

char *kube_api_group(const char *api_version)
{
	const char *slash = strchr(api_version, '/');

	return slash ? xstrndup(api_version, (size_t)(slash - api_version)) : xstrdup("");
}

bool kube_kind_is(const struct kube_object *o, const char *group, const char *kind)
{
	AUTO_FREE char *own = kube_api_group(o->api_version);

	return strcmp(o->kind, kind) == 0 && strcmp(own, group) == 0;
}
