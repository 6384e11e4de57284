#include "build/listing.h"

#include "base/auto.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/statindex.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct walk {
	struct listing *out;
	char *root; /* without links */
	const struct cancel *cancel;
};

void listing_release(struct listing *l)
{
	buf_release(&l->names);
	list_release(&l->items);
	*l = (struct listing){0};
}

static void not_whole(struct listing *l, const char *path, const char *how)
{
	if (!l->is_whole)
		return;
	l->is_whole = false;
	snprintf(l->why, sizeof(l->why), "%s%s%s", path, path[0] ? " " : "", how);
}

static uint64_t ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

/* FNV-1a. */
static uint64_t mix(uint64_t h, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)data[i]) * 0x100000001b3u;
	return h;
}

static uint64_t mix_number(uint64_t h, uint64_t n)
{
	for (int i = 0; i < 8; i++, n >>= 8)
		h = (h ^ (n & 0xff)) * 0x100000001b3u;
	return h;
}

/* Below a folder that packages own, packages tell of changes. */
static bool is_known_place(const struct walk *w, const char *path)
{
	static const char *const places[] = {"/usr/", "/lib/", "/lib64/", "/bin/", "/etc/alternatives/",
										 "/dev/", "/proc/"};
	size_t len = strlen(w->root);

	if (strncmp(path, w->root, len) == 0 && (path[len] == '/' || path[len] == '\0'))
		return true;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (text_starts(path, places[i]) && !text_starts(path, "/usr/local/"))
			return true;
	return false;
}

/* A link: where it leads counts, and the file that is there. */
static void follow(struct walk *w, int dir, const char *name, struct listed *f)
{
	char target[PATH_MAX];
	char full[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));
	struct stat st;

	if (n < 0)
		return;
	f->target = mix(0xcbf29ce484222325u, target, (size_t)n);
	if (fstatat(dir, name, &st, 0) < 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		const uint64_t seen[] = {st.st_dev,          st.st_ino,          (uint64_t)st.st_size,
								 ns_of(&st.st_mtim), ns_of(&st.st_ctim), st.st_mode};

		for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
			f->target = mix_number(f->target, seen[i]);
		return;
	}
	n = snprintf(target, sizeof(target), "%s/%s", w->root, w->out->names.data + f->path);
	if (n < 0 || (size_t)n >= sizeof(target) || !realpath(target, full) || !is_known_place(w, full))
		not_whole(w->out, w->out->names.data + f->path,
				  "leads to a folder elsewhere, at which nobody looks");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void walk_folder(struct walk *w, int fd, const char *path, int depth);

static void add(struct walk *w, int dir, const char *path, const char *name, int depth)
{
	struct listing *l = w->out;
	struct listed f = {.path = (uint32_t)l->names.len};
	struct stat st;

	/* gone meanwhile: then it was never there */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	buf_addf(&l->names, "%s%s%s", path, path[0] ? "/" : "", name);
	buf_addc(&l->names, '\0');
	f.mode = st.st_mode;
	if (!S_ISDIR(st.st_mode)) {
		f.dev = st.st_dev;
		f.ino = st.st_ino;
		f.size = (uint64_t)st.st_size;
		f.mtime_ns = ns_of(&st.st_mtim);
		f.ctime_ns = ns_of(&st.st_ctim);
	}
	if (S_ISLNK(st.st_mode))
		follow(w, dir, name, &f);
	list_push(&l->items, f);
	if (S_ISDIR(st.st_mode)) {
		AUTO_FREE char *below = xstrdup(l->names.data + f.path);
		AUTO_CLOSE int fd =
			openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

		if (fd >= 0)
			walk_folder(w, fd, below, depth + 1);
		else if (errno != ENOENT)
			not_whole(l, below, "cannot be read");
	}
}

static void walk_folder(struct walk *w, int fd, const char *path, int depth)
{
	LIST(char *) names = {0};
	DIR *dir = depth > LISTING_MAX_DEPTH ? NULL : fdopendir(dup(fd));

	if (!dir) {
		not_whole(w->out, path, "nests too deep");
		return;
	}
	for (const struct dirent *e; (e = readdir(dir));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			strcmp(e->d_name, ".git") != 0)
			list_push(&names, xstrdup(e->d_name));
	closedir(dir);
	if (names.count > 0)
		qsort(names.items, names.count, sizeof(names.items[0]), by_name);
	for (size_t i = 0; i < names.count; i++) {
		if (w->out->items.count >= LISTING_MAX_FILES)
			not_whole(w->out, "", "there are too many files to look at");
		if (cancel_requested(w->cancel))
			not_whole(w->out, "", "interrupted");
		if (w->out->is_whole)
			add(w, fd, path, names.items[i], depth);
		free(names.items[i]);
	}
	list_release(&names);
}

void listing_take(const char *root, const struct cancel *cancel, struct listing *out)
{
	AUTO_CLOSE int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct walk w = {.out = out, .cancel = cancel};

	*out = (struct listing){.taken = statindex_now(), .is_whole = true};
	w.root = realpath(root, NULL);
	if (fd < 0 || !w.root) {
		not_whole(out, root, "cannot be read");
	} else {
		out->is_coarse = statindex_is_coarse(fd);
		walk_folder(&w, fd, "", 0);
	}
	free(w.root);
}

bool listing_is_racy(const struct listing *l, const struct listed *f)
{
	const struct stat st = {
		.st_mtim = {(time_t)(f->mtime_ns / 1000000000u), (long)(f->mtime_ns % 1000000000u)},
		.st_ctim = {(time_t)(f->ctime_ns / 1000000000u), (long)(f->ctime_ns % 1000000000u)}};

	return !S_ISDIR(f->mode) && statindex_is_racy(&st, &l->taken, l->is_coarse);
}

void listing_settle(void)
{
	struct timespec start, now;

	/* files may have finer times than the clock of statindex_now, which lags behind by a tick */
	clock_gettime(CLOCK_REALTIME, &start);
	for (int i = 0; i < 20; i++) {
		now = statindex_now();
		if (now.tv_sec != start.tv_sec ? now.tv_sec > start.tv_sec : now.tv_nsec > start.tv_nsec)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}
