#include "oci/export.h"

#include "base/fs.h"
#include "base/mem.h"
#include "tar/reader.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#define LAYER "a layer\n"
#define REF_NAME "org.opencontainers.image.ref.name"

static char *root, *dir, *file;
static struct oci_store *store;
static struct error err;

static void setup(void)
{
	AUTO_FREE char *path = NULL;

	cr_assert_eq(fs_temp_dir("/tmp", "msctl-unit-", &root, &err), 0, "%s", err.msg);
	path = fs_join(root, "store");
	dir = fs_join(root, "out");
	file = fs_join(root, "out.tar");
	cr_assert_eq(oci_store_open(path, &store, &err), 0, "%s", err.msg);
}

static void teardown(void)
{
	oci_store_free(store);
	fs_remove_tree(root, &err);
	free(root);
	free(dir);
	free(file);
}

TestSuite(export, .init = setup, .fini = teardown);

static void put(const void *data, size_t len, const char *type, struct oci_descriptor *d)
{
	cr_assert_eq(oci_store_put(store, data, len, d->digest, &err), 0, "%s", err.msg);
	d->size = len;
	d->media_type = xstrdup(type);
}

/* An image of one layer, made for that machine. */
static void put_image(const char *arch, const void *layer, size_t len, const char *type,
					  struct oci_descriptor *out)
{
	AUTO(oci_descriptor) struct oci_descriptor l = {0};
	AUTO(oci_descriptor) struct oci_descriptor c = {0};
	AUTO_FREE char *config = NULL;
	AUTO_FREE char *manifest = NULL;
	char diff_id[OCI_DIGEST_LEN + 1];

	put(layer, len, type, &l);
	config = xasprintf("{\"architecture\":\"%s\",\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"%s\"]"
					   ",\"type\":\"layers\"}}",
					   arch, oci_digest_of(LAYER, strlen(LAYER), diff_id));
	put(config, strlen(config), OCI_MEDIA_CONFIG, &c);
	manifest =
		xasprintf("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\","
				  "\"size\":%zu},\"layers\":[{\"mediaType\":\"%s\",\"digest\":\"%s\","
				  "\"size\":%zu}]}",
				  c.media_type, c.digest, (size_t)c.size, l.media_type, l.digest, (size_t)l.size);
	put(manifest, strlen(manifest), OCI_MEDIA_MANIFEST, out);
}

static void put_plain(const char *arch, struct oci_descriptor *out)
{
	put_image(arch, LAYER, strlen(LAYER), OCI_MEDIA_LAYER, out);
}

static void put_index(const char *const *archs, struct oci_descriptor *out)
{
	AUTO(buf) struct buf b = {0};

	buf_adds(&b, "{\"schemaVersion\":2,\"manifests\":[");
	for (size_t i = 0; archs[i]; i++) {
		AUTO(oci_descriptor) struct oci_descriptor d = {0};

		put_plain(archs[i], &d);
		buf_addf(&b,
				 "%s{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu,\"platform\":{\"os\":"
				 "\"linux\",\"architecture\":\"%s\"}}",
				 i ? "," : "", d.media_type, d.digest, (size_t)d.size, archs[i]);
	}
	buf_adds(&b, "]}");
	put(b.data, b.len, OCI_MEDIA_INDEX, out);
}

static int export_as(const struct oci_descriptor *d, const char *name, const char *ref_name,
					 int how)
{
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct oci_export what = {.store = store, .image = d, .name = &ref, .ref_name = ref_name};

	memset(&err, 0, sizeof(err));
	cr_assert_eq(oci_ref_parse(name, &ref, &err), 0, "%s", err.msg);
	if (how < 0)
		return oci_export_layout(&what, dir, &err);
	return oci_export_archive(&what, (enum oci_archive)how, file, &err);
}

static char *slurp(const char *folder, const char *name)
{
	AUTO_FREE char *path = fs_join(folder, name);
	AUTO(buf) struct buf b = {0};

	cr_assert_eq(fs_read(path, 1 << 20, &b, &err), 0, "%s", err.msg);
	return buf_take(&b);
}

static json_t *read_index(void)
{
	AUTO_FREE char *text = slurp(dir, "index.json");
	json_t *doc = NULL;

	cr_assert_eq(doc_json_parse(span_of(text), "index.json", &doc, &err), 0, "%s", err.msg);
	return json_object_get(doc, "manifests") ? doc : NULL;
}

static const char *annotation(const json_t *entry, const char *key)
{
	return json_string_value(json_object_get(json_object_get(entry, "annotations"), key));
}

/* The names of an archive, one a line; the content of `want` goes to *content. */
static char *list_archive(const char *want, char **content)
{
	AUTO(buf) struct buf bytes = {0};
	AUTO(buf) struct buf names = {0};

	cr_assert_eq(fs_read(file, 1 << 20, &bytes, &err), 0, "%s", err.msg);
	for (size_t at = 0; bytes.data[at];) {
		size_t size = strtoul(bytes.data + at + 124, NULL, 8);

		cr_assert_eq(strtoul(bytes.data + at + 136, NULL, 8), 0, "a time");
		buf_addf(&names, "%s\n", bytes.data + at);
		if (want && strcmp(bytes.data + at, want) == 0)
			*content = xstrndup(bytes.data + at + 512, size);
		at += 512 + (size + 511) / 512 * 512;
	}
	return buf_take(&names);
}

static bool store_has_only_whole_files(const char *folder)
{
	AUTO(strv) struct strv names = {0};

	cr_assert_eq(fs_list(folder, &names, &err), 0, "%s", err.msg);
	for (size_t i = 0; i < names.count; i++)
		if (names.items[i][0] == '.')
			return false;
	return true;
}

Test(export, a_layout_has_every_blob_and_both_names)
{
	static const struct {
		const char *name, *ref_name, *as, *full;
	} cases[] = {
		{"orders:1", NULL, "1", "docker.io/library/orders:1"},
		{"shop/orders:1", NULL, "1", "docker.io/shop/orders:1"},
		{"r.example.com/shop/orders:1", NULL, "1", "r.example.com/shop/orders:1"},
		{"orders:1", "r.example.com/orders:1", "r.example.com/orders:1",
		 "docker.io/library/orders:1"},
	};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};

	put_plain("amd64", &d);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_JSON json_t *index = NULL;
		AUTO_FREE char *blobs = fs_join(dir, "blobs/sha256");
		AUTO_FREE char *version = NULL;
		AUTO(strv) struct strv names = {0};
		const json_t *entry;

		cr_assert_eq(export_as(&d, cases[i].name, cases[i].ref_name, -1), 0, "%s", err.msg);
		index = read_index();
		entry = doc_get(index, "manifests.0");
		cr_expect_str_eq(annotation(entry, REF_NAME), cases[i].as);
		cr_expect_str_eq(annotation(entry, "io.containerd.image.name"), cases[i].full);
		cr_expect_str_eq(doc_text(entry, "digest", ""), d.digest);
		cr_assert_eq(fs_list(blobs, &names, &err), 0);
		cr_expect_eq(names.count, 3);
		for (size_t k = 0; k < names.count; k++) {
			AUTO_FREE char *text = slurp(blobs, names.items[k]);
			char is[OCI_DIGEST_LEN + 1];

			cr_expect_str_eq(oci_digest_hex(oci_digest_of(text, strlen(text), is)), names.items[k]);
		}
		version = slurp(dir, "oci-layout");
		cr_expect_str_eq(version, "{\"imageLayoutVersion\":\"1.0.0\"}");
		cr_expect(store_has_only_whole_files(dir));
		fs_remove_tree(dir, &err);
	}
}

Test(export, other_images_of_a_layout_stay)
{
	AUTO(oci_descriptor) struct oci_descriptor one = {0};
	AUTO(oci_descriptor) struct oci_descriptor two = {0};
	AUTO_JSON json_t *index = NULL;

	put_plain("amd64", &one);
	put_plain("arm64", &two);
	cr_assert_eq(export_as(&one, "orders:1", NULL, -1), 0, "%s", err.msg);
	cr_assert_eq(export_as(&one, "orders:2", NULL, -1), 0, "%s", err.msg);
	cr_assert_eq(export_as(&two, "orders:1", NULL, -1), 0, "%s", err.msg);
	index = read_index();
	cr_assert_eq(json_array_size(json_object_get(index, "manifests")), 2);
	cr_expect_str_eq(annotation(doc_get(index, "manifests.0"), REF_NAME), "2");
	cr_expect_str_eq(doc_text(index, "manifests.0.digest", ""), one.digest);
	cr_expect_str_eq(annotation(doc_get(index, "manifests.1"), REF_NAME), "1");
	cr_expect_str_eq(doc_text(index, "manifests.1.digest", ""), two.digest);
}

Test(export, what_others_wrote_into_an_index_stays)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO_JSON json_t *index = NULL;
	AUTO_FREE char *path = fs_join(dir, "index.json");
	static const char text[] = "{\"annotations\":{\"a\":\"b\"},\"manifests\":[{\"x\":1}],"
							   "\"schemaVersion\":2}";

	put_plain("amd64", &d);
	cr_assert_eq(export_as(&d, "orders:1", NULL, -1), 0, "%s", err.msg);
	cr_assert_eq(fs_write_atomic(path, text, strlen(text), 0644, &err), 0);
	cr_assert_eq(export_as(&d, "orders:1", NULL, -1), 0, "%s", err.msg);
	index = read_index();
	cr_expect_str_eq(doc_text(index, "annotations.a", ""), "b");
	cr_expect_eq(doc_int(index, "manifests.0.x", 0), 1);
	cr_expect_str_eq(doc_text(index, "manifests.1.digest", ""), d.digest);
}

Test(export, a_damaged_blob_of_a_layout_is_written_again)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO_FREE char *blob = NULL;
	AUTO_FREE char *text = NULL;

	put_plain("amd64", &d);
	cr_assert_eq(export_as(&d, "orders:1", NULL, -1), 0, "%s", err.msg);
	blob = xasprintf("%s/blobs/sha256/%s", dir, oci_digest_hex(d.digest));
	text = xasprintf("%*s", (int)d.size, "x");
	cr_assert_eq(fs_write_atomic(blob, text, strlen(text), 0644, &err), 0);
	cr_assert_eq(export_as(&d, "orders:1", NULL, -1), 0, "%s", err.msg);
	free(text);
	text = slurp(root, blob);
	cr_expect_eq(text[0], '{');
}

Test(export, what_a_killed_run_left_is_no_obstacle)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO_FREE char *litter = fs_join(dir, ".tmp.12345678");

	put_plain("amd64", &d);
	cr_assert_eq(fs_mkdirs(dir, 0755, &err), 0);
	cr_assert_eq(fs_write_atomic(litter, "x", 1, 0644, &err), 0);
	cr_assert_eq(export_as(&d, "orders:1", NULL, -1), 0, "%s", err.msg);
	cr_expect_not(fs_exists(litter));
}

Test(export, a_folder_of_something_else_is_left_alone)
{
	static const struct {
		const char *name, *content;
		enum err_code code;
		const char *says;
	} cases[] = {
		{"notes.txt", "x", ERR_CONFLICT, "neither empty nor an image layout"},
		{"oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}", ERR_INPUT, "version '2.0.0'"},
		{"oci-layout", "}", ERR_INPUT, "oci-layout"},
	};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};

	put_plain("amd64", &d);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *path = fs_join(dir, cases[i].name);
		AUTO(strv) struct strv names = {0};

		cr_assert_eq(fs_mkdirs(dir, 0755, &err), 0);
		cr_assert_eq(fs_write_atomic(path, cases[i].content, strlen(cases[i].content), 0644, &err),
					 0);
		cr_expect_eq(export_as(&d, "orders:1", NULL, -1), -1);
		cr_expect_eq(err.code, cases[i].code);
		cr_expect(strstr(err.msg, cases[i].says) != NULL, "%s", err.msg);
		cr_expect(err.hint[0] != '\0');
		cr_expect_eq(oci_export_check_layout(dir, &err), -1);
		cr_assert_eq(fs_list(dir, &names, &err), 0);
		cr_expect_eq(names.count, 1, "something was written");
		fs_remove_tree(dir, &err);
	}
	cr_expect_eq(oci_export_check_layout(dir, &err), 0, "%s", err.msg);
}

static void damage(const char *digest)
{
	AUTO_FREE char *path =
		xasprintf("%s/blobs/sha256/%s", oci_store_path(store), oci_digest_hex(digest));
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	cr_assert_eq(write(fd, "#", 1), 1);
}

Test(export, a_damaged_store_exports_nothing)
{
	for (int how = -1; how <= OCI_ARCHIVE_DOCKER; how++) {
		AUTO(oci_descriptor) struct oci_descriptor d = {0};
		char layer[OCI_DIGEST_LEN + 1];

		put_plain("amd64", &d);
		damage(oci_digest_of(LAYER, strlen(LAYER), layer));
		cr_expect_eq(export_as(&d, "orders:1", NULL, how), -1);
		cr_expect_eq(err.code, ERR_INPUT);
		cr_expect(strstr(err.msg, "damaged") != NULL, "%s", err.msg);
		cr_expect_not(oci_store_has(store, layer, strlen(LAYER)), "it stays in the store");
		cr_expect_not(fs_exists(dir));
		cr_expect_not(fs_exists(file));
		cr_expect(store_has_only_whole_files(root));
	}
}

Test(export, a_failure_leaves_what_was_there)
{
	AUTO(oci_descriptor) struct oci_descriptor good = {0};
	AUTO(oci_descriptor) struct oci_descriptor bad = {0};
	AUTO_FREE char *before = NULL;
	AUTO_FREE char *after = NULL;

	put_plain("amd64", &good);
	put_image("amd64", "other", 5, OCI_MEDIA_LAYER, &bad);
	cr_assert_eq(export_as(&good, "orders:1", NULL, -1), 0, "%s", err.msg);
	cr_assert_eq(export_as(&good, "orders:1", NULL, OCI_ARCHIVE), 0, "%s", err.msg);
	before = slurp(dir, "index.json");
	damage("sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa");
	cr_expect_eq(export_as(&bad, "orders:1", NULL, -1), -1);
	cr_assert_eq(oci_store_put(store, "other", 5, (char[OCI_DIGEST_LEN + 1]){0}, &err), 0);
	damage("sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa");
	cr_expect_eq(export_as(&bad, "orders:1", NULL, OCI_ARCHIVE), -1);
	after = slurp(dir, "index.json");
	cr_expect_str_eq(before, after);
	cr_expect(store_has_only_whole_files(dir));
	cr_expect(fs_exists(file));
}

Test(export, an_archive_is_a_sorted_layout_with_fixed_bytes)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO_FREE char *names = NULL;
	AUTO_FREE char *index = NULL;
	const char *last = NULL;
	char digest[2][OCI_DIGEST_LEN + 1];

	put_plain("amd64", &d);
	for (int i = 0; i < 2; i++) {
		AUTO(buf) struct buf b = {0};

		cr_assert_eq(export_as(&d, "orders:1", NULL, OCI_ARCHIVE), 0, "%s", err.msg);
		cr_assert_eq(fs_read(file, 1 << 20, &b, &err), 0);
		oci_digest_of(b.data, b.len, digest[i]);
		cr_assert_eq(unlink(file), 0);
	}
	cr_expect_str_eq(digest[0], digest[1]);
	cr_assert_eq(export_as(&d, "orders:1", NULL, OCI_ARCHIVE), 0, "%s", err.msg);
	names = list_archive("index.json", &index);
	for (char *line = names, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		cr_expect(!last || strcmp(last, line) < 0, "%s before %s", last, line);
		last = line;
	}
	cr_assert_not_null(index);
	cr_expect(strstr(index, d.digest) != NULL);
	cr_expect_eq(export_as(&d, "orders:1", NULL, OCI_ARCHIVE), 0, "an archive is replaced");
}

Test(export, docker_finds_configuration_and_layers_by_file)
{
	static const struct {
		const char *name, *tag;
	} cases[] = {
		{"orders:1", "orders:1"},
		{"docker.io/library/orders:1", "orders:1"},
		{"docker.io/shop/orders:1", "shop/orders:1"},
		{"r.example.com/orders:1", "r.example.com/orders:1"},
	};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};

	put_plain("amd64", &d);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *text = NULL;
		AUTO_FREE char *names = NULL;
		AUTO_JSON json_t *doc = NULL;

		cr_assert_eq(export_as(&d, cases[i].name, NULL, OCI_ARCHIVE_DOCKER), 0, "%s", err.msg);
		names = list_archive("manifest.json", &text);
		cr_assert_eq(doc_json_parse(span_of(text), "manifest.json", &doc, &err), 0, "%s", err.msg);
		cr_expect_str_eq(doc_text(doc, "0.RepoTags.0", ""), cases[i].tag);
		cr_expect(strstr(names, doc_text(doc, "0.Config", "-")) != NULL);
		cr_expect(strstr(names, doc_text(doc, "0.Layers.0", "-")) != NULL);
		cr_expect(strstr(names, "index.json\n") != NULL);
	}
}

/* A frame that holds the text as it is (RFC 8878: single segment, one raw block). */
static size_t zstd_frame(const char *text, char out[64])
{
	size_t len = strlen(text);

	memcpy(out, "\x28\xb5\x2f\xfd\x20", 5);
	out[5] = (char)len;
	out[6] = (char)(len << 3 | 1);
	out[7] = out[8] = 0;
	memcpy(out + 9, text, len);
	return 9 + len;
}

Test(export, docker_gets_zstd_layers_unpacked)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO(oci_descriptor) struct oci_descriptor lie = {0};
	AUTO_FREE char *names = NULL;
	AUTO_FREE char *layer = NULL;
	AUTO_FREE char *path = NULL;
	char packed[64];
	char digest[OCI_DIGEST_LEN + 1];
	size_t len = zstd_frame(LAYER, packed);

	put_image("amd64", packed, len, OCI_MEDIA_LAYER_ZSTD, &d);
	path =
		xasprintf("blobs/sha256/%s", oci_digest_hex(oci_digest_of(LAYER, strlen(LAYER), digest)));
	cr_assert_eq(export_as(&d, "orders:1", NULL, OCI_ARCHIVE_DOCKER), 0, "%s", err.msg);
	names = list_archive(path, &layer);
	cr_assert_not_null(layer, "no %s in %s", path, names);
	cr_expect_str_eq(layer, LAYER);
	cr_expect(strstr(names, "index.json") == NULL, "a layout whose digests are not there");

	len = zstd_frame("a lie", packed);
	put_image("amd64", packed, len, OCI_MEDIA_LAYER_ZSTD, &lie);
	cr_expect_eq(export_as(&lie, "orders:1", NULL, OCI_ARCHIVE_DOCKER), -1);
	cr_expect_eq(err.code, ERR_INPUT);
}

Test(export, an_index_goes_whole_or_one_platform_for_docker)
{
	AUTO(oci_descriptor) struct oci_descriptor index = {0};
	AUTO(oci_descriptor) struct oci_descriptor foreign = {0};
	AUTO_FREE char *blobs = fs_join(dir, "blobs/sha256");
	AUTO_FREE char *manifest = NULL;
	AUTO_FREE char *names = NULL;
	AUTO_JSON json_t *doc = NULL;
	AUTO_JSON json_t *config = NULL;
	AUTO(strv) struct strv all = {0};
	struct oci_platform host;
	const char *archs[] = {"s390x", NULL, NULL};

	oci_platform_host(&host);
	put_index(archs, &foreign);
	archs[1] = host.arch;
	put_index(archs, &index);
	cr_assert_eq(export_as(&index, "orders:1", NULL, -1), 0, "%s", err.msg);
	cr_assert_eq(fs_list(blobs, &all, &err), 0);
	cr_expect_eq(all.count, 1 + 2 * 2 + 1);

	cr_assert_eq(export_as(&index, "orders:1", NULL, OCI_ARCHIVE_DOCKER), 0, "%s", err.msg);
	names = list_archive("manifest.json", &manifest);
	cr_assert_eq(doc_json_parse(span_of(manifest), "manifest.json", &doc, &err), 0);
	free(manifest);
	manifest = slurp(dir, doc_text(doc, "0.Config", ""));
	cr_assert_eq(doc_json_parse(span_of(manifest), "config", &config, &err), 0);
	cr_expect_str_eq(doc_text(config, "architecture", ""), host.arch);

	cr_expect_eq(export_as(&foreign, "orders:1", NULL, OCI_ARCHIVE_DOCKER), -1);
	cr_expect_eq(err.code, ERR_MISSING);
	cr_expect(strstr(err.hint, "oci-archive") != NULL);
}

Test(export, artifacts_go_along_only_when_asked)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO(oci_ref) struct oci_ref ref = {0};
	static const struct oci_artifact item = {
		.type = "application/spdx+json", .data = "{}\n", .len = 3};
	struct oci_attach attach = {
		.subject = &d, .key = "k", .created = "1970-01-01T00:00:00Z", .items = &item, .count = 1};
	struct oci_tag tag = {&ref, &d, &attach, 1};
	struct oci_export what = {.store = store, .image = &d, .name = &ref, .artifacts = true};
	AUTO_JSON json_t *index = NULL;
	AUTO_JSON json_t *without = NULL;

	put_plain("amd64", &d);
	cr_assert_eq(oci_ref_parse("orders:1", &ref, &err), 0);
	cr_assert_eq(oci_store_tag_with(store, &tag, &err), 0, "%s", err.msg);
	for (int i = 0; i < 2; i++) /* a second time adds nothing */
		cr_assert_eq(oci_export_layout(&what, dir, &err), 0, "%s", err.msg);
	index = read_index();
	cr_assert_eq(json_array_size(json_object_get(index, "manifests")), 2);
	cr_expect_null(annotation(doc_get(index, "manifests.1"), REF_NAME));
	cr_expect_str_eq(doc_text(index, "manifests.1.artifactType", ""), "application/spdx+json");

	fs_remove_tree(dir, &err);
	what.artifacts = false;
	cr_assert_eq(oci_export_layout(&what, dir, &err), 0, "%s", err.msg);
	without = read_index();
	cr_expect_eq(json_array_size(json_object_get(without, "manifests")), 1);
}

Test(export, a_file_that_is_no_regular_one_is_not_replaced)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	AUTO(oci_ref) struct oci_ref ref = {0};
	struct oci_export what = {.store = store, .image = &d, .name = &ref};
	struct stat st;

	put_plain("amd64", &d);
	cr_assert_eq(oci_ref_parse("orders:1", &ref, &err), 0);
	cr_assert_eq(symlink("/dev/null", file), 0);
	cr_assert_eq(oci_export_archive(&what, OCI_ARCHIVE, file, &err), 0, "%s", err.msg);
	cr_assert_eq(lstat(file, &st), 0);
	cr_expect(S_ISLNK(st.st_mode));
	cr_assert_eq(stat(file, &st), 0);
	cr_expect(S_ISCHR(st.st_mode));
	cr_expect_eq(oci_export_archive(&what, OCI_ARCHIVE, root, &err), -1);
	cr_expect_eq(err.code, ERR_CONFLICT);
}

Test(export, a_request_to_stop_is_heard)
{
	AUTO(oci_descriptor) struct oci_descriptor d = {0};
	struct cancel cancel = {.signo = 2, .fd = -1};
	struct oci_export what = {.store = store, .image = &d, .cancel = &cancel};

	put_plain("amd64", &d);
	cr_expect_eq(oci_export_layout(&what, dir, &err), -1);
	cr_expect_eq(err.code, ERR_INTERRUPTED);
	cr_expect_not(fs_exists(dir));
	cr_expect_eq(oci_export_archive(&what, OCI_ARCHIVE, file, &err), -1);
	cr_expect_eq(err.code, ERR_INTERRUPTED);
	cr_expect_not(fs_exists(file));
}

Test(ref_name, follows_the_grammar_of_the_specification)
{
	static const char *const good[] = {"1",    "v1.2",    "orders:1", "r.example.com/a/b:1",
									   "a--b", "a@b+c_d", NULL};
	static const char *const bad[] = {"",      "-",   "a-", "a..b", "/a", "a/",
									  "a---b", "a b", "ä",  "_a",   "a:", NULL};

	for (size_t i = 0; good[i]; i++)
		cr_expect(oci_is_ref_name(good[i]), "%s", good[i]);
	for (size_t i = 0; bad[i]; i++)
		cr_expect_not(oci_is_ref_name(bad[i]), "%s", bad[i]);
}
