#include "build/origin.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "supply/apk.h"
#include "supply/license.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define OS_RELEASE "etc/os-release"
#define OS_RELEASE_ELSEWHERE "usr/lib/os-release"
#define OS_RELEASE_MAX 65536

/* The bundle is written when packages are installed, so that dpkg lists it nowhere. */
#define CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"
#define CERTIFICATES_WRITER "/usr/sbin/update-ca-certificates"

void origins_release(struct origins *o)
{
	for (size_t i = 0; i < o->count; i++) {
		struct origin_root *r = &o->roots[i];

		free(r->root);
		strv_release(&r->paths);
		dpkg_owners_release(&r->owners);
		free(r->distro_id);
		free(r->distro);
	}
	*o = (struct origins){0};
}

static bool has_stamp(char *stamp)
{
	AUTO_FREE char *text = stamp;

	return text[0] != '\0';
}

static void add_root(struct origins *o, const char *root)
{
	bool is_apk = !has_stamp(dpkg_stamp(root)) && has_stamp(apk_stamp(root));

	o->roots[o->count++] = (struct origin_root){.root = xstrdup(root), .is_apk = is_apk};
}

static bool has_packages(const char *root)
{
	return has_stamp(dpkg_stamp(root)) || has_stamp(apk_stamp(root));
}

void origins_init(const struct build *b, struct origins *o)
{
	const char *image = build_toolchain_root(b);

	add_root(o, "");
	if (image)
		add_root(o, image);
	if (b->sysroot && b->sysroot[0] && !(image && strcmp(image, b->sysroot) == 0) &&
		has_packages(b->sysroot))
		add_root(o, b->sysroot);
}

struct origin_file origins_add(struct origins *o, const char *file)
{
	struct origin_file f = {0};
	const char *path = file;

	/* a sysroot may lie in the toolchain's image: the later is the nearer */
	for (size_t i = 1; i < o->count; i++) {
		size_t len = strlen(o->roots[i].root);

		if (!text_starts(file, o->roots[i].root) || file[len] != '/')
			continue;
		f.root = i;
		path = file + len;
	}
	f.path = o->roots[f.root].paths.count;
	strv_add(&o->roots[f.root].paths, strcmp(path, CERTIFICATES) == 0 ? CERTIFICATES_WRITER : path);
	return f;
}

char *origins_stamp(const struct origins *o)
{
	AUTO(buf) struct buf text = {0};

	for (size_t i = 0; i < o->count; i++) {
		const struct origin_root *r = &o->roots[i];
		AUTO_FREE char *stamp = r->is_apk ? apk_stamp(r->root) : dpkg_stamp(r->root);

		buf_addf(&text, "%s %s\n", r->root, stamp);
	}
	return buf_take(&text);
}

/* The value of a setting of os-release(5), without quotes; NULL when there is none. Caller frees.
 */
static char *os_setting(const struct buf *text, const char *name)
{
	AUTO_FREE char *want = xasprintf("\n%s=", name);
	AUTO_FREE char *lines = xasprintf("\n%s", buf_str(text));
	const char *hit = strstr(lines, want);

	if (!hit)
		return NULL;
	hit += strlen(want);
	hit += strspn(hit, "\"'");
	return xstrndup(hit, strcspn(hit, "\"'\n"));
}

void origins_read_distro(const struct buf *text, char **id, char **distro)
{
	AUTO_FREE char *version = os_setting(text, "VERSION_ID");

	*id = os_setting(text, "ID");
	*distro = *id && version ? xasprintf("%s-%s", *id, version) : NULL;
}

static void read_os_release(struct origin_root *r)
{
	static const char *const names[] = {OS_RELEASE, OS_RELEASE_ELSEWHERE};
	const char *top = r->root[0] ? r->root : "/";
	AUTO_CLOSE int dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && dir >= 0; i++) {
		struct error ignored = {0};
		/* a link of a sysroot must not lead to what is this machine's */
		AUTO_CLOSE int fd = fs_open_beneath(dir, names[i], O_RDONLY | O_NONBLOCK, 0, &ignored);
		AUTO(buf) struct buf text = {0};

		if (fd < 0 || fs_read_fd(fd, names[i], OS_RELEASE_MAX, &text, &ignored) < 0)
			continue;
		origins_read_distro(&text, &r->distro_id, &r->distro);
		return;
	}
}

int origins_find(const struct build *b, struct origins *o, struct error *err)
{
	AUTO_FREE char *memory = b->request->cache ? fs_join(b->request->cache, "dpkg") : NULL;

	for (size_t i = 0; i < o->count; i++) {
		struct origin_root *r = &o->roots[i];
		int rc = r->is_apk ? apk_find_owners(r->root, &r->paths, &r->owners, err)
						   : dpkg_find_owners(r->root, r->root[0] ? NULL : memory, &r->paths,
											  &r->owners, err);

		if (rc < 0)
			return -1;
		read_os_release(r);
	}
	return 0;
}

const struct dpkg_package *origins_owner(const struct origins *o, struct origin_file f)
{
	const struct dpkg_owners *owners = &o->roots[f.root].owners;
	size_t owner = owners->owners[f.path];

	return owner < owners->package_count ? &owners->packages[owner] : NULL;
}

struct sbom_package origins_row(const struct origin_root *root, const struct dpkg_package *p)
{
	struct error ignored = {0};
	struct sbom_package row = {.kind = root->is_apk ? SBOM_ALPINE : SBOM_DEBIAN,
							   .name = xstrdup(p->name),
							   .version = xstrdup(p->version),
							   .arch = xstrdup(p->arch),
							   .source = xstrdup(p->source),
							   .supplier = xstrdup_opt(p->maintainer),
							   .license = xstrdup_opt(p->license),
							   .license_names = xstrdup_opt(p->license_names),
							   .license_refers = xstrdup_opt(p->license_refers),
							   .distro_id = xstrdup_opt(root->distro_id),
							   .distro = xstrdup_opt(root->distro)};

	/* apk's packages say it in SPDX's words, most of them */
	if (root->is_apk && p->license_names && license_check(p->license_names, &ignored) == 0)
		row.license = xstrdup(p->license_names);
	return row;
}
