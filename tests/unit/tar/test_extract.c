#include "tar/extract.h"

#include "base/fs.h"
#include "base/mem.h"
#include "maker.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

/* DIR/root is extracted into, DIR/outside is the canary that nothing may touch. */
static char *dir, *root, *outside;
static int root_fd;
static size_t skipped_count;

static void setup(void)
{
	struct error err = {0};
	AUTO_FREE char *canary = NULL;

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &dir, &err), 0, "%s", err.msg);
	root = fs_join(dir, "root");
	outside = fs_join(dir, "outside");
	cr_assert_eq(fs_mkdirs(root, 0755, &err), 0);
	cr_assert_eq(fs_mkdirs(outside, 0755, &err), 0);
	canary = fs_join(outside, "canary");
	cr_assert_eq(fs_write_atomic(canary, "alive", 5, 0600, &err), 0);
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(root_fd, 0);
}

static void teardown(void)
{
	struct error err = {0};

	close(root_fd);
	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
	free(root);
	free(outside);
}

TestSuite(tar_extract, .init = setup, .fini = teardown);

static void count_skipped(void *user, const char *path, const char *why)
{
	(void)user;
	(void)path;
	(void)why;
	skipped_count++;
}

static int extract_as(struct buf *tar, bool keep_owner, struct error *err)
{
	struct made_source state = {tar, 0, 0};
	struct tar_source source = made_source(&state);
	struct extract_options o = {
		.keep_owner = keep_owner, .skipped = count_skipped, .max_bytes = 10u << 20};

	make_end(tar);
	return tar_extract(&source, "layer", root_fd, &o, NULL, err);
}

static int extract(struct buf *tar, struct error *err)
{
	return extract_as(tar, false, err);
}

static void must_extract(const struct made *entries, size_t count)
{
	AUTO(buf) struct buf tar = {0};
	struct error err = {0};

	for (size_t i = 0; i < count; i++)
		make_entry(&tar, &entries[i]);
	cr_assert_eq(extract(&tar, &err), 0, "%s", err.msg);
}

#define LAYER(...)                                   \
	must_extract((const struct made[]){__VA_ARGS__}, \
				 sizeof((const struct made[]){__VA_ARGS__}) / sizeof(struct made))
#define FILE_(p, c)             \
	{                           \
		.path = p, .content = c \
	}
#define DIR_(p)                \
	{                          \
		.path = p, .type = '5' \
	}
#define LINK_(p, t)                         \
	{                                       \
		.path = p, .type = '2', .target = t \
	}
#define HARD_(p, t)                         \
	{                                       \
		.path = p, .type = '1', .target = t \
	}

static bool holds(const char *path, const char *text)
{
	AUTO_FREE char *full = fs_join(root, path);
	AUTO(buf) struct buf b = {0};
	struct error err = {0};

	return fs_read(full, 1000, &b, &err) == 0 && strcmp(buf_str(&b), text) == 0;
}

static bool is_there(const char *path)
{
	AUTO_FREE char *full = fs_join(root, path);
	struct stat st;

	return lstat(full, &st) == 0;
}

static mode_t mode_of(const char *path)
{
	AUTO_FREE char *full = fs_join(root, path);
	struct stat st = {0};

	lstat(full, &st);
	return st.st_mode;
}

static void outside_is_untouched(void)
{
	AUTO(strv) struct strv names = {0};
	AUTO_FREE char *canary = fs_join(outside, "canary");
	AUTO(buf) struct buf b = {0};
	struct error err = {0};

	cr_assert_eq(fs_list(outside, &names, &err), 0);
	cr_expect_eq(names.count, 1);
	cr_assert_eq(fs_read(canary, 100, &b, &err), 0);
	cr_expect_str_eq(buf_str(&b), "alive");
	strv_release(&names);
	cr_assert_eq(fs_list(dir, &names, &err), 0);
	cr_expect_eq(names.count, 2);
}

Test(tar_extract, makes_what_the_layer_says)
{
	AUTO_FREE char *link = fs_join(root, "etc/link");
	struct stat st;

	LAYER(DIR_("etc/"), FILE_("etc/a", "A"), LINK_("etc/link", "a"), HARD_("etc/b", "etc/a"),
		  FILE_("implied/parents/x", "X"), {.path = "etc/pipe", .type = '6'},
		  {.path = "etc/run", .content = "#!", .mode = 04755},
		  {.path = "ro", .type = '5', .mode = 0555}, FILE_("ro/inside", "I"));
	cr_expect(holds("etc/a", "A"));
	cr_expect(holds("etc/b", "A"));
	cr_expect(holds("etc/link", "A"));
	cr_expect(holds("implied/parents/x", "X"));
	cr_expect(holds("ro/inside", "I"));
	cr_expect(S_ISFIFO(mode_of("etc/pipe")));
	cr_expect_eq(mode_of("etc/run") & 07777, 0755, "no setuid without keep_owner");
	cr_expect_eq(mode_of("ro") & 07777, 0755, "folders stay writable");
	cr_assert_eq(lstat(link, &st), 0);
	cr_expect_eq(st.st_mtime, 1000);
}

/* Changing the owner would take the capabilities away: they come last. */
Test(tar_extract, capabilities_are_set_with_the_owner_and_left_without)
{
	static const char capability[20] = {1, 0, 0, 2, 0, 4};
	bool is_root = geteuid() == 0;

	for (int keep = 0; keep <= is_root; keep++) {
		AUTO(buf) struct buf tar = {0};
		AUTO_FREE char *app = fs_join(root, "app");
		AUTO_FREE char *plain = fs_join(root, "plain");
		struct error err = {0};
		char got[64];

		make_pax(&tar, "SCHILY.xattr.security.capability", capability, sizeof(capability));
		make_pax(&tar, "SCHILY.xattr.user.other", "x", 1);
		make_pax(&tar, "uid", "65532", 5);
		make_entry(&tar, &(struct made){.path = "app", .mode = 0755});
		make_entry(&tar, &(struct made){.path = "plain", .mode = 0755});
		skipped_count = 0;
		cr_assert_eq(extract_as(&tar, keep, &err), 0, "%s", err.msg);
		cr_expect_eq(getxattr(app, "user.other", got, sizeof(got)), -1);
		cr_expect_eq(getxattr(plain, "security.capability", got, sizeof(got)), -1);
		/* a machine whose root may not set them says so */
		if (keep && skipped_count == 0) {
			cr_expect_eq(getxattr(app, "security.capability", got, sizeof(got)), 20);
			cr_expect_eq(memcmp(got, capability, sizeof(capability)), 0);
		} else {
			cr_expect_eq(getxattr(app, "security.capability", got, sizeof(got)), -1);
		}
	}
}

Test(tar_extract, links_that_lead_out_lead_to_the_same_place_inside)
{
	LAYER(DIR_("outside"), DIR_("tmp"), LINK_("up", "../outside"), FILE_("up/evil", "1"));
	cr_expect(holds("outside/evil", "1"), "made inside, where '..' of the root is the root");
	LAYER(LINK_("deep", "../../../../../../../../../../../../../tmp"), FILE_("deep/evil", "3"));
	cr_expect(holds("tmp/evil", "3"));
	LAYER(LINK_("self", "."), FILE_("self/self/self/in", "4"));
	cr_expect(holds("in", "4"));
	outside_is_untouched();
}

Test(tar_extract, a_file_over_a_link_replaces_the_link)
{
	AUTO_FREE char *target = fs_join(outside, "canary");

	LAYER({.path = "c", .type = '2', .target = target}, FILE_("c", "mine"));
	LAYER(LINK_("d", "../outside"), DIR_("d/"), FILE_("d/x", "in d"));
	cr_expect(holds("c", "mine"));
	cr_expect(holds("d/x", "in d"));
	cr_expect(S_ISDIR(mode_of("d")));
	outside_is_untouched();
}

Test(tar_extract, the_folder_that_became_a_link_in_another_layer)
{
	/* kaniko #330: usr-merge images must work, and must not lead out */
	LAYER(DIR_("usr/bin"), LINK_("bin", "usr/bin"));
	LAYER(FILE_("bin/sh", "sh"));
	cr_expect(holds("usr/bin/sh", "sh"));
	LAYER(DIR_("outside"), LINK_("usr/bin", "/../../outside"));
	LAYER(FILE_("bin/sh", "again"));
	cr_expect(holds("outside/sh", "again"));
	outside_is_untouched();
}

static void must_fail(const struct made *entries, size_t count, const char *says)
{
	AUTO(buf) struct buf tar = {0};
	struct error err = {0};

	for (size_t i = 0; i < count; i++)
		make_entry(&tar, &entries[i]);
	cr_assert_eq(extract(&tar, &err), -1, "accepted: %s", says);
	cr_expect_eq(err.code, ERR_INPUT, "%s", err.msg);
	cr_expect_not_null(strstr(err.msg, says), "%s: %s", says, err.msg);
	outside_is_untouched();
}

#define BAD_LAYER(says, ...)                      \
	must_fail((const struct made[]){__VA_ARGS__}, \
			  sizeof((const struct made[]){__VA_ARGS__}) / sizeof(struct made), says)

Test(tar_extract, hostile_layers_are_refused)
{
	BAD_LAYER("'..'", FILE_("../outside/x", "x"));
	BAD_LAYER("absolute", FILE_("/etc/x", "x"));
	BAD_LAYER("hard link out", HARD_("x", "../outside/canary"));
	BAD_LAYER("does not exist", HARD_("x", "missing/canary"));
	BAD_LAYER("no file", HARD_("x", "missing"));
	BAD_LAYER("no file", DIR_("folder"), HARD_("x", "folder"));
	BAD_LAYER("no folder", LINK_("loop", "loop"), FILE_("loop/x", "x"));
	BAD_LAYER("no folder", FILE_("file", "x"), FILE_("file/x", "x"));
	BAD_LAYER("no folder", LINK_("dangling", "nowhere"), FILE_("dangling/x", "x"));
	BAD_LAYER("no folder", {.path = "abs", .type = '2', .target = outside}, FILE_("abs/x", "x"));
	BAD_LAYER("whiteout of nothing", FILE_("a/.wh.", ""));
	BAD_LAYER("whiteout of nothing", FILE_("a/.wh...", ""));
	BAD_LAYER("whiteout of nothing", FILE_("a/.wh..", ""));
	BAD_LAYER("overlayfs whiteout", {.path = "x", .type = '3', .major = "0", .minor = "0"});
	/* a hard link through a link that leads out finds nothing inside */
	BAD_LAYER("does not exist", LINK_("up", "../outside"), HARD_("x", "up/canary"));
	BAD_LAYER("does not exist", LINK_("far", "/nothing/here"), HARD_("x", "far/canary"));
}

Test(tar_extract, a_hard_link_to_a_link_does_not_follow_it)
{
	LAYER(LINK_("a", "../outside/canary"), HARD_("b", "a"));
	cr_expect(S_ISLNK(mode_of("b")));
	outside_is_untouched();
}

Test(tar_extract, devices_are_skipped)
{
	skipped_count = 0;
	LAYER({.path = "dev/sda", .type = '4', .major = "10", .minor = "0"},
		  {.path = "dev/null", .type = '3', .major = "1", .minor = "3"});
	cr_expect_eq(skipped_count, 2);
	cr_expect_not(is_there("dev/null"));
}

Test(tar_extract, whiteouts_hide_lower_layers_only)
{
	LAYER(FILE_("d/a", "1"), FILE_("d/b", "1"), FILE_("d/sub/c", "1"), FILE_("e/x", "1"));
	/* whiteout and file of one name in one layer, in both orders: the file stays */
	LAYER(FILE_("d/.wh.a", ""), FILE_("d/a", "2"), FILE_("d/b", "2"), FILE_("d/.wh.b", ""),
		  FILE_("d/.wh.missing", ""), FILE_("no/such/.wh.folder", ""), FILE_(".wh.e", ""));
	cr_expect(holds("d/a", "2"));
	cr_expect(holds("d/b", "2"));
	cr_expect(holds("d/sub/c", "1"));
	cr_expect_not(is_there("e"));
	cr_expect_not(is_there("no"));
	cr_expect_not(is_there(".wh.e"));
}

Test(tar_extract, a_folder_and_its_whiteout_in_one_layer_hide_what_was_below)
{
	for (int order = 0; order < 2; order++) {
		LAYER(FILE_("d/old", "1"), FILE_("d/sub/old", "1"));
		if (order)
			LAYER(FILE_(".wh.d", ""), DIR_("d"), FILE_("d/new", "2"));
		else
			LAYER(DIR_("d"), FILE_("d/new", "2"), FILE_(".wh.d", ""));
		cr_expect(holds("d/new", "2"), "order %d", order);
		cr_expect_not(is_there("d/old"), "order %d", order);
		cr_expect_not(is_there("d/sub"), "order %d", order);
	}
}

Test(tar_extract, an_opaque_folder_hides_all_below_wherever_its_mark_stands)
{
	for (int order = 0; order < 2; order++) {
		LAYER(FILE_("d/old", "1"), FILE_("d/sub/old", "1"), FILE_("d/keep/old", "1"));
		if (order)
			LAYER(FILE_("d/.wh..wh..opq", ""), FILE_("d/new", "2"), FILE_("d/keep/new", "2"));
		else
			LAYER(FILE_("d/new", "2"), FILE_("d/keep/new", "2"), FILE_("d/.wh..wh..opq", ""));
		cr_expect(holds("d/new", "2"), "order %d", order);
		cr_expect(holds("d/keep/new", "2"), "order %d", order);
		cr_expect_not(is_there("d/old"), "order %d", order);
		cr_expect_not(is_there("d/sub"), "order %d", order);
		cr_expect_not(is_there("d/keep/old"), "order %d", order);
	}
}

Test(tar_extract, a_whiteout_through_a_link_stays_inside)
{
	LAYER(LINK_("link", "../outside"), FILE_("link/.wh.canary", ""));
	LAYER(LINK_("link2", "../outside"), FILE_("link2/.wh..wh..opq", ""));
	outside_is_untouched();
}

Test(tar_extract, kinds_replace_each_other)
{
	LAYER(DIR_("a"), FILE_("a/x", "1"), FILE_("b", "1"), LINK_("c", "b"));
	LAYER(FILE_("a", "file now"), DIR_("b"), FILE_("b/x", "2"), FILE_("c", "file now"));
	cr_expect(holds("a", "file now"));
	cr_expect(holds("b/x", "2"));
	cr_expect(holds("c", "file now"));
}

Test(tar_extract, the_cap_ends_it)
{
	AUTO(buf) struct buf tar = {0};
	struct error err = {0};
	AUTO_FREE char *big = xmalloc((11u << 20) + 1);

	memset(big, 'x', 11u << 20);
	big[11u << 20] = '\0';
	make_entry(&tar, &(struct made){.path = "big", .content = big});
	cr_expect_eq(extract(&tar, &err), -1);
	cr_expect_not_null(strstr(err.msg, "larger than allowed"), "%s", err.msg);
}

Test(tar_extract, depth_is_bounded_whatever_links_lead_there)
{
	AUTO(buf) struct buf tar = {0}, path = {0};
	struct error err = {0};
	char target[700];
	int rc = 0;

	for (int i = 0; i < 200; i++)
		buf_adds(&path, "d/");
	make_pax(&tar, "path", path.data, path.len);
	make_entry(&tar, &(struct made){.path = "d", .type = '5'});
	snprintf(target, sizeof(target), "/%s", buf_str(&path));
	make_pax(&tar, "linkpath", target, strlen(target));
	make_entry(&tar, &(struct made){.path = "l", .type = '2', .target = "x"});
	buf_cut(&path, 0);
	buf_adds(&path, "l/");
	for (int i = 0; i < 100; i++)
		buf_adds(&path, "e/");
	buf_adds(&path, "file");
	make_pax(&tar, "path", path.data, path.len);
	make_entry(&tar, &(struct made){.path = "f", .content = "x"});
	rc = extract(&tar, &err);
	cr_expect_eq(rc, -1);
	cr_expect_not_null(strstr(err.msg, "folders deep"), "%s", err.msg);
}
