#include "tests/unit/http/script.h"

#include <criterion/criterion.h>

#define URL "https://h/x"

static struct http_request get(void)
{
	return (struct http_request){.method = "GET", .url = URL};
}

/* One request against a table, with default options but for what the caller set. */
static int send_one(struct script *s, struct http_options options, const struct http_request *r,
					struct http_response *response, struct error *err)
{
	AUTO_PTR(http_client) struct http_client *c = NULL;

	options.transport = &s->base;
	options.clock = &s->clock;
	cr_assert_eq(http_client_new(&options, &c, err), 0);
	return http_send(c, r, response, err);
}

Test(http_client, an_answer_is_an_answer_whatever_its_status)
{
	static const int statuses[] = {200, 204, 304, 400, 403, 404, 409, 501};

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		const struct script_answer answers[] = {
			{"GET", URL, statuses[i], .headers = "A: b", .body = "text"}, {0}};
		AUTO(script) struct script s = {0};
		AUTO(http_response) struct http_response response = {0};
		struct http_request r = get();
		struct error err = {0};

		script_init(&s, answers);
		cr_expect_eq(send_one(&s, (struct http_options){0}, &r, &response, &err), 0);
		cr_expect_eq(response.status, statuses[i]);
		cr_expect_str_eq(buf_str(&response.body), "text");
		cr_expect_str_eq(http_headers_get(&response.headers, "a"), "b");
		cr_expect_str_eq(response.url, URL);
		cr_expect_eq(s.seen.count, 1);
		cr_expect_str_eq(script_header(&s, 0, "User-Agent"), "msctl/" MSCTL_VERSION);
	}
}

Test(http_client, passing_failures_are_tried_again_within_the_jitter)
{
	static const struct script_answer answers[] = {
		{"GET", URL, 503},
		{"GET", URL, .fail = "reset"},
		{"GET", URL, 429},
		{"GET", URL, 200, .body = "a", .repeat = 4, .cut = 3},
		{"GET", URL, 200, .body = "whole"},
		{0},
	};
	AUTO(script) struct script s = {0};
	AUTO(http_response) struct http_response response = {0};
	struct http_request r = get();
	struct error err = {0};

	script_init(&s, answers);
	cr_assert_eq(send_one(&s, (struct http_options){0}, &r, &response, &err), 0, "%s", err.msg);
	cr_expect_str_eq(buf_str(&response.body), "whole");
	cr_assert_eq(s.seen.count, 5);
	for (size_t i = 1; i < 5; i++)
		cr_expect_leq(s.seen.items[i].at_ms - s.seen.items[i - 1].at_ms, 250 << (i - 1));
}

Test(http_client, tries_end)
{
	static const struct script_answer failing[] = {
		{"GET", URL, .fail = "reset"}, {"GET", URL, .fail = "reset"}, {"GET", URL, .fail = "reset"},
		{"GET", URL, .fail = "reset"}, {"GET", URL, .fail = "reset"}, {0},
	};
	static const struct script_answer sick[] = {
		{"GET", URL, 500},
		{"GET", URL, 500},
		{"GET", URL, 500},
		{"GET", URL, 500},
		{"GET", URL, 502, .body = "sorry"},
		{0},
	};
	AUTO(script) struct script s = {0};
	AUTO(script) struct script t = {0};
	AUTO(http_response) struct http_response response = {0};
	struct http_request r = get();
	struct error err = {0};

	script_init(&s, failing);
	cr_expect_eq(send_one(&s, (struct http_options){0}, &r, &response, &err), -1);
	cr_expect_eq(err.code, ERR_NET);
	cr_expect_str_eq(err.msg, "GET https://h/x: reset");
	cr_expect_eq(s.seen.count, HTTP_MAX_TRIES);
	script_init(&t, sick);
	cr_expect_eq(send_one(&t, (struct http_options){0}, &r, &response, &err), 0);
	cr_expect_eq(response.status, 502);
	cr_expect_str_eq(buf_str(&response.body), "sorry");
}

/* Not replayable, or not passing, or told not to. */
Test(http_client, what_is_not_tried_again)
{
	static const struct script_answer reset[] = {{"GET", URL, .fail = "reset"}, {0}};
	static const struct script_answer fatal[] = {{"GET", URL, .fail = "bad", .fatal = true}, {0}};
	static const struct script_answer cut[] = {{"GET", URL, 200, .body = "abc", .cut = 2}, {0}};
	static const struct {
		const struct script_answer *answers;
		bool no_retry, stream;
		int max_tries;
	} rows[] = {{reset, true, false, 0},
				{reset, false, false, 1},
				{fatal, false, false, 0},
				{cut, false, true, 0}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(script) struct script s = {0};
		AUTO(http_response) struct http_response response = {0};
		struct http_options options = {.max_tries = rows[i].max_tries};
		struct http_request r = get();
		struct error err = {0};

		r.no_retry = rows[i].no_retry;
		r.stream = rows[i].stream;
		script_init(&s, rows[i].answers);
		cr_expect_eq(send_one(&s, options, &r, &response, &err), -1, "%zu", i);
		cr_expect_eq(err.code, ERR_NET);
		cr_expect_eq(s.seen.count, 1, "%zu", i);
	}
}

Test(http_client, retry_after_is_kept)
{
	static const struct {
		const char *header;
		int64_t low, high;
	} rows[] = {
		{"Retry-After: 20", 20000, 20000},
		{"Retry-After: 0", 0, 250},
		{"Retry-After: 1000000000", 60000, 60000},
		{"Retry-After: -5", 0, 250},
		{"Retry-After: soon", 0, 250},
		{"Retry-After: Sun, 06 Nov 1994 08:49:48 GMT", 9000, 11000},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer answers[] = {
			{"GET", URL, 429, .headers = rows[i].header}, {"GET", URL, 200}, {0}};
		AUTO(script) struct script s = {0};
		AUTO(http_response) struct http_response response = {0};
		struct http_request r = get();
		struct error err = {0};
		int64_t waited;

		script_init(&s, answers);
		cr_assert_eq(send_one(&s, (struct http_options){0}, &r, &response, &err), 0);
		cr_expect_eq(response.status, 200);
		waited = s.seen.items[1].at_ms - s.seen.items[0].at_ms;
		cr_expect(waited >= rows[i].low && waited <= rows[i].high, "%s: %d", rows[i].header,
				  (int)waited);
	}
}

Test(http_client, nothing_is_waited_for_beyond_the_deadline)
{
	static const struct script_answer answers[] = {
		{"GET", URL, 429, .headers = "Retry-After: 30"}, {"GET", URL, 200}, {0}};
	AUTO(script) struct script s = {0};
	AUTO(http_response) struct http_response response = {0};
	struct http_request r = get();
	struct error err = {0};
	struct http_options options = {0};

	script_init(&s, answers);
	options.deadline_ms = s.now_ms + 10000;
	cr_assert_eq(send_one(&s, options, &r, &response, &err), 0);
	cr_expect_eq(response.status, 429, "the refusal is the answer: a later one comes too late");
	cr_expect_eq(s.seen.count, 1);
	cr_expect_lt(s.now_ms, options.deadline_ms);
}

Test(http_client, nothing_is_tried_after_the_deadline)
{
	static const struct script_answer answers[] = {{"GET", URL, 200}, {0}};
	AUTO(script) struct script s = {0};
	AUTO(http_response) struct http_response response = {0};
	struct http_request r = get();
	struct error err = {0};
	struct http_options options = {0};

	script_init(&s, answers);
	s.now_ms += 1000;
	options.deadline_ms = s.now_ms;
	cr_assert_eq(send_one(&s, options, &r, &response, &err), -1);
	cr_expect_eq(err.code, ERR_NET);
	cr_expect_str_eq(err.hint, "give it more with --timeout");
	cr_expect_eq(s.seen.count, 0);
}

static int count_done(void *user, struct http_response *response, struct error *err)
{
	(void)err;
	*(int *)user += response && response->status == 200 ? 1 : 100;
	return 0;
}

/* One was told to wait: the other ones wait as well instead of knocking. */
Test(http_client, back_off_is_shared_by_a_host)
{
	static const struct script_answer answers[] = {
		{"GET", "https://h/1", 429, .headers = "Retry-After: 30"},
		{"GET", "https://other/3", 200},
		{"GET", "https://h/1", 200},
		{"GET", "https://h/2", 200},
		{0},
	};
	AUTO(script) struct script s = {0};
	struct http_options options = {.transport = &s.base, .clock = &s.clock, .max_connections = 1};
	struct http_request first = {.method = "GET", .url = "https://h/1", .bulk = true};
	struct http_request second = {.method = "GET", .url = "https://h/2", .bulk = true};
	struct http_request third = {.method = "GET", .url = "https://other/3", .bulk = true};
	AUTO_PTR(http_client) struct http_client *c = NULL;
	struct error err = {0};
	int done = 0;

	script_init(&s, answers);
	cr_assert_eq(http_client_new(&options, &c, &err), 0);
	http_start(c, &first, count_done, &done);
	http_start(c, &second, count_done, &done);
	http_start(c, &third, count_done, &done);
	cr_expect_eq(http_run(c, 10000, &err), 1);
	cr_expect_eq(done, 1, "the other host does not wait");
	cr_expect_eq(http_run(c, -1, &err), 0);
	cr_expect_eq(done, 3);
	cr_assert_eq(s.seen.count, 4);
	cr_expect_geq(s.seen.items[2].at_ms, 31000);
	cr_expect_geq(s.seen.items[3].at_ms, 31000);
}

static void keep_note(void *user, const struct progress_event *event)
{
	if (event->kind == PROGRESS_NOTE) {
		buf_adds(user, event->text);
		buf_addc(user, '\n');
	}
}

Test(http_client, waits_and_warnings_are_told_once)
{
	static const struct script_answer answers[] = {
		{"GET", URL, 429, .headers = "Retry-After: 20\nWarning: 299 - \"old \x1b[1mname\""},
		{"GET", URL, 200,
		 .headers = "Warning: 299 - \"old \x1b[1mname\"\nWarning: 299 - \"x\"\n"
					"Warning: 199 - \"no\"\nWarning: 299"},
		{0},
	};
	AUTO(script) struct script s = {0};
	AUTO(buf) struct buf notes = {0};
	AUTO(http_response) struct http_response response = {0};
	struct progress progress = {keep_note, &notes};
	struct http_options options = {.progress = &progress};
	struct http_request r = get();
	struct error err = {0};

	script_init(&s, answers);
	cr_assert_eq(send_one(&s, options, &r, &response, &err), 0);
	cr_expect_str_eq(buf_str(&notes), "h warns: old ?[1mname\n"
									  "waiting 20.0s: rate limited by h\n"
									  "h warns: x\n");
}

Test(http_client, bodies_are_bounded)
{
	static const struct {
		int status;
		size_t bytes;
		uint64_t max, expected;
		const char *headers;
		enum err_code want;
	} rows[] = {
		{200, 100, 100, 0, NULL, 0},
		{200, 101, 100, 0, NULL, ERR_INPUT},
		{200, HTTP_MAX_DOCUMENT_BYTES, 0, 0, NULL, 0},
		{200, HTTP_MAX_DOCUMENT_BYTES + 1, 0, 0, NULL, ERR_INPUT},
		{200, 100, 0, 100, NULL, 0},
		{200, 101, 0, 100, NULL, ERR_NET},
		{200, 100, 0, 100, "Content-Length: 100", 0},
		{200, 100, 0, 100, "Content-Length: 101", ERR_NET},
		{200, 1, 0, 0, "Content-Encoding: gzip", ERR_NET},
		{200, 1, 0, 0, "Content-Encoding: identity", 0},
		{404, HTTP_MAX_ERROR_BYTES, 0, 0, NULL, 0},
		{404, 10 * HTTP_MAX_ERROR_BYTES, 0, 0, NULL, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer answers[] = {{"GET", URL, rows[i].status,
												 .headers = rows[i].headers, .body = "x",
												 .repeat = rows[i].bytes},
												{0}};
		AUTO(script) struct script s = {0};
		AUTO(http_response) struct http_response response = {0};
		struct http_request r = get();
		struct error err = {0};
		int rc;

		r.max_bytes = rows[i].max;
		r.expected_bytes = rows[i].expected;
		script_init(&s, answers);
		rc = send_one(&s, (struct http_options){0}, &r, &response, &err);
		cr_expect_eq(rc, rows[i].want ? -1 : 0, "%zu: %s", i, err.msg);
		cr_expect_eq(err.code, rows[i].want, "%zu: %s", i, err.msg);
		cr_expect_eq(s.seen.count, 1, "%zu", i);
		if (rows[i].status == 404)
			cr_expect_eq(response.body.len, HTTP_MAX_ERROR_BYTES);
		else if (rc == 0)
			cr_expect_eq(response.body.len, rows[i].bytes);
	}
}

Test(http_client, cancel_ends_the_wait_and_what_runs)
{
	static const struct script_answer hanging[] = {{"GET", URL, .hang = true}, {0}};
	static const struct script_answer limited[] = {{"GET", URL, 429, .headers = "Retry-After: 50"},
												   {0}};
	static const struct script_answer *const tables[] = {hanging, limited};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		AUTO(script) struct script s = {0};
		struct cancel cancel = {.fd = -1};
		struct http_options options = {.transport = &s.base, .clock = &s.clock, .cancel = &cancel};
		struct http_request r = get();
		AUTO_PTR(http_client) struct http_client *c = NULL;
		struct http_response response = {0};
		struct error err = {0};

		script_init(&s, tables[i]);
		s.cancel = &cancel;
		s.cancel_at_ms = 2000;
		cr_assert_eq(http_client_new(&options, &c, &err), 0);
		cr_expect_eq(http_send(c, &r, &response, &err), -1);
		cr_expect_eq(err.code, ERR_INTERRUPTED);
		cr_expect_eq(s.running.count, 0, "nothing may be left running");
		cr_expect_eq(s.seen.count, 1);
	}
}

struct chain {
	struct http_client *client;
	struct http_request next;
	int left;
	bool fail;
};

static int go_on(void *user, struct http_response *response, struct error *err)
{
	struct chain *chain = user;

	cr_expect_not_null(response);
	if (chain->fail)
		return err_set(err, ERR_CONFLICT, "enough");
	if (chain->left-- > 0)
		http_start(chain->client, &chain->next, go_on, chain);
	return 0;
}

Test(http_client, done_may_start_more_and_may_end_the_run)
{
	static const struct script_answer answers[] = {
		{"GET", URL, 200}, {"GET", URL, 200}, {"GET", URL, 200},
		{"GET", URL, 200}, {"GET", URL, 200}, {0},
	};
	AUTO(script) struct script s = {0};
	struct http_options options = {.transport = &s.base, .clock = &s.clock};
	AUTO_PTR(http_client) struct http_client *c = NULL;
	struct chain chain = {.next = {.method = "GET", .url = URL}, .left = 2};
	struct error err = {0};

	script_init(&s, answers);
	cr_assert_eq(http_client_new(&options, &c, &err), 0);
	chain.client = c;
	http_start(c, &chain.next, go_on, &chain);
	cr_expect_eq(http_run(c, -1, &err), 0);
	cr_expect_eq(s.seen.count, 3);
	chain.fail = true;
	http_start(c, &chain.next, go_on, &chain);
	http_start(c, &chain.next, go_on, &chain);
	cr_expect_eq(http_run(c, -1, &err), -1);
	cr_expect_eq(err.code, ERR_CONFLICT);
	cr_expect_eq(http_run(c, -1, &err), 0, "all that was left is aborted");
	cr_expect_eq(s.running.count, 0);
}

static int note_error(void *user, struct http_response *response, struct error *err)
{
	cr_expect_null(response);
	*(struct error *)user = *err;
	return 0;
}

Test(http_client, a_bad_url_is_told_through_done_and_abort_forgets)
{
	static const struct script_answer answers[] = {{"GET", URL, .hang = true}, {0}};
	AUTO(script) struct script s = {0};
	struct http_options options = {.transport = &s.base, .clock = &s.clock};
	struct http_request bad = {.method = "GET", .url = "gopher://h/"};
	struct http_request r = get();
	AUTO_PTR(http_client) struct http_client *c = NULL;
	struct http_exchange *x;
	struct error told = {0};
	struct error err = {0};

	script_init(&s, answers);
	cr_assert_eq(http_client_new(&options, &c, &err), 0);
	http_start(c, &bad, note_error, &told);
	cr_expect_eq(http_run(c, -1, &err), 0);
	cr_expect_eq(told.code, ERR_INPUT);
	x = http_start(c, &r, note_error, &told);
	cr_expect_eq(http_run(c, 100, &err), 1);
	http_abort(c, x);
	cr_expect_eq(http_run(c, -1, &err), 0);
	cr_expect_eq(s.running.count, 0);
}

Test(http_client, bulk_bodies_are_limited_to_the_connections)
{
	static const struct script_answer answers[] = {{"GET", URL, .hang = true}, {0}};
	AUTO(script) struct script s = {0};
	struct http_options options = {.transport = &s.base, .clock = &s.clock, .max_connections = 3};
	struct http_request bulk = {.method = "GET", .url = URL, .bulk = true};
	struct http_request small = get();
	AUTO_PTR(http_client) struct http_client *c = NULL;
	struct error err = {0};

	script_init(&s, answers);
	cr_assert_eq(http_client_new(&options, &c, &err), 0);
	for (int i = 0; i < 10; i++)
		http_start(c, &bulk, note_error, &err);
	for (int i = 0; i < 10; i++)
		http_start(c, &small, note_error, &err);
	cr_expect_eq(http_run(c, 10, &err), 1);
	cr_expect_eq(s.running.count, 13, "3 bulk bodies, and no question waits for them");
}

Test(http_client, expect_until_a_host_took_a_body)
{
	static const struct script_answer answers[] = {
		{"PUT", URL, 403}, {"PUT", URL, 201}, {"PUT", URL, 201}, {0}};
	static char big[(1 << 20) + 1];
	AUTO(script) struct script s = {0};
	struct http_options options = {.transport = &s.base, .clock = &s.clock};
	struct http_request r = {.method = "PUT", .url = URL, .has_body = true, .bulk = true};
	AUTO_PTR(http_client) struct http_client *c = NULL;
	struct error err = {0};

	r.body = (struct http_body){.data = big, .fd = -1, .len = sizeof(big)};
	script_init(&s, answers);
	cr_assert_eq(http_client_new(&options, &c, &err), 0);
	for (int i = 0; i < 3; i++) {
		AUTO(http_response) struct http_response response = {0};

		cr_assert_eq(http_send(c, &r, &response, &err), 0);
	}
	cr_expect_str_eq(script_header(&s, 0, "Expect"), "100-continue");
	cr_expect_str_eq(script_header(&s, 1, "Expect"), "100-continue");
	cr_expect_null(script_header(&s, 2, "Expect"));
}

Test(http_client, status_errors)
{
	static const struct {
		int status;
		enum err_code want;
		const char *msg;
	} rows[] = {
		{400, ERR_INPUT, "GET https://h/x: 400 Bad Request"},
		{401, ERR_DENIED, "GET https://h/x: 401 Unauthorized"},
		{403, ERR_DENIED, "GET https://h/x: 403 Forbidden"},
		{404, ERR_MISSING, "GET https://h/x: 404 Not Found"},
		{409, ERR_CONFLICT, "GET https://h/x: 409 Conflict"},
		{413, ERR_INPUT, "GET https://h/x: 413 Content Too Large"},
		{415, ERR_INPUT, "GET https://h/x: 415 Unsupported Media Type"},
		{422, ERR_INPUT, "GET https://h/x: 422 Unprocessable Content"},
		{429, ERR_NET, "GET https://h/x: 429 Too Many Requests"},
		{500, ERR_NET, "GET https://h/x: 500 Internal Server Error"},
		{599, ERR_NET, "GET https://h/x: 599"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_request r = {.method = "GET", .url = "https://h/x?token=canary#f"};
		struct http_response response = {.status = rows[i].status};
		struct error err = {0};

		cr_expect_eq(http_status_error(&r, &response, &err), -1);
		cr_expect_eq(err.code, rows[i].want);
		cr_expect_str_eq(err.msg, rows[i].msg);
	}
}
