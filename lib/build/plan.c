#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "build/detect.h"
#include "build/target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void build_plan_release(struct build_plan *p)
{
	strv_release(&p->steps);
	strv_release(&p->env);
	free(p->folder);
	free(p->work);
	free(p->installed);
	if (p->is_locked)
		close(p->lock);
}

const char *build_step_sysroot(const struct build *b)
{
	if (b->toolchain)
		return NULL;
	return b->request->sysroot ? b->request->sysroot : b->project->build.sysroot;
}

static int plan_written(struct build *b, struct error *err)
{
	const struct project_build *p = &b->project->build;

	if (p->copy_count == 0) {
		err_set(err, ERR_INPUT, "%s: build.copy names nothing to put into the image",
				b->project->file);
		return err_hint(err, "write, for example, copy: {build/%s: /usr/bin/%s}", b->project->name,
						b->project->name);
	}
	for (size_t i = 0; i < p->steps.count; i++)
		strv_add(&b->plan.steps, p->steps.items[i]);
	return 0;
}

/* Copies go beside what a system installs only where the project names the system. */
static int choose_system(const struct project *p, enum build_system *out, struct error *err)
{
	const struct project_build *build = &p->build;
	enum build_system named = BUILD_WRITTEN;

	for (int kind = BUILD_MESON; kind <= BUILD_MAKE; kind++)
		if (strcmp(build->build_system, build_system_name((enum build_system)kind)) == 0)
			named = (enum build_system)kind;
	if (named != BUILD_WRITTEN && build->steps.count > 0) {
		err_set(err, ERR_INPUT, "%s: build.system and build.steps exclude each other", p->file);
		return err_hint(err, "steps say themselves how the project is compiled: take one out");
	}
	if (named != BUILD_WRITTEN)
		*out = named;
	else if (build->steps.count > 0 || build->copy_count > 0)
		*out = BUILD_WRITTEN;
	else
		*out = build_find_system(p->dir);
	return 0;
}

/* Flags are split at blanks, and ':' and '=' have meanings of their own in them. */
bool build_fits_into_flags(const char *path)
{
	return path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
							 "/_.,+@%~-")] == '\0';
}

/* As Debian hardens its own packages; position independence is its compilers' default, and a build
 * system that does not trust it adds it itself. No path of this machine goes into a program. */
static void add_flags(struct build *b, const char *source)
{
	struct build_plan *p = &b->plan;
	AUTO(buf) struct buf flags = {0};

	buf_adds(&flags, "-O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2");
	if (build_fits_into_flags(p->folder))
		buf_addf(&flags, " -ffile-prefix-map=%s=. -ffile-prefix-map=%s=.", source, p->work);
	else
		build_note(b,
				   "%s: compilers' flags cannot name this folder, so it may show in the programs",
				   source);
	strv_addf(&p->env, "CFLAGS=%s", buf_str(&flags));
	strv_addf(&p->env, "CXXFLAGS=%s", buf_str(&flags));
	strv_add(&p->env, "LDFLAGS=-Wl,-z,relro,-z,now -Wl,--build-id=sha1");
}

static int plan_found(struct build *b, const struct build_target *target, struct error *err)
{
	struct build_plan *p = &b->plan;
	const struct oci_platform *o = &b->platform;
	AUTO_FREE char *source = realpath(b->project->dir, NULL);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (!source)
		return err_errno(err, "cannot open folder %s", b->project->dir);
	p->is_copied = p->kind == BUILD_AUTOTOOLS || p->kind == BUILD_MAKE;
	p->folder = xasprintf("%s/" BUILD_WORK_FOLDER "/build/%s-%s%s%s", source, o->os, o->arch,
						  o->variant[0] ? "-" : "", o->variant);
	p->work = fs_join(p->folder, "work");
	p->installed = fs_join(p->folder, "installed");
	strv_addf(&p->env, "MSCTL_SOURCE=%s", source);
	strv_addf(&p->env, "MSCTL_WORK=%s", p->work);
	strv_addf(&p->env, "MSCTL_INSTALL=%s", p->installed);
	strv_addf(&p->env, "MSCTL_BIN=%s/bin", p->folder);
	strv_addf(&p->env, "MSCTL_JOBS=%ld", cores < 1 ? 1 : cores);
	add_flags(b, source);
	build_plan_steps(b, target, build_step_sysroot(b));
	return 0;
}

int build_make_plan(struct build *b, struct error *err)
{
	struct build_target target = {0};

	if (choose_system(b->project, &b->plan.kind, err) < 0 ||
		build_target_find(&b->platform, &target, err) < 0)
		return -1;
	build_target_env(&b->platform, &target, b->is_cross, build_step_sysroot(b), &b->plan.env);
	if (b->plan.kind == BUILD_WRITTEN)
		return plan_written(b, err);
	return plan_found(b, &target, err);
}
