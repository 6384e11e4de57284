#include "build/statindex.h"

#include "base/cpu.h"
#include "base/fs.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/keep.h"
#include "elf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/vfs.h>

#define MAGIC "msctl-s1"
#define ORDER 0x01020304u /* a machine of the other byte order finds an empty index */
#define USED_STEP_S 86400 /* uses are noted no finer than this */
#define BLOCK_BYTES (1u << 17)
#define AHEAD_MIN_BYTES (4u << 20) /* less is read before a thread has started */
#define AHEAD_MAX_THREADS 8

struct head {
	char magic[8];
	uint32_t order;
	uint32_t count;
	uint8_t sum[SHA256_BYTES]; /* of the entries */
};

struct entry {
	uint64_t path; /* hash of it */
	uint64_t dev, ino, size;
	uint64_t mtime_ns, ctime_ns;
	uint32_t mode;
	uint32_t used; /* seconds since 1970 */
	uint8_t sha256[SHA256_BYTES];
	char sha1[SHA1_HEX_LEN];
	uint64_t is_elf; /* as wide as the rest, so that no byte is undefined */
};

struct table {
	LIST(struct entry) entries;
	LIST(bool) is_new; /* beside entries: to be written */
	uint32_t *slots;   /* index plus one, by path */
	size_t slot_count;
};

struct statindex {
	char *folder;
	char *root; /* NULL: none */
	char *file; /* NULL: nothing is remembered */
	struct table table;
	bool is_changed;
	size_t reads;
	uint32_t now;
};

static void table_release(struct table *t)
{
	list_release(&t->entries);
	list_release(&t->is_new);
	free(t->slots);
	*t = (struct table){0};
}

/* FNV-1a: whoever makes two paths meet wins a file that is read again. */
static uint64_t hash_path(const char *path)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *path; path++)
		h = (h ^ (unsigned char)*path) * 0x100000001b3u;
	return h;
}

/* The slot of a path: its entry's, or a free one. */
static uint32_t *slot_of(const struct table *t, uint64_t path)
{
	size_t i = (path ^ path >> 32) & (t->slot_count - 1);

	while (t->slots[i] != 0 && t->entries.items[t->slots[i] - 1].path != path)
		i = (i + 1) & (t->slot_count - 1);
	return &t->slots[i];
}

static void make_slots(struct table *t, size_t count)
{
	t->slot_count = 1024;
	while (t->slot_count < count * 2)
		t->slot_count *= 2;
	free(t->slots);
	t->slots = xcalloc(t->slot_count, sizeof(t->slots[0]));
	for (size_t i = 0; i < t->entries.count; i++)
		*slot_of(t, t->entries.items[i].path) = (uint32_t)i + 1;
}

static void put(struct table *t, const struct entry *e, bool is_new)
{
	uint32_t *slot;

	if ((t->entries.count + 1) * 2 > t->slot_count)
		make_slots(t, t->entries.count * 2 + 1);
	slot = slot_of(t, e->path);
	if (*slot) {
		t->entries.items[*slot - 1] = *e;
		t->is_new.items[*slot - 1] |= is_new;
		return;
	}
	list_push(&t->entries, *e);
	list_push(&t->is_new, is_new);
	*slot = (uint32_t)t->entries.count;
}

static void load(const char *file, struct table *t)
{
	AUTO(buf) struct buf bytes = {0};
	struct error ignored = {0};
	struct head head;
	uint8_t sum[SHA256_BYTES];

	if (fs_read_settled(file, sizeof(head) + sizeof(struct entry) * STATINDEX_MAX_FILES, &bytes,
						&ignored) < 0 ||
		bytes.len < sizeof(head))
		return;
	memcpy(&head, bytes.data, sizeof(head));
	if (memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0 || head.order != ORDER ||
		bytes.len != sizeof(head) + sizeof(struct entry) * (size_t)head.count)
		return;
	sha256_of(bytes.data + sizeof(head), bytes.len - sizeof(head), sum);
	if (memcmp(sum, head.sum, sizeof(sum)) != 0)
		return;
	make_slots(t, head.count);
	for (size_t i = 0; i < head.count; i++) {
		struct entry e;

		memcpy(&e, bytes.data + sizeof(head) + i * sizeof(e), sizeof(e));
		put(t, &e, false);
	}
}

void statindex_open(const char *folder, bool is_forgetful, struct statindex **out)
{
	struct statindex *x = xcalloc(1, sizeof(*x));

	x->now = (uint32_t)time(NULL);
	if (folder) {
		x->folder = xstrdup(folder);
		x->file = fs_join(folder, "stat.idx");
		if (!is_forgetful)
			load(x->file, &x->table);
	}
	*out = x;
}

void statindex_set_root(struct statindex *x, const char *root)
{
	free(x->root);
	x->root = xstrdup(root);
}

void statindex_free(struct statindex *x)
{
	if (!x)
		return;
	table_release(&x->table);
	free(x->folder);
	free(x->root);
	free(x->file);
	free(x);
}

size_t statindex_reads(const struct statindex *x)
{
	return x->reads;
}

static int by_use(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->used == y->used ? 0 : x->used < y->used ? 1 : -1;
}

static int by_path(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->path == y->path ? 0 : x->path < y->path ? -1 : 1;
}

static void write_table(const char *file, struct table *t)
{
	AUTO(buf) struct buf bytes = {0};
	struct head head = {.magic = MAGIC, .order = ORDER};
	struct error ignored = {0};

	if (t->entries.count > STATINDEX_MAX_FILES) {
		qsort(t->entries.items, t->entries.count, sizeof(t->entries.items[0]), by_use);
		t->entries.count = STATINDEX_MAX_FILES / 4 * 3;
	}
	if (t->entries.count > 0)
		qsort(t->entries.items, t->entries.count, sizeof(t->entries.items[0]), by_path);
	head.count = (uint32_t)t->entries.count;
	sha256_of(t->entries.items, t->entries.count * sizeof(struct entry), head.sum);
	buf_add(&bytes, &head, sizeof(head));
	buf_add(&bytes, t->entries.items, t->entries.count * sizeof(struct entry));
	keep_file(file, bytes.data, bytes.len, &ignored);
}

void statindex_save(struct statindex *x)
{
	AUTO_FREE char *lock = x->file ? xasprintf("%s.lock", x->file) : NULL;
	AUTO_CLOSE int fd = -1;
	struct table fresh = {0};
	struct error ignored = {0};

	if (!x->file || !x->is_changed)
		return;
	if (fs_mkdirs(x->folder, 0700, &ignored) < 0 || fs_lock(lock, true, true, &fd, &ignored) < 0)
		return;
	/* others may have added to it since it was loaded */
	load(x->file, &fresh);
	for (size_t i = 0; i < x->table.entries.count; i++)
		if (x->table.is_new.items[i])
			put(&fresh, &x->table.entries.items[i], false);
	write_table(x->file, &fresh);
	table_release(&fresh);
	x->is_changed = false;
}

struct timespec statindex_now(void)
{
	struct timespec now;

	/* the clock that the kernel takes the times of files from */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

bool statindex_is_racy(const struct stat *st, const struct timespec *now, bool is_coarse)
{
	struct timespec limit = *now;

	/* times of whole seconds: the file system knows no others */
	if (is_coarse || (st->st_mtim.tv_nsec == 0 && st->st_ctim.tv_nsec == 0))
		limit.tv_sec -= STATINDEX_COARSE_S;
	return !is_before(&st->st_mtim, &limit) || !is_before(&st->st_ctim, &limit);
}

bool statindex_is_coarse(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	switch ((unsigned long)fs.f_type) {
	case EXT4_SUPER_MAGIC: /* and ext2, ext3: their whole seconds give them away */
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case OVERLAYFS_SUPER_MAGIC:
	case 0x2fc12fc1: /* ZFS */
	case 0xca451a4e: /* bcachefs */
		return false;
	default:
		return true;
	}
}

static uint64_t ns_of(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static struct entry make_entry(const struct statindex *x, const char *file, const struct stat *st)
{
	size_t len = x->root && text_starts(file, x->root) ? strlen(x->root) : 0;

	return (struct entry){.path = hash_path(file[len] == '/' ? file + len : file),
						  .dev = st->st_dev,
						  .ino = st->st_ino,
						  .size = (uint64_t)st->st_size,
						  .mtime_ns = ns_of(&st->st_mtim),
						  .ctime_ns = ns_of(&st->st_ctim),
						  .mode = st->st_mode};
}

static bool looks_like(const struct entry *a, const struct entry *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
		   a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->mode == b->mode;
}

static int check_seen(int fd, const char *file, const struct entry *seen, struct error *err)
{
	struct entry now;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(err, "cannot stat %s", file);
	now = make_entry(&(struct statindex){0}, file, &st);
	if (looks_like(&now, seen))
		return 0;
	err_set(err, ERR_INPUT, "%s changed while the image was built", file);
	return err_hint(err, "build again when nothing writes to it");
}

static int hash_fd(int fd, const char *file, const struct cancel *cancel, struct entry *e,
				   struct error *err)
{
	AUTO_PTR(sha256) struct sha256 *strong = sha256_new();
	AUTO_PTR(sha1) struct sha1 *weak = sha1_new();
	AUTO_FREE char *block = xmalloc(BLOCK_BYTES);
	char hex[SHA1_HEX_LEN + 1];
	bool is_first = true;
	ssize_t got;

	while ((got = read(fd, block, BLOCK_BYTES)) != 0) {
		if (got < 0 && errno != EINTR)
			return err_errno(err, "cannot read %s", file);
		if (got > 0) {
			if (is_first)
				e->is_elf = got >= 4 && memcmp(block, "\177ELF", 4) == 0;
			is_first = false;
			sha256_add(strong, block, (size_t)got);
			sha1_add(weak, block, (size_t)got);
		}
		if (cancel_check(cancel, err) < 0)
			return -1;
	}
	sha256_end(strong, e->sha256);
	sha1_end_hex(weak, hex);
	memcpy(e->sha1, hex, sizeof(e->sha1));
	return 0;
}

/* 1: it may be remembered; 0: it is too young for that. */
static int read_file(const char *file, const struct stat *seen, const struct cancel *cancel,
					 struct entry *e, struct error *err)
{
	struct timespec now = statindex_now();
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_errno(err, "cannot open %s", file);
	if (check_seen(fd, file, e, err) < 0 || hash_fd(fd, file, cancel, e, err) < 0 ||
		check_seen(fd, file, e, err) < 0)
		return -1;
	return !statindex_is_racy(seen, &now, statindex_is_coarse(fd));
}

static struct entry *find(const struct statindex *x, const struct entry *seen)
{
	uint32_t slot = x->table.slot_count ? *slot_of(&x->table, seen->path) : 0;
	struct entry *known = slot ? &x->table.entries.items[slot - 1] : NULL;

	return known && looks_like(known, seen) ? known : NULL;
}

static void note_use(struct statindex *x, struct entry *e)
{
	if (e->used + USED_STEP_S >= x->now)
		return;
	e->used = x->now;
	x->table.is_new.items[e - x->table.entries.items] = true;
	x->is_changed = true;
}

/* Files that are read by several threads, each taking the next. */
struct ahead {
	struct unread {
		const struct statindex_file *file;
		struct entry entry;
		bool is_read; /* and may be remembered */
	} * items;
	size_t count;
	atomic_size_t next;
	const struct cancel *cancel;
};

static void *read_some(void *arg)
{
	struct ahead *a = arg;

	for (size_t i; (i = atomic_fetch_add(&a->next, 1)) < a->count;) {
		struct unread *u = &a->items[i];
		struct error ignored = {0};

		u->is_read = read_file(u->file->file, u->file->seen, a->cancel, &u->entry, &ignored) > 0;
	}
	return NULL;
}

/* A thread that cannot be had only costs time. Signals stay with the caller's thread. */
static void read_all(struct ahead *a, unsigned threads)
{
	pthread_t others[AHEAD_MAX_THREADS];
	unsigned started = 0;
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (started + 1 < threads && started < AHEAD_MAX_THREADS && started + 1 < a->count &&
		   pthread_create(&others[started], NULL, read_some, a) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	read_some(a);
	while (started > 0)
		pthread_join(others[--started], NULL);
}

void statindex_read_ahead(struct statindex *x, const struct statindex_file *files, size_t count,
						  unsigned threads, const struct cancel *cancel)
{
	struct ahead a = {.items = xcalloc(count, sizeof(a.items[0])), .cancel = cancel};
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		struct unread *u = &a.items[a.count];

		u->entry = make_entry(x, files[i].file, files[i].seen);
		if (find(x, &u->entry))
			continue;
		u->file = &files[i];
		bytes += u->entry.size;
		a.count++;
	}
	if (bytes >= AHEAD_MIN_BYTES)
		read_all(&a, threads ? threads : cpu_count());
	for (size_t i = 0; i < a.count; i++) {
		if (!a.items[i].is_read)
			continue;
		a.items[i].entry.used = x->now;
		put(&x->table, &a.items[i].entry, true);
		x->is_changed = true;
		x->reads++;
	}
	free(a.items);
}

int statindex_get(struct statindex *x, const char *file, const struct stat *seen,
				  const struct cancel *cancel, struct statindex_sum *out, struct error *err)
{
	struct entry e = make_entry(x, file, seen);
	struct entry *known = find(x, &e);

	if (known) {
		note_use(x, known);
		e = *known;
	} else {
		int rc = read_file(file, seen, cancel, &e, err);

		if (rc < 0)
			return -1;
		x->reads++;
		e.used = x->now;
		if (rc > 0) {
			put(&x->table, &e, true);
			x->is_changed = true;
		}
	}
	memcpy(out->sha256, e.sha256, sizeof(out->sha256));
	memcpy(out->sha1, e.sha1, sizeof(e.sha1));
	out->sha1[SHA1_HEX_LEN] = '\0';
	return 0;
}

bool statindex_is_elf(const struct statindex *x, const char *file, const struct stat *seen)
{
	struct entry e = make_entry(x, file, seen);
	const struct entry *known = find(x, &e);

	return known ? known->is_elf : elf_is_elf(file);
}
