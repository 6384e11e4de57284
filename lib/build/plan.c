#include "build/private.h"

const char *build_system_name(enum build_system kind)
{
	static const char *const names[] = {
		[BUILD_WRITTEN] = "steps",       [BUILD_MESON] = "meson", [BUILD_CMAKE] = "cmake",
		[BUILD_AUTOTOOLS] = "autotools", [BUILD_MAKE] = "make",
	};

	return names[kind];
}

enum build_system build_find_system(const char *dir)
{
	(void)dir;
	return BUILD_WRITTEN;
}

int build_make_plan(struct build *b, struct error *err)
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
