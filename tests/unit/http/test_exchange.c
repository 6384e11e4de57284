/* What comes back of what was sent. */
#include "tests/unit/http/script.h"

#include <criterion/criterion.h>

#define URL "https://h/x"

static int give(void *user, const struct http_request *request, const struct http_response *denied,
				struct buf *value, struct error *err)
{
	(void)request;
	(void)denied;
	(void)err;
	buf_adds(value, user);
	return 1;
}

Test(http_exchange, a_refusal_that_repeats_the_credential_does_not_show_it)
{
	static const struct {
		const char *authorization;
		int status;
		const char *body, *shown;
	} rows[] = {
		{"Bearer canary", 403, "you sent 'Bearer canary', canary",
		 "you sent 'Bearer ******', ******"},
		{"Basic Y2FuYXJ5", 500, "Y2FuYXJ5Y2FuYXJ5", "****************"},
		{"Bearer ****", 403, "********", "********"},
		{"Bearer a", 403, "a bad day", "a bad day"},
		{"canary", 403, "canary", "canary"},
		{"Bearer canary", 200, "canary", "canary"},
		{"Bearer canary", 403, "", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer answers[] = {{"GET", URL, rows[i].status, .body = rows[i].body},
												{0}};
		AUTO(script) struct script s = {0};
		AUTO_PTR(http_client) struct http_client *c = NULL;
		AUTO(http_response) struct http_response response = {0};
		AUTO_FREE char *value = xstrdup(rows[i].authorization);
		struct http_auth auth = {give, value};
		struct http_options options = {.auth = &auth, .max_tries = 1};
		struct http_request r = {.method = "GET", .url = URL};
		struct error err = {0};

		script_init(&s, answers);
		options.transport = &s.base;
		options.clock = &s.clock;
		cr_assert_eq(http_client_new(&options, &c, &err), 0);
		cr_assert_eq(http_send(c, &r, &response, &err), 0, "row %zu: %s", i, err.msg);
		cr_expect_str_eq(buf_str(&response.body), rows[i].shown, "row %zu", i);
	}
}
