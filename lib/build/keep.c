#include "build/keep.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define USED_STEP_S 86400

/* of a record, before its content */
struct head {
	char magic[8];
	uint8_t sum[SHA256_BYTES];  /* of the content */
	uint8_t name[SHA256_BYTES]; /* of the file's name: a record in another's place is none */
};

static const char magic[8] = "msctl-k2";

static int replace(const char *dir, const char *path, struct span bytes, struct error *err)
{
	AUTO_FREE char *temp = xasprintf("%s/.tmp.XXXXXX", dir);
	AUTO_CLOSE int fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "cannot create a file in %s", dir);
	if (fs_write_fd(fd, temp, bytes.data, bytes.len, err) == 0 && rename(temp, path) == 0)
		return 0;
	unlink(temp);
	return err_set(err, ERR_SYS, "cannot write %s", path);
}

int keep_file(const char *path, const void *data, size_t len, struct error *err)
{
	AUTO_FREE char *dir = fs_dirname(path);

	return fs_mkdirs(dir, 0700, err) < 0 ? -1 : replace(dir, path, (struct span){data, len}, err);
}

static void sum_name(const char *path, uint8_t sum[SHA256_BYTES])
{
	const char *name = fs_basename(path);

	sha256_of(name, strlen(name), sum);
}

int keep_save(const char *path, const void *data, size_t len, struct error *err)
{
	AUTO(buf) struct buf bytes = {0};
	struct head head;

	memcpy(head.magic, magic, sizeof(magic));
	sha256_of(data, len, head.sum);
	sum_name(path, head.name);
	buf_add(&bytes, &head, sizeof(head));
	buf_add(&bytes, data, len);
	return keep_file(path, bytes.data, bytes.len, err);
}

bool keep_load(const char *path, struct buf *out)
{
	AUTO(buf) struct buf bytes = {0};
	struct error ignored = {0};
	struct head head;
	uint8_t sum[SHA256_BYTES], name[SHA256_BYTES];

	if (fs_read_settled(path, KEEP_MAX_BYTES, &bytes, &ignored) < 0 || bytes.len < sizeof(head))
		return false;
	memcpy(&head, bytes.data, sizeof(head));
	sha256_of(bytes.data + sizeof(head), bytes.len - sizeof(head), sum);
	sum_name(path, name);
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 || memcmp(sum, head.sum, sizeof(sum)) != 0 ||
		memcmp(name, head.name, sizeof(name)) != 0)
		return false;
	buf_release(out);
	buf_add(out, bytes.data + sizeof(head), bytes.len - sizeof(head));
	return true;
}

bool keep_sum(const char *path, uint8_t sum[SHA256_BYTES])
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct head head;

	if (fd < 0 || read(fd, &head, sizeof(head)) != sizeof(head) ||
		memcmp(head.magic, magic, sizeof(magic)) != 0)
		return false;
	memcpy(sum, head.sum, SHA256_BYTES);
	return true;
}

void keep_touch(const char *path)
{
	static const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mtim.tv_sec + USED_STEP_S < time(NULL))
		utimensat(AT_FDCWD, path, now, 0);
}
