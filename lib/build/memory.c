#include "build/memory.h"

#include "base/fs.h"
#include "base/mem.h"
#include "build/keep.h"

#include <stdlib.h>
#include <string.h>

/* The next folder up that has a .git, or the project's own. */
static void find_root(struct build_memory *m, const char *dir)
{
	AUTO_FREE char *top = xstrdup(dir);

	for (;;) {
		AUTO_FREE char *git = fs_join(top, ".git");
		char *slash;

		if (fs_exists(git)) {
			m->has_git = true;
			m->is_repo = fs_is_dir(git);
			break;
		}
		slash = strrchr(top, '/');
		if (!slash || slash == top) {
			free(top);
			top = xstrdup(dir);
			break;
		}
		*slash = '\0';
	}
	m->within = strlen(dir) > strlen(top) ? xasprintf("%s/", dir + strlen(top) + 1) : xstrdup("");
	m->root = TAKE(top);
}

void build_memory_open(const struct build_request *request, struct build_memory **out)
{
	struct build_memory *m = xcalloc(1, sizeof(*m));
	AUTO_FREE char *dir = realpath(request->project->dir, NULL);
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];

	m->is_forgetful = request->no_cache;
	m->lock = -1;
	if (dir)
		find_root(m, dir);
	if (dir && request->cache) {
		m->cache = xstrdup(request->cache);
		sha256_of(dir, strlen(dir), sum);
		m->project = xasprintf("%s/projects/%.32s", m->cache, sha256_hex(sum, hex));
	}
	statindex_open(m->cache, m->is_forgetful, &m->sums);
	m->dir = xstrdup(request->project->dir);
	statindex_open(m->project, m->is_forgetful, &m->own);
	statindex_set_root(m->own, m->dir);
	*out = m;
}

void build_memory_free(struct build_memory *m)
{
	if (!m)
		return;
	build_memory_unlock(m);
	statindex_save(m->sums);
	statindex_free(m->sums);
	statindex_save(m->own);
	statindex_free(m->own);
	free(m->dir);
	free(m->cache);
	free(m->project);
	free(m->root);
	free(m->within);
	listing_release(&m->files);
	inputs_release(&m->settings);
	map_release(&m->outputs);
	free(m);
}

const struct listing *build_memory_files(struct build_memory *m, const struct cancel *cancel)
{
	if (!m->is_listed && m->root)
		listing_take(m->root, cancel, &m->files);
	m->is_listed = true;
	return &m->files;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = folder ? strlen(folder) : 0;

	return len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/';
}

struct statindex *build_memory_sums(const struct build_memory *m, const char *file)
{
	return file[0] != '/' || is_below(file, m->dir) || is_below(file, m->root) ? m->own : m->sums;
}

void build_memory_forget_files(struct build_memory *m)
{
	listing_release(&m->files);
	m->is_listed = false;
}

void build_memory_unlock(struct build_memory *m)
{
	if (m->lock >= 0)
		close(TAKE_FD(m->lock));
}

int build_file_sum(const struct build *b, const struct tree_node *n, struct statindex_sum *out,
				   struct error *err)
{
	AUTO_PTR(sha1) struct sha1 *weak = NULL;

	if (n->file)
		return statindex_get(build_memory_sums(b->stamp->memory, n->file), n->file, &n->seen,
							 b->request->cancel, out, err);
	sha256_of(n->data, n->size, out->sha256);
	weak = sha1_new();
	sha1_add(weak, n->data, n->size);
	sha1_end_hex(weak, out->sha1);
	return 0;
}
