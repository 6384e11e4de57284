/* A project file of any content: read or refused, never more; and what was read keeps its promises.
 */
#include "base/auto.h"
#include "base/fs.h"
#include "conf/project.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>

/* A file in memory, so that a run writes nothing. */
static void write_input(const uint8_t *data, size_t size, char path[64], int *fd)
{
	struct error err = {0};

	*fd = memfd_create("msctl.yaml", MFD_CLOEXEC);
	FUZZ_CHECK(*fd >= 0 && fs_write_fd(*fd, "input", data, size, &err) == 0);
	snprintf(path, 64, "/proc/self/fd/%d", *fd);
}

static void check(const struct project *p)
{
	const struct project_environment *env = NULL;
	struct error err = {0};

	FUZZ_CHECK(project_name_is_valid(p->name));
	FUZZ_CHECK(p->image && p->version && p->build.base && p->build.user &&
			   p->build.platforms.count);
	FUZZ_CHECK(p->timeout_ms > 0 && p->environment_count > 0);
	for (size_t i = 0; i < p->build.copy_count; i++)
		FUZZ_CHECK(p->build.copy[i].to[0] == '/' && fs_is_clean_relative(p->build.copy[i].from));
	for (size_t i = 0; i < p->environment_count; i++)
		FUZZ_CHECK(p->environments[i].name && p->environments[i].target);
	FUZZ_CHECK(project_environment(p, p->environments[0].name, &env, &err) == 0 &&
			   env == &p->environments[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(project) struct project p = {0};
	struct error err = {0};
	AUTO_CLOSE int fd = -1;
	char path[64];

	write_input(data, size, path, &fd);
	if (project_load(NULL, path, &p, &err) < 0)
		FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] && !p.file);
	else
		check(&p);
	return 0;
}
