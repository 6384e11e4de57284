#include "elf/view.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void elf_place_release(struct elf_place *p)
{
	free(p->path);
	free(p->file);
	strv_release(&p->links);
	*p = (struct elf_place){0};
}

/* Drop the last component of "/a/b"; "" is the root. */
static void go_up(struct buf *path)
{
	while (path->len > 0 && path->data[path->len - 1] != '/')
		buf_cut(path, path->len - 1);
	if (path->len > 0)
		buf_cut(path, path->len - 1);
}

/* Append one component of text to path; returns what is left of text behind it, NULL at its end. */
static const char *step(struct buf *path, const char *text)
{
	size_t len;

	text += strspn(text, "/");
	len = strcspn(text, "/");
	if (len == 0)
		return NULL;
	if (len == 2 && text[0] == '.' && text[1] == '.') {
		go_up(path);
	} else if (len != 1 || text[0] != '.') {
		buf_addc(path, '/');
		buf_add(path, text, len);
	}
	return text + len;
}

char *elf_clean_path(const char *path)
{
	AUTO(buf) struct buf clean = {0};

	while (path)
		path = step(&clean, path);
	return clean.len ? buf_take(&clean) : xstrdup("/");
}

static bool is_over(const struct elf_view *view, const char *path, struct elf_place *place)
{
	const char *file = view->over ? map_get(view->over, path) : NULL;

	if (!file)
		return false;
	place->path = xstrdup(path);
	place->file = xstrdup(file);
	return true;
}

static int read_link(const char *full, struct buf *out, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlink(full, target, sizeof(target));

	if (n < 0)
		return err_errno(err, "cannot read link %s", full);
	if (n == 0 || n == (ssize_t)sizeof(target))
		return err_set(err, ERR_INPUT, "link %s leads nowhere", full);
	buf_add(out, target, (size_t)n);
	return 0;
}

struct walk {
	const struct elf_view *view;
	const char *root;
	struct buf path; /* how far it is resolved */
	struct buf rest; /* what is still to go */
	struct elf_place place;
};

static void walk_release(struct walk *w)
{
	buf_release(&w->path);
	buf_release(&w->rest);
	elf_place_release(&w->place);
}

/* path is a link: put its target in front of what is still to go. */
static int follow(struct walk *w, const char *full, const char *left, struct error *err)
{
	AUTO(buf) struct buf rest = {0};

	if (w->place.links.count >= 2 * (size_t)ELF_VIEW_MAX_LINKS)
		return err_set(err, ERR_INPUT, "more than %d links lead on from %s", ELF_VIEW_MAX_LINKS,
					   w->place.links.items[0]);
	if (read_link(full, &rest, err) < 0)
		return -1;
	strv_add(&w->place.links, buf_str(&w->path));
	strv_add(&w->place.links, buf_str(&rest));
	if (rest.data[0] == '/')
		buf_cut(&w->path, 0);
	else
		go_up(&w->path);
	buf_addc(&rest, '/');
	buf_adds(&rest, left);
	buf_release(&w->rest);
	w->rest = MOVE(rest);
	return 0;
}

/* One component further. 1: arrived, 0: go on, -1: failed, 2: there is nothing. */
static int advance(struct walk *w, struct error *err)
{
	AUTO_FREE char *full = NULL;
	const char *left = step(&w->path, buf_str(&w->rest));
	AUTO(buf) struct buf rest = {0};
	struct stat st;

	if (!left)
		return 2;
	buf_adds(&rest, left + strspn(left, "/"));
	if (rest.len == 0 && is_over(w->view, buf_str(&w->path), &w->place))
		return 1;
	full = xasprintf("%s%s", w->root, buf_str(&w->path));
	if (lstat(full, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return err_errno(err, "cannot stat %s", full);
		st.st_mode = S_IFDIR; /* a file laid over the view may be below */
		if (rest.len == 0)
			return 2;
	}
	if (S_ISLNK(st.st_mode))
		return follow(w, full, buf_str(&rest), err);
	if (S_ISREG(st.st_mode) && rest.len == 0) {
		w->place.path = xstrdup(buf_str(&w->path));
		w->place.file = TAKE(full);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return 2;
	buf_release(&w->rest);
	w->rest = MOVE(rest);
	return 0;
}

int elf_view_find_in(const struct elf_view *view, unsigned nth, const char *path,
					 struct elf_place *out, struct error *err)
{
	AUTO(walk) struct walk w = {.view = view, .root = nth == 0 ? view->root : view->fallback};
	AUTO_FREE char *clean = elf_clean_path(path);
	int rc = 0;

	if (!w.root)
		return 0;
	if (is_over(view, clean, &w.place)) {
		*out = MOVE(w.place);
		return 1;
	}
	buf_adds(&w.rest, path);
	while (rc == 0)
		rc = advance(&w, err);
	if (rc != 1)
		return rc < 0 ? -1 : 0;
	*out = MOVE(w.place);
	return 1;
}

int elf_view_find(const struct elf_view *view, const char *path, struct elf_place *out,
				  struct error *err)
{
	int rc = 0;

	for (unsigned nth = 0; rc == 0 && nth < ELF_VIEW_ROOTS; nth++)
		rc = elf_view_find_in(view, nth, path, out, err);
	return rc;
}
