/* What the image starts must be in it: a container tells that only when it fails, as "no such
 * file". */
#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_SHEBANG 256 /* as Linux has it (BINPRM_BUF_SIZE) */

static int missing(const struct build *b, const char *path, struct error *err)
{
	err_set(err, ERR_INPUT, "%s: build.entrypoint: the image has no %s", b->project->file, path);
	for (size_t i = 0; i < b->taken_count; i++)
		if (strcmp(fs_basename(b->taken[i].path), fs_basename(path)) == 0)
			return err_hint(err, "did you mean %s?", b->taken[i].path);
	return err_hint(err, "let build.copy bring it");
}

/* The program behind "#!", or NULL. Caller frees. */
static char *script_interpreter(const char *file)
{
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char line[MAX_SHEBANG + 1];
	ssize_t n = fd < 0 ? -1 : read(fd, line, MAX_SHEBANG);
	const char *start;

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	line[n] = '\0';
	start = line + 2 + strspn(line + 2, " \t");
	return xstrndup(start, strcspn(start, " \t\r\n"));
}

int build_check_start(const struct build *b, struct error *err)
{
	const char *path = b->entrypoint.count ? b->entrypoint.items[0] : "";
	const struct tree_node *n;
	AUTO_FREE char *interpreter = NULL;

	/* a bare name is looked up in the container's PATH */
	if (path[0] != '/')
		return 0;
	n = tree_find(&b->tree, path);
	if (!n)
		return missing(b, path, err);
	if (n->type != TREE_FILE || !(n->mode & 0111)) {
		err_set(err, ERR_INPUT, "%s: build.entrypoint: %s cannot be executed", b->project->file,
				path);
		return err_hint(err, "set its mode in build.steps: chmod +x FILE");
	}
	if (n->file)
		interpreter = script_interpreter(n->file);
	if (!interpreter || tree_find(&b->tree, interpreter))
		return 0;
	err_set(err, ERR_INPUT, "%s is a script for %s, which the image does not have", path,
			interpreter);
	return err_hint(err, "choose a build.base that has it");
}
