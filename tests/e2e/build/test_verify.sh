# shellcheck shell=bash
# test_verify.sh - build --verify: what is reproducible passes, what is not is named.

project() { # project STEP: one program, made by that step from main.c
	mkdir -p p
	cat >p/main.c <<-'X'
		#include <stdio.h>
		int main(void) { puts("hello"); return 0; }
	X
	cat >p/msctl.yaml <<-X
		apiVersion: msctl/v1
		name: p
		version: "1"
		build:
		  steps:
		    - |
		$(sed 's/^/      /' <<<"$1")
		  copy: {p: /bin/p}
		  entrypoint: [/bin/p]
	X
	printf '/p\n*.o\n' >p/.gitignore
	git -C p init -q
	git -C p add .
	git -C p -c user.name=x -c user.email=x@localhost commit -qm x
}

left_nothing() { same '' "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'msctl-verify-*' -newer p/msctl.yaml)" 'left behind'; }

test_same() {
	project 'cc -O1 -o p main.c'
	ok "$MSCTL" build --verify p
	err_has 'built twice, same digest'
	left_nothing
	ok "$MSCTL" image verify
	# what it made is the usual image
	digest=$(image_digest p:1)
	ok "$MSCTL" build --no-cache p
	same "$digest" "$(image_digest p:1)"
}

test_path_of_the_sources() {
	project 'printf "const char *here = \"%s\";" "$PWD" >where.c; cc -O1 -o p main.c where.c'
	fails 9 "$MSCTL" build --verify p
	err_has 'layer app: /bin/p: byte' '(.rodata)' 'path of the sources' '-ffile-prefix-map'
	left_nothing
}

test_debug_information() {
	project 'cc -g -o p main.c'
	fails 9 "$MSCTL" build --verify p
	err_has '/bin/p: byte' '-ffile-prefix-map'
	project 'cc -g -ffile-prefix-map=$PWD=. -o p main.c'
	ok "$MSCTL" build --verify p
}

test_the_time() {
	project 'printf "const char *when = \"built at %s\";" "$(date +%H:%M:%S)" >when.c; cc -O1 -o p main.c when.c'
	fails 9 "$MSCTL" build --verify p
	err_has "'built at " 'looks like a time' SOURCE_DATE_EPOCH
}

test_what_the_user_set() {
	project 'printf "const char *home = \"%s\";" "$HOME" >home.c; cc -O1 -o p main.c home.c'
	fails 9 "$MSCTL" build --verify p
	err_has '/bin/p: byte'
}

test_a_mode_and_a_file_that_comes_and_goes() {
	project 'cc -O1 -o p main.c; mkdir -p d; touch "d/$(basename "$HOME")-$$"'
	sed -i 's|copy: {|copy: {d: /d, |' p/msctl.yaml
	fails 9 "$MSCTL" build --verify p
	err_has 'layer files: /d/' 'the second time'
}

test_a_step_that_needs_what_git_ignores() {
	project 'cc -O1 -o p main.c secret.o'
	echo 'int secret;' | gcc -x c -c -o p/secret.o -
	fails 1 "$MSCTL" build --verify p
	err_has 'the second build, from a copy of the sources' secret.o 'does not ignore'
	left_nothing
}

test_a_folder_of_a_repository() {
	project 'cc -O1 -DREV="\"$(git describe --always)\"" -o p ../../shared/lib.c main.c'
	mkdir -p top/services top/shared
	echo 'int lib;' >top/shared/lib.c
	mv p top/services/p
	rm -rf top/services/p/.git
	git -C top init -q
	git -C top add .
	git -C top -c user.name=x -c user.email=x@localhost commit -qm x
	ok "$MSCTL" -C top/services/p build --verify
	err_has 'built twice'
	same '' "$(git -C top status --porcelain)" 'git status'
}

test_without_git() {
	project 'make -s p'
	printf 'p: main.c\n\tcc -O1 -o p main.c\n' >p/Makefile
	rm -rf p/.git
	ok "$MSCTL" build --verify p
	printf 'p: main.c\n\tcc -O1 -D"HERE=\\"$(CURDIR)\\"" -DX -o p main.c\n' >p/Makefile
	echo '#include <stdio.h>
int main(void) { puts(HERE); }' >p/main.c
	fails 9 "$MSCTL" build --verify p
}

test_a_local_base() {
	project 'cc -O1 -static -o p main.c'
	ok "$MSCTL" build -t base:1 p
	sed -i 's|build:|build:\n  base: base:1|; s|/bin/p|/bin/q|g' p/msctl.yaml
	ok "$MSCTL" build --verify p
	err_has 'built twice'
}

test_nothing_is_pushed() {
	project 'date +%N >nanos; cc -O1 -o p main.c'
	sed -i 's|copy: {|copy: {nanos: /n, |; s|name: p|name: p\nimage: 127.0.0.1:1/p|' p/msctl.yaml
	fails 9 "$MSCTL" build --verify --push p
	err_has 'layer files: /n: byte 0'
}

test_json() {
	project 'cc -O1 -o p main.c'
	ok "$MSCTL" build --verify -o json p
	err_has 'built twice'
	same "$(image_digest p:1)" "$(jq -r .digest "$out")"
}
