#include "kube/apply.h"

#include "base/auto.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/base64.h"

#include <string.h>

/* ---- the body */

static void drop_nulls(json_t *doc)
{
	const char *key;
	json_t *value;
	void *next;
	size_t i;

	if (json_is_object(doc)) {
		json_object_foreach_safe(doc, next, key, value)
		{
			if (json_is_null(value))
				json_object_del(doc, key);
			else
				drop_nulls(value);
		}
	}
	json_array_foreach(doc, i, value) drop_nulls(value);
}

static void add_protocol(json_t *ports)
{
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i);

		if (json_is_object(port) && !json_object_get(port, "protocol"))
			json_object_set_new(port, "protocol", json_string("TCP"));
	}
}

/* "cpu: 0.5" is a number in YAML, and server-side apply wants a quantity's text. */
static void quantities_as_text(json_t *amounts)
{
	const char *name;
	json_t *value;

	json_object_foreach(amounts, name, value)
	{
		/* not 0.10000000000000001, which the server rounds up to 101m */
		AUTO_FREE char *text = json_is_number(value)
								   ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
								   : NULL;

		if (text)
			json_object_set_new(amounts, name, json_string(text));
	}
}

static void normalize_container(void *user, json_t *container)
{
	(void)user;
	add_protocol(json_object_get(container, "ports"));
	quantities_as_text(doc_get(container, "resources.limits"));
	quantities_as_text(doc_get(container, "resources.requests"));
}

static void rule_protocols(const json_t *rules)
{
	for (size_t i = 0; i < json_array_size(rules); i++)
		add_protocol(json_object_get(json_array_get(rules, i), "ports"));
}

/* stringData is write-only: as it is, nobody could tell whether it changed. */
static void move_string_data(json_t *doc)
{
	json_t *plain = json_object_get(doc, "stringData");
	json_t *data = json_object_get(doc, "data");
	const char *key;
	json_t *value;

	if (!json_is_object(plain))
		return;
	if (!json_is_object(data)) {
		data = json_object();
		json_object_set_new(doc, "data", data);
	}
	json_object_foreach(plain, key, value)
	{
		AUTO(buf) struct buf encoded = {0};

		base64_encode(json_string_value(value), json_string_length(value), &encoded);
		json_object_set_new(data, key, json_string(buf_str(&encoded)));
	}
	json_object_del(doc, "stringData");
}

static int check_value(const struct kube_object *o, const char *map, const char *key,
					   const json_t *value, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s.%s", map, key);
	AUTO_FREE char *where = kube_object_where(o, path);
	AUTO(buf) struct buf decoded = {0};
	struct error ignored;
	bool bytes = false;

	if (json_is_null(value))
		return 0;
	if (!json_is_string(value)) {
		err_set(err, ERR_INPUT, "%s: %s/%s: %s is not text", where, o->kind, o->name, path);
		return err_hint(err, "write the value in quotes");
	}
	if (strcmp(map, "data") != 0)
		return 0;
	bytes =
		base64_decode(json_string_value(value), json_string_length(value), &decoded, &ignored) == 0;
	if (decoded.data)
		explicit_bzero(decoded.data, decoded.len);
	if (bytes)
		return 0;
	err_set(err, ERR_INPUT, "%s: %s/%s: %s is not base64", where, o->kind, o->name, path);
	return err_hint(err, "write plain text below stringData");
}

int kube_secret_check(const struct kube_object *o, struct error *err)
{
	static const char *const maps[] = {"data", "stringData"};

	if (!kube_kind_is(o, "", "Secret"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(maps); i++) {
		const char *key;
		json_t *value;

		json_object_foreach(json_object_get(o->doc, maps[i]), key,
							value) if (check_value(o, maps[i], key, value, err) < 0) return -1;
	}
	return 0;
}

void kube_apply_normalize(json_t *doc)
{
	static const char *const servers[] = {"managedFields", "resourceVersion",   "generation",
										  "uid",           "creationTimestamp", "selfLink"};
	const char *kind = doc_text(doc, "kind", "");
	json_t *metadata = json_object_get(doc, "metadata");

	drop_nulls(doc);
	json_object_del(doc, "status");
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		json_object_del(metadata, servers[i]);
	kube_each_container(kube_pod_spec(doc), normalize_container, NULL);
	quantities_as_text(doc_get(doc, "spec.hard"));
	quantities_as_text(doc_get(doc, "spec.capacity"));
	quantities_as_text(doc_get(doc, "spec.resources.requests"));
	if (strcmp(kind, "Service") == 0)
		add_protocol(doc_get(doc, "spec.ports"));
	if (strcmp(kind, "NetworkPolicy") == 0) {
		rule_protocols(doc_get(doc, "spec.ingress"));
		rule_protocols(doc_get(doc, "spec.egress"));
	}
	if (strcmp(kind, "Secret") == 0)
		move_string_data(doc);
}

char *kube_apply_path(const struct kube_object *o, const struct kube_apply_options *options)
{
	AUTO_FREE char *path = kube_object_path(o);

	return xasprintf("%s?fieldManager=" KUBE_MANAGER "&force=%s&fieldValidation=Strict%s", path,
					 options->force ? "true" : "false", options->dry_run ? "&dryRun=All" : "");
}

/* ---- conflicts */

void kube_conflicts_release(struct kube_conflicts *c)
{
	strv_release(&c->shared);
	strv_release(&c->taken);
	strv_release(&c->open);
}

enum kube_conflict_action kube_conflict_decide(const char *field, const char *manager)
{
	static const struct {
		const char *manager, *field; /* patterns; the first row that matches both decides */
		enum kube_conflict_action action;
	} rules[] = {
		{"kubectl*", "*", KUBE_CONFLICT_TAKE},
		{"helm*", "*", KUBE_CONFLICT_TAKE},
		{"Helm*", "*", KUBE_CONFLICT_TAKE},
		{"msctl*", "*", KUBE_CONFLICT_TAKE},
		{"before-first-apply", "*", KUBE_CONFLICT_TAKE},
		{"kube-controller-manager", ".spec.replicas", KUBE_CONFLICT_SHARE},
		{"*autoscaler*", ".spec.replicas", KUBE_CONFLICT_SHARE},
		{"keda*", ".spec.replicas", KUBE_CONFLICT_SHARE},
		{"vpa*", "*.resources.*", KUBE_CONFLICT_SHARE},
		{"*autoscaler*", "*.resources.*", KUBE_CONFLICT_SHARE},
		{"*", ".spec.clusterIP*", KUBE_CONFLICT_SHARE},
		{"*", "*.nodePort", KUBE_CONFLICT_SHARE},
		{"*", ".spec.healthCheckNodePort", KUBE_CONFLICT_SHARE},
		{"*", "*.caBundle", KUBE_CONFLICT_SHARE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (text_glob(rules[i].manager, manager) && text_glob(rules[i].field, field))
			return rules[i].action;
	return KUBE_CONFLICT_STOP;
}

/* The name in: conflict with "kubectl-scale" with subresource "scale" using apps/v1 */
static char *manager_of(const char *message)
{
	const char *start = strchr(message, '"');
	const char *end = start ? strchr(start + 1, '"') : NULL;

	return end ? xstrndup(start + 1, (size_t)(end - start - 1)) : xstrdup("another manager");
}

static void decide_cause(const json_t *cause, json_t *desired, struct kube_conflicts *c)
{
	const char *field = doc_text(cause, "field", "");
	AUTO_FREE char *manager = manager_of(doc_text(cause, "message", ""));

	switch (kube_conflict_decide(field, manager)) {
	case KUBE_CONFLICT_TAKE:
		strv_addf(&c->taken, "%s (from %s)", field + (*field == '.'), manager);
		return;
	case KUBE_CONFLICT_SHARE:
		if (kube_field_remove(desired, field)) {
			strv_add(&c->shared, field + (*field == '.'));
			return;
		}
		break;
	case KUBE_CONFLICT_STOP:
		break;
	}
	strv_addf(&c->open, "%s is managed by %s", field + (*field == '.'), manager);
}

bool kube_conflicts_resolve(const json_t *status, json_t *desired, struct kube_conflicts *c)
{
	const json_t *causes = doc_get(status, "details.causes");
	bool any = false;

	for (size_t i = 0; i < json_array_size(causes); i++) {
		const json_t *cause = json_array_get(causes, i);

		if (strcmp(doc_text(cause, "reason", ""), "FieldManagerConflict") != 0)
			continue;
		any = true;
		decide_cause(cause, desired, c);
	}
	return any && c->open.count == 0;
}

size_t kube_apply_share(const json_t *live, json_t *desired)
{
	const char *owner;

	if (!doc_get(desired, "spec.replicas"))
		return 0;
	owner = kube_field_updater(live, "spec.replicas", KUBE_MANAGER);
	if (!owner || kube_conflict_decide(".spec.replicas", owner) != KUBE_CONFLICT_SHARE)
		return 0;
	return kube_field_remove(desired, ".spec.replicas") ? 1 : 0;
}

bool kube_is_immutable(int status, const json_t *status_doc)
{
	const char *message = doc_text(status_doc, "message", "");

	return (status == 422 || status == 409 || status == 403) &&
		   (strstr(message, "is immutable") || strstr(message, "immutable field") ||
			strstr(message, "updates to statefulset spec for fields other than"));
}
