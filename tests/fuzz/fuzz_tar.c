/* fuzz_tar - whatever the bytes, nothing is written outside the root, and the tree can be removed
 * again. */
#include "base/auto.h"
#include "base/fs.h"
#include "tar/extract.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>

struct input {
	const uint8_t *data;
	size_t left;
};

static ssize_t give(void *user, void *data, size_t len, struct error *err)
{
	struct input *in = user;
	size_t n = in->left < len ? in->left : len;

	(void)err;
	if (n > 0)
		memcpy(data, in->data, n);
	in->data += n;
	in->left -= n;
	return (ssize_t)n;
}

static void check_canary(const char *dir, const char *canary)
{
	AUTO(strv) struct strv names = {0};
	AUTO(buf) struct buf text = {0};
	struct error err = {0};

	FUZZ_CHECK(fs_list(dir, &names, &err) == 0 && names.count == 2);
	FUZZ_CHECK(fs_read(canary, 100, &text, &err) == 0 && strcmp(buf_str(&text), "alive") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *dir = NULL;
	AUTO_FREE char *root = NULL;
	AUTO_FREE char *canary = NULL;
	AUTO_CLOSE int fd = -1, canary_fd = -1;
	struct extract_options options = {.max_bytes = 4u << 20};
	struct error err = {0};

	FUZZ_CHECK(fs_temp_dir("/tmp", "msctl-fuzz-", &dir, &err) == 0);
	root = fs_join(dir, "root");
	canary = fs_join(dir, "canary");
	canary_fd = open(canary, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	FUZZ_CHECK(canary_fd >= 0 && fs_write_fd(canary_fd, canary, "alive", 5, &err) == 0);
	FUZZ_CHECK(fs_mkdirs(root, 0755, &err) == 0);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(fd >= 0);
	/* twice: the second time everything is in its own way */
	for (int i = 0; i < 2; i++) {
		struct input in = {data, size};
		struct tar_source source = {give, &in};

		if (tar_extract(&source, "input", fd, &options, NULL, &err) < 0)
			FUZZ_CHECK(err.code == ERR_INPUT || err.code == ERR_SYS || err.code == ERR_DENIED);
		check_canary(dir, canary);
	}
	FUZZ_CHECK(fs_remove_tree(dir, &err) == 0);
	return 0;
}
