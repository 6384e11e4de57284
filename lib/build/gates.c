/* What would fail in the container, or be weaker than it could be, is told before anything is
 * written. */
#include "build/private.h"

#include "base/fs.h"
#include "base/mem.h"
#include "build/base_elf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- versions of symbols */

/* A closure's objects as the image will have them. */
struct servers {
	const struct build *b;
	char **base;      /* by index: path in the tree, of an object that the base brings itself */
	struct map files; /* of these: path -> struct elf_file * */
};

static void servers_release(struct servers *s)
{
	for (size_t i = 0; s->base && i < s->b->closure.count; i++)
		free(s->base[i]);
	free(s->base);
	build_base_elf_release(&s->files);
}

/* Does the loader compare versions at all? musl's does not. */
static bool has_needs(const struct elf_object *user, const struct elf_object *provider)
{
	for (size_t i = 0; i < user->elf.need_count; i++)
		if (!user->elf.needs[i].is_weak && elf_answers_to(provider, user->elf.needs[i].file))
			return true;
	return false;
}

static int find_servers(struct build *b, struct servers *s, struct error *err)
{
	const struct elf_closure *c = &b->closure;

	s->base = xcalloc(c->count, sizeof(s->base[0]));
	for (size_t i = 0; i < c->count; i++) {
		AUTO_FREE char *path = build_library_path(b, &c->items[i]);
		const struct tree_node *n = path ? tree_find(&b->tree, path) : NULL;

		if (n && n->layer == TREE_BASE && tree_resolve(&b->tree, path, true, &s->base[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < c->edge_count; i++) {
		const struct elf_edge *e = &c->edges[i];

		if (!s->base[e->user] && s->base[e->provider] &&
			has_needs(&c->items[e->user], &c->items[e->provider]))
			map_put(&s->files, s->base[e->provider], NULL);
	}
	return s->files.count ? build_base_elf_read(b, &s->files, err) : 0;
}

/* Are both of one kind, "GLIBC_2.31" and "GLIBC_2.4"? */
static bool is_kin(const char *a, const char *b)
{
	size_t len = strcspn(a, "0123456789");

	return strncmp(a, b, len) == 0 && isdigit((unsigned char)b[len]) && len > 0;
}

/* The highest version of this kind; NULL: none. */
static const char *highest(const struct strv *versions, const char *kind)
{
	const char *best = NULL;

	for (size_t i = 0; i < versions->count; i++)
		if (is_kin(kind, versions->items[i]) && (!best || strverscmp(versions->items[i], best) > 0))
			best = versions->items[i];
	return best;
}

/* The highest version that user needs and provider, which is elf in the image, lacks; NULL: none.
 * A library that defines none passes, with a warning of the loader, if it knows of versions at all:
 * of one that does not glibc takes no symbol by version (elf/dl-lookup.c, check_match). */
static const char *find_lacking(const struct elf_object *user, const struct elf_object *provider,
								const struct elf_file *elf)
{
	const char *worst = NULL;

	if (elf->versions.count == 0 && elf->has_versions)
		return NULL;
	for (size_t i = 0; i < user->elf.need_count; i++) {
		const struct elf_version_need *n = &user->elf.needs[i];

		if (!n->is_weak && elf_answers_to(provider, n->file) &&
			!strv_has(&elf->versions, n->version) &&
			(!worst || (is_kin(worst, n->version) && strverscmp(n->version, worst) > 0)))
			worst = n->version;
	}
	return worst;
}

static int refuse(const struct servers *s, const struct elf_edge *e, const char *version,
				  const struct elf_file *elf, struct error *err)
{
	const struct build *b = s->b;
	const struct elf_object *user = &b->closure.items[e->user];
	const struct elf_object *provider = &b->closure.items[e->provider];
	const char *title = user->how == ELF_FOUND_GIVEN ? user->place.file : user->opened;
	const char *most = highest(&elf->versions, version);
	const char *none = elf->versions.count ? "none of that kind" : "no versions";
	const char *has = most ? most : none;
	const char *path = s->base[e->provider] ? s->base[e->provider] : provider->opened + 1;

	err_set(err, ERR_INPUT, "%s needs version %s of %s; the image's /%s has %s%s", title, version,
			fs_basename(provider->name ? provider->name : provider->opened), path, has,
			most ? " at most" : "");
	if (s->base[e->provider])
		return err_hint(err,
						"choose a newer build.base than %s, or compile in it: build.toolchain: %s",
						b->project->build.base, b->project->build.base);
	return err_hint(err, "link it with the very file that is found there: %s",
					provider->place.file);
}

/* Every version that a file of ours needs is in the file that it will be looked for in. */
static int check_versions(struct build *b, struct error *err)
{
	AUTO(servers) struct servers s = {.b = b};
	const struct elf_closure *c = &b->closure;

	if (find_servers(b, &s, err) < 0)
		return -1;
	for (size_t i = 0; i < c->edge_count; i++) {
		const struct elf_edge *e = &c->edges[i];
		const struct elf_object *provider = &c->items[e->provider];
		const struct elf_file *elf = &provider->elf;
		const char *version;

		if (s.base[e->user])
			continue;
		if (s.base[e->provider])
			elf = map_get(&s.files, s.base[e->provider]);
		version = elf ? find_lacking(&c->items[e->user], provider, elf) : NULL;
		if (version)
			return refuse(&s, e, version, elf, err);
	}
	return 0;
}

/* ---- hardening */

#define MAX_NOTES 5

struct lack {
	const char *what, *flags;
};

/* What a file of the project lacks; returns how many. */
static size_t find_lacks(const struct elf_file *f, struct lack out[4])
{
	bool is_lazy = f->is_dynamic && !f->is_static_pie && !f->binds_now;
	size_t n = 0;

	if (elf_is_program(f) && !f->is_pie)
		out[n++] = f->interpreter ? (struct lack){"PIE", "-fPIE -pie"}
								  : (struct lack){"PIE", "-fPIE -static-pie"};
	if (!f->has_relro)
		out[n++] = (struct lack){"RELRO", is_lazy ? "-Wl,-z,relro,-z,now" : "-Wl,-z,relro"};
	else if (is_lazy)
		out[n++] = (struct lack){"full RELRO", "-Wl,-z,now"};
	if (!f->has_nx_stack)
		out[n++] = (struct lack){"a stack without code", "-Wl,-z,noexecstack"};
	return n;
}

/* Text for people of what a file lacks; empty when it lacks nothing. */
static int describe_lacks(const char *file, struct buf *what, struct buf *flags, struct error *err)
{
	AUTO(elf_file) struct elf_file f = {0};
	struct lack lacks[4];
	size_t count;

	if (elf_file_read(file, &f, err) < 0)
		return -1;
	count = find_lacks(&f, lacks);
	for (size_t i = 0; i < count; i++) {
		buf_addf(what, "%s%s", i ? ", " : "", lacks[i].what);
		buf_addf(flags, "%s%s", i ? " " : "", lacks[i].flags);
	}
	return 0;
}

/* told: of how many files it was said before. */
static int judge(const struct build *b, const char *path, size_t *told, struct error *err)
{
	const char *file = map_get(&b->over, path);
	AUTO(buf) struct buf what = {0};
	AUTO(buf) struct buf flags = {0};

	if (describe_lacks(file, &what, &flags, err) < 0)
		return -1;
	if (what.len == 0)
		return 0;
	if (b->project->build.hardening == HARDENING_REQUIRE) {
		err_set(err, ERR_INPUT, "%s is built without %s", file, buf_str(&what));
		return err_hint(err, "compile and link it with %s, or write build.hardening: warn",
						buf_str(&flags));
	}
	if (++*told <= MAX_NOTES)
		build_note(b, "%s is built without %s: compile and link with %s", path, buf_str(&what),
				   buf_str(&flags));
	else
		log_line(b->request->log, 1, "%s is built without %s", path, buf_str(&what));
	return 0;
}

static int check_hardening(const struct build *b, struct error *err)
{
	size_t told = 0;

	if (b->project->build.hardening == HARDENING_OFF)
		return 0;
	for (size_t i = 0; i < b->programs.count; i++)
		if (judge(b, b->programs.items[i], &told, err) < 0)
			return -1;
	if (told > MAX_NOTES)
		build_note(b, "%zu more files are built without some of that; -v names them",
				   told - MAX_NOTES);
	return 0;
}

int build_gates(struct build *b, struct error *err)
{
	if (check_versions(b, err) < 0)
		return -1;
	return check_hardening(b, err);
}
