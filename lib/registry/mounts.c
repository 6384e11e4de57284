#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "registry/session.h"

#include <string.h>

#define MAX_FILE_BYTES (4u << 20)
#define MAX_DIGESTS 4096
#define MAX_NAMES 4 /* repositories remembered for a blob */

void mounts_load(struct mounts *m, const char *cache_dir, const char *host)
{
	AUTO(buf) struct buf text = {0};
	AUTO_JSON json_t *doc = NULL;
	struct error ignored;

	*m = (struct mounts){0};
	if (cache_dir)
		m->path = xasprintf("%s/blobs/%s.json", cache_dir, host);
	if (m->path && fs_read(m->path, MAX_FILE_BYTES, &text, &ignored) == 0 &&
		doc_json_parse(buf_span(&text), m->path, &doc, &ignored) == 0 && json_is_object(doc))
		m->doc = TAKE(doc);
	else
		m->doc = json_object();
}

void mounts_release(struct mounts *m)
{
	free(m->path);
	json_decref(m->doc);
	*m = (struct mounts){0};
}

/* The file is advice from a folder that others may write to: a name is used only if it could be
 * one. */
static bool is_name(const char *text)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO_FREE char *full = text ? xasprintf("h.example/%s", text) : NULL;
	struct error ignored;

	return full && oci_ref_parse(full, &ref, &ignored) == 0 && strcmp(ref.name, text) == 0;
}

bool mounts_has(const struct mounts *m, const char *digest, const char *name)
{
	const json_t *names = json_object_get(m->doc, digest);

	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *have = json_string_value(json_array_get(names, i));

		if (have && strcmp(have, name) == 0)
			return true;
	}
	return false;
}

const char *mounts_find(const struct mounts *m, const char *digest, const char *into)
{
	const json_t *names = json_object_get(m->doc, digest);

	if (mounts_has(m, digest, into))
		return NULL;
	for (size_t i = 0; i < json_array_size(names) && i < MAX_NAMES; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (is_name(name))
			return name;
	}
	return NULL;
}

void mounts_add(struct mounts *m, const char *digest, const char *name)
{
	json_t *names = json_object_get(m->doc, digest);

	if (!json_is_array(names)) {
		if (json_object_size(m->doc) >= MAX_DIGESTS)
			return;
		names = json_array();
		json_object_set_new(m->doc, digest, names);
	}
	if (mounts_has(m, digest, name))
		return;
	json_array_insert_new(names, 0, json_string(name));
	while (json_array_size(names) > MAX_NAMES)
		json_array_remove(names, json_array_size(names) - 1);
	m->changed = true;
}

void mounts_save(struct mounts *m)
{
	AUTO(buf) struct buf text = {0};
	AUTO_FREE char *dir = m->path ? fs_dirname(m->path) : NULL;
	struct error ignored;

	if (!m->path || !m->changed || fs_mkdirs(dir, 0700, &ignored) < 0)
		return;
	doc_json_write(m->doc, &text);
	fs_write_atomic(m->path, text.data, text.len, 0600, &ignored);
}
