/* config_files.h - kubeconfig files as loaded, before one context is chosen. Inside lib/kube only.
 */
#pragma once

#include "base/list.h"
#include "doc/yaml.h"
#include "kube/config.h"

struct kube_config_file {
	char *path;
	char *dir;
	struct yaml_file yaml;
	const json_t *root; /* borrowed from yaml; an object */
};

struct kube_config_files {
	LIST(struct kube_config_file) list;
	struct strv warnings;
};

void kube_config_files_release(struct kube_config_files *f);
int kube_config_files_load(const char *explicit_file, struct kube_config_files *out,
						   struct error *err);
/* One more file from text. */
int kube_config_files_add(struct kube_config_files *f, const char *path, struct span text,
						  struct error *err);

/* The entry `name` of a list ("contexts", "clusters", "users"); the member that holds its content
 * is the list's name without the s. *from: the file that has it. NULL when there is none. */
const json_t *kube_config_files_find(const struct kube_config_files *f, const char *list,
									 const char *name, const struct kube_config_file **from);
/* ERR_MISSING naming the nearest entry. Returns -1. */
int kube_config_files_missing(const struct kube_config_files *f, const char *list, const char *name,
							  struct error *err);
const char *kube_config_files_current(const struct kube_config_files *f);

/* The credentials of one user's entry. */
int kube_config_read_user(const json_t *user, const struct kube_config_file *from,
						  struct kube_config *out, struct error *err);
/* Bytes of "<key>-data" (base64) or of the file "<key>". Neither: *out stays empty. */
int kube_config_read_bytes(const json_t *entry, const char *key,
						   const struct kube_config_file *from, struct buf *out, struct error *err);
/* Header values and tokens come from files: control bytes would smuggle headers. ERR_INPUT. */
int kube_config_check_header(const char *what, const char *value, struct error *err);
