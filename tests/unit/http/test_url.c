#include "base/mem.h"
#include "http/url.h"

#include <criterion/criterion.h>
#include <string.h>

static char *parsed(const char *text)
{
	struct url u = {0};
	struct error err = {0};
	char *out;

	if (url_parse(text, &u, &err) < 0) {
		cr_expect_eq(err.code, ERR_INPUT, "%s", text);
		cr_expect_null(u.host, "a failed parse must leave *out alone");
		return xstrdup("refused");
	}
	out = url_text(&u);
	url_release(&u);
	return out;
}

Test(http_url, parse_keeps_or_refuses)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"https://example.com", "https://example.com/"},
		{"HTTPS://Example.COM:443/A?b=C", "https://example.com/A?b=C"},
		{"http://h:80/", "http://h/"},
		{"http://h:8080", "http://h:8080/"},
		{"http://h:/x", "http://h/x"},
		{"https://h?q=1", "https://h/?q=1"},
		{"https://h/p#frag", "https://h/p"},
		{"https://h#frag", "https://h/"},
		{"https://[::1]:5000/v2/", "https://[::1]:5000/v2/"},
		{"https://[0:0:0:0:0:0:0:1]/", "https://[::1]/"},
		{"https://[FE80::A]/", "https://[fe80::a]/"},
		{"http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/v2/"},
		{"https://my_host-1.example/", "https://my_host-1.example/"},
		{"https://h/a/../b", "https://h/a/../b"},
		{"ftp://h/", "refused"},
		{"file:///etc/passwd", "refused"},
		{"h/x", "refused"},
		{"", "refused"},
		{"https://", "refused"},
		{"https:///x", "refused"},
		{"https://user@h/", "refused"},
		{"https://user:secret@h/", "refused"},
		{"https://h:0/", "refused"},
		{"https://h:65536/", "refused"},
		{"https://h:-1/", "refused"},
		{"https://h:12a/", "refused"},
		{"https://h: 80/", "refused"},
		{"https://h/a b", "refused"},
		{"https://h/\r\nX: y", "refused"},
		{"https://h\\@evil/", "refused"},
		{"https://h%2f/", "refused"},
		{"https://a..b/", "refused"},
		{"https://.a/", "refused"},
		{"https://[::1/", "refused"},
		{"https://[::1]x/", "refused"},
		{"https://[v1.x]/", "refused"},
		{"https://[fe80::1%25eth0]/", "refused"},
		{"http://2130706433/", "refused"},
		{"http://0x7f.0.0.1/", "refused"},
		{"http://0177.0.0.1/", "refused"},
		{"http://127.1/", "refused"},
		{"http://h\xc3\xa4/", "refused"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *got = parsed(rows[i].text);

		cr_expect_str_eq(got, rows[i].want, "%s", rows[i].text);
		free(got);
	}
}

Test(http_url, parse_bounds_its_input)
{
	char *text = xmalloc(URL_MAX_BYTES + 2);
	char *got;

	memset(text, 'a', URL_MAX_BYTES + 1);
	memcpy(text, "https://h/", 10);
	text[URL_MAX_BYTES] = '\0';
	got = parsed(text);
	cr_expect_str_eq(got, text);
	free(got);
	text[URL_MAX_BYTES] = 'a';
	text[URL_MAX_BYTES + 1] = '\0';
	got = parsed(text);
	cr_expect_str_eq(got, "refused");
	free(got);
	free(text);
}

Test(http_url, messages_show_no_secret)
{
	static const char *const rows[] = {"https://u:secret@h/", "ftp://u:secret@h/",
									   "ftp://h/?token=secret", "https://h:x/?token=secret"};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url u = {0};
		struct error err = {0};

		cr_assert_eq(url_parse(rows[i], &u, &err), -1);
		cr_expect_null(strstr(err.msg, "secret"), "%s", err.msg);
	}
}

/* RFC 3986, section 5.4, and what servers send. */
Test(http_url, resolve)
{
	static const struct {
		const char *reference, *want;
	} rows[] = {
		{"g", "http://a/b/c/g"},
		{"./g", "http://a/b/c/g"},
		{"g/", "http://a/b/c/g/"},
		{"/g", "http://a/g"},
		{"//g", "http://g/"},
		{"?y", "http://a/b/c/d;p?y"},
		{"g?y", "http://a/b/c/g?y"},
		{"#s", "http://a/b/c/d;p?q"},
		{"g#s", "http://a/b/c/g"},
		{"", "http://a/b/c/d;p?q"},
		{".", "http://a/b/c/"},
		{"./", "http://a/b/c/"},
		{"..", "http://a/b/"},
		{"../g", "http://a/b/g"},
		{"../..", "http://a/"},
		{"../../../g", "http://a/g"},
		{"/./g", "http://a/g"},
		{"/../g", "http://a/g"},
		{"g.", "http://a/b/c/g."},
		{"..g", "http://a/b/c/..g"},
		{"./g/.", "http://a/b/c/g/"},
		{"g/../h", "http://a/b/c/h"},
		{"g?y/../x", "http://a/b/c/g?y/../x"},
		{"https://other:5000/x?y", "https://other:5000/x?y"},
		{"/v2/x?_state=a%2Fb", "http://a/v2/x?_state=a%2Fb"},
		{"file:///etc/passwd", NULL},
		{"javascript:x", NULL},
		{"g:h", NULL},
		{"/a b", NULL},
		{"//u@g/", NULL},
	};
	struct url base = {0};
	struct error err = {0};

	cr_assert_eq(url_parse("http://a/b/c/d;p?q", &base, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url u = {0};
		int rc = url_resolve(&base, rows[i].reference, &u, &err);
		char *got;

		cr_expect_eq(rc, rows[i].want ? 0 : -1, "%s", rows[i].reference);
		if (rc < 0)
			continue;
		got = url_text(&u);
		cr_expect_str_eq(got, rows[i].want, "%s", rows[i].reference);
		free(got);
		url_release(&u);
	}
	url_release(&base);
}

Test(http_url, origins)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"https://h/x", "https://h:443/y", true}, {"https://h/", "http://h/", false},
		{"https://h/", "https://h:444/", false},  {"https://h/", "https://H/", true},
		{"https://h/", "https://i/", false},      {"https://[::1]/", "https://[0::1]/", true},
		{"https://h/", "https://h./", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url a = {0};
		struct url b = {0};
		struct error err = {0};
		char *origin;

		cr_assert_eq(url_parse(rows[i].a, &a, &err), 0);
		cr_assert_eq(url_parse(rows[i].b, &b, &err), 0);
		cr_expect_eq(url_same_origin(&a, &b), rows[i].same, "%s %s", rows[i].a, rows[i].b);
		origin = url_origin(&a);
		cr_expect_eq(strchr(origin + 8, '/'), NULL);
		free(origin);
		url_release(&a);
		url_release(&b);
	}
}

Test(http_url, reach)
{
	static const struct {
		const char *host;
		enum url_reach want;
	} rows[] = {
		{"localhost", URL_LOOPBACK},
		{"LOCALHOST.", URL_LOOPBACK},
		{"x.localhost", URL_LOOPBACK},
		{"127.0.0.1", URL_LOOPBACK},
		{"127.255.0.3", URL_LOOPBACK},
		{"0.0.0.0", URL_LOOPBACK},
		{"[::1]", URL_LOOPBACK},
		{"[::]", URL_LOOPBACK},
		{"[::ffff:127.0.0.1]", URL_LOOPBACK},
		{"[64:ff9b::7f00:1]", URL_LOOPBACK},
		{"10.1.2.3", URL_PRIVATE},
		{"172.16.0.1", URL_PRIVATE},
		{"172.31.255.255", URL_PRIVATE},
		{"172.32.0.1", URL_PUBLIC},
		{"192.168.1.1", URL_PRIVATE},
		{"100.64.0.1", URL_PRIVATE},
		{"100.128.0.1", URL_PUBLIC},
		{"[fd00::1]", URL_PRIVATE},
		{"[::ffff:10.0.0.1]", URL_PRIVATE},
		{"169.254.169.254", URL_LINK_LOCAL},
		{"[fe80::1]", URL_LINK_LOCAL},
		{"[::ffff:169.254.169.254]", URL_LINK_LOCAL},
		{"224.0.0.1", URL_LINK_LOCAL},
		{"255.255.255.255", URL_LINK_LOCAL},
		{"[ff02::1]", URL_LINK_LOCAL},
		{"8.8.8.8", URL_PUBLIC},
		{"128.0.0.1", URL_PUBLIC},
		{"[2001:db8::1]", URL_PUBLIC},
		{"localhost.example.com", URL_PUBLIC},
		{"notlocalhost", URL_PUBLIC},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = xasprintf("http://%s/", rows[i].host);
		struct url u = {0};
		struct error err = {0};

		cr_assert_eq(url_parse(text, &u, &err), 0, "%s", err.msg);
		cr_expect_eq(url_reach(&u), rows[i].want, "%s", rows[i].host);
		cr_expect_eq(url_is_loopback(&u), rows[i].want == URL_LOOPBACK);
		url_release(&u);
		free(text);
	}
}

Test(http_url, label_and_encode)
{
	struct url u = {0};
	struct error err = {0};
	struct buf out = {0};
	char *label;

	cr_assert_eq(url_parse("https://h:1/a?token=secret", &u, &err), 0);
	label = url_label(&u);
	cr_expect_str_eq(label, "https://h:1/a");
	free(label);
	url_release(&u);
	url_encode("a-Z_.~/ &+%\xc3\xa4", &out);
	cr_expect_str_eq(buf_str(&out), "a-Z_.~%2F%20%26%2B%25%C3%A4");
	buf_release(&out);
}
