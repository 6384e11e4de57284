#include "base/auto.h"
#include "base/mem.h"
#include "kube/watch.h"

#include <criterion/criterion.h>
#include <string.h>

struct heard {
	struct buf text;
};

static int hear(void *user, const char *type, json_t *object, struct error *err)
{
	struct heard *h = user;

	(void)err;
	buf_addf(&h->text, "%s %s;", type, doc_text(object, "metadata.name", "-"));
	return 0;
}

#define ADDED(name) "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"" name "\"}}}\n"
#define MANY ADDED("a") "\n" ADDED("b") "{\"type\":\"BOOKMARK\",\"object\":{}}\r\n" ADDED("c")

Test(kube_frames, pieces_of_any_size)
{
	for (size_t piece = 1; piece <= strlen(MANY); piece++) {
		AUTO(kube_frames) struct kube_frames f = {0};
		struct heard h = {0};
		struct error err = {0};

		for (size_t at = 0; at < strlen(MANY); at += piece) {
			size_t n = strlen(MANY) - at < piece ? strlen(MANY) - at : piece;

			cr_assert_eq(kube_frames_feed(&f, MANY + at, n, hear, &h, &err), 0, "%s", err.msg);
		}
		cr_expect_str_eq(buf_str(&h.text), "ADDED a;ADDED b;BOOKMARK -;ADDED c;", "pieces of %zu",
						 piece);
		buf_release(&h.text);
	}
}

Test(kube_frames, half_a_frame_waits)
{
	AUTO(kube_frames) struct kube_frames f = {0};
	struct heard h = {0};
	struct error err = {0};

	cr_assert_eq(kube_frames_feed(&f, ADDED("a"), strlen(ADDED("a")) - 1, hear, &h, &err), 0);
	cr_expect_eq(h.text.len, 0u);
	buf_release(&h.text);
}

Test(kube_frames, broken)
{
	static const char *const rows[] = {"<html>\n",
									   "[]\n",
									   "{}\n",
									   "{\"type\":\"ADDED\"}\n",
									   "{\"type\":1,\"object\":{}}\n",
									   "{\"type\":\"A\",\"object\":[]}\n"};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(kube_frames) struct kube_frames f = {0};
		struct heard h = {0};
		struct error err = {0};

		cr_expect_eq(kube_frames_feed(&f, rows[i], strlen(rows[i]), hear, &h, &err), -1, "%s",
					 rows[i]);
		cr_expect_eq(err.code, ERR_INPUT);
	}
}

Test(kube_frames, endless_line)
{
	AUTO(kube_frames) struct kube_frames f = {0};
	AUTO_FREE char *piece = xcalloc(1, 1 << 20);
	struct heard h = {0};
	struct error err = {0};
	int rc = 0;

	memset(piece, 'x', 1 << 20);
	for (int i = 0; i < 8 && rc == 0; i++)
		rc = kube_frames_feed(&f, piece, 1 << 20, hear, &h, &err);
	cr_expect_eq(rc, -1);
	cr_expect_leq(f.partial.len, KUBE_WATCH_MAX_FRAME);
}
