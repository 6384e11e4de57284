#include "oci/config.h"

#include "base/auto.h"
#include "base/mem.h"

#include <string.h>

void oci_config_release(struct oci_config *c)
{
	strv_release(&c->entrypoint);
	strv_release(&c->cmd);
	strv_release(&c->env);
	strv_release(&c->exposed_ports);
	strv_release(&c->diff_ids);
	free(c->user);
	free(c->workdir);
	free(c->stop_signal);
	free(c->created);
	json_decref(c->labels);
	json_decref(c->json);
	*c = (struct oci_config){0};
}

static void take_texts(const json_t *array, struct strv *out)
{
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item) strv_add(out, json_string_value(item));
}

static int take_platform(const char *os, const char *arch, const char *variant, const char *name,
						 struct oci_platform *out, struct error *err)
{
	AUTO_FREE char *text =
		xasprintf("%s/%s%s%s", os, arch, variant && variant[0] ? "/" : "", variant ? variant : "");

	if (oci_platform_parse(text, out, err) < 0)
		return err_wrap(err, "%s", name);
	return 0;
}

static int take_rootfs(const json_t *rootfs, const char *name, struct strv *diff_ids,
					   struct error *err)
{
	struct fields {
		const char *type;
		json_t *diff_ids;
	} f = {0};
	static const struct doc_field table[] = {
		DOC_FIELD(struct fields, type, "type", DOC_TEXT, true),
		DOC_FIELD(struct fields, diff_ids, "diff_ids", DOC_TEXTS, true),
		DOC_FIELDS_END,
	};
	struct doc_context where = {.name = name, .path = "rootfs"};

	if (doc_read(rootfs, table, &where, &f, err) < 0)
		return -1;
	if (strcmp(f.type, "layers") != 0)
		return err_set(err, ERR_INPUT, "%s: rootfs.type is '%s', expected 'layers'", name, f.type);
	if (json_array_size(f.diff_ids) > OCI_MAX_LAYERS)
		return err_set(err, ERR_INPUT, "%s: more than %d layers", name, OCI_MAX_LAYERS);
	take_texts(f.diff_ids, diff_ids);
	for (size_t i = 0; i < diff_ids->count; i++)
		if (!oci_is_digest(diff_ids->items[i]))
			return err_set(err, ERR_INPUT, "%s: rootfs.diff_ids[%zu]: '%s' is no valid digest",
						   name, i, diff_ids->items[i]);
	return 0;
}

static int take_execution(const json_t *object, const char *name, struct oci_config *c,
						  struct error *err)
{
	struct fields {
		const char *user, *workdir, *stop_signal;
		json_t *entrypoint, *cmd, *env, *ports, *labels;
	} f = {.user = "", .workdir = "", .stop_signal = ""};
	static const struct doc_field table[] = {
		DOC_FIELD(struct fields, user, "User", DOC_TEXT, false),
		DOC_FIELD(struct fields, workdir, "WorkingDir", DOC_TEXT, false),
		DOC_FIELD(struct fields, stop_signal, "StopSignal", DOC_TEXT, false),
		DOC_FIELD(struct fields, entrypoint, "Entrypoint", DOC_TEXTS, false),
		DOC_FIELD(struct fields, cmd, "Cmd", DOC_TEXTS, false),
		DOC_FIELD(struct fields, env, "Env", DOC_TEXTS, false),
		DOC_FIELD(struct fields, ports, "ExposedPorts", DOC_OBJECT, false),
		DOC_FIELD(struct fields, labels, "Labels", DOC_TEXT_MAP, false),
		DOC_FIELDS_END,
	};
	struct doc_context where = {.name = name, .path = "config"};
	const char *port;
	json_t *unused;

	if (object && doc_read(object, table, &where, &f, err) < 0)
		return -1;
	take_texts(f.entrypoint, &c->entrypoint);
	take_texts(f.cmd, &c->cmd);
	take_texts(f.env, &c->env);
	for (size_t i = 0; i < c->env.count; i++)
		if (!strchr(c->env.items[i], '=') || c->env.items[i][0] == '=')
			return err_set(err, ERR_INPUT, "%s: config.Env[%zu]: '%s' is not NAME=VALUE", name, i,
						   c->env.items[i]);
	json_object_foreach(f.ports, port, unused) strv_add(&c->exposed_ports, port);
	c->user = xstrdup(f.user);
	c->workdir = xstrdup(f.workdir);
	c->stop_signal = xstrdup(f.stop_signal);
	c->labels = json_incref(f.labels);
	return 0;
}

int oci_config_parse(struct span bytes, const char *name, struct oci_config *out, struct error *err)
{
	struct fields {
		const char *os, *arch, *variant, *created;
		json_t *config, *rootfs;
	} f = {0};
	static const struct doc_field table[] = {
		DOC_FIELD(struct fields, os, "os", DOC_TEXT, true),
		DOC_FIELD(struct fields, arch, "architecture", DOC_TEXT, true),
		DOC_FIELD(struct fields, variant, "variant", DOC_TEXT, false),
		DOC_FIELD(struct fields, created, "created", DOC_TEXT, false),
		DOC_FIELD(struct fields, config, "config", DOC_OBJECT, false),
		DOC_FIELD(struct fields, rootfs, "rootfs", DOC_OBJECT, true),
		DOC_FIELDS_END,
	};
	AUTO(oci_config) struct oci_config c = {0};
	struct doc_context where = {.name = name};

	if (bytes.len > OCI_MAX_MANIFEST_BYTES)
		return err_set(err, ERR_INPUT, "%s is larger than %u bytes", name, OCI_MAX_MANIFEST_BYTES);
	if (doc_json_parse(bytes, name, &c.json, err) < 0)
		return -1;
	if (!json_is_object(c.json))
		return err_set(err, ERR_INPUT, "%s is no JSON object", name);
	if (doc_read(c.json, table, &where, &f, err) < 0 ||
		take_platform(f.os, f.arch, f.variant, name, &c.platform, err) < 0 ||
		take_rootfs(f.rootfs, name, &c.diff_ids, err) < 0 ||
		take_execution(f.config, name, &c, err) < 0)
		return -1;
	c.created = xstrdup_opt(f.created);
	*out = MOVE(c);
	return 0;
}

static json_t *texts(const struct strv *v)
{
	json_t *array = json_array();

	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(array, json_string(v->items[i]));
	return array;
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text && text[0])
		json_object_set_new(object, key, json_string(text));
	else
		json_object_del(object, key);
}

static void set_texts(json_t *object, const char *key, const struct strv *v)
{
	if (v->count > 0)
		json_object_set_new(object, key, texts(v));
	else
		json_object_del(object, key);
}

static void write_execution(const struct oci_config *c, json_t *config)
{
	set_text(config, "User", c->user);
	set_text(config, "WorkingDir", c->workdir);
	set_text(config, "StopSignal", c->stop_signal);
	set_texts(config, "Entrypoint", &c->entrypoint);
	set_texts(config, "Cmd", &c->cmd);
	set_texts(config, "Env", &c->env);
	json_object_del(config, "ExposedPorts");
	if (c->exposed_ports.count > 0) {
		json_t *ports = json_object();

		for (size_t i = 0; i < c->exposed_ports.count; i++)
			json_object_set_new(ports, c->exposed_ports.items[i], json_object());
		json_object_set_new(config, "ExposedPorts", ports);
	}
	json_object_del(config, "Labels");
	if (json_object_size(c->labels) > 0)
		json_object_set(config, "Labels", c->labels);
	/* triggers of the base have run when an image is built from it; they are not inherited */
	json_object_del(config, "OnBuild");
}

/* The member of that kind, made when it is absent or null. Borrowed. */
static json_t *member(json_t *doc, const char *key, json_t *fresh)
{
	json_t *have = json_object_get(doc, key);

	if (have && json_typeof(have) == json_typeof(fresh)) {
		json_decref(fresh);
		return have;
	}
	json_object_set_new(doc, key, fresh);
	return fresh;
}

void oci_config_write(const struct oci_config *c, const struct strv *created_by, struct buf *out)
{
	AUTO_JSON json_t *doc = c->json ? json_deep_copy(c->json) : json_object();
	json_t *history = member(doc, "history", json_array());
	json_t *rootfs = member(doc, "rootfs", json_object());

	set_text(doc, "architecture", c->platform.arch);
	set_text(doc, "os", c->platform.os);
	set_text(doc, "variant", c->platform.variant);
	set_text(doc, "created", c->created);
	write_execution(c, member(doc, "config", json_object()));
	for (size_t i = 0; i < created_by->count; i++) {
		json_t *entry = json_object();

		set_text(entry, "created", c->created);
		set_text(entry, "created_by", created_by->items[i]);
		json_array_append_new(history, entry);
	}
	json_object_set_new(rootfs, "type", json_string("layers"));
	json_object_set_new(rootfs, "diff_ids", texts(&c->diff_ids));
	doc_json_write(doc, out);
}

int oci_config_check_platform(const struct oci_config *c, const struct oci_platform *want,
							  struct error *err)
{
	AUTO_FREE char *is = oci_platform_text(&c->platform);
	AUTO_FREE char *wanted = oci_platform_text(want);

	if (oci_platform_equals(&c->platform, want))
		return 0;
	return err_set(err, ERR_MISSING, "the image is for %s, not for %s", is, wanted);
}
