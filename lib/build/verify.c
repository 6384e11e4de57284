#include "build/verify.h"

#include "base/fs.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/compare.h"
#include "build/sources.h"

#include <fcntl.h>
#include <string.h>

#define ELSEWHERE "another/folder/with-a-longer-path"
#define OLDER_SECONDS 3600

/* The second build's world: everything is below root. */
struct world {
	char *root;
	char *source; /* the project's folder */
	char *top;    /* the repository's folder, or the project's; NULL when nothing is copied */
	char *copy;   /* of it */
	char *folder; /* the project's folder in the copy, or where it is */
	char *store;
	char *cache;
	struct strv env; /* of the steps */
	struct project project;
	struct oci_store *first, *second;
};

static void world_release(struct world *w)
{
	struct error ignored;

	project_release(&w->project);
	oci_store_free(w->first);
	oci_store_free(w->second);
	strv_release(&w->env);
	if (w->root)
		fs_remove_tree(w->root, &ignored);
	free(w->root);
	free(w->source);
	free(w->top);
	free(w->copy);
	free(w->folder);
	free(w->store);
	free(w->cache);
}

/* The folder above with a .git in it, or dir itself. Caller frees. */
static char *find_top(const char *dir)
{
	AUTO_FREE char *path = xstrdup(dir);

	for (;;) {
		AUTO_FREE char *git = fs_join(path, ".git");
		char *slash = strrchr(path, '/');

		if (fs_exists(git))
			return TAKE(path);
		if (!slash || slash == path)
			return xstrdup(dir);
		*slash = '\0';
	}
}

struct disturbance {
	LIST(char *) paths;
};

static void disturbance_release(struct disturbance *d)
{
	for (size_t i = 0; i < d->paths.count; i++)
		free(d->paths.items[i]);
	list_release(&d->paths);
}

static int disturb(void *user, const struct fs_entry *e, struct error *err)
{
	const struct timespec times[2] = {
		{.tv_sec = e->st.st_mtim.tv_sec - OLDER_SECONDS},
		{.tv_sec = e->st.st_mtim.tv_sec - OLDER_SECONDS, .tv_nsec = e->st.st_mtim.tv_nsec}};

	(void)user;
	if (S_ISLNK(e->st.st_mode))
		return 0;
	if (chmod(e->full_path, e->st.st_mode & 0700) < 0 ||
		utimensat(AT_FDCWD, e->full_path, times, 0) < 0)
		return err_errno(err, "cannot change %s", e->full_path);
	return 0;
}

/* Names that come to a folder in the reverse order stand in it in another one, on file systems that
 * keep it. */
static int note_path(void *user, const struct fs_entry *e, struct error *err)
{
	struct disturbance *d = user;

	(void)err;
	list_push(&d->paths, xstrdup(e->path));
	return 0;
}

static int reverse_order(const char *from, const char *to, struct error *err)
{
	AUTO(disturbance) struct disturbance d = {0};

	if (fs_walk(from, note_path, &d, err) < 0 || fs_mkdirs(to, 0755, err) < 0)
		return -1;
	for (size_t i = d.paths.count; i > 0; i--) {
		AUTO_FREE char *old = fs_join(from, d.paths.items[i - 1]);
		AUTO_FREE char *new = fs_join(to, d.paths.items[i - 1]);
		AUTO_FREE char *above = fs_dirname(new);

		/* folders are made for what is in them; an empty one is left to itself */
		if (fs_mkdirs(above, 0755, err) < 0)
			return -1;
		if (fs_is_dir(new))
			continue;
		if (rename(old, new) < 0)
			return err_errno(err, "cannot move %s", old);
	}
	return 0;
}

/* git finds its repository from the copy, and never writes to it. */
static int point_to_git(const struct world *w, struct error *err)
{
	AUTO_FREE char *git = fs_join(w->top, ".git");
	AUTO_FREE char *link = fs_join(w->copy, ".git");
	AUTO_FREE char *line = xasprintf("gitdir: %s\n", git);
	AUTO(buf) struct buf text = {0};

	if (!fs_exists(git))
		return 0;
	if (!fs_is_dir(git)) {
		if (fs_read_settled(git, 65536, &text, err) < 0)
			return -1;
	} else {
		buf_adds(&text, line);
	}
	return fs_write_atomic(link, buf_str(&text), text.len, 0600, err);
}

static int copy_sources(struct world *w, const struct cancel *cancel, struct error *err)
{
	AUTO_FREE char *stage = fs_join(w->root, "stage");
	AUTO_FREE char *list = fs_join(w->root, "list");
	AUTO_FREE char *place = fs_join(w->root, ELSEWHERE);

	w->top = find_top(w->source);
	w->copy = fs_join(place, fs_basename(w->top));
	w->folder = xasprintf("%s%s", w->copy, w->source + strlen(w->top));
	if (sources_copy(w->top, stage, list, cancel, err) < 0 ||
		reverse_order(stage, w->copy, err) < 0 || fs_walk(w->copy, disturb, NULL, err) < 0)
		return -1;
	return point_to_git(w, err);
}

static bool has_steps(const struct build_request *r)
{
	return !r->no_steps && (r->project->build.steps.count > 0 || r->project->build.copy_count == 0);
}

/* msctl.yaml in the copy; one that lies elsewhere (-f) is read from there. */
static int load_project(struct world *w, const struct build_verify *v, struct error *err)
{
	AUTO_FREE char *there = v->file ? fs_join(w->folder, fs_basename(v->file)) : NULL;

	if (!v->file)
		return project_load_any(w->folder, NULL, &w->project, err);
	if (!fs_exists(there)) {
		err_set(err, ERR_INPUT, "%s is not among the sources", v->file);
		return err_hint(err, "take it into the repository, or build without --verify");
	}
	return project_load(NULL, there, &w->project, err);
}

static int copy_blob(struct world *w, const struct oci_descriptor *d, struct error *err)
{
	AUTO_PTR(oci_blob_writer) struct oci_blob_writer *out = NULL;
	AUTO_FREE char *block = xmalloc(1u << 17);
	AUTO_CLOSE int in = -1;
	char digest[OCI_DIGEST_LEN + 1];
	ssize_t n;

	if (oci_store_has(w->second, d->digest, d->size))
		return 0;
	if (oci_store_open_blob(w->first, d, &in, err) < 0 ||
		oci_blob_writer_new(w->second, &out, err) < 0)
		return -1;
	while ((n = read(in, block, 1u << 17)) > 0)
		if (oci_blob_writer_add(out, block, (size_t)n, err) < 0)
			return -1;
	if (n < 0)
		return err_errno(err, "cannot read %s", d->digest);
	return oci_blob_writer_end(out, d, digest, err);
}

/* What of an image the first store has: of an index some platforms may be missing. */
static int copy_image(struct world *w, const struct oci_descriptor *d, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};

	if (oci_store_manifest(w->first, d, &m, err) < 0)
		return -1;
	for (size_t i = 0; i < m.layer_count; i++) {
		const struct oci_descriptor *part = &m.layers[i];

		if (!oci_store_has(w->first, part->digest, part->size))
			continue;
		if ((m.is_index ? copy_image(w, part, err) : copy_blob(w, part, err)) < 0)
			return -1;
	}
	if (!m.is_index && copy_blob(w, &m.config, err) < 0)
		return -1;
	return copy_blob(w, d, err);
}

/* An image that the build starts from; one that is not here is fetched by who looks on. */
static int bring(struct world *w, const char *name, struct error *err)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	struct error ignored;

	if (!name || strcmp(name, "scratch") == 0 || oci_ref_parse_tagged(name, &ref, &ignored) < 0 ||
		oci_store_find(w->first, &ref, &d, &ignored) < 0)
		return 0;
	if (copy_image(w, &d, err) < 0)
		return err_wrap(err, "%s", name);
	return oci_store_tag(w->second, &ref, &d, err);
}

static int open_stores(struct world *w, const struct build_request *r, struct error *err)
{
	const struct project_build *p = &r->project->build;

	if (oci_store_open(r->store, &w->first, err) < 0 ||
		oci_store_open(w->store, &w->second, err) < 0 || bring(w, p->base, err) < 0)
		return -1;
	return bring(w, r->toolchain ? r->toolchain : p->toolchain, err);
}

static int make_world(struct world *w, const struct build_verify *v, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	AUTO_FREE char *own = NULL;
	AUTO_FREE char *home = NULL;

	if (fs_temp_dir(tmp && *tmp ? tmp : "/tmp", "msctl-verify-", &own, err) < 0)
		return -1;
	w->root = realpath(own, NULL);
	if (!w->root)
		return err_errno(err, "cannot open folder %s", own);
	w->store = fs_join(w->root, "store");
	w->cache = fs_join(w->root, "cache");
	home = fs_join(w->root, "home");
	strv_addf(&w->env, "HOME=%s", home);
	strv_addf(&w->env, "TMPDIR=%s", home);
	strv_add(&w->env, "LANG=tlh");
	strv_add(&w->env, "GIT_OPTIONAL_LOCKS=0");
	if (fs_mkdirs(home, 0700, err) < 0)
		return -1;
	w->source = realpath(v->request->project->dir, NULL);
	if (!w->source)
		return err_errno(err, "cannot open folder %s", v->request->project->dir);
	if (has_steps(v->request))
		return copy_sources(w, v->request->cancel, err);
	w->folder = xstrdup(w->source);
	return 0;
}

/* What a clock says to the second must not be the same by chance. */
static void wait_for_second(const struct build_request *r)
{
	int64_t now = r->clock->wall_s(r->clock->user);

	while (!cancel_requested(r->cancel) && r->clock->wall_s(r->clock->user) == now)
		r->clock->sleep_ms(r->clock->user, 20);
}

int build_verify(const struct build_verify *v, struct error *err)
{
	AUTO(world) struct world w = {0};
	AUTO(build_result) struct build_result again = {0};
	struct build_request second = *v->request;
	AUTO_FREE char *scratch = NULL;
	struct compare_side a = {.image = &v->result->image}, b = {.image = &again.image};

	if (make_world(&w, v, err) < 0 || load_project(&w, v, err) < 0 ||
		open_stores(&w, v->request, err) < 0)
		return err_wrap(err, "cannot build a second time");
	second.project = &w.project;
	second.store = w.store;
	second.cache = w.cache;
	second.reference = v->result->ref;
	second.step_env = &w.env;
	second.threads = 1;
	second.no_cache = true;
	second.watch.layer = NULL;
	second.watch.explain = NULL;
	second.watch.note = NULL;
	wait_for_second(v->request);
	if (build_run(&second, &again, err) < 0) {
		err_wrap(err, "the second build, from a copy of the sources");
		if (err->code == ERR_INTERRUPTED)
			return -1;
		return err_hint(err, "it had only the files that git does not ignore, below another "
							 "folder: let the steps need nothing else");
	}
	a.store = w.first;
	b.store = w.second;
	a.sources = w.source;
	b.sources = w.folder;
	scratch = fs_join(w.root, "compare");
	if (fs_mkdirs(scratch, 0700, err) < 0)
		return -1;
	return build_compare(&a, &b, scratch, err);
}
