#include "tests/unit/registry/image.h"

#define SCOPES "service=r.test&scope=repository%3Ashop%2Fhello%3Apull&client_id=msctl"
#define BEARER(realm) "WWW-Authenticate: Bearer realm=\"" realm "\",service=\"r.test\""
#define GET_OK                                                          \
	{                                                                   \
		"GET", MANIFEST_URL, 200, .headers = OCI_TYPE, .body = MANIFEST \
	}

/* u:p for a host, as `msctl login` keeps it */
static char *write_authfile(const char *host, const char *more)
{
	AUTO_FREE char *text = xasprintf("{\"auths\":{\"%s\":{\"auth\":\"dTpw\"%s}}}", host, more);
	char *path = xstrdup("/tmp/msctl-test-auth-XXXXXX");
	struct error err = {0};
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(fs_write_atomic(path, text, strlen(text), 0600, &err), 0, "%s", err.msg);
	return path;
}

static int get(struct world *w)
{
	AUTO(oci_manifest) struct oci_manifest m = {0};
	AUTO(oci_descriptor) struct oci_descriptor d = {0};

	return registry_get_manifest(w->registry, &w->ref, &d, &m, &w->err);
}

Test(auth, a_token_is_fetched_for_the_scope_and_kept)
{
	static const struct script_answer answers[] = {
		{"GET", MANIFEST_URL, 401, .headers = BEARER("https://auth.r.test/token")},
		GET_OK,
		GET_OK,
		{0}};
	static const struct script_answer tokens[] = {
		{"GET", "https://auth.r.test/token?" SCOPES, 200, .body = "{\"token\":\"t1\"}"}, {0}};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, tokens, (struct registry_options){0});
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	cr_expect_null(script_header(&w.script, 0, "Authorization"));
	cr_expect_str_eq(script_header(&w.script, 1, "Authorization"), "Bearer t1");
	cr_expect_str_eq(script_header(&w.script, 2, "Authorization"), "Bearer t1");
	cr_expect_eq(w.tokens.seen.count, 1);
	cr_expect_null(script_header(&w.tokens, 0, "Authorization"));
}

Test(auth, a_token_is_renewed_before_it_ends)
{
	static const struct script_answer answers[] = {
		{"GET", MANIFEST_URL, 401, .headers = BEARER("https://auth.r.test/token")},
		GET_OK,
		GET_OK,
		GET_OK,
		{0}};
	static const struct script_answer tokens[] = {
		{"GET", "https://auth.r.test/token?" SCOPES, 200,
		 .body = "{\"access_token\":\"t1\",\"expires_in\":300}"},
		{"GET", "https://auth.r.test/token?" SCOPES, 200, .body = "{\"token\":\"t2\"}"},
		{0}};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, tokens, (struct registry_options){0});
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	w.script.now_ms += 239000;
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	w.script.now_ms += 2000;
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	cr_expect_str_eq(script_header(&w.script, 2, "Authorization"), "Bearer t1");
	cr_expect_str_eq(script_header(&w.script, 3, "Authorization"), "Bearer t2");
}

Test(auth, credentials_reach_the_registry_and_what_belongs_to_it)
{
	static const struct {
		const char *realm;
		bool with_creds;
	} rows[] = {
		{"https://registry.shop.test/token", true},
		{"https://registry.shop.test:8443/token", true},
		{"https://shop.test/jwt/auth", true},
		{"https://auth.shop.test/token", true},
		{"/v2/token", true},
		{"https://evil.test/token", false},
		{"https://evilshop.test/token", false},
		{"https://shop.test.evil.test/token", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *challenge =
			xasprintf("WWW-Authenticate: Bearer realm=\"%s\"", rows[i].realm);
		AUTO_FREE char *base = rows[i].realm[0] == '/'
								   ? xasprintf("https://registry.shop.test%s", rows[i].realm)
								   : xstrdup(rows[i].realm);
		AUTO_FREE char *url = xasprintf("%s?scope=repository%%3Ax%%3Apull&client_id=msctl%s", base,
										rows[i].with_creds ? "&account=u" : "");
		AUTO_FREE char *file = write_authfile("registry.shop.test", "");
		const struct script_answer answers[] = {
			{"GET", "https://registry.shop.test/v2/x/manifests/1", 401, .headers = challenge},
			{"GET", "https://registry.shop.test/v2/x/manifests/1", 200, .headers = OCI_TYPE,
			 .body = MANIFEST},
			{0}};
		const struct script_answer tokens[] = {{"GET", url, 200, .body = "{\"token\":\"t\"}"}, {0}};
		struct creds_store creds = {.file = file};
		AUTO(world) struct world w = {0};

		world_open(&w, answers, tokens,
				   (struct registry_options){.host = "registry.shop.test", .creds = &creds});
		oci_ref_release(&w.ref);
		cr_assert_eq(oci_ref_parse("registry.shop.test/x:1", &w.ref, &w.err), 0);
		cr_expect_eq(get(&w), 0, "%s: %s", rows[i].realm, w.err.msg);
		if (rows[i].with_creds)
			cr_expect_str_eq(script_header(&w.tokens, 0, "Authorization"), "Basic dTpw");
		else
			cr_expect_null(script_header(&w.tokens, 0, "Authorization"), "%s", rows[i].realm);
		creds_store_release(&creds);
		unlink(file);
	}
}

Test(auth, realms_that_are_not_asked)
{
	static const struct {
		const char *api, *realm;
		int rc; /* 0: asked; then with_creds */
		bool with_creds;
	} rows[] = {
		{"https://r.example.com/", "https://r.example.com/t", 0, true},
		{"https://r.example.com/", "http://r.example.com/t", -1, false},
		{"https://r.example.com/", "http://127.0.0.1/t", -1, false},
		{"https://r.example.com/", "https://127.0.0.1/t", -1, false},
		{"https://r.example.com/", "https://[::1]/t", -1, false},
		{"https://r.example.com/", "https://[::ffff:10.0.0.1]/t", -1, false},
		{"https://r.example.com/", "https://169.254.169.254/t", -1, false},
		{"https://r.example.com/", "https://10.1.2.3/t", -1, false},
		{"https://r.example.com/", "https://0.0.0.0/t", -1, false},
		{"https://r.example.com/", "https://localhost/t", -1, false},
		{"https://10.0.0.5/", "https://10.0.0.5:5001/t", 0, true},
		{"https://10.0.0.5/", "https://10.0.0.6/t", 0, false},
		{"http://127.0.0.1:5000/", "http://127.0.0.1:5001/t", 0, true},
		{"http://127.0.0.1:5000/", "http://localhost:5001/t", 0, false},
		{"http://r.example.com/", "http://a.example.com/t", 0, false},
		{"https://registry-1.docker.io/", "https://auth.docker.io/token", 0, true},
		{"https://registry.gitlab.com/", "https://gitlab.com/jwt/auth", 0, true},
		{"https://example.com/", "https://auth.example.com/t", 0, true},
		{"https://example.co.uk/", "https://evil.co.uk/t", 0, false},
		{"https://example.com/", "https://other.com/t", 0, false},
		{"https://a.b.example.com/", "https://c.example.com/t", 0, false},
		{"https://host/", "https://other/t", 0, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(url) struct url api = {0};
		AUTO(url) struct url realm = {0};
		struct error err = {0};
		bool with_creds = false;
		int rc;

		cr_assert_eq(url_parse(rows[i].api, &api, &err), 0);
		cr_assert_eq(url_parse(rows[i].realm, &realm, &err), 0, "%s", err.msg);
		rc = auth_check_realm(&api, &realm, &with_creds, &err);
		cr_expect_eq(rc, rows[i].rc, "%s -> %s", rows[i].api, rows[i].realm);
		if (rc < 0)
			cr_expect_eq(err.code, ERR_DENIED);
		else
			cr_expect_eq(with_creds, rows[i].with_creds, "%s -> %s", rows[i].api, rows[i].realm);
	}
}

Test(auth, a_realm_in_the_clear_hears_nothing)
{
	static const struct script_answer answers[] = {
		{"GET", MANIFEST_URL, 401, .headers = BEARER("http://auth.r.test/token")}, {0}};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_assert_eq(get(&w), -1);
	cr_expect_eq(w.err.code, ERR_DENIED);
	cr_expect(strstr(w.err.msg, "must use https") != NULL, "%s", w.err.msg);
	cr_expect_eq(w.tokens.seen.count, 0);
}

Test(auth, the_scope_is_ours_to_choose)
{
	static const struct {
		const char *scope, *asked;
	} rows[] = {
		{"repository:*:pull,push,delete", ""},
		{"registry:catalog:*", ""},
		{"aws", "&scope=aws"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *challenge = xasprintf(
			"WWW-Authenticate: Bearer realm=\"https://r.test/t\",scope=\"%s\"", rows[i].scope);
		AUTO_FREE char *url = xasprintf(
			"https://r.test/t?scope=repository%%3Ashop%%2Fhello%%3Apull%s&client_id=msctl",
			rows[i].asked);
		const struct script_answer answers[] = {
			{"GET", MANIFEST_URL, 401, .headers = challenge}, GET_OK, {0}};
		const struct script_answer tokens[] = {{"GET", url, 200, .body = "{\"token\":\"t\"}"}, {0}};
		AUTO(world) struct world w = {0};

		world_open(&w, answers, tokens, (struct registry_options){0});
		cr_expect_eq(get(&w), 0, "%s: %s", rows[i].scope, w.err.msg);
	}
}

Test(auth, an_identity_token_is_traded_by_oauth2)
{
	static const struct script_answer answers[] = {
		{"GET", MANIFEST_URL, 401, .headers = BEARER("https://r.test/t")}, GET_OK, {0}};
	static const struct script_answer tokens[] = {
		{"POST", "https://r.test/t", 200, .body = "{\"access_token\":\"t\"}"}, {0}};
	AUTO_FREE char *file = write_authfile("r.test", ",\"identitytoken\":\"se cret\"");
	AUTO(creds_store) struct creds_store creds = {.file = file};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, tokens, (struct registry_options){.creds = &creds});
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	cr_expect_str_eq(buf_str(&w.tokens.seen.items[0].body),
					 "grant_type=refresh_token&client_id=msctl&service=r.test&"
					 "scope=repository%3Ashop%2Fhello%3Apull&refresh_token=se%20cret");
	cr_expect_null(script_header(&w.tokens, 0, "Authorization"));
	unlink(file);
}

Test(auth, where_oauth2_is_not_known_the_password_is_sent)
{
	static const struct script_answer answers[] = {
		{"GET", MANIFEST_URL, 401, .headers = BEARER("https://r.test/t")}, GET_OK, {0}};
	static const struct script_answer tokens[] = {
		{"POST", "https://r.test/t", 404},
		{"GET", "https://r.test/t?" SCOPES "&account=u", 200, .body = "{\"token\":\"t\"}"},
		{0}};
	AUTO_FREE char *file = write_authfile("r.test", ",\"identitytoken\":\"secret\"");
	AUTO(creds_store) struct creds_store creds = {.file = file};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, tokens, (struct registry_options){.creds = &creds});
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	cr_expect_str_eq(script_header(&w.tokens, 1, "Authorization"), "Basic dTpw");
	unlink(file);
}

Test(auth, basic_is_given_when_asked_and_then_at_once)
{
	static const struct script_answer answers[] = {
		{"GET", MANIFEST_URL, 401,
		 .headers = "WWW-Authenticate: Negotiate\nWWW-Authenticate: Basic realm=x"},
		GET_OK,
		GET_OK,
		{0}};
	AUTO_FREE char *file = write_authfile("r.test", "");
	AUTO(creds_store) struct creds_store creds = {.file = file};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, NULL, (struct registry_options){.creds = &creds});
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	cr_assert_eq(get(&w), 0, "%s", w.err.msg);
	cr_expect_null(script_header(&w.script, 0, "Authorization"), "not before the registry asks");
	cr_expect_str_eq(script_header(&w.script, 1, "Authorization"), "Basic dTpw");
	cr_expect_str_eq(script_header(&w.script, 2, "Authorization"), "Basic dTpw");
	unlink(file);
}

Test(auth, another_origin_gets_nothing)
{
	static const char *const urls[] = {"https://other.test/v2/", "https://r.test:8443/v2/",
									   "http://r.test/v2/"};
	struct creds c = {.username = (char[]){"u"}, .password = (char[]){"p"}};
	AUTO(url) struct url api = {0};
	AUTO(auth) struct auth a = {0};
	struct error err = {0};
	struct http_auth callback = auth_for_registry(&a);

	cr_assert_eq(url_parse("https://r.test/", &api, &err), 0);
	auth_init(&a, &(struct auth_options){.host = "r.test", .api = &api, .clock = &clock_system});
	auth_use(&a, &c);
	a.basic = true;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct http_request request = {.method = "GET", .url = urls[i]};
		AUTO(buf) struct buf value = {0};

		cr_expect_eq(callback.get(callback.user, &request, NULL, &value, &err), 0, "%s", urls[i]);
		cr_expect_eq(value.len, 0);
	}
}

Test(auth, refused_credentials_end_it)
{
	static const struct script_answer answers[] = {
		{"GET", MANIFEST_URL, 401, .headers = "WWW-Authenticate: Basic realm=x"},
		{"GET", MANIFEST_URL, 401, .headers = "WWW-Authenticate: Basic realm=x"},
		{0}};
	AUTO_FREE char *file = write_authfile("r.test", "");
	AUTO(creds_store) struct creds_store creds = {.file = file};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, NULL, (struct registry_options){.creds = &creds});
	cr_assert_eq(get(&w), -1);
	cr_expect_eq(w.err.code, ERR_DENIED);
	cr_expect(strstr(w.err.hint, "msctl login r.test") != NULL, "%s", w.err.hint);
	cr_expect_eq(w.script.seen.count, 2);
	unlink(file);
}

Test(auth, a_token_service_that_refuses)
{
	static const struct {
		int status;
		enum err_code code;
	} rows[] = {{401, ERR_DENIED}, {403, ERR_DENIED}, {404, ERR_NET}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static const struct script_answer answers[] = {
			{"GET", MANIFEST_URL, 401, .headers = BEARER("https://r.test/t")}, {0}};
		const struct script_answer tokens[] = {{"GET", "https://r.test/t?" SCOPES, rows[i].status},
											   {0}};
		AUTO(world) struct world w = {0};

		world_open(&w, answers, tokens, (struct registry_options){0});
		cr_assert_eq(get(&w), -1);
		cr_expect_eq(w.err.code, rows[i].code, "%s", w.err.msg);
	}
}

Test(auth, strange_challenges)
{
	static const struct {
		const char *headers;
		enum err_code code;
	} rows[] = {
		{"WWW-Authenticate: Bearer service=\"x\"", ERR_INPUT},
		{"WWW-Authenticate: Bearer realm=\"\"", ERR_INPUT},
		{"WWW-Authenticate: Bearer realm=\"https://r.test/t", ERR_INPUT},
		{"WWW-Authenticate: Bearer realm=\"file:///etc/passwd\"", ERR_INPUT},
		{"WWW-Authenticate: Bearer realm=\"https://u:p@r.test/t\"", ERR_INPUT},
		{"WWW-Authenticate: Negotiate", ERR_DENIED},
		{NULL, ERR_DENIED},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_answer answers[] = {
			{"GET", MANIFEST_URL, 401, .headers = rows[i].headers}, {0}};
		AUTO(world) struct world w = {0};

		world_open(&w, answers, NULL, (struct registry_options){0});
		cr_assert_eq(get(&w), -1);
		cr_expect_eq(w.err.code, rows[i].code, "%s: %s", rows[i].headers, w.err.msg);
		cr_expect_eq(w.tokens.seen.count, 0);
	}
}

Test(auth, answers_of_token_services)
{
	static const struct {
		const char *body, *token;
		int64_t life_ms;
	} rows[] = {
		{"{\"token\":\"a\"}", "a", 60000},
		{"{\"access_token\":\"a\",\"expires_in\":300}", "a", 300000},
		{"{\"token\":\"a\",\"access_token\":\"b\"}", "a", 60000},
		{"{\"token\":\"\",\"access_token\":\"b\"}", "b", 60000},
		{"{\"token\":\"a\",\"expires_in\":0}", "a", 60000},
		{"{\"token\":\"a\",\"expires_in\":-1}", "a", 60000},
		{"{\"token\":\"a\",\"expires_in\":\"300\"}", "a", 60000},
		{"{\"token\":\"a\",\"expires_in\":1000000000000000000}", "a", AUTH_MAX_LIFE_MS},
		{"{\"token\":\"a\",\"issued_at\":\"1970-01-01T00:00:00Z\"}", "a", 60000},
		{"{\"token\":\"a b\"}", NULL, 0},
		{"{\"token\":\"a\\r\\nX: y\"}", NULL, 0},
		{"{\"token\":\"\\u00e9\"}", NULL, 0},
		{"{\"token\":1}", NULL, 0},
		{"{}", NULL, 0},
		{"[]", NULL, 0},
		{"", NULL, 0},
		{"token", NULL, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *token = NULL;
		int64_t life_ms = 0;
		struct error err = {0};
		int rc = auth_read_token(span_of(rows[i].body), "answer", &token, &life_ms, &err);

		cr_expect_eq(rc, rows[i].token ? 0 : -1, "%s: %s", rows[i].body, err.msg);
		if (rc == 0) {
			cr_expect_str_eq(token, rows[i].token);
			cr_expect_eq(life_ms, rows[i].life_ms, "%s", rows[i].body);
		} else {
			cr_expect_eq(err.code, ERR_INPUT);
		}
	}
}

Test(auth, login_tries_the_credentials)
{
	static const struct script_answer answers[] = {
		{"GET", "https://r.test/v2/", 401, .headers = "WWW-Authenticate: Basic realm=x"},
		{"GET", "https://r.test/v2/", 200},
		{0}};
	struct creds c = {.username = (char[]){"u"}, .password = (char[]){"p"}};
	AUTO(world) struct world w = {0};

	world_open(&w, answers, NULL, (struct registry_options){0});
	cr_expect_eq(registry_check_login(w.registry, &c, &w.err), 0, "%s", w.err.msg);
	cr_expect_str_eq(script_header(&w.script, 1, "Authorization"), "Basic dTpw");
}
