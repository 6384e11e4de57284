#include "build/sourcewatch.h"

#include "base/fs.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "build/plan.h"
#include "repo/repo.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS                                                                        \
	(IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
	 IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)
#define MAX_WAIT 20 /* quiet moments that are waited for while things keep happening */

/* Paths and what stat says of them; values are heap text. */
struct state {
	struct map files;
};

struct source_watch {
	char *dir;
	int fd;
	struct state known;
	struct map products; /* values NULL */
	struct map suspects; /* changed in the last build, and not known to be products */
	bool has_built;
};

static void state_release(struct state *s)
{
	for (size_t i = 0; i < s->files.count; i++)
		free(s->files.entries[i].value);
	map_release(&s->files);
}

void source_changes_release(struct source_changes *c)
{
	free(c->first);
	*c = (struct source_changes){0};
}

void source_watch_free(struct source_watch *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	state_release(&w->known);
	map_release(&w->products);
	map_release(&w->suspects);
	free(w->dir);
	free(w);
}

int source_watch_fd(const struct source_watch *w)
{
	return w->fd;
}

/* One look at the folder. */
struct look {
	const struct source_watch *w;
	struct repo_ignored *ignored; /* NULL: no repository */
	struct state state;
};

static bool is_dropping(const char *name)
{
	return text_ends(name, "~") || text_ends(name, ".swp") || text_ends(name, ".swx") ||
		   text_starts(name, ".#") || strcmp(name, "4913") == 0;
}

static bool is_source(const struct look *l, const struct fs_entry *e)
{
	const char *name = fs_basename(e->path);

	if (strcmp(name, ".git") == 0 || strcmp(e->path, BUILD_WORK_FOLDER) == 0 || is_dropping(name))
		return false;
	return !l->ignored || !repo_is_ignored(l->ignored, e->path, S_ISDIR(e->st.st_mode));
}

static int watch_folder(const struct source_watch *w, const char *path, struct error *err)
{
	if (inotify_add_watch(w->fd, path, EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW) >= 0)
		return 0;
	if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) /* gone meanwhile, or not ours */
		return 0;
	if (errno != ENOSPC)
		return err_errno(err, "cannot watch %s", path);
	err_set(err, ERR_SYS, "cannot watch %s: too many folders are watched already", path);
	return err_hint(err, "raise fs.inotify.max_user_watches with sysctl");
}

static int visit(void *user, const struct fs_entry *e, struct error *err)
{
	struct look *l = user;
	const struct stat *st = &e->st;

	if (!is_source(l, e))
		return 1;
	/* before its content is listed: what comes later is told */
	if (S_ISDIR(st->st_mode))
		return watch_folder(l->w, e->full_path, err);
	if (l->state.files.count >= SOURCEWATCH_MAX_FILES)
		return err_set(err, ERR_INPUT, "%s has more than %d files", l->w->dir,
					   SOURCEWATCH_MAX_FILES);
	map_put(&l->state.files, e->path,
			xasprintf("%llu %o %lld %lld.%09ld", (unsigned long long)st->st_ino,
					  (unsigned)st->st_mode, (long long)st->st_size, (long long)st->st_mtim.tv_sec,
					  st->st_mtim.tv_nsec));
	return 0;
}

static int take_state(const struct source_watch *w, struct state *out, struct error *err)
{
	struct look l = {.w = w};
	struct error none;
	int rc;

	if (repo_ignored_open(w->dir, &l.ignored, &none) < 0)
		l.ignored = NULL;
	rc = watch_folder(w, w->dir, err) < 0 ? -1 : fs_walk(w->dir, visit, &l, err);
	repo_ignored_free(l.ignored);
	if (rc < 0)
		state_release(&l.state);
	else
		*out = l.state;
	return rc < 0 ? -1 : 0;
}

int source_watch_open(const char *dir, struct source_watch **out, struct error *err)
{
	AUTO_PTR(source_watch) struct source_watch *w = xcalloc(1, sizeof(*w));

	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	w->dir = realpath(dir, NULL);
	if (w->fd < 0 || !w->dir)
		return err_errno(err, "cannot watch %s", dir);
	if (take_state(w, &w->known, err) < 0)
		return -1;
	*out = TAKE(w);
	return 0;
}

static void drain(const struct source_watch *w)
{
	char events[16384];

	while (read(w->fd, events, sizeof(events)) > 0)
		;
}

static bool happens_more(const struct source_watch *w, const struct cancel *cancel)
{
	struct pollfd fds[] = {{w->fd, POLLIN, 0}, {cancel ? cancel->fd : -1, POLLIN, 0}};

	return poll(fds, 2, SOURCEWATCH_QUIET_MS) > 0 && !cancel_requested(cancel);
}

static void note_change(struct source_changes *c, const char *path)
{
	if (c->count++ == 0)
		c->first = xstrdup(path);
}

/* Is it what a build writes? Only asked of what changed while one ran. */
static bool is_product(struct source_watch *w, const char *path, bool is_new, struct map *suspects)
{
	if (map_has(&w->products, path))
		return true;
	if ((!w->has_built && is_new) || map_has(&w->suspects, path)) {
		map_put(&w->products, path, NULL);
		return true;
	}
	map_put(suspects, path, NULL);
	return false;
}

/* Compare with what is known, and know that. suspects: NULL between builds. */
static int compare(struct source_watch *w, struct map *suspects, struct source_changes *out,
				   struct error *err)
{
	struct state now = {0};

	if (take_state(w, &now, err) < 0)
		return -1;
	for (size_t i = 0; i < now.files.count; i++) {
		const struct map_entry *e = &now.files.entries[i];
		const char *before = map_get(&w->known.files, e->key);

		if ((!before || strcmp(before, e->value) != 0) &&
			!(suspects && is_product(w, e->key, !before, suspects)))
			note_change(out, e->key);
	}
	for (size_t i = 0; i < w->known.files.count; i++) {
		const char *path = w->known.files.entries[i].key;

		if (!map_has(&now.files, path) && !(suspects && is_product(w, path, false, suspects)))
			note_change(out, path);
	}
	state_release(&w->known);
	w->known = now;
	return 0;
}

int source_watch_look(struct source_watch *w, const struct cancel *cancel,
					  struct source_changes *out, struct error *err)
{
	AUTO(source_changes) struct source_changes c = {0};

	drain(w);
	for (int i = 0; i < MAX_WAIT && happens_more(w, cancel); i++)
		drain(w);
	if (cancel_check(cancel, err) < 0 || compare(w, NULL, &c, err) < 0)
		return -1;
	*out = MOVE(c);
	return 0;
}

int source_watch_built(struct source_watch *w, struct source_changes *out, struct error *err)
{
	AUTO(source_changes) struct source_changes c = {0};
	AUTO(map) struct map suspects = {0};

	drain(w);
	if (compare(w, &suspects, &c, err) < 0)
		return -1;
	map_release(&w->suspects);
	w->suspects = MOVE(suspects);
	w->has_built = true;
	*out = MOVE(c);
	return 0;
}
