/* replay.c - a main that hands each file of the folders in argv (and the empty input) to a fuzz
 * target: the corpus is part of the ordinary test run. */
#include "base/auto.h"
#include "base/fs.h"
#include "tests/fuzz/fuzz.h"

#define MAX_INPUT (64u << 20)

struct replay {
	size_t count;
};

static int visit(void *user, const struct fs_entry *e, struct error *err)
{
	struct replay *r = user;
	AUTO(buf) struct buf input = {0};
	AUTO_FREE uint8_t *exact = NULL;

	if (!S_ISREG(e->st.st_mode))
		return 0;
	if (fs_read(e->full_path, MAX_INPUT, &input, err) < 0)
		return -1;
	/* a block of exactly this size, so that a sanitizer sees a read behind its end */
	exact = malloc(input.len ? input.len : 1);
	if (!exact)
		abort();
	if (input.len)
		memcpy(exact, input.data, input.len);
	LLVMFuzzerTestOneInput(exact, input.len);
	r->count++;
	return 0;
}

int main(int argc, char **argv)
{
	struct replay r = {.count = 1};
	struct error err = {0};

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		if (fs_walk(argv[i], visit, &r, &err) < 0) {
			fprintf(stderr, "replay: %s\n", err.msg);
			return 1;
		}
	printf("%zu inputs\n", r.count);
	return 0;
}
