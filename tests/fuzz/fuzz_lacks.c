/* The text of a build system's file, and what a compiler says: the names found in them are plain
 * words. */
#include "base/auto.h"
#include "base/mem.h"
#include "build/lacks.h"
#include "build/plan.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check(const char *name)
{
	if (!name)
		return;
	FUZZ_CHECK(name[0]);
	FUZZ_CHECK(!name[strcspn(name, " \t\r\n'\"()[]{}$`;&|<>\\")]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xstrndup((const char *)data, size);
	AUTO(lacks) struct lacks l = {0};
	char *rest = NULL;

	for (int kind = BUILD_WRITTEN; kind <= BUILD_MAKE; kind++) {
		AUTO_FREE char *name = build_project_in((enum build_system)kind, text);

		check(name);
	}
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		lacks_line(&l, line);
	FUZZ_CHECK(l.packages.count <= LACKS_MAX_PACKAGES);
	for (size_t i = 0; i < l.packages.count; i++)
		check(l.packages.items[i]);
	check(l.file);
	check(l.program);
	return 0;
}
