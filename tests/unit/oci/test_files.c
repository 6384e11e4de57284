#include "oci/files.h"

#include "base/fs.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

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

TestSuite(oci_files, .init = setup, .fini = teardown);

/* One entry by words: "d etc", "f etc/motd hello", "l lib usr/lib", "h b a"; a mode may follow the
 * letter: "f4755 bin/su x". */
static void add_entry(struct buf *tar, const char *words)
{
	char type = '0', path[100], rest[100] = "";
	unsigned mode = words[0] == 'd' ? 0755 : 0644;
	char *block = buf_grow(tar, 512);
	unsigned sum = 0;

	if (words[1] != ' ')
		cr_assert_eq(sscanf(words + 1, "%o", &mode), 1);
	cr_assert_geq(sscanf(strchr(words, ' '), " %99s %99s", path, rest), 1);
	type = (char)(words[0] == 'd' ? '5' : words[0] == 'l' ? '2' : words[0] == 'h' ? '1' : '0');
	type = (char)(words[0] == 'c' ? '3' : type);
	memset(block, 0, 512);
	snprintf(block, 100, "%s", path);
	snprintf(block + 100, 8, "%07o", mode);
	snprintf(block + 108, 8, "%07o", 7);
	snprintf(block + 116, 8, "%07o", 8);
	snprintf(block + 124, 12, "%011zo", type == '0' ? strlen(rest) : 0);
	snprintf(block + 136, 12, "%011o", 1000);
	block[156] = type;
	if (type == '1' || type == '2')
		snprintf(block + 157, 100, "%s", rest);
	snprintf(block + 257, 8, "ustar");
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	tar->len += 512;
	if (type != '0' || !rest[0])
		return;
	memset(buf_grow(tar, 512), 0, 512);
	memcpy(tar->data + tar->len, rest, strlen(rest));
	tar->len += 512;
}

/* Layers of entries: {"d etc", "f etc/a x", NULL, "w...", NULL, NULL}. */
static struct oci_store *put_layers(const char *const *entries, struct oci_manifest *m,
									struct oci_config *c)
{
	struct oci_store *store = NULL;
	struct error err = {0};

	cr_assert_eq(oci_store_open(root, &store, &err), 0, "%s", err.msg);
	m->layers = xcalloc(8, sizeof(m->layers[0]));
	for (; *entries; entries++) {
		AUTO(buf) struct buf tar = {0};
		struct oci_descriptor *d = &m->layers[m->layer_count++];

		for (; *entries; entries++)
			add_entry(&tar, *entries);
		memset(buf_grow(&tar, 1024), 0, 1024);
		tar.len += 1024;
		cr_assert_eq(oci_store_put(store, tar.data, tar.len, d->digest, &err), 0, "%s", err.msg);
		d->size = tar.len;
		strv_add(&c->diff_ids, d->digest);
	}
	return store;
}

static int read_layers(const char *const *entries, struct oci_files *out, struct error *err)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	AUTO(oci_config) struct oci_config c = {0};
	AUTO_PTR(oci_store) struct oci_store *store = put_layers(entries, &m, &c);

	return oci_files_read(store, &m, &c, NULL, out, err);
}

/* "etc/ etc/a@1 lib>usr/lib": folders end in a slash, a layer but the first follows '@'. */
static char *list(const struct oci_files *f)
{
	struct buf text = {0};

	for (size_t i = 0; i < f->count; i++) {
		const struct oci_file *x = f->items[i];

		buf_addf(&text, "%s%s%s", i ? " " : "", x->path, x->type == TAR_DIR ? "/" : "");
		if (x->target)
			buf_addf(&text, "%c%s", x->type == TAR_SYMLINK ? '>' : '=', x->target);
		if (x->layer)
			buf_addf(&text, "@%zu", x->layer);
	}
	return buf_take(&text);
}

Test(oci_files, lays_layers_over_one_another)
{
	static const struct {
		const char *entries[24];
		const char *want;
	} cases[] = {
		{{"f b x", "d a", "f a/b y", NULL, NULL}, "a/ a/b b"},
		/* folders nobody wrote down */
		{{"f a/b/c x", NULL, NULL}, "a/ a/b/ a/b/c"},
		{{"f a x", NULL, "f a y", NULL, NULL}, "a@1"},
		/* whiteouts, before and behind what their own layer brings */
		{{"f a x", "f b x", NULL, "f .wh.a", NULL, NULL}, "b"},
		{{"f a x", NULL, "f a y", "f .wh.a", NULL, NULL}, "a@1"},
		{{"d a", "f a/b x", "f a/c x", NULL, "f a/d y", "f .wh.a", NULL, NULL}, "a/ a/d@1"},
		{{"d a", "f a/b x", NULL, "d a", "f a/c y", "f a/.wh..wh..opq", NULL, NULL}, "a/ a/c@1"},
		{{"d a", "f a/b x", NULL, "f .wh.a", NULL, "f a/c z", NULL, NULL}, "a/@2 a/c@2"},
		{{"f a x", NULL, "f no/.wh.a", "f a/b/.wh.c", "f .wh.none", NULL, NULL}, "a"},
		/* one kind in the place of another */
		{{"d a", "f a/b x", NULL, "f a y", NULL, NULL}, "a@1"},
		{{"d a", "f a/b x", NULL, "d700 a", NULL, NULL}, "a/@1 a/b"},
		{{"l a b", "d b", "f b/c x", NULL, "d a", NULL, NULL}, "a/@1 b/ b/c"},
		/* links on the way */
		{{"d usr", "d usr/lib", "l lib usr/lib", NULL, "f lib/x y", NULL, NULL},
		 "lib>usr/lib usr/ usr/lib/ usr/lib/x@1"},
		{{"d usr/lib", "l lib /usr/lib", "f usr/lib/a x", NULL, "f lib/.wh.a", NULL, NULL},
		 "lib>/usr/lib usr/ usr/lib/"},
		{{"d a", "l a/up ../../../b", "f a/up/c x", NULL, NULL}, "a/ a/up>../../../b b/ b/c"},
		{{"f a x", "h b a", NULL, "h c a", NULL, NULL}, "a b=a c=a@1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(oci_files) struct oci_files f = {0};
		AUTO_FREE char *got = NULL;
		struct error err = {0};

		cr_assert_eq(read_layers(cases[i].entries, &f, &err), 0, "case %zu: %s", i, err.msg);
		got = list(&f);
		cr_expect_str_eq(got, cases[i].want, "case %zu: %s", i, got);
	}
}

Test(oci_files, tells_what_a_file_is)
{
	static const char *const entries[] = {"d1777 tmp",  "f4755 su hello", "h sudo su", NULL,
										  "f .wh.none", "f a x",          NULL,        NULL};
	AUTO(oci_files) struct oci_files f = {0};
	const struct oci_file *su, *sudo;
	char digest[OCI_DIGEST_LEN + 1];
	struct error err = {0};

	cr_assert_eq(read_layers(entries, &f, &err), 0, "%s", err.msg);
	su = oci_files_find(&f, "su");
	sudo = oci_files_find(&f, "sudo");
	cr_assert(su && sudo && !oci_files_find(&f, "s") && !oci_files_find(&f, "/su"));
	cr_expect_eq(su->mode, 04755);
	cr_expect_eq(su->size, 5);
	cr_expect_eq(su->uid, 7);
	cr_expect_eq(su->gid, 8);
	cr_expect_eq(su->mtime_s, 1000);
	cr_expect_str_eq(su->digest, oci_digest_of("hello", 5, digest));
	cr_expect_eq(sudo->size, 5);
	cr_expect_eq(sudo->mode, 04755);
	cr_expect_str_eq(sudo->digest, digest);
	cr_expect_eq(oci_files_find(&f, "tmp")->mode, 01777);
	cr_expect_str_empty(oci_files_find(&f, "tmp")->digest);
	cr_expect_eq(f.layer_count, 2);
	cr_expect_eq(f.layers[0].files, 2);
	cr_expect_eq(f.layers[0].folders, 1);
	cr_expect_eq(f.layers[0].tar_bytes, 512 * 4 + 1024);
	cr_expect_eq(f.layers[1].files, 1);
	cr_expect_eq(f.layers[1].whiteouts, 1);
}

Test(oci_files, follows_links)
{
	static const char *const entries[] = {"f usr/lib/a.1 x",
										  "l usr/lib/a a.1",
										  "l lib usr/lib",
										  "l loop loop",
										  "l out ../../lib",
										  NULL,
										  NULL};
	AUTO(oci_files) struct oci_files f = {0};
	struct error err = {0};
	const struct oci_file *a;

	cr_assert_eq(read_layers(entries, &f, &err), 0, "%s", err.msg);
	a = oci_files_follow(&f, "/lib/a");
	cr_assert(a != NULL);
	cr_expect_str_eq(a->path, "usr/lib/a.1");
	cr_expect_eq(oci_files_follow(&f, "out/a"), a);
	cr_expect(!oci_files_follow(&f, "loop"));
	cr_expect(!oci_files_follow(&f, "lib/none"));
	cr_expect(!oci_files_follow(&f, "lib/a/none"));
	cr_expect(!oci_files_follow(&f, "/"));
}

Test(oci_files, refuses_what_no_layer_has)
{
	static const struct {
		const char *entries[8];
		const char *want;
	} cases[] = {
		{{"f a x", NULL, "f a/b y", NULL, NULL}, "lies in a file"},
		{{"l a a", "f a/b x", NULL, NULL}, "circle"},
		{{"h a none", NULL, NULL}, "no file here"},
		{{"d a", "h b a", NULL, NULL}, "no file here"},
		{{"c a", NULL, NULL}, "overlayfs"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(oci_files) struct oci_files f = {0};
		struct error err = {0};

		cr_expect_eq(read_layers(cases[i].entries, &f, &err), -1, "case %zu", i);
		cr_expect_eq(err.code, ERR_INPUT, "case %zu", i);
		cr_expect(strstr(err.msg, cases[i].want), "case %zu: %s", i, err.msg);
		cr_expect_null(f.items);
	}
}

Test(oci_files, checks_digests)
{
	static const char *const entries[] = {"f a x", NULL, NULL};
	AUTO(oci_manifest) struct oci_manifest m = {0};
	AUTO(oci_config) struct oci_config c = {0};
	AUTO(oci_files) struct oci_files f = {0};
	AUTO_PTR(oci_store) struct oci_store *store = put_layers(entries, &m, &c);
	AUTO_FREE char *blob = xasprintf("%s/blobs/sha256/%s", root, m.layers[0].digest + 7);
	struct error err = {0};
	FILE *file;

	c.diff_ids.items[0][10] ^= 1;
	cr_expect_eq(oci_files_read(store, &m, &c, NULL, &f, &err), -1);
	cr_expect(strstr(err.msg, "the image says"), "%s", err.msg);
	c.diff_ids.items[0][10] ^= 1;
	strv_add(&c.diff_ids, m.layers[0].digest);
	cr_expect_eq(oci_files_read(store, &m, &c, NULL, &f, &err), -1);
	cr_expect(strstr(err.msg, "diff_ids"), "%s", err.msg);
	free(c.diff_ids.items[--c.diff_ids.count]);
	file = fopen(blob, "r+");
	cr_assert(file != NULL);
	fseek(file, 512, SEEK_SET);
	fputc('y', file);
	fclose(file);
	cr_expect_eq(oci_files_read(store, &m, &c, NULL, &f, &err), -1);
	cr_expect(strstr(err.msg, "damaged and was removed"), "%s", err.msg);
	cr_expect(!fs_exists(blob));
}
