#include "build/collect.h"

#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char *world(void)
{
	char *dir = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "collect-", &dir, &err), 0);
	return dir;
}

static void leave(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

static struct oci_store *open_store(const char *dir)
{
	AUTO_FREE char *path = fs_join(dir, "store");
	struct oci_store *s = NULL;
	struct error err = {0};

	cr_assert_eq(oci_store_open(path, &s, &err), 0, "%s", err.msg);
	return s;
}

/* A file of the cache, used at that second. */
static void put(const char *dir, const char *path, size_t bytes, time_t used)
{
	AUTO_FREE char *full = xasprintf("%s/cache/%s", dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	AUTO_FREE char *text = xcalloc(1, bytes + 1);
	struct timespec times[2] = {{.tv_sec = used}, {.tv_sec = used}};
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, text, bytes, 0644, &err), 0, "%s", err.msg);
	cr_assert_eq(utimensat(AT_FDCWD, full, times, 0), 0);
}

static bool has(const char *dir, const char *path)
{
	AUTO_FREE char *full = xasprintf("%s/cache/%s", dir, path);

	return fs_exists(full);
}

static struct build_collected collect(struct oci_store *s, const char *dir, uint64_t bytes,
									  uint64_t files)
{
	AUTO_FREE char *cache = fs_join(dir, "cache");
	struct build_collect what = {.cache = cache, .max_bytes = bytes, .max_files = files};
	struct build_collected c = {0};
	struct error err = {0};

	cr_assert_eq(build_collect(s, &what, &c, &err), 0, "%s", err.msg);
	return c;
}

Test(collect, a_lock_that_somebody_holds_stays)
{
	char *dir = world();
	AUTO_PTR(oci_store) struct oci_store *s = open_store(dir);
	AUTO_FREE char *path = fs_join(dir, "cache/projects/p/steps.lock");
	AUTO_CLOSE int lock = -1;
	struct error err = {0};

	put(dir, "projects/p/steps", 100, 1000);
	put(dir, "projects/p/steps.lock", 0, 1000);
	cr_assert_eq(fs_lock(path, true, false, &lock, &err), 0);
	collect(s, dir, 0, 0);
	cr_expect(has(dir, "projects/p/steps.lock"));
	cr_expect_not(has(dir, "projects/p/steps"));
	close(TAKE_FD(lock));
	collect(s, dir, 0, 0);
	cr_expect_not(has(dir, "projects/p"));
	oci_store_free(TAKE(s));
	leave(dir);
}

Test(collect, what_was_not_used_for_longest_goes_first)
{
	char *dir = world();
	AUTO_PTR(oci_store) struct oci_store *s = open_store(dir);
	struct build_collected c;

	put(dir, "layers/old", 100, 1000);
	put(dir, "members/aa/older", 100, 900);
	put(dir, "projects/p/steps", 100, 2000);
	put(dir, "bases/new", 100, 3000);
	put(dir, "stat.idx", 100, 1);
	put(dir, "kube/other", 100, 1);
	c = collect(s, dir, 400, 100);
	cr_expect_eq(c.freed.files, 0);
	cr_expect_eq(c.cache.bytes, 400);
	c = collect(s, dir, 399, 100);
	cr_expect_eq(c.freed.files, 1);
	cr_expect_not(has(dir, "members/aa/older"));
	cr_expect(has(dir, "layers/old"));
	c = collect(s, dir, 1000, 2);
	cr_expect_not(has(dir, "layers/old"));
	cr_expect(has(dir, "projects/p/steps"));
	c = collect(s, dir, 0, 0);
	cr_expect_eq(c.cache.bytes + c.cache.files, 0);
	cr_expect_not(has(dir, "projects/p"));
	cr_expect(has(dir, "stat.idx") && has(dir, "kube/other"));
	leave(dir);
}

Test(collect, half_written_files_go_when_their_writers_are_dead)
{
	char *dir = world();
	AUTO_PTR(oci_store) struct oci_store *s = open_store(dir);

	put(dir, "layers/.tmp.dead", 10, 1000);
	put(dir, "layers/.tmp.alive", 10, time(NULL));
	put(dir, "layers/one", 10, 1000);
	collect(s, dir, 1000, 100);
	cr_expect_not(has(dir, "layers/.tmp.dead"));
	cr_expect(has(dir, "layers/.tmp.alive") && has(dir, "layers/one"));
	leave(dir);
}

Test(collect, a_toolchain_in_use_stays)
{
	char *dir = world();
	AUTO_PTR(oci_store) struct oci_store *s = open_store(dir);
	AUTO_FREE char *path = fs_join(dir, "cache/toolchains/one.lock");
	AUTO_CLOSE int lock = -1;
	struct error err = {0};

	put(dir, "toolchains/one/bin/cc", 100, 1000);
	put(dir, "toolchains/one.lock", 0, 1000);
	put(dir, "toolchains/two/bin/cc", 100, 1000);
	put(dir, "toolchains/two.lock", 0, 2000);
	cr_assert_eq(fs_lock(path, false, true, &lock, &err), 0);
	collect(s, dir, 150, 100);
	cr_expect(has(dir, "toolchains/one/bin/cc"));
	cr_expect_not(has(dir, "toolchains/two"));
	close(TAKE_FD(lock));
	collect(s, dir, 50, 100);
	cr_expect_not(has(dir, "toolchains/one"));
	leave(dir);
}

static void tag(struct oci_store *s, const char *name)
{
	static const char manifest[] = "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST
								   "\",\"config\":{\"mediaType\":\"" OCI_MEDIA_CONFIG
								   "\",\"digest\":\"%s\",\"size\":400},\"layers\":[]}";
	AUTO_FREE char *config = xcalloc(1, 400);
	AUTO_FREE char *text = NULL;
	AUTO(oci_descriptor) struct oci_descriptor d = {.media_type = xstrdup(OCI_MEDIA_MANIFEST)};
	AUTO(oci_ref) struct oci_ref ref = {0};
	char digest[OCI_DIGEST_LEN + 1];
	struct error err = {0};

	cr_assert_eq(oci_store_put(s, config, 400, digest, &err), 0);
	text = xasprintf(manifest, digest);
	d.size = strlen(text);
	cr_assert_eq(oci_store_put(s, text, d.size, d.digest, &err), 0);
	cr_assert_eq(oci_ref_parse_tagged(name, &ref, &err), 0);
	cr_assert_eq(oci_store_tag(s, &ref, &d, &err), 0, "%s", err.msg);
}

Test(collect, named_images_stay_and_are_named)
{
	char *dir = world();
	AUTO_PTR(oci_store) struct oci_store *s = open_store(dir);
	AUTO_FREE char *cache = fs_join(dir, "cache");
	struct build_collect what = {.cache = cache, .max_bytes = 300, .max_files = 100};
	struct build_collected c = {0};
	char digest[OCI_DIGEST_LEN + 1];
	struct error err = {0};

	tag(s, "shop:1");
	cr_assert_eq(oci_store_put(s, "garbage", 7, digest, &err), 0);
	put(dir, "layers/one", 10, 1000);
	cr_expect_eq(build_collect(s, &what, &c, &err), -1);
	cr_expect_eq(err.code, ERR_DENIED);
	cr_expect(strstr(err.hint, "shop:1 (400 B)"), "%s", err.hint);
	cr_expect_eq(c.freed.bytes, 17);
	cr_expect_eq(c.store.files, 2);
	cr_expect_not(oci_store_has(s, digest, 7));
	leave(dir);
}

Test(collect, not_while_somebody_else_works_with_the_store)
{
	char *dir = world();
	AUTO_PTR(oci_store) struct oci_store *s = open_store(dir);
	AUTO_PTR(oci_store) struct oci_store *other = open_store(dir);
	struct build_collect what = {.max_bytes = 0, .max_files = 0};
	struct build_collected c = {0};
	struct error err = {0};

	cr_expect_eq(build_collect(s, &what, &c, &err), -1);
	cr_expect_eq(err.code, ERR_CONFLICT);
	leave(dir);
}
