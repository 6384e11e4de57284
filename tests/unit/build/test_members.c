#include "build/members.h"

#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct world {
	char *dir;
	struct build_members members;
	struct layer_cache cache;
};

static struct world *enter(void)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "members-", &w->dir, &err), 0);
	build_members_open(w->dir, &w->members);
	w->cache = build_members_cache(&w->members);
	return w;
}

static void leave(struct world *w)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(w->dir, &err), 0, "%s", err.msg);
	build_members_release(&w->members);
	free(w->dir);
	free(w);
}

/* Key number n; its first byte chooses the folder. */
static void key_of(unsigned folder, unsigned n, uint8_t key[SHA256_BYTES])
{
	memset(key, 0x5a, SHA256_BYTES);
	key[0] = (uint8_t)folder;
	memcpy(key + 1, &n, sizeof(n));
}

static char *file_of(const struct world *w, const uint8_t key[SHA256_BYTES])
{
	char hex[SHA256_HEX_LEN + 1];

	return xasprintf("%s/members/%02x/%s", w->dir, key[0], sha256_hex(key, hex));
}

static void keep(const struct world *w, const uint8_t key[SHA256_BYTES], size_t len)
{
	AUTO_FREE char *data = xmalloc(len);

	memset(data, key[1] + 1, len);
	w->cache.keep(w->cache.user, key, data, len);
}

/* The length found, whose content is right. */
static size_t find(const struct world *w, const uint8_t key[SHA256_BYTES], size_t room)
{
	AUTO_FREE char *out = xcalloc(1, room + 1);
	size_t len = w->cache.find(w->cache.user, key, out, room);

	for (size_t i = 0; i < len; i++)
		cr_assert_eq((uint8_t)out[i], (uint8_t)(key[1] + 1));
	return len;
}

Test(members, what_was_kept_is_found)
{
	struct world *w = enter();
	uint8_t key[SHA256_BYTES], other[SHA256_BYTES];

	key_of(3, 1, key);
	key_of(3, 2, other);
	cr_expect_eq(find(w, key, 5000), 0);
	keep(w, key, 5000);
	cr_expect_eq(find(w, key, 5000), 5000);
	cr_expect_eq(find(w, key, 5000), 5000);
	cr_expect_eq(find(w, other, 5000), 0);
	/* twice is once */
	keep(w, key, 5000);
	cr_expect_eq(find(w, key, 9000), 5000);
	leave(w);
}

Test(members, more_than_there_is_room_for_is_not_found)
{
	struct world *w = enter();
	uint8_t key[SHA256_BYTES];

	key_of(3, 1, key);
	keep(w, key, 5000);
	cr_expect_eq(find(w, key, 4999), 0);
	leave(w);
}

static void damage(const char *file, off_t at, off_t cut)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);
	char byte;

	cr_assert_geq(fd, 0);
	if (cut >= 0) {
		cr_assert_eq(ftruncate(fd, cut), 0);
	} else {
		cr_assert_eq(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
}

Test(members, a_damaged_entry_is_removed_and_not_used)
{
	/* a bit at a place, or the length it is cut to */
	static const struct {
		off_t at, cut;
	} rows[] = {{0, -1},  {7, -1},    {8, -1},    {39, -1},  {40, -1},    {43, -1},
				{44, -1}, {2000, -1}, {3043, -1}, {0, 0},    {0, 20},     {0, 44},
				{0, 45},  {0, 2000},  {0, 3043},  {0, 3045}, {0, 1 << 20}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = enter();
		uint8_t key[SHA256_BYTES];
		AUTO_FREE char *file = NULL;

		key_of(200, 1, key);
		file = file_of(w, key);
		keep(w, key, 3000);
		damage(file, rows[i].at, rows[i].cut);
		cr_expect_eq(find(w, key, 4000), 0, "row %zu", i);
		cr_expect_not(fs_exists(file), "row %zu", i);
		keep(w, key, 3000);
		cr_expect_eq(find(w, key, 4000), 3000, "row %zu", i);
		leave(w);
	}
}

Test(members, an_entry_under_anothers_name_is_damaged)
{
	struct world *w = enter();
	uint8_t key[SHA256_BYTES], other[SHA256_BYTES];
	AUTO_FREE char *from = NULL;
	AUTO_FREE char *to = NULL;

	key_of(1, 1, key);
	key_of(1, 2, other);
	from = file_of(w, key);
	to = file_of(w, other);
	keep(w, key, 1000);
	cr_assert_eq(rename(from, to), 0);
	cr_expect_eq(find(w, other, 1000), 0);
	leave(w);
}

Test(members, what_is_no_file_is_not_used)
{
	struct world *w = enter();
	uint8_t key[SHA256_BYTES];
	AUTO_FREE char *file = NULL;
	AUTO_FREE char *target = xasprintf("%s/elsewhere", w->dir);

	key_of(1, 1, key);
	file = file_of(w, key);
	keep(w, key, 1000);
	cr_assert_eq(rename(file, target), 0);
	cr_assert_eq(symlink(target, file), 0);
	cr_expect_eq(find(w, key, 1000), 0, "a link");
	unlink(file);
	cr_assert_eq(mkfifo(file, 0600), 0);
	cr_expect_eq(find(w, key, 1000), 0, "a pipe");
	leave(w);
}

static size_t count(const struct world *w, unsigned folder, uint64_t *bytes)
{
	AUTO_FREE char *dir = xasprintf("%s/members/%02x", w->dir, folder);
	AUTO(strv) struct strv names = {0};
	struct error err = {0};

	*bytes = 0;
	if (fs_is_dir(dir))
		cr_assert_eq(fs_list(dir, &names, &err), 0);
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *file = fs_join(dir, names.items[i]);
		struct stat st;

		cr_assert_eq(lstat(file, &st), 0);
		*bytes += (uint64_t)st.st_size;
	}
	return names.count;
}

/* The n-th was last used n seconds after the first, long ago. */
static void set_age(const struct world *w, const uint8_t key[SHA256_BYTES], unsigned n)
{
	AUTO_FREE char *file = file_of(w, key);
	struct timespec times[2] = {{.tv_sec = 1000 + n}, {.tv_sec = 1000 + n}};

	cr_assert_eq(utimensat(AT_FDCWD, file, times, 0), 0);
}

Test(members, a_folder_keeps_to_its_share_of_the_caps)
{
	static const struct {
		size_t len, fits;
	} rows[] = {
		{10, MEMBERS_MAX_FILES / MEMBERS_FOLDERS},
		{LAYER_MEMBER_BYTES, MEMBERS_MAX_BYTES / MEMBERS_FOLDERS / (LAYER_MEMBER_BYTES + 44)},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = enter();
		uint8_t key[SHA256_BYTES];
		uint64_t bytes;

		for (unsigned n = 0; n < rows[i].fits + 5; n++) {
			key_of(7, n, key);
			keep(w, key, rows[i].len);
			cr_expect_leq(count(w, 7, &bytes), MEMBERS_MAX_FILES / MEMBERS_FOLDERS);
			cr_expect_leq(bytes, MEMBERS_MAX_BYTES / MEMBERS_FOLDERS);
			set_age(w, key, n);
		}
		cr_expect_eq(count(w, 7, &bytes), rows[i].fits, "%zu", count(w, 7, &bytes));
		for (unsigned n = 0; n < rows[i].fits + 5; n++) {
			key_of(7, n, key);
			cr_expect_eq(find(w, key, rows[i].len), n < 5 ? 0 : rows[i].len, "%u", n);
		}
		leave(w);
	}
}

Test(members, prune_removes_what_was_not_used_for_longest)
{
	static const struct {
		uint64_t max_bytes;
		size_t max_files, left;
	} rows[] = {{~0ull, 1000, 20}, {~0ull, 7, 7}, {1044 * 9, 1000, 9}, {1044 * 9, 7, 7}, {0, 0, 0}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = enter();
		uint8_t key[SHA256_BYTES];
		uint64_t freed = 1;
		struct error err = {0};

		for (unsigned n = 0; n < 20; n++) {
			key_of(n * 11, n, key);
			keep(w, key, 1000);
			set_age(w, key, n);
		}
		/* a use counts: the oldest is the newest now */
		key_of(0, 0, key);
		cr_expect_eq(find(w, key, 1000), 1000);
		cr_assert_eq(
			build_members_prune(w->dir, rows[i].max_bytes, rows[i].max_files, &freed, &err), 0);
		cr_expect_eq(freed, (20 - rows[i].left) * 1044, "row %zu: %llu", i,
					 (unsigned long long)freed);
		cr_expect_eq(find(w, key, 1000), rows[i].left ? 1000 : 0, "row %zu", i);
		for (unsigned n = 1; n < 20; n++) {
			key_of(n * 11, n, key);
			cr_expect_eq(find(w, key, 1000), n > 20 - rows[i].left ? 1000 : 0, "row %zu: %u", i, n);
		}
		leave(w);
	}
}

Test(members, what_dead_processes_left_goes_and_what_is_being_written_stays)
{
	struct world *w = enter();
	AUTO_FREE char *dead = xasprintf("%s/members/07/.tmp.dead", w->dir);
	AUTO_FREE char *live = xasprintf("%s/members/07/.tmp.live", w->dir);
	struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	uint8_t key[SHA256_BYTES];
	uint64_t freed = 0;
	struct error err = {0};

	key_of(7, 1, key);
	keep(w, key, 1000);
	cr_assert_eq(fs_write_atomic(dead, "x", 1, 0600, &err), 0);
	cr_assert_eq(fs_write_atomic(live, "x", 1, 0600, &err), 0);
	cr_assert_eq(utimensat(AT_FDCWD, dead, long_ago, 0), 0);
	cr_assert_eq(build_members_prune(w->dir, 1 << 20, 100, &freed, &err), 0);
	cr_expect_eq(freed, 1);
	cr_expect_not(fs_exists(dead));
	cr_expect(fs_exists(live));
	cr_expect_eq(find(w, key, 1000), 1000);
	leave(w);
}

Test(members, no_cache_is_no_error)
{
	struct build_members m;
	uint8_t key[SHA256_BYTES] = {0};
	uint64_t freed = 1;
	struct error err = {0};
	char out[10];

	cr_expect_eq(build_members_prune("/nonexistent/cache", 0, 0, &freed, &err), 0, "%s", err.msg);
	cr_expect_eq(freed, 0);
	build_members_open("/dev/null/cache", &m);
	struct layer_cache c = build_members_cache(&m);
	cr_expect_eq(c.find(c.user, key, out, sizeof(out)), 0);
	c.keep(c.user, key, "x", 1);
	cr_expect_eq(c.find(c.user, key, out, sizeof(out)), 0);
	build_members_release(&m);
}

/* As on a full disk: what cannot be written whole is not there, and nothing more is tried. */
Test(members, what_cannot_be_written_is_not_there)
{
	struct world *w = enter();
	struct rlimit limit = {2000, RLIM_INFINITY};
	uint8_t key[SHA256_BYTES], small[SHA256_BYTES];
	uint64_t bytes;

	key_of(1, 1, key);
	key_of(1, 2, small);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	keep(w, key, 5000);
	cr_expect_eq(find(w, key, 5000), 0);
	keep(w, small, 1000);
	cr_expect_eq(find(w, small, 5000), 0);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(count(w, 1, &bytes), 0);
	leave(w);
}

/* Several processes and threads keep and find the same few entries; whatever is found is right. */
static void *mix(void *arg)
{
	const struct world *w = arg;

	for (unsigned i = 0; i < 300; i++) {
		uint8_t key[SHA256_BYTES];

		key_of(i % 3, i % 7, key);
		if (i % 2)
			keep(w, key, 3000);
		else
			cr_assert(find(w, key, 4000) % 3000 == 0);
	}
	return NULL;
}

Test(members, threads_and_processes_share_it)
{
	struct world *w = enter();
	pid_t children[2];
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		children[i] = fork();
		cr_assert_geq(children[i], 0);
		if (children[i] == 0) {
			pthread_t threads[2];

			for (size_t k = 0; k < ARRAY_LEN(threads); k++)
				pthread_create(&threads[k], NULL, mix, w);
			for (size_t k = 0; k < ARRAY_LEN(threads); k++)
				pthread_join(threads[k], NULL);
			_exit(0);
		}
	}
	mix(w);
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		int status;

		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_expect_eq(status, 0);
	}
	for (unsigned folder = 0; folder < 3; folder++)
		cr_expect_eq(count(w, folder, &bytes), 7, "%u: no temporary file is left", folder);
	leave(w);
}
