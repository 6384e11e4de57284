#include "build/private.h"

int build_toolchain_open(struct build *b, struct error *err)
{
	if (!b->request->toolchain && !b->project->build.toolchain)
		return 0;
	err_set(err, ERR_INPUT, "%s: build.toolchain is not built by this version yet",
			b->project->file);
	return err_hint(err, "take it out: the steps run on this machine");
}

int build_toolchain_run(const struct build *b, const struct proc_spec *spec,
						struct proc_result *result, struct error *err)
{
	(void)b;
	return proc_run(spec, result, err);
}

const char *build_toolchain_digest(const struct build *b)
{
	(void)b;
	return NULL;
}

void build_toolchain_close(struct build *b)
{
	(void)b;
}
