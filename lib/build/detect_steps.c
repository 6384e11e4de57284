/* What is said to each build system. A step's first line is what it is called. Paths are those of
 * the image: PREFIX is /usr, configuration is in /etc, state in /var; DESTDIR alone leads
 * elsewhere, and nothing compiles it in. */
#include "build/detect.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

#define MAX_CONFIGURE (16u << 20)

/* 'it'\''s' for the shell */
static void add_quoted(struct buf *out, const char *text)
{
	bool is_plain =
		*text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
								   "/_.,:+@%=-")] == '\0';

	if (is_plain) {
		buf_adds(out, text);
		return;
	}
	buf_addc(out, '\'');
	for (; *text; text++)
		if (*text == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *text);
	buf_addc(out, '\'');
}

static void add_options(const struct build *b, struct buf *out)
{
	const struct strv *options = &b->project->build.options;

	for (size_t i = 0; i < options->count; i++) {
		buf_addc(out, ' ');
		add_quoted(out, options->items[i]);
	}
}

static void take_step(struct build_plan *p, struct buf *line)
{
	strv_take(&p->steps, buf_take(line));
}

/* No network: what a build downloads nobody can build again. The project's options come last, so
 * they can say otherwise. */
static void plan_meson(struct build *b)
{
	AUTO(buf) struct buf setup = {0};

	buf_adds(&setup,
			 "# meson setup\nmeson setup --prefix=/usr --sysconfdir=/etc --localstatedir=/var "
			 "--buildtype=plain --wrap-mode=nodownload -Db_pie=true");
	if (b->is_cross)
		buf_adds(&setup, " --cross-file \"$MSCTL_WORK.cross\"");
	add_options(b, &setup);
	buf_adds(&setup, " \"$MSCTL_WORK\" \"$MSCTL_SOURCE\"");
	take_step(&b->plan, &setup);
	strv_add(&b->plan.steps, "# meson compile\nmeson compile -C \"$MSCTL_WORK\"");
	strv_add(&b->plan.steps,
			 "# meson install\n"
			 "meson install -C \"$MSCTL_WORK\" --no-rebuild --quiet --destdir \"$MSCTL_INSTALL\"");
	b->plan.prepare = 1;
}

/* A run path to the work folder would be cut out at the installation, but leave its length behind:
 * relative to the program it is the same everywhere. */
static void plan_cmake(struct build *b, const struct build_target *target, const char *sysroot)
{
	AUTO(buf) struct buf setup = {0};
	AUTO_FREE char *ninja = build_find_tool(b, "ninja");

	buf_adds(&setup, "# cmake configure\ncmake -S \"$MSCTL_SOURCE\" -B \"$MSCTL_WORK\"");
	buf_addf(&setup, " -G %s", ninja ? "Ninja" : "'Unix Makefiles'");
	buf_adds(&setup, " -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_INSTALL_SYSCONFDIR=/etc "
					 "-DCMAKE_INSTALL_LOCALSTATEDIR=/var -DCMAKE_BUILD_TYPE=RelWithDebInfo "
					 "-DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_BUILD_RPATH_USE_ORIGIN=ON "
					 "-DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON -DFETCHCONTENT_FULLY_DISCONNECTED=ON "
					 "-DBUILD_TESTING=OFF");
	if (b->is_cross)
		buf_addf(&setup,
				 " -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=%s "
				 "-DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER",
				 target->processor);
	if (sysroot) {
		buf_adds(&setup, " -DCMAKE_SYSROOT=");
		add_quoted(&setup, sysroot);
	}
	add_options(b, &setup);
	take_step(&b->plan, &setup);
	strv_add(&b->plan.steps,
			 "# cmake build\ncmake --build \"$MSCTL_WORK\" --parallel \"$MSCTL_JOBS\"");
	strv_add(&b->plan.steps,
			 "# cmake install\nDESTDIR=\"$MSCTL_INSTALL\" cmake --install \"$MSCTL_WORK\"");
	b->plan.prepare = 1;
}

/* A script that somebody wrote by hand and called configure knows few options. */
static bool is_by_autoconf(const char *dir)
{
	AUTO_FREE char *path = fs_join(dir, "configure");
	AUTO(buf) struct buf text = {0};
	struct error ignored = {0};

	return fs_read_settled(path, MAX_CONFIGURE, &text, &ignored) < 0 ||
		   strstr(buf_str(&text), "enerated by GNU Autoconf") ||
		   strstr(buf_str(&text), "enerated automatically using autoconf");
}

static void plan_autotools(struct build *b, const struct build_target *target)
{
	struct build_plan *p = &b->plan;
	AUTO_FREE char *script = fs_join(b->project->dir, "configure");
	AUTO(buf) struct buf setup = {0};

	if (!fs_exists(script)) {
		strv_add(&p->steps, "# autoreconf\ncd \"$MSCTL_WORK\" && autoreconf -fi");
		p->prepare++;
	}
	buf_adds(&setup, "# configure\ncd \"$MSCTL_WORK\" && ./configure --prefix=/usr");
	if (is_by_autoconf(b->project->dir)) {
		buf_adds(&setup, " --sysconfdir=/etc --localstatedir=/var");
		if (b->is_cross)
			buf_addf(&setup, " --host=%s", target->triplet);
	}
	add_options(b, &setup);
	take_step(p, &setup);
	p->prepare++;
	strv_add(&p->steps, "# make\nmake -C \"$MSCTL_WORK\" -j \"$MSCTL_JOBS\"");
	strv_add(&p->steps,
			 "# make install\nmake -C \"$MSCTL_WORK\" install DESTDIR=\"$MSCTL_INSTALL\"");
}

/* Variables of the command line win over those that a Makefile sets, those of the environment do
 * not. So the compiler is told where another one would make programs for the wrong machine, and
 * flags, which a Makefile adds to, are never. An install that does not know DESTDIR would write to
 * this machine: it is looked at before it is run. */
static void plan_make(struct build *b)
{
	static const char *const tools[] = {"CC=", "CXX=", "AR=", "RANLIB=", "STRIP="};
	struct build_plan *p = &b->plan;
	AUTO(buf) struct buf make = {0};
	AUTO(buf) struct buf line = {0};

	buf_adds(&make, "PATH=\"$MSCTL_BIN:$PATH\" make -C \"$MSCTL_WORK\" PREFIX=/usr prefix=/usr");
	for (size_t i = 0; i < p->env.count; i++)
		for (size_t k = 0; k < ARRAY_LEN(tools); k++)
			if (text_starts(p->env.items[i], tools[k]))
				buf_addf(&make, " %s\"$%.*s\"", tools[k], (int)strlen(tools[k]) - 1, tools[k]);
	buf_addf(&line, "# make\n%s -j \"$MSCTL_JOBS\"", buf_str(&make));
	/* a Makefile that is not made for it may be given -j1 */
	add_options(b, &line);
	take_step(p, &line);
	buf_adds(&make, " install DESTDIR=\"$MSCTL_INSTALL\"");
	add_options(b, &make);
	buf_addf(&line,
			 "# make install\n"
			 "case $(%s -n 2>&1) in\n"
			 "*\"No rule to make target 'install'\"*) echo 'no install target'; exit 0 ;;\n"
			 "*\"$MSCTL_INSTALL\"*) ;;\n"
			 "*) echo 'make install does not heed DESTDIR: not run'; exit 0 ;;\n"
			 "esac\n"
			 "%s",
			 buf_str(&make), buf_str(&make));
	take_step(p, &line);
}

void build_plan_steps(struct build *b, const struct build_target *target, const char *sysroot)
{
	switch (b->plan.kind) {
	case BUILD_MESON:
		plan_meson(b);
		break;
	case BUILD_CMAKE:
		plan_cmake(b, target, sysroot);
		break;
	case BUILD_AUTOTOOLS:
		plan_autotools(b, target);
		break;
	case BUILD_MAKE:
	case BUILD_WRITTEN:
		plan_make(b);
		break;
	}
}
