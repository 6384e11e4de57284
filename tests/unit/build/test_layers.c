/* What is in the layers of a built image: links, capabilities, compression. */
#include "base/fs.h"
#include "base/mem.h"
#include "build/build.h"
#include "tar/reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static char *world(void)
{
	char *dir = NULL;
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "layers-", &dir, &err), 0);
	unsetenv("SOURCE_DATE_EPOCH");
	return dir;
}

static void leave(char *dir)
{
	struct error err = {0};

	cr_expect_eq(fs_remove_tree(dir, &err), 0, "%s", err.msg);
	free(dir);
}

static void put(const char *dir, const char *path, const void *data, size_t len, mode_t mode)
{
	AUTO_FREE char *full = fs_join(dir, path);
	AUTO_FREE char *parent = fs_dirname(full);
	struct error err = {0};

	cr_assert_eq(fs_mkdirs(parent, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(full, data, len, mode, &err), 0, "%s", err.msg);
}

/* `build` are lines of the project file below build: */
static void put_project(const char *dir, const char *build)
{
	AUTO_FREE char *text = xasprintf(
		"apiVersion: msctl/v1\nname: x\nversion: \"1\"\nbuild:\n  libraries: false\n%s", build);

	put(dir, "msctl.yaml", text, strlen(text), 0644);
}

static int make(const char *dir, const char *cache, struct build_result *r, struct error *err)
{
	AUTO_FREE char *store = fs_join(dir, "store");
	AUTO(project) struct project p = {0};
	struct build_request request = {
		.project = &p, .store = store, .cache = cache, .clock = &clock_system};

	if (project_load(dir, NULL, &p, err) < 0)
		return -1;
	return build_run(&request, r, err);
}

static void made(const char *dir, struct build_result *r)
{
	AUTO_FREE char *cache = fs_join(dir, "cache");
	struct error err = {0};

	cr_assert_eq(make(dir, cache, r, &err), 0, "%s", err.msg);
}

static void refused(const char *dir, const char *says)
{
	struct build_result r = {0};
	struct error err = {0};

	cr_assert_eq(make(dir, NULL, &r, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT, "%s", err.msg);
	cr_expect(strstr(err.msg, says), "%s", err.msg);
	cr_expect(err.hint[0], "%s", err.msg);
}

static ssize_t read_fd(void *user, void *data, size_t len, struct error *err)
{
	ssize_t n = read(*(int *)user, data, len);

	return n < 0 ? err_errno(err, "read") : n;
}

/* "TYPE PATH TARGET" or "TYPE PATH SIZE" of each entry of a layer; *capability: of the last file
 * that has one. */
static char *list(const char *dir, const char *digest, struct tar_capability *capability)
{
	AUTO_FREE char *file = xasprintf("%s/store/blobs/sha256/%s", dir, digest + strlen("sha256:"));
	AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct tar_source source = {read_fd, &fd};
	AUTO_PTR(tar_reader) struct tar_reader *r = NULL;
	AUTO(buf) struct buf out = {0};
	struct tar_entry e;
	struct error err = {0};
	int rc;

	cr_assert_geq(fd, 0, "%s", file);
	cr_assert_eq(tar_reader_new(&source, "layer", 1u << 30, &r, &err), 0, "%s", err.msg);
	while ((rc = tar_reader_next(r, &e, &err)) > 0) {
		static const char types[] = {
			[TAR_FILE] = 'f', [TAR_DIR] = 'd', [TAR_SYMLINK] = 'l', [TAR_HARDLINK] = 'h'};

		if (e.type == TAR_FILE || e.type == TAR_DIR)
			buf_addf(&out, "%c %s %llu\n", types[e.type], e.path, (unsigned long long)e.size);
		else
			buf_addf(&out, "%c %s %s\n", types[e.type], e.path, e.target);
		if (capability && e.capability.len > 0)
			*capability = e.capability;
	}
	cr_assert_eq(rc, 0, "%s", err.msg);
	return buf_take(&out);
}

static const struct build_layer *layer(const struct build_result *r, const char *name)
{
	for (size_t i = 0; i < r->images[0].layer_count; i++)
		if (strcmp(r->images[0].layers[i].name, name) == 0)
			return &r->images[0].layers[i];
	cr_assert(false, "no layer %s", name);
	return NULL;
}

static void link_file(const char *dir, const char *from, const char *to)
{
	AUTO_FREE char *a = fs_join(dir, from);
	AUTO_FREE char *b = fs_join(dir, to);

	cr_assert_eq(link(a, b), 0, "%s", strerror(errno));
}

/* Names of one file stay so within a layer; the program is in another one. */
Test(layers, hard_links_stay_hard_links)
{
	char *dir = world();
	AUTO(build_result) struct build_result r = {0};
	AUTO_FREE char *files = NULL;
	AUTO_FREE char *app = NULL;

	put_project(dir, "  copy: {bin: /bin}\n  entrypoint: [/bin/c]\n");
	put(dir, "bin/b", "hello", 5, 0755);
	put(dir, "bin/one", "hello", 5, 0755);
	link_file(dir, "bin/b", "bin/c");
	link_file(dir, "bin/b", "bin/a");
	link_file(dir, "bin/b", "bin/z");
	made(dir, &r);
	files = list(dir, layer(&r, "files")->digest, NULL);
	app = list(dir, layer(&r, "app")->digest, NULL);
	cr_expect_str_eq(files, "d bin 0\nf bin/a 5\nh bin/b bin/a\nf bin/one 5\nh bin/z bin/a\n");
	cr_expect_str_eq(app, "d bin 0\nf bin/c 5\n");
	leave(dir);
}

#define LARGE (3u << 20)

/* The layer cache knows the difference that links, capabilities and compression make. */
Test(layers, what_decides_about_bytes_is_in_the_key)
{
	static const char *const lines[] = {"", "  compression: zstd\n",
										"  capabilities: {/app: cap_net_raw=ep}\n",
										"  capabilities: {/app: cap_net_raw=p}\n"};
	char *dir = world();
	AUTO_FREE char *data = xcalloc(1, LARGE);
	AUTO_FREE char *second = fs_join(dir, "data/b");
	char seen[ARRAY_LEN(lines) + 1][OCI_DIGEST_LEN + 1];

	put(dir, "app", data, LARGE, 0755);
	put(dir, "data/a", data, LARGE, 0644);
	link_file(dir, "data/a", "data/b");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		AUTO(build_result) struct build_result r = {0};
		AUTO_FREE char *text = xasprintf("  copy: {app: /app, data: /data}\n%s", lines[i]);

		put_project(dir, text);
		made(dir, &r);
		memcpy(seen[i], layer(&r, "app")->digest, sizeof(seen[i]));
		for (size_t k = 0; k < i; k++)
			cr_expect_str_neq(seen[i], seen[k], "%s", lines[i]);
		if (i == 0)
			memcpy(seen[ARRAY_LEN(lines)], layer(&r, "files")->digest, OCI_DIGEST_LEN + 1);
	}
	cr_assert_eq(unlink(second), 0);
	put(dir, "data/b", data, LARGE, 0644);
	AUTO(build_result) struct build_result r = {0};
	put_project(dir, "  copy: {app: /app, data: /data}\n");
	made(dir, &r);
	cr_expect_str_neq(layer(&r, "files")->digest, seen[ARRAY_LEN(lines)]);
	leave(dir);
}

Test(layers, capabilities_are_on_the_file)
{
	static const uint8_t want[20] = {1, 0, 0, 2, 0, 4};
	char *dir = world();
	AUTO(build_result) struct build_result r = {0};
	struct tar_capability capability = {0};
	AUTO_FREE char *app = NULL;

	put_project(dir, "  copy: {app: /usr/bin/app}\n"
					 "  capabilities: {/bin/../usr/bin/app: cap_net_bind_service=ep}\n");
	put(dir, "app", "x", 1, 0755);
	made(dir, &r);
	app = list(dir, layer(&r, "app")->digest, &capability);
	cr_expect_str_eq(app, "d usr 0\nd usr/bin 0\nf usr/bin/app 1\n");
	cr_assert_eq(capability.len, sizeof(want));
	cr_expect_eq(memcmp(capability.bytes, want, sizeof(want)), 0);
	leave(dir);
}

Test(layers, capabilities_of_what_is_no_file_are_refused)
{
	static const struct {
		const char *path, *text, *says;
	} rows[] = {
		{"/usr/bin/ap", "cap_kill=p",
		 "build.capabilities: /usr/bin/ap: the image has no such file"},
		{"/usr/bin", "cap_kill=p", "/usr/bin: is no regular file"},
		{"/usr/bin/app", "cap_kil=p", "/usr/bin/app: 'cap_kil' is no capability"},
	};
	char *dir = world();

	put(dir, "app", "x", 1, 0755);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = xasprintf("  copy: {app: /usr/bin/app}\n  capabilities: {%s: %s}\n",
										 rows[i].path, rows[i].text);

		put_project(dir, text);
		refused(dir, rows[i].says);
	}
	leave(dir);
}

/* With the members of the first build, whatever became of the cache, the second gives the same. */
Test(layers, zstd_and_the_member_cache)
{
	char *dir = world();
	AUTO_FREE char *cache = fs_join(dir, "cache");
	AUTO_FREE char *store = fs_join(dir, "store");
	AUTO_FREE char *members = fs_join(dir, "cache/members");
	AUTO_FREE char *records = fs_join(dir, "cache/layers");
	AUTO_FREE char *data = xmalloc(LARGE);
	AUTO_FREE char *app = NULL;
	char first[OCI_DIGEST_LEN + 1] = "";
	struct error err = {0};

	for (uint32_t i = 0, seed = 1; i < LARGE; i++) {
		seed = seed * 1664525u + 1013904223u;
		data[i] = (char)(seed >> 28);
	}
	put_project(dir, "  copy: {app: /app}\n  compression: zstd\n");
	put(dir, "app", data, LARGE, 0755);
	for (int i = 0; i < 3; i++) {
		AUTO(build_result) struct build_result r = {0};

		cr_assert_eq(make(dir, i < 2 ? cache : NULL, &r, &err), 0, "%s", err.msg);
		cr_expect(fs_is_dir(members));
		if (i == 0)
			memcpy(first, layer(&r, "app")->digest, sizeof(first));
		cr_expect_str_eq(layer(&r, "app")->digest, first, "%d", i);
		cr_expect_not(layer(&r, "app")->was_there, "%d", i);
		if (i < 2) {
			cr_assert_eq(fs_remove_tree(store, &err), 0);
			cr_assert_eq(fs_remove_tree(records, &err), 0);
		}
	}
	app = list(dir, first, NULL);
	cr_expect_str_eq(app, "f app 3145728\n");
	leave(dir);
}
