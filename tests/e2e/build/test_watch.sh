# shellcheck shell=bash
# test_watch.sh - build --watch builds when sources change and only then; --run keeps the service running.
# shellcheck disable=SC2154  # watch_pid and the like come from background

lines() { grep -c -e "$1" "watch.$2" || true; }
# has OUT|ERR TEXT COUNT: that many lines of it
has() { [ "$(lines "$2" "$1")" -ge "$3" ]; }
quiet_after() { eventually 20 has err ' watching ' "$1"; } # it waits for the n-th time

project() {
	mkdir -p p/src
	cat >p/src/main.c <<-'X'
		#include <signal.h>
		#include <stdio.h>
		#include <unistd.h>
		#include "word.h"
		static void stop(int s) { (void)s; _exit(0); }
		int main(int argc, char **argv)
		{
			signal(SIGTERM, stop);
			printf("service says %s %s\n", WORD, argc > 1 ? argv[1] : "-");
			fflush(stdout);
			for (;;)
				pause();
		}
	X
	echo '#define WORD "one"' >p/src/word.h
	printf 'svc: src/main.c src/word.h\n\tcc -O1 -static -o svc src/main.c\n' >p/Makefile
	cat >p/msctl.yaml <<-'X'
		apiVersion: msctl/v1
		name: svc
		version: "1"
		build:
		  steps: [make -s]
		  copy: {svc: /bin/svc}
	X
}

start() { # start WORD...: msctl build --watch
	background watch "$MSCTL" -C p build --watch "$@"
	quiet_after 1
}

test_builds_when_a_source_changes() {
	project
	start
	same 1 "$(lines 'svc:1@sha256:' out)" builds
	echo '#define WORD "two"' >p/src/word.h
	eventually 20 has out 'svc:1@sha256:' 2
	quiet_after 2
	same 1 "$(lines ' changed  src/word.h$' err)" 'what changed'
	same 2 "$(sort -u watch.out | wc -l)" digests
	# a folder that is new
	mkdir p/src/deep
	echo 1 >p/src/deep/er
	eventually 20 has err ' changed  src/deep/er' 1
	quiet_after 3
	echo 2 >p/src/deep/er
	eventually 20 has err ' changed  src/deep/er' 2
	rm -r p/src/deep
	eventually 20 has err ' changed  src/deep/er' 3
}

test_its_own_products_are_no_change() {
	project
	# one more, written anew each time, and one below a folder of its own
	sed -i 's|make -s|make -s; date +%N >stamp; mkdir -p out; cp stamp out/stamp|' p/msctl.yaml
	start
	same 1 "$(lines 'svc:1@sha256:' out)" builds
	same 0 "$(lines ' changed ' err)" changes
	# nor is what git ignores, nor what editors leave
	git -C p init -q
	echo '*.log' >p/.gitignore
	eventually 20 has err ' changed  .gitignore' 1
	quiet_after 2
	echo x >p/a.log
	echo x >p/src/.main.c.swp
	echo x >p/src/main.c~
	echo '#define WORD "end"' >p/src/word.h
	eventually 20 has err ' changed  src/word.h$' 1
	quiet_after 3
	same 2 "$(lines ' changed ' err)" changes
}

test_a_failed_build_is_said_and_the_next_one_tried() {
	project
	start
	echo '#error no' >p/src/word.h
	eventually 20 has err 'msctl: step 1 of 1' 1
	quiet_after 2
	echo '#define WORD "two"' >p/src/word.h
	eventually 20 has out 'svc:1@sha256:' 2
	echo 'build: [' >p/msctl.yaml
	eventually 20 has err 'msctl: p\?/\?msctl.yaml:' 1
}

test_the_service_is_started_anew() {
	project
	start --run . -- hello
	eventually 20 has out 'service says one hello' 1
	echo '#define WORD "two"' >p/src/word.h
	eventually 20 has out 'service says two hello' 1
	# what does not change the image leaves it alone, and so does a build that fails
	echo '/* nothing */' >>p/src/word.h
	eventually 20 has err 'which did not change' 1
	echo '#error no' >p/src/word.h
	eventually 20 has err 'what was built before' 1
	same 2 "$(lines 'service says' out)" starts
	kill -INT "$watch_pid"
	ended "$watch_pid" 20
	same 130 "$status"
	same '' "$(pgrep -f '^/bin/svc hello' || true)" 'a service that is left'
}

test_a_service_that_ends_is_started_by_the_next_change() {
	project
	sed -i 's/for (;;)/if (WORD[0] != 0x78) return 3; else for (;;)/' p/src/main.c
	start --run
	eventually 20 has err 'ended    with status 3' 1
	echo '#define WORD "x"' >p/src/word.h
	eventually 20 has out 'service says x' 1
	kill -KILL "$watch_pid"
	# nobody is left to stop it but the kernel
	gone() { ! pgrep -f '^/bin/svc' >/dev/null; }
	eventually 20 gone
}

test_wrong_words_end_it() {
	project
	fails 2 "$MSCTL" -C p build --run
	err_has '--run goes with --watch'
	fails 2 "$MSCTL" -C p build . other
	fails 2 "$MSCTL" -C p build --watch -t 'A B'
	fails 4 "$MSCTL" build --watch none
}
