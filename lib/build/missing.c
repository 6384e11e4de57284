#include "build/missing.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "elf/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DPKG_INFO "/var/lib/dpkg/info"
#define DPKG_MAX_LIST (16u << 20)
#define APT_TIMEOUT_MS 10000

/* An installed package that has a file of the name. */
struct owner {
	char *package;
	char *dir;        /* of the file */
	const char *arch; /* of the file; NULL: not known */
};

static void owner_release(struct owner *o)
{
	free(o->package);
	free(o->dir);
	*o = (struct owner){0};
}

/* "libfoo1:amd64.list" has a line that ends in "/NAME": its folder, or NULL. Caller frees. */
static char *find_in_list(const char *root, const char *list, const char *name)
{
	AUTO_FREE char *file = xasprintf("%s" DPKG_INFO "/%s", root, list);
	AUTO_FREE char *want = xasprintf("/%s\n", name);
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};
	const char *hit;
	size_t start;

	if (!text_ends(list, ".list") || fs_read(file, DPKG_MAX_LIST, &text, &ignored) < 0)
		return NULL;
	hit = strstr(buf_str(&text), want);
	if (!hit)
		return NULL;
	for (start = (size_t)(hit - text.data); start > 0 && text.data[start - 1] != '\n';)
		start--;
	return xstrndup(text.data + start, (size_t)(hit - text.data) - start);
}

static const char *arch_of(const char *root, const char *dir, const char *name)
{
	AUTO_FREE char *file = xasprintf("%s%s/%s", root, dir, name);
	AUTO(elf_file) struct elf_file f = {0};
	struct error ignored = {0};

	return elf_file_read(file, &f, &ignored) == 0 ? elf_arch(&f) : NULL;
}

/* The package that has the library, for the image's machine if there is one. */
static bool find_owner(const struct build *b, const char *root, const char *name, struct owner *out)
{
	AUTO_FREE char *info = xasprintf("%s" DPKG_INFO, root);
	AUTO(strv) struct strv lists = {0};
	struct error ignored = {0};
	bool is_ours = false;

	if (fs_list(info, &lists, &ignored) < 0)
		return false;
	for (size_t i = 0; i < lists.count && !is_ours; i++) {
		AUTO_FREE char *dir = find_in_list(root, lists.items[i], name);
		const char *arch = dir ? arch_of(root, dir, name) : NULL;

		if (!dir)
			continue;
		is_ours = arch && strcmp(arch, b->platform.arch) == 0;
		if (out->package && !is_ours)
			continue;
		owner_release(out);
		out->package = xstrndup(lists.items[i], strcspn(lists.items[i], ":."));
		out->dir = TAKE(dir);
		out->arch = arch;
	}
	return out->package != NULL;
}

char *build_policy_name(const char *soname)
{
	const char *dot = strstr(soname, ".so.");
	size_t stem = dot ? (size_t)(dot - soname) : 0;
	AUTO(buf) struct buf b = {0};

	if (stem == 0 || !text_starts(soname, "lib") || !dot[4])
		return NULL;
	buf_add(&b, soname, stem);
	if (isdigit((unsigned char)soname[stem - 1]))
		buf_addc(&b, '-');
	buf_adds(&b, dot + 4);
	for (size_t i = 0; i < b.len; i++)
		b.data[i] = b.data[i] == '_' ? '-' : (char)tolower((unsigned char)b.data[i]);
	return buf_take(&b);
}

/* Does the archive, as far as apt knows it, have a package of the name that policy gives? Caller
 * frees; NULL: no. */
static char *find_in_archive(const struct build *b, const char *soname)
{
	AUTO_FREE char *name = build_policy_name(soname);
	const char *const argv[] = {"apt-cache", "show", "--no-all-versions", name, NULL};
	struct proc_spec spec = {.argv = argv,
							 .in = PROC_NULL,
							 .out = PROC_NULL,
							 .err_out = PROC_NULL,
							 .timeout_ms = APT_TIMEOUT_MS,
							 .cancel = b->request->cancel};
	AUTO(proc_result) struct proc_result result = {0};
	struct error ignored = {0};

	/* apt knows about this machine, not about another root */
	if (!name || b->sysroot[0] || proc_run(&spec, &result, &ignored) < 0 || result.exit_status != 0)
		return NULL;
	return TAKE(name);
}

int build_hint_missing(const struct build *b, const char *name, struct error *err)
{
	const char *arch = b->platform.arch;
	AUTO(owner) struct owner o = {0};
	AUTO_FREE char *package = NULL;

	if (strchr(name, '/'))
		return err_hint(err,
						"a needed name with a slash is looked for as that very path: link the "
						"library with -Wl,-soname,%s, or let build.copy put it there",
						fs_basename(name));
	if (find_owner(b, b->sysroot, name, &o)) {
		if (o.arch && strcmp(o.arch, arch) != 0)
			return err_hint(err,
							"package %s has it for %s: install %s:%s, or name a root of %s in "
							"build.sysroot",
							o.package, o.arch, o.package, arch, arch);
		return err_hint(err,
						"package %s has it in %s, where the loader does not look: link with "
						"-Wl,-rpath,%s",
						o.package, o.dir, o.dir);
	}
	package = find_in_archive(b, name);
	if (package)
		return err_hint(err,
						"install %s%s%s, whose name says that it has %s, or add it to build.copy",
						package, b->is_cross ? ":" : "", b->is_cross ? arch : "", name);
	return err_hint(err, "install the package that has %s, or add it to build.copy", name);
}
