/* Who is told what: authorization, plain http, the trace. */
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

struct tokens {
	int asked, denied;
	int second; /* what the second question is answered with */
};

static int give(void *user, const struct http_request *request, const struct http_response *denied,
				struct buf *value, struct error *err)
{
	struct tokens *t = user;

	(void)request;
	if (!denied) {
		t->asked++;
		buf_adds(value, "Bearer old");
		return 1;
	}
	t->denied++;
	cr_expect_eq(denied->status, 401);
	cr_expect_str_eq(http_headers_get(&denied->headers, "WWW-Authenticate"), "Bearer realm=x");
	if (t->second < 0)
		return err_set(err, ERR_DENIED, "no such user");
	buf_adds(value, "Bearer new");
	return t->second;
}

Test(http_secrets, one_new_authorization_after_a_401)
{
	static const struct script_answer twice[] = {
		{"PUT", URL, 401, .headers = "WWW-Authenticate: Bearer realm=x"},
		{"PUT", URL, 401, .headers = "WWW-Authenticate: Bearer realm=x"},
		{0},
	};
	static const struct script_answer well[] = {
		{"PUT", URL, 401, .headers = "WWW-Authenticate: Bearer realm=x"}, {"PUT", URL, 201}, {0}};
	static const struct {
		const struct script_answer *answers;
		int second, rc, status;
		size_t requests;
	} rows[] = {
		{well, 1, 0, 201, 2}, {twice, 1, 0, 401, 2}, {twice, 0, 0, 401, 1}, {twice, -1, -1, 0, 1}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(script) struct script s = {0};
		AUTO(http_response) struct http_response response = {0};
		struct tokens tokens = {.second = rows[i].second};
		struct http_auth auth = {give, &tokens};
		struct http_options options = {.auth = &auth, .max_tries = 1};
		struct http_request r = {.method = "PUT", .url = URL, .has_body = true};
		struct error err = {0};

		r.body = (struct http_body){.data = "abc", .fd = -1, .len = 3};
		script_init(&s, rows[i].answers);
		cr_expect_eq(send_one(&s, options, &r, &response, &err), rows[i].rc, "%zu", i);
		cr_expect_eq(s.seen.count, rows[i].requests, "%zu", i);
		cr_expect_eq(tokens.asked, 1);
		cr_expect_eq(tokens.denied, 1);
		cr_expect_str_eq(script_header(&s, 0, "Authorization"), "Bearer old");
		if (rows[i].requests == 2) {
			cr_expect_str_eq(script_header(&s, 1, "Authorization"), "Bearer new");
			cr_expect_str_eq(buf_str(&s.seen.items[1].body), "abc");
		}
		if (rows[i].rc < 0)
			cr_expect_eq(err.code, ERR_DENIED);
		else
			cr_expect_eq(response.status, rows[i].status);
	}
}

static int give_smuggled(void *user, const struct http_request *request,
						 const struct http_response *denied, struct buf *value, struct error *err)
{
	(void)user;
	(void)request;
	(void)denied;
	(void)err;
	buf_adds(value, "Bearer x\r\nX: canary");
	return 1;
}

Test(http_secrets, credentials_with_line_ends_are_refused)
{
	static const struct script_answer none[] = {{0}};
	AUTO(script) struct script s = {0};
	struct http_response response = {0};
	struct http_auth auth = {give_smuggled, NULL};
	struct http_options options = {.auth = &auth};
	struct http_request r = get();
	struct error err = {0};

	script_init(&s, none);
	cr_expect_eq(send_one(&s, options, &r, &response, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_null(strstr(err.msg, "canary"));
	cr_expect_eq(s.seen.count, 0);
}

Test(http_secrets, plain_http_only_to_loopback)
{
	static const struct {
		const char *url;
		bool allow;
		bool goes;
	} rows[] = {
		{"http://127.0.0.1:5000/x", false, true}, {"http://localhost:5000/x", false, true},
		{"http://[::1]:5000/x", false, true},     {"http://h:5000/x", false, false},
		{"http://10.0.0.1:5000/x", false, false}, {"http://h:5000/x", true, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer answers[] = {{"GET", rows[i].url, 200}, {0}};
		AUTO(script) struct script s = {0};
		AUTO(http_response) struct http_response response = {0};
		struct http_options options = {.allow_plain = rows[i].allow};
		struct http_request r = {.method = "GET", .url = rows[i].url};
		struct error err = {0};

		script_init(&s, answers);
		cr_expect_eq(send_one(&s, options, &r, &response, &err), rows[i].goes ? 0 : -1);
		cr_expect_eq(s.seen.count, rows[i].goes);
		if (!rows[i].goes) {
			cr_expect_eq(err.code, ERR_DENIED);
			cr_expect_neq(err.hint[0], '\0');
		}
	}
}

static void keep_line(void *user, const char *line)
{
	buf_adds(user, line);
	buf_addc(user, '\n');
}

Test(http_secrets, the_trace_tells_no_secret)
{
	static const struct script_answer answers[] = {
		{"GET", "https://h/x?token=canary", 200, .headers = "Set-Cookie: canary", .body = "canary"},
		{0}};
	AUTO(script) struct script s = {0};
	AUTO(buf) struct buf lines = {0};
	AUTO(http_response) struct http_response response = {0};
	struct log log = {2, keep_line, &lines};
	struct tokens tokens = {0};
	struct http_auth auth = {give, &tokens};
	struct http_options options = {.log = &log, .auth = &auth};
	struct http_request r = {.method = "GET", .url = "https://h/x?token=canary"};
	struct error err = {0};

	script_init(&s, answers);
	cr_assert_eq(send_one(&s, options, &r, &response, &err), 0);
	cr_expect_str_eq(buf_str(&lines), "GET https://h/x: 200 (0ms)\n");
}
