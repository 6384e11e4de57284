#include "build/members.h"

#include "base/fs.h"
#include "base/list.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>

#define MAGIC "msctl-m1"
#define TEMP ".tmp."
#define TEMP_MAX_S 3600 /* then whoever wrote it is dead */
#define TOUCH_S 600     /* uses are noted no finer than this */

struct head {
	char magic[8];
	uint8_t key[SHA256_BYTES];
	uint32_t crc; /* of the member; never read on another machine */
};

static char *folder_of(const struct build_members *m, const uint8_t key[SHA256_BYTES])
{
	return xasprintf("%s/%02x", m->dir, key[0]);
}

static char *file_of(const struct build_members *m, const uint8_t key[SHA256_BYTES])
{
	char hex[SHA256_HEX_LEN + 1];

	return xasprintf("%s/%02x/%s", m->dir, key[0], sha256_hex(key, hex));
}

/* --- reading --- */

static void note_use(int fd, const struct stat *st)
{
	static const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};

	if (st->st_mtim.tv_sec < time(NULL) - TOUCH_S)
		futimens(fd, now);
}

/* The member's length; 0: damaged. */
static size_t read_entry(int fd, const uint8_t key[SHA256_BYTES], void *out, size_t room)
{
	struct head head;
	struct iovec parts[] = {{&head, sizeof(head)}, {out, room}};
	struct stat st;
	size_t len;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size <= sizeof(head) ||
		(size_t)st.st_size - sizeof(head) > room)
		return 0;
	len = (size_t)st.st_size - sizeof(head);
	parts[1].iov_len = len;
	if (readv(fd, parts, 2) != st.st_size || memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0 ||
		memcmp(head.key, key, sizeof(head.key)) != 0 || head.crc != layer_crc32(out, len))
		return 0;
	note_use(fd, &st);
	return len;
}

static size_t find_member(void *user, const uint8_t key[SHA256_BYTES], void *out, size_t room)
{
	const struct build_members *m = user;
	AUTO_FREE char *file = file_of(m, key);
	AUTO_CLOSE int fd =
		m->is_forgetful ? -1 : open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t len = fd < 0 ? 0 : read_entry(fd, key, out, room);

	if (fd >= 0 && len == 0)
		unlink(file);
	return len;
}

/* --- caps --- */

struct old_file {
	char *path;
	struct timespec used;
	uint64_t bytes;
};

struct found {
	LIST(struct old_file) files;
	uint64_t bytes;
};

static void found_release(struct found *f)
{
	for (size_t i = 0; i < f->files.count; i++)
		free(f->files.items[i].path);
	list_release(&f->files);
}

/* Another process's half-written file is left alone. */
static void take_file(const char *dir, int dir_fd, const char *name, struct found *f)
{
	struct old_file o = {0};
	struct stat st;
	bool is_temp = text_starts(name, TEMP);

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode) ||
		(is_temp && st.st_mtim.tv_sec > time(NULL) - TEMP_MAX_S))
		return;
	o.path = xasprintf("%s/%s", dir, name);
	o.bytes = (uint64_t)st.st_size;
	o.used = is_temp ? (struct timespec){0} : st.st_mtim;
	f->bytes += o.bytes;
	list_push(&f->files, o);
}

/* A folder that is gone has nothing in it. */
static int take_folder(const char *dir, struct found *f, struct error *err)
{
	DIR *d = opendir(dir);

	if (!d)
		return errno == ENOENT ? 0 : err_errno(err, "cannot open folder %s", dir);
	for (struct dirent *e; (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			take_file(dir, dirfd(d), e->d_name, f);
	closedir(d);
	return 0;
}

static int by_use(const void *a, const void *b)
{
	const struct old_file *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Somebody else may have removed it: then it is gone all the same. */
static int trim(struct found *f, uint64_t max_bytes, size_t max_files, uint64_t *freed,
				struct error *err)
{
	size_t left = f->files.count;
	uint64_t bytes = f->bytes;

	if (left > 0)
		qsort(f->files.items, left, sizeof(f->files.items[0]), by_use);
	for (size_t i = 0; i < f->files.count; i++) {
		const struct old_file *o = &f->files.items[i];

		/* those without a time are what dead processes left */
		if (left <= max_files && bytes <= max_bytes && o->used.tv_sec != 0)
			break;
		if (unlink(o->path) < 0 && errno != ENOENT)
			return err_errno(err, "cannot remove %s", o->path);
		left--;
		bytes -= o->bytes;
		*freed += o->bytes;
	}
	return 0;
}

static void trim_folder(const char *dir)
{
	AUTO(found) struct found f = {0};
	struct error ignored = {0};
	uint64_t freed = 0;

	if (take_folder(dir, &f, &ignored) == 0)
		trim(&f, MEMBERS_MAX_BYTES / MEMBERS_FOLDERS, MEMBERS_MAX_FILES / MEMBERS_FOLDERS, &freed,
			 &ignored);
}

int build_members_prune(const char *cache, uint64_t max_bytes, size_t max_files, uint64_t *freed,
						struct error *err)
{
	AUTO(found) struct found f = {0};
	uint64_t bytes = 0;

	for (int i = 0; i < MEMBERS_FOLDERS; i++) {
		AUTO_FREE char *dir = xasprintf("%s/members/%02x", cache, (unsigned)i);

		if (take_folder(dir, &f, err) < 0)
			return -1;
	}
	if (trim(&f, max_bytes, max_files, &bytes, err) < 0)
		return -1;
	*freed = bytes;
	return 0;
}

/* --- writing --- */

static int write_entry(int fd, const uint8_t key[SHA256_BYTES], const void *data, size_t len,
					   struct error *err)
{
	struct head head = {.magic = MAGIC, .crc = layer_crc32(data, len)};

	memcpy(head.key, key, sizeof(head.key));
	if (fs_write_fd(fd, "member", &head, sizeof(head), err) < 0)
		return -1;
	return fs_write_fd(fd, "member", data, len, err);
}

static int add_entry(const struct build_members *m, const char *dir,
					 const uint8_t key[SHA256_BYTES], const void *data, size_t len)
{
	AUTO_FREE char *temp = xasprintf("%s/" TEMP "XXXXXX", dir);
	AUTO_FREE char *file = file_of(m, key);
	AUTO_CLOSE int fd = mkostemp(temp, O_CLOEXEC);
	struct error ignored = {0};

	if (fd < 0)
		return -1;
	if (write_entry(fd, key, data, len, &ignored) == 0 && rename(temp, file) == 0)
		return 0;
	unlink(temp);
	return -1;
}

static void keep_member(void *user, const uint8_t key[SHA256_BYTES], const void *data, size_t len)
{
	struct build_members *m = user;
	AUTO_FREE char *dir = folder_of(m, key);

	if (atomic_load(&m->is_closed))
		return;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		atomic_store(&m->is_closed, true);
	else if (add_entry(m, dir, key, data, len) < 0)
		atomic_store(&m->is_closed, true);
	else
		trim_folder(dir);
}

void build_members_open(const char *cache, struct build_members *out)
{
	struct statvfs fs;
	struct error ignored = {0};

	*out = (struct build_members){0};
	if (!cache)
		return;
	out->dir = xasprintf("%s/members", cache);
	if (fs_mkdirs(out->dir, 0700, &ignored) < 0 || statvfs(out->dir, &fs) < 0 ||
		(uint64_t)fs.f_bavail * fs.f_frsize < MEMBERS_MIN_FREE)
		atomic_store(&out->is_closed, true);
}

void build_members_release(struct build_members *m)
{
	free(m->dir);
	m->dir = NULL;
}

struct layer_cache build_members_cache(struct build_members *m)
{
	return (struct layer_cache){find_member, keep_member, m};
}
