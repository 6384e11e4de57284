# image.sh - a small image x:1 in the local store; read by the cases.
export MSCTL_STORE=$PWD/store
mkdir project
cat >project/main.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "exit") == 0)
		return atoi(argv[2]);
	if (argc > 1 && strcmp(argv[1], "env") == 0) {
		for (char **e = environ; *e; e++)
			puts(*e);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "write") == 0) {
		FILE *f = fopen(argv[2], "w");

		puts(f ? "written" : "refused");
		return 0;
	}
	printf("user %d\n", (int)getuid());
	for (int i = 1; i < argc; i++)
		printf("[%s]\n", argv[i]);
	return 0;
}
C
cat >project/msctl.yaml <<'Y'
apiVersion: msctl/v1
name: x
version: "1"
build:
  steps: [cc -static -O1 -o x main.c]
  copy: {x: /bin/x}
  entrypoint: [/bin/x]
  env: {FROM_IMAGE: "1"}
Y
"$MSCTL" -C project build -q -t x:1 >/dev/null || exit 99
left() { find "$TMPDIR" -mindepth 1 -maxdepth 1 -name 'msctl-run-*'; }
