#include "oci/store.h"

#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static char *root;

static void setup(void)
{
	struct error err = {0};

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &root, &err), 0, "%s", err.msg);
}

static void teardown(void)
{
	struct error err = {0};

	fs_remove_tree(root, &err);
	free(root);
}

TestSuite(oci_store, .init = setup, .fini = teardown);

static struct oci_store *open_store(void)
{
	struct oci_store *s = NULL;
	struct error err = {0};

	cr_assert_eq(oci_store_open(root, &s, &err), 0, "%s", err.msg);
	return s;
}

static void put(struct oci_store *s, const char *text, struct oci_descriptor *d)
{
	struct error err = {0};

	cr_assert_eq(oci_store_put(s, text, strlen(text), d->digest, &err), 0, "%s", err.msg);
	d->size = strlen(text);
}

/* An image with one layer whose content is text, named ref. */
static void put_image(struct oci_store *s, const char *text, const char *ref_text,
					  struct oci_descriptor *layer)
{
	AUTO(oci_descriptor) struct oci_descriptor config = {0}, manifest = {0};
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO_FREE char *config_text = xasprintf("{\"of\":\"%s\"}", text);
	AUTO_FREE char *manifest_text = NULL;
	struct error err = {0};

	put(s, text, layer);
	put(s, config_text, &config);
	manifest_text =
		xasprintf("{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
				  "\"%s\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
				  "\"%s\",\"digest\":\"%s\",\"size\":%zu}]}",
				  OCI_MEDIA_MANIFEST, OCI_MEDIA_CONFIG, config.digest, (size_t)config.size,
				  OCI_MEDIA_LAYER, layer->digest, (size_t)layer->size);
	put(s, manifest_text, &manifest);
	manifest.media_type = xstrdup(OCI_MEDIA_MANIFEST);
	cr_assert_eq(oci_ref_parse_tagged(ref_text, &ref, &err), 0);
	cr_assert_eq(oci_store_tag(s, &ref, &manifest, &err), 0, "%s", err.msg);
}

static char *blob_path(const char *digest)
{
	return xasprintf("%s/blobs/sha256/%s", root, oci_digest_hex(digest));
}

static void write_file(const char *path, const char *text)
{
	struct error err = {0};

	cr_assert_eq(fs_write_atomic(path, text, strlen(text), 0644, &err), 0, "%s", err.msg);
}

static size_t count_files(const char *below)
{
	AUTO_FREE char *dir = fs_join(root, below);
	AUTO(strv) struct strv names = {0};
	struct error err = {0};

	cr_assert_eq(fs_list(dir, &names, &err), 0, "%s", err.msg);
	return names.count;
}

Test(oci_store, a_blob_comes_back_as_it_went_in)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor d = {0};
	AUTO(buf) struct buf out = {0};
	struct error err = {0};

	put(s, "hello", &d);
	cr_expect_str_eq(d.digest,
					 "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	cr_expect(oci_store_has(s, d.digest, 5));
	cr_expect_not(oci_store_has(s, d.digest, 6));
	cr_assert_eq(oci_store_read(s, &d, 100, &out, &err), 0, "%s", err.msg);
	cr_expect_str_eq(buf_str(&out), "hello");
	cr_expect_eq(count_files("tmp"), 0);
}

Test(oci_store, a_large_blob_in_many_pieces)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	AUTO_PTR(oci_blob_writer) struct oci_blob_writer *w = NULL;
	AUTO_FREE char *data = xmalloc(3000000);
	struct oci_descriptor d = {.size = 3000000};
	AUTO(buf) struct buf out = {0};
	struct error err = {0};
	size_t at = 0;

	for (size_t i = 0; i < 3000000; i++)
		data[i] = (char)(i * 2654435761u >> 13);
	oci_digest_of(data, 3000000, d.digest);
	cr_assert_eq(oci_blob_writer_new(s, &w, &err), 0);
	cr_assert_eq(oci_blob_writer_add(w, "a false start", 13, &err), 0);
	cr_assert_eq(oci_blob_writer_restart(w, &err), 0);
	for (size_t step = 1; at < 3000000; step = step * 3 + 1) {
		size_t n = step < 3000000 - at ? step : 3000000 - at;

		cr_assert_eq(oci_blob_writer_add(w, data + at, n, &err), 0);
		at += n;
	}
	cr_assert_eq(oci_blob_writer_end(w, &d, NULL, &err), 0, "%s", err.msg);
	cr_assert_eq(oci_store_read(s, &d, 3000000, &out, &err), 0, "%s", err.msg);
	cr_expect_eq(memcmp(out.data, data, 3000000), 0);
}

Test(oci_store, a_blob_that_is_not_what_was_promised_does_not_appear)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor want = {.size = 5};
	struct error err = {0};

	oci_digest_of("hello", 5, want.digest);
	for (int i = 0; i < 2; i++) {
		AUTO_PTR(oci_blob_writer) struct oci_blob_writer *w = NULL;
		const char *text = i ? "hallo" : "hell";

		cr_assert_eq(oci_blob_writer_new(s, &w, &err), 0);
		cr_assert_eq(oci_blob_writer_add(w, text, strlen(text), &err), 0);
		cr_expect_eq(oci_blob_writer_end(w, &want, NULL, &err), -1);
		cr_expect_eq(err.code, ERR_INPUT);
	}
	cr_expect_eq(count_files("tmp"), 0);
	cr_expect_eq(count_files("blobs/sha256"), 0);
}

Test(oci_store, a_damaged_blob_is_found_removed_and_healed)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor d = {0};
	AUTO(buf) struct buf out = {0};
	struct error err = {0};
	AUTO_FREE char *path = NULL;

	put(s, "hello", &d);
	path = blob_path(d.digest);
	write_file(path, "hexlo");
	cr_expect_eq(oci_store_read(s, &d, 100, &out, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_not(fs_exists(path));
	put(s, "hello", &d);
	write_file(path, "hell");
	cr_expect_eq(oci_store_read(s, &d, 100, &out, &err), -1);
	cr_expect_not(fs_exists(path));
	cr_expect_eq(oci_store_read(s, &d, 100, &out, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	/* what was written over a damaged one of the same size counts */
	put(s, "hello", &d);
	write_file(path, "hexlo");
	put(s, "hello", &d);
	cr_expect_eq(oci_store_read(s, &d, 100, &out, &err), 0, "%s", err.msg);
}

Test(oci_store, a_link_in_place_of_a_blob_is_not_followed)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor d = {0};
	struct error err = {0};
	AUTO_FREE char *path = NULL;
	int fd = -1;

	put(s, "hello", &d);
	path = blob_path(d.digest);
	unlink(path);
	cr_assert_eq(symlink("/etc/passwd", path), 0);
	cr_expect_eq(oci_store_open_blob(s, &d, &fd, &err), -1);
	cr_expect_not(oci_store_has(s, d.digest, 5));
}

Test(oci_store, names_are_set_replaced_listed_and_found)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor layer = {0};
	AUTO(oci_descriptor) struct oci_descriptor found = {0}, by_digest = {0};
	AUTO(oci_images) struct oci_images images = {0};
	AUTO(oci_ref) struct oci_ref ref = {0}, digest_ref = {0}, near = {0};
	AUTO_FREE char *text = NULL;
	struct error err = {0};

	put_image(s, "one", "r.example.com/b:1", &layer);
	put_image(s, "two", "a:2", &layer);
	put_image(s, "three", "a:2", &layer);
	cr_assert_eq(oci_store_list(s, &images, &err), 0);
	cr_assert_eq(images.count, 2);
	cr_expect_str_eq(images.items[0].ref, "a:2");
	cr_expect_str_eq(images.items[1].ref, "r.example.com/b:1");

	cr_assert_eq(oci_ref_parse("a:2", &ref, &err), 0);
	cr_assert_eq(oci_store_find(s, &ref, &found, &err), 0, "%s", err.msg);
	cr_expect_str_eq(found.digest, images.items[0].descriptor.digest);
	/* by digest, whatever it is called: the digest wins over the tag */
	text = xasprintf("other:9@%s", found.digest);
	cr_assert_eq(oci_ref_parse(text, &digest_ref, &err), 0);
	cr_expect_eq(oci_store_find(s, &digest_ref, &by_digest, &err), 0, "%s", err.msg);

	cr_assert_eq(oci_ref_parse("r.example.com/b:2", &near, &err), 0);
	cr_expect_eq(oci_store_find(s, &near, &found, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect_not_null(strstr(err.hint, "r.example.com/b:1"), "%s", err.hint);
}

Test(oci_store, the_same_name_again_writes_nothing)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	AUTO_FREE char *file = xasprintf("%s/index.json", root);
	struct oci_descriptor layer = {0};
	struct stat before = {0}, after = {0};

	put_image(s, "one", "x:1", &layer);
	cr_assert_eq(stat(file, &before), 0);
	put_image(s, "one", "x:1", &layer);
	cr_assert_eq(stat(file, &after), 0);
	cr_expect_eq(before.st_ino, after.st_ino);
	put_image(s, "two", "x:1", &layer);
	cr_assert_eq(stat(file, &after), 0);
	cr_expect_neq(before.st_ino, after.st_ino);
}

Test(oci_store, a_name_for_what_is_not_there_is_refused)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor d = {.size = 5};
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct error err = {0};

	oci_digest_of("hello", 5, d.digest);
	cr_assert_eq(oci_ref_parse("a:1", &ref, &err), 0);
	cr_expect_eq(oci_store_tag(s, &ref, &d, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
}

Test(oci_store, collection_keeps_what_names_reach)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor kept = {0}, gone = {0}, loose = {0};
	AUTO(oci_ref) struct oci_ref ref = {0};
	AUTO_FREE char *stray = fs_join(root, "tmp/blob-stray");
	struct error err = {0};
	uint64_t freed = 0;

	put_image(s, "kept", "a:1", &kept);
	put_image(s, "gone", "a:2", &gone);
	put(s, "loose", &loose);
	write_file(stray, "x");
	cr_assert_eq(oci_ref_parse("a:2", &ref, &err), 0);
	cr_assert_eq(oci_store_untag(s, &ref, false, &freed, &err), 0);
	cr_expect(oci_store_has(s, gone.digest, gone.size));
	cr_assert_eq(oci_store_gc(s, &freed, &err), 0, "%s", err.msg);
	cr_expect_gt(freed, 10);
	cr_expect(oci_store_has(s, kept.digest, kept.size));
	cr_expect_not(oci_store_has(s, gone.digest, gone.size));
	cr_expect_not(oci_store_has(s, loose.digest, loose.size));
	cr_expect_eq(count_files("tmp"), 0);
	cr_expect_eq(count_files("blobs/sha256"), 3);
	cr_expect_eq(oci_store_untag(s, &ref, true, &freed, &err), -1);
	cr_expect_eq(err.code, ERR_MISSING);
}

Test(oci_store, no_collection_while_another_works_here)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	AUTO_PTR(oci_store) struct oci_store *other = open_store();
	struct oci_descriptor loose = {0}, layer = {0};
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct error err = {0};
	uint64_t freed = 99;

	put(other, "in flight", &loose);
	put_image(s, "one", "a:1", &layer);
	cr_expect_eq(oci_store_gc(s, &freed, &err), -1);
	cr_expect_eq(err.code, ERR_CONFLICT);
	cr_assert_eq(oci_ref_parse("a:1", &ref, &err), 0);
	cr_expect_eq(oci_store_untag(s, &ref, true, &freed, &err), 0, "%s", err.msg);
	cr_expect_eq(freed, 0);
	cr_expect(oci_store_has(other, loose.digest, loose.size));
}

Test(oci_store, verify_counts_and_removes_what_is_damaged)
{
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor a = {0}, b = {0};
	AUTO_FREE char *path = NULL;
	struct error err = {0};
	size_t checked = 0, broken = 0;

	put_image(s, "one", "a:1", &a);
	put_image(s, "two", "a:2", &b);
	cr_assert_eq(oci_store_verify(s, &checked, &broken, &err), 0, "%s", err.msg);
	cr_expect_eq(checked, 6);
	cr_expect_eq(broken, 0);
	path = blob_path(b.digest);
	write_file(path, "twx");
	cr_assert_eq(oci_store_verify(s, &checked, &broken, &err), 0, "%s", err.msg);
	cr_expect_eq(broken, 1);
	cr_expect_not(fs_exists(path));
	/* absent is as bad */
	cr_assert_eq(oci_store_verify(s, &checked, &broken, &err), 0, "%s", err.msg);
	cr_expect_eq(broken, 1);
	cr_expect_eq(checked, 5);
}

Test(oci_store, another_version_of_the_layout_is_left_alone)
{
	AUTO_FREE char *layout = fs_join(root, "oci-layout");
	struct oci_store *s = NULL;
	struct error err = {0};

	write_file(layout, "{\"imageLayoutVersion\":\"2.0.0\"}");
	cr_expect_eq(oci_store_open(root, &s, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_eq(count_files(""), 1);
}

Test(oci_store, foreign_entries_of_the_index_survive)
{
	AUTO_FREE char *index = fs_join(root, "index.json");
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	struct oci_descriptor layer = {0};
	AUTO(oci_images) struct oci_images images = {0};
	AUTO(buf) struct buf text = {0};
	struct error err = {0};

	write_file(index,
			   "{\"schemaVersion\":2,\"x\":1,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":"
			   "\"sha512:00\",\"size\":1},{\"mediaType\":\"a/b\",\"size\":1},7]}");
	put_image(s, "one", "a:1", &layer);
	cr_assert_eq(oci_store_list(s, &images, &err), 0, "%s", err.msg);
	cr_expect_eq(images.count, 1);
	cr_assert_eq(fs_read(index, 10000, &text, &err), 0);
	cr_expect_not_null(strstr(buf_str(&text), "sha512:00"));
	cr_expect_not_null(strstr(buf_str(&text), "\"x\":1"));
}

Test(oci_store, many_processes_at_once_lose_no_name, .timeout = 60)
{
	enum { PROCESSES = 6, IMAGES = 10 };
	pid_t pids[PROCESSES];
	AUTO(oci_images) struct oci_images images = {0};
	struct error err = {0};
	size_t checked = 0, broken = 0;

	for (int p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		if (pids[p] > 0)
			continue;
		for (int i = 0; i < IMAGES; i++) {
			AUTO_PTR(oci_store) struct oci_store *s = open_store();
			AUTO_FREE char *ref = xasprintf("image%d:%d", p, i);
			AUTO_FREE char *text = xasprintf("content %d", i); /* shared between processes */
			struct oci_descriptor layer = {0};
			uint64_t freed;

			put_image(s, text, ref, &layer);
			if (oci_store_gc(s, &freed, &err) < 0 && err.code != ERR_CONFLICT)
				_exit(1);
		}
		_exit(0);
	}
	for (int p = 0; p < PROCESSES; p++) {
		int status = -1;

		waitpid(pids[p], &status, 0);
		cr_expect_eq(status, 0);
	}
	AUTO_PTR(oci_store) struct oci_store *s = open_store();
	cr_assert_eq(oci_store_list(s, &images, &err), 0, "%s", err.msg);
	cr_expect_eq(images.count, PROCESSES * IMAGES);
	cr_assert_eq(oci_store_verify(s, &checked, &broken, &err), 0, "%s", err.msg);
	cr_expect_eq(broken, 0);
	cr_expect_eq(checked, IMAGES * 3);
}
