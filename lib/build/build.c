#include "build/private.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void build_result_release(struct build_result *r)
{
	free(r->ref);
	oci_descriptor_release(&r->image);
	*r = (struct build_result){0};
}

void build_release(struct build *b)
{
	repo_info_release(&b->repo);
	oci_ref_release(&b->ref);
	free(b->tag);
	for (size_t i = 0; i < b->taken_count; i++) {
		free(b->taken[i].path);
		free(b->taken[i].file);
	}
	free(b->taken);
	map_release(&b->over);
	strv_release(&b->programs);
	strv_release(&b->entrypoint);
	tree_release(&b->tree);
	oci_manifest_release(&b->base);
	oci_config_release(&b->base_config);
	if (b->store)
		oci_store_free(b->store);
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

static int refuse(const struct build *b, const char *key, const char *hint, struct error *err)
{
	err_set(err, ERR_INPUT, "%s: build.%s is not built by this version yet", b->project->file, key);
	return err_hint(err, "%s", hint);
}

static int check_platform(const char *text, const struct oci_platform *host, struct error *err)
{
	struct oci_platform p = {0};

	if (oci_platform_parse(text, &p, err) < 0)
		return -1;
	if (strcmp(p.os, host->os) == 0 && strcmp(p.arch, host->arch) == 0)
		return 0;
	err_set(err, ERR_INPUT, "no image for %s is built on %s/%s yet", text, host->os, host->arch);
	return err_hint(err, "build it on a machine of that platform");
}

/* What this version cannot build is refused, never left out silently. */
static int check_request(struct build *b, struct error *err)
{
	const struct project_build *p = &b->project->build;

	oci_platform_host(&b->platform);
	if (p->dockerfile)
		return refuse(b, "dockerfile",
					  "write build.steps and build.copy instead, or run 'docker build'", err);
	if (p->toolchain)
		return refuse(b, "toolchain", "take it out: the steps run on this machine", err);
	if (p->compression && strcmp(p->compression, "gzip") != 0)
		return refuse(b, "compression", "write compression: gzip", err);
	if (b->request->platform && check_platform(b->request->platform, &b->platform, err) < 0)
		return -1;
	for (size_t i = 0; i < p->platforms.count; i++)
		if (check_platform(p->platforms.items[i], &b->platform, err) < 0)
			return err_wrap(err, "%s: build.platforms", b->project->file);
	if (p->copy_count == 0) {
		err_set(err, ERR_INPUT, "%s: build.copy names nothing to put into the image",
				b->project->file);
		return err_hint(err, "write, for example, copy: {build/%s: /usr/bin/%s}", b->project->name,
						b->project->name);
	}
	return 0;
}

int build_run(const struct build_request *request, struct build_result *result, struct error *err)
{
	AUTO(build) struct build b = {.request = request, .project = request->project};
	int64_t start;

	if (check_request(&b, err) < 0 || build_stamp(&b, err) < 0 || build_steps(&b, err) < 0)
		return -1;
	start = clock_now(request->clock);
	if (build_gather(&b, err) < 0)
		return -1;
	/* the store's door stays shut until there is something to bring in */
	if (strcmp(b.project->build.base, "scratch") != 0 &&
		(oci_store_open(request->store, &b.store, err) < 0 || build_base(&b, err) < 0))
		return -1;
	if (build_libraries(&b, err) < 0 || build_system(&b, err) < 0 || build_place(&b, err) < 0 ||
		build_check_start(&b, err) < 0)
		return -1;
	if (!b.store && oci_store_open(request->store, &b.store, err) < 0)
		return -1;
	if (build_write_image(&b, result, err) < 0)
		return -1;
	result->image_ms = clock_now(request->clock) - start;
	return 0;
}
