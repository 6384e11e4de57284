#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "build/collect.h"
#include "build/skip.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void build_result_release(struct build_result *r)
{
	free(r->ref);
	oci_descriptor_release(&r->image);
	for (size_t i = 0; i < r->image_count; i++)
		oci_descriptor_release(&r->images[i].image);
	free(r->images);
	*r = (struct build_result){0};
}

void build_release(struct build *b)
{
	build_plan_release(&b->plan);
	build_toolchain_close(b);
	free(b->sysroot);
	free(b->cross_root);
	elf_closure_release(&b->closure);
	for (size_t i = 0; i < b->taken_count; i++) {
		free(b->taken[i].path);
		free(b->taken[i].file);
	}
	free(b->taken);
	map_release(&b->over);
	strv_release(&b->programs);
	strv_release(&b->entrypoint);
	tree_release(&b->tree);
	json_decref(b->reasons);
	for (size_t i = 0; i < BUILD_LIBRARY_LAYERS; i++)
		free(b->library_groups[i]);
	oci_manifest_release(&b->base);
	oci_config_release(&b->base_config);
}

void build_note(const struct build *b, const char *fmt, ...)
{
	const struct build_watch *w = &b->request->watch;
	va_list ap;

	if (!w->note)
		return;
	va_start(ap, fmt);
	AUTO_FREE char *text = xvasprintf(fmt, ap);
	va_end(ap);
	w->note(w->user, text);
}

void build_explain(const struct build *b, bool was_cached, const char *what, const char *fmt, ...)
{
	const struct build_watch *w = &b->request->watch;
	bool is_one = b->request->platforms.count < 2 && b->project->build.platforms.count < 2;
	AUTO_FREE char *platform = oci_platform_text(&b->platform);
	AUTO_FREE char *full = is_one ? xstrdup(what) : xasprintf("%s %s", platform, what);
	va_list ap;

	if (!w->explain)
		return;
	va_start(ap, fmt);
	AUTO_FREE char *why = xvasprintf(fmt, ap);
	va_end(ap);
	w->explain(w->user, full, was_cached, why);
}

const char *build_compression(const struct build *b)
{
	const char *asked = b->request->compression;

	return asked ? asked : b->project->build.compression;
}

/* What this version cannot build is refused, never left out silently. */
static int check_request(const struct build_request *request, struct error *err)
{
	const struct project *p = request->project;
	const char *sysroot = request->sysroot ? request->sysroot : p->build.sysroot;

	if (!p->is_written && build_find_system(p->dir) == BUILD_WRITTEN) {
		err_set(err, ERR_MISSING, "%s has no msctl.yaml, and nothing that says how it is compiled",
				p->dir);
		return err_hint(err,
						"there is to be a meson.build, CMakeLists.txt, configure, Makefile, or an "
						"msctl.yaml with build.steps and build.copy; 'msctl new NAME' starts a "
						"project");
	}
	if (sysroot && !fs_is_dir(sysroot)) {
		err_set(err, ERR_MISSING, "the sysroot %s is no folder", sysroot);
		return err_hint(err, "name the root of a system for the platform to build for");
	}
	if (!p->build.dockerfile)
		return 0;
	err_set(err, ERR_INPUT, "%s: build.dockerfile is not built by this version yet", p->file);
	return err_hint(err, "write build.steps and build.copy instead, or run 'docker build'");
}

/* One place for each platform; the same one twice is one. */
static int choose_platforms(const struct build_request *request, struct build_result *r,
							struct error *err)
{
	const struct project *p = request->project;
	bool is_asked = request->platforms.count > 0;
	const struct strv *texts = is_asked ? &request->platforms : &p->build.platforms;

	r->images = xcalloc(texts->count, sizeof(r->images[0]));
	for (size_t i = 0; i < texts->count; i++) {
		struct oci_platform platform = {0};
		bool is_new = true;

		if (oci_platform_parse(texts->items[i], &platform, err) < 0)
			return is_asked ? -1 : err_wrap(err, "%s: build.platforms", p->file);
		if (strcmp(platform.os, "linux") != 0)
			return err_set(err, ERR_INPUT, "cannot build for %s: only linux is built",
						   texts->items[i]);
		for (size_t k = 0; k < r->image_count; k++)
			if (oci_platform_equals(&r->images[k].platform, &platform))
				is_new = false;
		if (is_new)
			r->images[r->image_count++].platform = platform;
	}
	if (r->image_count > BUILD_MAX_PLATFORMS)
		return err_set(err, ERR_INPUT, "an image for more than %d platforms", BUILD_MAX_PLATFORMS);
	return 0;
}

/* The store's door stays shut until there is something to bring in. */
static int open_store(struct build *b, struct oci_store **store, struct error *err)
{
	if (!*store && oci_store_open(b->request->store, store, err) < 0)
		return -1;
	b->store = *store;
	return 0;
}

static int build_tree(struct build *b, struct oci_store **store, struct error *err)
{
	if (build_gather(b, err) < 0)
		return -1;
	if (strcmp(b->project->build.base, "scratch") != 0 &&
		(open_store(b, store, err) < 0 || build_base(b, err) < 0))
		return -1;
	if (build_libraries(b, err) < 0 || build_gates(b, err) < 0 || build_system(b, err) < 0 ||
		build_place(b, err) < 0 || build_capabilities(b, err) < 0 || build_check_start(b, err) < 0)
		return -1;
	return build_group_libraries(b, err);
}

/* The image of one platform, and the documents beside it. */
static int build_one(const struct build_request *request, const struct build_stamp *stamp,
					 struct oci_store **store, struct build_image *image,
					 struct build_documents *documents, struct error *err)
{
	struct oci_platform host;
	AUTO(build)
	struct build b = {.request = request,
					  .project = request->project,
					  .stamp = stamp,
					  .store = *store,
					  .platform = image->platform};
	int64_t start;

	oci_platform_host(&host);
	b.is_cross = strcmp(host.arch, b.platform.arch) != 0;
	if (build_toolchain_open(&b, err) < 0 || build_make_plan(&b, err) < 0 ||
		build_steps(&b, err) < 0)
		return -1;
	build_keep_steps(&b);
	start = clock_now(request->clock);
	if (build_tree(&b, store, err) < 0 || open_store(&b, store, err) < 0 ||
		build_write_image(&b, image, err) < 0 || build_sbom(&b, &image->image, documents, err) < 0)
		return -1;
	image->image_ms = clock_now(request->clock) - start;
	return 0;
}

/* What is made on the way to a result. */
struct work {
	struct build_stamp stamp;
	struct oci_store *store;
	struct build_documents *documents;
	size_t count;
};

static void work_release(struct work *w)
{
	build_stamp_release(&w->stamp);
	for (size_t i = 0; i < w->count; i++)
		build_documents_release(&w->documents[i]);
	free(w->documents);
	oci_store_free(w->store);
}

int build_run(const struct build_request *request, struct build_result *result, struct error *err)
{
	AUTO(build_result) struct build_result r = {0};
	AUTO(work) struct work w = {0};

	if (check_request(request, err) < 0 || build_check_license(request->project, err) < 0 ||
		choose_platforms(request, &r, err) < 0 || build_stamp(request, &w.stamp, err) < 0)
		return -1;
	w.count = r.image_count;
	w.documents = xcalloc(w.count, sizeof(w.documents[0]));
	for (size_t i = 0; i < r.image_count; i++) {
		AUTO_FREE char *platform = oci_platform_text(&r.images[i].platform);

		if (build_one(request, &w.stamp, &w.store, &r.images[i], &w.documents[i], err) < 0)
			return r.image_count > 1 ? err_wrap(err, "%s", platform) : -1;
	}
	if (build_name(&w.stamp, w.store, &r, w.documents, err) < 0)
		return -1;
	build_keep_caps(w.store, request->cache);
	r.ref = oci_ref_text(&w.stamp.ref);
	r.created = w.stamp.created;
	*result = MOVE(r);
	return 0;
}
