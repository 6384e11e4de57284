/* Where bodies go: restarts, Range, callers that give up. */
#include "tests/unit/http/script.h"

#include <criterion/criterion.h>

#define URL "https://h/blob"

struct sink {
	struct buf got;
	struct buf starts; /* "200@0 200@4 " */
	bool refuse_start, refuse_data;
};

static void sink_release(struct sink *k)
{
	buf_release(&k->got);
	buf_release(&k->starts);
}

static int on_start(void *user, int status, const struct http_headers *headers, uint64_t offset,
					struct error *err)
{
	struct sink *k = user;

	(void)headers;
	buf_addf(&k->starts, "%d@%d ", status, (int)offset);
	if (k->refuse_start)
		return err_set(err, ERR_SYS, "disk full");
	cr_assert_leq(offset, k->got.len);
	if (k->got.data)
		buf_cut(&k->got, offset);
	return 0;
}

static int on_data(void *user, const void *data, size_t len, struct error *err)
{
	struct sink *k = user;

	if (k->refuse_data)
		return err_set(err, ERR_SYS, "disk full");
	buf_add(&k->got, data, len);
	return 0;
}

/* GET into the sink; the whole is "abcdefgh". */
static int fetch(const struct script_answer *answers, struct script *s, struct sink *k, bool resume,
				 struct error *err)
{
	struct http_options options = {.transport = &s->base, .clock = &s->clock};
	struct http_request r = {.method = "GET",
							 .url = URL,
							 .bulk = true,
							 .start = on_start,
							 .data = on_data,
							 .sink = k,
							 .expected_bytes = 8,
							 .resume = resume};
	AUTO(http_response) struct http_response response = {0};
	AUTO_PTR(http_client) struct http_client *c = NULL;
	int rc;

	script_init(s, answers);
	cr_assert_eq(http_client_new(&options, &c, err), 0);
	rc = http_send(c, &r, &response, err);
	if (rc == 0 && response.status < 300)
		cr_expect_eq(response.status, 200);
	return rc;
}

#define WHOLE .body = "abcdefgh"
#define CUT5 .body = "abcdefgh", .cut = 5

static const struct {
	const char *name;
	struct script_answer answers[6];
	bool resume;
	const char *starts; /* what the sink was told */
	const char *range;  /* of the second request, NULL: none */
	enum err_code want;
} rows[] = {
	{"whole", {{"GET", URL, 200, WHOLE}}, true, "200@0 ", NULL, 0},
	{"restart",
	 {{"GET", URL, 200, CUT5}, {"GET", URL, 200, WHOLE}},
	 false,
	 "200@0 200@0 ",
	 NULL,
	 0},
	{"short answers are broken answers",
	 {{"GET", URL, 200, .body = "abc"}, {"GET", URL, 200, WHOLE}},
	 false,
	 "200@0 200@0 ",
	 NULL,
	 0},
	{"range",
	 {{"GET", URL, 200, CUT5},
	  {"GET", URL, 206, .headers = "Content-Range: bytes 5-7/8", .body = "fgh"}},
	 true,
	 "200@0 200@5 ",
	 "bytes=5-",
	 0},
	{"a server that ignores ranges",
	 {{"GET", URL, 200, CUT5}, {"GET", URL, 200, WHOLE}},
	 true,
	 "200@0 200@0 ",
	 "bytes=5-",
	 0},
	{"another range than asked",
	 {{"GET", URL, 200, CUT5},
	  {"GET", URL, 206, .headers = "Content-Range: bytes 4-7/8", .body = "efgh"},
	  {"GET", URL, 200, WHOLE}},
	 true,
	 "200@0 200@0 ",
	 "bytes=5-",
	 0},
	{"no range told",
	 {{"GET", URL, 200, CUT5}, {"GET", URL, 206, .body = "fgh"}, {"GET", URL, 200, WHOLE}},
	 true,
	 "200@0 200@0 ",
	 "bytes=5-",
	 0},
	{"range refused",
	 {{"GET", URL, 200, CUT5}, {"GET", URL, 416}, {"GET", URL, 200, WHOLE}},
	 true,
	 "200@0 200@0 ",
	 "bytes=5-",
	 0},
	{"sick in between",
	 {{"GET", URL, 200, CUT5},
	  {"GET", URL, 503},
	  {"GET", URL, 206, .headers = "Content-Range: bytes 5-7/8", .body = "fgh"}},
	 true,
	 "200@0 200@5 ",
	 "bytes=5-",
	 0},
	{"a rest of another length",
	 {{"GET", URL, 200, CUT5},
	  {"GET", URL, 206, .body = "fghi",
	   .headers = "Content-Range: bytes 5-8/9\nContent-Length: 4"}},
	 true,
	 "200@0 ",
	 "bytes=5-",
	 ERR_NET},
	{"too long", {{"GET", URL, 200, .body = "abcdefghi"}}, true, "200@0 ", NULL, ERR_NET},
};

Test(http_sink, bodies_arrive_whole_or_not_at_all)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(script) struct script s = {0};
		AUTO(sink) struct sink k = {0};
		struct error err = {0};
		const char *range;
		int rc = fetch(rows[i].answers, &s, &k, rows[i].resume, &err);

		cr_expect_eq(rc, rows[i].want ? -1 : 0, "%s: %s", rows[i].name, err.msg);
		cr_expect_eq(err.code * (rc < 0), rows[i].want, "%s: %s", rows[i].name, err.msg);
		if (rc == 0)
			cr_expect_str_eq(buf_str(&k.got), "abcdefgh", "%s", rows[i].name);
		cr_expect_str_eq(buf_str(&k.starts), rows[i].starts, "%s", rows[i].name);
		range = script_header(&s, 1, "Range");
		cr_expect_str_eq(range ? range : "", rows[i].range ? rows[i].range : "", "%s",
						 rows[i].name);
		cr_expect(script_is_done(&s), "%s", rows[i].name);
	}
}

/* A third request without Range after a server continued at the wrong place. */
Test(http_sink, a_lying_range_is_not_asked_twice)
{
	static const struct script_answer answers[] = {{"GET", URL, 200, CUT5},
												   {"GET", URL, 206, .body = "xyz"},
												   {"GET", URL, 200, CUT5},
												   {"GET", URL, 200, WHOLE},
												   {0}};
	AUTO(script) struct script s = {0};
	AUTO(sink) struct sink k = {0};
	struct error err = {0};

	cr_assert_eq(fetch(answers, &s, &k, true, &err), 0, "%s", err.msg);
	cr_expect_str_eq(buf_str(&k.got), "abcdefgh");
	cr_expect_not_null(script_header(&s, 1, "Range"));
	cr_expect_null(script_header(&s, 2, "Range"));
	cr_expect_null(script_header(&s, 3, "Range"));
}

Test(http_sink, only_a_strong_etag_guards_the_rest)
{
	static const struct {
		const char *headers, *want;
	} etags[] = {{"ETag: \"v1\"", "\"v1\""}, {"ETag: W/\"v1\"", NULL}, {NULL, NULL}};

	for (size_t i = 0; i < ARRAY_LEN(etags); i++) {
		const struct script_answer answers[] = {
			{"GET", URL, 200, .headers = etags[i].headers, CUT5},
			{"GET", URL, 206, .headers = "Content-Range: bytes 5-7/8", .body = "fgh"},
			{0}};
		AUTO(script) struct script s = {0};
		AUTO(sink) struct sink k = {0};
		struct error err = {0};
		const char *got;

		cr_assert_eq(fetch(answers, &s, &k, true, &err), 0, "%s", err.msg);
		got = script_header(&s, 1, "If-Range");
		cr_expect_str_eq(got ? got : "", etags[i].want ? etags[i].want : "");
	}
}

Test(http_sink, callers_may_give_up)
{
	static const struct script_answer answers[] = {{"GET", URL, 200, WHOLE}, {0}};

	for (int i = 0; i < 2; i++) {
		AUTO(script) struct script s = {0};
		AUTO(sink) struct sink k = {.refuse_start = i == 0, .refuse_data = i == 1};
		struct error err = {0};

		cr_expect_eq(fetch(answers, &s, &k, true, &err), -1);
		cr_expect_eq(err.code, ERR_SYS);
		cr_expect_str_eq(err.msg, "GET https://h/blob: disk full");
		cr_expect_eq(s.seen.count, 1);
	}
}

Test(http_sink, errors_do_not_reach_it)
{
	static const struct script_answer answers[] = {{"GET", URL, 404, .body = "no"}, {0}};
	AUTO(script) struct script s = {0};
	AUTO(sink) struct sink k = {0};
	struct error err = {0};

	cr_expect_eq(fetch(answers, &s, &k, true, &err), 0);
	cr_expect_eq(k.got.len, 0);
	cr_expect_str_eq(buf_str(&k.starts), "");
}

/* Ten breaks, a MiB further each time: that is no failing transfer. */
Test(http_sink, progress_renews_the_tries)
{
	enum { PIECES = 10, SIZE = 1 << 20 };
	struct script_answer answers[PIECES + 1] = {0};
	char ranges[PIECES][64];
	static char piece[SIZE + 1];
	AUTO(script) struct script s = {0};
	AUTO(sink) struct sink k = {0};
	struct http_options options = {.transport = &s.base, .clock = &s.clock};
	struct http_request r = {.method = "GET",
							 .url = URL,
							 .bulk = true,
							 .start = on_start,
							 .data = on_data,
							 .sink = &k,
							 .expected_bytes = PIECES * SIZE,
							 .resume = true};
	AUTO(http_response) struct http_response response = {0};
	AUTO_PTR(http_client) struct http_client *c = NULL;
	struct error err = {0};

	memset(piece, 'p', SIZE);
	for (int i = 0; i < PIECES; i++) {
		snprintf(ranges[i], sizeof(ranges[i]), "Content-Range: bytes %d-%d/%d", i * SIZE,
				 PIECES * SIZE - 1, PIECES * SIZE);
		answers[i] = (struct script_answer){
			"GET",         URL,         i ? 206 : 200, .headers = i ? ranges[i] : NULL,
			.body = piece, .repeat = 2, .cut = SIZE};
	}
	answers[PIECES - 1].cut = 0;
	answers[PIECES - 1].repeat = 1;
	script_init(&s, answers);
	cr_assert_eq(http_client_new(&options, &c, &err), 0);
	cr_expect_eq(http_send(c, &r, &response, &err), 0, "%s", err.msg);
	cr_expect_eq(k.got.len, PIECES * SIZE);
}
