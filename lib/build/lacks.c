#include "build/lacks.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define DPKG_INFO "/var/lib/dpkg/info"
#define MAX_LIST (16u << 20)
#define MAX_NAME 128
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._/"

/* before NAME after -> prefix NAME suffix. A name ends at `after`; before a name that ends a
 * phrase, it is the last word. */
static const struct {
	const char *before, *after;
	const char *prefix, *suffix; /* suffix NULL: a program */
	bool is_end;                 /* nothing follows `after` */
} phrases[] = {
	{"fatal error: ", ": No such file", "", "", false},                   /* gcc, of a header */
	{"fatal error: '", "' file not found", "", "", false},                /* clang */
	{"cannot find -l", "", "lib", ".so", false},                          /* ld */
	{"Package '", "' not found", "", ".pc", false},                       /* pkg-config, pkgconf */
	{"Package '", "', required by", "", ".pc", false},                    /* the same */
	{"No package '", "' found", "", ".pc", false},                        /* the same */
	{"Package ", " was not found in the", "", ".pc", false},              /* the same */
	{"Dependency \"", "\" not found", "", ".pc", false},                  /* meson */
	{"Program '", "' not found", "", NULL, false},                        /* meson */
	{"C shared or static library '", "' not found", "lib", ".so", false}, /* meson */
	{": ", ": not found", "", NULL, true},                                /* sh */
	{": ", ": command not found", "", NULL, true},                        /* bash */
	{"make: ", ": No such file or directory", "", NULL, true},
};

void lacks_release(struct lacks *l)
{
	strv_release(&l->packages);
	free(l->file);
	free(l->program);
}

/* The last plain word before `end` that `before` stands in front of. */
static char *name_between(const char *line, const char *before, const char *after)
{
	const char *end = *after ? strstr(line, after) : line + strlen(line);
	const char *start = NULL;
	size_t len = strlen(before);

	for (const char *at = strstr(line, before); at && end && at + len < end;
		 at = strstr(at + 1, before))
		start = at + len;
	if (!start)
		return NULL;
	len = strspn(start, NAME_CHARACTERS);
	if (len == 0 || len > MAX_NAME || (*after && start + len != end))
		return NULL;
	return xstrndup(start, len);
}

static void take_packages(struct lacks *l, const char *line)
{
	while (*line && l->packages.count < LACKS_MAX_PACKAGES) {
		size_t len = strspn(line, NAME_CHARACTERS);
		AUTO_FREE char *word = xstrndup(line, len < MAX_NAME ? len : 0);

		/* options begin with '-' */
		if (text_ends(word, "-dev") && word[0] != '-' && !strchr(word, '/') &&
			!strv_has(&l->packages, word))
			strv_add(&l->packages, word);
		line += len + (line[len] != '\0');
	}
}

void lacks_line(struct lacks *l, const char *line)
{
	take_packages(l, line);
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
		AUTO_FREE char *name = name_between(line, phrases[i].before, phrases[i].after);

		if (!name || (phrases[i].is_end && !text_ends(line, phrases[i].after)))
			continue;
		if (phrases[i].suffix && !l->file)
			l->file = xasprintf("%s%s%s", phrases[i].prefix, name, phrases[i].suffix);
		else if (!phrases[i].suffix && !l->program)
			l->program = TAKE(name);
		return;
	}
}

static bool lists_file(const char *list, const char *want)
{
	AUTO_FREE char *path = fs_join(DPKG_INFO, list);
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};

	return text_ends(list, ".list") && fs_read_settled(path, MAX_LIST, &text, &ignored) == 0 &&
		   strstr(buf_str(&text), want);
}

/* The package of this machine that has a file of a name; one for developers before others. Caller
 * frees. */
static char *find_package(const char *name)
{
	AUTO_FREE char *want = xasprintf("/%s\n", name);
	AUTO_FREE char *found = NULL;
	AUTO(strv) struct strv lists = {0};
	struct error ignored = {0};

	if (fs_list(DPKG_INFO, &lists, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < lists.count; i++) {
		AUTO_FREE char *package = NULL;

		if (!lists_file(lists.items[i], want))
			continue;
		package = xstrndup(lists.items[i], strcspn(lists.items[i], ":"));
		if (text_ends(package, ".list"))
			package[strlen(package) - strlen(".list")] = '\0';
		if (text_ends(package, "-dev"))
			return TAKE(package);
		if (!found)
			found = TAKE(package);
	}
	return TAKE(found);
}

static void hint_packages(const struct strv *packages, const struct build_target *target,
						  struct error *err)
{
	AUTO(buf) struct buf line = {0};

	if (target)
		buf_addf(&line, "dpkg --add-architecture %s && apt update && ", target->debian);
	buf_adds(&line, "apt install");
	for (size_t i = 0; i < packages->count; i++)
		buf_addf(&line, " %s%s%s", packages->items[i], target ? ":" : "",
				 target ? target->debian : "");
	err_hint(err, "see what it said above; what it lacks may come by: %s", buf_str(&line));
}

bool lacks_hint(const struct lacks *l, const struct build_target *target, struct error *err)
{
	AUTO(strv) struct strv packages = {0};
	char *package = NULL;

	if (l->packages.count) {
		hint_packages(&l->packages, target, err);
		return true;
	}
	if (!l->file && !l->program)
		return false;
	package = find_package(l->file ? l->file : l->program);
	/* what this machine has already, a build for it would have found */
	if (package && target && l->file) {
		strv_take(&packages, package);
		hint_packages(&packages, target, err);
		return true;
	}
	free(package);
	err_hint(err, "see what it said above; it lacks %s: 'apt-file search %s' names the package%s%s",
			 l->file ? l->file : l->program, l->file ? l->file : l->program,
			 target ? ", to be installed for " : "", target ? target->debian : "");
	return true;
}
