# shellcheck shell=bash
# samples.sh - one small project for each build system, without an msctl.yaml.

sample() { # sample make|install|autotools|cmake|meson DIR [LIBRARIES]: prints a word and __FILE__
	local dir=$2 libs=${3:-}
	mkdir -p "$dir"
	cat >"$dir/hello.c" <<-X
		#include <stdio.h>
		int more(void);
		int main(int argc, char **argv)
		{
			printf("hello from $1 %d %s%s%s\n", more(), __FILE__, argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
			return 0;
		}
	X
	echo 'int more(void); int more(void) { return 7; }' >"$dir/more.c"
	"sample_$1" "$libs" "$dir"
}

sample_make() { # no install target, flags of its own
	sed 's/^>/\t/' >"$2/Makefile" <<-X
		CFLAGS = -O1 -g
		hello: hello.o more.o
		>\$(CC) \$(LDFLAGS) -o \$@ hello.o more.o $1
		hello.o: hello.c
		more.o: more.c
	X
}

sample_install() {
	sed 's/^>/\t/' >"$2/GNUmakefile" <<-X
		PREFIX ?= /usr/local
		CFLAGS ?= -O1
		hello: hello.o more.o
		>\$(CC) \$(LDFLAGS) -o \$@ hello.o more.o $1
		install: hello
		>install -D hello \$(DESTDIR)\$(PREFIX)/sbin/hello
		>install -D -m 644 hello.c \$(DESTDIR)\$(PREFIX)/share/doc/hello/hello.c
		>install -D -m 644 more.c \$(DESTDIR)\$(PREFIX)/share/hello/more.c
	X
}

sample_autotools() {
	cat >"$2/configure.ac" <<-X
		AC_INIT([hello], [1.0])
		AM_INIT_AUTOMAKE([foreign subdir-objects])
		AC_PROG_CC
		AC_CONFIG_FILES([Makefile])
		AC_OUTPUT
	X
	cat >"$2/Makefile.am" <<-X
		bin_PROGRAMS = hello tool
		hello_SOURCES = hello.c more.c
		tool_SOURCES = hello.c more.c
		LDADD = $1
		dist_man_MANS = hello.1
	X
	echo '.TH HELLO 1' >"$2/hello.1"
}

sample_cmake() { # with a library of its own, found by its soname's link
	cat >"$2/CMakeLists.txt" <<-X
		cmake_minimum_required(VERSION 3.13)
		project(hello C)
		include(GNUInstallDirs)
		add_library(more SHARED more.c)
		set_target_properties(more PROPERTIES VERSION 1.2 SOVERSION 1)
		add_executable(hello hello.c)
		target_link_libraries(hello more ${1#-l})
		install(TARGETS hello more)
		install(FILES more.c DESTINATION include)
	X
}

sample_meson() {
	cat >"$2/meson.build" <<-X
		project('hello', 'c')
		executable('hello', 'hello.c', 'more.c', install: true, install_dir: 'sbin')
		executable('other', 'hello.c', 'more.c', install: true)
	X
}

sample_tools() { # sample_tools SYSTEM: skip where the machine lacks them
	local tool tools=make
	case $1 in
	autotools) tools='autoreconf automake make' ;;
	cmake) tools='cmake' ;;
	meson) tools='meson ninja' ;;
	esac
	for tool in $tools; do command -v "$tool" >/dev/null || skip "no $tool here"; done
}

index_image() { # index_image REFERENCE ARCH: digest of the image for it
	jq -er --arg a "$2" '.manifests[] | select(.platform.architecture == $a).digest' "$(blob "$(image_digest "$1")")"
}

unpack_manifest() { # unpack_manifest DIGEST DIR
	local layer
	mkdir -p "$2"
	for layer in $(jq -r '.layers[].digest' "$(blob "$1")"); do
		tar -xzf "$(blob "$layer")" -C "$2" --no-same-owner
	done
}
