#include "kube/config_files.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

void kube_config_files_release(struct kube_config_files *f)
{
	for (size_t i = 0; i < f->list.count; i++) {
		free(f->list.items[i].path);
		free(f->list.items[i].dir);
		yaml_file_release(&f->list.items[i].yaml);
	}
	list_release(&f->list);
	strv_release(&f->warnings);
}

int kube_config_files_add(struct kube_config_files *f, const char *path, struct span text,
						  struct error *err)
{
	AUTO(yaml_file) struct yaml_file yaml = {0};
	struct kube_config_file file;
	const char *kind;

	if (f->list.count >= KUBE_CONFIG_MAX_FILES)
		return err_set(err, ERR_INPUT, "%s: more than %d kubeconfig files", path,
					   KUBE_CONFIG_MAX_FILES);
	if (yaml_parse(text, path, &yaml, err) < 0)
		return -1;
	if (yaml.count == 0)
		return 0;
	if (yaml.count > 1 || !json_is_object(yaml.documents[0]))
		return err_set(err, ERR_INPUT, "%s: not a kubeconfig file", path);
	kind = doc_text(yaml.documents[0], "kind", "Config");
	if (strcmp(kind, "Config") != 0)
		return err_set(err, ERR_INPUT, "%s: not a kubeconfig file but a %s", path, kind);
	file = (struct kube_config_file){.path = xstrdup(path), .dir = fs_dirname(path)};
	file.root = yaml.documents[0];
	file.yaml = MOVE(yaml);
	list_push(&f->list, file);
	return 0;
}

/* Whoever can write the file can make us run a program. */
static int check_mode(struct kube_config_files *f, const char *path, const struct stat *st,
					  struct error *err)
{
	uid_t me = geteuid();

	if (st->st_mode & S_IWOTH) {
		err_set(err, ERR_DENIED, "%s can be written by everybody", path);
		return err_hint(err, "run 'chmod 600 %s' after checking what it says", path);
	}
	if (me != 0 && st->st_uid != me && st->st_uid != 0) {
		err_set(err, ERR_DENIED, "%s belongs to another user", path);
		return err_hint(err, "copy it to a file of your own");
	}
	if (st->st_mode & (S_IRGRP | S_IROTH))
		strv_addf(&f->warnings, "%s can be read by others: chmod 600 %s", path, path);
	return 0;
}

/* Returns 1 if it was there. */
static int add_path(struct kube_config_files *f, const char *path, bool must_exist,
					struct error *err)
{
	AUTO(buf) struct buf text = {0};
	struct stat st;

	if (stat(path, &st) < 0) {
		if (!must_exist && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		return err_errno(err, "cannot read kubeconfig %s", path);
	}
	for (size_t i = 0; i < f->list.count; i++)
		if (strcmp(f->list.items[i].path, path) == 0)
			return 0;
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_INPUT, "kubeconfig %s is a folder", path);
	if (check_mode(f, path, &st, err) < 0 || fs_read(path, YAML_MAX_BYTES, &text, err) < 0)
		return -1;
	return kube_config_files_add(f, path, buf_span(&text), err) < 0 ? -1 : 1;
}

static int add_list(struct kube_config_files *f, const char *list, struct error *err)
{
	while (*list) {
		size_t len = strcspn(list, ":");
		AUTO_FREE char *path = xstrndup(list, len);

		if (len > 0 && add_path(f, path, false, err) < 0)
			return -1;
		list += len + (list[len] == ':');
	}
	return 0;
}

int kube_config_files_load(const char *explicit_file, struct kube_config_files *out,
						   struct error *err)
{
	const char *list = getenv("KUBECONFIG");
	const char *home = getenv("HOME");
	AUTO_FREE char *path = NULL;

	if (explicit_file)
		return add_path(out, explicit_file, true, err) < 0 ? -1 : 0;
	if (list && *list)
		return add_list(out, list, err);
	if (!home || !*home)
		return 0;
	path = fs_join(home, ".kube/config");
	return add_path(out, path, false, err) < 0 ? -1 : 0;
}

const json_t *kube_config_files_find(const struct kube_config_files *f, const char *list,
									 const char *name, const struct kube_config_file **from)
{
	AUTO_FREE char *member = xstrndup(list, strlen(list) - 1);

	for (size_t i = 0; i < f->list.count; i++) {
		json_t *entries = json_object_get(f->list.items[i].root, list);

		for (size_t k = 0; k < json_array_size(entries); k++) {
			json_t *entry = json_array_get(entries, k);
			const json_t *content = json_object_get(entry, member);

			if (strcmp(doc_text(entry, "name", ""), name) != 0)
				continue;
			*from = &f->list.items[i];
			return json_is_object(content) ? content : entry;
		}
	}
	return NULL;
}

int kube_config_files_missing(const struct kube_config_files *f, const char *list, const char *name,
							  struct error *err)
{
	AUTO(strv) struct strv names = {0};
	AUTO_FREE char *what = xstrndup(list, strlen(list) - 1);
	const char *near = NULL;

	for (size_t i = 0; i < f->list.count; i++) {
		json_t *entries = json_object_get(f->list.items[i].root, list);

		for (size_t k = 0; k < json_array_size(entries) && names.count < 1000; k++)
			strv_add(&names, doc_text(json_array_get(entries, k), "name", ""));
	}
	if (names.count > 0)
		near = text_nearest(name, (const char *const *)names.items);
	err_set(err, ERR_MISSING, "kubeconfig has no %s '%s'", what, name);
	if (near)
		return err_hint(err, "did you mean '%s'?", near);
	if (names.count > 0)
		return err_hint(err, "it has '%s'%s", names.items[0], names.count > 1 ? " and others" : "");
	return err_hint(err, "it has no %s at all", list);
}

const char *kube_config_files_current(const struct kube_config_files *f)
{
	for (size_t i = 0; i < f->list.count; i++) {
		const char *current = doc_text(f->list.items[i].root, "current-context", "");

		if (*current)
			return current;
	}
	return NULL;
}
