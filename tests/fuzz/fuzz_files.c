/* fuzz_files - whatever the layers of an image hold, the files that are listed are a tree: sorted,
 * each once, each in a folder that is there, none outside of the root.
 *
 * The input is layers one after the other, each with its length in two bytes in front. */
#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "oci/files.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define MAX_LAYERS 8

static void split(const uint8_t *data, size_t size, struct oci_store *store, struct oci_manifest *m,
				  struct oci_config *c)
{
	while (size > 2 && m->layer_count < MAX_LAYERS) {
		struct oci_descriptor *d = &m->layers[m->layer_count++];
		size_t len = (size_t)(data[0] << 8 | data[1]);
		struct error err = {0};

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		FUZZ_CHECK(oci_store_put(store, data, len, d->digest, &err) == 0);
		d->size = len;
		strv_add(&c->diff_ids, d->digest);
		data += len;
		size -= len;
	}
}

static void check_file(const struct oci_files *f, size_t i, size_t layers)
{
	const struct oci_file *x = f->items[i];
	AUTO_FREE char *dir = fs_dirname(x->path);
	const struct oci_file *above = oci_files_find(f, dir);
	const struct oci_file *reached = oci_files_follow(f, x->path);

	FUZZ_CHECK(x->path[0] && x->path[0] != '/' && x->layer < layers);
	FUZZ_CHECK(i == 0 || strcmp(f->items[i - 1]->path, x->path) < 0);
	FUZZ_CHECK(oci_files_find(f, x->path) == x);
	FUZZ_CHECK(strcmp(dir, ".") == 0 || (above && above->type == TAR_DIR));
	FUZZ_CHECK(strcmp(fs_basename(x->path), "..") != 0 && strcmp(fs_basename(x->path), ".") != 0);
	FUZZ_CHECK(strncmp(fs_basename(x->path), ".wh.", 4) != 0);
	FUZZ_CHECK(x->type == TAR_SYMLINK ? !reached || reached->type != TAR_SYMLINK : reached == x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *dir = NULL;
	AUTO_PTR(oci_store) struct oci_store *store = NULL;
	AUTO(oci_manifest) struct oci_manifest m = {0};
	AUTO(oci_config) struct oci_config c = {0};
	AUTO(oci_files) struct oci_files f = {0};
	struct error err = {0};

	FUZZ_CHECK(fs_temp_dir("/tmp", "msctl-fuzz-", &dir, &err) == 0);
	FUZZ_CHECK(oci_store_open(dir, &store, &err) == 0);
	m.layers = xcalloc(MAX_LAYERS, sizeof(m.layers[0]));
	split(data, size, store, &m, &c);
	if (oci_files_read(store, &m, &c, NULL, &f, &err) < 0)
		FUZZ_CHECK(err.code == ERR_INPUT && !f.items);
	for (size_t i = 0; i < f.count; i++)
		check_file(&f, i, m.layer_count);
	FUZZ_CHECK(fs_remove_tree(dir, &err) == 0);
	return 0;
}
