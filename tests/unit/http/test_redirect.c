#include "tests/unit/http/script.h"

#include <criterion/criterion.h>

#define MOVED(code, from, to)                         \
	{                                                 \
		"GET", from, code, .headers = "Location: " to \
	}

static int give_token(void *user, const struct http_request *request,
					  const struct http_response *denied, struct buf *value, struct error *err)
{
	(void)request;
	(void)denied;
	(void)err;
	++*(int *)user;
	buf_adds(value, "Bearer canary");
	return 1;
}

struct outcome {
	int rc;
	int asked; /* how often auth was */
	struct error err;
	struct http_response response;
};

static void send_as(struct script *s, const char *method, const char *url, struct outcome *o)
{
	struct http_auth auth = {give_token, &o->asked};
	struct http_options options = {.transport = &s->base, .clock = &s->clock, .auth = &auth};
	struct http_request r = {.method = method, .url = url};
	AUTO_PTR(http_client) struct http_client *c = NULL;

	r.has_body = strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
	r.body = (struct http_body){.data = "body", .fd = -1, .len = 4};
	http_headers_add(&r.headers, "Accept", "a/b");
	http_headers_add(&r.headers, "X-Secret", "s");
	cr_assert_eq(http_client_new(&options, &c, &o->err), 0);
	o->rc = http_send(c, &r, &o->response, &o->err);
	http_request_release(&r);
}

/* Every code, every method, to the same origin: the method stays, but for 303. */
Test(http_redirect, methods)
{
	static const int codes[] = {301, 302, 303, 307, 308};
	static const char *const methods[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		for (size_t j = 0; j < ARRAY_LEN(methods); j++) {
			const char *then =
				codes[i] == 303 && strcmp(methods[j], "HEAD") != 0 ? "GET" : methods[j];
			const struct script_answer answers[] = {
				{methods[j], "https://h/a", codes[i], .headers = "Location: /b?x=y"},
				{then, "https://h/b?x=y", 200},
				{0},
			};
			AUTO(script) struct script s = {0};
			struct outcome o = {0};

			script_init(&s, answers);
			send_as(&s, methods[j], "https://h/a", &o);
			cr_expect_eq(o.rc, 0, "%s %d: %s", methods[j], codes[i], o.err.msg);
			cr_expect(script_is_done(&s));
			cr_expect_eq(o.response.status, 200);
			cr_expect_str_eq(o.response.url, "https://h/b?x=y");
			cr_expect_str_eq(script_header(&s, 1, "Authorization"), "Bearer canary");
			cr_expect_str_eq(script_header(&s, 1, "X-Secret"), "s");
			if (codes[i] == 303 || j < 2)
				cr_expect_eq(s.seen.items[1].body.len, 0);
			else
				cr_expect_str_eq(buf_str(&s.seen.items[1].body), "body");
			cr_expect_eq(o.asked, 1);
			http_response_release(&o.response);
		}
}

/* Who may lead where. want 0: followed; else the class of the refusal. */
Test(http_redirect, matrix)
{
	static const struct {
		const char *method, *from, *to;
		enum err_code want;
		bool foreign;
	} rows[] = {
		{"GET", "https://h/a", "https://h/b", 0, false},
		{"GET", "https://h/a", "https://H:443/b", 0, false},
		{"GET", "https://h/a", "https://cdn/b?sig=1", 0, true},
		{"HEAD", "https://h/a", "https://cdn/b", 0, true},
		{"GET", "https://h/a", "https://h:444/b", 0, true},
		{"GET", "https://h/a", "http://h/b", ERR_DENIED, false},
		{"GET", "https://127.0.0.1/a", "http://127.0.0.1/b", ERR_DENIED, false},
		{"GET", "http://127.0.0.1:1/a", "https://127.0.0.1:1/b", 0, true},
		{"GET", "http://127.0.0.1:1/a", "http://127.0.0.1:2/b", 0, true},
		{"GET", "http://127.0.0.1:1/a", "http://h/b", ERR_DENIED, false},
		{"PUT", "https://h/a", "https://cdn/b", ERR_DENIED, false},
		{"POST", "https://h/a", "https://cdn/b", ERR_DENIED, false},
		{"PATCH", "https://h/a", "https://h:444/b", ERR_DENIED, false},
		{"DELETE", "https://h/a", "https://cdn/b", ERR_DENIED, false},
		{"GET", "https://h/a", "https://127.0.0.1/b", ERR_DENIED, false},
		{"GET", "https://h/a", "https://localhost/b", ERR_DENIED, false},
		{"GET", "https://h/a", "https://10.0.0.1/b", ERR_DENIED, false},
		{"GET", "https://h/a", "https://169.254.169.254/latest", ERR_DENIED, false},
		{"GET", "https://h/a", "https://[::1]/b", ERR_DENIED, false},
		{"GET", "https://h/a", "https://[::ffff:10.0.0.1]/b", ERR_DENIED, false},
		{"GET", "https://h/a", "https://2130706433/b", ERR_NET, false},
		{"GET", "https://10.0.0.1/a", "https://10.0.0.2/b", 0, true},
		{"GET", "https://10.0.0.1/a", "https://127.0.0.1/b", ERR_DENIED, false},
		{"GET", "https://10.0.0.1/a", "https://cdn/b", 0, true},
		{"GET", "https://127.0.0.1/a", "https://10.0.0.1/b", 0, true},
		{"GET", "https://127.0.0.1/a", "https://169.254.169.254/b", ERR_DENIED, false},
		{"GET", "https://h/a", "ftp://h/b", ERR_NET, false},
		{"GET", "https://h/a", "file:///etc/passwd", ERR_NET, false},
		{"GET", "https://h/a", "https://u:p@h/b", ERR_NET, false},
		{"GET", "https://h/a", "https://h/b\x01", ERR_NET, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *location = xasprintf("Location: %s", rows[i].to);
		struct script_answer answers[] = {
			{rows[i].method, rows[i].from, 307, .headers = location},
			{rows[i].method, strstr(rows[i].to, "H:443") ? "https://h/b" : rows[i].to, 200},
			{0},
		};
		AUTO(script) struct script s = {0};
		struct outcome o = {0};

		script_init(&s, answers);
		send_as(&s, rows[i].method, rows[i].from, &o);
		cr_expect_eq(o.rc, rows[i].want ? -1 : 0, "%s -> %s: %s", rows[i].from, rows[i].to,
					 o.err.msg);
		if (rows[i].want) {
			cr_expect_eq(o.err.code, rows[i].want, "%s -> %s", rows[i].from, rows[i].to);
			cr_expect_eq(s.seen.count, 1);
			continue;
		}
		cr_assert_eq(s.seen.count, 2);
		cr_expect_eq(s.seen.items[1].foreign, rows[i].foreign);
		cr_expect_eq(script_header(&s, 1, "Authorization") == NULL, rows[i].foreign);
		cr_expect_eq(script_header(&s, 1, "X-Secret") == NULL, rows[i].foreign);
		cr_expect_str_eq(script_header(&s, 1, "Accept"), "a/b");
		http_response_release(&o.response);
	}
}

/* Once outside, what comes back is no longer ours to sign. */
Test(http_redirect, credentials_do_not_come_back)
{
	static const struct script_answer answers[] = {
		MOVED(302, "https://h/a", "https://evil/b"),
		MOVED(302, "https://evil/b", "https://h/delete-everything"),
		{"GET", "https://h/delete-everything", 401},
		{0},
	};
	AUTO(script) struct script s = {0};
	struct outcome o = {0};

	script_init(&s, answers);
	send_as(&s, "GET", "https://h/a", &o);
	cr_expect_eq(o.rc, 0);
	cr_expect_eq(o.response.status, 401);
	cr_expect_null(script_header(&s, 2, "Authorization"));
	cr_expect_eq(o.asked, 1, "no authorization for a stranger's 401");
	http_response_release(&o.response);
}

Test(http_redirect, five_hops_and_no_more)
{
	static const struct script_answer five[] = {
		MOVED(302, "https://h/0", "/1"),
		MOVED(302, "https://h/1", "/2"),
		MOVED(302, "https://h/2", "/3"),
		MOVED(302, "https://h/3", "/4"),
		MOVED(302, "https://h/4", "/5"),
		{"GET", "https://h/5", 200},
		{0},
	};
	static const struct script_answer six[] = {
		MOVED(302, "https://h/0", "/1"),
		MOVED(302, "https://h/1", "/2"),
		MOVED(302, "https://h/2", "/3"),
		MOVED(302, "https://h/3", "/4"),
		MOVED(302, "https://h/4", "/5"),
		MOVED(302, "https://h/5", "/0"),
		{0},
	};
	AUTO(script) struct script s = {0};
	AUTO(script) struct script t = {0};
	struct outcome o = {0};

	script_init(&s, five);
	send_as(&s, "GET", "https://h/0", &o);
	cr_expect_eq(o.rc, 0);
	http_response_release(&o.response);
	script_init(&t, six);
	send_as(&t, "GET", "https://h/0", &o);
	cr_expect_eq(o.rc, -1);
	cr_expect_eq(o.err.code, ERR_NET);
	cr_expect_str_eq(o.err.msg, "GET https://h/0: more than 5 redirects");
}

Test(http_redirect, without_location_it_is_the_answer)
{
	static const struct script_answer answers[] = {{"GET", "https://h/a", 302}, {0}};
	AUTO(script) struct script s = {0};
	struct outcome o = {0};

	script_init(&s, answers);
	send_as(&s, "GET", "https://h/a", &o);
	cr_expect_eq(o.rc, 0);
	cr_expect_eq(o.response.status, 302);
	http_response_release(&o.response);
}

Test(http_redirect, messages_hide_queries)
{
	static const struct script_answer answers[] = {
		MOVED(302, "https://h/a?token=canary", "http://h/b?sig=canary"), {0}};
	AUTO(script) struct script s = {0};
	struct outcome o = {0};

	script_init(&s, answers);
	send_as(&s, "GET", "https://h/a?token=canary", &o);
	cr_expect_eq(o.rc, -1);
	cr_expect_null(strstr(o.err.msg, "canary"), "%s", o.err.msg);
}
